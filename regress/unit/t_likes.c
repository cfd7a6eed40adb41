/* SPDX-License-Identifier: ISC */
/* Objects found by what they have in common. */

#include <atf-c.h>
#include <stddef.h>

#include "sa/likes.h"

#define MANY	5000

struct thing {
	int		n;
	struct like	like;
};

static struct slab	 slab;
static struct likes	 likes;
static said		 id[MANY];

static void
make(uint32_t (*hash)(int))
{
	struct thing	*t;
	int		 i;

	slab_init(&slab, sizeof(struct thing));
	ATF_REQUIRE_EQ(0, likes_init(&likes, &slab, offsetof(struct thing, like)));
	for (i = 0; i < MANY; i++) {
		ATF_REQUIRE((t = slab_alloc(&slab, &id[i])) != NULL);
		t->n = i;
		likes_add(&likes, id[i], hash(i));
		likes_add(&likes, id[i], 7);		/* it is in already */
	}
	ATF_REQUIRE_EQ(MANY, likes.used);
}

static void
end(void)
{
	likes_destroy(&likes);
	slab_destroy(&slab);
}

static int
number(said at)
{
	struct thing	*t = slab_get(&slab, at);

	return (t == NULL ? -1 : t->n);
}

/* Ten of each, and the chains of neighbours meet. */
static uint32_t
tens(int i)
{
	return ((uint32_t)(i % (MANY / 10)) * 64);
}

ATF_TC_WITHOUT_HEAD(newest_first);
ATF_TC_BODY(newest_first, tc)
{
	said	at;
	int	i, k;

	(void)tc;
	make(tens);
	for (i = 0; i < MANY / 10; i++) {
		at = likes_first(&likes, tens(i));
		for (k = 9; k >= 0; k--, at = likes_next(&likes, at))
			ATF_REQUIRE_EQ(i + k * (MANY / 10), number(at));
		ATF_REQUIRE_EQ(0, at);
	}
	ATF_CHECK_EQ(0, likes_first(&likes, 1));
	ATF_CHECK_EQ(0, likes_next(&likes, 0));
	end();
}

ATF_TC_WITHOUT_HEAD(some_go);
ATF_TC_BODY(some_go, tc)
{
	said	at;
	int	i, k;

	(void)tc;
	make(tens);
	for (i = 0; i < MANY; i++)
		if (i / (MANY / 10) % 2 == 0) {
			likes_del(&likes, id[i]);
			likes_del(&likes, id[i]);	/* it is out already */
			slab_release(&slab, id[i]);
		}
	slab_flush(&slab);
	ATF_CHECK_EQ(MANY / 2, likes.used);
	likes_del(&likes, id[0]);
	for (i = 0; i < MANY / 10; i++) {
		at = likes_first(&likes, tens(i));
		for (k = 9; k >= 0; k -= 2, at = likes_next(&likes, at))
			ATF_REQUIRE_EQ(i + k * (MANY / 10), number(at));
		ATF_REQUIRE_EQ(0, at);
	}
	end();
}

static uint32_t
each(int i)
{
	return ((uint32_t)i * 2654435761U);
}

/* However many there are, each is found at once. */
ATF_TC_WITHOUT_HEAD(chains_are_short);
ATF_TC_BODY(chains_are_short, tc)
{
	const struct thing	*t;
	uint32_t		 b;
	int			 n;
	said			 at;

	(void)tc;
	make(each);
	ATF_CHECK(likes.n >= MANY);
	for (b = 0; b < likes.n; b++) {
		for (n = 0, at = likes.head[b]; (t = slab_get(&slab, at)) != NULL; n++)
			at = t->like.next;
		ATF_CHECK_MSG(n <= 8, "%d in one", n);
	}
	end();
}

static uint32_t
as_tens(const void *arg, said at)
{
	(void)arg;
	return (tens(number(at)));
}

static uint32_t
as_one(const void *arg, said at)
{
	return (at == 0 ? 0 : *(const uint32_t *)arg);
}

/* The hash changes, and with it the chains; the order of those that stay alike does not. */
ATF_TC_WITHOUT_HEAD(hashed_again);
ATF_TC_BODY(hashed_again, tc)
{
	uint32_t	 one = 1;
	said		 at;
	int		 i, k;

	(void)tc;
	make(tens);
	likes_again(&likes, as_tens, NULL);
	for (i = 0; i < MANY / 10; i++) {
		at = likes_first(&likes, tens(i));
		for (k = 9; k >= 0; k--, at = likes_next(&likes, at))
			ATF_REQUIRE_EQ(i + k * (MANY / 10), number(at));
		ATF_REQUIRE_EQ(0, at);
	}
	likes_again(&likes, as_one, &one);
	for (k = 0, at = likes_first(&likes, one); at != 0; k++)
		at = likes_next(&likes, at);
	ATF_CHECK_EQ(MANY, k);
	ATF_CHECK_EQ(0, likes_first(&likes, tens(1)));
	end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, newest_first);
	ATF_TP_ADD_TC(tp, some_go);
	ATF_TP_ADD_TC(tp, chains_are_short);
	ATF_TP_ADD_TC(tp, hashed_again);
	return (atf_no_error());
}
