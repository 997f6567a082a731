/* What waits to be called back, and the thread that does it. */
#include "client/client_internal.h"

#include <string.h>

/* --- what waits --- */

static void add(struct jp_client *client, const struct jp__item *given) {
    struct jp__item *item = jp_alloc(sizeof *item);
    *item = *given;
    item->size = sizeof *item + (item->text == NULL ? 0 : strlen(item->text));
    if (item->call != NULL)
        item->call->references++;
    if (item->subscription != NULL)
        item->subscription->references++;
    if (client->first_item == NULL)
        client->first_item = item;
    else
        client->last_item->next = item;
    client->last_item = item;
    client->waiting_bytes += item->size;
    WakeAllConditionVariable(&client->changed);
}

static struct jp_error *copy_error(const struct jp_error *error) {
    struct jp_error *copy = error == NULL ? NULL : jp_alloc(sizeof *copy);
    if (copy != NULL)
        *copy = *error;
    return copy;
}

void jp__tell_answer(struct jp_client *client, struct jp__call *call) {
    add(client, &(struct jp__item){.kind = JP__ITEM_ANSWER, .call = call});
    if (call->answer.result != NULL) { /* the item does not have it as its own text */
        client->last_item->size += strlen(call->answer.result);
        client->waiting_bytes += strlen(call->answer.result);
    }
}

void jp__tell_progress(struct jp_client *client, struct jp__call *call, char *text) {
    add(client, &(struct jp__item){.kind = JP__ITEM_PROGRESS, .call = call, .text = text});
}

void jp__tell_event(struct jp_client *client, struct jp__subscription *subscription, uint64_t seq, char *text) {
    add(client, &(struct jp__item){.kind = JP__ITEM_EVENT, .subscription = subscription, .seq = seq, .text = text});
}

void jp__tell_news(struct jp_client *client, struct jp__subscription *subscription, const struct jp_client_news *news) {
    if (subscription->wish.on_news != NULL)
        add(client, &(struct jp__item){.kind = JP__ITEM_NEWS, .subscription = subscription, .notice = news->notice, .seq = news->seq,
                                       .text = jp_strdup(news->json), .error = copy_error(news->error)});
}

void jp__tell_state(struct jp_client *client, enum jp_client_state state, const struct jp_error *error) {
    if (client->options.on_state != NULL)
        add(client, &(struct jp__item){.kind = JP__ITEM_STATE, .state = state, .error = copy_error(error)});
}

/* --- calling back --- */

static void call_back(const struct jp_client *client, const struct jp__item *item) {
    const struct jp__subscription *subscription = item->subscription;
    const struct jp__call *call = item->call;
    struct jp_client_news news = {item->notice, item->seq, item->text, item->error};
    switch (item->kind) {
    case JP__ITEM_ANSWER:
        call->request.on_answer(call->request.context, call->id, &call->answer);
        break;
    case JP__ITEM_PROGRESS:
        call->request.on_progress(call->request.context, call->id, item->text);
        break;
    case JP__ITEM_EVENT:
        subscription->wish.on_event(subscription->wish.context, item->seq, item->text);
        break;
    case JP__ITEM_NEWS:
        subscription->wish.on_news(subscription->wish.context, &news);
        break;
    case JP__ITEM_STATE:
        client->options.on_state(client->options.context, item->state, item->error);
        break;
    }
}

static bool is_deaf(const struct jp__item *item) {
    return (item->call != NULL && item->call->deaf) || (item->subscription != NULL && item->subscription->deaf);
}

static struct jp__item *take(struct jp_client *client) {
    struct jp__item *item = client->first_item;
    bool was_full = client->waiting_bytes >= JP_CLIENT_WAITING_BYTES;
    client->first_item = item->next;
    if (item->next == NULL)
        client->last_item = NULL;
    client->waiting_bytes -= item->size;
    if (was_full && client->waiting_bytes < JP_CLIENT_WAITING_BYTES)
        SetEvent(client->wake); /* reading goes on */
    return item;
}

/* With the lock, which it gives up for the callback. */
static void run(struct jp_client *client, struct jp__item *item) {
    if (!is_deaf(item)) {
        client->running = item->call != NULL ? (const void *)item->call : item->subscription;
        ReleaseSRWLockExclusive(&client->lock);
        call_back(client, item);
        AcquireSRWLockExclusive(&client->lock);
        client->running = NULL;
        WakeAllConditionVariable(&client->changed);
    }
    if (item->call != NULL)
        jp__call_release(item->call);
    if (item->subscription != NULL)
        jp__subscription_release(item->subscription);
    jp_free(item->text);
    jp_free(item->error);
    jp_free(item);
}

DWORD WINAPI jp__callback_main(void *context) {
    struct jp_client *client = context;
    AcquireSRWLockExclusive(&client->lock);
    while (client->first_item != NULL || !client->io_ended) {
        if (client->first_item != NULL)
            run(client, take(client));
        else
            SleepConditionVariableSRW(&client->changed, &client->lock, INFINITE, 0);
    }
    bool free_it = client->free_at_end;
    ReleaseSRWLockExclusive(&client->lock);
    if (free_it)
        jp__client_free(client);
    return 0;
}

bool jp__is_callback(const struct jp_client *client) { return GetCurrentThreadId() == client->callback_thread_id; }

void jp__await_callback(struct jp_client *client, const void *what) {
    if (jp__is_callback(client))
        return;
    client->inside++;
    while (client->running == what)
        SleepConditionVariableSRW(&client->changed, &client->lock, INFINITE, 0);
    client->inside--;
    WakeAllConditionVariable(&client->changed);
}
