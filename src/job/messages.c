/* Job messages and exit codes, by number and name. */
#include "job/messages.h"

#include <string.h>

#define PREFIX "JOB_OBJECT_MSG_"

static const struct {
    uint32_t number;
    const char *name;
} messages[] = {
    {JP_MSG_END_OF_JOB_TIME, PREFIX "END_OF_JOB_TIME"},
    {JP_MSG_END_OF_PROCESS_TIME, PREFIX "END_OF_PROCESS_TIME"},
    {JP_MSG_ACTIVE_PROCESS_LIMIT, PREFIX "ACTIVE_PROCESS_LIMIT"},
    {JP_MSG_ACTIVE_PROCESS_ZERO, PREFIX "ACTIVE_PROCESS_ZERO"},
    {JP_MSG_NEW_PROCESS, PREFIX "NEW_PROCESS"},
    {JP_MSG_EXIT_PROCESS, PREFIX "EXIT_PROCESS"},
    {JP_MSG_ABNORMAL_EXIT_PROCESS, PREFIX "ABNORMAL_EXIT_PROCESS"},
    {JP_MSG_PROCESS_MEMORY_LIMIT, PREFIX "PROCESS_MEMORY_LIMIT"},
    {JP_MSG_JOB_MEMORY_LIMIT, PREFIX "JOB_MEMORY_LIMIT"},
    {JP_MSG_NOTIFICATION_LIMIT, PREFIX "NOTIFICATION_LIMIT"},
    {JP_MSG_JOB_CYCLE_TIME_LIMIT, PREFIX "JOB_CYCLE_TIME_LIMIT"},
    {JP_MSG_SILO_TERMINATED, PREFIX "SILO_TERMINATED"},
};

const char *jp_job_message_name(uint32_t message) {
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
        if (messages[i].number == message)
            return messages[i].name;
    return NULL;
}

uint32_t jp_job_message_number(const char *name) {
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
        if (strcmp(messages[i].name, name) == 0 || strcmp(messages[i].name + strlen(PREFIX), name) == 0)
            return messages[i].number;
    return 0;
}

/* `abnormal`: on the list of the page named in messages.h. */
static const struct {
    uint32_t code;
    bool abnormal;
    const char *name;
} exit_codes[] = {
    {0x80000001, true, "STATUS_GUARD_PAGE_VIOLATION"},
    {0x80000002, true, "STATUS_DATATYPE_MISALIGNMENT"},
    {0x80000003, true, "STATUS_BREAKPOINT"},
    {0x80000004, true, "STATUS_SINGLE_STEP"},
    {0xC0000005, true, "STATUS_ACCESS_VIOLATION"},
    {0xC0000006, true, "STATUS_IN_PAGE_ERROR"},
    {0xC0000008, true, "STATUS_INVALID_HANDLE"},
    {0xC0000017, true, "STATUS_NO_MEMORY"},
    {0xC000001D, true, "STATUS_ILLEGAL_INSTRUCTION"},
    {0xC0000025, true, "STATUS_NONCONTINUABLE_EXCEPTION"},
    {0xC0000026, true, "STATUS_INVALID_DISPOSITION"},
    {0xC000008C, true, "STATUS_ARRAY_BOUNDS_EXCEEDED"},
    {0xC000008D, true, "STATUS_FLOAT_DENORMAL_OPERAND"},
    {0xC000008E, true, "STATUS_FLOAT_DIVIDE_BY_ZERO"},
    {0xC000008F, true, "STATUS_FLOAT_INEXACT_RESULT"},
    {0xC0000090, true, "STATUS_FLOAT_INVALID_OPERATION"},
    {0xC0000091, true, "STATUS_FLOAT_OVERFLOW"},
    {0xC0000092, true, "STATUS_FLOAT_STACK_CHECK"},
    {0xC0000093, true, "STATUS_FLOAT_UNDERFLOW"},
    {0xC0000094, true, "STATUS_INTEGER_DIVIDE_BY_ZERO"},
    {0xC0000095, true, "STATUS_INTEGER_OVERFLOW"},
    {0xC0000096, true, "STATUS_PRIVILEGED_INSTRUCTION"},
    {0xC00000FD, true, "STATUS_STACK_OVERFLOW"},
    {0xC000013A, true, "STATUS_CONTROL_C_EXIT"},
    {0xC0000044, false, "STATUS_QUOTA_EXCEEDED"},
    {0xC0000135, false, "STATUS_DLL_NOT_FOUND"},
    {0xC0000142, false, "STATUS_DLL_INIT_FAILED"},
    {0xC0000374, false, "STATUS_HEAP_CORRUPTION"},
    {0xC0000409, false, "STATUS_STACK_BUFFER_OVERRUN"},
    {0xC000041D, false, "STATUS_FATAL_USER_CALLBACK_EXCEPTION"},
};

bool jp_exit_code_abnormal(uint32_t exit_code) {
    for (size_t i = 0; i < sizeof exit_codes / sizeof *exit_codes; i++)
        if (exit_codes[i].code == exit_code)
            return exit_codes[i].abnormal;
    return false;
}

const char *jp_exit_code_name(uint32_t exit_code) {
    for (size_t i = 0; i < sizeof exit_codes / sizeof *exit_codes; i++)
        if (exit_codes[i].code == exit_code)
            return exit_codes[i].name;
    return NULL;
}
