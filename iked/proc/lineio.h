/* SPDX-License-Identifier: ISC */
/*
 * The server side of a control socket: lines of text in, JSON lines out, for clients of any
 * manners.  None can hold anything up: input is a line at a time, output is bounded, and
 * who does not read is left behind.  What a line means is its owner's business.
 */
#ifndef PROC_LINEIO_H
#define PROC_LINEIO_H

#include <sys/types.h>

#include <ev.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/json.h"

#define LINE_MAX_IN	1024		/* LF included */
#define OUT_MAX		(256U * 1024)	/* octets a client may leave unread */
#define OUT_HIGH	(64U * 1024)	/* above: no more is made for it */

struct lineio;
struct lineio_ops {
	/* A whole line, without its LF.  May set busy, or close. */
	void	(*line)(struct lineio *, char *);
	/* What it said is no line: answer with that text. */
	void	(*refuse)(struct lineio *, const char *);
	/* There is room again for the answer that is under way (busy). */
	void	(*more)(struct lineio *);
	/* Something was read or written. */
	void	(*alive)(struct lineio *);
	/* It will say no more, and busy is set.  NULL: it still wants its answer. */
	void	(*eof)(struct lineio *);
	/* The connection is over; reason NULL: the client left.  The owner calls
	 * lineio_close. */
	void	(*gone)(struct lineio *, const char *reason);
};

struct lineio {
	struct ev_loop		*loop;
	const struct lineio_ops	*ops;
	int			 fd;		/* -1: closed */
	int			 busy;		/* lines wait until the answer is complete */
	int			 deaf;		/* it never is: what is said is thrown away */
	int			 closing;	/* when the output is out */
	int			 eof;		/* writes no more, may still read */
	ev_io			 rd, wr;
	char			 in[LINE_MAX_IN];
	size_t			 inlen;
	uint8_t			*out;		/* OUT_MAX, allocated when first needed */
	size_t			 outlen, outoff;
};

/* As root: a listening socket of root and that group.  Who calls holds the lock that says
 * that the path is nobody else's.  The descriptor, nonblocking; -1 and errno. */
int	lineio_listen(const char *path, mode_t mode, gid_t);
/* Takes fd over. */
void	lineio_open(struct lineio *, struct ev_loop *, int fd, const struct lineio_ops *);
void	lineio_close(struct lineio *);	/* all forgotten, fd -1; twice is fine */
size_t	lineio_unread(const struct lineio *);
/* Appends; writing waits for the loop.  0; -1: no room, the owner has been told that it
 * is gone. */
int	lineio_put(struct lineio *, const void *, size_t);
/* Appends a line.  1: it did not fit into a line and was left out. */
int	lineio_json(struct lineio *, struct json *);
/* {"end":true}, with an error when it is not NULL; no longer busy. */
void	lineio_end(struct lineio *, const char *error);
/* The same, with a word for programs; NULL: none. */
void	lineio_end_code(struct lineio *, const char *error, const char *code);
/* The answer is complete, or may go on: the next slice of it, or the next line. */
void	lineio_resume(struct lineio *);

/* Splits off the next word, or a string in double quotes; NULL at the end.  Pure. */
char	*lineio_word(char **line, int *bad);

#endif
