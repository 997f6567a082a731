/* The end of the process where going on would be worse: a thread that cannot drop a client's identity must not run another
 * instruction for anyone else. */
#ifndef JP_WIN32_FATAL_H
#define JP_WIN32_FATAL_H

#include "base/log.h"

/* Where the last words go, besides standard error. Set once, before other threads start; `log` must live for ever. */
void jp_win32_fatal_log(const struct jp_log *log);

/* Says that `operation` failed with `win32`, and what that means, then ends the process at once: no destructors, no
 * detaching of libraries. The SCM sees a crash and applies its recovery actions. */
_Noreturn void jp_win32_fatal(const char *operation, uint32_t win32, const char *meaning);

#endif
