# SPDX-License-Identifier: ISC
# Every fuzz target sees its whole corpus and a fixed number of mutants of it,
# under the sanitizers: one test case a target.

MUTANTS=${MUTANTS:-20000}

replay()
{
	seeds=$SRCDIR/regress/fuzz/corpus/$1
	# a file names the directory of its seeds, from where it is
	[ ! -f "$seeds" ] || seeds=$SRCDIR/regress/fuzz/corpus/$(cat "$seeds")
	[ -d "$seeds" ] || seeds=
	# shellcheck disable=SC2086
	atf_check -s exit:0 -o save:out -e save:err \
	    "$OBJDIR/regress/fuzz/fuzz_$1" -s 1 -n "$MUTANTS" \
	    -d "$OBJDIR/regress/fuzz/crash-$1" $seeds
	atf_check -o match:"^[0-9]* files and $MUTANTS mutants" cat out
}

atf_init_test_cases()
{
	for f in "$SRCDIR"/regress/fuzz/fuzz_*.c; do
		[ -f "$f" ] || continue
		t=${f##*/fuzz_}
		t=${t%.c}
		atf_test_case "$t"
		eval "${t}_head() { atf_set descr 'corpus and mutants: $t'; atf_set timeout 600; }"
		eval "${t}_body() { replay $t; }"
		atf_add_test_case "$t"
	done
}
