/* Windows as the daemon wants it. */
#ifndef JP_SERVICE_PLATFORM_H
#define JP_SERVICE_PLATFORM_H

#include "daemon/platform.h"
#include "win32/trusted_file.h"

/* One for the process; `trust`: in the config's file. */
const struct jp_daemon_platform *jp_service_platform(enum jp_win32_trust trust);

#endif
