/* Finding pools and members. */
#include "pool/pools_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NEAR = 8 };

const char *jp_pool_source_name(enum jp_pool_source source) {
    static const char *const names[] = {"config", "persistent", "transient"};
    return names[source];
}

const char *jp_pool_state_name(enum jp_pool_state state) {
    static const char *const names[] = {"active", "failed", "orphan"};
    return names[state];
}

struct jp_pool *jp_pools_find(struct jp_pools *pools, const char *name) { return jp_map_get(&pools->by_name, name); }

static int compare_names(const void *one, const void *other) {
    return strcmp((*(struct jp_pool *const *)one)->name, (*(struct jp_pool *const *)other)->name);
}

struct jp_pool *jp_pools_find_object(struct jp_pools *pools, const char *object_name) {
    struct jp_pool *pool = jp_map_get(&pools->by_object, object_name);
    const char *session = strrchr(object_name, '#'); /* a further job's: see jobs.c */
    if (!pool && session) {
        char *first = jp_sprintf("%.*s", (int)(session - object_name), object_name);
        pool = jp_map_get(&pools->by_object, first);
        jp_free(first);
    }
    for (size_t i = 0; pool && i < pool->job_count; i++)
        if (strcmp(pool->jobs[i]->object_name, object_name) == 0)
            return pool;
    return NULL;
}

/* Where the pool stands, or would. */
static size_t place_of(const struct jp_pools *pools, const char *name) {
    size_t low = 0, high = pools->sorted_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(pools->sorted[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void jp__order_add(struct jp_pools *pools, struct jp_pool *pool) {
    if (!pools->sorted) /* nobody has asked yet: at the start they are all put in order at once */
        return;
    size_t place = place_of(pools, pool->name);
    pools->sorted = jp_realloc_array(pools->sorted, pools->sorted_count + 1, sizeof(struct jp_pool *));
    memmove(pools->sorted + place + 1, pools->sorted + place, (pools->sorted_count++ - place) * sizeof(struct jp_pool *));
    pools->sorted[place] = pool;
}

void jp__order_remove(struct jp_pools *pools, const struct jp_pool *pool) {
    if (!pools->sorted)
        return;
    size_t place = place_of(pools, pool->name);
    memmove(pools->sorted + place, pools->sorted + place + 1, (--pools->sorted_count - place) * sizeof(struct jp_pool *));
}

size_t jp_pools_count(const struct jp_pools *pools) { return pools->by_name.count; }

struct jp_pool *const *jp_pools_sorted(struct jp_pools *pools, size_t *ret_count) {
    if (!pools->sorted) {
        pools->sorted = jp_realloc_array(NULL, pools->by_name.count, sizeof(struct jp_pool *));
        size_t position = 0, count = 0;
        for (struct jp_pool *pool; (pool = jp_map_next(&pools->by_name, &position)) != NULL;)
            pools->sorted[count++] = pool;
        qsort(pools->sorted, count, sizeof(struct jp_pool *), compare_names);
        pools->sorted_count = count;
    }
    *ret_count = pools->sorted_count;
    return pools->sorted;
}

struct jp_pool *const *jp_pools_near(struct jp_pools *pools, const char *name, size_t *ret_count) {
    size_t count;
    struct jp_pool *const *all = jp_pools_sorted(pools, &count);
    size_t place = place_of(pools, name), from = place > NEAR ? place - NEAR : 0, to = count - place > NEAR ? place + NEAR : count;
    *ret_count = to - from;
    return all + from;
}

size_t jp_pools_member_count(const struct jp_pools *pools) { return pools->member_count; }

bool jp__pool_is_within(const struct jp_pool *pool, const struct jp_pool *ancestor) {
    for (; pool; pool = pool->parent)
        if (pool == ancestor)
            return true;
    return false;
}

jp_status jp__pool_available(const struct jp_pool *pool, struct jp_error *error) {
    if (pool->job_count)
        return JP_OK;
    return jp_fail(error, JP_E_POOL_FAILED, "pool \"%s\" has no job object: %s", pool->name, pool->failure->text);
}

struct jp_member *jp__member_by_pid(struct jp_pools *pools, uint32_t pid) { return jp_map_get_u64(&pools->by_pid, pid); }

struct jp_member *jp__member_by_watch(struct jp_pools *pools, uint64_t watch) {
    struct jp_member *member = jp__member_by_pid(pools, (uint32_t)watch);
    return member && member->watch == watch ? member : NULL;
}

jp_status jp_pools_find_process(struct jp_pools *pools, uint32_t pid, int64_t start_100ns, struct jp_member **ret_member,
                                struct jp_error *error) {
    struct jp_member *member = jp__member_by_pid(pools, pid);
    if (!member || member->stage == JP_MEMBER_LINGERING)
        return jp_fail(error, JP_E_NO_PROCESS, "no pool has a running process %" PRIu32, pid);
    if (start_100ns && start_100ns != member->record.facts.start_100ns)
        return jp_fail(error, JP_E_OTHER_PROCESS, "the process that has the id %" PRIu32 " now began at another time (startTime %" PRId64 ")", pid,
                       member->record.facts.start_100ns);
    *ret_member = member;
    return JP_OK;
}

const char *jp__file_name(const char *path) {
    const char *name = path;
    for (const char *at = path; at && *at; at++)
        if (*at == '\\' || *at == '/')
            name = at + 1;
    return name;
}
