#! /bin/sh
# SPDX-License-Identifier: ISC
#
# What the unit tests and the simulation run of each file: lines and branches.
#
# The counts are gcov's own (-b -c), of a build made by gcc with --coverage -O0: nothing
# is inlined or folded, so that each line and each two-way jump is where it is written;
# the rooms have no assert(), so none is left out.  A line counts when it has run, a
# branch when it has been taken: `a && b` in an if is four branches.
#
# usage: sh regress/coverage.sh DIR [-w N] [FILE...]
#   DIR   a tree configured with --coverage whose tests have run
#   -w N  also the N files of the four rooms that lack most: the lines that never ran, and
#         those of which a branch was never taken
#   FILE  the same of these files only
# Ends with 1 when one of the four rooms of the protocol is below the aim.

set -u
LINES_AIM=95 BRANCHES_AIM=85
dir=$1 worst=0
shift
if [ "${1:-}" = -w ]; then
	worst=$2
	shift 2
fi
files=$*
: "${files:=$(ls iked/*/*.c pfkey/*.c keepalive/*.c sbin/*/*.c)}"
[ $# -eq 0 ] || worst=$#

# one FILE: lines, run, branches, taken, what is missing (blanks as commas), name
one()
{
	o=$dir/obj/${1%.c}
	[ -f "$o.gcno" ] || return 0
	gcov -b -c -t -o "$o.gcda" "$1" 2>/dev/null | awk -F: -v f="$1" '
	# the rest of a file is what the file includes
	$3 == "Source" { on = $4 == f }
	!on { next }
	function missing(n) {
		if (n != last + 1 || last == 0) {
			if (from) say()
			from = n
		}
		last = n
	}
	function say() { out = out (out == "" ? "" : ",") from (last > from ? "-" last : "") }
	/^ *[0-9#=-]+\*?: *[0-9]+:/ {
		n = $2 + 0
		if ($1 ~ /-/ || n == 0) next
		lines++
		if ($1 ~ /[#=]/) missing(n); else run++
		next
	}
	/^branch / {
		all++
		if ($0 ~ /taken [1-9]/) taken++
		else if (n != last && n != part) {
			part = n
			parts = parts (parts == "" ? "" : ",") n
		}
	}
	END {
		if (from) say()
		printf "%d %d %d %d %s?%s %s\n", lines, run, all, taken, out, parts, f
	}'
}

# shellcheck disable=SC2086
for f in $files; do
	one "$f"
done >"$dir/coverage.raw"

awk -v worst="$worst" -v all=$# -v la=$LINES_AIM -v ba=$BRANCHES_AIM '
function pct(a, b) { return b > 0 ? 100 * a / b : 100 }
function row(l, r, b, t, name) {
	printf "%6.1f%% of %5d lines %6.1f%% of %5d branches  %s\n", pct(r, l), l,
	    pct(t, b), b, name
}
{
	room = $6
	sub(/\/[^\/]*$/, "", room)
	if (!(room in L)) rooms[++n] = room
	L[room] += $1; R[room] += $2; B[room] += $3; T[room] += $4
	l += $1; r += $2; b += $3; t += $4
	row($1, $2, $3, $4, $6)
	name[NR] = $6; miss[NR] = $5
	if (all || room ~ /^iked\/(wire|sa|exchange|engine)$/) lack[NR] = $1 - $2 + $3 - $4
}
END {
	if (NR == 0) { print "coverage: no file was built with it"; exit 1 }
	print ""
	for (i = 1; i <= n; i++) row(L[rooms[i]], R[rooms[i]], B[rooms[i]], T[rooms[i]], rooms[i])
	row(l, r, b, t, "all")
	for (k = 0; k < worst; k++) {
		best = 0
		for (i in lack) if (best == 0 || lack[i] > lack[best]) best = i
		if (best == 0 || lack[best] == 0) break
		split(miss[best], m, "?")
		printf "\n%s\n    never run: %s\n    a branch never taken: %s\n", name[best], m[1], m[2]
		delete lack[best]
	}
	split("iked/wire iked/sa iked/exchange iked/engine", four, " ")
	for (i = 1; i <= 4; i++)
		if (four[i] in L && (pct(R[four[i]], L[four[i]]) < la ||
		    pct(T[four[i]], B[four[i]]) < ba)) {
			printf "coverage: %s is below %d%% of lines, %d%% of branches\n",
			    four[i], la, ba
			low = 1
		}
	exit low
}' "$dir/coverage.raw" | tee "$dir/coverage.txt"
[ -s "$dir/coverage.raw" ] && ! grep -q '^coverage: ' "$dir/coverage.txt"
