# SPDX-License-Identifier: ISC
# The scripts around the tests on a real kernel: what they run, and how they wait.

# early DIRECTORY: a wait_for whose condition is worked out before the waiting: the
# values are the shell's, and never change
early()
{
	grep -rn -E 'wait_for [0-9.]+ ((\[|test) .*\$\(|sh -c ".*\$\()' "$1" --include='*.sh'
}

atf_test_case waits
waits_head() { atf_set descr 'A condition that is waited for is looked at again'; }
waits_body()
{
	early "$SRCDIR/regress/kernel" && atf_fail "see above"
	early "$SRCDIR/regress/demo" && atf_fail "see above"
	early "$SRCDIR/regress/interop" && atf_fail "see above"
	mkdir d
	# shellcheck disable=SC2016
	for bad in 'wait_for 2 [ "$(count)" -ge 3 ]' \
	    'wait_for 5 sh -c "[ -z '"'"'$(pids "$1")'"'"' ]"'; do
		echo "$bad" >d/x.sh
		early d || atf_fail "blind to: $bad"
	done
	echo 'wait_for 5 gone "$(stamp_ms x)"' >d/x.sh
	early d && atf_fail "sees what is not there"
	# and it does wait
	cat >t.sh <<-'T'
	. "$SRCDIR/regress/kernel/lib.sh"
	n=0
	third() { n=$((n + 1)); [ $n -ge 3 ]; }
	wait_for 5 third && [ $n -eq 3 ] && ! wait_for 1 false
	T
	[ -r /proc/uptime ] || return 0
	OUT=$(pwd) BIN=$OBJDIR sh t.sh || atf_fail "wait_for does not wait"
}

# A tree with make interop's scripts, and a kernel that only notes what it is to run
interop_tree()
{
	mkdir -p tree/regress/interop tree/regress/kernel bin
	cp "$SRCDIR"/regress/interop/*.sh tree/regress/interop/
	echo ':' >tree/regress/setup.sh
	cat >tree/regress/kernel/uml.sh <<-'U'
	while getopts t:o:v: opt; do
		case $opt in
		o)	out=$OPTARG ;;
		v)	case $OPTARG in RUNS=*) echo "$OPTARG" >>ran ;; esac ;;
		esac
	done
	shift $((OPTIND - 1))
	echo "${1##*/}${2:+ $2}" >>ran
	echo "uml.sh: no kernel at all" >&2
	case $1 in
	*cell.sh)	mkdir -p "$out"
			printf '%s\tok\t1/1\t1/1\t1/1\t0\t0\t\n' "$2" >"$out/result" ;;
	*)		echo "figures of ${1##*/}"
			[ "${1##*/}" != "${BREAK:-}" ] || exit 1 ;;
	esac
	U
	for p in iked netwatchd ipsecctl; do
		printf '#! /bin/sh\n' >bin/$p
		chmod 755 bin/$p
	done
}
interop()
{
	rm -f ran
	env OBJDIR="$(pwd)/bin" "$@" sh tree/regress/interop/run.sh >out 2>&1
	status=$?
	cat out ran
}

atf_test_case interop
interop_head() { atf_set descr 'make interop runs every cell, and every measurement of the peers'; }
interop_body()
{
	interop_tree
	interop RUNS=2
	[ $status -eq 0 ] || atf_fail "status $status"
	[ "$(grep -c '^cell.sh ' ran)" -ge 12 ] || atf_fail "not every cell"
	for f in tree/regress/interop/*.sh; do
		f=${f##*/}
		case $f in run.sh|peers.sh|cell.sh) continue ;; esac
		grep -q "^$f\$" ran || atf_fail "$f is not run"
		grep -q "^figures of $f\$" out || atf_fail "the figures of $f are not shown"
	done
	[ "$(grep -c '^RUNS=2$' ran)" -eq 2 ] || atf_fail "RUNS does not arrive"
	# one cell: that cell alone
	interop CELLS=swan-gcm-initiator
	[ "$(cat ran)" = 'cell.sh swan-gcm-initiator' ] || atf_fail "more than the cell"
	interop CELLS=swan-gcm-initiator MEASURES=outages BREAK=outages.sh
	[ $status -ne 0 ] || atf_fail "a failed measurement is no failure"
}

atf_test_case router
router_head()
{
	atf_set descr 'The router outside of uml.sh -R: nftables masquerade, and answers'
	atf_set require.user root
}
router_body()
{
	unshare -n sh -c 'ip tuntap add dev t mode tap && conntrack -C &&
	    nft "add table t; add chain t c { type nat hook postrouting priority 100; }"' ||
	    atf_skip "no taps, conntrack or NAT of nftables here"
	cat >expected <<-'E'
	ok nftables
	ok nftables
	ok conntrack
	failed
	ok conntrack
	E
	# what does not work, once: UDP has no such port
	unshare -n sh -c 'sh "$0" serve && nft list ruleset >rules && ip -br addr >addresses' \
	    "$SRCDIR/regress/kernel/router.sh" >said <<-'W'
	masquerade
	masquerade 20000-20100
	forget
	masquerade 70000
	forget
	W
	diff expected said || atf_fail "see above"
	grep 'oifname "toboise" ip saddr 192.0.2.1 .*masquerade to :20000-20100' rules ||
	    atf_fail "the rule is another one"
	[ "$(grep -c masquerade rules)" = 1 ] || atf_fail "more than the last rule"
	grep -q '^toseattle .*192.0.2.254/24' addresses &&
	    grep -q '^toboise .*198.51.100.254/24' addresses || atf_fail "no core"
}

atf_init_test_cases()
{
	atf_add_test_case router
	atf_add_test_case waits
	atf_add_test_case interop
}
