/* SPDX-License-Identifier: ISC */
/*
 * The reader of RouterOS commands.  A backslash at the end of a line joins it with the
 * next, whose blanks do not count, in the midst of a word and of a text in quotes, too;
 * /export breaks its lines so.  What is not of our menus is read over.
 */

#include <stdlib.h>
#include <string.h>

#include "side_ros.h"

#define PATHLEN	96
#define DEPTH	16		/* brackets in brackets */

struct lex {
	const uint8_t	*p, *end;
	unsigned int	 line;
	struct ros	*ros;
	char		 path[PATHLEN];		/* "ip ipsec peer" */
	char		 word[ROS_VALMAX + 1];
	size_t		 len;
	unsigned int	 wline;		/* where it began */
};

/* The next octet with joined lines joined; -1 at the end. */
static int
peek(struct lex *l)
{
	const uint8_t *q;

	while (l->p < l->end && *l->p == '\\') {
		q = l->p + 1;
		if (q < l->end && *q == '\r')
			q++;
		if (q >= l->end || *q != '\n')
			break;
		l->line++;
		for (q++; q < l->end && (*q == ' ' || *q == '\t'); )
			q++;
		l->p = q;
	}
	return (l->p < l->end ? *l->p : -1);
}

static void
next(struct lex *l)
{
	if (l->p < l->end && *l->p++ == '\n')
		l->line++;
}

static void
put(struct lex *l, int c)
{
	if (l->len < ROS_VALMAX)
		l->word[l->len++] = (char)c;
	l->word[l->len] = '\0';
}

static int
hexval(int c)
{
	return (c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 :
	    -1);
}

/* After a backslash in quotes. */
static void
escape(struct lex *l)
{
	static const char from[] = "nrtab_fv", to[] = "\n\r\t\a\b \f\v";
	int c = peek(l), hi, lo;
	const char *at;

	if (c == -1)
		return;
	next(l);
	if ((hi = hexval(c)) != -1 && l->p < l->end && (lo = hexval(*l->p)) != -1) {
		next(l);
		put(l, hi << 4 | lo);
	} else if ((at = strchr(from, c)) != NULL && c != '\0')
		put(l, to[at - from]);
	else
		put(l, c);
}

static void
quoted(struct lex *l)
{
	int c;

	next(l);
	while ((c = peek(l)) != -1 && c != '"') {
		next(l);
		if (c == '\\')
			escape(l);
		else
			put(l, c);
	}
	next(l);
}

/* [ find ... ] and ( ... ), with what is in them, as one text. */
static void
bracketed(struct lex *l)
{
	int c, depth = 0;

	while ((c = peek(l)) != -1) {
		if (c == '"') {
			put(l, '"');
			quoted(l);
			put(l, '"');
			continue;
		}
		next(l);
		put(l, c);
		if (c == '[' || c == '(' || c == '{')
			depth++;
		else if ((c == ']' || c == ')' || c == '}') && --depth <= 0)
			return;
	}
}

static int
is_end(int c)
{
	return (c == -1 || c == '\n' || c == ';');
}

/* A word; with key it ends behind its '='.  1, or 0: the command ends here. */
static int
word(struct lex *l, int key)
{
	int c;

	l->len = 0;
	l->word[0] = '\0';
	while ((c = peek(l)) == ' ' || c == '\t' || c == '\r')
		next(l);
	l->wline = l->line;
	if (is_end(c))
		return (0);
	if (c == '[' || c == '(' || (c == '{' && key)) {
		bracketed(l);
		return (1);
	}
	while (!is_end(c = peek(l)) && c != ' ' && c != '\t' && c != '\r') {
		if (c == '"')
			quoted(l);
		else if (c == '[' || c == '(')
			bracketed(l);
		else {
			next(l);
			put(l, c);
		}
		if (key && c == '=')
			break;
	}
	return (1);
}

static void
skip(struct lex *l)
{
	while (word(l, 0))
		;
}

/*
 * "/ip/ipsec" and "/ip ipsec" are the same; a slash in front starts anew, and so does
 * "ip", which people write without it and which is below nothing.
 */
static void
path_add(struct lex *l, const char *s)
{
	size_t n;

	if (s[0] == '/' || strcmp(s, "ip") == 0)
		l->path[0] = '\0';
	while (*s != '\0') {
		n = strcspn(s, "/");
		if (n > 0 && strlen(l->path) + n + 2 < sizeof(l->path)) {
			if (l->path[0] != '\0')
				(void)strlcat(l->path, " ", sizeof(l->path));
			(void)strncat(l->path, s, n);
		}
		s += n;
		s += *s == '/';
	}
}

static enum ros_menu
menu_of(const char *path)
{
	static const struct {
		const char	*path;
		enum ros_menu	 menu;
	} menus[] = {
		{ "ip ipsec peer", ROS_PEER },
		{ "ip ipsec peer profile", ROS_PROFILE },	/* 6.43 */
		{ "ip ipsec profile", ROS_PROFILE },
		{ "ip ipsec identity", ROS_IDENTITY },
		{ "ip ipsec proposal", ROS_PROPOSAL },
		{ "ip ipsec policy", ROS_POLICY },
		{ "ip firewall nat", ROS_NAT },
		{ "ip firewall filter", ROS_FILTER },
		{ "ip firewall raw", ROS_RAW },
	};
	size_t i;

	for (i = 0; i < sizeof(menus) / sizeof(menus[0]); i++)
		if (strcmp(menus[i].path, path) == 0)
			return (menus[i].menu);
	return (ROS_NONE);
}

static struct ros_item *
item_new(struct ros *r, enum ros_menu menu, unsigned int line)
{
	struct ros_item *p;
	uint32_t cap;

	if (r->n == ROS_ITEMS) {
		r->nomem = 1;
		return (NULL);
	}
	if (r->n == r->cap) {
		cap = r->cap == 0 ? 16 : 2 * r->cap;
		if ((p = recallocarray(r->items, r->cap, cap, sizeof(*p))) == NULL) {
			r->nomem = 1;
			return (NULL);
		}
		r->items = p;
		r->cap = cap;
	}
	p = &r->items[r->n++];
	p->menu = menu;
	p->line = line;
	return (p);
}

static void
wipe(struct ros_prop *p)
{
	if (p->value != NULL) {
		explicit_bzero(p->value, p->len);
		free(p->value);
	}
	p->value = NULL;
}

/* A property that is said again replaces the one before. */
static void
prop_set(struct ros *r, struct ros_item *it, const char *key, const struct lex *l)
{
	struct ros_prop *p;
	unsigned int i;

	for (i = 0; i < it->nprops && strcmp(it->props[i].key, key) != 0; )
		i++;
	if (i == ROS_PROPS)
		return;
	if (i == it->nprops) {
		if ((p = recallocarray(it->props, i, i + 1, sizeof(*p))) == NULL) {
			r->nomem = 1;
			return;
		}
		it->props = p;
		it->nprops++;
	}
	p = &it->props[i];
	wipe(p);
	(void)strlcpy(p->key, key, sizeof(p->key));
	if ((p->value = malloc(l->len + 1)) == NULL) {
		r->nomem = 1;
		return;
	}
	memcpy(p->value, l->word, l->len + 1);
	p->len = l->len;
	p->line = l->wline;
}

/* key=value key="value" ...; words that are neither are the items that `set' means. */
static void
props(struct lex *l, struct ros_item *it)
{
	char key[ROS_KEYLEN];

	while (word(l, 1)) {
		if (l->len < 2 || l->word[l->len - 1] != '=' || l->len > sizeof(key)) {
			if (l->len > 0 && l->word[l->len - 1] == '=' &&
			    !is_end(peek(l)) && peek(l) != ' ')
				(void)word(l, 0);
			continue;
		}
		memcpy(key, l->word, l->len - 1);
		key[l->len - 1] = '\0';
		l->len = 0;
		l->word[0] = '\0';
		l->wline = l->line;
		if (!is_end(peek(l)) && peek(l) != ' ' && peek(l) != '\t')
			(void)word(l, 0);
		if (strcmp(key, "place-before") == 0)
			it->first = 1;
		else
			prop_set(l->ros, it, key, l);
	}
}

/* What `set' means: [ find default=yes ], [ find name=x ], x, 0; NULL: something else. */
static struct ros_item *
selected(struct ros *r, enum ros_menu menu, const char *s)
{
	char name[ROS_VALMAX + 1];
	const struct ros_item *it;
	const char *at;
	size_t n;
	uint32_t i;

	(void)strlcpy(name, s, sizeof(name));
	if (s[0] == '[') {
		if (strstr(s, "default=yes") != NULL)
			(void)strlcpy(name, "default", sizeof(name));
		else if ((at = strstr(s, "name=")) != NULL) {
			at += 5;
			at += *at == '"';
			n = strcspn(at, "\" ]");
			memmove(name, at, n);
			name[n] = '\0';
		} else
			return (NULL);
	}
	if ((it = ros_named(r, menu, name)) != NULL)
		return (&r->items[it - r->items]);
	/* the entry that is always there has the number 0 */
	if (strcmp(name, "0") == 0 || strcmp(name, "*0") == 0 ||
	    strcmp(name, "*1") == 0 || strcmp(name, "default") == 0)
		for (i = 0; i < r->n; i++)
			if (r->items[i].menu == menu && r->items[i].dflt)
				return (&r->items[i]);
	return (NULL);
}

static void
do_add(struct lex *l, enum ros_menu menu)
{
	struct ros_item *it;

	if ((it = item_new(l->ros, menu, l->wline)) == NULL)
		skip(l);
	else
		props(l, it);
}

static void
do_set(struct lex *l, enum ros_menu menu)
{
	struct ros_item *it, none;
	unsigned int i, line = l->wline;

	memset(&none, 0, sizeof(none));
	if (!word(l, 1))
		return;
	if (l->word[0] == '[' || (l->len > 0 && l->word[l->len - 1] != '=')) {
		it = selected(l->ros, menu, l->word);
		if (it == NULL && l->ros->badline == 0)
			l->ros->badline = line;
	} else
		it = NULL;
	if (it != NULL && it->line == 0)
		it->line = line;
	props(l, it != NULL ? it : &none);
	for (i = 0; i < none.nprops; i++)
		wipe(&none.props[i]);
	free(none.props);
}

/* One command: the way to a menu, perhaps a verb and what it is for. */
static void
command(struct lex *l)
{
	char saved[PATHLEN];
	enum ros_menu m;

	(void)strlcpy(saved, l->path, sizeof(saved));
	while (word(l, 0)) {
		if (l->word[0] == '{' || l->word[0] == '}')
			continue;
		if (l->word[0] == ':') {	/* a script's own words */
			skip(l);
			return;
		}
		m = menu_of(l->path);
		if (strcmp(l->word, "add") == 0 || strcmp(l->word, "set") == 0) {
			l->ros->seen |= 1U << m;
			if (m == ROS_NONE)
				skip(l);
			else if (l->word[0] == 'a')
				do_add(l, m);
			else
				do_set(l, m);
			break;
		}
		if (strcmp(l->word, "remove") == 0 || strcmp(l->word, "print") == 0 ||
		    strcmp(l->word, "export") == 0) {
			skip(l);
			break;
		}
		path_add(l, l->word);
		l->ros->seen |= 1U << menu_of(l->path);
		if (l->word[0] == '/')
			(void)strlcpy(saved, l->path, sizeof(saved));
		else if (is_end(peek(l)))
			(void)strlcpy(saved, l->path, sizeof(saved));
	}
	/* "/ip ipsec peer" alone stays for the lines below; "/ip ipsec peer add" too */
	if (menu_of(l->path) == ROS_NONE)
		(void)strlcpy(l->path, saved, sizeof(l->path));
}

static void
comment(struct lex *l)
{
	const uint8_t *nl = memchr(l->p, '\n', (size_t)(l->end - l->p)), *at;

	if (nl == NULL)
		nl = l->end;
	at = memmem(l->p, (size_t)(nl - l->p), "by RouterOS ", 12);
	if (at != NULL && at + 12 < nl && at[12] >= '0' && at[12] <= '9')
		l->ros->version = at[12] - '0';
	l->p = nl;
}

int
ros_parse(struct ros *r, const uint8_t *text, size_t len)
{
	struct lex *l;
	struct ros_item *it;
	enum ros_menu m;
	int c;

	memset(r, 0, sizeof(*r));
	if ((l = calloc(1, sizeof(*l))) == NULL)
		return (-1);
	l->p = text;
	l->end = text + len;
	l->line = 1;
	l->ros = r;
	for (m = ROS_PROFILE; m <= ROS_PROPOSAL; m++)
		if (m != ROS_IDENTITY && (it = item_new(r, m, 0)) != NULL) {
			it->dflt = 1;
			(void)strlcpy(l->word, "default", sizeof(l->word));
			l->len = 7;
			prop_set(r, it, "name", l);
		}
	if ((it = item_new(r, ROS_POLICY, 0)) != NULL)
		it->dflt = 1;
	while ((c = peek(l)) != -1 && !r->nomem) {
		if (c == '#')
			comment(l);
		else if (c == '\n' || c == ';' || c == ' ' || c == '\t' || c == '\r')
			next(l);
		else
			command(l);
	}
	explicit_bzero(l, sizeof(*l));
	free(l);
	return (r->nomem ? -1 : 0);
}

void
ros_free(struct ros *r)
{
	uint32_t i;
	unsigned int k;

	for (i = 0; i < r->n; i++) {
		for (k = 0; k < r->items[i].nprops; k++)
			wipe(&r->items[i].props[k]);
		free(r->items[i].props);
	}
	free(r->items);
	memset(r, 0, sizeof(*r));
}

const struct ros_prop *
ros_prop(const struct ros_item *it, const char *key)
{
	unsigned int i;

	for (i = 0; it != NULL && i < it->nprops; i++)
		if (strcmp(it->props[i].key, key) == 0)
			return (&it->props[i]);
	return (NULL);
}

const char *
ros_get(const struct ros_item *it, const char *key, const char *other)
{
	const struct ros_prop *p = ros_prop(it, key);

	return (p != NULL && p->value != NULL ? p->value : other);
}

int
ros_yes(const struct ros_item *it, const char *key)
{
	const char *v = ros_get(it, key, "no");

	return (strcmp(v, "yes") == 0 || strcmp(v, "true") == 0);
}

const struct ros_item *
ros_named(const struct ros *r, enum ros_menu menu, const char *name)
{
	uint32_t i;

	for (i = 0; i < r->n; i++)
		if (r->items[i].menu == menu &&
		    strcmp(ros_get(&r->items[i], "name", ""), name) == 0)
			return (&r->items[i]);
	return (NULL);
}

uint32_t
ros_time(const char *s)
{
	static const struct {
		char		unit;
		uint32_t	secs;
	} units[] = { { 'w', 604800 }, { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 },
		{ 's', 1 } };
	uint64_t sum = 0, n, clock = 0;
	size_t i, digits;
	int colons = 0;

	while (*s != '\0') {
		for (n = 0, digits = 0; s[digits] >= '0' && s[digits] <= '9' &&
		    digits < 9; digits++)
			n = n * 10 + (uint64_t)(s[digits] - '0');
		if (digits == 0)
			return (0);
		s += digits;
		for (i = 0; i < 5 && *s != units[i].unit; )
			i++;
		if (i < 5) {
			sum += n * units[i].secs;
			s++;
		} else if (*s == ':' || colons > 0) {
			clock = clock * 60 + n;
			colons++;
			if (*s == ':')
				s++;
			else if (*s != '\0')
				return (0);
		} else if (*s == '\0')
			sum += n;
		else
			return (0);
	}
	sum += colons == 2 ? clock * 60 : clock;
	return (sum > UINT32_MAX ? 0 : (uint32_t)sum);
}
