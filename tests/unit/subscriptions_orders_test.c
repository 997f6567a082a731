/* Subscriptions in all orders of what can happen: whatever comes when, each event is sent once, or told to be gone. */
#include "subscriptions_world.h"

enum { ACTIONS_MAX = 8 };

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
            size_t length = world->client.received.length;
            for (size_t step = at; history[step]; step++)
                act(world, history[step]);
            settle(world);
            assert_int_equal(world->client.received.length, length);
            close_world(world);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_gives_each_event_once),
        cmocka_unit_test(what_was_dropped_is_told_in_every_order),
        cmocka_unit_test(unsubscribing_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
