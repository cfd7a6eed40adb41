/* SPDX-License-Identifier: ISC */
/*
 * The requests themselves are stated a floor below, where SAs and exchanges
 * can see them; processes include them under this name.
 */
#ifndef ENGINE_REQUEST_H
#define ENGINE_REQUEST_H

#include "sa/request.h"

#endif
