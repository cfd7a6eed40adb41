/* SPDX-License-Identifier: ISC */
/*
 * Hosts by their names.  Nothing is looked up here: the names stand in the peer as they were
 * written, and who runs the configuration puts addresses beside them, in a generation that
 * is otherwise the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/field.h"
#include "conf/conf_parse.h"

#define LABELMAX	63	/* RFC 1035 2.3.4 */
#define ITEMMAX		16384	/* octets of a message between the processes */

static int
is_alnum(char c)
{
	return ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z'));
}

/*
 * Underscores are in use, whatever RFC 952 says.  A number at the end is an address that was
 * mistyped: no top-level domain is one (RFC 3696 2).
 */
int
conf_host_ok(const char *s)
{
	size_t	 n, len = strlen(s);
	int	 number = 0;

	if (len == 0 || len >= CONF_HOSTLEN)
		return (0);
	while (*s != '\0') {
		n = strcspn(s, ".");
		if (n == 0 || n > LABELMAX || s[0] == '-' || s[n - 1] == '-')
			return (0);
		for (number = 1; n > 0; n--, s++) {
			if (!is_alnum(*s) && *s != '-' && *s != '_')
				return (0);
			number &= *s >= '0' && *s <= '9';
		}
		s += *s == '.';		/* one at the end: no search list */
	}
	return (!number);
}

int
conf_host_addr(const struct addr *a)
{
	static const uint8_t	 mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t	 self[16] = { [15] = 1 };

	if (!conf_addr_ok(a))
		return (0);
	if (a->fam == ADDR_V4)
		return (a->b[0] != 127);
	/* fe80::/10 is of a link, which no name tells (RFC 4291 2.5.6) */
	return (memcmp(a->b, self, sizeof(self)) != 0 && memcmp(a->b, mapped,
	    sizeof(mapped)) != 0 && (a->b[0] != 0xfe || (a->b[1] & 0xc0) != 0x80));
}

int
conf_peer_named(const struct conf_peer *pe)
{
	return (pe->localname != NULL || pe->remotename != NULL);
}

int
conf_absent_ok(const char *s)
{
	size_t	 len = strlen(s);

	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			return (0);
	return (len > 0 && len < CONF_ABSENTLEN);
}

static int
name_ok(const char *name, const struct addr *a, const struct conf_peer *pe)
{
	if (name == NULL)
		return (a->fam == ADDR_NONE || conf_addr_ok(a));
	if (!conf_host_ok(name) || (a->fam == ADDR_NONE) != (pe->absent != NULL))
		return (0);
	return (pe->absent != NULL || (conf_addr_ok(a) &&
	    (pe->fam == ADDR_NONE || pe->fam == a->fam)));
}

int
conf_place_ok(const struct conf_peer *pe)
{
	if (!conf_peer_named(pe) && (pe->absent != NULL || pe->fam != ADDR_NONE))
		return (0);
	if ((pe->fam != ADDR_NONE && pe->fam != ADDR_V4 && pe->fam != ADDR_V6) ||
	    (pe->absent != NULL && !conf_absent_ok(pe->absent)) ||
	    !name_ok(pe->localname, &pe->local, pe) ||
	    !name_ok(pe->remotename, &pe->remote, pe))
		return (0);
	return (pe->local.fam == ADDR_NONE || pe->remote.fam == ADDR_NONE ||
	    (pe->local.fam == pe->remote.fam && addr_cmp(&pe->local, &pe->remote) != 0));
}

int
conf_peer_place(struct conf_peer *pe, const struct addr *local,
    const struct addr *remote, const char *why)
{
	static const struct addr none;
	char			*s = NULL;

	if (why != NULL && (s = strdup(why)) == NULL)
		return (-1);
	free(pe->absent);
	pe->absent = s;
	if (pe->localname != NULL)
		pe->local = why != NULL ? none : *local;
	if (pe->remotename != NULL)
		pe->remote = why != NULL ? none : *remote;
	return (0);
}

void
conf_put_place(struct wbuf *w, const struct conf *c, uint32_t peer)
{
	const struct conf_peer	*pe = &c->peers[peer];

	wbuf_u32(w, peer);
	put_addr(w, &pe->local);
	put_addr(w, &pe->remote);
	wbuf_str(w, pe->absent != NULL ? pe->absent : "");
}

/* What is written as an address stays as it is. */
int
conf_get_place(struct rbuf *r, struct conf *c)
{
	struct conf_peer	*pe, n;
	char			 why[CONF_ABSENTLEN];
	uint32_t		 peer = rbuf_u32(r);

	memset(&n, 0, sizeof(n));
	get_addr(r, &n.local);
	get_addr(r, &n.remote);
	rbuf_str(r, why, sizeof(why));
	if (!rbuf_ok(r) || peer >= c->npeers)
		return (-1);
	pe = &c->peers[peer];
	n.localname = pe->localname;
	n.remotename = pe->remotename;
	n.fam = pe->fam;
	n.absent = why[0] != '\0' ? why : NULL;
	if (!conf_peer_named(pe) || !conf_place_ok(&n) ||
	    (pe->localname == NULL && addr_cmp(&pe->local, &n.local) != 0) ||
	    (pe->remotename == NULL && addr_cmp(&pe->remote, &n.remote) != 0))
		return (-1);
	return (conf_peer_place(pe, &n.local, &n.remote, n.absent));
}

/* By way of the messages, whose every field is known to be carried and checked. */
static int
clone_into(struct conf *to, const struct conf *from, int flags, uint8_t *buf)
{
	struct wbuf	 w;
	struct rbuf	 r;
	uint32_t	 i;

	for (i = 0; i < from->npeers; i++) {
		wbuf_init(&w, buf, ITEMMAX);
		conf_put_peer(&w, &from->peers[i], flags);
		rbuf_init(&r, buf, w.len);
		if (!wbuf_ok(&w) || conf_get_peer(&r, to) == -1)
			return (-1);
	}
	for (i = 0; i < from->ntunnels; i++) {
		wbuf_init(&w, buf, ITEMMAX);
		conf_put_tunnel(&w, &from->tunnels[i]);
		rbuf_init(&r, buf, w.len);
		if (!wbuf_ok(&w) || conf_get_tunnel(&r, to) == -1)
			return (-1);
	}
	return (conf_complete(to));
}

struct conf *
conf_clone(const struct conf *c, int flags)
{
	uint8_t		*buf;
	struct wbuf	 w;
	struct rbuf	 r;
	struct conf	*n;

	if ((buf = malloc(ITEMMAX)) == NULL)
		return (NULL);
	wbuf_init(&w, buf, ITEMMAX);
	conf_put_globals(&w, c);
	rbuf_init(&r, buf, w.len);
	if ((n = conf_get_globals(&r)) != NULL && clone_into(n, c, flags, buf) == -1) {
		conf_free(n);
		n = NULL;
	}
	explicit_bzero(buf, ITEMMAX);
	free(buf);
	return (n);
}
