/* Owns what the service does to members itself: priority, processors, working set, freezing. */
#include "job/limits.h"
#include "win32/internal.h"

#include <winternl.h>

/* A call on the process failed: one that has ended meanwhile is the usual reason, and then the code tells nothing. */
static jp_status failed(const struct jp_process *process, uint32_t win32, const char *function, const char *what, struct jp_error *error) {
    if (jp__process_has_ended(process->handle))
        return jp_fail(error, JP_E_NO_PROCESS, "process %lu has exited", (unsigned long)process->pid);
    return jp_fail_win32(error, win32 == ERROR_ACCESS_DENIED || win32 == ERROR_PRIVILEGE_NOT_HELD ? JP_E_DENIED : JP_E_SYSTEM, win32,
                         function, "cannot %s process %lu", what, (unsigned long)process->pid);
}

/* --- adjusting --- */

/* Windows says that all is well also where it gives another class: without the privilege for "realtime", or where a job that is not
 * ours holds the process down. */
static jp_status set_priority(const struct jp_process *process, const struct jp_adjustment *adjustment, struct jp_error *error) {
    if (!SetPriorityClass(process->handle, adjustment->priority_class)) {
        DWORD win32 = GetLastError();
        return failed(process, win32, "SetPriorityClass", "set the priority class of", error);
    }
    DWORD now = GetPriorityClass(process->handle);
    if (now != 0 && now != adjustment->priority_class)
        return jp_fail(error, JP_E_DENIED, "cannot set the priority class of process %lu: Windows gave it 0x%lX instead of 0x%lX",
                       (unsigned long)process->pid, (unsigned long)now, (unsigned long)adjustment->priority_class);
    return JP_OK;
}

static jp_status set_affinity(const struct jp_process *process, const struct jp_adjustment *adjustment, struct jp_error *error) {
    if (SetProcessAffinityMask(process->handle, (DWORD_PTR)adjustment->affinity))
        return JP_OK;
    DWORD win32 = GetLastError();
    return failed(process, win32, "SetProcessAffinityMask", "set the processors of", error);
}

/* The maximum is kept, as a job's is; the minimum is given as long as there is memory. */
static jp_status set_working_set(const struct jp_process *process, const struct jp_adjustment *adjustment, struct jp_error *error) {
    if (SetProcessWorkingSetSizeEx(process->handle, (SIZE_T)adjustment->min_working_set_bytes, (SIZE_T)adjustment->max_working_set_bytes,
                                   QUOTA_LIMITS_HARDWS_MIN_DISABLE | QUOTA_LIMITS_HARDWS_MAX_ENABLE))
        return JP_OK;
    DWORD win32 = GetLastError();
    return failed(process, win32, "SetProcessWorkingSetSizeEx", "set the working set of", error);
}

/* One that fails does not keep the others from being set; the first failure is told. */
jp_status jp__process_adjust(struct jp_process *process, const struct jp_adjustment *adjustment, struct jp_error *error) {
    static const struct {
        enum jp_limit limit;
        jp_status (*set)(const struct jp_process *process, const struct jp_adjustment *adjustment, struct jp_error *error);
    } rows[] = {{JP_LIMIT_PRIORITY_CLASS, set_priority}, {JP_LIMIT_AFFINITY, set_affinity}, {JP_LIMIT_WORKING_SET, set_working_set}};
    if (jp__process_has_ended(process->handle))
        return jp_fail(error, JP_E_NO_PROCESS, "process %lu has exited", (unsigned long)process->pid);
    jp_status first = JP_OK;
    struct jp_error another;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!(adjustment->present & JP_SCHEMA_BIT(rows[i].limit)))
            continue;
        jp_status status = rows[i].set(process, adjustment, first == JP_OK ? error : &another);
        if (first == JP_OK)
            first = status;
    }
    return first;
}

/* --- freezing --- */

/* By name: not every winternl.h has these two, and those that have them differ. */
typedef NTSTATUS(NTAPI *freeze_fn)(HANDLE process);

/* A process that has ended is told apart first: Windows says "is terminating" then, Wine says that all is well. */
jp_status jp__process_freeze(struct jp_process *process, bool freeze, struct jp_error *error) {
    const char *name = freeze ? "NtSuspendProcess" : "NtResumeProcess";
    union {
        FARPROC any;
        freeze_fn call;
    } function = {.any = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), name)};
    if (!function.any)
        return jp_fail(error, JP_E_UNSUPPORTED, "this host has no %s", name);
    if (jp__process_has_ended(process->handle))
        return jp_fail(error, JP_E_NO_PROCESS, "process %lu has exited", (unsigned long)process->pid);
    NTSTATUS status = function.call(process->handle);
    if (NT_SUCCESS(status))
        return JP_OK;
    if (status == (NTSTATUS)0xC000010A /* STATUS_PROCESS_IS_TERMINATING: its handle tells in a moment */)
        return jp_fail(error, JP_E_NO_PROCESS, "process %lu has exited", (unsigned long)process->pid);
    return failed(process, RtlNtStatusToDosError(status), name, freeze ? "freeze" : "thaw", error);
}

/* A process that cannot be asked counts as debugged: freezing one under a debugger is worse than leaving it alone. */
bool jp__process_is_debugged(struct jp_process *process) {
    BOOL debugged = FALSE;
    return !CheckRemoteDebuggerPresent(process->handle, &debugged) || debugged;
}
