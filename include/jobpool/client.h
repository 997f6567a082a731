/* The service's pipe from a C program: calls, events that survive a restart of the service, and what they need.
 *
 *     struct jp_client *client;
 *     struct jp_error error;
 *     char *pools;
 *     if (jp_client_connect(NULL, &client, &error) != JP_OK) ... error.text says why
 *     if (jp_client_call(client, "pool.list", NULL, 5000, &pools, &error) == JP_OK)
 *         puts(pools);
 *     jp_client_free_text(pools);
 *     jp_client_close(client);
 *
 * Requests, answers and events are JSON texts in UTF-8; docs/rpc.md says what is in them, and `rpc.discover` says it to programs.
 * This library adds what lies between: one connection, two threads of its own, numbers for requests, time-outs. Link with libjobpool,
 * static, or the DLL with JOBPOOL_DLL defined; docs/c-api.md has a whole program.
 *
 * Threads. Any thread may call any function at any time, also from within a callback where nothing else is said; only
 * jp_client_close() is the last call on a client. Callbacks come one at a time, on one thread of the library's. While one runs,
 * answers to jp_client_call() on other threads still come, until what waits for callbacks is JP_CLIENT_WAITING_BYTES long: then nothing
 * is read any more, and the service keeps what it has, or reads it again from its database. So nothing is lost by slow callbacks.
 * A callback must not wait for the library: jp_client_call() and jp_client_ask() fail there with JP_E_REQUEST.
 *
 * Memory. Texts that a function returned are the caller's: jp_client_free_text(). Texts given to a callback are the library's, good
 * until it returns. No function keeps a text or struct that it was given. When the machine has no memory left, the process ends.
 *
 * Errors. Every jp_status of the service comes through as it is (jobpool/status.h), with `error->win32`. The library's own:
 *     JP_E_SYSTEM   the connection was lost, or could not be made: no service. What was asked and not answered was done or not: ask again
 *     JP_E_DENIED   the pipe does not let the caller in, or who serves it is not to be trusted; or, answered, a right is missing
 *     JP_E_TIMEOUT  the answer did not come in time
 *     JP_E_CANCELLED taken back by jp_client_cancel(), or by jp_client_close()
 *     JP_E_PARSE    who serves the pipe does not speak the protocol; or parameters that are not JSON
 *     JP_E_PARAMS   an argument cannot be: a name of a pipe, parameters that are no object or list
 *     JP_E_REQUEST  a call that waits, from within a callback
 *     JP_E_QUOTA    a bound below is exceeded
 * `error` may not be NULL. Results are written only on success. */
#ifndef JOBPOOL_CLIENT_H
#define JOBPOOL_CLIENT_H

#include "jobpool/status.h"

#ifdef JOBPOOL_DLL
#define JOBPOOL_API __declspec(dllimport)
#else
#define JOBPOOL_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Times are in milliseconds. A time-out of 0 is none, too. */
#define JP_CLIENT_NO_TIMEOUT UINT32_MAX

enum {
    JP_CLIENT_LINE_MAX = 16 << 20,     /* bytes of one message, either way (the service takes 1 MiB, unless its configuration says more) */
    JP_CLIENT_CALLS_MAX = 1024,        /* calls of a client that are not answered yet */
    JP_CLIENT_UNSENT_MAX = 32 << 20,   /* bytes of requests that the service has not read */
    JP_CLIENT_SUBSCRIPTIONS_MAX = 64,  /* of a client (the service takes 16, unless its configuration says more) */
    JP_CLIENT_WAITING_BYTES = 4 << 20, /* answers and events that wait for callbacks: then reading pauses */
};

struct jp_client;

/* --- connecting --- */

enum jp_client_state {
    JP_CLIENT_CONNECTED, /* again, after a loss */
    JP_CLIENT_LOST,      /* the connection is gone, and is tried again; calls that were sent have failed */
    JP_CLIENT_GONE,      /* and is not tried again, or in vain: every call fails from now on, every subscription has ended */
};

/* Zero is a default for every member. */
struct jp_client_options {
    const char *pipe;    /* "jobpool", also with \\.\pipe\ before it; NULL: "jobpool" */
    bool impersonate;    /* the service may act as the caller: pool.assign, pool.launch and job.* need it. Else it learns only who calls */
    uint32_t connect_timeout_ms; /* how long to wait while every instance of the pipe is busy; 0: 5 s */
    /* How long a connection that was lost is tried again, each time: first at once, then with growing pauses of up to 5 s. 0: not at
     * all. JP_CLIENT_NO_TIMEOUT: for ever. Meanwhile calls wait, each as long as its own time-out says, and subscriptions rest. */
    uint32_t reconnect_ms;
    /* Tells of losses; a callback. `error` says why, except for JP_CLIENT_CONNECTED. NULL: nobody wants to know. */
    void (*on_state)(void *context, enum jp_client_state state, const struct jp_error *error);
    void *context;
};

/* Connects. `options` NULL: all defaults. Not a byte has been sent to anybody but the service, somebody with more rights than the caller,
 * or the caller's own account: anyone may make a pipe of that name while no service runs. The same is seen to at each new connection.
 * JP_E_TIMEOUT: busy all the time. The rest as above. */
JOBPOOL_API jp_status jp_client_connect(const struct jp_client_options *options, struct jp_client **ret_client, struct jp_error *error);

/* Ends everything: calls that are not answered end with JP_E_CANCELLED (those of other threads return, callbacks are called), and
 * subscriptions without a word. When it returns no callback runs, and none will. From within a callback it returns at once, and all that
 * is so when the callback has returned. NULL is fine. */
JOBPOOL_API void jp_client_close(struct jp_client *client);

/* --- calling --- */

/* Calls and waits. `params` is a JSON object or list, or NULL. *ret_result is the result, JSON on one
 * line; NULL for `ret_result`: nobody wants to know. */
JOBPOOL_API jp_status jp_client_call(struct jp_client *client, const char *method, const char *params, uint32_t timeout_ms,
                                     char **ret_result, struct jp_error *error);

JOBPOOL_API void jp_client_free_text(char *text); /* NULL is fine */

/* How a call ended. */
struct jp_client_answer {
    jp_status status; /* JP_OK, or that of `error` */
    char *result;     /* with JP_OK: JSON on one line. Otherwise NULL */
    char *refusal;    /* the service was asked and said no: its error object as JSON, {code, message, data?}. Otherwise NULL */
    struct jp_error error;
};

/* A call with all that there is to it. What is zero is not wanted. */
struct jp_client_request {
    const char *method;
    const char *params;
    uint32_t timeout_ms;
    void *context;
    /* Called exactly once, if jp_client_start() returned JP_OK. */
    void (*on_answer)(void *context, uint64_t call, const struct jp_client_answer *answer);
    /* How far it is, for methods that tell (pool.wait, accounting.report): `value` is JSON. Only before on_answer. The library adds the
     * parameter "progressToken", so `params` are then an object or NULL. */
    void (*on_progress)(void *context, uint64_t call, const char *value);
};

/* Calls, and returns at once; on_answer has the outcome, also that of connections lost and of time-outs. *ret_call is never 0, and
 * never given again; it is written before anything is called back. NULL for `ret_call`: nobody will take it back. */
JOBPOOL_API jp_status jp_client_start(struct jp_client *client, const struct jp_client_request *request, uint64_t *ret_call,
                                      struct jp_error *error);

/* Takes a call back. What had not been sent yet never is. Otherwise the service is told, and the call ends as it answers: usually
 * JP_E_CANCELLED; its result, if that was on its way. A service that says nothing within 5 s is not waited for. False: it has ended. */
JOBPOOL_API bool jp_client_cancel(struct jp_client *client, uint64_t call);

/* Calls and waits, with the whole answer; its texts are the caller's: clear it. on_answer is not called. on_progress is, and not after
 * this has returned. When the time is out the service is told that nobody waits any more, here as with the other two. */
JOBPOOL_API jp_status jp_client_ask(struct jp_client *client, const struct jp_client_request *request, struct jp_client_answer *ret_answer);
JOBPOOL_API void jp_client_answer_clear(struct jp_client_answer *answer); /* frees the texts; all zero after. Harmless on zero */

/* --- events --- */

enum jp_client_notice {
    JP_CLIENT_SUBSCRIBED, /* the service has taken it: for the first time, or again. `seq` is the next event that may come */
    JP_CLIENT_INTERRUPTED, /* no events for now: `error` says why. It goes on by itself, without loss */
    JP_CLIENT_GAP,        /* the service told of a gap: `json` is {from, to, reason}, docs/rpc.md has the reasons */
    JP_CLIENT_RENUMBERED, /* the service's numbers are behind those that were told: its database is another one, or an old copy. All that
                           * it has follows, from 1 (not durable: what comes after `seq`, its last) */
    JP_CLIENT_ENDED,      /* the subscription is over, and this its last callback: `error` says why. `seq`: subscribe again from there;
                           * 0: it never began. `json` is the service's error object, or NULL if it is not the service that says so */
};

struct jp_client_news {
    enum jp_client_notice notice;
    uint64_t seq;
    const char *json;
    const struct jp_error *error; /* JP_CLIENT_INTERRUPTED and JP_CLIENT_ENDED; otherwise NULL */
};

/* Zero is a default for every member but on_event. */
struct jp_client_wish {
    const char *params; /* of events.subscribe, a JSON object: pools, messages, fromSeq, durable. NULL: every event from now on */
    void *context;
    /* Each event once, in the order of `seq`. `event` is JSON on one line: what docs/rpc.md calls an event. */
    void (*on_event)(void *context, uint64_t seq, const char *event);
    void (*on_news)(void *context, const struct jp_client_news *news);
};

/* Subscribes, and returns at once; on_news has what becomes of it. When the connection is lost and made again (reconnect_ms), or the
 * service could not read its database for a while, the subscription goes on behind the last event that it had: none is missing and none
 * comes twice, also over a crash of the service. Without "durable": false, that is: such events may be told and then never have been.
 * Ends by itself if the service does not take it, or is not there for too long. *ret_subscription is never 0, and written before anything
 * is called back. Only what can be known at once fails here: JP_E_PARSE, JP_E_PARAMS, JP_E_QUOTA, and JP_E_SYSTEM if the connection is
 * gone for good. */
JOBPOOL_API jp_status jp_client_subscribe(struct jp_client *client, const struct jp_client_wish *wish, uint64_t *ret_subscription,
                                          struct jp_error *error);

/* When it returns no callback of the subscription runs, and none will; it waits for one that does, so not while holding what that one
 * wants. From within a callback it does not wait. False: it has ended. */
JOBPOOL_API bool jp_client_unsubscribe(struct jp_client *client, uint64_t subscription);

/* --- windows and menus --- */

/* UserHandleGrantAccess for a job by name: processes of `job` that are under UILIMIT_HANDLES may (grant) or may no more (not grant)
 * use a window, menu or other USER handle, whose value is `user_handle`. Such handles belong to a session and a desktop, so this
 * calls Windows in this process, with its rights; the service could not. `job` is a kernel name, or the name of a pool, which
 * then is its job in this process's session: that asks the service, so without a `client` (NULL) every name is a kernel name. A
 * kernel name with a backslash in it (Global\..., Local\...) never asks.
 * JP_E_NO_JOB: there is no such job (in this session). JP_E_DENIED: this process may not open it. JP_E_SYSTEM: Windows' reason (this
 * process is in the job itself, or the handle's owner is), or no service. As jp_client_ask() it is not for callbacks; only `error`,
 * `status` and `refusal` of *ret_answer are used. */
JOBPOOL_API jp_status jp_client_grant_user_handle(struct jp_client *client, uint64_t user_handle, const char *job, bool grant,
                                                  struct jp_client_answer *ret_answer);

#ifdef __cplusplus
}
#endif

#endif
