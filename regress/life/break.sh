# SPDX-License-Identifier: ISC
#
# Seattle and Boise with one thing wrong, in many ways: does what the operator looks at
# name it?  For each side the default log, ipsecctl show, ipsecctl doctor, and ipsecctl
# diff of both files; break.data says what each has to say.  Seattle is on demand and
# alice pings, Boise is passive.

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
	A_PEER=$WAN_BOISE A_MORE= A_PSK="the secret of both the offices" A_END=
	B_MODE=passive B_KIND=tunnel B_FROM=$LAN_BOISE B_TO=$LAN_SEATTLE B_LOCAL=$WAN_BOISE
	B_PEER=$WAN_SEATTLE B_MORE= B_PSK=$A_PSK B_END=
	BEFORE=: AFTER=: NOB= WAIT=6 UPFIRST= WATCH=
}
words_write() {
	conf_write seattle <<-CONF
	ikev2 "boise" $A_MODE $A_KIND esp from $A_FROM to $A_TO \\
		local $A_LOCAL peer $A_PEER $A_MORE \\
		psk "$A_PSK" $A_END
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
	*)	_match="-p esp" ;;
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
holder() {
	spawn boise "$W/holder.log" python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 500))
time.sleep(1000)'
	HOLDER=$SPAWNED
	sleep 1
}
mend() {
	no_rules
	on seattle sh -c 'ip route replace default via 192.0.2.254
	    echo 1 >/proc/sys/net/ipv4/ip_forward'
	on core sh -c 'ip link set toboise up; ip route replace 10.2.0.0/24 via 198.51.100.1'
	on bob sh -c 'ip addr replace 10.2.0.10/24 dev lan; ip route replace default via 10.2.0.1'
	[ -z "${HOLDER-}" ] || { kill "$HOLDER"; wait "$HOLDER"; HOLDER=; } 2>/dev/null
	:
}

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
	mode)	B_KIND=transport ;;
	dead)	NOB=1 WAIT=$LONG ;;
	udp500)	BEFORE="rule core forward udp-dport-500 drop" WAIT=$LONG ;;
	udp4500) A_MORE=natt B_MORE=natt BEFORE="rule core forward udp-dport-4500 drop" WAIT=20 ;;
	esp)	BEFORE="rule core forward ip-protocol-esp drop" UPFIRST=1 ;;
	esp-back) BEFORE="rule seattle input ip-protocol-esp drop" UPFIRST=1 ;;
	nat)	BEFORE=masquerade ;;
	inside)	A_FROM=10.11.0.0/24 B_TO=10.11.0.0/24 A_END=keepalive WATCH=1 ;;
	route)	BEFORE=no_route WAIT=$LONG ;;
	port)	BEFORE=holder NOB=tried WAIT=$LONG ;;
	forward) BEFORE=no_forward ;;
	passive) A_MODE=passive ;;
	crash)	UPFIRST=1 AFTER=crash WAIT=14 ;;
	target)	A_END="keepalive 10.2.0.99 interval 500ms timeout 500ms" UPFIRST=1 WATCH=1
		WAIT=10 ;;
	local)	A_LOCAL=192.0.2.99 ;;
	cable)	BEFORE=cable_out WAIT=$LONG ;;
	host)	BEFORE=no_bob UPFIRST=1 ;;
	refuse)	BEFORE="rule core forward udp-dport-500 reject" WAIT=$LONG ;;
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
	ctl "$1" show tunnels >"$OUT/$CASE.$1.show" 2>&1
	ctl "$1" doctor >"$OUT/$CASE.$1.doctor" 2>&1
	cp "$OUT/$1/iked.log" "$OUT/$CASE.$1.log" 2>/dev/null || : >"$OUT/$CASE.$1.log"
}
# judge SIDE: yes, no, or n/a (cannot be known there) a column
judge() {
	_want=$(grep "^$CASE $1$TAB" "$DATA" | cut -f 2-)
	_i=0 _cells= _no=
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
		_cells="$_cells $_col $_v"
	done
	if [ -n "$_no" ]; then
		echo "---- $CASE, $1:"
		tail -n 5 "$OUT/$CASE.$1.log"
		cat "$OUT/$CASE.$1.show" "$OUT/$CASE.$1.doctor" "$OUT/$CASE.diff"
	fi
	CASE_SAVED=$CASE CASE="$CASE, $1"
	row "$([ -z "$_no" ] && echo ok || echo FAILED)" "$_cells"
	CASE=$CASE_SAVED
}
one() {
	CASE=$1
	prepare "$1"
	words_write
	rm -f "$OUT"/seattle/iked.log "$OUT"/boise/iked.log
	: >"$OUT/seattle/iked.log"
	: >"$OUT/boise/iked.log"
	[ -n "$UPFIRST" ] || run_it "$BEFORE"
	case $NOB in
	'')	iked_start boise || fail "boise does not start" ;;
	tried)	on boise timeout 5 "$BIN/iked" -d -f "$W/boise/iked.conf" \
		    >>"$OUT/boise/iked.log" 2>&1 ;;
	esac
	iked_start seattle || fail "seattle does not start"
	[ -z "$WATCH" ] || netwatchd_start seattle
	if [ -n "$UPFIRST" ]; then
		ctl seattle up boise >/dev/null 2>&1
		wait_for 20 tunnel_is seattle up || fail "$CASE: not up at first"
		wait_for 5 tunnel_is boise up
		run_it "$BEFORE"
	fi
	ping_start "$CASE" alice $ALICE $BOB 0.2
	[ "$CASE" != crash ] || sleep 1
	run_it "$AFTER"
	sleep "$WAIT"
	look seattle
	look boise
	ping_stop "$CASE"
	on seattle "$BIN/ipsecctl" diff "$W/seattle/iked.conf" "$W/boise/iked.conf" \
	    >"$OUT/$CASE.diff" 2>&1
	DIFF_STATUS=$?
	judge seattle
	judge boise
	prog_stop NETWATCHD seattle
	prog_stop IKED seattle
	prog_stop IKED boise
	gw_flush seattle
	gw_flush boise
	mend
}

begin
for c in $CASES; do
	one "$c"
done
end_part
