/* What is common to all implementations of the port. */
#include "job/job_backend.h"

const char *jp_enforcer_name(enum jp_enforcer enforcer) {
    static const char *const names[] = {"none", "service", "kernel"};
    return names[enforcer];
}

void jp_process_facts_clear(struct jp_process_facts *facts) {
    jp_free(facts->image);
    jp_free(facts->command_line);
    jp_free(facts->user);
    *facts = (struct jp_process_facts){0};
}

void jp_samples_clear(struct jp_samples *samples) {
    jp_free(samples->items);
    jp_free(samples->names);
    *samples = (struct jp_samples){0};
}
