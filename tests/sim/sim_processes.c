/* Processes: how they come, whom they belong to, what their handles tell, and the record of all that ever were. */
#include "sim_internal.h"

enum { FIRST_PID = 100, PID_STEP = 4 };

struct sim_process *jp__find(const struct jp_sim *sim, uint32_t pid) { return jp_map_get_u64(&sim->by_pid, pid); }

struct sim_process *jp__known(const struct jp_sim *sim, uint32_t pid) {
    struct sim_process *process = jp__find(sim, pid);
    if (!process) {
        fprintf(stderr, "simulated kernel: there is no process %u\n", (unsigned)pid);
        abort();
    }
    return process;
}

/* --- coming --- */

static uint32_t free_pid(struct jp_sim *sim) {
    if (sim->reuse_pids && sim->freed_pid && !jp__find(sim, sim->freed_pid)) {
        uint32_t pid = sim->freed_pid;
        sim->freed_pid = 0;
        return pid;
    }
    while (jp__find(sim, sim->next_pid) || sim->next_pid < FIRST_PID)
        sim->next_pid = sim->next_pid < FIRST_PID ? FIRST_PID : sim->next_pid + PID_STEP;
    uint32_t pid = sim->next_pid;
    sim->next_pid += PID_STEP;
    return pid;
}

static void add_row(struct jp_sim *sim, struct sim_process *process) {
    if (sim->process_count == sim->process_room) {
        sim->process_room = sim->process_room ? 2 * sim->process_room : 256;
        sim->processes = jp_realloc_array(sim->processes, sim->process_room, sizeof *sim->processes);
    }
    process->row = sim->process_count;
    sim->processes[sim->process_count++] = process;
    jp_map_put_u64(&sim->by_pid, process->pid, process);
}

static void add_fate(struct jp_sim *sim, struct sim_process *process) {
    if (sim->fate_count == sim->fate_room) {
        sim->fate_room = sim->fate_room ? 2 * sim->fate_room : 256;
        sim->fates = jp_realloc_array(sim->fates, sim->fate_room, sizeof *sim->fates);
    }
    process->fate = sim->fate_count;
    sim->fates[sim->fate_count++] = (struct jp_sim_fate){.pid = process->pid, .start_100ns = process->start_100ns};
}

struct sim_process *jp__new_process(struct jp_sim *sim, uint32_t parent, const char *image, const struct jp_principal *token) {
    struct sim_process *process = jp_alloc(sizeof *process);
    process->sim = sim;
    process->pid = free_pid(sim);
    process->parent_pid = parent;
    process->start_100ns = jp_sim_now_100ns(sim) + (int64_t)++sim->born; /* two of one moment differ */
    process->alive = true;
    process->priority = JP_JOB_NORMAL_PRIORITY_CLASS;
    process->image = jp_strdup(image);
    process->folder = jp_strdup("C:\\sim");
    process->command_line = jp_strdup(image);
    process->token = *token;
    process->token.level = JP_SIM_IMPERSONATE;
    add_row(sim, process);
    add_fate(sim, process);
    return process;
}

static bool may_break_away(const struct sim_job *job, bool asked) {
    uint32_t flags = job->limits.basic.limit_flags;
    return flags & JP_JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK || (asked && flags & JP_JOB_OBJECT_LIMIT_BREAKAWAY_OK);
}

/* How many jobs of the parent's chain, from the outermost, the child will be in. */
static size_t kept_depth(const struct sim_process *parent, bool breakaway) {
    size_t depth = parent->depth;
    while (depth && may_break_away(parent->chain[depth - 1], breakaway))
        depth--;
    return depth;
}

/* 0, or why CreateProcess fails. */
static uint32_t inherit(const struct sim_process *parent, bool breakaway, size_t *ret_depth) {
    *ret_depth = kept_depth(parent, breakaway);
    if (breakaway && parent->depth && *ret_depth == parent->depth)
        return WIN32_ACCESS_DENIED;
    for (size_t i = 0; i < *ret_depth; i++) {
        uint32_t win32 = jp__room(parent->chain[i]);
        if (win32)
            return win32;
    }
    return 0;
}

static void replace_text(char **text, const char *by) {
    if (!by)
        return;
    jp_free(*text);
    *text = jp_strdup(by);
}

uint32_t jp_sim_spawn_child(struct jp_sim *sim, const struct jp_sim_child *child, uint32_t *ret_pid) {
    struct jp_principal token = {.user = "SIM\\user", .session = 1};
    struct sim_process *parent = child->parent ? jp__find(sim, child->parent) : NULL;
    size_t depth = 0;
    uint32_t win32 = parent ? inherit(parent, child->breakaway, &depth) : 0;
    if (win32)
        return win32;
    if (child->token)
        token = *child->token;
    else if (parent)
        token = parent->token;
    if (strcmp(child->image, "admin.exe") == 0)
        token.admin = true;
    struct sim_process *process = jp__new_process(sim, child->parent, child->image, &token);
    process->suspended = child->suspended;
    process->handles = process->others_handles = child->held;
    process->no_error_dialogs = parent && parent->no_error_dialogs;
    replace_text(&process->folder, child->folder);
    replace_text(&process->command_line, child->command_line);
    *ret_pid = process->pid;
    for (size_t i = 0; i < depth; i++)
        jp__enter(process, parent->chain[i]);
    return 0;
}

uint32_t jp_sim_spawn(struct jp_sim *sim, uint32_t parent, const char *image) {
    uint32_t pid, win32 = jp_sim_spawn_child(sim, &(struct jp_sim_child){.parent = parent, .image = image}, &pid);
    if (win32) {
        fprintf(stderr, "simulated kernel: %u cannot start %s: error %u\n", (unsigned)parent, image, (unsigned)win32);
        abort();
    }
    return pid;
}

uint32_t jp_sim_spawn_unborn(struct jp_sim *sim, uint32_t parent, const char *image) {
    uint32_t pid = jp_sim_spawn(sim, parent, image);
    jp__known(sim, pid)->unborn = true;
    return pid;
}

void jp_sim_bear(struct jp_sim *sim, uint32_t pid) { jp__known(sim, pid)->unborn = false; }

/* --- going --- */

void jp__free_process(struct sim_process *process) {
    jp_free(process->image);
    jp_free(process->folder);
    jp_free(process->command_line);
    jp_free(process->files.input);
    jp_free(process->files.output);
    jp_free(process->files.error);
    jp_free(process->opened_as);
    jp__keeper_free(process->keeper);
    jp_free(process);
}

void jp__gone(struct sim_process *process) {
    struct jp_sim *sim = process->sim;
    if (process->alive || process->handles)
        return;
    struct sim_job *refused_by = process->refused_by;
    struct sim_process *last = sim->processes[--sim->process_count];
    sim->processes[process->row] = last;
    last->row = process->row;
    jp_map_remove_u64(&sim->by_pid, process->pid);
    sim->freed_pid = process->pid;
    jp__free_process(process);
    if (refused_by && --refused_by->sum.basic.active_processes == 0)
        jp__post(sim, refused_by->key, JP_MSG_ACTIVE_PROCESS_ZERO, 0);
}

void jp__release(struct sim_process *process) {
    process->handles--;
    jp__gone(process);
}

void jp_sim_exit(struct jp_sim *sim, uint32_t pid, uint32_t exit_code) { jp__end(jp__known(sim, pid), exit_code, JP_SIM_EXITED); }

void jp_sim_let_go(struct jp_sim *sim, uint32_t pid) {
    struct sim_process *process = jp__known(sim, pid);
    if (!process->others_handles)
        abort();
    process->others_handles--;
    jp__release(process);
}

void jp__tell_watches(struct sim_process *process) {
    size_t left = process->handles - process->others_handles - 1; /* less jp__end's own: then there is none further back */
    for (const struct jp_process *handle = process->sim->process_handles; handle && left; handle = handle->next) {
        left -= handle->process == process;
        if (handle->process == process && handle->watch)
            jp__post(process->sim, handle->watch, 0, 0);
    }
}

/* --- handles --- */

struct jp_process *jp__process_handle(struct sim_process *process, unsigned rights) {
    struct jp_sim *sim = process->sim;
    struct jp_process *handle = jp_alloc(sizeof *handle);
    *handle = (struct jp_process){.sim = sim, .process = process, .next = sim->process_handles, .rights = rights};
    if (handle->next)
        handle->next->previous = handle;
    sim->process_handles = handle;
    process->handles++;
    return handle;
}

void jp__process_close(struct jp_process *handle) {
    if (!handle)
        return;
    struct jp_sim *sim = handle->sim;
    if (handle->next)
        handle->next->previous = handle->previous;
    *(handle->previous ? &handle->previous->next : handle->process ? &sim->process_handles : &sim->dead_process_handles) = handle->next;
    if (handle->process)
        jp__release(handle->process);
    jp_free(handle);
}

jp_status jp__process_open(struct jp_backend *backend, uint32_t pid, int64_t start_100ns, enum jp_process_use use,
                           struct jp_principal *principal, struct jp_process **ret_process, struct jp_error *error) {
    static const unsigned rights_for[] = {[JP_PROCESS_OBSERVE] = 0,
                                          [JP_PROCESS_ASSIGN] = SIM_MAY_ASSIGN | SIM_MAY_TERMINATE,
                                          [JP_PROCESS_TERMINATE] = SIM_MAY_TERMINATE,
                                          [JP_PROCESS_CONTROL] = SIM_MAY_TERMINATE | SIM_MAY_CONTROL};
    struct jp_sim *sim = jp__sim(backend);
    if (jp__fails(sim, "OpenProcess", error))
        return error->status;
    struct sim_process *process = jp__find(sim, pid);
    if (!process)
        return jp_fail(error, JP_E_NO_PROCESS, "there is no process %u", (unsigned)pid);
    if (use != JP_PROCESS_OBSERVE && jp__keeper_serves(process))
        return jp_fail(error, JP_E_DENIED, "process %u is the service's own keeper", (unsigned)pid);
    if (!jp__may_open(sim, principal, process))
        return jp_fail_win32(error, JP_E_DENIED, WIN32_ACCESS_DENIED, "OpenProcess", "%s cannot open process %u",
                             principal ? jp__who(sim, principal)->user : "the service", (unsigned)pid);
    if (start_100ns && process->start_100ns != start_100ns)
        return jp_fail(error, JP_E_OTHER_PROCESS, "process %u is another", (unsigned)pid);
    if (!process->alive && use != JP_PROCESS_OBSERVE)
        return jp_fail(error, JP_E_NO_PROCESS, "process %u has exited", (unsigned)pid);
    *ret_process = jp__process_handle(process, rights_for[use]);
    return JP_OK;
}

jp_status jp__dead_handle(struct jp_error *error, const char *operation) {
    return jp_fail_win32(error, JP_E_SYSTEM, WIN32_INVALID_HANDLE, operation, "the handle died with its owner");
}

jp_status jp__process_facts(struct jp_process *handle, struct jp_process_facts *ret_facts, struct jp_error *error) {
    const struct sim_process *process = handle->process;
    if (!process)
        return jp__dead_handle(error, "GetProcessTimes");
    *ret_facts = (struct jp_process_facts){.pid = process->pid,
                                           .start_100ns = process->unborn ? 0 : process->start_100ns,
                                           .parent_pid = process->parent_pid,
                                           .session = process->token.session,
                                           .image = process->unborn ? NULL : jp_sprintf("%s\\%s", process->folder, process->image),
                                           .command_line = jp_strdup(process->command_line),
                                           .user = jp_strdup(process->token.user)};
    return JP_OK;
}

void jp__process_usage(struct jp_process *handle, struct jp_usage *ret_usage) {
    const struct sim_process *process = handle->process;
    const struct jp_capabilities *host = &handle->sim->host;
    *ret_usage = (struct jp_usage){0};
    if (!process)
        return;
    *ret_usage = process->usage;
    ret_usage->known = 0;
    if (host->process_times)
        ret_usage->known |= JP_USAGE_CPU;
    else
        ret_usage->user_100ns = ret_usage->kernel_100ns = 0;
    if (process->usage.peak_commit_bytes && (process->alive || host->memory_after_exit))
        ret_usage->known |= JP_USAGE_MEMORY;
    else
        ret_usage->peak_commit_bytes = ret_usage->peak_working_set_bytes = 0;
    if (host->process_io)
        ret_usage->known |= JP_USAGE_IO;
    else
        ret_usage->read_operations = ret_usage->write_operations = ret_usage->other_operations = ret_usage->read_bytes =
            ret_usage->write_bytes = ret_usage->other_bytes = 0;
}

bool jp__process_exited(struct jp_process *handle, uint32_t *ret_exit_code) {
    if (!handle->process || handle->process->alive)
        return false;
    *ret_exit_code = handle->process->exit_code;
    return true;
}

jp_status jp__process_terminate(struct jp_process *handle, uint32_t exit_code, struct jp_error *error) {
    const char *operation = "TerminateProcess";
    struct sim_process *process = handle->process;
    if (jp__fails(handle->sim, operation, error))
        return error->status;
    if (!process)
        return jp__dead_handle(error, operation);
    if (!process->alive)
        return jp_fail(error, JP_E_NO_PROCESS, "process %u has exited", (unsigned)process->pid);
    if (!(handle->rights & SIM_MAY_TERMINATE))
        return jp_fail_win32(error, JP_E_DENIED, WIN32_ACCESS_DENIED, operation, "cannot terminate process %u", (unsigned)process->pid);
    jp__end(process, exit_code, JP_SIM_TERMINATED);
    return JP_OK;
}

jp_status jp__process_watch(struct jp_process *handle, uint64_t watch, struct jp_error *error) {
    const char *operation = "RegisterWaitForSingleObject";
    if (jp__fails(handle->sim, operation, error))
        return error->status;
    if (!handle->process)
        return jp__dead_handle(error, operation);
    handle->watch = watch;
    if (!handle->process->alive || handle->process->unborn)
        jp__post(handle->sim, watch, 0, 0);
    return JP_OK;
}

/* There are no files here; that they would be opened, and as whom, is written down. */
static jp_status open_files(struct jp_sim *sim, const struct jp_launch *launch, struct jp_launch_files *ret_files, struct jp_error *error) {
    struct jp_launch_files files = {.input = (char *)(uintptr_t)launch->input_file, .output = (char *)(uintptr_t)launch->output_file,
                                    .error = (char *)(uintptr_t)launch->error_file, .append = launch->append};
    if (jp_launch_files_check(&files, error))
        return error->status;
    if ((files.input || files.output || files.error) && jp__fails(sim, "CreateFile", error))
        return error->status;
    *ret_files = (struct jp_launch_files){.input = files.input ? jp_strdup(files.input) : NULL, .output = files.output ? jp_strdup(files.output) : NULL,
                                          .error = files.error ? jp_strdup(files.error) : NULL, .append = files.append};
    return JP_OK;
}

jp_status jp__process_launch(struct jp_backend *backend, const struct jp_launch *launch, struct jp_process **ret_process,
                             struct jp_error *error) {
    const char *operation = "CreateProcess";
    struct jp_sim *sim = jp__sim(backend);
    if (jp__fails(sim, operation, error))
        return error->status;
    struct jp_principal token = *jp__who(sim, launch->token ? launch->token : launch->principal);
    const struct jp_principal *opens = jp__who(sim, launch->run_as != JP_TOKEN_NONE ? launch->token : launch->principal);
    struct jp_launch_files files;
    if (token.level == JP_SIM_IDENTIFY || jp__who(sim, launch->principal)->level == JP_SIM_IDENTIFY)
        return jp_fail_win32(error, JP_E_DENIED, WIN32_BAD_IMPERSONATION_LEVEL, operation, "%s only identifies itself", token.user);
    if (launch->token)
        token.session = jp__who(sim, launch->principal)->session;
    if (open_files(sim, launch, &files, error))
        return error->status;
    if (launch->filter)
        jp__filter_token(&token, launch->filter);
    struct sim_process *process = jp__new_process(sim, JP_SIM_SERVICE_PID, launch->command_line, &token);
    process->suspended = true;
    process->no_error_dialogs = launch->no_error_dialogs;
    process->files = files;
    process->opened_as = jp_strdup(opens->user);
    uint32_t win32 = jp__check_chain(process, launch->chain, launch->chain_length);
    if (win32) { /* it never was: nobody got its pid */
        sim->fate_count--;
        process->alive = false;
        jp__gone(process);
        return jp_fail_win32(error, jp__status_of(win32), win32, operation, "cannot start \"%s\"", launch->command_line);
    }
    *ret_process = jp__process_handle(process, SIM_MAY_ASSIGN | SIM_MAY_TERMINATE | SIM_MAY_CONTROL);
    return JP_OK;
}

jp_status jp__process_resume(struct jp_process *handle, struct jp_error *error) {
    const char *operation = "ResumeThread";
    if (jp__fails(handle->sim, operation, error))
        return error->status;
    if (!handle->process)
        return jp__dead_handle(error, operation);
    handle->process->suspended = false;
    return JP_OK;
}

/* --- the truth --- */

bool jp_sim_alive(const struct jp_sim *sim, uint32_t pid) {
    const struct sim_process *process = jp__find(sim, pid);
    return process && process->alive;
}

bool jp_sim_suspended(const struct jp_sim *sim, uint32_t pid) { return jp__known(sim, pid)->suspended; }
int64_t jp_sim_start_time(const struct jp_sim *sim, uint32_t pid) { return jp__known(sim, pid)->start_100ns; }
void jp_sim_protect(struct jp_sim *sim, uint32_t pid) { jp__known(sim, pid)->protected = true; }
void jp_sim_next_pid(struct jp_sim *sim, uint32_t pid) { sim->next_pid = pid; }
const struct jp_launch_files *jp_sim_files(const struct jp_sim *sim, uint32_t pid) { return &jp__known(sim, pid)->files; }
const char *jp_sim_opened_as(const struct jp_sim *sim, uint32_t pid) { return jp__known(sim, pid)->opened_as; }
const struct jp_principal *jp_sim_token(const struct jp_sim *sim, uint32_t pid) { return &jp__known(sim, pid)->token; }
uint64_t jp_sim_user_time(const struct jp_sim *sim, uint32_t pid) { return jp__known(sim, pid)->usage.user_100ns; }

size_t jp_sim_job_size(const struct jp_sim *sim, const char *object_name) { return jp_sim_job_pids(sim, object_name, NULL, 0); }

size_t jp_sim_job_pids(const struct jp_sim *sim, const char *object_name, uint32_t *pids, size_t room) {
    const struct sim_job *job = jp__known_job(sim, object_name);
    size_t count = 0;
    if (!job)
        return SIZE_MAX;
    for (size_t i = 0; i < sim->process_count; i++) {
        if (!sim->processes[i]->alive || !jp__in_job(sim->processes[i], job))
            continue;
        if (count < room)
            pids[count] = sim->processes[i]->pid;
        count++;
    }
    return count;
}

bool jp_sim_in_job(const struct jp_sim *sim, uint32_t pid, const char *object_name) {
    const struct sim_process *process = jp__find(sim, pid);
    const struct sim_job *job = jp__known_job(sim, object_name);
    return process && job && jp__in_job(process, job);
}

const struct jp_sim_fate *jp_sim_fates(const struct jp_sim *sim, size_t *ret_count) {
    *ret_count = sim->fate_count;
    return sim->fates;
}

bool jp_sim_fate(const struct jp_sim *sim, uint32_t pid, int64_t start_100ns, struct jp_sim_fate *ret_fate) {
    for (size_t i = sim->fate_count; i-- > 0;)
        if (sim->fates[i].pid == pid && (!start_100ns || sim->fates[i].start_100ns == start_100ns)) {
            *ret_fate = sim->fates[i];
            return true;
        }
    return false;
}
