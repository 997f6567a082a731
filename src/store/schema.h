/* The tables, and how a database of an older version becomes one of this. */
#ifndef JP_STORE_SCHEMA_H
#define JP_STORE_SCHEMA_H

#include <sqlite3.h>

enum { JP__SCHEMA_VERSION = 7 };

/* Brings an empty database, or one of version `from`, to JP__SCHEMA_VERSION: each step is one transaction, so a stop in
 * between leaves an older but whole database. Returns SQLite's code. */
int jp__schema_migrate(sqlite3 *db, int from);

#endif
