#! /bin/sh
# SPDX-License-Identifier: ISC
#
# COUNT tunnels (10000): how long iked takes to check their file, to start with it, and to
# reload it with ten of them changed.  bench_iked
# is iked with a kernel that says yes to all; everything runs in namespaces of its own.
#
#	load.sh [COUNT]
#
# Root.  Environment: OBJ, the directory of the build.

set -u
COUNT=${1:-10000}
HERE=$(cd "$(dirname "$0")" && pwd -P)
if [ "${LOAD_INSIDE:-}" = "" ]; then
	LOAD_INSIDE=1 exec unshare -n -m --kill-child -p -f --mount-proc sh "$0" "$@"
fi
W=$(mktemp -d "${TMPDIR:-/tmp}/ikeep.XXXXXX") || exit 1
trap 'rm -rf "$W"' EXIT
. "$HERE/native.subr"
fail() {
	echo "FAILED: $*"
	tail -n 5 "$W/log" 2>/dev/null
	exit 1
}
users
ip link set lo up
file() {	# file LIFETIME-OF-TEN
	awk -v n="$COUNT" -v l="$1" 'BEGIN {
		for (i = 0; i < n; i++)
			printf "ikev2 \"t%d\" passive esp from 10.2.0.0/24 to 172.%d.%d.%d local 192.0.2.2 peer 100.%d.%d.%d lifetime %s psk \"Wz7mQ2xK9vLr4TbN8cHd%d\"\n", i,
			    16 + int(i / 65536), int(i / 256) % 256, i % 256,
			    64 + int(i / 65536), int(i / 256) % 256, i % 256, i < 10 ? l : "3h", i
	}' >"$W/iked.conf"
	chmod 600 "$W/iked.conf"
}
ms() { echo $(($(date +%s%N) / 1000000)); }
# CPU time of all processes so far, in ms; other work on the machine does not count
cpu() {
	for p in $parent $(cat "/proc/$parent/task/$parent/children"); do
		cat "/proc/$p/task/"*/schedstat
	done | awk '{ ns += $1 } END { printf "%.0f", ns / 1000000 }'
}
took() { echo "$1: $(($(ms) - t0)) ms${2:+, CPU time of all processes $2 ms}"; }
file 3h
echo "$COUNT tunnels, each with a peer of its own:"
t0=$(ms)
"$OBJ/iked" -n -f "$W/iked.conf" >"$W/log" 2>&1 || fail "the file is refused"
took "  iked -n"
t0=$(ms)
"$OBJ/regress/bench/bench_iked" -d -o chroot="$W/empty" -s "$W/iked.sock" \
    -f "$W/iked.conf" >"$W/log" 2>&1 &
parent=$!
wait_line 600 ' ready: ' "$W/log" $parent || fail "iked is not ready"
c0=$(cpu)
took "  start, until it is ready" "$c0"
file 2h
t0=$(ms)
"$OBJ/ipsecctl" -s "$W/iked.sock" reload -n >"$W/plan" || fail "reload -n"
took "  ipsecctl reload -n"
tail -n 1 "$W/plan" | sed 's/^/    /'
c0=$(cpu)
t0=$(ms)
"$OBJ/ipsecctl" -s "$W/iked.sock" reload >/dev/null 2>&1 || fail "reload"
took "  ipsecctl reload" $(($(cpu) - c0))
kill $parent
