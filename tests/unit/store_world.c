/* The common ground of the store's tests. */
#include "store_world.h"

#include "base/units.h"

/* --- the world --- */

static void write_log(void *sink, enum jp_log_level level, const char *text) {
    struct world *world = sink;
    uv_mutex_lock(&world->log_mutex);
    jp_str_printf(&world->logged, "%s: %s\n", jp_log_level_name(level), text);
    uv_mutex_unlock(&world->log_mutex);
}

bool logged(struct world *world, const char *text) {
    uv_mutex_lock(&world->log_mutex);
    bool found = strstr(jp_str_text(&world->logged), text) != NULL;
    uv_mutex_unlock(&world->log_mutex);
    return found;
}

static void on_committed(void *context, uint64_t seq) {
    struct world *world = context;
    assert_true(seq > world->committed_seq); /* in order, each once */
    world->committed_seq = seq;
    world->commits++;
}

static void on_state(void *context) {
    ((struct world *)context)->state_changes++;
}

static void on_forgotten(void *context, const char *pool) {
    struct world *world = context;
    assert_true(*pool != '\0');
    world->forgotten++;
}

static void on_renewed(void *context, const char *kept_as) {
    struct world *world = context;
    world->renewals++;
    snprintf(world->kept_as, sizeof world->kept_as, "%s", kept_as != NULL ? kept_as : "");
}

int set_up(void **state) {
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

int each_file(struct world *world, void (*use)(void *context, const char *path), void *context) {
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

static void remove_file(void *context, const char *path) {
    (void)context;
    uv_fs_t request;
    uv_fs_unlink(NULL, &request, path, NULL);
    uv_fs_req_cleanup(&request);
}

jp_status try_open(struct world *world) {
    struct jp_store_options options = {
        .file = world->file,
        .flush_interval_ms = world->flush_interval_ms,
        .hold_ms = world->hold_ms,
        .max_backlog = world->max_backlog,
        .retention = world->retention,
        .log = &world->log,
        .loop = &world->loop,
        .context = world,
        .on_committed = on_committed,
        .on_state = on_state,
        .on_renewed = on_renewed,
        .on_forgotten = on_forgotten,
        .hurry = world->hurry,
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

void open_store(struct world *world) {
    if (try_open(world) != JP_OK)
        fail_msg("%s", world->error.text);
}

void out_of_patience(uv_timer_t *timer) {
    (void)timer;
    fail_msg("nothing happened for %d ms", PATIENCE_MS);
}

void await(struct world *world) {
    world->patience.data = world;
    uv_timer_start(&world->patience, out_of_patience, PATIENCE_MS, 0);
    while (!world->done)
        uv_run(&world->loop, UV_RUN_ONCE);
    uv_timer_stop(&world->patience);
    world->done = false;
}

void await_state(struct world *world, bool degraded) {
    uv_timer_start(&world->patience, out_of_patience, PATIENCE_MS, 0);
    int changes = world->state_changes;
    while (state_of(world).degraded != degraded || world->state_changes == changes)
        uv_run(&world->loop, UV_RUN_ONCE);
    uv_timer_stop(&world->patience);
}

void await_commit(struct world *world, uint64_t seq) {
    uv_timer_start(&world->patience, out_of_patience, PATIENCE_MS, 0);
    while (world->committed_seq < seq)
        uv_run(&world->loop, UV_RUN_ONCE);
    uv_timer_stop(&world->patience);
}

void note_closed(void *context, uint64_t lost) {
    struct world *world = context;
    world->lost = lost;
    world->store = NULL;
    world->done = true;
}

void close_store(struct world *world) {
    jp_store_close(world->store, note_closed, world);
    await(world);
}

int tear_down(void **state) {
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

/* --- retention --- */

const int64_t an_hour = INT64_C(36000000000), a_day = INT64_C(864000000000);

int64_t now_100ns(void) {
    uv_timespec64_t now = {0};
    uv_clock_gettime(UV_CLOCK_REALTIME, &now);
    return JP_UNIX_EPOCH_100NS + now.tv_sec * JP_100NS_PER_S + now.tv_nsec / 100;
}

int64_t hour_ago(int64_t hours) {
    return (now_100ns() / an_hour - hours) * an_hour;
}

struct purge_answer {
    struct world *world;
    jp_status status;
    struct jp_error error;
    struct jp_purged purged;
};

static void note_purged(void *context, jp_status status, const struct jp_error *error, const struct jp_purged *purged) {
    struct purge_answer *answer = context;
    answer->status = status;
    answer->error = *error;
    answer->purged = *purged;
    answer->world->done = true;
}

struct jp_purged purge(struct world *world, struct jp_purge_filter filter) {
    struct purge_answer answer = {.world = world};
    world->accounts->ops->purge(world->accounts, &filter, note_purged, &answer);
    await(world);
    if (answer.status != JP_OK)
        fail_msg("%s", answer.error.text);
    return answer.purged;
}

void retain(struct world *world, struct jp_retention retention) {
    assert_int_equal(wait_durable(world), JP_OK);
    int64_t last = state_of(world).last_purge_100ns;
    world->accounts->ops->set_retention(world->accounts, &retention);
    uv_timer_start(&world->patience, out_of_patience, PATIENCE_MS, 0);
    while (state_of(world).last_purge_100ns == last)
        uv_run(&world->loop, UV_RUN_ONCE);
    uv_timer_stop(&world->patience);
}

/* --- somebody else at the same database --- */

void overwrite(const char *file, int64_t offset, const char *bytes, unsigned length) {
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

sqlite3 *connect_other(const char *file) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, PATIENCE_MS); /* the store may be at its upkeep */
    return db;
}

void execute(sqlite3 *db, const char *sql) {
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

int64_t ask_number(const char *file, const char *sql) {
    sqlite3 *db = connect_other(file);
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

int64_t rows_of(struct world *world, const char *table) {
    char sql[64];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    return ask_number(world->file, sql);
}

void execute_alone(const char *file, const char *sql) {
    sqlite3 *db = connect_other(file);
    execute(db, sql);
    sqlite3_close(db);
}

/* --- records --- */

static const struct jp_event plain_event = {
    .time_100ns = 1000, .pool = "build", .message = "JOB_OBJECT_MSG_NEW_PROCESS", .origin = JP_ORIGIN_KERNEL};

void record_event(struct world *world, uint64_t seq) {
    struct jp_event event = plain_event;
    event.seq = seq;
    event.time_100ns = (int64_t)seq * 1000;
    world->accounts->ops->record_event(world->accounts, &event);
}

static char image[] = "C:\\tools\\\xE2\x82\xAC.exe", command_line[] = "cl.exe /c \"a b.c\"", user[] = "HOST\\ada";
char build[] = "build", test[] = "test";

struct jp_process_record full_record(int64_t id) {
    return (struct jp_process_record){
        .id = id,
        .pool = build,
        .facts = {.pid = (uint32_t)(4710 + id), .start_100ns = 132000000000000000, .parent_pid = 4, .session = 1, .image = image,
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

struct jp_process_record running_record(int64_t id) {
    return (struct jp_process_record){.id = id, .pool = build, .facts = {.pid = (uint32_t)id, .start_100ns = id * 10},
                                      .joined_100ns = id * 10, .joined_by = JP_ORIGIN_RECONCILER};
}

struct jp_process_record ended_record(int64_t id, int64_t start_100ns) {
    struct jp_process_record process = full_record(id);
    process.facts.start_100ns = start_100ns;
    process.joined_100ns = start_100ns + 5;
    process.ended_100ns = start_100ns + 10;
    return process;
}

void record(struct world *world, const struct jp_process_record *process) {
    world->accounts->ops->record_process(world->accounts, process);
}

void record_ended(struct world *world, int64_t first_id, int64_t count, int64_t start_100ns, int64_t step_100ns) {
    for (int64_t i = 0; i < count; i++) {
        struct jp_process_record process = ended_record(first_id + i, start_100ns + i * step_100ns);
        record(world, &process);
    }
}

static void assert_same_text(const char *one, const char *other) {
    if (one == NULL || other == NULL)
        assert_ptr_equal(one, other);
    else
        assert_string_equal(one, other);
}

void assert_same_process(const struct jp_process_record *one, const struct jp_process_record *other) {
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
    assert_int_equal(one->starting, other->starting);
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

struct answer *new_answer(struct world *world) {
    struct answer *answer = jp_alloc(sizeof *answer);
    answer->world = world;
    return answer;
}

static void note_answer(struct answer *answer, jp_status status, const struct jp_error *error, size_t count) {
    answer->status = status;
    if (status != JP_OK)
        answer->error = *error;
    answer->count = count;
    answer->world->done = true;
}

void note_events(void *context, jp_status status, const struct jp_error *error, const struct jp_event *events,
                 size_t count) {
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
                           const struct jp_process_record *records, size_t count) {
    struct answer *answer = context;
    note_answer(answer, status, error, count);
    for (size_t i = 0; i < count; i++)
        answer->keys[i] = (uint64_t)records[i].id;
    if (count > 0)
        jp_process_record_copy(&records[0], &answer->first_process);
}

static void note_summaries(void *context, jp_status status, const struct jp_error *error,
                           const struct jp_summary *summaries, size_t count) {
    struct answer *answer = context;
    note_answer(answer, status, error, count);
    for (size_t i = 0; i < count && i < 8; i++) {
        answer->summaries[i] = summaries[i];
        snprintf(answer->pools[i], sizeof answer->pools[i], "%s", summaries[i].pool);
    }
}

void free_answer(struct answer *answer) {
    jp_process_record_clear(&answer->first_process);
    jp_free(answer);
}

struct answer *ask_events(struct world *world, struct jp_event_filter filter) {
    struct answer *answer = new_answer(world);
    world->accounts->ops->query_events(world->accounts, &filter, note_events, answer);
    assert_false(world->done); /* never from within the call */
    await(world);
    return answer;
}

struct answer *ask_processes(struct world *world, struct jp_process_filter filter) {
    struct answer *answer = new_answer(world);
    world->accounts->ops->query_processes(world->accounts, &filter, note_processes, answer);
    assert_false(world->done);
    await(world);
    return answer;
}

struct answer *ask_summary(struct world *world, struct jp_summary_filter filter) {
    struct answer *answer = new_answer(world);
    world->accounts->ops->query_summary(world->accounts, &filter, note_summaries, answer);
    await(world);
    return answer;
}

struct jp_summary summary_of(struct world *world, struct jp_summary_filter filter) {
    struct answer *answer = ask_summary(world, filter);
    assert_int_equal(answer->status, JP_OK);
    assert_true(answer->count <= 1); /* the filter is of one pool */
    struct jp_summary summary = answer->summaries[0];
    summary.pool = NULL;
    free_answer(answer);
    return summary;
}

uint64_t processes_of(struct world *world, int64_t from_100ns, int64_t to_100ns) {
    return summary_of(world, (struct jp_summary_filter){.pool = "build", .from_100ns = from_100ns, .to_100ns = to_100ns}).processes;
}

void assert_same_summary(const struct jp_summary *one, const struct jp_summary *other) {
    assert_memory_equal(one, other, sizeof *one);
}

const char *keys_of(struct answer *answer) {
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

void note_durable(void *context, jp_status status) {
    struct durable *durable = context;
    durable->status = status;
    durable->calls++;
    durable->world->done = true;
}

jp_status wait_durable(struct world *world) {
    struct durable durable = {.world = world};
    world->accounts->ops->when_durable(world->accounts, note_durable, &durable);
    assert_int_equal(durable.calls, 0);
    await(world);
    assert_int_equal(durable.calls, 1);
    return durable.status;
}

struct jp_accounts_state state_of(struct world *world) {
    struct jp_accounts_state state;
    world->accounts->ops->state(world->accounts, &state);
    return state;
}
