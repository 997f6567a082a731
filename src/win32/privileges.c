/* Owns the table of privileges. Not in it: SeDebugPrivilege, because a client's rights are to decide what may be opened, and ours
 * only for what is in our pools. */
#include "win32/privileges.h"

#include <stddef.h>

const struct jp_privilege jp_win32_privileges[] = {
    {"SeAssignPrimaryTokenPrivilege", true, "to start a process as the client that asks for it"},
    {"SeChangeNotifyPrivilege", false, "to reach a file without the right to list every folder above it, as every account can"},
    {"SeImpersonatePrivilege", false, "to take the token of a client at the pipe, and open a process or a file with it"},
    {"SeIncreaseBasePriorityPrivilege", true, "for high priorities and scheduling classes"},
    {"SeIncreaseQuotaPrivilege", true, "to start a process as the client that asks for it"},
    {"SeIncreaseWorkingSetPrivilege", true, "for limits of the working set"},
    {"SeTcbPrivilege", false, "to start a process with a token that is lent in the session of its client"},
    {NULL, false, NULL},
};
