#! /bin/sh
# SPDX-License-Identifier: ISC
#
# make demo, interop, life, bench, sim, fuzz, coverage: packages, configure, build, run.
#
# Environment: MAKE, CC, OBJDIR; FUZZ_SECONDS (a target, default 60); SEEDS, SEED, JOBS.
# coverage: WORST, KEEP.

set -u
cd "$(dirname "$0")/.." || exit 1
MAKE=${MAKE:-make} CC=${CC:-cc} OBJDIR=${OBJDIR:-build}
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
unset MAKEFLAGS MFLAGS GNUMAKEFLAGS MAKELEVEL
what=${1:-}
mkdir -p "$OBJDIR" && [ -w "$OBJDIR" ] || {
	echo "$what: cannot write in $OBJDIR: make OBJDIR=DIR $what" >&2
	exit 1
}

# build DIR TARGET ARGUMENTS...
build()
{
	dir=$1 target=$2
	shift 2
	if [ -f "$dir/config.mk" ] && [ "$dir/config.mk" -nt configure ]; then
		./configure --scan --objdir="$dir" || return 1
	else
		mkdir -p "$dir"
		./configure --objdir="$dir" "$@" >"$dir/configure.out" 2>&1 || {
			cat "$dir/configure.out"
			return 1
		}
	fi
	$MAKE -j"$jobs" -f "$dir/objs.mk" "$target" >"$dir/make.out" 2>&1 || {
		cat "$dir/make.out"
		return 1
	}
}

# script NAME: regress/NAME/run.sh with SRCDIR and OBJDIR in its environment
script()
{
	if [ ! -f "regress/$1/run.sh" ]; then
		echo "$1: regress/$1/run.sh is not there" >&2
		exit 1
	fi
	SRCDIR=$(pwd) OBJDIR=$(cd "$OBJDIR" && pwd)
	export SRCDIR OBJDIR
	exec sh "regress/$1/run.sh"
}

fuzz()
{
	build $OBJDIR/fuzz fuzz --fuzzer CC=clang || exit 1
	status=0 n=0
	for t in $OBJDIR/fuzz/regress/fuzz/fuzz_*; do
		case $t in *.[do]) continue ;; esac
		[ -x "$t" ] || continue
		name=${t##*/fuzz_} n=$((n + 1))
		new=$OBJDIR/fuzz/corpus/$name
		seeds=regress/fuzz/corpus/$name
		mkdir -p "$new"
		[ ! -f "$seeds" ] || seeds=regress/fuzz/corpus/$(cat "$seeds")
		[ -d "$seeds" ] || seeds=
		echo "fuzz: $name"
		# shellcheck disable=SC2086
		"$t" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 \
		    -artifact_prefix="$OBJDIR/fuzz/crash-$name-" "$new" $seeds \
		    >"$OBJDIR/fuzz/$name.log" 2>&1 || status=1
		tail -2 "$OBJDIR/fuzz/$name.log"
	done
	[ $n -gt 0 ] || { echo "fuzz: no target was built" >&2; exit 1; }
	exit $status
}

# KEEP, not empty: no build and no tests, only the report on what ran last.
# WORST: of how many files the lines that are missing are shown.
coverage()
{
	dir=$OBJDIR/coverage failed=
	if [ -z "${KEEP:-}" ]; then
		rm -rf "$dir"
		build "$dir" tests --coverage CC=gcc || exit 1
		kyua -c none -v parallelism="$jobs" test -k "$dir/Kyuafile" \
		    -r "$dir/results.db" regress/unit regress/sim >"$dir/kyua.out" 2>&1 ||
		    failed=1
	fi
	sh regress/coverage.sh "$dir" -w "${WORST:-0}" || failed=1
	[ -n "${KEEP:-}" ] || tail -1 "$dir/kyua.out"
	[ -z "$failed" ]
	exit $?
}

# Adds up what the processes say of their lives, in files of "name number".
sim_sum()
{
	cat "$1"/part.*[0-9] 2>/dev/null | awk -v secs="$2" -v all="$3" -v last="$4" '
	    $1 == "fault" { n = $2; $1 = $2 = ""; fault[substr($0, 3)] += n; next }
	    /^max_/ { if ($2 > v[$1]) v[$1] = $2; next }
	    { v[$1] += $2 }
	    END {
		if (secs < 1)
			secs = 1
		printf "sim: %d of %d lives, %d lives/s, %d datagrams, %d IKE SAs, " \
		    "%d rekeys, %d violations in %d lives\n", v["lives"], all,
		    v["lives"] / secs, v["datagrams"], v["handshakes"], v["rekeys"],
		    v["violations"], v["bad"]
		if (last) {
			printf "sim: faults:"
			for (f in fault)
				printf " %s %d,", f, fault[f]
			printf " %d retransmissions\nsim: up again after %d ms at most, " \
			    "tidy after %d ms; %d events\n", v["retransmissions"],
			    v["max_up_ms"], v["max_tidy_ms"], v["events"]
		}
	    }'
}

# Random lives: SEEDS of them from SEED on, in JOBS processes.
sim()
{
	n=${SEEDS:-10000} first=${SEED:-1} procs=${JOBS:-$jobs}
	dir=$OBJDIR/sim
	t=$OBJDIR/regress/sim/t_seeds
	rm -rf "$dir"
	mkdir -p "$dir"
	[ "$procs" -le "$n" ] || procs=$n
	begun=$(date +%s) i=0
	while [ $i -lt "$procs" ]; do
		from=$((n * i / procs)) to=$((n * (i + 1) / procs))
		{
			IKEEP_SEED=$((first + from)) IKEEP_SEEDS=$((to - from)) \
			    IKEEP_PROGRESS="$dir/part.$i" \
			    "$t" -r "$dir/result.$i" seeds >"$dir/out.$i" 2>"$dir/err.$i"
			: >"$dir/ended.$i"
		} &
		i=$((i + 1))
	done
	last=$begun
	while [ "$(ls "$dir" | grep -c '^ended')" -lt "$procs" ]; do
		sleep 1
		now=$(date +%s)
		[ $((now - last)) -ge 10 ] || continue
		last=$now
		sim_sum "$dir" $((now - begun)) "$n" 0
	done
	wait
	cat "$dir"/err.* | grep -a 'WRONG\|^seed'
	sim_sum "$dir" $(($(date +%s) - begun)) "$n" 1
	if [ "$(cat "$dir"/result.* 2>/dev/null | grep -c '^passed')" -ne "$procs" ]; then
		echo "sim: some lives are not in order: $dir; one again, line by line:"
		echo "    SIM_VERBOSE=1 IKEEP_SEEDS=1 IKEEP_SEED=n $t seeds"
		exit 1
	fi
	exit 0
}

case $what in
demo)
	sh regress/setup.sh check || exit 1
	build "$OBJDIR" tests CC="$CC" || exit 1
	script demo ;;
interop)
	sh regress/setup.sh interop || exit 1
	build "$OBJDIR" tests CC="$CC" || exit 1
	script interop ;;
life)
	sh regress/setup.sh interop || exit 1
	build "$OBJDIR" tests CC="$CC" || exit 1
	script life ;;
bench)
	sh regress/setup.sh check || exit 1
	build "$OBJDIR" tests CC="$CC" || exit 1
	script bench ;;
fuzz)
	sh regress/setup.sh check || exit 1
	fuzz ;;
sim)
	sh regress/setup.sh check || exit 1
	build "$OBJDIR" tests CC="$CC" || exit 1
	sim ;;
coverage)
	sh regress/setup.sh check || exit 1
	coverage ;;
*)
	echo "usage: sh regress/run.sh demo|interop|life|bench|sim|fuzz|coverage" >&2
	exit 2 ;;
esac
