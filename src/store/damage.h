/* A database that cannot be trusted any more, and where it goes. */
#ifndef JP_STORE_DAMAGE_H
#define JP_STORE_DAMAGE_H

#include "base/status.h"

/* Whether a file that SQLite cannot read was one of ours: its first page says so, or is all zero, as a power failure
 * leaves it. Anything else may be a file that somebody needs. No connection to the file may be open. */
bool jp__damage_was_ours(const char *file);

/* Renames the file, its WAL and its shared-memory file: "accounting.db.damaged-20261122T071530Z", so that all three still
 * belong together. *ret_name is jp_free'd. */
jp_status jp__damage_set_aside(const char *file, char **ret_name, struct jp_error *error);

#endif
