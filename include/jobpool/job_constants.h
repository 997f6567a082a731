/* The constants of job objects, by their names in winnt.h: X(name without its prefix, value, group).
 *
 * One table for the C callers (enumerators named JP_...), for the pipe (which takes names and numbers) and for the
 * documentation. Values: winnt.h of the Windows SDK; the pages are those of the structures that use them, under
 * https://learn.microsoft.com/windows/win32/api/winnt/ . */
#ifndef JOBPOOL_JOB_CONSTANTS_H
#define JOBPOOL_JOB_CONSTANTS_H

#include <stdint.h>

/* Access rights to a job object. https://learn.microsoft.com/windows/win32/procthread/job-object-security-and-access-rights */
#define JP_JOB_ACCESS_TABLE(X)                                                                              \
    X(ASSIGN_PROCESS, 0x0001)                                                                               \
    X(SET_ATTRIBUTES, 0x0002)                                                                               \
    X(QUERY, 0x0004)                                                                                        \
    X(TERMINATE, 0x0008)                                                                                    \
    X(SET_SECURITY_ATTRIBUTES, 0x0010)                                                                      \
    X(ALL_ACCESS, 0x1F001F)

/* LimitFlags of classes 2 and 9 (the last four lines: 12, 13, 33, 34 only). */
#define JP_JOB_LIMIT_TABLE(X)                                                                               \
    X(LIMIT_WORKINGSET, 0x00000001)                                                                         \
    X(LIMIT_PROCESS_TIME, 0x00000002)                                                                       \
    X(LIMIT_JOB_TIME, 0x00000004)                                                                           \
    X(LIMIT_ACTIVE_PROCESS, 0x00000008)                                                                     \
    X(LIMIT_AFFINITY, 0x00000010)                                                                           \
    X(LIMIT_PRIORITY_CLASS, 0x00000020)                                                                     \
    X(LIMIT_PRESERVE_JOB_TIME, 0x00000040)                                                                  \
    X(LIMIT_SCHEDULING_CLASS, 0x00000080)                                                                   \
    X(LIMIT_PROCESS_MEMORY, 0x00000100)                                                                     \
    X(LIMIT_JOB_MEMORY, 0x00000200)                                                                         \
    X(LIMIT_DIE_ON_UNHANDLED_EXCEPTION, 0x00000400)                                                         \
    X(LIMIT_BREAKAWAY_OK, 0x00000800)                                                                       \
    X(LIMIT_SILENT_BREAKAWAY_OK, 0x00001000)                                                                \
    X(LIMIT_KILL_ON_JOB_CLOSE, 0x00002000)                                                                  \
    X(LIMIT_SUBSET_AFFINITY, 0x00004000)                                                                    \
    X(LIMIT_JOB_MEMORY_LOW, 0x00008000)                                                                     \
    X(LIMIT_JOB_READ_BYTES, 0x00010000)                                                                     \
    X(LIMIT_JOB_WRITE_BYTES, 0x00020000)                                                                    \
    X(LIMIT_CPU_RATE_CONTROL, 0x00040000)                                                                   \
    X(LIMIT_IO_RATE_CONTROL, 0x00080000)                                                                    \
    X(LIMIT_NET_RATE_CONTROL, 0x00100000)

/* Other names of limit flags, and the masks of what each class takes. */
#define JP_JOB_LIMIT_MASK_TABLE(X)                                                                          \
    X(LIMIT_JOB_MEMORY_HIGH, 0x00000200)                                                                    \
    X(LIMIT_RATE_CONTROL, 0x00040000)                                                                       \
    X(LIMIT_VALID_FLAGS, 0x0007FFFF)                                                                        \
    X(BASIC_LIMIT_VALID_FLAGS, 0x000000FF)                                                                  \
    X(EXTENDED_LIMIT_VALID_FLAGS, 0x00007FFF)                                                               \
    X(RESERVED_LIMIT_VALID_FLAGS, 0x0007FFFF)                                                               \
    X(NOTIFICATION_LIMIT_VALID_FLAGS, 0x001F8204)

/* UIRestrictionsClass of class 4. */
#define JP_JOB_UI_TABLE(X)                                                                                  \
    X(UILIMIT_NONE, 0x00000000)                                                                             \
    X(UILIMIT_HANDLES, 0x00000001)                                                                          \
    X(UILIMIT_READCLIPBOARD, 0x00000002)                                                                    \
    X(UILIMIT_WRITECLIPBOARD, 0x00000004)                                                                   \
    X(UILIMIT_SYSTEMPARAMETERS, 0x00000008)                                                                 \
    X(UILIMIT_DISPLAYSETTINGS, 0x00000010)                                                                  \
    X(UILIMIT_GLOBALATOMS, 0x00000020)                                                                      \
    X(UILIMIT_DESKTOP, 0x00000040)                                                                          \
    X(UILIMIT_EXITWINDOWS, 0x00000080)                                                                      \
    X(UILIMIT_ALL, 0x000000FF)                                                                              \
    X(UI_VALID_FLAGS, 0x000000FF)

/* SecurityLimitFlags of class 5, which Windows has refused since Vista. */
#define JP_JOB_SECURITY_TABLE(X)                                                                            \
    X(SECURITY_NO_ADMIN, 0x00000001)                                                                        \
    X(SECURITY_RESTRICTED_TOKEN, 0x00000002)                                                                \
    X(SECURITY_ONLY_TOKEN, 0x00000004)                                                                      \
    X(SECURITY_FILTER_TOKENS, 0x00000008)                                                                   \
    X(SECURITY_VALID_FLAGS, 0x0000000F)

/* EndOfJobTimeAction of class 6. */
#define JP_JOB_END_TABLE(X)                                                                                 \
    X(TERMINATE_AT_END_OF_JOB, 0)                                                                           \
    X(POST_AT_END_OF_JOB, 1)

/* What a job posts to its port. jobobject_associate_completion_port */
#define JP_JOB_MESSAGE_TABLE(X)                                                                             \
    X(MSG_END_OF_JOB_TIME, 1)                                                                               \
    X(MSG_END_OF_PROCESS_TIME, 2)                                                                           \
    X(MSG_ACTIVE_PROCESS_LIMIT, 3)                                                                          \
    X(MSG_ACTIVE_PROCESS_ZERO, 4)                                                                           \
    X(MSG_NEW_PROCESS, 6)                                                                                   \
    X(MSG_EXIT_PROCESS, 7)                                                                                  \
    X(MSG_ABNORMAL_EXIT_PROCESS, 8)                                                                         \
    X(MSG_PROCESS_MEMORY_LIMIT, 9)                                                                          \
    X(MSG_JOB_MEMORY_LIMIT, 10)                                                                             \
    X(MSG_NOTIFICATION_LIMIT, 11)                                                                           \
    X(MSG_JOB_CYCLE_TIME_LIMIT, 12)                                                                         \
    X(MSG_SILO_TERMINATED, 13)

/* ControlFlags of classes 15 and 32. */
#define JP_JOB_CPU_RATE_TABLE(X)                                                                            \
    X(CPU_RATE_CONTROL_ENABLE, 0x1)                                                                         \
    X(CPU_RATE_CONTROL_WEIGHT_BASED, 0x2)                                                                   \
    X(CPU_RATE_CONTROL_HARD_CAP, 0x4)                                                                       \
    X(CPU_RATE_CONTROL_NOTIFY, 0x8)                                                                         \
    X(CPU_RATE_CONTROL_MIN_MAX_RATE, 0x10)                                                                  \
    X(CPU_RATE_CONTROL_VALID_FLAGS, 0x1F)
#define JP_JOB_NET_RATE_TABLE(X)                                                                            \
    X(NET_RATE_CONTROL_ENABLE, 0x1)                                                                         \
    X(NET_RATE_CONTROL_MAX_BANDWIDTH, 0x2)                                                                  \
    X(NET_RATE_CONTROL_DSCP_TAG, 0x4)                                                                       \
    X(NET_RATE_CONTROL_VALID_FLAGS, 0x7)

/* JOBOBJECT_RATE_CONTROL_TOLERANCE and ..._INTERVAL of classes 12, 13, 33, 34. These have no JOB_OBJECT_ before them. */
#define JP_JOB_TOLERANCE_TABLE(X)                                                                           \
    X(ToleranceLow, 1)                                                                                      \
    X(ToleranceMedium, 2)                                                                                   \
    X(ToleranceHigh, 3)
#define JP_JOB_TOLERANCE_INTERVAL_TABLE(X)                                                                  \
    X(ToleranceIntervalShort, 1)                                                                            \
    X(ToleranceIntervalMedium, 2)                                                                           \
    X(ToleranceIntervalLong, 3)

/* PriorityClass of classes 2 and 9 (winbase.h). */
#define JP_JOB_PRIORITY_TABLE(X)                                                                            \
    X(NORMAL_PRIORITY_CLASS, 0x20)                                                                          \
    X(IDLE_PRIORITY_CLASS, 0x40)                                                                            \
    X(HIGH_PRIORITY_CLASS, 0x80)                                                                            \
    X(REALTIME_PRIORITY_CLASS, 0x100)                                                                       \
    X(BELOW_NORMAL_PRIORITY_CLASS, 0x4000)                                                                  \
    X(ABOVE_NORMAL_PRIORITY_CLASS, 0x8000)

/* Information classes. The names begin with "JobObject". */
#define JP_JOB_CLASS_TABLE(X)                                                                               \
    X(BasicAccountingInformation, 1)                                                                        \
    X(BasicLimitInformation, 2)                                                                             \
    X(BasicProcessIdList, 3)                                                                                \
    X(BasicUIRestrictions, 4)                                                                               \
    X(SecurityLimitInformation, 5)                                                                          \
    X(EndOfJobTimeInformation, 6)                                                                           \
    X(AssociateCompletionPortInformation, 7)                                                                \
    X(BasicAndIoAccountingInformation, 8)                                                                   \
    X(ExtendedLimitInformation, 9)                                                                          \
    X(JobSetInformation, 10)                                                                                \
    X(GroupInformation, 11)                                                                                 \
    X(NotificationLimitInformation, 12)                                                                     \
    X(LimitViolationInformation, 13)                                                                        \
    X(GroupInformationEx, 14)                                                                               \
    X(CpuRateControlInformation, 15)                                                                        \
    X(MemoryUsageInformation, 28)                                                                           \
    X(NetRateControlInformation, 32)                                                                        \
    X(NotificationLimitInformation2, 33)                                                                    \
    X(LimitViolationInformation2, 34)

#define X(name, value) JP_JOB_OBJECT_##name = value,
enum jp_job_access { JP_JOB_ACCESS_TABLE(X) };
enum jp_job_limit_flag { JP_JOB_LIMIT_TABLE(X) };
enum jp_job_limit_mask { JP_JOB_LIMIT_MASK_TABLE(X) };
enum jp_job_ui { JP_JOB_UI_TABLE(X) };
enum jp_job_security { JP_JOB_SECURITY_TABLE(X) };
enum jp_job_end { JP_JOB_END_TABLE(X) };
enum jp_job_cpu_rate_flag { JP_JOB_CPU_RATE_TABLE(X) };
enum jp_job_net_rate_flag { JP_JOB_NET_RATE_TABLE(X) };
#undef X
#define X(name, value) JP_JOB_##name = value,
enum jp_job_tolerance { JP_JOB_TOLERANCE_TABLE(X) };
enum jp_job_tolerance_interval { JP_JOB_TOLERANCE_INTERVAL_TABLE(X) };
enum jp_job_priority { JP_JOB_PRIORITY_TABLE(X) };
enum jp_job_class { JP_JOB_CLASS_TABLE(X) };
#undef X

#endif
