/* SPDX-License-Identifier: ISC */
/*
 * `ipsecctl mirror': what the other side of a tunnel must say.  Every printer gets
 * the other side's view: from and to, local and peer, srcid and dstid are exchanged.
 */
#ifndef IPSECCTL_MIRROR_H
#define IPSECCTL_MIRROR_H

#include <stdio.h>

#include "conf/conf.h"
#include "side_secret.h"
#include "side_words.h"

struct mirror {
	const char		*name;		/* of our statement */
	const char		*file;
	struct conf_peer	 peer;		/* the other side's; proposals are ours */
	struct conf_tunnel	 tunnel;	/* ditto */
	char			 secret[SECRET_LEN];
	enum conf_mode		 ours;		/* our own mode */
};

void	mirror_iked(FILE *, const struct mirror *);
void	mirror_openbsd(FILE *, const struct mirror *);
void	mirror_routeros(FILE *, const struct mirror *);
void	mirror_swanctl(FILE *, const struct mirror *);

/* Prints it.  0, or -1: no memory. */
int	mirror_print(FILE *, const struct conf *, uint32_t tunnel, enum form,
	    const char *file, const uint8_t salt[SECRET_SALT]);

/*
 * For the printers.  Names of transforms of one type in that form's words, with sep
 * between; those it has no word for are added to lost (", " between, cap lostcap).
 * Gives how many were written.
 */
unsigned int	mirror_words(char *dst, size_t cap, const struct proposal *, uint8_t type,
		    enum form, int esp, const char *sep, char *lost, size_t lostcap);
/* Both are hosts of one family, and known. */
int		mirror_addr_known(const struct addr *);
/* The name or the address of one end; NULL: it is not said. */
const char	*mirror_end(const char *name, const struct addr *, char dst[ADDR_STRLEN]);

/* The verb: args after "mirror".  Gives the exit status. */
int	mirror_main(int n, char *const *args, const char *file, const char *form);

#endif
