/* SPDX-License-Identifier: ISC */
/* nf_tables' messages, and the copy that is made of them. */

#include <sys/socket.h>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <stdlib.h>
#include <string.h>

#include "proc/nft.h"

void
nft_attrs(struct span s, struct span *a, size_t n)
{
	struct rbuf	 r;
	struct span	 v;
	unsigned int	 len, type;

	memset(a, 0, n * sizeof(*a));
	rbuf_init(&r, s.p, s.len);
	while (rbuf_left(&r) >= NLA_HDRLEN) {
		len = rbuf_h16(&r);
		type = rbuf_h16(&r) & NLA_TYPE_MASK;
		if (len < NLA_HDRLEN)
			return;
		v = rbuf_span(&r, len - NLA_HDRLEN);
		if (!rbuf_ok(&r))
			return;
		if (type < n)
			a[type] = v;
		len = NLA_ALIGN(len) - len;
		rbuf_skip(&r, len < rbuf_left(&r) ? len : rbuf_left(&r));
	}
}

uint32_t
nft_u32(struct span s)
{
	struct rbuf	 r;

	rbuf_init(&r, s.p, s.len == 4 ? 4 : 0);
	return (rbuf_u32(&r));
}

int
nft_same(struct span s, const char *word)
{
	return (s.len == strlen(word) && memcmp(s.p, word, s.len) == 0);
}

/* A name: up to its NUL. */
static struct span
name(struct span s)
{
	const uint8_t	*end = s.len != 0 ? memchr(s.p, 0, s.len) : NULL;

	if (end != NULL)
		s.len = (size_t)(end - s.p);
	return (s);
}

static int
equal(struct span a, struct span b)
{
	return (a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0));
}

/* Room for one more, its octets 0; NULL: there is none. */
static void *
more(struct nft *t, void *array, size_t *n, size_t size)
{
	void		**all = array, *p;

	if (t->items >= NFT_ITEMS)
		return (NULL);
	if ((*n & (*n - 1)) == 0) {	/* 0 and powers of two: full */
		if ((p = realloc(*all, (*n == 0 ? 1 : *n * 2) * size)) == NULL)
			return (NULL);
		*all = p;
	}
	t->items++;
	p = (char *)*all + (*n)++ * size;
	memset(p, 0, size);
	return (p);
}

/* A copy of the message, which lives as long as t. */
static struct span
keep(struct nft *t, const void *p, size_t len)
{
	struct span	 s = { NULL, 0 };
	uint8_t		*b, **slot;

	if (len > NFT_OCTETS - t->octets || (b = malloc(len + 1)) == NULL)
		return (s);
	if ((slot = more(t, &t->blobs, &t->nblobs, sizeof(*slot))) == NULL) {
		free(b);
		return (s);
	}
	*slot = b;
	t->octets += len;
	memcpy(b, p, len);
	s.p = b;
	s.len = len;
	return (s);
}

static int
add_table(struct nft *t, uint8_t family, struct span body)
{
	struct span	 a[NFTA_TABLE_FLAGS + 1];
	struct nft_set	*s = more(t, &t->tables, &t->ntables, sizeof(*s));

	if (s == NULL)
		return (-1);
	nft_attrs(body, a, sizeof(a) / sizeof(a[0]));
	s->family = family;
	s->table = name(a[NFTA_TABLE_NAME]);
	s->flags = nft_u32(a[NFTA_TABLE_FLAGS]);
	return (0);
}

static int
is_dormant(const struct nft *t, uint8_t family, struct span table)
{
	size_t		 i;

	for (i = 0; i < t->ntables; i++)
		if (t->tables[i].family == family && equal(t->tables[i].table, table))
			return ((t->tables[i].flags & NFT_TABLE_F_DORMANT) != 0);
	return (0);
}

static int
add_chain(struct nft *t, uint8_t family, struct span body)
{
	struct span	 a[NFTA_CHAIN_TYPE + 1], h[NFTA_HOOK_PRIORITY + 1];
	struct nft_chain *c = more(t, &t->chains, &t->nchains, sizeof(*c));

	if (c == NULL)
		return (-1);
	nft_attrs(body, a, sizeof(a) / sizeof(a[0]));
	nft_attrs(a[NFTA_CHAIN_HOOK], h, sizeof(h) / sizeof(h[0]));
	c->family = family;
	c->table = name(a[NFTA_CHAIN_TABLE]);
	c->name = name(a[NFTA_CHAIN_NAME]);
	c->dormant = is_dormant(t, family, c->table);
	c->base = a[NFTA_CHAIN_HOOK].p != NULL && h[NFTA_HOOK_HOOKNUM].len == 4;
	c->hook = nft_u32(h[NFTA_HOOK_HOOKNUM]);
	/* NF_DROP is 0: without the attribute it is accepted */
	c->policy = a[NFTA_CHAIN_POLICY].len == 4 ? nft_u32(a[NFTA_CHAIN_POLICY]) : 1;
	c->nat = nft_same(name(a[NFTA_CHAIN_TYPE]), "nat");
	c->filter = nft_same(name(a[NFTA_CHAIN_TYPE]), "filter");
	return (0);
}

/* They come chain by chain. */
static struct nft_chain *
chain_of(struct nft *t, uint8_t family, struct span table, struct span chain)
{
	struct nft_chain *c;
	size_t		 i;

	for (i = 0; t->nchains != 0 && i <= t->nchains; i++) {
		c = &t->chains[i == 0 ? t->at : i - 1];
		if (c->family == family && equal(c->name, chain) &&
		    equal(c->table, table)) {
			t->at = (size_t)(c - t->chains);
			return (c);
		}
	}
	return (NULL);
}

static int
add_rule(struct nft *t, uint8_t family, struct span body)
{
	struct span	 a[NFTA_RULE_EXPRESSIONS + 1];
	struct nft_chain *c;
	struct nft_rule	*r;
	struct rbuf	 b;

	nft_attrs(body, a, sizeof(a) / sizeof(a[0]));
	c = chain_of(t, family, name(a[NFTA_RULE_TABLE]), name(a[NFTA_RULE_CHAIN]));
	if (c == NULL)
		return (0);	/* made meanwhile */
	if ((r = more(t, &t->rules, &t->nrules, sizeof(*r))) == NULL)
		return (-1);
	rbuf_init(&b, a[NFTA_RULE_HANDLE].p, a[NFTA_RULE_HANDLE].len);
	r->handle = rbuf_u64(&b);
	r->exprs = a[NFTA_RULE_EXPRESSIONS];
	if (c->last != 0)
		t->rules[c->last - 1].next = (uint32_t)t->nrules;
	else
		c->first = (uint32_t)t->nrules;
	c->last = (uint32_t)t->nrules;
	return (0);
}

static int
add_set(struct nft *t, uint8_t family, struct span body)
{
	struct span	 a[NFTA_SET_FLAGS + 1];
	struct nft_set	*s = more(t, &t->sets, &t->nsets, sizeof(*s));

	if (s == NULL)
		return (-1);
	nft_attrs(body, a, sizeof(a) / sizeof(a[0]));
	s->family = family;
	s->table = name(a[NFTA_SET_TABLE]);
	s->name = name(a[NFTA_SET_NAME]);
	s->flags = nft_u32(a[NFTA_SET_FLAGS]);
	return (0);
}

static int
add_elem(struct nft *t, struct nft_set *s, struct span body)
{
	struct span	 a[NFTA_SET_ELEM_KEY_END + 1], d[NFTA_DATA_VERDICT + 1];
	struct nft_elem	*e = more(t, &t->elems, &t->nelems, sizeof(*e));

	if (e == NULL)
		return (-1);
	nft_attrs(body, a, sizeof(a) / sizeof(a[0]));
	nft_attrs(a[NFTA_SET_ELEM_KEY], d, sizeof(d) / sizeof(d[0]));
	e->key = d[NFTA_DATA_VALUE];
	e->data = a[NFTA_SET_ELEM_DATA];
	e->flags = nft_u32(a[NFTA_SET_ELEM_FLAGS]);
	e->next = s->first;
	s->first = (uint32_t)t->nelems;
	return (0);
}

/* A list: each of its attributes is one element. */
static int
add_elems(struct nft *t, uint8_t family, struct span body)
{
	struct span	 a[NFTA_SET_ELEM_LIST_ELEMENTS + 1], v;
	struct rbuf	 r;
	unsigned int	 len;
	size_t		 i;

	nft_attrs(body, a, sizeof(a) / sizeof(a[0]));
	for (i = t->nsets; i > 0; i--)
		if (t->sets[i - 1].family == family &&
		    equal(t->sets[i - 1].name, name(a[NFTA_SET_ELEM_LIST_SET])) &&
		    equal(t->sets[i - 1].table, name(a[NFTA_SET_ELEM_LIST_TABLE])))
			break;
	v = a[NFTA_SET_ELEM_LIST_ELEMENTS];
	rbuf_init(&r, v.p, v.len);
	while (i > 0 && rbuf_left(&r) >= NLA_HDRLEN) {
		len = rbuf_h16(&r);
		(void)rbuf_h16(&r);
		if (len < NLA_HDRLEN)
			return (0);
		v = rbuf_span(&r, len - NLA_HDRLEN);
		if (!rbuf_ok(&r))
			return (0);
		if (add_elem(t, &t->sets[i - 1], v) == -1)
			return (-1);
		len = NLA_ALIGN(len) - len;
		rbuf_skip(&r, len < rbuf_left(&r) ? len : rbuf_left(&r));
	}
	return (0);
}

int
nft_add(struct nft *t, unsigned int type, const void *p, size_t len)
{
	static const struct { unsigned int type; int (*add)(struct nft *, uint8_t, struct span); }
	    all[] = {
		{ NFT_MSG_NEWTABLE, add_table }, { NFT_MSG_NEWCHAIN, add_chain }, { NFT_MSG_NEWRULE, add_rule },
		{ NFT_MSG_NEWSET, add_set }, { NFT_MSG_NEWSETELEM, add_elems },
	};
	struct span	 s;
	size_t		 i;
	uint8_t		 family;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].type == type)
			break;
	if (i == sizeof(all) / sizeof(all[0]) || len < sizeof(struct nfgenmsg))
		return (0);
	if ((s = keep(t, p, len)).p == NULL)
		return (-1);
	family = s.p[0];	/* nfgen_family is the first */
	s.p += sizeof(struct nfgenmsg);
	s.len -= sizeof(struct nfgenmsg);
	return (all[i].add(t, family, s));
}

struct nft *
nft_new(void)
{
	return (calloc(1, sizeof(struct nft)));
}

void
nft_free(struct nft *t)
{
	size_t		 i;

	if (t == NULL)
		return;
	for (i = 0; i < t->nblobs; i++)
		free(t->blobs[i]);
	free(t->blobs);
	free(t->tables);
	free(t->chains);
	free(t->rules);
	free(t->sets);
	free(t->elems);
	free(t);
}
