/* What answers about pools look like: render.c and methods_pool.c, member for member. */
#include "rpc/shape_rows.h"

#include "job/limits.h"

#define SETTING(name, says) {.key = name, .kind = JP_SHAPE_FIELD, .fields = jp_pool_fields, .nullable = true, .documentation = says}

static const char *const states[] = {"active", "failed", "orphan", NULL};
static const char *const sources[] = {"config", "persistent", "transient", NULL};
static const char *const enforcers[] = {"none", "service", "kernel", NULL};

#define IDENTITY                                                                                                                          \
    STRING("name", "Its name."),                                                                                                          \
    WORD("state", states, "active; failed: it has no job object, error says why; orphan: the config has it no more, and it still has processes."), \
    WORD("source", sources, "Who made it: the config, pool.create with persist, or pool.create."),                                        \
    STRING_OR_NULL("parent", "The pool above it."),                                                                                       \
    STRING_OR_NULL("description", "For people."),                                                                                         \
    COUNT("members", "Processes in it now."),                                                                                             \
    COUNT("totalMembers", "Those and the ones of the pools below it."),                                                                   \
    BOOL("ephemeral", "It goes by itself, when its last process has ended."),                                                             \
    NAMES("rights", "What the caller may do with it: view, assign, launch, control, admin.")

static const struct jp_shape_member row_members[] = {IDENTITY, BOOL("frozen", "Its processes are suspended, by itself or by a pool above it."), {0}};
static const struct jp_shape row = SHAPE("PoolRow", "A pool in a list.", row_members);

static const struct jp_shape_member pools_members[] = {LIST_OF("pools", row, "In the order of their names."), {0}};
const struct jp_shape jp__shape_pools = SHAPE("Pools", NULL, pools_members);

static const struct jp_shape_member effective_members[] = {
    {.key = "value", .kind = JP_SHAPE_ANY, .documentation = "What holds, as the config writes this limit."},
    STRING_OR_NULL("from", "The pool that says so: this one or one above it."),
    {0}};
static const struct jp_shape effective = SHAPE("EffectiveLimit", "What comes out of a limit that the pool or one above it sets.", effective_members);

static const struct jp_shape_member job_counters_members[] = {
    COUNT("totalProcesses", "All that it has had."),
    COUNT("activeProcesses", "Those that run."),
    COUNT("terminatedProcesses", "Those that were ended because of a limit."),
    {0}};
static const struct jp_shape job_counters = SHAPE("JobCounters", "A job object's own counters, which begin with it.", job_counters_members);

static const struct jp_shape_member session_members[] = {
    COUNT_OR_NULL("session", "Whose processes it takes; null until the first has joined."),
    STRING("objectName", "The job object's kernel name."),
    BOOL("listening", "The service hears its messages."),
    COUNT("members", "The pool's processes in that session."),
    {.key = "counters", .kind = JP_SHAPE_OBJECT, .of = &job_counters, .nullable = true, .documentation = "The job object's own; null if they cannot be had."},
    {0}};
static const struct jp_shape session = SHAPE("PoolSession", "One of a pool's job objects.", session_members);

static const struct jp_shape_member totals_members[] = {
    COUNT("members", "Processes."),
    COUNT("userTime100ns", "User-mode CPU time, with that of members that have ended since the service began."),
    COUNT("kernelTime100ns", "Kernel-mode CPU time, likewise."),
    COUNT("commitBytes", "Memory that running members had committed at the last look at the machine's processes (service.status, sampling.last; pool.usage has one taken)."),
    COUNT("workingSetBytes", "Their working sets, likewise."),
    COUNT("readBytes", "Bytes read, with those of members that have ended."),
    COUNT("writeBytes", "Bytes written, likewise."),
    {0}};
static const struct jp_shape totals = SHAPE("PoolUsage",
          "What a pool with its children uses. Times and bytes are of this moment, as its job objects count them, with those of processes that nobody has been told of "
          "yet; where the host's do not (capabilities: processTimes, processIo), as of the last look at the machine's processes.",
          totals_members);

static const struct jp_shape_member counters_members[] = {
    {.key = "since", .kind = JP_SHAPE_TIME, .nullable = true, .documentation = "The last accounting.reset; null: since the pool was first heard of."},
    COUNT("processes", "Processes that have ended."),
    COUNT("exited", "By themselves."),
    COUNT("crashed", "With the exit code of an exception."),
    COUNT("terminated", "Because somebody asked the service, or a limit did."),
    COUNT("unknown", "Nobody saw how."),
    COUNT("failures", "With an exit code other than 0."),
    COUNT("unobserved", "Counted by the job objects and seen by nobody, because they came and went while no service was there; the sums have what they used."),
    COUNT_OR_NULL("userTime100ns", "User-mode CPU time, with that of running processes so far, as in the pool's usage."),
    COUNT_OR_NULL("kernelTime100ns", "Kernel-mode CPU time, likewise."),
    COUNT_OR_NULL("readOperations", "Reads."),
    COUNT_OR_NULL("writeOperations", "Writes."),
    COUNT_OR_NULL("otherOperations", "Other operations on files and devices."),
    COUNT_OR_NULL("readBytes", "Bytes read."),
    COUNT_OR_NULL("writeBytes", "Bytes written."),
    COUNT_OR_NULL("otherBytes", "Bytes of other operations."),
    COUNT_OR_NULL("peakCommitBytes", "Of the largest process that ever was; of running ones as of the last look at the machine's processes. A reset leaves it."),
    {0}};
const struct jp_shape jp__shape_counters =
    SHAPE("Counters", "What ended in a pool since the last reset, without the pools below it. They go by the pool's name, over restarts and over deletion and making it anew.",
          counters_members);

static const struct jp_shape_member pool_members[] = {
    IDENTITY,
    {.key = "error", .kind = JP_SHAPE_STRING, .optional = true, .documentation = "Why it is failed; only then."},
    NAMES("children", "The pools below it."),
    STRING("objectName", "Kernel name of its (first) job object."),
    BOOL("listening", "The service hears the messages of all its job objects."),
    {.key = "limits", .kind = JP_SHAPE_FIELDS, .fields = jp_limit_fields, .documentation = "As they were set."},
    {.key = "effective", .kind = JP_SHAPE_MAP, .of = &effective, .documentation = "For each limit that holds here, what holds and whose it is."},
    {.key = "enforcedBy", .kind = JP_SHAPE_MAP, .words = enforcers,
     .documentation = "Who keeps each limit that is set, and ui, security, end_of_job_time, notify, timeouts, memory_policy and match where the pool has them."},
    SETTING("notify", "What is told when it is exceeded."),
    SETTING("timeouts", "How long processes and the pool may run."),
    SETTING("stop", "How processes are ended."),
    SETTING("memory_policy", "What happens when the pool uses much memory."),
    SETTING("match", "Which processes it takes by itself."),
    SETTING("exclude", "And which not."),
    BOOL("default", "It takes what matches no pool."),
    BOOL("strict", "It fails rather than have a limit that nobody enforces."),
    BOOL("cpu_rate_fallback", "The service suspends its processes in slices where the kernel has no CPU rate."),
    SETTING("ui", "What its processes may not do to the desktop."),
    SETTING("security", "Which processes may join, and with which rights they run."),
    SETTING("end_of_job_time", "What happens when job_time is used up."),
    {.key = "access", .kind = JP_SHAPE_FIELD, .fields = jp_pool_fields, .optional = true, .nullable = true,
     .documentation = "Who may do what with it; null: as the pool above it, or the service. Told to its admins only."},
    STRING("when_full", "refuse, wait or kill."),
    STRING("wait_timeout", "How long requests wait for room, where when_full is wait."),
    COUNT("waiting", "Requests that wait for room now."),
    STRING("on_service_stop", "keep or terminate: its processes, when the service ends."),
    STRING("sessionMode", "The config's `sessions`: each or single."),
    LIST_OF("sessions", session, "Its job objects."),
    NAMES("limitsPerSession", "The limits that each of those counts by itself."),
    BOOL("frozen", "Its processes are suspended."),
    STRING_OR_NULL("frozenBy", "The pool above it that is the reason."),
    BOOL("keepFrozen", "It stays frozen also after a crash of the service."),
    OF("usage", totals, "Of the pool with its children."),
    NAMES("troubles", "Sentences about what the service could not do: a protected member that cannot be ended, for example."),
    TIME("created", "When it was made."),
    {.key = "jobCounters", .kind = JP_SHAPE_OBJECT, .of = &job_counters, .nullable = true,
     .documentation = "Summed over its job objects; null if they cannot be had."},
    OF("counters", jp__shape_counters, "The service's own, by the pool's name."),
    {0}};
const struct jp_shape jp__shape_pool = SHAPE("Pool", "A pool with its settings and what it uses. Settings have the names and notations of the config.", pool_members);

static const struct jp_shape_member terminated_members[] = {
    STRING("pool", "The pool."), COUNT("terminated", "How many processes were ended."), {0}};
const struct jp_shape jp__shape_terminated = SHAPE("Terminated", NULL, terminated_members);

static const struct jp_shape_member empty_members[] = {STRING("pool", "The pool."), BOOL("empty", "true."), {0}};
static const struct jp_shape empty = SHAPE("EmptyPool", "There is no process in the pool, nor in those below it.", empty_members);
static const struct jp_shape *const waited[] = {&empty, &jp__shape_process, NULL};
const struct jp_shape jp__shape_waited = {.name = "Waited", .documentation = "What was waited for: the pool is empty, or the process has ended.", .either = waited};

static const char *const words_for_all[] = {"none", "service", "kernel", "mixed", NULL};
static const struct jp_shape_member usage_row_members[] = {
    STRING("name", "Its name."),
    STRING_OR_NULL("parent", "The pool above it."),
    WORD("state", states, "active, failed or orphan, as in pool.list."),
    WORD("source", sources, "Who made it, as in pool.list."),
    BOOL("frozen", "Its processes are suspended, by itself or by a pool above it."),
    COUNT("members", "Processes in it now."),
    COUNT("totalMembers", "Those and the ones of the pools below it, as all that follows."),
    COUNT("cpuTime100ns", "CPU time used, in user and kernel mode, with that of processes that have ended since the service began. It never falls."),
    COUNT("commitBytes", "Memory committed now."),
    COUNT("workingSetBytes", "Working sets now."),
    COUNT_OR_NULL("readBytes", "Bytes read, likewise in all; null where the host does not say."),
    COUNT_OR_NULL("writeBytes", "Bytes written, likewise."),
    COUNT("events", "Told of it and of those below it since the service began."),
    COUNT_OR_NULL("memoryLimitBytes", "The tightest job_memory that holds for it: its own, or of a pool above it."),
    {.key = "memoryLimitBy", .kind = JP_SHAPE_STRING, .words = enforcers, .nullable = true, .documentation = "Who keeps that."},
    COUNT_OR_NULL("processLimit", "The tightest active_processes, likewise."),
    {.key = "enforcedBy", .kind = JP_SHAPE_STRING, .words = words_for_all, .nullable = true,
     .documentation = "Who keeps the pool's own limits, in a word; null where it has none."},
    {0}};
static const struct jp_shape usage_row = SHAPE("PoolUsageRow", "What a pool with its children uses, as of a look at the machine's processes.", usage_row_members);

static const struct jp_shape_member usage_picture_members[] = {
    TIME("time", "Of the look."),
    COUNT("clock100ns", "The same on a clock that nobody sets: for rates."),
    COUNT("processors", "Logical processors of the machine."),
    COUNT("lastSeq", "The last event."),
    LIST_OF("pools", usage_row, "In the order of their names."),
    {.key = "processes", .kind = JP_SHAPE_LIST, .of = &jp__shape_process_now, .optional = true, .documentation = "With processesOf: its processes."},
    {0}};
const struct jp_shape jp__shape_usage_picture = SHAPE("UsagePicture", "What pools use at a moment.", usage_picture_members);

static const struct jp_shape_member match_members[] = {
    {.key = "pid", .kind = JP_SHAPE_INTEGER, .documentation = "Its id."},
    {.key = "startTime", .kind = JP_SHAPE_DECIMAL, .documentation = "Its creation time."},
    STRING_OR_NULL("image", "The program's full path."),
    STRING_OR_NULL("user", "Who runs it."),
    STRING_OR_NULL("pool", "Where the rules put it; null where none fits."),
    COUNT_OR_NULL("rule", "The index of the rule in the pool's match; null for the default pool."),
    STRING_OR_NULL("why", "Why it is not taken."),
    {0}};
static const struct jp_shape match = SHAPE("Match", "Which pool the rules give a process.", match_members);
static const struct jp_shape_member matched_members[] = {LIST_OF("processes", match, "One for each process."), {0}};
const struct jp_shape jp__shape_matched = SHAPE("Matched", NULL, matched_members);
