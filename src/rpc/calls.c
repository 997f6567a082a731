/* Calls on their way to an answer: replies, errors, batches, time-outs, progress, and calls that are taken back. */
#include "rpc/rpc_internal.h"

#include <inttypes.h>
#include <string.h>

enum { PROGRESS_MS = 1000, KEPT_BYTES = 256 /* of memory for ids, from a call to the next */ };

static uint64_t now_ms(const struct jp_rpc *rpc) { return rpc->with.now_ms(rpc->with.clock_context); }

/* --- what goes out --- */

void jp__put_error(struct jp_json_out *out, const struct jp_error *error, const cJSON *more_data) {
    jp_out_object(out, "error");
    jp_out_i64(out, "code", error->status);
    jp_out_string(out, "message", error->text);
    jp_out_object(out, "data");
    jp_out_members(out, more_data);
    jp_out_string(out, "name", jp_status_name(error->status));
    if (error->win32) {
        jp_out_u64(out, "win32", error->win32);
        jp_out_string(out, "win32Name", jp_win32_name(error->win32));
    }
    if (error->operation)
        jp_out_string(out, "operation", error->operation);
    jp_out_end_object(out);
    jp_out_end_object(out);
}

void jp__send_error(struct jp_rpc_connection *connection, const struct jp_error *error) {
    struct jp_json_out *out = &connection->rpc->out;
    *out = (struct jp_json_out){.text = jp__begin_message(connection)};
    jp_out_object(out, NULL);
    jp_out_string(out, "jsonrpc", "2.0");
    jp_out_null(out, "id");
    jp__put_error(out, error, NULL);
    jp_out_end_object(out);
    jp__end_message(connection, connection->framer.framing);
}

/* Of one call, up to its result or error. Nobody hears what is answered to a notification, or to a client that is gone. */
static bool is_heard(const struct jp_call *call) { return call->id.length && call->connection; }

static struct jp_str *place_of_answer(struct jp_call *call) {
    if (!is_heard(call))
        return &call->rpc->unheard;
    if (!call->batch)
        return jp__begin_message(call->connection);
    call->connection->message_at = call->batch->answers.length;
    jp_str_putc(&call->batch->answers, call->batch->answers.length ? ',' : '[');
    return &call->batch->answers;
}

static struct jp_json_span id_of(const struct jp_call *call) { return (struct jp_json_span){call->id.data, call->id.length}; }

/* As it was written; but where a lone surrogate may stand in it, as bytes that are no text and begin with 0xED (json_view.h), printed anew. */
static void put_id(struct jp_json_out *out, const struct jp_call *call) {
    const struct jp_str *id = &call->id;
    if (!memchr(id->data, 0xED, id->length)) {
        jp_str_add(out->text, id->data, id->length);
        return;
    }
    cJSON *tree = jp_json_span_tree(id_of(call));
    jp_json_print(tree, out->text);
    cJSON_Delete(tree);
}

static struct jp_json_out *begin_answer(struct jp_call *call) {
    struct jp_json_out *out = &call->rpc->out;
    *out = (struct jp_json_out){.text = place_of_answer(call), .comma = true};
    jp_str_puts(out->text, "{\"jsonrpc\":\"2.0\",\"id\":");
    if (call->id.length)
        put_id(out, call);
    return out;
}

/* One call of the batch is over. A batch of notifications has no answer at all. */
static void close_in_batch(struct jp_rpc_connection *connection, struct jp_batch *batch) {
    if (--batch->open)
        return;
    if (batch->answers.length && connection) {
        connection->in_batches -= batch->answers.length;
        struct jp_str *out = jp__begin_message(connection);
        jp_str_add(out, batch->answers.data, batch->answers.length);
        jp_str_putc(out, ']');
        jp__end_message(connection, batch->framing);
    }
    jp_str_free(&batch->answers);
    jp_free(batch);
}

/* --- their life --- */

struct jp_call *jp__call_new(struct jp_rpc_connection *connection, struct jp_batch *batch, struct jp_json_span id) {
    struct jp_rpc *rpc = connection->rpc;
    struct jp_call *call = rpc->spare_call ? rpc->spare_call : jp_alloc(sizeof *call);
    rpc->spare_call = NULL;
    call->rpc = rpc;
    call->connection = connection;
    call->batch = batch;
    call->framing = connection->framer.framing;
    jp_str_add(&call->id, id.text, id.length);
    call->next = connection->first_call;
    if (call->next)
        call->next->previous = call;
    connection->first_call = call;
    connection->call_count++;
    return call;
}

static bool is_timed(const struct jp_call *call) { return call->deadline_ms || call->progress_ms; }

static void link_timed(struct jp_call *call) {
    call->previous_timed = NULL;
    call->next_timed = call->rpc->first_timed;
    if (call->next_timed)
        call->next_timed->previous_timed = call;
    call->rpc->first_timed = call;
}

static void unlink_timed(struct jp_call *call) {
    if (!is_timed(call))
        return;
    if (call->previous_timed)
        call->previous_timed->next_timed = call->next_timed;
    else
        call->rpc->first_timed = call->next_timed;
    if (call->next_timed)
        call->next_timed->previous_timed = call->previous_timed;
    call->deadline_ms = call->progress_ms = 0;
}

static void unlink_call(struct jp_call *call) {
    struct jp_rpc_connection *connection = call->connection;
    if (!connection)
        return;
    if (call->previous)
        call->previous->next = call->next;
    else
        connection->first_call = call->next;
    if (call->next)
        call->next->previous = call->previous;
    connection->call_count--;
    call->connection = NULL;
}

static void free_call(struct jp_call *call) {
    struct jp_rpc *rpc = call->rpc;
    unlink_timed(call);
    unlink_call(call);
    cJSON_Delete(call->progress_token);
    jp_free(call->text);
    jp_str_free(&call->held);
    jp_free(call->audited.user);
    jp_free(call->audited.sid);
    jp_free(call->audited.pool);
    jp_free(call->audited.missing_at);
    if (rpc->spare_call || call->id.capacity > KEPT_BYTES) {
        jp_str_free(&call->id);
        jp_free(call);
        return;
    }
    jp_str_clear(&call->id);
    *call = (struct jp_call){.id = call->id};
    rpc->spare_call = call;
}

void jp__calls_free(struct jp_rpc *rpc) {
    if (rpc->spare_call)
        jp_str_free(&rpc->spare_call->id);
    jp_free(rpc->spare_call);
}

/* --- the answer --- */

static void end_answer(struct jp_call *call) {
    struct jp_rpc_connection *connection = call->connection;
    struct jp_batch *batch = call->batch;
    jp_out_end_object(&call->rpc->out);
    if (!is_heard(call))
        jp_str_free(&call->rpc->unheard);
    else if (!batch)
        jp__end_message(connection, call->framing);
    else
        connection->in_batches += batch->answers.length - connection->message_at;
    if (connection)
        jp__note_active(connection); /* also if nobody is told */
    free_call(call);
    if (batch)
        close_in_batch(connection, batch);
}

struct jp_json_out *jp__reply_begin(struct jp_call *call) {
    jp__audit_end(call, NULL);
    struct jp_json_out *out = begin_answer(call);
    jp_out_object(out, "result");
    return out;
}

void jp__reply_end(struct jp_call *call) {
    jp_out_end_object(&call->rpc->out);
    end_answer(call);
}

struct jp_json_out *jp__reply_hold(struct jp_call *call) {
    call->held_out = (struct jp_json_out){.text = &call->held};
    return &call->held_out;
}

void jp__reply_held(struct jp_call *call) {
    struct jp_json_out *out = jp__reply_begin(call);
    jp_out_printed_members(out, call->held.data, call->held.length);
    jp__reply_end(call);
}

static void on_durable(void *context, jp_status status) {
    (void)status; /* where the disk refuses, it waits in memory, as all that happens then; service.status says so */
    jp__reply_held(context);
}

void jp__reply_when_durable(struct jp_call *call) {
    jp__audit_end(call, NULL); /* durable with the rest */
    call->rpc->with.accounts->ops->when_durable(call->rpc->with.accounts, on_durable, call);
}

void jp__refuse_with(struct jp_call *call, const struct jp_error *error, cJSON *data) {
    jp__audit_end(call, error);
    if (call->audited.missing_right && error->status == JP_E_DENIED) {
        data = data ? data : cJSON_CreateObject();
        jp_json_add_string(data, "right", jp_choice_name(jp_rights, call->audited.missing_right));
        if (call->audited.missing_at)
            jp_json_add_string(data, "pool", call->audited.missing_at);
    }
    jp__put_error(begin_answer(call), error, data);
    end_answer(call);
    cJSON_Delete(data);
}

void jp__refuse(struct jp_call *call, const struct jp_error *error) { jp__refuse_with(call, error, NULL); }

jp_status jp__check_unread(const struct jp_rpc_connection *connection, struct jp_error *error) {
    size_t unread = connection->peer->ops->unsent(connection->peer) + connection->in_batches;
    uint64_t most = connection->rpc->with.quotas.unread_bytes;
    if (unread <= most)
        return JP_OK;
    return jp_fail(error, JP_E_QUOTA, "%zu bytes of answers wait for this client, more than the %" PRIu64 " allowed (quotas.unread): ask again when it has them",
                   unread, most);
}

bool jp__refuse_unread(struct jp_call *call) {
    struct jp_error error;
    if (!is_heard(call) || jp__check_unread(call->connection, &error) == JP_OK)
        return false;
    jp__refuse(call, &error);
    return true;
}

/* A call that waits for something is let go; one that was begun (an assignment on its way to the disk) goes on unheard. */
void jp__call_abandon(struct jp_call *call) {
    struct jp_batch *batch = call->batch;
    unlink_call(call);
    if (!call->cancel)
        return;
    call->cancel(call);
    free_call(call);
    if (batch)
        close_in_batch(NULL, batch);
}

/* --- time --- */

void jp__call_set_deadline(struct jp_call *call, uint64_t deadline_ms) {
    if (!is_timed(call))
        link_timed(call);
    call->deadline_ms = deadline_ms ? deadline_ms : 1;
}

void jp__call_tell_progress(struct jp_call *call, void (*tell)(struct jp_call *call)) {
    if (!call->progress_token)
        return;
    if (!is_timed(call))
        link_timed(call);
    call->tell_progress = tell;
    call->progress_ms = now_ms(call->rpc) + PROGRESS_MS;
    tell(call);
}

void jp__progress(struct jp_call *call, cJSON *value) {
    struct jp_peer *peer = call->connection ? call->connection->peer : NULL;
    if (call->progress_token && peer && peer->ops->unsent(peer) <= JP_RPC_PAUSE_UNSENT) { /* who does not read misses some */
        struct jp_json_out *out = jp__notification_begin(call->connection, "$/progress");
        jp_out_tree(out, "token", call->progress_token);
        jp_out_tree(out, "value", value);
        jp__notification_end(call->connection, call->framing);
    }
    cJSON_Delete(value);
}

static void look_at(struct jp_call *call, uint64_t now, uint64_t *next) {
    if (call->deadline_ms && call->deadline_ms <= now) {
        struct jp_error error;
        jp_fail(&error, JP_E_TIMEOUT, "%s: the time-out has passed", call->method->name);
        call->cancel(call);
        jp__refuse(call, &error);
        return;
    }
    if (call->progress_ms && call->progress_ms <= now) {
        call->progress_ms = now + PROGRESS_MS;
        call->tell_progress(call);
    }
    if (call->deadline_ms && call->deadline_ms < *next)
        *next = call->deadline_ms;
    if (call->progress_ms && call->progress_ms < *next)
        *next = call->progress_ms;
}

uint64_t jp_rpc_on_time(struct jp_rpc *rpc) {
    uint64_t now = now_ms(rpc), next = jp__connections_on_time(rpc, now), audit = jp__audit_on_time(rpc, now);
    struct jp_call *following;
    if (audit < next)
        next = audit;
    for (struct jp_call *call = rpc->first_timed; call; call = following) {
        following = call->next_timed;
        look_at(call, now, &next);
    }
    return next;
}

/* --- taking back --- */

/* Without a look at more of an id than could be the same: long ones would make each short request to cancel a long one. */
static bool has_id(const struct jp_call *call, const cJSON *id) {
    enum { LONGEST_LETTER = 6 /* \u0000 */, LONGEST_NUMBER = 400 };
    size_t longest = cJSON_IsString(id) ? LONGEST_LETTER * strlen(id->valuestring) + 2 : LONGEST_NUMBER;
    if (!call->id.length || call->id.length > longest)
        return false;
    if (cJSON_IsString(id) && !memchr(call->id.data, '\\', call->id.length))
        return jp_json_span_is(id_of(call), id->valuestring);
    cJSON *own = jp_json_span_tree(id_of(call));
    bool same = own && cJSON_Compare(own, id, true);
    cJSON_Delete(own);
    return same;
}

/* Answers and all: the one that is cancelled is answered first. A call that is not waiting, but being carried out, is not taken back. */
void jp__on_rpc_cancel(struct jp_call *call, const void *parameters) {
    const struct jp_cancel_parameters *given = parameters;
    struct jp_call *other = call->connection->first_call;
    struct jp_error error;
    while (other && !(other != call && has_id(other, given->id)))
        other = other->next;
    bool cancelled = other && other->cancel;
    if (cancelled) {
        jp_fail(&error, JP_E_CANCELLED, "%s: taken back by its caller", other->method->name);
        other->cancel(other);
        jp__refuse(other, &error);
    }
    jp_out_bool(jp__reply_begin(call), "cancelled", cancelled);
    jp__reply_end(call);
}
