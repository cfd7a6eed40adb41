# SPDX-License-Identifier: ISC
#
# iked's processes on a real kernel: steps of iked_run.sh, one boot a test.

run() {
	"$SRCDIR/regress/kernel/uml.sh" -t 880 "$SRCDIR/regress/kernel/iked_run.sh" \
	    "$OBJDIR" "$@" >out 2>&1
	status=$?
	cat out
	[ $status -eq 126 ] && atf_skip "no kernel with IPsec here"
	[ $status -eq 0 ] || atf_fail "status $status: $(grep FAILED out | head -n 1)"
	for step; do
		grep -q "^ok: $step\$" out || atf_fail "$step did not run"
	done
}

atf_test_case tunnel
tunnel_head() {
	atf_set descr "a ping raises the tunnel; who the processes are; where the secret is; control"
	atf_set require.user root
	atf_set timeout 900
}
tunnel_body() {
	run up table secret control sadb kernel taken pairs many
}

atf_test_case life
life_head() {
	atf_set descr "children die, files change, iked stops: traps stay, tunnels come back"
	atf_set require.user root
	atf_set timeout 900
}
life_body() {
	run up crash reload twenty any moved broken left given flush stop
}

atf_test_case names
names_head() {
	atf_set descr "peers by their names: not known yet, known, elsewhere; a name server that is silent"
	atf_set require.user root
	atf_set timeout 900
}
names_body() {
	run up names dns
}

atf_init_test_cases() {
	atf_add_test_case tunnel
	atf_add_test_case life
	atf_add_test_case names
}
