/* For clients: is the process that serves a pipe really the service? Anyone may create a pipe of our name while the service
 * is not running. */
#ifndef JP_WIN32_SERVER_CHECK_H
#define JP_WIN32_SERVER_CHECK_H

#include "base/status.h"

#include <windows.h>

enum jp_win32_server {
    JP_SERVER_OWN_USER,   /* its pipe is the caller's own user's: `jobpoold --console` */
    JP_SERVER_PRIVILEGED, /* it is SYSTEM's or Administrators': it needs no trick to harm us */
    JP_SERVER_SERVICE,    /* it is neither, but the process that the SCM runs as "JobPool" */
};

/* JP_E_DENIED, with the reason, if it is none of these. *ret_pid is the server's. */
jp_status jp_win32_server_check(HANDLE pipe, enum jp_win32_server *ret_server, uint32_t *ret_pid, struct jp_error *error);

#endif
