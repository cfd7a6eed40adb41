/* SPDX-License-Identifier: ISC */
/* strongSwan's settings syntax (strongswan.conf(5)): sections with keys and sections. */
#ifndef IPSECCTL_SIDE_SWAN_H
#define IPSECCTL_SIDE_SWAN_H

#include <stddef.h>
#include <stdint.h>

#define SWAN_DEPTH	16	/* sections in sections; references in references */
#define SWAN_NODES	262144
#define SWAN_NAMELEN	128

struct swan_key {
	char		 name[SWAN_NAMELEN];
	char		*value;		/* wiped when freed */
	size_t		 len;
	unsigned int	 line;
};

struct swan {
	char		 name[SWAN_NAMELEN];
	char		*refs;		/* "a.b, c"; NULL: none */
	unsigned int	 line;
	struct swan_key	*keys;
	unsigned int	 nkeys;
	struct swan	**subs;
	unsigned int	 nsubs;
};

struct swan_file {
	struct swan	 root;
	unsigned int	 nnodes;
	unsigned int	 include;	/* line of an include; 0: none */
	unsigned int	 errline;
	const char	*error;
};

/* 0, or -1 with error and errline.  A comment that holds a placeholder of ipsecctl is
 * the key "secret" of its section.  In any case swan_free(). */
int	swan_parse(struct swan_file *, const uint8_t *, size_t);
void	swan_free(struct swan_file *);

/* With what it refers to.  NULL: not there. */
const struct swan_key *swan_key(const struct swan_file *, const struct swan *,
	    const char *name);
const struct swan *swan_sub(const struct swan_file *, const struct swan *,
	    const char *name);
/* Sections whose names begin with prefix, those of references after the own ones;
 * stops when each gives non-zero. */
int	swan_each(const struct swan_file *, const struct swan *, const char *prefix,
	    int (*each)(void *, const struct swan *), void *arg);

#endif
