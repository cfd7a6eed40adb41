/* SPDX-License-Identifier: ISC */
/* ipsecctl: asks iked and tells a person. */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "diff.h"
#include "keepalive.h"
#include "mirror.h"
#include "print.h"
#include "show.h"
#include "proc/version.h"

#define ARGS_MAX	8
#define PLAN		"reload plan"

static void
usage(void)
{
	(void)fprintf(stderr,
	    "usage: ipsecctl [-s socket] show [tunnels | peers | sa | policies |"
	    " stats | all] [-j]\n"
	    "       ipsecctl [-s socket] show keepalive [tunnel] [-v] [-j | -o metrics]\n"
	    "       ipsecctl [-s socket] watch [tunnel] [-c count] [-i wait] [-j]\n"
	    "       ipsecctl [-s socket] events [-j]\n"
	    "       ipsecctl [-s socket] ping tunnel [-c count] [-i wait] [-l size]"
	    " [-j]\n"
	    "       ipsecctl [-s socket] trace tunnel [-j]\n"
	    "       ipsecctl [-s socket] probe tunnel\n"
	    "       ipsecctl [-s socket] up | down | rekey | recreate | reset | check tunnel\n"
	    "       ipsecctl [-s socket] rekey ike tunnel\n"
	    "       ipsecctl [-s socket] flush | reload [-n [-j]]\n"
	    "       ipsecctl [-s socket] log verbose | brief\n"
	    "       ipsecctl mirror tunnel [-f file] [-o iked | routeros | swanctl |"
	    " openbsd]\n"
	    "       ipsecctl diff file file\n");
	exit(EXIT_USAGE);
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

static int
command(struct client *c, const char *line, int json)
{
	int rv = 0;

	char errtext[CLIENT_ERRLEN];
	json_t *objs = NULL, *array;
	int refused;

	array = query(c, line, &refused, errtext, &objs);
	print_mistakes(array != NULL ? array : objs);
	json_decref(objs);
	if (array == NULL) {
		warnx("%s", errtext);
		return (1);
	}
	if (strcmp(line, PLAN) == 0)
		rv = print_plan(array, json);
	json_decref(array);
	return (rv);
}

/* The command's line, or NULL when it is none of ours. */
static char *
compose(int n, char *const *args)
{
	static const char *const named[] = { "up", "down", "rekey", "recreate", "reset",
	    "check" };
	static const char *const bare[] = { "flush", "reload" };
	char *line;
	size_t i;
	int r = 0;

	if (n > 1 && strchr(args[n - 1], '"') != NULL)
		errx(EXIT_USAGE, "no tunnel's name has double quotes in it");
	line = NULL;
	for (i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (n == 2 && strcmp(args[0], named[i]) == 0)
			r = asprintf(&line, "%s \"%s\"", args[0], args[1]);
	if (n == 3 && strcmp(args[0], "rekey") == 0 && strcmp(args[1], "ike") == 0)
		r = asprintf(&line, "rekey ike \"%s\"", args[2]);
	for (i = 0; i < 2; i++)
		if (n == 1 && strcmp(args[0], bare[i]) == 0)
			r = asprintf(&line, "%s", args[0]);
	if (n == 2 && strcmp(args[0], "log") == 0 &&
	    (strcmp(args[1], "verbose") == 0 || strcmp(args[1], "brief") == 0))
		r = asprintf(&line, "log %s", args[1]);
	if (r == -1)
		err(1, NULL);
	return (line);
}

static int
finish(int rv)
{
	if (fflush(stdout) != EOF && !ferror(stdout))
		return (rv);
	warn("standard output");
	return (1);
}

int
main(int argc, char *argv[])
{
	const char *path = CLIENT_SOCKET, *file = IKED_CONF, *form = NULL;
	char *args[ARGS_MAX], *line = NULL, errtext[CLIENT_ERRLEN];
	enum client_why why;
	struct ka_opts ka = { .sock = NULL };
	struct client *c;
	int ch, n = 0, json = 0, dry = 0, isshow, rv;

	/* Options may also follow the words: `show sa -j'. */
	while (optind < argc) {
		while ((ch = getopt(argc, argv, "+c:f:i:jl:no:s:v")) != -1) {
			switch (ch) {
			case 'c':
				ka.count = optarg;
				break;
			case 'f':
				file = optarg;
				break;
			case 'i':
				ka.wait = optarg;
				break;
			case 'j':
				json = 1;
				break;
			case 'l':
				ka.size = optarg;
				break;
			case 'n':
				dry = 1;
				break;
			case 'o':
				form = optarg;
				break;
			case 's':
				path = optarg;
				break;
			case 'v':
				ka.verbose = 1;
				break;
			default:
				usage();
			}
		}
		if (optind < argc) {
			if (n == ARGS_MAX)
				usage();
			args[n++] = argv[optind++];
		}
	}
	if (n == 0 || (dry && strcmp(args[0], "reload") != 0))
		usage();
	if (strcmp(args[0], "diff") == 0) {
		if ((rv = diff_main(n - 1, args + 1)) == -1)
			usage();
		return (rv);
	}
	if (strcmp(args[0], "mirror") == 0) {
		if ((rv = mirror_main(n - 1, args + 1, file, form)) == -1)
			usage();
		return (rv);
	}
	isshow = strcmp(args[0], "show") == 0;
	ka.sock = path;
	ka.json = json;
	ka.form = form;
	if (strcmp(args[0], "watch") == 0) {
		ka.frames = ka.count;
		ka.count = NULL;
	}
	if (keepalive_word(args[0]) || (isshow && n > 1 && n < 4 &&
	    show_is_keepalive(args[1]))) {
		if ((rv = isshow ? keepalive_show(&ka, n == 3 ? args[2] : NULL) :
		    keepalive_main(&ka, n, args)) == -1)
			usage();
		return (finish(rv));
	}
	if (ka.count != NULL || ka.wait != NULL || ka.size != NULL ||
	    ka.frames != NULL || ka.verbose)
		usage();
	if (isshow) {
		if (n > 2 || (n == 2 && !show_known(args[1])))
			usage();
	} else if ((json && !dry) || (line = compose(n, args)) == NULL)
		usage();
	if (dry) {
		if (line == NULL || strcmp(line, "reload") != 0)
			usage();
		free(line);
		if ((line = strdup(PLAN)) == NULL)
			err(1, NULL);
	}
	c = client_open(path, isshow ? CLIENT_ROFALLBACK : 0, CONNECT_MS, &why,
	    errtext);
	if (c == NULL) {
		char clean[CLIENT_ERRLEN];

		warnx("%s", print_clean(clean, sizeof(clean), errtext));
		free(line);
		return (why == CLIENT_WHY_ABSENT ? EXIT_ABSENT : 1);
	}
	if (isshow)
		rv = show(c, n == 2 ? args[1] : NULL, json, stdout);
	else
		rv = command(c, line, json);
	free(line);
	client_close(c);
	return (finish(rv));
}
