/* Owns the descriptors of pools and of the service: who has which rights. A pool that says nothing has its parent's, and at last the service's. */
#include "pool/pools_internal.h"

static char *sid_of(void *context, const char *account) {
    struct jp_pools *pools = context;
    return jp__ops(pools)->account_sid(pools->with.backend, account);
}

/* Where an account is not found, the others have their rights: rights only shrink by that, and it is told. */
static void tell_unknown(struct jp_pools *pools, const char *pool, struct jp_strings *unknown) {
    for (size_t i = 0; i < unknown->count; i++)
        jp_log(pools->with.log, JP_LOG_WARNING, "access%s%s: there is no account or group \"%s\"; nobody gets a right by it", pool ? " of pool " : "",
               pool ? pool : "", unknown->items[i]);
    jp_strings_free(unknown);
}

static jp_status make(struct jp_pools *pools, const char *pool, const struct jp_access *access, struct jp_descriptor **ret_descriptor,
                      struct jp_error *error) {
    const struct jp_backend_ops *ops = jp__ops(pools);
    struct jp_strings unknown = {0};
    char *sddl = jp_access_sddl(access, sid_of, pools, &unknown);
    jp_status status = ops->descriptor_new(pools->with.backend, sddl, !access || !access->sddl, ret_descriptor, error);
    tell_unknown(pools, pool, &unknown);
    jp_free(sddl);
    return status;
}

/* What cannot be made is for nobody: NULL would be for those of the parent. */
static struct jp_descriptor *make_or_none(struct jp_pools *pools, const char *pool, const struct jp_access *access) {
    static const struct jp_access nobody = {.present = JP_SCHEMA_BIT(JP_ACCESS_VIEW)};
    struct jp_descriptor *descriptor = NULL;
    struct jp_error error;
    if (make(pools, pool, access, &descriptor, &error) == JP_OK)
        return descriptor;
    jp_log(pools->with.log, JP_LOG_ERROR, "access%s%s: %s; only administrators have rights", pool ? " of pool " : "", pool ? pool : "", error.text);
    return make(pools, pool, &nobody, &descriptor, &error) == JP_OK ? descriptor : NULL;
}

jp_status jp__pool_access_check(struct jp_pools *pools, const struct jp_pool_spec *spec, struct jp_error *error) {
    struct jp_descriptor *descriptor = NULL;
    jp_status status = spec->access.sddl ? make(pools, NULL, &spec->access, &descriptor, error) : JP_OK;
    if (status)
        return jp_fail_because(error, "access");
    jp__ops(pools)->descriptor_free(descriptor);
    return JP_OK;
}

static void set_own(struct jp_pools *pools, struct jp_pool *pool, bool given) {
    pools->access_own_count += given;
    pools->access_own_count -= pool->access_is_own;
    pool->access_is_own = given;
    jp__ops(pools)->descriptor_free(pool->descriptor);
    pool->descriptor = given ? make_or_none(pools, pool->name, &pool->spec.access) : NULL;
    pools->access_generation++;
}

void jp__pool_access_apply(struct jp_pools *pools, struct jp_pool *pool) { set_own(pools, pool, jp_access_given(&pool->spec.access)); }
void jp__pool_access_clear(struct jp_pools *pools, struct jp_pool *pool) { set_own(pools, pool, false); }

bool jp_pools_access_is_one(const struct jp_pools *pools) { return !pools->access_own_count; }

void jp_pools_set_access(struct jp_pools *pools, const struct jp_access *access) {
    jp__ops(pools)->descriptor_free(pools->descriptor);
    pools->descriptor = make_or_none(pools, NULL, access);
    pools->access_generation++;
}

const struct jp_descriptor *jp_pools_descriptor(const struct jp_pools *pools, const struct jp_pool *pool) {
    while (pool && !jp_access_given(&pool->spec.access))
        pool = pool->parent;
    return pool ? pool->descriptor : pools->descriptor;
}

uint32_t jp_pools_rights(const struct jp_pools *pools, const struct jp_pool *pool, const struct jp_principal *principal) {
    const struct jp_descriptor *descriptor = jp_pools_descriptor(pools, pool);
    return descriptor ? jp__ops(pools)->descriptor_rights(descriptor, principal) : 0;
}

uint64_t jp_pools_access_generation(const struct jp_pools *pools) { return pools->access_generation; }
