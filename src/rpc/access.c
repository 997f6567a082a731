/* Who may do what, asked of the pools' descriptors. Whatever a caller may not view does not exist for it. */
#include "rpc/rpc_internal.h"

#include <string.h>

/* --- rights --- */

static const char *sid_of(const struct jp_rpc_connection *connection) {
    return connection->peer->ops->principal_sid(connection->peer, connection->principal);
}

/* Who made an ephemeral pool sees it and ends it, and what stands below it and says nothing else. What he may assign or launch there is what
 * he may in the pool above. */
static uint32_t rights_of_maker(const struct jp_rpc_connection *connection, const struct jp_pool *pool) {
    for (; pool && !jp_access_given(&pool->spec.access); pool = pool->parent)
        if (pool->ephemeral && strcmp(jp_pool_maker(pool), sid_of(connection)) == 0)
            return JP_RIGHT_VIEW | JP_RIGHT_CONTROL;
    return 0;
}

/* The last few answers are kept: most pools share a descriptor, and asking costs a system call. */
static uint32_t rights_by_descriptor(struct jp_rpc_connection *connection, const struct jp_pool *pool) {
    enum { KNOWN = sizeof connection->known_rights / sizeof *connection->known_rights };
    struct jp_pools *pools = connection->rpc->with.pools;
    const struct jp_descriptor *descriptor = jp_pools_descriptor(pools, pool);
    if (connection->known_generation != jp_pools_access_generation(pools)) { /* an address may be another descriptor's by now */
        connection->known_generation = jp_pools_access_generation(pools);
        connection->known_count = 0;
    }
    size_t kept = connection->known_count < KNOWN ? connection->known_count : KNOWN;
    for (size_t i = 0; i < kept; i++)
        if (connection->known_rights[i].descriptor == descriptor)
            return connection->known_rights[i].rights;
    uint32_t rights = jp_pools_rights(pools, pool, connection->principal);
    connection->known_rights[connection->known_count++ % KNOWN] = (struct jp_known_rights){descriptor, rights};
    return rights;
}

uint32_t jp__rights(struct jp_rpc_connection *connection, const struct jp_pool *pool) {
    return rights_by_descriptor(connection, pool) | rights_of_maker(connection, pool);
}

bool jp__made_and_gone(const struct jp_rpc_connection *connection, const char *name) {
    struct jp_pools *pools = connection->rpc->with.pools;
    const char *maker = jp_pools_find(pools, name) ? NULL : jp_pools_gone_maker(pools, name);
    return maker && strcmp(maker, sid_of(connection)) == 0;
}

bool jp__may_view(struct jp_rpc_connection *connection, const char *name) {
    const struct jp_pool *pool = *name ? jp_pools_find(connection->rpc->with.pools, name) : NULL;
    return jp__rights(connection, pool) & (pool || !*name ? JP_RIGHT_VIEW : JP_RIGHT_ADMIN) || jp__made_and_gone(connection, name);
}

/* Who is told that a pool is not there, is in the audit trail all the same. */
void jp__note_missing(struct jp_call *call, const struct jp_pool *pool, uint32_t right) {
    struct jp_audited *audited = &call->audited;
    jp__audit_begin(call);
    audited->missing_right = right;
    jp_free(audited->missing_at);
    audited->missing_at = pool ? jp_strdup(pool->name) : NULL;
    if (pool && !audited->pool)
        audited->pool = jp_strdup(pool->name);
}

jp_status jp__need(struct jp_call *call, const struct jp_pool *pool, uint32_t right, struct jp_error *error) {
    if ((jp__rights(call->connection, pool) & right) == right)
        return JP_OK;
    jp__note_missing(call, pool, right);
    return jp_fail(error, JP_E_DENIED, "%s: %s has no right \"%s\" %s%s%s; an administrator gives it with \"access\"", call->method->name, jp__caller(call),
                   jp_choice_name(jp_rights, right), pool ? "to pool \"" : "to the service", pool ? pool->name : "", pool ? "\"" : "");
}

jp_status jp__need_for_limits(struct jp_call *call, const struct jp_limits *wanted, const struct jp_limits *now, struct jp_error *error) {
    enum { HIGHEST_SCHEDULING_CLASS = 5 }; /* without that privilege */
    const uint64_t news = ~now->present;
    bool priority = wanted->present & JP_SCHEMA_BIT(JP_LIMIT_PRIORITY_CLASS) && wanted->priority_class == JP_JOB_REALTIME_PRIORITY_CLASS &&
                    (news & JP_SCHEMA_BIT(JP_LIMIT_PRIORITY_CLASS) || now->priority_class != wanted->priority_class);
    bool scheduling = wanted->present & JP_SCHEMA_BIT(JP_LIMIT_SCHEDULING_CLASS) && wanted->scheduling_class > HIGHEST_SCHEDULING_CLASS &&
                      (news & JP_SCHEMA_BIT(JP_LIMIT_SCHEDULING_CLASS) || now->scheduling_class != wanted->scheduling_class);
    bool memory = wanted->present & JP_SCHEMA_BIT(JP_LIMIT_WORKING_SET) &&
                  (news & JP_SCHEMA_BIT(JP_LIMIT_WORKING_SET) || now->working_set.min_bytes != wanted->working_set.min_bytes ||
                   now->working_set.max_bytes != wanted->working_set.max_bytes);
    return priority || scheduling || memory ? jp__need(call, NULL, JP_RIGHT_ADMIN, error) : JP_OK;
}

const char *jp__caller(const struct jp_call *call) {
    struct jp_peer *peer = call->connection->peer;
    return peer->ops->principal_name(peer, call->connection->principal);
}

/* --- pools by name --- */

/* Suggests only what may be seen, and looks only at the names beside it: whoever asks for what is not there must not cost the more the more
 * pools there are. */
static jp_status no_pool(struct jp_call *call, const char *name, struct jp_error *error) {
    size_t count, shown = 0;
    struct jp_pool *const *all = jp_pools_near(call->rpc->with.pools, name, &count);
    const char **names = jp_realloc_array(NULL, count, sizeof *names);
    for (size_t i = 0; i < count; i++)
        if (jp__rights(call->connection, all[i]) & JP_RIGHT_VIEW)
            names[shown++] = all[i]->name;
    const char *nearest = shown ? jp_nearest(name, names, shown, sizeof *names) : NULL;
    jp_fail(error, JP_E_NO_POOL, "there is no pool \"%.80s\"%s%s%s", name, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
            nearest ? "\"?" : "");
    jp_free(names);
    return error->status;
}

struct jp_pool *jp__find_pool(struct jp_call *call, const char *name, struct jp_error *error) {
    struct jp_pool *pool = jp_pools_find(call->rpc->with.pools, name);
    if (pool && jp__rights(call->connection, pool) & JP_RIGHT_VIEW)
        return pool;
    if (pool)
        jp__note_missing(call, pool, JP_RIGHT_VIEW);
    no_pool(call, name, error);
    return NULL;
}

/* --- what was recorded --- */

static void add_gone(void *context, const char *name) { jp_strings_add(context, name); }

/* Administrators of the service do, and what is recorded of pools that are gone, too, unless a pool shuts them out. */
static bool may_view_all(struct jp_call *call) {
    size_t count;
    struct jp_pool *const *all = jp_pools_sorted(call->rpc->with.pools, &count);
    bool whole = jp__rights(call->connection, NULL) & JP_RIGHT_ADMIN; /* which implies the right to view */
    for (size_t i = 0; i < count && whole && !jp_pools_access_is_one(call->rpc->with.pools); i++)
        whole = jp__rights(call->connection, all[i]) & JP_RIGHT_VIEW;
    return whole;
}

bool jp__viewable(struct jp_call *call, const struct jp_strings *asked, struct jp_strings *ret_pools, const struct jp_strings **ret_filter) {
    size_t count;
    struct jp_error error;
    struct jp_pool *const *all = jp_pools_sorted(call->rpc->with.pools, &count);
    *ret_pools = (struct jp_strings){0};
    for (size_t i = 0; asked && i < asked->count; i++)
        if (!jp__may_view(call->connection, asked->items[i])) {
            const struct jp_pool *hidden = jp_pools_find(call->rpc->with.pools, asked->items[i]);
            if (hidden || !*asked->items[i])
                jp__note_missing(call, hidden, JP_RIGHT_VIEW);
            no_pool(call, asked->items[i], &error);
            jp__refuse(call, &error);
            return false;
        }
    *ret_filter = asked;
    if (asked && asked->count)
        return true;
    *ret_filter = NULL;
    if (may_view_all(call))
        return true;
    for (size_t i = 0; i < count; i++)
        if (jp__rights(call->connection, all[i]) & JP_RIGHT_VIEW)
            jp_strings_add(ret_pools, all[i]->name);
    jp_pools_each_gone(call->rpc->with.pools, sid_of(call->connection), add_gone, ret_pools);
    if (jp__rights(call->connection, NULL) & JP_RIGHT_VIEW)
        jp_strings_add(ret_pools, ""); /* the service's own */
    if (ret_pools->count) {
        *ret_filter = ret_pools;
        return true;
    }
    jp__need(call, NULL, JP_RIGHT_VIEW, &error);
    jp__refuse(call, &error);
    return false;
}

/* --- command lines --- */

bool jp__may_see_secrets(struct jp_rpc_connection *connection, const struct jp_process_record *record) {
    struct jp_peer *peer = connection->peer;
    const char *name = peer->ops->principal_name(peer, connection->principal);
    if (record->facts.user && jp_ascii_equal_nocase(record->facts.user, name))
        return true;
    const struct jp_pool *pool = jp_pools_find(connection->rpc->with.pools, record->pool);
    return jp__rights(connection, pool) & JP_RIGHT_ADMIN;
}

/* Windows tells nobody the command line of another's process, nor the folder of its program: only the file's name. */
void jp__put_process_for(struct jp_json_out *out, struct jp_rpc_connection *connection, const struct jp_process_record *record) {
    if (!connection || jp__may_see_secrets(connection, record)) {
        jp__put_process(out, record);
        return;
    }
    struct jp_process_record seen = *record;
    const char *image = record->facts.image, *slash = image ? strrchr(image, '\\') : NULL;
    seen.facts.command_line = NULL;
    seen.facts.image = slash ? (char *)(uintptr_t)(slash + 1) : seen.facts.image;
    jp__put_process(out, &seen);
}
