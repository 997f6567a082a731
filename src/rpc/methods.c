/* The table of methods. What a parameter is called, what it may be and what it means stands here and nowhere else. */
#include "rpc/examples.h"
#include "rpc/shapes.h"

#include "base/units.h"
#include "job/info.h"

#include <stddef.h>

#define TIMEOUT_MAX (UINT64_C(366) * 86400 * JP_100NS_PER_S)
#define AGE_MAX (UINT64_C(36500) * 86400 * JP_100NS_PER_S) /* so that "now less this" is a time */

#define POOL_NAME(of)                                                                                       \
    {.key = "pool", .type = JP_FIELD_STRING, .offset = offsetof(struct of, pool), .required = true, .min = 1, \
     .documentation = "The pool's name."}
#define PID(of, needed)                                                                                     \
    {.key = "pid", .type = JP_FIELD_U32, .offset = offsetof(struct of, pid), .required = needed, .min = 1,  \
     .documentation = "A process id."}
#define START_TIME(of)                                                                                      \
    {.key = "startTime", .type = JP_FIELD_U64, .offset = offsetof(struct of, start_100ns), .min = 1,        \
     .max = INT64_MAX, .documentation = "The process's creation time; the request fails if the pid is another's by now."}
#define EXIT_CODE(of)                                                                                       \
    {.key = "exitCode", .type = JP_FIELD_U32, .offset = offsetof(struct of, exit_code),                     \
     .documentation = "The exit code that the ended processes get; default 1."}

static const struct jp_field no_fields[] = {{0}};

static const struct jp_field pool_fields[] = {POOL_NAME(jp_pool_parameters), {0}};

static const struct jp_field create_fields[] = {
    {.key = "name", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_pool_parameters, pool), .required = true, .min = 1,
     .documentation = "The new pool's name."},
    {.key = "persist", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_pool_parameters, flag),
     .documentation = "The pool comes back when the service starts again."},
    {.key = "ephemeral", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_pool_parameters, ephemeral),
     .documentation = "The pool goes by itself: see above."},
    {0}};

static const struct jp_field delete_fields[] = {
    POOL_NAME(jp_pool_parameters),
    {.key = "terminate", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_pool_parameters, flag),
     .documentation = "End its processes first; otherwise a pool with processes is not deleted."},
    {0}};

static const struct jp_field processes_fields[] = {
    POOL_NAME(jp_pool_parameters),
    {.key = "recursive", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_pool_parameters, flag),
     .documentation = "With those of child pools; default true."},
    {0}};

static const struct jp_field terminate_fields[] = {POOL_NAME(jp_pool_parameters), EXIT_CODE(jp_pool_parameters), {0}};

#define WAIT_FOR_ROOM(of)                                                                                   \
    {.key = "timeout", .type = JP_FIELD_DURATION, .offset = offsetof(struct of, timeout_100ns), .min = 10000, .max = TIMEOUT_MAX, \
     .documentation = "How long to wait for room, where the pool says when_full: \"wait\"; default its wait_timeout."}

static const struct jp_field assign_fields[] = {
    POOL_NAME(jp_process_parameters), PID(jp_process_parameters, true), START_TIME(jp_process_parameters), WAIT_FOR_ROOM(jp_process_parameters),
    {.key = "held", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_process_parameters, held),
     .documentation = "The caller has it suspended, and lets it run when this is answered: if the connection closes before, the process is ended."},
    {0}};

static const struct jp_field launch_fields[] = {
    {.key = "pool", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_launch_parameters, pool), .min = 1,
     .documentation = "The pool's name; default the template's."},
    {.key = "template", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_launch_parameters, template), .min = 1,
     .documentation = "A launch that the configuration has prepared; it says everything but the pool's name itself."},
    {.key = "argv", .type = JP_FIELD_STRINGS, .offset = offsetof(struct jp_launch_parameters, argv), .max = 4096,
     .documentation = "Program and arguments, quoted for the program by the service."},
    {.key = "command", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_launch_parameters, command), .min = 1,
     .documentation = "The command line as CreateProcess takes it; instead of argv."},
    {.key = "cwd", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_launch_parameters, cwd), .min = 1,
     .documentation = "Working folder; default the caller's profile."},
    {.key = "env", .type = JP_FIELD_ENV, .offset = offsetof(struct jp_launch_parameters, env), .max = 1024,
     .documentation = "Changes to the caller's environment; null removes a variable."},
    {.key = "stdin", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_launch_parameters, files.input), .min = 1,
     .documentation = "A file on a drive to read from, opened as the caller; default NUL."},
    {.key = "stdout", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_launch_parameters, files.output), .min = 1,
     .documentation = "A file for its output, opened as the caller, made where there is none; default NUL."},
    {.key = "stderr", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_launch_parameters, files.error), .min = 1,
     .documentation = "A file for its errors, likewise; may be that of stdout."},
    {.key = "append", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_launch_parameters, files.append),
     .documentation = "Go on with these files instead of beginning them anew."},
    WAIT_FOR_ROOM(jp_launch_parameters),
    {.key = "durable", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_launch_parameters, durable),
     .documentation = "false: let it run, and be answered, at once; its row is on the disk with the next flush. Default true, and in a frozen pool: only when its row is on the disk."},
    {0}};

#define PROGRESS_TOKEN(of)                                                                                  \
    {.key = "progressToken", .type = JP_FIELD_JSON, .offset = offsetof(struct of, progress_token),          \
     .documentation = "A string or a number: notifications $/progress with this token tell how far it is."}

static const struct jp_field wait_fields[] = {
    POOL_NAME(jp_process_parameters), PID(jp_process_parameters, false), START_TIME(jp_process_parameters),
    {.key = "timeout", .type = JP_FIELD_DURATION, .offset = offsetof(struct jp_process_parameters, timeout_100ns), .max = TIMEOUT_MAX,
     .documentation = "How long to wait, for example \"30s\"; default for ever."},
    PROGRESS_TOKEN(jp_process_parameters),
    {0}};

static const struct jp_field freeze_fields[] = {
    POOL_NAME(jp_pool_parameters),
    {.key = "keep", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_pool_parameters, flag),
     .documentation = "It stays frozen though the service crashes; otherwise the next start lets it go on."},
    {0}};

static const struct jp_field match_fields[] = {
    PID(jp_pool_parameters, false),
    {.key = "apply", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_pool_parameters, flag),
     .documentation = "Take those who fit into their pools; otherwise it is only told."},
    {0}};

static const struct jp_field usage_fields[] = {
    {.key = "pool", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_usage_parameters, pool), .min = 1,
     .documentation = "Only this pool and those below it."},
    {.key = "processesOf", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_usage_parameters, processes_of), .min = 1,
     .documentation = "Also list the processes of this pool and of those below it."},
    {0}};

static const struct jp_field process_fields[] = {PID(jp_process_parameters, true), START_TIME(jp_process_parameters), {0}};

static const struct jp_field process_terminate_fields[] = {
    PID(jp_process_parameters, true), START_TIME(jp_process_parameters), EXIT_CODE(jp_process_parameters), {0}};

#define POOLS_AND_MESSAGES                                                                                          \
    {.key = "pools", .type = JP_FIELD_STRINGS, .offset = offsetof(struct jp_record_parameters, pools), .max = 100,   \
     .documentation = "Only events of these pools."},                                                               \
    {.key = "messages", .type = JP_FIELD_STRINGS, .offset = offsetof(struct jp_record_parameters, messages), .max = 100, \
     .documentation = "Only these messages, with or without JOB_OBJECT_MSG_."},                                     \
    {.key = "origins", .type = JP_FIELD_STRINGS, .offset = offsetof(struct jp_record_parameters, origins), .max = 3, \
     .documentation = "Only what these tell: kernel, reconciler, service."},                                        \
    {.key = "fromSeq", .type = JP_FIELD_U64, .offset = offsetof(struct jp_record_parameters, from_seq),             \
     .documentation = "From this event on."}

#define FROM_TO                                                                                             \
    {.key = "from", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_record_parameters, from),         \
     .documentation = "Not before this time (ISO 8601, UTC)."},                                             \
    {.key = "to", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_record_parameters, to),             \
     .documentation = "Before this time."}

#define LIMIT                                                                                               \
    {.key = "limit", .type = JP_FIELD_U32, .offset = offsetof(struct jp_record_parameters, limit), .min = 1, .max = 10000, \
     .documentation = "At most so many; default 1000."}

static const struct jp_field subscribe_fields[] = {
    POOLS_AND_MESSAGES, PID(jp_record_parameters, false),
    {.key = "durable", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_record_parameters, durable),
     .documentation = "false: be sent each event at once, before it is on the disk. Default true."},
    {0}};

static const struct jp_field unsubscribe_fields[] = {
    {.key = "subscription", .type = JP_FIELD_U64, .offset = offsetof(struct jp_record_parameters, subscription), .required = true,
     .documentation = "What events.subscribe answered."},
    {0}};

static const struct jp_field query_fields[] = {
    POOLS_AND_MESSAGES, PID(jp_record_parameters, false), FROM_TO, LIMIT,
    {.key = "newest", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_record_parameters, newest),
     .documentation = "The last ones instead of the first."},
    {0}};

#define RECORD_POOL                                                                                         \
    {.key = "pool", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_record_parameters, pool), .min = 1, \
     .documentation = "Only this pool."}

#define EACH(of)                                                                                             \
    {.key = "each", .type = JP_FIELD_BOOL, .offset = offsetof(struct of, each),                             \
     .documentation = "Ephemeral pools one by one, not as a part of the pool above."}

static const struct jp_field summary_fields[] = {
    RECORD_POOL,
    {.key = "pools", .type = JP_FIELD_STRINGS, .offset = offsetof(struct jp_record_parameters, pools), .max = 100,
     .documentation = "Only these pools."},
    FROM_TO, EACH(jp_record_parameters),
    {0}};

static const struct jp_field accounting_fields[] = {
    RECORD_POOL, PID(jp_record_parameters, false), START_TIME(jp_record_parameters), FROM_TO, LIMIT,
    {.key = "ending", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_record_parameters, ending),
     .documentation = "running, exited, crashed, terminated or unknown."},
    {.key = "afterId", .type = JP_FIELD_U64, .offset = offsetof(struct jp_record_parameters, after_id), .max = INT64_MAX,
     .documentation = "Processes with a higher id: the next page."},
    {0}};

static const struct jp_field purge_fields[] = {
    {.key = "before", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_purge_parameters, before), .min = 1,
     .documentation = "What ended, or happened, before this time (ISO 8601, UTC)."},
    {.key = "olderThan", .type = JP_FIELD_DURATION, .offset = offsetof(struct jp_purge_parameters, older_than_100ns), .max = AGE_MAX,
     .documentation = "Instead of before: what is older than this."},
    {.key = "pool", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_purge_parameters, pool), .min = 1,
     .documentation = "Only of this pool, which need not be there any more."},
    {.key = "processes", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_purge_parameters, processes),
     .documentation = "Rows of processes that ended; default true."},
    {.key = "events", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_purge_parameters, events),
     .documentation = "Events; default true."},
    {0}};

static const struct jp_field report_fields[] = {
    {.key = "by", .type = JP_FIELD_FLAGS, .offset = offsetof(struct jp_report_parameters, by), .choices = jp_report_keys,
     .documentation = "What makes a group: any of pool, user, image, day and ending; default pool. None: all is one group."},
    {.key = "pools", .type = JP_FIELD_STRINGS, .offset = offsetof(struct jp_report_parameters, pools), .max = 100,
     .documentation = "Only processes of these pools."},
    {.key = "user", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_report_parameters, user), .min = 1,
     .documentation = "Only those of this account, as \"DOMAIN\\name\"."},
    {.key = "image", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_report_parameters, image), .min = 1,
     .documentation = "Only those of programs of this file name, without a folder."},
    {.key = "ending", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_report_parameters, ending),
     .documentation = "running, exited, crashed, terminated or unknown."},
    {.key = "from", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_report_parameters, from),
     .documentation = "Only those that began not before this time (ISO 8601, UTC)."},
    {.key = "to", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_report_parameters, to), .documentation = "Only those that began before this time."},
    {.key = "top", .type = JP_FIELD_U32, .offset = offsetof(struct jp_report_parameters, top), .min = 1, .max = 100000,
     .documentation = "Only so many groups: those that have used the most CPU time."},
    EACH(jp_report_parameters), PROGRESS_TOKEN(jp_report_parameters),
    {0}};

static const struct jp_field series_fields[] = {
    {.key = "pools", .type = JP_FIELD_STRINGS, .offset = offsetof(struct jp_series_parameters, pools), .max = 100,
     .documentation = "Only these pools; default all."},
    {.key = "from", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_series_parameters, from),
     .documentation = "Not before this time (ISO 8601, UTC); default a day before to."},
    {.key = "to", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_series_parameters, to), .documentation = "Before this time; default now."},
    {.key = "points", .type = JP_FIELD_U32, .offset = offsetof(struct jp_series_parameters, points), .min = 1, .max = 2000,
     .documentation = "At most so many steps; default 200."},
    EACH(jp_series_parameters),
    {0}};

static const struct jp_field audit_fields[] = {
    {.key = "user", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_audit_parameters, user), .min = 1,
     .documentation = "Only what this account asked for, as \"DOMAIN\\name\"."},
    {.key = "pool", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_audit_parameters, pool), .min = 1, .documentation = "Only of this pool."},
    {.key = "method", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_audit_parameters, method), .min = 1,
     .documentation = "Only calls of this method."},
    {.key = "denied", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_audit_parameters, denied),
     .documentation = "Only what was refused for want of a right."},
    {.key = "from", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_audit_parameters, from), .documentation = "Not before this time (ISO 8601, UTC)."},
    {.key = "to", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_audit_parameters, to), .documentation = "Before this time."},
    {.key = "afterId", .type = JP_FIELD_U64, .offset = offsetof(struct jp_audit_parameters, after_id), .max = INT64_MAX,
     .documentation = "Records with a higher id: the next page."},
    {.key = "limit", .type = JP_FIELD_U32, .offset = offsetof(struct jp_audit_parameters, limit), .min = 1, .max = 10000,
     .documentation = "At most so many; default 1000."},
    {.key = "newest", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_audit_parameters, newest),
     .documentation = "The last ones instead of the first."},
    {0}};

static const struct jp_field cancel_fields[] = {
    {.key = "id", .type = JP_FIELD_JSON, .offset = offsetof(struct jp_cancel_parameters, id), .required = true,
     .documentation = "The id of a request of this connection that is not answered yet."},
    {0}};

#define JOB(null)                                                                                           \
    {.key = "job", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_job_parameters, job), .required = true, .min = 1, .nullable = null, \
     .documentation = "A pool's name, a kernel name, or a handle of this connection (\"#1\")."}
#define CLASS                                                                                               \
    {.key = "class", .type = JP_FIELD_CODE, .offset = offsetof(struct jp_job_parameters, class), .required = true, \
     .choices = jp_job_class_choices, .documentation = "The information class, by name or number."}

static const struct jp_field job_create_fields[] = {
    {.key = "name", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_job_parameters, name), .min = 1, .max = 260, .nullable = true,
     .documentation = "The kernel name; without one, only the handle reaches the job."},
    {.key = "security", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_job_parameters, security), .min = 1, .nullable = true,
     .documentation = "Who may do what with the job, as SDDL; default as the caller's token has it."},
    {0}};

static const struct jp_field job_open_fields[] = {
    {.key = "name", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_job_parameters, name), .required = true, .min = 1, .max = 260,
     .documentation = "The kernel name, or a pool's name for its job object."},
    {.key = "desiredAccess", .type = JP_FIELD_BITS, .offset = offsetof(struct jp_job_parameters, access), .required = true,
     .choices = jp_job_access_choices, .documentation = "JOB_OBJECT_* rights, by name or number, or a list of them."},
    {.key = "inheritHandles", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_job_parameters, inherit),
     .documentation = "Has no effect: nobody inherits handles of the service."},
    {0}};

static const struct jp_field job_fields[] = {JOB(false), {0}};
static const struct jp_field job_assign_fields[] = {JOB(false), PID(jp_job_parameters, true), START_TIME(jp_job_parameters), {0}};
static const struct jp_field job_contains_fields[] = {JOB(true), PID(jp_job_parameters, true), START_TIME(jp_job_parameters), {0}};
static const struct jp_field job_query_fields[] = {JOB(true), CLASS, {0}};

static const struct jp_field job_set_fields[] = {
    JOB(false), CLASS,
    {.key = "info", .type = JP_FIELD_JSON, .offset = offsetof(struct jp_job_parameters, info), .required = true,
     .documentation = "What job.queryInformation answers: every key, and no other."},
    {0}};

static const struct jp_field job_terminate_fields[] = {
    JOB(false),
    {.key = "exitCode", .type = JP_FIELD_U32, .offset = offsetof(struct jp_job_parameters, exit_code), .required = true,
     .documentation = "The exit code that the ended processes get."},
    {0}};

static const struct jp_field job_grant_fields[] = {
    {.key = "handle", .type = JP_FIELD_U64, .offset = offsetof(struct jp_job_parameters, handle), .required = true, .min = 1,
     .documentation = "The USER handle's value: a window, a menu, a hook, ..."},
    JOB(false),
    {.key = "grant", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_job_parameters, grant), .required = true,
     .documentation = "true: the job's processes may use it; false: no more."},
    {0}};

#define ROW(method_name, handler, needed, where, parameter_struct, field_table)                             \
    .name = method_name, .right = needed, .scope = where, .handle = jp__on_##handler, .size = sizeof(struct parameter_struct), .fields = field_table
#define TELLS(shape, example) .result = &jp__shape_##shape, .examples = jp__examples_##example
#define FAILS(...) .errors = (const jp_status[]){__VA_ARGS__, JP_OK}
#define POOL_KEYS .more_fields = jp_pool_fields, .more_offset = offsetof(struct jp_pool_parameters, spec)

const struct jp_method jp__methods[] = {
    {ROW("rpc.discover", rpc_discover, 0, JP_ON_SERVICE, jp_no_parameters, no_fields), .summary = "This interface, as an OpenRPC document.",
     TELLS(openrpc, rpc_discover), .description = "The same that docs/rpc.md is made from: methods with parameters, results, errors and examples. x-right is the right that a method needs."},
    {ROW("rpc.cancel", rpc_cancel, 0, JP_ON_SERVICE, jp_cancel_parameters, cancel_fields), .summary = "Take a waiting request back.",
     TELLS(cancelled, rpc_cancel),
     .description = "The request is answered with the error cancelled. One that is being carried out is not taken back."},
    {ROW("$/cancelRequest", rpc_cancel, 0, JP_ON_SERVICE, jp_cancel_parameters, cancel_fields), .summary = "rpc.cancel under the name that the Language Server Protocol gave it.",
     TELLS(cancelled, rpc_cancel)},
    {ROW("service.ping", service_ping, 0, JP_ON_SERVICE, jp_no_parameters, no_fields), .summary = "Whether the service answers, and in which version of this protocol.",
     TELLS(pong, service_ping), .description = "The cheapest question: for watchdogs, and to see how long an answer takes."},
    {ROW("service.status", service_status, JP_RIGHT_VIEW, JP_ON_SERVICE, jp_no_parameters, no_fields), .summary = "What the service is and how it is.",
     TELLS(status, service_status)},
    {ROW("service.capabilities", service_capabilities, JP_RIGHT_VIEW, JP_ON_SERVICE, jp_no_parameters, no_fields), .summary = "What this host's kernel enforces.",
     TELLS(capabilities, service_capabilities),
     .description = "cpu_rate is \"service\" where a pool has to say cpu_rate_fallback."},
    {ROW("service.reload", service_reload, JP_RIGHT_ADMIN, JP_ON_SERVICE, jp_no_parameters, no_fields), .changes = true, .summary = "Read the configuration again; all or nothing.",
     TELLS(reloaded, service_reload), FAILS(JP_E_CONFIG, JP_E_POOL_EXISTS, JP_E_STORE),
     .description = "Everything but pools, templates, access, sampling, retention and watch_config holds from the next start on."},
    {ROW("pool.list", pool_list, 0, JP_ON_FOUND, jp_no_parameters, no_fields), .summary = "All pools.",
     TELLS(pools, pool_list),
     .description = "Those that the caller may view."},
    {ROW("pool.get", pool_get, JP_RIGHT_VIEW, JP_ON_POOL, jp_pool_parameters, pool_fields), .summary = "One pool with its settings.",
     TELLS(pool, pool_get), FAILS(JP_E_NO_POOL)},
    {ROW("pool.create", pool_create, JP_RIGHT_ADMIN, JP_ON_FOUND, jp_pool_parameters, create_fields), .changes = true, POOL_KEYS, .summary = "Make a pool.",
     TELLS(pool, pool_create), FAILS(JP_E_POOL_EXISTS, JP_E_NO_POOL, JP_E_CONFIG, JP_E_STORE, JP_E_UNSUPPORTED),
     .description = "Its settings are the keys of a pool in the config, with the same notations. An ephemeral pool is one for a single run: it goes by itself "
                    "a moment after its last process has ended, or was ended by pool.terminate, or when this connection closes before it had one; "
                    "what is recorded of it stays. Who may assign or launch in its parent may make one there. It may only narrow: it has no access, match, "
                    "exclude, default, security, object_name and on_remove, nor limits that give (cpu_rate.weight and min, network_rate.dscp, working_set); "
                    "and its name must never have been a pool's. Who made it may view and control it, and may read its accounts and events for ten minutes "
                    "after it has gone. It outlives a restart of the service if it has processes then. quotas.ephemeral_pools bounds how many one account has."},
    {ROW("pool.update", pool_update, JP_RIGHT_ADMIN, JP_ON_POOL, jp_pool_parameters, pool_fields), .changes = true, POOL_KEYS, .summary = "Change settings of a living pool.",
     TELLS(pool, pool_update), FAILS(JP_E_NO_POOL, JP_E_POOL_FAILED, JP_E_CONFIG, JP_E_STORE, JP_E_UNSUPPORTED),
     .description = "Only the keys that are given change; null lifts a limit or removes a setting."},
    {ROW("pool.delete", pool_delete, JP_RIGHT_ADMIN, JP_ON_POOL, jp_pool_parameters, delete_fields), .changes = true, .summary = "Delete a pool made by pool.create.",
     TELLS(terminated, pool_delete), FAILS(JP_E_NO_POOL, JP_E_POOL_BUSY, JP_E_STORE)},
    {ROW("pool.assign", pool_assign, JP_RIGHT_ASSIGN, JP_ON_POOL, jp_process_parameters, assign_fields), .changes = true, .summary = "Take a running process into a pool.",
     TELLS(joined, pool_assign), FAILS(JP_E_NO_POOL, JP_E_POOL_FAILED, JP_E_NO_PROCESS, JP_E_OTHER_PROCESS, JP_E_POOL_FULL, JP_E_JOB_TIME, JP_E_SESSION, JP_E_TIMEOUT, JP_E_STORE, JP_E_UNSUPPORTED),
     .description = "The process and its children to come are in the pool when it is answered, and the row is on the disk. timeout is for "
                    "pools with when_full \"wait\": who waits in vain gets timed_out, and nothing was done. A request that waits is dropped "
                    "with its connection. What starts a process suspended, to let it run only inside, passes held: otherwise, if it is ended itself "
                    "meanwhile, the process would be left suspended for ever."},
    {ROW("pool.launch", pool_launch, JP_RIGHT_LAUNCH, JP_ON_FOUND, jp_launch_parameters, launch_fields), .changes = true, .summary = "Start a process in a pool, as the caller.",
     TELLS(joined, pool_launch), FAILS(JP_E_NO_POOL, JP_E_POOL_FAILED, JP_E_NO_PROCESS, JP_E_OTHER_PROCESS, JP_E_POOL_FULL, JP_E_JOB_TIME, JP_E_SESSION, JP_E_TIMEOUT, JP_E_STORE, JP_E_UNSUPPORTED),
     .description = "The process runs as the caller, with the caller's environment. Give either argv or command. Waiting for room as for "
                    "pool.assign."},
    {ROW("pool.processes", pool_processes, JP_RIGHT_VIEW, JP_ON_POOL, jp_pool_parameters, processes_fields), .summary = "The processes in a pool now.",
     TELLS(processes, pool_processes), FAILS(JP_E_NO_POOL)},
    {ROW("pool.terminate", pool_terminate, JP_RIGHT_CONTROL, JP_ON_POOL, jp_pool_parameters, terminate_fields), .changes = true, .summary = "End every process of a pool and its children.",
     TELLS(terminated, pool_terminate), FAILS(JP_E_NO_POOL, JP_E_POOL_FAILED, JP_E_STORE)},
    {ROW("pool.wait", pool_wait, JP_RIGHT_VIEW, JP_ON_FOUND, jp_process_parameters, wait_fields), .summary = "Wait until a pool is empty, or one process has ended.",
     TELLS(waited, pool_wait), FAILS(JP_E_NO_POOL, JP_E_NO_PROCESS, JP_E_OTHER_PROCESS, JP_E_TIMEOUT, JP_E_STORE),
     .description = "A process that has ended already is answered from the accounts. An ephemeral pool that has gone is empty to its maker, for some minutes."},
    {ROW("pool.freeze", pool_freeze, JP_RIGHT_CONTROL, JP_ON_POOL, jp_pool_parameters, freeze_fields), .changes = true, .summary = "Suspend all processes of a pool and its children, and those who come.",
     TELLS(pool, pool_freeze), FAILS(JP_E_NO_POOL, JP_E_POOL_FAILED, JP_E_STORE, JP_E_UNSUPPORTED),
     .description = "Processes that join later are stopped too, until pool.thaw. Freezing what is frozen already is refused (invalid_params). "
                    "A pool stays frozen when the service stops, and is still frozen after its next start; after a crash the next start thaws "
                    "it, unless keep was given."},
    {ROW("pool.thaw", pool_thaw, JP_RIGHT_CONTROL, JP_ON_POOL, jp_pool_parameters, pool_fields), .changes = true, .summary = "Let them go on.",
     TELLS(pool, pool_thaw), FAILS(JP_E_NO_POOL, JP_E_POOL_FAILED, JP_E_STORE, JP_E_UNSUPPORTED),
     .description = "A pool that is frozen by one above it (frozenBy) goes on when that is thawed. Thawing what is not frozen is refused "
                    "(invalid_params)."},
    {ROW("pool.match", pool_match, JP_RIGHT_ADMIN, JP_ON_SERVICE, jp_pool_parameters, match_fields), .changes = true, .summary = "Which pool the rules give each running process; with apply, take it in.",
     TELLS(matched, pool_match), FAILS(JP_E_NO_PROCESS),
     .description = "It is the same decision that new processes meet. image is the full path."},
    {ROW("pool.usage", pool_usage, JP_RIGHT_VIEW, JP_ON_FOUND, jp_usage_parameters, usage_fields), .summary = "What pools use now: one call for a whole picture.",
     TELLS(usage_picture, pool_usage), FAILS(JP_E_NO_POOL),
     .description = "The pools that the caller may view, in the order of their names. It has the service look at the machine's processes, once for all "
                    "callers, and not again within half a second: who asks meanwhile is told of the last look. Rates come of two answers: what a sum has risen by, over "
                    "what clock100ns has."},
    {ROW("process.get", process_get, JP_RIGHT_VIEW, JP_ON_FOUND, jp_process_parameters, process_fields), .summary = "One process, running or in the accounts.",
     TELLS(process, process_get), FAILS(JP_E_NO_PROCESS, JP_E_OTHER_PROCESS, JP_E_STORE),
     .description = "Of several processes that had the pid, the newest."},
    {ROW("process.terminate", process_terminate, JP_RIGHT_CONTROL, JP_ON_FOUND, jp_process_parameters, process_terminate_fields), .changes = true, .summary = "End one process of a pool.",
     TELLS(process_terminated, process_terminate), FAILS(JP_E_NO_PROCESS, JP_E_OTHER_PROCESS)},
    {ROW("events.subscribe", events_subscribe, JP_RIGHT_VIEW, JP_ON_FOUND, jp_record_parameters, subscribe_fields), .summary = "Be sent events, from the past on if asked.",
     TELLS(subscribed, events_subscribe), FAILS(JP_E_NO_POOL),
     .description = "Events come as notifications `event`."},
    {ROW("events.unsubscribe", events_unsubscribe, 0, JP_ON_SERVICE, jp_record_parameters, unsubscribe_fields), .summary = "Be sent no more.",
     TELLS(unsubscribed, events_unsubscribe), FAILS(JP_E_NO_SUBSCRIPTION)},
    {ROW("events.query", events_query, JP_RIGHT_VIEW, JP_ON_FOUND, jp_record_parameters, query_fields), .summary = "Events of the past.",
     TELLS(events, events_query), FAILS(JP_E_NO_POOL, JP_E_STORE)},
    {ROW("accounting.summary", accounting_summary, JP_RIGHT_VIEW, JP_ON_FOUND, jp_record_parameters, summary_fields), .summary = "Totals by pool.",
     TELLS(summaries, accounting_summary), FAILS(JP_E_NO_POOL, JP_E_STORE),
     .description = "from and to choose processes by when they began (from is in, to is out). Whole hours come from sums that outlive the "
                    "rows, so purging does not change such a report. Where from or to falls inside an hour, the rows of that part are counted "
                    "exactly; an hour of which rows have been purged counts as a whole if it begins within the time, and not at all if it "
                    "does not. The same holds for days (UTC) whose hours are not kept any more. Two reports whose times adjoin never count a "
                    "process twice. What an ephemeral pool has used is counted in the nearest pool above it that is not ephemeral (\"\": it stood "
                    "below none). One that is asked for by its name stands for itself, and with each all do, until nothing but its sums is left of it: "
                    "then those are the other pool's for good."},
    {ROW("accounting.processes", accounting_processes, JP_RIGHT_VIEW, JP_ON_FOUND, jp_record_parameters, accounting_fields), .summary = "Processes, a row each.",
     TELLS(process_page, accounting_processes), FAILS(JP_E_NO_POOL, JP_E_STORE)},
    {ROW("accounting.report", accounting_report, JP_RIGHT_VIEW, JP_ON_FOUND, jp_report_parameters, report_fields), .summary = "What processes have used, by pool, user, program, day and ending.",
     TELLS(report, accounting_report), FAILS(JP_E_NO_POOL, JP_E_QUOTA, JP_E_STORE, JP_E_CANCELLED),
     .description = "A row for each group, those that have used the most CPU time first; groups says how many there are, should not all be shown, and total is of "
                    "all of them. Processes that run count with what they have used so far. A day is that on which a process began (UTC); names of "
                    "accounts and programs are alike whatever the case of their letters. The report is made of the rows of accounting.processes: "
                    "where some that belong to it have been purged, complete is false, and of processes that began from completeFrom on all are in it "
                    "(accounting.summary outlives the rows). It is made in steps between other questions, and can be cancelled; processes that join "
                    "meanwhile are not in it. A report of more than 100000 groups is refused (quota_exceeded). Ephemeral pools are counted in the "
                    "pools above them, as in accounting.summary."},
    {ROW("accounting.series", accounting_series, JP_RIGHT_VIEW, JP_ON_FOUND, jp_series_parameters, series_fields), .summary = "Pools over time, in steps of equal length.",
     TELLS(series, accounting_series), FAILS(JP_E_NO_POOL, JP_E_STORE, JP_E_CANCELLED),
     .description = "Made of the samples that the service records of each pool that has members (sampling.record), and of the rows of processes. A pool's "
                    "values have those of the pools below it; started, ended and failures are the pool's own and, as in accounting.summary, those of "
                    "ephemeral pools below it. These are not listed themselves, but where they are asked for by name, and with each. The step is a round time (1 s, 2 s, 5 s, 10 s, "
                    "..., 1 h, ..., 1 d, ...), the shortest of which points are enough, and not shorter than the time between two samples; steps begin at "
                    "multiples of it (UTC), so the first may begin before from and the last may end after to, and their samples count whole. Processes are "
                    "counted from from to to exactly. Steps of which nothing is known are left out; one without a sample, in which processes began or "
                    "ended, has null for what only a sample tells. CPU time, and what was read and written, is what was used between "
                    "samples: divided between two steps side by side as the time is, and where nobody looked for longer (the service was not there, its "
                    "database was full), it counts in the step in which it was seen. So steps add up to what was used, though one may have more than its "
                    "length allows. The answer is made in steps between other questions, and can be cancelled. Where it would be too long, pools are left out "
                    "from the end of the alphabet on, and more is true: ask for the others by name."},
    {ROW("accounting.purge", accounting_purge, JP_RIGHT_ADMIN, JP_ON_SERVICE, jp_purge_parameters, purge_fields), .changes = true, .summary = "Delete what is old; the sums stay.",
     TELLS(purged, accounting_purge), FAILS(JP_E_STORE),
     .description = "Give either before or olderThan. What the processes used stays in accounting.summary, by the hour and day, and in the "
                    "pools' counters. It is done in small steps between other writes, and answered when it is done; it goes on if the client "
                    "leaves."},
    {ROW("accounting.reset", accounting_reset, JP_RIGHT_ADMIN, JP_ON_POOL, jp_pool_parameters, pool_fields), .changes = true, .summary = "Set a pool's counters to zero.",
     TELLS(counters, accounting_reset), FAILS(JP_E_NO_POOL, JP_E_STORE),
     .description = "Answers the counters as they stood, when that is on the disk. Nothing is deleted: rows and summaries stay, and the "
                    "record keeps who did it, when, and what the counters stood at."},
    {ROW("accounting.audit", accounting_audit, JP_RIGHT_ADMIN, JP_ON_SERVICE, jp_audit_parameters, audit_fields), .summary = "Who asked for what, and whether it was done.",
     TELLS(audit_page, accounting_audit), FAILS(JP_E_STORE),
     .description = "What changes something, and what was refused for want of a right. Refusals and failures that are repeated are put together, by the minute."},
    {ROW("job.create", job_create, JP_RIGHT_VIEW, JP_ON_SERVICE, jp_job_parameters, job_create_fields), .changes = true, .summary = "CreateJobObject: a job of the caller's own, by handle.",
     TELLS(job_handle, job_create), FAILS(JP_E_UNSUPPORTED)},
    {ROW("job.open", job_open, JP_RIGHT_VIEW, JP_ON_FOUND, jp_job_parameters, job_open_fields), .summary = "OpenJobObject, with the caller's rights.",
     TELLS(job_handle, job_open), FAILS(JP_E_NO_JOB)},
    {ROW("job.close", job_close, 0, JP_ON_SERVICE, jp_job_parameters, job_fields), .summary = "Close a handle.",
     TELLS(job_named, job_close), FAILS(JP_E_NO_JOB)},
    {ROW("job.assignProcess", job_assign_process, JP_RIGHT_ASSIGN, JP_ON_FOUND, jp_job_parameters, job_assign_fields), .changes = true, .summary = "AssignProcessToJobObject, as Windows does it.",
     TELLS(job_assigned, job_assign_process), FAILS(JP_E_NO_JOB, JP_E_NO_PROCESS, JP_E_OTHER_PROCESS, JP_E_POOL_FAILED, JP_E_POOL_FULL, JP_E_JOB_TIME, JP_E_SESSION, JP_E_STORE),
     .description = "A process that is assigned to a job that is full, or whose time is used up, is ended, and the call fails (pool_full, "
                    "job_time_used_up). pool.assign refuses instead, and the process lives."},
    {ROW("job.isProcessInJob", job_is_process_in_job, JP_RIGHT_VIEW, JP_ON_FOUND, jp_job_parameters, job_contains_fields), .summary = "IsProcessInJob; null: in any.",
     TELLS(in_job, job_is_process_in_job), FAILS(JP_E_NO_JOB, JP_E_NO_PROCESS, JP_E_OTHER_PROCESS)},
    {ROW("job.queryInformation", job_query_information, JP_RIGHT_VIEW, JP_ON_FOUND, jp_job_parameters, job_query_fields), .summary = "QueryInformationJobObject; null: the caller's job.",
     TELLS(information, job_query_information), FAILS(JP_E_NO_JOB, JP_E_POOL_FAILED, JP_E_UNSUPPORTED)},
    {ROW("job.setInformation", job_set_information, JP_RIGHT_ADMIN, JP_ON_FOUND, jp_job_parameters, job_set_fields), .changes = true, .summary = "SetInformationJobObject.",
     TELLS(information_set, job_set_information), FAILS(JP_E_NO_JOB, JP_E_POOL_FAILED, JP_E_CONFIG, JP_E_STORE, JP_E_UNSUPPORTED),
     .description = "Setting what was queried changes nothing."},
    {ROW("job.terminate", job_terminate, JP_RIGHT_CONTROL, JP_ON_FOUND, jp_job_parameters, job_terminate_fields), .changes = true, .summary = "TerminateJobObject.",
     TELLS(job_terminated, job_terminate), FAILS(JP_E_NO_JOB, JP_E_POOL_FAILED)},
    {ROW("job.grantUserHandle", job_grant_user_handle, JP_RIGHT_CONTROL, JP_ON_FOUND, jp_job_parameters, job_grant_fields), .changes = true, .summary = "UserHandleGrantAccess, where the service is on the caller's desktop.",
     TELLS(granted, job_grant_user_handle), FAILS(JP_E_NO_JOB, JP_E_POOL_FAILED, JP_E_SESSION, JP_E_UNSUPPORTED)},
    {0}};
