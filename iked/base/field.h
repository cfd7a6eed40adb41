/* SPDX-License-Identifier: ISC */
/*
 * Values of the ground floor as octets: fields of the messages between processes and of
 * records that leave one.  A value that is not well-formed puts the reader in error.
 */
#ifndef BASE_FIELD_H
#define BASE_FIELD_H

#include "base/addr.h"
#include "base/buf.h"
#include "base/id.h"
#include "base/ts.h"
#include "base/xform.h"

void	put_addr(struct wbuf *, const struct addr *);
void	get_addr(struct rbuf *, struct addr *);
void	put_endpoint(struct wbuf *, const struct endpoint *);
void	get_endpoint(struct rbuf *, struct endpoint *);
void	put_prefix(struct wbuf *, const struct prefix *);
void	get_prefix(struct rbuf *, struct prefix *);
void	put_ts(struct wbuf *, const struct ts *);
void	get_ts(struct rbuf *, struct ts *);
void	put_tslist(struct wbuf *, const struct tslist *);
void	get_tslist(struct rbuf *, struct tslist *);
void	put_ident(struct wbuf *, const struct ident *);
void	get_ident(struct rbuf *, struct ident *);
void	put_suite(struct wbuf *, const struct suite *);
void	get_suite(struct rbuf *, struct suite *);
void	put_bytes(struct wbuf *, struct span);	/* u16 length + octets */
struct span get_bytes(struct rbuf *, size_t max);
uint8_t	get_bool(struct rbuf *);
/* All read and nothing left over: 0, else -1. */
int	get_end(const struct rbuf *);

#endif
