/* What one tick costs: a look at all processes of the machine and what the pools make of it, beside the bare system call. The real
 * backend, pools with every limit that the service keeps (none of them reached), members that sleep; only the accounts are in memory.
 *
 * Says "ready" when all members are there, then answers each line of its input, a number, with one of JSON: medians of so many
 * ticks and calls. At the end of its input it ends the members. That no tick is due while there are none is asked before, and after. */
#include "../sim/ledger.h"

#include "base/str.h"
#include "pool/pools.h"
#include "win32/backend.h"
#include "win32/clock.h"
#include "win32/wide.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <winternl.h>

enum { USAGE_ERROR = 64, MAX_PROCESSES = 10000, MAX_POOLS = 1000, ROOTS = 4, MAX_COUNT = 1000000, PATIENCE_MS = 60000, STEP_MS = 10,
       SETTLE_MS = 2500, BARE_SIZE = 16 << 20 };

static const char spec_text[] =
    "{\"on_service_stop\":\"terminate\","
    "\"limits\":{\"process_memory\":\"1GiB\",\"job_memory\":\"900GiB\",\"process_time\":\"1h\",\"job_time\":\"30d\"},"
    "\"timeouts\":{\"wall_clock\":\"1d\",\"idle\":\"1h\",\"pool_wall_clock\":\"7d\"},"
    "\"memory_policy\":{\"soft\":\"900000GiB\",\"hard\":\"1000000GiB\",\"action\":\"terminate_largest\"},"
    "\"notify\":{\"job_memory\":\"1000000GiB\",\"cpu_time\":\"30d\"}}";

static struct jp_backend *backend;
static struct jp_ledger *ledger;
static struct jp_pools *pools;
static struct jp_error error;

static void fail(const char *what, const char *why) {
    fprintf(stderr, "tick_bench: %s%s%s\n", what, why ? ": " : "", why ? why : "");
    if (backend)
        TerminateProcess(GetCurrentProcess(), EXIT_FAILURE); /* the members end with their jobs' handles */
    exit(EXIT_FAILURE);
}

/* --- what the port tells --- */

struct told {
    struct jp_job_packet packet; /* or: */
    uint64_t watch;
};
static struct told *told;
static size_t told_count;
static CRITICAL_SECTION told_lock;

static void add_told(const struct told *one) {
    EnterCriticalSection(&told_lock);
    told = jp_realloc_array(told, told_count + 1, sizeof *told);
    told[told_count++] = *one;
    LeaveCriticalSection(&told_lock);
}

static size_t on_packets(void *context, const struct jp_job_packet *packets, size_t count) {
    (void)context;
    for (size_t i = 0; i < count; i++)
        add_told(&(struct told){.packet = packets[i]});
    return count;
}

static void on_exits(void *context, const uint64_t *watches, size_t count) {
    (void)context;
    for (size_t i = 0; i < count; i++)
        add_told(&(struct told){.watch = watches[i]});
}

/* What the loop does when it wakes up, less the look at the processes. */
static void turn(void) {
    EnterCriticalSection(&told_lock);
    struct told *items = told;
    size_t count = told_count;
    told = NULL;
    told_count = 0;
    LeaveCriticalSection(&told_lock);
    for (size_t i = 0; i < count; i++)
        if (items[i].watch)
            jp_pools_on_exit(pools, items[i].watch);
        else
            jp_pools_on_packets(pools, &items[i].packet, 1);
    jp_free(items);
    jp_pools_on_time(pools);
    jp_ledger_commit(ledger);
}

static void turn_for(uint64_t ms) {
    for (uint64_t until = jp_win32_now_ms() + ms; jp_win32_now_ms() < until; Sleep(STEP_MS))
        turn();
}

/* --- ticks --- */

static int64_t clock_ticks(void) {
    LARGE_INTEGER now;
    QueryPerformanceCounter(&now);
    return now.QuadPart;
}

enum side { BARE, TICK, SAMPLE, POOLS, SIDES }; /* the sample and the pools' work are the tick's two parts */

static void tick(int64_t *cost) {
    struct jp_samples samples = {0};
    int64_t begin = clock_ticks();
    jp_status status = backend->ops->sample(backend, &samples, &error);
    int64_t sampled = clock_ticks();
    jp_pools_on_sample(pools, status, &samples, &error);
    jp_pools_on_time(pools);
    int64_t end = clock_ticks();
    if (status)
        fail("there is no sample", error.text);
    cost[TICK] = end - begin;
    cost[SAMPLE] = sampled - begin;
    cost[POOLS] = end - sampled;
}

static void bare_call(int64_t *cost) {
    static char *buffer;
    if (!buffer)
        buffer = jp_alloc(BARE_SIZE);
    ULONG needed = 0;
    int64_t begin = clock_ticks();
    NTSTATUS status = NtQuerySystemInformation(SystemProcessInformation, buffer, BARE_SIZE, &needed);
    cost[BARE] = clock_ticks() - begin;
    if (!NT_SUCCESS(status))
        fail("the system call fails", NULL);
}

static int compare(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* In microseconds. */
static double median(int64_t (*costs)[SIDES], size_t count, enum side side) {
    LARGE_INTEGER frequency;
    QueryPerformanceFrequency(&frequency);
    int64_t *sorted = jp_realloc_array(NULL, count, sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = costs[i][side];
    qsort(sorted, count, sizeof *sorted, compare);
    double us = (double)sorted[(count - 1) / 2] * 1e6 / (double)frequency.QuadPart;
    jp_free(sorted);
    return us;
}

/* One of each in turn, the other one first every second time: what disturbs lasts longer than one, and so meets both. The first of
 * each is not counted: it touches what the others find. */
static void measure(size_t count) {
    int64_t (*costs)[SIDES] = jp_realloc_array(NULL, count + 1, sizeof *costs);
    for (size_t i = 0; i <= count; i++) {
        if (i % 2 == 0)
            bare_call(costs[i]);
        tick(costs[i]);
        if (i % 2 != 0)
            bare_call(costs[i]);
    }
    printf("{\"tick_us\": %.1f, \"bare_us\": %.1f, \"sample_us\": %.1f, \"pools_us\": %.1f}\n", median(costs + 1, count, TICK),
           median(costs + 1, count, BARE), median(costs + 1, count, SAMPLE), median(costs + 1, count, POOLS));
    fflush(stdout);
    jp_free(costs);
}

/* --- pools and members --- */

static int64_t now_100ns(void *context) {
    (void)context;
    return jp_win32_now_100ns();
}

static uint64_t now_ms(void *context) {
    (void)context;
    return jp_win32_now_ms();
}

static uint64_t awake_ms(void *context) {
    (void)context;
    return jp_win32_awake_ms();
}

static void on_event(void *context, const struct jp_event *event) {
    (void)context;
    (void)event;
}

static void open_world(void) {
    struct jp_win32_backend_options options = {.sinks = {.packets = on_packets, .exits = on_exits}};
    InitializeCriticalSection(&told_lock);
    if (jp_win32_backend_new(&options, &backend, &error))
        fail("there is no backend", error.text);
    ledger = jp_ledger_new();
    struct jp_pools_surroundings surroundings = {.backend = backend, .accounts = jp_ledger_accounts(ledger), .now_100ns = now_100ns,
                                                 .now_ms = now_ms, .awake_ms = awake_ms, .total_ms = now_ms, .on_event = on_event};
    pools = jp_pools_new(&surroundings, &(struct jp_accounts_start){0});
}

/* Four pools at the top, each with a chain below it. */
static void create_pools(size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct jp_pool_spec spec = {0};
        struct jp_faults faults = {0};
        struct jp_pool *pool;
        char *name = jp_sprintf("bench%zu", i), *parent = jp_sprintf("bench%zu", i - ROOTS);
        cJSON *json = cJSON_Parse(spec_text);
        if (i >= ROOTS)
            cJSON_AddStringToObject(json, "parent", parent);
        if (!json || !jp_schema_read(&(struct jp_schema_context){.faults = &faults}, jp_pool_fields, json, "", &spec) ||
            !jp_pool_spec_check(&spec, json, "", &faults))
            fail("the pool's text is wrong", faults.count ? faults.items[0].text : NULL);
        if (jp_pools_create(pools, name, &spec, false, &pool, &error))
            fail("a pool cannot be made", error.text);
        cJSON_Delete(json);
        jp_schema_clear(jp_pool_fields, &spec);
        jp_free(name);
        jp_free(parent);
    }
}

static char *sleeper(void) {
    wchar_t path[MAX_PATH];
    DWORD length = GetModuleFileNameW(NULL, path, MAX_PATH);
    if (length == 0 || length == MAX_PATH)
        fail("its own path cannot be read", NULL);
    char *own = jp_win32_utf8(path), *line = jp_sprintf("\"%s\" sleep", own);
    jp_free(own);
    return line;
}

static void on_joined(void *context, jp_status status, const struct jp_error *why, const struct jp_process_record *record, uint64_t seq) {
    (void)record;
    (void)seq;
    *(jp_status *)context = status;
    if (status)
        error = *why;
}

static void launch(struct jp_pool *pool, const char *command_line) {
    const struct jp_launch wanted = {.command_line = command_line};
    jp_status status = JP_E_INTERNAL;
    for (int tries = 0; tries < 3 && status; tries++) { /* Wine fails at one in some thousands, on a busy machine */
        jp_pools_join(pools, &(struct jp_joining){.pool = pool, .launch = &wanted, .callback = on_joined, .context = &status});
        turn();
    }
    if (status)
        fail("a process cannot be started", error.text);
}

static void expect_no_ticks(const char *when) {
    if (jp_pools_next_sample_ms(pools) != UINT64_MAX)
        fail("a tick is due, though no pool needs one", when);
}

/* All of them are members, and were seen. */
static void expect_members(size_t count) {
    size_t pool_count, members = 0;
    struct jp_pool *const *all = jp_pools_sorted(pools, &pool_count);
    for (size_t i = 0; i < pool_count; i++)
        for (const struct jp_member *member = all[i]->first_member; member; member = member->next, members++)
            if (!member->commit_bytes)
                fail("a member was not seen in the sample", all[i]->name);
    if (members != count)
        fail("members are missing", NULL);
    if (jp_pools_next_sample_ms(pools) == UINT64_MAX)
        fail("no tick is due, though pools need them", NULL);
}

static void start_members(size_t count) {
    char *command_line = sleeper();
    size_t pool_count;
    struct jp_pool *const *all = jp_pools_sorted(pools, &pool_count);
    for (size_t i = 0; i < count; i++)
        launch(all[i % pool_count], command_line);
    jp_free(command_line);
    turn_for(SETTLE_MS); /* until all are known, and what ended while they started is forgotten */
    tick((int64_t[SIDES]){0});
    expect_members(count);
}

static void end_members(void) {
    size_t pool_count, ended;
    struct jp_pool *const *all = jp_pools_sorted(pools, &pool_count);
    for (size_t i = 0; i < pool_count; i++)
        if (!all[i]->parent && jp_pools_terminate(pools, all[i], 1, &ended, &error))
            fail("a pool cannot be ended", error.text);
    for (uint64_t until = jp_win32_now_ms() + PATIENCE_MS; jp_pools_member_count(pools) && jp_win32_now_ms() < until;)
        turn_for(STEP_MS);
    if (jp_pools_member_count(pools))
        fail("members do not end", NULL);
    tick((int64_t[SIDES]){0}); /* the one that was due */
    turn_for(SETTLE_MS);
}

static void close_world(void) {
    jp_ledger_commit(ledger);
    jp_pools_free(pools);
    jp_ledger_free(ledger);
    jp_win32_backend_free(backend);
}

/* --- what it is asked --- */

static void serve(size_t members) {
    char line[64];
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        unsigned long count = strtoul(line, NULL, 10);
        if (count == 0 || count > MAX_COUNT)
            fail("that is no number of ticks", line);
        measure(count);
        turn();
        expect_members(members);
    }
}

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv) {
    if (argc == 2 && wcscmp(argv[1], L"sleep") == 0) {
        Sleep(INFINITE);
        return 0;
    }
    unsigned long members = argc == 3 ? wcstoul(argv[1], NULL, 10) : 0, pool_count = argc == 3 ? wcstoul(argv[2], NULL, 10) : 0;
    if (members < pool_count || members > MAX_PROCESSES || pool_count == 0 || pool_count > MAX_POOLS) {
        fputs("tick_bench PROCESSES POOLS: times ticks with so many; each line of its input is a number of ticks to time\n", stderr);
        return USAGE_ERROR;
    }
    open_world();
    create_pools(pool_count);
    expect_no_ticks("the pools are empty");
    start_members(members);
    serve(members);
    end_members();
    expect_no_ticks("all members have ended");
    close_world();
    return 0;
}
