/* SPDX-License-Identifier: ISC */
/* Records as JSON lines: iked.control(5) documents every key. */

#include <netinet/in.h>

#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "proc/control.h"

static const char *
dir_name(enum kern_dir d)
{
	return (d == KERN_IN ? "in" : d == KERN_OUT ? "out" : "fwd");
}

static void
json_suite(struct json *j, const struct suite *s)
{
	char text[128];

	json_str(j, "suite", s->encr == 0 ? "" :
	    suite_str(s, text, sizeof(text)));
}

static void
json_traffic(struct json *j, uint64_t bi, uint64_t bo, uint64_t pi, uint64_t po)
{
	json_u64(j, "bytes_in", bi);
	json_u64(j, "bytes_out", bo);
	json_u64(j, "packets_in", pi);
	json_u64(j, "packets_out", po);
}

static const char *
heard_words(const struct icmp_heard *h)
{
	const struct icmp_said said = { .by = h->by, .type = h->type, .code = h->code };
	const char *words = h->by.fam != ADDR_NONE ? icmp_words(&said) : NULL;

	return (words != NULL ? words : "");
}

static void
json_tunnel(struct json *j, const struct show_tunnel *t, const struct icmp_heard *h)
{
	json_str(j, "kind", "tunnel");
	json_str(j, "tunnel", t->name);
	json_str(j, "mode", conf_mode_name(t->mode));
	json_str(j, "state", show_state_name(t->state));
	json_str(j, "wake", show_wake_name(t->wake));
	json_u64(j, "since_ms", t->since_ms);
	json_str(j, "wait_for", t->wait_for);
	json_u64(j, "tries", t->tries);
	json_u64(j, "next_ms", t->next_ms);
	json_str(j, "error", t->error);
	json_str(j, "reason", reason_name(t->reason));
	json_str(j, "icmp", heard_words(h));
	json_addr(j, "icmp_by", &h->by);
	json_u64(j, "icmp_ms", h->ago_ms);
	json_addr(j, "local", &t->local.addr);
	json_addr(j, "remote", &t->remote.addr);
	json_tslist(j, "from", &t->from);
	json_tslist(j, "to", &t->to);
	json_hex(j, "spi_in", t->spi_in, 8);
	json_hex(j, "spi_out", t->spi_out, 8);
	json_hex(j, "ike_spi", t->ike_spii, 16);
	json_traffic(j, t->bytes_in, t->bytes_out, t->packets_in,
	    t->packets_out);
	json_bool(j, "keepalive", t->keepalive);
}

static const char *
natt_name(const struct show_peer *p)
{
	if (p->natt_local)
		return (p->natt_remote ? "both" : "local");
	return (p->natt_remote ? "remote" : "none");
}

static void
json_ident(struct json *j, const char *key, const struct ident *id)
{
	char s[ID_STRLEN];

	json_str(j, key, id->type == ID_NONE ? "any" : ident_str(id, s));
}

static void
json_peer(struct json *j, const struct show_peer *p)
{
	json_str(j, "kind", "peer");
	json_addr(j, "local", &p->local.addr);
	json_addr(j, "remote", &p->remote.addr);
	json_u64(j, "local_port", p->local.port);
	json_u64(j, "remote_port", p->remote.port);
	json_ident(j, "srcid", &p->srcid);
	json_ident(j, "dstid", &p->dstid);
	json_hex(j, "spii", p->spii, 16);
	json_hex(j, "spir", p->spir, 16);
	json_str(j, "side", p->spii == 0 && p->spir == 0 ? "none" :
	    p->initiator ? "initiator" : "responder");
	json_str(j, "state", p->state);
	json_bool(j, "established", p->established);
	json_u64(j, "since_ms", p->since_ms);
	json_suite(j, &p->suite);
	json_str(j, "natt", natt_name(p));
	json_u64(j, "children", p->nchildren);
	json_u64(j, "rekey_in_ms", p->rekey_in_ms);
	json_u64(j, "last_seen_ms", p->last_seen_ms);
}

static void
json_sa(struct json *j, const struct show_sa *s)
{
	json_str(j, "kind", "sa");
	json_str(j, "tunnel", s->tunnel);
	json_str(j, "state", s->state);
	json_hex(j, "ike_spi", s->ike_spii, 16);
	json_hex(j, "spi_in", s->spi_in, 8);
	json_hex(j, "spi_out", s->spi_out, 8);
	json_addr(j, "local", &s->local.addr);
	json_addr(j, "remote", &s->remote.addr);
	json_bool(j, "encap", s->local.port != 0 || s->remote.port != 0);
	json_suite(j, &s->suite);
	json_tslist(j, "tsl", &s->tsl);
	json_tslist(j, "tsr", &s->tsr);
	json_u64(j, "age_ms", s->age_ms);
	json_u64(j, "rekey_in_ms", s->rekey_in_ms);
	json_u64(j, "expires_in_ms", s->expires_in_ms);
	json_traffic(j, s->bytes_in, s->bytes_out, s->packets_in,
	    s->packets_out);
	json_u64(j, "in_idle_ms", s->in_idle_ms);
	json_u64(j, "out_idle_ms", s->out_idle_ms);
}

/* By kind, in the order of RFC 7296's numbers. */
static void
json_exchanges(struct json *j, const struct show_stats *s)
{
	json_u64(j, "sa_init_sent", s->sent[0]);
	json_u64(j, "sa_init_answered", s->answered[0]);
	json_u64(j, "sa_init_unanswered", s->unanswered[0]);
	json_u64(j, "sa_init_received", s->received[0]);
	json_u64(j, "auth_sent", s->sent[1]);
	json_u64(j, "auth_answered", s->answered[1]);
	json_u64(j, "auth_unanswered", s->unanswered[1]);
	json_u64(j, "auth_received", s->received[1]);
	json_u64(j, "create_child_sent", s->sent[2]);
	json_u64(j, "create_child_answered", s->answered[2]);
	json_u64(j, "create_child_unanswered", s->unanswered[2]);
	json_u64(j, "create_child_received", s->received[2]);
	json_u64(j, "informational_sent", s->sent[3]);
	json_u64(j, "informational_answered", s->answered[3]);
	json_u64(j, "informational_unanswered", s->unanswered[3]);
	json_u64(j, "informational_received", s->received[3]);
}

/* A key for each reason: "why_no_answer". */
static void
json_reasons(struct json *j, const struct show_stats *s)
{
	char key[40], *p;
	int i;

	for (i = WHY_NONE + 1; i < WHY_MAX; i++) {
		(void)snprintf(key, sizeof(key), "why_%s",
		    reason_name((enum reason)i));
		for (p = key; *p != '\0'; p++)
			if (*p == '-')
				*p = '_';
		json_u64(j, key, s->why[i]);
	}
}

static const char *
level_name(enum log_level l)
{
	return (l == LOGGER_DEBUG ? "verbose" : l == LOGGER_INFO ? "info" : "warning");
}

static void
json_stats(struct json *j, const struct show_stats *s)
{
	json_str(j, "kind", "stats");
	json_str(j, "log", level_name(ct.ch != NULL ? ct.ch->level :
	    LOGGER_INFO));
	json_u64(j, "rx", s->rx);
	json_u64(j, "tx", s->tx);
	json_u64(j, "rx_bad", s->rx_bad);
	json_u64(j, "rx_dropped", s->rx_dropped);
	json_u64(j, "retransmits", s->retransmits);
	json_u64(j, "auth_failed", s->auth_failed);
	json_u64(j, "ike_up", s->ike_up);
	json_u64(j, "ike_down", s->ike_down);
	json_u64(j, "child_up", s->child_up);
	json_u64(j, "child_down", s->child_down);
	json_u64(j, "rekeys", s->rekeys);
	json_u64(j, "half_open", s->half_open);
	json_u64(j, "ikev1", s->ikev1);
	json_u64(j, "ike_sas", s->nike);
	json_u64(j, "child_sas", s->nchild);
	json_exchanges(j, s);
	json_u64(j, "undecrypted", s->undecrypted);
	json_u64(j, "cookies_asked", s->cookies_asked);
	json_u64(j, "cookies_sent", s->cookies_sent);
	json_u64(j, "fragments_in", s->frags_in);
	json_u64(j, "fragments_out", s->frags_out);
	json_u64(j, "kernel_requests", s->kernel_requests);
	json_u64(j, "kernel_refused", s->kernel_refused);
	json_u64(j, "acquires", s->acquires);
	json_u64(j, "expires", s->expires);
	json_reasons(j, s);
}

static void
json_plan(struct json *j, const struct show_plan *p)
{
	char fields[256] = "";
	unsigned int i;

	for (i = 0; i < CF_FIELDS; i++) {
		if ((p->fields & 1U << i) == 0)
			continue;
		if (fields[0] != '\0')
			(void)strlcat(fields, ",", sizeof(fields));
		(void)strlcat(fields, conf_field_name(i), sizeof(fields));
	}
	json_str(j, "kind", "plan");
	json_str(j, "tunnel", p->name);
	json_str(j, "change", conf_change_name(p->change));
	json_str(j, "fields", fields);
	json_bool(j, "up", p->up);
}

void
json_show(struct json *j, const struct told_rec *t)
{
	const struct show_rec *rec = &t->rec;

	json_begin(j);
	switch (rec->kind) {
	case SHOWK_TUNNEL:
		json_tunnel(j, &rec->u.tunnel, &t->icmp);
		break;
	case SHOWK_PEER:
		json_peer(j, &rec->u.peer);
		break;
	case SHOWK_SA:
		json_sa(j, &rec->u.sa);
		break;
	case SHOWK_STATS:
		json_stats(j, &rec->u.stats);
		break;
	case SHOWK_PLAN:
		json_plan(j, &rec->u.plan);
		break;
	}
}

void
json_conf(struct json *j, const struct reload_error *e, monotime since)
{
	json_begin(j);
	json_str(j, "kind", "configuration");
	json_bool(j, "loads", e->file[0] == '\0');
	json_u64(j, "since_ms", (uint64_t)mono_diff_us(mono_now(), since) / 1000);
	json_str(j, "file", e->file);
	json_u64(j, "line", e->line);
	json_u64(j, "col", e->col);
	json_str(j, "text", e->text);
}

void
json_policy(struct json *j, const struct policy_rec *p)
{
	json_begin(j);
	json_str(j, "kind", "policy");
	json_str(j, "tunnel", p->tunnel);
	json_str(j, "dir", dir_name(p->dir));
	json_str(j, "action", p->action == KERN_IPSEC ? "ipsec" : "discard");
	json_prefix(j, "src", &p->src);
	json_prefix(j, "dst", &p->dst);
	json_u64(j, "proto", p->proto);
	json_u64(j, "sport", p->sport);
	json_u64(j, "dport", p->dport);
	json_u64(j, "reqid", p->reqid);
	json_u64(j, "prio", p->prio);
	json_addr(j, "local", &p->local);
	json_addr(j, "remote", &p->remote);
	json_bool(j, "installed", p->installed);
	json_str(j, "backend", p->backend);
}

static const char *
whose_name(enum system_whose w)
{
	switch (w) {
	case SYSTEM_OURS:
		return ("ours");
	case SYSTEM_DIFFERS:
		return ("differs");
	case SYSTEM_MISSING:
		return ("missing");
	case SYSTEM_FOREIGN:
		break;
	}
	return ("foreign");
}

static const char *
ipproto_name(uint8_t p)
{
	return (p == IPPROTO_ESP ? "esp" : p == IPPROTO_AH ? "ah" :
	    p == IPPROTO_COMP ? "ipcomp" : "none");
}

void
json_system(struct json *j, const struct system_rec *s)
{
	int sa = s->what == SYSTEM_SA;
	char src[PREFIX_STRLEN], dst[PREFIX_STRLEN];

	(void)(sa ? addr_str(&s->src.addr, src) : prefix_str(&s->src, src));
	(void)(sa ? addr_str(&s->dst.addr, dst) : prefix_str(&s->dst, dst));
	json_begin(j);
	json_str(j, "kind", "kernel");
	json_str(j, "what", sa ? "sa" : "policy");
	json_str(j, "whose", whose_name(s->whose));
	json_str(j, "tunnel", s->tunnel);
	json_str(j, "ipsec", ipproto_name(s->ipproto));
	json_str(j, "mode", s->othermode ? "other" : s->transport ? "transport" :
	    "tunnel");
	json_str(j, "dir", s->dir == 0 ? "" : dir_name((enum kern_dir)s->dir));
	json_str(j, "action", sa ? "" : s->action == KERN_IPSEC ? "ipsec" :
	    s->action == KERN_BYPASS ? "bypass" : "discard");
	json_str(j, "src", src);
	json_str(j, "dst", dst);
	json_hex(j, "spi", s->spi, 8);
	json_u64(j, "reqid", s->reqid);
	json_str(j, "suite", s->suite);
	json_bool(j, "encap", s->encap);
	json_u64(j, "proto", s->proto);
	json_u64(j, "sport", s->sport);
	json_u64(j, "dport", s->dport);
	json_u64(j, "prio", s->prio);
	json_addr(j, "local", &s->local);
	json_addr(j, "remote", &s->remote);
	json_u64(j, "mark", s->mark);
	json_u64(j, "if_id", s->if_id);
	json_u64(j, "bytes", s->bytes);
	json_u64(j, "packets", s->packets);
	json_u64(j, "age_ms", s->age_ms);
	json_u64(j, "expires_in_ms", s->expires_in_ms);
}

void
json_counters(struct json *j, const char *tunnel,
    const struct engine_counters *c)
{
	json_begin(j);
	json_str(j, "kind", "counters");
	json_str(j, "tunnel", tunnel);
	json_hex(j, "spi_in", c->spi_in, 8);
	json_hex(j, "spi_out", c->spi_out, 8);
	json_traffic(j, c->bytes_in, c->bytes_out, c->packets_in,
	    c->packets_out);
	json_bool(j, "ike_up", c->ike_up);
	json_bool(j, "rekeying", c->rekeying);
	json_u64(j, "last_in_ms", c->last_in_ms);
	if (c->given[0].fam != ADDR_NONE)
		json_addr(j, "address4", &c->given[0]);
	if (c->given[1].fam != ADDR_NONE)
		json_addr(j, "address6", &c->given[1]);
}
