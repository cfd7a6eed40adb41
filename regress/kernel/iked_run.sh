#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Inside the kernel with IPsec (see uml.sh): iked_run.sh OBJDIR STEP...  Two gateways
# with iked on both sides of the article's network; each step says ok: or FAILED.

OBJDIR=$1
shift
BIN=$OBJDIR
TOOLS=$OBJDIR/regress/tools
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/flow.subr"
. "$(dirname "$0")/iked_names.sh"
FLOW=$TOOLS/tool_flow
failed=0

bad() {
	echo "FAILED: $*"
	failed=1
}
# must DESCRIPTION COMMAND...
must() {
	_what=$1
	shift
	"$@" || bad "$_what"
}

PSK="q7:Rz1!vX0-only-in-the-keys-process"
OTHER="Zt4?another-secret-of-good-length"

# conf GW MINE LAN MYLAN PEER [EXTRA]
write_conf() {
	conf_write "$1" <<-CONF
	ikev2 "net" ondemand esp from $2 to $3 local $4 peer $5 \\
	    psk "$PSK"
	${6-}
	CONF
}
confs() {
	write_conf seattle $LAN_SEATTLE $LAN_BOISE $WAN_SEATTLE $WAN_BOISE "${1-}"
	write_conf boise $LAN_BOISE $LAN_SEATTLE $WAN_BOISE $WAN_SEATTLE
}

traps() { on "$1" ip xfrm policy | grep -c "^src 10\."; }
traps_are() { [ "$(traps "$1")" = "$2" ]; }
sas_are() { [ "$(sa_count "$1")" = "$2" ]; }
TOLD='tunnel "net" down: the peer deleted the IKE SA'
told() { [ "$(grep -c "$TOLD" "$OUT/boise/iked.log")" -ge "$1" ]; }
# anew SPI: seattle's tunnel is up, with another SPI than that
anew() {
	_now=$(tunnel_field seattle spi_in)
	tunnel_is seattle up && [ -n "$_now" ] && [ "$_now" != "$1" ]
}
hosts_ping() { on alice ping -n -c 1 -W 2 10.2.0.10; }
both_up() { tunnel_is seattle up && tunnel_is boise up; }

# A LAN to LAN packet in clear on core is what nothing may ever do.
nothing_clear() { [ "$(cap_count clear "$CLEAR")" = 0 ]; }

# --- steps -----------------------------------------------------------------

step_up() {
	must "traps of seattle: $(traps seattle)" traps_are seattle 3
	must "traps of boise" traps_are boise 3
	tunnel_is seattle ondemand || bad "seattle does not wait for traffic"
	wait_for 30 hosts_ping || bad "no reply through the tunnel"
	wait_for 10 both_up || bad "not up on both sides"
	[ "$(tunnel_field seattle wake)" = acquire ] || bad "wake is $(tunnel_field seattle wake)"
	[ "$(tunnel_field seattle spi_in)" = "$(tunnel_field boise spi_out)" ] ||
	    bad "SPIs do not mirror each other"
	# Both processes that may say so agree with the kernel.
	sas_are seattle 2 || bad "$(sa_count seattle) SAs on seattle"
	ctl seattle show all -j | grep -q '"kind": *"policy"' || bad "no policies shown"
	# The kernel's keys, and none of them in what we show.
	on seattle ip xfrm state | sed -n 's/.* 0x\([0-9a-f]\{32,\}\).*/\1/p' >"$W/keys"
	[ -s "$W/keys" ] || bad "ip xfrm state shows no keys to compare with"
	{ ctl seattle show all; ctl seattle show all -j; } | grep -F -f "$W/keys" &&
	    bad "show prints keys"
	:
}

# Each process: who it is, what it may, where it lives, what it holds.
step_table() {
	find /proc/[0-9]*/fd -lname "$W/passwd" 2>/dev/null >"$W/kept"
	for _p in $(iked_pids seattle) $(iked_pids boise); do
		grep "^/proc/$_p/" "$W/kept" && bad "$_p holds what its caller had open"
	done
	printf '%-8s %-6s %-16s %-16s %-7s %-4s %-11s %-5s %s\n' role uid capeff capbnd \
	    seccomp nnp root nofile fds
	for _p in $(iked_pids seattle); do
		_role=$(tr '\0' '\n' </proc/$_p/cmdline | sed -n 3p)
		_role=${_role:-parent}
		case $_role in -*|/*) _role=parent ;; esac
		[ -n "$(tr '\0' '\n' </proc/$_p/cmdline | grep -x -e -P)" ] || _role=parent
		_st=/proc/$_p/status
		_uid=$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' $_st)
		_eff=$(sed -n 's/^CapEff:\t//p' $_st)
		_bnd=$(sed -n 's/^CapBnd:\t//p' $_st)
		_sec=$(sed -n 's/^Seccomp:\t//p' $_st)
		_nnp=$(sed -n 's/^NoNewPrivs:\t//p' $_st)
		_root=$(readlink /proc/$_p/root)
		_max=$(sed -n 's/^Max open files  *\([0-9a-z]*\) .*/\1/p' /proc/$_p/limits)
		_core=$(sed -n 's/^Max core file size  *\([0-9a-z]*\) .*/\1/p' /proc/$_p/limits)
		# by names that do not depend on where this tree is
		_fds=$(ls -l /proc/$_p/fd | sed -n 's/.* -> \([^:]*\).*/\1/p' |
		    awk -v log_="$OUT/seattle/iked.log" -v bin="$BIN/iked" '{
			print $1 == log_ ? "log" : $1 == bin ? "iked" : $1 }' | LC_ALL=C sort |
		    uniq -c | awk '{ printf "%s%s:%s", n++ ? " " : "", $2, $1 }')
		printf '%-8s %-6s %-16s %-16s %-7s %-4s %-11s %-5s %s\n' "$_role" "$_uid" \
		    "$_eff" "$_bnd" "$_sec" "$_nnp" "$_root" "$_max" "$_fds"
		case $_role in
		parent)	_want="/dev/null:1 /run/iked.pid:1 /run/iked.traps:1 anon_inode:2 iked:1 log:2 socket:10" ;;
		kernel)	_want="/dev/null:2 /run/iked.traps:1 anon_inode:1 log:1 socket:9" ;;
		ike)	_want="/dev/null:2 anon_inode:1 log:1 socket:8" ;;
		keys)	_want="/dev/null:2 anon_inode:1 log:1 socket:2" ;;
		*)	_want="/dev/null:2 anon_inode:1 log:1 socket:5" ;;
		esac
		[ "$_fds" = "$_want" ] || bad "$_role: holds $_fds, not $_want"
		if [ "$_role" = parent ]; then
			continue
		fi
		echo "$_role" >>"$W/roles"
		[ "$_sec" = 2 ] || bad "$_role: no seccomp filter"
		[ "$_nnp" = 1 ] || bad "$_role: new privileges are possible"
		[ "$_root" = /var/empty ] || bad "$_role: root is $_root"
		[ "$_uid" != 0 ] || bad "$_role: runs as root"
		[ "$_core" = 0 ] || bad "$_role: may dump core"
		[ "$(sed -n 's/^Groups:\t//p' $_st | wc -w)" -le 1 ] || bad "$_role: groups"
		case $_role in
		kernel)	[ "$_eff" = 0000000000001000 ] || bad "kernel: capabilities $_eff" ;;
		*)	[ "$_eff$_bnd" = 00000000000000000000000000000000 ] ||
			    bad "$_role: capabilities $_eff $_bnd" ;;
		esac
	done
	[ "$(sort "$W/roles" | tr '\n' ' ')" = "control ike kernel keys " ] ||
	    bad "roles: $(tr '\n' ' ' <"$W/roles")"
	[ "$(for _p in $(iked_pids seattle); do sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' \
	    /proc/$_p/status; done | sort -u | wc -l)" = 5 ] || bad "uids are shared"
}

# The secret is in the memory of keys, and of no other process.
step_secret() {
	for _p in $(iked_pids seattle); do
		_n=$(printf '%s\n' "$PSK" | "$TOOLS/tool_memfind" "$_p") ||
		    bad "memory of $_p cannot be read"
		_role=$(tr '\0' ' ' </proc/$_p/cmdline)
		echo "$_n times in: $_role"
		case $_role in
		*'-P keys '*) [ "$_n" -ge 1 ] || bad "not found in keys" ;;
		*)	[ "$_n" = 0 ] || bad "found in $_role" ;;
		esac
	done
}

step_control() {
	ctl seattle show tunnels | grep -q '^net .* up' ||
	    ctl seattle show tunnels | grep -q 'net.*up [0-9]' ||
	    bad "show tunnels: $(ctl seattle show tunnels)"
	ctl seattle up nonesuch 2>"$W/err" && bad "up nonesuch did not fail"
	[ -s "$W/err" ] || bad "no word about nonesuch"
	# An unprivileged user sees, and changes nothing.
	on seattle setpriv --reuid=65534 --regid=65534 --clear-groups \
	    "$BIN/ipsecctl" show tunnels | grep -q net || bad "nobody may not look"
	on seattle setpriv --reuid=65534 --regid=65534 --clear-groups \
	    "$BIN/ipsecctl" down net 2>/dev/null && bad "nobody may say down"
	_spi=$(tunnel_field seattle spi_in)
	ctl seattle rekey net || bad "rekey"
	wait_for 10 anew "$_spi" || bad "rekey: the same SPI"
	wait_for 10 hosts_ping || bad "no reply after the rekey"
	ctl seattle down net || bad "down"
	wait_for 10 tunnel_is seattle down || bad "not down: $(tunnel_field seattle state)"
	ctl seattle up net || bad "up"
	wait_for 20 both_up || bad "not up again"
	[ "$(tunnel_field seattle wake)" = command ] || bad "wake is $(tunnel_field seattle wake)"
	loglevels
}
stat_of() { ctl seattle show stats | sed -n "s/^$1  *//p"; }
loglevel_is() { [ "$(stat_of log)" = "$1" ]; }
lines() { grep -c "$1" "$OUT/seattle/iked.log"; }
renewed() {
	_spi=$(tunnel_field seattle spi_in)
	ctl seattle rekey net && wait_for 10 anew "$_spi" || bad "rekey: the same SPI"
}
# How much is logged, without a restart; and what is counted meanwhile.
loglevels() {
	_before=$(stat_of create_child_answered)
	for _l in verbose warning info; do
		ctl seattle log $_l || bad "log $_l"
		wait_for 5 loglevel_is $_l || bad "show stats: log $(stat_of log), not $_l"
		_n=$(wc -l <"$OUT/seattle/iked.log")
		renewed
		eval "_lines_$_l=$(($(wc -l <"$OUT/seattle/iked.log") - _n))"
	done
	echo "lines a rekey: verbose $_lines_verbose, info $_lines_info, warning $_lines_warning"
	[ $_lines_warning = 0 ] || bad "log warning: $_lines_warning lines"
	[ $_lines_verbose -gt $_lines_info ] || bad "log verbose: no more lines than with info"
	ctl seattle show stats
	[ "$(stat_of create_child_answered)" -ge $((_before + 3)) ] || bad "rekeys are not counted"
	[ "$(stat_of kernel_requests)" -gt 6 ] || bad "requests to the kernel are not counted"
	[ "$(stat_of why_up)" -ge 1 ] || bad "lines are not counted"
	ctl seattle show -o metrics | grep -q '^ikeep_events_total{reason="up"} [1-9]' ||
	    bad "no metrics of lines"
}

# What the kernel has, asked of the kernel: OpenBSD's -s, -v, -k and -m.
nobody_ctl() {
	on seattle setpriv --reuid=65534 --regid=65534 --clear-groups "$BIN/ipsecctl" "$@"
}
# Sockets of seattle that hear of its SAs and policies
listeners() { on seattle awk '$2 == 6 && $4 !~ /^0*$/ { n++ } END { print n + 0 }' /proc/net/netlink; }
listeners_over() { [ "$(listeners)" -gt "$1" ]; }
AHKEY=0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
step_sadb() {
	wait_for 30 hosts_ping && wait_for 10 both_up || bad "no tunnel"
	# one that is nobody's here
	on seattle ip xfrm state add src 192.0.2.77 dst 192.0.2.1 proto ah spi 0x4d2 \
	    mode transport auth 'hmac(sha256)' $AHKEY || bad "no foreign SA"
	on seattle ip xfrm policy >"$W/policies"
	on seattle ip xfrm state >"$W/states"
	ctl seattle -sa >"$W/sadb" || bad "-sa: status $?"
	cat "$W/sadb"
	[ "$(grep -c '^flow ' "$W/sadb")" = "$(grep -c 'dir \(in\|out\|fwd\)' "$W/policies")" ] ||
	    bad "-sa: not as many flows as ip xfrm policy"
	for _d in in out fwd; do
		grep -q "^flow esp $_d from 10[.].*/24 to 10[.].*/24 local $WAN_SEATTLE peer $WAN_BOISE type require" \
		    "$W/sadb" || bad "-sa: no flow $_d"
	done
	[ "$(sed -n 's/.* spi \(0x[0-9a-f]*\).*/\1/p' "$W/sadb" | sort)" = \
	    "$(sed -n 's/.* spi \(0x[0-9a-f]*\).*/\1/p' "$W/states" | sort)" ] ||
	    bad "-sa: other SPIs than ip xfrm state"
	grep -q "^esp tunnel from $WAN_SEATTLE to $WAN_BOISE spi $(tunnel_field seattle spi_out) enc aes-" \
	    "$W/sadb" || bad "-sa: not our SA"
	grep -q '^ah transport from 192.0.2.77 to 192.0.2.1 spi 0x000004d2 auth hmac(sha256)-96' \
	    "$W/sadb" || bad "-sa: not the foreign one"
	ctl seattle -s sa | cmp -s - "$W/sadb" && bad "-s sa is all"
	ctl seattle -s flow | grep -q '^esp' && bad "-s flow has SAs"
	# keys only where they are asked for
	sed -n 's/.* 0x\([0-9a-f]\{32,\}\).*/\1/p' "$W/states" >"$W/keys"
	ctl seattle -s sa -v >"$W/sadbv"
	cat "$W/sadbv"
	grep -q "	reqid: $(sed -n 's/.* reqid \([1-9][0-9]*\) .*/\1/p' "$W/states" | head -n 1)" \
	    "$W/sadbv" || bad "-v: no reqid"
	cat "$W/sadb" "$W/sadbv" | grep -F -f "$W/keys" && bad "keys without -k"
	ctl seattle -s sa -k >"$W/sadbk"
	[ "$(grep -c -F -f "$W/keys" "$W/sadbk")" = 3 ] || bad "-k: not the keys"
	nobody_ctl -s sa -k >"$W/out" 2>"$W/err"
	[ $? = 7 ] || bad "-k: not refused to nobody"
	grep -q 'for root only' "$W/err" && [ ! -s "$W/out" ] || bad "-k: $(cat "$W/err")"
	nobody_ctl -s sa >"$W/out" 2>"$W/err"
	[ $? = 7 ] && grep -q 'ipsecctl show kernel' "$W/err" && ! grep -q '^esp' "$W/out" ||
	    bad "-s sa of nobody: $(cat "$W/err" "$W/out")"
	on seattle ip xfrm state delete dst 192.0.2.1 proto ah spi 0x4d2
	# and what happens, while it does
	_n=$(listeners)
	on seattle "$BIN/ipsecctl" -m >"$W/mon" 2>&1 &
	_mon=$!
	wait_for 20 listeners_over "$_n" || bad "-m: does not listen"
	_spi=$(tunnel_field seattle spi_in)
	ctl seattle rekey net || bad "rekey"
	wait_for 10 anew "$_spi" || bad "rekey: the same SPI"
	gone() { grep -A1 '^xfrm_delsa' "$W/mon" | grep -q "spi $_spi"; }
	wait_for 20 gone || bad "-m: the old SA does not go"
	kill $_mon
	wait $_mon
	cat "$W/mon"
	grep -A1 '^xfrm_newsa' "$W/mon" | grep -q "spi $(tunnel_field seattle spi_in)" ||
	    bad "-m: the new SA does not come"
	on seattle ip xfrm state | sed -n 's/.* 0x\([0-9a-f]\{32,\}\).*/\1/p' >>"$W/keys"
	grep -F -f "$W/keys" "$W/mon" && bad "-m: keys without -k"
	:
}

# What iked believes against what there is, by a member of the group who is not root.
member_ctl() {
	on seattle setpriv --reuid=65534 --regid=65534 \
	    --groups="$(on seattle stat -c %g /var/run/iked.sock)" "$BIN/ipsecctl" "$@"
}
# Our outbound SA behind iked's back.  iked soon finds out by itself; seen before that it is
# missing.
lose() {
	hosts_ping && both_up || return 1
	_out=$(tunnel_field seattle spi_out)
	on seattle ip xfrm state delete src $WAN_SEATTLE dst $WAN_BOISE proto esp spi "$_out"
	member_ctl show kernel >"$W/k" 2>&1
	grep -q "^missing  *net  *sa  *out .*$_out.*recreate" "$W/k"
}
step_kernel() {
	wait_for 30 hosts_ping && wait_for 10 both_up || bad "no tunnel"
	member_ctl show kernel >"$W/k" 2>&1 || bad "show kernel: $(cat "$W/k")"
	cat "$W/k"
	grep -q '^SAs: 2 ours; policies: 3 ours$' "$W/k" || bad "not all is ours"
	nobody_ctl show kernel 2>&1 | grep -q 'to root and its group' || bad "nobody may look"
	on seattle ip xfrm state | sed -n 's/.* 0x\([0-9a-f]\{32,\}\).*/\1/p' >"$W/keys"
	[ -s "$W/keys" ] || bad "no keys to compare with"
	{ ctl seattle show kernel; ctl seattle show kernel -j; } | grep -F -f "$W/keys" &&
	    bad "show kernel prints keys"
	# somebody else's, and one that looks like ours
	on seattle ip xfrm state add src 192.0.2.77 dst 192.0.2.1 proto ah spi 0x4d2 \
	    mode transport auth 'hmac(sha256)' $AHKEY || bad "no foreign SA"
	on seattle ip xfrm policy add src 172.16.0.0/24 dst 172.17.0.0/24 dir out \
	    tmpl src 192.0.2.1 dst 192.0.2.99 proto esp mode tunnel reqid 77 ||
	    bad "no foreign policy"
	on seattle ip xfrm state add src $WAN_BOISE dst $WAN_SEATTLE proto esp spi 0xabc1234 \
	    reqid "$(ctl seattle show policies -j | field reqid | head -n 1)" mode tunnel \
	    aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f10111213 128 ||
	    bad "no SA like ours"
	sleep 1.1	# older than what is shared
	member_ctl show kernel >"$W/k" 2>&1 || bad "show kernel: $(cat "$W/k")"
	cat "$W/k"
	row() { grep -q "^$1  *$2  *$3  *$4 .*$5" "$W/k" || bad "no row: $*"; }
	row foreign - sa - '192.0.2.77  *192.0.2.1  *0x000004d2'
	row foreign - policy out '172.16.0.0/24  *172.17.0.0/24'
	row unknown net sa in 0x0abc1234
	grep -q '^SAs: 2 ours, 1 foreign, 1 unknown; policies: 3 ours, 1 foreign$' \
	    "$W/k" || bad "totals: $(tail -n 1 "$W/k")"
	ctl seattle show kernel net -j >"$W/kj"
	grep -q '"whose": "unknown"' "$W/kj" && ! grep -q '"whose": "foreign"' "$W/kj" ||
	    bad "-j: $(cat "$W/kj")"
	on seattle ip xfrm state delete dst 192.0.2.1 proto ah spi 0x4d2
	on seattle ip xfrm state delete src $WAN_BOISE dst $WAN_SEATTLE proto esp spi 0xabc1234
	on seattle ip xfrm policy delete src 172.16.0.0/24 dst 172.17.0.0/24 dir out
	well() { ctl seattle show kernel | grep -q '^SAs: 2 ours; policies: 3 ours$'; }
	wait_for 20 well || bad "not well again: $(ctl seattle show kernel)"
	wait_for 60 lose || bad "a lost SA is not missing: $(cat "$W/k")"
	cat "$W/k"
	wait_for 60 hosts_ping || bad "no reply"
	wait_for 20 well || bad "not well at last: $(ctl seattle show kernel)"
}

# What another program does to our policies is put right, and said; what we do ourselves, or
# to its own, is nothing.
TAKEN='another program took away or changed'
taken_is() { [ "$(grep -c "$TAKEN $1 of our policies.*\[policy-taken\]" "$OUT/seattle/iked.log")" -ge "$2" ]; }
whole() { ctl seattle show kernel | grep -q "policies: $1 ours$"; }
takes() {
	wait_for 30 hosts_ping || bad "$1: no tunnel"
	_spi=$(tunnel_field seattle spi_in)
	on seattle ip xfrm policy flush
	wait_for 10 taken_is 3 "$2" || bad "$1: the log does not say it"
	whole 3 || bad "$1: after a flush: $(ctl seattle show kernel)"
	wait_for 10 hosts_ping || bad "$1: no reply after a flush"
	[ "$(tunnel_field seattle spi_in)" = "$_spi" ] || bad "$1: the tunnel went down"
	on seattle ip xfrm policy delete src $LAN_BOISE dst $LAN_SEATTLE dir fwd || bad "fwd"
	wait_for 10 taken_is 1 "$2" || bad "$1: one is missing, and nobody says it"
	whole 3 || bad "$1: one is missing: $(ctl seattle show kernel)"
	on seattle ip xfrm policy update src $LAN_BOISE dst $LAN_SEATTLE dir in priority 1067
	wait_for 10 taken_is 1 $((2 * $2)) || bad "$1: one is another, and nobody says it"
	wait_for 10 whole 3 || bad "$1: one is another: $(ctl seattle show kernel)"
	wait_for 10 hosts_ping || bad "$1: no reply in the end"
}
step_taken() {
	takes xfrm 1
	# nothing of ours: nothing to say
	on seattle ip xfrm policy add src 172.16.0.0/24 dst 172.17.0.0/24 dir out action block
	on seattle ip xfrm policy delete src 172.16.0.0/24 dst 172.17.0.0/24 dir out
	_lines=$(grep -c "$TAKEN" "$OUT/seattle/iked.log")
	ctl seattle reload || bad "reload"
	ctl seattle flush || bad "flush"
	traps_are seattle 0 || bad "ours were put back after our own flush"
	ctl seattle reload || bad "reload after flush"
	whole 3 || bad "$(ctl seattle show kernel)"
	[ "$(grep -c "$TAKEN" "$OUT/seattle/iked.log")" = "$_lines" ] || bad "said of our own doing"
	prog_stop IKED seattle
	: >"$OUT/seattle/iked.log"
	IKED_FLAGS="-o backend=pfkey"
	iked_start seattle || bad "no start with PF_KEY"
	takes pfkey 1
	prog_stop IKED seattle
	IKED_FLAGS=
	iked_start seattle || bad "start"
}

# Any child that dies: all are made anew, the traps stay, the tunnel comes back.
step_crash() {
	_restarts=$(grep -c 'starting all processes' "$OUT/seattle/iked.log")
	for _role in ike keys kernel control; do
		ping_start "$_role" alice 10.1.0.10 10.2.0.10 0.1
		wait_for 20 ping_back "$_role" 0 5 || bad "$_role: no ping before"
		_old=$(iked_pids seattle | sort | tr '\n' ' ')
		_spi=$(tunnel_field seattle spi_in)
		stamp "$_role"
		kill -KILL "$(iked_role_pid seattle "$_role")"
		traps_are seattle 3 || bad "$_role: traps went away"
		# Half a minute is what a lost ACQUIRE costs.
		wait_for 20 anew "$_spi" || bad "$_role: no new tunnel"
		stamp back
		wait_for 20 ping_back "$_role" "$(stamp_ms back)" 5 ||
		    bad "$_role: traffic does not come back"
		ping_stop "$_role"
		echo "$_role killed: outage $(ping_gap "$_role" "$(stamp_ms "$_role")") ms"
		traps_are seattle 3 || bad "$_role: $(traps seattle) traps afterwards"
		wait_for 20 both_up || bad "$_role: not up on both sides"
		_n=0
		for _p in $(iked_pids seattle); do
			case " $_old " in *" $_p "*) _n=$((_n + 1)) ;; esac
		done
		[ $_n = 1 ] || bad "$_role: $_n processes are the old ones"
		# The parent ended the others, at once; one back-off for one death.
		grep -q 'ending$' "$OUT/seattle/iked.log" && bad "$_role: a child had to end itself"
		_restarts=$((_restarts + 1))
		[ "$(grep -c 'starting all processes' "$OUT/seattle/iked.log")" = $_restarts ] ||
		    bad "$_role: started $(grep -c 'starting all' "$OUT/seattle/iked.log") times"
		# The other side finds out by itself, without traffic.
		wait_for 10 sas_are boise 2 || bad "$_role: $(sa_count boise) SAs on boise"
		sas_are seattle 2 || bad "$_role: $(sa_count seattle) SAs on seattle"
	done
}

# Some hundred tunnels: libc takes other ways then, and the sandboxes have to know them.
step_many() {
	_old=$(iked_pids seattle | sort | tr '\n' ' ')
	_many=$(awk -v l="$LAN_SEATTLE" -v w="$WAN_SEATTLE" -v s="$OTHER" 'BEGIN {
		for (i = 0; i < 400; i++)
			printf "ikev2 \"m%d\" passive esp from %s to 10.%d.%d.0/24 local %s peer 203.0.113.%d psk \"%s\"\n",
			    i, l, 100 + int(i / 200), i % 200, w, i % 200 + 1, s }')
	confs "$_many"
	ctl seattle reload || bad "many: reload"
	[ "$(ctl seattle show tunnels -j | grep -c '"spi_in"')" = 401 ] ||
	    bad "many: $(ctl seattle show tunnels -j | grep -c '"spi_in"') tunnels"
	traps_are seattle 1203 || bad "many: $(traps seattle) traps"
	on seattle ip xfrm policy flush
	wait_for 20 traps_are seattle 1203 || bad "many: $(traps seattle) traps after a flush"
	hosts_ping >/dev/null || bad "many: no reply"
	confs
	ctl seattle reload || bad "many: reload back"
	traps_are seattle 3 || bad "many: $(traps seattle) traps in the end"
	[ "$_old" = "$(iked_pids seattle | sort | tr '\n' ' ')" ] || bad "many: a process died"
}

# A reload touches only what changed.
step_reload() {
	wait_for 20 hosts_ping
	_spi=$(tunnel_field seattle spi_in)
	on seattle ip xfrm policy >"$W/before"
	confs "ikev2 \"more\" ondemand esp from $LAN_SEATTLE to 10.77.0.0/24 local $WAN_SEATTLE peer 203.0.113.9 psk \"$OTHER\""
	ctl seattle reload -n >"$W/out" 2>&1 || bad "reload -n: $(cat "$W/out")"
	grep -q '^more *added' "$W/out" || bad "not in the plan: $(cat "$W/out")"
	grep -q '^1 kept, .* 1 added, ' "$W/out" || bad "not kept in the plan: $(cat "$W/out")"
	traps_are seattle 3 || bad "a plan changed the traps"
	kill -HUP "$IKED_seattle"
	wait_for 20 traps_are seattle 6 || bad "no new traps"
	[ "$(tunnel_field seattle spi_in)" = "$_spi" ] || bad "the other tunnel was touched"
	hosts_ping >/dev/null || bad "no reply after a reload"
	# A bad file changes nothing, and says where.
	echo 'ikev2 "broken" frm 10.0.0.0/8' >>"$W/seattle/iked.conf"
	ctl seattle reload >"$W/out" 2>&1 && bad "a bad file was taken"
	grep -q 'iked.conf:[0-9]*:[0-9]*' "$W/out" || bad "no place named: $(cat "$W/out")"
	traps_are seattle 6 || bad "a bad file changed the traps"
	ctl seattle show | grep -q 'does not load.*iked.conf:[0-9]' ||
	    bad "show does not tell of the bad file: $(ctl seattle show)"
	ctl seattle reload -n >"$W/out" 2>&1 && bad "a bad file has a plan"
	confs
	ctl seattle reload || bad "reload: $(cat "$W/out")"
	ctl seattle show | grep -q 'does not load' && bad "show keeps telling of the bad file"
	wait_for 10 traps_are seattle 3 || bad "old traps stay"
	[ "$(tunnel_field seattle spi_in)" = "$_spi" ] || bad "the kept tunnel was touched"
	ctl seattle show tunnels -j | grep -q more && bad "the removed tunnel is shown"
	# The secret is changed: only that peer is made anew.
	hosts_ping >/dev/null || bad "no reply in the end"
}

# A small part of make life's reload: 20 tunnels with a peer each, packets in 18 of them, of
# which two are changed; then all get another secret, one side after the other, and t18 and
# t19 are made anew under way and in the end, to see which secrets are good.
twenty() {	# GW PSK-WORDS WORDS-OF-TWO
	awk -v g="$1" -v psk="$2" -v words="$3" -v lan="$LAN_SEATTLE" -v s="$WAN_SEATTLE" \
	    -v b="$WAN_BOISE" -v mode="$([ "$1" = seattle ] && echo active || echo passive)" 'BEGIN {
		for (i = 0; i < 20; i++) {
			ends = g == "seattle" ? lan " to 10.64.0." i + 1 " local " s " peer " b : \
			    "10.64.0." i + 1 " to " lan " local " b " peer " s
			printf "ikev2 \"t%d\" %s esp from %s srcid t%d.%s.example dstid t%d.%s.example %s %s\n",
			    i, mode, ends, i, g, i, g == "seattle" ? "boise" : "seattle",
			    i < 2 ? words : "", psk
		}
	}' | conf_write "$1"
	ctl "$1" reload || bad "reload of twenty: $1"
}
# spis GW: "tunnel ike-spi spi-in" a line
spis() {
	ctl "$1" show tunnels -j | sed -n 's/^ *"\(tunnel\|ike_spi\|spi_in\)": "\(.*\)".*/\1 \2/p' |
	    awk '{ f[$1] = $2 } $1 == "ike_spi" { print f["tunnel"], f["ike_spi"], f["spi_in"] }' | sort
}
# others_than FILE TUNNEL...: each of those has other SPIs than there, on both sides
others_than() {
	_f=$1
	shift
	sas_are seattle 40 && sas_are boise 40 || return 1
	{ spis seattle; spis boise; } >"$W/spis"
	for _t; do
		[ "$(grep "^$_t " "$W/spis" | grep -vxF -f "$_f" | grep -cv ' 0x0*$')" = 2 ] || return 1
	done
}
step_twenty() {
	_old="psk \"$PSK\"" _new="psk \"$OTHER\"" _both="psk \"$OTHER\" psk \"$PSK\" until 2099-12-31"
	hosts_make 10.64.0.0/24 || bad "no hosts"
	twenty boise "$_old" ""
	twenty seattle "$_old" ""
	: >"$W/none"
	wait_for 30 others_than "$W/none" t0 t1 t18 t19 || bad "twenty are not up"
	{ spis seattle; spis boise; } >"$W/first"
	many_start rest 7777 96 10.64.0.3 16 && many_start two 7778 40 10.64.0.1 2 ||
	    bad "no flows"
	sleep 0.5
	twenty seattle "$_old" "lifetime 20m"
	twenty boise "$_old" "lifetime 20m"
	wait_for 20 others_than "$W/first" t0 t1 || bad "the two have the SAs they had"
	twenty seattle "$_both" "lifetime 20m"
	ctl seattle reset t18
	wait_for 20 others_than "$W/first" t18 || bad "not with the old secret"
	grep -q 'tunnel "t18".*the next try is with the old secret' "$OUT/seattle/iked.log" ||
	    bad "t18 was not made anew with the old secret"
	twenty boise "$_both" "lifetime 20m"
	twenty seattle "$_new" "lifetime 20m"
	twenty boise "$_new" "lifetime 20m"
	ctl seattle reset t19
	wait_for 20 others_than "$W/first" t19 || bad "not with the new secret"
	for _flow in rest two; do
		many_stop $_flow || bad "twenty: the flow $_flow has no end"
		[ "$LOST" = 0 ] || bad "twenty: $LOST of $SENT packets lost, $_flow"
		[ "$SENT" -gt 100 ] || bad "twenty: $SENT packets"
		echo "$_flow: $LOST of $SENT lost, longest silence $GAP ms"
	done
	{ spis seattle; spis boise; } | grep -vxF -f "$W/first" >"$W/other"
	# t0, t1, t18, t19, on both sides
	[ "$(grep -c . "$W/other")" = 8 ] || bad "twenty: touched: $(cut -d ' ' -f 1 "$W/other" | tr '\n' ' ')"
	ctl seattle reload -n >"$W/out" || bad "reload -n"
	[ "$(cat "$W/out")" = "20 kept, 0 renegotiated, 0 replaced, 0 added, 0 removed; nothing was changed" ] ||
	    bad "twenty: the plan for a file that is in use: $(cat "$W/out")"
	confs
	ctl seattle reload && ctl boise reload || bad "reload"
	wait_for 30 hosts_ping || bad "twenty: no reply in the end"
}

# boise's peer may be anybody: its trap is bound to who has come, also after a reload.
blocks() { on "$1" ip xfrm policy | grep -c 'action block'; }
step_any() {
	conf_write boise <<-CONF
	ikev2 "net" passive esp from $LAN_BOISE to $LAN_SEATTLE local $WAN_BOISE peer any \\
	    psk "$PSK"
	CONF
	ctl boise reload || bad "reload"
	wait_for 30 hosts_ping || bad "any: no reply"
	wait_for 10 both_up || bad "any: not up on both sides"
	[ "$(blocks boise)" = 0 ] || bad "any: the traps are not bound"
	_spi=$(tunnel_field boise spi_in)
	kill -HUP "$IKED_boise"
	wait_for 10 grep -q 'configuration in use' "$OUT/boise/iked.log" || bad "any: no reload"
	ctl boise reload || bad "any: reload"
	[ "$(blocks boise)" = 0 ] || bad "any: a reload made the traps discard"
	[ "$(tunnel_field boise spi_in)" = "$_spi" ] || bad "any: the tunnel was touched"
	hosts_ping >/dev/null || bad "any: no reply after the reload"
	confs
	ctl boise reload || bad "reload"
	wait_for 30 hosts_ping || bad "any: no reply in the end"
}

# -x while no child lives and the file is broken: what was placed is known all the same.
# Seattle goes to another address, in one go; its tunnel goes with it.
# moved FROM TO NAME
moved() {
	ping_start "$3" alice 10.1.0.10 10.2.0.10 0.1
	wait_for 20 ping_back "$3" 0 10 || bad "$3: no replies even before"
	_old=$(tunnel_field seattle spi_in) _ike=$(tunnel_field seattle ike_spi)
	printf 'addr del %s/24 dev wan\naddr add %s/24 dev wan\nroute add default via %s\n' \
	    "$1" "$2" 192.0.2.254 >"$W/moved"
	stamp moved
	on seattle ip -batch "$W/moved" || bad "$3: cannot change the address"
	stamp back
	wait_for 20 ping_back "$3" "$(stamp_ms back)" 10 || bad "$3: no replies afterwards"
	ping_stop "$3"
	echo "$3: $1 to $2: no answer for $(ping_gap "$3" "$(stamp_ms moved)") ms"
	# It moved (RFC 4555): what takes longer is to find out that the peer is dead.
	[ "$(tunnel_field seattle ike_spi)" = "$_ike" ] || bad "$3: another IKE SA"
	wait_for 20 anew "$_old" || bad "$3: no new SAs"
	on seattle ip xfrm state | grep -q "^src $2 dst $WAN_BOISE" || bad "$3: SA of seattle"
	on boise ip xfrm state | grep -q "^src $WAN_BOISE dst $2" || bad "$3: SA of boise"
	wait_for 20 sas_are seattle 2 && wait_for 20 sas_are boise 2 || bad "$3: SAs are left"
	grep -q "the peer moved from $1:4500 to $2:4500" "$OUT/boise/iked.log" ||
	    bad "$3: boise says nothing of it"
}
moved_conf() {
	conf_write seattle <<-CONF
	ikev2 "net" ondemand esp from $LAN_SEATTLE to $LAN_BOISE peer $WAN_BOISE \\
	    srcid seattle.example dstid boise.example psk "$PSK"
	CONF
	conf_write boise <<-CONF
	ikev2 "net" passive esp from $LAN_BOISE to $LAN_SEATTLE local $WAN_BOISE peer $1 \\
	    srcid boise.example dstid seattle.example psk "$PSK"
	CONF
	ctl seattle reload && ctl boise reload || bad "reload"
	wait_for 30 hosts_ping || bad "peer $1: no reply"
	wait_for 10 both_up || bad "peer $1: not up on both sides"
}
step_moved() {
	moved_conf $WAN_SEATTLE
	moved $WAN_SEATTLE 192.0.2.77 fixed
	grep -q 'its policies follow the peer to 192.0.2.77' "$OUT/boise/iked.log" ||
	    bad "the kernel process says nothing of it"
	moved 192.0.2.77 $WAN_SEATTLE back
	moved_conf any
	moved $WAN_SEATTLE 192.0.2.78 any
	moved 192.0.2.78 $WAN_SEATTLE home
	confs
	ctl seattle reload && ctl boise reload || bad "reload"
	wait_for 30 hosts_ping || bad "moved: no reply in the end"
}

step_broken() {
	wait_for 20 traps_are seattle 3 || bad "broken: no traps"
	echo 'ikev2 "broken" frm 10.0.0.0/8' >>"$W/seattle/iked.conf"
	kill -KILL "$(iked_role_pid seattle keys)"
	wait_for 10 grep -q 'before the file is mended' "$OUT/seattle/iked.log" ||
	    bad "broken: no word about the file"
	on seattle "$BIN/iked" -x -f "$W/seattle/iked.conf" || bad "-x, a broken file: status $?"
	wait "$IKED_seattle" && bad "iked ended with success"
	traps_are seattle 0 || bad "broken: $(traps seattle) traps"
	sas_are seattle 0 || bad "broken: $(sa_count seattle) SAs"
	confs
	iked_start seattle || bad "no start afterwards"
	traps_are seattle 3 || bad "no traps afterwards"
}

# A tunnel taken out of the file while iked is not there: its traps go at the next start,
# and those of others, whatever they look like, stay.
OTHERS="src 10.1.0.0/24 dst 10.99.0.0/24 dir out priority 1067"
step_left() {
	wait_for 30 hosts_ping || bad "left: no tunnel"
	iked_slay seattle
	traps_are seattle 3 || bad "left: $(traps seattle) traps after KILL"
	# shellcheck disable=SC2086
	on seattle ip xfrm policy add $OTHERS tmpl src $WAN_SEATTLE dst $WAN_BOISE \
	    proto esp reqid 1 mode tunnel || bad "left: no policy of others"
	conf_write seattle <<-CONF
	ikev2 "more" ondemand esp from $LAN_SEATTLE to 10.77.0.0/24 local $WAN_SEATTLE \\
	    peer 203.0.113.9 psk "$OTHER"
	CONF
	iked_start seattle || bad "left: no start"
	wait_for 10 traps_are seattle 4 || bad "left: $(on seattle ip xfrm policy)"
	on seattle ip xfrm policy | grep -q 'dst 10.77.0.0/24' || bad "left: no new trap"
	on seattle ip xfrm policy | grep -q 'dst 10.99.0.0/24' || bad "left: not ours, and gone"
	on seattle ip xfrm policy | grep -q '10.2.0.0/24' && bad "left: the old trap stays"
	sas_are seattle 0 || bad "left: $(sa_count seattle) SAs"
	# shellcheck disable=SC2086
	on seattle ip xfrm policy delete ${OTHERS% priority*} || bad "left: delete"
	prog_stop IKED seattle
	traps_are seattle 3 || bad "left: $(traps seattle) traps after TERM"
	confs
	iked_start seattle || bad "left: no start"
	traps_are seattle 3 || bad "left: $(traps seattle) traps in the end"
	wait_for 30 hosts_ping || bad "left: no reply in the end"
}

# Boise gives seattle an address, which is seattle's own source from then on.
lease() { on seattle ip -4 -o addr show dev lo | sed -n 's/.*inet \(10\.9\.0\.[0-9]*\).*/\1/p'; }
client_ping() { on seattle ping -n -c 1 -W 2 10.2.0.10; }
step_given() {
	conf_write seattle <<-CONF
	ikev2 "net" active esp from dynamic to $LAN_BOISE local $WAN_SEATTLE peer $WAN_BOISE \\
	    request address any iface lo srcid one.example psk "$PSK"
	CONF
	conf_write boise <<-CONF
	ikev2 "net" passive esp from $LAN_BOISE to dynamic local $WAN_BOISE peer any \\
	    config address 10.9.0.0/24 dstid one.example psk "$PSK"
	CONF
	ctl boise reload && ctl seattle reload || bad "given: reload"
	wait_for 30 client_ping || bad "given: no reply"
	_a=$(lease)
	[ -n "$_a" ] || bad "given: no address on lo"
	on boise ip xfrm policy | grep -q "dst $_a/32" || bad "given: no policy for $_a"
	_spi=$(tunnel_field seattle spi_in)
	ctl boise rekey net || bad "given: rekey"
	wait_for 20 anew "$_spi" && wait_for 20 sas_are boise 2 || bad "given: no new SAs alone"
	client_ping || bad "given: no reply after a rekey"
	on boise ip xfrm policy | grep -q "dst $_a/32" || bad "given: the policy went with the old SA"
	# killed, and with another file: what was for that caller goes, the trap stays
	iked_slay boise
	iked_start boise || bad "given: no start"
	wait_for 10 traps_are boise 3 || bad "given: $(on boise ip xfrm policy)"
	wait_for 60 client_ping || bad "given: no reply after boise's restart"
	[ "$(lease)" = "$_a" ] || bad "given: $(lease) after $_a"
	confs
	ctl seattle reload && ctl boise reload || bad "given: reload back"
	[ -z "$(lease)" ] || bad "given: $(lease) stays on lo"
	wait_for 10 traps_are boise 3 || bad "given: in the end $(on boise ip xfrm policy)"
	wait_for 30 hosts_ping || bad "given: no reply in the end"
}

# flush takes everything away, by root only; a reload puts it back.
step_flush() {
	ctl seattle flush || bad "flush"
	traps_are seattle 0 || bad "traps after flush"
	sas_are seattle 0 || bad "SAs after flush"
	wait_for 5 sas_are boise 0 || bad "flush: boise was not told"
	tunnel_is seattle down || bad "after flush: $(tunnel_field seattle state)"
	ctl seattle up net 2>"$W/err" && bad "up without policies"
	grep -q 'ipsecctl reload' "$W/err" || bad "up after flush: $(cat "$W/err")"
	sleep 1
	sas_are seattle 0 || bad "SAs come back after flush"
	ctl seattle reload || bad "reload"
	traps_are seattle 3 || bad "traps after reload: $(traps seattle)"
}

# One Child a pair of networks, each with a reqid that its policies have; and two
# hosts in transport mode.  Each packet goes by its own SA, or the kernel there drops it.
half_ping() { on alice ping -n -c 1 -W 2 "$1"; }
modes() { on seattle ip xfrm state | grep -c "mode $1"; }
reqids() { on "$1" ip xfrm policy | sed -n 's/.* reqid \([0-9]*\) .*/\1/p' | sort -u | grep -c .; }
pairs_conf() {
	conf_write seattle <<-CONF
	ikev2 "net" ondemand $1 from $LAN_SEATTLE to { 10.2.0.0/25, 10.2.0.128/25 } \
	    local $WAN_SEATTLE peer $WAN_BOISE psk "$PSK"
	ikev2 "hosts" ondemand transport proto icmp from $WAN_SEATTLE to $WAN_BOISE psk "$PSK"
	CONF
	conf_write boise <<-CONF
	ikev2 "net" passive $2 from { 10.2.0.0/25, 10.2.0.128/25 } to $LAN_SEATTLE \
	    local $WAN_BOISE peer $WAN_SEATTLE psk "$PSK"
	ikev2 "hosts" transport proto icmp from $WAN_BOISE to $WAN_SEATTLE psk "$PSK"
	CONF
	ctl seattle reload && ctl boise reload || bad "reload"
}
step_pairs() {
	on bob ip addr add 10.2.0.200/24 dev lan
	for _who in "single/" "/single"; do
		pairs_conf "${_who%/*}" "${_who#*/}"
		wait_for 20 traps_are seattle 6 || bad "$_who: $(traps seattle) traps"
		wait_for 30 half_ping 10.2.0.10 || bad "$_who: no reply from the lower half"
		wait_for 10 sas_are seattle 4 || bad "$_who: $(sa_count seattle) SAs"
		half_ping 10.2.0.200 >/dev/null || bad "$_who: no reply from the upper half"
		half_ping 10.2.0.10 >/dev/null || bad "$_who: and now not from the lower"
		[ "$(reqids seattle)" -ge 3 ] || bad "$_who: $(reqids seattle) reqids"
		_spi=$(tunnel_field seattle spi_in)
		ctl seattle rekey net >/dev/null
		wait_for 20 anew "$_spi" && wait_for 20 sas_are seattle 4 ||
		    bad "$_who: no new SAs alone"
		half_ping 10.2.0.200 >/dev/null && half_ping 10.2.0.10 >/dev/null ||
		    bad "$_who: no reply after a rekey"
	done
	wait_for 20 on seattle ping -n -c 1 -W 2 $WAN_BOISE || bad "transport: no reply"
	[ "$(modes transport)" = 2 ] || bad "transport: $(modes transport) SAs"
	on seattle ping -n -c 1 -W 2 $WAN_BOISE >/dev/null || bad "transport: no second reply"
	confs
	ctl seattle reload && ctl boise reload || bad "reload"
	wait_for 20 traps_are seattle 3 || bad "pairs: $(traps seattle) traps in the end"
	wait_for 30 hosts_ping || bad "pairs: no reply in the end"
	on bob ip addr del 10.2.0.200/24 dev lan
}

# TERM: the peer hears of it, children end, traps stay. -x: they go.
step_stop() {
	wait_for 30 hosts_ping || bad "no tunnel before the end"
	wait_for 10 both_up
	_told=$(grep -c "$TOLD" "$OUT/boise/iked.log")
	kill -TERM "$IKED_seattle"
	wait "$IKED_seattle"
	_st=$?
	[ $_st = 0 ] || bad "exit status $_st"
	[ -z "$(iked_pids seattle)" ] || bad "processes are left"
	traps_are seattle 3 || bad "TERM: $(traps seattle) traps"
	sas_are seattle 0 || bad "TERM: SAs are left"
	on seattle ls /var/run/iked.sock >/dev/null 2>&1 && bad "the socket is left"
	wait_for 5 told $((_told + 1)) || bad "boise was not told: $(tunnel_field boise state)"
	hosts_ping >/dev/null && bad "a reply without iked"
	# In the background this time: when the command returns, the traps stand.
	on seattle ip xfrm policy deleteall
	on seattle "$BIN/iked" -f "$W/seattle/iked.conf" || bad "in the background: status $?"
	traps_are seattle 3 || bad "not ready when it said so"
	wait_for 30 hosts_ping || bad "no reply"
	on seattle "$BIN/iked" -x -f "$W/seattle/iked.conf" 2>"$W/err" || bad "-x: status $?"
	grep 'cannot do ESP' "$W/err" && bad "-x tells what it has no use for"
	traps_are seattle 0 || bad "-x: traps are left"
	sas_are seattle 0 || bad "-x: SAs are left"
	[ -z "$(iked_pids seattle)" ] || bad "-x: processes are left"
	# Stopped by TERM, cleaned up later.
	on seattle "$BIN/iked" -f "$W/seattle/iked.conf" || bad "again: status $?"
	on seattle sh -c 'kill $(cat /var/run/iked.pid)'
	wait_for 5 no_iked seattle || bad "TERM: still there"
	traps_are seattle 3 || bad "TERM: traps"
	on seattle "$BIN/iked" -x -f "$W/seattle/iked.conf" || bad "-x afterwards"
	traps_are seattle 0 || bad "-x afterwards: traps are left"
}

# --- the run ---------------------------------------------------------------

users_make
site_make || exit 1
confs
cap_start clear core toseattle toboise || exit 1
# What its caller has open is not iked's.
exec 9<"$W/passwd"
iked_start boise && iked_start seattle || exit 1
exec 9<&-
wait_for 20 traps_are seattle 3 && wait_for 20 traps_are boise 3 || bad "no traps"
for step; do
	echo "--- $step"
	"step_$step"
	case $step in
	flush|left|broken|given|taken)	;;
	*)	nothing_clear || bad "$step: packets in clear on core" ;;
	esac
	echo "ok: $step"
done
for gw in seattle boise; do
	echo "--- log of $gw"
	cat "$OUT/$gw/iked.log"
done
site_end
exit $failed
