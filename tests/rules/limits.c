/* Which limits and classes Windows takes, and which it refuses. */
#include "rules.h"

/* Every limit of class 9 but PRESERVE_JOB_TIME, which is none. */
static const uint32_t every_flag = LIMIT(WORKINGSET) | LIMIT(PROCESS_TIME) | LIMIT(JOB_TIME) | LIMIT(ACTIVE_PROCESS) | LIMIT(AFFINITY) |
                                   LIMIT(PRIORITY_CLASS) | LIMIT(SCHEDULING_CLASS) | LIMIT(PROCESS_MEMORY) | LIMIT(JOB_MEMORY) |
                                   LIMIT(DIE_ON_UNHANDLED_EXCEPTION) | LIMIT(BREAKAWAY_OK) | LIMIT(SILENT_BREAKAWAY_OK) |
                                   LIMIT(KILL_ON_JOB_CLOSE) | LIMIT(SUBSET_AFFINITY);
static const struct jp_job_extended_limits every_limit = {
    .basic = {.per_process_user_time_limit_100ns = UINT64_C(4300000000000),
              .per_job_user_time_limit_100ns = UINT64_C(8600000000000),
              .minimum_working_set_bytes = 1 * MIB,
              .maximum_working_set_bytes = UINT64_C(6) << 30,
              .active_process_limit = 50,
              .affinity = 1,
              .priority_class = JP_JOB_NORMAL_PRIORITY_CLASS,
              .scheduling_class = 5},
    .process_memory_limit_bytes = UINT64_C(6) << 30,
    .job_memory_limit_bytes = UINT64_C(8) << 30,
};

static jp_status limit_basic(struct rules_host *host, struct jp_job *job, struct jp_job_basic_limits limits, uint32_t flags) {
    limits.limit_flags = flags;
    return rules_set(host, job, &(struct jp_job_info){.class = JP_JOB_BasicLimitInformation, .basic_limits = limits});
}

static struct jp_job_extended_limits now(struct rules_host *host, struct jp_job *job) {
    return rules_get(host, job, JP_JOB_ExtendedLimitInformation).extended_limits;
}

static void class_9_takes_and_tells_every_limit(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    EXPECT(rules_limit(host, job.job, every_limit, every_flag) == JP_OK, "all are set");
    struct jp_job_extended_limits found = now(host, job.job);
    EXPECT(found.basic.limit_flags == every_flag, "the flags read back");
    EXPECT(found.basic.per_process_user_time_limit_100ns == every_limit.basic.per_process_user_time_limit_100ns, "process time");
    EXPECT(found.basic.per_job_user_time_limit_100ns == every_limit.basic.per_job_user_time_limit_100ns, "job time");
    EXPECT(found.basic.active_process_limit == 50 && found.basic.scheduling_class == 5, "processes and scheduling class");
    EXPECT(found.basic.affinity == 1 && found.basic.priority_class == JP_JOB_NORMAL_PRIORITY_CLASS, "affinity and priority");
    EXPECT(found.basic.minimum_working_set_bytes == 1 * MIB && found.basic.maximum_working_set_bytes == UINT64_C(6) << 30,
           "working sets of more than 32 bits");
    EXPECT(found.process_memory_limit_bytes == UINT64_C(6) << 30 && found.job_memory_limit_bytes == UINT64_C(8) << 30, "memory");
    EXPECT(rules_limit(host, job.job, every_limit, 0) == JP_OK && now(host, job.job).basic.limit_flags == 0, "and all can be lifted");
}

static void class_2_takes_the_basic_ones(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t flags = every_flag & JP_JOB_OBJECT_BASIC_LIMIT_VALID_FLAGS;
    EXPECT(limit_basic(host, job.job, every_limit.basic, flags) == JP_OK, "they are set");
    struct jp_job_basic_limits found = rules_get(host, job.job, JP_JOB_BasicLimitInformation).basic_limits;
    EXPECT(found.limit_flags == flags && found.active_process_limit == 50 && found.affinity == 1, "and read back");
}

static void class_2_refuses_the_extended_ones(struct rules_host *host) {
    static const uint32_t extended[] = {LIMIT(PROCESS_MEMORY),      LIMIT(JOB_MEMORY),        LIMIT(DIE_ON_UNHANDLED_EXCEPTION), LIMIT(BREAKAWAY_OK),
                                        LIMIT(SILENT_BREAKAWAY_OK), LIMIT(KILL_ON_JOB_CLOSE), LIMIT(SUBSET_AFFINITY) | LIMIT(AFFINITY)};
    struct rules_job job = rules_job(host);
    for (size_t i = 0; i < sizeof extended / sizeof *extended; i++)
        EXPECT(rules_refused(limit_basic(host, job.job, every_limit.basic, extended[i]), ERROR_PARAMETER), "they need class 9");
    EXPECT(rules_limit(host, job.job, every_limit, LIMIT(KILL_ON_JOB_CLOSE) | LIMIT(ACTIVE_PROCESS)) == JP_OK, "set through class 9");
    EXPECT(rules_get(host, job.job, JP_JOB_BasicLimitInformation).basic_limits.limit_flags == LIMIT(ACTIVE_PROCESS), "class 2 does not tell them");
}

static void flags_that_are_not_of_the_class_are_refused(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t reserved = JP_JOB_OBJECT_RESERVED_LIMIT_VALID_FLAGS & ~JP_JOB_OBJECT_EXTENDED_LIMIT_VALID_FLAGS;
    for (uint32_t flag = 1; flag; flag <<= 1)
        if (reserved & flag || !(flag & JP_JOB_OBJECT_LIMIT_VALID_FLAGS))
            EXPECT(rules_refused(rules_limit(host, job.job, every_limit, flag), ERROR_PARAMETER), "class 9 refuses it");
}

static void what_was_refused_changes_nothing(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    struct jp_job_extended_limits wrong = every_limit;
    wrong.basic.active_process_limit = 0;
    EXPECT(rules_limit(host, job.job, every_limit, LIMIT(ACTIVE_PROCESS) | LIMIT(PRIORITY_CLASS)) == JP_OK, "two limits");
    EXPECT(rules_refused(rules_limit(host, job.job, wrong, LIMIT(ACTIVE_PROCESS) | LIMIT(SCHEDULING_CLASS)), ERROR_PARAMETER),
           "a limit of no processes is refused");
    EXPECT(now(host, job.job).basic.limit_flags == (LIMIT(ACTIVE_PROCESS) | LIMIT(PRIORITY_CLASS)), "the others are as they were");
    EXPECT(now(host, job.job).basic.active_process_limit == 50, "and this one too");
}

static void a_working_set_has_both_ends_in_order(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    struct jp_job_extended_limits limits = {.basic.minimum_working_set_bytes = 8 * MIB, .basic.maximum_working_set_bytes = 4 * MIB};
    EXPECT(rules_refused(rules_limit(host, job.job, limits, LIMIT(WORKINGSET)), ERROR_PARAMETER), "the least may not be above the most");
    limits.basic.minimum_working_set_bytes = 0;
    EXPECT(rules_refused(rules_limit(host, job.job, limits, LIMIT(WORKINGSET)), ERROR_PARAMETER), "nor zero beside it");
    limits.basic.minimum_working_set_bytes = 2 * MIB;
    limits.basic.maximum_working_set_bytes = 0;
    EXPECT(rules_refused(rules_limit(host, job.job, limits, LIMIT(WORKINGSET)), ERROR_PARAMETER), "nor the most zero");
    limits.basic.maximum_working_set_bytes = 4 * MIB;
    EXPECT(rules_limit(host, job.job, limits, LIMIT(WORKINGSET)) == JP_OK, "in order they are taken");
}

static void an_affinity_is_part_of_the_machines(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint64_t machine = host->machine_affinity(host);
    struct jp_job_extended_limits limits = {.basic.affinity = machine};
    EXPECT(rules_limit(host, job.job, limits, LIMIT(AFFINITY)) == JP_OK, "all processors");
    limits.basic.affinity = 0;
    EXPECT(rules_refused(rules_limit(host, job.job, limits, LIMIT(AFFINITY)), ERROR_PARAMETER), "none");
    if (~machine) {
        limits.basic.affinity = machine | (~machine & (machine + 1));
        EXPECT(rules_refused(rules_limit(host, job.job, limits, LIMIT(AFFINITY)), ERROR_PARAMETER), "one that is not there");
    }
}

static void a_subset_affinity_goes_with_an_affinity(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    EXPECT(rules_refused(rules_limit(host, job.job, every_limit, LIMIT(SUBSET_AFFINITY)), ERROR_PARAMETER), "alone it is refused");
    EXPECT(rules_limit(host, job.job, every_limit, LIMIT(SUBSET_AFFINITY) | LIMIT(AFFINITY)) == JP_OK, "with it, it is not");
}

static void a_priority_class_is_one_of_six(struct rules_host *host) {
    static const uint32_t classes[] = {
#define X(name, value) value,
        JP_JOB_PRIORITY_TABLE(X)
#undef X
    };
    struct rules_job job = rules_job(host);
    struct jp_job_extended_limits limits = {0};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        limits.basic.priority_class = classes[i];
        EXPECT(rules_limit(host, job.job, limits, LIMIT(PRIORITY_CLASS)) == JP_OK, "it is taken");
        EXPECT(now(host, job.job).basic.priority_class == classes[i], "and reads back");
    }
    limits.basic.priority_class = 0x21;
    EXPECT(rules_refused(rules_limit(host, job.job, limits, LIMIT(PRIORITY_CLASS)), ERROR_PARAMETER), "no other is");
}

static void a_scheduling_class_is_0_to_9(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    struct jp_job_extended_limits limits = {0};
    for (; limits.basic.scheduling_class <= 9; limits.basic.scheduling_class++)
        EXPECT(rules_limit(host, job.job, limits, LIMIT(SCHEDULING_CLASS)) == JP_OK, "0 to 9");
    EXPECT(rules_refused(rules_limit(host, job.job, limits, LIMIT(SCHEDULING_CLASS)), ERROR_PARAMETER), "not 10");
}

static void setting_what_was_read_changes_nothing(struct rules_host *host) {
    static const enum jp_job_class classes[] = {JP_JOB_BasicLimitInformation, JP_JOB_ExtendedLimitInformation};
    struct rules_job job = rules_job(host);
    EXPECT(rules_limit(host, job.job, every_limit, every_flag) == JP_OK, "all limits");
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        struct jp_job_info before = rules_get(host, job.job, classes[i]);
        EXPECT(rules_set(host, job.job, &before) == JP_OK, "what was read is set");
        struct jp_job_info after = rules_get(host, job.job, classes[i]);
        EXPECT(jp_job_info_equal(&before, &after), "and reads the same");
    }
}

static void classes_that_only_tell_cannot_be_set(struct rules_host *host) {
    static const enum jp_job_class telling[] = {JP_JOB_BasicAccountingInformation, JP_JOB_BasicProcessIdList,
                                                JP_JOB_BasicAndIoAccountingInformation, JP_JOB_LimitViolationInformation,
                                                JP_JOB_MemoryUsageInformation, JP_JOB_LimitViolationInformation2};
    struct rules_job job = rules_job(host);
    for (size_t i = 0; i < sizeof telling / sizeof *telling; i++)
        EXPECT(rules_refused(rules_set(host, job.job, &(struct jp_job_info){.class = telling[i]}), 0), "it is refused");
}

static void security_limits_are_not_the_kernels_any_more(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    struct jp_job_info info = {.class = JP_JOB_SecurityLimitInformation};
    EXPECT(rules_set(host, job.job, &info) == JP_E_UNSUPPORTED, "they cannot be set");
    EXPECT(rules_query(host, job.job, info.class, &info) == JP_E_UNSUPPORTED, "nor read");
}

static void a_job_of_no_set_has_level_0(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    EXPECT(rules_get(host, job.job, JP_JOB_JobSetInformation).member_level == 0, "MemberLevel is 0");
}

#define ALL_LIMITS                                                                                          \
    "JOB_OBJECT_LIMIT_WORKINGSET JOB_OBJECT_LIMIT_PROCESS_TIME JOB_OBJECT_LIMIT_JOB_TIME JOB_OBJECT_LIMIT_ACTIVE_PROCESS "       \
    "JOB_OBJECT_LIMIT_AFFINITY JOB_OBJECT_LIMIT_PRIORITY_CLASS JOB_OBJECT_LIMIT_SCHEDULING_CLASS"
#define EXTENDED_LIMITS                                                                                     \
    "JOB_OBJECT_LIMIT_PROCESS_MEMORY JOB_OBJECT_LIMIT_JOB_MEMORY JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION "                   \
    "JOB_OBJECT_LIMIT_BREAKAWAY_OK JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE "                     \
    "JOB_OBJECT_LIMIT_SUBSET_AFFINITY"

const struct rule rules_of_limits[] = {
    {"class_9_takes_and_tells_every_limit", PAGE_EXTENDED,
     "JobObjectExtendedLimitInformation SetInformationJobObject QueryInformationJobObject JOB_OBJECT_EXTENDED_LIMIT_VALID_FLAGS " ALL_LIMITS
     " " EXTENDED_LIMITS, NEEDS_LIMITS, class_9_takes_and_tells_every_limit},
    {"class_2_takes_the_basic_ones", PAGE_BASIC, "JobObjectBasicLimitInformation JOB_OBJECT_BASIC_LIMIT_VALID_FLAGS " ALL_LIMITS, NEEDS_LIMITS,
     class_2_takes_the_basic_ones},
    {"class_2_refuses_the_extended_ones", PAGE_BASIC, "JobObjectBasicLimitInformation JOB_OBJECT_BASIC_LIMIT_VALID_FLAGS " EXTENDED_LIMITS,
     NEEDS_LIMITS | NEEDS_CHECKS, class_2_refuses_the_extended_ones},
    {"flags_that_are_not_of_the_class_are_refused", PAGE_SET,
     "SetInformationJobObject JOB_OBJECT_LIMIT_VALID_FLAGS JOB_OBJECT_RESERVED_LIMIT_VALID_FLAGS JOB_OBJECT_EXTENDED_LIMIT_VALID_FLAGS",
     NEEDS_CHECKS, flags_that_are_not_of_the_class_are_refused},
    {"what_was_refused_changes_nothing", PAGE_BASIC, "JOB_OBJECT_LIMIT_ACTIVE_PROCESS JOB_OBJECT_LIMIT_PRIORITY_CLASS",
     NEEDS_LIMITS | NEEDS_CHECKS, what_was_refused_changes_nothing},
    {"a_working_set_has_both_ends_in_order", PAGE_BASIC, "JOB_OBJECT_LIMIT_WORKINGSET", NEEDS_LIMITS | NEEDS_CHECKS,
     a_working_set_has_both_ends_in_order},
    {"an_affinity_is_part_of_the_machines", PAGE_BASIC, "JOB_OBJECT_LIMIT_AFFINITY", NEEDS_LIMITS | NEEDS_CHECKS,
     an_affinity_is_part_of_the_machines},
    {"a_subset_affinity_goes_with_an_affinity", PAGE_BASIC, "JOB_OBJECT_LIMIT_SUBSET_AFFINITY JOB_OBJECT_LIMIT_AFFINITY",
     NEEDS_LIMITS | NEEDS_CHECKS, a_subset_affinity_goes_with_an_affinity},
    {"a_priority_class_is_one_of_six", PAGE_BASIC,
     "JOB_OBJECT_LIMIT_PRIORITY_CLASS NORMAL_PRIORITY_CLASS IDLE_PRIORITY_CLASS HIGH_PRIORITY_CLASS REALTIME_PRIORITY_CLASS "
     "BELOW_NORMAL_PRIORITY_CLASS ABOVE_NORMAL_PRIORITY_CLASS", NEEDS_LIMITS | NEEDS_CHECKS, a_priority_class_is_one_of_six},
    {"a_scheduling_class_is_0_to_9", PAGE_BASIC, "JOB_OBJECT_LIMIT_SCHEDULING_CLASS", NEEDS_LIMITS | NEEDS_CHECKS, a_scheduling_class_is_0_to_9},
    {"setting_what_was_read_changes_nothing", PAGE_SET,
     "SetInformationJobObject QueryInformationJobObject JobObjectBasicLimitInformation JobObjectExtendedLimitInformation", NEEDS_LIMITS,
     setting_what_was_read_changes_nothing},
    {"classes_that_only_tell_cannot_be_set", PAGE_SET,
     "SetInformationJobObject JobObjectBasicAccountingInformation JobObjectBasicProcessIdList JobObjectBasicAndIoAccountingInformation "
     "JobObjectLimitViolationInformation JobObjectMemoryUsageInformation JobObjectLimitViolationInformation2", 0,
     classes_that_only_tell_cannot_be_set},
    {"security_limits_are_not_the_kernels_any_more", PAGE_SECURITY, "JobObjectSecurityLimitInformation", 0,
     security_limits_are_not_the_kernels_any_more},
    {"a_job_of_no_set_has_level_0", PAGE_QUERY, "JobObjectJobSetInformation", NEEDS_JOB_SETS, a_job_of_no_set_has_level_0},
    {0}};
