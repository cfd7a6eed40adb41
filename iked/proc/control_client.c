/* SPDX-License-Identifier: ISC */
/*
 * Clients of the control sockets: who gets a place, and for how long.  What
 * they say and hear goes through lineio.h.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/reason.h"
#include "proc/control.h"
#include "proc/version.h"

static struct client *
client_of(struct lineio *l)
{
	return ((struct client *)((char *)l - offsetof(struct client, io)));
}

size_t
client_unread(const struct client *c)
{
	return (lineio_unread(&c->io));
}

void
client_drop(struct client *c)
{
	int monitor;

	if (c->io.fd == -1)
		return;
	ev_timer_stop(ct.ch->loop, &c->idle);
	lineio_close(&c->io);
	report_forget(c);
	monitor = c->monitor;
	memset(c, 0, sizeof(*c));
	c->io.fd = -1;
	if (monitor)
		monitor_left();
}

/* The places of the read-only socket are for those who use them. */
static void
client_idle(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	client_drop(w->data);
}

static void
client_alive(struct lineio *l)
{
	struct client *c = client_of(l);

	if (c->ro && !c->monitor)
		ev_timer_again(ct.ch->loop, &c->idle);
}

void
client_line(struct client *c, struct json *j)
{
	if (lineio_json(&c->io, j) == 1)
		log_fault(&ct.ch->log, WHY_PROCESS, "a record did not fit into a line and was "
		    "left out");
}

void
client_end(struct client *c, const char *error)
{
	client_end_code(c, error, REFUSED);
}

void
client_end_code(struct client *c, const char *error, enum refused code)
{
	c->token = 0;
	lineio_end_code(&c->io, error, code == REFUSED_UNKNOWN ? "unknown" :
	    code == REFUSED_DOWN ? "down" : NULL);
}

void
client_resume(struct client *c)
{
	lineio_resume(&c->io);
}

static void
client_said(struct lineio *l, char *line)
{
	cmd_line(client_of(l), line);
}

static void
client_more(struct lineio *l)
{
	cmd_continue(client_of(l));
}

static void
client_gone(struct lineio *l, const char *reason)
{
	struct client *c = client_of(l);

	if (reason != NULL)
		log_info(&ct.ch->log, "control client of uid %u %s: "
		    "disconnected", (unsigned)c->uid, reason);
	client_drop(c);
}

/* An answer without end ends with who asked for it. */
static void
client_eof(struct lineio *l)
{
	if (client_of(l)->monitor)
		client_gone(l, NULL);
}

static const struct lineio_ops client_ops = {
	client_said, lineio_end, client_more, client_alive, client_eof, client_gone
};

struct client *
client_bytoken(uint64_t token)
{
	struct client *c;

	if ((token & 0xff) >= CLIENTS_MAX)
		return (NULL);
	token &= ~(0xfULL << TOKEN_INDEX);
	c = &ct.c[token & 0xff];
	return (c->io.fd != -1 && c->io.busy && c->token == token ? c : NULL);
}

/* Anybody may connect to the read-only socket: not all of them, and not for ever. */
struct client *
client_place(int ro, uid_t uid)
{
	struct client *freeone = NULL;
	unsigned same = 0, all = 0;
	size_t i;

	for (i = 0; i < CLIENTS_MAX; i++) {
		if (ct.c[i].io.fd == -1)
			freeone = freeone == NULL ? &ct.c[i] : freeone;
		else if (ct.c[i].ro) {
			all++;
			same += ct.c[i].uid == uid;
		}
	}
	return (ro && (same >= CLIENTS_UID || all >= CLIENTS_RO) ? NULL :
	    freeone);
}

/* There is no place for it: one line, without ceremony. */
static void
client_refuse(int fd)
{
	static const char no[] = "{\"end\":true,\"error\":\"iked serves as many "
	    "clients as it can; try again\"}\n";

	(void)send(fd, no, sizeof(no) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

void
client_accept(int lfd, int ro)
{
	struct client *c;
	struct json j;
	uid_t uid;
	gid_t gid;
	int fd;

	if ((fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) == -1)
		return;
	if (getpeereid(fd, &uid, &gid) == -1) {
		close(fd);
		return;
	}
	if ((c = client_place(ro, uid)) == NULL) {
		client_refuse(fd);
		return;
	}
	memset(c, 0, sizeof(*c));
	lineio_open(&c->io, ct.ch->loop, fd, &client_ops);
	c->ro = ro;
	c->uid = uid;
	c->serial = ++ct.serial;
	ev_init(&c->idle, client_idle);
	c->idle.repeat = CLIENT_IDLE;
	c->idle.data = c;
	client_alive(&c->io);
	json_begin(&j);
	json_u64(&j, "ikeep", 1);
	json_str(&j, "version", IKEEP_VERSION);
	client_line(c, &j);
}
