/* Owns what happens to the files of a damaged database. It deletes nothing: a person may still get something out of them. */
#include "store/damage.h"

#include "base/str.h"
#include "base/units.h"
#include "store/database.h"
#include "store/opening.h"

#include <string.h>
#include <uv.h>

/* https://sqlite.org/fileformat2.html#the_database_header */
enum { HEADER_BYTES = 100, HEADER_APPLICATION_ID = 68 };
static const char header_magic[16] = "SQLite format 3"; /* with its NUL */

/* The bytes read, or a negative libuv error. */
static int read_header(const char *file, unsigned char header[HEADER_BYTES]) {
    uv_fs_t request;
    int descriptor = uv_fs_open(NULL, &request, file, UV_FS_O_RDONLY, 0, NULL);
    uv_fs_req_cleanup(&request);
    if (descriptor < 0)
        return descriptor;
    char bytes[HEADER_BYTES];
    uv_buf_t buffer = uv_buf_init(bytes, sizeof bytes);
    int length = uv_fs_read(NULL, &request, descriptor, &buffer, 1, 0, NULL);
    uv_fs_req_cleanup(&request);
    uv_fs_close(NULL, &request, descriptor, NULL);
    uv_fs_req_cleanup(&request);
    if (length > 0)
        memcpy(header, bytes, (size_t)length);
    return length;
}

bool jp__damage_was_ours(const char *file) {
    static const unsigned char zero[HEADER_BYTES];
    unsigned char header[HEADER_BYTES] = {0};
    if (read_header(file, header) < HEADER_BYTES)
        return false;
    if (memcmp(header, zero, sizeof zero) == 0)
        return true;
    const unsigned char *id = header + HEADER_APPLICATION_ID;
    uint32_t application = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
    return memcmp(header, header_magic, sizeof header_magic) == 0 && application == JP__APPLICATION_ID;
}

/* "20261122T071530Z": file names on Windows have no colons. */
static void add_compact_time(struct jp_str *string) {
    char text[JP_TIME_TEXT];
    jp_time_format(jp__now_100ns(), text);
    for (const char *at = text; *at != '\0' && *at != '.'; at++) {
        if (*at != '-' && *at != ':')
            jp_str_putc(string, *at);
    }
    jp_str_putc(string, 'Z');
}

static const char *const suffixes[] = {"-wal", "-shm", ""}; /* the database last: without it the others mean nothing */
enum { SUFFIXES = sizeof suffixes / sizeof *suffixes };

/* A file that is not there is no failure: there may be no WAL. */
static int rename_if_there(const char *file, const char *name, const char *suffix) {
    char *from = jp_sprintf("%s%s", file, suffix);
    char *to = jp_sprintf("%s%s", name, suffix);
    uv_fs_t request;
    int result = uv_fs_rename(NULL, &request, from, to, NULL);
    uv_fs_req_cleanup(&request);
    jp_free(from);
    jp_free(to);
    return result == UV_ENOENT ? 0 : result;
}

static bool is_taken(const char *name) {
    bool taken = false;
    for (size_t i = 0; i < SUFFIXES; i++) {
        char *file = jp_sprintf("%s%s", name, suffixes[i]);
        uv_fs_t request;
        taken = taken || uv_fs_stat(NULL, &request, file, NULL) == 0;
        uv_fs_req_cleanup(&request);
        jp_free(file);
    }
    return taken;
}

/* A name that nothing has yet: two may be damaged within one second. */
static char *new_name(const char *file) {
    struct jp_str name = {0};
    jp_str_printf(&name, "%s.damaged-", file);
    add_compact_time(&name);
    size_t length = name.length;
    for (int i = 2; is_taken(name.data); i++) {
        name.length = length;
        jp_str_printf(&name, "-%d", i);
    }
    return jp_str_take(&name);
}

jp_status jp__damage_set_aside(const char *file, char **ret_name, struct jp_error *error) {
    char *name = new_name(file);
    for (size_t i = 0; i < SUFFIXES; i++) {
        int result = rename_if_there(file, name, suffixes[i]);
        if (result >= 0)
            continue;
        jp_fail(error, JP_E_STORE, "the damaged database \"%s%s\" cannot be set aside as \"%s%s\": %s", file, suffixes[i], name,
                suffixes[i], uv_strerror(result));
        while (i-- > 0) /* they belong together; a later attempt takes them all */
            rename_if_there(name, file, suffixes[i]);
        jp_free(name);
        return error->status;
    }
    *ret_name = name;
    return JP_OK;
}
