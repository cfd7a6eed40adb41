/* SPDX-License-Identifier: ISC */
/*
 * NETLINK_XFRM messages (linux/xfrm.h) to and from our structures: pure functions
 * over byte buffers; the framing is libmnl's.
 */
#ifndef PFKEY_XFRM_MSG_LINUX_H
#define PFKEY_XFRM_MSG_LINUX_H

#include <libmnl/libmnl.h>

#include "pfkey/kern_local.h"

#define XFRM_REQMAX	1024	/* octets of our largest request, less than this */

/* Requests.  cap octets at buf, 4-aligned; the message's length, or 0: no room or
 * not expressible. */
size_t	xfrm_put_sa(void *buf, size_t cap, uint32_t seq, const struct kern_sa *,
	    int update);
size_t	xfrm_put_delsa(void *buf, size_t cap, uint32_t seq, uint32_t spi,
	    const struct addr *src, const struct addr *dst);
size_t	xfrm_put_getsa(void *buf, size_t cap, uint32_t seq, uint32_t spi,
	    const struct addr *src, const struct addr *dst);
/* type: XFRM_MSG_GETSA or XFRM_MSG_GETPOLICY */
size_t	xfrm_put_dump(void *buf, size_t cap, uint32_t seq, uint16_t type);
size_t	xfrm_put_policy(void *buf, size_t cap, uint32_t seq,
	    const struct kern_policy *);
size_t	xfrm_put_delpolicy(void *buf, size_t cap, uint32_t seq,
	    const struct kern_policy *);
/* Gives the larval SA of acquire acqseq an SPI from lo to hi. */
size_t	xfrm_put_allocspi(void *buf, size_t cap, uint32_t seq,
	    const struct kern_event *acquire, int transport, uint32_t lo, uint32_t hi);

/* Is there a whole message in the next left octets?  mnl_nlmsg_ok() compares a signed
 * length, so that 2^31 and more would pass. */
int	xfrm_msg_ok(const struct nlmsghdr *, int left);
/* Answers and events.  The message is whole (xfrm_msg_ok); 0, or -1: malformed
 * or nothing we know.  Keys are never copied out. */
int	xfrm_get_sa(const struct nlmsghdr *, struct kern_sa *);
/* Of the same message, for who may see them: keys of up to KERN_KEYMAX octets. */
void	xfrm_get_keys(const struct nlmsghdr *, struct kern_sa *);
/* Any message of the multicast groups.  -1: malformed; type, length and number are given
 * all the same */
int	xfrm_get_note(const struct nlmsghdr *, int keys, struct kern_note *);
/* 1: a socket's own policy, to be skipped */
int	xfrm_get_policy(const struct nlmsghdr *, struct kern_policy *);
/* 1: nothing to report (a larval SA's end).  *transport as the acquire's template */
int	xfrm_get_event(const struct nlmsghdr *, struct kern_event *, int *transport);
/* NLMSG_ERROR and NLMSG_DONE: *err 0 or an errno; what: the kernel's words or "" */
int	xfrm_get_error(const struct nlmsghdr *, int *err, char what[KERN_WHATLEN]);

/* The transform behind the kernel's algorithm name; 0 or -1. */
int	xfrm_alg_encr(const char *name, unsigned int keybits, unsigned int icvbits,
	    uint16_t *id, uint16_t *ike_keybits);
uint16_t xfrm_alg_integ(const char *name, unsigned int truncbits);

/* Shared by the encoder and the decoder. */
struct xfrm_alg {
	uint8_t		 type;		/* XF_ENCR, XF_INTEG */
	uint16_t	 id;
	uint16_t	 attr;		/* XFRMA_ALG_* */
	const char	*name;
	uint16_t	 icvbits;	/* AEAD: ICV, INTEG: truncation */
};
const struct xfrm_alg	*xfrm_alg(uint8_t type, uint16_t id);

#endif
