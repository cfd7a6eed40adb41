/* SPDX-License-Identifier: ISC */
/* What a reload would do, and whether the file loads at all. */

#include <string.h>

#include "print.h"
#include "show.h"

/* How the change is made, for those whose tunnel carries something. */
static const char *
effect(const json_t *o, const char *change)
{
	if (strcmp(change, "kept") == 0)
		return ("SAs and counters stay");
	if (strcmp(change, "added") == 0)
		return ("new");
	if (!field_true(o, "up"))
		return ("no SA to change");
	if (strcmp(change, "renegotiated") == 0)
		return ("new SAs, then the old ones go");
	return (strcmp(change, "removed") == 0 ? "SAs are deleted" :
	    "SAs are deleted, then made anew");
}

/* Of a thousand tunnels the ten that matter; -j has them all. */
void
show_plan(FILE *f, const json_t *array)
{
	static const char *const head[] = { "TUNNEL", "CHANGE", "WHAT", "EFFECT" };
	static const char *const kinds[] = { "kept", "renegotiated", "replaced",
	    "added", "removed" };
	size_t n[sizeof(kinds) / sizeof(kinds[0])] = { 0 }, i, k;
	struct table *tab = NULL;
	const char *change;
	const json_t *o;

	for (i = 0; i < json_array_size(array); i++) {
		o = json_array_get(array, i);
		if (strcmp(field_str(o, "kind"), "plan") != 0)
			continue;
		change = field_str(o, "change");
		for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			n[k] += strcmp(change, kinds[k]) == 0;
		if (strcmp(change, "kept") == 0 && *field_str(o, "fields") == '\0')
			continue;
		if (tab == NULL)
			tab = table_new(head, sizeof(head) / sizeof(head[0]));
		table_cell(tab, field_str(o, "tunnel"));
		table_cell(tab, change);
		table_cell(tab, field_str(o, "fields"));
		table_cell(tab, effect(o, change));
	}
	if (tab != NULL)
		table_print(tab, f);
	for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		(void)fprintf(f, "%s%zu %s", k > 0 ? ", " : "", n[k], kinds[k]);
	(void)fprintf(f, "; nothing was changed\n");
}

void
show_conf(FILE *f, const json_t *array)
{
	char text[CELL_MAX], file[CELL_MAX], ms[24];
	const json_t *o = json_array_get(array, 0);
	unsigned long long line = field_num(o, "line");

	(void)print_ms(ms, sizeof(ms), field_num(o, "since_ms"));
	if (field_true(o, "loads")) {
		(void)fprintf(f, "configuration: the file loads (read %s ago)\n", ms);
		return;
	}
	(void)fprintf(f, "configuration: the file does not load (read %s ago), an older "
	    "one is in use: %s", ms,
	    print_clean(file, sizeof(file), field_str(o, "file")));
	if (line != 0)
		(void)fprintf(f, ":%llu:%llu", line,
		    (unsigned long long)field_num(o, "col"));
	(void)fprintf(f, ": %s\n", print_clean(text, sizeof(text), field_str(o, "text")));
}
