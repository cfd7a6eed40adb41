/* SPDX-License-Identifier: ISC */
/* A picture that is drawn again in its place: ECMA-48 and xterm's second screen. */

#include <sys/ioctl.h>

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "term.h"

#define ENTER	"\033[?1049h\033[?25l"	/* second screen, no cursor */
#define LEAVE	"\033[?25h\033[?1049l"
#define HOME	"\033[H"
#define EOL	"\033[K\r\n"
#define BELOW	"\033[J"

static struct termios before;
static int ours, keys, frames;
static volatile sig_atomic_t ended, resized;

static void
on_signal(int sig)
{
	if (sig == SIGWINCH)
		resized = 1;
	else
		ended = 1;
}

void
term_open(void)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH };
	struct sigaction sa;
	struct termios raw;
	size_t i;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;	/* no SA_RESTART: poll ends */
	(void)sigemptyset(&sa.sa_mask);
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		(void)sigaction(sigs[i], &sa, NULL);
	if (!isatty(STDOUT_FILENO))
		return;
	ours = 1;
	(void)fputs(ENTER, stdout);
	if (isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0) {
		raw = before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		keys = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
	}
}

void
term_close(void)
{
	if (keys)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
	if (ours) {
		(void)fputs(LEAVE, stdout);
		(void)fflush(stdout);
	}
	keys = ours = 0;
}

/* Octets of the line's first cols characters; what follows a character belongs to it. */
static size_t
visible(const char *s, size_t len, unsigned cols)
{
	size_t i;
	unsigned n = 0;

	for (i = 0; i < len; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80 && n++ == cols)
			break;
	return (i);
}

size_t
term_cut(const char *text, size_t len, unsigned rows, unsigned cols,
    const char *eol, char *dst, size_t cap)
{
	size_t n = 0, line, part, elen = strlen(eol);
	const char *lf;
	unsigned row;

	for (row = 0; len > 0 && (rows == 0 || row < rows); row++) {
		lf = memchr(text, '\n', len);
		line = lf == NULL ? len : (size_t)(lf - text);
		part = cols == 0 ? line : visible(text, line, cols);
		if (n + part + elen > cap)
			break;
		memcpy(dst + n, text, part);
		memcpy(dst + n + part, eol, elen);
		n += part + elen;
		if (lf == NULL)
			break;
		len -= line + 1;
		text = lf + 1;
	}
	return (n);
}

static size_t
lines(const char *text, size_t len)
{
	size_t i, n = 1;

	for (i = 0; i < len; i++)
		n += text[i] == '\n';
	return (n);
}

void
term_frame(const char *text, size_t len)
{
	struct winsize ws;
	size_t cap, n;
	char *buf;

	if (!ours) {
		if (frames++ > 0)
			(void)fputc('\n', stdout);
		(void)fwrite(text, 1, len, stdout);
		(void)fflush(stdout);
		return;
	}
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == -1 || ws.ws_row < 2) {
		ws.ws_row = 24;
		ws.ws_col = 80;
	}
	cap = len + lines(text, len) * sizeof(EOL);
	if ((buf = malloc(cap)) == NULL)
		err(1, NULL);
	n = term_cut(text, len, ws.ws_row - 1U, ws.ws_col, EOL, buf, cap);
	(void)fputs(HOME, stdout);
	(void)fwrite(buf, 1, n, stdout);
	(void)fputs(BELOW, stdout);
	(void)fflush(stdout);
	free(buf);
}

int
term_wait(int ms)
{
	struct pollfd p = { .fd = keys ? STDIN_FILENO : -1, .events = POLLIN };
	char c;

	if (ferror(stdout))
		return (1);
	if (!ended && !resized && poll(&p, 1, ms) == 1 &&
	    (read(STDIN_FILENO, &c, 1) != 1 || c == 'q'))
		ended = 1;
	resized = 0;
	return (ended);
}
