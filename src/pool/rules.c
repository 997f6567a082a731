/* Programs that come into pools by themselves: new processes are seen by comparing samples, and the pools' rules are asked. */
#include "pool/pools_internal.h"

#include <inttypes.h>
#include <string.h>

/* All pools with rules, in the order in which they are asked: by name, default pools last. */
struct ruled {
    struct jp_pool **pools;
    const struct jp_pool_spec **specs;
    size_t count;
};

bool jp__pool_has_rules(const struct jp_pool_spec *spec) { return spec->match.count || spec->takes_all; }

static void add_ruled(struct ruled *ruled, struct jp_pool *pool) {
    ruled->pools[ruled->count] = pool;
    ruled->specs[ruled->count++] = &pool->spec;
}

static void find_ruled(struct jp_pools *pools, struct ruled *ruled) {
    size_t count;
    struct jp_pool *const *all = jp_pools_sorted(pools, &count);
    *ruled = (struct ruled){.pools = jp_realloc_array(NULL, count, sizeof *ruled->pools), .specs = jp_realloc_array(NULL, count, sizeof *ruled->specs)};
    for (int defaults = 0; defaults < 2; defaults++)
        for (size_t i = 0; i < count; i++)
            if (all[i]->state == JP_POOL_ACTIVE && jp__pool_has_rules(&all[i]->spec) && all[i]->spec.takes_all == (defaults == 1))
                add_ruled(ruled, all[i]);
}

static void free_ruled(struct ruled *ruled) {
    jp_free(ruled->pools);
    jp_free(ruled->specs);
}

/* --- one process --- */

/* What may never be taken, whatever a rule says. */
static const char *refusal(struct jp_pools *pools, struct jp_process *process, const struct jp_process_facts *facts, const struct jp_pool *pool) {
    bool in_job = false;
    struct jp_error ignored;
    if (jp__ops(pools)->process_is_critical(process))
        return "it is the system's own, or the service";
    const struct jp_pool_job *first = pool->job_count ? pool->jobs[0] : NULL;
    if (pool->spec.sessions == JP_SESSIONS_SINGLE && first && first->settled && first->session != facts->session &&
        jp_pool_session_members(pool, first->session))
        return "it is in another session than the pool's processes";
    if (!jp__host(pools)->nested_jobs && jp__ops(pools)->job_contains(NULL, process, &in_job, &ignored) == JP_OK && in_job)
        return "it is in a job already, and this Windows does not nest jobs";
    return NULL;
}

/* Asks the rules. False if the process could not be looked at yet. */
static bool ask(struct jp_pools *pools, const struct ruled *ruled, uint32_t pid, const char *parent, struct jp_matched *ret_matched,
                struct jp_process_facts *facts) {
    struct jp_process *process;
    struct jp_error error;
    size_t rule = 0;
    if (jp__ops(pools)->process_open(pools->with.backend, pid, 0, JP_PROCESS_OBSERVE, NULL, &process, &error))
        return error.status == JP_E_DENIED || error.status == JP_E_NO_PROCESS; /* else it may work the next time */
    bool known = jp__ops(pools)->process_facts(process, facts, &error) == JP_OK && facts->start_100ns;
    *ret_matched = (struct jp_matched){.pid = pid, .facts = facts};
    if (known && pid == jp_pools_keeper(pools)) {
        ret_matched->why = "it keeps the pools' job objects";
    } else if (known) {
        struct jp_match_process match = {.image = jp__file_name(facts->image), .path = facts->image, .user = facts->user,
                                         .command_line = facts->command_line, .parent = parent};
        size_t index = jp_policy_match(ruled->specs, ruled->count, &match, &rule);
        if (index != SIZE_MAX) {
            ret_matched->pool = ruled->pools[index];
            ret_matched->rule = rule;
            ret_matched->why = refusal(pools, process, facts, ret_matched->pool);
        }
    }
    jp__ops(pools)->process_close(process);
    return known;
}

/* --- taking them in --- */

struct taking {
    struct jp_pools *pools;
    char *pool;
    uint32_t pid;
    size_t rule;
};

static void on_taken(void *context, jp_status status, const struct jp_error *error, const struct jp_process_record *record, uint64_t seq) {
    struct taking *taking = context;
    struct jp_pool *pool = jp_pools_find(taking->pools, taking->pool);
    (void)record;
    (void)seq;
    char *detail = status ? jp_strdup(error->text) : taking->rule == SIZE_MAX ? jp_strdup("default pool") : jp_sprintf("match[%zu]", taking->rule);
    if (pool) {
        struct jp_member *member = status ? NULL : jp__member_by_pid(taking->pools, taking->pid);
        jp__emit(taking->pools, &(struct jp__event){.pool = pool, .message = status ? "MATCH_REFUSED" : "PROCESS_MATCHED", .member = member,
                                                    .pid = taking->pid, .origin = JP_ORIGIN_SERVICE, .detail = detail});
    }
    jp_free(detail);
    jp_free(taking->pool);
    jp_free(taking);
}

/* Once for each process: whoever is refused is not asked again while it lives. One that would have to wait for room is not taken. */
static void take(struct jp_pools *pools, const struct jp_matched *matched) {
    struct taking *taking = jp_alloc(sizeof *taking);
    *taking = (struct taking){.pools = pools, .pool = jp_strdup(matched->pool->name), .pid = matched->pid, .rule = matched->rule};
    struct jp_error error;
    if (matched->why) {
        jp_fail(&error, JP_E_DENIED, "%s", matched->why);
        on_taken(taking, error.status, &error, NULL, 0);
        return;
    }
    struct jp_queued *queued = jp_pools_join(pools, &(struct jp_joining){.pool = matched->pool, .pid = matched->pid, .start_100ns = matched->facts->start_100ns,
                                                                         .callback = on_taken, .context = taking});
    if (queued) {
        jp_pools_queue_cancel(pools, queued);
        jp_fail(&error, JP_E_POOL_FULL, "pool \"%s\" is full", matched->pool->name);
        on_taken(taking, error.status, &error, NULL, 0);
    }
}

/* --- who is new --- */

/* A pid is reused: whoever began after the child is not its parent. */
static const char *parent_of(const struct jp_map *by_pid, const struct jp_sample *child) {
    const struct jp_sample *parent = child->parent_pid ? jp_map_get_u64(by_pid, child->parent_pid) : NULL;
    return parent && parent->start_100ns <= child->start_100ns ? parent->image : NULL;
}

static bool was_there(const struct jp_pools *pools, const struct jp_sample *sample) {
    const int64_t *start = jp_map_get_u64(&pools->seen, sample->pid);
    return start && *start == sample->start_100ns;
}

static void remember(struct jp_pools *pools, const struct jp_samples *samples, const bool *again) {
    jp__seen_clear(pools);
    pools->seen_starts = jp_realloc_array(NULL, samples->count + 1, sizeof *pools->seen_starts);
    for (size_t i = 0; i < samples->count; i++) {
        if (again[i])
            continue;
        pools->seen_starts[i] = samples->items[i].start_100ns;
        jp_map_put_u64(&pools->seen, samples->items[i].pid, &pools->seen_starts[i]);
    }
    pools->seen_any = true;
}

void jp__seen_clear(struct jp_pools *pools) {
    jp_map_free(&pools->seen);
    pools->seen = (struct jp_map){0};
    jp_free(pools->seen_starts);
    pools->seen_starts = NULL;
    pools->seen_any = false;
}

/* False: it is to be looked at again. */
static bool look_at(struct jp_pools *pools, const struct ruled *ruled, uint32_t pid, const char *parent) {
    struct jp_matched matched = {0};
    struct jp_process_facts facts = {0};
    bool asked = ask(pools, ruled, pid, parent, &matched, &facts);
    if (asked && matched.pool)
        take(pools, &matched);
    jp_process_facts_clear(&facts);
    return asked;
}

/* The first look is what is compared with: who runs already stays where it is (pool.match with apply takes those). Children of members
 * are members by inheritance. */
void jp__rules_on_sample(struct jp_pools *pools, const struct jp_samples *samples) {
    struct ruled ruled;
    if (!pools->ruled_count) {
        jp__seen_clear(pools);
        return;
    }
    find_ruled(pools, &ruled);
    struct jp_map by_pid = {0};
    bool *again = jp_alloc((samples->count + 1) * sizeof *again);
    for (size_t i = 0; i < samples->count; i++)
        jp_map_put_u64(&by_pid, samples->items[i].pid, &samples->items[i]);
    for (size_t i = 0; pools->seen_any && i < samples->count; i++) {
        const struct jp_sample *sample = &samples->items[i];
        if (sample->pid && sample->image && !was_there(pools, sample) && !jp__member_by_pid(pools, sample->pid))
            again[i] = !look_at(pools, &ruled, sample->pid, parent_of(&by_pid, sample));
    }
    jp_map_free(&by_pid);
    remember(pools, samples, again);
    jp_free(again);
    free_ruled(&ruled);
}

/* --- asked for --- */

static void match_one(struct jp_pools *pools, const struct ruled *ruled, const struct jp_sample *sample, const char *parent, bool apply,
                      jp_matched_fn *tell, void *context) {
    struct jp_matched matched = {0};
    struct jp_process_facts facts = {0};
    struct jp_member *member = jp__member_by_pid(pools, sample->pid);
    if (ask(pools, ruled, sample->pid, parent, &matched, &facts) && matched.facts) {
        bool inside = member && jp__member_runs(member);
        if (inside && matched.pool && !jp__pool_is_within(matched.pool, member->pool))
            matched.why = "it is in another pool already";
        else if (inside && matched.pool == member->pool)
            matched.why = "it is there already";
        tell(context, &matched);
        if (apply && matched.pool && !matched.why)
            take(pools, &matched);
    }
    jp_process_facts_clear(&facts);
}

jp_status jp_pools_match(struct jp_pools *pools, uint32_t pid, bool apply, jp_matched_fn *tell, void *context, struct jp_error *error) {
    struct jp_samples samples;
    jp_status status = jp__ops(pools)->sample(pools->with.backend, &samples, error);
    if (status)
        return status;
    struct ruled ruled;
    struct jp_map by_pid = {0};
    bool found = false;
    find_ruled(pools, &ruled);
    for (size_t i = 0; i < samples.count; i++)
        jp_map_put_u64(&by_pid, samples.items[i].pid, &samples.items[i]);
    for (size_t i = 0; i < samples.count; i++)
        if (samples.items[i].image && (!pid || samples.items[i].pid == pid)) {
            found = true;
            match_one(pools, &ruled, &samples.items[i], parent_of(&by_pid, &samples.items[i]), apply, tell, context);
        }
    jp_map_free(&by_pid);
    free_ruled(&ruled);
    jp_samples_clear(&samples);
    return pid && !found ? jp_fail(error, JP_E_NO_PROCESS, "there is no process %" PRIu32, pid) : JP_OK;
}
