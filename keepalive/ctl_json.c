/* SPDX-License-Identifier: ISC */
/* The control socket's records as JSON lines (netwatchd.control(5)).  Pure. */

#include <stdio.h>

#include "keepalive/ctl_local.h"

static uint64_t
ms_since(monotime then, monotime now)
{
	int64_t us = mono_diff_us(now, then);

	return (us > 0 ? (uint64_t)us / 1000 : 0);
}

static uint64_t
loss_tenths(uint64_t lost, uint64_t sent)
{
	if (lost > sent)
		lost = sent;
	if (sent == 0)
		return (0);
	return (sent < UINT64_MAX / 2000 ? (lost * 1000 + sent / 2) / sent :
	    lost / (sent / 1000));
}

void
ctl_json_status(struct json *j, const struct watch_status *st, monotime now)
{
	json_begin(j);
	json_str(j, "kind", "keepalive");
	json_str(j, "tunnel", st->name);
	json_addr(j, "source", &st->source);
	json_addr(j, "target", &st->target);
	json_str(j, "state", watch_state_name(st->state));
	json_u64(j, "since_ms", ms_since(st->since, now));
	json_u64(j, "interval_ms", st->interval_ms);
	if (st->last_reply.us != MONO_NONE.us)
		json_u64(j, "last_reply_ms", ms_since(st->last_reply, now));
	json_u64(j, "rtt_us", st->rtt_us);
	json_u64(j, "rtt_min_us", st->rtt_min_us);
	json_u64(j, "rtt_avg_us", st->rtt_avg_us);
	json_u64(j, "rtt_max_us", st->rtt_max_us);
	json_u64(j, "rtt_p50_us", st->fig.p50_us);
	json_u64(j, "rtt_p90_us", st->fig.p90_us);
	json_u64(j, "rtt_p99_us", st->fig.p99_us);
	json_u64(j, "jitter_us", st->fig.jitter_us);
	json_u64(j, "sent", st->sent);
	json_u64(j, "received", st->received);
	json_u64(j, "lost", st->lost);
	json_u64(j, "late", st->late);
	json_u64(j, "pmtu", st->pmtu);
	json_u64(j, "mss", st->mss);
	json_tenth(j, "loss_percent", loss_tenths(st->lost, st->sent));
	json_tenth(j, "loss_1m_percent", st->fig.loss_1m);
	json_tenth(j, "loss_15m_percent", st->fig.loss_15m);
	json_tenth(j, "loss_1h_percent", st->fig.loss_1h);
	json_str(j, "verdict", st->verdict);
	json_str(j, "note", st->note);
}

void
ctl_json_history(struct json *j, const char *name, const struct stats_minute *m)
{
	uint8_t sent[STATS_MINUTES], lost[STATS_MINUTES];
	size_t i, n = m != NULL ? STATS_MINUTES : 0;

	for (i = 0; i < n; i++) {
		sent[i] = m[i].sent;
		lost[i] = m[i].lost;
	}
	json_begin(j);
	json_str(j, "kind", "history");
	json_str(j, "tunnel", name);
	json_octets(j, "sent", sent, n);
	json_octets(j, "lost", lost, n);
}

void
ctl_json_event(struct json *j, const struct watch_event *ev,
    const struct timespec *wall)
{
	char when[64];
	struct tm tm;

	json_begin(j);
	json_str(j, "kind", "event");
	/* RFC 3339 */
	if (gmtime_r(&wall->tv_sec, &tm) == NULL)
		when[0] = '\0';
	else
		(void)snprintf(when, sizeof(when),
		    "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
		    tm.tm_sec, wall->tv_nsec / 1000000);
	json_str(j, "time", when);
	json_str(j, "event", watch_event_name(ev->kind));
	json_str(j, "tunnel", ev->name);
	json_str(j, "state", watch_state_name(ev->state));
	json_addr(j, "source", &ev->source);
	json_addr(j, "target", &ev->target);
	json_str(j, "reason", ev->reason);
	json_str(j, "evidence", ev->evidence);
	json_str(j, "verdict", ev->verdict);
	if (ev->kind == WATCH_EV_ACTION)
		json_str(j, "action", ev->action);
}
