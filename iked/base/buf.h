/*
 * The one bounded reader and the one bounded writer.  Every byte format
 * in the house (IKE, PF_KEY, channels) goes through them; nobody else does
 * pointer arithmetic on foreign bytes.
 *
 * Errors are sticky: after the first failed access the object is in error,
 * reads give 0 / NULL and writes do nothing, so that callers may read a whole
 * structure and check once with *_ok().
 *
 * u8/u16/u32/u64 are big endian (network order); h16/h32/h64 host order
 * (PF_KEY, RFC 2367 2.3).
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

/*
 * Of a large object on the stack, in what is done for every message: it is written before it
 * is read, and only as far as it was written.  Built with -ftrivial-auto-var-init the others
 * are zeroed first; for these that would cost more than the work done in them.
 */
#if defined(__has_attribute)
#if __has_attribute(__uninitialized__)
#define UNFILLED	__attribute__((__uninitialized__))
#endif
#endif
#ifndef UNFILLED
#define UNFILLED
#endif

/* A slice of somebody else's bytes; p may be NULL when len is 0. */
struct span {
	const uint8_t	*p;
	size_t		 len;
};

struct rbuf {
	const uint8_t	*p;
	size_t		 len;	/* octets in all */
	size_t		 off;	/* octets already read */
	int		 err;
};

void		 rbuf_init(struct rbuf *, const void *, size_t);
int		 rbuf_ok(const struct rbuf *);		/* 1: no error so far */
size_t		 rbuf_left(const struct rbuf *);	/* 0 when in error */
void		 rbuf_fail(struct rbuf *);
uint8_t		 rbuf_u8(struct rbuf *);
uint16_t	 rbuf_u16(struct rbuf *);
uint32_t	 rbuf_u32(struct rbuf *);
uint64_t	 rbuf_u64(struct rbuf *);
uint16_t	 rbuf_h16(struct rbuf *);
uint32_t	 rbuf_h32(struct rbuf *);
uint64_t	 rbuf_h64(struct rbuf *);
/* The next n octets, still owned by the underlying buffer; NULL in error. */
const uint8_t	*rbuf_bytes(struct rbuf *, size_t n);
struct span	 rbuf_span(struct rbuf *, size_t n);
/* Copies exactly n octets out; zeroes dst on error. */
void		 rbuf_copy(struct rbuf *, void *dst, size_t n);
void		 rbuf_skip(struct rbuf *, size_t n);
/* A reader over the next n octets only; in error if they are not there. */
struct rbuf	 rbuf_sub(struct rbuf *, size_t n);
/* A string sent as u16 length + octets; NUL-terminates into dst[cap];
 * an embedded NUL or a string of cap or more octets is an error. */
void		 rbuf_str(struct rbuf *, char *dst, size_t cap);

struct wbuf {
	uint8_t		*p;
	size_t		 cap;
	size_t		 len;
	int		 err;
};

void		 wbuf_init(struct wbuf *, void *, size_t cap);
int		 wbuf_ok(const struct wbuf *);
void		 wbuf_fail(struct wbuf *);
void		 wbuf_u8(struct wbuf *, uint8_t);
void		 wbuf_u16(struct wbuf *, uint16_t);
void		 wbuf_u32(struct wbuf *, uint32_t);
void		 wbuf_u64(struct wbuf *, uint64_t);
void		 wbuf_h16(struct wbuf *, uint16_t);
void		 wbuf_h32(struct wbuf *, uint32_t);
void		 wbuf_h64(struct wbuf *, uint64_t);
void		 wbuf_bytes(struct wbuf *, const void *, size_t);
void		 wbuf_zero(struct wbuf *, size_t);
/* u16 length + octets; more than 65535 octets is an error. */
void		 wbuf_str(struct wbuf *, const char *);
/* Overwrites at offset off, which must already be written. */
void		 wbuf_patch_u8(struct wbuf *, size_t off, uint8_t);
void		 wbuf_patch_u16(struct wbuf *, size_t off, uint16_t);
void		 wbuf_patch_u32(struct wbuf *, size_t off, uint32_t);
void		 wbuf_patch_h16(struct wbuf *, size_t off, uint16_t);
/* Room for n octets to be filled in by a callee (a cipher); NULL in error. */
uint8_t		*wbuf_room(struct wbuf *, size_t n);

#endif
