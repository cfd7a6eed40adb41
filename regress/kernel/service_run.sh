#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Inside user-mode Linux (see uml.sh): service_run.sh OBJDIR STEP...  Our programs as
# services of seattle, installed by etc/install.sh into the guest's own file system (the
# overlays: the machine's own files stay as they are).  Each step says ok: or FAILED.
#
# initd	/etc/init.d/iked and netwatchd, that is etc/rc.d/ with our own rc.subr.  What
#	FreeBSD's rc.subr makes of the same scripts is not tested here.
# systemd	a real systemd, process 1 of a PID namespace as in a container, boots to a
#	target of ours; iked must be there before the network, whose part a unit of
#	this test plays.

OBJDIR=$1
shift
BIN=$OBJDIR
. "$(dirname "$0")/lib.sh"
SBIN=/usr/local/sbin
CONF=/etc/iked.conf
failed=0

bad() {
	echo "FAILED: $*"
	failed=1
}
# runs EXPECTED-STATUS PATTERN COMMAND... : its output is in $W/out, too
runs() {
	_want=$1 _pat=$2
	shift 2
	"$@" >"$W/out" 2>&1
	_st=$?
	[ $_st = "$_want" ] || bad "status $_st, not $_want, of $*: $(tail -n 3 "$W/out")"
	grep -q -e "$_pat" "$W/out" || bad "no \"$_pat\" of $*: $(tail -n 3 "$W/out")"
}
eventually() {
	_what=$1
	shift
	wait_for 30 "$@" || bad "$_what"
}

PSK="q7:Rz1!vX0-only-in-the-keys-process"
PLACE="iked.conf:[0-9]*:[0-9]*: "

# One tunnel; with an argument, two.
good_conf() {
	cat >$CONF <<-EOF
	ikev2 "net" ondemand esp from $LAN_SEATTLE to $LAN_BOISE \\
	    local $WAN_SEATTLE peer $WAN_BOISE \\
	    keepalive target 10.2.0.1 interval 2 psk "$PSK"
	EOF
	chmod 600 $CONF
	[ $# = 0 ] || cat >>$CONF <<-EOF
	ikev2 "more" ondemand esp from $LAN_SEATTLE to 10.77.0.0/24 \\
	    local $WAN_SEATTLE peer 203.0.113.9 \\
	    keepalive target 10.77.0.1 psk "Zt4?another-secret-of-good-length"
	EOF
}
bad_conf() { echo 'ikev2 "broken" frm 10.0.0.0/8' >>$CONF; }

# As the policies of seattle, the kernel's word, whoever is alive: by its holder.
traps() { nsenter -t "$HOLDER" -n ip xfrm policy | grep -c "^src 10\."; }
traps_are() { [ "$(traps)" = "$1" ]; }
sas_are() { [ "$(nsenter -t "$HOLDER" -n ip -s xfrm state |
    grep -c 'proto esp spi 0x[0-9a-f]*[1-9a-f]')" = "$1" ]; }
hosts_ping() { on alice ping -n -c 1 -W 2 10.2.0.10; }
# procs PROGRAM: its processes, whatever they call themselves
procs() {
	for _p in $(host_pids seattle); do
		case $(readlink "/proc/$_p/exe") in
		"$SBIN/$1") echo "$_p" ;;
		esac
	done
}
gone() { [ -z "$(procs "$1")" ]; }
count_is() { [ "$(procs "$1" | wc -l)" = "$2" ]; }

# What everything is for: traffic passes, and netwatchd sees it.
works() {
	now
	echo "$1: at $NOW ms"
	eventually "$1: no reply through the tunnel" hosts_ping
	eventually "$1: netwatchd does not say up" keepalive_up
	count_is iked 5 || bad "$1: $(procs iked | wc -l) processes of iked"
	count_is netwatchd 2 || bad "$1: $(procs netwatchd | wc -l) processes of netwatchd"
}
keepalive_up() { inside $SBIN/ipsecctl show keepalive -j | field state | grep -qx up; }
keepalive_has() { inside $SBIN/ipsecctl show keepalive -j | grep -q "\"$1\""; }

boise_was_told() { ! tunnel_is boise up; }

# The promise of a stop: nothing runs, nothing passes, nothing leaves in clear.
stopped() {
	gone iked || bad "processes of iked are left"
	gone netwatchd || bad "processes of netwatchd are left"
	traps_are "$1" || bad "$(traps) traps are left of $1"
	sas_are 0 || bad "SAs are left"
	# What it still wants of the tunnel is its own affair.
	wait_for 5 boise_was_told || bad "boise was not told"
	inside test -e /run/iked.sock && bad "the socket is left"
	inside test -e /run/iked.pid && bad "the pid file is left"
	hosts_ping >/dev/null && bad "a reply without iked"
	:
}

install_all() {
	mkdir -p /run/up/local /run/up/local.w
	mount -t overlay -o lowerdir=/usr/local,upperdir=/run/up/local,workdir=/run/up/local.w \
	    none /usr/local || bad "no overlay on /usr/local"
	(cd "$TOP" && OBJDIR=$OBJDIR DESTDIR='' PREFIX=/usr/local sh etc/install.sh) ||
	    bad "install: $?"
	for _u in _iked _ikenet _ikekeys _ikekern _ikedns _netwatch; do
		id $_u >/dev/null || bad "no user $_u"
	done
	# Once more: nothing is made again, nothing of the person's is lost.
	good_conf
	runs 0 '^$' sh -c 'cd "$1" && OBJDIR=$2 DESTDIR= PREFIX=/usr/local \
	    sh etc/install.sh && echo' sh "$TOP" "$OBJDIR"
	grep -q keepalive $CONF || bad "iked.conf was overwritten"
}

# --- /etc/init.d -----------------------------------------------------------

rc() {
	_name=$1
	shift
	on seattle "/etc/init.d/$_name" "$@"
}
pid_of() { cat "$W/seattle/run/$1.pid"; }

step_initd() {
	inside() { on seattle "$@"; }
	[ -e /etc/rc.subr ] && bad "this system has an rc.subr of its own"
	runs 2 'usage: .*start .* configtest' rc iked nonsense
	for _s in iked netwatchd; do
		runs 3 "$_s is not running" rc $_s status
		runs 0 'configuration OK' rc $_s configtest
		runs 0 'not running' rc $_s stop
		runs 7 'not running' rc netwatchd reload
	done
	if command -v update-rc.d >/dev/null; then
		for _s in iked netwatchd; do
			runs 0 '^$' sh -c 'update-rc.d "$1" defaults && echo' sh $_s
			grep -q -i -e warning -e error "$W/out" && bad "update-rc.d: $(cat "$W/out")"
		done
		echo "links: $(cd /etc && ls -d rc?.d/[SK]??iked rc?.d/[SK]??netwatchd | tr '\n' ' ')"
		[ -e /etc/rcS.d/S??iked ] && [ -e /etc/rc2.d/S??netwatchd ] || bad "no links"
	fi
	echo '#ikev2 "net"' >$CONF
	for _s in iked netwatchd; do
		runs 0 "not started: $CONF has no tunnel yet" rc $_s start
		runs 3 "$_s is not running" rc $_s status
	done
	good_conf
	mv $CONF $CONF.away
	runs 6 "$CONF is not readable" rc iked start
	mv $CONF.away $CONF

	runs 0 'Starting iked' rc iked start
	traps_are 3 || bad "start returned with $(traps) traps"
	runs 0 "iked is running as pid $(pid_of iked)" rc iked status
	runs 0 'already running' rc iked start
	runs 0 'Starting netwatchd' rc netwatchd start
	eventually "netwatchd has no status" rc netwatchd status
	works start

	# A file with errors ends nothing, and is named.
	_iked=$(pid_of iked) _nw=$(pid_of netwatchd)
	bad_conf
	for _s in iked netwatchd; do
		for _do in configtest reload restart; do
			runs 1 "$PLACE" rc $_s $_do
		done
	done
	[ "$_iked $_nw" = "$(pid_of iked) $(pid_of netwatchd)" ] || bad "a bad file ended them"
	traps_are 3 || bad "a bad file changed the traps"

	good_conf two
	runs 0 '^$' sh -c '"$@" && echo' sh nsenter -t "$HOLDER" -m -n /etc/init.d/iked reload
	traps_are 6 || bad "reload: $(traps) traps"
	runs 0 '^$' sh -c '"$@" && echo' sh nsenter -t "$HOLDER" -m -n /etc/init.d/netwatchd reload
	eventually "netwatchd has not reloaded" keepalive_has more

	echo 'iked_flags="-v"' >/etc/default/iked
	for _s in iked netwatchd; do
		_old=$(pid_of $_s)
		runs 0 "Starting $_s" rc $_s restart
		eventually "$_s is not back" rc $_s status
		[ "$(pid_of $_s)" != "$_old" ] || bad "$_s: the same pid"
	done
	tr '\0' ' ' <"/proc/$(pid_of iked)/cmdline" | grep -q -e ' -v ' ||
	    bad "iked_flags are not used"
	traps_are 6 || bad "restart: $(traps) traps"
	works restart

	wait_for 10 tunnel_is boise up || bad "boise is not up before the end"
	runs 0 'Stopping netwatchd' rc netwatchd stop
	runs 0 'Stopping iked' rc iked stop
	stopped 6
	runs 3 'iked is not running' rc iked status

	# After a crash the number in the file may be another process's.
	echo 1 >"$W/seattle/run/iked.pid"
	runs 1 'iked is not running' rc iked status
	runs 0 'not running' rc iked stop
	runs 0 'Starting iked' rc iked start
	eventually "no reply after a stale pid file" hosts_ping
	runs 0 'Stopping iked' rc iked stop
	rm /etc/default/iked
}

# --- systemd ---------------------------------------------------------------

sd() { nsenter -t "$SDPID" -m -n -p -- "$@"; }
sctl() { sd systemctl --no-pager --full "$@"; }
journal() { sd journalctl --no-pager -q -o cat -u "$1"; }
journal_has() { journal "$1" | grep -q -e "$2"; }
active() { [ "$(sctl is-active "$1")" = active ]; }
main_pid() { sctl show --value -p MainPID "$1"; }
booted() { case $(sctl is-system-running) in running|degraded) ;; *) false ;; esac; }

# What networkd or ifupdown would be: addresses and routes, and a look around.
write_units() {
	_dir=/etc/systemd/system
	rm -rf $_dir/*.wants		# what this machine starts is not our matter
	cp "$W/seattle/ip" /etc/ikeep-test.ip
	cat >$_dir/ikeep-test-network.service <<-'EOF'
	[Unit]
	DefaultDependencies=no
	After=network-pre.target
	Wants=network.target
	Before=network.target
	[Service]
	Type=oneshot
	RemainAfterExit=yes
	ExecStart=/bin/sh -c 'ip xfrm policy | grep -c "^src 10" >/run/policies-then; ip -batch /etc/ikeep-test.ip'
	EOF
	cat >$_dir/ikeep-test.target <<-'EOF'
	[Unit]
	Requires=basic.target ikeep-test-network.service
	Wants=iked.service netwatchd.service
	After=basic.target
	AllowIsolate=yes
	EOF
	cat >"$W/boot" <<-'EOF'
	mount --make-rprivate /
	mount -t tmpfs -o mode=755 none /run
	mount -t tmpfs -o mode=1777 none /tmp
	mount -t tmpfs -o mode=755 none /var/log
	mount -t cgroup2 none /sys/fs/cgroup || exit 1
	exec env -i container=ikeep-test PATH="$PATH" \
	    /lib/systemd/systemd --system --unit=ikeep-test.target --show-status=no
	EOF
}

boot() {
	for _i in wan lan; do
		on seattle sh -c 'ip addr flush dev $1; ip link set $1 down' sh $_i
	done
	write_units
	spawn seattle "$OUT/seattle/systemd.log" unshare --pid --fork --mount \
	    --mount-proc --cgroup sh "$W/boot"
	INIT=$SPAWNED
	wait_for 30 grep -q . "/proc/$INIT/task/$INIT/children"
	read -r SDPID _ <"/proc/$INIT/task/$INIT/children"
	wait_for 300 booted && return
	bad "systemd does not come up: $(sctl is-system-running)"
	cat "$OUT/seattle/systemd.log"
	sctl list-jobs
	sctl status iked
	return 1
}

# systemd's confinement adds to that of the children, and replaces none of it.
confined() {
	for _p in $(procs iked); do
		_st=/proc/$_p/status
		[ "$(sed -n 's/^NoNewPrivs:\t//p' $_st)" = 1 ] || bad "$_p: new privileges"
		[ "$(sed -n 's/^Seccomp:\t//p' $_st)" = 2 ] || bad "$_p: no seccomp filter"
		case $(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' $_st) in
		0)	[ "$(sed -n 's/^CapBnd:\t//p' $_st)" = 00000000000415e1 ] ||
			    bad "parent may $(sed -n 's/^CapBnd:\t//p' $_st)" ;;
		*)	[ "$(readlink "/proc/$_p/root")" = /var/empty ] ||
			    bad "$_p: root is $(readlink "/proc/$_p/root")"
			sed -n 's/^CapEff:\t//p' $_st ;;
		esac
	done >"$W/caps"
	[ "$(sort "$W/caps" | tr '\n' ' ')" = \
	    "0000000000000000 0000000000000000 0000000000000000 0000000000001000 " ] ||
	    bad "the children's capabilities: $(cat "$W/caps")"
}

step_systemd() {
	inside() { sd "$@"; }
	systemd-analyze verify iked.service netwatchd.service 2>&1 |
	    grep -v 'Command .man' | grep -e iked -e netwatchd && bad "verify: see above"
	boot || return
	runs 0 '^$' sh -c '"$@" && echo' sh nsenter -t "$SDPID" -m -n -p systemctl -q enable iked netwatchd
	runs 0 enabled sctl is-enabled iked netwatchd

	for _s in iked netwatchd; do
		wait_for 30 active $_s || {
			bad "$_s is $(sctl is-active $_s)"
			journal $_s
			return
		}
		[ "$(main_pid $_s)" = "$(sd cat /run/$_s.pid)" ] || bad "$_s: MainPID"
		runs 0 'Active: active (running)' sctl status $_s
	done
	[ "$(sd cat /run/policies-then)" = 3 ] ||
	    bad "$(sd cat /run/policies-then) policies before the network"
	works boot
	confined
	journal_has iked ' ready: 1 tunnel ' || bad "iked's log is not in the journal"
	n=$(journal iked | grep -c ' ready: 1 tunnel ')
	[ "$n" = 1 ] || bad "iked's line stands $n times in the journal"
	journal_has netwatchd 'watching 1 tunnel' || bad "netwatchd's log is not in the journal"
	sctl status iked netwatchd >"$OUT/seattle/status.txt"
	sd journalctl --no-pager -q -o short-monotonic >"$OUT/seattle/boot.txt"

	# A file with errors: reload fails, says where, and nothing has changed.
	_iked=$(main_pid iked) _nw=$(main_pid netwatchd)
	bad_conf
	for _s in iked netwatchd; do
		runs 1 'failed' sctl reload $_s
		journal_has $_s "$PLACE" || bad "$_s: no place in the journal: $(journal $_s | tail -n 5)"
		active $_s || bad "$_s: a bad file ended it"
	done
	[ "$_iked $_nw" = "$(main_pid iked) $(main_pid netwatchd)" ] || bad "a bad file ended them"
	traps_are 3 || bad "a bad file changed the traps"
	good_conf two
	runs 0 '^$' sh -c '"$@" && echo' sh nsenter -t "$SDPID" -m -n -p systemctl reload iked netwatchd
	traps_are 6 || bad "reload: $(traps) traps"
	eventually "netwatchd has not reloaded" keepalive_has more
	works reload

	# Restarted by hand, by the other name, with flags; killed; traps all the while.
	sd sh -c 'echo "iked_flags=\"-v -l local3\"" >/etc/default/iked'
	sctl restart iked netwatchd || bad "restart: $?"
	traps_are 6 || bad "restart: $(traps) traps"
	[ "$(main_pid iked)" != "$_iked" ] || bad "restart: the same pid"
	sd sh -c "tr '\0' ' ' </proc/$(main_pid iked)/cmdline" | grep -q -e ' -v ' ||
	    bad "iked_flags are not used"
	works restart
	sd journalctl -q -o cat -u iked SYSLOG_FACILITY=19 | grep -q ' ready: ' ||
	    bad "-l local3: nothing of this facility"
	runs 0 'Active: active (running)' sd /etc/init.d/iked status
	_iked=$(main_pid iked)
	sd /etc/init.d/iked restart || bad "/etc/init.d/iked restart: $?"
	[ "$(main_pid iked)" != "$_iked" ] || bad "/etc/init.d/iked: the same pid"
	works init.d
	for _s in iked netwatchd; do
		_old=$(procs $_s | head -n 1)
		sctl kill --kill-who=main -s KILL $_s
		traps_are 6 || bad "killed: $(traps) traps"
		wait_for 20 sh -c "! kill -0 $_old" || bad "$_s was not killed"
		eventually "$_s does not come back" active $_s
	done
	works killed

	wait_for 10 tunnel_is boise up || bad "boise is not up before the end"
	sctl stop netwatchd || bad "stop netwatchd: $?"
	sctl stop iked || bad "stop iked: $?"
	runs 3 'Active: inactive' sctl status iked
	runs 3 'Active: inactive' sctl status netwatchd
	stopped 6

	# Nothing to do: not started, and said; but first, what is left is taken away.
	echo '#ikev2 "net"' >$CONF
	runs 0 '^$' sh -c '"$@" && echo' sh nsenter -t "$SDPID" -m -n -p systemctl start iked
	traps_are 0 || bad "$(traps) traps of tunnels that are not in the file"
	sctl stop iked || bad "stop iked: $?"
	for _s in iked netwatchd; do
		runs 0 '^$' sh -c '"$@" && echo' sh nsenter -t "$SDPID" -m -n -p systemctl start $_s
		runs 3 'not started: .* has no tunnel yet' sctl status $_s
		gone $_s || bad "$_s runs without a tunnel"
	done

	# A file with errors: start fails and says where.  Mended, it comes by itself.
	bad_conf
	for _s in iked netwatchd; do
		sd journalctl -q --rotate --vacuum-time=1s >/dev/null 2>&1
		runs 1 'failed' sctl start $_s
		journal_has $_s "$CONF:[0-9]*:[0-9]*: " || bad "$_s: no place in the journal: $(journal $_s | tail -n 5)"
	done
	gone iked || bad "a bad file, and iked runs"
	traps_are 0 || bad "a failed start: $(traps) traps"
	good_conf two
	eventually "iked does not try again" active iked
	eventually "netwatchd does not try again" active netwatchd
	works again

	[ $failed = 0 ] || { journal iked; journal netwatchd; } | tail -n 100

	# The machine goes down: all ends in order, the policies last.
	sctl poweroff
	wait_for 60 sh -c "! kill -0 $INIT" || bad "systemd does not end"
	gone iked || bad "processes of iked outlive systemd"
	traps_are 6 || bad "power off: $(traps) traps"
}

# --- the run ---------------------------------------------------------------

install_all
for step; do
	echo "--- $step"
	good_conf
	site_make || exit 1
	HOLDER=$PID_seattle
	conf_write boise <<-EOF
	ikev2 "net" ondemand esp from $LAN_BOISE to $LAN_SEATTLE \\
	    local $WAN_BOISE peer $WAN_SEATTLE psk "$PSK"
	EOF
	cap_start clear core toseattle toboise || exit 1
	iked_start boise || exit 1
	"step_$step"
	[ "$(cap_count clear "$CLEAR")" = 0 ] || bad "$step: packets in clear on core"
	[ "$(cap_count clear esp)" -gt 0 ] || bad "$step: the capture has seen no ESP"
	cat "$OUT/boise/iked.log" | tail -n 30
	site_end
	HOSTS=
	W=$(mktemp -d "${TMPDIR:-/tmp}/ikeep.XXXXXX")
	echo "ok: $step"
done
exit $failed
