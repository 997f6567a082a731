/* Tokens: who a principal is, what it may open, and which tokens processes run with. */
#include "sim_internal.h"

static size_t principal_index(const struct jp_sim *sim, const struct jp_principal *principal) {
    size_t i = 0;
    while (i < sim->principal_count && sim->principals[i] != principal)
        i++;
    return i;
}

/* Tests with no tokens of ours pass pointers to whatever: those act as the service does. */
const struct jp_principal *jp__who(const struct jp_sim *sim, const struct jp_principal *principal) {
    return principal && principal_index(sim, principal) < sim->principal_count ? principal : &sim->service;
}

struct jp_principal *jp_sim_principal_new(struct jp_sim *sim, const struct jp_principal *like) {
    struct jp_principal *principal = jp_alloc(sizeof *principal);
    *principal = *like;
    if (!*principal->sid)
        jp__sid_of_name(principal->user, principal->sid, sizeof principal->sid);
    sim->principals = jp_realloc_array(sim->principals, sim->principal_count + 1, sizeof(struct jp_principal *));
    sim->principals[sim->principal_count++] = principal;
    return principal;
}

static struct jp_principal *of_name(struct jp_sim *sim, const char *name, uint32_t session, bool admin) {
    struct jp_principal like = {.session = session, .admin = admin, .elevated = admin};
    snprintf(like.user, sizeof like.user, "%s", name);
    return jp_sim_principal_new(sim, &like);
}

struct jp_principal *jp_sim_user(struct jp_sim *sim, const char *name, uint32_t session) { return of_name(sim, name, session, false); }
struct jp_principal *jp_sim_admin(struct jp_sim *sim, const char *name, uint32_t session) { return of_name(sim, name, session, true); }

void jp_sim_principal_free(struct jp_sim *sim, struct jp_principal *principal) {
    if (!principal)
        return;
    size_t at = principal_index(sim, principal);
    if (at == sim->principal_count) {
        fprintf(stderr, "simulated kernel: a token is freed that is none, or twice\n");
        abort();
    }
    sim->principals[at] = sim->principals[--sim->principal_count];
    jp_free(principal);
}

bool jp__may_open(const struct jp_sim *sim, const struct jp_principal *principal, const struct sim_process *process) {
    const struct jp_principal *who = jp__who(sim, principal);
    if (process->protected || who->level == JP_SIM_IDENTIFY)
        return false;
    return who->system || who->admin || strcmp(who->user, process->token.user) == 0;
}

jp_status jp__process_check_token(struct jp_process *handle, uint32_t security, struct jp_error *error) {
    if (!handle->process)
        return jp_fail_win32(error, JP_E_SYSTEM, WIN32_INVALID_HANDLE, "OpenProcessToken", "the handle is closed");
    if (jp__fails(handle->sim, "OpenProcessToken", error))
        return error->status;
    const struct jp_principal *token = &handle->process->token;
    unsigned pid = handle->process->pid;
    if (security & JP_JOB_OBJECT_SECURITY_NO_ADMIN && token->admin)
        return jp_fail(error, JP_E_DENIED, "process %u is an administrator's", pid);
    if (security & JP_JOB_OBJECT_SECURITY_RESTRICTED_TOKEN && !token->restricted)
        return jp_fail(error, JP_E_DENIED, "the token of process %u is not restricted", pid);
    return JP_OK;
}

jp_status jp__token_of_process(struct jp_backend *backend, uint32_t pid, struct jp_principal *principal, struct jp_principal **ret_token,
                               struct jp_error *error) {
    struct jp_sim *sim = jp__sim(backend);
    const struct jp_principal *who = jp__who(sim, principal);
    if (jp__fails(sim, "OpenProcessToken", error))
        return error->status;
    if (!who->admin && !who->system)
        return jp_fail(error, JP_E_DENIED, "only an administrator may launch with another process's token");
    struct sim_process *process = jp__find(sim, pid);
    if (!process || !process->alive)
        return jp_fail(error, JP_E_NO_PROCESS, "there is no process %u", (unsigned)pid);
    if (!jp__may_open(sim, principal, process))
        return jp_fail_win32(error, JP_E_DENIED, WIN32_ACCESS_DENIED, "OpenProcess", "cannot open process %u", (unsigned)pid);
    *ret_token = jp_sim_principal_new(sim, &process->token);
    return JP_OK;
}

jp_status jp__token_of_account(struct jp_backend *backend, enum jp_token_account account, struct jp_principal **ret_token,
                               struct jp_error *error) {
    struct jp_sim *sim = jp__sim(backend);
    if (jp__fails(sim, "LogonUser", error))
        return error->status;
    bool network = account == JP_TOKEN_NETWORK_SERVICE;
    if (!network && account != JP_TOKEN_LOCAL_SERVICE)
        return jp_fail(error, JP_E_PARAMS, "there is no such account");
    *ret_token = of_name(sim, network ? "NT AUTHORITY\\NETWORK SERVICE" : "NT AUTHORITY\\LOCAL SERVICE", sim->service.session, false);
    return JP_OK;
}

void jp__token_free(struct jp_backend *backend, struct jp_principal *token) { jp_sim_principal_free(jp__sim(backend), token); }

uint32_t jp__session_of(struct jp_backend *backend, const struct jp_principal *principal) {
    return jp__who(jp__sim(backend), principal)->session;
}

static bool names_administrators(const char *sid) {
    return strcmp(sid, "S-1-5-32-544") == 0 || jp_ascii_equal_nocase(sid, "BUILTIN\\Administrators") ||
           jp_ascii_equal_nocase(sid, "Administrators");
}

/* CreateRestrictedToken: a group that is disabled only denies. */
void jp__filter_token(struct jp_principal *token, const struct jp_token_filter *filter) {
    for (size_t i = 0; i < filter->sids_to_disable.count; i++)
        if (token->admin && names_administrators(filter->sids_to_disable.items[i])) {
            token->admin = false;
            token->only_denies = true;
        }
    token->disabled_sids += (uint32_t)filter->sids_to_disable.count;
    token->deleted_privileges += (uint32_t)filter->privileges_to_delete.count;
    token->restricted_sids += (uint32_t)filter->restricted_sids.count;
    token->restricted = token->restricted || token->restricted_sids > 0;
    token->system = token->system && !token->restricted;
}
