/* Failures, and the words for Win32 codes. */
#include "base/status.h"

#include "base/utf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *jp_status_name(jp_status status) {
    switch (status) {
    case JP_OK:
        return "ok";
#define X(symbol, code, name, meaning)                                                                      \
    case symbol:                                                                                            \
        return name;
        JP_STATUS_TABLE(X)
#undef X
    }
    return "unknown";
}

/* The codes that jobs, processes, pipes, services and files give in practice. Texts are short and fit into a sentence. */
static const struct {
    uint32_t code;
    const char *name;
    const char *text;
} win32_codes[] = {
    {0, "ERROR_SUCCESS", "success"},
    {1, "ERROR_INVALID_FUNCTION", "this system does not have the function"},
    {2, "ERROR_FILE_NOT_FOUND", "file not found"},
    {3, "ERROR_PATH_NOT_FOUND", "path not found"},
    {4, "ERROR_TOO_MANY_OPEN_FILES", "too many open files"},
    {5, "ERROR_ACCESS_DENIED", "access denied"},
    {6, "ERROR_INVALID_HANDLE", "invalid handle"},
    {8, "ERROR_NOT_ENOUGH_MEMORY", "not enough memory"},
    {14, "ERROR_OUTOFMEMORY", "out of memory"},
    {19, "ERROR_WRITE_PROTECT", "the medium is write-protected"},
    {32, "ERROR_SHARING_VIOLATION", "another process uses the file"},
    {38, "ERROR_HANDLE_EOF", "end of file"},
    {50, "ERROR_NOT_SUPPORTED", "not supported"},
    {53, "ERROR_BAD_NETPATH", "network path not found"},
    {87, "ERROR_INVALID_PARAMETER", "invalid parameter"},
    {109, "ERROR_BROKEN_PIPE", "the other end of the pipe was closed"},
    {112, "ERROR_DISK_FULL", "the disk is full"},
    {120, "ERROR_CALL_NOT_IMPLEMENTED", "this system does not implement the function"},
    {121, "ERROR_SEM_TIMEOUT", "timed out"},
    {122, "ERROR_INSUFFICIENT_BUFFER", "buffer too small"},
    {123, "ERROR_INVALID_NAME", "invalid file name"},
    {161, "ERROR_BAD_PATHNAME", "invalid path"},
    {183, "ERROR_ALREADY_EXISTS", "already exists"},
    {193, "ERROR_BAD_EXE_FORMAT", "not a program for this Windows"},
    {206, "ERROR_FILENAME_EXCED_RANGE", "file name or command line too long"},
    {230, "ERROR_BAD_PIPE", "bad pipe state"},
    {231, "ERROR_PIPE_BUSY", "all pipe instances are busy"},
    {232, "ERROR_NO_DATA", "the pipe is being closed"},
    {233, "ERROR_PIPE_NOT_CONNECTED", "nobody is at the other end of the pipe"},
    {234, "ERROR_MORE_DATA", "more data is available"},
    {258, "WAIT_TIMEOUT", "timed out"},
    {267, "ERROR_DIRECTORY", "invalid folder name"},
    {535, "ERROR_PIPE_CONNECTED", "a process is at the other end of the pipe"},
    {536, "ERROR_PIPE_LISTENING", "waiting for a process to open the other end of the pipe"},
    {740, "ERROR_ELEVATION_REQUIRED", "the program needs elevation"},
    {995, "ERROR_OPERATION_ABORTED", "cancelled"},
    {996, "ERROR_IO_INCOMPLETE", "not finished"},
    {997, "ERROR_IO_PENDING", "in progress"},
    {998, "ERROR_NOACCESS", "invalid memory address"},
    {1008, "ERROR_NO_TOKEN", "there is no token"},
    {1051, "ERROR_DEPENDENT_SERVICES_RUNNING", "services that depend on it are running"},
    {1053, "ERROR_SERVICE_REQUEST_TIMEOUT", "the service did not respond in time"},
    {1055, "ERROR_SERVICE_DATABASE_LOCKED", "the service database is locked"},
    {1056, "ERROR_SERVICE_ALREADY_RUNNING", "the service is running already"},
    {1058, "ERROR_SERVICE_DISABLED", "the service is disabled"},
    {1060, "ERROR_SERVICE_DOES_NOT_EXIST", "the service is not installed"},
    {1061, "ERROR_SERVICE_CANNOT_ACCEPT_CTRL", "the service cannot take the request in its state"},
    {1062, "ERROR_SERVICE_NOT_ACTIVE", "the service is not running"},
    {1063, "ERROR_FAILED_SERVICE_CONTROLLER_CONNECT", "not started by the service control manager"},
    {1066, "ERROR_SERVICE_SPECIFIC_ERROR", "the service failed with an error of its own"},
    {1072, "ERROR_SERVICE_MARKED_FOR_DELETE", "the service is marked for deletion"},
    {1073, "ERROR_SERVICE_EXISTS", "the service exists already"},
    {1168, "ERROR_NOT_FOUND", "not found"},
    {1300, "ERROR_NOT_ALL_ASSIGNED", "the caller lacks a privilege"},
    {1306, "ERROR_REVISION_MISMATCH", "revision mismatch"},
    {1307, "ERROR_INVALID_OWNER", "invalid owner"},
    {1309, "ERROR_NO_IMPERSONATION_TOKEN", "no impersonation token"},
    {1314, "ERROR_PRIVILEGE_NOT_HELD", "a required privilege is not held"},
    {1326, "ERROR_LOGON_FAILURE", "logon failed"},
    {1332, "ERROR_NONE_MAPPED", "no account of that name"},
    {1336, "ERROR_INVALID_ACL", "invalid access control list"},
    {1337, "ERROR_INVALID_SID", "invalid security identifier"},
    {1338, "ERROR_INVALID_SECURITY_DESCR", "invalid security descriptor"},
    {1344, "ERROR_NO_SECURITY_ON_OBJECT", "the object has no security"},
    {1346, "ERROR_BAD_IMPERSONATION_LEVEL", "the client did not grant the impersonation level that this needs"},
    {1347, "ERROR_CANT_OPEN_ANONYMOUS", "anonymous callers cannot be used for this"},
    {1368, "ERROR_CANNOT_IMPERSONATE", "cannot impersonate before a message was read"},
    {1450, "ERROR_NO_SYSTEM_RESOURCES", "not enough system resources"},
    {1453, "ERROR_WORKING_SET_QUOTA", "working set quota exceeded"},
    {1454, "ERROR_PAGEFILE_QUOTA", "page file quota exceeded"},
    {1455, "ERROR_COMMITMENT_LIMIT", "the machine's commit limit is reached"},
    {1460, "ERROR_TIMEOUT", "timed out"},
    {1816, "ERROR_NOT_ENOUGH_QUOTA", "not enough quota"},
};

static size_t find_win32(uint32_t code) {
    size_t count = sizeof win32_codes / sizeof *win32_codes;
    for (size_t i = 0; i < count; i++)
        if (win32_codes[i].code == code)
            return i;
    return count;
}

const char *jp_win32_name(uint32_t code) {
    size_t row = find_win32(code);
    return row < sizeof win32_codes / sizeof *win32_codes ? win32_codes[row].name : NULL;
}

const char *jp_win32_text(uint32_t code) {
    size_t row = find_win32(code);
    return row < sizeof win32_codes / sizeof *win32_codes ? win32_codes[row].text : "Windows error";
}

#undef jp_fail
#undef jp_fail_win32
#undef jp_fail_because

jp_status jp_fail(struct jp_error *error, jp_status status, const char *format, ...) {
    error->status = status;
    error->win32 = 0;
    error->operation = NULL;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    jp_utf8_tidy(error->text);
    return status;
}

jp_status jp_fail_win32(struct jp_error *error, jp_status status, uint32_t win32, const char *operation,
                        const char *format, ...) {
    error->status = status;
    error->win32 = win32;
    error->operation = operation;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    size_t length = strlen(error->text);
    const char *name = jp_win32_name(win32);
    if (name)
        snprintf(error->text + length, sizeof error->text - length, ": %s (%s, %u)", jp_win32_text(win32), name,
                 (unsigned)win32);
    else
        snprintf(error->text + length, sizeof error->text - length, ": Windows error %u", (unsigned)win32);
    jp_utf8_tidy(error->text);
    return status;
}

jp_status jp_fail_because(struct jp_error *error, const char *format, ...) {
    char cause[JP_ERROR_TEXT];
    memcpy(cause, error->text, sizeof cause);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    size_t length = strlen(error->text);
    snprintf(error->text + length, sizeof error->text - length, ": %s", cause);
    jp_utf8_tidy(error->text);
    return error->status;
}
