/* The command rpc: any method by name, or the bridge. */
#include "cli/bridge.h"
#include "cli/cli.h"

#include <string.h>

enum { PARAMS_MAX_BYTES = 1 << 20, PARAMS_MAX_DEPTH = 64 };

const struct jp_option jp_rpc_options[] = {
    {"stdio", NULL, JP_OPTION_SWITCH, "--stdio", "lines from standard input to the pipe, lines from the pipe to standard output"},
    {0},
};

/* Shown as it is. */
static void show_json(const cJSON *result, struct jp_str *out) {
    jp_json_print(result, out);
    jp_str_putc(out, '\n');
}

/* The parameters from the command line. False after saying what is wrong with them. */
static bool parse_params(const struct jp_cli *cli, const char *text, cJSON **ret_params) {
    struct jp_json_rules rules = {.max_bytes = PARAMS_MAX_BYTES, .max_depth = PARAMS_MAX_DEPTH};
    struct jp_json json = {0};
    struct jp_json_place place = {0};
    struct jp_error error;
    if (jp_json_parse(text, strlen(text), &rules, &json, &place, &error) != JP_OK) {
        jp_cli_misuse(cli, "JSON:%u:%u: %s", place.line, place.column, error.text);
        return false;
    }
    *ret_params = jp_json_take_root(&json);
    jp_json_free(&json);
    return true;
}

int jp_command_rpc(struct jp_cli *cli, cJSON *options) {
    bool stdio = jp_take_switch(options, "--stdio");
    cJSON_Delete(options);
    if (stdio != (cli->argument_count == 0))
        return jp_cli_misuse(cli, stdio ? "--stdio takes no method" : "which method? Or --stdio");
    if (stdio)
        return jp_bridge_run(cli);
    cli->json = true;
    cJSON *params = NULL;
    if (cli->argument_count == 2 && !parse_params(cli, cli->arguments[1], &params))
        return JP_EXIT_USAGE;
    cJSON *result = NULL;
    int code = jp_cli_call(cli, cli->arguments[0], params, JP_CLIENT_NO_TIMEOUT, &result);
    return code == JP_EXIT_OK ? jp_cli_print(cli, result, show_json) : code;
}
