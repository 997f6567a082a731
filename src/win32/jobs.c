/* Owns job objects: opening by name, membership, counters. Their limits are in job_limits.c. */
#include "base/str.h"
#include "win32/internal.h"
#include "win32/security.h"
#include "win32/wide.h"

#include <aclapi.h>

/* A name in Global\ may have been taken by anyone before us. Whoever owns a job can lift its limits. */
static jp_status check_owner(HANDLE job, const char *name, struct jp_error *error) {
    PSID owner = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    DWORD win32 =
        GetSecurityInfo(job, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, &owner, NULL, NULL, NULL, &descriptor);
    if (win32 != ERROR_SUCCESS)
        return jp_fail_win32(error, JP_E_DENIED, win32, "GetSecurityInfo", "cannot tell who owns the job object \"%s\"", name);
    jp_status status = JP_OK;
    if (!owner) {
        status = jp_fail(error, JP_E_DENIED, "the name \"%s\" is taken by a job object whose owner is not known", name);
    } else if (!jp_win32_sid_trusted(owner)) {
        char *sid = jp_win32_sid_text(owner), *account = jp_win32_sid_name(owner);
        status = jp_fail(error, JP_E_DENIED, "the name \"%s\" is taken by a job object that %s (%s) owns", name, account, sid);
        jp_free(sid);
        jp_free(account);
    }
    LocalFree(descriptor);
    return status;
}

static jp_status create_failed(const char *name, uint32_t win32, struct jp_error *error) {
    const char *operation = "CreateJobObject";
    switch (win32) {
    case ERROR_INVALID_HANDLE:
        return jp_fail_win32(error, JP_E_DENIED, win32, operation, "the name \"%s\" is taken by an object that is not a job", name);
    case ERROR_ACCESS_DENIED:
        return jp_fail_win32(error, JP_E_DENIED, win32, operation,
                             "the name \"%s\" is taken by a job object that does not let the service in", name);
    default:
        return jp_fail_win32(error, JP_E_SYSTEM, win32, operation, "cannot create the job object \"%s\"", name);
    }
}

jp_status jp__job_open(struct jp_backend *base, const char *object_name, uint64_t key, struct jp_job_open_result *ret_result,
                       struct jp_error *error) {
    struct jp_win32_backend *backend = jp__backend(base);
    struct jp_win32_security security;
    jp_status status = jp_win32_security_from_sddl(backend->job_security, &security, error);
    if (status != JP_OK)
        return status;

    wchar_t *name = jp_win32_wide(object_name);
    SetLastError(ERROR_SUCCESS); /* a success need not write it */
    HANDLE handle = CreateJobObjectW(&security.attributes, name);
    DWORD win32 = GetLastError();
    jp_free(name);
    jp_win32_security_free(&security);
    if (!handle)
        return create_failed(object_name, win32, error);

    bool existed = win32 == ERROR_ALREADY_EXISTS;
    if (existed && (status = check_owner(handle, object_name, error)) != JP_OK)
        goto close_handle;
    win32 = jp_win32_port_attach(backend->port, handle, key);
    if (win32 != 0 && !existed) {
        status = jp_fail_win32(error, JP_E_SYSTEM, win32, "SetInformationJobObject",
                               "cannot attach the completion port to the job object \"%s\"", object_name);
        goto close_handle;
    }

    struct jp_job *job = jp_alloc(sizeof *job);
    job->handle = handle;
    job->name = jp_strdup(object_name);
    job->backend = backend;
    *ret_result = (struct jp_job_open_result){.job = job, .existed = existed, .listening = win32 == 0};
    return JP_OK;

close_handle:
    CloseHandle(handle);
    return status;
}

void jp__job_close(struct jp_job *job) {
    if (!job)
        return;
    CloseHandle(job->handle);
    jp_free(job->name);
    jp_free(job);
}

/* Windows says "access denied" and "invalid parameter" where it means something else; say what. */
jp_status jp__job_assign(struct jp_job *job, struct jp_process *process, struct jp_error *error) {
    if (AssignProcessToJobObject(job->handle, process->handle))
        return JP_OK;
    DWORD win32 = GetLastError();
    const char *operation = "AssignProcessToJobObject";
    unsigned long pid = process->pid;
    if (WaitForSingleObject(process->handle, 0) == WAIT_OBJECT_0 && win32 != ERROR_NOT_ENOUGH_QUOTA)
        return jp_fail_win32(error, JP_E_NO_PROCESS, win32, operation, "process %lu has exited", pid);
    switch (win32) {
    case ERROR_NOT_ENOUGH_QUOTA:
        return jp_fail_win32(error, JP_E_POOL_FULL, win32, operation,
                             "the job object \"%s\" is full or its time is used up: Windows ended process %lu", job->name, pid);
    case ERROR_INVALID_PARAMETER:
        return jp_fail_win32(error, JP_E_SYSTEM, win32, operation,
                             "process %lu cannot join the job object \"%s\": it is in a job that is not related to it, or the "
                             "job's first member is a Store app",
                             pid, job->name);
    case ERROR_ACCESS_DENIED:
        return jp_fail_win32(error, JP_E_DENIED, win32, operation,
                             "process %lu cannot join the job object \"%s\": it is in another session than the job's members, "
                             "or in a job that does not fit above or below this one",
                             pid, job->name);
    default:
        return jp_fail_win32(error, JP_E_SYSTEM, win32, operation, "cannot assign process %lu to the job object \"%s\"", pid,
                             job->name);
    }
}

jp_status jp__job_terminate(struct jp_job *job, uint32_t exit_code, struct jp_error *error) {
    if (TerminateJobObject(job->handle, exit_code))
        return JP_OK;
    DWORD win32 = GetLastError();
    return jp_fail_win32(error, JP_E_SYSTEM, win32, "TerminateJobObject", "cannot terminate the job object \"%s\"", job->name);
}

jp_status jp__job_pids(struct jp_job *job, uint32_t **ret_pids, size_t *ret_count, struct jp_error *error) {
    /* Processes come while the list is read: the buffer grows until all that are assigned are listed. A count that stays
     * above a list that had room is one of processes on their way in or out; waiting for it could last. */
    JOBOBJECT_BASIC_PROCESS_ID_LIST *list = NULL;
    for (size_t room = 64;; room = (size_t)list->NumberOfAssignedProcesses + room) {
        size_t size = offsetof(JOBOBJECT_BASIC_PROCESS_ID_LIST, ProcessIdList) + room * sizeof(ULONG_PTR);
        list = jp_realloc_array(list, size, 1);
        *list = (JOBOBJECT_BASIC_PROCESS_ID_LIST){0};
        if (QueryInformationJobObject(job->handle, JobObjectBasicProcessIdList, list, (DWORD)size, NULL)) {
            if (list->NumberOfProcessIdsInList >= list->NumberOfAssignedProcesses || room > list->NumberOfAssignedProcesses)
                break;
            continue;
        }
        DWORD win32 = GetLastError();
        if (win32 != ERROR_MORE_DATA) {
            jp_free(list);
            return jp_fail_win32(error, JP_E_SYSTEM, win32, "QueryInformationJobObject",
                                 "cannot list the processes of the job object \"%s\"", job->name);
        }
    }
    size_t count = list->NumberOfProcessIdsInList;
    uint32_t *pids = jp_alloc((count + 1) * sizeof *pids);
    for (size_t i = 0; i < count; i++)
        pids[i] = (uint32_t)list->ProcessIdList[i];
    jp_free(list);
    *ret_pids = pids;
    *ret_count = count;
    return JP_OK;
}

jp_status jp__job_counters(struct jp_job *job, struct jp_job_counters *ret_counters, struct jp_error *error) {
    JOBOBJECT_BASIC_ACCOUNTING_INFORMATION information = {0};
    if (!QueryInformationJobObject(job->handle, JobObjectBasicAccountingInformation, &information, sizeof information, NULL)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "QueryInformationJobObject",
                             "cannot read the counters of the job object \"%s\"", job->name);
    }
    *ret_counters = (struct jp_job_counters){
        .total_processes = information.TotalProcesses,
        .active_processes = information.ActiveProcesses,
        .terminated_processes = information.TotalTerminatedProcesses,
        .user_100ns = (uint64_t)information.TotalUserTime.QuadPart,
        .kernel_100ns = (uint64_t)information.TotalKernelTime.QuadPart,
    };
    return JP_OK;
}

jp_status jp__job_contains(struct jp_job *job, struct jp_process *process, bool *ret_contains, struct jp_error *error) {
    BOOL contains;
    if (!IsProcessInJob(process->handle, job->handle, &contains)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "IsProcessInJob", "cannot tell whether process %lu is in \"%s\"",
                             (unsigned long)process->pid, job->name);
    }
    *ret_contains = contains;
    return JP_OK;
}
