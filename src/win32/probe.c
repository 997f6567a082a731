/* Owns the question what this host's kernel does. Answers by trying: version numbers do not tell (Wine says Windows 7 or 10
 * and forgets limits that it has taken).
 *
 * Tried on job objects without a name, on this process, and on one child: our own program, created suspended, ended before
 * it runs. A step that fails answers "no" and leaves a line in the log. */
#include "base/str.h"
#include "win32/filetime.h"
#include "win32/host.h"
#include "win32/internal.h"
#include "win32/wide.h"

#include <psapi.h>
#include <winternl.h>

enum { PROBE_EXIT_CODE = 0x4A50, PROBE_WAIT_MS = 500, BURN_MS = 100, MEMORY_MS = 100, MEMORY_STEP_MS = 10 };

static void note(const struct jp_log *log, const char *what, uint32_t win32) {
    jp_log(log, JP_LOG_WARNING, "probing the host: %s: %s (%lu)", what, jp_win32_text(win32), (unsigned long)win32);
}

/* --- what a job keeps --- */

typedef JOBOBJECT_EXTENDED_LIMIT_INFORMATION extended;

static DWORD_PTR first_processor(void) {
    DWORD_PTR own = 0, all = 0;
    GetProcessAffinityMask(GetCurrentProcess(), &own, &all);
    return own & (~own + 1);
}

/* One limit alone, so that a refusal of one does not hide the others. */
static bool limit_sticks(HANDLE job, DWORD flag, const extended *wanted) {
    extended try = *wanted, kept = {0};
    try.BasicLimitInformation.LimitFlags = flag;
    if (!SetInformationJobObject(job, JobObjectExtendedLimitInformation, &try, sizeof try) ||
        !QueryInformationJobObject(job, JobObjectExtendedLimitInformation, &kept, sizeof kept, NULL))
        return false;
    return (kept.BasicLimitInformation.LimitFlags & flag) == flag;
}

static void probe_extended_limits(HANDLE job, struct jp_capabilities *can) {
    const extended wanted = {
        .BasicLimitInformation =
            {
                .PerProcessUserTimeLimit.QuadPart = INT64_C(36000000000),
                .PerJobUserTimeLimit.QuadPart = INT64_C(36000000000),
                .MinimumWorkingSetSize = 1 << 20,
                .MaximumWorkingSetSize = 64 << 20,
                .ActiveProcessLimit = 100,
                .Affinity = first_processor(),
                .PriorityClass = NORMAL_PRIORITY_CLASS,
                .SchedulingClass = 5,
            },
        .ProcessMemoryLimit = 256 << 20,
        .JobMemoryLimit = 512 << 20,
    };
    static const struct {
        enum jp_limit limit;
        DWORD flag;
    } rows[] = {
        {JP_LIMIT_ACTIVE_PROCESSES, JOB_OBJECT_LIMIT_ACTIVE_PROCESS},
        {JP_LIMIT_PROCESS_MEMORY, JOB_OBJECT_LIMIT_PROCESS_MEMORY},
        {JP_LIMIT_JOB_MEMORY, JOB_OBJECT_LIMIT_JOB_MEMORY},
        {JP_LIMIT_PROCESS_TIME, JOB_OBJECT_LIMIT_PROCESS_TIME},
        {JP_LIMIT_JOB_TIME, JOB_OBJECT_LIMIT_JOB_TIME},
        {JP_LIMIT_PRIORITY_CLASS, JOB_OBJECT_LIMIT_PRIORITY_CLASS},
        {JP_LIMIT_AFFINITY, JOB_OBJECT_LIMIT_AFFINITY},
        {JP_LIMIT_SUBSET_AFFINITY, JOB_OBJECT_LIMIT_AFFINITY | JOB_OBJECT_LIMIT_SUBSET_AFFINITY},
        {JP_LIMIT_WORKING_SET, JOB_OBJECT_LIMIT_WORKINGSET},
        {JP_LIMIT_SCHEDULING_CLASS, JOB_OBJECT_LIMIT_SCHEDULING_CLASS},
        {JP_LIMIT_DIE_ON_UNHANDLED_EXCEPTION, JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION},
        {JP_LIMIT_BREAKAWAY, JOB_OBJECT_LIMIT_BREAKAWAY_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (limit_sticks(job, rows[i].flag, &wanted))
            can->limits[rows[i].limit] = JP_ENFORCED_BY_KERNEL;
}

/* Sets, reads back. The caller compares and clears. */
static bool read_back(HANDLE handle, const struct jp_job_info *wanted, struct jp_job_info *ret_kept) {
    static char label[] = "a job object";
    struct jp_job job = {.handle = handle, .label = label};
    struct jp_error error;
    return jp__job_object_set(&job, wanted, &error) == JP_OK &&
           jp__job_object_query(&job, wanted->class, ret_kept, &error) == JP_OK;
}

static bool cpu_rate_sticks(HANDLE job) {
    const struct jp_job_info wanted = {
        .class = JP_JOB_CpuRateControlInformation,
        .cpu_rate = {.control_flags = JP_JOB_OBJECT_CPU_RATE_CONTROL_ENABLE | JP_JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP, .cpu_rate = 5000},
    };
    struct jp_job_info kept;
    return read_back(job, &wanted, &kept) && kept.cpu_rate.control_flags == wanted.cpu_rate.control_flags &&
           kept.cpu_rate.cpu_rate == wanted.cpu_rate.cpu_rate;
}

static bool net_rate_sticks(HANDLE job) {
    const struct jp_job_info wanted = {
        .class = JP_JOB_NetRateControlInformation,
        .net_rate = {.control_flags = JP_JOB_OBJECT_NET_RATE_CONTROL_ENABLE | JP_JOB_OBJECT_NET_RATE_CONTROL_MAX_BANDWIDTH,
                     .max_bandwidth_bytes = 1 << 20},
    };
    struct jp_job_info kept;
    return read_back(job, &wanted, &kept) && kept.net_rate.control_flags == wanted.net_rate.control_flags &&
           kept.net_rate.max_bandwidth_bytes == wanted.net_rate.max_bandwidth_bytes;
}

static bool end_of_job_time_sticks(HANDLE job) {
    const struct jp_job_info wanted = {.class = JP_JOB_EndOfJobTimeInformation,
                                       .end_of_job_time_action = JP_JOB_OBJECT_POST_AT_END_OF_JOB};
    struct jp_job_info kept;
    return read_back(job, &wanted, &kept) && kept.end_of_job_time_action == wanted.end_of_job_time_action;
}

static bool ui_sticks(HANDLE job) {
    const struct jp_job_info wanted = {.class = JP_JOB_BasicUIRestrictions, .ui_restrictions = JP_JOB_OBJECT_UILIMIT_EXITWINDOWS};
    struct jp_job_info kept;
    return read_back(job, &wanted, &kept) && kept.ui_restrictions == wanted.ui_restrictions;
}

/* Class 33, or 12 on hosts that are older. */
static bool notification_sticks(HANDLE job) {
    static const enum jp_job_class classes[] = {JP_JOB_NotificationLimitInformation2, JP_JOB_NotificationLimitInformation};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        const struct jp_job_info wanted = {
            .class = classes[i],
            .notification = {.limit_flags = JP_JOB_OBJECT_LIMIT_JOB_MEMORY, .job_high_memory_limit_bytes = 256 << 20},
        };
        struct jp_job_info kept;
        if (read_back(job, &wanted, &kept) && kept.notification.limit_flags == wanted.notification.limit_flags &&
            kept.notification.job_high_memory_limit_bytes == wanted.notification.job_high_memory_limit_bytes)
            return true;
    }
    return false;
}

/* In a job of its own: Windows does not let an affinity and groups stand beside each other. */
static bool groups_stick(void) {
    HANDLE job = CreateJobObjectW(NULL, NULL);
    if (!job)
        return false;
    PROCESSOR_NUMBER here;
    GetCurrentProcessorNumberEx(&here);
    struct jp_job_group_affinity one = {.mask = UINT64_C(1) << here.Number, .group = here.Group};
    const struct jp_job_info wanted = {.class = JP_JOB_GroupInformationEx, .group_affinities = {&one, 1}};
    struct jp_job_info kept;
    bool sticks = read_back(job, &wanted, &kept);
    if (sticks) {
        const struct jp_job_group_affinity_list *list = &kept.group_affinities;
        sticks = list->count == 1 && list->items[0].mask == one.mask && list->items[0].group == one.group;
        jp_job_info_clear(&kept);
    }
    CloseHandle(job);
    return sticks;
}

static void probe_job(const struct jp_log *log, struct jp_capabilities *can) {
    HANDLE job = CreateJobObjectW(NULL, NULL);
    if (!job) {
        note(log, "cannot create a job object", GetLastError());
        return;
    }
    probe_extended_limits(job, can);
    if (cpu_rate_sticks(job))
        can->limits[JP_LIMIT_CPU_RATE] = JP_ENFORCED_BY_KERNEL;
    if (net_rate_sticks(job))
        can->limits[JP_LIMIT_NETWORK_RATE] = JP_ENFORCED_BY_KERNEL;
    if (end_of_job_time_sticks(job))
        can->end_of_job_time = JP_ENFORCED_BY_KERNEL;
    if (ui_sticks(job))
        can->ui = JP_ENFORCED_BY_KERNEL;
    if (notification_sticks(job))
        can->notify = JP_ENFORCED_BY_KERNEL;
    if (groups_stick())
        can->limits[JP_LIMIT_PROCESSOR_GROUPS] = JP_ENFORCED_BY_KERNEL;
    CloseHandle(job);
}

/* --- what a child shows --- */

/* Our own program: the one file that is there for certain. */
static bool create_child(const struct jp_log *log, PROCESS_INFORMATION *ret_child) {
    wchar_t *path = jp__own_image();
    STARTUPINFOW startup = {.cb = sizeof startup};
    BOOL created = path && CreateProcessW(path, NULL, NULL, NULL, FALSE, CREATE_SUSPENDED | CREATE_NO_WINDOW, NULL, NULL,
                                                &startup, ret_child);
    if (!created)
        note(log, "cannot create a suspended child", GetLastError());
    jp_free(path);
    return created;
}

/* A host that gives the caller's times for another process gives more than nothing for a child that never ran. */
static bool times_are_true(HANDLE child) {
    FILETIME start, end, kernel, user;
    ULONGLONG until = GetTickCount64() + BURN_MS;
    do { /* until there is something that could be given by mistake */
        if (!GetProcessTimes(GetCurrentProcess(), &start, &end, &kernel, &user))
            return false;
    } while (jp_win32_from_filetime(kernel) + jp_win32_from_filetime(user) == 0 && GetTickCount64() < until);
    return GetProcessTimes(child, &start, &end, &kernel, &user) && jp_win32_from_filetime(kernel) + jp_win32_from_filetime(user) == 0;
}

/* This process has read the file that it was loaded from, or whatever its start wanted; a host that counts shows that. */
static bool io_is_counted(void) {
    uint8_t byte;
    DWORD length;
    IO_COUNTERS io = {0};
    HANDLE read_end, write_end;
    if (!CreatePipe(&read_end, &write_end, NULL, 0))
        return false;
    bool moved = WriteFile(write_end, "", 1, &length, NULL) && ReadFile(read_end, &byte, 1, &length, NULL);
    CloseHandle(write_end);
    CloseHandle(read_end);
    return moved && GetProcessIoCounters(GetCurrentProcess(), &io) && io.ReadTransferCount > 0 && io.WriteTransferCount > 0;
}

/* Wine reads them from the process's host, which goes a moment after the handle is signalled: they must last a while. */
static bool memory_outlives(HANDLE child) {
    HANDLE never = CreateEventW(NULL, TRUE, FALSE, NULL);
    bool there = never != NULL;
    for (int waited_ms = 0; there && waited_ms < MEMORY_MS; waited_ms += MEMORY_STEP_MS) {
        WaitForSingleObject(never, MEMORY_STEP_MS);
        PROCESS_MEMORY_COUNTERS memory = {.cb = sizeof memory};
        there = GetProcessMemoryInfo(child, &memory, sizeof memory) && memory.PeakPagefileUsage > 0;
    }
    if (never)
        CloseHandle(never);
    return there;
}

/* The child is put into two new jobs, one below the other, of which the outer ends it when its handle is closed. */
static void probe_child_in_jobs(const struct jp_log *log, HANDLE child, struct jp_capabilities *can) {
    HANDLE outer = CreateJobObjectW(NULL, NULL), inner = CreateJobObjectW(NULL, NULL);
    extended limits = {.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
    bool kills = outer && SetInformationJobObject(outer, JobObjectExtendedLimitInformation, &limits, sizeof limits) &&
                 AssignProcessToJobObject(outer, child);
    can->nested_jobs = kills && inner && AssignProcessToJobObject(inner, child);
    if (inner)
        CloseHandle(inner);
    if (outer)
        CloseHandle(outer);
    if (kills && WaitForSingleObject(child, PROBE_WAIT_MS) == WAIT_OBJECT_0) {
        can->limits[JP_LIMIT_KILL_ON_CLOSE] = JP_ENFORCED_BY_KERNEL;
        /* Breakaway shows itself only to a program that runs. Hosts that keep the one of these two flags keep the other,
         * also Wine, which gives neither back when asked. */
        can->limits[JP_LIMIT_BREAKAWAY] = JP_ENFORCED_BY_KERNEL;
        return;
    }
    note(log, "a job with kill-on-close did not end its process", ERROR_NOT_SUPPORTED);
    TerminateProcess(child, PROBE_EXIT_CODE);
    WaitForSingleObject(child, PROBE_WAIT_MS);
}

static void probe_child(const struct jp_log *log, struct jp_capabilities *can) {
    PROCESS_INFORMATION child;
    if (!create_child(log, &child))
        return;
    can->process_times = times_are_true(child.hProcess);
    probe_child_in_jobs(log, child.hProcess, can); /* ends it */
    can->memory_after_exit = memory_outlives(child.hProcess);
    CloseHandle(child.hThread);
    CloseHandle(child.hProcess);
}

void jp__probe(const struct jp_log *log, struct jp_capabilities *ret_capabilities) {
    struct jp_capabilities can = {.host = jp_win32_host_name(NULL)};
    probe_job(log, &can);
    probe_child(log, &can);
    can.process_io = io_is_counted();
    can.processors = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
    *ret_capabilities = can;
}
