/* SPDX-License-Identifier: ISC */
/* iked.conf as netwatchd wants it: tunnels with `keepalive', no secrets. */

#include <errno.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "keepalive/parent.h"
#include "proc/plog.h"
#include "proc/wholefile.h"

static int
read_file(void *arg, const char *path, uint8_t **data, size_t *len)
{
	(void)arg;
	return (wholefile_read(path, NULL, data, len));
}

static void
say_errors(const struct conf_errors *e)
{
	uint32_t i;

	for (i = 0; i < e->n && i < 64; i++)
		log_warnx(plog(), "%s:%u:%u: %s%s", e->e[i].file, e->e[i].line,
		    e->e[i].col, e->warn[i] ? "warning: " : "", e->e[i].text);
	if (e->n > 64)
		log_warnx(plog(), "and %u more", e->n - 64);
}

static void
pick_tunnels(struct nw_conf *nc, const struct conf *conf)
{
	const char *why;
	uint32_t i;

	for (i = 0; i < conf->ntunnels; i++) {
		if (watch_conf_from(&conf->tunnels[i], &nc->targets[nc->n],
		    &why) == 0)
			nc->n++;
		else if (why != NULL)
			log_warnx(plog(), "keepalive \"%s\": not watched: %s",
			    conf->tunnels[i].name, why);
	}
}

static struct nw_conf *
pick(const struct conf *conf)
{
	struct nw_conf *nc;
	size_t i, n = 1 + conf->nwatches;

	/* One that has no keepalive takes no place. */
	for (i = 0; i < conf->ntunnels; i++)
		n += conf->tunnels[i].keepalive != NULL;
	if ((nc = calloc(1, sizeof(*nc))) == NULL || (nc->targets =
	    calloc(n, sizeof(*nc->targets))) == NULL) {
		free(nc);
		log_warn(plog(), "configuration");
		return (NULL);
	}
	pick_tunnels(nc, conf);
	for (i = 0; i < conf->nwatches; i++)
		if (watch_conf_from_watch(&conf->watches[i],
		    &nc->targets[nc->n]) == 0)
			nc->n++;
	nc->idle = conf->ntunnels == 0 && nc->n == 0;
	return (nc);
}

struct nw_conf *
nwconf_load(const char *path)
{
	const struct conf_io io = { read_file, NULL };
	struct conf_errors *errors;
	struct nw_conf *nc = NULL;
	struct conf *conf;
	uint8_t *text;
	size_t len;

	if (read_file(NULL, path, &text, &len) == -1) {
		log_warnx(plog(), "cannot read %s: %s", path,
		    conf_io_error(errno));
		return (NULL);
	}
	if ((errors = calloc(1, sizeof(*errors))) == NULL) {
		log_warn(plog(), "configuration");
		wholefile_free(text, len);
		return (NULL);
	}
	conf = conf_parse(path, (char *)text, len, &io, CONF_NOSECRETS,
	    errors);
	wholefile_free(text, len);
	say_errors(errors);
	free(errors);
	if (conf != NULL)
		nc = pick(conf);
	conf_free(conf);
	return (nc);
}

void
nwconf_free(struct nw_conf *nc)
{
	size_t i;

	if (nc == NULL)
		return;
	for (i = 0; i < nc->n; i++)
		watch_conf_clear(&nc->targets[i]);
	free(nc->targets);
	free(nc);
}

ssize_t
nwconf_hooks(const struct nw_conf *nc, struct hook_conf **list)
{
	const struct conf_keepalive *ka;
	struct hook_conf *h;
	ssize_t n = 0;
	size_t i;

	if ((*list = calloc(nc->n + 1, sizeof(**list))) == NULL)
		return (-1);
	for (i = 0; i < nc->n; i++) {
		ka = nc->targets[i].ka;
		if (ka == NULL || (ka->str[KA_ONUP] == NULL &&
		    ka->str[KA_ONDOWN] == NULL && ka->str[KA_ONTEST] == NULL))
			continue;
		h = &(*list)[n++];
		h->name = nc->targets[i].name;
		h->path[HOOK_UP] = ka->str[KA_ONUP];
		h->path[HOOK_DOWN] = ka->str[KA_ONDOWN];
		h->path[HOOK_TEST] = ka->str[KA_ONTEST];
	}
	return (n);
}
