/* SPDX-License-Identifier: ISC */
/*
 * A kernel that says yes to all, for strongSwan: what backend_null.c is for iked.
 * Preloaded into charon it stands for NETLINK_XFRM: every request is acknowledged,
 * XFRM_MSG_ALLOCSPI gets a new SPI, and whatever asks for an SA or a policy hears
 * ENOENT.  Nothing else of charon is touched: it does all it does with kernel-netlink, but
 * for the time that the real kernel would take.
 */

#define _GNU_SOURCE		/* RTLD_NEXT */

#include <sys/types.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FDS	1024

/* The other end of each NETLINK_XFRM socket's pair, or 0. */
static atomic_int other[FDS];
static atomic_uint spi = 0x1000;

int	null_socket(int, int, int) __asm__("socket");
int	null_bind(int, const struct sockaddr *, socklen_t) __asm__("bind");
ssize_t	null_sendto(int, const void *, size_t, int, const struct sockaddr *, socklen_t)
    __asm__("sendto");

static int
other_of(int fd)
{
	return (fd >= 0 && fd < FDS ? atomic_load(&other[fd]) : 0);
}

int
null_socket(int domain, int type, int protocol)
{
	int (*real)(int, int, int);
	int fd[2];

	*(void **)&real = dlsym(RTLD_NEXT, "socket");
	if (domain != AF_NETLINK || protocol != NETLINK_XFRM)
		return (real(domain, type, protocol));
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fd) == -1)
		return (-1);
	if (fd[0] >= FDS) {
		close(fd[0]);
		close(fd[1]);
		errno = EMFILE;
		return (-1);
	}
	atomic_store(&other[fd[0]], fd[1]);
	return (fd[0]);
}

int
null_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	int (*real)(int, const struct sockaddr *, socklen_t);

	if (other_of(fd) != 0)
		return (0);
	*(void **)&real = dlsym(RTLD_NEXT, "bind");
	return (real(fd, sa, len));
}

static ssize_t
acknowledge(int fd, const struct nlmsghdr *h)
{
	struct {
		struct nlmsghdr	 h;
		struct nlmsgerr	 e;
	} a;

	memset(&a, 0, sizeof(a));
	a.h.nlmsg_len = sizeof(a);
	a.h.nlmsg_type = NLMSG_ERROR;
	a.h.nlmsg_seq = h->nlmsg_seq;
	a.h.nlmsg_pid = h->nlmsg_pid;
	a.e.msg = *h;
	if (h->nlmsg_type == XFRM_MSG_GETSA || h->nlmsg_type == XFRM_MSG_GETPOLICY)
		a.e.error = -ENOENT;
	return (send(fd, &a, sizeof(a), 0));
}

static ssize_t
allocate(int fd, const struct nlmsghdr *h)
{
	const struct xfrm_userspi_info *want = NLMSG_DATA(h);
	struct {
		struct nlmsghdr		 h;
		struct xfrm_usersa_info	 sa;
	} a;

	memset(&a, 0, sizeof(a));
	a.h.nlmsg_len = sizeof(a);
	a.h.nlmsg_type = XFRM_MSG_NEWSA;
	a.h.nlmsg_seq = h->nlmsg_seq;
	a.h.nlmsg_pid = h->nlmsg_pid;
	a.sa = want->info;
	a.sa.id.spi = htonl(0xc0000000 | atomic_fetch_add(&spi, 1));
	return (send(fd, &a, sizeof(a), 0));
}

ssize_t
null_sendto(int fd, const void *p, size_t len, int flags, const struct sockaddr *sa,
    socklen_t salen)
{
	ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	const struct nlmsghdr *h = p;
	ssize_t sent;
	int to;

	if ((to = other_of(fd)) == 0) {
		*(void **)&real = dlsym(RTLD_NEXT, "sendto");
		return (real(fd, p, len, flags, sa, salen));
	}
	if (len < sizeof(*h) || (h->nlmsg_type == XFRM_MSG_ALLOCSPI &&
	    len < NLMSG_LENGTH(sizeof(struct xfrm_userspi_info)))) {
		errno = EINVAL;
		return (-1);
	}
	sent = h->nlmsg_type == XFRM_MSG_ALLOCSPI ? allocate(to, h) : acknowledge(to, h);
	return (sent == -1 ? -1 : (ssize_t)len);
}
