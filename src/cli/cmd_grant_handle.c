/* The command grant-handle: lets the processes of a job use a window, menu or other USER handle.
 *
 * USER handles belong to a session and a desktop, so it is this program that calls Windows, not the service. */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct jp_option jp_grant_options[] = {
    {"job", "JOB", JP_OPTION_TEXT, "--job", "the job: a pool, or a kernel name (required)"},
    {"revoke", NULL, JP_OPTION_SWITCH, "--revoke", "take the permission back"},
    {0},
};

/* "0x10486" as tools show handles, or decimal. */
static bool parse_handle(const char *text, uint64_t *ret_handle) {
    char *end = NULL;
    errno = 0;
    *ret_handle = strtoull(text, &end, strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0 ? 16 : 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *ret_handle != 0;
}

static void show_granted(const cJSON *result, struct jp_str *out) {
    bool granted = cJSON_IsTrue(jp_get(result, "grant"));
    jp_str_puts(out, "processes of job ");
    jp_show_value(JP_SHOW_TEXT, jp_get(result, "job"), out);
    jp_str_puts(out, granted ? " may use the handle\n" : " may no longer use the handle\n");
}

/* A kernel name needs no service. A plain name may be a pool's: without a service it can only be a kernel name. */
static int grant(struct jp_cli *cli, uint64_t handle, const char *job, bool give) {
    struct jp_error unreachable = {0};
    struct jp_client_answer answer;
    bool asked = strchr(job, '\\') == NULL;
    if (asked)
        jp_cli_try_to_connect(cli, &unreachable);
    jp_status status = jp_client_grant_user_handle(cli->client, handle, job, give, &answer);
    struct jp_cli_failure failure = {.answer = jp_cli_tree(answer.refusal), .error = answer.error};
    failure.answered = failure.answer != NULL;
    jp_client_answer_clear(&answer);
    if (failure.answered)
        return jp_cli_say_failure(cli, &failure);
    if (status != JP_OK) {
        jp_complain("%s", failure.error.text);
        if (asked && cli->client == NULL)
            jp_complain("and whether \"%s\" is a pool could not be asked: %s", job, unreachable.text);
        return JP_EXIT_FAILED;
    }
    cJSON *result = jp_cli_object("job", job);
    jp_json_add_u64(result, "handle", handle);
    cJSON_AddBoolToObject(result, "grant", give);
    return jp_cli_print(cli, result, JP_VIEW(show_granted));
}

int jp_command_grant_handle(struct jp_cli *cli, cJSON *options) {
    bool revoke = jp_take_switch(options, "--revoke");
    char *job = jp_take_text(options, "--job");
    cJSON_Delete(options);
    uint64_t handle = 0;
    int code;
    if (job == NULL)
        code = jp_cli_misuse(cli, "to which job? Give --job JOB");
    else if (!parse_handle(cli->arguments[0], &handle))
        code = jp_cli_misuse(cli, "\"%s\" is no handle; write for example 0x10486", cli->arguments[0]);
    else
        code = grant(cli, handle, job, !revoke);
    jp_free(job);
    return code;
}
