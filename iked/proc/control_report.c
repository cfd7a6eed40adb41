/* SPDX-License-Identifier: ISC */
/* What netwatchd said last about each tunnel; gone when it disconnects. */

#include <sys/types.h>
#include <sys/queue.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proc/control.h"

#define REPORTS_MAX	65536	/* as many as there may be tunnels */
#define REPORT_BUCKETS	4096

/* The last three: losses of the last minute, quarter and hour, in thousandths. */
enum { N_RTT, N_RTTMIN, N_RTTAVG, N_RTTMAX, N_P50, N_P90, N_P99, N_JITTER, N_SENT,
    N_RECEIVED, N_LOST, N_LATE, N_PMTU, N_MSS, N_NUMBERS, N_LOSS1M = N_NUMBERS, N_LOSS15M, N_LOSS1H,
    N_MAX };
static const char *const number_names[N_NUMBERS] = {
	"rtt_us", "rtt_min_us", "rtt_avg_us", "rtt_max_us", "rtt_p50_us",
	"rtt_p90_us", "rtt_p99_us", "jitter_us", "sent", "received", "lost",
	"late", "pmtu", "mss"
};
/* of a report, where they are integers */
static const char *const loss_names[N_MAX - N_NUMBERS] = {
	"loss_1m", "loss_15m", "loss_1h"
};

struct report {
	SLIST_ENTRY(report)	entry;		/* bucket */
	char			tunnel[CONF_NAMELEN];
	struct addr		source, target;
	char			state[16];
	char			note[256];
	uint64_t		n[N_MAX];
	monotime		since;
	uint32_t		serial;		/* of the client that said it */
};

static SLIST_HEAD(, report) buckets[REPORT_BUCKETS];
static size_t nreports;

static size_t
bucket_of(const char *name)
{
	uint32_t h = 2166136261U;	/* FNV-1a; names come from iked.conf */

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 16777619U;
	return (h % REPORT_BUCKETS);
}

static struct report *
report_find(const char *name, int make)
{
	size_t b = bucket_of(name);
	struct report *r;

	SLIST_FOREACH(r, &buckets[b], entry)
		if (strcmp(r->tunnel, name) == 0)
			return (r);
	if (!make || nreports >= REPORTS_MAX ||
	    (r = calloc(1, sizeof(*r))) == NULL)
		return (NULL);
	(void)strlcpy(r->tunnel, name, sizeof(r->tunnel));
	SLIST_INSERT_HEAD(&buckets[b], r, entry);
	nreports++;
	return (r);
}

static int
valid_state(const char *s)
{
	static const char *const states[] = { "up", "down", "acquiring",
	    "no-source", "local-miss", "backup" };
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(s, states[i]) == 0)
			return (1);
	return (0);
}

static int
set_number(struct report *r, const char *key, const char *val)
{
	unsigned long long v;
	char *end;
	size_t i;

	for (i = 0; i < N_MAX; i++)
		if (strcmp(key, i < N_NUMBERS ? number_names[i] :
		    loss_names[i - N_NUMBERS]) == 0)
			break;
	if (i == N_MAX || *val < '0' || *val > '9')
		return (-1);
	errno = 0;
	v = strtoull(val, &end, 10);
	if (errno != 0 || *end != '\0')
		return (-1);
	r->n[i] = v;
	return (0);
}

static int
set_value(struct report *r, const char *key, const char *val)
{
	if (strcmp(key, "source") == 0 || strcmp(key, "target") == 0) {
		struct addr *a = key[0] == 's' ? &r->source : &r->target;

		if (*val == '\0' || strcmp(val, "any") == 0) {
			memset(a, 0, sizeof(*a));
			return (0);
		}
		return (addr_parse(a, val));
	}
	if (strcmp(key, "state") == 0) {
		if (!valid_state(val))
			return (-1);
		(void)strlcpy(r->state, val, sizeof(r->state));
		return (0);
	}
	return (set_number(r, key, val));
}

/* note="..." comes last and is the rest of the line. */
static void
set_note(struct report *r, char *val)
{
	size_t n = strlen(val);

	if (n >= 2 && val[0] == '"' && val[n - 1] == '"') {
		val[n - 1] = '\0';
		val++;
	}
	(void)strlcpy(r->note, val, sizeof(r->note));
}

static int
report_values(struct report *r, char *line)
{
	char *key, *val, *next;

	for (key = line; *key != '\0'; key = next) {
		while (*key == ' ')
			key++;
		if (*key == '\0')
			break;
		if (strncmp(key, "note=", 5) == 0) {
			set_note(r, key + 5);
			return (0);
		}
		next = key + strcspn(key, " ");
		if (*next != '\0')
			*next++ = '\0';
		if ((val = strchr(key, '=')) == NULL)
			return (-1);
		*val++ = '\0';
		if (set_value(r, key, val) == -1)
			return (-1);
	}
	return (0);
}

int
report_take(struct client *c, char *line, const char **why)
{
	struct report *r, fresh;
	char *name;
	int bad = 0;

	*why = "write: report NAME key=value ...";
	if ((name = lineio_word(&line, &bad)) == NULL || bad ||
	    strlen(name) >= CONF_NAMELEN)
		return (-1);
	memset(&fresh, 0, sizeof(fresh));
	if (report_values(&fresh, line) == -1 || fresh.state[0] == '\0') {
		*why = "report: an unknown key, a bad value or no state";
		return (-1);
	}
	if ((r = report_find(name, 1)) == NULL) {
		*why = "report: out of memory";
		return (-1);
	}
	if (strcmp(r->state, fresh.state) != 0 || r->serial != c->serial)
		r->since = mono_now();
	(void)strlcpy(r->state, fresh.state, sizeof(r->state));
	(void)strlcpy(r->note, fresh.note, sizeof(r->note));
	r->source = fresh.source;
	r->target = fresh.target;
	memcpy(r->n, fresh.n, sizeof(r->n));
	r->serial = c->serial;
	return (0);
}

unsigned
report_connected(void)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < CLIENTS_MAX; i++)
		n += ct.c[i].io.fd != -1 && ct.c[i].keepalive;
	return (n);
}

void
report_forget(const struct client *c)
{
	struct report *r, *next;
	size_t b;

	if (!c->keepalive)
		return;
	for (b = 0; b < REPORT_BUCKETS; b++)
		SLIST_FOREACH_SAFE(r, &buckets[b], entry, next)
			if (r->serial == c->serial) {
				SLIST_REMOVE(&buckets[b], r, report, entry);
				free(r);
				nreports--;
			}
}

static uint64_t
thousandths(uint64_t n)
{
	return (n > 1000 ? 1000 : n);
}

static void
report_json(struct client *c, const struct report *r)
{
	uint64_t sent = r->n[N_SENT], lost = r->n[N_LOST];
	struct json j;
	size_t i;

	json_begin(&j);
	json_str(&j, "kind", "keepalive");
	json_str(&j, "tunnel", r->tunnel);
	json_addr(&j, "source", &r->source);
	json_addr(&j, "target", &r->target);
	json_str(&j, "state", r->state);
	json_u64(&j, "since_ms", (uint64_t)mono_diff_us(mono_now(), r->since) /
	    1000);
	for (i = 0; i < N_NUMBERS; i++)
		json_u64(&j, number_names[i], r->n[i]);
	if (lost > sent)
		lost = sent;
	json_tenth(&j, "loss_percent", sent == 0 ? 0 :
	    sent < UINT64_MAX / 2000 ? (lost * 1000 + sent / 2) / sent :
	    lost / (sent / 1000));
	json_tenth(&j, "loss_1m_percent", thousandths(r->n[N_LOSS1M]));
	json_tenth(&j, "loss_15m_percent", thousandths(r->n[N_LOSS15M]));
	json_tenth(&j, "loss_1h_percent", thousandths(r->n[N_LOSS1H]));
	json_str(&j, "note", r->note);
	client_line(c, &j);
}

/*
 * All at once: the table is small next to what a client may leave unread, unless there
 * are hundreds of watched tunnels; then the bucket is where the next slice begins.
 */
void
report_show(struct client *c)
{
	struct report *r;

	while (c->io.fd != -1 && c->cursor < REPORT_BUCKETS) {
		if (client_unread(c) >= OUT_HIGH)
			return;
		SLIST_FOREACH(r, &buckets[c->cursor], entry) {
			report_json(c, r);
			if (c->io.fd == -1)
				return;
		}
		c->cursor++;
	}
	c->cursor = UINT64_MAX;		/* done */
}
