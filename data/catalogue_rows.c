/* The catalogue's files: products.csv, promotions.csv and stockouts.csv. */
#include "catalogue.h"

#include "words.h"

enum { ROWS_A_BLOCK = 4096 };

static char *put_product_row(const Catalogue *catalogue, int32_t index, char *at)
{
    const Product *product = &catalogue->products[index];
    int32_t last_day = catalogue->calendar->days - 1;
    Random random = sampling_stream(catalogue->seed, STREAM_PRODUCT,
                                    2 * (int64_t)catalogue->n_products + index);
    char name[WORDS_NAME_SIZE];
    at = put_int(at, (int64_t)index + 1);
    *at++ = ',';
    words_product(product->category, &random, name);
    at = put_field(at, name);
    *at++ = ',';
    words_category(product->category, name);
    at = put_field(at, name);
    *at++ = ',';
    words_brand(product->brand, name);
    at = put_field(at, name);
    *at++ = ',';
    at = put_money(at, catalogue_price(catalogue, index, last_day));
    *at++ = ',';
    at = put_money(at, product->cost_minor);
    *at++ = ',';
    bool active = product->launch <= last_day && product->end >= last_day;
    int64_t stock = 5 + random_poisson(&random, 20.0);
    for (int64_t i = catalogue->stock_out_first[index]; i < catalogue->stock_out_first[index + 1];
         i++)
        if (catalogue->stock_outs[i].to == last_day)
            stock = 0;
    at = put_int(at, active ? stock : 0);
    *at++ = ',';
    at = put_int(at, 2 + random_below(&random, 20));
    return put_string(at, active ? ",true\n" : ",false\n");
}

static Status write_products(void *context, int64_t block, Text texts[OUTPUT_COUNT], Error *error)
{
    Status status = STATUS_OK;
    const Catalogue *catalogue = context;
    Text *text = &texts[OUTPUT_PRODUCTS];
    int64_t end = (block + 1) * ROWS_A_BLOCK;
    for (int64_t i = block * ROWS_A_BLOCK; i < end && i < catalogue->n_products; i++) {
        TRY(text_reserve(text, 7 * (int64_t)WORDS_NAME_SIZE, error));
        text_row(text, put_product_row(catalogue, (int32_t)i, text_end(text)));
    }
out:
    return status;
}

static char *put_span(const Catalogue *catalogue, char *at, int32_t product, Span span)
{
    at = put_int(at, (int64_t)product + 1);
    *at++ = ',';
    at = put_day(catalogue->calendar, at, span.from);
    *at++ = ',';
    return put_day(catalogue->calendar, at, span.to);
}

static Status write_promotions(void *context, int64_t block, Text texts[OUTPUT_COUNT], Error *error)
{
    Status status = STATUS_OK;
    const Catalogue *catalogue = context;
    Text *text = &texts[OUTPUT_PROMOTIONS];
    int64_t n = catalogue->promotion_first[catalogue->n_products];
    int64_t end = (block + 1) * ROWS_A_BLOCK;
    for (int64_t i = block * ROWS_A_BLOCK; i < end && i < n; i++) {
        const Promotion *promotion = &catalogue->promotions[i];
        TRY(text_reserve(text, 128, error));
        char *at = put_span(catalogue, text_end(text), promotion->product, promotion->span);
        *at++ = ',';
        at = put_money(at, promotion->depth_percent);
        *at++ = '\n';
        text_row(text, at);
    }
out:
    return status;
}

static Status write_stock_outs(void *context, int64_t block, Text texts[OUTPUT_COUNT], Error *error)
{
    Status status = STATUS_OK;
    const Catalogue *catalogue = context;
    Text *text = &texts[OUTPUT_STOCKOUTS];
    int64_t end = (block + 1) * ROWS_A_BLOCK;
    for (int64_t i = block * ROWS_A_BLOCK; i < end && i < catalogue->n_products; i++) {
        for (int64_t s = catalogue->stock_out_first[i]; s < catalogue->stock_out_first[i + 1];
             s++) {
            TRY(text_reserve(text, 128, error));
            char *at = put_span(catalogue, text_end(text), (int32_t)i, catalogue->stock_outs[s]);
            *at++ = '\n';
            text_row(text, at);
        }
    }
out:
    return status;
}

static Stage stage_of(Catalogue *catalogue, OutputId output, int64_t n_rows,
                      Status (*make_block)(void *, int64_t, Text *, Error *))
{
    return (Stage){.name = output_name(output),
                   .n_blocks = (n_rows + ROWS_A_BLOCK - 1) / ROWS_A_BLOCK,
                   .n_rows = n_rows,
                   .progress = output,
                   .make_block = make_block,
                   .context = catalogue};
}

Stage catalogue_products_stage(Catalogue *catalogue)
{
    return stage_of(catalogue, OUTPUT_PRODUCTS, catalogue->n_products, write_products);
}

Stage catalogue_promotions_stage(Catalogue *catalogue)
{
    return stage_of(catalogue, OUTPUT_PROMOTIONS, catalogue->promotion_first[catalogue->n_products],
                    write_promotions);
}

Stage catalogue_stock_outs_stage(Catalogue *catalogue)
{
    /* Blocks run over products. */
    return stage_of(catalogue, OUTPUT_STOCKOUTS, catalogue->n_products, write_stock_outs);
}
