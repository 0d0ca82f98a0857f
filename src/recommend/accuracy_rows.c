/* See accuracy_rows.h. */
#include "recommend/accuracy_rows.h"

#include "base/memory.h"

#include <math.h>

static const ColumnSpec row_columns[] = {
    {"list", COLUMN_TEXT, UNIT_NONE},       {"model", COLUMN_TEXT, UNIT_NONE},
    {"users", COLUMN_I64, UNIT_COUNT},      {"recall_10", COLUMN_F64, UNIT_NONE},
    {"recall_20", COLUMN_F64, UNIT_NONE},   {"ndcg_10", COLUMN_F64, UNIT_NONE},
    {"ndcg_20", COLUMN_F64, UNIT_NONE},     {"map_10", COLUMN_F64, UNIT_NONE},
    {"map_20", COLUMN_F64, UNIT_NONE},      {"hit_rate_10", COLUMN_F64, UNIT_NONE},
    {"hit_rate_20", COLUMN_F64, UNIT_NONE}, {"coverage_10", COLUMN_F64, UNIT_NONE},
    {"coverage_20", COLUMN_F64, UNIT_NONE}, {"novelty_10", COLUMN_F64, UNIT_NONE},
    {"novelty_20", COLUMN_F64, UNIT_NONE},  {"weight", COLUMN_F64, UNIT_NONE},
};
enum { N_COLUMNS = sizeof row_columns / sizeof row_columns[0], FIRST_FIGURE = 3 };

/* What the model counts in the published mix; the mix itself, and a list without mix: NaN. */
static double weight_of(const BlendMix *mix, const Evaluation *evaluation)
{
    if (evaluation->protocol != PROTOCOL_DISCOVER || evaluation->model == MODEL_BLEND)
        return NAN;
    for (int k = 0; k < mix->n; k++) {
        if (mix->kinds[k] == evaluation->model)
            return mix->weights[k];
    }
    return 0;
}

static Status add_row(const Evaluation *evaluation, const BlendMix *mix, Table *rows, Error *error)
{
    Status status;
    const Accuracy *accuracy = &evaluation->accuracy;
    const double *const figures[] = {accuracy->recall,   accuracy->ndcg,     accuracy->map,
                                     accuracy->hit_rate, accuracy->coverage, accuracy->novelty};
    TRY(table_add_row(rows, error));
    int64_t at = rows->rows - 1;
    TRY(table_set_last_text(rows, &rows->columns[0], bytes_of(protocol_name(evaluation->protocol)),
                            error));
    TRY(table_set_last_text(rows, &rows->columns[1], bytes_of(model_name(evaluation->model)),
                            error));
    ((int64_t *)rows->columns[2].data)[at] = accuracy->users;
    for (int f = 0; f < (int)(sizeof figures / sizeof *figures); f++) {
        for (int cut = 0; cut < ACCURACY_CUTS; cut++)
            ((double *)rows->columns[FIRST_FIGURE + ACCURACY_CUTS * f + cut].data)[at] =
                figures[f][cut];
    }
    ((double *)rows->columns[N_COLUMNS - 1].data)[at] = weight_of(mix, evaluation);
out:
    return status;
}

Status accuracy_rows_make(const Evaluation *evaluations, int n, const BlendMix *mix, Table *rows,
                          Error *error)
{
    static const SortKey keys[] = {{.column = "list"}, {.column = "model"}};
    Status status = STATUS_OK;
    table_free(rows);
    table_init(rows, row_columns, N_COLUMNS);
    for (int i = 0; i < n; i++) {
        if (!evaluations[i].is_singular && evaluations[i].left_out_bytes == 0)
            TRY(add_row(&evaluations[i], mix, rows, error));
    }
    TRY(table_sort(rows, keys, 2, error));
out:
    return status;
}
