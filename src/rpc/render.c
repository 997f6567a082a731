/* What the service knows, as the JSON of docs/rpc.md. */
#include "rpc/rpc_internal.h"

#include "base/units.h"
#include "job/messages.h"

void jp__put_event(struct jp_json_out *out, const struct jp_event *event) {
    jp_out_u64(out, "seq", event->seq);
    jp_out_time(out, "time", event->time_100ns);
    jp_out_string(out, "pool", event->pool);
    jp_out_string(out, "message", event->message);
    if (event->pid)
        jp_out_u64(out, "pid", event->pid);
    if (event->start_100ns)
        jp_out_decimal(out, "startTime", event->start_100ns);
    if (event->process)
        jp_out_string(out, "process", event->process);
    jp_out_string(out, "origin", jp_origin_name(event->origin));
    if (event->has_exit_code)
        jp_out_u64(out, "exitCode", event->exit_code);
    if (event->detail)
        jp_out_string(out, "detail", event->detail);
}

static void put_usage(struct jp_json_out *out, const struct jp_usage *usage) {
    bool cpu = usage->known & JP_USAGE_CPU, memory = usage->known & JP_USAGE_MEMORY, io = usage->known & JP_USAGE_IO;
    jp_out_u64_if(out, "userTime100ns", cpu, usage->user_100ns);
    jp_out_u64_if(out, "kernelTime100ns", cpu, usage->kernel_100ns);
    jp_out_u64_if(out, "peakCommitBytes", memory, usage->peak_commit_bytes);
    jp_out_u64_if(out, "peakWorkingSetBytes", memory, usage->peak_working_set_bytes);
    jp_out_u64_if(out, "readOperations", io, usage->read_operations);
    jp_out_u64_if(out, "writeOperations", io, usage->write_operations);
    jp_out_u64_if(out, "otherOperations", io, usage->other_operations);
    jp_out_u64_if(out, "readBytes", io, usage->read_bytes);
    jp_out_u64_if(out, "writeBytes", io, usage->write_bytes);
    jp_out_u64_if(out, "otherBytes", io, usage->other_bytes);
}

void jp__put_process(struct jp_json_out *out, const struct jp_process_record *record) {
    const struct jp_process_facts *facts = &record->facts;
    jp_out_i64(out, "id", record->id);
    jp_out_string(out, "pool", record->pool);
    jp_out_u64(out, "pid", facts->pid);
    jp_out_decimal(out, "startTime", facts->start_100ns);
    jp_out_bool(out, "startTimeExact", record->start_exact);
    jp_out_time(out, "started", facts->start_100ns);
    jp_out_time(out, "joined", record->joined_100ns);
    jp_out_string(out, "joinedBy", jp_origin_name(record->joined_by));
    jp_out_time(out, "ended", record->ended_100ns);
    jp_out_string(out, "ending", jp_ending_name(record->ending));
    jp_out_u64_if(out, "exitCode", record->has_exit_code, record->exit_code);
    jp_out_string(out, "exitCodeName", record->has_exit_code ? jp_exit_code_name(record->exit_code) : NULL);
    jp_out_u64_if(out, "parentPid", facts->parent_pid != 0, facts->parent_pid);
    jp_out_u64_if(out, "session", record->start_exact, facts->session);
    jp_out_string(out, "user", facts->user);
    jp_out_string(out, "image", facts->image);
    jp_out_string(out, "commandLine", facts->command_line);
    put_usage(out, &record->usage);
}

/* Of a pool that has to do with another one; NULL if the caller may not view it. */
static const char *name_for(struct jp_rpc_connection *connection, const struct jp_pool *pool) {
    return pool && jp__rights(connection, pool) & JP_RIGHT_VIEW ? pool->name : NULL;
}

void jp__put_rights(struct jp_json_out *out, const char *key, uint32_t rights) {
    jp_out_array(out, key);
    for (const struct jp_choice *right = jp_rights; right->name; right++)
        if (rights & right->value)
            jp_out_string(out, NULL, right->name);
    jp_out_end_array(out);
}

static void put_pool_identity(struct jp_json_out *out, struct jp_rpc_connection *connection, const struct jp_pool *pool, uint32_t rights) {
    jp_out_string(out, "name", pool->name);
    jp_out_string(out, "state", jp_pool_state_name(pool->state));
    jp_out_string(out, "source", jp_pool_source_name(pool->source));
    jp_out_string(out, "parent", name_for(connection, pool->parent));
    jp_out_string(out, "description", pool->spec.description);
    jp_out_u64(out, "members", pool->member_count);
    jp_out_u64(out, "totalMembers", jp_pool_total_members(pool));
    jp_out_bool(out, "ephemeral", pool->ephemeral != NULL);
    jp__put_rights(out, "rights", rights);
}

void jp__put_pool_row(struct jp_json_out *out, struct jp_rpc_connection *connection, const struct jp_pool *pool, uint32_t rights) {
    put_pool_identity(out, connection, pool, rights);
    jp_out_bool(out, "frozen", jp_pool_frozen_by(pool) != NULL);
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

static void put_enforcers(struct jp_json_out *out, const struct jp_pool *pool, const struct jp_capabilities *host) {
    struct enforced found[MOST_ENFORCED];
    size_t count = find_enforcers(pool, host, found);
    jp_out_object(out, "enforcedBy");
    for (size_t i = 0; i < count; i++)
        jp_out_string(out, found[i].key, jp_enforcer_name(found[i].by));
    jp_out_end_object(out);
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

void jp__put_pool_usage(struct jp_json_out *out, struct jp_rpc_connection *connection, const struct jp_pool_usage *usage) {
    const struct jp_pool *pool = usage->pool, *memory = usage->memory_limit_of, *processes = usage->process_limit_of;
    struct jp_backend *backend = connection->rpc->with.backend;
    const struct jp_capabilities *host = backend->ops->capabilities(backend);
    bool io = host->process_io || usage->read_bytes || usage->write_bytes; /* where handles do not tell, samples may have */
    jp_out_string(out, "name", pool->name);
    jp_out_string(out, "parent", name_for(connection, pool->parent));
    jp_out_string(out, "state", jp_pool_state_name(pool->state));
    jp_out_string(out, "source", jp_pool_source_name(pool->source));
    jp_out_bool(out, "frozen", usage->frozen);
    jp_out_u64(out, "members", pool->member_count);
    jp_out_u64(out, "totalMembers", usage->total_members);
    jp_out_u64(out, "cpuTime100ns", usage->cpu_100ns);
    jp_out_u64(out, "commitBytes", usage->commit_bytes);
    jp_out_u64(out, "workingSetBytes", usage->working_set_bytes);
    jp_out_u64_if(out, "readBytes", io, usage->read_bytes);
    jp_out_u64_if(out, "writeBytes", io, usage->write_bytes);
    jp_out_u64(out, "events", usage->events);
    jp_out_u64_if(out, "memoryLimitBytes", memory != NULL, memory ? memory->spec.limits.job_memory_bytes : 0);
    jp_out_string(out, "memoryLimitBy", memory ? jp_enforcer_name(jp_policy_enforcer(host, &memory->spec, JP_LIMIT_JOB_MEMORY)) : NULL);
    jp_out_u64_if(out, "processLimit", processes != NULL, processes ? processes->spec.limits.active_processes : 0);
    jp_out_string(out, "enforcedBy", enforcers_in_a_word(pool, host));
}

static void put_totals(struct jp_json_out *out, struct jp_rpc *rpc, const struct jp_pool *pool) {
    struct jp_policy_totals totals;
    jp_pools_totals(rpc->with.pools, pool, &totals);
    jp_out_object(out, "usage");
    jp_out_u64(out, "members", totals.members);
    jp_out_u64(out, "userTime100ns", totals.user_100ns);
    jp_out_u64(out, "kernelTime100ns", totals.kernel_100ns);
    jp_out_u64(out, "commitBytes", totals.commit_bytes);
    jp_out_u64(out, "workingSetBytes", totals.working_set_bytes);
    jp_out_u64(out, "readBytes", totals.read_bytes);
    jp_out_u64(out, "writeBytes", totals.write_bytes);
    jp_out_end_object(out);
}

static void put_frozen(struct jp_json_out *out, struct jp_rpc_connection *connection, const struct jp_pool *pool) {
    const struct jp_pool *by = jp_pool_frozen_by(pool);
    jp_out_bool(out, "frozen", by != NULL);
    jp_out_string(out, "frozenBy", by != pool ? name_for(connection, by) : NULL);
    jp_out_bool(out, "keepFrozen", pool->keep_frozen);
}

void jp__put_sampling(struct jp_json_out *out, struct jp_rpc *rpc) {
    struct jp_sampling sampling;
    char buffer[JP_UNITS_TEXT];
    jp_pools_sampling(rpc->with.pools, &sampling);
    jp_out_string(out, "interval", sampling.interval_ms ? jp_duration_format(sampling.interval_ms * JP_100NS_PER_MS, buffer) : NULL);
    jp_out_time(out, "last", sampling.last_100ns);
    jp_out_u64(out, "processes", sampling.processes);
    jp_out_bool(out, "degraded", sampling.degraded);
    jp_out_string(out, "reason", sampling.degraded ? sampling.reason : NULL);
}

/* NULL: the kernel does not tell. */
static void put_job_counters(struct jp_json_out *out, const char *key, const struct jp_job_accounting *counters) {
    if (!counters) {
        jp_out_null(out, key);
        return;
    }
    jp_out_object(out, key);
    jp_out_u64(out, "totalProcesses", counters->total_processes);
    jp_out_u64(out, "activeProcesses", counters->active_processes);
    jp_out_u64(out, "terminatedProcesses", counters->total_terminated_processes);
    jp_out_end_object(out);
}

static void put_pool_job_counters(struct jp_json_out *out, struct jp_rpc *rpc, struct jp_pool *pool) {
    struct jp_job_info info;
    struct jp_error error;
    bool told = jp_pools_query_job(rpc->with.pools, pool, JP_JOB_BasicAccountingInformation, &info, &error) == JP_OK;
    put_job_counters(out, "jobCounters", told ? &info.accounting : NULL);
}

void jp__put_counters(struct jp_json_out *out, struct jp_rpc *rpc, const struct jp_counters *counters, int64_t since_100ns) {
    const struct jp_capabilities *host = rpc->with.backend->ops->capabilities(rpc->with.backend);
    /* Where handles do not tell, samples may have. */
    bool cpu = host->process_times || counters->user_100ns || counters->kernel_100ns;
    bool io = host->process_io || counters->read_operations || counters->write_operations || counters->other_operations;
    jp_out_time(out, "since", since_100ns);
    jp_out_u64(out, "processes", counters->processes);
    jp_out_u64(out, "exited", counters->exited);
    jp_out_u64(out, "crashed", counters->crashed);
    jp_out_u64(out, "terminated", counters->terminated);
    jp_out_u64(out, "unknown", counters->unknown);
    jp_out_u64(out, "failures", counters->failures);
    jp_out_u64(out, "unobserved", counters->unobserved);
    jp_out_u64_if(out, "userTime100ns", cpu, counters->user_100ns);
    jp_out_u64_if(out, "kernelTime100ns", cpu, counters->kernel_100ns);
    jp_out_u64_if(out, "readOperations", io, counters->read_operations);
    jp_out_u64_if(out, "writeOperations", io, counters->write_operations);
    jp_out_u64_if(out, "otherOperations", io, counters->other_operations);
    jp_out_u64_if(out, "readBytes", io, counters->read_bytes);
    jp_out_u64_if(out, "writeBytes", io, counters->write_bytes);
    jp_out_u64_if(out, "otherBytes", io, counters->other_bytes);
    jp_out_u64_if(out, "peakCommitBytes", counters->peak_commit_bytes > 0, counters->peak_commit_bytes);
}

static void put_job(struct jp_json_out *out, struct jp_rpc *rpc, const struct jp_pool_job *job) {
    struct jp_job_info info;
    struct jp_error error;
    jp_out_object(out, NULL);
    jp_out_u64_if(out, "session", job->settled, job->session);
    jp_out_string(out, "objectName", job->object_name);
    jp_out_bool(out, "listening", job->listening);
    jp_out_u64(out, "members", job->settled ? jp_pool_session_members(job->pool, job->session) : 0);
    bool told = rpc->with.backend->ops->job_query(job->job, JP_JOB_BasicAccountingInformation, &info, &error) == JP_OK;
    put_job_counters(out, "counters", told ? &info.accounting : NULL);
    jp_out_end_object(out);
}

static void put_sessions(struct jp_json_out *out, struct jp_rpc *rpc, const struct jp_pool *pool) {
    jp_out_string(out, "sessionMode", jp_choice_name(jp_sessions_choices, pool->spec.sessions));
    jp_out_array(out, "sessions");
    for (size_t i = 0; i < pool->job_count; i++)
        put_job(out, rpc, pool->jobs[i]);
    jp_out_end_array(out);
    jp_out_array(out, "limitsPerSession"); /* each job counts for itself */
    for (size_t i = 0; jp_limits_per_session[i] != JP_LIMIT_COUNT; i++)
        if (pool->spec.limits.present & JP_SCHEMA_BIT(jp_limits_per_session[i]))
            jp_out_string(out, NULL, jp_limit_fields[jp_limits_per_session[i]].key);
    jp_out_end_array(out);
}

static void put_effective_limit(struct jp_json_out *out, enum jp_limit limit, const struct jp_limits *limits, const char *from) {
    const char *key = jp_limit_fields[limit].key;
    cJSON *written = jp_schema_write(jp_limit_fields, limits);
    jp_out_object(out, key);
    jp_out_tree(out, "value", jp_get(written, key));
    jp_out_string(out, "from", from);
    jp_out_end_object(out);
    cJSON_Delete(written);
}

/* Beside each limit that the pool or one above it sets: what comes out, and whose it is. One that is nested too deep has failed, and has none. */
static void put_effective(struct jp_json_out *out, struct jp_rpc_connection *connection, const struct jp_pool *pool) {
    const struct jp_pool_spec *specs[JP_POOL_MAX_DEPTH];
    const struct jp_pool *chain[JP_POOL_MAX_DEPTH];
    bool whole = pool->depth < JP_POOL_MAX_DEPTH;
    jp_out_object(out, "effective");
    for (const struct jp_pool *at = whole ? pool : NULL; at; at = at->parent) {
        chain[at->depth] = at;
        specs[at->depth] = &at->spec;
    }
    for (size_t limit = 0; whole && limit < JP_LIMIT_COUNT; limit++) {
        struct jp_limits limits;
        size_t from = jp_effective_limit(specs, pool->depth + 1, (enum jp_limit)limit, &limits);
        if (from != SIZE_MAX)
            put_effective_limit(out, (enum jp_limit)limit, &limits, name_for(connection, chain[from]));
    }
    jp_out_end_object(out);
}

static void put_limits(struct jp_json_out *out, struct jp_rpc_connection *connection, const struct jp_pool *pool, uint32_t rights) {
    struct jp_backend *backend = connection->rpc->with.backend;
    char buffer[JP_UNITS_TEXT];
    cJSON *spec = jp_schema_write(jp_pool_fields, &pool->spec);
    jp_out_object(out, "limits");
    jp_out_members(out, jp_get(spec, "limits"));
    jp_out_end_object(out);
    put_effective(out, connection, pool);
    put_enforcers(out, pool, backend->ops->capabilities(backend));
    static const char *const others[] = {"notify", "timeouts", "stop", "memory_policy", "match", "exclude", "ui", "security", "end_of_job_time"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        jp_out_tree(out, others[i], jp_get(spec, others[i]));
    jp_out_bool(out, "default", pool->spec.takes_all);
    jp_out_bool(out, "strict", pool->spec.strict);
    jp_out_bool(out, "cpu_rate_fallback", pool->spec.cpu_rate_fallback);
    if (rights & JP_RIGHT_ADMIN)
        jp_out_tree(out, "access", jp_get(spec, "access"));
    cJSON_Delete(spec);
    jp_out_string(out, "when_full", jp_choice_name(jp_when_full_choices, pool->spec.when_full));
    jp_out_string(out, "wait_timeout", jp_duration_format(jp_pool_spec_wait_timeout(&pool->spec), buffer));
    jp_out_u64(out, "waiting", pool->queue_length);
    jp_out_string(out, "on_service_stop",
                  jp_choice_name(jp_on_service_stop_choices, jp_pool_spec_terminates(&pool->spec) ? JP_ON_STOP_TERMINATE : JP_ON_STOP_KEEP));
}

void jp__put_pool(struct jp_json_out *out, struct jp_rpc_connection *connection, struct jp_pool *pool) {
    struct jp_rpc *rpc = connection->rpc;
    uint32_t rights = jp__rights(connection, pool);
    put_pool_identity(out, connection, pool, rights);
    if (pool->state == JP_POOL_FAILED)
        jp_out_string(out, "error", pool->failure->text);
    jp_out_array(out, "children");
    for (size_t i = 0; i < pool->child_count; i++)
        if (name_for(connection, pool->children[i]))
            jp_out_string(out, NULL, pool->children[i]->name);
    jp_out_end_array(out);
    jp_out_string(out, "objectName", pool->object_name);
    jp_out_bool(out, "listening", jp_pool_listening(pool));
    put_limits(out, connection, pool, rights);
    put_sessions(out, rpc, pool);
    put_frozen(out, connection, pool);
    put_totals(out, rpc, pool);
    jp__put_names(out, "troubles", &pool->troubles);
    jp_out_time(out, "created", pool->created_100ns);
    put_pool_job_counters(out, rpc, pool);
    struct jp_counters counters;
    int64_t since_100ns;
    jp_pools_counters(rpc->with.pools, pool, &counters, &since_100ns);
    jp_out_object(out, "counters");
    jp__put_counters(out, rpc, &counters, since_100ns);
    jp_out_end_object(out);
}

void jp__put_sums(struct jp_json_out *out, const struct jp_summary *summary) {
    bool cpu = summary->with_cpu || summary->unobserved, io = summary->with_io || summary->unobserved;
    jp_out_u64(out, "processes", summary->processes);
    jp_out_u64(out, "running", summary->running);
    jp_out_u64(out, "exited", summary->exited);
    jp_out_u64(out, "crashed", summary->crashed);
    jp_out_u64(out, "terminated", summary->terminated);
    jp_out_u64(out, "unknown", summary->unknown);
    jp_out_u64(out, "failures", summary->failures);
    jp_out_u64_if(out, "userTime100ns", cpu, summary->user_100ns);
    jp_out_u64_if(out, "kernelTime100ns", cpu, summary->kernel_100ns);
    jp_out_u64(out, "wallTime100ns", summary->wall_100ns);
    jp_out_u64_if(out, "peakCommitBytes", summary->peak_commit_bytes > 0, summary->peak_commit_bytes);
    jp_out_u64_if(out, "readBytes", io, summary->read_bytes);
    jp_out_u64_if(out, "writeBytes", io, summary->write_bytes);
    jp_out_u64(out, "withCpu", summary->with_cpu);
    jp_out_u64(out, "withIo", summary->with_io);
}

void jp__put_summary(struct jp_json_out *out, const struct jp_summary *summary) {
    jp_out_string(out, "pool", summary->pool);
    jp__put_sums(out, summary);
    jp_out_u64(out, "unobserved", summary->unobserved);
}

void jp__put_names(struct jp_json_out *out, const char *key, const struct jp_strings *names) {
    jp_out_array(out, key);
    for (size_t i = 0; i < names->count; i++)
        jp_out_string(out, NULL, names->items[i]);
    jp_out_end_array(out);
}

void jp__put_capabilities(struct jp_json_out *out, const struct jp_capabilities *host) {
    jp_out_string(out, "host", host->host);
    jp_out_object(out, "limits");
    for (size_t i = 0; i < JP_LIMIT_COUNT; i++)
        jp_out_string(out, jp_limit_fields[i].key, jp_enforcer_name(jp_policy_enforcer(host, NULL, (enum jp_limit)i)));
    jp_out_end_object(out);
    jp_out_string(out, "ui", jp_enforcer_name(host->ui));
    jp_out_string(out, "end_of_job_time",
                            jp_enforcer_name(host->end_of_job_time == JP_ENFORCED_BY_KERNEL ? JP_ENFORCED_BY_KERNEL : JP_ENFORCED_BY_SERVICE));
    jp_out_string(out, "notify", jp_enforcer_name(host->notify == JP_ENFORCED_BY_KERNEL ? JP_ENFORCED_BY_KERNEL : JP_ENFORCED_BY_SERVICE));
    jp_out_bool(out, "nestedJobs", host->nested_jobs);
    jp_out_bool(out, "processTimes", host->process_times);
    jp_out_bool(out, "processIo", host->process_io);
    jp_out_bool(out, "memoryAfterExit", host->memory_after_exit);
}
