/* SPDX-License-Identifier: ISC */
/* Identities (RFC 7296 3.5): their text forms and what is well-formed. */

#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/id.h"

static int
printable(const uint8_t *p, size_t n)
{
	for (; n > 0; n--, p++)
		if (*p < 0x21 || *p > 0x7e)
			return (0);
	return (1);
}

/* DER: a SEQUENCE of definite length that fills the data exactly. */
static int
dn_valid(const uint8_t *p, size_t n)
{
	if (n < 2 || p[0] != 0x30)
		return (0);
	if (p[1] < 0x80)
		return (n == 2U + p[1]);
	return (p[1] == 0x81 && n >= 3 && p[2] >= 0x80 && n == 3U + p[2]);
}

int
ident_valid(const struct ident *id)
{
	const uint8_t *at;

	switch (id->type) {
	case ID_IPV4_ADDR:
		return (id->len == 4);
	case ID_IPV6_ADDR:
		return (id->len == 16);
	case ID_FQDN:
		return (id->len > 0 && printable(id->data, id->len));
	case ID_RFC822_ADDR:
		if (id->len == 0 || !printable(id->data, id->len))
			return (0);
		at = memchr(id->data, '@', id->len);
		return (at != NULL && at != id->data &&
		    at != id->data + id->len - 1);
	case ID_DER_ASN1_DN:
		return (dn_valid(id->data, id->len));
	case ID_KEY_ID:
		return (id->len > 0);
	default:
		return (0);
	}
}

int
ident_equal(const struct ident *a, const struct ident *b)
{
	return (a->type == b->type && a->len == b->len &&
	    memcmp(a->data, b->data, a->len) == 0);
}

static int
hexval(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
}

static int
set_hex(struct ident *id, const char *s)
{
	size_t i, n = strlen(s);
	int hi, lo;

	if (n == 0 || n % 2 != 0 || n / 2 > ID_MAXLEN)
		return (-1);
	for (i = 0; i < n; i += 2) {
		if ((hi = hexval(s[i])) == -1 || (lo = hexval(s[i + 1])) == -1)
			return (-1);
		id->data[i / 2] = (uint8_t)(hi << 4 | lo);
	}
	id->len = (uint8_t)(n / 2);
	return (0);
}

static int
set_text(struct ident *id, const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > ID_MAXLEN)
		return (-1);
	memcpy(id->data, s, n);
	id->len = (uint8_t)n;
	return (0);
}

static int
set_addr(struct ident *id, uint8_t fam, const char *s)
{
	struct addr a;

	if (addr_parse(&a, s) == -1 || a.fam != fam)
		return (-1);
	id->len = (uint8_t)addr_len(&a);
	memcpy(id->data, a.b, id->len);
	return (0);
}

/* Fills in the data of id->type from the text s; 0 or -1. */
static int
set_typed(struct ident *id, const char *s)
{
	switch (id->type) {
	case ID_IPV4_ADDR:
		return (set_addr(id, ADDR_V4, s));
	case ID_IPV6_ADDR:
		return (set_addr(id, ADDR_V6, s));
	case ID_KEY_ID:
		if (strncmp(s, "0x", 2) == 0)
			return (set_hex(id, s + 2));
		return (set_text(id, s));
	case ID_DER_ASN1_DN:
		if (strncmp(s, "0x", 2) != 0)
			return (-1);
		return (set_hex(id, s + 2));
	default:
		return (set_text(id, s));
	}
}

static const struct {
	const char	*word;		/* iked.conf's prefix */
	const char	*name;		/* as printed */
	uint8_t		 type;
} id_types[] = {
	{ "fqdn:",	"FQDN",		ID_FQDN },
	{ "ufqdn:",	"UFQDN",	ID_RFC822_ADDR },
	{ "ipv4:",	"IPV4",		ID_IPV4_ADDR },
	{ "ipv6:",	"IPV6",		ID_IPV6_ADDR },
	{ "keyid:",	"KEY_ID",	ID_KEY_ID },
	{ "dn:",	"ASN1_DN",	ID_DER_ASN1_DN },
};
#define NID_TYPES	(sizeof(id_types) / sizeof(id_types[0]))

/* The type a text without a prefix has, ID_NONE for none. */
static uint8_t
guess_type(const char *s)
{
	struct addr a;

	if (addr_parse(&a, s) == 0)
		return (a.fam == ADDR_V4 ? ID_IPV4_ADDR : ID_IPV6_ADDR);
	/* A misspelt prefix or a distinguished name must not become a name. */
	if (strpbrk(s, ":/") != NULL)
		return (ID_NONE);
	return (strchr(s, '@') != NULL ? ID_RFC822_ADDR : ID_FQDN);
}

int
ident_parse(struct ident *id, const char *s)
{
	size_t i;

	memset(id, 0, sizeof(*id));
	for (i = 0; i < NID_TYPES; i++)
		if (strncmp(s, id_types[i].word, strlen(id_types[i].word)) == 0)
			break;
	if (i < NID_TYPES) {
		id->type = id_types[i].type;
		s += strlen(id_types[i].word);
	} else
		id->type = guess_type(s);
	if (id->type != ID_NONE && set_typed(id, s) == 0 && ident_valid(id))
		return (0);
	memset(id, 0, sizeof(*id));
	return (-1);
}

static void
put_hex(const struct ident *id, char *dst, size_t cap)
{
	static const char digits[] = "0123456789abcdef";
	size_t i, n = 0;

	(void)snprintf(dst, cap, "0x");
	for (i = 0, n = 2; i < id->len && n + 2 < cap; i++) {
		dst[n++] = digits[id->data[i] >> 4];
		dst[n++] = digits[id->data[i] & 15];
	}
	dst[n] = '\0';
}

/* Unprintable octets and the backslash as \xNN; ends in "..." when cut. */
static void
put_escaped(const struct ident *id, char *dst, size_t cap)
{
	size_t i, n = 0;

	dst[0] = '\0';
	for (i = 0; i < id->len; i++) {
		if (n + 4 + 3 >= cap) {
			(void)snprintf(dst + n, cap - n, "...");
			return;
		}
		if (id->data[i] != '\\' && printable(&id->data[i], 1)) {
			dst[n++] = (char)id->data[i];
			dst[n] = '\0';
		} else
			n += (size_t)snprintf(dst + n, cap - n, "\\x%02x",
			    (unsigned int)id->data[i]);
	}
}

/* The value alone, as a person reads it. */
static void
put_value(const struct ident *id, char *dst, size_t cap)
{
	struct addr a;
	char as[ADDR_STRLEN];

	if ((id->type == ID_IPV4_ADDR || id->type == ID_IPV6_ADDR) &&
	    ident_valid(id) && addr_from_bytes(&a, id->data, id->len) == 0)
		(void)snprintf(dst, cap, "%s", addr_str(&a, as));
	else if (id->type == ID_FQDN || id->type == ID_RFC822_ADDR ||
	    (id->type == ID_KEY_ID && printable(id->data, id->len)))
		put_escaped(id, dst, cap);
	else
		put_hex(id, dst, cap);
}

char *
ident_str(const struct ident *id, char dst[ID_STRLEN])
{
	size_t i;
	int n;

	if (id->type == ID_NONE) {
		(void)snprintf(dst, ID_STRLEN, "none");
		return (dst);
	}
	for (i = 0; i < NID_TYPES; i++)
		if (id_types[i].type == id->type)
			break;
	if (i < NID_TYPES)
		n = snprintf(dst, ID_STRLEN, "%s/", id_types[i].name);
	else
		n = snprintf(dst, ID_STRLEN, "TYPE%u/", (unsigned int)id->type);
	put_value(id, dst + n, ID_STRLEN - (size_t)n);
	return (dst);
}

char *
ident_conf(const struct ident *id, char dst[ID_STRLEN])
{
	struct ident back;
	const char *word = "";
	char value[ID_STRLEN - 8];
	size_t i;

	/* A key id is printed as text only where text gives the same octets. */
	if (id->type == ID_KEY_ID && (memchr(id->data, '\\', id->len) != NULL ||
	    (id->len >= 2 && memcmp(id->data, "0x", 2) == 0)))
		put_hex(id, value, sizeof(value));
	else if (id->type == ID_FQDN || id->type == ID_RFC822_ADDR)
		(void)snprintf(value, sizeof(value), "%.*s", (int)id->len,
		    (const char *)id->data);
	else
		put_value(id, value, sizeof(value));
	if (ident_parse(&back, value) == -1 || !ident_equal(&back, id))
		for (i = 0; i < NID_TYPES; i++)
			if (id_types[i].type == id->type)
				word = id_types[i].word;
	(void)snprintf(dst, ID_STRLEN, "%s%s", word, value);
	return (dst);
}
