# SPDX-License-Identifier: ISC
#
# Both sides start at once: TRIES (40) times packets come from both nets in the same
# moment, where nothing is up.  Ten seconds later there should be one IKE SA and one
# Child on either side.  ikeep with itself, without and with 20 ms of delay each way, and
# with strongSwan, in either place, for identities decide.

set -u
PART=together
. "$TOP/regress/life/life.subr"
CASES=${CASES:-$(n "ikeep-ikeep-0 ikeep-ikeep-20 ikeep-swan-0 ikeep-swan-20 \
    swan-ikeep-0 swan-ikeep-20" "ikeep-ikeep-20 swan-ikeep-20")}
TRIES=${TRIES:-$(n 40 2)}

down() {
	case $(kind "$1") in
	ikeep)	ctl "$1" down "$(other "$1")" ;;
	*)	swan "$1" --terminate --ike site ;;
	esac >/dev/null 2>&1
}
try() {
	flow_start try 100 -t 11
	echo "$(date -r "$W/start" +%s)" >>"$W/tries.$CASE"
	sleep 12.3
	_left=$(left)
	# wait for the ends by themselves: -t
	wait "$FLOW_A"
	wait "$FLOW_B"
	flow_stop try
	[ "$_left" = "1/2 1/2" ] || {
		DUPS=$((DUPS + 1))
		LEFT="$LEFT $_left;"
	}
	_l=$(awk '/^jump 0 / { i += $3 } /^sent/ { s += $2; g += $4; if ($12 > f) f = $12
	    if ($12 < 0) bad = 1 } END { print s - g - i, bad ? 99999 : f }' \
	    "$W/flow.try.alice" "$W/flow.try.bob")
	LATER=$((LATER + ${_l% *}))
	[ "${_l#* }" -le "$WORST" ] || WORST=${_l#* }
	down_both
}
# A side that wants the tunnel still calls when the other has taken it down
down_both() {
	_k=0
	while :; do
		down seattle
		down boise
		wait_for 2 no_sa && sleep 0.3 && no_sa && return 0
		_k=$((_k + 1))
		[ $_k -lt 10 ] || fail "SAs are still there after 10 times down: $(left)"
	done
}
# In how many tries IKE_SA_INIT requests came from both sides within two seconds
collided() {
	cap_lines init toseattle "udp port 500 or udp port 4500" | awk -v tries="$W/tries.$CASE" '
	/ikev2_init\[I\]/ { t[++n] = $1; s[n] = substr($3, 1, 9) }
	END {
		while ((getline from <tries) > 0) {
			a = b = 0
			for (i = 1; i <= n; i++)
				if (t[i] >= from && t[i] < from + 7) {
					if (s[i] == "192.0.2.1") a = 1
					else b = 1
				}
			c += a && b
		}
		print c + 0
	}'
}

begin
for c in $CASES; do
	_a=${c%%-*} _b=${c#*-}
	_ms=${_b#*-} _b=${_b%-*}
	CASE=$c
	net_clear
	[ "$_ms" = 0 ] || net_em delay "${_ms}ms"
	gw_conf seattle "$_a" ondemand
	gw_conf boise "$_b" ondemand
	gw_start seattle
	gw_start boise
	clear_start
	CAP_FILTER="udp port 500 or udp port 4500"
	rm -rf "$W/cap.init"
	cap_start init core toseattle || fail "no capture"
	CAP_FILTER=
	DUPS=0 LATER=0 WORST=0 LEFT= _i=0
	while [ $_i -lt "$TRIES" ]; do
		try
		_i=$((_i + 1))
	done
	clear_end
	_c=$(collided)
	cap_stop init >/dev/null
	_f="$DUPS of $TRIES with duplicates 10 s later$LEFT both called in $_c; first packet after at most $WORST ms; then $LATER lost; clear: $CLEARED"
	CASE="$_a with $_b, $_ms ms"
	if [ $DUPS != 0 ] || [ "$CLEARED" != 0 ] || [ "$WORST" = 99999 ]; then
		row FAILED "$_f"
	else
		row ok "$_f"
	fi
	gw_stop seattle
	gw_stop boise
done
end_part
