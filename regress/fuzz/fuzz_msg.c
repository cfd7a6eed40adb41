/* SPDX-License-Identifier: ISC */
/*
 * The typed messages between the processes.  The first octet chooses one; the rest is
 * its octets.  What is taken is written again, and must then be taken as the same:
 * nothing in it is out of range, unterminated or left over.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proc/msg.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int ok)
{
	if (!ok)
		abort();
}

/* Reads a message and writes it again. 0; -1: refused. */
typedef int	 again(struct rbuf *, struct msg *);

#define AGAIN(name, type)						\
static int								\
again_##name(struct rbuf *r, struct msg *m)				\
{									\
	static type v;							\
									\
	if (msg_get_##name(r, &v) == -1)				\
		return (-1);						\
	msg_put_##name(m, &v);						\
	return (0);							\
}
AGAIN(setup, struct setup)
AGAIN(reload_error, struct reload_error)
AGAIN(confdone, struct confdone)
AGAIN(keys_req, struct keys_req)
AGAIN(keys_ans, struct keys_ans)
AGAIN(kernel_req, struct kernel_req)
AGAIN(kernel_ans, struct kernel_ans)
AGAIN(kernel_count, struct kernel_count)
AGAIN(kernel_counted, struct kernel_counted)
AGAIN(acquire, struct acquire)
AGAIN(expire, struct expire)
AGAIN(mapping, struct mapping)
AGAIN(addrs, struct addrs)
AGAIN(show, struct show_ask)
AGAIN(command, struct command)
AGAIN(counters, struct counters_ask)
AGAIN(counters_ans, struct counters_ans)
AGAIN(name, struct name_item)
AGAIN(name_ans, struct name_ans)
AGAIN(no_answer, struct no_answer)

static int
again_names(struct rbuf *r, struct msg *m)
{
	uint32_t	 serial, n;

	if (msg_get_names(r, &serial, &n) == -1)
		return (-1);
	msg_put_names(m, M_NAMES, serial, n);
	return (0);
}

static int
again_policies(struct rbuf *r, struct msg *m)
{
	struct policy_ask	 a;

	if (msg_get_policies(r, &a) == -1)
		return (-1);
	msg_put_policies(m, M_POLICIES, &a);
	return (0);
}

static int
again_event(struct rbuf *r, struct msg *m)
{
	struct show_event	 e;
	uint32_t		 lost;

	if (msg_get_event(r, &e, &lost) == -1)
		return (-1);
	msg_put_event(m, &e, lost);
	return (0);
}

static int
again_fd(struct rbuf *r, struct msg *m)
{
	struct fdinfo	 f;

	if (msg_get_fd(r, &f) == -1)
		return (-1);
	msg_put_fd(m, &f, -1);
	return (0);
}

static int
again_u8(struct rbuf *r, struct msg *m)
{
	uint8_t	 v;

	if (msg_get_u8(r, &v, 1) == -1)
		return (-1);
	must(v <= 1);
	msg_put_u8(m, M_VERBOSE, v);
	return (0);
}

static int
again_token(struct rbuf *r, struct msg *m)
{
	uint64_t	 token;

	if (msg_get_token(r, &token) == -1)
		return (-1);
	msg_put_token(m, M_RELOAD, token);
	return (0);
}

static int
again_log(struct rbuf *r, struct msg *m)
{
	enum log_level	 level;
	char		 line[200];

	if (msg_get_log(r, &level, line, sizeof(line)) == -1)
		return (-1);
	msg_put_log(m, level, line);
	return (0);
}

static int
again_outcome(struct rbuf *r, struct msg *m)
{
	struct outcome	 o;

	if (msg_get_outcome(r, &o) == -1)
		return (-1);
	msg_put_outcome(m, M_COMMAND_ANS, &o);
	return (0);
}

static int
again_caps(struct rbuf *r, struct msg *m)
{
	struct kern_caps c;
	char		 name[32];

	if (msg_get_caps(r, &c, name, sizeof(name)) == -1)
		return (-1);
	must(c.name == name);
	msg_put_caps(m, &c);
	return (0);
}

/* A slice: its head, then the records that it announces. */
static int
slice(struct rbuf *r, struct msg *m, uint16_t type)
{
	static struct told_rec	 rec;
	struct policy_rec	 pr;
	struct system_rec	 sr;
	struct slice		 s;
	uint16_t		 i;

	if (msg_get_slice(r, &s) == -1)
		return (-1);
	msg_put_slice(m, type, &s);
	for (i = 0; i < s.n; i++)
		if (type == M_SYSTEM_RECS) {
			if (get_system_rec(r, &sr) == -1)
				return (-1);
			put_system_rec(&m->w, &sr);
		} else if (type == M_POLICY_RECS) {
			if (get_policy_rec(r, &pr) == -1)
				return (-1);
			put_policy_rec(&m->w, &pr);
		} else {
			if (get_show_rec(r, &rec) == -1)
				return (-1);
			put_show_rec(&m->w, &rec);
		}
	msg_patch_slice(m, &s);
	return (get_end(r));
}

static int
again_show_recs(struct rbuf *r, struct msg *m)
{
	return (slice(r, m, M_SHOW_RECS));
}

static int
again_policy_recs(struct rbuf *r, struct msg *m)
{
	return (slice(r, m, M_POLICY_RECS));
}

static int
again_system_recs(struct rbuf *r, struct msg *m)
{
	return (slice(r, m, M_SYSTEM_RECS));
}

static again *const	 all[] = {
	again_setup, again_fd, again_u8, again_token, again_log,
	again_reload_error, again_outcome, again_confdone, again_keys_req,
	again_keys_ans, again_kernel_req, again_kernel_ans, again_caps,
	again_acquire, again_expire, again_mapping, again_addrs, again_show,
	again_policies, again_command, again_counters, again_counters_ans,
	again_show_recs, again_policy_recs, again_kernel_count, again_kernel_counted,
	again_event, again_system_recs, again_names, again_name, again_name_ans,
	again_no_answer
};
#define NALL	(sizeof(all) / sizeof(all[0]))

static void
one(again *f, const uint8_t *p, size_t len)
{
	static struct msg	 a, b;
	struct rbuf		 r;

	if (len > CHAN_MSGMAX - 2)
		return;
	rbuf_init(&r, p, len);
	if (f(&r, &a) == -1)
		return;
	must(wbuf_ok(&a.w));
	rbuf_init(&r, a.b + 2, a.w.len - 2);
	must(f(&r, &b) == 0 && wbuf_ok(&b.w));
	must(a.w.len == b.w.len && memcmp(a.b, b.b, a.w.len) == 0);
}

/*
 * Configurations as the parent sends them: messages of u8 type, u16 length.  The last one that
 * was whole can come again.
 */
static void
series(const uint8_t *p, size_t len)
{
	struct confin	 in = { NULL, 0, 0, { NULL, NULL } };
	struct confout	 out = { NULL, CONF_WITH_SECRETS, 0, 0, 0, 0, 0 };
	struct rbuf	 all_, r;
	struct conf	*c, *last = NULL;
	struct msg	 m;
	uint8_t		 type;
	int		 rv;

	rbuf_init(&all_, p, len);
	while (rbuf_left(&all_) >= 3) {
		type = rbuf_u8(&all_);
		r = rbuf_sub(&all_, rbuf_u16(&all_));
		if ((rv = confin_message(&in, type, &r, &c)) == -1)
			break;
		if (rv == 0)
			continue;
		out.conf = c;
		while (confout_next(&out, &m))
			must(wbuf_ok(&m.w));
		out.begun = out.peer = out.tunnel = 0;
		conf_free(last);
		in.base[0] = last = c;
	}
	confin_reset(&in);
	conf_free(last);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0)
		return (0);
	if (data[0] == 0xff)
		series(data + 1, len - 1);
	else
		one(all[data[0] % NALL], data + 1, len - 1);
	return (0);
}
