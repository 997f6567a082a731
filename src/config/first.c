/* Owns the text of a first configuration. */
#include "config/first.h"

#include "base/json.h"

#include <string.h>

const struct jp_first_config jp_first_defaults = {.pool = "default", .memory = "", .processes = "200", .allow = "Interactive"};

/* As a JSON string, escaped. */
static char *quoted(const char *text) {
    cJSON *item = cJSON_CreateString(text);
    struct jp_str out = {0};
    jp_json_print(item, &out);
    cJSON_Delete(item);
    return jp_str_take(&out);
}

static char *quoted_file(const char *folder, const char *name) {
    size_t length = strlen(folder);
    bool ends = length > 0 && (folder[length - 1] == '\\' || folder[length - 1] == '/');
    char *file = jp_sprintf("%s%s%s", folder, ends ? "" : "\\", name), *text = quoted(file);
    jp_free(file);
    return text;
}

static bool given(const char *text) { return text && *text; }

static void add_limits(const struct jp_first_config *first, struct jp_str *out) {
    if (given(first->memory)) {
        char *memory = quoted(first->memory);
        jp_str_printf(out, "                \"job_memory\": %s,            // commit of all its processes together\n", memory);
        jp_free(memory);
    }
    if (given(first->processes)) {
        bool number = strspn(first->processes, "0123456789") == strlen(first->processes);
        char *processes = number ? jp_strdup(first->processes) : quoted(first->processes);
        jp_str_printf(out, "                \"active_processes\": %s,          // at a time\n", processes);
        jp_free(processes);
    }
    jp_str_puts(out, "                \"priority_class\": \"below_normal\"    // idle, below_normal, normal, above_normal, high, realtime\n");
}

char *jp_config_first(const struct jp_first_config *first) {
    struct jp_str out = {0};
    char *database = quoted_file(first->folder, "accounting.db"), *log = quoted_file(first->folder, "jobpool.log"), *pool = quoted(first->pool);
    jp_str_printf(&out,
                  "// JobPool's configuration: JSON with comments.\n"
                  "//\n"
                  "//   jobpoold --check-config --config FILE     says every fault with its line and column\n"
                  "//   jobpool reload                            applies changed pools, access, sampling and retention; the other sections wait for a restart\n"
                  "//\n"
                  "// Sizes are written \"512MiB\" or \"1.5GiB\"; durations \"90s\" or \"1h30m\"; shares \"12.5%%\". A backslash is written twice.\n"
                  "{\n"
                  "    \"database\": { \"file\": %s },   // on a local disk\n"
                  "    \"log\": { \"file\": %s },\n\n"
                  "    // A pool is a named job object; it does nothing until a process joins: jobpool run --pool POOL -- COMMAND\n"
                  "    \"pools\": {\n"
                  "        %s: {\n",
                  database, log, pool);
    if (given(first->allow)) {
        char *allow = quoted(first->allow);
        jp_str_printf(&out, "            // Who may look at it and start processes in it. Administrators may do everything.\n"
                            "            \"access\": { \"view\": [%s], \"assign\": [%s], \"launch\": [%s] },\n", allow, allow, allow);
        jp_free(allow);
    }
    jp_str_puts(&out, "            \"limits\": {\n");
    add_limits(first, &out);
    jp_str_puts(&out, "            }\n        }\n    }\n}\n");
    jp_free(database);
    jp_free(log);
    jp_free(pool);
    return jp_str_take(&out);
}
