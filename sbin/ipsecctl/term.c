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
#include <time.h>
#include <unistd.h>

#include "term.h"

#define ENTER	"\033[?1049h\033[?25l"	/* second screen, no cursor */
#define LEAVE	"\033[?25h\033[?1049l"
/*
 * A line is emptied before it is written: after it, on a line that is full, the last
 * character would go, for the cursor still stands on it.
 */
#define EMPTY	"\033[K"
#define HOME	"\033[H" EMPTY
#define BELOW	"\033[J"			/* nothing of the last picture below of here */
#define EOL	"\r\n" EMPTY
#define MORE	"... and %u more line%s"

static struct termios before;
static int ours, keys, frames;
static volatile sig_atomic_t ended, suspended, resized;

static void
caught(int sig)
{
	if (sig == SIGTSTP)
		suspended = 1;
	else if (sig == SIGWINCH)
		resized = 1;
	else
		ended = 1;
}

/* They are taken while we wait, and at no other time. */
static void
catch(void)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP,
	    SIGWINCH };
	struct sigaction sa;
	sigset_t set;
	size_t i;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = caught;
	(void)sigemptyset(&sa.sa_mask);
	(void)sigemptyset(&set);
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		(void)sigaddset(&set, sigs[i]);
		(void)sigaction(sigs[i], &sa, NULL);
	}
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static void
enter(void)
{
	struct termios raw;

	if (!ours)
		return;
	keys = tcgetattr(STDIN_FILENO, &before) == 0;
	if (keys) {
		raw = before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		raw.c_cc[VMIN] = 1;
		raw.c_cc[VTIME] = 0;
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	(void)fputs(ENTER, stdout);
}

static void
leave(void)
{
	if (!ours)
		return;
	(void)fputs(LEAVE, stdout);
	(void)fflush(stdout);
	if (keys)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
	keys = 0;
}

void
term_open(int screen)
{
	catch();
	ours = screen && isatty(STDOUT_FILENO);
	if (ours) {
		/* A picture is one write, not one a line. */
		(void)setvbuf(stdout, NULL, _IOFBF, 65536);
		(void)atexit(term_close);	/* by err(3), too */
	}
	enter();
}

void
term_close(void)
{
	leave();
	ours = 0;
}

int
term_window(unsigned *rows, unsigned *cols)
{
	struct winsize ws;

	if (!ours)
		return (0);
	*rows = 24;
	*cols = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_row > 1 &&
	    ws.ws_col > 1) {
		*rows = ws.ws_row;
		*cols = ws.ws_col;
	}
	return (1);
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

static unsigned
lines(const char *text, size_t len)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < len; i++)
		n += text[i] == '\n';
	return (len > 0 && text[len - 1] != '\n' ? n + 1 : n);
}

/* The line that stands for the last that has room, and for those that have none. */
static size_t
more(unsigned left, unsigned cols, const char *eol, char *dst, size_t cap)
{
	char line[64];

	(void)snprintf(line, sizeof(line), MORE, left, left == 1 ? "" : "s");
	return (term_cut(line, strlen(line), 0, cols, eol, dst, cap));
}

size_t
term_cut(const char *text, size_t len, unsigned rows, unsigned cols,
    const char *eol, char *dst, size_t cap)
{
	unsigned row, total = lines(text, len);
	size_t n = 0, line, part, elen = strlen(eol);
	const char *lf;

	for (row = 0; len > 0; row++) {
		if (row + 1 == rows && total > rows)
			return (n + more(total - row, cols, eol, dst + n, cap - n));
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

void
term_frame(const char *text, size_t len)
{
	unsigned rows, cols;
	size_t cap, n;
	char *buf;

	if (!term_window(&rows, &cols)) {
		if (frames++ > 0)
			(void)fputc('\n', stdout);
		(void)fwrite(text, 1, len, stdout);
		(void)fflush(stdout);
		return;
	}
	cap = TERM_CUTMAX(len, lines(text, len), sizeof(EOL));
	if ((buf = malloc(cap)) == NULL)
		err(1, NULL);
	n = term_cut(text, len, rows, cols, EOL, buf, cap);
	(void)fputs(HOME, stdout);
	/* On the last line of the screen a line feed would scroll. */
	if (lines(text, len) >= rows)
		(void)fwrite(buf, 1, n - (sizeof(EOL) - 1), stdout);
	else {
		(void)fwrite(buf, 1, n, stdout);
		(void)fputs(BELOW, stdout);
	}
	(void)fflush(stdout);
	free(buf);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* Back to the shell, and here again. */
static void
suspend(void)
{
	suspended = 0;
	leave();
	(void)kill(getpid(), SIGSTOP);
	enter();
}

/* 1: q was typed, or the terminal is gone. */
static int
typed(void)
{
	char c;

	return (read(STDIN_FILENO, &c, 1) != 1 || c == 'q' || c == 'Q');
}

int
term_wait(long ms)
{
	struct pollfd pfd = { .fd = keys ? STDIN_FILENO : -1, .events = POLLIN };
	int64_t end = now_ms() + ms, left;
	struct timespec ts;
	sigset_t none;
	int n;

	(void)sigemptyset(&none);
	while (!ferror(stdout)) {
		left = end - now_ms();
		ts.tv_sec = left > 0 ? left / 1000 : 0;
		ts.tv_nsec = left > 0 ? left % 1000 * 1000000 : 0;
		n = ppoll(&pfd, 1, &ts, &none);
		if (ended || (n == -1 && errno != EINTR))
			return (1);
		if (suspended)
			suspend();
		else if (n == 1 && typed())
			return (1);
		else if (n == 0 || resized) {
			resized = 0;
			return (0);
		}
	}
	return (1);
}
