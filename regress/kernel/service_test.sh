# SPDX-License-Identifier: ISC
#
# iked and netwatchd as services: steps of service_run.sh, one boot a test.  Always in
# user-mode Linux, never in namespaces of this machine's own kernel: they install
# themselves into /etc and /usr/local, which are overlays only there.

run() {
	"$SRCDIR/regress/kernel/uml.sh" -k uml -t 880 \
	    "$SRCDIR/regress/kernel/service_run.sh" "$OBJDIR" "$@" >out 2>&1
	status=$?
	cat out
	[ $status -eq 126 ] && atf_skip "no user-mode Linux here"
	[ $status -eq 0 ] || atf_fail "status $status: $(grep FAILED out | head -n 1)"
	for step; do
		grep -q "^ok: $step\$" out || atf_fail "$step did not run"
	done
}

atf_test_case initd
initd_head() {
	atf_set descr "make install; /etc/init.d: start, status, configtest, reload, restart, stop"
	atf_set require.user root
	atf_set timeout 900
}
initd_body() {
	run initd
}

atf_test_case systemd
systemd_head() {
	atf_set descr "make install; a real systemd boots, reloads, restarts and stops both; traps stay"
	atf_set require.user root
	atf_set require.files /lib/systemd/systemd
	atf_set timeout 900
}
systemd_body() {
	run systemd
}

atf_init_test_cases() {
	atf_add_test_case initd
	atf_add_test_case systemd
}
