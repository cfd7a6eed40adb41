/* SPDX-License-Identifier: ISC */
/* swanctl.conf as a side: connections with their children, and the secrets for them. */

#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

#include "side.h"
#include "side_swan.h"

struct map {
	struct side		*s;
	struct swan_file	 f;
	const struct swan	*conn;		/* the one under way */
	uint32_t		 peer;
	int			 vips, pools, startable;
};

static struct place
at_line(const struct map *m, unsigned int line)
{
	struct place p = { m->s->file, line };

	return (p);
}

static struct place
place(const struct map *m, const struct swan *s, const char *name)
{
	const struct swan_key *k = s == NULL ? NULL : swan_key(&m->f, s, name);

	return (at_line(m, k != NULL ? k->line : s != NULL ? s->line : 0));
}

static const char *
get(const struct map *m, const struct swan *s, const char *name, const char *other)
{
	const struct swan_key *k = s == NULL ? NULL : swan_key(&m->f, s, name);

	return (k != NULL ? k->value : other);
}

static int
yes(const char *s)
{
	return (strcmp(s, "yes") == 0 || strcmp(s, "1") == 0 || strcmp(s, "true") == 0 ||
	    strcmp(s, "enabled") == 0);
}

/* Seconds, or with s, m, h, d; 0 when it is none. */
static uint32_t
seconds(const char *s)
{
	char *end;
	unsigned long n = strtoul(s, &end, 10);
	uint32_t unit = *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : 1;

	return (n > UINT32_MAX / unit ? 0 : (uint32_t)n * unit);
}

/* What "default" stands for in strongSwan 5.9 and 6.0, as far as others know it. */
static const char *
default_proposal(int esp, int aead)
{
	if (esp)
		return (aead ? "aes128gcm16-aes192gcm16-aes256gcm16" :
		    "aes128-aes192-aes256-sha256-sha384-sha512-sha1-aesxcbc");
	return (aead ? "aes128gcm16-aes192gcm16-aes256gcm16-chacha20poly1305-prfsha256-"
	    "prfsha384-prfsha512-prfsha1-curve25519-ecp256-ecp384-ecp521-modp3072-"
	    "modp4096-modp6144-modp8192-modp2048" :
	    "aes128-aes192-aes256-sha256-sha384-sha512-sha1-aesxcbc-prfsha256-prfsha384-"
	    "prfsha512-prfsha1-curve25519-ecp256-ecp384-ecp521-modp3072-modp4096-"
	    "modp6144-modp8192-modp2048");
}

/* A PRF that is not said is that of the integrity algorithm. */
static void
complete(struct proposal *p, int esp)
{
	static const struct { uint16_t integ, prf; } pairs[] = {
		{ INTEG_HMAC_SHA1_96, PRF_HMAC_SHA1 },
		{ INTEG_HMAC_SHA2_256_128, PRF_HMAC_SHA2_256 },
		{ INTEG_HMAC_SHA2_384_192, PRF_HMAC_SHA2_384 },
		{ INTEG_HMAC_SHA2_512_256, PRF_HMAC_SHA2_512 },
		{ 1, 1 }, { 5, 4 }, { 8, 8 } };
	unsigned int i, k, n = p->nxforms;

	if (esp && !side_has(p, XF_SN))
		side_xform(p, XF_SN, SN_32, 0);
	for (i = 0; !esp && !side_has(p, XF_PRF) && i < n; i++)
		if (p->xf[i].type == XF_INTEG)
			for (k = 0; k < sizeof(pairs) / sizeof(pairs[0]); k++)
				if (pairs[k].integ == p->xf[i].id) {
					side_xform(p, XF_PRF, pairs[k].prf, 0);
					break;
				}
}

/* "aes256-sha256-modp2048" as the next proposal. */
static void
one_proposal(struct map *m, struct proposals *ps, const char *text, int esp,
    struct place at)
{
	struct proposal *p;
	struct word_xform x;
	char list[600], *next = list, *w;

	if (ps->n == PROPS_MAX)
		return;
	p = &ps->p[ps->n];
	memset(p, 0, sizeof(*p));
	p->proto = esp ? PROTO_ESP : PROTO_IKE;
	p->num = (uint8_t)(ps->n + 1);
	(void)strlcpy(list, text, sizeof(list));
	while ((w = strsep(&next, "-")) != NULL) {
		if (strncmp(w, "ke", 2) == 0 && w[2] >= '1' && w[2] <= '7' &&
		    w[3] == '_') {
			side_note(m->s, at, "%.60s: additional key exchanges are not "
			    "compared", w);
			continue;
		}
		if (word_parse(FORM_SWANCTL, esp, 0, w, &x) == -1)
			side_note(m->s, at, "\"%.40s\" is no algorithm that is known "
			    "here: not compared", w);
		else if (x.type != XF_KE || x.id != KE_NONE || esp)
			side_xform(p, x.type, x.id, x.keybits);
	}
	complete(p, esp);
	ps->n++;
}

static const struct proposals *
proposals(struct map *m, const struct swan *s, const char *name, int esp)
{
	struct proposals ps;
	struct place at = place(m, s, name);
	char list[4096], *next = list, *w;

	memset(&ps, 0, sizeof(ps));
	(void)strlcpy(list, get(m, s, name, "default"), sizeof(list));
	while ((w = strsep(&next, ",")) != NULL) {
		w += strspn(w, " \t\n");
		w[strcspn(w, " \t\n")] = '\0';
		if (*w == '\0')
			continue;
		if (strcmp(w, "default") == 0) {
			one_proposal(m, &ps, default_proposal(esp, 1), esp, at);
			one_proposal(m, &ps, default_proposal(esp, 0), esp, at);
		} else
			one_proposal(m, &ps, w, esp, at);
	}
	return (side_props(m->s, &ps));
}

/* The single address, or else a network or a name; of several addresses none counts,
 * and they are said as they stand. */
static void
addresses(struct map *m, const struct swan *s, const char *name, struct addr *a,
    struct prefix *net, char host[SIDE_NAMELEN])
{
	const char *text = get(m, s, name, "%any");
	char list[1024], *next = list, *w;
	struct prefix p;
	struct addr one;
	unsigned int n = 0;

	(void)strlcpy(list, text, sizeof(list));
	while ((w = strsep(&next, ", ")) != NULL) {
		if (*w == '\0' || strncmp(w, "%any", 4) == 0 ||
		    strcmp(w, "0.0.0.0/0") == 0 || strcmp(w, "::/0") == 0)
			continue;
		if (addr_parse(&one, w) == 0) {
			*a = one;
			n++;
		} else if (prefix_parse(&p, w) == 0) {
			if (net != NULL)
				*net = p;
		} else if (host != NULL && host[0] == '\0')
			side_name(host, w);
	}
	if (n < 2)
		return;
	memset(a, 0, sizeof(*a));
	if (host != NULL)
		side_name(host, text);
}

static int
from_hex(struct ident *id, const char *s)
{
	char text[2 * ID_MAXLEN + 10];

	(void)snprintf(text, sizeof(text), "keyid:0x%s", s);
	return (ident_parse(id, text));
}

/* As strongSwan guesses types.  0, 1: any, -1: not one that we know. */
static int
ident(struct ident *id, const char *s)
{
	static const struct { const char *swan; uint8_t type; } kinds[] = {
		{ "fqdn:", ID_FQDN }, { "dns:", ID_FQDN }, { "email:", ID_RFC822_ADDR },
		{ "rfc822:", ID_RFC822_ADDR }, { "userfqdn:", ID_RFC822_ADDR },
		{ "keyid:", ID_KEY_ID }, { "ipv4:", ID_IPV4_ADDR },
		{ "ipv6:", ID_IPV6_ADDR } };
	struct addr a;
	size_t i, n;

	memset(id, 0, sizeof(*id));
	if (*s == '\0' || strncmp(s, "%any", 4) == 0)
		return (1);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		n = strlen(kinds[i].swan);
		if (strncmp(s, kinds[i].swan, n) != 0)
			continue;
		s += n;
		if (*s == '#') {
			if (from_hex(id, s + 1) == -1)
				return (-1);
		} else {
			if (*s == '\0' || strlen(s) > ID_MAXLEN)
				return (-1);
			id->len = (uint8_t)strlen(s);
			memcpy(id->data, s, id->len);
		}
		id->type = kinds[i].type;
		return (0);
	}
	if (addr_parse(&a, s) == 0) {
		id->type = a.fam == ADDR_V4 ? ID_IPV4_ADDR : ID_IPV6_ADDR;
		id->len = (uint8_t)addr_len(&a);
		memcpy(id->data, a.b, id->len);
		return (0);
	}
	if (strchr(s, '=') != NULL || strchr(s, '*') != NULL || strlen(s) > ID_MAXLEN)
		return (-1);
	if (s[0] == '@' && s[1] == '#') {
		return (from_hex(id, s + 2));
	} else if (s[0] == '@' && s[1] == '@') {
		s += 2;
		id->type = ID_RFC822_ADDR;
	} else if (s[0] == '@') {
		s++;
		id->type = ID_FQDN;
	} else
		id->type = strchr(s, '@') != NULL ? ID_RFC822_ADDR : ID_FQDN;
	id->len = (uint8_t)strlen(s);
	memcpy(id->data, s, id->len);
	return (0);
}

static int
first_of(void *arg, const struct swan *s)
{
	*(const struct swan **)arg = s;
	return (1);
}

static void
ids(struct map *m, struct side_peer *p)
{
	const struct swan *l = NULL, *r = NULL;
	const char *my, *his, *auth;
	int i;

	(void)swan_each(&m->f, m->conn, "local", first_of, &l);
	(void)swan_each(&m->f, m->conn, "remote", first_of, &r);
	p->at_my = l != NULL ? place(m, l, "id") : at_line(m, m->conn->line);
	p->at_his = r != NULL ? place(m, r, "id") : at_line(m, m->conn->line);
	my = get(m, l, "id", "");
	his = get(m, r, "id", "%any");
	if (ident(&p->my, my) == -1) {
		side_note(m->s, p->at_my, "id = %.60s is not compared", my);
		p->my_unknown = 1;
	}
	if ((i = ident(&p->his, his)) == -1)
		side_note(m->s, p->at_his, "id = %.60s is not compared", his);
	p->his_any = i != 0;
	auth = get(m, l, "auth", "pubkey");
	if (strcmp(auth, "psk") == 0)
		auth = get(m, r, "auth", "pubkey");
	(void)strlcpy(p->auth, auth, sizeof(p->auth));
}

/* ---- secrets ---- */

struct best {
	struct map		*m;
	struct side_peer	*p;
	const struct swan	*found;
	int			 score;
};

static int
id_fits(const struct ident *want, const struct addr *a, const struct ident *id)
{
	struct ident own;

	memset(&own, 0, sizeof(own));
	if (want->type == ID_NONE) {
		own.type = a->fam == ADDR_V4 ? ID_IPV4_ADDR : ID_IPV6_ADDR;
		own.len = (uint8_t)addr_len(a);
		memcpy(own.data, a->b, own.len);
		want = &own;
	}
	return (ident_equal(want, id));
}

/* The one whose identities fit best, as strongSwan chooses. */
static int
consider(void *arg, const struct swan *s)
{
	struct best *b = arg;
	struct ident id;
	unsigned int i, n = 0;
	int score = 0;

	for (i = 0; i < s->nkeys; i++) {
		if (strncmp(s->keys[i].name, "id", 2) != 0 ||
		    s->keys[i].value == NULL)
			continue;
		n++;
		if (ident(&id, s->keys[i].value) != 0)
			score += 1;
		else if (id_fits(&b->p->my, &b->p->local, &id))
			score += 2;
		else if (id_fits(&b->p->his, &b->p->remote, &id))
			score += 3;
	}
	if (n > 0 && score == 0)
		return (0);
	if (score > b->score) {
		b->score = score;
		b->found = s;
	}
	return (0);
}

/* Text, 0x and hexadecimal, or 0s and base 64. */
static void
take_secret(struct map *m, struct side_peer *p, const struct swan_key *k)
{
	uint8_t *raw;
	size_t n = 0, i;
	unsigned int v;
	int len, pad = 0;

	if ((raw = calloc(1, k->len + 4)) == NULL) {
		m->s->nomem = 1;
		return;
	}
	if (strncmp(k->value, "0x", 2) == 0 && k->len % 2 == 0 && k->len > 2 &&
	    strspn(k->value + 2, "0123456789abcdefABCDEF") == k->len - 2) {
		for (i = 2; i < k->len && sscanf(k->value + i, "%2x", &v) == 1; i += 2)
			raw[n++] = (uint8_t)v;
	} else if (strncmp(k->value, "0s", 2) == 0 && (k->len - 2) % 4 == 0 &&
	    k->len < 8192 && (len = EVP_DecodeBlock(raw, (const uint8_t *)k->value + 2,
	    (int)k->len - 2)) > 0) {
		for (i = k->len; i > 2 && k->value[i - 1] == '='; i--)
			pad++;
		n = (size_t)(len > pad ? len - pad : 0);
	} else {
		memcpy(raw, k->value, k->len);
		n = k->len;
	}
	side_secret(m->s, p, raw, n, at_line(m, k->line));
	explicit_bzero(raw, k->len + 4);
	free(raw);
}

static void
secret(struct map *m, struct side_peer *p)
{
	const struct swan *s = swan_sub(&m->f, &m->f.root, "secrets");
	struct best b = { m, p, NULL, -1 };
	const struct swan_key *k;

	p->at_secret = at_line(m, s != NULL ? s->line : m->conn->line);
	if (s == NULL)
		return;
	(void)swan_each(&m->f, s, "ike", consider, &b);
	if (b.found != NULL && (k = swan_key(&m->f, b.found, "secret")) != NULL)
		take_secret(m, p, k);
}

/* ---- children ---- */

/* "10.1.0.0/24[tcp/443]", "dynamic[gre]". */
static void
selector(struct map *m, struct side_child *c, char *w, int local, struct place at)
{
	const struct side_peer *p = &m->s->peers[c->peer];
	const struct addr *own = local ? &p->local : &p->remote;
	struct side_sel sel;
	char *br = strchr(w, '['), *slash;
	int proto = 0;

	memset(&sel, 0, sizeof(sel));
	if (br != NULL) {
		*br++ = '\0';
		br[strcspn(br, "]")] = '\0';
		if ((slash = strchr(br, '/')) != NULL) {
			*slash = '\0';
			sel.port = (uint16_t)strtoul(slash + 1, NULL, 10);
		}
		proto = word_proto_parse(br);
		if (proto == -1)
			side_note(m->s, at, "\"%.40s\" is no protocol that is known here",
			    br);
		sel.proto = (uint8_t)(proto > 0 ? proto : 0);
	}
	if (strcmp(w, "dynamic") == 0) {
		sel.any = own->fam == ADDR_NONE || (local ? m->vips : m->pools);
		if (!sel.any) {
			sel.net.addr = *own;
			sel.net.len = (uint8_t)(8 * addr_len(own));
		}
	} else if (prefix_parse(&sel.net, w) == -1) {
		side_note(m->s, at, "\"%.60s\" is no network", w);
		return;
	}
	if (local)
		(void)side_sel_add(m->s, &c->from, &c->nfrom, &sel);
	else
		(void)side_sel_add(m->s, &c->to, &c->nto, &sel);
}

static void
selectors(struct map *m, struct side_child *c, const struct swan *s, int local)
{
	const char *name = local ? "local_ts" : "remote_ts";
	char list[8192], *next = list, *w;

	(void)strlcpy(list, get(m, s, name, "dynamic"), sizeof(list));
	while ((w = strsep(&next, ", \t\n")) != NULL)
		if (*w != '\0')
			selector(m, c, w, local, place(m, s, name));
}

static int
child(void *arg, const struct swan *s)
{
	struct map *m = arg;
	const char *mode = get(m, s, "mode", "tunnel"), *start = get(m, s,
	    "start_action", "none");
	struct side_child *c;

	if (strcmp(mode, "pass") == 0 || strcmp(mode, "drop") == 0 ||
	    (c = side_child_new(m->s, m->peer)) == NULL)
		return (0);
	side_name(c->name, s->name);
	c->at = at_line(m, s->line);
	c->at_from = place(m, s, "local_ts");
	c->at_to = place(m, s, "remote_ts");
	c->at_esp = c->at_pfs = place(m, s, "esp_proposals");
	c->at_mode = place(m, s, "mode");
	c->at_life = place(m, s, swan_key(&m->f, s, "life_time") != NULL ?
	    "life_time" : "rekey_time");
	c->transport = strcmp(mode, "transport") == 0;
	c->ah = swan_key(&m->f, s, "ah_proposals") != NULL;
	c->life = seconds(get(m, s, "life_time", "0"));
	if (c->life == 0) {
		c->life = seconds(get(m, s, "rekey_time", "1h"));
		c->life += c->life / 10;
	}
	c->esp = proposals(m, s, "esp_proposals", 1);
	selectors(m, c, s, 1);
	selectors(m, c, s, 0);
	m->startable |= strstr(start, "start") != NULL || strstr(start, "trap") != NULL;
	return (0);
}

static int
connection(void *arg, const struct swan *s)
{
	struct map *m = arg;
	const struct swan *kids;
	struct side_peer *p;
	uint32_t rekey;

	if ((p = side_peer_new(m->s)) == NULL)
		return (1);
	m->conn = s;
	m->peer = m->s->npeers - 1;
	m->vips = swan_key(&m->f, s, "vips") != NULL;
	m->pools = swan_key(&m->f, s, "pools") != NULL;
	m->startable = 0;
	side_name(p->name, s->name);
	p->at = at_line(m, s->line);
	p->at_local = place(m, s, "local_addrs");
	p->at_remote = place(m, s, "remote_addrs");
	p->at_version = place(m, s, "version");
	p->at_ike = place(m, s, "proposals");
	p->at_life = place(m, s, "rekey_time");
	p->at_natt = place(m, s, "encap");
	addresses(m, s, "local_addrs", &p->local, NULL, NULL);
	addresses(m, s, "remote_addrs", &p->remote, &p->remotenet, p->remotename);
	p->version = (uint8_t)strtoul(get(m, s, "version", "0"), NULL, 10);
	p->natt = yes(get(m, s, "encap", "no")) ? NATT_FORCED : NATT_AUTO;
	p->ike = proposals(m, s, "proposals", 0);
	rekey = seconds(get(m, s, "rekey_time", "4h"));
	p->ikelife = rekey + seconds(get(m, s, "over_time", "0"));
	if (p->ikelife == rekey)
		p->ikelife += rekey / 10;
	ids(m, p);
	secret(m, p);
	if ((kids = swan_sub(&m->f, s, "children")) != NULL)
		(void)swan_each(&m->f, kids, "", child, m);
	m->s->peers[m->peer].passive = !m->startable;
	return (0);
}

int
side_swanctl(struct side *s, uint8_t *text, size_t len, FILE *err)
{
	struct map *m;
	const struct swan *conns;
	int rv = -1;

	if ((m = calloc(1, sizeof(*m))) == NULL) {
		(void)fprintf(err, "%s: no memory\n", s->file);
		return (-1);
	}
	m->s = s;
	if (swan_parse(&m->f, text, len) == -1)
		(void)fprintf(err, "%s:%u: %s\n", s->file, m->f.errline, m->f.error);
	else {
		rv = 0;
		if (m->f.include != 0)
			side_note(s, at_line(m, m->f.include), "include: that file is not "
			    "read; give it to diff itself, or put them together");
		if ((conns = swan_sub(&m->f, &m->f.root, "connections")) != NULL)
			(void)swan_each(&m->f, conns, "", connection, m);
	}
	swan_free(&m->f);
	free(m);
	return (rv);
}
