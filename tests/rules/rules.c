/* Runs the rules and prints TAP; keeps what their bodies open, so that a body that fails half-way leaves nothing behind. */
#include "rules.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

enum { OPEN_MAX = 64, NAMES_MAX = 16, FIRST_KEY = 1000 };

struct jp_error rules_error;
static struct jp_job *open_jobs[OPEN_MAX];
static size_t open_count;
static char names[NAMES_MAX][96];
static size_t name_count;
static uint64_t last_key = FIRST_KEY;
static unsigned last_name;
static bool rule_failed;

static const struct rule *const topics[] = {
    rules_of_assign, rules_of_nesting, rules_of_breakaway, rules_of_time,   rules_of_memory, rules_of_messages,
    rules_of_names,  rules_of_rights,  rules_of_limits,    rules_of_chains, rules_of_ui,     rules_of_rates,
    rules_of_groups, rules_of_notify,  rules_of_accounting, rules_of_ends,  rules_of_tokens};
enum { TOPICS = sizeof topics / sizeof *topics };

static const char *const need_texts[] = {
#define X(name, does) does,
    RULES_NEEDS(X)
#undef X
};

/* --- running --- */

bool rules_expect(bool good, const char *file, int line, const char *what) {
    if (!good) {
        const char *base = strrchr(file, '/');
        printf("# %s:%d: %s\n", base ? base + 1 : file, line, what);
        rule_failed = true;
    }
    return good;
}

static void tidy(struct rules_host *host) {
    while (open_count)
        host->backend->ops->job_close(open_jobs[--open_count]);
    name_count = 0;
}

static bool run(struct rules_host *host, const struct rule *rule, unsigned number) {
    uint32_t lacking = rule->needs & ~host->can;
    for (size_t bit = 0; lacking && bit < RULES_BITS; bit++)
        if (lacking & (1u << bit)) {
            printf("ok %u - %s # SKIP only a Windows that %s shows this: %s does not\n", number, rule->name, need_texts[bit], host->name);
            return true;
        }
    rule_failed = false;
    rules_error = (struct jp_error){0};
    if (EXPECT(host->begin(host), "the host begins")) {
        rule->function(host);
        tidy(host);
        host->end(host);
    }
    if (rule_failed && rules_error.status)
        printf("# the last error was %s: %s\n", jp_status_name(rules_error.status), rules_error.text);
    printf("%sok %u - %s\n", rule_failed ? "not " : "", number, rule->name);
    if (rule_failed)
        printf("# see https://learn.microsoft.com/windows/win32/%s\n", rule->page);
    fflush(stdout);
    return !rule_failed;
}

bool rules_want_list(int argc, char **argv) { return argc > 1 && strcmp(argv[1], "--list") == 0; }

static int list(void) {
    for (size_t topic = 0; topic < TOPICS; topic++)
        for (const struct rule *rule = topics[topic]; rule->name; rule++)
            printf("%s\thttps://learn.microsoft.com/windows/win32/%s\t%s\n", rule->name, rule->page, rule->shows);
    return 0;
}

/* Arguments are the names of the rules that are wanted; none: all. */
static bool wanted(const struct rule *rule, int argc, char **argv) {
    bool found = argc < 2;
    for (int i = 1; i < argc && !found; i++)
        found = strcmp(argv[i], rule->name) == 0;
    return found;
}

int rules_main(struct rules_host *host, int argc, char **argv) {
    unsigned number = 0, failures = 0;
    if (rules_want_list(argc, argv))
        return list();
    printf("# rules on %s\n", host->name);
    for (size_t topic = 0; topic < TOPICS; topic++)
        for (const struct rule *rule = topics[topic]; rule->name; rule++)
            if (wanted(rule, argc, argv))
                failures += !run(host, rule, ++number);
    printf("1..%u\n", number);
    return failures ? 1 : 0;
}

/* --- jobs --- */

static void keep(struct jp_job *job) {
    if (EXPECT(open_count < OPEN_MAX, "a rule opens less than 64 jobs"))
        open_jobs[open_count++] = job;
}

const char *rules_name(struct rules_host *host, const char *prefix) {
    (void)host;
    char *name = names[name_count < NAMES_MAX - 1 ? name_count++ : name_count];
    snprintf(name, sizeof names[0], "%sJobPool.rule.%u", prefix, ++last_name);
    return name;
}

static struct rules_job obtain(struct rules_host *host, const char *name, bool *ret_existed) {
    struct rules_job made = {.key = ++last_key};
    struct jp_job_obtained obtained = {0};
    snprintf(made.name, sizeof made.name, "%s", name);
    if (EXPECT(host->backend->ops->job_obtain(host->backend, made.name, made.key, &obtained, &rules_error) == JP_OK, "a job is made")) {
        made.job = obtained.job;
        keep(made.job);
    }
    if (ret_existed)
        *ret_existed = obtained.existed;
    return made;
}

struct rules_job rules_job(struct rules_host *host) { return obtain(host, rules_name(host, "Local\\"), NULL); }

struct rules_job rules_job_again(struct rules_host *host, const struct rules_job *job, bool *ret_existed) {
    return obtain(host, job->name, ret_existed);
}

static struct jp_principal *principal(struct rules_host *host, enum rules_who who) {
    return who == RULES_WHO ? NULL : host->principal(host, who);
}

jp_status rules_create(struct rules_host *host, enum rules_who who, const char *name, const char *sddl, struct jp_job **ret_job,
                       bool *ret_existed) {
    struct jp_job_naming naming = {.name = name, .security_sddl = sddl, .principal = principal(host, who)};
    jp_status status = host->backend->ops->job_create(host->backend, &naming, ret_job, ret_existed, &rules_error);
    if (status == JP_OK)
        keep(*ret_job);
    return status;
}

jp_status rules_open(struct rules_host *host, enum rules_who who, const char *name, uint32_t access, struct jp_job **ret_job) {
    struct jp_job_naming naming = {.name = name, .desired_access = access, .principal = principal(host, who)};
    jp_status status = host->backend->ops->job_open(host->backend, &naming, ret_job, &rules_error);
    if (status == JP_OK)
        keep(*ret_job);
    return status;
}

void rules_close(struct rules_host *host, struct jp_job *job) {
    for (size_t i = 0; i < open_count; i++)
        if (open_jobs[i] == job) {
            open_jobs[i] = open_jobs[--open_count];
            host->backend->ops->job_close(job);
            return;
        }
    EXPECT(false, "a job is closed once");
}

/* --- processes --- */

uint32_t rules_child(struct rules_host *host, uint32_t parent) {
    uint32_t pid = 0;
    EXPECT(host->spawn(host, &(struct rules_child){.parent = parent}, &pid) == 0, "a process is started");
    return pid;
}

uint32_t rules_process(struct rules_host *host) { return rules_child(host, 0); }

uint32_t rules_member(struct rules_host *host, const struct rules_job *job) {
    uint32_t pid = rules_process(host);
    EXPECT(rules_assign(host, job->job, pid) == JP_OK, "a process is assigned");
    return pid;
}

jp_status rules_assign(struct rules_host *host, struct jp_job *job, uint32_t pid) {
    const struct jp_backend_ops *ops = host->backend->ops;
    struct jp_process *process;
    jp_status status = ops->process_open(host->backend, pid, 0, JP_PROCESS_ASSIGN, NULL, &process, &rules_error);
    if (status)
        return status;
    status = ops->job_assign(job, process, &rules_error);
    ops->process_close(process);
    return status;
}

bool rules_in(struct rules_host *host, struct jp_job *job, uint32_t pid) {
    const struct jp_backend_ops *ops = host->backend->ops;
    struct jp_process *process;
    bool contains = false;
    if (EXPECT(ops->process_open(host->backend, pid, 0, JP_PROCESS_OBSERVE, NULL, &process, &rules_error) == JP_OK, "a process is opened")) {
        EXPECT(ops->job_contains(job, process, &contains, &rules_error) == JP_OK, "it is known whether the process is in the job");
        ops->process_close(process);
    }
    return contains;
}

/* --- information --- */

jp_status rules_set(struct rules_host *host, struct jp_job *job, const struct jp_job_info *info) {
    return host->backend->ops->job_set(job, info, &rules_error);
}

jp_status rules_query(struct rules_host *host, struct jp_job *job, enum jp_job_class class, struct jp_job_info *ret_info) {
    return host->backend->ops->job_query(job, class, ret_info, &rules_error);
}

struct jp_job_info rules_get(struct rules_host *host, struct jp_job *job, enum jp_job_class class) {
    struct jp_job_info info = {.class = class};
    EXPECT(rules_query(host, job, class, &info) == JP_OK, "the class can be read");
    return info;
}

jp_status rules_limit(struct rules_host *host, struct jp_job *job, struct jp_job_extended_limits limits, uint32_t flags) {
    limits.basic.limit_flags = flags;
    return rules_set(host, job, &(struct jp_job_info){.class = JP_JOB_ExtendedLimitInformation, .extended_limits = limits});
}

bool rules_refused(jp_status status, uint32_t win32) { return status != JP_OK && (!win32 || rules_error.win32 == win32); }
