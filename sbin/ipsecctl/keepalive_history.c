/* SPDX-License-Identifier: ISC */
/* show keepalive -v: everything netwatchd knows of a target, and its last hour. */

#include <err.h>
#include <stdio.h>
#include <string.h>

#include "keepalive.h"
#include "print.h"
#include "show.h"

#define MINUTES	60

/* netwatchd walks its targets in the same order each time; some may have come or gone. */
static json_t *
find(const json_t *array, const char *tunnel, size_t *next)
{
	size_t i, n = json_array_size(array);
	json_t *o;

	for (i = 0; i < n; i++) {
		o = json_array_get(array, (*next + i) % n);
		if (strcmp(field_str(o, "tunnel"), tunnel) == 0) {
			*next = (*next + i + 1) % n;
			return (o);
		}
	}
	return (NULL);
}

int
keepalive_history(struct client *c, json_t *array, const char *name,
    char errtext[CLIENT_ERRLEN])
{
	char line[CLIENT_CMDMAX];
	json_t *hist, *h, *k;
	size_t i, next = 0;
	int refused;

	(void)snprintf(line, sizeof(line), name != NULL ? "show history \"%s\"" :
	    "show history", name);
	if ((hist = query(c, line, &refused, errtext, NULL)) == NULL)
		return (-1);
	for (i = 0; i < json_array_size(hist); i++) {
		h = json_array_get(hist, i);
		if ((k = find(array, field_str(h, "tunnel"), &next)) == NULL)
			continue;
		if (json_object_set(k, "history_sent",
		    json_object_get(h, "sent")) == -1 ||
		    json_object_set(k, "history_lost",
		    json_object_get(h, "lost")) == -1)
			continue;	/* what is not there is not shown */
	}
	json_decref(hist);
	return (0);
}

static double
percent(const json_t *k, const char *key)
{
	return (json_number_value(json_object_get(k, key)));
}

/* A minute's losses: none, so many tenths (at least), all; blank: nothing was sent. */
static char
mark(json_int_t sent, json_int_t lost)
{
	if (sent <= 0)
		return (' ');
	if (lost <= 0)
		return ('.');
	if (lost >= sent)
		return ('#');
	return ((char)('0' + (lost * 10 < sent ? 1 : lost * 10 / sent)));
}

static void
print_history(FILE *f, const json_t *k)
{
	const json_t *sent = json_object_get(k, "history_sent");
	const json_t *lost = json_object_get(k, "history_lost");
	char strip[MINUTES + 1];
	size_t i, n = json_array_size(sent);

	if (n == 0 || n > MINUTES || n != json_array_size(lost))
		return;
	for (i = 0; i < n; i++)		/* the last minute on the right */
		strip[n - 1 - i] = mark(json_integer_value(json_array_get(sent,
		    i)), json_integer_value(json_array_get(lost, i)));
	strip[n] = '\0';
	(void)fprintf(f, "    lost in the last hour, by minute: |%s| now\n",
	    strip);
}

static void
print_one(FILE *f, const json_t *k)
{
	static const struct {
		const char *word, *key;
	} rtt[] = { { "last", "rtt_us" }, { "least", "rtt_min_us" },
	    { "mean", "rtt_avg_us" }, { "p50", "rtt_p50_us" },
	    { "p90", "rtt_p90_us" }, { "p99", "rtt_p99_us" },
	    { "longest", "rtt_max_us" }, { "jitter", "jitter_us" } };
	char buf[CELL_MAX], every[24];
	size_t i;

	(void)fprintf(f, "\n%s:\n", print_clean(buf, sizeof(buf),
	    field_str(k, "tunnel")));
	(void)fprintf(f, "    verdict %s, a probe every %s\n", print_clean(buf,
	    sizeof(buf), field_str(k, "verdict")), print_ms(every, sizeof(every),
	    field_num(k, "interval_ms")));
	(void)fprintf(f, "    round trip:");
	for (i = 0; i < sizeof(rtt) / sizeof(rtt[0]); i++)
		(void)fprintf(f, "%s %s %s", i > 0 ? "," : "", rtt[i].word,
		    print_us(buf, sizeof(buf), field_num(k, rtt[i].key)));
	(void)fprintf(f, "\n    %llu sent, %llu answered, %llu lost, %llu late "
	    "(lost at first, and answered after all)\n",
	    (unsigned long long)field_num(k, "sent"),
	    (unsigned long long)field_num(k, "received"),
	    (unsigned long long)field_num(k, "lost"),
	    (unsigned long long)field_num(k, "late"));
	(void)fprintf(f, "    loss: %.1f%% in a minute, %.1f%% in 15, %.1f%% in "
	    "an hour\n", percent(k, "loss_1m_percent"),
	    percent(k, "loss_15m_percent"), percent(k, "loss_1h_percent"));
	if (field_num(k, "pmtu") != 0)
		(void)fprintf(f, "    packets up to %llu octets pass, TCP "
		    "segments up to %llu\n",
		    (unsigned long long)field_num(k, "pmtu"),
		    (unsigned long long)field_num(k, "mss"));
	print_history(f, k);
}

void
keepalive_print(FILE *f, const json_t *array)
{
	size_t i;

	show_keepalive(f, array);
	for (i = 0; i < json_array_size(array); i++)
		print_one(f, json_array_get(array, i));
}
