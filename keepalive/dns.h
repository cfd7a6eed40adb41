/* SPDX-License-Identifier: ISC */
/* A question to a name server, and whether something is the answer to it.  Pure. */
#ifndef KEEPALIVE_DNS_H
#define KEEPALIVE_DNS_H

#include "base/buf.h"

#define DNS_QUERYMAX	320	/* octets of a question: header, name, type, class */

/* name as conf_dnsname_ok() takes it.  In error when it does not fit. */
void	dns_build(struct wbuf *, uint16_t id, const char *name, uint16_t qtype);
/*
 * 1: a well-formed answer (RFC 1035 4.1) to exactly this question, whatever it says; a
 * truncated one (TC) may end early.  0: it is not.
 */
int	dns_answers(const void *pkt, size_t len, uint16_t id, const char *name,
	    uint16_t qtype);

#endif
