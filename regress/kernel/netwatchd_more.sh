# SPDX-License-Identifier: ISC
#
# Steps of netwatchd_run.sh: what iked.conf(5) and netwatchd(8) promise of targets, sources,
# routing tables and backups.  Sourced by it.

SECRET="a secret that both sides have in common"
# tunnel_conf GW [MODE]: its side of the tunnel between the two LANs, keepalive's words on stdin
tunnel_conf() {
	case $1 in
	seattle) _o=boise _f="$LAN_SEATTLE to $LAN_BOISE" _l=$WAN_SEATTLE _p=$WAN_BOISE ;;
	*)	_o=seattle _f="$LAN_BOISE to $LAN_SEATTLE" _l=$WAN_BOISE _p=$WAN_SEATTLE ;;
	esac
	{
		printf 'ikev2 "%s" %s esp from %s local %s peer %s psk "%s"' "$_o" \
		    "${2:-ondemand}" "$_f" "$_l" "$_p" "$SECRET"
		[ "${2-}" = passive ] || printf ' \\\n\t%s' "$(cat)"
		echo
	} | conf_write "$1"
}
# ka GW NAME KEY, ka_has GW NAME KEY REGEX: of show keepalive
ka() { ctl "$1" show keepalive "$2" -j 2>/dev/null | field "$3"; }
ka_has() { ka "$1" "$2" "$3" | grep -q -- "$4"; }
ka_over() { [ "$(ka "$1" "$2" "$3")" -gt "$4" ]; }
count() { grep -c -- "$1" "$NWLOG"; }
pair_start() {
	iked_start seattle || bad "no iked"
	iked_start boise || bad "no iked"
	netwatchd_start seattle
}
pair_stop() {
	prog_stop NETWATCHD seattle
	prog_stop NETWATCHD boise
	prog_stop IKED seattle
	prog_stop IKED boise
	grep 'sandbox' "$NWLOG" && bad "the sandbox bit"
	:
}
tunnel_check() {
	[ "$(cap_stop wan)" = 0 ] || bad "capture dropped packets"
	[ "$(cap_count wan "$CLEAR")" = 0 ] || bad "packets in clear"
}

# Several addresses: up while `quorum' of them answer; else it is said how many do.
step_quorum() {
	tunnel_conf seattle <<-CONF
	keepalive { target 10.2.0.1, 10.2.0.2, 10.2.0.10
		quorum 2 interval 500ms timeout 500ms pace always }
	CONF
	tunnel_conf boise passive
	on boise ip addr add 10.2.0.2/32 dev lan
	pair_start
	wait_for 20 ka_is seattle up || bad "not up"
	# One is silent: nobody's loss.
	on bob ip link set lan down
	lost=$(ka seattle boise lost)
	sleep 4
	ka_is seattle up || bad "not up with two of three"
	[ "$(ka seattle boise lost)" = "$lost" ] || bad "a round with two answers is lost"
	# Two are.  boise still carries a host's packets.
	on boise ip addr add 10.2.0.3/32 dev lan
	ping_start hosts alice 10.1.0.10 10.2.0.3 0.2
	on boise ip addr del 10.2.0.2/32 dev lan
	now
	from=$NOW
	wait_for 20 ka_is seattle down || bad "one of three is enough"
	now
	echo "down after $((NOW - from)) ms"
	wait_for 20 verdict_is seattle TARGET_SILENT || bad "not TARGET_SILENT"
	wait_for 5 ka_has seattle boise note '^1 of its 3 targets answer' || bad "who answers?"
	ping_stop hosts
	grep -e ': rekey: ' -e ': recreate: ' -e ': reset: ' "$NWLOG" && bad "a healthy tunnel is touched"
	on boise ip addr add 10.2.0.2/32 dev lan
	wait_for 20 ka_is seattle up || bad "not up with two of three again"
	pair_stop
}

# Source addresses come and go under a running tunnel; without one it works unprobed.
step_source() {
	tunnel_conf seattle <<-CONF
	keepalive target 10.2.0.1 interval 1 pace always
	CONF
	tunnel_conf boise passive
	cap_start wan core toseattle toboise || bad "no capture"
	pair_start
	wait_for 20 ka_is seattle up || bad "not up"
	[ "$(ka seattle boise source)" = 10.1.0.1 ] || bad "another source"
	on seattle ip addr add 10.1.0.5/32 dev lan
	on seattle ip addr add 172.16.0.1/32 dev lan
	sleep 1
	[ "$(ka seattle boise source)" = 10.1.0.1 ] || bad "the source moves without need"
	on seattle ip addr del 10.1.0.1/24 dev lan
	wait_for 10 said 'source 10.1.0.1 is gone, using 10.1.0.5' || bad "it is not followed"
	got=$(ka seattle boise received)
	wait_for 10 ka_over seattle boise received "$got" || bad "no reply from the new source"
	ka_is seattle up || bad "not up with the new source"
	# None inside: said, nothing sent, and the tunnel stays what it is.
	on seattle ip addr del 10.1.0.5/32 dev lan
	wait_for 10 ka_is seattle no-source || bad "a missing source is not noticed"
	said 'no address of this machine is inside 10.1.0.0/24' || bad "it is not said"
	sleep 0.5
	sent=$(ka seattle boise sent)
	on seattle ip route add 10.1.0.0/24 dev lan
	ping_start hosts alice 10.1.0.10 10.2.0.10 0.2
	on alice ip route replace default dev lan
	on seattle sh -c 'echo 1 >/proc/sys/net/ipv4/conf/lan/proxy_arp'
	wait_for 10 ping_heard hosts 5 || bad "no packet passes without a source"
	ping_stop hosts
	tunnel_is seattle up || bad "the tunnel is not up"
	ctl seattle down boise || bad "no down"
	ctl seattle up boise || bad "no up"
	wait_for 10 tunnel_is seattle up || bad "not to be brought up without a source"
	[ "$(ka seattle boise sent)" = "$sent" ] || bad "it sends without a source"
	on seattle ip addr add 10.1.0.1/24 dev lan
	wait_for 10 ka_is seattle up || bad "not up with its source again"
	pair_stop
	tunnel_check
}
ping_heard() { [ "$(ping_replies "$1")" -ge "$2" ]; }

# The words for a packet, seen where it comes out of the tunnel; reloads keep what is known.
step_words() {
	tunnel_conf seattle <<-CONF
	keepalive target 10.2.0.1 interval 500ms pace always size 200 ttl 17 dscp 46
	CONF
	tunnel_conf boise passive
	echo 'watch "self" 10.1.0.1 interval 500ms' >>"$W/seattle/iked.conf"
	cap_start inner boise wan || bad "no capture"
	pair_start
	wait_for 20 kind_is boise up || bad "not up"
	sleep 2
	# but for the questions to the gateway, which end there
	echo_="icmp[icmptype] = icmp-echo and src host 10.1.0.1 and ip[8] != 1"
	all=$(cap_count inner "$echo_")
	[ "$all" -ge 2 ] || bad "$all probes come out of the tunnel"
	[ "$(cap_count inner "$echo_ and ip[2:2] = 220 and ip[8] = 17 and ip[1] = 184 and
	    ip[6:2] = 0x4000")" -ge "$all" ] || bad "size, ttl, dscp or DF is another"
	# The other words, by a reload: this target begins anew, "self" does not.
	sent=$(ka seattle self sent)
	since=$(ka seattle self since_ms)
	tunnel_conf seattle <<-CONF
	keepalive target 10.2.0.1 interval 500ms pace always nodf dscp 0
	CONF
	echo 'watch "self" 10.1.0.1 interval 500ms' >>"$W/seattle/iked.conf"
	kill -HUP "$NETWATCHD_seattle"
	nodf() {
		[ "$(cap_count inner "$echo_ and ip[2:2] = 84 and ip[8] = 64 and ip[1] = 0 and
		    ip[6:2] = 0")" -ge 2 ]
	}
	wait_for 20 nodf || bad "no probes that may be fragmented"
	ka_over seattle self sent $((sent - 1)) || bad "a reload loses numbers"
	ka_over seattle self since_ms "$since" || bad "a reload begins anew"
	[ "$(count '"self": up')" = 1 ] || bad "self comes up twice"
	# Without any word.
	: | tunnel_conf seattle
	echo 'keepalive' | tunnel_conf seattle
	kill -HUP "$NETWATCHD_seattle"
	plain() {
		[ "$(cap_count inner "$echo_ and ip[2:2] = 84 and ip[8] = 64 and ip[1] = 192 and
		    ip[6:2] = 0x4000")" -ge 1 ]
	}
	wait_for 20 plain || bad "the defaults are others"
	pair_stop
	[ "$(cap_stop inner)" = 0 ] || bad "capture dropped packets"
}

# The peer dies: `backup' is brought up 10 seconds after the fall, and let go when the first
# has been up for `preempt'.  What it says meanwhile can be read by programs, and a reload
# in the middle forgets nothing.
step_reserve() {
	tunnel_conf seattle <<-CONF
	keepalive target 10.2.0.1 interval 500ms timeout 500ms pace always \\
	    backup "spare" preempt 4s
	CONF
	cat >>"$W/seattle/iked.conf" <<-CONF
	ikev2 "spare" ondemand esp from $LAN_SEATTLE to 10.3.0.0/24 \\
	    local $WAN_SEATTLE peer 203.0.113.1 psk "$SECRET"
	CONF
	tunnel_conf boise passive
	conf_write core <<-CONF
	ikev2 "spare" passive esp from 10.3.0.0/24 to $LAN_SEATTLE \\
	    local 203.0.113.1 peer $WAN_SEATTLE psk "$SECRET"
	CONF
	iked_start core || bad "no iked"
	pair_start
	wait_for 20 ka_is seattle up || bad "not up"
	spare_is() { ctl seattle show tunnels spare -j | field state | grep -qx "$1"; }
	spare_is up && bad "the backup is up before it is needed"
	spawn seattle "$OUT/seattle/events" "$BIN/ipsecctl" events -j
	events=$SPAWNED
	iked_slay boise
	on boise ip xfrm state flush
	wait_for 20 verdict_is seattle PEER_DEAD || bad "not PEER_DEAD"
	ctl seattle show keepalive -o metrics >"$OUT/seattle/metrics"
	ctl seattle show keepalive -j >"$OUT/seattle/show"
	# A reload in the middle.
	sent=$(ka seattle boise sent) lost=$(ka seattle boise lost)
	since=$(ka seattle boise since_ms)
	kill -HUP "$NETWATCHD_seattle"
	wait_for 5 said 'reloaded: watching' || bad "no reload"
	sleep 0.3
	verdict_is seattle PEER_DEAD || bad "a reload forgets the verdict"
	ka_is seattle down || bad "a reload forgets the state"
	ka_over seattle boise since_ms "$since" || bad "a reload begins anew"
	[ "$(ka seattle boise sent)" -ge "$sent" ] || bad "a reload loses what was sent"
	[ "$(ka seattle boise lost)" -ge "$lost" ] || bad "a reload loses what was lost"
	wait_for 20 spare_is up || bad "no backup"
	# The first one is back.
	iked_start boise || bad "no iked again"
	wait_for 40 ka_is seattle up || bad "not up again"
	wait_for 20 said '": up for 4 s: its backup' || bad "the backup is kept"
	spare_not() { ! spare_is up; }
	wait_for 5 spare_not || bad "the backup is not taken down"
	sleep 2
	ka_is seattle up || bad "not up any more"
	spare_not || bad "the backup is up again"
	for l in '": stays down: its backup' '": up for 4 s: its backup' 'boise": down'; do
		[ "$(count "$l")" = 1 ] || bad "$(count "$l") times: $l"
	done
	kill "$events"
	wait "$events" 2>/dev/null
	pair_stop
	prog_stop IKED core
	# When, by the daemons' own clocks: this shell is slow.
	fell=$(log_ms 'boise": down' "$NWLOG")
	began=$(log_ms 'stays down' "$NWLOG")
	spare=$(log_ms '"spare" up' "$OUT/seattle/iked.log")
	up=$(log_ms 'boise": up, first' "$NWLOG")
	ended=$(log_ms 'up for 4 s' "$NWLOG")
	echo "brought up $((began - fell)) ms after the fall, up $((spare - began)) ms later," \
	    "let go $((ended - up)) ms after the first is up"
	[ $((began - fell)) -ge 9900 ] || bad "the backup comes too soon"
	[ $((ended - up)) -ge 3900 ] || bad "the backup is let go too soon"
	for f in show events; do
		outage_json <"$OUT/seattle/$f" || bad "not JSON: $(cat "$OUT/seattle/$f")"
	done
	for e in '"event":"down"' '"verdict":"PEER_DEAD"' '"action":"backup"' '"action":"preempt"' '"event":"up"'; do
		grep -q "$e" "$OUT/seattle/events" || bad "no event with $e"
	done
	outage_metrics <"$OUT/seattle/metrics" || bad "metrics: $(cat "$OUT/seattle/metrics")"
}
# log_ms WHAT FILE: when the last line with it was logged, of this day
log_ms() {
	grep -- "$1" "$2" | tail -n 1 | sed 's/ .*//' |
	    awk -F: '{ printf "%d\n", (($1 * 60 + $2) * 60 + $3) * 1000 }'
}
# Objects, one after the other
outage_json() { jq -e -s 'length > 0 and all(type == "object")' >/dev/null; }
# OpenMetrics: each sample is of a family that was declared, and all end in # EOF
outage_metrics() {
	awk '
	/^# EOF$/ { eof = NR; next }
	/^# TYPE / { type[$3] = $4; next }
	/^# (HELP|UNIT) / { next }
	{
		name = $1
		sub(/[{].*/, "", name)
		base = name
		sub(/_(total|sum|count|bucket|created|info)$/, "", base)
		if (!(name in type) && !(base in type)) { print "undeclared " name; bad = 1 }
		if ($NF !~ /^-?[0-9.e+-]+$/) { print "no number: " $0; bad = 1 }
		n++
	}
	/^ikeep_keepalive_up{tunnel="boise"} 0$/ { down = 1 }
	/^ikeep_keepalive_verdict{.*PEER_DEAD.* 1$/ { dead = 1 }
	END { exit (bad || eof != NR || !down || !dead || n < 10) }'
}

# The backup of a pair has iked, too: nothing leaves before it is the master.
step_standby() {
	conf 1
	# Else iked tells the peer of its start.
	for gw in seattle boise; do
		echo 'set passive' >>"$W/$gw/iked.conf"
	done
	on seattle touch /run/netwatchd.backup
	iked_start boise || bad "no iked"
	iked_start seattle || bad "no iked"
	sleep 1
	cap_start wan core toseattle || bad "no capture"
	netwatchd_start seattle
	wait_for 20 ka_is seattle backup || bad "it is the master"
	sleep 3
	[ "$(cap_count wan 'not arp and not icmp6')" = 0 ] ||
	    bad "the backup sends: $(cap_lines wan toseattle 'not arp and not icmp6' | head -n 3)"
	tunnel_is seattle up && bad "the backup brings the tunnel up"
	# The file is gone: looked for every two seconds.
	on seattle rm /run/netwatchd.backup
	wait_for 10 ka_is seattle up || bad "the master is not up"
	tunnel_is seattle up || bad "the tunnel is not up"
	# And back: the tunnel is left alone, no probe goes.
	ctl seattle keepalive backup on || bad "no backup"
	sleep 1
	esp=$(cap_count wan esp)
	sleep 3
	[ "$(cap_count wan esp)" = "$esp" ] || bad "the backup sends probes"
	ctl seattle down boise
	sleep 2
	tunnel_is seattle up && bad "the backup brings it up again"
	pair_stop
	tunnel_check
}

# A tunnel of IPv6 nets between IPv6 gateways: source and target found by themselves.
step_inet6() {
	modprobe -q -d /run/m esp6 2>/dev/null
	for h in seattle boise core; do
		on $h sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	done
	v6() { on "$1" ip -6 addr add "$2/64" dev "$3" nodad || bad "no IPv6 on $1"; }
	v6 seattle 2001:db8:1::1 wan
	v6 core 2001:db8:1::254 toseattle
	v6 core 2001:db8:2::254 toboise
	v6 boise 2001:db8:2::1 wan
	v6 seattle fd00:1::1 lan
	v6 boise fd00:2::1 lan
	on seattle ip -6 route add default via 2001:db8:1::254
	on boise ip -6 route add default via 2001:db8:2::254
	on core ip -6 route add fd00:1::/64 via 2001:db8:1::1
	on core ip -6 route add fd00:2::/64 via 2001:db8:2::1
	conf_write seattle <<-CONF
	ikev2 "boise" ondemand esp from fd00:1::/64 to fd00:2::/64 \\
	    local 2001:db8:1::1 peer 2001:db8:2::1 keepalive interval 1 ttl 33 psk "$SECRET"
	CONF
	conf_write boise <<-CONF
	ikev2 "seattle" passive esp from fd00:2::/64 to fd00:1::/64 \\
	    local 2001:db8:2::1 peer 2001:db8:1::1 psk "$SECRET"
	CONF
	cap_start wan core toseattle toboise || bad "no capture"
	cap_start inner boise wan || bad "no capture"
	pair_start
	wait_for 20 ka_is seattle up || bad "not up"
	[ "$(ka seattle boise source)" = fd00:1::1 ] || bad "source $(ka seattle boise source)"
	[ "$(ka seattle boise target)" = fd00:2::1 ] || bad "target $(ka seattle boise target)"
	ctl seattle show keepalive
	ctl seattle ping boise -c 2 -i 0.1 || bad "no ping"
	[ "$(cap_count inner 'icmp6 and ip6[40] = 128 and src host fd00:1::1 and ip6[7] = 33 and
	    ip6[0] = 0x6c and ip6[1] & 0xf0 = 0')" -ge 2 ] || bad "no ICMPv6 echo with ttl and dscp"
	# Cut, and back.
	on core ip link set toboise down
	wait_for 30 ka_is seattle down || bad "down is not noticed"
	on core sh -c 'ip link set toboise up; sleep 0.2
	    ip -6 addr add 2001:db8:2::254/64 dev toboise nodad
	    ip -6 route replace fd00:2::/64 via 2001:db8:2::1'
	wait_for 40 ka_is seattle up || bad "not up again"
	pair_stop
	[ "$(cap_stop inner)" = 0 ] || bad "capture dropped packets"
	[ "$(cap_stop wan)" = 0 ] || bad "capture dropped packets"
	[ "$(cap_count wan 'ip6 and net fd00::/16')" = 0 ] || bad "packets in clear"
	[ "$(cap_count wan 'ip6 proto 50')" -ge 4 ] || bad "no ESP over IPv6"
}

# The routing table of probes: a VRF of Linux, and a mark, with a tunnel behind it.  (A FIB is
# FreeBSD's: not on this kernel.)
step_tables() {
	modprobe -q -d /run/m vrf 2>/dev/null
	tunnel_conf seattle <<-CONF
	keepalive interval 1 pace always mark 7
	CONF
	cat >>"$W/seattle/iked.conf" <<-CONF
	watch "main" 10.9.0.2 interval 1
	watch "red" 10.9.0.2 interval 1 vrf red
	watch "blue" 10.9.0.2 interval 1 vrf blue
	CONF
	tunnel_conf boise passive
	on seattle ip link add red type vrf table 10 || bad "no VRF in this kernel"
	link seattle redwan 10.9.0.1/24 core tored 10.9.0.2/24
	on core sh -c 'ip addr add 10.9.0.2/24 dev tored; ip link set tored up'
	on seattle sh -c 'ip link set red up; ip link set redwan master red
	    ip addr add 10.9.0.1/24 dev redwan; ip link set redwan up
	    ip route add 10.9.0.2/32 via 192.0.2.99
	    ip route add unreachable default table 77; ip rule add fwmark 7 table 77'
	cap_start red core tored || bad "no capture"
	pair_start
	wait_for 20 kind_is red up || bad "nothing by the VRF"
	wait_for 20 ka_is seattle local-miss || bad "the mark does not route the tunnel's probes"
	wait_for 5 ka_has seattle boise note 'no route to the target' || bad "it is not said"
	kind_is main up && bad "a VRF's neighbour answers without it"
	ka_over seattle blue sent 0 && bad "sent by a VRF that is none"
	wait_for 10 ka_has seattle blue note 'there is no socket for its fib' || bad "blue is not said"
	ctl seattle show keepalive
	on seattle ip rule del fwmark 7 table 77
	# A VRF that is made later is there after a reload.
	on seattle sh -c 'ip link add blue type vrf table 11; ip link set blue up
	    ip link set redwan master blue'
	kill -HUP "$NETWATCHD_seattle"
	wait_for 20 kind_is blue up || bad "a reload does not find the VRF"
	on seattle sh -c 'ip link set redwan master red'
	wait_for 40 kind_is boise up || bad "not up with a route"
	[ "$(cap_stop red)" = 0 ] || bad "capture dropped packets"
	[ "$(cap_count red 'icmp[icmptype] = icmp-echo and src host 10.9.0.1')" -ge 2 ] ||
	    bad "nothing by the VRF"
	on seattle ip link set redwan down
	wait_for 20 kind_is red down || bad "not down without its VRF's link"
	pair_stop
}

# boise_policy [flag icmp]: the outbound one is put there again, like that
boise_policy() {
	_words=$(on boise ip xfrm policy list src $LAN_BOISE dst $LAN_SEATTLE dir out |
	    sed -n 's/.* priority \([0-9]*\).*/priority \1/p; s/.*\(reqid [0-9]*\).*/\1/p')
	_reqid=$(echo "$_words" | sed -n '/reqid/p')
	# shellcheck disable=SC2046
	on boise ip xfrm policy update src $LAN_BOISE dst $LAN_SEATTLE dir out \
	    $(echo "$_words" | sed -n '/priority/p') "$@" \
	    tmpl src $WAN_BOISE dst $WAN_SEATTLE proto esp ${_reqid} mode tunnel
}
beside() {
	ka_is seattle up && ctl seattle show keepalive boise -j |
	    grep -q 'which is outside of .*only the way there is known to work'
}
# The peer's gateway answers for a host that does not live: by the tunnel, and (as another
# daemon's may) beside it, from its WAN address.
step_gateway() {
	on boise ip addr del 10.2.0.1/24 dev lan
	on boise ip addr add 10.2.0.254/24 dev lan
	tunnel_conf seattle <<-CONF
	keepalive target gateway interval 2 pace always
	CONF
	# On its side no target is given: Seattle's first host, which is the gateway.
	echo 'keepalive interval 1' | tunnel_conf boise
	cap_start inner boise wan || bad "no capture"
	pair_start
	boise_policy flag icmp || bad "no policy"
	netwatchd_start boise
	wait_for 20 ka_is seattle up || bad "the gateway does not answer"
	wait_for 20 ka_is boise up || bad "the derived target is not up"
	[ "$(ka boise seattle target)" = 10.1.0.1 ] || bad "target $(ka boise seattle target)"
	[ "$(ka boise seattle source)" = 10.2.0.254 ] || bad "source $(ka boise seattle source)"
	[ "$(ka seattle boise target)" = 10.2.0.1 ] || bad "target $(ka seattle boise target)"
	[ -z "$(ka seattle boise note)" ] || bad "note: $(ka seattle boise note)"
	[ "$(cap_count inner 'icmp[icmptype] = icmp-echo and dst host 10.2.0.1 and ip[8] = 1')" -ge 1 ] ||
	    bad "no probe with TTL 1"
	[ "$(cap_stop inner)" = 0 ] || bad "capture dropped packets"
	ctl seattle ping boise -c 1 || bad "the gateway is not pinged"
	# Its errors leave beside the tunnel from now on.
	boise_policy || bad "no policy without the flag"
	wait_for 30 beside || bad "not up by answers beside the tunnel, or it is not said"
	ka_has seattle boise note "the gateway answers from $WAN_BOISE" || bad "who answers?"
	ctl seattle show keepalive
	# Without an SA they say nothing.
	prog_stop NETWATCHD boise
	prog_stop IKED boise
	on boise sh -c 'ip xfrm state flush; ip xfrm policy flush'
	wait_for 20 ka_is seattle down || bad "up without a peer"
	pair_stop
}
