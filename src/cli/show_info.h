/* The dictionary of an information class for people: one key a line, names beside numbers, units beside times and sizes. */
#ifndef JP_CLI_SHOW_INFO_H
#define JP_CLI_SHOW_INFO_H

#include "base/json.h"

/* `info` is what job.queryInformation calls so; `class` its number. */
void jp_show_job_info(uint64_t class, const cJSON *info, struct jp_str *out);

#endif
