/* SPDX-License-Identifier: ISC */
/*
 * What the engine asks of the keys and the kernel process, and what they answer.
 * Plain values; pointers in a request are good only during the call.
 * Every request has a token (never 0); the answer resumes by it.
 */
#ifndef SA_REQUEST_H
#define SA_REQUEST_H

#include "base/buf.h"
#include "base/ts.h"
#include "pfkey/pfkey.h"

/*
 * AUTH (RFC 7296 2.15).  keys checks the form of the octets (an IKE_SA_INIT message
 * of the right direction, nonce 16..256, MACed id of prf length) before it computes.
 * With `other' they go over the whole of IKE_SA_INIT
 * (draft-ietf-ipsecme-ikev2-downgrade-prevention): 8 zeros | other | msg | nonce | macid.
 */
enum keys_op { KEYS_SIGN = 1, KEYS_VERIFY = 2 };
struct keys_req {
	uint64_t	token;
	uint32_t	gen, peer;	/* conf generation and index of its peer */
	enum keys_op	op;
	uint8_t		initiator;	/* whose AUTH: 1 original initiator's, 0 responder's */
	uint16_t	prf;
	uint8_t		method;		/* AUTH_PSK; VERIFY: what the peer said */
	uint8_t		old;		/* SIGN: with the secret of before, if it is good */
	struct span	msg;		/* RealMessage1 or 2 */
	struct span	other;		/* full transcript: RealMessage2 or 1; else none */
	struct span	nonce;		/* the other side's */
	struct span	macid;		/* prf(SK_p, ID body) */
	struct span	auth;		/* VERIFY */
};
struct keys_ans {
	uint64_t	token;
	int		ok;		/* 1 done / verified; 0 refused */
	uint8_t		method;
	uint8_t		old;		/* verified with the secret of before */
	uint16_t	len;		/* of auth; 0: a verdict */
	uint8_t		auth[256];	/* SIGN */
};

/* ike names a tunnel and gives SA parameters, which must fit that tunnel's endpoints
 * and selectors; the kernel process owns reqids and policies and fills in sa.reqid. */
enum kernel_op { KREQ_SA_ADD = 1, KREQ_SA_UPDATE, KREQ_SA_DELETE, KREQ_SA_QUERY,
    KREQ_ACQUIRE_FAILED,
    KREQ_SOURCE };		/* which of our addresses do the routes choose to sa.dst? */
struct kernel_req {
	uint64_t	token;
	uint32_t	gen, tunnel;
	enum kernel_op	op;
	struct kern_sa	sa;		/* DELETE, QUERY: spi, proto, src, dst, dir */
	struct tslist	tsl, tsr;	/* ADD: local and remote selectors */
	uint32_t	acquire_seq;	/* ACQUIRE_FAILED */
	uint8_t		moved;		/* the peer is not where the tunnel has it (MOBIKE) */
};
struct kernel_ans {
	uint64_t	token;
	int		err;		/* 0 or an errno */
	char		what[96];	/* the kernel's words, or "" */
	uint64_t	bytes, packets, usetime;	/* QUERY */
	struct addr	src;		/* SOURCE */
};

/*
 * The counters of many Children in one question, and in one answer.  What is idle is read
 * again and again for as long as it lives: alone, each would cost as much as a handshake's
 * way through two processes.
 */
#define COUNT_MAX	64
struct count_ask {
	uint32_t	tunnel;
	uint32_t	spi_in, spi_out;	/* spi_out 0: not there yet */
	struct addr	local, remote;		/* the SAs' endpoints */
	uint8_t		moved;			/* as in kernel_req */
};
struct kernel_count {
	uint64_t	token;
	uint32_t	gen;
	uint8_t		n;
	struct count_ask a[COUNT_MAX];
};
struct count {
	int		err;		/* 0 or an errno */
	uint64_t	bytes, packets;
};
struct kernel_counted {			/* in the order of the question */
	uint64_t	token;
	uint8_t		n;
	struct count	in[COUNT_MAX], out[COUNT_MAX];
};

#endif
