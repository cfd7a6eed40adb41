#! /bin/sh
# SPDX-License-Identifier: ISC
#
# make bench: the engine alone on this machine, then all processes of a real iked on
# a real kernel.  Only ratios hold: the floor is measured in the same run.
#
# Environment: OBJDIR; COUNT, tunnels for the second part (10000).  In user-mode Linux,
# where a system call costs 10 to 30 us, that part takes 10 to 20 minutes; with
# COUNT=1000 the CPU time a tunnel is the same, but memory hides in what reading the
# configuration has freed.

set -u
here=$(cd "$(dirname "$0")" && pwd -P)
SRCDIR=$(cd "$here/../.." && pwd -P)
OBJDIR=${OBJDIR:-$SRCDIR/build}
status=0
if [ -x "$OBJDIR/regress/bench/bench_engine" ]; then
	echo "the engine alone, on this machine:"
	"$OBJDIR/regress/bench/bench_engine" || status=1
else
	echo "bench: $OBJDIR/regress/bench/bench_engine is not built" >&2
	status=1
fi
sh "$SRCDIR/regress/kernel/uml.sh" -m 2G -t 3000 -o "$OBJDIR/bench.out" \
    -v "BIN=$OBJDIR" -v "OBJ=$OBJDIR" -v "COUNT=${COUNT:-10000}" "$here/all.sh" || status=1
exit $status
