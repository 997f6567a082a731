/* What an event can tell, by name: Windows' messages of jobs without their prefix, and the service's own. docs/rpc.md says when each is told. */
#include "cli/events.h"

#include <string.h>

#define PREFIX "JOB_OBJECT_MSG_"

static const char *const names[] = {
    /* of jobs */
    "ABNORMAL_EXIT_PROCESS", "ACTIVE_PROCESS_LIMIT", "ACTIVE_PROCESS_ZERO", "END_OF_JOB_TIME", "END_OF_PROCESS_TIME", "EXIT_PROCESS",
    "JOB_CYCLE_TIME_LIMIT", "JOB_MEMORY_LIMIT", "NEW_PROCESS", "NOTIFICATION_LIMIT", "PROCESS_MEMORY_LIMIT", "SILO_TERMINATED",
    /* our own */
    "ACCOUNTING_PURGED", "CONFIG_REFUSED", "CONFIG_RELOADED", "COUNTERS_RESET", "DATABASE_DEGRADED", "DATABASE_RECOVERED", "DATABASE_RENEWED",
    "ENFORCEMENT_FAILED", "EVENTS_DROPPED", "IDLE_LIMIT", "KEEPER_ENDED", "KEEPER_FAILED", "LIMIT_BELOW_USE", "MATCH_REFUSED", "MEMORY_POLICY_HARD",
    "MEMORY_POLICY_SOFT", "MESSAGES_LOST", "POOL_CREATED", "POOL_DELETED", "POOL_FROZEN", "POOL_ORPHANED", "POOL_REMOVED", "POOL_TERMINATED",
    "POOL_THAWED", "POOL_UPDATED", "POOL_WALL_CLOCK_LIMIT", "PROCESSES_UNOBSERVED", "PROCESS_ASSIGNED", "PROCESS_LAUNCHED", "PROCESS_MATCHED",
    "PROCESS_TERMINATED", "REQUEST_DENIED", "SAMPLING_FAILED", "SERVICE_STARTED", "SERVICE_STOPPING", "STOP_REQUESTED", "WALL_CLOCK_LIMIT",
};

enum { NAMES = sizeof names / sizeof *names };

void jp_event_each_message(jp_choice_fn *tell, void *context) {
    for (size_t i = 0; i < NAMES; i++)
        tell(context, names[i]);
}

/* In any case, as everywhere where people write names of ours; the service knows them in capitals. */
static char *in_capitals(const char *name) {
    char *capitals = jp_strdup(name);
    for (char *at = capitals; *at != '\0'; at++)
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
    return capitals;
}

static int refuse(const struct jp_cli *cli, const char *given, const char *name) {
    const char *nearest = jp_nearest(name, names, NAMES, sizeof *names);
    return jp_cli_misuse(cli, "--message: there is no message \"%s\"%s%s%s", given, nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                         nearest != NULL ? "\"?" : " (docs/rpc.md has them)");
}

int jp_event_read_messages(const struct jp_cli *cli, cJSON *messages) {
    int code = JP_EXIT_OK, count = cJSON_GetArraySize(messages);
    for (int i = 0; code == JP_EXIT_OK && i < count; i++) {
        const char *given = cJSON_GetArrayItem(messages, i)->valuestring;
        char *capitals = in_capitals(given);
        const char *name = strncmp(capitals, PREFIX, strlen(PREFIX)) == 0 ? capitals + strlen(PREFIX) : capitals;
        bool known = false;
        for (size_t n = 0; n < NAMES && !known; n++)
            known = strcmp(names[n], name) == 0;
        if (known)
            cJSON_ReplaceItemInArray(messages, i, cJSON_CreateString(name));
        else
            code = refuse(cli, given, name);
        jp_free(capitals);
    }
    return code;
}
