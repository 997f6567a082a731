/* The service's entry with the service control manager, value by value, and the registry's. Private to win32/. */
#ifndef JP_WIN32_SCM_CONFIG_H
#define JP_WIN32_SCM_CONFIG_H

#include "win32/installation.h"

#include <stddef.h>
#include <windows.h>

/* A string of QUERY_SERVICE_CONFIG, by where its pointer stands. NULL if there is no service. */
jp_status jp__scm_config(const struct jp_win32_scm *scm, size_t member, char **ret_value, struct jp_error *error);
jp_status jp__scm_start_type(const struct jp_win32_scm *scm, uint32_t *ret_type, struct jp_error *error);

jp_status jp__scm_create(struct jp_win32_scm *scm, const char *command, const char *display_name, struct jp_error *error);
struct jp__scm_change {
    const char *command, *display_name, *account; /* NULL: as it is */
    uint32_t start_type;                          /* 0: as it is; otherwise the type and one */
};
jp_status jp__scm_change(const struct jp_win32_scm *scm, const struct jp__scm_change *change, struct jp_error *error);

/* The levels of ChangeServiceConfig2, by what they hold. JP_E_UNSUPPORTED where the host knows the level not. */
jp_status jp__scm_number(const struct jp_win32_scm *scm, uint32_t level, uint32_t *ret_number, struct jp_error *error);
jp_status jp__scm_set_number(const struct jp_win32_scm *scm, uint32_t level, uint32_t number, struct jp_error *error);
jp_status jp__scm_text(const struct jp_win32_scm *scm, uint32_t level, char **ret_text, struct jp_error *error);
jp_status jp__scm_set_text(const struct jp_win32_scm *scm, uint32_t level, const char *text, struct jp_error *error);
/* "a/b/c" in the order of the names */
jp_status jp__scm_list(const struct jp_win32_scm *scm, uint32_t level, char **ret_list, struct jp_error *error);
jp_status jp__scm_set_list(const struct jp_win32_scm *scm, uint32_t level, const char *list, struct jp_error *error);
/* As sc writes them: "reset= 86400 actions= restart/5000" */
jp_status jp__scm_failure_actions(const struct jp_win32_scm *scm, char **ret_value, struct jp_error *error);
jp_status jp__scm_set_failure_actions(struct jp_win32_scm *scm, const char *value, struct jp_error *error);

/* A value of a key below HKEY_LOCAL_MACHINE, a text or a number, as text; NULL if there is none. */
jp_status jp__registry_read(const char *key, const char *name, char **ret_value, struct jp_error *error);
jp_status jp__registry_write_text(const char *key, const char *name, const char *value, struct jp_error *error);
jp_status jp__registry_write_number(const char *key, const char *name, uint32_t value, struct jp_error *error);
jp_status jp__registry_delete(const char *key, struct jp_error *error); /* one that is not there is fine */

#endif
