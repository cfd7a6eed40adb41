/* SPDX-License-Identifier: ISC */
/*
 * OpenMetrics 1.0 of iked: a family at a time, all tunnels in it.  Every configured
 * tunnel is there, also one that is down: an alarm must not depend on what is gone.
 */

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"
#include "print.h"
#include "show.h"

#define PREFIX		"ikeep_"

static const char *const states[] = { "up", "ondemand", "passive",
	"connecting", "backoff", "down" };

/* A label's value, quotes included; there are no line feeds in it. */
static void
label(FILE *f, const char *value)
{
	char clean[CELL_MAX];
	const char *s;

	(void)fputc('"', f);
	for (s = print_clean(clean, sizeof(clean), value); *s != '\0'; s++) {
		if (*s == '\\' || *s == '"')
			(void)fputc('\\', f);
		(void)fputc(*s, f);
	}
	(void)fputc('"', f);
}

static void
head(FILE *f, const char *name, const char *type, const char *unit,
    const char *help)
{
	(void)fprintf(f, "# TYPE " PREFIX "%s %s\n", name, type);
	if (unit != NULL)
		(void)fprintf(f, "# UNIT " PREFIX "%s %s\n", name, unit);
	(void)fprintf(f, "# HELP " PREFIX "%s %s\n", name, help);
}

static void
sample(FILE *f, const char *name, const json_t *o)
{
	(void)fprintf(f, PREFIX "%s{tunnel=", name);
	label(f, field_str(o, "tunnel"));
}

static void
infos(FILE *f, const json_t *tunnels)
{
	const json_t *t;
	size_t i;

	head(f, "tunnel", "info", NULL, "A configured tunnel.");
	for (i = 0; i < json_array_size(tunnels); i++) {
		t = json_array_get(tunnels, i);
		sample(f, "tunnel_info", t);
		(void)fputs(",mode=", f);
		label(f, field_str(t, "mode"));
		(void)fputs(",local=", f);
		label(f, field_str(t, "local"));
		(void)fputs(",remote=", f);
		label(f, field_str(t, "remote"));
		(void)fputs("} 1\n", f);
	}
}

static void
ups(FILE *f, const json_t *tunnels)
{
	const json_t *t;
	size_t i, s;

	head(f, "tunnel_up", "gauge", NULL, "1 while a Child SA is installed.");
	for (i = 0; i < json_array_size(tunnels); i++) {
		t = json_array_get(tunnels, i);
		sample(f, "tunnel_up", t);
		(void)fprintf(f, "} %d\n",
		    strcmp(field_str(t, "state"), "up") == 0);
	}
	head(f, "tunnel_state", "stateset", NULL, "What iked says of the tunnel.");
	for (i = 0; i < json_array_size(tunnels); i++)
		for (s = 0; s < sizeof(states) / sizeof(states[0]); s++) {
			t = json_array_get(tunnels, i);
			sample(f, "tunnel_state", t);
			(void)fprintf(f, "," PREFIX "tunnel_state=\"%s\"} %d\n",
			    states[s], strcmp(field_str(t, "state"), states[s]) == 0);
		}
}

/* A number of each object; in seconds where it comes in milliseconds. */
static void
numbers(FILE *f, const json_t *array, const char *name, const char *key,
    const char *help)
{
	int ms = strlen(key) > 3 && strcmp(key + strlen(key) - 3, "_ms") == 0;
	unsigned long long n;
	const json_t *o;
	size_t i;

	head(f, name, "gauge", ms ? "seconds" : NULL, help);
	for (i = 0; i < json_array_size(array); i++) {
		o = json_array_get(array, i);
		n = field_num(o, key);
		sample(f, name, o);
		if (ms)
			(void)fprintf(f, "} %llu.%03llu\n", n / 1000, n % 1000);
		else
			(void)fprintf(f, "} %llu\n", n);
	}
}

/* Of the SAs in use; those of one tunnel may be several, and go back at a rekey: gauges
 * would do, but rate() is what people want. */
static void
traffic(FILE *f, const json_t *tunnels, const char *name, const char *in,
    const char *out, const char *unit, const char *help)
{
	char full[64];
	const json_t *t;
	size_t i;

	head(f, name, "counter", unit, help);
	(void)snprintf(full, sizeof(full), "%s_total", name);
	for (i = 0; i < json_array_size(tunnels); i++) {
		t = json_array_get(tunnels, i);
		sample(f, full, t);
		(void)fprintf(f, ",direction=\"in\"} %llu\n",
		    (unsigned long long)field_num(t, in));
		sample(f, full, t);
		(void)fprintf(f, ",direction=\"out\"} %llu\n",
		    (unsigned long long)field_num(t, out));
	}
}

/* The SAs that traffic goes through: what rekeying replaced has no time of its own. */
static json_t *
current(const json_t *sas)
{
	json_t *list = json_array(), *seen = json_object(), *o;
	const char *state, *name;
	size_t i;

	if (list == NULL || seen == NULL)
		err(1, NULL);
	for (i = 0; i < json_array_size(sas); i++) {
		o = json_array_get(sas, i);
		state = field_str(o, "state");
		if (strcmp(state, "installed") != 0 && strcmp(state, "rekeying") != 0)
			continue;
		/* a second Child of the tunnel would be the same series again */
		name = field_str(o, "tunnel");
		if (json_object_get(seen, name) != NULL)
			continue;
		if (json_object_set_new(seen, name, json_true()) == -1 ||
		    json_array_append(list, o) == -1)
			err(1, NULL);
	}
	json_decref(seen);
	return (list);
}

static void
counters(FILE *f, const json_t *stats)
{
	static const char *const gauges[] = { "half_open", "ike_sas", "child_sas" };
	const json_t *o = json_array_get(stats, 0);
	const char *key;
	json_t *v;
	size_t i;
	int gauge;

	json_object_foreach((json_t *)(uintptr_t)o, key, v) {
		if (!json_is_integer(v) || strncmp(key, "why_", 4) == 0)
			continue;
		for (i = gauge = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
			gauge |= strcmp(key, gauges[i]) == 0;
		head(f, key, gauge ? "gauge" : "counter", NULL,
		    "See iked.control(5), stats.");
		(void)fprintf(f, PREFIX "%s%s %lld\n", key, gauge ? "" : "_total",
		    (long long)json_integer_value(v));
	}
}

/* Lines of the log by the words of iked.reasons(7). */
static void
reasons(FILE *f, const json_t *stats)
{
	const json_t *o = json_array_get(stats, 0);
	const char *key;
	char word[64], *p;
	json_t *v;

	head(f, "events", "counter", NULL, "Lines of the log by reason; see "
	    "iked.reasons(7).");
	json_object_foreach((json_t *)(uintptr_t)o, key, v) {
		if (!json_is_integer(v) || strncmp(key, "why_", 4) != 0)
			continue;
		(void)strlcpy(word, key + 4, sizeof(word));
		for (p = word; *p != '\0'; p++)
			if (*p == '_')
				*p = '-';
		(void)fputs(PREFIX "events_total{reason=", f);
		label(f, word);
		(void)fprintf(f, "} %lld\n", (long long)json_integer_value(v));
	}
}

void
metrics_print(FILE *f, const json_t *tunnels, const json_t *sas,
    const json_t *stats)
{
	json_t *now = current(sas);

	infos(f, tunnels);
	ups(f, tunnels);
	numbers(f, tunnels, "tunnel_state_age_seconds", "since_ms",
	    "How long it has been in that state.");
	numbers(f, tunnels, "tunnel_tries", "tries",
	    "Tries of the request that waits, or of connections so far.");
	numbers(f, tunnels, "tunnel_next_try_seconds", "next_ms",
	    "Until the next try, in state backoff.");
	traffic(f, tunnels, "tunnel_bytes", "bytes_in", "bytes_out", "bytes",
	    "Octets on the SA in use; starts anew with each SA.");
	traffic(f, tunnels, "tunnel_packets", "packets_in", "packets_out", NULL,
	    "Packets on the SA in use; starts anew with each SA.");
	numbers(f, now, "sa_age_seconds", "age_ms", "Since the SA was made.");
	numbers(f, now, "sa_rekey_seconds", "rekey_in_ms",
	    "Until we rekey it; 0: not by us.");
	counters(f, stats);
	reasons(f, stats);
	(void)fputs("# EOF\n", f);
	json_decref(now);
}

int
metrics(struct client *c, FILE *f, char errtext[CLIENT_ERRLEN])
{
	static const char *const commands[3] = { "show tunnels", "show sa",
		"show stats" };
	json_t *a[3] = { NULL, NULL, NULL };
	size_t i;
	int refused, rv = 0;

	for (i = 0; i < 3 && rv == 0; i++)
		if ((a[i] = query(c, commands[i], &refused, errtext, NULL)) == NULL)
			rv = -1;
	if (rv == 0)
		metrics_print(f, a[0], a[1], a[2]);
	for (i = 0; i < 3; i++)
		json_decref(a[i]);
	return (rv);
}
