#include "writer.h"

#include "base/civil.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCKS_A_ROUND = 16, TEXT_STEP = 1 << 16 };

static const struct {
    const char *name;
    const char *header;
} TABLES[OUTPUT_COUNT] = {
    [OUTPUT_ORDERS] = {"orders", "order_id,ordered_at,product_id,quantity,unit_price,customer_id,"
                                 "line_no,country,channel,currency,discount,status\n"},
    [OUTPUT_PRODUCTS] = {"products", "product_id,name,category,brand,price,cost,stock,"
                                     "lead_time_days,active\n"},
    [OUTPUT_CUSTOMERS] = {"customers", "customer_id,joined_at,country,segment\n"},
    [OUTPUT_EVENTS] = {"events", "customer_id,at,kind,product_id,session_id\n"},
    [OUTPUT_REVIEWS] = {"reviews", "product_id,rating,at,customer_id,order_id\n"},
    [OUTPUT_PROMOTIONS] = {"promotions", "product_id,from,to,depth\n"},
    [OUTPUT_HOLIDAYS] = {"holidays", "day,country,name\n"},
    [OUTPUT_STOCKOUTS] = {"stockouts", "product_id,from,to\n"},
    [OUTPUT_DIRTY] = {"dirty", "file,line,kind\n"},
};

Status text_reserve(Text *text, int64_t bytes, Error *error)
{
    int64_t needed = text->size + bytes;
    if (needed <= text->capacity)
        return STATUS_OK;
    int64_t capacity = needed + text->capacity / 2 + TEXT_STEP;
    Status status = mem_resize(&text->data, capacity, 1, "rows of a file", error);
    if (status == STATUS_OK)
        text->capacity = capacity;
    return status;
}

static const char PAIRS[201] = "00010203040506070809101112131415161718192021222324"
                               "25262728293031323334353637383940414243444546474849"
                               "50515253545556575859606162636465666768697071727374"
                               "75767778798081828384858687888990919293949596979899";

static char *put_two(char *at, int64_t value)
{
    return put_bytes(at, PAIRS + 2 * value, 2);
}

char *put_int(char *at, int64_t value)
{
    char digits[20];
    int first = (int)sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    while (rest >= 10) {
        first -= 2;
        memcpy(digits + first, PAIRS + 2 * (rest % 100), 2);
        rest /= 100;
    }
    if (rest > 0 || first == (int)sizeof digits)
        digits[--first] = (char)('0' + rest);
    if (value < 0)
        *at++ = '-';
    return put_bytes(at, digits + first, (int64_t)sizeof digits - first);
}

char *put_money(char *at, int64_t minor)
{
    if (minor < 0) {
        *at++ = '-';
        minor = -minor;
    }
    at = put_int(at, minor / 100);
    *at++ = '.';
    return put_two(at, minor % 100);
}

char *put_date(char *at, int32_t day)
{
    int year, month, day_of_month;
    civil_from_day(day, &year, &month, &day_of_month);
    at = put_two(at, year / 100);
    at = put_two(at, year % 100);
    *at++ = '-';
    at = put_two(at, month);
    *at++ = '-';
    return put_two(at, day_of_month);
}

char *put_seconds(char *at, int64_t second)
{
    at = put_two(at, second / 3600);
    *at++ = ':';
    at = put_two(at, second / 60 % 60);
    *at++ = ':';
    return put_two(at, second % 60);
}

char *put_field(char *at, const char *string)
{
    if (strpbrk(string, ",\"\r\n") == NULL)
        return put_string(at, string);
    *at++ = '"';
    for (const char *c = string; *c != '\0'; c++) {
        if (*c == '"')
            *at++ = '"';
        *at++ = *c;
    }
    *at++ = '"';
    return at;
}

const char *output_name(OutputId id)
{
    return TABLES[id].name;
}

static Status choose_one(Outputs *outputs, Bytes name, Error *error)
{
    for (int id = 0; id < OUTPUT_COUNT; id++) {
        if (bytes_equal(name, bytes_of(TABLES[id].name))) {
            outputs->files[id].wanted = true;
            return STATUS_OK;
        }
    }
    Buffer known = {0};
    for (int id = 0; id < OUTPUT_COUNT; id++)
        buffer_printf(&known, "%s%s", id > 0 ? ", " : "", TABLES[id].name);
    Status status = error_set(error, STATUS_USAGE, __FILE__, __LINE__,
                              "--tables: there is no table \"%.*s\"; there are %s", (int)name.size,
                              name.data, buffer_string(&known));
    buffer_free(&known);
    return status;
}

Status outputs_choose(Outputs *outputs, const char *list, Error *error)
{
    if (list == NULL) {
        for (int id = 0; id < OUTPUT_COUNT; id++)
            outputs->files[id].wanted = true;
        return STATUS_OK;
    }
    for (const char *from = list;; from++) {
        const char *to = strchrnul(from, ',');
        Bytes name = bytes_trim((Bytes){.data = from, .size = to - from});
        Status status = choose_one(outputs, name, error);
        if (status != STATUS_OK || *to == '\0')
            return status;
        from = to;
    }
}

typedef struct Path {
    char text[PATH_MAX];
} Path;

static Status make_path(const Outputs *outputs, int id, const char *ending, Path *path,
                        Error *error)
{
    Status status = STATUS_OK;
    int size = snprintf(path->text, sizeof path->text, "%s/%s.csv%s", outputs->folder,
                        TABLES[id].name, ending);
    if (size < 0 || (size_t)size >= sizeof path->text)
        FAIL(error, STATUS_USAGE, "--out: the path is too long: %s", outputs->folder);
out:
    return status;
}

/* The folder and all folders above it. */
static Status make_folder(const char *folder, Error *error)
{
    Status status = STATUS_OK;
    char *path = mem_copy_string(folder);
    for (char *c = path + 1;; c++) {
        if (*c != '/' && *c != '\0')
            continue;
        char kept = *c;
        *c = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            FAIL(error, STATUS_IO, "cannot make the folder %s: %s", path, strerror(errno));
        *c = kept;
        if (kept == '\0')
            break;
    }
out:
    mem_free(&path);
    return status;
}

static Status write_at(const Outputs *outputs, int id, const char *data, int64_t size,
                       int64_t offset, Error *error)
{
    Status status = STATUS_OK;
    TRY(fault_point("datagen.write", error));
    while (size > 0) {
        ssize_t written = pwrite(outputs->files[id].descriptor, data, (size_t)size, offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            FAIL(error, STATUS_IO, "cannot write %s/%s.csv: %s", outputs->folder, TABLES[id].name,
                 written < 0 ? strerror(errno) : "the disk took no bytes");
        data += written;
        size -= written;
        offset += written;
    }
out:
    return status;
}

static Status open_files(Outputs *outputs, bool create, Error *error)
{
    Status status = STATUS_OK;
    int flags = O_WRONLY | O_CLOEXEC | (create ? O_CREAT | O_TRUNC : 0);
    TRY(fault_point("datagen.open", error));
    for (int id = 0; id < OUTPUT_COUNT; id++) {
        if (!outputs->files[id].wanted)
            continue;
        Path path;
        TRY(make_path(outputs, id, ".tmp", &path, error));
        outputs->files[id].descriptor = open(path.text, flags, 0644);
        if (outputs->files[id].descriptor < 0)
            FAIL(error, STATUS_IO, "cannot open %s: %s", path.text, strerror(errno));
        int64_t size = (int64_t)strlen(TABLES[id].header);
        if (create)
            TRY(write_at(outputs, id, TABLES[id].header, size, 0, error));
        outputs->files[id].bytes = size;
    }
out:
    return status;
}

static Status create_files(Outputs *outputs, Error *error)
{
    Status status = make_folder(outputs->folder, error);
    return status == STATUS_OK ? open_files(outputs, true, error) : status;
}

Status outputs_open(Comm *comm, Outputs *outputs, Error *error)
{
    Status status = STATUS_OK;
    bool root = comm_rank(comm) == 0;
    for (int id = 0; id < OUTPUT_COUNT; id++)
        outputs->files[id].descriptor = -1;
    TRY_ALL(comm, root ? create_files(outputs, error) : STATUS_OK, error);
    TRY_ALL(comm, root ? STATUS_OK : open_files(outputs, false, error), error);
out:
    return status;
}

static Status make_run(const Stage *stage, int64_t begin, int64_t end, Text texts[OUTPUT_COUNT],
                       Progress *progress, Error *error)
{
    Status status = STATUS_OK;
    for (int id = 0; id < OUTPUT_COUNT; id++) {
        texts[id].size = 0;
        texts[id].rows = 0;
    }
    TRY(fault_point("datagen.make", error));
    for (int64_t block = begin; block < end; block++) {
        int64_t rows = texts[stage->progress].rows;
        TRY(stage->make_block(stage->context, block, texts, error));
        progress_add(progress, texts[stage->progress].rows - rows);
    }
out:
    return status;
}

static Status write_run(const Outputs *outputs, const Text texts[OUTPUT_COUNT],
                        const int64_t offsets[OUTPUT_COUNT], Error *error)
{
    Status status = STATUS_OK;
    for (int id = 0; id < OUTPUT_COUNT; id++)
        if (texts[id].size > 0)
            TRY(write_at(outputs, id, texts[id].data, texts[id].size, offsets[id], error));
out:
    return status;
}

/* Where this rank's texts belong; moves the files' ends past all ranks' texts. */
static void place_run(Comm *comm, Outputs *outputs, const Text texts[OUTPUT_COUNT],
                      int64_t offsets[OUTPUT_COUNT])
{
    int64_t totals[OUTPUT_COUNT][2];
    for (int id = 0; id < OUTPUT_COUNT; id++) {
        totals[id][0] = texts[id].size;
        totals[id][1] = texts[id].rows;
        if (outputs->files[id].wanted)
            offsets[id] = outputs->files[id].bytes + comm_prefix_i64(comm, texts[id].size);
    }
    comm_sum_i64(comm, totals[0], (int64_t)OUTPUT_COUNT * 2);
    for (int id = 0; id < OUTPUT_COUNT; id++) {
        outputs->files[id].bytes += totals[id][0];
        outputs->files[id].rows += totals[id][1];
    }
}

Status outputs_write(Comm *comm, Outputs *outputs, const Stage *stage, Error *error)
{
    Status status = STATUS_OK;
    Text texts[OUTPUT_COUNT] = {0};
    int64_t offsets[OUTPUT_COUNT] = {0};
    int64_t size = comm_size(comm);
    int64_t run = (stage->n_blocks + size - 1) / size;
    run = run < 1 ? 1 : run > BLOCKS_A_ROUND ? BLOCKS_A_ROUND : run;
    Progress progress;
    progress_begin(&progress, stage->name, "rows", 1.0, stage->n_rows / size);
    for (int64_t first = 0; first < stage->n_blocks; first += run * size) {
        int64_t begin = first + run * comm_rank(comm);
        int64_t end = begin + run < stage->n_blocks ? begin + run : stage->n_blocks;
        TRY_ALL(comm, make_run(stage, begin, end, texts, &progress, error), error);
        place_run(comm, outputs, texts, offsets);
        TRY_ALL(comm, write_run(outputs, texts, offsets, error), error);
    }
out:
    progress_end(&progress);
    for (int id = 0; id < OUTPUT_COUNT; id++)
        mem_free(&texts[id].data);
    return status;
}

/* Without a sync: what a crash of the machine would lose can be made again. */
static Status close_files(Outputs *outputs, Error *error)
{
    Status status = STATUS_OK;
    TRY(fault_point("datagen.close", error));
    for (int id = 0; id < OUTPUT_COUNT; id++) {
        Output *file = &outputs->files[id];
        if (!file->wanted)
            continue;
        int descriptor = file->descriptor;
        file->descriptor = -1;
        if (close(descriptor) != 0)
            FAIL(error, STATUS_IO, "cannot write %s/%s.csv: %s", outputs->folder, TABLES[id].name,
                 strerror(errno));
    }
out:
    return status;
}

static Status name_files(const Outputs *outputs, Error *error)
{
    Status status = STATUS_OK;
    TRY(fault_point("datagen.rename", error));
    for (int id = 0; id < OUTPUT_COUNT; id++) {
        if (!outputs->files[id].wanted)
            continue;
        Path from, to;
        TRY(make_path(outputs, id, ".tmp", &from, error));
        TRY(make_path(outputs, id, "", &to, error));
        if (rename(from.text, to.text) != 0)
            FAIL(error, STATUS_IO, "cannot rename %s to %s: %s", from.text, to.text,
                 strerror(errno));
    }
out:
    return status;
}

Status outputs_finish(Comm *comm, Outputs *outputs, Error *error)
{
    Status status = STATUS_OK;
    TRY_ALL(comm, close_files(outputs, error), error);
    TRY_ALL(comm, comm_rank(comm) == 0 ? name_files(outputs, error) : STATUS_OK, error);
out:
    return status;
}

void outputs_abandon(Comm *comm, Outputs *outputs)
{
    for (int id = 0; id < OUTPUT_COUNT; id++) {
        Output *file = &outputs->files[id];
        if (!file->wanted)
            continue;
        if (file->descriptor > 0)
            close(file->descriptor);
        file->descriptor = -1;
        Path path;
        Error ignored = {0};
        if (comm_rank(comm) == 0 && make_path(outputs, id, ".tmp", &path, &ignored) == STATUS_OK)
            unlink(path.text);
    }
}
