/* SPDX-License-Identifier: ISC */
/* The parent: a new configuration is read, checked whole, handed out or only planned. */

#include <sys/types.h>

#include <ev.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "proc/parent_kids.h"
#include "proc/plog.h"

#define DAILY	86400.

void
parent_reload_answer(int ok, const char *text)
{
	struct outcome o;
	struct msg m;

	if (pa.token == 0)
		return;
	memset(&o, 0, sizeof(o));
	o.token = pa.token;
	o.ok = ok != 0;
	(void)strlcpy(o.text, text, sizeof(o.text));
	msg_put_outcome(&m, M_RELOAD_DONE, &o);
	(void)chan_put(pa.kid[ROLE_IKE].chan, &m);
	pa.token = 0;
}

static void
tell_error(uint64_t token, const struct conf_error *ce, int warn)
{
	struct reload_error e;
	struct msg m;

	memset(&e, 0, sizeof(e));
	e.token = token;
	e.warn = warn != 0;
	e.line = ce->line;
	e.col = ce->col;
	(void)strlcpy(e.file, ce->file, sizeof(e.file));
	(void)strlcpy(e.text, ce->text, sizeof(e.text));
	msg_put_reload_error(&m, &e);
	(void)chan_put(pa.kid[ROLE_IKE].chan, &m);
}

#define ERRS_MAX	(sizeof(((struct conf_errors *)0)->e) / sizeof(struct conf_error))

/* To who asked for it. */
static void
tell_errors(const struct conf_errors *errs)
{
	size_t i;

	for (i = 0; i < errs->n && i < ERRS_MAX && pa.token != 0; i++)
		tell_error(pa.token, &errs->e[i], errs->warn[i]);
}

/*
 * To everybody who looks later: a file that does not load is a tunnel that is down after
 * the next start.  The first error is enough to find the others.
 */
static void
tell_state(int ok, const struct conf_errors *errs)
{
	struct outcome o;
	struct msg m;
	size_t i;

	if (pa.kid[ROLE_IKE].chan == NULL)	/* before the children's start */
		return;
	for (i = 0; !ok && i < errs->n && i < ERRS_MAX; i++)
		if (!errs->warn[i]) {
			tell_error(0, &errs->e[i], 0);
			return;
		}
	memset(&o, 0, sizeof(o));
	o.ok = 1;
	msg_put_outcome(&m, M_RELOAD_DONE, &o);
	(void)chan_put(pa.kid[ROLE_IKE].chan, &m);
}

struct conf *
parent_conf_next(void)
{
	struct conf_errors *errs;
	struct conf *c;

	if ((errs = calloc(1, sizeof(*errs))) == NULL)
		return (NULL);
	c = parent_conf_read(pa.o, 0, errs);
	parent_conf_complain(errs, plog());
	tell_errors(errs);
	tell_state(c != NULL, errs);
	free(errs);
	if (c == NULL)
		return (NULL);
	c->gen = ++pa.gen;
	/* the places first: by them a peer is known again */
	if (parent_names_apply(c) == -1 ||
	    conf_psk_serials(c, pa.last, pa.mark) == -1) {
		log_error(plog(), WHY_FILE, "configuration");
		conf_free(c);
		return (NULL);
	}
	return (c);
}

/* plan: ike alone gets it, to say what it would do. */
void
parent_reload(uint64_t token, int plan)
{
	uint64_t before = pa.token;
	struct msg m;

	if (pa.conf != NULL && pa.conf == pa.last && token != 0 && !pa.stopping &&
	    pa.again_token == 0) {
		pa.again_token = token;		/* it is over soon */
		pa.again_plan = plan;
		return;
	}
	if (pa.phase != PH_IDLE || pa.stopping) {
		pa.token = token;
		parent_reload_answer(0, "a change is under way; try again");
		pa.token = before;
		pa.again |= token == 0;
		return;
	}
	pa.token = token;
	if ((pa.conf = parent_conf_next()) == NULL) {
		log_fault(plog(), WHY_FILE, "the configuration in use stays");
		parent_reload_answer(0, "the file has errors; the configuration in use "
		    "stays");
		return;
	}
	if (!plan) {
		pa.phase = PH_CHILDREN;
		parent_phase_next();
		return;
	}
	pa.phase = PH_PLAN;
	msg_put_token(&m, M_PLAN, token);
	(void)chan_put(pa.kid[ROLE_IKE].chan, &m);
	parent_give_conf(ROLE_IKE);
}

void
parent_planned(int ok)
{
	parent_conf_drop();
	pa.phase = PH_IDLE;
	parent_reload_answer(ok, ok ? "" : "out of memory");
	parent_reload_again();
}

/* A SIGHUP that came while a change was under way, or a client; then names' answers. */
void
parent_reload_again(void)
{
	uint64_t token = pa.again_token;

	pa.again_token = 0;
	if (token != 0)
		parent_reload(token, pa.again_plan);
	else if (pa.again) {
		pa.again = 0;
		parent_reload(0, 0);
	}
	if (pa.phase == PH_IDLE)
		parent_names_idle();
}

/*
 * A child does not take the configuration.  Where it is the first one, or where kernel
 * has it already and ike has not, that is not a state to be in: all start anew.
 */
void
parent_refused(struct kid *k)
{
	char text[80];

	(void)snprintf(text, sizeof(text), "the %s process refuses it: the log "
	    "says why", role_name(k->role));
	log_fault(plog(), WHY_FILE, "%s refuses the configuration", role_name(k->role));
	parent_conf_drop();
	pa.phase = PH_IDLE;
	parent_reload_answer(0, text);
	if (pa.live == 0 || k->role == ROLE_IKE)
		kid_kill(k);
	else
		parent_reload_again();
}

static void
on_daily(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
	if (pa.last != NULL)
		parent_conf_old(pa.last, plog());
}

/* At once, too: what is in use is new. */
void
parent_daily(void)
{
	parent_conf_old(pa.last, plog());
	if (ev_is_active(&pa.daily))
		return;
	ev_timer_init(&pa.daily, on_daily, DAILY, DAILY);
	ev_timer_start(pa.loop, &pa.daily);
}
