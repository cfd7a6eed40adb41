/* SPDX-License-Identifier: ISC */
/*
 * A kernel that says yes to everything and holds nothing, in place of libpfkey's back
 * ends: for bench_iked alone, where the cost of the processes is to be seen on a host
 * without IPsec.  It answers as a netlink socket would, later and through a descriptor.
 */

#include <sys/eventfd.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pfkey/kern_local.h"

/* The requests that wait for their yes, the oldest first. */
struct null {
	int		 fd[2];
	uint32_t	 seq[KERN_NREQ];
	uint32_t	 head, tail;	/* free running */
};

static void
null_close(struct kern *k)
{
	struct null *n = k->be;

	(void)close(n->fd[0]);
	(void)close(n->fd[1]);
	free(n);
}

static int
null_fd(const struct kern *k, size_t i)
{
	const struct null *n = k->be;

	return (i == 0 ? n->fd[0] : -1);
}

/* One octet in the pipe for all that wait. */
static int
say_yes(struct kern *k, struct kern_req *r)
{
	struct null *n = k->be;

	if (n->head == n->tail && write(n->fd[1], "", 1) != 1)
		return (-1);
	n->seq[n->head++ % KERN_NREQ] = r->seq;
	return (0);
}

static void
null_input(struct kern *k)
{
	struct null *n = k->be;
	uint32_t end = n->head;
	struct kern_req *r;
	struct kern_sa sa;
	uint8_t b[64];

	if (read(n->fd[0], b, sizeof(b)) <= 0)
		return;
	while (n->tail != end) {
		if ((r = kern_req_find(k, n->seq[n->tail++ % KERN_NREQ])) == NULL)
			continue;
		if (r->kind == REQ_SA) {
			memset(&sa, 0, sizeof(sa));
			sa.state = KERN_SA_MATURE;
			kern_req_sa(k, r, &sa);
		} else
			kern_req_end(k, r, 0, NULL);
	}
	/* what the answers brought about found the pipe read */
	if (n->head != n->tail && write(n->fd[1], "", 1) != 1)
		kern_lost(k);
}

static int
null_probe(struct kern *k, struct kern_caps *c)
{
	static const struct xform algs[] = {
		{ .type = XF_ENCR, .id = ENCR_AES_GCM_16, .keybits = 128 },
		{ .type = XF_ENCR, .id = ENCR_AES_GCM_16, .keybits = 256 },
		{ .type = XF_ENCR, .id = ENCR_AES_CBC, .keybits = 256 },
		{ .type = XF_INTEG, .id = INTEG_HMAC_SHA2_256_128 },
		{ .type = XF_INTEG, .id = INTEG_HMAC_SHA2_512_256 },
	};

	(void)k;
	c->backend = KERN_XFRM;
	c->name = "none";
	c->reqid_max = UINT32_MAX;
	c->has_fwd = 1;
	c->acquire_has_selector = 1;
	c->replay_max = 4096;
	c->nalgs = sizeof(algs) / sizeof(algs[0]);
	memcpy(c->algs, algs, sizeof(algs));
	return (0);
}

static int
null_sa_put(struct kern *k, struct kern_req *r, const struct kern_sa *sa, int update)
{
	(void)sa;
	(void)update;
	return (say_yes(k, r));
}

static int
null_sa(struct kern *k, struct kern_req *r, uint32_t spi, uint8_t proto,
    const struct addr *src, const struct addr *dst)
{
	(void)spi;
	(void)proto;
	(void)src;
	(void)dst;
	return (say_yes(k, r));
}

static int
null_policy(struct kern *k, struct kern_req *r, const struct kern_policy *p)
{
	(void)p;
	return (say_yes(k, r));
}

static int
null_acquire_failed(struct kern *k, uint32_t seq)
{
	(void)k;
	(void)seq;
	return (0);
}

static uint32_t
null_pid(const struct kern *k)
{
	(void)k;
	return (0);
}

static const struct kern_ops null_ops = {
	null_close, null_fd, null_input, null_probe, null_sa_put, null_sa, null_sa,
	say_yes, null_policy, null_policy, say_yes, null_acquire_failed, null_pid
};

static int
nothing(struct kern_monitor *m, struct kern_note *n)
{
	(void)m;
	(void)n;
	return (0);
}

static int
nobody(struct kern_monitor *m)
{
	(void)m;
	return (0);
}

int
kern_backend_open(struct kern *k, enum kern_backend which, const char **err)
{
	struct null *n;

	(void)which;
	*err = "no pipe for the answers";
	if ((n = calloc(1, sizeof(*n))) == NULL)
		return (-1);
	if (pipe2(n->fd, O_CLOEXEC | O_NONBLOCK) == -1) {
		free(n);
		return (-1);
	}
	k->be = n;
	k->ops = &null_ops;
	return (0);
}

/* There is nobody else. */
int
kern_backend_listen(struct kern_monitor *m, enum kern_backend which, const char **err)
{
	(void)which;
	*err = NULL;
	m->next = nothing;
	m->fill = nobody;
	return ((m->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1 ? -1 : 0);
}

int
kern_socket_bypass(int fd, int family)
{
	(void)fd;
	(void)family;
	return (0);
}

int
kern_socket_encap(int fd, int family)
{
	(void)fd;
	(void)family;
	return (0);
}
