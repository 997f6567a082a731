/* jobpoold uninstall: what install made goes; what was recorded stays, unless --purge. */
#include "daemon/daemon.h"
#include "platform.h"
#include "setup.h"
#include "win32/paths.h"
#include "win32/wide.h"

#include <string.h>
#include <windows.h>

struct uninstall {
    struct jp_setup setup;
    char *program, *config_file; /* of the service that is there */
    struct jp_config config;
    bool config_known;
    struct jp_error why_not; /* it is not known */
    size_t left; /* files that could not be deleted */
};

static jp_status look(struct uninstall *uninstall, struct jp_error *error) {
    char *command = NULL, *faults;
    cJSON *data;
    jp_status status = jp_setup_open(&uninstall->setup, error);
    if (status == JP_OK)
        status = jp_win32_settings[0].read(uninstall->setup.scm, &command, error);
    if (status != JP_OK)
        return status;
    if (command)
        jp_win32_read_command(command, &uninstall->program, &uninstall->config_file);
    jp_free(command);
    if (!uninstall->config_file)
        uninstall->config_file = jp_win32_default_config();
    /* What others may have written does not say which files are deleted. */
    const struct jp_daemon_platform *platform = jp_service_platform(uninstall->setup.options->purge ? JP_TRUST_SERVICE : JP_TRUST_ANYONE);
    uninstall->config_known = jp_daemon_read_config(platform, uninstall->config_file, &uninstall->config, &faults, &data, &uninstall->why_not) == JP_OK;
    cJSON_Delete(data);
    jp_free(faults);
    return JP_OK;
}

/* Before anything is done: whether the data are really to go. */
static jp_status ask(const struct uninstall *uninstall, struct jp_error *error) {
    const struct jp_setup_options *options = uninstall->setup.options;
    if (!options->purge)
        return JP_OK;
    if (!uninstall->config_known && jp_win32_file_exists(uninstall->config_file))
        return jp_fail(error, JP_E_CONFIG,
                       "%s says which files are the service's, and does not count (see jobpoold --check-config --config FILE): %s. Nothing was done; "
                       "uninstall without --purge, and delete the files yourself",
                       uninstall->config_file, uninstall->why_not.text);
    if (options->yes || options->dry_run)
        return JP_OK;
    char *question = jp_sprintf("Delete configuration, log and accounts too (%s)? What was recorded is gone then.",
                                uninstall->config_known ? uninstall->config.database.file : uninstall->config_file);
    bool yes = jp_setup_confirmed(question);
    jp_free(question);
    return yes ? JP_OK : jp_fail(error, JP_E_CANCELLED, "nothing was done: --purge deletes what was recorded, and wants a \"y\" or --yes");
}

/* --- the service, and what the registry has of it --- */

/* In the order opposite to that of their making; the service last, so that what fails can be tried again. */
static jp_status take_away(struct uninstall *uninstall, const struct jp_setting *setting, struct jp_error *error) {
    char *have = NULL;
    jp_status status = setting->read(uninstall->setup.scm, &have, error);
    if (status == JP_OK && have && setting->undo_command) {
        char *line = setting->undo_command();
        jp_setup_line(&uninstall->setup, "%s", line);
        jp_free(line);
        if (!uninstall->setup.options->dry_run)
            status = setting->write(uninstall->setup.scm, NULL, error);
    }
    jp_free(have);
    return status;
}

static jp_status take_service_away(struct uninstall *uninstall, struct jp_error *error) {
    size_t count = 0;
    jp_status status = JP_OK;
    if (jp_win32_scm_installed(uninstall->setup.scm))
        status = jp_setup_stop(&uninstall->setup, error);
    while (jp_win32_settings[count].name)
        count++;
    while (status == JP_OK && count > 0)
        if (jp_win32_settings[--count].undo_command)
            status = take_away(uninstall, &jp_win32_settings[count], error);
    return status;
}

/* --- the data --- */

static void delete_file(struct uninstall *uninstall, const char *file) {
    if (!jp_win32_file_exists(file))
        return;
    jp_setup_line(&uninstall->setup, "del \"%s\"", file);
    if (uninstall->setup.options->dry_run)
        return;
    wchar_t *wide = jp_win32_wide(file);
    if (!DeleteFileW(wide)) {
        jp_setup_not_deleted(GetLastError(), file);
        uninstall->left++;
    }
    jp_free(wide);
}

/* accounting.db.damaged-..., jobpool.log.1: the file, and whatever has its name and more. */
static void delete_family(struct uninstall *uninstall, const char *file) {
    static const char *const more[] = {"", "-wal", "-shm", "-owner", ".*"};
    char *folder = jp_win32_folder_of(file);
    size_t own = strlen(file) - (size_t)(strrchr(file, '\\') ? strrchr(file, '\\') + 1 - file : 0);
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        WIN32_FIND_DATAW found;
        char *pattern = jp_sprintf("%s%s", file, more[i]);
        wchar_t *wide = jp_win32_wide(pattern);
        HANDLE search = FindFirstFileW(wide, &found);
        for (BOOL any = search != INVALID_HANDLE_VALUE; any; any = FindNextFileW(search, &found)) {
            char *name = jp_win32_utf8(found.cFileName), *path = jp_sprintf("%s\\%s", folder, name);
            bool again = i > 0 && strlen(name) <= own; /* to Windows, "accounting.db.*" is "accounting.db" too */
            if (!again && !(found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY))
                delete_file(uninstall, path);
            jp_free(name);
            jp_free(path);
        }
        if (search != INVALID_HANDLE_VALUE)
            FindClose(search);
        jp_free(wide);
        jp_free(pattern);
    }
    jp_free(folder);
}

/* A folder in which something is left is left, too. */
static void delete_folder(struct uninstall *uninstall, const char *file) {
    char *folder = jp_win32_folder_of(file);
    wchar_t *wide = jp_win32_wide(folder);
    if (jp_win32_file_exists(folder)) {
        BOOL gone = uninstall->setup.options->dry_run || RemoveDirectoryW(wide);
        DWORD win32 = gone ? 0 : GetLastError();
        if (gone)
            jp_setup_line(&uninstall->setup, "rmdir \"%s\"", folder);
        else if (win32 == ERROR_DIR_NOT_EMPTY)
            jp_setup_remark("the folder %s stays: there is more in it", folder);
        else
            jp_setup_not_deleted(win32, folder);
    }
    jp_free(wide);
    jp_free(folder);
}

static void purge(struct uninstall *uninstall) {
    delete_file(uninstall, uninstall->config_file);
    char *errors = jp_sprintf("%s.errors.log", uninstall->config_file);
    delete_family(uninstall, errors);
    jp_free(errors);
    if (uninstall->config_known) {
        delete_family(uninstall, uninstall->config.database.file);
        delete_family(uninstall, uninstall->config.log.file);
    }
    delete_folder(uninstall, uninstall->config_file);
}

static void say_what_is_left(const struct uninstall *uninstall) {
    size_t keepers = uninstall->program && !uninstall->setup.options->dry_run ? jp_setup_running(uninstall->program) : 0;
    if (keepers > 0)
        jp_setup_remark("processes of pools that are kept go on, with their limits, and with them the keeper, which has jobpoold.exe open until the last "
                        "of them has ended");
    if (!uninstall->setup.options->purge && jp_win32_file_exists(uninstall->config_file)) {
        char *folder = jp_win32_folder_of(uninstall->config_file);
        jp_setup_remark("configuration, log and accounts stay in %s", folder);
        jp_free(folder);
    }
}

static int do_uninstall(struct uninstall *uninstall) {
    struct jp_error error;
    jp_status status = look(uninstall, &error);
    if (status == JP_OK)
        status = ask(uninstall, &error);
    if (status == JP_OK)
        status = take_service_away(uninstall, &error);
    if (status != JP_OK)
        return jp_setup_complain("%s", error.text);
    if (uninstall->setup.options->purge)
        purge(uninstall);
    if (uninstall->setup.changes == 0)
        jp_setup_remark("it is not installed; nothing was changed");
    say_what_is_left(uninstall);
    return uninstall->left ? JP_SETUP_FAILED : JP_SETUP_DONE;
}

int jp_uninstall(const struct jp_setup_options *options) {
    struct uninstall uninstall = {.setup = {.options = options}};
    int code = do_uninstall(&uninstall);
    jp_setup_close(&uninstall.setup);
    if (uninstall.config_known)
        jp_config_free(&uninstall.config);
    jp_free(uninstall.program);
    jp_free(uninstall.config_file);
    return code;
}
