#! /bin/sh
# SPDX-License-Identifier: ISC
#
# make check: packages, configure, two builds with warnings as errors (plain,
# and with AddressSanitizer and UndefinedBehaviorSanitizer), then every test
# there is under kyua.  Ends with one line of counts; 0 only when all passed.
# A test that cannot run here is skipped, and named in the lines before.
#
# Environment: MAKE, CC, CHECKDIR; IKEEP_TESTS limits kyua to these tests;
# IKEEP_NOSKIP, not empty: a skipped test is a failed one.

set -u
cd "$(dirname "$0")/.." || exit 1
MAKE=${MAKE:-make} CC=${CC:-cc} CHECKDIR=${CHECKDIR:-build/check}
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
# What an outer make says about its jobs is not for ours.
unset MAKEFLAGS MFLAGS GNUMAKEFLAGS MAKELEVEL

mkdir -p "$CHECKDIR" && [ -w "$CHECKDIR" ] || {
	echo "check: cannot write in $CHECKDIR: make OBJDIR=DIR check"
	exit 1
}
sh regress/setup.sh check || exit 1

# build DIR ARGUMENTS... ; configure says much: only a failure shows it
build()
{
	dir=$1
	shift
	if ! ./configure --objdir="$dir" --werror "$@" >"$CHECKDIR/configure.out" 2>&1; then
		cat "$CHECKDIR/configure.out"
		return 1
	fi
	echo "check: building in $dir with $(sed -n 's/^CC=[	 ]*//p' "$dir/config.mk")"
	if ! $MAKE -j"$jobs" -f "$dir/objs.mk" tests >"$CHECKDIR/make.out" 2>&1; then
		cat "$CHECKDIR/make.out"
		return 1
	fi
}

# The sanitizer build is made with the other compiler, so that both are seen.
other=clang
case $($CC --version 2>/dev/null) in
*clang*) command -v gcc >/dev/null 2>&1 && other=gcc ;;
esac
failed=
build "$CHECKDIR/plain" CC="$CC" || failed=1
build "$CHECKDIR/san" --sanitize CC="$other" || failed=1
if [ -n "$failed" ]; then
	echo "check: the build failed"
	exit 1
fi

cat >"$CHECKDIR/Kyuafile" <<K
syntax(2)
include("plain/Kyuafile")
include("san/Kyuafile")
K
db=$CHECKDIR/results.db
rm -f "$db"
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=1:detect_stack_use_after_return=1}"
export LSAN_OPTIONS="${LSAN_OPTIONS:-suppressions=$(pwd)/regress/lsan.supp:print_suppressions=0}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}"
# More at a time than there are processors: the tests on a real kernel mostly wait.
# shellcheck disable=SC2086
kyua -c none -v parallelism="$((jobs * 2))" test -k "$CHECKDIR/Kyuafile" -r "$db" ${IKEEP_TESTS:-}
status=$?

kyua -c none report -r "$db" --results-filter=broken,failed --verbose >"$CHECKDIR/report.txt" 2>&1
if [ $status -ne 0 ]; then
	# what each failed test said, without the list of our environment
	awk '/^===> /{ on = !/Execution context|Summary|(Failed|Broken) tests/ }
	    /^Metadata:/ { meta = 1; next } /^[^ ]/ { meta = 0 }
	    on && !meta' "$CHECKDIR/report.txt" | head -300
	echo "check: full report with outputs: $CHECKDIR/report.txt"
fi
sh regress/count.sh "$db" && [ $status -eq 0 ]
