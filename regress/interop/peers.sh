# SPDX-License-Identifier: ISC
#
# The other daemons: strongSwan (charon-systemd and swanctl) and OpenIKED, of
# Debian's packages, each in a host of lib.sh with its own /run and files.

CHARON=/usr/sbin/charon-systemd
OPENIKED=/usr/sbin/iked

# swan_conf HOST < swanctl.conf
swan_conf() {
	mkdir -p "$W/$1/swanctl"
	cat >"$W/$1/swanctl/swanctl.conf"
	cp "$W/$1/swanctl/swanctl.conf" "$OUT/$1/swanctl.conf"
	cat >"$W/$1/strongswan.conf" <<-CONF
	charon-systemd {
		install_routes = no
		install_virtual_ip = no
		plugins {
			vici {
				socket = unix:///run/charon.vici
			}
			bypass-lan {
				load = no
			}
			kernel-libipsec {
				load = no
			}
		}
		journal {
			default = -1
		}
		filelog {
			stderr {
				default = 1
				ike = 1
				cfg = 1
				flush_line = yes
				time_format = %H:%M:%S
			}
		}
	}
	swanctl {
		plugins {
			vici {
				socket = unix:///run/charon.vici
			}
		}
	}
	CONF
}

# swan HOST WORDS... : swanctl there
swan() {
	_h=$1
	shift
	on "$_h" env STRONGSWAN_CONF="$W/$_h/strongswan.conf" SWANCTL_DIR="$W/$_h/swanctl" \
	    swanctl "$@"
}

# swan_start HOST: the daemon, then its connections and traps
swan_start() {
	spawn "$1" "$OUT/$1/charon.log" env STRONGSWAN_CONF="$W/$1/strongswan.conf" $CHARON
	eval "CHARON_$1=$SPAWNED"
	wait_for 20 on "$1" test -S /run/charon.vici || {
		echo "charon on $1 does not start" >&2
		tail -n 5 "$OUT/$1/charon.log" >&2
		return 1
	}
	swan "$1" --load-all >"$OUT/$1/swanctl.load" 2>&1 || {
		tail -n 5 "$OUT/$1/swanctl.load" >&2
		return 1
	}
}

# openiked_start HOST < its iked.conf.  It reads /etc/iked.conf's neighbours,
# so its own /etc/iked goes over the system's.
openiked_start() {
	cat >"$W/$1/openiked.conf"
	chmod 600 "$W/$1/openiked.conf"
	cp "$W/$1/openiked.conf" "$OUT/$1/openiked.conf"
	spawn "$1" "$OUT/$1/openiked.log" $OPENIKED -dv -f "$W/$1/openiked.conf"
	eval "OPENIKED_$1=$SPAWNED"
	wait_for 20 on "$1" test -S /run/iked.sock
}

# swan_site HOST SIDE IKE ESP START [MORE]: the article's tunnel as a
# swanctl.conf; SIDE is seattle or boise, START is trap, start or none.
swan_site() {
	case $2 in
	seattle) _l=$WAN_SEATTLE _r=$WAN_BOISE _lt=$LAN_SEATTLE _rt=$LAN_BOISE ;;
	*)	_l=$WAN_BOISE _r=$WAN_SEATTLE _lt=$LAN_BOISE _rt=$LAN_SEATTLE ;;
	esac
	swan_conf "$1" <<-CONF
	connections {
		site {
			version = 2
			local_addrs = $_l
			remote_addrs = $_r
			proposals = $3
			mobike = yes
			${6-}
			local {
				auth = psk
				id = $_l
			}
			remote {
				auth = psk
				id = $_r
			}
			children {
				net {
					local_ts = $_lt
					remote_ts = $_rt
					esp_proposals = $4
					start_action = $5
					${7-}
				}
			}
		}
	}
	secrets {
		ike-site {
			secret = "my_secret"
		}
	}
	CONF
}
