/* The Windows layer against the host that it runs on: job objects, processes, the port. Prints TAP.
 *
 * Under Wine some of it cannot be seen; those points are skipped with the reason. Children are this program again. */
#include "tap.h"

#include "base/str.h"
#include "job/configure.h"
#include "win32/backend.h"
#include "win32/clock.h"
#include "win32/principal.h"
#include "win32/wide.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- what the port tells --- */

struct told {
    bool is_exit;
    struct jp_job_packet packet;
    uint64_t watch;
};
enum { TOLD_MAX = 4096 };
static struct told told[TOLD_MAX];
static size_t told_count;
static CRITICAL_SECTION told_lock;
static CONDITION_VARIABLE told_more = CONDITION_VARIABLE_INIT;

static size_t on_packets(void *context, const struct jp_job_packet *packets, size_t count) {
    (void)context;
    EnterCriticalSection(&told_lock);
    for (size_t i = 0; i < count && told_count < TOLD_MAX; i++)
        told[told_count++] = (struct told){.packet = packets[i]};
    LeaveCriticalSection(&told_lock);
    WakeAllConditionVariable(&told_more);
    return count;
}

static void on_exits(void *context, const uint64_t *watches, size_t count) {
    (void)context;
    EnterCriticalSection(&told_lock);
    for (size_t i = 0; i < count && told_count < TOLD_MAX; i++)
        told[told_count++] = (struct told){.is_exit = true, .watch = watches[i]};
    LeaveCriticalSection(&told_lock);
    WakeAllConditionVariable(&told_more);
}

static bool same(const struct told *one, const struct told *other) {
    return one->is_exit == other->is_exit &&
           (one->is_exit ? one->watch == other->watch
                         : one->packet.key == other->packet.key && one->packet.message == other->packet.message &&
                               one->packet.pid == other->packet.pid);
}

static size_t count_told(struct told wanted) {
    size_t count = 0;
    for (size_t i = 0; i < told_count; i++)
        count += same(&told[i], &wanted);
    return count;
}

static bool was_told(struct told wanted) {
    uint64_t until = jp_win32_now_ms() + PATIENCE_MS;
    EnterCriticalSection(&told_lock);
    while (count_told(wanted) == 0 && jp_win32_now_ms() < until)
        SleepConditionVariableCS(&told_more, &told_lock, 100);
    bool found = count_told(wanted) > 0;
    LeaveCriticalSection(&told_lock);
    return found;
}

static bool told_message(uint64_t key, uint32_t message, uint32_t pid) {
    return was_told((struct told){.packet = {.key = key, .message = message, .pid = pid}});
}

static bool told_exit(uint64_t watch) { return was_told((struct told){.is_exit = true, .watch = watch}); }

/* --- surroundings --- */

enum { MESSAGE_ZERO = 4, MESSAGE_NEW = 6, MESSAGE_EXIT = 7 };

static struct jp_backend *backend;
static const struct jp_backend_ops *ops;
static bool wine;
static char *own_path;
static uint64_t next_key = JP_WIN32_FIRST_JOB_KEY;

static char *child_line(const char *arguments) { return jp_sprintf("\"%s\" child %s", own_path, arguments); }

static struct jp_job *open_job(const char *name, uint64_t *ret_key) {
    struct jp_job_obtained result = {0};
    *ret_key = next_key++;
    char *full = jp_sprintf("Global\\JobPoolTest.%lu.%s.%" PRIu64, GetCurrentProcessId(), name, *ret_key);
    STATUS(ops->job_obtain(backend, full, *ret_key, &result, &error), JP_OK, "a job is opened");
    jp_free(full);
    return result.job;
}

static struct jp_process *launch(struct jp_job *const *chain, size_t length, const char *arguments,
                                 struct jp_principal *principal) {
    char *line = child_line(arguments);
    struct jp_launch wanted = {.command_line = line, .chain = chain, .chain_length = length, .principal = principal};
    struct jp_process *process = NULL;
    jp_status status = ops->process_launch(backend, &wanted, &process, &error);
    if (status != JP_OK && wine && error.win32 == ERROR_INTERNAL_ERROR) { /* one in some thousands, on a busy machine */
        printf("# Wine failed to create a process; once more\n");
        status = ops->process_launch(backend, &wanted, &process, &error);
    }
    if (status != JP_OK)
        STATUS(status, JP_OK, "a process is launched");
    jp_free(line);
    return process;
}

static uint32_t pid_of(struct jp_process *process) {
    struct jp_process_facts facts = {0};
    ops->process_facts(process, &facts, &error);
    uint32_t pid = facts.pid;
    jp_process_facts_clear(&facts);
    return pid;
}

static bool ends_with(struct jp_process *process, uint32_t code) {
    uint32_t got = 0;
    uint64_t until = jp_win32_now_ms() + PATIENCE_MS;
    HANDLE pause = CreateEventW(NULL, TRUE, FALSE, NULL);
    bool ended;
    while (!(ended = ops->process_exited(process, &got)) && jp_win32_now_ms() < until)
        WaitForSingleObject(pause, 5);
    CloseHandle(pause);
    if (!ended || got != code)
        printf("# ended %d, code %" PRIu32 "\n", ended, got);
    return ended && got == code;
}

/* --- jobs --- */

static void test_job_names(void) {
    struct jp_job_obtained first = {0}, again = {0}, squatted = {0};
    char *name = jp_sprintf("Global\\JobPoolTest.%lu.names", GetCurrentProcessId());
    STATUS(ops->job_obtain(backend, name, next_key++, &first, &error), JP_OK, "a new job is created");
    CHECK(!first.existed && first.listening, "it is new, and its messages come to us");
    STATUS(ops->job_obtain(backend, name, next_key++, &again, &error), JP_OK, "a job that exists is opened when its owner is trusted");
    CHECK(again.existed, "it is known to have existed");
    if (wine)
        skip("a job's port can be changed", "Wine lets a job have one port once");
    else
        CHECK(again.listening, "a job's port can be changed");
    ops->job_close(again.job);
    ops->job_close(first.job);

    wchar_t *wide = jp_win32_wide(name);
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, wide);
    STATUS(ops->job_obtain(backend, name, next_key++, &squatted, &error), JP_E_DENIED, "a name that another kind of object has is refused");
    CHECK(strstr(error.text, "not a job") != NULL, "the error says that it is not a job");
    CloseHandle(event);
    jp_free(wide);
    jp_free(name);
}

/* shows: JOB_OBJECT_MSG_NEW_PROCESS JOB_OBJECT_MSG_EXIT_PROCESS JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO */
static void test_nested_launch(void) {
    uint64_t outer_key, inner_key;
    struct jp_job *chain[] = {open_job("outer", &outer_key), open_job("inner", &inner_key)};
    struct jp_process *process = launch(chain, 2, "exit 7", NULL);
    if (!CHECK(process != NULL, "a process is launched in two jobs"))
        return;
    struct jp_process_facts facts = {0};
    STATUS(ops->process_facts(process, &facts, &error), JP_OK, "its facts are known");
    printf("# pid %" PRIu32 " start %" PRId64 " parent %" PRIu32 " session %" PRIu32 " image %s line %s user %s\n", facts.pid,
           facts.start_100ns, facts.parent_pid, facts.session, facts.image, facts.command_line, facts.user);
    CHECK(facts.parent_pid == GetCurrentProcessId(), "its parent is this program");
    CHECK(facts.command_line && strstr(facts.command_line, "child exit 7"), "its command line is known");
    CHECK(facts.image && strstr(facts.image, "backend_test"), "its image is known");
    CHECK(facts.user != NULL, "its user is known");
    uint32_t pid = facts.pid;
    jp_process_facts_clear(&facts);

    bool in_outer = false, in_inner = false;
    ops->job_contains(chain[0], process, &in_outer, &error);
    ops->job_contains(chain[1], process, &in_inner, &error);
    CHECK(in_outer && in_inner, "it is in both jobs");
    CHECK(told_message(outer_key, MESSAGE_NEW, pid) && told_message(inner_key, MESSAGE_NEW, pid), "both ports' keys tell that it is new");

    uint32_t code = 0;
    CHECK(!ops->process_exited(process, &code), "it has not run yet");
    STATUS(ops->process_watch(process, 4711, &error), JP_OK, "it is watched");
    STATUS(ops->process_resume(process, &error), JP_OK, "it runs");
    CHECK(told_exit(4711), "the watch tells its end");
    CHECK(told_message(outer_key, MESSAGE_EXIT, pid) && told_message(inner_key, MESSAGE_EXIT, pid), "both jobs tell its end");
    CHECK(told_message(outer_key, MESSAGE_ZERO, 0), "the empty job says so");
    CHECK(ends_with(process, 7), "its exit code is known");

    struct jp_job_info info = {0};
    STATUS(ops->job_query(chain[1], JP_JOB_BasicAccountingInformation, &info, &error), JP_OK, "the job's counters are read");
    printf("# total %" PRIu32 ", active %" PRIu32 "\n", info.accounting.total_processes, info.accounting.active_processes);
    CHECK(info.accounting.total_processes == 1 && info.accounting.active_processes == 0, "they count one that has ended");
    ops->process_close(process);
    ops->job_close(chain[1]);
    ops->job_close(chain[0]);
}

static void test_pids_and_terminate(void) {
    enum { MANY = 70 }; /* more than the first buffer holds */
    uint64_t outer_key, inner_key;
    struct jp_job *chain[] = {open_job("many-outer", &outer_key), open_job("many", &inner_key)};
    struct jp_process *processes[MANY];
    for (size_t i = 0; i < MANY; i++) {
        processes[i] = launch(chain, 2, "wait", NULL);
        if (!processes[i])
            return;
        ops->process_watch(processes[i], 100000 + i, &error);
    }
    uint32_t *pids = NULL;
    size_t count = 0;
    STATUS(jp_job_pids(backend, chain[1], &pids, &count, &error), JP_OK, "the job's processes are listed");
    CHECK(count == MANY, "all of them");
    jp_free(pids);
    STATUS(jp_job_pids(backend, chain[0], &pids, &count, &error), JP_OK, "the outer job's processes are listed");
    CHECK(count == MANY, "with those of the inner job");
    jp_free(pids);

    STATUS(ops->job_terminate(chain[0], 99, &error), JP_OK, "the outer job is terminated");
    size_t watched = 0, ended = 0;
    for (size_t i = 0; i < MANY; i++) {
        watched += told_exit(100000 + i);
        ended += ends_with(processes[i], 99);
    }
    CHECK(watched == MANY, "every watch tells, though the job tells of no exit");
    CHECK(ended == MANY, "all have the exit code that was given");
    for (size_t i = 0; i < MANY; i++)
        ops->process_close(processes[i]);
    ops->job_close(chain[1]);
    ops->job_close(chain[0]);
}

static void test_kill_on_close(void) {
    uint64_t key;
    struct jp_job *job = open_job("kill", &key);
    struct jp_pool_spec spec = {.present = JP_SCHEMA_BIT(JP_POOL_ON_SERVICE_STOP), .on_service_stop = JP_ON_STOP_TERMINATE};
    STATUS(jp_job_configure(backend, job, &spec, false, &error), JP_OK, "a job is told to end its processes with its handle");
    struct jp_process *process = launch(&job, 1, "wait", NULL);
    ops->process_resume(process, &error);
    ops->process_watch(process, 5000, &error);
    ops->job_close(job);
    CHECK(told_exit(5000), "closing the job's handle ends them");
    ops->process_close(process);

    job = open_job("keep", &key);
    spec.on_service_stop = JP_ON_STOP_KEEP;
    jp_job_configure(backend, job, &spec, false, &error);
    process = launch(&job, 1, "wait", NULL);
    ops->job_close(job);
    uint32_t code;
    CHECK(!ops->process_exited(process, &code), "without that they go on");
    ops->process_terminate(process, 1, &error);
    ops->process_close(process);
}

/* Every limit that the kernel keeps, set and lifted. */
static void test_configure(void) {
    const struct jp_capabilities *can = ops->capabilities(backend);
    uint64_t key;
    struct jp_job *job = open_job("limits", &key);
    struct jp_pool_spec spec = {
        .limits =
            {
                .active_processes = 50,
                .process_memory_bytes = UINT64_C(6) << 30,
                .job_memory_bytes = UINT64_C(8) << 30,
                .process_time_100ns = UINT64_C(4300000000000),
                .job_time_100ns = UINT64_C(8600000000000),
                .priority_class = 0x20,
                .affinity = 1,
                .scheduling_class = 5,
                .cpu_rate = {.present = JP_SCHEMA_BIT(JP_CPU_HARD_CAP), .hard_cap = 5000},
                .network_rate = {.present = JP_SCHEMA_BIT(JP_NETWORK_MAX_BANDWIDTH), .max_bandwidth_bytes = 1 << 20},
                .die_on_unhandled_exception = true,
            },
    };
    for (int limit = 0; limit < JP_LIMIT_COUNT; limit++)
        if (limit != JP_LIMIT_BREAKAWAY && limit != JP_LIMIT_KILL_ON_CLOSE && limit != JP_LIMIT_WORKING_SET &&
            limit != JP_LIMIT_PROCESSOR_GROUPS) /* does not go with an affinity */
            spec.limits.present |= JP_SCHEMA_BIT(limit);
    STATUS(jp_job_configure(backend, job, &spec, false, &error), JP_OK, "all limits are set");
    STATUS(jp_job_configure(backend, job, &spec, false, &error), JP_OK, "and set again, with the clock going on");
    STATUS(jp_job_configure(backend, job, &spec, true, &error), JP_OK, "and again, with the clock starting anew");
    if (can->limits[JP_LIMIT_ACTIVE_PROCESSES] == JP_ENFORCED_BY_KERNEL) {
        spec.limits.active_processes = 1;
        STATUS(jp_job_configure(backend, job, &spec, false, &error), JP_OK, "one process may be in the job");
        struct jp_process *one = launch(&job, 1, "wait", NULL), *two = NULL;
        char *line = child_line("wait");
        struct jp_launch wanted = {.command_line = line, .chain = &job, .chain_length = 1};
        STATUS(ops->process_launch(backend, &wanted, &two, &error), JP_E_POOL_FULL, "the second is refused");
        ops->process_terminate(one, 1, &error);
        ops->process_close(one);
        jp_free(line);
    } else {
        skip("the second process is refused", "this host's kernel keeps no active-process limit");
    }
    spec.limits.present = 0;
    STATUS(jp_job_configure(backend, job, &spec, false, &error), JP_OK, "all limits are lifted");
    STATUS(jp_job_configure(backend, job, &spec, false, &error), JP_OK, "lifting them twice is no fault");
    ops->job_close(job);
}

/* --- processes --- */

static void test_open_errors(void) {
    struct jp_process *process = NULL;
    uint32_t self = GetCurrentProcessId();
    STATUS(ops->process_open(backend, self, 0, JP_PROCESS_OBSERVE, NULL, &process, &error), JP_OK, "a process is opened");
    struct jp_process_facts facts = {0};
    ops->process_facts(process, &facts, &error);
    ops->process_close(process);
    STATUS(ops->process_open(backend, self, facts.start_100ns + 1, JP_PROCESS_OBSERVE, NULL, &process, &error), JP_E_OTHER_PROCESS,
           "one that began at another time is another one");
    STATUS(ops->process_open(backend, self, facts.start_100ns, JP_PROCESS_ASSIGN, NULL, &process, &error), JP_E_DENIED,
           "the service does not assign itself");
    STATUS(ops->process_open(backend, self + 1, 0, JP_PROCESS_OBSERVE, NULL, &process, &error), JP_E_NO_PROCESS,
           "a pid that Windows would round down names nobody");
    STATUS(ops->process_open(backend, 0xFFFFFFF0, 0, JP_PROCESS_OBSERVE, NULL, &process, &error), JP_E_NO_PROCESS,
           "a pid that nobody has names nobody");
    jp_process_facts_clear(&facts);

    struct jp_process *ended = launch(NULL, 0, "exit 0", NULL), *again = NULL;
    uint32_t pid = pid_of(ended);
    ops->process_resume(ended, &error);
    CHECK(ends_with(ended, 0), "a process outside all jobs ends");
    STATUS(ops->process_open(backend, pid, 0, JP_PROCESS_ASSIGN, NULL, &again, &error), JP_E_NO_PROCESS,
           "a process that has exited but is held cannot be opened");
    STATUS(ops->process_terminate(ended, 1, &error), JP_E_NO_PROCESS, "nor terminated");
    ops->process_close(ended);
}

static void test_assign(struct jp_principal *principal) {
    uint64_t key;
    struct jp_job *job = open_job("assign", &key);
    struct jp_process *child = launch(NULL, 0, "wait", NULL), *opened = NULL;
    struct jp_process_facts facts = {0};
    ops->process_facts(child, &facts, &error);
    STATUS(ops->process_open(backend, facts.pid, facts.start_100ns, JP_PROCESS_ASSIGN, principal, &opened, &error), JP_OK,
           "a process is opened with the client's rights");
    STATUS(ops->job_assign(job, opened, &error), JP_OK, "it is assigned");
    CHECK(told_message(key, MESSAGE_NEW, facts.pid), "the job tells of it");
    STATUS(ops->process_terminate(opened, 3, &error), JP_OK, "it is terminated");
    CHECK(ends_with(opened, 3), "it ends with that code");
    STATUS(ops->job_assign(job, opened, &error), JP_E_NO_PROCESS, "one that has exited cannot be assigned, and the error says why");
    jp_process_facts_clear(&facts);
    ops->process_close(opened);
    ops->process_close(child);
    ops->job_close(job);
}

static void test_usage(void) {
    const struct jp_capabilities *can = ops->capabilities(backend);
    struct jp_process *child = launch(NULL, 0, "burn", NULL);
    struct jp_usage usage;
    ops->process_usage(child, &usage);
    CHECK(usage.known & JP_USAGE_MEMORY && usage.peak_commit_bytes > 0, "a living process's memory is known");
    ops->process_resume(child, &error);
    CHECK(ends_with(child, 0), "a process has burnt CPU time");
    ops->process_usage(child, &usage);
    if (can->process_times)
        CHECK((usage.known & JP_USAGE_CPU) && usage.user_100ns > 0, "its CPU time is known after its end");
    else
        CHECK(!(usage.known & JP_USAGE_CPU), "a CPU time that is not true is not given");
    if (can->memory_after_exit)
        CHECK((usage.known & JP_USAGE_MEMORY) && usage.peak_commit_bytes > 0, "its memory is known after its end");
    else
        CHECK(!(usage.known & JP_USAGE_MEMORY), "memory that the host has forgotten is not given as 0");
    ops->process_close(child);
}

static void test_environment(struct jp_principal *principal) {
    static char set[] = "JP_TEST_CODE=42", gone[] = "JP_TEST_GONE=1", remove[] = "jp_test_gone", drive[] = "=X:=X:\\", none[] = "";
    char *items[] = {set, gone, remove, drive};
    struct jp_strings changes = {items, sizeof items / sizeof *items};
    char *line = child_line("environment");
    struct jp_launch wanted = {.command_line = line, .environment = &changes, .principal = principal};
    struct jp_process *child = NULL;
    if (STATUS(ops->process_launch(backend, &wanted, &child, &error), JP_OK, "a process gets its own environment")) {
        ops->process_resume(child, &error);
        CHECK(ends_with(child, 42), "it sees what was set, and not what was removed, whatever the case of the name");
        ops->process_close(child);
    }
    items[0] = none;
    STATUS(ops->process_launch(backend, &wanted, &child, &error), JP_E_PARAMS, "a variable without a name is refused");
    wanted.environment = NULL;
    wanted.command_line = "C:\\no\\such\\program.exe";
    STATUS(ops->process_launch(backend, &wanted, &child, &error), JP_E_SYSTEM, "a program that does not exist is said not to");
    CHECK(error.win32 == ERROR_FILE_NOT_FOUND || error.win32 == ERROR_PATH_NOT_FOUND, "with Windows' own code");
    jp_free(line);
}

static void test_principal_launch(struct jp_principal *principal) {
    uint64_t outer_key, inner_key;
    struct jp_job *chain[] = {open_job("as-outer", &outer_key), open_job("as-inner", &inner_key)};
    struct jp_process *child = launch(chain, 2, "handles", principal);
    if (CHECK(child != NULL, "a process is launched as a client")) {
        bool in_outer = false, in_inner = false;
        ops->job_contains(chain[0], child, &in_outer, &error);
        ops->job_contains(chain[1], child, &in_inner, &error);
        CHECK(in_outer && in_inner, "it is born in both jobs");
        ops->process_resume(child, &error);
        CHECK(ends_with(child, 0), "it has standard handles, and no handle of ours");
        ops->process_close(child);
    }
    struct jp_principal shy = *principal;
    shy.level = SecurityIdentification;
    struct jp_launch wanted = {.command_line = "x.exe", .principal = &shy};
    STATUS(ops->process_launch(backend, &wanted, &child, &error), JP_E_DENIED, "a client that only identifies itself launches nothing");
    STATUS(ops->process_open(backend, GetCurrentProcessId(), 0, JP_PROCESS_OBSERVE, &shy, &child, &error), JP_E_DENIED,
           "nor opens anything");
    ops->job_close(chain[1]);
    ops->job_close(chain[0]);
}

static void test_token(void) {
    struct jp_process *child = launch(NULL, 0, "wait", NULL);
    STATUS(ops->process_check_token(child, 0, &error), JP_OK, "without security limits any token passes");
    STATUS(ops->process_check_token(child, JP_JOB_OBJECT_SECURITY_RESTRICTED_TOKEN, &error), JP_E_DENIED, "an ordinary token is not restricted");
    jp_status status = ops->process_check_token(child, JP_JOB_OBJECT_SECURITY_NO_ADMIN, &error);
    printf("# no_admin: %s\n", jp_status_name(status));
    CHECK(status == JP_OK || status == JP_E_DENIED, "administrators are told from others");
    ops->process_terminate(child, 0, &error);
    ops->process_close(child);
}

/* Watches are dropped while their processes end: nothing may be told through memory that is gone. */
static void test_watch_churn(void) {
    enum { ROUNDS = 60 };
    size_t told_before, late = 0;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        struct jp_process *child = launch(NULL, 0, "wait", NULL);
        ops->process_watch(child, 200000 + i, &error);
        ops->process_terminate(child, 0, &error);
        if (i % 2 == 0)
            told_exit(200000 + i);
        ops->process_close(child);
    }
    EnterCriticalSection(&told_lock);
    told_before = told_count;
    for (size_t i = 0; i < told_count; i++)
        late += told[i].is_exit && told[i].watch >= 200000 && told[i].watch < 200000 + ROUNDS;
    LeaveCriticalSection(&told_lock);
    CHECK(told_before > 0 && late >= ROUNDS / 2 && late <= ROUNDS, "each watch tells once at most, also when it is dropped early");
}

/* --- as a child --- */

static int child_environment(void) {
    wchar_t value[16];
    if (GetEnvironmentVariableW(L"JP_TEST_GONE", value, 16) != 0 || GetEnvironmentVariableW(L"SystemRoot", NULL, 0) == 0)
        return 1;
    GetEnvironmentVariableW(L"JP_TEST_CODE", value, 16);
    return (int)wcstol(value, NULL, 10);
}

static int child_handles(void) {
    HANDLE out = GetStdHandle(STD_OUTPUT_HANDLE);
    DWORD length;
    if (!out || !WriteFile(out, "x", 1, &length, NULL))
        return 1;
    /* JobPoolTestSecret is the value of an inheritable handle in the parent. */
    wchar_t value[32] = L"";
    GetEnvironmentVariableW(L"JobPoolTestSecret", value, 32);
    HANDLE secret = (HANDLE)(uintptr_t)wcstoull(value, NULL, 10);
    return secret && SetEvent(secret) ? 2 : 0;
}

static int child_burn(void) {
    volatile uint64_t sum = 0;
    for (uint64_t until = jp_win32_now_ms() + 200; jp_win32_now_ms() < until;)
        for (int i = 0; i < 10000; i++)
            sum = sum + (uint64_t)i;
    return 0;
}

static int be_child(int argc, wchar_t **argv) {
    if (argc < 3)
        return 120;
    if (wcscmp(argv[2], L"exit") == 0)
        return argc > 3 ? (int)wcstol(argv[3], NULL, 10) : 0;
    if (wcscmp(argv[2], L"environment") == 0)
        return child_environment();
    if (wcscmp(argv[2], L"handles") == 0)
        return child_handles();
    if (wcscmp(argv[2], L"burn") == 0)
        return child_burn();
    HANDLE never = CreateEventW(NULL, TRUE, FALSE, NULL);
    return (int)WaitForSingleObject(never, 60000);
}

/* --- all --- */

static bool set_up(void) {
    InitializeCriticalSection(&told_lock);
    wchar_t path[1024];
    GetModuleFileNameW(NULL, path, 1024);
    own_path = jp_win32_utf8(path);

    /* An inheritable handle that no child may get. */
    SECURITY_ATTRIBUTES inheritable = {.nLength = sizeof inheritable, .bInheritHandle = TRUE};
    HANDLE secret = CreateEventW(&inheritable, TRUE, FALSE, NULL);
    wchar_t value[32];
    swprintf(value, 32, L"%llu", (unsigned long long)(uintptr_t)secret);
    SetEnvironmentVariableW(L"JobPoolTestSecret", value);

    struct jp_win32_backend_options options = {.sinks = {.packets = on_packets, .exits = on_exits}, .log = &test_log};
    uint64_t before = jp_win32_now_ms();
    if (!STATUS(jp_win32_backend_new(&options, &backend, &error), JP_OK, "the backend starts"))
        return false;
    uint64_t took = jp_win32_now_ms() - before;
    ops = backend->ops;
    const struct jp_capabilities *can = ops->capabilities(backend);
    wine = strstr(can->host, "Wine") != NULL;
    printf("# %s; probed in %" PRIu64 " ms; nested %d, times %d, io %d, memory after exit %d, ui %d, end of job time %d, "
           "notify %d\n# limits:",
           can->host, took, can->nested_jobs, can->process_times, can->process_io, can->memory_after_exit, (int)can->ui,
           (int)can->end_of_job_time, (int)can->notify);
    for (int i = 0; i < JP_LIMIT_COUNT; i++)
        printf(" %s=%s", jp_limit_fields[i].key, jp_enforcer_name(can->limits[i]));
    printf("\n");
    CHECK(took < 1000, "the host is probed in less than a second");
    CHECK(can->limits[JP_LIMIT_KILL_ON_CLOSE] == JP_ENFORCED_BY_KERNEL, "kill-on-close is found to work");
    CHECK(can->nested_jobs, "jobs nest");
    return true;
}

int wmain(int argc, wchar_t **argv); /* no header declares it */

int wmain(int argc, wchar_t **argv) {
    if (argc > 1 && wcscmp(argv[1], L"child") == 0)
        return be_child(argc, argv);
    if (!set_up())
        return 1;
    struct jp_principal *principal = NULL;
    STATUS(jp_win32_principal_self(&principal, &error), JP_OK, "this process has an identity");

    test_job_names();
    test_nested_launch();
    test_pids_and_terminate();
    test_kill_on_close();
    test_configure();
    test_open_errors();
    test_assign(NULL);
    test_assign(principal);
    test_usage();
    test_environment(NULL);
    test_environment(principal);
    test_principal_launch(principal);
    test_token();
    test_watch_churn();

    struct jp_win32_port_counters counters;
    jp_win32_backend_counters(backend, &counters);
    printf("# port: %" PRIu64 " packets, %" PRIu64 " lost, %" PRIu64 " exits\n", counters.packets, counters.lost, counters.exits);
    CHECK(counters.lost == 0, "nothing was lost");
    jp_win32_principal_free(principal);
    jp_win32_backend_free(backend);
    jp_free(own_path);
    return finish();
}
