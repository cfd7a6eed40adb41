#! /bin/sh
# SPDX-License-Identifier: ISC
#
# make mutants: in a copy of the tree the protections of regress/data/mutants.txt are switched
# off, one at a time, and the tests named there run until one notices.  What no test
# notices is a failure, and so is a change that does not fit the source any more.
#
# Environment: MAKE, CC, OBJDIR; ONLY limits it to names that have this text.

set -u
cd "$(dirname "$0")/.." || exit 1
MAKE=${MAKE:-make} CC=${CC:-cc} OBJDIR=${OBJDIR:-build}
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
unset MAKEFLAGS MFLAGS GNUMAKEFLAGS MAKELEVEL
tree=$OBJDIR/mutants
data=$(pwd)/regress/data/mutants.txt
src=$(pwd)
mkdir -p "$tree" || exit 1
rm -rf "$tree/src"
mkdir "$tree/src" || exit 1
tar cf - --exclude='./.*' --exclude="./$OBJDIR" --exclude=./build . 2>/dev/null |
    (cd "$tree/src" && tar xf -) || exit 1
cd "$tree/src" || exit 1
# -O1: half the time of -O2
./configure CC="$CC" CFLAGS=-O1 >configure.out 2>&1 || { cat configure.out; exit 1; }

# one NAME FIELD: a field of that mutant's paragraph: file, tests, old, new
one()
{
	awk -v want="$1" -v field="$2" '
	/^=== / { on = substr($0, 5) == want; part = ""; next }
	!on { next }
	part == "" && /^file / && field == "file" { print $2 }
	part == "" && /^tests / && field == "tests" { sub(/^tests /, ""); print }
	/^<<<$/ { part = "old"; next }
	/^---$/ { part = "new"; next }
	/^>>>$/ { part = "end"; next }
	part == field { print }' "$data"
}

# Replaces what stands in old, which must be there exactly once, by new.
change()
{
	awk -v oldf=old.txt -v newf=new.txt '
	function slurp(f,   s, l) { while ((getline l < f) > 0) s = s l "\n"; return s }
	BEGIN {
		old = slurp(oldf); new = slurp(newf); all = slurp(ARGV[1])
		i = index(all, old)
		if (old == "" || i == 0 || index(substr(all, i + 1), old) != 0)
			exit 1
		printf "%s%s%s", substr(all, 1, i - 1), new, substr(all, i + length(old))
		exit 0
	}' "$1" >changed.c
}

# binaries TESTS: their programs
binaries()
{
	for b in $1; do
		printf 'build/regress/%s ' "${b%%:*}"
	done
}

# notice TEST: 0 when it fails; says which case
notice()
{
	prog=build/regress/${1%%:*}
	case $1 in
	*:*) cases=${1#*:} ;;
	*) cases=$("$prog" -l | sed -n 's/^ident: //p') ;;
	esac
	for c in $cases; do
		rm -f result
		IKEEP_SEEDS=${IKEEP_SEEDS:-400} timeout 120 "$prog" -r result "$c" \
		    >test.out 2>&1
		case $(cat result 2>/dev/null) in
		passed*|skipped*) ;;
		*) echo "${1%%:*}:$c"; return 0 ;;
		esac
	done
	return 1
}

make_them()
{
	# shellcheck disable=SC2086
	$MAKE -j"$jobs" -f build/objs.mk $(binaries "$1") >make.out 2>&1
}

names=$(sed -n 's/^=== //p' "$data")
all=$(sed -n 's/^tests //p' "$data" | tr ' ' '\n' | sort -u | tr '\n' ' ')
make_them "$all" || { tail -20 make.out; exit 1; }
for t in $all; do
	if what=$(notice "$t"); then
		echo "mutants: $what fails without any change"
		tail -5 test.out
		exit 1
	fi
done

ifs=$IFS n=0 survivors=0 broken=0
IFS='
'
for name in $names; do
	IFS=$ifs
	case $name in *"${ONLY:-}"*) ;; *) continue ;; esac
	n=$((n + 1))
	file=$(one "$name" file) tests=$(one "$name" tests)
	one "$name" old >old.txt
	one "$name" new >new.txt
	if ! change "$file"; then
		echo "$name: does not fit $file any more"
		broken=$((broken + 1))
		continue
	fi
	cp changed.c "$file"
	if ! make_them "$tests"; then
		echo "$name: does not compile"
		sed -n 's/.*error: /	/p' make.out | head -3
		broken=$((broken + 1))
		cp "$src/$file" "$file"
		continue
	fi
	what=
	for t in $tests; do
		what=$(notice "$t") && break
		what=
	done
	if [ -n "$what" ]; then
		echo "$name: $what"
	else
		echo "$name: NO TEST NOTICES"
		survivors=$((survivors + 1))
	fi
	cp "$src/$file" "$file"
done
IFS=$ifs
echo "mutants: $n, $survivors not noticed, $broken no longer fit"
[ $n -gt 0 ] && [ $survivors -eq 0 ] && [ $broken -eq 0 ]
