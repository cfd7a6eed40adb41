/* SPDX-License-Identifier: ISC */
/* The pure part of the keys process: is this what AUTH is computed over? */
#ifndef PROC_KEYS_AUTH_H
#define PROC_KEYS_AUTH_H

#include "conf/conf.h"
#include "crypto/crypto.h"
#include "engine/request.h"

/*
 * The form of a request (RFC 7296 2.15): the message is an IKE_SA_INIT of the
 * direction that `initiator' says, with SA, KE and a nonce; the other side's nonce has
 * 16 to 256 octets; the MACed id has the prf's length.  With `other', that is the other
 * message of the same exchange, both say that they want it so, and the nonce is its
 * nonce.  0, or -1 and *why.
 */
int	keys_auth_form(const struct keys_req *, const char **why);
/* What AUTH goes over, piece by piece: how many of the pieces are used. */
#define KEYS_PIECES	5
size_t	keys_octets(const struct keys_req *, struct span[KEYS_PIECES]);
/* With the peer's secrets: the new one, or while it is good (now: s since 1970) the old
 * one.  Verified is what either of both verifies. */
void	keys_auth_peer(struct crypto *, const struct keys_req *, const struct conf_peer *,
	    int64_t now, struct keys_ans *);
/* Computes or verifies with that secret.  ans->ok says; token and method are set. */
void	keys_auth(struct crypto *, const struct keys_req *, struct span psk,
	    struct keys_ans *);

#endif
