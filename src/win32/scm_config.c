/* Owns the handles to the service control manager. Everything here is one call and its failure in words. */
#include "win32/scm_config.h"

#include "win32/wide.h"

#include <stdlib.h>
#include <string.h>

struct jp_win32_scm {
    SC_HANDLE manager, service; /* service: NULL if it is not installed */
};

static jp_status failed(struct jp_error *error, uint32_t win32, const char *operation, const char *what) {
    jp_status status = win32 == ERROR_INVALID_LEVEL || win32 == ERROR_CALL_NOT_IMPLEMENTED ? JP_E_UNSUPPORTED
                       : win32 == ERROR_ACCESS_DENIED                                      ? JP_E_DENIED
                                                                                           : JP_E_SYSTEM;
    return jp_fail_win32(error, status, win32, operation, "%s", what);
}

/* --- open, close --- */

jp_status jp_win32_scm_open(enum jp_win32_scm_access access, struct jp_win32_scm **ret_scm, struct jp_error *error) {
    bool change = access == JP_SCM_CHANGE;
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, change ? SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE : SC_MANAGER_CONNECT);
    if (!manager)
        return failed(error, GetLastError(), "OpenSCManager", "cannot open the service control manager");
    SC_HANDLE service = OpenServiceW(manager, L"" JP_SERVICE_NAME,
                                     change ? SERVICE_ALL_ACCESS : SERVICE_QUERY_CONFIG | SERVICE_QUERY_STATUS);
    uint32_t win32 = service ? 0 : GetLastError();
    if (!service && win32 != ERROR_SERVICE_DOES_NOT_EXIST) {
        CloseServiceHandle(manager);
        return failed(error, win32, "OpenService", "cannot open the service " JP_SERVICE_NAME);
    }
    struct jp_win32_scm *scm = jp_alloc(sizeof *scm);
    *scm = (struct jp_win32_scm){.manager = manager, .service = service};
    *ret_scm = scm;
    return JP_OK;
}

void jp_win32_scm_close(struct jp_win32_scm *scm) {
    if (!scm)
        return;
    if (scm->service)
        CloseServiceHandle(scm->service);
    CloseServiceHandle(scm->manager);
    jp_free(scm);
}

bool jp_win32_scm_installed(const struct jp_win32_scm *scm) { return scm->service != NULL; }

/* --- running --- */

static enum jp_service_state state_of(DWORD state) {
    switch (state) {
    case SERVICE_STOPPED:
        return JP_SERVICE_STOPPED;
    case SERVICE_START_PENDING:
        return JP_SERVICE_STARTING;
    case SERVICE_STOP_PENDING:
        return JP_SERVICE_STOPPING;
    case SERVICE_RUNNING:
        return JP_SERVICE_RUNNING;
    default:
        return JP_SERVICE_OTHER;
    }
}

jp_status jp_win32_service_status(const struct jp_win32_scm *scm, struct jp_service_status *ret_status, struct jp_error *error) {
    SERVICE_STATUS_PROCESS status;
    DWORD length;
    if (!QueryServiceStatusEx(scm->service, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof status, &length))
        return failed(error, GetLastError(), "QueryServiceStatusEx", "cannot tell whether the service runs");
    *ret_status = (struct jp_service_status){.state = state_of(status.dwCurrentState), .pid = status.dwProcessId,
                                             .checkpoint = status.dwCheckPoint, .win32 = status.dwWin32ExitCode, .specific = status.dwServiceSpecificExitCode};
    return JP_OK;
}

jp_status jp_win32_service_start(const struct jp_win32_scm *scm, struct jp_error *error) {
    if (StartServiceW(scm->service, 0, NULL))
        return JP_OK;
    uint32_t win32 = GetLastError();
    return win32 == ERROR_SERVICE_ALREADY_RUNNING ? JP_OK : failed(error, win32, "StartService", "cannot start the service");
}

jp_status jp_win32_service_stop(const struct jp_win32_scm *scm, struct jp_error *error) {
    SERVICE_STATUS status;
    if (ControlService(scm->service, SERVICE_CONTROL_STOP, &status))
        return JP_OK;
    uint32_t win32 = GetLastError();
    return win32 == ERROR_SERVICE_NOT_ACTIVE ? JP_OK : failed(error, win32, "ControlService", "cannot stop the service");
}

jp_status jp_win32_service_delete(struct jp_win32_scm *scm, struct jp_error *error) {
    if (!scm->service)
        return JP_OK;
    if (!DeleteService(scm->service))
        return failed(error, GetLastError(), "DeleteService", "cannot delete the service");
    CloseServiceHandle(scm->service); /* it goes with the last handle */
    scm->service = NULL;
    return JP_OK;
}

/* --- QueryServiceConfig --- */

static jp_status query(const struct jp_win32_scm *scm, QUERY_SERVICE_CONFIGW **ret_config, struct jp_error *error) {
    DWORD length = 0;
    QueryServiceConfigW(scm->service, NULL, 0, &length); /* says how much room it wants */
    QUERY_SERVICE_CONFIGW *config = jp_alloc(length + sizeof *config);
    if (!QueryServiceConfigW(scm->service, config, length, &length)) {
        uint32_t win32 = GetLastError();
        jp_free(config);
        return failed(error, win32, "QueryServiceConfig", "cannot read how the service is installed");
    }
    *ret_config = config;
    return JP_OK;
}

jp_status jp__scm_config(const struct jp_win32_scm *scm, size_t member, char **ret_value, struct jp_error *error) {
    QUERY_SERVICE_CONFIGW *config;
    *ret_value = NULL;
    if (!scm->service)
        return JP_OK;
    jp_status status = query(scm, &config, error);
    if (status == JP_OK) {
        *ret_value = jp_win32_utf8(*(wchar_t **)(void *)((char *)config + member));
        jp_free(config);
    }
    return status;
}

jp_status jp__scm_start_type(const struct jp_win32_scm *scm, uint32_t *ret_type, struct jp_error *error) {
    QUERY_SERVICE_CONFIGW *config;
    jp_status status = query(scm, &config, error);
    if (status == JP_OK) {
        *ret_type = config->dwStartType;
        jp_free(config);
    }
    return status;
}

jp_status jp__scm_create(struct jp_win32_scm *scm, const char *command, const char *display_name, struct jp_error *error) {
    wchar_t *wide_command = jp_win32_wide(command), *wide_name = jp_win32_wide(display_name);
    scm->service = CreateServiceW(scm->manager, L"" JP_SERVICE_NAME, wide_name, SERVICE_ALL_ACCESS, SERVICE_WIN32_OWN_PROCESS,
                                  SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, wide_command, NULL, NULL, NULL, NULL, NULL);
    uint32_t win32 = scm->service ? 0 : GetLastError();
    jp_free(wide_command);
    jp_free(wide_name);
    if (win32 == ERROR_SERVICE_MARKED_FOR_DELETE)
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "CreateService",
                             "cannot create the service while the deleted one is still looked at: close services.msc and other programs "
                             "that show services, then try again");
    return scm->service ? JP_OK : failed(error, win32, "CreateService", "cannot create the service");
}

jp_status jp__scm_change(const struct jp_win32_scm *scm, const struct jp__scm_change *change, struct jp_error *error) {
    wchar_t *command = jp_win32_wide(change->command), *name = jp_win32_wide(change->display_name), *account = jp_win32_wide(change->account);
    BOOL done = ChangeServiceConfigW(scm->service, SERVICE_NO_CHANGE, change->start_type ? change->start_type - 1 : SERVICE_NO_CHANGE,
                                     SERVICE_NO_CHANGE, command, NULL, NULL, NULL, account, account ? L"" : NULL, name);
    uint32_t win32 = done ? 0 : GetLastError();
    jp_free(command);
    jp_free(name);
    jp_free(account);
    return done ? JP_OK : failed(error, win32, "ChangeServiceConfig", "cannot change how the service is installed");
}

/* --- ChangeServiceConfig2 --- */

static jp_status query2(const struct jp_win32_scm *scm, uint32_t level, void **ret_info, struct jp_error *error) {
    enum { INFO_MAX = 8192 }; /* what Windows bounds them by */
    DWORD length = 0;
    *ret_info = jp_alloc(INFO_MAX);
    if (scm->service && QueryServiceConfig2W(scm->service, level, *ret_info, INFO_MAX, &length))
        return JP_OK;
    uint32_t win32 = scm->service ? GetLastError() : ERROR_SERVICE_DOES_NOT_EXIST;
    jp_free(*ret_info);
    return failed(error, win32, "QueryServiceConfig2", "cannot read how the service is installed");
}

static jp_status change2(const struct jp_win32_scm *scm, uint32_t level, void *info, struct jp_error *error) {
    if (ChangeServiceConfig2W(scm->service, level, info))
        return JP_OK;
    return failed(error, GetLastError(), "ChangeServiceConfig2", "cannot change how the service is installed");
}

/* The flags and types are structs of one number, whether Windows calls it BOOL or DWORD. */
jp_status jp__scm_number(const struct jp_win32_scm *scm, uint32_t level, uint32_t *ret_number, struct jp_error *error) {
    void *info;
    jp_status status = query2(scm, level, &info, error);
    if (status == JP_OK) {
        memcpy(ret_number, info, sizeof *ret_number);
        jp_free(info);
    }
    return status;
}

jp_status jp__scm_set_number(const struct jp_win32_scm *scm, uint32_t level, uint32_t number, struct jp_error *error) {
    return change2(scm, level, &number, error);
}

/* Likewise those that are one pointer to text. */
jp_status jp__scm_text(const struct jp_win32_scm *scm, uint32_t level, char **ret_text, struct jp_error *error) {
    void *info;
    jp_status status = query2(scm, level, &info, error);
    if (status == JP_OK) {
        *ret_text = jp_win32_utf8(((SERVICE_DESCRIPTIONW *)info)->lpDescription);
        jp_free(info);
    }
    return status;
}

jp_status jp__scm_set_text(const struct jp_win32_scm *scm, uint32_t level, const char *text, struct jp_error *error) {
    SERVICE_DESCRIPTIONW info = {jp_win32_wide(text)};
    jp_status status = change2(scm, level, &info, error);
    jp_free(info.lpDescription);
    return status;
}

static int by_name(const void *one, const void *other) { return strcmp(*(char *const *)one, *(char *const *)other); }

jp_status jp__scm_list(const struct jp_win32_scm *scm, uint32_t level, char **ret_list, struct jp_error *error) {
    enum { NAMES_MAX = 64 };
    char *names[NAMES_MAX];
    size_t count = 0;
    void *info;
    jp_status status = query2(scm, level, &info, error);
    if (status != JP_OK)
        return status;
    for (const wchar_t *name = ((SERVICE_REQUIRED_PRIVILEGES_INFOW *)info)->pmszRequiredPrivileges; name && *name && count < NAMES_MAX;
         name += wcslen(name) + 1)
        names[count++] = jp_win32_utf8(name);
    jp_free(info);
    qsort(names, count, sizeof *names, by_name);
    struct jp_str list = {0};
    for (size_t i = 0; i < count; i++) {
        jp_str_printf(&list, "%s%s", i ? "/" : "", names[i]);
        jp_free(names[i]);
    }
    *ret_list = count ? jp_str_take(&list) : NULL;
    return JP_OK;
}

jp_status jp__scm_set_list(const struct jp_win32_scm *scm, uint32_t level, const char *list, struct jp_error *error) {
    wchar_t *wide = jp_win32_wide(list);
    size_t length = wcslen(wide);
    wide = jp_realloc_array(wide, length + 2, sizeof *wide);
    wide[length + 1] = 0;
    for (size_t i = 0; i < length; i++)
        if (wide[i] == L'/')
            wide[i] = 0;
    SERVICE_REQUIRED_PRIVILEGES_INFOW info = {wide};
    jp_status status = change2(scm, level, &info, error);
    jp_free(wide);
    return status;
}

/* --- failure actions --- */

static const char *const action_names[] = {
    [SC_ACTION_NONE] = "", [SC_ACTION_RESTART] = "restart", [SC_ACTION_REBOOT] = "reboot", [SC_ACTION_RUN_COMMAND] = "run"};

jp_status jp__scm_failure_actions(const struct jp_win32_scm *scm, char **ret_value, struct jp_error *error) {
    void *info;
    jp_status status = query2(scm, SERVICE_CONFIG_FAILURE_ACTIONS, &info, error);
    if (status != JP_OK)
        return status;
    const SERVICE_FAILURE_ACTIONSW *failure = info;
    struct jp_str text = {0};
    jp_str_printf(&text, "reset= %lu actions= ", (unsigned long)failure->dwResetPeriod);
    for (DWORD i = 0; i < failure->cActions; i++) {
        unsigned type = (unsigned)failure->lpsaActions[i].Type;
        jp_str_printf(&text, "%s%s/%lu", i ? "/" : "", type < sizeof action_names / sizeof *action_names ? action_names[type] : "?",
                      (unsigned long)failure->lpsaActions[i].Delay);
    }
    *ret_value = failure->cActions ? jp_str_take(&text) : NULL;
    jp_str_free(&text);
    jp_free(info);
    return JP_OK;
}

static SC_ACTION_TYPE action_of(const char *name, size_t length) {
    for (unsigned i = 1; i < sizeof action_names / sizeof *action_names; i++)
        if (strlen(action_names[i]) == length && memcmp(action_names[i], name, length) == 0)
            return (SC_ACTION_TYPE)i;
    return SC_ACTION_NONE;
}

/* Of what jp__scm_failure_actions wrote. NULL takes them away. */
jp_status jp__scm_set_failure_actions(struct jp_win32_scm *scm, const char *value, struct jp_error *error) {
    enum { ACTIONS_MAX = 16 };
    SC_ACTION actions[ACTIONS_MAX];
    SERVICE_FAILURE_ACTIONSW failure = {.lpsaActions = actions};
    const char *at = value ? strstr(value, "actions= ") : NULL;
    failure.dwResetPeriod = value ? strtoul(value + strlen("reset= "), NULL, 10) : 0;
    for (at = at ? at + strlen("actions= ") : ""; *at && failure.cActions < ACTIONS_MAX;) {
        size_t length = strcspn(at, "/");
        char *end;
        actions[failure.cActions++] = (SC_ACTION){.Type = action_of(at, length), .Delay = strtoul(at + length + (at[length] == '/'), &end, 10)};
        at = end + (*end == '/');
    }
    return change2(scm, SERVICE_CONFIG_FAILURE_ACTIONS, &failure, error);
}

/* --- the registry --- */

static jp_status registry_failed(struct jp_error *error, LSTATUS win32, const char *operation, const char *what, const char *key) {
    return jp_fail_win32(error, win32 == ERROR_ACCESS_DENIED ? JP_E_DENIED : JP_E_SYSTEM, (uint32_t)win32, operation,
                         "cannot %s HKLM\\%s", what, key);
}

jp_status jp__registry_read(const char *key, const char *name, char **ret_value, struct jp_error *error) {
    wchar_t text[1024];
    DWORD size = sizeof text - sizeof *text, type, number;
    wchar_t *wide_key = jp_win32_wide(key), *wide_name = jp_win32_wide(name);
    LSTATUS win32 = RegGetValueW(HKEY_LOCAL_MACHINE, wide_key, wide_name, RRF_RT_REG_SZ | RRF_RT_REG_EXPAND_SZ | RRF_RT_REG_DWORD | RRF_NOEXPAND,
                                 &type, text, &size);
    jp_free(wide_key);
    jp_free(wide_name);
    *ret_value = NULL;
    if (win32 == ERROR_FILE_NOT_FOUND || win32 == ERROR_PATH_NOT_FOUND)
        return JP_OK;
    if (win32 != ERROR_SUCCESS)
        return registry_failed(error, win32, "RegGetValue", "read", key);
    memcpy(&number, text, sizeof number);
    *ret_value = type == REG_DWORD ? jp_sprintf("%lu", (unsigned long)number) : jp_win32_utf8(text);
    return JP_OK;
}

static jp_status registry_write(const char *key, const char *name, DWORD type, const void *value, size_t size, struct jp_error *error) {
    wchar_t *wide_key = jp_win32_wide(key), *wide_name = jp_win32_wide(name);
    LSTATUS win32 = RegSetKeyValueW(HKEY_LOCAL_MACHINE, wide_key, wide_name, type, value, (DWORD)size);
    jp_free(wide_key);
    jp_free(wide_name);
    return win32 == ERROR_SUCCESS ? JP_OK : registry_failed(error, win32, "RegSetKeyValue", "write", key);
}

jp_status jp__registry_write_text(const char *key, const char *name, const char *value, struct jp_error *error) {
    wchar_t *wide = jp_win32_wide(value);
    jp_status status = registry_write(key, name, REG_EXPAND_SZ, wide, (wcslen(wide) + 1) * sizeof *wide, error);
    jp_free(wide);
    return status;
}

jp_status jp__registry_write_number(const char *key, const char *name, uint32_t value, struct jp_error *error) {
    return registry_write(key, name, REG_DWORD, &value, sizeof value, error);
}

jp_status jp__registry_delete(const char *key, struct jp_error *error) {
    wchar_t *wide = jp_win32_wide(key);
    LSTATUS win32 = RegDeleteTreeW(HKEY_LOCAL_MACHINE, wide);
    if (win32 == ERROR_SUCCESS)
        win32 = RegDeleteKeyW(HKEY_LOCAL_MACHINE, wide);
    jp_free(wide);
    return win32 == ERROR_SUCCESS || win32 == ERROR_FILE_NOT_FOUND ? JP_OK : registry_failed(error, win32, "RegDeleteTree", "delete", key);
}
