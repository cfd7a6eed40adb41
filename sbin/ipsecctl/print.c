/* SPDX-License-Identifier: ISC */
/* Words and tables for a person. */

#include <sys/ioctl.h>

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "print.h"

/*
 * jansson gives valid UTF-8 only, so a C1 control (U+0080 to U+009F, some
 * terminals obey them) is 0xc2 and one octet below 0xa0.
 */
char *
print_clean(char *dst, size_t cap, const char *src)
{
	const unsigned char *s = (const unsigned char *)src;
	size_t n = 0;

	for (; *s != '\0' && n + 1 < cap; s++) {
		if (*s < 0x20 || *s == 0x7f)
			dst[n++] = '?';
		else if (s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0) {
			dst[n++] = '?';
			s++;
		} else
			dst[n++] = (char)*s;
	}
	dst[n] = '\0';
	return (dst);
}

size_t
print_width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return (n);
}

char *
print_ms(char *dst, size_t cap, uint64_t ms)
{
	unsigned long long s = ms / 1000;

	if (ms < 1000)
		(void)snprintf(dst, cap, "%llums", (unsigned long long)ms);
	else if (s < 60)
		(void)snprintf(dst, cap, "%llus", s);
	else if (s < 3600)
		(void)snprintf(dst, cap, "%llum%02llus", s / 60, s % 60);
	else if (s < 86400)
		(void)snprintf(dst, cap, "%lluh%02llum", s / 3600,
		    s / 60 % 60);
	else
		(void)snprintf(dst, cap, "%llud%02lluh", s / 86400,
		    s / 3600 % 24);
	return (dst);
}

char *
print_us(char *dst, size_t cap, uint64_t us)
{
	if (us == 0)
		(void)snprintf(dst, cap, "-");
	else
		(void)snprintf(dst, cap, "%llu.%llums",
		    (unsigned long long)us / 1000,
		    (unsigned long long)us % 1000 / 100);
	return (dst);
}

uint64_t
field_num(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return (n < 0 ? 0 : (uint64_t)n);
}

const char *
field_str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return (s != NULL ? s : "");
}

int
field_true(const json_t *o, const char *key)
{
	return (json_is_true(json_object_get(o, key)));
}

char *
field_list(const json_t *o, const char *key, char *dst, size_t cap)
{
	const json_t *a = json_object_get(o, key), *e;
	size_t i, n = 0;
	int r;

	(void)snprintf(dst, cap, "-");
	for (i = 0; i < json_array_size(a) && n < cap; i++) {
		e = json_array_get(a, i);
		r = snprintf(dst + n, cap - n, "%s%s", i > 0 ? "," : "",
		    json_is_string(e) ? json_string_value(e) : "?");
		n += r > 0 ? (size_t)r : 0;
	}
	return (dst);
}

struct table {
	const char *const	*head;
	size_t			 ncols, ncells, cap;
	char			**cells;
	const char *const	*spare;		/* NULL: none */
	char			**notes;	/* of each row; NULL: none */
	size_t			 nnotes;
};

struct table *
table_new(const char *const *head, size_t ncols)
{
	struct table *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		err(1, NULL);
	t->head = head;
	t->ncols = ncols;
	return (t);
}

void
table_cell(struct table *t, const char *s)
{
	char clean[CELL_MAX];
	void *p;

	(void)print_clean(clean, sizeof(clean), s[0] != '\0' ? s : "-");
	if (t->ncells == t->cap) {
		t->cap = t->cap == 0 ? 64 : t->cap * 2;
		if ((p = reallocarray(t->cells, t->cap,
		    sizeof(t->cells[0]))) == NULL)
			err(1, NULL);
		t->cells = p;
	}
	if ((t->cells[t->ncells++] = strdup(clean)) == NULL)
		err(1, NULL);
}

void
table_note(struct table *t, const char *s)
{
	char clean[CELL_MAX];
	size_t row = t->ncells / t->ncols;
	void *p;

	if (s[0] == '\0' || row == 0)
		return;
	if (row > t->nnotes) {
		if ((p = reallocarray(t->notes, row,
		    sizeof(t->notes[0]))) == NULL)
			err(1, NULL);
		t->notes = p;
		while (t->nnotes < row)
			t->notes[t->nnotes++] = NULL;
	}
	t->notes[row - 1] = strdup(print_clean(clean, sizeof(clean), s));
	if (t->notes[row - 1] == NULL)
		err(1, NULL);
}

void
table_num(struct table *t, uint64_t n)
{
	char buf[24];

	(void)snprintf(buf, sizeof(buf), "%llu", (unsigned long long)n);
	table_cell(t, buf);
}

#define LAST_MIN	24	/* so much of the last column has to be seen */

static unsigned window;		/* 0: any */

void
table_fit(unsigned cols)
{
	window = cols;
}

void
table_fit_fd(int fd)
{
	struct winsize ws;

	if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &ws) == 0)
		window = ws.ws_col;
}

void
table_spare(struct table *t, const char *const *heads)
{
	t->spare = heads;
}

/* Widths; those of columns that are hidden are 0. */
static size_t
total(const struct table *t, const size_t *width)
{
	size_t c, n = 0, last = width[t->ncols - 1];

	for (c = 0; c + 1 < t->ncols; c++)
		n += width[c] > 0 ? width[c] + 2 : 0;
	return (n + (last < LAST_MIN ? last : LAST_MIN));
}

static void
hide(const struct table *t, size_t *width, const char *head)
{
	size_t c;

	for (c = 0; c + 1 < t->ncols; c++)
		if (strcmp(t->head[c], head) == 0)
			width[c] = 0;
}

/* Gives how many of the spare columns had to go. */
static size_t
fit(const struct table *t, size_t *width)
{
	size_t n = 0;

	for (; window > 0 && t->spare != NULL && t->spare[n] != NULL &&
	    total(t, width) > window; n++)
		hide(t, width, t->spare[n]);
	return (n);
}

static void
print_hidden(FILE *f, const struct table *t, size_t n)
{
	size_t i;

	if (n == 0)
		return;
	(void)fprintf(f, "(%u columns have no room for", window);
	for (i = 0; i < n; i++)
		(void)fprintf(f, "%s %s", i > 0 ? "," : "", t->spare[i]);
	(void)fputs(")\n", f);
}

static void
print_row(FILE *f, const char *const *row, const size_t *width, size_t ncols)
{
	size_t i;

	for (i = 0; i + 1 < ncols; i++)
		if (width[i] > 0)
			(void)fprintf(f, "%s%*s", row[i],
			    (int)(width[i] - print_width(row[i])) + 2, "");
	(void)fprintf(f, "%s\n", row[i]);
}

static void
table_free(struct table *t)
{
	size_t i;

	for (i = 0; i < t->ncells; i++)
		free(t->cells[i]);
	for (i = 0; i < t->nnotes; i++)
		free(t->notes[i]);
	free(t->notes);
	free(t->cells);
	free(t);
}

void
table_print(struct table *t, FILE *f)
{
	const char **row;
	size_t *width, i, c, len, hidden;

	width = calloc(t->ncols, sizeof(*width));
	row = calloc(t->ncols, sizeof(*row));
	if (width == NULL || row == NULL)
		err(1, NULL);
	for (c = 0; c < t->ncols; c++)
		width[c] = strlen(t->head[c]);
	for (i = 0; i < t->ncells; i++)
		if ((len = print_width(t->cells[i])) > width[i % t->ncols])
			width[i % t->ncols] = len;
	hidden = fit(t, width);
	print_row(f, t->head, width, t->ncols);
	for (i = 0; i + t->ncols <= t->ncells; i += t->ncols) {
		for (c = 0; c < t->ncols; c++)
			row[c] = t->cells[i + c];
		print_row(f, row, width, t->ncols);
		if (i / t->ncols < t->nnotes &&
		    t->notes[i / t->ncols] != NULL)
			(void)fprintf(f, "    %s\n", t->notes[i / t->ncols]);
	}
	print_hidden(f, t, hidden);
	free(width);
	free(row);
	table_free(t);
}
