/* Owns asking a process to end: who can be asked, and the helper that does it where the process is (stop_helper.h).
 *
 * The loop does not wait for the helper. So the answer says whether the process has what can be asked, windows or a console; that a
 * console turns out to be shared with others, and is left alone, shows only when the time of grace is over. */
#include "base/str.h"
#include "win32/filetime.h"
#include "win32/internal.h"
#include "win32/principal.h"
#include "win32/wide.h"

#include <inttypes.h>
#include <stdio.h>
#include <winternl.h>

enum { CONSOLE_HOST_PROCESS = 49 }; /* ProcessConsoleHostProcess: its pid, with flags in the two low bits */

/* Wine does not say. It is as well: there a helper can attach itself to a console, and then send nothing (seen with Wine 8). */
static bool has_console(HANDLE process) {
    ULONG_PTR host = 0;
    NTSTATUS status = NtQueryInformationProcess(process, (PROCESSINFOCLASS)CONSOLE_HOST_PROCESS, &host, sizeof host, NULL);
    return NT_SUCCESS(status) && (host & ~(ULONG_PTR)3) != 0;
}

static bool has_windows(HANDLE process) { return GetGuiResources(process, GR_USEROBJECTS) > 0; }

/* The token of the process itself, to start a process with. NULL: it is not for us. */
static HANDLE token_of(HANDLE process) {
    HANDLE token, primary = NULL;
    if (!OpenProcessToken(process, TOKEN_QUERY | TOKEN_DUPLICATE, &token))
        return NULL;
    const DWORD access = TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_IMPERSONATE | TOKEN_ASSIGN_PRIMARY;
    if (!DuplicateTokenEx(token, access, NULL, SecurityImpersonation, TokenPrimary, &primary))
        primary = NULL;
    CloseHandle(token);
    return primary;
}

/* Where the windows of the process are, as far as launch.c's rules and ordinary log-ons go. NULL: where we are. */
static wchar_t *desktop_of(const struct jp_process *process, HANDLE token) {
    static wchar_t interactive[] = L"winsta0\\default", own[] = L"";
    DWORD session = 0;
    if (ProcessIdToSessionId(process->pid, &session) && session != jp__own_session())
        return interactive;
    return jp__token_is_ours(token) ? NULL : own;
}

static char *helper_line(const struct jp_process *process) {
    FILETIME start, end, kernel, user;
    wchar_t *wide = jp__own_image();
    char *line = NULL, *image = jp_win32_utf8(wide), *option = jp_win32_utf8(process->backend->stop_helper);
    if (image && GetProcessTimes(process->handle, &start, &end, &kernel, &user))
        line = jp_sprintf("\"%s\" %s %lu:%" PRId64, image, option, (unsigned long)process->pid, jp_win32_from_filetime(start));
    jp_free(option);
    jp_free(image);
    jp_free(wide);
    return line;
}

/* Returns 0 or the Win32 error. */
static DWORD create_helper(const struct jp_process *process, HANDLE token, wchar_t *line, wchar_t *environment) {
    const DWORD flags = DETACHED_PROCESS | CREATE_UNICODE_ENVIRONMENT;
    wchar_t directory[MAX_PATH];
    GetSystemDirectoryW(directory, MAX_PATH);
    STARTUPINFOW startup = {.cb = sizeof startup, .lpDesktop = desktop_of(process, token)};
    PROCESS_INFORMATION helper;
    BOOL created = CreateProcessAsUserW(token, NULL, line, NULL, NULL, FALSE, flags, environment, directory, &startup, &helper);
    DWORD win32 = created ? 0 : GetLastError();
    /* A console of an administrator's, with nothing but its own rights to give. */
    if (win32 == ERROR_PRIVILEGE_NOT_HELD && jp__token_is_ours(token)) {
        created = CreateProcessW(NULL, line, NULL, NULL, FALSE, flags, environment, directory, &startup, &helper);
        win32 = created ? 0 : GetLastError();
    }
    if (win32 == 0) {
        CloseHandle(helper.hThread);
        CloseHandle(helper.hProcess);
    }
    return win32;
}

static jp_status start_helper(const struct jp_process *process, HANDLE token, struct jp_error *error) {
    char *line = helper_line(process);
    wchar_t *environment = NULL, *wide = jp_win32_wide(line);
    jp_status status = wide ? jp__environment(token, NULL, &environment, error)
                            : jp_fail(error, JP_E_SYSTEM, "cannot tell which process %lu is", (unsigned long)process->pid);
    if (status == JP_OK) {
        DWORD win32 = create_helper(process, token, wide, environment);
        if (win32 != 0)
            status = jp_fail_win32(error, JP_E_UNSUPPORTED, win32, "CreateProcessAsUser", "cannot ask process %lu to end",
                                   (unsigned long)process->pid);
    }
    jp_free(environment);
    jp_free(wide);
    jp_free(line);
    return status;
}

jp_status jp__process_request_stop(struct jp_process *process, struct jp_error *error) {
    unsigned long pid = process->pid;
    if (jp__process_has_ended(process->handle))
        return jp_fail(error, JP_E_NO_PROCESS, "process %lu has exited", pid);
    if (!process->backend->stop_helper || (!has_console(process->handle) && !has_windows(process->handle)))
        return jp_fail(error, JP_E_UNSUPPORTED, "process %lu has no window and no console: it cannot be asked to end", pid);
    HANDLE token = token_of(process->handle);
    if (!token)
        return jp_fail(error, JP_E_UNSUPPORTED, "the service cannot be where process %lu has its windows and console: its token is not to be had", pid);
    jp_status status = start_helper(process, token, error);
    CloseHandle(token);
    return status;
}
