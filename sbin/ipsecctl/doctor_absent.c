/* SPDX-License-Identifier: ISC */
/* iked does not run: who stands in its way, or what is wrong with its file? */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "doctor.h"
#include "print.h"
#include "side_file.h"

static int
read_io(void *arg, const char *path, uint8_t **data, size_t *len)
{
	(void)arg;
	return (side_file_read(path, data, len));
}

/* 1: what is wrong with it, first[cap]; 2: it has no tunnel; 0: nothing that can be seen by
 * reading it. */
static int
mistake(const char *file, char *first, size_t cap)
{
	const struct conf_io io = { read_io, NULL };
	struct conf_errors *errs;
	struct conf *c;
	uint8_t *text;
	size_t len;
	unsigned int i, max;
	int none = 0;

	if (side_file_read(file, &text, &len) == -1) {
		(void)snprintf(first, cap, "%s: %s", file, conf_io_error(errno));
		return (1);
	}
	first[0] = '\0';
	if ((errs = calloc(1, sizeof(*errs))) != NULL) {
		max = sizeof(errs->e) / sizeof(errs->e[0]);
		c = conf_parse(file, (const char *)text, len, &io, 0, errs);
		for (i = 0; c == NULL && i < errs->n && i < max && first[0] == '\0'; i++)
			if (!errs->warn[i])
				(void)snprintf(first, cap, "%s:%u:%u: %s", errs->e[i].file,
				    errs->e[i].line, errs->e[i].col, errs->e[i].text);
		none = c != NULL && c->ntunnels == 0;
		conf_free(c);
	}
	free(errs);
	wholefile_free(text, len);
	return (none ? 2 : first[0] != '\0');
}

int
doctor_absent(const char *errtext, const char *conf)
{
	static const uint16_t ports[] = { 500, 4500 };
	char who[128], first[FINDING_TEXT], clean[FINDING_TEXT];
	size_t i;
	int bad;

	printf("%s\n", print_clean(clean, sizeof(clean), errtext));
	for (i = 0; i < 2; i++)
		if (host_holder(ports[i], who, sizeof(who)) == 1) {
			printf("  1. another program holds UDP port %u: %s\n"
			    "     do:   stop it, and see that it does not start again; then "
			    "start iked\n", ports[i], print_clean(clean, sizeof(clean), who));
			return (1);
		}
	if ((bad = mistake(conf, first, sizeof(first))) == 2) {
		printf("  1. it has nothing to do: %s has no tunnel\n     do:   write one, see "
		    "iked.conf(5), and look at it with iked -n; then start iked\n",
		    print_clean(clean, sizeof(clean), conf));
		return (1);
	}
	if (bad) {
		printf("  1. its file cannot be used: %s\n     do:   mend it; iked -n names all "
		    "mistakes; then start iked\n", print_clean(clean, sizeof(clean), first));
		return (1);
	}
	printf("  1. %s\n     do:   start it; its log says why it ended\n",
	    strstr(errtext, "nobody listens") != NULL ? "it has ended without tidying up: it was "
	    "killed, or crashed" : "it was not started, or it was told to end");
	return (1);
}
