/* SPDX-License-Identifier: ISC */
/*
 * The PF_KEY back end: a socket for requests and one, registered for ESP, for
 * events.  Everybody's changes are told to every PF_KEY socket, so answers are
 * picked by pid, sequence number and type; the rest is passed over.
 */

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pfkey/pfkey_sock.h"

#define REQMAX		1024	/* octets; our largest request is below 400 */
#define REGISTER_MS	3000
#define NACQUIRES	256	/* remembered, newest win */
#define NPOLICIES	65536	/* reqids are fewer than 16384 */
#define NBUCKETS	16384
#define GONE_SPI_LO	0x100	/* see pfkey_acquire_failed() */
#define GONE_SPI_HI	0xffff

/* An ACQUIRE names a policy; this says which reqid that was. */
struct polent {
	uint32_t	id, reqid;
	uint32_t	next;		/* index + 1; 0: none */
	uint8_t		transport;
};

struct acquire {
	struct kern_event	ev;
	int			transport;
};

struct pfkey {
	const struct pfkey_dialect *d;
	int		 req, ev;
	uint32_t	 pid;
	struct kern_caps caps;
	struct acquire	 acq[NACQUIRES];
	size_t		 nacq;
	struct polent	*pol;
	uint32_t	 npol;		/* used so far */
	uint32_t	 unused;	/* list of given back ones */
	uint32_t	 bucket[NBUCKETS];
	struct pfkey_msg msg;
	uint8_t		 buf[KERN_BUFSIZE];
};

static const struct kern_ops pfkey_ops;

/* --- policies' reqids --- */

static uint32_t *
pol_find(struct pfkey *x, uint32_t id)
{
	uint32_t *p = &x->bucket[(id ^ id >> 14) & (NBUCKETS - 1)];

	while (*p != 0 && x->pol[*p - 1].id != id)
		p = &x->pol[*p - 1].next;
	return (p);
}

static void
pol_put(struct pfkey *x, const struct kern_policy *kp)
{
	uint32_t *p = pol_find(x, kp->id), i;

	if (kp->id == 0 || kp->reqid == 0)
		return;
	if (*p == 0) {
		if (x->unused != 0) {
			i = x->unused;
			x->unused = x->pol[i - 1].next;
		} else if (x->npol < NPOLICIES)
			i = ++x->npol;
		else
			return;		/* its acquires come without reqid */
		x->pol[i - 1].id = kp->id;
		x->pol[i - 1].next = 0;
		*p = i;
	}
	x->pol[*p - 1].reqid = kp->reqid;
	x->pol[*p - 1].transport = kp->transport;
}

static void
pol_del(struct pfkey *x, uint32_t id)
{
	uint32_t *p = pol_find(x, id), i = *p;

	if (i == 0)
		return;
	*p = x->pol[i - 1].next;
	x->pol[i - 1].next = x->unused;
	x->unused = i;
}

/* --- opening --- */

static int
put_message(struct pfkey *x, int fd, struct pfkey_msg *m)
{
	uint8_t buf[REQMAX];
	struct wbuf w;
	ssize_t n;
	int save;

	m->pid = x->pid;
	wbuf_init(&w, buf, sizeof(buf));
	if (pfkey_encode(x->d, m, &w) == -1) {
		explicit_bzero(buf, sizeof(buf));
		errno = EINVAL;
		return (-1);
	}
	do
		n = send(fd, buf, w.len, 0);
	while (n == -1 && errno == EINTR);
	save = errno;
	explicit_bzero(buf, w.len);	/* keys */
	errno = save;
	return (n == -1 ? -1 : 0);
}

/* 1 and a checked message in x->msg, 0: nothing there, -1: some were lost,
 * 2: not readable, to be passed over. */
static int
get_message(struct kern *k, int fd)
{
	struct pfkey *x = k->be;
	const char *why;
	ssize_t n;

	do
		n = recv(fd, x->buf, sizeof(x->buf), MSG_DONTWAIT | MSG_TRUNC);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return (errno == ENOBUFS ? -1 : 0);
	if ((size_t)n > sizeof(x->buf))
		return (-1);
	if (pfkey_decode(x->d, x->buf, (size_t)n, &x->msg, &why) == -1) {
		log_debug(k->log, "PF_KEY: message type %u passed over: %s",
		    x->msg.type, why);
		return (2);
	}
	return (1);
}

/* The answer lists what the kernel can do; from now on events come. */
static int
pfkey_register(struct kern *k)
{
	struct pfkey *x = k->be;
	struct pollfd pfd = { .fd = x->ev, .events = POLLIN };
	struct pfkey_msg m;
	int i;

	pfkey_req_plain(&m, PFM_REGISTER);
	m.seq = 1;
	if (put_message(x, x->ev, &m) == -1)
		return (-1);
	for (i = 0; i < 1000; i++) {
		if (poll(&pfd, 1, REGISTER_MS) == 0)
			break;
		if (get_message(k, x->ev) != 1 || x->msg.type != PFM_REGISTER ||
		    x->msg.pid != x->pid || x->msg.seq != 1)
			continue;
		if (x->msg.err != 0) {
			errno = x->msg.err;
			return (-1);
		}
		pfkey_get_caps(x->d, &x->msg, &x->caps);
		return (0);
	}
	errno = ETIMEDOUT;
	return (-1);
}

static void
pfkey_free(struct pfkey *x)
{
	int save = errno;

	if (x->req != -1)
		close(x->req);
	if (x->ev != -1)
		close(x->ev);
	free(x->pol);
	explicit_bzero(x->buf, sizeof(x->buf));
	free(x);
	errno = save;
}

int
kern_pfkey_open(struct kern *k, const char **err)
{
	struct pfkey *x;

	if ((x = calloc(1, sizeof(*x))) == NULL) {
		*err = "no memory";
		return (-1);
	}
	x->d = pfkey_native();
	x->pid = (uint32_t)getpid();
	x->req = x->ev = -1;
	k->be = x;
	if ((x->pol = calloc(NPOLICIES, sizeof(*x->pol))) == NULL)
		*err = "no memory";
	else if ((x->req = pfkey_sock_open(err)) == -1 ||
	    (x->ev = pfkey_sock_open(err)) == -1)
		;	/* it says why */
	else if (pfkey_register(k) == -1)
		*err = "PF_KEY is there, but ESP cannot be registered";
	else {
		k->ops = &pfkey_ops;
		return (0);
	}
	pfkey_free(x);
	k->be = NULL;
	return (-1);
}

static void
pfkey_close(struct kern *k)
{
	pfkey_free(k->be);
}

static int
pfkey_fd(const struct kern *k, size_t i)
{
	const struct pfkey *x = k->be;

	return (i == 0 ? x->req : i == 1 ? x->ev : -1);
}

static int
pfkey_probe(struct kern *k, struct kern_caps *c)
{
	const struct pfkey *x = k->be;

	*c = x->caps;
	return (0);
}

/* --- requests --- */

static int
request(struct kern *k, struct kern_req *r, struct pfkey_msg *m)
{
	struct pfkey *x = k->be;

	m->seq = r->seq;
	r->type = m->type;
	return (put_message(x, x->req, m));
}

static int
pfkey_sa_put(struct kern *k, struct kern_req *r, const struct kern_sa *sa,
    int update)
{
	struct pfkey *x = k->be;
	const struct xform_info *xi;
	struct pfkey_msg m;

	xi = xform_info(XF_ENCR, sa->encr, sa->encr_keybits);
	if ((xi != NULL && xi->aead && !x->d->has_aead) ||
	    (sa->integ == INTEG_HMAC_SHA2_256_128 && x->d->sha256_96) ||
	    pfkey_req_sa(x->d, &m, sa, update) == -1) {
		errno = EOPNOTSUPP;
		return (-1);
	}
	return (request(k, r, &m));
}

static int
said(struct kern *k, struct kern_req *r, uint8_t type, uint32_t spi,
    uint8_t proto, const struct addr *src, const struct addr *dst)
{
	struct pfkey *x = k->be;
	struct pfkey_msg m;

	if (proto != PROTO_ESP ||
	    pfkey_req_said(x->d, &m, type, spi, src, dst) == -1) {
		errno = EINVAL;
		return (-1);
	}
	return (request(k, r, &m));
}

static int
pfkey_sa_delete(struct kern *k, struct kern_req *r, uint32_t spi, uint8_t proto,
    const struct addr *src, const struct addr *dst)
{
	return (said(k, r, PFM_DELETE, spi, proto, src, dst));
}

static int
pfkey_sa_get(struct kern *k, struct kern_req *r, uint32_t spi, uint8_t proto,
    const struct addr *src, const struct addr *dst)
{
	return (said(k, r, PFM_GET, spi, proto, src, dst));
}

static int
pfkey_sa_dump(struct kern *k, struct kern_req *r)
{
	struct pfkey_msg m;

	pfkey_req_plain(&m, PFM_DUMP);
	if (k->look)
		m.satype = PFS_UNSPEC;
	return (request(k, r, &m));
}

static int
policy(struct kern *k, struct kern_req *r, uint8_t type,
    const struct kern_policy *p)
{
	struct pfkey *x = k->be;
	struct pfkey_msg m;

	if (pfkey_req_policy(x->d, &m, type, p) == -1) {
		errno = EOPNOTSUPP;
		return (-1);
	}
	return (request(k, r, &m));
}

static int
pfkey_policy_put(struct kern *k, struct kern_req *r, const struct kern_policy *p)
{
	return (policy(k, r, PFM_SPDUPDATE, p));
}

static int
pfkey_policy_delete(struct kern *k, struct kern_req *r,
    const struct kern_policy *p)
{
	return (policy(k, r, PFM_SPDDELETE, p));
}

static int
pfkey_policy_dump(struct kern *k, struct kern_req *r)
{
	struct pfkey_msg m;

	pfkey_req_plain(&m, PFM_SPDDUMP);
	return (request(k, r, &m));
}

static uint32_t
pfkey_pid(const struct kern *k)
{
	const struct pfkey *x = k->be;

	return (x->pid);
}

/*
 * Linux: an ACQUIRE with an errno would leave the larval SA to eat packets until
 * it times out.  GETSPI with the acquire's number gives it an SPI (ours are
 * 0x10000 and more), and with an SPI it can be deleted (gone_larval).
 */
static int
pfkey_acquire_failed(struct kern *k, uint32_t seq)
{
	struct pfkey *x = k->be;
	const struct acquire *a = NULL;
	struct pfkey_msg m;
	size_t i;

	for (i = 0; i < NACQUIRES && seq != 0; i++)
		if (x->acq[i].ev.seq == seq)
			a = &x->acq[i];
	if (a == NULL) {
		errno = ESRCH;
		return (-1);
	}
	if (pfkey_req_acquire(x->d, &m, &a->ev, a->transport, GONE_SPI_LO,
	    GONE_SPI_HI) == -1) {
		errno = EINVAL;
		return (-1);
	}
	return (put_message(x, x->req, &m));
}

static void
gone_larval(struct pfkey *x)
{
	struct pfkey_msg m;

	if (x->msg.err == 0 && pfkey_has(&x->msg, PX_SA) &&
	    x->msg.sa.spi >= GONE_SPI_LO && x->msg.sa.spi <= GONE_SPI_HI &&
	    pfkey_req_said(x->d, &m, PFM_DELETE, x->msg.sa.spi,
	    &x->msg.src.ep.addr, &x->msg.dst.ep.addr) == 0)
		(void)put_message(x, x->req, &m);
}

/* --- answers --- */

/*
 * A dump's messages count 1, 2, ... or down, the last one is 0; an empty one is
 * ENOENT.  They do not carry our number, but only one dump runs at a time.
 */
static void
dump_answer(struct kern *k)
{
	struct pfkey *x = k->be;
	struct kern_req *r = k->dumping;
	struct kern_policy p;
	struct kern_sa sa;
	int last = x->msg.seq == 0;

	if (r == NULL || r->type != x->msg.type)
		return;
	if (x->msg.err != 0) {
		kern_req_end(k, r, x->msg.err == ENOENT ? 0 : x->msg.err, NULL);
		return;
	}
	if (x->msg.type == PFM_DUMP) {
		if ((x->msg.satype == PFS_ESP || k->look) &&
		    pfkey_get_sa(x->d, &x->msg, &sa) == 0) {
			if (k->keys)
				pfkey_get_keys(&x->msg, &sa);
			kern_req_sa(k, r, &sa);
		}
	} else if (pfkey_get_policy(x->d, &x->msg, &p) == 0) {
		pol_put(x, &p);
		kern_req_policy(k, r, &p);
	}
	if (last)
		kern_req_end(k, r, 0, NULL);
}

/* Everybody's policies are told to everybody: learn their numbers. */
static void
learn(struct pfkey *x)
{
	struct kern_policy p;

	if (x->msg.err != 0 || pfkey_get_policy(x->d, &x->msg, &p) != 0)
		return;
	switch (x->msg.type) {
	case PFM_SPDADD:
	case PFM_SPDUPDATE:
		pol_put(x, &p);
		break;
	case PFM_SPDDELETE:
	case PFM_SPDDELETE2:
		pol_del(x, p.id);
		break;
	}
}

static void
answer(struct kern *k)
{
	struct pfkey *x = k->be;
	struct kern_req *r;
	struct kern_sa sa;

	learn(x);
	if (x->msg.pid != x->pid)
		return;
	if (x->msg.type == PFM_DUMP || x->msg.type == PFM_SPDDUMP) {
		dump_answer(k);
		return;
	}
	if (x->msg.type == PFM_GETSPI) {
		gone_larval(x);
		return;
	}
	if ((r = kern_req_find(k, x->msg.seq)) == NULL || r->type != x->msg.type)
		return;
	if (x->msg.err != 0)
		kern_req_end(k, r, x->msg.err, NULL);
	else if (r->kind == REQ_DONE)
		kern_req_end(k, r, 0, NULL);
	else if (pfkey_get_sa(x->d, &x->msg, &sa) == 0)
		kern_req_sa(k, r, &sa);
	else
		kern_req_end(k, r, EBADMSG, NULL);
}

/* One that cannot be read is left out, but a dump whose last it is ends all the same. */
static void
unreadable(struct kern *k)
{
	const struct pfkey *x = k->be;

	if (x->msg.pid == x->pid && x->msg.seq == 0 && k->dumping != NULL &&
	    k->dumping->type == x->msg.type)
		kern_req_end(k, k->dumping, x->msg.err == ENOENT ? 0 : x->msg.err, NULL);
}

static void
event(struct kern *k)
{
	struct pfkey *x = k->be;
	struct kern_event ev;
	struct acquire *a;
	uint32_t i;

	if (pfkey_get_event(x->d, &x->msg, &ev) != 0)
		return;
	if (ev.type == KERN_EV_ACQUIRE) {
		a = &x->acq[x->nacq++ % NACQUIRES];
		a->transport = 0;
		if ((i = *pol_find(x, ev.policy)) != 0) {
			if (ev.reqid == 0)
				ev.reqid = x->pol[i - 1].reqid;
			a->transport = x->pol[i - 1].transport;
		}
		a->ev = ev;
	}
	kern_event(k, &ev);
}

static void
drain(struct kern *k, int fd, void (*each)(struct kern *))
{
	const struct pfkey *x = k->be;
	int i, rc;

	for (i = 0; i < KERN_BATCH; i++) {
		if ((rc = get_message(k, fd)) == 0)
			break;
		if (rc == 1)
			each(k);
		if (rc == 2)
			unreadable(k);
		if (rc == -1) {
			log_warnx(k->log, "PF_KEY: the kernel had to drop %s; "
			    "looking at everything again",
			    fd == x->ev ? "events" : "answers");
			kern_lost(k);
		}
	}
}

static void
pfkey_input(struct kern *k)
{
	const struct pfkey *x = k->be;

	drain(k, x->req, answer);
	drain(k, x->ev, event);
}

static const struct kern_ops pfkey_ops = {
	.close = pfkey_close,
	.fd = pfkey_fd,
	.input = pfkey_input,
	.probe = pfkey_probe,
	.sa_put = pfkey_sa_put,
	.sa_delete = pfkey_sa_delete,
	.sa_get = pfkey_sa_get,
	.sa_dump = pfkey_sa_dump,
	.policy_put = pfkey_policy_put,
	.policy_delete = pfkey_policy_delete,
	.policy_dump = pfkey_policy_dump,
	.acquire_failed = pfkey_acquire_failed,
	.pid = pfkey_pid
};
