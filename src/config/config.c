/* The configuration file's tables, and the way from its text to a checked model. */
#include "config/config.h"

#include "base/map.h"
#include "base/units.h"

#include <stddef.h>
#include <string.h>

#define DAY_100NS (UINT64_C(86400) * JP_100NS_PER_S)
#define RECORD_MAX (UINT64_C(3600) * JP_100NS_PER_S)
#define RETENTION_MAX (36500 * DAY_100NS) /* so that "now less this" is a time */

static const struct jp_choice log_levels[] = {
    {"error", JP_LOG_ERROR}, {"warning", JP_LOG_WARNING}, {"info", JP_LOG_INFO}, {"debug", JP_LOG_DEBUG}, {NULL, 0}};

static const struct jp_field log_fields[] = {
    {.key = "file", .type = JP_FIELD_PATH, .offset = offsetof(struct jp_log_config, file), .min = 1,
     .documentation = "The log file; default jobpool.log beside the database."},
    {.key = "level", .type = JP_FIELD_CHOICE, .offset = offsetof(struct jp_log_config, level), .choices = log_levels,
     .documentation = "What is written: this and all that is worse. Default info."},
    {.key = "max_size", .type = JP_FIELD_BYTES, .offset = offsetof(struct jp_log_config, max_size_bytes), .min = 4096,
     .max = UINT64_C(1) << 40, .documentation = "A larger file is put aside as .1, .2, ... Default 10MiB."},
    {.key = "keep", .type = JP_FIELD_U32, .offset = offsetof(struct jp_log_config, keep), .max = 100,
     .documentation = "How many old files are kept. Default 5."},
    {0}};

static const struct jp_field database_fields[] = {
    {.key = "file", .type = JP_FIELD_PATH, .offset = offsetof(struct jp_database_config, file), .min = 1,
     .documentation = "The accounting database; default %ProgramData%\\JobPool\\accounting.db."},
    {.key = "flush_interval", .type = JP_FIELD_DURATION, .offset = offsetof(struct jp_database_config, flush_interval_100ns),
     .max = UINT64_C(60) * JP_100NS_PER_S,
     .documentation = "How long records may wait for others before they are committed together. Default 50ms."},
    {.key = "max_backlog", .type = JP_FIELD_U64, .offset = offsetof(struct jp_database_config, max_backlog), .min = 1000,
     .max = 10000000, .documentation = "Records kept in memory while the database cannot be written. Default 100000."},
    {0}};

static const struct jp_field pipe_fields[] = {
    {.key = "name", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_pipe_config, name), .min = 1, .max = 200,
     .documentation = "Name after \\\\.\\pipe\\. Default jobpool."},
    {.key = "security", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_pipe_config, security), .min = 1,
     .documentation = "Who may connect, as SDDL; what they may do then, access says. Default: every account of this machine, but no guest and nobody from the network."},
    {0}};

static const struct jp_field sampling_fields[] = {
    {.key = "interval", .type = JP_FIELD_DURATION, .offset = offsetof(struct jp_sampling_config, interval_100ns),
     .min = UINT64_C(50) * JP_100NS_PER_MS, .max = UINT64_C(60) * JP_100NS_PER_S,
     .documentation = "How often all processes are looked at while a pool needs it. Default 500ms."},
    {.key = "record", .type = JP_FIELD_DURATION, .offset = offsetof(struct jp_sampling_config, record_100ns), .max = RECORD_MAX,
     .documentation = "How often a sample of each pool that has members is recorded, for charts; at least 1s. Default 1m; 0s: not at all."},
    {0}};

static const struct jp_field retention_fields[] = {
    {.key = "processes", .type = JP_FIELD_DURATION, .offset = offsetof(struct jp_retention_config, processes_100ns),
     .max = RETENTION_MAX,
     .documentation = "How long rows of processes that ended are kept; then only the sums of their hours are. Default 90d; 0s: for ever."},
    {.key = "events", .type = JP_FIELD_DURATION, .offset = offsetof(struct jp_retention_config, events_100ns),
     .max = RETENTION_MAX, .documentation = "How long events are kept. Default 30d; 0s: for ever."},
    {.key = "hours", .type = JP_FIELD_DURATION, .offset = offsetof(struct jp_retention_config, hours_100ns),
     .max = RETENTION_MAX,
     .documentation = "How long sums by the hour are kept; then only those by the day are. Default 400d; 0s: for ever."},
    {.key = "samples", .type = JP_FIELD_DURATION, .offset = offsetof(struct jp_retention_config, samples_100ns), .max = RETENTION_MAX,
     .documentation = "How long samples of pools over time are kept, by whole days. Default 30d; 0s: for ever."},
    {.key = "audit", .type = JP_FIELD_DURATION, .offset = offsetof(struct jp_retention_config, audit_100ns), .max = RETENTION_MAX,
     .documentation = "How long the audit trail is kept. Default 400d; 0s: for ever."},
    {.key = "max_size", .type = JP_FIELD_BYTES, .offset = offsetof(struct jp_retention_config, max_size_bytes), .max = UINT64_C(1) << 46,
     .documentation = "Size of the database, above which the oldest rows, events and samples go before their time. Default 4GiB; 0: any."},
    {0}};

const struct jp_field jp_config_fields[] = {
    {.key = "$schema", .type = JP_FIELD_STRING, .offset = offsetof(struct jp_config, schema),
     .documentation = "For editors."},
    {.key = "watch_config", .type = JP_FIELD_BOOL, .offset = offsetof(struct jp_config, watch_config),
     .documentation = "Reload when this file changes, once it has been left alone for a moment. Default false."},
    {.key = "log", .type = JP_FIELD_OBJECT, .offset = offsetof(struct jp_config, log), .fields = log_fields,
     .documentation = "The log file."},
    {.key = "database", .type = JP_FIELD_OBJECT, .offset = offsetof(struct jp_config, database), .fields = database_fields,
     .documentation = "The accounting database."},
    {.key = "pipe", .type = JP_FIELD_OBJECT, .offset = offsetof(struct jp_config, pipe), .fields = pipe_fields,
     .documentation = "The named pipe."},
    {.key = "sampling", .type = JP_FIELD_OBJECT, .offset = offsetof(struct jp_config, sampling), .fields = sampling_fields,
     .documentation = "What the service sees of processes that the kernel does not tell."},
    {.key = "retention", .type = JP_FIELD_OBJECT, .offset = offsetof(struct jp_config, retention), .fields = retention_fields,
     .documentation = "What of the accounts is kept, and how long."},
    {.key = "quotas", .type = JP_FIELD_OBJECT, .offset = offsetof(struct jp_config, quotas), .fields = jp_quota_fields,
     .documentation = "What clients may take of the service."},
    {.key = "access", .type = JP_FIELD_OBJECT, .offset = offsetof(struct jp_config, access), .fields = jp_access_fields, .shorthand = "sddl",
     .documentation = "Who may do what with the service, and with pools that say nothing themselves. Default: administrators everything, interactive users view."},
    {.key = "templates", .type = JP_FIELD_JSON, .offset = offsetof(struct jp_config, templates_json),
     .documentation = "Launches that are prepared, by name."},
    {.key = "pools", .type = JP_FIELD_JSON, .offset = offsetof(struct jp_config, pools_json),
     .documentation = "The pools, by name."},
    {0}};

enum { LOG_FILE, LOG_LEVEL, LOG_MAX_SIZE, LOG_KEEP };          /* rows of log_fields */
enum { DATABASE_FILE, DATABASE_FLUSH_INTERVAL, DATABASE_MAX_BACKLOG };
enum { SAMPLING_INTERVAL, SAMPLING_RECORD };
enum { RETENTION_PROCESSES, RETENTION_EVENTS, RETENTION_HOURS, RETENTION_SAMPLES, RETENTION_AUDIT, RETENTION_MAX_SIZE };

void jp_config_faults_free(struct jp_config_faults *faults) {
    for (size_t i = 0; i < faults->count; i++)
        jp_free(faults->items[i].text);
    jp_free(faults->items);
    *faults = (struct jp_config_faults){0};
}

void jp_config_free_pools(struct jp_config *config) {
    for (size_t i = 0; i < config->pool_count; i++) {
        jp_free(config->pools[i].name);
        jp_schema_clear(jp_pool_fields, &config->pools[i].spec);
    }
    jp_free(config->pools);
    config->pools = NULL;
    config->pool_count = 0;
}

void jp_config_free(struct jp_config *config) {
    jp_config_free_pools(config);
    for (size_t i = 0; i < config->template_count; i++) {
        jp_free(config->templates[i].name);
        jp_schema_clear(jp_template_fields, &config->templates[i].spec);
    }
    jp_free(config->templates);
    config->templates = NULL;
    config->template_count = 0;
    jp_schema_clear(jp_config_fields, config);
}

char *jp_config_faults_format(const struct jp_config_faults *faults, const char *file) {
    struct jp_str text = {0};
    for (size_t i = 0; i < faults->count; i++)
        jp_str_printf(&text, "%s:%u:%u: %s\n", file, faults->items[i].line, faults->items[i].column, faults->items[i].text);
    return jp_str_take(&text);
}

bool jp_config_needs_restart(const struct jp_config *running, const struct jp_config *fresh) {
    return !jp_schema_equal(log_fields, &running->log, &fresh->log) ||
           !jp_schema_equal(database_fields, &running->database, &fresh->database) ||
           !jp_schema_equal(pipe_fields, &running->pipe, &fresh->pipe) ||
           !jp_schema_equal(jp_quota_fields, &running->quotas, &fresh->quotas);
}

static const char *nearest_pool(const struct jp_config *config, const char *name) {
    return config->pool_count
               ? jp_nearest(name, (const char *const *)(const void *)&config->pools->name, config->pool_count, sizeof *config->pools)
               : NULL;
}

/* Follows the parents of `pool`; a chain longer than there are pools comes round. Only the pools on the circle are told. */
static bool on_cycle(const struct jp_map *names, const struct jp_named_spec *pool) {
    const struct jp_named_spec *at = pool;
    for (size_t steps = 0; steps < names->count && at && at->spec.parent; steps++) {
        at = jp_map_get(names, at->spec.parent);
        if (at == pool)
            return true;
    }
    return false;
}

/* The place of a fault: the key's value, or the object where the key is not written. */
static const cJSON *key_or(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return item ? item : object;
}

static void check_parent(const struct jp_config *config, const struct jp_map *names, const struct jp_named_spec *pool,
                         const cJSON *item, struct jp_faults *faults) {
    const char *parent = pool->spec.parent;
    if (!jp_map_get(names, parent)) {
        const char *nearest = nearest_pool(config, parent);
        jp_faults_add(faults, key_or(item, "parent"), false, "pools.%s.parent: there is no pool \"%s\"%s%s%s", pool->name,
                      parent, nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    } else if (on_cycle(names, pool)) {
        jp_faults_add(faults, key_or(item, "parent"), false,
                      "pools.%s.parent: the pool is its own ancestor through \"%s\"", pool->name, parent);
    }
}

/* `items` are the pools' objects in the file: to look for each among all of them would take the square of their number. */
static void check_parents(const struct jp_config *config, const cJSON *const *items, struct jp_faults *faults) {
    bool any = false;
    for (size_t i = 0; i < config->pool_count && !any; i++)
        any = config->pools[i].spec.parent;
    if (!any)
        return;
    struct jp_map names = {0};
    for (size_t i = 0; i < config->pool_count; i++)
        jp_map_put(&names, config->pools[i].name, &config->pools[i]);
    for (size_t i = 0; i < config->pool_count; i++) {
        const struct jp_named_spec *pool = &config->pools[i];
        if (pool->spec.parent && jp_pool_name_valid(pool->spec.parent)) /* otherwise that was the fault */
            check_parent(config, &names, pool, items[i], faults);
    }
    jp_map_free(&names);
}

/* Those that are made of the pools' names differ as these do. */
static void check_object_names(const struct jp_config *config, const cJSON *const *items, struct jp_faults *faults) {
    bool any = false;
    for (size_t i = 0; i < config->pool_count && !any; i++)
        any = config->pools[i].spec.object_name;
    if (!any)
        return;
    struct jp_map names = {0};
    char **owned = jp_realloc_array(NULL, config->pool_count, sizeof *owned);
    for (size_t i = 0; i < config->pool_count; i++) {
        const struct jp_named_spec *pool = &config->pools[i];
        owned[i] = jp_pool_object_name(pool->name, &pool->spec);
        const struct jp_named_spec *other = jp_map_get(&names, owned[i]);
        if (other)
            jp_faults_add(faults, key_or(items[i], "object_name"), false,
                          "pools.%s.object_name: \"%s\" is the job object of pool \"%s\" already", pool->name, owned[i], other->name);
        else
            jp_map_put(&names, owned[i], &config->pools[i]);
    }
    jp_map_free(&names);
    for (size_t i = 0; i < config->pool_count; i++)
        jp_free(owned[i]);
    jp_free(owned);
}

static void check_defaults(const struct jp_config *config, const cJSON *const *items, struct jp_faults *faults) {
    const struct jp_named_spec *first = NULL;
    for (size_t i = 0; i < config->pool_count; i++) {
        const struct jp_named_spec *pool = &config->pools[i];
        if (pool->spec.takes_all && first)
            jp_faults_add(faults, key_or(items[i], "default"), false, "pools.%s.default: pool \"%s\" is the default already", pool->name,
                          first->name);
        else if (pool->spec.takes_all)
            first = pool;
    }
}

/* The members of a section {"name": {...}, ...}, or 0 with a fault. */
static size_t count_named(const struct jp_schema_context *context, const cJSON *section, size_t most) {
    if (!cJSON_IsObject(section)) {
        jp_faults_add(context->faults, section, false, "%s: expected an object {\"name\": {...}, ...}", section->string);
        return 0;
    }
    size_t count = (size_t)cJSON_GetArraySize(section);
    if (count <= most)
        return count;
    jp_faults_add(context->faults, section, false, "%s: %zu are more than the %zu allowed", section->string, count, most);
    return 0;
}

static bool name_valid(const struct jp_schema_context *context, const cJSON *section, const cJSON *item, const char *what) {
    if (jp_pool_name_valid(item->string))
        return true;
    jp_faults_add(context->faults, item, true,
                  "%s: \"%.80s\" is not a name for a %s; use 1 to 64 of A-Z a-z 0-9 . _ -, a letter or digit first", section->string,
                  item->string, what);
    return false;
}

static void read_templates(const struct jp_schema_context *context, const cJSON *templates, struct jp_config *config) {
    size_t count = count_named(context, templates, JP_CONFIG_MAX_TEMPLATES);
    if (!count)
        return;
    config->templates = jp_alloc(count * sizeof *config->templates);
    const cJSON *item;
    cJSON_ArrayForEach(item, templates) {
        if (!name_valid(context, templates, item, "template"))
            continue;
        struct jp_launch_template *template = &config->templates[config->template_count++];
        template->name = jp_strdup(item->string);
        char *path = jp_sprintf("templates.%s", item->string);
        if (jp_schema_read(context, jp_template_fields, item, path, &template->spec))
            jp_template_check(&template->spec, item, path, context->faults);
        jp_free(path);
    }
}

/* A pool of pool.create need not be there yet; one whose name nobody could ever make is a fault. */
static void check_templates(const struct jp_config *config, const cJSON *templates, struct jp_faults *faults) {
    for (size_t i = 0; i < config->template_count; i++) {
        const struct jp_launch_template *template = &config->templates[i];
        if (template->spec.pool && !jp_pool_name_valid(template->spec.pool))
            jp_faults_add(faults, key_or(cJSON_GetObjectItemCaseSensitive(templates, template->name), "pool"), false,
                          "templates.%s.pool: \"%.80s\" is no name of a pool", template->name, template->spec.pool);
    }
}

/* *ret_items: where each pool that was read stands (jp_free). */
static void read_pools(const struct jp_schema_context *context, const cJSON *pools, struct jp_config *config, const cJSON ***ret_items) {
    size_t count = count_named(context, pools, JP_CONFIG_MAX_POOLS);
    if (!count)
        return;
    *ret_items = jp_alloc(count * sizeof **ret_items);
    config->pools = jp_alloc(count * sizeof *config->pools);
    const cJSON *item;
    struct jp_str path = {0};
    jp_str_puts(&path, "pools.");
    size_t before = path.length;
    cJSON_ArrayForEach(item, pools) {
        if (!name_valid(context, pools, item, "pool"))
            continue;
        (*ret_items)[config->pool_count] = item;
        struct jp_named_spec *pool = &config->pools[config->pool_count++];
        pool->name = jp_strdup(item->string);
        path.length = before;
        jp_str_puts(&path, item->string);
        if (jp_schema_read(context, jp_pool_fields, item, jp_str_text(&path), &pool->spec))
            jp_pool_spec_check(&pool->spec, item, jp_str_text(&path), context->faults);
    }
    jp_str_free(&path);
}

static void set_u64(uint64_t present, unsigned row, uint64_t *value, uint64_t standard) {
    if (!(present & JP_SCHEMA_BIT(row)))
        *value = standard;
}

static void set_u32(uint64_t present, unsigned row, uint32_t *value, uint32_t standard) {
    if (!(present & JP_SCHEMA_BIT(row)))
        *value = standard;
}

/* "C:\ProgramData\JobPool\accounting.db" -> the same folder's "jobpool.log" */
static char *beside(const char *file, const char *name) {
    size_t folder = strlen(file);
    while (folder && file[folder - 1] != '\\' && file[folder - 1] != '/')
        folder--;
    return jp_sprintf("%.*s%s", (int)folder, file, name);
}

static void fill_defaults(struct jp_config *config, const char *(*environment)(const char *name)) {
    struct jp_database_config *database = &config->database;
    struct jp_log_config *log = &config->log;
    struct jp_pipe_config *pipe = &config->pipe;
    if (!database->file) {
        const char *data = environment ? environment("ProgramData") : NULL;
        database->file = jp_sprintf("%s\\JobPool\\accounting.db", data ? data : "C:\\ProgramData");
    }
    set_u64(database->present, DATABASE_FLUSH_INTERVAL, &database->flush_interval_100ns, UINT64_C(50) * JP_100NS_PER_MS);
    set_u64(database->present, DATABASE_MAX_BACKLOG, &database->max_backlog, 100000);
    if (!log->file)
        log->file = beside(database->file, "jobpool.log");
    set_u32(log->present, LOG_LEVEL, &log->level, JP_LOG_INFO);
    set_u64(log->present, LOG_MAX_SIZE, &log->max_size_bytes, UINT64_C(10) << 20);
    set_u32(log->present, LOG_KEEP, &log->keep, 5);
    if (!pipe->name)
        pipe->name = jp_strdup("jobpool");
    jp_quotas_fill(&config->quotas);
    struct jp_retention_config *retention = &config->retention;
    set_u64(retention->present, RETENTION_PROCESSES, &retention->processes_100ns, 90 * DAY_100NS);
    set_u64(retention->present, RETENTION_EVENTS, &retention->events_100ns, 30 * DAY_100NS);
    set_u64(retention->present, RETENTION_HOURS, &retention->hours_100ns, 400 * DAY_100NS);
    set_u64(retention->present, RETENTION_SAMPLES, &retention->samples_100ns, 30 * DAY_100NS);
    set_u64(retention->present, RETENTION_AUDIT, &retention->audit_100ns, 400 * DAY_100NS);
    set_u64(retention->present, RETENTION_MAX_SIZE, &retention->max_size_bytes, UINT64_C(4) << 30);
    set_u64(config->sampling.present, SAMPLING_INTERVAL, &config->sampling.interval_100ns, UINT64_C(500) * JP_100NS_PER_MS);
    set_u64(config->sampling.present, SAMPLING_RECORD, &config->sampling.record_100ns, UINT64_C(60) * JP_100NS_PER_S);
}

static void place_faults(const struct jp_json *json, const struct jp_faults *faults, struct jp_config_faults *ret) {
    ret->items = jp_alloc(faults->count * sizeof *ret->items);
    ret->count = faults->count;
    for (size_t i = 0; i < faults->count; i++) {
        struct jp_json_place place = jp_json_place_of(json, faults->items[i].item, faults->items[i].at_key);
        struct jp_config_fault fault = {.line = place.line, .column = place.column, .text = jp_strdup(faults->items[i].text)};
        size_t at = i; /* insertion keeps them in the order of the file */
        for (; at && (ret->items[at - 1].line > fault.line ||
                      (ret->items[at - 1].line == fault.line && ret->items[at - 1].column > fault.column)); at--)
            ret->items[at] = ret->items[at - 1];
        ret->items[at] = fault;
    }
}

static jp_status single_fault(struct jp_config_faults *ret, struct jp_json_place place, const char *text) {
    ret->items = jp_alloc(sizeof *ret->items);
    ret->count = 1;
    ret->items[0] = (struct jp_config_fault){.line = place.line ? place.line : 1, .column = place.line ? place.column : 1,
                                             .text = jp_strdup(text)};
    return JP_E_CONFIG;
}

static void refuse_duplicate(void *context, const cJSON *item) {
    jp_faults_add(context, item, true, "the key \"%.64s\" is there twice", item->string);
}

static void check_sddl(const struct jp_config_host *host, const char *sddl, const cJSON *item, const char *path, struct jp_faults *faults) {
    struct jp_error error;
    if (sddl && host->check_security && host->check_security(sddl, &error))
        jp_faults_add(faults, item, false, "%s: %s", path, error.text);
}

static void check_access(const struct jp_config_host *host, const struct jp_config *config, const cJSON *root, struct jp_faults *faults) {
    jp_access_check(&config->access, key_or(root, "access"), "access", faults);
    check_sddl(host, config->access.sddl, key_or(root, "access"), "access", faults);
}

static void check_access_of_pools(const struct jp_config_host *host, const struct jp_config *config, const cJSON *const *items, struct jp_faults *faults) {
    for (size_t i = 0; i < config->pool_count; i++) {
        const char *sddl = config->pools[i].spec.access.sddl;
        char *path = sddl ? jp_sprintf("pools.%s.access", config->pools[i].name) : NULL;
        check_sddl(host, sddl, key_or(items[i], "access"), path, faults);
        jp_free(path);
    }
}

/* What is wrong with them together. */
static void check_pools(const struct jp_config_host *host, const struct jp_config *config, const cJSON *const *items, struct jp_faults *faults) {
    check_parents(config, items, faults);
    check_defaults(config, items, faults);
    if (!faults->count)
        check_object_names(config, items, faults);
    check_access_of_pools(host, config, items, faults);
}

static void check_pipe(const struct jp_config_host *host, const struct jp_config *config, const cJSON *root, struct jp_faults *faults) {
    const cJSON *pipe = key_or(root, "pipe");
    if (config->pipe.name && strchr(config->pipe.name, '\\'))
        jp_faults_add(faults, key_or(pipe, "name"), false, "pipe.name: may not hold a backslash");
    check_sddl(host, config->pipe.security, key_or(pipe, "security"), "pipe.security", faults);
}

static void check_sampling(const struct jp_config *config, const cJSON *root, struct jp_faults *faults) {
    if (config->sampling.record_100ns && config->sampling.record_100ns < JP_100NS_PER_S)
        jp_faults_add(faults, key_or(key_or(root, "sampling"), "record"), false, "sampling.record: too small, expected at least 1s, or 0s for not at all");
}

jp_status jp_config_parse(const char *text, size_t length, const struct jp_config_host *host, struct jp_config *ret_config,
                          struct jp_config_faults *ret_faults) {
    static const struct jp_json_rules rules = {.max_bytes = JP_CONFIG_MAX_BYTES, .max_depth = JP_CONFIG_MAX_DEPTH, .comments = true,
                                               .duplicates = true};
    struct jp_json json;
    struct jp_json_place place;
    struct jp_error error;
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) { /* Notepad writes a byte order mark */
        text += 3;
        length -= 3;
    }
    if (jp_json_parse(text, length, &rules, &json, &place, &error))
        return single_fault(ret_faults, place, error.text);

    struct jp_config config = {0};
    struct jp_faults faults = {0};
    struct jp_schema_context context = {.environment = host->environment, .faults = &faults};
    jp_json_each_duplicate(json.root, refuse_duplicate, &faults);
    jp_schema_read(&context, jp_config_fields, json.root, "", &config);
    const cJSON **items = NULL, *pools = cJSON_GetObjectItemCaseSensitive(json.root, "pools");
    const cJSON *templates = cJSON_GetObjectItemCaseSensitive(json.root, "templates");
    if (pools)
        read_pools(&context, pools, &config, &items);
    if (templates)
        read_templates(&context, templates, &config);
    check_templates(&config, templates, &faults);
    if (items)
        check_pools(host, &config, items, &faults);
    check_pipe(host, &config, json.root, &faults);
    check_sampling(&config, json.root, &faults);
    check_access(host, &config, json.root, &faults);
    jp_free(items);

    jp_status status = JP_OK;
    if (faults.count) {
        place_faults(&json, &faults, ret_faults);
        jp_config_free(&config);
        status = JP_E_CONFIG;
    } else {
        fill_defaults(&config, host->environment);
        *ret_config = config;
    }
    jp_faults_free(&faults);
    jp_json_free(&json);
    return status;
}
