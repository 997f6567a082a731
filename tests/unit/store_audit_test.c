/* The store: the audit trail. */
#include "store_world.h"

#include "store/backup.h"

static struct jp_audit_record plain_record(void) {
    return (struct jp_audit_record){.time_100ns = 1000, .user = "HOST\\ada", .sid = "S-1-5-21-1", .client_pid = 77, .method = "pool.terminate",
                                    .pool = "build", .allowed = true, .count = 1};
}

static void audit(struct world *world, struct jp_audit_record record) {
    world->accounts->ops->record_audit(world->accounts, &record);
}

struct audits {
    struct world *world;
    jp_status status;
    char text[4096]; /* all fields of all rows */
    char ids[256];
    size_t count;
};

static const char *or_none(const char *text) { return text != NULL ? text : "-"; }

static void note_audits(void *context, jp_status status, const struct jp_error *error, const struct jp_audit_record *records, size_t count) {
    struct audits *audits = context;
    struct jp_str text = {0}, ids = {0};
    (void)error;
    for (size_t i = 0; i < count; i++) {
        const struct jp_audit_record *row = &records[i];
        jp_str_printf(&text, "%lld %lld %s %s %u %s %s %u %d %s %s %llu\n", (long long)row->id, (long long)row->time_100ns, or_none(row->user),
                      or_none(row->sid), row->client_pid, row->method, or_none(row->pool), row->pid, row->allowed,
                      jp_status_name(row->status), or_none(row->detail), (unsigned long long)row->count);
        jp_str_printf(&ids, i == 0 ? "%lld" : " %lld", (long long)row->id);
    }
    audits->status = status;
    audits->count = count;
    snprintf(audits->text, sizeof audits->text, "%s", jp_str_text(&text));
    snprintf(audits->ids, sizeof audits->ids, "%s", jp_str_text(&ids));
    jp_str_free(&text);
    jp_str_free(&ids);
    audits->world->done = true;
}

static const struct audits *ask_audit(struct world *world, struct jp_audit_filter filter) {
    static struct audits audits;
    audits = (struct audits){.world = world};
    world->accounts->ops->query_audit(world->accounts, &filter, note_audits, &audits);
    assert_false(world->done); /* never from within the call */
    await(world);
    assert_int_equal(audits.status, JP_OK);
    return &audits;
}

static void every_field_comes_back(void **state) {
    struct world *world = *state;
    open_store(world);
    char detail[] = "access denied";
    struct jp_audit_record full = plain_record(), bare = {.time_100ns = 5, .method = "service.reload", .allowed = true};
    full.pid = 4711;
    full.allowed = false;
    full.status = JP_E_DENIED;
    full.detail = detail;
    full.count = 12;
    full.id = 99; /* not looked at */
    audit(world, full);
    memset(detail, 'x', sizeof detail - 1); /* what was given is copied */
    audit(world, bare);
    for (int again = 0; again < 2; again++) {
        assert_string_equal(ask_audit(world, (struct jp_audit_filter){0})->text,
                            "1 1000 HOST\\ada S-1-5-21-1 77 pool.terminate build 4711 0 access_denied access denied 12\n"
                            "2 5   0 service.reload - 0 1 ok - 1\n");
        close_store(world);
        open_store(world);
    }
    close_store(world);
}

static void rows_are_filtered(void **state) {
    struct world *world = *state;
    open_store(world);
    static const char *const users[] = {"HOST\\ada", "HOST\\bob"}, *const pools[] = {"a", "b", NULL}, *const methods[] = {"pool.create", "job.open"};
    for (int i = 1; i <= 12; i++) { /* every fourth is refused */
        struct jp_audit_record record = {.time_100ns = i * 100, .user = users[i % 2], .sid = "S-1-5", .method = methods[i > 6], .pool = pools[i % 3],
                                         .allowed = i % 4 != 0, .status = i % 4 != 0 ? JP_OK : JP_E_DENIED, .count = 1};
        audit(world, record);
    }
    assert_string_equal(ask_audit(world, (struct jp_audit_filter){0})->ids, "1 2 3 4 5 6 7 8 9 10 11 12");
    assert_string_equal(ask_audit(world, (struct jp_audit_filter){.user = "host\\ADA"})->ids, "2 4 6 8 10 12");
    assert_string_equal(ask_audit(world, (struct jp_audit_filter){.user = "ada"})->ids, "");
    assert_string_equal(ask_audit(world, (struct jp_audit_filter){.pool = "b"})->ids, "1 4 7 10");
    assert_string_equal(ask_audit(world, (struct jp_audit_filter){.pool = "b' OR 1=1 --"})->ids, "");
    assert_string_equal(ask_audit(world, (struct jp_audit_filter){.method = "job.open"})->ids, "7 8 9 10 11 12");
    assert_string_equal(ask_audit(world, (struct jp_audit_filter){.denied = true})->ids, "4 8 12");
    assert_string_equal(ask_audit(world, (struct jp_audit_filter){.denied = true, .pool = "b"})->ids, "4");
    assert_string_equal(ask_audit(world, (struct jp_audit_filter){.from_100ns = 300, .to_100ns = 500})->ids, "3 4");
    assert_string_equal(ask_audit(world, (struct jp_audit_filter){.after_id = 10})->ids, "11 12");
    assert_string_equal(ask_audit(world, (struct jp_audit_filter){.limit = 2})->ids, "1 2");
    assert_string_equal(ask_audit(world, (struct jp_audit_filter){.limit = 2, .newest = true})->ids, "11 12");
    assert_string_equal(ask_audit(world, (struct jp_audit_filter){.limit = 2, .newest = true, .user = "HOST\\bob", .to_100ns = 900})->ids, "5 7");
    close_store(world);
}

static void ids_never_come_back(void **state) {
    struct world *world = *state;
    open_store(world);
    for (int i = 0; i < 3; i++)
        audit(world, plain_record());
    retain(world, (struct jp_retention){.audit_100ns = (uint64_t)a_day});
    assert_string_equal(ask_audit(world, (struct jp_audit_filter){0})->ids, ""); /* they were of the year 1601 */
    close_store(world);
    open_store(world);
    assert_int_equal(world->start.last_audit_id, 3);
    audit(world, plain_record());
    assert_string_equal(ask_audit(world, (struct jp_audit_filter){0})->ids, "4");
    close_store(world);
}

static void only_age_takes_rows_away(void **state) {
    enum { ROWS = 1200, OLD = 1100 }; /* more than a step of a purge */
    struct world *world = *state;
    open_store(world);
    for (int i = 0; i < ROWS; i++) {
        struct jp_audit_record record = plain_record();
        record.time_100ns = now_100ns() - (i < OLD ? 2 * a_day : a_day / 2);
        audit(world, record);
        record_event(world, (uint64_t)i + 1);
    }
    purge(world, (struct jp_purge_filter){.before_100ns = INT64_MAX, .processes = true, .events = true});
    retain(world, (struct jp_retention){.processes_100ns = 1, .events_100ns = 1, .max_bytes = 1});
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM audit"), ROWS);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM events"), 0);
    retain(world, (struct jp_retention){.audit_100ns = (uint64_t)a_day});
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM audit"), ROWS - OLD);
    assert_true(logged(world, "purged what is older than the audit trail is kept: 1100 rows"));
    close_store(world);
}

static void a_full_backlog_keeps_the_trail_longest(void **state) {
    enum { ROOM = 40 };
    struct world *world = *state;
    world->max_backlog = ROOM;
    world->hurry = 10;
    open_store(world);
    sqlite3 *other = connect_other(world->file);
    execute(other, "BEGIN IMMEDIATE");
    audit(world, plain_record());
    assert_int_equal(wait_durable(world), JP_E_STORE);
    for (uint64_t seq = 1; seq <= ROOM; seq++)
        record_event(world, seq);
    assert_int_equal(state_of(world).dropped_events, 1); /* the row of the trail had one place */
    for (int i = 2; i <= 20; i++)
        audit(world, plain_record());
    assert_int_equal(state_of(world).dropped_audits, 9); /* a quarter of the room, beyond it, was theirs */
    execute(other, "COMMIT");
    sqlite3_close(other);
    await_state(world, false);
    assert_true(logged(world, "9 rows of the audit trail were dropped meanwhile"));
    audit(world, plain_record());
    assert_string_equal(ask_audit(world, (struct jp_audit_filter){0})->ids, "1 2 3 4 5 6 7 8 9 10 11 21"); /* the gap is seen */
    close_store(world);
}

static void fail_of(void *context, const char *text) {
    (void)context;
    fail_msg("%s", text);
}

static void note_fault(void *context, const char *text) { jp_str_printf(context, "%s\n", text); }

static void a_check_finds_what_cannot_be(void **state) {
    struct world *world = *state;
    struct jp_error error;
    struct jp_str faults = {0};
    open_store(world);
    audit(world, plain_record());
    audit(world, plain_record());
    close_store(world);
    assert_int_equal(jp_store_check(world->file, fail_of, NULL, &error), JP_OK);
    execute_alone(world->file, "UPDATE audit SET allowed = 0, count = 0 WHERE id = 2");
    assert_int_equal(jp_store_check(world->file, note_fault, &faults, &error), JP_E_STORE);
    assert_string_equal(jp_str_text(&faults), "row 2 of the audit trail says that it was refused, and that it was done\n"
                                              "row 2 of the audit trail counts 0 requests\n");
    jp_str_free(&faults);
}

/* Version 4 added the trail, and nothing else; what 5 added: store_series_test.c. */
static void a_database_of_version_3_is_taken_over(void **state) {
    struct world *world = *state;
    struct jp_error error;
    open_store(world);
    struct jp_process_record ended = full_record(7), running = running_record(8);
    record(world, &ended);
    record(world, &running);
    record_event(world, 5);
    close_store(world);
    execute_alone(world->file, "DROP INDEX pools_gone; ALTER TABLE pools DROP COLUMN ephemeral; DROP TABLE audit; DROP TABLE samples; DROP TABLE sampled; DROP TRIGGER processes_ended; DROP INDEX usage_hours_by_pool; DROP INDEX usage_days_by_pool;"
                               "DELETE FROM meta WHERE key IN ('last_audit_id', 'samples_from_100ns'); PRAGMA user_version = 3");
    assert_int_equal(jp_store_check(world->file, fail_of, NULL, &error), JP_OK); /* a backup of it is sound */

    open_store(world);
    assert_int_equal(world->start.last_seq, 5);
    assert_int_equal(world->start.last_process_id, 8);
    assert_int_equal(world->start.last_audit_id, 0);
    assert_int_equal(world->start.running_count, 1);
    audit(world, plain_record());
    assert_string_equal(ask_audit(world, (struct jp_audit_filter){0})->ids, "1");
    close_store(world);
    assert_int_equal(ask_number(world->file, "PRAGMA user_version"), 7);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM processes"), 2);
    assert_int_equal(jp_store_check(world->file, fail_of, NULL, &error), JP_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_field_comes_back),
        TEST(rows_are_filtered),
        TEST(ids_never_come_back),
        TEST(only_age_takes_rows_away),
        TEST(a_full_backlog_keeps_the_trail_longest),
        TEST(a_check_finds_what_cannot_be),
        TEST(a_database_of_version_3_is_taken_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
