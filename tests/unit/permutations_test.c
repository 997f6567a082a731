/* Short histories, their messages in every order, with each one lost and each one twice: when time has passed, the accounts and the
 * events are the same, whichever order it was. */
#include "pool_world.h"

#include "unit.h"

enum {
    MESSAGES_MAX = 7,
    SETTLED_MS = 130000, /* two readings of the lists, and what follows from them */
};

struct story {
    const char *name;
    const char *pools;
    void (*happen)(struct pool_world *world);
    /* Of every process there is a witness that no loss of a message takes away, a handle or the list: a loss changes nothing at all. */
    bool witnessed;
    size_t messages; /* of it that wait; those of emptiness come behind them, in their order */
};

/* --- what happens; nothing of it has been delivered yet, but where it says so --- */

static uint32_t spawn_held(struct pool_world *world, uint32_t parent, const char *image) {
    uint32_t pid;
    struct jp_sim_child child = {.parent = parent, .image = image, .held = true};
    assert_int_equal(jp_sim_spawn_child(world->sim, &child, &pid), 0);
    return pid;
}

static void a_launch_with_a_child_that_crashes(struct pool_world *world) {
    uint32_t parent = launch(world, "root", "make.exe");
    uint32_t child = spawn_held(world, parent, "cc.exe");
    jp_sim_exit(world->sim, child, 0xC0000005);
    jp_sim_exit(world->sim, parent, 2);
}

static void the_same_with_a_child_that_nobody_could_open(struct pool_world *world) {
    uint32_t parent = launch(world, "root", "make.exe");
    uint32_t child = jp_sim_spawn(world->sim, parent, "cc.exe");
    jp_sim_exit(world->sim, child, 0xC0000005);
    jp_sim_exit(world->sim, parent, 2);
}

static void a_launch_in_a_nested_pool(struct pool_world *world) {
    uint32_t pid = launch(world, "leaf", "tool.exe");
    jp_sim_exit(world->sim, pid, 3);
}

static void children_in_nested_pools_one_of_which_stays(struct pool_world *world) {
    uint32_t parent = launch(world, "a", "make.exe");
    deliver(world);
    uint32_t child = spawn_held(world, parent, "cc.exe");
    jp_sim_spawn(world->sim, parent, "stays.exe");
    jp_sim_exit(world->sim, child, 1);
}

static void a_member_that_moves_down_and_ends(struct pool_world *world) {
    uint32_t pid = launch(world, "root", "tool.exe");
    assign(world, "a", pid);
    jp_sim_exit(world->sim, pid, 9);
}

static void a_pool_that_is_terminated(struct pool_world *world) {
    size_t count;
    uint32_t first = launch(world, "a", "one.exe");
    deliver(world);
    jp_sim_spawn(world->sim, first, "two.exe");
    deliver(world);
    uint32_t third = launch(world, "root", "three.exe");
    jp_sim_exit(world->sim, third, 5); /* by itself, just before */
    assert_int_equal(jp_pools_terminate(world->pools, pool_of(world, "root"), 99, &count, &world->error), JP_OK);
}

static void one_that_ends_and_another_that_is_ended(struct pool_world *world) {
    struct jp_member *member;
    uint32_t one = launch(world, "root", "one.exe"), two = launch(world, "root", "two.exe");
    deliver(world);
    jp_sim_exit(world->sim, one, 4);
    assert_int_equal(jp_pools_find_process(world->pools, two, 0, &member, &world->error), JP_OK);
    assert_int_equal(jp_pools_terminate_process(world->pools, member, 77, NULL, &world->error), JP_OK);
    jp_sim_spawn(world->sim, one, "nobodys.exe");
}

static const struct story stories[] = {
    {"a launch, a child, a crash", "{\"root\": {}}", a_launch_with_a_child_that_crashes, true, 5},
    {"the same, out of reach", "{\"root\": {}}", the_same_with_a_child_that_nobody_could_open, false, 5},
    {"a launch, three pools deep", "{\"root\": {}, \"mid\": {\"parent\": \"root\"}, \"leaf\": {\"parent\": \"mid\"}}",
     a_launch_in_a_nested_pool, true, 7},
    {"children in nested pools", TREE, children_in_nested_pools_one_of_which_stays, true, 6},
    {"a member moves down", TREE, a_member_that_moves_down_and_ends, true, 5},
    {"a pool is terminated", TREE, a_pool_that_is_terminated, true, 5},
    {"one ends, one is ended", "{\"root\": {}}", one_that_ends_and_another_that_is_ended, true, 4},
};

/* --- how it ends --- */

static int compare_lines(const void *one, const void *other) { return strcmp(*(char *const *)one, *(char *const *)other); }

/* Lines in an order that does not depend on that of the messages. */
static char *sorted(char **lines, size_t count) {
    struct jp_str text = {0};
    if (count)
        qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0; i < count; i++) {
        jp_str_puts(&text, lines[i]);
        jp_free(lines[i]);
    }
    jp_free(lines);
    return jp_str_take(&text);
}

static bool comes_or_goes(const struct jp_event *event) {
    return strcmp(event->message, NEW) == 0 || strcmp(event->message, EXIT) == 0 || strcmp(event->message, CRASH) == 0;
}

/* Every row, and every event of coming and going: who noticed, and when, may differ. */
static char *outcome(const struct pool_world *world) {
    size_t rows = jp_ledger_process_count(world->ledger), events = jp_ledger_event_count(world->ledger), count = 0;
    char **lines = jp_realloc_array(NULL, rows + events + 1, sizeof *lines);
    for (size_t i = 0; i < rows; i++) {
        const struct jp_process_record *row = jp_ledger_process(world->ledger, i);
        lines[count++] = jp_sprintf("row of %u in %s: %s, code %lld\n", row->facts.pid, row->pool, jp_ending_name(row->ending),
                                    row->has_exit_code ? (long long)row->exit_code : -1LL);
    }
    for (size_t i = 0; i < events; i++) {
        const struct jp_event *event = jp_ledger_event(world->ledger, i);
        if (comes_or_goes(event))
            lines[count++] = jp_sprintf("%s of %u in %s, code %lld\n", event->message, event->pid, event->pool,
                                        event->has_exit_code ? (long long)event->exit_code : -1LL);
    }
    return sorted(lines, count);
}

static void let_time_pass(struct pool_world *world) {
    uint64_t end = jp_sim_now_ms(world->sim) + SETTLED_MS;
    for (uint64_t now; (now = jp_sim_now_ms(world->sim)) < end;) {
        deliver(world);
        uint64_t next = jp_pools_on_time(world->pools);
        next = next > end ? end : next <= now ? now + 1 : next;
        jp_sim_pass(world->sim, next - now);
    }
    deliver(world);
}

/* Who is a member is in the job, and nobody else; and nothing is told twice. */
static void check(struct pool_world *world) {
    size_t open = 0, events = jp_ledger_event_count(world->ledger);
    for (size_t i = 0; i < jp_ledger_process_count(world->ledger); i++) {
        const struct jp_process_record *row = jp_ledger_process(world->ledger, i);
        bool alive = jp_sim_alive(world->sim, row->facts.pid);
        open += !row->ended_100ns;
        assert_int_equal(!row->ended_100ns, alive);
    }
    assert_int_equal(jp_pools_member_count(world->pools), open);
    assert_int_equal(jp_pool_total_members(pool_of(world, "root")), open);
    assert_int_equal(jp_sim_job_size(world->sim, "Global\\JobPool.root"), open);
    for (size_t i = 0; i < events; i++) {
        const struct jp_event *event = jp_ledger_event(world->ledger, i);
        if (!comes_or_goes(event))
            continue;
        size_t gone = jp_ledger_count(world->ledger, EXIT, event->pool, event->pid) + jp_ledger_count(world->ledger, CRASH, event->pool, event->pid);
        assert_int_equal(jp_ledger_count(world->ledger, NEW, event->pool, event->pid), 1);
        assert_int_equal(gone, !jp_sim_alive(world->sim, event->pid));
    }
}

/* --- every order --- */

enum change { AS_IT_WAS, ONE_LOST, ONE_TWICE, CHANGES };

/* The story, with its messages in that order and one of them changed; how it ends. */
static char *play(const struct story *story, const size_t *order, enum change change, size_t which) {
    void *state;
    pool_world_open(&state);
    struct pool_world *world = state;
    struct jp_sim_item mixed[4 * MESSAGES_MAX], behind[2 * MESSAGES_MAX], *items;
    size_t count, mixed_count = 0, behind_count = 0, at = 0;
    struct jp_sim_item own[2 * MESSAGES_MAX];
    assert_int_equal(pool_world_load(world, story->pools), JP_OK);
    story->happen(world);
    items = jp_sim_queue(world->sim, &count);
    assert_true(count <= COUNT(own));
    for (size_t i = 0; i < count; i++) {
        if (items[i].message == JP_MSG_ACTIVE_PROCESS_ZERO)
            behind[behind_count++] = items[i];
        else
            own[at++] = items[i];
    }
    if (at != story->messages)
        fail_msg("%s: %zu messages, not %zu", story->name, at, story->messages);
    for (size_t i = 0; i < at; i++) {
        if (change != ONE_LOST || order[i] != which)
            mixed[mixed_count++] = own[order[i]];
    }
    if (change == ONE_TWICE)
        mixed[mixed_count++] = own[which];
    memcpy(mixed + mixed_count, behind, behind_count * sizeof *behind);
    jp_sim_queue_set(world->sim, mixed, mixed_count + behind_count);
    let_time_pass(world);
    check(world);
    char *text = outcome(world);
    pool_world_close(&state);
    return text;
}

/* The next order, in the order of words; false after the last. */
static bool next_order(size_t *order, size_t count) {
    size_t i = count - 1, j = count - 1, swap;
    while (i && order[i - 1] >= order[i])
        i--;
    if (!i || count < 2)
        return false;
    while (order[j] <= order[i - 1])
        j--;
    swap = order[i - 1], order[i - 1] = order[j], order[j] = swap;
    for (j = count - 1; i < j; i++, j--)
        swap = order[i], order[i] = order[j], order[j] = swap;
    return true;
}

static void expect_same(const struct story *story, const char *expected, const char *found, const size_t *order, enum change change,
                        size_t which) {
    struct jp_str text = {0};
    if (strcmp(expected, found) == 0)
        return;
    for (size_t i = 0; i < story->messages; i++)
        jp_str_printf(&text, " %zu", order[i]);
    fail_msg("%s, order%s, %s %zu:\n%sbut in order:\n%s", story->name, jp_str_text(&text),
             change == ONE_LOST ? "lost" : change == ONE_TWICE ? "twice" : "all of", which, found, expected);
}

static size_t all_orders_of(const struct story *story, enum change change, size_t which, const char *whole) {
    size_t order[MESSAGES_MAX], count = 0;
    for (size_t i = 0; i < story->messages; i++)
        order[i] = i;
    char *expected = play(story, order, change, which);
    if (change != ONE_LOST || story->witnessed)
        expect_same(story, whole, expected, order, change, which);
    do {
        char *found = play(story, order, change, which);
        expect_same(story, expected, found, order, change, which);
        jp_free(found);
        count++;
    } while (next_order(order, story->messages));
    jp_free(expected);
    return count;
}

static void every_order_settles_to_the_same(void **state) {
    size_t total = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(stories); i++) {
        size_t order[MESSAGES_MAX] = {0, 1, 2, 3, 4, 5, 6}, count;
        char *whole = play(&stories[i], order, AS_IT_WAS, 0);
        count = all_orders_of(&stories[i], AS_IT_WAS, 0, whole);
        for (size_t which = 0; which < stories[i].messages; which++)
            count += all_orders_of(&stories[i], ONE_LOST, which, whole) + all_orders_of(&stories[i], ONE_TWICE, which, whole);
        print_message("%s: %zu orders of %zu messages\n%s", stories[i].name, count, stories[i].messages, getenv("JOBPOOL_SHOW") ? whole : "");
        jp_free(whole);
        total += count;
    }
    print_message("%zu in all\n", total);
    assert_true(total > 10000);
}

/* --- a pid that is used again --- */

/* One that nobody could hold ends, and the next one has its pid before the first one's message is looked at: whoever opens the pid finds
 * the second. So the first may go unseen, but the second is there, once, and its end is its own. */
static size_t play_reuse(const size_t *order, enum change change, size_t which) {
    void *state;
    pool_world_open(&state);
    struct pool_world *world = state;
    struct jp_sim_item own[3], mixed[4], *items;
    size_t count, mixed_count = 0, rows = 0, open = 0;
    pool_world_load(world, "{\"root\": {}}");
    uint32_t parent = launch(world, "root", "make.exe");
    deliver(world);
    uint32_t pid = jp_sim_spawn(world->sim, parent, "first.exe");
    jp_sim_exit(world->sim, pid, 3);
    jp_sim_next_pid(world->sim, pid);
    assert_int_equal(jp_sim_spawn(world->sim, parent, "second.exe"), pid);
    items = jp_sim_queue(world->sim, &count);
    assert_int_equal(count, COUNT(own)); /* new, exit, new */
    memcpy(own, items, sizeof own);
    for (size_t i = 0; i < COUNT(own); i++)
        if (change != ONE_LOST || order[i] != which)
            mixed[mixed_count++] = own[order[i]];
    if (change == ONE_TWICE)
        mixed[mixed_count++] = own[which];
    jp_sim_queue_set(world->sim, mixed, mixed_count);
    let_time_pass(world);
    for (size_t i = 0; i < jp_ledger_process_count(world->ledger); i++) {
        const struct jp_process_record *row = jp_ledger_process(world->ledger, i);
        rows += row->facts.pid == pid;
        if (row->facts.pid == pid && !row->ended_100ns) {
            open++;
            assert_int_equal(row->facts.start_100ns, jp_sim_start_time(world->sim, pid));
        }
    }
    assert_int_equal(open, 1);
    assert_int_equal(jp_pools_member_count(world->pools), 2);
    jp_sim_exit(world->sim, pid, 8);
    let_time_pass(world);
    expect_row(world, pid, "root", JP_ENDING_EXITED, 8);
    assert_int_equal(jp_pools_member_count(world->pools), 1);
    pool_world_close(&state);
    return rows;
}

static void the_next_one_with_a_pid_is_another(void **state) {
    size_t order[3] = {0, 1, 2}, count = 0, both = 0;
    (void)state;
    do {
        for (enum change change = AS_IT_WAS; change < CHANGES; change++)
            for (size_t which = 0; which < (change == AS_IT_WAS ? 1 : COUNT(order)); which++, count++) {
                size_t rows = play_reuse(order, change, which);
                assert_true(rows == 1 || rows == 2);
                both += rows == 2;
            }
    } while (next_order(order, COUNT(order)));
    print_message("%zu orders, the first one seen too in %zu\n", count, both);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_settles_to_the_same),
        cmocka_unit_test(the_next_one_with_a_pid_is_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
