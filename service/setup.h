/* What install, uninstall and upgrade share: they say each step as the command line that an administrator would type, do it, and
 * take back what they did when a later one fails. */
#ifndef JP_SERVICE_SETUP_H
#define JP_SERVICE_SETUP_H

#include "win32/installation.h"

enum jp_setup_exit { JP_SETUP_DONE, JP_SETUP_FAILED };

/* What was given at the prompt. */
struct jp_setup_options {
    const char *config; /* install: NULL: what the installed service has, or else the default */
    const char *from;   /* upgrade: NULL: this program */
    bool dry_run;       /* say it, do nothing */
    bool no_start;      /* install */
    bool purge, yes;    /* uninstall: the data too; without asking */
};

/* The exit code. */
int jp_install(const struct jp_setup_options *options);
int jp_uninstall(const struct jp_setup_options *options);
int jp_upgrade(const struct jp_setup_options *options);

/* --- for these three --- */

struct jp_setup {
    const struct jp_setup_options *options;
    struct jp_win32_scm *scm;
    size_t changes;
    struct jp_undo *undos; /* the last one first */
};

/* A command line, as it is about to be done; and a remark ("rem ..."). */
void jp_setup_line(struct jp_setup *setup, const char *format, ...) JP_PRINTF(2, 3);
void jp_setup_remark(const char *format, ...) JP_PRINTF(1, 2);
/* To standard error. Returns JP_SETUP_FAILED. */
int jp_setup_complain(const char *format, ...) JP_PRINTF(1, 2);
int jp_setup_not_deleted(uint32_t win32, const char *file);

/* Opens the service control manager: for changes, or with --dry-run for a look. Whoever is no elevated administrator is told, before anything is done. */
jp_status jp_setup_open(struct jp_setup *setup, struct jp_error *error);
void jp_setup_close(struct jp_setup *setup); /* and forgets what could be undone */

/* Remembers how to take something back. */
enum jp_undo_kind { JP_UNDO_SETTING, JP_UNDO_FOLDER, JP_UNDO_FILE };
void jp_setup_can_undo(struct jp_setup *setup, enum jp_undo_kind kind, const struct jp_setting *setting, const char *value);
/* Takes everything back, and says so. */
void jp_setup_undo(struct jp_setup *setup);

/* Begins a start or stop and waits for its end, as long as it makes progress; a person sees that it does. */
jp_status jp_setup_start(struct jp_setup *setup, struct jp_error *error);
jp_status jp_setup_stop(struct jp_setup *setup, struct jp_error *error);

/* Asks at the console; false without one. */
bool jp_setup_confirmed(const char *question);

/* How many processes, this one not counted, run this program: the keeper, mostly. */
size_t jp_setup_running(const char *program);

#endif
