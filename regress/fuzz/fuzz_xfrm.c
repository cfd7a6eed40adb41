/* SPDX-License-Identifier: ISC */
/*
 * NETLINK_XFRM datagrams: framing by libmnl, then every decoder of ours on every
 * message whatever its type says.
 */

#include <stddef.h>
#include <stdint.h>

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#ifdef __linux__

#include <linux/xfrm.h>

#include <stdlib.h>
#include <string.h>

#include "pfkey/xfrm_msg_linux.h"

static void
one(struct nlmsghdr *h)
{
	static const uint16_t types[] = {
		NLMSG_ERROR, NLMSG_DONE, XFRM_MSG_NEWSA, XFRM_MSG_NEWPOLICY,
		XFRM_MSG_ACQUIRE, XFRM_MSG_EXPIRE, XFRM_MSG_MAPPING,
		XFRM_MSG_DELSA, XFRM_MSG_DELPOLICY, XFRM_MSG_POLEXPIRE,
		XFRM_MSG_FLUSHSA
	};
	char what[KERN_WHATLEN];
	uint16_t own = h->nlmsg_type;
	struct kern_policy p;
	struct kern_event ev;
	struct kern_note n;
	struct kern_sa sa;
	size_t i;
	int err, transport;

	memset(&sa, 0, sizeof(sa));
	for (i = 0; i <= sizeof(types) / sizeof(types[0]); i++) {
		h->nlmsg_type = i == 0 ? own : types[i - 1];
		if (xfrm_get_sa(h, &sa) == 0)
			xfrm_get_keys(h, &sa);
		if (xfrm_get_note(h, 1, &n) == -1 && n.type != KERN_NOTE_OTHER)
			abort();
		if (memchr(n.word, '\0', sizeof(n.word)) == NULL ||
		    memchr(sa.encr_name, '\0', sizeof(sa.encr_name)) == NULL)
			abort();
		(void)xfrm_get_event(h, &ev, &transport);
		if (xfrm_get_policy(h, &p) == 0 &&
		    (p.dir < KERN_IN || p.dir > KERN_FWD))
			abort();
		if ((h->nlmsg_type == NLMSG_ERROR ||
		    h->nlmsg_type == NLMSG_DONE) &&
		    xfrm_get_error(h, &err, what) == 0 &&
		    (err < 0 || memchr(what, '\0', sizeof(what)) == NULL))
			abort();
	}
	h->nlmsg_type = own;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct nlmsghdr *h;
	uint8_t *b;
	int left = (int)len;

	/* Exactly len octets on the heap: one more read is seen. */
	if (len > 65536 || (b = malloc(len + (len == 0))) == NULL)
		return (0);
	memcpy(b, p, len);
	h = (void *)b;
	while (xfrm_msg_ok(h, left)) {
		one(h);
		h = mnl_nlmsg_next(h, &left);
	}
	free(b);
	return (0);
}

#else

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	(void)p;
	(void)len;
	return (0);
}

#endif
