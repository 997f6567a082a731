/* Owns the last words of the process. */
#include "win32/fatal.h"

#include <stdio.h>
#include <windows.h>

static const struct jp_log *fatal_log;

void jp_win32_fatal_log(const struct jp_log *log) { fatal_log = log; }

_Noreturn void jp_win32_fatal(const char *operation, uint32_t win32, const char *meaning) {
    struct jp_error error;
    jp_fail_win32(&error, JP_E_SYSTEM, win32, operation, "%s failed; %s", operation, meaning);
    jp_log(fatal_log, JP_LOG_ERROR, "the process ends: %s", error.text);
    fprintf(stderr, "jobpool: the process ends: %s\n", error.text);
    fflush(stderr);
    /* Not exit() or abort(): handlers and DLLs would run on this thread, which may still be somebody else. */
    TerminateProcess(GetCurrentProcess(), 3);
    for (;;) { /* The call above does not return for the own process; the compiler cannot know. */
    }
}
