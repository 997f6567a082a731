/* The store: reports, against a plain model that looks at every row for every group. */
#include "store_world.h"
#include "unit.h"

#include "store/report.h"

enum { ROWS = 600, ALL_KEYS = 31 };

struct kept {
    struct world *world;
    jp_status status;
    struct jp_error error;
    struct jp_report report; /* its rows and their texts are our own */
    struct jp_report_row *rows;
    int answers, progress_calls;
    uint64_t done, all;
    uint64_t number;     /* of the report */
    int cancel_at;       /* the progress call in which it is cancelled; 0: never */
};

static void note_report(void *context, jp_status status, const struct jp_error *error, const struct jp_report *report) {
    struct kept *kept = context;
    kept->answers++;
    kept->status = status;
    kept->world->done = true;
    if (status != JP_OK) {
        kept->error = *error;
        assert_null(report);
        return;
    }
    kept->report = *report;
    kept->rows = jp_realloc_array(NULL, report->count + 1, sizeof *kept->rows);
    kept->report.rows = kept->rows;
    for (size_t i = 0; i < report->count; i++) {
        kept->rows[i] = report->rows[i];
        kept->rows[i].pool = jp_strdup(report->rows[i].pool);
        kept->rows[i].user = jp_strdup(report->rows[i].user);
        kept->rows[i].image = jp_strdup(report->rows[i].image);
    }
}

static void note_progress(void *context, uint64_t done_rows, uint64_t all_rows) {
    struct kept *kept = context;
    assert_int_equal(kept->answers, 0);
    assert_true(done_rows > kept->done && done_rows <= all_rows);
    kept->done = done_rows;
    kept->all = all_rows;
    if (++kept->progress_calls == kept->cancel_at)
        kept->world->accounts->ops->report_cancel(kept->world->accounts, kept->number);
}

static void forget(struct kept *kept) {
    for (size_t i = 0; kept->rows != NULL && i < kept->report.count; i++) {
        jp_free((char *)(uintptr_t)kept->rows[i].pool);
        jp_free((char *)(uintptr_t)kept->rows[i].user);
        jp_free((char *)(uintptr_t)kept->rows[i].image);
    }
    jp_free(kept->rows);
    kept->rows = NULL;
}

static void ask(struct kept *kept, struct jp_report_filter filter) {
    struct world *world = kept->world;
    kept->number = world->accounts->ops->query_report(world->accounts, &filter, note_progress, note_report, kept);
    assert_int_equal(kept->answers, 0); /* never from within the call */
}

static void await_answer(struct kept *kept) {
    while (kept->answers == 0)
        await(kept->world);
    assert_int_equal(kept->answers, 1);
}

static void get_report(struct kept *kept, struct world *world, struct jp_report_filter filter) {
    *kept = (struct kept){.world = world};
    ask(kept, filter);
    await_answer(kept);
    if (kept->status != JP_OK)
        fail_msg("%s", kept->error.text);
}

/* --- the model --- */

static const char *const pools[] = {"a", "b", "b:1", "\xC3\xA4"};
static const char *const users[] = {"HOST\\ada", "host\\ADA", "HOST\\bob", NULL};
static const char *const images[] = {"C:\\x\\cl.exe", "D:\\CL.EXE", "link.exe", "C:/y/\xE2\x82\xAC.exe", "C:\\", NULL};

static char *own(const char *text) { return (char *)(uintptr_t)text; } /* nobody writes there */

static struct jp_process_record random_record(int64_t id, uint64_t *seed) {
    struct jp_process_record record = {.id = id, .pool = own(pools[random_below(seed, 4)]),
                                       .facts = {.pid = (uint32_t)id, .user = own(users[random_below(seed, 4)]), .image = own(images[random_below(seed, 6)])},
                                       .joined_by = JP_ORIGIN_KERNEL};
    int64_t began = 40 * a_day + (int64_t)random_below(seed, 5) * a_day;
    static const int64_t edges[] = {-1, 0, 1, 7};
    began += random_below(seed, 2) ? edges[random_below(seed, 4)] : (int64_t)(next_random(seed) % (uint64_t)a_day);
    record.joined_100ns = began + (int64_t)random_below(seed, 3);
    record.facts.start_100ns = random_below(seed, 8) ? began : 0; /* unknown: that of joining counts */
    record.start_exact = record.facts.start_100ns != 0;
    record.ending = (enum jp_ending)random_below(seed, 5);
    if (record.ending != JP_ENDING_NONE) {
        record.ended_100ns = began + (int64_t)random_below(seed, 1000) - 1; /* a clock may go back */
        record.has_exit_code = random_below(seed, 4) != 0;
        record.exit_code = random_below(seed, 2);
    }
    record.usage = (struct jp_usage){.known = random_below(seed, 8), .user_100ns = random_below(seed, 50), .kernel_100ns = random_below(seed, 50),
                                     .peak_commit_bytes = random_below(seed, 1000), .read_bytes = random_below(seed, 99),
                                     .write_bytes = random_below(seed, 99)};
    return record;
}

static int64_t began_of(const struct jp_process_record *record) {
    return record->facts.start_100ns != 0 ? record->facts.start_100ns : record->joined_100ns;
}

static const char *file_of(const char *image) {
    const char *name = image;
    for (const char *at = image; at != NULL && *at != '\0'; at++)
        name = *at == '\\' || *at == '/' ? at + 1 : name;
    return name;
}

static bool same_name(const char *one, const char *other, bool any_case) {
    if (one == NULL || other == NULL)
        return one == other;
    return any_case ? jp_ascii_equal_nocase(one, other) : strcmp(one, other) == 0;
}

static bool is_in(const struct jp_report_row *row, uint32_t by, const struct jp_process_record *record) {
    return (!(by & JP_REPORT_POOL) || same_name(row->pool, record->pool, false)) &&
           (!(by & JP_REPORT_USER) || same_name(row->user, record->facts.user, true)) &&
           (!(by & JP_REPORT_IMAGE) || same_name(row->image, file_of(record->facts.image), true)) &&
           (!(by & JP_REPORT_ENDING) || same_name(row->ending, jp_ending_name(record->ending), false)) &&
           (!(by & JP_REPORT_DAY) || row->day_100ns == began_of(record) - began_of(record) % a_day);
}

static bool is_selected(const struct jp_report_filter *filter, const struct jp_process_record *record) {
    bool in_pools = filter->pools == NULL;
    for (size_t i = 0; !in_pools && i < filter->pools->count; i++)
        in_pools = strcmp(filter->pools->items[i], record->pool) == 0;
    return in_pools && (filter->from_100ns == 0 || began_of(record) >= filter->from_100ns) &&
           (filter->to_100ns == 0 || began_of(record) < filter->to_100ns) &&
           (filter->user == NULL || (record->facts.user != NULL && same_name(filter->user, record->facts.user, true))) &&
           (filter->image == NULL || (record->facts.image != NULL && same_name(filter->image, file_of(record->facts.image), true))) &&
           (filter->ending == NULL || same_name(filter->ending, jp_ending_name(record->ending), false));
}

static void add_to(struct jp_summary *sums, const struct jp_process_record *record) {
    const struct jp_usage *usage = &record->usage;
    bool cpu = usage->known & JP_USAGE_CPU, io = usage->known & JP_USAGE_IO, memory = usage->known & JP_USAGE_MEMORY;
    sums->processes++;
    sums->running += record->ending == JP_ENDING_NONE;
    sums->exited += record->ending == JP_ENDING_EXITED;
    sums->crashed += record->ending == JP_ENDING_CRASHED;
    sums->terminated += record->ending == JP_ENDING_TERMINATED;
    sums->unknown += record->ending == JP_ENDING_UNKNOWN;
    sums->failures += record->has_exit_code && record->exit_code != 0;
    sums->user_100ns += cpu ? usage->user_100ns : 0;
    sums->kernel_100ns += cpu ? usage->kernel_100ns : 0;
    sums->with_cpu += cpu;
    sums->with_io += io;
    sums->read_bytes += io ? usage->read_bytes : 0;
    sums->write_bytes += io ? usage->write_bytes : 0;
    if (record->ended_100ns > began_of(record))
        sums->wall_100ns += (uint64_t)(record->ended_100ns - began_of(record));
    if (memory && usage->peak_commit_bytes > sums->peak_commit_bytes)
        sums->peak_commit_bytes = usage->peak_commit_bytes;
}

/* Running ones have run until now, which moves: that part is looked at apart. */
static void assert_same_sums(const struct jp_summary *sums, const struct jp_summary *expected) {
    struct jp_summary without = *sums;
    if (sums->running > 0) {
        assert_true(sums->wall_100ns > expected->wall_100ns);
        without.wall_100ns = expected->wall_100ns;
    }
    assert_memory_equal(&without, expected, sizeof without);
}

static int compare(const char *one, const char *other) { return one == NULL || other == NULL ? (one == NULL) - (other == NULL) : strcmp(one, other); }

static bool is_before(const struct jp_report_row *one, const struct jp_report_row *other) {
    uint64_t cpu = one->sums.user_100ns + one->sums.kernel_100ns, other_cpu = other->sums.user_100ns + other->sums.kernel_100ns;
    if (cpu != other_cpu)
        return cpu > other_cpu;
    int order = compare(one->pool, other->pool);
    order = order ? order : compare(one->user, other->user);
    order = order ? order : compare(one->image, other->image);
    if (order == 0 && one->day_100ns != other->day_100ns)
        return one->day_100ns < other->day_100ns;
    return (order ? order : compare(one->ending, other->ending)) < 0;
}

static void assert_report(const struct kept *kept, const struct jp_report_filter *filter, const struct jp_process_record *records) {
    struct jp_summary total = {0};
    size_t selected = 0, counted = 0;
    for (size_t j = 0; j < ROWS; j++)
        if (is_selected(filter, &records[j])) {
            add_to(&total, &records[j]);
            selected++;
        }
    for (size_t i = 0; i < kept->report.count; i++) {
        const struct jp_report_row *row = &kept->report.rows[i];
        struct jp_summary sums = {0};
        for (size_t j = 0; j < ROWS; j++)
            if (is_selected(filter, &records[j]) && is_in(row, filter->by, &records[j]))
                add_to(&sums, &records[j]);
        assert_true(sums.processes > 0);
        assert_same_sums(&row->sums, &sums);
        counted += sums.processes;
        if (i > 0)
            assert_true(is_before(row - 1, row));
    }
    assert_same_sums(&kept->report.total, &total);
    if (filter->limit == 0 || kept->report.groups <= filter->limit) {
        assert_int_equal(counted, selected); /* each row in one group */
        assert_int_equal(kept->report.groups, kept->report.count);
    } else {
        assert_int_equal(kept->report.count, filter->limit);
    }
}

static void all_ways_to_group_add_up(void **state) {
    struct world *world = *state;
    uint64_t seed = new_seed();
    struct jp_process_record records[ROWS];
    open_store(world);
    for (int64_t i = 0; i < ROWS; i++) {
        records[i] = random_record(i + 1, &seed);
        record(world, &records[i]);
    }
    for (uint32_t by = 0; by <= ALL_KEYS; by++) {
        for (int variant = 0; variant < 6; variant++) {
            struct jp_strings some = {(char **)(uintptr_t)&pools[1], 1 + random_below(&seed, 3)};
            struct jp_report_filter filter = {.by = by};
            if (variant == 1 || variant == 5)
                filter.pools = &some;
            if (variant == 2 || variant == 5) {
                filter.from_100ns = (41 + (int64_t)random_below(&seed, 2)) * a_day + (int64_t)random_below(&seed, 2);
                filter.to_100ns = (43 + (int64_t)random_below(&seed, 2)) * a_day - (int64_t)random_below(&seed, 2);
            }
            filter.user = variant == 3 ? "HOST\\ada" : NULL;
            filter.image = variant == 4 ? "cl.exe" : NULL;
            filter.ending = variant == 4 ? jp_ending_name((enum jp_ending)random_below(&seed, 5)) : NULL;
            filter.limit = variant == 5 ? 1 + random_below(&seed, 20) : 0;
            struct kept kept;
            get_report(&kept, world, filter);
            assert_report(&kept, &filter, records);
            assert_int_equal(kept.report.complete_from_100ns, 0);
            forget(&kept);
        }
    }
    close_store(world);
}

static void days_begin_at_midnight(void **state) {
    struct world *world = *state;
    static const int64_t times[] = {-1, 0, 1};
    open_store(world);
    for (int64_t i = 0; i < 3; i++) {
        struct jp_process_record process = running_record(i + 1);
        process.facts.start_100ns = process.joined_100ns = 100 * a_day + times[i];
        record(world, &process);
    }
    struct kept kept;
    get_report(&kept, world, (struct jp_report_filter){.by = JP_REPORT_DAY});
    assert_int_equal(kept.report.count, 2);
    assert_int_equal(kept.report.rows[0].day_100ns, 99 * a_day);
    assert_int_equal(kept.report.rows[0].sums.processes, 1);
    assert_int_equal(kept.report.rows[1].day_100ns, 100 * a_day);
    assert_int_equal(kept.report.rows[1].sums.processes, 2);
    forget(&kept);
    close_store(world);
}

static void nothing_is_a_report_too(void **state) {
    struct world *world = *state;
    struct jp_strings none = {0}, twice = {(char *[]){build, build}, 2};
    struct kept kept;
    open_store(world);
    get_report(&kept, world, (struct jp_report_filter){.by = ALL_KEYS});
    assert_int_equal(kept.report.count + kept.report.groups + kept.report.total.processes, 0);
    forget(&kept);
    struct jp_process_record process = full_record(1);
    record(world, &process);
    get_report(&kept, world, (struct jp_report_filter){.pools = &none});
    assert_int_equal(kept.report.count + kept.report.groups + kept.report.total.processes, 0);
    forget(&kept);
    get_report(&kept, world, (struct jp_report_filter){.pools = &twice});
    assert_int_equal(kept.report.total.processes, 1);
    assert_int_equal(kept.report.count, 1); /* not grouped at all: all of it */
    forget(&kept);
    get_report(&kept, world, (struct jp_report_filter){.from_100ns = INT64_MAX, .to_100ns = 1});
    assert_int_equal(kept.report.total.processes, 0);
    forget(&kept);
    close_store(world);
}

/* `count` rows of running processes with ids from 1 on, in pools by turns, each with an image of its own. */
static void fill(struct world *world, int count, int pool_count) {
    char *sql = jp_sprintf("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
                           " INSERT INTO processes(id, pool, pid, start_100ns, start_exact, joined_100ns, joined_by, ending, user_100ns, image)"
                           " SELECT i, 'p' || (i %% %d), i, i, 0, i, 'kernel', 'running', 1, 'i' || i FROM n;"
                           "UPDATE meta SET value = %d WHERE key = 'last_process_id'", count, pool_count, count);
    execute_alone(world->file, sql);
    jp_free(sql);
}

static void it_can_be_cancelled_at_every_step(void **state) {
    enum { STEPS = 6, COUNT = STEPS * JP__REPORT_STEP_ROWS - 100 };
    struct world *world = *state;
    open_store(world);
    fill(world, COUNT, 2);
    for (int at = 0; at <= STEPS; at++) {
        struct kept kept = {.world = world, .cancel_at = at};
        ask(&kept, (struct jp_report_filter){.by = JP_REPORT_POOL});
        if (at == 0) /* before its first */
            world->accounts->ops->report_cancel(world->accounts, kept.number);
        await_answer(&kept);
        bool met = at == 0 || kept.progress_calls >= at; /* several steps may be told as one */
        assert_int_equal(kept.status, met ? JP_E_CANCELLED : JP_OK);
        assert_true(met || kept.report.total.processes == COUNT);
        forget(&kept);
        world->accounts->ops->report_cancel(world->accounts, kept.number); /* too late; nobody minds */
    }
    struct kept kept;
    get_report(&kept, world, (struct jp_report_filter){0});
    assert_int_equal(kept.report.total.processes, COUNT);
    assert_true(kept.progress_calls > 0);
    assert_int_equal(kept.done, COUNT);
    assert_int_equal(kept.all, COUNT);
    forget(&kept);
    close_store(world);
}

/* --- beside others --- */

struct beside {
    struct kept kept[8];
    int64_t written;
    int queries_asked, queries_answered, answered_before_the_report;
};

static void note_query(void *context, jp_status status, const struct jp_error *error, const struct jp_event *events, size_t count) {
    struct beside *beside = context;
    (void)error, (void)events, (void)count;
    assert_int_equal(status, JP_OK);
    beside->queries_answered++;
    beside->answered_before_the_report += beside->kept[0].answers == 0;
    beside->kept[0].world->done = true;
}

/* With each progress: more rows, an older row anew, and a question of somebody else's. */
static void write_beside(void *context, uint64_t done_rows, uint64_t all_rows) {
    struct beside *beside = (struct beside *)context; /* its first member is what the answer goes to */
    struct world *world = beside->kept[0].world;
    (void)done_rows, (void)all_rows;
    beside->kept[0].progress_calls++;
    struct jp_process_record joins = running_record(++beside->written), ends = running_record(1 + beside->queries_asked);
    joins.start_exact = ends.start_exact = false;
    ends.pool = test;
    ends.ending = JP_ENDING_EXITED;
    ends.ended_100ns = 20000000;
    record(world, &joins);
    record(world, &ends);
    beside->queries_asked++;
    world->accounts->ops->query_events(world->accounts, &(struct jp_event_filter){0}, note_query, beside);
}

static void others_read_and_write_meanwhile(void **state) {
    enum { COUNT = 60 * JP__REPORT_STEP_ROWS };
    struct world *world = *state;
    open_store(world);
    fill(world, COUNT, 1);
    struct beside beside = {.kept = {{.world = world}}, .written = COUNT};
    world->accounts->ops->query_report(world->accounts, &(struct jp_report_filter){.by = JP_REPORT_POOL}, write_beside, note_report, &beside);
    while (beside.kept[0].answers == 0 || beside.queries_answered < beside.queries_asked)
        await(world);
    assert_int_equal(beside.kept[0].status, JP_OK);
    assert_int_equal(beside.kept[0].report.total.processes, COUNT); /* each once, and none that came after it had begun */
    assert_true(beside.kept[0].progress_calls > 2);
    assert_true(beside.answered_before_the_report > 0); /* who asked later, and for little, did not wait for it */
    print_message("%d steps were told, %d of %d questions were answered meanwhile\n", beside.kept[0].progress_calls,
                  beside.answered_before_the_report, beside.queries_answered);
    forget(&beside.kept[0]);
    close_store(world);
}

static void many_take_turns(void **state) {
    enum { MANY = 8, COUNT = 4 * JP__REPORT_STEP_ROWS };
    struct world *world = *state;
    struct kept kept[MANY];
    open_store(world);
    fill(world, COUNT, 3);
    for (int i = 0; i < MANY; i++) {
        kept[i] = (struct kept){.world = world};
        ask(&kept[i], (struct jp_report_filter){.by = JP_REPORT_POOL});
    }
    world->accounts->ops->report_cancel(world->accounts, kept[1].number); /* one that has begun, or is about to */
    world->accounts->ops->report_cancel(world->accounts, kept[MANY - 1].number); /* and one that waits for its turn */
    for (int i = 0; i < MANY; i++) {
        while (kept[i].answers == 0)
            await(world);
        bool cancelled = i == 1 || i == MANY - 1;
        assert_int_equal(kept[i].status, cancelled ? JP_E_CANCELLED : JP_OK);
        assert_int_equal(kept[i].report.total.processes, cancelled ? 0 : COUNT);
        forget(&kept[i]);
    }
    close_store(world);
}

static void closing_ends_all_of_them(void **state) {
    enum { MANY = 7 };
    struct world *world = *state;
    struct kept kept[MANY];
    open_store(world);
    fill(world, 4 * JP__REPORT_STEP_ROWS, 3);
    for (int i = 0; i < MANY; i++) {
        if (i == MANY - 1)
            record_event(world, 1); /* so that the last one waits for the writer first */
        kept[i] = (struct kept){.world = world};
        ask(&kept[i], (struct jp_report_filter){.by = JP_REPORT_POOL});
    }
    close_store(world);
    while (world->store != NULL)
        await(world);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(kept[i].answers, 1);
        assert_true(kept[i].status == JP_OK || kept[i].status == JP_E_STOPPING);
        forget(&kept[i]);
    }
}

/* --- bounds --- */

static void too_many_groups_are_refused(void **state) {
    struct world *world = *state;
    struct kept kept;
    open_store(world);
    fill(world, JP__REPORT_MAX_GROUPS + 1, 2);
    kept = (struct kept){.world = world};
    ask(&kept, (struct jp_report_filter){.by = JP_REPORT_IMAGE, .limit = 10});
    await_answer(&kept);
    assert_int_equal(kept.status, JP_E_QUOTA);
    assert_non_null(strstr(kept.error.text, "narrow it by pool"));
    get_report(&kept, world, (struct jp_report_filter){.by = JP_REPORT_IMAGE, .limit = 10, .from_100ns = 2});
    assert_int_equal(kept.report.groups, JP__REPORT_MAX_GROUPS);
    assert_int_equal(kept.report.count, 10);
    assert_int_equal(kept.report.total.processes, JP__REPORT_MAX_GROUPS);
    assert_string_equal(kept.report.rows[0].image, "i10"); /* all have used the same: by name */
    forget(&kept);

    char name[] = "x", *names[JP_STORE_MAX_NAMES + 1];
    for (size_t i = 0; i <= JP_STORE_MAX_NAMES; i++)
        names[i] = name;
    kept = (struct kept){.world = world};
    ask(&kept, (struct jp_report_filter){.pools = &(struct jp_strings){names, JP_STORE_MAX_NAMES + 1}});
    await_answer(&kept);
    assert_int_equal(kept.status, JP_E_QUOTA);
    close_store(world);
}

static void it_says_from_when_on_it_is_whole(void **state) {
    struct world *world = *state;
    struct kept kept;
    struct jp_strings other = {(char *[]){test}, 1};
    const int64_t noon = 100 * a_day + 12 * an_hour;
    open_store(world);
    for (int64_t i = 0; i < 4; i++) { /* one an hour */
        struct jp_process_record process = full_record(i + 1);
        process.facts.start_100ns = process.joined_100ns = noon + i * an_hour + 5;
        process.ended_100ns = process.facts.start_100ns + 1;
        record(world, &process);
    }
    purge(world, (struct jp_purge_filter){.before_100ns = noon + 2 * an_hour, .processes = true});
    get_report(&kept, world, (struct jp_report_filter){0});
    assert_int_equal(kept.report.total.processes, 2);
    assert_int_equal(kept.report.complete_from_100ns, noon + 2 * an_hour);
    forget(&kept);
    get_report(&kept, world, (struct jp_report_filter){.from_100ns = noon + 2 * an_hour});
    assert_int_equal(kept.report.complete_from_100ns, 0);
    forget(&kept);
    get_report(&kept, world, (struct jp_report_filter){.to_100ns = noon + an_hour});
    assert_int_equal(kept.report.complete_from_100ns, noon + an_hour);
    forget(&kept);
    get_report(&kept, world, (struct jp_report_filter){.pools = &other});
    assert_int_equal(kept.report.complete_from_100ns, 0); /* of this one nothing was */
    forget(&kept);
    retain(world, (struct jp_retention){.hours_100ns = 1}); /* the hours become a day */
    get_report(&kept, world, (struct jp_report_filter){.from_100ns = noon});
    assert_int_equal(kept.report.complete_from_100ns, 101 * a_day);
    forget(&kept);
    close_store(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(all_ways_to_group_add_up),
        TEST(days_begin_at_midnight),
        TEST(nothing_is_a_report_too),
        TEST(it_can_be_cancelled_at_every_step),
        TEST(others_read_and_write_meanwhile),
        TEST(many_take_turns),
        TEST(closing_ends_all_of_them),
        TEST(too_many_groups_are_refused),
        TEST(it_says_from_when_on_it_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
