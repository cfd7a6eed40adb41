# SPDX-License-Identifier: ISC
#
# Malformed datagrams against live gateways on a real kernel.

atf_test_case datagrams
datagrams_head() {
	atf_set descr "20,000 malformed datagrams: no death, flat memory, tunnel unharmed"
	atf_set require.user root
	atf_set timeout 600
}
datagrams_body() {
	"$SRCDIR/regress/kernel/uml.sh" -t 500 -o "$(pwd)/out" -v "BIN=$OBJDIR" -v "OBJ=$OBJDIR" \
	    "$SRCDIR/regress/kernel/bad_input.sh" >out.txt 2>&1
	status=$?
	cat out.txt
	[ $status -eq 0 ] || atf_fail "status $status: $(grep FAILED out.txt)"
	grep -q '^ok: bad_input$' out.txt || atf_fail "it did not come to its end"
}

atf_init_test_cases() {
	atf_add_test_case datagrams
}
