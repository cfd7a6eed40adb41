#! /bin/sh
# SPDX-License-Identifier: ISC
#
# Installs what building and testing need and this machine lacks, and says
# which.  Nothing is done when nothing is missing.  As somebody else than root
# it prints the one command to run first, and fails.
#
# usage: sh regress/setup.sh [build|check|package|interop]...

set -u
set -f

case $(uname -s) in
Linux)
	if ! command -v dpkg-query >/dev/null 2>&1; then
		echo "setup: no dpkg here: install by hand what configure names" >&2
		exit 0
	fi
	build="gcc libc6-dev make pkg-config libssl-dev libbsd-dev libev-dev
	    libmnl-dev libseccomp-dev libjansson-dev"
	check="kyua libatf-dev atf-sh clang libclang-rt-dev llvm bmake mandoc
	    binutils gcc user-mode-linux iproute2 iputils-ping nftables iptables kmod
	    tcpdump traceroute procps openssl systemd"
	package="build-essential debhelper fakeroot lintian debootstrap"
	interop="charon-systemd strongswan-swanctl libstrongswan-standard-plugins
	    openiked conntrack"
	have() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
	install() {
		export DEBIAN_FRONTEND=noninteractive
		# Daemons among the packages (the peers) must not start here: 101
		# is "not allowed" to invoke-rc.d(8).
		policy=/usr/sbin/policy-rc.d
		if [ -e $policy ]; then
			policy=
		else
			printf '#! /bin/sh\nexit 101\n' >$policy
			chmod 755 $policy
			trap 'rm -f $policy' EXIT
		fi
		apt-get update -q &&
		apt-get install -q -y --no-install-recommends "$@"
		_status=$?
		[ -z "$policy" ] || rm -f $policy
		return $_status
	}
	command="apt-get update && apt-get install -y --no-install-recommends"
	;;
FreeBSD)
	build="libev jansson pkgconf"
	check="kyua bmake mandoc gmake"
	package=
	interop="strongswan"
	# openssl 3, libpcap's tcpdump and atf come with the base system
	have() { pkg info -e "$1" >/dev/null 2>&1; }
	install() { pkg install -y "$@"; }
	command="pkg install -y"
	;;
*)
	echo "setup: packages of this system are not known" >&2
	exit 0
	;;
esac

want=
for what in "${@:-check}"; do
	case $what in
	build)		want="$want $build" ;;
	check)		want="$want $build $check" ;;
	package)	want="$want $build $package" ;;
	interop)	want="$want $build $check $interop" ;;
	*)		echo "usage: sh regress/setup.sh [build|check|package|interop]" >&2; exit 2 ;;
	esac
done

lack=
for p in $want; do
	case " $lack " in
	*" $p "*) continue ;;
	esac
	have "$p" || lack="$lack $p"
done
[ -z "$lack" ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
	echo "setup: packages are missing; as root, first run:" >&2
	echo "    $command$lack" >&2
	exit 1
fi
echo "setup: installing$lack"
# shellcheck disable=SC2086
log=$(mktemp) || exit 1
if ! install $lack >"$log" 2>&1; then
	tail -20 "$log" >&2
	rm -f "$log"
	echo "setup: could not install:$lack" >&2
	exit 1
fi
rm -f "$log"
# A package may be there under another name: what counts is that nothing lacks.
for p in $lack; do
	have "$p" || { echo "setup: $p is still missing" >&2; exit 1; }
done
exit 0
