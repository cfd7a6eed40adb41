# SPDX-License-Identifier: ISC
#
# Does netwatchd know what is wrong, and is the right thing done about it?  Each of its
# verdicts is provoked on a real kernel, with iked and netwatchd on both sides and alice
# pinging bob ten times a second:
#
# esp-in, esp-out	the way drops the packets of the SA that goes to Seattle, or of the
#			one that goes to Boise; not those of a new one
# wall-in, wall-out	it drops all ESP that way, for WALL seconds
# peer-sa		Boise's inbound SA is deleted from its kernel, which iked finds by itself
# keys-in, keys-out	at Boise the keys of one SA are replaced by others
# masquerade		source NAT takes alice's and the probes' packets before IPsec does: new
#			flows, for the kernel goes on with those that it knows (30 s)
# silent		Boise's gateway, which is the target, answers no more, while others'
#			packets pass, for SILENT s: nothing is to happen
# killed		at Boise all is killed, its SAs with it; started again after AWAY s
#
# On both sides nothing but `keepalive' stands in the configuration: one target, which is the
# other's gateway, ten seconds, no probes while packets pass.  Others are special:
#
# esp-in.two, esp-out.two	two targets a side, its gateway and a host, by INTERVAL (2 s)
# masquerade.alone	Boise watches nothing, Seattle by INTERVAL: there are no answers to
#			the other side's probes, which go by the tunnel
# silent.idle		nobody sends anything: TARGET_SILENT
# silent.always		others' packets pass, and netwatchd probes always: TARGET_SILENT
#
# For each: what netwatchd said on either side and how long that took, what
# was done, and how long nothing passed.  After its provocation each has LIMIT seconds.

set -u
PART=verdicts
. "$TOP/regress/life/life.subr"
CASES=${CASES:-$(n "esp-in esp-out wall-in wall-out peer-sa keys-in keys-out masquerade silent killed \
    esp-in.two esp-out.two masquerade.alone silent.idle silent.always" "esp-in esp-out keys-out silent")}
INTERVAL=${INTERVAL:-2}
LIMIT=${LIMIT:-$(n 40 25)}
WALL=15 AWAY=15
SILENT=$(n 60 20)

# ---- what netwatchd tells ----------------------------------------------------

# events GW: "MS KIND VERDICT REASON" a line, of what came after it was broken
events() {
	_e=$OUT/$1/events.$CASE_NAME
	field time <"$_e" | date -u -f - +%s%3N >"$W/e.ms"
	field event <"$_e" >"$W/e.kind"
	field verdict <"$_e" >"$W/e.verdict"
	field reason <"$_e" >"$W/e.why"
	paste -d ' ' "$W/e.ms" "$W/e.kind" "$W/e.verdict" "$W/e.why" |
	    awk -v from="$BROKEN" '$1 >= from { $1 -= from; print }'
}
# says GW: its verdicts and its actions, and when
says() {
	_s=$(events "$1" | awk '
	    $2 == "verdict" { printf "%s%s after %d ms", n++ ? ", " : "", $3, $1 }
	    $2 == "action" { sub(":", "", $4)
		printf "%s%s after %d ms", n++ ? ", " : "", $4, $1 }')
	echo "$1: ${_s:-no verdict}"
}
told() { for _g in seattle boise; do events $_g; done | grep -q "^[0-9]* verdict $1"; }
# What was done about it; an alarm is only said
actions() { for _g in seattle boise; do events $_g; done | grep -c '^[0-9]* action [A-Z_]* re'; }
shows() { ctl seattle show keepalive -j | field verdict | grep -Eqx "$1"; }
# shows_in SECONDS VERDICTS: show keepalive says one of them, asked again and again
shows_in() {
	for _i in $(seq $(($1 * 2))); do
		shows "$2" && SHOWN=yes && return
		sleep 0.5
	done
}
# until_s SECONDS: since it was broken
until_s() {
	_ms=$(($1 * 1000 - $(date +%s%3N) + BROKEN))
	[ $_ms -le 0 ] || sleep $((_ms / 1000)).$((_ms % 1000 / 100))
}

# ---- what is broken ----------------------------------------------------------

spi() { ctl "$1" show sa -j | field "$2" | tail -n 1; }
filters() {
	for _m in ip_tables iptable_filter iptable_nat xt_MASQUERADE xt_esp; do
		modprobe -q -d /run/m $_m 2>/dev/null
	done
	on core iptables-legacy -L FORWARD -n >/dev/null || fail "no packet filter"
}
# drop_to GW [SPI]; nothing is dropped any more: drop_end
drop_to() {
	_to=$1
	shift
	stamp broken
	on core iptables-legacy -A FORWARD -o "to$_to" -p esp \
	    ${1:+-m esp --espspi "$(($1))"} -j DROP || fail "cannot drop ESP"
}
drop_end() { on core iptables-legacy -F FORWARD; }
# rekeyed_wrong SRC DST: at Boise that SA gets another key and keeps its SPI
rekeyed_wrong() {
	on boise ip xfrm state list src "$1" dst "$2" proto esp >"$OUT/boise/was.$CASE_NAME"
	_spi=$(sed -n 's/.*proto esp spi \(0x[0-9a-f]*\) .*/\1/p' "$OUT/boise/was.$CASE_NAME" | tail -n 1)
	_req=$(sed -n 's/.*reqid \([0-9]*\).*/\1/p' "$OUT/boise/was.$CASE_NAME" | tail -n 1)
	_key=$(sed -n 's/.*rfc4106(gcm(aes)) \(0x[0-9a-f]*\) .*/\1/p' "$OUT/boise/was.$CASE_NAME" | tail -n 1)
	_new=$(echo "$_key" | tr 0123456789abcdef 123456789abcdef0 | sed 's/^1x/0x/')
	printf '%s\n%s\n' "xfrm state delete src $1 dst $2 proto esp spi $_spi" \
	    "xfrm state add src $1 dst $2 proto esp spi $_spi reqid $_req mode tunnel replay-window 64 aead rfc4106(gcm(aes)) $_new 128" \
	    >"$W/batch"
	stamp broken
	on boise ip -batch "$W/batch" || fail "cannot replace the keys"
}
break_esp_in() { drop_to seattle "$(spi seattle spi_in)"; }
break_esp_out() { drop_to boise "$(spi seattle spi_out)"; }
break_wall_in() { drop_to seattle; }
break_wall_out() { drop_to boise; }
break_peer_sa() {
	_spi=$(spi boise spi_in)
	stamp broken
	on boise ip xfrm state delete src $WAN_SEATTLE dst $WAN_BOISE proto esp \
	    spi "$_spi" || fail "cannot delete it"
}
break_keys_in() { rekeyed_wrong $WAN_BOISE $WAN_SEATTLE; }
break_keys_out() { rekeyed_wrong $WAN_SEATTLE $WAN_BOISE; }
break_masquerade() {
	stamp broken
	on seattle iptables-legacy -t nat -A POSTROUTING -o wan -j MASQUERADE ||
	    fail "no masquerade"
	ping_anew
}
ping_anew() {
	ping_stop "$CASE_NAME"
	ping_start "$CASE_NAME" alice $ALICE $BOB 0.1
}
break_silent() {
	stamp broken
	on boise sh -c 'echo 1 >/proc/sys/net/ipv4/icmp_echo_ignore_all'
}
break_killed() {
	stamp broken
	iked_slay boise
	on boise ip xfrm state flush
}

# ---- one case ------------------------------------------------------------------

# conf OF-SEATTLE OF-BOISE: what stands after keepalive
conf() {
	gw_conf boise ikeep ondemand "keepalive $2"
	gw_conf seattle ikeep ondemand "keepalive $1"
}
ka_up() { ctl "$1" show keepalive -j | field state | grep -qx up; }
begin_case() {
	WATCHERS="seattle boise"
	case $CASE_NAME in
	*.two)	conf "target 10.2.0.1, $BOB interval $INTERVAL" \
		    "target 10.1.0.1, $ALICE interval $INTERVAL" ;;
	*.alone)
		WATCHERS=seattle
		conf "interval $INTERVAL" "" ;;
	*.always)
		conf "pace always" "" ;;
	*)	conf "" "" ;;
	esac
	for _g in boise seattle; do
		: >"$OUT/$_g/events.$CASE_NAME"
		gw_start $_g
	done
	for _g in $WATCHERS; do
		netwatchd_start $_g
	done
	for _g in $WATCHERS; do
		wait_for 60 ka_up $_g || fail "$_g is not up"
		spawn $_g "$OUT/$_g/events.$CASE_NAME" "$BIN/ipsecctl" events -j
		eval "EVENTS_$_g=$SPAWNED"
	done
	ping_start "$CASE_NAME" alice $ALICE $BOB 0.1
	# traffic is known to pass, and nothing is so new as to be forgiven
	sleep 15
	# the probe's flow is to be forgotten, too
	case $CASE_NAME in masquerade*) sleep 20 ;; esac
}
end_case() {
	for _g in seattle boise; do
		prog_stop EVENTS $_g
		prog_stop NETWATCHD $_g
		gw_stop $_g
		[ -f "$OUT/$_g/netwatchd.log" ] || continue
		cp "$OUT/$_g/netwatchd.log" "$OUT/$_g/netwatchd.$CASE_NAME.log"
		: >"$OUT/$_g/netwatchd.log"
	done
}
# since STAMP SECONDS: it is back, ten replies of the last two seconds' worth
since() { wait_for "$2" ping_back "$CASE_NAME" "$(stamp_ms "$1")" 10; }
mend() {
	case $CASE_NAME in
	wall-*)	shows_in $WALL "DATA_DEAD|TARGET_SILENT"
		until_s $WALL
		stamp mended
		drop_end ;;
	killed)	shows_in $AWAY PEER_DEAD
		until_s $AWAY
		gw_start boise
		stamp mended ;;
	silent)	sleep "$SILENT"
		shows UP && SHOWN=yes
		stamp mended ;;
	silent.*)
		shows_in "$SILENT" TARGET_SILENT
		until_s "$SILENT"
		shows TARGET_SILENT || SHOWN=no
		stamp mended ;;
	masquerade*)
		shows_in "$LIMIT" LOCAL_MISS
		on seattle iptables-legacy -t nat -F POSTROUTING
		ping_anew
		stamp mended ;;
	*)	cp -p "$W/stamp.broken" "$W/stamp.mended"
		# mostly it is over too soon for show to be asked; the events have it
		SHOWN=yes ;;
	esac
}
# gap FROM MENDED: the longest silence after it, and from when it was mended to its end
gap() {
	awk -v from="$1" -v mended="$2" -F '[][]' '
	/ bytes from / {
		t = $2 * 1000
		if (last && t > from && t - last > gap) { gap = t - last; end = t }
		last = t
	}
	END { printf "%d %d\n", gap, (end > mended) ? end - mended : 0 }' "$W/ping.$CASE_NAME"
}
# wanted: what either side has to have said for the case to be in order; nothing where
# iked itself is sooner
wanted() {
	case $CASE_NAME in
	masquerade*) echo LOCAL_MISS ;;
	silent.*) echo TARGET_SILENT ;;
	killed)	echo PEER_DEAD ;;
	peer-sa|silent) ;;
	*)	echo DATA_DEAD ;;
	esac
}
run() {
	begin_case
	[ "$CASE_NAME" != silent.idle ] || {
		ping_stop "$CASE_NAME"
		sleep 5
	}
	"break_$(echo "${CASE_NAME%%.*}" | tr - _)"
	BROKEN=$(stamp_ms broken) SHOWN=no
	mend
	[ "$CASE_NAME" != silent.idle ] || ping_start "$CASE_NAME" alice $ALICE $BOB 0.1
	_back=no
	# what is lost at once is not yet missed
	sleep 1
	case $CASE_NAME in
	masquerade*|silent*) since mended 10 && _back=yes ;;
	*)	stamp from
		since from "$LIMIT" && _back=yes ;;
	esac
	sleep 2
	drop_end
	ping_stop "$CASE_NAME"
	on seattle iptables-legacy -t nat -F POSTROUTING
	on boise sh -c 'echo 0 >/proc/sys/net/ipv4/icmp_echo_ignore_all'
	_n=$(actions)
	# shellcheck disable=SC2046
	set -- $(gap "$BROKEN" "$(stamp_ms mended)")
	FIGURES="$(says seattle); $(says boise)"
	case $CASE_NAME in
	silent.idle|masquerade*) ;;
	*)	FIGURES="$FIGURES; longest silence $1 ms" ;;
	esac
	case $CASE_NAME in
	wall-*|killed) FIGURES="$FIGURES, its end $2 ms after it was mended" ;;
	esac
	VERDICT=ok
	[ $_back = yes ] || {
		FIGURES="$FIGURES; no traffic in the end"
		VERDICT=FAILED
	}
	end_case
	[ -z "$(wanted)" ] || told "$(wanted)" || VERDICT=FAILED
	[ $SHOWN = yes ] || {
		FIGURES="$FIGURES; show keepalive says otherwise"
		VERDICT=FAILED
	}
	case $CASE_NAME in
	silent*|masquerade*) [ "$_n" = 0 ] || VERDICT=FAILED ;;
	esac
}

begin
filters
on boise ip addr add 10.2.0.2/24 dev lan
for CASE_NAME in $CASES; do
	CASE=$CASE_NAME
	rm -f "$W"/stamp.*
	clear_start
	run
	clear_end
	FIGURES="$FIGURES; clear: $CLEARED"
	if [ "$CLEARED" = 0 ] && [ "$DROPS" = 0 ]; then
		row $VERDICT "$FIGURES"
	else
		row FAILED "$FIGURES, capture drops $DROPS"
	fi
done
end_part
