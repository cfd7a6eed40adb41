#! /bin/sh
# SPDX-License-Identifier: ISC
#
# netwatchd's probe process, sandbox and all, with TARGETS (100000) targets and 10,000
# probes a second for LASTS (30) seconds, to addresses of another network namespace over a veth
# pair.  In the same run: a bare loop of sendmmsg and recvmmsg, fping with the same targets, and
# dpinger with 100 and 300, where those are installed.  Root.
#
# CPU time includes what the kernel does in that process's name; over a veth pair that is
# the answering, too, for all of them alike.
# Environment: OBJ, the directory of the build.

set -u
HERE=$(cd "$(dirname "$0")" && pwd -P)
if [ "${NATIVE_INSIDE:-}" = "" ]; then
	NATIVE_INSIDE=1 exec unshare -n -m --kill-child -p -f --mount-proc sh "$0" "$@"
fi
W=$(mktemp -d "${TMPDIR:-/tmp}/ikeep.XXXXXX") || exit 1
trap 'rm -rf "$W"' EXIT
. "$HERE/native.subr"
fail() {
	echo "FAILED: $*"
	exit 1			# all that runs here ends with this shell: -p
}
TARGETS=${TARGETS:-100000} LASTS=${LASTS:-30} status=0
# An interval is up to a quarter shorter at random: 7/8 of it in the middle.
interval=$((TARGETS * 8 / 70))
b=$OBJ/regress/bench/bench_netwatch
users
away
there ip route add local 10.64.0.0/10 dev lo
ip route add 10.64.0.0/10 via 192.0.2.1

# fping_row TARGETS COUNT INTERVAL: at its quickest, and every target every 10 s
fping_row() {
	awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++)
	    printf "10.%d.%d.%d\n", 64 + int(i / 65536), int(i / 256) % 256, i % 256 }' >"$W/list"
	now=$(date +%s%N)
	sh -c 'fping -q -c "$1" -i "$2" -p 10000 -t 2000 -f "$3" >/dev/null 2>"$4" & wait $!
	    times' sh "$2" "$3" "$W/list" "$W/fping" >"$W/times"
	now=$((($(date +%s%N) - now) / 1000000))
	awk -v ms="$now" -v n="$1" -v i="$3" '
	FILENAME ~ /times$/ { if (FNR == 2) { split($0, t, /[ms ]+/); cpu = t[1] * 60 + t[2] + t[3] * 60 + t[4] } next }
	/xmt.rcv/ { split($0, p, "= "); split(p[2], a, "/"); sent += a[1]; got += a[2]; next }
	/^fping/ { why = $0 }
	END {
		if (why) { print "  fping -i " i ", " n " targets: " why; exit }
		if (sent == 0) { print "  fping -i " i ", " n " targets: no result"; exit }
		printf "  fping -i %s, %d targets: %d probes/s, %.1f %% of a core: %.2f us of CPU a probe, %d lost\n",
		    i, n, sent * 1000 / ms, cpu * 1e5 / ms, cpu * 1e6 / sent, sent - got
	}' "$W/times" "$W/fping"
}

# dpinger_row TARGETS: a process each, a probe a second
dpinger_row() {
	PIDS='' FIRST=dpinger
	for i in $(seq "$1"); do
		dpinger -f -B 192.0.2.2 -s 1000 -l 2000 -t 60000 -r 60000 -o /dev/null \
		    "10.64.$((i / 250)).$((i % 250 + 1))" >"$W/dpinger" 2>&1 &
		PIDS="$PIDS $!"
	done
	sleep 5
	account >"$W/before"
	sleep 10
	account >"$W/after"
	awk -v n="$1" '
	FILENAME ~ /before$/ { before += $2; next }
	{ us += $2; kb += $3 }
	END { us -= before
		printf "  dpinger, %d targets at a probe a second: %.1f %% of a core: %.2f us of CPU a probe, %d kB\n",
		    n, us / 1e5, us / 10 / n, kb }' "$W/before" "$W/after"
	# shellcheck disable=SC2086
	kill $PIDS
	wait $PIDS 2>/dev/null
}

"$b" bare 0 3 >"$W/full" || fail "no bare loop"
"$b" bare 10000 10 >"$W/bare" || fail "no bare loop"
"$b" probe "$OBJ/netwatchd" "$W/empty" 192.0.2.2 "$TARGETS" "$interval" "$LASTS" >"$W/probe" 2>"$W/err" || {
	cat "$W/err"
	fail "no probe process"
}
"$b" bare 10000 10 >"$W/bare2" || fail "no bare loop"
"$b" probe "$OBJ/netwatchd" "$W/empty" 192.0.2.2 "$TARGETS" "$interval" "$LASTS" iked >"$W/linked" 2>"$W/err" || {
	cat "$W/err"
	fail "no probe process with an iked"
}
echo "netwatchd's probe process, $(uname -sr), $TARGETS targets:"
awk -v f="$W/full" '
function get(name,  i) { for (i = 2; i < NF; i += 2) if ($i == name) return $(i + 1); return 0 }
FILENAME == f { full = get("us"); next }
$1 == "bare" { us += get("us") / 2; cpu += get("cpu") / 2; lost += get("lost"); next }
$1 == "iked" { printf "    and said to iked a second: up %d, counters %d, report %d; %d octets\n", get("ups"), get("counters"), get("reports"), get("octets"); next }
{
	if (!linked++)
		printf "  bare sendmmsg/recvmmsg loop: %.2f us of CPU a probe at 10,000/s (%.1f %% of a core, %d lost), %.2f as fast as it goes\n", us, cpu, lost, full
	printf "  netwatchd%s: %d probes/s: %.1f %% of a core (aim 15), %d kB at most (aim 65536), %d octets a target in its tables\n",
	    (linked == 1 ? "" : " with an iked"), get("rate"), get("cpu"), get("rss"), get("octets")
	printf "    lost %d, delayed %d, refused %d (aim 0); late: half under %d ms, 99 %% under %d (aim 20), 99.9 %% under %d\n",
	    get("lost"), get("delayed"), get("refused"), get("late50"), get("late99"), get("late999")
	printf "    %.2f us of CPU a probe: %.2f times the bare loop (aim 1.5)\n", get("us"), get("us") / us
	if (get("cpu") > 15 || get("rss") > 65536 || get("lost") > 0 || get("refused") > 0 || get("late99") > 20 || get("us") > 1.5 * us)
		missed = 1
}
END { exit missed }' "$W/full" "$W/bare" "$W/bare2" "$W/probe" "$W/linked" || status=1

if command -v fping >/dev/null; then
	fping_row "$TARGETS" 1 0.1
	fping_row "$TARGETS" 1 0
	fping_row 65000 1 0
else
	echo "  fping is not installed: no row of it"
fi
if command -v dpinger >/dev/null; then
	dpinger_row 100
	dpinger_row 300
else
	echo "  dpinger is not installed (Debian has no package of it): no row of it"
fi
exit $status
