/* Rates of processors and network. */
#include "rules.h"

#define CPU(flag) JP_JOB_OBJECT_CPU_RATE_CONTROL_##flag
#define NET(flag) JP_JOB_OBJECT_NET_RATE_CONTROL_##flag

static jp_status set_cpu(struct rules_host *host, struct jp_job *job, struct jp_job_cpu_rate rate) {
    return rules_set(host, job, &(struct jp_job_info){.class = JP_JOB_CpuRateControlInformation, .cpu_rate = rate});
}

static struct jp_job_cpu_rate cpu_of(struct rules_host *host, struct jp_job *job) {
    return rules_get(host, job, JP_JOB_CpuRateControlInformation).cpu_rate;
}

static jp_status set_net(struct rules_host *host, struct jp_job *job, struct jp_job_net_rate rate) {
    return rules_set(host, job, &(struct jp_job_info){.class = JP_JOB_NetRateControlInformation, .net_rate = rate});
}

static void a_cpu_rate_is_1_to_10000(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    struct jp_job_cpu_rate rate = {.control_flags = CPU(ENABLE) | CPU(HARD_CAP) | CPU(NOTIFY), .cpu_rate = 2000};
    EXPECT(cpu_of(host, job.job).control_flags == 0, "a job has none at first");
    EXPECT(set_cpu(host, job.job, rate) == JP_OK, "20 %");
    EXPECT(cpu_of(host, job.job).control_flags == rate.control_flags && cpu_of(host, job.job).cpu_rate == 2000, "read back");
    rate.cpu_rate = 0;
    EXPECT(rules_refused(set_cpu(host, job.job, rate), ERROR_PARAMETER), "0 is invalid");
    rate.cpu_rate = 10001;
    EXPECT(rules_refused(set_cpu(host, job.job, rate), ERROR_PARAMETER), "more than all is, too");
    rate.cpu_rate = 10000;
    EXPECT(set_cpu(host, job.job, rate) == JP_OK, "all is not");
}

static void a_cpu_weight_is_1_to_9(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    struct jp_job_cpu_rate rate = {.control_flags = CPU(ENABLE) | CPU(WEIGHT_BASED)};
    for (rate.weight = 1; rate.weight <= 9; rate.weight++)
        EXPECT(set_cpu(host, job.job, rate) == JP_OK && cpu_of(host, job.job).weight == rate.weight, "1 to 9");
    EXPECT(rules_refused(set_cpu(host, job.job, rate), ERROR_PARAMETER), "not 10");
    rate.weight = 0;
    EXPECT(rules_refused(set_cpu(host, job.job, rate), ERROR_PARAMETER), "not 0");
}

static void a_cpu_range_has_its_ends_in_order(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    struct jp_job_cpu_rate rate = {.control_flags = CPU(ENABLE) | CPU(MIN_MAX_RATE), .min_rate = 1000, .max_rate = 5000};
    EXPECT(set_cpu(host, job.job, rate) == JP_OK, "10 to 50 %");
    EXPECT(cpu_of(host, job.job).min_rate == 1000 && cpu_of(host, job.job).max_rate == 5000, "read back");
    rate.min_rate = 6000;
    EXPECT(rules_refused(set_cpu(host, job.job, rate), ERROR_PARAMETER), "the least is not above the most");
}

static void a_cpu_range_goes_with_nothing_else(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    struct jp_job_cpu_rate rate = {.min_rate = 1000, .max_rate = 5000};
    rate.control_flags = CPU(ENABLE) | CPU(MIN_MAX_RATE) | CPU(WEIGHT_BASED);
    EXPECT(rules_refused(set_cpu(host, job.job, rate), ERROR_PARAMETER), "not with a weight");
    rate.control_flags = CPU(ENABLE) | CPU(MIN_MAX_RATE) | CPU(HARD_CAP);
    EXPECT(rules_refused(set_cpu(host, job.job, rate), ERROR_PARAMETER), "not with a cap");
}

static void cpu_flags_need_the_enabling_one(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    EXPECT(rules_refused(set_cpu(host, job.job, (struct jp_job_cpu_rate){.control_flags = CPU(HARD_CAP), .cpu_rate = 100}), ERROR_PARAMETER), "cap");
    EXPECT(rules_refused(set_cpu(host, job.job, (struct jp_job_cpu_rate){.control_flags = CPU(WEIGHT_BASED), .weight = 5}), ERROR_PARAMETER),
           "weight");
    EXPECT(rules_refused(set_cpu(host, job.job, (struct jp_job_cpu_rate){.control_flags = CPU(ENABLE) | (CPU(VALID_FLAGS) + 1), .cpu_rate = 100}),
                         ERROR_PARAMETER), "and there are no others");
}

static void a_rate_that_was_never_on_cannot_be_turned_off(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    struct jp_job_cpu_rate off = {0};
    EXPECT(rules_refused(set_cpu(host, job.job, off), ERROR_PARAMETER), "turning off fails");
    EXPECT(set_cpu(host, job.job, (struct jp_job_cpu_rate){.control_flags = CPU(ENABLE), .cpu_rate = 5000}) == JP_OK, "turned on");
    EXPECT(set_cpu(host, job.job, off) == JP_OK && cpu_of(host, job.job).control_flags == 0, "it can be");
}

static void nested_jobs_may_each_have_a_cpu_rate(struct rules_host *host) {
    struct jp_job_cpu_rate half = {.control_flags = CPU(ENABLE) | CPU(HARD_CAP), .cpu_rate = 5000};
    struct rules_job parent = rules_job(host), child = rules_job(host);
    uint32_t pid = rules_member(host, &parent);
    EXPECT(rules_assign(host, child.job, pid) == JP_OK, "a chain of two");
    EXPECT(set_cpu(host, parent.job, half) == JP_OK && set_cpu(host, child.job, half) == JP_OK, "half of a half");
}

static void a_network_rate_is_taken(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    struct jp_job_net_rate rate = {.control_flags = NET(ENABLE) | NET(MAX_BANDWIDTH) | NET(DSCP_TAG), .max_bandwidth_bytes = UINT64_C(5) << 32,
                                   .dscp_tag = 0x3F};
    EXPECT(set_net(host, job.job, rate) == JP_OK, "bandwidth and tag");
    struct jp_job_net_rate found = rules_get(host, job.job, JP_JOB_NetRateControlInformation).net_rate;
    EXPECT(found.control_flags == rate.control_flags && found.max_bandwidth_bytes == rate.max_bandwidth_bytes && found.dscp_tag == 0x3F,
           "read back");
    EXPECT(set_net(host, job.job, (struct jp_job_net_rate){0}) == JP_OK, "and lifted");
    EXPECT(rules_get(host, job.job, JP_JOB_NetRateControlInformation).net_rate.control_flags == 0, "there is none");
}

static void a_network_tag_has_six_bits(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    struct jp_job_net_rate rate = {.control_flags = NET(ENABLE) | NET(DSCP_TAG), .dscp_tag = 0x40};
    EXPECT(rules_refused(set_net(host, job.job, rate), ERROR_PARAMETER), "0x40 is too much");
}

static void network_flags_need_the_enabling_one(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    EXPECT(rules_refused(set_net(host, job.job, (struct jp_job_net_rate){.control_flags = NET(MAX_BANDWIDTH), .max_bandwidth_bytes = 1000}),
                         ERROR_PARAMETER), "a bandwidth alone");
    EXPECT(rules_refused(set_net(host, job.job, (struct jp_job_net_rate){.control_flags = NET(DSCP_TAG), .dscp_tag = 1}), ERROR_PARAMETER),
           "a tag alone");
    EXPECT(rules_refused(set_net(host, job.job, (struct jp_job_net_rate){.control_flags = NET(ENABLE) | (NET(VALID_FLAGS) + 1)}), ERROR_PARAMETER),
           "and there are no others");
}

static void one_job_of_a_hierarchy_controls_the_network(struct rules_host *host) {
    struct jp_job_net_rate rate = {.control_flags = NET(ENABLE) | NET(MAX_BANDWIDTH), .max_bandwidth_bytes = 1 << 20};
    struct rules_job parent = rules_job(host), child = rules_job(host);
    uint32_t pid = rules_member(host, &parent);
    EXPECT(rules_assign(host, child.job, pid) == JP_OK, "a chain of two");
    EXPECT(set_net(host, child.job, rate) == JP_OK, "the child does");
    EXPECT(rules_refused(set_net(host, parent.job, rate), 0), "then the parent may not");
    rate.max_bandwidth_bytes *= 2;
    EXPECT(set_net(host, child.job, rate) == JP_OK, "the child may change it");
}

const struct rule rules_of_rates[] = {
    {"a_cpu_rate_is_1_to_10000", PAGE_CPU,
     "JobObjectCpuRateControlInformation JOB_OBJECT_CPU_RATE_CONTROL_ENABLE JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP "
     "JOB_OBJECT_CPU_RATE_CONTROL_NOTIFY", NEEDS_RATES, a_cpu_rate_is_1_to_10000},
    {"a_cpu_weight_is_1_to_9", PAGE_CPU, "JobObjectCpuRateControlInformation JOB_OBJECT_CPU_RATE_CONTROL_WEIGHT_BASED", NEEDS_RATES,
     a_cpu_weight_is_1_to_9},
    {"a_cpu_range_has_its_ends_in_order", PAGE_CPU, "JobObjectCpuRateControlInformation JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE", NEEDS_RATES,
     a_cpu_range_has_its_ends_in_order},
    {"a_cpu_range_goes_with_nothing_else", PAGE_CPU,
     "JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE JOB_OBJECT_CPU_RATE_CONTROL_WEIGHT_BASED JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP", NEEDS_RATES,
     a_cpu_range_goes_with_nothing_else},
    {"cpu_flags_need_the_enabling_one", PAGE_CPU, "JOB_OBJECT_CPU_RATE_CONTROL_ENABLE JOB_OBJECT_CPU_RATE_CONTROL_VALID_FLAGS", NEEDS_RATES,
     cpu_flags_need_the_enabling_one},
    {"a_rate_that_was_never_on_cannot_be_turned_off", PAGE_CPU, "JobObjectCpuRateControlInformation JOB_OBJECT_CPU_RATE_CONTROL_ENABLE",
     NEEDS_RATES, a_rate_that_was_never_on_cannot_be_turned_off},
    {"nested_jobs_may_each_have_a_cpu_rate", PAGE_CPU, "JobObjectCpuRateControlInformation", NEEDS_RATES | NEEDS_NESTING,
     nested_jobs_may_each_have_a_cpu_rate},
    {"a_network_rate_is_taken", PAGE_NET,
     "JobObjectNetRateControlInformation JOB_OBJECT_NET_RATE_CONTROL_ENABLE JOB_OBJECT_NET_RATE_CONTROL_MAX_BANDWIDTH "
     "JOB_OBJECT_NET_RATE_CONTROL_DSCP_TAG", NEEDS_RATES, a_network_rate_is_taken},
    {"a_network_tag_has_six_bits", PAGE_NET, "JOB_OBJECT_NET_RATE_CONTROL_DSCP_TAG", NEEDS_RATES, a_network_tag_has_six_bits},
    {"network_flags_need_the_enabling_one", "api/winnt/ne-winnt-job_object_net_rate_control_flags",
     "JOB_OBJECT_NET_RATE_CONTROL_ENABLE JOB_OBJECT_NET_RATE_CONTROL_VALID_FLAGS", NEEDS_RATES, network_flags_need_the_enabling_one},
    {"one_job_of_a_hierarchy_controls_the_network", PAGE_NET, "JobObjectNetRateControlInformation", NEEDS_RATES | NEEDS_NESTING,
     one_job_of_a_hierarchy_controls_the_network},
    {0}};
