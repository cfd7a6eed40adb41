/* SPDX-License-Identifier: ISC */
/* Linux: /proc.  Nothing is changed, nothing is run. */

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"

#define PIDS_MAX	4096
#define FDS_MAX		1024

static int
number_of(const char *path)
{
	FILE *f = fopen(path, "r");
	int n = -1;

	if (f == NULL)
		return (-1);
	if (fscanf(f, "%d", &n) != 1)
		n = -1;
	(void)fclose(f);
	return (n);
}

int
host_forwards(const struct addr *a)
{
	int n = number_of(a->fam == ADDR_V6 ? "/proc/sys/net/ipv6/conf/all/forwarding" :
	    "/proc/sys/net/ipv4/ip_forward");

	return (n == -1 ? -1 : n != 0);
}

/* The larger of "all" and its own counts. */
int
host_strict(const char *dev)
{
	char path[160];
	int all = number_of("/proc/sys/net/ipv4/conf/all/rp_filter"), own;

	(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/rp_filter", dev);
	own = number_of(path);
	if (all == -1 || own == -1)
		return (-1);
	return ((all > own ? all : own) == 1);
}

/* The gateway of the default route, or 0: there is none, the peer is next to us. */
static uint32_t
gateway(uint32_t remote)
{
	char line[256], dev[32];
	unsigned int dst, gw, flags, mask, best = 0;
	uint32_t found = 0;
	FILE *f = fopen("/proc/net/route", "r");

	if (f == NULL)
		return (0);
	if (fgets(line, sizeof(line), f) != NULL)
		while (fgets(line, sizeof(line), f) != NULL)
			if (sscanf(line, "%31s %x %x %x %*d %*d %*d %x", dev, &dst, &gw,
			    &flags, &mask) == 5 && (remote & mask) == dst &&
			    (found == 0 || ntohl(mask) >= best)) {
				best = ntohl(mask);
				found = gw != 0 ? gw : remote;
			}
	(void)fclose(f);
	return (found);
}

int
host_unreached(const struct addr *remote, struct addr *neighbour)
{
	char line[256], ip[64];
	unsigned int flags;
	uint32_t hop, it;
	int failed = 0;
	FILE *f;

	if (remote->fam != ADDR_V4)
		return (-1);
	memcpy(&hop, remote->b, 4);
	if ((hop = gateway(hop)) == 0 || (f = fopen("/proc/net/arp", "r")) == NULL)
		return (-1);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%63s %*x %x", ip, &flags) == 2 &&
		    inet_pton(AF_INET, ip, &it) == 1 && it == hop && (flags & 2) == 0)
			failed = 1;
	(void)fclose(f);
	memset(neighbour, 0, sizeof(*neighbour));
	neighbour->fam = ADDR_V4;
	memcpy(neighbour->b, &hop, 4);
	return (failed);
}

void
host_poke_whole(int fd, int v6)
{
	int on = v6 ? IPV6_PMTUDISC_DO : IP_PMTUDISC_DO;

	(void)setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU_DISCOVER :
	    IP_MTU_DISCOVER, &on, sizeof(on));
}

unsigned int
host_path_mtu(int fd, int v6)
{
	socklen_t len = sizeof(int);
	int mtu = 0;

	if (getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &len)
	    == -1 || mtu < 0)
		return (0);
	return ((unsigned int)mtu);
}

/* An entry that is incomplete is a host that was asked for and did not answer. */
int
host_silent(const json_t *nets, struct addr *which)
{
	char line[256], ip[64];
	unsigned int flags;
	struct prefix net;
	int found = 0;
	size_t i;
	FILE *f = fopen("/proc/net/arp", "r");

	if (f == NULL)
		return (-1);
	while (!found && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%63s %*x %x", ip, &flags) != 2 || (flags & 2) != 0 ||
		    addr_parse(which, ip) == -1)
			continue;
		for (i = 0; i < json_array_size(nets) && !found; i++)
			found = prefix_parse(&net, json_string_value(json_array_get(nets, i))) ==
			    0 && prefix_contains(&net, which);
	}
	(void)fclose(f);
	return (found);
}

/* ---- ports */

static unsigned long
inode_of(const char *path, uint16_t port)
{
	char line[512];
	unsigned int p;
	unsigned long inode = 0, i;
	FILE *f = fopen(path, "r");

	if (f == NULL)
		return (0);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*s %*s %*s %*s %*s %*s %*s %lu", &p,
		    &i) == 2 && p == port)
			inode = i;
	(void)fclose(f);
	return (inode);
}

static int
has_socket(const char *pid, unsigned long inode)
{
	char path[300], to[64], want[64];
	struct dirent *e;
	ssize_t n;
	int found = 0, tries = 0;
	DIR *d;

	(void)snprintf(want, sizeof(want), "socket:[%lu]", inode);
	(void)snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	if ((d = opendir(path)) == NULL)
		return (0);
	while (!found && tries++ < FDS_MAX && (e = readdir(d)) != NULL) {
		(void)snprintf(path, sizeof(path), "/proc/%.20s/fd/%.20s", pid, e->d_name);
		if ((n = readlink(path, to, sizeof(to) - 1)) <= 0)
			continue;
		to[n] = '\0';
		found = strcmp(to, want) == 0;
	}
	(void)closedir(d);
	return (found);
}

static void
name_of(const char *pid, char *who, size_t cap)
{
	char path[64], comm[32] = "?";
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	if ((f = fopen(path, "r")) != NULL) {
		if (fscanf(f, "%31s", comm) != 1)
			comm[0] = '?';
		(void)fclose(f);
	}
	(void)snprintf(who, cap, "%s (process %.20s)", comm, pid);
}

int
host_holder(uint16_t port, char *who, size_t cap)
{
	unsigned long inode = inode_of("/proc/net/udp", port);
	struct dirent *e;
	int tries = 0;
	DIR *d;

	if (inode == 0)
		inode = inode_of("/proc/net/udp6", port);
	if (inode == 0)
		return (0);
	(void)snprintf(who, cap, "its process cannot be seen");
	if ((d = opendir("/proc")) == NULL)
		return (1);
	while (tries++ < PIDS_MAX && (e = readdir(d)) != NULL)
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' &&
		    has_socket(e->d_name, inode)) {
			name_of(e->d_name, who, cap);
			break;
		}
	(void)closedir(d);
	return (1);
}

/* ---- counters of XFRM */

static const char *
error_means(const char *name)
{
	static const struct { const char *name, *means; } all[] = {
		{ "XfrmInNoStates", "came for SAs that are not here" },
		{ "XfrmInStateProtoError", "did not authenticate: keys differ" },
		{ "XfrmInStateSeqError", "were replayed or came too late" },
		{ "XfrmInTmplMismatch", "came otherwise than a policy wants" },
		{ "XfrmInNoPols", "came for which no policy stands" },
		{ "XfrmInPolBlock", "were blocked by a policy coming in" },
		{ "XfrmOutPolBlock", "were blocked by a policy going out" },
		{ "XfrmOutBundleGenError", "found no way to the peer" },
		{ "XfrmFwdHdrError", "could not be forwarded" },
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i].name, name) == 0)
			return (all[i].means);
	return (NULL);
}

uint64_t
host_in_clear(void)
{
	char line[128], name[64];
	unsigned long n, found = 0;
	FILE *f = fopen("/proc/net/xfrm_stat", "r");

	if (f == NULL)
		return (0);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%63s %lu", name, &n) == 2 &&
		    strcmp(name, "XfrmInTmplMismatch") == 0)
			found = n;
	(void)fclose(f);
	return (found);
}

int
host_errors(char *dst, size_t cap)
{
	char line[128], name[64];
	const char *means;
	unsigned long n;
	size_t at = 0;
	FILE *f = fopen("/proc/net/xfrm_stat", "r");

	if (f == NULL)
		return (-1);
	dst[0] = '\0';
	while (at < cap && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%63s %lu", name, &n) != 2 || n == 0 ||
		    (means = error_means(name)) == NULL)
			continue;
		at += (size_t)snprintf(dst + at, cap - at, "%s%lu packets %s (%s)",
		    at > 0 ? "; " : "", n, means, name);
	}
	(void)fclose(f);
	return (dst[0] != '\0');
}
