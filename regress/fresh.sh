#! /bin/sh
# SPDX-License-Identifier: ISC
#
# README's commands where nothing is installed: makes a root with debootstrap (Debian
# 12, its default set, plus make), clones this tree into it and runs one target there.
#
# usage: sh regress/fresh.sh [-d DIR] [-k] check|demo|interop|bench
#	-d DIR	make the root in DIR (default /var/tmp/ikeep-fresh.TARGET)
#	-k	keep the root afterwards
# The log is build/fresh-TARGET.log; the exit status is the target's.

set -u
cd "$(dirname "$0")/.." || exit 1
root= keep= me=fresh
usage() { echo "usage: sh regress/fresh.sh [-d dir] [-k] check|demo|interop|bench" >&2; exit 2; }
while getopts d:k opt; do
	case $opt in
	d)	root=$OPTARG ;;
	k)	keep=1 ;;
	*)	usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -eq 1 ] || usage
target=$1
case $target in
check|demo|interop|bench) ;;
*)	usage ;;
esac
root=${root:-/var/tmp/ikeep-fresh.$target}
[ "$(id -u)" = 0 ] || { echo "$me: needs root" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "$me: apt-get install debootstrap" >&2; exit 1; }
[ ! -e "$root" ] || { echo "$me: $root is already there" >&2; exit 1; }
mkdir -p build
log=$(pwd)/build/fresh-$target.log

mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    sed -n 's/^URIs: *\(http[^ ]*debian\)\/*$/\1/p; s/^deb .*\(http[^ ]*debian\)\/* .*/\1/p' | head -n 1)
echo "$me: debootstrap bookworm from ${mirror:=http://deb.debian.org/debian}, in $root"
debootstrap bookworm "$root" "$mirror" >"$log" 2>&1 || {
	tail -n 3 "$log" >&2
	exit 1
}
# This machine's way to the packages.
cp -r /etc/apt/sources.list* /etc/apt/apt.conf.d "$root/etc/apt/" 2>/dev/null
cp /etc/apt/keyrings/* "$root/etc/apt/keyrings/" 2>/dev/null
cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null
git clone -q --no-hardlinks . "$root/root/ikeep" || exit 1
echo "$me: $(chroot "$root" dpkg -l | grep -c '^ii') packages in it; commit" \
    "$(git rev-parse --short HEAD); now: make $target" | tee -a "$log"
start=$(date +%s)
# shellcheck disable=SC2016
unshare -m sh -c '
	mount --make-rprivate /
	mount -t proc proc "$1/proc" && mount -t sysfs sysfs "$1/sys" &&
	mount --rbind /dev "$1/dev" && mount -t tmpfs tmpfs "$1/run" || exit 1
	exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
	    ${http_proxy:+http_proxy="$http_proxy"} sh -c "
		apt-get update -q >/dev/null &&
		apt-get install -q -y --no-install-recommends make >/dev/null 2>&1 &&
		cd /root/ikeep && exec make $2"' sh "$root" "$target" >>"$log" 2>&1 </dev/null
status=$?
echo "$me: make $target ended with status $status after $(($(date +%s) - start)) s" | tee -a "$log"
cp -r "$root/root/ikeep/build/demo.out" build/fresh-demo.out 2>/dev/null
[ -n "$keep" ] || rm -rf --one-file-system "$root"
tail -n 15 "$log"
echo "$me: the whole log is $log"
exit $status
