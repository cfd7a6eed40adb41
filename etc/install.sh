#! /bin/sh
# SPDX-License-Identifier: ISC
#
# make install: programs, manual pages, start scripts, examples, and (without
# DESTDIR) the users the processes run as.  A configuration that is there is
# never overwritten.
#
# Environment: OBJDIR, DESTDIR, PREFIX; DESTDIR set: a package is being made,
# so users are left to it.

set -eu
OBJDIR=${OBJDIR:-build} DESTDIR=${DESTDIR:-}
value() { sed -n "s/^$1=[	 ]*//p" "$OBJDIR/config.mk"; }
PREFIX=${PREFIX:-$(value PREFIX)}
SYSCONFDIR=$(value SYSCONFDIR)
OS=$(value OS)
D=$DESTDIR

# put MODE FILE DIRECTORY [NAME]: silently nothing where the room is empty
put()
{
	[ -f "$2" ] || return 0
	mkdir -p "$D$3"
	install -m "$1" "$2" "$D$3/${4:-${2##*/}}"
}

for p in iked netwatchd ipsecctl; do
	put 755 "$OBJDIR/$p" "$PREFIX/sbin"
done
for s in 1 5 8; do
	for m in share/man/*."$s"; do
		put 644 "$m" "$PREFIX/share/man/man$s"
	done
done
for f in share/examples/*; do
	put 644 "$f" "$PREFIX/share/examples/ikeep"
done

# It may hold secrets: for root alone.
put 600 etc/iked.conf "$PREFIX/share/examples/ikeep" iked.conf.sample
chmod 644 "$D$PREFIX/share/examples/ikeep/iked.conf.sample" 2>/dev/null || :
if [ -f etc/iked.conf ] && [ ! -e "$D$SYSCONFDIR/iked.conf" ]; then
	put 600 etc/iked.conf "$SYSCONFDIR"
fi

# Start scripts name the programs by their full path.
start()
{
	[ -f "$2" ] || return 0
	mkdir -p "$D$3"
	sed "s,@SBINDIR@,$PREFIX/sbin,g; s,/usr/local/sbin,$PREFIX/sbin,g" "$2" >"$D$3/${2##*/}"
	chmod "$1" "$D$3/${2##*/}"
}
case $OS in
linux)
	case $PREFIX in
	/usr)	unitdir=/lib/systemd/system ;;
	*)	unitdir=/etc/systemd/system ;;
	esac
	for u in etc/systemd/*.service etc/systemd/*.target; do
		start 644 "$u" "$unitdir"
	done ;;
*)
	case $PREFIX in
	/usr)	rcdir=/etc/rc.d ;;
	*)	rcdir=$PREFIX/etc/rc.d ;;
	esac
	for r in etc/rc.d/iked etc/rc.d/netwatchd; do
		start 755 "$r" "$rcdir"
	done ;;
esac

[ -z "$DESTDIR" ] || exit 0

mkdir -p /var/empty
for u in _iked _ikenet _ikekeys _ikekern _netwatch; do
	id "$u" >/dev/null 2>&1 && continue
	echo "install: making user $u"
	case $OS in
	linux)
		useradd --system --user-group --no-create-home \
		    --home-dir /var/empty --shell /usr/sbin/nologin \
		    --comment "ikeep" "$u" ;;
	freebsd)
		pw useradd "$u" -d /var/empty -s /usr/sbin/nologin -c ikeep -w no ;;
	openbsd)
		useradd -d /var/empty -s /sbin/nologin -c ikeep "$u" ;;
	esac
done
