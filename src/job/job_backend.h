/* The port to the operating system's job objects and processes.
 *
 * `win32/` implements it with the real calls, `tests/sim/` with a kernel of its own. All functions are called on the loop's
 * thread. What happens by itself comes back through `struct jp_job_listener`, also on the loop's thread.
 *
 * Ownership: whoever got a job or a process from a `ret_` pointer closes it. Strings in results are jp_free'd by the
 * caller through the *_clear functions. */
#ifndef JP_JOB_JOB_BACKEND_H
#define JP_JOB_JOB_BACKEND_H

#include "job/limits.h"
#include "jobpool/job.h"

struct jp_backend;   /* the implementation's own */
struct jp_process;   /* a process, held by handle: while it is held, its pid is not given to another */
struct jp_descriptor; /* a security descriptor that was compiled: who has which rights */
struct jp_keeper;    /* the process that holds jobs for the time when no service runs */
struct jp_principal; /* on whose behalf: a client's token. NULL: the service itself */

/* Who does what a limit promises. */
enum jp_enforcer { JP_ENFORCED_BY_NONE, JP_ENFORCED_BY_SERVICE, JP_ENFORCED_BY_KERNEL };
const char *jp_enforcer_name(enum jp_enforcer enforcer); /* "none", "service", "kernel" */

/* What this host's kernel does, found out by trying at start. */
struct jp_capabilities {
    enum jp_enforcer limits[JP_LIMIT_COUNT];
    enum jp_enforcer ui;
    enum jp_enforcer end_of_job_time;
    enum jp_enforcer notify; /* notification limits: class 33, or 12 for what that knows */
    bool nested_jobs;
    bool process_times;    /* CPU times of other processes are true */
    bool process_io;       /* I/O counters are kept */
    uint32_t processors;    /* logical ones, of all groups */
    bool memory_after_exit; /* peak memory can be read from the handle of a process that ended */
    char *host;            /* "Windows 10.0.19045" or "Windows 10.0.19043 (Wine 8.0)" */
};

/* Static facts of a process. */
struct jp_process_facts {
    uint32_t pid;
    int64_t start_100ns;  /* creation time (FILETIME); 0: the process is still being made, ask again */
    uint32_t parent_pid;  /* 0: unknown */
    uint32_t session;
    char *image;          /* full path, or NULL */
    char *command_line;   /* or NULL */
    char *user;           /* "DOMAIN\name", or the SID, or NULL */
};
void jp_process_facts_clear(struct jp_process_facts *facts);

enum {
    JP_USAGE_CPU = 1,
    JP_USAGE_MEMORY = 2,
    JP_USAGE_IO = 4,
};
struct jp_usage {
    uint32_t known; /* JP_USAGE_*: which of the numbers the host gave */
    uint64_t user_100ns, kernel_100ns;
    uint64_t peak_commit_bytes, peak_working_set_bytes;
    uint64_t read_operations, write_operations, other_operations;
    uint64_t read_bytes, write_bytes, other_bytes;
};

/* What one process had used at a moment. */
struct jp_sample {
    uint32_t pid, parent_pid, session;
    int64_t start_100ns;
    const char *image; /* file name, in the set's memory; NULL: the system's own */
    uint64_t commit_bytes, working_set_bytes; /* now, not at the peak */
    struct jp_usage usage;
};
struct jp_samples { /* every process of the machine, in no order */
    struct jp_sample *items;
    size_t count;
    char *names; /* the images' memory */
};
void jp_samples_clear(struct jp_samples *samples);

/* What the service sets on a member where the kernel's job does not. Bits of `present`: JP_LIMIT_PRIORITY_CLASS, _AFFINITY,
 * _WORKING_SET. */
struct jp_adjustment {
    uint64_t present;
    uint32_t priority_class;
    uint64_t affinity;
    uint64_t min_working_set_bytes, max_working_set_bytes;
};

enum jp_process_use {
    JP_PROCESS_OBSERVE,   /* query and wait */
    JP_PROCESS_ASSIGN,    /* set quota, terminate, query and wait: what AssignProcessToJobObject wants */
    JP_PROCESS_TERMINATE, /* terminate, query and wait */
    JP_PROCESS_CONTROL,   /* priority, affinity, working set, suspend and resume, terminate, query and wait */
};

struct jp_launch {
    const char *command_line;          /* as CreateProcessW takes it */
    const char *directory;             /* working directory, or NULL: the principal's profile, or the service's own */
    const struct jp_strings *environment; /* changes to the principal's environment, "NAME=value" or "NAME" to remove */
    struct jp_job *const *chain;       /* jobs to be born in, outermost first */
    size_t chain_length;
    struct jp_principal *principal;       /* whose environment, folder and session it gets */
    struct jp_principal *token;           /* runs under this one instead (ONLY_TOKEN), with its environment; NULL: the principal's */
    const struct jp_token_filter *filter; /* less these rights (FILTER_TOKENS); NULL: as it is */
    /* Files that the principal may read, or write, opened as it; NULL: NUL. Names for which jp_launch_file_check holds. The same name for both
     * outputs is one file. */
    const char *input_file, *output_file, *error_file;
    bool append;                          /* to the outputs, instead of beginning them anew */
    /* By a template's word: `token` is this account's, and it is who opens the program and the files, too. JP_TOKEN_NONE: the principal. */
    enum jp_token_account run_as;
    bool no_error_dialogs;                /* the error mode that die_on_unhandled_exception stands for; its children inherit it */
};

/* A job that is not one of ours, made or opened for somebody. A name without "Global\\", "Local\\" or "Session\\" is in the
 * session of the principal, as it would be for a call of its own. */
struct jp_job_naming {
    const char *name;          /* NULL: without a name (create only) */
    const char *security_sddl; /* create; NULL: the default of the principal's token */
    uint32_t desired_access;   /* open; JP_JOB_OBJECT_*: every later call is checked against it */
    struct jp_principal *principal;
};

struct jp_job_obtained {
    struct jp_job *job;
    bool existed;     /* a job of this name was there: members may be in it */
    bool listening;   /* its messages come to us; false if the host did not let us attach (a reopened job under Wine) */
};

struct jp_backend_ops {
    const struct jp_capabilities *(*capabilities)(struct jp_backend *backend);

    /* --- our own jobs, with the service's rights --- */

    /* Creates the named job, or opens the one that exists if its owner is trusted (SYSTEM, Administrators, ourselves);
     * JP_E_DENIED if it is not. Attaches our port under `key`, a number from 16 on that is never used again. */
    jp_status (*job_obtain)(struct jp_backend *backend, const char *object_name, uint64_t key, struct jp_job_obtained *ret_job,
                            struct jp_error *error);

    /* --- anybody's, with the principal's rights (jobpool/job.h says more) --- */

    jp_status (*job_create)(struct jp_backend *backend, const struct jp_job_naming *naming, struct jp_job **ret_job,
                            bool *ret_existed, struct jp_error *error);
    jp_status (*job_open)(struct jp_backend *backend, const struct jp_job_naming *naming, struct jp_job **ret_job,
                          struct jp_error *error);

    /* --- both: with the rights that the handle has --- */

    void (*job_close)(struct jp_job *job); /* NULL is fine */
    /* Any class but 5 and 7, which are the service's: JP_E_UNSUPPORTED for those that the host does not have. */
    jp_status (*job_query)(struct jp_job *job, enum jp_job_class class, struct jp_job_info *ret_info, struct jp_error *error);
    jp_status (*job_set)(struct jp_job *job, const struct jp_job_info *info, struct jp_error *error);
    jp_status (*job_assign)(struct jp_job *job, struct jp_process *process, struct jp_error *error);
    jp_status (*job_terminate)(struct jp_job *job, uint32_t exit_code, struct jp_error *error);
    /* `job` NULL: in any job. */
    jp_status (*job_contains)(struct jp_job *job, struct jp_process *process, bool *ret_contains, struct jp_error *error);
    /* UserHandleGrantAccess. JP_E_SESSION where the principal's desktop is not the service's: it cannot mean anything then. */
    jp_status (*job_grant_user_handle)(struct jp_job *job, uint64_t user_handle, bool grant, struct jp_principal *principal,
                                       struct jp_error *error);

    /* --- tokens to launch with --- */

    /* The token of a running process, opened with the principal's rights, for a principal that is an administrator: JP_E_DENIED
     * for others, because launching with it lends them its rights. Free with token_free. */
    jp_status (*token_of_process)(struct jp_backend *backend, uint32_t pid, struct jp_principal *principal,
                                  struct jp_principal **ret_token, struct jp_error *error);
    jp_status (*token_of_account)(struct jp_backend *backend, enum jp_token_account account, struct jp_principal **ret_token,
                                  struct jp_error *error);
    void (*token_free)(struct jp_backend *backend, struct jp_principal *token); /* NULL is fine */
    /* The session of the principal (NULL: of the service), where what it launches will be. */
    uint32_t (*session_of)(struct jp_backend *backend, const struct jp_principal *principal);

    /* --- who may do what (job/access.h) --- */

    /* "S-1-5-..." of an account or group, new memory (jp_free); NULL if there is none, or none can be found out now. May take a
     * moment where another machine has to be asked. */
    char *(*account_sid)(struct jp_backend *backend, const char *account);
    /* JP_E_PARAMS if `sddl` is no descriptor with a DACL. A descriptor without owner gets SYSTEM. With `and_self` the account that the service
     * runs as has every right, too. Free with descriptor_free. */
    jp_status (*descriptor_new)(struct jp_backend *backend, const char *sddl, bool and_self, struct jp_descriptor **ret_descriptor,
                                struct jp_error *error);
    void (*descriptor_free)(struct jp_descriptor *descriptor); /* NULL is fine */
    /* Which of JP_RIGHT_* the principal has by it, as AccessCheck says; none where that fails. With principal NULL: all. */
    uint32_t (*descriptor_rights)(const struct jp_descriptor *descriptor, const struct jp_principal *principal);

    /* --- processes --- */

    /* Opens with the principal's rights, never with more. `start_100ns` not 0: JP_E_OTHER_PROCESS if the process of that
     * pid began at another moment. JP_E_NO_PROCESS if it is gone; for other uses than OBSERVE also if it has exited (a process
     * that ended while somebody holds a handle to it can still be asked who it was and how it ended). */
    jp_status (*process_open)(struct jp_backend *backend, uint32_t pid, int64_t start_100ns, enum jp_process_use use,
                              struct jp_principal *principal, struct jp_process **ret_process, struct jp_error *error);
    void (*process_close)(struct jp_process *process);
    jp_status (*process_facts)(struct jp_process *process, struct jp_process_facts *ret_facts, struct jp_error *error);
    void (*process_usage)(struct jp_process *process, struct jp_usage *ret_usage);
    /* Every process of the machine at once. The one operation that is called on a thread of its own, beside the others, unless the
     * daemon's platform says otherwise. Clear with jp_samples_clear. */
    jp_status (*sample)(struct jp_backend *backend, struct jp_samples *ret_samples, struct jp_error *error);

    /* --- for what the service enforces itself; the process was opened with JP_PROCESS_CONTROL --- */

    jp_status (*process_adjust)(struct jp_process *process, const struct jp_adjustment *adjustment, struct jp_error *error);
    /* All threads stop, or go on. Windows counts: as many thaws as freezes. JP_E_NO_PROCESS if it has exited. */
    jp_status (*process_freeze)(struct jp_process *process, bool freeze, struct jp_error *error);
    /* Asks it to end: WM_CLOSE to its windows, CTRL_BREAK to its console. JP_OK if somebody was there to be asked; JP_E_UNSUPPORTED
     * if it has neither that the service could reach (another session, no console): then only ending it is left. */
    jp_status (*process_request_stop)(struct jp_process *process, struct jp_error *error);
    bool (*process_is_debugged)(struct jp_process *process);
    /* One that no rule may ever take: the system's own (csrss, lsass, services, ...), protected ones, the service itself. */
    bool (*process_is_critical)(struct jp_process *process);
    /* True once it has ended. Just after its exit message the code may be known while this is still false. */
    bool (*process_exited)(struct jp_process *process, uint32_t *ret_exit_code);
    jp_status (*process_terminate)(struct jp_process *process, uint32_t exit_code, struct jp_error *error);
    /* Whether the process's token passes the pool's security limits (`security`: JP_SECURITY_NO_ADMIN, _RESTRICTED_TOKEN). */
    jp_status (*process_check_token)(struct jp_process *process, uint32_t security, struct jp_error *error);
    /* jp_pools_on_exit is called with `watch` once, when the process ends (or has ended already), until process_close. Again:
     * for a process that was only being made when its first watch was told. */
    jp_status (*process_watch)(struct jp_process *process, uint64_t watch, struct jp_error *error);

    /* Creates the process suspended inside the jobs; nothing of it has run. Ending it is up to the caller. */
    jp_status (*process_launch)(struct jp_backend *backend, const struct jp_launch *launch, struct jp_process **ret_process,
                                struct jp_error *error);
    jp_status (*process_resume)(struct jp_process *process, struct jp_error *error);

    /* --- the keeper: a job's name goes with its last handle, and its members would be in a job that nobody can open any more --- */

    /* Starts a process of the service's own, with its rights, outside every job. It does nothing but hold what it is given, and needs
     * nothing. When the service is gone, however it went, it lets go of each job that is or becomes empty, and ends with the last.
     * jp_pools_on_exit is called with `watch` when it ends, until keeper_close. */
    jp_status (*keeper_start)(struct jp_backend *backend, uint64_t watch, struct jp_keeper **ret_keeper, struct jp_error *error);
    void (*keeper_facts)(const struct jp_keeper *keeper, uint32_t *ret_pid, int64_t *ret_start_100ns);
    jp_status (*keeper_hold)(struct jp_keeper *keeper, struct jp_job *job, struct jp_error *error);
    void (*keeper_let_go)(struct jp_keeper *keeper, struct jp_job *job); /* before the job is closed; one that it does not hold is fine */
    /* The service's end of it: the keeper itself goes on while it holds a job that is not empty. NULL is fine. */
    void (*keeper_close)(struct jp_keeper *keeper);
    /* Ends the keeper of an earlier run, whose jobs are held anew. JP_E_NO_PROCESS if it is gone; JP_E_OTHER_PROCESS if that process is
     * not a keeper of this program. */
    jp_status (*keeper_dismiss)(struct jp_backend *backend, uint32_t pid, int64_t start_100ns, struct jp_error *error);
};

struct jp_backend {
    const struct jp_backend_ops *ops;
};

/* What a job's port said. `key` is the one given to job_open. */
struct jp_job_packet {
    uint64_t key;
    uint32_t message; /* enum jp_job_message, or a number that is new to us */
    uint32_t pid;     /* 0 where the message has none */
};

#endif
