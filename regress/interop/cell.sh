# SPDX-License-Identifier: ISC
#
# One cell of make interop, in a kernel of its own: cell.sh NAME.  ikeep is on
# seattle, the peer on boise.  The tunnel comes up from the side NAME says, each
# side then rekeys the Child SA, pings run all the time, and the router's capture
# counts the ESP packets of every SPI.  The verdict goes to OUT/result:
# name, verdict, then the counts.

set -u
. "$TOP/regress/kernel/lib.sh"
. "$TOP/regress/interop/peers.sh"
NAME=$1
PEER=${NAME%%-*} ROLE=${NAME##*-}
CASE=${NAME#*-}
CASE=${CASE%-*}
FIRST=- OURS=- THEIRS=- LOST=- CLEARED=- DROPS=-

# verdict WORD [WHY]
verdict() {
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$NAME" "$1" "$FIRST" "$OURS" "$THEIRS" \
	    "$LOST" "$CLEARED" "${2-}" >"$OUT/result"
}
fail() {
	verdict FAILED "$*"
	echo "$NAME: $*"
	ctl seattle show >"$OUT/seattle/show.txt" 2>&1
	on seattle ip -s xfrm state >"$OUT/seattle/xfrm.txt" 2>&1
	on seattle ip xfrm policy >>"$OUT/seattle/xfrm.txt" 2>&1
	on boise ip -s xfrm state >"$OUT/boise/xfrm.txt" 2>&1
	[ "$PEER" != swan ] || swan boise --list-sas >"$OUT/boise/list-sas.txt" 2>&1
	site_end
	exit 1
}

# ---- the cases: our proposals, the peer's -------------------------------

IKESA= CHILDSA= SWAN_CONN= SWAN_CHILD= PFS=
DSTID=
case $CASE in
default)
	SWAN_IKE=default SWAN_ESP=default ;;
gcm)	IKESA="ikesa enc aes-256-gcm prf hmac-sha2-256 group curve25519"
	CHILDSA="childsa enc aes-256-gcm group curve25519"
	SWAN_IKE=aes256gcm16-prfsha256-x25519 SWAN_ESP=aes256gcm16-x25519
	PFS=CURVE_25519 ;;
cbc)	IKESA="ikesa auth hmac-sha2-256 enc aes-256 prf hmac-sha2-256 group modp2048"
	CHILDSA="childsa auth hmac-sha2-256 enc aes-256 group modp2048"
	SWAN_IKE=aes256-sha256-modp2048 SWAN_ESP=aes256-sha256-modp2048
	PFS=MODP_2048 ;;
pfkey)	IKED_FLAGS="-o backend=pfkey"
	IKESA="ikesa auth hmac-sha2-512 enc aes-256 prf hmac-sha2-512 group ecp256"
	CHILDSA="childsa auth hmac-sha2-512 enc aes-256 group ecp256"
	SWAN_IKE=aes256-sha512-ecp256 SWAN_ESP=aes256-sha512-ecp256
	PFS=ECP_256 ;;
ros7)	# What RouterOS 7 proposes when nobody touched its profile and proposal;
	# ids are addresses, 30 minutes, dead peer detection each 8 s.
	IKESA="ikesa auth hmac-sha1 enc aes-128 prf hmac-sha1 group modp2048"
	CHILDSA="childsa auth hmac-sha1 enc aes-256 group modp1024"
	SWAN_IKE=aes128-sha1-modp2048,aes128-sha1-modp1024,3des-sha1-modp2048,3des-sha1-modp1024
	SWAN_ESP=aes256-sha1-modp1024,aes192-sha1-modp1024,aes128-sha1-modp1024
	SWAN_CONN="dpd_delay = 8s
		rekey_time = 86400s"
	SWAN_CHILD="rekey_time = 1440s
					life_time = 1800s
					rand_time = 120s"
	PFS=MODP_1024 ;;
defaults)
	# OpenIKED says its host name unless told otherwise
	DSTID="dstid \"$(hostname)\"" ;;
*)	echo "$NAME: no such case" >&2; exit 2 ;;
esac
case $ROLE in
initiator)	MODE=ondemand START=none PINGER=alice PINGED=10.2.0.10 FROM=10.1.0.10 ;;
responder)	MODE=passive START=trap PINGER=bob PINGED=10.1.0.10 FROM=10.2.0.10 ;;
esac

# ---- the SAs ------------------------------------------------------------

SPIS=
# new_sa: our SA has other SPIs than before; SPIS gets them, "in,out" a word
new_sa() {
	tunnel_is seattle up || return 1
	_in=$(tunnel_field seattle spi_in) _out=$(tunnel_field seattle spi_out)
	[ -n "$_in" ] && [ "$_in" != 0x00000000 ] || return 1
	case " $SPIS " in
	*" $_in,$_out "*) return 1 ;;
	esac
}
# generation SECONDS WHAT: waits for other SPIs, then for pings over them
generation() {
	wait_for "$1" new_sa || fail "$2: no new SAs within $1 s"
	SPIS="$SPIS $_in,$_out"
	stamp gen
	wait_for 15 ping_back traffic "$(stamp_ms gen)" 20 || fail "$2: pings are not answered"
}
# packets SPI-PAIR: "out/in" in the capture
packets() {
	awk -v i="${1%,*}" -v o="${1#*,}" '$2 == o { no += $1 } $2 == i { ni += $1 }
	    END { printf "%d/%d\n", no, ni }' "$W/spis"
}
both() { [ "${1%/*}" -gt 0 ] && [ "${1#*/}" -gt 0 ]; }
pfs_seen() {
	[ -z "$PFS" ] || swan boise --list-sas 2>/dev/null |
	    grep "INSTALLED.*$PFS" >/dev/null
}
old_gone() { [ "$(sa_count seattle)" = 2 ] && [ "$(sa_count boise)" = 2 ]; }

# ---- the story ----------------------------------------------------------

users_make
site_make || fail "the network cannot be made"
conf_write seattle <<CONF
ikev2 "boise" $MODE tunnel esp \\
	from $LAN_SEATTLE to $LAN_BOISE \\
	local $WAN_SEATTLE peer $WAN_BOISE \\
	$IKESA \\
	$CHILDSA \\
	$DSTID \\
	psk "my_secret"
CONF
cap_start wan core toseattle toboise || fail "no capture"
case $PEER in
swan)	swan_site boise boise "$SWAN_IKE" "$SWAN_ESP" $START "$SWAN_CONN" "$SWAN_CHILD" ;;
esac
[ $ROLE = responder ] && { iked_start seattle || fail "iked does not start"; }
case $PEER in
swan)	swan_start boise || fail "strongSwan does not start" ;;
openiked)
	# Its own defaults in everything a default exists for.  It lets clear
	# packets out until its SAs are there, so pings wait for them.
	openiked_start boise <<-CONF || fail "OpenIKED does not start"
	ikev2 "seattle" $([ $ROLE = initiator ] && echo passive || echo active) esp \\
		from $LAN_BOISE to $LAN_SEATTLE \\
		local $WAN_BOISE peer $WAN_SEATTLE \\
		psk "my_secret"
	CONF
esac
[ $ROLE = initiator ] && { iked_start seattle || fail "iked does not start"; }
[ $PEER != openiked ] || [ $ROLE != responder ] || wait_for 30 new_sa ||
    fail "no tunnel within 30 s"

ping_start traffic $PINGER $FROM $PINGED 0.05
generation 30 "start"
_side=$(ctl seattle show peers -j | field side | head -n 1)
[ "$_side" = $ROLE ] || fail "ikeep is the $_side, not the $ROLE"
stamp up

ctl seattle rekey boise || fail "ipsecctl rekey"
generation 20 "our rekey"
pfs_seen || fail "our rekey: strongSwan does not show $PFS"
if [ $PEER = swan ]; then
	swan boise --rekey --child net >"$OUT/boise/rekey.txt" 2>&1 || fail "swanctl --rekey"
	generation 20 "its rekey"
	pfs_seen || fail "its rekey: strongSwan does not show $PFS"
fi
wait_for 20 old_gone || fail "old SAs are left: seattle $(sa_count seattle), boise $(sa_count boise)"
ping_stop traffic

cap_spis wan toseattle $WAN_SEATTLE >"$W/spis"
cap_spis wan toseattle $WAN_BOISE >>"$W/spis"
cp "$W/spis" "$OUT/spis"
CLEARED=$(cap_count wan "$CLEAR")
DROPS=$(cap_stop wan)
# Pings lost once the tunnel was up: gaps in the numbers of the answers
LOST=$(awk -v from="$(stamp_ms up)" -F '[][ =]' '/ bytes from / && $2 * 1000 > from {
	for (i = 1; i < NF; i++) if ($i == "icmp_seq") s = $(i + 1)
	if (last) lost += s - last - 1
	last = s
} END { print lost + 0 }' "$W/ping.traffic")
set -- $SPIS
FIRST=$(packets "$1")
OURS=$(packets "$2")
both "$FIRST" || fail "first SAs: $FIRST packets"
both "$OURS" || fail "after our rekey: $OURS packets"
if [ $PEER = swan ]; then
	THEIRS=$(packets "$3")
	both "$THEIRS" || fail "after its rekey: $THEIRS packets"
fi
[ "$DROPS" = 0 ] || fail "the capture dropped $DROPS packets"
[ "$CLEARED" = 0 ] || fail "$CLEARED clear packets"
verdict ok
site_end
