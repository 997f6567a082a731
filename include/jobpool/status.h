/* What can go wrong, and how it is said: public part.
 *
 * A function that can fail returns a jp_status: JP_OK or a negative number. Results come back through `ret_` pointers,
 * which are written only on success. Where a person will read about the failure, the function also takes a
 * `struct jp_error *` (never NULL) and fills it.
 *
 * The numbers are the JSON-RPC error codes of the pipe: one numbering from the failing call to the client.
 * They are part of the protocol: add, never change. */
#ifndef JOBPOOL_STATUS_H
#define JOBPOOL_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(symbol, code, name on the wire, meaning) */
#define JP_STATUS_TABLE(X)                                                                                  \
    X(JP_E_PARSE, -32700, "parse_error", "the text is not JSON")                                            \
    X(JP_E_REQUEST, -32600, "invalid_request", "the JSON is not a JSON-RPC 2.0 request")                    \
    X(JP_E_METHOD, -32601, "method_not_found", "there is no such method")                                   \
    X(JP_E_PARAMS, -32602, "invalid_params", "a parameter is missing, unknown, or has a wrong value")       \
    X(JP_E_INTERNAL, -32603, "internal_error", "the service failed in a way it did not expect")             \
    X(JP_E_NO_POOL, -32001, "unknown_pool", "there is no pool of that name")                                \
    X(JP_E_POOL_EXISTS, -32002, "pool_exists", "a pool of that name exists already")                        \
    X(JP_E_POOL_BUSY, -32003, "pool_busy", "the pool has members or child pools")                           \
    X(JP_E_NO_PROCESS, -32004, "no_such_process", "there is no such process, or it has exited")             \
    X(JP_E_OTHER_PROCESS, -32005, "other_process", "the process id belongs to another process by now")      \
    X(JP_E_POOL_FULL, -32006, "pool_full", "the pool's active-process limit is reached")                    \
    X(JP_E_QUOTA, -32007, "quota_exceeded", "a bound of this interface is exceeded")                        \
    X(JP_E_DENIED, -32008, "access_denied", "the caller may not do this")                                   \
    X(JP_E_TIMEOUT, -32009, "timed_out", "the time allowed for this has passed")                            \
    X(JP_E_SYSTEM, -32010, "system_error", "a call into the operating system failed")                       \
    X(JP_E_CONFIG, -32011, "invalid_config", "the configuration has faults")                                \
    X(JP_E_STORE, -32012, "storage_error", "the accounting database cannot do this now")                    \
    X(JP_E_STOPPING, -32013, "stopping", "the service is stopping")                                         \
    X(JP_E_POOL_FAILED, -32014, "pool_unavailable", "the pool has no job object; its error says why")       \
    X(JP_E_NO_SUBSCRIPTION, -32015, "unknown_subscription", "there is no such subscription on this connection") \
    X(JP_E_JOB_TIME, -32016, "job_time_used_up", "the pool's job time is used up")                          \
    X(JP_E_SESSION, -32017, "other_session", "the pool's processes are in another session")                 \
    X(JP_E_NO_JOB, -32018, "unknown_job", "there is no such job object, or no such handle on this connection") \
    X(JP_E_CANCELLED, -32800, "cancelled", "the caller took the request back")                              \
    X(JP_E_UNSUPPORTED, -32019, "not_supported", "this host, or this version of Windows, does not do that")

typedef enum jp_status {
    JP_OK = 0,
#define X(symbol, code, name, meaning) symbol = code,
    JP_STATUS_TABLE(X)
#undef X
} jp_status;

/* "pool_full" for JP_E_POOL_FULL; "ok" for JP_OK. Static storage. */
const char *jp_status_name(jp_status status);

/* The longest text an error keeps; longer ones are cut at a character's boundary. */
enum { JP_ERROR_TEXT = 640 };

struct jp_error {
    jp_status status;
    uint32_t win32;        /* the Win32 error code, or 0 where no Windows call failed */
    const char *operation; /* the call that failed ("OpenProcess"), static storage, or NULL */
    char text[JP_ERROR_TEXT]; /* a sentence without a full stop: what failed, on what, why. One line of UTF-8 */
};

/* "ERROR_ACCESS_DENIED" for 5, or NULL for a code that is not in our table. */
const char *jp_win32_name(uint32_t code);

/* "access denied" for 5, or "Windows error" for a code that is not in our table. */
const char *jp_win32_text(uint32_t code);

#ifdef __cplusplus
}
#endif

#endif
