/* jobpoold install: brings the installation in line with what it should be, whatever it was. */
#include "config/first.h"
#include "daemon/daemon.h"
#include "platform.h"
#include "setup.h"
#include "win32/paths.h"
#include "win32/wide.h"

#include <string.h>
#include <windows.h>

struct install {
    struct jp_setup setup;
    struct jp_installation wanted;
    char *program, *config, *folder;
    bool was_installed;
};

/* --- what can be known before anything is done --- */

/* Of --config, else of the service that is there, else the default. */
static char *choose_config(const struct install *install) {
    char *command = NULL, *program = NULL, *config = NULL;
    struct jp_error ignored;
    if (install->setup.options->config)
        return jp_win32_full_path(install->setup.options->config);
    if (jp_win32_settings[0].read(install->setup.scm, &command, &ignored) == JP_OK && command)
        jp_win32_read_command(command, &program, &config);
    jp_free(command);
    jp_free(program);
    return config ? config : jp_win32_default_config();
}

/* The faults of a configuration that is there; `trust`: whether it must be one that the service takes. */
static jp_status check_config(const struct install *install, enum jp_win32_trust trust, struct jp_error *error) {
    struct jp_config config;
    char *faults;
    cJSON *data;
    if (!jp_win32_file_exists(install->config))
        return JP_OK;
    jp_status status = jp_daemon_read_config(jp_service_platform(trust), install->config, &config, &faults, &data, error);
    cJSON_Delete(data);
    if (status == JP_OK)
        jp_config_free(&config);
    jp_free(faults);
    return status;
}

static jp_status look(struct install *install, struct jp_error *error) {
    jp_status status = jp_setup_open(&install->setup, error);
    if (status != JP_OK)
        return status;
    install->was_installed = jp_win32_scm_installed(install->setup.scm);
    install->program = jp_win32_own_path();
    install->config = choose_config(install);
    install->folder = jp_win32_folder_of(install->config);
    install->wanted = (struct jp_installation){.program = install->program, .config = install->config};
    status = jp_win32_check_program(install->program, error);
    if (status != JP_OK)
        return jp_fail_because(error, "a service must not be started from here: put jobpoold.exe into a folder of its own below "
                                      "\"C:\\Program Files\" and install it from there");
    return check_config(install, JP_TRUST_ANYONE, error);
}

/* --- the folder, and what is first in it --- */

static void say_rights(struct install *install, bool reset) {
    if (reset)
        jp_setup_line(&install->setup, "icacls \"%s\" /reset", install->folder);
    jp_setup_line(&install->setup, "icacls \"%s\" /setowner *S-1-5-32-544", install->folder);
    jp_setup_line(&install->setup, "icacls \"%s\" /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F", install->folder);
}

static jp_status make_folder(struct install *install, struct jp_error *error) {
    jp_setup_line(&install->setup, "mkdir \"%s\"", install->folder);
    say_rights(install, false);
    if (install->setup.options->dry_run)
        return JP_OK;
    jp_status status = jp_win32_folder_make(install->folder, error);
    if (status == JP_OK)
        jp_setup_can_undo(&install->setup, JP_UNDO_FOLDER, NULL, install->folder);
    return status;
}

/* An empty one is replaced: whoever made it may have it open, with all rights. */
static jp_status take_over(struct install *install, struct jp_error *error) {
    struct jp_error because = *error;
    wchar_t *wide = jp_win32_wide(install->folder);
    jp_setup_remark("%s", because.text);
    jp_setup_line(&install->setup, "rmdir \"%s\"", install->folder);
    BOOL removed = install->setup.options->dry_run || RemoveDirectoryW(wide);
    DWORD win32 = removed ? 0 : GetLastError();
    jp_free(wide);
    if (!removed)
        return jp_fail_win32(error, JP_E_DENIED, win32, "RemoveDirectory",
                             "%s, and may have put files there for the service to read. Look at them, then delete or move the folder", because.text);
    return make_folder(install, error);
}

/* Not where more is than the service puts there: C:\, C:\Windows, a folder of tools are for others too. */
static jp_status close_folder(struct install *install, struct jp_error *error) {
    enum jp_private_folder kind;
    struct jp_error because = *error;
    jp_status status = jp_win32_folder_is_data(install->folder, error);
    if (status != JP_OK)
        return status;
    jp_setup_remark("%s", because.text);
    say_rights(install, true);
    if (install->setup.options->dry_run)
        return JP_OK;
    status = jp_win32_folder_close(install->folder, error);
    if (status == JP_OK) /* again, now that nobody can put anything there any more */
        status = jp_win32_folder_is_data(install->folder, error);
    if (status == JP_OK)
        status = jp_win32_folder_look(install->folder, &kind, error);
    if (status == JP_OK && kind != JP_FOLDER_PRIVATE)
        jp_setup_remark("this host does not keep a folder's rights: %s still", error->text);
    return status;
}

static jp_status prepare_folder(struct install *install, struct jp_error *error) {
    enum jp_private_folder kind;
    jp_status status = jp_win32_folder_look(install->folder, &kind, error);
    if (status != JP_OK)
        return status;
    switch (kind) {
    case JP_FOLDER_NONE:
        return make_folder(install, error);
    case JP_FOLDER_FOREIGN:
        return take_over(install, error);
    case JP_FOLDER_OPEN:
        return close_folder(install, error);
    case JP_FOLDER_PRIVATE:
        break;
    }
    return JP_OK;
}

/* As `jobpool init` without answers. */
static jp_status first_config(struct install *install, struct jp_error *error) {
    if (jp_win32_file_exists(install->config))
        return check_config(install, install->setup.options->dry_run ? JP_TRUST_ANYONE : JP_TRUST_SERVICE, error);
    jp_setup_line(&install->setup, "jobpool init --output \"%s\"", install->config);
    if (install->setup.options->dry_run)
        return JP_OK;
    struct jp_first_config answers = jp_first_defaults;
    answers.folder = install->folder;
    char *text = jp_config_first(&answers);
    jp_status status = jp_win32_write_file(install->config, text, false, error);
    jp_free(text);
    if (status == JP_OK)
        jp_setup_can_undo(&install->setup, JP_UNDO_FILE, NULL, install->config);
    return status;
}

/* --- the service --- */

static jp_status bring_in_line(struct install *install, const struct jp_setting *setting, const char *have, const char *value,
                               struct jp_error *error) {
    bool create = setting == jp_win32_settings && !have;
    char *line = create ? jp_win32_create_command(&install->wanted) : setting->command(value);
    if (have && install->was_installed)
        jp_setup_remark("%s was: %s", setting->name, have);
    jp_setup_line(&install->setup, "%s", line);
    jp_free(line);
    if (install->setup.options->dry_run)
        return JP_OK;
    jp_status status = setting->write(install->setup.scm, value, error);
    if (status == JP_OK && (install->was_installed || create || setting->undo_command))
        jp_setup_can_undo(&install->setup, JP_UNDO_SETTING, setting, have);
    return status;
}

static jp_status make_setting(struct install *install, const struct jp_setting *setting, struct jp_error *error) {
    char *have = NULL, *value = jp_win32_setting_wanted(setting, &install->wanted);
    bool to_come = install->setup.options->dry_run && !jp_win32_scm_installed(install->setup.scm);
    jp_status status = to_come && !setting->undo_command ? JP_OK : setting->read(install->setup.scm, &have, error);
    bool differs = status == JP_OK && !(have && jp_ascii_equal_nocase(have, value)) && !(to_come && setting->created);
    if (differs)
        status = bring_in_line(install, setting, have, value, error);
    if (status == JP_E_UNSUPPORTED) {
        jp_setup_remark("%s: this host has no such setting, and none is made", setting->name);
        status = JP_OK;
    }
    jp_free(have);
    jp_free(value);
    return status;
}

static jp_status make_settings(struct install *install, struct jp_error *error) {
    jp_status status = JP_OK;
    for (const struct jp_setting *setting = jp_win32_settings; setting->name && status == JP_OK; setting++)
        status = make_setting(install, setting, error);
    return status;
}

/* A service that does not start stays installed: what it says is needed to put it right. */
static int start(struct install *install) {
    struct jp_service_status now = {.state = JP_SERVICE_STOPPED};
    struct jp_error error;
    bool there = jp_win32_scm_installed(install->setup.scm);
    size_t changes = install->setup.changes;
    if (there && jp_win32_service_status(install->setup.scm, &now, &error) == JP_OK && now.state == JP_SERVICE_RUNNING) {
        if (changes > 0)
            jp_setup_remark("it runs; what changed counts from its next start on");
        return JP_SETUP_DONE;
    }
    if (jp_setup_start(&install->setup, &error) == JP_OK)
        return JP_SETUP_DONE;
    jp_setup_complain("%s", error.text);
    return jp_setup_complain("it is installed; the reason is in the Event Log (source " JP_SERVICE_NAME "), in \"%s.errors.log\", or ask "
                             "\"jobpool doctor\"",
                             install->config);
}

static int do_install(struct install *install) {
    struct jp_error error;
    jp_status status = look(install, &error);
    if (status == JP_OK)
        status = prepare_folder(install, &error);
    if (status == JP_OK)
        status = first_config(install, &error);
    if (status == JP_OK)
        status = make_settings(install, &error);
    if (status != JP_OK) {
        jp_setup_complain("%s", error.text);
        jp_setup_undo(&install->setup);
        return JP_SETUP_FAILED;
    }
    if (install->setup.changes == 0)
        jp_setup_remark("it is installed as it should be; nothing was changed");
    return install->setup.options->no_start ? JP_SETUP_DONE : start(install);
}

int jp_install(const struct jp_setup_options *options) {
    struct install install = {.setup = {.options = options}};
    int code = do_install(&install);
    jp_setup_close(&install.setup);
    jp_free(install.program);
    jp_free(install.config);
    jp_free(install.folder);
    return code;
}
