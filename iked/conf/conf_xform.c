/* SPDX-License-Identifier: ISC */
/*
 * ikesa and childsa: words -> proposals.
 *
 * Each statement is one proposal, as in OpenIKED.  Where one names AEAD ciphers
 * and others, it becomes two, for RFC 7296 3.3 wants them apart.  What a
 * statement leaves out is filled in with the defaults that fit what it says.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf_parse.h"

struct xfset {
	unsigned int	 n;
	const struct xform_info *x[PROP_MAXXFORMS / 4];
};

struct spec {
	uint8_t		 proto;
	struct pos	 pos;
	struct xfset	 encr, integ, prf, ke, sn;
};

/* OpenIKED's words that the table of transforms does not have. */
static const char *const later[] = {
	"hmac-md5", "blowfish", "cast", "aes-128-gmac", "aes-192-gmac",
	"aes-256-gmac", "modp768", "ecp192", "ecp224",
	"brainpool224", "brainpool256", "brainpool384", "brainpool512",
	"sntrup761x25519", "grp1", "grp25", "grp26", "grp27",
	"grp28", "grp29", "grp30",
};

static void
xf_put(struct xfset *s, uint8_t type, uint16_t id, uint16_t keybits)
{
	const struct xform_info	*xi = xform_info(type, id, keybits);

	if (xi != NULL && s->n < sizeof(s->x) / sizeof(s->x[0]))
		s->x[s->n++] = xi;
}

static void
default_cbc(struct xfset *s)
{
	xf_put(s, XF_ENCR, ENCR_AES_CBC, 256);
	xf_put(s, XF_ENCR, ENCR_AES_CBC, 128);
}

static void
default_integ(struct xfset *s)
{
	xf_put(s, XF_INTEG, INTEG_HMAC_SHA2_256_128, 0);
	xf_put(s, XF_INTEG, INTEG_HMAC_SHA2_384_192, 0);
	xf_put(s, XF_INTEG, INTEG_HMAC_SHA2_512_256, 0);
}

static void
default_groups(struct xfset *s)
{
	xf_put(s, XF_KE, KE_X25519, 0);
	xf_put(s, XF_KE, KE_ECP256, 0);
	xf_put(s, XF_KE, KE_ECP384, 0);
	xf_put(s, XF_KE, KE_MODP2048, 0);
	xf_put(s, XF_KE, KE_MODP3072, 0);
	xf_put(s, XF_KE, KE_MODP4096, 0);
}

/* The hash of an integrity transform as a PRF, and back. */
static const struct { uint16_t integ, prf; } pairs[] = {
	{ INTEG_HMAC_SHA1_96,		PRF_HMAC_SHA1 },
	{ INTEG_HMAC_SHA2_256_128,	PRF_HMAC_SHA2_256 },
	{ INTEG_HMAC_SHA2_384_192,	PRF_HMAC_SHA2_384 },
	{ INTEG_HMAC_SHA2_512_256,	PRF_HMAC_SHA2_512 },
};
#define NPAIRS	(sizeof(pairs) / sizeof(pairs[0]))

static void
prf_like(struct xfset *prf, const struct xfset *integ)
{
	unsigned int	 i, k;

	for (i = 0; i < integ->n; i++)
		for (k = 0; k < NPAIRS; k++)
			if (pairs[k].integ == integ->x[i]->id)
				xf_put(prf, XF_PRF, pairs[k].prf, 0);
}

static void
integ_like(struct xfset *integ, const struct xfset *prf)
{
	unsigned int	 i, k;

	for (i = 0; i < prf->n; i++)
		for (k = 0; k < NPAIRS; k++)
			if (pairs[k].prf == prf->x[i]->id)
				xf_put(integ, XF_INTEG, pairs[k].integ, 0);
}

static int
emit_set(struct proposal *pr, const struct xfset *s)
{
	unsigned int	 i;

	for (i = 0; i < s->n; i++) {
		if (pr->nxforms >= PROP_MAXXFORMS)
			return (-1);
		pr->xf[pr->nxforms].type = s->x[i]->type;
		pr->xf[pr->nxforms].id = s->x[i]->id;
		pr->xf[pr->nxforms].keybits = s->x[i]->keybits;
		pr->nxforms++;
	}
	return (0);
}

/* The proposal of the ciphers that are AEAD, or of those that are not. */
static int
emit(struct proposals *ps, const struct spec *sp, int aead)
{
	struct proposal	*pr;
	struct xfset	 encr, integ, prf;
	unsigned int	 i;

	if (ps->n >= PROPS_MAX)
		return (-1);
	pr = &ps->p[ps->n];
	memset(pr, 0, sizeof(*pr));
	pr->num = (uint8_t)(ps->n + 1);
	pr->proto = sp->proto;
	pr->spilen = sp->proto == PROTO_ESP ? 4 : 0;

	memset(&encr, 0, sizeof(encr));
	for (i = 0; i < sp->encr.n; i++)
		if (sp->encr.x[i]->aead == aead)
			encr.x[encr.n++] = sp->encr.x[i];
	integ = sp->integ;
	prf = sp->prf;
	if (!aead && integ.n == 0)
		integ_like(&integ, &prf);
	if (!aead && integ.n == 0)
		default_integ(&integ);
	if (prf.n == 0)
		prf_like(&prf, &integ);
	if (prf.n == 0) {
		xf_put(&prf, XF_PRF, PRF_HMAC_SHA2_256, 0);
		xf_put(&prf, XF_PRF, PRF_HMAC_SHA2_384, 0);
	}
	if (emit_set(pr, &encr) == -1 ||
	    (!aead && emit_set(pr, &integ) == -1) ||
	    (sp->proto == PROTO_IKE && emit_set(pr, &prf) == -1) ||
	    emit_set(pr, &sp->ke) == -1 || emit_set(pr, &sp->sn) == -1)
		return (-1);
	ps->n++;
	return (0);
}

static int
emit_spec(struct proposals *ps, struct spec *sp)
{
	unsigned int	 i, naead = 0;
	int		 aead;

	if (sp->encr.n == 0) {
		/* With `auth` only, the ciphers that it is for. */
		if (sp->integ.n == 0) {
			xf_put(&sp->encr, XF_ENCR, ENCR_AES_GCM_16, 256);
			xf_put(&sp->encr, XF_ENCR, ENCR_AES_GCM_16, 128);
		}
		default_cbc(&sp->encr);
	}
	if (sp->proto == PROTO_IKE && sp->ke.n == 0)
		default_groups(&sp->ke);
	if (sp->proto == PROTO_ESP && sp->sn.n == 0)
		xf_put(&sp->sn, XF_SN, SN_32, 0);
	/* `group none` alone is no transform at all (RFC 7296 3.3.2). */
	if (sp->proto == PROTO_ESP && sp->ke.n == 1 &&
	    sp->ke.x[0]->id == KE_NONE)
		sp->ke.n = 0;
	for (i = 0; i < sp->encr.n; i++)
		naead += sp->encr.x[i]->aead;
	/* The kind that is named first is preferred. */
	aead = sp->encr.x[0]->aead;
	if (emit(ps, sp, aead) == -1)
		return (-1);
	if (naead != 0 && naead != sp->encr.n)
		return (emit(ps, sp, !aead));
	return (0);
}

/*
 * What other implementations take as they come out of the box, the strong first where
 * they are asked.  RouterOS 7 has one group for PFS, and it is this one; Windows has
 * none.  OpenIKED counts further where the kernels can.
 */
static const struct {
	const char	*name;
	uint8_t		 proto, type;
	const char	*words;
} presets[] = {
	{ "routeros", PROTO_IKE, XF_ENCR, "aes-256 aes-128" },
	{ "routeros", PROTO_IKE, XF_INTEG, "hmac-sha2-256 hmac-sha1" },
	{ "routeros", PROTO_IKE, XF_KE, "modp2048" },
	{ "routeros", PROTO_ESP, XF_ENCR, "aes-256 aes-192 aes-128" },
	{ "routeros", PROTO_ESP, XF_INTEG, "hmac-sha2-256 hmac-sha1" },
	{ "routeros", PROTO_ESP, XF_KE, "modp1024" },
	{ "windows", PROTO_IKE, XF_ENCR, "aes-256 aes-128" },
	{ "windows", PROTO_IKE, XF_INTEG, "hmac-sha2-384 hmac-sha2-256 hmac-sha1" },
	{ "windows", PROTO_IKE, XF_KE, "modp2048 modp1024" },
	{ "windows", PROTO_ESP, XF_ENCR, "aes-256 aes-128" },
	{ "windows", PROTO_ESP, XF_INTEG, "hmac-sha2-256 hmac-sha1" },
	{ "openiked", PROTO_IKE, XF_ENCR, "aes-256-gcm aes-128-gcm aes-256 aes-192 "
	    "aes-128" },
	{ "openiked", PROTO_IKE, XF_KE, "curve25519 ecp521 ecp384 ecp256 modp4096 "
	    "modp3072 modp2048" },
	{ "openiked", PROTO_ESP, XF_ENCR, "aes-256-gcm aes-128-gcm aes-256 aes-192 "
	    "aes-128" },
	{ "openiked", PROTO_ESP, XF_SN, "esn noesn" },
};

static struct xfset *
set_of(struct spec *sp, uint8_t type)
{
	switch (type) {
	case XF_ENCR:
		return (&sp->encr);
	case XF_INTEG:
		return (&sp->integ);
	case XF_KE:
		return (&sp->ke);
	default:
		return (&sp->sn);
	}
}

static void
put_words(struct xfset *s, uint8_t type, const char *words)
{
	const struct xform_info	*xi;
	char			 buf[120], *at = buf, *word;

	strlcpy(buf, words, sizeof(buf));
	while ((word = strsep(&at, " ")) != NULL)
		if ((xi = xform_byname(type, word)) != NULL)
			xf_put(s, type, xi->id, xi->keybits);
}

void
conf_default(struct proposals *ps, uint8_t proto, const char *preset)
{
	struct spec	 sp;
	size_t		 i;

	memset(&sp, 0, sizeof(sp));
	memset(ps, 0, sizeof(*ps));
	sp.proto = proto;
	for (i = 0; preset != NULL && i < sizeof(presets) / sizeof(presets[0]); i++)
		if (presets[i].proto == proto && strcmp(presets[i].name, preset) == 0)
			put_words(set_of(&sp, presets[i].type), presets[i].type,
			    presets[i].words);
	emit_spec(ps, &sp);
}

/* What may be written there, and the one that was meant. */
static void
unknown_xform(struct parser *p, const struct tok *t, uint8_t proto,
    uint8_t type, const char *kw)
{
	const struct xform_info	*xi;
	const char		*best = NULL;
	char			 list[180], show[SHOWLEN];
	unsigned int		 d, bestd = conf_word_tolerance(t->s) + 1;
	size_t			 i, len = 0;

	list[0] = '\0';
	for (i = 0; (xi = xform_row(i)) != NULL; i++) {
		if (xi->type != type || !conf_xform_built(proto, xi))
			continue;
		if (len + strlen(xi->name) + 3 < sizeof(list))
			len += (size_t)snprintf(list + len, sizeof(list) - len,
			    "%s%s", len > 0 ? ", " : "", xi->name);
		d = conf_word_distance(t->s, xi->name);
		if (d < bestd) {
			best = xi->name;
			bestd = d;
		}
	}
	conf_show(p, t, show);
	if (t->macro != NULL || best == NULL)
		conf_stmt_error(p, &t->pos, "%s is no value of \"%s\" (%s)",
		    show, kw, list);
	else
		conf_stmt_error(p, &t->pos, "%s is no value of \"%s\"; did you "
		    "mean \"%s\"? (%s)", show, kw, best, list);
}

struct into {
	struct spec	*sp;
	struct xfset	*set;
	uint8_t		 type;
	const char	*kw;
};

/* What nearly every peer can. */
static const char *
instead(uint8_t type)
{
	return (type == XF_ENCR ? "aes-256" : type == XF_KE ? "modp2048" :
	    "hmac-sha2-256");
}

static void
one_xform(struct parser *p, struct tok *t, void *arg)
{
	struct into		*in = arg;
	const struct xform_info	*xi;
	size_t			 i;

	if ((xi = xform_byname(in->type, t->s)) == NULL) {
		for (i = 0; i < sizeof(later) / sizeof(later[0]); i++)
			if (strcmp(later[i], t->s) == 0) {
				conf_stmt_error(p, &t->pos, "\"%s %s\" is known "
				    "but not built yet: write %s, which both sides "
				    "must say", in->kw, t->s, instead(in->type));
				return;
			}
		unknown_xform(p, t, in->sp->proto, in->type, in->kw);
		return;
	}
	if (!conf_xform_built(in->sp->proto, xi)) {
		conf_stmt_error(p, &t->pos, "\"%s %s\" is known but not built "
		    "for %s: write %s, which both sides must say", in->kw, t->s,
		    in->sp->proto == PROTO_IKE ? "ikesa" : "childsa",
		    instead(in->type));
		return;
	}
	for (i = 0; i < in->set->n; i++)
		if (in->set->x[i] == xi) {
			conf_warning(p->errs, &t->pos, "\"%s %s\" is named twice",
			    in->kw, xi->name);
			return;
		}
	if (in->set->n >= sizeof(in->set->x) / sizeof(in->set->x[0])) {
		conf_stmt_error(p, &t->pos, "too many values of \"%s\"", in->kw);
		return;
	}
	if (xi->weak)
		conf_warning(p->errs, &t->pos, "\"%s %s\" is weak: use it only "
		    "for a peer that knows nothing better", in->kw, xi->name);
	in->set->x[in->set->n++] = xi;
}

static void
finish(struct parser *p, struct spec *sp)
{
	struct proposals	*ps;
	const char		*kw;
	unsigned int		 i, naead = 0;

	kw = sp->proto == PROTO_IKE ? "ikesa" : "childsa";
	ps = sp->proto == PROTO_IKE ? &p->st.ike : &p->st.esp;
	for (i = 0; i < sp->encr.n; i++)
		naead += sp->encr.x[i]->aead;
	if (sp->encr.n > 0 && naead == sp->encr.n && sp->integ.n > 0) {
		conf_stmt_error(p, &sp->pos, "%s authenticates by itself: "
		    "remove auth from this %s%s", sp->encr.x[0]->name, kw,
		    sp->proto == PROTO_IKE ? ", or write prf instead" : "");
		return;
	}
	if (emit_spec(ps, sp) == -1)
		conf_stmt_error(p, &sp->pos, "too many %s proposals: at most %u",
		    kw, PROPS_MAX);
}

void
conf_proposals(struct parser *p, enum conf_kw kind, const struct pos *pos)
{
	const struct conf_word	*w;
	struct spec		 sp;
	struct into		 in;
	unsigned int		 ctx, sn = 0;
	int			 wasbad = p->st.bad;

	memset(&sp, 0, sizeof(sp));
	sp.proto = kind == K_IKESA ? PROTO_IKE : PROTO_ESP;
	sp.pos = *pos;
	ctx = kind == K_IKESA ? C_IKESA : C_CHILDSA;
	p->st.bad = 0;
	while ((w = conf_peek_word(p, ctx)) != NULL) {
		conf_take(p);
		in.sp = &sp;
		in.kw = w->word;
		switch (w->id) {
		case K_AUTH:
			in.type = XF_INTEG;
			in.set = &sp.integ;
			break;
		case K_ENC:
			in.type = XF_ENCR;
			in.set = &sp.encr;
			break;
		case K_PRF:
			in.type = XF_PRF;
			in.set = &sp.prf;
			break;
		case K_GROUP:
			in.type = XF_KE;
			in.set = &sp.ke;
			break;
		default:
			sn |= w->id == K_ESN ? 1U << SN_ESN : 1U << SN_32;
			continue;
		}
		if (conf_list(p, w->word, one_xform, &in) == -1)
			break;
	}
	/* of both, the strong one, in whatever order they are named */
	if (sn & 1U << SN_ESN)
		xf_put(&sp.sn, XF_SN, SN_ESN, 0);
	if (sn & 1U << SN_32)
		xf_put(&sp.sn, XF_SN, SN_32, 0);
	if (!p->st.bad && sp.encr.n + sp.integ.n + sp.prf.n + sp.ke.n +
	    sp.sn.n == 0 &&
	    (conf_peek_end(p) || conf_peek_word(p, C_OPT) != NULL))
		conf_warning(p->errs, pos, "\"%s\" without a transform has no "
		    "effect: what it means to say is missing, or remove it",
		    kind == K_IKESA ? "ikesa" : "childsa");
	if (!p->st.bad)
		finish(p, &sp);
	p->st.bad |= wasbad;
}
