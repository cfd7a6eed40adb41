# SPDX-License-Identifier: ISC
#
# strongSwan of the system's package as the responder of the same peers, in the same
# run and namespaces: native.sh sources this when iked has been measured and has ended.
# shellcheck shell=sh
#
# Its kernel is swan/null_xfrm.c, which says yes to all at no cost, as that of bench_iked.
# (kernel-libipsec needs none either, but does ESP and its policies itself: that would be
# charged to the handshake.)  One connection with one secret takes all peers, where iked
# has a tunnel for each.  Two rows: the defaults of strongSwan; and tuned, with a hash
# table for many IKE SAs, no cookies, and a log of what comes and goes alone.

CHARON=${CHARON:-/usr/sbin/charon-systemd}

# swan_conf LOG-LEVEL MORE...
swan_conf() {
	level=$1
	shift
	cat >"$W/strongswan.conf" <<-CONF
	charon-systemd {
		install_routes = no
		install_virtual_ip = no
		$*
		plugins {
			vici {
				socket = unix://$W/vici
			}
			kernel-libipsec {
				load = no
			}
			load-tester {
				load = no
			}
		}
		journal {
			default = -1
		}
		filelog {
			stderr {
				default = $level
			}
		}
	}
	swanctl {
		plugins {
			vici {
				socket = unix://$W/vici
			}
		}
	}
	CONF
	mkdir -p "$W/swanctl"
	cat >"$W/swanctl/swanctl.conf" <<-CONF
	connections {
		all {
			version = 2
			local_addrs = 192.0.2.2
			remote_addrs = %any
			proposals = aes128gcm16-prfsha256-x25519
			local {
				auth = psk
				id = 192.0.2.2
			}
			remote {
				auth = psk
				id = %any
			}
			children {
				net {
					local_ts = 10.2.0.0/24
					remote_ts = 172.16.0.0/12
					esp_proposals = aes128gcm16-esn-noesn
				}
			}
		}
	}
	secrets {
		ike {
			secret = "Wz7mQ2xK9vLr4TbN8cHd"
		}
	}
	CONF
}

# swan_row NAME: in a shell of its own, whose failure is a row too
swan_row() (
	fail() {
		echo "  strongSwan, $name: not measured: $*"
		tail -q -n 3 "$W/load" "$W/charon.log" 2>/dev/null | sed 's/^/    /'
		kill ${load:-} ${charon:-} 2>/dev/null
		wait
		exit 1
	}
	name=$1 PERF= LIMIT=${SWAN_LIMIT:-120}
	rm -f "$W/vici" "$W/load"
	STRONGSWAN_CONF="$W/strongswan.conf" LD_PRELOAD="$W/null_xfrm.so" \
	    "$CHARON" >"$W/charon.log" 2>&1 &
	charon=$!
	i=0
	until [ -S "$W/vici" ]; do
		i=$((i + 1))
		[ $i -lt 200 ] && kill -0 $charon 2>/dev/null || fail "charon does not start"
		sleep 0.1
	done
	STRONGSWAN_CONF="$W/strongswan.conf" SWANCTL_DIR="$W/swanctl" \
	    swanctl --load-all >"$W/swanctl.log" 2>&1 ||
	    fail "$(tail -n 1 "$W/swanctl.log")"
	PIDS=$charon FIRST=charon
	sleep 1
	peers_up
	floor2=$("$OBJ/regress/bench/bench_floor") || fail "no floor"
	version=$(sed -n 's/.*(\(strongSwan [0-9.]*\),.*/\1/p' "$W/charon.log")
	cookies=$(grep -c 'generating IKE_SA_INIT response 0 \[ N(COOKIE) \]' "$W/charon.log")
	[ "$level" -gt 0 ] || cookies=no
	awk -v n="$COUNT" -v f="$floor2" -v us="$(cat "$W/iked.us")" -v name="$name" \
	    -v head="${version:-strongSwan}" -v load="$(cat "$W/load")" -v cookies="$cookies" '
	FILENAME ~ /before$/ { cpu = $2; rss = $3; next }
	{
		c = ($2 - cpu) / n
		printf "  %s, %s:\n    %s, %s cookies asked for, RSS %+.0f bytes an IKE SA (%d -> %d kB)\n",
		    head, name, load, cookies, ($3 - rss) * 1024 / n, rss, $3
		printf "    %.1f us a handshake, %.1f times that of iked, %.1f %% of the floor (%.1f us)\n",
		    c, c / us, 100 * f / c, f
	}' "$W/before" "$W/after"
	kill $load $charon
	wait
)

swan() {
	if ! [ -x "$CHARON" ] || ! command -v swanctl >/dev/null; then
		echo "  strongSwan: not measured: not installed (regress/setup.sh interop)"
		return
	fi
	"${CC:-cc}" -O2 -shared -fPIC -o "$W/null_xfrm.so" "$HERE/swan/null_xfrm.c" -ldl || {
		echo "  strongSwan: not measured: its null kernel does not compile"
		return
	}
	swan_conf 1
	swan_row "defaults (log level 1, cookies from 30 half-open IKE SAs on, IKE SA table of 1)"
	swan_conf 0 "ikesa_table_size = 16384
		ikesa_table_segments = 16
		dos_protection = no"
	swan_row "tuned (log level 0, dos_protection off, IKE SA table of 16384 in 16 segments)"
}
