/* The store: rows count once, whatever is written how often, and what they add up to outlives them. */
#include "store_world.h"

#include "base/units.h"

#include <stdlib.h>

/* --- one row --- */

static struct jp_pool_counters *counters_of(struct world *world, const char *pool) {
    for (size_t i = 0; i < world->start.counter_count; i++) {
        if (strcmp(world->start.counters[i].name, pool) == 0)
            return &world->start.counters[i];
    }
    fail_msg("no counters of %s", pool);
    return NULL;
}

static void reopen(struct world *world) {
    close_store(world);
    open_store(world);
}

static void assert_same_counters(const struct jp_counters *one, const struct jp_counters *other) {
    assert_memory_equal(one, other, sizeof *one);
}

static void a_process_written_twice_counts_once(void **state) {
    struct world *world = *state;
    open_store(world);
    struct jp_process_record process = full_record(1);
    for (int i = 0; i < 3; i++) {
        process.usage.user_100ns += 100; /* cumulative */
        record(world, &process);
        assert_int_equal(wait_durable(world), JP_OK);
    }
    reopen(world);
    struct jp_counters expected = {0};
    jp_counters_add(&expected, &process);
    assert_same_counters(&counters_of(world, "build")->total, &expected);
    close_store(world);
    assert_int_equal(ask_number(world->file, "SELECT kept = 1 AND purged = 0 AND processes = 1 FROM usage_hours"), 1);
}

static void the_same_process_under_another_id_takes_the_place(void **state) {
    struct world *world = *state;
    open_store(world);
    struct jp_process_record process = full_record(1), other = full_record(2);
    record(world, &process);
    record(world, &other);
    assert_int_equal(wait_durable(world), JP_OK);
    process.id = 3; /* the same pool, pid and creation time */
    process.usage.user_100ns = 500;
    record(world, &process);
    record_event(world, 1);
    assert_int_equal(wait_durable(world), JP_OK);
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){0})), "2 3");
    reopen(world);
    struct jp_counters expected = {0};
    jp_counters_add(&expected, &process);
    jp_counters_add(&expected, &other);
    assert_same_counters(&counters_of(world, "build")->total, &expected);

    process.id = 4; /* in another run it is another process: the creation time was given again after a re-boot with another clock */
    record(world, &process);
    assert_int_equal(wait_durable(world), JP_OK);
    process.id = 5;
    process.start_exact = false; /* and of this it is not known */
    record(world, &process);
    process.id = 6;
    record(world, &process);
    process.id = 7;
    process.run = 1; /* this one is of the first run after all */
    process.start_exact = true;
    record(world, &process);
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){0})), "2 4 5 6 7");
    close_store(world);
}

static void a_batch_that_collides_in_itself_is_written(void **state) {
    struct world *world = *state;
    world->flush_interval_ms = 60000;
    open_store(world);
    record_event(world, 1);
    assert_int_equal(wait_durable(world), JP_OK);
    struct jp_process_record one = full_record(1), two = full_record(2);
    record(world, &one);
    record(world, &two);
    one.id = 2; /* now each is where the other one was */
    two.id = 1;
    record(world, &one);
    record(world, &two);
    one.id = 3;
    record(world, &one);
    assert_int_equal(wait_durable(world), JP_OK);
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){0})), "1 3");
    reopen(world);
    assert_int_equal(counters_of(world, "build")->total.processes, 2);
    close_store(world);
}

static void numbers_too_large_do_not_stop_the_writer(void **state) {
    struct world *world = *state;
    open_store(world);
    for (int64_t id = 1; id <= 3; id++) {
        struct jp_process_record process = full_record(id);
        process.usage.user_100ns = process.usage.read_bytes = UINT64_MAX;
        process.joined_100ns = process.facts.start_100ns = INT64_MIN;
        process.ended_100ns = INT64_MAX;
        record(world, &process);
    }
    world->accounts->ops->record_unobserved(
        world->accounts, &(struct jp_unobserved_record){.pool = build, .from_100ns = INT64_MIN, .user_100ns = UINT64_MAX});
    assert_int_equal(wait_durable(world), JP_OK);
    reopen(world);
    assert_int_equal(counters_of(world, "build")->total.processes, 3);
    assert_true(counters_of(world, "build")->total.user_100ns == INT64_MAX);
    close_store(world);
}

static void run_and_starting_come_back(void **state) {
    struct world *world = *state;
    open_store(world);
    assert_int_equal(world->start.run, 1);
    assert_int_equal(world->start.last_run_ended_100ns, 0);
    struct jp_process_record process = running_record(1);
    process.starting = true;
    record(world, &process);
    int64_t before = now_100ns();
    reopen(world);
    assert_int_equal(world->start.run, 2);
    assert_true(world->start.last_run_ended_100ns >= before && world->start.last_run_ended_100ns <= now_100ns());
    assert_int_equal(world->start.running[0].run, 1);
    assert_true(world->start.running[0].starting);
    process = world->start.running[0];
    process.starting = false;
    record(world, &process); /* of the run in which it was first recorded */
    reopen(world);
    assert_int_equal(world->start.running[0].run, 1);
    assert_false(world->start.running[0].starting);
    close_store(world);
}

static void of_a_run_that_broke_off_the_last_commit_is_known(void **state) {
    struct world *world = *state;
    open_store(world);
    int64_t before = now_100ns();
    record_event(world, 1);
    assert_int_equal(wait_durable(world), JP_OK);
    int64_t after = now_100ns();
    close_store(world);
    execute_alone(world->file, "UPDATE meta SET value = 0 WHERE key = 'clean'; UPDATE runs SET ended_100ns = NULL");
    open_store(world);
    assert_true(world->start.last_run_ended_100ns >= before && world->start.last_run_ended_100ns <= after);
    close_store(world);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM runs WHERE ended_100ns IS NULL AND last_commit_100ns > started_100ns"), 1);
}

/* What a commit of events leaves unsaid, the newest of them says. */
static void the_last_commit_is_known_by_the_newest_event(void **state) {
    struct world *world = *state;
    open_store(world);
    record_event(world, 1);
    assert_int_equal(wait_durable(world), JP_OK);
    int64_t told = ask_number(world->file, "SELECT value FROM meta WHERE key = 'last_commit_100ns'"), later = told + 5;
    struct jp_event event = {.seq = 2, .time_100ns = later, .pool = "build", .message = "POOL_CREATED", .origin = JP_ORIGIN_SERVICE};
    world->accounts->ops->record_event(world->accounts, &event);
    assert_int_equal(wait_durable(world), JP_OK);
    assert_int_equal(ask_number(world->file, "SELECT value FROM meta WHERE key = 'last_commit_100ns'"), told);
    close_store(world);
    execute_alone(world->file, "UPDATE meta SET value = 0 WHERE key = 'clean'; UPDATE runs SET ended_100ns = NULL");
    open_store(world);
    assert_int_equal(world->start.last_run_ended_100ns, later);
    assert_int_equal(world->start.last_seq, 2);
    close_store(world);
}

/* --- pools, resets, the keeper --- */

static const struct jp_pool_past *past_of(struct world *world, const char *pool) {
    for (size_t i = 0; i < world->start.past_count; i++) {
        if (strcmp(world->start.pasts[i].name, pool) == 0)
            return &world->start.pasts[i];
    }
    return NULL;
}

static void pools_come_back_with_their_past(void **state) {
    struct world *world = *state;
    open_store(world);
    const struct jp_accounts_ops *ops = world->accounts->ops;
    ops->record_pool(world->accounts, &(struct jp_pool_record){.name = "a"});
    ops->record_pool(world->accounts, &(struct jp_pool_record){.name = "a", .busy_since_100ns = 77, .job_time_used_100ns = 5, .frozen = true});
    ops->record_pool(world->accounts, &(struct jp_pool_record){.name = "b", .parent = "a", .busy_since_100ns = 78});
    ops->record_pool(world->accounts, &(struct jp_pool_record){.name = "gone", .busy_since_100ns = 79});
    ops->forget_pool(world->accounts, "gone");
    reopen(world);
    assert_int_equal(world->start.past_count, 2);
    assert_int_equal(world->start.counter_count, 1); /* of those that live only if there is something */
    assert_int_equal(counters_of(world, "gone")->total.processes, 0);
    assert_int_equal(past_of(world, "a")->busy_since_100ns, 77);
    assert_int_equal(past_of(world, "a")->job_time_used_100ns, 5);
    assert_true(past_of(world, "a")->frozen);
    assert_int_equal(past_of(world, "b")->busy_since_100ns, 78);
    assert_string_equal(past_of(world, "b")->parent, "a");
    assert_false(past_of(world, "a")->defined || past_of(world, "a")->ephemeral);
    ops->record_pool(world->accounts, &(struct jp_pool_record){.name = "a"});
    ops->record_pool(world->accounts, &(struct jp_pool_record){.name = "c", .definition = "{}", .ephemeral = true});
    reopen(world);
    assert_int_equal(past_of(world, "a")->busy_since_100ns, 0);
    assert_true(past_of(world, "c")->defined && past_of(world, "c")->ephemeral);
    assert_true(counters_of(world, "c")->ephemeral);
    close_store(world);
}

static void counters_go_on_over_resets_restarts_and_deletion(void **state) {
    struct world *world = *state;
    struct jp_counters expected = {0};
    for (int64_t id = 1; id <= 4; id++) {
        open_store(world);
        const struct jp_accounts_ops *ops = world->accounts->ops;
        ops->record_pool(world->accounts, &(struct jp_pool_record){.name = "build"});
        struct jp_process_record process = full_record(id);
        record(world, &process);
        jp_counters_add(&expected, &process);
        struct jp_unobserved_record unobserved = {.pool = build, .session = 1, .from_100ns = 5, .to_100ns = 6, .processes = 7,
                                                  .user_100ns = 8, .kernel_100ns = 9, .read_bytes = 10, .write_bytes = 11};
        ops->record_unobserved(world->accounts, &unobserved);
        ops->record_unobserved(world->accounts, &unobserved); /* the same again is not the same one */
        jp_counters_add_unobserved(&expected, &unobserved);
        jp_counters_add_unobserved(&expected, &unobserved);
        if (id % 2 == 0)
            ops->record_reset(world->accounts, &(struct jp_reset_record){.pool = build, .time_100ns = id, .by = "HOST\\ada", .base = expected});
        ops->forget_pool(world->accounts, "build");
        close_store(world);
    }
    open_store(world);
    assert_same_counters(&counters_of(world, "build")->total, &expected);
    assert_same_counters(&counters_of(world, "build")->base, &expected);
    assert_int_equal(counters_of(world, "build")->reset_100ns, 4);
    close_store(world);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM resets WHERE by_whom = 'HOST\\ada' AND processes = time_100ns"), 2);
}

static void the_keeper_comes_back(void **state) {
    struct world *world = *state;
    open_store(world);
    assert_int_equal(world->start.keeper_pid, 0);
    world->accounts->ops->record_keeper(world->accounts, 10, 11);
    world->accounts->ops->record_keeper(world->accounts, 4000000000u, INT64_MAX);
    reopen(world);
    assert_true(world->start.keeper_pid == 4000000000u);
    assert_true(world->start.keeper_start_100ns == INT64_MAX);
    world->accounts->ops->record_keeper(world->accounts, 0, 0);
    reopen(world);
    assert_int_equal(world->start.keeper_pid, 0);
    close_store(world);
}

/* --- jobs --- */

static const struct jp_stored_job *job_of(struct world *world, const char *object_name) {
    for (size_t i = 0; i < world->start.job_count; i++) {
        if (strcmp(world->start.jobs[i].object_name, object_name) == 0)
            return &world->start.jobs[i];
    }
    fail_msg("no job %s", object_name);
    return NULL;
}

static void record_member(struct world *world, int64_t id, char *pool, uint32_t session, int64_t joined_100ns, bool ended) {
    struct jp_process_record process = full_record(id);
    process.pool = pool;
    process.facts.session = session;
    process.facts.start_100ns = process.joined_100ns = joined_100ns;
    process.ended_100ns = ended ? joined_100ns + 10 : 0;
    process.ending = ended ? JP_ENDING_EXITED : JP_ENDING_NONE;
    process.usage.user_100ns = process.usage.kernel_100ns = process.usage.read_bytes = process.usage.write_bytes = (uint64_t)1 << id;
    record(world, &process);
}

static void assert_job(struct world *world, const char *object_name, uint64_t processes, uint64_t unobserved, uint64_t use) {
    const struct jp_stored_job *job = job_of(world, object_name);
    assert_int_equal(job->processes, processes);
    assert_int_equal(job->unobserved, unobserved);
    assert_int_equal(job->user_100ns, use);
    assert_int_equal(job->kernel_100ns, use);
    assert_int_equal(job->read_bytes, use);
    assert_int_equal(job->write_bytes, use);
}

static void assert_jobs(struct world *world) {
    assert_int_equal(world->start.job_count, 2);
    assert_string_equal(job_of(world, "J")->pool, "top");
    assert_int_equal(job_of(world, "J")->session, 1);
    assert_int_equal(job_of(world, "J")->created_100ns, 1000);
    assert_job(world, "J", 5, 100, (1 << 2) + (1 << 4) + (1 << 5) + (1 << 6) + 128); /* 3 runs */
    assert_job(world, "J#2", 1, 0, 1 << 7);
}

static void jobs_know_what_the_rows_have_of_them(void **state) {
    struct world *world = *state;
    open_store(world);
    char top[] = "top", middle[] = "middle", low[] = "low";
    const struct jp_accounts_ops *ops = world->accounts->ops;
    ops->record_pool(world->accounts, &(struct jp_pool_record){.name = "top"});
    ops->record_pool(world->accounts, &(struct jp_pool_record){.name = "middle", .parent = "top"});
    ops->record_pool(world->accounts, &(struct jp_pool_record){.name = "low", .parent = "middle"});
    record_member(world, 1, top, 1, 900, true); /* before the job was made */
    ops->record_job(world->accounts, &(struct jp_job_record){.object_name = "J", .pool = "other", .session = 9, .created_100ns = 1});
    ops->record_job(world->accounts, &(struct jp_job_record){.object_name = "J", .pool = "top", .session = 1, .created_100ns = 1000});
    ops->record_job(world->accounts, &(struct jp_job_record){.object_name = "J#2", .pool = "top", .session = 2, .created_100ns = 1000});
    ops->record_job(world->accounts, &(struct jp_job_record){.object_name = "gone", .pool = "top", .session = 1, .created_100ns = 1000});
    record_member(world, 2, top, 1, 1000, true);
    record_member(world, 3, top, 1, 1001, false);
    assert_int_equal(wait_durable(world), JP_OK);
    record_member(world, 4, middle, 1, 1002, true);
    record_member(world, 5, low, 1, 1003, true);
    ops->forget_pool(world->accounts, "low");
    ops->forget_pool(world->accounts, "middle");
    ops->forget_job(world->accounts, "gone");
    record_member(world, 6, low, 1, 1004, true);
    record_member(world, 7, middle, 2, 1005, true);
    record_member(world, 8, test, 1, 1006, true);
    ops->record_unobserved(world->accounts, &(struct jp_unobserved_record){.pool = "low", .session = 1, .from_100ns = 900, .to_100ns = 1500,
                           .processes = 100, .user_100ns = 128, .kernel_100ns = 128, .read_bytes = 128, .write_bytes = 128});
    ops->record_unobserved(world->accounts, &(struct jp_unobserved_record){.pool = "top", .session = 1, .from_100ns = 900, .to_100ns = 1000,
                           .processes = 1000, .user_100ns = 1}); /* of the job that had the name before */
    reopen(world);
    assert_jobs(world);

    ops->record_job(world->accounts, &(struct jp_job_record){.object_name = "J", .pool = "top", .session = 1, .created_100ns = 1000});
    assert_int_equal(purge(world, (struct jp_purge_filter){.before_100ns = 1013, .processes = true}).processes, 3); /* 1, 2, 4 */
    reopen(world);
    assert_jobs(world);
    retain(world, (struct jp_retention){.processes_100ns = (uint64_t)an_hour}); /* the unobserved ones too, and deleted pools stay */
    reopen(world);
    assert_jobs(world);
    assert_int_equal(ask_number(world->file, "SELECT (SELECT count(*) FROM processes) * 100 + (SELECT count(*) FROM unobserved)"), 100);

    ops->record_job(world->accounts, &(struct jp_job_record){.object_name = "J", .pool = "top", .session = 1, .created_100ns = now_100ns()});
    reopen(world); /* made anew, it knows nothing */
    assert_job(world, "J", 0, 0, 0);
    close_store(world);
}

/* A job made while the service runs does not look at the rows that were there before, but at all that came after. */
static void a_job_counts_what_came_after_it(void **state) {
    struct world *world = *state;
    open_store(world);
    int64_t made = now_100ns();
    record_member(world, 1, build, 1, made + 1, true); /* by another clock */
    assert_int_equal(wait_durable(world), JP_OK);
    world->accounts->ops->record_job(world->accounts, &(struct jp_job_record){.object_name = "J", .pool = "build", .session = 1, .created_100ns = made});
    record_member(world, 2, build, 1, made + 1, true);
    assert_int_equal(wait_durable(world), JP_OK);
    record_member(world, 3, build, 1, made + 2, false);
    reopen(world);
    assert_int_equal(job_of(world, "J")->processes, 2);
    close_store(world);
}

/* --- migration --- */

/* What step 1 and step 2 made, as far as it matters. */
static void make_old(const char *file, int version) {
    sqlite3 *db = connect_other(file);
    execute(db, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = 0x4A504F4C; PRAGMA journal_mode = WAL;"
                "CREATE TABLE meta(key TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) STRICT;"
                "INSERT INTO meta VALUES('clean', 1), ('last_seq', 3), ('last_process_id', 7);"
                "CREATE TABLE pools(name TEXT PRIMARY KEY NOT NULL, parent TEXT, definition TEXT, created_100ns INTEGER NOT NULL,"
                " deleted_100ns INTEGER) STRICT;"
                "CREATE TABLE processes(id INTEGER PRIMARY KEY, pool TEXT NOT NULL, pid INTEGER NOT NULL, start_100ns INTEGER,"
                " start_exact INTEGER NOT NULL, parent_pid INTEGER, session INTEGER, user TEXT, image TEXT, command_line TEXT,"
                " joined_100ns INTEGER NOT NULL, joined_by TEXT NOT NULL, ended_100ns INTEGER, ending TEXT NOT NULL, exit_code INTEGER,"
                " user_100ns INTEGER, kernel_100ns INTEGER, peak_commit_bytes INTEGER, peak_working_set_bytes INTEGER,"
                " read_operations INTEGER, write_operations INTEGER, other_operations INTEGER, read_bytes INTEGER,"
                " write_bytes INTEGER, other_bytes INTEGER) STRICT;"
                "CREATE INDEX processes_by_pid ON processes(pid, start_100ns);"
                "CREATE INDEX processes_by_pool ON processes(pool, id);"
                "CREATE INDEX processes_open ON processes(id) WHERE ended_100ns IS NULL;"
                "CREATE TABLE events(seq INTEGER PRIMARY KEY, time_100ns INTEGER NOT NULL, pool TEXT NOT NULL, message TEXT NOT NULL,"
                " pid INTEGER, start_100ns INTEGER, process TEXT, origin TEXT NOT NULL, exit_code INTEGER, detail TEXT) STRICT;"
                "CREATE INDEX events_by_pool ON events(pool, seq);"
                "CREATE INDEX events_by_time ON events(time_100ns);"
                "INSERT INTO pools VALUES('build', NULL, '{}', 5, NULL), ('old', 'build', NULL, 6, 7);"
                "INSERT INTO events VALUES(3, 900, 'build', 'M', NULL, NULL, NULL, 'kernel', NULL, NULL);"
                "INSERT INTO processes VALUES"
                "(1,'build',4,100,1,NULL,1,NULL,NULL,NULL,101,'kernel',500,'exited',0,10,11,12,13,14,15,16,17,18,19),"
                "(2,'build',4,100,1,NULL,1,NULL,NULL,NULL,101,'kernel',500,'crashed',9,20,21,22,23,24,25,26,27,28,29),"
                "(3,'build',4,100,0,NULL,1,NULL,NULL,NULL,101,'kernel',700,'exited',9,30,NULL,5,1,NULL,1,1,1,1,1),"
                "(4,'old',4,100,1,NULL,1,NULL,NULL,NULL,101,'kernel',600,'unknown',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL),"
                "(5,'build',4,NULL,1,NULL,1,NULL,NULL,NULL,101,'kernel',NULL,'running',NULL,7,7,7,7,7,7,7,7,7,7),"
                "(6,'build',4,NULL,1,NULL,1,NULL,NULL,NULL,101,'kernel',NULL,'running',NULL,7,7,7,7,7,7,7,7,7,7);"
                "PRAGMA user_version = 1");
    if (version == 2)
        execute(db, "ALTER TABLE pools ADD COLUMN frozen INTEGER NOT NULL DEFAULT 0; UPDATE pools SET frozen = 3; PRAGMA user_version = 2");
    sqlite3_close(db);
}

static void migrate_from(struct world *world, int version) {
    make_old(world->file, version);
    open_store(world);
    assert_int_equal(world->start.run, 1);
    assert_int_equal(world->start.last_run_ended_100ns, 900);
    assert_int_equal(world->start.running_count, 2);
    assert_int_equal(world->start.running[0].run, 0);
    assert_int_equal(world->start.last_process_id, 7);
    assert_int_equal(world->start.past_count, 1);
    assert_int_equal(world->start.pasts[0].frozen, version == 2);
    const struct jp_counters expected = {.processes = 2, .exited = 1, .crashed = 1, .failures = 2, .user_100ns = 50, .kernel_100ns = 21,
                                         .read_operations = 24, .write_operations = 26, .other_operations = 27, .read_bytes = 28,
                                         .write_bytes = 29, .other_bytes = 30, .peak_commit_bytes = 22};
    assert_same_counters(&counters_of(world, "build")->total, &expected); /* 1 was written a second time, as 2 */
    assert_int_equal(counters_of(world, "old")->total.unknown, 1);
    struct answer *answer = ask_summary(world, (struct jp_summary_filter){.pool = "build"});
    assert_int_equal(answer->summaries[0].processes, 4);
    assert_int_equal(answer->summaries[0].running, 2);
    assert_int_equal(answer->summaries[0].with_cpu, 4);
    free_answer(answer);

    struct jp_process_record running = world->start.running[0]; /* one that the older version left goes on under its id */
    running.ended_100ns = 1000;
    running.ending = JP_ENDING_EXITED;
    record(world, &running);
    reopen(world);
    assert_int_equal(counters_of(world, "build")->total.processes, 3);
    close_store(world);
    assert_int_equal(ask_number(world->file, "SELECT run FROM processes WHERE id = 5"), 1);
    assert_int_equal(ask_number(world->file, "PRAGMA user_version"), 7);
}

static void a_database_of_version_1_is_taken_over(void **state) {
    migrate_from(*state, 1);
}

static void a_database_of_version_2_is_taken_over(void **state) {
    migrate_from(*state, 2);
}

static void a_row_changed_by_hand_is_refused(void **state) {
    struct world *world = *state;
    open_store(world);
    struct jp_process_record process = full_record(1);
    record(world, &process);
    close_store(world);
    sqlite3 *db = connect_other(world->file);
    assert_int_equal(sqlite3_exec(db, "UPDATE processes SET user_100ns = 1", NULL, NULL, NULL), SQLITE_CONSTRAINT);
    assert_non_null(strstr(sqlite3_errmsg(db), "replaced, not updated"));
    execute(db, "DELETE FROM processes"); /* by hand means that it never was */
    sqlite3_close(db);
    assert_int_equal(ask_number(world->file, "SELECT processes + user_100ns + read_bytes + other_operations FROM pool_totals"), 0);
    assert_int_equal(ask_number(world->file, "SELECT processes + kept + wall_100ns + with_io FROM usage_hours"), 0);
}

/* In commits of their own, so that the row is there when it is written again. */
static void record_in_its_turn(struct world *world, const struct jp_process_record *process) {
    record(world, process);
    assert_int_equal(wait_durable(world), JP_OK);
}

static void a_process_that_ends_counts_once_whatever_its_row_was(void **state) {
    struct world *world = *state;
    open_store(world);
    struct jp_process_record process = full_record(7), running = process;
    running.ended_100ns = 0;
    running.ending = JP_ENDING_NONE;
    running.has_exit_code = false;
    running.usage = (struct jp_usage){0};
    record_in_its_turn(world, &running);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM pool_totals"), 0);
    record_in_its_turn(world, &process); /* updated */
    record_in_its_turn(world, &process); /* has ended: replaced */
    assert_int_equal(ask_number(world->file, "SELECT processes FROM pool_totals"), 1);
    assert_int_equal(ask_number(world->file, "SELECT kept FROM usage_hours"), 1);
    assert_int_equal(ask_number(world->file, "SELECT user_100ns FROM pool_totals"), (int64_t)process.usage.user_100ns);
    assert_int_equal(ask_number(world->file, "SELECT ended_100ns FROM processes"), process.ended_100ns);

    process.id = running.id = 8;
    process.facts.pid = running.facts.pid = 999;
    record_in_its_turn(world, &running);
    process.pool = (char[]){"elsewhere"}; /* it is not who the row says: replaced */
    record_in_its_turn(world, &process);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM processes WHERE id = 8 AND pool = 'elsewhere'"), 1);
    assert_int_equal(ask_number(world->file, "SELECT processes FROM pool_totals WHERE pool = 'elsewhere'"), 1);
    assert_int_equal(ask_number(world->file, "SELECT sum(processes) FROM usage_hours"), 2);
    close_store(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_process_written_twice_counts_once),
        TEST(the_same_process_under_another_id_takes_the_place),
        TEST(a_batch_that_collides_in_itself_is_written),
        TEST(numbers_too_large_do_not_stop_the_writer),
        TEST(run_and_starting_come_back),
        TEST(of_a_run_that_broke_off_the_last_commit_is_known),
        TEST(the_last_commit_is_known_by_the_newest_event),
        TEST(pools_come_back_with_their_past),
        TEST(counters_go_on_over_resets_restarts_and_deletion),
        TEST(the_keeper_comes_back),
        TEST(jobs_know_what_the_rows_have_of_them),
        TEST(a_job_counts_what_came_after_it),
        TEST(a_database_of_version_1_is_taken_over),
        TEST(a_database_of_version_2_is_taken_over),
        TEST(a_row_changed_by_hand_is_refused),
        TEST(a_process_that_ends_counts_once_whatever_its_row_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
