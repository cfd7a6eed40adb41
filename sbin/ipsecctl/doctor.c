/* SPDX-License-Identifier: ISC */
/* `ipsecctl doctor': asks iked, looks around, prints what it finds. */

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "keepalive.h"
#include "print.h"
#include "show.h"

#define WATCH_MS	1500	/* how long counters are watched */

struct finding *
finding_new(struct findings *fs, int likely)
{
	struct finding *f;

	f = &fs->f[fs->n < FINDINGS_MAX ? fs->n++ : FINDINGS_MAX - 1];
	memset(f, 0, sizeof(*f));
	f->likely = likely;
	return (f);
}

void
finding_set(char dst[FINDING_TEXT], const char *fmt, ...)
{
	char text[FINDING_TEXT];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)print_clean(dst, FINDING_TEXT, text);
}

static int
more_likely(const void *a, const void *b)
{
	return (((const struct finding *)b)->likely - ((const struct finding *)a)->likely);
}

static void
print_findings(struct findings *fs)
{
	size_t i;

	qsort(fs->f, fs->n, sizeof(fs->f[0]), more_likely);
	for (i = 0; i < fs->n; i++) {
		printf("  %zu. %s\n", i + 1, fs->f[i].cause);
		if (fs->f[i].evidence[0] != '\0')
			printf("     seen: %s\n", fs->f[i].evidence);
		if (fs->f[i].advice[0] != '\0')
			printf("     do:   %s\n", fs->f[i].advice);
	}
}

static json_t *
ask(struct client *c, const char *line)
{
	char errtext[CLIENT_ERRLEN];
	int refused;
	json_t *a = query(c, line, &refused, errtext, NULL);

	if (a == NULL && !refused)
		errx(1, "%s", errtext);
	return (a);
}

/* The last one of that tunnel: SAs that are being replaced come first. */
static const json_t *
of_tunnel(const json_t *array, const char *name)
{
	const json_t *o, *found = NULL;
	size_t i;

	for (i = 0; i < json_array_size(array); i++) {
		o = json_array_get(array, i);
		if (strcmp(field_str(o, "tunnel"), name) == 0)
			found = o;
	}
	return (found);
}

static int
moved(const json_t *old, const json_t *now, const char *key)
{
	return (field_num(now, key) > field_num(old, key));
}

/* Both directions moved while we looked; the counters are asked of the kernel. */
static int
passes(struct client *c, const char *name)
{
	char line[512];
	json_t *a, *b;
	const json_t *x, *y;
	int r = 0;

	(void)snprintf(line, sizeof(line), "counters \"%s\"", name);
	a = ask(c, line);
	(void)usleep(WATCH_MS * 1000);
	b = ask(c, line);
	x = json_array_get(a, 0);
	y = json_array_get(b, 0);
	if (x != NULL && y != NULL)
		r = moved(x, y, "packets_in") && moved(x, y, "packets_out");
	json_decref(a);
	json_decref(b);
	return (r);
}

static int
examine(struct client *c, const json_t *t, const json_t *sas, const json_t *policies,
    const json_t *keepalives)
{
	struct findings fs = { .n = 0 };
	struct patient p;
	const char *name = field_str(t, "tunnel");
	int up = strcmp(field_str(t, "state"), "up") == 0;
	char words[CELL_MAX];

	memset(&p, 0, sizeof(p));
	p.tunnel = t;
	p.sa = of_tunnel(sas, name);
	p.keepalive = of_tunnel(keepalives, name);
	p.policies = policies;
	(void)addr_parse(&p.local, field_str(t, "local"));
	(void)addr_parse(&p.remote, field_str(t, "remote"));
	if (up)
		p.passing = passes(c, name);
	if (up && !p.passing)
		doctor_traffic(&p, &fs);
	else if (!up)
		doctor_down(&p, &fs);
	doctor_machine(&p, &fs);
	show_tunnel_words(t, words, sizeof(words));
	printf("tunnel \"%s\" with %s: %s\n", name, field_str(t, "remote"), words);
	if (up && p.passing)
		printf("  traffic passes in both directions\n");
	print_findings(&fs);
	if (fs.n == 0 && !(up && p.passing))
		printf("  nothing wrong is found\n");
	return (fs.n > 0);
}

/* No iked: who stands in its way? */
static int
absent(const char *errtext)
{
	static const uint16_t ports[] = { 500, 4500 };
	char who[128], clean[CLIENT_ERRLEN];
	size_t i;
	int r;

	printf("iked is not running here: %s\n", print_clean(clean, sizeof(clean), errtext));
	for (i = 0; i < 2; i++) {
		r = host_holder(ports[i], who, sizeof(who));
		if (r == 1)
			printf("  1. another daemon holds UDP port %u: %s\n"
			    "     do:   stop it, and see that it does not start again; then "
			    "start iked\n", ports[i], who);
		if (r == 1)
			return (1);
	}
	printf("  1. it was not started, or it has ended\n"
	    "     do:   iked -n, which names mistakes of the file; then start it; its log "
	    "says why it ended\n");
	return (1);
}

int
doctor_main(const char *sock, int n, char *const *names)
{
	char errtext[CLIENT_ERRLEN];
	enum client_why why;
	struct client *c;
	json_t *tunnels, *sas, *policies, *keepalives;
	const json_t *t;
	size_t i;
	int bad = 0, seen = 0;

	if (n > 1)
		return (-1);
	if ((c = client_open(sock, 0, CONNECT_MS, &why, errtext)) == NULL) {
		if (why == CLIENT_WHY_ABSENT)
			return (absent(errtext));
		warnx("%s", errtext);
		return (1);
	}
	if ((tunnels = ask(c, "show tunnels")) == NULL)
		errx(1, "iked shows no tunnels");
	sas = ask(c, "show sa");
	policies = ask(c, "show policies");
	keepalives = ask(c, "show keepalive");
	for (i = 0; i < json_array_size(tunnels); i++) {
		t = json_array_get(tunnels, i);
		if (n == 1 && strcmp(field_str(t, "tunnel"), names[0]) != 0)
			continue;
		seen++;
		bad |= examine(c, t, sas, policies, keepalives);
	}
	if (n == 1 && seen == 0) {
		warnx("there is no tunnel of this name");
		bad = 1;
	}
	json_decref(tunnels);
	json_decref(sas);
	json_decref(policies);
	json_decref(keepalives);
	client_close(c);
	return (bad);
}
