/* The limit that holds in a chain of jobs. */
#include "rules.h"

/* A process in `parent` and in `child` below it. */
static uint32_t chained(struct rules_host *host, struct rules_job *parent, struct rules_job *child) {
    *parent = rules_job(host);
    *child = rules_job(host);
    uint32_t pid = rules_member(host, parent);
    EXPECT(rules_assign(host, child->job, pid) == JP_OK, "a chain of two");
    return pid;
}

static void limit_both(struct rules_host *host, const struct rules_job *parent, const struct jp_job_extended_limits *above,
                       const struct rules_job *child, const struct jp_job_extended_limits *below, uint32_t flags) {
    EXPECT(rules_limit(host, parent->job, *above, flags) == JP_OK && rules_limit(host, child->job, *below, flags) == JP_OK, "both are limited");
}

static void the_lowest_priority_class_holds(struct rules_host *host) {
    struct jp_job_extended_limits normal = {.basic.priority_class = JP_JOB_NORMAL_PRIORITY_CLASS};
    struct jp_job_extended_limits above = {.basic.priority_class = JP_JOB_ABOVE_NORMAL_PRIORITY_CLASS};
    struct jp_job_extended_limits below = {.basic.priority_class = JP_JOB_BELOW_NORMAL_PRIORITY_CLASS};
    struct rules_job parent, child;
    uint32_t pid = chained(host, &parent, &child);
    limit_both(host, &parent, &normal, &child, &above, LIMIT(PRIORITY_CLASS));
    EXPECT(host->priority(host, pid) == JP_JOB_NORMAL_PRIORITY_CLASS, "the parent's, where the child's is higher");
    limit_both(host, &parent, &normal, &child, &below, LIMIT(PRIORITY_CLASS));
    EXPECT(host->priority(host, pid) == JP_JOB_BELOW_NORMAL_PRIORITY_CLASS, "the child's, where it is lower");
}

static void the_affinity_of_a_child_is_a_subset(struct rules_host *host) {
    uint64_t machine = host->machine_affinity(host), one = machine & (~machine + 1);
    struct jp_job_extended_limits all = {.basic.affinity = machine}, single = {.basic.affinity = one};
    struct rules_job parent, child;
    uint32_t pid = chained(host, &parent, &child);
    limit_both(host, &parent, &all, &child, &single, LIMIT(AFFINITY));
    EXPECT(host->affinity(host, pid) == one, "a subset holds");
    limit_both(host, &parent, &single, &child, &all, LIMIT(AFFINITY));
    EXPECT(host->affinity(host, pid) == one, "a superset is ignored: the parent's holds");
}

static void the_smallest_working_set_holds(struct rules_host *host) {
    struct jp_job_extended_limits small = {.basic = {.minimum_working_set_bytes = 1 * MIB, .maximum_working_set_bytes = 8 * MIB}};
    struct jp_job_extended_limits large = {.basic = {.minimum_working_set_bytes = 2 * MIB, .maximum_working_set_bytes = 64 * MIB}};
    struct rules_job parent, child;
    uint64_t least, most;
    uint32_t pid = chained(host, &parent, &child);
    limit_both(host, &parent, &small, &child, &large, LIMIT(WORKINGSET));
    host->working_set(host, pid, &least, &most);
    EXPECT(least == 1 * MIB && most == 8 * MIB, "the parent's, which is smaller");
}

static void the_least_process_time_holds(struct rules_host *host) {
    struct jp_job_extended_limits little = {.basic.per_process_user_time_limit_100ns = rules_ms(300)};
    struct jp_job_extended_limits much = {.basic.per_process_user_time_limit_100ns = rules_ms(60000)};
    struct rules_job parent, child;
    uint32_t pid = chained(host, &parent, &child), code;
    limit_both(host, &parent, &little, &child, &much, LIMIT(PROCESS_TIME));
    host->burn(host, pid, 600);
    EXPECT(host->ended(host, pid, &code) && code == ERROR_QUOTA, "the parent's");
    EXPECT(host->told(host, parent.key, JP_MSG_END_OF_PROCESS_TIME, pid), "whose port is told");
}

static void the_least_memory_limit_holds(struct rules_host *host) {
    struct jp_job_extended_limits little = {.process_memory_limit_bytes = 100 * MIB}, much = {.process_memory_limit_bytes = 1000 * MIB};
    struct rules_job parent, child;
    uint32_t pid = chained(host, &parent, &child);
    limit_both(host, &parent, &little, &child, &much, LIMIT(PROCESS_MEMORY));
    EXPECT(!host->commit(host, pid, 200 * MIB), "of each process: the parent's");
    struct jp_job_extended_limits job_little = {.job_memory_limit_bytes = 100 * MIB}, job_much = {.job_memory_limit_bytes = 1000 * MIB};
    limit_both(host, &parent, &job_much, &child, &job_little, LIMIT(JOB_MEMORY));
    EXPECT(!host->commit(host, pid, 200 * MIB), "of the job: the child's");
    limit_both(host, &parent, &job_much, &child, &job_much, LIMIT(JOB_MEMORY));
    EXPECT(host->commit(host, pid, 200 * MIB), "with room in both it is given");
}

static void a_parents_process_limit_counts_the_child_jobs(struct rules_host *host) {
    struct rules_job parent, child;
    uint32_t pid = chained(host, &parent, &child), born = 0;
    EXPECT(rules_limit(host, parent.job, (struct jp_job_extended_limits){.basic.active_process_limit = 1}, LIMIT(ACTIVE_PROCESS)) == JP_OK,
           "one process in the parent");
    EXPECT(host->spawn(host, &(struct rules_child){.parent = pid}, &born) != 0, "a second in its child job is one too many");
    EXPECT(host->told(host, parent.key, JP_MSG_ACTIVE_PROCESS_LIMIT, 0), "the parent's port is told");
}

static void job_time_of_a_parent_counts_the_child_jobs(struct rules_host *host) {
    struct rules_job parent, child;
    uint32_t pid = chained(host, &parent, &child), code;
    EXPECT(rules_limit(host, parent.job, (struct jp_job_extended_limits){.basic.per_job_user_time_limit_100ns = rules_ms(300)}, LIMIT(JOB_TIME)) ==
               JP_OK, "a job time of the parent");
    host->burn(host, pid, 600);
    EXPECT(host->ended(host, pid, &code) && code == ERROR_QUOTA, "is used up by the child job");
}

static void processes_cannot_change_what_the_job_sets(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint64_t machine = host->machine_affinity(host), one = machine & (~machine + 1);
    uint32_t pid = rules_member(host, &job);
    struct jp_job_extended_limits limits = {.basic = {.priority_class = JP_JOB_BELOW_NORMAL_PRIORITY_CLASS, .affinity = one}};
    EXPECT(rules_limit(host, job.job, limits, LIMIT(PRIORITY_CLASS) | LIMIT(AFFINITY)) == JP_OK, "priority class and affinity");
    host->ask_priority(host, pid, JP_JOB_ABOVE_NORMAL_PRIORITY_CLASS);
    host->ask_affinity(host, pid, machine);
    EXPECT(host->priority(host, pid) == JP_JOB_BELOW_NORMAL_PRIORITY_CLASS, "asking for a higher one is ignored");
    EXPECT(host->affinity(host, pid) == one, "and so is another affinity");
}

static void a_subset_affinity_may_be_chosen_from(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint64_t machine = host->machine_affinity(host), one = machine & (~machine + 1);
    uint32_t pid = rules_member(host, &job);
    EXPECT(rules_limit(host, job.job, (struct jp_job_extended_limits){.basic.affinity = machine}, LIMIT(AFFINITY) | LIMIT(SUBSET_AFFINITY)) ==
               JP_OK, "all processors, or some");
    host->ask_affinity(host, pid, one);
    EXPECT(host->affinity(host, pid) == one, "the process takes one");
}

const struct rule rules_of_chains[] = {
    {"the_lowest_priority_class_holds", PAGE_NESTED,
     "JOB_OBJECT_LIMIT_PRIORITY_CLASS NORMAL_PRIORITY_CLASS ABOVE_NORMAL_PRIORITY_CLASS BELOW_NORMAL_PRIORITY_CLASS",
     NEEDS_LIMITS | NEEDS_NESTING, the_lowest_priority_class_holds},
    {"the_affinity_of_a_child_is_a_subset", PAGE_BASIC, "JOB_OBJECT_LIMIT_AFFINITY", NEEDS_LIMITS | NEEDS_NESTING,
     the_affinity_of_a_child_is_a_subset},
    {"the_smallest_working_set_holds", PAGE_BASIC, "JOB_OBJECT_LIMIT_WORKINGSET", NEEDS_LIMITS | NEEDS_NESTING, the_smallest_working_set_holds},
    {"the_least_process_time_holds", PAGE_BASIC, "JOB_OBJECT_LIMIT_PROCESS_TIME JOB_OBJECT_MSG_END_OF_PROCESS_TIME",
     NEEDS_TIMES | NEEDS_NESTING, the_least_process_time_holds},
    {"the_least_memory_limit_holds", PAGE_NESTED, "JOB_OBJECT_LIMIT_PROCESS_MEMORY JOB_OBJECT_LIMIT_JOB_MEMORY", NEEDS_MEMORY | NEEDS_NESTING,
     the_least_memory_limit_holds},
    {"a_parents_process_limit_counts_the_child_jobs", PAGE_NESTED, "JOB_OBJECT_LIMIT_ACTIVE_PROCESS JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT",
     NEEDS_LIMITS | NEEDS_NESTING, a_parents_process_limit_counts_the_child_jobs},
    {"job_time_of_a_parent_counts_the_child_jobs", PAGE_NESTED, "JOB_OBJECT_LIMIT_JOB_TIME", NEEDS_TIMES | NEEDS_NESTING,
     job_time_of_a_parent_counts_the_child_jobs},
    {"processes_cannot_change_what_the_job_sets", PAGE_JOBS, "JOB_OBJECT_LIMIT_PRIORITY_CLASS JOB_OBJECT_LIMIT_AFFINITY", NEEDS_LIMITS,
     processes_cannot_change_what_the_job_sets},
    {"a_subset_affinity_may_be_chosen_from", PAGE_BASIC, "JOB_OBJECT_LIMIT_SUBSET_AFFINITY JOB_OBJECT_LIMIT_AFFINITY", NEEDS_LIMITS,
     a_subset_affinity_may_be_chosen_from},
    {0}};
