/* Pools that go by themselves: made for one run of something, gone when its last process has ended.
 *
 * Whoever may start processes in a pool may make one below it, so everything about it is bounded: it only narrows, its name is nobody else's,
 * and it does not outlive what it was made for. */
#include "pool/pools_internal.h"

#include <string.h>

/* How long one stays when it is empty: for messages that are on their way. */
enum { IDLE_MS = SETTLE_MS };

/* Its maker may read what was recorded of it for so long; of so many in all, and of one account's. */
enum { REMEMBER_MS = 10 * 60 * 1000, MOST_GONE = 4096, MOST_GONE_EACH = 512 };

struct jp_gone {
    struct jp_gone *next, *previous;       /* the newest is the last */
    struct jp_gone *next_his, *previous_his; /* likewise, of one maker */
    char *name;
    struct jp_maker *maker;
    uint64_t until_ms;
};

struct jp_maker { /* known while something of his is, or was not long ago */
    char *sid;
    size_t pool_count, gone_count;
    struct jp_gone *first_gone, *last_gone;
};

/* --- whose --- */

static struct jp_maker *maker_of(struct jp_pools *pools, const char *sid) {
    struct jp_maker *maker = jp_map_get(&pools->makers, sid);
    if (maker)
        return maker;
    maker = jp_alloc(sizeof *maker);
    maker->sid = jp_strdup(sid);
    jp_map_put(&pools->makers, maker->sid, maker);
    return maker;
}

static void forget_if_done(struct jp_pools *pools, struct jp_maker *maker) {
    if (maker->pool_count || maker->gone_count)
        return;
    jp_map_remove(&pools->makers, maker->sid);
    jp_free(maker->sid);
    jp_free(maker);
}

size_t jp_pools_ephemeral_count(struct jp_pools *pools, const char *maker) {
    const struct jp_maker *known = jp_map_get(&pools->makers, maker);
    return known ? known->pool_count : 0;
}

const char *jp_pool_maker(const struct jp_pool *pool) { return pool->ephemeral->maker->sid; }

/* --- making --- */

/* Beyond the pool reach access, match, exclude, default, security and object_name; on_remove is the config's. */
static const uint64_t narrowing = JP_SCHEMA_BIT(JP_POOL_DESCRIPTION) | JP_SCHEMA_BIT(JP_POOL_PARENT) | JP_SCHEMA_BIT(JP_POOL_LIMITS) |
                                  JP_SCHEMA_BIT(JP_POOL_UI) | JP_SCHEMA_BIT(JP_POOL_END_OF_JOB_TIME) | JP_SCHEMA_BIT(JP_POOL_ON_SERVICE_STOP) |
                                  JP_SCHEMA_BIT(JP_POOL_NOTIFY) | JP_SCHEMA_BIT(JP_POOL_SESSIONS) | JP_SCHEMA_BIT(JP_POOL_WHEN_FULL) |
                                  JP_SCHEMA_BIT(JP_POOL_WAIT_TIMEOUT) | JP_SCHEMA_BIT(JP_POOL_STRICT) | JP_SCHEMA_BIT(JP_POOL_CPU_RATE_FALLBACK) |
                                  JP_SCHEMA_BIT(JP_POOL_TIMEOUTS) | JP_SCHEMA_BIT(JP_POOL_STOP) | JP_SCHEMA_BIT(JP_POOL_MEMORY_POLICY);

/* What a limit gives rather than takes: a share of the processors, the network's precedence, memory that stays. */
static const char *giving(const struct jp_limits *limits) {
    if (limits->present & JP_SCHEMA_BIT(JP_LIMIT_CPU_RATE) && limits->cpu_rate.present & (JP_SCHEMA_BIT(JP_CPU_WEIGHT) | JP_SCHEMA_BIT(JP_CPU_MIN)))
        return "limits.cpu_rate.weight or min";
    if (limits->present & JP_SCHEMA_BIT(JP_LIMIT_NETWORK_RATE) && limits->network_rate.present & JP_SCHEMA_BIT(JP_NETWORK_DSCP))
        return "limits.network_rate.dscp";
    if (limits->present & JP_SCHEMA_BIT(JP_LIMIT_WORKING_SET))
        return "limits.working_set";
    return NULL;
}

static jp_status check_narrows(const char *name, const struct jp_pool_spec *spec, struct jp_error *error) {
    const char *key = giving(&spec->limits);
    for (size_t i = 0; !key && i < JP_POOL_KEY_COUNT; i++)
        if ((spec->present | spec->present >> 32) & JP_SCHEMA_BIT(i) & ~narrowing)
            key = jp_pool_fields[i].key;
    if (!key && jp_access_given(&spec->access))
        key = "access";
    return key ? jp_fail(error, JP_E_PARAMS, "the ephemeral pool \"%.80s\" cannot have %s: it may only narrow what the pool above it allows", name, key) : JP_OK;
}

/* The same words whether or not the caller may know of the other one. */
static jp_status check_name(const struct jp_pools *pools, const char *name, struct jp_error *error) {
    if (!jp_pool_name_valid(name) || !jp__name_is_used(pools, name))
        return JP_OK; /* an invalid one is refused with all others */
    return jp_fail(error, JP_E_POOL_EXISTS, "the name \"%s\" is a pool's, or was: an ephemeral pool needs one that was never used", name);
}

static struct jp_ephemeral *new_ephemeral(struct jp_pools *pools, const char *maker) {
    struct jp_ephemeral *ephemeral = jp_alloc(sizeof *ephemeral);
    ephemeral->maker = maker_of(pools, maker);
    ephemeral->maker->pool_count++;
    return ephemeral;
}

jp_status jp_pools_create_ephemeral(struct jp_pools *pools, const char *name, const struct jp_pool_spec *spec, const char *maker, const void *held_by,
                                    struct jp_pool **ret_pool, struct jp_error *error) {
    if (check_narrows(name, spec, error) || check_name(pools, name, error))
        return error->status;
    struct jp_pool_spec own = {0};
    jp_schema_copy(jp_pool_fields, spec, &own);
    own.object_name = jp_sprintf("Global\\JobPool.~%.*s", JP_POOL_NAME_MAX, name); /* no name of a pool begins so */
    own.present |= JP_SCHEMA_BIT(JP_POOL_OBJECT_NAME);
    struct jp_ephemeral *ephemeral = new_ephemeral(pools, maker);
    ephemeral->held_by = held_by;
    jp_status status = jp__pool_make(pools, name, &own, JP_POOL_TRANSIENT, ephemeral, ret_pool, error);
    jp_schema_clear(jp_pool_fields, &own);
    return status;
}

void jp__ephemeral_clear(struct jp_pools *pools, struct jp_ephemeral *ephemeral) {
    if (!ephemeral)
        return;
    ephemeral->maker->pool_count--;
    forget_if_done(pools, ephemeral->maker);
    jp_free(ephemeral);
}

/* Those that are held are few: no more than their makers' connections have just made. */
static void let_go(struct jp_pools *pools, struct jp_pool *pool) {
    struct jp_ephemeral *ephemeral = pool->ephemeral;
    if (!ephemeral->held_by)
        return;
    *(ephemeral->held_previous ? &ephemeral->held_previous->ephemeral->held_next : &pools->first_held) = ephemeral->held_next;
    if (ephemeral->held_next)
        ephemeral->held_next->ephemeral->held_previous = ephemeral->held_previous;
    ephemeral->held_by = NULL;
    ephemeral->held_next = ephemeral->held_previous = NULL;
}

void jp__ephemeral_attach(struct jp_pools *pools, struct jp_pool *pool, struct jp_ephemeral *ephemeral) {
    pool->ephemeral = ephemeral;
    pools->ephemeral_count += ephemeral != NULL;
    if (!ephemeral || !ephemeral->held_by)
        return;
    ephemeral->held_next = pools->first_held;
    if (ephemeral->held_next)
        ephemeral->held_next->ephemeral->held_previous = pool;
    pools->first_held = pool;
}

static void leave_line(struct jp_pools *pools, struct jp_pool *pool) {
    struct jp_ephemeral *ephemeral = pool->ephemeral;
    if (!ephemeral->look_ms)
        return;
    *(ephemeral->idle_previous ? &ephemeral->idle_previous->ephemeral->idle_next : &pools->first_idle) = ephemeral->idle_next;
    *(ephemeral->idle_next ? &ephemeral->idle_next->ephemeral->idle_previous : &pools->last_idle) = ephemeral->idle_previous;
    ephemeral->look_ms = 0;
}

/* All wait for as long, so who comes last is last. */
static void enter_line(struct jp_pools *pools, struct jp_pool *pool) {
    struct jp_ephemeral *ephemeral = pool->ephemeral;
    leave_line(pools, pool);
    ephemeral->look_ms = jp__now_ms(pools) + IDLE_MS;
    ephemeral->idle_next = NULL;
    ephemeral->idle_previous = pools->last_idle;
    *(pools->last_idle ? &pools->last_idle->ephemeral->idle_next : &pools->first_idle) = pool;
    pools->last_idle = pool;
}

void jp__ephemeral_free(struct jp_pools *pools, struct jp_pool *pool) {
    if (!pool->ephemeral)
        return;
    let_go(pools, pool);
    leave_line(pools, pool);
    pools->ephemeral_count--;
    jp__ephemeral_clear(pools, pool->ephemeral);
    pool->ephemeral = NULL;
}

/* --- over a restart --- */

cJSON *jp__ephemeral_write(const struct jp_pool *pool) {
    cJSON *written = cJSON_CreateObject();
    cJSON_AddStringToObject(written, "maker", pool->ephemeral->maker->sid);
    return written;
}

/* Its maker's connection went with the last run: it is there for its processes alone, if there still are any. */
void jp__ephemeral_restore(struct jp_pools *pools, struct jp_pool *pool, const cJSON *written) {
    const cJSON *maker = cJSON_GetObjectItemCaseSensitive(written, "maker");
    jp__ephemeral_attach(pools, pool, new_ephemeral(pools, cJSON_IsString(maker) ? maker->valuestring : ""));
    pool->ephemeral->inhabited = true;
    jp__ephemeral_emptied(pools, pool);
}

/* --- going --- */

void jp__ephemeral_inhabited(struct jp_pools *pools, struct jp_pool *pool) {
    for (; pool; pool = pool->parent)
        if (pool->ephemeral) {
            pool->ephemeral->inhabited = true;
            leave_line(pools, pool);
        }
}

/* Nothing keeps it. What is waited for, or stands below it, calls jp__ephemeral_emptied when that is over. */
static bool is_idle(const struct jp_pool *pool) {
    const struct jp_ephemeral *ephemeral = pool->ephemeral;
    return ephemeral && (ephemeral->inhabited || !ephemeral->held_by) && !pool->member_count && !pool->child_count && !pool->queue_length &&
           pool->state != JP_POOL_ORPHAN;
}

void jp__ephemeral_ended(struct jp_pools *pools, struct jp_pool *pool) {
    pool->ephemeral->inhabited = true;
    jp__ephemeral_emptied(pools, pool);
}

void jp__ephemeral_emptied(struct jp_pools *pools, struct jp_pool *pool) {
    for (; pools->ephemeral_count && pool; pool = pool->parent)
        if (is_idle(pool))
            enter_line(pools, pool);
}

void jp_pools_holder_gone(struct jp_pools *pools, const void *held_by) {
    struct jp_pool *next;
    for (struct jp_pool *pool = pools->first_held; pool; pool = next) {
        next = pool->ephemeral->held_next;
        if (pool->ephemeral->held_by != held_by)
            continue;
        let_go(pools, pool);
        jp__ephemeral_emptied(pools, pool);
    }
}

/* Somebody may be in it of whom nobody has heard yet; and the kernel counts one who has just ended for a moment longer. If it does not tell, it is
 * asked again. */
static bool has_nobody(struct jp_pools *pools, const struct jp_pool *pool) {
    struct jp_job_info info;
    struct jp_error ignored;
    for (size_t i = 0; i < pool->job_count; i++)
        if (jp__ops(pools)->job_query(pool->jobs[i]->job, JP_JOB_BasicAccountingInformation, &info, &ignored) || info.accounting.active_processes)
            return false;
    return true;
}

/* It goes, or is looked at again: when what keeps it now is over, or in a while if that is somebody whom only the kernel knows. */
static void look_at(struct jp_pools *pools, struct jp_pool *pool) {
    uint64_t soon_ms = jp__now_ms(pools) + IDLE_MS;
    leave_line(pools, pool);
    if (!is_idle(pool))
        return;
    if (!has_nobody(pools, pool)) {
        enter_line(pools, pool);
        if (pools->next_list_ms > soon_ms)
            pools->next_list_ms = soon_ms;
        return;
    }
    for (size_t i = 0; i < pool->job_count; i++)
        jp__announce_zero(pools, pool->jobs[i]);
    jp__pool_go(pools, pool, pool->ephemeral->inhabited ? "ephemeral: its last process has ended" : "ephemeral: whoever made it is gone");
}

uint64_t jp__ephemerals_on_time(struct jp_pools *pools, uint64_t now_ms) {
    while (pools->first_idle && pools->first_idle->ephemeral->look_ms <= now_ms)
        look_at(pools, pools->first_idle);
    return pools->first_idle ? pools->first_idle->ephemeral->look_ms : UINT64_MAX;
}

/* --- those that have gone --- */

static void forget(struct jp_pools *pools, struct jp_gone *gone) {
    struct jp_maker *maker = gone->maker;
    *(gone->previous ? &gone->previous->next : &pools->first_gone) = gone->next;
    *(gone->next ? &gone->next->previous : &pools->last_gone) = gone->previous;
    *(gone->previous_his ? &gone->previous_his->next_his : &maker->first_gone) = gone->next_his;
    *(gone->next_his ? &gone->next_his->previous_his : &maker->last_gone) = gone->previous_his;
    maker->gone_count--;
    forget_if_done(pools, maker);
    jp_map_remove(&pools->gone, gone->name);
    jp_free(gone->name);
    jp_free(gone);
}

/* What is too old goes, then the oldest of an account that has many, then the oldest. */
static void make_room(struct jp_pools *pools, const struct jp_maker *maker) {
    while (pools->first_gone && pools->first_gone->until_ms <= jp__now_ms(pools))
        forget(pools, pools->first_gone);
    if (maker->gone_count >= MOST_GONE_EACH)
        forget(pools, maker->first_gone);
    else if (pools->gone.count >= MOST_GONE)
        forget(pools, pools->first_gone);
}

void jp__ephemeral_discarded(struct jp_pools *pools, struct jp_pool *pool) {
    struct jp_maker *maker = pool->ephemeral->maker; /* who has this one still */
    make_room(pools, maker);
    struct jp_gone *gone = jp_alloc(sizeof *gone);
    *gone = (struct jp_gone){.name = jp_strdup(pool->name), .maker = maker, .previous = pools->last_gone, .previous_his = maker->last_gone,
                             .until_ms = jp__now_ms(pools) + REMEMBER_MS};
    *(gone->previous ? &gone->previous->next : &pools->first_gone) = gone;
    *(gone->previous_his ? &gone->previous_his->next_his : &maker->first_gone) = gone;
    pools->last_gone = maker->last_gone = gone;
    maker->gone_count++;
    jp_map_put(&pools->gone, gone->name, gone); /* a name is an ephemeral pool's only once */
}

void jp_pools_forget_name(struct jp_pools *pools, const char *name) {
    struct jp_gone *gone = jp_map_get(&pools->gone, name);
    if (gone)
        forget(pools, gone);
    if (!jp_pools_find(pools, name))
        jp__name_forget(pools, name);
}

static bool is_remembered(const struct jp_pools *pools, const struct jp_gone *gone) { return gone->until_ms > jp__now_ms(pools); }

const char *jp_pools_gone_maker(const struct jp_pools *pools, const char *name) {
    const struct jp_gone *gone = jp_map_get(&pools->gone, name);
    return gone && is_remembered(pools, gone) ? gone->maker->sid : NULL;
}

void jp_pools_each_gone(const struct jp_pools *pools, const char *maker, void (*tell)(void *context, const char *name), void *context) {
    const struct jp_maker *known = jp_map_get(&pools->makers, maker);
    for (const struct jp_gone *gone = known ? known->first_gone : NULL; gone; gone = gone->next_his)
        if (is_remembered(pools, gone))
            tell(context, gone->name);
}

void jp__ephemerals_end(struct jp_pools *pools) {
    while (pools->first_gone)
        forget(pools, pools->first_gone);
    jp_map_free(&pools->gone);
    jp_map_free(&pools->makers);
}
