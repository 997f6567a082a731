/* Calls on their way to an answer: replies, errors, batches, time-outs, progress, and calls that are taken back. */
#include "rpc/rpc_internal.h"

#include <string.h>

enum { PROGRESS_MS = 1000 };

static uint64_t now_ms(const struct jp_rpc *rpc) { return rpc->with.now_ms(rpc->with.clock_context); }

/* --- what goes out --- */

static cJSON *answer_for(const cJSON *id) {
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "jsonrpc", "2.0");
    cJSON_AddItemToObject(answer, "id", id ? cJSON_Duplicate(id, true) : cJSON_CreateNull());
    return answer;
}

cJSON *jp__notification(const char *method, cJSON *params) {
    cJSON *message = cJSON_CreateObject();
    cJSON_AddStringToObject(message, "jsonrpc", "2.0");
    cJSON_AddStringToObject(message, "method", method);
    cJSON_AddItemToObject(message, "params", params);
    return message;
}

cJSON *jp__render_error(const struct jp_error *error, cJSON *more_data) {
    cJSON *object = cJSON_CreateObject();
    cJSON *data = more_data ? more_data : cJSON_CreateObject();
    jp_json_add_i64(object, "code", error->status);
    cJSON_AddStringToObject(object, "message", error->text);
    cJSON_AddStringToObject(data, "name", jp_status_name(error->status));
    if (error->win32) {
        jp_json_add_u64(data, "win32", error->win32);
        jp_json_add_string(data, "win32Name", jp_win32_name(error->win32));
    }
    if (error->operation)
        cJSON_AddStringToObject(data, "operation", error->operation);
    cJSON_AddItemToObject(object, "data", data);
    return object;
}

void jp__send_error(struct jp_rpc_connection *connection, const struct jp_error *error) {
    cJSON *answer = answer_for(NULL);
    cJSON_AddItemToObject(answer, "error", jp__render_error(error, NULL));
    jp__send_json(connection, connection->framer.framing, answer);
}

/* --- batches --- */

static void add_to_batch(struct jp_batch *batch, cJSON *answer) {
    jp_str_putc(&batch->answers, batch->answers.length ? ',' : '[');
    jp_json_print(answer, &batch->answers);
    cJSON_Delete(answer);
}

/* One call of the batch is over. A batch of notifications has no answer at all. */
static void close_in_batch(struct jp_rpc_connection *connection, struct jp_batch *batch) {
    if (--batch->open)
        return;
    if (batch->answers.length && connection) {
        jp_str_putc(&batch->answers, ']');
        jp__send(connection, batch->framing, &batch->answers);
    }
    jp_str_free(&batch->answers);
    jp_free(batch);
}

/* --- their life --- */

struct jp_call *jp__call_new(struct jp_rpc_connection *connection, struct jp_batch *batch, const cJSON *id) {
    struct jp_call *call = jp_alloc(sizeof *call);
    call->rpc = connection->rpc;
    call->connection = connection;
    call->batch = batch;
    call->framing = connection->framer.framing;
    call->id = id ? cJSON_Duplicate(id, true) : NULL;
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
    unlink_timed(call);
    unlink_call(call);
    cJSON_Delete(call->id);
    cJSON_Delete(call->progress_token);
    jp_free(call->text);
    jp_free(call->audited.user);
    jp_free(call->audited.sid);
    jp_free(call->audited.pool);
    jp_free(call->audited.missing_at);
    jp_free(call);
}

/* Takes `answer`; NULL for a notification's. */
static void finish(struct jp_call *call, cJSON *answer) {
    struct jp_rpc_connection *connection = call->connection;
    struct jp_batch *batch = call->batch;
    enum jp_framing framing = call->framing;
    free_call(call);
    if (batch) {
        if (answer && connection)
            add_to_batch(batch, answer);
        else
            cJSON_Delete(answer);
        close_in_batch(connection, batch);
    } else if (answer && connection) {
        jp__send_json(connection, framing, answer);
    } else {
        cJSON_Delete(answer);
    }
}

/* --- the answer --- */

void jp__reply(struct jp_call *call, cJSON *result) {
    cJSON *answer = NULL;
    jp__audit_end(call, NULL, result);
    if (call->id) {
        answer = answer_for(call->id);
        cJSON_AddItemToObject(answer, "result", result);
    } else {
        cJSON_Delete(result);
    }
    finish(call, answer);
}

static void on_durable(void *context, jp_status status) {
    struct jp_call *call = context;
    (void)status; /* where the disk refuses, it waits in memory, as all that happens then; service.status says so */
    jp__reply(call, call->waiting_for);
}

void jp__reply_when_durable(struct jp_call *call, cJSON *result) {
    jp__audit_end(call, NULL, result); /* durable with the rest */
    call->waiting_for = result;
    call->rpc->with.accounts->ops->when_durable(call->rpc->with.accounts, on_durable, call);
}

void jp__refuse_with(struct jp_call *call, const struct jp_error *error, cJSON *data) {
    cJSON *answer = NULL;
    jp__audit_end(call, error, NULL);
    if (call->audited.missing_right && error->status == JP_E_DENIED) {
        data = data ? data : cJSON_CreateObject();
        jp_json_add_string(data, "right", jp_choice_name(jp_rights, call->audited.missing_right));
        if (call->audited.missing_at)
            jp_json_add_string(data, "pool", call->audited.missing_at);
    }
    if (call->id) {
        answer = answer_for(call->id);
        cJSON_AddItemToObject(answer, "error", jp__render_error(error, data));
    } else {
        cJSON_Delete(data);
    }
    finish(call, answer);
}

void jp__refuse(struct jp_call *call, const struct jp_error *error) { jp__refuse_with(call, error, NULL); }

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
    if (!call->progress_token || !peer || peer->ops->unsent(peer) > JP_RPC_PAUSE_UNSENT) { /* who does not read misses some */
        cJSON_Delete(value);
        return;
    }
    cJSON *params = cJSON_CreateObject();
    cJSON_AddItemToObject(params, "token", cJSON_Duplicate(call->progress_token, true));
    cJSON_AddItemToObject(params, "value", value);
    jp__send_json(call->connection, call->framing, jp__notification("$/progress", params));
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

/* Answers and all: the one that is cancelled is answered first. A call that is not waiting, but being carried out, is not taken back. */
void jp__on_rpc_cancel(struct jp_call *call, const void *parameters) {
    const struct jp_cancel_parameters *given = parameters;
    struct jp_call *other = call->connection->first_call;
    struct jp_error error;
    while (other && !(other != call && other->id && cJSON_Compare(other->id, given->id, true)))
        other = other->next;
    bool cancelled = other && other->cancel;
    if (cancelled) {
        jp_fail(&error, JP_E_CANCELLED, "%s: taken back by its caller", other->method->name);
        other->cancel(other);
        jp__refuse(other, &error);
    }
    cJSON *result = cJSON_CreateObject();
    cJSON_AddBoolToObject(result, "cancelled", cancelled);
    jp__reply(call, result);
}
