/* SPDX-License-Identifier: ISC */
/* A dump of nf_tables, message by message, and the way of packets through what it says. */

#include <stddef.h>
#include <stdint.h>

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#ifdef __linux__

#include <linux/netfilter.h>
#include <linux/netlink.h>

#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <string.h>

#include "proc/netif_linux.h"
#include "proc/nft.h"

static void
ask(const struct nft *t)
{
	struct nft_packet k = { .proto = 17, .dport = 500, .iif = "wan", .oif = "", .state = 8,
	    .secpath = 1, .ipsec = -1 };
	char text[RULES_TEXT];
	uint32_t hook;
	enum rules_fate f;

	if (prefix_parse(&k.src, "198.51.100.1") == -1 ||
	    prefix_parse(&k.dst, "10.2.0.0/23") == -1)
		abort();
	for (hook = 0; hook < 6; hook++) {
		f = hook == 5 ? nft_nat(t, &k, text) : nft_drop(t, hook, &k, text);
		if ((f == RULES_PASS) != (text[0] == '\0'))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct nlmsghdr *h;
	struct nft *t;
	uint8_t *b;
	int left = (int)len;

	if (len > 65536 || (b = malloc(len + (len == 0))) == NULL)
		return (0);
	if ((t = nft_new()) == NULL) {
		free(b);
		return (0);
	}
	memcpy(b, p, len);
	for (h = (struct nlmsghdr *)(void *)b; rtnl_ok(h, left); h = mnl_nlmsg_next(h, &left))
		if (nft_add(t, h->nlmsg_type & 0xff, mnl_nlmsg_get_payload(h),
		    mnl_nlmsg_get_payload_len(h)) == -1)
			break;
	free(b);	/* the copy stands alone */
	ask(t);
	nft_free(t);
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
