# SPDX-License-Identifier: ISC
# What ipsecctl mirror prints for OpenBSD's iked, OpenIKED loads; and what README
# shows of diff is what diff says.

umask 077

atf_test_case openiked
openiked_head()
{
	atf_set descr 'OpenIKED loads the mirror of every kind of tunnel'
	atf_set require.progs "ikectl"
}
openiked_body()
{
	# ikectl is OpenIKED's; so is the iked beside it
	iked=$(dirname "$(command -v ikectl)")/iked
	"$iked" -? 2>&1 | grep -q 'usage: iked' || atf_skip "OpenIKED's iked is not beside ikectl"
	cat >ours <<-'CONF'
	ikev2 "a b" active natt from { 10.1.0.0/24, 10.3.0.0/24 } to 10.2.0.0/24 \
		local 192.0.2.1 peer 198.51.100.1 srcid s.example dstid u@b.example \
		ikesa enc { chacha20-poly1305, aes-256-gcm } \
		childsa enc chacha20-poly1305 group curve25519 esn noesn psk "the secret of a"
	ikev2 "p" proto { tcp, udp } from 10.1.0.0/24 port 53 to 10.4.0.0/24 \
		local 192.0.2.1 peer 198.51.100.2 psk "the secret of p"
	ikev2 "six" transport proto gre from 2001:db8::1 to 2001:db8::2 \
		local 2001:db8::1 peer 2001:db8::2 psk "the secret of six"
	ikev2 "pool" from 10.1.0.0/24 to dynamic config address 10.9.0.0/24 \
		local 192.0.2.1 peer any dstid road.example psk "the secret of pool"
	ikev2 "lone" passive from 10.5.0.0/24 to 10.6.0.0/24 peer 198.51.100.3 \
		childsa group modp2048 childsa enc aes-128 psk "the secret of lone"
	CONF
	for t in "a b" p six pool lone; do
		"$OBJDIR/ipsecctl" mirror "$t" -f ours -o openbsd >theirs || atf_fail "mirror $t"
		"$iked" -n -f theirs >out 2>&1 && atf_fail "$t: loads without its secret"
		sed 's/0x-put[^"]*/the real secret/' theirs >filled
		"$iked" -n -f filled >out 2>&1 || { cat filled out; atf_fail "$t"; }
	done
}

atf_test_case readme
readme_head() { atf_set descr "README's transcript of ipsecctl diff is a transcript"; }
readme_body()
{
	sed 's/"change me[^"]*"/"my_secret"/' "$SRCDIR/share/examples/seattle-routeros.conf" >seattle.conf
	cp "$SRCDIR/regress/data/ipsecctl/boise.rsc" .
	awk '/^\$ ipsecctl diff seattle.conf boise.rsc$/ { on = 1; next } /^```/ { on = 0 } on' \
	    "$SRCDIR/README.md" >want
	[ -s want ] || atf_fail "no transcript"
	atf_check -s exit:1 -o file:want "$OBJDIR/ipsecctl" diff seattle.conf boise.rsc
}

atf_init_test_cases()
{
	atf_add_test_case readme
	atf_add_test_case openiked
}
