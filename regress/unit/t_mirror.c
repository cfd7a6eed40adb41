/* SPDX-License-Identifier: ISC */
/*
 * ipsecctl mirror: what it prints of the other side; that the mirror of the mirror is
 * the statement again; that no secret is in it, and what stands there is none.
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sbin/ipsecctl/mirror.h"
#include "sbin/ipsecctl/side_file.h"

#define TOP	REGRESS_DATA "/../../"
#define SECRET	"a secret that is long enough"
#define PSK	" psk \"" SECRET "\"\n"
#define NETS	" from 10.1.0.0/24 to 10.2.0.0/24 "
#define PEERS	"local 192.0.2.1 peer 198.51.100.1 "

static const uint8_t salt[SECRET_SALT] = "saltsalt";
static struct conf_errors errs;

static int
read_io(void *arg, const char *path, uint8_t **data, size_t *len)
{
	(void)arg;
	return (side_file_read(path, data, len));
}

static struct conf *
parse(const char *file, const char *text, size_t len)
{
	const struct conf_io io = { read_io, NULL };
	struct conf *c;

	c = conf_parse(file, text, len, &io, 0, &errs);
	ATF_REQUIRE_MSG(c != NULL, "%s:%u: %s", errs.e[0].file, errs.e[0].line,
	    errs.e[0].text);
	return (c);
}

static char *
mirrored(const struct conf *c, uint32_t i, enum form form)
{
	char *s = NULL;
	size_t len;
	FILE *f = open_memstream(&s, &len);

	ATF_REQUIRE(f != NULL);
	ATF_REQUIRE_EQ(0, mirror_print(f, c, i, form, "iked.conf", salt));
	ATF_REQUIRE_EQ(0, fclose(f));
	return (s);
}

/* The placeholder taken for a secret. */
static struct conf *
parse_mirrored(const char *text)
{
	struct conf *c;
	char *s = strdup(text);
	unsigned int i;

	ATF_REQUIRE(s != NULL);
	ATF_REQUIRE(conf_parse("m", text, strlen(text), NULL, 0, &errs) == NULL);
	for (i = 0; i < errs.n && strstr(errs.e[i].text, "begins with 0x") == NULL; )
		i++;
	ATF_CHECK_MSG(i < errs.n, "%s", errs.e[0].text);
	secret_admit((uint8_t *)s, strlen(s));
	c = parse("m", s, strlen(s));
	free(s);
	return (c);
}

/* Twice mirrored it is the same, save what one side alone says. */
static void
same_again(const struct conf *c, uint32_t i)
{
	struct conf_tunnel t = c->tunnels[i], *u;
	struct conf_peer pe = c->peers[t.peer], *qe;
	struct conf *m, *n;
	char *s;

	s = mirrored(c, i, FORM_IKED);
	m = parse_mirrored(s);
	free(s);
	ATF_REQUIRE_EQ(1, m->ntunnels);
	ATF_CHECK(tslist_equal(&t.from, &m->tunnels[0].to) || t.dyn != DYN_NO);
	ATF_CHECK(addr_cmp(&pe.local, &m->peers[0].remote) == 0);
	s = mirrored(m, 0, FORM_IKED);
	n = parse_mirrored(s);
	u = &n->tunnels[0];
	qe = &n->peers[0];
	u->mode = t.mode;
	ATF_CHECK_EQ(1, secret_is_placeholder((char *)qe->psk, qe->psklen));
	ATF_CHECK_MSG(tslist_equal(&t.from, &u->from) && tslist_equal(&t.to, &u->to) &&
	    t.transport == u->transport && t.single == u->single &&
	    t.lifetime == u->lifetime && t.lifebytes == u->lifebytes &&
	    conf_proposals_equal(t.esp, u->esp) &&
	    conf_proposals_equal(pe.ike, qe->ike) &&
	    ident_equal(&pe.srcid, &qe->srcid) && ident_equal(&pe.dstid, &qe->dstid) &&
	    pe.natt == qe->natt && pe.full == qe->full, "%s", s);
	free(s);
	conf_free(m);
	conf_free(n);
}

/* Whatever form it has, the secret is not in it, its fingerprint is. */
static void
all_forms(const struct conf *c, uint32_t i)
{
	const struct conf_peer *pe = &c->peers[c->tunnels[i].peer];
	char want[SECRET_LEN], *s;
	int f;

	ATF_REQUIRE_EQ(0, secret_placeholder(pe->psk, pe->psklen, salt, want));
	for (f = FORM_IKED; f <= FORM_SWANCTL; f++) {
		s = mirrored(c, i, (enum form)f);
		ATF_CHECK(memmem(s, strlen(s), pe->psk, pe->psklen) == NULL);
		ATF_CHECK_MSG(strstr(s, want) != NULL, "%s", s);
		free(s);
	}
}

static void
whole_file(const char *path)
{
	struct conf *c;
	uint8_t *text;
	uint32_t i;
	size_t len;

	ATF_REQUIRE_EQ_MSG(0, side_file_read(path, &text, &len), "%s", path);
	c = parse(path, (char *)text, len);
	for (i = 0; i < c->ntunnels; i++) {
		if (c->tunnels[i].dyn == DYN_NO)
			same_again(c, i);
		if (i == 0)
			all_forms(c, i);
	}
	conf_free(c);
	wholefile_free(text, len);
}

ATF_TC_WITHOUT_HEAD(files);
ATF_TC_BODY(files, tc)
{
	whole_file(TOP "share/examples/seattle.conf");
	whole_file(TOP "share/examples/boise.conf");
	whole_file(TOP "share/examples/seattle-routeros.conf");
	whole_file(REGRESS_DATA "/conf/addresses.ok");
	whole_file(REGRESS_DATA "/conf/offices.ok");
	whole_file(REGRESS_DATA "/conf/openiked.ok");
	whole_file(REGRESS_DATA "/conf/order.ok");
	whole_file(REGRESS_DATA "/conf/presets.ok");
	whole_file(REGRESS_DATA "/conf/selectors.ok");
	whole_file(REGRESS_DATA "/conf/warnings.ok");
}

/* says FORM STATEMENT TEXT: the mirror has that in it; "!TEXT": it has not */
static void
says(enum form f, const char *stmt, const char *want)
{
	char text[1024], *s;
	struct conf *c;
	int not = want[0] == '!';

	(void)snprintf(text, sizeof(text), "ikev2 \"t\" %s" PSK, stmt);
	c = parse("iked.conf", text, strlen(text));
	s = mirrored(c, 0, f);
	ATF_CHECK_MSG((strstr(s, want + not) == NULL) == not, "%s\nno: %s", s, want);
	free(s);
	conf_free(c);
}

ATF_TC_WITHOUT_HEAD(routeros);
ATF_TC_BODY(routeros, tc)
{
	enum form f = FORM_ROUTEROS;

	says(f, NETS PEERS, "address=192.0.2.1/32 local-address=198.51.100.1");
	says(f, NETS PEERS, "exchange-mode=ike2 profile=t");
	says(f, NETS PEERS, "tunnel=yes src-address=10.2.0.0/24 dst-address=10.1.0.0/24");
	says(f, NETS PEERS, "pfs-group=none");
	says(f, NETS PEERS, "chain=srcnat action=accept src-address=10.2.0.0/24");
	says(f, NETS PEERS, "ipsec-policy=out,ipsec src-address=10.2.0.0/24");
	says(f, NETS PEERS, "!# Change");
	says(f, NETS PEERS, "for the IKE SA: aes-256-gcm, aes-128-gcm, curve25519.");
	says(f, NETS PEERS "ikesa enc aes-256-gcm", "# Change iked.conf: RouterOS 7 can "
	    "do none of its proposals for the IKE SA; write there\n#\tikesa enc aes-256 "
	    "auth hmac-sha2-256 group modp2048\n");
	says(f, NETS PEERS "ikesa group curve25519", "#\tikesa enc aes-256");
	says(f, NETS PEERS "childsa enc aes-256 group curve25519",
	    "#\tchildsa enc aes-256 auth hmac-sha2-256 group modp2048\n");
	says(f, NETS PEERS "childsa enc aes-256 esn", "group modp2048 noesn\n");
	says(f, NETS PEERS "childsa enc aes-256-gcm group ecp384",
	    "enc-algorithms=aes-256-gcm \\\n    auth-algorithms=\"\" pfs-group=ecp384");
	says(f, NETS PEERS "childsa enc aes-256-gcm group curve25519 childsa enc "
	    "aes-128-gcm group modp3072", "enc-algorithms=aes-128-gcm");
	says(f, NETS PEERS "ikesa enc aes-128 auth hmac-sha2-512 prf hmac-sha2-256",
	    "hash-algorithm=sha512 \\\n    prf-algorithm=sha256");
	says(f, NETS PEERS "srcid a.example dstid \"keyid:a b\"", "my-id=key-id:\"a b\" "
	    "remote-id=fqdn:a.example");
	says(f, NETS PEERS "dstid u@b.example", "my-id=user-fqdn:\"u@b.example\"");
	says(f, NETS PEERS "dstid 192.0.2.9", "my-id=address:192.0.2.9");
	says(f, NETS PEERS "dstid fqdn:192.0.2.9", "my-id=fqdn:192.0.2.9");
	says(f, NETS "peer 198.51.100.1", "address=0.0.0.0/0 passive=yes");
	says(f, NETS "peer 198.51.100.1", "remote-id=ignore");
	says(f, NETS "peer any", "my-id=auto");
	says(f, NETS PEERS "fulltranscript", "# Change iked.conf");
	says(f, "proto tcp from 10.1.0.0/24 port 80 to 10.2.0.0/24 " PEERS,
	    "protocol=tcp dst-port=80");
	says(f, "proto 99 " NETS PEERS, "protocol=99");
	says(f, "from { 10.1.0.0/24, 10.3.0.0/24 } to 10.2.0.0/24 " PEERS,
	    "src-address=10.2.0.0/24 dst-address=10.3.0.0/24");
	says(f, "transport from 192.0.2.1 to 198.51.100.1 " PEERS, "tunnel=no");
	says(f, "transport from 192.0.2.1 to 198.51.100.1 " PEERS, "!srcnat");
	says(f, "from 10.1.0.0/24 to dynamic config address 10.9.0.0/24",
	    "mode-config=request-only");
}

ATF_TC_WITHOUT_HEAD(swanctl);
ATF_TC_BODY(swanctl, tc)
{
	enum form f = FORM_SWANCTL;

	says(f, NETS PEERS, "local_addrs = 198.51.100.1\n\t\tremote_addrs = 192.0.2.1");
	says(f, NETS PEERS, "local_ts = 10.2.0.0/24\n");
	says(f, NETS PEERS "ikesa enc aes-256-gcm prf hmac-sha2-384 group ecp384",
	    "proposals = aes256gcm16-prfsha384-ecp384\n");
	says(f, NETS PEERS "childsa enc chacha20-poly1305 group curve25519 esn",
	    "esp_proposals = chacha20poly1305-curve25519-esn\n");
	says(f, NETS PEERS "srcid a.example dstid u@b.example", "id = \"email:u@b.example\"");
	says(f, NETS PEERS "srcid a.example", "id-2 = \"fqdn:a.example\"");
	says(f, NETS PEERS "srcid \"keyid:ab\"", "id = \"keyid:#6162\"");
	says(f, "passive" NETS PEERS, "start_action = start");
	says(f, "active" NETS PEERS, "start_action = trap");
	says(f, "passive" NETS "peer any", "!remote_ts = dynamic");
	says(f, NETS "peer 198.51.100.1", "!remote_addrs =");
	says(f, "natt" NETS PEERS, "encap = yes");
	says(f, "single from { 10.1.0.0/24, 10.3.0.0/24 } to 10.2.0.0/24 " PEERS,
	    "\t\t\tt-2 {\n\t\t\t\tlocal_ts = 10.2.0.0/24\n\t\t\t\tremote_ts = 10.3.0.0/24");
	says(f, "proto udp from 10.1.0.0/24 port 53 to 10.2.0.0/24 " PEERS,
	    "remote_ts = 10.1.0.0/24[17/53]\n");
	says(f, NETS PEERS, "\t\t# secret = \"0x-put");
	says(f, "from 10.1.0.0/24 to dynamic config address 10.9.0.0/24",
	    "local_ts = dynamic");
}

ATF_TC_WITHOUT_HEAD(openbsd);
ATF_TC_BODY(openbsd, tc)
{
	enum form f = FORM_OPENBSD;

	says(f, NETS PEERS, "srcid \"198.51.100.1\" \\\n\tdstid \"192.0.2.1\" \\\n\t"
	    "ikelifetime 28800 lifetime 10800 bytes 4294967296 \\\n\tpsk \"0x-put");
	says(f, NETS PEERS, "ikev2 \"t\" active tunnel esp \\\n\tfrom");
	says(f, NETS PEERS "ikesa enc { chacha20-poly1305, aes-256-gcm }",
	    "ikesa enc aes-256-gcm prf");
	says(f, NETS PEERS "ikesa enc { chacha20-poly1305, aes-256-gcm }",
	    "does not have it for the IKE SA: chacha20-poly1305.");
	says(f, "natt" NETS PEERS, "!natt");
	says(f, "from { 10.1.0.0/24, 10.3.0.0/24 } to 10.2.0.0/24 " PEERS,
	    "from 10.2.0.0/24 to 10.1.0.0/24 \\\n\tfrom 10.2.0.0/24 to 10.3.0.0/24");
	says(f, "proto { tcp, udp } " NETS PEERS, "esp proto { 6, 17 } \\\n");
	says(f, NETS PEERS "dstid \"keyid:x\"", "# Change dstid in iked.conf");
	says(f, NETS "peer any", "# Change: add srcid");
	says(f, "single" NETS PEERS, "one statement for each pair");
}

ATF_TC_WITHOUT_HEAD(fingerprint);
ATF_TC_BODY(fingerprint, tc)
{
	const uint8_t *a = (const uint8_t *)"my_secret", *b =
	    (const uint8_t *)"my_great_secret";
	char s[SECRET_LEN];
	size_t n;

	ATF_REQUIRE_EQ(0, secret_placeholder(a, 9, salt, s));
	n = strlen(s);
	ATF_CHECK_EQ(1, secret_matches(s, n, a, 9));
	ATF_CHECK_EQ(0, secret_matches(s, n, b, 15));
	ATF_CHECK_EQ(0, secret_matches(s, n, a, 8));
	ATF_CHECK_EQ(-1, secret_matches(s, n - 1, a, 9));
	s[1] = 'X';
	ATF_CHECK_EQ(1, secret_matches(s, n, a, 9));
	s[25] = 'z';
	ATF_CHECK_EQ(-1, secret_matches(s, n, a, 9));
	ATF_CHECK_EQ(0, secret_is_placeholder("0x616263", 8));
}

ATF_TC_WITHOUT_HEAD(command);
ATF_TC_BODY(command, tc)
{
	FILE *f = fopen("c", "w");

	ATF_REQUIRE(f != NULL);
	(void)fputs("ikev2 \"a b\"" NETS PEERS PSK, f);
	ATF_REQUIRE_EQ(0, fclose(f));
#define RUN(cmd)	system(REGRESS_OBJDIR "/ipsecctl " cmd) >> 8
	ATF_CHECK_EQ(0, RUN("mirror 'a b' -f c >out && grep -q '^ikev2 \"a b\"' out"));
	ATF_CHECK_EQ(0, RUN("mirror -o routeros -f c 'a b' >out && grep -q '^/ip/ipsec/peer' out"));
	ATF_CHECK_EQ(0, RUN("mirror -o openbsd -f c 'a b' >out && grep -q 'OpenBSD' out"));
	ATF_CHECK_EQ(0, RUN("mirror -o swanctl -f c 'a b' >out && grep -q '^connections' out"));
	ATF_CHECK_EQ(1, RUN("mirror x -f c 2>err"));
	ATF_CHECK_EQ(0, system("grep -q 'c: there is no tunnel \"x\"; there is a b$' err"));
	ATF_CHECK_EQ(1, RUN("mirror x -f nosuch 2>err"));
	ATF_CHECK_EQ(0, system("grep -q 'nosuch: No such file' err"));
	ATF_CHECK_EQ(1, RUN("mirror x -f . 2>err"));
	ATF_CHECK_EQ(0, system("grep -q 'not a regular file' err"));
	ATF_CHECK_EQ(2, RUN("mirror -f c 2>err"));
	ATF_CHECK_EQ(2, RUN("mirror 'a b' -o cisco -f c 2>err"));
	ATF_CHECK_EQ(0, system("grep -q 'o cisco: iked, routeros, swanctl or openbsd' err"));
	ATF_CHECK_EQ(0, system("echo 'ikev2 \"a\" fron 10/8' >>c"));
	ATF_CHECK_EQ(1, RUN("mirror 'a b' -f c 2>err"));
	ATF_CHECK_EQ(0, system("grep -q '^c:2:11: .*\"from\"' err"));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, files);
	ATF_TP_ADD_TC(tp, routeros);
	ATF_TP_ADD_TC(tp, swanctl);
	ATF_TP_ADD_TC(tp, openbsd);
	ATF_TP_ADD_TC(tp, fingerprint);
	ATF_TP_ADD_TC(tp, command);
	return (atf_no_error());
}
