/* SPDX-License-Identifier: ISC */
/* rtnetlink datagrams: framing by libmnl, then both decoders on every message. */

#include <stddef.h>
#include <stdint.h>

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#ifdef __linux__

#include <linux/rtnetlink.h>

#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <string.h>

#include "proc/netif_linux.h"

static void
one(struct nlmsghdr *h)
{
	static const uint16_t types[] = { NLMSG_ERROR, RTM_NEWADDR, RTM_NEWROUTE };
	struct addr a;
	size_t i;
	int err;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		h->nlmsg_type = types[i];
		if (rtnl_addr(h, &a) == 0 && addr_len(&a) == 0)
			abort();
		err = rtnl_source(h, &a);
		if (err < 0 || (err == 0) != (a.fam != ADDR_NONE))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct addr a[3];
	struct rtnl_addrs l = { a, 0, 3, 0, 0 };
	struct nlmsghdr *h;
	uint8_t *b;
	int left = (int)len;

	/* Exactly len octets on the heap: one more read is seen. */
	if (len > 65536 || (b = malloc(len + (len == 0))) == NULL)
		return (0);
	memcpy(b, p, len);
	h = (struct nlmsghdr *)(void *)b;
	rtnl_collect(b, len, len >= sizeof(*h) ? h->nlmsg_seq : 0, &l);
	if (l.n < 0 || l.n > l.max)
		abort();
	for (h = (struct nlmsghdr *)(void *)b; rtnl_ok(h, left);
	    h = mnl_nlmsg_next(h, &left))
		one(h);
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
