/* Any bytes as a configuration: a good one comes back from its JSON the same, a bad one has faults in order, each one line. */
#include "base/utf.h"
#include "config/config.h"

#include "fuzz.h"

#include <string.h>

static const char *environment(const char *name) { return strcmp(name, "ProgramData") == 0 ? "C:\\ProgramData" : NULL; }

union spec {
    uint64_t present;
    struct jp_pool_spec pool;
    struct jp_template_spec launch;
    struct jp_quotas quotas;
    struct jp_access access;
};

/* What was read comes back the same from what is written, and merging it into itself changes nothing. */
static cJSON *check_table(const struct jp_field *fields, const void *spec, union spec *again, struct jp_faults *faults) {
    struct jp_schema_context context = {.environment = environment, .faults = faults};
    cJSON *json = jp_schema_write(fields, spec);
    MUST(jp_schema_read(&context, fields, json, "", again));
    MUST(jp_schema_equal(fields, spec, again));
    jp_schema_merge(fields, again, spec);
    MUST(jp_schema_equal(fields, spec, again));
    return json;
}

static void end_check(const struct jp_field *fields, cJSON *json, union spec *again, struct jp_faults *faults) {
    jp_schema_clear(fields, again);
    jp_faults_free(faults);
    cJSON_Delete(json);
}

static void check_pool(const struct jp_pool_spec *spec) {
    union spec again = {0};
    struct jp_faults faults = {0};
    cJSON *json = check_table(jp_pool_fields, spec, &again, &faults);
    MUST(jp_pool_spec_check(&again.pool, json, "", &faults));
    end_check(jp_pool_fields, json, &again, &faults);
}

static void check_template(const struct jp_template_spec *spec) {
    union spec again = {0};
    struct jp_faults faults = {0};
    cJSON *json = check_table(jp_template_fields, spec, &again, &faults);
    MUST(jp_template_check(&again.launch, json, "", &faults));
    end_check(jp_template_fields, json, &again, &faults);
}

static void check_access(const struct jp_access *access) {
    union spec again = {0};
    struct jp_faults faults = {0};
    cJSON *json = check_table(jp_access_fields, access, &again, &faults);
    MUST(jp_access_check(&again.access, json, "", &faults));
    end_check(jp_access_fields, json, &again, &faults);
}

static void check_quotas(const struct jp_quotas *quotas) {
    union spec again = {0};
    struct jp_faults faults = {0};
    MUST(quotas->message_bytes >= 1024 && quotas->depth >= 8 && quotas->batch && quotas->connections && quotas->connections_per_user);
    MUST(quotas->in_flight && quotas->subscriptions && quotas->jobs && quotas->unread_bytes && quotas->stall_100ns && quotas->first_byte_100ns);
    cJSON *json = check_table(jp_quota_fields, quotas, &again, &faults);
    end_check(jp_quota_fields, json, &again, &faults);
}

static void check_config(struct jp_config *config) {
    for (size_t i = 0; i < config->pool_count; i++) {
        MUST(jp_pool_name_valid(config->pools[i].name));
        check_pool(&config->pools[i].spec);
    }
    for (size_t i = 0; i < config->template_count; i++)
        check_template(&config->templates[i].spec);
    check_access(&config->access);
    check_quotas(&config->quotas);
    MUST(config->database.file && config->log.file && config->pipe.name);
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
