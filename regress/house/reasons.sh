# SPDX-License-Identifier: ISC
# Every reason of iked is used, and is in iked.reasons(7), and no other is; and no line
# of the protocol's floors, and no warning of the processes, goes without one.

. "$SRCDIR/regress/house/lib.subr"
MAN=$SRCDIR/share/man/iked.reasons.7

# table FILE: "ID word" of the table
table() { sed -n 's/^	X(\([A-Z0-9_]*\), "\([a-z0-9-]*\)").*/\1 \2/p' "$1"; }
# not_same PAGE: words that only one of the two has
not_same()
{
	table "$SRCDIR/iked/base/reason.h" | cut -d ' ' -f 2 | sort >is
	sed -n 's/^\.It Cm //p' "$1" | sort >says
	diff is says | sed -n 's/^</not in the page:/p; s/^>/not in the table:/p'
}
# idle TABLE: reasons that no code gives
idle()
{
	cat "$SRCDIR"/iked/*/*.c >code
	table "$1" | while read -r id _; do
		grep -q "WHY_$id[^A-Z0-9_]" code || echo "nobody gives $id"
	done
}
# bare FILE...: lines of these floors that have no reason
bare()
{
	grep -n 'log_\(info\|warnx\|warn\)(' "$@" /dev/null | sed 's/:.*log_/: log_/'
}

# warned FILE...: the same of warnings
warned()
{
	grep -n 'log_\(warnx\|warn\)(' "$@" /dev/null | sed 's/:.*log_/: log_/'
}

atf_test_case page
page_head() { atf_set descr 'The table of reasons and iked.reasons(7) are the same'; }
page_body()
{
	[ "$(table "$SRCDIR/iked/base/reason.h" | wc -l)" -gt 40 ] || atf_fail "few reasons"
	[ -z "$(table "$SRCDIR/iked/base/reason.h" | cut -d ' ' -f 2 | sort | uniq -d)" ] ||
	    atf_fail "a word is there twice"
	none not_same "$MAN"
	sed 's/^\.It Cm selectors/.It Cm selector/' "$MAN" >p
	some 'not in the page: selectors' not_same p
	some 'not in the table: selector' not_same p
}

atf_test_case used
used_head() { atf_set descr 'Every reason is given somewhere, and every event has one'; }
used_body()
{
	none idle "$SRCDIR/iked/base/reason.h"
	{ cat "$SRCDIR/iked/base/reason.h"; printf '\tX(TEAPOT, "teapot")\n'; } >t
	some 'nobody gives TEAPOT' idle t
	none bare "$SRCDIR"/iked/sa/*.c "$SRCDIR"/iked/exchange/*.c "$SRCDIR"/iked/engine/*.c
	printf '\tlog_info(w->log, "it happens");\n' >x.c
	some 'x.c: log_info' bare x.c
	none warned "$SRCDIR"/iked/proc/*.c
	printf '\tlog_warn(plog(), "it breaks");\n' >y.c
	some 'y.c: log_warn' warned x.c y.c
}

atf_init_test_cases()
{
	atf_add_test_case page
	atf_add_test_case used
}
