/* SPDX-License-Identifier: ISC */
/* `ipsecctl doctor': asks iked, looks around, prints what it finds. */

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "doctor.h"
#include "keepalive.h"
#include "print.h"
#include "show.h"

#define POKES		6	/* a quarter of a second apart */
#define POKES_LARGE	4	/* half a second */
#define LOOKS		4	/* more than netwatchd's ladder has rungs that make SAs anew */

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

/* A new SA has counted from nothing, while we looked. */
static uint64_t
moved(const json_t *old, const json_t *now, const char *key)
{
	uint64_t a = field_num(old, key), b = field_num(now, key);

	if (strcmp(field_str(old, "spi_out"), field_str(now, "spi_out")) != 0)
		a = 0;
	return (b > a ? b - a : 0);
}

/*
 * Small datagrams to the first host of the to net, then as large ones as the kernel
 * believes that may pass.  Hosts say seldom that nobody listens: a second is waited.
 */
static void
poke(struct patient *p)
{
	struct timespec part = { .tv_nsec = 250 * 1000000L };
	int fd = -1, v6 = p->beyond.fam == ADDR_V6, big = -1, i;

	if (p->beyond.fam != ADDR_NONE)
		fd = host_poke_open(&p->inside, &p->beyond);
	for (i = 0; i < POKES; i++) {
		if (fd != -1 && !p->answered) {
			host_poke(fd, 0, v6);
			p->poked++;
		}
		(void)nanosleep(&part, NULL);
		if (fd != -1 && host_poked(fd))
			p->answered = 1;
	}
	if (fd != -1 && p->answered && (p->large = host_path_mtu(fd, v6)) > 0)
		big = host_poke_open(&p->inside, &p->beyond);
	for (i = 0; big != -1 && i < POKES_LARGE && !p->answered_large; i++) {
		host_poke(big, p->large, v6);
		p->poked_large++;
		(void)nanosleep(&part, NULL);
		(void)nanosleep(&part, NULL);
		p->answered_large = host_poked(big);
		/* "too big" may have come: that is as it should be */
		p->large = host_path_mtu(big, v6);
	}
	if (big == -1)
		p->large = 0;
	if (fd != -1)
		(void)close(fd);
	if (big != -1)
		(void)close(big);
}

enum seen { SEEN_ALL, SEEN_OTHERS, SEEN_NONE };

/* How the counters move while we look; they are asked of the kernel.  Where the SAs are
 * others in the end, or not there, what went into those before is not in them. */
static enum seen
look(struct client *c, const char *line, struct patient *p)
{
	const json_t *x, *y;
	json_t *a, *b;
	enum seen seen = SEEN_NONE;

	p->poked = p->poked_large = p->answered = p->answered_large = 0;
	p->moved_in = p->moved_out = 0;
	a = ask(c, line);
	p->clear_in = host_in_clear();
	poke(p);
	b = ask(c, line);
	p->clear_in = host_in_clear() - p->clear_in;
	x = json_array_get(a, 0);
	y = json_array_get(b, 0);
	if (x != NULL && y != NULL) {
		p->before_in = field_num(x, "packets_in");
		p->moved_in = moved(x, y, "packets_in");
		p->moved_out = moved(x, y, "packets_out");
		seen = strcmp(field_str(x, "spi_out"), field_str(y, "spi_out")) != 0 ?
		    SEEN_OTHERS : SEEN_ALL;
	}
	json_decref(a);
	json_decref(b);
	return (seen);
}

/* netwatchd, here or there, may be making it anew just now: then once more. */
static void
watch(struct client *c, const char *name, struct patient *p)
{
	const json_t *t = p->tunnel;
	enum seen seen = SEEN_NONE;
	char line[512], dev[64];
	int i;

	(void)snprintf(line, sizeof(line), "counters \"%s\"", name);
	if (host_inside(json_object_get(t, "from"), &p->inside, dev) != 1 ||
	    doctor_first_host(json_object_get(t, "to"), &p->beyond) == -1 ||
	    p->beyond.fam != p->inside.fam)
		memset(&p->beyond, 0, sizeof(p->beyond));
	for (i = 0; i < LOOKS && seen != SEEN_ALL; i++) {
		seen = look(c, line, p);
		p->replaced += seen == SEEN_OTHERS;
	}
	if (seen != SEEN_ALL)
		p->poked = 0;
	p->passing = p->moved_in > 0 && p->moved_out > 0;
}

/* What is known to go well. */
static void
print_passing(const struct patient *p)
{
	char a[ADDR_STRLEN];

	printf("  packets go into the tunnel and come out of it: %llu and %llu while we looked\n",
	    (unsigned long long)p->moved_out, (unsigned long long)p->moved_in);
	if (p->answered)
		printf("  %s, beyond it, answers\n", addr_str(&p->beyond, a));
}

/* What the peer has begun and we have answered, and that has not gone on. */
static unsigned int
begun(const json_t *peers, const char *remote)
{
	const json_t *p;
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < json_array_size(peers); i++) {
		p = json_array_get(peers, i);
		n += strcmp(field_str(p, "remote"), remote) == 0 &&
		    strcmp(field_str(p, "side"), "responder") == 0 &&
		    strcmp(field_str(p, "state"), "waiting for IKE_AUTH request") == 0;
	}
	return (n);
}

/* What iked told of all. */
struct told {
	json_t	*tunnels, *peers, *sas, *policies, *keepalives;
	struct rules *rules;	/* not iked, but this machine */
};

static int
examine(struct client *c, const json_t *t, const struct told *all)
{
	struct findings fs = { .n = 0 };
	struct patient p;
	const char *name = field_str(t, "tunnel");
	int up = strcmp(field_str(t, "state"), "up") == 0;
	char words[CELL_MAX], watch_words[FINDING_TEXT];

	memset(&p, 0, sizeof(p));
	p.tunnel = t;
	p.sa = of_tunnel(all->sas, name);
	p.keepalive = of_tunnel(all->keepalives, name);
	p.policies = all->policies;
	p.rules = all->rules;
	p.begun = begun(all->peers, field_str(t, "remote"));
	(void)addr_parse(&p.local, field_str(t, "local"));
	(void)addr_parse(&p.remote, field_str(t, "remote"));
	if (up)
		watch(c, name, &p);
	if (up)
		doctor_traffic(&p, &fs);
	else
		doctor_down(&p, &fs);
	doctor_machine(&p, &fs);
	show_tunnel_words(t, words, sizeof(words));
	printf("tunnel \"%s\" with %s: %s\n", name, field_str(t, "remote"), words);
	if (p.keepalive != NULL) {
		doctor_watch_words(p.keepalive, watch_words);
		printf("  %s\n", watch_words);
	}
	if (up && p.passing)
		print_passing(&p);
	print_findings(&fs);
	if (fs.n == 0 && !(up && p.passing))
		printf("  nothing wrong is found\n");
	return (fs.n > 0);
}

int
doctor_main(const char *sock, const char *conf, int n, char *const *names)
{
	char errtext[CLIENT_ERRLEN];
	enum client_why why;
	struct client *c;
	struct told all;
	const json_t *t;
	size_t i;
	int bad = 0, seen = 0;

	if (n > 1)
		return (-1);
	if ((c = client_open(sock, 0, CONNECT_MS, &why, errtext)) == NULL) {
		if (why == CLIENT_WHY_ABSENT)
			return (doctor_absent(errtext, conf));
		warnx("%s", errtext);
		return (1);
	}
	if ((all.tunnels = ask(c, "show tunnels")) == NULL)
		errx(1, "iked shows no tunnels");
	all.peers = ask(c, "show peers");
	all.sas = ask(c, "show sa");
	all.policies = ask(c, "show policies");
	if ((all.keepalives = doctor_watch(sock)) == NULL)
		all.keepalives = ask(c, "show keepalive");
	all.rules = rules_read();
	for (i = 0; i < json_array_size(all.tunnels); i++) {
		t = json_array_get(all.tunnels, i);
		if (n == 1 && strcmp(field_str(t, "tunnel"), names[0]) != 0)
			continue;
		seen++;
		bad |= examine(c, t, &all);
	}
	if (n == 1 && seen == 0) {
		warnx("there is no tunnel of this name");
		bad = 1;
	}
	json_decref(all.tunnels);
	json_decref(all.peers);
	json_decref(all.sas);
	json_decref(all.policies);
	json_decref(all.keepalives);
	rules_free(all.rules);
	client_close(c);
	return (bad);
}
