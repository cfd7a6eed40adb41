/* SPDX-License-Identifier: ISC */
/*
 * ipsecctl watch: the table of show keepalive, again and again in the same place.
 *
 * Plain ECMA-48 on the terminal's other screen, so that what was there before comes back at
 * the end, however that comes: by -c, q, an interrupt, or the loss of the terminal.  Where
 * the output is no terminal the frames come one below the other.
 */

#include <sys/types.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keepalive.h"
#include "print.h"
#include "show.h"
#include "term.h"

struct view {
	const struct ka_opts	*o;
	const char		*name;		/* NULL: all */
	struct client		*c;		/* NULL: netwatchd is not there (now) */
	long			 wait_ms;
	unsigned long		 frames;	/* left; 0: no end */
	int			 failed;	/* the last frame has no table */
};

static int
is_up(const json_t *k)
{
	return (strcmp(field_str(k, "state"), "up") == 0);
}

/* What is not up stands above: the screen may be too short for all. */
static json_t *
sort(const json_t *array)
{
	json_t *out = json_array();
	size_t i, round;

	for (round = 0; out != NULL && round < 2; round++)
		for (i = 0; i < json_array_size(array); i++)
			if (is_up(json_array_get(array, i)) == (int)round)
				(void)json_array_append(out,
				    json_array_get(array, i));
	if (out == NULL)
		err(1, NULL);
	return (out);
}

static void
headline(FILE *f, const struct view *v, const json_t *array)
{
	char when[32];
	size_t i, n = json_array_size(array), up = 0;
	struct tm tm;
	time_t t;

	(void)time(&t);
	if (localtime_r(&t, &tm) == NULL ||
	    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		when[0] = '\0';
	for (i = 0; i < n; i++)
		up += (size_t)is_up(json_array_get(array, i));
	(void)fprintf(f, "%s, every %ld.%ld s: %zu watched, %zu up, %zu not up\n",
	    when, v->wait_ms / 1000, v->wait_ms % 1000 / 100, n, up, n - up);
}

/* The table; NULL and a line in text, when netwatchd has none. */
static json_t *
ask(struct view *v, char text[CLIENT_ERRLEN])
{
	char line[CLIENT_CMDMAX];
	enum client_why why;
	json_t *array;
	int refused;

	if (v->c == NULL && (v->c = keepalive_open(v->o, &why, text)) == NULL)
		return (NULL);
	(void)snprintf(line, sizeof(line), v->name != NULL ?
	    "show keepalive \"%s\"" : "show keepalive", v->name);
	array = query(v->c, line, &refused, text, NULL);
	if (array == NULL && !refused) {
		client_close(v->c);
		v->c = NULL;		/* the next frame asks another one */
	}
	return (array);
}

static void
put_json(const json_t *array)
{
	(void)json_dumpf(array, stdout, JSON_COMPACT | JSON_ENSURE_ASCII |
	    JSON_REAL_PRECISION(6));
	(void)fputc('\n', stdout);
}

static void
frame(struct view *v)
{
	char text[CLIENT_ERRLEN], clean[CLIENT_ERRLEN], *p = NULL;
	json_t *array = ask(v, text), *sorted;
	unsigned int rows, cols;
	size_t len = 0;
	FILE *f;

	v->failed = array == NULL;
	if (v->o->json) {
		if (array == NULL)
			warnx("%s", print_clean(clean, sizeof(clean), text));
		else
			put_json(array);
		json_decref(array);
		return;
	}
	if (term_window(&rows, &cols))
		table_fit(cols);
	if ((f = open_memstream(&p, &len)) == NULL)
		err(1, NULL);
	if (array == NULL)
		(void)fprintf(f, "%s\n", print_clean(clean, sizeof(clean), text));
	else {
		sorted = sort(array);
		headline(f, v, sorted);
		show_keepalive(f, sorted);
		json_decref(sorted);
	}
	if (fclose(f) == EOF)
		err(1, NULL);
	json_decref(array);
	term_frame(p, len);
	free(p);
}

int
keepalive_watch(const struct ka_opts *o, const char *name)
{
	struct view v = { .o = o, .name = name };
	unsigned long long n = 0;
	const char *bad = NULL;
	int rv;

	if ((v.wait_ms = keepalive_ms(o->wait != NULL ? o->wait : "1")) == -1)
		errx(EXIT_USAGE, "-i: 0.01 to 60 seconds");
	if (o->frames != NULL && ((n = (unsigned long long)strtonum(o->frames,
	    1, 1000000000, &bad)) == 0 || bad != NULL))
		errx(EXIT_USAGE, "-c: 1 to 1000000000");
	v.frames = (unsigned long)n;
	v.c = keepalive_need(o);
	term_open(!o->json);
	do {
		frame(&v);
		if (fflush(stdout) == EOF || (v.frames > 0 && --v.frames == 0))
			break;
	} while (!term_wait(v.wait_ms));
	term_close();
	rv = v.failed;
	client_close(v.c);
	return (rv);
}
