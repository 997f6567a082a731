/* Stands in for the compilers and backups that the documents run: says its command line, and is content. */
#include <stdio.h>
#include <windows.h>

int wmain(void);
int wmain(void) {
    return wprintf(L"%ls\n", GetCommandLineW()) < 0;
}
