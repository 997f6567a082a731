/* The store: what ephemeral pools have used is told as the use of the pool above, and in the end becomes it; no sum ever changes by that. */
#include "store_world.h"
#include "unit.h"

#include <stdlib.h>

enum { POOLS = 40, ROWS = 600, MOST_LINES = 2000 };

/* --- pools below pools --- */

static char *own(const char *text) { return (char *)(uintptr_t)text; } /* nobody writes there */

static void record_pool(struct world *world, const char *name, const char *parent, bool ephemeral) {
    world->accounts->ops->record_pool(world->accounts, &(struct jp_pool_record){.name = name, .parent = parent, .ephemeral = ephemeral});
}

static struct jp_process_record process_of(const char *pool, int64_t id, int64_t began_100ns) {
    struct jp_process_record process = full_record(id);
    process.pool = own(pool);
    process.facts.start_100ns = began_100ns;
    process.joined_100ns = began_100ns + 5;
    process.ended_100ns = began_100ns + 10;
    process.usage.peak_commit_bytes = (uint64_t)id * 16;
    return process;
}

static void run_in(struct world *world, const char *pool, int64_t id, int64_t began_100ns) {
    struct jp_process_record process = process_of(pool, id, began_100ns);
    record(world, &process);
}

static int64_t count(struct world *world, const char *sql) { return ask_number(world->file, sql); }

/* --- lines of an answer --- */

struct line {
    char pool[80];
    struct jp_summary sums; /* its pool is NULL */
};

struct lines {
    struct world *world;
    struct line *lines;
    size_t count;
    struct jp_summary total;
};

static void add(struct jp_summary *sums, const struct jp_summary *more) {
    uint64_t peak = sums->peak_commit_bytes > more->peak_commit_bytes ? sums->peak_commit_bytes : more->peak_commit_bytes;
    uint64_t *to = &sums->processes;
    const uint64_t *from = &more->processes;
    for (size_t i = 0; i < (sizeof *sums - offsetof(struct jp_summary, processes)) / sizeof *to; i++)
        to[i] += from[i];
    sums->peak_commit_bytes = peak;
}

static void add_line(struct lines *lines, const char *pool, const struct jp_summary *sums) {
    assert_true(lines->count < MOST_LINES);
    struct line *line = &lines->lines[lines->count++];
    snprintf(line->pool, sizeof line->pool, "%s", pool);
    line->sums = *sums;
    line->sums.pool = NULL;
    line->sums.wall_100ns = 0; /* of what runs it goes on */
    add(&lines->total, &line->sums);
}

static void note_summaries(void *context, jp_status status, const struct jp_error *error, const struct jp_summary *summaries, size_t number) {
    struct lines *lines = context;
    if (status != JP_OK)
        fail_msg("%s", error->text);
    for (size_t i = 0; i < number; i++) {
        assert_true(i == 0 || strcmp(summaries[i - 1].pool, summaries[i].pool) < 0); /* in order, each once */
        add_line(lines, summaries[i].pool, &summaries[i]);
    }
    lines->world->done = true;
}

static void note_report(void *context, jp_status status, const struct jp_error *error, const struct jp_report *report) {
    struct lines *lines = context;
    if (status != JP_OK)
        fail_msg("%s", error->text);
    for (size_t i = 0; i < report->count; i++)
        add_line(lines, report->rows[i].pool != NULL ? report->rows[i].pool : "-", &report->rows[i].sums);
    struct jp_summary total = report->total;
    total.wall_100ns = 0;
    assert_memory_equal(&total, &lines->total, sizeof total);
    lines->world->done = true;
}

static struct lines no_lines(struct world *world) { return (struct lines){.world = world, .lines = jp_alloc(MOST_LINES * sizeof(struct line))}; }

static struct lines summary(struct world *world, struct jp_summary_filter filter) {
    struct lines lines = no_lines(world);
    world->accounts->ops->query_summary(world->accounts, &filter, note_summaries, &lines);
    await(world);
    return lines;
}

static struct lines report(struct world *world, struct jp_report_filter filter) {
    struct lines lines = no_lines(world);
    world->accounts->ops->query_report(world->accounts, &filter, NULL, note_report, &lines);
    await(world);
    return lines;
}

static const struct jp_summary *line_of(const struct lines *lines, const char *pool) {
    for (size_t i = 0; i < lines->count; i++)
        if (strcmp(lines->lines[i].pool, pool) == 0)
            return &lines->lines[i].sums;
    return NULL;
}

static uint64_t processes_in(const struct lines *lines, const char *pool) {
    const struct jp_summary *sums = line_of(lines, pool);
    return sums != NULL ? sums->processes : 0;
}

static void assert_same_lines(const struct lines *one, const struct lines *other) {
    assert_int_equal(one->count, other->count);
    for (size_t i = 0; i < one->count; i++) {
        const struct jp_summary *sums = line_of(other, one->lines[i].pool);
        assert_non_null(sums);
        assert_memory_equal(&one->lines[i].sums, sums, sizeof *sums);
    }
}

/* --- the question --- */

static struct {
    char name[16];
    int parent; /* -1: none */
    bool ephemeral;
} tree[POOLS];

static void make_tree(struct world *world, uint64_t *seed) {
    for (int i = 0; i < POOLS; i++) {
        snprintf(tree[i].name, sizeof tree[i].name, "p%d", i);
        tree[i].parent = i == 0 || random_below(seed, 6) == 0 ? -1 : (int)random_below(seed, (unsigned)i);
        tree[i].ephemeral = i > 2 && random_below(seed, 4) != 0;
        record_pool(world, tree[i].name, tree[i].parent >= 0 ? tree[tree[i].parent].name : NULL, tree[i].ephemeral);
        if (i % 3 == 0)
            world->accounts->ops->forget_pool(world->accounts, tree[i].name); /* its history stays */
    }
}

/* As fold.h says, in other words. "" where it is nobody's, NULL where nobody wants it. */
static const char *model_shown(int pool, uint64_t wanted, bool named) {
    const char *highest = NULL;
    named &= wanted != UINT64_MAX;
    for (int at = pool;; at = tree[at].parent) {
        if (at < 0)
            return wanted == UINT64_MAX ? "" : highest;
        bool is_wanted = wanted >> at & 1;
        if (is_wanted && named)
            return tree[at].name;
        highest = is_wanted ? tree[at].name : highest;
        if (!tree[at].ephemeral)
            return highest;
    }
}

static void compare_with_model(const struct lines *folded, const struct lines *each, uint64_t wanted, bool named) {
    struct lines model = no_lines(folded->world);
    for (int i = 0; i < POOLS; i++) {
        const struct jp_summary *sums = line_of(each, tree[i].name);
        const char *shown = model_shown(i, wanted, named);
        struct jp_summary *line = shown != NULL && sums != NULL ? (struct jp_summary *)(uintptr_t)line_of(&model, shown) : NULL;
        if (line != NULL)
            add(line, sums);
        else if (shown != NULL && sums != NULL)
            add_line(&model, shown, sums);
    }
    assert_same_lines(&model, folded);
    jp_free(model.lines);
}

static void compare_for(struct world *world, uint64_t wanted, bool named, int64_t from_100ns, int64_t to_100ns) {
    struct jp_strings pools = {0};
    for (int i = 0; i < POOLS && wanted != UINT64_MAX; i++)
        if (wanted >> i & 1)
            jp_strings_add(&pools, tree[i].name);
    const struct jp_strings *filter = wanted == UINT64_MAX ? NULL : &pools;
    struct jp_folding folding = {.on = true, .named = named};
    struct lines each = summary(world, (struct jp_summary_filter){.from_100ns = from_100ns, .to_100ns = to_100ns});
    struct lines folded = summary(world, (struct jp_summary_filter){.pools = filter, .from_100ns = from_100ns, .to_100ns = to_100ns, .folding = folding});
    compare_with_model(&folded, &each, wanted, named);
    if (wanted == UINT64_MAX)
        assert_memory_equal(&folded.total, &each.total, sizeof each.total);
    jp_free(each.lines);
    struct lines rows = report(world, (struct jp_report_filter){.by = JP_REPORT_POOL, .from_100ns = from_100ns, .to_100ns = to_100ns});
    struct lines told = report(world, (struct jp_report_filter){.by = JP_REPORT_POOL, .pools = filter, .from_100ns = from_100ns, .to_100ns = to_100ns, .folding = folding});
    compare_with_model(&told, &rows, wanted, named);
    struct lines all = report(world, (struct jp_report_filter){.pools = filter, .from_100ns = from_100ns, .to_100ns = to_100ns, .folding = folding});
    assert_memory_equal(&all.total, &told.total, sizeof all.total); /* also where it is not by pool */
    jp_free(all.lines);
    jp_free(told.lines);
    jp_free(rows.lines);
    jp_free(folded.lines);
    jp_strings_free(&pools);
}

static void each_is_counted_once_in_the_pool_above(void **state) {
    struct world *world = *state;
    uint64_t seed = 8;
    open_store(world);
    make_tree(world, &seed);
    int64_t day = (now_100ns() / a_day - 6) * a_day;
    for (int64_t id = 1; id <= ROWS; id++) {
        struct jp_process_record process = process_of(tree[random_below(&seed, POOLS)].name, id, day + (int64_t)(next_random(&seed) % (uint64_t)(3 * a_day)));
        if (random_below(&seed, 20) == 0) {
            process.ended_100ns = 0;
            process.ending = JP_ENDING_NONE;
        }
        record(world, &process);
    }
    assert_int_equal(wait_durable(world), JP_OK);
    for (int round = 0; round < 25; round++) {
        uint64_t wanted = round < 3 ? UINT64_MAX : next_random(&seed) & next_random(&seed);
        int64_t from = round % 3 == 0 ? 0 : day + (int64_t)random_below(&seed, 30) * (an_hour / 2), to = round % 2 == 0 ? 0 : day + 2 * a_day + 7;
        compare_for(world, wanted, round % 2 == 0, from, to);
    }
    compare_for(world, 0, true, 0, 0); /* nobody asked for any */
    close_store(world);
}

static void without_it_each_stands_for_itself(void **state) {
    struct world *world = *state;
    open_store(world);
    record_pool(world, "p", NULL, false), record_pool(world, "e", "p", true);
    run_in(world, "p", 1, now_100ns() - an_hour), run_in(world, "e", 2, now_100ns() - an_hour);
    struct lines lines = summary(world, (struct jp_summary_filter){0});
    assert_int_equal(lines.count, 2);
    assert_int_equal(processes_in(&lines, "e"), 1);
    jp_free(lines.lines);
    close_store(world);
}

/* --- for good --- */

/* One after the other, some an hour, over some days that are over, as `jobpool run --limit` makes them. */
static void record_runs(struct world *world, int runs, int64_t first_100ns, int64_t step_100ns) {
    record_pool(world, "p", NULL, false);
    for (int i = 0; i < runs; i++) {
        char name[32];
        snprintf(name, sizeof name, "p.run-%d", i);
        record_pool(world, name, "p", true);
        run_in(world, name, i + 1, first_100ns + i * step_100ns);
        run_in(world, "p", runs + i + 1, first_100ns + i * step_100ns);
        world->accounts->ops->forget_pool(world->accounts, name);
    }
    assert_int_equal(wait_durable(world), JP_OK);
}

/* As if it had been recorded when it happened. */
static void date_back(struct world *world) {
    execute_alone(world->file, "UPDATE pools SET created_100ns = (SELECT min(coalesce(start_100ns, joined_100ns)) FROM processes WHERE pool = name),"
                               " deleted_100ns = (SELECT max(ended_100ns) + 100 FROM processes WHERE pool = name) WHERE deleted_100ns IS NOT NULL");
}

static void a_thousand_runs_leave_as_many_rows_as_one(void **state) {
    struct world *world = *state;
    enum { RUNS = 1000, DAYS = 10 };
    static const char usage[] = "SELECT (SELECT count(*) FROM usage_hours) + (SELECT count(*) FROM usage_days)";
    static const char names[] = "SELECT (SELECT count(*) FROM pools) + (SELECT count(*) FROM pool_totals)";
    int64_t first = (now_100ns() / a_day - 40) * a_day;
    struct jp_folding fold = {.on = true};
    open_store(world);
    record_runs(world, RUNS, first, DAYS * a_day / RUNS);
    date_back(world);
    assert_int_equal(count(world, usage), RUNS + DAYS * 24);
    assert_int_equal(count(world, names), 2 * (RUNS + 1));
    struct lines before = summary(world, (struct jp_summary_filter){.folding = fold});
    struct lines day = summary(world, (struct jp_summary_filter){.from_100ns = first + a_day, .to_100ns = first + 2 * a_day, .folding = fold});
    assert_int_equal(before.count, 1);
    assert_int_equal(before.total.processes, 2 * RUNS);
    for (int step = 0; step < 3; step++) { /* rows, hours, and nothing any more */
        retain(world, (struct jp_retention){.processes_100ns = (uint64_t)(20 * a_day), .hours_100ns = step > 0 ? (uint64_t)(25 * a_day) : 0});
        assert_int_equal(count(world, usage), step > 0 ? DAYS : DAYS * 24);
        assert_int_equal(count(world, names), 2);
        struct lines after = summary(world, (struct jp_summary_filter){0});
        assert_same_lines(&before, &after);
        jp_free(after.lines);
        after = summary(world, (struct jp_summary_filter){.from_100ns = first + a_day, .to_100ns = first + 2 * a_day});
        assert_same_lines(&day, &after);
        jp_free(after.lines);
    }
    jp_free(day.lines);
    jp_free(before.lines);
    close_store(world);
    assert_int_equal(world->forgotten, RUNS); /* each was told once */
    open_store(world);
    assert_int_equal(world->start.counter_count, 1); /* nor does the next start read of them */
    close_store(world);
}

/* Of the store's, by asking it something. */
static void pass_time(struct world *world, uint64_t since_ns) {
    struct lines lines = summary(world, (struct jp_summary_filter){0});
    jp_free(lines.lines);
    if (uv_hrtime() - since_ns > PATIENCE_MS * UINT64_C(1000000))
        fail_msg("what is waited for does not come");
}

static void await_ephemeral(struct world *world, int64_t wanted) {
    for (uint64_t since = uv_hrtime(); count(world, "SELECT count(*) FROM pools WHERE ephemeral") != wanted; pass_time(world, since))
        ;
}

static void one_is_kept_as_long_as_anything_of_it_is(void **state) {
    struct world *world = *state;
    open_store(world);
    int64_t then = now_100ns() - 40 * a_day;
    record_runs(world, 3, then, a_day);
    struct jp_event event = {.seq = 1, .time_100ns = then + a_day, .pool = "p.run-1", .message = "M"};
    world->accounts->ops->record_event(world->accounts, &event);
    world->accounts->ops->record_unobserved(world->accounts,
                                            &(struct jp_unobserved_record){.pool = "p.run-2", .from_100ns = then + a_day, .to_100ns = then + 2 * a_day, .processes = 3});
    assert_int_equal(wait_durable(world), JP_OK);
    date_back(world);
    retain(world, (struct jp_retention){.events_100ns = (uint64_t)(50 * a_day)}); /* for ever */
    struct lines each = summary(world, (struct jp_summary_filter){0});
    assert_int_equal(each.count, 4);
    jp_free(each.lines);
    purge(world, (struct jp_purge_filter){.before_100ns = INT64_MAX, .processes = true}); /* the pass that follows takes what it can */
    await_ephemeral(world, 2); /* whose event there is, and who has an unobserved process */
    retain(world, (struct jp_retention){.events_100ns = (uint64_t)(50 * a_day)});
    await_ephemeral(world, 2);
    purge(world, (struct jp_purge_filter){.before_100ns = INT64_MAX, .events = true});
    retain(world, (struct jp_retention){.processes_100ns = (uint64_t)a_day});
    await_ephemeral(world, 0);
    each = summary(world, (struct jp_summary_filter){0});
    assert_int_equal(each.count, 1);
    assert_int_equal(each.total.processes, 6);
    assert_int_equal(each.total.unobserved, 3);
    jp_free(each.lines);
    close_store(world);
}

static void it_goes_to_the_nearest_that_is_known(void **state) {
    struct world *world = *state;
    open_store(world);
    int64_t then = now_100ns() - 40 * a_day;
    static const char *const pools[][2] = {{"root", NULL}, {"gone", "root"}, {"e", "gone"}, {"below", "e"}, {"top", NULL}};
    for (int i = 0; i < 5; i++) {
        record_pool(world, pools[i][0], pools[i][1], i >= 2);
        run_in(world, pools[i][0], i + 1, then + i);
    }
    for (int i = 5; i-- > 1;)
        world->accounts->ops->forget_pool(world->accounts, pools[i][0]);
    assert_int_equal(wait_durable(world), JP_OK);
    date_back(world);
    struct lines folded = summary(world, (struct jp_summary_filter){.folding = {.on = true}});
    assert_int_equal(folded.count, 3);
    retain(world, (struct jp_retention){.processes_100ns = (uint64_t)a_day});
    assert_int_equal(count(world, "SELECT count(*) FROM pools"), 1);
    struct lines each = summary(world, (struct jp_summary_filter){0});
    assert_same_lines(&folded, &each);
    assert_int_equal(processes_in(&each, "gone"), 3);
    assert_int_equal(processes_in(&each, ""), 1); /* it stood below none */
    jp_free(each.lines);
    jp_free(folded.lines);
    close_store(world);
}

static void one_that_lives_keeps_its_own(void **state) {
    struct world *world = *state;
    open_store(world);
    record_pool(world, "p", NULL, false), record_pool(world, "e", "p", true);
    run_in(world, "e", 1, now_100ns() - 40 * a_day);
    retain(world, (struct jp_retention){.processes_100ns = (uint64_t)a_day});
    assert_int_equal(count(world, "SELECT count(*) FROM processes"), 0);
    struct lines each = summary(world, (struct jp_summary_filter){0}), folded = summary(world, (struct jp_summary_filter){.folding = {.on = true}});
    assert_int_equal(processes_in(&each, "e"), 1);
    assert_int_equal(processes_in(&folded, "p"), 1);
    jp_free(each.lines);
    jp_free(folded.lines);
    close_store(world);
}

/* Whatever statement of a step fails: what was done is taken back, and what is tried again counts once. */
static void a_step_that_fails_changes_nothing(void **state) {
    struct world *world = *state;
    static const char *const stops[] = {"INSERT ON usage_hours WHEN NEW.pool = 'p'", "DELETE ON usage_hours WHEN OLD.pool = 'p.run-17'",
                                        "INSERT ON usage_days WHEN NEW.pool = 'p'", "DELETE ON usage_days WHEN OLD.pool = 'p.run-17'",
                                        "DELETE ON pool_totals WHEN OLD.pool = 'p.run-17'", "DELETE ON pools WHEN OLD.name = 'p.run-17'"};
    open_store(world);
    record_runs(world, 60, (now_100ns() / a_day - 40) * a_day, an_hour / 2);
    date_back(world);
    execute_alone(world->file, "INSERT INTO usage_days(day_100ns, pool, processes, user_100ns) SELECT 864000000000, name, 1, 7 FROM pools");
    struct lines before = summary(world, (struct jp_summary_filter){.folding = {.on = true}});
    assert_int_equal(before.total.processes, 120 + 61);
    close_store(world);
    world->retention.processes_100ns = (uint64_t)a_day;
    for (int i = 0; i < 6; i++) {
        char sql[256];
        snprintf(sql, sizeof sql, "CREATE TRIGGER stops BEFORE %s BEGIN SELECT RAISE(ABORT, 'stopped'); END", stops[i]);
        execute_alone(world->file, sql);
        open_store(world);
        for (uint64_t since = uv_hrtime(); !logged(world, "cannot be purged: "); pass_time(world, since)) /* nothing else tells of a pass that failed */
            ;
        struct lines after = summary(world, (struct jp_summary_filter){.folding = {.on = true}});
        assert_same_lines(&before, &after);
        assert_int_equal(count(world, "SELECT count(*) FROM pools"), 61);
        assert_int_equal(world->forgotten, 0);
        jp_free(after.lines);
        close_store(world);
        jp_str_clear(&world->logged);
        execute_alone(world->file, "DROP TRIGGER stops");
    }
    open_store(world);
    retain(world, world->retention);
    assert_int_equal(count(world, "SELECT count(*) FROM pools"), 1);
    struct lines after = summary(world, (struct jp_summary_filter){0});
    assert_same_lines(&before, &after);
    jp_free(after.lines);
    jp_free(before.lines);
    close_store(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(each_is_counted_once_in_the_pool_above),
        TEST(without_it_each_stands_for_itself),
        TEST(a_thousand_runs_leave_as_many_rows_as_one),
        TEST(one_is_kept_as_long_as_anything_of_it_is),
        TEST(it_goes_to_the_nearest_that_is_known),
        TEST(one_that_lives_keeps_its_own),
        TEST(a_step_that_fails_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
