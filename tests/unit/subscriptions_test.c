/* Subscriptions over a database that does what a test says, when it says so: all orders of what can happen. */
#include "rpc/rpc.h"

#include "unit.h"

enum {
    RECENT = 4, /* events kept in memory, */
    PAGE = 2,   /* and read at a time: few, so that short histories meet every bound */
    EVENTS_MAX = 64,
    QUERIES_MAX = 8,
    ACTIONS_MAX = 8,
};

/* Even ones are of pool "a". */
static const char *pool_of_seq(uint64_t seq) { return seq % 2 ? "b" : "a"; }

struct query {
    jp_events_fn *callback;
    void *context;
    uint64_t from_seq;
    uint32_t limit;
    char *pool; /* the filter's only one, or NULL */
};

struct world {
    struct jp_accounts accounts; /* first */
    struct jp_pools *pools;
    struct jp_rpc *rpc;
    uint64_t last_seq;  /* that there is, */
    uint64_t committed; /* that the database has, */
    uint64_t told;      /* and that the loop knows of */
    bool dropped[EVENTS_MAX];
    struct jp_accounts_state state;
    struct query queries[QUERIES_MAX];
    size_t query_count;
    bool unreadable;
    struct jp_peer peer;
    struct jp_rpc_connection *connection;
    struct jp_str received;
    size_t unread; /* what the client has not read yet */
};

/* --- the peer --- */

static struct world *of_peer(const struct jp_peer *peer) {
    return (struct world *)(void *)((char *)(uintptr_t)peer - offsetof(struct world, peer));
}

static jp_status identify(struct jp_peer *peer, struct jp_principal **ret_principal, struct jp_error *error) {
    static int somebody;
    (void)peer;
    (void)error;
    *ret_principal = (struct jp_principal *)(void *)&somebody;
    return JP_OK;
}

static void principal_free(struct jp_peer *peer, struct jp_principal *principal) {
    (void)peer;
    (void)principal;
}

static const char *principal_name(struct jp_peer *peer, const struct jp_principal *principal) {
    (void)peer;
    (void)principal;
    return "SIM\\admin";
}

static const char *principal_sid(struct jp_peer *peer, const struct jp_principal *principal) {
    (void)peer;
    (void)principal;
    return "S-1-5-21-1-2-3-500";
}

static uint32_t process_id(const struct jp_peer *peer) {
    (void)peer;
    return 0;
}

static struct jp_str *output(struct jp_peer *peer) { return &of_peer(peer)->received; }
static void peer_send(struct jp_peer *peer) { (void)peer; }
static size_t unsent(const struct jp_peer *peer) { return of_peer(peer)->unread; }
static void peer_close(struct jp_peer *peer) { (void)peer; }

static const struct jp_peer_ops peer_ops = {.identify = identify, .principal_free = principal_free, .principal_name = principal_name,
                                            .principal_sid = principal_sid, .process_id = process_id, .output = output, .send = peer_send,
                                            .unsent = unsent, .finish = peer_close, .close = peer_close};

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

static void emit(struct world *world) {
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
    if (!world->unread)
        return false;
    world->unread = 0;
    jp_rpc_drained(world->connection);
    return true;
}

/* E: an event. X: one that the full backlog drops. C: the database commits. T: the loop hears of it. P: a page comes. S: the client stops
 * reading. R: it has read up. U: it unsubscribes. B: the database cannot be read. False: that cannot happen now. */
static bool act(struct world *world, char what) {
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
        if (world->unread)
            return false;
        world->unread = JP_RPC_PAUSE_UNSENT + 1;
        return true;
    case 'U': {
        static const char line[] = "{\"jsonrpc\":\"2.0\",\"method\":\"events.unsubscribe\",\"params\":{\"subscription\":1}}\n";
        jp_rpc_receive(world->connection, line, sizeof line - 1);
        return true;
    }
    default: fail_msg("no such action: %c", what); return false;
    }
}

/* Everything that is under way comes to its end. */
static void settle(struct world *world) {
    do {
        drain(world);
        commit(world);
        tell_commit(world);
        while (world->query_count)
            answer_query(world);
    } while (world->unread);
}

static void subscribe(struct world *world, const char *params) {
    char *line = jp_sprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events.subscribe\",\"params\":%s}\n", params);
    jp_rpc_receive(world->connection, line, strlen(line));
    jp_free(line);
    assert_non_null(strstr(jp_str_text(&world->received), "\"subscription\":"));
    jp_str_remove_front(&world->received, (size_t)(strchr(world->received.data, '\n') - world->received.data) + 1);
}

static struct world *open_world_with(const char *params, uint64_t past, size_t recent_events) {
    struct world *world = jp_alloc(sizeof *world);
    world->accounts.ops = &accounts_ops;
    world->peer.ops = &peer_ops;
    world->last_seq = world->committed = world->told = past;
    world->state.first_seq = past ? 1 : 0;
    world->pools = jp_pools_new(&(struct jp_pools_surroundings){.backend = &backend, .accounts = &world->accounts}, &(struct jp_accounts_start){0});
    struct jp_rpc_setup setup = {.pools = world->pools, .accounts = &world->accounts, .now_ms = no_time, .recent_events = recent_events, .page_events = PAGE};
    world->rpc = jp_rpc_new(&setup, past);
    world->connection = jp_rpc_open(world->rpc, &world->peer);
    subscribe(world, params);
    return world;
}

static struct world *open_world(const char *params, uint64_t past) { return open_world_with(params, past, RECENT); }

static void close_world(struct world *world) {
    jp_rpc_closed(world->connection);
    while (world->query_count)
        answer_query(world);
    jp_rpc_free(world->rpc);
    jp_pools_free(world->pools);
    jp_str_free(&world->received);
    jp_free(world);
}

/* --- what the client got --- */

struct seen {
    uint64_t seqs[EVENTS_MAX];
    bool at_once[EVENTS_MAX]; /* "durable": false */
    size_t count;
    uint64_t next;            /* the least that is not accounted for */
    unsigned slow;            /* gaps of that reason */
    bool lost[EVENTS_MAX];    /* told as gone */
    bool ended;
};

static uint64_t number(const cJSON *object, const char *key) {
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

static struct seen read_all(struct world *world) {
    struct seen seen = {.next = 1};
    for (const char *line = jp_str_text(&world->received), *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        cJSON *message = cJSON_ParseWithLength(line, (size_t)(end - line));
        assert_non_null(message);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(message, "method")), "event");
        take(&seen, cJSON_GetObjectItem(message, "params"));
        cJSON_Delete(message);
    }
    return seen;
}

/* --- all histories --- */

struct kind {
    const char *params;
    uint64_t past;   /* events before it subscribes */
    uint64_t from;   /* the first that it must get */
    bool at_once;    /* durable: false */
    const char *pool; /* it asked for */
};

/* Every event from `from` on: sent once, or told to be gone. With `at_once`, one that was dropped may have been sent. */
static void check(const struct world *world, const struct kind *kind, const struct seen *seen) {
    size_t at = 0;
    for (uint64_t seq = 1; seq <= world->last_seq; seq++) {
        bool sent = at < seen->count && seen->seqs[at] == seq;
        bool asked = seq >= kind->from && (!kind->pool || strcmp(kind->pool, pool_of_seq(seq)) == 0);
        at += sent;
        if (!asked)
            assert_false(sent);
        else if (world->dropped[seq])
            assert_true(kind->at_once ? sent != seen->lost[seq] : !sent && seen->lost[seq]);
        else
            assert_true(sent && (kind->pool || !seen->lost[seq]));
    }
    assert_int_equal(at, seen->count);
}

/* True if it could happen; else *ret_stop is the first that could not. */
static bool run_history(const struct kind *kind, const char *actions, size_t length, size_t *ret_stop) {
    struct world *world = open_world(kind->params, kind->past);
    bool possible = true;
    for (size_t i = 0; i < length && possible; i++)
        if (!act(world, actions[i])) {
            possible = false;
            *ret_stop = i;
        }
    if (possible) {
        settle(world);
        struct seen seen = read_all(world);
        check(world, kind, &seen);
        emit(world); /* and it is live */
        settle(world);
        seen = read_all(world);
        check(world, kind, &seen);
    }
    close_world(world);
    return possible;
}

/* All words of `length` letters of the alphabet that can happen; what cannot is left out with all that begins so. */
static size_t run_all(const struct kind *kind, const char *alphabet, size_t length) {
    size_t letters = strlen(alphabet), count = 0, digits[ACTIONS_MAX] = {0}, stop;
    char actions[ACTIONS_MAX + 1] = {0};
    for (;;) {
        for (size_t i = 0; i < length; i++)
            actions[i] = alphabet[digits[i]];
        stop = length - 1;
        count += run_history(kind, actions, length, &stop);
        for (size_t i = stop + 1; i < length; i++)
            digits[i] = 0;
        while (++digits[stop] == letters) {
            digits[stop] = 0;
            if (!stop--)
                return count;
        }
    }
}

static const struct kind kinds[] = {
    {"{}", 5, 6, false, NULL},
    {"{\"fromSeq\":1}", 5, 1, false, NULL},
    {"{\"fromSeq\":1,\"pools\":[\"a\"]}", 5, 1, false, "a"},
    {"{\"durable\":false}", 5, 6, true, NULL},
    {"{\"durable\":false,\"fromSeq\":4}", 5, 4, true, NULL},
    {"{\"durable\":false,\"fromSeq\":4,\"pools\":[\"a\"]}", 5, 4, true, "a"},
    {"{\"fromSeq\":7}", 5, 7, false, NULL}, /* of the future */
    {"{}", 0, 1, false, NULL},
};

static void every_order_gives_each_event_once(void **state_) {
    size_t count = 0;
    (void)state_;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        count += run_all(&kinds[i], "ECTPSR", 8);
    print_message("%zu histories\n", count);
    assert_true(count > 80000);
}

static void what_was_dropped_is_told_in_every_order(void **state_) {
    size_t count = 0;
    (void)state_;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds - 2; i++)
        count += run_all(&kinds[i], "EXCTPSR", 6);
    print_message("%zu histories\n", count);
    assert_true(count > 20000);
}

/* It may be anywhere when its client unsubscribes: nothing comes after that, and nothing is left behind. */
static void unsubscribing_at_any_moment(void **state_) {
    static const char history[] = "ESECTPREECTPTPSEECTRPPP";
    (void)state_;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (size_t at = 0; at < sizeof history; at++) {
            struct world *world = open_world(kinds[i].params, kinds[i].past);
            for (size_t step = 0; step < at; step++)
                act(world, history[step]);
            act(world, 'U');
            size_t length = world->received.length;
            for (size_t step = at; history[step]; step++)
                act(world, history[step]);
            settle(world);
            assert_int_equal(world->received.length, length);
            close_world(world);
        }
}

/* --- one by one --- */

static void play(struct world *world, const char *actions) {
    for (; *actions; actions++)
        assert_true(act(world, *actions));
}

static void expect_next(struct world *world, const char *params) {
    char *expected = jp_sprintf("{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":%s}\n", params);
    const char *text = jp_str_text(&world->received);
    if (strncmp(text, expected, strlen(expected)) != 0)
        fail_msg("expected %sbut got %s", expected, text);
    jp_str_remove_front(&world->received, strlen(expected));
    jp_free(expected);
}

static void expect_seq(struct world *world, uint64_t seq, bool on_disk) {
    struct seen seen = read_all(world);
    assert_true(seen.count > 0);
    assert_int_equal(seen.seqs[0], seq);
    assert_int_equal(seen.at_once[0], !on_disk);
    jp_str_remove_front(&world->received, (size_t)(strchr(world->received.data, '\n') - world->received.data) + 1);
}

static void expect_silence(struct world *world) { assert_string_equal(jp_str_text(&world->received), ""); }

static void a_slow_client_is_told_once_and_misses_nothing(void **state_) {
    struct world *world = open_world("{}", 5);
    (void)state_;
    play(world, "ECT");
    expect_seq(world, 6, true);
    play(world, "SEEEEEECT"); /* more than memory holds */
    expect_silence(world);
    play(world, "R");
    expect_next(world, "{\"gap\":{\"from\":7,\"to\":12,\"reason\":\"slow\"},\"subscription\":1}");
    play(world, "SP"); /* it stops again before it is live: that is no second gap */
    expect_silence(world);
    play(world, "ECTR");
    settle(world);
    for (uint64_t seq = 7; seq <= 13; seq++)
        expect_seq(world, seq, true);
    expect_silence(world);
    play(world, "SECTR");
    expect_next(world, "{\"gap\":{\"from\":14,\"to\":14,\"reason\":\"slow\"},\"subscription\":1}");
    expect_seq(world, 14, true);
    close_world(world);
}

static void one_that_reads_the_past_slowly_has_no_gap(void **state_) {
    struct world *world = open_world("{\"fromSeq\":1}", 5);
    (void)state_;
    play(world, "SPRP");
    settle(world);
    for (uint64_t seq = 1; seq <= 5; seq++)
        expect_seq(world, seq, true);
    expect_silence(world);
    close_world(world);
}

/* Others on the connection keep it from reading; who wants nothing of what comes is not slow. */
static void what_it_does_not_want_does_not_stop_it(void **state_) {
    struct world *world = open_world("{\"pools\":[\"a\"]}", 5);
    (void)state_;
    play(world, "ECTSECTR"); /* 6 is of "a", 7 is not */
    expect_seq(world, 6, true);
    expect_silence(world);
    close_world(world);
}

static void at_once_and_from_the_past(void **state_) {
    struct world *world = open_world("{\"durable\":false,\"fromSeq\":5}", 5);
    (void)state_;
    play(world, "E"); /* before the page */
    expect_silence(world);
    play(world, "P");
    expect_seq(world, 5, true);
    expect_seq(world, 6, false);
    play(world, "E");
    expect_seq(world, 7, false);
    play(world, "CT");
    expect_silence(world); /* it has them */
    play(world, "SEEEEEER"); /* the first two of these are neither in memory nor on the disk */
    expect_next(world, "{\"gap\":{\"from\":8,\"to\":13,\"reason\":\"slow\"},\"subscription\":1}");
    expect_silence(world);
    play(world, "CTP");
    for (uint64_t seq = 8; seq <= 13; seq++)
        expect_seq(world, seq, true);
    expect_silence(world);
    close_world(world);
}

static void what_is_purged_is_told(void **state_) {
    struct world *world = open_world("{\"fromSeq\":1}", 5);
    (void)state_;
    world->state.first_seq = 4;
    play(world, "P");
    expect_next(world, "{\"gap\":{\"from\":1,\"to\":3,\"reason\":\"purged\"},\"subscription\":1}");
    expect_seq(world, 4, true);
    close_world(world);
    world = open_world("{\"fromSeq\":1,\"pools\":[\"a\"]}", 5);
    world->state.first_seq = 4;
    play(world, "P");
    expect_next(world, "{\"gap\":{\"from\":1,\"to\":3,\"reason\":\"purged\"},\"subscription\":1}");
    expect_seq(world, 4, true);
    close_world(world);
    world = open_world("{\"fromSeq\":2}", 5); /* all of them, while it reads */
    play(world, "P");
    world->state.first_seq = 6;
    play(world, "P");
    expect_seq(world, 2, true);
    expect_seq(world, 3, true);
    expect_next(world, "{\"gap\":{\"from\":4,\"to\":5,\"reason\":\"purged\"},\"subscription\":1}");
    expect_silence(world);
    close_world(world);
}

static void what_is_missing_is_told_with_its_reason(void **state_) {
    struct world *world = open_world("{\"fromSeq\":1}", 5);
    (void)state_;
    world->dropped[2] = true; /* nobody knows why any more */
    play(world, "P");
    expect_seq(world, 1, true);
    expect_next(world, "{\"gap\":{\"from\":2,\"to\":2,\"reason\":\"missing\"},\"subscription\":1}");
    expect_seq(world, 3, true);
    settle(world);
    expect_seq(world, 4, true);
    expect_seq(world, 5, true);
    play(world, "EXXECTP");
    expect_seq(world, 6, true);
    expect_next(world, "{\"gap\":{\"from\":7,\"to\":8,\"reason\":\"dropped\"},\"subscription\":1}");
    expect_seq(world, 9, true);
    expect_silence(world);
    close_world(world);
}

static void a_database_that_cannot_be_read_ends_it_aloud(void **state_) {
    struct world *world = open_world("{\"fromSeq\":3}", 5);
    (void)state_;
    world->unreadable = true;
    play(world, "P");
    expect_next(world, "{\"end\":{\"nextSeq\":3,\"error\":{\"code\":-32012,\"message\":\"it cannot be read\",\"data\":{\"name\":\"storage_error\"}}},"
                       "\"subscription\":1}");
    settle(world);
    play(world, "ECT");
    expect_silence(world);
    close_world(world);
}

/* --- many at once --- */

enum { BURST = 700, DETAIL = 500 }; /* more events, and more bytes, than are kept as text */

static char *detail_of(uint64_t seq) {
    char letters[DETAIL + 1] = {0};
    memset(letters, 'a' + (int)(seq % 26), DETAIL);
    return jp_sprintf("%llu \"%s\"", (unsigned long long)seq, letters);
}

/* Both get each event, as it is, in order; whose turn it is when is the service's business. */
static void expect_all(struct world *world, uint64_t from, uint64_t to) {
    uint64_t next[] = {from, from};
    for (const char *line = jp_str_text(&world->received), *end_of_line; (end_of_line = strchr(line, '\n')) != NULL; line = end_of_line + 1) {
        cJSON *message = cJSON_ParseWithLength(line, (size_t)(end_of_line - line));
        const cJSON *params = cJSON_GetObjectItem(message, "params");
        uint64_t subscription = number(params, "subscription");
        assert_in_range(subscription, 1, 2);
        uint64_t seq = next[subscription - 1]++;
        char *detail = detail_of(seq);
        assert_int_equal(number(params, "seq"), seq);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(params, "detail")), detail);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(params, "pool")), pool_of_seq(seq));
        jp_free(detail);
        cJSON_Delete(message);
    }
    assert_int_equal(next[0], to + 1);
    assert_int_equal(next[1], to + 1);
    jp_str_clear(&world->received);
}

static void many_at_once_are_the_same_for_all(void **state_) {
    struct world *world = open_world_with("{}", 0, 2 * BURST);
    (void)state_;
    subscribe(world, "{}");
    for (uint64_t first = 1; first < 3 * BURST; first += BURST) {
        for (uint64_t seq = first; seq < first + BURST; seq++) {
            char *detail = detail_of(seq);
            struct jp_event event = {.seq = seq, .pool = pool_of_seq(seq), .message = "NOTE", .detail = detail};
            jp_rpc_on_event(world->rpc, &event);
            jp_free(detail);
        }
        assert_string_equal(jp_str_text(&world->received), "");
        jp_rpc_on_committed(world->rpc, first + BURST - 1);
        expect_all(world, first, first + BURST - 1);
    }
    close_world(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_gives_each_event_once),
        cmocka_unit_test(what_was_dropped_is_told_in_every_order),
        cmocka_unit_test(unsubscribing_at_any_moment),
        cmocka_unit_test(a_slow_client_is_told_once_and_misses_nothing),
        cmocka_unit_test(one_that_reads_the_past_slowly_has_no_gap),
        cmocka_unit_test(what_it_does_not_want_does_not_stop_it),
        cmocka_unit_test(at_once_and_from_the_past),
        cmocka_unit_test(what_is_purged_is_told),
        cmocka_unit_test(what_is_missing_is_told_with_its_reason),
        cmocka_unit_test(a_database_that_cannot_be_read_ends_it_aloud),
        cmocka_unit_test(many_at_once_are_the_same_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
