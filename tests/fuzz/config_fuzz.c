/* Any bytes as a configuration: a good one comes back from its JSON the same, a bad one has faults in order, each one line. */
#include "base/utf.h"
#include "config/config.h"

#include "fuzz.h"

#include <string.h>

static const char *environment(const char *name) { return strcmp(name, "ProgramData") == 0 ? "C:\\ProgramData" : NULL; }

static void check_pool(const struct jp_pool_spec *spec) {
    struct jp_pool_spec again = {0};
    struct jp_faults faults = {0};
    struct jp_schema_context context = {.environment = environment, .faults = &faults};
    cJSON *json = jp_schema_write(jp_pool_fields, spec);
    MUST(jp_schema_read(&context, jp_pool_fields, json, "", &again));
    MUST(jp_schema_equal(jp_pool_fields, spec, &again));
    MUST(jp_pool_spec_check(&again, json, "", &faults));
    jp_schema_merge(jp_pool_fields, &again, spec);
    MUST(jp_schema_equal(jp_pool_fields, spec, &again));
    jp_schema_clear(jp_pool_fields, &again);
    jp_faults_free(&faults);
    cJSON_Delete(json);
}

static void check_config(struct jp_config *config) {
    for (size_t i = 0; i < config->pool_count; i++) {
        MUST(jp_pool_name_valid(config->pools[i].name));
        check_pool(&config->pools[i].spec);
    }
    MUST(config->database.file && config->log.file && config->pipe.name && config->quotas.connections);
    MUST(!jp_config_needs_restart(config, config));
    jp_config_free(config);
}

static void check_faults(struct jp_config_faults *faults, size_t size) {
    MUST(faults->count);
    for (size_t i = 0; i < faults->count; i++) {
        const struct jp_config_fault *fault = &faults->items[i], *before = i ? fault - 1 : fault;
        size_t length = strlen(fault->text);
        MUST(length && jp_utf8_valid_length(fault->text, length) == length && !strchr(fault->text, '\n'));
        MUST(fault->line && fault->column && fault->line <= size + 1 && fault->column <= size + 1);
        MUST(before->line < fault->line || (before->line == fault->line && before->column <= fault->column));
    }
    char *lines = jp_config_faults_format(faults, "file");
    MUST(lines[strlen(lines) - 1] == '\n');
    jp_free(lines);
    jp_config_faults_free(faults);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct jp_config_host host = {.environment = environment};
    struct jp_config config;
    struct jp_config_faults faults;
    jp_status status = jp_config_parse((const char *)data, size, &host, &config, &faults);
    MUST(status == JP_OK || status == JP_E_CONFIG);
    if (status == JP_OK)
        check_config(&config);
    else
        check_faults(&faults, size);
    return 0;
}
