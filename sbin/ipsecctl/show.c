/* SPDX-License-Identifier: ISC */
/* `ipsecctl show': queries, and which printer gets the answer. */

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "keepalive.h"
#include "metrics.h"
#include "print.h"
#include "show.h"
#include "show_graph.h"
#include "term.h"

const struct show_what show_whats[SHOW_NWHATS] = {
	{ "tunnels", "tunnel", show_tunnels },
	{ "peers", "peer", show_peers },
	{ "sa", "sas", show_sa },
	{ "policies", "policy", show_policies },
	{ "keepalive", "keepalives", show_keepalive },
	{ "stats", "statistics", show_stats },
	{ "configuration", "conf", show_conf },
	{ "kernel", "kernel", show_kernel },
};

static const struct show_what *
find(const char *word)
{
	size_t i;

	for (i = 0; i < SHOW_NWHATS; i++)
		if (strcmp(word, show_whats[i].word) == 0 ||
		    strcmp(word, show_whats[i].alias) == 0)
			return (&show_whats[i]);
	return (NULL);
}

int
show_known(const char *word)
{
	return (strcmp(word, "all") == 0 || find(word) != NULL);
}

int
show_takes_name(const char *word)
{
	const struct show_what *w = find(word);

	return (w != NULL && (w->table == show_tunnels || w->table == show_sa ||
	    w->table == show_policies || w->table == show_kernel));
}

int
show_is_keepalive(const char *word)
{
	const struct show_what *w = find(word);

	return (w != NULL && w->table == show_keepalive);
}

json_t *
query(struct client *c, const char *command, int *refused,
    char errtext[CLIENT_ERRLEN], json_t **objs)
{
	enum client_result r;
	json_t *array, *obj;

	*refused = 0;
	if ((array = json_array()) == NULL)
		err(1, NULL);
	r = CLIENT_BROKEN;
	if (client_send(c, command, ANSWER_MS) == 0)
		while ((r = client_next(c, ANSWER_MS, &obj)) == CLIENT_OBJECT)
			if (json_array_append_new(array, obj) == -1)
				err(1, NULL);
	if (r == CLIENT_END)
		return (array);
	*refused = r == CLIENT_REFUSED;
	(void)print_clean(errtext, CLIENT_ERRLEN, client_error(c));
	if (objs != NULL)
		*objs = array;
	else
		json_decref(array);
	return (NULL);
}

/* iked tells of a single tunnel; of the others what is not that tunnel's goes. */
static json_t *
query_show(struct client *c, const struct show_what *what, const char *name,
    int *refused, char errtext[CLIENT_ERRLEN])
{
	char command[CLIENT_CMDMAX];
	json_t *array;
	size_t i;

	(void)snprintf(command, sizeof(command), name != NULL &&
	    what->table == show_tunnels ? "show %s \"%s\"" : "show %s", what->word,
	    name);
	array = what->table == show_kernel ? kernel_query(c, refused, errtext) :
	    query(c, command, refused, errtext, NULL);
	for (i = json_array_size(array); name != NULL && i-- > 0; )
		if (strcmp(field_str(json_array_get(array, i), "tunnel"), name) != 0)
			(void)json_array_remove(array, i);
	/* nothing: of a tunnel that is not up, or of none? */
	if (array != NULL && name != NULL && json_array_size(array) == 0) {
		json_decref(array);
		(void)snprintf(command, sizeof(command), "show tunnels \"%s\"", name);
		if ((array = query(c, command, refused, errtext, NULL)) != NULL)
			(void)json_array_clear(array);
	}
	return (array);
}

/* Of one tunnel the status says whether it is up. */
static int
status_of(const struct show_what *what, const char *name, const json_t *array)
{
	if (name == NULL || what->table != show_tunnels)
		return (0);
	return (strcmp(field_str(json_array_get(array, 0), "state"), "up") == 0 ? 0 :
	    EXIT_DOWN);
}

static int
show_one(struct client *c, const struct show_what *what, const char *name, FILE *f)
{
	char errtext[CLIENT_ERRLEN];
	json_t *array;
	int refused, rv;

	if ((array = query_show(c, what, name, &refused, errtext)) == NULL) {
		warnx("%s", errtext);
		return (refused ? exit_refused(c) : 1);
	}
	what->table(f, array);
	rv = status_of(what, name, array);
	json_decref(array);
	return (rv);
}

static int
show_graph(struct client *c, int svg, FILE *f)
{
	char errtext[CLIENT_ERRLEN];
	const char *loc;
	json_t *array;
	int refused;

	if ((array = query_show(c, &show_whats[0], NULL, &refused, errtext)) == NULL) {
		warnx("%s", errtext);
		return (1);
	}
	if ((loc = getenv("LC_ALL")) == NULL && (loc = getenv("LC_CTYPE")) == NULL &&
	    (loc = getenv("LANG")) == NULL)
		loc = "C";
	if (svg)
		graph_svg(f, array);
	else
		graph_text(f, array, strcasestr(loc, "UTF-8") != NULL ||
		    strcasestr(loc, "utf8") != NULL);
	json_decref(array);
	return (0);
}

static int
show_metrics(struct client *c, FILE *f)
{
	char errtext[CLIENT_ERRLEN];

	if (metrics(c, f, errtext) == 0)
		return (0);
	warnx("%s", errtext);
	return (1);
}

/* Every table under its name; what one kind refuses is said in its place. */
static int
show_all(struct client *c, FILE *f)
{
	char errtext[CLIENT_ERRLEN];
	json_t *array;
	size_t i;
	int refused;

	for (i = 0; i < SHOW_NALL; i++) {
		(void)fprintf(f, "%s%s:\n", i > 0 ? "\n" : "",
		    show_whats[i].word);
		array = query_show(c, &show_whats[i], NULL, &refused, errtext);
		if (array != NULL)
			show_whats[i].table(f, array);
		else if (refused)
			(void)fprintf(f, "%s\n", errtext);
		else {
			warnx("%s", errtext);
			return (1);
		}
		json_decref(array);
	}
	return (0);
}

static size_t
count(const json_t *array, const char *key, const char *value)
{
	size_t i, n = 0;

	for (i = 0; i < json_array_size(array); i++)
		if (strcmp(field_str(json_array_get(array, i), key),
		    value) == 0)
			n++;
	return (n);
}

static size_t
count_true(const json_t *array, const char *key)
{
	size_t i, n = 0;

	for (i = 0; i < json_array_size(array); i++)
		n += field_true(json_array_get(array, i), key) ? 1 : 0;
	return (n);
}

/* What a peer has begun here and is not an IKE SA, or never will be: no peer more. */
static size_t
count_half(const json_t *peers)
{
	const json_t *p;
	size_t i, n = 0;

	for (i = 0; i < json_array_size(peers); i++) {
		p = json_array_get(peers, i);
		n += strcmp(field_str(p, "side"), "responder") == 0 &&
		    !field_true(p, "established");
	}
	return (n);
}

static const char *
plural(size_t n)
{
	return (n == 1 ? "" : "s");
}

/* A file that does not load is nobody's business until the next start: it is said. */
static void
show_bad_conf(struct client *c, FILE *f)
{
	char errtext[CLIENT_ERRLEN];
	json_t *a;
	int refused;

	if ((a = query(c, "show configuration", &refused, errtext, NULL)) == NULL)
		return;
	if (count_true(a, "loads") < json_array_size(a))
		show_conf(f, a);
	json_decref(a);
}

/* The tunnels, and one line on everything else. */
static int
show_overview(struct client *c, FILE *f)
{
	char errtext[CLIENT_ERRLEN], katext[CLIENT_ERRLEN] = "";
	json_t *a[5];
	size_t i, n, half;
	int refused;

	for (i = 0; i < 5; i++) {
		a[i] = query_show(c, &show_whats[i], NULL, &refused, errtext);
		if (a[i] == NULL && (!refused || i == 0)) {
			warnx("%s", errtext);
			while (i-- > 0)
				json_decref(a[i]);
			return (1);
		}
		if (a[i] == NULL && i == 4)
			memcpy(katext, errtext, sizeof(katext));
	}
	show_tunnels(f, a[0]);
	half = count_half(a[1]);
	n = json_array_size(a[1]) - half;
	(void)fprintf(f, "%zu peer%s, %zu established; ", n, plural(n),
	    count_true(a[1], "established"));
	if (half > 0)
		(void)fprintf(f, "%zu half-open; ", half);
	n = json_array_size(a[2]);
	(void)fprintf(f, "%zu SA%s; ", n, plural(n));
	n = json_array_size(a[3]);
	(void)fprintf(f, "%zu polic%s, %zu installed; ", n, n == 1 ? "y" :
	    "ies", count_true(a[3], "installed"));
	if (a[4] != NULL && json_array_size(a[4]) == 0)
		(void)fprintf(f, "keepalive: no tunnel has it\n");
	else if (a[4] != NULL)
		(void)fprintf(f, "keepalive: %zu of %zu up\n",
		    count(a[4], "state", "up"), json_array_size(a[4]));
	else
		(void)fprintf(f, "keepalive: %s\n", katext);
	show_bad_conf(c, f);
	for (i = 0; i < 5; i++)
		json_decref(a[i]);
	return (0);
}

/* One document: an array a kind, and what was refused under "errors". */
static int
show_json(struct client *c, const struct show_what *only, const char *name, FILE *f)
{
	char errtext[CLIENT_ERRLEN];
	json_t *doc, *errors, *array;
	size_t i;
	int refused, bad = 0, rv = 0;

	doc = json_pack("{s:i, s:s}", "ikeep", CLIENT_PROTOCOL, "version",
	    client_version(c));
	if (doc == NULL || (errors = json_object()) == NULL)
		err(1, NULL);
	for (i = 0; i < SHOW_NWHATS; i++) {
		if (only != NULL ? only != &show_whats[i] : i >= SHOW_NALL)
			continue;
		array = query_show(c, &show_whats[i], name, &refused, errtext);
		if (array == NULL && (!refused || only != NULL)) {
			warnx("%s", errtext);
			bad = 1;
			rv = refused ? exit_refused(c) : 1;
			break;
		}
		if (array == NULL) {
			if (json_object_set_new(errors, show_whats[i].word,
			    json_string(errtext)) == -1 ||
			    (array = json_array()) == NULL)
				err(1, NULL);
		}
		if (only != NULL)
			rv = status_of(only, name, array);
		if (json_object_set_new(doc, show_whats[i].word, array) == -1)
			err(1, NULL);
	}
	if (only == NULL && json_object_set(doc, "errors", errors) == -1)
		err(1, NULL);
	if (!bad) {
		(void)json_dumpf(doc, f, JSON_INDENT(1) | JSON_ENSURE_ASCII |
		    JSON_REAL_PRECISION(6));
		(void)fputc('\n', f);
	}
	json_decref(errors);
	json_decref(doc);
	return (rv);
}

int
show(struct client *c, const struct show_opts *o, FILE *f)
{
	int all = o->what == NULL || strcmp(o->what, "all") == 0;

	if (o->metrics)
		return (show_metrics(c, f));
	if (o->graph)
		return (show_graph(c, o->svg, f));
	if (o->json)
		return (show_json(c, all ? NULL : find(o->what), o->name, f));
	if (o->what == NULL)
		return (show_overview(c, f));
	return (all ? show_all(c, f) : show_one(c, find(o->what), o->name, f));
}

/*
 * What is shown this time.  On a screen of ours an iked that is not there (now) is said in
 * the table's place, and called again the next time: it may just be starting.
 */
static int
picture(struct client **c, const char *path, const struct show_opts *o, int screen,
    FILE *f)
{
	char errtext[CLIENT_ERRLEN], clean[CLIENT_ERRLEN];
	enum client_why why;
	int rv;

	if (*c != NULL || (*c = client_open(path, CLIENT_ROFALLBACK, CONNECT_MS, &why,
	    errtext)) != NULL) {
		if ((rv = show(*c, o, f)) != 1 || !screen)
			return (rv);
		(void)strlcpy(errtext, client_error(*c), sizeof(errtext));
		client_close(*c);
		*c = NULL;
	}
	(void)fprintf(f, "%s\n", print_clean(clean, sizeof(clean), errtext));
	return (0);
}

int
show_watch(struct client **c, const char *path, const struct show_opts *o, int secs)
{
	char *text;
	unsigned rows, cols;
	size_t len;
	FILE *f;
	int rv, screen;

	term_open(1);
	do {
		if ((screen = term_window(&rows, &cols)))
			table_fit(cols);
		text = NULL;
		if ((f = open_memstream(&text, &len)) == NULL)
			err(1, NULL);
		rv = picture(c, path, o, screen, f);
		if (fclose(f) == EOF)
			err(1, NULL);
		if (rv == 0 || rv == EXIT_DOWN)
			term_frame(text, len);
		free(text);
	} while ((rv == 0 || rv == EXIT_DOWN) && !term_wait(secs * 1000L));
	term_close();
	/* what was said of it went with the screen */
	if (rv != 0 && rv != EXIT_DOWN && screen)
		warnx("%s", client_error(*c));
	return (rv);
}
