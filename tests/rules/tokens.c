/* Tokens: the four security limits, as the backend gives them to the pools, and whose processes may be touched. */
#include "rules.h"

#include <string.h>

static jp_status check(struct rules_host *host, uint32_t pid, uint32_t security) {
    const struct jp_backend_ops *ops = host->backend->ops;
    struct jp_process *process;
    jp_status status = ops->process_open(host->backend, pid, 0, JP_PROCESS_OBSERVE, NULL, &process, &rules_error);
    if (status)
        return status;
    status = ops->process_check_token(process, security, &rules_error);
    ops->process_close(process);
    return status;
}

static uint32_t spawn_as(struct rules_host *host, enum rules_who who) {
    uint32_t pid = 0;
    EXPECT(host->spawn(host, &(struct rules_child){.as = who, .as_somebody = true}, &pid) == 0, "a process of somebody");
    return pid;
}

/* Launches, checks the token, and ends it. `user` NULL: whoever. Returns the status of the check. */
static jp_status launch(struct rules_host *host, const struct jp_launch *like, uint32_t security, const char *user) {
    const struct jp_backend_ops *ops = host->backend->ops;
    struct jp_launch wanted = *like;
    struct jp_process *process;
    struct jp_process_facts facts = {0};
    wanted.command_line = host->command_line;
    jp_status status = ops->process_launch(host->backend, &wanted, &process, &rules_error);
    if (!EXPECT(status == JP_OK, "it is launched"))
        return status;
    EXPECT(ops->process_facts(process, &facts, &rules_error) == JP_OK, "its facts are known");
    EXPECT(!user || (facts.user && strcmp(facts.user, user) == 0), "it runs as that user");
    status = ops->process_check_token(process, security, &rules_error);
    ops->process_terminate(process, 0, &rules_error);
    jp_process_facts_clear(&facts);
    ops->process_close(process);
    return status;
}

static void no_admin_refuses_administrators(struct rules_host *host) {
    EXPECT(check(host, spawn_as(host, RULES_ADMIN), JP_JOB_OBJECT_SECURITY_NO_ADMIN) == JP_E_DENIED, "an administrator's process");
    EXPECT(check(host, spawn_as(host, RULES_USER), JP_JOB_OBJECT_SECURITY_NO_ADMIN) == JP_OK, "but not a user's");
    EXPECT(check(host, spawn_as(host, RULES_ADMIN), 0) == JP_OK, "without the limit anybody's passes");
}

static void restricted_token_refuses_unrestricted_ones(struct rules_host *host) {
    EXPECT(check(host, spawn_as(host, RULES_USER), JP_JOB_OBJECT_SECURITY_RESTRICTED_TOKEN) == JP_E_DENIED, "an ordinary token");
}

static void only_token_launches_with_the_given_one(struct rules_host *host) {
    const struct jp_backend_ops *ops = host->backend->ops;
    struct jp_principal *token = NULL;
    uint32_t pid = spawn_as(host, RULES_USER);
    if (!EXPECT(ops->token_of_process(host->backend, pid, NULL, &token, &rules_error) == JP_OK, "the token of a process is had"))
        return;
    EXPECT(launch(host, &(struct jp_launch){.token = token}, JP_JOB_OBJECT_SECURITY_NO_ADMIN, NULL) == JP_OK, "what is launched has its rights");
    ops->token_free(host->backend, token);
}

static void an_account_has_a_token(struct rules_host *host) {
    const struct jp_backend_ops *ops = host->backend->ops;
    struct jp_principal *token = NULL;
    if (EXPECT(ops->token_of_account(host->backend, JP_TOKEN_LOCAL_SERVICE, &token, &rules_error) == JP_OK, "LocalService")) {
        EXPECT(launch(host, &(struct jp_launch){.token = token}, JP_JOB_OBJECT_SECURITY_NO_ADMIN, "NT AUTHORITY\\LOCAL SERVICE") == JP_OK,
               "is no administrator");
        ops->token_free(host->backend, token);
    }
    if (EXPECT(ops->token_of_account(host->backend, JP_TOKEN_NETWORK_SERVICE, &token, &rules_error) == JP_OK, "NetworkService")) {
        launch(host, &(struct jp_launch){.token = token}, 0, "NT AUTHORITY\\NETWORK SERVICE");
        ops->token_free(host->backend, token);
    }
    EXPECT(ops->token_of_account(host->backend, JP_TOKEN_NONE, &token, &rules_error) != JP_OK, "there are no others");
}

static void filter_tokens_takes_rights_away(struct rules_host *host) {
    char admins[] = "S-1-5-32-544", everyone[] = "S-1-1-0", shutdown[] = "SeShutdownPrivilege";
    char *disabled[] = {admins}, *restricting[] = {everyone}, *deleted[] = {shutdown};
    struct jp_token_filter filter = {.sids_to_disable = {disabled, 1}, .privileges_to_delete = {deleted, 1}};
    struct jp_launch as_admin = {.principal = host->principal(host, RULES_ADMIN)};
    EXPECT(launch(host, &as_admin, JP_JOB_OBJECT_SECURITY_NO_ADMIN, NULL) == JP_E_DENIED, "an administrator's process is one");
    as_admin.filter = &filter;
    EXPECT(launch(host, &as_admin, JP_JOB_OBJECT_SECURITY_NO_ADMIN, NULL) == JP_OK, "without the group it is none");
    EXPECT(launch(host, &as_admin, JP_JOB_OBJECT_SECURITY_RESTRICTED_TOKEN, NULL) == JP_E_DENIED, "which is no restriction yet");
    filter.restricted_sids = (struct jp_strings){restricting, 1};
    EXPECT(launch(host, &as_admin, JP_JOB_OBJECT_SECURITY_RESTRICTED_TOKEN, NULL) == JP_OK, "with restricting SIDs it is");
}

static void tokens_are_lent_to_administrators_only(struct rules_host *host) {
    const struct jp_backend_ops *ops = host->backend->ops;
    struct jp_principal *token = NULL;
    uint32_t pid = spawn_as(host, RULES_USER);
    EXPECT(ops->token_of_process(host->backend, pid, host->principal(host, RULES_USER), &token, &rules_error) == JP_E_DENIED, "a user gets none");
    if (EXPECT(ops->token_of_process(host->backend, pid, host->principal(host, RULES_ADMIN), &token, &rules_error) == JP_OK, "an administrator"))
        ops->token_free(host->backend, token);
}

static void processes_are_opened_with_the_callers_rights(struct rules_host *host) {
    const struct jp_backend_ops *ops = host->backend->ops;
    struct jp_process *process;
    uint32_t users = spawn_as(host, RULES_USER), admins = spawn_as(host, RULES_ADMIN);
    struct jp_principal *user = host->principal(host, RULES_USER), *admin = host->principal(host, RULES_ADMIN);
    EXPECT(ops->process_open(host->backend, admins, 0, JP_PROCESS_TERMINATE, user, &process, &rules_error) == JP_E_DENIED,
           "a user does not open an administrator's process");
    if (EXPECT(ops->process_open(host->backend, users, 0, JP_PROCESS_TERMINATE, user, &process, &rules_error) == JP_OK, "but the user's own"))
        ops->process_close(process);
    if (EXPECT(ops->process_open(host->backend, users, 0, JP_PROCESS_ASSIGN, admin, &process, &rules_error) == JP_OK, "an administrator opens it"))
        ops->process_close(process);
    EXPECT(ops->process_open(host->backend, users, 0, JP_PROCESS_OBSERVE, host->principal(host, RULES_NOBODY), &process, &rules_error) ==
               JP_E_DENIED, "who only identifies itself opens nothing");
}

static void what_is_launched_is_in_the_callers_session(struct rules_host *host) {
    const struct jp_backend_ops *ops = host->backend->ops;
    struct jp_principal *remote = host->principal(host, RULES_OTHER_SESSION);
    struct jp_launch wanted = {.command_line = host->command_line, .principal = remote};
    struct jp_process *process;
    struct jp_process_facts facts = {0};
    if (!EXPECT(ops->process_launch(host->backend, &wanted, &process, &rules_error) == JP_OK, "somebody in another session launches"))
        return;
    EXPECT(ops->process_facts(process, &facts, &rules_error) == JP_OK && facts.session == ops->session_of(host->backend, remote), "into that one");
    EXPECT(facts.session != ops->session_of(host->backend, NULL), "which is not ours");
    ops->process_terminate(process, 0, &rules_error);
    jp_process_facts_clear(&facts);
    ops->process_close(process);
}

const struct rule rules_of_tokens[] = {
    {"no_admin_refuses_administrators", PAGE_SECURITY, "JOB_OBJECT_SECURITY_NO_ADMIN JobObjectSecurityLimitInformation", NEEDS_TOKENS,
     no_admin_refuses_administrators},
    {"restricted_token_refuses_unrestricted_ones", PAGE_SECURITY, "JOB_OBJECT_SECURITY_RESTRICTED_TOKEN JobObjectSecurityLimitInformation",
     NEEDS_TOKENS, restricted_token_refuses_unrestricted_ones},
    {"only_token_launches_with_the_given_one", PAGE_SECURITY, "JOB_OBJECT_SECURITY_ONLY_TOKEN JobObjectSecurityLimitInformation", NEEDS_TOKENS,
     only_token_launches_with_the_given_one},
    {"an_account_has_a_token", PAGE_SECURITY, "JOB_OBJECT_SECURITY_ONLY_TOKEN", NEEDS_TOKENS, an_account_has_a_token},
    {"filter_tokens_takes_rights_away", PAGE_SECURITY, "JOB_OBJECT_SECURITY_FILTER_TOKENS JOB_OBJECT_SECURITY_RESTRICTED_TOKEN", NEEDS_TOKENS,
     filter_tokens_takes_rights_away},
    {"tokens_are_lent_to_administrators_only", PAGE_PROCESS_RIGHTS, "JOB_OBJECT_SECURITY_ONLY_TOKEN", NEEDS_TOKENS,
     tokens_are_lent_to_administrators_only},
    {"processes_are_opened_with_the_callers_rights", PAGE_PROCESS_RIGHTS, "AssignProcessToJobObject", NEEDS_TOKENS,
     processes_are_opened_with_the_callers_rights},
    {"what_is_launched_is_in_the_callers_session", PAGE_ASSIGN, "AssignProcessToJobObject", NEEDS_SESSIONS,
     what_is_launched_is_in_the_callers_session},
    {0}};
