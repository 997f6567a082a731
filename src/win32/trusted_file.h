/* Files that decide what a SYSTEM service does: read only if nobody but administrators could have written them. */
#ifndef JP_WIN32_TRUSTED_FILE_H
#define JP_WIN32_TRUSTED_FILE_H

#include "base/str.h"

enum jp_win32_trust {
    JP_TRUST_ANYONE,        /* a console's own file: as it is */
    JP_TRUST_SERVICE,       /* the same for who is not the service, and asks what the service will say: his own user counts as anybody */
    JP_TRUST_ADMINISTRATORS /* JP_E_DENIED if somebody other than SYSTEM, Administrators, TrustedInstaller or our own user owns
                             * the file or its folder, or may write to either; also if the file is a link (reparse point) */
};

/* Appends up to `max_bytes` + 1 bytes of the file to `text`, so that the caller sees that it is longer. Who may write is asked
 * of the handle that is read. */
jp_status jp_win32_read_file(const char *name, size_t max_bytes, enum jp_win32_trust trust, struct jp_str *text, struct jp_error *error);

/* Whether nobody but administrators can put another program in the place of `file`: the file, its folder, and those above.
 * JP_E_DENIED says who can, and where. */
jp_status jp_win32_check_program(const char *file, struct jp_error *error);

/* A folder for what only the service and administrators may see. */
enum jp_private_folder {
    JP_FOLDER_NONE,
    JP_FOLDER_PRIVATE, /* SYSTEM and Administrators, nobody else, whatever the folder above says */
    JP_FOLDER_OPEN,    /* theirs, but others may look in or write, or may once the folder above lets them */
    JP_FOLDER_FOREIGN, /* somebody else's: he may have put into it what he likes */
};
/* `error` says for the last two who it is. */
jp_status jp_win32_folder_look(const char *folder, enum jp_private_folder *ret_kind, struct jp_error *error);
/* Whether an open folder may be made private: there are only files in it, no programs, and nobody but administrators has made one. Otherwise it
 * is others' too (C:\, C:\Windows, C:\Program Files), or holds what somebody has put there for the service to read; `error` says what. */
jp_status jp_win32_folder_is_data(const char *folder, struct jp_error *error);
jp_status jp_win32_folder_make(const char *folder, struct jp_error *error);  /* private from the first moment on */
jp_status jp_win32_folder_close(const char *folder, struct jp_error *error); /* makes an open one private, with what inherits from it */

#endif
