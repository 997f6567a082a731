/* The store: pools over time, against a plain model. */
#include "store_world.h"
#include "unit.h"

#include "store/backup.h"
#include "store/series.h"

enum { MINUTE_S = 60 };
static const int64_t a_second = 10000000, a_minute = 600000000;

struct kept {
    struct world *world;
    jp_status status;
    struct jp_error error;
    struct jp_series_result result;
    struct jp_series *series;        /* our own, with their points */
    int answers;
};

static void note_series(void *context, jp_status status, const struct jp_error *error, const struct jp_series_result *result) {
    struct kept *kept = context;
    kept->answers++;
    kept->status = status;
    kept->world->done = true;
    if (status != JP_OK) {
        kept->error = *error;
        assert_null(result);
        return;
    }
    kept->result = *result;
    kept->series = jp_realloc_array(NULL, result->count + 1, sizeof *kept->series);
    for (size_t i = 0; i < result->count; i++) {
        struct jp_series_point *points = jp_realloc_array(NULL, result->series[i].count, sizeof *points);
        memcpy(points, result->series[i].points, result->series[i].count * sizeof *points);
        kept->series[i] = (struct jp_series){.pool = jp_strdup(result->series[i].pool), .points = points, .count = result->series[i].count};
    }
}

static void forget(struct kept *kept) {
    for (size_t i = 0; kept->series != NULL && i < kept->result.count; i++) {
        jp_free((void *)(uintptr_t)kept->series[i].points);
        jp_free((char *)(uintptr_t)kept->series[i].pool);
    }
    jp_free(kept->series);
    kept->series = NULL;
}

static void await_answer(struct kept *kept) {
    while (kept->answers == 0)
        await(kept->world);
    assert_int_equal(kept->answers, 1);
}

static void get_series(struct kept *kept, struct world *world, struct jp_series_filter filter) {
    *kept = (struct kept){.world = world};
    if (filter.points == 0)
        filter.points = 200;
    world->accounts->ops->query_series(world->accounts, &filter, note_series, kept);
    assert_int_equal(kept->answers, 0); /* never from within the call */
    await_answer(kept);
    if (kept->status != JP_OK)
        fail_msg("%s", kept->error.text);
}

static struct jp_sample_record sample_of(const char *pool, int64_t time_100ns, uint64_t spent) {
    return (struct jp_sample_record){.pool = pool, .time_100ns = time_100ns, .processes = 1, .has_memory = true, .has_io = true, .commit_bytes = spent + 7,
                                     .working_set_bytes = spent + 3, .spent = {spent, 2 * spent, 3 * spent}, .own = {spent, spent, spent},
                                     .memory_limit_bytes = UINT64_MAX, .process_limit = UINT64_MAX};
}

static void record_sample(struct world *world, const char *pool, int64_t time_100ns, uint64_t spent) {
    struct jp_sample_record sample = sample_of(pool, time_100ns, spent);
    world->accounts->ops->record_sample(world->accounts, &sample);
}

static int64_t noon(void) { return 40 * a_day + a_day / 2; }

/* --- steps --- */

static void steps_are_round_and_as_short_as_may_be(void **state) {
    (void)state;
    static const struct {
        int64_t span_s;
        uint32_t points;
        int64_t least_s, step_s;
    } cases[] = {{3600, 60, 1, 60}, {3600, 59, 1, 120}, {3600, 3600, 1, 1}, {3600, 3600, 7, 10}, {86400, 200, 60, 600}, {30 * 86400, 200, 60, 6 * 3600},
                 {60, 1, 1, 60}, {3600, 2000, 3600, 3600}, {400 * 86400, 10, 1, 50 * 86400}, {1, 1, 1, 1}, {3650 * 86400, 3, 1, 2000 * 86400}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t from = 2000 * a_day; /* a multiple of all of them */
        int64_t step = jp__series_round_step(from, from + cases[i].span_s * a_second, cases[i].points, cases[i].least_s * a_second);
        assert_int_equal(step / a_second, cases[i].step_s);
    }
    uint64_t seed = 5;
    for (int i = 0; i < 2000; i++) {
        int64_t from = (int64_t)(random_magnitude(&seed) >> 4), to = from + 1 + (int64_t)(random_magnitude(&seed) >> 4);
        uint32_t points = 1 + random_below(&seed, 2000);
        int64_t step = jp__series_round_step(from, to, points, a_second);
        if (points > 1 || from / step == (to - 1) / step) /* whatever the time, they are no more than that */
            assert_true((to - 1) / step - from / step + 1 <= (int64_t)points);
    }
}

/* --- points --- */

static void every_field_comes_back(void **state) {
    struct world *world = *state;
    struct kept kept;
    open_store(world);
    struct jp_sample_record sample = {.pool = build, .time_100ns = noon(), .processes = 3, .has_memory = true, .has_io = true, .commit_bytes = 5,
                                      .working_set_bytes = 6, .spent = {1000, 2000, 3000}, .memory_limit_bytes = 9, .process_limit = 0, .cpu_rate_limit = 2500};
    world->accounts->ops->record_sample(world->accounts, &sample);
    sample.time_100ns += a_minute / 2;
    sample.spent = (struct jp_spent){1100, 2300, 3500};
    sample.commit_bytes = 4;
    sample.processes = 2;
    sample.cpu_rate_limit = 0;
    sample.memory_limit_bytes = 10;
    world->accounts->ops->record_sample(world->accounts, &sample);
    get_series(&kept, world, (struct jp_series_filter){.from_100ns = noon(), .to_100ns = noon() + an_hour, .least_step_100ns = a_minute});
    assert_int_equal(kept.result.count, 1);
    assert_int_equal(kept.result.step_100ns, a_minute);
    assert_false(kept.result.more);
    assert_int_equal(kept.result.complete_from_100ns, 0);
    assert_string_equal(kept.series[0].pool, build);
    assert_int_equal(kept.series[0].count, 1);
    const struct jp_series_point *point = kept.series[0].points;
    assert_int_equal(point->time_100ns, noon());
    assert_true(point->looked && point->has_memory && point->has_io);
    assert_int_equal(point->processes, 3); /* the most */
    assert_int_equal(point->commit_bytes, 5);
    assert_int_equal(point->working_set_bytes, 6);
    assert_int_equal(point->spent.cpu_100ns, 100);
    assert_int_equal(point->spent.read_bytes, 300);
    assert_int_equal(point->spent.write_bytes, 500);
    assert_int_equal(point->memory_limit_bytes, 10); /* the last */
    assert_int_equal(point->process_limit, 0);
    assert_int_equal(point->cpu_rate_limit, 0);
    forget(&kept);
    close_store(world);
}

static void what_is_unknown_is_not_nothing(void **state) {
    struct world *world = *state;
    struct kept kept;
    open_store(world);
    struct jp_sample_record sample = sample_of(build, noon(), 5);
    sample.has_memory = sample.has_io = false;
    world->accounts->ops->record_sample(world->accounts, &sample);
    assert_int_equal(wait_durable(world), JP_OK);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM samples WHERE commit_bytes IS NULL AND working_set_bytes IS NULL AND read_bytes"
                                             " IS NULL AND write_bytes IS NULL AND memory_limit_bytes IS NULL AND process_limit IS NULL AND cpu_rate_limit IS NULL"), 1);
    get_series(&kept, world, (struct jp_series_filter){.from_100ns = noon(), .to_100ns = noon() + an_hour, .least_step_100ns = a_minute});
    const struct jp_series_point *point = kept.series[0].points;
    assert_true(point->looked && !point->has_memory && !point->has_io);
    assert_true(point->memory_limit_bytes == UINT64_MAX && point->process_limit == UINT64_MAX);
    forget(&kept);
    close_store(world);
}

/* Samples every minute, a little late, over midnight: each step has its minute. */
static void each_step_has_what_was_used_in_it(void **state) {
    struct world *world = *state;
    struct kept kept;
    open_store(world);
    int64_t begin = 41 * a_day - 10 * a_minute;
    for (int i = 0; i <= 20; i++)
        record_sample(world, build, begin + i * a_minute + (i % 3) * 1000, (uint64_t)i * 6000);
    get_series(&kept, world, (struct jp_series_filter){.from_100ns = begin + a_minute, .to_100ns = begin + 19 * a_minute, .least_step_100ns = a_minute});
    assert_int_equal(kept.series[0].count, 18);
    uint64_t sum = 0;
    for (size_t i = 0; i < 18; i++) {
        uint64_t cpu = kept.series[0].points[i].spent.cpu_100ns;
        assert_true(cpu >= 5990 && cpu <= 6010); /* also of the first and the last: their neighbours are looked at */
        sum += cpu;
    }
    assert_true(sum >= 18 * 6000 - 10 && sum <= 18 * 6000 + 10);
    forget(&kept);
    close_store(world);
}

static void a_hole_counts_where_it_ends_and_a_fall_begins_anew(void **state) {
    struct world *world = *state;
    struct kept kept;
    open_store(world);
    static const struct {
        int minute;
        uint64_t spent;
    } rows[] = {{0, 1000000}, {1, 1000060}, {30, 1003000}, {31, 1003060}, {32, 50}, {33, 110}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        record_sample(world, build, noon() + rows[i].minute * a_minute + a_minute / 2, rows[i].spent);
    get_series(&kept, world, (struct jp_series_filter){.from_100ns = noon(), .to_100ns = noon() + an_hour, .least_step_100ns = a_minute});
    static const uint64_t expected[] = {30, 30, 2940 + 30, 30, 30, 30}; /* what the first had before it is of no time */
    assert_int_equal(kept.series[0].count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(kept.series[0].points[i].spent.cpu_100ns, expected[i]);
    assert_int_equal(kept.series[0].points[2].time_100ns, noon() + 30 * a_minute);
    forget(&kept);
    close_store(world);
}

/* --- at random --- */

static const char *const names[] = {"a", "b", "b:1", "\xC3\xA4"};
enum { NAMES = 4, ROWS = 1500 };

struct model_row {
    int64_t time_100ns;
    uint64_t processes, commit_bytes, spent;
};

/* However a time is cut into steps, and into parts that adjoin: the sums are what was used, the peaks are the peaks. */
static void any_steps_add_up(void **state) {
    struct world *world = *state;
    uint64_t seed = 17;
    open_store(world);
    struct model_row *rows = jp_alloc(ROWS * sizeof *rows);
    int64_t first = 50 * a_day + (int64_t)(next_random(&seed) % (uint64_t)a_day), time = first;
    uint64_t spent = 0, most = 0;
    for (int i = 0; i < ROWS; i++) {
        rows[i] = (struct model_row){.time_100ns = time, .processes = random_below(&seed, 50), .commit_bytes = random_below(&seed, 1 << 30), .spent = spent};
        struct jp_sample_record sample = sample_of(build, time, spent);
        sample.processes = rows[i].processes;
        sample.commit_bytes = rows[i].commit_bytes;
        world->accounts->ops->record_sample(world->accounts, &sample);
        most = rows[i].commit_bytes > most ? rows[i].commit_bytes : most;
        time += 1 + (int64_t)(next_random(&seed) % (uint64_t)(random_below(&seed, 40) ? 2 * a_minute : 5 * an_hour));
        spent += random_below(&seed, 3) ? next_random(&seed) % 1000000007 : 0;
    }
    int64_t end = rows[ROWS - 1].time_100ns + 1;
    for (int round = 0; round < 20; round++) {
        struct kept kept;
        uint32_t points = 1 + random_below(&seed, 2000);
        get_series(&kept, world, (struct jp_series_filter){.from_100ns = first, .to_100ns = end, .points = points, .least_step_100ns = a_second});
        uint64_t cpu = 0, peak = 0, written = 0;
        assert_true(kept.series[0].count <= points);
        for (size_t i = 0; i < kept.series[0].count; i++) {
            const struct jp_series_point *point = &kept.series[0].points[i];
            assert_true(i == 0 || point->time_100ns > point[-1].time_100ns);
            assert_int_equal(point->time_100ns % kept.result.step_100ns, 0);
            cpu += point->spent.cpu_100ns;
            written += point->spent.write_bytes;
            peak = point->commit_bytes > peak ? point->commit_bytes : peak;
        }
        assert_true(cpu == rows[ROWS - 1].spent && written == 3 * cpu && peak == most);
        int64_t step = kept.result.step_100ns, cut = (first + (end - first) / 3) / step * step; /* where two steps meet */
        forget(&kept);
        uint64_t parts = 0;
        for (int part = 0; part < 2 && cut > first; part++) {
            get_series(&kept, world, (struct jp_series_filter){.from_100ns = part ? cut : first, .to_100ns = part ? end : cut, .points = 1000000,
                                                               .least_step_100ns = step});
            assert_int_equal(kept.result.step_100ns, step);
            for (size_t i = 0; i < kept.series[0].count; i++)
                parts += kept.series[0].points[i].spent.cpu_100ns;
            forget(&kept);
        }
        assert_true(cut <= first || parts == cpu);
    }
    jp_free(rows);
    close_store(world);
}

/* --- processes --- */

static void processes_are_counted_where_they_began_and_ended(void **state) {
    struct world *world = *state;
    uint64_t seed = 3;
    struct kept kept;
    enum { STEPS = 60, PROCESSES = 9000 };
    uint64_t started[NAMES][STEPS] = {{0}}, ended[NAMES][STEPS] = {{0}}, failed[NAMES][STEPS] = {{0}};
    open_store(world);
    int64_t from = noon() + a_second, to = noon() + an_hour - a_second; /* inside of the first and the last step */
    for (int64_t id = 1; id <= PROCESSES; id++) {
        unsigned pool = random_below(&seed, NAMES);
        struct jp_process_record record = full_record(id);
        record.pool = (char *)(uintptr_t)names[pool]; /* nobody writes there */
        record.facts.pid = (uint32_t)id;
        record.joined_100ns = record.facts.start_100ns = noon() - a_minute + (int64_t)random_below(&seed, 62 * MINUTE_S) * a_second;
        record.ended_100ns = random_below(&seed, 5) ? record.facts.start_100ns + (int64_t)random_below(&seed, 5 * MINUTE_S) * a_second : 0;
        record.ending = record.ended_100ns ? JP_ENDING_EXITED : JP_ENDING_NONE;
        record.has_exit_code = record.ended_100ns != 0;
        record.exit_code = random_below(&seed, 2);
        int64_t began = record.facts.start_100ns, over = record.ended_100ns;
        if (began >= from && began < to)
            started[pool][(began - noon()) / a_minute]++;
        if (over >= from && over < to) {
            ended[pool][(over - noon()) / a_minute]++;
            failed[pool][(over - noon()) / a_minute] += record.exit_code != 0;
        }
        record.run = 0;
        world->accounts->ops->record_process(world->accounts, &record);
    }
    record_sample(world, "b", noon() + 5 * a_minute, 1);
    const char *some[] = {"b", "\xC3\xA4"};
    struct jp_strings wanted = {.items = (char **)(uintptr_t)some, .count = 2};
    for (int all = 0; all < 2; all++) {
        get_series(&kept, world, (struct jp_series_filter){.pools = all ? NULL : &wanted, .from_100ns = from, .to_100ns = to, .least_step_100ns = a_minute});
        assert_int_equal(kept.result.count, all ? NAMES : 2);
        for (size_t i = 0; i < kept.result.count; i++) {
            unsigned pool = 0;
            while (strcmp(names[pool], kept.series[i].pool) != 0)
                pool++;
            size_t at = 0;
            for (int step = 0; step < STEPS; step++) {
                bool looked = pool == 1 && step == 5;
                if (!started[pool][step] && !ended[pool][step] && !looked)
                    continue;
                const struct jp_series_point *point = &kept.series[i].points[at++];
                assert_int_equal(point->time_100ns, noon() + step * a_minute);
                assert_int_equal(point->looked, looked);
                assert_int_equal(point->started, started[pool][step]);
                assert_int_equal(point->ended, ended[pool][step]);
                assert_int_equal(point->failures, failed[pool][step]);
            }
            assert_int_equal(at, kept.series[i].count);
        }
        forget(&kept);
    }
    close_store(world);
}

/* --- bounds --- */

static void more_pools_than_there_is_room_for(void **state) {
    struct world *world = *state;
    struct kept kept;
    open_store(world);
    enum { POOLS = JP__SERIES_MAX_POINTS / 2000 + 20 };
    for (int i = 0; i < POOLS; i++) {
        char name[16];
        snprintf(name, sizeof name, "pool-%03d", i);
        record_sample(world, name, noon() + i, 1);
    }
    get_series(&kept, world, (struct jp_series_filter){.from_100ns = noon(), .to_100ns = noon() + 2000 * a_second, .points = 2000, .least_step_100ns = a_second});
    assert_true(kept.result.more);
    assert_int_equal(kept.result.count, JP__SERIES_MAX_POINTS / 2000);
    assert_string_equal(kept.series[0].pool, "pool-000");
    forget(&kept);
    get_series(&kept, world, (struct jp_series_filter){.from_100ns = noon(), .to_100ns = noon() + 2000 * a_second, .points = 100, .least_step_100ns = a_second});
    assert_false(kept.result.more);
    assert_int_equal(kept.result.count, POOLS);
    forget(&kept);
    get_series(&kept, world, (struct jp_series_filter){.pools = &(struct jp_strings){0}, .from_100ns = noon(), .to_100ns = noon() + an_hour, .least_step_100ns = a_second});
    assert_int_equal(kept.result.count, 0);
    forget(&kept);
    get_series(&kept, world, (struct jp_series_filter){.from_100ns = 0, .to_100ns = INT64_C(2650467744000000000), .points = 1, .least_step_100ns = a_second}); /* up to the year 9999 */
    assert_int_equal(kept.result.count, POOLS);
    forget(&kept);
    close_store(world);
}

/* Many that lived for a moment of some day, as those of single runs do, beside one that was always there. */
static void pools_of_a_moment(void **state) {
    struct world *world = *state;
    struct kept kept;
    open_store(world);
    enum { DAYS = 20, EACH = 300 };
    for (int i = 0; i < DAYS * EACH; i++) {
        char name[32];
        int64_t moment = (40 + i / EACH) * a_day + i % EACH * a_minute;
        snprintf(name, sizeof name, "p.run-%03d-%d", i % EACH, i / EACH);
        record_sample(world, name, moment, 1);
        record_sample(world, name, moment + a_second, 8);
        if (i % 10 == 0)
            record_sample(world, "p", moment, (uint64_t)i * 2);
    }
    get_series(&kept, world, (struct jp_series_filter){.from_100ns = 40 * a_day, .to_100ns = (40 + DAYS) * a_day, .points = 20, .least_step_100ns = a_minute});
    assert_int_equal(kept.result.count, DAYS * EACH + 1);
    uint64_t used = 0;
    for (size_t i = 0; i < kept.result.count; i++)
        for (size_t point = 0; point < kept.series[i].count; point++)
            used += kept.series[i].points[point].spent.cpu_100ns;
    assert_int_equal(used, DAYS * EACH * 7 + (DAYS * EACH - 10) * 2);
    forget(&kept);
    get_series(&kept, world, (struct jp_series_filter){.from_100ns = 43 * a_day, .to_100ns = 44 * a_day, .points = 24, .least_step_100ns = a_minute});
    assert_int_equal(kept.result.count, EACH + 1);
    assert_string_equal(kept.series[0].pool, "p");
    assert_int_equal(kept.series[0].points[0].time_100ns, 43 * a_day);
    assert_int_equal(kept.series[0].points[0].processes, 1);
    forget(&kept);
    close_store(world);
}

static void it_can_be_cancelled(void **state) {
    struct world *world = *state;
    struct kept kept = {.world = world};
    open_store(world);
    for (int i = 0; i < 20000; i++)
        record_sample(world, build, noon() + i * a_second, 1);
    assert_int_equal(wait_durable(world), JP_OK);
    struct jp_series_filter filter = {.from_100ns = noon(), .to_100ns = noon() + a_day, .points = 200, .least_step_100ns = a_second};
    uint64_t number = world->accounts->ops->query_series(world->accounts, &filter, note_series, &kept);
    world->accounts->ops->report_cancel(world->accounts, number);
    await_answer(&kept);
    assert_int_equal(kept.status, JP_E_CANCELLED);
    close_store(world);
}

/* The first to go, at half of the backlog's bound; events still have room then. */
static void a_half_full_backlog_drops_samples(void **state) {
    struct world *world = *state;
    world->max_backlog = 100;
    world->hurry = 20;
    open_store(world);
    record_sample(world, build, noon(), 1);
    assert_int_equal(wait_durable(world), JP_OK);
    sqlite3 *other = connect_other(world->file);
    execute(other, "BEGIN IMMEDIATE");
    record_event(world, 1);
    await_state(world, true);
    for (int i = 1; i < 200; i++)
        record_sample(world, build, noon() + i * a_minute, (uint64_t)i);
    record_event(world, 2);
    assert_int_equal(state_of(world).dropped_samples, 199 - 49);
    assert_int_equal(state_of(world).dropped_events, 0);
    execute(other, "COMMIT");
    sqlite3_close(other);
    await_state(world, false);
    assert_true(logged(world, "150 samples of pools were dropped meanwhile"));
    while (wait_durable(world) != JP_OK) /* the attempt that succeeded may have been one with the first event alone */
        continue;
    record_sample(world, build, noon() + 200 * a_minute, 200);
    struct kept kept;
    get_series(&kept, world, (struct jp_series_filter){.from_100ns = noon(), .to_100ns = noon() + 4 * an_hour, .points = 1, .least_step_100ns = a_second});
    assert_int_equal(kept.series[0].points[0].spent.cpu_100ns, 199); /* a lost row loses no time */
    forget(&kept);
    close_store(world);
}

/* --- what is kept --- */

static void what_is_old_goes_by_days(void **state) {
    struct world *world = *state;
    struct kept kept;
    open_store(world);
    int64_t today = now_100ns() / a_day * a_day;
    for (int day = 0; day < 5; day++)
        for (int i = 0; i < 1200; i++)
            record_sample(world, i % 2 ? build : test, today - day * a_day + i * a_second, (uint64_t)i);
    struct jp_series_filter five_days = {.from_100ns = today - 4 * a_day, .to_100ns = today + a_day, .least_step_100ns = a_minute};
    retain(world, (struct jp_retention){.processes_100ns = 1, .events_100ns = 1, .hours_100ns = 1, .audit_100ns = 1}); /* nobody's business */
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM samples"), 6000);
    retain(world, (struct jp_retention){.samples_100ns = 2 * (uint64_t)a_day});
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM samples"), 3600); /* today, yesterday, and the day that is half old */
    assert_true(logged(world, "0 processes, 0 events, 2400 samples"));
    get_series(&kept, world, five_days);
    assert_int_equal(kept.result.complete_from_100ns, today - 2 * a_day);
    forget(&kept);
    five_days.from_100ns = today - 2 * a_day;
    get_series(&kept, world, five_days);
    assert_int_equal(kept.result.complete_from_100ns, 0);
    assert_int_equal(kept.result.count, 2);
    forget(&kept);
    close_store(world);
}

static void a_database_that_is_too_large_loses_its_oldest_days(void **state) {
    struct world *world = *state;
    open_store(world);
    int64_t today = now_100ns() / a_day * a_day;
    for (int day = 9; day >= 0; day--)
        for (int i = 0; i < 3000; i++)
            record_sample(world, i % 2 ? build : test, today - day * a_day + i * a_second, (uint64_t)i);
    assert_int_equal(wait_durable(world), JP_OK);
    retain(world, (struct jp_retention){.max_bytes = 1024 * 1024});
    assert_true(state_of(world).file_bytes <= 1024 * 1024);
    int64_t left = ask_number(world->file, "SELECT count(*) FROM samples");
    assert_true(left > 3000 && left < 27000);
    assert_int_equal(ask_number(world->file, "SELECT min(day) > max(day) - 9 AND max(day) * 864000000000 = (SELECT max(time_100ns) / 864000000000"
                                             " * 864000000000 FROM samples) FROM samples"), 1);
    close_store(world);
}

static struct jp_pool_counters *counters_of(struct world *world, const char *name) {
    for (size_t i = 0; i < world->start.counter_count; i++)
        if (strcmp(world->start.counters[i].name, name) == 0)
            return &world->start.counters[i];
    return NULL;
}

/* What the next run goes on from outlives the samples, and goes with the pool. */
static void the_next_run_goes_on_from_the_last_sample(void **state) {
    struct world *world = *state;
    open_store(world);
    struct jp_pool_record pool = {.name = build};
    world->accounts->ops->record_pool(world->accounts, &pool);
    pool.name = test;
    world->accounts->ops->record_pool(world->accounts, &pool);
    for (uint64_t i = 1; i <= 3; i++) {
        struct jp_sample_record sample = sample_of(build, noon() + (int64_t)i, 10 * i);
        sample.own = (struct jp_spent){i, i + 1, i + 2};
        world->accounts->ops->record_sample(world->accounts, &sample);
    }
    retain(world, (struct jp_retention){.samples_100ns = 1});
    close_store(world);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM samples"), 0);
    jp_accounts_start_clear(&world->start);
    open_store(world);
    const struct jp_pool_counters *counters = counters_of(world, build);
    assert_int_equal(counters->sampled_100ns, noon() + 3);
    assert_int_equal(counters->sampled.cpu_100ns, 30);
    assert_int_equal(counters->sampled.write_bytes, 90);
    assert_int_equal(counters->sampled_own.cpu_100ns, 3);
    assert_int_equal(counters->sampled_own.read_bytes, 4);
    assert_int_equal(counters->sampled_own.write_bytes, 5);
    assert_null(counters_of(world, test)); /* it lives, and nothing was counted of it */
    world->accounts->ops->forget_pool(world->accounts, build);
    retain(world, (struct jp_retention){.processes_100ns = 1});
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM sampled"), 1); /* samples are for ever: so is the name that they are found by */
    retain(world, (struct jp_retention){.processes_100ns = 1, .samples_100ns = 1});
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM sampled"), 0);
    close_store(world);
}

/* --- from the version before --- */

static void fail_of(void *context, const char *text) {
    (void)context;
    fail_msg("%s", text);
}

static void count_fault(void *context, const char *text) {
    assert_non_null(strstr(text, "stands under day 1"));
    ++*(int *)context;
}

static void a_database_of_version_4_is_taken_over(void **state) {
    struct world *world = *state;
    struct jp_error error;
    open_store(world);
    struct jp_process_record ended = full_record(7);
    record(world, &ended);
    record_event(world, 5);
    close_store(world);
    execute_alone(world->file, "DROP INDEX pools_gone; ALTER TABLE pools DROP COLUMN ephemeral; DROP TABLE samples; DROP TABLE sampled; DROP TRIGGER processes_ended; DROP INDEX usage_hours_by_pool; DROP INDEX usage_days_by_pool; DELETE FROM meta WHERE key = 'samples_from_100ns'; PRAGMA user_version = 4");
    assert_int_equal(jp_store_check(world->file, fail_of, NULL, &error), JP_OK); /* a backup of it is sound */

    jp_accounts_start_clear(&world->start);
    open_store(world);
    assert_int_equal(world->start.last_seq, 5);
    assert_int_equal(world->start.last_process_id, 7);
    const struct jp_pool_counters *counters = counters_of(world, build);
    assert_int_equal(counters->sampled_100ns, 0);
    assert_int_equal(counters->sampled.cpu_100ns, 0);
    assert_int_equal(counters->sampled_own.cpu_100ns, counters->total.user_100ns + counters->total.kernel_100ns); /* is not of the first sample's time */
    assert_int_equal(counters->sampled_own.write_bytes, counters->total.write_bytes);
    record_sample(world, build, noon(), 1);
    close_store(world);
    assert_int_equal(ask_number(world->file, "PRAGMA user_version"), 7);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM processes"), 1);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM samples"), 1);
    assert_int_equal(jp_store_check(world->file, fail_of, NULL, &error), JP_OK);
    execute_alone(world->file, "UPDATE samples SET day = 1");
    int faults = 0;
    assert_int_equal(jp_store_check(world->file, count_fault, &faults, &error), JP_E_STORE);
    assert_int_equal(faults, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_round_and_as_short_as_may_be),
        TEST(every_field_comes_back),
        TEST(what_is_unknown_is_not_nothing),
        TEST(each_step_has_what_was_used_in_it),
        TEST(a_hole_counts_where_it_ends_and_a_fall_begins_anew),
        TEST(any_steps_add_up),
        TEST(processes_are_counted_where_they_began_and_ended),
        TEST(more_pools_than_there_is_room_for),
        TEST(pools_of_a_moment),
        TEST(it_can_be_cancelled),
        TEST(a_half_full_backlog_drops_samples),
        TEST(what_is_old_goes_by_days),
        TEST(a_database_that_is_too_large_loses_its_oldest_days),
        TEST(the_next_run_goes_on_from_the_last_sample),
        TEST(a_database_of_version_4_is_taken_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
