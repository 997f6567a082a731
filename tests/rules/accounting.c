/* What jobs count. */
#include "rules.h"

static void processes_are_counted_when_they_have_ended_too(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t one = rules_member(host, &job), code;
    rules_member(host, &job);
    host->exit(host, one, 0);
    EXPECT(host->ended(host, one, &code), "one of two ends");
    struct jp_job_accounting found = rules_get(host, job.job, JP_JOB_BasicAccountingInformation).accounting;
    EXPECT(found.total_processes == 2 && found.active_processes == 1, "two in all, one at present");
    EXPECT(found.total_terminated_processes == 0, "none of them for a limit");
}

static void terminating_is_no_violation(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job), code;
    EXPECT(host->backend->ops->job_terminate(job.job, 1, &rules_error) == JP_OK && host->ended(host, pid, &code), "a job is terminated");
    EXPECT(rules_get(host, job.job, JP_JOB_BasicAccountingInformation).accounting.total_terminated_processes == 0, "which is no limit's doing");
}

static void times_add_up_and_stay(struct rules_host *host) {
    struct rules_job parent = rules_job(host), child = rules_job(host);
    uint32_t one = rules_member(host, &parent), two = rules_member(host, &parent), code;
    EXPECT(rules_assign(host, child.job, two) == JP_OK, "one of two is in a child job");
    host->burn(host, one, 300);
    host->burn(host, two, 200);
    host->exit(host, two, 0);
    EXPECT(host->ended(host, two, &code), "and ends");
    uint64_t above = rules_get(host, parent.job, JP_JOB_BasicAccountingInformation).accounting.total_user_time_100ns;
    uint64_t below = rules_get(host, child.job, JP_JOB_BasicAccountingInformation).accounting.total_user_time_100ns;
    EXPECT(above >= rules_ms(450) && above < rules_ms(900), "the parent has the time of both");
    EXPECT(below >= rules_ms(150) && below < rules_ms(400), "the child its own");
}

static void input_and_output_add_up(struct rules_host *host) {
    struct rules_job parent = rules_job(host), child = rules_job(host);
    uint32_t one = rules_member(host, &parent), two = rules_member(host, &parent);
    EXPECT(rules_assign(host, child.job, two) == JP_OK, "one of two is in a child job");
    struct jp_job_io before = rules_get(host, parent.job, JP_JOB_BasicAndIoAccountingInformation).accounting_and_io.io;
    host->read(host, one, 3 * MIB);
    host->write(host, two, 5 * MIB);
    struct jp_job_accounting_and_io after = rules_get(host, parent.job, JP_JOB_BasicAndIoAccountingInformation).accounting_and_io;
    struct jp_job_io below = rules_get(host, child.job, JP_JOB_BasicAndIoAccountingInformation).accounting_and_io.io;
    EXPECT(after.basic.active_processes == 2, "the class has the basic numbers as well");
    EXPECT(after.io.read_transfer_bytes - before.read_transfer_bytes >= 3 * MIB, "what was read");
    EXPECT(after.io.write_transfer_bytes - before.write_transfer_bytes >= 5 * MIB, "what was written");
    EXPECT(after.io.read_operation_count > before.read_operation_count && after.io.write_operation_count > before.write_operation_count,
           "and in how many pieces");
    EXPECT(below.write_transfer_bytes >= 5 * MIB && below.read_transfer_bytes < 3 * MIB, "the child job has its own");
}

const struct rule rules_of_accounting[] = {
    {"processes_are_counted_when_they_have_ended_too", PAGE_ACCOUNTING, "JobObjectBasicAccountingInformation", 0,
     processes_are_counted_when_they_have_ended_too},
    {"terminating_is_no_violation", PAGE_ACCOUNTING, "JobObjectBasicAccountingInformation TerminateJobObject", 0, terminating_is_no_violation},
    {"times_add_up_and_stay", PAGE_NESTED, "JobObjectBasicAccountingInformation", NEEDS_TIMES | NEEDS_NESTING, times_add_up_and_stay},
    {"input_and_output_add_up", PAGE_IO, "JobObjectBasicAndIoAccountingInformation", NEEDS_IO | NEEDS_NESTING, input_and_output_add_up},
    {0}};
