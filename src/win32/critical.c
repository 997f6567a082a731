/* Owns the question which processes no rule may take: those without which Windows, or the service, does not go on. */
#include "base/str.h"
#include "win32/internal.h"
#include "win32/wide.h"

#include <stdio.h>
#include <string.h>
#include <winternl.h>

enum {
    PID_IDLE = 0,
    PID_SYSTEM = 4,
    BREAK_ON_TERMINATION = 29,   /* ProcessBreakOnTermination: what IsProcessCritical asks */
    PROTECTION_INFORMATION = 61, /* ProcessProtectionInformation, Windows 8.1: 0 is not protected */
};

/* In System32. Not all of them are marked as critical, and svchost.exe is so only where it hosts what Windows cannot be without; but
 * whoever ends one of them by mistake ends services or sessions. The last row is Wine's. */
static const char *const images[] = {
    "smss.exe",  "csrss.exe", "wininit.exe",     "winlogon.exe", "services.exe", "lsass.exe", "lsaiso.exe",
    "lsm.exe",   "dwm.exe",   "fontdrvhost.exe", "logonui.exe",  "svchost.exe",  "WUDFHost.exe",
    "rpcss.exe", "plugplay.exe", "winedevice.exe", "explorer.exe",
};

/* By full path: a file of this name elsewhere is anybody's. */
static bool is_system_image(const char *image) {
    wchar_t folder[MAX_PATH];
    UINT length = GetSystemDirectoryW(folder, MAX_PATH);
    if (length == 0 || length >= MAX_PATH)
        return true; /* cannot be told */
    char *system = jp_win32_utf8(folder);
    const char *name = strrchr(image, '\\') + 1;
    char *beside = jp_sprintf("%s\\%s", system, name);
    bool in_system = jp_ascii_equal_nocase(beside, image);
    jp_free(beside);
    jp_free(system);
    for (size_t i = 0; in_system && i < sizeof images / sizeof *images; i++)
        if (jp_ascii_equal_nocase(name, images[i]))
            return true;
    return false;
}

/* The service, its keeper (also the one of an earlier run), and the short-lived processes of its own that ask others to end. */
static bool is_ours(const struct jp_process *process, const char *image) {
    if (process->pid == GetCurrentProcessId())
        return true;
    wchar_t *wide = jp__own_image();
    char *own = jp_win32_utf8(wide);
    bool same = own && jp_ascii_equal_nocase(own, image);
    jp_free(own);
    jp_free(wide);
    return same;
}

/* True also where Windows does not say; a host that does not know the question (Wine) has no such processes. */
static bool is_marked(HANDLE process) {
    ULONG critical = 0;
    NTSTATUS status = NtQueryInformationProcess(process, (PROCESSINFOCLASS)BREAK_ON_TERMINATION, &critical, sizeof critical, NULL);
    if (status != (NTSTATUS)0xC0000003 /* STATUS_INVALID_INFO_CLASS */ && (!NT_SUCCESS(status) || critical))
        return true;
    UCHAR protection = 0;
    status = NtQueryInformationProcess(process, (PROCESSINFOCLASS)PROTECTION_INFORMATION, &protection, sizeof protection, NULL);
    return status != (NTSTATUS)0xC0000003 && (!NT_SUCCESS(status) || protection);
}

/* What has no program's file is the kernel's own ("Registry", "MemCompression"). With the rights of JP_PROCESS_OBSERVE. */
bool jp__process_is_critical(struct jp_process *process) {
    if (process->pid == PID_IDLE || process->pid == PID_SYSTEM || is_marked(process->handle))
        return true;
    char *image = jp__image(process->handle);
    bool critical = !image || !strchr(image, '\\') || is_system_image(image) || is_ours(process, image);
    jp_free(image);
    return critical;
}
