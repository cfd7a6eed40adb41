# SPDX-License-Identifier: ISC
# The places that configure and make were told are the places that are used.

# The sources as a checkout has them, without anything built, in ./src.
checkout()
{
	mkdir src
	(cd "$SRCDIR" && tar cf - --exclude=./build --exclude=./.git \
	    --exclude='*/corpus' .) | (cd src && tar xf -)
}

atf_test_case elsewhere
elsewhere_head()
{
	atf_set descr 'Another prefix, run directory and object directory, all of them followed'
	atf_set timeout 600
}
elsewhere_body()
{
	checkout
	top=$(pwd)
	cd src || atf_fail cd
	# fast to compile: what is looked at are places
	./configure --prefix="$top/usr" --sysconfdir="$top/etc" --rundir="$top/run" \
	    --objdir="$top/obj" CFLAGS='-O0 -g0 -w' >out 2>&1 || { cat out; atf_fail configure; }
	make OBJDIR="$top/obj" DESTDIR="$top/dest" install >out 2>&1 ||
	    { cat out; atf_fail "make install"; }
	[ ! -e build ] || atf_fail "something is in ./build"
	[ -x "$top/dest$top/usr/sbin/iked" ] || { cat out; atf_fail "another prefix"; }
	[ -f "$top/dest$top/etc/iked.conf" ] || { cat out; atf_fail "another sysconfdir"; }
	# every program knows the run directory, and no other
	for p in iked netwatchd ipsecctl; do
		grep -a -q "$top/run/iked.sock" "$top/obj/$p" || atf_fail "$p: another run directory"
		grep -a -q '/var/run/iked' "$top/obj/$p" && atf_fail "$p knows /var/run"
	done
	atf_check -s exit:3 -e match:"$top/run/iked.sock" "$top/obj/ipsecctl" show
	# a test finds its sources and its programs
	make -f "$top/obj/objs.mk" "$top/obj/regress/house/places" \
	    "$top/obj/regress/unit/t_ipsecctl" >out 2>&1 || { cat out; atf_fail "the tests"; }
	grep -q "^OBJDIR=$top/obj\$" "$top/obj/regress/house/places" ||
	    atf_fail "a shell test does not find its programs"
	grep -a -q "$top/obj/ipsecctl" "$top/obj/regress/unit/t_ipsecctl" ||
	    atf_fail "a test does not find its programs"
	make OBJDIR="$top/obj" clean >out 2>&1 || { cat out; atf_fail "make clean"; }
	[ ! -e "$top/obj" ] || atf_fail "make clean leaves the object directory"
	# not what configure did not make
	mkdir "$top/mine"
	make OBJDIR="$top/mine" clean >out 2>&1 || { cat out; atf_fail "make clean"; }
	[ -d "$top/mine" ] || atf_fail "make clean removes any directory"
}

atf_test_case prefix
prefix_head()
{
	atf_set descr 'A prefix said to make, and none: by both makes'
}
prefix_body()
{
	checkout
	cd src || atf_fail cd
	for m in make bmake; do
		command -v $m >/dev/null || continue
		for p in "" /opt/ikeep; do
			$m OBJDIR=o ${p:+PREFIX=$p} o/config.mk >out 2>&1 || { cat out; atf_fail "$m"; }
			grep "^PREFIX=[	 ]*${p:-/usr/local}\$" o/config.mk ||
			    { cat out; atf_fail "$m: prefix ${p:-none}"; }
			rm -r o
		done
	done
}

atf_test_case unwritable
unwritable_head() { atf_set descr 'Where the sources cannot be written: what to say instead'; }
unwritable_body()
{
	checkout
	cd src || atf_fail cd
	: >build	# nobody can make a directory of it, not even root
	for t in all check demo interop life bench fuzz coverage; do
		make $t >../out 2>&1 </dev/null && { cat ../out; atf_fail "make $t ends well"; }
		grep -q 'cannot write in build.*make OBJDIR=DIR' ../out ||
		    { cat ../out; atf_fail "make $t does not say what to do"; }
		grep -q '^cat:' ../out && { cat ../out; atf_fail "make $t goes on"; }
	done
	:
}

atf_init_test_cases()
{
	atf_add_test_case elsewhere
	atf_add_test_case prefix
	atf_add_test_case unwritable
}
