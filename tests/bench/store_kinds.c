/* Events are one row each. A process is a row that is written when it starts, and again when it ends: a few hundred processes later, so that the two are
 * in different transactions, as they are for all but the shortest lives. */
#include "store_kinds.h"

#include "base/units.h"

#include <uv.h>

enum { LIFE = 1000 /* processes, that start meanwhile */, MOST_AT_ONCE = 1000 /* in a transaction, then */ };
_Static_assert(LIFE >= MOST_AT_ONCE, "no process starts and ends in one transaction");

static char pool[] = "build", image[] = "C:\\tools\\bin\\cl.exe", command_line[] = "cl.exe /nologo /c main.c", user[] = "BUILD\\agent";
static const char message[] = "JOB_OBJECT_MSG_NEW_PROCESS";

/* An hour from now: each event is later than the commit before it. */
static int64_t time_of(int64_t number) {
    static int64_t first_100ns;
    if (!first_100ns) {
        uv_timespec64_t now = {0};
        uv_clock_gettime(UV_CLOCK_REALTIME, &now);
        first_100ns = JP_UNIX_EPOCH_100NS + (now.tv_sec + 3600) * JP_100NS_PER_S + now.tv_nsec / 100;
    }
    return first_100ns + number;
}

/* --- events --- */

static void record_event(struct jp_accounts *accounts, int64_t number) {
    struct jp_event event = {.pool = pool, .message = message, .process = image, .origin = JP_ORIGIN_KERNEL, .seq = (uint64_t)number,
                             .time_100ns = time_of(number), .start_100ns = time_of(number), .pid = (uint32_t)number};
    accounts->ops->record_event(accounts, &event);
}

static void insert_event(struct jp_bare *bare, int64_t number) {
    sqlite3_stmt *insert = bare->statements[0];
    sqlite3_bind_int64(insert, 1, number);
    sqlite3_bind_int64(insert, 2, time_of(number));
    sqlite3_bind_text(insert, 3, pool, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 4, message, -1, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 5, number);
    sqlite3_bind_int64(insert, 6, time_of(number));
    sqlite3_bind_text(insert, 7, image, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 8, "kernel", -1, SQLITE_STATIC);
    sqlite3_bind_null(insert, 9);
    sqlite3_bind_null(insert, 10);
    jp_bench_step(bare, insert);
}

const struct jp_bench_kind jp_bench_events = {
    .name = "events",
    .record = record_event,
    .statements = {"INSERT INTO events VALUES(?,?,?,?,?,?,?,?,?,?)"},
    .insert = insert_event,
    .count_of_right_rows = "SELECT count(*) FROM events WHERE pool = 'build' AND message = 'JOB_OBJECT_MSG_NEW_PROCESS' AND process LIKE '%cl.exe'"
                           " AND origin = 'kernel' AND pid = seq AND start_100ns = time_100ns AND exit_code IS NULL AND detail IS NULL"
                           " AND time_100ns - seq = (SELECT min(time_100ns - seq) FROM events) AND ?1 > 0",
};

/* --- processes --- */

static void record_process(struct jp_accounts *accounts, int64_t number) {
    struct jp_process_record record = {.id = number, .pool = pool, .joined_100ns = time_of(number), .joined_by = JP_ORIGIN_KERNEL, .start_exact = true,
                                       .facts = {.pid = (uint32_t)number, .start_100ns = time_of(number), .parent_pid = 4, .session = 1,
                                                 .image = image, .command_line = command_line, .user = user}};
    accounts->ops->record_process(accounts, &record);
    if (number <= LIFE)
        return;
    record.id = number - LIFE;
    record.facts.pid = (uint32_t)record.id;
    record.facts.start_100ns = record.joined_100ns = time_of(record.id);
    record.ended_100ns = time_of(number);
    record.ending = JP_ENDING_EXITED;
    record.has_exit_code = true;
    record.usage = (struct jp_usage){.known = JP_USAGE_CPU, .user_100ns = 2 * (uint64_t)record.id, .kernel_100ns = (uint64_t)record.id};
    accounts->ops->record_process(accounts, &record);
}

static void insert_process(struct jp_bare *bare, int64_t number) {
    sqlite3_stmt *insert = bare->statements[0], *update = bare->statements[1];
    sqlite3_bind_int64(insert, 1, number);
    sqlite3_bind_text(insert, 2, pool, -1, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 3, number);
    sqlite3_bind_int64(insert, 4, time_of(number));
    sqlite3_bind_text(insert, 5, user, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 6, image, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 7, command_line, -1, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 8, time_of(number));
    jp_bench_step(bare, insert);
    if (number <= LIFE)
        return;
    sqlite3_bind_int64(update, 1, number - LIFE);
    sqlite3_bind_int64(update, 2, time_of(number));
    sqlite3_bind_int64(update, 3, 2 * (number - LIFE));
    sqlite3_bind_int64(update, 4, number - LIFE);
    jp_bench_step(bare, update);
}

const struct jp_bench_kind jp_bench_processes = {
    .name = "processes",
    .record = record_process,
    .statements = {"INSERT INTO processes(id, pool, pid, start_100ns, start_exact, parent_pid, session, user, image, command_line, joined_100ns, joined_by,"
                   " ending, run, starting) VALUES(?1, ?2, ?3, ?4, 1, 4, 1, ?5, ?6, ?7, ?8, 'kernel', 'running', 1, 0)",
                   "UPDATE processes SET ended_100ns = ?2, ending = 'exited', exit_code = 0, user_100ns = ?3, kernel_100ns = ?4 WHERE id = ?1"},
    .insert = insert_process,
    .count_of_right_rows = "SELECT count(*) FROM processes WHERE pool = 'build' AND pid = id AND run = 1 AND command_line LIKE 'cl.exe %'"
                           " AND (id > ?1 - 1000) = (ending = 'running') AND (ending = 'running' OR user_100ns = 2 * id AND exit_code = 0)"
                           " AND (SELECT coalesce(sum(processes), 0) FROM pool_totals) = max(?1 - 1000, 0)",
};
