/* The command run: a command in a pool, in the caller's own session and console.
 *
 * The process is created suspended, the service puts it into the pool, and only then is it let go. Whatever goes wrong
 * before that ends it without one of its instructions having run. */
#include "cli/run.h"

#include "base/units.h"

const struct jp_option jp_run_options[] = {
    {"pool|p", "NAME", JP_OPTION_TEXT, "pool", "the pool (required)"},
    {"limit", "KEY=VALUE", JP_OPTION_SETTING, "--limit", "a limit for this run alone, in a pool of its own below NAME; may be repeated"},
    {"limits", "JSON", JP_OPTION_TEXT, "--limits", "the same as an object, as in the configuration"},
    {"timeout", "TIME", JP_OPTION_DURATION, "--timeout", "after so long the command and all it started are ended (exit code 1460)"},
    {"wait-for-room", "TIME", JP_OPTION_DURATION, "timeout", "how long to wait for room, if the pool lets callers wait (as the pool says)"},
    {"cwd|C", "FOLDER", JP_OPTION_TEXT, "--cwd", "where the command starts (here)"},
    {"env|e", "NAME=VALUE", JP_OPTION_SETTING, "--env", "set an environment variable; NAME alone removes it; may be repeated"},
    {"detach|d", NULL, JP_OPTION_SWITCH, "--detach", "print the process id and go; the command goes on without this console"},
    {"end-tree", NULL, JP_OPTION_SWITCH, "--end-tree", "all that came of it ends with the command, or with this program, however that ends"},
    {"report", NULL, JP_OPTION_SWITCH, "--report", "say on standard error what it used, with all that came of it"},
    {0},
};

/* What is ours of the options; the rest is for pool.assign. */
struct plan {
    struct jp_run_start start;
    bool own_pool, report, has_timeout;
    char *cwd;
    cJSON *env;
};

static void take_plan(const struct jp_cli *cli, cJSON *options, struct plan *plan) {
    *plan = (struct plan){.own_pool = jp_run_wants_pool(options),
                          .has_timeout = jp_get(options, "--timeout") != NULL};
    plan->report = jp_take_switch(options, "--report");
    plan->cwd = jp_take_text(options, "--cwd");
    plan->env = cJSON_DetachItemFromObjectCaseSensitive(options, "--env");
    plan->start = (struct jp_run_start){
        .arguments = cli->arguments,
        .argument_count = cli->argument_count,
        .cwd = plan->cwd,
        .env = plan->env,
        .detach = jp_take_switch(options, "--detach"),
        .end_tree = jp_take_switch(options, "--end-tree"),
    };
}

static int check_plan(const struct jp_cli *cli, const cJSON *options, const struct plan *plan) {
    const char *timeout = cJSON_GetStringValue(jp_get(options, "--timeout"));
    uint64_t timeout_100ns;
    struct jp_error error;
    if (jp_get(options, "pool") == NULL)
        return jp_cli_misuse(cli, "which pool? Give --pool NAME");
    if (plan->start.detach && (plan->report || plan->start.end_tree))
        return jp_cli_misuse(cli, "--%s needs somebody who waits for the command; it does not go with --detach", plan->report ? "report" : "end-tree");
    if (timeout != NULL && jp_duration_parse(timeout, &timeout_100ns, &error) == JP_OK && timeout_100ns < JP_100NS_PER_MS)
        return jp_cli_misuse(cli, "--timeout: \"%s\" is not from 1ms on", timeout);
    return JP_EXIT_OK;
}

/* ------------------------------------------------------------------------------------------------- before it runs */

/* Nothing of it runs outside the pool: who cannot come in ends. *ret_joined is the service's answer. */
static int bring_in(struct jp_cli *cli, struct jp_run_child *child, const cJSON *options, cJSON **ret_joined) {
    struct jp_error error = {0};
    cJSON *params = cJSON_Duplicate(options, true);
    jp_json_add_u64(params, "pid", child->pid);
    jp_json_add_u64(params, "startTime", child->start_100ns);
    cJSON_AddTrueToObject(params, "held"); /* if we are ended by force meanwhile, the service ends it */
    /* A pool may let its callers wait for room, for a time that only it knows. Ctrl-C ends the waiting, and the process. */
    int code = jp_cli_call(cli, "pool.assign", params, JP_CLIENT_NO_TIMEOUT, ret_joined);
    if (code == JP_EXIT_OK && jp_run_let_go(child, &error) != JP_OK) {
        jp_complain("%s", error.text);
        code = JP_EXIT_FAILED;
    }
    return code;
}

static int start_in_pool(struct jp_cli *cli, cJSON *options, const struct plan *plan, struct jp_run_child *ret_child, cJSON **ret_joined) {
    struct jp_error error = {0};
    int code = jp_cli_connect(cli);
    if (code == JP_EXIT_OK && plan->own_pool)
        code = jp_run_make_pool(cli, options);
    if (code == JP_EXIT_OK && jp_run_create(&plan->start, ret_child, &error) != JP_OK) {
        jp_complain("%s", error.text);
        return JP_EXIT_FAILED;
    }
    if (code == JP_EXIT_OK && (code = bring_in(cli, ret_child, options, ret_joined)) != JP_EXIT_OK)
        jp_run_end_held(ret_child);
    return code;
}

/* Whoever reads a wrapper's log must not have to wonder whether the command had a part in it. */
static int start(struct jp_cli *cli, cJSON *options, const struct plan *plan, struct jp_run_child *ret_child, cJSON **ret_joined) {
    int code = start_in_pool(cli, options, plan, ret_child, ret_joined);
    if (code != JP_EXIT_OK)
        jp_complain("nothing was run");
    return code;
}

/* ---------------------------------------------------------------------------------------------------- while it runs */

static void show_pid(const cJSON *joined, struct jp_str *out) {
    jp_show_value(JP_SHOW_NUMBER, jp_get(joined, "pid"), out);
    jp_str_putc(out, '\n');
}

static int wait_for(struct jp_cli *cli, const char *pool, const struct plan *plan, struct jp_run_child *child) {
    int code = plan->report ? jp_run_wait_recorded(cli, pool, child) : jp_run_wait(child);
    if (plan->has_timeout && code == ERROR_TIMEOUT)
        jp_complain("the command took longer than --timeout allows, and was ended");
    if (!plan->report) {
        jp_run_end_tree(child);
        return code;
    }
    jp_run_end_tree_recorded(cli, pool, child);
    jp_run_report(cli, pool, child, (uint32_t)code);
    return code;
}

int jp_command_run(struct jp_cli *cli, cJSON *options) {
    struct plan plan;
    struct jp_run_child child = {0};
    cJSON *joined = NULL;
    take_plan(cli, options, &plan);
    int code = check_plan(cli, options, &plan);
    if (code == JP_EXIT_OK)
        code = start(cli, options, &plan, &child, &joined);
    if (code == JP_EXIT_OK && plan.start.detach) {
        code = jp_cli_print(cli, joined, JP_VIEW(show_pid));
        joined = NULL;
    } else if (code == JP_EXIT_OK) {
        code = wait_for(cli, cJSON_GetStringValue(jp_get(options, "pool")), &plan, &child);
    }
    jp_run_close(&child);
    cJSON_Delete(joined);
    cJSON_Delete(options);
    cJSON_Delete(plan.env);
    jp_free(plan.cwd);
    return code;
}
