/* SPDX-License-Identifier: ISC */
/*
 * How often do these octets stand in the memory of a process?  tool_memfind PID: the
 * octets are the first line of standard input, so that no command line has them.
 * Prints the count; 0: it could be read, 2: it could not.
 */

#include <sys/types.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK	(1U << 20)

static uint8_t chunk[CHUNK + 256];

static unsigned long
count_in(const uint8_t *p, size_t len, const char *what, size_t n)
{
	const uint8_t *end = p + len, *q;
	unsigned long found = 0;

	while ((q = memmem(p, (size_t)(end - p), what, n)) != NULL) {
		found++;
		p = q + 1;
	}
	return (found);
}

/* Pieces overlap by n - 1 octets: what lies across two of them is found once. */
static unsigned long
count_map(int fd, uint64_t from, uint64_t to, const char *what, size_t n,
    uint64_t *seen)
{
	unsigned long found = 0;
	size_t want, have, keep = 0;
	ssize_t got;

	while (from < to) {
		want = to - from < CHUNK ? (size_t)(to - from) : CHUNK;
		if ((got = pread(fd, chunk + keep, want, (off_t)from)) <= 0)
			break;		/* [vvar] and its like */
		*seen += (uint64_t)got;
		from += (uint64_t)got;
		have = keep + (size_t)got;
		found += count_in(chunk, have, what, n);
		keep = have < n - 1 ? have : n - 1;
		memmove(chunk, chunk + have - keep, keep);
	}
	return (found);
}

int
main(int argc, char *argv[])
{
	char path[64], line[512], what[256];
	uint64_t from, to, seen = 0;
	unsigned long found = 0;
	FILE *maps;
	size_t n;
	int fd;

	if (argc != 2 || fgets(what, sizeof(what), stdin) == NULL)
		errx(2, "usage: tool_memfind PID <octets");
	n = strcspn(what, "\n");
	if (n < 8)
		errx(2, "too short to mean anything");
	(void)snprintf(path, sizeof(path), "/proc/%s/maps", argv[1]);
	if ((maps = fopen(path, "r")) == NULL)
		err(2, "%s", path);
	(void)snprintf(path, sizeof(path), "/proc/%s/mem", argv[1]);
	if ((fd = open(path, O_RDONLY)) == -1)
		err(2, "%s", path);
	while (fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &from, &to) == 2)
			found += count_map(fd, from, to, what, n, &seen);
	if (seen < 100000)
		errx(2, "only %" PRIu64 " octets could be read", seen);
	(void)printf("%lu\n", found);
	return (0);
}
