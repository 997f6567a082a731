/* The log file: one line an entry, UTC, put aside when it grows too large. Used from any thread. */
#ifndef JP_LOOP_LOGFILE_H
#define JP_LOOP_LOGFILE_H

#include "base/log.h"

#include <uv.h>

struct jp_logfile {
    char *path;
    uv_mutex_t mutex;
    uv_file file; /* -1: writing failed; tried again at the next line */
    uint64_t size, max_size;
    unsigned keep;
};

/* Opens for appending. `path` is UTF-8. */
jp_status jp_logfile_open(struct jp_logfile *logfile, const char *path, uint64_t max_size, unsigned keep, struct jp_error *error);
void jp_logfile_close(struct jp_logfile *logfile);

/* jp_log's sink. A disk that is full loses lines; it never stops the service. */
void jp_logfile_write(void *logfile, enum jp_log_level level, const char *text);

/* The line as it stands in the file: "2026-11-22T07:15:30.1234567Z info    text\n". New memory (jp_free). */
char *jp_logfile_line(enum jp_log_level level, const char *text);

/* Wall clock as 100 ns since 1601 (FILETIME). */
int64_t jp_loop_now_100ns(void);

#endif
