/* SPDX-License-Identifier: ISC */
/*
 * The API over the back ends: requests in a table of fixed size, each with a
 * deadline, dumps one after the other (a netlink or Linux PF_KEY socket runs only
 * one at a time).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pfkey/kern_local.h"

static void	dump_next(struct kern *);

struct kern *
kern_open(enum kern_backend which, const struct kern_cb *cb,
    const struct logger *log, const char **err)
{
	struct kern *k;
	size_t i;

	*err = "no memory";
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return (NULL);
	if ((k->req = calloc(KERN_NREQ, sizeof(*k->req))) == NULL) {
		free(k);
		return (NULL);
	}
	if (cb != NULL)
		k->cb = *cb;
	k->log = log;
	TAILQ_INIT(&k->pending);
	TAILQ_INIT(&k->dumps);
	TAILQ_INIT(&k->unused);
	for (i = 0; i < KERN_NREQ; i++) {
		/* seq 0 marks the kernel's own messages. */
		k->req[i].seq = KERN_NREQ + (uint32_t)i;
		TAILQ_INSERT_TAIL(&k->unused, &k->req[i], entry);
	}
	if (kern_backend_open(k, which, err) == -1) {
		free(k->req);
		free(k);
		return (NULL);
	}
	return (k);
}

void
kern_close(struct kern *k)
{
	if (k == NULL)
		return;
	k->ops->close(k);
	free(k->req);
	free(k);
}

int
kern_fd(const struct kern *k, size_t i)
{
	return (k->ops->fd(k, i));
}

uint32_t
kern_pid(const struct kern *k)
{
	return (k->ops->pid(k));
}

void
kern_input(struct kern *k, monotime now)
{
	k->now = now;
	k->ops->input(k);
}

int
kern_probe(struct kern *k, struct kern_caps *caps)
{
	memset(caps, 0, sizeof(*caps));
	return (k->ops->probe(k, caps));
}

void
kern_look(struct kern *k, int keys)
{
	k->look = 1;
	k->keys = keys;
}

/* --- requests --- */

static struct kern_req *
req_new(struct kern *k, monotime now, enum kern_reqkind kind, void *arg)
{
	struct kern_req *r;

	if ((r = TAILQ_FIRST(&k->unused)) == NULL) {
		errno = ENOBUFS;
		return (NULL);
	}
	TAILQ_REMOVE(&k->unused, r, entry);
	k->now = now;
	r->seq += KERN_NREQ;
	if (r->seq < KERN_NREQ)		/* wrapped: 0 is the kernel's */
		r->seq += KERN_NREQ;
	r->kind = kind;
	r->arg = arg;
	r->waiting = 0;
	r->type = 0;
	r->deadline = mono_add_ms(now, KERN_TIMEOUT_MS);
	return (r);
}

static void
req_free(struct kern *k, struct kern_req *r)
{
	r->kind = REQ_FREE;
	r->arg = NULL;
	/* The tail: a slot rests as long as possible before it serves again. */
	TAILQ_INSERT_TAIL(&k->unused, r, entry);
}

/* After the back end's attempt to send. */
static int
req_send(struct kern *k, struct kern_req *r, int rc)
{
	int save = errno;

	if (rc == -1) {
		req_free(k, r);
		errno = save;
		return (-1);
	}
	TAILQ_INSERT_TAIL(&k->pending, r, entry);
	return (0);
}

struct kern_req *
kern_req_find(struct kern *k, uint32_t seq)
{
	struct kern_req *r = &k->req[seq & (KERN_NREQ - 1)];

	if (r->kind == REQ_FREE || r->waiting || r->seq != seq)
		return (NULL);
	return (r);
}

void
kern_req_touch(struct kern *k, struct kern_req *r)
{
	TAILQ_REMOVE(&k->pending, r, entry);
	r->deadline = mono_add_ms(k->now, KERN_TIMEOUT_MS);
	TAILQ_INSERT_TAIL(&k->pending, r, entry);
}

void
kern_req_end(struct kern *k, struct kern_req *r, int err, const char *what)
{
	struct kern_req q = *r;

	if (r->waiting)
		TAILQ_REMOVE(&k->dumps, r, entry);
	else
		TAILQ_REMOVE(&k->pending, r, entry);
	req_free(k, r);
	switch (q.kind) {
	case REQ_DONE:
		if (q.cb.done != NULL)
			q.cb.done(q.arg, err, what);
		break;
	case REQ_SA:
	case REQ_SA_DUMP:
		q.cb.sa(q.arg, err, NULL);
		break;
	case REQ_POLICY_DUMP:
		q.cb.policy(q.arg, err, NULL);
		break;
	case REQ_FREE:
		break;
	}
	if (k->dumping == r) {
		k->dumping = NULL;
		dump_next(k);
	}
}

void
kern_req_sa(struct kern *k, struct kern_req *r, const struct kern_sa *sa)
{
	kern_sa_done *cb = r->cb.sa;
	void *arg = r->arg;

	if (r->kind == REQ_SA) {
		TAILQ_REMOVE(&k->pending, r, entry);
		req_free(k, r);
	} else if (r->kind == REQ_SA_DUMP)
		kern_req_touch(k, r);
	else
		return;
	cb(arg, 0, sa);
}

void
kern_req_policy(struct kern *k, struct kern_req *r, const struct kern_policy *p)
{
	if (r->kind != REQ_POLICY_DUMP)
		return;
	kern_req_touch(k, r);
	r->cb.policy(r->arg, 0, p);
}

void
kern_event(struct kern *k, const struct kern_event *ev)
{
	if (k->cb.event != NULL)
		k->cb.event(k->cb.arg, ev);
}

void
kern_lost(struct kern *k)
{
	struct kern_event ev;

	memset(&ev, 0, sizeof(ev));
	ev.type = KERN_EV_LOST;
	kern_event(k, &ev);
}

monotime
kern_deadline(const struct kern *k)
{
	const struct kern_req *r = TAILQ_FIRST(&k->pending);

	return (r == NULL ? MONO_NEVER : r->deadline);
}

void
kern_timeout(struct kern *k, monotime now)
{
	struct kern_req *r;

	k->now = now;
	while ((r = TAILQ_FIRST(&k->pending)) != NULL &&
	    mono_reached(r->deadline, now))
		kern_req_end(k, r, ETIMEDOUT, NULL);
}

/* --- dumps, one at a time --- */

static int
dump_start(struct kern *k, struct kern_req *r)
{
	if (r->kind == REQ_SA_DUMP)
		return (k->ops->sa_dump(k, r));
	return (k->ops->policy_dump(k, r));
}

static int
dump_request(struct kern *k, struct kern_req *r)
{
	if (k->dumping != NULL) {
		r->waiting = 1;
		TAILQ_INSERT_TAIL(&k->dumps, r, entry);
		return (0);
	}
	if (req_send(k, r, dump_start(k, r)) == -1)
		return (-1);
	k->dumping = r;
	return (0);
}

static void
dump_next(struct kern *k)
{
	struct kern_req *r;
	int err;

	while (k->dumping == NULL && (r = TAILQ_FIRST(&k->dumps)) != NULL) {
		if (dump_start(k, r) == -1) {
			err = errno;
			kern_req_end(k, r, err, NULL);
			continue;
		}
		TAILQ_REMOVE(&k->dumps, r, entry);
		r->waiting = 0;
		r->deadline = mono_add_ms(k->now, KERN_TIMEOUT_MS);
		TAILQ_INSERT_TAIL(&k->pending, r, entry);
		k->dumping = r;
	}
}

/* --- the API's requests --- */

static int
sa_put(struct kern *k, monotime now, const struct kern_sa *sa, int update,
    kern_done *done, void *arg)
{
	struct kern_req *r;

	if (kern_sa_check(sa) == -1)
		return (-1);
	if ((r = req_new(k, now, REQ_DONE, arg)) == NULL)
		return (-1);
	r->cb.done = done;
	return (req_send(k, r, k->ops->sa_put(k, r, sa, update)));
}

int
kern_sa_add(struct kern *k, monotime now, const struct kern_sa *sa,
    kern_done *done, void *arg)
{
	return (sa_put(k, now, sa, 0, done, arg));
}

int
kern_sa_update(struct kern *k, monotime now, const struct kern_sa *sa,
    kern_done *done, void *arg)
{
	return (sa_put(k, now, sa, 1, done, arg));
}

int
kern_sa_delete(struct kern *k, monotime now, uint32_t spi, uint8_t proto,
    const struct addr *src, const struct addr *dst, kern_done *done, void *arg)
{
	struct kern_req *r;

	if ((r = req_new(k, now, REQ_DONE, arg)) == NULL)
		return (-1);
	r->cb.done = done;
	return (req_send(k, r, k->ops->sa_delete(k, r, spi, proto, src, dst)));
}

int
kern_sa_query(struct kern *k, monotime now, uint32_t spi, uint8_t proto,
    const struct addr *src, const struct addr *dst, kern_sa_done *done, void *arg)
{
	struct kern_req *r;

	if ((r = req_new(k, now, REQ_SA, arg)) == NULL)
		return (-1);
	r->cb.sa = done;
	return (req_send(k, r, k->ops->sa_get(k, r, spi, proto, src, dst)));
}

int
kern_sa_dump(struct kern *k, monotime now, kern_sa_done *done, void *arg)
{
	struct kern_req *r;

	if ((r = req_new(k, now, REQ_SA_DUMP, arg)) == NULL)
		return (-1);
	r->cb.sa = done;
	return (dump_request(k, r));
}

int
kern_policy_replace(struct kern *k, monotime now, const struct kern_policy *p,
    kern_done *done, void *arg)
{
	struct kern_req *r;

	if (kern_policy_check(p) == -1)
		return (-1);
	if ((r = req_new(k, now, REQ_DONE, arg)) == NULL)
		return (-1);
	r->cb.done = done;
	return (req_send(k, r, k->ops->policy_put(k, r, p)));
}

int
kern_policy_delete(struct kern *k, monotime now, const struct kern_policy *p,
    kern_done *done, void *arg)
{
	struct kern_req *r;

	if ((r = req_new(k, now, REQ_DONE, arg)) == NULL)
		return (-1);
	r->cb.done = done;
	return (req_send(k, r, k->ops->policy_delete(k, r, p)));
}

int
kern_policy_dump(struct kern *k, monotime now, kern_policy_done *done, void *arg)
{
	struct kern_req *r;

	if ((r = req_new(k, now, REQ_POLICY_DUMP, arg)) == NULL)
		return (-1);
	r->cb.policy = done;
	return (dump_request(k, r));
}

int
kern_acquire_failed(struct kern *k, uint32_t seq)
{
	return (k->ops->acquire_failed(k, seq));
}
