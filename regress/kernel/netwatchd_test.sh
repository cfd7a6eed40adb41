# SPDX-License-Identifier: ISC
#
# netwatchd on a real kernel: steps of netwatchd_run.sh, one boot a test.

run() {
	"$SRCDIR/regress/kernel/uml.sh" -t 540 "$SRCDIR/regress/kernel/netwatchd_run.sh" \
	    "$OBJDIR" "$@" >out 2>&1
	status=$?
	cat out
	[ $status -eq 126 ] && atf_skip "no kernel with IPsec here"
	[ $status -eq 0 ] || atf_fail "status $status: $(grep FAIL out | head -n 1)"
	for step; do
		grep -q "^ok: $step\$" out || atf_fail "$step did not run"
	done
}

atf_test_case plain
plain_head() {
	atf_set descr "without iked: sources, rights, addresses, ups and downs"
	atf_set require.user root
	atf_set timeout 600
}
plain_body() {
	run plain
}

atf_test_case tunnel
tunnel_head() {
	atf_set descr "with iked on both sides: it brings the tunnel up, and finds iked again"
	atf_set require.user root
	atf_set timeout 600
}
tunnel_body() {
	run tunnel
}

atf_test_case control
control_head() {
	atf_set descr "its own control socket: show, events, metrics, probe"
	atf_set require.user root
	atf_set timeout 600
}
control_body() {
	run control
}

atf_test_case kinds
kinds_head() {
	atf_set descr "probes by TCP, UDP, DNS and HTTP: through the tunnel or not at all"
	atf_set require.user root
	atf_set timeout 600
}
kinds_body() {
	run kinds
}

atf_test_case ping
ping_head() {
	atf_set descr "ipsecctl ping and trace through a tunnel"
	atf_set require.user root
	atf_set timeout 600
}
ping_body() {
	run ping
}

atf_test_case pmtu
pmtu_head() {
	atf_set descr "a WAN of 1400 octets: what passes is found"
	atf_set require.user root
	atf_set timeout 600
}
pmtu_body() {
	run pmtu
}

atf_test_case hooks
hooks_head() {
	atf_set descr "hooks under the real parent, with the rights of the systemd unit; a reload"
	atf_set require.user root
	atf_set timeout 600
}
hooks_body() {
	run hooks
}

atf_test_case marked
marked_head() {
	atf_set descr "ping and trace go where the probes go: mark, DSCP, size"
	atf_set require.user root
	atf_set timeout 600
}
marked_body() {
	run marked
}

atf_test_case backup
backup_head() {
	atf_set descr "the backup of a pair is quiet: by command and by keepalived's script"
	atf_set require.user root
	atf_set timeout 600
}
backup_body() {
	run backup
}

atf_test_case localmiss
localmiss_head() {
	atf_set descr "masquerade eats the probes: said in one line"
	atf_set require.user root
	atf_set timeout 600
}
localmiss_body() {
	run localmiss
}

atf_test_case verdicts
verdicts_head() {
	atf_set descr "dead SA, silent target, dead peer: the verdicts and what is done"
	atf_set require.user root
	atf_set timeout 600
}
verdicts_body() {
	run verdicts
}

atf_test_case targets
targets_head() {
	atf_set descr "the gateway as target; several targets and their quorum; source addresses come and go"
	atf_set require.user root
	atf_set timeout 600
}
targets_body() {
	run gateway quorum source
}

atf_test_case words
words_head() {
	atf_set descr "what a probe looks like behind the tunnel; VRF and mark; reloads"
	atf_set require.user root
	atf_set timeout 600
}
words_body() {
	run words tables
}

atf_test_case reserve
reserve_head() {
	atf_set descr "the peer dies: its backup tunnel, preempt; a standby node sends nothing"
	atf_set require.user root
	atf_set timeout 600
}
reserve_body() {
	run reserve standby
}

atf_test_case inet6
inet6_head() {
	atf_set descr "IPv6 in IPv6: source and target are found"
	atf_set require.user root
	atf_set timeout 600
}
inet6_body() {
	run inet6
}

atf_init_test_cases() {
	atf_add_test_case plain
	atf_add_test_case tunnel
	atf_add_test_case control
	atf_add_test_case kinds
	atf_add_test_case ping
	atf_add_test_case pmtu
	atf_add_test_case hooks
	atf_add_test_case marked
	atf_add_test_case backup
	atf_add_test_case localmiss
	atf_add_test_case verdicts
	atf_add_test_case targets
	atf_add_test_case words
	atf_add_test_case reserve
	atf_add_test_case inet6
}
