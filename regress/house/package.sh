# SPDX-License-Identifier: ISC
# The packages' lists say what make install does.

PORT=$SRCDIR/share/freebsd/ikeep

# fake OS PREFIX SYSCONFDIR: an object directory, ./obj, as configure leaves it there;
# its programs are empty
fake()
{
	mkdir obj
	printf 'OS=\t\t%s\nPREFIX=\t\t%s\nSYSCONFDIR=\t%s\n' "$1" "$2" "$3" >obj/config.mk
	printf 'RUNDIR=\t\t/var/run\nEMPTYDIR=\t/var/empty\n' >>obj/config.mk
	for p in $(cd "$SRCDIR" && sed -n 's/^for p in \(.*\); do$/\1/p' etc/install.sh); do
		: >"obj/$p"
	done
	obj=$(pwd)/obj dest=$(pwd)/dest
	(cd "$SRCDIR" && OBJDIR=$obj DESTDIR=$dest sh etc/install.sh) >out 2>&1 ||
	    { cat out; atf_fail "install"; }
}

# the six users of the processes, by the program's own table
role_users()
{
	sed -n 's/.*"\(_[a-z]*\)".*/\1/p' "$SRCDIR/iked/proc/role.c" | sort -u
}

atf_test_case port
port_head() { atf_set descr "FreeBSD's port: pkg-plist is what make install installs"; }
port_body()
{
	fake freebsd /usr/local /usr/local/etc
	(cd dest/usr/local && find . ! -type d | sed 's,^\./,,' | sort) >installed
	# what the ports tree makes of the list
	sed 's,^@sample([^)]*) ,,; s,%%EXAMPLESDIR%%,share/examples/ikeep,
	    /share\/man/s,\.gz$,,' "$PORT/pkg-plist" | sort >listed
	diff -u listed installed || atf_fail "pkg-plist and make install differ, see above"
	[ -z "$(cd dest && find . ! -type d ! -path './usr/local/*')" ] ||
	    atf_fail "outside of the prefix: $(cd dest && find . ! -type d ! -path './usr/local/*')"
	[ "$(stat -c %a dest/usr/local/etc/iked.conf.sample)" = 600 ] || atf_fail "the sample's mode"
	# scripts and pages name the places of there
	for f in etc/rc.d/iked share/man/man8/iked.8; do
		grep -q /usr/local/etc/iked.conf "dest/usr/local/$f" || atf_fail "$f: another iked.conf"
	done
	grep -r -n -e '[^l]/etc/iked\.conf' -e '@[A-Z]*DIR@' dest && atf_fail "see above"
	:
}

atf_test_case users
users_head() { atf_set descr 'Each package makes the users that the programs want'; }
users_body()
{
	role_users >want
	[ "$(wc -l <want)" -eq 6 ] || atf_fail "not six users: $(tr '\n' ' ' <want)"
	sed -n 's/^USERS=[	 ]*//p' "$PORT/Makefile" | tr ' ' '\n' | sort >port
	for f in UIDs GIDs; do
		sed 's/:.*//' "$PORT/$f" | sort >$f
		diff -u want $f || atf_fail "$f, see above"
	done
	sed -n 's/^u \([^	]*\).*/\1/p' "$SRCDIR/debian/ikeep.sysusers" | sort >debian
	sed -n 's/^for u in \(.*\); do$/\1/p' "$SRCDIR/etc/install.sh" | tr ' ' '\n' | sort >install
	for f in port debian install; do
		diff -u want $f || atf_fail "$f, see above"
	done
}

atf_test_case versions
versions_head() { atf_set descr 'The packages have the version of CHANGES'; }
versions_body()
{
	v=$(sed -n 's/^ikeep \([0-9.]*\).*/\1/p' "$SRCDIR/CHANGES" | head -n 1)
	[ -n "$v" ] || atf_fail "no version"
	[ "$(sed -n 's/^DISTVERSION=[	 ]*//p' "$PORT/Makefile")" = "$v" ] || atf_fail "the port's"
	case $(head -n 1 "$SRCDIR/debian/changelog") in
	"ikeep ($v) "*|"ikeep ($v-"*) ;;
	*) atf_fail "Debian's" ;;
	esac
}

atf_test_case linux
linux_head() { atf_set descr "Debian's places: units, scripts, a private iked.conf, pages that fit"; }
linux_body()
{
	fake linux /usr /etc
	for f in etc/init.d/iked etc/init.d/netwatchd lib/systemd/system/iked.service \
	    lib/systemd/system/netwatchd.service usr/share/ikeep/rc.subr usr/share/ikeep/wanted usr/share/man/man8/iked.8; do
		[ -s "dest/$f" ] || atf_fail "no $f"
	done
	[ "$(stat -c %a dest/etc/iked.conf)" = 600 ] || atf_fail "iked.conf's mode"
	grep -r -n -e '@[A-Z]*DIR@' dest && atf_fail "see above"
	for s in dest/etc/init.d/* dest/usr/share/ikeep/wanted "$SRCDIR"/debian/ikeep.p*; do
		sh -n "$s" || atf_fail "$s"
	done
}

atf_init_test_cases()
{
	for t in port users versions linux; do
		atf_add_test_case $t
	done
}
