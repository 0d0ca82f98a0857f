/* Values of dimensions as one number; see group_key.h. */
#include "sales/group_key.h"

#include <inttypes.h>

#define KEYS_MAX ((uint64_t)1 << 62)

const Names *dimension_names(const Dimension *dimension, const Shop *shop)
{
    switch (dimension->kind) {
    case DIMENSION_PRODUCT:
        return &shop->product;
    case DIMENSION_CATEGORY:
        return &shop->levels[dimension->level].names;
    case DIMENSION_BRAND:
        return &shop->brand;
    case DIMENSION_COUNTRY:
        return &shop->country;
    case DIMENSION_CHANNEL:
        return &shop->channel;
    case DIMENSION_SEGMENT:
        return &shop->segment;
    case DIMENSION_CURRENCY:
        return &shop->currency;
    default:
        return NULL;
    }
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t group_day_value(DimensionKind kind, int32_t day)
{
    switch (kind) {
    case DIMENSION_WEEK:
        return floor_divide((int64_t)day - 4, 7); /* day 4 was a Monday */
    case DIMENSION_MONTH:
    case DIMENSION_ORDER_MONTH:
    case DIMENSION_COHORT:
        return civil_month(day);
    case DIMENSION_QUARTER:
        return floor_divide(civil_month(day), 3);
    case DIMENSION_YEAR:
        return 1970 + floor_divide(civil_month(day), 12);
    case DIMENSION_WEEKDAY:
        return (int64_t)day + 4 - 7 * floor_divide((int64_t)day + 3, 7);
    default:
        return day;
    }
}

/* Base and radix of a dimension that is a function of the day. */
static void range_of_days(const Shop *shop, DimensionKind kind, KeyPart *part)
{
    bool is_empty = shop->first_day == DAY_NONE;
    part->base = is_empty ? 0 : group_day_value(kind, shop->first_day);
    part->radix = is_empty ? 1 : (uint64_t)(group_day_value(kind, shop->last_day) - part->base) + 1;
}

static void set_range(const AggregateSpec *spec, const Shop *shop, KeyPart *part)
{
    part->base = -1;
    switch (part->dimension.kind) {
    case DIMENSION_WEEKDAY:
        part->base = 1;
        part->radix = 7;
        break;
    case DIMENSION_HOUR:
        part->base = 0;
        part->radix = 24;
        break;
    case DIMENSION_NEW_OR_RETURNING:
        part->radix = 3;
        break;
    case DIMENSION_DAY_CLASS:
        part->base = 0;
        part->radix = spec->day_classes.n_classes > 0 ? (uint64_t)spec->day_classes.n_classes : 1;
        break;
    case DIMENSION_COHORT:
        range_of_days(shop, DIMENSION_COHORT, part);
        part->base--;
        part->radix++;
        break;
    case DIMENSION_PRODUCT:
    case DIMENSION_CATEGORY:
    case DIMENSION_BRAND:
    case DIMENSION_COUNTRY:
    case DIMENSION_CHANNEL:
    case DIMENSION_SEGMENT:
    case DIMENSION_CURRENCY:
        part->radix = (uint64_t)dimension_names(&part->dimension, shop)->count + 1;
        break;
    default:
        range_of_days(shop, part->dimension.kind, part);
    }
}

Status key_layout_make(const AggregateSpec *spec, const Shop *shop, KeyLayout *layout, Error *error)
{
    Status status = STATUS_OK;
    *layout = (KeyLayout){.n = spec->n_by, .space = 1};
    for (int i = spec->n_by - 1; i >= 0; i--) {
        KeyPart *part = &layout->parts[i];
        part->dimension = spec->by[i];
        part->stride = layout->space;
        set_range(spec, shop, part);
        if (part->radix > KEYS_MAX / layout->space)
            FAIL(error, STATUS_USAGE,
                 "[aggregate.%s] by: these dimensions together could make more than 2^62 groups in "
                 "this shop; take fewer of them",
                 spec->name);
        layout->space *= part->radix;
    }
out:
    return status;
}
