/* Owns the settings that the service gives its own process. */
#include "win32/harden.h"

#include <windows.h>

void jp_win32_harden(void) {
    /* A DLL beside the program, in its working directory or on the PATH is never ours: everything but Windows is linked in. */
    SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);

    /* Nobody sees a service's desktop, so a box there would wait for ever. Launched programs inherit this, for the same
     * reason. Windows Error Reporting stays on: crashes are to be recorded. */
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOOPENFILEERRORBOX);

    HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0);
}
