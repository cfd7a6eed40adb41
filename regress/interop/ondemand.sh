# SPDX-License-Identifier: ISC
#
# On demand, measured: RUNS times (10) the tunnel is taken down and alice pings every
# 10 ms; from the first probe to the first reply, as a capture on alice's own wire
# saw them.  First ikeep on both sides, then strongSwan's trap in the same boot.

set -u
. "$TOP/regress/kernel/lib.sh"
. "$TOP/regress/demo/site.sh"
. "$TOP/regress/interop/peers.sh"
RUNS=${RUNS:-10}

fail() {
	echo "FAILED: $*"
	site_end
	exit 1
}
# each WHO: first probe and first reply of every ping (told apart by its id)
each() {
	cap_lines "$1" lan icmp | awk -v who="$1" '
	{ for (i = 1; i < NF; i++) if ($i == "id") id = $(i + 1) }
	/echo request/ && !(id in q) { q[id] = $1; order[++n] = id }
	/echo request/ && !(id in a) { lost[id]++ }
	/echo reply/ && !(id in a) { a[id] = $1 }
	END {
		printf "%s:", who
		for (i = 1; i <= n; i++) {
			id = order[i]
			if (!(id in a)) { printf " none"; bad = 1; continue }
			d = (a[id] - q[id]) * 1000
			printf " %.0f", d
			if (!m++ || d < min) min = d
			if (d > max) max = d
			sum += d
			l += lost[id] - 1
		}
		if (m)
			printf "  (ms; min %.0f, mean %.0f, max %.0f; %.1f probes lost)", \
			    min, sum / m, max, l / m
		print ""
		exit bad
	}'
}
# run TAG: one ping of alice's until 5 replies
run() {
	ping_start "$1" alice 10.1.0.10 10.2.0.10 0.01
	wait_for 20 ping_back "$1" 0 5
	ping_stop "$1"
}

users_make
site_make || fail "the network cannot be made"
seattle_conf $KEY
boise_conf $KEY
iked_start boise && iked_start seattle || fail "iked does not start"
cap_start ikeep alice lan || fail "no capture"
n=0
while [ $n -lt "$RUNS" ]; do
	n=$((n + 1))
	run ikeep.$n
	tunnel_down
done
cap_stop ikeep >/dev/null
prog_stop IKED seattle
prog_stop IKED boise
for h in seattle boise; do
	on $h ip xfrm policy flush
	on $h ip xfrm state flush
done

swan_site seattle seattle aes256gcm16-prfsha256-x25519 aes256gcm16 trap
swan_site boise boise aes256gcm16-prfsha256-x25519 aes256gcm16 trap
swan_start boise && swan_start seattle || fail "strongSwan does not start"
cap_start strongSwan alice lan || fail "no capture"
n=0
while [ $n -lt "$RUNS" ]; do
	n=$((n + 1))
	run swan.$n
	swan seattle --terminate --ike site >/dev/null 2>&1
	wait_for 10 no_sa || fail "strongSwan keeps its SAs"
done
cap_stop strongSwan >/dev/null
echo "first probe to first reply, probes 10 ms apart, $RUNS runs, kernel $(uname -r) ($KERNEL_KIND)"
each ikeep
s=$?
each strongSwan
site_end
exit $s
