/* The command rpc: any method by name, or the bridge. */
#include "cli/bridge.h"
#include "cli/cli.h"

const struct jp_option jp_rpc_options[] = {
    {"stdio", NULL, JP_OPTION_SWITCH, "--stdio", "lines from standard input to the pipe, lines from the pipe to standard output"},
    {0},
};

/* Shown as it is. */
static void show_json(const cJSON *result, struct jp_str *out) {
    jp_json_print(result, out);
    jp_str_putc(out, '\n');
}

int jp_command_rpc(struct jp_cli *cli, cJSON *options) {
    bool stdio = jp_take_switch(options, "--stdio");
    cJSON_Delete(options);
    if (stdio != (cli->argument_count == 0))
        return jp_cli_misuse(cli, stdio ? "--stdio takes no method" : "which method? Or --stdio");
    if (stdio)
        return jp_bridge_run(cli);
    cli->json = true;
    cli->output.format = JP_FORMAT_JSON;
    cJSON *params = NULL;
    if (cli->argument_count == 2) {
        struct jp_str text = {0};
        jp_str_puts(&text, cli->arguments[1]);
        bool good = jp_cli_parse_json(cli, "JSON", &text, false, &params);
        jp_str_free(&text);
        if (!good)
            return JP_EXIT_USAGE;
    }
    cJSON *result = NULL;
    int code = jp_cli_call(cli, cli->arguments[0], params, JP_CLIENT_NO_TIMEOUT, &result);
    return code == JP_EXIT_OK ? jp_cli_print(cli, result, JP_VIEW(show_json)) : code;
}
