/* SPDX-License-Identifier: ISC */
/*
 * AUTH over checked octets.  A taken-over ike process may ask for anything: it must
 * not get the prf of the secret over octets of its choice, which would serve as an
 * AUTH in another protocol or another direction.
 */

#include <string.h>

#include "proc/keys_auth.h"
#include "wire/wire.h"

static int
check_header(const struct wire_hdr *h, int initiator, const char **why)
{
	*why = "not an IKE_SA_INIT message";
	if (h->major != 2 || h->exch != X_IKE_SA_INIT || h->msgid != 0 ||
	    h->spii == 0)
		return (-1);
	*why = "IKE_SA_INIT of the wrong direction";
	if (initiator)
		return ((h->flags & WIRE_F_INITIATOR) != 0 &&
		    (h->flags & WIRE_F_RESPONSE) == 0 && h->spir == 0 ? 0 : -1);
	return ((h->flags & WIRE_F_INITIATOR) == 0 &&
	    (h->flags & WIRE_F_RESPONSE) != 0 && h->spir != 0 ? 0 : -1);
}

/* An IKE_SA_INIT of that direction, whole; its payloads in *m. */
static int
check_message(struct span s, int initiator, struct wire_hdr *h,
    struct wire_msg *m, const char **why)
{
	const uint64_t need = WIRE_HAS(P_SA) | WIRE_HAS(P_KE) |
	    WIRE_HAS(P_NONCE);

	*why = "message and length differ";
	if (wire_hdr_decode(s.p, s.len, h) != 0 || s.len < WIRE_HDRLEN)
		return (-1);
	if (check_header(h, initiator, why) == -1)
		return (-1);
	*why = "IKE_SA_INIT is malformed";
	if (wire_decode(h->next, s.p + WIRE_HDRLEN, s.len - WIRE_HDRLEN,
	    WIRE_HDRLEN, m, NULL) != WIRE_OK)
		return (-1);
	*why = "IKE_SA_INIT without SA, KE or nonce";
	return ((m->has & need) == need ? 0 : -1);
}

/* The other message fits to this one: what was said in one conversation. */
static int
check_other(const struct keys_req *q, uint64_t spii, const char **why)
{
	struct wire_hdr h;
	UNFILLED struct wire_msg m;

	if (q->other.len == 0)
		return (0);
	if (check_message(q->other, !q->initiator, &h, &m, why) == -1)
		return (-1);
	*why = "two messages of different IKE_SA_INITs";
	if (h.spii != spii)
		return (-1);
	*why = "the nonce is not the one of the other message";
	if (q->nonce.len != m.nonce.len ||
	    memcmp(q->nonce.p, m.nonce.p, m.nonce.len) != 0)
		return (-1);
	*why = "a full transcript that was not agreed upon";
	return (wire_notify(&m, N_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH) != NULL ?
	    0 : -1);
}

int
keys_auth_form(const struct keys_req *q, const char **why)
{
	struct wire_hdr h;
	UNFILLED struct wire_msg m;

	if (check_message(q->msg, q->initiator, &h, &m, why) == -1 ||
	    check_other(q, h.spii, why) == -1)
		return (-1);
	*why = "a full transcript that was not offered";
	if (q->other.len > 0 &&
	    wire_notify(&m, N_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH) == NULL)
		return (-1);
	*why = "nonce of a wrong length";
	if (q->nonce.len < 16 || q->nonce.len > 256)
		return (-1);
	/* One's own nonce is in the message; what is appended is the other's. */
	*why = "the nonce is not the other side's";
	if (q->nonce.len == m.nonce.len &&
	    memcmp(q->nonce.p, m.nonce.p, m.nonce.len) == 0)
		return (-1);
	*why = "unknown prf, or a MACed id that is not of its length";
	if (prf_len(q->prf) == 0 || q->macid.len != prf_len(q->prf))
		return (-1);
	*why = "authentication method is not a shared key";
	if (q->method != AUTH_PSK)
		return (-1);
	*why = "AUTH of a wrong length";
	if (q->op == KEYS_VERIFY && q->auth.len != prf_len(q->prf))
		return (-1);
	*why = NULL;
	return (0);
}

size_t
keys_octets(const struct keys_req *q, struct span s[KEYS_PIECES])
{
	/* no SPI is 0: this cannot be the beginning of a message */
	static const uint8_t zeros[8];
	size_t n = 0;

	if (q->other.len > 0) {
		s[n++] = (struct span){ zeros, sizeof(zeros) };
		s[n++] = q->other;
	}
	s[n++] = q->msg;
	s[n++] = q->nonce;
	s[n++] = q->macid;
	return (n);
}

void
keys_auth(struct crypto *cr, const struct keys_req *q, struct span psk,
    struct keys_ans *a)
{
	struct span s[KEYS_PIECES];
	uint8_t mac[PRF_MAXLEN];
	size_t n = prf_len(q->prf);

	memset(a, 0, sizeof(*a));
	a->token = q->token;
	a->method = AUTH_PSK;
	if (psk.len == 0 || n == 0 || n > sizeof(mac))
		return;
	if (psk_auth(cr, q->prf, psk, s, keys_octets(q, s), mac) != 0)
		return;
	if (q->op == KEYS_SIGN) {
		memcpy(a->auth, mac, n);
		a->len = (uint16_t)n;
		a->ok = 1;
	} else
		a->ok = q->auth.len == n &&
		    crypto_equal(mac, q->auth.p, n) == 1;
	crypto_wipe(mac, sizeof(mac));
}

void
keys_auth_peer(struct crypto *cr, const struct keys_req *q, const struct conf_peer *p,
    int64_t now, struct keys_ans *a)
{
	struct span new = { p->psk, p->psklen }, old = { p->old, p->oldlen };
	int two = p->has_old && p->oldlen != 0 && now < p->old_until;

	if (q->op == KEYS_SIGN && q->old && two) {
		keys_auth(cr, q, old, a);
		return;
	}
	keys_auth(cr, q, new, a);
	if (q->op == KEYS_VERIFY && !a->ok && two) {
		keys_auth(cr, q, old, a);
		a->old = a->ok == 1;
	}
}
