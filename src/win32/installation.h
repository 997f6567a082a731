/* How the service is installed: what Windows has of it, what it should be, and the plain command lines that make the one the other.
 *
 * A setting is a text: what is there can be compared with what should be, shown, and written back. `jobpoold install` and
 * `jobpool doctor` go through the same table. */
#ifndef JP_WIN32_INSTALLATION_H
#define JP_WIN32_INSTALLATION_H

#include "base/str.h"

#define JP_SERVICE_NAME "JobPool"

struct jp_win32_scm; /* the service control manager, and the service if it is there */

enum jp_win32_scm_access {
    JP_SCM_LOOK,   /* what every user may */
    JP_SCM_CHANGE, /* what an administrator may */
};

/* JP_OK also if there is no service of that name. */
jp_status jp_win32_scm_open(enum jp_win32_scm_access access, struct jp_win32_scm **ret_scm, struct jp_error *error);
void jp_win32_scm_close(struct jp_win32_scm *scm); /* NULL is fine */
bool jp_win32_scm_installed(const struct jp_win32_scm *scm);

enum jp_service_state { JP_SERVICE_STOPPED, JP_SERVICE_STARTING, JP_SERVICE_STOPPING, JP_SERVICE_RUNNING, JP_SERVICE_OTHER };
struct jp_service_status {
    enum jp_service_state state;
    uint32_t pid;        /* 0 while it is stopped */
    uint32_t checkpoint; /* moves while a start or a stop makes progress */
    uint32_t win32, specific; /* how it ended the last time; 1077: not started since the machine was */
};
jp_status jp_win32_service_status(const struct jp_win32_scm *scm, struct jp_service_status *ret_status, struct jp_error *error);
jp_status jp_win32_service_start(const struct jp_win32_scm *scm, struct jp_error *error);  /* begins it; one that runs is fine */
jp_status jp_win32_service_stop(const struct jp_win32_scm *scm, struct jp_error *error);   /* begins it; one that is stopped is fine */
jp_status jp_win32_service_delete(struct jp_win32_scm *scm, struct jp_error *error);

/* What should be. Full paths. */
struct jp_installation {
    const char *program; /* jobpoold.exe */
    const char *config;
};

struct jp_setting {
    const char *name;    /* NULL ends the table */
    const char *purpose; /* what goes wrong without it */
    bool created;        /* `sc create` sets it: nothing to be done for a new service */
    /* What is there (jp_free); NULL if there is nothing. JP_E_UNSUPPORTED where the host has no such setting. */
    jp_status (*read)(const struct jp_win32_scm *scm, char **ret_value, struct jp_error *error);
    const char *fixed; /* what should be there; NULL: `wanted` says */
    const char *unit;  /* what stands behind it when people read it; NULL: nothing */
    const char *nothing; /* what the command line says to have nothing there; NULL: it cannot, or undo_command does it */
    char *(*wanted)(const struct jp_installation *installation); /* jp_free */
    /* NULL takes it away. */
    jp_status (*write)(struct jp_win32_scm *scm, const char *value, struct jp_error *error);
    char *(*command)(const char *value); /* what an administrator would type; jp_free */
    char *(*undo_command)(void);         /* takes it away; NULL: goes with the service */
};
extern const struct jp_setting jp_win32_settings[]; /* in the order in which they are made; the first is the service itself */

/* What should be there (jp_free). */
char *jp_win32_setting_wanted(const struct jp_setting *setting, const struct jp_installation *installation);

/* The program and the configuration that a service's command line names (jp_free both). *ret_config is NULL if it names none. */
void jp_win32_read_command(const char *command, char **ret_program, char **ret_config);
/* Whether the program's path in it is one that Windows takes for nothing else: quoted, or without spaces. */
bool jp_win32_command_quoted(const char *command);

/* `"%s" --config "%s"`, as one argument of sc. For who is told before there is a service. */
char *jp_win32_create_command(const struct jp_installation *installation);

#endif
