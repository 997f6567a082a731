/* The privileges that the service uses, and no others: one table for what it enables, what it is installed with
 * (SERVICE_REQUIRED_PRIVILEGES_INFO: Windows takes the rest out of its token), and what the documents say. */
#ifndef JP_WIN32_PRIVILEGES_H
#define JP_WIN32_PRIVILEGES_H

#include <stdbool.h>

struct jp_privilege {
    const char *name;    /* NULL ends the table */
    bool enable;         /* off in a new token, and wanted on; the others are on, or are asked of whoever calls */
    const char *purpose;
};
extern const struct jp_privilege jp_win32_privileges[]; /* in the order of their names */

#endif
