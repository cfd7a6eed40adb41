# SPDX-License-Identifier: ISC
#
# All processes of a real iked under load: COUNT tunnels (10000), each with a peer of
# its own, brought up by bench_load in another namespace.  Prints the CPU time of a
# handshake (PSK, X25519, AES-128-GCM, one Child SA installed in the kernel) by
# process, the X25519 floor measured in the same boot, and the memory: RSS with all
# SAs up less RSS with none, all processes.

set -u
. "$TOP/regress/kernel/lib.sh"
COUNT=${COUNT:-10000}
fail() {
	echo "FAILED: $*"
	tail -n 5 "$OUT/target/iked.log" "$W/load" 2>/dev/null
	site_end
	exit 1
}

# conf LOCAL-SIDE: COUNT statements; peers are 10.64.0.0/14, one address each
confs() {
	awk -v n="$COUNT" -v t="$W/target/iked.conf" -v g="$W/load.conf" 'BEGIN {
		s = "ikesa enc aes-128-gcm prf hmac-sha2-256 group curve25519 childsa enc aes-128-gcm psk \"Wz7mQ2xK9vLr4TbN8cHd\""
		for (i = 0; i < n; i++) {
			a = int(i / 250); b = i % 250 + 1
			p = "10." 64 + int(a / 250) "." a % 250 "." b
			h = "172." 16 + int(a / 250) "." a % 250 "." b
			printf "ikev2 \"t%d\" passive tunnel esp from 10.2.0.0/24 to %s local 192.0.2.2 peer %s %s\n", i, h, p, s >t
			printf "ikev2 \"t%d\" ondemand tunnel esp from %s to 10.2.0.0/24 local %s peer 192.0.2.2 %s\n", i, h, p, s >g
		}
	}'
	chmod 600 "$W/target/iked.conf"
}
# account: "role jiffies rss-kB" a line for every process of iked
account() {
	for _p in $(iked_pids target); do
		_role=$(tr '\0' '\n' <"/proc/$_p/cmdline" | sed -n '/^-P$/{n;p;}; s/^-P\(..*\)/\1/p')
		read -r _stat <"/proc/$_p/stat"
		# shellcheck disable=SC2086
		set -- ${_stat##*) }
		_rss=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$_p/status")
		echo "${_role:-parent} $((${12} + ${13})) $_rss"
	done
}

users_make
host_make gen
host_make target
link gen out 192.0.2.1/24 target in 192.0.2.2/24
route target 10.64.0.0/14 192.0.2.1
settle gen
settle target
on gen ip route add local 10.64.0.0/14 dev lo
confs
floor1=$("$OBJ/regress/bench/bench_floor") || fail "no floor"
# not iked_start, which waits 20 s: with thousands of tunnels this takes longer here
now
started=$NOW
rm -f "$OUT/target/iked.log"	# of a run before
spawn target "$OUT/target/iked.log" "$BIN/iked" -d -f "$W/target/iked.conf"
wait_for 600 grep -q ' ready: ' "$OUT/target/iked.log" || fail "iked is not ready"
now
ready=$((NOW - started))
sleep 1
account >"$W/before"
spawn gen "$W/load" "$OBJ/regress/bench/bench_load" -t 1800 -f "$W/load.conf"
load=$SPAWNED
wait_for 1860 grep -q '^up ' "$W/load" || fail "no answer from bench_load"
sleep 3
account >"$W/after"
floor2=$("$OBJ/regress/bench/bench_floor") || fail "no floor"
up=$(sed -n 's/^up \([0-9]*\) of.*/\1/p' "$W/load")
sas=$(on target ip xfrm state count | sed -n 's/.*SAD count \([0-9]*\).*/\1/p')
echo "all processes, kernel $(uname -r) ($KERNEL_KIND): $(cat "$W/load"); ESP SAs in the kernel: $sas"
[ "$up" = "$COUNT" ] || fail "$up of $COUNT came up"
echo "  start: $COUNT tunnels read, checked and trapped in $ready ms; CPU until then, and RSS (an empty process is in it):"
hz=$(getconf CLK_TCK)
awk -v n="$up" -v hz="$hz" -v f1="$floor1" -v f2="$floor2" '
NR == FNR {
	cpu[$1] += $2; rss[$1] += $3
	printf "  %-8s %7.0f us CPU a tunnel, %7.0f bytes a tunnel\n", $1,
	    $2 * 1e6 / hz / n, $3 * 1024 / n
	tc += $2 * 1e6 / hz / n; tm += $3 * 1024 / n
	next
}
FNR == 1 {
	printf "  %-8s %7.0f us CPU a tunnel, %7.0f bytes a tunnel\n", "all", tc, tm
	tc = tm = 0
	print "  from then on:"
}
{
	c = ($2 - cpu[$1]) * 1e6 / hz / n; m = ($3 - rss[$1]) * 1024 / n
	printf "  %-8s %7.0f us CPU a handshake, %6.0f bytes a tunnel (RSS %d -> %d kB)\n",
	    $1, c, m, rss[$1], $3
	tc += c; tm += m
}
END {
	printf "  %-8s %7.0f us CPU a handshake, %6.0f bytes a tunnel\n", "all", tc, tm
	printf "  X25519 keygen + derive, same boot: %.1f us before, %.1f after: %.1f %% of a handshake\n",
	    f1, f2, 50 * (f1 + f2) / tc
}' "$W/before" "$W/after"
kill $load
site_end
