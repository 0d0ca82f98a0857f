/* Plan: what the stages of a night take, from the sizes of a shop and the shape of a run; the
 * formulae and where their constants were measured stand in docs/plan.md. Arithmetic alone, in
 * double, so that nothing overflows. All Local. */
#ifndef VESPER_PLAN_PLAN_H
#define VESPER_PLAN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

typedef enum PlanStage {
    PLAN_INGEST,
    PLAN_SALES,
    PLAN_RECOMMEND,
    PLAN_FORECAST,
    PLAN_PUBLISH,
    PLAN_STAGES
} PlanStage;

/* Numbers of a shop. Those of `lines` to `days` are of all that the store has when the night's
 * input is in. */
typedef struct PlanSizes {
    double new_bytes; /* of input, as plain text */
    double lines;     /* order lines */
    double orders;
    double customers;
    double products;
    double events, reviews, pairs; /* rows */
    double days;                   /* from the first order to the last */
} PlanSizes;

typedef struct PlanShape {
    int ranks, threads;
    int factors;            /* of ials */
    int iterations;         /* of ials, in one learning */
    double ease_fixed;      /* of ease: bytes that every rank takes, */
    double ease_shared;     /* those that the ranks share, */
    double ease_weights;    /* and those of what it has learned; all 0: it is left out */
    double learning_memory; /* --memory, for what is fetched; 0: no limit */
    int list_length;
    int models, origins, horizon;       /* of forecasts */
    double pair_min_orders, pair_limit; /* of basket_pairs; limit 0: none */
    bool has_recommend, has_forecast;
} PlanShape;

/* What a stage takes. */
typedef struct PlanNeed {
    double memory;  /* resident bytes of a rank, at its peak */
    double sent;    /* bytes that ranks hand to each other, all together */
    double read;    /* bytes of files, of all ranks, cached or not */
    double written; /* the same */
    double seconds; /* of wall clock */
} PlanNeed;

const char *plan_stage_name(PlanStage stage);
/* PLAN_STAGES if no stage is called so. */
PlanStage plan_stage_by_name(const char *name);

/* What ease takes of a rank; 0 if it is left out. */
double plan_ease_memory(const PlanShape *shape);

/* The program itself, before it has data: bytes of a rank. */
double plan_base_memory(void);

PlanNeed plan_need(PlanStage stage, const PlanSizes *sizes, const PlanShape *shape);

/* The least number of ranks with which the stage takes at most `memory` bytes of each; 0: no number
 * up to PLAN_RANKS_MAX does. */
enum { PLAN_RANKS_MAX = 1 << 20 };
int plan_least_ranks(PlanStage stage, const PlanSizes *sizes, const PlanShape *shape,
                     double memory);

/* Bytes that `rows` rows of an input table take as plain CSV, by the name of the table. */
double plan_text_bytes(const char *table, double rows);

/* What follows from the others where it was not given (is 0): customers, orders, products and days
 * as a usual shop has them. */
void plan_fill_sizes(PlanSizes *sizes);

#endif
