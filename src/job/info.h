/* Information classes as JSON: pywin32's dictionaries, key for key.
 *
 * https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-queryinformationjobobject */
#ifndef JP_JOB_INFO_H
#define JP_JOB_INFO_H

#include "base/schema.h"
#include "jobpool/job.h"

enum {
    JP_CLASS_QUERY = 1, /* Windows lets it be read ... */
    JP_CLASS_SET = 2,   /* ... and set */
};
struct jp_job_class_row {
    const char *name; /* "JobObjectBasicLimitInformation" */
    enum jp_job_class class;
    unsigned can;      /* JP_CLASS_* */
    const char *since; /* the Windows that brought it, if a supported one may be older; or NULL */
};
extern const struct jp_job_class_row jp_job_classes[]; /* ends with a NULL name */
const struct jp_job_class_row *jp_job_class_find(enum jp_job_class class); /* NULL: Windows documents no such class */

/* Names of classes, with and without "JobObject" before them, for JP_FIELD_CODE; and of access rights for JP_FIELD_BITS. */
extern const struct jp_choice jp_job_class_choices[];
extern const struct jp_choice jp_job_access_choices[];
extern const struct jp_choice jp_job_security_choices[];

/* The dictionary (class 3: list) of a class. */
cJSON *jp_job_info_write(const struct jp_job_info *info);

/* Reads what jp_job_info_write wrote, numbers or names. Every key must be there and no other: `error` names the first that is not
 * so. JP_E_PARAMS; then *ret_info is all zero. Else clear it with jp_job_info_clear. */
jp_status jp_job_info_read(enum jp_job_class class, const cJSON *json, struct jp_job_info *ret_info, struct jp_error *error);

bool jp_job_info_equal(const struct jp_job_info *one, const struct jp_job_info *other); /* as set: what is only read does not count */

#endif
