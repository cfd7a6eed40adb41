# SPDX-License-Identifier: ISC
#
# Seattle and Boise with one thing wrong, in many ways: does what the operator looks at
# name it, and is all of it true?  For each side the default logs (iked's, and netwatchd's
# where it runs), ipsecctl show and show keepalive, ipsecctl doctor, and ipsecctl diff of
# both files; break.data says what each has to say, and of every cause that is ever said
# in which cases it is true.  Seattle is on demand with keepalive, as in README, and alice
# pings; Boise is passive.

set -u
PART=break
. "$TOP/regress/life/life.subr"
DATA=$TOP/regress/life/break.data
ALL=$(sed -n 's/^\([a-z0-9-]*\) seattle	.*/\1/p' "$DATA")
CASES=${CASES:-$(n "$ALL" "secret ike-enc nets dead esp")}
LONG=25	# s: a request is given up
TAB=$(printf '\t')

# ---- the two files, each word of which a case may change ----
reset_words() {
	A_MODE=ondemand A_KIND=tunnel A_FROM=$LAN_SEATTLE A_TO=$LAN_BOISE A_LOCAL=$WAN_SEATTLE
	A_PEER=$WAN_BOISE A_MORE= A_PSK="the secret of both the offices" A_END=keepalive
	B_MODE=passive B_KIND=tunnel B_FROM=$LAN_BOISE B_TO=$LAN_SEATTLE B_LOCAL=$WAN_BOISE
	B_PEER=$WAN_SEATTLE B_MORE= B_PSK=$A_PSK B_END=
	BEFORE=: AFTER=: NOA= NOB= WAIT=6 UPFIRST= PINGER="alice $ALICE $BOB" A_TWIN= B_SWAN=
}
words_write() {
	conf_write seattle <<-CONF
	ikev2 "boise" $A_MODE $A_KIND esp from $A_FROM to $A_TO \\
		local $A_LOCAL peer $A_PEER $A_MORE \\
		psk "$A_PSK" $A_END
	$A_TWIN
	CONF
	conf_write boise <<-CONF
	ikev2 "seattle" $B_MODE $B_KIND esp from $B_FROM to $B_TO \\
		local $B_LOCAL peer $B_PEER $B_MORE \\
		psk "$B_PSK" $B_END
	CONF
}

# ---- what stands between them: rules on HOST, with what is taken away again ----
# rule HOST CHAIN MATCH VERDICT
# By iptables, where a kernel (Debian's user-mode-linux) has no nftables.
rule() {
	for _m in ip_tables iptable_filter xt_tcpudp ipt_REJECT; do
		modprobe -q -d /run/m $_m 2>/dev/null
	done
	case $3 in
	"udp dport "*) _match="-p udp --dport ${3##* }" ;;
	*)	_match="-p ${3##* }" ;;
	esac
	# shellcheck disable=SC2086
	on "$1" iptables-legacy -A "$(echo "$2" | tr a-z A-Z)" $_match \
	    -j "$(echo "$4" | tr a-z A-Z)" 2>/dev/null ||
	    on "$1" nft -f - <<-RULES
	table ip broken {
		chain $2 {
			type filter hook $2 priority 0;
			$3 $4
		}
	}
	RULES
}
no_rules() {
	for _h in seattle core boise; do
		on $_h nft delete table ip broken 2>/dev/null
		on $_h iptables-legacy -F 2>/dev/null
	done
	on seattle iptables-legacy -t nat -F POSTROUTING 2>/dev/null
	:
}
masquerade() {
	# the Internet does not know the way to private addresses
	on core sh -c 'ip route del 10.1.0.0/24; ip route del 10.2.0.0/24'
	for _m in ip_tables iptable_nat xt_MASQUERADE; do
		modprobe -q -d /run/m $_m 2>/dev/null
	done
	on seattle iptables-legacy -t nat -A POSTROUTING -o wan -j MASQUERADE 2>/dev/null ||
	    on seattle nft -f - <<-RULES || fail "no masquerade"
	table ip broken {
		chain postrouting {
			type nat hook postrouting priority 100;
			oifname "wan" masquerade
		}
	}
	RULES
}
no_route() { on seattle ip route del default; }
cable_out() { on core ip link set toboise down; }
no_forward() { on seattle sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'; }
no_bob() { on bob ip addr del 10.2.0.10/24 dev lan; }
rekey() { ctl seattle rekey boise >/dev/null 2>&1; sleep 2; }
crash() { iked_slay boise; on boise ip xfrm state flush; }
no_sas() { on seattle ip xfrm state flush; }
no_policies() { on seattle ip xfrm policy flush; }
no_bobroute() { on bob ip route del default; }
wan_out() { on seattle ip link set wan down; }
# The way between is narrower than both ends believe, and who knows may not say so.
narrow() {
	on core sh -c 'ip link set toseattle mtu 1280; ip link set toboise mtu 1280'
	rule core output "ip protocol icmp" drop
}
no_chacha() {
	rmmod chacha20poly1305 2>/dev/null
	! modprobe -n -q chacha20poly1305 2>/dev/null || :
}
# A second way to the Internet, by which Seattle sends while the peer answers on the first.
two_ways() {
	link seattle wan2 192.0.3.1/24 core toseattle2 192.0.3.254/24 2>/dev/null
	on core sh -c 'ip addr replace 192.0.3.254/24 dev toseattle2; ip link set toseattle2 up
	    echo 0 >/proc/sys/net/ipv4/conf/toseattle2/rp_filter'
	on seattle sh -c 'ip addr replace 192.0.3.1/24 dev wan2; ip link set wan2 up
	    ip route replace default via 192.0.3.254
	    echo 1 >/proc/sys/net/ipv4/conf/wan/rp_filter'
}
# Another client has the only address.
client() {
	conf_write core <<-CONF
	ikev2 "boise" active esp from dynamic to $LAN_BOISE request address any iface lo \\
		local 203.0.113.1 peer $WAN_BOISE psk "$A_PSK"
	CONF
	iked_start core || fail "core does not start"
	wait_for 15 tunnel_is core up || fail "the other client gets no address"
}
clock_on() { date -s "@$(($(date +%s) + 3 * 86400))" >/dev/null; CLOCK=3; }
holder() {
	spawn boise "$W/holder.log" python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 500))
time.sleep(1000)'
	HOLDER=$SPAWNED
	wait_for 20 on boise grep -q ':01F4 ' /proc/net/udp
}
CLOCK=0
mend() {
	no_rules
	[ $CLOCK = 0 ] || date -s "@$(($(date +%s) - CLOCK * 86400))" >/dev/null
	CLOCK=0
	modprobe -q -d /run/m chacha20poly1305 2>/dev/null
	prog_stop IKED core
	gw_flush core
	on seattle sh -c 'ip link del wan2 2>/dev/null; ip link set wan up
	    ip route replace default via 192.0.2.254
	    echo 0 >/proc/sys/net/ipv4/conf/wan/rp_filter
	    echo 1 >/proc/sys/net/ipv4/ip_forward'
	on core sh -c 'ip link set toboise up mtu 1500; ip link set toseattle mtu 1500
	    ip route replace 10.1.0.0/24 via 192.0.2.1
	    ip route replace 10.2.0.0/24 via 198.51.100.1'
	on bob sh -c 'ip addr replace 10.2.0.10/24 dev lan; ip route replace default via 10.2.0.1'
	# who did not answer before is nobody's business any more
	on boise ip neigh flush dev lan
	on seattle ip neigh flush dev lan
	[ -z "${HOLDER-}" ] || { kill "$HOLDER"; wait "$HOLDER"; HOLDER=; } 2>/dev/null
	:
}

# (it may be down for a moment while netwatchd makes it anew)
mended() { tunnel_is seattle up && tunnel_is boise up; }

# prepare CASE
prepare() {
	reset_words
	gcm="prf hmac-sha2-256 group"
	case $1 in
	secret)	B_PSK="the secret of another office" ;;
	peer-a)	A_PEER=198.51.100.77 WAIT=$LONG ;;
	peer-b)	B_PEER=192.0.2.77 ;;
	srcid)	A_MORE="srcid salem.example" ;;
	dstid)	A_MORE="dstid nampa.example" ;;
	ike-enc) A_MORE="ikesa enc aes-128-gcm $gcm curve25519"
		B_MORE="ikesa enc aes-256-gcm $gcm curve25519" ;;
	ike-group) A_MORE="ikesa enc aes-256-gcm $gcm ecp256"
		B_MORE="ikesa enc aes-256-gcm $gcm modp2048" ;;
	child-enc) A_MORE="childsa enc aes-128-gcm" B_MORE="childsa enc aes-256-gcm" ;;
	pfs)	A_MORE="childsa enc aes-256-gcm"
		B_MORE="childsa enc aes-256-gcm group curve25519" UPFIRST=1 AFTER=rekey WAIT=2 ;;
	nets)	B_FROM=10.22.0.0/24 ;;
	mode)	A_FROM=$WAN_SEATTLE A_TO=$WAN_BOISE B_FROM=$WAN_BOISE B_TO=$WAN_SEATTLE
		B_KIND=transport A_END= PINGER="seattle $WAN_SEATTLE $WAN_BOISE" ;;
	dead)	NOB=1 WAIT=$LONG ;;
	udp500)	BEFORE="rule core forward udp-dport-500 drop" WAIT=$LONG ;;
	udp4500) A_MORE=natt B_MORE=natt BEFORE="rule core forward udp-dport-4500 drop" WAIT=36 ;;
	esp)	BEFORE="rule core forward ip-protocol-esp drop" UPFIRST=1 WAIT=14 ;;
	esp-back) BEFORE="rule seattle input ip-protocol-esp drop" UPFIRST=1 WAIT=14 ;;
	nat)	BEFORE=masquerade WAIT=10 ;;
	inside)	A_FROM=10.11.0.0/24 B_TO=10.11.0.0/24 ;;
	route)	BEFORE=no_route WAIT=$LONG ;;
	port)	BEFORE=holder NOB=tried WAIT=$LONG ;;
	forward) BEFORE=no_forward ;;
	passive) A_MODE=passive ;;
	crash)	UPFIRST=1 AFTER=crash WAIT=14 ;;
	target)	A_END="keepalive target 10.2.0.99" WAIT=34 ;;
	local)	A_LOCAL=192.0.2.99 ;;
	cable)	BEFORE=cable_out WAIT=$LONG ;;
	host)	BEFORE=no_bob UPFIRST=1 ;;
	refuse)	BEFORE="rule core forward udp-dport-500 reject" WAIT=$LONG ;;
	own500)	BEFORE="rule seattle output udp-dport-500 drop" WAIT=$LONG ;;
	own-fwd) BEFORE="rule seattle forward ip-protocol-icmp drop" ;;
	bobroute) BEFORE=no_bobroute UPFIRST=1 ;;
	mtu)	BEFORE=narrow A_END="keepalive pmtu" UPFIRST=1 WAIT=50 ;;
	flush-sa) UPFIRST=1 AFTER=no_sas WAIT=4 ;;
	flush-pol) UPFIRST=1 AFTER=no_policies WAIT=16 ;;
	wan)	BEFORE=wan_out WAIT=$LONG ;;
	kernel)	A_MORE="childsa enc chacha20-poly1305" B_MORE="childsa enc chacha20-poly1305"
		BEFORE=no_chacha ;;
	rpfilter) BEFORE=two_ways WAIT=36 ;;
	twins)	A_TWIN="ikev2 \"nampa\" ondemand tunnel esp from $A_FROM to $A_TO peer \
		198.51.100.77 psk \"$A_PSK\"" NOA=tried ;;
	syntax)	A_MORE="ikesa enc aes-257-gcm" NOA=tried ;;
	pool)	A_FROM=dynamic A_MORE="request address any iface lo" A_END= PINGER="seattle $WAN_SEATTLE $BOB"
		A_MODE=active B_TO=dynamic B_PEER=any B_MORE="config address 10.3.0.1/32" ;;
	ikev1)	B_SWAN=swan WAIT=10 ;;
	none)	UPFIRST=1 ;;
	clock)	UPFIRST=1 AFTER=clock_on ;;
	*)	fail "there is no case $1" ;;
	esac
}
# words of a rule have "-" for blanks
run_it() {
	# shellcheck disable=SC2086
	set -- $1
	_c=$1
	shift
	if [ "$_c" = rule ]; then
		rule "$1" "$2" "$(echo "$3" | tr - ' ')" "$4" || fail "no rule"
	else
		"$_c" "$@"
	fi
}

# look SIDE: what an operator sees there
look() {
	{
		ctl "$1" show
		[ "$1" != seattle ] || ctl "$1" show keepalive
	} >"$OUT/$CASE.$1.show" 2>&1
	ctl "$1" doctor -f "$W/$1/iked.conf" >"$OUT/$CASE.$1.doctor" 2>&1
	cat "$OUT/$1/iked.log" "$OUT/$1/netwatchd.log" "$OUT/$1/charon.log" \
	    >"$OUT/$CASE.$1.log" 2>/dev/null
}
# What is said here and not true, by the lines "only" of break.data: a cause that is true
# of other cases, or one that no line there knows.
untrue() {
	sed -n 's/^  [0-9]*\. /doctor: /p' "$OUT/$CASE.$1.doctor" >"$W/said"
	sed -n 's/^[0-9.:]* iked .*\(\[[a-z0-9-]*\]\)$/reason \1/p' "$OUT/$CASE.$1.log" | sort -u >>"$W/said"
	grep -h -E '^(doctor|keepalive|.* keepalive ")' "$OUT/$CASE.$1.log" >>"$W/said"
	awk -F '\t' -v case="$CASE" -v side="$1" '
	NR == FNR {
		if ($1 == "only") {
			re[++n] = $2
			true[n] = (" " $3 " ") ~ (" (" case "|" case ":" side "|[*]) ")
		}
		next
	}
	{
		known = ok = 0
		for (i = 1; i <= n; i++)
			if ($0 ~ re[i]) {
				known = 1
				ok += true[i]
			}
		if (!ok)
			print (known ? "not true: " : "not known: ") $0
	}' "$DATA" "$W/said"
}
# judge SIDE: yes, no, or n/a (cannot be known there) a column
judge() {
	_want=$(grep "^$CASE $1$TAB" "$DATA" | cut -f 2-)
	_i=0 _cells= _no= _named=
	for _col in log show doctor diff; do
		_i=$((_i + 1))
		_re=$(printf '%s\n' "$_want" | cut -f $_i)
		_f=$OUT/$CASE.$1.$_col
		[ $_col != diff ] || _f=$OUT/$CASE.diff
		case $_re in
		-)	_v=n/a ;;
		=)	_v=yes
			[ "$DIFF_STATUS" = 0 ] || _v=no ;;
		*)	_v=no
			! grep -E -q -e "$_re" "$_f" || _v=yes ;;
		esac
		[ $_v != no ] || _no=1
		[ $_v$_col = yesdiff ] || [ $_v != yes ] || _named=1
		_cells="$_cells $_col $_v"
	done
	untrue "$1" >"$OUT/$CASE.$1.untrue"
	if [ -s "$OUT/$CASE.$1.untrue" ]; then
		_no=1
		_cells="$_cells untrue $(grep -c . "$OUT/$CASE.$1.untrue")"
	fi
	if [ -n "$_no" ]; then
		echo "---- $CASE, $1:"
		cat "$OUT/$CASE.$1.untrue"
		tail -n 5 "$OUT/$CASE.$1.log"
		cat "$OUT/$CASE.$1.show" "$OUT/$CASE.$1.doctor" "$OUT/$CASE.diff"
	fi
	case $CASE in
	none|clock) ;;
	*)	[ -z "$_named" ] || eval "NAMED_$1=\$((NAMED_$1 + 1))"
		[ "$1" = seattle ] || BROKEN=$((BROKEN + 1)) ;;
	esac
	CASE_SAVED=$CASE CASE="$CASE, $1"
	row "$([ -z "$_no" ] && echo ok || echo FAILED)" "$_cells"
	CASE=$CASE_SAVED
}
# side_start GW HOW: iked, or not at all, or it is tried, or strongSwan with IKEv1
side_start() {
	case $2 in
	'')	iked_start "$1" || fail "$1 does not start" ;;
	tried)	on "$1" timeout 5 "$BIN/iked" -d -f "$W/$1/iked.conf" \
		    >>"$OUT/$1/iked.log" 2>&1 ;;
	swan)	swan_site boise boise $IKE $ESP start
		sed -i 's/version = 2/version = 1/; s/my_secret/the secret of both the offices/' \
		    "$W/boise/swanctl/swanctl.conf"
		swan_start boise || fail "charon does not start" ;;
	esac
}
one() {
	CASE=$1
	case $KERNEL_KIND:$1 in
	host:clock|host:kernel)
		row - "it would change the clock or the modules of this machine: not tried"
		return ;;
	esac
	prepare "$1"
	words_write
	rm -f "$OUT"/seattle/*.log "$OUT"/boise/*.log
	: >"$OUT/seattle/iked.log"
	: >"$OUT/boise/iked.log"
	[ -n "$UPFIRST" ] || run_it "$BEFORE"
	side_start boise "$NOB$B_SWAN"
	[ "$CASE" != pool ] || client
	side_start seattle "$NOA"
	case $A_END in
	keepalive*) [ -n "$NOA" ] || netwatchd_start seattle ;;
	esac
	if [ -n "$UPFIRST" ]; then
		ctl seattle up boise >/dev/null 2>&1
		wait_for 20 tunnel_is seattle up || fail "$CASE: not up at first"
		wait_for 5 tunnel_is boise up
		run_it "$BEFORE"
	fi
	# shellcheck disable=SC2086
	ping_start "$CASE" $PINGER 0.2
	[ "$CASE" != crash ] || sleep 1
	run_it "$AFTER"
	sleep "$WAIT"
	case $CASE in
	esp|esp-back) wait_for 20 mended || fail "$CASE: not up" ;;
	esac
	look seattle
	look boise
	ping_stop "$CASE"
	_b=$W/boise/iked.conf
	[ -z "$B_SWAN" ] || _b=$W/boise/swanctl/swanctl.conf
	on seattle "$BIN/ipsecctl" diff "$W/seattle/iked.conf" "$_b" \
	    >"$OUT/$CASE.diff" 2>&1
	DIFF_STATUS=$?
	judge seattle
	judge boise
	prog_stop NETWATCHD seattle
	prog_stop CHARON boise
	prog_stop IKED seattle
	prog_stop IKED boise
	gw_flush seattle
	gw_flush boise
	mend
}

BROKEN=0 NAMED_seattle=0 NAMED_boise=0
begin
for c in $CASES; do
	one "$c"
done
CASE="all breakages"
row "$([ $BAD = 0 ] && echo ok || echo FAILED)" "the cause named by log, show or doctor: on the" \
    "side that starts $NAMED_seattle of $BROKEN, on the other $NAMED_boise of $BROKEN"
end_part
