/* SPDX-License-Identifier: ISC */
/*
 * A target on its way from netwatchd's parent to its probe process: any octets.  What is
 * taken is what a statement can say: it goes back into a message and comes out equal, and
 * the core takes it or leaves it.
 */

#include <stdlib.h>
#include <string.h>

#include "keepalive/nwmsg.h"
#include "keepalive/watch_local.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int ok)
{
	if (!ok)
		abort();
}

static uint32_t
random32(void *arg)
{
	(void)arg;
	return (4);
}

static void
quiet(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)line;
}

static int
probe(void *arg, struct conf_keepalive *ka, const struct addr *src,
    const struct addr *dst, const struct probe *p)
{
	(void)arg;
	(void)ka;
	(void)dst;
	(void)p;
	must(src->fam != ADDR_NONE);
	return (0);
}

static void
watch(const struct watch_conf *wc)
{
	static const struct logger log = { quiet, NULL, 1, NULL };
	static const struct watch_io io = { .probe = probe, .random = random32,
	    .log = &log };
	struct watch *w = watch_new(&io);
	monotime now = { 1000000 };

	must(w != NULL);
	watch_conf_begin(w);
	must((watch_conf_add(w, wc) == 0) == watch_conf_valid(wc));
	watch_conf_commit(w, now);
	watch_free(w);
}

/* The other way: what a hook is told. */
static void
hook(const uint8_t *data, size_t len)
{
	struct hook_event a, b;
	uint8_t buf[1024];
	struct rbuf r;
	struct wbuf w;

	rbuf_init(&r, data, len);
	if (nwmsg_get_hook(&r, &a) == -1)
		return;
	wbuf_init(&w, buf, sizeof(buf));
	nwmsg_put_hook(&w, &a);
	must(wbuf_ok(&w) && w.len == len);
	rbuf_init(&r, buf, w.len);
	must(nwmsg_get_hook(&r, &b) == 0);
	must(strcmp(a.name, b.name) == 0 && a.kind == b.kind &&
	    strcmp(a.state, b.state) == 0 && strcmp(a.reason, b.reason) == 0 &&
	    addr_cmp(&a.target, &b.target) == 0 && a.loss == b.loss);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t buf[16384];
	struct conf_kashare s;
	struct watch_conf a, b;
	struct rbuf r;
	struct wbuf w;

	hook(data, len);
	memset(&s, 0, sizeof(s));
	rbuf_init(&r, data, len);
	if (nwmsg_get_target(&r, &a, &s) == -1)
		return (0);
	must(conf_keepalive_ok(a.ka, KA_APART));
	wbuf_init(&w, buf, sizeof(buf));
	nwmsg_put_target(&w, &a);
	must(wbuf_ok(&w));
	rbuf_init(&r, buf, w.len);
	must(nwmsg_get_target(&r, &b, &s) == 0);
	must(b.ka == a.ka && strcmp(a.name, b.name) == 0 && watch_conf_equal(&a, &b));
	watch(&a);
	watch_conf_clear(&a);
	watch_conf_clear(&b);
	conf_kashare_clear(&s);
	return (0);
}
