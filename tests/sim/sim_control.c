/* What the service does to members where the kernel's jobs do not: looks at all processes at once, sets what a limit would, freezes,
 * asks to end. */
#include "sim_internal.h"

/* --- samples --- */

static uint32_t known_of(const struct jp_sim *sim) { /* memory and times are right even on Wine, here */
    return JP_USAGE_CPU | JP_USAGE_MEMORY | (sim->host.process_io ? JP_USAGE_IO : 0u);
}

static struct jp_sample sample_of(const struct sim_process *process, struct jp_str *names) {
    struct jp_sample sample = {.pid = process->pid,
                               .parent_pid = process->parent_pid,
                               .session = process->token.session,
                               .start_100ns = process->unborn ? 0 : process->start_100ns,
                               .commit_bytes = process->commit,
                               .working_set_bytes = process->commit - process->paged_out,
                               .usage = process->usage};
    sample.usage.known = known_of(process->sim);
    if (!process->sim->host.process_io)
        sample.usage.read_operations = sample.usage.write_operations = sample.usage.other_operations = sample.usage.read_bytes =
            sample.usage.write_bytes = sample.usage.other_bytes = 0;
    jp_str_add(names, process->image, strlen(process->image) + 1);
    return sample;
}

/* First the system's own, of pid 0 and without a name, as Windows tells it. */
jp_status jp__sample(struct jp_backend *backend, struct jp_samples *ret_samples, struct jp_error *error) {
    struct jp_sim *sim = jp__sim(backend);
    struct jp_str names = {0};
    sim->samples++;
    if (jp__fails(sim, "NtQuerySystemInformation", error))
        return error->status;
    struct jp_sample *items = jp_alloc((sim->process_count + 1) * sizeof *items);
    size_t count = 1;
    items[0] = (struct jp_sample){.usage.known = known_of(sim)};
    for (size_t i = 0; i < sim->process_count; i++)
        if (sim->processes[i]->alive)
            items[count++] = sample_of(sim->processes[i], &names);
    *ret_samples = (struct jp_samples){.items = items, .count = count, .names = jp_str_take(&names)};
    const char *name = ret_samples->names;
    for (size_t i = 1; i < count; i++, name += strlen(name) + 1)
        items[i].image = name;
    return JP_OK;
}

uint64_t jp_sim_sample_count(const struct jp_sim *sim) { return sim->samples; }

/* --- control --- */

/* What every call looks at first. */
static jp_status check(struct jp_process *handle, const char *operation, struct jp_error *error) {
    const struct sim_process *process = handle->process;
    if (jp__fails(handle->sim, operation, error))
        return error->status;
    if (!process)
        return jp__dead_handle(error, operation);
    if (!process->alive)
        return jp_fail(error, JP_E_NO_PROCESS, "process %u has exited", (unsigned)process->pid);
    if (!(handle->rights & SIM_MAY_CONTROL) || process->protected)
        return jp_fail_win32(error, JP_E_DENIED, WIN32_ACCESS_DENIED, operation, "cannot control process %u", (unsigned)process->pid);
    return JP_OK;
}

static jp_status invalid(struct jp_error *error, const char *operation) {
    return jp_fail_win32(error, JP_E_SYSTEM, WIN32_INVALID_PARAMETER, operation, "the system does not take this value");
}

static jp_status adjust_priority(struct jp_process *handle, const struct jp_adjustment *adjustment, struct jp_error *error) {
    const char *operation = "SetPriorityClass";
    if (check(handle, operation, error))
        return error->status;
    if (!jp__priority_valid(adjustment->priority_class))
        return invalid(error, operation);
    jp_sim_ask_priority(handle->sim, handle->process->pid, adjustment->priority_class);
    return JP_OK;
}

static jp_status adjust_affinity(struct jp_process *handle, const struct jp_adjustment *adjustment, struct jp_error *error) {
    const char *operation = "SetProcessAffinityMask";
    if (check(handle, operation, error))
        return error->status;
    if (!adjustment->affinity || adjustment->affinity & ~handle->sim->group_masks[0])
        return invalid(error, operation);
    jp_sim_ask_affinity(handle->sim, handle->process->pid, adjustment->affinity);
    return JP_OK;
}

static jp_status adjust_working_set(struct jp_process *handle, const struct jp_adjustment *adjustment, struct jp_error *error) {
    const char *operation = "SetProcessWorkingSetSizeEx";
    uint64_t least = adjustment->min_working_set_bytes, most = adjustment->max_working_set_bytes;
    if (check(handle, operation, error))
        return error->status;
    if (!least || least > most)
        return invalid(error, operation);
    jp_sim_ask_working_set(handle->sim, handle->process->pid, least, most);
    return JP_OK;
}

/* One after the other: what was set before one fails stays. */
jp_status jp__process_adjust(struct jp_process *handle, const struct jp_adjustment *adjustment, struct jp_error *error) {
    static const struct {
        enum jp_limit limit;
        jp_status (*adjust)(struct jp_process *, const struct jp_adjustment *, struct jp_error *);
    } ways[] = {{JP_LIMIT_PRIORITY_CLASS, adjust_priority}, {JP_LIMIT_AFFINITY, adjust_affinity}, {JP_LIMIT_WORKING_SET, adjust_working_set}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (adjustment->present & JP_SCHEMA_BIT(ways[i].limit) && ways[i].adjust(handle, adjustment, error))
            return error->status;
    return JP_OK;
}

/* A thaw too many is not refused: it lets a process run that was made suspended. */
jp_status jp__process_freeze(struct jp_process *handle, bool freeze, struct jp_error *error) {
    if (check(handle, freeze ? "NtSuspendProcess" : "NtResumeProcess", error))
        return error->status;
    struct sim_process *process = handle->process;
    if (freeze) {
        process->frozen++;
    } else if (process->frozen) {
        process->frozen--;
    } else {
        process->suspended = false;
        process->sim->idle_thaws++;
    }
    return JP_OK;
}

unsigned jp_sim_held(const struct jp_sim *sim, uint32_t pid) { return jp__known(sim, pid)->handles; }
unsigned jp_sim_frozen(const struct jp_sim *sim, uint32_t pid) { return jp__known(sim, pid)->frozen; }
uint64_t jp_sim_idle_thaws(const struct jp_sim *sim) { return sim->idle_thaws; }
bool jp_sim_error_mode(const struct jp_sim *sim, uint32_t pid) { return jp__known(sim, pid)->no_error_dialogs; }

/* --- asking --- */

jp_status jp__process_request_stop(struct jp_process *handle, struct jp_error *error) {
    struct sim_process *process = handle->process;
    if (check(handle, "PostMessage", error))
        return error->status;
    if (!process->listens)
        return jp_fail(error, JP_E_UNSUPPORTED, "process %u has neither a window nor a console", (unsigned)process->pid);
    process->asked++;
    if (!process->obeying && process->obeys_after_ms != JP_SIM_NEVER) {
        process->obeying = true;
        process->obeyed_ms = jp_sim_awake_ms(process->sim) + process->obeys_after_ms;
        process->sim->obeying++;
    }
    return JP_OK;
}

void jp_sim_obeys(struct jp_sim *sim, uint32_t pid, uint64_t after_ms, uint32_t exit_code) {
    struct sim_process *process = jp__known(sim, pid);
    process->listens = true;
    process->obeys_after_ms = after_ms;
    process->obeys_code = exit_code;
}

void jp__no_longer_obeys(struct sim_process *process) {
    process->sim->obeying -= process->obeying;
    process->obeying = false;
}

void jp__end_obedient(struct jp_sim *sim) {
    uint64_t now = jp_sim_awake_ms(sim);
    for (size_t i = sim->process_count; sim->obeying && i-- > 0;) { /* as in jp__end_all */
        struct sim_process *process = sim->processes[i];
        if (process->obeying && !process->frozen && process->obeyed_ms <= now)
            jp__end(process, process->obeys_code, JP_SIM_EXITED);
    }
}

uint64_t jp_sim_next_stir_ms(const struct jp_sim *sim) {
    uint64_t next = jp__next_termination_ms(sim);
    for (size_t i = 0; sim->obeying && i < sim->process_count; i++) {
        const struct sim_process *process = sim->processes[i];
        if (process->obeying && !process->frozen && process->obeyed_ms + sim->slept_ms < next)
            next = process->obeyed_ms + sim->slept_ms;
    }
    return next;
}

unsigned jp_sim_asked(const struct jp_sim *sim, uint32_t pid) { return jp__known(sim, pid)->asked; }

/* --- who must be left alone: if in doubt, everybody --- */

bool jp__process_is_debugged(struct jp_process *handle) {
    struct jp_error ignored;
    return jp__fails(handle->sim, "CheckRemoteDebuggerPresent", &ignored) || !handle->process || handle->process->debugged;
}

bool jp__process_is_critical(struct jp_process *handle) {
    struct jp_error ignored;
    const struct sim_process *process = handle->process;
    return jp__fails(handle->sim, "NtQueryInformationProcess", &ignored) || !process || process->critical || process->protected ||
           process->keeper;
}

void jp_sim_debug(struct jp_sim *sim, uint32_t pid, bool debugged) { jp__known(sim, pid)->debugged = debugged; }
void jp_sim_critical(struct jp_sim *sim, uint32_t pid) { jp__known(sim, pid)->critical = true; }
