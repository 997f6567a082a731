/* Processes: into a pool, out of it, and one by one. */
#include "rpc/rpc_internal.h"

#include "base/cmdline.h"

#include <inttypes.h>
#include <string.h>

enum { HELD = 1 }; /* the number of a call whose process its caller has suspended */
enum { LONGEST_COMMAND_LINE = 32766 }; /* UTF-16 units; CreateProcessW's bound. In UTF-8 it is checked by the backend again */

/* Whoever was to let it run never hears that he may. */
static void end_left_behind(struct jp_call *call, const struct jp_process_record *record) {
    struct jp_pools *pools = call->rpc->with.pools;
    struct jp_member *member;
    struct jp_error error;
    jp_status status = jp_pools_find_process(pools, record->facts.pid, record->facts.start_100ns, &member, &error);
    if (status == JP_OK) /* with our own rights: the caller's had to be enough for this when it was assigned */
        status = jp_pools_terminate_process(pools, member, 1, NULL, &error);
    if (status && status != JP_E_NO_PROCESS && status != JP_E_OTHER_PROCESS)
        jp_log(call->rpc->with.log, JP_LOG_WARNING, "process %" PRIu32 " is held by a caller that is gone, and stays suspended: %s", record->facts.pid,
               error.text);
}

static void on_joined(void *context, jp_status status, const struct jp_error *error, const struct jp_process_record *record, uint64_t seq) {
    struct jp_call *call = context;
    call->cancel = NULL;
    if (status) {
        jp__refuse(call, error);
        return;
    }
    if (call->number == HELD && !call->connection)
        end_left_behind(call, record);
    call->audited.pid = record->facts.pid;
    struct jp_json_out *out = jp__reply_begin(call);
    jp_out_string(out, "pool", record->pool);
    jp_out_u64(out, "pid", record->facts.pid);
    jp_out_i64(out, "startTime", record->facts.start_100ns);
    jp_out_i64(out, "id", record->id);
    jp_out_u64(out, "seq", seq);
    jp__reply_end(call);
}

static void cancel_wait_for_room(struct jp_call *call) {
    if (call->connection)
        jp_pools_queue_cancel(call->rpc->with.pools, call->waiting_for);
    else
        jp_pools_queue_abandon(call->rpc->with.pools, call->waiting_for);
}

static void join(struct jp_call *call, struct jp_joining *joining) {
    joining->callback = on_joined;
    joining->context = call;
    struct jp_queued *queued = jp_pools_join(call->rpc->with.pools, joining);
    if (!queued)
        return; /* answered, or on its way to the disk */
    call->cancel = cancel_wait_for_room;
    call->waiting_for = queued;
}

void jp__on_pool_assign(struct jp_call *call, const void *parameters) {
    const struct jp_process_parameters *given = parameters;
    call->number = given->held ? HELD : 0;
    join(call, &(struct jp_joining){.pool = call->pool, .pid = given->pid, .start_100ns = (int64_t)given->start_100ns, .held = given->held,
                                    .principal = call->connection->principal, .timeout_100ns = given->timeout_100ns});
}

static jp_status command_line_of(const struct jp_launch_parameters *given, char **ret_command, struct jp_error *error) {
    if ((given->command != NULL) == (given->argv.count > 0))
        return jp_fail(error, JP_E_PARAMS, "pool.launch: give either argv or command");
    char *command = given->command ? jp_strdup(given->command)
                                   : jp_cmdline_from_argv((const char *const *)given->argv.items, given->argv.count);
    if (!command)
        return jp_fail(error, JP_E_PARAMS, "pool.launch: argv[0] must be the name of a program, without double quotes");
    if (strlen(command) > 3 * (size_t)LONGEST_COMMAND_LINE) {
        jp_free(command);
        return jp_fail(error, JP_E_PARAMS, "pool.launch: the command line is longer than Windows' %d characters", LONGEST_COMMAND_LINE);
    }
    *ret_command = command;
    return JP_OK;
}

/* A template says everything itself: what is not in it, no caller can put there. Also the pool: who may launch in another one may not
 * therefore launch this. */
static jp_status check_template(const struct jp_launch_parameters *given, const struct jp_launch_template *template, struct jp_error *error) {
    const struct jp_launch_files *files = &given->files;
    if (given->command || given->argv.count || given->cwd || given->env.count || files->input || files->output || files->error || files->append)
        return jp_fail(error, JP_E_PARAMS, "pool.launch: a template says what is launched and how; only timeout and durable go with it");
    if (given->pool && strcmp(given->pool, template->spec.pool) != 0)
        return jp_fail(error, JP_E_PARAMS, "pool.launch: template \"%s\" is launched in pool \"%s\"; leave out the pool", template->name,
                       template->spec.pool);
    return JP_OK;
}

/* One of a pool that the caller may not view is not there either: what is said of it would name the pool. */
static const struct jp_launch_template *find_template(struct jp_call *call, const char *name, struct jp_error *error) {
    const struct jp_rpc_program *program = &call->rpc->with.program;
    const struct jp_launch_template *template = program->find_template ? program->find_template(program->context, name) : NULL;
    const struct jp_pool *pool = template ? jp_pools_find(call->rpc->with.pools, template->spec.pool) : NULL;
    if (pool && !(jp__rights(call->connection, pool) & JP_RIGHT_VIEW)) {
        jp__note_missing(call, pool, JP_RIGHT_VIEW);
        template = NULL;
    }
    if (!template)
        jp_fail(error, JP_E_PARAMS, "pool.launch: the configuration has no template \"%.80s\"", name);
    return template;
}

static void launch(struct jp_call *call, struct jp_pool *pool, const struct jp_launch_parameters *given, enum jp_token_account run_as) {
    struct jp_error error;
    char *command = NULL;
    if (jp_launch_files_check(&given->files, &error) || command_line_of(given, &command, &error)) {
        jp__refuse(call, &error);
        return;
    }
    struct jp_launch launch = {.command_line = command, .directory = given->cwd, .environment = &given->env,
                               .input_file = given->files.input, .output_file = given->files.output, .error_file = given->files.error,
                               .append = given->files.append, .run_as = run_as,
                               .principal = call->connection->principal};
    join(call, &(struct jp_joining){.pool = pool, .launch = &launch, .timeout_100ns = given->timeout_100ns,
                                    .at_once = !given->durable && jp__given(call, given->present, "durable")});
    jp_free(command);
}

void jp__on_pool_launch(struct jp_call *call, const void *parameters) {
    const struct jp_launch_parameters *given = parameters;
    const struct jp_launch_template *template = NULL;
    struct jp_error error;
    jp_status status = JP_OK;
    if (given->template) {
        template = find_template(call, given->template, &error);
        status = template ? check_template(given, template, &error) : error.status;
    }
    const char *name = given->pool ? given->pool : template ? template->spec.pool : NULL;
    if (status == JP_OK && !name)
        status = jp_fail(&error, JP_E_PARAMS, "pool.launch: pool is missing");
    struct jp_pool *pool = status == JP_OK ? jp__find_pool(call, name, &error) : NULL;
    if (!pool || jp__need(call, pool, JP_RIGHT_LAUNCH, &error)) {
        jp__refuse(call, &error);
        return;
    }
    if (!call->audited.pool)
        call->audited.pool = jp_strdup(pool->name);
    struct jp_launch_parameters what = *given;
    if (template) {
        what.argv = template->spec.argv;
        what.command = template->spec.command;
        what.cwd = template->spec.cwd;
        what.env = template->spec.env;
        what.files = template->spec.files;
    }
    launch(call, pool, &what, template ? template->spec.run_as : JP_TOKEN_NONE);
}

static jp_status no_process(const struct jp_call *call, struct jp_error *error) {
    return jp_fail(error, JP_E_NO_PROCESS, "no pool has or had a process %" PRIu64, call->number);
}

/* The newest of that pid that the caller may know of. */
static void on_found(void *context, jp_status status, const struct jp_error *error, const struct jp_process_record *records, size_t count) {
    struct jp_call *call = context;
    struct jp_error none;
    while (count && call->connection && !jp__may_view(call->connection, records[count - 1].pool))
        count--;
    if (status) {
        jp__refuse(call, error);
    } else if (!count) {
        no_process(call, &none);
        jp__refuse(call, &none);
    } else {
        jp__put_process_for(jp__reply_begin(call), call->connection, &records[count - 1]);
        jp__reply_end(call);
    }
}

/* A member that the caller may view. That the pid is another's now is not said of one that it may not. */
static jp_status find_member(struct jp_call *call, const struct jp_process_parameters *given, struct jp_member **ret_member,
                             struct jp_error *error) {
    struct jp_pools *pools = call->rpc->with.pools;
    struct jp_member *member;
    call->number = given->pid;
    if (jp_pools_find_process(pools, given->pid, 0, &member, error))
        return no_process(call, error);
    if (!(jp__rights(call->connection, member->pool) & JP_RIGHT_VIEW)) {
        jp__note_missing(call, member->pool, JP_RIGHT_VIEW);
        return no_process(call, error);
    }
    if (!call->audited.pool)
        call->audited.pool = jp_strdup(member->pool->name);
    return jp_pools_find_process(pools, given->pid, (int64_t)given->start_100ns, ret_member, error);
}

void jp__on_process_get(struct jp_call *call, const void *parameters) {
    const struct jp_process_parameters *given = parameters;
    struct jp_rpc *rpc = call->rpc;
    struct jp_member *member;
    struct jp_error error;
    if (find_member(call, given, &member, &error) == JP_OK) {
        jp_pools_refresh_usage(rpc->with.pools, member);
        jp__put_process_for(jp__reply_begin(call), call->connection, &member->record);
        jp__reply_end(call);
        return;
    }
    struct jp_process_filter filter = {.pid = given->pid, .start_100ns = (int64_t)given->start_100ns, .limit = 10000};
    rpc->with.accounts->ops->query_processes(rpc->with.accounts, &filter, on_found, call);
}

void jp__on_process_terminate(struct jp_call *call, const void *parameters) {
    const struct jp_process_parameters *given = parameters;
    struct jp_pools *pools = call->rpc->with.pools;
    struct jp_member *member;
    struct jp_error error;
    uint32_t exit_code = jp__given(call, given->present, "exitCode") ? given->exit_code : 1;
    if (find_member(call, given, &member, &error) || jp__need(call, member->pool, JP_RIGHT_CONTROL, &error) ||
        jp_pools_terminate_process(pools, member, exit_code, call->connection->principal, &error)) {
        jp__refuse(call, &error);
        return;
    }
    struct jp_json_out *out = jp__reply_begin(call);
    jp_out_string(out, "pool", member->record.pool);
    jp_out_u64(out, "pid", given->pid);
    jp_out_i64(out, "startTime", member->record.facts.start_100ns);
    jp_out_u64(out, "exitCode", exit_code);
    jp__reply_end(call);
}
