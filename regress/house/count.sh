# SPDX-License-Identifier: ISC
# The last line of make check and of .ci/run says what happened, and a test that
# was skipped is never silent.

# suite NAME RESULT...: a kyua run of test cases, each pass, skip or fail, in NAME.db
suite()
{
	name=$1 i=0
	shift
	mkdir "$name"
	printf 'syntax(2)\ntest_suite("t")\natf_test_program{name="t"}\n' >"$name/Kyuafile"
	{
		echo "#! $(command -v atf-sh)"
		for result; do
			i=$((i + 1))
			case $result in
			pass)	body=: ;;
			skip)	body='atf_skip "no kernel"' ;;
			fail)	body='atf_fail "wrong"' ;;
			esac
			printf 'atf_test_case c%s\nc%s_body() { %s; }\n' $i $i "$body"
		done
		echo 'atf_init_test_cases() {'
		while [ $i -gt 0 ]; do
			echo "atf_add_test_case c$i"
			i=$((i - 1))
		done
		echo '}'
	} >"$name/t"
	chmod 755 "$name/t"
	HOME=$(pwd) kyua -c none test -k "$name/Kyuafile" -r "$name.db" >/dev/null 2>&1
}

# counts STATUS LAST-LINE NAME [ENVIRONMENT...]
counts()
{
	want=$1 last=$2 name=$3
	shift 3
	HOME=$(pwd) env "$@" sh "$SRCDIR/regress/count.sh" "$name.db" >out 2>&1
	status=$?
	cat out
	[ $status -eq "$want" ] || atf_fail "$name: status $status, not $want"
	[ "$(tail -n 1 out)" = "$last" ] || atf_fail "$name: the last line is $(tail -n 1 out)"
}

atf_test_case check
check_head()
{
	atf_set descr 'The counts of make check: a skipped test is named, in CI it is a failed one'
	atf_set require.progs kyua
}
check_body()
{
	suite good pass pass
	counts 0 '2 passed, 0 failed' good IKEEP_NOSKIP=
	counts 0 '2 passed, 0 failed' good IKEEP_NOSKIP=1
	suite bad pass fail pass
	counts 1 '2 passed, 1 failed' bad IKEEP_NOSKIP=
	suite holey pass skip fail skip
	counts 1 '1 passed, 1 failed' holey IKEEP_NOSKIP=
	grep -q '^t:c2 .*no kernel' out || atf_fail "the skipped test is not named"
	grep -q '^check: 2 skipped' out || atf_fail "skips are not said"
	counts 1 '1 passed, 3 failed' holey IKEEP_NOSKIP=1
	suite skipping pass skip
	counts 0 '1 passed, 0 failed' skipping IKEEP_NOSKIP=
	counts 1 '1 passed, 1 failed' skipping IKEEP_NOSKIP=1
	grep -q '^t:c2 .*no kernel' out || atf_fail "the skipped test is not named"
	suite nothing skip
	counts 1 '0 passed, 0 failed' nothing IKEEP_NOSKIP=
}

# A tree whose make check says and does this
ci()
{
	rm -rf tree
	mkdir -p tree
	cp -r "$SRCDIR/.ci" tree/
	printf 'check:\n\t@%s\n' "$1" >tree/Makefile
	bash tree/.ci/run >out 2>&1
	status=$?
	cat out
}

atf_test_case ci_run
ci_run_head()
{
	atf_set descr '.ci/run: every test must run; its last line is the counts'
	atf_set require.progs bash
}
ci_run_body()
{
	ci 'test -n "$$IKEEP_NOSKIP" && echo "7 passed, 0 failed"'
	[ $status -eq 0 ] && [ "$(tail -n 1 out)" = '7 passed, 0 failed' ] || atf_fail "a good run"
	ci 'echo "6 passed, 1 failed"; false'
	[ $status -ne 0 ] && [ "$(tail -n 1 out)" = '6 passed, 1 failed' ] || atf_fail "a bad run"
	ci 'echo "the build failed"; false'
	[ $status -ne 0 ] && [ "$(tail -n 1 out)" = '0 passed, 1 failed' ] || atf_fail "no build"
	ci 'echo "nothing"'
	[ $status -ne 0 ] && [ "$(tail -n 1 out)" = '0 passed, 1 failed' ] || atf_fail "no counts"
}

atf_init_test_cases()
{
	atf_add_test_case check
	atf_add_test_case ci_run
}
