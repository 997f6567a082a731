/* What a completion port tells programs that do not ask. */
#ifndef JP_TESTS_SINKS_H
#define JP_TESTS_SINKS_H

#include "win32/port.h"

static inline size_t pass_over_packets(void *context, const struct jp_job_packet *packets, size_t count) {
    (void)context;
    (void)packets;
    return count;
}

static inline void pass_over_exits(void *context, const uint64_t *watches, size_t count) {
    (void)context;
    (void)watches;
    (void)count;
}

#endif
