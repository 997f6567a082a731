/* jobpoold upgrade: another program in the place of the one that is installed, and the old one again if the new one does not start.
 *
 * Nobody can write over a program that runs, and the keeper may run for as long as the processes that it is there for: so the old one
 * is renamed, which Windows allows. The new one is tried as the very copy that will run, while the old one still serves. */
#include "setup.h"
#include "win32/paths.h"
#include "win32/trusted_file.h"
#include "win32/wide.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

enum { TRY_MS = 60000, HANDING_OVER_MS = 5000, POLL_MS = 100, OLD_MAX = 100 };

struct upgrade {
    struct jp_setup setup;
    char *from, *program, *config; /* config: NULL: the service's default */
    char *fresh, *old;             /* "<program>.new", "<program>.old" */
    bool ran;                      /* before */
};

static jp_status file_failed(struct jp_error *error, uint32_t win32, const char *operation, const char *what, const char *file) {
    return jp_fail_win32(error, win32 == ERROR_ACCESS_DENIED ? JP_E_DENIED : JP_E_SYSTEM, win32, operation, "cannot %s %s", what, file);
}

/* --- the files --- */

static jp_status move_file(struct upgrade *upgrade, const char *from, const char *to, struct jp_error *error) {
    wchar_t *wide_from = jp_win32_wide(from), *wide_to = jp_win32_wide(to);
    jp_setup_line(&upgrade->setup, "move \"%s\" \"%s\"", from, to);
    BOOL moved = upgrade->setup.options->dry_run || MoveFileExW(wide_from, wide_to, MOVEFILE_WRITE_THROUGH);
    uint32_t win32 = moved ? 0 : GetLastError();
    jp_free(wide_from);
    jp_free(wide_to);
    return moved ? JP_OK : file_failed(error, win32, "MoveFileEx", "rename", from);
}

/* Into a new file, which has the folder's rights: one that is left of an upgrade that was broken off may have others. */
static jp_status copy_file(struct upgrade *upgrade, struct jp_error *error) {
    wchar_t *from = jp_win32_wide(upgrade->from), *to = jp_win32_wide(upgrade->fresh);
    jp_setup_line(&upgrade->setup, "copy \"%s\" \"%s\"", upgrade->from, upgrade->fresh);
    BOOL copied = upgrade->setup.options->dry_run || ((DeleteFileW(to) || GetLastError() == ERROR_FILE_NOT_FOUND) && CopyFileW(from, to, TRUE));
    uint32_t win32 = copied ? 0 : GetLastError();
    jp_free(from);
    jp_free(to);
    if (!copied)
        return file_failed(error, win32, "CopyFile", "copy", upgrade->from);
    return upgrade->setup.options->dry_run ? JP_OK : jp_win32_check_program(upgrade->fresh, error);
}

static bool delete_file(const char *file) {
    wchar_t *wide = jp_win32_wide(file);
    bool gone = DeleteFileW(wide) || GetLastError() == ERROR_FILE_NOT_FOUND;
    jp_free(wide);
    return gone;
}

/* A name that no keeper of an earlier upgrade has open. */
static char *old_name(const struct upgrade *upgrade) {
    for (unsigned i = 0; i < OLD_MAX; i++) {
        char *name = i ? jp_sprintf("%s.old%u", upgrade->program, i) : jp_sprintf("%s.old", upgrade->program);
        if (upgrade->setup.options->dry_run ? !jp_win32_file_exists(name) : delete_file(name))
            return name;
        jp_free(name);
    }
    return jp_sprintf("%s.old", upgrade->program);
}

static bool same_content(const char *one, const char *other) {
    bool same = false;
    char blocks[2][4096];
    size_t length[2];
    wchar_t *wide[2] = {jp_win32_wide(one), jp_win32_wide(other)};
    FILE *files[2] = {_wfopen(wide[0], L"rb"), _wfopen(wide[1], L"rb")};
    if (files[0] && files[1])
        do {
            for (size_t i = 0; i < 2; i++)
                length[i] = fread(blocks[i], 1, sizeof blocks[i], files[i]);
            same = length[0] == length[1] && memcmp(blocks[0], blocks[1], length[0]) == 0;
        } while (same && length[0] > 0);
    for (size_t i = 0; i < 2; i++) {
        if (files[i])
            fclose(files[i]);
        jp_free(wide[i]);
    }
    return same;
}

/* --- running a program, with our output --- */

static jp_status run(struct upgrade *upgrade, const char *program, const char *arguments, struct jp_error *error) {
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD exit_code = 1;
    char *line = jp_sprintf("\"%s\" %s", program, arguments);
    jp_setup_line(&upgrade->setup, "%s", line);
    wchar_t *wide_program = jp_win32_wide(program), *wide_line = jp_win32_wide(line);
    BOOL started = CreateProcessW(wide_program, wide_line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process);
    uint32_t win32 = started ? 0 : GetLastError();
    jp_free(wide_program);
    jp_free(wide_line);
    jp_free(line);
    if (!started)
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "CreateProcess", "cannot start %s", program);
    bool ended = WaitForSingleObject(process.hProcess, TRY_MS) == WAIT_OBJECT_0;
    if (!ended)
        TerminateProcess(process.hProcess, 1);
    else if (!GetExitCodeProcess(process.hProcess, &exit_code))
        exit_code = 1; /* not known is not good */
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    if (!ended)
        return jp_fail(error, JP_E_TIMEOUT, "%s %s did not end in %d seconds", program, arguments, TRY_MS / 1000);
    return exit_code ? jp_fail(error, JP_E_SYSTEM, "%s %s ended with exit code %lu", program, arguments, (unsigned long)exit_code) : JP_OK;
}

static char *with_config(const struct upgrade *upgrade, const char *arguments) {
    return upgrade->config ? jp_sprintf("%s --config \"%s\"", arguments, upgrade->config) : jp_strdup(arguments);
}

static jp_status try_it(struct upgrade *upgrade, struct jp_error *error) {
    if (upgrade->setup.options->dry_run) {
        jp_setup_line(&upgrade->setup, "\"%s\" --version", upgrade->fresh);
        jp_setup_line(&upgrade->setup, "\"%s\" --check-config", upgrade->fresh);
        return JP_OK;
    }
    char *check = with_config(upgrade, "--check-config");
    jp_status status = run(upgrade, upgrade->fresh, "--version", error);
    if (status == JP_OK)
        status = run(upgrade, upgrade->fresh, check, error);
    jp_free(check);
    return status;
}

/* What the program in place wants of Windows may be other than what the one before it wanted. */
static jp_status settle(struct upgrade *upgrade, struct jp_error *error) {
    if (upgrade->setup.options->dry_run) {
        jp_setup_line(&upgrade->setup, "\"%s\" install --no-start", upgrade->program);
        return JP_OK;
    }
    char *arguments = with_config(upgrade, "install --no-start");
    jp_status status = run(upgrade, upgrade->program, arguments, error);
    jp_free(arguments);
    return status;
}

/* --- the way --- */

static jp_status look(struct upgrade *upgrade, struct jp_error *error) {
    char *command = NULL;
    struct jp_service_status now = {0};
    jp_status status = jp_setup_open(&upgrade->setup, error);
    if (status == JP_OK && !jp_win32_scm_installed(upgrade->setup.scm))
        status = jp_fail(error, JP_E_SYSTEM, "the service is not installed; there is nothing to upgrade. See jobpoold install");
    if (status == JP_OK)
        status = jp_win32_settings[0].read(upgrade->setup.scm, &command, error);
    if (status == JP_OK)
        status = jp_win32_service_status(upgrade->setup.scm, &now, error);
    if (status != JP_OK) {
        jp_free(command);
        return status;
    }
    jp_win32_read_command(command, &upgrade->program, &upgrade->config);
    jp_free(command);
    upgrade->from = upgrade->setup.options->from ? jp_win32_full_path(upgrade->setup.options->from) : jp_win32_own_path();
    upgrade->fresh = jp_sprintf("%s.new", upgrade->program);
    upgrade->ran = now.state != JP_SERVICE_STOPPED;
    if (!jp_win32_file_exists(upgrade->from))
        return jp_fail(error, JP_E_PARAMS, "there is no file %s", upgrade->from);
    if (jp_ascii_equal_nocase(upgrade->from, upgrade->program))
        return jp_fail(error, JP_E_PARAMS, "%s is the program that is installed; say which one is to take its place: --from FILE",
                       upgrade->from);
    return jp_win32_check_program(upgrade->program, error);
}

/* The new one is in place and stopped, or none is. */
static void go_back(struct upgrade *upgrade) {
    struct jp_error error;
    jp_setup_remark("the old program comes back");
    if (jp_win32_file_exists(upgrade->old)) {
        if (jp_win32_file_exists(upgrade->program) && move_file(upgrade, upgrade->program, upgrade->fresh, &error) != JP_OK)
            jp_setup_complain("%s", error.text);
        if (move_file(upgrade, upgrade->old, upgrade->program, &error) != JP_OK || settle(upgrade, &error) != JP_OK)
            jp_setup_complain("%s", error.text);
    }
    if (upgrade->ran && jp_setup_start(&upgrade->setup, &error) != JP_OK)
        jp_setup_complain("the old program does not start either: %s", error.text);
}

static jp_status put_in_place(struct upgrade *upgrade, struct jp_error *error) {
    jp_status status = jp_setup_stop(&upgrade->setup, error);
    if (status == JP_OK)
        status = move_file(upgrade, upgrade->program, upgrade->old, error);
    if (status == JP_OK)
        status = move_file(upgrade, upgrade->fresh, upgrade->program, error);
    if (status == JP_OK)
        status = settle(upgrade, error);
    if (status == JP_OK && upgrade->ran)
        status = jp_setup_start(&upgrade->setup, error);
    if (status == JP_OK)
        return JP_OK;
    struct jp_error because;
    jp_setup_complain("%s", error->text);
    if (jp_setup_stop(&upgrade->setup, &because) == JP_OK)
        go_back(upgrade);
    else
        jp_setup_complain("%s; nothing more was changed. The old program is %s", because.text,
                          jp_win32_file_exists(upgrade->old) ? upgrade->old : upgrade->program);
    return status;
}

/* A keeper that runs it is ended by the new service when its own has taken over; this very program only ends after this. */
static bool delete_old(const struct upgrade *upgrade) {
    uint64_t until_ms = GetTickCount64() + HANDING_OVER_MS;
    char *own = jp_win32_own_path();
    bool itself = jp_ascii_equal_nocase(own, upgrade->program), gone;
    jp_free(own);
    while (!(gone = delete_file(upgrade->old)) && !itself && GetTickCount64() < until_ms)
        Sleep(POLL_MS);
    return gone;
}

static void drop_old(struct upgrade *upgrade) {
    if (upgrade->setup.options->dry_run || delete_old(upgrade)) {
        jp_setup_line(&upgrade->setup, "del \"%s\"", upgrade->old);
        return;
    }
    wchar_t *wide = jp_win32_wide(upgrade->old);
    bool later = MoveFileExW(wide, NULL, MOVEFILE_DELAY_UNTIL_REBOOT);
    jp_free(wide);
    jp_setup_remark("%s stays while it runs, as the keeper or as this command; %s", upgrade->old,
                    later ? "Windows deletes it at its next start" : "delete it afterwards");
}

static int do_upgrade(struct upgrade *upgrade) {
    struct jp_error error;
    jp_status status = look(upgrade, &error);
    if (status != JP_OK)
        return jp_setup_complain("%s", error.text);
    if (same_content(upgrade->from, upgrade->program)) {
        jp_setup_remark("%s is the same as the one that is installed; nothing was changed", upgrade->from);
        return JP_SETUP_DONE;
    }
    upgrade->old = old_name(upgrade);
    status = copy_file(upgrade, &error);
    if (status == JP_OK)
        status = try_it(upgrade, &error);
    if (status != JP_OK) {
        jp_setup_complain("%s", error.text);
        jp_setup_complain("the new program was not put in place; the old one goes on");
    } else if (put_in_place(upgrade, &error) == JP_OK) {
        drop_old(upgrade);
        return JP_SETUP_DONE;
    }
    if (!upgrade->setup.options->dry_run)
        delete_file(upgrade->fresh);
    return JP_SETUP_FAILED;
}

int jp_upgrade(const struct jp_setup_options *options) {
    struct upgrade upgrade = {.setup = {.options = options}};
    int code = do_upgrade(&upgrade);
    jp_setup_close(&upgrade.setup);
    jp_free(upgrade.from);
    jp_free(upgrade.program);
    jp_free(upgrade.config);
    jp_free(upgrade.fresh);
    jp_free(upgrade.old);
    return code;
}
