/* SPDX-License-Identifier: ISC */
/*
 * Which policies of the system are ours, over the end of a process.
 *
 * Traps outlive iked (promise 10), so a tunnel may be taken out of the file while
 * nobody is there to remove its trap.  The next life must do it, and must never touch
 * a policy of another program, or of another iked with a socket of its own.  What a
 * policy looks like (its priority, its reqid) is a guess; so what has been placed is
 * written down in a file that the parent opens, and that goes with the pidfile.  A line
 * is a pair of networks:
 *
 *	SRC DST PROTO SPORT DPORT PRIORITY REQID MODE LOCAL REMOTE
 *
 * as the outbound policy has them; REMOTE is any for a peer that may be anybody.  Lines
 * are added before the traps are placed, and the file is written anew when all of a
 * change is done: it may name too many, never too few.  A policy is taken away if the
 * file names it and it still is what the file says.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/kernel.h"

#define LEFT_MAX	(256U << 20)	/* octets of the file that are believed */
#define CHUNK		(64U * 1024)

static int
cmp_reqid(const void *a, const void *b)
{
	const struct kern_policy *x = a, *y = b;

	return (x->reqid < y->reqid ? -1 : x->reqid > y->reqid);
}

static int
parse_u32(const char *s, uint32_t max, uint32_t *n)
{
	const char *err;

	if (s == NULL)
		return (-1);
	*n = (uint32_t)strtonum(s, 0, max, &err);
	return (err == NULL ? 0 : -1);
}

static int
parse_addr(const char *s, struct addr *a)
{
	memset(a, 0, sizeof(*a));
	if (s == NULL)
		return (-1);
	return (strcmp(s, "any") == 0 ? 0 : addr_parse(a, s));
}

/* 0 or -1; the line is cut into its words. */
static int
parse_line(char *line, struct kern_policy *p)
{
	char *word[10], *s;
	uint32_t proto, sport, dport;
	size_t n;

	memset(p, 0, sizeof(*p));
	for (n = 0; n < 10 && (s = strsep(&line, " ")) != NULL; n++)
		word[n] = s;
	if (n != 10 || line != NULL ||
	    prefix_parse(&p->src, word[0]) == -1 ||
	    prefix_parse(&p->dst, word[1]) == -1 ||
	    parse_u32(word[2], UINT8_MAX, &proto) == -1 ||
	    parse_u32(word[3], UINT16_MAX, &sport) == -1 ||
	    parse_u32(word[4], UINT16_MAX, &dport) == -1 ||
	    parse_u32(word[5], UINT32_MAX, &p->prio) == -1 ||
	    parse_u32(word[6], UINT32_MAX, &p->reqid) == -1 || p->reqid == 0 ||
	    parse_addr(word[8], &p->tsrc) == -1 ||
	    parse_addr(word[9], &p->tdst) == -1)
		return (-1);
	p->transport = strcmp(word[7], "transport") == 0;
	if (!p->transport && strcmp(word[7], "tunnel") != 0)
		return (-1);
	p->dir = KERN_OUT;
	p->proto = (uint8_t)proto;
	p->sport = (uint16_t)sport;
	p->dport = (uint16_t)dport;
	return (0);
}

int
kleft_parse(struct kleft *kl, const char *text, size_t len)
{
	struct kern_policy p;
	char line[256];
	const char *lf;
	size_t n;

	for (; len > 0; text += n, len -= n) {
		lf = memchr(text, '\n', len);
		n = lf == NULL ? len : (size_t)(lf - text) + 1;
		if (lf == NULL || n > sizeof(line))
			continue;	/* torn: the writer was killed */
		memcpy(line, text, n - 1);
		line[n - 1] = '\0';
		if (strlen(line) == n - 1 && parse_line(line, &p) == 0)
			kseen_add(&kl->was, &p);
	}
	kseen_sort(&kl->was);
	if (kl->was.n > 0 && (kl->byreqid = reallocarray(NULL, kl->was.n,
	    sizeof(*kl->byreqid))) == NULL)
		kl->was.err = 1;
	if (kl->was.err) {
		kleft_free(kl);
		return (-1);
	}
	if (kl->was.n > 0) {
		memcpy(kl->byreqid, kl->was.p, kl->was.n * sizeof(*kl->byreqid));
		qsort(kl->byreqid, kl->was.n, sizeof(*kl->byreqid), cmp_reqid);
	}
	return (0);
}

void
kleft_free(struct kleft *kl)
{
	kseen_free(&kl->was);
	free(kl->byreqid);
	kl->byreqid = NULL;
}

/* Every policy as its outbound one: the others are that one's mirror. */
static void
outbound(const struct kern_policy *p, struct kern_policy *o)
{
	*o = *p;
	o->dir = KERN_OUT;
	if (p->dir == KERN_OUT)
		return;
	o->src = p->dst;
	o->dst = p->src;
	kpol_turn(o);
	o->tsrc = p->tdst;
	o->tdst = p->tsrc;
}

static int
same_end(const struct addr *was, const struct addr *is)
{
	return (addr_is_any(was) ? addr_is_any(is) : addr_cmp(was, is) == 0);
}

int
kleft_policy(const struct kleft *kl, const struct kern_policy *is)
{
	const struct kern_policy *was;
	struct kern_policy o;
	int anybody;

	outbound(is, &o);
	if ((was = kseen_find(&kl->was, &o)) == NULL ||
	    (o.prio != 0 && o.prio != was->prio))
		return (0);
	anybody = addr_is_any(&was->tdst);
	if (o.action == KERN_DISCARD)
		return (anybody);	/* nobody had come */
	if (o.action != KERN_IPSEC || o.reqid != was->reqid ||
	    o.transport != was->transport)
		return (0);
	/* of two hosts the selector says it all */
	return (anybody || o.transport || (same_end(&was->tsrc, &o.tsrc) &&
	    same_end(&was->tdst, &o.tdst)));
}

static int
fits(const struct addr *was, const struct addr *is)
{
	return (addr_is_any(was) || addr_cmp(was, is) == 0);
}

static int
inside(const struct prefix *in, const struct prefix *net)
{
	return (in->len >= net->len && prefix_contains(net, &in->addr));
}

int
kleft_host(const struct kleft *kl, const struct kern_policy *is)
{
	const struct kern_policy *was, *end;
	struct kern_policy o;

	outbound(is, &o);
	if (o.action != KERN_IPSEC || o.reqid == 0 || kl->was.n == 0)
		return (0);
	end = kl->byreqid + kl->was.n;
	was = bsearch(&o, kl->byreqid, kl->was.n, sizeof(*was), cmp_reqid);
	while (was != NULL && was > kl->byreqid && was[-1].reqid == o.reqid)
		was--;
	for (; was != NULL && was < end && was->reqid == o.reqid; was++)
		if (addr_is_any(&was->tdst) && inside(&o.src, &was->src) &&
		    inside(&o.dst, &was->dst))
			return (1);
	return (0);
}

int
kleft_sa(const struct kleft *kl, const struct kern_sa *sa)
{
	const struct kern_policy *was;
	struct kern_policy key;

	if (sa->proto != PROTO_ESP || kl->was.n == 0)
		return (0);
	memset(&key, 0, sizeof(key));
	key.reqid = sa->reqid;
	was = bsearch(&key, kl->byreqid, kl->was.n, sizeof(*was), cmp_reqid);
	return (was != NULL &&
	    ((fits(&was->tsrc, &sa->src) && fits(&was->tdst, &sa->dst)) ||
	    (fits(&was->tsrc, &sa->dst) && fits(&was->tdst, &sa->src))));
}

/* 0: not an outbound policy, or it does not fit. */
size_t
kleft_line(const struct ktable *kt, const struct kpol *k, char *dst, size_t cap)
{
	const struct conf_tunnel *ct = &kt->conf->tunnels[k->tunnel];
	const struct conf_peer *cp = &kt->conf->peers[ct->peer];
	char src[PREFIX_STRLEN], net[PREFIX_STRLEN], local[ADDR_STRLEN];
	char remote[ADDR_STRLEN];
	int n;

	if (k->p.dir != KERN_OUT)
		return (0);
	n = snprintf(dst, cap, "%s %s %u %u %u %u %u %s %s %s\n",
	    prefix_str(&k->p.src, src), prefix_str(&k->p.dst, net),
	    (unsigned)k->p.proto, (unsigned)k->p.sport, (unsigned)k->p.dport,
	    (unsigned)k->p.prio, (unsigned)k->p.reqid,
	    ct->transport ? "transport" : "tunnel",
	    addr_str(&cp->local, local), addr_str(&cp->remote, remote));
	return (n < 0 || (size_t)n >= cap ? 0 : (size_t)n);
}

/* The file. */

int
kleft_read(struct kleft *kl, int fd)
{
	struct stat st;
	size_t n = 0;
	ssize_t got = 1;
	char *text;
	int rv;

	if (fstat(fd, &st) == -1)
		return (-1);
	if (st.st_size > LEFT_MAX) {
		errno = EFBIG;
		return (-1);
	}
	if ((text = malloc((size_t)st.st_size + 1)) == NULL)
		return (-1);
	for (; n < (size_t)st.st_size && got > 0; n += (size_t)got)
		if ((got = pread(fd, text + n, (size_t)st.st_size - n,
		    (off_t)n)) == -1) {
			free(text);
			return (-1);
		}
	rv = kleft_parse(kl, text, n);
	kl->size = st.st_size;
	free(text);
	return (rv);
}

static int
put(int fd, const char *p, size_t len, off_t at)
{
	ssize_t n;

	for (; len > 0; p += n, len -= (size_t)n, at += n)
		if ((n = pwrite(fd, p, len, at)) == -1)
			return (-1);
	return (0);
}

int
kleft_write(struct kleft *kl, int fd, const struct ktable *kt, int add)
{
	off_t at = add ? kl->size : 0;
	size_t i, n = 0, got;
	char *buf;
	int rv = 0;

	if ((buf = malloc(CHUNK)) == NULL)
		return (-1);
	for (i = 0; kt != NULL && i < kt->npol && rv == 0; i++) {
		got = kleft_line(kt, &kt->pol[i], buf + n, CHUNK - n);
		if (got == 0 && kt->pol[i].p.dir == KERN_OUT) {
			rv = put(fd, buf, n, at);	/* it is full */
			at += (off_t)n;
			n = kleft_line(kt, &kt->pol[i], buf, CHUNK);
		} else
			n += got;
	}
	if (rv == 0)
		rv = put(fd, buf, n, at);
	free(buf);
	kl->size = at + (off_t)n;
	return (rv == 0 && !add ? ftruncate(fd, kl->size) : rv);
}
