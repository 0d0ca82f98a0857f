/* A random shop in memory, the same on every rank: what customers looked at, put into carts, bought
 * and reviewed; cut into partitions as the store has them. */
#ifndef VESPER_TESTS_RANK_VISIT_MODEL_H
#define VESPER_TESTS_RANK_VISIT_MODEL_H

#include "sales/funnel.h"
#include "sales/ratings.h"

enum { VISIT_PARTITIONS = 16, VISIT_TEXT_SIZE = 32 };

typedef struct VisitShape {
    const char *name;
    int32_t customers, products;
    int64_t events, lines, reviews;
    int32_t first_day, n_days;       /* of events and reviews */
    int32_t sales_first, sales_days; /* of lines */
    int batches;                     /* of events and reviews */
    int64_t cart_days;
    double hot;           /* share of everything that is of customer 0 */
    double anonymous;     /* of orders and reviews */
    double no_product;    /* of events */
    double carts;         /* of events that are cart_add; the others are of any kind */
    bool has_no_checkout; /* views instead */
    bool has_no_price;    /* of no product; else every third is unknown */
} VisitShape;

typedef struct VisitEvent {
    int32_t customer;
    int64_t ts_us;
    int32_t day;
    int8_t kind;
    int32_t product;
    int batch;
    int64_t row; /* in the store: by batch, then as it came in */
} VisitEvent;

typedef struct VisitLine {
    int32_t customer; /* -1: anonymous */
    int32_t order;
    int32_t day, product, quantity;
    int8_t cancelled;
    bool is_kept; /* a kept sale */
} VisitLine;

typedef struct VisitReview {
    int32_t customer; /* -1: anonymous */
    int64_t ts_us;
    int32_t day, product, rating;
    int batch;
} VisitReview;

typedef struct VisitModel {
    VisitShape shape;
    VisitEvent *events;
    VisitLine *lines;
    VisitReview *reviews;
    Shop shop; /* the names and prices of products, as_of */
} VisitModel;

Status visit_model_make(const VisitShape *shape, uint64_t seed, VisitModel *model,
                        Error *error) VESPER_MUST_USE;
void visit_model_free(VisitModel *model);
void visit_product_text(int32_t product, char text[VISIT_TEXT_SIZE]);
void visit_customer_text(int32_t customer, char text[VISIT_TEXT_SIZE]);

/* One partition in the order of the store. */
typedef struct VisitPartition {
    Table event_rows, line_rows, review_rows;
    Events events;
    OrderLines lines;
    Reviews reviews;
} VisitPartition;
Status visit_partition_make(const VisitModel *model, int32_t partition, VisitPartition *made,
                            Error *error) VESPER_MUST_USE;
void visit_partition_free(VisitPartition *partition);

/* Who has a partition: a way of dealing them over ranks and over the VISIT_THREADS accumulators of
 * each. Deal 0: all on rank 0, in its first accumulator. In others a rank in the middle is empty.
 */
enum { VISIT_THREADS = 3, VISIT_DEALS = 3 };
void visit_deal(int deal, int32_t partition, int size, int *rank, int *thread);

/* The ids of all customers in a new store in `folder`. Collective. */
Status visit_store(Comm *comm, const char *folder, const VisitModel *model, Store **store,
                   Error *error) VESPER_MUST_USE;

/* The rows of all ranks as text on every rank, reals rounded or exact. Collective. */
Status visit_print(Comm *comm, const Table *rows, bool is_exact, Buffer *text,
                   Error *error) VESPER_MUST_USE;

/* Check on all ranks; says where texts differ. */
bool visit_same_text(const char *what, const Buffer *got, const Buffer *expected);

#endif
