/* Who is in which pool: counts that are kept, because they are asked for at every message and every turn of the loop, where nothing may
 * cost more the more pools and members there are. */
#include "pool/pools_internal.h"

size_t jp_pool_total_members(const struct jp_pool *pool) { return pool->total_count; }

static struct jp_pool_session *session_of(const struct jp_pool *pool, uint32_t session) {
    for (size_t i = 0; i < pool->session_count; i++)
        if (pool->sessions[i].session == session)
            return &pool->sessions[i];
    return NULL;
}

size_t jp_pool_session_members(const struct jp_pool *pool, uint32_t session) {
    const struct jp_pool_session *found = session_of(pool, session);
    return found ? found->members : 0;
}

/* --- one member more or less, in all pools of its chain --- */

static void add_to_session(struct jp_pool *pool, uint32_t session) {
    struct jp_pool_session *found = session_of(pool, session);
    if (!found) {
        pool->sessions = jp_realloc_array(pool->sessions, pool->session_count + 1, sizeof *pool->sessions);
        found = &pool->sessions[pool->session_count++];
        *found = (struct jp_pool_session){.session = session};
    }
    found->members++;
}

/* The place of one that has nobody left is kept for the next, unless others are there: most pools know one session. */
static void take_from_session(struct jp_pools *pools, struct jp_pool *pool, uint32_t session) {
    struct jp_pool_session *found = session_of(pool, session);
    if (!found || --found->members)
        return;
    if (pool->session_count > 1)
        *found = pool->sessions[--pool->session_count];
    jp__job_emptied(pools, jp__pool_job_of(pool, session));
}

/* Behind those above it, which have had members for as long. */
static void add_present(struct jp_pools *pools, struct jp_pool *pool) {
    pool->is_present = true;
    pool->present_next = NULL;
    pool->present_previous = pools->last_present;
    *(pools->last_present ? &pools->last_present->present_next : &pools->first_present) = pool;
    pools->last_present = pool;
    pools->present_count++;
}

void jp__presence_forget(struct jp_pools *pools, struct jp_pool *pool) {
    if (!pool->is_present)
        return;
    *(pool->present_previous ? &pool->present_previous->present_next : &pools->first_present) = pool->present_next;
    *(pool->present_next ? &pool->present_next->present_previous : &pools->last_present) = pool->present_previous;
    pool->is_present = pool->slice_resting = false; /* nobody rests in it */
    pools->present_count--;
}

static void make_present(struct jp_pools *pools, struct jp_pool *pool) {
    if (!pool || pool->is_present)
        return;
    make_present(pools, pool->parent);
    add_present(pools, pool);
}

void jp__presence_add(struct jp_pools *pools, const struct jp_member *member) {
    bool first = !member->pool->total_count;
    make_present(pools, member->pool);
    for (struct jp_pool *pool = member->pool; pool; pool = pool->parent) {
        pool->total_count++;
        add_to_session(pool, member->record.facts.session);
    }
    if (first)
        jp__schedule_sample_for(pools, member->pool);
}

void jp__presence_remove(struct jp_pools *pools, const struct jp_member *member) {
    for (struct jp_pool *pool = member->pool; pool; pool = pool->parent) {
        pool->total_count--;
        take_from_session(pools, pool, member->record.facts.session);
    }
}

void jp__presence_trim(struct jp_pools *pools) {
    struct jp_pool *next;
    for (struct jp_pool *pool = pools->first_present; pool; pool = next) {
        next = pool->present_next;
        if (!pool->total_count)
            jp__presence_forget(pools, pool);
    }
}
