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

/* `abnormal`: on the list of the page named in messages.h. `crash`: a program broke, also where Windows' list does not have the
 * code (fail-fast, heap corruption); being stopped by Ctrl-C is on the list, and is no crash. */
static const struct {
    uint32_t code;
    bool abnormal, crash;
    const char *name;
} exit_codes[] = {
    {0x80000001, true, true, "STATUS_GUARD_PAGE_VIOLATION"},
    {0x80000002, true, true, "STATUS_DATATYPE_MISALIGNMENT"},
    {0x80000003, true, true, "STATUS_BREAKPOINT"},
    {0x80000004, true, true, "STATUS_SINGLE_STEP"},
    {0xC0000005, true, true, "STATUS_ACCESS_VIOLATION"},
    {0xC0000006, true, true, "STATUS_IN_PAGE_ERROR"},
    {0xC0000008, false, true, "STATUS_INVALID_HANDLE"},
    {0xC0000017, false, true, "STATUS_NO_MEMORY"},
    {0xC000001D, true, true, "STATUS_ILLEGAL_INSTRUCTION"},
    {0xC0000025, true, true, "STATUS_NONCONTINUABLE_EXCEPTION"},
    {0xC0000026, true, true, "STATUS_INVALID_DISPOSITION"},
    {0xC0000044, false, false, "STATUS_QUOTA_EXCEEDED"},
    {0xC000008C, true, true, "STATUS_ARRAY_BOUNDS_EXCEEDED"},
    {0xC000008D, true, true, "STATUS_FLOAT_DENORMAL_OPERAND"},
    {0xC000008E, true, true, "STATUS_FLOAT_DIVIDE_BY_ZERO"},
    {0xC000008F, true, true, "STATUS_FLOAT_INEXACT_RESULT"},
    {0xC0000090, true, true, "STATUS_FLOAT_INVALID_OPERATION"},
    {0xC0000091, true, true, "STATUS_FLOAT_OVERFLOW"},
    {0xC0000092, true, true, "STATUS_FLOAT_STACK_CHECK"},
    {0xC0000093, true, true, "STATUS_FLOAT_UNDERFLOW"},
    {0xC0000094, true, true, "STATUS_INTEGER_DIVIDE_BY_ZERO"},
    {0xC0000095, true, true, "STATUS_INTEGER_OVERFLOW"},
    {0xC0000096, true, true, "STATUS_PRIVILEGED_INSTRUCTION"},
    {0xC00000FD, true, true, "STATUS_STACK_OVERFLOW"},
    {0xC0000135, false, false, "STATUS_DLL_NOT_FOUND"},
    {0xC000013A, true, false, "STATUS_CONTROL_C_EXIT"},
    {0xC0000142, false, false, "STATUS_DLL_INIT_FAILED"},
    {0xC00002B4, true, true, "STATUS_FLOAT_MULTIPLE_FAULTS"},
    {0xC00002B5, true, true, "STATUS_FLOAT_MULTIPLE_TRAPS"},
    {0xC00002C9, true, true, "STATUS_REG_NAT_CONSUMPTION"},
    {0xC0000374, false, true, "STATUS_HEAP_CORRUPTION"},
    {0xC0000409, false, true, "STATUS_STACK_BUFFER_OVERRUN"},
    {0xC000041D, false, true, "STATUS_FATAL_USER_CALLBACK_EXCEPTION"},
};

static size_t find_exit_code(uint32_t exit_code) {
    size_t count = sizeof exit_codes / sizeof *exit_codes, row = 0;
    while (row < count && exit_codes[row].code != exit_code)
        row++;
    return row;
}

static bool in_table(size_t row) { return row < sizeof exit_codes / sizeof *exit_codes; }

bool jp_exit_code_abnormal(uint32_t exit_code) {
    size_t row = find_exit_code(exit_code);
    return in_table(row) && exit_codes[row].abnormal;
}

bool jp_exit_code_crash(uint32_t exit_code) {
    size_t row = find_exit_code(exit_code);
    return in_table(row) && exit_codes[row].crash;
}

const char *jp_exit_code_name(uint32_t exit_code) {
    size_t row = find_exit_code(exit_code);
    return in_table(row) ? exit_codes[row].name : NULL;
}
