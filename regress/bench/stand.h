/* SPDX-License-Identifier: ISC */
/*
 * The test stand of an engine: a configuration made of text, AUTH computed here by
 * the code of keys, and a kernel that says yes to everything and sees no packet.
 * Where datagrams go is the user's business.
 *
 * An engine must not be called back from within an effect: what it asks waits in
 * queues until stand_answers().
 */
#ifndef BENCH_STAND_H
#define BENCH_STAND_H

#include "base/log.h"
#include "conf/conf.h"
#include "engine/engine.h"

struct question;

/* The engine's effect of this name. */
typedef void stand_send(void *arg, const struct endpoint *local,
    const struct endpoint *remote, int marker, const uint8_t *, size_t);

/* What CPU time is spent for.  WORK_AUTH is that of keys, not of the engine. */
enum work { WORK_DATAGRAM, WORK_ANSWER, WORK_TICK, WORK_AUTH, WORKS };

struct stand {
	struct engine		*engine;
	struct crypto		*crypto;
	const struct conf	*conf;		/* the engine's own: it holds the secrets, too */
	struct logger		 log;		/* warnings to stderr; arg is the name */
	stand_send		*send;
	void			*arg;		/* of send */
	struct question		*keys;		/* waiting, the oldest first */
	struct kernel_ans	*kernel;
	struct kernel_counted	*counted;
	uint32_t		 nkeys, nkernel, ncounted;
	uint8_t			*installed;	/* a tunnel: SAs added so far */
	uint32_t		 up;		/* tunnels that have both directions */
	uint64_t		 adds, deletes;	/* ESP SAs */
	double			 us[WORKS];
};

/* Both end the program on failure.  name (of this side) is borrowed. */
void	stand_init(struct stand *, const char *name, stand_send *, void *arg);
void	stand_conf(struct stand *, monotime now, const char *file, const char *text,
	    size_t len);
void	stand_free(struct stand *);
/* Answers until the engine asks nothing more. */
void	stand_answers(struct stand *, monotime now);
void	stand_tick(struct stand *, monotime now);	/* with answers */

#endif
