/* Owns the table of settings: each one's text, and the command line that sets it. */
#include "win32/installation.h"

#include "win32/privileges.h"
#include "win32/scm_config.h"
#include "win32/wide.h"

#include <shellapi.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE_KEY "SYSTEM\\CurrentControlSet\\Services\\" JP_SERVICE_NAME
#define EVENT_KEY "SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\" JP_SERVICE_NAME
#define DISPLAY_NAME "JobPool process pools"
#define DESCRIPTION "Hosts named pools of processes on job objects: limits for process trees, and a record of what every process used."
/* Growing: what fails because another service is not there yet should find it at last. The last one is repeated. */
#define FAILURE_ACTIONS "reset= 86400 actions= restart/5000/restart/60000/restart/600000"
#define PRESHUTDOWN_MS "60000"
#define EVENT_TYPES "7" /* errors, warnings, information */

static const struct {
    const char *text;
    uint32_t number;
} start_types[] = {{"boot", SERVICE_BOOT_START}, {"system", SERVICE_SYSTEM_START}, {"auto", SERVICE_AUTO_START}, {"demand", SERVICE_DEMAND_START},
                   {"disabled", SERVICE_DISABLED}},
  sid_types[] = {{"none", SERVICE_SID_TYPE_NONE}, {"unrestricted", SERVICE_SID_TYPE_UNRESTRICTED}, {"restricted", SERVICE_SID_TYPE_RESTRICTED}};

/* --- the words of a command line --- */

/* Quotes within quotes, as sc reads them. */
static char *quoted_again(const char *text) {
    struct jp_str out = {0};
    for (; *text; text++) {
        if (*text == '"')
            jp_str_putc(&out, '\\');
        jp_str_putc(&out, *text);
    }
    return jp_str_take(&out);
}

static char *program_of(const struct jp_installation *installation) { return jp_strdup(installation->program); }

static char *all_privileges(const struct jp_installation *installation) {
    (void)installation;
    struct jp_str out = {0};
    for (const struct jp_privilege *privilege = jp_win32_privileges; privilege->name; privilege++)
        jp_str_printf(&out, "%s%s", out.length ? "/" : "", privilege->name);
    return jp_str_take(&out);
}

static char *wanted_command(const struct jp_installation *installation) {
    return jp_sprintf("\"%s\" --config \"%s\"", installation->program, installation->config);
}

/* --- the service itself, and what stands in its configuration --- */

static jp_status read_command(const struct jp_win32_scm *scm, char **ret_value, struct jp_error *error) {
    return jp__scm_config(scm, offsetof(QUERY_SERVICE_CONFIGW, lpBinaryPathName), ret_value, error);
}

static jp_status write_command(struct jp_win32_scm *scm, const char *value, struct jp_error *error) {
    if (!value)
        return jp_win32_service_delete(scm, error);
    if (!jp_win32_scm_installed(scm))
        return jp__scm_create(scm, value, DISPLAY_NAME, error);
    return jp__scm_change(scm, &(struct jp__scm_change){.command = value}, error);
}

static char *create_line(const char *value) {
    char *quoted = quoted_again(value);
    char *line = jp_sprintf("sc create " JP_SERVICE_NAME " binPath= \"%s\" start= auto DisplayName= \"" DISPLAY_NAME "\"", quoted);
    jp_free(quoted);
    return line;
}

static char *delete_line(void) { return jp_strdup("sc delete " JP_SERVICE_NAME); }

char *jp_win32_create_command(const struct jp_installation *installation) {
    char *command = wanted_command(installation), *line = create_line(command);
    jp_free(command);
    return line;
}

static char *command_line(const char *value) {
    char *quoted = quoted_again(value);
    char *line = jp_sprintf("sc config " JP_SERVICE_NAME " binPath= \"%s\"", quoted);
    jp_free(quoted);
    return line;
}

static jp_status read_display_name(const struct jp_win32_scm *scm, char **ret_value, struct jp_error *error) {
    return jp__scm_config(scm, offsetof(QUERY_SERVICE_CONFIGW, lpDisplayName), ret_value, error);
}
static jp_status write_display_name(struct jp_win32_scm *scm, const char *value, struct jp_error *error) {
    return jp__scm_change(scm, &(struct jp__scm_change){.display_name = value}, error);
}
static char *display_name_line(const char *value) { return jp_sprintf("sc config " JP_SERVICE_NAME " DisplayName= \"%s\"", value); }

static jp_status read_account(const struct jp_win32_scm *scm, char **ret_value, struct jp_error *error) {
    return jp__scm_config(scm, offsetof(QUERY_SERVICE_CONFIGW, lpServiceStartName), ret_value, error);
}
static jp_status write_account(struct jp_win32_scm *scm, const char *value, struct jp_error *error) {
    return jp__scm_change(scm, &(struct jp__scm_change){.account = value}, error);
}
static char *account_line(const char *value) { return jp_sprintf("sc config " JP_SERVICE_NAME " obj= %s", value); }

static jp_status read_start(const struct jp_win32_scm *scm, char **ret_value, struct jp_error *error) {
    uint32_t type, delayed = 0;
    jp_status status = jp__scm_start_type(scm, &type, error);
    if (status != JP_OK)
        return status;
    struct jp_error ignored; /* a host that knows no delayed start has none */
    if (type == SERVICE_AUTO_START && jp__scm_number(scm, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &delayed, &ignored) == JP_OK && delayed) {
        *ret_value = jp_strdup("delayed-auto");
        return JP_OK;
    }
    *ret_value = NULL;
    for (size_t i = 0; i < sizeof start_types / sizeof *start_types; i++)
        if (start_types[i].number == type)
            *ret_value = jp_strdup(start_types[i].text);
    return JP_OK;
}

static jp_status write_start(struct jp_win32_scm *scm, const char *value, struct jp_error *error) {
    bool delayed = strcmp(value, "delayed-auto") == 0;
    uint32_t type = SERVICE_AUTO_START;
    for (size_t i = 0; i < sizeof start_types / sizeof *start_types; i++)
        if (strcmp(start_types[i].text, value) == 0)
            type = start_types[i].number;
    jp_status status = jp__scm_change(scm, &(struct jp__scm_change){.start_type = type + 1}, error);
    if (status == JP_OK)
        status = jp__scm_set_number(scm, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, delayed, error);
    return status == JP_E_UNSUPPORTED && !delayed ? JP_OK : status;
}
static char *start_line(const char *value) { return jp_sprintf("sc config " JP_SERVICE_NAME " start= %s", value); }

/* --- what ChangeServiceConfig2 knows --- */

static jp_status read_description(const struct jp_win32_scm *scm, char **ret_value, struct jp_error *error) {
    return jp__scm_text(scm, SERVICE_CONFIG_DESCRIPTION, ret_value, error);
}
static jp_status write_description(struct jp_win32_scm *scm, const char *value, struct jp_error *error) {
    return jp__scm_set_text(scm, SERVICE_CONFIG_DESCRIPTION, value ? value : "", error);
}
static char *description_line(const char *value) { return jp_sprintf("sc description " JP_SERVICE_NAME " \"%s\"", value); }

static jp_status read_sid_type(const struct jp_win32_scm *scm, char **ret_value, struct jp_error *error) {
    uint32_t type;
    jp_status status = jp__scm_number(scm, SERVICE_CONFIG_SERVICE_SID_INFO, &type, error);
    *ret_value = NULL;
    for (size_t i = 0; status == JP_OK && i < sizeof sid_types / sizeof *sid_types; i++)
        if (sid_types[i].number == type)
            *ret_value = jp_strdup(sid_types[i].text);
    return status;
}
static jp_status write_sid_type(struct jp_win32_scm *scm, const char *value, struct jp_error *error) {
    uint32_t type = SERVICE_SID_TYPE_NONE;
    for (size_t i = 0; value && i < sizeof sid_types / sizeof *sid_types; i++)
        if (strcmp(sid_types[i].text, value) == 0)
            type = sid_types[i].number;
    return jp__scm_set_number(scm, SERVICE_CONFIG_SERVICE_SID_INFO, type, error);
}
static char *sid_type_line(const char *value) { return jp_sprintf("sc sidtype " JP_SERVICE_NAME " %s", value); }

static jp_status read_privileges(const struct jp_win32_scm *scm, char **ret_value, struct jp_error *error) {
    return jp__scm_list(scm, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, ret_value, error);
}
static jp_status write_privileges(struct jp_win32_scm *scm, const char *value, struct jp_error *error) {
    return jp__scm_set_list(scm, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, value ? value : "", error);
}
static char *privileges_line(const char *value) { return jp_sprintf("sc privs " JP_SERVICE_NAME " %s", value); }

static char *failure_line(const char *value) { return jp_sprintf("sc failure " JP_SERVICE_NAME " %s", value); }

static jp_status number_text(const struct jp_win32_scm *scm, uint32_t level, char **ret_value, struct jp_error *error) {
    uint32_t number;
    jp_status status = jp__scm_number(scm, level, &number, error);
    if (status == JP_OK)
        *ret_value = jp_sprintf("%lu", (unsigned long)number);
    return status;
}
static jp_status set_number_text(const struct jp_win32_scm *scm, uint32_t level, const char *value, struct jp_error *error) {
    return jp__scm_set_number(scm, level, value ? (uint32_t)strtoul(value, NULL, 10) : 0, error);
}

static jp_status read_failure_flag(const struct jp_win32_scm *scm, char **ret_value, struct jp_error *error) {
    return number_text(scm, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, ret_value, error);
}
static jp_status write_failure_flag(struct jp_win32_scm *scm, const char *value, struct jp_error *error) {
    return set_number_text(scm, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, value, error);
}
static char *failure_flag_line(const char *value) { return jp_sprintf("sc failureflag " JP_SERVICE_NAME " %s", value); }

static jp_status read_preshutdown(const struct jp_win32_scm *scm, char **ret_value, struct jp_error *error) {
    return number_text(scm, SERVICE_CONFIG_PRESHUTDOWN_INFO, ret_value, error);
}
static jp_status write_preshutdown(struct jp_win32_scm *scm, const char *value, struct jp_error *error) {
    return set_number_text(scm, SERVICE_CONFIG_PRESHUTDOWN_INFO, value, error);
}
static char *preshutdown_line(const char *value) {
    return jp_sprintf("reg add HKLM\\" SERVICE_KEY " /v PreshutdownTimeout /t REG_DWORD /d %s /f", value);
}

/* --- the event source --- */

static jp_status read_event_file(const struct jp_win32_scm *scm, char **ret_value, struct jp_error *error) {
    (void)scm;
    return jp__registry_read(EVENT_KEY, "EventMessageFile", ret_value, error);
}
static jp_status write_event_file(struct jp_win32_scm *scm, const char *value, struct jp_error *error) {
    (void)scm;
    return value ? jp__registry_write_text(EVENT_KEY, "EventMessageFile", value, error) : jp__registry_delete(EVENT_KEY, error);
}
static char *event_file_line(const char *value) {
    return jp_sprintf("reg add HKLM\\" EVENT_KEY " /v EventMessageFile /t REG_EXPAND_SZ /d \"%s\" /f", value);
}
static char *event_delete_line(void) { return jp_strdup("reg delete HKLM\\" EVENT_KEY " /f"); }

static jp_status read_event_types(const struct jp_win32_scm *scm, char **ret_value, struct jp_error *error) {
    (void)scm;
    return jp__registry_read(EVENT_KEY, "TypesSupported", ret_value, error);
}
static jp_status write_event_types(struct jp_win32_scm *scm, const char *value, struct jp_error *error) {
    (void)scm; /* what goes away goes with the key */
    return value ? jp__registry_write_number(EVENT_KEY, "TypesSupported", (uint32_t)strtoul(value, NULL, 10), error) : JP_OK;
}
static char *event_types_line(const char *value) {
    return jp_sprintf("reg add HKLM\\" EVENT_KEY " /v TypesSupported /t REG_DWORD /d %s /f", value);
}

const struct jp_setting jp_win32_settings[] = {
    {.name = "command", .purpose = "what is started, and with which configuration", .wanted = wanted_command,
     .read = read_command, .write = write_command, .command = command_line, .undo_command = delete_line},
    {.name = "display name", .purpose = "what services.msc shows", .fixed = DISPLAY_NAME, .created = true,
     .read = read_display_name, .write = write_display_name, .command = display_name_line},
    {.name = "start", .purpose = "it is there from the machine's start on, before what is to go into its pools", .fixed = "auto", .created = true,
     .read = read_start, .write = write_start, .command = start_line},
    {.name = "account", .purpose = "only SYSTEM can start a process in another session", .fixed = "LocalSystem", .created = true,
     .read = read_account, .write = write_account, .command = account_line},
    {.name = "description", .purpose = "what services.msc shows", .fixed = DESCRIPTION, .nothing = "",
     .read = read_description, .write = write_description, .command = description_line},
    {.name = "SID type", .purpose = "rights can be given to this service alone, as NT SERVICE\\" JP_SERVICE_NAME, .fixed = "unrestricted",
     .read = read_sid_type, .write = write_sid_type, .command = sid_type_line},
    {.name = "privileges", .purpose = "it runs with those that it uses, and no others", .wanted = all_privileges, .nothing = "\"\"",
     .read = read_privileges, .write = write_privileges, .command = privileges_line},
    {.name = "failure actions", .purpose = "it is started again when it fails", .fixed = FAILURE_ACTIONS, .nothing = "reset= 0 actions= \"\"",
     .read = jp__scm_failure_actions, .write = jp__scm_set_failure_actions, .command = failure_line},
    {.name = "failure flag", .purpose = "also when it stops with an error, not only when it crashes", .fixed = "1",
     .read = read_failure_flag, .write = write_failure_flag, .command = failure_flag_line},
    {.name = "preshutdown time-out", .purpose = "milliseconds that it has at a shutdown to close its database", .fixed = PRESHUTDOWN_MS, .unit = " ms",
     .read = read_preshutdown, .write = write_preshutdown, .command = preshutdown_line},
    {.name = "event messages", .purpose = "the Event Log finds the texts", .wanted = program_of,
     .read = read_event_file, .write = write_event_file, .command = event_file_line, .undo_command = event_delete_line},
    {.name = "event types", .purpose = "the Event Log knows which kinds there are", .fixed = EVENT_TYPES, .unit = " (errors, warnings, information)",
     .read = read_event_types, .write = write_event_types, .command = event_types_line},
    {0},
};

char *jp_win32_setting_wanted(const struct jp_setting *setting, const struct jp_installation *installation) {
    return setting->fixed ? jp_strdup(setting->fixed) : setting->wanted(installation);
}

/* --- reading a command line --- */

void jp_win32_read_command(const char *command, char **ret_program, char **ret_config) {
    int count = 0;
    wchar_t *wide = jp_win32_wide(command);
    wchar_t **words = CommandLineToArgvW(wide, &count);
    *ret_program = words && count > 0 ? jp_win32_utf8(words[0]) : jp_strdup("");
    *ret_config = NULL;
    for (int i = 1; words && i + 1 < count; i++)
        if (!*ret_config && wcscmp(words[i], L"--config") == 0)
            *ret_config = jp_win32_utf8(words[i + 1]);
    LocalFree(words);
    jp_free(wide);
}

bool jp_win32_command_quoted(const char *command) {
    if (*command == '"')
        return true;
    const char *end = strstr(command, ".exe");
    const char *space = strchr(command, ' ');
    return !space || (end && space > end);
}
