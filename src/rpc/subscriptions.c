/* Subscriptions: every event once, in order, from the past into the present.
 *
 * An event is shown only when it is on disk. Between the loop and the disk it stays in a ring; committed, it goes to the
 * subscriptions that are LIVE. One that asked for the past, or whose client reads too slowly, takes its events from the
 * database a page at a time until it has caught up with the ring. */
#include "rpc/rpc_internal.h"


#include <string.h>

enum { PAGE = 500 };

struct jp_recent_event {
    struct jp_event event; /* its strings are ours; seq 0: empty */
};

enum subscription_state {
    LIVE,
    READING, /* a page is on its way from the database */
    PAUSED,  /* waits for its client to read */
};

struct jp_subscription {
    struct jp_rpc *rpc;
    struct jp_rpc_connection *connection; /* NULL: gone while a page was on its way */
    struct jp_subscription *next;
    uint64_t id;
    enum subscription_state state;
    uint64_t next_seq;      /* the first that it has not had */
    uint64_t covered_seq;   /* READING: what the page certainly sees */
    char **pools, **messages; /* NULL: all */
    size_t pool_count, message_count;
};

/* --- the ring --- */

static struct jp_recent_event *ring_slot(struct jp_rpc *rpc, uint64_t seq) { return &rpc->recent[seq % JP_RPC_RECENT_EVENTS]; }

static const struct jp_event *ring_find(struct jp_rpc *rpc, uint64_t seq) {
    if (!rpc->recent || ring_slot(rpc, seq)->event.seq != seq)
        return NULL;
    return &ring_slot(rpc, seq)->event;
}

static void ring_clear(struct jp_recent_event *slot) {
    jp_free((char *)(uintptr_t)slot->event.pool);
    jp_free((char *)(uintptr_t)slot->event.message);
    jp_free((char *)(uintptr_t)slot->event.process);
    jp_free((char *)(uintptr_t)slot->event.detail);
    slot->event = (struct jp_event){0};
}

void jp__recent_free(struct jp_rpc *rpc) {
    for (size_t i = 0; rpc->recent && i < JP_RPC_RECENT_EVENTS; i++)
        ring_clear(&rpc->recent[i]);
    jp_free(rpc->recent);
    rpc->recent = NULL;
}

void jp_rpc_on_event(struct jp_rpc *rpc, const struct jp_event *event) {
    if (!rpc->recent)
        rpc->recent = jp_alloc(JP_RPC_RECENT_EVENTS * sizeof *rpc->recent);
    struct jp_recent_event *slot = ring_slot(rpc, event->seq);
    ring_clear(slot);
    slot->event = *event;
    slot->event.pool = jp_strdup(event->pool);
    slot->event.message = jp_strdup(event->message);
    slot->event.process = jp_strdup(event->process);
    slot->event.detail = jp_strdup(event->detail);
    rpc->newest_seq = event->seq;
}

/* --- delivery --- */

static bool in_list(char *const *list, size_t count, const char *text) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], text) == 0)
            return true;
    return !count;
}

static void send_event(struct jp_subscription *subscription, const struct jp_event *event) {
    cJSON *message = cJSON_CreateObject();
    cJSON_AddStringToObject(message, "jsonrpc", "2.0");
    cJSON_AddStringToObject(message, "method", "event");
    cJSON *params = jp__render_event(event);
    jp_json_add_u64(params, "subscription", subscription->id);
    cJSON_AddItemToObject(message, "params", params);
    struct jp_str line = {0};
    jp_json_print(message, &line);
    cJSON_Delete(message);
    jp__send(subscription->connection, &line);
}

static bool reads_too_slowly(const struct jp_subscription *subscription) {
    struct jp_peer *peer = subscription->connection->peer;
    return peer->ops->unsent(peer) > JP_RPC_PAUSE_UNSENT;
}

/* False if the client must read first. */
static bool deliver(struct jp_subscription *subscription, const struct jp_event *event) {
    if (event->seq < subscription->next_seq)
        return true;
    if (reads_too_slowly(subscription))
        return false;
    subscription->next_seq = event->seq + 1;
    if (in_list(subscription->pools, subscription->pool_count, event->pool) &&
        in_list(subscription->messages, subscription->message_count, event->message))
        send_event(subscription, event);
    return true;
}

static void read_page(struct jp_subscription *subscription);

/* From the ring up to what others have been shown; LIVE if the ring has it all. */
static void catch_up(struct jp_subscription *subscription) {
    struct jp_rpc *rpc = subscription->rpc;
    while (subscription->next_seq <= rpc->delivered_seq) {
        const struct jp_event *event = ring_find(rpc, subscription->next_seq);
        if (!event) {
            read_page(subscription);
            return;
        }
        if (!deliver(subscription, event)) {
            subscription->state = PAUSED;
            return;
        }
    }
    subscription->state = LIVE;
}

static void free_subscription(struct jp_subscription *subscription) {
    for (size_t i = 0; i < subscription->pool_count; i++)
        jp_free(subscription->pools[i]);
    for (size_t i = 0; i < subscription->message_count; i++)
        jp_free(subscription->messages[i]);
    jp_free(subscription->pools);
    jp_free(subscription->messages);
    jp_free(subscription);
}

static void on_page(void *context, jp_status status, const struct jp_error *error, const struct jp_event *events, size_t count) {
    struct jp_subscription *subscription = context;
    if (!subscription->connection) {
        free_subscription(subscription);
        return;
    }
    if (status) { /* the client is told, and may subscribe again from where it is */
        struct jp_rpc_connection *connection = subscription->connection;
        jp__send_error(connection, error);
        subscription->state = PAUSED;
        jp__unsubscribe(connection, subscription->id);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (!deliver(subscription, &events[i])) {
            subscription->state = PAUSED;
            return;
        }
    if (count == PAGE) {
        read_page(subscription);
        return;
    }
    if (subscription->next_seq <= subscription->covered_seq)
        subscription->next_seq = subscription->covered_seq + 1; /* the rest up to here is not what it asked for */
    catch_up(subscription);
}

static void read_page(struct jp_subscription *subscription) {
    struct jp_accounts *accounts = subscription->rpc->with.accounts;
    struct jp_strings pools = {subscription->pools, subscription->pool_count};
    struct jp_strings messages = {subscription->messages, subscription->message_count};
    struct jp_event_filter filter = {.from_seq = subscription->next_seq, .limit = PAGE, .pools = pools.count ? &pools : NULL,
                                     .messages = messages.count ? &messages : NULL};
    subscription->state = READING;
    subscription->covered_seq = subscription->rpc->delivered_seq;
    accounts->ops->query_events(accounts, &filter, on_page, subscription);
}

static void show(struct jp_rpc_connection *connection, const struct jp_event *event) {
    for (struct jp_subscription *subscription = connection->first_subscription; subscription; subscription = subscription->next)
        if (subscription->state == LIVE && !deliver(subscription, event))
            subscription->state = PAUSED;
}

void jp_rpc_on_committed(struct jp_rpc *rpc, uint64_t seq) {
    while (rpc->delivered_seq < seq) {
        const struct jp_event *event = ring_find(rpc, ++rpc->delivered_seq);
        for (struct jp_rpc_connection *connection = rpc->first_connection; connection; connection = connection->next) {
            if (event)
                show(connection, event);
            else /* the ring was too small for a database that was away so long: from the database, then */
                for (struct jp_subscription *subscription = connection->first_subscription; subscription; subscription = subscription->next)
                    if (subscription->state == LIVE)
                        read_page(subscription);
        }
    }
}

/* --- subscribing --- */

static char **copy_list(const struct jp_strings *list) {
    char **copy = list->count ? jp_realloc_array(NULL, list->count, sizeof *copy) : NULL;
    for (size_t i = 0; i < list->count; i++)
        copy[i] = jp_strdup(list->items[i]);
    return copy;
}

void jp__subscribe(struct jp_rpc_connection *connection, const struct jp_strings *pools, const struct jp_strings *messages,
                       const uint64_t *from_seq) {
    struct jp_subscription *subscription = jp_alloc(sizeof *subscription);
    subscription->rpc = connection->rpc;
    subscription->connection = connection;
    subscription->id = ++connection->last_subscription;
    subscription->pools = copy_list(pools);
    subscription->pool_count = pools->count;
    subscription->messages = copy_list(messages);
    subscription->message_count = messages->count;
    subscription->next = connection->first_subscription;
    connection->first_subscription = subscription;
    connection->subscription_count++;
    subscription->next_seq = from_seq ? *from_seq : connection->rpc->delivered_seq + 1;
    if (!subscription->next_seq)
        subscription->next_seq = 1;
    catch_up(subscription);
}

/* A page on its way frees it when it comes. */
static void detach(struct jp_subscription *subscription) {
    if (subscription->state == READING)
        subscription->connection = NULL;
    else
        free_subscription(subscription);
}

bool jp__unsubscribe(struct jp_rpc_connection *connection, uint64_t id) {
    for (struct jp_subscription **link = &connection->first_subscription; *link; link = &(*link)->next) {
        struct jp_subscription *subscription = *link;
        if (subscription->id == id) {
            *link = subscription->next;
            connection->subscription_count--;
            detach(subscription);
            return true;
        }
    }
    return false;
}

void jp__subscriptions_closed(struct jp_rpc_connection *connection) {
    while (connection->first_subscription)
        jp__unsubscribe(connection, connection->first_subscription->id);
}

void jp__subscriptions_drained(struct jp_rpc_connection *connection) {
    for (struct jp_subscription *subscription = connection->first_subscription; subscription; subscription = subscription->next)
        if (subscription->state == PAUSED)
            catch_up(subscription);
}
