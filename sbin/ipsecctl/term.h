/* SPDX-License-Identifier: ISC */
/*
 * A picture that is drawn again in its place.  On a terminal it has the whole screen; what
 * is too wide for it is cut, and of what is too long the rest is counted.  Elsewhere
 * pictures just follow each other, an empty line apart.
 */
#ifndef IPSECCTL_TERM_H
#define IPSECCTL_TERM_H

#include <stddef.h>

/* screen: a terminal's becomes ours, until term_close.  Signals wait for term_wait. */
void	term_open(int screen);
void	term_close(void);	/* it is as it was; twice is fine */
/* 1: the screen is ours, of that size; 0: it is not. */
int	term_window(unsigned *rows, unsigned *cols);
void	term_frame(const char *text, size_t len);
/* 1: to be ended, by a signal, by q, or because nobody reads; 0: the time is over, or the
 * window has another size.  ^Z goes to the shell, and comes back. */
int	term_wait(long ms);

/*
 * Pure.  Writes what of the text is seen in a window to dst: lines of at most cols
 * characters (0: any), of which there are at most rows (0: any); the last says how many
 * there would be from there on, where those are more.  Each is followed by eol.  Gives the
 * octets.
 */
size_t	term_cut(const char *text, size_t len, unsigned rows, unsigned cols,
	    const char *eol, char *dst, size_t cap);
/* What suffices as cap; eol: its octets. */
#define TERM_CUTMAX(len, lines, eol)	((len) + ((lines) + 1) * (eol) + 64)

#endif
