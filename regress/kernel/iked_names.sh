# SPDX-License-Identifier: ISC
#
# Steps of iked_run.sh: peers by their names, from a file and from a name server.  Sourced by it.

# A peer by its name: not known at first, then known, then elsewhere.
hosts_file() { printf '127.0.0.1 localhost\n%s\n' "$1" >"$W/seattle/hosts"; }
names_pid() { iked_role_pid seattle names; }
names_conf() {
	conf_write seattle <<-CONF
	set nomobike
	ikev2 "net" active esp from $LAN_SEATTLE to $LAN_BOISE peer vpn.boise.test psk "$PSK"
	ikev2 "still" active esp from $LAN_SEATTLE to 10.77.0.0/24 peer no.such.test \
	    psk "$OTHER"
	${1-}
	CONF
}
remote_is() { [ "$(tunnel_field seattle remote)" = "$1" ] && tunnel_is seattle up; }
step_names() {
	hosts_file ""
	: >"$W/seattle/resolv"
	on seattle mount --bind "$W/seattle/hosts" /etc/hosts || bad "hosts"
	on seattle mount --bind "$W/seattle/resolv" /etc/resolv.conf || bad "resolv.conf"
	conf_write boise <<-CONF
	ikev2 "net" passive esp from $LAN_BOISE to $LAN_SEATTLE peer $WAN_SEATTLE psk "$PSK"
	CONF
	names_conf
	ctl boise reload && ctl seattle reload || bad "names: reload"
	wait_for 20 grep -q 'vpn.boise.test does not resolve: ' "$OUT/seattle/iked.log" ||
	    bad "names: the log says nothing"
	ctl seattle show tunnels net | tee "$W/shown"
	grep -q 'vpn.boise.test does not resolve: ' "$W/shown" || bad "names: show says nothing"
	[ "$(blocks seattle)" = 6 ] || bad "names: the traps do not discard: $(blocks seattle)"
	hosts_ping && bad "names: a reply without a tunnel"
	nothing_clear || bad "names: in clear"

	echo "it comes to be known"
	hosts_file "$WAN_BOISE vpn.boise.test"
	wait_for 70 remote_is $WAN_BOISE || bad "names: not up: $(ctl seattle show tunnels)"
	wait_for 10 hosts_ping || bad "names: no reply"
	on seattle "$BIN/iked" -n -o resolve=now -f "$W/seattle/iked.conf" >"$W/checked" 2>&1 ||
	    bad "names: -n"
	grep -q "^vpn.boise.test is $WAN_BOISE\$" "$W/checked" || bad "names: -n finds nothing"
	grep -q '^warning: no.such.test does not resolve just now: ' "$W/checked" ||
	    bad "names: -n does not warn"
	on seattle "$BIN/iked" -n -f "$W/seattle/iked.conf" 2>&1 | grep resolve &&
	    bad "names: -n asks unasked"
	_spi=$(tunnel_field seattle spi_in)

	echo "a reload, and a names process that ends, touch nothing"
	names_conf "# again"
	ctl seattle reload || bad "names: reload again"
	sleep 1
	_names=$(names_pid)
	[ "$(sed -n 's/^Seccomp:\t//p' "/proc/$_names/status")" = 2 ] ||
	    bad "names: no seccomp filter"
	for _t in /proc/"$_names"/task/*; do
		grep -q '^Seccomp:.2' "$_t/status" || bad "names: a thread without filter"
	done
	grep -q '^CapEff:.0000000000000000' "/proc/$_names/status" || bad "names: capabilities"
	grep -q '^Uid:.0' "/proc/$_names/status" && bad "names: root"
	kill -KILL "$_names"
	wait_for 20 names_pid || bad "names: it is not started again"
	[ "$(tunnel_field seattle spi_in)" = "$_spi" ] || bad "names: the tunnel was touched"
	hosts_ping >/dev/null || bad "names: no reply after that"

	echo "it is elsewhere"
	# there is traffic, whose silence is noticed
	on alice ping -n -i 0.5 10.2.0.10 >/dev/null 2>&1 &
	_ping=$!
	on boise ip addr add 198.51.100.7/24 dev wan || bad "address"
	hosts_file "198.51.100.7 vpn.boise.test"
	on boise ip addr del $WAN_BOISE/24 dev wan || bad "address"
	on boise ip addr add 198.51.100.7/24 dev wan 2>/dev/null
	on boise ip route replace default via 198.51.100.254
	on core ip route replace $LAN_BOISE via 198.51.100.7
	stamp names
	wait_for 130 remote_is 198.51.100.7 || bad "names: it did not follow"
	wait_for 20 hosts_ping || bad "names: no reply from there"
	kill "$_ping"
	wait "$_ping"
	grep 'vpn.boise.test is 198.51.100.7' "$OUT/seattle/iked.log" || bad "names: not said"
	echo "followed after $(($(date +%s%3N) - $(stamp_ms names))) ms"

	echo "nobody knows it any more: it stays"
	_spi=$(tunnel_field seattle spi_in)
	hosts_file ""
	ctl seattle reload || bad "names: reload"
	wait_for 130 grep -q 'does not resolve any more' "$OUT/seattle/iked.log" ||
	    bad "names: that is not said"
	[ "$(tunnel_field seattle spi_in)" = "$_spi" ] || bad "names: it did not stay"
	on boise ip addr add $WAN_BOISE/24 dev wan
	on boise ip addr del 198.51.100.7/24 dev wan
	on boise ip addr add $WAN_BOISE/24 dev wan 2>/dev/null
	on boise ip route replace default via 198.51.100.254
	on core ip route replace $LAN_BOISE via $WAN_BOISE
	on seattle umount /etc/hosts
	on seattle umount /etc/resolv.conf
	confs
	ctl seattle reload && ctl boise reload || bad "reload"
	wait_for 30 hosts_ping || bad "names: no reply in the end"
}

# Two hundred peers by names that a name server has, which does not answer at first.
NDNS=200
dns_lines() { _i=0; while [ $_i -lt $NDNS ]; do echo "n$_i.peers.test 203.0.113.$((_i + 2))"; _i=$((_i + 1)); done; }
resolved() { grep -c 'peers.test is .*\[resolved\]' "$OUT/seattle/iked.log"; }
resolved_all() { [ "$(resolved)" -ge $NDNS ]; }
step_dns() {
	echo silent >"$W/zone"
	echo "nameserver 192.0.2.254" >"$W/seattle/resolv"
	printf '127.0.0.1 localhost\n' >"$W/seattle/hosts"
	on seattle mount --bind "$W/seattle/hosts" /etc/hosts || bad "hosts"
	on seattle mount --bind "$W/seattle/resolv" /etc/resolv.conf || bad "resolv.conf"
	spawn core "$OUT/core/names.log" "$TOOLS/tool_names" 192.0.2.254 "$W/zone"
	_server=$SPAWNED
	_i=0
	while [ $_i -lt $NDNS ]; do
		echo "ikev2 \"n$_i\" passive esp from $LAN_SEATTLE to 10.9.$_i.0/24 peer n$_i.peers.test psk \"$OTHER\""
		_i=$((_i + 1))
	done >"$W/named"
	_spi=$(tunnel_field seattle spi_in)
	# who looks names up stands still: a reload that waited for it would never end
	write_conf seattle $LAN_SEATTLE $LAN_BOISE $WAN_SEATTLE $WAN_BOISE "$(head -n 1 "$W/named")"
	ctl seattle reload || bad "dns: reload with a name"
	wait_for 20 names_pid >/dev/null || bad "dns: nobody looks names up"
	_names=$(names_pid)
	write_conf seattle $LAN_SEATTLE $LAN_BOISE $WAN_SEATTLE $WAN_BOISE "$(cat "$W/named")"
	kill -STOP "$_names"
	ctl seattle reload || bad "dns: a reload with $NDNS names waits for them"
	grep -q 'State:.T' "/proc/$_names/status" || bad "dns: it did not stand still meanwhile"
	[ "$(names_pid)" = "$_names" ] || bad "dns: another looks names up"
	kill -CONT "$_names"
	sleep 15
	[ "$(resolved)" = 0 ] || bad "dns: who told them?"
	[ "$(tunnel_field seattle spi_in)" = "$_spi" ] || bad "dns: another tunnel was touched"
	hosts_ping >/dev/null || bad "dns: no reply on another tunnel"
	# one after the other would be ten seconds each: two timeouts of five
	dns_lines >"$W/zone.new"
	mv "$W/zone.new" "$W/zone"
	stamp dns
	wait_for 90 resolved_all || bad "dns: $(resolved) of $NDNS"
	echo "dns: $(resolved) names, $(($(date +%s%3N) - $(stamp_ms dns))) ms after it answers"
	ctl seattle show tunnels n7 | grep -q 203.0.113.9 || bad "dns: show does not tell where"
	hosts_ping >/dev/null || bad "dns: no reply in the end"
	[ "$(tunnel_field seattle spi_in)" = "$_spi" ] || bad "dns: another tunnel was touched later"
	kill "$_server"
	on seattle umount /etc/hosts
	on seattle umount /etc/resolv.conf
	confs
	ctl seattle reload || bad "reload"
}
