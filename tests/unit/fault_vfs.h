/* A disk that fails when it is told to: stands between SQLite and the real files.
 *
 * Every call of SQLite's that touches a file is an operation of one kind. From the Nth on (counted within what a fault is about) the fault
 * happens, once or several times in a row. For power cuts it keeps beside each file what was synced: after the cut every call fails, and
 * fault_vfs_power_on() makes the files what a disk would have: what was synced, and of the rest nothing, or some sectors.
 *
 * Any thread may use the files and call the functions here, but fault_vfs_power_on(). */
#ifndef JP_TESTS_FAULT_VFS_H
#define JP_TESTS_FAULT_VFS_H

#include <stdbool.h>
#include <stdint.h>

enum fault_kind {
    FAULT_NONE,       /* counts everything */
    FAULT_WRITE,      /* SQLITE_IOERR_WRITE, nothing is written */
    FAULT_TORN_WRITE, /* half of it is written, then SQLITE_IOERR_WRITE */
    FAULT_FULL,       /* SQLITE_FULL: half of a write, nothing of it */
    FAULT_SYNC,       /* SQLITE_IOERR_FSYNC, and what was not synced is gone from the file, as Linux drops its dirty pages */
    FAULT_READ,       /* SQLITE_IOERR_READ */
    FAULT_SIZE,       /* SQLITE_IOERR_FSTAT */
    FAULT_TRUNCATE,   /* SQLITE_IOERR_TRUNCATE */
    FAULT_OPEN,       /* SQLITE_CANTOPEN */
    FAULT_DELETE,     /* SQLITE_IOERR_DELETE */
    FAULT_ACCESS,     /* SQLITE_IOERR_ACCESS: whether a file is there cannot be asked */
    FAULT_LOCK,       /* SQLITE_BUSY: another program has the file, or a part of the shared memory, locked */
    FAULT_MAP,        /* SQLITE_IOERR_SHMMAP */
    FAULT_POWER,      /* the power goes: counted are writes, syncs, truncations and removals */
    FAULT_KINDS,
};
const char *fault_kind_name(enum fault_kind kind);

void fault_vfs_install(void); /* as SQLite's default, for the rest of the program */

/* Forgets counts, and, if no file is open, the files: what they hold then counts as synced. From operation `at` of those that `kind` is about (from 1; 0: never)
 * `times` in a row fail. */
void fault_vfs_arm(enum fault_kind kind, uint64_t at, uint64_t times);

uint64_t fault_vfs_count(enum fault_kind kind); /* operations since fault_vfs_arm that a fault of this kind would be about */
uint64_t fault_vfs_injected(void);              /* of these, how many failed */

/* After FAULT_POWER, when all connections are closed. Of each sector (512 bytes) that was written and not synced, `survives` per cent are there
 * all the same, chosen by `seed`; so too for a file's length and for a removal. */
void fault_vfs_power_on(unsigned survives_percent, uint64_t seed);

#endif
