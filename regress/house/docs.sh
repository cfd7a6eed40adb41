# SPDX-License-Identifier: ISC
# Documents say what the code does: every keyword, option, command and JSON key is in
# its page, every example loads; and each of these checks sees a planted mistake.

. "$SRCDIR/regress/house/lib.subr"
TMPDIR=$(pwd)
MAN=$SRCDIR/share/man
PSK='psk "0123456789abcdefghijklmn"'
CC=$(sed -n 's/^CC=[	 ]*//p' "$OBJDIR/config.mk")

# spoil FROM TO COMMAND...: a copy with one thing changed
spoil()
{
	from=$1 to=$2
	shift 2
	sed "$@" "$from" >"$to"
	cmp -s "$from" "$to" && atf_fail "nothing is spoilt in $to: $*"
	:
}

# ---- words ----

# lacks PAGE MACRO <WORDS: those that are nowhere an argument of that mdoc macro;
# with "It" anywhere on such a line will do
lacks()
{
	awk -v m="$2" -v page="${1##*/}" '
	FNR == NR && /^\./ {
		on = 0
		for (i = 1; i <= NF; i++) {
			w = $i
			if (i == 1)
				sub(/^\./, "", w)
			if (w == m)
				on = 1
			else if (m != "It" && w ~ /^[A-Z][a-z0-9]$/)
				on = 0
			else if (on) {
				sub(/,$/, "", w)
				have[w] = 1
			}
		}
	}
	FNR != NR && !($1 in have) { print page ": no " m " " $1 }' "$1" -
}

# The tables of words of iked.conf, from the library that the parser uses.
conf_words()
{
	cat >words.c <<'C'
#include <stdio.h>
#include "conf/conf.h"
#include "base/xform.h"
int
main(int argc, char **argv)
{
	const struct xform_info *xi;
	size_t i;
	(void)argv;
	if (argc == 1)
		for (i = 0; conf_keyword(i) != NULL; i++)
			puts(conf_keyword(i));
	else
		for (i = 0; (xi = xform_row(i)) != NULL; i++)
			if (xi->type != XF_SN && xi->id != ENCR_NULL)
				puts(xi->name);
	return (0);
}
C
	# shellcheck disable=SC2046
	$CC -I"$SRCDIR/iked" -o words words.c "$OBJDIR/libiked.a" \
	    $(sed -n 's/^IKED_LIBS=[	 ]*//p' "$OBJDIR/config.mk") ||
	    atf_fail "does not compile: words.c"
	./words | sort -u >keywords
	./words xforms | sort -u >xforms
	[ "$(wc -l <keywords)" -gt 60 ] || atf_fail "few keywords: $(cat keywords)"
	[ "$(wc -l <xforms)" -gt 25 ] || atf_fail "few transforms: $(cat xforms)"
	# words that are refused, and other people's words, are in no table of the library
	sed -n '/later\[\] = {/,/};/p' "$SRCDIR/iked/conf/conf_xform.c" |
	    grep -o '"[^"]*"' | tr -d '"' >later
	sed -n '/aliases\[\] = {/,/};/p' "$SRCDIR/iked/base/xform.c" |
	    sed -n 's/.*{ XF_[A-Z]*, "\([^"]*\)".*/\1/p' | sort -u >aliases
	[ -s later ] && [ -s aliases ] || atf_fail "lists have moved"
}

# unsaid PAGE <WORDS: those that are no word of the page at all
unsaid()
{
	tr -c 'A-Za-z0-9_-' '\n' <"$1" | sort -u >said
	sort -u | comm -23 - said | sed "s,^,${1##*/}: not a word of ,"
}

atf_test_case keywords
keywords_head() { atf_set descr 'Every keyword and transform of iked.conf is in its page'; }
keywords_body()
{
	conf_words
	none lacks "$MAN/iked.conf.5" Ic <keywords
	none lacks "$MAN/iked.conf.5" It <xforms
	none lacks "$MAN/iked.conf.5" It <later
	none unsaid "$MAN/iked.conf.5" <aliases
}

atf_test_case keywords_sees
keywords_sees_body()
{
	conf_words
	spoil "$MAN/iked.conf.5" p 's/childsa/childsb/g; s/ecp521/ecp512/g'
	some 'no Ic childsa' lacks p Ic <keywords
	some 'no It ecp521' lacks p It <xforms
	spoil "$MAN/iked.conf.5" p 's/Ic tolerate/Cm tolerate/'
	some 'no Ic tolerate' lacks p Ic <keywords
	spoil "$MAN/iked.conf.5" p 's/grp19/group 19/'
	some 'not a word of grp19' unsaid p <aliases
}

# ---- transforms and defaults ----

# xform_table PAGE: kind name places flag
xform_table()
{
	awk '/^\.Sh/ { on = $2 == "TRANSFORMS" }
	on && /^\.It Sy/ { kind = $3; sub(/,$/, "", kind); next }
	on && /^\.It / {
		sub(/^\.It /, "")
		n = split($0, col, " Ta ")
		gsub(/ /, "", col[2])
		flag = col[3]
		sub(/,.*/, "", flag)
		k = split(col[1], name, ", ")
		for (i = 1; i <= k; i++)
			print kind, name[i], col[2], flag
	}' "$1"
}

# What iked reads has to be its owner's alone.
umask 077

check() { "$OBJDIR/iked" -n "$@"; }
stmt() { printf 'ikev2 "t" from 10.1.0.0/24 to 10.2.0.0/24 peer any %s %s\n' "$1" "$PSK"; }

# misplaced PAGE: rows of the table that iked sees otherwise
misplaced()
{
	xform_table "$1" | while read -r kind name places flag; do
		for place in ikesa childsa; do
			stmt "$place $kind $name" >c
			said=refuses
			check -f c >out 2>&1 && said=takes
			want=refuses
			case ,$places, in *,$place,*) want=takes ;; esac
			[ $said = $want ] || echo "$place $kind $name: iked $said it"
			[ $said = takes ] || continue
			grep -q 'is weak' out && [ "$flag" != weak ] &&
			    echo "$kind $name is weak"
			grep -q 'is weak' out || [ "$flag" != weak ] ||
			    echo "$kind $name is not weak"
		done
	done
}

# otherwise PAGE: defaults of the table that are not iked's
otherwise()
{
	stmt "" >c
	check -v -f c 2>/dev/null >canon || echo "does not load"
	for place in ikesa childsa; do
		for kind in enc auth group; do
			grep "^	$place " canon | grep -o "$kind [^ ]*" | sort -u >is
			xform_table "$1" | awk -v k=$kind -v p=$place '
			    $1 == k && $2 != "none" && ($4 == "yes" || $4 == p) {
				print k, $2 }' | sort -u >says
			diff says is | sed -n "s/^</$place: not by default:/p; s/^>/$place: default, too:/p"
		done
	done
}

atf_test_case transforms
transforms_head() { atf_set descr 'The table of transforms is what iked takes, and its defaults'; }
transforms_body()
{
	[ "$(xform_table "$MAN/iked.conf.5" | wc -l)" -gt 25 ] || atf_fail "no table"
	none misplaced "$MAN/iked.conf.5"
	none otherwise "$MAN/iked.conf.5"
	conf_words
	while read -r w; do
		ok=
		for kind in enc auth prf group; do
			stmt "ikesa $kind $w" >c
			check -f c >/dev/null 2>&1 && ok=1
		done
		[ -n "$ok" ] || echo "$w"
	done <aliases >bad
	[ ! -s bad ] || atf_fail "no such other word: $(cat bad)"
}

atf_test_case transforms_sees
transforms_sees_body()
{
	cat >p <<'P'
.Sh TRANSFORMS
.It Sy enc Ta Sy for Ta Sy default
.It aes-256-gcm, rot-13 Ta ikesa, childsa Ta yes
.It 3des Ta ikesa, childsa Ta \&
.It aes-128-ctr Ta childsa Ta weak
P
	some 'ikesa enc rot-13: iked refuses it' misplaced p
	some 'ikesa enc 3des: iked refuses it' misplaced p
	some 'enc 3des is weak' misplaced p
	some 'aes-128-ctr is not weak' misplaced p
	some 'ikesa: default, too: enc aes-128' otherwise p
	some 'childsa: not by default: enc rot-13' otherwise p
}

# Numbers that both the page and iked say
atf_test_case defaults
defaults_head() { atf_set descr 'Default times and sizes of the page are those of iked'; }
defaults_body()
{
	stmt keepalive >c
	check -v -f c >canon 2>/dev/null || atf_fail "does not load"
	n=0
	while IFS='|' read -r code text; do
		n=$((n + 1))
		grep -q -e "$code" canon || atf_fail "not what iked does: $code"
		grep -q -e "$text" "$MAN/iked.conf.5" || atf_fail "not in the page: $text"
	done <<'T'
"t" passive|^.Ic passive .$
set active|This is the default.
set dpd_check_interval 60$|Default: 60 seconds.
ikelifetime 28800 |Default: 8 hours.
lifetime 10800 bytes 4294967296|Ic lifetime No 3h Ic bytes No 4G
keepalive.* interval 10000ms|every 10 seconds.
keepalive.* timeout 2000ms |^Default: 2 seconds.
keepalive.* fall 4 |^Default: 4.
keepalive.* probe icmp size 64 |^Default: 64.
keepalive.* pace optimized |^Default: optimized; of
keepalive.* dscp 48|^Default: 48$
T
	[ $n -eq 11 ] || atf_fail "$n tried"
	# limits that the page names
	for w in 'ikelifetime 10' 'lifetime 366d bytes 0' 'keepalive interval 100ms' \
	    'keepalive interval 24h' 'keepalive timeout 60s' 'keepalive fall 20' \
	    'keepalive timeout 100ms' 'keepalive rise 20' 'keepalive size 9000' \
	    'keepalive probe tcp 22 interval 1s' 'keepalive interval 100ms timeout 2s'; do
		stmt "$w" >c
		check -f c >out 2>&1 || { cat out; atf_fail "$w is refused"; }
	done
	for w in 'ikelifetime 9' 'lifetime 367d' 'keepalive interval 99ms' \
	    'keepalive interval 25h' 'lifetime 0' 'keepalive timeout 61s' \
	    'keepalive timeout 99ms' 'keepalive fall 21' 'keepalive rise 21' \
	    'keepalive size 9001' 'keepalive size 63' 'keepalive dscp 64' \
	    'keepalive probe tcp 22 interval 999ms' 'keepalive interval 100ms timeout 2001ms' \
	    'keepalive quorum 2'; do
		stmt "$w" >c
		check -f c >out 2>&1 && atf_fail "$w is taken"
	done
	:
}

# ---- examples ----

# displays FILE: configurations among the literal displays of a page, the fenced
# blocks of a README, or all of a file; as ex.1.conf ex.2.conf ...
displays()
{
	rm -f ex.*.conf
	case $1 in
	*.[58])	awk '/^\.Bd -literal/ { n++; on = 1; next } /^\.Ed/ { on = 0 }
		on { sub(/\\e$/, "\\"); print >("ex." n ".conf") }' "$1" ;;
	*.md)	awk '/^```conf$/ { n++; on = 1; next } /^```/ { on = 0 }
		on { print >("ex." n ".conf") }' "$1" ;;
	*)	cp "$1" ex.1.conf ;;
	esac
	# what has no statement is no configuration, but an answer or a fragment
	for e in ex.*.conf; do
		[ -f "$e" ] || continue
		grep -q '^ikev2 ' "$e" || rm "$e"
	done
}

# uncanonical FILE: iked -nvv prints what does not load, or means something else; and
# iked -nv prints secrets
uncanonical()
{
	check -v -v -f "$1" >canon 2>/dev/null || echo "$1: is not printed"
	check -v -v -f canon >again 2>/dev/null || echo "$1: the canonical text is refused"
	cmp -s canon again || echo "$1: the canonical text means something else"
	grep -q '^	psk ' canon || echo "$1: no secret with -nvv"
	check -v -f "$1" 2>/dev/null >canon
	grep -q '^ikev2 ' canon || echo "$1: nothing with -nv"
	grep -v '^#' canon | grep 'psk '
}

# unloadable COUNT FILE: examples that iked does not take, or not COUNT of them
unloadable()
{
	displays "$2"
	n=0
	for e in ex.*.conf; do
		[ -f "$e" ] || continue
		n=$((n + 1))
		chmod 600 "$e"
		grep -o 'psk file "[^"]*"' "$e" | sed 's/.*"\(.*\)"/\1/' | while read -r k; do
			"$OBJDIR/ipsecctl" genpsk >"$k"
		done
		check -f "$e" >out 2>&1 || { echo "${2##*/}: $e is refused:"; cat out; }
		uncanonical "$e"
		if grep warning: out | grep -v 'is weak'; then
			echo "${2##*/}: $e has warnings"
		fi
		"$OBJDIR/netwatchd" -n -f "$e" >out 2>&1 || { echo "${2##*/}: $e:"; cat out; }
	done
	[ "$n" -eq "$1" ] || echo "${2##*/}: $n examples, not $1"
}

# The statement that etc/iked.conf has as a comment
uncommented()
{
	awk '/^#ikev2/ { on = 1 } on { more = /\\$/; sub(/^#/, ""); print; on = more }' "$1"
}

# mirror FILE: who talks to whom, seen from the other side; to compare
ends()
{
	check -v -f "$1" 2>/dev/null | sed -n 's/.*from \([^ ]*\) to \([^ ]*\) .*/net \1 \2/p
	    s/.*local \([^ ]*\) peer \([^ ]*\).*/gw \1 \2/p'
}
mirrored() { awk '{ print $1, $3, $2 }'; }

atf_test_case examples
examples_head()
{
	atf_set descr 'Every example of a configuration loads'
	atf_set require.progs openssl
}
examples_body()
{
	files=0
	for f in "$SRCDIR"/share/examples/*.conf; do
		files=$((files + 1))
		none unloadable 1 "$f"
	done
	[ $files -ge 3 ] || atf_fail "$files files"
	none unloadable 7 "$MAN/iked.conf.5"
	none unloadable 1 "$MAN/netwatchd.8"
	none unloadable 2 "$SRCDIR/README.md"
	cat "$SRCDIR/etc/iked.conf" >etc.whole
	check -f etc.whole || atf_fail etc/iked.conf
	uncommented "$SRCDIR/etc/iked.conf" >etc.conf
	none unloadable 1 etc.conf
	# both sides of the offices fit together
	cp "$SRCDIR"/share/examples/* . && chmod 600 ./*.conf || atf_fail cp
	[ -n "$(ends seattle.conf)" ] || atf_fail "no ends"
	[ "$(ends seattle.conf)" = "$(ends boise.conf | mirrored)" ] ||
	    atf_fail "boise.conf is not the mirror of seattle.conf"
	# shellcheck disable=SC2046
	set -- $(ends seattle-routeros.conf | mirrored)
	for w in "src-address=$2 dst-address=$3" "address=$6/32 local-address=$5" \
	    "exchange-mode=ike2" "pfs-group=modp2048"; do
		grep -q "$w" boise.rsc || atf_fail "boise.rsc has no $w"
	done
	grep -q 'childsa .*group modp2048' seattle-routeros.conf || atf_fail "pfs-group differs"
}

atf_test_case examples_sees
examples_sees_head() { atf_set require.progs openssl; }
examples_sees_body()
{
	spoil "$MAN/iked.conf.5" p.5 's/^ikev2 "seattle" ondemand/ikev2 "seattle" ondemandd/'
	some 'ex.[0-9]*.conf is refused' unloadable 5 p.5
	some 'ondemandd' unloadable 5 p.5
	spoil "$SRCDIR/README.md" p.md 's/^ikev2 "boise"/ikev2 boise/'
	some 'p.md: ex.1.conf is refused' unloadable 2 p.md
	spoil "$SRCDIR/share/examples/seattle.conf" p.conf 's/"change me.*/"short"/'
	some 'p.conf: ex.1.conf has warnings' unloadable 1 p.conf
	some '1 examples, not 2' unloadable 2 "$SRCDIR/share/examples/seattle.conf"
	spoil "$SRCDIR/share/examples/boise.conf" p.conf 's/^boise_lan = .*/boise_lan = "10.3.0.0\/24"/'
	cat "$SRCDIR/share/examples/seattle.conf" >s.conf
	[ -n "$(ends s.conf)" ] && [ "$(ends s.conf)" != "$(ends p.conf | mirrored)" ] ||
	    atf_fail "mirrors are not compared"
}

# ---- options and commands ----

# usage PROGRAM: what it says of itself
usage() { "$OBJDIR/$1" -? 2>&1 | sed -n '/^usage/,$p' | sed 's/^usage: *//'; }
# letters PROGRAM: options, one a line
letters() { usage "$1" | grep -o -e '-[A-Za-z]*' | sed 's/^-//' | grep -o . | sort -u; }
# optionless PAGE PROGRAM: options without a paragraph
optionless()
{
	letters "$2" | while read -r o; do
		grep -q "^\.It Fl $o\( \|\$\)" "$1" || echo "${1##*/}: -$o is missing"
	done
	sed -n 's/^\.It Fl \([A-Za-z]\).*/\1/p' "$1" | sort -u >page.opts
	letters "$2" | comm -13 - page.opts | sed "s,^,${1##*/}: $2 has no -,"
}
ctl_words()
{
	usage ipsecctl | tr -c 'a-z\n' ' ' | tr ' ' '\n' |
	    grep -v -x -e '' -e ipsecctl -e socket -e file -e count -e wait -e size -e address -e port -e path -e '[cfgijklmnosvw]' | sort -u
	sed -n '/show_whats\[/,/};/s/.*{ "\([a-z]*\)", "\([a-z]*\)".*/\1 \2/p' \
	    "$SRCDIR/sbin/ipsecctl/show.c" | tr ' ' '\n'
}

atf_test_case options
options_head() { atf_set descr 'Every option and every word of ipsecctl is in its page'; }
options_body()
{
	[ "$(letters iked | tr -d '\n')" = Ddflnosvx ] || atf_fail "iked: $(letters iked)"
	for p in iked netwatchd ipsecctl; do
		none optionless "$MAN/$p.8" $p
	done
	ctl_words >words
	[ "$(wc -l <words)" -gt 20 ] || atf_fail "few words: $(cat words)"
	grep -v -x tunnel words >w
	none lacks "$MAN/ipsecctl.8" Cm <w
	sed -n 's/.*KEY("\([a-z]*\)").*/\1/p' "$SRCDIR/iked/proc/iked.c" >keys
	[ "$(wc -l <keys)" -ge 5 ] || atf_fail "few -o"
	none lacks "$MAN/iked.8" Cm <keys
}

# uncompleted FILE <WORDS: those that a completion file does not offer
uncompleted()
{
	tr -c 'a-z\n' ' ' <"$1" | tr ' ' '\n' | sort -u >offered
	sort -u | comm -23 - offered | sed "s,^,${1##*/}: does not offer ,"
}

atf_test_case completions
completions_head() { atf_set descr 'Completion files offer every word of ipsecctl, and work'; }
completions_body()
{
	# the tables' other names need no help
	ctl_words | grep -v -x -e tunnel -e peer -e sas -e policy -e keepalives -e statistics -e conf >words
	[ "$(wc -l <words)" -gt 20 ] || atf_fail "few words: $(cat words)"
	C=$SRCDIR/share/completions
	grep -v -x -e metrics -e iked -e routeros -e swanctl -e openbsd words >bare
	none uncompleted "$C/ipsecctl.bash" <words
	none uncompleted "$C/_ipsecctl" <words
	none uncompleted "$C/ipsecctl.ksh" <bare
	spoil "$C/ipsecctl.bash" p 's/recreate/recreation/g'
	some 'p: does not offer recreate' uncompleted p <words
	command -v bash >/dev/null || return 0
	mkdir bin
	cat >bin/ipsecctl <<'S'
#! /bin/sh
printf ' "tunnels": [\n  {\n   "tunnel": "salem",\n   "tunnel": "reno two",\n'
S
	chmod 755 bin/ipsecctl
	cat >try <<'S'
PATH=$PWD/bin:$PATH
. "$1"
try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ipsecctl; echo "${COMPREPLY[@]}"; }
try ipsecctl pro
try ipsecctl show sa s
try ipsecctl -s x rekey ""
try ipsecctl show -
S
	atf_check -o inline:'probe\nsalem\nike salem reno\\ two\n-g -j -v -w -i -o\n' \
	    bash try "$C/ipsecctl.bash"
}

atf_test_case options_sees
options_sees_body()
{
	spoil "$MAN/iked.8" p '/^\.It Fl x/d'
	some 'p: -x is missing' optionless p iked
	spoil "$MAN/iked.8" p 's/^\.It Fl x/.It Fl z/'
	some 'p: iked has no -z' optionless p iked
	spoil "$MAN/ipsecctl.8" p 's/Cm flush/Cm flash/'
	ctl_words >words
	some 'no Cm flush' lacks p Cm <words
}

# ---- the control socket ----

# code_keys KIND FUNCTION FILE: "KIND key type" of the object made there
code_keys()
{
	awk -v kind="$1" -v fn="$2" '
	BEGIN {
		type["str"] = type["prefix"] = type["ident"] = "string"
		type["u64"] = type["tenth"] = "number"
		type["bool"] = "boolean"; type["hex"] = "SPI"
		type["addr"] = "address"; type["tslist"] = "nets"
		type["octets"] = "numbers"
	}
	$0 ~ "^" fn "\\(" { on = 1 }
	/^}/ { on = 0 }
	on && /json_suite\(/ { print kind, "suite", "suite" }
	on && /json_traffic\(/ {
		print kind, "bytes_in number\n" kind, "bytes_out number\n" \
		    kind, "packets_in number\n" kind, "packets_out number"
	}
	on && /json_[a-z0-9]+\(&?j, "/ {
		match($0, /json_[a-z0-9]+/)
		t = substr($0, RSTART + 5, RLENGTH - 5)
		split($0, q, "\"")
		if (q[2] != "kind")
			print kind, q[2], t in type ? type[t] : "?"
	}' "$3"
}
all_code_keys()
{
	P=$SRCDIR/iked/proc
	for k in tunnel peer sa policy stats counters; do
		code_keys $k json_$k "$P/control_json.c"
	done
	code_keys keepalive report_json "$P/control_report.c"
	sed -n '/number_names\[.*= {/,/};/p' "$P/control_report.c" | grep -o '"[a-z0-9_]*"' |
	    tr -d '"' | sed 's/^/keepalive /; s/$/ number/'
	code_keys plan json_plan "$P/control_json.c"
	code_keys stats json_exchanges "$P/control_json.c"
	code_keys kernel json_system "$P/control_json.c"
	code_keys configuration json_conf "$P/control_json.c"
	code_keys error reload_error "$P/control.c"
	code_keys version cmd_version "$P/control_cmd.c"
	code_keys event json_event "$P/control_monitor.c"
}
# page_keys PAGE: the same as the page has it
page_keys()
{
	awk '/^\.S[sh] / { kind = $2; sub(/,$/, "", kind) }
	/^\.It Va / { key = $3; next }
	key != "" {
		t = $1
		sub(/[:,]$/, "", t)
		print kind, key, kind == "stats" && t != "string" ? "number" : t
		key = ""
	}' "$1" | grep -v -e '^DESCRIPTION' -e '^Answers'
}
# The same of netwatchd's socket
nw_code_keys()
{
	P=$SRCDIR/keepalive
	code_keys keepalive ctl_json_status "$P/ctl_json.c"
	code_keys history ctl_json_history "$P/ctl_json.c"
	code_keys event ctl_json_event "$P/ctl_json.c"
	code_keys reply say_reply "$P/ctl_ping.c"
	code_keys loss say_loss "$P/ctl_ping.c"
	code_keys ping finish "$P/ctl_ping.c"
	code_keys hop say_hop "$P/ctl_ping.c"
	code_keys version version "$P/ctl_show.c"
}
# wrong_keys PAGE [KEYS]
wrong_keys()
{
	"${2:-all_code_keys}" | sort >is
	page_keys "$1" | sort >says
	diff is says | sed -n 's/^</not in the page: /p; s/^>/not in the code: /p'
}
commands()
{
	sed -n '/^} commands\[\] = {/,/^};/s/.*{ "\([a-z]*\)".*/\1/p' \
	    "$SRCDIR/iked/proc/control_cmd.c"
}

atf_test_case control
control_head() { atf_set descr 'Every command and key of the control socket is in its page'; }
control_body()
{
	[ "$(all_code_keys | wc -l)" -gt 80 ] || atf_fail "few keys: $(all_code_keys)"
	none wrong_keys "$MAN/iked.control.5"
	[ "$(commands | wc -l)" -gt 9 ] || atf_fail "few commands: $(commands)"
	commands >words
	none lacks "$MAN/iked.control.5" Cm <words
	# words that a program compares with
	for f in engine/show.c proc/control_report.c conf/conf.c; do
		sed -n '/^show_.*_name\|^valid_state\|^conf_mode_name/,/^}/p' \
		    "$SRCDIR/iked/$f" | grep -o '"[a-z-]*"' | tr -d '"'
	done | grep -v -x unknown >words
	[ "$(wc -l <words)" -gt 14 ] || atf_fail "few states: $(cat words)"
	none lacks "$MAN/iked.control.5" Cm <words
	{ echo state; echo source; echo target; echo note
	    all_code_keys | awk '$1 == "keepalive" && /rtt|sent|received|lost/ { print $2 }'; } >words
	none lacks "$MAN/iked.control.5" Cm <words
	v=$(sed -n 's/.*CLIENT_PROTOCOL[	 ]*\([0-9]*\).*/\1/p' "$SRCDIR/iked/proc/client.h" | head -1)
	grep -q "version $v of the protocol" "$MAN/iked.control.5" || atf_fail "not version $v"
}

# The keys of the schema's $defs, "kind key", from its own way of indenting
schema_keys()
{
	awk '/^ "\$defs"/ { on = 1 }
	on && /^  "/ { split($0, q, "\""); kind = q[2]; props = 0 }
	on && /^   "properties"/ { props = 1 }
	on && /^   "required"/ { props = 0 }
	on && props && /^    "/ { split($0, q, "\""); if (q[2] != "kind") print kind, q[2] }' "$1"
}
# unlike FILE: keys of its own, and those of the page that it lacks
unlike()
{
	schema_keys "$1" | sort >is
	page_keys "$MAN/iked.control.5" | awk '$1 != "version" && $1 != "error" { print $1, $2 }' |
	    sort >says
	diff is says | sed -n 's/^</not in the page: /p; s/^>/not in the schema: /p'
}

atf_test_case schema
schema_head() { atf_set descr 'The JSON schema has the keys of the page'; }
schema_body()
{
	f=$SRCDIR/share/schema/ipsecctl.json
	[ "$(schema_keys "$f" | wc -l)" -gt 100 ] || atf_fail "few keys: $(schema_keys "$f")"
	none unlike "$f"
	spoil "$f" p 's/"natt"/"nat"/g'
	some 'not in the page: *peer nat' unlike p
	some 'not in the schema: *peer natt' unlike p
}

atf_test_case nwcontrol
nwcontrol_head() { atf_set descr 'The same of the control socket of netwatchd'; }
nwcontrol_body()
{
	[ "$(nw_code_keys | wc -l)" -gt 20 ] || atf_fail "few keys: $(nw_code_keys)"
	none wrong_keys "$MAN/netwatchd.control.5" nw_code_keys
	sed -n '/^} commands\[\] = {/,/^};/s/.*{ "\([a-z]*\)".*/\1/p' \
	    "$SRCDIR/keepalive/ctl_cmd.c" >words
	[ "$(wc -l <words)" -gt 4 ] || atf_fail "few commands: $(cat words)"
	for f in watch.c watch_status.c; do
		sed -n '/^watch_.*_name/,/^}/p' "$SRCDIR/keepalive/$f" | grep -o '"[a-z-]*"' |
		    tr -d '"'
	done >>words
	sed -n '/^} families\[/,/^};/s/^	{ "\([a-z_]*\)".*/ikeep_keepalive_\1/p' \
	    "$SRCDIR/keepalive/metrics.c" >>words
	[ "$(wc -l <words)" -gt 24 ] || atf_fail "few words: $(cat words)"
	none lacks "$MAN/netwatchd.control.5" Cm <words
	spoil "$MAN/netwatchd.control.5" p 's/^\.It Va late$/.It Va latish/; s/rtt_min_seconds/rtt_least_seconds/'
	some 'not in the page: *keepalive late number' wrong_keys p nw_code_keys
	some 'no Cm ikeep_keepalive_rtt_min_seconds' lacks p Cm <words
}

atf_test_case control_sees
control_sees_body()
{
	spoil "$MAN/iked.control.5" p 's/^\.It Va natt$/.It Va nat/'
	some 'not in the page: *peer natt string' wrong_keys p
	some 'not in the code: *peer nat string' wrong_keys p
	spoil "$MAN/iked.control.5" p 's/^number: its Child SAs\.$/string: its Child SAs./'
	some 'not in the page: *peer children number' wrong_keys p
	spoil "$MAN/iked.control.5" p 's/^\.It Cm counters/.It Cm counts/; s/, check , counters/, check/; s/^\.Cm counters/.Cm counts/'
	commands >words
	some 'no Cm counters' lacks p Cm <words
}

# ---- log lines ----

# unlogged PAGE: lines of DIAGNOSTICS (three dots stand for anything) whose parts are no
# texts of the code
unlogged()
{
	# One line, neighbours among the strings joined
	cat "$SRCDIR"/iked/*/*.c "$SRCDIR"/pfkey/*.c | sed 's/\\"/@/g' | tr '\n\t' '  ' |
	    sed 's/" *"//g; s/@/"/g' >code
	sed -n '/^\.Sh DIAGNOSTICS/,/^\.Sh SEE/s/^\.It Li //p' "$1" |
	    sed 's/\\(dq/"/g; s/^warning: //; s/ *\.\.\. */\n/g' |
	    sed 's/^[";:,. ]*//; s/[":, ]*$//' | sort -u | while read -r part; do
		[ ${#part} -lt 2 ] || grep -q -F -e "$part" code ||
		    echo "nobody says: $part"
	done
}

atf_test_case diagnostics
diagnostics_head() { atf_set descr 'The log lines that iked(8) explains are those that iked writes'; }
diagnostics_body()
{
	[ "$(grep -c '^\.It Li' "$MAN/iked.8")" -gt 25 ] || atf_fail "few lines"
	none unlogged "$MAN/iked.8"
}

atf_test_case diagnostics_sees
diagnostics_sees_body()
{
	spoil "$MAN/iked.8" p 's/AUTH does not verify: the secrets differ/AUTH does not verify/; s/is UDP \.\.\. open/is port ... open/; s/^\.It Li the kernel has lost its SA/.It Li the kernel has lost all SAs/'
	some 'nobody says: the kernel has lost all SAs' unlogged p
	some 'nobody says: .*is port' unlogged p
}

# ---- README and CHANGES ----

# fenced LANGUAGE FILE: the lines of those blocks
fenced() { awk -v f="^\`\`\`$1\$" '$0 ~ f { on = 1; next } /^```/ { on = 0 } on' "$2"; }

# untrue FILE: make targets, paths and commands of a README that are not there
untrue()
{
	{ grep -o '`make [a-z-]*' "$1"; fenced sh "$1" | grep '^make'; } | sort -u |
	while read -r _ t _; do
		[ -z "$t" ] || grep -q "^$t:" "$SRCDIR/Makefile" || echo "no target $t"
	done
	grep -o -E '(^|[^/a-z])(iked|pfkey|keepalive|sbin|etc|share|regress)/[A-Za-z0-9_./-]+' "$1" |
	    sed 's/^[^a-z]//; s/[.]$//' | sort -u | while read -r p; do
		[ -e "$SRCDIR/$p" ] || echo "no file $p"
	done
	ctl_words >cw
	grep -o 'ipsecctl [a-z]*\( [a-z]*\)\{0,1\}' "$1" | sort -u | while read -r _ a b; do
		[ -n "$a" ] || continue		# an option
		grep -q -x -e "$a" cw || echo "no ipsecctl $a"
		[ "$a" != show ] || [ -z "$b" ] || [ "$b" = on ] || grep -q -x -e "$b" cw ||
		    echo "no ipsecctl show $b"
	done
	# what never saw its own system is named
	for f in "$SRCDIR"/iked/*/*_freebsd.c "$SRCDIR"/iked/*/*_openbsd.c \
	    "$SRCDIR"/keepalive/*_freebsd.c "$SRCDIR"/keepalive/*_openbsd.c \
	    "$SRCDIR"/pfkey/*_freebsd.c "$SRCDIR"/pfkey/*_openbsd.c \
	    "$SRCDIR"/sbin/*/*_freebsd.c "$SRCDIR"/sbin/*/*_openbsd.c \
	    "$SRCDIR"/sbin/*/*_bsd.c "$SRCDIR"/iked/*/*_bsd.c; do
		[ -f "$f" ] || continue
		grep -q -F "${f#"$SRCDIR"/}" "$1" || echo "not named: ${f#"$SRCDIR"/}"
	done
}

atf_test_case readme
readme_head() { atf_set descr 'README names targets, files and commands that are there'; }
readme_body()
{
	[ "$(fenced sh "$SRCDIR/README.md" | wc -l)" -gt 8 ] || atf_fail "no commands"
	none untrue "$SRCDIR/README.md"
	head -1 "$SRCDIR/CHANGES" | grep -q -E '^ikeep [0-9]+(\.[0-9]+)*( |$)' ||
	    atf_fail "CHANGES does not begin with a version"
	v=$(sed -n 's/^VERSION=[	 ]*//p' "$OBJDIR/config.mk")
	head -1 "$SRCDIR/CHANGES" | grep -q -F "ikeep $v" || atf_fail "another version: $v"
}

atf_test_case readme_sees
readme_sees_body()
{
	spoil "$SRCDIR/README.md" p 's/make bench/make benhc/; s,share/examples/boise.rsc,share/examples/boise.src,; s/ipsecctl show peers/ipsecctl show pairs/; s,iked/proc/udp_freebsd.c,,'
	some 'no target benhc' untrue p
	some 'no file share/examples/boise.src' untrue p
	some 'no ipsecctl show pairs' untrue p
	some 'not named: iked/proc/udp_freebsd.c' untrue p
}

atf_test_case nftables
nftables_head()
{
	atf_set descr 'The rules that README shows are rules'
	atf_set require.user root
	atf_set require.progs "nft unshare"
}
nftables_body()
{
	fenced nft "$SRCDIR/README.md" >rules
	grep -q masquerade rules || atf_fail "no rules"
	echo 'table ip t { }' >empty
	unshare -n nft -c -f empty 2>/dev/null || atf_skip "this kernel has no nf_tables"
	atf_check unshare -n nft -c -f rules
	sed 's/masquerade/mascarade/' rules >bad
	atf_check -s not-exit:0 -e ignore unshare -n nft -c -f bad
}

atf_init_test_cases()
{
	atf_add_test_case keywords
	atf_add_test_case keywords_sees
	atf_add_test_case transforms
	atf_add_test_case transforms_sees
	atf_add_test_case defaults
	atf_add_test_case examples
	atf_add_test_case examples_sees
	atf_add_test_case options
	atf_add_test_case completions
	atf_add_test_case options_sees
	atf_add_test_case control
	atf_add_test_case control_sees
	atf_add_test_case schema
	atf_add_test_case nwcontrol
	atf_add_test_case diagnostics
	atf_add_test_case diagnostics_sees
	atf_add_test_case readme
	atf_add_test_case readme_sees
	atf_add_test_case nftables
}
