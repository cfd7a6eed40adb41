# SPDX-License-Identifier: ISC
#
# Seattle and Boise: their files, the tunnel down, Boise's deaths.  For the demo
# and for the measurements that repeat its steps.  Needs lib.sh, and a function
# fail that does not return.

KEY=my_secret OTHER=my_great_secret

# Both files; the article's addresses and secrets.
seattle_conf() {
	conf_write seattle <<-CONF
	# Seattle
	ikev2 "boise" ondemand tunnel esp \\
		from $LAN_SEATTLE to $LAN_BOISE \\
		local $WAN_SEATTLE peer $WAN_BOISE \\
		psk "$1" keepalive
	CONF
}
boise_conf() {
	conf_write boise <<-CONF
	# Boise
	ikev2 "seattle" passive tunnel esp \\
		from $LAN_BOISE to $LAN_SEATTLE \\
		local $WAN_BOISE peer $WAN_SEATTLE \\
		psk "$1"
	CONF
}

# Seattle's tunnel down, and no ESP SA left on either side
tunnel_down() {
	ctl seattle down boise || fail "ipsecctl down boise"
	wait_for 10 no_sa || fail "SAs are still there 10 s after down:" \
	    "seattle $(sa_count seattle), boise $(sa_count boise)"
}
no_sa() { [ "$(sa_count seattle)" = 0 ] && [ "$(sa_count boise)" = 0 ]; }
both_up() { tunnel_is seattle up && tunnel_is boise up; }

# The new life of Boise's tunnel: another SPI than before
boise_anew() {
	tunnel_is boise up && [ "$(tunnel_field boise spi_in)" != "$OLD_SPI" ]
}
# outage TAG HOW...: alice pings every 50 ms; HOW breaks Boise; OUTAGE in ms
outage() {
	_tag=$1
	shift
	ping_start "$_tag" alice 10.1.0.10 10.2.0.10 0.05
	wait_for 15 ping_back "$_tag" 0 10 || fail "$_tag: no replies even before"
	OLD_SPI=$(tunnel_field boise spi_in)
	_life=$(iked_pids seattle | sort | tr '\n' ' ')
	stamp "$_tag"
	_from=$(stamp_ms "$_tag")
	"$@"
	wait_for 60 boise_anew || {
		ping_stop "$_tag"
		fail "$_tag: no new tunnel within 60 s"
	}
	stamp back
	wait_for 15 ping_back "$_tag" "$(stamp_ms back)" 10 || fail "$_tag: new SAs, but no replies"
	ping_stop "$_tag"
	[ "$_life" = "$(iked_pids seattle | sort | tr '\n' ' ')" ] ||
	    fail "$_tag: iked on seattle was not left alone"
	OUTAGE=$(ping_gap "$_tag" "$_from")
}
slay_and_start() {
	iked_slay boise || fail "iked on boise does not die"
	iked_start boise || fail "iked on boise does not start again"
}
slay_ike() {
	_p=$(iked_role_pid boise ike)
	[ -n "$_p" ] || fail "boise has no ike process"
	kill -KILL "$_p"
	wait_for 15 ike_anew "$_p" || fail "boise's ike process was not started again"
}
ike_anew() {
	_n=$(iked_role_pid boise ike)
	[ -n "$_n" ] && [ "$_n" != "$1" ]
}
