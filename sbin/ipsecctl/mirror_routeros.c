/* SPDX-License-Identifier: ISC */
/* The other side as commands of RouterOS 7. */

#include <string.h>

#include "mirror.h"
#include "base/xform.h"

#define LISTMAX	300

/* What is chosen of the proposals, for RouterOS has one hash and one PFS group. */
struct chosen {
	char		enc[LISTMAX], hash[LISTMAX], prf[16], ke[LISTMAX];
	char		lost[LISTMAX];
	const char	*change;	/* what to write in iked.conf; NULL: it fits */
};

/* A word as it is, anything else in quotes. */
static void
quote(FILE *f, const char *s)
{
	const unsigned char *p;

	if (s[0] != '\0' && s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] == '\0') {
		(void)fputs(s, f);
		return;
	}
	(void)fputc('"', f);
	for (p = (const unsigned char *)s; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\' || *p == '$')
			(void)fprintf(f, "\\%c", *p);
		else if (*p < ' ' || *p > '~' || *p == '?')
			(void)fprintf(f, "\\%02X", *p);
		else
			(void)fputc(*p, f);
	}
	(void)fputc('"', f);
}

static void
named(FILE *f, const char *key, const char *prefix, const char *s)
{
	char text[2 * CONF_NAMELEN];

	(void)snprintf(text, sizeof(text), "%s%s", prefix, s);
	(void)fprintf(f, " %s=", key);
	quote(f, text);
}

/* The first integrity algorithm that it has, and its PRF or another. */
static void
choose_hash(const struct proposal *p, int esp, struct chosen *c)
{
	const struct xform *x;
	const char *w;
	unsigned int i;

	if (esp) {
		(void)mirror_words(c->hash, sizeof(c->hash), p, XF_INTEG,
		    FORM_ROUTEROS, 1, ",", c->lost, sizeof(c->lost));
		return;
	}
	for (i = 0; i < p->nxforms && c->hash[0] == '\0'; i++) {
		x = &p->xf[i];
		if (x->type == XF_INTEG && (w = word_of(FORM_ROUTEROS, 0, XF_INTEG,
		    x->id, 0)) != NULL)
			(void)strlcpy(c->hash, w, sizeof(c->hash));
	}
	for (i = 0; i < p->nxforms; i++) {
		x = &p->xf[i];
		if (x->type != XF_PRF || (w = word_of(FORM_ROUTEROS, 0, XF_PRF, x->id,
		    0)) == NULL)
			continue;
		if (c->prf[0] == '\0')
			(void)strlcpy(c->prf, w, sizeof(c->prf));
		if (strcmp(w, c->hash) == 0)
			(void)strlcpy(c->prf, "auto", sizeof(c->prf));
	}
}

/* One group, or none at all. */
static int
choose_pfs(const struct proposal *p, struct chosen *c)
{
	const struct xform *x;
	const char *w;
	unsigned int i, n = 0;

	for (i = 0; i < p->nxforms; i++) {
		x = &p->xf[i];
		if (x->type != XF_KE)
			continue;
		n++;
		if ((w = word_of(FORM_ROUTEROS, 1, XF_KE, x->id, 0)) != NULL) {
			(void)strlcpy(c->ke, w, sizeof(c->ke));
			return (1);
		}
	}
	(void)strlcpy(c->ke, "none", sizeof(c->ke));
	return (n == 0);
}

static void
choose_ike(const struct proposals *ps, struct chosen *c)
{
	const struct proposal *p;
	unsigned int i;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < ps->n; i++) {
		p = &ps->p[i];
		c->enc[0] = c->hash[0] = c->prf[0] = c->ke[0] = '\0';
		choose_hash(p, 0, c);
		if (mirror_words(c->enc, sizeof(c->enc), p, XF_ENCR, FORM_ROUTEROS, 0,
		    ",", c->lost, sizeof(c->lost)) > 0 &&
		    mirror_words(c->ke, sizeof(c->ke), p, XF_KE, FORM_ROUTEROS, 0, ",",
		    c->lost, sizeof(c->lost)) > 0 && c->hash[0] != '\0' &&
		    c->prf[0] != '\0')
			return;
	}
	c->change = "ikesa enc aes-256 auth hmac-sha2-256 group modp2048";
	(void)strlcpy(c->enc, "aes-256", sizeof(c->enc));
	(void)strlcpy(c->hash, "sha256", sizeof(c->hash));
	(void)strlcpy(c->prf, "auto", sizeof(c->prf));
	(void)strlcpy(c->ke, "modp2048", sizeof(c->ke));
}

/*
 * CBC comes before GCM, whose proposal wants an empty auth-algorithms that not every
 * release keeps apart.
 */
static void
choose_esp(const struct proposals *ps, struct chosen *c)
{
	const struct proposal *p;
	unsigned int i, pass;
	int aead, esn = 0;

	memset(c, 0, sizeof(*c));
	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < ps->n; i++) {
			p = &ps->p[i];
			aead = p->nxforms > 0 && word_is_aead(p->xf[0].id);
			if (aead != (pass == 1))
				continue;
			c->enc[0] = c->hash[0] = '\0';
			choose_hash(p, 1, c);
			if (mirror_words(c->enc, sizeof(c->enc), p, XF_ENCR,
			    FORM_ROUTEROS, 1, ",", c->lost, sizeof(c->lost)) == 0 ||
			    (!aead && c->hash[0] == '\0') || !choose_pfs(p, c))
				continue;
			/* it counts with 32 bits only */
			for (esn = 1, aead = 0; (unsigned int)aead < p->nxforms; aead++)
				if (p->xf[aead].type == XF_SN &&
				    p->xf[aead].id == SN_32)
					esn = 0;
			if (!esn)
				return;
		}
	c->change = esn ? "childsa enc aes-256 auth hmac-sha2-256 group modp2048 noesn" :
	    "childsa enc aes-256 auth hmac-sha2-256 group modp2048";
	(void)strlcpy(c->enc, "aes-256-cbc", sizeof(c->enc));
	(void)strlcpy(c->hash, "sha256", sizeof(c->hash));
	(void)strlcpy(c->ke, "modp2048", sizeof(c->ke));
}

static void
tell(FILE *f, const struct mirror *m, const struct chosen *c, const char *what)
{
	if (c->change != NULL)
		(void)fprintf(f, "# Change %s: RouterOS 7 can do none of its proposals "
		    "for %s; write there\n#\t%s\n", m->file, what, c->change);
	else if (c->lost[0] != '\0')
		(void)fprintf(f, "# Left out, not every RouterOS 7 has it for %s: "
		    "%s.\n", what, c->lost);
}

static void
ident(FILE *f, const char *key, const struct ident *id, const struct addr *a,
    const char *unknown)
{
	char s[ID_STRLEN], *v = s;

	(void)fprintf(f, " %s=", key);
	if (id->type == ID_NONE) {
		if (mirror_addr_known(a))
			(void)fprintf(f, "address:%s", addr_str(a, s));
		else
			(void)fputs(unknown, f);
		return;
	}
	(void)snprintf(s, sizeof(s), "%.*s", (int)id->len, (const char *)id->data);
	if (id->type == ID_FQDN)
		(void)fputs("fqdn:", f);
	else if (id->type == ID_RFC822_ADDR)
		(void)fputs("user-fqdn:", f);
	else if (id->type == ID_KEY_ID)
		(void)fputs("key-id:", f);
	else {
		(void)fputs("address:", f);
		v = ident_conf(id, s);
		if (strncmp(v, "ipv", 3) == 0)
			v += 5;
	}
	quote(f, v);
}

static void
phase1(FILE *f, const struct mirror *m)
{
	const struct conf_peer *pe = &m->peer;
	struct chosen c;
	char s[ADDR_STRLEN];
	const char *end = mirror_end(pe->remotename, &pe->remote, s);

	choose_ike(pe->ike, &c);
	(void)fputs("\n# Phase 1.\n", f);
	tell(f, m, &c, "the IKE SA");
	(void)fputs("/ip/ipsec/profile\nadd", f);
	named(f, "name", "", m->name);
	(void)fprintf(f, " enc-algorithm=%s hash-algorithm=%s \\\n    "
	    "prf-algorithm=%s dh-group=%s lifetime=%us dpd-interval=30s\n", c.enc,
	    c.hash, c.prf, c.ke, pe->ikelifetime != 0 ? pe->ikelifetime : CONF_IKELIFE);
	(void)fputs("\n# exchange-mode: RouterOS's default is main, which is "
	    "IKEv1.\n/ip/ipsec/peer\nadd", f);
	named(f, "name", "", m->name);
	if (pe->remotename != NULL)
		(void)fprintf(f, " address=%s", end);
	else if (end != NULL)
		(void)fprintf(f, " address=%s/%zu", end, 8 * addr_len(&pe->remote));
	else
		(void)fprintf(f, " address=%s passive=yes", pe->local.fam == ADDR_V6 ?
		    "::/0" : "0.0.0.0/0");
	if (mirror_addr_known(&pe->local))
		(void)fprintf(f, " local-address=%s", addr_str(&pe->local, s));
	(void)fputs(" \\\n    exchange-mode=ike2", f);
	named(f, "profile", "", m->name);
	(void)fputs("\n\n/ip/ipsec/identity\nadd", f);
	named(f, "peer", "", m->name);
	(void)fprintf(f, " auth-method=pre-shared-key generate-policy=%s",
	    m->tunnel.dyn != DYN_NO ? "port-strict" : "no");
	if (m->tunnel.dyn == DYN_FROM)
		(void)fputs(" mode-config=request-only", f);
	(void)fputs(" \\\n   ", f);
	ident(f, "my-id", &pe->srcid, &pe->local, "auto");
	ident(f, "remote-id", &pe->dstid, &pe->remote, "ignore");
	(void)fprintf(f, " \\\n    secret=\"%s\"\n", m->secret);
}

/* protocol, and the port of one side. */
static void
policy_proto(FILE *f, const struct ts *from, const struct ts *to)
{
	const char *w = word_proto(from->proto);

	if (from->proto == 0)
		(void)fputs(" protocol=all", f);
	else if (w != NULL)
		(void)fprintf(f, " protocol=%s", w);
	else
		(void)fprintf(f, " protocol=%u", from->proto);
	if (from->sport == from->eport)
		(void)fprintf(f, " src-port=%u", from->sport);
	if (to->sport == to->eport)
		(void)fprintf(f, " dst-port=%u", to->sport);
}

static void
phase2(FILE *f, const struct mirror *m)
{
	const struct conf_tunnel *t = &m->tunnel;
	struct chosen c;
	char a[PREFIX_STRLEN], b[PREFIX_STRLEN];
	unsigned int i, j;

	choose_esp(t->esp, &c);
	(void)fputs("\n# Phase 2.  Where pfs-group differs, the tunnel ends with its "
	    "first rekey.\n", f);
	tell(f, m, &c, "ESP");
	(void)fputs("/ip/ipsec/proposal\nadd", f);
	named(f, "name", "", m->name);
	(void)fprintf(f, " enc-algorithms=%s \\\n    auth-algorithms=%s pfs-group=%s "
	    "lifetime=%us\n", c.enc, c.hash[0] != '\0' ? c.hash : "\"\"", c.ke,
	    t->lifetime);
	(void)fputs("\n/ip/ipsec/policy\n", f);
	for (i = 0; i < t->from.n; i++)
		for (j = 0; j < t->to.n; j++) {
			if (!conf_is_pair(t, i, j))
				continue;
			(void)fputs("add", f);
			if (t->dyn == DYN_NO) {
				named(f, "peer", "", m->name);
				(void)fprintf(f, " tunnel=%s", t->transport ? "no" :
				    "yes");
			} else
				(void)fputs(" template=yes group=default", f);
			(void)fprintf(f, " src-address=%s dst-address=%s \\\n   ",
			    prefix_str(&t->fromnet[i], a), prefix_str(&t->tonet[j], b));
			policy_proto(f, &t->from.t[i], &t->to.t[j]);
			if (t->dyn == DYN_NO)
				(void)fputs(" action=encrypt level=unique "
				    "ipsec-protocols=esp", f);
			named(f, "proposal", "", m->name);
			(void)fputc('\n', f);
		}
}

/* Each pair of networks once, whatever protocols. */
static int
again(const struct conf_tunnel *t, unsigned int i, unsigned int j)
{
	unsigned int k, l;

	for (k = 0; k <= i; k++)
		for (l = 0; l < t->to.n; l++)
			if ((k < i || l < j) && conf_is_pair(t, k, l) &&
			    prefix_cmp(&t->fromnet[k], &t->fromnet[i]) == 0 &&
			    prefix_cmp(&t->tonet[l], &t->tonet[j]) == 0)
				return (1);
	return (0);
}

static void
firewall_pair(FILE *f, const struct mirror *m, const char *chain, const char *more,
    const struct prefix *src, const struct prefix *dst, const char *before)
{
	char a[PREFIX_STRLEN], b[PREFIX_STRLEN];

	(void)fprintf(f, "add chain=%s action=accept%s src-address=%s \\\n    "
	    "dst-address=%s", chain, more, prefix_str(src, a), prefix_str(dst, b));
	named(f, "comment", "IPsec: ", m->name);
	(void)fprintf(f, " \\\n    place-before=([find where %s]->0)\n", before);
}

/* Both stand above the rules of RouterOS's default configuration. */
static void
firewall(FILE *f, const struct mirror *m)
{
	const struct conf_tunnel *t = &m->tunnel;
	unsigned int i, j, pass, n = 0;

	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < t->from.n; i++)
			for (j = 0; j < t->to.n; j++) {
				if (!conf_is_pair(t, i, j) || again(t, i, j) ||
				    t->fromnet[i].addr.fam != ADDR_V4)
					continue;
				if (pass == 0) {
					if (n++ == 0)
						(void)fputs("\n# NAT comes before IPsec: "
						    "above masquerade these packets keep "
						    "their addresses.\n"
						    "/ip/firewall/nat\n", f);
					firewall_pair(f, m, "srcnat", "", &t->fromnet[i],
					    &t->tonet[j], "chain=srcnat "
					    "action=masquerade");
					continue;
				}
				if (n > 0)
					(void)fputs("\n# FastTrack goes around IPsec.\n"
					    "/ip/firewall/filter\n", f);
				n = 0;
				firewall_pair(f, m, "forward", " ipsec-policy=in,ipsec",
				    &t->tonet[j], &t->fromnet[i],
				    "action=fasttrack-connection");
				firewall_pair(f, m, "forward", " ipsec-policy=out,ipsec",
				    &t->fromnet[i], &t->tonet[j],
				    "action=fasttrack-connection");
			}
}

void
mirror_routeros(FILE *f, const struct mirror *m)
{
	const struct conf_peer *pe = &m->peer;

	(void)fprintf(f, "# RouterOS 7: the other side of tunnel \"%s\" in %s.\n"
	    "# In the place of the secret stands its fingerprint: put the secret "
	    "there.\n", m->name, m->file);
	if (pe->remotename == NULL && !mirror_addr_known(&pe->remote))
		(void)fprintf(f, "# %s does not say \"local\": address=0.0.0.0/0 waits; "
		    "write that address, and passive=no, to call.\n", m->file);
	if (pe->full)
		(void)fprintf(f, "# Change %s: RouterOS cannot do what fulltranscript "
		    "wants; remove it there.\n", m->file);
	if (m->tunnel.dyn == DYN_TO)
		(void)fputs("# Not written: /ip/ipsec/mode-config with responder=yes "
		    "and an address-pool, for mode-config=.\n", f);
	phase1(f, m);
	phase2(f, m);
	if (!m->tunnel.transport && m->tunnel.dyn == DYN_NO)
		firewall(f, m);
}
