#! /bin/sh
# SPDX-License-Identifier: ISC
#
# make deb: the Debian package, built in a copy of this tree with what debian/ says,
# and then looked at by lintian, where that is installed: what it calls an error or a
# warning is a failure here.  The package is left in OBJDIR/deb.
#
# usage: OBJDIR=DIR sh regress/deb.sh

set -eu
cd "$(dirname "$0")/.."
top=$(pwd -P)
sh regress/setup.sh package
dir=${OBJDIR:-build}/deb
rm -rf "$dir"
mkdir -p "$dir/src"
dir=$(cd "$dir" && pwd -P)
tar -C "$top" --exclude=./build --exclude=./.git --exclude=./debian/ikeep -cf - . |
    tar -C "$dir/src" -xf -
cd "$dir/src"
# Not what this make was told: the package is built in build/ of its copy.
unset MAKEFLAGS MAKEOVERRIDES MFLAGS OBJDIR
if ! dpkg-buildpackage -us -uc -b >"$dir/log" 2>&1; then
	tail -n 40 "$dir/log"
	echo "deb: not built; all of it is in $dir/log" >&2
	exit 1
fi
cd "$dir"
rm -rf src
deb=$(echo ikeep_*_*.deb)
echo "deb: $dir/$deb"
if ! command -v lintian >/dev/null; then
	echo "deb: lintian is not here: not looked at"
	exit 0
fi
lintian -i -I --pedantic --allow-root ./*.changes >lintian.txt 2>&1 || :
grep '^[A-Z]: ' lintian.txt | grep -v '^N: ' || :
if grep -q '^[EW]: ' lintian.txt; then
	echo "deb: lintian has errors or warnings: see $dir/lintian.txt" >&2
	exit 1
fi
echo "deb: lintian has no errors and no warnings"
