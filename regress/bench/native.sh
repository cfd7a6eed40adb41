#! /bin/sh
# SPDX-License-Identifier: ISC
#
# All processes of iked under load, on this machine's own kernel, without IPsec in it:
# bench_iked is iked with a kernel that says yes to all (backend_null.c).  COUNT peers
# are brought up by bench_load over a veth pair from another network namespace.
#
#	native.sh COUNT [WINDOW]
#
# Prints the CPU time of a handshake by process (PSK, X25519, AES-128-GCM, one Child
# SA), the X25519 floor of before and after, the growth of RSS, and what it costs to keep
# all of them for ten seconds more without traffic.  Root.  Then the same of strongSwan as
# the responder, where it is installed: swan.sh.
#
# CPU time is that of /proc/PID/task/*/schedstat: user and system, in nanoseconds.
# Environment: OBJ, the directory of the build; PERF=file, a profile of all processes,
# whose heads are printed (it costs a tenth);
# NOSWAN=1, iked alone; SWAN_LIMIT, the seconds (120) that strongSwan gets for all peers.

set -u
COUNT=$1 WINDOW=${2:-32}
HERE=$(cd "$(dirname "$0")" && pwd -P)
if [ "${NATIVE_INSIDE:-}" = "" ]; then
	NATIVE_INSIDE=1 exec unshare -n -m --kill-child -p -f --mount-proc sh "$0" "$@"
fi
W=$(mktemp -d "${TMPDIR:-/tmp}/ikeep.XXXXXX") || exit 1
trap 'rm -rf "$W"' EXIT
. "$HERE/native.subr"
. "$HERE/swan.sh"
fail() {
	echo "FAILED: $*"
	tail -n 5 "$W/log" "$W/load" 2>/dev/null
	exit 1			# all that runs here ends with this shell: -p
}
users
away
awk -v n="$COUNT" -v t="$W/iked.conf" -v g="$W/load.conf" 'BEGIN {
	s = "ikesa enc aes-128-gcm prf hmac-sha2-256 group curve25519 childsa enc aes-128-gcm psk \"Wz7mQ2xK9vLr4TbN8cHd\""
	for (i = 0; i < n; i++) {
		a = int(i / 250); b = i % 250 + 1
		p = "10." 64 + int(a / 250) "." a % 250 "." b
		h = "172." 16 + int(a / 250) "." a % 250 "." b
		printf "ikev2 \"t%d\" passive tunnel esp from 10.2.0.0/24 to %s local 192.0.2.2 peer %s %s\n", i, h, p, s >t
		printf "ikev2 \"t%d\" ondemand tunnel esp from %s to 10.2.0.0/24 local %s peer 192.0.2.2 %s\n", i, h, p, s >g
	}
}'
chmod 600 "$W/iked.conf"
floor1=$("$OBJ/regress/bench/bench_floor") || fail "no floor"
"$OBJ/regress/bench/bench_iked" -d -o chroot="$W/empty" -s "$W/iked.sock" \
    -f "$W/iked.conf" >"$W/log" 2>&1 &
parent=$!
wait_line 600 ' ready: ' "$W/log" $parent || fail "iked is not ready"
FIRST=parent PIDS="$parent $(cat "/proc/$parent/task/$parent/children")"
sleep 1
peers_up
floor2=$("$OBJ/regress/bench/bench_floor") || fail "no floor"
echo "all processes, $(uname -sr), no SAs in the kernel: $(cat "$W/load"), $WINDOW at a time"
awk -v n="$up" -v f1="$floor1" -v f2="$floor2" -v us="$W/iked.us" '
FILENAME ~ /before$/ { cpu[$1] += $2; rss[$1] += $3; next }
FILENAME ~ /rest$/ { rest += $2; next }
{
	rest -= $2
	c = ($2 - cpu[$1]) / n
	printf "  %-8s %7.1f us CPU a handshake, RSS %+6.0f bytes an IKE SA (%d -> %d kB)\n",
	    $1, c, ($3 - rss[$1]) * 1024 / n, rss[$1], $3
	tc += c; tm += ($3 - rss[$1]) * 1024 / n
}
END {
	printf "  %-8s %7.1f us CPU a handshake, RSS %+6.0f bytes an IKE SA\n", "all", tc, tm
	printf "  X25519 keygen + derive, in the same minute: %.1f us before, %.1f after\n", f1, f2
	printf "  ten seconds more, all idle: %.0f us CPU a second, %.2f %% of a core\n",
	    rest / 10, rest / 1e5
	printf "  => %d IKE SAs: %.1f us a handshake, %.1f %% of the floor\n",
	    n, tc, 50 * (f1 + f2) / tc
	print tc >us
}' "$W/before" "$W/rest" "$W/after"
# the share of each object of code, then of our functions and the kernel's
profile() {
	perf report -i "$PERF" --no-children -g none --stdio "$@" 2>/dev/null |
	    sed -n '/^ *[0-9]/s/^/  /p'
}
if [ -n "${PERF:-}" ]; then
	echo "  profile, % of all samples, by object:"
	profile --sort dso | head -n 6
	echo "  the first 20 functions of iked and of the system's kernel:"
	profile --sort sym --dsos 'bench_iked,[kernel.kallsyms]' | head -n 20
fi
kill $load $parent
wait $load $parent
[ -n "${NOSWAN:-}" ] || swan
kill $peers
wait
