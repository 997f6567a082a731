/* Making the errors of jobpool/status.h. */
#ifndef JP_BASE_STATUS_H
#define JP_BASE_STATUS_H

#include "jobpool/status.h"

#if defined(__MINGW32__)
#define JP_PRINTF(string, first) __attribute__((format(gnu_printf, string, first)))
#elif defined(__GNUC__)
#define JP_PRINTF(string, first) __attribute__((format(printf, string, first)))
#else
#define JP_PRINTF(string, first)
#endif

/* Fills `error` and returns `status`, so that a failing function can end with `return jp_fail(...)`. */
jp_status jp_fail(struct jp_error *error, jp_status status, const char *format, ...) JP_PRINTF(3, 4);

/* The same for a Windows call: appends ": <what the code means> (ERROR_NAME, number)" to the text.
 * `operation` must have static storage. Take GetLastError() on the line after the call, then pass it here. */
jp_status jp_fail_win32(struct jp_error *error, jp_status status, uint32_t win32, const char *operation,
                        const char *format, ...) JP_PRINTF(5, 6);

/* Puts a sentence before the one that `error` has: "<this>: <that>". Status, code and operation stay. Returns the status. */
jp_status jp_fail_because(struct jp_error *error, const char *format, ...) JP_PRINTF(2, 3);

#ifdef __clang_analyzer__ /* which sees one file at a time: a failure never returns JP_OK */
#define jp_fail(error, ...) (jp_fail((error), __VA_ARGS__), JP_E_INTERNAL)
#define jp_fail_win32(error, ...) (jp_fail_win32((error), __VA_ARGS__), JP_E_INTERNAL)
#define jp_fail_because(error, ...) (jp_fail_because((error), __VA_ARGS__), JP_E_INTERNAL)
#endif

#endif
