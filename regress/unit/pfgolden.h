/* SPDX-License-Identifier: ISC */
/* Captured PF_KEY messages with the text their INDEX has for them. */
#ifndef PFGOLDEN_H
#define PFGOLDEN_H

#include <stdio.h>

#include "pfkey/pfkey_msg.h"

struct golden {
	char	file[80];
	char	text[8192];	/* the INDEX's lines, as they are */
	uint8_t	buf[4096];
	size_t	len;
};

/* The next message of an INDEX.txt in dir; 0 at its end. */
int	golden_next(FILE *index, const char *dir, struct golden *);
/* A decoded message of len octets in the INDEX's own words. */
void	golden_render(const struct pfkey_msg *, size_t len, char *out, size_t cap);
/* Names of the fields ("SA.replay") in which two texts differ, one a line. */
void	golden_diff(const char *a, const char *b, char *out, size_t cap);

/*
 * differences.txt: lines of "FILE-PATTERN<tab>FIELD<tab>REASON"; the tests refuse a row
 * that nobody needs.
 */
struct diffs {
	size_t	n;
	struct {
		char	pattern[80], field[40];
		int	used;
	}	row[200];
};
void	diffs_read(struct diffs *, const char *path);
/* Takes the excused ones out of a list of fields; what is left is unexplained. */
void	diffs_apply(struct diffs *, const char *file, char *fields, size_t cap);

#endif
