/* Subscriptions one by one: what a client that is slow, late or at once gets to read, to the letter, and many events for many. */
#include "subscriptions_world.h"

static void play(struct world *world, const char *actions) {
    for (; *actions; actions++)
        assert_true(act(world, *actions));
}

static void expect_next(struct world *world, const char *params) {
    char *expected = jp_sprintf("{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":%s}\n", params);
    const char *text = jp_str_text(&world->client.received);
    if (strncmp(text, expected, strlen(expected)) != 0)
        fail_msg("expected %sbut got %s", expected, text);
    jp_str_remove_front(&world->client.received, strlen(expected));
    jp_free(expected);
}

static void expect_seq(struct world *world, uint64_t seq, bool on_disk) {
    struct seen seen = read_all(world);
    assert_true(seen.count > 0);
    assert_int_equal(seen.seqs[0], seq);
    assert_int_equal(seen.at_once[0], !on_disk);
    jp_str_remove_front(&world->client.received, (size_t)(strchr(world->client.received.data, '\n') - world->client.received.data) + 1);
}

static void expect_silence(struct world *world) { assert_string_equal(jp_str_text(&world->client.received), ""); }

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
    for (const char *line = jp_str_text(&world->client.received), *end_of_line; (end_of_line = strchr(line, '\n')) != NULL; line = end_of_line + 1) {
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
    jp_str_clear(&world->client.received);
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
        assert_string_equal(jp_str_text(&world->client.received), "");
        jp_rpc_on_committed(world->rpc, first + BURST - 1);
        expect_all(world, first, first + BURST - 1);
    }
    close_world(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
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
