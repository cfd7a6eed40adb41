#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The first process of the guest that uml.sh boots; uml.sh puts CTL=directory
# before it.  Mounts, loads the modules by hand (there is no /lib/modules, and
# a kernel that forks modprobe for each algorithm it probes loses seconds),
# runs the command, on tty1, leaves its status in CTL/status and powers off.
#=== init
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
die() {
	echo "uml_init: $*"
	echo 126 >/run/ctl/status 2>/dev/null
	sync
	echo o >/proc/sysrq-trigger
	sleep 10
}
mount -t proc none /proc || die "no /proc"
mount -t sysfs none /sys
mount -t tmpfs -o mode=755 none /run || die "no /run"
mkdir -p /run/ctl /run/m/lib /run/lock /run/up /run/netns
mount -t hostfs -o "$CTL" none /run/ctl || die "no control directory"
ln -s /usr/lib/uml/modules /run/m/lib/modules
echo >/proc/sys/kernel/modprobe
echo >/proc/sys/kernel/hotplug
echo 1 >/proc/sys/kernel/printk
. /run/ctl/env

mount -t tmpfs -o mode=755 none /dev
mkdir -p /dev/pts /dev/shm /dev/net
mount -t devpts -o ptmxmode=666 none /dev/pts
mount -t tmpfs none /dev/shm
ln -s /proc/self/fd /dev/fd
ln -s /proc/self/fd/0 /dev/stdin
ln -s /proc/self/fd/1 /dev/stdout
ln -s /proc/self/fd/2 /dev/stderr
ln -s pts/ptmx /dev/ptmx
mknod -m 666 /dev/null c 1 3
mknod -m 666 /dev/zero c 1 5
mknod -m 666 /dev/full c 1 7
mknod -m 666 /dev/random c 1 8
mknod -m 666 /dev/urandom c 1 9
mknod -m 666 /dev/tty c 5 0
mknod -m 666 /dev/tty1 c 4 1
mknod -m 600 /dev/tty2 c 4 2
mknod -m 600 /dev/console c 5 1
mknod -m 600 /dev/kmsg c 1 11
mknod -m 666 /dev/net/tun c 10 200

# Writable copies of what programs write; the host's own files stay as they are.
modprobe -d /run/m overlay
for d in etc var root; do
	mkdir -p "/run/up/$d" "/run/up/$d.w"
	mount -t overlay -o "lowerdir=/$d,upperdir=/run/up/$d,workdir=/run/up/$d.w" \
	    none "/$d" || die "no overlay on /$d"
done
mount -t tmpfs -o mode=1777 none /tmp || die "no /tmp"

# TOP, the script and OUT keep their paths, wherever they are.
keep() {
	[ -e "$1/$2" ] || { mkdir -p "$1" && mount -r -t hostfs -o "$1" none "$1"; } ||
	    die "no $1"
}
keep "$SDIR" "$SNAME"
keep "$TOP" pfkey/pfkey.h
mkdir -p "$OUT" 2>/dev/null
mount -t hostfs -o "$OUT" none "$OUT" || die "no $OUT"

# In one process: each costs tens of milliseconds here.  Those that are not there, or are
# in the kernel, are passed over.
modprobe -q -a -d /run/m af_key xfrm_user esp4 esp6 ah4 ah6 xfrm4_tunnel ipcomp veth tun dummy bridge \
    ip_gre ip_vti sch_netem nf_tables nft_ct nft_masq nft_chain_nat nft_limit \
    nf_nat nft_compat aes_generic gcm seqiv echainiv ctr cbc hmac sha1_generic \
    sha256_generic sha512_generic authenc authencesn chacha20poly1305 \
    chacha_generic poly1305_generic ccm xcbc cmac ghash-generic drbg \
    jitterentropy_rng deflate af_packet packet_diag udp_diag inet_diag unix_diag 2>/dev/null
hostname ikeep-guest
ip link set lo up
stty -opost </dev/tty1 2>/dev/null
[ -z "$ROUTER" ] || stty raw -echo </dev/tty2

cd "$TOP"
sh -c '. /run/ctl/env; . /run/ctl/command' </dev/null >/dev/tty1 2>&1
echo $? >/run/ctl/status
dmesg >"$OUT/uml.dmesg" 2>/dev/null
sync
echo o >/proc/sysrq-trigger
sleep 10
