/* SPDX-License-Identifier: ISC */
/* ipsecctl: asks iked and tells a person. */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "diff.h"
#include "doctor.h"
#include "genpsk.h"
#include "ikectl.h"
#include "keepalive.h"
#include "metrics.h"
#include "mirror.h"
#include "monitor.h"
#include "print.h"
#include "sadb.h"
#include "show.h"

#define ARGS_MAX	8
#define EXPORTER	"127.0.0.1:9577"
#define WAIT_SECS	60		/* -w without -i */

static const char *ikectl;		/* our name, when it is that */

static void
usage(void)
{
	if (ikectl != NULL) {
		(void)fprintf(stderr, "usage: %s [-s socket] show sa | reload |"
		    " log verbose | log brief | monitor | reset sa | reset all\n",
		    ikectl);
		exit(EXIT_USAGE);
	}
	(void)fprintf(stderr,
	    "usage: ipsecctl [-k] [-v] -s all | flow | sa\n"
	    "       ipsecctl -m [-k]\n"
	    "       ipsecctl [-s socket] show [tunnels | peers | sa | policies |"
	    " kernel | stats | configuration | all]\n"
	    "           [tunnel] [-j | -w [-i wait]]\n"
	    "       ipsecctl [-s socket] show -o metrics\n"
	    "       ipsecctl [-s socket] show -g [svg]\n"
	    "       ipsecctl [-s socket] show keepalive [tunnel] [-v] [-j | -o metrics]\n"
	    "       ipsecctl [-s socket] watch [tunnel] [-c count] [-i wait] [-j]\n"
	    "       ipsecctl [-s socket] events [-j]\n"
	    "       ipsecctl [-s socket] monitor [tunnel] [-j]\n"
	    "       ipsecctl [-s socket] exporter [address:port | path]\n"
	    "       ipsecctl [-s socket] ping tunnel [-c count] [-i wait] [-l size]"
	    " [-j]\n"
	    "       ipsecctl [-s socket] trace tunnel [-j]\n"
	    "       ipsecctl [-s socket] probe tunnel\n"
	    "       ipsecctl [-s socket] keepalive backup on | off\n"
	    "       ipsecctl [-s socket] doctor [tunnel] [-f file]\n"
	    "       ipsecctl [-s socket] up | down tunnel [-w [-i wait]]\n"
	    "       ipsecctl [-s socket] rekey | recreate | reset | check tunnel\n"
	    "       ipsecctl [-s socket] rekey ike tunnel\n"
	    "       ipsecctl [-s socket] flush | reload [-n [-j]]\n"
	    "       ipsecctl [-s socket] log verbose | info | warning\n"
	    "       ipsecctl mirror tunnel [-f file] [-o iked | routeros | swanctl |"
	    " openbsd]\n"
	    "       ipsecctl diff file file\n"
	    "       ipsecctl genpsk\n");
	exit(EXIT_USAGE);
}

static int
finish(int rv)
{
	if (fflush(stdout) != EOF && !ferror(stdout))
		return (rv);
	warn("standard output");
	return (1);
}

struct opts {
	const char	*path, *file, *form;
	struct ka_opts	 ka;
	int		 json, watch, graph, dry;
	int		 monitor;		/* -m */
	struct sadb_opts sadb;
	char		*args[ARGS_MAX + 1];
	int		 n;
	char		 word[2][16];		/* ours for ikectl's */
};

/* Options may also follow the words: `show sa -j'. */
static void
parse(struct opts *o, int argc, char *argv[])
{
	int ch;

	while (optind < argc) {
		while ((ch = getopt(argc, argv, "+c:f:gi:jkl:mno:s:vw")) != -1) {
			switch (ch) {
			case 'c':
				o->ka.count = optarg;
				break;
			case 'f':
				o->file = optarg;
				break;
			case 'g':
				o->graph = 1;
				break;
			case 'i':
				o->ka.wait = optarg;
				break;
			case 'j':
				o->json = 1;
				break;
			case 'k':
				o->sadb.keys = 1;
				break;
			case 'm':
				o->monitor = 1;
				break;
			case 'l':
				o->ka.size = optarg;
				break;
			case 'n':
				o->dry = 1;
				break;
			case 'o':
				o->form = optarg;
				break;
			case 's':
				if ((o->sadb.what = sadb_word(optarg)) == 0)
					o->path = optarg;
				break;
			case 'v':
				o->ka.verbose = 1;
				o->sadb.verbose++;
				break;
			case 'w':
				o->watch = 1;
				break;
			default:
				usage();
			}
		}
		if (optind < argc) {
			if (o->n == ARGS_MAX)
				usage();
			o->args[o->n++] = argv[optind++];
		}
	}
	o->ka.sock = o->path;
	o->ka.json = o->json;
	o->ka.form = o->form;
	if (o->n > 0 && strcmp(o->args[0], "watch") == 0) {
		o->ka.frames = o->ka.count;
		o->ka.count = NULL;
	}
}

/* OpenBSD's options, which have no words; -1: none of them was given. */
static int
main_sadb(const struct opts *o)
{
	if (o->sadb.what == 0 && !o->monitor) {
		if (o->sadb.keys)
			usage();
		return (-1);
	}
	if (o->n > 0 || (o->monitor && o->sadb.what != 0) || o->json || o->watch ||
	    o->graph || o->dry || o->form != NULL || o->ka.wait != NULL ||
	    o->ka.count != NULL || o->ka.size != NULL)
		usage();
	return (sadb_main(&o->sadb));
}

/* ikectl's words become ours. */
static void
translate(struct opts *o)
{
	const char *const *words, *why;

	if ((words = ikectl_words(o->n, o->args, &why)) == NULL) {
		if (why != NULL)
			errx(1, "%s%s%s: %s", o->args[0], o->n > 1 ? " " : "",
			    o->n > 1 ? o->args[1] : "", why);
		usage();
	}
	for (o->n = 0; o->n < 2 && words[o->n] != NULL; o->n++) {
		(void)strlcpy(o->word[o->n], words[o->n], sizeof(o->word[0]));
		o->args[o->n] = o->word[o->n];
	}
}

static struct client *
open_client(const struct opts *o, int flags, int *status)
{
	char errtext[CLIENT_ERRLEN], clean[CLIENT_ERRLEN];
	enum client_why why;
	struct client *c;

	if ((c = client_open(o->path, flags, CONNECT_MS, &why, errtext)) == NULL) {
		warnx("%s", print_clean(clean, sizeof(clean), errtext));
		*status = exit_open(why);
	}
	return (c);
}

static int
seconds(const struct opts *o, int standard)
{
	const char *e;
	int n;

	if (o->ka.wait == NULL)
		return (standard);
	n = (int)strtonum(o->ka.wait, 1, 86400, &e);
	if (e != NULL)
		errx(EXIT_USAGE, "-i %s: not between 1 and 86400 seconds", o->ka.wait);
	return (n);
}

static int
main_show(struct opts *o)
{
	struct show_opts so;
	struct client *c;
	int rv = 1;

	memset(&so, 0, sizeof(so));
	table_fit_fd(STDOUT_FILENO);
	if (o->n > 1 && o->n < 4 && !o->watch && show_is_keepalive(o->args[1])) {
		if ((rv = keepalive_show(&o->ka, o->n == 3 ? o->args[2] : NULL)) == -1)
			usage();
		return (rv);
	}
	if (o->ka.count != NULL || o->ka.size != NULL || o->ka.frames != NULL ||
	    o->ka.verbose || (o->ka.wait != NULL && !o->watch) || (o->json && o->watch))
		usage();
	so.json = o->json;
	so.graph = o->graph;
	if (o->graph && o->n == 2 && strcmp(o->args[1], "svg") == 0) {
		so.svg = 1;
		o->n = 1;
	}
	so.metrics = o->form != NULL;
	if (o->form != NULL && strcmp(o->form, "metrics") != 0)
		usage();
	if (so.json + so.graph + so.metrics > 1 || ((so.graph || so.metrics) &&
	    o->n > 1) || (so.metrics && o->watch))
		usage();
	if (o->n == 2 && !show_known(o->args[1]))
		errx(EXIT_USAGE, "show has no table \"%s\"; of one tunnel: ipsecctl show "
		    "tunnels NAME", o->args[1]);
	if (o->n > 3 || (o->n > 1 && !show_known(o->args[1])) ||
	    (o->n == 3 && !show_takes_name(o->args[1])))
		usage();
	so.what = o->n > 1 ? o->args[1] : NULL;
	so.name = o->n > 2 ? o->args[2] : NULL;
	if (so.name != NULL && strchr(so.name, '"') != NULL)
		errx(EXIT_USAGE, "no tunnel's name has double quotes in it");
	if ((c = open_client(o, CLIENT_ROFALLBACK, &rv)) != NULL)
		rv = o->watch ? show_watch(&c, o->path, &so, seconds(o, 2)) :
		    show(c, &so, stdout);
	client_close(c);
	return (rv);
}

static int
main_monitor(struct opts *o)
{
	struct client *c;
	int rv = 1;

	if (o->n > 2 || o->watch || o->graph || o->form != NULL ||
	    o->ka.wait != NULL || o->ka.count != NULL || o->ka.size != NULL)
		usage();
	if ((c = open_client(o, CLIENT_ROFALLBACK, &rv)) != NULL)
		rv = monitor(c, o->n == 2 ? o->args[1] : NULL, o->json);
	client_close(c);
	return (rv);
}

static int
main_command(struct opts *o)
{
	int waits = o->watch && o->n == 2 && (strcmp(o->args[0], "up") == 0 ||
	    strcmp(o->args[0], "down") == 0);
	struct client *c;
	char *line = NULL;
	int rv = 1, all = ikectl != NULL && strcmp(o->args[0], "reset") == 0;

	if ((o->json && !o->dry) || (o->watch && !waits) || (o->ka.wait != NULL && !o->watch) ||
	    o->ka.count != NULL || o->ka.size != NULL || o->ka.frames != NULL ||
	    o->ka.verbose || o->graph ||
	    (!all && (line = command_line(o->n, o->args, o->dry)) == NULL))
		usage();
	if ((c = open_client(o, 0, &rv)) != NULL) {
		rv = all ? command_reset_all(c) : command_run(c, line, o->json);
		if (rv == 0 && waits)
			rv = command_wait(c, o->args[1], o->args[0][0] == 'u',
			    seconds(o, WAIT_SECS));
		if (rv == 0 && strcmp(o->args[0], "log") == 0)
			rv = keepalive_log(&o->ka, line);
	}
	free(line);
	client_close(c);
	return (rv);
}

/* What needs no iked, or asks another daemon; -2: none of these. */
static int
main_other(struct opts *o)
{
	char *const *rest = o->args + 1;

	if (strcmp(o->args[0], "diff") == 0)
		return (diff_main(o->n - 1, rest));
	if (strcmp(o->args[0], "doctor") == 0)
		return (doctor_main(o->path, o->file, o->n - 1, rest));
	if (strcmp(o->args[0], "mirror") == 0)
		return (mirror_main(o->n - 1, rest, o->file, o->form));
	if (strcmp(o->args[0], "genpsk") == 0)
		return (o->n > 1 ? -1 : genpsk());
	if (strcmp(o->args[0], "exporter") == 0)
		return (o->n > 2 ? -1 : exporter(o->path, o->n == 2 ? o->args[1] :
		    EXPORTER));
	if (keepalive_word(o->args[0]))
		return (keepalive_main(&o->ka, o->n, o->args));
	return (-2);
}

int
main(int argc, char *argv[])
{
	struct opts o;
	const char *name;
	int rv;

	memset(&o, 0, sizeof(o));
	o.path = CLIENT_SOCKET;
	o.file = IKED_CONF;
	name = strrchr(argv[0], '/') != NULL ? strrchr(argv[0], '/') + 1 : argv[0];
	if (strcmp(name, "ikectl") == 0)
		ikectl = name;
	parse(&o, argc, argv);
	if (ikectl == NULL && (rv = main_sadb(&o)) != -1)
		return (finish(rv));
	if (o.n == 0 || (o.dry && strcmp(o.args[0], "reload") != 0))
		usage();
	if (ikectl != NULL)
		translate(&o);
	if ((rv = main_other(&o)) == -1)
		usage();
	if (rv == -2)
		rv = strcmp(o.args[0], "show") == 0 ? main_show(&o) :
		    strcmp(o.args[0], "monitor") == 0 ? main_monitor(&o) :
		    main_command(&o);
	return (finish(rv));
}
