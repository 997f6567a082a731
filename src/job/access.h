/* Who may do what with a pool, or with the service: rights, how the config says who has them, and the security descriptor that this makes.
 *
 * The descriptor is Windows' own and so is the check (AccessCheck on the client's token); here is only text. */
#ifndef JP_JOB_ACCESS_H
#define JP_JOB_ACCESS_H

#include "base/schema.h"

/* Object-specific rights of a descriptor. Of the generic ones, GR stands for view, GX for assign and launch, GW for control, GA for all. */
enum jp_right {
    JP_RIGHT_VIEW = 1,    /* see it, its processes, events and accounts */
    JP_RIGHT_ASSIGN = 2,  /* take running processes of one's own into it */
    JP_RIGHT_LAUNCH = 4,  /* start processes in it, as oneself */
    JP_RIGHT_CONTROL = 8, /* end, freeze and thaw */
    JP_RIGHT_ADMIN = 16,  /* change it, make pools below it, delete it */
    JP_RIGHTS_ALL = 31,
};
extern const struct jp_choice jp_rights[]; /* "view", ... */

/* Whoever may do anything may view, and an admin may do all. */
uint32_t jp_rights_with_implied(uint32_t rights);

/* The key `access`: either who has each right, or a descriptor. A name is a well-known alias ("Administrators", "Interactive", "Users",
 * "Everyone", "Authenticated Users", "SYSTEM", "Local Service", "Network Service", "Service", "Batch", ...; case does not count), a SID ("S-1-..."), or an
 * account or group ("DOMAIN\\name"). SYSTEM and Administrators have every right whatever the lists say; a descriptor is taken as it is. */
enum { JP_ACCESS_VIEW, JP_ACCESS_ASSIGN, JP_ACCESS_LAUNCH, JP_ACCESS_CONTROL, JP_ACCESS_ADMIN, JP_ACCESS_SDDL };
struct jp_access {
    uint64_t present;
    struct jp_strings view, assign, launch, control, admin;
    char *sddl;
};
extern const struct jp_field jp_access_fields[];
bool jp_access_given(const struct jp_access *access); /* anything of it; a list may be empty */

/* Where nothing is said: SYSTEM and Administrators everything, interactive users view. */
#define JP_ACCESS_DEFAULT_SDDL "O:SYG:SYD:P(A;;0x1f;;;SY)(A;;0x1f;;;BA)(A;;0x1;;;IU)"

/* What only the table cannot say: lists beside a descriptor, an empty name, a SID that is none. Adds faults at `json` (an object of the
 * key's, or NULL); false if there are any. */
bool jp_access_check(const struct jp_access *access, const cJSON *json, const char *path, struct jp_faults *faults);

/* The SID of an account by name: new memory (jp_free), or NULL if there is none, or none can be found out now. */
typedef char *jp_account_sid_fn(void *context, const char *account);

/* The descriptor as SDDL: new memory (jp_free). `access` NULL or empty: the default. Who has no SID gets nothing, and is added to
 * `ret_unknown` (jp_strings; the caller frees it). */
char *jp_access_sddl(const struct jp_access *access, jp_account_sid_fn *sid_of, void *context, struct jp_strings *ret_unknown);

#endif
