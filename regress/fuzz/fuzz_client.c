/* SPDX-License-Identifier: ISC */
/*
 * The control client's line reader: fed in pieces whose sizes come from
 * the input, it gives the same objects as fed in one go, and never holds more than
 * one line's octets.  What it gives is put through the printers.
 */

#include <stdlib.h>
#include <string.h>

#include "proc/client.h"
#include "sbin/ipsecctl/show.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define OBJS	256

struct run {
	size_t	 n;
	int	 broken;
	char	*text[OBJS];
};

static void
drain(struct client_reader *r, struct run *run)
{
	json_t *o;
	int rv;

	while ((rv = client_reader_next(r, &o)) == 1) {
		if (run->n < OBJS)
			run->text[run->n++] = json_dumps(o, JSON_COMPACT);
		json_decref(o);
	}
	if (rv == -1)
		run->broken = 1;
}

static void
feed(const uint8_t *data, size_t len, size_t piece, struct run *run)
{
	struct client_reader r;
	size_t off = 0, n;

	client_reader_init(&r);
	while (off < len && !run->broken) {
		n = len - off < piece ? len - off : piece;
		n = client_reader_feed(&r, data + off, n);
		off += n;
		drain(&r, run);
		if (n == 0 && !run->broken)
			abort();	/* no progress and no verdict */
	}
}

static void
print(const struct run *run)
{
	json_t *array = json_array(), *o;
	FILE *f = fopen("/dev/null", "w");
	size_t i;

	if (f == NULL || array == NULL)
		abort();
	for (i = 0; i < run->n; i++)
		if ((o = json_loads(run->text[i], 0, NULL)) != NULL)
			(void)json_array_append_new(array, o);
	for (i = 0; i < SHOW_NWHATS; i++)
		show_whats[i].table(f, array);
	json_decref(array);
	(void)fclose(f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct run whole = { 0 }, parts = { 0 };
	size_t i, piece = len > 0 ? 1 + data[len - 1] : 1;

	feed(data, len, len + 1, &whole);
	feed(data, len, piece, &parts);
	if (whole.n != parts.n || whole.broken != parts.broken)
		abort();
	for (i = 0; i < whole.n; i++)
		if (whole.text[i] == NULL || parts.text[i] == NULL ||
		    strcmp(whole.text[i], parts.text[i]) != 0)
			abort();
	if (whole.n > 0)
		print(&whole);
	for (i = 0; i < whole.n; i++) {
		free(whole.text[i]);
		free(parts.text[i]);
	}
	return (0);
}
