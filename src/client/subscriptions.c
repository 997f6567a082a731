/* Subscriptions, and how they go on behind the last event that was told, on whatever connection. */
#include "client/client_internal.h"

#include <string.h>

enum { ASK_TIMEOUT_MS = 60000, STEADY_MS = 10000 };

/* --- the list --- */

static struct jp__subscription *find(const struct jp_client *client, uint64_t id) {
    struct jp__subscription *subscription = client->first_subscription;
    while (subscription != NULL && subscription->id != id)
        subscription = subscription->next;
    return subscription;
}

struct jp__subscription *jp__subscription_of_server(struct jp_client *client, uint64_t server_id) {
    struct jp__subscription *subscription = client->first_subscription;
    while (subscription != NULL && (subscription->place != JP__LIVE || subscription->server_id != server_id))
        subscription = subscription->next;
    return subscription;
}

void jp__subscription_release(struct jp__subscription *subscription) {
    if (--subscription->references > 0)
        return;
    cJSON_Delete(subscription->params);
    jp_free(subscription);
}

static void take_out(struct jp_client *client, struct jp__subscription *subscription) {
    struct jp__subscription **link = &client->first_subscription;
    while (*link != subscription)
        link = &(*link)->next;
    *link = subscription->next;
    client->subscription_count--;
}

/* Its last callback is to come. */
static void end(struct jp_client *client, struct jp__subscription *subscription, const struct jp_error *error, const char *refusal) {
    struct jp_client_news news = {JP_CLIENT_ENDED, subscription->next_seq, refusal, error};
    take_out(client, subscription);
    jp__tell_news(client, subscription, &news);
    jp__subscription_release(subscription);
}

static void unsubscribe_at_server(struct jp_client *client, struct jp__subscription *subscription) {
    if (subscription->place == JP__LIVE)
        jp__notify(client, "events.unsubscribe", "subscription", subscription->server_id);
    subscription->place = JP__RESTING;
}

/* --- asking --- */

static void ask(struct jp_client *client, struct jp__subscription *subscription) {
    struct jp_str line = {0};
    struct jp_error error = {0};
    uint64_t id = jp__next_id(client);
    if (subscription->next_seq != 0) {
        cJSON_DeleteItemFromObjectCaseSensitive(subscription->params, "fromSeq");
        jp_json_add_u64(subscription->params, "fromSeq", subscription->next_seq);
    }
    char *params = jp__text_of(subscription->params);
    jp_status status = jp__make_line("events.subscribe", params, id, false, &line, &error);
    jp_free(params);
    if (status != JP_OK) { /* too long, by the number that was added */
        end(client, subscription, &error, NULL);
        return;
    }
    struct jp__call *call = jp__call_add(client, JP__SUBSCRIPTION, id, &line, jp__later(GetTickCount64(), ASK_TIMEOUT_MS));
    call->subscription = subscription->id;
    subscription->place = JP__ASKED;
}

void jp__subscriptions_go_on(struct jp_client *client, uint64_t now_ms, uint64_t *when_ms) {
    struct jp__subscription *next;
    for (struct jp__subscription *subscription = client->first_subscription; client->connected && subscription != NULL; subscription = next) {
        next = subscription->next;
        if (subscription->place == JP__RESTING && subscription->retry_ms <= now_ms)
            ask(client, subscription);
        else if (subscription->place == JP__RESTING)
            jp__earlier(when_ms, subscription->retry_ms);
    }
}

/* The service is there and cannot serve it: again later, if that is wanted. */
static void try_later(struct jp_client *client, struct jp__subscription *subscription, const struct jp_error *error, const char *refusal) {
    uint64_t now = GetTickCount64();
    bool steady = subscription->place == JP__LIVE && now - subscription->live_since_ms > STEADY_MS;
    bool first = subscription->trouble_since_ms == 0 || steady;
    if (first) {
        subscription->trouble_since_ms = now;
        subscription->pause_ms = JP__PAUSE_FIRST_MS;
    }
    if (now >= jp__later(subscription->trouble_since_ms, client->options.reconnect_ms)) {
        end(client, subscription, error, refusal);
        return;
    }
    if (first)
        jp__tell_news(client, subscription,
                      &(struct jp_client_news){.notice = JP_CLIENT_INTERRUPTED, .seq = subscription->next_seq, .json = refusal, .error = error});
    subscription->place = JP__RESTING;
    subscription->retry_ms = now + subscription->pause_ms;
    subscription->pause_ms = subscription->pause_ms * 2 < JP__PAUSE_MAX_MS ? subscription->pause_ms * 2 : JP__PAUSE_MAX_MS;
    SetEvent(client->wake);
}

/* The numbers that the service has now are not those that were told: it has another database. Of a durable subscription nothing that is
 * in it was told under these numbers. */
static void begin_anew(struct jp_client *client, struct jp__subscription *subscription, uint64_t seq) {
    unsubscribe_at_server(client, subscription);
    subscription->next_seq = subscription->durable ? 1 : seq + 1;
    subscription->seen_seq = seq;
    jp__tell_news(client, subscription, &(struct jp_client_news){.notice = JP_CLIENT_RENUMBERED, .seq = seq});
    ask(client, subscription);
}

static void accepted(struct jp_client *client, struct jp__subscription *subscription, const cJSON *result) {
    uint64_t seq = 0;
    struct jp_error error = {0};
    if (!jp_json_get_u64(jp_get(result, "subscription"), &subscription->server_id) || !jp_json_get_u64(jp_get(result, "seq"), &seq)) {
        jp_fail(&error, JP_E_PARSE, "the server of the pipe answers events.subscribe without \"subscription\" and \"seq\"");
        end(client, subscription, &error, NULL);
        return;
    }
    subscription->place = JP__LIVE;
    subscription->live_since_ms = GetTickCount64();
    subscription->was_live = true;
    if (seq < subscription->seen_seq) {
        begin_anew(client, subscription, seq);
        return;
    }
    subscription->seen_seq = seq;
    if (subscription->next_seq == 0)
        subscription->next_seq = seq + 1;
    jp__tell_news(client, subscription, &(struct jp_client_news){.notice = JP_CLIENT_SUBSCRIBED, .seq = subscription->next_seq});
}

/* A refusal that time may heal. The first answer is final: whoever subscribes wants to know. */
static bool may_pass(const struct jp__subscription *subscription, jp_status status) {
    return subscription->was_live && (status == JP_E_TIMEOUT || status == JP_E_STOPPING || status == JP_E_STORE || status == JP_E_QUOTA ||
                                      status == JP_E_INTERNAL || status == JP_E_SYSTEM);
}

void jp__subscription_answered(struct jp_client *client, uint64_t id, struct jp_client_answer *answer) {
    struct jp__subscription *subscription = find(client, id);
    cJSON *result = answer->result == NULL ? NULL : jp__tree_of(answer->result);
    uint64_t server_id;
    if (subscription == NULL) { /* it has ended meanwhile */
        if (jp_json_get_u64(jp_get(result, "subscription"), &server_id))
            jp__notify(client, "events.unsubscribe", "subscription", server_id);
    } else if (subscription->place == JP__ASKED) { /* else it was lost with the connection */
        if (answer->status == JP_OK)
            accepted(client, subscription, result);
        else if (may_pass(subscription, answer->status))
            try_later(client, subscription, &answer->error, answer->refusal);
        else
            end(client, subscription, &answer->error, answer->refusal);
    }
    cJSON_Delete(result);
}

/* --- what the service tells --- */

static void told_gap(struct jp_client *client, struct jp__subscription *subscription, const cJSON *gap) {
    const char *reason = cJSON_GetStringValue(jp_get(gap, "reason"));
    uint64_t from, to;
    if (reason == NULL || !jp_json_get_u64(jp_get(gap, "from"), &from) || !jp_json_get_u64(jp_get(gap, "to"), &to) || to < subscription->next_seq)
        return;
    char *text = jp__text_of(gap);
    jp__tell_news(client, subscription, &(struct jp_client_news){.notice = JP_CLIENT_GAP, .seq = from, .json = text});
    jp_free(text);
    if (strcmp(reason, "slow") != 0) /* those follow */
        subscription->next_seq = to + 1;
}

static void told_end(struct jp_client *client, struct jp__subscription *subscription, const cJSON *told) {
    const cJSON *refusal = jp_get(told, "error"), *code = jp_get(refusal, "code");
    const char *message = cJSON_GetStringValue(jp_get(refusal, "message"));
    struct jp_error error = {0};
    uint64_t next_seq;
    if (jp_json_get_u64(jp_get(told, "nextSeq"), &next_seq) && next_seq > subscription->next_seq)
        subscription->next_seq = next_seq;
    jp_fail(&error, cJSON_IsNumber(code) && code->valueint < 0 ? (jp_status)code->valueint : JP_E_STORE, "%s",
            message == NULL ? "the service ended the subscription" : message);
    char *text = refusal == NULL ? NULL : jp__text_of(refusal);
    try_later(client, subscription, &error, text);
    jp_free(text);
}

static void told_event(struct jp_client *client, struct jp__subscription *subscription, cJSON *event) {
    uint64_t seq;
    if (!jp_json_get_u64(jp_get(event, "seq"), &seq) || seq < subscription->next_seq)
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(event, "subscription"); /* the service's number, for this connection only */
    jp__tell_event(client, subscription, seq, jp__text_of(event));
    subscription->next_seq = seq + 1;
    if (seq > subscription->seen_seq)
        subscription->seen_seq = seq;
    subscription->trouble_since_ms = 0;
}

void jp__subscription_told(struct jp_client *client, struct jp__subscription *subscription, cJSON *params) {
    const cJSON *gap = jp_get(params, "gap"), *told = jp_get(params, "end");
    if (told != NULL)
        told_end(client, subscription, told);
    else if (gap != NULL)
        told_gap(client, subscription, gap);
    else
        told_event(client, subscription, params);
}

/* --- the connection --- */

void jp__subscriptions_lost(struct jp_client *client, const struct jp_error *why) {
    for (struct jp__subscription *subscription = client->first_subscription; subscription != NULL; subscription = subscription->next) {
        if (subscription->place == JP__LIVE)
            jp__tell_news(client, subscription,
                          &(struct jp_client_news){.notice = JP_CLIENT_INTERRUPTED, .seq = subscription->next_seq, .error = why});
        subscription->place = JP__RESTING;
        subscription->retry_ms = 0;
    }
}

void jp__subscriptions_end(struct jp_client *client, const struct jp_error *why) {
    while (client->first_subscription != NULL) {
        struct jp__subscription *subscription = client->first_subscription;
        subscription->deaf = why == NULL;
        end(client, subscription, why, NULL);
    }
}

/* --- for the program --- */

static jp_status read_wish(const struct jp_client_wish *wish, cJSON **ret_params, struct jp_error *error) {
    static const struct jp_json_rules rules = {.max_bytes = JP_CLIENT_LINE_MAX / 2, .max_depth = JP__DEPTH_MAX};
    const char *text = wish->params == NULL ? "{}" : wish->params;
    struct jp_json json = {0};
    struct jp_json_place place = {0};
    if (wish->on_event == NULL)
        return jp_fail(error, JP_E_PARAMS, "a subscription needs on_event");
    jp_status status = jp_json_parse(text, strlen(text), &rules, &json, &place, error);
    if (status != JP_OK)
        return jp_fail_because(error, "the parameters of the subscription, line %u, column %u", place.line, place.column);
    if (cJSON_IsObject(json.root))
        *ret_params = jp_json_take_root(&json);
    else
        status = jp_fail(error, JP_E_PARAMS, "the parameters of a subscription are a JSON object");
    jp_json_free(&json);
    return status;
}

static uint64_t add(struct jp_client *client, const struct jp_client_wish *wish, cJSON *params) {
    struct jp__subscription *subscription = jp_alloc(sizeof *subscription);
    subscription->references = 1;
    subscription->id = jp__next_id(client);
    subscription->durable = !cJSON_IsFalse(jp_get(params, "durable"));
    subscription->params = params;
    subscription->wish = *wish;
    subscription->wish.params = NULL;
    if (jp_json_get_u64(jp_get(params, "fromSeq"), &subscription->next_seq) && subscription->next_seq == 0)
        subscription->next_seq = 1;
    subscription->next = client->first_subscription;
    client->first_subscription = subscription;
    client->subscription_count++;
    SetEvent(client->wake);
    return subscription->id;
}

jp_status jp_client_subscribe(struct jp_client *client, const struct jp_client_wish *wish, uint64_t *ret_subscription, struct jp_error *error) {
    cJSON *params = NULL;
    *error = (struct jp_error){0};
    jp_status status = read_wish(wish, &params, error);
    if (status != JP_OK)
        return status;
    AcquireSRWLockExclusive(&client->lock);
    status = jp__may_ask(client, 0, error);
    if (status == JP_OK && client->subscription_count >= JP_CLIENT_SUBSCRIPTIONS_MAX)
        status = jp_fail(error, JP_E_QUOTA, "this client has %d subscriptions: that is the bound", JP_CLIENT_SUBSCRIPTIONS_MAX);
    if (status == JP_OK) {
        uint64_t id = add(client, wish, params);
        if (ret_subscription != NULL)
            *ret_subscription = id;
    }
    ReleaseSRWLockExclusive(&client->lock);
    if (status != JP_OK)
        cJSON_Delete(params);
    return status;
}

bool jp_client_unsubscribe(struct jp_client *client, uint64_t id) {
    AcquireSRWLockExclusive(&client->lock);
    struct jp__subscription *subscription = find(client, id);
    if (subscription != NULL) {
        unsubscribe_at_server(client, subscription);
        subscription->deaf = true;
        take_out(client, subscription);
        jp__await_callback(client, subscription);
        jp__subscription_release(subscription);
    }
    ReleaseSRWLockExclusive(&client->lock);
    return subscription != NULL;
}
