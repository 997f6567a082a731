/* Ends well whatever it is told to do, and is no service: an upgrade that looks good until it is to run. */
#include <wchar.h>

int wmain(void);

int wmain(void) { return 0; }
