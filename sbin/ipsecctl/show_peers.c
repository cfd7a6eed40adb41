/* SPDX-License-Identifier: ISC */
/* The table of peers: IKE SAs, and configured peers without one. */

#include <string.h>

#include "print.h"
#include "show.h"

static void
address(struct table *tab, const json_t *p, const char *key,
    const char *portkey)
{
	char buf[CELL_MAX];
	const char *a = field_str(p, key);
	unsigned long long port = field_num(p, portkey);

	/* 500 goes without saying. */
	if (port == 0 || port == 500)
		(void)snprintf(buf, sizeof(buf), "%s", a);
	else if (strchr(a, ':') != NULL)
		(void)snprintf(buf, sizeof(buf), "[%s]:%llu", a, port);
	else
		(void)snprintf(buf, sizeof(buf), "%s:%llu", a, port);
	table_cell(tab, buf);
}

static void
state(struct table *tab, const json_t *p)
{
	char buf[CELL_MAX], ms[24];
	const char *suite = field_str(p, "suite");
	const char *words = field_str(p, "state");

	(void)snprintf(buf, sizeof(buf), "%s%s %s%s%s",
	    words[0] != '\0' ? words : "?",
	    strncmp(words, "waiting", 7) == 0 ? " since" : "",
	    print_ms(ms, sizeof(ms), field_num(p, "since_ms")),
	    suite[0] != '\0' ? ", " : "", suite);
	table_cell(tab, buf);
}

void
show_peers(FILE *f, const json_t *array)
{
	static const char *const head[] = { "LOCAL", "REMOTE", "SRCID", "DSTID",
	    "SIDE", "SPII", "SPIR", "NAT", "CHILDREN", "SEEN", "REKEY",
	    "STATE" };
	static const char *const spare[] = { "SPII", "SPIR", "SIDE", "SRCID",
	    "LOCAL", "CHILDREN", "NAT", "REKEY", "DSTID", NULL };
	struct table *tab = table_new(head, sizeof(head) / sizeof(head[0]));
	char ms[24];
	const json_t *p;
	uint64_t rekey;
	size_t i;
	int up;

	for (i = 0; i < json_array_size(array); i++) {
		p = json_array_get(array, i);
		up = field_true(p, "established");
		address(tab, p, "local", "local_port");
		address(tab, p, "remote", "remote_port");
		table_cell(tab, field_str(p, "srcid"));
		table_cell(tab, field_str(p, "dstid"));
		table_cell(tab, strcmp(field_str(p, "side"), "none") == 0 ?
		    "-" : field_str(p, "side"));
		table_cell(tab, field_str(p, "spii"));
		table_cell(tab, field_str(p, "spir"));
		table_cell(tab, up ? field_str(p, "natt") : "-");
		table_num(tab, field_num(p, "children"));
		table_cell(tab, up ? print_ms(ms, sizeof(ms), field_num(p,
		    "last_seen_ms")) : "-");
		rekey = field_num(p, "rekey_in_ms");
		table_cell(tab, rekey > 0 ? print_ms(ms, sizeof(ms), rekey) :
		    "-");
		state(tab, p);
	}
	table_spare(tab, spare);
	table_print(tab, f);
}
