#! /bin/sh
# SPDX-License-Identifier: ISC
#
# A fresh Debian 12 in a directory, for regress/kernel/package_run.sh: what
# debootstrap(8) installs by itself, and in apt's cache, not installed, what our package
# depends on, since the test has no network.  One that is there is used again.
#
# usage: sh regress/deb_root.sh DIR

set -eu
root=$1
[ ! -e "$root.done" ] || exit 0
[ "$(id -u)" = 0 ] || { echo "deb_root: for root alone: debootstrap(8) needs that" >&2; exit 1; }
mkdir -p "$root"
log=$root.log
echo "deb_root: Debian 12 into $root"
# In a mount namespace of its own: what it mounts goes with it.
unshare -m --propagation private sh -ec '
	debootstrap bookworm "$1"
	rm -f "$1"/var/cache/apt/archives/*.deb
	mount -t proc none "$1/proc"
	chroot "$1" apt-get install -q -y --download-only libbsd0 libev4 libjansson4 \
	    libmnl0 libseccomp2 libssl3
	: >"$1/etc/machine-id"' sh "$root" >"$log" 2>&1 || {
	tail -n 20 "$log" >&2
	echo "deb_root: no Debian here; all of it is in $log" >&2
	exit 1
}
: >"$root.done"
