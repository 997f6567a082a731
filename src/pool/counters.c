/* What pools have used since they were first heard of, or since somebody set that to zero.
 *
 * It goes by the pools' names: a pool that is deleted and made again goes on where the last one of its name stood, so the
 * counters outlive the pools. Those of names without a pool wait in a line; past a bound the one that waits longest is let go of. */
#include "pool/pools_internal.h"

#include "base/units.h"

#include <inttypes.h>

enum { MAX_IDLE = 10000, MAX_IDLE_EPHEMERAL = 1000 }; /* names without a pool */

struct jp_counted {
    char *name;
    struct jp_counters total; /* of processes that have ended */
    struct jp_counters *base; /* as of the last reset, or NULL; it may have what still runs, too */
    int64_t reset_100ns;      /* 0: never */
    struct jp__series_state *series; /* NULL: nobody was ever in a pool of the name, nor below it */
    bool ephemeral;           /* the pool was: that decides the line */
    struct jp_counted *next, *previous; /* of the line, while no pool has the name */
};

/* --- the line --- */

static struct jp_counted_line *line_of(struct jp_pools *pools, const struct jp_counted *counted) { return &pools->idle[counted->ephemeral]; }

static void line_add(struct jp_pools *pools, struct jp_counted *counted) {
    struct jp_counted_line *line = line_of(pools, counted);
    counted->previous = line->last;
    counted->next = NULL;
    if (line->last)
        line->last->next = counted;
    else
        line->first = counted;
    line->last = counted;
    line->count++;
}

static void line_remove(struct jp_pools *pools, struct jp_counted *counted) {
    struct jp_counted_line *line = line_of(pools, counted);
    if (counted->previous)
        counted->previous->next = counted->next;
    else
        line->first = counted->next;
    if (counted->next)
        counted->next->previous = counted->previous;
    else
        line->last = counted->previous;
    counted->next = counted->previous = NULL;
    line->count--;
}

static void set_base(struct jp_counted *counted, const struct jp_counters *base, int64_t reset_100ns) {
    if (!counted->base)
        counted->base = jp_alloc(sizeof *counted->base);
    *counted->base = *base;
    counted->reset_100ns = reset_100ns;
}

static void free_counted(struct jp_counted *counted) {
    jp_free(counted->base);
    jp_free(counted->series);
    jp_free(counted->name);
    jp_free(counted);
}

static struct jp_counted *counted_of(struct jp_pools *pools, const char *name) {
    struct jp_counted *counted = jp_map_get(&pools->counted, name);
    if (counted)
        return counted;
    counted = jp_alloc(sizeof *counted);
    counted->name = jp_strdup(name);
    jp_map_put(&pools->counted, counted->name, counted);
    line_add(pools, counted);
    return counted;
}

/* --- beginning and end --- */

/* Or it had used something before there were samples: then that is of no time (sampled_100ns is 0), and no sample may count it. */
static bool was_sampled(const struct jp_pool_counters *counters) {
    const struct jp_spent *own = &counters->sampled_own;
    return counters->sampled_100ns || own->cpu_100ns || own->read_bytes || own->write_bytes;
}

void jp__counters_load(struct jp_pools *pools, const struct jp_accounts_start *start) {
    for (size_t i = 0; i < start->past_count; i++)
        counted_of(pools, start->pasts[i].name); /* also one of which nothing was counted is a name that was used */
    for (size_t i = 0; i < start->counter_count; i++) {
        struct jp_counted *counted = counted_of(pools, start->counters[i].name);
        line_remove(pools, counted);
        counted->ephemeral = start->counters[i].ephemeral;
        line_add(pools, counted);
        counted->total = start->counters[i].total;
        if (start->counters[i].reset_100ns)
            set_base(counted, &start->counters[i].base, start->counters[i].reset_100ns);
        if (was_sampled(&start->counters[i]))
            jp__series_load(jp__counted_series(counted), &start->counters[i]);
    }
}

static void let_go_of(struct jp_pools *pools, struct jp_counted *counted) {
    uint64_t hash = jp_map_hash(counted->name);
    line_remove(pools, counted);
    jp_map_remove(&pools->counted, counted->name);
    if (!jp_map_get_u64(&pools->let_go, hash))
        jp_map_put_u64(&pools->let_go, hash, pools);
    free_counted(counted);
}

void jp__counters_trim(struct jp_pools *pools) {
    static const size_t most[] = {MAX_IDLE, MAX_IDLE_EPHEMERAL};
    for (size_t i = 0; i < sizeof most / sizeof *most; i++)
        while (pools->idle[i].count > most[i])
            let_go_of(pools, pools->idle[i].first);
}

/* Two names may have one hash: then the second is taken for used, too. */
bool jp__name_is_used(const struct jp_pools *pools, const char *name) {
    return jp_map_get(&pools->counted, name) || jp_map_get_u64(&pools->let_go, jp_map_hash(name));
}

void jp__name_forget(struct jp_pools *pools, const char *name) {
    struct jp_counted *counted = jp_map_get(&pools->counted, name);
    jp_map_remove_u64(&pools->let_go, jp_map_hash(name));
    if (!counted)
        return;
    line_remove(pools, counted);
    jp_map_remove(&pools->counted, name);
    free_counted(counted);
}

void jp__counters_free(struct jp_pools *pools) {
    size_t position = 0;
    for (struct jp_counted *counted; (counted = jp_map_next(&pools->counted, &position)) != NULL;)
        free_counted(counted);
    jp_map_free(&pools->counted);
    jp_map_free(&pools->let_go);
}

void jp__counters_attach(struct jp_pools *pools, struct jp_pool *pool) {
    pool->counted = counted_of(pools, pool->name);
    line_remove(pools, pool->counted);
}

void jp__counters_detach(struct jp_pools *pools, struct jp_pool *pool) {
    pool->counted->ephemeral = pool->ephemeral != NULL;
    line_add(pools, pool->counted);
    jp__counters_trim(pools);
}

struct jp_counted *jp__counted_named(struct jp_pools *pools, const char *name) { return jp_map_get(&pools->counted, name); }
struct jp__series_state *jp__counted_series(struct jp_counted *counted) {
    if (!counted->series)
        counted->series = jp_alloc(sizeof *counted->series);
    return counted->series;
}

bool jp__counted_has_series(const struct jp_counted *counted) { return counted->series != NULL; }
const struct jp_counters *jp__counted_total(const struct jp_counted *counted) { return &counted->total; }

/* --- counting --- */

void jp__count_ended(struct jp_pools *pools, const struct jp_process_record *row) {
    jp_counters_add(&counted_of(pools, row->pool)->total, row);
}

void jp__count_elsewhere(struct jp_pools *pools, const struct jp_process_record *row, const char *pool) {
    struct jp_counters one = {0};
    jp_counters_add(&one, row);
    jp_counters_less(&counted_of(pools, row->pool)->total, &one); /* but for a peak, which nobody takes back */
    jp_counters_add(&counted_of(pools, pool)->total, row);
}

void jp__count_unobserved(struct jp_pools *pools, const struct jp_unobserved_record *record) {
    jp_counters_add_unobserved(&counted_of(pools, record->pool)->total, record);
}

/* For ever, whatever was reset; of running members what they have used so far, without themselves: they are counted when they end. */
static struct jp_counters all_of(struct jp_pools *pools, const struct jp_pool *pool) {
    struct jp_counters all = pool->counted->total;
    jp__used_count(pools, pool, &all);
    return all;
}

void jp_pools_counters(struct jp_pools *pools, const struct jp_pool *pool, struct jp_counters *ret_counters, int64_t *ret_since_100ns) {
    *ret_counters = all_of(pools, pool);
    if (pool->counted->base)
        jp_counters_less(ret_counters, pool->counted->base);
    *ret_since_100ns = pool->counted->reset_100ns;
}

/* --- setting them to zero --- */

/* The base has what the members have used so far. Their rows must not have less, or a crash would leave them below it: so they are asked after that. */
static void record_members(struct jp_pools *pools, const struct jp_pool *pool) {
    for (struct jp_member *member = pool->first_member; member; member = member->next) {
        jp_pools_refresh_usage(pools, member);
        pools->with.accounts->ops->record_process(pools->with.accounts, &member->record);
    }
}

static void tell_reset(struct jp_pools *pools, struct jp_pool *pool, const char *by, const struct jp_counters *old) {
    char user[JP_UNITS_TEXT], kernel[JP_UNITS_TEXT];
    char *detail = jp_sprintf("by %s; they stood at %" PRIu64 " processes, CPU time %s user and %s kernel", by, old->processes,
                              jp_duration_format(old->user_100ns, user), jp_duration_format(old->kernel_100ns, kernel));
    jp__emit(pools, &(struct jp__event){.pool = pool, .message = "COUNTERS_RESET", .origin = JP_ORIGIN_SERVICE, .detail = detail});
    jp_free(detail);
}

jp_status jp_pools_reset_counters(struct jp_pools *pools, struct jp_pool *pool, const char *by, struct jp_counters *ret_old,
                                  struct jp_error *error) {
    if (pools->stopping)
        return jp_fail(error, JP_E_STOPPING, "the service is stopping");
    struct jp_counted *counted = pool->counted;
    const struct jp_counters base = all_of(pools, pool);
    *ret_old = base;
    if (counted->base)
        jp_counters_less(ret_old, counted->base);
    set_base(counted, &base, jp__now(pools));
    record_members(pools, pool);
    pools->with.accounts->ops->record_reset(
        pools->with.accounts,
        &(struct jp_reset_record){.pool = pool->name, .time_100ns = counted->reset_100ns, .by = by, .base = base});
    tell_reset(pools, pool, by, ret_old);
    return JP_OK;
}
