/* Job objects, typed: what pywin32's win32job gives a Python program, for a C program in its own process.
 *
 *     struct jp_job *job;
 *     struct jp_error error;
 *     if (jp_job_create("Local\\build", NULL, &job, NULL, &error)) ... error.text says why
 *     struct jp_job_info info = {.class = JP_JOB_BasicUIRestrictions, .ui_restrictions = JP_JOB_OBJECT_UILIMIT_DESKTOP};
 *     jp_job_set(job, &info, &error);
 *     jp_job_close(job);
 *
 * No service is needed: these are the calls of the process that makes them, with its rights. Link with jobpool_job.
 * All texts are UTF-8. No function keeps a pointer that it was given. A job may be used by one thread at a time.
 *
 * Times are in units of 100 ns, sizes in bytes, as Windows has them. A member that no flag of its class calls valid is what
 * Windows left there; it is ignored when set. Pages: https://learn.microsoft.com/windows/win32/procthread/job-objects and
 * that of each structure. */
#ifndef JOBPOOL_JOB_H
#define JOBPOOL_JOB_H

#include "jobpool/job_constants.h"
#include "jobpool/status.h"

struct jp_job; /* a job object, held by handle */

/* JOBOBJECT_BASIC_ACCOUNTING_INFORMATION */
struct jp_job_accounting {
    uint64_t total_user_time_100ns, total_kernel_time_100ns;
    uint64_t this_period_total_user_time_100ns, this_period_total_kernel_time_100ns; /* since the job time was set */
    uint32_t total_page_fault_count, total_processes, active_processes, total_terminated_processes;
};

/* IO_COUNTERS */
struct jp_job_io {
    uint64_t read_operation_count, write_operation_count, other_operation_count;
    uint64_t read_transfer_bytes, write_transfer_bytes, other_transfer_bytes;
};

/* JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION */
struct jp_job_accounting_and_io {
    struct jp_job_accounting basic;
    struct jp_job_io io;
};

/* JOBOBJECT_BASIC_LIMIT_INFORMATION */
struct jp_job_basic_limits {
    uint64_t per_process_user_time_limit_100ns, per_job_user_time_limit_100ns;
    uint32_t limit_flags; /* JP_JOB_OBJECT_LIMIT_*: which of the others hold */
    uint64_t minimum_working_set_bytes, maximum_working_set_bytes;
    uint32_t active_process_limit;
    uint64_t affinity;
    uint32_t priority_class, scheduling_class;
};

/* JOBOBJECT_EXTENDED_LIMIT_INFORMATION */
struct jp_job_extended_limits {
    struct jp_job_basic_limits basic;
    struct jp_job_io io; /* reserved by Windows: zero */
    uint64_t process_memory_limit_bytes, job_memory_limit_bytes;
    uint64_t peak_process_memory_bytes, peak_job_memory_bytes; /* only read */
};

/* Lists, in new memory: see jp_job_info_clear. */
struct jp_job_pid_list {
    uint32_t *items;
    size_t count;
};
struct jp_job_group_list {
    uint16_t *items; /* processor groups */
    size_t count;
};
struct jp_job_group_affinity {
    uint64_t mask;
    uint16_t group;
};
struct jp_job_group_affinity_list { /* GROUP_AFFINITY[] */
    struct jp_job_group_affinity *items;
    size_t count;
};

/* JOBOBJECT_NOTIFICATION_LIMIT_INFORMATION_2; of the first version what has no mark. */
struct jp_job_notification_limits {
    uint64_t io_read_bytes_limit, io_write_bytes_limit, per_job_user_time_limit_100ns;
    uint64_t job_high_memory_limit_bytes; /* version 1: JobMemoryLimit */
    uint64_t job_low_memory_limit_bytes;  /* version 2 */
    uint32_t cpu_tolerance, cpu_tolerance_interval; /* enum jp_job_tolerance, ..._interval; version 1: RateControlTolerance... */
    uint32_t io_tolerance, io_tolerance_interval;   /* version 2 */
    uint32_t net_tolerance, net_tolerance_interval; /* version 2 */
    uint32_t limit_flags;
};

/* JOBOBJECT_LIMIT_VIOLATION_INFORMATION_2; of the first version what has no mark. */
struct jp_job_violations {
    uint32_t limit_flags, violation_limit_flags;
    uint64_t io_read_bytes, io_read_bytes_limit, io_write_bytes, io_write_bytes_limit;
    uint64_t per_job_user_time_100ns, per_job_user_time_limit_100ns;
    uint64_t job_memory_bytes, job_high_memory_limit_bytes;
    uint64_t job_low_memory_limit_bytes; /* version 2 */
    uint32_t cpu_tolerance, cpu_tolerance_limit;
    uint32_t io_tolerance, io_tolerance_limit;   /* version 2 */
    uint32_t net_tolerance, net_tolerance_limit; /* version 2 */
};

/* JOBOBJECT_CPU_RATE_CONTROL_INFORMATION: control_flags say which of the others holds. */
struct jp_job_cpu_rate {
    uint32_t control_flags;
    uint32_t cpu_rate; /* 1/100 % of all processors, 1 to 10000 */
    uint32_t weight;   /* 1 to 9 */
    uint32_t min_rate, max_rate;
};

/* JOBOBJECT_NET_RATE_CONTROL_INFORMATION */
struct jp_job_net_rate {
    uint64_t max_bandwidth_bytes; /* a second, outgoing */
    uint32_t control_flags;
    uint32_t dscp_tag; /* 0 to 63 */
};

/* JOBOBJECT_MEMORY_USAGE_INFORMATION */
struct jp_job_memory_usage {
    uint64_t job_memory_bytes, peak_job_memory_bytes;
};

/* What an information class holds. `class` says which member is meant. */
struct jp_job_info {
    enum jp_job_class class;
    union {
        struct jp_job_accounting accounting;                 /* 1 */
        struct jp_job_basic_limits basic_limits;             /* 2 */
        struct jp_job_pid_list pids;                         /* 3 */
        uint32_t ui_restrictions;                            /* 4 */
        uint32_t end_of_job_time_action;                     /* 6 */
        struct jp_job_accounting_and_io accounting_and_io;   /* 8 */
        struct jp_job_extended_limits extended_limits;       /* 9 */
        uint32_t member_level;                               /* 10 */
        struct jp_job_group_list groups;                     /* 11 */
        struct jp_job_notification_limits notification;      /* 12, 33 */
        struct jp_job_violations violations;                 /* 13, 34 */
        struct jp_job_group_affinity_list group_affinities;  /* 14 */
        struct jp_job_cpu_rate cpu_rate;                     /* 15 */
        struct jp_job_memory_usage memory_usage;             /* 28 */
        struct jp_job_net_rate net_rate;                     /* 32 */
    };
};

/* Frees the lists of classes 3, 11 and 14; all zero after. Harmless for the others. */
void jp_job_info_clear(struct jp_job_info *info);

/* CreateJobObject. `name` NULL: without a name. `security_sddl` NULL: the default descriptor. `ret_existed` (or NULL): there was
 * one of this name, and this is it, unchanged. Close with jp_job_close.
 * JP_E_DENIED: the name is taken by something that is not a job, or by a job that does not let the caller in. */
jp_status jp_job_create(const char *name, const char *security_sddl, struct jp_job **ret_job, bool *ret_existed,
                        struct jp_error *error);

/* OpenJobObject with these JP_JOB_OBJECT_* rights. JP_E_NO_JOB: there is none of this name. JP_E_DENIED: not with these rights. */
jp_status jp_job_open(const char *name, uint32_t desired_access, bool inherit_handles, struct jp_job **ret_job,
                      struct jp_error *error);

void jp_job_close(struct jp_job *job); /* NULL is fine */

/* AssignProcessToJobObject. `start_time_100ns` 0: whoever has the pid now; else JP_E_OTHER_PROCESS if it began at another time.
 * JP_E_NO_PROCESS: there is none, or it has exited. JP_E_POOL_FULL: the job is full or its time used up, and Windows has
 * ended the process. JP_E_DENIED, JP_E_SYSTEM: as the text says. */
jp_status jp_job_assign_process(struct jp_job *job, uint32_t pid, int64_t start_time_100ns, struct jp_error *error);

/* IsProcessInJob. `job` NULL: in any job. */
jp_status jp_is_process_in_job(uint32_t pid, struct jp_job *job, bool *ret_in_job, struct jp_error *error);

/* QueryInformationJobObject. `job` NULL: the job of the calling process. Clear the result with jp_job_info_clear.
 * JP_E_UNSUPPORTED: this Windows does not have the class (it names the one that does), or the class cannot be read. */
jp_status jp_job_query(struct jp_job *job, enum jp_job_class class, struct jp_job_info *ret_info, struct jp_error *error);

/* SetInformationJobObject. Nothing is taken over. JP_E_UNSUPPORTED as above; JP_E_SYSTEM with Windows' reason. */
jp_status jp_job_set(struct jp_job *job, const struct jp_job_info *info, struct jp_error *error);

/* TerminateJobObject: all processes of the job and its child jobs end with this code. */
jp_status jp_job_terminate(struct jp_job *job, uint32_t exit_code, struct jp_error *error);

/* UserHandleGrantAccess: processes of a job under UILIMIT_HANDLES may (grant) or may no more (not grant) use a USER handle (a
 * window, menu, hook, ...) of the calling process's desktop. `user_handle`: the handle's value. */
jp_status jp_user_handle_grant_access(uint64_t user_handle, struct jp_job *job, bool grant, struct jp_error *error);

#endif
