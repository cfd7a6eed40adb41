/* SPDX-License-Identifier: ISC */
/*
 * A name server that knows a file, until it is killed:
 *
 *	tool_names ADDRESS FILE
 *
 * Lines are "name address", and an address may be IPv4 or IPv6.  The file is read for every
 * question.  A name that it does not have does not exist; where it has the line "silent", or
 * is not there, nobody is answered.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/buf.h"

#define HEADER		12	/* RFC 1035 4.1.1 */
#define NAMEMAX		256
#define TYPE_A		1
#define TYPE_AAAA	28

/* The question's name with dots; 0 or -1. */
static int
question(struct rbuf *r, char *name, uint16_t *type)
{
	size_t n = 0, len;

	while ((len = rbuf_u8(r)) != 0) {
		if (len > 63 || n + len + 2 > NAMEMAX)
			return (-1);
		if (n > 0)
			name[n++] = '.';
		rbuf_copy(r, name + n, len);
		n += len;
	}
	name[n] = '\0';
	*type = rbuf_u16(r);
	(void)rbuf_u16(r);
	return (rbuf_ok(r) ? 0 : -1);
}

/* Adds the answers: how many, with *known where the name is there at all; -1: silence. */
static int
answers(const char *path, const char *name, uint16_t type, struct wbuf *w, int *known)
{
	char line[512], *sep;
	struct addr a;
	FILE *f;
	int n = 0;

	*known = 0;
	if ((f = fopen(path, "r")) == NULL)
		return (-1);
	while (n != -1 && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "silent") == 0)
			n = -1;
		if ((sep = strchr(line, ' ')) == NULL)
			continue;
		*sep++ = '\0';
		if (strcasecmp(line, name) != 0 || addr_parse(&a, sep) == -1)
			continue;
		*known = 1;
		if ((a.fam == ADDR_V4 ? TYPE_A : TYPE_AAAA) != type || n == -1)
			continue;
		wbuf_u16(w, 0xc000 | HEADER);	/* the question's name */
		wbuf_u16(w, type);
		wbuf_u16(w, 1);
		wbuf_u32(w, 1);
		wbuf_u16(w, (uint16_t)addr_len(&a));
		wbuf_bytes(w, a.b, addr_len(&a));
		n++;
	}
	(void)fclose(f);
	return (n);
}

/* The reply's octets; 0: none. */
static size_t
reply(const char *path, const uint8_t *p, size_t len, uint8_t *out, size_t cap)
{
	char name[NAMEMAX];
	struct rbuf r;
	struct wbuf w;
	uint16_t id, type;
	int n, known;

	rbuf_init(&r, p, len);
	id = rbuf_u16(&r);
	rbuf_skip(&r, HEADER - 2);
	if (question(&r, name, &type) == -1)
		return (0);
	wbuf_init(&w, out, cap);
	wbuf_u16(&w, id);
	wbuf_u16(&w, 0x8580);
	wbuf_u16(&w, 1);
	wbuf_zero(&w, 6);
	wbuf_bytes(&w, p + HEADER, r.off - HEADER);
	if ((n = answers(path, name, type, &w, &known)) == -1 || !wbuf_ok(&w))
		return (0);
	wbuf_patch_u16(&w, 6, (uint16_t)n);
	if (!known)
		wbuf_patch_u16(&w, 2, 0x8583);	/* NXDOMAIN */
	return (w.len);
}

int
main(int argc, char *argv[])
{
	uint8_t in[1500], out[1500];
	struct sockaddr_storage ss;
	struct endpoint ep;
	socklen_t slen;
	ssize_t n;
	size_t len;
	int fd;

	memset(&ep, 0, sizeof(ep));
	if (argc != 3 || addr_parse(&ep.addr, argv[1]) == -1)
		errx(1, "usage: tool_names address file");
	ep.port = 53;
	slen = addr_to_sockaddr(&ep, &ss);
	if ((fd = socket(ss.ss_family, SOCK_DGRAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&ss, slen) == -1)
		err(1, "%s", argv[1]);
	for (;;) {
		slen = sizeof(ss);
		if ((n = recvfrom(fd, in, sizeof(in), 0, (struct sockaddr *)&ss, &slen)) <= 0)
			continue;
		if ((len = reply(argv[2], in, (size_t)n, out, sizeof(out))) > 0)
			(void)sendto(fd, out, len, 0, (struct sockaddr *)&ss, slen);
	}
}
