/* The environment and the profile of a user, remembered from one launch to the next: Windows makes them anew of hundreds of registry values. */
#ifndef JP_WIN32_USER_ENVIRONMENT_H
#define JP_WIN32_USER_ENVIRONMENT_H

#include "jobpool/status.h"

#include <windows.h>

struct jp_user_environments; /* may be asked by several threads at once */

struct jp_user_environments *jp__user_environments_new(void);
void jp__user_environments_free(struct jp_user_environments *environments);

/* As CreateEnvironmentBlock and GetUserProfileDirectory say it of the token now, each in new memory (jp_free); *ret_profile is NULL for a user
 * who has none. `environments` NULL: nothing is recalled or remembered. */
jp_status jp__user_environment(struct jp_user_environments *environments, HANDLE token, wchar_t **ret_block, wchar_t **ret_profile,
                               struct jp_error *error);

#endif
