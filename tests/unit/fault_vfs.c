/* Owns the disk that fails. */
#include "fault_vfs.h"

#include "base/str.h"
#include "unit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>
#include <uv.h>

enum { METHOD_SETS = 8, MAX_FILES = 16, MAX_OPEN = 64, SECTOR_BYTES = 512 };

struct bytes {
    char *data;
    size_t length;
};

/* A file by its name, whether or not it is open or there. */
struct image {
    char *name;
    bool was_there;       /* on the disk: its directory entry was synced */
    bool new_journal;     /* SQLite syncs the folder with the first sync of a journal or WAL that it has made */
    struct bytes durable; /* what was synced */
    struct bytes removed; /* what was synced of the file that had this name before, while its removal was not. No data: there is none */
};

static struct {
    sqlite3_vfs vfs, *real;
    struct {
        sqlite3_io_methods ours; /* first: a file points to it */
        const sqlite3_io_methods *real;
    } sets[METHOD_SETS];
    uv_mutex_t mutex;
    struct image images[MAX_FILES];
    struct {
        sqlite3_file *file;
        struct image *image;
    } open[MAX_OPEN];
    enum fault_kind kind;
    uint64_t at, times;
    uint64_t counts[FAULT_KINDS], injected;
    bool dark; /* the power has gone */
} disk;

static const char *const names[FAULT_KINDS] = {
    [FAULT_NONE] = "none",       [FAULT_WRITE] = "failed write",    [FAULT_TORN_WRITE] = "torn write", [FAULT_FULL] = "full disk",
    [FAULT_SYNC] = "failed sync", [FAULT_READ] = "failed read",     [FAULT_SIZE] = "size unknown",     [FAULT_TRUNCATE] = "failed truncate",
    [FAULT_OPEN] = "failed open", [FAULT_DELETE] = "failed delete", [FAULT_ACCESS] = "failed access",  [FAULT_LOCK] = "locked by another",
    [FAULT_MAP] = "failed map",   [FAULT_POWER] = "power cut",
};

const char *fault_kind_name(enum fault_kind kind) { return names[kind]; }

/* --- what the real files hold --- */

static struct bytes read_all(const char *name) {
    struct bytes bytes = {0};
    FILE *file = fopen(name, "rb");
    if (file != NULL) {
        fseek(file, 0, SEEK_END);
        bytes.length = (size_t)ftell(file);
        rewind(file);
    }
    bytes.data = jp_alloc(bytes.length + 1);
    if (file == NULL)
        return bytes;
    if (fread(bytes.data, 1, bytes.length, file) != bytes.length)
        abort();
    fclose(file);
    return bytes;
}

/* In place: it may be open. */
static void write_all(const char *name, const struct bytes *bytes) {
    FILE *file = fopen(name, "r+b");
    if (file == NULL)
        file = fopen(name, "wb");
    if (file == NULL || fwrite(bytes->data, 1, bytes->length, file) != bytes->length || fclose(file) != 0)
        abort();
    if (truncate(name, (off_t)bytes->length) != 0)
        abort();
}

static void take_bytes(struct bytes *old, struct bytes next) {
    jp_free(old->data);
    *old = next;
}

/* --- images; under the mutex --- */

static struct image *image_of(const char *name) {
    size_t i = 0;
    while (disk.images[i].name != NULL && strcmp(disk.images[i].name, name) != 0)
        if (++i == MAX_FILES)
            abort();
    if (disk.images[i].name == NULL) {
        disk.images[i].name = jp_strdup(name);
        disk.images[i].was_there = access(name, F_OK) == 0;
        disk.images[i].durable = read_all(name);
    }
    return &disk.images[i];
}

static struct image *image_of_open(const sqlite3_file *file) {
    for (size_t i = 0; i < MAX_OPEN; i++)
        if (disk.open[i].file == file)
            return disk.open[i].image;
    abort();
}

/* Takes `file` into the list of open ones, or with image NULL out of it. */
static void note_open(sqlite3_file *file, struct image *image) {
    for (size_t i = 0; i < MAX_OPEN; i++) {
        if (disk.open[i].file != (image != NULL ? NULL : file))
            continue;
        disk.open[i].file = image != NULL ? file : NULL;
        disk.open[i].image = image;
        return;
    }
    abort();
}

/* --- faults --- */

/* Counts an operation that faults of `kind` are about; true: it fails. Under the mutex. */
static bool fails_as(enum fault_kind kind) {
    uint64_t number = ++disk.counts[kind];
    if (disk.kind != kind || disk.at == 0 || number < disk.at || number >= disk.at + disk.times)
        return false;
    disk.injected++;
    return true;
}

/* The same for what changes the disk, whose power may go. */
static bool power_fails(void) {
    if (fails_as(FAULT_POWER))
        disk.dark = true;
    return disk.dark;
}

static const sqlite3_io_methods *real_methods(const sqlite3_file *file) {
    for (size_t i = 0; i < METHOD_SETS; i++)
        if (file->pMethods == &disk.sets[i].ours)
            return disk.sets[i].real;
    abort();
}

static int on_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    uv_mutex_lock(&disk.mutex);
    int code = SQLITE_OK, written = count;
    if (fails_as(FAULT_WRITE))
        code = SQLITE_IOERR_WRITE, written = 0;
    if (fails_as(FAULT_TORN_WRITE))
        code = SQLITE_IOERR_WRITE, written = count / 2;
    if (fails_as(FAULT_FULL))
        code = SQLITE_FULL, written = count / 2;
    if (power_fails()) /* the write at which it goes reaches some sectors too */
        code = SQLITE_IOERR_WRITE, written = disk.counts[FAULT_POWER] == disk.at ? count : 0;
    if (written > 0) {
        int real = real_methods(file)->xWrite(file, bytes, written, offset);
        code = code == SQLITE_OK ? real : code;
    }
    uv_mutex_unlock(&disk.mutex);
    return code;
}

/* What was made and removed in the folder stays so. */
static void sync_folder(void) {
    for (size_t i = 0; i < MAX_FILES && disk.images[i].name != NULL; i++) {
        disk.images[i].was_there = access(disk.images[i].name, F_OK) == 0;
        take_bytes(&disk.images[i].removed, (struct bytes){0});
    }
}

static void note_removed(struct image *image) {
    if (image->was_there && image->removed.data == NULL)
        image->removed = image->durable;
    else
        jp_free(image->durable.data);
    image->durable = (struct bytes){.data = jp_alloc(1)};
}

static int on_sync(sqlite3_file *file, int flags) {
    (void)flags;
    uv_mutex_lock(&disk.mutex);
    struct image *image = image_of_open(file);
    int code = SQLITE_OK;
    if (fails_as(FAULT_SYNC)) {
        code = SQLITE_IOERR_FSYNC;
        write_all(image->name, &image->durable);
    } else if (power_fails()) {
        code = SQLITE_IOERR_FSYNC;
    } else { /* the real sync is left out: only the power that we cut is to be feared here */
        take_bytes(&image->durable, read_all(image->name));
        image->was_there = true;
        if (image->new_journal)
            sync_folder();
        image->new_journal = false;
    }
    uv_mutex_unlock(&disk.mutex);
    return code;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size) {
    uv_mutex_lock(&disk.mutex);
    bool fails = fails_as(FAULT_TRUNCATE);
    fails = power_fails() || fails;
    int code = fails ? SQLITE_IOERR_TRUNCATE : real_methods(file)->xTruncate(file, size);
    uv_mutex_unlock(&disk.mutex);
    return code;
}

static int on_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    uv_mutex_lock(&disk.mutex);
    bool fails = fails_as(FAULT_READ) || disk.dark;
    int code = fails ? SQLITE_IOERR_READ : real_methods(file)->xRead(file, bytes, count, offset);
    uv_mutex_unlock(&disk.mutex);
    return code;
}

static int on_file_size(sqlite3_file *file, sqlite3_int64 *ret_size) {
    uv_mutex_lock(&disk.mutex);
    bool fails = fails_as(FAULT_SIZE) || disk.dark;
    int code = fails ? SQLITE_IOERR_FSTAT : real_methods(file)->xFileSize(file, ret_size);
    uv_mutex_unlock(&disk.mutex);
    return code;
}

static int on_lock(sqlite3_file *file, int level) {
    uv_mutex_lock(&disk.mutex);
    int code = fails_as(FAULT_LOCK) ? SQLITE_BUSY : disk.dark ? SQLITE_IOERR_LOCK : SQLITE_OK;
    uv_mutex_unlock(&disk.mutex);
    return code != SQLITE_OK ? code : real_methods(file)->xLock(file, level);
}

static int on_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
    uv_mutex_lock(&disk.mutex);
    int code = SQLITE_OK;
    if (flags & SQLITE_SHM_LOCK) /* giving one back does not fail */
        code = fails_as(FAULT_LOCK) ? SQLITE_BUSY : disk.dark ? SQLITE_IOERR_SHMLOCK : SQLITE_OK;
    uv_mutex_unlock(&disk.mutex);
    return code != SQLITE_OK ? code : real_methods(file)->xShmLock(file, offset, count, flags);
}

static int on_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret_memory) {
    uv_mutex_lock(&disk.mutex);
    bool fails = fails_as(FAULT_MAP) || disk.dark;
    uv_mutex_unlock(&disk.mutex);
    return fails ? SQLITE_IOERR_SHMMAP : real_methods(file)->xShmMap(file, page, size, extend, ret_memory);
}

static int on_close(sqlite3_file *file) {
    uv_mutex_lock(&disk.mutex);
    note_open(file, NULL);
    uv_mutex_unlock(&disk.mutex);
    return real_methods(file)->xClose(file);
}

/* Under the mutex. */
static const sqlite3_io_methods *ours_for(const sqlite3_io_methods *real) {
    size_t i = 0;
    while (disk.sets[i].real != NULL && disk.sets[i].real != real)
        if (++i == METHOD_SETS)
            abort();
    if (disk.sets[i].real == NULL) {
        disk.sets[i].real = real;
        sqlite3_io_methods *ours = &disk.sets[i].ours;
        *ours = *real;
        ours->xClose = on_close;
        ours->xWrite = on_write;
        ours->xSync = on_sync;
        ours->xTruncate = on_truncate;
        ours->xRead = on_read;
        ours->xFileSize = on_file_size;
        ours->xLock = on_lock;
        ours->xShmLock = on_shm_lock;
        ours->xShmMap = on_shm_map;
    }
    return &disk.sets[i].ours;
}

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags) {
    (void)vfs;
    uv_mutex_lock(&disk.mutex);
    file->pMethods = NULL;
    int code = SQLITE_CANTOPEN;
    bool fails = name != NULL && fails_as(FAULT_OPEN);
    if (!fails && !disk.dark) {
        bool is_new = name != NULL && access(name, F_OK) != 0;
        if (name != NULL) /* looked at before it is made */
            image_of(name)->new_journal |= is_new && flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL);
        code = disk.real->xOpen(disk.real, name, file, flags, ret_flags);
    }
    if (code == SQLITE_OK && name != NULL && file->pMethods != NULL) {
        file->pMethods = ours_for(file->pMethods);
        note_open(file, image_of(name));
    }
    uv_mutex_unlock(&disk.mutex);
    return code;
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int sync) {
    (void)vfs;
    uv_mutex_lock(&disk.mutex);
    bool fails = fails_as(FAULT_DELETE);
    fails = power_fails() || fails;
    struct image *image = image_of(name); /* looked at before it is removed */
    int code = fails ? SQLITE_IOERR_DELETE : disk.real->xDelete(disk.real, name, 0);
    if (code == SQLITE_OK)
        note_removed(image);
    if (code == SQLITE_OK && sync)
        sync_folder();
    uv_mutex_unlock(&disk.mutex);
    return code;
}

static int on_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_found) {
    (void)vfs;
    uv_mutex_lock(&disk.mutex);
    bool fails = fails_as(FAULT_ACCESS) || disk.dark;
    uv_mutex_unlock(&disk.mutex);
    return fails ? SQLITE_IOERR_ACCESS : disk.real->xAccess(disk.real, name, flags, ret_found);
}

/* --- for the tests --- */

void fault_vfs_install(void) {
    uv_mutex_init(&disk.mutex);
    disk.real = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.real;
    disk.vfs.zName = "fault";
    disk.vfs.xOpen = on_open;
    disk.vfs.xDelete = on_delete;
    disk.vfs.xAccess = on_access;
    sqlite3_vfs_register(&disk.vfs, 1);
}

/* Under the mutex. */
static void forget_images(void) {
    for (size_t i = 0; i < MAX_OPEN; i++)
        if (disk.open[i].file != NULL)
            return;
    for (size_t i = 0; i < MAX_FILES; i++) {
        jp_free(disk.images[i].name);
        jp_free(disk.images[i].durable.data);
        jp_free(disk.images[i].removed.data);
    }
    memset(disk.images, 0, sizeof disk.images);
}

void fault_vfs_arm(enum fault_kind kind, uint64_t at, uint64_t times) {
    uv_mutex_lock(&disk.mutex);
    forget_images();
    memset(disk.counts, 0, sizeof disk.counts);
    disk.kind = kind;
    disk.at = at;
    disk.times = times;
    disk.injected = 0;
    disk.dark = false;
    uv_mutex_unlock(&disk.mutex);
}

uint64_t fault_vfs_count(enum fault_kind kind) {
    uv_mutex_lock(&disk.mutex);
    uint64_t count = disk.counts[kind];
    uv_mutex_unlock(&disk.mutex);
    return count;
}

uint64_t fault_vfs_injected(void) {
    uv_mutex_lock(&disk.mutex);
    uint64_t injected = disk.injected;
    uv_mutex_unlock(&disk.mutex);
    return injected;
}

/* What a disk may have of a file that should hold `wanted` and of which `durable` was synced. */
static struct bytes survivors(const struct bytes *durable, const struct bytes *wanted, unsigned percent, uint64_t *random) {
    struct bytes result = {.length = random_below(random, 100) < percent ? wanted->length : durable->length};
    result.data = jp_alloc(result.length + 1);
    memcpy(result.data, durable->data, durable->length < result.length ? durable->length : result.length);
    for (size_t at = 0; at < result.length && at < wanted->length; at += SECTOR_BYTES) {
        size_t end = at + SECTOR_BYTES, limit = wanted->length < result.length ? wanted->length : result.length;
        if (random_below(random, 100) < percent)
            memcpy(result.data + at, wanted->data + at, (end < limit ? end : limit) - at);
    }
    return result;
}

static void restore(const struct image *image, unsigned percent, uint64_t *random) {
    bool is_there = access(image->name, F_OK) == 0, folder_survives = random_below(random, 100) < percent;
    if (image->removed.data != NULL && !folder_survives) {
        write_all(image->name, &image->removed); /* it has come back, as a whole */
        return;
    }
    if (is_there && !image->was_there && !folder_survives) {
        unlink(image->name);
        return;
    }
    if (!is_there)
        return;
    struct bytes wanted = read_all(image->name);
    struct bytes found = survivors(&image->durable, &wanted, percent, random);
    write_all(image->name, &found);
    jp_free(wanted.data);
    jp_free(found.data);
}

void fault_vfs_power_on(unsigned survives_percent, uint64_t seed) {
    for (size_t i = 0; i < MAX_FILES && disk.images[i].name != NULL; i++) {
        restore(&disk.images[i], survives_percent, &seed);
        char *memory = jp_sprintf("%s-shm", disk.images[i].name);
        unlink(memory); /* it does not outlive the machine */
        jp_free(memory);
    }
    fault_vfs_arm(FAULT_NONE, 0, 0);
}
