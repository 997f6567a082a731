/* The documented rules of job objects, each a named test with its page. The bodies are written once, against `struct rules_host`:
 * the backend and what a backend has no operation for. They run on the simulated kernel (host_sim.c, in every native test run) and
 * on Windows or Wine (host_win32.c), so that the simulator and the real calls are held to the same text. */
#ifndef JP_TESTS_RULES_H
#define JP_TESTS_RULES_H

#include "job/info.h"
#include "job/job_backend.h"
#include "job/messages.h"

/* What a rule asks of its host, with the reason for which a host is passed over that does not do it. */
#define RULES_NEEDS(X)                                                                                      \
    X(LIMITS, "keeps limits, and reads them back")                                                          \
    X(TIMES, "keeps CPU time and limits on it")                                                             \
    X(MEMORY, "limits committed memory, and keeps peaks")                                                   \
    X(IO, "counts input and output of jobs (class 8)")                                                      \
    X(CHECKS, "refuses wrong flags and values of limits")                                                   \
    X(RIGHTS, "checks the access rights of a job's handle")                                                 \
    X(SECURITY, "enforces security descriptors between users")                                              \
    X(SESSIONS, "has processes in several sessions")                                                        \
    X(TOKENS, "has tokens of several users")                                                                \
    X(UI, "keeps limits on the user interface")                                                             \
    X(END_OF_JOB, "keeps the end-of-job-time action")                                                       \
    X(GROUPS, "has information classes 11 and 14")                                                          \
    X(NOTIFY, "has notification limits (classes 12, 13, 33, 34)")                                           \
    X(RATES, "controls CPU and network rates (classes 15, 32)")                                             \
    X(OVERRUN, "tells of rates that were exceeded, and a test can wait ten minutes for it")                 \
    X(USAGE, "has information class 28")                                                                    \
    X(JOB_SETS, "reads information class 10")                                                               \
    X(REATTACH, "lets a second port be associated with a job")                                              \
    X(ABNORMAL, "tells of crashes with a message of their own")                                             \
    X(NAME_DIES, "drops a job's name with its last handle")                                                 \
    X(NESTING, "forms hierarchies as Windows 8 and later do")                                               \
    X(BREAKAWAY, "lets children break away along a chain")                                                  \
    X(SLOW_END, "can be stopped in the middle of TerminateJobObject")                                       \
    X(LOSS, "can be made to lose messages")                                                                 \
    X(CRASH, "can be made to crash the owner of the handles")

enum rules_need_bit {
#define X(name, does) RULES_BIT_##name,
    RULES_NEEDS(X)
#undef X
        RULES_BITS
};
enum rules_need {
#define X(name, does) NEEDS_##name = 1 << RULES_BIT_##name,
    RULES_NEEDS(X)
#undef X
};

enum rules_who { RULES_USER, RULES_OTHER_USER, RULES_ADMIN, RULES_OTHER_SESSION, RULES_NOBODY /* only identifies itself */, RULES_WHO };

struct rules_child {
    uint32_t parent;     /* 0: nobody's child, in no job of ours */
    bool breakaway;      /* CREATE_BREAKAWAY_FROM_JOB */
    enum rules_who as;   /* with NEEDS_TOKENS or NEEDS_SESSIONS; else ignored */
    bool as_somebody;    /* `as` counts; otherwise as the test itself */
};

struct rules_host {
    const char *name;  /* for the skipped: "Wine 8.0", "the simulated kernel" */
    uint32_t can;      /* enum rules_need */
    struct jp_backend *backend; /* of this rule: between begin and end */
    const char *command_line;   /* a program that waits to be told what to do, for process_launch */
    uint64_t user_handle;       /* a USER handle of the test's desktop (NEEDS_UI) */
    void *context;

    bool (*begin)(struct rules_host *host); /* before each rule: a fresh backend, or the same with nothing left over */
    void (*end)(struct rules_host *host);   /* after each: all processes that `spawn` made are gone */

    /* Processes, by pid. What they are told to do is done when these return. */
    uint32_t (*spawn)(struct rules_host *host, const struct rules_child *child, uint32_t *ret_pid); /* 0 or CreateProcess's error */
    void (*exit)(struct rules_host *host, uint32_t pid, uint32_t exit_code);
    void (*burn)(struct rules_host *host, uint32_t pid, uint32_t user_ms); /* user-mode CPU time; it may end on the way */
    bool (*commit)(struct rules_host *host, uint32_t pid, uint64_t bytes); /* false: the allocation failed */
    void (*decommit)(struct rules_host *host, uint32_t pid, uint64_t bytes);
    void (*read)(struct rules_host *host, uint32_t pid, uint64_t bytes);
    void (*write)(struct rules_host *host, uint32_t pid, uint64_t bytes);
    void (*overrun)(struct rules_host *host, uint32_t pid, uint32_t flag, uint32_t tolerance, uint32_t interval);
    void (*ask_priority)(struct rules_host *host, uint32_t pid, uint32_t priority_class);
    void (*ask_affinity)(struct rules_host *host, uint32_t pid, uint64_t affinity);
    uint32_t (*priority)(struct rules_host *host, uint32_t pid);
    uint64_t (*affinity)(struct rules_host *host, uint32_t pid);
    void (*working_set)(struct rules_host *host, uint32_t pid, uint64_t *ret_min_bytes, uint64_t *ret_max_bytes);
    uint64_t (*machine_affinity)(struct rules_host *host);
    bool (*ended)(struct rules_host *host, uint32_t pid, uint32_t *ret_exit_code); /* waits with patience */
    bool (*alive)(struct rules_host *host, uint32_t pid);                          /* now, after a moment for what is under way */

    /* Messages. `told` waits with patience until one has come, and takes it; `count` waits for a moment and leaves them. */
    bool (*told)(struct rules_host *host, uint64_t key, uint32_t message, uint32_t pid);
    size_t (*count)(struct rules_host *host, uint64_t key, uint32_t message);

    struct jp_principal *(*principal)(struct rules_host *host, enum rules_who who); /* the host's own; until `end` */
    void (*hold)(struct rules_host *host, uint32_t pid, bool hold);                 /* somebody else keeps a handle to the process */
    void (*take_name)(struct rules_host *host, const char *name);                   /* an event of this name, until `end` */
    void (*slow_ends)(struct rules_host *host, bool slow);  /* NEEDS_SLOW_END: TerminateJobObject stays under way until told otherwise */
    void (*lose_all)(struct rules_host *host, bool lose);   /* NEEDS_LOSS */
    void (*crash)(struct rules_host *host);                 /* NEEDS_CRASH: every handle that the backend gave is closed */
};

typedef void rule_fn(struct rules_host *host);
struct rule {
    const char *name, *page; /* the page under https://learn.microsoft.com/windows/win32/ */
    const char *shows;       /* functions, classes and constants that it shows, separated by spaces */
    uint32_t needs;          /* enum rules_need */
    rule_fn *function;
};

/* Each topic's rules; ends with a NULL name. */
extern const struct rule rules_of_assign[], rules_of_nesting[], rules_of_breakaway[], rules_of_time[], rules_of_memory[], rules_of_messages[], rules_of_names[],
    rules_of_rights[], rules_of_limits[], rules_of_chains[], rules_of_ui[], rules_of_rates[], rules_of_groups[], rules_of_notify[], rules_of_accounting[],
    rules_of_ends[], rules_of_tokens[];

/* Runs all, or prints the list (`rules --list`: name, page and shows, separated by tabs). Returns main's exit code. */
int rules_main(struct rules_host *host, int argc, char **argv);
bool rules_want_list(int argc, char **argv); /* then the host need not be set up */

/* --- for the bodies. What they open is closed after the rule. --- */

bool rules_expect(bool good, const char *file, int line, const char *what);
#define EXPECT(condition, what) rules_expect((condition), __FILE__, __LINE__, (what))

/* A job of our own, whose messages come under `key`. */
struct rules_job {
    struct jp_job *job;
    uint64_t key;
    char name[96];
};
struct rules_job rules_job(struct rules_host *host);
/* The same name again, as the service would after it lost its handle, under another key. */
struct rules_job rules_job_again(struct rules_host *host, const struct rules_job *job, bool *ret_existed);
/* For others: the call's status; the handle is kept until the rule is over. `who` RULES_WHO: ourselves. */
jp_status rules_create(struct rules_host *host, enum rules_who who, const char *name, const char *sddl, struct jp_job **ret_job,
                       bool *ret_existed);
jp_status rules_open(struct rules_host *host, enum rules_who who, const char *name, uint32_t access, struct jp_job **ret_job);
void rules_close(struct rules_host *host, struct jp_job *job); /* now, not after the rule */
const char *rules_name(struct rules_host *host, const char *prefix); /* one that nobody has, valid until the rule is over */

uint32_t rules_process(struct rules_host *host);                        /* a process in no job of ours */
uint32_t rules_child(struct rules_host *host, uint32_t parent);
uint32_t rules_member(struct rules_host *host, const struct rules_job *job); /* a process that was assigned */
jp_status rules_assign(struct rules_host *host, struct jp_job *job, uint32_t pid);
bool rules_in(struct rules_host *host, struct jp_job *job, uint32_t pid); /* IsProcessInJob */

extern struct jp_error rules_error; /* of the last call that failed */
jp_status rules_set(struct rules_host *host, struct jp_job *job, const struct jp_job_info *info);
jp_status rules_query(struct rules_host *host, struct jp_job *job, enum jp_job_class class, struct jp_job_info *ret_info);
/* Must work. Lists are the caller's: jp_job_info_clear. */
struct jp_job_info rules_get(struct rules_host *host, struct jp_job *job, enum jp_job_class class);
/* Class 9 with these flags and the members that were filled in; and whether it is refused as a wrong parameter. */
jp_status rules_limit(struct rules_host *host, struct jp_job *job, struct jp_job_extended_limits limits, uint32_t flags);
bool rules_refused(jp_status status, uint32_t win32); /* it failed, with this code (0: any) */

/* Pages, without https://learn.microsoft.com/windows/win32/ */
#define PAGE_ASSIGN "api/jobapi2/nf-jobapi2-assignprocesstojobobject"
#define PAGE_CREATE "api/jobapi2/nf-jobapi2-createjobobjectw"
#define PAGE_OPEN "api/jobapi2/nf-jobapi2-openjobobjectw"
#define PAGE_QUERY "api/jobapi2/nf-jobapi2-queryinformationjobobject"
#define PAGE_SET "api/jobapi2/nf-jobapi2-setinformationjobobject"
#define PAGE_TERMINATE "api/jobapi2/nf-jobapi2-terminatejobobject"
#define PAGE_IS_IN_JOB "api/jobapi/nf-jobapi-isprocessinjob"
#define PAGE_GRANT "api/winuser/nf-winuser-userhandlegrantaccess"
#define PAGE_LAUNCH "api/processthreadsapi/nf-processthreadsapi-updateprocthreadattribute"
#define PAGE_JOBS "procthread/job-objects"
#define PAGE_NESTED "procthread/nested-jobs"
#define PAGE_RIGHTS "procthread/job-object-security-and-access-rights"
#define PAGE_PROCESS_RIGHTS "procthread/process-security-and-access-rights"
#define PAGE_CREATION_FLAGS "procthread/process-creation-flags"
#define PAGE_GROUPS "procthread/processor-groups"
#define PAGE_NAMESPACES "termserv/kernel-object-namespaces"
#define PAGE_STRUCT(name) "api/winnt/ns-winnt-jobobject_" name
#define PAGE_ACCOUNTING PAGE_STRUCT("basic_accounting_information")
#define PAGE_IO PAGE_STRUCT("basic_and_io_accounting_information")
#define PAGE_BASIC PAGE_STRUCT("basic_limit_information")
#define PAGE_EXTENDED PAGE_STRUCT("extended_limit_information")
#define PAGE_PIDS PAGE_STRUCT("basic_process_id_list")
#define PAGE_UI PAGE_STRUCT("basic_ui_restrictions")
#define PAGE_SECURITY PAGE_STRUCT("security_limit_information")
#define PAGE_END_OF_JOB PAGE_STRUCT("end_of_job_time_information")
#define PAGE_PORT PAGE_STRUCT("associate_completion_port")
#define PAGE_CPU PAGE_STRUCT("cpu_rate_control_information")
#define PAGE_NET PAGE_STRUCT("net_rate_control_information")
#define PAGE_NOTIFY PAGE_STRUCT("notification_limit_information")
#define PAGE_NOTIFY2 PAGE_STRUCT("notification_limit_information_2")
#define PAGE_VIOLATION PAGE_STRUCT("limit_violation_information")
#define PAGE_VIOLATION2 PAGE_STRUCT("limit_violation_information_2")

#define LIMIT(name) JP_JOB_OBJECT_LIMIT_##name
#define MIB (UINT64_C(1) << 20)
enum { ERROR_DENIED = 5, ERROR_PARAMETER = 87, ERROR_QUOTA = 1816 };
static inline uint64_t rules_ms(uint64_t ms) { return ms * 10000; }

#endif
