/* Owns the description of processes: image, command line, parent, session, user. All of it is best effort. */
#include "base/str.h"
#include "win32/filetime.h"
#include "win32/internal.h"
#include "win32/security.h"
#include "win32/wide.h"

#include <winternl.h>

/* --- who --- */

struct user_name {
    char *sid; /* the key */
    char *name;
};

enum { USER_NAMES_MAX = 64 }; /* more users than this at one time: asking again is cheaper than growing */

void jp__user_names_free(struct jp_win32_backend *backend) {
    struct user_name *entry;
    for (size_t position = 0; (entry = jp_map_next(&backend->user_names, &position));) {
        jp_free(entry->sid);
        jp_free(entry->name);
        jp_free(entry);
    }
    jp_map_free(&backend->user_names);
    backend->user_names = (struct jp_map){0};
}

char *jp__user_name(struct jp_win32_backend *backend, HANDLE token) {
    uint32_t win32;
    PSID user = jp_win32_token_user(token, &win32);
    if (!user)
        return NULL;
    char *sid = jp_win32_sid_text(user);
    struct user_name *entry = jp_map_get(&backend->user_names, sid);
    if (entry) {
        jp_free(sid);
    } else {
        if (backend->user_names.count == USER_NAMES_MAX)
            jp__user_names_free(backend);
        entry = jp_alloc(sizeof *entry);
        entry->sid = sid;
        entry->name = jp_win32_sid_name(user);
        jp_map_put(&backend->user_names, entry->sid, entry);
    }
    jp_free(user);
    return jp_strdup(entry->name);
}

static char *user_of(struct jp_process *process) {
    HANDLE token;
    if (!OpenProcessToken(process->handle, TOKEN_QUERY, &token))
        return NULL;
    char *name = jp__user_name(process->backend, token);
    CloseHandle(token);
    return name;
}

/* --- what --- */

enum { WIDE_NAME_MAX = 32768 }; /* no path and no command line of Windows' is longer */

wchar_t *jp__own_image(void) {
    wchar_t *path = NULL;
    DWORD room = 256, length;
    do {
        room *= 2;
        path = jp_realloc_array(path, room, sizeof *path);
        length = GetModuleFileNameW(NULL, path, room);
    } while (length == room);
    if (length > 0)
        return path;
    jp_free(path);
    return NULL;
}

char *jp__image(HANDLE process) {
    char *image = NULL;
    wchar_t *buffer = NULL;
    for (DWORD room = 512; room <= 2 * WIDE_NAME_MAX && !image; room *= 2) {
        buffer = jp_realloc_array(buffer, room, sizeof *buffer);
        DWORD length = room;
        if (QueryFullProcessImageNameW(process, 0, buffer, &length))
            image = jp_win32_utf8_n(buffer, length);
        else if (GetLastError() != ERROR_INSUFFICIENT_BUFFER)
            break;
    }
    jp_free(buffer);
    return image;
}

static bool query(HANDLE process, PROCESSINFOCLASS class, void *information, ULONG size) {
    return NtQueryInformationProcess(process, class, information, size, NULL) >= 0;
}

uint32_t jp__parent_pid(HANDLE process) {
    PROCESS_BASIC_INFORMATION basic;
    if (!query(process, ProcessBasicInformation, &basic, sizeof basic))
        return 0;
    return (uint32_t)basic.InheritedFromUniqueProcessId;
}

/* ProcessCommandLineInformation, Windows 8.1 and later: a UNICODE_STRING with its text behind it. */
static char *command_line_by_query(HANDLE process) {
    const PROCESSINFOCLASS command_line_information = (PROCESSINFOCLASS)60;
    ULONG size = 0;
    NtQueryInformationProcess(process, command_line_information, NULL, 0, &size);
    if (size < sizeof(UNICODE_STRING) || size > sizeof(UNICODE_STRING) + (WIDE_NAME_MAX + 1) * sizeof(wchar_t))
        return NULL;
    UNICODE_STRING *string = jp_alloc(size);
    char *text = NULL;
    if (query(process, command_line_information, string, size))
        text = jp_win32_utf8_n(string->Buffer, string->Length / sizeof(wchar_t));
    jp_free(string);
    return text;
}

/* The command line out of the process's own memory, which it may have written over: for hosts without the query. */
static char *command_line_by_memory(uint32_t pid) {
    HANDLE process = OpenProcess(PROCESS_QUERY_INFORMATION | PROCESS_VM_READ, FALSE, pid);
    if (!process)
        return NULL;
    char *text = NULL;
    wchar_t *buffer = NULL;
    PROCESS_BASIC_INFORMATION basic;
    RTL_USER_PROCESS_PARAMETERS *parameters;
    UNICODE_STRING string;
    if (!query(process, ProcessBasicInformation, &basic, sizeof basic) || !basic.PebBaseAddress ||
        !ReadProcessMemory(process, &basic.PebBaseAddress->ProcessParameters, &parameters, sizeof parameters, NULL) ||
        !ReadProcessMemory(process, &parameters->CommandLine, &string, sizeof string, NULL))
        goto close_process;
    buffer = jp_alloc((size_t)string.Length + sizeof *buffer);
    if (ReadProcessMemory(process, string.Buffer, buffer, string.Length, NULL))
        text = jp_win32_utf8_n(buffer, string.Length / sizeof *buffer);
    jp_free(buffer);
close_process:
    CloseHandle(process);
    return text;
}

char *jp__command_line(HANDLE process, uint32_t pid) {
    char *text = command_line_by_query(process);
    return text ? text : command_line_by_memory(pid);
}

jp_status jp__process_facts(struct jp_process *process, struct jp_process_facts *ret_facts, struct jp_error *error) {
    /* In this order: a start that is read from a process that is made is the true one. */
    bool made = jp__process_is_made(process->handle);
    FILETIME start, end, kernel, user;
    if (!GetProcessTimes(process->handle, &start, &end, &kernel, &user)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "GetProcessTimes", "cannot tell when process %lu began",
                             (unsigned long)process->pid);
    }
    const PROCESSINFOCLASS session_information = (PROCESSINFOCLASS)24;
    ULONG session = 0;
    query(process->handle, session_information, &session, sizeof session);
    *ret_facts = (struct jp_process_facts){
        .pid = process->pid,
        .start_100ns = made ? jp_win32_from_filetime(start) : 0,
        .parent_pid = jp__parent_pid(process->handle),
        .session = session,
        .image = jp__image(process->handle),
        .command_line = jp__command_line(process->handle, process->pid),
        .user = user_of(process),
    };
    return JP_OK;
}
