/* job/job_backend.h over Windows' own job objects and processes. */
#ifndef JP_WIN32_BACKEND_H
#define JP_WIN32_BACKEND_H

#include "base/log.h"
#include "job/job_backend.h"
#include "win32/port.h"

struct jp_win32_backend_options {
    struct jp_win32_sinks sinks;
    const struct jp_log *log; /* lives as long as the backend; may be NULL */
    /* An option of this program: with it, and a word from the backend, main() is to call jp_win32_stop_helper (stop_helper.h). A
     * literal; NULL: processes cannot be asked to end. */
    const wchar_t *stop_helper;
    /* An option of this program: with it main() is to call jp_win32_keeper (keeper.h). A literal; NULL: there are no keepers. */
    const wchar_t *keeper;
};

/* Finds out what the host's kernel does (well under a second), and starts the port's thread. */
jp_status jp_win32_backend_new(const struct jp_win32_backend_options *options, struct jp_backend **ret_backend,
                               struct jp_error *error);
/* All its jobs, processes and keepers must be closed. NULL is fine. */
void jp_win32_backend_free(struct jp_backend *backend);

void jp_win32_backend_counters(const struct jp_backend *backend, struct jp_win32_port_counters *ret_counters);

#endif
