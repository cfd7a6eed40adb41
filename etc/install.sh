#! /bin/sh
# SPDX-License-Identifier: ISC
#
# make install: programs, manual pages, start scripts, examples, and (without
# DESTDIR) the users the processes run as.  A configuration that is there is
# never overwritten.
#
# Environment: OBJDIR, DESTDIR, PREFIX, EXAMPLESDIR; DESTDIR set: a package is being
# made, so users are left to it, and on FreeBSD the making of iked.conf, too.

set -eu
OBJDIR=${OBJDIR:-build} DESTDIR=${DESTDIR:-}
value() { sed -n "s/^$1=[	 ]*//p" "$OBJDIR/config.mk"; }
PREFIX=${PREFIX:-$(value PREFIX)}
SYSCONFDIR=$(value SYSCONFDIR)
RUNDIR=$(value RUNDIR)
EMPTYDIR=$(value EMPTYDIR)
EXAMPLESDIR=${EXAMPLESDIR:-$PREFIX/share/examples/ikeep}
OS=$(value OS)
D=$DESTDIR

# put MODE FILE DIRECTORY [NAME]: silently nothing where the room is empty
put()
{
	[ -f "$2" ] || return 0
	mkdir -p "$D$3"
	install -m "$1" "$2" "$D$3/${4:-${2##*/}}"
}

# text: the same, and what is in it says where things are here
text()
{
	[ -f "$2" ] || return 0
	put "$@"
	sed "s,/etc/iked\.conf,$SYSCONFDIR/iked.conf,g; s,/var/run,$RUNDIR,g
	    s,/var/empty,$EMPTYDIR,g" "$2" >"$D$3/${4:-${2##*/}}"
}

for p in iked netwatchd ipsecctl; do
	put 755 "$OBJDIR/$p" "$PREFIX/sbin"
done
for s in 1 5 7 8; do
	for m in share/man/*."$s"; do
		text 644 "$m" "$PREFIX/share/man/man$s"
	done
done
# OpenIKED's ikectl(8), for who is used to it.
if [ -f "$OBJDIR/ipsecctl" ]; then
	ln -sf ipsecctl "$D$PREFIX/sbin/ikectl"
	ln -sf ipsecctl.8 "$D$PREFIX/share/man/man8/ikectl.8"
fi
put 644 share/completions/ipsecctl.bash "$PREFIX/share/bash-completion/completions" ipsecctl
put 644 share/completions/ipsecctl.bash "$PREFIX/share/bash-completion/completions" ikectl
put 644 share/completions/_ipsecctl "$PREFIX/share/zsh/site-functions"
put 644 share/schema/ipsecctl.json "$PREFIX/share/ikeep/schema"
put 644 share/completions/ipsecctl.ksh "$PREFIX/share/ikeep"
for f in share/examples/*; do
	text 644 "$f" "$EXAMPLESDIR"
done

# It may hold secrets: for root alone.  A package of FreeBSD has a sample, and makes
# the file of it by itself (pkg-plist's @sample).
text 644 etc/iked.conf "$EXAMPLESDIR" iked.conf.sample
case $OS,$DESTDIR in
freebsd,?*)
	text 600 etc/iked.conf "$SYSCONFDIR" iked.conf.sample ;;
*)
	[ -e "$D$SYSCONFDIR/iked.conf" ] || text 600 etc/iked.conf "$SYSCONFDIR" ;;
esac

# start MODE FILE DIRECTORY: start scripts name programs and files by full paths
start()
{
	mkdir -p "$D$3"
	sed "s,@SBINDIR@,$PREFIX/sbin,g; s,@DATADIR@,$PREFIX/share/ikeep,g
	    s,@SYSCONFDIR@,$SYSCONFDIR,g; s,@RUNDIR@,$RUNDIR,g" "$2" >"$D$3/${2##*/}"
	chmod "$1" "$D$3/${2##*/}"
}
case $OS in
freebsd)
	case $PREFIX in
	/usr)	rcdir=/etc/rc.d ;;
	*)	rcdir=$PREFIX/etc/rc.d ;;
	esac
	start 755 etc/rc.d/iked "$rcdir"
	start 755 etc/rc.d/netwatchd "$rcdir" ;;
linux)
	# Both: whichever init is there takes its own.
	start 755 etc/rc.d/iked /etc/init.d
	start 755 etc/rc.d/netwatchd /etc/init.d
	put 644 etc/rc.d/rc.subr "$PREFIX/share/ikeep"
	case $PREFIX in
	/usr)	unitdir=/lib/systemd/system ;;
	*)	unitdir=/etc/systemd/system ;;
	esac
	# systemd dislikes the old name of /run.
	case $RUNDIR in
	/var/run|/var/run/*) RUNDIR=${RUNDIR#/var} ;;
	esac
	start 755 etc/systemd/wanted "$PREFIX/share/ikeep"
	start 644 etc/systemd/iked.service "$unitdir"
	start 644 etc/systemd/netwatchd.service "$unitdir" ;;
esac

[ -z "$DESTDIR" ] || exit 0

mkdir -p "$EMPTYDIR"
for u in _iked _ikenet _ikekeys _ikekern _ikedns _netwatch; do
	id "$u" >/dev/null 2>&1 && continue
	echo "install: making user $u"
	case $OS in
	linux)
		useradd --system --user-group --no-create-home \
		    --home-dir "$EMPTYDIR" --shell /usr/sbin/nologin \
		    --comment "ikeep" "$u" ;;
	freebsd)
		pw useradd "$u" -d "$EMPTYDIR" -s /usr/sbin/nologin -c ikeep -w no ;;
	openbsd)
		useradd -d "$EMPTYDIR" -s /sbin/nologin -c ikeep "$u" ;;
	esac
done

# A running systemd reads its units only when told.
if [ "$OS" = linux ] && [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
