/* SPDX-License-Identifier: ISC */
/*
 * main() of the fuzz targets where libFuzzer is not there: replays every file
 * of the given directories, then as many mutants of them as asked for.  All is
 * a function of the seed: the same run comes again with the same arguments.
 *
 * usage: fuzz_x [-n mutants] [-s seed] [-d dumpfile] file-or-directory...
 */

#ifndef LIBFUZZER

#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_MAX	65536	/* octets */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);
int	LLVMFuzzerInitialize(int *, char ***) __attribute__((__weak__));
size_t	LLVMFuzzerCustomMutator(uint8_t *, size_t, size_t, unsigned int)
	    __attribute__((__weak__));
void	__sanitizer_set_death_callback(void (*)(void)) __attribute__((__weak__));

struct input {
	uint8_t	*p;
	size_t	 len;
};

static struct input	*corpus;
static size_t		 ncorpus;
static const uint8_t	*current;	/* what the target is looking at */
static size_t		 currentlen;
static const char	*dumpfile;
static uint64_t		 state;

/* splitmix64 (Steele, Lea, Flood 2014): small, and the same everywhere */
static uint64_t
next(void)
{
	uint64_t z;

	z = (state += 0x9e3779b97f4a7c15ULL);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31));
}

static size_t
below(size_t n)
{
	return (n == 0 ? 0 : (size_t)(next() % n));
}

/* The input that killed the target, for a person to replay. */
static void
dump(void)
{
	int fd;

	if (dumpfile == NULL ||
	    (fd = open(dumpfile, O_WRONLY | O_CREAT | O_TRUNC, 0644)) == -1)
		return;
	if (write(fd, current, currentlen) == -1)
		warn("%s", dumpfile);
	close(fd);
	fprintf(stderr, "the input (%zu octets) is in %s\n", currentlen,
	    dumpfile);
}

/* A copy of exactly len octets, so that a step beyond it is seen. */
static void
run(const uint8_t *p, size_t len)
{
	uint8_t *copy;

	if ((copy = malloc(len == 0 ? 1 : len)) == NULL)
		err(1, NULL);
	if (len > 0)
		memcpy(copy, p, len);
	current = copy;
	currentlen = len;
	(void)LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static void
load_file(const char *path)
{
	struct input in;
	FILE *f;

	if ((in.p = malloc(INPUT_MAX)) == NULL)
		err(1, NULL);
	if ((f = fopen(path, "rb")) == NULL)
		err(1, "%s", path);
	in.len = fread(in.p, 1, INPUT_MAX, f);
	if (ferror(f))
		err(1, "%s", path);
	fclose(f);
	corpus = reallocarray(corpus, ncorpus + 1, sizeof(*corpus));
	if (corpus == NULL)
		err(1, NULL);
	corpus[ncorpus++] = in;
}

static int
no_dots(const struct dirent *d)
{
	return (d->d_name[0] != '.');
}

static void
load(const char *path)
{
	struct dirent **names;
	struct stat sb;
	char *sub;
	int i, n;

	if (stat(path, &sb) == -1)
		err(1, "%s", path);
	if (!S_ISDIR(sb.st_mode)) {
		load_file(path);
		return;
	}
	/* sorted: the order of a directory must not change the run */
	if ((n = scandir(path, &names, no_dots, alphasort)) == -1)
		err(1, "%s", path);
	for (i = 0; i < n; i++) {
		if (asprintf(&sub, "%s/%s", path, names[i]->d_name) == -1)
			err(1, NULL);
		load(sub);
		free(sub);
		free(names[i]);
	}
	free(names);
}

/* One small wound: flip, set, insert, remove, repeat, cut, count up, splice. */
static size_t
mutate(uint8_t *p, size_t len)
{
	static const uint8_t odd[] = { 0, 1, 3, 4, 7, 8, 0x7f, 0x80, 0xfe, 0xff };
	const struct input *other;
	size_t at = below(len), n;

	switch (len == 0 ? 2 : below(8)) {
	case 0:
		p[at] ^= (uint8_t)(1U << below(8));
		return (len);
	case 1:
		p[at] = odd[below(sizeof(odd))];
		return (len);
	case 2:
		n = 1 + below(8);
		if (len + n > INPUT_MAX)
			return (len);
		memmove(p + at + n, p + at, len - at);
		while (n-- > 0) {
			p[at + n] = (uint8_t)next();
			len++;
		}
		return (len);
	case 3:
		n = 1 + below(len - at < 16 ? len - at : 16);
		memmove(p + at, p + at + n, len - at - n);
		return (len - n);
	case 4:
		n = 1 + below(len - at);
		if (len + n > INPUT_MAX)
			return (len);
		memmove(p + at + n, p + at, len - at);
		return (len + n);
	case 5:
		return (at);
	case 6:
		p[at] = (uint8_t)(p[at] + (next() & 1 ? 1 : -1));
		return (len);
	default:
		other = &corpus[below(ncorpus)];
		n = below(other->len + 1);
		if (at + n > INPUT_MAX)
			n = INPUT_MAX - at;
		if (n > 0)
			memcpy(p + at, other->p + (other->len - n), n);
		return (at + n > len ? at + n : len);
	}
}

static void
mutants(unsigned long n)
{
	static uint8_t p[INPUT_MAX];
	const struct input *in;
	unsigned long i;
	size_t len, wounds;

	for (i = 0; i < n; i++) {
		in = &corpus[below(ncorpus)];
		len = in->len;
		memcpy(p, in->p, len);
		for (wounds = 1 + below(4); wounds > 0; wounds--)
			if (LLVMFuzzerCustomMutator != NULL)
				len = LLVMFuzzerCustomMutator(p, len,
				    INPUT_MAX, (unsigned int)next());
			else
				len = mutate(p, len);
		run(p, len);
	}
}

int
main(int argc, char *argv[])
{
	unsigned long n = 0;
	size_t i, files;
	int ch;

	while ((ch = getopt(argc, argv, "d:n:s:")) != -1) {
		switch (ch) {
		case 'd':
			dumpfile = optarg;
			break;
		case 'n':
			n = strtoul(optarg, NULL, 10);
			break;
		case 's':
			state = strtoull(optarg, NULL, 10);
			break;
		default:
			errx(2, "usage: [-n mutants] [-s seed] [-d dumpfile] path ...");
		}
	}
	if (LLVMFuzzerInitialize != NULL)
		(void)LLVMFuzzerInitialize(&argc, &argv);
	if (__sanitizer_set_death_callback != NULL)
		__sanitizer_set_death_callback(dump);
	for (; optind < argc; optind++)
		load(argv[optind]);
	files = ncorpus;
	if (ncorpus == 0) {	/* mutants need somebody to descend from */
		if ((corpus = calloc(1, sizeof(*corpus))) == NULL ||
		    (corpus[0].p = calloc(1, INPUT_MAX)) == NULL)
			err(1, NULL);
		ncorpus = 1;
	}
	for (i = 0; i < ncorpus; i++)
		run(corpus[i].p, corpus[i].len);
	mutants(n);
	printf("%zu files and %lu mutants, none did harm\n", files, n);
	for (i = 0; i < ncorpus; i++)
		free(corpus[i].p);
	free(corpus);
	return (0);
}

#endif
