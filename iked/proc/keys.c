/* SPDX-License-Identifier: ISC */
/*
 * The keys process: the only child that holds secrets.  It has no network; it answers
 * ike, about peers of the two newest generations of the configuration.
 */

#include <sys/types.h>

#include <string.h>
#include <time.h>

#include "base/reason.h"
#include "crypto/crypto.h"
#include "proc/child.h"
#include "proc/keys_auth.h"

static struct {
	struct child	*ch;
	struct crypto	*crypto;
	struct chan	*ike;
	struct confin	 in;
	struct conf	*now, *before;
} k;

static const struct conf_peer *
find_peer(uint32_t gen, uint32_t peer)
{
	const struct conf *c = NULL;

	if (k.now != NULL && k.now->gen == gen)
		c = k.now;
	else if (k.before != NULL && k.before->gen == gen)
		c = k.before;
	return (c != NULL && peer < c->npeers ? &c->peers[peer] : NULL);
}

static int
keys_request(struct rbuf *r)
{
	const struct conf_peer *p;
	const char *why = "no such peer in this generation";
	struct keys_req q;
	struct keys_ans a;
	UNFILLED struct msg m;

	if (msg_get_keys_req(r, &q) == -1)
		return (-1);
	memset(&a, 0, sizeof(a));
	a.token = q.token;
	if ((p = find_peer(q.gen, q.peer)) != NULL &&
	    keys_auth_form(&q, &why) == 0)
		keys_auth_peer(k.crypto, &q, p, (int64_t)time(NULL), &a);
	else
		log_fault(&k.ch->log, WHY_KEYS, "refused to %s AUTH: %s",
		    q.op == KEYS_SIGN ? "compute" : "verify", why);
	msg_put_keys_ans(&m, &a);
	if (chan_put(k.ike, &m) == -1)
		log_error(&k.ch->log, WHY_PROCESS, "answer to ike lost");
	crypto_wipe(&a, sizeof(a));
	return (0);
}

static int
ike_message(void *arg, struct chan *c, uint16_t type, struct rbuf *r, int fd)
{
	(void)arg;
	(void)c;
	if (fd != -1 || type != M_KEYS_REQ)
		return (-1);
	return (keys_request(r));
}

static void
ike_closed(void *arg, struct chan *c, const char *why)
{
	(void)arg;
	(void)c;
	child_link_lost(k.ch, ROLE_IKE, why);
}

static const struct chan_ops ike_ops = { ike_message, ike_closed, NULL };

static int
keys_prepare(struct child *ch)
{
	k.ch = ch;
	return ((k.crypto = crypto_new(&ch->log)) == NULL ? -1 : 0);
}

static int
keys_start(struct child *ch)
{
	k.ike = chan_new(ch->loop, ch->link[ROLE_IKE], CHILD_QUEUE, &ike_ops,
	    NULL);
	return (k.ike == NULL ? -1 : 0);
}

static int
keys_message(struct child *ch, uint16_t type, struct rbuf *r, int fd)
{
	struct confdone d;
	struct conf *c;
	struct msg m;
	int rv;

	k.in.base[0] = k.now;
	k.in.base[1] = k.before;
	if (fd != -1 || (rv = confin_message(&k.in, type, r, &c)) == -1)
		return (-1);
	if (rv == 0)
		return (0);
	/* A generation that kernel refused was never used: it is not kept. */
	if (k.now != NULL && k.now->gen == k.in.keep) {
		conf_free(k.before);		/* wipes */
		k.before = k.now;
	} else
		conf_free(k.now);
	k.now = c;
	d.gen = c->gen;
	d.ok = 1;
	d.failed = 0;
	msg_put_confdone(&m, &d);
	(void)chan_put(ch->parent, &m);
	return (0);
}

static void
keys_shutdown(struct child *ch, int remove)
{
	(void)remove;
	conf_free(k.before);
	conf_free(k.now);
	child_exit(ch, 0);
}

const struct role_ops keys_role = {
	16, keys_prepare, keys_start, keys_message, keys_shutdown,
	NULL
};
