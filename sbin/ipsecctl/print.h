/* SPDX-License-Identifier: ISC */
/*
 * Words and tables for a person.  Nothing the daemon says reaches the terminal
 * unseen: control characters become '?'.
 */
#ifndef IPSECCTL_PRINT_H
#define IPSECCTL_PRINT_H

#include <jansson.h>

#include <stdint.h>
#include <stdio.h>

#define CELL_MAX	400	/* octets of a cell, NUL included */

/* dst[cap] becomes a copy of src without control characters; gives dst. */
char	*print_clean(char *dst, size_t cap, const char *src);
/* Characters of UTF-8; none is taken for a wide one. */
size_t	 print_width(const char *s);
/* 340 -> "340ms", 192000 -> "3m12s", 18180000 -> "5h03m", "2d04h".  Gives dst. */
char	*print_ms(char *dst, size_t cap, uint64_t ms);
/* 34120 us -> "34.1ms", 0 -> "-" */
char	*print_us(char *dst, size_t cap, uint64_t us);

/* Fields of an object; absent or of another type: 0, "", 0. */
uint64_t	 field_num(const json_t *, const char *key);
const char	*field_str(const json_t *, const char *key);
int		 field_true(const json_t *, const char *key);
/* An array of strings as "a,b"; "-" when empty. */
char		*field_list(const json_t *, const char *key, char *dst, size_t cap);

/* Columns as wide as their widest cell, two blanks apart, the last one free. */
struct table;
struct table	*table_new(const char *const *head, size_t ncols);	/* exits: no memory */
void		 table_cell(struct table *, const char *);	/* "" prints as "-" */
void		 table_num(struct table *, uint64_t);
/* A line of its own under the row that has just been completed; "" is none. */
void		 table_note(struct table *, const char *);
/* Columns that a narrow terminal does without, the first one first; NULL ends them. */
void		 table_spare(struct table *, const char *const *heads);
void		 table_print(struct table *, FILE *);		/* and frees it */
/* From now on tables are for so many columns; 0, and at first: for any. */
void		 table_fit(unsigned cols);
/* The same for a terminal, where fd is one. */
void		 table_fit_fd(int fd);

#endif
