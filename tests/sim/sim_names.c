/* Jobs as named objects: namespaces, security descriptors, handles with rights, and what the last handle takes with it.
 * https://learn.microsoft.com/windows/win32/procthread/job-object-security-and-access-rights
 * https://learn.microsoft.com/windows/win32/termserv/kernel-object-namespaces */
#include "sim_internal.h"

enum { RIGHTS_OF_READ = 0x20004, NO_RIGHTS = 0 };

/* --- names --- */

static bool begins(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

/* The name in the one namespace behind the four ways to write it. Session 0's own namespace is the global one. */
static char *canonical(const char *name, uint32_t session) {
    unsigned other;
    int length = 0;
    if (begins(name, "Global\\"))
        return jp_strdup(name);
    if (sscanf(name, "Session\\%u\\%n", &other, &length) == 1 && length > 0) {
        session = other;
        name += length;
    } else if (begins(name, "Local\\")) {
        name += strlen("Local\\");
    }
    return session == 0 ? jp_sprintf("Global\\%s", name) : jp_sprintf("Session\\%u\\%s", (unsigned)session, name);
}

static bool name_lives(const struct sim_job *job) {
    return job->handles || (!job->sim->names_die && job->sum.basic.active_processes);
}

struct sim_job *jp__find_job(const struct jp_sim *sim, const char *name, uint32_t session) {
    char *wanted = canonical(name, session);
    struct sim_job *found = NULL;
    for (size_t i = 0; i < sim->job_count && !found; i++)
        if (sim->jobs[i]->name && name_lives(sim->jobs[i]) && strcmp(sim->jobs[i]->name, wanted) == 0)
            found = sim->jobs[i];
    jp_free(wanted);
    return found;
}

struct sim_job *jp__known_job(const struct jp_sim *sim, const char *name) {
    struct sim_job *job = jp__find_job(sim, name, sim->service.session);
    return job && !job->other ? job : NULL;
}

/* --- jobs come and go --- */

void jp__free_job(struct sim_job *job) {
    jp_free(job->name);
    jp_free(job->grants);
    jp_free(job->members);
    jp_free(job);
}

static bool referred_to(const struct jp_sim *sim, const struct sim_job *job) {
    if (job->handles || job->sum.basic.active_processes || job->terminating)
        return true;
    for (size_t i = 0; i < sim->process_count; i++)
        if (sim->processes[i]->refused_by == job || jp__in_job(sim->processes[i], job))
            return true;
    return false;
}

/* Never in the middle of something that walks over jobs: only when one is made. An empty job's children are empty too. */
static void sweep_jobs(struct jp_sim *sim) {
    for (size_t i = sim->job_count; i-- > 0;) {
        struct sim_job *job = sim->jobs[i];
        if (referred_to(sim, job))
            continue;
        for (size_t child = 0; child < sim->job_count; child++)
            if (sim->jobs[child]->parent == job)
                sim->jobs[child]->parent = NULL;
        sim->jobs[i] = sim->jobs[--sim->job_count];
        jp__free_job(job);
    }
}

static struct sim_job *make_job(struct jp_sim *sim, const char *name, uint32_t session) {
    sweep_jobs(sim);
    for (size_t i = 0; i < sim->job_count; i++) /* a name that died goes to the new job */
        if (name && sim->jobs[i]->name && !name_lives(sim->jobs[i])) {
            jp_free(sim->jobs[i]->name);
            sim->jobs[i]->name = NULL;
        }
    if (sim->job_count == sim->job_room) {
        sim->job_room = sim->job_room ? 2 * sim->job_room : 64;
        sim->jobs = jp_realloc_array(sim->jobs, sim->job_room, sizeof *sim->jobs);
    }
    struct sim_job *job = jp_alloc(sizeof *job);
    job->sim = sim;
    job->name = name ? canonical(name, session) : NULL;
    job->limits.basic.priority_class = 0;
    memcpy(job->groups, sim->group_masks, sizeof job->groups);
    sim->jobs[sim->job_count++] = job;
    return job;
}

/* --- security --- */

/* The access mask of an entry of a descriptor's text: letters for the usual sets, or a number. */
static uint32_t mask_of(const char *rights) {
    if (begins(rights, "0x") || begins(rights, "0X"))
        return (uint32_t)strtoul(rights, NULL, 16);
    if (begins(rights, "GA"))
        return JP_JOB_OBJECT_ALL_ACCESS;
    return begins(rights, "GR") ? RIGHTS_OF_READ : NO_RIGHTS;
}

static bool one_of(const char *who, const char *const *list) {
    while (*list && !begins(who, *list))
        list++;
    return *list != NULL;
}

/* "(A;flags;rights;object;inherited;trustee)": allowing entries for SYSTEM and Administrators, the owner, and everybody else. */
static void add_entry(struct sim_security *security, const char *entry) {
    static const char *const everyone[] = {"WD)", "AU)", "BU)", "IU)", "S-1-1-0)", "S-1-5-11)", NULL};
    static const char *const admins[] = {"BA)", "S-1-5-32-544)", NULL};
    static const char *const owner[] = {"OW)", "CO)", "S-1-3-", NULL};
    const char *fields[6] = {entry + 1};
    for (size_t i = 1; i < 6; i++) {
        const char *separator = strchr(fields[i - 1], ';');
        if (!separator)
            return;
        fields[i] = separator + 1;
    }
    uint32_t mask = fields[0][0] == 'A' ? mask_of(fields[2]) : NO_RIGHTS;
    if (one_of(fields[5], everyone))
        security->everyone_access |= mask;
    else if (one_of(fields[5], admins))
        security->admin_access |= mask;
    else if (one_of(fields[5], owner))
        security->owner_access |= mask;
}

/* Without a text: the default of a token: its user and SYSTEM may do all. */
static struct sim_security security_of(const struct jp_principal *creator, const char *sddl) {
    struct sim_security security = {.owner_trusted = creator->admin || creator->system};
    snprintf(security.owner, sizeof security.owner, "%s", creator->user);
    if (!sddl) {
        security.owner_access = JP_JOB_OBJECT_ALL_ACCESS;
        security.admin_access = security.owner_trusted ? JP_JOB_OBJECT_ALL_ACCESS : NO_RIGHTS;
        return security;
    }
    for (const char *entry = strchr(sddl, '('); entry; entry = strchr(entry + 1, '('))
        add_entry(&security, entry);
    return security;
}

static uint32_t granted(const struct sim_security *security, const struct jp_principal *principal) {
    if (principal->system)
        return JP_JOB_OBJECT_ALL_ACCESS;
    uint32_t access = security->everyone_access;
    if (principal->admin)
        access |= security->admin_access;
    if (strcmp(principal->user, security->owner) == 0)
        access |= security->owner_access;
    return access;
}

/* --- handles --- */

static struct jp_job *make_handle(struct sim_job *job, uint32_t access) {
    struct jp_sim *sim = job->sim;
    struct jp_job *handle = jp_alloc(sizeof *handle);
    *handle = (struct jp_job){.sim = sim, .job = job, .access = access, .next = sim->job_handles};
    if (handle->next)
        handle->next->previous = handle;
    sim->job_handles = handle;
    job->handles++;
    return handle;
}

uint32_t jp__check_handle(const struct jp_job *handle, uint32_t access) {
    if (!handle->job)
        return WIN32_INVALID_HANDLE;
    return (handle->access & access) == access ? 0 : WIN32_ACCESS_DENIED;
}

/* The job's port belongs to whoever held the last handle. */
void jp__drop_job_handle(struct sim_job *job) {
    if (--job->handles)
        return;
    job->key = 0;
    if (job->limits.basic.limit_flags & JP_JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE)
        jp__end_all(job, 0, JP_SIM_JOB_CLOSED);
}

static void unlink_handle(struct jp_job **first, struct jp_job *handle) {
    if (handle->next)
        handle->next->previous = handle->previous;
    *(handle->previous ? &handle->previous->next : first) = handle->next;
}

void jp__job_close(struct jp_job *handle) {
    if (!handle)
        return;
    struct jp_sim *sim = handle->sim;
    unlink_handle(handle->job ? &sim->job_handles : &sim->dead_job_handles, handle);
    if (handle->job)
        jp__drop_job_handle(handle->job);
    jp_free(handle);
}

static void tell_of_members(struct sim_job *job) {
    struct jp_sim *sim = job->sim;
    for (size_t i = 0; i < sim->process_count; i++)
        if (sim->processes[i]->alive && jp__in_job(sim->processes[i], job))
            jp__post(sim, job->key, JP_MSG_NEW_PROCESS, sim->processes[i]->pid);
}

static bool attach(struct sim_job *job, uint64_t key, bool existed) {
    if (job->sim->deaf || (existed && job->sim->port_once))
        return false;
    job->key = key;
    tell_of_members(job);
    return true;
}

jp_status jp__job_obtain(struct jp_backend *backend, const char *object_name, uint64_t key, struct jp_job_obtained *ret_job,
                         struct jp_error *error) {
    struct jp_sim *sim = jp__sim(backend);
    if (jp__fails(sim, "CreateJobObject", error))
        return error->status;
    struct sim_job *job = jp__find_job(sim, object_name, sim->service.session);
    bool existed = job != NULL;
    if (job && job->other)
        return jp_fail_win32(error, JP_E_DENIED, WIN32_INVALID_HANDLE, "CreateJobObject",
                             "the name \"%s\" is taken by an object that is not a job", object_name);
    if (job && !job->security.owner_trusted)
        return jp_fail(error, JP_E_DENIED, "\"%s\" is somebody else's", object_name);
    if (!job) {
        job = make_job(sim, object_name, sim->service.session);
        job->security = security_of(&sim->service, "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;0x20004;;;AU)");
    }
    struct jp_job *handle = make_handle(job, JP_JOB_OBJECT_ALL_ACCESS);
    *ret_job = (struct jp_job_obtained){.job = handle, .existed = existed, .listening = attach(job, key, existed)};
    return JP_OK;
}

/* Whom the call is made as. The Win32 error if it cannot be made, or not in the namespace of that name. */
static uint32_t may_name(const struct jp_principal *principal, const char *name) {
    unsigned session;
    if (principal->level == JP_SIM_IDENTIFY)
        return WIN32_BAD_IMPERSONATION_LEVEL;
    if (name && sscanf(name, "Session\\%u\\", &session) == 1 && session != principal->session && !principal->admin && !principal->system)
        return WIN32_ACCESS_DENIED;
    return 0;
}

static jp_status refuse(struct jp_error *error, uint32_t win32, const char *operation, const char *verb, const char *name) {
    jp_status status = win32 == WIN32_INVALID_HANDLE ? JP_E_DENIED : jp__status_of(win32);
    return jp_fail_win32(error, status, win32, operation, "cannot %s the job object \"%s\"", verb, name ? name : "");
}

jp_status jp__job_create(struct jp_backend *backend, const struct jp_job_naming *naming, struct jp_job **ret_job, bool *ret_existed,
                         struct jp_error *error) {
    struct jp_sim *sim = jp__sim(backend);
    const struct jp_principal *principal = jp__who(sim, naming->principal);
    if (jp__fails(sim, "CreateJobObject", error))
        return error->status;
    uint32_t win32 = may_name(principal, naming->name);
    struct sim_job *job = naming->name ? jp__find_job(sim, naming->name, principal->session) : NULL;
    bool existed = job != NULL;
    if (!win32 && job && job->other)
        win32 = WIN32_INVALID_HANDLE;
    if (!win32 && job && granted(&job->security, principal) != JP_JOB_OBJECT_ALL_ACCESS)
        win32 = WIN32_ACCESS_DENIED;
    if (win32)
        return refuse(error, win32, "CreateJobObject", "create", naming->name);
    if (!job) {
        job = make_job(sim, naming->name, principal->session);
        job->security = security_of(principal, naming->security_sddl);
    }
    *ret_job = make_handle(job, JP_JOB_OBJECT_ALL_ACCESS);
    if (ret_existed)
        *ret_existed = existed;
    return JP_OK;
}

jp_status jp__job_open(struct jp_backend *backend, const struct jp_job_naming *naming, struct jp_job **ret_job, struct jp_error *error) {
    enum { MAXIMUM_ALLOWED_ACCESS = 0x02000000 };
    struct jp_sim *sim = jp__sim(backend);
    const struct jp_principal *principal = jp__who(sim, naming->principal);
    if (jp__fails(sim, "OpenJobObject", error))
        return error->status;
    uint32_t win32 = may_name(principal, naming->name), access = naming->desired_access;
    struct sim_job *job = naming->name ? jp__find_job(sim, naming->name, principal->session) : NULL;
    if (!win32 && !job)
        win32 = WIN32_FILE_NOT_FOUND;
    if (!win32 && job->other)
        win32 = WIN32_INVALID_HANDLE;
    if (!win32 && access & MAXIMUM_ALLOWED_ACCESS)
        access = granted(&job->security, principal);
    if (!win32 && (access & ~granted(&job->security, principal)))
        win32 = WIN32_ACCESS_DENIED;
    if (win32)
        return refuse(error, win32, "OpenJobObject", "open", naming->name);
    *ret_job = make_handle(job, access);
    return JP_OK;
}

/* --- the end of the service's process --- */

void jp_sim_crash(struct jp_sim *sim) {
    jp__leave_keepers_alone(sim);
    while (sim->process_handles) {
        struct jp_process *handle = sim->process_handles;
        struct sim_process *process = handle->process;
        sim->process_handles = handle->next;
        handle->process = NULL;
        handle->previous = NULL;
        handle->next = sim->dead_process_handles;
        if (handle->next)
            handle->next->previous = handle;
        sim->dead_process_handles = handle;
        jp__release(process);
    }
    for (size_t i = 0; i < sim->job_count; i++)
        sim->jobs[i]->key = 0; /* the port goes first: nobody listens to what the rest leads to */
    while (sim->job_handles) {
        struct jp_job *handle = sim->job_handles;
        struct sim_job *job = handle->job;
        unlink_handle(&sim->job_handles, handle);
        *handle = (struct jp_job){.sim = sim, .next = sim->dead_job_handles};
        if (handle->next)
            handle->next->previous = handle;
        sim->dead_job_handles = handle;
        jp__drop_job_handle(job);
    }
    sim->queued = 0;
    sim->service_dead = true;
}

void jp_sim_silence(struct jp_sim *sim) { sim->service_dead = true; }

/* --- others --- */

void jp_sim_squat(struct jp_sim *sim, const char *object_name) {
    struct jp_principal user = {.user = "SIM\\squatter", .session = sim->service.session};
    struct sim_job *job = make_job(sim, object_name, sim->service.session);
    job->security = security_of(&user, NULL);
    job->handles = job->others_handles = 1;
}

void jp_sim_take_name(struct jp_sim *sim, const char *object_name) {
    jp_sim_squat(sim, object_name);
    sim->jobs[sim->job_count - 1]->other = true;
}

void jp_sim_hold_job(struct jp_sim *sim, const char *object_name, bool hold) {
    struct sim_job *job = jp__known_job(sim, object_name);
    if (!job || (!hold && !job->others_handles)) {
        fprintf(stderr, "simulated kernel: nobody holds the job %s\n", object_name);
        abort();
    }
    if (hold) {
        job->handles++;
        job->others_handles++;
    } else {
        job->others_handles--;
        jp__drop_job_handle(job);
    }
}
