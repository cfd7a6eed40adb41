/* SPDX-License-Identifier: ISC */
#ifndef IPSECCTL_GENPSK_H
#define IPSECCTL_GENPSK_H

/* Prints a psk line; the exit status. */
int	genpsk(void);

#endif
