/* What answers about the service look like: methods_service.c, with what daemon/events.c and the platforms add; and errors. */
#include "rpc/shape_rows.h"

#include "base/quotas.h"

static const char *const enforcers[] = {"none", "service", "kernel", NULL};

static const struct jp_shape_member retention_members[] = {
    STRING_OR_NULL("processes", "Rows of processes that have ended."),
    STRING_OR_NULL("events", "Events."),
    STRING_OR_NULL("hours", "Sums by the hour."),
    STRING_OR_NULL("samples", "Samples of pools over time."),
    STRING_OR_NULL("audit", "The audit trail."),
    STRING_OR_NULL("max_size", "The database file."),
    {0}};
static const struct jp_shape retention = SHAPE("Retention", "How long, or how much, is kept, as in the config; null means for ever, or any size.", retention_members);

static const struct jp_shape_member range_members[] = {COUNT("from", "The first number."), COUNT("to", "The last."), {0}};
static const struct jp_shape range = SHAPE("SeqRange", "Numbers of events.", range_members);

static const struct jp_shape_member database_members[] = {
    {.key = "file", .kind = JP_SHAPE_STRING, .optional = true, .documentation = "Where it is."},
    {.key = "retention", .kind = JP_SHAPE_OBJECT, .of = &retention, .optional = true, .documentation = "What holds now."},
    BOOL("degraded", "It cannot be written now."),
    STRING_OR_NULL("reason", "Why it cannot."),
    COUNT("backlog", "Records that wait for it."),
    COUNT("droppedEvents", "Events that a full backlog has dropped, since the service started."),
    COUNT("droppedAudits", "Records of the audit trail that the full backlog could not keep, in this run."),
    COUNT("droppedSamples", "Samples of pools that the half full backlog could not keep, in this run; the next one has what was used."),
    {.key = "dropped", .kind = JP_SHAPE_OBJECT, .of = &range, .nullable = true,
     .documentation = "Between which numbers they lie that were dropped when that last happened."},
    COUNT_OR_NULL("firstSeq", "The oldest event that is kept."),
    COUNT("committedSeq", "The last event that is in it."),
    COUNT("fileBytes", "Size of the file, as of the last commit."),
    COUNT("walBytes", "Size of its write-ahead log, likewise."),
    TIME_OR_NULL("lastPurge", "When it was last looked for what is to go, whether or not there was any; null: not since the service started."),
    {0}};
static const struct jp_shape database = SHAPE("Database", "How the accounting database is.", database_members);

static const struct jp_shape_member port_members[] = {
    COUNT("packets", "Messages that came."), COUNT("overflows", "Messages that were more than could be kept."), {0}};
static const struct jp_shape port = SHAPE("Port", "The completion port.", port_members);

static const struct jp_shape_member sampling_members[] = {
    STRING_OR_NULL("interval", "What is in use now; null while no pool needs samples."),
    TIME_OR_NULL("last", "When the last one was taken."),
    COUNT("processes", "How many processes it saw."),
    BOOL("degraded", "Sampling fails."),
    STRING_OR_NULL("reason", "Why it fails."),
    {0}};
static const struct jp_shape sampling = SHAPE("Sampling", "How processes are looked at, for limits that the service enforces.", sampling_members);

static const struct jp_shape_member caller_members[] = {
    STRING("user", "The account."), STRING("sid", "Its SID."), NAMES("rights", "What it may do with the service: view, assign, launch, control, admin. pool.list has those to each pool."), {0}};
static const struct jp_shape caller = SHAPE("Caller", "Whom the service takes the caller for.", caller_members);

static const struct jp_shape_member pong_members[] = {COUNT("protocol", "Version of this protocol."), {0}};
const struct jp_shape jp__shape_pong = SHAPE("Pong", "The service is there.", pong_members);

static const struct jp_shape_member status_members[] = {
    COUNT("protocol", "Version of this protocol."),
    STRING("program", "Name of the program."),
    {.key = "version", .kind = JP_SHAPE_STRING, .optional = true, .documentation = "Its version."},
    NAMES("deprecated", "Methods that clients should not use any more; rpc.discover says what to use instead."),
    {.key = "pid", .kind = JP_SHAPE_INTEGER, .optional = true, .documentation = "The service's process id."},
    {.key = "keeper", .kind = JP_SHAPE_INTEGER, .optional = true,
     .documentation = "The process that holds the job objects of pools with on_service_stop: keep; missing where there is none."},
    {.key = "started", .kind = JP_SHAPE_TIME, .optional = true, .documentation = "When the service started."},
    {.key = "config", .kind = JP_SHAPE_STRING, .optional = true, .documentation = "Its configuration file."},
    {.key = "pipe", .kind = JP_SHAPE_STRING, .optional = true, .documentation = "Its pipe."},
    {.key = "host", .kind = JP_SHAPE_STRING, .optional = true, .nullable = true, .documentation = "What it runs on."},
    COUNT("pools", "How many there are."),
    COUNT("members", "Processes in pools."),
    COUNT("connections", "Clients that are connected."),
    COUNT("droppedNotifications", "Notifications of clients that were not carried out, because too much of theirs was not done yet (quotas.in_flight), since the service started."),
    COUNT("seq", "The last event."),
    OF("database", database, "The accounting database."),
    {.key = "port", .kind = JP_SHAPE_OBJECT, .of = &port, .optional = true, .documentation = "The completion port."},
    OF("sampling", sampling, "How processes are sampled."),
    OF("caller", caller, "Who asks."),
    {.key = "quotas", .kind = JP_SHAPE_FIELDS, .fields = jp_quota_fields, .documentation = "What clients may take of the service, as in the config."},
    {0}};
const struct jp_shape jp__shape_status = SHAPE("Status", "What the service is and how it is.", status_members);

static const struct jp_shape_member capabilities_members[] = {
    STRING_OR_NULL("host", "Windows or Wine, and its version."),
    {.key = "limits", .kind = JP_SHAPE_MAP, .words = enforcers, .documentation = "Each limit of the config, and who enforces it."},
    WORD("ui", enforcers, "Who enforces what processes may not do to the desktop."),
    WORD("end_of_job_time", enforcers, "Who acts when the job time is used up."),
    WORD("notify", enforcers, "Who watches what is told when it is exceeded."),
    BOOL("nestedJobs", "A process can be in several job objects."),
    BOOL("processTimes", "CPU times of processes can be had when they have ended."),
    BOOL("processIo", "Likewise what they read and wrote."),
    BOOL("memoryAfterExit", "Likewise their peak memory."),
    {0}};
const struct jp_shape jp__shape_capabilities = SHAPE("Capabilities", "What this host's kernel enforces when a pool asks for it, and what the service does.", capabilities_members);

static const struct jp_shape_member reloaded_members[] = {
    NAMES("added", "New pools."), NAMES("changed", "Pools with other settings."), NAMES("removed", "Pools that are gone."),
    NAMES("orphaned", "Pools that are kept until they are empty."), {0}};
const struct jp_shape jp__shape_reloaded = SHAPE("Reloaded", "What the configuration changed.", reloaded_members);

const struct jp_shape jp__shape_openrpc = {.name = "OpenRPC", .documentation = "An OpenRPC 1.3 document: https://spec.open-rpc.org"};

/* --- errors --- */

static const struct jp_shape_member fault_members[] = {
    COUNT("line", "From 1."), COUNT("column", "From 1, in bytes."), STRING("text", "What is wrong there."), {0}};
static const struct jp_shape fault = SHAPE("Fault", "A fault in a configuration.", fault_members);

static const struct jp_shape_member data_members[] = {
    STRING("name", "The code's name."),
    {.key = "win32", .kind = JP_SHAPE_U64, .optional = true, .documentation = "Windows' code, where a call of Windows failed."},
    {.key = "win32Name", .kind = JP_SHAPE_STRING, .optional = true, .nullable = true, .documentation = "That code's name, where it has one."},
    {.key = "operation", .kind = JP_SHAPE_STRING, .optional = true, .documentation = "The call that failed."},
    {.key = "faults", .kind = JP_SHAPE_LIST, .of = &fault, .optional = true, .documentation = "Of a configuration."},
    {.key = "right", .kind = JP_SHAPE_STRING, .optional = true, .documentation = "What the caller lacks: view, assign, launch, control or admin."},
    {.key = "pool", .kind = JP_SHAPE_STRING, .optional = true, .nullable = true, .documentation = "Where it lacks it; missing: to the service."},
    {.key = "quota", .kind = JP_SHAPE_STRING, .optional = true, .documentation = "Which bound, as the config calls it."},
    {0}};
static const struct jp_shape data = SHAPE("ErrorData", NULL, data_members);

static const struct jp_shape_member error_members[] = {
    PID("code", "JSON-RPC's, or one of the table below."), STRING("message", "A sentence for people."), OF("data", data, "What a program can go by."), {0}};
const struct jp_shape jp__shape_error = SHAPE("Error", "Why a request was refused.", error_members);

static const struct jp_shape_member cancelled_members[] = {
    BOOL("cancelled", "Whether there was such a request that was waiting."), {0}};
const struct jp_shape jp__shape_cancelled = SHAPE("Cancelled", NULL, cancelled_members);
