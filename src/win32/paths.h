/* Files by name, for programs that set the service up. All texts are UTF-8; new ones are the caller's (jp_free). */
#ifndef JP_WIN32_PATHS_H
#define JP_WIN32_PATHS_H

#include "base/str.h"

char *jp_win32_full_path(const char *file);
char *jp_win32_own_path(void);                 /* of the program that runs */
char *jp_win32_folder_of(const char *file);    /* "C:\a" of "C:\a\b"; "C:\" of "C:\a"; "." of "b" */
char *jp_win32_default_config(void);           /* %ProgramData%\JobPool\jobpool.json */
bool jp_win32_file_exists(const char *file);   /* or folder; also one that may not be looked at */
bool jp_win32_is_folder(const char *name);
bool jp_win32_elevated(void);                  /* whether this process has an administrator's rights */

/* Writes a whole file. Without `overwrite` one that is there stays, and is an error. A file that
 * could not be written whole is not left behind, and an old one stays as it was. */
jp_status jp_win32_write_file(const char *file, const char *text, bool overwrite, struct jp_error *error);

#endif
