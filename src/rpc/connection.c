/* Connections: bytes in, messages out, and how long one may do nothing. */
#include "rpc/rpc_internal.h"

#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct jp_rpc *jp_rpc_new(const struct jp_rpc_setup *setup, uint64_t last_seq) {
    struct jp_rpc *rpc = jp_alloc(sizeof *rpc);
    rpc->with = *setup;
    jp_quotas_fill(&rpc->with.quotas);
    rpc->newest_seq = rpc->delivered_seq = last_seq;
    rpc->impatient_ms = UINT64_MAX;
    for (const struct jp_method *method = jp__methods; method->name; method++)
        jp_map_put(&rpc->methods, method->name, (void *)(uintptr_t)method);
    return rpc;
}

void jp_rpc_free(struct jp_rpc *rpc) {
    if (!rpc)
        return;
    jp__recent_free(rpc);
    jp__audit_free(rpc);
    jp_str_free(&rpc->openrpc);
    jp_str_free(&rpc->unheard);
    jp__calls_free(rpc);
    jp_map_free(&rpc->methods);
    jp_free(rpc);
}

size_t jp_rpc_connection_count(const struct jp_rpc *rpc) { return rpc->connection_count; }

static uint64_t now_ms(const struct jp_rpc *rpc) { return rpc->with.now_ms(rpc->with.clock_context); }

/* Something is begun for which a client has only so long: it is looked for then, and not before. */
static void expect(struct jp_rpc *rpc, uint64_t since_ms, uint64_t allowed_100ns) {
    uint64_t due_ms = since_ms + allowed_100ns / JP_100NS_PER_MS;
    if (allowed_100ns && due_ms < rpc->impatient_ms)
        rpc->impatient_ms = due_ms;
}

void jp__note_active(struct jp_rpc_connection *connection) {
    connection->active_ms = now_ms(connection->rpc);
    expect(connection->rpc, connection->active_ms, connection->rpc->with.quotas.idle_100ns);
}

/* --- what is dropped --- */

static void tell_dropped(struct jp_rpc_connection *connection, const char *last) {
    const struct jp_rpc *rpc = connection->rpc;
    if (connection->dropped == connection->dropped_told)
        return;
    jp_log(rpc->with.log, JP_LOG_WARNING,
           "%s (process %" PRIu32 ") sends notifications while %" PRIu32 " of its requests are not done (quotas.in_flight): %" PRIu64
           " of this connection were dropped so far; %s",
           connection->peer->ops->principal_name(connection->peer, connection->principal), connection->process_id, rpc->with.quotas.in_flight,
           connection->dropped, last);
    connection->dropped_told = connection->dropped;
    connection->dropped_told_ms = now_ms(rpc);
}

void jp__note_dropped(struct jp_rpc_connection *connection, const struct jp_method *method) {
    enum { AGAIN_MS = 60000 };
    char last[128];
    connection->rpc->dropped_notifications++;
    if (connection->dropped++ && now_ms(connection->rpc) - connection->dropped_told_ms < AGAIN_MS)
        return;
    snprintf(last, sizeof last, "the last one was %s", method->name);
    tell_dropped(connection, last);
}

/* --- coming and going --- */

static void cut_off(struct jp_rpc_connection *connection) {
    if (connection->cut)
        return;
    connection->cut = connection->closing = true;
    connection->rpc->open_count--;
    connection->peer->ops->close(connection->peer);
}

void jp__finish(struct jp_rpc_connection *connection) {
    if (connection->closing)
        return;
    connection->closing = true;
    connection->finishing_since_ms = now_ms(connection->rpc) | 1;
    expect(connection->rpc, connection->finishing_since_ms, connection->rpc->with.quotas.stall_100ns);
    connection->peer->ops->finish(connection->peer);
}

/* Of one that was told why it goes, else of one that has not sent a whole message: nobody knows whose that is, nor counts it for him. */
static bool make_room(struct jp_rpc *rpc) {
    struct jp_rpc_connection *finishing = NULL, *nobodys = NULL;
    for (struct jp_rpc_connection *connection = rpc->first_connection; connection; connection = connection->next) { /* the oldest stands last */
        if (connection->closing && !connection->cut)
            finishing = connection;
        else if (!connection->principal && !connection->closing)
            nobodys = connection;
    }
    if (finishing || nobodys)
        cut_off(finishing ? finishing : nobodys);
    return finishing || nobodys;
}

const char *jp_rpc_full(void) {
    return "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32007,\"message\":\"the service has as many connections as it takes; try again "
           "later\",\"data\":{\"name\":\"quota_exceeded\",\"quota\":\"connections\"}}}\n";
}

struct jp_rpc_connection *jp_rpc_open(struct jp_rpc *rpc, struct jp_peer *peer) {
    if (rpc->open_count >= rpc->with.quotas.connections && !make_room(rpc))
        return NULL;
    struct jp_rpc_connection *connection = jp_alloc(sizeof *connection);
    connection->rpc = rpc;
    connection->peer = peer;
    connection->framer.max_bytes = rpc->with.quotas.message_bytes;
    connection->opened_ms = connection->active_ms = now_ms(rpc);
    expect(rpc, connection->opened_ms, rpc->with.quotas.first_byte_100ns);
    connection->next = rpc->first_connection;
    if (connection->next)
        connection->next->previous = connection;
    rpc->first_connection = connection;
    rpc->connection_count++;
    rpc->open_count++;
    return connection;
}

void jp_rpc_closed(struct jp_rpc_connection *connection) {
    struct jp_rpc *rpc = connection->rpc;
    tell_dropped(connection, "it is gone now");
    while (connection->first_call)
        jp__call_abandon(connection->first_call);
    jp__subscriptions_closed(connection);
    jp__jobs_closed(connection);
    if (connection->holds_pools)
        jp_pools_holder_gone(rpc->with.pools, connection);
    if (connection->principal)
        connection->peer->ops->principal_free(connection->peer, connection->principal);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        rpc->first_connection = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    rpc->connection_count--;
    rpc->open_count -= !connection->cut;
    jp_framer_clear(&connection->framer);
    jp_str_free(&connection->waiting);
    jp_free(connection);
}

bool jp__may_stay(struct jp_rpc_connection *connection, struct jp_error *error) {
    struct jp_rpc *rpc = connection->rpc;
    const struct jp_peer_ops *ops = connection->peer->ops;
    const char *sid = ops->principal_sid(connection->peer, connection->principal);
    uint32_t count = 0;
    for (struct jp_rpc_connection *other = rpc->first_connection; other; other = other->next)
        if (other->principal && !other->cut && strcmp(ops->principal_sid(other->peer, other->principal), sid) == 0)
            count++;
    if (count <= rpc->with.quotas.connections_per_user)
        return true;
    jp_fail(error, JP_E_QUOTA, "%s has %" PRIu32 " connections already; that is the bound for one account",
            ops->principal_name(connection->peer, connection->principal), rpc->with.quotas.connections_per_user);
    return false;
}

/* --- out --- */

static struct jp_str *message(struct jp_rpc_connection *connection) {
    return connection->closing ? &connection->rpc->unheard : connection->peer->ops->output(connection->peer);
}

struct jp_str *jp__begin_message(struct jp_rpc_connection *connection) {
    struct jp_str *out = message(connection);
    connection->message_at = out->length;
    return out;
}

void jp__end_message(struct jp_rpc_connection *connection, enum jp_framing framing) {
    struct jp_rpc *rpc = connection->rpc;
    if (connection->closing) {
        jp_str_free(&rpc->unheard);
        return;
    }
    jp_frame(message(connection), connection->message_at, framing); /* one piece: some clients read header and body together */
    connection->peer->ops->send(connection->peer);
    jp__note_active(connection);
}

struct jp_json_out *jp__notification_begin(struct jp_rpc_connection *connection, const char *method) {
    struct jp_json_out *out = &connection->rpc->out;
    *out = (struct jp_json_out){.text = jp__begin_message(connection)};
    jp_out_object(out, NULL);
    jp_out_string(out, "jsonrpc", "2.0");
    jp_out_string(out, "method", method);
    jp_out_object(out, "params");
    return out;
}

void jp__notification_end(struct jp_rpc_connection *connection, enum jp_framing framing) {
    struct jp_json_out *out = &connection->rpc->out;
    jp_out_end_object(out);
    jp_out_end_object(out);
    jp__end_message(connection, framing);
}

/* --- clients that do not read --- */

bool jp_rpc_stalled(const struct jp_rpc_connection *connection) { return connection->stalled_since_ms != 0; }

bool jp_rpc_awaits_drain(const struct jp_rpc_connection *connection) { return connection->stalled_since_ms || connection->subscription_count; }

static bool must_wait(struct jp_rpc_connection *connection) {
    struct jp_rpc *rpc = connection->rpc;
    if (!connection->stalled_since_ms && connection->peer->ops->unsent(connection->peer) > rpc->with.quotas.unread_bytes) {
        connection->stalled_since_ms = now_ms(rpc) | 1;
        expect(rpc, connection->stalled_since_ms, rpc->with.quotas.stall_100ns);
    }
    return connection->stalled_since_ms != 0;
}

void jp_rpc_drained(struct jp_rpc_connection *connection) {
    struct jp_str waiting = connection->waiting;
    connection->waiting = (struct jp_str){0};
    connection->stalled_since_ms = 0;
    if (connection->midway_since_ms) /* its time went on */
        expect(connection->rpc, connection->midway_since_ms, connection->rpc->with.quotas.stall_100ns);
    if (!connection->closing)
        jp__subscriptions_drained(connection);
    jp_rpc_receive(connection, waiting.data, waiting.length);
    jp_str_free(&waiting);
}

/* --- clients that do nothing --- */

struct patience {
    uint64_t since_ms;      /* 0: nothing is waited for */
    uint64_t allowed_100ns; /* 0: any time */
    const char *what;       /* it did */
};

/* Whether its time is up; else when it will be. */
static bool is_over(const struct patience *patience, uint64_t now, uint64_t *next) {
    uint64_t deadline = patience->since_ms + patience->allowed_100ns / JP_100NS_PER_MS;
    if (!patience->since_ms || !patience->allowed_100ns)
        return false;
    if (deadline > now && deadline < *next)
        *next = deadline;
    return deadline <= now;
}

static void look_at(struct jp_rpc_connection *connection, uint64_t now, uint64_t *next) {
    const struct jp_quotas *quotas = &connection->rpc->with.quotas;
    bool idle = connection->spoke && !connection->call_count && !connection->subscription_count && !connection->midway_since_ms;
    const struct patience limits[] = {
        {connection->spoke ? 0 : connection->opened_ms | 1, quotas->first_byte_100ns, "said nothing after it had connected"},
        {connection->stalled_since_ms, quotas->stall_100ns, "left its answers unread"},
        {connection->stalled_since_ms ? 0 : connection->midway_since_ms, quotas->stall_100ns, "did not finish a message that it had begun"},
        {idle ? connection->active_ms | 1 : 0, quotas->idle_100ns, "was idle"},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (is_over(&limits[i], now, next)) {
            jp_log(connection->rpc->with.log, i == 1 ? JP_LOG_WARNING : JP_LOG_INFO, "a client %s for %llu s; its connection is closed", limits[i].what,
                   (unsigned long long)(limits[i].allowed_100ns / JP_100NS_PER_S));
            cut_off(connection);
            return;
        }
}

uint64_t jp__connections_on_time(struct jp_rpc *rpc, uint64_t now) {
    uint64_t next = UINT64_MAX;
    if (rpc->impatient_ms > now)
        return rpc->impatient_ms;
    for (struct jp_rpc_connection *connection = rpc->first_connection; connection; connection = connection->next)
        if (!connection->closing)
            look_at(connection, now, &next);
        else if (is_over(&(struct patience){connection->finishing_since_ms, rpc->with.quotas.stall_100ns, NULL}, now, &next))
            cut_off(connection); /* it does not even read why */
    rpc->impatient_ms = next;
    return next;
}

/* --- in --- */

static void refuse_too_long(struct jp_rpc_connection *connection) {
    struct jp_error error;
    jp_fail(&error, JP_E_QUOTA, "a message may have %" PRIu64 " bytes; this one is longer and was not read", connection->rpc->with.quotas.message_bytes);
    jp__send_error(connection, &error);
}

static void refuse_broken(struct jp_rpc_connection *connection, const char *why) {
    struct jp_error error;
    jp_fail(&error, JP_E_PARSE, "%s; the connection is closed", why);
    jp__send_error(connection, &error);
    jp__finish(connection);
}

static void take_framed(struct jp_rpc_connection *connection, enum jp_framed what, const char *text, size_t length) {
    if (what != JP_FRAMED_NOTHING) { /* each byte of a message does not begin its time anew */
        connection->midway_since_ms = 0;
        connection->spoke = true;
    }
    if (what == JP_FRAMED_MESSAGE)
        jp__receive_message(connection, text, length);
    else if (what == JP_FRAMED_TOO_LONG)
        refuse_too_long(connection);
    else if (what == JP_FRAMED_BROKEN)
        refuse_broken(connection, text);
}

void jp_rpc_receive(struct jp_rpc_connection *connection, const char *bytes, size_t length) {
    if (length && !connection->closing)
        jp__note_active(connection);
    while (length && !connection->closing) {
        enum jp_framed what;
        const char *text;
        size_t text_length;
        if (must_wait(connection)) {
            jp_str_add(&connection->waiting, bytes, length);
            return;
        }
        size_t taken = jp_framer_take(&connection->framer, bytes, length, &what, &text, &text_length);
        take_framed(connection, what, text, text_length);
        bytes += taken;
        length -= taken;
    }
    if (!connection->midway_since_ms && jp_framer_midway(&connection->framer)) {
        connection->midway_since_ms = connection->active_ms | 1;
        expect(connection->rpc, connection->midway_since_ms, connection->rpc->with.quotas.stall_100ns);
        connection->spoke = true; /* blanks and line ends alone are silence */
    }
}
