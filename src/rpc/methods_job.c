/* job.*: win32job's eight functions. A pool answers as a job object; any other job is reached with the caller's own rights. */
#include "rpc/jobs.h"

#include "job/configure.h"
#include "job/info.h"

#include <inttypes.h>
#include <stdio.h>

static struct jp_backend *backend_of(const struct jp_call *call) { return call->rpc->with.backend; }

/* With what is held. */
static void answer(struct jp_call *call, jp_status status, const struct jp_error *error) {
    if (status)
        jp__refuse(call, error);
    else
        jp__reply_held(call);
}

static struct jp_json_out *hold_named(struct jp_call *call, const char *job) {
    struct jp_json_out *out = jp__reply_hold(call);
    jp_out_string(out, "job", job);
    return out;
}

/* --- create, open, close --- */

static void answer_with_handle(struct jp_call *call, struct jp_job *job, const char *name, bool existed) {
    struct jp_job_handle *handle;
    struct jp_error error;
    char text[24];
    if (jp__job_handle_add(call->connection, job, name, &handle, &error)) {
        jp__refuse(call, &error);
        return;
    }
    snprintf(text, sizeof text, "#%" PRIu64, handle->number);
    struct jp_json_out *out = jp__reply_begin(call);
    jp_out_string(out, "job", text);
    jp_out_string(out, "name", name);
    jp_out_bool(out, "existed", existed);
    jp__reply_end(call);
}

void jp__on_job_create(struct jp_call *call, const void *parameters) {
    const struct jp_job_parameters *given = parameters;
    struct jp_job_naming naming = {.name = given->name, .security_sddl = given->security, .principal = call->connection->principal};
    struct jp_job *job;
    struct jp_error error;
    bool existed;
    if (backend_of(call)->ops->job_create(backend_of(call), &naming, &job, &existed, &error))
        jp__refuse(call, &error);
    else
        answer_with_handle(call, job, given->name, existed);
}

/* A handle of the service is inherited by nobody: what it launches gets NUL and nothing else. So `inheritHandles` is taken, and
 * has no effect. */
void jp__on_job_open(struct jp_call *call, const void *parameters) {
    const struct jp_job_parameters *given = parameters;
    struct jp_pool *pool = jp_pools_find(call->rpc->with.pools, given->name);
    if (pool && !(jp__rights(call->connection, pool) & JP_RIGHT_VIEW))
        pool = NULL;
    const char *name = pool ? pool->object_name : given->name;
    struct jp_job_naming naming = {.name = name, .desired_access = given->access, .principal = call->connection->principal};
    struct jp_job *job;
    struct jp_error error;
    if (backend_of(call)->ops->job_open(backend_of(call), &naming, &job, &error))
        jp__refuse(call, &error);
    else
        answer_with_handle(call, job, name, true);
}

void jp__on_job_close(struct jp_call *call, const void *parameters) {
    const struct jp_job_parameters *given = parameters;
    struct jp_error error;
    struct jp_job_handle *handle = jp__job_handle_find(call->connection, given->job);
    if (!handle) {
        jp_fail(&error, JP_E_NO_JOB, "this connection has no job handle \"%.40s\"", given->job);
        jp__refuse(call, &error);
        return;
    }
    jp__job_handle_close(call->connection, handle);
    jp_out_string(jp__reply_begin(call), "job", given->job);
    jp__reply_end(call);
}

/* --- processes --- */

static void hold_assigned(struct jp_call *call, const char *job, uint32_t pid, int64_t start_100ns) {
    struct jp_json_out *out = hold_named(call, job);
    jp_out_u64(out, "pid", pid);
    jp_out_decimal(out, "startTime", start_100ns);
}

static void on_joined(void *context, jp_status status, const struct jp_error *error, const struct jp_process_record *record, uint64_t seq) {
    struct jp_call *call = context;
    (void)seq;
    if (status == JP_OK)
        hold_assigned(call, call->text, record->facts.pid, record->facts.start_100ns);
    answer(call, status, error);
}

/* The security limits of a handle are the service's: Windows knows none. */
static jp_status check_security(const struct jp_backend_ops *ops, struct jp_process *process, const struct jp_job_handle *handle,
                                struct jp_error *error) {
    uint32_t limits = handle ? handle->security.limits : 0;
    if (limits & (JP_JOB_OBJECT_SECURITY_ONLY_TOKEN | JP_JOB_OBJECT_SECURITY_FILTER_TOKENS))
        return jp_fail(error, JP_E_DENIED,
                       "the job gives its processes their token (ONLY_TOKEN, FILTER_TOKENS), so it takes none that run already");
    return limits ? ops->process_check_token(process, limits, error) : JP_OK;
}

static jp_status assign_to_job(struct jp_call *call, const struct jp_job_reference *reference, const struct jp_job_parameters *given,
                               int64_t *ret_start_100ns, struct jp_error *error) {
    const struct jp_backend_ops *ops = backend_of(call)->ops;
    struct jp_process *process;
    struct jp_process_facts facts = {0};
    jp_status status = ops->process_open(backend_of(call), given->pid, (int64_t)given->start_100ns, JP_PROCESS_ASSIGN,
                                         call->connection->principal, &process, error);
    if (status)
        return status;
    status = check_security(ops, process, reference->handle, error);
    if (status == JP_OK)
        status = ops->process_facts(process, &facts, error);
    if (status == JP_OK)
        status = ops->job_assign(reference->job, process, error);
    *ret_start_100ns = facts.start_100ns;
    jp_process_facts_clear(&facts);
    ops->process_close(process);
    return status;
}

/* To a pool as well it is done as Windows does it: over a limit the process is terminated. */
void jp__on_job_assign_process(struct jp_call *call, const void *parameters) {
    const struct jp_job_parameters *given = parameters;
    struct jp_job_reference reference;
    struct jp_error error;
    int64_t start_100ns = 0;
    if (jp__job_resolve(call, given->job, JP_JOB_OBJECT_ASSIGN_PROCESS, &reference, &error)) {
        jp__refuse(call, &error);
    } else if (reference.pool) {
        call->text = jp_strdup(given->job);
        jp_pools_join(call->rpc->with.pools, &(struct jp_joining){.pool = reference.pool, .pid = given->pid, .start_100ns = (int64_t)given->start_100ns,
                                                                  .principal = call->connection->principal, .as_windows = true,
                                                                  .callback = on_joined, .context = call});
    } else {
        jp_status status = assign_to_job(call, &reference, given, &start_100ns, &error);
        jp__job_release(call, &reference);
        hold_assigned(call, given->job, given->pid, start_100ns);
        answer(call, status, &error);
    }
}

static jp_status contains(struct jp_call *call, const struct jp_job_reference *reference, struct jp_process *process, bool *ret_contains,
                          struct jp_error *error) {
    if (reference->pool)
        return jp_pools_contains(call->rpc->with.pools, reference->pool, process, ret_contains, error);
    return backend_of(call)->ops->job_contains(reference->job, process, ret_contains, error);
}

void jp__on_job_is_process_in_job(struct jp_call *call, const void *parameters) {
    const struct jp_job_parameters *given = parameters;
    const struct jp_backend_ops *ops = backend_of(call)->ops;
    struct jp_job_reference reference = {0};
    struct jp_process *process;
    struct jp_error error;
    bool in_job = false;
    jp_status status = given->job ? jp__job_resolve(call, given->job, JP_JOB_OBJECT_QUERY, &reference, &error) : JP_OK;
    if (status == JP_OK) {
        status = ops->process_open(backend_of(call), given->pid, (int64_t)given->start_100ns, JP_PROCESS_OBSERVE, call->connection->principal,
                                   &process, &error);
        if (status == JP_OK) {
            status = contains(call, &reference, process, &in_job, &error);
            ops->process_close(process);
        }
        jp__job_release(call, &reference);
    }
    jp_out_bool(jp__reply_hold(call), "inJob", in_job);
    answer(call, status, &error);
}

void jp__on_job_terminate(struct jp_call *call, const void *parameters) {
    const struct jp_job_parameters *given = parameters;
    struct jp_job_reference reference;
    struct jp_error error;
    size_t count;
    jp_status status = jp__job_resolve(call, given->job, JP_JOB_OBJECT_TERMINATE, &reference, &error);
    if (status == JP_OK) {
        status = reference.pool ? jp_pools_terminate(call->rpc->with.pools, reference.pool, given->exit_code, &count, &error)
                                : backend_of(call)->ops->job_terminate(reference.job, given->exit_code, &error);
        jp__job_release(call, &reference);
    }
    jp_out_u64(hold_named(call, given->job), "exitCode", given->exit_code);
    answer(call, status, &error);
}

/* --- information --- */

/* The class's row, if it can do what is asked. */
static jp_status find_class(uint32_t class, unsigned can, const struct jp_job_class_row **ret_row, struct jp_error *error) {
    const struct jp_job_class_row *row = jp_job_class_find((enum jp_job_class)class);
    if (!row)
        return jp_fail(error, JP_E_UNSUPPORTED, "Microsoft documents no structure for information class %" PRIu32, class);
    if (!(row->can & can) && class == JP_JOB_AssociateCompletionPortInformation)
        return jp_fail(error, JP_E_DENIED, "%s cannot be set: a job has one completion port, and a pool's is the service's", row->name);
    if (!(row->can & can))
        return jp_fail(error, JP_E_UNSUPPORTED, "%s can only be %s", row->name, can == JP_CLASS_SET ? "queried" : "set");
    *ret_row = row;
    return JP_OK;
}

static cJSON *port_information(const struct jp_pool *pool) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddBoolToObject(object, "Attached", pool && jp_pool_listening(pool));
    cJSON *jobs = cJSON_AddArrayToObject(object, "Jobs");
    for (size_t i = 0; pool && i < pool->job_count; i++) {
        cJSON *job = cJSON_CreateObject();
        jp_json_add_string(job, "ObjectName", pool->jobs[i]->object_name);
        jp_json_add_u64(job, "CompletionKey", pool->jobs[i]->key);
        cJSON_AddBoolToObject(job, "Attached", pool->jobs[i]->listening);
        jp_json_add_u64(job, "Messages", pool->jobs[i]->message_count);
        cJSON_AddItemToArray(jobs, job);
    }
    return object;
}

static jp_status query(struct jp_call *call, const struct jp_job_reference *reference, enum jp_job_class class, cJSON **ret_json,
                       struct jp_error *error) {
    static const struct jp_security no_security = {0};
    struct jp_job_info info;
    if (class == JP_JOB_AssociateCompletionPortInformation) {
        *ret_json = port_information(reference->pool);
        return JP_OK;
    }
    if (class == JP_JOB_SecurityLimitInformation) {
        const struct jp_security *security = reference->pool ? &reference->pool->spec.security : reference->handle ? &reference->handle->security : &no_security;
        *ret_json = jp__security_write(security, reference->pool ? reference->pool->token_pid : 0);
        return JP_OK;
    }
    jp_status status = reference->pool ? jp_pools_query_job(call->rpc->with.pools, reference->pool, class, &info, error)
                                       : backend_of(call)->ops->job_query(reference->job, class, &info, error);
    if (status)
        return status;
    *ret_json = jp_job_info_write(&info);
    jp_job_info_clear(&info);
    return JP_OK;
}

/* Null is the job of the process that asks. The service can tell it where it knows the process; the process itself always. */
static jp_status resolve_own(struct jp_call *call, struct jp_job_reference *ret_reference, struct jp_error *error) {
    struct jp_peer *peer = call->connection->peer;
    struct jp_member *member;
    uint32_t pid = peer->ops->process_id(peer);
    if (!pid || jp_pools_find_process(call->rpc->with.pools, pid, 0, &member, error))
        return jp_fail(error, JP_E_NO_JOB,
                       "the calling process (%" PRIu32 ") is in no pool; the job that it may be in, only the process itself can ask: jp_job_query(NULL) of "
                       "jobpool/job.h, or jobpool job query --own",
                       pid);
    *ret_reference = (struct jp_job_reference){.pool = member->pool};
    return JP_OK;
}

static void put_class(struct jp_json_out *out, const struct jp_job_class_row *row) {
    jp_out_u64(out, "class", row->class);
    jp_out_string(out, "name", row->name);
}

void jp__on_job_query_information(struct jp_call *call, const void *parameters) {
    const struct jp_job_parameters *given = parameters;
    const struct jp_job_class_row *row;
    struct jp_job_reference reference = {0};
    struct jp_error error;
    cJSON *info = NULL;
    jp_status status = find_class(given->class, JP_CLASS_QUERY, &row, &error);
    if (status == JP_OK)
        status = given->job ? jp__job_resolve(call, given->job, JP_JOB_OBJECT_QUERY, &reference, &error) : resolve_own(call, &reference, &error);
    if (status == JP_OK) {
        status = query(call, &reference, row->class, &info, &error);
        jp__job_release(call, &reference);
    }
    if (status) {
        jp__refuse(call, &error);
        return;
    }
    struct jp_json_out *out = jp__reply_begin(call);
    put_class(out, row);
    jp_out_tree(out, "info", info);
    jp__reply_end(call);
    cJSON_Delete(info);
}

static jp_status set_pool_security(struct jp_call *call, struct jp_pool *pool, const struct jp_security *security, uint32_t token_pid,
                                   struct jp_error *error) {
    struct jp_principal *token = NULL;
    bool same = token_pid && token_pid == pool->token_pid; /* as it was queried: that process may have ended */
    if (jp__need(call, NULL, JP_RIGHT_ADMIN, error)) /* it reaches beyond the pool, as pool.update has it */
        return error->status;
    if (token_pid && !same && backend_of(call)->ops->token_of_process(backend_of(call), token_pid, call->connection->principal, &token, error))
        return error->status;
    return jp_pools_set_security(call->rpc->with.pools, pool, security, token, token_pid, error);
}

static jp_status set_security(struct jp_call *call, const struct jp_job_reference *reference, const cJSON *json, struct jp_error *error) {
    struct jp_security_information information = {0};
    struct jp_security security;
    struct jp_faults faults = {0};
    uint32_t token_pid;
    jp_status status = JP_OK;
    if (!jp_schema_read(&(struct jp_schema_context){.faults = &faults}, jp__security_information_fields, json, "", &information))
        status = jp_fail(error, JP_E_PARAMS, "JobObjectSecurityLimitInformation: %s", faults.items[0].text);
    if (status == JP_OK)
        status = jp__security_of(&information, &security, &token_pid, error);
    if (status == JP_OK && reference->pool) {
        status = set_pool_security(call, reference->pool, &security, token_pid, error);
    } else if (status == JP_OK && reference->handle) {
        const struct jp_field *fields = jp_pool_fields[JP_POOL_SECURITY].fields;
        jp_schema_clear(fields, &reference->handle->security);
        jp_schema_copy(fields, &security, &reference->handle->security);
    } else if (status == JP_OK) {
        status = jp_fail(error, JP_E_UNSUPPORTED,
                         "Windows has kept no security limits since Vista, and the service keeps them for pools and for handles: open the job first (job.open)");
    }
    jp_schema_clear(jp__security_information_fields, &information);
    jp_faults_free(&faults);
    return status;
}

/* What is wrong with them, setting tells. */
static jp_status check_limits(struct jp_call *call, const struct jp_pool *pool, const struct jp_job_info *info, struct jp_error *error) {
    struct jp_pool_spec wanted = {0};
    struct jp_error ignored;
    bool restart_job_time;
    jp_status status = JP_OK;
    if (jp_job_info_to_spec(info, &wanted, &restart_job_time, &ignored) == JP_OK)
        status = jp__need_for_limits(call, &wanted.limits, &pool->spec.limits, error);
    jp_schema_clear(jp_pool_fields, &wanted);
    return status;
}

static jp_status set(struct jp_call *call, const struct jp_job_reference *reference, enum jp_job_class class, const cJSON *json,
                     struct jp_error *error) {
    struct jp_job_info info;
    if (class == JP_JOB_SecurityLimitInformation)
        return set_security(call, reference, json, error);
    jp_status status = jp_job_info_read(class, json, &info, error);
    if (status)
        return status;
    if (!reference->pool)
        status = jp_job_set_information(backend_of(call), reference->job, &info, error);
    else if ((status = check_limits(call, reference->pool, &info, error)) == JP_OK)
        status = jp_pools_set_job(call->rpc->with.pools, reference->pool, &info, error);
    jp_job_info_clear(&info);
    return status;
}

/* Reading too, if the caller may: what is equal is left alone. */
static jp_status resolve_to_set(struct jp_call *call, const char *job, struct jp_job_reference *ret_reference, struct jp_error *error) {
    if (jp__job_resolve(call, job, JP_JOB_OBJECT_SET_ATTRIBUTES | JP_JOB_OBJECT_QUERY, ret_reference, error) == JP_OK)
        return JP_OK;
    return error->status == JP_E_DENIED ? jp__job_resolve(call, job, JP_JOB_OBJECT_SET_ATTRIBUTES, ret_reference, error) : error->status;
}

void jp__on_job_set_information(struct jp_call *call, const void *parameters) {
    const struct jp_job_parameters *given = parameters;
    const struct jp_job_class_row *row;
    struct jp_job_reference reference;
    struct jp_error error;
    jp_status status = find_class(given->class, JP_CLASS_SET, &row, &error);
    if (status == JP_OK)
        status = resolve_to_set(call, given->job, &reference, &error);
    if (status == JP_OK) {
        status = set(call, &reference, row->class, given->info, &error);
        jp__job_release(call, &reference);
    }
    if (status) {
        jp__refuse(call, &error);
        return;
    }
    put_class(jp__reply_hold(call), row);
    jp__reply_when_durable(call);
}

/* --- user handles --- */

void jp__on_job_grant_user_handle(struct jp_call *call, const void *parameters) {
    const struct jp_job_parameters *given = parameters;
    struct jp_job_reference reference;
    struct jp_error error;
    jp_status status = jp__job_resolve(call, given->job, JP_JOB_OBJECT_QUERY, &reference, &error);
    if (status == JP_OK && reference.pool)
        status = jp__need(call, reference.pool, JP_RIGHT_CONTROL, &error);
    if (status == JP_OK && reference.pool && !reference.pool->job_count)
        status = jp_fail(&error, JP_E_POOL_FAILED, "pool \"%s\" has no job object: %s", reference.pool->name, reference.pool->failure->text);
    if (status == JP_OK) {
        struct jp_job *job = reference.pool ? reference.pool->jobs[0]->job : reference.job;
        status = backend_of(call)->ops->job_grant_user_handle(job, given->handle, given->grant, call->connection->principal, &error);
        jp__job_release(call, &reference);
    }
    jp_out_bool(hold_named(call, given->job), "granted", given->grant);
    answer(call, status, &error);
}
