# SPDX-License-Identifier: ISC
#
# Where many packets are lost: TRIES (10) times a tunnel comes up on demand while 20 %,
# and 40 %, are lost each way; then it has to stay up for MINUTES (10), under a flow
# both ways and under a ping each three seconds.

set -u
PART=loss
. "$TOP/regress/life/life.subr"
CASES=${CASES:-$(n "20 40" 40)}
TRIES=${TRIES:-$(n 10 3)}
MINUTES=${MINUTES:-$(n 10 1)}

# try: alice sends 50 a second; when does bob hear the first?
try() {
	wait_for 30 no_sa || {
		gw_stop seattle
		gw_stop boise
		gw_start boise
		gw_start seattle
	}
	rm -f "$W/flow.try".*
	: >"$W/start"
	_w=$(($(date -r "$W/start" +%s%3N) + 300))
	spawn bob "$W/flow.try.bob" "$FLOW" -r 0 -w $_w -l $BOB -p $ALICE
	FLOW_B=$SPAWNED
	spawn alice "$W/flow.try.alice" "$FLOW" -r 50 -w $_w -l $ALICE -p $BOB
	FLOW_A=$SPAWNED
	_i=0
	until [ $_i -ge 60 ] || both_up; do
		sleep 0.5
		_i=$((_i + 1))
	done
	sleep 1
	kill -TERM "$FLOW_A" "$FLOW_B"
	wait "$FLOW_A"
	wait "$FLOW_B"
	_t=$(sed -n 's/^sent.* first //p' "$W/flow.try.bob")
	[ "$_t" -ge 0 ] && [ "$_t" -le 10000 ] || OVER=$((OVER + 1))
	TIMES="$TIMES $_t"
	ctl seattle down boise
	ctl boise down seattle
}
downs() { cat "$OUT/seattle/iked.log" "$OUT/boise/iked.log" | grep -c '" down: '; }
# stays WHAT: MINUTES under what runs
stays() {
	_d=$(downs)
	sleep $((MINUTES * 60))
	_d=$(($(downs) - _d))
	CASE="$LOSS % each way, $MINUTES minutes under $1"
	if [ $_d = 0 ]; then
		_v=ok
	else
		_v=-
	fi
}

begin
for LOSS in $CASES; do
	CASE="$LOSS % each way"
	gw_conf seattle ikeep ondemand
	gw_conf boise ikeep passive
	gw_start boise
	gw_start seattle
	clear_start
	net_em loss "$LOSS%"
	TIMES= OVER=0 _k=0
	while [ $_k -lt "$TRIES" ]; do
		try
		_k=$((_k + 1))
	done
	CASE="$LOSS % each way, $TRIES times up"
	_f=$(echo "$TIMES" | tr ' ' '\n' | grep . | sort -n | awk '{ t[NR] = $1 } END {
	    printf "median %d, worst %d ms", t[int((NR + 1) / 2)], t[NR] }')
	case " $TIMES " in
	*" -1 "*) row FAILED "not up in 30 s:$TIMES" ;;
	*)	row ok "first packet through after$TIMES ms; $_f; $OVER over 10 s" ;;
	esac
	flow_start ten 10
	wait_for 60 both_up
	stays "a flow of 10 packets/s"
	flow_stop ten
	row $_v "down $_d times; $LOST of $SENT packets lost, longest silence $GAP ms"
	if [ -z "$QUICK" ]; then
		ping_start "ten$LOSS" alice $ALICE $BOB 3
		stays "a ping each 3 s"
		ping_stop "ten$LOSS"
		row $_v "down $_d times; $(ping_replies "ten$LOSS") of $(ping_sent "ten$LOSS") pings answered"
	fi
	net_clear
	clear_end
	CASE="$LOSS % each way, in the end"
	if [ "$CLEARED" = 0 ] && [ "$DROPS" = 0 ]; then
		row ok "clear: 0; IKE/ESP SAs: $(left)"
	else
		row FAILED "clear: $CLEARED, capture drops $DROPS"
	fi
	gw_stop seattle
	gw_stop boise
done
end_part
