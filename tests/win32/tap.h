/* Points in TAP, for the programs of this folder. */
#ifndef JP_TESTS_TAP_H
#define JP_TESTS_TAP_H

#include "base/log.h"

#include <stdio.h>

#define CHECK(condition, what) check_at((condition), __FILE__, __LINE__, (what))
bool check_at(bool good, const char *file, int line, const char *what); /* `good` */

void skip(const char *what, const char *reason);

/* For calls that take an error, which is this one: shows it when the status is not the one expected. */
#define STATUS(call, wanted, what) status_at((call), (wanted), __FILE__, __LINE__, (what))
bool status_at(jp_status got, jp_status wanted, const char *file, int line, const char *what);
extern struct jp_error error;

int finish(void); /* the last line; what main returns */

static void write_log(void *sink, enum jp_log_level level, const char *text) {
    (void)sink;
    printf("# log %s: %s\n", jp_log_level_name(level), text);
}
static const struct jp_log test_log = {.level = JP_LOG_DEBUG, .write = write_log}; /* here, because not every program is linked with log.c */

/* As that of tests/harness/host.py: a machine that stalls for some seconds is no fault. Who has come is waited for no longer. */
enum { PATIENCE_MS = 60000 };

#endif
