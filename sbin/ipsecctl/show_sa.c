/* SPDX-License-Identifier: ISC */
/* The table of Child SAs, both directions on one line.  Never a key. */

#include <string.h>

#include "print.h"
#include "show.h"

static void
duration(struct table *tab, const json_t *s, const char *key)
{
	char ms[24];
	const json_t *v = json_object_get(s, key);

	if (!json_is_integer(v) || json_integer_value(v) == 0)
		table_cell(tab, "-");
	else
		table_cell(tab, print_ms(ms, sizeof(ms), field_num(s, key)));
}

/* What people look for first: packets go out, none ever came in. */
static const char *
remark(const json_t *s)
{
	uint64_t in = field_num(s, "packets_in");
	uint64_t out = field_num(s, "packets_out");

	if (out > 0 && in == 0)
		return (", sends but has never received");
	if (in > 0 && out == 0)
		return (", receives but has never sent");
	return ("");
}

void
show_sa(FILE *f, const json_t *array)
{
	static const char *const head[] = { "TUNNEL", "SPI-IN", "SPI-OUT",
	    "LOCAL", "REMOTE", "FROM", "TO", "PKTS-IN", "PKTS-OUT", "BYTES-IN",
	    "BYTES-OUT", "AGE", "REKEY", "EXPIRES", "STATE" };
	static const char *const spare[] = { "LOCAL", "FROM", "REMOTE", "TO",
	    "EXPIRES", "SPI-IN", "SPI-OUT", "PKTS-IN", "PKTS-OUT", NULL };
	struct table *tab = table_new(head, sizeof(head) / sizeof(head[0]));
	char buf[CELL_MAX];
	const json_t *s;
	size_t i;

	for (i = 0; i < json_array_size(array); i++) {
		s = json_array_get(array, i);
		table_cell(tab, field_str(s, "tunnel"));
		table_cell(tab, field_str(s, "spi_in"));
		table_cell(tab, field_str(s, "spi_out"));
		table_cell(tab, field_str(s, "local"));
		table_cell(tab, field_str(s, "remote"));
		table_cell(tab, field_list(s, "tsl", buf, sizeof(buf)));
		table_cell(tab, field_list(s, "tsr", buf, sizeof(buf)));
		table_num(tab, field_num(s, "packets_in"));
		table_num(tab, field_num(s, "packets_out"));
		table_num(tab, field_num(s, "bytes_in"));
		table_num(tab, field_num(s, "bytes_out"));
		duration(tab, s, "age_ms");
		duration(tab, s, "rekey_in_ms");
		duration(tab, s, "expires_in_ms");
		(void)snprintf(buf, sizeof(buf), "%s, %s%s%s",
		    field_str(s, "state"), field_str(s, "suite"),
		    field_true(s, "encap") ? ", in UDP" : "", remark(s));
		table_cell(tab, buf);
	}
	table_spare(tab, spare);
	table_print(tab, f);
}
