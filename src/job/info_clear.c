/* Frees what an information class holds. By itself, for jobpool_job, which has no cJSON. */
#include "base/str.h"
#include "jobpool/job.h"

void jp_job_info_clear(struct jp_job_info *info) {
    if (info->class == JP_JOB_BasicProcessIdList)
        jp_free(info->pids.items);
    else if (info->class == JP_JOB_GroupInformation)
        jp_free(info->groups.items);
    else if (info->class == JP_JOB_GroupInformationEx)
        jp_free(info->group_affinities.items);
    *info = (struct jp_job_info){0};
}
