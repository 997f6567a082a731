/* The configuration's file, watched while "watch_config" is on: a reload by itself when it has changed and been left alone for a moment.
 *
 * It is the folder that is watched, because editors write a new file and rename it to the old one's name. What the folder tells is only a
 * reason to look: the file is read again if it is another than the one that was read last. */
#include "daemon/daemon_internal.h"

#include <string.h>

enum { QUIET_MS = 700 };

struct jp__config_stamp jp__config_stamp(const char *file) {
    struct jp__config_stamp stamp = {0};
    uv_fs_t request;
    if ((stamp.failure = uv_fs_stat(NULL, &request, file, NULL)) == 0) {
        const uv_stat_t *stat = &request.statbuf;
        stamp = (struct jp__config_stamp){.inode = stat->st_ino, .size = stat->st_size, .written_s = stat->st_mtim.tv_sec,
                                          .written_ns = stat->st_mtim.tv_nsec, .changed_s = stat->st_ctim.tv_sec,
                                          .changed_ns = stat->st_ctim.tv_nsec};
    }
    uv_fs_req_cleanup(&request);
    return stamp;
}

static bool same(const struct jp__config_stamp *one, const struct jp__config_stamp *other) {
    return one->inode == other->inode && one->size == other->size && one->written_s == other->written_s &&
           one->written_ns == other->written_ns && one->changed_s == other->changed_s && one->changed_ns == other->changed_ns;
}

static const char *file_name(const char *path) {
    const char *name = path;
    for (; *path; path++)
        if (*path == '/' || *path == '\\')
            name = path + 1;
    return name;
}

/* Whether what the folder told may be of the file. Letters other than ASCII count as the same, and of a file in a root libuv tells the name
 * without its first letter: a look too many costs little. */
static bool may_be(const char *name, const char *other) {
    if (strlen(name) + 1 == strlen(other))
        other++;
    for (; *name && *other; name++, other++) {
        bool ascii = (unsigned char)*name < 0x80 && (unsigned char)*other < 0x80;
        char one = *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name;
        char two = *other >= 'A' && *other <= 'Z' ? (char)(*other - 'A' + 'a') : *other;
        if (ascii && one != two)
            return false;
    }
    return *name == *other;
}

static void look_soon(struct jp_daemon *daemon) { daemon->config_due_ms = jp__daemon_now_ms(daemon) + QUIET_MS; }

static void stop_watching(struct jp_daemon *daemon) {
    daemon->config_due_ms = UINT64_MAX;
    uv_fs_event_stop(&daemon->config_watch);
}

static void on_change(uv_fs_event_t *watch, const char *name, int events, int status) {
    struct jp_daemon *daemon = watch->data;
    (void)events;
    if (status) {
        jp_log(&daemon->log, JP_LOG_WARNING, "the folder of %s cannot be watched any more (%s): reload by hand", daemon->with.config_file,
               uv_strerror(status));
        stop_watching(daemon);
        return;
    }
    if (name && !may_be(name, file_name(daemon->with.config_file)))
        return;
    jp_log(&daemon->log, JP_LOG_DEBUG, "%s changes", daemon->with.config_file);
    look_soon(daemon);
}

/* The file's folder, without a separator behind it (libuv counts that into the names that it tells), but for a root. */
static char *folder_of(const char *file) {
    size_t length = (size_t)(file_name(file) - file);
    bool root = length == 1 || (length == 3 && file[1] == ':');
    return length ? jp_strndup(file, root ? length : length - 1) : jp_strdup(".");
}

static void start_watching(struct jp_daemon *daemon) {
    const char *file = daemon->with.config_file;
    char *folder = folder_of(file);
    int failure = uv_fs_event_start(&daemon->config_watch, on_change, folder, 0);
    jp_free(folder);
    if (failure)
        jp_log(&daemon->log, JP_LOG_WARNING, "the folder of %s cannot be watched (%s): reload by hand", file, uv_strerror(failure));
    else
        look_soon(daemon); /* it may have changed between the reading and now */
}

void jp__watch_config(struct jp_daemon *daemon) {
    bool watching = uv_is_active((uv_handle_t *)&daemon->config_watch);
    if (daemon->config.watch_config && !watching)
        start_watching(daemon);
    else if (!daemon->config.watch_config && watching)
        stop_watching(daemon);
}

uint64_t jp__watch_on_time(struct jp_daemon *daemon) {
    if (daemon->config_due_ms > jp__daemon_now_ms(daemon))
        return daemon->config_due_ms;
    daemon->config_due_ms = UINT64_MAX;
    struct jp__config_stamp now = jp__config_stamp(daemon->with.config_file);
    if (now.failure) /* gone, or in the hands of whoever changes it */
        jp_log(&daemon->log, JP_LOG_WARNING, "%s cannot be looked at (%s); what was read of it last stays in force", daemon->with.config_file,
               uv_strerror(now.failure));
    else if (!same(&now, &daemon->config_stamp))
        jp__reload_by_itself(daemon);
    return daemon->config_due_ms;
}
