/* The suites of rank_tests. In a test that calls collective functions use no CU_ASSERT_*_FATAL: one
 * rank would jump past the next collective and hang the others. Agree on a condition first. */
#ifndef VESPER_TESTS_RANK_SUITES_H
#define VESPER_TESTS_RANK_SUITES_H

#include "comm/comm.h"

#include <CUnit/CUnit.h>

/* The communicator of the run. */
Comm *rank_comm(void);

typedef struct RankSuite {
    const char *name;
    CU_TestInfo *tests; /* ended by CU_TEST_INFO_NULL */
} RankSuite;

extern CU_TestInfo comm_tests[];
extern CU_TestInfo comm_tables_tests[];
extern CU_TestInfo store_tests[];
extern CU_TestInfo store_damage_tests[];
extern CU_TestInfo store_fuzz_tests[];
extern CU_TestInfo store_crash_tests[];
extern CU_TestInfo as_of_tests[];
extern CU_TestInfo results_tests[];
extern CU_TestInfo nights_tests[];
extern CU_TestInfo changes_tests[];
extern CU_TestInfo shop_tests[];
extern CU_TestInfo quantiles_tests[];
extern CU_TestInfo where_tests[];
extern CU_TestInfo where_refusals_tests[];
extern CU_TestInfo aggregate_spec_tests[];
extern CU_TestInfo aggregate_tests[];
extern CU_TestInfo aggregate_rows_tests[];
extern CU_TestInfo periods_tests[];
extern CU_TestInfo product_periods_tests[];
extern CU_TestInfo customer_facts_tests[];
extern CU_TestInfo customer_value_tests[];
extern CU_TestInfo customer_summary_tests[];
extern CU_TestInfo sales_tests[];
extern CU_TestInfo pairs_tests[];
extern CU_TestInfo funnel_tests[];
extern CU_TestInfo ratings_tests[];
extern CU_TestInfo sparse_side_tests[];
extern CU_TestInfo tiled_cholesky_tests[];
extern CU_TestInfo ease_tests[];
extern CU_TestInfo ials_tests[];
extern CU_TestInfo ials_checkpoint_tests[];
extern CU_TestInfo top_lists_tests[];
extern CU_TestInfo accuracy_tests[];
extern CU_TestInfo pair_files_tests[];
extern CU_TestInfo interactions_tests[];
extern CU_TestInfo repeat_tests[];
extern CU_TestInfo repeat_due_tests[];
extern CU_TestInfo cooccurrence_tests[];
extern CU_TestInfo item_weights_tests[];
extern CU_TestInfo itemknn_tests[];
extern CU_TestInfo blend_tests[];
extern CU_TestInfo blend_model_tests[];
extern CU_TestInfo held_out_tests[];
extern CU_TestInfo popular_lists_tests[];
extern CU_TestInfo list_rows_tests[];
extern CU_TestInfo calendar_tests[];
extern CU_TestInfo series_place_tests[];
extern CU_TestInfo series_rows_tests[];
extern CU_TestInfo series_known_tests[];
extern CU_TestInfo series_read_tests[];
extern CU_TestInfo series_files_tests[];
extern CU_TestInfo list_reasons_tests[];
extern CU_TestInfo item_lists_tests[];
extern CU_TestInfo again_rows_tests[];
extern CU_TestInfo accuracy_rows_tests[];
extern CU_TestInfo evaluate_tests[];
extern CU_TestInfo product_list_tests[];
extern CU_TestInfo ingest_tests[];
extern CU_TestInfo pooled_tests[];
extern CU_TestInfo backtest_tests[];
extern CU_TestInfo spool_tests[];
extern CU_TestInfo level_accuracy_tests[];
extern CU_TestInfo publish_tests[];
extern CU_TestInfo csv_text_tests[];
extern CU_TestInfo parse_tests[];
extern CU_TestInfo parse_files_tests[];
extern CU_TestInfo input_tests[];
extern CU_TestInfo source_query_tests[];
extern CU_TestInfo hierarchy_tests[];
extern CU_TestInfo reconcile_tests[];
extern CU_TestInfo rounding_tests[];
extern CU_TestInfo intervals_tests[];
extern CU_TestInfo anomalies_tests[];

/* clang-format off */
#define RANK_SUITES \
    { \
        {"comm", comm_tests}, \
        {"comm_tables", comm_tables_tests}, \
        {"store", store_tests}, \
        {"store_damage", store_damage_tests}, \
        {"store_fuzz", store_fuzz_tests}, \
        {"store_crash", store_crash_tests}, \
        {"as_of", as_of_tests}, \
        {"results", results_tests}, \
        {"nights", nights_tests}, \
        {"changes", changes_tests}, \
        {"shop", shop_tests}, \
        {"quantiles", quantiles_tests}, \
        {"where", where_tests}, \
        {"where_refusals", where_refusals_tests}, \
        {"aggregate_spec", aggregate_spec_tests}, \
        {"aggregate", aggregate_tests}, \
        {"aggregate_rows", aggregate_rows_tests}, \
        {"periods", periods_tests}, \
        {"product_periods", product_periods_tests}, \
        {"customer_facts", customer_facts_tests}, \
        {"customer_value", customer_value_tests}, \
        {"customer_summary", customer_summary_tests}, \
        {"sales", sales_tests}, \
        {"pairs", pairs_tests}, \
        {"funnel", funnel_tests}, \
        {"ratings", ratings_tests}, \
        {"sparse_side", sparse_side_tests}, \
        {"tiled_cholesky", tiled_cholesky_tests}, \
        {"ease", ease_tests}, \
        {"ials", ials_tests}, \
        {"ials_checkpoint", ials_checkpoint_tests}, \
        {"top_lists", top_lists_tests}, \
        {"accuracy", accuracy_tests}, \
        {"pair_files", pair_files_tests}, \
        {"interactions", interactions_tests}, \
        {"repeat", repeat_tests}, \
        {"repeat_due", repeat_due_tests}, \
        {"cooccurrence", cooccurrence_tests}, \
        {"item_weights", item_weights_tests}, \
        {"itemknn", itemknn_tests}, \
        {"blend", blend_tests}, \
        {"blend_model", blend_model_tests}, \
        {"held_out", held_out_tests}, \
        {"popular_lists", popular_lists_tests}, \
        {"list_rows", list_rows_tests}, \
        {"calendar", calendar_tests}, \
        {"series_place", series_place_tests}, \
        {"series_rows", series_rows_tests}, \
        {"series_known", series_known_tests}, \
        {"series_read", series_read_tests}, \
        {"series_files", series_files_tests}, \
        {"list_reasons", list_reasons_tests}, \
        {"item_lists", item_lists_tests}, \
        {"again_rows", again_rows_tests}, \
        {"accuracy_rows", accuracy_rows_tests}, \
        {"evaluate", evaluate_tests}, \
        {"product_list", product_list_tests}, \
        {"ingest", ingest_tests}, \
        {"pooled", pooled_tests}, \
        {"backtest", backtest_tests}, \
        {"spool", spool_tests}, \
        {"level_accuracy", level_accuracy_tests}, \
        {"publish", publish_tests}, \
        {"csv_text", csv_text_tests}, \
        {"parse", parse_tests}, \
        {"parse_files", parse_files_tests}, \
        {"input", input_tests}, \
        {"source_query", source_query_tests}, \
        {"hierarchy", hierarchy_tests}, \
        {"reconcile", reconcile_tests}, \
        {"rounding", rounding_tests}, \
        {"intervals", intervals_tests}, \
        {"anomalies", anomalies_tests}, \
    }
/* clang-format on */

#endif
