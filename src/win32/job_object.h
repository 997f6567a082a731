/* Job objects held by handle, and the calls on them: what the backend and the public library (jobpool/job.h) share. All calls are
 * made as whoever the thread is; nothing here knows of clients. */
#ifndef JP_WIN32_JOB_OBJECT_H
#define JP_WIN32_JOB_OBJECT_H

#include "base/status.h"
#include "jobpool/job.h"

#include <windows.h>

struct jp_job {
    HANDLE handle;
    char *label; /* in sentences: `the job object "build"`; of jp__job_object_new in the same memory */
    struct jp_principal *principal; /* the backend's: for whom it was made or opened; NULL: for the service itself */
};

/* Takes the handle over. */
struct jp_job *jp__job_object_new(HANDLE handle, const char *name);
void jp__job_object_close(struct jp_job *job); /* NULL is fine. `principal` must be gone */

/* As jp_job_create and jp_job_open. */
jp_status jp__job_object_create(const char *name, const char *security_sddl, struct jp_job **ret_job, bool *ret_existed,
                                struct jp_error *error);
jp_status jp__job_object_open(const char *name, uint32_t desired_access, bool inherit_handles, struct jp_job **ret_job,
                              struct jp_error *error);

/* The failure of CreateJobObject. */
jp_status jp__job_create_failed(const char *name, uint32_t win32, struct jp_error *error);

/* `process`: with PROCESS_SET_QUOTA, PROCESS_TERMINATE and SYNCHRONIZE. */
jp_status jp__job_object_assign(struct jp_job *job, HANDLE process, uint32_t pid, struct jp_error *error);
/* `process`: with PROCESS_QUERY_LIMITED_INFORMATION. `job` NULL: in any job. */
jp_status jp__job_object_contains(struct jp_job *job, HANDLE process, uint32_t pid, bool *ret_contains, struct jp_error *error);
jp_status jp__job_object_terminate(struct jp_job *job, uint32_t exit_code, struct jp_error *error);
jp_status jp__job_object_grant(struct jp_job *job, uint64_t user_handle, bool grant, struct jp_error *error);

/* Whether the handle was not opened with these JP_JOB_OBJECT_* rights: Windows says "access denied" for that and for much else. */
bool jp__job_lacks(const struct jp_job *job, uint32_t rights);

/* As jp_job_query and jp_job_set. In job_info.c. */
jp_status jp__job_object_query(struct jp_job *job, enum jp_job_class class, struct jp_job_info *ret_info, struct jp_error *error);
jp_status jp__job_object_set(struct jp_job *job, const struct jp_job_info *info, struct jp_error *error);

/* --- processes by pid, in process_handle.c --- */

/* Opens the process of that pid, which must be what was meant: JP_E_OTHER_PROCESS if it began at another time than `start_100ns`
 * (0: any), JP_E_NO_PROCESS if there is none, or if it has ended and `alive`. `access` is to have
 * PROCESS_QUERY_LIMITED_INFORMATION and SYNCHRONIZE. `who`: who wants it, for the sentence. */
jp_status jp__open_process(uint32_t pid, int64_t start_100ns, DWORD access, bool alive, const char *who, HANDLE *ret_process,
                           struct jp_error *error);
bool jp__process_has_ended(HANDLE process);
bool jp__process_is_made(HANDLE process); /* false: it has not begun yet, and has no time at which it did */

#endif
