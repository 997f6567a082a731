/* Limits that the service keeps itself: draws the picture that src/policy decides on, and does what is decided. */
#include "base/units.h"
#include "pool/pools_internal.h"

#include <inttypes.h>
#include <stdlib.h>

const struct jp_capabilities *jp__host(const struct jp_pools *pools) { return jp__ops(pools)->capabilities(pools->with.backend); }

size_t jp__spec_chain(const struct jp_pool *pool, const struct jp_pool_spec **specs) {
    size_t length = pool->depth + 1;
    for (const struct jp_pool *at = pool; at; at = at->parent)
        specs[at->depth] = &at->spec;
    return length;
}

/* --- what goes wrong --- */

enum { MOST_TROUBLES = 20 };

enum trouble { TROUBLE_OPEN = 1, TROUBLE_ADJUST = 2, TROUBLE_FREEZE = 4, TROUBLE_END = 8 };

/* Once for each member and kind: it is said, and it stays with the pool. */
static void note_trouble(struct jp_pools *pools, struct jp_member *member, enum trouble trouble, const struct jp_error *error) {
    static const char *const words[] = {[TROUBLE_OPEN] = "cannot be opened to keep its limits", [TROUBLE_ADJUST] = "could not be given its limits",
                                        [TROUBLE_FREEZE] = "could not be frozen or thawed", [TROUBLE_END] = "could not be ended"};
    if (member->troubles_told & trouble || error->status == JP_E_NO_PROCESS)
        return;
    member->troubles_told |= (uint8_t)trouble;
    bool denied = error->status == JP_E_DENIED || error->win32 == 5; /* for good; anything else may work the next time */
    member->uncontrollable |= denied && (trouble & (TROUBLE_OPEN | TROUBLE_END));
    char *text = jp_sprintf("process %" PRIu32 " %s: %s", member->record.facts.pid, words[trouble], error->text);
    struct jp_strings *troubles = &member->pool->troubles;
    if (troubles->count < MOST_TROUBLES)
        jp_strings_add(troubles, text);
    jp_log(pools->with.log, JP_LOG_WARNING, "pool \"%s\": %s", member->pool->name, text);
    jp__emit(pools, &(struct jp__event){.pool = member->pool, .message = "ENFORCEMENT_FAILED", .member = member, .origin = JP_ORIGIN_SERVICE,
                                        .detail = text});
    jp_free(text);
}

/* Of a process that nobody held when it came only the pid is known, and that may be another's by now: it must be in the pool's job. */
static jp_status check_identity(struct jp_pools *pools, struct jp_member *member, struct jp_error *error) {
    bool contains = false;
    if (member->process || member->record.start_exact)
        return JP_OK;
    jp_status status = jp_pools_contains(pools, member->pool, member->control, &contains, error);
    if (status == JP_OK && !contains)
        status = jp_fail(error, JP_E_NO_PROCESS, "process %" PRIu32 " is another by now", member->record.facts.pid);
    if (status) {
        jp__ops(pools)->process_close(member->control);
        member->control = NULL;
    }
    return status;
}

/* With the service's own rights: whoever is in a pool is under its limits. */
jp_status jp__member_control(struct jp_pools *pools, struct jp_member *member, struct jp_process **ret_process, struct jp_error *error) {
    const struct jp_process_facts *facts = &member->record.facts;
    if (!member->control && jp__ops(pools)->process_open(pools->with.backend, facts->pid, member->record.start_exact ? facts->start_100ns : 0,
                                                         JP_PROCESS_CONTROL, NULL, &member->control, error)) {
        note_trouble(pools, member, TROUBLE_OPEN, error);
        return error->status;
    }
    *ret_process = member->control;
    return check_identity(pools, member, error);
}

/* --- one member --- */

jp_status jp__member_freeze(struct jp_pools *pools, struct jp_member *member, bool freeze) {
    struct jp_process *process = NULL;
    struct jp_error error;
    if (jp__member_control(pools, member, &process, &error))
        return error.status;
    jp_status status = jp__ops(pools)->process_freeze(process, freeze, &error);
    if (status)
        note_trouble(pools, member, TROUBLE_FREEZE, &error);
    return status;
}

static void adjust(struct jp_pools *pools, struct jp_member *member) {
    const struct jp_pool_spec *specs[JP_POOL_MAX_DEPTH];
    struct jp_adjustment adjustment;
    struct jp_process *process = NULL;
    struct jp_error error;
    size_t length = jp__spec_chain(member->pool, specs);
    if (!jp_policy_adjustment(jp__host(pools), specs, length, &adjustment))
        return;
    if (jp__member_control(pools, member, &process, &error) == JP_OK && jp__ops(pools)->process_adjust(process, &adjustment, &error))
        note_trouble(pools, member, TROUBLE_ADJUST, &error);
}

static void end_member(struct jp_pools *pools, struct jp_member *member, uint32_t exit_code) {
    struct jp_process *process = NULL;
    struct jp_error error;
    member->asked_to_stop = false;
    if (jp__member_control(pools, member, &process, &error))
        return;
    if (jp__ops(pools)->process_terminate(process, exit_code, &error))
        note_trouble(pools, member, TROUBLE_END, &error);
    else
        member->terminated = true;
}

/* Whoever is asked and goes on, and what it has started in the pool, is ended when its time is over. */
static bool ask_to_stop(struct jp_pools *pools, struct jp_member *member, uint64_t grace_100ns, uint32_t exit_code) {
    struct jp_process *process = NULL;
    struct jp_error error;
    if (jp__member_control(pools, member, &process, &error) || jp__ops(pools)->process_request_stop(process, &error))
        return false;
    member->asked_to_stop = true;
    member->stop_deadline_ms = jp__clock(pools).awake_ms + grace_100ns / 10000;
    member->stop_exit_code = exit_code;
    if (member->stop_deadline_ms < pools->next_stop_ms)
        pools->next_stop_ms = member->stop_deadline_ms;
    jp__emit(pools, &(struct jp__event){.pool = member->pool, .message = "STOP_REQUESTED", .member = member, .origin = JP_ORIGIN_SERVICE});
    return true;
}

static void end_tree(struct jp_pools *pools, struct jp_member *root, uint32_t exit_code);

/* The pool's, or that of the nearest one above that says one. */
uint64_t jp__pool_grace(const struct jp_pool *pool) {
    while (pool && !pool->spec.stop.present)
        pool = pool->parent;
    return pool ? pool->spec.stop.grace_100ns : 0;
}

static void stop_member(struct jp_pools *pools, struct jp_member *member, uint32_t exit_code, bool graceful, bool tree) {
    uint64_t grace_100ns = graceful ? jp__pool_grace(member->pool) : 0;
    if (member->asked_to_stop || !jp__member_runs(member))
        return;
    if (grace_100ns && ask_to_stop(pools, member, grace_100ns, exit_code))
        return;
    if (tree)
        end_tree(pools, member, exit_code);
    else
        end_member(pools, member, exit_code);
}

static bool is_child_of(const struct jp_member *child, const struct jp_member *parent) {
    return child != parent && child->record.facts.parent_pid == parent->record.facts.pid &&
           child->record.facts.start_100ns >= parent->record.facts.start_100ns;
}

static void end_children_in(struct jp_pools *pools, struct jp_pool *pool, struct jp_member *parent, uint32_t exit_code) {
    for (struct jp_member *member = pool->first_member; member; member = member->next)
        if (jp__member_runs(member) && !member->terminated && is_child_of(member, parent))
            end_tree(pools, member, exit_code);
    for (size_t i = 0; i < pool->child_count; i++)
        end_children_in(pools, pool->children[i], parent, exit_code);
}

/* Wherever in the tree of pools they are; also behind one that has just ended. */
static void end_children(struct jp_pools *pools, struct jp_pool *top, struct jp_member *parent, uint32_t exit_code) {
    end_children_in(pools, top, parent, exit_code);
    for (struct jp_member *gone = pools->stages[JP_MEMBER_LINGERING].first; gone; gone = gone->queue_next)
        if (is_child_of(gone, parent))
            end_children(pools, top, gone, exit_code);
}

static void end_tree(struct jp_pools *pools, struct jp_member *root, uint32_t exit_code) {
    struct jp_pool *top = root->pool;
    while (top->parent)
        top = top->parent;
    end_member(pools, root, exit_code);
    end_children(pools, top, root, exit_code);
}

static void each_member(struct jp_pools *pools, struct jp_pool *pool, void (*act)(struct jp_pools *, struct jp_member *)) {
    struct jp_member *next;
    for (struct jp_member *member = pool->first_member; member; member = next) {
        next = member->next;
        act(pools, member);
    }
    for (size_t i = 0; i < pool->child_count; i++)
        each_member(pools, pool->children[i], act);
}

static void end_if_time_is_over(struct jp_pools *pools, struct jp_member *member) {
    if (!member->asked_to_stop || !jp__member_runs(member))
        return;
    if (member->stop_deadline_ms <= jp__clock(pools).awake_ms)
        end_tree(pools, member, member->stop_exit_code);
    else if (member->stop_deadline_ms < pools->next_stop_ms)
        pools->next_stop_ms = member->stop_deadline_ms;
}

/* Deadlines are of the clock that stands still while the machine sleeps. */
static uint64_t next_stop(const struct jp_pools *pools, uint64_t awake_ms, uint64_t now_ms) {
    return pools->next_stop_ms == UINT64_MAX ? UINT64_MAX : now_ms + (pools->next_stop_ms > awake_ms ? pools->next_stop_ms - awake_ms : 0);
}

uint64_t jp__enforcement_on_time(struct jp_pools *pools, uint64_t now_ms) {
    uint64_t awake_ms = jp__clock(pools).awake_ms;
    if (pools->next_stop_ms > awake_ms)
        return next_stop(pools, awake_ms, now_ms);
    pools->next_stop_ms = UINT64_MAX;
    for (struct jp_pool *pool = pools->first_present; pool; pool = pool->present_next)
        if (!pool->parent)
            each_member(pools, pool, end_if_time_is_over);
    return next_stop(pools, awake_ms, now_ms);
}

/* --- a member comes, a member goes --- */

/* Before anybody has told of it. One that is being made may look like this, too. */
static bool has_ended(struct jp_pools *pools, const struct jp_member *member) {
    uint32_t exit_code;
    return member->stage != JP_MEMBER_NEWBORN && member->process && jp__ops(pools)->process_exited(member->process, &exit_code);
}

/* Those who came before the member, with itself, and are not on their way out. `surely`: each is asked. */
static size_t count_up_to(struct jp_pools *pools, const struct jp_pool *pool, const struct jp_member *newest, bool surely) {
    size_t count = 0;
    for (const struct jp_member *member = pool->first_member; member; member = member->next)
        count += member->record.facts.session == newest->record.facts.session && member->record.id <= newest->record.id &&
                 jp__member_runs(member) && !member->terminated && !member->asked_to_stop && !(surely && has_ended(pools, member));
    for (size_t i = 0; i < pool->child_count; i++)
        count += count_up_to(pools, pool->children[i], newest, surely);
    return count;
}

/* Index into the chain, SIZE_MAX: none. */
static size_t too_many(struct jp_pools *pools, const struct jp_member *newest, bool surely, size_t *counts) {
    const struct jp_pool_spec *specs[JP_POOL_MAX_DEPTH];
    size_t length = jp__spec_chain(newest->pool, specs);
    for (const struct jp_pool *at = newest->pool; at; at = at->parent) {
        bool ours = at->spec.limits.present & JP_SCHEMA_BIT(JP_LIMIT_ACTIVE_PROCESSES) &&
                    jp__host(pools)->limits[JP_LIMIT_ACTIVE_PROCESSES] != JP_ENFORCED_BY_KERNEL &&
                    jp_pool_session_members(at, newest->record.facts.session) > at->spec.limits.active_processes;
        counts[at->depth] = ours ? count_up_to(pools, at, newest, surely) : 0; /* which looks at every member */
    }
    return jp_policy_too_many(jp__host(pools), specs, counts, length);
}

static void check_active(struct jp_pools *pools, struct jp_member *member) {
    struct jp_pool *chain[JP_POOL_MAX_DEPTH];
    size_t counts[JP_POOL_MAX_DEPTH], over = too_many(pools, member, false, counts);
    if (over == SIZE_MAX || has_ended(pools, member) || (over = too_many(pools, member, true, counts)) == SIZE_MAX)
        return;
    for (struct jp_pool *at = member->pool; at; at = at->parent)
        chain[at->depth] = at;
    char *detail = jp_sprintf("%zu of %" PRIu32 " processes; the newest is ended", counts[over], chain[over]->spec.limits.active_processes);
    jp__emit(pools, &(struct jp__event){.pool = chain[over], .message = jp_job_message_name(JP_MSG_ACTIVE_PROCESS_LIMIT), .member = member,
                                        .origin = JP_ORIGIN_SERVICE, .detail = detail});
    jp_free(detail);
    end_member(pools, member, JP_EXIT_QUOTA);
}

static bool is_busy(const struct jp_pool *pool) { return pool->run.total_ms || pool->run.awake_ms; }

/* For the next run of the service, which needs it only where it matters. */
static void record_run(struct jp_pools *pools, const struct jp_pool *pool) {
    if (pool->spec.timeouts.pool_wall_clock_100ns)
        jp__pool_record(pools, pool);
}

/* With the first of its members. After a restart: as the last run has recorded it, or with the one that has been there longest. */
static void begin_run(struct jp_pools *pools, const struct jp_member *member) {
    struct jp_policy_clock now = jp__clock(pools);
    for (struct jp_pool *pool = member->pool; pool; pool = pool->parent) {
        if (!is_busy(pool) && pool->busy_since_100ns) {
            pool->run = jp__clock_at(pools, pool->busy_since_100ns);
        } else if (!is_busy(pool) || now.total_ms - member->joined.total_ms > now.total_ms - pool->run.total_ms) {
            pool->run = member->joined;
            pool->busy_since_100ns = jp__now(pools) - (int64_t)(now.total_ms - pool->run.total_ms) * 10000;
            record_run(pools, pool);
        }
    }
}

void jp__enforce_when_made(struct jp_pools *pools, struct jp_member *member) {
    adjust(pools, member);
    jp__freeze_join(pools, member);
    check_active(pools, member);
}

/* One that is still being made is left alone until it is there (see members.c, JP_MEMBER_NEWBORN): Wine's server does not survive the
 * end of a process that has no thread yet. */
void jp__enforce_on_join(struct jp_pools *pools, struct jp_member *member) {
    begin_run(pools, member);
    member->enforcement_due = member->process && !member->record.start_exact;
    if (member->enforcement_due)
        return;
    jp__enforce_when_made(pools, member);
}

void jp__enforce_on_limits(struct jp_pools *pools, struct jp_pool *pool) { each_member(pools, pool, adjust); }

void jp__enforce_on_end(struct jp_pools *pools, struct jp_pool *pool) {
    for (; pool; pool = pool->parent) {
        if (!jp_pool_total_members(pool)) {
            pool->run = (struct jp_policy_clock){0};
            pool->busy_since_100ns = 0;
            pool->policy.run_over = false;
            record_run(pools, pool);
        }
        if (pool->spec.limits.present & JP_SCHEMA_BIT(JP_LIMIT_JOB_TIME) && jp__host(pools)->limits[JP_LIMIT_JOB_TIME] != JP_ENFORCED_BY_KERNEL)
            jp__pool_record(pools, pool);
    }
}

/* From what each member has told by now: that is what it is measured by. */
void jp__restart_job_time(struct jp_pools *pools, struct jp_pool *pool) {
    each_member(pools, pool, jp_pools_refresh_usage);
    pool->job_time_base_100ns = jp__used_past(pool).user_100ns + (pool->used ? pool->used->running.of[JP__USED_USER] : 0);
}

/* --- limits that come too late --- */

static void report_late(struct jp_pools *pools, struct jp_pool *pool, enum jp_limit limit, struct jp_member *member, const char *have, const char *of) {
    char *detail = jp_sprintf("limits.%s: %s is in use already, more than %s", jp_limit_fields[limit].key, have, of);
    jp_log(pools->with.log, JP_LOG_WARNING, "pool \"%s\": %s", pool->name, detail);
    jp__emit(pools, &(struct jp__event){.pool = pool, .message = "LIMIT_BELOW_USE", .member = member, .origin = JP_ORIGIN_SERVICE, .detail = detail});
    jp_free(detail);
}

static void report_late_member(struct jp_pools *pools, struct jp_pool *pool, struct jp_member *member) {
    const struct jp_limits *limits = &pool->spec.limits;
    char have[JP_UNITS_TEXT], of[JP_UNITS_TEXT];
    if (limits->present & JP_SCHEMA_BIT(JP_LIMIT_PROCESS_MEMORY) && member->commit_bytes > limits->process_memory_bytes)
        report_late(pools, pool, JP_LIMIT_PROCESS_MEMORY, member, jp_bytes_format(member->commit_bytes, have), jp_bytes_format(limits->process_memory_bytes, of));
    if (limits->present & JP_SCHEMA_BIT(JP_LIMIT_PROCESS_TIME) && member->record.usage.user_100ns > limits->process_time_100ns)
        report_late(pools, pool, JP_LIMIT_PROCESS_TIME, member, jp_duration_format(member->record.usage.user_100ns, have),
                    jp_duration_format(limits->process_time_100ns, of));
}

static void report_late_members(struct jp_pools *pools, struct jp_pool *pool, struct jp_pool *at) {
    for (struct jp_member *member = at->first_member; member; member = member->next) {
        jp_pools_refresh_usage(pools, member);
        report_late_member(pools, pool, member);
    }
    for (size_t i = 0; i < at->child_count; i++)
        report_late_members(pools, pool, at->children[i]);
}

/* A limit below what is in use when it is set: said with the next look, whoever enforces it from then on; or at once, if there is
 * none to come. */
void jp__report_late_limits(struct jp_pools *pools, struct jp_pool *pool) {
    pool->late_limits_due = false;
    const struct jp_limits *limits = &pool->spec.limits;
    struct jp_policy_totals totals;
    char have[JP_UNITS_TEXT], of[JP_UNITS_TEXT];
    jp_pools_totals(pools, pool, &totals);
    if (limits->present & JP_SCHEMA_BIT(JP_LIMIT_ACTIVE_PROCESSES) && totals.members > limits->active_processes) {
        char *processes = jp_sprintf("%" PRIu64 " processes", totals.members), *most = jp_sprintf("%" PRIu32, limits->active_processes);
        report_late(pools, pool, JP_LIMIT_ACTIVE_PROCESSES, NULL, processes, most);
        jp_free(processes);
        jp_free(most);
    }
    if (limits->present & JP_SCHEMA_BIT(JP_LIMIT_JOB_MEMORY) && totals.commit_bytes > limits->job_memory_bytes)
        report_late(pools, pool, JP_LIMIT_JOB_MEMORY, NULL, jp_bytes_format(totals.commit_bytes, have), jp_bytes_format(limits->job_memory_bytes, of));
    report_late_members(pools, pool, pool);
}

/* --- the picture --- */

struct picture {
    struct jp_policy_picture policy;
    struct jp_pool **pools; /* by index, parents first */
};

/* A pool's place in the picture stands in its `picture_index` while the picture is drawn. */
static void add_pool(struct picture *picture, struct jp_pool *pool) {
    size_t index = picture->policy.pool_count++;
    pool->picture_index = index;
    picture->pools[index] = pool;
    picture->policy.pools[index] = (struct jp_policy_pool){
        .spec = &pool->spec,
        .parent = pool->parent ? pool->parent->picture_index : SIZE_MAX,
        .state = &pool->policy,
        .past = jp__used_past(pool),
        .job_time_base_100ns = pool->job_time_base_100ns,
        .run = pool->run,
        .frozen = pool->frozen,
    };
}

static void add_members(struct jp_pools *pools, struct picture *picture, struct jp_pool *pool) {
    for (struct jp_member *member = pool->first_member; member; member = member->next) {
        const struct jp_usage *usage = &member->record.usage;
        picture->policy.members[picture->policy.member_count++] = (struct jp_policy_member){
            .member = member,
            .pool = pool->picture_index,
            .joined = member->joined,
            .active = member->active,
            .number = (uint64_t)member->record.id,
            .user_100ns = usage->user_100ns,
            .kernel_100ns = usage->kernel_100ns,
            .commit_bytes = member->commit_bytes,
            .working_set_bytes = member->working_set_bytes,
            .read_bytes = usage->read_bytes,
            .write_bytes = usage->write_bytes,
            .sampled = member->sampled_in == pools->sample_number && pools->sample_number,
            .spared = !jp__member_runs(member) || member->terminated || member->asked_to_stop || member->uncontrollable,
        };
    }
}

/* Pools that have, or just had, members: nothing is decided about the others. */
static void draw(struct jp_pools *pools, struct picture *picture) {
    *picture = (struct picture){.policy = {.host = jp__host(pools), .now = jp__clock(pools)}};
    picture->pools = jp_realloc_array(NULL, pools->present_count, sizeof *picture->pools);
    picture->policy.pools = jp_realloc_array(NULL, pools->present_count, sizeof *picture->policy.pools);
    picture->policy.members = jp_realloc_array(NULL, pools->member_count + 1, sizeof *picture->policy.members);
    for (struct jp_pool *pool = pools->first_present; pool; pool = pool->present_next) {
        add_pool(picture, pool);
        add_members(pools, picture, pool);
    }
}

/* Who has ended, though nobody has told yet. Each asking is a system call. */
static void spare_ended(struct jp_pools *pools, struct picture *picture) {
    for (size_t i = 0; i < picture->policy.member_count; i++) {
        struct jp_policy_member *one = &picture->policy.members[i];
        const struct jp_member *member = one->member;
        uint32_t exit_code;
        one->spared = one->spared || (member->process && jp__ops(pools)->process_exited(member->process, &exit_code));
    }
}

static void wipe(struct picture *picture) {
    jp_free(picture->pools);
    jp_free(picture->policy.pools);
    jp_free(picture->policy.members);
}

/* --- what is decided --- */

struct decisions { /* carried out when all are there: what is done changes the pools */
    struct jp_decision *items;
    size_t count;
};

static void remember(void *context, const struct jp_decision *decision) {
    struct decisions *decisions = context;
    decisions->items = jp_realloc_array(decisions->items, decisions->count + 1, sizeof *decisions->items);
    decisions->items[decisions->count] = *decision;
    decisions->items[decisions->count++].detail = decision->detail ? jp_strdup(decision->detail) : NULL;
}

static void forget(struct decisions *decisions) {
    for (size_t i = 0; i < decisions->count; i++)
        jp_free((char *)(uintptr_t)decisions->items[i].detail);
    jp_free(decisions->items);
    *decisions = (struct decisions){0};
}

/* Nearly always it is that nothing is to be done. Else the members are asked whether they are there still, and it is decided anew. */
static void decide(struct jp_pools *pools, struct picture *picture, struct decisions *decisions) {
    draw(pools, picture);
    size_t count = picture->policy.pool_count;
    struct jp_policy_state *before = jp_realloc_array(NULL, count, sizeof *before);
    for (size_t i = 0; i < count; i++)
        before[i] = *picture->policy.pools[i].state;
    jp_policy_decide(&picture->policy, remember, decisions);
    if (decisions->count) {
        forget(decisions);
        for (size_t i = 0; i < count; i++)
            *picture->policy.pools[i].state = before[i];
        wipe(picture);
        draw(pools, picture);
        spare_ended(pools, picture);
        jp_policy_decide(&picture->policy, remember, decisions);
    }
    jp_free(before);
}

void jp__pool_stop(struct jp_pools *pools, struct jp_pool *pool, uint32_t exit_code, bool graceful) {
    struct jp_error error;
    size_t count;
    if (!graceful || !jp__pool_grace(pool)) {
        if (jp__pool_end_all(pools, pool, exit_code, &count, &error))
            jp_log(pools->with.log, JP_LOG_ERROR, "pool \"%s\" cannot be ended: %s", pool->name, error.text);
        return;
    }
    struct jp_member *next;
    for (struct jp_member *member = pool->first_member; member; member = next) {
        next = member->next;
        stop_member(pools, member, exit_code, true, false); /* each is asked; nobody goes with another */
    }
    for (size_t i = 0; i < pool->child_count; i++)
        jp__pool_stop(pools, pool->children[i], exit_code, graceful);
}

static void carry_out(struct jp_pools *pools, struct jp_pool *pool, const struct jp_decision *decision) {
    struct jp_error error;
    jp__emit(pools, &(struct jp__event){.pool = pool, .message = decision->message, .member = decision->member, .origin = JP_ORIGIN_SERVICE,
                                        .detail = decision->detail});
    switch (decision->kind) {
    case JP_DECIDE_TELL:
    case JP_DECIDE_LIFT_JOB_TIME: /* the state remembers it */
        break;
    case JP_DECIDE_END_MEMBER:
        stop_member(pools, decision->member, decision->exit_code, decision->graceful, decision->graceful);
        break;
    case JP_DECIDE_END_POOL:
        jp__pool_stop(pools, pool, decision->exit_code, decision->graceful);
        break;
    case JP_DECIDE_FREEZE_POOL:
        if (jp_pools_freeze(pools, pool, false, &error))
            jp_log(pools->with.log, JP_LOG_ERROR, "%s", error.text);
        break;
    }
}

static void report_all_late_limits(struct jp_pools *pools) {
    for (struct jp_pool *pool = pools->first_present; pool; pool = pool->present_next)
        if (pool->late_limits_due)
            jp__report_late_limits(pools, pool);
}

void jp__enforce(struct jp_pools *pools) {
    report_all_late_limits(pools);
    struct picture picture;
    struct decisions decisions = {0};
    decide(pools, &picture, &decisions);
    for (size_t i = 0; i < decisions.count; i++)
        carry_out(pools, picture.pools[decisions.items[i].pool], &decisions.items[i]);
    forget(&decisions);
    wipe(&picture);
    jp__slices_measure(pools);
    jp__presence_trim(pools);
}
