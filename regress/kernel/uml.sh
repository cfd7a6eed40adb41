#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Runs SCRIPT [ARGS] as root on a kernel that really has IPsec, and gives its
# output and exit status back:
#
#	uml.sh [-qR] [-k auto|uml|host] [-m MEM] [-t SECS] [-r ROOT] [-o OUTDIR]
#	       [-v VAR=value ...] SCRIPT [ARGS ...]
#
# Where this machine's own kernel can add an ESP SA and we are root, SCRIPT runs
# on it, in fresh network and mount namespaces; elsewhere it runs in user-mode
# Linux (Debian package user-mode-linux: a kernel that is an ordinary process),
# on this machine's own root file system, read-only, with tmpfs or overlays over
# /run /tmp /etc /var /root.  One line on stderr says which.
#
# SCRIPT sees: every -v variable; KERNEL_KIND=uml|host; OUT, a directory whose
# contents survive in OUTDIR (same path on both sides); TOP, the source tree,
# and SCRIPT's directory at their usual paths, read-only in the guest; stdin empty; lo up.  It starts in
# TOP.  Exit status 124 = more than SECS seconds (default 300), 125 = the guest
# ended without a status (its console is OUTDIR/uml.console), 126 = no such kernel.
#
# -k, or the variable IKEEP_KERNEL, forces the choice.
#
# -R: lib.sh's router is to masquerade by nftables.  The guest's kernel has no such NAT:
# the router is a network namespace of this machine's own kernel, which the guest reaches
# by its vec0 and vec1 and talks to by its tty2 (router.sh), and ROUTER=outside.  Without
# the right to do so, and where SCRIPT runs on this machine's kernel, ROUTER is empty.

set -u
me=${0##*/}
kind=${IKEEP_KERNEL:-auto} mem=512M secs=300 root=/ out= quiet= router= vars=

# One word, quoted for sh.
quote() {
	printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}

usage() {
	echo "usage: $me [-qR] [-k auto|uml|host] [-m MEM] [-t SECS] [-r ROOT]" \
	    "[-o OUTDIR] [-v VAR=value] SCRIPT [ARGS]" >&2
	exit 2
}

while getopts k:m:o:qRr:t:v: opt; do
	case $opt in
	k)	kind=$OPTARG ;;
	m)	mem=$OPTARG ;;
	o)	out=$OPTARG ;;
	q)	quiet=1 ;;
	R)	router=outside ;;
	r)	root=$OPTARG ;;
	t)	secs=$OPTARG ;;
	v)	case $OPTARG in
		[A-Za-z_]*=*) ;;
		*) usage ;;
		esac
		vars="$vars
export ${OPTARG%%=*}=$(quote "${OPTARG#*=}")" ;;
	*)	usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || usage
[ -r "$1" ] || { echo "$me: $1: cannot be read" >&2; exit 2; }

here=$(cd "$(dirname "$0")" && pwd -P)
TOP=$(cd "$here/../.." && pwd -P)
sdir=$(cd "$(dirname "$1")" && pwd -P)
script=$sdir/${1##*/}
shift

say() { [ -n "$quiet" ] || echo "$me: $*" >&2; }

# Can this kernel add an ESP SA?  Tried, not guessed.
host_can() {
	[ "$(id -u)" = 0 ] && command -v ip >/dev/null || return 1
	unshare -n sh -c 'ip xfrm state add src 192.0.2.1 dst 192.0.2.2 \
	    proto esp spi 0x10001 reqid 1 mode tunnel aead "rfc4106(gcm(aes))" \
	    0x000102030405060708090a0b0c0d0e0f10111213 128' >/dev/null 2>&1
}

case $kind in
auto)	if host_can; then kind=host; else kind=uml; fi ;;
uml|host) ;;
*)	usage ;;
esac

[ "$kind" = uml ] || router=
if [ -n "$router" ] && ! unshare -n sh "$here/router.sh" try >/dev/null 2>&1; then
	say "the router is in the guest: no namespace here with nft, conntrack and taps"
	router=
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/ikeep-kernel.XXXXXX") || exit 126
work=$(cd "$work" && pwd -P)
uml=
cleanup() {
	[ -z "$uml" ] || kill -KILL "-$uml" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
if [ -n "$out" ]; then
	mkdir -p "$out" || exit 126
	out=$(cd "$out" && pwd -P)
else
	out=$work/out
	mkdir "$out"
fi

# What both kinds read: the variables, then the command.
{
	echo "export KERNEL_KIND=$kind ROUTER=$router OUT=$(quote "$out") TOP=$(quote "$TOP")"
	echo "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	echo "export HOME=/root LC_ALL=C$vars"
} >"$work/env"
{
	printf 'exec %s' "$(if [ -x "$script" ]; then quote "$script"
	    else echo "sh $(quote "$script")"; fi)"
	for a do printf ' %s' "$(quote "$a")"; done
	echo
} >"$work/command"

if [ "$kind" = host ]; then
	say "kernel: this machine's own, $(uname -r), in new namespaces"
	timeout -k 5 "$secs" unshare -n -m sh -c '
		mount --make-rprivate / &&
		mkdir -p /run/netns && mount -t tmpfs none /run/netns || exit 126
		. "$1/env"
		mount -t sysfs none /sys 2>/dev/null
		ip link set lo up
		cd "$TOP" && . "$1/command"' sh "$work" </dev/null
	exit $?
fi

command -v linux.uml >/dev/null || {
	echo "$me: this kernel has no ESP, and linux.uml is not here:" \
	    "apt-get install user-mode-linux" >&2
	exit 126
}
say "kernel: user-mode Linux ($(linux.uml --version 2>/dev/null | tail -n 1))"

sed -n '/^#=== init/,$p' "$here/uml_init.sh" >"$work/init.body"
{
	echo "#!/bin/sh"
	echo "CTL=$(quote "$work") SDIR=$(quote "$sdir") SNAME=$(quote "${script##*/}")"
	cat "$work/init.body"
} >"$work/init"
chmod 755 "$work/init"
mkdir -p "$work/uml"

# Its memory is a file there.  Guests run beside each other: a container's small /dev/shm has
# no room for them.
memory=${UML_TMPDIR:-/dev/shm}
[ -n "${UML_TMPDIR:-}" ] || [ "$(df -Pm /dev/shm 2>/dev/null |
    awk 'NR == 2 { print $4 }')" -ge 3072 ] 2>/dev/null || memory=/tmp

# The guest's tty1 is our stdout (fd 4); UML's own words and the kernel's go
# to a file.  setsid: a group of its own, to be killed whole.
# Nobody here has a RAID: which of its ways is the fastest takes most of a second to find.
exec 4>&1
set -- linux.uml "mem=$mem" quiet initcall_blacklist=raid6_select_algo root=/dev/root rootfstype=hostfs "rootflags=$root" ro \
    "init=$work/init" "uml_dir=$work/uml" umid=ikeep con=null con0=fd:0,fd:1 con1=null,fd:4
if [ -n "$router" ]; then
	mkfifo "$work/ask" "$work/answer"
	exec 5<>"$work/ask" 6<>"$work/answer"
	# opened anew for the router: the guest's own do not block
	# shellcheck disable=SC2016
	set -- unshare -n sh -c 'sh "$1/router.sh" serve <"$2/ask" >"$2/answer" 5>&- 6>&- &
		shift 2; exec "$@"' sh "$here" "$work" "$@" con2=fd:6,fd:5 \
	    vec0:transport=tap,ifname=toseattle vec1:transport=tap,ifname=toboise
fi
TMPDIR=$memory setsid "$@" </dev/null >"$out/uml.console" 2>&1 &
uml=$!
exec 5>&- 6>&-
# The processor time of the guest, in seconds: one that hangs, and one that was given none,
# look the same otherwise.
spent() {
	cat /proc/[0-9]*/stat 2>/dev/null | sed 's/^[0-9]* (.*) //' |
	    awk -v g="$uml" -v hz="$(getconf CLK_TCK)" '
	    $3 == g { n += $12 + $13 } END { printf "%d\n", n / hz }'
}
(
	exec 4>&-
	n=0
	while [ $n -lt "$secs" ] && kill -0 "$uml" 2>/dev/null; do
		sleep 1
		n=$((n + 1))
	done
	if kill -0 "$uml" 2>/dev/null; then
		spent >"$work/timeout"
		kill -KILL "-$uml" 2>/dev/null
	fi
) >/dev/null 2>&1 &
watch=$!
wait "$uml" 2>/dev/null
kill "$watch" 2>/dev/null
# What is left of the guest's processes dies with it.
kill -KILL "-$uml" 2>/dev/null
uml=
if [ -e "$work/timeout" ]; then
	echo "$me: no end after $secs s, in which it had $(cat "$work/timeout") s of a processor;" \
	    "guest killed" >&2
	exit 124
fi
if [ ! -s "$work/status" ]; then
	echo "$me: the guest ended without a status; its last words:" >&2
	tail -n 15 "$out/uml.console" >&2
	exit 125
fi
exit "$(cat "$work/status")"
