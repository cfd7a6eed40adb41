/* Traffic selectors as plain values (RFC 7296 3.13). */
#ifndef BASE_TS_H
#define BASE_TS_H

#include "base/addr.h"

struct ts {
	uint8_t		proto;		/* IP protocol, 0 = any */
	uint16_t	sport, eport;	/* 0..65535 = any; 65535..0 = OPAQUE */
	struct addr	start, end;	/* same family, start <= end */
};

#define TS_MAX		32
#define TS_STRLEN	128

struct tslist {
	uint8_t		n;
	struct ts	t[TS_MAX];
};

void	ts_from_prefix(struct ts *, const struct prefix *, uint8_t proto, uint16_t port);
/* The smallest prefix that holds the range: exact (1) or wider (0). */
int	ts_to_prefix(const struct ts *, struct prefix *);
int	ts_valid(const struct ts *);
int	ts_equal(const struct ts *, const struct ts *);
int	ts_within(const struct ts *inner, const struct ts *outer);	/* 1/0 */
/* Intersection; 1 and *out, or 0 when empty. */
int	ts_intersect(const struct ts *, const struct ts *, struct ts *out);
int	tslist_equal(const struct tslist *, const struct tslist *);	/* order free */
/* Each of inner lies in one of outer or in several of them together. 1/0 */
int	tslist_within(const struct tslist *inner, const struct tslist *outer);
/* Narrowing (2.9): every intersection of offered with ours, duplicates removed,
 * order of the offer kept, what another result holds already left out.  Gives the number of selectors; 0 = TS_UNACCEPTABLE. */
int	tslist_narrow(const struct tslist *offered, const struct tslist *ours,
	    struct tslist *out);
char	*ts_str(const struct ts *, char dst[TS_STRLEN]);	/* "10.1.0.0/24" or "a-b[proto/port]" */
/* "a, b, ..."; cut to cap, which the last one that fits shows; gives dst. */
char	*tslist_str(const struct tslist *, char *dst, size_t cap);

#endif
