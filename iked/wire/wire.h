/* SPDX-License-Identifier: ISC */
/*
 * IKE messages: bytes <-> values (RFC 7296 section 3).  Pure functions over
 * caller's memory: no allocation, no state.  A decoded message refers to the
 * octets it was decoded from, which the caller keeps alive.
 */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include "base/buf.h"
#include "base/cp.h"
#include "base/id.h"
#include "base/ts.h"
#include "base/xform.h"

#define WIRE_HDRLEN	28
#define WIRE_MAXMSG	65535

enum wire_exchange {
	X_IKE_SA_INIT = 34, X_IKE_AUTH = 35, X_CREATE_CHILD_SA = 36, X_INFORMATIONAL = 37
};
enum { WIRE_F_INITIATOR = 0x08, WIRE_F_VERSION = 0x10, WIRE_F_RESPONSE = 0x20 };
enum wire_payload {
	P_NONE = 0, P_SA = 33, P_KE = 34, P_IDI = 35, P_IDR = 36, P_CERT = 37,
	P_CERTREQ = 38, P_AUTH = 39, P_NONCE = 40, P_N = 41, P_D = 42, P_V = 43,
	P_TSI = 44, P_TSR = 45, P_SK = 46, P_CP = 47, P_EAP = 48, P_SKF = 53
};
enum wire_notify_type {
	N_UNSUPPORTED_CRITICAL_PAYLOAD = 1, N_INVALID_IKE_SPI = 4,
	N_INVALID_MAJOR_VERSION = 5, N_INVALID_SYNTAX = 7, N_INVALID_MESSAGE_ID = 9,
	N_INVALID_SPI = 11, N_NO_PROPOSAL_CHOSEN = 14, N_INVALID_KE_PAYLOAD = 17,
	N_AUTHENTICATION_FAILED = 24, N_SINGLE_PAIR_REQUIRED = 34,
	N_NO_ADDITIONAL_SAS = 35, N_INTERNAL_ADDRESS_FAILURE = 36,
	N_FAILED_CP_REQUIRED = 37, N_TS_UNACCEPTABLE = 38, N_INVALID_SELECTORS = 39,
	N_UNACCEPTABLE_ADDRESSES = 40, N_UNEXPECTED_NAT_DETECTED = 41,
	N_TEMPORARY_FAILURE = 43, N_CHILD_SA_NOT_FOUND = 44,
	N_ERROR_MAX = 16383,
	N_INITIAL_CONTACT = 16384, N_SET_WINDOW_SIZE = 16385,
	N_ADDITIONAL_TS_POSSIBLE = 16386, N_IPCOMP_SUPPORTED = 16387,
	N_NAT_DETECTION_SOURCE_IP = 16388, N_NAT_DETECTION_DESTINATION_IP = 16389,
	N_COOKIE = 16390, N_USE_TRANSPORT_MODE = 16391, N_REKEY_SA = 16393,
	N_ESP_TFC_PADDING_NOT_SUPPORTED = 16394, N_NON_FIRST_FRAGMENTS_ALSO = 16395,
	N_MOBIKE_SUPPORTED = 16396, N_ADDITIONAL_IP4_ADDRESS = 16397,
	N_ADDITIONAL_IP6_ADDRESS = 16398, N_NO_ADDITIONAL_ADDRESSES = 16399,
	N_UPDATE_SA_ADDRESSES = 16400, N_COOKIE2 = 16401, N_NO_NATS_ALLOWED = 16402,
	N_CHILDLESS_IKEV2_SUPPORTED = 16418,
	N_IKEV2_FRAGMENTATION_SUPPORTED = 16430, N_SIGNATURE_HASH_ALGORITHMS = 16431,
	N_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH = 16447
};
enum { AUTH_RSA = 1, AUTH_PSK = 2, AUTH_NULL = 13, AUTH_DIGSIG = 14 };

struct wire_hdr {
	uint64_t	spii, spir;
	uint8_t		next;
	uint8_t		major, minor;
	uint8_t		exch;
	uint8_t		flags;
	uint32_t	msgid;
	uint32_t	len;	/* as stated by the sender */
};

/* 0, or -1: shorter than 28 octets or stated length != datagram length. */
int	wire_hdr_decode(const void *, size_t, struct wire_hdr *);

#define WIRE_MAXPAYLOADS	64
#define WIRE_MAXNOTIFIES	32
#define WIRE_MAXDELETES		8
#define WIRE_MAXDELSPIS		64

struct wire_notify {
	uint8_t		proto;
	uint8_t		spilen;		/* 0, 4 or 8 */
	uint16_t	type;
	uint64_t	spi;
	struct span	data;
};

struct wire_delete {
	uint8_t		proto;
	uint8_t		spilen;
	uint16_t	nspis;
	uint64_t	spi[WIRE_MAXDELSPIS];
};

/* Configuration payload (3.15); what is not in enum cp_attr, or is past CP_MAX, or has a
 * value that does not fit, is not kept. */
enum wire_cp_type { CP_REQUEST = 1, CP_REPLY = 2, CP_SET = 3, CP_ACK = 4 };

/*
 * What a chain of payloads said.  A payload of each singleton type is there
 * once (has & WIRE_HAS(type)) or not at all; duplicates are malformed.  Arrays hold
 * what their counts say, and past these something undefined.
 */
#define WIRE_HAS(t)	(1ULL << ((t) - 33))
struct wire_msg {
	uint64_t		has;		/* bits WIRE_HAS(P_SA) ... */
	uint16_t		ke_group;
	struct span		ke;
	struct span		nonce;
	struct ident		idi, idr;
	struct span		idi_body, idr_body;	/* type, reserved, data: for AUTH */
	uint8_t			auth_method;
	struct span		auth;
	/* selectors of TSi and TSr not kept: unknown type, start after end, or more
	 * than TS_MAX; in an answer a reason to refuse it */
	uint8_t			tsi_skipped, tsr_skipped;
	uint8_t			nnotify, ndelete, nvendor;	/* nvendor stops at 255 */
	/* SK or SKF: where it stands in the message; its inner chain's first type */
	uint8_t			sk_first;
	struct span		sk;		/* IV .. ICV */
	size_t			sk_off;		/* offset of its generic header */
	uint16_t		frag_num, frag_total;	/* SKF, as sent */
	uint8_t			critical;	/* unknown critical payload type, or 0 */
	uint8_t			cp_type;	/* enum wire_cp_type */
	uint8_t			cookie_first;	/* first payload is N(COOKIE) */
	/* from here on only counts are cleared: the rest of it is 15 of 16 kB */
	struct proposals	sa;
	struct tslist		tsi, tsr;
	struct cp_list		cp;
	struct wire_notify	notify[WIRE_MAXNOTIFIES];
	struct wire_delete	del[WIRE_MAXDELETES];
};

enum wire_err { WIRE_OK = 0, WIRE_MALFORMED = -1, WIRE_CRITICAL = -2 };
/*
 * Decodes the payload chain that starts with type `first` in `body`.
 * base_off is the offset of body in the whole message (for sk_off).
 * WIRE_MALFORMED: *why, when not NULL, gets a static string naming payload and
 * fault.  WIRE_CRITICAL: well-formed, but an unknown payload with the critical
 * bit (m->critical).  Unknown non-critical payloads are skipped; SK or SKF must be last.
 * CERT, CERTREQ and EAP show in `has` only.  Past WIRE_MAXPAYLOADS,
 * WIRE_MAXNOTIFIES, WIRE_MAXDELETES, WIRE_MAXDELSPIS and PROP_MAXXFORMS a message is
 * malformed; proposals past PROPS_MAX are checked but not kept.  A KE value of a group
 * known to base/xform.h has exactly its length; a known ID type passes ident_valid().
 */
enum wire_err wire_decode(uint8_t first, const void *body, size_t len, size_t base_off,
	    struct wire_msg *m, const char **why);
/* The first notify of that type, or NULL.  wire_error(): the first error-type
 * notify (type <= 16383), or NULL. */
const struct wire_notify *wire_notify(const struct wire_msg *, uint16_t type);
const struct wire_notify *wire_error(const struct wire_msg *);
const char *wire_notify_name(uint16_t type);	/* "AUTHENTICATION_FAILED"; never NULL */
const char *wire_exchange_name(uint8_t);	/* "IKE_AUTH" */
const char *wire_payload_name(uint8_t);

/*
 * The encoder appends payloads to w and keeps the chain of next-payload
 * octets and lengths right.  wire_begin writes the header; wire_end patches
 * the total length.  For protected messages encode the inner chain with
 * wire_inner_begin into plain memory, then crypto/sk.h seals it.
 */
struct wire_enc {
	struct wbuf	*w;
	size_t		 next_off;	/* where the type of the next payload goes */
	uint8_t		 first;		/* inner chain: first type */
	int		 inner;
	size_t		 start;		/* offset of the header (0 unless marker) */
};
void	wire_begin(struct wire_enc *, struct wbuf *, const struct wire_hdr *);
void	wire_inner_begin(struct wire_enc *, struct wbuf *);
int	wire_end(struct wire_enc *);	/* 0, or -1 when anything did not fit */
void	wire_put_sa(struct wire_enc *, const struct proposals *);
void	wire_put_sa1(struct wire_enc *, const struct proposal *);	/* one proposal */
void	wire_put_ke(struct wire_enc *, uint16_t group, const void *, size_t);
void	wire_put_nonce(struct wire_enc *, const void *, size_t);
void	wire_put_id(struct wire_enc *, enum wire_payload which, const struct ident *);
void	wire_put_auth(struct wire_enc *, uint8_t method, const void *, size_t);
void	wire_put_ts(struct wire_enc *, enum wire_payload which, const struct tslist *);
/* spilen 0, 4 or 8 */
void	wire_put_notify(struct wire_enc *, uint8_t proto, uint8_t spilen, uint64_t spi,
	    uint16_t type, const void *, size_t);
void	wire_put_delete(struct wire_enc *, uint8_t proto, uint8_t spilen,
	    const uint64_t *spis, uint16_t n);
void	wire_put_cp(struct wire_enc *, enum wire_cp_type, const struct cp_list *);
void	wire_put_vendor(struct wire_enc *, const void *, size_t);
/* Opens an SK payload whose content (IV..ICV) has exactly n octets, to be
 * filled by the caller at *room; sets the header's final length too. */
uint8_t	*wire_put_sk(struct wire_enc *, uint8_t first_inner, size_t n);
/* The same for fragment num of total (RFC 7383 2.5). */
uint8_t	*wire_put_skf(struct wire_enc *, uint8_t first_inner, uint16_t num, uint16_t total,
	    size_t n);
#define WIRE_SKLEN	4	/* SK: the generic header; its content follows */
#define WIRE_SKFLEN	8	/* SKF: with number and total */
/* The ID payload's body (type, 3 reserved, data) as AUTH wants it. Gives its length. */
size_t	wire_id_body(const struct ident *, uint8_t dst[4 + ID_MAXLEN]);

#endif
