/* SPDX-License-Identifier: ISC */
/* Pictures of the tunnels, from the array of `show tunnels'.  Pure. */
#ifndef IPSECCTL_SHOW_GRAPH_H
#define IPSECCTL_SHOW_GRAPH_H

#include <jansson.h>

#include <stdio.h>

void	graph_text(FILE *, const json_t *tunnels, int utf8);
void	graph_svg(FILE *, const json_t *tunnels);

#endif
