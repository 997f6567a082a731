/* Puts itself before SQLite's access to files, to write one thing at a time and to know of each. */
#include "daemon_sim.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { METHOD_SETS = 4 }; /* SQLite has one for databases and one for journals */

struct methods {
    sqlite3_io_methods ours; /* first: a file points to it */
    const sqlite3_io_methods *real;
};

static struct {
    sqlite3_vfs vfs, *real;
    struct methods sets[METHOD_SETS];
    uv_mutex_t mutex;
    bool full;
    char *file; /* the last database that was opened */
} disk;

static const char *const parts[] = {"", "-wal", "-journal"};

static const sqlite3_io_methods *real_methods(const sqlite3_file *file) { return ((const struct methods *)(const void *)file->pMethods)->real; }

static int disk_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    uv_mutex_lock(&disk.mutex);
    int code = disk.full ? SQLITE_FULL : real_methods(file)->xWrite(file, bytes, count, offset);
    uv_mutex_unlock(&disk.mutex);
    return code;
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size) {
    uv_mutex_lock(&disk.mutex);
    int code = real_methods(file)->xTruncate(file, size);
    uv_mutex_unlock(&disk.mutex);
    return code;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync) {
    (void)vfs;
    uv_mutex_lock(&disk.mutex);
    int code = disk.real->xDelete(disk.real, name, sync);
    uv_mutex_unlock(&disk.mutex);
    return code;
}

/* Under the mutex. */
static const struct methods *ours_for(const sqlite3_io_methods *real) {
    size_t i = 0;
    while (disk.sets[i].real && disk.sets[i].real != real)
        if (++i == METHOD_SETS)
            abort();
    if (!disk.sets[i].real) {
        disk.sets[i] = (struct methods){.ours = *real, .real = real};
        disk.sets[i].ours.xWrite = disk_write;
        disk.sets[i].ours.xTruncate = disk_truncate;
    }
    return &disk.sets[i];
}

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags) {
    (void)vfs;
    int code = disk.real->xOpen(disk.real, name, file, flags, ret_flags);
    if (code != SQLITE_OK || !file->pMethods)
        return code;
    uv_mutex_lock(&disk.mutex);
    file->pMethods = &ours_for(file->pMethods)->ours;
    if (flags & SQLITE_OPEN_MAIN_DB && flags & SQLITE_OPEN_READWRITE) {
        jp_free(disk.file);
        disk.file = jp_strdup(name);
    }
    uv_mutex_unlock(&disk.mutex);
    return SQLITE_OK;
}

void jp_simd_disk_init(void) {
    uv_mutex_init(&disk.mutex);
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

static void each_part(void (*act)(const char *name, const char *aside)) {
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *name = jp_sprintf("%s%s", disk.file, parts[i]), *aside = jp_sprintf("%s.aside%s", disk.file, parts[i]);
        act(name, aside);
        jp_free(name);
        jp_free(aside);
    }
}

void jp_simd_disk_freeze(void) {
    uv_mutex_lock(&disk.mutex);
    each_part(copy);
    uv_mutex_unlock(&disk.mutex);
}

static void put_back(const char *name, const char *aside) {
    unlink(name);
    rename(aside, name);
}

void jp_simd_disk_thaw(void) {
    char *index = jp_sprintf("%s-shm", disk.file);
    unlink(index); /* what it says of the WAL is not of this one */
    jp_free(index);
    each_part(put_back);
}
