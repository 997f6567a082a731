/* Files that decide what a SYSTEM service does: read only if nobody but administrators could have written them. */
#ifndef JP_WIN32_TRUSTED_FILE_H
#define JP_WIN32_TRUSTED_FILE_H

#include "base/str.h"

enum jp_win32_trust {
    JP_TRUST_ANYONE,        /* a console's own file: as it is */
    JP_TRUST_ADMINISTRATORS /* JP_E_DENIED if somebody other than SYSTEM, Administrators, TrustedInstaller or our own user owns
                             * the file or its folder, or may write to either; also if the file is a link (reparse point) */
};

/* Appends up to `max_bytes` + 1 bytes of the file to `text`, so that the caller sees that it is longer. Who may write is asked
 * of the handle that is read. */
jp_status jp_win32_read_file(const char *name, size_t max_bytes, enum jp_win32_trust trust, struct jp_str *text, struct jp_error *error);

#endif
