/* SPDX-License-Identifier: ISC */
/*
 * Linux: no new privileges, a seccomp allow list per role (anything else kills the
 * process), and, for the kernel role, CAP_NET_ADMIN as the only capability: XFRM
 * checks it at every send.
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/capability.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/reason.h"
#include "proc/sandbox.h"

#define ROLEBIT(r)	(1U << (r))
#define ALL		(~0U)
#define NET		(ROLEBIT(ROLE_IKE) | ROLEBIT(ROLE_PROBE) | ROLEBIT(ROLE_NAMES))

/*
 * What every loop needs (time, memory, its channels), and a few more.
 * Nothing that opens, makes a socket or connects (but see probes[]); nothing that
 * executes.
 */
static const struct {
	int		nr;
	unsigned	roles;
} allowed[] = {
	{ SCMP_SYS(read), ALL },
	{ SCMP_SYS(write), ALL },
	{ SCMP_SYS(writev), ALL },
	{ SCMP_SYS(close), ALL },
	{ SCMP_SYS(recvmsg), ALL },
	{ SCMP_SYS(sendmsg), ALL },
	{ SCMP_SYS(poll), ALL },
	{ SCMP_SYS(ppoll), ALL },
	{ SCMP_SYS(epoll_wait), ALL },
	{ SCMP_SYS(epoll_pwait), ALL },
	{ SCMP_SYS(epoll_ctl), ALL },
	{ SCMP_SYS(clock_gettime), ALL },
	{ SCMP_SYS(gettimeofday), ALL },
	{ SCMP_SYS(time), ALL },
	{ SCMP_SYS(getrandom), ALL },
	{ SCMP_SYS(sysinfo), ALL },	/* glibc's qsort(3): how much memory is there */
	{ SCMP_SYS(brk), ALL },
	{ SCMP_SYS(munmap), ALL },
	{ SCMP_SYS(mremap), ALL },
	{ SCMP_SYS(madvise), ALL },
	{ SCMP_SYS(futex), ALL },
	{ SCMP_SYS(getpid), ALL },
	{ SCMP_SYS(gettid), ALL },
	{ SCMP_SYS(rt_sigprocmask), ALL },
	{ SCMP_SYS(rt_sigreturn), ALL },
	{ SCMP_SYS(restart_syscall), ALL },
	{ SCMP_SYS(exit), ALL },
	{ SCMP_SYS(exit_group), ALL },
	{ SCMP_SYS(fstat), ALL },
	{ SCMP_SYS(newfstatat), ALL },
	{ SCMP_SYS(nanosleep), ALL },
	{ SCMP_SYS(clock_nanosleep), ALL },
	{ SCMP_SYS(recvfrom), NET | ROLEBIT(ROLE_KERNEL) | ROLEBIT(ROLE_CONTROL) },
	{ SCMP_SYS(sendto), NET | ROLEBIT(ROLE_KERNEL) | ROLEBIT(ROLE_CONTROL) },
	{ SCMP_SYS(pwrite64), ROLEBIT(ROLE_KERNEL) },	/* what it has placed */
	{ SCMP_SYS(ftruncate), ROLEBIT(ROLE_KERNEL) },
	{ SCMP_SYS(recvmmsg), NET },
	{ SCMP_SYS(sendmmsg), NET },
	{ SCMP_SYS(getsockname), NET | ROLEBIT(ROLE_KERNEL) },
	{ SCMP_SYS(accept4), ROLEBIT(ROLE_CONTROL) | ROLEBIT(ROLE_PROBE) },
	{ SCMP_SYS(shutdown), ROLEBIT(ROLE_CONTROL) },
};

/*
 * Probes by TCP and UDP are sockets of their own.  Nothing that runs here can be reached
 * by another family, and no option of a socket changes where its packets go.
 */
static const struct {
	int	call, arg0, arg1;
} probes[] = {
	{ SCMP_SYS(socket), AF_INET, SOCK_STREAM },
	{ SCMP_SYS(socket), AF_INET, SOCK_DGRAM },
	{ SCMP_SYS(socket), AF_INET6, SOCK_STREAM },
	{ SCMP_SYS(socket), AF_INET6, SOCK_DGRAM },
	{ SCMP_SYS(setsockopt), IPPROTO_IP, IP_TOS },
	{ SCMP_SYS(setsockopt), IPPROTO_IP, IP_TTL },
	{ SCMP_SYS(setsockopt), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT },
	{ SCMP_SYS(setsockopt), IPPROTO_IPV6, IPV6_TCLASS },
	{ SCMP_SYS(setsockopt), IPPROTO_IPV6, IPV6_UNICAST_HOPS },
};

static int
add_probes(scmp_filter_ctx ctx)
{
	size_t i;
	int rv = 0, first;

	for (i = 0; rv == 0 && i < sizeof(probes) / sizeof(probes[0]); i++) {
		/* socket(family, type), setsockopt(fd, level, option) */
		first = probes[i].call == SCMP_SYS(socket) ? 0 : 1;
		rv = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, probes[i].call, 2,
		    SCMP_CMP(first, SCMP_CMP_EQ, probes[i].arg0, 0),
		    SCMP_CMP(first + 1, SCMP_CMP_MASKED_EQ, first == 0 ?
		    ~(uint64_t)(SOCK_NONBLOCK | SOCK_CLOEXEC) & UINT32_MAX :
		    UINT32_MAX, probes[i].arg1));
	}
	if (rv == 0)
		rv = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(bind), 0);
	if (rv == 0)
		rv = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(connect), 0);
	return (rv);
}

/*
 * What getaddrinfo(3) does: it reads files that everybody may read, and asks name servers, a
 * cache on this machine, and the kernel for its addresses (RFC 6724).  No file is written or
 * made, and there is no way to another program.
 */
static const int lookups[] = {
	SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(setsockopt),
	SCMP_SYS(getpeername), SCMP_SYS(ioctl), SCMP_SYS(lseek), SCMP_SYS(pread64),
	SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(uname),
	SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(sched_yield), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
	SCMP_SYS(getppid), SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(eventfd2)
};

static int
add_lookups(scmp_filter_ctx ctx)
{
	const uint64_t write = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
	size_t i;
	int rv = 0;

	for (i = 0; rv == 0 && i < sizeof(lookups) / sizeof(lookups[0]); i++)
		rv = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, lookups[i], 0);
	if (rv == 0)
		rv = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
		    SCMP_A2(SCMP_CMP_MASKED_EQ, write, 0));
	if (rv == 0)
		rv = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
		    SCMP_A1(SCMP_CMP_MASKED_EQ, write, 0));
	/* its threads are there by now, and are bound as well */
	if (rv == 0)
		rv = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	return (rv);
}

static int
add_rules(scmp_filter_ctx ctx, enum role role)
{
	size_t i;
	int rv;

	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if ((allowed[i].roles & ROLEBIT(role)) == 0)
			continue;
		rv = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i].nr, 0);
		if (rv != 0)
			return (rv);
	}
	/* Memory, but never executable. */
	if ((rv = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0))) != 0 ||
	    (rv = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0))) != 0 ||
	    (rv = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
	    SCMP_A1(SCMP_CMP_EQ, F_GETFL, 0))) != 0 ||
	    (rv = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
	    SCMP_A1(SCMP_CMP_EQ, F_SETFL, 0))) != 0 ||
	    (rv = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
	    SCMP_A1(SCMP_CMP_EQ, F_SETFD, 0))) != 0)
		return (rv);
	if (role == ROLE_PROBE && (rv = add_probes(ctx)) != 0)
		return (rv);
	if (role == ROLE_NAMES && (rv = add_lookups(ctx)) != 0)
		return (rv);
	/* Who is it?  (SO_PEERCRED of a client, SO_ERROR of anything.) */
	return (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(getsockopt), 1,
	    SCMP_A1(SCMP_CMP_EQ, SOL_SOCKET, 0)));
}

int
sandbox_enter(enum role role, unsigned maxfiles, const struct logger *lg)
{
	struct rlimit rl;
	scmp_filter_ctx ctx;
	int rv;

	rl.rlim_cur = rl.rlim_max = maxfiles;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1) {
		log_error(lg, WHY_SANDBOX, "%s: RLIMIT_NOFILE", role_name(role));
		return (-1);
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
		log_error(lg, WHY_SANDBOX, "%s: PR_SET_NO_NEW_PRIVS", role_name(role));
		return (-1);
	}
	/* What the C library's modules for names try is not ours to know: it fails. */
	if ((ctx = seccomp_init(role == ROLE_NAMES ? SCMP_ACT_ERRNO(EPERM) :
	    SCMP_ACT_KILL_PROCESS)) == NULL) {
		log_fault(lg, WHY_SANDBOX, "%s: seccomp_init failed", role_name(role));
		return (-1);
	}
	if ((rv = add_rules(ctx, role)) == 0)
		rv = seccomp_load(ctx);
	seccomp_release(ctx);
	if (rv != 0) {
		errno = -rv;
		log_error(lg, WHY_SANDBOX, "%s: this kernel refuses the seccomp filter",
		    role_name(role));
		return (-1);
	}
	return (0);
}

int
sandbox_nodump(void)
{
	return (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
}

/* Which capabilities a role keeps, as a bit mask. */
static uint32_t
caps_of(enum role role)
{
	return (role == ROLE_KERNEL ? 1U << CAP_NET_ADMIN : 0);
}

/*
 * The bounding set goes first (it needs CAP_SETPCAP); what is kept must
 * survive the change of uid.
 */
int
sandbox_keepcaps(enum role role)
{
	unsigned cap;

	for (cap = 0; cap < 64; cap++) {
		if (cap < 32 && (caps_of(role) & 1U << cap) != 0)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1 &&
		    errno != EINVAL)	/* past the kernel's last one */
			return (-1);
	}
	return (prctl(PR_SET_KEEPCAPS, caps_of(role) != 0, 0, 0, 0));
}

int
sandbox_setcaps(enum role role)
{
	struct __user_cap_header_struct h;
	struct __user_cap_data_struct d[2];

	memset(&h, 0, sizeof(h));
	memset(d, 0, sizeof(d));
	h.version = _LINUX_CAPABILITY_VERSION_3;
	d[0].effective = d[0].permitted = caps_of(role);
	if (syscall(SYS_capset, &h, d) == -1)
		return (-1);
	return (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0));
}

int
sandbox_self(void)
{
	return (open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
}

void
sandbox_title(const char *title)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "%s", title);
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
}
