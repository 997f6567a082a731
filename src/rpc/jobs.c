/* Owns the job handles of connections, and what a `job` parameter means. */
#include "rpc/jobs.h"

#include "base/units.h"
#include "job/info.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* --- handles --- */

struct jp_job_handle *jp__job_handle_find(struct jp_rpc_connection *connection, const char *text) {
    struct jp_error ignored;
    uint64_t number;
    if (text[0] != '#' || jp_u64_parse(text + 1, &number, &ignored))
        return NULL;
    struct jp_job_handle *handle = connection->first_job;
    while (handle && handle->number != number)
        handle = handle->next;
    return handle;
}

jp_status jp__job_handle_add(struct jp_rpc_connection *connection, struct jp_job *job, const char *name, struct jp_job_handle **ret_handle,
                             struct jp_error *error) {
    uint32_t most = connection->rpc->with.quotas.jobs;
    if (connection->job_count >= most) {
        connection->rpc->with.backend->ops->job_close(job);
        return jp_fail(error, JP_E_QUOTA, "a connection may hold %" PRIu32 " job handles; close some with job.close", most);
    }
    struct jp_job_handle *handle = jp_alloc(sizeof *handle);
    *handle = (struct jp_job_handle){
        .next = connection->first_job, .number = ++connection->last_job, .name = name ? jp_strdup(name) : NULL, .job = job};
    connection->first_job = handle;
    connection->job_count++;
    *ret_handle = handle;
    return JP_OK;
}

static const struct jp_field *security_fields(void) { return jp_pool_fields[JP_POOL_SECURITY].fields; }

void jp__job_handle_close(struct jp_rpc_connection *connection, struct jp_job_handle *handle) {
    struct jp_job_handle **at = &connection->first_job;
    while (*at != handle)
        at = &(*at)->next;
    *at = handle->next;
    connection->job_count--;
    connection->rpc->with.backend->ops->job_close(handle->job);
    jp_schema_clear(security_fields(), &handle->security);
    jp_free(handle->name);
    jp_free(handle);
}

void jp__jobs_closed(struct jp_rpc_connection *connection) {
    while (connection->first_job)
        jp__job_handle_close(connection, connection->first_job);
}

/* --- names --- */

/* What a right to the job object stands for at a pool. */
static uint32_t right_for(uint32_t access) {
    uint32_t rights = JP_RIGHT_VIEW;
    if (access & JP_JOB_OBJECT_ASSIGN_PROCESS)
        rights = JP_RIGHT_ASSIGN;
    if (access & JP_JOB_OBJECT_TERMINATE)
        rights = JP_RIGHT_CONTROL;
    if (access & JP_JOB_OBJECT_SET_ATTRIBUTES)
        rights = JP_RIGHT_ADMIN;
    return rights;
}

jp_status jp__job_resolve(struct jp_call *call, const char *text, uint32_t access, struct jp_job_reference *ret_reference,
                          struct jp_error *error) {
    struct jp_pools *pools = call->rpc->with.pools;
    struct jp_job_reference reference = {0};
    if (text[0] == '#') {
        reference.handle = jp__job_handle_find(call->connection, text);
        if (!reference.handle)
            return jp_fail(error, JP_E_NO_JOB, "this connection has no job handle \"%.40s\"", text);
        reference.job = reference.handle->job;
        *ret_reference = reference;
        return JP_OK;
    }
    reference.pool = jp_pools_find(pools, text);
    if (!reference.pool)
        reference.pool = jp_pools_find_object(pools, text);
    if (reference.pool && !(jp__rights(call->connection, reference.pool) & JP_RIGHT_VIEW))
        reference.pool = NULL; /* then Windows says what the caller may do with the job */
    if (reference.pool && jp__need(call, reference.pool, right_for(access), error))
        return error->status;
    if (!reference.pool) {
        struct jp_job_naming naming = {.name = text, .desired_access = access, .principal = call->connection->principal};
        jp_status status = call->rpc->with.backend->ops->job_open(call->rpc->with.backend, &naming, &reference.opened, error);
        if (status == JP_E_NO_JOB)
            return jp_fail_because(error, "there is no pool \"%.80s\", and no job object of that name", text);
        if (status)
            return status;
    }
    reference.job = reference.opened;
    *ret_reference = reference;
    return JP_OK;
}

void jp__job_release(struct jp_call *call, struct jp_job_reference *reference) {
    if (reference->opened)
        call->rpc->with.backend->ops->job_close(reference->opened);
    *reference = (struct jp_job_reference){0};
}

/* --- class 5 --- */

#define SECURITY(member) .offset = offsetof(struct jp_security_information, member), .required = true
const struct jp_field jp__security_information_fields[] = {
    {.key = "SecurityLimitFlags", .type = JP_FIELD_BITS, SECURITY(flags), .choices = jp_job_security_choices},
    {.key = "JobToken", .type = JP_FIELD_JSON, SECURITY(token)},
    {.key = "SidsToDisable", .type = JP_FIELD_STRINGS, SECURITY(sids_to_disable), .max = 64},
    {.key = "PrivilegesToDelete", .type = JP_FIELD_STRINGS, SECURITY(privileges_to_delete), .max = 64},
    {.key = "RestrictedSids", .type = JP_FIELD_STRINGS, SECURITY(restricted_sids), .max = 64},
    {0}};

static const struct jp_choice *accounts(void) { return security_fields()[JP_SECURITY_ACCOUNT].choices; }

cJSON *jp__security_write(const struct jp_security *security, uint32_t token_pid) {
    struct jp_security_information information = {
        .present = UINT64_MAX,
        .flags = security->limits,
        .token = token_pid           ? jp_json_u64(token_pid)
                 : security->account ? cJSON_CreateString(jp_choice_name(accounts(), security->account))
                                     : cJSON_CreateNull(),
        .sids_to_disable = security->filter.sids_to_disable, /* borrowed */
        .privileges_to_delete = security->filter.privileges_to_delete,
        .restricted_sids = security->filter.restricted_sids,
    };
    cJSON *json = jp_schema_write(jp__security_information_fields, &information);
    cJSON_Delete(information.token);
    return json;
}

static jp_status token_of(const cJSON *json, struct jp_security *security, uint32_t *ret_token_pid, struct jp_error *error) {
    uint64_t pid = 0;
    *ret_token_pid = 0;
    if (cJSON_IsNull(json))
        return JP_OK;
    if (jp_json_get_u64(json, &pid) && pid && pid <= UINT32_MAX) {
        *ret_token_pid = (uint32_t)pid;
        return JP_OK;
    }
    for (const struct jp_choice *account = accounts(); account->name && cJSON_IsString(json); account++)
        if (strcmp(account->name, json->valuestring) == 0) {
            security->account = account->value;
            security->present |= JP_SCHEMA_BIT(JP_SECURITY_ACCOUNT);
            return JP_OK;
        }
    return jp_fail(error, JP_E_PARAMS, "JobToken: expected null, the id of a process whose token it is, or \"local_service\" or \"network_service\"");
}

jp_status jp__security_of(const struct jp_security_information *information, struct jp_security *ret_security, uint32_t *ret_token_pid,
                          struct jp_error *error) {
    struct jp_security security = {.present = JP_SCHEMA_BIT(JP_SECURITY_LIMITS), .limits = information->flags};
    bool lists = information->sids_to_disable.count || information->privileges_to_delete.count || information->restricted_sids.count;
    if (information->flags & ~(uint32_t)JP_JOB_OBJECT_SECURITY_VALID_FLAGS)
        return jp_fail(error, JP_E_PARAMS, "SecurityLimitFlags: 0x%" PRIX32 " is more than the four limits", information->flags);
    if (token_of(information->token, &security, ret_token_pid, error))
        return error->status;
    if (!cJSON_IsNull(information->token) && !(information->flags & JP_JOB_OBJECT_SECURITY_ONLY_TOKEN))
        return jp_fail(error, JP_E_PARAMS, "JobToken: goes with JOB_OBJECT_SECURITY_ONLY_TOKEN");
    if (lists != ((information->flags & JP_JOB_OBJECT_SECURITY_FILTER_TOKENS) != 0))
        return jp_fail(error, JP_E_PARAMS,
                       "JOB_OBJECT_SECURITY_FILTER_TOKENS goes with what it is to filter: SidsToDisable, PrivilegesToDelete, RestrictedSids");
    security.filter = (struct jp_token_filter){.present = 7,
                                               .sids_to_disable = information->sids_to_disable,
                                               .privileges_to_delete = information->privileges_to_delete,
                                               .restricted_sids = information->restricted_sids};
    security.present |= lists ? JP_SCHEMA_BIT(JP_SECURITY_FILTER) : 0;
    *ret_security = security;
    return JP_OK;
}
