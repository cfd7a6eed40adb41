/* SPDX-License-Identifier: ISC */
/* `ipsecctl -s all|flow|sa' and `-m': the kernel's databases, and what changes in them. */

#include <sys/types.h>

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "sadb.h"

#define STEP_MS	1000

static void
silent(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)line;
}

static const struct logger quiet = { silent, NULL, 0, NULL };

int
sadb_word(const char *s)
{
	static const struct {
		const char	*word;
		int		 what;
	} words[] = {
		{ "flow", SADB_FLOWS }, { "sa", SADB_SAS },
		{ "all", SADB_FLOWS | SADB_SAS }
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]) && *s != '\0'; i++)
		if (strncmp(words[i].word, s, strlen(s)) == 0)
			return (words[i].what);
	return (0);
}

static monotime
now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		err(1, "clock_gettime");
	return ((monotime){ (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 });
}

/* Is that back end not in this kernel, so that the other one may be? */
static int
lacking(void)
{
	return (errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT ||
	    errno == EPFNOSUPPORT);
}

static void __attribute__((__noreturn__))
refused(const char *why)
{
	int denied = errno == EPERM || errno == EACCES;

	warnx("%s", why);
	if (denied) {
		warnx("members of the group of iked.sock can ask iked: ipsecctl show "
		    "kernel");
		exit(EXIT_DENIED);
	}
	exit(1);
}

static struct kern *
sadb_open(void)
{
	static const struct kern_cb none;
	const char *why;
	struct kern *k;

	if ((k = kern_open(KERN_XFRM, &none, &quiet, &why)) == NULL && lacking())
		k = kern_open(KERN_PFKEY, &none, &quiet, &why);
	if (k == NULL)
		refused(why);
	return (k);
}

/* One dump; what has been printed counts. */
struct dump {
	const struct sadb_opts	*o;
	size_t			 n;
	int			 done, err;
};

static void
sa_came(void *arg, int error, const struct kern_sa *sa)
{
	struct dump *d = arg;

	if (sa != NULL) {
		sadb_sa(stdout, sa, d->o->verbose, d->o->keys);
		d->n++;
		return;
	}
	d->done = 1;
	d->err = error;
}

static void
policy_came(void *arg, int error, const struct kern_policy *p)
{
	struct dump *d = arg;

	if (p != NULL) {
		sadb_flow(stdout, p, d->o->verbose);
		d->n++;
		return;
	}
	d->done = 1;
	d->err = error;
}

static void
wait_for(struct kern *k, struct dump *d)
{
	struct pollfd pfd[4];
	nfds_t n;

	while (!d->done) {
		for (n = 0; n < 4 && (pfd[n].fd = kern_fd(k, n)) != -1; n++)
			pfd[n].events = POLLIN;
		if (poll(pfd, n, STEP_MS) == -1 && errno != EINTR)
			err(1, "poll");
		kern_input(k, now());
		kern_timeout(k, now());
	}
	if (d->err == 0)
		return;
	errno = d->err;
	refused(d->err == EPERM ? "the kernel shows this to root only" :
	    strerror(d->err));
}

static void
dump_flows(struct kern *k, const struct sadb_opts *o)
{
	struct dump d = { .o = o };

	if (kern_policy_dump(k, now(), policy_came, &d) == -1)
		refused(strerror(errno));
	wait_for(k, &d);
	if (d.n == 0)
		(void)puts("No flows");
}

static void
dump_sas(struct kern *k, const struct sadb_opts *o)
{
	struct dump d = { .o = o };

	if (kern_sa_dump(k, now(), sa_came, &d) == -1)
		refused(strerror(errno));
	wait_for(k, &d);
	if (d.n == 0)
		(void)puts("No entries");
}

static int
monitor_all(const struct sadb_opts *o)
{
	struct kern_monitor *m;
	struct kern_note n;
	struct pollfd pfd;
	const char *why;
	int rv, how = o->keys ? KERN_HEAR_KEYS : 0;

	if ((m = kern_monitor_open(KERN_XFRM, how, &why)) == NULL && lacking())
		m = kern_monitor_open(KERN_PFKEY, how, &why);
	if (m == NULL)
		refused(why);
	pfd.fd = kern_monitor_fd(m);
	pfd.events = POLLIN;
	while (!ferror(stdout)) {
		while ((rv = kern_monitor_next(m, &n)) == 1)
			sadb_note(stdout, &n, o->keys);
		if (rv == -1)
			warnx("some messages did not come through");
		(void)fflush(stdout);
		if (rv == 0 && poll(&pfd, 1, -1) == -1 && errno != EINTR)
			err(1, "poll");
	}
	kern_monitor_close(m);
	return (1);
}

int
sadb_main(const struct sadb_opts *o)
{
	struct kern *k;
	int all = o->what == (SADB_FLOWS | SADB_SAS);

	if (o->keys && geteuid() != 0) {
		warnx("-k is for root only");
		return (EXIT_DENIED);
	}
	if (o->what == 0)
		return (monitor_all(o));
	k = sadb_open();
	kern_look(k, o->keys);
	if (o->what & SADB_FLOWS) {
		if (all)
			(void)puts("FLOWS:");
		dump_flows(k, o);
	}
	if (o->what & SADB_SAS) {
		if (all)
			(void)puts("\nSAD:");
		dump_sas(k, o);
	}
	kern_close(k);
	return (0);
}
