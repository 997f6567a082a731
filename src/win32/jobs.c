/* Owns the backend's job objects: our own, made with our rights, and those of clients, made and opened with theirs. */
#include "base/str.h"
#include "win32/internal.h"
#include "win32/principal.h"
#include "win32/security.h"
#include "win32/wide.h"

#include <aclapi.h>
#include <string.h>

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

jp_status jp__job_obtain(struct jp_backend *base, const char *object_name, uint64_t key, struct jp_job_obtained *ret_job,
                         struct jp_error *error) {
    struct jp_win32_backend *backend = jp__backend(base);
    jp_status status = JP_OK;
    wchar_t *name = jp_win32_wide(object_name);
    SetLastError(ERROR_SUCCESS); /* a success need not write it */
    HANDLE handle = CreateJobObjectW(&backend->job_security.attributes, name);
    DWORD win32 = GetLastError();
    jp_free(name);
    if (!handle)
        return jp__job_create_failed(object_name, win32, error);

    bool existed = win32 == ERROR_ALREADY_EXISTS;
    if (existed && (status = check_owner(handle, object_name, error)) != JP_OK)
        goto close_handle;
    win32 = jp_win32_port_attach(backend->port, handle, key);
    if (win32 != 0 && !existed) {
        status = jp_fail_win32(error, JP_E_SYSTEM, win32, "SetInformationJobObject",
                               "cannot attach the completion port to the job object \"%s\"", object_name);
        goto close_handle;
    }

    *ret_job = (struct jp_job_obtained){
        .job = jp__job_object_new(handle, object_name), .existed = existed, .listening = win32 == 0};
    return JP_OK;

close_handle:
    CloseHandle(handle);
    return status;
}

/* --- for clients --- */

/* Where a call of the principal's own would look for the name. Windows resolves names by the session of the process that calls, which
 * is ours; "Session\\N\\" leads to another one's. What the principal may do there is for Windows to check: the thread is the
 * principal then. New memory (jp_free).
 * https://learn.microsoft.com/windows/win32/termserv/kernel-object-namespaces */
static char *name_for(const char *name, const struct jp_principal *principal) {
    static const char local[] = "Local\\";
    if (!name || !principal || principal->session == jp__own_session())
        return jp_strdup(name);
    if (strncmp(name, "Global\\", 7) == 0 || strncmp(name, "Session\\", 8) == 0)
        return jp_strdup(name);
    if (strncmp(name, local, sizeof local - 1) == 0)
        name += sizeof local - 1;
    return *name ? jp_sprintf("Session\\%lu\\%s", (unsigned long)principal->session, name) : jp_strdup(name);
}

/* Windows checks some settings of a job against the privileges of whoever sets them: that must stay the one who opened it. */
static jp_status keep_principal(struct jp_job *job, const struct jp_principal *principal, struct jp_error *error) {
    if (!principal)
        return JP_OK;
    jp_status status = jp_win32_principal_copy(principal, &job->principal, error);
    if (status != JP_OK)
        jp__job_object_close(job);
    return status;
}

jp_status jp__job_create(struct jp_backend *backend, const struct jp_job_naming *naming, struct jp_job **ret_job, bool *ret_existed,
                         struct jp_error *error) {
    (void)backend;
    jp_status status = jp_win32_impersonate(naming->principal, error);
    if (status != JP_OK)
        return status;
    char *name = name_for(naming->name, naming->principal);
    struct jp_job *job;
    bool existed;
    status = jp__job_object_create(name, naming->security_sddl, &job, &existed, error);
    jp_win32_revert(naming->principal);
    jp_free(name);
    if (status == JP_OK)
        status = keep_principal(job, naming->principal, error);
    if (status != JP_OK)
        return status;
    *ret_job = job;
    if (ret_existed)
        *ret_existed = existed;
    return JP_OK;
}

jp_status jp__job_open(struct jp_backend *backend, const struct jp_job_naming *naming, struct jp_job **ret_job, struct jp_error *error) {
    (void)backend;
    /* ALL_ACCESS has the standard rights. Generic ones and "as much as possible" would give a handle that is more than was asked for. */
    uint32_t unknown = naming->desired_access & ~(uint32_t)JP_JOB_OBJECT_ALL_ACCESS;
    if (unknown != 0)
        return jp_fail(error, JP_E_PARAMS, "0x%lX are no rights to a job object; there are JOB_OBJECT_ALL_ACCESS (0x%lX) and its parts",
                       (unsigned long)unknown, (unsigned long)JP_JOB_OBJECT_ALL_ACCESS);
    jp_status status = jp_win32_impersonate(naming->principal, error);
    if (status != JP_OK)
        return status;
    char *name = name_for(naming->name, naming->principal);
    struct jp_job *job;
    status = jp__job_object_open(name, naming->desired_access, false, &job, error);
    jp_win32_revert(naming->principal);
    jp_free(name);
    if (status == JP_OK)
        status = keep_principal(job, naming->principal, error);
    if (status == JP_OK)
        *ret_job = job;
    return status;
}

/* --- both --- */

void jp__job_close(struct jp_job *job) {
    if (!job)
        return;
    jp_win32_principal_free(job->principal);
    jp__job_object_close(job);
}

jp_status jp__job_query(struct jp_job *job, enum jp_job_class class, struct jp_job_info *ret_info, struct jp_error *error) {
    return jp__job_object_query(job, class, ret_info, error);
}

jp_status jp__job_set(struct jp_job *job, const struct jp_job_info *info, struct jp_error *error) {
    jp_status status = jp_win32_impersonate(job->principal, error);
    if (status != JP_OK)
        return status;
    status = jp__job_object_set(job, info, error);
    jp_win32_revert(job->principal);
    return status;
}

jp_status jp__job_assign(struct jp_job *job, struct jp_process *process, struct jp_error *error) {
    return jp__job_object_assign(job, process->handle, process->pid, error);
}

jp_status jp__job_terminate(struct jp_job *job, uint32_t exit_code, struct jp_error *error) {
    return jp__job_object_terminate(job, exit_code, error);
}

jp_status jp__job_contains(struct jp_job *job, struct jp_process *process, bool *ret_contains, struct jp_error *error) {
    return jp__job_object_contains(job, process->handle, process->pid, ret_contains, error);
}

/* --- USER handles --- */

static bool has_interactive_desktop(void) {
    USEROBJECTFLAGS flags = {0};
    DWORD length;
    HWINSTA station = GetProcessWindowStation();
    return station && GetUserObjectInformationW(station, UOI_FLAGS, &flags, sizeof flags, &length) && (flags.dwFlags & WSF_VISIBLE);
}

jp_status jp__job_grant_user_handle(struct jp_job *job, uint64_t user_handle, bool grant, struct jp_principal *principal,
                                    struct jp_error *error) {
    static const char instead[] = "call UserHandleGrantAccess in the session of the window (jobpool grant-handle does)";
    unsigned long own = jp__own_session();
    if (principal && principal->session != own)
        return jp_fail(error, JP_E_SESSION, "a USER handle of session %lu means nothing to the service, which is in session %lu: %s",
                       (unsigned long)principal->session, own, instead);
    if (!has_interactive_desktop())
        return jp_fail(error, JP_E_SESSION, "the service has no interactive desktop, so that it knows no USER handle of another program: %s",
                       instead);
    jp_status status = jp_win32_impersonate(principal, error);
    if (status != JP_OK)
        return status;
    status = jp__job_object_grant(job, user_handle, grant, error);
    jp_win32_revert(principal);
    return status;
}
