/* Appends and rotates through libuv's file functions, which take UTF-8 names on every system. */
#include "loop/logfile.h"

#include "base/str.h"
#include "base/units.h"

#include <fcntl.h>
#include <string.h>

int64_t jp_loop_now_100ns(void) {
    uv_timespec64_t now;
    if (uv_clock_gettime(UV_CLOCK_REALTIME, &now))
        return 0;
    return JP_UNIX_EPOCH_100NS + now.tv_sec * JP_100NS_PER_S + now.tv_nsec / 100;
}

char *jp_logfile_line(enum jp_log_level level, const char *text) {
    char time[JP_TIME_TEXT];
    return jp_sprintf("%s %-7s %s\n", jp_time_format(jp_loop_now_100ns(), time), jp_log_level_name(level), text);
}

static int open_file(struct jp_logfile *logfile) {
    uv_fs_t request;
    int file = uv_fs_open(NULL, &request, logfile->path, UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_APPEND, 0644, NULL);
    uv_fs_req_cleanup(&request);
    logfile->file = file < 0 ? -1 : file;
    logfile->size = 0;
    if (file >= 0 && uv_fs_fstat(NULL, &request, file, NULL) == 0)
        logfile->size = request.statbuf.st_size;
    uv_fs_req_cleanup(&request);
    return file < 0 ? file : 0;
}

static void close_file(struct jp_logfile *logfile) {
    uv_fs_t request;
    if (logfile->file < 0)
        return;
    uv_fs_close(NULL, &request, logfile->file, NULL);
    uv_fs_req_cleanup(&request);
    logfile->file = -1;
}

static char *old_name(const struct jp_logfile *logfile, unsigned number) {
    return number ? jp_sprintf("%s.%u", logfile->path, number) : jp_strdup(logfile->path);
}

/* .4 to .5, ..., the file itself to .1. With none kept, the file begins anew. A rename that fails leaves the file growing
 * until the next try. */
static void rotate(struct jp_logfile *logfile) {
    uv_fs_t request;
    close_file(logfile);
    if (!logfile->keep) {
        uv_fs_unlink(NULL, &request, logfile->path, NULL);
        uv_fs_req_cleanup(&request);
    }
    for (unsigned number = logfile->keep; number-- > 0;) {
        char *from = old_name(logfile, number), *to = old_name(logfile, number + 1);
        uv_fs_rename(NULL, &request, from, to, NULL);
        uv_fs_req_cleanup(&request);
        jp_free(from);
        jp_free(to);
    }
    open_file(logfile);
}

jp_status jp_logfile_open(struct jp_logfile *logfile, const char *path, uint64_t max_size, unsigned keep, struct jp_error *error) {
    *logfile = (struct jp_logfile){.path = jp_strdup(path), .max_size = max_size, .keep = keep, .file = -1};
    int failure = open_file(logfile);
    if (!failure)
        failure = uv_mutex_init(&logfile->mutex);
    if (!failure)
        return JP_OK;
    close_file(logfile);
    jp_free(logfile->path);
    *logfile = (struct jp_logfile){.file = -1};
    return jp_fail(error, JP_E_SYSTEM, "cannot open the log file %s: %s", path, uv_strerror(failure));
}

void jp_logfile_close(struct jp_logfile *logfile) {
    close_file(logfile);
    uv_mutex_destroy(&logfile->mutex);
    jp_free(logfile->path);
}

void jp_logfile_write(void *sink, enum jp_log_level level, const char *text) {
    struct jp_logfile *logfile = sink;
    char *line = jp_logfile_line(level, text);
    size_t length = strlen(line);
    uv_buf_t buffer = uv_buf_init(line, (unsigned)length);
    uv_fs_t request;
    uv_mutex_lock(&logfile->mutex);
    if (logfile->file < 0)
        open_file(logfile);
    else if (logfile->size && logfile->size + length > logfile->max_size)
        rotate(logfile);
    if (logfile->file >= 0) {
        int written = uv_fs_write(NULL, &request, logfile->file, &buffer, 1, -1, NULL);
        uv_fs_req_cleanup(&request);
        if (written < 0)
            close_file(logfile);
        else
            logfile->size += (uint64_t)written;
    }
    uv_mutex_unlock(&logfile->mutex);
    jp_free(line);
}
