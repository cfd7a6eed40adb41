/* SPDX-License-Identifier: ISC */
/*
 * A PF_KEY message from anywhere: what decodes must encode again and decode to the
 * same, and whatever our structures take from it must be usable.
 */

#include <stdlib.h>
#include <string.h>

#include "pfkey_common.h"

static void
again(const struct pfkey_dialect *d, const struct pfkey_msg *m)
{
	static uint8_t a[65536], b[65536];
	struct pfkey_msg n;
	struct wbuf wa, wb;
	const char *why;

	wbuf_init(&wa, a, sizeof(a));
	wbuf_init(&wb, b, sizeof(b));
	if (pfkey_encode(d, m, &wa) == -1)
		abort();
	if (pfkey_decode(d, a, wa.len, &n, &why) == -1)
		abort();
	if (pfkey_encode(d, &n, &wb) == -1 || wa.len != wb.len ||
	    memcmp(a, b, wa.len) != 0)
		abort();
}

/* An SA that passes our own check can be sent. */
static void
send_sa(const struct pfkey_dialect *d, struct kern_sa *sa)
{
	uint8_t out[1024];
	struct pfkey_msg m;
	struct wbuf w;

	if (kern_sa_check(sa) == -1 || pfkey_req_sa(d, &m, sa, 0) == -1)
		return;
	wbuf_init(&w, out, sizeof(out));
	if (pfkey_encode(d, &m, &w) == -1)
		abort();
}

int
fuzz_pfkey(const struct pfkey_dialect *d, const uint8_t *p, size_t len)
{
	struct pfkey_msg m;
	struct kern_policy pol;
	struct kern_event ev;
	struct kern_caps caps;
	struct kern_note n;
	struct kern_sa sa;
	uint8_t out[1024];
	struct wbuf w;
	const char *why = NULL;

	if (pfkey_decode(d, p, len, &m, &why) == -1) {
		if (why == NULL)
			abort();	/* every refusal says why */
		return (0);
	}
	again(d, &m);
	if (pfkey_get_sa(d, &m, &sa) == 0)
		send_sa(d, &sa);
	if (pfkey_get_policy(d, &m, &pol) == 0 &&
	    kern_policy_check(&pol) == 0 &&
	    pfkey_req_policy(d, &m, PFM_SPDUPDATE, &pol) == 0) {
		wbuf_init(&w, out, sizeof(out));
		if (pfkey_encode(d, &m, &w) == -1)
			abort();
		if (pfkey_decode(d, p, len, &m, &why) == -1)
			abort();
	} else if (pfkey_decode(d, p, len, &m, &why) == -1)
		abort();
	if (pfkey_get_sa(d, &m, &sa) == 0)
		pfkey_get_keys(&m, &sa);
	pfkey_get_note(d, &m, 1, &n);
	if (memchr(n.word, '\0', sizeof(n.word)) == NULL)
		abort();
	(void)pfkey_get_event(d, &m, &ev);
	pfkey_get_caps(d, &m, &caps);
	if (caps.nalgs > sizeof(caps.algs) / sizeof(caps.algs[0]))
		abort();
	return (0);
}
