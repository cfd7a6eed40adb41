/* SPDX-License-Identifier: ISC */
/* IKE_SA_INIT with a payload that was bent, and what becomes of it. */

#include <atf-c.h>
#include <string.h>

#include "bent.h"

void		(*on_sa)(struct proposals *);
void		(*on_body)(uint8_t *, size_t *);
uint8_t		 which;

static void
put_sa(struct parts *ps, const struct proposals *p)
{
	struct wire_enc	e;
	struct wbuf	w;
	uint8_t		b[MSG_MAX];

	wbuf_init(&w, b, sizeof(b));
	wire_inner_begin(&e, &w);
	wire_put_sa(&e, p);
	ATF_REQUIRE_EQ(wire_end(&e), 0);
	part_set(ps, parts_find(ps, P_SA, 0), b + 4, w.len - 4);
}

void
change_sa(struct parts *ps)
{
	static struct wire_msg	m;
	struct part		*p = parts_find(ps, P_SA, 0);
	uint8_t			b[MSG_MAX], first;
	struct parts		one = { .n = 0 };
	size_t			n;

	(void)parts_add(&one, -1, P_SA, p->body, p->len);
	n = parts_write(&one, &first, b, sizeof(b));
	ATF_REQUIRE_EQ(wire_decode(P_SA, b, n, 0, &m, NULL), WIRE_OK);
	on_sa(&m.sa);
	put_sa(ps, &m.sa);
}

void
change_body(struct parts *ps)
{
	struct part	*p = parts_find(ps, which, 0);
	uint8_t		 b[MSG_MAX];
	size_t		 n = p->len;

	memcpy(b, p->body, n);
	on_body(b, &n);
	part_set(ps, p, b, n);
}

/* IKE_SA_INIT of one side changed; the real one does not go. */
struct sim *
init_changed(uint64_t seed, const char *extra, int response, void (*change)(struct parts *),
    struct patch *t)
{
	struct sim	*s = sim_pair(seed, "ondemand", "passive", extra);

	memset(t, 0, sizeof(*t));
	t->from = s->n[response];
	t->exch = X_IKE_SA_INIT;
	t->response = response;
	t->change = change;
	s->filter = patch_filter;
	s->filter_arg = t;
	sim_cmd(s->n[0], CMD_UP, "b");
	sim_run(s, response ? 25 : 9);
	ATF_REQUIRE_EQ(t->done, 1);
	return (s);
}

/* What b answers to a request that was changed so: 0 nothing, a notify, or -1: an SA. */
int
init_answer(const char *extra, void (*change)(struct parts *))
{
	struct wire_msg	 m;
	struct wire_hdr	 h;
	struct patch	 t;
	struct sim	*s = init_changed(1, extra, 0, change, &t);
	struct show_stats st;
	int		 r = 0;

	sim_stats(s->n[1], &st);
	if (t.answers > 0) {
		ATF_CHECK_EQ(t.answers, 1);
		ATF_REQUIRE_EQ(wire_hdr_decode(t.ans, t.anslen, &h), 0);
		ATF_REQUIRE_EQ(wire_decode(h.next, t.ans + 28, t.anslen - 28, 28, &m, NULL),
		    WIRE_OK);
		r = m.has & WIRE_HAS(P_SA) ? -1 : m.notify[0].type;
		ATF_CHECK_EQ(h.spir == 0, r != -1);
	} else
		ATF_CHECK_EQ(st.rx_bad + st.rx_dropped, 1);
	/* half an SA only for a whole answer */
	ATF_CHECK_EQ(st.half_open, r == -1 ? 1U : 0U);
	sim_free(s);
	return (r);
}

/* a's view of a reply that was changed: it waits for a better one.  1: so it does */
int
reply_refused(const char *extra, void (*change)(struct parts *))
{
	struct patch	 t;
	struct sim	*s = init_changed(2, extra, 1, change, &t);
	struct node	*a = s->n[0];
	struct ike_half	*h;
	uint32_t	 at = 0;
	int		 ok;

	h = slab_walk(&a->e->w.halves, &at, NULL);
	ok = h != NULL && h->state == HALF_INIT_SENT && h->c.spir == 0 && t.answers == 0 &&
	    sim_established(a) == 0;
	/* the retransmission brings the real one, which still does it */
	sim_run(s, 3000);
	ok = ok && sim_is_up(a, "b") && sim_is_up(s->n[1], "a");
	sim_free(s);
	return (ok);
}
