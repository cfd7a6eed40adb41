/* SPDX-License-Identifier: ISC */
/* Commands into answers, a slice at a time, as much as the client reads. */

#include <string.h>

#include "keepalive/ctl_local.h"
#include "proc/version.h"

static void
show_slot(struct ctl_client *c, uint32_t slot, const struct watch_status *st)
{
	struct stats_minute m[STATS_MINUTES];
	struct ctl *ct = c->ctl;
	struct json j;

	if (c->cmd.verb == CTL_HISTORY)
		ctl_json_history(&j, st->name, watch_history(ct->watch, slot,
		    m) == -1 ? NULL : m);
	else
		ctl_json_status(&j, st, ct->io->now(ct->io->arg));
	ctl_line(c, &j);
}

static void
show_next(struct ctl_client *c)
{
	struct ctl *ct = c->ctl;
	struct watch_status st;
	uint32_t slot;

	while (c->io.fd != -1 && lineio_unread(&c->io) < OUT_HIGH) {
		if (watch_next(ct->watch, &c->slot) == -1) {
			lineio_end(&c->io, NULL);
			return;
		}
		slot = c->slot++;
		if (watch_status_at(ct->watch, slot, &st) == 0)
			show_slot(c, slot, &st);
	}
}

static void
show_one(struct ctl_client *c)
{
	struct ctl *ct = c->ctl;
	struct watch_status st;
	uint32_t slot;

	if (watch_find(ct->watch, c->cmd.name, &slot) == -1 ||
	    watch_status_at(ct->watch, slot, &st) == -1) {
		lineio_end(&c->io, CTL_UNKNOWN);
		return;
	}
	show_slot(c, slot, &st);
	lineio_end(&c->io, NULL);
}

/* Text, not JSON: what a collector wants to read. */
static void
metrics_next(struct ctl_client *c)
{
	static const char eof[] = "# EOF\n";
	struct ctl *ct = c->ctl;
	struct watch_status st;
	char text[METRICS_MAX];
	size_t n;

	while (c->io.fd != -1 && lineio_unread(&c->io) < OUT_HIGH) {
		if (c->family == METRICS_FAMILIES) {
			c->io.busy = 0;
			(void)lineio_put(&c->io, eof, sizeof(eof) - 1);
			return;
		}
		if (c->slot == 0) {
			n = metrics_head(c->family, text, sizeof(text));
			(void)lineio_put(&c->io, text, n);
		}
		if (watch_next(ct->watch, &c->slot) == -1) {
			c->family++;
			c->slot = 0;
			continue;
		}
		if (watch_status_at(ct->watch, c->slot++, &st) == -1)
			continue;
		n = metrics_sample(c->family, &st, ct->io->now(ct->io->arg),
		    text, sizeof(text));
		(void)lineio_put(&c->io, text, n);
	}
}

static void
probe_now(struct ctl_client *c)
{
	struct ctl *ct = c->ctl;
	struct watch_status st;
	uint32_t slot;

	if (watch_find(ct->watch, c->cmd.name, &slot) == -1 ||
	    watch_status_at(ct->watch, slot, &st) == -1)
		lineio_end(&c->io, CTL_UNKNOWN);
	else if (st.state == WATCH_BACKUP)
		lineio_end(&c->io, CTL_BACKUP);
	else if (watch_probe_now(ct->watch, slot, ct->io->now(ct->io->arg)) ==
	    -1)
		lineio_end(&c->io, CTL_NOSOURCE);
	else {
		lineio_end(&c->io, NULL);
		ct->io->wake(ct->io->arg);
	}
}

/* The answer is the parent's, which keeps it. */
static void
backup(struct ctl_client *c)
{
	struct ctl *ct = c->ctl;

	if (ct->io->backup(ct->io->arg, c->cmd.on) == -1)
		lineio_end(&c->io, "the parent process does not listen");
	else
		c->io.busy = 1;
}

static void
version(struct ctl_client *c)
{
	struct json j;

	json_begin(&j);
	json_str(&j, "kind", "version");
	json_u64(&j, "ikeep", 1);
	json_str(&j, "version", IKEEP_VERSION);
	ctl_line(c, &j);
	lineio_end(&c->io, NULL);
}

void
ctl_more(struct ctl_client *c)
{
	if (c->cmd.verb == CTL_SHOW || c->cmd.verb == CTL_HISTORY)
		show_next(c);
	else if (c->cmd.verb == CTL_METRICS)
		metrics_next(c);
}

void
ctl_run(struct ctl_client *c)
{
	c->slot = 0;
	c->family = 0;
	switch (c->cmd.verb) {
	case CTL_SHOW:
	case CTL_HISTORY:
	case CTL_METRICS:
		if (c->cmd.name[0] != '\0') {
			show_one(c);
			break;
		}
		c->io.busy = 1;
		ctl_more(c);
		break;
	case CTL_EVENTS:
		c->io.busy = c->io.deaf = 1;	/* until the client goes */
		break;
	case CTL_PROBE:
		probe_now(c);
		break;
	case CTL_PING:
	case CTL_TRACE:
		ctl_ping_start(c);
		break;
	case CTL_BACKUP_SET:
		backup(c);
		break;
	case CTL_LOG:
		lineio_end(&c->io, c->ctl->io->level(c->ctl->io->arg,
		    (enum log_level)c->cmd.level) == -1 ?
		    "the parent process does not listen" : NULL);
		break;
	case CTL_VERSION:
		version(c);
		break;
	}
}
