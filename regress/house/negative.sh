# SPDX-License-Identifier: ISC
# The index of the negative tests is true.

# index FILE DIRECTORY: what is wrong with it, a line each; the tests are below DIRECTORY
index()
{
	awk -v dir="$2" '
	function wrong(s) { print FILENAME ":" FNR ": " s }
	# the comment above a case, or its name, says the number
	function look(n, where,   p, f, c, l, text, found) {
		if (split(where, p, ":") != 2) { wrong(where " is not file:case"); return }
		f = dir "/" p[1] ".c"; c = p[2]; text = ""; found = 0
		while ((getline l <f) > 0) {
			if (l ~ "^ATF_TC(_WITHOUT_HEAD)?\\(" c "\\)") { found = 1; break }
			# a comment is of what follows, up to the next blank line behind code
			if (l ~ /^}/) text = ""
			text = text " " l
		}
		close(f)
		if (!found) { wrong(where " is not there"); return }
		if (c ~ sprintf("^n%02d_", n)) return
		if (text !~ ("[Nn]egative tests?[ 0-9,to]*(and)?[ 0-9,to]*[^0-9]" n "([^0-9]|$)"))
			wrong(where " does not say that it is negative test " n)
	}
	/^#/ || /^$/ { next }
	$1 !~ /^[0-9]+$/ || $1 < 1 || $1 > 55 { wrong("no number of 1 to 55"); next }
	$2 == "not" { if (NF < 4) wrong("no reason"); next }
	NF < 2 { wrong("no test"); next }
	{ for (i = 2; i <= NF; i++) look($1, $i); seen[$1] = 1 }
	END { for (i = 1; i <= 55; i++) if (!seen[i]) print FILENAME ": " i " has no test" }
	' "$1"
}

atf_test_case negative
negative_head() { atf_set descr 'Each of the 55 negative tests is there, by its number'; }
negative_body()
{
	index "$SRCDIR/regress/data/negative" "$SRCDIR/regress" >out
	cat out
	[ ! -s out ] || atf_fail "see above"
}

atf_test_case negative_sees
negative_sees_body()
{
	mkdir t
	for n in $(seq 1 54); do
		printf '%s\tt/a:n%02d_x\n' "$n" "$n"
		printf 'ATF_TC_WITHOUT_HEAD(n%02d_x);\nATF_TC_BODY(n%02d_x, tc)\n{\n}\n' "$n" "$n" >>t/a.c
	done >i
	printf '\n/* Negative tests 7 and 55. */\nATF_TC_WITHOUT_HEAD(y);\n{\n}\n\n/* z */\nATF_TC(z);\n' >>t/a.c
	{ cat i; printf '55\tt/a:y\n55 not because of it\n'; } >good
	index good . >out
	[ ! -s out ] || { cat out; atf_fail "it complains of what is right"; }
	for bad in '55	t/a:z' '55	t/a:none' '55	t/b:y' '55	y' '55' '56	t/a:y' '55 not' \
	    '5	t/a:y' ''; do
		{ cat i; printf '%s\n' "$bad"; } >bad
		index bad . >out
		[ -s out ] || atf_fail "blind to: $bad"
	done
}

atf_init_test_cases()
{
	atf_add_test_case negative
	atf_add_test_case negative_sees
}
