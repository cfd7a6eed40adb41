# SPDX-License-Identifier: ISC
#
# A few of the mistakes of make life's part "break" (regress/life/break.sh): log, show,
# doctor and diff of both sides name the cause.

atf_test_case few
few_head() {
	atf_set descr "three mistakes on a real kernel: each view of each side names the cause"
	atf_set require.user root
	atf_set timeout 900
}
few_body() {
	"$SRCDIR/regress/kernel/uml.sh" -t 880 -o "$(pwd)/out.d" -v "BIN=$OBJDIR" \
	    -v "OBJ=$OBJDIR" -v "CASES=secret ike-enc nets" "$SRCDIR/regress/life/break.sh" \
	    >out 2>&1
	status=$?
	cat out
	[ $status -eq 126 ] && atf_skip "no kernel with IPsec here"
	[ $status -eq 0 ] || atf_fail "status $status: $(grep FAILED out | head -n 1)"
	[ "$(grep -c '^break: .*, .*: ok: .* log ' out)" -eq 6 ] || atf_fail "not six rows"
}

atf_init_test_cases() {
	atf_add_test_case few
}
