/* SPDX-License-Identifier: ISC */
/*
 * RouterOS as a side: peers with their identity and profile, policies with their
 * proposal, and whether the firewall lets the policies see their packets.  Up to 6.43
 * the peer has all of the first three.
 */

#include <stdlib.h>
#include <string.h>

#include "side.h"
#include "side_ros.h"
#include "side_rosfw.h"

struct map {
	struct side	*s;
	struct ros	 r;
	uint32_t	*peer;		/* of item i; UINT32_MAX: none */
};

static struct place
place(const struct map *m, const struct ros_item *it, const char *key)
{
	const struct ros_prop *p = it == NULL ? NULL : ros_prop(it, key);
	struct place at;

	at.file = m->s->file;
	at.line = p != NULL ? p->line : it != NULL ? it->line : 0;
	return (at);
}

/* A list of algorithms into the proposal. */
static void
xforms(struct map *m, struct proposal *p, const struct ros_item *it, const char *key,
    const char *dflt, int esp, uint8_t type)
{
	struct word_xform x;
	char list[400], *at = list, *w;

	(void)strlcpy(list, ros_get(it, key, dflt), sizeof(list));
	while ((w = strsep(&at, ",")) != NULL) {
		if (*w == '\0')
			continue;
		if (word_parse(FORM_ROUTEROS, esp, type, w, &x) == -1)
			side_note(m->s, place(m, it, key), "\"%.40s\" in %s is no "
			    "algorithm that is known here: not compared", w, key);
		else if (type != XF_INTEG || x.id != INTEG_NONE)
			side_xform(p, x.type, x.id, x.keybits);
	}
}

/* Its one hash is the integrity and, unless said otherwise, the PRF. */
static const struct proposals *
ike_of(struct map *m, const struct ros_item *prof, int legacy)
{
	struct proposals ps;
	struct proposal *p = &ps.p[0];
	const char *prf = ros_get(prof, "prf-algorithm", "auto");

	memset(&ps, 0, sizeof(ps));
	ps.n = 1;
	p->num = 1;
	p->proto = PROTO_IKE;
	xforms(m, p, prof, "enc-algorithm", "aes-128,3des", 0, XF_ENCR);
	xforms(m, p, prof, "hash-algorithm", "sha1", 0, XF_INTEG);
	if (strcmp(prf, "auto") != 0)
		xforms(m, p, prof, "prf-algorithm", "sha1", 0, XF_PRF);
	else {
		struct word_xform x;
		char w[40];

		(void)snprintf(w, sizeof(w), "hmac-%s", ros_get(prof, "hash-algorithm",
		    "sha1"));
		if (strncmp(w, "hmac-sha", 8) == 0 && strlen(w) == 11)
			(void)snprintf(w, sizeof(w), "hmac-sha2-%s",
			    ros_get(prof, "hash-algorithm", "sha1") + 3);
		if (word_parse(FORM_IKED, 0, XF_PRF, w, &x) == 0 ||
		    word_parse(FORM_OPENBSD, 0, XF_PRF, w, &x) == 0)
			side_xform(p, XF_PRF, x.id, 0);
	}
	xforms(m, p, prof, "dh-group", legacy ? "modp1024" : "modp2048,modp1024", 0,
	    XF_KE);
	return (side_props(m->s, &ps));
}

/* AEAD and the others apart (RFC 7296 3.3). */
static const struct proposals *
esp_of(struct map *m, const struct ros_item *it, uint8_t *gcmauth)
{
	struct proposals ps;
	struct proposal all, *p;
	unsigned int i, k, aead;

	memset(&all, 0, sizeof(all));
	memset(&ps, 0, sizeof(ps));
	xforms(m, &all, it, "enc-algorithms", "aes-256-cbc,aes-192-cbc,aes-128-cbc", 1,
	    XF_ENCR);
	xforms(m, &all, it, "auth-algorithms", "sha1", 1, XF_INTEG);
	xforms(m, &all, it, "pfs-group", "modp1024", 1, XF_KE);
	side_xform(&all, XF_SN, SN_32, 0);
	for (aead = 0; aead < 2; aead++) {
		p = &ps.p[ps.n];
		memset(p, 0, sizeof(*p));
		for (i = 0; i < all.nxforms; i++) {
			if (all.xf[i].type == XF_ENCR ?
			    (unsigned int)word_is_aead(all.xf[i].id) == aead :
			    (all.xf[i].type != XF_INTEG || !aead) &&
			    (all.xf[i].type != XF_KE || all.xf[i].id != KE_NONE))
				side_xform(p, all.xf[i].type, all.xf[i].id,
				    all.xf[i].keybits);
			*gcmauth |= aead && all.xf[i].type == XF_INTEG;
		}
		for (k = 0; k < p->nxforms && p->xf[k].type != XF_ENCR; )
			k++;
		if (k < p->nxforms) {
			p->num = ++ps.n;
			p->proto = PROTO_ESP;
		}
	}
	return (side_props(m->s, &ps));
}

/* address:192.0.2.1, fqdn:name, user-fqdn:, key-id:, auto, ignore.  0, 1: not said, or
 * any; -1: none that we know. */
static int
ident(struct ident *id, const char *s)
{
	static const struct { const char *ros, *ours; } kinds[] = {
		{ "fqdn:", "fqdn:" }, { "user-fqdn:", "ufqdn:" },
		{ "key-id:", "keyid:" }, { "address:", "" } };
	char text[300];
	size_t i, n;

	if (strcmp(s, "auto") == 0 || strcmp(s, "ignore") == 0 || *s == '\0')
		return (1);
	for (i = 0; i < 4; i++) {
		n = strlen(kinds[i].ros);
		if (strncmp(s, kinds[i].ros, n) != 0)
			continue;
		(void)snprintf(text, sizeof(text), "%s%s", kinds[i].ours, s + n);
		return (ident_parse(id, text) == -1 ? -1 : 0);
	}
	return (-1);
}

static void
secret(struct map *m, struct side_peer *p, const struct ros_item *it)
{
	const struct ros_prop *v = ros_prop(it, "secret");
	uint8_t *raw;
	size_t i, n;
	int hex, hi, lo;

	if (v == NULL || v->len == 0 || v->value == NULL)
		return;
	hex = v->len > 2 && v->len % 2 == 0 && strncmp(v->value, "0x", 2) == 0 &&
	    strspn(v->value + 2, "0123456789abcdefABCDEF") == v->len - 2;
	if (!hex) {
		side_secret(m->s, p, (const uint8_t *)v->value, v->len,
		    place(m, it, "secret"));
		return;
	}
	n = v->len / 2 - 1;
	if ((raw = calloc(1, n)) == NULL) {
		m->s->nomem = 1;
		return;
	}
	for (i = 0; i < n; i++) {
		hi = v->value[2 + 2 * i];
		lo = v->value[3 + 2 * i];
		hi = hi >= 'a' ? hi - 'a' + 10 : hi >= 'A' ? hi - 'A' + 10 : hi - '0';
		lo = lo >= 'a' ? lo - 'a' + 10 : lo >= 'A' ? lo - 'A' + 10 : lo - '0';
		raw[i] = (uint8_t)(hi << 4 | lo);
	}
	side_secret(m->s, p, raw, n, place(m, it, "secret"));
	explicit_bzero(raw, n);
	free(raw);
}

/* The identity of the peer: the first one, and whether there are more. */
static const struct ros_item *
identity(const struct map *m, const char *name, unsigned int *n)
{
	const struct ros_item *it, *found = NULL;
	uint32_t i;

	for (i = 0, *n = 0; i < m->r.n; i++) {
		it = &m->r.items[i];
		if (it->menu == ROS_IDENTITY && !ros_yes(it, "disabled") &&
		    strcmp(ros_get(it, "peer", ""), name) == 0 && (*n)++ == 0)
			found = it;
	}
	return (found);
}

static void
ids(struct map *m, struct side_peer *p, const struct ros_item *it)
{
	const char *my = ros_get(it, "my-id", "auto"), *his = ros_get(it, "remote-id",
	    "auto");
	int r;

	p->at_my = place(m, it, "my-id");
	p->at_his = place(m, it, "remote-id");
	if (ident(&p->my, my) == -1) {
		side_note(m->s, p->at_my, "my-id=%.60s is not compared", my);
		p->my_unknown = 1;
	}
	if ((r = ident(&p->his, his)) == -1)
		side_note(m->s, p->at_his, "remote-id=%.60s is not compared", his);
	p->his_any = r != 0;
}

/* address= is a host, a network, or a name. */
static void
remote(struct side_peer *p, const char *s)
{
	struct prefix net;

	if (prefix_parse(&net, s) == -1)
		side_name(p->remotename, s);
	else if (net.len == 8 * addr_len(&net.addr))
		p->remote = net.addr;
	else if (net.len > 0)
		p->remotenet = net;
}

static void
take_peer(struct map *m, uint32_t i)
{
	const struct ros_item *it = &m->r.items[i], *id, *prof;
	const char *mode = ros_get(it, "exchange-mode", "main");
	struct side_peer *p;
	unsigned int n;
	int legacy = ros_prop(it, "secret") != NULL ||
	    ros_prop(it, "enc-algorithm") != NULL;

	if (ros_yes(it, "disabled") || (p = side_peer_new(m->s)) == NULL)
		return;
	m->peer[i] = m->s->npeers - 1;
	side_name(p->name, ros_get(it, "name", ros_get(it, "comment",
	    ros_get(it, "address", "peer"))));
	p->at = place(m, it, "");
	p->at_local = place(m, it, "local-address");
	p->at_remote = place(m, it, "address");
	p->at_version = place(m, it, "exchange-mode");
	remote(p, ros_get(it, "address", "0.0.0.0/0"));
	(void)addr_parse(&p->local, ros_get(it, "local-address", ""));
	if (addr_is_any(&p->local))
		memset(&p->local, 0, sizeof(p->local));
	p->version = strcmp(mode, "ike2") == 0 ? 2 : 1;
	p->passive = ros_yes(it, "passive") || (p->remote.fam == ADDR_NONE &&
	    p->remotename[0] == '\0');
	id = legacy ? it : identity(m, ros_get(it, "name", ""), &n);
	prof = legacy ? it : ros_named(&m->r, ROS_PROFILE, ros_get(it, "profile",
	    "default"));
	if (id == NULL)
		side_note(m->s, p->at, "peer %s has no identity in this file: "
		    "identities and secret are not compared", p->name);
	else if (!legacy && n > 1)
		side_note(m->s, p->at, "peer %s has %u identities: only the first is "
		    "compared", p->name, n);
	if (prof == NULL)
		side_note(m->s, p->at, "profile %.40s is not in this file: RouterOS's "
		    "defaults are taken", ros_get(it, "profile", ""));
	ids(m, p, id);
	p->at_secret = place(m, id, "secret");
	secret(m, p, id);
	mode = ros_get(id, "auth-method", "pre-shared-key");
	(void)strlcpy(p->auth, strcmp(mode, "pre-shared-key") == 0 || id == NULL ?
	    "psk" : mode, sizeof(p->auth));
	p->at_ike = place(m, prof, "enc-algorithm");
	if (p->at_ike.line == 0)
		p->at_ike = p->at;
	p->ike = ike_of(m, prof, legacy);
	p->at_life = place(m, prof, "lifetime");
	p->ikelife = ros_time(ros_get(prof, "lifetime", "1d"));
	p->at_natt = place(m, prof, "nat-traversal");
	p->natt = strcmp(ros_get(prof, "nat-traversal", "yes"), "no") == 0 ? NATT_OFF :
	    NATT_AUTO;
}

/* The peer of a policy: by name, or as it was before 6.45 by the SA's addresses. */
static uint32_t
peer_of(const struct map *m, const struct ros_item *pol, const char *name)
{
	struct addr dst;
	const struct side_peer *p;
	uint32_t i;

	for (i = 0; name != NULL && i < m->r.n; i++)
		if (m->r.items[i].menu == ROS_PEER && m->peer[i] != UINT32_MAX &&
		    strcmp(ros_get(&m->r.items[i], "name", ""), name) == 0)
			return (m->peer[i]);
	if (name != NULL || addr_parse(&dst, ros_get(pol, "sa-dst-address", "")) == -1)
		return (UINT32_MAX);
	for (i = 0; i < m->s->npeers; i++) {
		p = &m->s->peers[i];
		if (addr_cmp(&p->remote, &dst) == 0 || (p->remotenet.addr.fam != 0 &&
		    prefix_contains(&p->remotenet, &dst)))
			return (i);
	}
	for (i = 0; i < m->s->npeers; i++)
		if (m->s->peers[i].remote.fam == ADDR_NONE &&
		    m->s->peers[i].remotename[0] == '\0')
			return (i);
	return (UINT32_MAX);
}

static void
selector(struct map *m, struct side_child *c, const struct ros_item *it, int src,
    const struct addr *host)
{
	const char *key = src ? "src-address" : "dst-address", *port = ros_get(it,
	    src ? "src-port" : "dst-port", "any");
	struct side_sel sel;
	char net[64];
	int proto;

	memset(&sel, 0, sizeof(sel));
	(void)strlcpy(net, ros_get(it, key, c->transport ? "" : "0.0.0.0/32"),
	    sizeof(net));
	if (strchr(net, '.') != NULL)
		net[strcspn(net, ":")] = '\0';	/* 10.1.0.0/24:any, of old */
	if (net[0] == '\0' && host->fam != ADDR_NONE) {
		sel.net.addr = *host;
		sel.net.len = (uint8_t)(8 * addr_len(host));
	} else if (net[0] == '\0')
		sel.any = 1;
	else if (prefix_parse(&sel.net, net) == -1)
		side_note(m->s, place(m, it, key), "%s=%.60s is no network", key, net);
	if ((proto = word_proto_parse(ros_get(it, "protocol", "all"))) == -1)
		side_note(m->s, place(m, it, "protocol"), "protocol=%.40s is not known "
		    "here", ros_get(it, "protocol", ""));
	sel.proto = (uint8_t)proto;
	sel.port = (uint16_t)strtoul(port, NULL, 10);
	if (src)
		(void)side_sel_add(m->s, &c->from, &c->nfrom, &sel);
	else
		(void)side_sel_add(m->s, &c->to, &c->nto, &sel);
}

static void
take_policy_for(struct map *m, const struct ros_item *it, uint32_t peer)
{
	struct side_peer *p = &m->s->peers[peer];
	const struct ros_item *prop = ros_named(&m->r, ROS_PROPOSAL,
	    ros_get(it, "proposal", "default"));
	struct side_child *c;
	struct addr a;

	if (addr_parse(&a, ros_get(it, "sa-src-address", "")) == 0 &&
	    !addr_is_any(&a) && p->local.fam == ADDR_NONE) {
		p->local = a;
		p->at_local = place(m, it, "sa-src-address");
	}
	if ((c = side_child_new(m->s, peer)) == NULL)
		return;
	side_name(c->name, ros_get(it, "comment", p->name));
	c->at = place(m, it, "");
	c->at_from = place(m, it, "src-address");
	c->at_to = place(m, it, "dst-address");
	c->at_mode = place(m, it, "tunnel");
	c->transport = !ros_yes(it, "tunnel");
	c->ah = strstr(ros_get(it, "ipsec-protocols", "esp"), "ah") != NULL;
	c->shared = strcmp(ros_get(it, "level", "require"), "require") == 0;
	selector(m, c, it, 1, &p->local);
	selector(m, c, it, 0, &p->remote);
	if (prop == NULL)
		side_note(m->s, c->at, "proposal %.40s is not in this file: RouterOS's "
		    "defaults are taken", ros_get(it, "proposal", ""));
	c->at_esp = place(m, prop, "enc-algorithms");
	c->at_pfs = place(m, prop, "pfs-group");
	c->at_life = place(m, prop, "lifetime");
	if (c->at_esp.line == 0)
		c->at_esp = c->at;
	if (c->at_pfs.line == 0)
		c->at_pfs = c->at;
	c->life = ros_time(ros_get(prop, "lifetime", "30m"));
	c->esp = esp_of(m, prop, &c->gcmauth);
	if (!c->transport && c->nfrom == 1 && c->nto == 1)
		rosfw_check(&m->r, m->s->file, c);
}

static void
take_policy(struct map *m, const struct ros_item *it)
{
	const char *action = ros_get(it, "action", "encrypt");
	char names[400], *at = names, *w;
	uint32_t peer;
	int any = 0;

	if (ros_yes(it, "disabled") || ros_yes(it, "template") || it->dflt ||
	    strcmp(action, "encrypt") != 0)
		return;
	(void)strlcpy(names, ros_get(it, "peer", ""), sizeof(names));
	while ((w = strsep(&at, ",")) != NULL) {
		peer = peer_of(m, it, *w != '\0' ? w : NULL);
		if (peer == UINT32_MAX)
			continue;
		any = 1;
		take_policy_for(m, it, peer);
	}
	if (!any)
		side_note(m->s, place(m, it, ""), "this policy has no peer in this "
		    "file: not compared");
}

/* generate-policy: whatever the templates allow. */
static void
take_template(struct map *m, uint32_t peer, const struct ros_item *id)
{
	const char *group = ros_get(id, "policy-template-group", "default");
	const struct ros_item *it, *tmpl = NULL;
	struct side_child *c;
	struct side_sel sel;
	uint32_t i;

	for (i = 0; i < m->r.n; i++) {
		it = &m->r.items[i];
		if (it->menu == ROS_POLICY && (ros_yes(it, "template") || it->dflt) &&
		    !ros_yes(it, "disabled") &&
		    strcmp(ros_get(it, "group", "default"), group) == 0)
			tmpl = it;
	}
	if (tmpl == NULL || (c = side_child_new(m->s, peer)) == NULL)
		return;
	side_name(c->name, m->s->peers[peer].name);
	c->at = tmpl->line != 0 ? place(m, tmpl, "") : place(m, id, "generate-policy");
	c->at_from = c->at_to = c->at_esp = c->at_pfs = c->at_mode = c->at;
	memset(&sel, 0, sizeof(sel));
	sel.any = 1;
	(void)side_sel_add(m->s, &c->from, &c->nfrom, &sel);
	(void)side_sel_add(m->s, &c->to, &c->nto, &sel);
	it = ros_named(&m->r, ROS_PROPOSAL, ros_get(tmpl, "proposal", "default"));
	c->life = ros_time(ros_get(it, "lifetime", "30m"));
	c->esp = esp_of(m, it, &c->gcmauth);
}

static void
take(struct map *m)
{
	const struct ros_item *id;
	unsigned int n;
	uint32_t i;

	for (i = 0; i < m->r.n; i++)
		if (m->r.items[i].menu == ROS_PEER)
			take_peer(m, i);
	for (i = 0; i < m->r.n; i++)
		if (m->r.items[i].menu == ROS_POLICY)
			take_policy(m, &m->r.items[i]);
	for (i = 0; i < m->r.n; i++) {
		if (m->r.items[i].menu != ROS_PEER || m->peer[i] == UINT32_MAX)
			continue;
		id = identity(m, ros_get(&m->r.items[i], "name", ""), &n);
		if (id != NULL && strcmp(ros_get(id, "generate-policy", "no"),
		    "no") != 0)
			take_template(m, m->peer[i], id);
	}
}

int
side_routeros(struct side *s, uint8_t *text, size_t len, FILE *err)
{
	struct map m;
	struct place at = { s->file, 0 };
	int rv = 0;

	memset(&m, 0, sizeof(m));
	m.s = s;
	if (ros_parse(&m.r, text, len) == -1 ||
	    (m.peer = reallocarray(NULL, m.r.n + 1, sizeof(*m.peer))) == NULL) {
		(void)fprintf(err, "%s: no memory, or too many entries\n", s->file);
		rv = -1;
	} else {
		memset(m.peer, 0xff, (m.r.n + 1) * sizeof(*m.peer));
		take(&m);
		at.line = m.r.badline;
		if (at.line != 0)
			side_note(s, at, "this `set' is of an entry that is not found "
			    "here, and is not looked at");
	}
	free(m.peer);
	ros_free(&m.r);
	return (rv);
}
