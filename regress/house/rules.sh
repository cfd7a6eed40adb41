# SPDX-License-Identifier: ISC
# iked -n asks this kernel for its rules: NAT and drops are named, what README advises is
# not, and who may not read them says so.  In a network namespace of its own.

fenced() { awk -v kind="$1" '$0 == "```" kind { on = 1; next } /^```/ { on = 0 } on' "$2"; }

# lint [PREFIX...]: what is said of rules, in the file "said"
lint()
{
	"$@" "$OBJDIR/iked" -n -f iked.conf 2>&1 | grep -E 'NAT|filter|looked' >said
	return 0
}

atf_test_case nft
nft_head()
{
	atf_set descr "iked -n and the kernel's own nf_tables"
	atf_set require.user root
	atf_set require.progs "nft unshare ip"
}
nft_body()
{
	cat >iked.conf <<-'C'
	ikev2 "boise" tunnel esp from 10.1.0.0/24 to 10.2.0.0/24 \
		local 192.0.2.1 peer 198.51.100.1 \
		psk "q7Lm2Xw9Rt4Kz8Vb1Nc6Jd3Hf5Gs0P"
	C
	chmod 600 iked.conf
	fenced nft "$SRCDIR/README.md" >readme.nft
	grep -v '10.2.0.0/24 accept' readme.nft >exempt.nft
	: >empty
	unshare -n nft -c -f empty 2>/dev/null || atf_skip "this kernel has no nf_tables"
	export SRCDIR OBJDIR
	cat >inside.sh <<-'I'
	ip link set lo down && ip link set lo name wan && ip link set wan up &&
	ip addr add 192.0.2.1/24 dev wan && ip route add default via 192.0.2.254 || exit 1
	nft -f "$1" && exec "$OBJDIR/iked" -n -f iked.conf
	I
	lint unshare -n sh inside.sh readme.nft
	[ ! -s said ] || atf_fail "README's rules: $(cat said)"
	lint unshare -n sh inside.sh exempt.nft
	grep -q 'NAT gives packets to 10.2.0.0/24 another source .*(nftables, table ip office, chain postrouting, handle' said ||
	    atf_fail "no exemption: $(cat said)"
	sed 's/priority filter;/& policy drop;/; /esp accept/d' readme.nft >noesp.nft
	lint unshare -n sh inside.sh noesp.nft
	grep -q 'packet filter drops ESP from the peer (nftables, table ip office, chain input, policy drop' said ||
	    atf_fail "no ESP: $(cat said)"
}

atf_test_case iptables
iptables_head()
{
	atf_set descr "iked -n and the kernel's tables of iptables-legacy"
	atf_set require.user root
	atf_set require.progs "iptables-legacy unshare ip"
}
iptables_body()
{
	printf 'ikev2 "t" esp from 10.1.0.0/24 to 10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 psk "q7Lm2Xw9Rt4Kz8Vb1Nc6Jd3"\n' >iked.conf
	chmod 600 iked.conf
	unshare -n iptables-legacy -t nat -L -n >/dev/null 2>&1 ||
	    atf_skip "this kernel has no tables of iptables"
	export OBJDIR
	cat >inside.sh <<-'I'
	ip link set lo down && ip link set lo name wan && ip link set wan up &&
	ip addr add 192.0.2.1/24 dev wan && ip route add default via 192.0.2.254 || exit 1
	nat="iptables-legacy -t nat" in="iptables-legacy"
	say() { echo "$1: $("$OBJDIR/iked" -n -f iked.conf 2>&1 | grep -o -E 'NAT (gives|may give)|filter drops [^(]*|chain [A-Z]*: [A-Z]*' | tr '\n' ' ')"; }
	$nat -A POSTROUTING -o wan -j MASQUERADE && say masquerade
	$nat -I POSTROUTING -d 10.2.0.0/25 -j ACCEPT && say half
	$nat -I POSTROUTING -m policy --dir out --pol ipsec -j ACCEPT && say policy
	$nat -F && $nat -A POSTROUTING -o ppp0 -j MASQUERADE && say elsewhere
	$in -P INPUT DROP && $in -A INPUT -p udp --dport 500 -j ACCEPT && say port
	$in -A INPUT -p udp --dport 4500 -j ACCEPT && say esp
	$in -A INPUT -p 50 -j ACCEPT && say open
	$in -P INPUT ACCEPT && $in -F && $in -N X && $in -A X -p udp --dport 500 -j RETURN &&
	    $in -A X -j DROP && $in -A INPUT -s 198.51.100.0/24 -j X && say call
	$in -F && $in -A X -j ACCEPT && $in -A INPUT -m mark --mark 5 -j X && $in -A INPUT -p 50 -j DROP && say perhaps
	I
	unshare -n sh inside.sh >said 2>&1
	sed 's/ *$//' >want <<-'W'
	masquerade: NAT gives chain POSTROUTING: MASQUERADE
	half: NAT may give chain POSTROUTING: MASQUERADE
	policy:
	elsewhere:
	port: filter drops UDP 4500 from the peer  chain INPUT: DROP
	esp: filter drops ESP from the peer  chain INPUT: DROP
	open:
	call: filter drops UDP 4500 from the peer  chain INPUT: DROP
	perhaps:
	W
	sed 's/ *$//' said | diff - want || atf_fail "$(cat said)"
}

atf_test_case unseen
unseen_head()
{
	atf_set descr "who may not read the rules is told so"
	atf_set require.user root
	atf_set require.progs "setpriv"
}
unseen_body()
{
	printf 'ikev2 "t" esp from 10.1.0.0/24 to 10.2.0.0/24 peer 198.51.100.1 psk "q7Lm2Xw9Rt4Kz8Vb1Nc6Jd3"\n' >iked.conf
	cp "$OBJDIR/iked" iked
	chmod 755 . iked
	chown 65534 iked.conf
	chmod 600 iked.conf
	setpriv --reuid 65534 --clear-groups ./iked -n -f iked.conf >out 2>&1 ||
	    atf_skip "another user cannot come here: $(cat out)"
	grep -q 'lint: rules of nftables and iptables were not looked at: only root may read them' out ||
	    atf_fail "$(cat out)"
}

atf_init_test_cases()
{
	atf_add_test_case nft
	atf_add_test_case iptables
	atf_add_test_case unseen
}
