# SPDX-License-Identifier: ISC
#
# strongSwan on the other side, which knows nothing of netwatchd and starts nothing by
# itself: netwatchd alone has the tunnel come up, and it stays up for SWAN_MINUTES (30)
# while both sides rekey, the Child each minute or so and the IKE SA every few.
# In the first half nothing but the probes passes; in the second alice pings bob, too.

set -u
PART=swan30
. "$TOP/regress/life/life.subr"
SWAN_MINUTES=${SWAN_MINUTES:-$(n 30 4)}
NWLOG=$OUT/seattle/netwatchd.log
PROBED=10.2.0.1

stat() { ctl seattle show stats -j | field "$1"; }
ka() { ctl seattle show keepalive -j 2>/dev/null | field "$1"; }
ka_up() { [ "$(ka state)" = up ]; }
# told EVENT: how many of them
told() { grep -c "\"event\":\"$1\"" "$OUT/seattle/events"; }

begin
gw_conf boise swan passive "rekey_time = 150s
			over_time = 30s" "rekey_time = 60s
					life_time = 80s"
gw_conf seattle ikeep ondemand "lifetime 75 ikelifetime 5m keepalive target $PROBED interval 1"
CASE="strongSwan knows nothing of it"
clear_start
gw_start boise
gw_start seattle
sleep 3
[ "$(left)" = "0/0 0/0" ] || fail "something is up before netwatchd has started: $(left)"
netwatchd_start seattle
wait_for 60 ka_up || fail "not up: $(ctl seattle show keepalive)"
CAME=$(sed -n 's/.*up, first reply after \([0-9]*\) ms.*/\1/p' "$NWLOG")
# by its command, or by its first probe where that was sooner
WAKE=$(tunnel_field seattle wake)
spawn seattle "$OUT/seattle/events" "$BIN/ipsecctl" events -j
EVENTS=$SPAWNED

_half=$((SWAN_MINUTES * 30))
sleep $_half
ping_start swan alice $ALICE $BOB 0.2
sleep $_half
ping_stop swan
_now=$(ka state) _left=$(left)
ctl seattle show keepalive -j >"$OUT/seattle/keepalive.json"
clear_end
kill "$EVENTS" 2>/dev/null
wait "$EVENTS" 2>/dev/null
prog_stop NETWATCHD seattle

_probes="$(field lost <"$OUT/seattle/keepalive.json") of $(field sent <"$OUT/seattle/keepalive.json")"
_sent=$(ping_sent swan) _got=$(ping_replies swan)
_rekeys=$(stat rekeys) _downs=$(told down) _acts=$(told action)
_ikes=$(grep -c 'IKE_SA site\[[0-9]*\] rekeyed between' "$OUT/boise/charon.log")
_f="up after $CAME ms, woken by $WAKE; then $SWAN_MINUTES minutes: $_rekeys rekeys, $_ikes of them of the IKE SA; probes lost: $_probes, pings lost: $((_sent - _got)) of $_sent; downs: $_downs, actions: $_acts; clear: $CLEARED; IKE/ESP SAs in the end: $_left"
if [ "$_now" = up ] && [ "$_downs$_acts" = 00 ] && \
    [ "$CLEARED" = 0 ] && [ "$DROPS" = 0 ] && [ "$_left" = "1/2 1/2" ] && \
    [ "$_rekeys" -ge $((SWAN_MINUTES / 2)) ] && [ "$_sent" -gt 0 ]; then
	row ok "$_f"
else
	row FAILED "$_f; netwatchd's state: $_now; capture drops $DROPS"
fi
gw_stop seattle
gw_stop boise
end_part
