# SPDX-License-Identifier: ISC
#
# Seattle behind a router that masquerades (core's WAN address is all that Boise sees):
# ESP in UDP both ways under a flow, rekeys from either side, keepalives, and what happens
# when the router forgets the mapping, and when it then makes another one.  ikeep,
# strongSwan, and ikeep with itself.  The router's NAT is nftables', outside the guest (uml.sh
# -R); iptables', inside, only where that cannot be.  The rows say which.

set -u
PART=nat
. "$TOP/regress/life/life.subr"
CASES=${CASES:-$(n "ikeep-ikeep ikeep-swan swan-ikeep" ikeep-ikeep)}
RATE=${RATE:-200}
OUTSIDE=198.51.100.254

# for a router in the guest
for _m in ip_tables iptable_nat xt_MASQUERADE xt_tcpudp nf_conntrack_netlink; do
	modprobe -q -d /run/m $_m 2>/dev/null
done
masquerade() { router masquerade "$@" || fail "the router cannot masquerade"; NAT_BY=$BY; }
forget() { router forget || fail "the router cannot forget"; }

# rekey GW [ike]
rekey() {
	case $(kind "$1") in
	ikeep)	ctl "$1" rekey ${2-} "$(other "$1")" ;;
	*)	if [ -n "${2-}" ]; then
			swan "$1" --rekey --ike site
		else
			swan "$1" --rekey --child net
		fi ;;
	esac >>"$OUT/$1/rekey.txt" 2>&1
}
# ESP in UDP each way in the capture on Boise's side; and what is not in UDP
esp_in_udp() {
	cap_lines wan toboise "$1 and udp port 4500" | grep -c 'UDP-encap: ESP'
}
conf_nat() {
	PEER_ADDR=
	# iked does nothing with the keepalive: it is for netwatchd, where that is started
	gw_conf seattle "$1" active \
	    "$([ "$1" = swan ] || echo "keepalive target 10.2.0.1 interval 2")"
	PEER_ADDR=$OUTSIDE
	gw_conf boise "$2" passive "$([ "$2" = swan ] || echo "dstid $WAN_SEATTLE")"
	PEER_ADDR=
	# as good as it can: with a trap, too
	[ "$1" != swan ] || sed -i 's/start_action = start/start_action = trap|start/' \
	    "$W/seattle/swanctl/swanctl.conf"
	[ "$2" != swan ] || sed -i 's/remote_addrs = .*/remote_addrs = %any/' \
	    "$W/boise/swanctl/swanctl.conf"
}
# flowing SECONDS WHAT COMMAND...: a flow; after a second the command
flowing() {
	_secs=$1 _what=$2
	shift 2
	flow_start "$_what" "$RATE"
	sleep 4
	"$@"
	sleep "$_secs"
	flow_stop "$_what"
}
rekeys() {
	_k=0
	while [ $_k -lt $(n 10 3) ]; do
		rekey seattle
		sleep 0.7
		rekey boise
		sleep 0.7
		_k=$((_k + 1))
	done
	# strongSwan deletes an inbound SA 5 s after its rekey, and leaves it for good where a
	# new IKE SA has it by then ("CHILD_SA {38} not found for delete")
	[ "$c" = ikeep-ikeep ] || sleep 6
	for _k in 1 2; do
		rekey seattle ike
		sleep 1
		rekey boise ike
		sleep 1
	done
}
# The mapping is forgotten, and made anew by the next packet from inside, at the same port
remap_same() { forget; }
# the next is at another port
remap_other() {
	masquerade "$1"
	forget
}
# unsent TAG PORTS: the same, while Boise's side alone has something to send: inside nothing
# but answers leaves.  SILENT, in ms; a failure: not back within 60 s
unsent() {
	masquerade "$2"
	ping_start "$1" bob $BOB $ALICE 0.1
	wait_for 20 ping_back "$1" 0 10 || fail "no answers"
	forget
	stamp "$1"
	wait_for 60 ping_back "$1" "$(stamp_ms "$1")" 20
	_back=$?
	ping_stop "$1"
	SILENT=$(ping_gap "$1" "$(stamp_ms "$1")")
	return $_back
}
watched_up() { [ "$(ctl seattle show keepalive -j | field state)" = up ]; }

begin
for c in $CASES; do
	_a=${c%-*} _b=${c#*-}
	CASE=$c
	masquerade
	forget
	conf_nat "$_a" "$_b"
	NAME="$_a behind NAT ($NAT_BY), $_b"
	cap_start wan core toboise || fail "no capture"
	gw_start boise
	gw_start seattle
	wait_for 20 both_up || fail "not up: $(left)"
	CASE="$NAME: rekeys"
	flowing 5 rekeys rekeys
	_o=$(esp_in_udp "src host $OUTSIDE") _i=$(esp_in_udp "dst host $OUTSIDE")
	_plain=$(cap_lines wan toboise "ip proto 50" | wc -l)
	_ok=ok
	[ "$_o" -gt 0 ] && [ "$_i" -gt 0 ] && [ "$_plain" = 0 ] || _ok=FAILED
	wait_for 15 one_each || _ok=FAILED
	row $_ok "ESP in UDP: $_o out, $_i in, not in UDP: $_plain; $FLOW_SAYS; SAs: $(left)"
	CASE="$NAME: keepalives while idle"
	stamp idle
	sleep $(n 65 25)
	_k=$(cap_lines wan toboise "src host $OUTSIDE and udp port 4500 and udp[4:2] = 9" |
	    awk -v from="$(stamp_ms idle)" '$1 * 1000 > from { n++ } END { print n + 0 }')
	[ "$_k" -gt 0 ] && _ok=ok || _ok=FAILED
	row $_ok "$_k in $(n 65 25) s"
	CASE="$NAME: mapping forgotten"
	flowing 10 forgotten remap_same
	row "$([ "$GAP" -lt 10000 ] && both_up && echo ok || echo FAILED)" "$FLOW_SAYS"
	CASE="$NAME: mapping to another port"
	flowing 20 moved remap_other 20000-20100
	row "$([ "$GAP" -lt 10000 ] && both_up && echo ok || echo FAILED)" "$FLOW_SAYS"
	CASE="$NAME: another port, only the side behind the NAT is sent to"
	if unsent "quiet.$c" 30000-30100; then
		row ok "silence $SILENT ms"
	elif [ "$_a" = swan ]; then
		# strongSwan, as it comes, never asks whether anybody is there
		row - "not back within 60 s"
		gw_stop seattle
		gw_start seattle
		wait_for 20 both_up || fail "not up again: $(left)"
	else
		row FAILED "not back within 60 s"
	fi
	if [ "$_a" = ikeep ]; then
		CASE="$CASE, keepalive interval 2 there"
		netwatchd_start seattle
		wait_for 60 watched_up || fail "not watched: $(ctl seattle show keepalive)"
		unsent "watched.$c" 40000-40100 && [ "$SILENT" -lt 10000 ] && _ok=ok || _ok=FAILED
		row $_ok "silence $SILENT ms"
		prog_stop NETWATCHD seattle
	fi
	CASE="$NAME: rekeys afterwards"
	flowing 3 after rekeys
	wait_for 15 one_each
	_l=$(left)
	_c=$(cap_count wan "$CLEAR")
	_d=$(cap_stop wan)
	row "$([ "$_l" = "1/2 1/2" ] && [ "$_c" = 0 ] && [ "$_d" = 0 ] && echo ok || echo FAILED)" \
	    "$FLOW_SAYS; SAs: $_l; clear: $_c; capture drops $_d"
	gw_stop seattle
	gw_stop boise
	rm -rf "$W/cap.wan"
done
end_part
