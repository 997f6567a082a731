/* What a row costs in the store, for the counts of tests/counts: how often so many rows make the process write, and how many bytes. Under
 * callgrind the instructions of all threads are counted as well, in a dump "rows COUNT".
 *
 * A row of a process is recorded twice, as each is: when it joins, and when it has ended. Every batch is one commit, waited for. The first one
 * is not counted: threads start, statements are prepared, the first pages come. Nor is the writer's first upkeep, which follows it: it is waited
 * for, because how much of it fell among the rows would be chance. */
#include "base/str.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>

/* A flush interval that is never over: then a batch is committed when it is waited for. */
enum { NEVER_MS = 3600 * 1000, MAX_COUNT = 1000000, USAGE_ERROR = 64 };

static const int64_t first_100ns = 133000000000000000;

static uv_loop_t loop;
static struct jp_store *store;
static bool done;

static _Noreturn void fail(const char *what, const char *why) {
    fprintf(stderr, "record_counts: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static void await(void) {
    while (!done)
        uv_run(&loop, UV_RUN_ONCE);
    done = false;
}

/* Its next one is a minute later. */
static void await_upkeep(void) {
    struct jp_accounts *accounts = jp_store_accounts(store);
    struct jp_accounts_state state;
    for (;;) {
        accounts->ops->state(accounts, &state);
        if (state.last_purge_100ns != 0)
            return;
        uv_run(&loop, UV_RUN_ONCE);
    }
}

static void open_store(const char *file) {
    struct jp_store_options options = {.file = file, .flush_interval_ms = NEVER_MS, .loop = &loop, .retention.events_100ns = INT64_MAX};
    struct jp_accounts_start start = {0};
    struct jp_error error = {0};
    uv_loop_init(&loop);
    if (jp_store_open(&options, &store, &start, &error) != JP_OK)
        fail("cannot open the store", error.text);
    jp_accounts_start_clear(&start);
}

static void on_closed(void *context, uint64_t lost) {
    (void)context;
    if (lost > 0)
        fail("cannot close the store", "records were lost");
    done = true;
}

static void on_durable(void *context, jp_status status) {
    (void)context;
    if (status != JP_OK)
        fail("cannot record", "the database refuses to be written");
    done = true;
}

static void commit(struct jp_accounts *accounts) {
    accounts->ops->when_durable(accounts, on_durable, NULL);
    await();
}

static void record_events(uint64_t first, uint64_t count) {
    struct jp_accounts *accounts = jp_store_accounts(store);
    struct jp_event event = {.pool = "build", .message = "JOB_OBJECT_MSG_NEW_PROCESS", .process = "cl.exe", .origin = JP_ORIGIN_KERNEL};
    for (uint64_t i = 0; i < count; i++) {
        event.seq = first + i;
        event.time_100ns = event.start_100ns = first_100ns + (int64_t)event.seq;
        event.pid = (uint32_t)event.seq;
        accounts->ops->record_event(accounts, &event);
    }
    commit(accounts);
}

static void record_process(struct jp_accounts *accounts, int64_t id, bool ended) {
    char pool[] = "build", image[] = "C:\\tools\\cl.exe", line[] = "cl.exe /nologo /c main.c", user[] = "BUILD\\agent";
    struct jp_process_record row = {.id = id, .run = 1, .pool = pool, .start_exact = true, .joined_100ns = first_100ns + id, .joined_by = JP_ORIGIN_KERNEL,
                                    .facts = {.pid = (uint32_t)id, .start_100ns = first_100ns + id, .session = 1, .image = image, .command_line = line,
                                              .user = user}};
    if (ended) {
        row.ended_100ns = row.joined_100ns + 10000000;
        row.ending = JP_ENDING_EXITED;
        row.has_exit_code = true;
        row.usage.known = JP_USAGE_CPU;
        row.usage.user_100ns = 5000000;
    }
    accounts->ops->record_process(accounts, &row);
}

static void record_processes(uint64_t first, uint64_t count) {
    struct jp_accounts *accounts = jp_store_accounts(store);
    for (int ended = 0; ended < 2; ended++) {
        for (uint64_t i = 0; i < count; i++)
            record_process(accounts, (int64_t)(first + i), ended);
        commit(accounts);
    }
}

/* What the process has written so far, files and whatever else; in calls, and in bytes. */
static void read_written(uint64_t *ret_calls, uint64_t *ret_bytes) {
    char line[128];
    FILE *file = fopen("/proc/self/io", "r");
    if (!file)
        fail("cannot read", "/proc/self/io");
    while (fgets(line, sizeof line, file)) {
        sscanf(line, "syscw: %" SCNu64, ret_calls);
        sscanf(line, "wchar: %" SCNu64, ret_bytes);
    }
    fclose(file);
}

static void count_rows(void (*record)(uint64_t first, uint64_t count), uint64_t count, uint64_t batch) {
    uint64_t calls = 0, bytes = 0, calls_then = 0, bytes_then = 0;
    record(1, batch);
    await_upkeep();
    read_written(&calls_then, &bytes_then);
    CALLGRIND_ZERO_STATS;
    for (uint64_t at = 0; at < count; at += batch)
        record(1 + batch + at, batch);
    char *title = jp_sprintf("rows %" PRIu64, count);
    CALLGRIND_DUMP_STATS_AT(title);
    jp_free(title);
    read_written(&calls, &bytes);
    printf("{\"rows\": %" PRIu64 ", \"commits\": %" PRIu64 ", \"writes\": %" PRIu64 ", \"bytes\": %" PRIu64 "}\n", count,
           record == record_processes ? 2 * count / batch : count / batch, calls - calls_then, bytes - bytes_then);
}

int main(int argc, char **argv) {
    uint64_t count = argc == 5 ? strtoull(argv[3], NULL, 10) : 0, batch = argc == 5 ? strtoull(argv[4], NULL, 10) : 0;
    bool events = argc == 5 && strcmp(argv[1], "events") == 0;
    if (argc != 5 || (!events && strcmp(argv[1], "processes") != 0) || count == 0 || count > MAX_COUNT || batch == 0 || count % batch) {
        fputs("record_counts events|processes FILE COUNT BATCH: writes so many rows to the new database FILE, BATCH in a transaction\n", stderr);
        return USAGE_ERROR;
    }
    open_store(argv[2]);
    count_rows(events ? record_events : record_processes, count, batch);
    jp_store_close(store, on_closed, NULL);
    await();
    uv_loop_close(&loop);
    return 0;
}
