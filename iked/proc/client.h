/* SPDX-License-Identifier: ISC */
/*
 * The client side of a control socket (iked.control(5), netwatchd.control(5)): a line of text
 * goes out, JSON lines come back, {"end":true} closes the answer.
 *
 * The same object serves two ways.  ipsecctl calls client_open, client_send
 * and client_next and waits.  An event loop watches client_fd, calls
 * client_input when it is readable, then client_poll until it gives CLIENT_WAIT,
 * and client_flush when it is writable and client_pending says so.
 *
 * Whatever the daemon says is bounded: a line has at most CLIENT_LINEMAX
 * octets and must be one JSON object.
 */
#ifndef PROC_CLIENT_H
#define PROC_CLIENT_H

#include <jansson.h>

#include <stddef.h>
#include <stdint.h>

#include "proc/version.h"

#define CLIENT_SOCKET	IKED_RUNDIR "/iked.sock"
#define CLIENT_CMDMAX	1024		/* octets of a command, LF included */
#define CLIENT_LINEMAX	8192		/* octets of an answer's line, LF included */
#define CLIENT_ERRLEN	320
#define CLIENT_PROTOCOL	1		/* "ikeep" in the greeting */

/* Pure: octets in, JSON objects out. */
struct client_reader {
	char	buf[CLIENT_LINEMAX];
	size_t	len;		/* octets held */
	size_t	off;		/* of which this many are already read */
	int	bad;		/* sticky: the stream broke a rule */
};
void	client_reader_init(struct client_reader *);
/* Takes up to n octets, as many as fit; the number taken.  When it takes none,
 * read the lines that are there first. */
size_t	client_reader_feed(struct client_reader *, const void *, size_t n);
/* 1: *obj is a new reference to a line's object; 0: no whole line yet; -1: broken. */
int	client_reader_next(struct client_reader *, json_t **obj);

enum client_result {
	CLIENT_OBJECT = 1,	/* *obj is a new reference */
	CLIENT_END = 0,		/* the answer ended well */
	CLIENT_REFUSED = -1,	/* it ended with an error: client_error() */
	CLIENT_BROKEN = -2,	/* connection lost, timeout, nonsense: client_error() */
	CLIENT_WAIT = -3	/* only from client_poll: nothing more for now */
};

enum client_why {		/* why client_open failed */
	CLIENT_WHY_NONE = 0,
	CLIENT_WHY_ABSENT,	/* no socket, or nobody listens: iked is not running */
	CLIENT_WHY_DENIED,	/* this user may not */
	CLIENT_WHY_OTHER
};

struct client;

/* Before a sandbox closes: whatever jansson does once (its hash seed). */
void	client_prepare(void);

#define CLIENT_ROFALLBACK	1	/* may use the read-only socket when refused */
#define CLIENT_NETWATCHD	2	/* it is netwatchd's socket: so says the error */

/*
 * Connects and reads the greeting within timeout_ms.  NULL, with *why and a line for a
 * person in err.  The object is the caller's, client_close frees it.
 */
struct client	*client_open(const char *path, int flags, int timeout_ms,
		    enum client_why *why, char err[CLIENT_ERRLEN]);
/* Takes over a connected descriptor whose greeting was already read; NULL: no memory. */
struct client	*client_attach(int fd);
/* Gives the descriptor away and frees the rest; -1 (and closes) when octets of an
 * answer were already taken from it. */
int		 client_release(struct client *);
void		 client_close(struct client *);	/* NULL is fine */

int		 client_fd(const struct client *);
int		 client_readonly(const struct client *);	/* 1: the ro socket */
const char	*client_error(const struct client *);	/* "" when none */
const char	*client_code(const struct client *);	/* of the last refusal; "" none */
const char	*client_version(const struct client *);	/* of the daemon, "" unknown */

/* Waiting.  line has no LF.  0 or -1. */
int	client_send(struct client *, const char *line, int timeout_ms);
/* The next object of the answer.  timeout_ms is for this call; -1: as long as it takes. */
enum client_result client_next(struct client *, int timeout_ms, json_t **obj);

/* For event loops; none of these waits. */
int	client_queue(struct client *, const char *line);	/* 0; -1: too long, queue full */
int	client_pending(const struct client *);	/* octets still to be written */
int	client_flush(struct client *);		/* 0, or -1: connection lost */
int	client_input(struct client *);		/* reads; 0, or -1: lost or EOF */
enum client_result client_poll(struct client *, json_t **obj);

/* "/var/run/iked.sock" -> "/var/run/iked.ro.sock".  0, or -1 when it does not fit. */
int	client_ropath(const char *path, char *dst, size_t cap);

#endif
