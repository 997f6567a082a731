/* The doctor's checks, in the order in which they build on each other. */
#include "cli/doctor.h"

#include "base/units.h"
#include "store/backup.h"
#include "win32/clock.h"
#include "win32/host.h"
#include "win32/paths.h"
#include "win32/security.h"
#include "win32/trusted_file.h"
#include "win32/wide.h"

#include <string.h>
#include <windows.h>

#define MIB (UINT64_C(1) << 20)
enum {
    LOG_TAIL_BYTES = 256 << 10,
    PATIENCE_MS = 5000,
    NEVER_STARTED = 1077, /* ERROR_SERVICE_NEVER_STARTED */
};
#define CHECKED_WHOLE_MAX_BYTES (256 * MIB) /* of a database that no service has open */
#define DISK_FEW_BYTES (1024 * MIB)
#define DISK_NONE_BYTES (64 * MIB)

static const char *text(const cJSON *object, const char *path) { return cJSON_GetStringValue(jp_show_find(object, path)); }

static uint64_t number(const cJSON *object, const char *path) {
    uint64_t value = 0;
    jp_json_get_u64(jp_show_find(object, path), &value);
    return value;
}

/* In the unit that suits. */
static char *size_text(uint64_t bytes) {
    struct jp_str out = {0};
    cJSON *value = jp_json_u64(bytes);
    jp_show_value(JP_SHOW_BYTES, value, &out);
    cJSON_Delete(value);
    return jp_str_take(&out);
}

/* --- what runs here --- */

static void check_host(struct jp_doctor *doctor) {
    bool supported;
    char *host = jp_win32_host_name(&supported);
    jp_doctor_add(doctor, supported ? JP_FOUND_OK : JP_FOUND_WARNING, supported ? NULL : "JobPool is for Windows 10 1809, Server 2019 and later",
                  "jobpool " JP_VERSION ", %s", host);
    jp_free(host);
}

/* First of all and without a row of its own: what a service that answers says counts for more than what is installed. */
static void ask_service(struct jp_doctor *doctor) {
    jp_cli_try(doctor->cli, "service.status", NULL, PATIENCE_MS, &doctor->status, &doctor->failure);
}

/* --- the installation --- */

static void check_service(struct jp_doctor *doctor) {
    struct jp_error error;
    char *command = NULL;
    if (jp_win32_scm_open(JP_SCM_LOOK, &doctor->scm, &error) != JP_OK) {
        jp_doctor_add(doctor, error.status == JP_E_DENIED ? JP_FOUND_NOTE : JP_FOUND_FAILED, NULL, "%s", error.text);
        return;
    }
    doctor->installed = jp_win32_scm_installed(doctor->scm);
    if (!doctor->installed) {
        jp_doctor_add(doctor, doctor->status ? JP_FOUND_NOTE : JP_FOUND_FAILED, "as an administrator: jobpoold install", "not installed");
        return;
    }
    if (jp_win32_settings[0].read(doctor->scm, &command, &error) != JP_OK) {
        jp_doctor_add(doctor, JP_FOUND_NOTE, NULL, "%s", error.text);
        return;
    }
    jp_win32_read_command(command, &doctor->program, &doctor->config_file);
    if (!jp_win32_command_quoted(command))
        jp_doctor_add(doctor, JP_FOUND_FAILED, "as an administrator: jobpoold install",
                      "installed as %s: without quotes Windows may start another program, whose path is the first words of this one", command);
    else if (!jp_win32_file_exists(doctor->program))
        jp_doctor_add(doctor, JP_FOUND_FAILED, "put the program there, or run jobpoold install where it is",
                      "there is no program %s", doctor->program);
    else
        jp_doctor_add(doctor, JP_FOUND_OK, NULL, "installed: %s", command);
    jp_free(command);
}

static void check_setting(struct jp_doctor *doctor, const struct jp_setting *setting, const struct jp_installation *wanted) {
    struct jp_error error;
    char *have = NULL, *value = jp_win32_setting_wanted(setting, wanted);
    jp_status status = setting->read(doctor->scm, &have, &error);
    doctor->check = setting->name;
    if (status == JP_E_UNSUPPORTED)
        jp_doctor_add(doctor, JP_FOUND_NOTE, NULL, "this host has no such setting");
    else if (status != JP_OK)
        jp_doctor_add(doctor, JP_FOUND_NOTE, NULL, "%s", error.text);
    else if (have && jp_ascii_equal_nocase(have, value))
        jp_doctor_add(doctor, JP_FOUND_OK, NULL, "%s%s", have, setting->unit ? setting->unit : "");
    else {
        char *line = setting->command(value);
        jp_doctor_add(doctor, JP_FOUND_WARNING, line, "%s, and should be \"%s\": %s", have && *have ? have : "none", value, setting->purpose);
        jp_free(line);
    }
    jp_free(have);
    jp_free(value);
}

static void check_settings(struct jp_doctor *doctor) {
    if (!doctor->installed || !doctor->program)
        return;
    struct jp_installation wanted = {.program = doctor->program, .config = doctor->config_file ? doctor->config_file : ""};
    for (const struct jp_setting *setting = jp_win32_settings + 1; setting->name; setting++) /* the first was checked as the service */
        check_setting(doctor, setting, &wanted);
}

static void check_program(struct jp_doctor *doctor) {
    struct jp_error error;
    if (!doctor->program || !jp_win32_file_exists(doctor->program))
        return;
    jp_status status = jp_win32_check_program(doctor->program, &error);
    if (status == JP_OK)
        jp_doctor_add(doctor, JP_FOUND_OK, NULL, "only administrators can put another program in its place");
    else if (status == JP_E_DENIED)
        jp_doctor_add(doctor, JP_FOUND_FAILED, "move it below \"C:\\Program Files\" and run jobpoold install there", "%s", error.text);
    else
        jp_doctor_add(doctor, JP_FOUND_NOTE, NULL, "you may not look at it: %s", error.text);
}

/* --- running --- */

static char *why_stopped(const struct jp_service_status *state) {
    if (state->win32 == ERROR_SERVICE_SPECIFIC_ERROR)
        return jp_sprintf("with %s (%lu)", jp_status_name((jp_status) - (int32_t)state->specific), (unsigned long)state->specific);
    const char *name = jp_win32_name(state->win32);
    return jp_sprintf("with %s (%s%s%lu)", jp_win32_text(state->win32), name ? name : "", name ? ", " : "", (unsigned long)state->win32);
}

static void check_running(struct jp_doctor *doctor) {
    struct jp_error error;
    if (!doctor->installed)
        return;
    if (jp_win32_service_status(doctor->scm, &doctor->state, &error) != JP_OK) {
        jp_doctor_add(doctor, JP_FOUND_NOTE, NULL, "%s", error.text);
        return;
    }
    switch (doctor->state.state) {
    case JP_SERVICE_RUNNING:
        jp_doctor_add(doctor, JP_FOUND_OK, NULL, "process %lu", (unsigned long)doctor->state.pid);
        break;
    case JP_SERVICE_STOPPED: {
        char *why = why_stopped(&doctor->state);
        bool orderly = doctor->state.win32 == 0 || doctor->state.win32 == NEVER_STARTED;
        jp_doctor_add(doctor, JP_FOUND_FAILED,
                      "as an administrator: sc start JobPool; the rows below and the Event Log (source JobPool) say why it may not start",
                      "stopped%s%s", orderly ? "" : " ", orderly ? "" : why);
        jp_free(why);
        break;
    }
    case JP_SERVICE_STARTING:
    case JP_SERVICE_STOPPING:
        jp_doctor_add(doctor, JP_FOUND_WARNING, "wait a moment, and look again", "it is %s",
                      doctor->state.state == JP_SERVICE_STARTING ? "starting" : "stopping");
        break;
    case JP_SERVICE_OTHER:
        jp_doctor_add(doctor, JP_FOUND_WARNING, "sc query JobPool shows it", "it is in a state of its own");
    }
}

/* --- the configuration; before the pipe, whose name it has --- */

static void find_config(struct jp_doctor *doctor) {
    const char *told = doctor->status ? text(doctor->status, "config") : NULL;
    if (!doctor->config_file)
        doctor->config_file = told ? jp_strdup(told) : jp_win32_default_config();
}

/* %VARIABLES% are the service's; most are the same here. */
static const char *environment(const char *name) {
    static char *value;
    wchar_t wide[1024], *wide_name = jp_win32_wide(name);
    DWORD length = GetEnvironmentVariableW(wide_name, wide, sizeof wide / sizeof *wide);
    jp_free(wide_name);
    jp_free(value);
    value = length > 0 && length < sizeof wide / sizeof *wide ? jp_win32_utf8(wide) : NULL;
    return value;
}

static void check_config_text(struct jp_doctor *doctor, const struct jp_str *content) {
    static const struct jp_config_host host = {.environment = environment, .check_security = jp_win32_sddl_check};
    struct jp_config_faults faults = {0};
    doctor->config_known = jp_config_parse(jp_str_text(content), content->length, &host, &doctor->config, &faults) == JP_OK;
    if (doctor->config_known) {
        jp_doctor_add(doctor, JP_FOUND_OK, NULL, "%s: good, %zu pool%s", doctor->config_file, doctor->config.pool_count,
                      doctor->config.pool_count == 1 ? "" : "s");
    } else {
        char *advice = jp_sprintf("put it right, then: jobpoold --check-config --config \"%s\", and jobpool reload", doctor->config_file);
        jp_doctor_add(doctor, JP_FOUND_FAILED, advice, "%s:%u:%u: %s%s", doctor->config_file, faults.items[0].line, faults.items[0].column,
                      faults.items[0].text, faults.count > 1 ? " (and others)" : "");
        jp_free(advice);
    }
    jp_config_faults_free(&faults);
}

static void check_config(struct jp_doctor *doctor) {
    struct jp_str content = {0};
    struct jp_error error;
    find_config(doctor);
    jp_status status = jp_win32_read_file(doctor->config_file, JP_CONFIG_MAX_BYTES, JP_TRUST_ANYONE, &content, &error);
    if (status == JP_OK)
        check_config_text(doctor, &content);
    else if (error.win32 == ERROR_ACCESS_DENIED)
        jp_doctor_add(doctor, JP_FOUND_NOTE, NULL, "%s: only administrators may read it, as it should be", doctor->config_file);
    else if (error.win32 == ERROR_FILE_NOT_FOUND || error.win32 == ERROR_PATH_NOT_FOUND)
        jp_doctor_add(doctor, JP_FOUND_FAILED, "as an administrator: jobpool init", "there is no %s", doctor->config_file);
    else
        jp_doctor_add(doctor, JP_FOUND_FAILED, NULL, "%s", error.text);
    jp_str_free(&content);
}

static void check_config_owner(struct jp_doctor *doctor) {
    struct jp_str ignored = {0};
    struct jp_error error;
    bool console = doctor->status && !doctor->own_service; /* which takes its user's own file */
    if (!jp_win32_file_exists(doctor->config_file))
        return;
    jp_status status = jp_win32_read_file(doctor->config_file, JP_CONFIG_MAX_BYTES, JP_TRUST_SERVICE, &ignored, &error);
    if (status == JP_OK)
        jp_doctor_add(doctor, JP_FOUND_OK, NULL, "only SYSTEM and administrators may write the configuration");
    else if (error.win32 != 0)
        jp_doctor_add(doctor, JP_FOUND_NOTE, NULL, "you may not look at it: %s", error.text);
    else
        jp_doctor_add(doctor, console ? JP_FOUND_NOTE : JP_FOUND_FAILED, NULL, "%s", error.text);
    jp_str_free(&ignored);
}

static void check_folder(struct jp_doctor *doctor) {
    struct jp_error error;
    enum jp_private_folder kind;
    if (doctor->status && !doctor->own_service) /* a console's folder is its user's affair */
        return;
    char *folder = jp_win32_folder_of(doctor->config_file);
    jp_status status = jp_win32_folder_look(folder, &kind, &error);
    if (status != JP_OK)
        jp_doctor_add(doctor, JP_FOUND_NOTE, NULL, "you may not look at it: %s", error.text);
    else if (kind == JP_FOLDER_PRIVATE)
        jp_doctor_add(doctor, JP_FOUND_OK, NULL, "%s: SYSTEM and administrators, nobody else", folder);
    else if (kind != JP_FOLDER_NONE)
        jp_doctor_add(doctor, JP_FOUND_WARNING, "as an administrator: jobpoold install", "%s", error.text);
    jp_free(folder);
}

/* --- the pipe --- */

static const char *pipe_used(const struct jp_doctor *doctor) { return doctor->cli->pipe ? doctor->cli->pipe : "jobpool"; }

static char *what_about_the_pipe(const struct jp_doctor *doctor, const struct jp_error *error) {
    const char *name = doctor->config_known ? doctor->config.pipe.name : NULL;
    if (name && strcmp(name, pipe_used(doctor)) != 0)
        return jp_sprintf("the configuration names the pipe \"%s\": jobpool --pipe %s, or set JOBPOOL_PIPE", name, name);
    if (error->status == JP_E_DENIED)
        return jp_strdup("it is not for you by \"pipe\": {\"security\": ...} in the configuration, or somebody else has the pipe's name: ask your "
                         "administrator");
    return jp_strdup(doctor->installed ? "as an administrator: sc start JobPool" : "as an administrator: jobpoold install");
}

static void check_pipe(struct jp_doctor *doctor) {
    if (doctor->status) {
        doctor->own_service = doctor->installed && doctor->state.pid != 0 && number(doctor->status, "pid") == doctor->state.pid;
        jp_doctor_add(doctor, JP_FOUND_OK, NULL, "%s, served by process %lu", pipe_used(doctor), (unsigned long)number(doctor->status, "pid"));
        if (!doctor->own_service)
            jp_doctor_add(doctor, JP_FOUND_NOTE, NULL, "who answers is not the installed service: jobpoold --console");
    } else if (doctor->failure.answered) {
        const char *said = text(doctor->failure.answer, "message");
        jp_doctor_add(doctor, JP_FOUND_FAILED, "you need the right \"view\": \"access\" in the configuration",
                      "reachable, but it says: %s", said ? said : "no");
    } else {
        char *advice = what_about_the_pipe(doctor, &doctor->failure.error);
        jp_doctor_add(doctor, JP_FOUND_FAILED, advice, "%s", doctor->failure.error.text);
        jp_free(advice);
    }
}

/* The configuration that who answers has, where that is not the one of the installation. */
static void check_other_config(struct jp_doctor *doctor) {
    const char *other = doctor->status ? text(doctor->status, "config") : NULL;
    if (!other || jp_ascii_equal_nocase(other, doctor->config_file))
        return;
    jp_free(doctor->config_file);
    doctor->config_file = jp_strdup(other);
    if (doctor->config_known)
        jp_config_free(&doctor->config);
    doctor->config_known = false;
    check_config(doctor);
}

static void check_rights(struct jp_doctor *doctor) {
    if (!doctor->status)
        return;
    struct jp_str rights = {0};
    const cJSON *right;
    cJSON_ArrayForEach(right, jp_show_find(doctor->status, "caller.rights")) {
        jp_str_printf(&rights, "%s%s", rights.length ? ", " : "", cJSON_GetStringValue(right));
    }
    const char *user = text(doctor->status, "caller.user");
    jp_doctor_add(doctor, rights.length ? JP_FOUND_OK : JP_FOUND_WARNING, rights.length ? NULL : "\"access\" in the configuration gives them",
                  "you are %s at the service, with the rights: %s", user ? user : "nobody it knows", rights.length ? jp_str_text(&rights) : "none");
    jp_str_free(&rights);
}

static void check_version(struct jp_doctor *doctor) {
    const char *service = doctor->status ? text(doctor->status, "version") : NULL;
    if (!service)
        return;
    bool same = strcmp(service, JP_VERSION) == 0;
    jp_doctor_add(doctor, same ? JP_FOUND_OK : JP_FOUND_WARNING,
                  same ? NULL : "let both be of one version: jobpoold upgrade, and copy jobpool.exe beside it",
                  "service %s, this program " JP_VERSION ", protocol %lu", service, (unsigned long)number(doctor->status, "protocol"));
}

/* --- the database --- */

static void check_disk(struct jp_doctor *doctor, const char *file) {
    ULARGE_INTEGER free_bytes;
    char *folder = jp_win32_folder_of(file);
    wchar_t *wide = jp_win32_wide(folder);
    bool known = GetDiskFreeSpaceExW(wide, &free_bytes, NULL, NULL);
    jp_free(wide);
    if (known) {
        uint64_t bytes = free_bytes.QuadPart;
        char *free_text = size_text(bytes);
        jp_doctor_add(doctor, bytes < DISK_NONE_BYTES ? JP_FOUND_FAILED : bytes < DISK_FEW_BYTES ? JP_FOUND_WARNING : JP_FOUND_OK,
                      bytes < DISK_FEW_BYTES ? "make room: what cannot be recorded waits in memory, and in the end is lost" : NULL,
                      "%s free in %s", free_text, folder);
        jp_free(free_text);
    }
    jp_free(folder);
}

static void check_live_database(struct jp_doctor *doctor, const char *file) {
    const char *reason = text(doctor->status, "database.reason");
    uint64_t dropped = number(doctor->status, "database.droppedEvents"), size = number(doctor->status, "database.fileBytes");
    uint64_t most = doctor->config_known ? doctor->config.retention.max_size_bytes : 0;
    char *has = size_text(size), *may_have = size_text(most);
    if (cJSON_IsTrue(jp_show_find(doctor->status, "database.degraded")))
        jp_doctor_add(doctor, JP_FOUND_FAILED, "docs/troubleshooting.md has what it says, and what to do; the service goes on meanwhile",
                      "it cannot be written: %s; %llu records wait in memory",
                      reason ? reason : "the log says why", (unsigned long long)number(doctor->status, "database.backlog"));
    else if (dropped > 0)
        jp_doctor_add(doctor, JP_FOUND_WARNING, "jobpool status says which; they are lost",
                      "it is written again, but %llu events were dropped", (unsigned long long)dropped);
    else if (most && size > most + most / 10)
        jp_doctor_add(doctor, JP_FOUND_WARNING, "it shrinks bit by bit; if it does not, raise \"retention\": {\"max_size\": ...}",
                      "%s has %s, more than \"max_size\" (%s)", file, has, may_have);
    else
        jp_doctor_add(doctor, JP_FOUND_OK, NULL, "%s, %s; everything is on the disk", file, has);
    jp_free(has);
    jp_free(may_have);
}

static void keep_first(void *context, const char *fault) {
    char **first = context;
    if (!*first)
        *first = jp_strdup(fault);
}

/* Without a service to ask. */
static void check_database_file(struct jp_doctor *doctor, const char *file) {
    WIN32_FILE_ATTRIBUTE_DATA data;
    wchar_t *wide = jp_win32_wide(file);
    bool there = GetFileAttributesExW(wide, GetFileExInfoStandard, &data);
    DWORD win32 = there ? 0 : GetLastError();
    jp_free(wide);
    uint64_t size = there ? (uint64_t)data.nFileSizeHigh << 32 | data.nFileSizeLow : 0;
    char *fault = NULL, *has = size_text(size);
    struct jp_error error;
    if (win32 == ERROR_ACCESS_DENIED)
        jp_doctor_add(doctor, JP_FOUND_NOTE, NULL, "%s: you may not look at it", file);
    else if (!there)
        jp_doctor_add(doctor, JP_FOUND_NOTE, NULL, "%s: none yet; the service makes it", file);
    else if (size > CHECKED_WHOLE_MAX_BYTES)
        jp_doctor_add(doctor, JP_FOUND_NOTE, "jobpool accounting check FILE reads all of it",
                      "%s, %s: not looked at", file, has);
    else if (jp_store_check(file, keep_first, &fault, &error) == JP_OK)
        jp_doctor_add(doctor, JP_FOUND_OK, NULL, "%s, %s: sound", file, has);
    else
        jp_doctor_add(doctor, JP_FOUND_FAILED, "docs/troubleshooting.md has what it says, and what to do", "%s: %s", file, fault ? fault : error.text);
    jp_free(fault);
    jp_free(has);
}

static void check_database(struct jp_doctor *doctor) {
    const char *file = doctor->status ? text(doctor->status, "database.file") : doctor->config_known ? doctor->config.database.file : NULL;
    if (!file)
        return;
    if (doctor->status)
        check_live_database(doctor, file);
    else
        check_database_file(doctor, file);
    doctor->check = "disk";
    check_disk(doctor, file);
}

/* --- the log --- */

static char *tail_of(const char *file, uint32_t *ret_win32) {
    wchar_t *wide = jp_win32_wide(file);
    HANDLE handle = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL);
    *ret_win32 = handle == INVALID_HANDLE_VALUE ? GetLastError() : 0;
    jp_free(wide);
    if (handle == INVALID_HANDLE_VALUE)
        return NULL;
    LARGE_INTEGER size = {0}, from = {0};
    DWORD length = 0;
    char *tail = jp_alloc(LOG_TAIL_BYTES + 1);
    if (GetFileSizeEx(handle, &size) && size.QuadPart > LOG_TAIL_BYTES)
        from.QuadPart = size.QuadPart - LOG_TAIL_BYTES;
    if (!SetFilePointerEx(handle, from, NULL, FILE_BEGIN) || !ReadFile(handle, tail, LOG_TAIL_BYTES, &length, NULL))
        length = 0;
    CloseHandle(handle);
    tail[length] = '\0';
    return tail;
}

/* "2026-11-22T07:15:30.123Z error   text": `ret_last` points to the last such line. */
static size_t count_lines(char *tail, const char *level, const char **ret_last) {
    size_t count = 0;
    for (char *line = tail, *end; line && *line; line = end ? end + 1 : NULL) {
        end = strchr(line, '\n');
        const char *word = strchr(line, ' ');
        if (word && (!end || word < end) && strncmp(word + 1, level, strlen(level)) == 0) {
            count++;
            *ret_last = line;
        }
    }
    return count;
}

static void check_log_file(struct jp_doctor *doctor, const char *file) {
    uint32_t win32;
    const char *last = NULL;
    char *tail = tail_of(file, &win32);
    if (!tail) {
        jp_doctor_add(doctor, JP_FOUND_NOTE, NULL, "%s: %s", file, win32 == ERROR_ACCESS_DENIED ? "you may not read it" : jp_win32_text(win32));
        return;
    }
    size_t count = count_lines(tail, "error", &last);
    if (count > 0)
        jp_doctor_add(doctor, JP_FOUND_WARNING, "read the log; what is past and put right needs nothing",
                      "%zu errors in the newest part of %s; the last: %.*s", count, file, (int)strcspn(last, "\r\n"), last);
    else
        jp_doctor_add(doctor, JP_FOUND_OK, NULL, "no error in the newest part of %s", file);
    jp_free(tail);
}

/* What came before the log could be opened: told only while nothing runs, because it stays for ever. */
static void check_start_errors(struct jp_doctor *doctor) {
    uint32_t win32;
    const char *last = NULL;
    char *file = jp_sprintf("%s.errors.log", doctor->config_file);
    char *tail = doctor->status ? NULL : tail_of(file, &win32);
    if (tail && count_lines(tail, "error", &last) > 0)
        jp_doctor_add(doctor, JP_FOUND_WARNING, NULL, "the last start that failed said: %.*s", (int)strcspn(last, "\r\n"), last);
    jp_free(tail);
    jp_free(file);
}

static void check_log(struct jp_doctor *doctor) {
    if (doctor->config_known)
        check_log_file(doctor, doctor->config.log.file);
    check_start_errors(doctor);
}

/* --- what is kept by whom --- */

static void check_limits(struct jp_doctor *doctor) {
    cJSON *capabilities = NULL;
    struct jp_cli_failure failure;
    if (!doctor->status)
        return;
    if (jp_cli_try(doctor->cli, "service.capabilities", NULL, PATIENCE_MS, &capabilities, &failure) != JP_OK) {
        const char *said = text(failure.answer, "message");
        jp_doctor_add(doctor, JP_FOUND_NOTE, NULL, "%s", said ? said : failure.error.text);
        jp_cli_failure_clear(&failure);
        return;
    }
    struct jp_str service = {0}, nobody = {0};
    const cJSON *limit;
    cJSON_ArrayForEach(limit, jp_get(capabilities, "limits")) {
        const char *who = cJSON_GetStringValue(limit);
        struct jp_str *list = !who || strcmp(who, "kernel") == 0 ? NULL : strcmp(who, "service") == 0 ? &service : &nobody;
        if (list)
            jp_str_printf(list, "%s%s", list->length ? ", " : "", limit->string);
    }
    if (!service.length && !nobody.length)
        jp_doctor_add(doctor, JP_FOUND_OK, NULL, "this host's kernel enforces all of them");
    if (service.length)
        jp_doctor_add(doctor, JP_FOUND_NOTE, NULL, "the service keeps in the kernel's stead, while it runs: %s", jp_str_text(&service));
    if (nobody.length)
        jp_doctor_add(doctor, JP_FOUND_NOTE, "\"strict\" refuses a pool that wants one of them",
                      "nobody here can enforce: %s", jp_str_text(&nobody));
    jp_str_free(&service);
    jp_str_free(&nobody);
    cJSON_Delete(capabilities);
}

static void check_sampling(struct jp_doctor *doctor) {
    if (!doctor->status)
        return;
    const char *reason = text(doctor->status, "sampling.reason");
    bool degraded = cJSON_IsTrue(jp_show_find(doctor->status, "sampling.degraded"));
    if (degraded)
        jp_doctor_add(doctor, JP_FOUND_FAILED, "limits that the service keeps, and timeouts, wait for it; the log says more",
                      "the list of processes cannot be read: %s", reason ? reason : "the log says why");
    else
        jp_doctor_add(doctor, JP_FOUND_OK, NULL, "the list of processes can be read");
}

/* Recorded times come from the machine's clock; one that was set back makes accounts that run backwards. */
static void check_clock(struct jp_doctor *doctor) {
    char now_text[JP_TIME_TEXT];
    const char *started = doctor->status ? text(doctor->status, "started") : NULL;
    jp_time_format(jp_win32_now_100ns(), now_text);
    bool back = started && strcmp(started, now_text) > 0;
    if (back)
        jp_doctor_add(doctor, JP_FOUND_WARNING, "see to the machine's time: w32tm /query /status", "%s, but the service started at %s", now_text, started);
    else
        jp_doctor_add(doctor, JP_FOUND_OK, NULL, "%s", now_text);
}

const struct jp_doctor_check jp_doctor_checks[] = {
    {"host", check_host},         {"service", ask_service},       {"service", check_service},     {"settings", check_settings},   {"program", check_program},
    {"running", check_running},   {"configuration", check_config}, {"pipe", check_pipe},          {"configuration", check_other_config},
    {"who may write it", check_config_owner}, {"data folder", check_folder}, {"your rights", check_rights}, {"versions", check_version},
    {"database", check_database}, {"log", check_log},             {"limits", check_limits},       {"sampling", check_sampling},
    {"clock", check_clock},       {NULL, NULL},
};
