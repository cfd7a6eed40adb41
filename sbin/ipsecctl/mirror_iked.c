/* SPDX-License-Identifier: ISC */
/* The other side as iked.conf, ours and OpenBSD's. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mirror.h"

#define LOSTMAX	200

static void
head(FILE *f, const struct mirror *m, const char *what)
{
	char a[ADDR_STRLEN];

	(void)fprintf(f, "# %s: the other side of tunnel \"%s\" in %s.\n", what,
	    m->name, m->file);
	(void)fprintf(f, "# In the place of the secret stands its fingerprint: "
	    "put the secret there.\n");
	if (m->tunnel.dyn == DYN_TO)
		(void)fprintf(f, "# Add: config address NETWORK, from which "
		    "addresses are given.\n");
	if (mirror_end(m->peer.remotename, &m->peer.remote, a) == NULL)
		(void)fprintf(f, "# %s does not say \"local\": write peer and that "
		    "address to have this side call.\n", m->file);
}

/*
 * conf_print()'s statement, with the placeholder as a text that it takes for a plain
 * one ("0X").
 */
void
mirror_iked(FILE *f, const struct mirror *m)
{
	struct conf c;
	struct conf_peer pe = m->peer;
	struct conf_tunnel t = m->tunnel;
	char secret[SECRET_LEN], *s, *at, *psk;

	memset(&c, 0, sizeof(c));
	(void)strlcpy(secret, m->secret, sizeof(secret));
	secret[1] = 'X';
	pe.psk = (uint8_t *)secret;
	pe.psklen = (uint16_t)strlen(secret);
	c.npeers = c.ntunnels = 1;
	c.peers = &pe;
	c.tunnels = &t;
	head(f, m, "iked.conf");
	if ((s = conf_print(&c, 1)) == NULL)
		return;
	/* without the lines that are for all tunnels */
	at = strstr(s, "\nikev2 ");
	if (at != NULL && (psk = strstr(at, secret)) != NULL) {
		psk[1] = 'x';
		(void)fputs(at + 1, f);
	}
	free(s);
}

/* OpenIKED knows no lists: each network with each. */
static void
bsd_nets(FILE *f, const struct conf_tunnel *t)
{
	char a[PREFIX_STRLEN], b[PREFIX_STRLEN];
	unsigned int i, j;

	for (i = 0; i < t->from.n; i++)
		for (j = 0; j < t->to.n; j++) {
			if (!conf_is_pair(t, i, j) ||
			    t->from.t[i].proto != t->from.t[0].proto)
				continue;
			(void)fprintf(f, " \\\n\tfrom %s", t->dyn == DYN_FROM ?
			    "dynamic" : prefix_str(&t->fromnet[i], a));
			if (t->from.t[i].sport == t->from.t[i].eport)
				(void)fprintf(f, " port %u", t->from.t[i].sport);
			(void)fprintf(f, " to %s", t->dyn == DYN_TO ? "dynamic" :
			    prefix_str(&t->tonet[j], b));
			if (t->to.t[j].sport == t->to.t[j].eport)
				(void)fprintf(f, " port %u", t->to.t[j].sport);
		}
}

static void
bsd_protos(FILE *f, const struct conf_tunnel *t)
{
	unsigned int i, k, n = 0;

	if (t->from.t[0].proto == 0)
		return;
	(void)fputs(" proto {", f);
	for (i = 0; i < t->from.n; i++) {
		for (k = 0; k < i; k++)
			if (t->from.t[k].proto == t->from.t[i].proto)
				break;
		if (k == i)
			(void)fprintf(f, "%s %u", n++ > 0 ? "," : "",
			    t->from.t[i].proto);
	}
	(void)fputs(" }", f);
}

/* " enc a enc b": the first of a type carries its keyword in sep, too. */
static unsigned int
bsd_type(FILE *f, const struct proposal *p, uint8_t type, int esp, const char *kw,
    char *lost)
{
	char words[600] = "", sep[16];
	unsigned int n;

	(void)snprintf(sep, sizeof(sep), " %s", kw);
	n = mirror_words(words, sizeof(words), p, type, FORM_OPENBSD, esp, sep, lost,
	    LOSTMAX);
	if (n > 0 && f != NULL)
		(void)fprintf(f, " %s%s", kw, words);
	return (n);
}

static void
bsd_proposals(FILE *f, const struct proposals *ps, int esp, char *lost)
{
	unsigned int i;

	for (i = 0; i < ps->n; i++) {
		/* without a cipher that it knows it would mean all of them */
		if (bsd_type(NULL, &ps->p[i], XF_ENCR, esp, "", lost) == 0)
			continue;
		(void)fprintf(f, " \\\n\t%s", esp ? "childsa" : "ikesa");
		(void)bsd_type(f, &ps->p[i], XF_ENCR, esp, "enc ", lost);
		(void)bsd_type(f, &ps->p[i], XF_INTEG, esp, "auth ", lost);
		(void)bsd_type(f, &ps->p[i], XF_PRF, esp, "prf ", lost);
		(void)bsd_type(f, &ps->p[i], XF_KE, esp, "group ", lost);
		(void)bsd_type(f, &ps->p[i], XF_SN, esp, "", lost);
	}
}

static void
bsd_id(FILE *f, const char *kw, const struct ident *id, const struct addr *a)
{
	char s[ID_STRLEN], as[ADDR_STRLEN];

	if (id->type == ID_FQDN || id->type == ID_RFC822_ADDR)
		(void)fprintf(f, " \\\n\t%s \"%.*s\"", kw, (int)id->len,
		    (const char *)id->data);
	else if (id->type == ID_NONE && mirror_addr_known(a))
		(void)fprintf(f, " \\\n\t%s \"%s\"", kw, addr_str(a, as));
	else if (id->type == ID_IPV4_ADDR || id->type == ID_IPV6_ADDR)
		(void)fprintf(f, " \\\n\t%s \"%s\"", kw, ident_conf(id, s));
}

static void
bsd_ids_told(FILE *f, const struct mirror *m)
{
	const struct conf_peer *pe = &m->peer;
	char s[ID_STRLEN];
	unsigned int i;

	if (pe->srcid.type == ID_NONE && !mirror_addr_known(&pe->local))
		(void)fputs("# Change: add srcid and this side's address; its default "
		    "there is the host's name.\n", f);
	for (i = 0; i < 2; i++) {
		const struct ident *id = i == 0 ? &pe->srcid : &pe->dstid;

		if (id->type == ID_KEY_ID)
			(void)fprintf(f, "# Change %s in %s: OpenIKED has no key ids, "
			    "as %s is.\n", i == 0 ? "dstid" : "srcid", m->file,
			    ident_str(id, s));
	}
}

/* What it lacks is known only after everything was written, so that goes last. */
static void
bsd_lost(FILE *f, const struct mirror *m, const char *ike, const char *esp)
{
	if (ike[0] != '\0')
		(void)fprintf(f, "# Left out, OpenIKED does not have it for the IKE "
		    "SA: %s.\n", ike);
	if (esp[0] != '\0')
		(void)fprintf(f, "# Left out, OpenIKED does not have it for ESP: "
		    "%s.\n", esp);
	if (m->peer.full)
		(void)fprintf(f, "# Change %s: OpenIKED cannot do what fulltranscript "
		    "wants; remove it there.\n", m->file);
	if (m->tunnel.single)
		(void)fputs("# OpenIKED puts all networks into one Child SA; with "
		    "`single' on our side write one statement for each pair.\n", f);
}

/* Positions are fixed there (its iked.conf(5)), and defaults are other ones: all is
 * said. */
void
mirror_openbsd(FILE *f, const struct mirror *m)
{
	const struct conf_tunnel *t = &m->tunnel;
	const struct conf_peer *pe = &m->peer;
	char s[ADDR_STRLEN], ike[LOSTMAX] = "", esp[LOSTMAX] = "";
	const char *end;
	unsigned int i;

	head(f, m, "OpenBSD iked.conf");
	bsd_ids_told(f, m);
	/* no natt: ours is enough, and releases before 7.3 do not know the word */
	(void)fprintf(f, "ikev2 \"%s\" %s %s esp", m->name,
	    t->mode == MODE_PASSIVE ? "passive" : "active",
	    t->transport ? "transport" : "tunnel");
	bsd_protos(f, t);
	bsd_nets(f, t);
	(void)fputs(" \\\n\t", f);
	if ((end = mirror_end(pe->localname, &pe->local, s)) != NULL)
		(void)fprintf(f, "local %s ", end);
	(void)fprintf(f, "peer %s", pe->remotename != NULL ? pe->remotename :
	    addr_str(&pe->remote, s));
	bsd_proposals(f, pe->ike, 0, ike);
	bsd_proposals(f, t->esp, 1, esp);
	bsd_id(f, "srcid", &pe->srcid, &pe->local);
	bsd_id(f, "dstid", &pe->dstid, &pe->remote);
	(void)fprintf(f, " \\\n\tikelifetime %u lifetime %u", pe->ikelifetime != 0 ?
	    pe->ikelifetime : CONF_IKELIFE, t->lifetime);
	if (t->lifebytes != 0)
		(void)fprintf(f, " bytes %" PRIu64, t->lifebytes);
	(void)fprintf(f, " \\\n\tpsk \"%s\"", m->secret);
	for (i = 0; i < t->ask.n; i++)
		(void)fprintf(f, " \\\n\trequest %s any",
		    t->ask.a[i].type == CP_IP4_ADDRESS ||
		    t->ask.a[i].type == CP_IP6_ADDRESS ? "address" : "name-server");
	(void)fputc('\n', f);
	bsd_lost(f, m, ike, esp);
}
