/*
 * The protocol as a machine: inputs in, effects out.
 *
 * The engine does no I/O: it reads no clock, opens no socket, calls no kernel, and
 * every random octet comes from its table's random().  Inputs are the calls below,
 * each with the time; effects go out through struct engine_fx, during the call.
 * An effect must not call the engine back (bindings queue).  There is one next deadline.
 *
 * One engine may hold 100,000 IKE SAs: nothing here is O(n) per packet or tick.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/addr.h"
#include "base/log.h"
#include "base/mono.h"
#include "conf/conf.h"
#include "crypto/crypto.h"
#include "engine/request.h"
#include "engine/show.h"
#include "pfkey/pfkey.h"

struct engine;

struct engine_counters {
	int		err;		/* 0, ENOENT: no such Child SA */
	uint32_t	spi_in, spi_out;
	uint64_t	bytes_in, bytes_out, packets_in, packets_out;
	uint8_t		ike_up;		/* its IKE SA is established, and no end is near */
	uint8_t		rekeying;	/* a successor of the Child or of its IKE SA is made */
	uint32_t	last_in_ms;	/* since the peer's last authenticated message */
	struct addr	given[2];	/* by the peer (`from dynamic'): IPv4, IPv6, or ADDR_NONE */
};

struct engine_fx {
	void	*arg;
	void	(*random)(void *arg, void *, size_t);
	/* p is an IKE message (marker: put four zero octets before it) or, without
	 * marker, a NAT keepalive.  Sent from local.addr:local.port. */
	void	(*send)(void *arg, const struct endpoint *local, const struct endpoint *remote,
		    int marker, const uint8_t *p, size_t len);
	void	(*keys)(void *arg, const struct keys_req *);
	void	(*kernel)(void *arg, const struct kernel_req *);
	void	(*count)(void *arg, const struct kernel_count *);
	/* the answer to engine_counters() */
	void	(*counters)(void *arg, uint64_t token, const struct engine_counters *);
	const struct logger *log;
	/* something happened to a tunnel; NULL: nobody wants to know */
	void	(*event)(void *arg, const struct show_event *);
};

struct engine_opts {
	uint16_t	port, natt_port;	/* 500 and 4500 unless a test says so */
};

/* crypto is borrowed for the engine's life, fx is copied. NULL: out of memory. */
struct engine	*engine_new(const struct engine_fx *, struct crypto *, const struct engine_opts *);
void		 engine_free(struct engine *);	/* wipes; sends nothing */

/* What the kernel can install: nothing else is ever offered (promise 11). */
void	engine_caps(struct engine *, const struct kern_caps *);
/*
 * A new generation, checked and complete; the engine takes it over and frees it
 * when the next comes.  What becomes of a tunnel's SAs says conf_change(): they are kept,
 * rekeyed, or deleted and made anew where wanted; removed ones are deleted.  MODE_ACTIVE
 * tunnels become wanted for good.
 * 0, or -1: no memory (logged), and the old generation is still in use.
 */
int	engine_conf(struct engine *, monotime now, struct conf *);
/* The one in use; NULL: none yet.  Good until the next call. */
const struct conf *engine_conf_used(const struct engine *);
/*
 * What engine_conf() would do with this one: records SHOWK_PLAN, the tunnels of the new
 * generation and then those that would be removed.  They are there until they have been
 * read to their end, or the next engine_conf() or engine_plan().  0, or -1: no memory.
 */
int	engine_plan(struct engine *, const struct conf *);

/* A datagram without marker, as it came to local from remote. natt: it came on the
 * NAT-T port behind a non-ESP marker. */
void	engine_datagram(struct engine *, monotime now, const struct endpoint *local,
	    const struct endpoint *remote, int natt, const uint8_t *, size_t);
void	engine_keys(struct engine *, monotime now, const struct keys_ans *);
void	engine_kernel(struct engine *, monotime now, const struct kernel_ans *);
void	engine_counted(struct engine *, monotime now, const struct kernel_counted *);
/* tunnel: index in generation gen; an event of an old generation is mapped by name. */
void	engine_acquire(struct engine *, monotime now, uint32_t gen, uint32_t tunnel,
	    const struct ts *src, const struct ts *dst, uint32_t seq);	/* ts may be NULL */
void	engine_expire(struct engine *, monotime now, uint32_t spi, const struct addr *dst,
	    int hard);
/*
 * During fx.send(), and alone then: a datagram to there could not be sent, and why; NULL,
 * one was.  It is said of attempts to connect, and nothing else comes of it.
 */
void	engine_unsent(struct engine *, const struct addr *remote, const char *why);
void	engine_mapping(struct engine *, monotime now, uint32_t spi, const struct endpoint *newsrc);
/*
 * Addresses or routes of this machine have changed; these are all its addresses now (the
 * first 64 count).  Called at start, and again after lost events, which the
 * whole list makes good for.
 */
void	engine_addresses(struct engine *, monotime now, const struct addr *, size_t n);
/* Kernel events were lost: re-query what matters. */
void	engine_lost(struct engine *, monotime now);

enum engine_cmd { CMD_UP = 1, CMD_DOWN, CMD_REKEY, CMD_REKEY_IKE,
    CMD_RECREATE,		/* delete the Child, and create it anew */
    CMD_RESET,			/* delete the peer's IKE SA, and begin anew */
    CMD_CHECK };		/* ask the peer whether it is alive */
#define CMD_LAST	CMD_CHECK
/* Two reasons that a program may want to tell apart: *why is one of these. */
extern const char engine_unknown[];	/* there is no such tunnel */
extern const char engine_notup[];	/* it is not up */
/* who: WAKE_COMMAND or WAKE_KEEPALIVE. 0, or -1 when there is no such tunnel; *why
 * gets a static string then. */
int	engine_command(struct engine *, monotime now, enum engine_cmd, const char *tunnel,
	    enum show_wake who, const char **why);
/* Asks the kernel for fresh counters of the tunnel's Child SA; answered by fx.counters. */
void	engine_counters(struct engine *, monotime now, uint64_t token, const char *tunnel);
/* Deletes every IKE SA (with DELETE to the peers) before the process stops. */
void	engine_shutdown(struct engine *, monotime now);
/* The same, and no tunnel is wanted until the next engine_conf(). */
void	engine_flush(struct engine *, monotime now);

/*
 * Live SAs from one engine to another: a restart, a standby.  A record is an IKE SA with
 * all its Children, keys included: whoever holds it wipes it.  Kernel SAs are not moved:
 * they stay where they are, and the engine that takes the record over asks the kernel
 * whether they are there.
 *
 * Before the first export the old engine has got its last input; it is freed without a
 * word.  What is not authenticated to its end is left behind: the peer begins it anew.
 */
#define ENGINE_RECORD_MAX	(512U * 1024)
/* Start with *cursor 0; 1 and a record in buf, *len octets; 0 at the end.  An SA that
 * cannot be moved is passed over, and the log says why. */
int	engine_export(struct engine *, monotime now, uint64_t *cursor, uint8_t *buf,
	    size_t cap, size_t *len);
/* Between engine_conf() and engine_import(): nothing is started, no timer runs. 0: go. */
void	engine_hold(struct engine *, monotime now, int on);
/* 0; -1: refused, nothing has changed, *why gets a static string. */
int	engine_import(struct engine *, monotime now, const uint8_t *, size_t len,
	    const char **why);

/* MONO_NEVER when nothing waits. */
monotime engine_deadline(const struct engine *);
void	engine_tick(struct engine *, monotime now);	/* everything due by now */

/* Records of one kind: start with *cursor 0; 1 and a record, or 0 at the end.  Safe while
 * the engine changes between calls (a record may be missed or seen twice). */
int	engine_show(struct engine *, monotime now, enum show_kind, uint64_t *cursor,
	    struct show_rec *);
/* The record of that tunnel alone.  0, or -1: there is none. */
int	engine_show_tunnel(struct engine *, monotime now, const char *name, struct show_rec *);

#endif
