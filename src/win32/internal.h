/* What the files of the backend share. */
#ifndef JP_WIN32_INTERNAL_H
#define JP_WIN32_INTERNAL_H

#include "base/map.h"
#include "win32/backend.h"
#include "win32/job_object.h"
#include "win32/security.h"

#include <stdatomic.h>

struct jp_win32_backend {
    struct jp_backend base; /* first: the one is cast to the other */
    const struct jp_log *log;
    struct jp_win32_port *port;
    struct jp_capabilities capabilities;
    DWORD console_flag; /* for launches; see backend.c */
    const wchar_t *stop_helper, *keeper_option;
    struct jp_keeper *keepers; /* all that are open */
    atomic_uint sample_size; /* bytes that the last sample wanted: a hint, so that most want one call */
    struct jp_win32_security job_security; /* of the jobs that we create */
    struct jp_user_environments *environments;
    struct jp_map user_names; /* SID text -> struct user_name; see jp__user_name */
};

struct jp_process {
    HANDLE handle;
    HANDLE thread; /* of a launched process, until it is resumed */
    uint32_t pid;
    bool ended; /* found out, with: */
    DWORD exit_code;
    struct jp_win32_backend *backend;
    HANDLE wait; /* for its end, at the port; NULL: it is not watched */
};

static inline struct jp_win32_backend *jp__backend(struct jp_backend *backend) { return (struct jp_win32_backend *)backend; }

/* "DOMAIN\name" of the token's user, remembered: asking the system may ask a domain controller. New memory (jp_free), or
 * NULL. */
char *jp__user_name(struct jp_win32_backend *backend, HANDLE token);
void jp__user_names_free(struct jp_win32_backend *backend);

/* The full path of a process's program: new memory (jp_free), or NULL. The first: of this process. */
wchar_t *jp__own_image(void);
char *jp__image(HANDLE process);

/* The command line of a process, opened with PROCESS_QUERY_LIMITED_INFORMATION. New memory (jp_free), or NULL. */
char *jp__command_line(HANDLE process, uint32_t pid);
uint32_t jp__parent_pid(HANDLE process); /* 0: unknown */

/* The environment `block` with `changes` laid over it, as CREATE_UNICODE_ENVIRONMENT wants it: new memory (jp_free).
 * `block` NULL: this process's environment. */
jp_status jp__environment(const wchar_t *block, const struct jp_strings *changes, wchar_t **ret_block, struct jp_error *error);

/* Whether whoever holds `token` may do exactly what this process may: same user, logon, integrity, groups and privileges,
 * and neither is restricted. */
bool jp__token_is_ours(HANDLE token);

/* Whether Administrators is a group of the token that grants, not one that only denies (as in a token that UAC has cut). */
jp_status jp__token_is_admin(HANDLE token, bool *ret_admin, struct jp_error *error);

/* What a process gets as its standard handles: NUL, or the launch's files. All of them are inheritable, and for this one process. */
struct jp__standard_handles {
    HANDLE standard[3]; /* input, output, error */
    HANDLE opened[4];   /* those that they are, each once */
    DWORD count;
};
jp_status jp__open_standard_handles(const struct jp_launch *launch, struct jp__standard_handles *handles, struct jp_error *error);
void jp__close_standard_handles(struct jp__standard_handles *handles); /* also after a failure; all zero is fine */

/* As whom the program and the files of a launch are opened; NULL: as the service. */
const struct jp_principal *jp__opener(const struct jp_launch *launch);

/* Puts a token with fewer rights in the place of the primary token `*token`, which stays on failure. JP_E_PARAMS names what is no
 * account and no privilege. */
jp_status jp__token_filter(HANDLE *token, const struct jp_token_filter *filter, struct jp_error *error);

/* The SID of an account or group, in new memory (jp_free), or NULL with *ret_win32 set. */
PSID jp__sid_of_account(const wchar_t *name, uint32_t *ret_win32);

uint32_t jp__own_session(void);

/* Finds out what the host does. */
void jp__probe(const struct jp_log *log, struct jp_capabilities *ret_capabilities);

/* --- the operations, by file --- */

jp_status jp__job_obtain(struct jp_backend *backend, const char *object_name, uint64_t key, struct jp_job_obtained *ret_job,
                         struct jp_error *error);
jp_status jp__job_create(struct jp_backend *backend, const struct jp_job_naming *naming, struct jp_job **ret_job, bool *ret_existed,
                         struct jp_error *error);
jp_status jp__job_open(struct jp_backend *backend, const struct jp_job_naming *naming, struct jp_job **ret_job, struct jp_error *error);
void jp__job_close(struct jp_job *job);
jp_status jp__job_query(struct jp_job *job, enum jp_job_class class, struct jp_job_info *ret_info, struct jp_error *error);
jp_status jp__job_set(struct jp_job *job, const struct jp_job_info *info, struct jp_error *error);
jp_status jp__job_assign(struct jp_job *job, struct jp_process *process, struct jp_error *error);
jp_status jp__job_terminate(struct jp_job *job, uint32_t exit_code, struct jp_error *error);
jp_status jp__job_contains(struct jp_job *job, struct jp_process *process, bool *ret_contains, struct jp_error *error);
jp_status jp__job_grant_user_handle(struct jp_job *job, uint64_t user_handle, bool grant, struct jp_principal *principal,
                                    struct jp_error *error);

jp_status jp__token_of_process(struct jp_backend *backend, uint32_t pid, struct jp_principal *principal, struct jp_principal **ret_token,
                               struct jp_error *error);
jp_status jp__token_of_account(struct jp_backend *backend, enum jp_token_account account, struct jp_principal **ret_token,
                               struct jp_error *error);
void jp__token_free(struct jp_backend *backend, struct jp_principal *token);
uint32_t jp__session_of(struct jp_backend *backend, const struct jp_principal *principal);

char *jp__account_sid(struct jp_backend *backend, const char *account);
jp_status jp__descriptor_new(struct jp_backend *backend, const char *sddl, bool and_self, struct jp_descriptor **ret_descriptor,
                             struct jp_error *error);
void jp__descriptor_free(struct jp_descriptor *descriptor);
uint32_t jp__descriptor_rights(const struct jp_descriptor *descriptor, const struct jp_principal *principal);

jp_status jp__process_open(struct jp_backend *backend, uint32_t pid, int64_t start_100ns, enum jp_process_use use,
                           struct jp_principal *principal, struct jp_process **ret_process, struct jp_error *error);
void jp__process_close(struct jp_process *process);
jp_status jp__process_facts(struct jp_process *process, struct jp_process_facts *ret_facts, struct jp_error *error);
/* On any thread. `backend` NULL: in the helper, which has none. */
jp_status jp__sample(struct jp_backend *backend, struct jp_samples *ret_samples, struct jp_error *error);
jp_status jp__process_adjust(struct jp_process *process, const struct jp_adjustment *adjustment, struct jp_error *error);
jp_status jp__process_freeze(struct jp_process *process, bool freeze, struct jp_error *error);
jp_status jp__process_request_stop(struct jp_process *process, struct jp_error *error);
bool jp__process_is_debugged(struct jp_process *process);
bool jp__process_is_critical(struct jp_process *process);
void jp__process_usage(struct jp_process *process, struct jp_usage *ret_usage);
bool jp__process_exited(struct jp_process *process, uint32_t *ret_exit_code);
jp_status jp__process_terminate(struct jp_process *process, uint32_t exit_code, struct jp_error *error);
jp_status jp__process_check_token(struct jp_process *process, uint32_t security, struct jp_error *error);
jp_status jp__process_watch(struct jp_process *process, uint64_t watch, struct jp_error *error);

jp_status jp__process_launch(struct jp_backend *backend, const struct jp_launch *launch, struct jp_process **ret_process,
                             struct jp_error *error);
jp_status jp__process_resume(struct jp_process *process, struct jp_error *error);

jp_status jp__keeper_start(struct jp_backend *backend, uint64_t watch, struct jp_keeper **ret_keeper, struct jp_error *error);
void jp__keeper_facts(const struct jp_keeper *keeper, uint32_t *ret_pid, int64_t *ret_start_100ns);
jp_status jp__keeper_hold(struct jp_keeper *keeper, struct jp_job *job, struct jp_error *error);
void jp__keeper_let_go(struct jp_keeper *keeper, struct jp_job *job);
void jp__keeper_close(struct jp_keeper *keeper);
jp_status jp__keeper_dismiss(struct jp_backend *backend, uint32_t pid, int64_t start_100ns, struct jp_error *error);
bool jp__is_keeper(const struct jp_win32_backend *backend, uint32_t pid); /* one that is open */

#endif
