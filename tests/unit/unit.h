/* What the test programs share: cmocka with the headers it wants, a check that says which row of a table failed, and random
 * numbers that can be had again. */
#ifndef JP_TESTS_UNIT_H
#define JP_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* CHECK(condition, "row %zu", i): fails the test with a text of its own. */
#define CHECK(condition, ...)                                                                               \
    do {                                                                                                    \
        if (!(condition))                                                                                   \
            fail_msg(#condition ": " __VA_ARGS__);                                                          \
    } while (0)

/* splitmix64 (https://prng.di.unimi.it/splitmix64.c). */
static inline uint64_t next_random(uint64_t *state) {
    uint64_t value = *state += UINT64_C(0x9E3779B97F4A7C15);
    value = (value ^ (value >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94D049BB133111EB);
    return value ^ (value >> 31);
}

/* Numbers of all magnitudes, not only huge ones. */
static inline uint64_t random_magnitude(uint64_t *state) {
    uint64_t bits = next_random(state) % 64;
    return next_random(state) >> bits;
}

static inline unsigned random_below(uint64_t *state, unsigned bound) { return (unsigned)(next_random(state) % bound); }

/* A new seed for each run; JP_TEST_SEED=n repeats one. */
static inline uint64_t new_seed(void) {
    const char *wanted = getenv("JP_TEST_SEED");
    uint64_t seed = wanted ? strtoull(wanted, NULL, 10) : (uint64_t)time(NULL);
    print_message("JP_TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

#endif
