# SPDX-License-Identifier: ISC
#
# The demo, whole; and the demo with one thing broken, which has to fail, at
# its step and for its reason.  A demo that cannot fail shows nothing.

demo() {
	DEMO_OUT=$(pwd)/out OBJDIR=$OBJDIR DEMO_BREAK=$1 \
	    sh "$SRCDIR/regress/demo/run.sh" >demo.out 2>demo.err
	status=$?
	cat demo.out
	cat demo.err >&2
	return $status
}

# broken WHAT STEP WHY...
broken() {
	what=$1 step=$2
	shift 2
	demo "$what" && atf_fail "the demo was broken ($what) and succeeded all the same"
	grep -q "^step $step  FAILED: $*" demo.out ||
	    atf_fail "$what: not failed at step $step because of: $*"
	prev=$((step - 1))
	[ $step -eq 0 ] || grep -q "^step $prev  [^F]" demo.out ||
	    atf_fail "$what: step $prev was not reached"
}

atf_test_case good
good_head() {
	atf_set descr "make demo: every step is observed"
	atf_set require.user root
	atf_set timeout 1200
}
good_body() {
	demo '' || atf_fail "the demo failed"
	for s in 0 1 2 3 4 5 6 7; do
		grep -q "^step $s  [^F]" demo.out || atf_fail "no line for step $s"
	done
}

atf_test_case nofwd
nofwd_head() {
	atf_set descr "a gateway that does not forward: fails at step 0"
	atf_set require.user root
	atf_set timeout 600
}
nofwd_body() {
	broken nofwd 0 "no way between the hosts"
}

atf_test_case notrap
notrap_head() {
	atf_set descr "policies flushed: fails at step 1, clear packets seen"
	atf_set require.user root
	atf_set timeout 600
}
notrap_body() {
	broken notrap 1 "[1-9][0-9]* clear packets between the LANs"
}

atf_test_case wrongsource
wrongsource_head() {
	atf_set descr "pings from the WAN address: fails at step 2"
	atf_set require.user root
	atf_set timeout 600
}
wrongsource_body() {
	broken wrongsource 2 "no tunnel 15 s after the first ping: seattle is down, boise is passive"
}

atf_test_case wrongkey
wrongkey_head() {
	atf_set descr "two secrets from the start: fails at step 2"
	atf_set require.user root
	atf_set timeout 600
}
wrongkey_body() {
	broken wrongkey 2 "no tunnel 15 s after the first ping"
	grep -q "AUTHENTICATION_FAILED" out/seattle/iked.log ||
	    atf_fail "Seattle's log does not name the cause"
}

atf_init_test_cases() {
	atf_add_test_case good
	atf_add_test_case nofwd
	atf_add_test_case notrap
	atf_add_test_case wrongsource
	atf_add_test_case wrongkey
}
