/* Jobs as named objects. */
#include "rules.h"

#include <stdio.h>

enum { NOT_FOUND = 2, INVALID_HANDLE = 6 };
static const uint32_t all = JP_JOB_OBJECT_ALL_ACCESS;

static void creating_a_name_that_is_there_opens_it(struct rules_host *host) {
    const char *name = rules_name(host, "Local\\");
    struct jp_job *first, *second;
    bool existed = true;
    EXPECT(rules_create(host, RULES_WHO, name, NULL, &first, &existed) == JP_OK && !existed, "a new job");
    uint32_t pid = rules_process(host);
    EXPECT(rules_assign(host, first, pid) == JP_OK, "with a member");
    EXPECT(rules_create(host, RULES_WHO, name, NULL, &second, &existed) == JP_OK && existed, "the same name again is that job");
    EXPECT(rules_in(host, second, pid), "as it was");
}

static void jobs_without_a_name_are_different(struct rules_host *host) {
    struct jp_job *first, *second;
    bool existed = true;
    EXPECT(rules_create(host, RULES_WHO, NULL, NULL, &first, &existed) == JP_OK && !existed, "one");
    EXPECT(rules_create(host, RULES_WHO, NULL, NULL, &second, &existed) == JP_OK && !existed, "another");
    uint32_t pid = rules_process(host);
    EXPECT(rules_assign(host, first, pid) == JP_OK && !rules_in(host, second, pid), "who is in one is not in the other");
}

static void a_name_that_nobody_has_cannot_be_opened(struct rules_host *host) {
    struct jp_job *job;
    EXPECT(rules_open(host, RULES_WHO, rules_name(host, "Local\\"), all, &job) == JP_E_NO_JOB, "there is no such job");
    EXPECT(rules_error.win32 == NOT_FOUND, "ERROR_FILE_NOT_FOUND");
}

static void names_are_case_sensitive(struct rules_host *host) {
    char upper[96];
    const char *name = rules_name(host, "Local\\a");
    struct jp_job *job, *other;
    bool existed = true;
    snprintf(upper, sizeof upper, "Local\\A%s", name + sizeof "Local\\a" - 1);
    EXPECT(rules_create(host, RULES_WHO, name, NULL, &job, NULL) == JP_OK, "a job");
    EXPECT(rules_open(host, RULES_WHO, upper, all, &other) == JP_E_NO_JOB, "is not found with a capital");
    EXPECT(rules_create(host, RULES_WHO, upper, NULL, &other, &existed) == JP_OK && !existed, "which may be another's name");
}

static void global_and_local_are_two_namespaces(struct rules_host *host) {
    char global[96];
    const char *local = rules_name(host, "Local\\");
    struct jp_job *one, *other;
    bool existed = true;
    snprintf(global, sizeof global, "Global\\%s", local + sizeof "Local\\" - 1);
    EXPECT(rules_create(host, RULES_WHO, local, NULL, &one, NULL) == JP_OK, "a local job");
    EXPECT(rules_open(host, RULES_WHO, global, all, &other) == JP_E_NO_JOB, "is not in the global namespace");
    EXPECT(rules_create(host, RULES_WHO, global, NULL, &other, &existed) == JP_OK && !existed, "which may have one of the same name");
}

static void a_plain_name_is_local(struct rules_host *host) {
    char local[96];
    const char *plain = rules_name(host, "");
    struct jp_job *one, *same;
    snprintf(local, sizeof local, "Local\\%s", plain);
    EXPECT(rules_create(host, RULES_WHO, plain, NULL, &one, NULL) == JP_OK, "a plain name");
    EXPECT(rules_open(host, RULES_WHO, local, all, &same) == JP_OK, "is found with Local\\ before it");
}

static void each_session_has_its_names(struct rules_host *host) {
    const char *plain = rules_name(host, "");
    char there[96];
    struct jp_job *ours, *theirs, *same;
    bool existed = true;
    snprintf(there, sizeof there, "Session\\2\\%s", plain);
    EXPECT(rules_create(host, RULES_WHO, plain, NULL, &ours, NULL) == JP_OK, "a job here");
    EXPECT(rules_create(host, RULES_OTHER_SESSION, plain, NULL, &theirs, &existed) == JP_OK && !existed, "is not that of another session");
    EXPECT(rules_open(host, RULES_WHO, there, all, &same) == JP_OK, "which is found under its session's number");
}

static void jobs_share_their_names_with_other_objects(struct rules_host *host) {
    const char *name = rules_name(host, "Local\\");
    struct jp_job *job;
    host->take_name(host, name);
    EXPECT(rules_refused(rules_create(host, RULES_WHO, name, NULL, &job, NULL), INVALID_HANDLE), "an event of that name: ERROR_INVALID_HANDLE");
    EXPECT(rules_refused(rules_open(host, RULES_WHO, name, all, &job), INVALID_HANDLE), "nor can it be opened");
}

static void the_name_goes_with_the_last_handle(struct rules_host *host) {
    const char *name = rules_name(host, "Local\\");
    struct jp_job *first, *second;
    EXPECT(rules_create(host, RULES_WHO, name, NULL, &first, NULL) == JP_OK, "a job");
    uint32_t pid = rules_process(host);
    EXPECT(rules_assign(host, first, pid) == JP_OK, "with a member");
    EXPECT(rules_open(host, RULES_WHO, name, all, &second) == JP_OK, "held twice");
    rules_close(host, first);
    EXPECT(rules_open(host, RULES_WHO, name, all, &first) == JP_OK, "is there while one handle is");
    rules_close(host, first);
    rules_close(host, second);
    EXPECT(rules_open(host, RULES_WHO, name, all, &first) == JP_E_NO_JOB, "and gone with the last");
    EXPECT(host->alive(host, pid) && rules_in(host, NULL, pid), "though its member lives, in a job without a name");
}

static void a_squatted_name_is_not_trusted(struct rules_host *host) {
    const char *name = rules_name(host, "Global\\");
    struct jp_job *squatted;
    struct jp_job_obtained obtained;
    EXPECT(rules_create(host, RULES_USER, name, NULL, &squatted, NULL) == JP_OK, "a user takes the name");
    EXPECT(host->backend->ops->job_obtain(host->backend, name, 999, &obtained, &rules_error) == JP_E_DENIED, "the service does not use it");
}

const struct rule rules_of_names[] = {
    {"creating_a_name_that_is_there_opens_it", PAGE_CREATE, "CreateJobObject", 0, creating_a_name_that_is_there_opens_it},
    {"jobs_without_a_name_are_different", PAGE_CREATE, "CreateJobObject", 0, jobs_without_a_name_are_different},
    {"a_name_that_nobody_has_cannot_be_opened", PAGE_OPEN, "OpenJobObject", 0, a_name_that_nobody_has_cannot_be_opened},
    {"names_are_case_sensitive", PAGE_CREATE, "CreateJobObject OpenJobObject", 0, names_are_case_sensitive},
    {"global_and_local_are_two_namespaces", PAGE_NAMESPACES, "CreateJobObject OpenJobObject", 0, global_and_local_are_two_namespaces},
    {"a_plain_name_is_local", PAGE_NAMESPACES, "CreateJobObject OpenJobObject", 0, a_plain_name_is_local},
    {"each_session_has_its_names", PAGE_NAMESPACES, "CreateJobObject OpenJobObject", NEEDS_SESSIONS, each_session_has_its_names},
    {"jobs_share_their_names_with_other_objects", PAGE_CREATE, "CreateJobObject OpenJobObject", 0, jobs_share_their_names_with_other_objects},
    {"the_name_goes_with_the_last_handle", PAGE_JOBS, "OpenJobObject", NEEDS_NAME_DIES, the_name_goes_with_the_last_handle},
    {"a_squatted_name_is_not_trusted", PAGE_RIGHTS, "CreateJobObject", NEEDS_SECURITY, a_squatted_name_is_not_trusted},
    {0}};
