/* A configuration to begin with. */
#ifndef JP_CONFIG_FIRST_H
#define JP_CONFIG_FIRST_H

#include "base/status.h"

/* What is asked of whoever begins. Texts as the configuration has them. */
struct jp_first_config {
    const char *folder;    /* of database and log */
    const char *pool;      /* the first one's name */
    const char *memory;    /* "4GiB"; NULL or empty: no limit */
    const char *processes; /* "200"; NULL or empty: no limit */
    const char *allow;     /* an account or group that may use the pool; NULL or empty: administrators only */
};

extern const struct jp_first_config jp_first_defaults; /* all but the folder */

/* JSON with comments. Whatever the answers are it is JSON; whether they are good is for jp_config_parse() to say. New memory (jp_free). */
char *jp_config_first(const struct jp_first_config *first);

#endif
