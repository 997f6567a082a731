/* The store: what is recorded is found again, whatever happens to the database in between. */
#include "base/str.h"
#include "base/units.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

enum { PATIENCE_MS = 15000 };

/* One database in a folder of its own, and the loop that the store lives on. */
struct world {
    uv_loop_t loop;
    uv_timer_t patience;
    char folder[256];
    char *file;
    struct jp_log log;
    uv_mutex_t log_mutex; /* the store's threads log too */
    struct jp_str logged;

    uint64_t flush_interval_ms, max_backlog;
    struct jp_store *store;
    struct jp_accounts *accounts;
    struct jp_accounts_start start;
    struct jp_error error;

    uint64_t committed_seq;
    int commits, state_changes;
    bool done;
    uint64_t lost;
};

/* --- the world --- */

static void write_log(void *sink, enum jp_log_level level, const char *text)
{
    struct world *world = sink;
    uv_mutex_lock(&world->log_mutex);
    jp_str_printf(&world->logged, "%s: %s\n", jp_log_level_name(level), text);
    uv_mutex_unlock(&world->log_mutex);
}

static bool logged(struct world *world, const char *text)
{
    uv_mutex_lock(&world->log_mutex);
    bool found = strstr(jp_str_text(&world->logged), text) != NULL;
    uv_mutex_unlock(&world->log_mutex);
    return found;
}

static void on_committed(void *context, uint64_t seq)
{
    struct world *world = context;
    assert_true(seq > world->committed_seq); /* in order, each once */
    world->committed_seq = seq;
    world->commits++;
}

static void on_state(void *context)
{
    ((struct world *)context)->state_changes++;
}

static int set_up(void **state)
{
    struct world *world = jp_alloc(sizeof *world);
    uv_loop_init(&world->loop);
    uv_timer_init(&world->loop, &world->patience);
    uv_mutex_init(&world->log_mutex);
    world->log = (struct jp_log){.level = JP_LOG_DEBUG, .write = write_log, .sink = world};
    char temporary[160];
    size_t size = sizeof temporary;
    uv_os_tmpdir(temporary, &size);
    char *template = jp_sprintf("%s/jp-store-XXXXXX", temporary);
    uv_fs_t request;
    assert_int_equal(uv_fs_mkdtemp(NULL, &request, template, NULL), 0);
    snprintf(world->folder, sizeof world->folder, "%s", request.path);
    uv_fs_req_cleanup(&request);
    jp_free(template);
    world->file = jp_sprintf("%s/accounting.db", world->folder);
    *state = world;
    return 0;
}

/* Calls `use` with the path of every file in the folder. */
static int each_file(struct world *world, void (*use)(void *context, const char *path), void *context)
{
    uv_fs_t request;
    uv_dirent_t entry;
    int count = uv_fs_scandir(NULL, &request, world->folder, 0, NULL);
    while (uv_fs_scandir_next(&request, &entry) == 0) {
        char *path = jp_sprintf("%s/%s", world->folder, entry.name);
        use(context, path);
        jp_free(path);
    }
    uv_fs_req_cleanup(&request);
    return count;
}

static void remove_file(void *context, const char *path)
{
    (void)context;
    uv_fs_t request;
    uv_fs_unlink(NULL, &request, path, NULL);
    uv_fs_req_cleanup(&request);
}

static jp_status try_open(struct world *world)
{
    struct jp_store_options options = {
        .file = world->file,
        .flush_interval_ms = world->flush_interval_ms,
        .max_backlog = world->max_backlog,
        .log = &world->log,
        .loop = &world->loop,
        .context = world,
        .on_committed = on_committed,
        .on_state = on_state,
    };
    jp_accounts_start_clear(&world->start);
    memset(&world->start, 0, sizeof world->start);
    jp_status status = jp_store_open(&options, &world->store, &world->start, &world->error);
    if (status == JP_OK) {
        world->accounts = jp_store_accounts(world->store);
        world->committed_seq = world->start.last_seq;
        world->commits = 0;
    }
    return status;
}

static void open_store(struct world *world)
{
    if (try_open(world) != JP_OK)
        fail_msg("%s", world->error.text);
}

static void out_of_patience(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("nothing happened for %d ms", PATIENCE_MS);
}

/* Runs the loop until somebody sets world->done. */
static void await(struct world *world)
{
    world->patience.data = world;
    uv_timer_start(&world->patience, out_of_patience, PATIENCE_MS, 0);
    while (!world->done)
        uv_run(&world->loop, UV_RUN_ONCE);
    uv_timer_stop(&world->patience);
    world->done = false;
}

static void note_closed(void *context, uint64_t lost)
{
    struct world *world = context;
    world->lost = lost;
    world->store = NULL;
    world->done = true;
}

static void close_store(struct world *world)
{
    jp_store_close(world->store, note_closed, world);
    await(world);
}

static int tear_down(void **state)
{
    struct world *world = *state;
    if (world->store != NULL) /* the test failed */
        close_store(world);
    uv_close((uv_handle_t *)&world->patience, NULL);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&world->loop), 0); /* no handle of the store is left */
    each_file(world, remove_file, NULL);
    uv_fs_t request;
    uv_fs_rmdir(NULL, &request, world->folder, NULL);
    uv_fs_req_cleanup(&request);
    jp_accounts_start_clear(&world->start);
    uv_mutex_destroy(&world->log_mutex);
    jp_str_free(&world->logged);
    jp_free(world->file);
    jp_free(world);
    return 0;
}

/* A connection of somebody else's. */
static sqlite3 *connect_other(const char *file)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    return db;
}

static void execute(sqlite3 *db, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

static int64_t ask_number(const char *file, const char *sql)
{
    sqlite3 *db = connect_other(file);
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

static void execute_alone(const char *file, const char *sql)
{
    sqlite3 *db = connect_other(file);
    execute(db, sql);
    sqlite3_close(db);
}

/* --- records --- */

static const struct jp_event plain_event = {
    .time_100ns = 1000, .pool = "build", .message = "JOB_OBJECT_MSG_NEW_PROCESS", .origin = JP_ORIGIN_KERNEL};

static void record_event(struct world *world, uint64_t seq)
{
    struct jp_event event = plain_event;
    event.seq = seq;
    event.time_100ns = (int64_t)seq * 1000;
    world->accounts->ops->record_event(world->accounts, &event);
}

static char image[] = "C:\\tools\\\xE2\x82\xAC.exe", command_line[] = "cl.exe /c \"a b.c\"", user[] = "HOST\\ada";
static char build[] = "build", test[] = "test";

static struct jp_process_record full_record(int64_t id)
{
    return (struct jp_process_record){
        .id = id,
        .pool = build,
        .facts = {.pid = 4711, .start_100ns = 132000000000000000, .parent_pid = 4, .session = 1, .image = image,
                  .command_line = command_line, .user = user},
        .start_exact = true,
        .joined_100ns = 132000000000000100,
        .joined_by = JP_ORIGIN_KERNEL,
        .ended_100ns = 132000000050000000,
        .ending = JP_ENDING_CRASHED,
        .has_exit_code = true,
        .exit_code = 0xC0000005,
        .usage = {.known = JP_USAGE_CPU | JP_USAGE_MEMORY | JP_USAGE_IO, .user_100ns = 11, .kernel_100ns = 12,
                  .peak_commit_bytes = UINT64_C(1) << 40, .peak_working_set_bytes = 14, .read_operations = 15,
                  .write_operations = 16, .other_operations = 17, .read_bytes = 18, .write_bytes = 19, .other_bytes = 20},
    };
}

static struct jp_process_record running_record(int64_t id)
{
    return (struct jp_process_record){.id = id, .pool = build, .facts = {.pid = (uint32_t)id, .start_100ns = id * 10},
                                      .joined_100ns = id * 10, .joined_by = JP_ORIGIN_RECONCILER};
}

static void record(struct world *world, const struct jp_process_record *process)
{
    world->accounts->ops->record_process(world->accounts, process);
}

static void assert_same_text(const char *one, const char *other)
{
    if (one == NULL || other == NULL)
        assert_ptr_equal(one, other);
    else
        assert_string_equal(one, other);
}

static void assert_same_process(const struct jp_process_record *one, const struct jp_process_record *other)
{
    assert_int_equal(one->id, other->id);
    assert_same_text(one->pool, other->pool);
    assert_int_equal(one->facts.pid, other->facts.pid);
    assert_int_equal(one->facts.start_100ns, other->facts.start_100ns);
    assert_int_equal(one->facts.parent_pid, other->facts.parent_pid);
    assert_int_equal(one->facts.session, other->facts.session);
    assert_same_text(one->facts.image, other->facts.image);
    assert_same_text(one->facts.command_line, other->facts.command_line);
    assert_same_text(one->facts.user, other->facts.user);
    assert_int_equal(one->start_exact, other->start_exact);
    assert_int_equal(one->joined_100ns, other->joined_100ns);
    assert_int_equal(one->joined_by, other->joined_by);
    assert_int_equal(one->ended_100ns, other->ended_100ns);
    assert_int_equal(one->ending, other->ending);
    assert_int_equal(one->has_exit_code, other->has_exit_code);
    assert_int_equal(one->exit_code, other->exit_code);
    assert_int_equal(one->usage.known, other->usage.known);
    size_t numbers = offsetof(struct jp_usage, user_100ns); /* the rest, without the padding before it */
    assert_memory_equal((const char *)&one->usage + numbers, (const char *)&other->usage + numbers,
                        sizeof one->usage - numbers);
}

/* --- answers --- */

enum { MAX_ANSWERS = 20000 };

struct answer {
    struct world *world;
    jp_status status;
    struct jp_error error;
    size_t count;
    uint64_t keys[MAX_ANSWERS]; /* seq or id */
    struct jp_process_record first_process; /* a copy */
    char first_event[512];
    struct jp_summary summaries[8];
    char pools[8][32];
};

static struct answer *new_answer(struct world *world)
{
    struct answer *answer = jp_alloc(sizeof *answer);
    answer->world = world;
    return answer;
}

static void note_answer(struct answer *answer, jp_status status, const struct jp_error *error, size_t count)
{
    answer->status = status;
    if (status != JP_OK)
        answer->error = *error;
    answer->count = count;
    answer->world->done = true;
}

static void note_events(void *context, jp_status status, const struct jp_error *error, const struct jp_event *events,
                        size_t count)
{
    struct answer *answer = context;
    note_answer(answer, status, error, count);
    for (size_t i = 0; i < count; i++)
        answer->keys[i] = events[i].seq;
    if (count == 0)
        return;
    const struct jp_event *first = &events[0];
    snprintf(answer->first_event, sizeof answer->first_event, "%llu %lld %s %s %u %lld %s %s %d %u %s",
             (unsigned long long)first->seq, (long long)first->time_100ns, first->pool, first->message, first->pid,
             (long long)first->start_100ns, first->process ? first->process : "-", jp_origin_name(first->origin),
             first->has_exit_code, first->exit_code, first->detail ? first->detail : "-");
}

static void note_processes(void *context, jp_status status, const struct jp_error *error,
                           const struct jp_process_record *records, size_t count)
{
    struct answer *answer = context;
    note_answer(answer, status, error, count);
    for (size_t i = 0; i < count; i++)
        answer->keys[i] = (uint64_t)records[i].id;
    if (count > 0)
        jp_process_record_copy(&records[0], &answer->first_process);
}

static void note_summaries(void *context, jp_status status, const struct jp_error *error,
                           const struct jp_summary *summaries, size_t count)
{
    struct answer *answer = context;
    note_answer(answer, status, error, count);
    for (size_t i = 0; i < count && i < 8; i++) {
        answer->summaries[i] = summaries[i];
        snprintf(answer->pools[i], sizeof answer->pools[i], "%s", summaries[i].pool);
    }
}

static void free_answer(struct answer *answer)
{
    jp_process_record_clear(&answer->first_process);
    jp_free(answer);
}

static struct answer *ask_events(struct world *world, struct jp_event_filter filter)
{
    struct answer *answer = new_answer(world);
    world->accounts->ops->query_events(world->accounts, &filter, note_events, answer);
    assert_false(world->done); /* never from within the call */
    await(world);
    return answer;
}

static struct answer *ask_processes(struct world *world, struct jp_process_filter filter)
{
    struct answer *answer = new_answer(world);
    world->accounts->ops->query_processes(world->accounts, &filter, note_processes, answer);
    assert_false(world->done);
    await(world);
    return answer;
}

static struct answer *ask_summary(struct world *world, struct jp_summary_filter filter)
{
    struct answer *answer = new_answer(world);
    world->accounts->ops->query_summary(world->accounts, &filter, note_summaries, answer);
    await(world);
    return answer;
}

/* The keys of an answer as text, "1 2 3"; frees the answer. */
static const char *keys_of(struct answer *answer)
{
    static char text[512];
    size_t length = 0;
    text[0] = '\0';
    if (answer->status != JP_OK)
        fail_msg("%s", answer->error.text);
    for (size_t i = 0; i < answer->count && length < sizeof text - 24; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, i == 0 ? "%llu" : " %llu",
                                   (unsigned long long)answer->keys[i]);
    free_answer(answer);
    return text;
}

struct durable {
    struct world *world;
    jp_status status;
    int calls;
};

static void note_durable(void *context, jp_status status)
{
    struct durable *durable = context;
    durable->status = status;
    durable->calls++;
    durable->world->done = true;
}

static jp_status wait_durable(struct world *world)
{
    struct durable durable = {.world = world};
    world->accounts->ops->when_durable(world->accounts, note_durable, &durable);
    assert_int_equal(durable.calls, 0);
    await(world);
    assert_int_equal(durable.calls, 1);
    return durable.status;
}

static struct jp_accounts_state state_of(struct world *world)
{
    struct jp_accounts_state state;
    world->accounts->ops->state(world->accounts, &state);
    return state;
}

/* --- opening --- */

static void a_new_database_is_empty_and_ours(void **state)
{
    struct world *world = *state;
    open_store(world);
    assert_int_equal(world->start.last_seq, 0);
    assert_int_equal(world->start.last_process_id, 0);
    assert_int_equal(world->start.running_count, 0);
    assert_false(world->start.unclean);
    close_store(world);
    assert_int_equal(world->lost, 0);
    assert_int_equal(ask_number(world->file, "PRAGMA application_id"), 0x4A504F4C);
    assert_int_equal(ask_number(world->file, "PRAGMA user_version"), 1);
    assert_int_equal(ask_number(world->file, "PRAGMA auto_vacuum"), 2);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"), 1);
}

static void count_file(void *context, const char *path)
{
    (void)path;
    ++*(int *)context;
}

static void an_orderly_end_leaves_one_file(void **state)
{
    struct world *world = *state;
    open_store(world);
    record_event(world, 1);
    free_answer(ask_events(world, (struct jp_event_filter){0})); /* so that the reader has a connection too */
    close_store(world);
    int files = 0;
    each_file(world, count_file, &files);
    assert_int_equal(files, 1);
}

static void a_missing_folder_is_named(void **state)
{
    struct world *world = *state;
    jp_free(world->file);
    world->file = jp_sprintf("%s/nowhere/accounting.db", world->folder);
    assert_int_equal(try_open(world), JP_E_STORE);
    assert_non_null(strstr(world->error.text, "/nowhere\" does not exist: create it"));
}

static void a_file_is_no_folder(void **state)
{
    struct world *world = *state;
    execute_alone(world->file, "CREATE TABLE t(x)");
    char *inside = jp_sprintf("%s/accounting.db", world->file);
    jp_free(world->file);
    world->file = inside;
    assert_int_equal(try_open(world), JP_E_STORE);
    assert_non_null(strstr(world->error.text, "cannot be used: not a directory"));
}

static void a_newer_schema_is_refused(void **state)
{
    struct world *world = *state;
    open_store(world);
    close_store(world);
    execute_alone(world->file, "PRAGMA user_version = 7");
    assert_int_equal(try_open(world), JP_E_STORE);
    assert_non_null(strstr(world->error.text, "was written by a newer jobpool (schema 7; this one knows 1)"));
}

static void another_programs_database_is_refused_and_left_alone(void **state)
{
    struct world *world = *state;
    execute_alone(world->file, "PRAGMA application_id = 7; CREATE TABLE t(x)");
    assert_int_equal(try_open(world), JP_E_STORE);
    assert_non_null(strstr(world->error.text, "is not a JobPool database"));
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM t"), 0);
    execute_alone(world->file, "PRAGMA application_id = 0");
    assert_int_equal(try_open(world), JP_E_STORE); /* tables without an id are somebody's as well */
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM t"), 0);
}

static void overwrite(const char *file, int64_t offset, const char *bytes, unsigned length)
{
    uv_fs_t request;
    int descriptor = uv_fs_open(NULL, &request, file, UV_FS_O_WRONLY | UV_FS_O_CREAT, 0600, NULL);
    uv_fs_req_cleanup(&request);
    assert_true(descriptor >= 0);
    char copy[8192];
    memcpy(copy, bytes, length);
    uv_buf_t buffer = uv_buf_init(copy, length);
    assert_int_equal(uv_fs_write(NULL, &request, descriptor, &buffer, 1, offset, NULL), length);
    uv_fs_req_cleanup(&request);
    uv_fs_close(NULL, &request, descriptor, NULL);
    uv_fs_req_cleanup(&request);
}

static void a_text_file_is_refused_and_left_alone(void **state)
{
    struct world *world = *state;
    char text[200];
    memset(text, 'x', sizeof text);
    overwrite(world->file, 0, text, sizeof text);
    assert_int_equal(try_open(world), JP_E_STORE);
    assert_non_null(strstr(world->error.text, "is not a JobPool database"));
    int files = 0;
    each_file(world, count_file, &files);
    assert_int_equal(files, 1);
}

static void find_damaged(void *context, const char *path)
{
    if (strstr(path, ".damaged-") != NULL)
        ++*(int *)context;
}

static void a_damaged_database_is_set_aside_loudly(void **state)
{
    struct world *world = *state;
    open_store(world);
    for (uint64_t seq = 1; seq <= 2000; seq++)
        record_event(world, seq);
    struct jp_process_record process = full_record(9);
    record(world, &process);
    close_store(world);
    execute_alone(world->file, "UPDATE meta SET value = 0 WHERE key = 'clean'"); /* as if the service had died */
    int64_t page = ask_number(world->file, "SELECT rootpage FROM sqlite_schema WHERE name = 'events_by_pool'");
    char zeros[4096] = {0};
    overwrite(world->file, (page - 1) * 4096, zeros, sizeof zeros);

    open_store(world);
    assert_true(world->start.unclean);
    assert_int_equal(world->start.last_seq, 2000); /* numbering goes on all the same */
    assert_int_equal(world->start.last_process_id, 9);
    int damaged = 0;
    each_file(world, find_damaged, &damaged);
    assert_true(damaged >= 1);
    assert_true(logged(world, "error: the accounting database"));
    assert_true(logged(world, "is kept as"));
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){0})), "");
    record_event(world, 2001);
    close_store(world);

    open_store(world); /* the new one is a good one */
    assert_false(world->start.unclean);
    assert_int_equal(world->start.last_seq, 2001);
    assert_int_equal(world->start.last_process_id, 9);
    close_store(world);
}

static void a_zeroed_database_is_set_aside(void **state)
{
    struct world *world = *state;
    char zeros[8192] = {0};
    overwrite(world->file, 0, zeros, sizeof zeros);
    open_store(world);
    assert_true(world->start.unclean);
    int damaged = 0;
    each_file(world, find_damaged, &damaged);
    assert_int_equal(damaged, 1);
    close_store(world);
}

static void an_unclean_end_is_noticed(void **state)
{
    struct world *world = *state;
    open_store(world);
    record_event(world, 1);
    close_store(world);
    execute_alone(world->file, "UPDATE meta SET value = 0 WHERE key = 'clean'");
    open_store(world);
    assert_true(world->start.unclean);
    assert_int_equal(world->start.last_seq, 1);
    assert_true(logged(world, "did not end in order"));
    close_store(world);
    open_store(world);
    assert_false(world->start.unclean);
    close_store(world);
}

/* --- recording --- */

static void every_field_comes_back(void **state)
{
    struct world *world = *state;
    open_store(world);
    struct jp_process_record full = full_record(1), bare = {.id = 2, .pool = test};
    record(world, &full);
    record(world, &bare);
    struct answer *answer = ask_processes(world, (struct jp_process_filter){.pool = "build"});
    assert_int_equal(answer->count, 1);
    assert_same_process(&answer->first_process, &full);
    free_answer(answer);
    answer = ask_processes(world, (struct jp_process_filter){.pool = "test"});
    assert_same_process(&answer->first_process, &bare);
    free_answer(answer);

    struct jp_event event = {.seq = 1, .time_100ns = 2, .pool = "build", .message = "M", .pid = 3, .start_100ns = 4,
                             .process = "cl.exe", .origin = JP_ORIGIN_RECONCILER, .has_exit_code = true,
                             .exit_code = UINT32_MAX, .detail = "it's; --"};
    world->accounts->ops->record_event(world->accounts, &event);
    answer = ask_events(world, (struct jp_event_filter){0});
    assert_string_equal(answer->first_event, "1 2 build M 3 4 cl.exe reconciler 1 4294967295 it's; --");
    free_answer(answer);
    event = (struct jp_event){.seq = 2, .time_100ns = 5, .pool = "", .message = "SERVICE_STARTED",
                              .origin = JP_ORIGIN_SERVICE};
    world->accounts->ops->record_event(world->accounts, &event);
    answer = ask_events(world, (struct jp_event_filter){.from_seq = 2});
    assert_string_equal(answer->first_event, "2 5  SERVICE_STARTED 0 0 - service 0 0 -");
    free_answer(answer);
    close_store(world);
}

static void a_person_can_read_the_rows(void **state)
{
    struct world *world = *state;
    open_store(world);
    struct jp_process_record full = full_record(1), bare = {.id = 2, .pool = test};
    record(world, &full);
    record(world, &bare);
    close_store(world);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM processes WHERE ending = 'crashed'"
                                             " AND joined_by = 'kernel' AND exit_code = 0xC0000005"), 1);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM processes WHERE ending = 'running' AND exit_code IS NULL"
                                             " AND user_100ns IS NULL AND start_100ns IS NULL AND image IS NULL"), 1);
}

static void a_process_written_again_is_one_row(void **state)
{
    struct world *world = *state;
    open_store(world);
    struct jp_process_record process = running_record(1);
    record(world, &process);
    assert_int_equal(wait_durable(world), JP_OK);
    process = full_record(1);
    record(world, &process);
    struct answer *answer = ask_processes(world, (struct jp_process_filter){0});
    assert_int_equal(answer->count, 1);
    assert_same_process(&answer->first_process, &process);
    free_answer(answer);
    close_store(world);
}

static void a_restart_goes_on_where_it_stopped(void **state)
{
    struct world *world = *state;
    open_store(world);
    record_event(world, 41);
    record_event(world, 42);
    struct jp_process_record running = running_record(7), ended = full_record(8);
    record(world, &running);
    record(world, &ended);
    const struct jp_accounts_ops *ops = world->accounts->ops;
    ops->record_pool(world->accounts, &(struct jp_pool_record){.name = "kept", .definition = "{\"a\":1}"});
    ops->record_pool(world->accounts, &(struct jp_pool_record){.name = "child", .parent = "kept", .definition = "{}"});
    ops->record_pool(world->accounts, &(struct jp_pool_record){.name = "config"});
    ops->record_pool(world->accounts, &(struct jp_pool_record){.name = "gone", .parent = "kept", .definition = "{}"});
    assert_int_equal(wait_durable(world), JP_OK);
    ops->forget_pool(world->accounts, "gone");
    close_store(world);

    open_store(world);
    assert_int_equal(world->start.last_seq, 42);
    assert_int_equal(world->start.last_process_id, 8);
    assert_int_equal(world->start.running_count, 1);
    assert_same_process(&world->start.running[0], &running);
    assert_int_equal(world->start.pool_count, 2);
    assert_string_equal(world->start.pools[0].name, "kept");
    assert_string_equal(world->start.pools[0].definition, "{\"a\":1}");
    assert_string_equal(world->start.pools[1].name, "child");
    assert_int_equal(world->committed_seq, 42);
    assert_int_equal(state_of(world).committed_seq, 42);
    close_store(world);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM pools WHERE name = 'gone' AND parent = 'kept'"
                                             " AND definition IS NULL AND deleted_100ns IS NOT NULL"), 1);
}

static void numbers_do_not_come_back_after_a_purge(void **state)
{
    struct world *world = *state;
    open_store(world);
    record_event(world, 5);
    struct jp_process_record process = full_record(6);
    record(world, &process);
    close_store(world);
    execute_alone(world->file, "DELETE FROM events; DELETE FROM processes");
    open_store(world);
    assert_int_equal(world->start.last_seq, 5);
    assert_int_equal(world->start.last_process_id, 6);
    close_store(world);
}

static void commits_are_told_in_order_and_in_groups(void **state)
{
    struct world *world = *state;
    world->flush_interval_ms = 20;
    open_store(world);
    for (uint64_t seq = 1; seq <= 10000; seq++) {
        record_event(world, seq);
        if (seq % 100 == 0)
            uv_run(&world->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(wait_durable(world), JP_OK);
    assert_int_equal(world->committed_seq, 10000); /* told no later than the waiter */
    assert_true(world->commits < 1000);
    assert_int_equal(state_of(world).backlog, 0);
    close_store(world);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM events"), 10000);
}

static void waiting_does_not_wait_for_the_interval(void **state)
{
    struct world *world = *state;
    world->flush_interval_ms = 60000;
    open_store(world);
    record_event(world, 1);
    assert_int_equal(wait_durable(world), JP_OK);
    uint64_t began = uv_hrtime();
    record_event(world, 2);
    assert_int_equal(wait_durable(world), JP_OK);
    assert_true(uv_hrtime() - began < UINT64_C(5000000000));
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM events"), 2);
    assert_int_equal(wait_durable(world), JP_OK); /* with nothing to wait for */
    close_store(world);
}

static void records_wait_for_the_interval_when_nobody_waits(void **state)
{
    struct world *world = *state;
    world->flush_interval_ms = 60000;
    open_store(world);
    record_event(world, 1);
    assert_int_equal(wait_durable(world), JP_OK);
    struct jp_process_record process = running_record(1);
    for (int i = 0; i < 100; i++)
        record(world, &process);
    record_event(world, 2);
    assert_int_equal(state_of(world).backlog, 2); /* a process waits once */
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM events"), 1);
    close_store(world); /* closing commits what is left */
    assert_int_equal(world->lost, 0);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM events"), 2);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM processes"), 1);
}

/* --- a database that cannot be written --- */

static void await_state_change(struct world *world, bool degraded)
{
    uv_timer_start(&world->patience, out_of_patience, PATIENCE_MS, 0);
    int changes = world->state_changes;
    while (state_of(world).degraded != degraded || world->state_changes == changes)
        uv_run(&world->loop, UV_RUN_ONCE);
    uv_timer_stop(&world->patience);
}

static void a_locked_database_degrades_and_recovers(void **state)
{
    struct world *world = *state;
    world->max_backlog = 10;
    open_store(world);
    record_event(world, 1);
    assert_int_equal(wait_durable(world), JP_OK);
    sqlite3 *other = connect_other(world->file);
    execute(other, "BEGIN IMMEDIATE");

    struct jp_process_record process = running_record(1);
    record(world, &process);
    assert_int_equal(wait_durable(world), JP_E_STORE);
    assert_true(state_of(world).degraded);
    assert_non_null(strstr(state_of(world).reason, "database is locked (SQLITE_BUSY, 5)"));
    assert_true(logged(world, "error: the accounting database"));
    assert_int_equal(world->state_changes, 1);

    for (uint64_t seq = 2; seq <= 21; seq++) /* nine fit beside the process */
        record_event(world, seq);
    for (int64_t id = 2; id <= 20; id++) { /* processes are never dropped */
        process = running_record(id);
        record(world, &process);
    }
    assert_int_equal(wait_durable(world), JP_E_STORE); /* at once */
    assert_int_equal(state_of(world).dropped_events, 11);
    assert_true(state_of(world).backlog >= 29);
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){0})), "1"); /* what is there can be read */

    execute(other, "COMMIT");
    sqlite3_close(other);
    await_state_change(world, false);
    assert_string_equal(state_of(world).reason, "");
    assert_true(logged(world, "can be written again"));
    assert_true(logged(world, "11 events were dropped"));
    assert_int_equal(wait_durable(world), JP_OK);
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){0})), "1 2 3 4 5 6 7 8 9 10");
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){0})),
                        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20");
    record_event(world, 22);
    close_store(world);
    open_store(world);
    assert_int_equal(world->start.last_seq, 22);
    close_store(world);
}

static void closing_a_locked_database_ends_and_counts_the_loss(void **state)
{
    struct world *world = *state;
    open_store(world);
    sqlite3 *other = connect_other(world->file);
    execute(other, "BEGIN IMMEDIATE");
    record_event(world, 1);
    record_event(world, 2);
    struct durable durable = {.world = world};
    world->accounts->ops->when_durable(world->accounts, note_durable, &durable);
    struct answer *answer = new_answer(world);
    world->accounts->ops->query_events(world->accounts, &(struct jp_event_filter){0}, note_events, answer);
    uint64_t began = uv_hrtime();
    jp_store_close(world->store, note_closed, world);
    while (world->store != NULL)
        await(world);
    assert_true(uv_hrtime() - began < UINT64_C(8000000000));
    assert_int_equal(world->lost, 2);
    assert_int_equal(durable.calls, 1);
    assert_int_equal(durable.status, JP_E_STORE);
    assert_int_equal(answer->status, JP_E_STOPPING);
    assert_true(logged(world, "2 records could not be written"));
    free_answer(answer);
    execute(other, "COMMIT");
    sqlite3_close(other);
    open_store(world);
    assert_true(world->start.unclean);
    close_store(world);
}

/* --- asking --- */

static void events_are_filtered(void **state)
{
    struct world *world = *state;
    open_store(world);
    static const char *const pools[] = {"a", "b", "c"}, *const messages[] = {"NEW", "EXIT"};
    for (uint64_t seq = 1; seq <= 12; seq++) {
        struct jp_event event = {.seq = seq, .time_100ns = (int64_t)seq * 100, .pool = pools[seq % 3],
                                 .message = messages[seq % 2], .pid = (uint32_t)seq / 4, .origin = JP_ORIGIN_KERNEL};
        world->accounts->ops->record_event(world->accounts, &event);
    }
    char *two[] = {pools[1] ? (char[]){"b"} : NULL, (char[]){"c"}}, *exits[] = {(char[]){"EXIT"}};
    struct jp_strings b_and_c = {two, 2}, exit_only = {exits, 1};
    char *hostile[] = {(char[]){"a') OR 1=1 --"}};
    struct jp_strings injected = {hostile, 1};
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){0})), "1 2 3 4 5 6 7 8 9 10 11 12");
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.from_seq = 11})), "11 12");
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.limit = 3})), "1 2 3");
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.limit = 3, .newest = true})), "10 11 12");
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.from_100ns = 300, .to_100ns = 500})), "3 4");
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.pools = &b_and_c})), "1 2 4 5 7 8 10 11");
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.pools = &b_and_c, .messages = &exit_only,
                                                                           .pid = 1})), "5 7");
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.pools = &injected})), "");
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.from_seq = UINT64_MAX})), "");
    close_store(world);
}

static void processes_are_filtered(void **state)
{
    struct world *world = *state;
    open_store(world);
    for (int64_t id = 1; id <= 6; id++) { /* starts at id * 10, the even ones end 15 later */
        struct jp_process_record process = running_record(id);
        process.pool = id <= 3 ? build : test;
        if (id % 2 == 0) {
            process.ended_100ns = id * 10 + 15;
            process.ending = JP_ENDING_EXITED;
        }
        record(world, &process);
    }
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.pool = "build"})), "1 2 3");
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.pid = 4})), "4");
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.pid = 4, .start_100ns = 41})), "");
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.ending = "exited"})), "2 4 6");
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.ending = "running"})), "1 3 5");
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.after_id = 2, .limit = 2})), "3 4");
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.from_100ns = 40, .to_100ns = 50})),
                        "1 3 4"); /* 2 ended at 35, 5 begins at 50 */
    close_store(world);
}

static void bounds_are_kept(void **state)
{
    struct world *world = *state;
    open_store(world);
    for (uint64_t seq = 1; seq <= JP_STORE_MAX_ROWS + 50; seq++)
        record_event(world, seq);
    struct answer *answer = ask_events(world, (struct jp_event_filter){.limit = UINT32_MAX});
    assert_int_equal(answer->count, JP_STORE_MAX_ROWS);
    free_answer(answer);

    char name[] = "x";
    char *names[JP_STORE_MAX_NAMES + 1];
    for (size_t i = 0; i <= JP_STORE_MAX_NAMES; i++)
        names[i] = name;
    struct jp_strings pools = {names, JP_STORE_MAX_NAMES + 1};
    answer = ask_events(world, (struct jp_event_filter){.pools = &pools});
    assert_int_equal(answer->status, JP_E_QUOTA);
    free_answer(answer);
    pools.count = JP_STORE_MAX_NAMES;
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.pools = &pools, .messages = &pools})), "");
    close_store(world);
}

struct tally {
    struct world *world;
    int ok, quota, stopping;
};

static void tally_answer(void *context, jp_status status, const struct jp_error *error, const struct jp_summary *summaries,
                         size_t count)
{
    struct tally *tally = context;
    (void)error, (void)summaries, (void)count;
    tally->ok += status == JP_OK;
    tally->quota += status == JP_E_QUOTA;
    tally->stopping += status == JP_E_STOPPING;
    tally->world->done = true;
}

static void queries_are_bounded_and_all_are_answered(void **state)
{
    struct world *world = *state;
    open_store(world);
    struct tally tally = {.world = world};
    for (int i = 0; i < JP_STORE_MAX_QUERIES + 10; i++)
        world->accounts->ops->query_summary(world->accounts, &(struct jp_summary_filter){0}, tally_answer, &tally);
    while (tally.ok + tally.quota < JP_STORE_MAX_QUERIES + 10)
        await(world);
    assert_int_equal(tally.quota, 10);

    for (int i = 0; i < 100; i++) {
        record_event(world, (uint64_t)i + 1); /* half of them wait for the writer, half for the reader */
        world->accounts->ops->query_summary(world->accounts, &(struct jp_summary_filter){0}, tally_answer, &tally);
    }
    tally.ok = 0;
    jp_store_close(world->store, note_closed, world);
    while (world->store != NULL)
        await(world);
    assert_int_equal(tally.ok + tally.stopping, 100);
    assert_int_equal(world->lost, 0);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM events"), 100);
}

static void the_summary_is_the_sum_of_its_rows(void **state)
{
    struct world *world = *state;
    open_store(world);
    static const enum jp_ending endings[] = {JP_ENDING_EXITED, JP_ENDING_CRASHED, JP_ENDING_TERMINATED, JP_ENDING_UNKNOWN};
    struct jp_summary expected = {0};
    for (int64_t id = 1; id <= 101; id++) {
        struct jp_process_record process = full_record(id);
        process.ending = endings[id % 4];
        process.has_exit_code = id % 4 != 3;
        process.exit_code = id % 3 == 0 ? 0 : 1;
        process.usage.user_100ns = (uint64_t)id * 7;
        process.usage.kernel_100ns = (uint64_t)id;
        process.usage.peak_commit_bytes = (uint64_t)(id * 37 % 101);
        if (id % 5 == 0)
            process.usage.known &= ~(uint32_t)JP_USAGE_CPU;
        record(world, &process);
        expected.processes++;
        expected.exited += process.ending == JP_ENDING_EXITED;
        expected.crashed += process.ending == JP_ENDING_CRASHED;
        expected.terminated += process.ending == JP_ENDING_TERMINATED;
        expected.unknown += process.ending == JP_ENDING_UNKNOWN;
        expected.failures += process.has_exit_code && process.exit_code != 0;
        expected.wall_100ns += (uint64_t)(process.ended_100ns - process.facts.start_100ns);
        expected.read_bytes += process.usage.read_bytes;
        expected.write_bytes += process.usage.write_bytes;
        if (process.usage.peak_commit_bytes > expected.peak_commit_bytes)
            expected.peak_commit_bytes = process.usage.peak_commit_bytes;
        if (process.usage.known & JP_USAGE_CPU) {
            expected.user_100ns += process.usage.user_100ns;
            expected.kernel_100ns += process.usage.kernel_100ns;
            expected.with_cpu++;
        }
    }
    struct jp_process_record running = running_record(200);
    running.pool = test;
    record(world, &running);

    struct answer *answer = ask_summary(world, (struct jp_summary_filter){0});
    assert_int_equal(answer->status, JP_OK);
    assert_int_equal(answer->count, 2);
    assert_string_equal(answer->pools[0], "build");
    expected.pool = answer->summaries[0].pool;
    assert_memory_equal(&answer->summaries[0], &expected, sizeof expected);
    assert_string_equal(answer->pools[1], "test");
    assert_int_equal(answer->summaries[1].running, 1);
    assert_int_equal(answer->summaries[1].failures, 0);
    assert_true(answer->summaries[1].wall_100ns > 0); /* until now */
    free_answer(answer);
    answer = ask_summary(world, (struct jp_summary_filter){.pool = "test", .from_100ns = 2000, .to_100ns = 2001});
    assert_int_equal(answer->count, 1);
    free_answer(answer);
    answer = ask_summary(world, (struct jp_summary_filter){.from_100ns = 1, .to_100ns = 2000});
    assert_int_equal(answer->count, 0);
    free_answer(answer);
    close_store(world);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_database_is_empty_and_ours),
        TEST(an_orderly_end_leaves_one_file),
        TEST(a_missing_folder_is_named),
        TEST(a_file_is_no_folder),
        TEST(a_newer_schema_is_refused),
        TEST(another_programs_database_is_refused_and_left_alone),
        TEST(a_text_file_is_refused_and_left_alone),
        TEST(a_damaged_database_is_set_aside_loudly),
        TEST(a_zeroed_database_is_set_aside),
        TEST(an_unclean_end_is_noticed),
        TEST(every_field_comes_back),
        TEST(a_person_can_read_the_rows),
        TEST(a_process_written_again_is_one_row),
        TEST(a_restart_goes_on_where_it_stopped),
        TEST(numbers_do_not_come_back_after_a_purge),
        TEST(commits_are_told_in_order_and_in_groups),
        TEST(waiting_does_not_wait_for_the_interval),
        TEST(records_wait_for_the_interval_when_nobody_waits),
        TEST(a_locked_database_degrades_and_recovers),
        TEST(closing_a_locked_database_ends_and_counts_the_loss),
        TEST(events_are_filtered),
        TEST(processes_are_filtered),
        TEST(bounds_are_kept),
        TEST(queries_are_bounded_and_all_are_answered),
        TEST(the_summary_is_the_sum_of_its_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
