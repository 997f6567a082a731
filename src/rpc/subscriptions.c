/* Subscriptions: every event once, in order, from the past into the present.
 *
 * A subscription has a place, the first seq that it has not had, and a front, up to which it may have events: the last one that is on
 * the disk, or, if it is not durable, the last one that there is. Whatever happens, it goes on from its place to its front: from memory
 * where that has the event, else from the database, a page at a time. What neither has, because it is gone for good, is told as a
 * gap: the place never moves past an event that was neither sent nor told. */
#include "rpc/rpc_internal.h"

#include <string.h>

enum { PAGE = 500 };

enum subscription_state {
    LIVE,    /* its place is past its front */
    READING, /* a page is on its way from the database */
    PAUSED,  /* waits for its client to read */
    WAITING, /* what comes next is no longer in memory, and not yet on the disk */
};

struct jp_subscription {
    struct jp_rpc *rpc;
    struct jp_rpc_connection *connection; /* NULL: gone while a page was on its way */
    struct jp_subscription *next;
    uint64_t id;
    enum jp_framing framing; /* of the request that made it, whatever the client sends later */
    enum subscription_state state;
    bool durable;
    bool slow;            /* it was live, and its client did not read: to be told when it has */
    uint64_t next_seq;    /* its place */
    uint64_t covered_seq; /* READING: what the page certainly sees */
    struct jp_strings pools, messages, origins; /* none: all */
    uint32_t pid;                               /* 0: all */
};

static uint64_t front(const struct jp_subscription *subscription) {
    return subscription->durable ? subscription->rpc->delivered_seq : subscription->rpc->newest_seq;
}

static size_t page_events(const struct jp_rpc *rpc) { return rpc->with.page_events ? rpc->with.page_events : PAGE; }

/* --- what it wants --- */

static bool in_list(const struct jp_strings *list, const char *text) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return !list->count;
}

static bool wants(const struct jp_subscription *subscription, const struct jp_event *event) {
    if (!in_list(&subscription->pools, event->pool) || !in_list(&subscription->messages, event->message) ||
        !in_list(&subscription->origins, jp_origin_name(event->origin)) || (subscription->pid && subscription->pid != event->pid))
        return false;
    /* Pools that it named it could view when it subscribed. They may be gone since, and their last events are its own still. */
    const struct jp_pool *pool = jp_pools_find(subscription->rpc->with.pools, event->pool);
    return (!pool && subscription->pools.count) || jp__may_view(subscription->connection, event->pool);
}

static bool wants_all(const struct jp_subscription *subscription) {
    return !subscription->pools.count && !subscription->messages.count && !subscription->origins.count && !subscription->pid;
}

/* --- sending --- */

static struct jp_json_out *begin(const struct jp_subscription *subscription) { return jp__notification_begin(subscription->connection, "event"); }

static void end(const struct jp_subscription *subscription, struct jp_json_out *out) {
    jp_out_u64(out, "subscription", subscription->id);
    jp__notification_end(subscription->connection, subscription->framing);
}

static void tell_gap(struct jp_subscription *subscription, uint64_t from, uint64_t to, const char *reason) {
    struct jp_json_out *out = begin(subscription);
    jp_out_object(out, "gap");
    jp_out_u64(out, "from", from);
    jp_out_u64(out, "to", to);
    jp_out_string(out, "reason", reason);
    jp_out_end_object(out);
    end(subscription, out);
}

static void tell_end(struct jp_subscription *subscription, const struct jp_error *error) {
    struct jp_json_out *out = begin(subscription);
    jp_out_object(out, "end");
    jp_out_u64(out, "nextSeq", subscription->next_seq);
    jp__put_error(out, error, NULL);
    jp_out_end_object(out);
    end(subscription, out);
}

static bool reads_too_slowly(const struct jp_subscription *subscription) {
    struct jp_peer *peer = subscription->connection->peer;
    return peer->ops->unsent(peer) > JP_RPC_PAUSE_UNSENT;
}

/* False if the client must read first. */
static bool deliver(struct jp_subscription *subscription, const struct jp_event *event, bool on_disk) {
    if (wants(subscription, event)) {
        if (reads_too_slowly(subscription))
            return false;
        struct jp_json_out *out = begin(subscription);
        jp__put_event_once(out, subscription->rpc, event);
        if (!on_disk)
            jp_out_bool(out, "durable", false);
        end(subscription, out);
    }
    subscription->next_seq = event->seq + 1;
    return true;
}

/* --- what is gone for good --- */

static uint64_t smaller(uint64_t one, uint64_t other) { return one < other ? one : other; }
static uint64_t larger(uint64_t one, uint64_t other) { return one > other ? one : other; }

/* Numbers that the database does not have: `from` to `to`. */
static void tell_missing(struct jp_subscription *subscription, const struct jp_accounts_state *state, uint64_t from, uint64_t to) {
    if (from < state->first_seq) {
        uint64_t last = smaller(to, state->first_seq - 1);
        tell_gap(subscription, from, last, "purged");
        from = last + 1;
    }
    if (from > to)
        return;
    bool dropped = state->dropped_to_seq && from <= state->dropped_to_seq && to >= state->dropped_from_seq;
    tell_gap(subscription, from, to, dropped ? "dropped" : "missing");
}

/* Moves the place to `seq`, because the page has nothing before it. Who wants all knows by that what is missing; with a filter only what
 * the database says that it does not have any more, which may have been for others. */
static void pass_over(struct jp_subscription *subscription, uint64_t seq) {
    struct jp_accounts *accounts = subscription->rpc->with.accounts;
    struct jp_accounts_state state;
    uint64_t from = subscription->next_seq, to = seq - 1;
    if (from >= seq)
        return;
    accounts->ops->state(accounts, &state);
    subscription->next_seq = seq;
    if (wants_all(subscription)) {
        tell_missing(subscription, &state, from, to);
        return;
    }
    if (from < state.first_seq)
        tell_missing(subscription, &state, from, smaller(to, state.first_seq - 1));
    if (state.dropped_to_seq && from <= state.dropped_to_seq && to >= state.dropped_from_seq)
        tell_gap(subscription, larger(from, state.dropped_from_seq), smaller(to, state.dropped_to_seq), "dropped");
}

/* --- going on --- */

static void read_page(struct jp_subscription *subscription);

static void go_on(struct jp_subscription *subscription) {
    struct jp_rpc *rpc = subscription->rpc;
    bool was_live = subscription->state == LIVE;
    while (subscription->next_seq <= front(subscription)) {
        bool on_disk = subscription->next_seq <= rpc->delivered_seq;
        const struct jp_event *event = jp__recent_find(rpc, subscription->next_seq);
        if (!event && !on_disk) {
            subscription->state = WAITING;
            return;
        }
        if (event ? !deliver(subscription, event, on_disk) : reads_too_slowly(subscription)) {
            subscription->slow |= was_live;
            subscription->state = PAUSED;
            return;
        }
        if (!event) {
            read_page(subscription);
            return;
        }
    }
    subscription->state = LIVE;
}

static void free_subscription(struct jp_subscription *subscription) {
    jp_strings_free(&subscription->pools);
    jp_strings_free(&subscription->messages);
    jp_strings_free(&subscription->origins);
    jp_free(subscription);
}

/* All of the page: false if the client must read first. */
static bool deliver_page(struct jp_subscription *subscription, const struct jp_event *events, size_t count) {
    for (size_t i = 0; i < count; i++) {
        pass_over(subscription, events[i].seq);
        if (!deliver(subscription, &events[i], true))
            return false;
    }
    if (count < page_events(subscription->rpc))
        pass_over(subscription, subscription->covered_seq + 1); /* the page had room for what is not in it */
    return true;
}

static void on_page(void *context, jp_status status, const struct jp_error *error, const struct jp_event *events, size_t count) {
    struct jp_subscription *subscription = context;
    subscription->state = PAUSED;
    if (!subscription->connection) {
        free_subscription(subscription);
    } else if (status) { /* the client is told, and may subscribe again from where it is */
        tell_end(subscription, error);
        jp__unsubscribe(subscription->connection, subscription->id);
    } else if (deliver_page(subscription, events, count)) {
        go_on(subscription);
    }
}

static const struct jp_strings *unless_empty(const struct jp_strings *list) { return list->count ? list : NULL; }

static void read_page(struct jp_subscription *subscription) {
    struct jp_accounts *accounts = subscription->rpc->with.accounts;
    struct jp_event_filter filter = {.from_seq = subscription->next_seq, .limit = (uint32_t)page_events(subscription->rpc), .pid = subscription->pid,
                                     .pools = unless_empty(&subscription->pools), .messages = unless_empty(&subscription->messages),
                                     .origins = unless_empty(&subscription->origins)};
    subscription->state = READING;
    subscription->covered_seq = subscription->rpc->delivered_seq;
    accounts->ops->query_events(accounts, &filter, on_page, subscription);
}

/* --- what happens --- */

static void go_on_all(struct jp_rpc *rpc) {
    jp__printed_begin(rpc);
    for (struct jp_rpc_connection *connection = rpc->first_connection; connection; connection = connection->next)
        for (struct jp_subscription *subscription = connection->first_subscription; subscription; subscription = subscription->next)
            if (subscription->state == LIVE || subscription->state == WAITING)
                go_on(subscription);
}

void jp_rpc_on_event(struct jp_rpc *rpc, const struct jp_event *event) {
    jp__recent_add(rpc, event);
    rpc->newest_seq = event->seq;
    go_on_all(rpc);
}

/* What the full backlog dropped is in memory, and never will be on the disk: the database is asked, which then says what it has. */
static void forget_dropped(struct jp_rpc *rpc) {
    struct jp_accounts *accounts = rpc->with.accounts;
    struct jp_accounts_state state;
    accounts->ops->state(accounts, &state);
    if (state.dropped_events == rpc->dropped_events)
        return;
    rpc->dropped_events = state.dropped_events;
    jp__recent_forget(rpc, rpc->delivered_seq + 1, state.dropped_to_seq ? state.dropped_to_seq : rpc->newest_seq);
}

void jp_rpc_on_committed(struct jp_rpc *rpc, uint64_t seq) {
    if (seq <= rpc->delivered_seq)
        return;
    forget_dropped(rpc);
    rpc->delivered_seq = seq;
    go_on_all(rpc);
}

/* Who was live learns that it was not for a while, and from where to where it gets the events now. */
static void resume(struct jp_subscription *subscription) {
    uint64_t to = front(subscription);
    if (subscription->slow && subscription->next_seq <= to)
        tell_gap(subscription, subscription->next_seq, to, "slow");
    subscription->slow = false;
    go_on(subscription);
}

void jp__subscriptions_drained(struct jp_rpc_connection *connection) {
    for (struct jp_subscription *subscription = connection->first_subscription; subscription; subscription = subscription->next)
        if (subscription->state == PAUSED)
            resume(subscription);
}

/* --- subscribing --- */

void jp__subscribe(struct jp_rpc_connection *connection, const struct jp__wanted *wanted) {
    struct jp_subscription *subscription = jp_alloc(sizeof *subscription);
    subscription->rpc = connection->rpc;
    subscription->connection = connection;
    subscription->id = ++connection->last_subscription;
    subscription->framing = connection->framer.framing;
    subscription->state = PAUSED; /* not live before it has come to its front */
    subscription->durable = wanted->durable;
    jp_strings_add_all(&subscription->pools, &wanted->pools);
    jp_strings_add_all(&subscription->messages, &wanted->messages);
    jp_strings_add_all(&subscription->origins, &wanted->origins);
    subscription->pid = wanted->pid;
    subscription->next = connection->first_subscription;
    connection->first_subscription = subscription;
    connection->subscription_count++;
    subscription->next_seq = wanted->from_past ? larger(wanted->from_seq, 1) : front(subscription) + 1;
    go_on(subscription);
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
