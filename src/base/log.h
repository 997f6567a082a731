/* The log as the lower layers see it: a function to call. Where the lines go is the program's business. */
#ifndef JP_BASE_LOG_H
#define JP_BASE_LOG_H

#include "base/status.h"

#include <stdarg.h>

enum jp_log_level { JP_LOG_ERROR, JP_LOG_WARNING, JP_LOG_INFO, JP_LOG_DEBUG };

/* "error", "warning", "info", "debug" */
const char *jp_log_level_name(enum jp_log_level level);

struct jp_log {
    enum jp_log_level level; /* lines above this level are not formatted at all */
    /* `text` is one line without its end; control characters in it are already escaped. Called from any thread. */
    void (*write)(void *sink, enum jp_log_level level, const char *text);
    void *sink;
};

/* `log` may be NULL, and all zero: then nothing is written. */
void jp_log(const struct jp_log *log, enum jp_log_level level, const char *format, ...) JP_PRINTF(3, 4);

#endif
