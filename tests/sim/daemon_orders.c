/* The orders that the kernel carries out: what processes do, faults, and the truth. One table; a handler reads `in` and fills
 * `out`. Pids are looked at first: the kernel ends the program over one that never was. */
#include "daemon_sim.h"

#include "base/units.h"

#include <stdio.h>
#include <string.h>

void jp_simd_refuse(cJSON *out, const char *format, ...) {
    va_list arguments;
    struct jp_str text = {0};
    va_start(arguments, format);
    jp_str_vprintf(&text, format, arguments);
    va_end(arguments);
    cJSON_DeleteItemFromObject(out, "error");
    cJSON_AddStringToObject(out, "error", jp_str_text(&text));
    jp_str_free(&text);
}

uint64_t jp_simd_number(const cJSON *in, const char *name, uint64_t otherwise) {
    uint64_t value;
    return jp_json_get_u64(cJSON_GetObjectItem(in, name), &value) ? value : otherwise;
}

static uint32_t number(const cJSON *in, const char *name) { return (uint32_t)jp_simd_number(in, name, 0); }
static unsigned per_mille(const cJSON *in, const char *name) { return (unsigned)jp_simd_number(in, name, 0); }
static bool truth(const cJSON *in, const char *name) { return cJSON_IsTrue(cJSON_GetObjectItem(in, name)); }
static const char *text(const cJSON *in, const char *name) { return cJSON_GetStringValue(cJSON_GetObjectItem(in, name)); }

/* As the pipe writes them. */
static void add_identity(cJSON *out, uint32_t pid, int64_t start_100ns) {
    char start[32];
    snprintf(start, sizeof start, "%lld", (long long)start_100ns);
    jp_json_add_u64(out, "pid", pid);
    cJSON_AddStringToObject(out, "startTime", start);
}

/* The pid of a living process, or 0 with the refusal said. */
static uint32_t living(struct jp_sim *sim, const cJSON *in, cJSON *out) {
    uint32_t pid = number(in, "pid");
    if (jp_sim_alive(sim, pid))
        return pid;
    jp_simd_refuse(out, "no process %u lives", (unsigned)pid);
    return 0;
}

/* A name that must be there, or NULL with the refusal said. */
static const char *named(const cJSON *in, const char *name, cJSON *out) {
    const char *value = text(in, name);
    if (!value)
        jp_simd_refuse(out, "\"%s\" is missing", name);
    return value;
}

static struct jp_principal principal(const cJSON *in) {
    struct jp_principal who = {.session = (uint32_t)jp_simd_number(in, "session", 1), .admin = truth(in, "admin"),
                               .restricted = truth(in, "restricted"), .elevated = truth(in, "elevated"), .system = truth(in, "system"),
                               .level = truth(in, "identify") ? JP_SIM_IDENTIFY : JP_SIM_IMPERSONATE, .service = truth(in, "service"),
                               .network = truth(in, "network"), .only_denies = truth(in, "onlyDenies")};
    snprintf(who.user, sizeof who.user, "%s", text(in, "user") ? text(in, "user") : "SIM\\user");
    snprintf(who.groups, sizeof who.groups, "%s", text(in, "groups") ? text(in, "groups") : "");
    return who;
}

static void add_token(cJSON *out, const struct jp_principal *who) {
    cJSON *token = cJSON_AddObjectToObject(out, "token");
    cJSON_AddStringToObject(token, "user", who->user);
    jp_json_add_u64(token, "session", who->session);
    cJSON_AddBoolToObject(token, "admin", who->admin);
    cJSON_AddBoolToObject(token, "restricted", who->restricted);
    cJSON_AddBoolToObject(token, "system", who->system);
    jp_json_add_u64(token, "disabledSids", who->disabled_sids);
    jp_json_add_u64(token, "deletedPrivileges", who->deleted_privileges);
    jp_json_add_u64(token, "restrictedSids", who->restricted_sids);
}

/* --- who the next clients are --- */

static void as(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    (void)out;
    jp_simd_accept(simd); /* those who connected before this are who they were */
    simd->next_client = (struct jp_simd_client){.who = principal(in), .nobody = truth(in, "nobody"), .pid = number(in, "pid")};
}

/* --- processes --- */

static void spawn(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    const cJSON *token = cJSON_GetObjectItem(in, "token");
    struct jp_principal who = principal(token);
    uint32_t parent = number(in, "parent"), pid = 0;
    if (parent && !jp_sim_alive(simd->sim, parent)) {
        jp_simd_refuse(out, "no process %u lives", (unsigned)parent);
        return;
    }
    struct jp_sim_child child = {.parent = parent, .image = text(in, "image") ? text(in, "image") : "tool.exe", .breakaway = truth(in, "breakaway"),
                                 .suspended = truth(in, "suspended"), .token = token ? &who : NULL, .held = truth(in, "held"),
                                 .folder = text(in, "folder"), .command_line = text(in, "commandLine")};
    uint32_t win32 = jp_sim_spawn_child(simd->sim, &child, &pid);
    if (win32) {
        jp_simd_refuse(out, "CreateProcess failed with %u", (unsigned)win32);
        jp_json_add_u64(out, "win32", win32);
        return;
    }
    add_identity(out, pid, jp_sim_start_time(simd->sim, pid));
}

static void exit_process(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    uint32_t pid = living(simd->sim, in, out);
    if (pid)
        jp_sim_exit(simd->sim, pid, number(in, "code"));
}

static void burn(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    uint32_t pid = living(simd->sim, in, out);
    uint64_t kernel = jp_simd_number(in, "kernel100ns", 0), user = jp_simd_number(in, "user100ns", 0);
    if (!pid)
        return;
    bool burnt = !kernel || jp_sim_grow_kernel(simd->sim, pid, kernel);
    burnt = (!user || jp_sim_grow_usage(simd->sim, pid, user)) && burnt;
    cJSON_AddBoolToObject(out, "burnt", burnt);
}

static void commit(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    uint32_t pid = living(simd->sim, in, out);
    if (pid)
        cJSON_AddBoolToObject(out, "committed", jp_sim_commit(simd->sim, pid, jp_simd_number(in, "bytes", 0)));
}

static void decommit(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    uint32_t pid = living(simd->sim, in, out);
    if (pid)
        jp_sim_decommit(simd->sim, pid, jp_simd_number(in, "bytes", 0));
}

static void io(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    uint32_t pid = living(simd->sim, in, out);
    if (pid && jp_simd_number(in, "read", 0))
        jp_sim_read(simd->sim, pid, jp_simd_number(in, "read", 0));
    if (pid && jp_simd_number(in, "write", 0))
        jp_sim_write(simd->sim, pid, jp_simd_number(in, "write", 0));
}

static void overrun(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    uint32_t pid = living(simd->sim, in, out);
    if (pid)
        jp_sim_overrun(simd->sim, pid, number(in, "flag"), number(in, "tolerance"), number(in, "interval"));
}

static void ask(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    uint32_t pid = living(simd->sim, in, out);
    if (pid && cJSON_HasObjectItem(in, "priority"))
        jp_sim_ask_priority(simd->sim, pid, number(in, "priority"));
    if (pid && cJSON_HasObjectItem(in, "affinity"))
        jp_sim_ask_affinity(simd->sim, pid, jp_simd_number(in, "affinity", 0));
    if (pid && cJSON_HasObjectItem(in, "workingSetMax"))
        jp_sim_ask_working_set(simd->sim, pid, jp_simd_number(in, "workingSetMin", 0), jp_simd_number(in, "workingSetMax", 0));
}

static void page_out(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    uint32_t pid = living(simd->sim, in, out);
    if (pid)
        jp_sim_page_out(simd->sim, pid, jp_simd_number(in, "bytes", 0));
}

/* "afterMs" missing: it is asked, and does not listen. */
static void obeys(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    uint32_t pid = living(simd->sim, in, out);
    if (pid)
        jp_sim_obeys(simd->sim, pid, jp_simd_number(in, "afterMs", JP_SIM_NEVER), number(in, "code"));
}

static void debug(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    uint32_t pid = living(simd->sim, in, out);
    if (pid)
        jp_sim_debug(simd->sim, pid, !cJSON_IsFalse(cJSON_GetObjectItem(in, "debugged")));
}

static void critical(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    uint32_t pid = living(simd->sim, in, out);
    if (pid)
        jp_sim_critical(simd->sim, pid);
}

static void protect(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    uint32_t pid = living(simd->sim, in, out);
    if (pid)
        jp_sim_protect(simd->sim, pid);
}

static void next_pid(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    (void)out;
    jp_sim_next_pid(simd->sim, number(in, "pid"));
}

static void let_go(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    (void)out;
    jp_sim_let_go(simd->sim, number(in, "pid"));
}

/* --- messages --- */

static void queue(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    (void)in;
    size_t count;
    const struct jp_sim_item *items = jp_sim_queue(simd->sim, &count);
    cJSON *list = cJSON_AddArrayToObject(out, "items");
    for (size_t i = 0; i < count; i++) {
        cJSON *item = cJSON_CreateObject();
        jp_json_add_u64(item, "key", items[i].key);
        jp_json_add_u64(item, "message", items[i].message);
        jp_json_add_u64(item, "pid", items[i].pid);
        jp_json_add_u64(item, "dueMs", items[i].due_ms);
        cJSON_AddItemToArray(list, item);
    }
}

/* What waits, as a test wants it: less (lost), more (doubled), in another order. */
static void queue_set(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    const cJSON *list = cJSON_GetObjectItem(in, "items"), *item;
    size_t count = 0;
    struct jp_sim_item *items = jp_realloc_array(NULL, (size_t)cJSON_GetArraySize(list) + 1, sizeof *items);
    (void)out;
    cJSON_ArrayForEach(item, list) items[count++] = (struct jp_sim_item){
        .key = jp_simd_number(item, "key", 0), .message = number(item, "message"), .pid = number(item, "pid"), .due_ms = jp_simd_number(item, "dueMs", 0)};
    jp_sim_queue_set(simd->sim, items, count);
    jp_free(items);
}

static void lose(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    (void)out;
    jp_sim_queue_drop(simd->sim, number(in, "message"));
}

static void weather(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    (void)out;
    struct jp_sim_weather sky = {.lose_per_mille = per_mille(in, "lose"), .double_per_mille = per_mille(in, "double"),
                                 .delay_per_mille = per_mille(in, "delay"), .swap_per_mille = per_mille(in, "swap"),
                                 .delay_ms = jp_simd_number(in, "delayMs", 100)};
    jp_sim_weather(simd->sim, &sky);
}

/* --- what fails, and what this Windows is like --- */

static void fail_next(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    const char *operation = named(in, "operation", out);
    if (operation)
        jp_sim_fail_next(simd->sim, operation, (uint32_t)jp_simd_number(in, "win32", 5));
}

static void fail_often(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    (void)out;
    jp_sim_fail_often(simd->sim, text(in, "operation"), (uint32_t)jp_simd_number(in, "win32", 1450), per_mille(in, "perMille"));
}

static void disk(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    (void)simd;
    (void)out;
    jp_simd_disk_full(truth(in, "full"));
}

static void die_at_write(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    (void)out;
    jp_simd_die_at(simd, jp_simd_number(in, "writes", 1), truth(in, "powerCut"), jp_simd_number(in, "seed", 1));
}

static void deaf(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    (void)out;
    jp_sim_deaf(simd->sim, truth(in, "deaf"));
}

static void reuse_pids(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    (void)out;
    jp_sim_reuse_pids(simd->sim, truth(in, "atOnce"));
}

static void in_step(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    (void)in;
    (void)out;
    simd->in_step = true;
}

static void slow_ends(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    (void)out;
    jp_sim_slow_ends(simd->sim, jp_simd_number(in, "ms", 0));
}

static void names_die(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    (void)in;
    (void)out;
    jp_sim_names_die(simd->sim);
}

/* "flags": of LIMIT_*, or all that a job can have but what keeps a hierarchy in its job. */
static void forget_limits(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    const uint32_t kept = JP_JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JP_JOB_OBJECT_LIMIT_BREAKAWAY_OK | JP_JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
    (void)out;
    jp_sim_forget_limits(simd->sim, (uint32_t)jp_simd_number(in, "flags", ~kept));
}

static void sleep_for(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    (void)out;
    jp_sim_sleep(simd->sim, jp_simd_number(in, "ms", 0));
}

static void shift_clock(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    double ms = cJSON_GetNumberValue(cJSON_GetObjectItem(in, "ms")); /* may be negative */
    if (!(ms > -1e12 && ms < 1e12))
        jp_simd_refuse(out, "too far");
    else
        jp_sim_shift_clock(simd->sim, (int64_t)ms);
}

static void like_wine(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    (void)in;
    (void)out;
    jp_sim_like_wine(simd->sim);
}

static void groups(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    const cJSON *mask;
    uint64_t masks[4];
    size_t count = 0;
    (void)out;
    cJSON_ArrayForEach(mask, cJSON_GetObjectItem(in, "masks")) if (count < 4 && jp_json_get_u64(mask, &masks[count])) count++;
    jp_sim_groups(simd->sim, masks, count);
}

static void lack_class(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    (void)out;
    jp_sim_lack_class(simd->sim, (enum jp_job_class)number(in, "class"));
}

static void squat(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    const char *name = named(in, "name", out);
    if (name)
        jp_sim_squat(simd->sim, name);
}

static void take_name(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    const char *name = named(in, "name", out);
    if (name)
        jp_sim_take_name(simd->sim, name);
}

static void hold_job(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    const char *name = named(in, "name", out);
    if (name)
        jp_sim_hold_job(simd->sim, name, !cJSON_IsFalse(cJSON_GetObjectItem(in, "hold")));
}

/* --- the truth --- */

static const char *const ends[] = {
    [JP_SIM_ALIVE] = "alive",           [JP_SIM_EXITED] = "exited",           [JP_SIM_TERMINATED] = "terminated",
    [JP_SIM_JOB_ENDED] = "job_ended",   [JP_SIM_JOB_CLOSED] = "job_closed",   [JP_SIM_JOB_TIME_UP] = "job_time_up",
    [JP_SIM_PROCESS_TIME_UP] = "process_time_up", [JP_SIM_REFUSED] = "refused",
};

static cJSON *fate_as_json(const struct jp_sim_fate *fate) {
    cJSON *row = cJSON_CreateObject();
    add_identity(row, fate->pid, fate->start_100ns);
    cJSON_AddStringToObject(row, "end", ends[fate->end]);
    jp_json_add_u64(row, "exitCode", fate->exit_code);
    cJSON_AddBoolToObject(row, "wasInJob", fate->was_in_job);
    return row;
}

static void fates(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    size_t count;
    const struct jp_sim_fate *all = jp_sim_fates(simd->sim, &count);
    cJSON *list = cJSON_AddArrayToObject(out, "fates");
    for (size_t i = (size_t)jp_simd_number(in, "from", 0); i < count; i++)
        cJSON_AddItemToArray(list, fate_as_json(&all[i]));
}

static void fate(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    struct jp_sim_fate one;
    uint64_t start = jp_simd_number(in, "startTime", 0);
    if (jp_sim_fate(simd->sim, number(in, "pid"), (int64_t)start, &one))
        cJSON_AddItemToObject(out, "fate", fate_as_json(&one));
    else
        jp_simd_refuse(out, "there never was such a process");
}

static void add_limits(cJSON *out, const char *name, const struct jp_job_extended_limits *limits) {
    cJSON *object = cJSON_AddObjectToObject(out, name);
    jp_json_add_u64(object, "flags", limits->basic.limit_flags);
    jp_json_add_u64(object, "processTime", limits->basic.per_process_user_time_limit_100ns);
    jp_json_add_u64(object, "jobTime", limits->basic.per_job_user_time_limit_100ns);
    jp_json_add_u64(object, "minimumWorkingSet", limits->basic.minimum_working_set_bytes);
    jp_json_add_u64(object, "maximumWorkingSet", limits->basic.maximum_working_set_bytes);
    jp_json_add_u64(object, "activeProcesses", limits->basic.active_process_limit);
    jp_json_add_u64(object, "affinity", limits->basic.affinity);
    jp_json_add_u64(object, "priorityClass", limits->basic.priority_class);
    jp_json_add_u64(object, "schedulingClass", limits->basic.scheduling_class);
    jp_json_add_u64(object, "processMemory", limits->process_memory_limit_bytes);
    jp_json_add_u64(object, "jobMemory", limits->job_memory_limit_bytes);
    jp_json_add_u64(object, "peakProcessMemory", limits->peak_process_memory_bytes);
    jp_json_add_u64(object, "peakJobMemory", limits->peak_job_memory_bytes);
}

static void add_accounting(cJSON *out, const struct jp_job_accounting_and_io *accounting) {
    cJSON *object = cJSON_AddObjectToObject(out, "accounting");
    jp_json_add_u64(object, "userTime", accounting->basic.total_user_time_100ns);
    jp_json_add_u64(object, "kernelTime", accounting->basic.total_kernel_time_100ns);
    jp_json_add_u64(object, "periodUserTime", accounting->basic.this_period_total_user_time_100ns);
    jp_json_add_u64(object, "total", accounting->basic.total_processes);
    jp_json_add_u64(object, "active", accounting->basic.active_processes);
    jp_json_add_u64(object, "terminated", accounting->basic.total_terminated_processes);
    jp_json_add_u64(object, "readBytes", accounting->io.read_transfer_bytes);
    jp_json_add_u64(object, "writeBytes", accounting->io.write_transfer_bytes);
}

static void job(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    const char *name = named(in, "name", out);
    struct jp_job_accounting_and_io accounting;
    struct jp_job_extended_limits limits;
    size_t count = name ? jp_sim_job_size(simd->sim, name) : 0;
    if (!name)
        return;
    cJSON_AddBoolToObject(out, "exists", count != SIZE_MAX);
    if (count == SIZE_MAX)
        return;
    count = jp_sim_job_pids(simd->sim, name, NULL, 0);
    uint32_t *pids = jp_realloc_array(NULL, count + 1, sizeof *pids);
    count = jp_sim_job_pids(simd->sim, name, pids, count);
    cJSON *list = cJSON_AddArrayToObject(out, "pids");
    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(list, jp_json_u64(pids[i]));
    jp_free(pids);
    if (jp_sim_job_accounting(simd->sim, name, &accounting))
        add_accounting(out, &accounting);
    if (jp_sim_job_limits(simd->sim, name, &limits))
        add_limits(out, "limits", &limits);
    jp_json_add_u64(out, "ui", jp_sim_job_ui(simd->sim, name));
    jp_json_add_u64(out, "grants", jp_sim_grants(simd->sim, name));
}

static void add_files(cJSON *out, const struct jp_sim *sim, uint32_t pid) {
    const struct jp_launch_files *files = jp_sim_files(sim, pid);
    if (files->input)
        cJSON_AddStringToObject(out, "stdin", files->input);
    if (files->output)
        cJSON_AddStringToObject(out, "stdout", files->output);
    if (files->error)
        cJSON_AddStringToObject(out, "stderr", files->error);
    cJSON_AddBoolToObject(out, "append", files->append);
    if (jp_sim_opened_as(sim, pid))
        cJSON_AddStringToObject(out, "openedAs", jp_sim_opened_as(sim, pid));
}

static void process(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    uint32_t pid = living(simd->sim, in, out);
    struct jp_job_extended_limits effective;
    uint64_t least, most;
    if (!pid)
        return;
    add_identity(out, pid, jp_sim_start_time(simd->sim, pid));
    cJSON_AddBoolToObject(out, "suspended", jp_sim_suspended(simd->sim, pid));
    jp_json_add_u64(out, "frozen", jp_sim_frozen(simd->sim, pid));
    jp_json_add_u64(out, "asked", jp_sim_asked(simd->sim, pid));
    cJSON_AddBoolToObject(out, "errorMode", jp_sim_error_mode(simd->sim, pid));
    jp_json_add_u64(out, "userTime", jp_sim_user_time(simd->sim, pid));
    jp_json_add_u64(out, "priority", jp_sim_priority(simd->sim, pid));
    jp_json_add_u64(out, "affinity", jp_sim_affinity(simd->sim, pid));
    jp_sim_working_set(simd->sim, pid, &least, &most);
    jp_json_add_u64(out, "workingSetMin", least);
    jp_json_add_u64(out, "workingSetMax", most);
    add_token(out, jp_sim_token(simd->sim, pid));
    add_files(out, simd->sim, pid);
    jp_sim_effective(simd->sim, pid, &effective);
    add_limits(out, "effective", &effective);
    if (text(in, "job"))
        cJSON_AddBoolToObject(out, "inJob", jp_sim_in_job(simd->sim, pid, text(in, "job")));
}

/* The living keepers, and what each holds; "exit" kills one. */
static void keepers(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    cJSON *list = cJSON_AddArrayToObject(out, "keepers");
    size_t count = jp_sim_keepers(simd->sim, NULL, 0);
    uint32_t *pids = jp_realloc_array(NULL, count + 1, sizeof *pids);
    (void)in;
    count = jp_sim_keepers(simd->sim, pids, count);
    for (size_t i = 0; i < count; i++) {
        cJSON *row = cJSON_CreateObject();
        add_identity(row, pids[i], jp_sim_start_time(simd->sim, pids[i]));
        cJSON *jobs = cJSON_AddArrayToObject(row, "jobs");
        size_t held = jp_sim_kept_jobs(simd->sim, pids[i], NULL, 0);
        const char **names = jp_realloc_array(NULL, held + 1, sizeof *names);
        jp_sim_kept_jobs(simd->sim, pids[i], names, held);
        for (size_t k = 0; k < held; k++)
            cJSON_AddItemToArray(jobs, cJSON_CreateString(names[k] ? names[k] : ""));
        jp_free(names);
        cJSON_AddItemToArray(list, row);
    }
    jp_free(pids);
}

/* The living, and which of these jobs each is in. */
static void census(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    const cJSON *jobs = cJSON_GetObjectItem(in, "jobs"), *name;
    size_t count;
    const struct jp_sim_fate *all = jp_sim_fates(simd->sim, &count);
    cJSON *list = cJSON_AddArrayToObject(out, "living");
    for (size_t i = 0; i < count; i++) {
        if (all[i].end != JP_SIM_ALIVE)
            continue;
        cJSON *row = cJSON_CreateObject();
        add_identity(row, all[i].pid, all[i].start_100ns);
        cJSON *inside = cJSON_AddArrayToObject(row, "in");
        cJSON_ArrayForEach(name, jobs) cJSON_AddItemToArray(inside, cJSON_CreateBool(jp_sim_in_job(simd->sim, all[i].pid, name->valuestring)));
        jp_json_add_u64(row, "frozen", jp_sim_frozen(simd->sim, all[i].pid));
        cJSON_AddItemToArray(list, row);
    }
}

static void now(struct jp_simd *simd, const cJSON *in, cJSON *out) {
    (void)in;
    jp_json_add_u64(out, "ms", jp_sim_now_ms(simd->sim));
    jp_json_add_time(out, "time", jp_sim_now_100ns(simd->sim));
    jp_json_add_u64(out, "awakeMs", jp_sim_awake_ms(simd->sim));
    jp_json_add_u64(out, "due", jp_sim_due(simd->sim));
    jp_json_add_u64(out, "samples", jp_sim_sample_count(simd->sim));
    jp_json_add_u64(out, "idleThaws", jp_sim_idle_thaws(simd->sim));
}

/* --- the table --- */

typedef void order_fn(struct jp_simd *simd, const cJSON *in, cJSON *out);

static const struct {
    const char *what;
    order_fn *act;
} orders[] = {
    {"as", as},
    {"spawn", spawn},       {"exit", exit_process}, {"burn", burn},             {"commit", commit},     {"decommit", decommit},
    {"io", io},             {"overrun", overrun},   {"ask", ask},               {"protect", protect},   {"next_pid", next_pid},
    {"let_go", let_go},     {"queue", queue},       {"queue_set", queue_set},   {"lose", lose},         {"weather", weather},
    {"fail_next", fail_next}, {"fail_often", fail_often}, {"disk", disk},       {"die_at_write", die_at_write}, {"deaf", deaf},         {"reuse_pids", reuse_pids},
    {"slow_ends", slow_ends}, {"names_die", names_die}, {"like_wine", like_wine}, {"groups", groups},   {"lack_class", lack_class},
    {"squat", squat},       {"take_name", take_name}, {"hold_job", hold_job},   {"fates", fates},       {"fate", fate},
    {"job", job},           {"process", process},   {"census", census},         {"now", now},           {"page_out", page_out},
    {"obeys", obeys},       {"debug", debug},       {"critical", critical},     {"forget_limits", forget_limits},
    {"sleep", sleep_for},   {"shift_clock", shift_clock}, {"keepers", keepers},         {"in_step", in_step},
};

struct errand {
    order_fn *act;
    const cJSON *in;
    cJSON *out;
};

static void carry_out(struct jp_simd *simd, void *argument) {
    const struct errand *errand = argument;
    errand->act(simd, errand->in, errand->out);
}

bool jp_simd_order(struct jp_simd *simd, const char *what, const cJSON *in, cJSON *out) {
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (strcmp(orders[i].what, what) == 0) {
            struct errand errand = {orders[i].act, in, out};
            if (!jp_simd_run(simd, carry_out, &errand))
                jp_simd_refuse(out, "the daemon has ended");
            return true;
        }
    return false;
}
