/* What the charts of a page are drawn from: samples by pool and step, the pools that are drawn, events by lane. Texts are the answers'. */
#ifndef JP_REPORT_MODEL_H
#define JP_REPORT_MODEL_H

#include "report/page.h"

enum {
    JP_MODEL_LINES = 6,    /* pools that are drawn; the rest is one line more */
    JP_MODEL_STEPS = 2000, /* more than any answer has */
};

struct jp_model_step {
    bool known;        /* otherwise nothing is drawn there */
    bool memory_known; /* what only a sample tells; CPU time is known between two of them too */
    uint64_t cpu_100ns, commit_bytes, working_set_bytes, processes;
    uint64_t memory_limit_bytes, process_limit, cpu_limit; /* 0: none; the last in 1/100 % */
};

struct jp_model_pool {
    const char *name;
    const char *parent; /* NULL: none, or not known any more */
    struct jp_model_step *steps;
    uint64_t cpu_100ns, peak_commit_bytes;
    double score; /* a pool above another never has less */
    size_t depth;
};

/* Own processes of all pools. */
struct jp_model_starts {
    uint64_t started, ended, failures;
};

enum jp_lane { JP_LANE_LIMITS, JP_LANE_CRASHES, JP_LANE_TROUBLES, JP_LANE_POOLS, JP_LANE_SERVICE, JP_LANES };
extern const char *const jp_lane_names[JP_LANES];

struct jp_model_event {
    int64_t time_100ns;
    enum jp_lane lane;
    const cJSON *event;
};

struct jp_model {
    const cJSON *answers;
    const struct jp_page_maker *maker;
    int64_t from_100ns, to_100ns;
    uint64_t step_100ns; /* 0: there are no samples */
    int64_t first_100ns; /* where the first step begins, which may be before from */
    size_t step_count;
    unsigned processors;
    struct jp_model_pool *pools; /* those drawn first, the most important of them first */
    size_t pool_count, drawn;
    struct jp_model_pool others; /* the rest, summed; no steps where there is none */
    size_t others_count;
    struct jp_model_starts *starts; /* by step */
    struct jp_model_event *events;  /* by time */
    size_t event_count, lane_counts[JP_LANES];
};

void jp_model_make(struct jp_model *model, const cJSON *answers, const struct jp_page_maker *maker);
void jp_model_free(struct jp_model *model);

/* The time where a step begins. */
int64_t jp_model_time(const struct jp_model *model, size_t step);

int64_t jp_model_local(const struct jp_model *model, int64_t utc_100ns);

/* The lane of a message, or JP_LANES. */
enum jp_lane jp_lane_of(const char *message);

#endif
