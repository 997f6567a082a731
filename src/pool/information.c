/* A pool as a job object: its information classes, over all its jobs. */
#include "pool/pools_internal.h"

#include "job/info.h"

const enum jp_limit jp_limits_per_session[] = {JP_LIMIT_ACTIVE_PROCESSES, JP_LIMIT_JOB_MEMORY,   JP_LIMIT_JOB_TIME,
                                               JP_LIMIT_CPU_RATE,         JP_LIMIT_NETWORK_RATE, JP_LIMIT_COUNT};

static void add_basic(struct jp_job_accounting *sum, const struct jp_job_accounting *job) {
    sum->total_user_time_100ns += job->total_user_time_100ns;
    sum->total_kernel_time_100ns += job->total_kernel_time_100ns;
    sum->this_period_total_user_time_100ns += job->this_period_total_user_time_100ns;
    sum->this_period_total_kernel_time_100ns += job->this_period_total_kernel_time_100ns;
    sum->total_page_fault_count += job->total_page_fault_count;
    sum->total_processes += job->total_processes;
    sum->active_processes += job->active_processes;
    sum->total_terminated_processes += job->total_terminated_processes;
}

static void add_io(struct jp_job_io *sum, const struct jp_job_io *job) {
    sum->read_operation_count += job->read_operation_count;
    sum->write_operation_count += job->write_operation_count;
    sum->other_operation_count += job->other_operation_count;
    sum->read_transfer_bytes += job->read_transfer_bytes;
    sum->write_transfer_bytes += job->write_transfer_bytes;
    sum->other_transfer_bytes += job->other_transfer_bytes;
}

void jp__add_accounting(struct jp_job_accounting_and_io *sum, const struct jp_job_accounting_and_io *job) {
    add_basic(&sum->basic, &job->basic);
    add_io(&sum->io, &job->io);
}

static uint64_t larger(uint64_t one, uint64_t other) { return one > other ? one : other; }

static void add_list(struct jp_job_pid_list *sum, const struct jp_job_pid_list *job) {
    sum->items = jp_realloc_array(sum->items, sum->count + job->count + 1, sizeof *sum->items);
    for (size_t i = 0; i < job->count; i++)
        sum->items[sum->count++] = job->items[i];
}

/* One job's answer into the pool's. */
static void merge(struct jp_job_info *sum, const struct jp_job_info *job) {
    struct jp_job_extended_limits *limits = &sum->extended_limits;
    switch (sum->class) {
    case JP_JOB_BasicAccountingInformation:
        add_basic(&sum->accounting, &job->accounting);
        break;
    case JP_JOB_BasicAndIoAccountingInformation:
        jp__add_accounting(&sum->accounting_and_io, &job->accounting_and_io);
        break;
    case JP_JOB_BasicProcessIdList:
        add_list(&sum->pids, &job->pids);
        break;
    case JP_JOB_ExtendedLimitInformation:
        limits->peak_process_memory_bytes = larger(limits->peak_process_memory_bytes, job->extended_limits.peak_process_memory_bytes);
        limits->peak_job_memory_bytes = larger(limits->peak_job_memory_bytes, job->extended_limits.peak_job_memory_bytes);
        break;
    case JP_JOB_MemoryUsageInformation:
        sum->memory_usage.job_memory_bytes += job->memory_usage.job_memory_bytes;
        sum->memory_usage.peak_job_memory_bytes = larger(sum->memory_usage.peak_job_memory_bytes, job->memory_usage.peak_job_memory_bytes);
        break;
    case JP_JOB_LimitViolationInformation:
    case JP_JOB_LimitViolationInformation2:
        if (job->violations.violation_limit_flags || !sum->violations.limit_flags)
            sum->violations = job->violations; /* of the job that has some */
        break;
    default:
        break;
    }
}

/* What jobs that are closed have counted. */
static void add_past(struct jp_job_info *sum, const struct jp_job_accounting_and_io *past) {
    if (sum->class == JP_JOB_BasicAccountingInformation)
        add_basic(&sum->accounting, &past->basic);
    else if (sum->class == JP_JOB_BasicAndIoAccountingInformation)
        jp__add_accounting(&sum->accounting_and_io, past);
}

static jp_status sum_over_jobs(struct jp_pools *pools, const struct jp_pool *pool, struct jp_job_info *sum, struct jp_error *error) {
    for (size_t i = 0; i < pool->job_count; i++) {
        struct jp_job_info job;
        jp_status status = jp__ops(pools)->job_query(pool->jobs[i]->job, sum->class, &job, error);
        if (status)
            return status;
        merge(sum, &job);
        jp_job_info_clear(&job);
    }
    if (pool->past)
        add_past(sum, pool->past);
    return JP_OK;
}

static bool is_setting(const struct jp_pool *pool, enum jp_job_class class) {
    const struct jp_job_class_row *row = jp_job_class_find(class);
    bool groups = class == JP_JOB_GroupInformation || class == JP_JOB_GroupInformationEx;
    return (row->can & JP_CLASS_SET) && !(groups && !pool->spec.limits.processor_groups.count);
}

jp_status jp_pools_query_job(struct jp_pools *pools, struct jp_pool *pool, enum jp_job_class class, struct jp_job_info *ret_info,
                             struct jp_error *error) {
    if (jp__pool_available(pool, error))
        return error->status;
    if (class == JP_JOB_JobSetInformation || ((class == JP_JOB_GroupInformation || class == JP_JOB_GroupInformationEx) && !is_setting(pool, class)))
        return jp__ops(pools)->job_query(pool->jobs[0]->job, class, ret_info, error);
    struct jp_job_info info = {.class = class};
    jp_status status = JP_OK;
    if (is_setting(pool, class))
        status = jp_job_info_of_spec(&pool->spec, class, &info, error);
    bool has_peaks = class == JP_JOB_ExtendedLimitInformation;
    if (status == JP_OK && (has_peaks || !is_setting(pool, class)))
        status = sum_over_jobs(pools, pool, &info, error);
    if (status)
        jp_job_info_clear(&info);
    else
        *ret_info = info;
    return status;
}

jp_status jp_pools_set_job(struct jp_pools *pools, struct jp_pool *pool, const struct jp_job_info *info, struct jp_error *error) {
    struct jp_pool_spec merged = {0};
    struct jp_job_info now;
    bool restart_job_time;
    if (jp__pool_available(pool, error))
        return error->status;
    if (jp_job_info_of_spec(&pool->spec, info->class, &now, error))
        return error->status;
    bool equal = jp_job_info_equal(&now, info);
    jp_job_info_clear(&now);
    if (!equal && jp_pools_query_job(pools, pool, info->class, &now, error) == JP_OK) { /* what the host has where the pool says nothing */
        equal = jp_job_info_equal(&now, info);
        jp_job_info_clear(&now);
    }
    if (equal)
        return JP_OK;
    jp_schema_copy(jp_pool_fields, &pool->spec, &merged);
    if (jp_job_info_to_spec(info, &merged, &restart_job_time, error)) {
        jp_schema_clear(jp_pool_fields, &merged);
        return error->status;
    }
    return jp__pool_respec(pools, pool, &merged, restart_job_time, error);
}

jp_status jp_pools_set_security(struct jp_pools *pools, struct jp_pool *pool, const struct jp_security *security,
                                struct jp_principal *token, uint32_t token_pid, struct jp_error *error) {
    struct jp_pool_spec merged = {0}, change = {.present = JP_SCHEMA_BIT(JP_POOL_SECURITY), .security = *security}; /* borrowed */
    jp_schema_copy(jp_pool_fields, &pool->spec, &merged);
    if (!security->limits)
        change.present = JP_SCHEMA_NULL_BIT(JP_POOL_SECURITY);
    jp_schema_merge(jp_pool_fields, &merged, &change);
    bool keep = !token && token_pid && token_pid == pool->token_pid;
    jp_status status = jp__pool_available(pool, error);
    if (status)
        jp_schema_clear(jp_pool_fields, &merged);
    else
        status = jp__pool_respec(pools, pool, &merged, false, error);
    if (keep)
        return status;
    struct jp_principal *superfluous = status ? token : pool->token;
    if (status == JP_OK) {
        pool->token = token;
        pool->token_pid = token ? token_pid : 0;
    }
    if (superfluous)
        jp__ops(pools)->token_free(pools->with.backend, superfluous);
    return status;
}

jp_status jp_pools_contains(struct jp_pools *pools, struct jp_pool *pool, struct jp_process *process, bool *ret_contains,
                            struct jp_error *error) {
    *ret_contains = false;
    for (size_t i = 0; i < pool->job_count && !*ret_contains; i++)
        if (jp__ops(pools)->job_contains(pool->jobs[i]->job, process, ret_contains, error))
            return error->status;
    return JP_OK;
}
