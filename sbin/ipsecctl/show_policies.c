/* SPDX-License-Identifier: ISC */
/* The table of the kernel's policies that are ours. */

#include "print.h"
#include "show.h"

void
show_policies(FILE *f, const json_t *array)
{
	static const char *const head[] = { "TUNNEL", "DIR", "SRC", "DST",
	    "LOCAL", "REMOTE", "REQID", "PRIO", "BACKEND", "INSTALLED" };
	static const char *const spare[] = { "BACKEND", "PRIO", "LOCAL", "REQID",
	    NULL };
	struct table *tab = table_new(head, sizeof(head) / sizeof(head[0]));
	const json_t *p;
	size_t i;

	for (i = 0; i < json_array_size(array); i++) {
		p = json_array_get(array, i);
		table_cell(tab, field_str(p, "tunnel"));
		table_cell(tab, field_str(p, "dir"));
		table_cell(tab, field_str(p, "src"));
		table_cell(tab, field_str(p, "dst"));
		table_cell(tab, field_str(p, "local"));
		table_cell(tab, field_str(p, "remote"));
		table_num(tab, field_num(p, "reqid"));
		table_num(tab, field_num(p, "prio"));
		table_cell(tab, field_str(p, "backend"));
		table_cell(tab, field_true(p, "installed") ? "yes" : "no");
	}
	table_spare(tab, spare);
	table_print(tab, f);
}
