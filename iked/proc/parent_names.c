/* SPDX-License-Identifier: ISC */
/*
 * The parent and the names process, which runs while the configuration has names.  It is no
 * part of the others' fate: when it ends, names keep the addresses they have, and it is
 * started anew.  What it finds out becomes a generation that differs in nothing but places:
 * each of the others makes it of the one it has, so that no file is read and no secret needed.
 */

#include <sys/types.h>
#include <sys/wait.h>

#include <ev.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/reason.h"
#include "proc/known.h"
#include "proc/parent_kids.h"
#include "proc/plog.h"

#define QUEUE		(32U << 20)	/* octets: 100,000 names */
#define TOGETHER	0.2		/* s: answers that come close on each other */
#define AGAIN_MIN	1.
#define AGAIN_MAX	60.

static struct {
	struct known	 known;
	uint32_t	 fed;		/* names of the list that are on their way */
	int		 begun, ended;
	int		 burying;	/* its last words are read: no other one begins */
	int		 changed;	/* answers that no generation has yet */
	double		 backoff;
	ev_timer	 start, place;
} s;

static void	names_closed(void *, struct chan *, const char *);
static void	names_drained(void *, struct chan *);
static int	names_message(void *, struct chan *, uint16_t, struct rbuf *, int);

static const struct chan_ops ops = { names_message, names_closed, names_drained };

/* The list, as the channel takes it. */
static void
feed(struct chan *c)
{
	struct name_item i;
	struct msg m;

	while (c != NULL && chan_isopen(c) && !s.ended && chan_waiting(c) < CHAN_LOW * 4) {
		if (!s.begun) {
			s.begun = 1;
			msg_put_names(&m, M_NAMES, s.known.serial, s.known.n);
		} else if (s.fed < s.known.n) {
			i.index = s.fed;
			(void)strlcpy(i.name, s.known.v[s.fed++].name, sizeof(i.name));
			msg_put_name(&m, &i);
		} else {
			s.ended = 1;
			msg_put_names(&m, M_NAMES_END, s.known.serial, s.known.n);
		}
		(void)chan_put(c, &m);
	}
}

static void
names_start(void)
{
	struct kid *k = &pa.kid[ROLE_NAMES];

	if (k->pid != 0 || s.burying || s.known.n == 0 || pa.stopping)
		return;
	k->role = ROLE_NAMES;
	s.begun = s.ended = 0;
	s.fed = 0;
	if ((k->user.uid != 0 || privdrop_user(k->role, &k->user, plog()) == 0) &&
	    kid_start(k, "/", &ops, QUEUE) == 0 && kid_go(k) == 0) {
		feed(k->chan);
		return;
	}
	log_fault(plog(), WHY_PROCESS, "names of peers are not looked up: next try in %.0f s", AGAIN_MAX);
	kid_kill(k);
	ev_timer_stop(pa.loop, &s.start);
	ev_timer_set(&s.start, AGAIN_MAX, 0.);
	ev_timer_start(pa.loop, &s.start);
}

static void
on_start(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
	names_start();
}

/* 1: it was this one. */
int
parent_names_gone(pid_t pid, int status)
{
	struct kid *k = &pa.kid[ROLE_NAMES];

	if (k->pid != pid)
		return (0);
	k->pid = 0;
	s.burying = 1;
	kid_listen(k);
	s.burying = 0;
	chan_free(k->chan);
	k->chan = NULL;
	if (pa.stopping || s.known.n == 0)
		return (1);
	log_fault(plog(), WHY_PROCESS, "names ended (%s %d): started again in %.0f s; peers stay "
	    "where they are", WIFSIGNALED(status) ? "signal" : "status", WIFSIGNALED(status) ?
	    WTERMSIG(status) : WEXITSTATUS(status), s.backoff);
	ev_timer_stop(pa.loop, &s.start);
	ev_timer_set(&s.start, s.backoff, 0.);
	ev_timer_start(pa.loop, &s.start);
	s.backoff = s.backoff * 2 > AGAIN_MAX ? AGAIN_MAX : s.backoff * 2;
	return (1);
}

void
parent_names_stop(void)
{
	ev_timer_stop(pa.loop, &s.start);
	ev_timer_stop(pa.loop, &s.place);
	kid_kill(&pa.kid[ROLE_NAMES]);
}

/* Before it is used: what is known already. */
int
parent_names_apply(struct conf *c)
{
	return (conf_places(c, known_lookup, &s.known) == -1 ? -1 : 0);
}

/* It is used: its names are the ones to look up from now on. */
void
parent_names_list(void)
{
	struct kid *k = &pa.kid[ROLE_NAMES];

	switch (known_list(&s.known, pa.last)) {
	case -1:
		log_error(plog(), WHY_MEMORY, "names of peers");
		return;
	case 0:
		return;
	}
	if (s.known.n == 0)
		kid_kill(k);
	else if (k->pid == 0)
		names_start();
	else {
		/* the list that is on its way is not wanted any more, and must end */
		if (s.begun && !s.ended)
			kid_kill(k);
		s.begun = s.ended = 0;
		s.fed = 0;
		feed(k->chan);
	}
}

/* Between two lives of the others there is nothing to change: the next one begins with it. */
static int
all_live(void)
{
	size_t i;

	for (i = 0; i < NROLES; i++)
		if (!pa.kid[roles[i]].ready)
			return (0);
	return (1);
}

/* The places in use are changed in what is left of the configuration, and sent out. */
static void
on_place(struct ev_loop *loop, ev_timer *w, int revents)
{
	int n;

	(void)loop;
	(void)w;
	(void)revents;
	if (pa.phase != PH_IDLE || pa.stopping || pa.last == NULL || !all_live())
		return;		/* parent_names_idle() comes back to it */
	s.changed = 0;
	if ((n = conf_places(pa.last, known_lookup, &s.known)) == -1) {
		log_error(plog(), WHY_MEMORY, "names of peers");
		s.changed = 1;
		return;
	}
	if (n == 0)
		return;
	log_debug(plog(), "%d peers are at other addresses", n);
	pa.last->gen = ++pa.gen;
	pa.conf = pa.last;
	pa.phase = PH_CHILDREN;
	parent_phase_next();
}

void
parent_names_idle(void)
{
	if (s.changed && !ev_is_active(&s.place)) {
		ev_timer_set(&s.place, TOGETHER, 0.);
		ev_timer_start(pa.loop, &s.place);
	}
}

static void
tell(const struct known_name *k, int what)
{
	char a[ADDR_STRLEN];

	switch (what) {
	case KNOWN_ADDRS:
		log_event(plog(), WHY_RESOLVED, "%s is %s%s", k->name, addr_str(&k->a[0], a),
		    k->n > 1 ? ", and others" : "");
		break;
	case KNOWN_FAILS:
		log_event(plog(), WHY_UNRESOLVED, "%s does not resolve: %s; its tunnels are down "
		    "until it does", k->name, k->why);
		break;
	case KNOWN_STILL:
		log_event(plog(), WHY_UNRESOLVED, "%s does not resolve any more: %s; it stays "
		    "%s", k->name, k->why, addr_str(&k->a[0], a));
		break;
	}
}

static int
names_message(void *arg, struct chan *c, uint16_t type, struct rbuf *r, int fd)
{
	struct name_ans a;
	int rv;

	if (fd != -1) {		/* it has none to give */
		close(fd);
		return (-1);
	}
	if (type == M_LOG)
		return (parent_kid_ops.message(arg, c, type, r, fd));
	if (type == M_READY)
		return (get_end(r));
	if (type != M_NAME_ANS || msg_get_name_ans(r, &a) == -1 ||
	    (rv = known_answer(&s.known, &a)) == -1)
		return (-1);
	s.backoff = AGAIN_MIN;
	if (rv != KNOWN_SAME)
		tell(&s.known.v[a.index], rv);
	s.changed |= rv == KNOWN_ADDRS || rv == KNOWN_FAILS;
	if (pa.phase == PH_IDLE)
		parent_names_idle();
	return (0);
}

static void
names_closed(void *arg, struct chan *c, const char *why)
{
	parent_kid_ops.closed(arg, c, why);
}

static void
names_drained(void *arg, struct chan *c)
{
	(void)arg;
	feed(c);
}

/* ike has a peer that does not answer. 0; -1: malformed. */
int
parent_names_mute(struct rbuf *r)
{
	struct kid *k = &pa.kid[ROLE_NAMES];
	struct no_answer n;
	struct msg m;
	uint32_t index[2];
	int i, found;

	if (msg_get_no_answer(r, &n) == -1)
		return (-1);
	if (n.gen != pa.live || pa.last == NULL || n.peer >= pa.last->npeers ||
	    pa.phase != PH_IDLE)
		return (0);
	found = known_mute(&s.known, &pa.last->peers[n.peer], index);
	for (i = 0; i < found && k->chan != NULL && s.ended; i++) {
		msg_put_names(&m, M_NAME_NOW, s.known.serial, index[i]);
		(void)chan_put(k->chan, &m);
	}
	return (0);
}

void
parent_names_init(void)
{
	s.backoff = AGAIN_MIN;
	ev_init(&s.start, on_start);
	ev_init(&s.place, on_place);
}
