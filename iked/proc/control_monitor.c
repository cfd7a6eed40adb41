/* SPDX-License-Identifier: ISC */
/* Events for those who said `monitor': ike tells them only while there is one. */

#include <sys/types.h>

#include <string.h>
#include <time.h>

#include "base/reason.h"
#include "proc/control.h"

static unsigned
listeners(int ro_only)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < CLIENTS_MAX; i++)
		n += ct.c[i].io.fd != -1 && ct.c[i].monitor &&
		    (!ro_only || ct.c[i].ro);
	return (n);
}

static int
tell_ike(int on)
{
	struct msg m;

	msg_put_u8(&m, M_MONITOR, (uint8_t)on);
	return (chan_put(ct.ike, &m));
}

void
cmd_monitor(struct client *c, char *args)
{
	int bad = 0;

	if (lineio_word(&args, &bad) != NULL || bad) {
		client_end(c, "monitor takes no words");
		return;
	}
	if (c->ro && listeners(1) >= MONITORS_RO) {
		client_end(c, "as many listen as may; use iked.sock");
		return;
	}
	if (listeners(0) == 0 && tell_ike(1) == -1) {
		client_end(c, "iked is too busy; try again");
		return;
	}
	c->monitor = 1;
	c->io.busy = c->io.deaf = 1;
	ev_timer_stop(ct.ch->loop, &c->idle);	/* silence is what it hopes for */
}

void
monitor_left(void)
{
	if (listeners(0) == 0)
		(void)tell_ike(0);
}

static uint64_t
wall_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return ((uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000);
}

void
json_event(struct json *j, const struct show_event *e, uint32_t lost)
{
	json_begin(j);
	json_str(j, "kind", "event");
	json_u64(j, "time_ms", wall_ms());
	json_str(j, "event", show_event_name(e->type));
	json_str(j, "tunnel", e->tunnel);
	json_addr(j, "local", &e->local.addr);
	json_addr(j, "remote", &e->remote.addr);
	json_hex(j, "spi_in", e->spi_in, 8);
	json_hex(j, "spi_out", e->spi_out, 8);
	json_str(j, "reason", reason_name(e->reason));
	json_str(j, "text", e->text);
	json_u64(j, "lost", lost);
}

int
monitor_event(struct rbuf *r)
{
	struct show_event e;
	struct client *c;
	uint32_t lost;
	struct json j;
	size_t i;

	if (msg_get_event(r, &e, &lost) == -1)
		return (-1);
	for (i = 0; i < CLIENTS_MAX; i++) {
		c = &ct.c[i];
		if (c->io.fd == -1 || !c->monitor)
			continue;
		json_event(&j, &e, lost);	/* client_line ends it */
		client_line(c, &j);
	}
	return (0);
}
