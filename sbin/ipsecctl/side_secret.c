/* SPDX-License-Identifier: ISC */
/* Placeholders of secrets, with a fingerprint. */

#include <openssl/evp.h>

#include <stdio.h>
#include <string.h>

#include "side_secret.h"

#define MARKLEN		(sizeof(SECRET_MARK) - 1)
#define FPLEN		3	/* octets */
#define TEXTLEN		(MARKLEN + 2 * SECRET_SALT + 1 + 2 * FPLEN)
/* 16 MiB and some tens of milliseconds a guess (RFC 7914 2) */
#define SCRYPT_N	16384
#define SCRYPT_R	8
#define SCRYPT_P	1
#define SCRYPT_MEM	(64U << 20)

int
secret_placeholder(const uint8_t *secret, size_t len, const uint8_t salt[SECRET_SALT],
    char dst[SECRET_LEN])
{
	uint8_t fp[FPLEN];
	size_t i, n = MARKLEN;

	if (EVP_PBE_scrypt((const char *)secret, len, salt, SECRET_SALT, SCRYPT_N,
	    SCRYPT_R, SCRYPT_P, SCRYPT_MEM, fp, sizeof(fp)) != 1)
		return (-1);
	memcpy(dst, SECRET_MARK, MARKLEN);
	for (i = 0; i < SECRET_SALT; i++, n += 2)
		(void)snprintf(dst + n, SECRET_LEN - n, "%02x", salt[i]);
	dst[n++] = '-';
	for (i = 0; i < FPLEN; i++, n += 2)
		(void)snprintf(dst + n, SECRET_LEN - n, "%02x", fp[i]);
	return (0);
}

int
secret_is_placeholder(const char *text, size_t len)
{
	return (len >= MARKLEN && text[0] == '0' && (text[1] == 'x' ||
	    text[1] == 'X') && memcmp(text + 2, &SECRET_MARK[2], MARKLEN - 2) == 0);
}

static int
hexval(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	return (-1);
}

int
secret_matches(const char *text, size_t len, const uint8_t *secret, size_t slen)
{
	uint8_t salt[SECRET_SALT];
	char want[SECRET_LEN];
	size_t i;
	int hi, lo;

	if (len != TEXTLEN || !secret_is_placeholder(text, len))
		return (-1);
	for (i = 0; i < SECRET_SALT; i++) {
		hi = hexval(text[MARKLEN + 2 * i]);
		lo = hexval(text[MARKLEN + 2 * i + 1]);
		if (hi == -1 || lo == -1)
			return (-1);
		salt[i] = (uint8_t)(hi << 4 | lo);
	}
	if (secret_placeholder(secret, slen, salt, want) == -1)
		return (-1);
	return (memcmp(text + 2, want + 2, TEXTLEN - 2) == 0);
}

void
secret_admit(uint8_t *text, size_t len)
{
	uint8_t *p = text, *end = text + len;

	while ((p = memmem(p, (size_t)(end - p), SECRET_MARK, MARKLEN)) != NULL) {
		p[1] = 'X';
		p += MARKLEN;
	}
}
