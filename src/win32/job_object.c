/* Owns the handles of job objects: making, opening and closing them, and who is in them. */
#include "win32/job_object.h"

#include "base/str.h"
#include "win32/security.h"
#include "win32/wide.h"

#include <string.h>
#include <winternl.h>

struct jp_job *jp__job_object_new(HANDLE handle, const char *name) {
    static const char begin[] = "the job object \"", end[] = "\"", nameless[] = "a job object without a name";
    size_t length = name ? strlen(name) : 0;
    struct jp_job *job = jp_alloc(sizeof *job + (name ? sizeof begin + length + sizeof end : sizeof nameless));
    job->handle = handle;
    job->label = (char *)(job + 1);
    if (name) { /* put together by hand: it is done for each of very many pools */
        memcpy(job->label, begin, sizeof begin - 1);
        memcpy(job->label + sizeof begin - 1, name, length);
        memcpy(job->label + sizeof begin - 1 + length, end, sizeof end);
    } else {
        memcpy(job->label, nameless, sizeof nameless);
    }
    return job;
}

void jp__job_object_close(struct jp_job *job) {
    if (!job)
        return;
    CloseHandle(job->handle);
    jp_free(job);
}

/* --- names --- */

/* Windows takes the empty name for none. */
static jp_status check_name(const char *name, struct jp_error *error) {
    return *name ? JP_OK : jp_fail(error, JP_E_PARAMS, "the name of a job object may not be empty");
}

static jp_status bad_name(const char *name, uint32_t win32, const char *operation, struct jp_error *error) {
    return jp_fail_win32(error, JP_E_PARAMS, win32, operation,
                         "\"%s\" cannot be a job object's name: before the name may stand \"Global\\\" or \"Local\\\", and no other "
                         "backslash",
                         name);
}

jp_status jp__job_create_failed(const char *name, uint32_t win32, struct jp_error *error) {
    const char *operation = "CreateJobObject";
    if (!name)
        return jp_fail_win32(error, JP_E_SYSTEM, win32, operation, "cannot create a job object");
    switch (win32) {
    case ERROR_INVALID_HANDLE:
        return jp_fail_win32(error, JP_E_DENIED, win32, operation, "the name \"%s\" is taken by an object that is not a job", name);
    case ERROR_ACCESS_DENIED:
        return jp_fail_win32(error, JP_E_DENIED, win32, operation,
                             "the name \"%s\" is taken by a job object that does not let the caller in, or the caller may make none there",
                             name);
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_NAME:
    case ERROR_BAD_PATHNAME:
    case ERROR_FILENAME_EXCED_RANGE:
        return bad_name(name, win32, operation, error);
    case ERROR_INVALID_OWNER:
        return jp_fail_win32(error, JP_E_DENIED, win32, operation, "the caller may not make \"%s\" with the owner that the descriptor names",
                             name);
    default:
        return jp_fail_win32(error, JP_E_SYSTEM, win32, operation, "cannot create the job object \"%s\"", name);
    }
}

jp_status jp__job_object_create(const char *name, const char *security_sddl, struct jp_job **ret_job, bool *ret_existed,
                                struct jp_error *error) {
    struct jp_win32_security security = {0};
    jp_status status = name ? check_name(name, error) : JP_OK;
    if (status == JP_OK && security_sddl)
        status = jp_win32_security_as_written(security_sddl, &security, error);
    if (status != JP_OK)
        return status;

    wchar_t *wide = jp_win32_wide(name);
    SetLastError(ERROR_SUCCESS); /* a success need not write it */
    HANDLE handle = CreateJobObjectW(security_sddl ? &security.attributes : NULL, wide);
    DWORD win32 = GetLastError();
    jp_free(wide);
    if (security_sddl)
        jp_win32_security_free(&security);
    if (!handle)
        return jp__job_create_failed(name, win32, error);
    *ret_job = jp__job_object_new(handle, name);
    if (ret_existed)
        *ret_existed = win32 == ERROR_ALREADY_EXISTS;
    return JP_OK;
}

static jp_status open_failed(const char *name, uint32_t access, uint32_t win32, struct jp_error *error) {
    const char *operation = "OpenJobObject";
    switch (win32) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        return jp_fail_win32(error, JP_E_NO_JOB, win32, operation, "there is no job object \"%s\"", name);
    case ERROR_INVALID_HANDLE:
        return jp_fail_win32(error, JP_E_NO_JOB, win32, operation, "the name \"%s\" is that of an object that is not a job", name);
    case ERROR_ACCESS_DENIED:
        return jp_fail_win32(error, JP_E_DENIED, win32, operation, "the job object \"%s\" does not give the caller the rights 0x%lX", name,
                             (unsigned long)access);
    case ERROR_INVALID_NAME:
    case ERROR_BAD_PATHNAME:
    case ERROR_FILENAME_EXCED_RANGE:
        return bad_name(name, win32, operation, error);
    default:
        return jp_fail_win32(error, JP_E_SYSTEM, win32, operation, "cannot open the job object \"%s\"", name);
    }
}

jp_status jp__job_object_open(const char *name, uint32_t desired_access, bool inherit_handles, struct jp_job **ret_job,
                              struct jp_error *error) {
    jp_status status = check_name(name, error);
    if (status != JP_OK)
        return status;
    wchar_t *wide = jp_win32_wide(name);
    HANDLE handle = OpenJobObjectW(desired_access, inherit_handles, wide);
    DWORD win32 = handle ? 0 : GetLastError();
    jp_free(wide);
    if (!handle)
        return open_failed(name, desired_access, win32, error);
    *ret_job = jp__job_object_new(handle, name);
    return JP_OK;
}

/* --- who is in it --- */

static jp_status denied(const struct jp_job *job, uint32_t win32, const char *operation, const char *right, struct jp_error *error) {
    return jp_fail_win32(error, JP_E_DENIED, win32, operation, "the handle to %s was not opened with %s", job->label, right);
}

bool jp__job_lacks(const struct jp_job *job, uint32_t rights) {
    PUBLIC_OBJECT_BASIC_INFORMATION basic;
    return NtQueryObject(job->handle, ObjectBasicInformation, &basic, sizeof basic, NULL) >= 0 &&
           (basic.GrantedAccess & rights) != rights;
}

/* Windows says "access denied" and "invalid parameter" where it means something else; say what. */
jp_status jp__job_object_assign(struct jp_job *job, HANDLE process, uint32_t pid_32, struct jp_error *error) {
    if (AssignProcessToJobObject(job->handle, process))
        return JP_OK;
    DWORD win32 = GetLastError();
    const char *operation = "AssignProcessToJobObject";
    unsigned long pid = pid_32;
    if (win32 != ERROR_NOT_ENOUGH_QUOTA && jp__process_has_ended(process))
        return jp_fail_win32(error, JP_E_NO_PROCESS, win32, operation, "process %lu has exited", pid);
    switch (win32) {
    case ERROR_NOT_ENOUGH_QUOTA:
        return jp_fail_win32(error, JP_E_POOL_FULL, win32, operation, "%s is full or its time is used up: Windows ended process %lu",
                             job->label, pid);
    case ERROR_INVALID_PARAMETER:
        return jp_fail_win32(error, JP_E_SYSTEM, win32, operation,
                             "process %lu cannot join %s: it is in a job that is not related to it, or the job's first member is a Store app",
                             pid, job->label);
    case ERROR_ACCESS_DENIED:
        if (jp__job_lacks(job, JP_JOB_OBJECT_ASSIGN_PROCESS))
            return denied(job, win32, operation, "JOB_OBJECT_ASSIGN_PROCESS", error);
        return jp_fail_win32(error, JP_E_DENIED, win32, operation,
                             "process %lu cannot join %s: it is in another session than the job's members, or in a job that does not fit "
                             "above or below this one",
                             pid, job->label);
    default:
        return jp_fail_win32(error, JP_E_SYSTEM, win32, operation, "cannot assign process %lu to %s", pid, job->label);
    }
}

jp_status jp__job_object_contains(struct jp_job *job, HANDLE process, uint32_t pid, bool *ret_contains, struct jp_error *error) {
    BOOL contains;
    if (!IsProcessInJob(process, job ? job->handle : NULL, &contains)) {
        DWORD win32 = GetLastError();
        const char *operation = "IsProcessInJob";
        if (job && win32 == ERROR_ACCESS_DENIED)
            return denied(job, win32, operation, "JOB_OBJECT_QUERY", error);
        return jp_fail_win32(error, JP_E_SYSTEM, win32, operation, "cannot tell whether process %lu is in %s", (unsigned long)pid,
                             job ? job->label : "a job");
    }
    *ret_contains = contains;
    return JP_OK;
}

jp_status jp__job_object_terminate(struct jp_job *job, uint32_t exit_code, struct jp_error *error) {
    if (TerminateJobObject(job->handle, exit_code))
        return JP_OK;
    DWORD win32 = GetLastError();
    if (win32 == ERROR_ACCESS_DENIED)
        return denied(job, win32, "TerminateJobObject", "JOB_OBJECT_TERMINATE", error);
    return jp_fail_win32(error, JP_E_SYSTEM, win32, "TerminateJobObject", "cannot terminate %s", job->label);
}

jp_status jp__job_object_grant(struct jp_job *job, uint64_t user_handle, bool grant, struct jp_error *error) {
    SetLastError(ERROR_SUCCESS);
    if (UserHandleGrantAccess((HANDLE)(uintptr_t)user_handle, job->handle, grant))
        return JP_OK;
    DWORD win32 = GetLastError();
    const char *operation = "UserHandleGrantAccess";
    unsigned long long value = user_handle;
    if (win32 == ERROR_INVALID_HANDLE || (win32 >= ERROR_INVALID_WINDOW_HANDLE && win32 <= ERROR_INVALID_HOOK_HANDLE))
        return jp_fail_win32(error, JP_E_PARAMS, win32, operation, "0x%llX is no USER handle (window, menu, hook, ...) of this desktop",
                             value);
    if (win32 == ERROR_CALL_NOT_IMPLEMENTED || win32 == ERROR_INVALID_FUNCTION)
        return jp_fail_win32(error, JP_E_UNSUPPORTED, win32, operation, "this host keeps no list of the USER handles that a job may use");
    return jp_fail_win32(error, win32 == ERROR_ACCESS_DENIED ? JP_E_DENIED : JP_E_SYSTEM, win32, operation,
                         "cannot %s the processes of %s the USER handle 0x%llX", grant ? "grant" : "take from", job->label, value);
}
