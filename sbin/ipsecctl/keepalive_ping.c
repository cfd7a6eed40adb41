/* SPDX-License-Identifier: ISC */
/* ipsecctl ping and trace: netwatchd sends, from where its probes come. */

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keepalive.h"
#include "print.h"
#include "show.h"

static volatile sig_atomic_t stopped;

static void
stop(int sig)
{
	(void)sig;
	stopped = 1;
}

struct tally {
	unsigned long long	 sent, received, beside;
	uint64_t		 min, max, sum;
	int			 reached, hops;
};

static char *
ms(uint64_t us, char dst[32])
{
	(void)snprintf(dst, 32, "%llu.%03llu ms", (unsigned long long)us / 1000,
	    (unsigned long long)us % 1000);
	return (dst);
}

static void
take_reply(const json_t *o, struct tally *t)
{
	uint64_t rtt = field_num(o, "rtt_us");
	char buf[32], from[CELL_MAX];

	t->sent++;
	if (t->received++ == 0 || rtt < t->min)
		t->min = rtt;
	if (rtt > t->max)
		t->max = rtt;
	t->sum += rtt;
	(void)printf("%llu octets from %s: seq %llu, %s\n",
	    (unsigned long long)field_num(o, "octets"), print_clean(from,
	    sizeof(from), field_str(o, "from")),
	    (unsigned long long)field_num(o, "seq"), ms(rtt, buf));
}

static void
take_loss(const json_t *o, struct tally *t)
{
	char from[CELL_MAX], reason[CELL_MAX];

	t->sent++;
	(void)print_clean(from, sizeof(from), field_str(o, "from"));
	(void)printf("seq %llu: %s%s%s\n",
	    (unsigned long long)field_num(o, "seq"), print_clean(reason,
	    sizeof(reason), field_str(o, "reason")), from[0] != '\0' ?
	    ", says " : "", from);
}

/* The tunnel is one hop, whatever is between the gateways. */
static void
take_hop(const json_t *o, struct tally *t)
{
	const char *answer = field_str(o, "answer");
	char from[CELL_MAX], text[CELL_MAX], buf[32];

	t->hops = (int)field_num(o, "hop");
	if (json_object_get(o, "from") == NULL) {
		(void)printf("%2d  *  %s\n", t->hops, print_clean(text,
		    sizeof(text), answer));
		return;
	}
	t->reached = strcmp(answer, "reply") == 0;
	(void)printf("%2d  %s  %s", t->hops, print_clean(from, sizeof(from),
	    field_str(o, "from")), ms(field_num(o, "rtt_us"), buf));
	if (!t->reached && strcmp(answer, "expired") != 0)
		(void)printf("  %s", print_clean(text, sizeof(text), answer));
	(void)printf("%s\n", t->hops == 1 ? "  through the tunnel" : "");
}

static void
take(const json_t *o, struct tally *t, int json)
{
	const char *kind = field_str(o, "kind");

	if (json) {
		(void)json_dumpf(o, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
		(void)fputc('\n', stdout);
	}
	if (strcmp(kind, "ping") == 0) {
		t->received = field_num(o, "received");
		t->beside = field_num(o, "beside");
	} else if (json) {
		t->received += strcmp(kind, "reply") == 0;
		t->reached |= strcmp(kind, "hop") == 0 &&
		    strcmp(field_str(o, "answer"), "reply") == 0;
	} else if (strcmp(kind, "reply") == 0)
		take_reply(o, t);
	else if (strcmp(kind, "loss") == 0)
		take_loss(o, t);
	else if (strcmp(kind, "hop") == 0)
		take_hop(o, t);
	(void)fflush(stdout);
}

/* As client_next, but an interrupt ends it: CLIENT_END. */
static enum client_result
next(struct client *c, json_t **o)
{
	const struct timespec wait = { .tv_sec = 70 };	/* PING_WAITMAX, and a bit */
	struct pollfd pfd = { .fd = client_fd(c), .events = POLLIN };
	enum client_result r;
	sigset_t none;
	int n;

	(void)sigemptyset(&none);
	while ((r = client_poll(c, o)) == CLIENT_WAIT) {
		if (stopped)
			return (CLIENT_END);
		if ((n = ppoll(&pfd, 1, &wait, &none)) == -1 && errno == EINTR)
			continue;
		if (n != 1 || client_input(c) == -1)
			return (CLIENT_BROKEN);
	}
	return (r);
}

static int
converse(const struct ka_opts *o, const char *line, struct tally *t)
{
	char clean[CLIENT_ERRLEN];
	struct client *c = keepalive_need(o);
	struct sigaction sa;
	enum client_result r = CLIENT_BROKEN;
	sigset_t intr;
	json_t *obj;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = stop;
	(void)sigemptyset(&intr);
	(void)sigaddset(&intr, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &intr, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
	if (client_send(c, line, ANSWER_MS) == 0)
		while ((r = next(c, &obj)) == CLIENT_OBJECT) {
			take(obj, t, o->json);
			json_decref(obj);
		}
	/* what comes is not behind the terminal's ^C */
	if (stopped && isatty(STDOUT_FILENO))
		(void)fputc('\n', stdout);
	(void)print_clean(clean, sizeof(clean), client_error(c));
	if (r != CLIENT_END)
		warnx("%s", clean[0] != '\0' ? clean : "no answer from "
		    "netwatchd");
	client_close(c);
	return (r == CLIENT_END ? 0 : -1);
}

static void
summary(const char *name, const struct tally *t)
{
	char a[32], b[32], c[32];

	(void)printf("%s: %llu sent, %llu received, %llu%% lost", name, t->sent,
	    t->received, t->sent == 0 ? 0 : (t->sent - t->received) * 100 /
	    t->sent);
	if (t->received > 0)
		(void)printf(", least %s, mean %s, longest %s", ms(t->min, a),
		    ms(t->sum / t->received, b), ms(t->max, c));
	(void)printf("\n");
	if (t->received == 0 && t->beside == 0 && t->sent > 0)
		(void)printf("ipsecctl doctor %s says what is wrong\n", name);
	if (t->beside > 0)
		(void)printf("%s: the gateway, or a router on this side, has answered %llu beside "
		    "the tunnel; name an address of the to net after target to know of the way "
		    "back\n", name, t->beside);
}

long
keepalive_ms(const char *s)
{
	char *end;
	double d;

	errno = 0;
	d = strtod(s, &end);
	if (errno != 0 || end == s || *end != '\0' || !(d >= 0.01 && d <= 60))
		return (-1);
	return ((long)(d * 1000 + 0.5));
}

int
keepalive_ping(const struct ka_opts *o, const char *name)
{
	char line[CLIENT_CMDMAX];
	struct tally t = { 0 };
	long wait;

	if ((wait = keepalive_ms(o->wait != NULL ? o->wait : "1")) == -1)
		errx(EXIT_USAGE, "-i: 0.01 to 60 seconds");
	if (snprintf(line, sizeof(line), "ping \"%s\" %s %ld %s", name,
	    o->count != NULL ? o->count : "5", wait, o->size != NULL ?
	    o->size : "") >= (int)sizeof(line))
		return (-1);
	if (converse(o, line, &t) == -1)
		return (1);
	if (!o->json)
		summary(name, &t);
	return (t.received > 0 ? 0 : EXIT_SILENT);
}

int
keepalive_trace(const struct ka_opts *o, const char *name)
{
	char line[CLIENT_CMDMAX];
	struct tally t = { 0 };

	if (o->count != NULL || o->wait != NULL || o->size != NULL ||
	    snprintf(line, sizeof(line), "trace \"%s\"", name) >=
	    (int)sizeof(line))
		return (-1);
	if (converse(o, line, &t) == -1)
		return (1);
	if (!o->json)
		(void)printf("%s: %s after %d hop%s\n", name, t.reached ?
		    "reached" : "not reached", t.hops, t.hops == 1 ? "" : "s");
	return (t.reached ? 0 : EXIT_SILENT);
}
