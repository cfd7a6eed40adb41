/* SPDX-License-Identifier: ISC */
/* What netwatchd knows, and the daemon's counters. */

#include <string.h>

#include "print.h"
#include "show.h"

static void
loss(struct table *tab, const json_t *k)
{
	char buf[32];

	if (field_num(k, "sent") == 0)
		table_cell(tab, "-");
	else {
		(void)snprintf(buf, sizeof(buf), "%.1f%%",
		    json_number_value(json_object_get(k, "loss_percent")));
		table_cell(tab, buf);
	}
}

static const char *
words(const char *state)
{
	if (strcmp(state, "no-source") == 0)
		return ("no source");
	if (strcmp(state, "local-miss") == 0)
		return ("local miss");
	return (state);
}

/* How long ago, or for how long; nothing is known of what is not there. */
static void
ago(struct table *tab, const json_t *k, const char *key)
{
	char buf[24];

	if (json_object_get(k, key) == NULL)
		table_cell(tab, "-");
	else
		table_cell(tab, print_ms(buf, sizeof(buf), field_num(k, key)));
}

void
show_keepalive(FILE *f, const json_t *array)
{
	static const char *const head[] = { "TUNNEL", "STATE", "SINCE",
	    "SOURCE -> TARGET", "RTT", "MIN", "P50", "P99", "LOSS", "SENT" };
	static const char *const rtts[] = { "rtt_us", "rtt_min_us",
	    "rtt_p50_us", "rtt_p99_us" };
	static const char *const spare[] = { "MIN", "P50", "SENT", NULL };
	struct table *tab = table_new(head, sizeof(head) / sizeof(head[0]));
	char buf[CELL_MAX];
	const json_t *k;
	size_t i, r;

	for (i = 0; i < json_array_size(array); i++) {
		k = json_array_get(array, i);
		table_cell(tab, field_str(k, "tunnel"));
		table_cell(tab, words(field_str(k, "state")));
		ago(tab, k, "since_ms");
		(void)snprintf(buf, sizeof(buf), "%s -> %s",
		    field_str(k, "source"), field_str(k, "target"));
		table_cell(tab, buf);
		for (r = 0; r < 4; r++)
			table_cell(tab, print_us(buf, sizeof(buf),
			    field_num(k, rtts[r])));
		loss(tab, k);
		table_num(tab, field_num(k, "sent"));
		table_note(tab, field_str(k, "note"));
	}
	table_spare(tab, spare);
	table_print(tab, f);
}

void
show_stats(FILE *f, const json_t *array)
{
	static const char *const head[] = { "COUNTER", "VALUE" };
	struct table *tab = table_new(head, 2);
	const char *key;
	json_t *v, *o;
	char buf[CELL_MAX];
	size_t i;

	for (i = 0; i < json_array_size(array); i++) {
		o = json_array_get(array, i);
		json_object_foreach(o, key, v) {
			/* reasons: those that there were */
			if (strcmp(key, "kind") == 0 || (strncmp(key, "why_", 4) == 0 &&
			    json_integer_value(v) == 0))
				continue;
			(void)snprintf(buf, sizeof(buf), "%s", key);
			table_cell(tab, buf);
			if (json_is_integer(v))
				table_num(tab, (uint64_t)json_integer_value(v));
			else
				table_cell(tab, field_str(o, key));
		}
	}
	table_print(tab, f);
}
