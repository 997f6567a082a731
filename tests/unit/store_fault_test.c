/* The store on a disk that fails: whatever fails, and whenever, what was acknowledged is there afterwards, once.
 *
 * One workload is run without faults, to count what it does to its files; then again for every operation of it and every kind of fault.
 * JOBPOOL_FAULTS=n adds n random ones (JP_TEST_SEED repeats them). */
#include "fault_vfs.h"
#include "store_world.h"
#include "unit.h"

#include "store/backup.h"

#include <unistd.h>

enum {
    SESSIONS = 2, /* from opening to closing */
    ROUNDS = 3,   /* of a session; each ends with a commit that is waited for */
    EVENTS = 3,   /* of a round */
    HURRY = 2500,
    ATTEMPTS = 40 /* to open; more than any fault lasts */
};

struct fault {
    enum fault_kind kind;
    uint64_t at, times;
    unsigned survives_percent;
    uint64_t seed;
};

/* What was recorded, and what of it was acknowledged. */
struct expected {
    uint64_t seq, acknowledged_seq;
    int64_t process, acknowledged_process;
    int64_t audit, acknowledged_audit;
};

/* --- the workload --- */

static struct jp_process_record running_record_ended(int64_t id) {
    struct jp_process_record process = running_record(id);
    process.ended_100ns = id * 10 + 5;
    process.ending = JP_ENDING_EXITED;
    return process;
}

/* In a pool of its own, one joins and the one before it ends; events tell of it. A commit may come between any two of these. */
static void record_round(struct world *world, struct expected *expected) {
    struct jp_process_record joins = running_record(++expected->process), ends = running_record_ended(expected->process - 1);
    char name[32];
    snprintf(name, sizeof name, "pool%lld", (long long)joins.id);
    world->accounts->ops->record_pool(world->accounts, &(struct jp_pool_record){.name = name, .definition = "{}"});
    record(world, &joins);
    if (ends.id > 0)
        record(world, &ends);
    for (int i = 0; i < EVENTS; i++)
        record_event(world, ++expected->seq);
    world->accounts->ops->record_audit(world->accounts, &(struct jp_audit_record){.time_100ns = ++expected->audit, .method = "pool.launch", .pool = name,
                                                                                  .allowed = true, .count = 1});
}

static void await_recovery(struct world *world) {
    uv_timer_start(&world->patience, out_of_patience, PATIENCE_MS, 0);
    while (state_of(world).degraded)
        uv_run(&world->loop, UV_RUN_ONCE);
    uv_timer_stop(&world->patience);
}

/* Whether what was recorded is on the disk. On one that has only a fault now and then it gets there by itself. */
static bool make_durable(struct world *world, struct expected *expected, bool lasting) {
    for (jp_status status; (status = wait_durable(world)) != JP_OK;) {
        assert_int_equal(status, JP_E_STORE);
        if (lasting)
            return false;
        await_recovery(world);
    }
    expected->acknowledged_seq = expected->seq;
    expected->acknowledged_process = expected->process;
    expected->acknowledged_audit = expected->audit;
    return true;
}

static bool open_despite(struct world *world, bool lasting) {
    for (int i = 0; i < ATTEMPTS; i++) {
        if (try_open(world) == JP_OK)
            return true;
        if (lasting)
            return false;
    }
    fail_msg("%s", world->error.text);
    return false;
}

/* Somebody else at the same database, whom faults may hit too. */
static void disturb(struct world *world, const char *sql) {
    sqlite3 *db = NULL;
    if (sqlite3_open(world->file, &db) == SQLITE_OK)
        sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_close(db);
}

/* False: the disk is gone. */
static bool run_session(struct world *world, struct expected *expected, bool lasting) {
    if (!open_despite(world, lasting))
        return false;
    assert_true(world->start.last_seq >= expected->acknowledged_seq); /* no number comes twice */
    assert_true(world->start.last_process_id >= expected->acknowledged_process);
    assert_true(world->start.last_audit_id >= expected->acknowledged_audit);
    bool goes_on = true;
    for (int round = 0; goes_on && round < ROUNDS; round++) {
        record_round(world, expected);
        goes_on = make_durable(world, expected, lasting);
        if (round == 0)
            free_answer(ask_events(world, (struct jp_event_filter){0})); /* a reader's faults harm nobody but it */
        if (round == 1)
            disturb(world, "PRAGMA wal_checkpoint(TRUNCATE)");
    }
    if (world->committed_seq > expected->acknowledged_seq)
        expected->acknowledged_seq = world->committed_seq;
    close_store(world);
    if (goes_on)
        disturb(world, "UPDATE meta SET value = 0 WHERE key = 'clean'"); /* as if it had been killed: the next one checks it all */
    assert_true(goes_on || lasting);
    assert_true(lasting || world->lost == 0);
    return goes_on;
}

/* --- what must be so afterwards --- */

static void fail_of(void *context, const char *text) {
    (void)context;
    fail_msg("%s", text);
}

static void assert_number(struct world *world, const char *sql, int64_t least) {
    int64_t number = ask_number(world->file, sql);
    if (number < least)
        fail_msg("%s: %lld, not %lld", sql, (long long)number, (long long)least);
}

static void assert_all_is_there(struct world *world, const struct expected *expected, bool lasting) {
    struct jp_error error;
    if (logged(world, "is kept as")) /* nothing was taken for damaged */
        fail_msg("%s", jp_str_text(&world->logged));
    if (jp_store_check(world->file, fail_of, NULL, &error) != JP_OK)
        fail_msg("%s", error.text);
    assert_number(world, "SELECT count(*) = coalesce(max(seq), 0) AND count(*) = count(DISTINCT seq) FROM events", 1); /* no gap */
    assert_number(world, "SELECT count(*) FROM events", (int64_t)(lasting ? expected->acknowledged_seq : expected->seq));
    int64_t processes = lasting ? expected->acknowledged_process : expected->process;
    assert_number(world, "SELECT count(*) = coalesce(max(id), 0) FROM processes", 1);
    assert_number(world, "SELECT count(*) FROM processes", processes);
    assert_number(world, "SELECT count(*) FROM processes WHERE ended_100ns = id * 10 + 5", processes - 1);
    assert_number(world, "SELECT count(*) = coalesce(max(id), 0) FROM audit", 1);
    assert_number(world, "SELECT count(*) FROM audit", lasting ? expected->acknowledged_audit : expected->audit);
    assert_number(world, "SELECT count(*) = count(DISTINCT time_100ns) FROM audit", 1); /* each once */
    assert_number(world, "SELECT count(*) FROM pools WHERE name LIKE 'pool%'", processes);
}

/* The next life: numbers go on, and what is recorded then stays too. */
static void assert_it_goes_on(struct world *world, const struct expected *expected) {
    open_store(world);
    assert_true(world->start.last_seq >= expected->acknowledged_seq);
    assert_true(world->start.last_process_id >= expected->acknowledged_process);
    struct expected next = {.seq = world->start.last_seq, .process = world->start.last_process_id,
                            .audit = world->start.last_audit_id};
    for (size_t i = 0; i < world->start.running_count; i++) { /* a round that was cut in two has left more than one */
        struct jp_process_record ends = running_record_ended(world->start.running[i].id);
        record(world, &ends);
    }
    record_round(world, &next);
    assert_true(make_durable(world, &next, true));
    close_store(world);
    assert_int_equal(world->lost, 0);
    assert_all_is_there(world, &next, false);
}

/* --- runs --- */

static struct fault running; /* which a failure is about */

static int name_fault(void **state) {
    (void)state;
    if (running.kind != FAULT_NONE)
        print_message("it was: %s at operation %llu, %llu in a row; %u per cent survive, seed %llu\n",
                      fault_kind_name(running.kind), (unsigned long long)running.at, (unsigned long long)running.times,
                      running.survives_percent, (unsigned long long)running.seed);
    running.kind = FAULT_NONE;
    return 0;
}

static struct world *new_world(void) {
    void *state = NULL;
    set_up(&state);
    struct world *world = state;
    world->hurry = HURRY;
    return world;
}

/* How many faults really happened: retries may take another way than the run that was counted. */
static uint64_t run_with(const struct fault *fault) {
    struct world *world = new_world();
    struct expected expected = {0};
    bool lasting = fault->kind == FAULT_POWER, goes_on = true;
    fault_vfs_arm(fault->kind, fault->at, fault->times);
    for (int session = 0; goes_on && session < SESSIONS; session++)
        goes_on = run_session(world, &expected, lasting);
    uint64_t injected = fault_vfs_injected();
    if (lasting)
        fault_vfs_power_on(fault->survives_percent, fault->seed);
    else
        fault_vfs_arm(FAULT_NONE, 0, 0);
    if (access(world->file, F_OK) == 0 && expected.seq > 0 && (!lasting || expected.acknowledged_seq > 0))
        assert_all_is_there(world, &expected, lasting);
    assert_it_goes_on(world, &expected);
    void *state = world;
    tear_down(&state);
    return injected;
}

static void count_operations(uint64_t counts[FAULT_KINDS]) {
    struct world *world = new_world();
    struct expected expected = {0};
    fault_vfs_arm(FAULT_NONE, 0, 0);
    for (int session = 0; session < SESSIONS; session++)
        assert_true(run_session(world, &expected, false));
    for (int kind = 0; kind < FAULT_KINDS; kind++)
        counts[kind] = fault_vfs_count((enum fault_kind)kind);
    assert_all_is_there(world, &expected, false);
    void *state = world;
    tear_down(&state);
}

struct tally {
    uint64_t runs, faults;
};

static unsigned long part, parts = 1; /* of all runs, this program does every `parts`th, from the `part`th on */
static unsigned long turn;

static void run_and_count(struct tally *tally, const struct fault *fault) {
    if (turn++ % parts != part)
        return;
    tally->runs++;
    running = *fault;
    tally->faults += run_with(fault);
    running.kind = FAULT_NONE;
}

/* Threads make a few operations more in one run than in another, so the last few counted may not come. */
static bool were_met(const struct tally *tally) { return tally->faults + 2 >= tally->runs * 9 / 10; }

static void print_tally(enum fault_kind kind, uint64_t operations, const struct tally *tally) {
    print_message("%-18s %5llu operations, %5llu runs, %6llu faults\n", fault_kind_name(kind), (unsigned long long)operations,
                  (unsigned long long)tally->runs, (unsigned long long)tally->faults);
}

static void every_fault_at_every_operation(void **state) {
    enum { LASTING = 7, LASTING_EACH = 3 }; /* each one is gone at the next attempt; every third is tried as one that lasts, too */
    (void)state;
    uint64_t counts[FAULT_KINDS];
    count_operations(counts);
    for (enum fault_kind kind = FAULT_WRITE; kind < FAULT_POWER; kind++) {
        struct tally tally = {0};
        for (uint64_t at = 1; at <= counts[kind]; at++) {
            run_and_count(&tally, &(struct fault){.kind = kind, .at = at, .times = 1});
            if (at % LASTING_EACH == 0)
                run_and_count(&tally, &(struct fault){.kind = kind, .at = at, .times = LASTING});
        }
        print_tally(kind, counts[kind], &tally);
        assert_true(were_met(&tally));
    }
}

static void a_power_cut_at_every_operation(void **state) {
    (void)state;
    uint64_t counts[FAULT_KINDS], seed = new_seed();
    count_operations(counts);
    struct tally tally = {0};
    for (uint64_t at = 1; at <= counts[FAULT_POWER]; at++) {
        struct fault fault = {.kind = FAULT_POWER, .at = at, .times = 1, .seed = next_random(&seed)};
        run_and_count(&tally, &fault); /* what was not synced is lost */
        fault.survives_percent = 10 + random_below(&seed, 90);
        run_and_count(&tally, &fault); /* some of it is not */
    }
    print_tally(FAULT_POWER, counts[FAULT_POWER], &tally);
    assert_true(tally.runs > 0 && were_met(&tally));
}

/* --- a new version, that comes to an older one's database --- */

/* As version 5 left it, with some rows, of which one is open. */
static struct world *world_of_version_5(struct expected *expected) {
    struct world *world = new_world();
    open_store(world);
    for (int round = 0; round < ROUNDS; round++)
        record_round(world, expected);
    assert_true(make_durable(world, expected, true));
    close_store(world);
    execute_alone(world->file, "DROP INDEX usage_hours_by_pool; DROP INDEX usage_days_by_pool; DROP INDEX pools_gone;"
                               "DROP TRIGGER processes_ended; DROP TRIGGER processes_fixed;"
                               "CREATE TRIGGER processes_fixed BEFORE UPDATE ON processes BEGIN SELECT RAISE(ABORT, 'replaced, not updated'); END;"
                               "PRAGMA user_version = 5");
    return world;
}

#define HAS(name) "EXISTS(SELECT 1 FROM sqlite_schema WHERE name = '" name "')"

/* Each step is done, or not begun; and the next start does what is left. */
static uint64_t migrate_with(const struct fault *fault, uint64_t counts[FAULT_KINDS]) {
    struct expected expected = {0};
    struct world *world = world_of_version_5(&expected);
    fault_vfs_arm(fault->kind, fault->at, fault->times);
    if (try_open(world) == JP_OK)
        close_store(world);
    uint64_t injected = fault_vfs_injected();
    for (int kind = 0; counts != NULL && kind < FAULT_KINDS; kind++)
        counts[kind] = fault_vfs_count((enum fault_kind)kind);
    if (fault->kind == FAULT_POWER)
        fault_vfs_power_on(fault->survives_percent, fault->seed);
    else
        fault_vfs_arm(FAULT_NONE, 0, 0);
    assert_number(world, "SELECT user_version BETWEEN 5 AND 7 FROM pragma_user_version", 1);
    assert_number(world, "SELECT (user_version >= 6) = " HAS("pools_gone") " AND (user_version >= 6) = " HAS("usage_hours_by_pool")
                         " AND (user_version >= 7) = " HAS("processes_ended") " AND " HAS("processes_fixed") " FROM pragma_user_version", 1);
    assert_it_goes_on(world, &expected);
    assert_number(world, "SELECT user_version = 7 FROM pragma_user_version", 1);
    assert_number(world, "SELECT (SELECT sum(processes) FROM pool_totals) = count(*) FROM processes WHERE ended_100ns IS NOT NULL", 1);
    void *state = world;
    tear_down(&state);
    return injected;
}

static void a_migration_that_is_interrupted(void **state) {
    static const enum fault_kind kinds[] = {FAULT_TORN_WRITE, FAULT_FULL, FAULT_SYNC, FAULT_POWER};
    uint64_t counts[FAULT_KINDS], seed = new_seed();
    (void)state;
    migrate_with(&(struct fault){.kind = FAULT_NONE}, counts);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct tally tally = {0};
        for (uint64_t at = 1; at <= counts[kinds[i]]; at++) {
            if (turn++ % parts != part)
                continue;
            running = (struct fault){.kind = kinds[i], .at = at, .times = 1, .survives_percent = random_below(&seed, 101), .seed = next_random(&seed)};
            tally.runs++;
            tally.faults += migrate_with(&running, NULL);
            running.kind = FAULT_NONE;
        }
        print_tally(kinds[i], counts[kinds[i]], &tally);
        assert_true(were_met(&tally));
    }
}

static void random_faults(void **state) {
    (void)state;
    const char *wanted = getenv("JOBPOOL_FAULTS");
    uint64_t left = wanted != NULL ? strtoull(wanted, NULL, 10) : 0, seed = new_seed(), counts[FAULT_KINDS];
    count_operations(counts);
    struct tally tally = {0};
    for (; left > 0; left--) {
        enum fault_kind kind = (enum fault_kind)(1 + random_below(&seed, FAULT_KINDS - 1));
        if (counts[kind] > 0)
            run_and_count(&tally, &(struct fault){.kind = kind, .at = 1 + next_random(&seed) % counts[kind],
                                                  .times = 1 + random_below(&seed, 20), .survives_percent = random_below(&seed, 101),
                                                  .seed = next_random(&seed)});
    }
    print_message("random: %llu runs, %llu faults\n", (unsigned long long)tally.runs, (unsigned long long)tally.faults);
}

/* PART PARTS: so that several can share the work. */
int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_fault_at_every_operation, name_fault),
        cmocka_unit_test_teardown(a_power_cut_at_every_operation, name_fault),
        cmocka_unit_test_teardown(a_migration_that_is_interrupted, name_fault),
        cmocka_unit_test_teardown(random_faults, name_fault),
    };
    if (argc == 3) {
        part = strtoul(argv[1], NULL, 10);
        parts = strtoul(argv[2], NULL, 10);
    }
    fault_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
