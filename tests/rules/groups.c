/* Processor groups. A machine has at least group 0, which is all that is asked of it here. */
#include "rules.h"

enum { NO_SUCH_GROUP = 99 };

static jp_status set_groups(struct rules_host *host, struct jp_job *job, uint16_t *groups, size_t count) {
    return rules_set(host, job, &(struct jp_job_info){.class = JP_JOB_GroupInformation, .groups = {.items = groups, .count = count}});
}

static jp_status set_affinity(struct rules_host *host, struct jp_job *job, uint16_t group, uint64_t mask) {
    struct jp_job_group_affinity affinity = {.mask = mask, .group = group};
    return rules_set(host, job, &(struct jp_job_info){.class = JP_JOB_GroupInformationEx, .group_affinities = {.items = &affinity, .count = 1}});
}

static void a_job_is_assigned_to_groups(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint16_t first = 0, wrong = NO_SUCH_GROUP;
    struct jp_job_info info = rules_get(host, job.job, JP_JOB_GroupInformation);
    EXPECT(info.groups.count >= 1, "a job has groups");
    jp_job_info_clear(&info);
    EXPECT(set_groups(host, job.job, &first, 1) == JP_OK, "group 0 alone");
    info = rules_get(host, job.job, JP_JOB_GroupInformation);
    EXPECT(info.groups.count == 1 && info.groups.items[0] == 0, "reads back");
    jp_job_info_clear(&info);
    EXPECT(rules_refused(set_groups(host, job.job, &wrong, 1), ERROR_PARAMETER), "a group that is not there is refused");
    EXPECT(rules_refused(set_groups(host, job.job, NULL, 0), 0), "and none at all");
}

static void a_job_has_an_affinity_in_each_group(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    EXPECT(set_affinity(host, job.job, 0, 1) == JP_OK, "the first processor of group 0");
    struct jp_job_info info = rules_get(host, job.job, JP_JOB_GroupInformationEx);
    EXPECT(info.group_affinities.count == 1 && info.group_affinities.items[0].group == 0 && info.group_affinities.items[0].mask == 1,
           "reads back");
    jp_job_info_clear(&info);
    EXPECT(rules_refused(set_affinity(host, job.job, 0, 0), ERROR_PARAMETER), "no processor is refused");
    EXPECT(rules_refused(set_affinity(host, job.job, NO_SUCH_GROUP, 1), ERROR_PARAMETER), "and a group that is not there");
}

static void groups_and_an_affinity_exclude_each_other(struct rules_host *host) {
    struct rules_job one = rules_job(host), other = rules_job(host);
    struct jp_job_extended_limits limits = {.basic.affinity = 1};
    EXPECT(rules_limit(host, one.job, limits, LIMIT(AFFINITY)) == JP_OK, "a job with an affinity");
    EXPECT(rules_refused(set_affinity(host, one.job, 0, 1), ERROR_PARAMETER), "takes no group's");
    EXPECT(set_affinity(host, other.job, 0, 1) == JP_OK, "a job with a group's affinity");
    EXPECT(rules_refused(rules_limit(host, other.job, limits, LIMIT(AFFINITY)), ERROR_PARAMETER), "takes no other");
}

const struct rule rules_of_groups[] = {
    {"a_job_is_assigned_to_groups", PAGE_SET, "JobObjectGroupInformation", NEEDS_GROUPS, a_job_is_assigned_to_groups},
    {"a_job_has_an_affinity_in_each_group", PAGE_SET, "JobObjectGroupInformationEx", NEEDS_GROUPS, a_job_has_an_affinity_in_each_group},
    {"groups_and_an_affinity_exclude_each_other", PAGE_GROUPS, "JobObjectGroupInformationEx JOB_OBJECT_LIMIT_AFFINITY",
     NEEDS_GROUPS | NEEDS_LIMITS, groups_and_an_affinity_exclude_each_other},
    {0}};
