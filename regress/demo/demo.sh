# SPDX-License-Identifier: ISC
#
# The story of the demo, steps 0 to 7; run.sh brings a kernel.  One plain line
# a step, each with what was observed; the first step that was not observed ends
# it with status 1.

set -u
. "$TOP/regress/kernel/lib.sh"
. "$TOP/regress/demo/site.sh"
BREAK=${DEMO_BREAK-}

say() { printf 'step %s  %s\n' "$STEP" "$*"; }

# fail TEXT: the step was not observed; what the logs say last
fail() {
	printf 'step %s  FAILED: %s\n' "$STEP" "$*"
	for _g in seattle boise; do
		for _l in iked netwatchd; do
			[ -s "$OUT/$_g/$_l.log" ] || continue
			printf '    %s, %s says last:\n' "$_g" "$_l"
			tail -n 5 "$OUT/$_g/$_l.log" | sed 's/^/        /'
		done
	done
	echo "logs and captures: $OUT"
	site_end
	exit 1
}

# Policies between the two nets that this gateway's kernel holds: "out in fwd"
traps() {
	on "$1" ip xfrm policy | awk -v l="$2" -v r="$3" '
	/^src/ { s = $2; d = $4 }
	$1 == "dir" && s == l && d == r && $2 == "out" { out = 1 }
	$1 == "dir" && s == r && d == l && $2 == "in" { in_ = 1 }
	$1 == "dir" && s == r && d == l && $2 == "fwd" { fwd = 1 }
	END { print (out ? "out" : "") (in_ ? " in" : "") (fwd ? " fwd" : "") }'
}

# first TAG IF FILTER: when the first such packet was seen, in ms since 1970
first() { cap_lines "$1" "$2" "$3" | awk 'NR == 1 { printf "%.1f\n", $1 * 1000 }'; }
# less A B: A - B in ms
less() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.0f\n", a - b }'; }

# ---- 0: the control ------------------------------------------------------

clear_answered() { [ "$(cap_lines control toseattle "src net $LAN_BOISE" | wc -l)" -ge 3 ]; }
step_0() {
	STEP=0
	[ "$BREAK" = nofwd ] && on boise sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'
	cap_start control core toseattle toboise || fail "no capture"
	_r=$(on alice ping -n -c 3 -i 0.2 -W 1 10.2.0.10 | sed -n 's/.* \([0-9]*\) received.*/\1/p')
	on alice ping -n -q -c 1 -W 1 203.0.113.1 >/dev/null ||
	    fail "the host behind Seattle does not reach the Internet"
	wait_for 2 clear_answered
	_q=$(cap_lines control toseattle "src net $LAN_SEATTLE and dst net $LAN_BOISE" | wc -l)
	_a=$(cap_lines control toseattle "src net $LAN_BOISE and dst net $LAN_SEATTLE" | wc -l)
	_m=$(cap_lines control toseattle "src host $WAN_SEATTLE and dst host 203.0.113.1" | wc -l)
	_d=$(cap_stop control)
	[ "$_d" = 0 ] || fail "the capture dropped $_d packets"
	[ "$_q" -ge 3 ] || fail "the capture saw $_q of 3 clear pings: it would not see a leak"
	[ "${_r:-0}" = 3 ] || fail "no way between the hosts: $_q pings seen in clear," \
	    "${_r:-0} answered (forwarding?)"
	[ "$_m" -ge 1 ] || fail "Seattle does not masquerade"
	say "control, before iked: 3 pings alice -> bob, the router's capture sees" \
	    "$_q requests and $_a replies in clear; Seattle masquerades ($NAT_BY)"
}

# ---- 1: the traps --------------------------------------------------------

step_1() {
	STEP=1
	cap_start wan core toseattle toboise || fail "no capture"
	seattle_conf $KEY
	boise_conf $KEY
	[ "$BREAK" = wrongkey ] && boise_conf $OTHER
	iked_start boise || fail "iked on boise does not start"
	iked_start seattle || fail "iked on seattle does not start"
	if [ "$BREAK" = notrap ]; then
		ctl seattle flush
		ctl boise flush
	fi
	_ts=$(traps seattle $LAN_SEATTLE $LAN_BOISE)
	_tb=$(traps boise $LAN_BOISE $LAN_SEATTLE)
	on alice ping -n -q -c 1 -W 1 10.2.0.10 >/dev/null
	on bob ping -n -q -c 1 -W 1 10.1.0.10 >/dev/null
	sleep 0.2
	_c=$(cap_count wan "$CLEAR")
	[ "$_c" = 0 ] || fail "$_c clear packets between the LANs on the router" \
	    "(traps on seattle: ${_ts:-none}; on boise: ${_tb:-none})"
	[ "$_ts" = "out in fwd" ] && [ "$_tb" = "out in fwd" ] ||
	    fail "traps on seattle: ${_ts:-none}; on boise: ${_tb:-none}; wanted: out in fwd"
	# The first ping may have brought the tunnel up; away with it.
	sleep 1
	tunnel_down
	# A ping with the gateway's own address is no business of the tunnel: it
	# goes in clear, raises nothing.  That is why netwatchd picks its source.
	on seattle ping -n -q -c 2 -i 0.2 -W 1 -I $WAN_SEATTLE 10.2.0.10 >/dev/null
	_w=$(cap_lines wan toseattle "src host $WAN_SEATTLE and dst net $LAN_BOISE and icmp" | wc -l)
	no_sa || fail "a ping from $WAN_SEATTLE brought the tunnel up"
	[ "$_w" = 2 ] || fail "2 pings from $WAN_SEATTLE, seen in clear: $_w"
	say "both iked run: traps out, in, fwd on both sides; the same ping is seen by" \
	    "nobody ($_c in clear, either way); 2 pings from the WAN address $WAN_SEATTLE" \
	    "pass it by ($_w in clear, no SA)"
}

# ---- 2: on demand --------------------------------------------------------

step_2() {
	STEP=2
	cap_start alice alice lan || fail "no capture"
	if [ "$BREAK" = wrongsource ]; then
		ping_start demand seattle $WAN_SEATTLE 10.2.0.10 0.01
	else
		ping_start demand alice 10.1.0.10 10.2.0.10 0.01
	fi
	wait_for 15 both_up || {
		ping_stop demand
		fail "no tunnel 15 s after the first ping: seattle is $(tunnel_field seattle state)," \
		    "boise is $(tunnel_field boise state)"
	}
	wait_for 10 ping_back demand 0 20 || fail "the tunnel is up, but the hosts' pings are not answered"
	ping_stop demand
	on bob ping -n -q -c 3 -i 0.2 -W 1 10.1.0.10 >/dev/null ||
	    fail "bob's pings to alice are not answered"
	_q=$(first alice lan "icmp[0] = 8 and src host 10.1.0.10")
	_a=$(first alice lan "icmp[0] = 0 and dst host 10.1.0.10")
	cap_stop alice >/dev/null
	_wake=$(tunnel_field seattle wake)
	[ "$_wake" = acquire ] || fail "the tunnel is up, but show says it was woken by $_wake"
	_o=$(cap_lines wan toseattle "src host $WAN_SEATTLE and esp" | wc -l)
	_i=$(cap_lines wan toseattle "src host $WAN_BOISE and esp" | wc -l)
	[ "$_o" -gt 0 ] && [ "$_i" -gt 0 ] || fail "ESP packets seen: $_o to Boise, $_i to Seattle"
	DEMAND_MS=$(less "$_a" "$_q")
	say "on demand: alice's ping raised ACQUIRE, first reply $DEMAND_MS ms after the" \
	    "first probe (probes 10 ms apart); $(ping_replies demand) replies;" \
	    "ESP seen: $_o to Boise, $_i back; show says: $_wake"
}

# ---- 3: netwatchd --------------------------------------------------------

watch_up() {
	[ "$(ctl seattle show keepalive -j | field state)" = up ] && tunnel_is seattle up
}
step_3() {
	STEP=3
	tunnel_down
	# Its replies are seen on Seattle's own side, once ESP is off them.
	cap_start inner seattle wan || fail "no capture"
	stamp netwatchd
	netwatchd_start seattle
	wait_for 20 watch_up || fail "netwatchd has no tunnel after 20 s: seattle is" \
	    "$(tunnel_field seattle state), keepalive is $(ctl seattle show keepalive -j | field state)"
	_a=$(first inner wan "icmp[0] = 0 and src net $LAN_BOISE and dst host 10.1.0.1")
	cap_stop inner >/dev/null
	[ -n "$_a" ] || fail "no reply to a probe from 10.1.0.1 was seen"
	_wake=$(tunnel_field seattle wake)
	[ "$_wake" = keepalive ] || fail "the tunnel was woken by $_wake, not by netwatchd"
	WATCH_MS=$(less "$_a" "$(stamp_ms netwatchd)")
	say "after down, netwatchd alone: tunnel up, first reply $WATCH_MS ms after netwatchd" \
	    "was started; source $(ctl seattle show keepalive -j | field source) chosen by itself;" \
	    "show says: $_wake"
}

# ---- 4: both sides agree -------------------------------------------------

step_4() {
	STEP=4
	ctl seattle show sa -j >"$W/sa.seattle"
	ctl boise show sa -j >"$W/sa.boise"
	_si=$(field spi_in <"$W/sa.seattle") _so=$(field spi_out <"$W/sa.seattle")
	_bi=$(field spi_in <"$W/sa.boise") _bo=$(field spi_out <"$W/sa.boise")
	[ -n "$_si" ] && [ "$_si" = "$_bo" ] && [ "$_so" = "$_bi" ] ||
	    fail "SPIs do not mirror: seattle in $_si out $_so, boise in $_bi out $_bo"
	[ "$(field local <"$W/sa.seattle")" = "$(field remote <"$W/sa.boise")" ] &&
	    [ "$(field remote <"$W/sa.seattle")" = "$(field local <"$W/sa.boise")" ] ||
	    fail "addresses do not mirror"
	_hops=$(on seattle traceroute -I -n -q 1 -w 2 -m 5 -s 10.1.0.1 10.2.0.1 2>/dev/null |
	    grep -c '^ *[0-9]')
	[ "$_hops" = 1 ] || fail "traceroute from 10.1.0.1 shows $_hops hops, not 1"
	for _g in seattle boise; do
		ctl $_g show >"$OUT/$_g/show.txt"
		ctl $_g show all >"$OUT/$_g/show-all.txt"
		LC_ALL=C.UTF-8 ctl $_g show -g >"$OUT/$_g/show-g.txt"
	done
	say "mirror: seattle in $_si out $_so, boise in $_bi out $_bo; addresses too;" \
	    "traceroute -s 10.1.0.1 10.2.0.1: 1 hop"
	for _g in seattle boise; do
		sed "s/^/    $_g: /" "$OUT/$_g/show.txt"
	done
}

# ---- 5: Boise dies -------------------------------------------------------

step_5() {
	STEP=5
	outage killed-watched slay_and_start
	_a=$OUTAGE
	prog_stop NETWATCHD seattle
	outage killed-unwatched slay_and_start
	_b=$OUTAGE
	outage killed-ike slay_ike
	_c=$OUTAGE
	say "Boise killed (SIGKILL, all processes) and started again, Seattle untouched:" \
	    "outage $_a ms with netwatchd, $_b ms without; only its ike process killed: $_c ms"
	OUTAGES="$_a $_b $_c"
}

# ---- 6: two different secrets --------------------------------------------

says() { grep -h "$2" "$OUT/$1/iked.log" | tail -n 1 | grep .; }
step_6() {
	STEP=6
	prog_stop IKED seattle
	prog_stop IKED boise
	: >"$OUT/seattle/iked.log"
	: >"$OUT/boise/iked.log"
	seattle_conf $KEY
	boise_conf $OTHER
	iked_start boise || fail "iked on boise does not start"
	iked_start seattle || fail "iked on seattle does not start"
	ping_start secrets alice 10.1.0.10 10.2.0.10 0.2
	wait_for 15 says seattle AUTHENTICATION_FAILED
	wait_for 5 says boise 'does not verify'
	ping_stop secrets
	_r=$(ping_replies secrets)
	_s=$(says seattle 'AUTHENTICATION_FAILED.*differ.*make "psk" equal')
	_b=$(says boise 'does not verify.*secrets differ.*make "psk"')
	[ -n "$_s" ] || fail "Seattle's log does not say what is wrong"
	[ -n "$_b" ] || fail "Boise's log does not say what is wrong"
	! tunnel_is seattle up && [ "$_r" = 0 ] && no_sa || fail "a tunnel with two different secrets"
	say "$KEY and $OTHER: no tunnel, $_r of $(ping_sent secrets) pings answered"
	printf '    seattle: %s\n    boise:   %s\n' "$_s" "$_b"
	ctl seattle show tunnels | sed 's/^/    seattle: /'
}

# ---- 7: the sum ----------------------------------------------------------

step_7() {
	STEP=7
	prog_stop IKED seattle
	prog_stop IKED boise
	on alice ping -n -q -c 2 -i 0.2 -W 1 10.2.0.10 >/dev/null	# traps outlive them
	_c=$(cap_count wan "$CLEAR")
	_e=$(cap_lines wan toseattle esp | wc -l)
	_d=$(cap_stop wan)
	[ "$_d" = 0 ] || fail "the capture dropped $_d packets, so nothing is proved"
	[ "$_c" = 0 ] || fail "$_c packets between the LANs in clear since step 1"
	say "since step 1, with iked stopped at the end too: $_c packets between the LANs in" \
	    "clear on the router, $_e ESP packets; capture drops: $_d"
}

case $KERNEL_KIND in
host)	echo "demo on this machine's own kernel, Linux $(uname -r)" ;;
*)	echo "demo on user-mode Linux $(uname -r) (this machine's own kernel cannot add an ESP SA)" ;;
esac
[ -z "$BREAK" ] || echo "broken on purpose: $BREAK"
STEP=-
users_make
site_make && site_masquerade || fail "the network cannot be made"
for step in 0 1 2 3 4 5 6 7; do
	step_$step
done
site_end
echo "demo: every step was observed"
