/* The public library (jobpool/job.h) as a C program uses it: this one includes that header, and links with jobpool_job alone.
 * Prints TAP. Under Wine some of it cannot be seen; those points are skipped with what Wine said. */
#include "tap.h"

#include "jobpool/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <aclapi.h>

static bool wine;
static wchar_t own_path[1024];

/* --- children: this program again --- */

struct child {
    HANDLE process, thread;
    uint32_t pid;
    int64_t start_100ns;
};

static struct child start_child(const char *arguments, DWORD flags, bool inherit) {
    wchar_t line[1200];
    swprintf(line, 1200, L"\"%ls\" child %hs", own_path, arguments);
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION made;
    if (!CreateProcessW(own_path, line, NULL, NULL, inherit, flags | DETACHED_PROCESS, NULL, NULL, &startup, &made)) {
        printf("# CreateProcess failed: %lu\n", GetLastError());
        return (struct child){0};
    }
    FILETIME start, end, kernel, user;
    GetProcessTimes(made.hProcess, &start, &end, &kernel, &user);
    return (struct child){made.hProcess, made.hThread, made.dwProcessId,
                          (int64_t)((uint64_t)start.dwHighDateTime << 32 | start.dwLowDateTime)};
}

static bool ends_with(const struct child *child, uint32_t code) {
    DWORD got = 0;
    bool ended = WaitForSingleObject(child->process, PATIENCE_MS) == WAIT_OBJECT_0 && GetExitCodeProcess(child->process, &got);
    if (!ended || got != code)
        printf("# ended %d, code %lu\n", ended, got);
    return ended && got == code;
}

static void drop_child(struct child *child) {
    TerminateProcess(child->process, 1);
    CloseHandle(child->thread);
    CloseHandle(child->process);
}

static const char *name_of(const char *prefix, const char *what) {
    static char names[4][128];
    static unsigned next;
    char *name = names[next++ % 4];
    snprintf(name, sizeof names[0], "%sJobPoolJobTest.%lu.%s", prefix, GetCurrentProcessId(), what);
    return name;
}

static void only_windows(const char *what) {
    printf("# %s\n", error.text);
    skip(what, error.text);
}

/* --- names --- */

/* shows: CreateJobObject OpenJobObject */
static void test_names(void) {
    struct jp_job *job = NULL, *again = NULL, *opened = NULL;
    bool existed = true;
    const char *name = name_of("Local\\", "names");
    STATUS(jp_job_create(name, NULL, &job, &existed, &error), JP_OK, "a job is created by name");
    CHECK(!existed, "it is new");
    STATUS(jp_job_create(name, NULL, &again, &existed, &error), JP_OK, "creating it again opens it");
    CHECK(existed, "and says so");
    jp_job_close(again);
    STATUS(jp_job_open(name_of("", "names"), JP_JOB_OBJECT_QUERY, false, &opened, &error), JP_OK, "a name without prefix is a local one");
    jp_job_close(opened);

    char session_name[160];
    DWORD session = 0;
    ProcessIdToSessionId(GetCurrentProcessId(), &session);
    snprintf(session_name, sizeof session_name, "Session\\%lu\\%s", session, name_of("", "names"));
    if (jp_job_open(session_name, JP_JOB_OBJECT_QUERY, false, &opened, &error) == JP_OK) {
        CHECK(true, "the own session's number leads to local names");
        jp_job_close(opened);
    } else if (wine) {
        only_windows("the own session's number leads to local names");
    } else {
        CHECK(false, "the own session's number leads to local names");
    }
    STATUS(jp_job_open(name_of("Global\\", "names"), JP_JOB_OBJECT_QUERY, false, &opened, &error), JP_E_NO_JOB,
           "a local name is not a global one");
    STATUS(jp_job_open(name_of("Local\\", "NAMES"), JP_JOB_OBJECT_QUERY, false, &opened, &error), JP_E_NO_JOB,
           "names of different case are different");
    CHECK(error.win32 == ERROR_FILE_NOT_FOUND && error.operation && strcmp(error.operation, "OpenJobObject") == 0,
          "the error has Windows' number and the call");
    CHECK(strstr(error.text, "there is no job object \"Local\\"), "its text says what is not there");
    jp_job_close(job);
    STATUS(jp_job_open(name, JP_JOB_OBJECT_QUERY, false, &opened, &error), JP_E_NO_JOB, "the name goes with the last handle");
    jp_job_close(NULL);
    CHECK(true, "closing nothing is fine");
}

static void test_bad_names(void) {
    struct jp_job *job = NULL;
    const char *name = name_of("Local\\", "event");
    wchar_t wide[128];
    swprintf(wide, 128, L"%hs", name);
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, wide);
    STATUS(jp_job_create(name, NULL, &job, NULL, &error), JP_E_DENIED, "a name that another kind of object has is refused");
    CHECK(strstr(error.text, "not a job") != NULL, "the error says that it is not a job");
    STATUS(jp_job_open(name, JP_JOB_OBJECT_QUERY, false, &job, &error), JP_E_NO_JOB, "nor can it be opened");
    CloseHandle(event);
    STATUS(jp_job_create("", NULL, &job, NULL, &error), JP_E_PARAMS, "an empty name is refused");
    STATUS(jp_job_open("", JP_JOB_OBJECT_QUERY, false, &job, &error), JP_E_PARAMS, "also to open");
    STATUS(jp_job_create("Local\\no\\such\\folder", NULL, &job, NULL, &error), JP_E_PARAMS, "backslashes in a name are refused");
    CHECK(strstr(error.text, "Global\\") != NULL, "with a word on where they may stand");
    STATUS(jp_job_create(NULL, NULL, &job, NULL, &error), JP_OK, "a job needs no name");
    jp_job_close(job);
}

static void test_security(void) {
    struct jp_job *job = NULL;
    STATUS(jp_job_create(NULL, "not SDDL", &job, NULL, &error), JP_E_PARAMS, "a descriptor that is none is refused");
    STATUS(jp_job_create(NULL, "O:BA", &job, NULL, &error), JP_E_PARAMS, "so is one without an access list");
    const char *name = name_of("Local\\", "security");
    STATUS(jp_job_create(name, "D:P(A;;GA;;;WD)", &job, NULL, &error), JP_OK, "a job gets a descriptor");
    wchar_t wide[128];
    swprintf(wide, 128, L"%hs", name);
    HANDLE handle = OpenJobObjectW(READ_CONTROL, FALSE, wide);
    PACL dacl = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    DWORD win32 = GetSecurityInfo(handle, SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, &dacl, NULL, &descriptor);
    CHECK(win32 == ERROR_SUCCESS && dacl && dacl->AceCount == 1, "it has the access list that was given");
    LocalFree(descriptor);
    CloseHandle(handle);
    jp_job_close(job);
}

/* --- rights --- */

/* shows: JOB_OBJECT_ASSIGN_PROCESS JOB_OBJECT_SET_ATTRIBUTES JOB_OBJECT_QUERY JOB_OBJECT_TERMINATE
          JobObjectExtendedLimitInformation */
static void test_rights(void) {
    const char *name = name_of("Local\\", "rights");
    struct jp_job *job = NULL, *weak = NULL;
    struct jp_job_info info = {.class = JP_JOB_ExtendedLimitInformation};
    jp_job_create(name, NULL, &job, NULL, &error);
    STATUS(jp_job_open(name, JP_JOB_OBJECT_QUERY, false, &weak, &error), JP_OK, "a job is opened to be queried only");
    STATUS(jp_job_query(weak, JP_JOB_ExtendedLimitInformation, &info, &error), JP_OK, "then it can be queried");
    STATUS(jp_job_set(weak, &info, &error), JP_E_DENIED, "and not set");
    CHECK(strstr(error.text, "JOB_OBJECT_SET_ATTRIBUTES") && error.win32 == ERROR_ACCESS_DENIED, "the error names the right");
    STATUS(jp_job_terminate(weak, 1, &error), JP_E_DENIED, "nor terminated");
    CHECK(strstr(error.text, "JOB_OBJECT_TERMINATE") != NULL, "the error names the right");
    struct child child = start_child("wait", 0, false);
    STATUS(jp_job_assign_process(weak, child.pid, 0, &error), JP_E_DENIED, "nor assigned to");
    CHECK(strstr(error.text, "JOB_OBJECT_ASSIGN_PROCESS") != NULL, "the error names the right");
    drop_child(&child);
    jp_job_close(weak);
    jp_job_open(name, JP_JOB_OBJECT_TERMINATE, false, &weak, &error);
    STATUS(jp_job_query(weak, JP_JOB_BasicAccountingInformation, &info, &error), JP_E_DENIED, "a job opened to be terminated is not queried");
    CHECK(strstr(error.text, "JOB_OBJECT_QUERY") != NULL, "the error names the right");
    STATUS(jp_job_terminate(weak, 1, &error), JP_OK, "but terminated");
    jp_job_close(weak);
    jp_job_close(job);
}

/* --- processes --- */

/* shows: AssignProcessToJobObject IsProcessInJob QueryInformationJobObject TerminateJobObject
          JobObjectBasicProcessIdList JobObjectBasicAccountingInformation */
static void test_processes(void) {
    struct jp_job *job = NULL, *other = NULL;
    struct jp_job_info info;
    bool in_job = true;
    jp_job_create(NULL, NULL, &job, NULL, &error);
    jp_job_create(NULL, NULL, &other, NULL, &error);
    struct child child = start_child("wait", 0, false);
    STATUS(jp_is_process_in_job(child.pid, job, &in_job, &error), JP_OK, "a process is asked about");
    CHECK(!in_job, "it is not in the job");
    STATUS(jp_job_assign_process(job, child.pid, child.start_100ns + 1, &error), JP_E_OTHER_PROCESS,
           "a process that began at another time is not the one meant");
    STATUS(jp_job_assign_process(job, child.pid, child.start_100ns, &error), JP_OK, "it is assigned");
    STATUS(jp_is_process_in_job(child.pid, job, &in_job, &error), JP_OK, "it is asked about again");
    CHECK(in_job, "it is in the job");
    jp_is_process_in_job(child.pid, other, &in_job, &error);
    CHECK(!in_job, "and not in another");
    STATUS(jp_is_process_in_job(child.pid, NULL, &in_job, &error), JP_OK, "any job will do");
    CHECK(in_job, "it is in one");

    if (STATUS(jp_job_query(job, JP_JOB_BasicProcessIdList, &info, &error), JP_OK, "the job's processes are listed"))
        CHECK(info.pids.count == 1 && info.pids.items[0] == child.pid, "it is the one");
    jp_job_info_clear(&info);
    CHECK(info.pids.items == NULL && info.class == 0, "a cleared list is empty");
    if (STATUS(jp_job_query(job, JP_JOB_BasicAccountingInformation, &info, &error), JP_OK, "the job's counters are read"))
        CHECK(info.accounting.total_processes == 1 && info.accounting.active_processes == 1, "they count it");

    STATUS(jp_job_terminate(job, 77, &error), JP_OK, "the job is terminated");
    CHECK(ends_with(&child, 77), "its process ends with the code that was given");
    STATUS(jp_job_assign_process(other, child.pid, 0, &error), JP_E_NO_PROCESS, "a process that has exited is not assigned");
    CHECK(strstr(error.text, "exited") != NULL, "the error says why");
    STATUS(jp_job_assign_process(other, 0x7ffffff0, 0, &error), JP_E_NO_PROCESS, "nor is one that never was");
    STATUS(jp_is_process_in_job(0x7ffffff0, NULL, &in_job, &error), JP_E_NO_PROCESS, "nor asked about");
    drop_child(&child);
    jp_job_close(other);
    jp_job_close(job);
}

/* Rule 2 of AssignProcessToJobObject: one below the other, but not beside. */
static void test_nesting(void) {
    struct jp_job *outer = NULL, *inner = NULL, *beside = NULL;
    bool in_outer = false, in_inner = false;
    jp_job_create(NULL, NULL, &outer, NULL, &error);
    jp_job_create(NULL, NULL, &inner, NULL, &error);
    jp_job_create(NULL, NULL, &beside, NULL, &error);
    struct child child = start_child("wait", 0, false), neighbour = start_child("wait", 0, false);
    STATUS(jp_job_assign_process(outer, child.pid, 0, &error), JP_OK, "a process joins a job");
    STATUS(jp_job_assign_process(inner, child.pid, 0, &error), JP_OK, "and one below it");
    jp_is_process_in_job(child.pid, outer, &in_outer, &error);
    jp_is_process_in_job(child.pid, inner, &in_inner, &error);
    CHECK(in_outer && in_inner, "it is in both");
    jp_job_assign_process(beside, neighbour.pid, 0, &error);
    jp_status status = jp_job_assign_process(beside, child.pid, 0, &error);
    CHECK(status == JP_E_DENIED || status == JP_E_SYSTEM, "a job with members of its own does not take it");
    printf("# %s\n", error.text);
    drop_child(&neighbour);
    drop_child(&child);
    jp_job_close(beside);
    jp_job_close(inner);
    jp_job_close(outer);
}

/* shows: SetInformationJobObject JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE */
static void test_kill_on_close(void) {
    const char *name = name_of("Local\\", "inherited");
    struct jp_job *job = NULL, *inherited = NULL;
    struct jp_job_info info = {.class = JP_JOB_ExtendedLimitInformation,
                               .extended_limits.basic.limit_flags = JP_JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
    jp_job_create(name, NULL, &job, NULL, &error);
    STATUS(jp_job_set(job, &info, &error), JP_OK, "a job is told to end its processes with its last handle");
    struct child member = start_child("wait", 0, false);
    jp_job_assign_process(job, member.pid, 0, &error);
    STATUS(jp_job_open(name, JP_JOB_OBJECT_QUERY, true, &inherited, &error), JP_OK, "its handle is opened to be inherited");
    struct child heir = start_child("wait", 0, true);
    jp_job_close(inherited);
    jp_job_close(job);
    CHECK(WaitForSingleObject(member.process, 200) == WAIT_TIMEOUT, "while a child holds it, the processes live");
    drop_child(&heir);
    CHECK(WaitForSingleObject(member.process, PATIENCE_MS) == WAIT_OBJECT_0, "they end with the child");
    drop_child(&member);
}

/* --- information classes --- */

struct class_row {
    enum jp_job_class class;
    const char *name;
    bool on_wine; /* it can be read there */
};
static const struct class_row classes[] = {
#define X(name, value) {JP_JOB_##name, "JobObject" #name, (value) <= 3 || (value) == 9},
    JP_JOB_CLASS_TABLE(X)
#undef X
};

static void test_every_class_is_read(struct jp_job *job) {
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        struct jp_job_info info = {0};
        char what[128];
        jp_status status = jp_job_query(job, classes[i].class, &info, &error);
        if (classes[i].class == JP_JOB_SecurityLimitInformation || classes[i].class == JP_JOB_AssociateCompletionPortInformation) {
            snprintf(what, sizeof what, "%s is the service's", classes[i].name);
            CHECK(status == JP_E_UNSUPPORTED && strstr(error.text, classes[i].name), what);
            continue;
        }
        snprintf(what, sizeof what, "%s is read", classes[i].name);
        if (status == JP_E_UNSUPPORTED && ((wine && !classes[i].on_wine) || classes[i].class == JP_JOB_JobSetInformation)) {
            only_windows(what);
            snprintf(what, sizeof what, "that %s is not there is said by its name", classes[i].name);
            CHECK(strstr(error.text, classes[i].name) != NULL, what);
            continue;
        }
        STATUS(status, JP_OK, what);
        CHECK(status != JP_OK || info.class == classes[i].class, "what was read says which class it is");
        jp_job_info_clear(&info);
    }
    struct jp_job_info info;
    STATUS(jp_job_query(job, (enum jp_job_class)99, &info, &error), JP_E_UNSUPPORTED, "a class that nobody knows is not read");
}

static void test_what_is_only_read(struct jp_job *job) {
    static const enum jp_job_class only_read[] = {
        JP_JOB_BasicAccountingInformation, JP_JOB_BasicProcessIdList,         JP_JOB_BasicAndIoAccountingInformation,
        JP_JOB_LimitViolationInformation,  JP_JOB_MemoryUsageInformation,     JP_JOB_LimitViolationInformation2,
        JP_JOB_SecurityLimitInformation,   JP_JOB_AssociateCompletionPortInformation,
    };
    for (size_t i = 0; i < sizeof only_read / sizeof *only_read; i++) {
        struct jp_job_info info = {.class = only_read[i]};
        STATUS(jp_job_set(job, &info, &error), JP_E_UNSUPPORTED, "what is only read is not set");
    }
}

/* Sets, reads back, and lets `same` compare; then sets what was read, which must change nothing. */
static void round_trip(const struct jp_job_info *wanted, bool (*same)(const struct jp_job_info *, const struct jp_job_info *),
                       const char *what) {
    struct jp_job *job = NULL;
    struct jp_job_info kept = {0}, once_more = {0};
    jp_job_create(NULL, NULL, &job, NULL, &error);
    jp_status status = jp_job_set(job, wanted, &error);
    if (status == JP_OK)
        status = jp_job_query(job, wanted->class, &kept, &error);
    if (status == JP_E_UNSUPPORTED && wine) {
        only_windows(what);
    } else if (status == JP_OK && wine && !same(wanted, &kept)) {
        skip(what, "Wine takes the limit and forgets it");
    } else if (STATUS(status, JP_OK, what)) {
        CHECK(same(wanted, &kept), what);
        STATUS(jp_job_set(job, &kept, &error), JP_OK, "what was read is set");
        STATUS(jp_job_query(job, wanted->class, &once_more, &error), JP_OK, "and read again");
        CHECK(same(&kept, &once_more), "nothing has changed");
    }
    jp_job_info_clear(&once_more);
    jp_job_info_clear(&kept);
    jp_job_close(job);
}

static bool same_basic(const struct jp_job_basic_limits *one, const struct jp_job_basic_limits *other) {
    return one->limit_flags == other->limit_flags && one->per_process_user_time_limit_100ns == other->per_process_user_time_limit_100ns &&
           one->active_process_limit == other->active_process_limit && one->scheduling_class == other->scheduling_class &&
           one->priority_class == other->priority_class && one->affinity == other->affinity;
}
static bool same_limits(const struct jp_job_info *one, const struct jp_job_info *other) {
    return same_basic(&one->basic_limits, &other->basic_limits);
}
static bool same_extended(const struct jp_job_info *one, const struct jp_job_info *other) {
    const struct jp_job_extended_limits *a = &one->extended_limits, *b = &other->extended_limits;
    return same_basic(&a->basic, &b->basic) && a->process_memory_limit_bytes == b->process_memory_limit_bytes &&
           a->job_memory_limit_bytes == b->job_memory_limit_bytes;
}
static bool same_number(const struct jp_job_info *one, const struct jp_job_info *other) {
    return one->ui_restrictions == other->ui_restrictions;
}
static bool same_notification(const struct jp_job_info *one, const struct jp_job_info *other) {
    const struct jp_job_notification_limits *a = &one->notification, *b = &other->notification;
    return a->limit_flags == b->limit_flags && a->io_read_bytes_limit == b->io_read_bytes_limit &&
           a->job_high_memory_limit_bytes == b->job_high_memory_limit_bytes &&
           a->job_low_memory_limit_bytes == b->job_low_memory_limit_bytes;
}
static bool same_cpu(const struct jp_job_info *one, const struct jp_job_info *other) {
    const struct jp_job_cpu_rate *a = &one->cpu_rate, *b = &other->cpu_rate;
    return a->control_flags == b->control_flags && a->cpu_rate == b->cpu_rate && a->weight == b->weight &&
           a->min_rate == b->min_rate && a->max_rate == b->max_rate;
}
static bool same_net(const struct jp_job_info *one, const struct jp_job_info *other) {
    const struct jp_job_net_rate *a = &one->net_rate, *b = &other->net_rate;
    return a->control_flags == b->control_flags && a->max_bandwidth_bytes == b->max_bandwidth_bytes && a->dscp_tag == b->dscp_tag;
}
static bool same_groups(const struct jp_job_info *one, const struct jp_job_info *other) {
    return one->groups.count == other->groups.count && one->groups.count > 0 && one->groups.items[0] == other->groups.items[0];
}
static bool same_affinities(const struct jp_job_info *one, const struct jp_job_info *other) {
    const struct jp_job_group_affinity_list *a = &one->group_affinities, *b = &other->group_affinities;
    return a->count == b->count && a->count > 0 && a->items[0].mask == b->items[0].mask && a->items[0].group == b->items[0].group;
}

static void test_round_trips(void) {
    static const struct jp_job_basic_limits basic = {
        .limit_flags = JP_JOB_OBJECT_LIMIT_ACTIVE_PROCESS | JP_JOB_OBJECT_LIMIT_PROCESS_TIME | JP_JOB_OBJECT_LIMIT_PRIORITY_CLASS,
        .active_process_limit = 9,
        .per_process_user_time_limit_100ns = UINT64_C(50000000000), /* more than 32 bits */
        .priority_class = JP_JOB_BELOW_NORMAL_PRIORITY_CLASS,
    };
    struct jp_job_basic_limits more = basic;
    more.limit_flags |= JP_JOB_OBJECT_LIMIT_PROCESS_MEMORY | JP_JOB_OBJECT_LIMIT_JOB_MEMORY;
    round_trip(&(struct jp_job_info){.class = JP_JOB_BasicLimitInformation, .basic_limits = basic}, same_limits,
               "basic limits are kept");
    round_trip(&(struct jp_job_info){.class = JP_JOB_ExtendedLimitInformation,
                                     .extended_limits = {.basic = more, .process_memory_limit_bytes = UINT64_C(5) << 32,
                                                         .job_memory_limit_bytes = UINT64_C(6) << 32}},
               same_extended, "extended limits are kept");
    round_trip(&(struct jp_job_info){.class = JP_JOB_BasicUIRestrictions,
                                     .ui_restrictions = JP_JOB_OBJECT_UILIMIT_DESKTOP | JP_JOB_OBJECT_UILIMIT_EXITWINDOWS},
               same_number, "user-interface limits are kept");
    round_trip(&(struct jp_job_info){.class = JP_JOB_EndOfJobTimeInformation,
                                     .end_of_job_time_action = JP_JOB_OBJECT_POST_AT_END_OF_JOB},
               same_number, "the end-of-job-time action is kept");
    const struct jp_job_notification_limits notify = {
        .limit_flags = JP_JOB_OBJECT_LIMIT_JOB_READ_BYTES | JP_JOB_OBJECT_LIMIT_JOB_MEMORY,
        .io_read_bytes_limit = UINT64_C(7) << 32,
        .job_high_memory_limit_bytes = UINT64_C(8) << 32,
    };
    struct jp_job_notification_limits notify_2 = notify;
    notify_2.limit_flags |= JP_JOB_OBJECT_LIMIT_JOB_MEMORY_LOW;
    notify_2.job_low_memory_limit_bytes = 1 << 20;
    round_trip(&(struct jp_job_info){.class = JP_JOB_NotificationLimitInformation, .notification = notify}, same_notification,
               "notification limits are kept");
    round_trip(&(struct jp_job_info){.class = JP_JOB_NotificationLimitInformation2, .notification = notify_2}, same_notification,
               "notification limits of the second version are kept");
}

static void test_rate_round_trips(void) {
    enum { ON = JP_JOB_OBJECT_CPU_RATE_CONTROL_ENABLE };
    const struct jp_job_cpu_rate rates[] = {
        {.control_flags = ON | JP_JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP, .cpu_rate = 2500},
        {.control_flags = ON | JP_JOB_OBJECT_CPU_RATE_CONTROL_WEIGHT_BASED, .weight = 7},
        {.control_flags = ON | JP_JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE, .min_rate = 1000, .max_rate = 3000},
    };
    static const char *const what[] = {"a hard CPU cap is kept", "a CPU weight is kept", "a CPU range is kept"};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        round_trip(&(struct jp_job_info){.class = JP_JOB_CpuRateControlInformation, .cpu_rate = rates[i]}, same_cpu, what[i]);
    round_trip(&(struct jp_job_info){.class = JP_JOB_NetRateControlInformation,
                                     .net_rate = {.control_flags = JP_JOB_OBJECT_NET_RATE_CONTROL_VALID_FLAGS,
                                                  .max_bandwidth_bytes = UINT64_C(5) << 32, .dscp_tag = 46}},
               same_net, "a network rate is kept");
    uint16_t group = 0;
    round_trip(&(struct jp_job_info){.class = JP_JOB_GroupInformation, .groups = {&group, 1}}, same_groups, "processor groups are kept");
    struct jp_job_group_affinity affinity = {.mask = 1, .group = 0};
    round_trip(&(struct jp_job_info){.class = JP_JOB_GroupInformationEx, .group_affinities = {&affinity, 1}}, same_affinities,
               "affinities in processor groups are kept");
}

static void test_bad_values(struct jp_job *job) {
    struct jp_job_info info = {.class = JP_JOB_NetRateControlInformation, .net_rate.dscp_tag = 300};
    STATUS(jp_job_set(job, &info, &error), JP_E_PARAMS, "a number that would be cut off is refused");
    info = (struct jp_job_info){
        .class = JP_JOB_CpuRateControlInformation,
        .cpu_rate = {.control_flags = JP_JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE, .min_rate = 1, .max_rate = 70000},
    };
    STATUS(jp_job_set(job, &info, &error), JP_E_PARAMS, "also in a range of CPU rates");
    info = (struct jp_job_info){.class = JP_JOB_BasicLimitInformation,
                                .basic_limits.limit_flags = JP_JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
    STATUS(jp_job_set(job, &info, &error), JP_E_SYSTEM, "kill-on-close wants class 9");
    CHECK(error.win32 == ERROR_INVALID_PARAMETER && strstr(error.text, "JobObjectBasicLimitInformation"),
          "Windows' refusal of values is not taken for an unknown class");
}

/* --- the job of this process --- */

static void test_own_job(void) {
    static const char alone[] = "a process asks its own job without a handle: it is the one member";
    struct jp_job_info info;
    bool in_job = false;
    jp_is_process_in_job(GetCurrentProcessId(), NULL, &in_job, &error);
    jp_status status = jp_job_query(NULL, JP_JOB_BasicAccountingInformation, &info, &error);
    if (status == JP_E_UNSUPPORTED && wine) {
        only_windows("a process that is in no job is told so");
        only_windows(alone);
        return;
    }
    CHECK(status == (in_job ? JP_OK : JP_E_NO_JOB), "a process that is in no job is told so");

    struct jp_job *job = NULL;
    jp_job_create(NULL, NULL, &job, NULL, &error);
    struct child child = start_child("own-job", CREATE_SUSPENDED, false);
    jp_job_assign_process(job, child.pid, child.start_100ns, &error);
    ResumeThread(child.thread);
    CHECK(ends_with(&child, 0), alone);
    drop_child(&child);
    jp_job_close(job);
}

static int child_own_job(void) {
    struct jp_job_info info;
    if (jp_job_query(NULL, JP_JOB_BasicProcessIdList, &info, &error) != JP_OK)
        return 10;
    bool alone = info.pids.count == 1 && info.pids.items[0] == GetCurrentProcessId();
    jp_job_info_clear(&info);
    if (!alone)
        return 11;
    if (jp_job_query(NULL, JP_JOB_BasicAccountingInformation, &info, &error) != JP_OK)
        return 12;
    return info.accounting.active_processes == 1 ? 0 : 13;
}

/* --- USER handles --- */

static void test_user_handle(void) {
    static const char what[] = "a value that is no USER handle is refused";
    struct jp_job *job = NULL;
    jp_job_create(NULL, NULL, &job, NULL, &error);
    jp_status status = jp_user_handle_grant_access(0xDEAD4, job, true, &error);
    if (status == JP_OK && wine)
        skip(what, "Wine's UserHandleGrantAccess takes anything and does nothing");
    else
        STATUS(status, JP_E_PARAMS, what);
    jp_job_close(job);
}

/* --- all --- */

int wmain(int argc, wchar_t **argv); /* no header declares it */

int wmain(int argc, wchar_t **argv) {
    GetModuleFileNameW(NULL, own_path, sizeof own_path / sizeof *own_path);
    if (argc > 2 && wcscmp(argv[1], L"child") == 0) {
        if (wcscmp(argv[2], L"own-job") == 0)
            return child_own_job();
        return (int)WaitForSingleObject(CreateEventW(NULL, TRUE, FALSE, NULL), 60000);
    }
    wine = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != NULL;
    struct jp_job *job = NULL;
    if (!STATUS(jp_job_create(NULL, NULL, &job, NULL, &error), JP_OK, "a job is created"))
        return finish();
    test_names();
    test_bad_names();
    test_security();
    test_rights();
    test_processes();
    test_nesting();
    test_kill_on_close();
    test_every_class_is_read(job);
    test_what_is_only_read(job);
    test_round_trips();
    test_rate_round_trips();
    test_bad_values(job);
    test_own_job();
    test_user_handle();
    jp_job_close(job);
    return finish();
}
