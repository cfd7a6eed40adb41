# SPDX-License-Identifier: ISC
#
# The outages of the demo's step 5, RUNS times (10) each: Boise killed and started
# again with netwatchd on Seattle, without it, and only Boise's ike process killed.
# Pings every 50 ms; the longest silence is the outage.

set -u
. "$TOP/regress/kernel/lib.sh"
. "$TOP/regress/demo/site.sh"
RUNS=${RUNS:-10}

fail() {
	echo "FAILED: $*"
	tail -n 20 "$OUT/seattle/iked.log" "$OUT/boise/iked.log"
	site_end
	exit 1
}
# kind NAME HOW
kind() {
	n=0 list=
	while [ $n -lt "$RUNS" ]; do
		n=$((n + 1))
		outage "$1.$n" "$2"
		list="$list $OUTAGE"
	done
	echo "$1:$list" | awk '{ for (i = 2; i <= NF; i++) {
		s += $i; if (i == 2 || $i < lo) lo = $i; if ($i > hi) hi = $i }
	    print $0 "  (ms; min " lo ", mean " int(s / (NF - 1)) ", max " hi ")" }'
}

users_make
site_make && site_masquerade || fail "the network cannot be made"
cap_start wan core toseattle toboise || fail "no capture"
seattle_conf $KEY
boise_conf $KEY
iked_start boise && iked_start seattle || fail "iked does not start"
on alice ping -n -q -c 10 -i 0.1 10.2.0.10 >/dev/null
netwatchd_start seattle
sleep 2
kind killed-with-netwatchd slay_and_start
prog_stop NETWATCHD seattle
kind killed-without-netwatchd slay_and_start
kind ike-process-killed slay_ike
echo "clear packets between the LANs: $(cap_count wan "$CLEAR"); capture drops: $(cap_stop wan)"
site_end
