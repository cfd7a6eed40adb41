/* SPDX-License-Identifier: ISC */
/*
 * Malformed datagrams for a live iked, from a raw socket and so from any source:
 *
 *	tool_bad [-n count] [-r seed] [-i SPIi] [-I SPIr] -s SOURCE -d DESTINATION
 *
 * Half of them are noise for the first checks: random octets, cut headers, wrong
 * versions and lengths.  The other half has a header that passes them (IKEv2, the
 * length of the datagram, a known exchange): IKE_SA_INIT with flipped octets or tampered
 * lengths, noise behind a good header, and, when the SPIs of a living IKE SA are given,
 * requests and answers that claim to belong to it.  Every fourth comes from another
 * source than SOURCE.  Prints how many went out and how many have a passing header.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/ip.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/buf.h"
#include "wire/wire.h"

#define IPUDP	28	/* octets of the IP and UDP headers */
#define BODY	1400

struct mill {
	uint64_t	state;		/* of the random numbers */
	uint64_t	spii, spir;	/* a living SA's; 0 none */
	uint8_t		src[4], dst[4];
	int		fd;
	unsigned	sent, passing;
};

/* splitmix64: the same datagrams for the same seed */
static uint64_t
rnd(struct mill *m)
{
	uint64_t z = m->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31));
}

static void
noise(struct mill *m, struct wbuf *w, size_t n)
{
	while (n-- > 0)
		wbuf_u8(w, (uint8_t)rnd(m));
}

static void
header(struct mill *m, struct wbuf *w, uint64_t spii, uint64_t spir, uint8_t next,
    uint8_t version, uint8_t exch, uint8_t flags)
{
	wbuf_u64(w, spii);
	wbuf_u64(w, spir);
	wbuf_u8(w, next);
	wbuf_u8(w, version);
	wbuf_u8(w, exch);
	wbuf_u8(w, flags);
	wbuf_u32(w, exch == X_IKE_SA_INIT ? 0 : (uint32_t)rnd(m) % 4);
	wbuf_u32(w, 0);		/* length: patched at the end */
}

static void
finish(struct wbuf *w)
{
	wbuf_patch_u16(w, 24, 0);
	wbuf_patch_u16(w, 26, (uint16_t)w->len);
}

/* A good IKE_SA_INIT request: AES-GCM-256, PRF SHA2-256, X25519 (RFC 7296 3.3). */
static void
sa_init(struct mill *m, struct wbuf *w)
{
	static const uint8_t sa[] = {
		34, 0, 0, 40, 0, 0, 0, 36, 1, 1, 0, 3,
		3, 0, 0, 12, 1, 0, 0, 20, 0x80, 14, 1, 0,
		3, 0, 0, 8, 2, 0, 0, 5,
		0, 0, 0, 8, 4, 0, 0, 31
	};

	header(m, w, rnd(m) | 1, 0, 33, 0x20, X_IKE_SA_INIT, 0x08);
	wbuf_bytes(w, sa, sizeof(sa));
	wbuf_u32(w, 40U << 24 | 40);	/* KE, then Nonce */
	wbuf_u32(w, 31U << 16);
	noise(m, w, 32);
	wbuf_u32(w, 36);		/* Nonce, the last */
	noise(m, w, 32);
	finish(w);
}

/* Does not pass the first checks. */
static void
rubbish(struct mill *m, struct wbuf *w)
{
	size_t cut;

	switch (rnd(m) % 5) {
	case 0:
		noise(m, w, (size_t)rnd(m) % BODY);
		break;
	case 1:				/* a header cut short */
		sa_init(m, w);
		cut = (size_t)rnd(m) % 28;
		w->len = cut;
		break;
	case 2:				/* says more than there is */
		sa_init(m, w);
		wbuf_patch_u16(w, 26, (uint16_t)(w->len + 1 + rnd(m) % 1000));
		break;
	case 3:				/* IKEv1, IKEv3 and further */
		header(m, w, rnd(m) | 1, 0, 1, (uint8_t)(rnd(m) % 2 ? 0x10 : 0x30),
		    (uint8_t)(2 + rnd(m) % 4), 0);
		noise(m, w, (size_t)rnd(m) % 400);
		finish(w);
		break;
	default:			/* SPIi 0, or an answer nobody asked for */
		header(m, w, 0, rnd(m), 33, 0x20, X_IKE_SA_INIT, 0x20);
		noise(m, w, (size_t)rnd(m) % 400);
		finish(w);
	}
}

/* Belongs to the living SA, says its header. */
static void
claim(struct mill *m, struct wbuf *w)
{
	static const uint8_t exchs[] = { X_IKE_AUTH, X_CREATE_CHILD_SA, X_INFORMATIONAL };
	size_t n = (size_t)rnd(m) % 300;

	header(m, w, m->spii, m->spir, 46, 0x20, exchs[rnd(m) % 3],
	    (uint8_t)(rnd(m) % 2 * 0x08 + rnd(m) % 2 * 0x20));
	wbuf_u8(w, (uint8_t)(rnd(m) % 2 ? 0 : 33 + rnd(m) % 16));
	wbuf_u8(w, 0);
	wbuf_u16(w, (uint16_t)(rnd(m) % 4 ? n + 4 : rnd(m)));
	noise(m, w, n);
	finish(w);
}

/* Passes the first checks; wrong further in. */
static void
passing(struct mill *m, struct wbuf *w)
{
	size_t i, n, at;

	switch (rnd(m) % (m->spii ? 5 : 3)) {
	case 0:				/* flipped octets */
		sa_init(m, w);
		for (i = 1 + rnd(m) % 8; i > 0; i--)
			wbuf_patch_u8(w, 28 + (size_t)rnd(m) % (w->len - 28), (uint8_t)rnd(m));
		break;
	case 1:				/* a payload's length tampered with, cut or padded */
		sa_init(m, w);
		at = rnd(m) % 3 == 0 ? 30 : rnd(m) % 2 ? 70 : 110;
		wbuf_patch_u16(w, at, (uint16_t)(rnd(m) % 2 ? rnd(m) % 64 : rnd(m)));
		if (rnd(m) % 2)
			w->len = 28 + (size_t)rnd(m) % (w->len - 28);
		finish(w);
		break;
	case 2:				/* noise behind a good header */
		n = (size_t)rnd(m) % BODY;
		header(m, w, rnd(m) | 1, rnd(m) % 2 ? rnd(m) : 0,
		    (uint8_t)(33 + rnd(m) % 20), 0x20, (uint8_t)(34 + rnd(m) % 4),
		    (uint8_t)(rnd(m) % 2 * 0x28));
		noise(m, w, n);
		finish(w);
		break;
	default:
		claim(m, w);
	}
}

/* IP and UDP around it.  No UDP checksum: 0 says so. */
static void
datagram_send(struct mill *m, const struct wbuf *body, int foreign)
{
	uint8_t pkt[IPUDP + BODY + 256];
	struct sockaddr_in sin;
	struct wbuf w;
	int natt = rnd(m) % 4 == 0;

	wbuf_init(&w, pkt, sizeof(pkt));
	wbuf_u16(&w, 0x4500);
	wbuf_u16(&w, 0);
	wbuf_u32(&w, 0);
	wbuf_u32(&w, 64U << 24 | IPPROTO_UDP << 16);
	if (foreign)
		wbuf_u32(&w, 0xcb007100U | (uint32_t)(rnd(m) & 0xff));
	else
		wbuf_bytes(&w, m->src, 4);
	wbuf_bytes(&w, m->dst, 4);
	wbuf_u16(&w, foreign ? (uint16_t)rnd(m) : natt ? 4500 : 500);
	wbuf_u16(&w, natt ? 4500 : 500);
	wbuf_u16(&w, (uint16_t)(8 + body->len + (natt ? 4 : 0)));
	wbuf_u16(&w, 0);
	if (natt)
		wbuf_u32(&w, 0);
	wbuf_bytes(&w, body->p, body->len);
	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	memcpy(&sin.sin_addr, m->dst, 4);
	if (!wbuf_ok(&w))
		errx(1, "datagram too long");
	if (sendto(m->fd, pkt, w.len, 0, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		err(1, "sendto");
	m->sent++;
}

static void
address(uint8_t out[4], const char *s)
{
	struct addr a;

	if (addr_parse(&a, s) == -1 || a.fam != ADDR_V4)
		errx(2, "%s is not an IPv4 address", s);
	memcpy(out, a.b, 4);
}

int
main(int argc, char *argv[])
{
	uint8_t buf[BODY + 200];
	unsigned i, n = 10000;
	int ch, have = 0, on = 1;
	struct mill m;
	struct wbuf w;

	memset(&m, 0, sizeof(m));
	m.state = 1;
	while ((ch = getopt(argc, argv, "d:i:I:n:r:s:")) != -1)
		switch (ch) {
		case 'd':
			address(m.dst, optarg);
			have |= 1;
			break;
		case 'i':
			m.spii = strtoull(optarg, NULL, 16);
			break;
		case 'I':
			m.spir = strtoull(optarg, NULL, 16);
			break;
		case 'n':
			n = (unsigned)atoi(optarg);
			break;
		case 'r':
			m.state = strtoull(optarg, NULL, 10);
			break;
		case 's':
			address(m.src, optarg);
			have |= 2;
			break;
		default:
			have = 0;
		}
	if (have != 3) {
		fprintf(stderr, "usage: tool_bad [-n count] [-r seed] [-i SPIi] [-I SPIr] "
		    "-s source -d destination\n");
		return (2);
	}
	if ((m.fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW)) == -1 ||
	    setsockopt(m.fd, IPPROTO_IP, IP_HDRINCL, &on, sizeof(on)) == -1)
		err(1, "raw socket");
	for (i = 0; i < n; i++) {
		wbuf_init(&w, buf, sizeof(buf));
		if (i % 2) {
			passing(&m, &w);
			m.passing++;
		} else
			rubbish(&m, &w);
		datagram_send(&m, &w, i % 4 == 3);
		/* A receiver's socket buffer is no part of the test. */
		if (i % 16 == 15)
			usleep(2000);
	}
	printf("sent %u, with a passing header %u\n", m.sent, m.passing);
	return (0);
}
