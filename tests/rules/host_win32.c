/* The rules on Windows, or Wine: on the real backend, with real processes (rules_child.c).
 *
 * What the host does is found by trying. What needs users and sessions that this program cannot have, or faults that nobody can make,
 * is left to the simulated kernel. */
#include "rules.h"
#include "rules_child.h"

#include "base/str.h"
#include "win32/backend.h"
#include "win32/clock.h"
#include "win32/principal.h"
#include "win32/wide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 5000, MOMENT_MS = 100, FIRST_PROBE_KEY = 100 };

static struct jp_backend *backend;
static const struct jp_backend_ops *ops;
static struct jp_principal *self;
static struct jp_principal nobody; /* `self`, as one that only identifies itself; its token is that one's */

/* --- messages --- */

enum { TOLD_MAX = 4096 };
static struct jp_job_packet packets_told[TOLD_MAX];
static size_t told_count;
static CRITICAL_SECTION told_lock;
static CONDITION_VARIABLE told_more = CONDITION_VARIABLE_INIT;

static size_t on_packets(void *context, const struct jp_job_packet *packets, size_t count) {
    (void)context;
    EnterCriticalSection(&told_lock);
    for (size_t i = 0; i < count && told_count < TOLD_MAX; i++)
        packets_told[told_count++] = packets[i];
    LeaveCriticalSection(&told_lock);
    WakeAllConditionVariable(&told_more);
    return count;
}

static void on_exits(void *context, const uint64_t *watches, size_t count) {
    (void)context;
    (void)watches;
    (void)count;
}

static bool take(uint64_t key, uint32_t message, uint32_t pid) {
    for (size_t i = 0; i < told_count; i++)
        if (packets_told[i].key == key && packets_told[i].message == message && packets_told[i].pid == pid) {
            packets_told[i] = (struct jp_job_packet){0};
            return true;
        }
    return false;
}

static bool told_within(uint64_t key, uint32_t message, uint32_t pid, uint64_t ms) {
    uint64_t until = jp_win32_now_ms() + ms;
    EnterCriticalSection(&told_lock);
    bool found;
    while (!(found = take(key, message, pid)) && jp_win32_now_ms() < until)
        SleepConditionVariableCS(&told_more, &told_lock, 20);
    LeaveCriticalSection(&told_lock);
    return found;
}

static bool told(struct rules_host *host, uint64_t key, uint32_t message, uint32_t pid) {
    (void)host;
    return told_within(key, message, pid, PATIENCE_MS);
}

static size_t count_messages(struct rules_host *host, uint64_t key, uint32_t message) {
    (void)host;
    size_t count = 0;
    Sleep(MOMENT_MS);
    EnterCriticalSection(&told_lock);
    for (size_t i = 0; i < told_count; i++)
        count += packets_told[i].key == key && packets_told[i].message == message;
    LeaveCriticalSection(&told_lock);
    return count;
}

/* --- processes --- */

/* A process counts in its job until the last handle to it is closed: ours goes once its end is known, unless a rule holds it. */
struct kid {
    uint32_t pid;
    HANDLE process; /* NULL: `exit_code` is known */
    uint32_t exit_code;
    bool held;
    struct rules_line line;
};
enum { KIDS_MAX = 256 };
static struct kid kids[KIDS_MAX];
static size_t kid_count;
static unsigned last_number; /* of a line */

/* The youngest of that pid. */
static struct kid *kid_of(uint32_t pid) {
    for (size_t i = kid_count; i-- > 0;)
        if (kids[i].pid == pid)
            return &kids[i];
    printf("# there is no process %lu\n", (unsigned long)pid);
    abort();
}

static bool see_end(struct kid *kid, uint32_t ms) {
    DWORD code = 0;
    if (!kid->process)
        return true;
    if (WaitForSingleObject(kid->process, ms) != WAIT_OBJECT_0)
        return false;
    GetExitCodeProcess(kid->process, &code);
    kid->exit_code = code;
    if (!kid->held) {
        CloseHandle(kid->process);
        kid->process = NULL;
    }
    return true;
}

/* False: it ended before it was done. */
static bool done(struct kid *kid) {
    HANDLE either[] = {kid->line.done, kid->process};
    return kid->process && WaitForMultipleObjects(2, either, FALSE, PATIENCE_MS) == WAIT_OBJECT_0;
}

static bool tell(struct kid *kid, enum rules_verb verb, uint64_t first, uint64_t second) {
    *kid->line.order = (struct rules_order){.verb = verb, .arguments = {first, second}};
    SetEvent(kid->line.go);
    return done(kid);
}

static uint32_t spawn(struct rules_host *host, const struct rules_child *child, uint32_t *ret_pid) {
    (void)host;
    if (kid_count == KIDS_MAX)
        abort();
    struct kid *parent = child->parent ? kid_of(child->parent) : NULL, *kid = &kids[kid_count];
    PROCESS_INFORMATION made;
    *kid = (struct kid){0};
    unsigned number = ++last_number;
    if (!rules_line_open(&kid->line, GetCurrentProcessId(), number))
        return ERROR_NOT_ENOUGH_MEMORY;
    uint32_t win32 = 0;
    if (!parent) {
        win32 = rules_start_child(GetCurrentProcessId(), number, child->breakaway, &made);
        if (win32 == 0) {
            CloseHandle(made.hThread);
            kid->process = made.hProcess;
            kid->pid = made.dwProcessId;
        }
    } else if (!tell(parent, RULES_SPAWN, number, child->breakaway)) {
        win32 = ERROR_PROCESS_ABORTED;
    } else {
        win32 = parent->line.order->result;
        kid->process = (HANDLE)(uintptr_t)parent->line.order->handle;
        kid->pid = parent->line.order->pid;
    }
    if (win32 != 0) {
        rules_line_close(&kid->line);
        return win32;
    }
    kid_count++;
    done(kid); /* it listens */
    *ret_pid = kid->pid;
    return 0;
}

static void exit_process(struct rules_host *host, uint32_t pid, uint32_t exit_code) {
    (void)host;
    struct kid *kid = kid_of(pid);
    tell(kid, RULES_EXIT, exit_code, 0);
    see_end(kid, PATIENCE_MS);
}

static void burn(struct rules_host *host, uint32_t pid, uint32_t user_ms) {
    (void)host;
    tell(kid_of(pid), RULES_BURN, user_ms, 0);
}

static bool commit(struct rules_host *host, uint32_t pid, uint64_t bytes) {
    (void)host;
    struct kid *kid = kid_of(pid);
    return tell(kid, RULES_COMMIT, bytes, 0) && kid->line.order->result == 0;
}

static void decommit(struct rules_host *host, uint32_t pid, uint64_t bytes) {
    (void)host;
    tell(kid_of(pid), RULES_DECOMMIT, bytes, 0);
}

static void read_bytes(struct rules_host *host, uint32_t pid, uint64_t bytes) {
    (void)host;
    tell(kid_of(pid), RULES_READ, bytes, 0);
}

static void write_bytes(struct rules_host *host, uint32_t pid, uint64_t bytes) {
    (void)host;
    tell(kid_of(pid), RULES_WRITE, bytes, 0);
}

static void ask_priority(struct rules_host *host, uint32_t pid, uint32_t priority_class) {
    (void)host;
    tell(kid_of(pid), RULES_PRIORITY, priority_class, 0);
}

static void ask_affinity(struct rules_host *host, uint32_t pid, uint64_t affinity) {
    (void)host;
    tell(kid_of(pid), RULES_AFFINITY, affinity, 0);
}

static uint32_t priority(struct rules_host *host, uint32_t pid) {
    (void)host;
    return GetPriorityClass(kid_of(pid)->process);
}

static uint64_t affinity_of(HANDLE process, bool machine) {
    DWORD_PTR own = 0, all = 0;
    GetProcessAffinityMask(process, &own, &all);
    return machine ? all : own;
}

static uint64_t affinity(struct rules_host *host, uint32_t pid) {
    (void)host;
    return affinity_of(kid_of(pid)->process, false);
}

static uint64_t machine_affinity(struct rules_host *host) {
    (void)host;
    return affinity_of(GetCurrentProcess(), true);
}

static void working_set(struct rules_host *host, uint32_t pid, uint64_t *ret_min_bytes, uint64_t *ret_max_bytes) {
    (void)host;
    SIZE_T min = 0, max = 0;
    GetProcessWorkingSetSize(kid_of(pid)->process, &min, &max);
    *ret_min_bytes = min;
    *ret_max_bytes = max;
}

static bool ended(struct rules_host *host, uint32_t pid, uint32_t *ret_exit_code) {
    (void)host;
    struct kid *kid = kid_of(pid);
    bool over = see_end(kid, PATIENCE_MS);
    *ret_exit_code = kid->exit_code;
    return over;
}

static bool alive(struct rules_host *host, uint32_t pid) {
    (void)host;
    return !see_end(kid_of(pid), MOMENT_MS);
}

static void hold(struct rules_host *host, uint32_t pid, bool wanted) {
    (void)host;
    struct kid *kid = kid_of(pid);
    kid->held = wanted;
    if (!wanted)
        see_end(kid, 0);
}

/* --- names and people --- */

enum { NAMES_MAX = 16 };
static HANDLE taken[NAMES_MAX];
static size_t taken_count;

static void take_name(struct rules_host *host, const char *name) {
    (void)host;
    wchar_t *wide = jp_win32_wide(name);
    if (taken_count < NAMES_MAX)
        taken[taken_count++] = CreateEventW(NULL, TRUE, FALSE, wide);
    jp_free(wide);
}

/* There is one user here. Who wants others says so in its needs. */
static struct jp_principal *principal(struct rules_host *host, enum rules_who who) {
    (void)host;
    return who == RULES_NOBODY ? &nobody : self;
}

/* --- a rule's beginning and end --- */

static bool begin(struct rules_host *host) {
    (void)host;
    EnterCriticalSection(&told_lock);
    told_count = 0;
    LeaveCriticalSection(&told_lock);
    return true;
}

static void end(struct rules_host *host) {
    (void)host;
    while (kid_count > 0) {
        struct kid *kid = &kids[--kid_count];
        kid->held = false;
        if (kid->process)
            TerminateProcess(kid->process, 1);
        see_end(kid, PATIENCE_MS);
        rules_line_close(&kid->line);
    }
    while (taken_count > 0)
        CloseHandle(taken[--taken_count]);
}

/* --- what the host does --- */

static bool is_read(struct jp_job *job, enum jp_job_class class) {
    struct jp_job_info info;
    struct jp_error error;
    jp_status status = ops->job_query(job, class, &info, &error);
    if (status == JP_OK)
        jp_job_info_clear(&info);
    return status == JP_OK;
}

static bool takes(struct jp_job *job, enum jp_job_class class, struct jp_job_basic_limits limits) {
    struct jp_job_info info = {.class = class};
    struct jp_error error;
    if (class == JP_JOB_BasicLimitInformation)
        info.basic_limits = limits;
    else
        info.extended_limits.basic = limits;
    return ops->job_set(job, &info, &error) == JP_OK;
}

/* One wrong flag, one flag of the other class, and one wrong value: a host that checks refuses all. */
static bool checks(struct jp_job *job) {
    static const struct jp_job_basic_limits flag = {.limit_flags = 0x40000000}, priority_class = {
        .limit_flags = JP_JOB_OBJECT_LIMIT_PRIORITY_CLASS, .priority_class = 3};
    static const struct jp_job_basic_limits kill = {.limit_flags = JP_JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
    return !takes(job, JP_JOB_ExtendedLimitInformation, flag) && !takes(job, JP_JOB_BasicLimitInformation, kill) &&
           !takes(job, JP_JOB_ExtendedLimitInformation, priority_class);
}

static jp_status open_by(const char *name, uint32_t access, struct jp_job **ret_job) {
    struct jp_job_naming naming = {.name = name, .desired_access = access, .principal = self};
    struct jp_error error;
    return ops->job_open(backend, &naming, ret_job, &error);
}

static bool checks_rights(const char *name) {
    struct jp_job *job;
    if (open_by(name, JP_JOB_OBJECT_TERMINATE, &job) != JP_OK)
        return false;
    bool checked = !is_read(job, JP_JOB_BasicAccountingInformation);
    ops->job_close(job);
    return checked;
}

static uint64_t probe_key = FIRST_PROBE_KEY;

static struct jp_job *probe_job(struct rules_host *host, const char *name, bool *ret_listening) {
    struct jp_job_obtained obtained = {0};
    struct jp_error error;
    if (ops->job_obtain(host->backend, name, ++probe_key, &obtained, &error) != JP_OK) {
        printf("# %s\n", error.text);
        abort();
    }
    if (ret_listening)
        *ret_listening = obtained.listening;
    return obtained.job;
}

static uint32_t member(struct rules_host *host, struct jp_job *job) {
    uint32_t pid = 0;
    struct jp_process *process;
    struct jp_error error;
    spawn(host, &(struct rules_child){0}, &pid);
    if (ops->process_open(host->backend, pid, 0, JP_PROCESS_ASSIGN, NULL, &process, &error) == JP_OK) {
        ops->job_assign(job, process, &error);
        ops->process_close(process);
    }
    return pid;
}

/* Also ends with a member that keeps the job alive, and its name where the host keeps it. */
static uint32_t probe_with_member(struct rules_host *host, const char *name) {
    struct jp_job *job = probe_job(host, name, NULL), *again;
    uint32_t can = 0;
    uint32_t pid = member(host, job);
    exit_process(host, pid, STATUS_ACCESS_VIOLATION);
    if (told_within(probe_key, JP_MSG_ABNORMAL_EXIT_PROCESS, pid, MOMENT_MS))
        can |= NEEDS_ABNORMAL;
    member(host, job);
    ops->job_close(job);
    if (open_by(name, JP_JOB_OBJECT_QUERY, &again) != JP_OK)
        can |= NEEDS_NAME_DIES;
    else
        ops->job_close(again);
    end(host);
    return can;
}

static uint32_t from_capabilities(const struct jp_capabilities *can) {
    static const struct {
        enum jp_limit limit;
        uint32_t need;
    } rows[] = {
        {JP_LIMIT_ACTIVE_PROCESSES, NEEDS_LIMITS}, {JP_LIMIT_PRIORITY_CLASS, NEEDS_LIMITS}, {JP_LIMIT_AFFINITY, NEEDS_LIMITS},
        {JP_LIMIT_WORKING_SET, NEEDS_LIMITS},      {JP_LIMIT_PROCESS_TIME, NEEDS_TIMES},    {JP_LIMIT_JOB_TIME, NEEDS_TIMES},
        {JP_LIMIT_PROCESS_MEMORY, NEEDS_MEMORY},   {JP_LIMIT_JOB_MEMORY, NEEDS_MEMORY},     {JP_LIMIT_CPU_RATE, NEEDS_RATES},
        {JP_LIMIT_NETWORK_RATE, NEEDS_RATES},      {JP_LIMIT_BREAKAWAY, NEEDS_BREAKAWAY},   {JP_LIMIT_PROCESSOR_GROUPS, NEEDS_GROUPS},
    };
    uint32_t result = (can->ui == JP_ENFORCED_BY_KERNEL ? NEEDS_UI : 0u) | (can->notify == JP_ENFORCED_BY_KERNEL ? NEEDS_NOTIFY : 0u) |
                      (can->end_of_job_time == JP_ENFORCED_BY_KERNEL ? NEEDS_END_OF_JOB : 0u) | (can->nested_jobs ? NEEDS_NESTING : 0u);
    uint32_t lacking = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        result |= rows[i].need;
        lacking |= can->limits[rows[i].limit] == JP_ENFORCED_BY_KERNEL ? 0 : rows[i].need;
    }
    return result & ~lacking;
}

static uint32_t find_out(struct rules_host *host) {
    char name[96], with_member[96];
    snprintf(name, sizeof name, "Global\\JobPoolRules.%lu.probe", GetCurrentProcessId());
    snprintf(with_member, sizeof with_member, "Global\\JobPoolRules.%lu.member", GetCurrentProcessId());
    uint32_t can = from_capabilities(ops->capabilities(host->backend));
    bool listening = false;
    struct jp_job *job = probe_job(host, name, NULL), *again = probe_job(host, name, &listening);
    can |= (is_read(job, JP_JOB_BasicAndIoAccountingInformation) ? NEEDS_IO : 0u) |
           (is_read(job, JP_JOB_MemoryUsageInformation) ? NEEDS_USAGE : 0u) | (is_read(job, JP_JOB_JobSetInformation) ? NEEDS_JOB_SETS : 0u) |
           (checks(job) ? NEEDS_CHECKS : 0u) | (checks_rights(name) ? NEEDS_RIGHTS : 0u) | (listening ? NEEDS_REATTACH : 0u);
    ops->job_close(again);
    ops->job_close(job);
    return can | probe_with_member(host, with_member);
}

/* Of a process that waits to be ended. */
static char *own_command_line(void) {
    wchar_t path[1024];
    GetModuleFileNameW(NULL, path, 1024);
    char *text = jp_win32_utf8(path), *line = jp_sprintf("\"%s\" wait", text);
    jp_free(text);
    return line;
}

static bool set_up(struct rules_host *host) {
    struct jp_win32_backend_options options = {.sinks = {.packets = on_packets, .exits = on_exits}};
    struct jp_error error;
    InitializeCriticalSection(&told_lock);
    if (jp_win32_backend_new(&options, &host->backend, &error) != JP_OK || jp_win32_principal_self(&self, &error) != JP_OK) {
        printf("Bail out! %s\n", error.text);
        return false;
    }
    backend = host->backend;
    ops = backend->ops;
    nobody = *self;
    nobody.level = SecurityIdentification;
    host->command_line = own_command_line();
    host->name = ops->capabilities(host->backend)->host;
    host->can = find_out(host);
    return true;
}

int main(int argc, char **argv) {
    struct rules_host host = {
        .begin = begin,
        .end = end,
        .spawn = spawn,
        .exit = exit_process,
        .burn = burn,
        .commit = commit,
        .decommit = decommit,
        .read = read_bytes,
        .write = write_bytes,
        .ask_priority = ask_priority,
        .ask_affinity = ask_affinity,
        .priority = priority,
        .affinity = affinity,
        .working_set = working_set,
        .machine_affinity = machine_affinity,
        .ended = ended,
        .alive = alive,
        .told = told,
        .count = count_messages,
        .principal = principal,
        .hold = hold,
        .take_name = take_name,
    };
    if (argc == 4 && strcmp(argv[1], "child") == 0)
        return rules_be_child((uint32_t)strtoul(argv[2], NULL, 10), (unsigned)strtoul(argv[3], NULL, 10));
    if (argc == 2 && strcmp(argv[1], "wait") == 0)
        return (int)WaitForSingleObject(GetCurrentProcess(), 60000);
    if (rules_want_list(argc, argv))
        return rules_main(&host, argc, argv);
    if (!set_up(&host))
        return 1;
    int code = rules_main(&host, argc, argv);
    jp_win32_principal_free(self);
    jp_win32_backend_free(host.backend);
    return code;
}
