/* The store: rows, purges, reports and restarts at random, against a plain model that forgets nothing. */
#include "store_world.h"

#include <stdlib.h>

enum { MODEL_POOLS = 3, MODEL_ROWS = 600, MODEL_DAYS = 6 };
static char pool_names[MODEL_POOLS][4] = {"a", "b", "c"};

/* What was recorded, as somebody would who forgets nothing. */
struct model {
    struct world *world;
    struct jp_process_record rows[MODEL_ROWS];
    bool removed[MODEL_ROWS], purged[MODEL_ROWS];
    int count;
    struct jp_unobserved_record unobserved[MODEL_ROWS];
    int unobserved_count;
    int64_t now_100ns, first_day;
    bool folded;
};

static bool same_process(const struct jp_process_record *one, const struct jp_process_record *other) {
    return one->start_exact && other->start_exact && one->run == other->run && one->pool == other->pool &&
           one->facts.pid == other->facts.pid && one->facts.start_100ns == other->facts.start_100ns;
}

static void begin_one(struct model *model) {
    if (model->count == MODEL_ROWS)
        return;
    struct jp_process_record *row = &model->rows[model->count];
    *row = (struct jp_process_record){
        .id = ++model->count, .run = model->world->start.run, .pool = pool_names[rand() % MODEL_POOLS], .start_exact = rand() % 8 != 0,
        .facts = {.pid = (uint32_t)(rand() % 4 + 1), .start_100ns = model->first_day + rand() % (MODEL_DAYS * 12) * (an_hour / 4)}};
    row->joined_100ns = row->facts.start_100ns;
    record(model->world, row);
    for (int i = 0; i < model->count - 1; i++) /* whoever is the same makes room, if it is still there */
        model->removed[i] |= !model->purged[i] && same_process(&model->rows[i], row);
}

/* Ends, or tells more of one that has ended. */
static void end_one(struct model *model) {
    int i = model->count != 0 ? rand() % model->count : 0;
    struct jp_process_record *row = &model->rows[i];
    if (model->count == 0 || model->removed[i] || (model->purged[i] && row->ended_100ns < model->now_100ns - an_hour / 2))
        return;
    struct jp_process_record more = *row;
    if (more.ended_100ns == 0)
        more.ended_100ns = rand() % 2 ? model->now_100ns - rand() % 1000 : more.facts.start_100ns + rand() % 100000;
    more.ending = (enum jp_ending)(JP_ENDING_EXITED + rand() % 4);
    more.has_exit_code = rand() % 3 != 0;
    more.exit_code = (uint32_t)(rand() % 2);
    more.usage.known |= (uint32_t)rand() % 8;
    if (more.usage.known & JP_USAGE_CPU)
        more.usage.user_100ns += (uint64_t)rand() % 1000, more.usage.kernel_100ns += (uint64_t)rand() % 1000;
    if (more.usage.known & JP_USAGE_MEMORY)
        more.usage.peak_commit_bytes += (uint64_t)rand() % 1000;
    if (more.usage.known & JP_USAGE_IO)
        more.usage.read_bytes += (uint64_t)rand() % 1000, more.usage.write_bytes += 1, more.usage.other_operations += 2;
    record(model->world, &more);
    if (!model->purged[i]) /* else it was counted as it was */
        *row = more;
}

static void miss_some(struct model *model) {
    if (model->unobserved_count == MODEL_ROWS)
        return;
    struct jp_unobserved_record *one = &model->unobserved[model->unobserved_count++];
    *one = (struct jp_unobserved_record){.pool = pool_names[rand() % MODEL_POOLS], .processes = (uint64_t)rand() % 5,
                                         .user_100ns = (uint64_t)rand() % 100, .write_bytes = (uint64_t)rand() % 100};
    one->from_100ns = model->first_day + rand() % (MODEL_DAYS * 24) * an_hour;
    one->to_100ns = one->from_100ns + 1;
    model->world->accounts->ops->record_unobserved(model->world->accounts, one);
}

static void mark_purged(struct model *model, const char *pool, int64_t before_100ns, uint64_t *count) {
    for (int i = 0; i < model->count; i++) {
        const struct jp_process_record *row = &model->rows[i];
        if (model->removed[i] || model->purged[i] || row->ended_100ns == 0 || row->ended_100ns >= before_100ns || (pool && pool != row->pool))
            continue;
        model->purged[i] = true;
        ++*count;
    }
}

static void purge_some(struct model *model) {
    struct jp_purge_filter filter = {.pool = rand() % 2 ? pool_names[rand() % MODEL_POOLS] : NULL, .processes = true,
                                     .before_100ns = model->first_day + rand() % (MODEL_DAYS * 24) * an_hour};
    if (rand() % 8 == 0)
        filter.before_100ns = INT64_MAX;
    uint64_t expected = 0;
    mark_purged(model, filter.pool, filter.before_100ns, &expected);
    assert_int_equal(purge(model->world, filter).processes, expected);
}

/* Old rows and hours go: everything before a day. */
static void retain_some(struct model *model) {
    int64_t then = model->first_day + rand() % MODEL_DAYS * a_day + an_hour / 8; /* about which time none ends */
    uint64_t age_100ns = (uint64_t)(now_100ns() - then), ignored = 0;
    retain(model->world, (struct jp_retention){.processes_100ns = age_100ns, .hours_100ns = age_100ns});
    model->world->accounts->ops->set_retention(model->world->accounts, &(struct jp_retention){0}); /* the model knows of one pass */
    mark_purged(model, NULL, then, &ignored);
    model->folded = true;
}

static void add_to(struct jp_summary *summary, const struct jp_process_record *row) {
    bool ended = row->ended_100ns != 0;
    summary->processes++;
    summary->running += !ended;
    summary->exited += row->ending == JP_ENDING_EXITED;
    summary->crashed += row->ending == JP_ENDING_CRASHED;
    summary->terminated += row->ending == JP_ENDING_TERMINATED;
    summary->unknown += row->ending == JP_ENDING_UNKNOWN;
    summary->failures += ended && row->has_exit_code && row->exit_code != 0;
    summary->user_100ns += row->usage.user_100ns;
    summary->kernel_100ns += row->usage.kernel_100ns;
    summary->read_bytes += row->usage.read_bytes;
    summary->write_bytes += row->usage.write_bytes;
    summary->with_cpu += (row->usage.known & JP_USAGE_CPU) != 0;
    summary->with_io += (row->usage.known & JP_USAGE_IO) != 0;
    if (ended)
        summary->wall_100ns += (uint64_t)(row->ended_100ns - row->facts.start_100ns);
}

static void check_report(struct model *model) {
    int64_t step = model->folded ? a_day : an_hour / 4; /* parts of hours are exact, as long as nothing was purged of them */
    bool whole = model->folded;
    for (int i = 0; i < model->count && !whole; i++)
        whole = model->purged[i];
    if (whole && !model->folded)
        step = an_hour;
    int64_t from = model->first_day + rand() % (int)(MODEL_DAYS * a_day / step) * step;
    struct jp_summary_filter filter = {.pool = pool_names[rand() % MODEL_POOLS], .from_100ns = from,
                                       .to_100ns = from + (1 + rand() % 20) * step};
    if (rand() % 8 == 0)
        filter.from_100ns = filter.to_100ns = 0;
    struct jp_summary expected = {0}, found = summary_of(model->world, filter);
    int64_t to = filter.to_100ns != 0 ? filter.to_100ns : INT64_MAX;
    bool running = false;
    for (int i = 0; i < model->count; i++) {
        const struct jp_process_record *row = &model->rows[i];
        if (model->removed[i] || row->pool != filter.pool || row->facts.start_100ns < filter.from_100ns || row->facts.start_100ns >= to)
            continue;
        add_to(&expected, row);
        running |= row->ended_100ns == 0;
    }
    for (int i = 0; i < model->unobserved_count; i++) {
        const struct jp_unobserved_record *one = &model->unobserved[i];
        if (one->pool != filter.pool || one->from_100ns < filter.from_100ns || one->from_100ns >= to)
            continue;
        expected.unobserved += one->processes;
        expected.user_100ns += one->user_100ns;
        expected.write_bytes += one->write_bytes;
    }
    expected.peak_commit_bytes = found.peak_commit_bytes; /* of those that made room too */
    if (running)
        expected.wall_100ns = found.wall_100ns;
    if (expected.processes + expected.unobserved == 0)
        memset(&expected, 0, sizeof expected);
    assert_same_summary(&found, &expected);
}

static void check_counters(struct model *model) {
    struct world *world = model->world;
    close_store(world);
    open_store(world);
    assert_int_equal(world->start.last_process_id, model->count);
    for (size_t pool = 0; pool < world->start.counter_count; pool++) {
        struct jp_counters expected = {0}, *found = &world->start.counters[pool].total;
        for (int i = 0; i < model->count; i++) {
            if (!model->removed[i] && model->rows[i].ended_100ns != 0 && strcmp(model->rows[i].pool, world->start.counters[pool].name) == 0)
                jp_counters_add(&expected, &model->rows[i]);
        }
        for (int i = 0; i < model->unobserved_count; i++) {
            if (strcmp(model->unobserved[i].pool, world->start.counters[pool].name) == 0)
                jp_counters_add_unobserved(&expected, &model->unobserved[i]);
        }
        assert_true(found->peak_commit_bytes >= expected.peak_commit_bytes);
        expected.peak_commit_bytes = found->peak_commit_bytes;
        assert_memory_equal(found, &expected, sizeof expected);
    }
}

static void sums_are_right_whatever_happens(void **state) {
    struct model *model = jp_alloc(sizeof *model);
    const char *wanted = getenv("JOBPOOL_SEED");
    unsigned seed = wanted != NULL ? (unsigned)strtoul(wanted, NULL, 10) : 1;
    print_message("seed %u\n", seed); /* another one: JOBPOOL_SEED */
    srand(seed);
    model->world = *state;
    model->now_100ns = now_100ns();
    model->first_day = (model->now_100ns / a_day - MODEL_DAYS - 1) * a_day;
    open_store(model->world);
    for (int i = 0; i < 2500; i++) {
        int dice = rand() % 1000;
        if (dice < 300)
            begin_one(model);
        else if (dice < 750)
            end_one(model);
        else if (dice < 780)
            miss_some(model);
        else if (dice < 790)
            purge_some(model);
        else if (dice < 793 && i > 1200)
            retain_some(model);
        else if (dice < 800)
            check_counters(model);
        else if (dice < 850)
            check_report(model);
    }
    check_counters(model);
    close_store(model->world);
    jp_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(sums_are_right_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
