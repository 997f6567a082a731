/* Notification limits: what is told when it is exceeded, and not enforced. */
#include "rules.h"

static jp_status notify(struct rules_host *host, const struct rules_job *job, struct jp_job_notification_limits limits, uint32_t flags) {
    limits.limit_flags = flags;
    return rules_set(host, job->job, &(struct jp_job_info){.class = JP_JOB_NotificationLimitInformation2, .notification = limits});
}

static struct jp_job_violations violations(struct rules_host *host, const struct rules_job *job) {
    return rules_get(host, job->job, JP_JOB_LimitViolationInformation2).violations;
}

static void the_first_version_takes_five_limits(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t flags = LIMIT(JOB_TIME) | LIMIT(JOB_MEMORY) | LIMIT(JOB_READ_BYTES) | LIMIT(JOB_WRITE_BYTES) | LIMIT(RATE_CONTROL);
    struct jp_job_info info = {.class = JP_JOB_NotificationLimitInformation,
                               .notification = {.io_read_bytes_limit = UINT64_C(5) << 32, .io_write_bytes_limit = 2, .limit_flags = flags,
                                                .per_job_user_time_limit_100ns = 3, .job_high_memory_limit_bytes = 4,
                                                .cpu_tolerance = JP_JOB_ToleranceMedium, .cpu_tolerance_interval = JP_JOB_ToleranceIntervalLong}};
    EXPECT(rules_set(host, job.job, &info) == JP_OK, "they are set");
    struct jp_job_info found = rules_get(host, job.job, JP_JOB_NotificationLimitInformation);
    EXPECT(jp_job_info_equal(&info, &found), "and read back");
    for (uint32_t flag = 1; flag; flag <<= 1) {
        info.notification.limit_flags = flag;
        if (!(flags & flag))
            EXPECT(rules_refused(rules_set(host, job.job, &info), ERROR_PARAMETER), "no other is taken");
    }
}

static void the_second_version_takes_more(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    struct jp_job_info info = {.class = JP_JOB_NotificationLimitInformation2,
                               .notification = {.io_read_bytes_limit = 1,
                                                .io_write_bytes_limit = 2,
                                                .per_job_user_time_limit_100ns = 3,
                                                .job_high_memory_limit_bytes = 40,
                                                .job_low_memory_limit_bytes = 4,
                                                .cpu_tolerance = JP_JOB_ToleranceLow,
                                                .cpu_tolerance_interval = JP_JOB_ToleranceIntervalShort,
                                                .io_tolerance = JP_JOB_ToleranceMedium,
                                                .io_tolerance_interval = JP_JOB_ToleranceIntervalMedium,
                                                .net_tolerance = JP_JOB_ToleranceHigh,
                                                .net_tolerance_interval = JP_JOB_ToleranceIntervalLong,
                                                .limit_flags = JP_JOB_OBJECT_NOTIFICATION_LIMIT_VALID_FLAGS}};
    EXPECT(rules_set(host, job.job, &info) == JP_OK, "all are set");
    struct jp_job_info found = rules_get(host, job.job, JP_JOB_NotificationLimitInformation2);
    EXPECT(jp_job_info_equal(&info, &found), "and read back");
    for (uint32_t flag = 1; flag; flag <<= 1) {
        info.notification.limit_flags = flag;
        if (!(JP_JOB_OBJECT_NOTIFICATION_LIMIT_VALID_FLAGS & flag))
            EXPECT(rules_refused(rules_set(host, job.job, &info), ERROR_PARAMETER), "no other is taken");
    }
}

static void a_tolerance_is_one_of_three(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    struct jp_job_notification_limits limits = {.cpu_tolerance = 4, .cpu_tolerance_interval = JP_JOB_ToleranceIntervalShort};
    EXPECT(rules_refused(notify(host, &job, limits, LIMIT(CPU_RATE_CONTROL)), ERROR_PARAMETER), "4 is none");
    limits.cpu_tolerance = JP_JOB_ToleranceLow;
    limits.cpu_tolerance_interval = 4;
    EXPECT(rules_refused(notify(host, &job, limits, LIMIT(CPU_RATE_CONTROL)), ERROR_PARAMETER), "nor is it an interval");
}

static void read_bytes_are_told_when_they_are_too_many(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    EXPECT(notify(host, &job, (struct jp_job_notification_limits){.io_read_bytes_limit = 8 * MIB}, LIMIT(JOB_READ_BYTES)) == JP_OK, "8 MiB");
    host->read(host, pid, 1 * MIB);
    EXPECT(host->count(host, job.key, JP_MSG_NOTIFICATION_LIMIT) == 0, "one is not too much");
    host->read(host, pid, 8 * MIB);
    EXPECT(host->told(host, job.key, JP_MSG_NOTIFICATION_LIMIT, pid), "nine are: the port is told who it was");
    EXPECT(host->alive(host, pid), "the process goes on");
    struct jp_job_violations found = violations(host, &job);
    EXPECT(found.limit_flags == LIMIT(JOB_READ_BYTES) && found.violation_limit_flags == LIMIT(JOB_READ_BYTES), "which limit it was can be read");
    EXPECT(found.io_read_bytes >= 9 * MIB && found.io_read_bytes_limit == 8 * MIB, "with the numbers");
}

static void written_bytes_are_told_when_they_are_too_many(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    EXPECT(notify(host, &job, (struct jp_job_notification_limits){.io_write_bytes_limit = 8 * MIB}, LIMIT(JOB_WRITE_BYTES)) == JP_OK, "8 MiB");
    host->write(host, pid, 9 * MIB);
    EXPECT(host->told(host, job.key, JP_MSG_NOTIFICATION_LIMIT, pid), "nine are too much");
    struct jp_job_violations found = rules_get(host, job.job, JP_JOB_LimitViolationInformation).violations;
    EXPECT(found.violation_limit_flags == LIMIT(JOB_WRITE_BYTES) && found.io_write_bytes >= 9 * MIB && found.io_write_bytes_limit == 8 * MIB,
           "as the first version of the class tells too");
}

static void job_time_is_told_and_not_enforced(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    host->burn(host, pid, 500);
    EXPECT(notify(host, &job, (struct jp_job_notification_limits){.per_job_user_time_limit_100ns = rules_ms(300)}, LIMIT(JOB_TIME)) == JP_OK, "a time");
    host->burn(host, pid, 100);
    EXPECT(host->count(host, job.key, JP_MSG_NOTIFICATION_LIMIT) == 0, "on top of what was used");
    host->burn(host, pid, 500);
    EXPECT(host->told(host, job.key, JP_MSG_NOTIFICATION_LIMIT, pid), "is told when it is exceeded");
    EXPECT(host->alive(host, pid), "and not enforced");
    EXPECT(violations(host, &job).violation_limit_flags == LIMIT(JOB_TIME), "it was the time");
}

static void memory_is_told_when_it_is_too_much(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    EXPECT(notify(host, &job, (struct jp_job_notification_limits){.job_high_memory_limit_bytes = 100 * MIB}, LIMIT(JOB_MEMORY)) == JP_OK, "100 MiB");
    EXPECT(host->commit(host, pid, 200 * MIB), "200 are given all the same");
    EXPECT(host->told(host, job.key, JP_MSG_NOTIFICATION_LIMIT, pid), "and told");
    struct jp_job_violations found = violations(host, &job);
    EXPECT(found.violation_limit_flags == JP_JOB_OBJECT_LIMIT_JOB_MEMORY_HIGH && found.job_memory_bytes >= 200 * MIB, "with the number");
}

static void memory_is_told_when_it_is_too_little(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    EXPECT(host->commit(host, pid, 300 * MIB), "300 MiB");
    EXPECT(notify(host, &job, (struct jp_job_notification_limits){.job_low_memory_limit_bytes = 200 * MIB}, LIMIT(JOB_MEMORY_LOW)) == JP_OK, "200");
    EXPECT(host->count(host, job.key, JP_MSG_NOTIFICATION_LIMIT) == 0, "nothing is told above");
    host->decommit(host, pid, 200 * MIB);
    EXPECT(host->told(host, job.key, JP_MSG_NOTIFICATION_LIMIT, pid), "but below");
    EXPECT(violations(host, &job).violation_limit_flags == LIMIT(JOB_MEMORY_LOW), "it was that");
}

static void a_violation_is_told_once_until_somebody_asks(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    struct jp_job_notification_limits limits = {.io_read_bytes_limit = 1 * MIB, .io_write_bytes_limit = 1 * MIB};
    EXPECT(notify(host, &job, limits, LIMIT(JOB_READ_BYTES) | LIMIT(JOB_WRITE_BYTES)) == JP_OK, "two limits");
    host->read(host, pid, 2 * MIB);
    host->read(host, pid, 2 * MIB);
    host->write(host, pid, 2 * MIB);
    EXPECT(host->count(host, job.key, JP_MSG_NOTIFICATION_LIMIT) == 1, "one message for all that happens");
    EXPECT(violations(host, &job).violation_limit_flags == (LIMIT(JOB_READ_BYTES) | LIMIT(JOB_WRITE_BYTES)), "both are told when asked");
    EXPECT(violations(host, &job).violation_limit_flags == 0, "asking clears them");
    host->read(host, pid, 2 * MIB);
    EXPECT(host->count(host, job.key, JP_MSG_NOTIFICATION_LIMIT) == 2, "then a message comes again");
}

static void overrun(struct rules_host *host, uint32_t flag, struct jp_job_notification_limits limits, const struct rules_job *job, uint32_t pid) {
    EXPECT(notify(host, job, limits, flag) == JP_OK, "a tolerance of 40 % of a minute");
    host->overrun(host, pid, flag, JP_JOB_ToleranceLow, JP_JOB_ToleranceIntervalMedium);
    EXPECT(host->count(host, job->key, JP_MSG_NOTIFICATION_LIMIT) == 0, "20 % of it are tolerated");
    host->overrun(host, pid, flag, JP_JOB_ToleranceMedium, JP_JOB_ToleranceIntervalShort);
    EXPECT(host->count(host, job->key, JP_MSG_NOTIFICATION_LIMIT) == 0, "and so are 40 % of a shorter time");
    host->overrun(host, pid, flag, JP_JOB_ToleranceHigh, JP_JOB_ToleranceIntervalMedium);
    EXPECT(host->told(host, job->key, JP_MSG_NOTIFICATION_LIMIT, pid), "60 % are not");
}

static void a_cpu_rate_over_its_tolerance_is_told(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    struct jp_job_info rate = {.class = JP_JOB_CpuRateControlInformation,
                               .cpu_rate = {.control_flags = JP_JOB_OBJECT_CPU_RATE_CONTROL_ENABLE, .cpu_rate = 1000}};
    EXPECT(rules_set(host, job.job, &rate) == JP_OK, "a CPU rate");
    overrun(host, LIMIT(CPU_RATE_CONTROL), (struct jp_job_notification_limits){.cpu_tolerance = JP_JOB_ToleranceMedium,
                                                                              .cpu_tolerance_interval = JP_JOB_ToleranceIntervalMedium}, &job, pid);
    struct jp_job_violations found = violations(host, &job);
    EXPECT(found.violation_limit_flags == LIMIT(CPU_RATE_CONTROL) && found.cpu_tolerance == JP_JOB_ToleranceHigh &&
               found.cpu_tolerance_limit == JP_JOB_ToleranceMedium, "with what was and what may be");
}

static void a_network_rate_over_its_tolerance_is_told(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    struct jp_job_info rate = {.class = JP_JOB_NetRateControlInformation,
                               .net_rate = {.control_flags = JP_JOB_OBJECT_NET_RATE_CONTROL_ENABLE | JP_JOB_OBJECT_NET_RATE_CONTROL_MAX_BANDWIDTH,
                                            .max_bandwidth_bytes = 1000}};
    EXPECT(rules_set(host, job.job, &rate) == JP_OK, "a network rate");
    overrun(host, LIMIT(NET_RATE_CONTROL), (struct jp_job_notification_limits){.net_tolerance = JP_JOB_ToleranceMedium,
                                                                              .net_tolerance_interval = JP_JOB_ToleranceIntervalMedium}, &job, pid);
    struct jp_job_violations found = violations(host, &job);
    EXPECT(found.violation_limit_flags == LIMIT(NET_RATE_CONTROL) && found.net_tolerance == JP_JOB_ToleranceHigh &&
               found.net_tolerance_limit == JP_JOB_ToleranceMedium, "with what was and what may be");
}

static void an_io_rate_over_its_tolerance_is_told(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    overrun(host, LIMIT(IO_RATE_CONTROL), (struct jp_job_notification_limits){.io_tolerance = JP_JOB_ToleranceMedium,
                                                                             .io_tolerance_interval = JP_JOB_ToleranceIntervalMedium}, &job, pid);
    struct jp_job_violations found = violations(host, &job);
    EXPECT(found.violation_limit_flags == LIMIT(IO_RATE_CONTROL) && found.io_tolerance == JP_JOB_ToleranceHigh &&
               found.io_tolerance_limit == JP_JOB_ToleranceMedium, "with what was and what may be");
}

static void a_rate_may_ask_to_be_told_of(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    struct jp_job_info rate = {.class = JP_JOB_CpuRateControlInformation,
                               .cpu_rate = {.control_flags = JP_JOB_OBJECT_CPU_RATE_CONTROL_ENABLE | JP_JOB_OBJECT_CPU_RATE_CONTROL_NOTIFY,
                                            .cpu_rate = 1000}};
    EXPECT(rules_set(host, job.job, &rate) == JP_OK, "a CPU rate with a message");
    host->overrun(host, pid, LIMIT(CPU_RATE_CONTROL), JP_JOB_ToleranceMedium, JP_JOB_ToleranceIntervalShort);
    EXPECT(host->count(host, job.key, JP_MSG_NOTIFICATION_LIMIT) == 0, "without a tolerance the high one holds");
    host->overrun(host, pid, LIMIT(CPU_RATE_CONTROL), JP_JOB_ToleranceHigh, JP_JOB_ToleranceIntervalShort);
    EXPECT(host->told(host, job.key, JP_MSG_NOTIFICATION_LIMIT, pid), "of the short interval");
}

static void a_parent_is_told_of_its_child_jobs_notification(struct rules_host *host) {
    struct rules_job parent = rules_job(host), child = rules_job(host);
    uint32_t pid = rules_member(host, &parent);
    EXPECT(rules_assign(host, child.job, pid) == JP_OK, "a chain of two");
    EXPECT(notify(host, &child, (struct jp_job_notification_limits){.io_read_bytes_limit = 1 * MIB}, LIMIT(JOB_READ_BYTES)) == JP_OK, "a limit below");
    host->read(host, pid, 2 * MIB);
    EXPECT(host->told(host, child.key, JP_MSG_NOTIFICATION_LIMIT, pid) && host->told(host, parent.key, JP_MSG_NOTIFICATION_LIMIT, pid),
           "both ports are told");
    EXPECT(violations(host, &parent).violation_limit_flags == 0, "the parent's own limits were kept");
}

#define TOLERANCES                                                                                          \
    "ToleranceLow ToleranceMedium ToleranceHigh ToleranceIntervalShort ToleranceIntervalMedium ToleranceIntervalLong"

const struct rule rules_of_notify[] = {
    {"the_first_version_takes_five_limits", PAGE_NOTIFY,
     "JobObjectNotificationLimitInformation JOB_OBJECT_LIMIT_JOB_TIME JOB_OBJECT_LIMIT_JOB_MEMORY JOB_OBJECT_LIMIT_JOB_READ_BYTES "
     "JOB_OBJECT_LIMIT_JOB_WRITE_BYTES JOB_OBJECT_LIMIT_RATE_CONTROL", NEEDS_NOTIFY, the_first_version_takes_five_limits},
    {"the_second_version_takes_more", PAGE_NOTIFY2,
     "JobObjectNotificationLimitInformation2 JOB_OBJECT_NOTIFICATION_LIMIT_VALID_FLAGS JOB_OBJECT_LIMIT_JOB_MEMORY_LOW "
     "JOB_OBJECT_LIMIT_CPU_RATE_CONTROL JOB_OBJECT_LIMIT_IO_RATE_CONTROL JOB_OBJECT_LIMIT_NET_RATE_CONTROL " TOLERANCES, NEEDS_NOTIFY,
     the_second_version_takes_more},
    {"a_tolerance_is_one_of_three", PAGE_NOTIFY, TOLERANCES, NEEDS_NOTIFY, a_tolerance_is_one_of_three},
    {"read_bytes_are_told_when_they_are_too_many", PAGE_VIOLATION2,
     "JobObjectLimitViolationInformation2 JOB_OBJECT_LIMIT_JOB_READ_BYTES JOB_OBJECT_MSG_NOTIFICATION_LIMIT", NEEDS_NOTIFY,
     read_bytes_are_told_when_they_are_too_many},
    {"written_bytes_are_told_when_they_are_too_many", PAGE_VIOLATION,
     "JobObjectLimitViolationInformation JOB_OBJECT_LIMIT_JOB_WRITE_BYTES JOB_OBJECT_MSG_NOTIFICATION_LIMIT", NEEDS_NOTIFY,
     written_bytes_are_told_when_they_are_too_many},
    {"job_time_is_told_and_not_enforced", PAGE_NOTIFY, "JOB_OBJECT_LIMIT_JOB_TIME JOB_OBJECT_MSG_NOTIFICATION_LIMIT", NEEDS_NOTIFY | NEEDS_TIMES,
     job_time_is_told_and_not_enforced},
    {"memory_is_told_when_it_is_too_much", PAGE_NOTIFY2, "JOB_OBJECT_LIMIT_JOB_MEMORY_HIGH JOB_OBJECT_MSG_NOTIFICATION_LIMIT",
     NEEDS_NOTIFY | NEEDS_MEMORY, memory_is_told_when_it_is_too_much},
    {"memory_is_told_when_it_is_too_little", PAGE_NOTIFY2, "JOB_OBJECT_LIMIT_JOB_MEMORY_LOW JOB_OBJECT_MSG_NOTIFICATION_LIMIT",
     NEEDS_NOTIFY | NEEDS_MEMORY, memory_is_told_when_it_is_too_little},
    {"a_violation_is_told_once_until_somebody_asks", PAGE_NOTIFY, "JobObjectLimitViolationInformation2 JOB_OBJECT_MSG_NOTIFICATION_LIMIT",
     NEEDS_NOTIFY, a_violation_is_told_once_until_somebody_asks},
    {"a_cpu_rate_over_its_tolerance_is_told", PAGE_NOTIFY2, "JOB_OBJECT_LIMIT_CPU_RATE_CONTROL JobObjectLimitViolationInformation2 " TOLERANCES,
     NEEDS_NOTIFY | NEEDS_RATES | NEEDS_OVERRUN, a_cpu_rate_over_its_tolerance_is_told},
    {"a_network_rate_over_its_tolerance_is_told", PAGE_NOTIFY2, "JOB_OBJECT_LIMIT_NET_RATE_CONTROL JobObjectLimitViolationInformation2",
     NEEDS_NOTIFY | NEEDS_RATES | NEEDS_OVERRUN, a_network_rate_over_its_tolerance_is_told},
    {"an_io_rate_over_its_tolerance_is_told", PAGE_NOTIFY2, "JOB_OBJECT_LIMIT_IO_RATE_CONTROL JobObjectLimitViolationInformation2",
     NEEDS_NOTIFY | NEEDS_RATES | NEEDS_OVERRUN, an_io_rate_over_its_tolerance_is_told},
    {"a_rate_may_ask_to_be_told_of", PAGE_CPU, "JOB_OBJECT_CPU_RATE_CONTROL_NOTIFY ToleranceHigh ToleranceIntervalShort",
     NEEDS_NOTIFY | NEEDS_RATES | NEEDS_OVERRUN, a_rate_may_ask_to_be_told_of},
    {"a_parent_is_told_of_its_child_jobs_notification", PAGE_PORT, "JOB_OBJECT_MSG_NOTIFICATION_LIMIT", NEEDS_NOTIFY | NEEDS_NESTING,
     a_parent_is_told_of_its_child_jobs_notification},
    {0}};
