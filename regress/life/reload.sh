# SPDX-License-Identifier: ISC
#
# Reload under traffic: ikeep on both ends, COUNT tunnels (1000) from Seattle's net to as
# many hosts of Boise's, as Children of one IKE SA (one) and with an IKE SA each (peers).
# A flow goes through FLOWS (240) of them, another one through ten others.  Then, first on
# Seattle and then on Boise: those ten get another lifetime or cipher; a file with a mistake,
# the same file, SIGHUP; those ten go and ten others come.  The SAs of all the others stay, which
# is looked up in the kernel, and their counters say what the flow says, or what they said
# before where there is none.  (Through all of them it would be the counters that iked reads
# twice a second where packets pass that keep user-mode Linux busy.)
#
# rotation: the secret of PEERS peers (20) is changed in the way of iked.conf(5), under a
# flow through all but a fifth of them.  Those are witnesses: after each step a tunnel of
# them is reset from either side, so that IKE_AUTH shows which secrets are good there.
#
# taken: another program flushes Seattle's policies again and again.

set -u
PART=reload
. "$TOP/regress/life/life.subr"
. "$TOP/regress/kernel/flow.subr"
CASES=${CASES:-one peers rotation taken}
COUNT=${COUNT:-$(n 1000 100)}
FLOWS=${FLOWS:-$(n 240 60)}
PEERS=${PEERS:-20}
RATE=${RATE:-400}
HOSTNET=10.64.0.0/16
TEN=10
OLD='psk "Wz7mQ2xK9vLr4TbN8cHd, of before"'
NEW='psk "pY3kD6sGq1XeJ5wUa0Rf, from now on"'
# and what goes to one of those hosts in clear
CLEAR="$CLEAR or (src net $LAN_SEATTLE and dst net $HOSTNET) or (src net $HOSTNET and dst net $LAN_SEATTLE)"

# host N: the address of that tunnel
host() { echo "10.64.$((($1 + 1) / 256)).$((($1 + 1) % 256))"; }
# tunnels GW FIRST END EVEN ODD PSK: the statements from FIRST to before END; EVEN and ODD
# are more words for each second one.  Where IDS is set each has a peer of its own.
IDS='' SEATTLES=active BOISES=passive
tunnels() {
	awk -v g="$1" -v mode="$([ "$1" = seattle ] && echo $SEATTLES || echo $BOISES)" \
	    -v i="$2" -v end="$3" -v even="$4" -v odd="$5" -v psk="$6" -v ids="$IDS" \
	    -v lan="$LAN_SEATTLE" -v s="$WAN_SEATTLE" -v b="$WAN_BOISE" 'BEGIN {
		for (; i < end; i++) {
			h = "10.64." int((i + 1) / 256) "." (i + 1) % 256
			sid = ids ? "srcid t" i "." g ".example dstid t" i "." \
			    (g == "boise" ? "seattle" : "boise") ".example " : ""
			printf "ikev2 \"t%d\" %s esp from %s to %s local %s peer %s %s%s %s\n", i,
			    mode, g == "boise" ? h : lan, g == "boise" ? lan : h,
			    g == "boise" ? b : s,
			    g == "boise" ? s : b, sid, i % 2 ? odd : even, psk
		}
	}'
}
first_file() { tunnels "$1" 0 "$COUNT" "" "" "$OLD" | conf_write "$1"; }
ten_changed() {
	{
		tunnels "$1" 0 $TEN "lifetime 20m" "childsa enc aes-256-gcm" "$OLD"
		tunnels "$1" $TEN "$COUNT" "" "" "$OLD"
	} | conf_write "$1"
}
ten_others() { tunnels "$1" $TEN $((COUNT + TEN)) "" "" "$OLD" | conf_write "$1"; }

# How many ESP SAs there are in the kernel's table, without listing them
ups() { on "$1" ip xfrm state count | sed -n 's/.*SAD count \([0-9]*\).*/\1/p'; }
# SAs_are N: on both, and none larval
sas_are() { [ "$(ups seattle)" = "$1" ] && [ "$(ups boise)" = "$1" ]; }

# cpu GW: "role ms" of each process so far
cpu() {
	for _p in $(iked_pids "$1"); do
		_role=$(tr '\0' '\n' <"/proc/$_p/cmdline" | sed -n '/^-P$/{n;p;}; s/^-P\(..*\)/\1/p')
		echo "${_role:-parent} $(cat "/proc/$_p/task/"*/schedstat |
		    awk '{ ns += $1 } END { printf "%.0f", ns / 1000000 }')"
	done
}
# cpu_from GW: remembers; cpu_since GW: what each took since then, in words
cpu_from() { cpu "$1" >"$W/$1/cpu"; }
cpu_since() {
	cpu "$1" | awk 'NR == FNR { was[$1] = $2; next }
	    { printf "%s%s %d", n++ ? ", " : "", $1, $2 - was[$1] }' "$W/$1/cpu" -
}
cpu_ike() { cpu_since "$1" | sed -n 's/.*ike \([0-9]*\).*/\1/p'; }

# snap GW FILE: "tunnel ike-spi spi-in spi-out packets-in packets-out", sorted; the last two
# are the kernel's
snap() {
	on "$1" ip -s xfrm state | awk '/ spi 0x/ { sub(/.* spi /, ""); sub(/\(.*/, ""); spi = $0 }
	    /^[ \t]*[0-9]+\(bytes\), / && spi { sub(/.*, /, ""); sub(/\(.*/, ""); print spi, $1; spi = "" }' \
	    >"$W/$1/packets"
	ctl "$1" show tunnels -j | sed -n 's/^ *"\(tunnel\|ike_spi\|spi_in\|spi_out\)": "\(.*\)".*/\1 \2/p' |
	    awk 'NR == FNR { p[$1] = $2; next }
	    { f[$1] = $2 }
	    $1 == "ike_spi" { print f["tunnel"], f["ike_spi"], f["spi_in"], f["spi_out"],
		p[f["spi_in"]] + 0, p[f["spi_out"]] + 0 }' "$W/$1/packets" - | sort >"$2"
}
# same FILE FILE: how many of the tunnels of the second have in the first other SPIs, or a
# counter that has gone back; of those from TEN to COUNT
differ() {
	awk -v ten=$TEN -v end="$COUNT" '{ i = substr($1, 2) + 0 }
	    i < ten || i >= end { next }
	    NR == FNR { s[i] = $2 " " $3 " " $4; in_[i] = $5; out[i] = $6; n++; next }
	    s[i] != $2 " " $3 " " $4 || $3 ~ /^0x0*$/ || $5 < in_[i] || $6 < out[i] { bad++ }
	    { m++ }
	    END { print n == end - ten && m == n ? bad + 0 : "all" }' "$1" "$2"
}
# counted TAG GW FILE FILE: of how many of them the counters have moved by something else
# than alice's lines of the flow say (all arrived, so both ways are the same)
counted() {
	awk -v ten=$TEN -v end="$COUNT" -v gw="$2" '
	FNR == 1 { file++ }
	file == 1 && /^host/ { sent[$2 + ten] = $4; got[$2 + ten] = $6 }
	file == 2 { i = substr($1, 2) + 0; in_[i] = $5; out[i] = $6 }
	file == 3 { i = substr($1, 2) + 0
		if (i >= ten && i < end && (in_[i] + (gw == "seattle" ? got[i] : sent[i]) != $5 ||
		    out[i] + (gw == "seattle" ? sent[i] : got[i]) != $6))
			bad++ }
	END { print bad + 0 }' "$W/flow.$1.alice" "$3" "$4"
}
# dropped FILE: what the kernels have counted as dropped, one a line: the IPsec of the
# gateways, the sockets of the ends, and the guest's own queue of all
dropped() {
	{
		for _g in seattle boise; do
			on $_g sed "s/^Xfrm/$_g Xfrm/" /proc/net/xfrm_stat
		done
		for _g in alice bob; do
			on $_g awk -v g=$_g '/^Udp:/ && $2 ~ /^[0-9]/ { print g, "UdpInErrors", $4 }' /proc/net/snmp
		done
		awk '{ print "guest queue 0x" $2 }' /proc/net/softnet_stat
	} >"$1"
}
drops_since() { diff "$1" "$2" | sed -n 's/^> //p' | tr '\n' ' '; }
same_all() { echo $(($(differ "$W/seattle/$1" "$W/seattle/$2") + $(differ "$W/boise/$1" "$W/boise/$2"))); }

# reloaded GW: by command; TOOK ms
reloaded() {
	now
	_t0=$NOW
	_used=$(grep -c "$USED" "$OUT/$1/iked.log")
	if ! ctl "$1" reload >"$OUT/$1/reload.txt" 2>&1; then
		# ipsecctl waits for 10 s, which a guest in the queue for a processor may need
		grep -q 'no answer from iked' "$OUT/$1/reload.txt" &&
		    wait_for 60 told "$1" "$USED" "$_used" ||
		    fail "reload on $1: $(head -n 1 "$OUT/$1/reload.txt")"
	fi
	now
	TOOK=$((NOW - _t0))
}
# under WHAT COMMAND...: a flow through FLOWS of the other tunnels, and what it says of them.
# More words for the row are left in SAYS, and WRONG is set by what went wrong there.
under() {
	_what=$1
	shift
	SAYS= WRONG=
	for _g in seattle boise; do
		snap $_g "$W/$_g/before"
	done
	dropped "$W/dropped"
	many_start rest 7777 "$RATE" "$(host $TEN)" "$FLOWS" ||
	    fail "no flow"
	sleep 2
	cpu_from seattle
	cpu_from boise
	"$@"
	sleep 2
	many_stop rest || fail "a flow has not come to its end"
	_lost=$LOST _sent=$SENT _losers=$LOSERS _gap=$GAP
	for _g in seattle boise; do
		snap $_g "$W/$_g/after"
	done
	_differ=$(same_all before after)
	[ "$_differ" = 0 ] || for _g in seattle boise; do
		cp "$W/$_g/before" "$W/$_g/after" "$OUT/$_g"
	done
	_counted=$(($(counted rest seattle "$W/seattle/before" "$W/seattle/after") +
	    $(counted rest boise "$W/boise/before" "$W/boise/after")))
	_f="of the other $((COUNT - TEN)) $_differ with other SPIs, $_counted with counters that do not fit; lost in the $FLOWS with a flow $_lost of $_sent packets, in $_losers tunnels; longest silence of all $_gap ms"
	[ "$_lost" = 0 ] || {
		dropped "$W/dropped.now"
		_f="$_f (dropped by kernels: $(drops_since "$W/dropped" "$W/dropped.now"))"
	}
	_v=ok
	[ "$_differ$_counted$_lost" = 000 ] && [ -z "$WRONG" ] || _v=FAILED
	row $_v "$_what: $_f$SAYS${WRONG:+; WRONG: $WRONG}"
}

# --- the steps --------------------------------------------------------------

# The SPIs of the ten are others on both sides, and two SAs each are there
ten_anew() {
	sas_are $((2 * COUNT)) || return 1
	for _g in seattle boise; do
		snap $_g "$W/$_g/now"
		awk -v ten=$TEN '{ i = substr($1, 2) + 0 } i >= ten { next }
		    NR == FNR { s[i] = $3; next }
		    $3 != s[i] && $3 !~ /^0x0*$/ { n++ }
		    END { exit n != ten }' "$W/$_g/before" "$W/$_g/now" || return 1
	done
}
# renewed COUNT: so many new keys of the ten have been told of on Seattle
renewed() { [ "$(grep -c '"event":"rekey","tunnel":"t[0-9]"' "$W/monitor")" -ge "$1" ]; }
# renewed_in FROM: how long after that moment (ms since 1970) the last of the ten had them
renewed_in() {
	sed -n 's/.*"time_ms":\([0-9]*\),"event":"rekey","tunnel":"t\([0-9]\)".*/\1 \2/p' "$W/monitor" |
	    awk -v from="$1" '$1 >= from && !($2 in t) { t[$2] = $1; n++; if ($1 > max) max = $1 }
	    END { if (n == 10) printf "%.0f ms", max - from; else printf "never (%d of them)", n }'
}
# ipsecctl waits for 10 s, which may be too short here: see reloaded
planned() { ctl seattle reload -n >"$OUT/plan.txt" 2>&1; }
change_ten() {
	many_start ten 7778 100 "$(host 0)" $TEN || fail "no flow"
	: >"$W/monitor"
	spawn seattle "$W/monitor" "$BIN/ipsecctl" monitor -j
	_monitor=$SPAWNED
	sleep 2
	ten_changed seattle
	wait_for 60 planned || WRONG="reload -n: $(head -n 1 "$OUT/plan.txt")"
	_plan="$(wc -l <"$OUT/plan.txt") lines, the last: $(tail -n 1 "$OUT/plan.txt")"
	_from=$(date +%s%3N)
	reloaded seattle
	_s=$TOOK
	wait_for 60 renewed 10
	SAYS="; reload on Seattle in $_s ms, all ten with new SAs in $(renewed_in "$_from")"
	ten_changed boise
	_from=$(date +%s%3N)
	reloaded boise
	_b=$TOOK
	wait_for 60 renewed 20
	SAYS="$SAYS; on Boise in $_b ms and $(renewed_in "$_from")"
	wait_for 60 ten_anew || WRONG="the ten have not got new SAs: $(ups seattle) and $(ups boise) SAs"
	SAYS="$SAYS; CPU in all that time, ms: Seattle $(cpu_since seattle); Boise $(cpu_since boise)"
	sleep 2
	many_stop ten || fail "the flow of the ten has not come to its end"
	kill "$_monitor"
	cp "$W/monitor" "$OUT/seattle/monitor"
	TEN_SAYS="$LOST of $SENT packets of the ten lost, longest silence $GAP ms"
	[ "$LOST" = 0 ] || WRONG="${WRONG:+$WRONG, }$TEN_SAYS"
	SAYS="$SAYS; $TEN_SAYS; reload -n: $_plan"
}
told() { [ "$(grep -c "$2" "$OUT/$1/iked.log")" -gt "$3" ]; }
STAYS='the configuration in use stays'
bad_file() {
	for _g in seattle boise; do
		cp "$W/$_g/iked.conf" "$W/$_g/good"
		{ cat "$W/$_g/good"; echo 'ikev2 "broken" frm 10.0.0.0/8'; } | conf_write $_g
		_n=$(grep -c "$STAYS" "$OUT/$_g/iked.log")
		ctl $_g reload >"$OUT/$_g/bad.txt" 2>&1 && WRONG="$_g takes a bad file"
		eval "kill -HUP \$IKED_$_g"
		wait_for 20 told $_g "$STAYS" "$((_n + 1))" || WRONG="$_g says nothing of a bad file"
	done
	SAYS="; $(sed 's,^[^:]*/,,' "$OUT/seattle/bad.txt" | head -n 1)"
	for _g in seattle boise; do
		conf_write $_g <"$W/$_g/good"
	done
}
hang_up() {
	for _g in seattle boise; do
		_n=$(grep -c "$USED" "$OUT/$_g/iked.log")
		eval "kill -HUP \$IKED_$_g"
		wait_for 20 told $_g "$USED" "$_n" || WRONG="$_g does not say that the file is in use"
	done
}
USED='configuration in use'
others_up() {
	sas_are $((2 * COUNT)) || return 1
	snap seattle "$W/seattle/now"
	[ "$(awk -v c="$COUNT" 'substr($1, 2) + 0 >= c && $3 !~ /^0x0*$/' "$W/seattle/now" |
	    grep -c .)" = $TEN ]
}
other_ten() {
	ten_others seattle
	ten_others boise
	reloaded boise
	_b=$TOOK
	reloaded seattle
	wait_for 60 others_up || WRONG="the ten new ones are not up: $(ups seattle) and $(ups boise) SAs"
	now
	_up=$((NOW - _t0))
	on alice ping -n -q -c 3 -i 0.2 -W 2 "$(host "$COUNT")" >/dev/null || WRONG="no reply through an added one"
	SAYS="; reload in $TOOK and $_b ms, the ten new ones up in $_up ms; ike's CPU on Seattle $(cpu_ike seattle) ms, on Boise $(cpu_ike boise) ms"
}

# --- the cases --------------------------------------------------------------

all_up() {
	sas_are $((2 * COUNT)) && [ "$(ctl seattle show | sed -n 's/.*; \([0-9]*\) SAs*; .*/\1/p')" = "$COUNT" ]
}
start_all() {
	first_file boise
	first_file seattle
	KIND_seattle=ikeep KIND_boise=ikeep
	now
	_t0=$NOW
	gw_start boise
	now
	_t1=$NOW
	_stand="Boise $(cpu_all boise)"
	gw_start seattle
	now
	_t2=$NOW
	_stand="Seattle $(cpu_all seattle); $_stand"
	cpu_from seattle
	cpu_from boise
	[ $SEATTLES = active ] || for _i in $(seq 0 $((COUNT - 1))); do
		ctl seattle up "t$_i" || fail "up t$_i"
	done
	wait_for 600 all_up || fail "not all are up: $(ups seattle) and $(ups boise) SAs"
	now
	_t3=$NOW
	_up="Seattle $(cpu_since seattle); Boise $(cpu_since boise)"
	row ok "start: Boise's policies stand after $((_t1 - _t0)) ms, Seattle's $((_t2 - _t1)) ms later, and all $COUNT tunnels are up $((_t3 - _t2)) ms later; CPU, ms, until the policies stand: $_stand; from then on: $_up"
	sleep 5
	cpu_from seattle
	sleep 10
	row - "all up and nothing in them: CPU of Seattle in 10 s, ms: $(cpu_since seattle)"
}
cpu_all() { cpu "$1" | awk '{ printf "%s%s %d", n++ ? ", " : "", $1, $2 }'; }
# The rate that this machine carries through so many tunnels without any reload
quiet_rate() {
	for RATE in $RATE 200 100; do
		many_start still 7777 "$RATE" "$(host $TEN)" "$FLOWS" ||
		    fail "no flow"
		sleep 6
		many_stop still || fail "a flow has not come to its end"
		[ "$LOST" != 0 ] || return 0
	done
}
thousand() {
	clear_start
	start_all
	quiet_rate
	under "ten get another lifetime or cipher" change_ten
	under "a bad file, by command and SIGHUP" bad_file
	under "SIGHUP with the same file" hang_up
	under "ten go, ten others come" other_ten
	clear_end
	[ "$CLEARED" = 0 ] && [ "$DROPS" = 0 ] && row ok "clear: none in all that time" ||
	    row FAILED "$CLEARED packets in clear; capture drops $DROPS"
}
case_one() {
	CASE="$COUNT tunnels of one peer" IDS=
	thousand
}
case_peers() {
	CASE="$COUNT tunnels with $COUNT peers" IDS=1
	thousand
}

# --- the secret -------------------------------------------------------------

# step NAME SEATTLE BOISE [GW]: it gets the file that has these secrets, and the two witnesses
# of this step are made anew, one by either side
STEP=0
anew() {	# TUNNEL IKE-SPI: up on both sides, on another IKE SA
	for _g in seattle boise; do
		snap $_g "$W/$_g/now"
	done
	cat "$W/seattle/now" "$W/boise/now" | awk -v t="$1" -v was="$2" '
	    $1 == t && $2 != was && $3 !~ /^0x0*$/ { n++; ike[$2]; }
	    END { for (i in ike) k++; exit !(n == 2 && k == 1) }'
}
ike_spi() { awk -v t="$1" '$1 == t { print $2 }' "$W/seattle/now"; }
refused() { grep -c 'next try is with the old secret' "$OUT/$1/iked.log"; }
step() {
	_name=$1 _took=
	tunnels seattle 0 "$PEERS" "" "" "$2" | conf_write seattle
	tunnels boise 0 "$PEERS" "" "" "$3" | conf_write boise
	shift 3
	for _on; do
		reloaded "$_on"
		_took=$TOOK
	done
	sleep 1
	_made=
	for _by in seattle boise; do
		_t=t$STEP _w=$(refused $_by)
		anew "$_t" ""
		_was=$(ike_spi "$_t")
		now
		_t0=$NOW
		ctl $_by reset "$_t" || WRONG="reset $_t on $_by"
		wait_for 20 anew "$_t" "$_was" || WRONG="${WRONG:+$WRONG, }$_name: $_t is not up again, begun by $_by"
		now
		_r=$(($(refused $_by) - _w))
		# who is called knows the old secret alone when the new one was refused
		[ $_r = "$([ "$_name$_by" = both,oldseattle ] && echo 1 || echo 0)" ] ||
		    WRONG="${WRONG:+$WRONG, }$_name: $_r refusals, begun by $_by"
		_made="$_made${_made:+, }by $_by in $((NOW - _t0)) ms with the $([ $_r = 0 ] && echo "$SECRET" || echo old) one"
		STEP=$((STEP + 1))
	done
	SAYS="$SAYS; $_name${_took:+ (reload $_took ms)}: $_made"
}
rotate() {
	SECRET=old
	step old,old "$OLD" "$OLD"
	SECRET=new
	step both,old "$NEW $OLD until 2099-12-31" "$OLD" seattle
	step both,both "$NEW $OLD until 2099-12-31" "$NEW $OLD until 2099-12-31" boise
	step new,both "$NEW" "$NEW $OLD until 2099-12-31" seattle
	step new,new "$NEW" "$NEW" boise
}
case_rotation() {
	CASE="the secret is changed" IDS=1
	COUNT=$PEERS TEN=10 FLOWS=$((PEERS - TEN)) SEATTLES=ondemand BOISES=ondemand
	start_all
	under "$((PEERS - TEN)) tunnels carry the flow, $TEN are witnesses" rotate
}

# --- another program --------------------------------------------------------

# "ip xfrm policy flush" under a flow: what is lost, and what leaves in clear until the
# policies stand again.
TAKEN='another program took away'
case_taken() {
	CASE="another program flushes the policies" IDS=
	COUNT=20 TEN=0
	start_all
	snap seattle "$W/seattle/before"
	clear_start
	many_start taken 7777 1000 "$(host 0)" $COUNT || fail "no flow"
	sleep 1
	WRONG=
	for _i in $(seq 0 9); do
		on seattle ip xfrm policy flush
		wait_for 10 told seattle "$TAKEN.*\[policy-taken\]" "$_i" || WRONG="nobody says it"
		sleep 1.5
	done
	many_stop taken || fail "the flow has not come to its end"
	clear_end
	snap seattle "$W/seattle/after"
	_d=$(differ "$W/seattle/before" "$W/seattle/after")
	_v=ok
	[ "$_d" = 0 ] && [ -z "$WRONG" ] || _v=FAILED
	row $_v "ten times under 1000 packets/s each way: $LOST of $SENT packets lost, longest silence $GAP ms; $CLEARED in clear; $_d of $COUNT tunnels with other SPIs${WRONG:+; $WRONG}"
}

begin
hosts_make $HOSTNET || fail "no hosts behind Boise"
for _case in $CASES; do
	CASE=$_case
	case_"$_case"
	gw_stop seattle
	gw_stop boise
done
end_part
