/* The tables of a pool's keys: name, type, unit, range and meaning of each, in one place for the config, the pipe and the
 * documentation. */
#include "job/limits.h"

#include "base/units.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

enum { MIN_PROCESS_MEMORY = 1 << 20 }; /* less than a program needs to start */

const struct jp_choice jp_priority_classes[] = {
    {"idle", 0x40}, {"below_normal", 0x4000}, {"normal", 0x20}, {"above_normal", 0x8000}, {"high", 0x80}, {"realtime", 0x100}, {NULL, 0}};

static const struct jp_choice breakaway_choices[] = {
    {"none", JP_BREAKAWAY_NONE}, {"allow", JP_BREAKAWAY_ALLOW}, {"silent", JP_BREAKAWAY_SILENT}, {NULL, 0}};

static const struct jp_choice end_of_job_time_choices[] = {
    {"terminate", JP_END_OF_JOB_TERMINATE}, {"post", JP_END_OF_JOB_POST}, {NULL, 0}};

const struct jp_choice jp_on_service_stop_choices[] = {
    {"keep", JP_ON_STOP_KEEP}, {"terminate", JP_ON_STOP_TERMINATE}, {NULL, 0}};

const struct jp_choice jp_on_remove_choices[] = {{"keep", JP_ON_REMOVE_KEEP}, {"terminate", JP_ON_REMOVE_TERMINATE}, {NULL, 0}};

/* JOB_OBJECT_UILIMIT_* */
static const struct jp_choice ui_choices[] = {
    {"handles", 0x1}, {"read_clipboard", 0x2}, {"write_clipboard", 0x4}, {"system_parameters", 0x8},
    {"display_settings", 0x10}, {"global_atoms", 0x20}, {"desktop", 0x40}, {"exit_windows", 0x80}, {NULL, 0}};

static const struct jp_choice security_choices[] = {{"no_admin", JP_JOB_OBJECT_SECURITY_NO_ADMIN},
                                                    {"restricted_token", JP_JOB_OBJECT_SECURITY_RESTRICTED_TOKEN},
                                                    {"only_token", JP_JOB_OBJECT_SECURITY_ONLY_TOKEN},
                                                    {"filter_tokens", JP_JOB_OBJECT_SECURITY_FILTER_TOKENS},
                                                    {NULL, 0}};

static const struct jp_choice account_choices[] = {
    {"local_service", JP_TOKEN_LOCAL_SERVICE}, {"network_service", JP_TOKEN_NETWORK_SERVICE}, {NULL, 0}};

static const struct jp_choice tolerance_choices[] = {
    {"low", JP_JOB_ToleranceLow}, {"medium", JP_JOB_ToleranceMedium}, {"high", JP_JOB_ToleranceHigh}, {NULL, 0}};

static const struct jp_choice tolerance_interval_choices[] = {{"short", JP_JOB_ToleranceIntervalShort},
                                                              {"medium", JP_JOB_ToleranceIntervalMedium},
                                                              {"long", JP_JOB_ToleranceIntervalLong},
                                                              {NULL, 0}};

const struct jp_choice jp_sessions_choices[] = {{"each", JP_SESSIONS_EACH}, {"single", JP_SESSIONS_SINGLE}, {NULL, 0}};

const struct jp_choice jp_when_full_choices[] = {
    {"refuse", JP_WHEN_FULL_REFUSE}, {"wait", JP_WHEN_FULL_WAIT}, {"kill", JP_WHEN_FULL_KILL}, {NULL, 0}};

static const struct jp_field working_set_fields[] = {
    {.key = "min", .type = JP_FIELD_BYTES, .offset = offsetof(struct jp_working_set, min_bytes), .required = true, .min = 4096,
     .documentation = "Least working set of each process."},
    {.key = "max", .type = JP_FIELD_BYTES, .offset = offsetof(struct jp_working_set, max_bytes), .required = true, .min = 4096,
     .documentation = "Largest working set of each process."},
    {0}};

static const struct jp_field cpu_rate_fields[] = {
    [JP_CPU_HARD_CAP] = {.key = "hard_cap", .type = JP_FIELD_PERCENT, .offset = offsetof(struct jp_cpu_rate, hard_cap), .min = 1,
                         .documentation = "Never more than this share of all processors."},
    [JP_CPU_WEIGHT] = {.key = "weight", .type = JP_FIELD_U32, .offset = offsetof(struct jp_cpu_rate, weight), .min = 1, .max = 9,
                       .documentation = "Share against other pools, 1 to 9; 5 is normal."},
    [JP_CPU_MIN] = {.key = "min", .type = JP_FIELD_PERCENT, .offset = offsetof(struct jp_cpu_rate, min), .min = 1,
                    .documentation = "Reserved share; goes with max."},
    [JP_CPU_MAX] = {.key = "max", .type = JP_FIELD_PERCENT, .offset = offsetof(struct jp_cpu_rate, max), .min = 1,
                    .documentation = "Largest share; goes with min."},
    [JP_CPU_NOTIFY] = {.key = "notify", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_cpu_rate, notify),
                       .documentation = "A message when the rate was exceeded for longer than notify.cpu_rate tolerates."},
    {0}};

static const struct jp_field network_rate_fields[] = {
    [JP_NETWORK_MAX_BANDWIDTH] = {.key = "max_bandwidth", .type = JP_FIELD_BYTES,
                                  .offset = offsetof(struct jp_network_rate, max_bandwidth_bytes), .min = 1,
                                  .documentation = "Outgoing bytes a second."},
    [JP_NETWORK_DSCP] = {.key = "dscp", .type = JP_FIELD_U32, .offset = offsetof(struct jp_network_rate, dscp), .max = 63,
                         .documentation = "DSCP value of outgoing packets, 0 to 63."},
    {0}};

#define TOLERANCE(member) .offset = offsetof(struct jp_tolerance, member), .required = true
static const struct jp_field tolerance_fields[] = {
    [JP_TOLERANCE] = {.key = "tolerance", .type = JP_FIELD_CHOICE, TOLERANCE(tolerance), .choices = tolerance_choices,
                      .documentation = "For how much of the interval the rate may be exceeded: low 20 %, medium 40 %, high 60 %."},
    [JP_TOLERANCE_INTERVAL] = {.key = "interval", .type = JP_FIELD_CHOICE, TOLERANCE(interval), .choices = tolerance_interval_choices,
                               .documentation = "short 10 s, medium 1 minute, long 10 minutes."},
    {0}};

#define NOTIFY(member) .offset = offsetof(struct jp_notify, member), .nullable = true
static const struct jp_field notify_fields[] = {
    [JP_NOTIFY_JOB_MEMORY] = {.key = "job_memory", .type = JP_FIELD_BYTES, NOTIFY(job_memory_bytes), .min = 1,
                              .documentation = "Commit of all processes together rises over this."},
    [JP_NOTIFY_JOB_MEMORY_LOW] = {.key = "job_memory_low", .type = JP_FIELD_BYTES, NOTIFY(job_memory_low_bytes), .min = 1,
                                  .documentation = "Commit of all processes together falls below this."},
    [JP_NOTIFY_CPU_TIME] = {.key = "cpu_time", .type = JP_FIELD_DURATION, NOTIFY(cpu_time_100ns), .min = 10000, .max = INT64_MAX,
                            .documentation = "User-mode CPU time of all processes together."},
    [JP_NOTIFY_IO_READ] = {.key = "io_read", .type = JP_FIELD_BYTES, NOTIFY(io_read_bytes), .min = 1, .documentation = "Bytes read."},
    [JP_NOTIFY_IO_WRITE] = {.key = "io_write", .type = JP_FIELD_BYTES, NOTIFY(io_write_bytes), .min = 1, .documentation = "Bytes written."},
    [JP_NOTIFY_CPU_RATE] = {.key = "cpu_rate", .type = JP_FIELD_OBJECT, NOTIFY(cpu_rate), .fields = tolerance_fields,
                            .documentation = "How long the CPU rate may be exceeded."},
    [JP_NOTIFY_NETWORK_RATE] = {.key = "network_rate", .type = JP_FIELD_OBJECT, NOTIFY(network_rate), .fields = tolerance_fields,
                                .documentation = "How long the network rate may be exceeded."},
    {0}};

#define FILTER(member) .offset = offsetof(struct jp_token_filter, member), .max = 64
static const struct jp_field filter_fields[] = {
    {.key = "sids_to_disable", .type = JP_FIELD_STRINGS, FILTER(sids_to_disable),
     .documentation = "Groups that only deny: SIDs or account names."},
    {.key = "privileges_to_delete", .type = JP_FIELD_STRINGS, FILTER(privileges_to_delete),
     .documentation = "Privileges that are taken away: \"SeShutdownPrivilege\"."},
    {.key = "restricted_sids", .type = JP_FIELD_STRINGS, FILTER(restricted_sids),
     .documentation = "Access is given only where one of these has it too."},
    {0}};

#define SECURITY(member) .offset = offsetof(struct jp_security, member)
static const struct jp_field security_fields[] = {
    [JP_SECURITY_LIMITS] = {.key = "limits", .type = JP_FIELD_FLAGS, SECURITY(limits), .choices = security_choices, .required = true,
                            .documentation = "no_admin, restricted_token, only_token, filter_tokens."},
    [JP_SECURITY_ACCOUNT] = {.key = "account", .type = JP_FIELD_CHOICE, SECURITY(account), .choices = account_choices,
                             .documentation = "With only_token: launched processes run as this account."},
    [JP_SECURITY_FILTER] = {.key = "filter", .type = JP_FIELD_OBJECT, SECURITY(filter), .fields = filter_fields,
                            .documentation = "With filter_tokens: what launched processes' tokens lose."},
    {0}};

static const struct jp_choice measure_choices[] = {{"commit", JP_MEASURE_COMMIT}, {"working_set", JP_MEASURE_WORKING_SET}, {NULL, 0}};
static const struct jp_choice action_choices[] = {{"notify", JP_MEMORY_NOTIFY},
                                                  {"freeze", JP_MEMORY_FREEZE},
                                                  {"terminate_newest", JP_MEMORY_TERMINATE_NEWEST},
                                                  {"terminate_largest", JP_MEMORY_TERMINATE_LARGEST},
                                                  {"terminate_pool", JP_MEMORY_TERMINATE_POOL},
                                                  {NULL, 0}};

#define LONGEST (UINT64_C(366) * 864000000000)
#define TIMEOUT(member) .offset = offsetof(struct jp_timeouts, member), .nullable = true
static const struct jp_field timeout_fields[] = {
    [JP_TIMEOUT_WALL_CLOCK] = {.key = "wall_clock", .type = JP_FIELD_DURATION, TIMEOUT(wall_clock_100ns), .min = 10000, .max = LONGEST,
                               .documentation = "Longest life of each process in the pool."},
    [JP_TIMEOUT_POOL_WALL_CLOCK] = {.key = "pool_wall_clock", .type = JP_FIELD_DURATION, TIMEOUT(pool_wall_clock_100ns), .min = 10000, .max = LONGEST,
                                    .documentation = "Longest run of the pool, from its first process until it is empty; then all are ended."},
    [JP_TIMEOUT_IDLE] = {.key = "idle", .type = JP_FIELD_DURATION, TIMEOUT(idle_100ns), .min = 10000, .max = LONGEST,
                         .documentation = "A process that uses no CPU time for so long is ended."},
    [JP_TIMEOUT_ASLEEP] = {.key = "asleep", .type = JP_FIELD_BOOL, TIMEOUT(asleep), .documentation = "Time that the machine sleeps counts too."},
    {0}};

static const struct jp_field stop_fields[] = {
    {.key = "grace", .type = JP_FIELD_DURATION, .offset = offsetof(struct jp_stop, grace_100ns), .nullable = true, .min = 10000, .max = LONGEST,
     .documentation = "Processes that the service ends are asked to first, and have so long."},
    {0}};

#define MEMORY(member) .offset = offsetof(struct jp_memory_policy, member)
static const struct jp_field memory_fields[] = {
    [JP_MEMORY_MEASURE] = {.key = "measure", .type = JP_FIELD_CHOICE, MEMORY(measure), .choices = measure_choices,
                           .documentation = "commit or working_set, of the pool with its children; default commit."},
    [JP_MEMORY_SOFT] = {.key = "soft", .type = JP_FIELD_BYTES, MEMORY(soft_bytes), .min = 1, .documentation = "Above this it is told."},
    [JP_MEMORY_HARD] = {.key = "hard", .type = JP_FIELD_BYTES, MEMORY(hard_bytes), .min = 1, .documentation = "Above this the action is taken."},
    [JP_MEMORY_ACTION] = {.key = "action", .type = JP_FIELD_CHOICE, MEMORY(action), .choices = action_choices,
                          .documentation = "notify, freeze, terminate_newest, terminate_largest or terminate_pool; default notify."},
    [JP_MEMORY_HOLD] = {.key = "hold", .type = JP_FIELD_DURATION, MEMORY(hold_100ns), .max = LONGEST, .documentation = "Only if above for so long."},
    {0}};

#define MATCH(member) .type = JP_FIELD_STRING, .offset = offsetof(struct jp_match, member), .min = 1, .max = 1024
static const struct jp_field match_fields[] = {
    [JP_MATCH_IMAGE] = {.key = "image", MATCH(image), .documentation = "File name of the program: \"cl.exe\"."},
    [JP_MATCH_PATH] = {.key = "path", MATCH(path), .documentation = "Full path of the program: \"C:\\ci\\**\"."},
    [JP_MATCH_USER] = {.key = "user", MATCH(user), .documentation = "Who runs it: \"DOMAIN\\ci\"."},
    [JP_MATCH_COMMAND_LINE] = {.key = "command_line", MATCH(command_line), .documentation = "Its command line: \"*--batch*\"."},
    [JP_MATCH_PARENT] = {.key = "parent", MATCH(parent), .documentation = "File name of its parent's program."},
    {0}};

#define LIMIT(member) .offset = offsetof(struct jp_limits, member), .nullable = true

const struct jp_field jp_limit_fields[] = {
    [JP_LIMIT_ACTIVE_PROCESSES] = {.key = "active_processes", .type = JP_FIELD_U32, LIMIT(active_processes), .min = 1,
                                   .documentation = "Most processes at a time."},
    [JP_LIMIT_PROCESS_MEMORY] = {.key = "process_memory", .type = JP_FIELD_BYTES, LIMIT(process_memory_bytes),
                                 .min = MIN_PROCESS_MEMORY, .documentation = "Most memory (commit) of each process."},
    [JP_LIMIT_JOB_MEMORY] = {.key = "job_memory", .type = JP_FIELD_BYTES, LIMIT(job_memory_bytes), .min = MIN_PROCESS_MEMORY,
                             .documentation = "Most memory (commit) of all processes together."},
    [JP_LIMIT_PROCESS_TIME] = {.key = "process_time", .type = JP_FIELD_DURATION, LIMIT(process_time_100ns), .min = 10000,
                               .max = INT64_MAX, .documentation = "Most user-mode CPU time of each process; then it is ended."},
    [JP_LIMIT_JOB_TIME] = {.key = "job_time", .type = JP_FIELD_DURATION, LIMIT(job_time_100ns), .min = 10000, .max = INT64_MAX,
                           .documentation = "Most user-mode CPU time of all processes together; then end_of_job_time."},
    [JP_LIMIT_PRIORITY_CLASS] = {.key = "priority_class", .type = JP_FIELD_CHOICE, LIMIT(priority_class),
                                 .choices = jp_priority_classes, .documentation = "Priority class of every process."},
    [JP_LIMIT_AFFINITY] = {.key = "affinity", .type = JP_FIELD_AFFINITY, LIMIT(affinity),
                           .documentation = "Processors that the processes may use: \"0-3,6\" or \"0xF\"."},
    [JP_LIMIT_WORKING_SET] = {.key = "working_set", .type = JP_FIELD_OBJECT, LIMIT(working_set), .fields = working_set_fields,
                              .documentation = "Working set of each process."},
    [JP_LIMIT_SCHEDULING_CLASS] = {.key = "scheduling_class", .type = JP_FIELD_U32, LIMIT(scheduling_class), .max = 9,
                                   .documentation = "Length of the time slice, 0 (short) to 9; 5 is normal."},
    [JP_LIMIT_CPU_RATE] = {.key = "cpu_rate", .type = JP_FIELD_OBJECT, LIMIT(cpu_rate), .fields = cpu_rate_fields,
                           .shorthand = "hard_cap", .documentation = "Share of the processors: \"50%\", or one of its keys."},
    [JP_LIMIT_NETWORK_RATE] = {.key = "network_rate", .type = JP_FIELD_OBJECT, LIMIT(network_rate), .fields = network_rate_fields,
                               .shorthand = "max_bandwidth", .documentation = "Outgoing network bandwidth a second: \"10MiB\", or its keys."},
    [JP_LIMIT_BREAKAWAY] = {.key = "breakaway", .type = JP_FIELD_CHOICE, LIMIT(breakaway), .choices = breakaway_choices,
                            .documentation = "Whether children may leave: none, allow (if they ask), silent (all do)."},
    [JP_LIMIT_DIE_ON_UNHANDLED_EXCEPTION] = {.key = "die_on_unhandled_exception", .type = JP_FIELD_BOOL, LIMIT(die_on_unhandled_exception),
                                             .documentation = "A crash ends the process without a dialog box."},
    [JP_LIMIT_KILL_ON_CLOSE] = {.key = "kill_on_close", .type = JP_FIELD_BOOL, LIMIT(kill_on_close),
                                .documentation = "All processes end when the service closes the job, however it ends."},
    [JP_LIMIT_SUBSET_AFFINITY] = {.key = "subset_affinity", .type = JP_FIELD_BOOL, LIMIT(subset_affinity),
                                  .documentation = "With affinity: processes may choose fewer of its processors for themselves."},
    [JP_LIMIT_PROCESSOR_GROUPS] = {.key = "processor_groups", .type = JP_FIELD_STRINGS, LIMIT(processor_groups), .max = 64,
                                   .documentation = "Processor groups: \"1\", or with processors of it \"1:0-3\". Excludes affinity."},
    {0}};

#define POOL(member) .offset = offsetof(struct jp_pool_spec, member), .nullable = true

const struct jp_field jp_pool_fields[] = {
    [JP_POOL_DESCRIPTION] = {.key = "description", .type = JP_FIELD_STRING, POOL(description), .max = 1024,
                             .documentation = "For people."},
    [JP_POOL_PARENT] = {.key = "parent", .type = JP_FIELD_STRING, POOL(parent), .min = 1, .max = JP_POOL_NAME_MAX,
                        .documentation = "The pool whose limits hold for this one too."},
    [JP_POOL_OBJECT_NAME] = {.key = "object_name", .type = JP_FIELD_STRING, POOL(object_name), .min = 1, .max = 200,
                             .documentation = "Kernel name of the job object; default Global\\JobPool.<pool>."},
    [JP_POOL_LIMITS] = {.key = "limits", .type = JP_FIELD_OBJECT, .offset = offsetof(struct jp_pool_spec, limits),
                        .fields = jp_limit_fields, .documentation = "What the processes may use."},
    [JP_POOL_UI] = {.key = "ui", .type = JP_FIELD_FLAGS, POOL(ui), .choices = ui_choices,
                    .documentation = "What the processes may not do to the desktop."},
    [JP_POOL_SECURITY] = {.key = "security", .type = JP_FIELD_OBJECT, POOL(security), .fields = security_fields, .shorthand = "limits",
                          .documentation = "Which processes may join, and with which rights they run."},
    [JP_POOL_END_OF_JOB_TIME] = {.key = "end_of_job_time", .type = JP_FIELD_CHOICE, POOL(end_of_job_time), .choices = end_of_job_time_choices,
                                 .documentation = "When job_time is used up: terminate the processes, or post a message and go on."},
    [JP_POOL_ON_SERVICE_STOP] = {.key = "on_service_stop", .type = JP_FIELD_CHOICE, POOL(on_service_stop), .choices = jp_on_service_stop_choices,
                                 .documentation = "keep: the processes go on when the service stops or crashes; terminate: they end with it."},
    [JP_POOL_NOTIFY] = {.key = "notify", .type = JP_FIELD_OBJECT, .offset = offsetof(struct jp_pool_spec, notify), .fields = notify_fields,
                        .documentation = "What is told when it is exceeded, and not enforced."},
    [JP_POOL_SESSIONS] = {.key = "sessions", .type = JP_FIELD_CHOICE, POOL(sessions), .choices = jp_sessions_choices,
                          .documentation = "each: a job object for each session that has members; single: the first member's session only."},
    [JP_POOL_WHEN_FULL] = {.key = "when_full", .type = JP_FIELD_CHOICE, POOL(when_full), .choices = jp_when_full_choices,
                           .documentation = "refuse; wait: in a queue, for wait_timeout; kill: as Windows does, which ends the process."},
    [JP_POOL_WAIT_TIMEOUT] = {.key = "wait_timeout", .type = JP_FIELD_DURATION, POOL(wait_timeout_100ns), .min = 10000,
                              .max = LONGEST, .documentation = "How long a request waits for room; default 1m."},
    [JP_POOL_STRICT] = {.key = "strict", .type = JP_FIELD_BOOL, POOL(strict), .documentation = "Refuse the pool if nobody on this host can enforce one of its limits."},
    [JP_POOL_CPU_RATE_FALLBACK] = {.key = "cpu_rate_fallback", .type = JP_FIELD_BOOL, POOL(cpu_rate_fallback),
                                   .documentation = "Where the kernel has no CPU rate: suspend the processes in slices of at most 50 ms."},
    [JP_POOL_TIMEOUTS] = {.key = "timeouts", .type = JP_FIELD_OBJECT, .offset = offsetof(struct jp_pool_spec, timeouts), .fields = timeout_fields,
                          .documentation = "How long processes and the pool may run or do nothing."},
    [JP_POOL_STOP] = {.key = "stop", .type = JP_FIELD_OBJECT, .offset = offsetof(struct jp_pool_spec, stop), .fields = stop_fields,
                      .documentation = "How processes are ended by the service."},
    [JP_POOL_MEMORY_POLICY] = {.key = "memory_policy", .type = JP_FIELD_OBJECT, POOL(memory_policy), .fields = memory_fields,
                               .documentation = "What is done when the pool uses much memory."},
    [JP_POOL_MATCH] = {.key = "match", .type = JP_FIELD_LIST, POOL(match), .fields = match_fields, .size = sizeof(struct jp_match), .max = 100,
                       .documentation = "Processes that come into the pool by themselves: one of these rules fits."},
    [JP_POOL_EXCLUDE] = {.key = "exclude", .type = JP_FIELD_LIST, POOL(exclude), .fields = match_fields, .size = sizeof(struct jp_match), .max = 100,
                         .documentation = "Processes that do not, though a rule of match fits."},
    [JP_POOL_DEFAULT] = {.key = "default", .type = JP_FIELD_BOOL, POOL(takes_all), .documentation = "Takes every process that matches no pool."},
    [JP_POOL_ON_REMOVE] = {.key = "on_remove", .type = JP_FIELD_CHOICE, POOL(on_remove), .choices = jp_on_remove_choices,
                           .documentation = "When the configuration has the pool no more: keep its processes in it until they end, or terminate them."},
    [JP_POOL_ACCESS] = {.key = "access", .type = JP_FIELD_OBJECT, .offset = offsetof(struct jp_pool_spec, access), .fields = jp_access_fields,
                        .shorthand = "sddl", .documentation = "Who may do what with the pool; default as its parent, or the service."},
    {0}};

static bool is_letter_or_digit(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool jp_pool_name_valid(const char *name) {
    size_t length = 0;
    if (!is_letter_or_digit(name[0]))
        return false;
    while (is_letter_or_digit(name[length]) || name[length] == '.' || name[length] == '_' || name[length] == '-')
        length++;
    return !name[length] && length <= JP_POOL_NAME_MAX;
}

bool jp_pool_spec_terminates(const struct jp_pool_spec *spec) {
    if (spec->present & JP_SCHEMA_BIT(JP_POOL_ON_SERVICE_STOP))
        return spec->on_service_stop == JP_ON_STOP_TERMINATE;
    return spec->limits.kill_on_close;
}

char *jp_pool_object_name(const char *name, const struct jp_pool_spec *spec) {
    static const char before[] = "Global\\JobPool.";
    if (spec->object_name)
        return jp_strdup(spec->object_name);
    size_t length = strlen(name);
    char *object_name = jp_alloc(sizeof before + length); /* put together by hand: it is done for each of very many pools */
    memcpy(object_name, before, sizeof before - 1);
    memcpy(object_name + sizeof before - 1, name, length);
    return object_name;
}

static const cJSON *child(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return item ? item : object;
}

static bool given(const struct jp_limits *limits, enum jp_limit limit) { return limits->present & JP_SCHEMA_BIT(limit); }

static void check_processors(const struct jp_limits *limits, const cJSON *object, const char *path, struct jp_faults *faults) {
    if (limits->subset_affinity && !given(limits, JP_LIMIT_AFFINITY))
        jp_faults_add(faults, child(object, "subset_affinity"), false, "%s.subset_affinity: goes with affinity", path);
    if (given(limits, JP_LIMIT_PROCESSOR_GROUPS) && given(limits, JP_LIMIT_AFFINITY))
        jp_faults_add(faults, child(object, "processor_groups"), false, "%s.processor_groups: excludes affinity", path);
    if (given(limits, JP_LIMIT_PROCESSOR_GROUPS) && !limits->processor_groups.count)
        jp_faults_add(faults, child(object, "processor_groups"), false, "%s.processor_groups: name at least one group", path);
    bool whole = false, parts = false;
    for (size_t i = 0; i < limits->processor_groups.count; i++) {
        struct jp_error error;
        uint16_t group;
        uint64_t mask = 0;
        if (jp_processor_group_parse(limits->processor_groups.items[i], &group, &mask, &error))
            jp_faults_add(faults, child(object, "processor_groups"), false, "%s.processor_groups: %s", path, error.text);
        whole |= !mask;
        parts |= mask != 0;
    }
    if (whole && parts)
        jp_faults_add(faults, child(object, "processor_groups"), false,
                      "%s.processor_groups: name processors in each group, or in none", path);
}

static void check_limits(const struct jp_limits *limits, const cJSON *object, const char *path, struct jp_faults *faults) {
    const struct jp_working_set *set = &limits->working_set;
    if (given(limits, JP_LIMIT_WORKING_SET) && set->min_bytes >= set->max_bytes)
        jp_faults_add(faults, child(object, "working_set"), false, "%s.working_set: min must be below max", path);

    uint64_t modes = limits->cpu_rate.present & ~JP_SCHEMA_BIT(JP_CPU_NOTIFY);
    uint64_t range = JP_SCHEMA_BIT(JP_CPU_MIN) | JP_SCHEMA_BIT(JP_CPU_MAX);
    if (given(limits, JP_LIMIT_CPU_RATE) && modes != JP_SCHEMA_BIT(JP_CPU_HARD_CAP) && modes != JP_SCHEMA_BIT(JP_CPU_WEIGHT) &&
        modes != range)
        jp_faults_add(faults, child(object, "cpu_rate"), false, "%s.cpu_rate: give either hard_cap, or weight, or min and max", path);
    if (modes == range && limits->cpu_rate.min > limits->cpu_rate.max)
        jp_faults_add(faults, child(object, "cpu_rate"), false, "%s.cpu_rate: min must not be above max", path);
    if (given(limits, JP_LIMIT_NETWORK_RATE) && !limits->network_rate.present)
        jp_faults_add(faults, child(object, "network_rate"), false, "%s.network_rate: give max_bandwidth, or dscp, or both", path);
    if (given(limits, JP_LIMIT_PROCESS_MEMORY) && given(limits, JP_LIMIT_JOB_MEMORY) &&
        limits->process_memory_bytes > limits->job_memory_bytes)
        jp_faults_add(faults, child(object, "process_memory"), false,
                      "%s.process_memory: is above job_memory, so it could never be reached", path);
    check_processors(limits, object, path, faults);
}

static void check_security(const struct jp_security *security, const cJSON *object, const char *path, struct jp_faults *faults) {
    const struct jp_token_filter *filter = &security->filter;
    bool filters = filter->sids_to_disable.count || filter->privileges_to_delete.count || filter->restricted_sids.count;
    if (security->account && !(security->limits & JP_JOB_OBJECT_SECURITY_ONLY_TOKEN))
        jp_faults_add(faults, object, false, "%s.account: goes with the limit only_token", path);
    if (filters != ((security->limits & JP_JOB_OBJECT_SECURITY_FILTER_TOKENS) != 0))
        jp_faults_add(faults, object, false, "%s.filter: the limit filter_tokens and what it is to filter go together", path);
}

/* Kernel names may have one backslash, after Global or Local. */
static bool object_name_valid(const char *name) {
    const char *rest = name;
    if (strncmp(name, "Global\\", 7) == 0)
        rest = name + 7;
    else if (strncmp(name, "Local\\", 6) == 0)
        rest = name + 6;
    return *rest && !strchr(rest, '\\');
}

static void check_memory_policy(const struct jp_memory_policy *policy, const cJSON *object, const char *path, struct jp_faults *faults) {
    bool soft = policy->present & JP_SCHEMA_BIT(JP_MEMORY_SOFT), hard = policy->present & JP_SCHEMA_BIT(JP_MEMORY_HARD);
    if (!soft && !hard)
        jp_faults_add(faults, object, false, "%s: give soft, or hard, or both", path);
    else if (soft && hard && policy->soft_bytes >= policy->hard_bytes)
        jp_faults_add(faults, child(object, "soft"), false, "%s.soft: must be below hard", path);
    if (soft && !hard && policy->action != JP_MEMORY_NOTIFY)
        jp_faults_add(faults, child(object, "action"), false, "%s.action: is taken above hard, which is missing", path);
}

/* A rule without keys would fit every process of the machine, which nobody means; "default" says that. */
static void check_rules(const struct jp_list *rules, const cJSON *object, const char *path, struct jp_faults *faults) {
    const struct jp_match *rule = rules->items;
    for (size_t i = 0; i < rules->count; i++) {
        const cJSON *place = cJSON_GetArrayItem(object, (int)i);
        if (!(rule[i].present & UINT32_MAX))
            jp_faults_add(faults, place ? place : object, false, "%s[%zu]: give at least one of image, path, user, command_line, parent", path, i);
    }
}

static char *inner_path(const char *path, const char *key) { return *path ? jp_sprintf("%s.%s", path, key) : jp_strdup(key); }

static void check_rules_of(const struct jp_list *rules, const cJSON *object, const char *path, const char *key, struct jp_faults *faults) {
    if (!rules->count)
        return;
    char *inner = inner_path(path, key);
    check_rules(rules, child(object, key), inner, faults);
    jp_free(inner);
}

/* What the service does by itself, beyond the job object. */
static void check_policy(const struct jp_pool_spec *spec, const cJSON *object, const char *path, const char *dot, struct jp_faults *faults) {
    if (spec->present & JP_SCHEMA_BIT(JP_POOL_MEMORY_POLICY)) {
        char *inner = inner_path(path, "memory_policy");
        check_memory_policy(&spec->memory_policy, child(object, "memory_policy"), inner, faults);
        jp_free(inner);
    }
    check_rules_of(&spec->match, object, path, "match", faults);
    check_rules_of(&spec->exclude, object, path, "exclude", faults);
    if (spec->cpu_rate_fallback && !(given(&spec->limits, JP_LIMIT_CPU_RATE) && (spec->limits.cpu_rate.present & JP_SCHEMA_BIT(JP_CPU_HARD_CAP))))
        jp_faults_add(faults, child(object, "cpu_rate_fallback"), false, "%s%scpu_rate_fallback: goes with hard_cap of limits.cpu_rate", path, dot);
}

/* Most pools say little: the path of a section is made where there is one. */
static void check_sections(const struct jp_pool_spec *spec, const cJSON *object, const char *path, struct jp_faults *faults) {
    static const struct jp_security none;
    char *inner;
    if (spec->limits.present) {
        inner = inner_path(path, "limits");
        check_limits(&spec->limits, child(object, "limits"), inner, faults);
        jp_free(inner);
    }
    if (memcmp(&spec->security, &none, sizeof none) != 0) {
        inner = inner_path(path, "security");
        check_security(&spec->security, child(object, "security"), inner, faults);
        jp_free(inner);
    }
    if (jp_access_given(&spec->access)) {
        inner = inner_path(path, "access");
        jp_access_check(&spec->access, child(object, "access"), inner, faults);
        jp_free(inner);
    }
}

bool jp_pool_spec_check(const struct jp_pool_spec *spec, const cJSON *object, const char *path, struct jp_faults *faults) {
    size_t before = faults->count;
    const char *dot = *path ? "." : "";
    check_sections(spec, object, path, faults);
    if (spec->ui && spec->parent)
        jp_faults_add(faults, child(object, "ui"), false,
                      "%s%sui: Windows nests no job objects that have UI limits, so ui and parent exclude each other", path, dot);
    if (spec->limits.kill_on_close && (spec->present & JP_SCHEMA_BIT(JP_POOL_ON_SERVICE_STOP)) &&
        spec->on_service_stop == JP_ON_STOP_KEEP)
        jp_faults_add(faults, child(object, "on_service_stop"), false,
                      "%s%son_service_stop: \"keep\" and limits.kill_on_close exclude each other", path, dot);
    if (spec->object_name && !object_name_valid(spec->object_name))
        jp_faults_add(faults, child(object, "object_name"), false,
                      "%s%sobject_name: only \"Global\\\" or \"Local\\\" may stand before a name without backslashes", path, dot);
    if (spec->parent && !jp_pool_name_valid(spec->parent))
        jp_faults_add(faults, child(object, "parent"), false, "%s%sparent: not the name of a pool", path, dot);
    check_policy(spec, object, path, dot, faults);
    return faults->count == before;
}

uint64_t jp_pool_spec_wait_timeout(const struct jp_pool_spec *spec) {
    return spec->present & JP_SCHEMA_BIT(JP_POOL_WAIT_TIMEOUT) ? spec->wait_timeout_100ns : UINT64_C(60) * JP_100NS_PER_S;
}

jp_status jp_processor_group_parse(const char *text, uint16_t *ret_group, uint64_t *ret_mask, struct jp_error *error) {
    const char *colon = strchr(text, ':');
    char *number = colon ? jp_strndup(text, (size_t)(colon - text)) : jp_strdup(text);
    uint64_t group = 0, mask = 0;
    jp_status status = jp_u64_parse(number, &group, error);
    if (status || group > UINT16_MAX)
        status = jp_fail(error, JP_E_PARAMS, "\"%.40s\" is not a processor group; write for example \"1\" or \"1:0-3\"", text);
    else if (colon)
        status = jp_affinity_parse(colon + 1, &mask, error);
    jp_free(number);
    if (status)
        return status;
    *ret_group = (uint16_t)group;
    *ret_mask = mask;
    return JP_OK;
}
