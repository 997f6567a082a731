/* Owns nothing: jobpool/job.h over Windows' own calls, made as whoever calls. */
#include "win32/job_object.h"

jp_status jp_job_create(const char *name, const char *security_sddl, struct jp_job **ret_job, bool *ret_existed,
                        struct jp_error *error) {
    return jp__job_object_create(name, security_sddl, ret_job, ret_existed, error);
}

jp_status jp_job_open(const char *name, uint32_t desired_access, bool inherit_handles, struct jp_job **ret_job,
                      struct jp_error *error) {
    return jp__job_object_open(name, desired_access, inherit_handles, ret_job, error);
}

void jp_job_close(struct jp_job *job) { jp__job_object_close(job); }

jp_status jp_job_assign_process(struct jp_job *job, uint32_t pid, int64_t start_time_100ns, struct jp_error *error) {
    const DWORD access = PROCESS_SET_QUOTA | PROCESS_TERMINATE | PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE;
    HANDLE process;
    jp_status status = jp__open_process(pid, start_time_100ns, access, true, "the caller", &process, error);
    if (status != JP_OK)
        return status;
    status = jp__job_object_assign(job, process, pid, error);
    CloseHandle(process); /* at once: while somebody holds a process that was refused, it counts as a member */
    return status;
}

jp_status jp_is_process_in_job(uint32_t pid, struct jp_job *job, bool *ret_in_job, struct jp_error *error) {
    HANDLE process;
    jp_status status =
        jp__open_process(pid, 0, PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, false, "the caller", &process, error);
    if (status != JP_OK)
        return status;
    status = jp__job_object_contains(job, process, pid, ret_in_job, error);
    CloseHandle(process);
    return status;
}

jp_status jp_job_query(struct jp_job *job, enum jp_job_class class, struct jp_job_info *ret_info, struct jp_error *error) {
    return jp__job_object_query(job, class, ret_info, error);
}

jp_status jp_job_set(struct jp_job *job, const struct jp_job_info *info, struct jp_error *error) {
    return jp__job_object_set(job, info, error);
}

jp_status jp_job_terminate(struct jp_job *job, uint32_t exit_code, struct jp_error *error) {
    return jp__job_object_terminate(job, exit_code, error);
}

jp_status jp_user_handle_grant_access(uint64_t user_handle, struct jp_job *job, bool grant, struct jp_error *error) {
    return jp__job_object_grant(job, user_handle, grant, error);
}
