#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What core, the router of lib.sh's network, can be told of NAT; in the network namespace
# this runs in:
#
#	router.sh masquerade [PORTS]	Seattle, as core's address on Boise's side; PORTS, a
#					range: UDP leaves from these
#	router.sh forget		no mapping is known any more
#	router.sh serve			makes core itself, of taps, and takes the words
#					above from standard input, a line each
#	router.sh try			can this be done here?
#
# Each answers a line: "ok" and by what, or "failed".  uml.sh -R runs serve on this
# machine's own kernel, for a guest whose kernel has no NAT of nftables (Debian's
# user-mode-linux); the taps are the guest's vec0 (toseattle) and vec1 (toboise).
# Only in a namespace made for it.

set -u
SEATTLE=192.0.2.1

# By nftables, or by iptables on a kernel without its NAT
masquerade() {
	if nft -f - 2>/dev/null <<-RULES
	table ip life
	delete table ip life
	table ip life {
		chain postrouting {
			type nat hook postrouting priority 100;
			oifname "toboise" ip saddr $SEATTLE ${1:+ip protocol udp} masquerade ${1:+to :$1}
		}
	}
	RULES
	then
		echo ok nftables
		return
	fi
	[ -z "${NFT_ALONE-}" ] || return
	# the new one first, so that no packet goes out as it is
	iptables-legacy -t nat -I POSTROUTING -o toboise -s $SEATTLE \
	    ${1:+-p udp} -j MASQUERADE ${1:+--to-ports "$1"} >/dev/null 2>&1 || return
	while iptables-legacy -t nat -D POSTROUTING 2 2>/dev/null; do
		:
	done
	echo ok iptables
}
forget() { conntrack -F >/dev/null 2>&1 && echo ok conntrack; }

# core as lib.sh's site_make has it
make() {
	for _t in toseattle toboise; do
		ip tuntap add dev $_t mode tap vnet_hdr || return
	done
	ip -batch - <<-CORE || return
	link set lo up
	addr add 203.0.113.1/32 dev lo
	addr add 192.0.2.254/24 dev toseattle
	addr add 198.51.100.254/24 dev toboise
	link set toseattle up
	link set toboise up
	route add 10.1.0.0/24 via $SEATTLE
	route add 10.2.0.0/24 via 198.51.100.1
	CORE
	echo 1 >/proc/sys/net/ipv4/ip_forward
	for _f in /proc/sys/net/ipv4/conf/*/rp_filter /proc/sys/net/ipv4/conf/*/send_redirects; do
		echo 0 >"$_f"
	done
}

case ${1-} in
masquerade)
	_said=$(masquerade "${2-}") ;;
forget)	_said=$(forget) ;;
serve)	make || exit 1
	while read -r _word _ports; do
		NFT_ALONE=1 sh "$0" "$_word" "$_ports"
	done
	exit 0 ;;
try)	_said=$(make && NFT_ALONE=1 masquerade && forget) ;;
*)	echo "failed: router.sh masquerade [PORTS] | forget | serve | try"
	exit 2 ;;
esac
echo "${_said:-failed}"
[ -n "$_said" ]
