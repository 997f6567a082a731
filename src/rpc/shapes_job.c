/* What answers of job.* look like: methods_job.c, member for member. */
#include "rpc/shape_rows.h"

#define JOB STRING("job", "As it was named.")

static const struct jp_shape_member handle_members[] = {
    STRING("job", "The handle: a name of this connection's, \"#1\"."),
    STRING_OR_NULL("name", "The kernel name."),
    BOOL("existed", "It was there already."),
    {0}};
const struct jp_shape jp__shape_job_handle = SHAPE("JobHandle", "A job object, as long as this connection lasts.", handle_members);

static const struct jp_shape_member named_members[] = {JOB, {0}};
const struct jp_shape jp__shape_job_named = SHAPE("Job", NULL, named_members);

static const struct jp_shape_member assigned_members[] = {JOB, PID("pid", "The process."), START_TIME, {0}};
const struct jp_shape jp__shape_job_assigned = SHAPE("Assigned", NULL, assigned_members);

static const struct jp_shape_member in_job_members[] = {BOOL("inJob", "Whether it is."), {0}};
const struct jp_shape jp__shape_in_job = SHAPE("InJob", NULL, in_job_members);

static const struct jp_shape_member information_members[] = {
    COUNT("class", "Its number."), STRING("name", "Its name."),
    {.key = "info", .kind = JP_SHAPE_ANY, .documentation = "Windows' own keys; a list for classes 3, 11 and 14."},
    {0}};
const struct jp_shape jp__shape_information = SHAPE("Information", "What a job object says of itself.", information_members);

static const struct jp_shape_member information_set_members[] = {COUNT("class", "Its number."), STRING("name", "Its name."), {0}};
const struct jp_shape jp__shape_information_set = SHAPE("InformationSet", NULL, information_set_members);

static const struct jp_shape_member terminated_members[] = {JOB, COUNT("exitCode", "The exit code that the processes get."), {0}};
const struct jp_shape jp__shape_job_terminated = SHAPE("JobTerminated", NULL, terminated_members);

static const struct jp_shape_member granted_members[] = {JOB, BOOL("granted", "What it is now."), {0}};
const struct jp_shape jp__shape_granted = SHAPE("Granted", NULL, granted_members);
