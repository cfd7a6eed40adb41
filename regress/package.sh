#! /bin/sh
# SPDX-License-Identifier: ISC
#
# make package-check: builds the Debian package, and has a new user live with it on two
# fresh Debian 12 in user-mode Linux (regress/kernel/package_run.sh).  The logs are left
# in OBJDIR/package.out.
#
# usage: OBJDIR=DIR [DEBROOT=DIR] sh regress/package.sh

set -eu
cd "$(dirname "$0")/.."
obj=${OBJDIR:-build}
sh regress/setup.sh check package
OBJDIR=$obj sh regress/deb.sh
obj=$(cd "$obj" && pwd -P)
root=${DEBROOT:-$obj/debian12}
sh regress/deb_root.sh "$root"
echo "package-check: two Debian 12 with $(cd "$obj/deb" && echo ikeep_*.deb)"
if sh regress/kernel/uml.sh -q -k uml -m 1G -t 1700 -o "$obj/package.out" \
    regress/kernel/package_run.sh "$obj" "$root" "$(echo "$obj"/deb/ikeep_*.deb)"; then
	echo "package-check: all is well"
else
	echo "package-check: failed; the logs are in $obj/package.out" >&2
	exit 1
fi
