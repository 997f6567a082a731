/* What an event can tell, by name: Windows' messages of jobs without their prefix, and the service's own. docs/rpc.md says when each is told. */
#include "cli/events.h"
#include "job/messages.h"

#include <string.h>

#define PREFIX "JOB_OBJECT_MSG_"

static const char *const own[] = {
    "ACCOUNTING_PURGED", "CONFIG_REFUSED", "CONFIG_RELOADED", "COUNTERS_RESET", "DATABASE_DEGRADED", "DATABASE_RECOVERED", "DATABASE_RENEWED",
    "ENFORCEMENT_FAILED", "EVENTS_DROPPED", "IDLE_LIMIT", "KEEPER_ENDED", "KEEPER_FAILED", "LIMIT_BELOW_USE", "MATCH_REFUSED", "MEMORY_POLICY_HARD",
    "MEMORY_POLICY_SOFT", "MESSAGES_LOST", "POOL_CREATED", "POOL_DELETED", "POOL_FROZEN", "POOL_ORPHANED", "POOL_REMOVED", "POOL_TERMINATED",
    "POOL_THAWED", "POOL_UPDATED", "POOL_WALL_CLOCK_LIMIT", "PROCESSES_UNOBSERVED", "PROCESS_ASSIGNED", "PROCESS_LAUNCHED", "PROCESS_MATCHED",
    "PROCESS_TERMINATED", "REQUEST_DENIED", "SAMPLING_FAILED", "SERVICE_STARTED", "SERVICE_STOPPING", "STOP_REQUESTED", "WALL_CLOCK_LIMIT",
};

enum { OF_JOBS = JP_MSG_SILO_TERMINATED, OWN = sizeof own / sizeof *own };

/* Those of jobs as they are short, then our own. Returns how many. */
static size_t list_names(const char *names[OF_JOBS + OWN]) {
    size_t count = 0;
    for (uint32_t message = 1; message <= OF_JOBS; message++) {
        const char *full = jp_job_message_name(message);
        if (full != NULL)
            names[count++] = full + strlen(PREFIX);
    }
    memcpy(names + count, own, sizeof own);
    return count + OWN;
}

void jp_event_each_message(jp_choice_fn *tell, void *context) {
    const char *names[OF_JOBS + OWN];
    size_t count = list_names(names);
    for (size_t i = 0; i < count; i++)
        tell(context, names[i]);
}

static const char *without_prefix(const char *given) {
    char *begin = jp_strndup(given, strlen(PREFIX));
    bool is_full = jp_ascii_equal_nocase(begin, PREFIX);
    jp_free(begin);
    return is_full ? given + strlen(PREFIX) : given;
}

/* In any case, as everywhere where people write names of ours; the service knows them in capitals. NULL, after saying so: there is none. */
static const char *find(const struct jp_cli *cli, const char *given) {
    const char *names[OF_JOBS + OWN], *name = without_prefix(given);
    size_t count = list_names(names);
    for (size_t i = 0; i < count; i++)
        if (jp_ascii_equal_nocase(names[i], name))
            return names[i];
    const char *nearest = jp_nearest(name, names, count, sizeof *names);
    jp_cli_misuse(cli, "--message: there is no message \"%s\"%s%s%s", given, nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                  nearest != NULL ? "\"?" : " (docs/rpc.md has them)");
    return NULL;
}

int jp_event_read_messages(const struct jp_cli *cli, cJSON *messages) {
    int count = cJSON_GetArraySize(messages);
    for (int i = 0; i < count; i++) {
        const char *name = find(cli, cJSON_GetArrayItem(messages, i)->valuestring);
        if (name == NULL)
            return JP_EXIT_USAGE;
        cJSON_ReplaceItemInArray(messages, i, cJSON_CreateString(name));
    }
    return JP_EXIT_OK;
}
