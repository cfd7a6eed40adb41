#! /bin/sh
# SPDX-License-Identifier: ISC
#
# ipsecctl show with COUNT tunnels that are up (10000): its time and memory, and the longest
# time that ike's loop is busy with it.  The socket is in a directory of its own.
#
#	show.sh [COUNT]
#
# Environment: OBJDIR.

set -eu
OBJDIR=$(cd "${OBJDIR:-build}" && pwd -P)
W=$(mktemp -d "${TMPDIR:-/tmp}/ikeep.XXXXXX")
trap 'rm -rf "$W"' EXIT
cd "$W"
"$OBJDIR/regress/bench/bench_show" -n "${1:-10000}" "$OBJDIR/ipsecctl"
