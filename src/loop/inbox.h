/* A bounded queue from any thread to the loop's. */
#ifndef JP_LOOP_INBOX_H
#define JP_LOOP_INBOX_H

#include "base/status.h"

#include <uv.h>

/* On the loop's thread: `count` items of the inbox's size, in order; `overflowed` if others were refused before them. */
typedef void jp_inbox_fn(void *context, const void *items, size_t count, bool overflowed);

struct jp_inbox {
    uv_async_t async;
    uv_mutex_t mutex;
    size_t item_size, max_items;
    char *items; /* filled by other threads */
    size_t count, capacity;
    char *taken; /* being handled; swapped with `items` */
    size_t taken_capacity;
    bool overflowed;
    jp_inbox_fn *receive;
    void *context;
};

jp_status jp_inbox_open(struct jp_inbox *inbox, uv_loop_t *loop, size_t item_size, size_t max_items, jp_inbox_fn *receive, void *context,
                        struct jp_error *error);

/* From any thread. Takes as many as there is room for, from the front, and returns how many; `all` takes all regardless. */
size_t jp_inbox_push(struct jp_inbox *inbox, const void *items, size_t count, bool all);

/* Hands over now what waits (on the loop's thread). */
void jp_inbox_drain(struct jp_inbox *inbox);

/* Nobody may push any more. The memory goes when the loop has closed the async handle: run it until it has none left. */
void jp_inbox_close(struct jp_inbox *inbox);

#endif
