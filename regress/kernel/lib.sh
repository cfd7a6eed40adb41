# SPDX-License-Identifier: ISC
#
# What the tests on a real kernel share: hosts made of network namespaces,
# captures that count, and our programs started and stopped in them.  Sourced
# by scripts that uml.sh runs; needs OUT (results) and BIN (our programs).
#
# The network of the article:
#
#	alice --- seattle --------- core --------- boise --- bob
#	10.1.0.10    |  192.0.2.1    |  198.51.100.1  |  10.2.0.10
#	       10.1.0.1              |             10.2.0.1
#	                        203.0.113.1 ("the Internet")
#
# core knows the way to both LANs, so a packet that escapes the tunnel is
# delivered, and seen, rather than lost by luck.

W=$(mktemp -d "${TMPDIR:-/tmp}/ikeep.XXXXXX") || exit 1
HOSTS=
WAN_SEATTLE=192.0.2.1 LAN_SEATTLE=10.1.0.0/24
WAN_BOISE=198.51.100.1 LAN_BOISE=10.2.0.0/24
# What must never be seen on core in clear: anything from LAN to LAN.
CLEAR="(src net $LAN_SEATTLE and dst net $LAN_BOISE) or (src net $LAN_BOISE and dst net $LAN_SEATTLE)"

# ---- time ----------------------------------------------------------------
# In user-mode Linux a process costs tens of milliseconds: clocks are read
# without one.

# now: NOW = milliseconds since boot, in steps of 10
now() {
	read -r NOW _ </proc/uptime
	NOW=${NOW%.*}${NOW#*.}0
}
# stamp NAME: remembers this moment; stamp_ms NAME: it, in ms since 1970, the
# clock of ping -D and of captures
stamp() { : >"$W/stamp.$1"; }
stamp_ms() { date -r "$W/stamp.$1" +%s%3N; }

# wait_for SECONDS COMMAND... : until it succeeds.  The pauses are three times as long as a
# look takes: who waits is not to keep a processor from the guests beside it.
wait_for() {
	now
	_end=$((NOW + $1 * 1000)) _from=$NOW
	shift
	until "$@" >/dev/null 2>&1; do
		now
		[ "$NOW" -lt $_end ] || return 1
		_pause=$(((NOW - _from) * 3))
		[ $_pause -ge 20 ] || _pause=20
		[ $_pause -le 500 ] || _pause=500
		sleep 0.$((_pause / 100))$((_pause / 10 % 10))
		now
		_from=$NOW
	done
}

# ---- users ---------------------------------------------------------------

# Bind-mounts a passwd and a group that have our users, and nothing else new.
users_make() {
	# both at once: a process a question would be a second of the guest's
	awk -F: -v OFS=: -v out="$W" '
	FILENAME ~ /group$/ { group[$1] = $3; print >(out "/group"); next }
	{ user[$1] = 1; print >(out "/passwd") }
	END {
		n = split("_iked _ikenet _ikekeys _ikekern _ikedns _netwatch", u, " ")
		for (i = 1; i <= n; i++) {
			if (!(u[i] in group)) {
				group[u[i]] = 61000 + i
				print u[i], "x", 61000 + i, "" >(out "/group")
			}
			if (!(u[i] in user))
				print u[i], "x", 61000 + i, group[u[i]], "ikeep", "/var/empty",
				    "/usr/sbin/nologin" >(out "/passwd")
		}
	}' /etc/group /etc/passwd
	chmod 644 "$W/passwd" "$W/group"
	mount --bind "$W/passwd" /etc/passwd
	mount --bind "$W/group" /etc/group
}

# ---- hosts ---------------------------------------------------------------

# host_make NAME: a network namespace, a mount namespace, a /run of its own.
# Their holder is a process that sleeps; "on" enters both.
host_make() {
	mkdir -p "$W/$1/run" "$OUT/$1"
	mkfifo "$W/$1/ready"
	# shellcheck disable=SC2016
	unshare -n -m --propagation private sh -c '
		mount --bind "$1/run" /run
		mount -t sysfs none /sys 2>/dev/null
		ip link set lo up
		echo $$ >"$1/ready"
		exec sleep 100000' sh "$W/$1" </dev/null >/dev/null 2>&1 &
	read -r _pid <"$W/$1/ready"
	eval "PID_$1=$_pid"
	HOSTS="$HOSTS $1"
}

# on HOST COMMAND...
on() {
	eval "_pid=\$PID_$1"
	shift
	nsenter -t "$_pid" -m -n -- "$@"
}

# spawn HOST LOG COMMAND... : in the background, standard output and error to
# LOG; SPAWNED is its process id (not that of a shell around it)
spawn() {
	eval "_pid=\$PID_$1"
	_log=$2
	shift 2
	nsenter -t "$_pid" -m -n -- "$@" </dev/null >>"$_log" 2>&1 &
	SPAWNED=$!
}

# link HOST IF ADDRESS/LEN HOST IF [ADDRESS/LEN]
link() {
	eval "ip link add '$2' netns \$PID_$1 type veth peer name '$5' netns \$PID_$4"
	printf 'addr add %s dev %s\nlink set %s up\n' "$3" "$2" "$2" >>"$W/$1/ip"
	[ -z "${6-}" ] || echo "addr add $6 dev $5" >>"$W/$4/ip"
	echo "link set $5 up" >>"$W/$4/ip"
}
# cable HOST IF DEVICE: all that comes in by the one goes out by the other
cable() {
	eval "ip link set '$3' netns \$PID_$1"
	echo "link add of$3 type bridge" >>"$W/$1/ip"
	printf 'link set %s master of'"$3"' up\n' "$2" "$3" >>"$W/$1/ip"
	echo "link set of$3 up" >>"$W/$1/ip"
}
route() { printf 'route add %s via %s\n' "$2" "$3" >>"$W/$1/ip"; }

# settle HOST [forward]: does what link and route asked for.  A gateway
# forwards, and leaves undone what a gateway with IPsec should not do.
settle() {
	# shellcheck disable=SC2016
	on "$1" sh -c '
		if [ "$2" = forward ]; then
			echo 1 >/proc/sys/net/ipv4/ip_forward
			for f in /proc/sys/net/ipv4/conf/*/rp_filter \
			    /proc/sys/net/ipv4/conf/*/send_redirects; do
				echo 0 >"$f"
			done
		fi
		exec ip -batch "$1"' sh "$W/$1/ip" "${2-}"
}

# The article's network.  With the router outside (uml.sh -R) core is no more than the
# cables to it, and what sees all that passes there.
site_make() {
	for _h in alice seattle core boise bob; do
		host_make $_h
	done
	link alice lan 10.1.0.10/24 seattle lan 10.1.0.1/24
	link bob lan 10.2.0.10/24 boise lan 10.2.0.1/24
	if [ -n "${ROUTER-}" ]; then
		link seattle wan $WAN_SEATTLE/24 core toseattle
		link boise wan $WAN_BOISE/24 core toboise
		cable core toseattle vec0
		cable core toboise vec1
	else
		link seattle wan $WAN_SEATTLE/24 core toseattle 192.0.2.254/24
		link boise wan $WAN_BOISE/24 core toboise 198.51.100.254/24
		echo "addr add 203.0.113.1/32 dev lo" >>"$W/core/ip"
		route core $LAN_SEATTLE $WAN_SEATTLE
		route core $LAN_BOISE $WAN_BOISE
	fi
	route alice default 10.1.0.1
	route bob default 10.2.0.1
	route seattle default 192.0.2.254
	route boise default 198.51.100.254
	settle alice && settle bob && settle seattle forward &&
	    settle boise forward && settle core forward
}

# router WORDS...: tells the router what it is to do about NAT (router.sh); BY is what it
# has done it by
router() {
	if [ -n "${ROUTER-}" ]; then
		{ echo "$@" >&3 && read -r _said BY <&3; } 3<>/dev/tty2
	else
		# shellcheck disable=SC2046
		set -- $(on core sh "$TOP/regress/kernel/router.sh" "$@")
		_said=$1 BY=${2-}
	fi
	[ "$_said" = ok ]
}

# Seattle masquerades, as offices do, with the exemption that keeps it off what
# the tunnel is to carry.  By nftables, or by iptables on a kernel without them
# (Debian's user-mode-linux); NAT_BY says which.
site_masquerade() {
	if on seattle nft -f - 2>/dev/null <<-RULES
	table ip nat {
		chain postrouting {
			type nat hook postrouting priority 100;
			oifname "wan" ip daddr $LAN_BOISE accept
			oifname "wan" masquerade
		}
	}
	RULES
	then
		NAT_BY=nftables
		return 0
	fi
	for _m in ip_tables iptable_nat xt_MASQUERADE; do
		modprobe -q -d /run/m $_m 2>/dev/null
	done
	# shellcheck disable=SC2016
	on seattle sh -c '
		iptables-legacy -t nat -A POSTROUTING -o wan -d "$1" -j ACCEPT &&
		iptables-legacy -t nat -A POSTROUTING -o wan -j MASQUERADE' sh $LAN_BOISE &&
	    NAT_BY=iptables
}

# Kills what still runs in the hosts, holders too, by the namespaces' own lists.
site_end() {
	_holders=
	for _h in $HOSTS; do
		eval "_holders=\"\$_holders \$PID_$_h\""
	done
	find -L /proc/[0-9]*/ns/net -maxdepth 0 -printf '%i %p\n' 2>/dev/null |
	    awk -v holders="$_holders" '
	    { split($2, p, "/"); net[p[3]] = $1 }
	    END {
		n = split(holders, h, " ")
		for (i = 1; i <= n; i++)
			if (h[i] in net)
				ours[net[h[i]]] = 1
		for (i in net)
			if (net[i] in ours)
				print i
	    }' | xargs -r kill -KILL 2>/dev/null
	umount /etc/passwd /etc/group 2>/dev/null
	rm -rf "$W" 2>/dev/null
	:
}

# Every process in the network of HOST but its holder.
host_pids() {
	eval "_pid=\$PID_$1"
	find -L /proc/[0-9]*/ns/net -maxdepth 0 -samefile "/proc/$_pid/ns/net" 2>/dev/null |
	    sed "s,/proc/,,; s,/.*,,; /^$_pid\$/d"
}

# ---- captures ------------------------------------------------------------

MARK=224.0.0.1
# cap_start TAG HOST IF... : one tcpdump an interface; returns when they listen.
# CAP_FILTER, where much passes: what alone is to be captured.
cap_start() {
	_tag=$1 _host=$2
	shift 2
	mkdir -p "$W/cap.$_tag"
	echo "$_host" >"$W/cap.$_tag/host"
	for _if; do
		_c=$W/cap.$_tag/$_if
		spawn "$_host" "$_c.err" tcpdump -p -n -s 200 -B 8192 -U \
		    --immediate-mode -Z root -i "$_if" -w "$_c" \
		    ${CAP_FILTER:+"dst host $MARK or $CAP_FILTER"}
		echo $SPAWNED >>"$W/cap.$_tag/pids"
		wait_for 20 grep -q 'listening on' "$_c.err" || {
			echo "tcpdump on $_host $_if does not start: $(cat "$_c.err")" >&2
			return 1
		}
	done
}

# cap_sync TAG [IF...]: returns when a running capture has written down all that
# was there to be seen before this call.  A packet is on the wire before it is in
# the file, so a count without this is a guess.  The mark is a ping to all hosts
# (nobody answers) of a size not used before; readers never see it.
cap_sync() {
	_cap=$W/cap.$1
	shift
	[ -e "$_cap/pids" ] || return 0		# stopped: all is written
	[ $# -gt 0 ] || set -- $(cd "$_cap" && echo *.err | sed 's/\.err//g')
	# In a file: callers are subshells.
	_mark=$(($(cat "$_cap/mark" 2>/dev/null || echo 100) + 1))
	echo $_mark >"$_cap/mark"
	for _if; do
		on "$(cat "$_cap/host")" ping -n -q -c 1 -W 0.01 -t 1 -s $_mark -I "$_if" \
		    $MARK >/dev/null 2>&1
		wait_for 20 cap_marked "$_cap/$_if" $_mark || {
			echo "the capture on $_if has not seen its mark" >&2
			return 1
		}
	done
}
# cap_marked FILE SIZE
cap_marked() {
	tcpdump -n -r "$1" "dst host $MARK and ip[2:2] = $(($2 + 28))" 2>/dev/null | grep -q .
}

# cap_lines TAG IF FILTER: one line a packet, epoch seconds first
cap_lines() {
	cap_sync "$1" "$2" && cap_read "$@"
}
cap_read() {
	tcpdump -n -tt -r "$W/cap.$1/$2" "not dst host $MARK and ($3)" 2>/dev/null
}

# cap_count TAG FILTER: packets on all interfaces of the capture
cap_count() {
	_n=0
	cap_sync "$1" || return 1
	for _f in "$W/cap.$1"/*.err; do
		_f=${_f##*/}
		_n=$((_n + $(cap_read "$1" "${_f%.err}" "$2" | wc -l)))
	done
	echo $_n
}

# cap_stop TAG: ends it and prints how many packets it dropped.  A capture that
# does not say is no evidence: it counts as -1.
cap_stop() {
	cap_sync "$1" || echo "unsynced" >"$W/cap.$1/unsynced"
	xargs kill -TERM <"$W/cap.$1/pids" 2>/dev/null
	rm "$W/cap.$1/pids"
	_n=0
	for _f in "$W/cap.$1"/*.err; do
		wait_for 10 grep -q 'dropped by kernel' "$_f"
		_d=$(sed -n 's/^\([0-9]*\) packets* dropped by kernel.*/\1/p' "$_f")
		if [ -z "$_d" ] || [ -e "$W/cap.$1/unsynced" ]; then
			_n=-1
			break
		fi
		_n=$((_n + _d))
	done
	mkdir -p "$OUT/capture"
	for _f in "$W/cap.$1"/*.err; do
		cp "${_f%.err}" "$OUT/capture/$1.$(basename "$_f" .err).pcap"
	done
	echo $_n
}

# cap_spis TAG IF SRC: "count spi" a line, of the ESP packets SRC sent, plain or in UDP
cap_spis() {
	cap_lines "$1" "$2" "src host $3 and (esp or udp port 4500)" |
	    sed -n 's/.*ESP(spi=\(0x[0-9a-f]*\).*/\1/p' | sort | uniq -c
}

# ---- pings ---------------------------------------------------------------

# ping_start TAG HOST SOURCE TARGET INTERVAL: in the background, each reply stamped
ping_start() {
	# the replies of one before are none
	rm -f "$W/ping.$1"
	spawn "$2" "$W/ping.$1" ping -n -D -i "$5" -I "$3" "$4"
	echo "$SPAWNED" >"$W/ping.$1.pid"
}
ping_stop() {
	read -r _pid <"$W/ping.$1.pid"
	kill -INT "$_pid"
	wait "$_pid"
	cp "$W/ping.$1" "$OUT/ping.$1"
}
ping_replies() { grep -c ' bytes from ' "$W/ping.$1"; }
ping_sent() { sed -n 's/^\([0-9]*\) packets transmitted.*/\1/p' "$W/ping.$1"; }

# ping_gap TAG FROM_MS: the longest silence after that moment, in ms; empty when
# no reply came at the end of it, that is when traffic is not back
ping_gap() {
	awk -v from="$2" -F '[][]' '
	/ bytes from / {
		t = $2 * 1000
		if (last && t > from) {
			start = last
			if (t - start > gap)
				gap = t - start
			after = 1
		}
		last = t
	}
	END { if (after) printf "%d\n", gap }' "$W/ping.$1"
}
# ping_back TAG FROM_MS MIN: at least MIN replies came after that moment
ping_back() {
	[ "$(awk -v from="$2" -F '[][]' '/ bytes from / && $2 * 1000 > from { n++ }
	    END { print n + 0 }' "$W/ping.$1")" -ge "$3" ]
}

# ---- our programs --------------------------------------------------------

# A gateway's own iked.conf is $W/GW/iked.conf; log $OUT/GW/iked.log; socket
# /var/run/iked.sock in the gateway's own /run.
conf_write() {
	cat >"$W/$1/iked.conf"
	chmod 600 "$W/$1/iked.conf"
	cp "$W/$1/iked.conf" "$OUT/$1/iked.conf"
}

# iked_start GW [ARGS]: returns when its control socket answers and its traps stand
iked_start() {
	_gw=$1
	shift
	_ready=$(grep -c ' ready: ' "$OUT/$_gw/iked.log" 2>/dev/null)
	# shellcheck disable=SC2086
	spawn "$_gw" "$OUT/$_gw/iked.log" "$BIN/iked" -d -f "$W/$_gw/iked.conf" \
	    ${IKED_FLAGS-} "$@"
	eval "IKED_$_gw=$SPAWNED"
	wait_for 20 ctl "$_gw" show tunnels && wait_for 20 is_ready "$_gw" "${_ready:-0}" || {
		echo "iked on $_gw does not answer:" >&2
		tail -n 20 "$OUT/$_gw/iked.log" >&2
		return 1
	}
}
# Its traps stand, once more than that often.
is_ready() { [ "$(grep -c ' ready: ' "$OUT/$1/iked.log")" -gt "$2" ]; }

netwatchd_start() {
	spawn "$1" "$OUT/$1/netwatchd.log" "$BIN/netwatchd" -d -f "$W/$1/iked.conf"
	eval "NETWATCHD_$1=$SPAWNED"
}

# prog_stop PROGRAM GW [SIGNAL]: the parent, waiting for its end
prog_stop() {
	eval "_pid=\${$1_$2:-}"
	[ -n "$_pid" ] || return 0
	kill "-${3:-TERM}" "$_pid" 2>/dev/null
	wait "$_pid" 2>/dev/null
	eval "$1_$2="
}

# Every process of iked in that gateway, whatever its role
iked_pids() {
	for _p in $(host_pids "$1"); do
		echo "/proc/$_p/exe"
	done | xargs -r sh -c 'find "$@" -lname "$0" 2>/dev/null' "$BIN/iked" |
	    sed 's,/proc/,,; s,/.*,,'
}
# The process of one role, which is a word of its command line (-P ROLE)
iked_role_pid() {
	for _p in $(iked_pids "$1"); do
		echo "/proc/$_p/cmdline"
	done | xargs -r grep -slzx -e "$2" -e "-P$2" | sed 's,/proc/,,; s,/.*,,'
}
# iked_slay GW: SIGKILL to all of them at once; the kernel's SAs stay
iked_slay() {
	# shellcheck disable=SC2046
	kill -KILL $(iked_pids "$1")
	eval "wait \$IKED_$1" 2>/dev/null
	eval "IKED_$1="
	wait_for 5 no_iked "$1"
}
no_iked() { [ -z "$(iked_pids "$1")" ]; }

# ctl GW WORDS...: ipsecctl there
ctl() {
	_gw=$1
	shift
	on "$_gw" "$BIN/ipsecctl" "$@"
}

# field KEY: from JSON lines on stdin, the value of KEY of each
field() {
	sed -n 's/.*"'"$1"'":[ ]*"\{0,1\}\([^",}]*\).*/\1/p'
}
# tunnel_field GW KEY
tunnel_field() { ctl "$1" show tunnels -j 2>/dev/null | field "$2" | head -n 1; }
tunnel_is() { [ "$(tunnel_field "$1" state)" = "$2" ]; }
# ESP SAs in the kernel of HOST
sa_count() { on "$1" ip -s xfrm state | grep -c 'proto esp spi 0x[0-9a-f]*[1-9a-f]'; }
