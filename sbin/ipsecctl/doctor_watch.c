/* SPDX-License-Identifier: ISC */
/* What netwatchd knows of a tunnel: asked of itself, since iked has only its last report. */

#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "keepalive.h"
#include "print.h"
#include "show.h"

json_t *
doctor_watch(const char *sock)
{
	struct ka_opts o = { .sock = sock };
	char errtext[CLIENT_ERRLEN];
	enum client_why why;
	struct client *c = keepalive_open(&o, &why, errtext);
	json_t *all;
	int refused;

	if (c == NULL)
		return (NULL);
	all = query(c, "show keepalive", &refused, errtext, NULL);
	client_close(c);
	return (all);
}

void
doctor_watch_words(const json_t *k, char dst[FINDING_TEXT])
{
	const char *verdict = field_str(k, "verdict"), *note = field_str(k, "note");
	char ms[24], answer[64] = "";

	if (json_is_integer(json_object_get(k, "last_reply_ms")))
		(void)snprintf(answer, sizeof(answer), ", last answer %s ago",
		    print_ms(ms, sizeof(ms), field_num(k, "last_reply_ms")));
	else if (verdict[0] != '\0')
		(void)snprintf(answer, sizeof(answer), ", no answer so far");
	finding_set(dst, "netwatchd: %s%s%s%s%s%s", field_str(k, "state"), verdict[0] != '\0' ?
	    ", " : "", verdict, answer, note[0] != '\0' ? ": " : "", note);
}
