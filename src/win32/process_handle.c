/* Owns the way from a pid to a handle: what was opened must be what was meant. */
#include "win32/filetime.h"
#include "win32/host.h"
#include "win32/job_object.h"

static jp_status open_failed(uint32_t pid, uint32_t win32, const char *who, struct jp_error *error) {
    if (win32 == ERROR_INVALID_PARAMETER)
        return jp_fail_win32(error, JP_E_NO_PROCESS, win32, "OpenProcess", "there is no process %lu", (unsigned long)pid);
    jp_status status = win32 == ERROR_ACCESS_DENIED ? JP_E_DENIED : JP_E_SYSTEM;
    return jp_fail_win32(error, status, win32, "OpenProcess", "%s cannot open process %lu", who, (unsigned long)pid);
}

/* Wine holds a process that has no thread yet for ended, and tells of such ones (NEW_PROCESS): what has ended has a time at
 * which it did. */
bool jp__process_has_ended(HANDLE process) {
    FILETIME start, end, kernel, user;
    return WaitForSingleObject(process, 0) == WAIT_OBJECT_0 &&
           (!GetProcessTimes(process, &start, &end, &kernel, &user) || jp_win32_from_filetime(end) != 0);
}

/* Wine fills in the time at which a process began when its first thread runs; until then its server's poison stands there, also
 * when there is a thread already, and the process is held for one that goes on. */
bool jp__process_is_made(HANDLE process) {
    const int64_t poison = 0x5555555555555555;
    FILETIME start, end, kernel, user;
    if (jp__process_has_ended(process))
        return true;
    return WaitForSingleObject(process, 0) == WAIT_TIMEOUT && GetProcessTimes(process, &start, &end, &kernel, &user) &&
           jp_win32_from_filetime(start) != poison;
}

/* OpenProcess ignores the two low bits of a pid; a pid may be another's by now; and a process that has ended can be opened as
 * long as somebody holds it, which is of use only to ask how it ended. */
static jp_status check_opened(HANDLE handle, uint32_t pid, int64_t start_100ns, bool alive, struct jp_error *error) {
    FILETIME start, end, kernel, user;
    if (GetProcessId(handle) != pid)
        return jp_fail(error, JP_E_NO_PROCESS, "there is no process %lu", (unsigned long)pid);
    if (!GetProcessTimes(handle, &start, &end, &kernel, &user)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "GetProcessTimes", "cannot tell when process %lu began", (unsigned long)pid);
    }
    if (start_100ns != 0 && jp_win32_from_filetime(start) != start_100ns)
        return jp_fail(error, JP_E_OTHER_PROCESS, "process %lu is another one by now: it began at another time", (unsigned long)pid);
    if (alive && jp__process_has_ended(handle))
        return jp_fail(error, JP_E_NO_PROCESS, "process %lu has exited", (unsigned long)pid);
    return JP_OK;
}

jp_status jp__open_process(uint32_t pid, int64_t start_100ns, DWORD access, bool alive, const char *who, HANDLE *ret_process,
                           struct jp_error *error) {
    /* Wine's IsProcessInJob wants this right, where Windows is content with the limited one. */
    DWORD more = jp_win32_is_wine() ? PROCESS_QUERY_INFORMATION : 0;
    HANDLE handle = OpenProcess(access | more, FALSE, pid);
    if (!handle) {
        DWORD win32 = GetLastError();
        return open_failed(pid, win32, who, error);
    }
    jp_status status = check_opened(handle, pid, start_100ns, alive, error);
    if (status == JP_OK)
        *ret_process = handle;
    else
        CloseHandle(handle);
    return status;
}
