/* The suites of unit_tests. A new suite: its NAME_tests here and a line in UNIT_SUITES. */
#ifndef VESPER_TESTS_UNIT_SUITES_H
#define VESPER_TESTS_UNIT_SUITES_H

#include <CUnit/CUnit.h>

typedef struct UnitSuite {
    const char *name;
    CU_TestInfo *tests; /* ended by CU_TEST_INFO_NULL */
} UnitSuite;

extern CU_TestInfo base_tests[];
extern CU_TestInfo log_fields_tests[];
extern CU_TestInfo plan_tests[];
extern CU_TestInfo civil_tests[];
extern CU_TestInfo free_memory_tests[];
extern CU_TestInfo time_parse_tests[];
extern CU_TestInfo decimal_tests[];
extern CU_TestInfo random_tests[];
extern CU_TestInfo config_tests[];
extern CU_TestInfo table_tests[];
extern CU_TestInfo string_map_tests[];
extern CU_TestInfo sort_tests[];
extern CU_TestInfo narrow_tests[];
extern CU_TestInfo als_tests[];
extern CU_TestInfo kernel_models_tests[];
extern CU_TestInfo kernel_fit_tests[];
extern CU_TestInfo ridge_tests[];
extern CU_TestInfo select_tests[];
extern CU_TestInfo tile_operations_tests[];
extern CU_TestInfo seasonality_tests[];
extern CU_TestInfo theta_tests[];
extern CU_TestInfo ces_tests[];
extern CU_TestInfo mstl_tests[];
extern CU_TestInfo long_season_tests[];
extern CU_TestInfo nelder_mead_tests[];
extern CU_TestInfo naive_tests[];
extern CU_TestInfo ets_tests[];
extern CU_TestInfo exact_sum_tests[];
extern CU_TestInfo definite_tests[];
extern CU_TestInfo apportion_tests[];
extern CU_TestInfo convex_weights_tests[];
extern CU_TestInfo csv_tests[];
extern CU_TestInfo intermittent_tests[];
extern CU_TestInfo forecast_errors_tests[];
extern CU_TestInfo spread_tests[];
extern CU_TestInfo outliers_tests[];
extern CU_TestInfo inventory_tests[];
extern CU_TestInfo gate_tests[];

// clang-format off
#define UNIT_SUITES                                                                                \
    {                                                                                              \
        {"base", base_tests},                                                                      \
        {"log_fields", log_fields_tests},                                                          \
        {"plan", plan_tests},                                                                      \
        {"civil", civil_tests},                                                                    \
        {"free_memory", free_memory_tests},                                                        \
        {"time_parse", time_parse_tests},                                                          \
        {"decimal", decimal_tests},                                                                \
        {"random", random_tests},                                                                  \
        {"config", config_tests},                                                                  \
        {"table", table_tests},                                                                    \
        {"string_map", string_map_tests},                                                          \
        {"sort", sort_tests},                                                                      \
        {"als", als_tests},                                                                        \
        {"narrow", narrow_tests},                                                                  \
        {"kernel_models", kernel_models_tests},                                                    \
        {"kernel_fit", kernel_fit_tests},                                                          \
        {"ridge", ridge_tests},                                                                    \
        {"select", select_tests},                                                                  \
        {"tile_operations", tile_operations_tests},                                                \
        {"seasonality", seasonality_tests},                                                        \
        {"theta", theta_tests},                                                                    \
        {"ces", ces_tests},                                                                        \
        {"mstl", mstl_tests},                                                                      \
        {"long_season", long_season_tests},                                                        \
        {"nelder_mead", nelder_mead_tests},                                                        \
        {"naive", naive_tests},                                                                    \
        {"ets", ets_tests},                                                                        \
        {"exact_sum", exact_sum_tests},                                                            \
        {"definite", definite_tests},                                                              \
        {"apportion", apportion_tests},                                                            \
        {"convex_weights", convex_weights_tests},                                                  \
        {"csv", csv_tests},                                                                        \
        {"intermittent", intermittent_tests},                                                      \
        {"forecast_errors", forecast_errors_tests},                                                \
        {"spread", spread_tests},                                                                  \
        {"outliers", outliers_tests},                                                              \
        {"inventory", inventory_tests},                                                            \
        {"gate", gate_tests},                                                                      \
    }
// clang-format on

#endif
