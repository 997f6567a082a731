/* Parts of winnt.h that older mingw-w64 headers lack: structures under names of our own, so that newer headers do not clash, and
 * constants where there are none. job_info.c checks both. */
#ifndef JP_WIN32_WINNT_EXTRA_H
#define JP_WIN32_WINNT_EXTRA_H

#include <stdint.h>
#include <windows.h>

#ifndef JOB_OBJECT_LIMIT_JOB_MEMORY_HIGH
#define JOB_OBJECT_LIMIT_JOB_MEMORY_HIGH 0x00000200
#endif
#ifndef JOB_OBJECT_LIMIT_JOB_MEMORY_LOW
#define JOB_OBJECT_LIMIT_JOB_MEMORY_LOW 0x00008000
#endif
#ifndef JOB_OBJECT_LIMIT_CPU_RATE_CONTROL
#define JOB_OBJECT_LIMIT_CPU_RATE_CONTROL 0x00040000
#endif
#ifndef JOB_OBJECT_LIMIT_IO_RATE_CONTROL
#define JOB_OBJECT_LIMIT_IO_RATE_CONTROL 0x00080000
#endif
#ifndef JOB_OBJECT_LIMIT_NET_RATE_CONTROL
#define JOB_OBJECT_LIMIT_NET_RATE_CONTROL 0x00100000
#endif
#ifndef JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE
#define JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE 0x10
#endif
#ifndef JOB_OBJECT_MSG_SILO_TERMINATED
#define JOB_OBJECT_MSG_SILO_TERMINATED 13
#endif

/* JOBOBJECT_CPU_RATE_CONTROL_INFORMATION, class 15 */
struct jp__cpu_rate_information {
    uint32_t flags;
    union {
        uint32_t rate;   /* 1/100 % */
        uint32_t weight; /* 1 to 9 */
        struct {
            uint16_t min, max; /* 1/100 % */
        } range;
    } value;
};

/* JOBOBJECT_MEMORY_USAGE_INFORMATION, class 28. No page has it; hcsshim and phnt do. */
struct jp__memory_usage_information {
    uint64_t job_memory, peak_job_memory;
};

/* JOBOBJECT_NET_RATE_CONTROL_INFORMATION, class 32 */
struct jp__net_rate_information {
    uint64_t max_bandwidth; /* bytes a second */
    uint32_t flags;
    uint8_t dscp_tag;
};

/* JOBOBJECT_NOTIFICATION_LIMIT_INFORMATION_2, class 33: what is new in it stands behind the members of the first version. */
struct jp__notification_information_2 {
    uint64_t io_read_bytes_limit, io_write_bytes_limit;
    int64_t per_job_user_time_limit;
    uint64_t job_high_memory_limit;
    uint32_t cpu_tolerance, cpu_tolerance_interval;
    uint32_t limit_flags;
    uint32_t io_tolerance;
    uint64_t job_low_memory_limit;
    uint32_t io_tolerance_interval;
    uint32_t net_tolerance, net_tolerance_interval;
};

/* JOBOBJECT_LIMIT_VIOLATION_INFORMATION_2, class 34 */
struct jp__violation_information_2 {
    uint32_t limit_flags, violation_limit_flags;
    uint64_t io_read_bytes, io_read_bytes_limit;
    uint64_t io_write_bytes, io_write_bytes_limit;
    int64_t per_job_user_time, per_job_user_time_limit;
    uint64_t job_memory, job_high_memory_limit;
    uint32_t cpu_tolerance, cpu_tolerance_limit;
    uint64_t job_low_memory_limit;
    uint32_t io_tolerance, io_tolerance_limit;
    uint32_t net_tolerance, net_tolerance_limit;
};

#endif
