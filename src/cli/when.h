/* Times as people write them. */
#ifndef JP_CLI_WHEN_H
#define JP_CLI_WHEN_H

#include "base/status.h"

/* 100 ns since 1601 UTC, from one of:
 *   "now", "today", "yesterday"       the beginning of a day on this machine's clock
 *   "7d", "7d ago", "1h30m"           so long before now
 *   "2026-11-22", "2026-11-22 07:15", "2026-11-22T07:15:30.5"    on this machine's clock
 *   "2026-11-22Z", "2026-11-22T07:15:30Z", "...+01:00"           in UTC, or so far from it
 * What the clock skips when it is set forward is read as if it were not; what it has twice is the first time. */
jp_status jp_when_parse(const char *text, int64_t *ret_time_100ns, struct jp_error *error);

#endif
