# SPDX-License-Identifier: ISC
#
# libpfkey against a real kernel: every step of regress/tools/tool_kern.c.  One boot a
# back end, so that the guest's start is paid once.

# run BACKEND STEP...
run() {
	be=$1
	shift
	"$SRCDIR/regress/kernel/uml.sh" -t 240 "$SRCDIR/regress/kernel/kern_run.sh" \
	    "$OBJDIR/regress/tools/tool_kern" "$be" "$@" >out 2>&1
	status=$?
	cat out
	[ $status -eq 126 ] && atf_skip "no kernel with IPsec here"
	[ $status -eq 0 ] || atf_fail "status $status: $(grep FAIL out | tail -n 1)"
	# Each step must have said so itself.
	for step; do
		grep -q "^ok: $be $step\$" out || atf_fail "$step did not run"
	done
}

atf_test_case xfrm
xfrm_head() {
	atf_set descr "XFRM: SAs, policies, events and ESP on a real kernel"
	atf_set require.user root
	atf_set timeout 300
}
xfrm_body() {
	run xfrm caps sa policy acquire esp expire mapping lost bypass many
}

atf_test_case pfkey
pfkey_head() {
	atf_set descr "PF_KEY (Linux): the same, and a kernel without AF_KEY"
	atf_set require.user root
	atf_set timeout 300
}
pfkey_body() {
	# Linux PF_KEY drops events without a word: no step "lost".
	steps="caps sa policy acquire esp expire mapping bypass many"
	# "absent" unloads af_key, which only the guest may.
	IKEEP_KERNEL=uml
	export IKEEP_KERNEL
	run pfkey $steps absent
}

atf_init_test_cases() {
	atf_add_test_case pfkey
	atf_add_test_case xfrm
}
