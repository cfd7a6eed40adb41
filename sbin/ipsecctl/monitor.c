/* SPDX-License-Identifier: ISC */
/* `ipsecctl monitor': what happens to tunnels, a line each. */

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "monitor.h"
#include "print.h"
#include "show.h"

static void
print_event(const json_t *e)
{
	char when[32], name[CELL_MAX], text[CELL_MAX], remote[CELL_MAX];
	char code[64];
	const char *what = field_str(e, "event");
	time_t t = (time_t)(field_num(e, "time_ms") / 1000);
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		when[0] = '\0';
	(void)printf("%s tunnel \"%s\" peer %s: %s", when,
	    print_clean(name, sizeof(name), field_str(e, "tunnel")),
	    print_clean(remote, sizeof(remote), field_str(e, "remote")),
	    strcmp(what, "rekey") == 0 ? "new keys" : what);
	if (strcmp(what, "up") == 0 || strcmp(what, "rekey") == 0)
		(void)printf(", SPIs in %s out %s\n", field_str(e, "spi_in"),
		    field_str(e, "spi_out"));
	else
		(void)printf(": %s [%s]\n", print_clean(text, sizeof(text),
		    field_str(e, "text")), print_clean(code, sizeof(code),
		    field_str(e, "reason")));
}

int
monitor(struct client *c, const char *tunnel, int json)
{
	char clean[CLIENT_ERRLEN];
	enum client_result r = CLIENT_BROKEN;
	json_t *e;

	if (client_send(c, "monitor", ANSWER_MS) == 0)
		while (!ferror(stdout) &&
		    (r = client_next(c, -1, &e)) == CLIENT_OBJECT) {
			if (field_num(e, "lost") > 0)
				warnx("%llu events did not come through",
				    (unsigned long long)field_num(e, "lost"));
			if (tunnel != NULL &&
			    strcmp(field_str(e, "tunnel"), tunnel) != 0)
				;
			else if (json) {
				(void)json_dumpf(e, stdout, JSON_COMPACT |
				    JSON_ENSURE_ASCII);
				(void)fputc('\n', stdout);
			} else
				print_event(e);
			json_decref(e);
			(void)fflush(stdout);
		}
	if (r != CLIENT_END && r != CLIENT_OBJECT)
		warnx("%s", print_clean(clean, sizeof(clean), client_error(c)));
	return (r == CLIENT_END ? 0 : 1);
}
