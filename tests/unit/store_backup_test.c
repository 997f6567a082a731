/* A copy of a database, and whether a database is sound, while a service has it open and when none has. */
#include "fault_vfs.h"
#include "store_world.h"

#include "store/backup.h"

#include <unistd.h>

struct progress {
    uint64_t done, total;
    int calls;
};

static void note_progress(void *context, uint64_t done_bytes, uint64_t total_bytes) {
    struct progress *progress = context;
    assert_true(done_bytes >= progress->done && done_bytes <= total_bytes);
    *progress = (struct progress){.done = done_bytes, .total = total_bytes, .calls = progress->calls + 1};
}

static char *copy_of(struct world *world) { return jp_sprintf("%s/copy.db", world->folder); }

static jp_status back_up(struct world *world, bool overwrite) {
    char *to = copy_of(world);
    jp_status status = jp_store_backup(world->file, to, &(struct jp_backup_options){.overwrite = overwrite}, &world->error);
    jp_free(to);
    return status;
}

static void fill(struct world *world, uint64_t from, uint64_t to) {
    for (uint64_t seq = from; seq <= to; seq++)
        record_event(world, seq);
    struct jp_process_record process = full_record((int64_t)to);
    record(world, &process);
    assert_int_equal(wait_durable(world), JP_OK);
}

static void look_for_rest(void *context, const char *path) {
    if (strstr(path, ".partial") != NULL || strstr(path, "copy.db-") != NULL)
        ++*(int *)context;
}

static void assert_nothing_is_left(struct world *world) {
    int rest = 0;
    each_file(world, look_for_rest, &rest);
    assert_int_equal(rest, 0);
}

static void note_fault(void *context, const char *text) {
    assert_true(strlen(text) > 0);
    ++*(int *)context;
}

static int faults_of(struct world *world, const char *file, jp_status expected) {
    int faults = 0;
    assert_int_equal(jp_store_check(file, note_fault, &faults, &world->error), expected);
    return faults;
}

static void a_database_in_use_is_copied_whole(void **state) {
    struct world *world = *state;
    open_store(world);
    fill(world, 1, 50000);
    struct progress progress = {0};
    char *to = copy_of(world);
    fill(world, 50001, 50100); /* these are in the WAL only */
    struct jp_backup_options options = {.context = &progress, .on_progress = note_progress};
    if (jp_store_backup(world->file, to, &options, &world->error) != JP_OK)
        fail_msg("%s", world->error.text);
    fill(world, 50101, 50200); /* the service was not disturbed */
    assert_true(progress.calls > 1);
    assert_true(progress.total > 0 && progress.done == progress.total);
    assert_int_equal(ask_number(to, "SELECT count(*) FROM events"), 50100);
    assert_int_equal(ask_number(to, "SELECT count(*) FROM processes"), 2);
    assert_int_equal(faults_of(world, to, JP_OK), 0);
    assert_int_equal(faults_of(world, world->file, JP_OK), 0);
    assert_nothing_is_left(world);
    close_store(world);

    char *own = world->file;
    world->file = to; /* a service can take the copy up */
    open_store(world);
    assert_int_equal(world->start.last_seq, 50100);
    close_store(world);
    world->file = own;
    jp_free(to);
}

struct stirrer {
    struct world *world;
    uint64_t seq;
};

/* Between two steps of the copy the service writes, and folds its WAL in. */
static void write_meanwhile(void *context, uint64_t done_bytes, uint64_t total_bytes) {
    struct stirrer *stirrer = context;
    (void)done_bytes, (void)total_bytes;
    fill(stirrer->world, stirrer->seq + 1, stirrer->seq + 2000);
    stirrer->seq += 2000;
    sqlite3 *db = connect_other(stirrer->world->file);
    sqlite3_exec(db, "PRAGMA wal_checkpoint(PASSIVE)", NULL, NULL, NULL);
    sqlite3_close(db);
}

static void what_is_written_meanwhile_is_not_in_it(void **state) {
    struct world *world = *state;
    open_store(world);
    fill(world, 1, 60000);
    struct stirrer stirrer = {.world = world, .seq = 60000};
    char *to = copy_of(world);
    struct jp_backup_options options = {.context = &stirrer, .on_progress = write_meanwhile};
    assert_int_equal(jp_store_backup(world->file, to, &options, &world->error), JP_OK);
    assert_true(stirrer.seq > 60000);
    assert_int_equal(ask_number(to, "SELECT count(*) FROM events"), 60000);
    assert_int_equal(ask_number(to, "SELECT max(seq) FROM events"), 60000);
    jp_free(to);
    close_store(world);
}

static void a_database_at_rest_is_copied_and_checked(void **state) {
    struct world *world = *state;
    open_store(world);
    fill(world, 1, 100);
    close_store(world);
    assert_int_equal(back_up(world, false), JP_OK);
    assert_int_equal(faults_of(world, world->file, JP_OK), 0);
    char *to = copy_of(world);
    assert_int_equal(ask_number(to, "SELECT count(*) FROM events"), 100);
    jp_free(to);
    open_store(world); /* the original is as it was */
    assert_false(world->start.unclean);
    close_store(world);
}

static void a_target_that_is_there_is_kept(void **state) {
    struct world *world = *state;
    open_store(world);
    fill(world, 1, 10);
    char *to = copy_of(world);
    overwrite(to, 0, "mine", 4);
    assert_int_equal(back_up(world, false), JP_E_STORE);
    assert_non_null(strstr(world->error.text, "is there already, and is not overwritten"));
    char kept[8] = "";
    FILE *file = fopen(to, "rb");
    assert_int_equal(fread(kept, 1, sizeof kept, file), 4);
    fclose(file);
    assert_string_equal(kept, "mine");
    assert_int_equal(back_up(world, true), JP_OK);
    assert_int_equal(ask_number(to, "SELECT count(*) FROM events"), 10);
    jp_free(to);

    struct jp_backup_options options = {.overwrite = true};
    assert_int_equal(jp_store_backup(world->file, world->file, &options, &world->error), JP_E_STORE);
    assert_non_null(strstr(world->error.text, "are the same file"));
    fill(world, 11, 12);
    close_store(world);
}

static void a_full_disk_leaves_nothing(void **state) {
    struct world *world = *state;
    open_store(world);
    fill(world, 1, 5000);
    close_store(world);
    char *to = copy_of(world);
    overwrite(to, 0, "mine", 4);
    for (uint64_t at = 1; at < 40; at += 3) {
        fault_vfs_arm(FAULT_FULL, at, UINT32_MAX);
        assert_int_equal(back_up(world, true), JP_E_STORE);
        assert_non_null(strstr(world->error.text, "full"));
        assert_non_null(strstr(world->error.text, "copy.db.partial"));
        fault_vfs_arm(FAULT_NONE, 0, 0);
        assert_nothing_is_left(world);
        assert_int_equal(access(to, F_OK), 0); /* what is to be overwritten stays until the new one is whole */
    }
    jp_free(to);
}

static void a_missing_source_and_a_missing_folder_are_named(void **state) {
    struct world *world = *state;
    assert_int_equal(back_up(world, false), JP_E_STORE);
    assert_non_null(strstr(world->error.text, "accounting.db\" cannot be read: no such file"));
    assert_int_equal(faults_of(world, world->file, JP_E_STORE), 0);
    open_store(world);
    close_store(world);
    char *to = jp_sprintf("%s/none/copy.db", world->folder);
    assert_int_equal(jp_store_backup(world->file, to, &(struct jp_backup_options){0}, &world->error), JP_E_STORE);
    assert_non_null(strstr(world->error.text, "none/copy.db"));
    jp_free(to);
}

static void another_programs_database_is_not_ours_to_judge(void **state) {
    struct world *world = *state;
    execute_alone(world->file, "PRAGMA application_id = 7; CREATE TABLE t(x)");
    assert_int_equal(back_up(world, false), JP_E_STORE);
    assert_non_null(strstr(world->error.text, "is not a JobPool database"));
    assert_int_equal(faults_of(world, world->file, JP_E_STORE), 0);
}

static void a_damaged_source_is_told_and_not_copied(void **state) {
    struct world *world = *state;
    open_store(world);
    fill(world, 1, 5000);
    close_store(world);
    char garbage[4096];
    memset(garbage, 0xA5, sizeof garbage);
    int64_t page = ask_number(world->file, "SELECT rootpage FROM sqlite_schema WHERE name = 'events'");
    overwrite(world->file, (page - 1) * 4096, garbage, sizeof garbage);
    assert_int_equal(back_up(world, false), JP_E_STORE);
    assert_non_null(strstr(world->error.text, "damaged"));
    assert_nothing_is_left(world);
    char *to = copy_of(world);
    assert_int_not_equal(access(to, F_OK), 0);
    jp_free(to);
    assert_true(faults_of(world, world->file, JP_E_STORE) > 0);
    assert_non_null(strstr(world->error.text, "is damaged"));
}

static void our_own_rules_are_checked(void **state) {
    static const struct {
        const char *breach, *mend;
    } rules[] = {
        {"DELETE FROM meta WHERE key = 'clean'", "INSERT INTO meta(key, value) VALUES('clean', 1)"},
        {"UPDATE meta SET value = -value - 1 WHERE key = 'last_seq'", "UPDATE meta SET value = -value - 1 WHERE key = 'last_seq'"},
        {"UPDATE meta SET value = value + (3 << 61) WHERE key = 'last_run'", "UPDATE meta SET value = value - (3 << 61) WHERE key = 'last_run'"},
        {"UPDATE events SET seq = -seq WHERE seq = 3", "UPDATE events SET seq = -seq WHERE seq = -3"},
        {"UPDATE runs SET number = -number", "UPDATE runs SET number = -number"},
        {"UPDATE pool_totals SET processes = processes + 10", "UPDATE pool_totals SET processes = processes - 10"},
        {"INSERT INTO pools(name, definition, created_100ns, deleted_100ns) VALUES('p', '{}', 1, 2)", "DELETE FROM pools"},
    };
    struct world *world = *state;
    open_store(world);
    fill(world, 1, 9);
    close_store(world);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        assert_int_equal(faults_of(world, world->file, JP_OK), 0);
        execute_alone(world->file, rules[i].breach);
        assert_int_equal(faults_of(world, world->file, JP_E_STORE), 1);
        execute_alone(world->file, rules[i].mend);
    }
    assert_int_equal(faults_of(world, world->file, JP_OK), 0);
}

static int set_up_disk(void **state) {
    fault_vfs_arm(FAULT_NONE, 0, 0);
    return set_up(state);
}

#define BACKUP(function) cmocka_unit_test_setup_teardown(function, set_up_disk, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        BACKUP(a_database_in_use_is_copied_whole),
        BACKUP(what_is_written_meanwhile_is_not_in_it),
        BACKUP(a_database_at_rest_is_copied_and_checked),
        BACKUP(a_target_that_is_there_is_kept),
        BACKUP(a_full_disk_leaves_nothing),
        BACKUP(a_missing_source_and_a_missing_folder_are_named),
        BACKUP(another_programs_database_is_not_ours_to_judge),
        BACKUP(a_damaged_source_is_told_and_not_copied),
        BACKUP(our_own_rules_are_checked),
    };
    fault_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
