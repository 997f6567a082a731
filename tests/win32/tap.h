/* Points in TAP, for the programs of this folder. Include once in a program. */
#ifndef JP_TESTS_TAP_H
#define JP_TESTS_TAP_H

#include "base/log.h"

#include <stdio.h>

static int points, failures;

static bool check_at(bool good, int line, const char *what) {
    printf("%sok %d - %s\n", good ? "" : "not ", ++points, what);
    if (!good) {
        failures++;
        printf("# line %d\n", line);
    }
    fflush(stdout);
    return good;
}
#define CHECK(condition, what) check_at((condition), __LINE__, (what))

static inline void skip(const char *what, const char *reason) { printf("ok %d - %s # SKIP %s\n", ++points, what, reason); }

/* For calls that take an error: shows it when the status is not the one expected. */
static struct jp_error error;
static inline bool status_at(jp_status got, jp_status wanted, int line, const char *what) {
    bool good = check_at(got == wanted, line, what);
    if (!good || got != JP_OK)
        printf("# %s: %s\n", jp_status_name(got), got == JP_OK ? "" : error.text);
    return good;
}
#define STATUS(call, wanted, what) status_at((call), (wanted), __LINE__, (what))

/* The last line. Returns main's exit code. */
static int finish(void) {
    printf("1..%d\n", points);
    return failures == 0 ? 0 : 1;
}

static void write_log(void *sink, enum jp_log_level level, const char *text) {
    (void)sink;
    printf("# log %s: %s\n", jp_log_level_name(level), text);
}
static const struct jp_log test_log = {.level = JP_LOG_DEBUG, .write = write_log};

enum { PATIENCE_MS = 5000 };

#endif
