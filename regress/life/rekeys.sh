# SPDX-License-Identifier: ISC
#
# Rekeys under a steady flow both ways: ikeep on both ends, by command from either side
# and now and then from both at once; then against strongSwan, from either side; then
# against OpenIKED, which has no command for it: short lifetimes.
# CHILDREN, IKES and RATE choose how many (1000, 100) and packets a second (1000).

set -u
PART=rekeys
. "$TOP/regress/life/life.subr"
CASES=${CASES:-$(n "ikeep swan openiked" "ikeep swan")}

rekeys() { ctl "$1" show stats -j | field rekeys; }
# Our own count of rekeys, of both kinds and roles
rekeyed() { [ "$(($(rekeys seattle) - BASE))" -ge "$1" ]; }
up_first() {
	on alice ping -n -q -c 20 -i 0.1 -w 20 $BOB >/dev/null
	wait_for 20 one_each || fail "no tunnel: $(left)"
}
# What this machine carries without any rekey
rate() {
	for RATE in ${RATE:-1000 500 250 100}; do
		flow_start still "$RATE"
		sleep 7
		flow_stop still
		[ "$LOST" != 0 ] || return 0
	done
}
# errors GW: what its IPsec has dropped since it was made, by reason
errors() {
	on "$1" awk -v g="$1" '$2 > 0 { s = s " " g " " $1 " " $2 } END { printf "%s", s }' \
	    /proc/net/xfrm_stat
}
# settled: and LEFT is what there is.  Where LINGERS, the peer goes on with a rekey each few
# seconds: Seattle may hear the SA of before for that long.
settled() {
	LEFT=$(left)
	[ "$LEFT" = "1/2 1/2" ] || { [ -n "${LINGERS:-}" ] && [ "$LEFT" = "1/3 1/2" ]; }
}
# verdict COUNT WANTED WHAT
verdict() {
	wait_for 30 settled
	_settled=$? _left=$LEFT
	clear_end
	# where they went, if the kernels know
	[ "$LOST" = 0 ] || FLOW_SAYS="$FLOW_SAYS ($(errors seattle)$(errors boise))"
	_f="$1 of $3 in $SECS s at $RATE packets/s each way: $FLOW_SAYS; clear: $CLEARED; IKE/ESP SAs in the end: $_left"
	if [ "$CLEARED" != 0 ] || [ "$DROPS" != 0 ] || [ $_settled != 0 ] || [ "$1" -lt "$2" ]; then
		row FAILED "$_f; capture drops $DROPS"
	else
		row ok "$_f"
	fi
}

# ours SIDE [ike]: our command there
ours() {
	_s=$1
	shift
	ctl "$_s" rekey "$@" "$(other "$_s")" 2>>"$OUT/$_s/rekey.err"
}
its() {
	swan boise --rekey "--$1" "$2" >>"$OUT/boise/rekey.txt" 2>&1
}
# drive COUNT HOW...: HOW is called with 0, 1, 2... until that many rekeys are counted
drive() {
	_want=$1
	shift
	BASE=$(rekeys seattle)
	now
	_t0=$NOW _i=0
	until rekeyed "$_want"; do
		_j=0
		while [ $_j -lt 10 ] && [ $((_i)) -lt $((_want * 8)) ]; do
			"$@" $_i
			sleep "${PAUSE:-0.1}"
			_i=$((_i + 1)) _j=$((_j + 1))
		done
		[ $_j -gt 0 ] || break
		now
		[ $((NOW - _t0)) -lt 1500000 ] || break
	done
	wait_for 5 rekeyed "$_want"
	now
	SECS=$(((NOW - _t0) / 1000))
	COUNT=$(($(rekeys seattle) - BASE))
}
# From the one, from the other, every tenth time from both at once
by_turns() {
	case $(($2 % 10)) in
	9)	ours seattle $1 &
		_bg=$!
		ours boise $1
		wait $_bg ;;
	[02468]) ours seattle $1 ;;
	*)	ours boise $1 ;;
	esac
}
children() { by_turns "" "$1"; }
ikes() { by_turns ike "$1"; }
swan_children() { [ $(($1 % 2)) = 0 ] && ours seattle || its child net; }
swan_ikes() { [ $(($1 % 2)) = 0 ] && ours seattle ike || its ike site; }

# under_flow COUNT WHAT HOW
under_flow() {
	clear_start
	flow_start "$2" "$RATE"
	sleep 3
	drive "$1" "$3"
	sleep 4
	flow_stop "$2"
	verdict "$COUNT" "$1" "$4"
}

case_ikeep() {
	gw_conf seattle ikeep ondemand
	gw_conf boise ikeep ondemand
	gw_start boise
	gw_start seattle
	up_first
	rate
	_n=${CHILDREN:-$(n 1000 50)}
	CASE="ikeep with ikeep, Child rekeys"
	under_flow "$_n" children children "$_n"
	_n=${IKES:-$(n 100 10)}
	# a peer may ask for 16 a minute (rekey_ike.c)
	PAUSE=$(n 4 0.3)
	CASE="ikeep with ikeep, IKE rekeys"
	under_flow "$_n" ikes ikes "$_n"
	PAUSE=
}
case_swan() {
	gw_conf seattle ikeep ondemand
	gw_conf boise swan ondemand
	gw_start boise
	gw_start seattle
	up_first
	rate
	PAUSE=0.3
	_n=${CHILDREN:-$(n 100 10)}
	CASE="ikeep with strongSwan, Child rekeys by turns"
	under_flow "$_n" swanchildren swan_children "$_n"
	_n=${IKES:-$(n 20 4)}
	CASE="ikeep with strongSwan, IKE rekeys by turns"
	under_flow "$_n" swanikes swan_ikes "$_n"
	PAUSE=
}
nothing() { :; }
case_openiked() {
	_n=${CHILDREN:-$(n 100 10)}
	gw_conf seattle ikeep ondemand
	gw_conf boise openiked passive "lifetime 4"
	cat >>"$W/boise/openiked.in" </dev/null
	gw_start boise
	sed 's/psk "my_secret"/dstid "'"$(hostname)"'" &/' "$W/seattle/iked.conf" >"$W/seattle/c" &&
	    conf_write seattle <"$W/seattle/c"
	gw_start seattle
	up_first
	rate
	PAUSE=0.5 LINGERS=1
	CASE="ikeep with OpenIKED, Child rekeys by its lifetime and our command"
	under_flow "$_n" oichildren oi_children "$_n"
	CASE="ikeep with OpenIKED, IKE rekeys by our command"
	_n=${IKES:-$(n 20 4)}
	under_flow "$_n" oiikes oi_ikes "$_n"
	PAUSE= LINGERS=
}
oi_children() { [ $(($1 % 8)) != 0 ] || ours seattle; }
oi_ikes() { [ $(($1 % 2)) != 0 ] || ours seattle ike; }

begin
for _case in $CASES; do
	CASE=$_case
	case_"$_case"
	gw_stop seattle
	gw_stop boise
done
end_part
