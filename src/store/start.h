/* What the last run left in the database. */
#ifndef JP_STORE_START_H
#define JP_STORE_START_H

#include "pool/accounts.h"

#include <sqlite3.h>

/* All but the numbers (numbers.h). Returns SQLite's code; what was read until then stands in *start (jp_accounts_start_clear). */
int jp__start_load(sqlite3 *db, struct jp_accounts_start *start);

#endif
