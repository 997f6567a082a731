/* What the simulated kernel's files share. Objects (sim_job, sim_process) live as long as somebody refers to them; handles
 * (struct jp_job, struct jp_process) are what the backend gives out. */
#ifndef JP_SIM_INTERNAL_H
#define JP_SIM_INTERNAL_H

#include "base/map.h"
#include "base/str.h"
#include "job/template.h"
#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JP_SIM_MAX_CHAIN = 40, JP_SIM_MAX_GROUPS = 4, JP_SIM_CLASSES = 64 };

/* Win32 error codes that the kernel answers with. */
enum {
    WIN32_INVALID_FUNCTION = 1,
    WIN32_FILE_NOT_FOUND = 2,
    WIN32_ACCESS_DENIED = 5,
    WIN32_INVALID_HANDLE = 6,
    WIN32_INVALID_PARAMETER = 87,
    WIN32_BAD_IMPERSONATION_LEVEL = 1346,
    WIN32_NOT_ENOUGH_QUOTA = 1816,
};

/* Who may do what with a job: enough of a security descriptor for owner, administrators and everyone. */
struct sim_security {
    char owner[64];
    bool owner_trusted; /* SYSTEM or Administrators */
    uint32_t owner_access, admin_access, everyone_access;
};

struct sim_job {
    struct jp_sim *sim;
    char *name; /* "Global\\x" or "Session\\N\\x"; NULL: none (any more) */
    bool other; /* not a job at all: the name of an event, a mutex, ... */
    struct sim_security security;
    struct sim_job *parent; /* found when a process joins both */
    unsigned handles, others_handles; /* the latter are counted in the former */
    uint64_t key;                     /* where its messages go; 0: no port */
    uint32_t session;
    bool session_settled;

    struct jp_job_extended_limits limits; /* what no flag calls valid is zero */
    uint32_t ui, end_action;
    struct jp_job_cpu_rate cpu;
    struct jp_job_net_rate net;
    bool grouped, group_masked; /* by class 11, by class 14 */
    uint64_t groups[JP_SIM_MAX_GROUPS]; /* mask of each; 0: not this group */

    struct jp_job_notification_limits notify;
    uint64_t notify_time_base;
    struct jp_job_violations violations; /* since they were last asked for */
    bool violation_told;

    struct jp_job_accounting_and_io sum; /* living and ended members */
    uint64_t period_user_base, period_kernel_base;
    uint64_t memory;
    bool time_up;     /* ended by its time limit: nobody may join until the limit is set anew */
    bool terminating; /* until ... */
    uint64_t terminated_ms;
    uint32_t terminate_code;

    uint64_t *grants; /* USER handles */
    size_t grant_count;
    struct sim_process **members; /* alive, in no order */
    size_t member_count, member_room;
};

struct sim_process {
    struct jp_sim *sim;
    uint32_t pid, parent_pid, exit_code;
    int64_t start_100ns;
    size_t row, fate; /* in sim->processes and sim->fates */
    struct jp_principal token;
    char *image, *folder, *command_line;
    struct jp_launch_files files;
    char *opened_as; /* who opened them and the program, of one that the service launched */
    unsigned handles;         /* the service's, others' and the kernel's own for a moment */
    unsigned others_handles;  /* see jp_sim_let_go; counted above */
    bool alive, suspended, protected, unborn;
    struct sim_job *chain[JP_SIM_MAX_CHAIN]; /* innermost last; empty once it has ended */
    size_t places[JP_SIM_MAX_CHAIN]; /* among the members of each of these */
    size_t depth;
    struct sim_job *refused_by; /* counts it until nobody holds it any more */

    struct jp_usage usage;
    uint64_t commit;
    uint32_t priority;
    uint64_t affinity, min_working_set, max_working_set; /* as it asked for them */
    bool asked_affinity;
    uint64_t paged_out;
    unsigned frozen, asked;
    bool critical, debugged, no_error_dialogs;
    bool listens, obeying; /* it was told by jp_sim_obeys; it was asked, and ends at ... */
    uint64_t obeys_after_ms, obeyed_ms; /* the latter awake */
    uint32_t obeys_code;
    struct sim_keeper *keeper; /* what it holds; NULL: it is no keeper */
};

enum { SIM_MAY_ASSIGN = 1, SIM_MAY_TERMINATE = 2, SIM_MAY_CONTROL = 4 };
struct jp_process { /* a handle */
    struct jp_sim *sim;
    struct sim_process *process; /* NULL: the handle died with its owner */
    struct jp_process *next, *previous;
    unsigned rights; /* SIM_MAY_* */
    uint64_t watch;
};

struct jp_job { /* a handle */
    struct jp_sim *sim;
    struct sim_job *job; /* NULL: the handle died with its owner */
    struct jp_job *next, *previous;
    uint32_t access;
};

struct sim_failure {
    char operation[48]; /* empty: any */
    uint32_t win32;
    unsigned per_mille; /* 0: once */
};

struct jp_sim {
    struct jp_backend backend; /* first: the backend's pointer is ours */
    struct jp_capabilities host;
    uint64_t now_ms, slept_ms, born, random;
    int64_t clock_shift_ms;
    uint64_t idle_thaws, samples;
    size_t obeying; /* processes that were asked to end, and will */
    struct jp_principal service;
    _Atomic bool service_dead; /* until somebody asks for the backend again */

    struct jp_map by_pid;
    struct sim_process **processes; /* alive or held */
    size_t process_count, process_room;
    struct jp_sim_fate *fates;
    size_t fate_count, fate_room;
    struct sim_job **jobs;
    size_t job_count, job_room;
    struct jp_process *process_handles, *dead_process_handles;
    struct jp_job *job_handles, *dead_job_handles;
    struct jp_principal **principals;
    size_t principal_count;
    size_t descriptors; /* that are not freed */

    uint32_t next_pid, freed_pid;
    bool reuse_pids;
    struct jp_sim_item *queue;
    size_t queued, capacity;
    void (*posted)(void *context);
    void *posted_context;

    struct sim_failure *failures;
    size_t failure_count;
    struct jp_sim_weather weather;
    bool deaf, names_die, port_once;
    bool no_abnormal;     /* crashes arrive as EXIT_PROCESS */
    bool tells_no_limits; /* reads them back as 0, also those that it keeps */
    uint64_t slow_ends_ms;
    uint64_t group_masks[JP_SIM_MAX_GROUPS];
    size_t group_count;
    uint32_t forgotten;
    uint32_t query_error[JP_SIM_CLASSES], set_error[JP_SIM_CLASSES]; /* 0: the class is there */
};

/* --- kernel.c: the clock, chance, faults, the queue --- */
struct jp_sim *jp__sim(struct jp_backend *backend);
bool jp__fails(struct jp_sim *sim, const char *operation, struct jp_error *error);
jp_status jp__status_of(uint32_t win32);
void jp__post(struct jp_sim *sim, uint64_t key, uint32_t message, uint32_t pid);
void jp__post_chain(const struct sim_job *job, uint32_t message, uint32_t pid); /* to its port and those of its parents */

/* --- sim_names.c: names, security, handles of jobs --- */
struct sim_job *jp__find_job(const struct jp_sim *sim, const char *name, uint32_t session);
struct sim_job *jp__known_job(const struct jp_sim *sim, const char *name); /* as the service writes it; NULL: none */
void jp__free_job(struct sim_job *job);
void jp__drop_job_handle(struct sim_job *job);
uint32_t jp__check_handle(const struct jp_job *handle, uint32_t access);   /* 0 or the Win32 error */
jp_status jp__job_obtain(struct jp_backend *, const char *, uint64_t, struct jp_job_obtained *, struct jp_error *);
jp_status jp__job_create(struct jp_backend *, const struct jp_job_naming *, struct jp_job **, bool *, struct jp_error *);
jp_status jp__job_open(struct jp_backend *, const struct jp_job_naming *, struct jp_job **, struct jp_error *);
void jp__job_close(struct jp_job *);

/* --- sim_jobs.c: membership, ends --- */
bool jp__in_job(const struct sim_process *process, const struct sim_job *job);
struct sim_job *jp__immediate(const struct sim_process *process);
void jp__enter(struct sim_process *process, struct sim_job *job);
uint32_t jp__room(struct sim_job *job); /* 0, or why nobody may be added: 5 or 1816; tells of a full job */
void jp__end(struct sim_process *process, uint32_t exit_code, enum jp_sim_end end);
void jp__end_all(struct sim_job *job, uint32_t exit_code, enum jp_sim_end end);
void jp__finish_terminations(struct jp_sim *sim);
uint64_t jp__next_termination_ms(const struct jp_sim *sim); /* UINT64_MAX: none is under way */
jp_status jp__job_assign(struct jp_job *, struct jp_process *, struct jp_error *);
jp_status jp__job_terminate(struct jp_job *, uint32_t, struct jp_error *);
jp_status jp__job_contains(struct jp_job *, struct jp_process *, bool *, struct jp_error *);
jp_status jp__job_grant_user_handle(struct jp_job *, uint64_t, bool, struct jp_principal *, struct jp_error *);
uint32_t jp__check_chain(struct sim_process *process, struct jp_job *const *chain, size_t length);

/* --- sim_limits.c: classes 2 and 9, what holds in a chain --- */
uint32_t jp__set_limits(struct sim_job *job, enum jp_job_class class, const struct jp_job_extended_limits *limits);
void jp__effective(const struct sim_process *process, struct jp_job_extended_limits *ret_limits);

bool jp__priority_valid(uint32_t priority_class);

/* --- sim_classes.c: the other classes --- */
jp_status jp__job_query(struct jp_job *, enum jp_job_class, struct jp_job_info *, struct jp_error *);
jp_status jp__job_set(struct jp_job *, const struct jp_job_info *, struct jp_error *);
void jp__accounting(const struct sim_job *job, struct jp_job_accounting_and_io *ret_accounting);

/* --- sim_work.c: what processes use, and the limits on it --- */
void jp__enforce_times(struct sim_process *process); /* may end it, and others */
void jp__exceeded(struct sim_job *job, uint32_t flags, uint32_t pid); /* notification limits */
void jp__account_join(struct sim_process *process, struct sim_job *job);
void jp__account_end(struct sim_process *process);

/* --- sim_processes.c --- */
struct sim_process *jp__find(const struct jp_sim *sim, uint32_t pid);
struct sim_process *jp__known(const struct jp_sim *sim, uint32_t pid); /* a test that names one that is not there is wrong */
struct sim_process *jp__new_process(struct jp_sim *sim, uint32_t parent, const char *image, const struct jp_principal *token);
struct jp_process *jp__process_handle(struct sim_process *process, unsigned rights); /* one that the service gets */
void jp__release(struct sim_process *process); /* one handle less */
void jp__gone(struct sim_process *process);    /* ended or let go: the row goes when both are so */
jp_status jp__process_open(struct jp_backend *, uint32_t, int64_t, enum jp_process_use, struct jp_principal *, struct jp_process **,
                           struct jp_error *);
void jp__process_close(struct jp_process *);
jp_status jp__process_facts(struct jp_process *, struct jp_process_facts *, struct jp_error *);
void jp__process_usage(struct jp_process *, struct jp_usage *);
bool jp__process_exited(struct jp_process *, uint32_t *);
jp_status jp__process_terminate(struct jp_process *, uint32_t, struct jp_error *);
jp_status jp__process_watch(struct jp_process *, uint64_t, struct jp_error *);
jp_status jp__process_launch(struct jp_backend *, const struct jp_launch *, struct jp_process **, struct jp_error *);
jp_status jp__process_resume(struct jp_process *, struct jp_error *);
void jp__tell_watches(struct sim_process *process);
jp_status jp__dead_handle(struct jp_error *error, const char *operation);
void jp__free_process(struct sim_process *process);

/* --- sim_control.c: what the service does to members itself --- */
jp_status jp__sample(struct jp_backend *, struct jp_samples *, struct jp_error *);
jp_status jp__process_adjust(struct jp_process *, const struct jp_adjustment *, struct jp_error *);
jp_status jp__process_freeze(struct jp_process *, bool, struct jp_error *);
jp_status jp__process_request_stop(struct jp_process *, struct jp_error *);
bool jp__process_is_debugged(struct jp_process *);
bool jp__process_is_critical(struct jp_process *);
void jp__end_obedient(struct jp_sim *sim); /* whose time has come */
void jp__no_longer_obeys(struct sim_process *process);

/* --- sim_keeper.c --- */
void jp__keeper_ended(struct sim_process *process); /* lets go of its jobs; of any process */
void jp__keeper_free(struct sim_keeper *keeper);    /* NULL is fine */
bool jp__keeper_serves(const struct sim_process *process); /* it is one, and its service lives */
void jp__leave_keepers_alone(struct jp_sim *sim);   /* the service is gone */
void jp__keepers_look(struct jp_sim *sim);          /* those that are alone let go of what is empty */
jp_status jp__keeper_start(struct jp_backend *, uint64_t, struct jp_keeper **, struct jp_error *);
void jp__keeper_facts(const struct jp_keeper *, uint32_t *, int64_t *);
jp_status jp__keeper_hold(struct jp_keeper *, struct jp_job *, struct jp_error *);
void jp__keeper_let_go(struct jp_keeper *, struct jp_job *);
void jp__keeper_close(struct jp_keeper *);
jp_status jp__keeper_dismiss(struct jp_backend *, uint32_t, int64_t, struct jp_error *);

/* --- sim_tokens.c --- */
const struct jp_principal *jp__who(const struct jp_sim *sim, const struct jp_principal *principal); /* never NULL: the service's */
bool jp__may_open(const struct jp_sim *sim, const struct jp_principal *principal, const struct sim_process *process);
jp_status jp__process_check_token(struct jp_process *, uint32_t, struct jp_error *);
jp_status jp__token_of_process(struct jp_backend *, uint32_t, struct jp_principal *, struct jp_principal **, struct jp_error *);
jp_status jp__token_of_account(struct jp_backend *, enum jp_token_account, struct jp_principal **, struct jp_error *);
void jp__token_free(struct jp_backend *, struct jp_principal *);
uint32_t jp__session_of(struct jp_backend *, const struct jp_principal *);
void jp__filter_token(struct jp_principal *token, const struct jp_token_filter *filter);

/* --- sim_access.c: descriptors, and who has what by them --- */
void jp__sid_of_name(const char *name, char *sid, size_t room); /* of an account or group, whether there is one or not */
char *jp__account_sid(struct jp_backend *, const char *);
jp_status jp__descriptor_new(struct jp_backend *, const char *, bool, struct jp_descriptor **, struct jp_error *);
void jp__descriptor_free(struct jp_descriptor *);
uint32_t jp__descriptor_rights(const struct jp_descriptor *, const struct jp_principal *);

#endif
