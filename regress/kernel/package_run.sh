#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Inside user-mode Linux (see uml.sh): package_run.sh OBJDIR DEBROOT DEB.  Seattle and
# Boise are two fresh Debian 12, DEBROOT under an overlay each, with their own systemd
# as process 1, their own network (ifupdown) and nothing of this machine.  A new user does
# what README.md says: installs, looks, writes its iked.conf, starts, looks again; later
# upgrades, to a version that takes the file and to one that does not, removes and purges.
# Each part says ok: or FAILED.

OBJDIR=$1 DEBROOT=$2 DEB=$3
BIN=$OBJDIR
. "$(dirname "$0")/lib.sh"
failed=0

bad() {
	echo "FAILED: $*"
	failed=1
}
# runs EXPECTED-STATUS PATTERN COMMAND... : its output is in $W/out, too
runs() {
	_want=$1 _pat=$2
	shift 2
	echo "\$ $*"
	"$@" >"$W/out" 2>&1
	_st=$?
	sed 's/^/	/' "$W/out"
	[ $_st = "$_want" ] || bad "status $_st, not $_want, of $*"
	[ -z "$_pat" ] || grep -q -e "$_pat" "$W/out" || bad "no \"$_pat\" of $*"
}
eventually() {
	_what=$1 _secs=$2
	shift 2
	wait_for "$_secs" "$@" || bad "$_what"
}
part() {
	now
	echo "ok: $1 at $NOW ms"
}

# ---- two machines ---------------------------------------------------------

# machine GW ADDRESS GATEWAY LAN-ADDRESS: its disk, its network as a person writes it.
# Before the hosts are made: their mounts are those of that moment.
machine() {
	_r=$W/$1/root _u=/run/up/deb.$1
	mkdir -p "$_r" "$_u" "$_u.w"
	mount -t overlay -o "lowerdir=$DEBROOT,upperdir=$_u,workdir=$_u.w" none "$_r" || {
		bad "no overlay"
		exit 1
	}
	echo "$1" >"$_r/etc/hostname"
	printf '127.0.0.1\tlocalhost %s\n' "$1" >"$_r/etc/hosts"
	cat >"$_r/etc/network/interfaces" <<-EOF
	auto lo wan lan
	iface lo inet loopback
	iface wan inet static
	    address $2
	    gateway $3
	iface lan inet static
	    address $4
	EOF
	cp "$DEB" "$_r/root/"
}
# What site_make has done is left to that network.
bare() {
	on "$1" sh -c 'ip addr flush dev wan; ip link set wan down
	    ip addr flush dev lan; ip link set lan down
	    echo 0 >/proc/sys/net/ipv4/ip_forward'
}

write_boot() {
	cat >"$W/boot" <<-'EOF'
	mount --make-rprivate /
	R=$1
	mount -t proc none $R/proc
	mount -t sysfs -o ro none $R/sys
	mount -t cgroup2 none $R/sys/fs/cgroup || exit 1
	mount -t tmpfs -o mode=755 none $R/dev
	cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty $R/dev/
	mkdir $R/dev/pts $R/dev/shm
	mount -t devpts -o newinstance,ptmxmode=666 none $R/dev/pts
	for l in fd:fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do
		ln -s /proc/self/${l#*:} $R/dev/${l%%:*}
	done
	ln -s pts/ptmx $R/dev/ptmx
	mount -t tmpfs -o mode=755 none $R/run
	cd $R && pivot_root . mnt && exec chroot . sh -c 'umount -l /mnt
	    exec env -i container=ikeep-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	    /lib/systemd/systemd --system --show-status=no'
	EOF
}

boot() {
	spawn "$1" "$OUT/$1/systemd.log" unshare --pid --fork --mount --cgroup sh "$W/boot" "$W/$1/root"
	eval "INIT_$1=$SPAWNED"
}
# Some of what a boot still does then is long, and nothing to us.
booted() { active "$1" basic.target && active "$1" network.target && active "$1" networking; }
boot_wait() {
	eval "_init=\$INIT_$1"
	wait_for 60 grep -q . "/proc/$_init/task/$_init/children" || {
		bad "$1 does not boot: $(cat "$OUT/$1/systemd.log")"
		exit 1
	}
	read -r _sd _ <"/proc/$_init/task/$_init/children"
	eval "SD_$1=$_sd"
	wait_for 300 booted "$1" && return
	bad "$1 does not come up: $(at "$1" systemctl is-system-running)"
	cat "$OUT/$1/systemd.log"
	at "$1" systemctl --no-pager list-jobs
	exit 1
}
# at GW COMMAND... : as its root
at() {
	eval "_sd=\$SD_$1"
	shift
	nsenter -t "$_sd" -m -n -p -r -w -- env -i HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
	    DEBIAN_FRONTEND=noninteractive SYSTEMD_PAGER= \
	    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
user_is() { at "$1" getent passwd "$2" | grep -q ':/nonexistent:.*nologin$'; }
active() { [ "$(at "$1" systemctl is-active "$2")" = active ]; }
main_pid() { at "$1" systemctl show --value -p MainPID "$2"; }
replies_are() { [ "$(ping_replies "$1")" -ge "$2" ]; }
pings() { on alice ping -n -c 1 -W 2 10.2.0.10; }
tunnel_up() { at "$1" ipsecctl show tunnels -j | field state | grep -qx up; }

# The configuration of README.md, word for word but for the secret.
readme() {
	awk -v n="$1" '/^```conf/ { i++; on = i == n; next } /^```/ { on = 0 } on' "$TOP/README.md" |
	    sed "s/psk \"change me[^\"]*\"/$SECRET/"
}

# ---- a new user's day -----------------------------------------------------

newcomer() {
	runs 0 'Setting up ikeep' at seattle apt-get install -q -y /root/ikeep.deb
	runs 0 'Setting up ikeep' at boise sh -c 'dpkg -i /root/ikeep.deb || apt-get install -q -y -f'
	for _u in _iked _ikenet _ikekeys _ikekern _ikedns _netwatch; do
		user_is seattle $_u || bad "user $_u: $(at seattle getent passwd $_u)"
	done
	[ "$(at seattle stat -c %a:%U:%G /etc/iked.conf)" = 600:root:root ] || bad "iked.conf's mode"
	[ -z "$(at seattle systemctl list-units --failed --plain -q 'ike*' 'netw*')" ] || bad "$(at seattle systemctl --failed)"
	for _s in iked netwatchd; do
		runs 0 enabled at seattle systemctl is-enabled $_s
		runs 3 'not started: /etc/iked.conf has no tunnel yet' at seattle systemctl status $_s
	done
	runs 3 'iked is not running' at seattle ipsecctl show
	runs 0 'without a tunnel' at seattle iked -n
	part install
}

write_conf() {
	SECRET=$(at seattle ipsecctl genpsk)
	readme 1 >>"$W/seattle/root/etc/iked.conf"
	readme 2 >>"$W/boise/root/etc/iked.conf"
	for _gw in seattle boise; do
		runs 0 '^configuration OK$' at $_gw iked -n
		runs 0 '' at $_gw systemctl start iked netwatchd
		at $_gw sh -c 'echo net.ipv4.ip_forward=1 >/etc/sysctl.d/router.conf'
		runs 0 'ip_forward = 1' at $_gw sysctl --system
	done
	eventually "the tunnel is not up" 60 tunnel_up seattle
	eventually "no reply from the other office" 30 pings
	runs 0 'boise .* up ' at seattle ipsecctl show
	runs 0 'seattle .* up ' at boise ipsecctl show
	runs 0 'active (running)' at seattle systemctl status iked netwatchd
	part tunnel
}

# deb_as VERSION [iked]: the package once more under that number; its iked may be a
# script that refuses every configuration, as a version with another grammar would
deb_as() {
	rm -rf "$W/deb"
	dpkg-deb -R "$DEB" "$W/deb"
	sed -i "s/^Version: .*/Version: $1/" "$W/deb/DEBIAN/control"
	[ $# = 1 ] || { printf '#! /bin/sh\necho "/etc/iked.conf:1:1: I refuse" >&2\nexit 1\n' \
	    >"$W/deb/usr/sbin/$2"; }
	dpkg-deb -b "$W/deb" "$W/seattle/root/root/ikeep-$1.deb" >/dev/null
}

upgrade() {
	deb_as 99.1
	deb_as 99.2 iked
	deb_as 99.3
	cap_start clear core toseattle toboise || exit 1
	ping_start up alice 10.1.0.10 10.2.0.10 0.1
	wait_for 20 replies_are up 6
	stamp begin
	_old=$(main_pid seattle iked)
	runs 0 'Setting up ikeep (99.1)' at seattle dpkg -i /root/ikeep-99.1.deb
	[ "$(main_pid seattle iked)" != "$_old" ] || bad "the old iked runs on"
	eventually "the tunnel is not back after the upgrade" 30 ping_back up "$(stamp_ms begin)" 50
	eventually "netwatchd is not back" 10 active seattle netwatchd
	_gap=$(ping_gap up "$(stamp_ms begin)")
	echo "upgrade: no packet passed for $_gap ms"
	[ "${_gap:-99999}" -lt 10000 ] || bad "no packet for $_gap ms"

	# A version that refuses the file: what runs goes on.
	_old=$(main_pid seattle iked)
	stamp begin
	runs 0 'refuses the configuration; the iked of before' at seattle dpkg -i /root/ikeep-99.2.deb
	[ "$(main_pid seattle iked)" = "$_old" ] || bad "the old iked was ended"
	wait_for 20 ping_back up "$(stamp_ms begin)" 20
	_gap=$(ping_gap up "$(stamp_ms begin)")
	echo "an upgrade that refuses the file: no packet passed for $_gap ms"
	[ "${_gap:-99999}" -lt 2000 ] || bad "no packet for $_gap ms"
	runs 0 'Setting up ikeep (99.3)' at seattle dpkg -i /root/ikeep-99.3.deb
	eventually "the tunnel is not back" 30 tunnel_up seattle
	ping_stop up
	grep -q '^ikev2 "boise"' "$W/seattle/root/etc/iked.conf" || bad "iked.conf was lost"
	part upgrade
}

leave() {
	runs 0 'the policies stay in the kernel' at seattle apt-get remove -q -y ikeep
	at seattle pgrep -l 'iked|netwatchd' && bad "processes are left"
	at seattle grep -q '^ikev2 "boise"' /etc/iked.conf || bad "remove took iked.conf away"
	pings >/dev/null && bad "a reply without iked"
	[ "$(at seattle ip xfrm policy | grep -c '^src 10')" = 3 ] || bad "the policies are gone"
	[ "$(cap_count clear "$CLEAR")" = 0 ] || bad "packets in clear"
	[ "$(cap_count clear esp)" -gt 0 ] || bad "the capture has seen no ESP"
	runs 0 'Purging configuration' at seattle dpkg -P ikeep
	at seattle find / -xdev \( -path /proc -o -path /sys -o -path /var/lib/dpkg -o -path /root \
	    -o -path /var/cache -o -path /var/log -o -path /run/log \) -prune -o \
	    \( -name '*iked*' -o -name '*ikeep*' -o -name '*netwatchd*' \) -print >"$W/left"
	at seattle find /run \( -name '*iked*' -o -name '*ikeep*' -o -name '*netwatchd*' \) >>"$W/left"
	[ ! -s "$W/left" ] || bad "left after purge: $(tr '\n' ' ' <"$W/left")"
	[ -z "$(at seattle systemctl list-units --failed --plain -q 'ike*' 'netw*')" ] || bad "$(at seattle systemctl --failed)"
	part purge
}

write_boot
cp "$DEB" "$W/ikeep.deb" && DEB=$W/ikeep.deb
machine seattle 192.0.2.1/24 192.0.2.254 10.1.0.1/24
machine boise 198.51.100.1/24 198.51.100.254 10.2.0.1/24
site_make || exit 1
bare seattle
bare boise
boot seattle
boot boise
boot_wait seattle
boot_wait boise
part boot
newcomer
write_conf
at seattle systemd-analyze security --no-pager iked.service netwatchd.service >"$OUT/security.txt"
grep -h 'Overall' "$OUT/security.txt"
upgrade
leave
for _gw in seattle boise; do
	at $_gw journalctl --no-pager -q >"$OUT/$_gw/journal.txt"
done
[ $failed = 0 ] || tail -n 60 "$OUT/seattle/journal.txt"
exit $failed
