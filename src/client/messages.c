/* What the service says: whose it is. */
#include "client/client_internal.h"

#include <string.h>

/* --- answers --- */

/* The service's error object as the error of an answer. JP_E_PARSE if it is none. */
static void read_refusal(cJSON *refusal, struct jp_client_answer *answer) {
    const cJSON *code = jp_get(refusal, "code"), *message = jp_get(refusal, "message");
    uint64_t win32 = 0;
    if (!cJSON_IsNumber(code) || code->valueint >= 0 || !cJSON_IsString(message)) {
        answer->status = jp_fail(&answer->error, JP_E_PARSE, "the server of the pipe sent an answer without result or error");
        return;
    }
    answer->status = jp_fail(&answer->error, (jp_status)code->valueint, "%s", message->valuestring);
    if (jp_json_get_u64(jp_get(jp_get(refusal, "data"), "win32"), &win32) && win32 <= UINT32_MAX)
        answer->error.win32 = (uint32_t)win32;
    answer->refusal = jp__text_of(refusal);
}

static void read_answer(cJSON *message, struct jp_client_answer *answer) {
    const cJSON *result = jp_get(message, "result");
    *answer = (struct jp_client_answer){0};
    if (result != NULL && jp_get(message, "error") == NULL)
        answer->result = jp__text_of(result);
    else
        read_refusal(cJSON_GetObjectItemCaseSensitive(message, "error"), answer);
}

/* Of those that were sent, the longest: of what this library sends, only its length can be so wrong that the service cannot tell
 * whose it is. */
static struct jp__call *longest(struct jp_client *client) {
    struct jp__call *found = NULL;
    for (struct jp__call *call = client->first_call; call != NULL; call = call->next)
        if (call->sent && (found == NULL || call->length > found->length))
            found = call;
    return found;
}

/* Also the last words of a service that turns us away, and then closes. */
static void take_word_to_nobody(struct jp_client *client, struct jp_client_answer *answer) {
    struct jp__call *call = longest(client);
    jp_client_answer_clear(&client->last_words);
    client->last_words = (struct jp_client_answer){.status = answer->status, .error = answer->error, .refusal = jp_strdup(answer->refusal)};
    if (call != NULL)
        jp__call_complete(client, call, answer);
}

static bool take_answer(struct jp_client *client, cJSON *message) {
    const cJSON *id = jp_get(message, "id");
    struct jp_client_answer answer;
    uint64_t number = 0;
    if (!cJSON_IsNull(id) && !jp_json_get_u64(id, &number))
        return false;
    read_answer(message, &answer);
    AcquireSRWLockExclusive(&client->lock);
    struct jp__call *call = number == 0 ? NULL : jp__call_find(client, number);
    if (cJSON_IsNull(id)) {
        take_word_to_nobody(client, &answer);
    } else {
        client->answered = true;
        jp_client_answer_clear(&client->last_words);
        if (call != NULL && call->sent)
            jp__call_complete(client, call, &answer);
    } /* else it was given up */
    ReleaseSRWLockExclusive(&client->lock);
    jp_client_answer_clear(&answer);
    return true;
}

/* --- notifications --- */

static void take_event(struct jp_client *client, cJSON *params) {
    uint64_t number = 0;
    if (!jp_json_get_u64(jp_get(params, "subscription"), &number))
        return;
    AcquireSRWLockExclusive(&client->lock);
    struct jp__subscription *subscription = jp__subscription_of_server(client, number);
    if (subscription != NULL)
        jp__subscription_told(client, subscription, params);
    ReleaseSRWLockExclusive(&client->lock);
}

static void take_progress(struct jp_client *client, const cJSON *params) {
    uint64_t number = 0;
    const cJSON *value = jp_get(params, "value");
    if (value == NULL || !jp_json_get_u64(jp_get(params, "token"), &number))
        return;
    AcquireSRWLockExclusive(&client->lock);
    struct jp__call *call = jp__call_find(client, number);
    if (call != NULL && call->request.on_progress != NULL)
        jp__tell_progress(client, call, jp__text_of(value));
    ReleaseSRWLockExclusive(&client->lock);
}

/* Those that later versions may add are passed over. */
static void take_notification(struct jp_client *client, const char *method, cJSON *params) {
    if (strcmp(method, "event") == 0)
        take_event(client, params);
    else if (strcmp(method, "$/progress") == 0)
        take_progress(client, params);
}

jp_status jp__take_message(struct jp_client *client, const char *line, size_t length, struct jp_error *error) {
    static const struct jp_json_rules rules = {.max_bytes = JP_CLIENT_LINE_MAX, .max_depth = JP__DEPTH_MAX};
    struct jp_json json = {0};
    struct jp_json_place place;
    if (jp_json_parse(line, length, &rules, &json, &place, error) != JP_OK)
        return jp_fail(error, JP_E_PARSE, "the server of the pipe does not speak JSON-RPC");
    const cJSON *method = jp_get(json.root, "method");
    bool good = true;
    if (cJSON_IsString(method))
        take_notification(client, method->valuestring, cJSON_GetObjectItemCaseSensitive(json.root, "params"));
    else
        good = cJSON_IsObject(json.root) && take_answer(client, json.root);
    jp_json_free(&json);
    return good ? JP_OK : jp_fail(error, JP_E_PARSE, "the server of the pipe sent what is no answer and no notification");
}
