/* What a job tells its completion port. */
#include "rules.h"

#include <string.h>

enum { ACCESS_VIOLATION = (int)0xC0000005 };

static void messages_have_their_names_and_numbers(struct rules_host *host) {
    static const struct {
        uint32_t number;
        const char *name;
    } rows[] = {
#define X(name, value) {value, "JOB_OBJECT_" #name},
        JP_JOB_MESSAGE_TABLE(X)
#undef X
    };
    (void)host;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *name = jp_job_message_name(rows[i].number);
        EXPECT(name && strcmp(name, rows[i].name) == 0, rows[i].name);
        EXPECT(jp_job_message_number(rows[i].name) == rows[i].number, "and back");
    }
}

static void the_port_is_told_who_comes_and_goes(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t one = rules_member(host, &job), two = rules_member(host, &job);
    EXPECT(host->told(host, job.key, JP_MSG_NEW_PROCESS, one) && host->told(host, job.key, JP_MSG_NEW_PROCESS, two), "two come");
    host->exit(host, one, 0);
    EXPECT(host->told(host, job.key, JP_MSG_EXIT_PROCESS, one), "one goes");
    EXPECT(host->count(host, job.key, JP_MSG_ACTIVE_PROCESS_ZERO) == 0, "the job is not empty yet");
    host->exit(host, two, 9);
    EXPECT(host->told(host, job.key, JP_MSG_EXIT_PROCESS, two), "the other goes, with a code that is no crash");
    EXPECT(host->told(host, job.key, JP_MSG_ACTIVE_PROCESS_ZERO, 0), "now it is, told without a pid");
    EXPECT(host->count(host, job.key, JP_MSG_ACTIVE_PROCESS_ZERO) == 0, "once");
}

static void a_crash_has_a_message_of_its_own(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    host->exit(host, pid, (uint32_t)ACCESS_VIOLATION);
    EXPECT(host->told(host, job.key, JP_MSG_ABNORMAL_EXIT_PROCESS, pid), "an access violation is an abnormal exit");
    EXPECT(host->count(host, job.key, JP_MSG_EXIT_PROCESS) == 0, "and no other");
}

static void the_terminated_are_not_told_one_by_one(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pids[3], code;
    for (size_t i = 0; i < 3; i++)
        pids[i] = rules_member(host, &job);
    EXPECT(host->backend->ops->job_terminate(job.job, 5, &rules_error) == JP_OK, "the job is terminated");
    for (size_t i = 0; i < 3; i++)
        EXPECT(host->ended(host, pids[i], &code) && code == 5, "each ends with the code");
    EXPECT(host->told(host, job.key, JP_MSG_ACTIVE_PROCESS_ZERO, 0), "the job is empty");
    EXPECT(host->count(host, job.key, JP_MSG_EXIT_PROCESS) == 0 && host->count(host, job.key, JP_MSG_ACTIVE_PROCESS_ZERO) == 0,
           "that is all that is said");
}

static void every_port_of_a_chain_is_told(struct rules_host *host) {
    struct rules_job parent = rules_job(host), child = rules_job(host);
    uint32_t pid = rules_member(host, &parent);
    EXPECT(rules_assign(host, child.job, pid) == JP_OK, "a chain of two");
    host->exit(host, pid, 0);
    EXPECT(host->told(host, child.key, JP_MSG_EXIT_PROCESS, pid), "the immediate job's port is told");
    EXPECT(host->told(host, parent.key, JP_MSG_EXIT_PROCESS, pid), "and the parent's");
    EXPECT(host->told(host, child.key, JP_MSG_ACTIVE_PROCESS_ZERO, 0) && host->told(host, parent.key, JP_MSG_ACTIVE_PROCESS_ZERO, 0),
           "both are empty");
}

static void a_child_job_needs_no_port_for_its_parent_to_be_told(struct rules_host *host) {
    struct rules_job parent = rules_job(host);
    struct jp_job *child;
    uint32_t pid = rules_member(host, &parent);
    EXPECT(rules_create(host, RULES_WHO, NULL, NULL, &child, NULL) == JP_OK && rules_assign(host, child, pid) == JP_OK, "a job without a port");
    uint32_t born = rules_child(host, pid);
    EXPECT(host->told(host, parent.key, JP_MSG_NEW_PROCESS, born), "its parent's port is told who comes");
    host->exit(host, born, 0);
    EXPECT(host->told(host, parent.key, JP_MSG_EXIT_PROCESS, born), "and who goes");
}

static void limits_of_a_child_job_are_told_to_its_parent(struct rules_host *host) {
    struct rules_job parent = rules_job(host), child = rules_job(host);
    uint32_t pid = rules_member(host, &parent);
    EXPECT(rules_assign(host, child.job, pid) == JP_OK, "a chain of two");
    EXPECT(rules_limit(host, child.job, (struct jp_job_extended_limits){.process_memory_limit_bytes = 100 * MIB}, LIMIT(PROCESS_MEMORY)) == JP_OK,
           "the child has a limit");
    EXPECT(!host->commit(host, pid, 200 * MIB), "it is hit");
    EXPECT(host->told(host, child.key, JP_MSG_PROCESS_MEMORY_LIMIT, pid) && host->told(host, parent.key, JP_MSG_PROCESS_MEMORY_LIMIT, pid),
           "both ports are told");
}

static void limits_of_a_parent_are_not_told_to_its_child_job(struct rules_host *host) {
    struct rules_job parent = rules_job(host), child = rules_job(host);
    uint32_t pid = rules_member(host, &parent);
    EXPECT(rules_assign(host, child.job, pid) == JP_OK, "a chain of two");
    EXPECT(rules_limit(host, parent.job, (struct jp_job_extended_limits){.job_memory_limit_bytes = 100 * MIB}, LIMIT(JOB_MEMORY)) == JP_OK,
           "the parent has a limit");
    EXPECT(!host->commit(host, pid, 200 * MIB), "it is hit from below");
    EXPECT(host->told(host, parent.key, JP_MSG_JOB_MEMORY_LIMIT, pid), "the parent's port is told");
    EXPECT(host->count(host, child.key, JP_MSG_JOB_MEMORY_LIMIT) == 0, "the child's is not");
}

static void a_new_port_is_told_who_is_there(struct rules_host *host) {
    struct rules_job job = rules_job(host), again;
    uint32_t pid = rules_member(host, &job);
    bool existed = false;
    again = rules_job_again(host, &job, &existed);
    EXPECT(existed, "the job is there already");
    EXPECT(host->told(host, again.key, JP_MSG_NEW_PROCESS, pid), "those who are in it are told to the new port");
}

static void a_new_port_displaces_the_other(struct rules_host *host) {
    struct rules_job job = rules_job(host), again;
    uint32_t pid = rules_member(host, &job);
    EXPECT(host->told(host, job.key, JP_MSG_NEW_PROCESS, pid), "the first port is told");
    again = rules_job_again(host, &job, NULL);
    host->exit(host, pid, 0);
    EXPECT(host->told(host, again.key, JP_MSG_EXIT_PROCESS, pid), "the new one is told of the end");
    EXPECT(host->count(host, job.key, JP_MSG_EXIT_PROCESS) == 0, "the first one is not");
}

static void messages_may_be_lost_but_notification_limits_are_not(struct rules_host *host) {
    struct rules_job job = rules_job(host);
    uint32_t pid = rules_member(host, &job);
    struct jp_job_info limits = {.class = JP_JOB_NotificationLimitInformation,
                                 .notification = {.io_read_bytes_limit = 1000, .limit_flags = LIMIT(JOB_READ_BYTES)}};
    EXPECT(rules_set(host, job.job, &limits) == JP_OK, "a notification limit");
    host->lose_all(host, true);
    host->read(host, pid, 2000);
    uint32_t child = rules_child(host, pid);
    EXPECT(host->count(host, job.key, JP_MSG_NOTIFICATION_LIMIT) == 1, "is told");
    EXPECT(!host->told(host, job.key, JP_MSG_NEW_PROCESS, child), "while others get lost");
    EXPECT(rules_in(host, job.job, child), "what they would have told has happened all the same");
    host->lose_all(host, false);
}

const struct rule rules_of_messages[] = {
    {"messages_have_their_names_and_numbers", PAGE_PORT,
     "JOB_OBJECT_MSG_END_OF_JOB_TIME JOB_OBJECT_MSG_END_OF_PROCESS_TIME JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO "
     "JOB_OBJECT_MSG_NEW_PROCESS JOB_OBJECT_MSG_EXIT_PROCESS JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT "
     "JOB_OBJECT_MSG_JOB_MEMORY_LIMIT JOB_OBJECT_MSG_NOTIFICATION_LIMIT JOB_OBJECT_MSG_JOB_CYCLE_TIME_LIMIT JOB_OBJECT_MSG_SILO_TERMINATED",
     0, messages_have_their_names_and_numbers},
    {"the_port_is_told_who_comes_and_goes", PAGE_PORT,
     "JobObjectAssociateCompletionPortInformation JOB_OBJECT_MSG_NEW_PROCESS JOB_OBJECT_MSG_EXIT_PROCESS JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO", 0,
     the_port_is_told_who_comes_and_goes},
    {"a_crash_has_a_message_of_its_own", PAGE_PORT, "JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS", NEEDS_ABNORMAL, a_crash_has_a_message_of_its_own},
    {"the_terminated_are_not_told_one_by_one", PAGE_TERMINATE, "TerminateJobObject JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO", 0,
     the_terminated_are_not_told_one_by_one},
    {"every_port_of_a_chain_is_told", PAGE_PORT, "JOB_OBJECT_MSG_EXIT_PROCESS JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO", NEEDS_NESTING,
     every_port_of_a_chain_is_told},
    {"a_child_job_needs_no_port_for_its_parent_to_be_told", PAGE_NESTED, "JOB_OBJECT_MSG_NEW_PROCESS JOB_OBJECT_MSG_EXIT_PROCESS",
     NEEDS_NESTING, a_child_job_needs_no_port_for_its_parent_to_be_told},
    {"limits_of_a_child_job_are_told_to_its_parent", PAGE_PORT, "JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT", NEEDS_NESTING | NEEDS_MEMORY,
     limits_of_a_child_job_are_told_to_its_parent},
    {"limits_of_a_parent_are_not_told_to_its_child_job", PAGE_PORT, "JOB_OBJECT_MSG_JOB_MEMORY_LIMIT", NEEDS_NESTING | NEEDS_MEMORY,
     limits_of_a_parent_are_not_told_to_its_child_job},
    {"a_new_port_is_told_who_is_there", PAGE_PORT, "JobObjectAssociateCompletionPortInformation JOB_OBJECT_MSG_NEW_PROCESS", NEEDS_REATTACH,
     a_new_port_is_told_who_is_there},
    {"a_new_port_displaces_the_other", PAGE_PORT, "JobObjectAssociateCompletionPortInformation", NEEDS_REATTACH, a_new_port_displaces_the_other},
    {"messages_may_be_lost_but_notification_limits_are_not", PAGE_PORT, "JOB_OBJECT_MSG_NOTIFICATION_LIMIT", NEEDS_LOSS | NEEDS_NOTIFY,
     messages_may_be_lost_but_notification_limits_are_not},
    {0}};
