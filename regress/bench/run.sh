#! /bin/sh
# SPDX-License-Identifier: ISC
#
# make bench: the engine alone, then all processes of iked on this machine's own kernel
# with 1,000 and 10,000 IKE SAs, and strongSwan in its place where it is installed; then
# netwatchd with 100,000 targets, and fping and dpinger.  Only ratios hold: the floor is
# measured in the same run.
#
# Environment: OBJDIR; COUNT, a third number of IKE SAs (100000 takes some minutes and
# 3 GB of memory); UML=1000, so many tunnels once more with SAs in a real kernel, where that
# is user-mode Linux at 10 to 30 us a system call.

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
OBJDIR=$OBJDIR sh "$here/show.sh" 10000 || status=1
if [ "$(id -u)" = 0 ]; then
	out=$OBJDIR/bench.native
	: >"$out"
	for n in 1000 10000 ${COUNT:-}; do
		OBJ=$OBJDIR sh "$here/native.sh" "$n" >"$out.one" </dev/null || status=1
		tee -a "$out" <"$out.one"
	done
	awk '/^  => / { us[$2] = $5; if (!first) first = $2; last = $2 }
	    END { if (last != first) printf "the cost of a handshake at %d IKE SAs, to that at %d: %+.1f %%\n",
		last, first, 100 * (us[last] / us[first] - 1) }' "$out"
	rm -f "$out.one"
	OBJ=$OBJDIR sh "$here/netwatch.sh" </dev/null || status=1
else
	echo "bench: all processes of iked, and netwatchd, are measured only when root asks" >&2
	status=1
fi
[ -z "${UML:-}" ] ||
    sh "$SRCDIR/regress/kernel/uml.sh" -m 2G -t 3000 -o "$OBJDIR/bench.out" \
	-v "BIN=$OBJDIR" -v "OBJ=$OBJDIR" -v "COUNT=$UML" "$here/all.sh" || status=1
exit $status
