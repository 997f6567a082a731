/* Names and memory of what is recorded. */
#include "pool/accounts.h"

const struct jp_choice jp_origins[] = {
    {"kernel", JP_ORIGIN_KERNEL}, {"reconciler", JP_ORIGIN_RECONCILER}, {"service", JP_ORIGIN_SERVICE}, {NULL, 0}};

const struct jp_choice jp_endings[] = {{"running", JP_ENDING_NONE},
                                       {"exited", JP_ENDING_EXITED},
                                       {"crashed", JP_ENDING_CRASHED},
                                       {"terminated", JP_ENDING_TERMINATED},
                                       {"unknown", JP_ENDING_UNKNOWN},
                                       {NULL, 0}};

const struct jp_choice jp_report_keys[] = {{"pool", JP_REPORT_POOL}, {"user", JP_REPORT_USER}, {"image", JP_REPORT_IMAGE},
                                           {"day", JP_REPORT_DAY},   {"ending", JP_REPORT_ENDING}, {NULL, 0}};

const char *jp_origin_name(enum jp_origin origin) { return jp_choice_name(jp_origins, origin); }
const char *jp_ending_name(enum jp_ending ending) { return jp_choice_name(jp_endings, ending); }

void jp_process_record_clear(struct jp_process_record *record) {
    jp_free(record->pool);
    jp_process_facts_clear(&record->facts);
    *record = (struct jp_process_record){0};
}

void jp_process_record_copy(const struct jp_process_record *source, struct jp_process_record *target) {
    *target = *source;
    target->pool = jp_strdup(source->pool);
    target->facts.image = jp_strdup(source->facts.image);
    target->facts.command_line = jp_strdup(source->facts.command_line);
    target->facts.user = jp_strdup(source->facts.user);
}

void jp_counters_add(struct jp_counters *counters, const struct jp_process_record *ended) {
    const struct jp_usage *usage = &ended->usage;
    counters->processes++;
    counters->exited += ended->ending == JP_ENDING_EXITED;
    counters->crashed += ended->ending == JP_ENDING_CRASHED;
    counters->terminated += ended->ending == JP_ENDING_TERMINATED;
    counters->unknown += ended->ending == JP_ENDING_UNKNOWN;
    counters->failures += ended->has_exit_code && ended->exit_code;
    counters->user_100ns += usage->user_100ns;
    counters->kernel_100ns += usage->kernel_100ns;
    counters->read_operations += usage->read_operations;
    counters->write_operations += usage->write_operations;
    counters->other_operations += usage->other_operations;
    counters->read_bytes += usage->read_bytes;
    counters->write_bytes += usage->write_bytes;
    counters->other_bytes += usage->other_bytes;
    if (usage->peak_commit_bytes > counters->peak_commit_bytes)
        counters->peak_commit_bytes = usage->peak_commit_bytes;
}

void jp_counters_add_unobserved(struct jp_counters *counters, const struct jp_unobserved_record *unobserved) {
    counters->unobserved += unobserved->processes;
    counters->user_100ns += unobserved->user_100ns;
    counters->kernel_100ns += unobserved->kernel_100ns;
    counters->read_bytes += unobserved->read_bytes;
    counters->write_bytes += unobserved->write_bytes;
}

static void less(uint64_t *total, uint64_t base) { *total = *total > base ? *total - base : 0; }

void jp_counters_less(struct jp_counters *total, const struct jp_counters *base) {
    less(&total->processes, base->processes);
    less(&total->exited, base->exited);
    less(&total->crashed, base->crashed);
    less(&total->terminated, base->terminated);
    less(&total->unknown, base->unknown);
    less(&total->failures, base->failures);
    less(&total->unobserved, base->unobserved);
    less(&total->user_100ns, base->user_100ns);
    less(&total->kernel_100ns, base->kernel_100ns);
    less(&total->read_operations, base->read_operations);
    less(&total->write_operations, base->write_operations);
    less(&total->other_operations, base->other_operations);
    less(&total->read_bytes, base->read_bytes);
    less(&total->write_bytes, base->write_bytes);
    less(&total->other_bytes, base->other_bytes);
}

void jp_accounts_start_clear(struct jp_accounts_start *start) {
    for (size_t i = 0; i < start->running_count; i++)
        jp_process_record_clear(&start->running[i]);
    jp_free(start->running);
    for (size_t i = 0; i < start->pool_count; i++) {
        jp_free(start->pools[i].name);
        jp_free(start->pools[i].definition);
    }
    jp_free(start->pools);
    for (size_t i = 0; i < start->past_count; i++) {
        jp_free(start->pasts[i].name);
        jp_free(start->pasts[i].parent);
    }
    jp_free(start->pasts);
    for (size_t i = 0; i < start->counter_count; i++)
        jp_free(start->counters[i].name);
    jp_free(start->counters);
    for (size_t i = 0; i < start->job_count; i++) {
        jp_free(start->jobs[i].object_name);
        jp_free(start->jobs[i].pool);
    }
    jp_free(start->jobs);
    jp_free(start->service_pids);
    *start = (struct jp_accounts_start){0};
}
