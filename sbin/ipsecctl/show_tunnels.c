/* SPDX-License-Identifier: ISC */
/* The table of tunnels: each with its state in words. */

#include <string.h>

#include "print.h"
#include "show.h"

static void
connecting(const json_t *t, char *dst, size_t cap)
{
	char since[24];
	uint64_t tries = field_num(t, "tries");
	const char *what = field_str(t, "wait_for");
	int n;

	n = snprintf(dst, cap, "connecting: waiting for %s since %s",
	    what[0] != '\0' ? what : "the peer",
	    print_ms(since, sizeof(since), field_num(t, "since_ms")));
	if (tries > 0 && n > 0 && (size_t)n < cap)
		(void)snprintf(dst + n, cap - (size_t)n, ", try %llu",
		    (unsigned long long)tries);
}

char *
show_icmp_words(const json_t *t, char dst[ICMP_WORDS])
{
	const char *what = field_str(t, "icmp");
	char ago[24];

	dst[0] = '\0';
	if (what[0] != '\0')
		(void)snprintf(dst, ICMP_WORDS, "ICMP %s, says %s %s ago", what,
		    field_str(t, "icmp_by"), print_ms(ago, sizeof(ago),
		    field_num(t, "icmp_ms")));
	return (dst);
}

static void
with_error(const char *error, const char *words, char *dst, size_t cap)
{
	if (error[0] != '\0')
		(void)snprintf(dst, cap, "%s (last: %s)", words, error);
	else
		(void)snprintf(dst, cap, "%s", words);
}

void
show_tunnel_words(const json_t *t, char *dst, size_t cap)
{
	const char *state = field_str(t, "state");
	const char *last = field_str(t, "error");
	char ms[24], words[160], heard[ICMP_WORDS], error[CELL_MAX];

	(void)show_icmp_words(t, heard);
	(void)snprintf(error, sizeof(error), "%s%s%s", last, last[0] != '\0' &&
	    heard[0] != '\0' ? "; " : "", heard);
	if (strcmp(state, "up") == 0) {
		(void)snprintf(words, sizeof(words), "up %s", print_ms(ms, sizeof(ms),
		    field_num(t, "since_ms")));
		with_error(error, words, dst, cap);
	} else if (strcmp(state, "ondemand") == 0)
		with_error(error, "on demand, waiting for traffic", dst, cap);
	else if (strcmp(state, "passive") == 0)
		with_error(error, "passive, waiting for the peer", dst, cap);
	else if (strcmp(state, "connecting") == 0) {
		connecting(t, words, sizeof(words));
		with_error(error, words, dst, cap);
	} else if (strcmp(state, "backoff") == 0)
		(void)snprintf(dst, cap, "down: %s; next try in %s",
		    error[0] != '\0' ? error : "no reason known",
		    print_ms(ms, sizeof(ms), field_num(t, "next_ms")));
	else if (strcmp(state, "down") == 0)
		(void)snprintf(dst, cap, "down: %s", error[0] != '\0' ? error :
		    "by command");
	else
		(void)snprintf(dst, cap, "%s", state);
}

void
show_tunnels(FILE *f, const json_t *array)
{
	static const char *const head[] = { "TUNNEL", "LOCAL", "REMOTE", "FROM",
	    "TO", "SPI-IN", "SPI-OUT", "WOKEN-BY", "STATE" };
	static const char *const spare[] = { "WOKEN-BY", "SPI-IN", "SPI-OUT",
	    "LOCAL", "FROM", NULL };
	struct table *tab = table_new(head, sizeof(head) / sizeof(head[0]));
	char buf[CELL_MAX];
	const json_t *t;
	size_t i;

	for (i = 0; i < json_array_size(array); i++) {
		t = json_array_get(array, i);
		table_cell(tab, field_str(t, "tunnel"));
		table_cell(tab, field_str(t, "local"));
		table_cell(tab, field_str(t, "remote"));
		table_cell(tab, field_list(t, "from", buf, sizeof(buf)));
		table_cell(tab, field_list(t, "to", buf, sizeof(buf)));
		table_cell(tab, field_str(t, "spi_in"));
		table_cell(tab, field_str(t, "spi_out"));
		table_cell(tab, strcmp(field_str(t, "wake"), "none") == 0 ?
		    "-" : field_str(t, "wake"));
		show_tunnel_words(t, buf, sizeof(buf));
		table_cell(tab, buf);
	}
	table_spare(tab, spare);
	table_print(tab, f);
}
