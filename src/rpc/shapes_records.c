/* What answers about processes, events and accounts look like, and notifications: render.c, methods_process.c, methods_records.c and
 * subscriptions.c, member for member. */
#include "rpc/shape_rows.h"

static const char *const origins[] = {"kernel", "reconciler", "service", NULL};
static const char *const endings[] = {"running", "exited", "crashed", "terminated", "unknown", NULL};

/* --- processes --- */

#define PROCESS                                                                                                                                   \
    COUNT("id", "Its row in the accounts."),                                                                                                      \
    STRING("pool", "The pool that it is or was in."),                                                                                             \
    PID("pid", "Its id."),                                                                                                                        \
    START_TIME,                                                                                                                                   \
    BOOL("startTimeExact", "false: the service never saw the process itself, and the time is that of the message that told of it."),              \
    TIME("started", "The creation time as a time."),                                                                                              \
    TIME("joined", "When it came into the pool."),                                                                                                \
    WORD("joinedBy", origins, "How the service knows of it: the completion port told, a list did, or somebody asked for it."),                    \
    TIME_OR_NULL("ended", "When it ended."),                                                                                                      \
    WORD("ending", endings,                                                                                                                       \
         "running; exited by itself; crashed, with the exit code of an exception; terminated, because somebody asked the service, or a limit did; unknown, it was not seen."), \
    COUNT_OR_NULL("exitCode", "Its exit code."),                                                                                                  \
    STRING_OR_NULL("exitCodeName", "That code's name, where it has one: STATUS_ACCESS_VIOLATION."),                                               \
    COUNT_OR_NULL("parentPid", "Who started it."),                                                                                                \
    COUNT_OR_NULL("session", "Its session."),                                                                                                     \
    STRING_OR_NULL("user", "Whose process it is."),                                                                                               \
    STRING_OR_NULL("image", "Full path of the program."),                                                                                         \
    STRING_OR_NULL("commandLine", "Its command line."),                                                                                           \
    COUNT_OR_NULL("userTime100ns", "User-mode CPU time."),                                                                                        \
    COUNT_OR_NULL("kernelTime100ns", "Kernel-mode CPU time."),                                                                                    \
    COUNT_OR_NULL("peakCommitBytes", "Most memory that it had committed."),                                                                       \
    COUNT_OR_NULL("peakWorkingSetBytes", "Its largest working set."),                                                                             \
    COUNT_OR_NULL("readOperations", "Reads."),                                                                                                    \
    COUNT_OR_NULL("writeOperations", "Writes."),                                                                                                  \
    COUNT_OR_NULL("otherOperations", "Other operations on files and devices."),                                                                   \
    COUNT_OR_NULL("readBytes", "Bytes read."),                                                                                                    \
    COUNT_OR_NULL("writeBytes", "Bytes written."),                                                                                                \
    COUNT_OR_NULL("otherBytes", "Bytes of other operations.")

static const struct jp_shape_member process_members[] = {PROCESS, {0}};
const struct jp_shape jp__shape_process = SHAPE("Process", "A process that is or was in a pool.", process_members);

static const struct jp_shape_member process_now_members[] = {
    PROCESS, COUNT_OR_NULL("commitBytes", "Memory committed now; null until it has been seen by a look."), COUNT_OR_NULL("workingSetBytes", "Working set now, likewise."), {0}};
const struct jp_shape jp__shape_process_now = SHAPE("ProcessNow", "A process that is in a pool, as of a look at the machine's processes.", process_now_members);

static const struct jp_shape_member processes_members[] = {LIST_OF("processes", jp__shape_process, "One for each."), {0}};
const struct jp_shape jp__shape_processes = SHAPE("Processes", NULL, processes_members);

static const struct jp_shape_member joined_members[] = {
    STRING("pool", "The pool that it is in now."), PID("pid", "Its id."), START_TIME, COUNT("id", "Its row in the accounts."),
    COUNT("seq", "The event that tells of it."), {0}};
const struct jp_shape jp__shape_joined = SHAPE("Joined", "A process that has come into a pool, on the disk.", joined_members);

static const struct jp_shape_member process_terminated_members[] = {
    STRING("pool", "The pool that it is in."), PID("pid", "Its id."), START_TIME, COUNT("exitCode", "The exit code that it gets."), {0}};
const struct jp_shape jp__shape_process_terminated = SHAPE("ProcessTerminated", NULL, process_terminated_members);

/* --- events --- */

#define EVENT                                                                                                                                  \
    COUNT("seq", "Its number; every event has the next one."),                                                                                 \
    TIME("time", "When it happened."),                                                                                                         \
    STRING("pool", "The pool, or \"\" where it is about the service."),                                                                        \
    STRING("message", "Windows' own name (JOB_OBJECT_MSG_NEW_PROCESS) or one of ours (POOL_CREATED)."),                                        \
    {.key = "pid", .kind = JP_SHAPE_INTEGER, .optional = true, .documentation = "The process."},                                               \
    {.key = "startTime", .kind = JP_SHAPE_DECIMAL, .optional = true, .documentation = "Its creation time."},                                   \
    {.key = "process", .kind = JP_SHAPE_STRING, .optional = true, .documentation = "File name of its program."},                               \
    WORD("origin", origins, "kernel: through the completion port; reconciler: the port did not tell, a handle or a list did; service."),       \
    {.key = "exitCode", .kind = JP_SHAPE_U64, .optional = true, .documentation = "Its exit code."},                                            \
    {.key = "detail", .kind = JP_SHAPE_STRING, .optional = true, .documentation = "More about it, for people."}

static const struct jp_shape_member event_members[] = {EVENT, {0}};
static const struct jp_shape event = SHAPE("Event", "Something that happened.", event_members);

static const struct jp_shape_member events_members[] = {
    LIST_OF("events", event, "In the order of seq."), BOOL("more", "There are more: ask on with fromSeq."), {0}};
const struct jp_shape jp__shape_events = SHAPE("EventPage", NULL, events_members);

static const struct jp_shape_member subscribed_members[] = {
    COUNT("subscription", "Its number on this connection."),
    COUNT("seq", "The last event that was there before it: with no fromSeq, the next one comes first."),
    {0}};
const struct jp_shape jp__shape_subscribed = SHAPE("Subscribed", NULL, subscribed_members);

static const struct jp_shape_member unsubscribed_members[] = {COUNT("subscription", "The one that is no more."), {0}};
const struct jp_shape jp__shape_unsubscribed = SHAPE("Unsubscribed", NULL, unsubscribed_members);

/* --- accounting --- */

static const struct jp_shape_member page_members[] = {
    LIST_OF("processes", jp__shape_process, "In the order of their ids."), BOOL("more", "There are more: ask on with afterId."), {0}};
const struct jp_shape jp__shape_process_page = SHAPE("ProcessPage", NULL, page_members);

/* --- the audit trail --- */

static const struct jp_shape_member audit_members[] = {
    COUNT("id", "Its row in the accounts."),
    TIME("time", "When it was asked; of several that are put together, the first."),
    STRING("user", "The account that asked."),
    STRING("sid", "The same as a SID."),
    COUNT("clientPid", "The process that asked, as the system tells it; 0: unknown."),
    STRING("method", "What was asked for."),
    STRING_OR_NULL("pool", "The pool, or the job, that it was about."),
    COUNT_OR_NULL("pid", "The process that it was about, or that was launched."),
    BOOL("allowed", "false: refused for want of a right."),
    STRING_OR_NULL("error", "Why it was not done, as the error's name; null: it was done."),
    STRING_OR_NULL("detail", "The same as a sentence."),
    COUNT("count", "How often; refusals and failures that are repeated are put together."),
    {0}};
static const struct jp_shape audit = SHAPE("AuditRecord", "A request that changed something, or was refused for want of a right.", audit_members);

static const struct jp_shape_member audit_page_members[] = {
    LIST_OF("records", audit, "In the order of their ids."), BOOL("more", "There are more: ask on with afterId."), {0}};
const struct jp_shape jp__shape_audit_page = SHAPE("AuditPage", NULL, audit_page_members);

/* What processes have used together. */
#define SUMS                                                                                                       \
    COUNT("processes", "All processes that began in the time."), \
    COUNT("running", "Those that still run."), \
    COUNT("exited", "By themselves."), \
    COUNT("crashed", "With the exit code of an exception."), \
    COUNT("terminated", "Because somebody asked the service, or a limit did."), \
    COUNT("unknown", "Nobody saw how."), \
    COUNT("failures", "With an exit code other than 0."), \
    COUNT_OR_NULL("userTime100ns", "User-mode CPU time."), \
    COUNT_OR_NULL("kernelTime100ns", "Kernel-mode CPU time."), \
    COUNT("wallTime100ns", "How long they ran, each added."), \
    COUNT_OR_NULL("peakCommitBytes", "Of the largest process."), \
    COUNT_OR_NULL("readBytes", "Bytes read."), \
    COUNT_OR_NULL("writeBytes", "Bytes written."), \
    COUNT("withCpu", "Of how many processes the CPU times are known."), \
    COUNT("withIo", "Of how many what they read and wrote.")

static const struct jp_shape_member summary_members[] = {
    STRING("pool", "The pool, which need not be there any more; \"\": ephemeral pools that stood below none."),
    SUMS,
    COUNT("unobserved", "Processes that the job objects counted and nobody saw; the sums have what they used."),
    {0}};
static const struct jp_shape summary = SHAPE("Summary", "What the processes of a pool have used.", summary_members);
static const struct jp_shape_member summaries_members[] = {LIST_OF("pools", summary, "One for each pool with processes in the time."), {0}};
const struct jp_shape jp__shape_summaries = SHAPE("Summaries", NULL, summaries_members);

#define GROUPED_BY(name, says) {.key = name, .kind = JP_SHAPE_STRING, .optional = true, .nullable = true, .documentation = says}
static const struct jp_shape_member report_row_members[] = {
    GROUPED_BY("pool", "The pool; these five where it was grouped by them."),
    GROUPED_BY("user", "The account; null: unknown."),
    GROUPED_BY("image", "The program's file name, without its folder; null: unknown."),
    GROUPED_BY("day", "The day on which the processes began, UTC: \"2026-11-22\"."),
    GROUPED_BY("ending", "How they ended, or running."),
    SUMS,
    {0}};
static const struct jp_shape_member total_members[] = {SUMS, {0}};
static const struct jp_shape report_row = SHAPE("ReportRow", "What the processes of a group have used.", report_row_members);
static const struct jp_shape total = SHAPE("ReportTotal", "What the processes of all groups have used.", total_members);
static const struct jp_shape_member report_members[] = {
    LIST_OF("rows", report_row, "A group each, the most CPU time first; equal ones by their names."),
    COUNT("groups", "How many there are, also those that are not shown: beyond top, or where the answer would be too long."),
    OF("total", total, "All of them together."),
    BOOL("complete", "false: rows of processes that belong to it have been purged."),
    TIME_OR_NULL("completeFrom", "Where it is not complete: of processes that began from then on all are in it."),
    {0}};
const struct jp_shape jp__shape_report = SHAPE("Report", NULL, report_members);

static const struct jp_shape_member point_members[] = {
    TIME("time", "The beginning of the step."),
    COUNT_OR_NULL("processes", "The most at once that a sample saw."),
    COUNT("cpuTime100ns", "CPU time used in it, user and kernel mode."),
    COUNT_OR_NULL("commitBytes", "The most memory committed at once that a sample saw."),
    COUNT_OR_NULL("workingSetBytes", "The same of the working sets."),
    COUNT_OR_NULL("readBytes", "Bytes read in it; null where the host does not tell."),
    COUNT_OR_NULL("writeBytes", "Bytes written in it, likewise."),
    COUNT_OR_NULL("memoryLimitBytes", "job_memory that held at its last sample, the pool's or that of one above it; null: none."),
    COUNT_OR_NULL("processLimit", "active_processes then; null: none."),
    COUNT_OR_NULL("cpuRateLimit", "The hard cap of cpu_rate then, in 1/100 % of what the pool above it has; null: none."),
    COUNT("started", "Processes of the pool that began in it."),
    COUNT("ended", "Processes of the pool that ended in it."),
    COUNT("failures", "Of those the ones with an exit code other than 0."),
    {0}};
static const struct jp_shape point = SHAPE("SeriesPoint", "A pool in a step of time, with those below it.", point_members);
static const struct jp_shape_member pool_series_members[] = {
    STRING("pool", "The pool, which need not be there any more."), LIST_OF("points", point, "In order of time."), {0}};
static const struct jp_shape pool_series = SHAPE("PoolSeries", "A pool over time.", pool_series_members);
static const struct jp_shape_member series_members[] = {
    TIME("from", "The beginning, as asked for."),
    TIME("to", "The end."),
    COUNT("step100ns", "How long a step is."),
    BOOL("complete", "false: samples of the time have been purged, or there is more."),
    TIME_OR_NULL("completeFrom", "Where samples have been purged: from then on all are in it."),
    BOOL("more", "Pools were left out because the answer would be too long."),
    LIST_OF("series", pool_series, "By the pools' names, one for each of which something is known."),
    {0}};
const struct jp_shape jp__shape_series = SHAPE("Series", NULL, series_members);

static const struct jp_shape_member purged_members[] = {COUNT("processes", "Rows of processes that were deleted."), COUNT("events", "Events that were deleted."), {0}};
const struct jp_shape jp__shape_purged = SHAPE("Purged", NULL, purged_members);

/* --- notifications --- */

static const struct jp_shape_member delivered_members[] = {
    COUNT("subscription", "Which subscription it is for."), EVENT,
    {.key = "durable", .kind = JP_SHAPE_BOOL, .optional = true, .documentation = "false: not known to be in the database; only to subscriptions that are not durable."},
    {0}};
static const struct jp_shape delivered = SHAPE("EventDelivered", "An event.", delivered_members);

static const char *const gap_reasons[] = {"slow", "purged", "dropped", "missing", NULL};
static const struct jp_shape_member gap_members[] = {
    COUNT("from", "The first event of the gap."), COUNT("to", "The last."), WORD("reason", gap_reasons, "Why."), {0}};
static const struct jp_shape gap = SHAPE("Gap", "Events that do not come as they should.", gap_members);
static const struct jp_shape_member gap_told_members[] = {
    COUNT("subscription", "Which subscription it is for."), OF("gap", gap, "It comes in the place of the events that it tells of."), {0}};
static const struct jp_shape gap_told = SHAPE("GapTold", "Events do not come.", gap_told_members);

static const struct jp_shape_member end_members[] = {
    COUNT("nextSeq", "Where to subscribe from again."), OF("error", jp__shape_error, "Why the database cannot be read."), {0}};
static const struct jp_shape end = SHAPE("SubscriptionEnd", NULL, end_members);
static const struct jp_shape_member end_told_members[] = {
    COUNT("subscription", "Which subscription it is for."), OF("end", end, "Where and why it ended."), {0}};
static const struct jp_shape end_told = SHAPE("EndTold", "The subscription has ended.", end_told_members);

static const struct jp_shape *const told[] = {&delivered, &gap_told, &end_told, NULL};
static const struct jp_shape event_params = {.name = "EventParams", .documentation = "What a subscription is sent.", .either = told};

static const struct jp_shape_member progress_members[] = {
    {.key = "token", .kind = JP_SHAPE_ANY, .documentation = "The request's progressToken."},
    {.key = "value", .kind = JP_SHAPE_ANY, .documentation = "How far it is; what is in it depends on the method."},
    {0}};
static const struct jp_shape progress = SHAPE("Progress", "How far a long request is.", progress_members);

const struct jp_notification jp__notifications[] = {
    {"event", "An event, or that events are missing, or that the subscription has ended.", &event_params},
    {"$/progress", "How far a request is that was given a progressToken.", &progress},
    {0}};
