/* A kernel of job objects in plain C, with its own clock, processes, sessions and tokens: the backend under the tests of what
 * lies above it. It keeps Windows' documented rules; tests/rules/ has each of them by name, with its page.
 *
 * Messages and ends of watched processes wait in a queue (the service's completion port) until they are delivered or taken;
 * before that a test can lose, double, delay or reorder them. Everything random comes from jp_sim_seed. Nothing here is for
 * more than one thread.
 *
 * A new kernel is one Windows with one processor group of eight processors; the service is SYSTEM in session 1; what is
 * spawned is "SIM\\user" in session 1. A job's name lives as long as its processes (see jp_sim_names_die). */
#ifndef JP_SIM_KERNEL_H
#define JP_SIM_KERNEL_H

#include "job/messages.h"
#include "job/template.h"
#include "pool/pools.h"

struct jp_sim;

enum { JP_SIM_SERVICE_PID = 4 };

/* In the queue between kernel and pools: a job's packet, or (message 0) the end of the watch `key`. */
struct jp_sim_item {
    uint64_t key;
    uint32_t message, pid;
    uint64_t due_ms; /* delivered from then on; 0: at once. Items behind it do not wait for it */
};

struct jp_sim *jp_sim_new(void);
void jp_sim_free(struct jp_sim *sim); /* all handles must have been closed: it is an error (abort) if one was leaked */
struct jp_backend *jp_sim_backend(struct jp_sim *sim);
struct jp_capabilities *jp_sim_capabilities(struct jp_sim *sim); /* what the backend says of itself; may be changed */

/* --- the clock --- */

uint64_t jp_sim_now_ms(const struct jp_sim *sim);   /* with the time that the machine slept */
uint64_t jp_sim_awake_ms(const struct jp_sim *sim); /* without it */
int64_t jp_sim_now_100ns(const struct jp_sim *sim); /* the wall clock */
void jp_sim_pass(struct jp_sim *sim, uint64_t ms);
void jp_sim_sleep(struct jp_sim *sim, uint64_t ms);     /* the machine does, with all that is on it */
void jp_sim_shift_clock(struct jp_sim *sim, int64_t ms); /* somebody sets the wall clock */
/* When something happens by itself next, if the machine stays awake; UINT64_MAX: nothing will. Messages: jp_sim_next_due_ms. */
uint64_t jp_sim_next_stir_ms(const struct jp_sim *sim);

/* --- who: tokens, as the backend's principals --- */

enum jp_sim_level { JP_SIM_IMPERSONATE, JP_SIM_IDENTIFY }; /* IDENTIFY: may be asked about, not acted as */

struct jp_principal {
    char user[64];     /* "SIM\\user", "NT AUTHORITY\\SYSTEM", ... */
    uint32_t session;
    bool admin;        /* Administrators is among its groups, enabled */
    bool only_denies;  /* ... among those that only deny (what UAC leaves of it) */
    bool restricted;   /* has restricting SIDs */
    bool elevated;
    enum jp_sim_level level;
    bool system;       /* SYSTEM itself */
    bool service;      /* a service account or a batch job: not logged on at the machine, nor from the network */
    bool network;      /* came over the network */
    char sid[64];      /* of `user`; empty: jp_sim_principal_new makes one of the name */
    char groups[256];  /* further groups by name or SID, with commas between */
    /* How a launch's filter changed it. */
    uint32_t disabled_sids, deleted_privileges, restricted_sids;
};

/* Copies, which the kernel knows: it acts for a principal that it was not given by these (or by token_of_*) as for the service.
 * jp_sim_free says which were not freed. jp_sim_user and jp_sim_admin make the two common ones. */
struct jp_principal *jp_sim_principal_new(struct jp_sim *sim, const struct jp_principal *like);
struct jp_principal *jp_sim_user(struct jp_sim *sim, const char *name, uint32_t session);
struct jp_principal *jp_sim_admin(struct jp_sim *sim, const char *name, uint32_t session);
void jp_sim_principal_free(struct jp_sim *sim, struct jp_principal *principal); /* NULL is fine */
void jp_sim_service_session(struct jp_sim *sim, uint32_t session);             /* before the first job */

/* --- processes --- */

/* `parent` 0: nobody's child, in no job. A child has its parent's session, token and jobs. "admin.exe" is an administrator's. */
uint32_t jp_sim_spawn(struct jp_sim *sim, uint32_t parent, const char *image);

struct jp_sim_child {
    uint32_t parent; /* 0: nobody's child */
    const char *image;
    const char *folder;              /* NULL: "C:\\sim" */
    const char *command_line;        /* NULL: the image */
    bool breakaway;                  /* CREATE_BREAKAWAY_FROM_JOB */
    bool suspended;
    const struct jp_principal *token; /* any, copied; NULL: the parent's, or SIM\user in session 1 */
    bool held;                       /* somebody (not the service) keeps a handle to it: see jp_sim_let_go */
};
/* 0 and the pid, or the Win32 error of CreateProcess: 5 (may not break away), 1816 (a job of the chain is full or its time
 * used up). */
uint32_t jp_sim_spawn_child(struct jp_sim *sim, const struct jp_sim_child *child, uint32_t *ret_pid);

void jp_sim_exit(struct jp_sim *sim, uint32_t pid, uint32_t exit_code);
bool jp_sim_alive(const struct jp_sim *sim, uint32_t pid);
bool jp_sim_suspended(const struct jp_sim *sim, uint32_t pid);
int64_t jp_sim_start_time(const struct jp_sim *sim, uint32_t pid);
/* Spawned as a process without a thread: its handle is signalled, its facts are not all there (Wine). */
uint32_t jp_sim_spawn_unborn(struct jp_sim *sim, uint32_t parent, const char *image);
void jp_sim_bear(struct jp_sim *sim, uint32_t pid);
void jp_sim_protect(struct jp_sim *sim, uint32_t pid); /* nobody may open it, or control it by a handle that is there already */
void jp_sim_critical(struct jp_sim *sim, uint32_t pid); /* one of the system's own */
void jp_sim_debug(struct jp_sim *sim, uint32_t pid, bool debugged);
/* Asked to end, it does so after that many (waking) milliseconds with this code; JP_SIM_NEVER: it does not listen. Without this
 * there is nobody to ask: no window, no console. One that is frozen answers when it is thawed. Children are not like it. */
#define JP_SIM_NEVER UINT64_MAX
void jp_sim_obeys(struct jp_sim *sim, uint32_t pid, uint64_t after_ms, uint32_t exit_code);
void jp_sim_next_pid(struct jp_sim *sim, uint32_t pid); /* the next process gets this one */
void jp_sim_let_go(struct jp_sim *sim, uint32_t pid);   /* the other holder closes its handle */

/* What processes do. Limits are looked at on the spot; a process may have ended when these return. A frozen one uses no time and
 * takes no memory. */
bool jp_sim_grow_usage(struct jp_sim *sim, uint32_t pid, uint64_t user_100ns); /* user-mode CPU time; false: it is frozen */
bool jp_sim_grow_kernel(struct jp_sim *sim, uint32_t pid, uint64_t kernel_100ns);
bool jp_sim_commit(struct jp_sim *sim, uint32_t pid, uint64_t bytes);  /* false: the allocation failed at a limit, or it is frozen */
void jp_sim_decommit(struct jp_sim *sim, uint32_t pid, uint64_t bytes); /* at most what it has */
void jp_sim_page_out(struct jp_sim *sim, uint32_t pid, uint64_t bytes); /* so much of what it has committed is not in its working set */
void jp_sim_read(struct jp_sim *sim, uint32_t pid, uint64_t bytes);    /* one read */
void jp_sim_write(struct jp_sim *sim, uint32_t pid, uint64_t bytes);
/* For the whole of the interval the process's job was over its rate for that share of the time (enum jp_job_tolerance and
 * jp_job_tolerance_interval). `flag`: JP_JOB_OBJECT_LIMIT_CPU_RATE_CONTROL, _IO_RATE_CONTROL or _NET_RATE_CONTROL. */
void jp_sim_overrun(struct jp_sim *sim, uint32_t pid, uint32_t flag, uint32_t tolerance, uint32_t interval);
/* The process asks for these itself; Windows lets it within its jobs' limits, and ignores it silently beyond. */
void jp_sim_ask_priority(struct jp_sim *sim, uint32_t pid, uint32_t priority_class);
void jp_sim_ask_affinity(struct jp_sim *sim, uint32_t pid, uint64_t affinity);
void jp_sim_ask_working_set(struct jp_sim *sim, uint32_t pid, uint64_t min_bytes, uint64_t max_bytes);

/* --- the truth, for tests --- */

/* A job's name as the service would write it: "Global\\x", "Local\\x", "Session\\2\\x", or plain. */
size_t jp_sim_job_size(const struct jp_sim *sim, const char *object_name); /* living processes; SIZE_MAX: no such job */
/* Living processes of the job and its child jobs: fills `pids` up to `room`, returns how many there are; SIZE_MAX: no such job. */
size_t jp_sim_job_pids(const struct jp_sim *sim, const char *object_name, uint32_t *pids, size_t room);
bool jp_sim_in_job(const struct jp_sim *sim, uint32_t pid, const char *object_name);
/* Class 1, 8 and 9 of the job, whoever may read them. False: no such job. */
bool jp_sim_job_accounting(const struct jp_sim *sim, const char *object_name, struct jp_job_accounting_and_io *ret_accounting);
bool jp_sim_job_limits(const struct jp_sim *sim, const char *object_name, struct jp_job_extended_limits *ret_limits);
uint32_t jp_sim_job_ui(const struct jp_sim *sim, const char *object_name);
size_t jp_sim_grants(const struct jp_sim *sim, const char *object_name); /* USER handles granted and not taken back */

enum jp_sim_end {
    JP_SIM_ALIVE,
    JP_SIM_EXITED,        /* by itself: jp_sim_exit */
    JP_SIM_TERMINATED,    /* process_terminate */
    JP_SIM_JOB_ENDED,     /* job_terminate */
    JP_SIM_JOB_CLOSED,    /* kill-on-close */
    JP_SIM_JOB_TIME_UP,
    JP_SIM_PROCESS_TIME_UP,
    JP_SIM_REFUSED,       /* assigned to a full job, or to one whose time is used up */
};
struct jp_sim_fate { /* kept for every process that there ever was */
    uint32_t pid;
    int64_t start_100ns;
    enum jp_sim_end end;
    uint32_t exit_code;
    bool was_in_job;
};
/* By pid and start time; `start_100ns` 0: the youngest of that pid. False: there never was one. */
bool jp_sim_fate(const struct jp_sim *sim, uint32_t pid, int64_t start_100ns, struct jp_sim_fate *ret_fate);
const struct jp_sim_fate *jp_sim_fates(const struct jp_sim *sim, size_t *ret_count); /* in order of birth */

const struct jp_principal *jp_sim_token(const struct jp_sim *sim, uint32_t pid); /* that it runs with */
const struct jp_launch_files *jp_sim_files(const struct jp_sim *sim, uint32_t pid); /* that the service launched it with */
const char *jp_sim_opened_as(const struct jp_sim *sim, uint32_t pid); /* who opened those, and its program; NULL: not launched by the service */
uint64_t jp_sim_user_time(const struct jp_sim *sim, uint32_t pid);
/* What holds for a process by all its jobs: the members that a flag of `basic.limit_flags` calls valid. */
void jp_sim_effective(const struct jp_sim *sim, uint32_t pid, struct jp_job_extended_limits *ret_limits);
uint32_t jp_sim_priority(const struct jp_sim *sim, uint32_t pid);
uint64_t jp_sim_affinity(const struct jp_sim *sim, uint32_t pid);
void jp_sim_working_set(const struct jp_sim *sim, uint32_t pid, uint64_t *ret_min_bytes, uint64_t *ret_max_bytes);
unsigned jp_sim_held(const struct jp_sim *sim, uint32_t pid);   /* by how many handles */
unsigned jp_sim_frozen(const struct jp_sim *sim, uint32_t pid); /* how often it was frozen and not thawed */
bool jp_sim_error_mode(const struct jp_sim *sim, uint32_t pid); /* it runs, and its children will, without error dialogs */
unsigned jp_sim_asked(const struct jp_sim *sim, uint32_t pid);  /* how often it was asked to end */
/* Since the machine was made: thaws of what nobody had frozen (they let run what somebody else suspended), and samples. */
uint64_t jp_sim_idle_thaws(const struct jp_sim *sim);
uint64_t jp_sim_sample_count(const struct jp_sim *sim);

/* Keepers: processes of the service's own, which a crash leaves alone. Without their service they let go of empty jobs in jp_sim_pass. To
 * kill one: jp_sim_exit. */
size_t jp_sim_keepers(const struct jp_sim *sim, uint32_t *pids, size_t room); /* fills up to `room`, returns how many live */
/* The names of the jobs that it holds, which are the kernel's; NULL for a job without one. Returns how many it holds. */
size_t jp_sim_kept_jobs(const struct jp_sim *sim, uint32_t keeper_pid, const char **names, size_t room);

/* --- others on the machine --- */

void jp_sim_squat(struct jp_sim *sim, const char *object_name);          /* a user owns a job of this name, and holds it */
void jp_sim_take_name(struct jp_sim *sim, const char *object_name);      /* something that is not a job has this name */
void jp_sim_hold_job(struct jp_sim *sim, const char *object_name, bool hold); /* another program opens (closes) the job */

/* --- what this Windows is like --- */

void jp_sim_names_die(struct jp_sim *sim); /* a job's name goes with its last handle (Windows); else with its last process (Wine) */
void jp_sim_groups(struct jp_sim *sim, const uint64_t *masks, size_t count); /* processor groups; at most 4 */
void jp_sim_lack_class(struct jp_sim *sim, enum jp_job_class class);         /* query and set: 87 */
/* Accepted, read back as 0, not kept (Wine); the capabilities say so of those that they have. */
void jp_sim_forget_limits(struct jp_sim *sim, uint32_t limit_flags);
void jp_sim_like_wine(struct jp_sim *sim); /* all of what wine.md lists; the capabilities say so too */

/* --- faults --- */

void jp_sim_seed(struct jp_sim *sim, uint64_t seed);
uint64_t jp_sim_random(struct jp_sim *sim, uint64_t below); /* of the same generator, for tests that want no other */

/* Operations: "CreateJobObject", "OpenJobObject", "SetInformationJobObject", "QueryInformationJobObject",
 * "AssignProcessToJobObject", "TerminateJobObject", "IsProcessInJob", "UserHandleGrantAccess", "OpenProcess",
 * "OpenProcessToken", "LogonUser", "CreateFile" (of a launch), "TerminateProcess", "RegisterWaitForSingleObject", "CreateProcess", "ResumeThread",
 * "NtQuerySystemInformation", "SetPriorityClass", "SetProcessAffinityMask", "SetProcessWorkingSetSizeEx", "NtSuspendProcess",
 * "NtResumeProcess", "PostMessage" (asking to end), "CreateKeeper", "DuplicateHandle" (into the keeper). The call fails with JP_E_SYSTEM and does nothing; "CheckRemoteDebuggerPresent" and
 * "NtQueryInformationProcess" (critical) have no other way to fail than to say yes. */
void jp_sim_fail_next(struct jp_sim *sim, const char *operation, uint32_t win32); /* once; several may wait */
/* Each call of the operation (NULL: of any) fails so often, until it is set to 0. */
void jp_sim_fail_often(struct jp_sim *sim, const char *operation, uint32_t win32, unsigned per_mille);

/* What happens to messages on their way. Notification limits (message 11) are never lost, as Windows promises; ends of
 * watched processes (message 0) only come later. */
struct jp_sim_weather {
    unsigned lose_per_mille, double_per_mille, delay_per_mille, swap_per_mille; /* swap: with the one before it */
    uint64_t delay_ms;                                                          /* at most */
};
void jp_sim_weather(struct jp_sim *sim, const struct jp_sim_weather *weather); /* NULL: fine weather */

void jp_sim_deaf(struct jp_sim *sim, bool deaf);           /* ports cannot be attached */
void jp_sim_reuse_pids(struct jp_sim *sim, bool at_once);  /* a freed pid is the next one given out */
void jp_sim_slow_ends(struct jp_sim *sim, uint64_t ms);    /* TerminateJobObject takes so long: the job is terminating meanwhile */

/* The service's process dies: every handle that the backend gave out is closed (kill-on-close included), its port and the queue
 * are gone. The dead handles may still be closed by whoever has them; every other call on them fails (6), and so does whatever the
 * backend is asked for until jp_sim_backend gives it out to the next service. */
void jp_sim_crash(struct jp_sim *sim);
/* Only that nothing is done any more that the service asks for; its handles are closed as it closes them. From any thread. */
void jp_sim_silence(struct jp_sim *sim);

/* --- the queue --- */

struct jp_sim_item *jp_sim_queue(struct jp_sim *sim, size_t *ret_count);          /* to look at and to change */
void jp_sim_queue_set(struct jp_sim *sim, const struct jp_sim_item *items, size_t count);
void jp_sim_queue_drop(struct jp_sim *sim, uint32_t message); /* loses every packet of this kind that waits */
void jp_sim_queue_push(struct jp_sim *sim, const struct jp_sim_item *item); /* a forged one, or one again; at the end */

void jp_sim_deliver(struct jp_sim *sim, struct jp_pools *pools); /* everything that is due, in order */
/* For who has a loop and an inbox of his own: takes what is due, in order, up to `room`. */
size_t jp_sim_take(struct jp_sim *sim, struct jp_sim_item *items, size_t room);
size_t jp_sim_due(const struct jp_sim *sim);         /* how many wait and are due */
uint64_t jp_sim_next_due_ms(const struct jp_sim *sim); /* when the next one is; UINT64_MAX: none waits */
/* Called at each item that is put into the queue, from within the call that caused it: to wake a loop, not to act. */
void jp_sim_on_post(struct jp_sim *sim, void (*posted)(void *context), void *context);

#endif
