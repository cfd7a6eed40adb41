/* Monotonic time, a type of its own so that it never mixes with time_t. */
#ifndef BASE_MONO_H
#define BASE_MONO_H

#include <stdint.h>

typedef struct {
	int64_t	us;	/* microseconds since an arbitrary start; 0 = never */
} monotime;

#define MONO_NEVER	((monotime){ INT64_MAX })
#define MONO_NONE	((monotime){ 0 })

/* At the ends of the range the sum stays there: "never" and then some is never. */
static inline monotime
mono_add_us(monotime t, int64_t us)
{
	if (__builtin_add_overflow(t.us, us, &t.us))
		t.us = us > 0 ? INT64_MAX : INT64_MIN;
	return (t);
}

static inline monotime
mono_add_ms(monotime t, int64_t ms)
{
	return (mono_add_us(t, ms * 1000));
}

/* Not before t, and at a time that many others get as well. */
static inline monotime
mono_together(monotime t, int64_t ms)
{
	if (t.us > INT64_MAX - ms * 1000)
		return (t);
	return ((monotime){ (t.us + ms * 1000 - 1) / (ms * 1000) * (ms * 1000) });
}

static inline int64_t
mono_diff_us(monotime a, monotime b)
{
	int64_t	us;

	if (__builtin_sub_overflow(a.us, b.us, &us))
		return (a.us > b.us ? INT64_MAX : INT64_MIN);
	return (us);
}

static inline int
mono_before(monotime a, monotime b)	/* a < b */
{
	return (a.us < b.us);
}

static inline int
mono_reached(monotime deadline, monotime now)	/* deadline <= now */
{
	return (deadline.us <= now.us);
}

#endif
