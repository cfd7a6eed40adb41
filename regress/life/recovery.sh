# SPDX-License-Identifier: ISC
#
# How long is nothing passed after one side has died, rebooted, or its cable was out?
# ikeep with itself, and in the same boot strongSwan with itself: as it comes, with dead
# peer detection each 2 s, and with that and fast retransmissions.  Seattle is active
# (strongSwan: trap|start), Boise passive.
#
# killed: SIGKILL of everything, the kernel's SAs flushed, started again at once.
# rebooted: the same with its policies flushed and its interfaces down, for a second
# and until the daemon runs.  Three figures: the silence, and the time to its end from when
# it was started (killed) or its cables were in again (rebooted, cut), and from when it was
# ready to answer ipsecctl or swanctl.
# quiet: no traffic meanwhile; the time to the first answer from the first packet, 3 s
# after that.

set -u
PART=recovery
. "$TOP/regress/life/life.subr"
CASES=${CASES:-$(n "ikeep ikeep-moved swan swan-dpd swan-fast swan-moved" "ikeep ikeep-moved")}
TRIES=${TRIES:-$(n 3 1)}
LIMIT=${LIMIT:-$(n 60 30)}	# s, then it has not come back
CUT=$(n 60 20)

# slay GW: every process of its daemon
slay() {
	# shellcheck disable=SC2046
	kill -KILL $(host_pids "$1") 2>/dev/null
	case $(kind "$1") in
	ikeep)	eval "wait \$IKED_$1" 2>/dev/null
		eval "IKED_$1=" ;;
	swan)	eval "wait \$CHARON_$1" 2>/dev/null
		eval "CHARON_$1="
		on "$1" rm -f /run/charon.vici ;;
	esac
	wait_for 5 no_pids "$1"
	on "$1" ip xfrm state flush
}
no_pids() { [ -z "$(host_pids "$1")" ]; }
again() { gw_start "$1"; }
cables() {	# GW up|down
	on "$1" sh -c '
		# the WAN first: what has come by ESP for a LAN that is not there any more
		# would follow the default route
		ip link set wan "$1" && ip link set lan "$1" || exit 1
		[ "$1" = down ] || ip route add default via "$2"' sh "$2" \
	    "$(wan "$1" | sed 's/\.1$/.254/')"
}
killed() {
	slay "$1"
	stamp back
	again "$1"
}
rebooted() {
	cables "$1" down
	slay "$1"
	on "$1" ip xfrm policy flush
	sleep 1
	again "$1"
	stamp back
	cables "$1" up
}
cut() {
	on core ip link set "to$1" down
	sleep $CUT
	stamp back
	on core sh -c 'ip link set "$1" up; ip route replace "$2" via "$3"' sh "to$1" \
	    "$(lan "$1")" "$(wan "$1")"
}
# silence TAG FROM BACK READY: the longest one after FROM, and how long after BACK and after
# READY it ended: "ms ms ms", none below 0
silence() {
	awk -v from="$2" -v back="$3" -v ready="$4" -F '[][]' '
	function pos(x) { return x < 0 ? 0 : x }
	/ bytes from / {
		t = $2 * 1000
		if (last && t > from && t - last > gap) {
			gap = t - last
			end = t
		}
		last = t
	}
	END { printf "%d %d %d\n", gap, pos(end - back), pos(end - ready) }' "$W/ping.$1"
}
# Seattle gets another address, in one go
AT=$WAN_SEATTLE
readdress() {
	_new=192.0.2.77
	[ $AT = $WAN_SEATTLE ] || _new=$WAN_SEATTLE
	printf 'addr del %s/24 dev wan\naddr add %s/24 dev wan\nroute add default via %s\n' \
	    $AT $_new 192.0.2.254 >"$W/moved"
	on seattle ip -batch "$W/moved" || fail "cannot change the address"
	AT=$_new
	stamp back
}
# Both with MOBIKE, ids that are no addresses for ikeep
conf_moved() {
	if [ "$1" = swan ]; then
		gw_conf boise swan passive
		gw_conf seattle swan ondemand
		sed -i 's/mobike = no/mobike = yes/; s/start_action = trap/&|start/
		    s/local_addrs = .*/local_addrs = %any/' "$W/seattle/swanctl/swanctl.conf"
		sed -i 's/mobike = no/mobike = yes/; s/remote_addrs = .*/remote_addrs = %any/' \
		    "$W/boise/swanctl/swanctl.conf"
		return
	fi
	gw_conf boise ikeep passive "srcid boise.example dstid seattle.example"
	gw_conf seattle ikeep active "srcid seattle.example dstid boise.example"
	sed 's/local [0-9.]*//' "$W/seattle/iked.conf" >"$W/seattle/c"
	conf_write seattle <"$W/seattle/c"
}
# answered TAG MS: when the first answer after that moment came, ms after it
answered() {
	awk -v from="$2" -F '[][]' '/ bytes from / && $2 * 1000 > from {
		printf "%d\n", $2 * 1000 - from; exit }' "$W/ping.$1"
}
# ping_from TAG GW: the host behind GW pings the other
ping_from() {
	if [ "$2" = seattle ]; then
		ping_start "$1" alice $ALICE $BOB 0.05
	else
		ping_start "$1" bob $BOB $ALICE 0.05
	fi
}
# once HOW WHOM TRAFFIC: GAP, BACK and READY in ms; BACK empty: it did not come back
once() {
	_tag=$1.$2.$3.$CASE_NAME.$_i
	_from=$(other "$2")
	wait_for 30 both_up || {
		# an ending that was not seen to: all anew
		gw_stop seattle
		gw_stop boise
		gw_start boise
		gw_start seattle
	}
	ping_from "$_tag" "$_from"
	wait_for 40 ping_back "$_tag" 0 10 || fail "$_tag: no answers even before"
	# an SA so new is not doubted, nor one that has just answered
	sleep 11
	if [ "$3" = traffic ]; then
		stamp broken
		"$1" "$2"
		stamp ready
		wait_for "$LIMIT" ping_back "$_tag" "$(stamp_ms back)" 15
		_st=$?
		ping_stop "$_tag"
		_s=$(silence "$_tag" "$(stamp_ms broken)" "$(stamp_ms back)" "$(stamp_ms ready)")
		GAP=${_s%% *} READY=${_s##* } _s=${_s% *}
		BACK=${_s#* }
		[ $_st = 0 ] || BACK=
	else
		ping_stop "$_tag"
		sleep 3
		"$1" "$2"
		sleep 3
		stamp back
		ping_from "$_tag.q" "$_from"
		wait_for "$LIMIT" ping_back "$_tag.q" 0 10
		ping_stop "$_tag.q"
		GAP=- READY=-
		BACK=$(answered "$_tag.q" "$(stamp_ms back)")
	fi
}
# measure HOW WHOM TRAFFIC NAME
measure() {
	CASE="$WHO: $4"
	_gaps= _backs= _readys= _i=0 _never=0
	while [ $_i -lt "$TRIES" ]; do
		_i=$((_i + 1))
		once "$1" "$2" "$3"
		if [ -z "$BACK" ]; then
			_never=$((_never + 1))
			[ "$WHO" = ikeep ] || break
		else
			_gaps="$_gaps $GAP" _backs="$_backs $BACK" _readys="$_readys $READY"
		fi
	done
	_f="silence$_gaps ms; its end from the return$_backs ms, from ready$_readys ms"
	[ "$3" = traffic ] || _f="first answer after$_backs ms"
	[ -n "$_backs" ] || _f=
	[ $_never = 0 ] || _f="${_f:+$_f; }not back within $LIMIT s: $_never times"
	if [ "$WHO" != ikeep ]; then
		row - "$_f"
	elif [ $_never = 0 ]; then
		row ok "$_f"
	else
		row FAILED "$_f"
	fi
}

all_deaths() {
	measure killed boise traffic "passive side killed"
	measure killed seattle traffic "active side killed"
	measure killed boise quiet "passive side killed, quiet"
	measure killed seattle quiet "active side killed, quiet"
	measure rebooted boise traffic "passive side rebooted"
	measure rebooted seattle traffic "active side rebooted"
	measure cut boise traffic "cable out for $CUT s"
}

begin
for CASE_NAME in $CASES; do
	CASE=$CASE_NAME
	conn= MORE_CHILD=
	case $CASE_NAME in
	ikeep)	WHO=ikeep ;;
	swan)	WHO=strongSwan ;;
	swan-dpd) WHO="strongSwan, DPD 2 s" conn="dpd_delay = 2s" ;;
	swan-fast) WHO="strongSwan, DPD 2 s, fast" conn="dpd_delay = 2s" ;;
	*-moved) WHO=ikeep
		[ "$CASE_NAME" = ikeep-moved ] || WHO=strongSwan ;;
	esac
	case $CASE_NAME in
	*-moved) conf_moved "${CASE_NAME%-moved}" ;;
	ikeep)	gw_conf boise ikeep passive
		gw_conf seattle ikeep active ;;
	*)	[ -z "$conn" ] || MORE_CHILD="dpd_action = clear"
		gw_conf boise swan passive "$conn"
		[ -z "$conn" ] || MORE_CHILD="dpd_action = restart"
		gw_conf seattle swan ondemand "$conn"
		sed -i 's/start_action = trap/start_action = trap|start/' \
		    "$W/seattle/swanctl/swanctl.conf"
		[ "$CASE_NAME" != swan-fast ] || for _g in seattle boise; do
			sed -i 's/install_routes = no/&\
		retransmit_timeout = 1\
		retransmit_base = 1\
		retransmit_tries = 3/' "$W/$_g/strongswan.conf"
		done ;;
	esac
	gw_start boise
	gw_start seattle
	clear_start
	case $CASE_NAME in
	*-moved)
		measure readdress boise traffic "address of the active side changed, MOBIKE" ;;
	*)	all_deaths ;;
	esac
	clear_end
	CASE="$WHO: all of $CASE_NAME"
	if [ "$WHO" != ikeep ]; then
		row - "clear: $CLEARED"
	elif [ "$CLEARED" = 0 ] && [ "$DROPS" = 0 ]; then
		row ok "clear: 0"
	else
		row FAILED "clear: $CLEARED, capture drops $DROPS"
	fi
	gw_stop seattle
	gw_stop boise
	[ $AT = $WAN_SEATTLE ] || readdress
done
end_part
