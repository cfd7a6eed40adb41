/* SPDX-License-Identifier: ISC */
/*
 * Proposals: two sides agree when one proposal of each has an algorithm of every type
 * in common (RFC 7296 2.7).  Where there is none, the pair that is nearest is looked
 * at, and for each type that it lacks both lists are said, and what would be common.
 */

#include <string.h>

#include "diff.h"

#define LISTLEN	240

static const struct xform *
xform_in(const struct proposal *p, const struct xform *x)
{
	unsigned int i;

	for (i = 0; i < p->nxforms; i++)
		if (p->xf[i].type == x->type && p->xf[i].id == x->id &&
		    p->xf[i].keybits == x->keybits)
			return (&p->xf[i]);
	return (NULL);
}

static int
common(const struct proposal *p, const struct proposal *q, uint8_t type)
{
	unsigned int i;

	for (i = 0; i < p->nxforms; i++)
		if (p->xf[i].type == type && xform_in(q, &p->xf[i]) != NULL)
			return (1);
	/* with AEAD neither has any */
	return (!side_has(p, type) && !side_has(q, type));
}

/* PFS: no group at all is the group "none". */
static int
common_pfs(const struct proposal *p, const struct proposal *q)
{
	static const struct xform none = { XF_KE, KE_NONE, 0, 0 };
	int pn = !side_has(p, XF_KE) || xform_in(p, &none) != NULL;
	int qn = !side_has(q, XF_KE) || xform_in(q, &none) != NULL;

	return ((pn && qn) || (side_has(p, XF_KE) && side_has(q, XF_KE) &&
	    common(p, q, XF_KE)));
}

/* The types of the mask without anything in common. */
static unsigned int
missing(const struct proposal *p, const struct proposal *q, unsigned int types)
{
	unsigned int t, m = 0;

	for (t = XF_ENCR; t <= XF_SN; t++)
		if ((types & 1U << t) != 0 && !common(p, q, (uint8_t)t))
			m |= 1U << t;
	/* the integrity of an AEAD is its own: the cipher is what differs */
	if ((m & 1U << XF_ENCR) != 0 && side_has(p, XF_INTEG) != side_has(q, XF_INTEG))
		m &= ~(1U << XF_INTEG);
	return (m);
}

/* How far apart: the cipher counts most, for it decides what else is there. */
static unsigned int
distance(unsigned int m)
{
	unsigned int n = (m & 1U << XF_ENCR) != 0 ? 2 : 0;

	for (; m != 0; m &= m - 1)
		n++;
	return (n);
}

struct nearest {
	const struct proposal	*p, *q;
	unsigned int		 missing;
};

/* 1: they agree. */
static int
agree(const struct proposals *a, const struct proposals *b, unsigned int types,
    struct nearest *n)
{
	unsigned int i, k, m;

	memset(n, 0, sizeof(*n));
	for (i = 0; i < a->n; i++)
		for (k = 0; k < b->n; k++) {
			m = missing(&a->p[i], &b->p[k], types);
			if (n->p != NULL && distance(m) >= distance(n->missing))
				continue;
			n->p = &a->p[i];
			n->q = &b->p[k];
			n->missing = m;
		}
	return (n->p != NULL && n->missing == 0);
}

static void
append(char *dst, const char *word)
{
	if (strlen(dst) + strlen(word) + 3 > LISTLEN)
		return;
	if (dst[0] != '\0')
		(void)strlcat(dst, ", ", LISTLEN);
	(void)strlcat(dst, word, LISTLEN);
}

/* All that a side has of a type, in words that both sides know. */
static char *
list(const struct proposals *ps, const struct proposal *only, uint8_t type,
    char dst[LISTLEN])
{
	const struct proposal *p;
	struct proposal seen;
	unsigned int i, k;

	dst[0] = '\0';
	memset(&seen, 0, sizeof(seen));
	for (i = 0; i < ps->n; i++) {
		p = &ps->p[i];
		for (k = 0; k < p->nxforms && (only == NULL || only == p); k++) {
			if (p->xf[k].type != type || xform_in(&seen, &p->xf[k]) != NULL)
				continue;
			side_xform(&seen, type, p->xf[k].id, p->xf[k].keybits);
			append(dst, word_name(type, p->xf[k].id, p->xf[k].keybits));
		}
	}
	if (dst[0] == '\0')
		(void)strlcpy(dst, "none", LISTLEN);
	return (dst);
}

/* Something of the type that one side has and the other's program can. */
static const struct xform *
possible(const struct proposals *ps, enum form mine, enum form other, int esp,
    uint8_t type)
{
	unsigned int i, k;
	const struct xform *x;

	for (i = 0; i < ps->n; i++)
		for (k = 0; k < ps->p[i].nxforms; k++) {
			x = &ps->p[i].xf[k];
			if (x->type == type && !(type == XF_KE && x->id == KE_NONE) &&
			    word_of(mine, esp, type, x->id, x->keybits) != NULL &&
			    word_of(other, esp, type, x->id, x->keybits) != NULL)
				return (x);
		}
	return (NULL);
}

/* What everybody can. */
static const struct xform *
usual(uint8_t type)
{
	static const struct xform all[] = {
		{ XF_ENCR, ENCR_AES_CBC, 256, 0 }, { XF_PRF, PRF_HMAC_SHA2_256, 0, 0 },
		{ XF_INTEG, INTEG_HMAC_SHA2_256_128, 0, 0 },
		{ XF_KE, KE_MODP2048, 0, 0 }, { XF_SN, SN_32, 0, 0 } };
	unsigned int i;

	for (i = 0; all[i].type != type; )
		i++;
	return (&all[i]);
}

static const char *
weak(const struct xform *x)
{
	const struct xform_info *xi = xform_info(x->type, x->id, x->keybits);

	return (xi == NULL || xi->weak ? " (weak)" : "");
}

/* How it is written there: "childsa group modp2048", "pfs-group=modp2048". */
static char *
written(enum form f, int esp, const struct xform *x, char dst[80])
{
	static const char *const ours[] = { "", "enc ", "prf ", "auth ", "group ", "" };
	static const char *const ros[2][6] = {
		{ "", "enc-algorithm=", "prf-algorithm=", "hash-algorithm=",
		    "dh-group=", "" },
		{ "", "enc-algorithms=", "", "auth-algorithms=", "pfs-group=", "" } };
	const char *w = word_of(f, esp, x->type, x->id, x->keybits);

	if (w == NULL)
		w = word_name(x->type, x->id, x->keybits);
	if (f == FORM_IKED || f == FORM_OPENBSD)
		(void)snprintf(dst, 80, "%s %s%s", esp ? "childsa" : "ikesa",
		    ours[x->type], w);
	else
		(void)snprintf(dst, 80, "%s%s", f == FORM_ROUTEROS ?
		    ros[esp][x->type] : "", w);
	return (dst);
}

/* "aes-256 would be common: write enc-algorithm=aes-256 at boise.rsc:9" */
static char *
advice(const struct diff *d, const struct proposals *a, const struct proposals *b,
    int esp, uint8_t type, const char *pa, const char *pb, char *dst, size_t cap)
{
	enum form fa = d->a->form, fb = d->b->form;
	const struct xform *x = possible(a, fa, fb, esp, type), *y = possible(b, fb, fa,
	    esp, type);
	char wa[80], wb[80];

	/* not the weak one, where there is a choice */
	if (x != NULL && y != NULL && *weak(x) != '\0' && *weak(y) == '\0')
		x = NULL;
	if (x != NULL)
		(void)snprintf(dst, cap, "%s%s would be common: write %s at %s",
		    word_name(type, x->id, x->keybits), weak(x),
		    written(fb, esp, x, wb), pb);
	else if (y != NULL)
		(void)snprintf(dst, cap, "%s%s would be common: write %s at %s",
		    word_name(type, y->id, y->keybits), weak(y),
		    written(fa, esp, y, wa), pa);
	else
		(void)snprintf(dst, cap, "both can do %s: write %s at %s, %s at %s",
		    word_name(type, usual(type)->id, usual(type)->keybits),
		    written(fa, esp, usual(type), wa), pa,
		    written(fb, esp, usual(type), wb), pb);
	return (dst);
}

static void
say(struct diff *d, const char *sa, const struct nearest *n, const struct proposals *a,
    const struct proposals *b, int esp, const struct place *at, const struct place *bt)
{
	static const char *const names[] = { "", "cipher", "PRF", "integrity algorithm",
	    "group", "sequence numbers" };
	char la[LISTLEN], lb[LISTLEN], pa[PLACE_LEN], pb[PLACE_LEN], text[400];
	struct proposal all;
	unsigned int i, k;
	uint8_t t;
	int across;

	(void)diff_place(at, pa);
	(void)diff_place(bt, pb);
	for (t = XF_ENCR; t <= XF_SN; t++) {
		if ((n->missing & 1U << t) == 0)
			continue;
		/* the whole lists may meet where the two proposals do not */
		memset(&all, 0, sizeof(all));
		for (i = 0; i < b->n; i++)
			for (k = 0; k < b->p[i].nxforms; k++)
				if (b->p[i].xf[k].type == t)
					side_xform(&all, t, b->p[i].xf[k].id,
					    b->p[i].xf[k].keybits);
		for (i = 0, across = 0; i < a->n; i++)
			across |= side_has(&a->p[i], t) && common(&a->p[i], &all, t);
		diff_say(d, "%s: no common %s: %s has %s, %s has %s%s; %s", sa, names[t],
		    pa, list(a, across ? n->p : NULL, t, la), pb,
		    list(b, across ? n->q : NULL, t, lb), across ?
		    " in the proposals that are nearest" : "",
		    advice(d, a, b, esp, t, pa, pb, text, sizeof(text)));
	}
}

/* Nothing that could be offered is known of one of them. */
static int
empty(struct diff *d, const char *sa, const struct proposals *a, const struct proposals *b,
    const struct place *at, const struct place *bt)
{
	char p[PLACE_LEN];

	if (a == NULL || b == NULL)
		return (1);	/* no memory, which is said */
	if (a->n > 0 && b->n > 0)
		return (0);
	diff_say(d, "%s: %s has no algorithm that is known here", sa,
	    diff_place(a->n == 0 ? at : bt, p));
	return (1);
}

void
diff_ike(struct diff *d, const struct side_peer *a, const struct side_peer *b)
{
	struct nearest n;
	unsigned int types = 1U << XF_ENCR | 1U << XF_INTEG | 1U << XF_KE;

	if (empty(d, "IKE SA", a->ike, b->ike, &a->at_ike, &b->at_ike))
		return;
	/* IKEv1 has its PRF with the hash */
	if (a->version != 1 || b->version != 1)
		types |= 1U << XF_PRF;
	if (!agree(a->ike, b->ike, types, &n))
		say(d, "IKE SA", &n, a->ike, b->ike, 0, &a->at_ike, &b->at_ike);
}

/* Groups count only among proposals that agree in all the rest. */
static void
pfs(struct diff *d, const struct side_child *a, const struct side_child *b,
    unsigned int types)
{
	const struct proposals *x = a->esp, *y = b->esp;
	char la[LISTLEN], lb[LISTLEN], pa[PLACE_LEN], pb[PLACE_LEN], text[400];
	unsigned int i, k;
	int v1;

	for (i = 0; i < x->n; i++)
		for (k = 0; k < y->n; k++)
			if (missing(&x->p[i], &y->p[k], types) == 0 &&
			    common_pfs(&x->p[i], &y->p[k]))
				return;
	(void)diff_place(&a->at_pfs, pa);
	(void)diff_place(&b->at_pfs, pb);
	v1 = d->a->peers[a->peer].version == 1 && d->b->peers[b->peer].version == 1;
	diff_say(d, "PFS differs: the group is %s at %s, %s at %s: %s; %s",
	    list(x, NULL, XF_KE, la), pa, list(y, NULL, XF_KE, lb), pb, v1 ?
	    "phase 2 fails" : "the tunnel works until its first rekey, and then stops",
	    advice(d, x, y, 1, XF_KE, pa, pb, text, sizeof(text)));
}

void
diff_esp(struct diff *d, const struct side_child *a, const struct side_child *b)
{
	unsigned int types = 1U << XF_ENCR | 1U << XF_INTEG | 1U << XF_SN;
	struct nearest n;
	char at[PLACE_LEN];

	if (empty(d, "ESP", a->esp, b->esp, &a->at_esp, &b->at_esp))
		return;
	if (!agree(a->esp, b->esp, types, &n)) {
		say(d, "ESP", &n, a->esp, b->esp, 1, &a->at_esp, &b->at_esp);
		return;
	}
	pfs(d, a, b, types);
	if (!side_has(n.p, XF_INTEG) && (a->gcmauth || b->gcmauth) &&
	    d->a->form != d->b->form)
		diff_note(d, "%s: beside a GCM cipher auth-algorithms is best empty "
		    "(auth-algorithms=\"\"): others take no proposal that has both",
		    diff_place(a->gcmauth ? &a->at_esp : &b->at_esp, at));
}
