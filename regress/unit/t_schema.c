/* SPDX-License-Identifier: ISC */
/*
 * share/schema/ipsecctl.json against what the control process and ipsecctl really write.
 * The validator here knows the words of JSON Schema that the file uses, and no others.
 */

#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "proc/control.h"

#define SCHEMA	REGRESS_DATA "/../../share/schema/ipsecctl.json"

static json_t *root;
static char why[256];

static int	valid(const json_t *schema, const json_t *v, const char *at);

static int
bad(const char *at, const char *what)
{
	(void)snprintf(why, sizeof(why), "%s: %s", at, what);
	return (0);
}

static int
has_type(const json_t *v, const char *type)
{
	return (strcmp(type, "string") == 0 ? json_is_string(v) :
	    strcmp(type, "integer") == 0 ? json_is_integer(v) :
	    strcmp(type, "number") == 0 ? json_is_number(v) :
	    strcmp(type, "boolean") == 0 ? json_is_boolean(v) :
	    strcmp(type, "array") == 0 ? json_is_array(v) :
	    strcmp(type, "object") == 0 && json_is_object(v));
}

/* The only pattern there is: that of an SPI. */
static int
is_spi(const char *s)
{
	size_t n = strlen(s);

	return ((n == 10 || n == 18) && strncmp(s, "0x", 2) == 0 &&
	    strspn(s + 2, "0123456789abcdef") == n - 2);
}

static int
known(const json_t *list, const json_t *v)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), v))
			return (1);
	return (0);
}

static int
valid_object(const json_t *schema, json_t *v, const char *at)
{
	const json_t *props = json_object_get(schema, "properties"), *sub;
	const char *key;
	json_t *val;
	size_t i;

	json_array_foreach(json_object_get(schema, "required"), i, val)
		if (json_object_get(v, json_string_value(val)) == NULL)
			return (bad(at, json_string_value(val)));
	json_object_foreach(v, key, val) {
		sub = json_object_get(props, key);
		if (sub == NULL)
			sub = json_object_get(schema, "additionalProperties");
		/* new keys may come, but not without being written down */
		if (sub == NULL)
			return (bad(at, key));
		if (!valid(sub, val, key))
			return (0);
	}
	return (1);
}

static int
valid(const json_t *schema, const json_t *v, const char *at)
{
	static const char *const words[] = { "$ref", "type", "enum", "pattern", "minimum",
	    "items", "properties", "required", "additionalProperties", "description",
	    "$schema", "$comment", "title", "$defs" };
	const char *ref, *key;
	json_t *val;
	size_t i;

	if ((ref = json_string_value(json_object_get(schema, "$ref"))) != NULL) {
		ATF_REQUIRE(strncmp(ref, "#/$defs/", 8) == 0);
		schema = json_object_get(json_object_get(root, "$defs"), ref + 8);
		ATF_REQUIRE_MSG(schema != NULL, "%s", ref);
	}
	json_object_foreach((json_t *)(uintptr_t)schema, key, val) {
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strcmp(key, words[i]) == 0)
				break;
		ATF_REQUIRE_MSG(i < sizeof(words) / sizeof(words[0]), "%s: %s", at, key);
	}
	if ((val = json_object_get(schema, "enum")) != NULL && !known(val, v))
		return (bad(at, json_is_string(v) ? json_string_value(v) : "no such word"));
	if ((val = json_object_get(schema, "type")) != NULL &&
	    !has_type(v, json_string_value(val)))
		return (bad(at, "another type"));
	if (json_object_get(schema, "pattern") != NULL && !is_spi(json_string_value(v)))
		return (bad(at, json_string_value(v)));
	if (json_object_get(schema, "minimum") != NULL && json_number_value(v) < 0)
		return (bad(at, "negative"));
	if (json_is_array(v))
		json_array_foreach((json_t *)(uintptr_t)v, i, val)
			if (!valid(json_object_get(schema, "items"), val, at))
				return (0);
	return (json_is_object(v) ? valid_object(schema, (json_t *)(uintptr_t)v, at) : 1);
}

static void
load(void)
{
	json_error_t e;

	root = json_load_file(SCHEMA, 0, &e);
	ATF_REQUIRE_MSG(root != NULL, "%s:%d: %s", SCHEMA, e.line, e.text);
}

/* The line that has been written is one of that kind. */
static void
line(struct json *j, const char *kind)
{
	const json_t *schema = json_object_get(json_object_get(root, "$defs"), kind);
	json_error_t e;
	json_t *o;
	size_t n;

	ATF_REQUIRE_MSG(schema != NULL, "no %s", kind);
	ATF_REQUIRE((n = json_end(j)) != 0);
	o = json_loadb(j->b, n, 0, &e);
	ATF_REQUIRE_MSG(o != NULL, "%s", e.text);
	ATF_CHECK_MSG(valid(schema, o, kind), "%s", why);
	/* and what is left out, or is of another type, is seen */
	ATF_REQUIRE_EQ(0, json_object_set_new(o, "kind", json_integer(1)));
	ATF_CHECK(!valid(schema, o, kind));
	ATF_REQUIRE_EQ(0, json_object_del(o, "kind"));
	ATF_CHECK(!valid(schema, o, kind));
	json_decref(o);
}

ATF_TC_WITHOUT_HEAD(records);
ATF_TC_BODY(records, tc)
{
	static const struct {
		enum show_kind	 kind;
		const char	*name;
	} kinds[] = { { SHOWK_TUNNEL, "tunnel" }, { SHOWK_PEER, "peer" }, { SHOWK_SA, "sa" },
	    { SHOWK_STATS, "stats" }, { SHOWK_PLAN, "plan" } };
	struct engine_counters c;
	struct reload_error re;
	struct policy_rec p;
	struct system_rec s;
	struct told_rec rec;
	struct show_event ev;
	struct json j;
	int i, n;

	(void)tc;
	load();
	for (i = 0; i < 5; i++) {
		memset(&rec, 0, sizeof(rec));
		rec.rec.kind = kinds[i].kind;
		if (rec.rec.kind == SHOWK_SA)
			(void)strlcpy(rec.rec.u.sa.state, "installed", sizeof(rec.rec.u.sa.state));
		json_show(&j, &rec);
		line(&j, kinds[i].name);
	}
	/* every word of states and wakes */
	rec.rec.kind = SHOWK_TUNNEL;
	for (i = SHOW_UP; i <= SHOW_DOWN; i++)
		for (n = WAKE_NONE; n <= WAKE_PEER; n++) {
			memset(&rec.rec.u, 0, sizeof(rec.rec.u));
			rec.rec.u.tunnel.state = (enum show_state)i;
			rec.rec.u.tunnel.wake = (enum show_wake)n;
			json_show(&j, &rec);
			line(&j, "tunnel");
		}
	for (i = KERN_IN; i <= KERN_FWD; i++) {
		memset(&p, 0, sizeof(p));
		p.dir = (enum kern_dir)i;
		json_policy(&j, &p);
		line(&j, "policy");
	}
	memset(&s, 0, sizeof(s));
	s.what = SYSTEM_SA;
	for (i = SYSTEM_OURS; i <= SYSTEM_MISSING; i++) {
		s.whose = (enum system_whose)i;
		json_system(&j, &s);
		line(&j, "kernel");
	}
	s.what = SYSTEM_POLICY;
	s.othermode = 1;
	s.ipproto = 51;
	for (i = KERN_IPSEC; i <= KERN_DISCARD; i++) {
		s.action = (uint8_t)i;
		s.dir = (uint8_t)(i + 1);
		json_system(&j, &s);
		line(&j, "kernel");
	}
	memset(&c, 0, sizeof(c));
	json_counters(&j, "t", &c);
	line(&j, "counters");
	memset(&re, 0, sizeof(re));
	json_conf(&j, &re, mono_now());
	line(&j, "configuration");
	memset(&ev, 0, sizeof(ev));
	for (i = EVENT_UP; i <= EVENT_FAILURE; i++) {
		ev.type = (enum show_event_type)i;
		json_event(&j, &ev, 0);
		line(&j, "event");
	}
	json_decref(root);
}

/* ipsecctl's document, whose objects are recorded ones and not complete. */
ATF_TC_WITHOUT_HEAD(document);
ATF_TC_BODY(document, tc)
{
	static const char *const docs[] = { "show_all_j.txt", "show_sa_j.txt",
	    "show_kernel_j.txt" };
	char path[512];
	json_t *doc, *array;
	const char *key;
	size_t i;

	(void)tc;
	load();
	for (i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/ipsecctl/%s", REGRESS_DATA, docs[i]);
		ATF_REQUIRE((doc = json_load_file(path, 0, NULL)) != NULL);
		json_object_foreach(doc, key, array)
			if (json_is_array(array))
				ATF_REQUIRE_EQ(0, json_array_clear(array));
		ATF_CHECK_MSG(valid(root, doc, docs[i]), "%s", why);
		ATF_REQUIRE_EQ(0, json_object_set_new(doc, "sas", json_array()));
		ATF_CHECK(!valid(root, doc, docs[i]));
		json_decref(doc);
	}
	json_decref(root);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, records);
	ATF_TP_ADD_TC(tp, document);
	return (atf_no_error());
}
