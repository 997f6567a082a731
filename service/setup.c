/* Owns the list of what can be taken back. */
#include "setup.h"

#include "base/text.h"
#include "win32/paths.h"
#include "win32/wide.h"

#include <io.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <tlhelp32.h>

enum {
    POLL_MS = 100,
    PATIENCE_MS = 60000, /* without any progress */
};

/* --- saying --- */

/* Harmless: a file's name, or what is wrong in a configuration, may be somebody else's words. */
static void say(FILE *stream, const char *before, const char *format, va_list arguments) {
    struct jp_str text = {0}, line = {0};
    jp_str_vprintf(&text, format, arguments);
    jp_str_puts(&line, before);
    jp_add_harmless(&line, jp_str_text(&text));
    jp_str_putc(&line, '\n');
    fputs(jp_str_text(&line), stream);
    fflush(stream);
    jp_str_free(&text);
    jp_str_free(&line);
}

void jp_setup_line(struct jp_setup *setup, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(stdout, "", format, arguments);
    va_end(arguments);
    setup->changes++;
}

void jp_setup_remark(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(stdout, "rem ", format, arguments);
    va_end(arguments);
}

int jp_setup_complain(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(stderr, "jobpoold: ", format, arguments);
    va_end(arguments);
    return JP_SETUP_FAILED;
}

int jp_setup_not_deleted(uint32_t win32, const char *file) {
    struct jp_error error;
    jp_fail_win32(&error, JP_E_SYSTEM, win32, "DeleteFile", "cannot delete %s", file);
    return jp_setup_complain("%s", error.text);
}

bool jp_setup_confirmed(const char *question) {
    char answer[16];
    DWORD mode;
    if (!GetConsoleMode(GetStdHandle(STD_INPUT_HANDLE), &mode))
        return false;
    fprintf(stderr, "%s [y/N] ", question);
    fflush(stderr);
    return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* --- opening --- */

jp_status jp_setup_open(struct jp_setup *setup, struct jp_error *error) {
    if (setup->options->dry_run)
        return jp_win32_scm_open(JP_SCM_LOOK, &setup->scm, error);
    if (!jp_win32_elevated())
        return jp_fail(error, JP_E_DENIED,
                       "this wants an administrator's prompt (\"Run as administrator\"); nothing was done. --dry-run shows what would be");
    return jp_win32_scm_open(JP_SCM_CHANGE, &setup->scm, error);
}

/* --- undoing --- */

struct jp_undo {
    struct jp_undo *next;
    enum jp_undo_kind kind;
    const struct jp_setting *setting;
    char *value; /* what the setting was, or the file's or folder's name */
};

void jp_setup_can_undo(struct jp_setup *setup, enum jp_undo_kind kind, const struct jp_setting *setting, const char *value) {
    struct jp_undo *undo = jp_alloc(sizeof *undo);
    *undo = (struct jp_undo){.next = setup->undos, .kind = kind, .setting = setting, .value = jp_strdup(value)};
    setup->undos = undo;
}

static struct jp_undo *take_undo(struct jp_setup *setup) {
    struct jp_undo *undo = setup->undos;
    if (undo)
        setup->undos = undo->next;
    return undo;
}

static void free_undo(struct jp_undo *undo) {
    jp_free(undo->value);
    jp_free(undo);
}

void jp_setup_close(struct jp_setup *setup) {
    for (struct jp_undo *undo; (undo = take_undo(setup)) != NULL; free_undo(undo)) {
    }
    jp_win32_scm_close(setup->scm);
    setup->scm = NULL;
}

static void undo_setting(struct jp_setup *setup, const struct jp_undo *undo) {
    struct jp_error error;
    const char *value = undo->value ? undo->value : undo->setting->nothing;
    char *line = value ? undo->setting->command(value) : undo->setting->undo_command ? undo->setting->undo_command() : NULL;
    if (!line)
        return; /* goes with the service, or the key */
    jp_setup_line(setup, "%s", line);
    jp_free(line);
    if (undo->setting->write(setup->scm, undo->value, &error) != JP_OK)
        jp_setup_complain("this could not be taken back: %s", error.text);
}

static void undo_file(struct jp_setup *setup, const struct jp_undo *undo) {
    bool folder = undo->kind == JP_UNDO_FOLDER;
    wchar_t *wide = jp_win32_wide(undo->value);
    jp_setup_line(setup, "%s \"%s\"", folder ? "rmdir" : "del", undo->value);
    if (!(folder ? RemoveDirectoryW(wide) : DeleteFileW(wide)))
        jp_setup_not_deleted(GetLastError(), undo->value);
    jp_free(wide);
}

void jp_setup_undo(struct jp_setup *setup) {
    if (setup->undos)
        jp_setup_remark("it failed: what was done is taken back");
    for (struct jp_undo *undo; (undo = take_undo(setup)) != NULL; free_undo(undo)) {
        if (undo->kind == JP_UNDO_SETTING)
            undo_setting(setup, undo);
        else
            undo_file(setup, undo);
    }
}

/* --- starting and stopping --- */

static void show_progress(const char *doing, uint64_t since_ms) {
    if (_isatty(_fileno(stderr)))
        fprintf(stderr, "\r%s ... %llu s ", doing, (unsigned long long)((GetTickCount64() - since_ms) / 1000));
}

static void end_progress(void) {
    if (_isatty(_fileno(stderr)))
        fprintf(stderr, "\r%40s\r", "");
}

/* How a service ended that should have started. */
static jp_status ended(const struct jp_service_status *now, struct jp_error *error) {
    if (now->win32 == ERROR_SERVICE_SPECIFIC_ERROR)
        return jp_fail(error, JP_E_SYSTEM, "the service stopped instead of starting: %s (%lu)",
                       jp_status_name((jp_status) - (int32_t)now->specific), (unsigned long)now->specific);
    return jp_fail_win32(error, JP_E_SYSTEM, now->win32, "StartService", "the service stopped instead of starting");
}

static jp_status wait_for(const struct jp_setup *setup, enum jp_service_state wanted, const char *doing, struct jp_error *error) {
    uint64_t begun_ms = GetTickCount64(), moved_ms = begun_ms;
    struct jp_service_status before = {0}, now;
    jp_status status;
    while ((status = jp_win32_service_status(setup->scm, &now, error)) == JP_OK && now.state != wanted) {
        if (wanted == JP_SERVICE_RUNNING && now.state == JP_SERVICE_STOPPED) {
            status = ended(&now, error);
            break;
        }
        if (now.state != before.state || now.checkpoint != before.checkpoint)
            moved_ms = GetTickCount64();
        if (GetTickCount64() - moved_ms > PATIENCE_MS) {
            status = jp_fail(error, JP_E_TIMEOUT, "%s: no progress for %d seconds; \"sc query " JP_SERVICE_NAME "\" shows the state", doing,
                             PATIENCE_MS / 1000);
            break;
        }
        before = now;
        show_progress(doing, begun_ms);
        Sleep(POLL_MS);
    }
    end_progress();
    return status;
}

jp_status jp_setup_start(struct jp_setup *setup, struct jp_error *error) {
    jp_setup_line(setup, "sc start " JP_SERVICE_NAME);
    if (setup->options->dry_run)
        return JP_OK;
    jp_status status = jp_win32_service_start(setup->scm, error);
    return status == JP_OK ? wait_for(setup, JP_SERVICE_RUNNING, "starting", error) : status;
}

jp_status jp_setup_stop(struct jp_setup *setup, struct jp_error *error) {
    struct jp_service_status now;
    jp_status status = jp_win32_service_status(setup->scm, &now, error);
    if (status != JP_OK || now.state == JP_SERVICE_STOPPED)
        return status;
    jp_setup_line(setup, "sc stop " JP_SERVICE_NAME);
    if (setup->options->dry_run)
        return JP_OK;
    if (now.state != JP_SERVICE_STOPPING)
        status = jp_win32_service_stop(setup->scm, error);
    return status == JP_OK ? wait_for(setup, JP_SERVICE_STOPPED, "stopping", error) : status;
}

static bool runs(DWORD pid, const wchar_t *program) {
    wchar_t image[1024];
    DWORD length = sizeof image / sizeof *image;
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    if (!process)
        return false;
    bool same = QueryFullProcessImageNameW(process, 0, image, &length) && _wcsicmp(image, program) == 0;
    CloseHandle(process);
    return same;
}

size_t jp_setup_running(const char *program) {
    PROCESSENTRY32W entry = {.dwSize = sizeof entry};
    size_t count = 0;
    wchar_t *wide = jp_win32_wide(program);
    HANDLE list = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    for (BOOL more = list != INVALID_HANDLE_VALUE && Process32FirstW(list, &entry); more; more = Process32NextW(list, &entry))
        if (entry.th32ProcessID != GetCurrentProcessId() && runs(entry.th32ProcessID, wide))
            count++;
    if (list != INVALID_HANDLE_VALUE)
        CloseHandle(list);
    jp_free(wide);
    return count;
}
