/* The messages that a job object posts to its completion port, and what an exit code tells.
 * https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_associate_completion_port */
#ifndef JP_JOB_MESSAGES_H
#define JP_JOB_MESSAGES_H

#include "base/status.h"

enum jp_job_message {
    JP_MSG_END_OF_JOB_TIME = 1,
    JP_MSG_END_OF_PROCESS_TIME = 2,
    JP_MSG_ACTIVE_PROCESS_LIMIT = 3,
    JP_MSG_ACTIVE_PROCESS_ZERO = 4,
    JP_MSG_NEW_PROCESS = 6,
    JP_MSG_EXIT_PROCESS = 7,
    JP_MSG_ABNORMAL_EXIT_PROCESS = 8,
    JP_MSG_PROCESS_MEMORY_LIMIT = 9,
    JP_MSG_JOB_MEMORY_LIMIT = 10,
    JP_MSG_NOTIFICATION_LIMIT = 11,
    JP_MSG_JOB_CYCLE_TIME_LIMIT = 12,
    JP_MSG_SILO_TERMINATED = 13,
};

/* "JOB_OBJECT_MSG_NEW_PROCESS" for 6; NULL for a number that no Windows documents. */
const char *jp_job_message_name(uint32_t message);

/* The number for a name, with or without "JOB_OBJECT_MSG_"; 0 if there is none. */
uint32_t jp_job_message_number(const char *name);

/* True for the exit codes for which Windows posts ABNORMAL_EXIT_PROCESS: the exceptions of the list on that page. */
bool jp_exit_code_abnormal(uint32_t exit_code);

/* True for the exit codes that a program leaves when it breaks. */
bool jp_exit_code_crash(uint32_t exit_code);

/* "STATUS_ACCESS_VIOLATION" for 0xC0000005, and the few others that a person meets; NULL otherwise. */
const char *jp_exit_code_name(uint32_t exit_code);

#endif
