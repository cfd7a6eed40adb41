#! /bin/sh
# SPDX-License-Identifier: ISC
#
# make interop: ikeep with strongSwan and OpenIKED, on a real kernel, each cell
# in a boot of its own; then a table; then what ondemand.sh and outages.sh measure.
# Exit status 1 when a cell or a measurement failed.
#
# Environment: OBJDIR; CELLS, a choice of cells (names as in the table), measures
# nothing; MEASURES, a choice of ondemand and outages; RUNS of each (10).

set -u
here=$(cd "$(dirname "$0")" && pwd -P)
SRCDIR=$(cd "$here/../.." && pwd -P)
OBJDIR=${OBJDIR:-$SRCDIR/build}
OUTDIR=${INTEROP_OUT:-$OBJDIR/interop.out}
ALL="swan-default-initiator swan-default-responder
    swan-gcm-initiator swan-gcm-responder swan-cbc-initiator swan-cbc-responder
    swan-pfkey-initiator swan-pfkey-responder swan-ros7-initiator swan-ros7-responder
    openiked-defaults-initiator openiked-defaults-responder"
MEASURES=${MEASURES-$([ -n "${CELLS:-}" ] || echo ondemand outages)}
CELLS=${CELLS:-$ALL}

for p in iked netwatchd ipsecctl; do
	[ -x "$OBJDIR/$p" ] || { echo "interop: $OBJDIR/$p is not built: make" >&2; exit 1; }
done
[ -x /usr/sbin/charon-systemd ] && [ -x /usr/sbin/iked ] ||
    sh "$SRCDIR/regress/setup.sh" interop || exit 1
mkdir -p "$OUTDIR"
rm -f "$OUTDIR/table"
say() { printf '%s\n' "$*"; }
say "interop: strongSwan $(dpkg-query -W -f='${Version}' charon-systemd 2>/dev/null)," \
    "OpenIKED $(dpkg-query -W -f='${Version}' openiked 2>/dev/null)"
status=0 kernel=
for cell in $CELLS; do
	out=$OUTDIR/$cell
	rm -rf "$out"
	sh "$SRCDIR/regress/kernel/uml.sh" -t 300 -o "$out" -v "BIN=$OBJDIR" -v "OBJ=$OBJDIR" \
	    "$here/cell.sh" "$cell" >"$OUTDIR/$cell.log" 2>&1 || status=1
	[ -n "$kernel" ] || { kernel=1; sed -n 's/^uml.sh: //p' "$OUTDIR/$cell.log"; }
	if [ -s "$out/result" ]; then
		cat "$out/result"
	else
		printf '%s\tFAILED\t-\t-\t-\t-\t-\t%s\n' "$cell" \
		    "no verdict: $(tail -n 1 "$OUTDIR/$cell.log")"
		status=1
	fi >>"$OUTDIR/table"
	tail -n 1 "$OUTDIR/table" | awk -F '\t' '{ printf "%s: %s %s\n", $1, $2, $8 }'
done
say
say "ESP packets counted in the router's capture, out/in seen from ikeep:"
say "by the first SPIs, by those after our Child rekey, by those after the peer's"
awk -F '\t' '
BEGIN { printf "%-28s %-7s %9s %9s %9s %5s %6s\n", "cell (role of ikeep)", "", "first",
    "our rekey", "its rekey", "lost", "clear" }
{ printf "%-28s %-7s %9s %9s %9s %5s %6s  %s\n", $1, $2, $3, $4, $5, $6, $7, $8 }' "$OUTDIR/table"
for measure in $MEASURES; do
	rm -rf "$OUTDIR/$measure"
	say
	say "$measure, measured:"
	sh "$SRCDIR/regress/kernel/uml.sh" -t 3000 -o "$OUTDIR/$measure" -v "BIN=$OBJDIR" \
	    -v "OBJ=$OBJDIR" -v "RUNS=${RUNS:-10}" "$here/$measure.sh" \
	    >"$OUTDIR/$measure.log" 2>&1 || {
		status=1
		say "FAILED"
	}
	grep -v '^uml.sh: ' "$OUTDIR/$measure.log"
done
say
say "logs and captures: $OUTDIR"
exit $status
