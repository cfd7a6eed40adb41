# SPDX-License-Identifier: ISC
#
# The floors: a room knows only the rooms below it.  Reads source files whose
# names are relative to the top, prints "file:line: what is wrong".  With
# -v edges=1 prints the pairs of headers that include each other's, for tsort.

BEGIN {
	low = "base wire crypto conf pfkey"
	ok["base"] = "base"
	ok["wire"] = "base wire"
	ok["crypto"] = "base crypto"
	ok["conf"] = "base conf"
	ok["pfkey"] = "base pfkey"
	ok["sa"] = low " sa"
	ok["exchange"] = low " sa exchange"
	ok["engine"] = low " sa exchange engine"
	ok["proc"] = low " sa exchange engine proc"
	ok["keepalive"] = "base conf proc keepalive"
	ok["sbin"] = "base conf pfkey proc sbin"
}

function room_of(path,	n, part) {
	n = split(path, part, "/")
	if (part[1] == "iked" && n > 2)
		return part[2]
	return n > 1 ? part[1] : ""
}

function dir_of(path) {
	sub(/[^\/]*$/, "", path)
	return path
}

function allowed(room, other,	n, i, list) {
	n = split(ok[room], list, " ")
	for (i = 1; i <= n; i++)
		if (list[i] == other)
			return 1
	return 0
}

FNR == 1 { room = room_of(FILENAME) }

/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, q, "\"")
	target = q[2]
	if (target ~ /\.\.\//)
		bad("climbs out of its directory: " target)
	else if (target !~ /\//)
		target = dir_of(FILENAME) target
	else if (target ~ /^(base|wire|crypto|conf|sa|exchange|engine|proc)\//)
		target = "iked/" target
	other = room_of(target)
	if (edges) {
		if (FILENAME ~ /\.h$/)
			print FILENAME, target
	} else if (!(room in ok))
		bad("is in no room of the house")
	else if (!allowed(room, other))
		bad("room " room " must not know " target)
}

# The way around the names above.
/^[ \t]*#[ \t]*include[ \t]*<(base|wire|crypto|conf|pfkey|sa|exchange|engine|proc|keepalive|sbin)\// {
	if (!edges)
		bad("a room's header in <>: " $0)
}
/^[ \t]*#[ \t]*include[ \t]*".*\.c"/ { if (!edges) bad("includes a .c file") }

function bad(what) { printf "%s:%d: %s\n", FILENAME, FNR, what }
