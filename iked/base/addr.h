/* Addresses, endpoints and prefixes as plain values of either family. */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <sys/socket.h>

#include <stddef.h>
#include <stdint.h>

enum addr_family { ADDR_NONE = 0, ADDR_V4 = 4, ADDR_V6 = 6 };

struct addr {
	uint8_t	fam;		/* enum addr_family; ADDR_NONE means "any" */
	uint8_t	b[16];		/* network order; the first 4 for ADDR_V4, rest 0 */
};

struct endpoint {
	struct addr	addr;
	uint16_t	port;	/* host order; UDP */
};

struct prefix {
	struct addr	addr;	/* host bits are zero */
	uint8_t		len;	/* 0..32 or 0..128 */
};

#define ADDR_STRLEN	46	/* INET6_ADDRSTRLEN */
#define ENDPOINT_STRLEN	56	/* [addr]:port */
#define PREFIX_STRLEN	50

size_t	addr_len(const struct addr *);			/* 0, 4 or 16 octets */
int	addr_cmp(const struct addr *, const struct addr *);	/* <0, 0, >0 */
int	addr_is_any(const struct addr *);	/* ADDR_NONE or all zero octets */
/* All of these give dst back; the text form is inet_ntop's, "any" for none. */
char	*addr_str(const struct addr *, char dst[ADDR_STRLEN]);
char	*endpoint_str(const struct endpoint *, char dst[ENDPOINT_STRLEN]);
char	*prefix_str(const struct prefix *, char dst[PREFIX_STRLEN]);
int	addr_parse(struct addr *, const char *);	/* 0, or -1 */
int	prefix_parse(struct prefix *, const char *);	/* "a/len" or "a"; 0 or -1;
							   host bits are cleared; 10/8
							   is 10.0.0.0/8 */
int	prefix_contains(const struct prefix *, const struct addr *);
int	prefix_cmp(const struct prefix *, const struct prefix *);
/* n = 0 gives the network address; 0, or -1 when outside the prefix. */
int	prefix_host(const struct prefix *, uint32_t n, struct addr *);
int	endpoint_cmp(const struct endpoint *, const struct endpoint *);
/* From and to the system's form.  0 or -1 (unknown family, short length). */
int	addr_from_sockaddr(struct endpoint *, const struct sockaddr *, socklen_t);
socklen_t addr_to_sockaddr(const struct endpoint *, struct sockaddr_storage *);
/* n octets (4 or 16) from the wire. 0 or -1 */
int	addr_from_bytes(struct addr *, const uint8_t *, size_t);

#endif
