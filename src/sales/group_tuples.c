/* Setting tuples aside; see group_tuples.h.
 *
 * Word 0 has what every tuple has: the key's place in its bucket, three flags and the quantity, and
 * between them the price if the shop's prices and quantities leave room for it. A bucket's tuples
 * lie in chunks, in the order in which they came. Chunks of neighbouring buckets come from the same
 * zone, so that memory goes back while buckets are added up in key order. */
#include "sales/group_tuples.h"

#include "base/memory.h"
#include "sales/tuple_layout.h"
#include "sales/tuple_store.h"

#include <string.h>

/* 2,048 open chunks are what the near caches and the TLB can follow. */
enum { BUCKETS_MAX = 2048, SHIFT_MIN = 10, ZONES = 16, WORD_BITS = 64 };
enum { PREFETCH_WORDS = 16 };                        /* two cache lines ahead in each bucket */
enum { CHUNK_WORDS = 1024, FIRST_CHUNK_WORDS = 64 }; /* header included */
enum { SLAB_WORDS = 1 << 17, FIRST_SLAB_WORDS = 1 << 13 };

struct TupleZone {
    uint64_t **slabs;
    int64_t n_slabs;
    uint64_t *free;
    int64_t free_words;
    int64_t buckets; /* that are not dropped yet */
};

TupleLimits group_tuple_limits = {.set_aside_bytes = (int64_t)256 << 20,
                                  .step_bytes = (int64_t)32 << 20,
                                  .hot_tuples = (int64_t)1 << 22,
                                  .place_bytes = (int64_t)1 << 20,
                                  .sorted_tuples = 1 << 16};

/* Where what is in word 0. */
static void place_bits(GroupTuples *tuples, const Shop *shop)
{
    tuples->flags_at = tuples->is_wide ? 0 : tuples->shift;
    tuples->quantity_at = tuples->flags_at + TUPLE_FLAGS;
    bool is_known = shop->quantity_bits > 0 && shop->price_bits > 0;
    if (!tuples->has_price || !is_known ||
        tuples->quantity_at + shop->price_bits + shop->quantity_bits > WORD_BITS)
        return;
    tuples->price_bits = shop->price_bits;
    tuples->quantity_at += shop->price_bits;
}

void group_tuples_init(GroupTuples *tuples, const SumSet *set, const Shop *shop, uint64_t space)
{
    *tuples = (GroupTuples){.set = set, .shift = SHIFT_MIN};
    for (int w = 0; w < set->n_added; w++) {
        GroupSum sum = set->added[w];
        tuples->has_price |=
            sum == SUM_GROSS || sum == SUM_RETURNED || sum == SUM_NET || sum == SUM_KEPT_VALUE;
        tuples->has_discount |= sum == SUM_DISCOUNT;
        tuples->has_margin |= sum == SUM_MARGIN;
    }
    while ((space - 1) >> tuples->shift >= BUCKETS_MAX)
        tuples->shift++;
    tuples->n_buckets = (int64_t)((space - 1) >> tuples->shift) + 1;
    tuples->is_wide = tuples->shift > TUPLE_KEY_BITS;
    place_bits(tuples, shop);
    tuples->words = 1 + tuples->is_wide + (tuples->has_price && tuples->price_bits == 0) +
                    tuples->has_discount + tuples->has_margin + set->has_days;
}

static int64_t zone_of(const GroupTuples *tuples, int64_t bucket)
{
    return bucket * ZONES / tuples->n_buckets;
}

static void free_zone(TupleZone *zone)
{
    for (int64_t s = 0; s < zone->n_slabs; s++)
        mem_free(&zone->slabs[s]);
    mem_free(&zone->slabs);
    zone->n_slabs = zone->free_words = 0;
}

void group_tuples_free(GroupTuples *tuples)
{
    for (int64_t z = 0; tuples->zones && z < ZONES; z++)
        free_zone(&tuples->zones[z]);
    mem_free(&tuples->zones);
    mem_free(&tuples->buckets);
    tuples->n = 0;
}

static void make_buckets(GroupTuples *tuples)
{
    tuples->buckets = mem_new(tuples->n_buckets, sizeof *tuples->buckets);
    tuples->zones = mem_new(ZONES, sizeof *tuples->zones);
    for (int64_t b = 0; b < tuples->n_buckets; b++)
        tuples->zones[zone_of(tuples, b)].buckets++;
}

int64_t group_tuples_bytes(const GroupTuples *tuples)
{
    return tuples->n * tuples->words * (int64_t)sizeof(uint64_t);
}

/* ---- chunks ---- */

static Status add_slab(TupleZone *zone, Error *error)
{
    Status status = STATUS_OK;
    int64_t words = zone->n_slabs < 4 ? FIRST_SLAB_WORDS << zone->n_slabs : SLAB_WORDS;
    mem_grow(&zone->slabs, zone->n_slabs + 1, sizeof *zone->slabs);
    zone->slabs[zone->n_slabs] = NULL;
    TRY(mem_resize(&zone->slabs[zone->n_slabs], words, sizeof **zone->slabs, "lines of groups",
                   error));
    zone->free = zone->slabs[zone->n_slabs++];
    zone->free_words = words;
out:
    return status;
}

static void close_chunk(GroupTuples *tuples, TupleBucket *bucket)
{
    if (!bucket->last)
        return;
    bucket->last->used = bucket->next - bucket->last->words;
    bucket->n_full += bucket->last->used / tuples->words;
}

/* An empty chunk at the bucket's end. */
static Status add_chunk(GroupTuples *tuples, int64_t at, Error *error)
{
    Status status = STATUS_OK;
    TupleBucket *bucket = &tuples->buckets[at];
    TupleZone *zone = &tuples->zones[zone_of(tuples, at)];
    int64_t words = bucket->first ? CHUNK_WORDS : FIRST_CHUNK_WORDS;
    if (zone->free_words < words)
        TRY(add_slab(zone, error));
    TupleChunk *chunk = (TupleChunk *)(void *)zone->free;
    zone->free += words;
    zone->free_words -= words;
    close_chunk(tuples, bucket);
    chunk->next = NULL;
    if (bucket->last)
        bucket->last->next = chunk;
    else
        bucket->first = chunk;
    bucket->last = chunk;
    bucket->next = chunk->words;
    int64_t room = words - (int64_t)(sizeof *chunk / sizeof(uint64_t));
    bucket->end = chunk->words + room / tuples->words * tuples->words;
out:
    return status;
}

int64_t tuple_bucket_count(const GroupTuples *tuples, int64_t at)
{
    const TupleBucket *bucket = &tuples->buckets[at];
    return bucket->last ? bucket->n_full + (bucket->next - bucket->last->words) / tuples->words : 0;
}

void tuple_pieces_add(TuplePieces *pieces, const uint64_t *words, int64_t n)
{
    if (n == 0)
        return;
    if (pieces->n == pieces->capacity) {
        pieces->capacity = pieces->capacity * 2 + 64;
        mem_grow(&pieces->pieces, pieces->capacity, sizeof *pieces->pieces);
    }
    pieces->pieces[pieces->n++] = (TuplePiece){.words = words, .n = n};
    pieces->tuples += n;
}

void tuple_pieces_add_bucket(TuplePieces *pieces, const GroupTuples *tuples, int64_t at)
{
    const TupleBucket *bucket = &tuples->buckets[at];
    for (TupleChunk *chunk = bucket->first; chunk; chunk = chunk->next) {
        int64_t used = chunk == bucket->last ? bucket->next - chunk->words : chunk->used;
        tuple_pieces_add(pieces, chunk->words, used / tuples->words);
    }
}

void tuple_buckets_drop(GroupTuples *tuples, int64_t begin, int64_t end)
{
    for (int64_t b = begin; tuples->buckets && b < end; b++) {
        TupleZone *zone = &tuples->zones[zone_of(tuples, b)];
        tuples->n -= tuple_bucket_count(tuples, b);
        tuples->buckets[b] = (TupleBucket){.next = NULL};
        if (--zone->buckets == 0)
            free_zone(zone);
    }
}

/* ---- adding ---- */

/* `with` are constants where this is called, so that the loop has no questions left to ask. */
static inline Status scatter(GroupTuples *tuples, const TupleBlock *block, TupleWords with,
                             Error *error)
{
    Status status = STATUS_OK;
    uint64_t mask = ((uint64_t)1 << tuples->shift) - 1;
    uint64_t price_mask = ((uint64_t)1 << tuples->price_bits) - 1;
    int words = tuples->words, flags_at = tuples->flags_at, quantity_at = tuples->quantity_at;
    for (int64_t i = 0; i < block->n; i++) {
        uint64_t key = block->keys[i];
        int64_t at = (int64_t)(key >> tuples->shift);
        TupleBucket *bucket = &tuples->buckets[at];
        if (bucket->next == bucket->end)
            TRY(add_chunk(tuples, at, error));
        uint64_t *to = bucket->next;
        bucket->next += words;
        __builtin_prefetch(to + PREFETCH_WORDS, 1);
        uint64_t flags = 0, quantity = block->quantity ? (uint64_t)block->quantity[i] : 0;
        if (with.cancelled)
            flags |= (uint64_t)(block->cancelled[i] != 0) << TUPLE_CANCELLED;
        if (with.orders)
            flags |= (uint64_t)block->orders[i] << TUPLE_FIRST_OF_ORDER;
        if (with.customers)
            flags |= (uint64_t)block->customers[i] << TUPLE_FIRST_OF_CUSTOMER;
        if (with.price_inside)
            flags |= ((uint64_t)block->price[i] & price_mask) << TUPLE_FLAGS;
        *to++ = quantity << quantity_at | flags << flags_at | (with.wide ? 0 : key & mask);
        if (with.wide)
            *to++ = key & mask;
        if (with.price)
            *to++ = (uint64_t)block->price[i];
        if (with.discount)
            *to++ = (uint64_t)block->discount[i];
        if (with.margin)
            *to++ = (uint64_t)block->margin[i];
        if (with.day)
            *to++ = (uint32_t)block->day[i];
    }
    tuples->n += block->n;
out:
    return status;
}

Status group_tuples_add(GroupTuples *tuples, const TupleBlock *block, Error *error)
{
    TupleWords with = tuple_words(tuples);
    with.cancelled = block->cancelled != NULL;
    if (!tuples->buckets)
        make_buckets(tuples);
    bool is_plain = with.cancelled && with.price_inside && !with.orders && !with.customers &&
                    !with.wide && !with.discount && !with.margin && !with.day;
    if (is_plain)
        return scatter(tuples, block, (TupleWords){.cancelled = true, .price_inside = true}, error);
    return scatter(tuples, block, with, error);
}

void group_tuples_take(GroupTuples *tuples, GroupTuples *from)
{
    if (!from->buckets)
        return;
    if (!tuples->buckets)
        make_buckets(tuples);
    for (int64_t b = 0; b < tuples->n_buckets; b++) {
        TupleBucket *to = &tuples->buckets[b], *taken = &from->buckets[b];
        if (!taken->first)
            continue;
        if (!to->first) {
            *to = *taken;
            continue;
        }
        close_chunk(tuples, to);
        to->last->next = taken->first;
        to->last = taken->last;
        to->n_full += taken->n_full;
        to->next = taken->next;
        to->end = taken->end;
    }
    for (int64_t z = 0; z < ZONES; z++) {
        TupleZone *to = &tuples->zones[z], *taken = &from->zones[z];
        mem_grow(&to->slabs, to->n_slabs + taken->n_slabs, sizeof *to->slabs);
        for (int64_t s = 0; s < taken->n_slabs; s++)
            to->slabs[to->n_slabs++] = taken->slabs[s];
        taken->n_slabs = 0;
    }
    tuples->n += from->n;
    group_tuples_free(from);
}
