/* SPDX-License-Identifier: ISC */
/*
 * Counters of many Children, in one question and one answer.  The system is asked about each
 * SA by itself, and the answer goes when the last of them is in.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "proc/kernel.h"

struct counting;
struct ask {
	struct counting	*all;
	struct count	*to;
};
struct counting {
	unsigned		left;		/* SAs to come, and one while they are asked */
	struct kernel_counted	a;
	struct ask		ask[2 * COUNT_MAX];
};

static void
came(struct counting *c)
{
	UNFILLED struct msg m;

	if (--c->left > 0)
		return;
	msg_put_kernel_counted(&m, &c->a);
	if (chan_put(kn.ike, &m) == -1 && !kn.ike_gone && chan_isopen(kn.ike))
		log_error(&kn.ch->log, WHY_PROCESS, "answer to ike lost");
	free(c);
}

static void
counted(void *arg, int err, const struct kern_sa *sa)
{
	struct ask *k = arg;

	k->to->err = sa == NULL && err == 0 ? ESRCH : err;
	if (sa != NULL) {
		k->to->bytes = sa->bytes;
		k->to->packets = sa->packets;
	}
	came(k->all);
	kernel_ended();
}

static void
ask(struct counting *c, struct ask *k, struct count *to, uint32_t spi,
    const struct addr *src, const struct addr *dst)
{
	k->all = c;
	k->to = to;
	kernel_begun();
	c->left++;
	if (kern_sa_query(kn.kern, mono_now(), spi, PROTO_ESP, src, dst, counted, k) == 0)
		return;
	to->err = errno;
	c->left--;
	kernel_ended();
}

/* 0, or an errno: ike may only see what it could have made. */
static int
check(const struct ktable *kt, const struct count_ask *q)
{
	if (kt == NULL || q->tunnel >= kt->conf->ntunnels)
		return (EINVAL);
	if (q->local.fam == ADDR_NONE || q->local.fam != q->remote.fam ||
	    !(q->moved ? ktable_moved : ktable_endpoints)(kt, q->tunnel, &q->local,
	    &q->remote)) {
		log_fault(&kn.ch->log, WHY_DISTRUST, "tunnel \"%s\": refused a request of ike: "
		    "endpoints are not the tunnel's", kt->conf->tunnels[q->tunnel].name);
		return (EPERM);
	}
	return (0);
}

static void
count_all(struct counting *c, const struct ktable *kt, const struct kernel_count *q)
{
	const struct count_ask *a;
	uint8_t i;
	int err;

	for (i = 0; i < q->n; i++) {
		a = &q->a[i];
		if ((err = check(kt, a)) != 0) {
			c->a.in[i].err = c->a.out[i].err = err;
			continue;
		}
		ask(c, &c->ask[2 * i], &c->a.in[i], a->spi_in, &a->remote, &a->local);
		if (a->spi_out != 0)
			ask(c, &c->ask[2 * i + 1], &c->a.out[i], a->spi_out,
			    &a->local, &a->remote);
	}
}

int
kernel_count(struct rbuf *r)
{
	UNFILLED struct kernel_count q;
	struct counting *c;

	if (msg_get_kernel_count(r, &q) == -1)
		return (-1);
	/* unanswered, it is given up by ike after a while */
	if ((c = calloc(1, sizeof(*c))) == NULL) {
		log_fault(&kn.ch->log, WHY_MEMORY, "out of memory: counters are not read");
		return (0);
	}
	c->a.token = q.token;
	c->a.n = q.n;
	c->left = 1;
	count_all(c, kernel_generation(q.gen), &q);
	came(c);
	kernel_settle();
	return (0);
}
