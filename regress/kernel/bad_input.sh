# SPDX-License-Identifier: ISC
#
# COUNT malformed datagrams (10000) at each of two live gateways with a tunnel between
# them: nothing dies, memory stays flat, the tunnel keeps its SAs and its packets.

set -u
. "$TOP/regress/kernel/lib.sh"
. "$TOP/regress/demo/site.sh"
COUNT=${COUNT:-10000}
fail() {
	echo "FAILED: $*"
	tail -n 20 "$OUT/seattle/iked.log" "$OUT/boise/iked.log"
	site_end
	exit 1
}
rss() {
	for _p in $(iked_pids "$1"); do
		sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$_p/status"
	done | awk '{ n += $1 } END { print n + 0 }'
}
spis() { tunnel_field seattle spi_in; tunnel_field seattle spi_out; }
life() { iked_pids "$1" | sort | tr '\n' ' '; }
# bad COUNT SEED: half at either gateway, as if from the other
bad() {
	_i=$(ctl seattle show peers -j | field spii | head -n 1)
	_r=$(ctl seattle show peers -j | field spir | head -n 1)
	on core "$OBJ/regress/tools/tool_bad" -n $(($1 / 2)) -r "$2" -i "$_i" -I "$_r" \
	    -s $WAN_SEATTLE -d $WAN_BOISE &&
	    on core "$OBJ/regress/tools/tool_bad" -n $(($1 / 2)) -r "$2" -i "$_i" -I "$_r" \
	    -s $WAN_BOISE -d $WAN_SEATTLE
}

users_make
site_make || fail "the network cannot be made"
seattle_conf $KEY
boise_conf $KEY
iked_start boise && iked_start seattle || fail "iked does not start"
ping_start bad alice 10.1.0.10 10.2.0.10 0.1
wait_for 20 ping_back bad 0 5 || fail "no tunnel"
spis=$(spis) lives="$(life seattle)$(life boise)"
# The first thousands warm the allocators up.
bad $((COUNT / 4)) 1 || fail "tool_bad"
sleep 2
s0=$(rss seattle) b0=$(rss boise)
bad $((COUNT * 2)) 2 || fail "tool_bad"
sleep 2
s1=$(rss seattle) b1=$(rss boise)
stamp after
wait_for 10 ping_back bad "$(stamp_ms after)" 10 || fail "the tunnel does not pass packets any more"
ping_stop bad
[ "$lives" = "$(life seattle)$(life boise)" ] || fail "a process died"
[ "$spis" = "$(spis)" ] || fail "the SAs are others than before"
lost=$(($(ping_sent bad) - $(ping_replies bad)))
echo "rss: seattle $s0 -> $s1 kB, boise $b0 -> $b1 kB; pings: $(ping_sent bad) sent, $lost lost"
# A quarter of a megabyte is what half-open SAs may hold at that moment.
[ $((s1 - s0)) -le 256 ] && [ $((b1 - b0)) -le 256 ] || fail "memory grows"
# The first pings raised the tunnel; one may be on the way at the end.
[ $lost -le 5 ] || fail "$lost pings lost"
ctl boise show stats 2>&1
echo "ok: bad_input"
site_end
