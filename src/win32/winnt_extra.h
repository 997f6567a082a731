/* Parts of winnt.h that older mingw-w64 headers lack, under names of our own so that newer ones do not clash. */
#ifndef JP_WIN32_WINNT_EXTRA_H
#define JP_WIN32_WINNT_EXTRA_H

#include <stdint.h>

/* JOBOBJECT_CPU_RATE_CONTROL_INFORMATION, class 15 */
enum { JP__JOB_CPU_RATE_CLASS = 15 };
enum {
    JP__CPU_RATE_ENABLE = 0x1,
    JP__CPU_RATE_WEIGHT_BASED = 0x2,
    JP__CPU_RATE_HARD_CAP = 0x4,
    JP__CPU_RATE_MIN_MAX = 0x10,
};
struct jp__cpu_rate_information {
    uint32_t flags;
    union {
        uint32_t rate;   /* 1/100 % */
        uint32_t weight; /* 1 to 9 */
        struct {
            uint16_t min, max; /* 1/100 % */
        } range;
    } value;
};

/* JOBOBJECT_NET_RATE_CONTROL_INFORMATION, class 32 */
enum { JP__JOB_NET_RATE_CLASS = 32 };
enum {
    JP__NET_RATE_ENABLE = 0x1,
    JP__NET_RATE_MAX_BANDWIDTH = 0x2,
    JP__NET_RATE_DSCP_TAG = 0x4,
};
struct jp__net_rate_information {
    uint64_t max_bandwidth; /* bytes a second */
    uint32_t flags;
    uint8_t dscp_tag;
};

#endif
