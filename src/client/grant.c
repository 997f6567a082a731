/* UserHandleGrantAccess for a job by name. */
#include "client/client_internal.h"
#include "jobpool/job.h"

#include <string.h>

enum { ANSWER_TIMEOUT_MS = 60000 };

static const char *text_of(const cJSON *object, const char *key) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* A pool that takes processes of every session has a job for each. One that nobody has joined yet (its session is null) will be of
 * the session of who comes first: it does for any. */
static jp_status name_in_session(const cJSON *pool, const char **ret_name, struct jp_error *error) {
    const cJSON *sessions = cJSON_GetObjectItemCaseSensitive(pool, "sessions");
    DWORD own = 0;
    BOOL known = ProcessIdToSessionId(GetCurrentProcessId(), &own);
    DWORD code = GetLastError();
    if (!known)
        return jp_fail_win32(error, JP_E_SYSTEM, code, "ProcessIdToSessionId", "cannot tell in which session this process is");
    const char *free_name = cJSON_GetArraySize(sessions) == 0 ? text_of(pool, "objectName") : NULL;
    *ret_name = NULL;
    const cJSON *item;
    cJSON_ArrayForEach(item, sessions) {
        const cJSON *session = cJSON_GetObjectItemCaseSensitive(item, "session");
        uint64_t number;
        if (cJSON_IsNull(session))
            free_name = text_of(item, "objectName");
        else if (jp_json_get_u64(session, &number) && number == own)
            *ret_name = text_of(item, "objectName");
    }
    if (*ret_name == NULL)
        *ret_name = free_name;
    if (*ret_name == NULL)
        return jp_fail(error, JP_E_NO_JOB,
                       "pool \"%s\" has no job in session %lu, which is this process's: no process of this session is in it",
                       text_of(pool, "name"), (unsigned long)own);
    return JP_OK;
}

/* Asks whether `job` is a pool. *ret_name is new memory (jp_free). */
static jp_status kernel_name(struct jp_client *client, const char *job, char **ret_name, struct jp_client_answer *answer) {
    cJSON *asked = cJSON_CreateObject();
    struct jp_str params = {0};
    jp_json_add_string(asked, "pool", job);
    jp_json_print(asked, &params);
    cJSON_Delete(asked);
    struct jp_client_request request = {.method = "pool.get", .params = jp_str_text(&params), .timeout_ms = ANSWER_TIMEOUT_MS};
    jp_status status = jp_client_ask(client, &request, answer);
    jp_str_free(&params);
    if (status == JP_E_NO_POOL || status == JP_E_PARAMS) { /* not a pool's name, or nothing that could be one */
        jp_client_answer_clear(answer);
        *ret_name = jp_strdup(job);
        return JP_OK;
    }
    cJSON *pool = status == JP_OK ? jp__tree_of(answer->result) : NULL;
    const char *name = NULL;
    if (status == JP_OK)
        status = name_in_session(pool, &name, &answer->error);
    if (status == JP_OK)
        *ret_name = jp_strdup(name);
    cJSON_Delete(pool);
    return status;
}

jp_status jp_client_grant_user_handle(struct jp_client *client, uint64_t user_handle, const char *job, bool grant,
                                      struct jp_client_answer *ret_answer) {
    *ret_answer = (struct jp_client_answer){0};
    char *name = NULL;
    struct jp_job *opened = NULL;
    jp_status status = JP_OK;
    if (client == NULL || strchr(job, '\\') != NULL)
        name = jp_strdup(job);
    else
        status = kernel_name(client, job, &name, ret_answer);
    /* Which right Windows wants is not documented; changing who may do what to the job's processes is setting an attribute. */
    if (status == JP_OK)
        status = jp_job_open(name, JP_JOB_OBJECT_SET_ATTRIBUTES, false, &opened, &ret_answer->error);
    if (status == JP_OK)
        status = jp_user_handle_grant_access(user_handle, opened, grant, &ret_answer->error);
    jp_job_close(opened);
    jp_free(name);
    jp_free(ret_answer->result); /* of pool.get */
    ret_answer->result = NULL;
    return ret_answer->status = status;
}
