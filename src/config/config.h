/* The configuration: file text to a checked model. */
#ifndef JP_CONFIG_CONFIG_H
#define JP_CONFIG_CONFIG_H

#include "base/log.h"
#include "base/quotas.h"
#include "job/template.h"
#include "pool/pools.h"

enum { JP_CONFIG_MAX_BYTES = 4 << 20, JP_CONFIG_MAX_POOLS = 10000, JP_CONFIG_MAX_TEMPLATES = 1000, JP_CONFIG_MAX_DEPTH = 16 };

/* The log section. */
struct jp_log_config {
    uint64_t present;
    char *file;              /* NULL: beside the database, "jobpool.log" */
    uint32_t level;          /* enum jp_log_level */
    uint64_t max_size_bytes; /* a file larger than this is put aside as .1, .2, ... */
    uint32_t keep;           /* so many old files */
};

struct jp_database_config {
    uint64_t present;
    char *file;
    uint64_t flush_interval_100ns;
    uint64_t max_backlog; /* records kept while the database refuses to be written */
};

struct jp_pipe_config {
    uint64_t present;
    char *name;      /* without the leading \\.\pipe\ */
    char *security;  /* SDDL */
};

struct jp_sampling_config {
    uint64_t present;
    uint64_t interval_100ns; /* how often all processes are looked at while a pool needs it */
    uint64_t record_100ns;   /* how often pools with members are recorded; 0: not at all */
};

/* What of the accounts is kept; see struct jp_retention. */
struct jp_retention_config {
    uint64_t present;
    uint64_t processes_100ns, events_100ns, hours_100ns, samples_100ns, audit_100ns, max_size_bytes;
};

struct jp_config {
    uint64_t present;
    char *schema;    /* "$schema", for editors; not looked at */
    bool watch_config; /* reload when the file changes */
    struct jp_log_config log;
    struct jp_database_config database;
    struct jp_pipe_config pipe;
    struct jp_sampling_config sampling;
    struct jp_retention_config retention;
    struct jp_quotas quotas;
    struct jp_access access; /* to the service, and to pools that say nothing themselves */
    cJSON *templates_json;   /* as written */
    struct jp_launch_template *templates; /* in the order of the file */
    size_t template_count;
    cJSON *pools_json; /* as written */
    struct jp_named_spec *pools; /* in the order of the file */
    size_t pool_count;
};

extern const struct jp_field jp_config_fields[];

struct jp_config_fault {
    unsigned line, column;
    char *text;
};
struct jp_config_faults {
    struct jp_config_fault *items; /* in the order of the file */
    size_t count;
};
void jp_config_faults_free(struct jp_config_faults *faults);

/* What only the system knows. */
struct jp_config_host {
    const char *(*environment)(const char *name);                          /* for %VAR% in paths; NULL: not set */
    jp_status (*check_security)(const char *sddl, struct jp_error *error); /* NULL: any text will do */
};

/* Reads `text` with all defaults filled in. JP_E_CONFIG if there are faults: then *ret_faults lists every one and *ret_config
 * is not written. */
jp_status jp_config_parse(const char *text, size_t length, const struct jp_config_host *host, struct jp_config *ret_config,
                          struct jp_config_faults *ret_faults);
void jp_config_free(struct jp_config *config);
void jp_config_free_pools(struct jp_config *config); /* only these: they have been made, and know their own specs */

/* Whether `fresh` changes what a running service keeps until it is restarted: everything but the pools, templates, access, sampling, retention and
 * watch_config. */
bool jp_config_needs_restart(const struct jp_config *running, const struct jp_config *fresh);

/* "file:line:column: text" for each, a line each. New memory (jp_free). */
char *jp_config_faults_format(const struct jp_config_faults *faults, const char *file);

#endif
