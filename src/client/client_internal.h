/* Shared by the files of this folder: the client, its calls, its subscriptions, and what waits for callbacks.
 *
 * Everything in struct jp_client is behind its lock, but for what is the I/O thread's own. The I/O thread (session.c) is the only one that
 * touches the pipe; the callback thread (callbacks.c) is the only one that calls back, and holds no lock then. A function with jp__ wants
 * the lock held, where nothing else is said. */
#ifndef JP_CLIENT_CLIENT_INTERNAL_H
#define JP_CLIENT_CLIENT_INTERNAL_H

#include "base/json.h"
#include "client/pipe.h"
#include "jobpool/client.h"

enum jp__owner {
    JP__WAITER,       /* a thread waits for `done`; it frees the call */
    JP__CALLBACK,
    JP__SUBSCRIPTION, /* the library's own events.subscribe */
};

struct jp__call {
    struct jp__call *next, *previous;
    unsigned references; /* of the table, of the waiter, of what waits to be called back */
    uint64_t id;
    size_t length;       /* of its line */
    bool sent;           /* also if only in part */
    bool cancelled;      /* the service was told */
    uint64_t deadline_ms;
    enum jp__owner owner;
    uint64_t subscription;
    bool done, deaf; /* deaf: no callback any more */
    struct jp_client_answer answer;
    struct jp_client_request request; /* the callbacks of it */
};

enum jp__place { JP__RESTING, JP__ASKED, JP__LIVE };

struct jp__subscription {
    struct jp__subscription *next;
    unsigned references;
    bool deaf;
    uint64_t id, server_id; /* ours; the service's on this connection */
    enum jp__place place;
    bool was_live;          /* the service has taken it once */
    bool durable;
    cJSON *params;
    uint64_t next_seq; /* where it goes on; 0: at what is new when the service takes it */
    uint64_t seen_seq; /* the service's numbers have been as high as this */
    uint64_t live_since_ms, retry_ms, trouble_since_ms; /* the last: the service is there and cannot serve it; 0: it can */
    uint32_t pause_ms;
    struct jp_client_wish wish; /* the callbacks of it */
};

enum jp__item_kind { JP__ITEM_ANSWER, JP__ITEM_PROGRESS, JP__ITEM_EVENT, JP__ITEM_NEWS, JP__ITEM_STATE };

/* Something to call back. */
struct jp__item {
    struct jp__item *next;
    enum jp__item_kind kind;
    struct jp__call *call;                 /* one of the two, or none */
    struct jp__subscription *subscription;
    enum jp_client_notice notice;
    enum jp_client_state state;
    uint64_t seq;
    char *text; /* or NULL */
    struct jp_error *error;
    size_t size;
};

/* A line on its way out. */
struct jp__line {
    struct jp__line *next;
    uint64_t call; /* 0: a notification */
    struct jp_str text;
};

struct jp_client {
    SRWLOCK lock;
    CONDITION_VARIABLE changed; /* a call is done, a callback has ended, something waits to be called back, somebody has left */
    HANDLE wake;                /* an event: the I/O thread has to look */
    HANDLE io_thread, callback_thread;
    DWORD callback_thread_id;
    char *pipe_name;
    struct jp_client_options options;
    bool closing, io_ended, free_at_end;
    unsigned inside; /* threads that wait in here */
    uint64_t last_id;

    struct jp__call *first_call, *last_call;
    size_t call_count;
    struct jp__subscription *first_subscription;
    size_t subscription_count;

    struct jp__line *first_line, *last_line;
    size_t unsent_bytes;

    struct jp__item *first_item, *last_item;
    size_t waiting_bytes;
    const void *running; /* the call or subscription that is called back now */

    bool connected;
    bool gone;              /* for good, for this reason */
    struct jp_error reason;

    /* --- the I/O thread's own --- */
    struct jp_pipe *pipe;
    bool reading;
    struct jp__line *writing;
    bool write_failed;
    struct jp_error write_error;
    uint64_t last_words_until_ms;
    struct jp_client_answer last_words; /* what the service said to nobody in particular */
    bool answered, spoken;              /* on this connection: it, we */
    uint64_t connected_since_ms, outage_since_ms, retry_ms;
    uint32_t pause_ms;
    struct jp_str received;
    size_t taken, scanned; /* of `received`: bytes that are done with; bytes without a line end */
    char chunk[64 << 10];
};

enum { JP__PAUSE_FIRST_MS = 100, JP__PAUSE_MAX_MS = 5000, JP__DEPTH_MAX = 64 };
#define JP__NEVER UINT64_MAX

/* Later, by so much; for ever stays for ever. */
static inline uint64_t jp__later(uint64_t now_ms, uint32_t by_ms) {
    return by_ms == JP_CLIENT_NO_TIMEOUT ? JP__NEVER : now_ms + by_ms;
}
static inline void jp__earlier(uint64_t *when_ms, uint64_t other_ms) {
    if (other_ms < *when_ms)
        *when_ms = other_ms;
}

/* --- calls.c --- */

/* Without the lock. The line of a request (`id` not 0) or a notification; takes care that it is one line of valid JSON. */
jp_status jp__make_line(const char *method, const char *params, uint64_t id, bool progress, struct jp_str *ret_line, struct jp_error *error);
uint64_t jp__next_id(struct jp_client *client);
/* Takes the line. The call has one reference, the table's. */
struct jp__call *jp__call_add(struct jp_client *client, enum jp__owner owner, uint64_t id, struct jp_str *line, uint64_t deadline_ms);
struct jp__call *jp__call_find(struct jp_client *client, uint64_t id);
void jp__call_release(struct jp__call *call);
/* Ends a call; takes the answer's texts. Of an answer, all but the texts is copied. */
void jp__call_complete(struct jp_client *client, struct jp__call *call, struct jp_client_answer *answer);
void jp__call_fail(struct jp_client *client, struct jp__call *call, const struct jp_error *error);
/* Ends those whose time is out, and says when to look again. */
void jp__calls_expire(struct jp_client *client, uint64_t now_ms, uint64_t *when_ms);
/* The connection is gone: those that were sent, and the library's own, have failed; with `all`, everyone. */
void jp__calls_lost(struct jp_client *client, const struct jp_client_answer *why, bool all);
void jp__notify(struct jp_client *client, const char *method, const char *key, uint64_t number);
void jp__line_add(struct jp_client *client, uint64_t call, struct jp_str *line); /* takes it */
void jp__line_free(struct jp__line *line);

/* --- subscriptions.c --- */

struct jp__subscription *jp__subscription_of_server(struct jp_client *client, uint64_t server_id);
void jp__subscription_release(struct jp__subscription *subscription);
void jp__subscription_answered(struct jp_client *client, uint64_t id, struct jp_client_answer *answer);
void jp__subscription_told(struct jp_client *client, struct jp__subscription *subscription, cJSON *params);
/* Asks for those that rest, if it is time, and says when to look again. */
void jp__subscriptions_go_on(struct jp_client *client, uint64_t now_ms, uint64_t *when_ms);
void jp__subscriptions_lost(struct jp_client *client, const struct jp_error *why);
void jp__subscriptions_end(struct jp_client *client, const struct jp_error *why); /* NULL: without a word */

/* --- callbacks.c --- */

/* All of these take `text`. */
void jp__tell_answer(struct jp_client *client, struct jp__call *call);
void jp__tell_progress(struct jp_client *client, struct jp__call *call, char *text);
void jp__tell_event(struct jp_client *client, struct jp__subscription *subscription, uint64_t seq, char *text);
void jp__tell_news(struct jp_client *client, struct jp__subscription *subscription, const struct jp_client_news *news);
void jp__tell_state(struct jp_client *client, enum jp_client_state state, const struct jp_error *error);
bool jp__is_callback(const struct jp_client *client); /* this thread is; no lock needed */
/* Waits until no callback of `what` runs, unless this is it. */
void jp__await_callback(struct jp_client *client, const void *what);
DWORD WINAPI jp__callback_main(void *client);

/* --- session.c, messages.c, client.c --- */

DWORD WINAPI jp__io_main(void *client);
/* Without the lock, on the I/O thread: what a line says. JP_E_PARSE if it is none of the protocol's. */
jp_status jp__take_message(struct jp_client *client, const char *line, size_t length, struct jp_error *error);
void jp__client_free(struct jp_client *client);
/* Whether a request of this length can be asked, now or when the connection is there again. */
jp_status jp__may_ask(const struct jp_client *client, size_t length, struct jp_error *error);
char *jp__text_of(const cJSON *item); /* new memory: one line of JSON */
cJSON *jp__tree_of(const char *text); /* and back; NULL if it is none */

#endif
