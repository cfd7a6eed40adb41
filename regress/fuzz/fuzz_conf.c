/* SPDX-License-Identifier: ISC */
/*
 * iked.conf: any text.  What follows the first octet 0xff is what every file that
 * the text names contains, so that includes and secrets' files are reached.
 * What is accepted must print to a text that parses to the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct memory {
	const uint8_t	*p;
	size_t		 len;
};

static int
read_memory(void *arg, const char *path, uint8_t **data, size_t *len)
{
	const struct memory	*m = arg;

	/* Something is not there, too. */
	if (m->p == NULL || strstr(path, "missing") != NULL)
		return (-1);
	if ((*data = malloc(m->len + 1)) == NULL)
		return (-1);
	memcpy(*data, m->p, m->len);
	*len = m->len;
	return (0);
}

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
round_trip(const struct conf *c)
{
	static struct conf_errors errs;
	struct conf	*d;
	uint32_t	 i;
	char		*s;

	must((s = conf_print(c, 1)) != NULL);
	must((d = conf_parse("printed", s, strlen(s), NULL, 0, &errs)) != NULL);
	must(c->ntunnels == d->ntunnels && c->npeers == d->npeers &&
	    c->nwatches == d->nwatches && c->passive == d->passive && c->dpd_interval == d->dpd_interval &&
	    c->fragmentation == d->fragmentation && c->mobike == d->mobike);
	for (i = 0; i < c->ntunnels; i++) {
		must(conf_tunnel_equal(c, &c->tunnels[i], d, &d->tunnels[i]));
		must(conf_keepalive_equal(c->tunnels[i].keepalive,
		    d->tunnels[i].keepalive));
		must(conf_tunnel_byname(c, c->tunnels[i].name) == (int32_t)i);
	}
	for (i = 0; i < c->nwatches; i++)
		must(conf_watch_equal(&c->watches[i], &d->watches[i]));
	free(s);
	conf_free(d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct conf_errors errs;
	struct memory	 m = { NULL, 0 };
	struct conf_io	 io = { read_memory, &m };
	struct conf	*c;
	const uint8_t	*cut;
	size_t		 n = len;

	if (len > 0 && (cut = memchr(data, 0xff, len)) != NULL) {
		n = (size_t)(cut - data);
		m.p = cut + 1;
		m.len = len - n - 1;
	}
	c = conf_parse("fuzz", (const char *)data, n, &io, 0, &errs);
	must((c == NULL) == (errs.n > errs.nwarn));
	if (c != NULL)
		round_trip(c);
	conf_free(c);
	conf_free(conf_parse("fuzz", (const char *)data, n, &io,
	    CONF_NOSECRETS, &errs));
	return (0);
}
