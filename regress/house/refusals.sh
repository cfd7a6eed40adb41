# SPDX-License-Identifier: ISC
# What iked -n and netwatchd -n say to a person, word for word.

umask 077

# says STATUS REGEXP COMMAND...: ends with that status, within 10 s, and says that
says()
{
	want=$1 pattern=$2
	shift 2
	timeout 10 "$@" >out 2>&1
	status=$?
	cat out
	[ $status -eq "$want" ] || atf_fail "$*: status $status, not $want"
	grep -q -e "$pattern" out || atf_fail "$*: does not say $pattern"
}

atf_test_case no_file
no_file_head() { atf_set descr 'No file, a directory and a fifo in the place of iked.conf'; }
no_file_body()
{
	mkfifo fifo
	mkdir dir
	echo "include \"$(pwd)/fifo\"" >included
	for p in iked netwatchd; do
		says 1 'nosuch.*: No such file or directory$' "$OBJDIR/$p" -n -f nosuch
		says 1 'dir: not a regular file$' "$OBJDIR/$p" -n -f dir
		says 1 'fifo: not a regular file$' "$OBJDIR/$p" -n -f fifo
		says 1 'included:1:9: cannot read .*fifo": not a regular file$' \
		    "$OBJDIR/$p" -n -f included
	done
}

atf_test_case nothing
nothing_head() { atf_set descr 'A file without a tunnel is good, and is said to be empty'; }
nothing_body()
{
	echo '#ikev2 "boise"' >conf
	for p in iked netwatchd; do
		says 0 '^configuration OK, without a tunnel$' "$OBJDIR/$p" -n -f conf
		says 1 '-l local8: know auth, .* local0 to local7 \[start\]$' "$OBJDIR/$p" -n -l local8
	done
	echo 'ikev2 from 10.1.0.0/24 to 10.2.0.0/24 peer 192.0.2.1 psk "twenty characters at least"' >conf
	for p in iked netwatchd; do
		says 0 '^configuration OK$' "$OBJDIR/$p" -n -l local7 -f conf
	done
}

atf_test_case many
many_head() { atf_set descr 'More mistakes than fit: their number is said'; }
many_body()
{
	i=0
	while [ $i -lt 70 ]; do
		i=$((i + 1))
		echo "bad $i"
	done >conf
	says 1 '^and 6 more$' "$OBJDIR/iked" -n -f conf
	[ "$(grep -c '^.*conf:[0-9]*:1:' out)" -eq 64 ] || atf_fail "not 64 lines"
	says 1 '^and 6 more$' "$OBJDIR/netwatchd" -n -f conf
	[ "$(grep -c '^.*conf:[0-9]*:1:' out)" -eq 64 ] || atf_fail "not 64 lines of netwatchd"
}

atf_init_test_cases()
{
	atf_add_test_case no_file
	atf_add_test_case nothing
	atf_add_test_case many
}
