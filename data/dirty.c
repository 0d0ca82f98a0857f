#include "dirty.h"

enum { MILLE = 1000 };

static const char *const NAMES[DIRTY_KIND_COUNT] = {
    [DIRTY_NONE] = "none",
    [DIRTY_BAD_DATE] = "bad_date",
    [DIRTY_NEGATIVE_PRICE] = "negative_price",
    [DIRTY_BAD_QUANTITY] = "bad_quantity",
    [DIRTY_MISSING_PRODUCT] = "missing_product",
    [DIRTY_MISSING_FIELD] = "missing_field",
    [DIRTY_EXTRA_FIELD] = "extra_field",
    [DIRTY_BAD_UTF8] = "bad_utf8",
    [DIRTY_BROKEN_QUOTE] = "broken_quote",
};

const char *dirty_name(DirtyKind kind)
{
    return NAMES[kind];
}

DirtyKind dirty_kind(const Shop *shop, int64_t line)
{
    int64_t per_mille = shop->dirty_per_mille;
    if (per_mille == 0)
        return DIRTY_NONE;
    int64_t run = line * per_mille / MILLE;
    int64_t begin = (run * MILLE + per_mille - 1) / per_mille;
    int64_t end = ((run + 1) * MILLE + per_mille - 1) / per_mille;
    if (end > shop->lines)
        return DIRTY_NONE; /* a run cut off by the end has none */
    Random random = sampling_stream(shop->seed, STREAM_DIRTY, run);
    if (begin + random_below(&random, end - begin) != line)
        return DIRTY_NONE;
    return (DirtyKind)(1 + random_below(&random, DIRTY_KIND_COUNT - 1));
}
