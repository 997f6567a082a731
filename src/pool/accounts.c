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

void jp_accounts_start_clear(struct jp_accounts_start *start) {
    for (size_t i = 0; i < start->running_count; i++)
        jp_process_record_clear(&start->running[i]);
    jp_free(start->running);
    for (size_t i = 0; i < start->pool_count; i++) {
        jp_free(start->pools[i].name);
        jp_free(start->pools[i].definition);
    }
    jp_free(start->pools);
    for (size_t i = 0; i < start->frozen_count; i++)
        jp_free(start->frozen[i].name);
    jp_free(start->frozen);
    *start = (struct jp_accounts_start){0};
}
