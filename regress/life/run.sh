#! /bin/sh
# SPDX-License-Identifier: ISC
#
# make life: what a real kernel and real peers say about the life of tunnels, each part
# in a boot of its own; then one table.  Exit status 1 when a result is wrong: SAs left
# over, packets in clear, a tunnel that does not come up or back.  Times and losses are
# figures.
#
# Environment: OBJDIR; PARTS, a choice (rekeys reload together loss recovery nat
# verdicts swan30 break); QUICK=1, fewer of everything, about fifteen minutes; CASES, a choice within a
# part, as its script names them; TRIES, CHILDREN, IKES, RATE, COUNT, PEERS,
# MINUTES, LIMIT, SWAN_MINUTES, INTERVAL: see there.  IKED_FLAGS=-v has every new SPI in the logs.

set -u
here=$(cd "$(dirname "$0")" && pwd -P)
SRCDIR=$(cd "$here/../.." && pwd -P)
OBJDIR=${OBJDIR:-$SRCDIR/build}
OUTDIR=${LIFE_OUT:-$OBJDIR/life.out}
PARTS=${PARTS:-rekeys reload together loss recovery nat verdicts swan30 break}

for p in iked ipsecctl regress/tools/tool_flow; do
	[ -x "$OBJDIR/$p" ] || { echo "life: $OBJDIR/$p is not built: make tests" >&2; exit 1; }
done
[ -x /usr/sbin/charon-systemd ] && [ -x /usr/sbin/iked ] && [ -x /usr/sbin/conntrack ] ||
    sh "$SRCDIR/regress/setup.sh" interop || exit 1
mkdir -p "$OUTDIR"
status=0
for part in $PARTS; do
	[ -f "$here/$part.sh" ] || { echo "life: there is no part $part" >&2; exit 2; }
	out=$OUTDIR/$part
	rm -rf "$out"
	set -- -v "QUICK=${QUICK-}"
	[ "$part" != nat ] || set -- "$@" -R
	for v in IKED_FLAGS CASES CHILDREN IKES RATE COUNT PEERS TRIES MINUTES LIMIT SWAN_MINUTES INTERVAL; do
		eval "x=\${$v-}"
		[ -z "$x" ] || set -- "$@" -v "$v=$x"
	done
	sh "$SRCDIR/regress/kernel/uml.sh" -t 7000 -o "$out" -v "BIN=$OBJDIR" -v "OBJ=$OBJDIR" \
	    "$@" "$here/$part.sh" >"$OUTDIR/$part.log" 2>&1 || status=1
	grep "^$part: " "$OUTDIR/$part.log"
	[ -s "$out/rows" ] || {
		mkdir -p "$out"
		printf '%s\t\tFAILED\t%s\n' "$part" "$(tail -n 1 "$OUTDIR/$part.log")" >"$out/rows"
		status=1
	}
done
echo
for part in $PARTS; do
	awk -F '\t' '{ printf "%-9s %-58s %-7s %s\n", $1, $2, $3, $4 }' "$OUTDIR/$part/rows"
done
echo
echo "logs and captures: $OUTDIR"
exit $status
