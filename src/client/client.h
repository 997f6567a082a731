/* A JSON-RPC 2.0 client on the service's pipe: blocking calls, and the notifications that come in between.
 *
 * A client belongs to one thread. */
#ifndef JP_CLIENT_CLIENT_H
#define JP_CLIENT_CLIENT_H

#include "client/pipe.h"

#include <cjson/cJSON.h>

enum {
    JP_CLIENT_LINE_MAX = 16 << 20,    /* the longest line that is taken from a server */
    JP_CLIENT_PENDING_MAX = 100000,   /* notifications kept while a call waits for its answer */
};
#define JP_CLIENT_NO_TIMEOUT UINT32_MAX /* milliseconds, INFINITE to Windows */

/* Why a call failed. */
struct jp_client_failure {
    bool answered; /* the service said no: `answer` is its error. Otherwise it could not be asked, or did not answer */
    cJSON *answer; /* the error object {code, message, data?}, or NULL */
    struct jp_error error; /* in both cases; `status` and `text` of an answer are its code and message */
};
void jp_client_failure_clear(struct jp_client_failure *failure);

struct jp_client;

/* As jp_pipe_open(). The caller closes. */
jp_status jp_client_open(const struct jp_pipe_options *options, struct jp_client **ret_client, struct jp_error *error);
void jp_client_close(struct jp_client *client); /* NULL is fine */

/* Asks and waits for the answer. `params` is taken, also on failure; NULL for none. On success *ret_result is the caller's
 * (cJSON_Delete). On failure `failure` is filled: JP_E_TIMEOUT if the answer did not come in time (it is passed over when
 * it comes later), JP_E_SYSTEM if the connection is gone, JP_E_PARSE if the server does not speak the protocol; after the
 * last two the client is of no more use. */
jp_status jp_client_call(struct jp_client *client, const char *method, cJSON *params, uint32_t timeout_ms,
                         cJSON **ret_result, struct jp_client_failure *failure);

/* The `params` of the next notification `event`, in the order of arrival; the caller's (cJSON_Delete). */
jp_status jp_client_next_event(struct jp_client *client, uint32_t timeout_ms, cJSON **ret_event, struct jp_error *error);

/* Signalled when something has come, or the connection has ended: jp_client_next_event() with no time-out then tells which. For
 * who waits for other things too. The client's own: not to be closed, and good only until the next call. */
HANDLE jp_client_arrival(struct jp_client *client);

/* UserHandleGrantAccess for a job by name: processes of `job` that are under UILIMIT_HANDLES may (grant) or may no more (not grant)
 * use a window, menu or other USER handle, whose value is `user_handle`. Such handles belong to a session and a desktop, so this
 * calls Windows in this process, with its rights; the service could not. `job` is a kernel name, or the name of a pool, which
 * then is its job in this process's session: that asks the service, so without a `client` (NULL) every name is a kernel name. A
 * kernel name with a backslash in it (Global\..., Local\...) never asks.
 * On failure `failure` says why, as for jp_client_call: JP_E_NO_JOB if there is no such job (in this session), JP_E_DENIED if this
 * process may not open it, JP_E_SYSTEM with Windows' reason (this process is in the job itself, or the handle's owner is). */
jp_status jp_client_grant_user_handle(struct jp_client *client, uint64_t user_handle, const char *job, bool grant,
                                      struct jp_client_failure *failure);

#endif
