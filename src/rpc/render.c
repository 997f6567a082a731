/* What the service knows, as the JSON of docs/rpc.md. */
#include "rpc/rpc_internal.h"

#include "base/units.h"
#include "job/messages.h"

#include <inttypes.h>
#include <stdio.h>

void jp__add_start_time(cJSON *object, int64_t start_100ns) {
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, start_100ns);
    cJSON_AddStringToObject(object, "startTime", text); /* always a string: it is beyond 2^53, and stays of one type */
}

cJSON *jp__render_event(const struct jp_event *event) {
    cJSON *object = cJSON_CreateObject();
    jp_json_add_u64(object, "seq", event->seq);
    jp_json_add_time(object, "time", event->time_100ns);
    cJSON_AddStringToObject(object, "pool", event->pool);
    cJSON_AddStringToObject(object, "message", event->message);
    if (event->pid)
        jp_json_add_u64(object, "pid", event->pid);
    if (event->start_100ns)
        jp__add_start_time(object, event->start_100ns);
    if (event->process)
        cJSON_AddStringToObject(object, "process", event->process);
    cJSON_AddStringToObject(object, "origin", jp_origin_name(event->origin));
    if (event->has_exit_code)
        jp_json_add_u64(object, "exitCode", event->exit_code);
    if (event->detail)
        cJSON_AddStringToObject(object, "detail", event->detail);
    return object;
}

void jp__add_if(cJSON *object, const char *name, bool known, uint64_t value) {
    if (known)
        jp_json_add_u64(object, name, value);
    else
        cJSON_AddNullToObject(object, name);
}

static void add_usage(cJSON *object, const struct jp_usage *usage) {
    bool cpu = usage->known & JP_USAGE_CPU, memory = usage->known & JP_USAGE_MEMORY, io = usage->known & JP_USAGE_IO;
    jp__add_if(object, "userTime100ns", cpu, usage->user_100ns);
    jp__add_if(object, "kernelTime100ns", cpu, usage->kernel_100ns);
    jp__add_if(object, "peakCommitBytes", memory, usage->peak_commit_bytes);
    jp__add_if(object, "peakWorkingSetBytes", memory, usage->peak_working_set_bytes);
    jp__add_if(object, "readOperations", io, usage->read_operations);
    jp__add_if(object, "writeOperations", io, usage->write_operations);
    jp__add_if(object, "otherOperations", io, usage->other_operations);
    jp__add_if(object, "readBytes", io, usage->read_bytes);
    jp__add_if(object, "writeBytes", io, usage->write_bytes);
    jp__add_if(object, "otherBytes", io, usage->other_bytes);
}

cJSON *jp__render_process(const struct jp_process_record *record) {
    const struct jp_process_facts *facts = &record->facts;
    cJSON *object = cJSON_CreateObject();
    jp_json_add_i64(object, "id", record->id);
    cJSON_AddStringToObject(object, "pool", record->pool);
    jp_json_add_u64(object, "pid", facts->pid);
    jp__add_start_time(object, facts->start_100ns);
    cJSON_AddBoolToObject(object, "startTimeExact", record->start_exact);
    jp_json_add_time(object, "started", facts->start_100ns);
    jp_json_add_time(object, "joined", record->joined_100ns);
    cJSON_AddStringToObject(object, "joinedBy", jp_origin_name(record->joined_by));
    jp_json_add_time(object, "ended", record->ended_100ns);
    cJSON_AddStringToObject(object, "ending", jp_ending_name(record->ending));
    jp__add_if(object, "exitCode", record->has_exit_code, record->exit_code);
    jp_json_add_string(object, "exitCodeName", record->has_exit_code ? jp_exit_code_name(record->exit_code) : NULL);
    jp__add_if(object, "parentPid", facts->parent_pid != 0, facts->parent_pid);
    jp__add_if(object, "session", record->start_exact, facts->session);
    jp_json_add_string(object, "user", facts->user);
    jp_json_add_string(object, "image", facts->image);
    jp_json_add_string(object, "commandLine", facts->command_line);
    add_usage(object, &record->usage);
    return object;
}

/* Of a pool that has to do with another one; NULL if the caller may not view it. */
static const char *name_for(struct jp_rpc_connection *connection, const struct jp_pool *pool) {
    return pool && jp__rights(connection, pool) & JP_RIGHT_VIEW ? pool->name : NULL;
}

cJSON *jp__render_rights(uint32_t rights) {
    cJSON *list = cJSON_CreateArray();
    for (const struct jp_choice *right = jp_rights; right->name; right++)
        if (rights & right->value)
            cJSON_AddItemToArray(list, cJSON_CreateString(right->name));
    return list;
}

static void add_pool_identity(struct jp_rpc_connection *connection, cJSON *object, const struct jp_pool *pool) {
    cJSON_AddStringToObject(object, "name", pool->name);
    cJSON_AddStringToObject(object, "state", jp_pool_state_name(pool->state));
    cJSON_AddStringToObject(object, "source", jp_pool_source_name(pool->source));
    jp_json_add_string(object, "parent", name_for(connection, pool->parent));
    jp_json_add_string(object, "description", pool->spec.description);
    jp_json_add_u64(object, "members", pool->member_count);
    jp_json_add_u64(object, "totalMembers", jp_pool_total_members(pool));
    cJSON_AddBoolToObject(object, "ephemeral", pool->ephemeral != NULL);
    cJSON_AddItemToObject(object, "rights", jp__render_rights(jp__rights(connection, pool)));
}

cJSON *jp__render_pool_row(struct jp_rpc_connection *connection, const struct jp_pool *pool) {
    cJSON *object = cJSON_CreateObject();
    add_pool_identity(connection, object, pool);
    cJSON_AddBoolToObject(object, "frozen", jp_pool_frozen_by(pool) != NULL);
    return object;
}

/* --- who enforces --- */

struct enforced {
    const char *key;
    enum jp_enforcer by;
};
enum { MOST_ENFORCED = JP_LIMIT_COUNT + 7 };

/* Who keeps each limit that is set. Admission is checked by the service where the kernel does not count processes. */
static size_t find_enforcers(const struct jp_pool *pool, const struct jp_capabilities *host, struct enforced found[MOST_ENFORCED]) {
    const struct jp_pool_spec *spec = &pool->spec;
    const enum jp_enforcer ours = JP_ENFORCED_BY_SERVICE;
    const struct {
        const char *key;
        bool given;
        enum jp_enforcer by;
    } others[] = {{"ui", spec->present & JP_SCHEMA_BIT(JP_POOL_UI), host->ui},
                  {"end_of_job_time", spec->present & JP_SCHEMA_BIT(JP_POOL_END_OF_JOB_TIME), host->end_of_job_time},
                  {"security", spec->present & JP_SCHEMA_BIT(JP_POOL_SECURITY), ours},
                  {"notify", spec->notify.present != 0, host->notify == JP_ENFORCED_BY_KERNEL ? host->notify : ours},
                  {"timeouts", spec->timeouts.present != 0, ours},
                  {"memory_policy", spec->memory_policy.present != 0, ours},
                  {"match", spec->match.count || spec->takes_all, ours}};
    size_t count = 0;
    for (size_t i = 0; i < JP_LIMIT_COUNT; i++)
        if (spec->limits.present & JP_SCHEMA_BIT(i))
            found[count++] = (struct enforced){jp_limit_fields[i].key, jp_policy_enforcer(host, spec, (enum jp_limit)i)};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].given)
            found[count++] = (struct enforced){others[i].key, others[i].by};
    return count;
}

static cJSON *render_enforcers(const struct jp_pool *pool, const struct jp_capabilities *host) {
    cJSON *object = cJSON_CreateObject();
    struct enforced found[MOST_ENFORCED];
    size_t count = find_enforcers(pool, host, found);
    for (size_t i = 0; i < count; i++)
        cJSON_AddStringToObject(object, found[i].key, jp_enforcer_name(found[i].by));
    return object;
}

/* Over all of them in a word; NULL: it has no limits. */
static const char *enforcers_in_a_word(const struct jp_pool *pool, const struct jp_capabilities *host) {
    struct enforced found[MOST_ENFORCED];
    size_t count = find_enforcers(pool, host, found);
    for (size_t i = 1; i < count; i++)
        if (found[i].by != found[0].by)
            return "mixed";
    return count ? jp_enforcer_name(found[0].by) : NULL;
}

cJSON *jp__render_pool_usage(struct jp_rpc_connection *connection, const struct jp_pool_usage *usage) {
    const struct jp_pool *pool = usage->pool, *memory = usage->memory_limit_of, *processes = usage->process_limit_of;
    struct jp_backend *backend = connection->rpc->with.backend;
    const struct jp_capabilities *host = backend->ops->capabilities(backend);
    bool io = host->process_io || usage->read_bytes || usage->write_bytes; /* where handles do not tell, samples may have */
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", pool->name);
    jp_json_add_string(object, "parent", name_for(connection, pool->parent));
    cJSON_AddStringToObject(object, "state", jp_pool_state_name(pool->state));
    cJSON_AddStringToObject(object, "source", jp_pool_source_name(pool->source));
    cJSON_AddBoolToObject(object, "frozen", usage->frozen);
    jp_json_add_u64(object, "members", pool->member_count);
    jp_json_add_u64(object, "totalMembers", usage->total_members);
    jp_json_add_u64(object, "cpuTime100ns", usage->cpu_100ns);
    jp_json_add_u64(object, "commitBytes", usage->commit_bytes);
    jp_json_add_u64(object, "workingSetBytes", usage->working_set_bytes);
    jp__add_if(object, "readBytes", io, usage->read_bytes);
    jp__add_if(object, "writeBytes", io, usage->write_bytes);
    jp_json_add_u64(object, "events", usage->events);
    jp__add_if(object, "memoryLimitBytes", memory != NULL, memory ? memory->spec.limits.job_memory_bytes : 0);
    jp_json_add_string(object, "memoryLimitBy", memory ? jp_enforcer_name(jp_policy_enforcer(host, &memory->spec, JP_LIMIT_JOB_MEMORY)) : NULL);
    jp__add_if(object, "processLimit", processes != NULL, processes ? processes->spec.limits.active_processes : 0);
    jp_json_add_string(object, "enforcedBy", enforcers_in_a_word(pool, host));
    return object;
}

static cJSON *render_totals(struct jp_rpc *rpc, const struct jp_pool *pool) {
    struct jp_policy_totals totals;
    jp_pools_totals(rpc->with.pools, pool, &totals);
    cJSON *object = cJSON_CreateObject();
    jp_json_add_u64(object, "members", totals.members);
    jp_json_add_u64(object, "userTime100ns", totals.user_100ns);
    jp_json_add_u64(object, "kernelTime100ns", totals.kernel_100ns);
    jp_json_add_u64(object, "commitBytes", totals.commit_bytes);
    jp_json_add_u64(object, "workingSetBytes", totals.working_set_bytes);
    jp_json_add_u64(object, "readBytes", totals.read_bytes);
    jp_json_add_u64(object, "writeBytes", totals.write_bytes);
    return object;
}

static void add_frozen(struct jp_rpc_connection *connection, cJSON *object, const struct jp_pool *pool) {
    const struct jp_pool *by = jp_pool_frozen_by(pool);
    cJSON_AddBoolToObject(object, "frozen", by != NULL);
    jp_json_add_string(object, "frozenBy", by != pool ? name_for(connection, by) : NULL);
    cJSON_AddBoolToObject(object, "keepFrozen", pool->keep_frozen);
}

cJSON *jp__render_sampling(struct jp_rpc *rpc) {
    struct jp_sampling sampling;
    char buffer[JP_UNITS_TEXT];
    cJSON *object = cJSON_CreateObject();
    jp_pools_sampling(rpc->with.pools, &sampling);
    jp_json_add_string(object, "interval", sampling.interval_ms ? jp_duration_format(sampling.interval_ms * JP_100NS_PER_MS, buffer) : NULL);
    jp_json_add_time(object, "last", sampling.last_100ns);
    jp_json_add_u64(object, "processes", sampling.processes);
    cJSON_AddBoolToObject(object, "degraded", sampling.degraded);
    jp_json_add_string(object, "reason", sampling.degraded ? sampling.reason : NULL);
    return object;
}

static void move_member(cJSON *from, cJSON *to, const char *key) {
    cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(from, key);
    cJSON_AddItemToObject(to, key, item ? item : cJSON_CreateNull());
}

static cJSON *job_counters_object(const struct jp_job_accounting *counters) {
    cJSON *object = cJSON_CreateObject();
    jp_json_add_u64(object, "totalProcesses", counters->total_processes);
    jp_json_add_u64(object, "activeProcesses", counters->active_processes);
    jp_json_add_u64(object, "terminatedProcesses", counters->total_terminated_processes);
    return object;
}

static cJSON *render_job_counters(struct jp_rpc *rpc, struct jp_pool *pool) {
    struct jp_job_info info;
    struct jp_error error;
    if (jp_pools_query_job(rpc->with.pools, pool, JP_JOB_BasicAccountingInformation, &info, &error))
        return cJSON_CreateNull();
    return job_counters_object(&info.accounting);
}

cJSON *jp__render_counters(struct jp_rpc *rpc, const struct jp_counters *counters, int64_t since_100ns) {
    const struct jp_capabilities *host = rpc->with.backend->ops->capabilities(rpc->with.backend);
    /* Where handles do not tell, samples may have. */
    bool cpu = host->process_times || counters->user_100ns || counters->kernel_100ns;
    bool io = host->process_io || counters->read_operations || counters->write_operations || counters->other_operations;
    cJSON *object = cJSON_CreateObject();
    jp_json_add_time(object, "since", since_100ns);
    jp_json_add_u64(object, "processes", counters->processes);
    jp_json_add_u64(object, "exited", counters->exited);
    jp_json_add_u64(object, "crashed", counters->crashed);
    jp_json_add_u64(object, "terminated", counters->terminated);
    jp_json_add_u64(object, "unknown", counters->unknown);
    jp_json_add_u64(object, "failures", counters->failures);
    jp_json_add_u64(object, "unobserved", counters->unobserved);
    jp__add_if(object, "userTime100ns", cpu, counters->user_100ns);
    jp__add_if(object, "kernelTime100ns", cpu, counters->kernel_100ns);
    jp__add_if(object, "readOperations", io, counters->read_operations);
    jp__add_if(object, "writeOperations", io, counters->write_operations);
    jp__add_if(object, "otherOperations", io, counters->other_operations);
    jp__add_if(object, "readBytes", io, counters->read_bytes);
    jp__add_if(object, "writeBytes", io, counters->write_bytes);
    jp__add_if(object, "otherBytes", io, counters->other_bytes);
    jp__add_if(object, "peakCommitBytes", counters->peak_commit_bytes > 0, counters->peak_commit_bytes);
    return object;
}

static cJSON *render_job(struct jp_rpc *rpc, const struct jp_pool_job *job) {
    struct jp_job_info info;
    struct jp_error error;
    cJSON *object = cJSON_CreateObject();
    jp__add_if(object, "session", job->settled, job->session);
    cJSON_AddStringToObject(object, "objectName", job->object_name);
    cJSON_AddBoolToObject(object, "listening", job->listening);
    jp_json_add_u64(object, "members", job->settled ? jp_pool_session_members(job->pool, job->session) : 0);
    bool told = rpc->with.backend->ops->job_query(job->job, JP_JOB_BasicAccountingInformation, &info, &error) == JP_OK;
    cJSON_AddItemToObject(object, "counters", told ? job_counters_object(&info.accounting) : cJSON_CreateNull());
    return object;
}

static void add_sessions(struct jp_rpc *rpc, cJSON *object, const struct jp_pool *pool) {
    cJSON_AddStringToObject(object, "sessionMode", jp_choice_name(jp_sessions_choices, pool->spec.sessions));
    cJSON *sessions = cJSON_AddArrayToObject(object, "sessions");
    for (size_t i = 0; i < pool->job_count; i++)
        cJSON_AddItemToArray(sessions, render_job(rpc, pool->jobs[i]));
    cJSON *names = cJSON_AddArrayToObject(object, "limitsPerSession"); /* each job counts for itself */
    for (size_t i = 0; jp_limits_per_session[i] != JP_LIMIT_COUNT; i++)
        if (pool->spec.limits.present & JP_SCHEMA_BIT(jp_limits_per_session[i]))
            cJSON_AddItemToArray(names, cJSON_CreateString(jp_limit_fields[jp_limits_per_session[i]].key));
}

/* Beside each limit that the pool or one above it sets: what comes out, and whose it is. */
static cJSON *render_effective(struct jp_rpc_connection *connection, const struct jp_pool *pool) {
    const struct jp_pool_spec *specs[JP_POOL_MAX_DEPTH];
    const struct jp_pool *chain[JP_POOL_MAX_DEPTH];
    cJSON *object = cJSON_CreateObject();
    if (pool->depth >= JP_POOL_MAX_DEPTH)
        return object; /* it has failed */
    for (const struct jp_pool *at = pool; at; at = at->parent) {
        chain[at->depth] = at;
        specs[at->depth] = &at->spec;
    }
    for (size_t limit = 0; limit < JP_LIMIT_COUNT; limit++) {
        struct jp_limits limits;
        size_t from = jp_effective_limit(specs, pool->depth + 1, (enum jp_limit)limit, &limits);
        if (from == SIZE_MAX)
            continue;
        cJSON *written = jp_schema_write(jp_limit_fields, &limits);
        cJSON *effective = cJSON_AddObjectToObject(object, jp_limit_fields[limit].key);
        cJSON_AddItemToObject(effective, "value", cJSON_DetachItemFromObjectCaseSensitive(written, jp_limit_fields[limit].key));
        jp_json_add_string(effective, "from", name_for(connection, chain[from]));
        cJSON_Delete(written);
    }
    return object;
}

static void add_limits(struct jp_rpc_connection *connection, cJSON *object, const struct jp_pool *pool) {
    struct jp_backend *backend = connection->rpc->with.backend;
    char buffer[JP_UNITS_TEXT];
    cJSON *spec = jp_schema_write(jp_pool_fields, &pool->spec);
    cJSON *limits = cJSON_DetachItemFromObjectCaseSensitive(spec, "limits");
    cJSON_AddItemToObject(object, "limits", limits ? limits : cJSON_CreateObject());
    cJSON_AddItemToObject(object, "effective", render_effective(connection, pool));
    cJSON_AddItemToObject(object, "enforcedBy", render_enforcers(pool, backend->ops->capabilities(backend)));
    static const char *const others[] = {"notify", "timeouts", "stop", "memory_policy", "match", "exclude"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        move_member(spec, object, others[i]);
    cJSON_AddBoolToObject(object, "default", pool->spec.takes_all);
    cJSON_AddBoolToObject(object, "strict", pool->spec.strict);
    cJSON_AddBoolToObject(object, "cpu_rate_fallback", pool->spec.cpu_rate_fallback);
    move_member(spec, object, "ui");
    move_member(spec, object, "security");
    move_member(spec, object, "end_of_job_time");
    if (jp__rights(connection, pool) & JP_RIGHT_ADMIN)
        move_member(spec, object, "access");
    cJSON_Delete(spec);
    cJSON_AddStringToObject(object, "when_full", jp_choice_name(jp_when_full_choices, pool->spec.when_full));
    cJSON_AddStringToObject(object, "wait_timeout", jp_duration_format(jp_pool_spec_wait_timeout(&pool->spec), buffer));
    jp_json_add_u64(object, "waiting", pool->queue_length);
    cJSON_AddStringToObject(object, "on_service_stop",
                            jp_choice_name(jp_on_service_stop_choices, jp_pool_spec_terminates(&pool->spec) ? JP_ON_STOP_TERMINATE : JP_ON_STOP_KEEP));
}

cJSON *jp__render_pool(struct jp_rpc_connection *connection, struct jp_pool *pool) {
    struct jp_rpc *rpc = connection->rpc;
    cJSON *object = cJSON_CreateObject();
    add_pool_identity(connection, object, pool);
    if (pool->state == JP_POOL_FAILED)
        cJSON_AddStringToObject(object, "error", pool->failure->text);
    cJSON *children = cJSON_AddArrayToObject(object, "children");
    for (size_t i = 0; i < pool->child_count; i++)
        if (name_for(connection, pool->children[i]))
            cJSON_AddItemToArray(children, cJSON_CreateString(pool->children[i]->name));
    cJSON_AddStringToObject(object, "objectName", pool->object_name);
    cJSON_AddBoolToObject(object, "listening", jp_pool_listening(pool));
    add_limits(connection, object, pool);
    add_sessions(rpc, object, pool);
    add_frozen(connection, object, pool);
    cJSON_AddItemToObject(object, "usage", render_totals(rpc, pool));
    cJSON_AddItemToObject(object, "troubles", jp__render_names(&pool->troubles));
    jp_json_add_time(object, "created", pool->created_100ns);
    cJSON_AddItemToObject(object, "jobCounters", render_job_counters(rpc, pool));
    struct jp_counters counters;
    int64_t since_100ns;
    jp_pools_counters(rpc->with.pools, pool, &counters, &since_100ns);
    cJSON_AddItemToObject(object, "counters", jp__render_counters(rpc, &counters, since_100ns));
    return object;
}

cJSON *jp__render_summary(const struct jp_summary *summary) {
    cJSON *object = cJSON_CreateObject();
    bool cpu = summary->with_cpu || summary->unobserved, io = summary->with_io || summary->unobserved;
    cJSON_AddStringToObject(object, "pool", summary->pool);
    jp_json_add_u64(object, "processes", summary->processes);
    jp_json_add_u64(object, "running", summary->running);
    jp_json_add_u64(object, "exited", summary->exited);
    jp_json_add_u64(object, "crashed", summary->crashed);
    jp_json_add_u64(object, "terminated", summary->terminated);
    jp_json_add_u64(object, "unknown", summary->unknown);
    jp_json_add_u64(object, "failures", summary->failures);
    jp__add_if(object, "userTime100ns", cpu, summary->user_100ns);
    jp__add_if(object, "kernelTime100ns", cpu, summary->kernel_100ns);
    jp_json_add_u64(object, "wallTime100ns", summary->wall_100ns);
    jp__add_if(object, "peakCommitBytes", summary->peak_commit_bytes > 0, summary->peak_commit_bytes);
    jp__add_if(object, "readBytes", io, summary->read_bytes);
    jp__add_if(object, "writeBytes", io, summary->write_bytes);
    jp_json_add_u64(object, "withCpu", summary->with_cpu);
    jp_json_add_u64(object, "withIo", summary->with_io);
    jp_json_add_u64(object, "unobserved", summary->unobserved);
    return object;
}

cJSON *jp__render_names(const struct jp_strings *names) {
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < names->count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(names->items[i]));
    return list;
}

cJSON *jp__render_capabilities(const struct jp_capabilities *host) {
    cJSON *object = cJSON_CreateObject();
    jp_json_add_string(object, "host", host->host);
    cJSON *limits = cJSON_AddObjectToObject(object, "limits");
    for (size_t i = 0; i < JP_LIMIT_COUNT; i++)
        cJSON_AddStringToObject(limits, jp_limit_fields[i].key, jp_enforcer_name(jp_policy_enforcer(host, NULL, (enum jp_limit)i)));
    cJSON_AddStringToObject(object, "ui", jp_enforcer_name(host->ui));
    cJSON_AddStringToObject(object, "end_of_job_time",
                            jp_enforcer_name(host->end_of_job_time == JP_ENFORCED_BY_KERNEL ? JP_ENFORCED_BY_KERNEL : JP_ENFORCED_BY_SERVICE));
    cJSON_AddStringToObject(object, "notify", jp_enforcer_name(host->notify == JP_ENFORCED_BY_KERNEL ? JP_ENFORCED_BY_KERNEL : JP_ENFORCED_BY_SERVICE));
    cJSON_AddBoolToObject(object, "nestedJobs", host->nested_jobs);
    cJSON_AddBoolToObject(object, "processTimes", host->process_times);
    cJSON_AddBoolToObject(object, "processIo", host->process_io);
    cJSON_AddBoolToObject(object, "memoryAfterExit", host->memory_after_exit);
    return object;
}
