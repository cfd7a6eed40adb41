/* SPDX-License-Identifier: ISC */
/* Negotiation: the responder's choice and the initiator's check. */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "base/xform.h"

/*
 * Proposals from text: words "e:aes-128", "p:", "i:", "k:", "s:" are
 * transforms, "#t/id/bits" is any, "!..." a bad one, ";" starts the next
 * proposal.  The first word is "ike" or "esp".
 */
static void
add(struct proposal *p, uint8_t type, unsigned int id, unsigned int bits,
    int bad)
{
	struct xform *x = &p->xf[p->nxforms++];

	x->type = type;
	x->id = (uint16_t)id;
	x->keybits = (uint16_t)bits;
	x->bad = (uint8_t)bad;
}

static struct proposals
M(const char *text)
{
	static const char types[] = "epiks";
	const struct xform_info *xi;
	struct proposals ps;
	struct proposal *p = &ps.p[0];
	char buf[1024], *w, *save;
	unsigned int type, id, bits, proto = PROTO_IKE;
	int bad;

	memset(&ps, 0, sizeof(ps));
	(void)snprintf(buf, sizeof(buf), "%s", text);
	for (w = strtok_r(buf, " ", &save); w != NULL;
	    w = strtok_r(NULL, " ", &save)) {
		if (strcmp(w, "ike") == 0 || strcmp(w, "esp") == 0 ||
		    strcmp(w, ";") == 0) {
			if (*w != ';')
				proto = *w == 'i' ? PROTO_IKE : PROTO_ESP;
			p = &ps.p[ps.n++];
			p->num = ps.n;
			p->proto = (uint8_t)proto;
			p->spilen = proto == PROTO_ESP ? 4 : 0;
			p->spi = proto == PROTO_ESP ? 0xc0000000 + ps.n : 0;
			continue;
		}
		bad = *w == '!';
		if (bad)
			w++;
		if (sscanf(w, "#%u/%u/%u", &type, &id, &bits) == 3) {
			add(p, (uint8_t)type, id, bits, bad);
			continue;
		}
		type = (unsigned int)(strchr(types, *w) - types) + 1;
		xi = xform_byname((uint8_t)type, w + 2);
		ATF_REQUIRE_MSG(xi != NULL, "%s", w);
		add(p, xi->type, xi->id, xi->keybits, bad);
	}
	return (ps);
}

static const char *
choose(const char *offer, const char *ours, uint16_t hint, int flags,
    struct proposal *c)
{
	static char s[256];
	struct proposals o = M(offer), u = M(ours);
	struct suite suite;

	if (proposal_choose(&o, &u, hint, flags, c, &suite) == -1)
		return ("none");
	return (suite_str(&suite, s, sizeof(s)));
}

#define IKE_GCM	"aes-128-gcm prf hmac-sha2-256 group curve25519"

static const struct choice {
	const char	*offer, *ours;
	uint16_t	 hint;
	int		 flags;
	const char	*want;
} choices[] = {
	/* plain */
	{ "ike e:aes-128-gcm p:hmac-sha2-256 k:curve25519",
	  "ike e:aes-128-gcm p:hmac-sha2-256 k:curve25519", 0, 0, IKE_GCM },
	/* our order decides within a proposal */
	{ "ike e:aes-256 e:aes-128 p:hmac-sha1 p:hmac-sha2-256 i:hmac-sha2-256 k:modp2048 k:ecp256",
	  "ike e:aes-128 e:aes-256 p:hmac-sha2-256 p:hmac-sha1 i:hmac-sha2-256 k:ecp256 k:modp2048",
	  0, 0, "aes-128 auth hmac-sha2-256 prf hmac-sha2-256 group ecp256" },
	/* the offer's order decides between proposals */
	{ "ike e:aes-256 p:hmac-sha2-256 i:hmac-sha2-256 k:ecp256 ; e:aes-128-gcm p:hmac-sha2-256 k:ecp256",
	  "ike e:aes-128-gcm p:hmac-sha2-256 k:ecp256 ; e:aes-256 p:hmac-sha2-256 i:hmac-sha2-256 k:ecp256",
	  0, 0, "aes-256 auth hmac-sha2-256 prf hmac-sha2-256 group ecp256" },
	/* the KE payload that came saves a round trip, if we list its group */
	{ "ike e:aes-128-gcm p:hmac-sha2-256 k:curve25519 k:modp2048",
	  "ike e:aes-128-gcm p:hmac-sha2-256 k:curve25519 k:modp2048",
	  KE_MODP2048, 0, "aes-128-gcm prf hmac-sha2-256 group modp2048" },
	{ "ike e:aes-128-gcm p:hmac-sha2-256 k:curve25519 k:modp2048",
	  "ike e:aes-128-gcm p:hmac-sha2-256 k:curve25519", KE_MODP2048, 0, IKE_GCM },
	/* key lengths are part of the transform */
	{ "ike e:aes-256-gcm p:hmac-sha2-256 k:curve25519",
	  "ike e:aes-128-gcm p:hmac-sha2-256 k:curve25519", 0, 0, "none" },
	{ "ike #1/20/0 p:hmac-sha2-256 k:curve25519",
	  "ike e:aes-128-gcm #1/20/0 p:hmac-sha2-256 k:curve25519", 0, 0, "none" },
	/* a bad or unknown transform is passed over, the rest stands */
	{ "ike !e:aes-128-gcm #1/99/0 #1/20/64 e:aes-256-gcm p:hmac-sha2-256 k:curve25519 #4/1035/0",
	  "ike e:aes-128-gcm e:aes-256-gcm p:hmac-sha2-256 k:curve25519",
	  0, 0, "aes-256-gcm prf hmac-sha2-256 group curve25519" },
	/* an unknown transform type spoils its proposal, not the next */
	{ "ike e:aes-128-gcm p:hmac-sha2-256 k:curve25519 #6/36/0",
	  "ike e:aes-128-gcm p:hmac-sha2-256 k:curve25519", 0, 0, "none" },
	{ "ike e:aes-128-gcm p:hmac-sha2-256 k:curve25519 #6/36/0 ; e:aes-128-gcm p:hmac-sha2-256 k:curve25519",
	  "ike e:aes-128-gcm p:hmac-sha2-256 k:curve25519", 0, 0, IKE_GCM },
	/* AEAD: no INTEG, or NONE alone */
	{ "ike e:aes-128-gcm p:hmac-sha2-256 i:hmac-sha2-256 k:curve25519",
	  "ike e:aes-128-gcm p:hmac-sha2-256 i:hmac-sha2-256 k:curve25519", 0, 0, "none" },
	{ "ike e:aes-128-gcm p:hmac-sha2-256 i:none k:curve25519",
	  "ike e:aes-128-gcm p:hmac-sha2-256 k:curve25519", 0, 0, IKE_GCM },
	/* anything else needs one */
	{ "ike e:aes-128 p:hmac-sha2-256 k:curve25519",
	  "ike e:aes-128 p:hmac-sha2-256 i:hmac-sha2-256 k:curve25519", 0, 0, "none" },
	{ "ike e:aes-128 p:hmac-sha2-256 i:none k:curve25519",
	  "ike e:aes-128 p:hmac-sha2-256 i:none k:curve25519", 0, 0, "none" },
	{ "ike e:aes-128 p:hmac-sha2-256 i:hmac-sha1 k:curve25519",
	  "ike e:aes-128 p:hmac-sha2-256 i:hmac-sha2-256 k:curve25519", 0, 0, "none" },
	/* both kinds in one of ours: each with what it needs */
	{ "ike e:aes-128 p:hmac-sha2-256 i:hmac-sha2-256 k:curve25519",
	  "ike e:aes-128-gcm e:aes-128 p:hmac-sha2-256 i:hmac-sha2-256 k:curve25519",
	  0, 0, "aes-128 auth hmac-sha2-256 prf hmac-sha2-256 group curve25519" },
	/* an IKE SA needs PRF and KE, and cannot go without encryption */
	{ "ike e:aes-128-gcm k:curve25519",
	  "ike e:aes-128-gcm p:hmac-sha2-256 k:curve25519", 0, 0, "none" },
	{ "ike e:aes-128-gcm p:hmac-sha2-256",
	  "ike e:aes-128-gcm p:hmac-sha2-256 k:curve25519", 0, 0, "none" },
	{ "ike e:aes-128-gcm p:hmac-sha2-256 k:none",
	  "ike e:aes-128-gcm p:hmac-sha2-256 k:curve25519 k:none", 0, 0, "none" },
	{ "ike e:null p:hmac-sha2-256 i:hmac-sha2-256 k:curve25519",
	  "ike e:null p:hmac-sha2-256 i:hmac-sha2-256 k:curve25519", 0, 0, "none" },
	/* a type that does not belong to the protocol */
	{ "ike e:aes-128-gcm p:hmac-sha2-256 k:curve25519 s:esn",
	  "ike e:aes-128-gcm p:hmac-sha2-256 k:curve25519", 0, 0, "none" },
	{ "esp e:aes-128-gcm p:hmac-sha2-256 s:noesn",
	  "esp e:aes-128-gcm s:noesn", 0, 0, "none" },
	/* the protocols do not mix */
	{ "esp e:aes-128-gcm s:noesn",
	  "ike e:aes-128-gcm p:hmac-sha2-256 k:curve25519", 0, 0, "none" },
	/* ESP */
	{ "esp e:aes-128-gcm s:noesn", "esp e:aes-128-gcm s:noesn", 0, 0, "aes-128-gcm" },
	{ "esp e:aes-128-gcm s:noesn s:esn", "esp e:aes-128-gcm s:esn s:noesn",
	  0, 0, "aes-128-gcm esn" },
	{ "esp e:aes-128-gcm s:esn", "esp e:aes-128-gcm s:noesn", 0, 0, "none" },
	{ "esp e:aes-128-gcm s:noesn", "esp e:aes-128-gcm", 0, 0, "aes-128-gcm" },
	{ "esp e:aes-128-gcm s:esn", "esp e:aes-128-gcm", 0, 0, "none" },
	{ "esp e:aes-128-gcm", "esp e:aes-128-gcm s:noesn", 0, 0, "none" },
	{ "esp e:null i:hmac-sha2-256 s:noesn", "esp e:null i:hmac-sha2-256 s:noesn",
	  0, 0, "null auth hmac-sha2-256" },
	/* PFS: each of the four ways two sides can differ */
	{ "esp e:aes-128-gcm k:ecp256 s:noesn", "esp e:aes-128-gcm k:ecp256 s:noesn",
	  KE_ECP256, 0, "aes-128-gcm group ecp256" },
	{ "esp e:aes-128-gcm k:ecp256 s:noesn", "esp e:aes-128-gcm s:noesn", KE_ECP256, 0, "none" },
	{ "esp e:aes-128-gcm k:ecp256 k:none s:noesn", "esp e:aes-128-gcm s:noesn",
	  KE_ECP256, 0, "aes-128-gcm" },
	{ "esp e:aes-128-gcm s:noesn", "esp e:aes-128-gcm k:ecp256 s:noesn", 0, 0, "none" },
	{ "esp e:aes-128-gcm s:noesn", "esp e:aes-128-gcm k:ecp256 k:none s:noesn",
	  0, 0, "aes-128-gcm" },
	{ "esp e:aes-128-gcm k:none s:noesn", "esp e:aes-128-gcm k:ecp256 k:none s:noesn",
	  0, 0, "aes-128-gcm" },
	/* the first Child SA has no KE of its own, whatever either side lists */
	{ "esp e:aes-128-gcm k:ecp256 s:noesn", "esp e:aes-128-gcm s:noesn",
	  0, PROP_IGNORE_KE, "aes-128-gcm" },
	{ "esp e:aes-128-gcm s:noesn", "esp e:aes-128-gcm k:ecp256 s:noesn",
	  0, PROP_IGNORE_KE, "aes-128-gcm" },
	{ "esp e:aes-128-gcm k:modp2048 s:noesn", "esp e:aes-128-gcm k:ecp256 s:noesn",
	  0, PROP_IGNORE_KE, "aes-128-gcm" },
};

ATF_TC_WITHOUT_HEAD(choice);
ATF_TC_BODY(choice, tc)
{
	const struct choice *t;
	struct proposal c;
	size_t i;

	for (i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		t = &choices[i];
		ATF_CHECK_STREQ_MSG(t->want,
		    choose(t->offer, t->ours, t->hint, t->flags, &c),
		    "row %zu: offered %s", i, t->offer);
	}
}

/* What a responder chooses, the initiator must find in its own offer. */
ATF_TC_WITHOUT_HEAD(choice_verifies);
ATF_TC_BODY(choice_verifies, tc)
{
	const struct choice *t;
	struct proposals offer, ours, answer;
	struct suite s, v;
	char a[256], b[256];
	size_t i, n = 0;

	for (i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		t = &choices[i];
		/* An initiator leaves KE out of the first Child SA's offer. */
		if (t->flags & PROP_IGNORE_KE)
			continue;
		offer = M(t->offer);
		ours = M(t->ours);
		memset(&answer, 0, sizeof(answer));
		answer.n = 1;
		if (proposal_choose(&offer, &ours, t->hint, t->flags,
		    &answer.p[0], &s) == -1)
			continue;
		n++;
		ATF_CHECK_EQ_MSG(proposal_verify(&offer, &answer, &v), 0,
		    "row %zu", i);
		ATF_CHECK_STREQ(suite_str(&s, a, sizeof(a)),
		    suite_str(&v, b, sizeof(b)));
	}
	ATF_CHECK(n >= 15);
}

ATF_TC_WITHOUT_HEAD(choice_keeps);
ATF_TC_BODY(choice_keeps, tc)
{
	struct proposals o, u;
	struct proposal c;
	struct suite s;

	(void)choose("esp e:aes-256 i:hmac-sha2-256 s:noesn ; e:aes-128-gcm k:none s:esn s:noesn",
	    "esp e:aes-128-gcm s:noesn", 0, 0, &c);
	ATF_CHECK_EQ(c.num, 2);
	ATF_CHECK_EQ(c.proto, PROTO_ESP);
	ATF_CHECK_EQ(c.spilen, 4);
	ATF_CHECK_EQ(c.spi, 0xc0000002);
	ATF_CHECK_EQ(c.nxforms, 3);	/* cipher, KE NONE, no ESN */
	ATF_CHECK_EQ(c.xf[0].id, ENCR_AES_GCM_16);
	ATF_CHECK_EQ(c.xf[0].keybits, 128);
	ATF_CHECK_EQ(c.xf[1].type, XF_KE);
	ATF_CHECK_EQ(c.xf[1].id, KE_NONE);

	/* INTEG NONE is answered when it was said (RFC 5282 section 8) */
	(void)choose("ike e:aes-128-gcm p:hmac-sha2-256 i:none k:ecp256",
	    "ike e:aes-128-gcm p:hmac-sha2-256 k:ecp256", 0, 0, &c);
	ATF_CHECK_EQ(c.nxforms, 4);

	/* SPIs that cannot be: ESP 0..255, an IKE rekey's 0, odd sizes */
	o = u = M("esp e:aes-128-gcm s:noesn");
	o.p[0].spi = 255;
	ATF_CHECK_EQ(proposal_choose(&o, &u, 0, 0, &c, &s), -1);
	o.p[0].spi = 256;
	ATF_CHECK_EQ(proposal_choose(&o, &u, 0, 0, &c, &s), 0);
	o.p[0].spilen = 8;
	ATF_CHECK_EQ(proposal_choose(&o, &u, 0, 0, &c, &s), -1);
	o = u = M("ike e:aes-128-gcm p:hmac-sha2-256 k:ecp256");
	o.p[0].spilen = 8;
	ATF_CHECK_EQ(proposal_choose(&o, &u, 0, 0, &c, &s), -1);
	o.p[0].spi = 1;
	ATF_CHECK_EQ(proposal_choose(&o, &u, 0, 0, &c, &s), 0);
	ATF_CHECK_EQ(c.spi, 1);
	o.p[0].spilen = 4;
	ATF_CHECK_EQ(proposal_choose(&o, &u, 0, 0, &c, &s), -1);
	o.p[0].proto = PROTO_AH;
	ATF_CHECK_EQ(proposal_choose(&o, &u, 0, 0, &c, &s), -1);
	/* nothing offered, nothing of ours */
	memset(&o, 0, sizeof(o));
	ATF_CHECK_EQ(proposal_choose(&o, &u, 0, 0, &c, &s), -1);
	ATF_CHECK_EQ(proposal_choose(&u, &o, 0, 0, &c, &s), -1);
}

#define OFFER	"ike e:aes-256 e:aes-128 p:hmac-sha2-256 i:hmac-sha2-256 k:ecp256 k:modp2048"
#define OFFER2	OFFER " ; e:aes-128-gcm p:hmac-sha2-256 k:ecp256"

static const struct {
	const char	*offer, *answer;
	int		 ok;
} answers[] = {
	{ OFFER, "ike e:aes-128 p:hmac-sha2-256 i:hmac-sha2-256 k:ecp256", 1 },
	/* not offered; other attribute; two of a type; one missing; unknown */
	{ OFFER, "ike e:aes-192 p:hmac-sha2-256 i:hmac-sha2-256 k:ecp256", 0 },
	{ OFFER, "ike #1/12/0 p:hmac-sha2-256 i:hmac-sha2-256 k:ecp256", 0 },
	{ OFFER, "ike !e:aes-128 p:hmac-sha2-256 i:hmac-sha2-256 k:ecp256", 0 },
	{ OFFER, "ike e:aes-128 e:aes-256 p:hmac-sha2-256 i:hmac-sha2-256 k:ecp256", 0 },
	{ OFFER, "ike e:aes-128 p:hmac-sha2-256 i:hmac-sha2-256 k:ecp256 k:modp2048", 0 },
	{ OFFER, "ike e:aes-128 p:hmac-sha2-256 i:hmac-sha2-256", 0 },
	{ OFFER, "ike e:aes-128 p:hmac-sha2-256 k:ecp256", 0 },
	{ OFFER, "ike e:aes-128 i:hmac-sha2-256 k:ecp256", 0 },
	{ OFFER, "ike p:hmac-sha2-256 i:hmac-sha2-256 k:ecp256", 0 },
	{ OFFER, "ike e:aes-128 p:hmac-sha2-256 i:hmac-sha2-256 k:ecp256 #6/36/0", 0 },
	{ OFFER, "ike e:aes-128 p:hmac-sha2-256 i:hmac-sha2-256 k:none", 0 },
	{ OFFER, "ike e:aes-128 p:hmac-sha2-256 i:none k:ecp256", 0 },
	{ OFFER, "ike", 0 },
	/* two proposals; another protocol */
	{ OFFER2, OFFER2, 0 },
	{ OFFER, "esp e:aes-128 i:hmac-sha2-256 s:noesn", 0 },
	/* a transform of proposal 2 in an answer to proposal 1 */
	{ OFFER2, "ike e:aes-128-gcm p:hmac-sha2-256 k:ecp256", 0 },
	/* AEAD with an INTEG nobody offered */
	{ "ike e:aes-128-gcm p:hmac-sha2-256 k:ecp256",
	  "ike e:aes-128-gcm p:hmac-sha2-256 i:hmac-sha2-256 k:ecp256", 0 },
	{ "ike e:aes-128-gcm p:hmac-sha2-256 i:none k:ecp256",
	  "ike e:aes-128-gcm p:hmac-sha2-256 k:ecp256", 1 },
	/* what we do not know we cannot use, even if it was "offered" */
	{ "ike #1/99/0 p:hmac-sha2-256 i:hmac-sha2-256 k:ecp256",
	  "ike #1/99/0 p:hmac-sha2-256 i:hmac-sha2-256 k:ecp256", 0 },
	/* ESP: SN must be there; KE only left out when NONE was offered */
	{ "esp e:aes-128-gcm s:noesn", "esp e:aes-128-gcm s:noesn", 1 },
	{ "esp e:aes-128-gcm s:noesn", "esp e:aes-128-gcm", 0 },
	{ "esp e:aes-128-gcm s:noesn", "esp e:aes-128-gcm s:esn", 0 },
	{ "esp e:aes-128-gcm k:ecp256 s:noesn", "esp e:aes-128-gcm k:ecp256 s:noesn", 1 },
	{ "esp e:aes-128-gcm k:ecp256 s:noesn", "esp e:aes-128-gcm s:noesn", 0 },
	{ "esp e:aes-128-gcm k:ecp256 k:none s:noesn", "esp e:aes-128-gcm s:noesn", 1 },
	{ "esp e:aes-128-gcm k:ecp256 k:none s:noesn", "esp e:aes-128-gcm k:none s:noesn", 1 },
	{ "esp e:aes-128-gcm s:noesn", "esp e:aes-128-gcm k:ecp256 s:noesn", 0 },
};

ATF_TC_WITHOUT_HEAD(verify);
ATF_TC_BODY(verify, tc)
{
	struct proposals o, a;
	struct suite s;
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		o = M(answers[i].offer);
		a = M(answers[i].answer);
		ATF_CHECK_MSG(proposal_verify(&o, &a, &s) ==
		    (answers[i].ok ? 0 : -1), "row %zu: %s", i,
		    answers[i].answer);
	}
	/* the number names the proposal */
	o = M(OFFER2);
	a = M("ike e:aes-128-gcm p:hmac-sha2-256 k:ecp256");
	a.p[0].num = 2;
	ATF_CHECK_EQ(proposal_verify(&o, &a, &s), 0);
	a.p[0].num = 3;
	ATF_CHECK_EQ(proposal_verify(&o, &a, &s), -1);
	a.p[0].num = 2;
	a.p[0].spilen = 8;
	a.p[0].spi = 5;
	ATF_CHECK_EQ(proposal_verify(&o, &a, &s), -1);
	o.p[1].spilen = 8;
	o.p[1].spi = 4;
	ATF_CHECK_EQ(proposal_verify(&o, &a, &s), 0);
	a.p[0].spi = 0;
	ATF_CHECK_EQ(proposal_verify(&o, &a, &s), -1);
	o = a = M("esp e:aes-128-gcm s:noesn");
	a.p[0].spi = 255;
	ATF_CHECK_EQ(proposal_verify(&o, &a, &s), -1);
	memset(&a, 0, sizeof(a));
	ATF_CHECK_EQ(proposal_verify(&o, &a, &s), -1);
}

ATF_TC_WITHOUT_HEAD(text);
ATF_TC_BODY(text, tc)
{
	char s[256], tiny[8];
	struct proposals p;

	p = M("ike e:aes-256 e:aes-128 p:hmac-sha2-256 i:hmac-sha2-256 k:curve25519 ; e:aes-128-gcm p:hmac-sha2-256 k:ecp256 #6/36/0");
	ATF_CHECK_STREQ("aes-256,aes-128 auth hmac-sha2-256 prf hmac-sha2-256 "
	    "group curve25519; aes-128-gcm prf hmac-sha2-256 group ecp256 "
	    "type6 #36", proposals_str(&p, s, sizeof(s)));
	p = M("esp e:aes-128-gcm #1/20/64 #1/99/0 k:none s:esn s:noesn");
	ATF_CHECK_STREQ("aes-128-gcm,#20-64,#99 group none esn,noesn",
	    proposals_str(&p, s, sizeof(s)));
	ATF_CHECK_STREQ("aes-128", proposals_str(&p, tiny, sizeof(tiny)));
	memset(&p, 0, sizeof(p));
	ATF_CHECK_STREQ("nothing", proposals_str(&p, s, sizeof(s)));
	s[0] = 'x';
	ATF_CHECK(proposals_str(&p, s, 0) == s);
	ATF_CHECK_EQ(s[0], 'x');
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, choice);
	ATF_TP_ADD_TC(tp, choice_verifies);
	ATF_TP_ADD_TC(tp, choice_keeps);
	ATF_TP_ADD_TC(tp, verify);
	ATF_TP_ADD_TC(tp, text);
	return (atf_no_error());
}
