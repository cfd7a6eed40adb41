/* SPDX-License-Identifier: ISC */
/* The other side as strongSwan's swanctl.conf. */

#include <string.h>

#include "mirror.h"
#include "base/xform.h"

#define LISTMAX	600

/* Section names have fewer characters than our names. */
static const char *
section(const char *name, char dst[CONF_NAMELEN])
{
	size_t i;

	(void)strlcpy(dst, name, CONF_NAMELEN);
	for (i = 0; dst[i] != '\0'; i++)
		if (strchr(".,:{}=\"# \t", dst[i]) != NULL)
			dst[i] = '_';
	return (dst);
}

static void
proposal(FILE *f, const struct proposal *p, int esp, char *lost)
{
	static const uint8_t types[] = { XF_ENCR, XF_INTEG, XF_PRF, XF_KE, XF_SN };
	char words[LISTMAX];
	unsigned int i, n = 0;

	for (i = 0; i < sizeof(types); i++) {
		words[0] = '\0';
		if (mirror_words(words, sizeof(words), p, types[i], FORM_SWANCTL, esp,
		    "-", lost, LISTMAX) > 0)
			(void)fprintf(f, "%s%s", n++ > 0 ? "-" : "", words);
	}
}

static void
proposals(FILE *f, const char *key, const struct proposals *ps, int esp, char *lost)
{
	unsigned int i;

	(void)fprintf(f, "%s = ", key);
	for (i = 0; i < ps->n; i++) {
		if (i > 0)
			(void)fputs(", ", f);
		proposal(f, &ps->p[i], esp, lost);
	}
	(void)fputc('\n', f);
}

/* Gives 0 when there is nothing to say. */
static int
ident(FILE *f, const char *before, const struct ident *id, const struct addr *a)
{
	char s[ID_STRLEN];
	unsigned int i;

	if (id->type == ID_NONE && !mirror_addr_known(a))
		return (0);
	(void)fprintf(f, "%s = ", before);
	switch (id->type) {
	case ID_NONE:
		(void)fputs(addr_str(a, s), f);
		break;
	case ID_FQDN:
		(void)fprintf(f, "\"fqdn:%.*s\"", (int)id->len, (const char *)id->data);
		break;
	case ID_RFC822_ADDR:
		(void)fprintf(f, "\"email:%.*s\"", (int)id->len,
		    (const char *)id->data);
		break;
	case ID_KEY_ID:
		(void)fputs("\"keyid:#", f);
		for (i = 0; i < id->len; i++)
			(void)fprintf(f, "%02x", id->data[i]);
		(void)fputc('"', f);
		break;
	default:
		{
			struct addr own;

			(void)addr_from_bytes(&own, id->data, id->len);
			(void)fputs(addr_str(&own, s), f);
		}
	}
	(void)fputc('\n', f);
	return (1);
}

static void
selector(FILE *f, const struct prefix *net, const struct ts *ts)
{
	char s[PREFIX_STRLEN];

	(void)fputs(prefix_str(net, s), f);
	if (ts->proto == 0)
		return;
	(void)fprintf(f, "[%u", ts->proto);
	if (ts->sport == ts->eport)
		(void)fprintf(f, "/%u", ts->sport);
	(void)fputc(']', f);
}

static void
side(FILE *f, const char *key, const struct prefix *nets, const struct tslist *ts,
    int dynamic)
{
	unsigned int i;

	(void)fprintf(f, "\t\t\t\t%s = ", key);
	for (i = 0; i < ts->n && !dynamic; i++) {
		if (i > 0)
			(void)fputs(", ", f);
		selector(f, &nets[i], &ts->t[i]);
	}
	(void)fputs(dynamic ? "dynamic\n" : "\n", f);
}

static void
pair(FILE *f, const struct conf_tunnel *t, unsigned int i, unsigned int j)
{
	(void)fputs("\t\t\t\tlocal_ts = ", f);
	selector(f, &t->fromnet[i], &t->from.t[i]);
	(void)fputs("\n\t\t\t\tremote_ts = ", f);
	selector(f, &t->tonet[j], &t->to.t[j]);
	(void)fputc('\n', f);
}

static void
child_rest(FILE *f, const struct mirror *m, char *lost)
{
	const struct conf_tunnel *t = &m->tunnel;

	(void)fputs("\t\t\t\t", f);
	proposals(f, "esp_proposals", t->esp, 1, lost);
	(void)fprintf(f, "\t\t\t\trekey_time = %us\n\t\t\t\tlife_time = %us\n",
	    t->lifetime / 10 * 9, t->lifetime);
	if (t->lifebytes != 0)
		(void)fprintf(f, "\t\t\t\trekey_bytes = %llu\n\t\t\t\tlife_bytes = "
		    "%llu\n", (unsigned long long)(t->lifebytes / 10 * 9),
		    (unsigned long long)t->lifebytes);
	(void)fprintf(f, "\t\t\t\tmode = %s\n", t->transport ? "transport" : "tunnel");
	(void)fprintf(f, "\t\t\t\tstart_action = %s\n%s\t\t\t}\n",
	    t->mode == MODE_PASSIVE ? "none" : t->mode == MODE_ACTIVE ? "start" :
	    "trap", t->mode == MODE_ACTIVE ? "\t\t\t\tdpd_action = restart\n" : "");
}

static void
children(FILE *f, const struct mirror *m, const char *name, char *lost)
{
	const struct conf_tunnel *t = &m->tunnel;
	unsigned int i, j, n = 0;

	(void)fputs("\t\tchildren {\n", f);
	if (!t->single) {
		(void)fprintf(f, "\t\t\t%s {\n", name);
		side(f, "local_ts", t->fromnet, &t->from, t->dyn == DYN_FROM);
		side(f, "remote_ts", t->tonet, &t->to, t->dyn == DYN_TO);
		child_rest(f, m, lost);
	}
	for (i = 0; t->single && i < t->from.n; i++)
		for (j = 0; j < t->to.n; j++)
			if (conf_is_pair(t, i, j)) {
				(void)fprintf(f, "\t\t\t%s-%u {\n", name, ++n);
				pair(f, t, i, j);
				child_rest(f, m, lost);
			}
	(void)fputs("\t\t}\n", f);
}

static void
connection(FILE *f, const struct mirror *m, const char *name, char *lost, char *lostesp)
{
	const struct conf_peer *pe = &m->peer;
	char s[ADDR_STRLEN];
	const char *end;
	uint32_t life = pe->ikelifetime != 0 ? pe->ikelifetime : CONF_IKELIFE;

	(void)fprintf(f, "connections {\n\t%s {\n\t\tversion = 2\n", name);
	if ((end = mirror_end(pe->localname, &pe->local, s)) != NULL)
		(void)fprintf(f, "\t\tlocal_addrs = %s\n", end);
	if ((end = mirror_end(pe->remotename, &pe->remote, s)) != NULL)
		(void)fprintf(f, "\t\tremote_addrs = %s\n", end);
	(void)fputs("\t\t", f);
	proposals(f, "proposals", pe->ike, 0, lost);
	(void)fprintf(f, "\t\trekey_time = %us\n\t\tover_time = %us\n", life / 10 * 9,
	    life / 10);
	(void)fputs("\t\tdpd_delay = 60s\n", f);
	if (pe->natt)
		(void)fputs("\t\tencap = yes\n", f);
	if (m->tunnel.dyn == DYN_FROM)
		(void)fputs("\t\tvips = 0.0.0.0\n", f);
	if (m->tunnel.dyn == DYN_TO)
		(void)fprintf(f, "\t\tpools = %s\n", name);
	(void)fputs("\t\tlocal {\n\t\t\tauth = psk\n", f);
	(void)ident(f, "\t\t\tid", &pe->srcid, &pe->local);
	(void)fputs("\t\t}\n\t\tremote {\n\t\t\tauth = psk\n", f);
	(void)ident(f, "\t\t\tid", &pe->dstid, &pe->remote);
	(void)fputs("\t\t}\n", f);
	children(f, m, name, lostesp);
	(void)fputs("\t}\n}\n", f);
}

void
mirror_swanctl(FILE *f, const struct mirror *m)
{
	const struct conf_peer *pe = &m->peer;
	char name[CONF_NAMELEN], lost[LISTMAX] = "", lostesp[LISTMAX] = "";

	(void)section(m->name, name);
	(void)fprintf(f, "# swanctl.conf: the other side of tunnel \"%s\" in %s.\n"
	    "# In the place of the secret stands its fingerprint: put the secret there "
	    "and remove\n# the # before it.\n", m->name, m->file);
	if (pe->remotename == NULL && !mirror_addr_known(&pe->remote))
		(void)fprintf(f, "# %s does not say \"local\": write remote_addrs to "
		    "call.\n", m->file);
	if (pe->full)
		(void)fprintf(f, "# Change %s: strongSwan cannot do what fulltranscript "
		    "wants; remove it there.\n", m->file);
	connection(f, m, name, lost, lostesp);
	if (m->tunnel.dyn == DYN_TO)
		(void)fprintf(f, "# Not written: pools { %s { addrs = ... } }\n", name);
	(void)fprintf(f, "secrets {\n\tike-%s {\n", name);
	(void)ident(f, "\t\tid-1", &pe->srcid, &pe->local);
	(void)ident(f, "\t\tid-2", &pe->dstid, &pe->remote);
	/* strongSwan would take it for a hexadecimal number */
	(void)fprintf(f, "\t\t# secret = \"%s\"\n\t}\n}\n", m->secret);
	if (lost[0] != '\0')
		(void)fprintf(f, "# Left out, strongSwan does not have it for the IKE "
		    "SA: %s.\n", lost);
	if (lostesp[0] != '\0')
		(void)fprintf(f, "# Left out, strongSwan does not have it for ESP: "
		    "%s.\n", lostesp);
}
