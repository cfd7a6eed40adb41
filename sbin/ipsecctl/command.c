/* SPDX-License-Identifier: ISC */
/* Commands that change something, and how they end. */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "keepalive.h"
#include "print.h"
#include "show.h"

#define PLAN	"reload plan"

int
exit_open(enum client_why why)
{
	return (why == CLIENT_WHY_ABSENT ? EXIT_ABSENT :
	    why == CLIENT_WHY_DENIED ? EXIT_DENIED : 1);
}

int
exit_refused(const struct client *c)
{
	const char *code = client_code(c);

	return (strcmp(code, "unknown") == 0 ? EXIT_UNKNOWN :
	    strcmp(code, "down") == 0 ? EXIT_DOWN : 1);
}

/* file:line:col: [warning: ]text, as iked -n has it; without a line, of the whole file. */
static void
print_mistake(const json_t *o)
{
	char file[CELL_MAX], text[CELL_MAX];
	unsigned long long line = field_num(o, "line");

	(void)fputs(print_clean(file, sizeof(file), field_str(o, "file")),
	    stderr);
	if (line != 0)
		(void)fprintf(stderr, ":%llu:%llu", line,
		    (unsigned long long)field_num(o, "col"));
	(void)fprintf(stderr, ": %s%s\n",
	    strcmp(field_str(o, "kind"), "warning") == 0 ? "warning: " : "",
	    print_clean(text, sizeof(text), field_str(o, "text")));
}

/* Mistakes in iked.conf come as objects before the refusal, warnings in any case. */
static void
print_mistakes(const json_t *objs)
{
	const json_t *o;
	size_t i;

	for (i = 0; i < json_array_size(objs); i++) {
		o = json_array_get(objs, i);
		if (json_is_string(json_object_get(o, "text")))
			print_mistake(o);
	}
}

/* `reload -n': what it would do, or as JSON. */
static int
print_plan(const json_t *array, int json)
{
	if (!json)
		show_plan(stdout, array);
	else if (json_dumpf(array, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII) == -1 ||
	    fputc('\n', stdout) == EOF)
		return (1);
	return (0);
}

int
command_run(struct client *c, const char *line, int json)
{
	char errtext[CLIENT_ERRLEN];
	json_t *objs = NULL, *array;
	int refused, rv = 0;

	array = query(c, line, &refused, errtext, &objs);
	print_mistakes(array != NULL ? array : objs);
	json_decref(objs);
	if (array == NULL) {
		warnx("%s", errtext);
		return (refused ? exit_refused(c) : 1);
	}
	if (strcmp(line, PLAN) == 0)
		rv = print_plan(array, json);
	json_decref(array);
	return (rv);
}

char *
command_line(int n, char *const *args, int dry)
{
	static const char *const named[] = { "up", "down", "rekey", "recreate", "reset",
	    "check" };
	static const char *const bare[] = { "flush", "reload" };
	static const char *const levels[] = { "verbose", "info", "brief", "warning" };
	char *line;
	size_t i;
	int r = 0;

	if (n > 1 && strchr(args[n - 1], '"') != NULL)
		errx(EXIT_USAGE, "no tunnel's name has double quotes in it");
	line = NULL;
	if (dry)
		return (n == 1 && strcmp(args[0], "reload") == 0 ? strdup(PLAN) : NULL);
	for (i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (n == 2 && strcmp(args[0], named[i]) == 0)
			r = asprintf(&line, "%s \"%s\"", args[0], args[1]);
	if (n == 3 && strcmp(args[0], "rekey") == 0 && strcmp(args[1], "ike") == 0)
		r = asprintf(&line, "rekey ike \"%s\"", args[2]);
	for (i = 0; i < 2; i++)
		if (n == 1 && strcmp(args[0], bare[i]) == 0)
			r = asprintf(&line, "%s", args[0]);
	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (n == 2 && strcmp(args[0], "log") == 0 &&
		    strcmp(args[1], levels[i]) == 0)
			r = asprintf(&line, "log %s", args[1]);
	if (r == -1)
		err(1, NULL);
	return (line);
}

/* What became of it when the time is over, in the words of `show tunnels'. */
static int
gave_up(const json_t *tunnel)
{
	char words[CELL_MAX], name[CELL_MAX], clean[CELL_MAX];

	show_tunnel_words(tunnel, words, sizeof(words));
	warnx("tunnel \"%s\": %s", print_clean(name, sizeof(name),
	    field_str(tunnel, "tunnel")), print_clean(clean, sizeof(clean), words));
	return (EXIT_DOWN);
}

int
command_wait(struct client *c, const char *tunnel, int up, int secs)
{
	const struct timespec nap = { 0, 200000000 };
	char errtext[CLIENT_ERRLEN], line[CLIENT_CMDMAX];
	json_t *array;
	const json_t *t;
	int refused, isup, rv, tries = 5 * secs;

	(void)snprintf(line, sizeof(line), "show tunnels \"%s\"", tunnel);
	for (;; tries--) {
		if ((array = query(c, line, &refused, errtext, NULL)) == NULL) {
			warnx("%s", errtext);
			return (refused ? exit_refused(c) : 1);
		}
		t = json_array_get(array, 0);
		isup = strcmp(field_str(t, "state"), "up") == 0;
		rv = isup == up ? 0 : tries <= 0 ? gave_up(t) : -1;
		json_decref(array);
		if (rv != -1)
			return (rv);
		(void)nanosleep(&nap, NULL);
	}
}

int
command_reset_all(struct client *c)
{
	char errtext[CLIENT_ERRLEN], line[CLIENT_CMDMAX];
	json_t *array, *seen = json_object();
	const char *ike;
	const json_t *t;
	size_t i;
	int refused, rv = 0;

	if (seen == NULL)
		err(1, NULL);
	if ((array = query(c, "show tunnels", &refused, errtext, NULL)) == NULL) {
		warnx("%s", errtext);
		rv = 1;
	}
	for (i = 0; i < json_array_size(array); i++) {
		t = json_array_get(array, i);
		ike = field_str(t, "ike_spi");
		if (ike[strspn(ike, "0x")] == '\0' ||
		    json_object_get(seen, ike) != NULL)
			continue;
		if (json_object_set_new(seen, ike, json_true()) == -1)
			err(1, NULL);
		(void)snprintf(line, sizeof(line), "reset \"%s\"",
		    field_str(t, "tunnel"));
		if (command_run(c, line, 0) != 0)
			rv = 1;
	}
	json_decref(array);
	json_decref(seen);
	return (rv);
}
