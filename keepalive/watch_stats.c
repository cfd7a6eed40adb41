/* SPDX-License-Identifier: ISC */
/* A target's figures: what of its life goes into them, and how they are told. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keepalive/watch_local.h"

/* The ring remembers hundredths of a second, rounded up: the same minute for all that is
 * noted of a probe. */
static monotime
rounded(int64_t us)
{
	return ((monotime){ (us + 9999) / 10000 * 10000 });
}

void
target_note_sent(struct target *t, int64_t sent_us)
{
	t->sent++;
	if (t->stats != NULL)
		stats_sent(&t->stats, rounded(sent_us));
}

void
target_note_lost(struct target *t, const struct slot *s, monotime now)
{
	t->lost++;
	if (t->stats != NULL)
		stats_lost(&t->stats, mono_add_ms(rounded(now.us),
		    -SLOT_AGE_MS(s, now)));
}

/* Who has never answered has no history: most of those that do not exist never will. */
void
target_note_reply(struct target *t, const struct probe *p, enum slot_state was,
    monotime now)
{
	int64_t us = now.us - p->sent_us;
	uint32_t rtt = us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;

	if (t->stats == NULL)
		t->stats = stats_new(t->conf->interval_ms < STATS_WIDE_MS);
	if (was == SLOT_FREE)
		target_note_sent(t, p->sent_us);
	if (was == SLOT_LOST) {
		t->lost--;
		t->late++;
		if (t->stats != NULL)
			stats_repair(&t->stats, rounded(p->sent_us));
	}
	if (t->stats != NULL)
		stats_rtt(&t->stats, rtt, t->received > 0 ? &t->rtt_us : NULL);
	t->received++;
	t->rtt_us = rtt;
	t->rtt_sum_us += rtt;
	if (t->received == 1 || rtt < t->rtt_min_us)
		t->rtt_min_us = rtt;
	if (rtt > t->rtt_max_us)
		t->rtt_max_us = rtt;
}

void
target_figures(const struct watch *w, const struct target *t,
    struct watch_figures *f)
{
	const struct stats *st = t->stats;

	memset(f, 0, sizeof(*f));
	if (st == NULL)
		return;
	f->p50_us = stats_quantile(st, 500, t->rtt_min_us, t->rtt_max_us);
	f->p90_us = stats_quantile(st, 900, t->rtt_min_us, t->rtt_max_us);
	f->p99_us = stats_quantile(st, 990, t->rtt_min_us, t->rtt_max_us);
	f->jitter_us = stats_jitter_us(st);
	f->loss_1m = (uint16_t)stats_loss(st, STATS_1M, w->now);
	f->loss_15m = (uint16_t)stats_loss(st, STATS_15M, w->now);
	f->loss_1h = (uint16_t)stats_loss(st, STATS_1H, w->now);
}

int
watch_history(const struct watch *w, uint32_t slot, struct stats_minute *m)
{
	unsigned int ago;

	if (slot >= w->nslots || w->slots[slot] == NULL ||
	    w->slots[slot]->stats == NULL)
		return (-1);
	for (ago = 0; ago < STATS_MINUTES; ago++)
		m[ago] = stats_history(w->slots[slot]->stats, ago, w->now);
	return (0);
}

void
target_report(const struct watch *w, const struct target *t, char *dst,
    size_t cap)
{
	char a[ADDR_STRLEN], b[ADDR_STRLEN], note[200];
	uint64_t avg = t->received ? t->rtt_sum_us / t->received : 0;
	struct watch_figures f;
	uint16_t pmtu = t->pmtu != NULL ? t->pmtu->result : 0;

	target_note(w, t, note, sizeof(note));
	target_figures(w, t, &f);
	(void)snprintf(dst, cap, "report \"%s\" state=%s source=%s target=%s "
	    "rtt_us=%u rtt_min_us=%u rtt_avg_us=%llu rtt_max_us=%u "
	    "rtt_p50_us=%u rtt_p90_us=%u rtt_p99_us=%u jitter_us=%u sent=%llu "
	    "received=%llu lost=%llu late=%llu loss_1m=%u loss_15m=%u "
	    "loss_1h=%u pmtu=%u mss=%u note=\"%s\"", t->conf->name,
	    watch_state_name(w->backup ? WATCH_BACKUP : t->state), addr_str(&t->src, a),
	    addr_str(&t->conf->target, b), t->rtt_us, t->rtt_min_us,
	    (unsigned long long)avg, t->rtt_max_us, f.p50_us, f.p90_us,
	    f.p99_us, f.jitter_us, (unsigned long long)t->sent,
	    (unsigned long long)t->received, (unsigned long long)t->lost,
	    (unsigned long long)t->late, f.loss_1m, f.loss_15m, f.loss_1h,
	    pmtu, pmtu_mss(pmtu, t->conf->target.fam), note);
}
