/* SPDX-License-Identifier: ISC */
/*
 * The allow-list: what may come in which state, from which side, in which
 * direction.  It is one table, and it is asked before any payload is looked at;
 * what is not in it is dropped.  (A Child SA made before AUTH, CVE-2026-78135 and
 * CVE-2014-2338 in another implementation, is what such tables prevent.)
 */

#include "engine/engine_local.h"

enum role { INITIATOR = 1, RESPONDER = 2, BOTH = 3 };
enum dir { REQUEST = 1, RESPONSE = 2 };

static const struct {
	enum half_state	state;
	enum role	role;
	uint8_t		exch;
	enum dir	dir;
} half_table[] = {
	{ HALF_INIT_SENT,	INITIATOR,	X_IKE_SA_INIT,	RESPONSE },
	{ HALF_AUTH_SENT,	INITIATOR,	X_IKE_AUTH,	RESPONSE },
	{ HALF_INIT_DONE,	RESPONDER,	X_IKE_AUTH,	REQUEST },
	{ HALF_REFUSED,		RESPONDER,	X_IKE_AUTH,	REQUEST },
};

static const struct {
	enum ike_state	state;
	enum role	role;
	uint8_t		exch;
	enum dir	dir;
} ike_table[] = {
	/* only the IKE_AUTH request again, while or after it is answered */
	{ IKE_FINISHING,	RESPONDER,	X_IKE_AUTH,		REQUEST },
	{ IKE_UP,		RESPONDER,	X_IKE_AUTH,		REQUEST },
	{ IKE_UP,		BOTH,		X_CREATE_CHILD_SA,	REQUEST },
	{ IKE_UP,		BOTH,		X_CREATE_CHILD_SA,	RESPONSE },
	{ IKE_UP,		BOTH,		X_INFORMATIONAL,	REQUEST },
	{ IKE_UP,		BOTH,		X_INFORMATIONAL,	RESPONSE },
	{ IKE_HEIR,		BOTH,		X_CREATE_CHILD_SA,	REQUEST },
	{ IKE_HEIR,		BOTH,		X_INFORMATIONAL,	REQUEST },
	{ IKE_REPLACED,		BOTH,		X_CREATE_CHILD_SA,	REQUEST },
	{ IKE_REPLACED,		BOTH,		X_CREATE_CHILD_SA,	RESPONSE },
	{ IKE_REPLACED,		BOTH,		X_INFORMATIONAL,	REQUEST },
	{ IKE_REPLACED,		BOTH,		X_INFORMATIONAL,	RESPONSE },
	{ IKE_DELETING,		BOTH,		X_CREATE_CHILD_SA,	REQUEST },
	{ IKE_DELETING,		BOTH,		X_INFORMATIONAL,	REQUEST },
	{ IKE_DELETING,		BOTH,		X_INFORMATIONAL,	RESPONSE },
};

int
allow_half(const struct ike_half *h, uint8_t exch, int response)
{
	enum role	role = h->c.initiator ? INITIATOR : RESPONDER;
	enum dir	dir = response ? RESPONSE : REQUEST;
	size_t		i;

	for (i = 0; i < sizeof(half_table) / sizeof(half_table[0]); i++)
		if (half_table[i].state == h->state &&
		    (half_table[i].role & role) && half_table[i].exch == exch &&
		    half_table[i].dir == dir)
			return (1);
	return (0);
}

int
allow_ike(const struct ike_sa *ike, uint8_t exch, int response)
{
	enum role	role = ike->c.initiator ? INITIATOR : RESPONDER;
	enum dir	dir = response ? RESPONSE : REQUEST;
	size_t		i;

	for (i = 0; i < sizeof(ike_table) / sizeof(ike_table[0]); i++)
		if (ike_table[i].state == ike->state &&
		    (ike_table[i].role & role) && ike_table[i].exch == exch &&
		    ike_table[i].dir == dir)
			return (1);
	return (0);
}
