#! /bin/sh
# SPDX-License-Identifier: ISC
#
# What a run of kyua came to: which tests were skipped and why, then, as the last
# line, "N passed, N failed".  Status 0 only when something passed and nothing
# failed.  The numbers are those of kyua's own report.
#
# usage: sh regress/count.sh RESULTS.DB
# Environment: IKEEP_NOSKIP, not empty: a skipped test is a failed one.

set -u
report=$(kyua -c none report -r "$1" --results-filter=skipped) || {
	echo "check: kyua does not report on $1"
	exit 1
}
# shellcheck disable=SC2046
set -- $(printf '%s\n' "$report" | sed -n 's/^Test cases: \([0-9]*\) total, \([0-9]*\) skipped, \([0-9]*\) expected failures, \([0-9]*\) broken, \([0-9]*\) failed.*/\1 \2 \4 \5/p')
if [ $# -ne 4 ] || [ "$1" -eq 0 ]; then
	echo "check: no test was run"
	exit 1
fi
passed=$(($1 - $2 - $3 - $4)) skipped=$2 failed=$(($3 + $4))
if [ "$skipped" -gt 0 ]; then
	printf '%s\n' "$report" | sed -n '/^===> Skipped tests/,/^===> /{/^===>/d;p;}'
	if [ -n "${IKEEP_NOSKIP:-}" ]; then
		echo "check: $skipped skipped, which counts as failed here"
		failed=$((failed + skipped))
	else
		echo "check: $skipped skipped, not counted below"
	fi
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
