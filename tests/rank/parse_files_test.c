/* Parse: compressed files, folders, content that is known, and large files that are cut inside
 * quotes, at any number of ranks. */
#include "rank/parse_fixture.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"

#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define HEADER "order_id,ordered_at,product_id,quantity,unit_price,customer_id\n"
#define REJECT_HEADER "vesper_file,vesper_line,vesper_field,vesper_reason,"

/* 2024-05-01 12:00 in London, which is 11:00 UTC. */
#define NOON "1714561200000000"

/* ---- compressed files and folders ---- */

static Bytes pack_gz(Bytes plain, char *packed, int64_t size)
{
    z_stream stream = {0};
    if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    stream.next_in = (Bytef *)(uintptr_t)plain.data;
    stream.avail_in = (unsigned)plain.size;
    stream.next_out = (Bytef *)packed;
    stream.avail_out = (unsigned)size;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
        abort();
    int64_t used = (int64_t)stream.total_out;
    (void)deflateEnd(&stream);
    return (Bytes){packed, used};
}

static Bytes pack_xz(Bytes plain, char *packed, int64_t size)
{
    size_t used = 0;
    if (lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, (const uint8_t *)plain.data,
                                (size_t)plain.size, (uint8_t *)packed, &used,
                                (size_t)size) != LZMA_OK)
        abort();
    return (Bytes){packed, (int64_t)used};
}

static Bytes pack_zst(Bytes plain, char *packed, int64_t size)
{
    size_t used = ZSTD_compress(packed, (size_t)size, plain.data, (size_t)plain.size, 3);
    if (ZSTD_isError(used))
        abort();
    return (Bytes){packed, (int64_t)used};
}

static const struct {
    const char *name;
    Bytes (*pack)(Bytes plain, char *packed, int64_t size);
} packers[] = {
    {"orders.csv.gz", pack_gz}, {"orders.csv.xz", pack_xz}, {"orders.csv.zst", pack_zst}};

/* Two streams in one file are one content; a part of a file is refused; so is a changed one. */
static void test_compressed(void)
{
    enum { ROOM = 1 << 16 };
    char *packed = mem_new(ROOM, 1);
    ParseFixture fixture;
    Buffer plain = {0}, rows = {0};
    parse_fixture_begin(&fixture, NULL);
    buffer_append_string(&plain, HEADER);
    for (int i = 0; i < 300; i++) {
        buffer_printf(&plain, "o%d,2024-05-01 12:00,p%d,2,3.50,c1\n", i, i * i % 71);
        buffer_printf(&rows, "o%d " NOON " p%d 2 350 c1 0 19844\n", i, i * i % 71);
    }
    int64_t half = plain.size / 2 - 3;
    for (int i = 0; i < 3; i++) {
        const char *const cut_off[] = {packers[i].name, "cut off", NULL};
        const char *const damaged[] = {packers[i].name, "damaged", NULL};
        Bytes first = packers[i].pack((Bytes){plain.data, half}, packed, ROOM);
        Bytes second = packers[i].pack((Bytes){plain.data + half, plain.size - half},
                                       packed + first.size, ROOM - first.size);
        Bytes both = {packed, first.size + second.size};
        parse_fixture_write(&fixture, packers[i].name, both);
        parse_fixture_expect(&fixture, "orders", packers[i].name, buffer_string(&rows), NULL,
                             i == 0 ? "300 300 0 0\n" : NULL);
        parse_fixture_write(&fixture, packers[i].name, (Bytes){packed, both.size - 9});
        parse_fixture_expect_failure(&fixture, "orders", packers[i].name, STATUS_INPUT, cut_off);
        packed[first.size / 2] ^= 0x55;
        packed[first.size / 2 + 1] ^= 0x55;
        parse_fixture_write(&fixture, packers[i].name, both);
        parse_fixture_expect_failure(&fixture, "orders", packers[i].name, STATUS_INPUT, damaged);
        parse_fixture_write_text(&fixture, packers[i].name, "order_id,plain text after all\n");
        parse_fixture_expect_failure(&fixture, "orders", packers[i].name, STATUS_INPUT, damaged);
        parsed_batch_free(&fixture.batch);
    }
    buffer_free(&plain);
    buffer_free(&rows);
    mem_free(&packed);
    parse_fixture_end(&fixture);
}

/* Files by name, compressed or not; others and hidden ones are left alone; equal ones count once.
 */
static void test_folder(void)
{
    enum { ROOM = 4096 };
    char packed[ROOM];
    ParseFixture fixture;
    parse_fixture_begin(&fixture, NULL);
    Bytes b = bytes_of(HEADER "b,2024-05-01 12:00,p1,1,1,\nb,2024-05-01,p2,x,1,\n");
    parse_fixture_write(&fixture, "in/b.csv.xz", pack_xz(b, packed, ROOM));
    parse_fixture_write_text(&fixture, "in/a.csv", HEADER "a,2024-05-01 12:00,p2,1,1,");
    parse_fixture_write_text(&fixture, "in/c.csv", HEADER);
    parse_fixture_write(&fixture, "in/d.csv", b);
    parse_fixture_write_text(&fixture, "in/e.csv", HEADER "e,2024-05-01 12:00,p1,1,1,\n");
    parse_fixture_write_text(&fixture, "in/.hidden.csv", "nothing");
    parse_fixture_write_text(&fixture, "in/readme.txt", "nothing");
    parse_fixture_write_text(&fixture, "in/deep.csv/x.csv", "nothing");
    parse_fixture_expect(&fixture, "orders", "in",
                         "a " NOON " p2 1 100 - 0 19844\nb " NOON " p1 1 100 - 0 19844\n"
                         "e " NOON " p1 1 100 - 0 19844\n",
                         REJECT_HEADER HEADER
                         "in/b.csv.xz,3,quantity,not a number,b,2024-05-01,p2,x,1,\n",
                         "1 1 0 0\n2 1 1 0\n0 0 0 0\n2 0 0 2\n1 1 0 0\n");
    /* Once more in the same batch: all of it is there. */
    parse_fixture_expect(&fixture, "orders", "in", "", NULL,
                         "1 0 0 1\n2 0 0 2\n0 0 0 0\n2 0 0 2\n1 0 0 1\n");
    parse_fixture_end(&fixture);
}

/* Put the parsed inputs in force, as a batch without rows. */
static Status commit_inputs(ParseFixture *fixture)
{
    Status status = STATUS_OK;
    Comm *comm = rank_comm();
    StoreBatch *batch = NULL;
    TRY(store_batch_begin(comm, fixture->store, &batch, &fixture->error));
    for (int i = 0; i < fixture->batch.tables[0].n_inputs; i++)
        store_batch_add_input(batch, &fixture->batch.tables[0].inputs[i]);
    TRY(store_batch_commit(comm, fixture->store, &batch, &fixture->error));
out:
    store_batch_discard(comm, &batch);
    return status;
}

/* What the store has is not parsed again, under whatever name; new files beside it are. */
static void test_known(void)
{
    ParseFixture fixture;
    parse_fixture_begin(&fixture, NULL);
    parse_fixture_write_text(&fixture, "one/b.csv",
                             HEADER "b,2024-05-01 12:00,p1,1,1,\nx,bad,p1,1,1,\n"
                                    "b,2024-05-01 12:00,p2,1,1,\n");
    parse_fixture_expect(&fixture, "orders", "one", NULL, NULL, "3 2 1 0\n");
    CU_ASSERT_EQUAL(commit_inputs(&fixture), STATUS_OK);
    parsed_batch_free(&fixture.batch);
    parse_fixture_write_text(&fixture, "one/a.csv", HEADER "a,2024-05-01 12:00,p1,1,1,\n");
    parse_fixture_write_text(&fixture, "one/c.csv",
                             HEADER
                             "c,2024-05-01 12:00,p1,1,1,\nc,2024-05-01 12:00,\"p\n\",1,1,\n");
    parse_fixture_expect(&fixture, "orders", "one",
                         "a " NOON " p1 1 100 - 0 19844\nc " NOON " p1 1 100 - 0 19844\n"
                         "c " NOON " p\n 1 100 - 0 19844\n",
                         REJECT_HEADER HEADER, "1 1 0 0\n3 0 0 3\n2 2 0 0\n");
    /* For another table it is not known. */
    parse_fixture_write_text(&fixture, "k.csv",
                             "customer_id,product_id,order_id,ordered_at,"
                             "quantity,unit_price\nc,p,o,2024-05-01,1,1\n");
    parse_fixture_expect(&fixture, "customers", "k.csv", NULL, NULL, "1 1 0 0\n");
    parse_fixture_expect(&fixture, "orders", "k.csv", NULL, NULL, "1 1 0 0\n");
    parse_fixture_expect(&fixture, "customers", "k.csv", "", NULL, "1 0 0 1\n");
    parse_fixture_end(&fixture);
}

/* ---- a large file ---- */

/* Rows of all kinds; what they should become goes to `rows`, `rejects` and the counts. */
static void make_large(Buffer *csv, Buffer *rows, Buffer *rejects, int64_t size, int64_t counts[2])
{
    Random random = random_stream(7, (uint64_t)size);
    int64_t line = 2;
    buffer_append_string(csv, HEADER);
    for (int i = 0; csv->size < size; i++) {
        int64_t kind = random_below(&random, 40);
        int breaks = kind < 8 ? (int)random_below(&random, kind == 0 ? 150 : 4) : 0;
        counts[0]++;
        if (kind == 39) {
            counts[1]++;
            buffer_printf(rejects, "large.csv,%lld,quantity,not a number,", (long long)line);
            buffer_printf(rejects, "o%d,2024-05-01 12:00,p,\"a\"\"\n,\",1,c\n", i);
            buffer_printf(csv, "o%d,2024-05-01 12:00,p,\"a\"\"\n,\",1,c\r\n\n", i);
            line += 3;
            continue;
        }
        buffer_printf(csv, "o%d,2024-05-01 12:00,\"p", i / 3);
        buffer_printf(rows, "o%d " NOON " p", i / 3);
        for (int k = 0; k < breaks; k++) {
            buffer_printf(csv, "\n\"\",%d", k);
            buffer_printf(rows, "\n\",%d", k);
        }
        buffer_printf(csv, "\",%d,%d.%02d,c%d\n", i % 90 + 1, i % 77, i % 100, i % 41);
        buffer_printf(rows, " %d %d c%d 0 19844\n", i % 90 + 1, i % 77 * 100 + i % 100, i % 41);
        line += 1 + breaks;
    }
}

static Hash128 content_of(Bytes text)
{
    enum { CHUNK = 1 << 20 };
    Hash128 sum = {0, 0};
    for (int64_t at = 0; at < text.size; at += CHUNK) {
        int64_t size = text.size - at < CHUNK ? text.size - at : CHUNK;
        Hash128 hash = hash128_seeded(text.data + at, size, (uint64_t)(at / CHUNK));
        sum.low += hash.low;
        sum.high += hash.high + (sum.low < hash.low);
    }
    return sum;
}

static void check_large(int64_t size)
{
    ParseFixture fixture;
    Buffer csv = {0}, rows = {0}, rejects = {0};
    char expected[128];
    int64_t counts[2] = {0, 0};
    parse_fixture_begin(&fixture, NULL);
    buffer_append_string(&rejects, REJECT_HEADER HEADER);
    make_large(&csv, &rows, &rejects, size, counts);
    (void)snprintf(expected, sizeof expected, "%lld %lld %lld 0\n", (long long)counts[0],
                   (long long)(counts[0] - counts[1]), (long long)counts[1]);
    parse_fixture_write(&fixture, "large.csv", buffer_view(&csv));
    parse_fixture_expect(&fixture, "orders", "large.csv", buffer_string(&rows),
                         buffer_string(&rejects), expected);
    Hash128 content = content_of(buffer_view(&csv));
    const StoreInput *input = &fixture.batch.tables[0].inputs[0];
    CU_ASSERT_EQUAL(input->content_high, content.high);
    CU_ASSERT_EQUAL(input->content_low, content.low);
    CU_ASSERT_EQUAL(input->bytes, csv.size);
    buffer_free(&csv);
    buffer_free(&rows);
    buffer_free(&rejects);
    parse_fixture_end(&fixture);
}

static void test_large(void)
{
    check_large(3400000);
}

/* At many sizes, the borders between the ranks fall at many places. */
static void test_sizes(void)
{
    for (int64_t size = 200; size < 2500; size += 97)
        check_large(size);
}

/* The second file's mark, its header of two lines, and a text of many: a border between ranks falls
 * on each byte of them. */
static void test_borders(void)
{
    static const char header[] = "order_id,ordered_at,product_id,quantity,unit_price,\"a\n\nb\"\n";
    static const char last[] =
        "x,2024-05-01 12:00,p,1,1,\nx,bad,p,1,1,\n"
        "x,2024-05-01 12:00,\"one\ntwo\nthree\nfour\nfive\n\",1,1,\nx,,p,1,1,";
    ParseFixture fixture;
    parse_fixture_begin(&fixture, NULL);
    for (int more = 0; more < 240; more += 2) {
        Buffer first = {0}, second = {0};
        buffer_printf(&first, "%sa,2024-05-01 12:00,p,1,1,%0*d\n", header, 130, 0);
        buffer_printf(&second, "\xef\xbb\xbf%s%s%0*d", header, last, more, 0);
        parse_fixture_write(&fixture, "in/a.csv", buffer_view(&first));
        parse_fixture_write(&fixture, "in/b.csv", buffer_view(&second));
        buffer_clear(&first);
        buffer_printf(&first,
                      REJECT_HEADER
                      "%s"
                      "in/b.csv,5,ordered_at,not a date and time like YYYY-MM-DD HH:MM:SS,"
                      "x,bad,p,1,1,\n"
                      "in/b.csv,12,ordered_at,empty,x,,p,1,1,%0*d\n",
                      header, more, 0);
        parse_fixture_expect(&fixture, "orders", "in",
                             "a " NOON " p 1 100 - 0 19844\nx " NOON " p 1 100 - 0 19844\n"
                             "x " NOON " one\ntwo\nthree\nfour\nfive\n 1 100 - 0 19844\n",
                             buffer_string(&first), "1 1 0 0\n4 2 2 0\n");
        parsed_batch_free(&fixture.batch);
        buffer_free(&first);
        buffer_free(&second);
    }
    parse_fixture_end(&fixture);
}

/* The place of each row in the run of files ascends over the ranks. */
static void test_row_places(void)
{
    ParseFixture fixture;
    parse_fixture_begin(&fixture, NULL);
    parse_fixture_write_text(&fixture, "in/a.csv",
                             HEADER "a,2024-05-01,p,1,1,\nb,2024-05-01,p,1,1,");
    parse_fixture_write_text(&fixture, "in/b.csv", HEADER "\nc,2024-05-01,p,1,1,\n");
    CU_ASSERT_EQUAL(parse_fixture_parse(&fixture, "orders", "in"), STATUS_OK);
    const Table *rows = &fixture.batch.tables[0].rows;
    const int64_t *place = table_column_const(rows, "row")->data;
    int64_t header = (int64_t)strlen(HEADER);
    int64_t expected[3] = {header, header + 20, 2 * header + 40};
    int64_t first = comm_prefix_i64(rank_comm(), rows->rows);
    for (int64_t i = 0; i < rows->rows; i++)
        CU_ASSERT_EQUAL(place[i], expected[(first + i) % 3]);
    parse_fixture_end(&fixture);
}

CU_TestInfo parse_files_tests[] = {
    {"compressed", test_compressed}, {"folder", test_folder}, {"known", test_known},
    {"large", test_large},           {"sizes", test_sizes},   {"borders", test_borders},
    {"row places", test_row_places}, CU_TEST_INFO_NULL,
};
