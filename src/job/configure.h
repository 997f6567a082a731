/* From a pool's spec to the information classes of its job object, and back. Pure: all calls go through the backend. */
#ifndef JP_JOB_CONFIGURE_H
#define JP_JOB_CONFIGURE_H

#include "job/job_backend.h"

/* Makes the job what the spec says: limits that are present are set, all others lifted. All of it or, on failure, nothing. The
 * job-time clock goes on unless `restart_job_time`. Limits that the host's kernel does not keep are passed over. */
jp_status jp_job_configure(struct jp_backend *backend, struct jp_job *job, const struct jp_pool_spec *spec, bool restart_job_time,
                           struct jp_error *error);
/* Likewise one that was just made; after a failure it is to be closed. */
jp_status jp_job_configure_new(struct jp_backend *backend, struct jp_job *job, const struct jp_pool_spec *spec, struct jp_error *error);

/* The class as the spec has it, whatever the host does. JP_E_UNSUPPORTED for classes that are no settings. What only the kernel
 * knows (peaks) is zero. Clear with jp_job_info_clear. */
jp_status jp_job_info_of_spec(const struct jp_pool_spec *spec, enum jp_job_class class, struct jp_job_info *ret_info,
                              struct jp_error *error);

/* The spec with the class's settings replaced by those of `info`; nothing else of it changes. `*ret_restart_job_time`: the job time
 * was given anew (JOB_TIME), not preserved. JP_E_PARAMS for flags that the class does not take. */
jp_status jp_job_info_to_spec(const struct jp_job_info *info, struct jp_pool_spec *spec, bool *ret_restart_job_time,
                              struct jp_error *error);

/* Sets, so that setting what was queried changes nothing: equal settings are left alone, and a job-time limit that stays the same
 * keeps its clock. */
jp_status jp_job_set_information(struct jp_backend *backend, struct jp_job *job, const struct jp_job_info *info,
                                 struct jp_error *error);

/* All pids of the job and its child jobs. New memory (jp_free). */
jp_status jp_job_pids(struct jp_backend *backend, struct jp_job *job, uint32_t **ret_pids, size_t *ret_count, struct jp_error *error);

/* Whether user time is used up: JP_E_JOB_TIME with the numbers. */
jp_status jp_job_check_time(struct jp_backend *backend, struct jp_job *job, struct jp_error *error);

/* The limit that holds in a chain of specs (outermost first), by the rule of nested jobs: for priority class, affinity, commit,
 * per-process time, scheduling class and working set the most restrictive one, for all others the innermost. Returns its index in
 * `chain`, or SIZE_MAX if nobody sets it. Where several count together (affinity), `ret_limits` has what comes out.
 * https://learn.microsoft.com/windows/win32/procthread/nested-jobs#job-limits-and-notifications-for-nested-jobs */
size_t jp_effective_limit(const struct jp_pool_spec *const *chain, size_t length, enum jp_limit limit, struct jp_limits *ret_limits);

#endif
