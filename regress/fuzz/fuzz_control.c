/* SPDX-License-Identifier: ISC */
/*
 * A client of the control sockets, rude in every way the input says: the real control
 * process over real sockets, its siblings played here.  The first octet: 1 the
 * read-only socket, 2 reads nothing until it has said all, 4 closes its half
 * at the end; the rest is what it says.  Every line that comes back must be
 * a JSON object, every command must get its one end, and nothing of the client stays.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/client.h"
#include "proc/control.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define QUIET	8		/* turns of the loop in which nothing happened */

static struct child	 me;
static struct chan	*far_ike, *far_kernel;
static struct sockaddr_un sun[2];
static unsigned long	 moved;		/* anything at all happened */

struct talk {
	int			 fd, open;
	struct client_reader	 reader;
	unsigned long		 objects, ends;
};

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
emit(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	must(strstr(line, "did not fit") == NULL);
}

/* ---- the siblings ------------------------------------------------------ */

static void
answer_show(struct rbuf *r)
{
	static struct told_rec rec;
	struct show_ask a;
	struct slice s;
	struct msg m;

	must(msg_get_show(r, &a) == 0);
	memset(&rec, 0, sizeof(rec));
	rec.rec.kind = a.kind;
	if (a.kind == SHOWK_TUNNEL) {
		rec.rec.u.tunnel.state = SHOW_BACKOFF;
		strlcpy(rec.rec.u.tunnel.name, "a \x01\xff\"\\b",
		    sizeof(rec.rec.u.tunnel.name));
		memset(rec.rec.u.tunnel.error, 1, sizeof(rec.rec.u.tunnel.error) - 1);
	}
	s.token = a.token;
	s.cursor = a.cursor + 1;
	s.more = a.cursor < 2;
	s.n = 1;
	msg_put_slice(&m, M_SHOW_RECS, &s);
	put_show_rec(&m.w, &rec);
	must(chan_put(far_ike, &m) == 0);
}

static void
answer_policies(struct rbuf *r)
{
	struct policy_rec p;
	struct policy_ask a;
	struct slice s;
	struct msg m;

	must(msg_get_policies(r, &a) == 0);
	memset(&p, 0, sizeof(p));
	p.dir = KERN_OUT;
	s.token = a.token;
	s.cursor = a.cursor + 1;
	s.more = a.cursor < 2;
	s.n = 1;
	msg_put_slice(&m, M_POLICY_RECS, &s);
	put_policy_rec(&m.w, &p);
	must(chan_put(far_kernel, &m) == 0);
}

static void
answer_system(struct rbuf *r)
{
	struct system_rec rec;
	struct policy_ask a;
	struct outcome o;
	struct slice s;
	struct msg m;

	must(msg_get_policies(r, &a) == 0);
	if (a.cursor == 1) {
		memset(&o, 0, sizeof(o));
		o.token = a.token;
		memset(o.text, 1, sizeof(o.text) - 1);
		msg_put_outcome(&m, M_SYSTEM_ANS, &o);
		must(chan_put(far_kernel, &m) == 0);
		return;
	}
	memset(&rec, 0, sizeof(rec));
	rec.what = SYSTEM_SA;
	rec.whose = SYSTEM_FOREIGN;
	memset(rec.suite, 1, sizeof(rec.suite) - 1);
	s.token = a.token;
	s.cursor = a.cursor + 1;
	s.more = 1;
	s.n = 1;
	msg_put_slice(&m, M_SYSTEM_RECS, &s);
	put_system_rec(&m.w, &rec);
	must(chan_put(far_kernel, &m) == 0);
}

/* The name comes back in the text, whatever its octets. */
static void
answer_command(struct rbuf *r)
{
	struct command c;
	struct outcome o;
	struct msg m;

	must(msg_get_command(r, &c) == 0);
	memset(&o, 0, sizeof(o));
	o.token = c.token;
	o.ok = c.name[0] == 'b';
	(void)snprintf(o.text, sizeof(o.text), "no tunnel \"%s\"", c.name);
	msg_put_outcome(&m, M_COMMAND_ANS, &o);
	must(chan_put(far_ike, &m) == 0);
}

static void
answer_counters(struct rbuf *r)
{
	struct counters_ans ans;
	struct counters_ask a;
	struct msg m;

	must(msg_get_counters(r, &a) == 0);
	memset(&ans, 0, sizeof(ans));
	ans.token = a.token;
	ans.c.err = a.name[0] == 'b' ? 0 : a.name[0] == 'c' ? ENOENT : EIO;
	ans.c.bytes_in = UINT64_MAX;
	msg_put_counters_ans(&m, &ans);
	must(chan_put(far_ike, &m) == 0);
}

static void
answer_reload(uint64_t token)
{
	struct reload_error e;
	struct outcome o;
	struct msg m;

	memset(&e, 0, sizeof(e));
	memset(&o, 0, sizeof(o));
	e.token = o.token = token;
	strlcpy(e.file, "/etc/iked.conf", sizeof(e.file));
	memset(e.text, '"', sizeof(e.text) - 1);
	msg_put_reload_error(&m, &e);
	must(chan_put(far_ike, &m) == 0);
	msg_put_outcome(&m, M_RELOAD_DONE, &o);
	must(chan_put(far_ike, &m) == 0);
}

static void
answer_monitor(void)
{
	struct show_event ev;
	struct msg m;

	memset(&ev, 0, sizeof(ev));
	ev.type = EVENT_FAILURE;
	memset(ev.text, 1, sizeof(ev.text) - 1);
	msg_put_event(&m, &ev, 3);
	must(chan_put(far_ike, &m) == 0);
}

/* ike asks kernel for a flush, and kernel answers control. */
static void
answer_flush(uint64_t token)
{
	struct outcome o;
	struct msg m;

	memset(&o, 0, sizeof(o));
	o.token = token;
	o.ok = 1;
	msg_put_outcome(&m, M_FLUSH_ANS, &o);
	must(chan_put(far_kernel, &m) == 0);
}

static int
far_message(void *arg, struct chan *ch, uint16_t type, struct rbuf *r, int fd)
{
	uint64_t token;
	uint8_t v;

	(void)arg;
	must(fd == -1);
	moved++;
	if (ch == far_kernel) {
		must(type == M_POLICIES || type == M_SYSTEM);
		if (type == M_SYSTEM)
			answer_system(r);
		else
			answer_policies(r);
		return (0);
	}
	switch (type) {
	case M_SHOW:
		answer_show(r);
		break;
	case M_COMMAND:
		answer_command(r);
		break;
	case M_COUNTERS:
		answer_counters(r);
		break;
	case M_RELOAD:
		must(msg_get_token(r, &token) == 0);
		answer_reload(token);
		break;
	case M_MONITOR:
		must(msg_get_u8(r, &v, 1) == 0);
		if (v)
			answer_monitor();
		break;
	case M_FLUSH:
		must(msg_get_token(r, &token) == 0);
		answer_flush(token);
		break;
	default:
		must(type == M_SETVERBOSE && msg_get_u8(r, &v, LOGGER_DEBUG) == 0);
	}
	return (0);
}

static void
far_closed(void *arg, struct chan *ch, const char *why)
{
	(void)arg;
	(void)ch;
	(void)why;
	abort();		/* control refused what its own kind said */
}

/* ---- the process ------------------------------------------------------- */

static int
listen_at(const char *dir, const char *name, struct sockaddr_un *sa)
{
	int fd;

	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	must(snprintf(sa->sun_path, sizeof(sa->sun_path), "%s/%s", dir, name) <
	    (int)sizeof(sa->sun_path));
	must((fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	must(bind(fd, (struct sockaddr *)sa, sizeof(*sa)) == 0);
	must(listen(fd, 5) == 0);
	return (fd);
}

static char	 dir[] = "/tmp/fuzz_control.XXXXXX";

static void
tidy(void)
{
	(void)unlink(sun[0].sun_path);
	(void)unlink(sun[1].sun_path);
	(void)rmdir(dir);
}

static void
start(void)
{
	static const struct chan_ops ops = { far_message, far_closed, NULL };
	int sv[2];

	must(mkdtemp(dir) != NULL);
	me.ops = &control_role;
	me.loop = ev_loop_new(0);
	me.log = (struct logger){ emit, NULL, 1, NULL };
	me.listenfd[0] = listen_at(dir, "all", &sun[0]);
	me.listenfd[1] = listen_at(dir, "ro", &sun[1]);
	(void)atexit(tidy);
	must(chan_pair(sv) == 0);
	me.link[ROLE_IKE] = sv[0];
	far_ike = chan_new(me.loop, sv[1], CHILD_QUEUE, &ops, NULL);
	must(chan_pair(sv) == 0);
	me.link[ROLE_KERNEL] = sv[0];
	far_kernel = chan_new(me.loop, sv[1], CHILD_QUEUE, &ops, NULL);
	must(far_ike != NULL && far_kernel != NULL);
	must(control_role.prepare(&me) == 0 && control_role.start(&me) == 0);
}

static unsigned
clients(void)
{
	unsigned i, n;

	for (i = n = 0; i < CLIENTS_MAX; i++)
		n += ct.c[i].io.fd != -1;
	return (n);
}

static int
monitoring(void)
{
	unsigned i;

	for (i = 0; i < CLIENTS_MAX; i++)
		if (ct.c[i].io.fd != -1 && ct.c[i].monitor)
			return (1);
	return (0);
}

/* ---- the client -------------------------------------------------------- */

static void
take(struct talk *t, const char *p, size_t n)
{
	json_t *o;
	size_t fed;
	int rv;

	while (n > 0) {
		fed = client_reader_feed(&t->reader, p, n);
		must(fed > 0);
		p += fed;
		n -= fed;
		while ((rv = client_reader_next(&t->reader, &o)) == 1) {
			must(t->objects++ > 0 ||
			    json_object_get(o, "ikeep") != NULL);
			if (json_is_true(json_object_get(o, "end")))
				t->ends++;
			json_decref(o);
		}
		must(rv == 0);
	}
}

static void
hear(struct talk *t)
{
	char buf[4096];
	ssize_t n;

	while (t->open && (n = recv(t->fd, buf, sizeof(buf),
	    MSG_DONTWAIT)) != -1) {
		moved++;
		if (n == 0)
			t->open = 0;
		else
			take(t, buf, (size_t)n);
	}
	if (t->open && errno != EAGAIN)
		t->open = 0;
}

/* Says what the socket takes; the number of octets. */
static size_t
speak(struct talk *t, const uint8_t *p, size_t len)
{
	ssize_t n;

	if (len == 0 || !t->open)
		return (0);
	n = send(t->fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n <= 0)
		return (0);
	moved++;
	return ((size_t)n);
}

/* Says all, as long as anything moves. */
static size_t
converse(struct talk *t, const uint8_t *p, size_t len, int deaf)
{
	unsigned long last = moved;
	unsigned quiet = 0;
	size_t off = 0;

	while (quiet < QUIET) {
		off += speak(t, p + off, len - off);
		ev_run(me.loop, EVRUN_NOWAIT);
		if (!deaf)
			hear(t);
		quiet = moved == last ? quiet + 1 : 0;
		last = moved;
	}
	return (off);
}

static size_t
lines(const uint8_t *p, size_t len)
{
	size_t i, n;

	for (i = n = 0; i < len; i++)
		n += p[i] == '\n';
	return (n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct talk t;
	uint8_t how;
	size_t said;

	if (len == 0)
		return (0);
	if (me.loop == NULL)
		start();
	how = *data++;
	len--;
	memset(&t, 0, sizeof(t));
	client_reader_init(&t.reader);
	must((t.fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	must(connect(t.fd, (struct sockaddr *)&sun[how & 1],
	    sizeof(sun[0])) == 0);
	t.open = 1;
	said = converse(&t, data, len, how & 2);
	said += converse(&t, data + said, len - said, 0);
	must(t.objects > 0 && t.ends <= lines(data, said) + 1);
	if (t.open && !monitoring())	/* its answer has no end */
		must(said == len && t.ends == lines(data, said));
	if ((how & 4) && t.open) {
		must(shutdown(t.fd, SHUT_WR) == 0);
		(void)converse(&t, data, 0, 0);
		must(!t.open);
	}
	must(close(t.fd) == 0);
	(void)converse(&t, data, 0, 1);
	must(clients() == 0 && !report_connected());
	return (0);
}
