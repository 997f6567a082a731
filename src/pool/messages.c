/* What the completion port said, and the events that come of it. */
#include "base/units.h"
#include "pool/pools_internal.h"

#include <inttypes.h>
#include <string.h>

/* Where a pool has several jobs, what one of them says is not said of the pool. */
char *jp__session_detail(const struct jp_pool_job *job) {
    return job->pool->job_count > 1 && job->settled ? jp_sprintf("session %" PRIu32, job->session) : NULL;
}

uint64_t jp__emit(struct jp_pools *pools, const struct jp__event *event) {
    const struct jp_member *member = event->member;
    struct jp_event out = {
        .seq = ++pools->last_seq,
        .time_100ns = jp__now(pools),
        .pool = event->pool ? event->pool->name : "",
        .message = event->message,
        .pid = member ? member->record.facts.pid : event->pid,
        .start_100ns = member && member->record.start_exact ? member->record.facts.start_100ns : 0,
        .process = member ? jp__file_name(member->record.facts.image) : NULL,
        .origin = event->origin,
        .has_exit_code = event->with_exit_code && member && member->record.has_exit_code,
        .exit_code = member ? member->record.exit_code : 0,
        .detail = event->detail,
    };
    for (struct jp_pool *pool = event->pool; pool; pool = pool->parent)
        pool->told++;
    pools->with.accounts->ops->record_event(pools->with.accounts, &out);
    pools->with.on_event(pools->with.context, &out);
    return out.seq;
}

/* Windows tells a crash apart by its message; a host that sends EXIT_PROCESS for those is corrected by the exit code. */
static const char *exit_message(const struct jp_member *member, uint32_t told, const char **ret_detail) {
    bool abnormal = member && member->record.has_exit_code && jp_exit_code_abnormal(member->record.exit_code);
    uint32_t message = abnormal ? JP_MSG_ABNORMAL_EXIT_PROCESS : told;
    *ret_detail = member && member->record.has_exit_code ? jp_exit_code_name(member->record.exit_code) : NULL;
    return jp_job_message_name(message);
}

static void announce_exit(struct jp_pools *pools, struct jp_member *member, struct jp_pool *pool, uint32_t message) {
    const char *detail;
    const char *name = exit_message(member, message, &detail);
    member->exit_announced |= UINT32_C(1) << pool->depth;
    jp__emit(pools, &(struct jp__event){.pool = pool, .message = name, .member = member, .origin = JP_ORIGIN_KERNEL, .with_exit_code = true, .detail = detail});
}

void jp__announce_missing(struct jp_pools *pools, struct jp_member *member, bool exit) {
    uint32_t *told = exit ? &member->exit_announced : &member->announced;
    for (struct jp_pool *pool = member->pool; pool; pool = pool->parent) {
        if (*told >> pool->depth & 1)
            continue;
        *told |= UINT32_C(1) << pool->depth;
        const char *detail = NULL;
        const char *message = exit ? exit_message(member, JP_MSG_EXIT_PROCESS, &detail) : jp_job_message_name(JP_MSG_NEW_PROCESS);
        jp__emit(pools, &(struct jp__event){.pool = pool, .message = message, .member = member, .origin = JP_ORIGIN_RECONCILER,
                                            .with_exit_code = exit, .detail = detail});
    }
}

void jp__announce_heard(struct jp_pools *pools, struct jp_member *member) {
    for (struct jp_pool *pool = member->pool; pool; pool = pool->parent)
        if (member->exit_heard & ~member->exit_announced & UINT32_C(1) << pool->depth)
            announce_exit(pools, member, pool, JP_MSG_EXIT_PROCESS);
}

static bool has(struct jp_pools *pools, struct jp_pool *pool, struct jp_process *process) {
    struct jp_error ignored;
    bool contains = false;
    return jp_pools_contains(pools, pool, process, &contains, &ignored) == JP_OK && contains;
}

static struct jp_pool *deepest_below(struct jp_pools *pools, struct jp_pool *pool, struct jp_process *process) {
    for (size_t i = 0; i < pool->child_count; i++)
        if (has(pools, pool->children[i], process))
            return deepest_below(pools, pool->children[i], process);
    return pool;
}

/* The members' children inherit the deepest job of their parent; a message that comes from a job further up does not say so. The parent's pool is
 * asked first: hundreds of others may stand beside it, and each asking is a system call. */
struct jp_pool *jp__deepest_with(struct jp_pools *pools, struct jp_pool *pool, struct jp_process *process, uint32_t parent_pid) {
    const struct jp_member *parent = parent_pid ? jp__member_by_pid(pools, parent_pid) : NULL;
    struct jp_pool *likely = parent && parent->pool && jp__pool_is_within(parent->pool, pool) ? parent->pool : pool;
    return deepest_below(pools, likely != pool && has(pools, likely, process) ? likely : pool, process);
}

jp_status jp__open_of_job(struct jp_pools *pools, struct jp_pool_job *job, uint32_t pid, struct jp_process **ret_process,
                          struct jp_error *error) {
    struct jp_process *process;
    uint32_t exit_code;
    bool contains = true;
    jp_status status = jp__ops(pools)->process_open(pools->with.backend, pid, 0, JP_PROCESS_OBSERVE, NULL, &process, error);
    if (status)
        return status;
    if (!jp__ops(pools)->process_exited(process, &exit_code))
        status = jp__ops(pools)->job_contains(job->job, process, &contains, error);
    if (status == JP_OK && !contains)
        status = jp_fail(error, JP_E_OTHER_PROCESS, "process %" PRIu32 " is another by now", pid);
    if (status) {
        jp__ops(pools)->process_close(process);
        return status;
    }
    *ret_process = process;
    return JP_OK;
}

/* A message that was long on its way may be about an earlier process with the member's pid; of the two only the member can be asked. One that
 * has ended is in no job any more. */
static bool is_elsewhere(struct jp_pools *pools, const struct jp_member *member, struct jp_pool *pool) {
    struct jp_error error;
    uint32_t exit_code;
    bool contains = true;
    return member->process && !jp__ops(pools)->process_exited(member->process, &exit_code) &&
           jp_pools_contains(pools, pool, member->process, &contains, &error) == JP_OK && !contains;
}

bool jp__move_deeper(struct jp_pools *pools, struct jp_member *member, struct jp_pool *pool) {
    if (!member->pool || pool == member->pool || !jp__pool_is_within(pool, member->pool))
        return true;
    if (is_elsewhere(pools, member, pool))
        return false;
    jp__member_move(pools, member, pool);
    return true;
}

struct jp_member *jp__discover(struct jp_pools *pools, struct jp_pool_job *job, uint32_t pid, enum jp_origin origin) {
    struct jp_pool *pool = job->pool;
    struct jp_process *process = NULL;
    struct jp_process_facts facts = {0};
    struct jp_error error;
    bool exact = false;
    if (jp__open_of_job(pools, job, pid, &process, &error) == JP_OK) {
        exact = jp__ops(pools)->process_facts(process, &facts, &error) == JP_OK && facts.start_100ns;
        pool = jp__deepest_with(pools, pool, process, exact ? facts.parent_pid : 0);
    } else {
        jp_log(pools->with.log, JP_LOG_DEBUG, "pool %s: %s", pool->name, error.text);
    }
    if (!exact) { /* gone before it could be opened, out of reach, or still being made: it counts all the same */
        facts.pid = pid;
        facts.start_100ns = jp__now(pools);
        facts.session = job->session;
    }
    struct jp_member *member = jp__member_join(pools, pool, process, &facts, &(struct jp__joined){.by = origin, .exact = exact});
    jp__member_complete(pools, member);
    return member;
}

/* True if the process that has the pid now is not the member, which had no handle to keep it. */
static bool pid_was_reused(struct jp_pools *pools, const struct jp_member *member) {
    struct jp_process *process;
    struct jp_error error;
    if (member->process || !member->record.start_exact)
        return false;
    jp_status status = jp__ops(pools)->process_open(pools->with.backend, member->record.facts.pid,
                                                    member->record.facts.start_100ns, JP_PROCESS_OBSERVE, NULL, &process, &error);
    if (status == JP_OK)
        jp__ops(pools)->process_close(process);
    return status == JP_E_OTHER_PROCESS;
}

/* A late NEW_PROCESS of one whose end was told before, or the next one with its pid, which nothing kept. */
static bool somebody_has_the_pid(struct jp_pools *pools, struct jp_pool_job *job, uint32_t pid) {
    struct jp_process *process;
    struct jp_error error;
    if (jp__open_of_job(pools, job, pid, &process, &error))
        return false;
    jp__ops(pools)->process_close(process);
    return true;
}

/* The member that the message of a pool's job is about. One that nobody holds did not keep its pid: of another tree of pools, it is
 * somebody else. */
static struct jp_member *member_meant(struct jp_pools *pools, const struct jp_pool *pool, uint32_t pid) {
    struct jp_member *member = jp__member_by_pid(pools, pid);
    if (!member || member->process || jp__pool_is_within(pool, member->pool) || jp__pool_is_within(member->pool, pool))
        return member;
    if (member->stage != JP_MEMBER_LINGERING)
        jp__member_settle(pools, member);
    jp__member_forget(pools, member);
    return NULL;
}

static void on_new(struct jp_pools *pools, struct jp_pool_job *job, uint32_t pid) {
    struct jp_pool *pool = job->pool;
    struct jp_member *member = member_meant(pools, pool, pid);
    if (member && jp__member_runs(member) && pid_was_reused(pools, member)) {
        jp__member_settle(pools, member);
        jp__member_forget(pools, member);
        member = NULL;
    } else if (member && member->stage == JP_MEMBER_LINGERING && !member->process && somebody_has_the_pid(pools, job, pid)) {
        jp__member_forget(pools, member);
        member = NULL;
    }
    if (!member)
        member = jp__discover(pools, job, pid, JP_ORIGIN_KERNEL);
    else if (!jp__move_deeper(pools, member, pool))
        return;
    if (member->announced >> pool->depth & 1)
        return; /* told already: attaching a port repeats those who are there */
    member->announced |= UINT32_C(1) << pool->depth;
    jp__emit(pools, &(struct jp__event){.pool = pool, .message = jp_job_message_name(JP_MSG_NEW_PROCESS), .member = member,
                                        .origin = JP_ORIGIN_KERNEL});
}

static void on_left(struct jp_pools *pools, struct jp_pool_job *job, uint32_t pid, uint32_t message) {
    struct jp_pool *pool = job->pool;
    struct jp_member *member = member_meant(pools, pool, pid);
    if (!member)
        member = jp__discover(pools, job, pid, JP_ORIGIN_RECONCILER); /* its coming was lost */
    else if (!jp__move_deeper(pools, member, pool))
        return;
    if (member->exit_announced >> pool->depth & 1)
        return;
    if (!(member->announced >> pool->depth & 1))
        jp__announce_missing(pools, member, false);
    uint32_t exit_code;
    if (member->process) {
        if (!jp__ops(pools)->process_exited(member->process, &exit_code)) {
            /* Ahead of its handle, or about an earlier process with its pid that nobody saw: its end is told when there is one. */
            member->exit_heard |= UINT32_C(1) << pool->depth;
            return;
        }
        member->record.has_exit_code = true;
        member->record.exit_code = exit_code;
    }
    member->abnormal |= message == JP_MSG_ABNORMAL_EXIT_PROCESS;
    announce_exit(pools, member, pool, message);
    if (pool == member->pool && member->stage != JP_MEMBER_LINGERING)
        jp__member_settle(pools, member);
}

/* What was exceeded, by how much. Asking also makes Windows tell of the next time. */
static char *describe_violation(struct jp_pools *pools, struct jp_pool_job *job) {
    struct jp_job_info info;
    struct jp_error error;
    char have[JP_UNITS_TEXT], limit[JP_UNITS_TEXT];
    struct jp_str text = {0};
    if (jp__ops(pools)->job_query(job->job, JP_JOB_LimitViolationInformation2, &info, &error))
        return NULL;
    const struct jp_job_violations *found = &info.violations;
    uint32_t flags = found->violation_limit_flags;
    if (flags & JP_JOB_OBJECT_LIMIT_JOB_MEMORY)
        jp_str_printf(&text, ", job_memory %s over %s", jp_bytes_format(found->job_memory_bytes, have), jp_bytes_format(found->job_high_memory_limit_bytes, limit));
    if (flags & JP_JOB_OBJECT_LIMIT_JOB_MEMORY_LOW)
        jp_str_printf(&text, ", job_memory_low %s under %s", jp_bytes_format(found->job_memory_bytes, have), jp_bytes_format(found->job_low_memory_limit_bytes, limit));
    if (flags & JP_JOB_OBJECT_LIMIT_JOB_TIME)
        jp_str_printf(&text, ", job_time %s over %s", jp_duration_format(found->per_job_user_time_100ns, have), jp_duration_format(found->per_job_user_time_limit_100ns, limit));
    if (flags & JP_JOB_OBJECT_LIMIT_JOB_READ_BYTES)
        jp_str_printf(&text, ", read %s over %s", jp_bytes_format(found->io_read_bytes, have), jp_bytes_format(found->io_read_bytes_limit, limit));
    if (flags & JP_JOB_OBJECT_LIMIT_JOB_WRITE_BYTES)
        jp_str_printf(&text, ", write %s over %s", jp_bytes_format(found->io_write_bytes, have), jp_bytes_format(found->io_write_bytes_limit, limit));
    if (flags & JP_JOB_OBJECT_LIMIT_CPU_RATE_CONTROL)
        jp_str_puts(&text, ", cpu_rate for longer than tolerated");
    if (flags & JP_JOB_OBJECT_LIMIT_NET_RATE_CONTROL)
        jp_str_puts(&text, ", network_rate for longer than tolerated");
    char *detail = text.length ? jp_strdup(jp_str_text(&text) + 2) : NULL;
    jp_str_free(&text);
    return detail;
}

static void on_other(struct jp_pools *pools, struct jp_pool_job *job, const struct jp_job_packet *packet) {
    char number[48];
    const char *name = jp_job_message_name(packet->message);
    if (!name) { /* newer than we are: told as it is */
        char *made = jp_sprintf("JOB_OBJECT_MSG_%" PRIu32, packet->message);
        strncpy(number, made, sizeof number - 1);
        number[sizeof number - 1] = '\0';
        jp_free(made);
        name = number;
    }
    if (packet->message == JP_MSG_ACTIVE_PROCESS_ZERO) {
        job->zero_due = false;
        jp__job_emptied(pools, job);
    }
    if (packet->message == JP_MSG_ACTIVE_PROCESS_LIMIT)
        jp__seen_refused(job);
    char *detail = packet->message == JP_MSG_NOTIFICATION_LIMIT ? describe_violation(pools, job) : jp__session_detail(job);
    struct jp_member *member = packet->pid ? jp__member_by_pid(pools, packet->pid) : NULL;
    jp__emit(pools, &(struct jp__event){.pool = job->pool, .message = name, .member = member, .pid = packet->pid,
                                        .origin = JP_ORIGIN_KERNEL, .detail = detail});
    jp_free(detail);
}

static void on_packet(struct jp_pools *pools, const struct jp_job_packet *packet) {
    struct jp_pool_job *job = jp_map_get_u64(&pools->by_key, packet->key);
    if (!job)
        return; /* deleted meanwhile; keys are not used again, so it is nobody else's */
    job->message_count++;
    switch (packet->message) {
    case JP_MSG_NEW_PROCESS:
        on_new(pools, job, packet->pid);
        break;
    case JP_MSG_EXIT_PROCESS:
    case JP_MSG_ABNORMAL_EXIT_PROCESS:
        on_left(pools, job, packet->pid, packet->message);
        break;
    default:
        on_other(pools, job, packet);
        break;
    }
}

void jp_pools_on_packets(struct jp_pools *pools, const struct jp_job_packet *packets, size_t count) {
    for (size_t i = 0; i < count; i++)
        on_packet(pools, &packets[i]);
    jp__queue_advance(pools);
}

void jp_pools_on_exit(struct jp_pools *pools, uint64_t watch) {
    struct jp_member *member = jp__member_by_watch(pools, watch);
    if (!member && jp__keeper_on_end(pools, watch))
        return;
    if (member)
        jp__member_ended(pools, member);
    jp__queue_advance(pools);
}

uint64_t jp_pools_note_of(struct jp_pools *pools, struct jp_pool *pool, const char *message, const char *detail) {
    return jp__emit(pools, &(struct jp__event){.pool = pool, .message = message, .origin = JP_ORIGIN_SERVICE, .detail = detail});
}

uint64_t jp_pools_note(struct jp_pools *pools, const char *message, const char *detail) { return jp_pools_note_of(pools, NULL, message, detail); }

uint64_t jp_pools_last_seq(const struct jp_pools *pools) { return pools->last_seq; }
