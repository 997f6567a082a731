/* Owns the daemon while it runs: as the SCM's service, or at a console. */
#include "run.h"

#include "daemon/daemon.h"
#include "eventlog.h"
#include "loop/logfile.h"
#include "platform.h"
#include "scm.h"
#include "win32/installation.h"
#include "win32/paths.h"

#include <stdio.h>
#include <windows.h>

struct program {
    const char *config_file;
    struct jp_daemon *daemon;
    struct jp_scm *scm; /* NULL with --console */
    HANDLE ended;       /* event, with --console: the daemon has stopped */
    int exit_code;
};

static struct program program;

/* --- the console --- */

static void write_console_line(void *sink, enum jp_log_level level, const char *text) {
    (void)sink;
    char *line = jp_logfile_line(level, text);
    fputs(line, stderr);
    fflush(stderr);
    jp_free(line);
}

static const struct jp_log console_log = {.level = JP_LOG_INFO, .write = write_console_line};

/* When the window is closed, or the user logs off, Windows ends the process as soon as this returns. */
static BOOL WINAPI on_console_control(DWORD control) {
    jp_daemon_stop(program.daemon);
    if (control != CTRL_C_EVENT && control != CTRL_BREAK_EVENT && program.ended)
        WaitForSingleObject(program.ended, INFINITE);
    return TRUE;
}

/* --- what the daemon tells --- */

static void on_running(void *context) {
    (void)context;
    jp_eventlog_write(JP_EVENTLOG_STARTED, "jobpoold " JP_VERSION);
    if (program.scm)
        jp_scm_report_running(program.scm);
}

static void on_progress(void *context, uint32_t wait_hint_ms) {
    (void)context;
    if (program.scm)
        jp_scm_report_progress(program.scm, wait_hint_ms);
}

static void on_reloaded(void *context, bool taken, const char *what) {
    (void)context;
    jp_eventlog_write(taken ? JP_EVENTLOG_CONFIG_LOADED : JP_EVENTLOG_CONFIG_FAULTS, what);
}

static void on_alarm(void *context, const char *text) {
    (void)context;
    jp_eventlog_write(JP_EVENTLOG_WARNING, text);
}

/* --- running --- */

/* A log file is open only once the config is read: until then a service has the event log, and the file that the config's own
 * place suggests. */
static void write_beside_config(const char *text) {
    struct jp_logfile logfile;
    struct jp_error error;
    char *path = jp_sprintf("%s.errors.log", program.config_file);
    if (jp_logfile_open(&logfile, path, 1 << 20, 1, &error) == JP_OK) {
        jp_logfile_write(&logfile, JP_LOG_ERROR, text);
        jp_logfile_close(&logfile);
    }
    jp_free(path);
}

static void report_failed_start(const struct jp_error *error, const char *faults) {
    jp_eventlog_write(faults ? JP_EVENTLOG_CONFIG_FAULTS : JP_EVENTLOG_START_FAILED, faults ? faults : error->text);
    fprintf(stderr, "jobpoold: cannot start: %s\n%s", error->text, faults ? faults : "");
    if (program.scm) {
        write_beside_config(faults ? faults : error->text);
        jp_scm_report_failed(program.scm, error->win32, (uint32_t)-error->status);
    }
    program.exit_code = faults ? JP_RUN_USAGE : JP_RUN_FAILED;
}

static void run_daemon(struct jp_scm *scm) {
    struct jp_error error;
    char *faults = NULL;
    program.scm = scm;
    jp_eventlog_open();
    if (jp_daemon_run(program.daemon, &error, &faults))
        report_failed_start(&error, faults);
    else
        jp_eventlog_write(JP_EVENTLOG_STOPPED, "as asked");
    jp_eventlog_close();
    jp_free(faults);
}

static void run_as_service(void *context, struct jp_scm *scm) {
    (void)context;
    run_daemon(scm);
}

static void stop_service(void *context) {
    (void)context;
    jp_daemon_stop(program.daemon);
}

static void reload_service(void *context) {
    (void)context;
    jp_daemon_reload(program.daemon);
}

int jp_run(const char *config_file, bool console) {
    program.config_file = config_file;
    struct jp_daemon_options options = {.program = "jobpoold", .version = JP_VERSION, .config_file = program.config_file,
                                        .platform = jp_service_platform(console ? JP_TRUST_ANYONE : JP_TRUST_ADMINISTRATORS),
                                        .console = console ? &console_log : NULL,
                                        .on_running = on_running, .on_progress = on_progress, .on_reloaded = on_reloaded, .on_alarm = on_alarm};
    program.daemon = jp_daemon_new(&options);
    if (console) {
        program.ended = CreateEventW(NULL, TRUE, FALSE, NULL);
        SetConsoleCtrlHandler(on_console_control, TRUE);
        run_daemon(NULL);
        SetEvent(program.ended);
        SetConsoleCtrlHandler(on_console_control, FALSE);
    } else {
        struct jp_scm_handlers handlers = {.run = run_as_service, .stop = stop_service, .reload = reload_service};
        int result = jp_scm_run(JP_SERVICE_NAME, &handlers);
        if (result == JP_SCM_NOT_STARTED_BY_SCM) {
            fputs("jobpoold: this is a service; start it with \"sc start JobPool\", or run it here with --console (jobpoold --help says more)\n", stderr);
            program.exit_code = JP_RUN_USAGE;
        } else if (result && !program.exit_code) {
            fprintf(stderr, "jobpoold: the service control manager did not take us: %s (%s, %d)\n", jp_win32_text((uint32_t)result),
                    jp_win32_name((uint32_t)result) ? jp_win32_name((uint32_t)result) : "Windows error", result);
            program.exit_code = JP_RUN_FAILED;
        }
    }
    jp_daemon_free(program.daemon);
    return program.exit_code;
}

int jp_run_check_config(const char *config_file) {
    struct jp_config config;
    struct jp_error error;
    char *faults;
    cJSON *data;
    struct jp_str ignored = {0};
    jp_status status = jp_daemon_read_config(jp_service_platform(JP_TRUST_ANYONE), config_file, &config, &faults, &data, &error);
    cJSON_Delete(data);
    if (status == JP_OK) {
        printf("%s: good, %zu pool%s\n", config_file, config.pool_count, config.pool_count == 1 ? "" : "s");
        if (jp_win32_read_file(config_file, JP_CONFIG_MAX_BYTES, JP_TRUST_SERVICE, &ignored, &error))
            fprintf(stderr, "jobpoold: the service would not take it from here: %s\n", error.text);
        jp_str_free(&ignored);
        jp_config_free(&config);
        return JP_RUN_DONE;
    }
    if (faults)
        fputs(faults, stdout);
    else
        printf("%s\n", error.text);
    if (!jp_win32_file_exists(config_file))
        printf("a first one is written by: jobpool init --output \"%s\"\n", config_file);
    jp_free(faults);
    return JP_RUN_USAGE;
}
