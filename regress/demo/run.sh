#! /bin/sh
# SPDX-License-Identifier: ISC
#
# make demo: Seattle reaches Boise, on a real kernel, step by step.
#
# Environment: OBJDIR, the built programs; DEMO_BREAK=notrap, wrongsource, wrongkey
# or nofwd breaks one thing, and the demo must fail; DEMO_OUT keeps logs and
# captures there (default build/demo.out).

set -u
here=$(cd "$(dirname "$0")" && pwd -P)
SRCDIR=$(cd "$here/../.." && pwd -P)
OBJDIR=${OBJDIR:-$SRCDIR/build}
case ${DEMO_BREAK-} in
''|notrap|wrongsource|wrongkey|nofwd) ;;
*)	echo "demo: DEMO_BREAK is notrap, wrongsource, wrongkey or nofwd" >&2; exit 2 ;;
esac
for p in iked netwatchd ipsecctl; do
	[ -x "$OBJDIR/$p" ] || { echo "demo: $OBJDIR/$p is not built: make" >&2; exit 1; }
done
exec sh "$SRCDIR/regress/kernel/uml.sh" -q -t "${DEMO_SECONDS:-900}" \
    -o "${DEMO_OUT:-$OBJDIR/demo.out}" \
    -v "BIN=$OBJDIR" -v "OBJ=$OBJDIR" -v "DEMO_BREAK=${DEMO_BREAK-}" "$here/demo.sh"
