/* SPDX-License-Identifier: ISC */
/* Whose the configuration's files may be, and who may read or write them. */
#include <sys/stat.h>

#include <atf-c.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proc/parent.h"

#define NETS	"ikev2 \"a\" from 10.1.0.0/24 to 10.2.0.0/24 peer 192.0.2.2 "

static struct conf_errors errs;

static void
write_file(const char *path, const char *text, mode_t mode)
{
	int fd;

	(void)unlink(path);
	ATF_REQUIRE((fd = open(path, O_WRONLY | O_CREAT, 0600)) != -1);
	ATF_REQUIRE_EQ((ssize_t)strlen(text), write(fd, text, strlen(text)));
	ATF_REQUIRE_EQ(0, fchmod(fd, mode));
	close(fd);
}

/* The error's text, NULL when the file is taken. */
static const char *
refused(void)
{
	static struct parent_opts o;
	struct conf *c;

	o.conf = "iked.conf";
	if ((c = parent_conf_read(&o, 0, &errs)) == NULL) {
		ATF_REQUIRE(errs.n > errs.nwarn);
		return (errs.e[errs.n - 1].text);
	}
	conf_free(c);
	return (NULL);
}

static void
chgrp_one(const char *path, gid_t gid)
{
	if (geteuid() == 0)
		ATF_REQUIRE_EQ(0, chown(path, 0, gid));
}

ATF_TC_WITHOUT_HEAD(modes);
ATF_TC_BODY(modes, tc)
{
	static const struct {
		mode_t		 mode;
		int		 ok;
	} psk[] = {
		{ 0600, 1 }, { 0400, 1 }, { 0640, 0 }, { 0660, 0 }, { 0644, 0 },
		{ 0606, 0 }, { 0666, 0 },
	};
	size_t i;

	(void)tc;
	for (i = 0; i < sizeof(psk) / sizeof(psk[0]); i++) {
		write_file("iked.conf", NETS "psk \"twenty characters at least\"\n",
		    psk[i].mode);
		chgrp_one("iked.conf", 7);
		ATF_CHECK_MSG((refused() == NULL) == psk[i].ok, "%04o",
		    (unsigned)psk[i].mode);
	}
	ATF_CHECK_STREQ("has mode 0666: others may write it: chmod 600 iked.conf",
	    refused());
	if (geteuid() != 0)
		return;
	/* root's own group may read, as packages have it. */
	write_file("iked.conf", NETS "psk \"twenty characters at least\"\n", 0640);
	chgrp_one("iked.conf", 0);
	ATF_CHECK(refused() == NULL);
	ATF_REQUIRE_EQ(0, chown("iked.conf", 65534, 0));
	ATF_CHECK_STREQ("belongs to uid 65534, who could change it: chown root "
	    "iked.conf", refused());
}

ATF_TC_WITHOUT_HEAD(includes);
ATF_TC_BODY(includes, tc)
{
	(void)tc;
	/* Nothing secret in the main text: all may read it, nobody write it. */
	write_file("secret", "twenty characters at least\n", 0600);
	write_file("more.conf", NETS "psk file \"secret\"\n", 0600);
	write_file("iked.conf", "include \"more.conf\"\n"
	    "# ikev2 statements are in there\n", 0644);
	ATF_CHECK_MSG(refused() == NULL, "%s", refused());
	ATF_REQUIRE_EQ(0, chmod("iked.conf", 0646));
	ATF_CHECK_STREQ("has mode 0646: others may write it: chmod 644 iked.conf",
	    refused());
	ATF_REQUIRE_EQ(0, chmod("iked.conf", 0644));
	ATF_REQUIRE_EQ(0, chmod("secret", 0644));
	ATF_CHECK_STREQ("has mode 0644: others may read it: chmod 600 secret",
	    refused());
	ATF_REQUIRE_EQ(0, chmod("secret", 0600));
	ATF_REQUIRE_EQ(0, chmod("more.conf", 0604));
	ATF_CHECK(refused() != NULL);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, modes);
	ATF_TP_ADD_TC(tp, includes);
	return (atf_no_error());
}
