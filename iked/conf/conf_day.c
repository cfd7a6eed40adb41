/* SPDX-License-Identifier: ISC */
/*
 * Days of the Gregorian calendar, as seconds since 1970 (UTC), without the C library's: it
 * reads files.  A year is made to begin in March: the leap day is its last.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"

#define DAY	86400

static int64_t
days(int y, int m, int d)
{
	int64_t	 era, yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return (era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468);
}

static void
date(int64_t n, int *y, int *m, int *d)
{
	int64_t	 era, doe, yoe, doy, mp;

	n += 719468;
	era = n / 146097;
	doe = n - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = (int)(yoe + era * 400) + (*m <= 2);
}

int
conf_day_parse(const char *s, int64_t *when)
{
	static const char form[] = "dddd-dd-dd";
	int		 v[3] = { 0 }, back[3], k = 0;
	int64_t		 n;
	size_t		 i;

	if (strlen(s) != sizeof(form) - 1)
		return (-1);
	for (i = 0; s[i] != '\0'; i++)
		if (form[i] == '-') {
			if (s[i] != '-')
				return (-1);
			k++;
		} else if (s[i] < '0' || s[i] > '9')
			return (-1);
		else
			v[k] = v[k] * 10 + (s[i] - '0');
	if (v[0] < 1970 || v[1] < 1 || v[1] > 12 || v[2] < 1 || v[2] > 31)
		return (-1);
	n = days(v[0], v[1], v[2]);
	date(n, &back[0], &back[1], &back[2]);
	if (memcmp(v, back, sizeof(v)) != 0)	/* the 30th of February */
		return (-1);
	*when = (n + 1) * DAY;
	return (0);
}

char *
conf_day_str(int64_t when, char dst[CONF_DAYLEN])
{
	int	 y, m, d;

	date(when / DAY - 1, &y, &m, &d);
	(void)snprintf(dst, CONF_DAYLEN, "%04u-%02u-%02u", (unsigned)y % 10000,
	    (unsigned)m % 100, (unsigned)d % 100);
	return (dst);
}
