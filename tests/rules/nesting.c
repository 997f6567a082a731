/* Jobs below jobs: which hierarchies can be, and what they add up to. */
#include "rules.h"

static void a_second_job_must_be_empty(struct rules_host *host) {
    struct rules_job first = rules_job(host), taken = rules_job(host), empty = rules_job(host);
    uint32_t pid = rules_member(host, &first);
    rules_member(host, &taken);
    EXPECT(rules_refused(rules_assign(host, taken.job, pid), 0), "a job with members that is not related refuses it");
    EXPECT(host->alive(host, pid), "the process lives");
    EXPECT(rules_assign(host, empty.job, pid) == JP_OK, "an empty one takes it");
    EXPECT(rules_in(host, first.job, pid) && rules_in(host, empty.job, pid), "it is in both");
}

static void or_in_the_hierarchy_of_the_process(struct rules_host *host) {
    struct rules_job parent = rules_job(host), child = rules_job(host);
    uint32_t one = rules_member(host, &parent), two = rules_member(host, &parent);
    EXPECT(rules_assign(host, child.job, one) == JP_OK, "the first makes a job below");
    EXPECT(rules_assign(host, child.job, two) == JP_OK, "the second joins it, though it has a member");
}

static void a_child_job_takes_only_members_of_its_parent(struct rules_host *host) {
    struct rules_job parent = rules_job(host), child = rules_job(host);
    uint32_t inside = rules_member(host, &parent), outside = rules_process(host);
    EXPECT(rules_assign(host, child.job, inside) == JP_OK, "a job below");
    EXPECT(rules_refused(rules_assign(host, child.job, outside), 0), "somebody from outside is refused");
    EXPECT(rules_assign(host, parent.job, outside) == JP_OK && rules_assign(host, child.job, outside) == JP_OK,
           "from the root of the hierarchy down it may join");
}

static void a_job_cannot_be_skipped(struct rules_host *host) {
    struct rules_job top = rules_job(host), middle = rules_job(host), bottom = rules_job(host);
    uint32_t deep = rules_member(host, &top), shallow = rules_member(host, &top);
    EXPECT(rules_assign(host, middle.job, deep) == JP_OK && rules_assign(host, bottom.job, deep) == JP_OK, "three levels");
    EXPECT(rules_refused(rules_assign(host, bottom.job, shallow), 0), "a member of the top is not one of the middle");
    EXPECT(rules_assign(host, middle.job, shallow) == JP_OK && rules_assign(host, bottom.job, shallow) == JP_OK, "step by step it works");
}

static void parents_have_the_members_of_their_children(struct rules_host *host) {
    struct rules_job parent = rules_job(host), child = rules_job(host);
    uint32_t one = rules_member(host, &parent), two = rules_member(host, &parent);
    EXPECT(rules_assign(host, child.job, two) == JP_OK, "one goes below");
    struct jp_job_info above = rules_get(host, parent.job, JP_JOB_BasicProcessIdList);
    struct jp_job_info below = rules_get(host, child.job, JP_JOB_BasicProcessIdList);
    EXPECT(above.pids.count == 2, "the parent lists both");
    EXPECT(below.pids.count == 1 && below.pids.items[0] == two, "the child its own");
    EXPECT(!rules_in(host, child.job, one), "the other is not in the child");
    jp_job_info_clear(&above);
    jp_job_info_clear(&below);
}

static void accounting_adds_to_each_parent(struct rules_host *host) {
    struct rules_job parent = rules_job(host), child = rules_job(host);
    uint32_t one = rules_member(host, &parent), two = rules_member(host, &parent), code;
    EXPECT(rules_assign(host, child.job, two) == JP_OK, "one goes below");
    host->exit(host, two, 0);
    EXPECT(host->ended(host, two, &code), "and ends");
    struct jp_job_accounting above = rules_get(host, parent.job, JP_JOB_BasicAccountingInformation).accounting;
    struct jp_job_accounting below = rules_get(host, child.job, JP_JOB_BasicAccountingInformation).accounting;
    EXPECT(above.total_processes == 2 && above.active_processes == 1, "the parent counts both");
    EXPECT(below.total_processes == 1 && below.active_processes == 0, "the child one");
    EXPECT(host->alive(host, one), "the other lives");
}

static void children_join_the_whole_chain(struct rules_host *host) {
    struct rules_job parent = rules_job(host), child = rules_job(host);
    uint32_t pid = rules_member(host, &parent);
    EXPECT(rules_assign(host, child.job, pid) == JP_OK, "a chain of two");
    uint32_t born = rules_child(host, pid);
    EXPECT(rules_in(host, parent.job, born) && rules_in(host, child.job, born), "its child is in both");
    EXPECT(host->told(host, parent.key, JP_MSG_NEW_PROCESS, born) && host->told(host, child.key, JP_MSG_NEW_PROCESS, born),
           "both ports are told");
}

static void terminating_a_job_ends_its_child_jobs(struct rules_host *host) {
    struct rules_job parent = rules_job(host), child = rules_job(host);
    uint32_t above = rules_member(host, &parent), below = rules_member(host, &parent), other, code;
    EXPECT(rules_assign(host, child.job, below) == JP_OK, "one goes below");
    EXPECT(host->backend->ops->job_terminate(child.job, 3, &rules_error) == JP_OK, "the child job is terminated");
    EXPECT(host->ended(host, below, &code) && code == 3, "its member ends with that code");
    EXPECT(host->alive(host, above), "that of the parent lives");
    other = rules_child(host, above);
    EXPECT(rules_assign(host, child.job, other) == JP_OK, "the emptied job takes another");
    EXPECT(host->backend->ops->job_terminate(parent.job, 4, &rules_error) == JP_OK, "the parent is terminated");
    EXPECT(host->ended(host, above, &code) && code == 4, "its member ends");
    EXPECT(host->ended(host, other, &code) && code == 4, "and that of the child job");
}

static void the_members_of_an_ended_child_free_it_for_others(struct rules_host *host) {
    struct rules_job first = rules_job(host), second = rules_job(host), child = rules_job(host);
    uint32_t one = rules_member(host, &first), two = rules_member(host, &second), code;
    EXPECT(rules_assign(host, child.job, one) == JP_OK, "a job below the first");
    EXPECT(rules_refused(rules_assign(host, child.job, two), 0), "which the second's member may not join");
    host->exit(host, one, 0);
    EXPECT(host->ended(host, one, &code), "its member ends");
    EXPECT(rules_assign(host, child.job, two) == JP_OK, "empty, it may be below the second");
}

const struct rule rules_of_nesting[] = {
    {"a_second_job_must_be_empty", PAGE_ASSIGN, "AssignProcessToJobObject", NEEDS_NESTING, a_second_job_must_be_empty},
    {"or_in_the_hierarchy_of_the_process", PAGE_ASSIGN, "AssignProcessToJobObject", NEEDS_NESTING, or_in_the_hierarchy_of_the_process},
    {"a_child_job_takes_only_members_of_its_parent", PAGE_NESTED, "AssignProcessToJobObject", NEEDS_NESTING,
     a_child_job_takes_only_members_of_its_parent},
    {"a_job_cannot_be_skipped", PAGE_NESTED, "AssignProcessToJobObject", NEEDS_NESTING, a_job_cannot_be_skipped},
    {"parents_have_the_members_of_their_children", PAGE_NESTED, "JobObjectBasicProcessIdList IsProcessInJob", NEEDS_NESTING,
     parents_have_the_members_of_their_children},
    {"accounting_adds_to_each_parent", PAGE_NESTED, "JobObjectBasicAccountingInformation", NEEDS_NESTING, accounting_adds_to_each_parent},
    {"children_join_the_whole_chain", PAGE_NESTED, "IsProcessInJob JOB_OBJECT_MSG_NEW_PROCESS", NEEDS_NESTING, children_join_the_whole_chain},
    {"terminating_a_job_ends_its_child_jobs", PAGE_NESTED, "TerminateJobObject", NEEDS_NESTING, terminating_a_job_ends_its_child_jobs},
    {"the_members_of_an_ended_child_free_it_for_others", PAGE_ASSIGN, "AssignProcessToJobObject", NEEDS_NESTING,
     the_members_of_an_ended_child_free_it_for_others},
    {0}};
