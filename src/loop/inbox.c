/* Two buffers: one is filled while the other is read. */
#include "loop/inbox.h"

#include "base/str.h"

#include <string.h>

static void on_async(uv_async_t *async) { jp_inbox_drain(async->data); }

jp_status jp_inbox_open(struct jp_inbox *inbox, uv_loop_t *loop, size_t item_size, size_t max_items, jp_inbox_fn *receive, void *context,
                        struct jp_error *error) {
    *inbox = (struct jp_inbox){.item_size = item_size, .max_items = max_items, .receive = receive, .context = context};
    if (uv_mutex_init(&inbox->mutex)) {
        *inbox = (struct jp_inbox){0};
        return jp_fail(error, JP_E_SYSTEM, "cannot create a mutex");
    }
    int failure = uv_async_init(loop, &inbox->async, on_async);
    if (failure) {
        uv_mutex_destroy(&inbox->mutex);
        *inbox = (struct jp_inbox){0};
        return jp_fail(error, JP_E_SYSTEM, "cannot create a wake-up for the loop: %s", uv_strerror(failure));
    }
    inbox->async.data = inbox;
    return JP_OK;
}

size_t jp_inbox_push(struct jp_inbox *inbox, const void *items, size_t count, bool all) {
    uv_mutex_lock(&inbox->mutex);
    size_t room = inbox->max_items > inbox->count ? inbox->max_items - inbox->count : 0;
    size_t taken = all || count <= room ? count : room;
    inbox->overflowed |= taken < count;
    if (inbox->count + taken > inbox->capacity) {
        inbox->capacity = 2 * (inbox->count + taken);
        inbox->items = jp_realloc_array(inbox->items, inbox->capacity, inbox->item_size);
    }
    memcpy(inbox->items + inbox->count * inbox->item_size, items, taken * inbox->item_size);
    inbox->count += taken;
    uv_mutex_unlock(&inbox->mutex);
    uv_async_send(&inbox->async);
    return taken;
}

void jp_inbox_drain(struct jp_inbox *inbox) {
    uv_mutex_lock(&inbox->mutex);
    char *items = inbox->items;
    size_t count = inbox->count, capacity = inbox->capacity;
    bool overflowed = inbox->overflowed;
    inbox->items = inbox->taken;
    inbox->capacity = inbox->taken_capacity;
    inbox->count = 0;
    inbox->overflowed = false;
    uv_mutex_unlock(&inbox->mutex);
    inbox->taken = items;
    inbox->taken_capacity = capacity;
    if (count || overflowed)
        inbox->receive(inbox->context, items, count, overflowed);
}

static void on_closed(uv_handle_t *handle) {
    struct jp_inbox *inbox = handle->data;
    uv_mutex_destroy(&inbox->mutex);
    jp_free(inbox->items);
    jp_free(inbox->taken);
}

void jp_inbox_close(struct jp_inbox *inbox) { uv_close((uv_handle_t *)&inbox->async, on_closed); }
