# SPDX-License-Identifier: ISC
# The build itself: both makes, both compilers, install, and what configure
# and setup.sh say when something is missing.

# The sources as a checkout has them, without anything built, in ./src.
checkout()
{
	mkdir src
	(cd "$SRCDIR" && tar cf - --exclude=./build --exclude=./.git \
	    --exclude=./regress/data --exclude='*/corpus' .) | (cd src && tar xf -)
}

quiet_build()
{
	"$@" >out 2>&1 || { cat out; atf_fail "failed: $*"; }
	if grep -i -E 'warning:|error:' out; then
		atf_fail "not free of warnings: $*"
	fi
}

atf_test_case bsd_make_clang
bsd_make_clang_head()
{
	atf_set descr 'One "make" in a clean checkout, by BSD make with clang'
	atf_set require.progs "bmake clang"
	atf_set timeout 600
}
bsd_make_clang_body()
{
	checkout
	cd src || atf_fail cd
	quiet_build bmake CC=clang PREFIX=/usr
	grep -q 'CC.*clang' build/config.mk || atf_fail "another compiler"
	grep -q 'PREFIX.*/usr$' build/config.mk || atf_fail "another prefix"
	ls build/*.a || atf_fail "nothing was built"
	# nothing to be done a second time
	bmake CC=clang >out 2>&1
	if grep -E '^(CC|AR|LINK) ' out; then atf_fail "builds again"; fi
	# a header's change reaches the objects, a new file its archive
	touch iked/conf/lint.h
	printf '#include "base/addr.h"\nextern const int extra;\nconst int extra = 1;\n' >iked/base/extra.c
	bmake CC=clang >out 2>&1
	grep -q '^CC.*conf/lint.o' out || atf_fail "a changed header is not seen"
	grep '^CC.*base/addr.o' out && atf_fail "what it does not concern is built again"
	grep -q '^CC.*base/extra.o' out || atf_fail "a new file is not seen"
	rm iked/base/extra.c
	bmake CC=clang >out 2>&1 || atf_fail "a removed file stops the build"
	ar t build/libiked.a | grep -q extra.o && atf_fail "a removed file stays"
	bmake distclean
	[ ! -d build ] || atf_fail "distclean leaves build"
}

atf_test_case gnu_make_gcc
gnu_make_gcc_head()
{
	atf_set descr 'One "make" in a clean checkout, by GNU make with gcc'
	atf_set require.progs "gcc"
	atf_set timeout 600
}
gnu_make_gcc_body()
{
	gmake=make
	command -v gmake >/dev/null && gmake=gmake
	checkout
	cd src || atf_fail cd
	quiet_build $gmake -j2 CC=gcc
	grep -q 'CC.*gcc' build/config.mk || atf_fail "another compiler"
	$gmake CC=gcc >out 2>&1
	if grep -E '^(CC|AR|LINK) ' out; then atf_fail "builds again"; fi
	touch iked/conf/lint.h
	$gmake CC=gcc >out 2>&1
	grep -q '^CC.*conf/lint.o' out || atf_fail "a changed header is not seen"
	grep '^CC.*base/addr.o' out && atf_fail "what it does not concern is built again"
	:
}

# What starts our programs is there, and names them where they are.
services()
{
	case $(uname -s) in
	Linux)	set -- "$1" "$2" 755 etc/init.d/iked 755 etc/init.d/netwatchd \
		    644 "${2#/}/share/ikeep/rc.subr" \
		    644 lib/systemd/system/iked.service 644 lib/systemd/system/netwatchd.service ;;
	FreeBSD) set -- "$1" "$2" 755 etc/rc.d/iked 755 etc/rc.d/netwatchd ;;
	*)	return 0 ;;
	esac
	dest=$1 prefix=$2
	shift 2
	while [ $# -gt 0 ]; do
		f=$dest/$2
		[ -f "$f" ] || atf_fail "$2 is not installed"
		[ "$(stat -c %a "$f" 2>/dev/null || stat -f %Lp "$f")" = "$1" ] ||
		    atf_fail "$2 has not mode $1"
		if grep '@[A-Z]*@' "$f"; then atf_fail "$2: a path is not put in"; fi
		case $2 in
		*/rc.subr)	sh -n "$f" || atf_fail "$2" ;;
		*.service)	p=${2##*/}
			grep -q "^ExecStart=$prefix/sbin/${p%.service} " "$f" ||
			    atf_fail "$2 starts something else" ;;
		*)	sh -n "$f" || atf_fail "$2"
			grep -q "^command=$prefix/sbin/${2##*/}\$" "$f" ||
			    atf_fail "$2 starts something else"
			grep -q "^	\. $prefix/share/ikeep/rc.subr\$" "$f" ||
			    atf_fail "$2: its rc.subr" ;;
		esac
		shift 2
	done
	if command -v systemd-analyze >/dev/null && [ -d "$dest/lib/systemd" ]; then
		# Our programs are not in / here: that is all it may find.
		systemd-analyze verify "$dest"/lib/systemd/system/*.service 2>&1 |
		    grep -E '(iked|netwatchd)\.service' |
		    grep -v -e 'is not executable' -e "Command 'man" >"$dest.verify"
		[ ! -s "$dest.verify" ] || { cat "$dest.verify"; atf_fail "systemd does not like the units"; }
	fi
}

atf_test_case install
install_head() { atf_set descr 'make install with DESTDIR, twice, keeps a configuration'; }
install_body()
{
	dest=$(pwd)/dest
	cd "$SRCDIR" || atf_fail cd
	env OBJDIR="${OBJDIR#"$SRCDIR"/}" DESTDIR="$dest" PREFIX=/usr sh etc/install.sh ||
	    atf_fail "install failed"
	for p in iked netwatchd ipsecctl; do
		[ -f "$OBJDIR/$p" ] || continue
		[ -x "$dest/usr/sbin/$p" ] || atf_fail "$p is not installed"
	done
	for m in share/man/*.[1578]; do
		[ -f "$m" ] || continue
		cmp "$m" "$dest/usr/share/man/man${m##*.}/${m##*/}" ||
		    atf_fail "$m is not installed"
	done
	services "$dest" /usr
	[ "$(readlink "$dest/usr/sbin/ikectl")" = ipsecctl ] || atf_fail "no ikectl"
	for f in share/bash-completion/completions/ipsecctl \
	    share/zsh/site-functions/_ipsecctl share/ikeep/ipsecctl.ksh \
	    share/ikeep/schema/ipsecctl.json; do
		[ -s "$dest/usr/$f" ] || atf_fail "$f is not installed"
	done
	[ -f etc/iked.conf ] || return 0
	[ "$(stat -c %a "$dest/etc/iked.conf" 2>/dev/null || stat -f %Lp "$dest/etc/iked.conf")" = 600 ] ||
	    atf_fail "iked.conf may be read by others"
	echo '# mine' >"$dest/etc/iked.conf"
	env OBJDIR="${OBJDIR#"$SRCDIR"/}" DESTDIR="$dest" PREFIX=/usr sh etc/install.sh
	grep -q '^# mine' "$dest/etc/iked.conf" || atf_fail "iked.conf was overwritten"
	cmp etc/iked.conf "$dest/usr/share/examples/ikeep/iked.conf.sample" ||
	    atf_fail "no sample"
}

atf_test_case programs_hardened
programs_hardened_head() { atf_set descr 'Programs are PIE, with relro and bound at start'; }
programs_hardened_body()
{
	n=0
	for p in iked netwatchd ipsecctl; do
		[ -f "$OBJDIR/$p" ] || continue
		n=$((n + 1))
		readelf -hldW "$OBJDIR/$p" >elf
		grep -q 'Type: *DYN' elf || atf_fail "$p is no PIE"
		grep -q GNU_RELRO elf || atf_fail "$p has no relro"
		grep -E -q 'BIND_NOW|FLAGS.*NOW' elf || atf_fail "$p is bound late"
		grep 'GNU_STACK' elf | grep -q 'RWE' && atf_fail "$p has an executable stack"
		nm -D "$OBJDIR/$p" | grep -q __stack_chk_fail || atf_fail "$p has no stack protector"
	done
	[ $n -gt 0 ] || atf_skip "no program is there yet"
}

atf_test_case configure_names_packages
configure_names_packages_head() { atf_set descr 'A missing library: configure names the package'; }
configure_names_packages_body()
{
	[ "$(uname -s)" = Linux ] || atf_skip "Debian's names"
	checkout
	# a compiler that cannot link one library
	cat >cc.sh <<'C'
#! /bin/sh
case " $* " in *" -l$WITHOUT "*) echo "cannot find -l$WITHOUT" >&2; exit 1 ;; esac
exec cc "$@"
C
	chmod +x cc.sh
	for pair in ev:libev-dev mnl:libmnl-dev seccomp:libseccomp-dev \
	    jansson:libjansson-dev bsd:libbsd-dev crypto:libssl-dev; do
		WITHOUT=${pair%%:*}
		export WITHOUT
		if src/configure --objdir=b CC="$(pwd)/cc.sh" >out 2>&1; then
			atf_fail "configured without $WITHOUT"
		fi
		grep -q "apt-get install.*${pair#*:}" out || { cat out; atf_fail "${pair#*:} is not named"; }
	done
	WITHOUT=atf-c	# only make check needs it
	src/configure --objdir=b CC="$(pwd)/cc.sh" >out 2>&1 || { cat out; atf_fail "needs atf to build"; }
	grep -q 'HAVE_ATF=.*no' src/b/config.mk || atf_fail "found what is not there"
	if src/configure --objdir=b2 CC=no-such-compiler >out 2>&1; then
		atf_fail "configured without a compiler"
	fi
	grep -q 'a C compiler' out || { cat out; atf_fail "no word about the compiler"; }
	if src/configure --no-such-option >out 2>&1; then
		atf_fail "takes any option"
	fi
}

atf_test_case setup_without_root
setup_without_root_head() { atf_set descr 'Without root: the one command to run first'; }
setup_without_root_body()
{
	[ "$(uname -s)" = Linux ] || atf_skip "dpkg's ways"
	mkdir bin
	printf '#! /bin/sh\necho 1000\n' >bin/id
	printf '#! /bin/sh\nfor p; do :; done\ncase $p in libev-dev|kyua) exit 1;; esac\nprintf installed\n' >bin/dpkg-query
	printf '#! /bin/sh\necho "apt-get $*" >>%s/apt.log\n' "$(pwd)" >bin/apt-get
	chmod +x bin/*
	PATH=$(pwd)/bin:$PATH
	export PATH
	atf_check -s exit:1 -e save:err sh "$SRCDIR/regress/setup.sh" check
	grep -q 'as root, first run' err || { cat err; atf_fail "says nothing useful"; }
	grep -q '^ *apt-get update && apt-get install.* libev-dev kyua$' err ||
	    { cat err; atf_fail "not one command with just what is missing"; }
	[ ! -e apt.log ] || atf_fail "tried to install without root"
	# as root it installs those two, once, after one update
	printf '#! /bin/sh\necho 0\n' >bin/id
	printf '#! /bin/sh\nfor p; do :; done\ncase $p in libev-dev|kyua) [ -e %s/apt.log ] || exit 1;; esac\nprintf installed\n' "$(pwd)" >bin/dpkg-query
	atf_check -s exit:0 -o match:'setup: installing libev-dev kyua' sh "$SRCDIR/regress/setup.sh" check
	[ "$(grep -c 'apt-get update' apt.log)" -eq 1 ] || atf_fail "not one update"
	grep -q 'apt-get install.* libev-dev kyua$' apt.log || atf_fail "installs something else"
	# nothing missing: not a word, nothing done
	rm apt.log
	printf '#! /bin/sh\nprintf installed\n' >bin/dpkg-query
	atf_check -s exit:0 sh "$SRCDIR/regress/setup.sh" check
	[ ! -e apt.log ] || atf_fail "installs for nothing"
}

atf_test_case manuals
manuals_head()
{
	atf_set descr 'The manual pages are free of mandoc warnings'
	atf_set require.progs mandoc
}
manuals_body()
{
	set -- "$SRCDIR"/share/man/*.[1578]
	[ -f "$1" ] || atf_skip "no page is there yet"
	mandoc -T lint -W warning "$@" >lint 2>&1 || :
	# pages of ours that another package or a later day brings
	grep -v -E 'cross reference|outdated mandoc.db|missing manual' lint >left
	[ ! -s left ] || { cat left; atf_fail "see above"; }
	printf '.Dd $Mdocdate$\n.Dt X 8\n.Os\n.Sh NAME\n.Nm x\n.Nonsense\n' >x.8
	mandoc -T lint -W warning x.8 >lint 2>&1 && atf_fail "mandoc is blind"
	:
}

atf_test_case scripts
scripts_head() { atf_set descr 'Every shell script parses, in dash where it is there'; }
scripts_body()
{
	sh=sh
	command -v dash >/dev/null && sh=dash
	for f in $(find "$SRCDIR" -name build -prune -o -name '*.sh' -print) \
	    "$SRCDIR/configure" "$SRCDIR"/etc/rc.d/*; do
		head -1 "$f" | grep -q bash && continue
		$sh -n "$f" || atf_fail "$f"
	done
	bash -n "$SRCDIR/.ci/run" || atf_fail ".ci/run"
}

atf_init_test_cases()
{
	atf_add_test_case bsd_make_clang
	atf_add_test_case gnu_make_gcc
	atf_add_test_case install
	atf_add_test_case programs_hardened
	atf_add_test_case configure_names_packages
	atf_add_test_case setup_without_root
	atf_add_test_case manuals
	atf_add_test_case scripts
}
