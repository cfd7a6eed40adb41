/* SPDX-License-Identifier: ISC */
/* Lookups by threads, which share nothing but two lists. */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "proc/resolve.h"

#define STACK		(512U << 10)	/* octets: the C library's resolver needs some 100 kB */

STAILQ_HEAD(lookups, lookup);

static struct {
	pthread_mutex_t	 lock;
	pthread_cond_t	 some;
	struct lookups	 todo, done;
	void		(*tell)(void *);
	void		*arg;
} q = {
	PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
	STAILQ_HEAD_INITIALIZER(q.todo), STAILQ_HEAD_INITIALIZER(q.done), NULL, NULL
};

static int
is_known(const struct name_ans *a, const struct addr *x)
{
	uint8_t i;

	for (i = 0; i < a->n; i++)
		if (addr_cmp(&a->a[i], x) == 0)
			return (1);
	return (0);
}

static void
take_addresses(const struct addrinfo *list, struct name_ans *a)
{
	const struct addrinfo *i;
	struct endpoint ep;

	for (i = list; i != NULL && a->n < NAME_ADDRS; i = i->ai_next)
		if (addr_from_sockaddr(&ep, i->ai_addr, i->ai_addrlen) == 0 &&
		    conf_host_addr(&ep.addr) && !is_known(a, &ep.addr))
			a->a[a->n++] = ep.addr;
	if (a->n == 0)
		(void)strlcpy(a->why, "it leads to no other host", sizeof(a->why));
}

void
resolve_now(const char *name, struct name_ans *a)
{
	struct addrinfo hints, *list = NULL;
	int rv;

	a->n = 0;
	a->why[0] = '\0';
	memset(&hints, 0, sizeof(hints));
	hints.ai_family = AF_UNSPEC;
	hints.ai_socktype = SOCK_DGRAM;
	if ((rv = getaddrinfo(name, NULL, &hints, &list)) == 0) {
		take_addresses(list, a);
		freeaddrinfo(list);
		return;
	}
	(void)strlcpy(a->why, rv == EAI_SYSTEM ? strerror(errno) : gai_strerror(rv),
	    sizeof(a->why));
	if (!conf_absent_ok(a->why))
		(void)strlcpy(a->why, "the resolver fails", sizeof(a->why));
}

static void *
work(void *arg)
{
	struct lookup *l;

	(void)arg;
	for (;;) {
		(void)pthread_mutex_lock(&q.lock);
		while ((l = STAILQ_FIRST(&q.todo)) == NULL)
			(void)pthread_cond_wait(&q.some, &q.lock);
		STAILQ_REMOVE_HEAD(&q.todo, entry);
		(void)pthread_mutex_unlock(&q.lock);
		resolve_now(l->name, &l->ans);
		(void)pthread_mutex_lock(&q.lock);
		STAILQ_INSERT_TAIL(&q.done, l, entry);
		(void)pthread_mutex_unlock(&q.lock);
		q.tell(q.arg);
	}
	return (NULL);
}

int
resolve_start(void (*done)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t t;
	sigset_t all, old;
	int i, n = 0;

	q.tell = done;
	q.arg = arg;
	if (pthread_attr_init(&attr) != 0)
		return (-1);
	(void)pthread_attr_setstacksize(&attr, STACK);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	for (i = 0; i < RESOLVE_THREADS; i++)
		n += pthread_create(&t, &attr, work, NULL) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	return (n > 0 ? 0 : -1);
}

void
resolve_put(struct lookup *l)
{
	(void)pthread_mutex_lock(&q.lock);
	STAILQ_INSERT_TAIL(&q.todo, l, entry);
	(void)pthread_cond_signal(&q.some);
	(void)pthread_mutex_unlock(&q.lock);
}

struct lookup *
resolve_take(void)
{
	struct lookup *l;

	(void)pthread_mutex_lock(&q.lock);
	if ((l = STAILQ_FIRST(&q.done)) != NULL)
		STAILQ_REMOVE_HEAD(&q.done, entry);
	(void)pthread_mutex_unlock(&q.lock);
	return (l);
}
