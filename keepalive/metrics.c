/* SPDX-License-Identifier: ISC */
/*
 * OpenMetrics 1.0: a family at a time, all targets in it.  Pure.
 *
 * A late reply takes its loss back, so the loss is no counter; what never falls is
 * the number of probes that timed out.
 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "keepalive/ctl_local.h"

#define PREFIX		"ikeep_keepalive_"
#define LABEL_MAX	(4 * CONF_NAMELEN)

/* MK_KNOWN: a gauge that is left out while it is 0, which is: not known. */
enum mkind { MK_GAUGE, MK_COUNTER, MK_STATE, MK_VERDICT, MK_SUMMARY, MK_LOSS, MK_KNOWN };

static uint64_t
v_up(const struct watch_status *s, monotime now)
{
	(void)now;
	return (s->state == WATCH_UP);
}

static uint64_t
v_since(const struct watch_status *s, monotime now)
{
	int64_t us = mono_diff_us(now, s->since);

	return (us > 0 ? (uint64_t)us : 0);
}

static uint64_t
v_rtt(const struct watch_status *s, monotime now)
{
	(void)now;
	return (s->rtt_us);
}

static uint64_t
v_rtt_min(const struct watch_status *s, monotime now)
{
	(void)now;
	return (s->rtt_min_us);
}

static uint64_t
v_rtt_avg(const struct watch_status *s, monotime now)
{
	(void)now;
	return (s->rtt_avg_us);
}

static uint64_t
v_rtt_max(const struct watch_status *s, monotime now)
{
	(void)now;
	return (s->rtt_max_us);
}

static uint64_t
v_sent(const struct watch_status *s, monotime now)
{
	(void)now;
	return (s->sent);
}

static uint64_t
v_received(const struct watch_status *s, monotime now)
{
	(void)now;
	return (s->received);
}

static uint64_t
v_lost(const struct watch_status *s, monotime now)
{
	(void)now;
	return (s->lost);
}

static uint64_t
v_timeouts(const struct watch_status *s, monotime now)
{
	(void)now;
	return (s->lost + s->late);
}

static uint64_t
v_late(const struct watch_status *s, monotime now)
{
	(void)now;
	return (s->late);
}

static uint64_t
v_jitter(const struct watch_status *s, monotime now)
{
	(void)now;
	return (s->fig.jitter_us);
}

static uint64_t
v_silence(const struct watch_status *s, monotime now)
{
	int64_t us = mono_diff_us(now, s->last_reply);

	return (s->last_reply.us != MONO_NONE.us && us > 0 ? (uint64_t)us : 0);
}

static uint64_t
v_pmtu(const struct watch_status *s, monotime now)
{
	(void)now;
	return (s->pmtu);
}

static const struct {
	const char	*name, *help;
	enum mkind	 kind;
	int		 micro;		/* the value is in microseconds, the unit seconds */
	uint64_t	 (*value)(const struct watch_status *, monotime);
} families[METRICS_FAMILIES] = {
	{ "up", "1 while replies come through the tunnel.", MK_GAUGE, 0, v_up },
	{ "state", "What netwatchd says of the tunnel.", MK_STATE, 0, NULL },
	{ "state_age_seconds", "How long it has been in that state.", MK_GAUGE,
	    1, v_since },
	{ "rtt_seconds", "Time to the last reply.", MK_GAUGE, 1, v_rtt },
	{ "rtt_min_seconds", "The shortest since it is watched.", MK_GAUGE, 1,
	    v_rtt_min },
	{ "rtt_avg_seconds", "The mean since it is watched.", MK_GAUGE, 1,
	    v_rtt_avg },
	{ "rtt_max_seconds", "The longest since it is watched.", MK_GAUGE, 1,
	    v_rtt_max },
	{ "probes_sent", "Probes sent while it was up.", MK_COUNTER, 0, v_sent },
	{ "probes_received", "Probes answered.", MK_COUNTER, 0, v_received },
	{ "probes_timed_out", "Probes not answered in time.", MK_COUNTER, 0,
	    v_timeouts },
	{ "probes_late", "Of these, answered after all.", MK_COUNTER, 0, v_late },
	{ "probes_lost", "Probes never answered so far.", MK_GAUGE, 0, v_lost },
	{ "round_trip_seconds", "Times to a reply; quantiles of the recent ones.",
	    MK_SUMMARY, 1, NULL },
	{ "jitter_seconds", "Mean difference from one reply to the next (RFC 3550).",
	    MK_GAUGE, 1, v_jitter },
	{ "loss_ratio", "Lost of those sent in the last minute, 15 minutes, hour.",
	    MK_LOSS, 0, NULL },
	{ "last_reply_age_seconds", "How long ago the last reply came.", MK_KNOWN,
	    1, v_silence },
	{ "verdict", "What is known of the tunnel.", MK_VERDICT, 0, NULL },
	{ "pmtu_bytes", "The largest packet that passes.", MK_KNOWN, 0, v_pmtu },
};

struct text {
	char	*p;
	size_t	 len, cap;
	int	 full;
};

static void	put(struct text *, const char *, ...)
		    __attribute__((__format__(printf, 2, 3)));

static void
put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->p + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->cap - t->len)
		t->full = 1;
	else
		t->len += (size_t)n;
}

/* A label's value: UTF-8, with backslash, double quote and line feed escaped. */
static char *
escape(const char *s, char dst[LABEL_MAX])
{
	const unsigned char *p = (const unsigned char *)s;
	size_t len, n = 0;

	for (; *p != '\0' && n + 5 < LABEL_MAX; p += len) {
		if ((len = json_utf8(p)) == 0) {
			len = 1;
			dst[n++] = '?';
		} else if (*p == '\\' || *p == '"' || *p == '\n') {
			dst[n++] = '\\';
			dst[n++] = *p == '\n' ? 'n' : (char)*p;
		} else {
			memcpy(dst + n, p, len);
			n += len;
		}
	}
	dst[n] = '\0';
	return (dst);
}

size_t
metrics_head(unsigned int family, char *dst, size_t cap)
{
	static const char *const types[] = { "gauge", "counter", "stateset",
	    "stateset", "summary", "gauge", "gauge" };
	struct text t = { dst, 0, cap, 0 };
	const char *name, *unit;

	if (family >= METRICS_FAMILIES)
		return (0);
	name = families[family].name;
	put(&t, "# TYPE " PREFIX "%s %s\n", name, types[families[family].kind]);
	/* The unit is the end of the name, or there is none. */
	unit = strrchr(name, '_');
	if (unit != NULL && (strcmp(unit, "_seconds") == 0 ||
	    strcmp(unit, "_ratio") == 0 || strcmp(unit, "_bytes") == 0))
		put(&t, "# UNIT " PREFIX "%s %s\n", name, unit + 1);
	put(&t, "# HELP " PREFIX "%s %s\n", name, families[family].help);
	return (t.full ? 0 : t.len);
}

static void
put_states(struct text *t, const char *name, const char *label,
    enum watch_state now)
{
	enum watch_state s;

	for (s = WATCH_ACQUIRING; s <= WATCH_BACKUP; s++)
		put(t, PREFIX "%s{tunnel=\"%s\"," PREFIX "%s=\"%s\"} %d\n", name,
		    label, name, watch_state_name(s), s == now);
}

static void
put_verdicts(struct text *t, const char *name, const char *label,
    const char *now)
{
	static const char *const all[] = { "UP", "ACQUIRING", "ONE_WAY",
	    "LOCAL_MISS", "TARGET_SILENT", "DATA_DEAD", "PEER_DEAD",
	    "NO_SOURCE" };
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		put(t, PREFIX "%s{tunnel=\"%s\"," PREFIX "%s=\"%s\"} %d\n", name,
		    label, name, all[i], strcmp(all[i], now) == 0);
}

/* Quantiles only of what is there; the sum in microseconds cannot overflow. */
static void
put_summary(struct text *t, const char *name, const char *label,
    const struct watch_status *s)
{
	const struct {
		const char	*quantile;
		uint32_t	 us;
	} q[] = { { "0.5", s->fig.p50_us }, { "0.9", s->fig.p90_us },
	    { "0.99", s->fig.p99_us } };
	size_t i;

	for (i = 0; s->received > 0 && i < sizeof(q) / sizeof(q[0]); i++)
		put(t, PREFIX "%s{tunnel=\"%s\",quantile=\"%s\"} %u.%06u\n",
		    name, label, q[i].quantile, q[i].us / 1000000,
		    q[i].us % 1000000);
	put(t, PREFIX "%s_count{tunnel=\"%s\"} %" PRIu64 "\n", name, label,
	    s->received);
	put(t, PREFIX "%s_sum{tunnel=\"%s\"} %" PRIu64 ".%06u\n", name, label,
	    s->rtt_sum_us / 1000000, (unsigned int)(s->rtt_sum_us % 1000000));
}

static void
put_losses(struct text *t, const char *name, const char *label,
    const struct watch_figures *f)
{
	const struct {
		const char	*window;
		uint16_t	 thousandths;
	} l[] = { { "1m", f->loss_1m }, { "15m", f->loss_15m },
	    { "1h", f->loss_1h } };
	size_t i;

	for (i = 0; i < sizeof(l) / sizeof(l[0]); i++)
		put(t, PREFIX "%s{tunnel=\"%s\",window=\"%s\"} %u.%03u\n", name,
		    label, l[i].window, l[i].thousandths / 1000U,
		    l[i].thousandths % 1000U);
}

static void
put_value(struct text *t, unsigned int family, const char *label,
    const struct watch_status *st, monotime now)
{
	uint64_t v = families[family].value(st, now);

	if (families[family].kind == MK_KNOWN && v == 0)
		return;
	put(t, PREFIX "%s%s{tunnel=\"%s\"} ", families[family].name,
	    families[family].kind == MK_COUNTER ? "_total" : "", label);
	if (families[family].micro)
		put(t, "%" PRIu64 ".%06u\n", v / 1000000,
		    (unsigned int)(v % 1000000));
	else
		put(t, "%" PRIu64 "\n", v);
}

size_t
metrics_sample(unsigned int family, const struct watch_status *st, monotime now,
    char *dst, size_t cap)
{
	struct text t = { dst, 0, cap, 0 };
	char label[LABEL_MAX];
	const char *name;

	if (family >= METRICS_FAMILIES)
		return (0);
	name = families[family].name;
	(void)escape(st->name, label);
	switch (families[family].kind) {
	case MK_STATE:
		put_states(&t, name, label, st->state);
		break;
	case MK_VERDICT:
		put_verdicts(&t, name, label, st->verdict);
		break;
	case MK_SUMMARY:
		put_summary(&t, name, label, st);
		break;
	case MK_LOSS:
		put_losses(&t, name, label, &st->fig);
		break;
	case MK_GAUGE:
	case MK_COUNTER:
	case MK_KNOWN:
		put_value(&t, family, label, st, now);
		break;
	}
	return (t.full ? 0 : t.len);
}
