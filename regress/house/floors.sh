# SPDX-License-Identifier: ISC
# The house's promises that can be read off its sources and objects; and that
# each of these checks sees a planted violation.

. "$SRCDIR/regress/house/lib.subr"
TMPDIR=$(pwd)
CC=$(sed -n 's/^CC=[	 ]*//p' "$OBJDIR/config.mk")

atf_test_case includes
includes_head() { atf_set descr 'A room knows only the rooms below it; no circles'; }
includes_body() { none floors "$SRCDIR"; }

atf_test_case includes_sees
includes_sees_head() { atf_set descr 'The check of floors sees every forbidden arrow'; }
includes_sees_body()
{
	mkdir -p t/iked/base t/iked/wire t/iked/crypto t/iked/conf t/iked/sa \
	    t/iked/exchange t/iked/engine t/iked/proc t/pfkey t/keepalive t/sbin/x
	printf '#include "base/buf.h"\n#include "wire/wire.h"\n' >t/iked/engine/good.c
	none floors "$(pwd)/t"
	plant()
	{
		printf '%s\n' "$2" >"t/$1"
		some "$3" floors "$(pwd)/t"
		rm "t/$1"
		none floors "$(pwd)/t"
	}
	plant iked/base/x.c '#include "wire/wire.h"' 'base must not know iked/wire'
	plant iked/wire/x.h '#include "crypto/crypto.h"' 'wire must not know'
	plant iked/crypto/x.c '# include "conf/conf.h"' 'crypto must not know'
	plant iked/conf/x.c '#include "pfkey/pfkey.h"' 'conf must not know'
	plant pfkey/x.c '#include "wire/wire.h"' 'pfkey must not know'
	plant iked/sa/x.c '#include "exchange/x.h"' 'sa must not know'
	plant iked/exchange/x.c '#include "engine/engine.h"' 'exchange must not know'
	plant iked/engine/x.c '#include "proc/proc.h"' 'engine must not know'
	plant iked/proc/x.c '#include "keepalive/probe.h"' 'proc must not know'
	plant keepalive/x.c '#include "engine/engine.h"' 'keepalive must not know'
	plant sbin/x/x.c '#include "engine/engine.h"' 'sbin must not know'
	plant iked/base/y.c '#include "../proc/proc.h"' 'climbs out'
	plant iked/base/z.c '#include <wire/wire.h>' 'in <>'
	plant iked/attic.c '#include "base/buf.h"' 'in no room'
	printf '#include "base/b.h"\n' >t/iked/base/a.h
	printf '#include "base/a.h"\n' >t/iked/base/b.h
	some 'circle: iked/base/' floors "$(pwd)/t"
}

# The objects below proc.  Those of pfkey that are a transport own a socket.
pure_objects()
{
	for room in base wire crypto conf sa exchange engine; do
		ls "$OBJDIR/obj/iked/$room"/*.o 2>/dev/null
	done
	ls "$OBJDIR/obj/pfkey"/*.o 2>/dev/null | grep -v -E '_sock|/xfrm_linux\.o'
}
transport_objects()
{
	ls "$OBJDIR/obj/pfkey"/*.o 2>/dev/null | grep -E '_sock|/xfrm_linux\.o'
}

atf_test_case purity
purity_head() { atf_set descr 'Nothing below proc has state or does I/O'; }
purity_body()
{
	# shellcheck disable=SC2046
	set -- $(pure_objects)
	[ $# -gt 5 ] || atf_fail "only $# objects to look at"
	none writable "$@" $(transport_objects)
	none calls "$@"
}

atf_test_case purity_sees
purity_sees_head() { atf_set descr 'The check of purity sees state and calls'; }
purity_sees_body()
{
	object()
	{
		cat >"$1.c"
		$CC -O2 -fPIE -D_GNU_SOURCE -c -o "$1.o" "$1.c" || atf_fail "does not compile: $1"
	}
	object good <<'C'
#include <string.h>
static const char *const names[] = { "a", "b" };
const int table[] = { 1, 2, 3 };
const char *name(int i) { return (strchr(names[i], 'a')); }
C
	none writable good.o
	none calls good.o
	n=0
	while read -r line; do
		n=$((n + 1))
		printf '%s\n' "$line" | object "state$n"
		some "state$n.o: writable static data" writable "state$n.o"
	done <<'C'
static int counter; int next(void) { return (++counter); }
int shared = 1;
int common[4];
static const char *name = "x"; const char *get(void) { return (name); } void set(const char *s) { name = s; }
int f(void) { static int calls = 3; return (calls++); }
static _Thread_local int t; int g(void) { return (t++); }
C
	[ $n -eq 6 ] || atf_fail "only $n tried"
	n=0
	while read -r call; do
		n=$((n + 1))
		printf '%s\nint f(int);\nint f(int x) { return (%s); }\n' "
#include <sys/types.h>
#include <sys/socket.h>
#include <assert.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>" "$call" | object "call$n"
		some "call$n.o: calls " calls "call$n.o"
	done <<'C'
(int)time(NULL) + x
clock_gettime(x, (void *)(long)x)
socket(x, x, x)
open("/etc/passwd", x)
fopen("/etc/passwd", "r") == NULL
(int)read(x, (void *)(long)x, 1)
(int)write(x, "", 1)
(int)send(x, "", 1, x)
rand()
(int)random()
printf("%d", x)
getenv("HOME") == NULL
getpid()
(exit(x), x)
(abort(), x)
(syslog(x, "a"), x)
(warnx("%d", x), x)
({ assert(x); x; })
close(x)
C
	[ $n -eq 19 ] || atf_fail "only $n tried"
	printf 'extern void arc4random_buf(void *, unsigned long);\nextern int RAND_bytes(void *, int);\nextern int EVP_PKEY_keygen(void *, void *);\nint f(void *p) { arc4random_buf(p, 1); return (RAND_bytes(p, 1) + EVP_PKEY_keygen(p, p)); }\n' | object random
	some 'calls arc4random_buf' calls random.o
	some 'calls RAND_bytes' calls random.o
	some 'calls EVP_PKEY_keygen' calls random.o
}

atf_test_case sizes
sizes_head() { atf_set descr 'No file over 900 lines, no function over 100 without a reason; the files that run as root under 600'; }
sizes_body()
{
	for f in "$SRCDIR"/iked/proc/parent*.c; do
		[ "$(wc -l <"$f")" -lt 600 ] || atf_fail "$f: the parent is small"
	done
	none long_files "$SRCDIR"
	none long_functions "$SRCDIR"
}

atf_test_case sizes_sees
sizes_sees_body()
{
	mkdir t
	awk 'BEGIN { for (i = 0; i < 900; i++) print "/* */" }' >t/ok.c
	none long_files "$(pwd)/t"
	echo >>t/ok.c
	some 'ok.c: 901 lines' long_files "$(pwd)/t"
	printf 'int\nf(void)\n{\n' >t/f.c
	awk 'BEGIN { for (i = 0; i < 98; i++) print "\t;" }' >>t/f.c
	cp t/f.c t/g.c
	printf '}\n' >>t/f.c
	printf '\t;\n}\n' >>t/g.c
	some 'g.c:2: f has 102 lines' long_functions "$(pwd)/t"
	[ "$(wc -l <found)" -eq 1 ] || atf_fail "f.c has 101 only"
	sed -i '1i/* over 100 lines: a table in disguise */' t/g.c
	none long_functions "$(pwd)/t"
}

atf_test_case own_ground
own_ground_head() { atf_set descr 'Nothing names a place outside the repository'; }
own_ground_body() { none outside "$SRCDIR"; }

atf_test_case own_ground_sees
own_ground_sees_body()
{
	mkdir t
	echo 'see docs/shared.md and the network /worker/' >t/a
	none outside "$(pwd)/t"
	for w in '../sha''red/facts/x.md' '.libr''ary/search' 'farm''-bench' \
	    'cat /wo''rk/main/x' '/tmp/''w/x'; do
		echo "$w" >t/b
		some 't/b:1:' outside "$(pwd)/t"
	done
}

atf_test_case licence
licence_body() { none unlicensed "$SRCDIR"; }

atf_test_case licence_sees
licence_sees_body()
{
	mkdir t
	echo 'int x;' >t/a.c
	some 't/a.c: no SPDX' unlicensed "$(pwd)/t"
}

atf_init_test_cases()
{
	atf_add_test_case includes
	atf_add_test_case includes_sees
	atf_add_test_case purity
	atf_add_test_case purity_sees
	atf_add_test_case sizes
	atf_add_test_case sizes_sees
	atf_add_test_case own_ground
	atf_add_test_case own_ground_sees
	atf_add_test_case licence
	atf_add_test_case licence_sees
}
