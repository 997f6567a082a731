/* Job messages, from the completion port to committed rows and to a subscriber's lines, beside the two things that must be done: taking the same
 * packets from a port, and inserting the same rows. Prints one line of JSON: messages a second of all three.
 *
 * The daemon runs in this program, with its platform of Windows: port, pools, database, pipe and subscriptions are the service's own. The
 * packets are posted as jobs would post them, while the port's thread is held at a gate before the daemon, so that posting is in nobody's time:
 * from the opening of the gate to the last line that the client at the pipe reads, each of which is sent when its row is on the disk.
 *
 * "limits" are messages that say all themselves. "processes" come and go, NEW_PROCESS and EXIT_PROCESS of pids that nobody has: each makes an
 * event, and the two a row of a process; the service asks Windows who it is, and is told that there is nobody. (Processes that exist cannot be
 * made as fast as that.)
 *
 * Inserting is SQLite alone, with the rows that the daemon wrote, in its tables, and as many in a commit as came in a flush interval. Taking is
 * GetQueuedCompletionStatusEx with as much room as the service's thread has. */
#include "../e2e/programs/pipe_io.h"
#include "base/str.h"
#include "base/units.h"
#include "daemon/daemon_internal.h"
#include "job/messages.h"
#include "service/platform.h"
#include "win32/internal.h"

#include <process.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USAGE_ERROR = 64, MAX_COUNT = 60000, TAKE = 256, FLUSH_MS = 50, FIRST_PID = 4000000, MAX_COLUMNS = 32 };

static struct {
    const struct jp_daemon_platform *platform; /* of the service */
    struct jp_daemon *daemon;
    struct jp_daemon_sinks sinks; /* of the daemon */
    struct jp_win32_port *port;
    uint64_t key; /* of the pool's job */
    HANDLE running, gate; /* events */
} bench;

static _Noreturn void fail(const char *what, const char *why) {
    fprintf(stderr, "messages_bench: %s: %s (Windows error %lu)\n", what, why, (unsigned long)GetLastError());
    exit(EXIT_FAILURE);
}

static double now_s(void) { return (double)uv_hrtime() / 1e9; }

/* What a job says as message `number`. */
static struct jp_job_packet packet_of(bool processes, uint64_t key, size_t number) {
    if (!processes)
        return (struct jp_job_packet){.key = key, .message = JP_MSG_PROCESS_MEMORY_LIMIT, .pid = FIRST_PID + 4 * (uint32_t)number};
    return (struct jp_job_packet){.key = key, .message = number % 2 ? JP_MSG_EXIT_PROCESS : JP_MSG_NEW_PROCESS, .pid = FIRST_PID + 4 * (uint32_t)(number / 2)};
}

/* --- the daemon, with a gate behind its port --- */

static size_t gated_packets(void *context, const struct jp_job_packet *packets, size_t count) {
    (void)context;
    WaitForSingleObject(bench.gate, INFINITE);
    return bench.sinks.packets(bench.sinks.context, packets, count);
}

static void gated_exits(void *context, const uint64_t *watches, size_t count) {
    (void)context;
    bench.sinks.exits(bench.sinks.context, watches, count);
}

static jp_status gated_backend(void *context, const struct jp_daemon_sinks *sinks, const struct jp_log *log, struct jp_backend **ret_backend,
                               struct jp_error *error) {
    struct jp_daemon_sinks gated = {.packets = gated_packets, .exits = gated_exits};
    bench.sinks = *sinks;
    jp_status status = bench.platform->backend_new(context, &gated, log, ret_backend, error);
    if (status == JP_OK)
        bench.port = jp__backend(*ret_backend)->port;
    return status;
}

static void on_running(void *context) {
    (void)context;
    bench.key = jp_pools_find(bench.daemon->pools, "bench")->jobs[0]->key;
    SetEvent(bench.running);
}

static void on_progress(void *context, uint32_t wait_hint_ms) { (void)context, (void)wait_hint_ms; }
static void on_reloaded(void *context, bool taken, const char *what) { (void)context, (void)taken, (void)what; }
static void on_alarm(void *context, const char *text) {
    (void)context;
    fail("the daemon has an alarm", text);
}

static unsigned __stdcall run_daemon(void *context) {
    struct jp_error error;
    char *faults;
    (void)context;
    if (jp_daemon_run(bench.daemon, &error, &faults))
        fail("the daemon", error.text);
    return 0;
}

static HANDLE start_daemon(const char *config_file) {
    static struct jp_daemon_platform platform;
    static const struct jp_log quiet = {.level = JP_LOG_ERROR};
    bench.platform = jp_service_platform(JP_TRUST_ANYONE);
    platform = *bench.platform;
    platform.backend_new = gated_backend;
    struct jp_daemon_options options = {.program = "messages_bench", .version = "0", .config_file = config_file, .platform = &platform, .console = &quiet,
                                        .on_running = on_running, .on_progress = on_progress, .on_reloaded = on_reloaded, .on_alarm = on_alarm};
    bench.running = CreateEventW(NULL, TRUE, FALSE, NULL);
    bench.gate = CreateEventW(NULL, TRUE, FALSE, NULL);
    bench.daemon = jp_daemon_new(&options);
    HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, run_daemon, NULL, 0, NULL);
    if (!thread || WaitForSingleObject(bench.running, 60000) != WAIT_OBJECT_0)
        fail("the daemon", "it does not start");
    return thread;
}

static void stop_daemon(HANDLE thread) {
    jp_daemon_stop(bench.daemon);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    jp_daemon_free(bench.daemon);
}

/* --- the subscriber --- */

static HANDLE subscribe(const char *pipe_name) {
    static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events.subscribe\",\"params\":{\"pools\":[\"bench\"],\"messages\":["
                                  "\"JOB_OBJECT_MSG_NEW_PROCESS\",\"JOB_OBJECT_MSG_EXIT_PROCESS\",\"JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT\"]}}\n";
    char *path = jp_sprintf("\\\\.\\pipe\\%s", pipe_name), answer[1024];
    DWORD length;
    HANDLE pipe = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, SECURITY_SQOS_PRESENT | SECURITY_IMPERSONATION, NULL);
    if (pipe == INVALID_HANDLE_VALUE || !send_all(pipe, request, sizeof request - 1) || !ReadFile(pipe, answer, sizeof answer - 1, &length, NULL))
        fail("cannot subscribe", path);
    answer[length] = '\0';
    if (!strstr(answer, "\"result\""))
        fail("cannot subscribe", answer);
    jp_free(path);
    return pipe;
}

/* Lines of events; others tell of gaps, which are filled. */
static void read_lines(HANDLE pipe, size_t count) {
    static char buffer[1 << 18];
    size_t used = 0;
    DWORD length;
    while (count > 0) {
        if (!ReadFile(pipe, buffer + used, (DWORD)(sizeof buffer - used), &length, NULL))
            fail("the subscriber", "nothing more comes");
        used += length;
        char *line = buffer, *end;
        while ((end = memchr(line, '\n', used - (size_t)(line - buffer))) != NULL) {
            *end = '\0';
            count -= strstr(line, "\"seq\":") != NULL;
            line = end + 1;
        }
        used -= (size_t)(line - buffer);
        memmove(buffer, line, used);
    }
}

static double time_messages(const char *pipe_name, bool processes, size_t count) {
    HANDLE pipe = subscribe(pipe_name);
    for (size_t i = 0; i < count; i++) {
        struct jp_job_packet packet = packet_of(processes, bench.key, i);
        jp_win32_port_say(bench.port, &packet);
    }
    double begin = now_s();
    SetEvent(bench.gate);
    read_lines(pipe, count);
    double seconds = now_s() - begin;
    CloseHandle(pipe);
    return seconds;
}

/* --- taking the packets --- */

static double time_taking(bool processes, size_t count) {
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    OVERLAPPED_ENTRY entries[TAKE];
    ULONG taken;
    for (size_t i = 0; i < count; i++) {
        struct jp_job_packet packet = packet_of(processes, JP_WIN32_FIRST_JOB_KEY, i);
        if (!PostQueuedCompletionStatus(port, packet.message, packet.key, (OVERLAPPED *)(uintptr_t)packet.pid))
            fail("cannot post", "PostQueuedCompletionStatus");
    }
    double begin = now_s();
    for (size_t left = count; left > 0; left -= taken)
        if (!GetQueuedCompletionStatusEx(port, entries, TAKE, &taken, INFINITE, FALSE))
            fail("cannot take", "GetQueuedCompletionStatusEx");
    double seconds = now_s() - begin;
    CloseHandle(port);
    return seconds;
}

/* --- inserting the rows --- */

struct table {
    sqlite3_value **values; /* row by row */
    size_t rows;
    int columns;
    sqlite3_stmt *insert;
};

static sqlite3_stmt *prepared(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail(sql, sqlite3_errmsg(db));
    return statement;
}

/* The rows that the daemon wrote; they are inserted again under numbers that follow. */
static void load(sqlite3 *db, const char *name, struct table *table) {
    struct jp_str sql = {0};
    jp_str_printf(&sql, "SELECT * FROM %s WHERE pool = 'bench' AND pid >= %d ORDER BY 1", name, FIRST_PID);
    sqlite3_stmt *statement = prepared(db, jp_str_text(&sql));
    table->columns = sqlite3_column_count(statement);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        table->values = jp_realloc_array(table->values, (table->rows + 1) * (size_t)table->columns, sizeof *table->values);
        for (int i = 0; i < table->columns; i++)
            table->values[table->rows * (size_t)table->columns + (size_t)i] = sqlite3_value_dup(sqlite3_column_value(statement, i));
        table->rows++;
    }
    sqlite3_finalize(statement);
    jp_str_clear(&sql);
    jp_str_printf(&sql, "INSERT OR REPLACE INTO %s VALUES(?", name);
    for (int i = 1; i < table->columns; i++)
        jp_str_puts(&sql, ",?");
    jp_str_puts(&sql, ")");
    table->insert = prepared(db, jp_str_text(&sql));
    jp_str_free(&sql);
}

static void bind_value(sqlite3_stmt *statement, int parameter, sqlite3_value *value, int64_t add) {
    switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: sqlite3_bind_int64(statement, parameter, sqlite3_value_int64(value) + add); break;
    case SQLITE_TEXT: sqlite3_bind_text(statement, parameter, (const char *)sqlite3_value_text(value), sqlite3_value_bytes(value), SQLITE_STATIC); break;
    default: sqlite3_bind_null(statement, parameter); break;
    }
}

static void run(sqlite3 *db, sqlite3_stmt *statement) {
    sqlite3_step(statement);
    if (sqlite3_reset(statement) != SQLITE_OK)
        fail("cannot write", sqlite3_errmsg(db));
}

/* Other processes at another time: the number, the pid and the beginning are later ones, so that no row stands in the way. */
static void insert(sqlite3 *db, struct table *table, size_t from, size_t to, bool processes) {
    for (size_t row = from; row < to && row < table->rows; row++) {
        for (int i = 0; i < table->columns; i++)
            bind_value(table->insert, i + 1, table->values[row * (size_t)table->columns + (size_t)i], i == 0 || (processes && i == 2) ? 10 * MAX_COUNT : 0);
        run(db, table->insert);
    }
}

static double time_inserting(const char *file, size_t count, size_t batch) {
    sqlite3 *db = NULL;
    struct table events = {0}, processes = {0};
    if (sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
        sqlite3_exec(db, "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216; PRAGMA recursive_triggers = ON", NULL, NULL, NULL) != SQLITE_OK)
        fail(file, sqlite3_errmsg(db));
    load(db, "events", &events);
    load(db, "processes", &processes);
    if (events.rows != count || (processes.rows != 0 && processes.rows != count / 2))
        fail(file, "the rows are not what the messages said");
    sqlite3_stmt *begin_transaction = prepared(db, "BEGIN IMMEDIATE"), *commit = prepared(db, "COMMIT");
    double begin = now_s();
    for (size_t from = 0; from < count; from += batch) {
        run(db, begin_transaction);
        insert(db, &processes, from * processes.rows / count, (from + batch) * processes.rows / count, true);
        insert(db, &events, from, from + batch, false);
        run(db, commit);
    }
    return now_s() - begin; /* the rest goes with the program */
}

/* --- the run --- */

static char *write_config(const char *folder, const char *pipe_name) {
    char *path = jp_sprintf("%s\\messages.json", folder);
    FILE *file = fopen(path, "w");
    if (!file)
        fail(path, "cannot be written");
    fputs("{\"database\": {\"file\": \"", file);
    for (const char *at = folder; *at; at++)
        fputs(*at == '\\' ? "\\\\" : (char[]){*at, '\0'}, file);
    fprintf(file, "\\\\messages.db\"}, \"pipe\": {\"name\": \"%s\"}, \"pools\": {\"bench\": {}}}\n", pipe_name);
    if (fclose(file))
        fail(path, "cannot be written");
    return path;
}

static char *utf8(const wchar_t *text) {
    char *bytes = jp_alloc(1024);
    if (!WideCharToMultiByte(CP_UTF8, 0, text, -1, bytes, 1024, NULL, NULL))
        fail("the folder", "has no name in UTF-8");
    return bytes;
}

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv) {
    static const char pipe_name[] = "jobpool-bench-messages";
    size_t count = argc == 4 ? wcstoul(argv[3], NULL, 10) / 2 * 2 : 0;
    bool processes = argc == 4 && wcscmp(argv[2], L"processes") == 0;
    if (count == 0 || count > MAX_COUNT || (!processes && wcscmp(argv[2], L"limits") != 0)) {
        fputs("messages_bench FOLDER limits|processes COUNT: so many messages, with a database in the folder\n", stderr);
        return USAGE_ERROR;
    }
    char *folder = utf8(argv[1]), *config = write_config(folder, pipe_name), *database = jp_sprintf("%s\\messages.db", folder);
    double taking = time_taking(processes, count);
    HANDLE daemon = start_daemon(config);
    double ours = time_messages(pipe_name, processes, count);
    stop_daemon(daemon);
    size_t batch = (size_t)((double)count * FLUSH_MS / 1000 / ours) + 1;
    double inserting = time_inserting(database, count, batch);
    double number = (double)count;
    printf("{\"ours\": %.1f, \"taking\": %.1f, \"inserting\": %.1f}\n", number / ours, number / taking, number / inserting);
    return 0;
}
