/* Rows of rec_accuracy against writing them down by hand. */
#include "recommend/accuracy_rows.h"

#include "base/memory.h"
#include "rank/row_text.h"
#include "suites.h"

#include <math.h>

/* Every figure is another number. */
static Evaluation evaluation_of(ModelKind model, Protocol protocol, double base)
{
    Evaluation evaluation = {.model = model, .protocol = protocol, .accuracy.users = (int64_t)base};
    double *const figures[] = {evaluation.accuracy.recall,   evaluation.accuracy.ndcg,
                               evaluation.accuracy.map,      evaluation.accuracy.hit_rate,
                               evaluation.accuracy.coverage, evaluation.accuracy.novelty};
    for (int f = 0; f < 6; f++) {
        for (int cut = 0; cut < ACCURACY_CUTS; cut++)
            figures[f][cut] = base + f + .5 * cut;
    }
    return evaluation;
}

static void test_rows(void)
{
    static const BlendMix mix = {.n = 3,
                                 .kinds = {MODEL_EASE, MODEL_IALS, MODEL_ITEMKNN},
                                 .weights = {.75, 0, .25},
                                 .scales = {1, 2, 3}};
    static const char wanted[] =
        "buy again popular 40 40 40.5 41 41.5 42 42.5 43 43.5 44 44.5 45 45.5 nan\n"
        "buy again repeat 50 50 50.5 51 51.5 52 52.5 53 53.5 54 54.5 55 55.5 nan\n"
        "discover blend 30 30 30.5 31 31.5 32 32.5 33 33.5 34 34.5 35 35.5 nan\n"
        "discover ials 60 60 60.5 61 61.5 62 62.5 63 63.5 64 64.5 65 nan 0\n"
        "discover itemknn 20 20 20.5 21 21.5 22 22.5 23 23.5 24 24.5 25 25.5 0.25\n"
        "discover popular 10 10 10.5 11 11.5 12 12.5 13 13.5 14 14.5 15 15.5 0\n";
    Error error = {0};
    Table rows = {0};
    Evaluation evaluations[] = {evaluation_of(MODEL_POPULAR, PROTOCOL_DISCOVER, 10),
                                evaluation_of(MODEL_ITEMKNN, PROTOCOL_DISCOVER, 20),
                                evaluation_of(MODEL_BLEND, PROTOCOL_DISCOVER, 30),
                                evaluation_of(MODEL_IALS, PROTOCOL_DISCOVER, 60),
                                evaluation_of(MODEL_EASE, PROTOCOL_DISCOVER, 70),
                                evaluation_of(MODEL_EASE, PROTOCOL_DISCOVER, 80),
                                evaluation_of(MODEL_REPEAT, PROTOCOL_AGAIN, 50),
                                evaluation_of(MODEL_POPULAR, PROTOCOL_AGAIN, 40)};
    evaluations[3].accuracy.novelty[1] = NAN;
    evaluations[4].is_singular = true;
    evaluations[5].left_out_bytes = 1;
    CU_ASSERT_EQUAL(accuracy_rows_make(evaluations, 8, &mix, &rows, &error), STATUS_OK);
    if (comm_rank(rank_comm()) != 0)
        CU_ASSERT_EQUAL(table_gather(&rows, NULL, 0, &error), STATUS_OK);
    char *got = row_text_gather(&rows);
    CU_ASSERT_STRING_EQUAL(got, wanted);
    mem_free(&got);
    CU_ASSERT_EQUAL(accuracy_rows_make(NULL, 0, &mix, &rows, &error), STATUS_OK);
    CU_ASSERT_EQUAL(rows.rows, 0);
    CU_ASSERT_EQUAL(rows.n_columns, 16);
    table_free(&rows);
}

CU_TestInfo accuracy_rows_tests[] = {{"rows", test_rows}, CU_TEST_INFO_NULL};
