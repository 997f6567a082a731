/* Owns the audit trail's side of the calls: who asked for what, and what became of it.
 *
 * What was done is a record each. What was refused, or failed, can be repeated by anybody as fast as he likes: of the same request by the same
 * account the first is recorded at once, and those of the next minute together when it is over. Who asks for ever other pools has that for so
 * many of them, then for all others together. */
#include "rpc/rpc_internal.h"

#include "base/utf.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

enum { REFUSALS_KEPT = 64, REFUSALS_EACH = 8, REFUSAL_MS = 60000, NAME_MAX_BYTES = 256 };

/* Requests like one that is recorded already. */
struct refusal {
    uint64_t until_ms; /* 0: the place is free */
    int64_t time_100ns; /* of the first that is not recorded */
    uint64_t count;     /* that are not recorded */
    bool mixed;         /* of several pools */
    jp_status status;
    bool allowed;
    char *user, *sid, *pool, *detail;
    const char *method;
    uint32_t client_pid, pid;
};

struct jp_refusals {
    struct refusal items[REFUSALS_KEPT];
};

static uint64_t now_ms(const struct jp_rpc *rpc) { return rpc->with.now_ms(rpc->with.clock_context); }
static int64_t now_100ns(const struct jp_rpc *rpc) { return rpc->with.now_100ns(rpc->with.clock_context); }

static void record(struct jp_rpc *rpc, const struct jp_audit_record *audit) { rpc->with.accounts->ops->record_audit(rpc->with.accounts, audit); }

/* --- what a call is about --- */

/* NULL also for a call that has waited: its parameters are gone. */
static const void *parameter(const struct jp_call *call, const char *key, enum jp_field_type type) {
    const struct jp_rpc *rpc = call->rpc;
    for (const struct jp_field *field = call->method->fields; field->key && rpc->carried_out == call; field++)
        if (field->type == type && strcmp(field->key, key) == 0)
            return (const char *)rpc->parameters + field->offset;
    return NULL;
}

static const char *text_parameter(const struct jp_call *call, const char *key) {
    const void *found = parameter(call, key, JP_FIELD_STRING);
    return found ? *(const char *const *)found : NULL;
}

/* Whatever it says, it is not a megabyte in each record. */
static char *name_of(const char *given) {
    size_t length = strlen(given);
    char *name = jp_sprintf("%.*s", (int)(length < NAME_MAX_BYTES ? length : NAME_MAX_BYTES), given);
    if (length > NAME_MAX_BYTES)
        name[jp_utf8_valid_length(name, NAME_MAX_BYTES)] = '\0';
    return name;
}

void jp__audit_begin(struct jp_call *call) {
    struct jp_peer *peer = call->connection->peer;
    struct jp_audited *audited = &call->audited;
    if (audited->user)
        return;
    const char *pool = text_parameter(call, "pool");
    const void *pid = parameter(call, "pid", JP_FIELD_U32);
    audited->wanted = call->method->changes;
    audited->user = jp_strdup(peer->ops->principal_name(peer, call->connection->principal));
    audited->sid = jp_strdup(peer->ops->principal_sid(peer, call->connection->principal));
    audited->client_pid = call->connection->process_id;
    if (!pool && strncmp(call->method->name, "pool.", 5) == 0)
        pool = text_parameter(call, "name");
    if (!pool)
        pool = text_parameter(call, "job");
    audited->pool = pool ? name_of(pool) : NULL;
    audited->pid = pid ? *(const uint32_t *)pid : 0;
}

/* --- what is repeated --- */

static void clear(struct refusal *refusal) {
    jp_free(refusal->user);
    jp_free(refusal->sid);
    jp_free(refusal->pool);
    jp_free(refusal->detail);
    *refusal = (struct refusal){0};
}

static void flush(struct jp_rpc *rpc, struct refusal *refusal) {
    if (refusal->count)
        record(rpc, &(struct jp_audit_record){.time_100ns = refusal->time_100ns, .user = refusal->user, .sid = refusal->sid,
                                              .client_pid = refusal->client_pid, .method = refusal->method,
                                              .pool = refusal->mixed ? NULL : refusal->pool, .pid = refusal->mixed ? 0 : refusal->pid,
                                              .allowed = refusal->allowed, .status = refusal->status,
                                              .detail = refusal->mixed ? "of several pools, or for several reasons"
                                                                       : refusal->detail,
                                              .count = refusal->count});
    clear(refusal);
}

static bool same_text(const char *one, const char *other) { return one && other ? strcmp(one, other) == 0 : one == other; }

static bool is_like(const struct refusal *refusal, const struct jp_audit_record *audit) {
    return refusal->until_ms && refusal->method == audit->method && refusal->status == audit->status && same_text(refusal->sid, audit->sid) &&
           same_text(refusal->pool, audit->pool);
}

/* An account's own, whatever was asked. */
static bool is_by(const struct refusal *refusal, const struct jp_audit_record *audit) { return refusal->until_ms && same_text(refusal->sid, audit->sid); }

/* The place where this one is counted; NULL: it is the first. One account cannot take all places, so that it cannot have each of its requests
 * recorded by asking for another pool each time. */
static struct refusal *place_of(struct refusal *items, const struct jp_audit_record *audit) {
    struct refusal *near = NULL;
    size_t taken = 0;
    for (size_t i = 0; i < REFUSALS_KEPT; i++) {
        if (is_like(&items[i], audit))
            return &items[i];
        if (!is_by(&items[i], audit))
            continue;
        taken++;
        if (items[i].method == audit->method && items[i].allowed == audit->allowed)
            near = &items[i];
    }
    if (taken < REFUSALS_EACH || !near)
        return NULL;
    near->mixed = true;
    return near;
}

static struct refusal *oldest(struct refusal *items) {
    struct refusal *place = items;
    for (size_t i = 1; i < REFUSALS_KEPT; i++)
        if (items[i].until_ms < place->until_ms)
            place = &items[i];
    return place;
}

/* True if it is counted with one like it. Else it is the first, and has a place from now on; the oldest makes room. */
static bool counted(struct jp_rpc *rpc, const struct jp_audit_record *audit) {
    if (!rpc->refusals)
        rpc->refusals = jp_alloc(sizeof *rpc->refusals);
    struct refusal *place = place_of(rpc->refusals->items, audit);
    if (place) {
        if (!place->count++)
            place->time_100ns = audit->time_100ns;
        return true;
    }
    place = oldest(rpc->refusals->items);
    flush(rpc, place);
    *place = (struct refusal){.until_ms = now_ms(rpc) + REFUSAL_MS, .status = audit->status, .allowed = audit->allowed,
                              .user = jp_strdup(audit->user), .sid = jp_strdup(audit->sid), .pool = jp_strdup(audit->pool),
                              .detail = jp_strdup(audit->detail), .method = audit->method, .client_pid = audit->client_pid, .pid = audit->pid};
    return false;
}

uint64_t jp__audit_on_time(struct jp_rpc *rpc, uint64_t now) {
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; rpc->refusals && i < REFUSALS_KEPT; i++) {
        struct refusal *refusal = &rpc->refusals->items[i];
        if (!refusal->until_ms)
            continue;
        if (refusal->until_ms <= now)
            flush(rpc, refusal);
        else if (refusal->until_ms < next)
            next = refusal->until_ms;
    }
    return next;
}

void jp_rpc_stopping(struct jp_rpc *rpc) { jp__audit_on_time(rpc, UINT64_MAX); }

void jp__audit_free(struct jp_rpc *rpc) {
    for (size_t i = 0; rpc->refusals && i < REFUSALS_KEPT; i++)
        clear(&rpc->refusals->items[i]);
    jp_free(rpc->refusals);
}

/* --- what became of it --- */

/* An event of the pool that it is about: who may not view that learns nothing of it. */
static void tell_denied(struct jp_rpc *rpc, const struct jp_audit_record *audit, const struct jp_audited *audited) {
    struct jp_pools *pools = rpc->with.pools;
    struct jp_pool *pool = audited->missing_at ? jp_pools_find(pools, audited->missing_at) : NULL;
    if (!pool && audit->pool)
        pool = jp_pools_find(pools, audit->pool);
    char *detail = jp_sprintf("%s (process %" PRIu32 ") asked for %s%s%s without the right \"%s\"", audit->user, audit->client_pid, audit->method,
                              audit->pool ? " of " : "", audit->pool ? audit->pool : "", jp_choice_name(jp_rights, audited->missing_right));
    jp_pools_note_of(pools, pool, "REQUEST_DENIED", detail);
    jp_free(detail);
}

void jp__audit_end(struct jp_call *call, const struct jp_error *error) {
    struct jp_audited *audited = &call->audited;
    struct jp_rpc *rpc = call->rpc;
    bool denied = error && audited->missing_right;
    if (!audited->user || !(audited->wanted || denied))
        return;
    struct jp_audit_record audit = {
        .time_100ns = now_100ns(rpc), .user = audited->user, .sid = audited->sid, .client_pid = audited->client_pid, .method = call->method->name,
        .pool = audited->pool, .pid = audited->pid, .allowed = !denied, .status = error ? error->status : JP_OK,
        .detail = error ? error->text : NULL, .count = 1,
    };
    if (!error || !counted(rpc, &audit)) {
        record(rpc, &audit);
        if (denied)
            tell_denied(rpc, &audit, audited);
    }
    audited->wanted = false; /* once */
    jp_free(audited->user);
    audited->user = NULL;
}
