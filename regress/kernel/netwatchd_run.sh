#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Inside the kernel with IPsec (see uml.sh): netwatchd_run.sh BINDIR STEP ...
# The real netwatchd, its sandbox on, in the article's network (lib.sh).

BIN=$1
shift
. "$TOP/regress/kernel/lib.sh"
. "$TOP/regress/kernel/netwatchd_more.sh"
failed=0
bad() {
	echo "FAILED $STEP: $*"
	failed=1
}
NWLOG=$OUT/seattle/netwatchd.log
said() { grep -q -- "$1" "$NWLOG"; }

conf() {
	conf_write seattle <<-CONF
	ikev2 "boise" ondemand tunnel esp from $LAN_SEATTLE to $LAN_BOISE \\
	    local $WAN_SEATTLE peer $WAN_BOISE \\
	    keepalive target 10.2.0.1 interval ${1:-2} \\
	    psk "${2:-a secret that both sides have in common}"
	CONF
	conf_write boise <<-CONF
	ikev2 "seattle" ondemand tunnel esp from $LAN_BOISE to $LAN_SEATTLE \\
	    local $WAN_BOISE peer $WAN_SEATTLE \\
	    keepalive target 10.1.0.1 interval ${1:-2} \\
	    psk "${2:-a secret that both sides have in common}"
	CONF
}

probe_pid() {
	for _p in $(host_pids seattle); do
		tr '\0' ' ' <"/proc/$_p/cmdline" | grep -q '^netwatchd -P probe' &&
		    echo "$_p"
	done
}
probe_is_another() {
	_now=$(probe_pid)
	[ -n "$_now" ] && [ "$_now" != "$1" ]
}

# Without iked: a plain watcher, and every promise about the source.
step_plain() {
	conf
	cap_start wan core toseattle || bad "no capture"
	netwatchd_start seattle
	wait_for 20 said 'keepalive "boise": up, first reply after [0-9]* ms (10.1.0.1 -> 10.2.0.1)' ||
	    bad "no reply seen"
	said 'iked is not running' || bad "iked is not missed"

	# No right is left to the process that reads packets.
	pid=$(probe_pid)
	st=/proc/$pid/status
	uid=$(id -u _netwatch)
	grep -q "^Uid:[[:space:]]*$uid[[:space:]]$uid[[:space:]]$uid" $st ||
	    bad "probe has uid $(grep ^Uid $st)"
	grep -q '^Seccomp:[[:space:]]2' $st || bad "probe has no sandbox"
	grep -q '^CapPrm:[[:space:]]0000000000000000' $st || bad "probe has capabilities"
	[ "$(readlink /proc/$pid/root)" = /var/empty ] || bad "probe's root is not empty"

	# The source goes: silence.  It comes back: up.
	on seattle ip addr del 10.1.0.1/24 dev lan
	wait_for 20 said 'no address of this machine is inside 10.1.0.0/24' ||
	    bad "a missing source is not noticed"
	sleep 1
	cap_start quiet core toseattle
	sleep 4
	[ "$(cap_stop quiet)" = 0 ] || bad "quiet capture dropped"
	[ "$(cap_count quiet 'icmp')" = 0 ] || bad "packets without a source"
	on seattle ip addr add 10.1.0.1/24 dev lan
	ups() { [ "$(grep -c 'up, first reply' "$NWLOG")" -ge "$1" ]; }
	wait_for 20 ups 2 || bad "not up after the address came back"

	# The way is cut: down within seconds; and back.
	on core ip link set toboise down
	wait_for 30 said 'keepalive "boise": down: 4 probes unanswered (10.1.0.1 -> 10.2.0.1)' ||
	    bad "down is not noticed"
	on core sh -c 'ip link set toboise up; ip route replace 10.2.0.0/24 via 198.51.100.1'
	wait_for 30 ups 3 || bad "not up after the way came back"

	# The probe process is killed: another one starts.
	kill -KILL "$pid"
	wait_for 20 probe_is_another "$pid" || bad "no other probe process"
	wait_for 30 ups 4 || bad "the other one sees nothing"

	# A bad file changes nothing, a good one removes the tunnel.
	echo 'ikev2 "boise" ondmand' >"$W/seattle/iked.conf"
	kill -HUP "$NETWATCHD_seattle"
	wait_for 10 said 'nothing has changed' || bad "a bad file is not refused"
	: >"$W/seattle/iked.conf"
	kill -HUP "$NETWATCHD_seattle"
	wait_for 10 said 'watching 0 tunnels' || bad "no reload"

	on seattle test -s /run/netwatchd.pid || bad "no pid file"
	prog_stop NETWATCHD seattle
	on seattle test -e /run/netwatchd.pid && bad "the pid file stays"
	[ -z "$(probe_pid)" ] || bad "the probe process stays"
	[ "$(cap_stop wan)" = 0 ] || bad "capture dropped packets"
	[ "$(cap_count wan 'icmp[icmptype] = icmp-echo')" -ge 5 ] || bad "the capture saw nothing"
	[ "$(cap_count wan 'icmp[icmptype] = icmp-echo and not src host 10.1.0.1')" = 0 ] ||
	    bad "probes with another source"
	grep 'sandbox' "$NWLOG" && bad "the sandbox bit"
	:
}

ka_is() { ctl "$1" show keepalive -j 2>/dev/null | field state | grep -qx "$2"; }
hex() { ctl "$1" show sa -j | field "$2"; }

# With iked on both sides: netwatchd alone brings the tunnel up.
step_tunnel() {
	conf
	cap_start wan core toseattle toboise || bad "no capture"
	iked_start seattle || bad "no iked"
	iked_start boise || bad "no iked"
	netwatchd_start seattle
	netwatchd_start boise
	wait_for 20 ka_is seattle up || bad "seattle is not up"
	wait_for 20 ka_is boise up || bad "boise is not up"
	[ "$(tunnel_field seattle wake)" = keepalive ] ||
	    [ "$(tunnel_field boise wake)" = keepalive ] || bad "woken by something else"
	# A few more probes, then figures.
	sleep 5
	for gw in seattle boise; do
		ctl $gw show
		ctl $gw show keepalive | tee "$OUT/$gw/keepalive.txt"
		grep -Eq '^(boise|seattle) +up .* -> .* [0-9]+\.[0-9]ms .* [0-9.]+% ' "$OUT/$gw/keepalive.txt" ||
		    bad "$gw: no RTT or loss"
	done
	[ -n "$(hex seattle spi_in)" ] || bad "no SPI"
	[ "$(hex seattle spi_in)" = "$(hex boise spi_out)" ] || bad "SPIs do not mirror"
	[ "$(hex seattle spi_out)" = "$(hex boise spi_in)" ] || bad "SPIs do not mirror"

	# The level of iked's log is netwatchd's, too: a reload is no news, and then it is.
	ctl seattle log warning || bad "no level"
	kill -HUP "$NETWATCHD_seattle"
	sleep 2
	said 'reloaded: watching' && bad "log warning does not reach netwatchd"
	ctl seattle log info || bad "no level"
	kill -HUP "$NETWATCHD_seattle"
	wait_for 20 said 'reloaded: watching' || bad "log info does not reach netwatchd"

	# iked ends and comes back: netwatchd finds it again by itself.
	iked_slay seattle
	iked_start seattle || bad "no iked again"
	wait_for 30 ka_is seattle up || bad "not up after iked came back"
	prog_stop NETWATCHD seattle
	prog_stop NETWATCHD boise
	prog_stop IKED seattle
	prog_stop IKED boise
	[ "$(cap_stop wan)" = 0 ] || bad "capture dropped packets"
	[ "$(cap_count wan "$CLEAR")" = 0 ] || bad "packets in clear"
	[ "$(cap_count wan esp)" -gt 0 ] || bad "no ESP"
}

# Its own control socket: with iked and without it.
step_control() {
	# so long that nothing but a command sends meanwhile
	conf 1h
	netwatchd_start seattle
	wait_for 20 said 'up, first reply' || bad "no reply seen"
	[ "$(on seattle stat -c '%U:%G %a' /run/netwatchd.sock)" = 'root:_iked 660' ] ||
	    bad "the socket is $(on seattle stat -c '%U:%G %a' /run/netwatchd.sock)"
	on seattle "$BIN/ipsecctl" events -j >"$OUT/seattle/events" &
	events=$!
	# iked is not running: netwatchd itself answers.
	ctl seattle show keepalive boise || bad "no show"
	[ "$(ctl seattle show keepalive -j | field source)" = 10.1.0.1 ] || bad "no JSON"
	ctl seattle show keepalive nothere 2>&1 | grep 'watches no tunnel' || bad "nothere is there"
	ctl seattle show keepalive -o metrics >"$OUT/seattle/metrics" || bad "no metrics"
	grep -x 'ikeep_keepalive_up{tunnel="boise"} 1' "$OUT/seattle/metrics" || bad "not up in metrics"
	[ "$(tail -n 1 "$OUT/seattle/metrics")" = '# EOF' ] || bad "metrics have no end"
	sent() { ctl seattle show keepalive -j | field sent; }
	was=$(sent)
	ctl seattle probe boise || bad "no probe"
	wait_for 20 sent_more "$was" || bad "probe sends nothing"
	conf
	kill -HUP "$NETWATCHD_seattle"
	wait_for 20 said 'reloaded: watching' || bad "no reload"
	# The way is cut, the source goes and comes: events tell.
	on core ip link set toboise down
	wait_for 30 ka_is seattle down || bad "down is not noticed"
	on core sh -c 'ip link set toboise up; ip route replace 10.2.0.0/24 via 198.51.100.1'
	wait_for 30 ka_is seattle up || bad "not up after the way came back"
	on seattle ip addr del 10.1.0.1/24 dev lan
	wait_for 20 ka_is seattle no-source || bad "a missing source is not noticed"
	ctl seattle probe boise 2>&1 | grep 'nothing can be sent' || bad "sends without a source"
	cat "$OUT/seattle/events"
	for e in down up source; do
		grep -q "\"event\":\"$e\".*\"tunnel\":\"boise\"" "$OUT/seattle/events" ||
		    bad "no event $e"
	done
	# The probe process is killed: the next one answers on the same socket.
	pid=$(probe_pid)
	kill -KILL "$pid"
	wait "$events" 2>/dev/null && bad "events did not say that it ended"
	wait_for 20 probe_is_another "$pid" || bad "no other probe process"
	wait_for 20 ka_is seattle no-source || bad "the other one does not answer"
	prog_stop NETWATCHD seattle
	on seattle test -e /run/netwatchd.sock && bad "the socket stays"
	ctl seattle show keepalive 2>/dev/null
	[ $? = 3 ] || bad "no status 3 where nobody runs"
	grep 'sandbox' "$NWLOG" && bad "the sandbox bit"
	:
}
# ping and trace through the tunnel: to the far gateway, and to a host behind it.
step_ping() {
	conf
	conf_write seattle <<-CONF
	ikev2 "boise" ondemand tunnel esp from $LAN_SEATTLE to $LAN_BOISE \\
	    local $WAN_SEATTLE peer $WAN_BOISE keepalive target 10.2.0.10 interval 2 \\
	    psk "a secret that both sides have in common"
	CONF
	cap_start wan core toseattle toboise || bad "no capture"
	iked_start seattle || bad "no iked"
	iked_start boise || bad "no iked"
	netwatchd_start seattle
	netwatchd_start boise
	wait_for 20 ka_is seattle up || bad "seattle is not up"
	wait_for 20 ka_is boise up || bad "boise is not up"
	ctl boise ping seattle -c 3 -i 0.1 | tee "$OUT/boise/ping"
	[ "$(grep -c '^64 octets from 10.1.0.1: seq [012], [0-9.]* ms$' "$OUT/boise/ping")" = 3 ] ||
	    bad "no three replies"
	grep -q '^seattle: 3 sent, 3 received, 0% lost, least ' "$OUT/boise/ping" || bad "no sum"
	ctl boise trace seattle | tee "$OUT/boise/trace"
	grep -Eq '^ 1  10.1.0.1  [0-9.]+ ms  through the tunnel$' "$OUT/boise/trace" ||
	    bad "the tunnel is not one hop"
	# Larger than the way: said at once, by this machine or by who cannot pass it on.
	ctl boise ping seattle -c 1 -l 1400 -j || bad "1400 octets do not pass"
	ctl boise ping seattle -c 1 -l 9000 >"$OUT/boise/ping"
	[ $? = 4 ] || bad "9000 octets pass"
	cat "$OUT/boise/ping"
	# A host behind the gateway: two hops, whose first may say nothing (its address
	# is outside the tunnel's nets).
	ctl seattle trace boise | tee "$OUT/seattle/trace"
	grep -Eq '^ 2  10.2.0.10  [0-9.]+ ms$' "$OUT/seattle/trace" || bad "bob is not two hops away"
	on bob ip link set lan down
	ctl seattle ping boise -c 2 -i 0.1
	[ $? = 4 ] || bad "a silent target has status 0"
	ctl seattle ping nothere; [ $? = 1 ] || bad "nothere is pinged"
	prog_stop NETWATCHD seattle
	prog_stop NETWATCHD boise
	prog_stop IKED seattle
	prog_stop IKED boise
	[ "$(cap_stop wan)" = 0 ] || bad "capture dropped packets"
	[ "$(cap_count wan "$CLEAR")" = 0 ] || bad "packets in clear"
	grep 'sandbox' "$NWLOG" && bad "the sandbox bit"
	:
}
sent_more() { [ "$(sent)" -gt "$1" ]; }

# By TCP, UDP, DNS and HTTP to a host in Boise's LAN: through the tunnel or not at all.
# Each is a tunnel of its own, from an address of Seattle's that only it has.
kinds_conf() {
	_n=1
	for _p in 'tcp 7001' 'udp 7002' 'dns example.net' 'http 8080 /up'; do
		printf 'ikev2 "%s" ondemand from 10.1.0.%d to 10.2.0.10 local %s peer %s \\\n' \
		    "${_p%% *}" $_n "$WAN_SEATTLE" "$WAN_BOISE"
		printf '\tkeepalive probe %s interval 1s psk "a secret that both sides have in common"\n' \
		    "$_p"
		_n=$((_n + 1))
	done
}
kind_is() { ctl seattle show keepalive "$1" -j 2>/dev/null | field state | grep -qx "$2"; }
kind_note() { ctl seattle show keepalive "$1" -j 2>/dev/null | field note | grep -q "$2"; }
step_kinds() {
	kinds_conf | conf_write seattle
	kinds_conf | sed "s/from \([^ ]*\) to \([^ ]*\) local \([^ ]*\) peer \([^ ]*\)/from \2 to \1 local \4 peer \3/; \
	    s/^	keepalive.*psk/	psk/" | conf_write boise
	on seattle sh -c 'for i in 2 3 4; do ip addr add 10.1.0.$i/24 dev lan; done'
	: >"$OUT/boise/serve.log"
	spawn bob "$OUT/boise/serve.log" "$BIN/regress/tools/tool_serve" 10.2.0.10
	serve=$SPAWNED
	cap_start wan core toseattle toboise || bad "no capture"
	# First without a peer: SYNs and datagrams have to wait for an SA that never comes.
	iked_start seattle || bad "no iked"
	netwatchd_start seattle
	sleep 5
	[ -s "$OUT/boise/serve.log" ] && bad "a probe arrived without a tunnel"
	iked_start boise || bad "no iked"
	n=1
	for kind in tcp udp dns http; do
		wait_for 60 kind_is $kind up || bad "$kind is not up"
		grep -qx "$kind 10.1.0.$n" "$OUT/boise/serve.log" || bad "no $kind from 10.1.0.$n"
		n=$((n + 1))
	done
	ctl seattle show keepalive
	sleep 3
	# The servers go: refused at once, and it is said; UDP takes that for an answer.
	kill "$serve"
	wait "$serve" 2>/dev/null
	wait_for 30 kind_is tcp down || bad "tcp is not down"
	wait_for 5 kind_note tcp 'connection refused' || bad "tcp does not say why"
	wait_for 30 kind_is http down || bad "http is not down"
	wait_for 30 kind_is dns down || bad "dns is not down"
	wait_for 5 kind_note dns 'nobody serves its port' || bad "dns does not say why"
	kind_is udp up || bad "udp is not up"
	ctl seattle show keepalive
	# Without its source none of them leaves.
	on seattle sh -c 'for i in 4 3 2 1; do ip addr del 10.1.0.$i/24 dev lan; done'
	for kind in tcp udp dns http; do
		wait_for 20 kind_is $kind no-source || bad "$kind has a source"
	done
	cap_start quiet core toseattle
	sleep 4
	[ "$(cap_stop quiet)" = 0 ] || bad "quiet capture dropped"
	[ "$(cap_count quiet 'tcp or (udp and not port 500 and not port 4500)')" = 0 ] ||
	    bad "packets without a source"
	prog_stop NETWATCHD seattle
	prog_stop IKED seattle
	prog_stop IKED boise
	[ "$(cap_stop wan)" = 0 ] || bad "capture dropped packets"
	# Neither from LAN to LAN nor by another source.
	clear="net 10.0.0.0/8 or tcp or (udp and not port 500 and not port 4500)"
	[ "$(cap_count wan "$clear")" = 0 ] ||
	    bad "packets in clear: $(cap_lines wan toseattle "$clear" | head -n 3)"
	[ "$(cap_count wan esp)" -gt 20 ] || bad "no ESP"
	grep 'sandbox' "$NWLOG" && bad "the sandbox bit"
	:
}

# NAT takes the probe before IPsec sees it: said in one line, and healed by the exemption.
step_localmiss() {
	conf
	for _m in ip_tables iptable_nat xt_MASQUERADE; do
		modprobe -q -d /run/m $_m 2>/dev/null
	done
	on seattle iptables-legacy -t nat -A POSTROUTING -o wan -j MASQUERADE ||
	    bad "no masquerade on this kernel"
	iked_start seattle || bad "no iked"
	iked_start boise || bad "no iked"
	netwatchd_start seattle
	wait_for 60 said 'something on this machine (NAT, firewall, route, or a policy that is gone) eats packets from 10.1.0.1 to 10.2.0.1 before IPsec sees them' ||
	    bad "local miss is not noticed"
	wait_for 5 ka_is seattle local-miss || bad "show does not say local-miss"
	ctl seattle show keepalive
	tunnel_is seattle up || bad "the tunnel is not up"
	on seattle iptables-legacy -t nat -I POSTROUTING -o wan -d $LAN_BOISE -j ACCEPT
	# Connections that NAT has already rewritten stay so: a new ICMP id is needed.
	prog_stop NETWATCHD seattle
	netwatchd_start seattle
	wait_for 20 ka_is seattle up || bad "not up with the exemption"
	prog_stop NETWATCHD seattle
	prog_stop IKED seattle
	prog_stop IKED boise
}

pmtu_of() { ctl seattle show keepalive boise -j 2>/dev/null | field pmtu; }
pmtu_known() { [ "$(pmtu_of)" -gt 0 ]; }
# big OCTETS: does an IP packet of that size pass, unfragmented?
big() { on seattle ping -q -M do -c 3 -i 0.2 -W 1 -I 10.1.0.1 -s $(($1 - 28)) 10.2.0.10 >/dev/null 2>&1; }

# A WAN that takes 1400 octets: the search finds what ESP leaves of them.
step_pmtu() {
	conf_write seattle <<-CONF
	ikev2 "boise" ondemand tunnel esp from $LAN_SEATTLE to $LAN_BOISE \\
	    local $WAN_SEATTLE peer $WAN_BOISE \\
	    keepalive target 10.2.0.1 interval 2 pmtu \\
	    psk "a secret that both sides have in common"
	CONF
	conf_write boise <<-CONF
	ikev2 "seattle" passive tunnel esp from $LAN_BOISE to $LAN_SEATTLE \\
	    local $WAN_BOISE peer $WAN_SEATTLE \\
	    psk "a secret that both sides have in common"
	CONF
	on core ip link set toboise mtu 1400
	iked_start seattle
	iked_start boise
	netwatchd_start seattle
	wait_for 20 ka_is seattle up || bad "not up"
	wait_for 120 pmtu_known || bad "no result"
	size=$(pmtu_of)
	echo "pmtu $size"
	{ [ "$size" -gt 1300 ] && [ "$size" -lt 1400 ]; } || bad "$size octets of 1400"
	said "packets up to $size octets pass" || bad "the result is not in the log"
	big "$size" || bad "$size octets do not pass"
	! big $((size + 1)) || bad "more than $size octets pass"
	ka_is seattle up || bad "the search took the tunnel down"
	prog_stop NETWATCHD seattle
	prog_stop IKED seattle
	prog_stop IKED boise
}

# ping and trace go the way that the probes go, and as large: by a mark, and marked in the DSCP.
step_marked() {
	conf_write seattle <<-CONF
	watch "plain" $WAN_BOISE interval 1
	watch "marked" $WAN_BOISE interval 1 mark 7 dscp 46 size 333
	CONF
	on seattle ip route add unreachable default table 77 || bad "no second table"
	on seattle ip rule add fwmark 7 table 77 || bad "no rules in this kernel"
	netwatchd_start seattle
	watched_is() { ctl seattle show keepalive "$1" -j 2>/dev/null | field state | grep -qx "$2"; }
	wait_for 20 watched_is plain up || bad "plain is not up"
	watched_is marked up && bad "the mark does not route its probes"
	ctl seattle ping plain -c 2 -i 0.1 || bad "plain is not pinged"
	ctl seattle ping marked -c 2 -i 0.1
	[ $? = 4 ] || bad "a ping of marked goes another way than its probes"
	ctl seattle trace marked
	[ $? = 4 ] || bad "a trace of marked goes another way than its probes"
	on seattle ip rule del fwmark 7 table 77
	wait_for 60 watched_is marked up || bad "marked is not up"
	cap_start wan core toseattle || bad "no capture"
	ctl seattle ping marked -c 3 -i 0.1 -j | tee "$OUT/seattle/ping"
	grep -q '"octets":333' "$OUT/seattle/ping" || bad "the ping is not as large as the probes"
	ctl seattle trace marked || bad "marked is not traced"
	[ "$(cap_stop wan)" = 0 ] || bad "capture dropped packets"
	[ "$(cap_count wan 'icmp[icmptype] = icmp-echo and ip[1] = 184 and ip[2:2] = 353')" -ge 4 ] ||
	    bad "no pings of that DSCP and size"
	prog_stop NETWATCHD seattle
	grep 'sandbox' "$NWLOG" && bad "the sandbox bit"
	:
}

# What netwatchd.service leaves a process, as options of setpriv(1).
unit_rights() {
	_caps=$(sed -n 's/^CapabilityBoundingSet=//p' "$TOP/etc/systemd/netwatchd.service" |
	    tr 'A-Z\n' 'a-z ' | sed 's/cap_/+/g; s/ *$//; s/  */,/g')
	grep -q '^NoNewPrivileges=yes' "$TOP/etc/systemd/netwatchd.service" || return 1
	echo "--no-new-privs --bounding-set -all,$_caps"
}
hook_said() { on seattle grep -q -- "$1" /run/hooks/log; }
# hook_env KIND: its environment, a line each
hook_env() { on seattle cat "/run/hooks/env.$1" | tr '\0' '\n'; }
hook_had() { hook_env "$1" | grep -q -- "$2"; }
hook_conf() {
	conf_write seattle <<-CONF
	ikev2 "boise" ondemand tunnel esp from $LAN_SEATTLE to $LAN_BOISE \\
	    local $WAN_SEATTLE peer $WAN_BOISE \\
	    keepalive target 10.2.0.1 interval 1 \\
	    onup "/run/hooks/say" ondown "/run/hooks/say" ontest "/run/hooks/say" \\
	    psk "a secret that both sides have in common"
	CONF
	conf_write boise <<-CONF
	ikev2 "seattle" passive tunnel esp from $LAN_BOISE to $LAN_SEATTLE \\
	    local $WAN_BOISE peer $WAN_SEATTLE \\
	    psk "a secret that both sides have in common"
	CONF
}
# What it is given, and that it may do what netwatchd(8) says of hooks under systemd.
hook_write() {
	on seattle sh -c 'mkdir -m 755 /run/hooks && cat >/run/hooks/say && chmod 755 /run/hooks/say' <<-'HOOK'
	#!/bin/sh
	# Few processes: it has 10 seconds, on a machine that may be busy.
	exec >>/run/hooks/log 2>&1
	[ "$1" = test ] && [ -e /run/hooks/env.test ] && exit
	cat /proc/$$/environ >"/run/hooks/env.$1"
	while read -r k v _; do
		[ "$k" = Uid: ] && uid=$v
	done </proc/$$/status
	[ /proc/self/fd/0 -ef /dev/null ] && echo "$1: its input is null"
	case $1 in
	down)	ip route replace blackhole 10.77.0.0/16 && echo "routed" ;;
	up)	ip route del blackhole 10.77.0.0/16 2>/dev/null ;;
	esac
	echo "$1 of $2, $# arguments, uid $uid, in $(pwd)"
	HOOK
}

# Hooks under the real parent, with the rights of the systemd unit, and a reload between.
step_hooks() {
	hook_conf
	hook_write || bad "no hook"
	rights=$(unit_rights) || bad "the unit has moved"
	iked_start seattle || bad "no iked"
	iked_start boise || bad "no iked"
	# shellcheck disable=SC2086
	spawn seattle "$NWLOG" setpriv $rights "$BIN/netwatchd" -d -f "$W/seattle/iked.conf"
	NETWATCHD_seattle=$SPAWNED
	wait_for 20 ka_is seattle up || bad "seattle is not up"
	wait_for 60 hook_said '^up of boise, 2 arguments, uid 0, in /$' || bad "no hook for up"
	wait_for 60 hook_said '^test of boise, 2 arguments, uid 0, in /$' || bad "no hook for test"
	hook_said '^up: its input is null$' || bad "up has an input"
	# The environment is what the manual says, and nothing else.
	hook_env up | sed -n 's/=.*//p' | sort >"$OUT/is"
	printf '%s\n' IKEEP_EVENT IKEEP_LOSS IKEEP_NAME IKEEP_REASON IKEEP_RTT_US IKEEP_SOURCE \
	    IKEEP_STATE IKEEP_TARGET IKEEP_VERDICT PATH >"$OUT/want"
	diff "$OUT/want" "$OUT/is" || bad "another environment"
	for line in IKEEP_NAME=boise IKEEP_EVENT=up IKEEP_STATE=up IKEEP_VERDICT=up \
	    IKEEP_SOURCE=10.1.0.1 IKEEP_TARGET=10.2.0.1 IKEEP_LOSS=0.0; do
		hook_had up "^$line\$" || bad "up without $line"
	done
	hook_had test '^IKEEP_RTT_US=[1-9]' || bad "test without a time"
	# A reload keeps what is known: another tunnel comes, this one goes on.
	sent=$(ctl seattle show keepalive boise -j | field sent)
	since=$(ctl seattle show keepalive boise -j | field since_ms)
	cat >>"$W/seattle/iked.conf" <<-CONF
	watch "self" 10.1.0.1
	CONF
	kill -HUP "$NETWATCHD_seattle"
	wait_for 10 said 'watching 2 tunnels' || bad "no reload"
	sleep 1
	ka="$(ctl seattle show keepalive boise -j)"
	[ "$(echo "$ka" | field state)" = up ] || bad "a reload takes it down"
	[ "$(echo "$ka" | field sent)" -ge "$sent" ] || bad "a reload loses its numbers"
	[ "$(echo "$ka" | field since_ms)" -gt "$since" ] || bad "a reload begins anew"
	[ "$(on seattle grep -c '^up of' /run/hooks/log)" = 1 ] || bad "a reload runs hooks"
	ctl seattle show keepalive boise -v | tee "$OUT/seattle/verbose"
	grep -q '^    lost in the last hour, by minute: |.*[.]| now$' "$OUT/seattle/verbose" ||
	    bad "no history"
	# The way is cut: down, with the rights to change a route.
	on core ip link set toboise down
	wait_for 90 hook_said '^down of boise, 2 arguments' || bad "no hook for down"
	hook_said '^routed$' || bad "a hook may not change routes"
	hook_had down '^IKEEP_STATE=down$' || bad "down without its state"
	hook_had down '^IKEEP_REASON=.' || bad "down without a reason"
	on seattle ip route show type blackhole | grep 10.77.0.0/16 || bad "no route"
	on core sh -c 'ip link set toboise up; ip route replace 10.2.0.0/24 via 198.51.100.1'
	unrouted() { [ -z "$(on seattle ip route show type blackhole)" ]; }
	wait_for 90 unrouted || bad "no hook for up again"
	on seattle cat /run/hooks/log
	prog_stop NETWATCHD seattle
	prog_stop IKED seattle
	prog_stop IKED boise
	grep 'sandbox' "$NWLOG" && bad "the sandbox bit"
	:
}

# The backup of a pair, by command and by the script for keepalived.
step_backup() {
	conf
	netwatchd_start seattle
	wait_for 20 ka_is seattle up || bad "not up"
	ctl seattle keepalive backup on || bad "no backup"
	ka_is seattle backup || bad "it is no backup when the command is done"
	on seattle test -e /run/netwatchd.backup || bad "nobody remembers"
	sleep 1
	cap_start quiet core toseattle
	sleep 5
	[ "$(cap_stop quiet)" = 0 ] || bad "quiet capture dropped"
	[ "$(cap_count quiet 'icmp')" = 0 ] || bad "the backup sends"
	ctl seattle ping boise -c 1 2>&1 | grep 'this node is the backup' || bad "the backup pings"
	# Another probe process and another daemon know it, too.
	pid=$(probe_pid)
	kill -KILL "$pid"
	wait_for 20 probe_is_another "$pid" || bad "no other probe process"
	wait_for 20 ka_is seattle backup || bad "the other one is no backup"
	prog_stop NETWATCHD seattle
	netwatchd_start seattle
	wait_for 20 ka_is seattle backup || bad "a restart makes it the master"
	ctl seattle keepalive backup off || bad "no master"
	on seattle test -e /run/netwatchd.backup && bad "the file stays"
	wait_for 20 ka_is seattle up || bad "the master is not up"
	# What keepalived runs: with the daemon, and without it.
	sed "s,^PATH=,PATH=$BIN:," "$TOP/share/examples/netwatchd.keepalived" >"$W/notify"
	on seattle sh "$W/notify" INSTANCE lan BACKUP 100 || bad "the script fails"
	ka_is seattle backup || bad "the script makes no backup"
	on seattle sh "$W/notify" INSTANCE lan MASTER 100 || bad "the script fails"
	wait_for 20 ka_is seattle up || bad "the script makes no master"
	on seattle sh "$W/notify" INSTANCE lan NONSENSE 2>/dev/null && bad "nonsense is a state"
	prog_stop NETWATCHD seattle
	on seattle sh "$W/notify" INSTANCE lan FAULT 100 || bad "the script fails without a daemon"
	netwatchd_start seattle
	wait_for 20 ka_is seattle backup || bad "what was said before the start is lost"
	on seattle sh "$W/notify" GROUP lan MASTER 100
	wait_for 20 ka_is seattle up || bad "not up at last"
	prog_stop NETWATCHD seattle
	grep 'sandbox' "$NWLOG" && bad "the sandbox bit"
	:
}

verdict_is() { ctl "$1" show keepalive -j 2>/dev/null | field verdict | grep -qx "$2"; }
# Three verdicts provoked, and what is done: a dead SA is rekeyed; a silent target moves
# nothing while others' packets pass; a dead peer is found again.  (make life has more.)
step_verdicts() {
	for _m in ip_tables iptable_filter xt_esp; do
		modprobe -q -d /run/m $_m 2>/dev/null
	done
	conf
	for gw in seattle boise; do
		sed 's/target [0-9.]* interval 2/target 10.X.0.1, 10.X.0.10 interval 1 pace always/' \
		    "$W/$gw/iked.conf" >"$W/conf"
		case $gw in
		seattle) sed 's/10\.X/10.2/g' "$W/conf" | conf_write $gw ;;
		boise)	sed 's/10\.X/10.1/g' "$W/conf" | conf_write $gw ;;
		esac
	done
	cap_start wan core toseattle toboise || bad "no capture"
	for gw in seattle boise; do
		iked_start $gw || bad "no iked"
		netwatchd_start $gw
	done
	wait_for 30 ka_is seattle up || bad "seattle is not up"
	wait_for 30 ka_is boise up || bad "boise is not up"
	# The way drops what goes to Seattle on this SA.
	on core iptables-legacy -A FORWARD -o toseattle -p esp -m esp \
	    --espspi "$(($(hex seattle spi_in)))" -j DROP || bad "nothing can be dropped"
	wait_for 30 said ': rekey: [0-9]* packets left by the tunnel in [0-9]* ms and none came, but the peer answered IKE' ||
	    bad "no rekey"
	wait_for 30 ka_is seattle up || bad "the rekey does not help"
	grep -e ': recreate: ' -e ': reset: ' "$NWLOG" && bad "more than a rekey"
	on core iptables-legacy -F FORWARD
	wait_for 30 ka_is boise up || bad "boise is not up again"

	# Nobody at Boise answers; hosts' packets go both ways.
	ping_start hosts alice 10.1.0.10 10.2.0.2 0.2
	on boise ip addr add 10.2.0.2/24 dev lan
	acts=$(grep -c ': rekey: ' "$NWLOG")
	on bob sh -c 'echo 1 >/proc/sys/net/ipv4/icmp_echo_ignore_all'
	on boise iptables-legacy -A INPUT -d 10.2.0.1 -p icmp -j DROP
	wait_for 30 verdict_is seattle TARGET_SILENT || bad "not TARGET_SILENT"
	sleep 8
	verdict_is seattle TARGET_SILENT || bad "no longer TARGET_SILENT"
	[ "$(grep -c -e ': rekey: ' -e ': recreate: ' -e ': reset: ' "$NWLOG")" = "$acts" ] ||
	    bad "a healthy tunnel is touched"
	on bob sh -c 'echo 0 >/proc/sys/net/ipv4/icmp_echo_ignore_all'
	on boise iptables-legacy -F INPUT
	wait_for 30 ka_is seattle up || bad "not up when they answer again"
	ping_stop hosts

	# The peer is gone, with all its SAs; and comes back.
	iked_slay boise
	on boise ip xfrm state flush
	wait_for 60 verdict_is seattle PEER_DEAD || bad "not PEER_DEAD"
	[ "$(grep -c -e ': rekey: ' -e ': recreate: ' -e ': reset: ' "$NWLOG")" = "$acts" ] ||
	    bad "the dead are reset"
	iked_start boise || bad "no iked again"
	wait_for 60 ka_is seattle up || bad "not up after the peer came back"
	for gw in seattle boise; do
		prog_stop NETWATCHD $gw
		prog_stop IKED $gw
	done
	[ "$(cap_stop wan)" = 0 ] || bad "capture dropped packets"
	[ "$(cap_count wan "$CLEAR")" = 0 ] || bad "packets in clear"
	grep 'sandbox' "$NWLOG" && bad "the sandbox bit"
	:
}

for STEP; do
	mkdir -p "$OUT/seattle" "$OUT/boise"
	: >"$NWLOG"
	users_make
	site_make
	before=$failed
	"step_$STEP"
	if [ $failed -ne "$before" ]; then
		tail -n 40 "$OUT"/seattle/*.log "$OUT"/boise/*.log
	else
		echo "ok: $STEP"
	fi
	site_end
	HOSTS=
	W=$(mktemp -d "${TMPDIR:-/tmp}/ikeep.XXXXXX")
done
exit $failed
