/* Members: how a process comes into a pool, what is known of it, and how it leaves.
 *
 * A member that ended is SETTLING until the port has told too (or had its time), then LINGERING, closed in the accounts,
 * while its handle keeps the pid from being given to another: a late message then finds whom it means. */
#include "pool/pools_internal.h"

static void queue_add(struct jp_member_queue *queue, struct jp_member *member) {
    member->queue_previous = queue->last;
    member->queue_next = NULL;
    if (queue->last)
        queue->last->queue_next = member;
    else
        queue->first = member;
    queue->last = member;
}

static void queue_remove(struct jp_member_queue *queue, struct jp_member *member) {
    if (member->queue_previous)
        member->queue_previous->queue_next = member->queue_next;
    else
        queue->first = member->queue_next;
    if (member->queue_next)
        member->queue_next->queue_previous = member->queue_previous;
    else
        queue->last = member->queue_previous;
    member->queue_next = member->queue_previous = NULL;
}

static void enter_stage(struct jp_pools *pools, struct jp_member *member, enum jp_member_stage stage) {
    static const unsigned duration_ms[] = {
        [JP_MEMBER_NEWBORN] = NEWBORN_MS, [JP_MEMBER_SETTLING] = SETTLE_MS, [JP_MEMBER_LINGERING] = LINGER_MS};
    if (member->stage != JP_MEMBER_LIVE)
        queue_remove(&pools->stages[member->stage], member);
    member->stage = stage;
    if (stage == JP_MEMBER_LIVE)
        return;
    member->deadline_ms = jp__now_ms(pools) + duration_ms[stage];
    queue_add(&pools->stages[stage], member);
}

/* The jobs of its session have a member now; one that was nobody's yet is of its session. */
static void mark_jobs(struct jp_pools *pools, struct jp_member *member) {
    for (struct jp_pool *pool = member->pool; pool && member->record.start_exact; pool = pool->parent) { /* else its session is not known yet */
        struct jp_pool_job *job = jp__job_in(pools, pool, member->record.facts.session);
        if (job)
            job->zero_due = true;
    }
    jp__seen_join(pools, member);
}

static void list_add(struct jp_member **first, struct jp_member *member) {
    member->previous = NULL;
    member->next = *first;
    if (member->next)
        member->next->previous = member;
    *first = member;
}

static void list_remove(struct jp_member **first, struct jp_member *member) {
    *(member->previous ? &member->previous->next : first) = member->next;
    if (member->next)
        member->next->previous = member->previous;
    member->next = member->previous = NULL;
}

static void link_to_pool(struct jp_pools *pools, struct jp_member *member, struct jp_pool *pool) {
    member->pool = pool;
    list_add(&pool->first_member, member);
    pool->member_count++;
    jp__used_join(member);
    jp__presence_add(pools, member);
    jp__series_wake(pools, pool);
    jp__ephemeral_inhabited(pools, pool);
    mark_jobs(pools, member);
}

static void unlink_from_pool(struct jp_pools *pools, struct jp_member *member) {
    jp__used_leave(member);
    list_remove(&member->pool->first_member, member);
    member->pool->member_count--;
    jp__presence_remove(pools, member);
    pools->reap_due |= member->pool->state == JP_POOL_ORPHAN && !member->pool->member_count;
}

/* One that lingers is no member any more; who it was of is told when it is forgotten. */
static void linger_in(struct jp_member *member, struct jp_pool *pool) {
    if (member->pool)
        list_remove(&member->pool->first_lingering, member);
    member->pool = pool;
    if (pool)
        list_add(&pool->first_lingering, member);
}

void jp__members_inherit(struct jp_pool *pool) {
    while (pool->first_lingering)
        linger_in(pool->first_lingering, pool->parent); /* which may still have to tell of its end */
}

static void record(struct jp_pools *pools, const struct jp_member *member) {
    pools->with.accounts->ops->record_process(pools->with.accounts, &member->record);
}

/* Without a watch it is still found out: by its messages and by the PID list. */
static void watch(struct jp_pools *pools, struct jp_member *member) {
    struct jp_error error;
    if (!member->process)
        return;
    member->watch = jp__new_watch(pools, member->record.facts.pid);
    if (jp__ops(pools)->process_watch(member->process, member->watch, &error)) {
        jp_log(pools->with.log, JP_LOG_WARNING, "cannot watch process %u: %s", (unsigned)member->record.facts.pid, error.text);
        member->watch = 0;
    }
}

/* One that is counted already. */
static void watch_anew(struct jp_pools *pools, struct jp_member *member) {
    pools->unwatched_count -= !member->watch;
    watch(pools, member);
    pools->unwatched_count += !member->watch;
}

/* A member whose handle nobody holds did not keep its pid: it is gone when another comes with it. */
static void make_way(struct jp_pools *pools, uint32_t pid) {
    struct jp_member *old = jp__member_by_pid(pools, pid);
    if (old && old->stage != JP_MEMBER_LINGERING)
        jp__member_settle(pools, old);
    if (old)
        jp__member_forget(pools, old);
}

static struct jp_member *enter(struct jp_pools *pools, struct jp_pool *pool, struct jp_member *member) {
    make_way(pools, member->record.facts.pid);
    member->joined_ms = jp__now_ms(pools);
    member->joined = member->active = jp__clock(pools);
    pools->member_count++;
    link_to_pool(pools, member, pool);
    jp_map_put_u64(&pools->by_pid, member->record.facts.pid, member);
    record(pools, member);
    watch(pools, member);
    pools->unwatched_count += !member->watch;
    jp__schedule_list(pools, pool);
    return member;
}

/* Puts a copy of `facts`, which may have texts of the member's, into the place of what was known. */
static void set_facts(struct jp_pools *pools, struct jp_member *member, const struct jp_process_facts *facts) {
    struct jp_process_facts old = member->record.facts, *fresh = &member->record.facts;
    *fresh = *facts;
    fresh->image = jp__text_share(pools, facts->image);
    fresh->user = jp__text_share(pools, facts->user);
    fresh->command_line = jp_strdup(facts->command_line);
    jp__text_let_go(pools, old.image);
    jp__text_let_go(pools, old.user);
    jp_free(old.command_line);
}

/* What is known of it now, in the place of what was. */
static void take_facts(struct jp_pools *pools, struct jp_member *member, const struct jp_process_facts *facts) {
    bool counted = member->stage != JP_MEMBER_LINGERING;
    if (counted)
        jp__presence_remove(pools, member);
    set_facts(pools, member, facts);
    if (counted)
        jp__presence_add(pools, member);
}

static void set_pool_name(struct jp_pools *pools, struct jp_member *member, const char *name) {
    const char *old = member->record.pool;
    member->record.pool = jp__text_share(pools, name);
    jp__text_let_go(pools, old);
}

void jp__member_free(struct jp_pools *pools, struct jp_member *member) {
    if (member->process)
        jp__ops(pools)->process_close(member->process);
    if (member->control)
        jp__ops(pools)->process_close(member->control);
    set_facts(pools, member, &(struct jp_process_facts){0});
    set_pool_name(pools, member, NULL);
    jp_free(member);
}

struct jp_member *jp__member_join(struct jp_pools *pools, struct jp_pool *pool, struct jp_process *process,
                                  struct jp_process_facts *facts, const struct jp__joined *joined) {
    struct jp_member *member = jp_alloc(sizeof *member);
    member->process = process;
    member->record = (struct jp_process_record){
        .id = ++pools->last_id,
        .run = pools->run,
        .start_exact = joined->exact,
        .joined_100ns = jp__now(pools),
        .joined_by = joined->by,
        .starting = joined->launched,
    };
    set_facts(pools, member, facts);
    jp_process_facts_clear(facts);
    set_pool_name(pools, member, pool->name);
    enter(pools, pool, member);
    jp__enforce_on_join(pools, member);
    return member;
}

/* The last run had launched it, and recorded it, and may not have got to let it run: what is on record is carried out. */
static void let_begin(struct jp_pools *pools, struct jp_member *member) {
    if (!member->record.starting || jp__member_freeze(pools, member, false)) /* does nothing to one that runs already */
        return;
    member->record.starting = false;
    record(pools, member);
}

struct jp_member *jp__member_adopt(struct jp_pools *pools, struct jp_pool *pool, struct jp_process *process,
                                   const struct jp_process_record *record) {
    struct jp_member *member = jp_alloc(sizeof *member);
    member->process = process;
    member->record = *record;
    member->record.pool = NULL;
    member->record.facts = (struct jp_process_facts){0};
    set_facts(pools, member, &record->facts);
    set_pool_name(pools, member, record->pool);
    member->announced = UINT32_MAX; /* the earlier run told */
    enter(pools, pool, member);
    member->joined = jp__clock_at(pools, record->joined_100ns);
    jp__freeze_adopt(pools, member);
    let_begin(pools, member);
    jp__enforce_on_join(pools, member);
    return member;
}

void jp__member_move(struct jp_pools *pools, struct jp_member *member, struct jp_pool *pool) {
    if (member->stage == JP_MEMBER_LINGERING) { /* in no pool any more; its row is told where it was */
        jp__count_elsewhere(pools, &member->record, pool->name);
        jp__used_end(pool, member->pool, &member->record.usage);
        linger_in(member, pool);
    } else {
        unlink_from_pool(pools, member);
        link_to_pool(pools, member, pool);
    }
    set_pool_name(pools, member, pool->name);
    record(pools, member);
    jp__schedule_list(pools, pool);
    if (jp__member_runs(member))
        jp__enforce_on_join(pools, member); /* it is under the limits there now */
}

static bool incomplete(const struct jp_member *member) {
    const struct jp_process_facts *facts = &member->record.facts;
    return member->process && (!member->record.start_exact || !facts->image || !facts->command_line);
}

/* What could not be read of a process that was just being made. */
static void complete_facts(struct jp_pools *pools, struct jp_member *member) {
    struct jp_process_facts fresh;
    const struct jp_process_facts *old = &member->record.facts;
    struct jp_error error;
    if (!incomplete(member) || jp__ops(pools)->process_facts(member->process, &fresh, &error))
        return;
    bool better = !member->record.start_exact || (fresh.image && !old->image) || (fresh.command_line && !old->command_line);
    if (!fresh.start_100ns || !better) {
        jp_process_facts_clear(&fresh);
        return;
    }
    struct jp_process_facts all = fresh; /* what it lacks stays */
    all.image = fresh.image ? fresh.image : old->image;
    all.command_line = fresh.command_line ? fresh.command_line : old->command_line;
    all.user = fresh.user ? fresh.user : old->user;
    take_facts(pools, member, &all);
    jp_process_facts_clear(&fresh);
    member->record.start_exact = true;
    if (member->stage != JP_MEMBER_LINGERING)
        mark_jobs(pools, member);
    record(pools, member);
    if (member->stage != JP_MEMBER_LINGERING)
        jp__freeze_join(pools, member); /* one of whom it was not known who it is is not suspended */
}

void jp__member_identify(struct jp_pools *pools, struct jp_member *member) {
    struct jp_pool_job *job = jp__job_of_member(member);
    struct jp_process *process;
    struct jp_process_facts facts = {0};
    struct jp_error error;
    if (member->process || !job || jp__open_of_job(pools, job, member->record.facts.pid, &process, &error))
        return;
    if (jp__ops(pools)->process_facts(process, &facts, &error) || !facts.start_100ns) {
        jp_process_facts_clear(&facts);
        jp__ops(pools)->process_close(process);
        return;
    }
    member->process = process;
    take_facts(pools, member, &facts);
    jp_process_facts_clear(&facts);
    member->record.start_exact = true;
    record(pools, member);
    jp__freeze_join(pools, member);
    jp__move_deeper(pools, member, jp__deepest_with(pools, member->pool, process, member->record.facts.parent_pid));
    watch_anew(pools, member);
}

void jp__member_complete(struct jp_pools *pools, struct jp_member *member) {
    if (member->stage == JP_MEMBER_LIVE && incomplete(member) && member->looks < NEWBORN_LOOKS)
        enter_stage(pools, member, JP_MEMBER_NEWBORN);
}

/* A stillborn: its handle says that no thread runs in it, and still it has not ended. What was making it has failed, or was killed in the midst of it.
 * Our handle is not to be what keeps it; lists tell when it has gone, and open it should it come to life. */
static void let_go_of(struct jp_pools *pools, struct jp_member *member) {
    pools->unwatched_count += member->watch != 0;
    member->watch = 0;
    jp__ops(pools)->process_close(member->process);
    member->process = NULL;
    jp__schedule_list(pools, member->pool);
}

static void look_at_newborn(struct jp_pools *pools, struct jp_member *member) {
    enter_stage(pools, member, JP_MEMBER_LIVE);
    member->looks++;
    complete_facts(pools, member);
    if (member->enforcement_due && (member->record.start_exact || member->looks >= NEWBORN_LOOKS)) {
        member->enforcement_due = false;
        jp__enforce_when_made(pools, member);
    }
    if (member->watch_spent) { /* its first thread may have begun by now; then the handle can be waited for */
        bool stillborn = member->process && !member->record.start_exact && member->looks >= NEWBORN_LOOKS;
        member->watch_spent = false;
        (stillborn ? let_go_of : watch_anew)(pools, member);
    }
    jp__member_complete(pools, member);
}

void jp__member_learn(struct jp_pools *pools, struct jp_member *member) { complete_facts(pools, member); }

/* By how much. */
static uint64_t raise_to(uint64_t *value, uint64_t to) {
    uint64_t by = to > *value ? to - *value : 0;
    *value += by;
    return by;
}

/* A sample is taken beside the loop: its handle may have told more since. What has been used is never less than what was told. */
void jp__member_merge_usage(struct jp_member *member, const struct jp_usage *fresh) {
    struct jp_usage *usage = &member->record.usage;
    struct jp__used risen = {0};
    if (fresh->known & JP_USAGE_CPU) {
        risen.of[JP__USED_USER] = raise_to(&usage->user_100ns, fresh->user_100ns);
        risen.of[JP__USED_KERNEL] = raise_to(&usage->kernel_100ns, fresh->kernel_100ns);
    }
    if (fresh->known & JP_USAGE_MEMORY) {
        raise_to(&usage->peak_commit_bytes, fresh->peak_commit_bytes);
        raise_to(&usage->peak_working_set_bytes, fresh->peak_working_set_bytes);
    }
    if (fresh->known & JP_USAGE_IO) {
        risen.of[JP__USED_READS] = raise_to(&usage->read_operations, fresh->read_operations);
        risen.of[JP__USED_WRITES] = raise_to(&usage->write_operations, fresh->write_operations);
        risen.of[JP__USED_OTHERS] = raise_to(&usage->other_operations, fresh->other_operations);
        risen.of[JP__USED_READ_BYTES] = raise_to(&usage->read_bytes, fresh->read_bytes);
        risen.of[JP__USED_WRITE_BYTES] = raise_to(&usage->write_bytes, fresh->write_bytes);
        risen.of[JP__USED_OTHER_BYTES] = raise_to(&usage->other_bytes, fresh->other_bytes);
    }
    usage->known |= fresh->known;
    if (member->stage != JP_MEMBER_LINGERING)
        jp__used_rise(member, &risen);
}

void jp_pools_refresh_usage(struct jp_pools *pools, struct jp_member *member) {
    struct jp_usage fresh;
    if (!member->process)
        return;
    jp__ops(pools)->process_usage(member->process, &fresh);
    jp__member_merge_usage(member, &fresh);
}

/* Closes the row and takes it out of its pool; it lingers. */
static void finish(struct jp_pools *pools, struct jp_member *member, enum jp_ending ending) {
    struct jp_pool *pool = member->pool;
    struct jp_process_record *row = &member->record;
    uint32_t exit_code;
    complete_facts(pools, member);
    row->ended_100ns = jp__now(pools);
    row->ending = ending;
    if (member->process) {
        bool ended = jp__ops(pools)->process_exited(member->process, &exit_code);
        row->has_exit_code = row->has_exit_code || ended;
        if (ended)
            row->exit_code = exit_code;
    }
    jp_pools_refresh_usage(pools, member);
    record(pools, member);
    jp__count_ended(pools, row);
    unlink_from_pool(pools, member);
    jp__used_end(pool, NULL, &row->usage);
    list_add(&pool->first_lingering, member);
    pools->member_count--;
    jp__seen_end(pools, member, pool);
    jp__enforce_on_end(pools, pool);
    pools->unwatched_count -= !member->watch;
    enter_stage(pools, member, JP_MEMBER_LINGERING);
    jp__wait_on_exit(pools, member);
    if (!pool->member_count) {
        jp__wait_on_empty(pools, pool);
        jp__ephemeral_emptied(pools, pool);
    }
}

void jp__member_settle(struct jp_pools *pools, struct jp_member *member) {
    uint32_t exit_code = 0;
    bool known = member->process && jp__ops(pools)->process_exited(member->process, &exit_code);
    enum jp_ending ending = JP_ENDING_UNKNOWN;
    if (member->terminated)
        ending = JP_ENDING_TERMINATED;
    else if (known)
        ending = jp_exit_code_crash(exit_code) ? JP_ENDING_CRASHED : JP_ENDING_EXITED;
    else if (!member->process && (member->exit_announced || member->exit_heard)) /* the port is all that told */
        ending = member->abnormal ? JP_ENDING_CRASHED : JP_ENDING_EXITED;
    if (known) {
        member->record.has_exit_code = true;
        member->record.exit_code = exit_code;
    }
    if (!(member->announced >> member->pool->depth & 1))
        jp__announce_missing(pools, member, false);
    jp__announce_heard(pools, member);
    if (!(member->exit_announced >> member->pool->depth & 1))
        jp__announce_missing(pools, member, true);
    finish(pools, member, ending);
}

void jp__member_ended(struct jp_pools *pools, struct jp_member *member) {
    uint32_t exit_code;
    if (!jp__member_runs(member))
        return;
    if (member->process && !jp__ops(pools)->process_exited(member->process, &exit_code)) {
        member->watch_spent = true;
        enter_stage(pools, member, JP_MEMBER_NEWBORN);
        return;
    }
    bool told = (member->exit_announced | member->exit_heard) >> member->pool->depth & 1;
    const struct jp_pool_job *job = jp__job_of_member(member);
    if (told || member->silent || !job || !job->listening)
        jp__member_settle(pools, member);
    else
        enter_stage(pools, member, JP_MEMBER_SETTLING);
}

void jp__member_forget(struct jp_pools *pools, struct jp_member *member) {
    if (jp_map_get_u64(&pools->by_pid, member->record.facts.pid) == member) /* else the pid is another's by now */
        jp_map_remove_u64(&pools->by_pid, member->record.facts.pid);
    queue_remove(&pools->stages[JP_MEMBER_LINGERING], member);
    linger_in(member, NULL);
    jp__member_free(pools, member);
}

static void end_stage(struct jp_pools *pools, struct jp_member *member) {
    switch (member->stage) {
    case JP_MEMBER_NEWBORN:
        look_at_newborn(pools, member);
        break;
    case JP_MEMBER_SETTLING:
        jp__member_settle(pools, member);
        break;
    case JP_MEMBER_LINGERING:
        if (member->pool)
            jp__announce_missing(pools, member, true); /* in the pools above its own */
        jp__member_forget(pools, member);
        break;
    case JP_MEMBER_LIVE:
    case JP_MEMBER_STAGES:
        break;
    }
}

uint64_t jp__members_on_time(struct jp_pools *pools, uint64_t now_ms) {
    uint64_t next = UINT64_MAX;
    for (size_t stage = 0; stage < JP_MEMBER_STAGES; stage++) {
        struct jp_member_queue *queue = &pools->stages[stage];
        while (queue->first && queue->first->deadline_ms <= now_ms)
            end_stage(pools, queue->first);
        if (queue->first && queue->first->deadline_ms < next)
            next = queue->first->deadline_ms;
    }
    return next;
}
