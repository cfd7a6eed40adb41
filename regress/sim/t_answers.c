/* SPDX-License-Identifier: ISC */
/* Answers that are neither a yes nor a plain no, and what a person reads of them. */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

#define PSK	"psk \"a secret that is long enough\"\n"

static uint16_t	says;
static int	says_len;

/* The Child's payloads go, an error comes instead. */
static void
no_child(struct parts *ps)
{
	parts_del(ps, P_SA);
	parts_del(ps, P_TSI);
	parts_del(ps, P_TSR);
	(void)parts_note(ps, -1, says, "\0\23", (size_t)says_len);
}

static struct sim *
nets(uint64_t seed, struct patch *t)
{
	struct sim	*s = sim_new(seed);

	(void)sim_node(s, "a", "192.0.2.1", "ikev2 \"b\" ondemand esp from { 10.1.0.0/24, "
	    "10.3.0.0/24 } to { 10.2.0.0/24, 10.4.0.0/24 } local 192.0.2.1 peer "
	    "198.51.100.1 " PSK);
	(void)sim_node(s, "b", "198.51.100.1", "ikev2 \"a\" passive esp from { 10.2.0.0/24, "
	    "10.4.0.0/24 } to { 10.1.0.0/24, 10.3.0.0/24 } local 198.51.100.1 peer "
	    "192.0.2.1 " PSK);
	t->from = s->n[1];
	s->filter = patch_filter;
	s->filter_arg = t;
	return (s);
}

/* SINGLE_PAIR_REQUIRED (2.9) in IKE_AUTH: from then on one pair a Child, and traffic of the
 * first pair flows. */
ATF_TC_WITHOUT_HEAD(single_pair);
ATF_TC_BODY(single_pair, tc)
{
	struct patch		 t = { .exch = X_IKE_AUTH, .response = 1, .change = no_child };
	struct sim		*s = nets(1, &t);
	struct child_sa		*c;
	struct tslist		 l, r;
	uint32_t		 at = 0;

	says = N_SINGLE_PAIR_REQUIRED;
	says_len = 0;
	(void)sim_ping(s->n[0], "10.3.0.5", "10.4.0.7");
	sim_run(s, 3000);
	ATF_CHECK_EQ(t.done, 1);
	ATF_CHECK(sim_logged(s->n[0], "the peer wants a Child SA for each pair of networks"));
	ATF_REQUIRE(sim_is_up(s->n[0], "b"));
	ATF_REQUIRE((c = slab_walk(&s->n[0]->e->w.childs, &at, NULL)) != NULL);
	child_get_ts(c, &l, &r);
	ATF_CHECK(l.n == 1 && r.n == 1);
	/* the pair of the packet that asked */
	ATF_CHECK(l.t[0].start.b[1] == 3 && r.t[0].start.b[1] == 4);
	sim_free(s);
}

/* Other refusals of the first Child: the IKE SA stands, the reason is told with what was
 * asked for, and it is tried again on it. */
ATF_TC_WITHOUT_HEAD(first_refused);
ATF_TC_BODY(first_refused, tc)
{
	static const struct {
		uint16_t	 type;
		int		 len;
		const char	*text;
	} all[] = {
		{ N_NO_PROPOSAL_CHOSEN, 0, "NO_PROPOSAL_CHOSEN for the Child SA: \"childsa\" differs" },
		{ N_TS_UNACCEPTABLE, 0, "TS_UNACCEPTABLE for the Child SA; we ask for from 10.1" },
		{ N_INVALID_KE_PAYLOAD, 2, "it wants ecp256; we offer" },
		{ N_INVALID_KE_PAYLOAD, 0, "it wants no group we know; we offer" },
		{ N_INTERNAL_ADDRESS_FAILURE, 0, "it has no address inside for us" },
		{ N_FAILED_CP_REQUIRED, 0, "FAILED_CP_REQUIRED" },
		{ N_TEMPORARY_FAILURE, 0, "TEMPORARY_FAILURE" },
		{ 4711, 0, "unknown error notify" },
	};
	struct patch		 t;
	struct sim		*s;
	struct show_tunnel	 u;
	size_t			 i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		t = (struct patch){ .exch = X_IKE_AUTH, .response = 1, .change = no_child };
		says = all[i].type;
		says_len = all[i].len;
		s = sim_pair(2, "ondemand", "passive", "");
		t.from = s->n[1];
		s->filter = patch_filter;
		s->filter_arg = &t;
		sim_cmd(s->n[0], CMD_UP, "b");
		sim_run(s, 100);
		ATF_CHECK_EQ(t.done, 1);
		ATF_CHECK(sim_tunnel(s->n[0], "b", &u));
		ATF_CHECK_MSG(strstr(u.error, all[i].text) != NULL, "%s", u.error);
		ATF_CHECK(sim_logged(s->n[0], all[i].text));
		ATF_CHECK_EQ(sim_established(s->n[0]), 1);
		sim_run(s, 15000);
		ATF_CHECK_MSG(sim_is_up(s->n[0], "b"), "%s", all[i].text);
		ATF_CHECK_EQ(sim_kernel_count(s->n[0]), 2);
		sim_free(s);
	}
}

/* The identity leads to another peer than the address did, whose "ikesa" does not allow what
 * was agreed before it was known. */
ATF_TC_WITHOUT_HEAD(other_ikesa);
ATF_TC_BODY(other_ikesa, tc)
{
	struct sim	*s = sim_new(3);

	(void)sim_node(s, "hub", "198.51.100.1",
	    "ikev2 \"weak\" esp from 10.2.0.0/24 to 10.1.0.0/24 local 198.51.100.1 peer any "
	    "dstid weak.example ikesa enc aes-128-gcm prf hmac-sha2-256 group ecp256 " PSK
	    "ikev2 \"strong\" esp from 10.2.0.0/24 to 10.3.0.0/24 local 198.51.100.1 peer any "
	    "dstid strong.example ikesa enc aes-256-gcm prf hmac-sha2-384 group ecp384 " PSK);
	(void)sim_node(s, "c", "192.0.2.9", "ikev2 \"h\" ondemand esp from 10.3.0.0/24 to "
	    "10.2.0.0/24 local 192.0.2.9 peer 198.51.100.1 srcid strong.example dstid "
	    "198.51.100.1 ikesa enc aes-128-gcm prf hmac-sha2-256 group ecp256 " PSK);
	ATF_CHECK(!sim_up(s->n[1], "h"));
	ATF_CHECK(sim_logged(s->n[0], "\"ikesa\" of tunnel \"strong\" does not allow what was "
	    "agreed: make it equal to that of tunnel \"weak\""));
	ATF_CHECK_EQ(sim_established(s->n[0]), 0);
	sim_free(s);
}

static void
no_nats(struct parts *ps)
{
	/* not where it comes from */
	(void)parts_note(ps, -1, N_NO_NATS_ALLOWED, "\300\0\2\7\306\63\144\1\1\364\1\364", 12);
}

/* A peer that wants no NAT on the way (RFC 4555 3.9), and there is one. */
ATF_TC_WITHOUT_HEAD(nat_not_wanted);
ATF_TC_BODY(nat_not_wanted, tc)
{
	struct patch	 t = { .exch = X_IKE_AUTH, .change = no_nats };
	struct sim	*s = sim_pair(4, "ondemand", "passive", "");

	t.from = s->n[0];
	s->filter = patch_filter;
	s->filter_arg = &t;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, 28);
	ATF_CHECK_EQ(patch_refusal(&t, s->n[0]), N_UNEXPECTED_NAT_DETECTED);
	ATF_CHECK(sim_logged(s->n[1], "it wants no NAT on the way, and there is one"));
	ATF_CHECK_EQ(sim_established(s->n[1]), 0);
	sim_free(s);
}

static void
no_natd(struct parts *ps)
{
	parts_del(ps, P_N);
}

/* `natt', and a peer without NAT traversal: a line says that ESP goes as it is. */
ATF_TC_WITHOUT_HEAD(natt_in_vain);
ATF_TC_BODY(natt_in_vain, tc)
{
	struct patch	 t;
	struct sim	*s;
	int		 r;

	for (r = 0; r < 2; r++) {
		t = (struct patch){ .exch = X_IKE_SA_INIT, .response = r, .change = no_natd };
		s = sim_pair(5, "ondemand", "passive", "natt");
		t.from = s->n[r];
		s->filter = patch_filter;
		s->filter_arg = &t;
		sim_cmd(s->n[0], CMD_UP, "b");
		sim_run(s, 100);
		ATF_CHECK_EQ(t.done, 1);
		ATF_CHECK(sim_logged(s->n[!r], "ESP is not put in UDP: the peer has no NAT "
		    "traversal"));
		sim_free(s);
	}
}

/* A rekey of what the peer has not any more (1.3.3): another Child is made at once. */
ATF_TC_WITHOUT_HEAD(rekey_not_found);
ATF_TC_BODY(rekey_not_found, tc)
{
	struct parts		ps = { .n = 0 };
	struct duel		d;
	struct show_tunnel	t;
	uint32_t		spi;
	int			r;

	for (r = 0; r < 2; r++) {
		duel_start(&d, 6, "", r);
		ATF_REQUIRE(sim_tunnel(d.good, r ? "b" : "a", &t));
		spi = t.spi_in;
		ATF_REQUIRE_EQ(duel_provoke(&d, TASK_REKEY_CHILD), 1);
		memset(&ps, 0, sizeof(ps));
		(void)parts_note(&ps, -1, N_CHILD_SA_NOT_FOUND, NULL, 0);
		ATF_CHECK_EQ(duel_reply(&d, &ps), 1);
		ATF_CHECK_EQ(d.h.exch, X_CREATE_CHILD_SA);
		ATF_CHECK((d.m.has & WIRE_HAS(P_TSI)) && wire_notify(&d.m, N_REKEY_SA) == NULL);
		/* it comes again, and this time the peer itself answers */
		d.ike->msgid_in = d.h.msgid;
		sim_run(d.s, 3000);
		ATF_CHECK(sim_tunnel(d.good, r ? "b" : "a", &t) && t.state == SHOW_UP &&
		    t.spi_in != spi);
		ATF_CHECK_EQ(sim_count(d.good, SHOWK_SA), 1);
		ATF_CHECK_EQ(sim_kernel_count(d.good), 2);
		duel_free(&d);
	}
}

/* The peer deletes a Child while our rekey of it is out, and answers that then: the
 * successor is all there is, and is kept; an error is the end of it. */
ATF_TC_WITHOUT_HEAD(rekey_late);
ATF_TC_BODY(rekey_late, tc)
{
	static const char	one[] = "childsa enc aes-256-gcm group none";
	struct parts		req, ps;
	struct duel		d;
	struct wire_hdr		h;
	struct child_sa		*c;
	uint32_t		at;
	uint8_t			b[8] = { 3, 4, 0, 1 };
	int			r, k;

	for (k = 0; k < 2; k++)
		for (r = 0; r < 2; r++) {
			duel_start(&d, 7, one, r);
			at = 0;
			c = slab_walk(&d.good->e->w.childs, &at, NULL);
			ATF_REQUIRE(c != NULL);
			b[4] = (uint8_t)(c->spi_out >> 24);
			b[5] = (uint8_t)(c->spi_out >> 16);
			b[6] = (uint8_t)(c->spi_out >> 8);
			b[7] = (uint8_t)c->spi_out;
			ATF_REQUIRE_EQ(duel_provoke(&d, TASK_REKEY_CHILD), 1);
			parts_read(&req, d.first, d.plain, d.len);
			parts_del(&req, P_N);
			h = d.h;
			memset(&ps, 0, sizeof(ps));
			(void)parts_add(&ps, -1, P_D, b, 8);
			ATF_CHECK_EQ(duel_ask(&d, X_INFORMATIONAL, &ps), 1);
			ATF_CHECK_EQ(sim_count(d.good, SHOWK_SA), 0);
			d.h = h;
			if (k) {
				memset(&req, 0, sizeof(req));
				(void)parts_note(&req, -1, N_CHILD_SA_NOT_FOUND, NULL, 0);
			}
			(void)duel_reply(&d, &req);
			ATF_CHECK_EQ(sim_count(d.good, SHOWK_SA), k == 0);
			ATF_CHECK_EQ(sim_established(d.good), 1);
			ATF_CHECK_EQ(sim_kernel_count(d.good), k == 0 ? 2 : 0);
			duel_free(&d);
		}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, single_pair);
	ATF_TP_ADD_TC(tp, first_refused);
	ATF_TP_ADD_TC(tp, other_ikesa);
	ATF_TP_ADD_TC(tp, nat_not_wanted);
	ATF_TP_ADD_TC(tp, natt_in_vain);
	ATF_TP_ADD_TC(tp, rekey_not_found);
	ATF_TP_ADD_TC(tp, rekey_late);
	return (atf_no_error());
}
