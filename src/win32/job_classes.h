/* The information classes of job objects as Windows has them: a row for each. */
#ifndef JP_WIN32_JOB_CLASSES_H
#define JP_WIN32_JOB_CLASSES_H

#include "jobpool/job.h"
#include "win32/winnt_extra.h"

union jp__job_record {
    JOBOBJECT_BASIC_ACCOUNTING_INFORMATION accounting;
    JOBOBJECT_BASIC_LIMIT_INFORMATION basic_limits;
    JOBOBJECT_BASIC_UI_RESTRICTIONS ui;
    JOBOBJECT_END_OF_JOB_TIME_INFORMATION end_of_job_time;
    JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION accounting_and_io;
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION extended_limits;
    JOBOBJECT_JOBSET_INFORMATION job_set;
    JOBOBJECT_NOTIFICATION_LIMIT_INFORMATION notification;
    JOBOBJECT_LIMIT_VIOLATION_INFORMATION violations;
    struct jp__cpu_rate_information cpu_rate;
    struct jp__memory_usage_information memory_usage;
    struct jp__net_rate_information net_rate;
    struct jp__notification_information_2 notification_2;
    struct jp__violation_information_2 violations_2;
};

enum jp__job_class_kind { JP__RECORD, JP__PIDS, JP__GROUPS, JP__GROUPS_EX, JP__NOT_WINDOWS };

struct jp__job_class {
    enum jp_job_class class;
    const char *name;
    const char *since; /* the Windows that brought it, where job objects themselves are older */
    enum jp__job_class_kind kind;
    DWORD size; /* JP__RECORD */
    void (*read)(const union jp__job_record *from, struct jp_job_info *to);
    void (*write)(const struct jp_job_info *from, union jp__job_record *to); /* NULL of a record: Windows lets nobody set it */
};

/* JP_E_UNSUPPORTED and NULL for classes that are not Windows' (any more). */
const struct jp__job_class *jp__job_class(enum jp_job_class class, struct jp_error *error);

#endif
