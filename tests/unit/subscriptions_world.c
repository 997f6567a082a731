#include "subscriptions_world.h"

const char *pool_of_seq(uint64_t seq) { return seq % 2 ? "b" : "a"; }

/* --- the database --- */

static struct world *of_accounts(struct jp_accounts *accounts) { return (struct world *)(void *)accounts; }

static void query_events(struct jp_accounts *accounts, const struct jp_event_filter *filter, jp_events_fn *callback, void *context) {
    struct world *world = of_accounts(accounts);
    assert_true(world->query_count < QUERIES_MAX);
    world->queries[world->query_count++] = (struct query){.callback = callback, .context = context, .from_seq = filter->from_seq,
                                                          .limit = filter->limit,
                                                          .pool = filter->pools ? jp_strdup(filter->pools->items[0]) : NULL};
}

static void state(struct jp_accounts *accounts, struct jp_accounts_state *ret_state) { *ret_state = of_accounts(accounts)->state; }

static const struct jp_accounts_ops accounts_ops = {.query_events = query_events, .state = state};

/* Of a backend and of pools only as much as says that the client may see everything. */
static jp_status descriptor_new(struct jp_backend *backend, const char *sddl, bool and_self, struct jp_descriptor **ret_descriptor,
                                struct jp_error *error) {
    (void)sddl;
    (void)and_self;
    (void)error;
    *ret_descriptor = (struct jp_descriptor *)(void *)backend;
    return JP_OK;
}
static void descriptor_free(struct jp_descriptor *descriptor) { (void)descriptor; }
static uint32_t descriptor_rights(const struct jp_descriptor *descriptor, const struct jp_principal *principal) {
    (void)descriptor;
    (void)principal;
    return JP_RIGHTS_ALL;
}
static void keeper_close(struct jp_keeper *keeper) { (void)keeper; }
static const struct jp_backend_ops backend_ops = {.descriptor_new = descriptor_new, .descriptor_free = descriptor_free,
                                                  .descriptor_rights = descriptor_rights, .keeper_close = keeper_close};
static struct jp_backend backend = {.ops = &backend_ops};
static uint64_t no_time(void *context) {
    (void)context;
    return 0;
}

static struct jp_event event_of(uint64_t seq) { return (struct jp_event){.seq = seq, .pool = pool_of_seq(seq), .message = "NOTE"}; }

static bool has(const struct world *world, uint64_t seq) {
    return seq >= world->state.first_seq && seq <= world->committed && !world->dropped[seq];
}

/* The page as the database has it at this moment. */
static void answer_query(struct world *world) {
    struct query query = world->queries[0];
    struct jp_event page[PAGE];
    uint32_t count = 0;
    memmove(world->queries, world->queries + 1, --world->query_count * sizeof query);
    for (uint64_t seq = query.from_seq; seq <= world->committed && count < query.limit; seq++)
        if (has(world, seq) && (!query.pool || strcmp(query.pool, pool_of_seq(seq)) == 0))
            page[count++] = event_of(seq);
    struct jp_error error;
    jp_status status = world->unreadable ? jp_fail(&error, JP_E_STORE, "it cannot be read") : JP_OK;
    query.callback(query.context, status, &error, page, status ? 0 : count);
    jp_free(query.pool);
}

/* --- what can happen --- */

void emit(struct world *world) {
    struct jp_event event = event_of(++world->last_seq);
    assert_true(world->last_seq < EVENTS_MAX);
    jp_rpc_on_event(world->rpc, &event);
}

static void emit_dropped(struct world *world) {
    world->dropped[world->last_seq + 1] = true;
    world->state.dropped_events++;
    if (!world->state.dropped_to_seq)
        world->state.dropped_from_seq = world->last_seq + 1;
    world->state.dropped_to_seq = world->last_seq + 1;
    emit(world);
}

static bool commit(struct world *world) {
    if (world->committed == world->last_seq)
        return false;
    world->committed = world->last_seq;
    return true;
}

static bool tell_commit(struct world *world) {
    if (world->told == world->committed)
        return false;
    world->told = world->committed;
    jp_rpc_on_committed(world->rpc, world->told);
    return true;
}

static bool drain(struct world *world) {
    if (!world->client.unread)
        return false;
    world->client.unread = 0;
    jp_rpc_drained(world->client.connection);
    return true;
}

bool act(struct world *world, char what) {
    switch (what) {
    case 'E': emit(world); return true;
    case 'X': emit_dropped(world); return true;
    case 'C': return commit(world);
    case 'T': return tell_commit(world);
    case 'R': return drain(world);
    case 'P':
        if (!world->query_count)
            return false;
        answer_query(world);
        return true;
    case 'S':
        if (world->client.unread)
            return false;
        world->client.unread = JP_RPC_PAUSE_UNSENT + 1;
        return true;
    case 'U': {
        static const char line[] = "{\"jsonrpc\":\"2.0\",\"method\":\"events.unsubscribe\",\"params\":{\"subscription\":1}}\n";
        jp_sim_client_say(&world->client, line);
        return true;
    }
    default: fail_msg("no such action: %c", what); return false;
    }
}

void settle(struct world *world) {
    do {
        drain(world);
        commit(world);
        tell_commit(world);
        while (world->query_count)
            answer_query(world);
    } while (world->client.unread);
}

void subscribe(struct world *world, const char *params) {
    char *line = jp_sprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events.subscribe\",\"params\":%s}\n", params);
    jp_sim_client_say(&world->client, line);
    jp_free(line);
    assert_non_null(strstr(jp_str_text(&world->client.received), "\"subscription\":"));
    jp_str_remove_front(&world->client.received, (size_t)(strchr(world->client.received.data, '\n') - world->client.received.data) + 1);
}

struct world *open_world_with(const char *params, uint64_t past, size_t recent_events) {
    struct world *world = jp_alloc(sizeof *world);
    world->accounts.ops = &accounts_ops;
    world->last_seq = world->committed = world->told = past;
    world->state.first_seq = past ? 1 : 0;
    world->pools = jp_pools_new(&(struct jp_pools_surroundings){.backend = &backend, .accounts = &world->accounts}, &(struct jp_accounts_start){0});
    struct jp_rpc_setup setup = {.pools = world->pools, .accounts = &world->accounts, .now_ms = no_time, .recent_events = recent_events, .page_events = PAGE};
    world->rpc = jp_rpc_new(&setup, past);
    jp_sim_client_connect(&world->client, world->rpc);
    subscribe(world, params);
    return world;
}

struct world *open_world(const char *params, uint64_t past) { return open_world_with(params, past, RECENT); }

void close_world(struct world *world) {
    jp_sim_client_hang_up(&world->client);
    while (world->query_count)
        answer_query(world);
    jp_rpc_free(world->rpc);
    jp_pools_free(world->pools);
    jp_free(world);
}

/* --- what the client got --- */

uint64_t number(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItem(object, key);
    assert_non_null(item);
    return (uint64_t)item->valuedouble;
}

static void take_gap(struct seen *seen, const cJSON *gap) {
    uint64_t from = number(gap, "from"), to = number(gap, "to");
    const char *reason = cJSON_GetStringValue(cJSON_GetObjectItem(gap, "reason"));
    assert_true(from <= to);
    assert_true(from >= seen->next); /* nothing that was sent already */
    if (strcmp(reason, "slow") == 0) {
        seen->slow++;
        return;
    }
    for (uint64_t seq = from; seq <= to; seq++)
        seen->lost[seq] = true;
}

static void take(struct seen *seen, const cJSON *params) {
    assert_int_equal(number(params, "subscription"), 1);
    const cJSON *gap = cJSON_GetObjectItem(params, "gap");
    if (gap) {
        take_gap(seen, gap);
    } else if (cJSON_GetObjectItem(params, "end")) {
        seen->ended = true;
    } else {
        uint64_t seq = number(params, "seq");
        assert_false(seen->ended);
        assert_true(seq >= seen->next); /* once, and in order */
        seen->at_once[seen->count] = cJSON_IsFalse(cJSON_GetObjectItem(params, "durable"));
        seen->seqs[seen->count++] = seq;
        seen->next = seq + 1;
    }
}

struct seen read_all(const struct world *world) {
    struct seen seen = {.next = 1};
    for (const char *line = jp_str_text(&world->client.received), *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        cJSON *message = cJSON_ParseWithLength(line, (size_t)(end - line));
        assert_non_null(message);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(message, "method")), "event");
        take(&seen, cJSON_GetObjectItem(message, "params"));
        cJSON_Delete(message);
    }
    return seen;
}
