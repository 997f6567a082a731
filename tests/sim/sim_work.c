/* What processes use: time, memory, input and output; and what the kernel does when it is too much.
 * https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_extended_limit_information
 * https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_notification_limit_information */
#include "sim_internal.h"

/* --- accounting: to the immediate job and to each of its parents --- */

static uint64_t max_of(uint64_t one, uint64_t other) { return one > other ? one : other; }

static void note_peaks(struct sim_job *job, const struct sim_process *process) {
    job->limits.peak_job_memory_bytes = max_of(job->limits.peak_job_memory_bytes, job->memory);
    job->limits.peak_process_memory_bytes = max_of(job->limits.peak_process_memory_bytes, process->commit);
}

/* What it used before counts from now on as well. */
void jp__account_join(struct sim_process *process, struct sim_job *job) {
    const struct jp_usage *usage = &process->usage;
    struct jp_job_io *io = &job->sum.io;
    job->sum.basic.total_user_time_100ns += usage->user_100ns;
    job->sum.basic.total_kernel_time_100ns += usage->kernel_100ns;
    io->read_operation_count += usage->read_operations;
    io->write_operation_count += usage->write_operations;
    io->other_operation_count += usage->other_operations;
    io->read_transfer_bytes += usage->read_bytes;
    io->write_transfer_bytes += usage->write_bytes;
    io->other_transfer_bytes += usage->other_bytes;
    job->memory += process->commit;
    note_peaks(job, process);
}

static void give_back(struct sim_process *process, uint64_t bytes) {
    for (size_t i = process->depth; i-- > 0;) {
        struct sim_job *job = process->chain[i];
        uint64_t low = job->notify.job_low_memory_limit_bytes, before = job->memory;
        job->memory -= bytes;
        if (before >= low && job->memory < low)
            jp__exceeded(job, JP_JOB_OBJECT_LIMIT_JOB_MEMORY_LOW, process->pid);
    }
    process->commit -= bytes;
    process->paged_out = process->paged_out < process->commit ? process->paged_out : process->commit;
}

void jp__account_end(struct sim_process *process) {
    struct jp_usage *usage = &process->usage;
    usage->peak_commit_bytes = max_of(usage->peak_commit_bytes, process->commit);
    give_back(process, process->commit);
}

/* --- notification limits: told once until somebody asks which --- */

void jp__exceeded(struct sim_job *job, uint32_t flags, uint32_t pid) {
    flags &= job->notify.limit_flags | (job->cpu.control_flags & JP_JOB_OBJECT_CPU_RATE_CONTROL_NOTIFY ? JP_JOB_OBJECT_LIMIT_CPU_RATE_CONTROL : 0u);
    if (!flags)
        return;
    struct jp_job_violations *found = &job->violations;
    found->violation_limit_flags |= flags;
    found->io_read_bytes = job->sum.io.read_transfer_bytes;
    found->io_write_bytes = job->sum.io.write_transfer_bytes;
    found->per_job_user_time_100ns = job->sum.basic.total_user_time_100ns;
    found->job_memory_bytes = job->memory;
    if (!job->violation_told)
        jp__post_chain(job, JP_MSG_NOTIFICATION_LIMIT, pid);
    job->violation_told = true;
}

static void notify_of(struct sim_job *job, uint32_t pid) {
    const struct jp_job_notification_limits *limits = &job->notify;
    uint32_t over = 0;
    if (job->sum.io.read_transfer_bytes > limits->io_read_bytes_limit)
        over |= JP_JOB_OBJECT_LIMIT_JOB_READ_BYTES;
    if (job->sum.io.write_transfer_bytes > limits->io_write_bytes_limit)
        over |= JP_JOB_OBJECT_LIMIT_JOB_WRITE_BYTES;
    if (job->sum.basic.total_user_time_100ns - job->notify_time_base > limits->per_job_user_time_limit_100ns)
        over |= JP_JOB_OBJECT_LIMIT_JOB_TIME;
    if (job->memory > limits->job_high_memory_limit_bytes)
        over |= JP_JOB_OBJECT_LIMIT_JOB_MEMORY;
    jp__exceeded(job, over, pid);
}

static void notify_chain(struct sim_process *process) {
    for (size_t i = process->depth; i-- > 0;)
        notify_of(process->chain[i], process->pid);
}

void jp_sim_overrun(struct jp_sim *sim, uint32_t pid, uint32_t flag, uint32_t tolerance, uint32_t interval) {
    struct sim_process *process = jp__known(sim, pid);
    for (size_t i = process->depth; i-- > 0;) {
        struct sim_job *job = process->chain[i];
        const struct jp_job_notification_limits *limits = &job->notify;
        bool cpu = flag == JP_JOB_OBJECT_LIMIT_CPU_RATE_CONTROL, net = flag == JP_JOB_OBJECT_LIMIT_NET_RATE_CONTROL;
        bool controlled = cpu ? job->cpu.control_flags != 0 : net ? job->net.control_flags != 0 : true;
        uint32_t allowed = cpu ? limits->cpu_tolerance : net ? limits->net_tolerance : limits->io_tolerance;
        uint32_t over = cpu ? limits->cpu_tolerance_interval : net ? limits->net_tolerance_interval : limits->io_tolerance_interval;
        if (!controlled || tolerance < (allowed ? allowed : JP_JOB_ToleranceHigh) ||
            interval < (over ? over : JP_JOB_ToleranceIntervalShort))
            continue;
        *(cpu ? &job->violations.cpu_tolerance : net ? &job->violations.net_tolerance : &job->violations.io_tolerance) = tolerance;
        jp__exceeded(job, flag, pid);
    }
}

/* --- time --- */

/* Of the chain, the job whose per-process limit is the tightest: its port and those above are told. */
static struct sim_job *time_limiter(const struct sim_process *process) {
    struct sim_job *tightest = NULL;
    for (size_t i = 0; i < process->depth; i++) {
        const struct jp_job_basic_limits *limits = &process->chain[i]->limits.basic;
        if (limits->limit_flags & JP_JOB_OBJECT_LIMIT_PROCESS_TIME &&
            (!tightest || limits->per_process_user_time_limit_100ns < tightest->limits.basic.per_process_user_time_limit_100ns))
            tightest = process->chain[i];
    }
    return tightest;
}

static void end_for_time(struct sim_process *process, struct sim_job *limiter) {
    uint32_t pid = process->pid;
    for (size_t i = 0; i < process->depth; i++)
        process->chain[i]->sum.basic.total_terminated_processes++;
    jp__post_chain(limiter, JP_MSG_END_OF_PROCESS_TIME, pid);
    jp__end(process, WIN32_NOT_ENOUGH_QUOTA, JP_SIM_PROCESS_TIME_UP);
}

static void end_of_job_time(struct sim_job *job) {
    struct jp_job_basic_limits *limits = &job->limits.basic;
    if (job->end_action == JP_JOB_OBJECT_POST_AT_END_OF_JOB && job->key) {
        limits->limit_flags &= ~(uint32_t)JP_JOB_OBJECT_LIMIT_JOB_TIME;
        limits->per_job_user_time_limit_100ns = 0;
        jp__post_chain(job, JP_MSG_END_OF_JOB_TIME, 0);
        return;
    }
    job->time_up = true;
    job->sum.basic.total_terminated_processes += job->sum.basic.active_processes;
    jp__end_all(job, WIN32_NOT_ENOUGH_QUOTA, JP_SIM_JOB_TIME_UP);
}

static bool job_time_exceeded(const struct sim_job *job) {
    const struct jp_job_basic_limits *limits = &job->limits.basic;
    return limits->limit_flags & JP_JOB_OBJECT_LIMIT_JOB_TIME &&
           job->sum.basic.total_user_time_100ns - job->period_user_base > limits->per_job_user_time_limit_100ns;
}

void jp__enforce_times(struct sim_process *process) {
    process->handles++; /* ours: the row is needed to the end */
    struct sim_job *limiter = time_limiter(process);
    notify_chain(process);
    for (size_t i = process->depth; i-- > 0;)
        if (i < process->depth && job_time_exceeded(process->chain[i])) /* ending all empties the chain */
            end_of_job_time(process->chain[i]);
    if (process->alive && limiter && process->usage.user_100ns > limiter->limits.basic.per_process_user_time_limit_100ns)
        end_for_time(process, limiter);
    jp__release(process);
}

bool jp_sim_grow_usage(struct jp_sim *sim, uint32_t pid, uint64_t user_100ns) {
    struct sim_process *process = jp__known(sim, pid);
    if (process->frozen)
        return false;
    process->usage.user_100ns += user_100ns;
    for (size_t i = 0; i < process->depth; i++)
        process->chain[i]->sum.basic.total_user_time_100ns += user_100ns;
    jp__enforce_times(process);
    return true;
}

bool jp_sim_grow_kernel(struct jp_sim *sim, uint32_t pid, uint64_t kernel_100ns) {
    struct sim_process *process = jp__known(sim, pid);
    if (process->frozen)
        return false;
    process->usage.kernel_100ns += kernel_100ns;
    for (size_t i = 0; i < process->depth; i++)
        process->chain[i]->sum.basic.total_kernel_time_100ns += kernel_100ns;
    return true;
}

/* --- memory --- */

/* The job whose limit the allocation would break, or NULL; *ret_message says which limit. */
static struct sim_job *memory_limiter(const struct sim_process *process, uint64_t bytes, uint32_t *ret_message) {
    struct sim_job *tightest = NULL;
    for (size_t i = 0; i < process->depth; i++) {
        const struct jp_job_extended_limits *limits = &process->chain[i]->limits;
        if (limits->basic.limit_flags & JP_JOB_OBJECT_LIMIT_PROCESS_MEMORY && process->commit + bytes > limits->process_memory_limit_bytes &&
            (!tightest || limits->process_memory_limit_bytes < tightest->limits.process_memory_limit_bytes))
            tightest = process->chain[i];
    }
    *ret_message = JP_MSG_PROCESS_MEMORY_LIMIT;
    if (tightest)
        return tightest;
    *ret_message = JP_MSG_JOB_MEMORY_LIMIT;
    for (size_t i = process->depth; i-- > 0;) {
        const struct jp_job_extended_limits *limits = &process->chain[i]->limits;
        if (limits->basic.limit_flags & JP_JOB_OBJECT_LIMIT_JOB_MEMORY && process->chain[i]->memory + bytes > limits->job_memory_limit_bytes)
            return process->chain[i];
    }
    return NULL;
}

bool jp_sim_commit(struct jp_sim *sim, uint32_t pid, uint64_t bytes) {
    struct sim_process *process = jp__known(sim, pid);
    uint32_t message;
    if (process->frozen)
        return false;
    struct sim_job *limiter = memory_limiter(process, bytes, &message);
    if (limiter) {
        jp__post_chain(limiter, message, pid);
        return false;
    }
    process->commit += bytes;
    process->usage.peak_commit_bytes = max_of(process->usage.peak_commit_bytes, process->commit);
    process->usage.peak_working_set_bytes = process->usage.peak_commit_bytes;
    for (size_t i = 0; i < process->depth; i++) {
        process->chain[i]->memory += bytes;
        note_peaks(process->chain[i], process);
    }
    notify_chain(process);
    return true;
}

void jp_sim_decommit(struct jp_sim *sim, uint32_t pid, uint64_t bytes) {
    struct sim_process *process = jp__known(sim, pid);
    give_back(process, bytes < process->commit ? bytes : process->commit);
}

void jp_sim_page_out(struct jp_sim *sim, uint32_t pid, uint64_t bytes) {
    struct sim_process *process = jp__known(sim, pid);
    process->paged_out = bytes < process->commit ? bytes : process->commit;
}

/* --- input and output --- */

void jp_sim_read(struct jp_sim *sim, uint32_t pid, uint64_t bytes) {
    struct sim_process *process = jp__known(sim, pid);
    process->usage.read_operations++;
    process->usage.read_bytes += bytes;
    for (size_t i = 0; i < process->depth; i++) {
        process->chain[i]->sum.io.read_operation_count++;
        process->chain[i]->sum.io.read_transfer_bytes += bytes;
    }
    notify_chain(process);
}

void jp_sim_write(struct jp_sim *sim, uint32_t pid, uint64_t bytes) {
    struct sim_process *process = jp__known(sim, pid);
    process->usage.write_operations++;
    process->usage.write_bytes += bytes;
    for (size_t i = 0; i < process->depth; i++) {
        process->chain[i]->sum.io.write_operation_count++;
        process->chain[i]->sum.io.write_transfer_bytes += bytes;
    }
    notify_chain(process);
}
