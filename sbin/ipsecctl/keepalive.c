/* SPDX-License-Identifier: ISC */
/* ipsecctl and netwatchd: show keepalive, events, probe. */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keepalive.h"
#include "print.h"
#include "show.h"

#define NAME	"netwatchd.sock"

struct client *
keepalive_open(const struct ka_opts *o, enum client_why *why,
    char errtext[CLIENT_ERRLEN])
{
	const char *slash = strrchr(o->sock, '/');
	struct client *c;
	char *path;

	if (asprintf(&path, "%.*s" NAME, slash == NULL ? 0 :
	    (int)(slash - o->sock + 1), o->sock) == -1)
		err(1, NULL);
	c = client_open(path, CLIENT_NETWATCHD, CONNECT_MS, why, errtext);
	free(path);
	return (c);
}

struct client *
keepalive_need(const struct ka_opts *o)
{
	char errtext[CLIENT_ERRLEN], clean[CLIENT_ERRLEN];
	enum client_why why;
	struct client *c;

	if ((c = keepalive_open(o, &why, errtext)) == NULL)
		errx(why == CLIENT_WHY_ABSENT ? EXIT_ABSENT : 1, "%s",
		    print_clean(clean, sizeof(clean), errtext));
	return (c);
}

static struct client *
open_iked(const struct ka_opts *o, const char *netwatchd)
{
	char errtext[CLIENT_ERRLEN], clean[CLIENT_ERRLEN];
	enum client_why why;
	struct client *c;

	c = client_open(o->sock, CLIENT_ROFALLBACK, CONNECT_MS, &why, errtext);
	if (c != NULL)
		return (c);
	warnx("%s", print_clean(clean, sizeof(clean), netwatchd));
	errx(why == CLIENT_WHY_ABSENT ? EXIT_ABSENT : 1, "%s",
	    print_clean(clean, sizeof(clean), errtext));
}

/* iked knows no `show keepalive name': what is of another tunnel goes. */
static void
only(json_t *array, const char *name)
{
	size_t i;

	for (i = json_array_size(array); i-- > 0; )
		if (strcmp(field_str(json_array_get(array, i), "tunnel"),
		    name) != 0)
			(void)json_array_remove(array, i);
}

static void
dump(struct client *c, json_t *array)
{
	json_t *doc;

	if ((doc = json_pack("{s:i, s:s, s:O}", "ikeep", CLIENT_PROTOCOL,
	    "version", client_version(c), "keepalive", array)) == NULL)
		err(1, NULL);
	(void)json_dumpf(doc, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII |
	    JSON_REAL_PRECISION(6));
	(void)fputc('\n', stdout);
	json_decref(doc);
}

/*
 * The text comes as it is, up to its last line, which is # EOF.  What else comes is an
 * answer in JSON: a refusal.
 */
static int
metrics(const struct ka_opts *o)
{
	static const char command[] = "metrics\n";
	struct client *c = keepalive_need(o);
	char *line = NULL;
	size_t cap = 0;
	int fd, fl, rv = 1;
	FILE *f;

	if ((fd = client_release(c)) == -1 || (fl = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, fl & ~O_NONBLOCK) == -1 ||
	    write(fd, command, sizeof(command) - 1) !=
	    (ssize_t)sizeof(command) - 1 || (f = fdopen(fd, "r")) == NULL)
		err(1, "netwatchd");
	while (rv == 1 && getline(&line, &cap, f) != -1) {
		if (line[0] == '{') {
			warnx("netwatchd refuses: %s", print_clean(line,
			    strlen(line) + 1, line));
			break;
		}
		(void)fputs(line, stdout);
		if (strcmp(line, "# EOF\n") == 0)
			rv = 0;
	}
	if (rv == 1 && (line == NULL || line[0] != '{'))
		warnx("netwatchd closed the connection");
	free(line);
	(void)fclose(f);
	return (rv);
}

int
keepalive_show(const struct ka_opts *o, const char *name)
{
	char errtext[CLIENT_ERRLEN], command[CLIENT_CMDMAX];
	enum client_why why;
	struct client *c;
	json_t *array;
	int refused, own = 1;

	if (o->count != NULL || o->wait != NULL || o->size != NULL ||
	    o->frames != NULL)
		return (-1);
	if (o->form != NULL)
		return (strcmp(o->form, "metrics") != 0 || name != NULL ||
		    o->json || o->verbose ? -1 : metrics(o));
	if ((c = keepalive_open(o, &why, errtext)) == NULL) {
		c = open_iked(o, errtext);
		own = 0;
	}
	(void)snprintf(command, sizeof(command), own && name != NULL ?
	    "show keepalive \"%s\"" : "show keepalive", name);
	array = query(c, command, &refused, errtext, NULL);
	if (array == NULL) {
		warnx("%s", errtext);
		client_close(c);
		return (1);
	}
	if (!own && name != NULL)
		only(array, name);
	/* The history of all of them is netwatchd's alone. */
	if (own && o->verbose && keepalive_history(c, array, name,
	    errtext) == -1)
		warnx("%s", errtext);
	if (o->json)
		dump(c, array);
	else if (o->verbose)
		keepalive_print(stdout, array);
	else
		show_keepalive(stdout, array);
	json_decref(array);
	client_close(c);
	return (0);
}

/* -j: as they come; else a line each. */
static void
print_event(const json_t *e, int json)
{
	char name[CELL_MAX], reason[CELL_MAX], evidence[CELL_MAX];

	if (json) {
		(void)json_dumpf(e, stdout, JSON_COMPACT |
		    JSON_ENSURE_ASCII | JSON_REAL_PRECISION(6));
		(void)fputc('\n', stdout);
	} else {
		(void)print_clean(evidence, sizeof(evidence),
		    field_str(e, "evidence"));
		(void)printf("%s %s %s: %s%s%s (%s -> %s)\n",
		    field_str(e, "time"), print_clean(name, sizeof(name),
		    field_str(e, "tunnel")), field_str(e, "event"),
		    print_clean(reason, sizeof(reason), field_str(e, "reason")),
		    evidence[0] != '\0' ? ": " : "", evidence,
		    field_str(e, "source"), field_str(e, "target"));
	}
	(void)fflush(stdout);
}

static int
events(const struct ka_opts *o)
{
	struct client *c = keepalive_need(o);
	enum client_result r = CLIENT_BROKEN;
	json_t *e;

	if (client_send(c, "events", ANSWER_MS) == 0)
		while ((r = client_next(c, -1, &e)) == CLIENT_OBJECT) {
			print_event(e, o->json);
			json_decref(e);
			if (ferror(stdout))
				return (1);
		}
	if (r != CLIENT_END)
		warnx("%s", client_error(c));
	client_close(c);
	return (r == CLIENT_END ? 0 : 1);
}

static int
simple(const struct ka_opts *o, const char *line)
{
	char errtext[CLIENT_ERRLEN];
	struct client *c = keepalive_need(o);
	json_t *array;
	int refused;

	array = query(c, line, &refused, errtext, NULL);
	client_close(c);
	if (array == NULL)
		warnx("%s", errtext);
	json_decref(array);
	return (array == NULL);
}

int
keepalive_log(const struct ka_opts *o, const char *line)
{
	char errtext[CLIENT_ERRLEN], clean[CLIENT_ERRLEN];
	enum client_why why;
	struct client *c;
	json_t *array = NULL;
	int refused;

	if ((c = keepalive_open(o, &why, errtext)) == NULL &&
	    why == CLIENT_WHY_ABSENT)
		return (0);
	if (c != NULL)
		array = query(c, line, &refused, errtext, NULL);
	client_close(c);
	if (array == NULL)
		warnx("netwatchd: %s", print_clean(clean, sizeof(clean), errtext));
	json_decref(array);
	return (array == NULL);
}

/* backup on, backup off */
static int
backup(const struct ka_opts *o, char *const *args)
{
	if (strcmp(args[0], "backup") != 0)
		return (-1);
	if (strcmp(args[1], "on") == 0)
		return (simple(o, "backup on"));
	return (strcmp(args[1], "off") == 0 ? simple(o, "backup off") : -1);
}

int
keepalive_word(const char *word)
{
	static const char *const words[] = { "events", "probe", "ping",
	    "trace", "watch", "keepalive" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0)
			return (1);
	return (0);
}

int
keepalive_main(const struct ka_opts *o, int n, char *const *args)
{
	char line[CLIENT_CMDMAX];

	if (o->form != NULL || o->verbose)
		return (-1);
	if (n == 2 && strchr(args[1], '"') != NULL)
		errx(EXIT_USAGE, "no tunnel's name has double quotes in it");
	if (n <= 2 && strcmp(args[0], "watch") == 0 && o->count == NULL &&
	    o->size == NULL)
		return (keepalive_watch(o, n == 2 ? args[1] : NULL));
	if (o->frames != NULL)
		return (-1);
	if (n == 2 && strcmp(args[0], "ping") == 0)
		return (keepalive_ping(o, args[1]));
	if (n == 2 && strcmp(args[0], "trace") == 0)
		return (keepalive_trace(o, args[1]));
	if (o->count != NULL || o->wait != NULL || o->size != NULL)
		return (-1);
	if (strcmp(args[0], "keepalive") == 0)
		return (n == 3 && !o->json ? backup(o, args + 1) : -1);
	if (strcmp(args[0], "events") == 0)
		return (n == 1 ? events(o) : -1);
	if (n != 2 || strcmp(args[0], "probe") != 0 || o->json)
		return (-1);
	if (snprintf(line, sizeof(line), "probe \"%s\"", args[1]) >=
	    (int)sizeof(line))
		return (-1);
	return (simple(o, line));
}
