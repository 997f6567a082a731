/* Quantities as people write them, and the numbers that job objects want.
 *
 * All parsers take the whole text (nothing may follow), accept no sign, and return JP_E_PARAMS with a sentence in `error`
 * that says what would be right. Formatters write the shortest form that parses back to exactly the same number. */
#ifndef JP_BASE_UNITS_H
#define JP_BASE_UNITS_H

#include "base/status.h"

enum {
    JP_100NS_PER_MS = 10000,
    JP_100NS_PER_S = 10000000,
    JP_UNITS_TEXT = 32, /* a buffer that holds any formatted quantity but an affinity */
};

/* "512MiB", "1.5GiB", "64 KiB" (with or without one blank), "4096", "4096B", and decimal "10MB". Bytes. */
jp_status jp_bytes_parse(const char *text, uint64_t *ret_bytes, struct jp_error *error);
const char *jp_bytes_format(uint64_t bytes, char buffer[JP_UNITS_TEXT]);

/* "90s", "2h", "1h30m", "250ms", "1.5s", "7d". 100 ns units. */
jp_status jp_duration_parse(const char *text, uint64_t *ret_100ns, struct jp_error *error);
const char *jp_duration_format(uint64_t time_100ns, char buffer[JP_UNITS_TEXT]);

/* "50%", "12.5%", up to "100%". Hundredths of a percent (5000 is 50%). */
jp_status jp_percent_parse(const char *text, uint32_t *ret_hundredths, struct jp_error *error);
const char *jp_percent_format(uint32_t hundredths, char buffer[JP_UNITS_TEXT]);

/* "0-3,6" (processor numbers) or "0xF" (mask). A mask of 64 processors, never 0. */
jp_status jp_affinity_parse(const char *text, uint64_t *ret_mask, struct jp_error *error);
char *jp_affinity_format(uint64_t mask); /* "0-3,6"; new memory (jp_free) */

/* A decimal number of at most 20 digits. */
jp_status jp_u64_parse(const char *text, uint64_t *ret_value, struct jp_error *error);

/* Time as Windows has it in a FILETIME: 100 ns since 1601-01-01 UTC. */
#define JP_UNIX_EPOCH_100NS INT64_C(116444736000000000)
enum { JP_TIME_TEXT = 48 };

/* "2026-11-22T07:15:30.1234567Z" (always seven decimals, always UTC). */
const char *jp_time_format(int64_t time_100ns, char buffer[JP_TIME_TEXT]);

/* What jp_time_format writes; fewer decimals, and a date alone, are accepted. */
jp_status jp_time_parse(const char *text, int64_t *ret_time_100ns, struct jp_error *error);

#endif
