/* Puts itself before SQLite's access to files, to write one thing at a time and to know of each.
 *
 * The service's process can die at any write: that write and all later ones do not reach the disk that the next start sees. A power cut
 * also takes what was written and not synchronised, block by block, some and some not. */
#include "daemon_sim.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { METHOD_SETS = 8, BLOCK_BYTES = 4096 };
enum part { DATABASE, WAL, JOURNAL, PARTS };

static const char *const suffixes[PARTS] = {"", "-wal", "-journal"};

/* SQLite has methods for databases and for journals; ours know which file it is, too. */
struct methods {
    sqlite3_io_methods ours; /* first: a file points to it */
    const sqlite3_io_methods *real;
    enum part part;
};

struct block { /* as it is on the disk for certain */
    sqlite3_int64 number;
    unsigned char bytes[BLOCK_BYTES];
};

/* What was written since the last synchronisation. */
struct unsynced {
    struct block *blocks;
    size_t count, room;
    sqlite3_int64 size; /* of the file, at that time */
};

static struct {
    sqlite3_vfs vfs, *real;
    struct methods sets[METHOD_SETS];
    uv_mutex_t mutex;
    bool full;
    char *file; /* the last database that was opened */

    struct unsynced unsynced[PARTS];
    uint64_t writes_left; /* until the process dies; 0: it is not to */
    struct jp_simd_death death;
    bool dead, over; /* it died: the disk is kept aside; and everybody knows */
    uv_cond_t buried; /* `over` */
} disk;

/* All below are called under the mutex, until the end of SQLite's methods. */

static void copy(const char *from, const char *to) {
    char block[65536];
    FILE *source = fopen(from, "rb");
    unlink(to);
    if (!source)
        return;
    FILE *target = fopen(to, "wb");
    for (size_t length; (length = fread(block, 1, sizeof block, source)) > 0;)
        if (!target || fwrite(block, 1, length, target) != length)
            abort();
    fclose(source);
    if (!target || fclose(target))
        abort();
}

static void each_part(void (*act)(enum part part, const char *name, const char *aside)) {
    for (enum part part = DATABASE; part < PARTS; part++) {
        char *name = jp_sprintf("%s%s", disk.file, suffixes[part]), *aside = jp_sprintf("%s.aside%s", disk.file, suffixes[part]);
        act(part, name, aside);
        jp_free(name);
        jp_free(aside);
    }
}

static bool toss(void) {
    disk.death.seed = disk.death.seed * 6364136223846793005u + 1442695040888963407u;
    return disk.death.seed >> 63;
}

static void forget(const struct unsynced *since, FILE *file, bool all) {
    for (size_t i = 0; i < since->count; i++)
        if ((all || toss()) &&
            (fseek(file, (long)(since->blocks[i].number * BLOCK_BYTES), SEEK_SET) || fwrite(since->blocks[i].bytes, 1, BLOCK_BYTES, file) != BLOCK_BYTES))
            abort();
}

/* Either nothing that was not synchronised is there, or some blocks of it are: a disk writes in the order that it likes. */
static void cut_power(enum part part, const char *name, const char *aside) {
    const struct unsynced *since = &disk.unsynced[part];
    FILE *file = since->count ? fopen(aside, "r+b") : NULL;
    bool all = toss();
    (void)name;
    if (!file)
        return;
    forget(since, file, all);
    if (fclose(file) || (all && truncate(aside, since->size)))
        abort();
}

static void keep_aside(enum part part, const char *name, const char *aside) {
    (void)part;
    copy(name, aside);
}

static void die_here(void) {
    each_part(keep_aside);
    if (disk.death.power_cut)
        each_part(cut_power);
    disk.dead = true;
    disk.writes_left = 0;
}

/* SQLITE_OK: the write is to be done. The process dies at the loop's next turn, and nothing that this thread would write comes before
 * that; what it writes then is gone with the rest. The loop's own thread cannot wait for itself: it is told of an error. */
static int may_write(void) {
    if (disk.writes_left && !--disk.writes_left) {
        die_here();
        disk.over = !disk.death.tell(disk.death.context);
    }
    if (disk.dead && !disk.over && disk.death.is_loop(disk.death.context))
        return SQLITE_IOERR_WRITE;
    while (disk.dead && !disk.over)
        uv_cond_wait(&disk.buried, &disk.mutex);
    return SQLITE_OK;
}

static const struct methods *methods(const sqlite3_file *file) { return (const struct methods *)(const void *)file->pMethods; }

static void note_block(struct unsynced *since, sqlite3_file *file, sqlite3_int64 number) {
    for (size_t i = 0; i < since->count; i++)
        if (since->blocks[i].number == number)
            return;
    if (since->count == since->room) {
        since->room = since->room ? since->room * 2 : 16;
        since->blocks = jp_realloc_array(since->blocks, since->room, sizeof *since->blocks);
    }
    struct block *block = &since->blocks[since->count++];
    block->number = number;
    memset(block->bytes, 0, BLOCK_BYTES);
    methods(file)->real->xRead(file, block->bytes, BLOCK_BYTES, number * BLOCK_BYTES); /* behind the end there are zeros */
}

/* Before a write. */
static void note_blocks(sqlite3_file *file, int count, sqlite3_int64 offset) {
    struct unsynced *since = &disk.unsynced[methods(file)->part];
    if (!since->count)
        methods(file)->real->xFileSize(file, &since->size);
    for (sqlite3_int64 number = offset / BLOCK_BYTES; number * BLOCK_BYTES < offset + count; number++)
        note_block(since, file, number);
}

/* --- SQLite's methods --- */

static int disk_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    uv_mutex_lock(&disk.mutex);
    int code = disk.full ? SQLITE_FULL : may_write();
    if (code == SQLITE_OK) {
        note_blocks(file, count, offset);
        code = methods(file)->real->xWrite(file, bytes, count, offset);
    }
    uv_mutex_unlock(&disk.mutex);
    return code;
}

static int disk_sync(sqlite3_file *file, int flags) {
    uv_mutex_lock(&disk.mutex);
    int code = may_write();
    if (code == SQLITE_OK && (code = methods(file)->real->xSync(file, flags)) == SQLITE_OK)
        disk.unsynced[methods(file)->part].count = 0;
    uv_mutex_unlock(&disk.mutex);
    return code;
}

/* Its end, and that a file is there at all, the file system keeps in order. */
static int disk_truncate(sqlite3_file *file, sqlite3_int64 size) {
    uv_mutex_lock(&disk.mutex);
    int code = may_write();
    if (code == SQLITE_OK && (code = methods(file)->real->xTruncate(file, size)) == SQLITE_OK)
        disk.unsynced[methods(file)->part].count = 0;
    uv_mutex_unlock(&disk.mutex);
    return code;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync) {
    (void)vfs;
    uv_mutex_lock(&disk.mutex);
    int code = may_write();
    if (code == SQLITE_OK)
        code = disk.real->xDelete(disk.real, name, sync);
    uv_mutex_unlock(&disk.mutex);
    return code;
}

/* Under the mutex. */
static const struct methods *ours_for(const sqlite3_io_methods *real, enum part part) {
    size_t i = 0;
    while (disk.sets[i].real && (disk.sets[i].real != real || disk.sets[i].part != part))
        if (++i == METHOD_SETS)
            abort();
    if (!disk.sets[i].real) {
        disk.sets[i] = (struct methods){.ours = *real, .real = real, .part = part};
        disk.sets[i].ours.xWrite = disk_write;
        disk.sets[i].ours.xSync = disk_sync;
        disk.sets[i].ours.xTruncate = disk_truncate;
    }
    return &disk.sets[i];
}

/* The file that says whose the database is has nothing in it, and no crash changes that. */
static bool is_owner_mark(const char *name) {
    size_t length = name ? strlen(name) : 0, mark = strlen("-owner");
    return length > mark && strcmp(name + length - mark, "-owner") == 0;
}

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags) {
    (void)vfs;
    int code = disk.real->xOpen(disk.real, name, file, flags, ret_flags);
    if (code != SQLITE_OK || !file->pMethods || is_owner_mark(name))
        return code;
    uv_mutex_lock(&disk.mutex);
    enum part part = flags & SQLITE_OPEN_MAIN_DB ? DATABASE : flags & SQLITE_OPEN_WAL ? WAL : JOURNAL;
    if (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL))
        file->pMethods = &ours_for(file->pMethods, part)->ours;
    if (flags & SQLITE_OPEN_MAIN_DB && flags & SQLITE_OPEN_READWRITE) {
        jp_free(disk.file);
        disk.file = jp_strdup(name);
    }
    uv_mutex_unlock(&disk.mutex);
    return SQLITE_OK;
}

void jp_simd_disk_init(void) {
    uv_mutex_init(&disk.mutex);
    uv_cond_init(&disk.buried);
    disk.real = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.real;
    disk.vfs.zName = "jobpoold-sim";
    disk.vfs.xOpen = disk_open;
    disk.vfs.xDelete = disk_delete;
    sqlite3_vfs_register(&disk.vfs, 1);
}

void jp_simd_disk_full(bool full) {
    uv_mutex_lock(&disk.mutex);
    disk.full = full;
    uv_mutex_unlock(&disk.mutex);
}

void jp_simd_disk_die_at(uint64_t writes, const struct jp_simd_death *death) {
    uv_mutex_lock(&disk.mutex);
    disk.writes_left = writes;
    disk.death = *death;
    uv_mutex_unlock(&disk.mutex);
}

bool jp_simd_disk_dead(void) {
    uv_mutex_lock(&disk.mutex);
    bool dead = disk.dead;
    uv_mutex_unlock(&disk.mutex);
    return dead;
}

void jp_simd_disk_freeze(void) {
    uv_mutex_lock(&disk.mutex);
    if (!disk.dead)
        die_here();
    disk.over = true;
    uv_cond_broadcast(&disk.buried);
    uv_mutex_unlock(&disk.mutex);
}

static void put_back(enum part part, const char *name, const char *aside) {
    unlink(name);
    rename(aside, name);
    disk.unsynced[part].count = 0;
}

void jp_simd_disk_thaw(void) {
    uv_mutex_lock(&disk.mutex);
    char *index = jp_sprintf("%s-shm", disk.file);
    unlink(index); /* what it says of the WAL is not of this one */
    jp_free(index);
    each_part(put_back);
    disk.dead = disk.over = false;
    disk.death.power_cut = false;
    uv_mutex_unlock(&disk.mutex);
}

void jp_simd_disk_free(void) {
    for (enum part part = DATABASE; part < PARTS; part++)
        jp_free(disk.unsynced[part].blocks);
    jp_free(disk.file);
    uv_cond_destroy(&disk.buried);
    uv_mutex_destroy(&disk.mutex);
}
