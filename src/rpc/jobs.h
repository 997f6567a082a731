/* What a `job` parameter names, and the handles that a connection holds. */
#ifndef JP_RPC_JOBS_H
#define JP_RPC_JOBS_H

#include "rpc/rpc_internal.h"

/* Made by job.create and job.open; closed by job.close, or with the connection. */
struct jp_job_handle {
    struct jp_job_handle *next;
    uint64_t number; /* "#7" */
    char *name;      /* the kernel's, or NULL */
    struct jp_job *job;
    struct jp_security security; /* class 5, as long as the handle lives: Windows does not keep it */
};

/* A pool, or a job object. */
struct jp_job_reference {
    struct jp_pool *pool;         /* or */
    struct jp_job_handle *handle; /* or */
    struct jp_job *opened;        /* by kernel name, for this call only */
    struct jp_job *job;           /* of the last two */
};

/* "#7": a handle of this connection; a pool's name, or the kernel name of a pool's job: the pool, if the caller has the right that `access`
 * stands for there; any other kernel name: opened with the caller's own rights and `access`. The reference is released after use. */
jp_status jp__job_resolve(struct jp_call *call, const char *text, uint32_t access, struct jp_job_reference *ret_reference,
                          struct jp_error *error);
void jp__job_release(struct jp_call *call, struct jp_job_reference *reference);

/* Takes the job, also on failure (JP_E_QUOTA). */
jp_status jp__job_handle_add(struct jp_rpc_connection *connection, struct jp_job *job, const char *name, struct jp_job_handle **ret_handle,
                             struct jp_error *error);
void jp__job_handle_close(struct jp_rpc_connection *connection, struct jp_job_handle *handle);
struct jp_job_handle *jp__job_handle_find(struct jp_rpc_connection *connection, const char *text);

/* Class 5 as JSON: SecurityLimitFlags, JobToken (null, a pid, or an account's name), SidsToDisable, PrivilegesToDelete,
 * RestrictedSids. */
struct jp_security_information {
    uint64_t present;
    uint32_t flags;
    cJSON *token;
    struct jp_strings sids_to_disable, privileges_to_delete, restricted_sids;
};
extern const struct jp_field jp__security_information_fields[];
cJSON *jp__security_write(const struct jp_security *security, uint32_t token_pid);
/* `ret_security` borrows the lists of `information`; *ret_token_pid: whose token, or 0. */
jp_status jp__security_of(const struct jp_security_information *information, struct jp_security *ret_security, uint32_t *ret_token_pid,
                          struct jp_error *error);

#endif
