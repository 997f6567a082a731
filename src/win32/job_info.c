/* Owns reading and setting the information classes of job objects. */
#include "base/str.h"
#include "win32/job_classes.h"
#include "win32/job_object.h"

#include <string.h>

static const char *label_of(const struct jp_job *job) { return job ? job->label : "the job of this process"; }
static HANDLE handle_of(const struct jp_job *job) { return job ? job->handle : NULL; }

/* --- failures --- */

/* What a host says of classes that it does not know: Windows the first, Wine all three. */
static bool means_unknown(uint32_t win32) {
    return win32 == ERROR_INVALID_PARAMETER || win32 == ERROR_INVALID_FUNCTION || win32 == ERROR_CALL_NOT_IMPLEMENTED;
}

static jp_status unknown_class(const struct jp__job_class *row, const char *verb, uint32_t win32, const char *operation, struct jp_error *error) {
    return jp_fail_win32(error, JP_E_UNSUPPORTED, win32, operation, "this host does not let %s (%d) be %s%s%s", row->name, (int)row->class,
                         verb, row->since ? "; it came with " : "", row->since ? row->since : "");
}

static jp_status query_failed(const struct jp_job *job, const struct jp__job_class *row, uint32_t win32, struct jp_error *error) {
    const char *operation = "QueryInformationJobObject";
    if (means_unknown(win32) || win32 == ERROR_NOT_SUPPORTED)
        return unknown_class(row, "read", win32, operation, error);
    if (win32 == ERROR_INVALID_HANDLE && !job) /* Wine */
        return jp_fail_win32(error, JP_E_UNSUPPORTED, win32, operation, "this host tells a process about its job only by a handle");
    if (win32 == ERROR_ACCESS_DENIED && !job)
        return jp_fail_win32(error, JP_E_NO_JOB, win32, operation, "this process is in no job");
    if (win32 == ERROR_ACCESS_DENIED)
        return jp_fail_win32(error, JP_E_DENIED, win32, operation, "the handle to %s was not opened with JOB_OBJECT_QUERY", label_of(job));
    return jp_fail_win32(error, JP_E_SYSTEM, win32, operation, "cannot read %s of %s", row->name, label_of(job));
}

/* --- lists --- */

static jp_status query_pids(struct jp_job *job, const struct jp__job_class *row, struct jp_job_info *ret_info, struct jp_error *error) {
    /* Processes come while the list is read: the buffer grows until all that are assigned are listed. A count that stays
     * above a list that had room is one of processes on their way in or out; waiting for it could last. */
    JOBOBJECT_BASIC_PROCESS_ID_LIST *list = NULL;
    for (size_t room = 64;; room = (size_t)list->NumberOfAssignedProcesses + room) {
        size_t size = offsetof(JOBOBJECT_BASIC_PROCESS_ID_LIST, ProcessIdList) + room * sizeof(ULONG_PTR);
        list = jp_realloc_array(list, size, 1);
        *list = (JOBOBJECT_BASIC_PROCESS_ID_LIST){0};
        if (QueryInformationJobObject(handle_of(job), JobObjectBasicProcessIdList, list, (DWORD)size, NULL)) {
            if (list->NumberOfProcessIdsInList >= list->NumberOfAssignedProcesses || room > list->NumberOfAssignedProcesses)
                break;
            continue;
        }
        DWORD win32 = GetLastError();
        if (win32 != ERROR_MORE_DATA) {
            jp_free(list);
            return query_failed(job, row, win32, error);
        }
    }
    size_t count = list->NumberOfProcessIdsInList;
    uint32_t *pids = jp_alloc((count + 1) * sizeof *pids);
    for (size_t i = 0; i < count; i++)
        pids[i] = (uint32_t)list->ProcessIdList[i];
    jp_free(list);
    *ret_info = (struct jp_job_info){.class = row->class, .pids = {pids, count}};
    return JP_OK;
}

enum { GROUPS_ROOM = 32, GROUPS_MAX = 4096 }; /* no machine of today has more than 32 */

/* The array of a class that says its length only by how much was written. New memory (jp_free). */
static jp_status query_array(struct jp_job *job, const struct jp__job_class *row, size_t item_size, void **ret_items, size_t *ret_count,
                             struct jp_error *error) {
    uint8_t *items = NULL;
    for (size_t room = GROUPS_ROOM; room <= GROUPS_MAX; room *= 2) {
        DWORD size = (DWORD)(room * item_size), written = 0;
        items = jp_realloc_array(items, room, item_size);
        memset(items, 0, size);
        if (QueryInformationJobObject(handle_of(job), (JOBOBJECTINFOCLASS)row->class, items, size, &written)) {
            *ret_items = items;
            *ret_count = (written < size ? written : size) / item_size;
            return JP_OK;
        }
        DWORD win32 = GetLastError();
        if (win32 != ERROR_MORE_DATA && win32 != ERROR_INSUFFICIENT_BUFFER && win32 != ERROR_BAD_LENGTH) {
            jp_free(items);
            return query_failed(job, row, win32, error);
        }
    }
    jp_free(items);
    return jp_fail(error, JP_E_SYSTEM, "%s of %s does not end", row->name, label_of(job));
}

static jp_status query_groups(struct jp_job *job, const struct jp__job_class *row, struct jp_job_info *ret_info, struct jp_error *error) {
    void *items;
    size_t count;
    jp_status status = query_array(job, row, sizeof(uint16_t), &items, &count, error);
    if (status == JP_OK)
        *ret_info = (struct jp_job_info){.class = row->class, .groups = {items, count}};
    return status;
}

static jp_status query_groups_ex(struct jp_job *job, const struct jp__job_class *row, struct jp_job_info *ret_info, struct jp_error *error) {
    void *raw;
    size_t count;
    jp_status status = query_array(job, row, sizeof(GROUP_AFFINITY), &raw, &count, error);
    if (status != JP_OK)
        return status;
    const GROUP_AFFINITY *from = raw;
    struct jp_job_group_affinity *items = jp_alloc((count + 1) * sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[i] = (struct jp_job_group_affinity){.mask = from[i].Mask, .group = from[i].Group};
    jp_free(raw);
    *ret_info = (struct jp_job_info){.class = row->class, .group_affinities = {items, count}};
    return JP_OK;
}

/* --- reading --- */

jp_status jp__job_object_query(struct jp_job *job, enum jp_job_class class, struct jp_job_info *ret_info, struct jp_error *error) {
    const struct jp__job_class *row = jp__job_class(class, error);
    if (!row)
        return error->status;
    if (row->kind == JP__PIDS)
        return query_pids(job, row, ret_info, error);
    if (row->kind == JP__GROUPS)
        return query_groups(job, row, ret_info, error);
    if (row->kind == JP__GROUPS_EX)
        return query_groups_ex(job, row, ret_info, error);

    union jp__job_record raw;
    memset(&raw, 0, sizeof raw);
    if (!QueryInformationJobObject(handle_of(job), (JOBOBJECTINFOCLASS)class, &raw, row->size, NULL)) {
        DWORD win32 = GetLastError();
        return query_failed(job, row, win32, error);
    }
    *ret_info = (struct jp_job_info){.class = class};
    row->read(&raw, ret_info);
    return JP_OK;
}

/* --- setting --- */

/* Numbers that Windows keeps in fewer bits: cut off, they would mean something else. */
static jp_status check_widths(const struct jp_job_info *info, struct jp_error *error) {
    if (info->class == JP_JOB_NetRateControlInformation && info->net_rate.dscp_tag > UINT8_MAX)
        return jp_fail(error, JP_E_PARAMS, "a DSCP tag of %lu is more than 63", (unsigned long)info->net_rate.dscp_tag);
    const struct jp_job_cpu_rate *rate = &info->cpu_rate;
    if (info->class == JP_JOB_CpuRateControlInformation && (rate->control_flags & JP_JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE) &&
        (rate->min_rate > UINT16_MAX || rate->max_rate > UINT16_MAX))
        return jp_fail(error, JP_E_PARAMS, "CPU rates of %lu to %lu are more than 10000 (100 %%)", (unsigned long)rate->min_rate,
                       (unsigned long)rate->max_rate);
    bool groups = info->class == JP_JOB_GroupInformation, groups_ex = info->class == JP_JOB_GroupInformationEx;
    if ((groups && info->groups.count > GROUPS_MAX) || (groups_ex && info->group_affinities.count > GROUPS_MAX))
        return jp_fail(error, JP_E_PARAMS, "more than %d processor groups", GROUPS_MAX);
    return JP_OK;
}

/* Windows says the same of a class that it does not know and of a value that it does not take: a class that can be read is known. */
static bool is_known(struct jp_job *job, enum jp_job_class class) {
    struct jp_job_info info;
    struct jp_error error;
    jp_status status = jp__job_object_query(job, class, &info, &error);
    if (status == JP_OK)
        jp_job_info_clear(&info);
    return status != JP_E_UNSUPPORTED;
}

static jp_status set_failed(struct jp_job *job, const struct jp__job_class *row, uint32_t win32, struct jp_error *error) {
    const char *operation = "SetInformationJobObject";
    if (win32 == ERROR_NOT_SUPPORTED && row->class == JP_JOB_CpuRateControlInformation)
        return jp_fail_win32(error, JP_E_UNSUPPORTED, win32, operation,
                             "no CPU rate can be set while this host shares its processors fairly between sessions (Dynamic Fair Share "
                             "Scheduling)");
    if (win32 == ERROR_NOT_SUPPORTED || (means_unknown(win32) && !is_known(job, row->class)))
        return unknown_class(row, "set", win32, operation, error);
    switch (win32) {
    case ERROR_ACCESS_DENIED:
        return jp_fail_win32(error, JP_E_DENIED, win32, operation, "cannot set %s of %s: %s", row->name, job->label,
                             jp__job_lacks(job, JP_JOB_OBJECT_SET_ATTRIBUTES)
                                 ? "its handle was not opened with JOB_OBJECT_SET_ATTRIBUTES"
                                 : "it does not go with the job's place in a chain, or with what its members have");
    case ERROR_PRIVILEGE_NOT_HELD:
        return jp_fail_win32(error, JP_E_DENIED, win32, operation,
                             "cannot set %s of %s: high priorities, scheduling classes and working sets want SeIncreaseBasePriorityPrivilege",
                             row->name, job->label);
    case ERROR_INVALID_PARAMETER:
        return jp_fail_win32(error, JP_E_SYSTEM, win32, operation, "Windows does not take these values for %s of %s", row->name, job->label);
    default:
        return jp_fail_win32(error, JP_E_SYSTEM, win32, operation, "cannot set %s of %s", row->name, job->label);
    }
}

static GROUP_AFFINITY *groups_to(const struct jp_job_group_affinity_list *from) {
    GROUP_AFFINITY *items = jp_alloc((from->count + 1) * sizeof *items);
    for (size_t i = 0; i < from->count; i++)
        items[i] = (GROUP_AFFINITY){.Mask = from->items[i].mask, .Group = from->items[i].group};
    return items;
}

jp_status jp__job_object_set(struct jp_job *job, const struct jp_job_info *info, struct jp_error *error) {
    const struct jp__job_class *row = jp__job_class(info->class, error);
    if (!row)
        return error->status;
    if (row->kind == JP__PIDS || (row->kind == JP__RECORD && !row->write))
        return jp_fail(error, JP_E_UNSUPPORTED, "%s (%d) is only read: nobody can set it", row->name, (int)row->class);
    jp_status status = check_widths(info, error);
    if (status != JP_OK)
        return status;

    union jp__job_record raw;
    memset(&raw, 0, sizeof raw);
    GROUP_AFFINITY *affinities = NULL;
    void *data = &raw;
    size_t size = row->size;
    if (row->kind == JP__GROUPS) {
        data = info->groups.items;
        size = info->groups.count * sizeof *info->groups.items;
    } else if (row->kind == JP__GROUPS_EX) {
        data = affinities = groups_to(&info->group_affinities);
        size = info->group_affinities.count * sizeof *affinities;
    } else {
        row->write(info, &raw);
    }
    BOOL done = SetInformationJobObject(job->handle, (JOBOBJECTINFOCLASS)row->class, data, (DWORD)size);
    DWORD win32 = done ? 0 : GetLastError();
    jp_free(affinities);
    return done ? JP_OK : set_failed(job, row, win32, error);
}
