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
    struct jp_gone *next, *previous; /* the newest is the last */
    char *name, *maker;
    uint64_t until_ms;
};

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

jp_status jp_pools_create_ephemeral(struct jp_pools *pools, const char *name, const struct jp_pool_spec *spec, const char *maker, const void *held_by,
                                    struct jp_pool **ret_pool, struct jp_error *error) {
    if (check_narrows(name, spec, error) || check_name(pools, name, error))
        return error->status;
    struct jp_pool_spec own = {0};
    jp_schema_copy(jp_pool_fields, spec, &own);
    own.object_name = jp_sprintf("Global\\JobPool.~%.*s", JP_POOL_NAME_MAX, name); /* no name of a pool begins so */
    own.present |= JP_SCHEMA_BIT(JP_POOL_OBJECT_NAME);
    struct jp_ephemeral *ephemeral = jp_alloc(sizeof *ephemeral);
    *ephemeral = (struct jp_ephemeral){.maker = jp_strdup(maker), .held_by = held_by};
    jp_status status = jp__pool_make(pools, name, &own, JP_POOL_TRANSIENT, ephemeral, ret_pool, error);
    jp_schema_clear(jp_pool_fields, &own);
    return status;
}

size_t jp_pools_ephemeral_count(struct jp_pools *pools, const char *maker) {
    size_t count = 0, position = 0;
    for (struct jp_pool *pool; pools->ephemeral_count && (pool = jp_map_next(&pools->by_name, &position)) != NULL;)
        count += pool->ephemeral && strcmp(pool->ephemeral->maker, maker) == 0;
    return count;
}

void jp__ephemeral_clear(struct jp_ephemeral *ephemeral) {
    if (ephemeral)
        jp_free(ephemeral->maker);
    jp_free(ephemeral);
}

void jp__ephemeral_free(struct jp_pools *pools, struct jp_pool *pool) {
    pools->ephemeral_count -= pool->ephemeral != NULL;
    jp__ephemeral_clear(pool->ephemeral);
    pool->ephemeral = NULL;
}

/* --- over a restart --- */

cJSON *jp__ephemeral_write(const struct jp_pool *pool) {
    cJSON *written = cJSON_CreateObject();
    cJSON_AddStringToObject(written, "maker", pool->ephemeral->maker);
    return written;
}

/* Its maker's connection went with the last run: it is there for its processes alone, if there still are any. */
void jp__ephemeral_restore(struct jp_pools *pools, struct jp_pool *pool, const cJSON *written) {
    const cJSON *maker = cJSON_GetObjectItemCaseSensitive(written, "maker");
    pool->ephemeral = jp_alloc(sizeof *pool->ephemeral);
    *pool->ephemeral = (struct jp_ephemeral){.maker = jp_strdup(cJSON_IsString(maker) ? maker->valuestring : ""), .inhabited = true};
    pools->ephemeral_count++;
    jp__ephemeral_emptied(pools, pool);
}

/* --- going --- */

void jp__ephemeral_inhabited(struct jp_pool *pool) {
    for (; pool; pool = pool->parent)
        if (pool->ephemeral) {
            pool->ephemeral->inhabited = true;
            pool->ephemeral->idle_since_ms = 0;
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

static void due_at(struct jp_pools *pools, uint64_t ms) { pools->next_ephemeral_ms = ms < pools->next_ephemeral_ms ? ms : pools->next_ephemeral_ms; }

void jp__ephemeral_emptied(struct jp_pools *pools, struct jp_pool *pool) {
    for (; pools->ephemeral_count && pool; pool = pool->parent)
        if (is_idle(pool)) {
            pool->ephemeral->idle_since_ms = jp__now_ms(pools);
            due_at(pools, pool->ephemeral->idle_since_ms + IDLE_MS);
        }
}

void jp_pools_holder_gone(struct jp_pools *pools, const void *held_by) {
    size_t position = 0;
    for (struct jp_pool *pool; pools->ephemeral_count && (pool = jp_map_next(&pools->by_name, &position)) != NULL;)
        if (pool->ephemeral && pool->ephemeral->held_by == held_by) {
            pool->ephemeral->held_by = NULL;
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

/* It goes, or is looked at again. */
static void look_at(struct jp_pools *pools, struct jp_pool *pool, uint64_t now_ms) {
    struct jp_ephemeral *ephemeral = pool->ephemeral;
    if (now_ms - ephemeral->idle_since_ms < IDLE_MS) {
        due_at(pools, ephemeral->idle_since_ms + IDLE_MS);
        return;
    }
    if (!has_nobody(pools, pool)) {
        due_at(pools, now_ms + IDLE_MS);
        if (pools->next_list_ms > now_ms + IDLE_MS)
            pools->next_list_ms = now_ms + IDLE_MS;
        return;
    }
    for (size_t i = 0; i < pool->job_count; i++)
        jp__announce_zero(pools, pool->jobs[i]);
    jp__pool_go(pools, pool, ephemeral->inhabited ? "ephemeral: its last process has ended" : "ephemeral: whoever made it is gone");
}

uint64_t jp__ephemerals_on_time(struct jp_pools *pools, uint64_t now_ms) {
    if (pools->next_ephemeral_ms > now_ms)
        return pools->next_ephemeral_ms;
    size_t count, idle_count = 0;
    struct jp_pool *const *all = jp_pools_sorted(pools, &count);
    struct jp_pool **idle = jp_realloc_array(NULL, count, sizeof(struct jp_pool *));
    pools->next_ephemeral_ms = UINT64_MAX;
    for (size_t i = 0; i < count; i++)
        if (is_idle(all[i]))
            idle[idle_count++] = all[i];
    for (size_t i = 0; i < idle_count; i++)
        look_at(pools, idle[i], now_ms);
    jp_free(idle);
    return pools->next_ephemeral_ms;
}

/* --- those that have gone --- */

static void forget(struct jp_pools *pools, struct jp_gone *gone) {
    *(gone->previous ? &gone->previous->next : &pools->first_gone) = gone->next;
    *(gone->next ? &gone->next->previous : &pools->last_gone) = gone->previous;
    jp_map_remove(&pools->gone, gone->name);
    jp_free(gone->name);
    jp_free(gone->maker);
    jp_free(gone);
}

/* What is too old goes, then the oldest of an account that has many, then the oldest. */
static void make_room(struct jp_pools *pools, const char *maker) {
    size_t his = 0;
    struct jp_gone *oldest = NULL;
    while (pools->first_gone && pools->first_gone->until_ms <= jp__now_ms(pools))
        forget(pools, pools->first_gone);
    for (struct jp_gone *gone = pools->last_gone; gone; gone = gone->previous)
        if (strcmp(gone->maker, maker) == 0) {
            his++;
            oldest = gone;
        }
    if (his < MOST_GONE_EACH)
        oldest = pools->gone.count < MOST_GONE ? NULL : pools->first_gone;
    if (oldest)
        forget(pools, oldest);
}

void jp__ephemeral_discarded(struct jp_pools *pools, struct jp_pool *pool) {
    make_room(pools, pool->ephemeral->maker);
    struct jp_gone *gone = jp_alloc(sizeof *gone);
    *gone = (struct jp_gone){.name = jp_strdup(pool->name), .maker = jp_strdup(pool->ephemeral->maker), .previous = pools->last_gone,
                             .until_ms = jp__now_ms(pools) + REMEMBER_MS};
    *(gone->previous ? &gone->previous->next : &pools->first_gone) = gone;
    pools->last_gone = gone;
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
    return gone && is_remembered(pools, gone) ? gone->maker : NULL;
}

void jp_pools_each_gone(const struct jp_pools *pools, const char *maker, void (*tell)(void *context, const char *name), void *context) {
    for (const struct jp_gone *gone = pools->first_gone; gone; gone = gone->next)
        if (is_remembered(pools, gone) && strcmp(gone->maker, maker) == 0)
            tell(context, gone->name);
}

void jp__ephemerals_end(struct jp_pools *pools) {
    while (pools->first_gone)
        forget(pools, pools->first_gone);
    jp_map_free(&pools->gone);
}
