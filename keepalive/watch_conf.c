/* SPDX-License-Identifier: ISC */
/* What of a configuration one target needs: made from a statement, checked, compared. */

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keepalive/watch_local.h"

_Static_assert(offsetof(struct watch_conf, net) <= UINT8_MAX, "netoff is too short");

int
watch_conf_alone(const struct watch_conf *wc)
{
	return (wc->nfrom == 0 && wc->nto == 0);
}

void
watch_conf_clear(struct watch_conf *wc)
{
	conf_keepalive_unref(wc->ka);
	wc->ka = NULL;
	free(wc->more);
	wc->more = NULL;
	wc->nmore = 0;
}

void
watch_conf_free(struct watch_conf *wc)
{
	watch_conf_clear(wc);
	free(wc);
}

int
watch_conf_target(struct watch_conf *wc, const struct addr *a)
{
	struct addr *p;

	if (wc->target.fam == ADDR_NONE) {
		wc->target = *a;
		return (a->fam != ADDR_NONE ? 0 : -1);
	}
	if (wc->nmore >= CONF_TARGETS - 1 || (p = reallocarray(wc->more,
	    wc->nmore + 1U, sizeof(*p))) == NULL)
		return (-1);
	wc->more = p;
	p[wc->nmore++] = *a;
	return (0);
}

struct watch_conf *
watch_conf_copy(const struct watch_conf *wc)
{
	size_t off = offsetof(struct watch_conf, name) + strlen(wc->name) + 1;
	struct watch_conf *copy;
	uint8_t i;

	if ((copy = malloc(CONF_LEN(wc))) == NULL)
		return (NULL);
	memcpy(copy, wc, off);
	copy->netoff = (uint8_t)off;
	memcpy(watch_from(copy), watch_from(wc), CONF_LEN(wc) - off);
	conf_keepalive_ref(copy->ka);
	copy->more = NULL;
	copy->nmore = 0;
	for (i = 0; i < wc->nmore; i++)
		if (watch_conf_target(copy, &wc->more[i]) == -1) {
			watch_conf_free(copy);
			return (NULL);
		}
	return (copy);
}

/*
 * Targets differ from tunnel to tunnel and options hardly ever do: without their
 * targets, options of many tunnels are one.
 */
static struct conf_keepalive *
options(struct conf_keepalive *ka)
{
	struct conf_keepalive *copy;
	unsigned int i;
	int bad = 0;

	if (ka->ntargets == 0)
		return (conf_keepalive_ref(ka));
	if ((copy = malloc(sizeof(*copy))) == NULL)
		return (NULL);
	*copy = *ka;
	copy->refs = 1;
	copy->ntargets = 0;
	copy->target = NULL;
	memset(copy->str, 0, sizeof(copy->str));
	for (i = 0; i < KA_NSTR; i++)
		if (ka->str[i] != NULL && conf_keepalive_str(copy,
		    (enum ka_str)i, ka->str[i]) == -1)
			bad = 1;
	if (!bad)
		return (copy);
	conf_keepalive_unref(copy);
	return (NULL);
}

static uint8_t
add_net(struct prefix *p, uint8_t n, const struct prefix *net)
{
	uint8_t i;

	for (i = 0; i < n; i++)
		if (prefix_cmp(&p[i], net) == 0)
			return (n);
	p[n] = *net;
	return ((uint8_t)(n + 1));
}

static int
complete(struct watch_conf *wc, const struct addr *a, unsigned int n,
    struct conf_keepalive *ka)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (watch_conf_target(wc, &a[i]) == -1)
			break;
	if (i == n && (wc->ka = options(ka)) != NULL)
		return (0);
	watch_conf_clear(wc);
	return (-1);
}

int
watch_conf_from(const struct conf_tunnel *ct, struct watch_conf *wc,
    const char **why)
{
	struct addr a[CONF_TARGETS];
	unsigned int i, n;

	*why = NULL;
	memset(wc, 0, sizeof(*wc));
	if (ct->keepalive == NULL)
		return (-1);
	(void)snprintf(wc->name, sizeof(wc->name), "%s", ct->name);
	wc->interval_ms = ct->keepalive->interval_ms;
	wc->dynamic = ct->dyn == DYN_FROM;
	for (i = 0; i < ct->from.n; i++)
		if (conf_probe_from(ct, i))
			wc->nfrom = add_net(watch_from(wc), wc->nfrom,
			    &ct->fromnet[i]);
	for (i = 0; i < ct->to.n; i++)
		if (conf_probe_to(ct, i))
			wc->nto = add_net(watch_to(wc), wc->nto, &ct->tonet[i]);
	if (wc->nfrom == 0 || wc->nto == 0) {
		*why = "its selectors let no such probe through";
		return (-1);
	}
	if ((n = conf_tunnel_targets(ct, a)) == 0) {
		*why = "it has no target";
		return (-1);
	}
	return (complete(wc, a, n, ct->keepalive));
}

int
watch_conf_from_watch(const struct conf_watch *cw, struct watch_conf *wc)
{
	memset(wc, 0, sizeof(*wc));
	(void)snprintf(wc->name, sizeof(wc->name), "%s", cw->name);
	wc->interval_ms = cw->keepalive->interval_ms;
	wc->source = cw->source;
	return (complete(wc, cw->keepalive->target, cw->keepalive->ntargets,
	    cw->keepalive));
}

int
watch_conf_equal(const struct watch_conf *a, const struct watch_conf *b)
{
	uint8_t i;

	if (a->interval_ms != b->interval_ms || a->nfrom != b->nfrom ||
	    a->nto != b->nto || a->dynamic != b->dynamic || a->nmore != b->nmore ||
	    addr_cmp(&a->target, &b->target) != 0 ||
	    addr_cmp(&a->source, &b->source) != 0 ||
	    !conf_keepalive_equal(a->ka, b->ka))
		return (0);
	for (i = 0; i < a->nfrom + a->nto; i++)
		if (prefix_cmp(&watch_from(a)[i], &watch_from(b)[i]) != 0)
			return (0);
	for (i = 0; i < a->nmore; i++)
		if (addr_cmp(&a->more[i], &b->more[i]) != 0)
			return (0);
	return (1);
}

/* A target outside of the `to' nets would be probed in clear. */
static int
inside(const struct watch_conf *wc, const struct addr *a)
{
	uint8_t i;

	for (i = 0; i < wc->nto; i++)
		if (prefix_contains(&watch_to(wc)[i], a))
			return (1);
	return (wc->nto == 0 && a->fam != ADDR_NONE);
}

int
watch_conf_valid(const struct watch_conf *wc)
{
	uint8_t i;

	if (wc->name[0] == '\0' || strpbrk(wc->name, "\"\r\n") != NULL ||
	    wc->interval_ms < CONF_INTERVALMIN || wc->nfrom > TS_MAX ||
	    wc->nto > TS_MAX || (wc->nfrom == 0) != (wc->nto == 0) ||
	    wc->nmore >= CONF_TARGETS || !inside(wc, &wc->target))
		return (0);
	if (watch_conf_alone(wc) ? wc->source.fam != ADDR_NONE &&
	    wc->source.fam != wc->target.fam : wc->source.fam != ADDR_NONE)
		return (0);
	for (i = 0; i < wc->nmore; i++)
		if (!inside(wc, &wc->more[i]))
			return (0);
	return (1);
}
