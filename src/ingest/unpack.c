#include "ingest/unpack.h"

#include "base/bytes.h"
#include "base/fault.h"
#include "base/memory.h"
#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { UNPACK_BLOCK = 1 << 20 };
#define XZ_MEMORY_LIMIT ((uint64_t)1 << 30)

/* One file being unpacked: read `in`, write `out`. */
typedef struct Unpacking {
    const char *from;
    const char *to;
    int from_fd;
    int to_fd;
    char *in;
    char *out;
    int64_t in_size; /* bytes of `in` that are filled */
    bool at_end;     /* nothing follows them */
    int64_t read;
    int64_t written;
} Unpacking;

static bool name_ends(const char *path, const char *suffix)
{
    size_t length = strlen(path), wanted = strlen(suffix);
    return length > wanted && strcmp(path + length - wanted, suffix) == 0;
}

bool unpack_is_needed(const char *path)
{
    return name_ends(path, ".gz") || name_ends(path, ".xz") || name_ends(path, ".zst");
}

/* Fill `in`; a short block is the last one. */
static Status read_block(Unpacking *work, Error *error)
{
    Status status = STATUS_OK;
    TRY(fault_point("ingest.unpack.read", error));
    TRY(stop_point(error, "while %s was unpacked", work->from));
    work->in_size = 0;
    while (work->in_size < UNPACK_BLOCK) {
        ssize_t got =
            read(work->from_fd, work->in + work->in_size, (size_t)(UNPACK_BLOCK - work->in_size));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            FAIL(error, STATUS_IO, "cannot read %s: %s", work->from, strerror(errno));
        if (got == 0)
            break;
        work->in_size += got;
    }
    work->read += work->in_size;
    work->at_end = work->in_size < UNPACK_BLOCK;
out:
    return status;
}

static Status write_block(Unpacking *work, int64_t size, Error *error)
{
    Status status = STATUS_OK;
    int64_t done = 0;
    TRY(fault_point("ingest.unpack.write", error));
    while (done < size) {
        ssize_t put = write(work->to_fd, work->out + done, (size_t)(size - done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            FAIL(error, STATUS_IO,
                 "cannot write %s after %lld bytes: %s; unpacking %s needs room there for its "
                 "plain content",
                 work->to, (long long)work->written, strerror(errno), work->from);
        done += put;
        work->written += put;
    }
out:
    return status;
}

static Status cut_off(const Unpacking *work, Error *error)
{
    return error_set(error, STATUS_INPUT, __FILE__, __LINE__,
                     "%s is cut off after %lld bytes (%lld unpacked); copy it again", work->from,
                     (long long)work->read, (long long)work->written);
}

static Status damaged(const Unpacking *work, const char *why, Error *error)
{
    return error_set(error, STATUS_INPUT, __FILE__, __LINE__,
                     "%s is damaged near byte %lld (%s); copy it again", work->from,
                     (long long)(work->read - work->in_size), why);
}

static Status unpack_gz(Unpacking *work, Error *error)
{
    Status status = STATUS_OK;
    z_stream stream = {0};
    int result = inflateInit2(&stream, 15 + 16);
    if (result != Z_OK)
        FAIL(error, STATUS_MEMORY, "no memory to unpack %s", work->from);
    do {
        TRY(read_block(work, error));
        stream.next_in = (unsigned char *)work->in;
        stream.avail_in = (unsigned)work->in_size;
        do {
            /* A member has ended and another begins. */
            if (result == Z_STREAM_END) {
                if (stream.avail_in == 0)
                    break;
                (void)inflateReset(&stream);
            }
            stream.next_out = (unsigned char *)work->out;
            stream.avail_out = UNPACK_BLOCK;
            result = inflate(&stream, Z_NO_FLUSH);
            if (result == Z_MEM_ERROR)
                FAIL(error, STATUS_MEMORY, "no memory to unpack %s", work->from);
            if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
                status = damaged(work, stream.msg != NULL ? stream.msg : "not gzip", error);
                goto out;
            }
            TRY(write_block(work, UNPACK_BLOCK - (int64_t)stream.avail_out, error));
        } while (stream.avail_in > 0 || stream.avail_out == 0);
    } while (!work->at_end);
    if (result != Z_STREAM_END)
        status = cut_off(work, error);
out:
    (void)inflateEnd(&stream);
    return status;
}

static const char *xz_problem(lzma_ret result)
{
    switch (result) {
    case LZMA_FORMAT_ERROR:
        return "not xz";
    case LZMA_OPTIONS_ERROR:
        return "an xz filter this version of liblzma does not know";
    default:
        return "wrong check sum";
    }
}

static Status unpack_xz(Unpacking *work, Error *error)
{
    Status status = STATUS_OK;
    lzma_stream stream = LZMA_STREAM_INIT;
    lzma_ret result = lzma_stream_decoder(&stream, XZ_MEMORY_LIMIT, LZMA_CONCATENATED);
    if (result != LZMA_OK)
        FAIL(error, STATUS_MEMORY, "no memory to unpack %s", work->from);
    do {
        TRY(read_block(work, error));
        stream.next_in = (const uint8_t *)work->in;
        stream.avail_in = (size_t)work->in_size;
        do {
            stream.next_out = (uint8_t *)work->out;
            stream.avail_out = UNPACK_BLOCK;
            result = lzma_code(&stream, work->at_end ? LZMA_FINISH : LZMA_RUN);
            if (result == LZMA_MEM_ERROR || result == LZMA_MEMLIMIT_ERROR)
                FAIL(error, STATUS_MEMORY,
                     "%s needs more memory than 1 GiB to unpack; repack it "
                     "with xz -9 or less",
                     work->from);
            if (result == LZMA_BUF_ERROR && work->at_end) {
                status = cut_off(work, error);
                goto out;
            }
            if (result != LZMA_OK && result != LZMA_STREAM_END && result != LZMA_BUF_ERROR) {
                status = damaged(work, xz_problem(result), error);
                goto out;
            }
            TRY(write_block(work, UNPACK_BLOCK - (int64_t)stream.avail_out, error));
        } while (result != LZMA_STREAM_END && (stream.avail_in > 0 || stream.avail_out == 0));
    } while (!work->at_end);
    if (result != LZMA_STREAM_END)
        status = cut_off(work, error);
out:
    lzma_end(&stream);
    return status;
}

static Status unpack_zst(Unpacking *work, Error *error)
{
    Status status = STATUS_OK;
    size_t left = 1; /* 0 at the end of a frame */
    ZSTD_DStream *stream = ZSTD_createDStream();
    if (stream == NULL)
        FAIL(error, STATUS_MEMORY, "no memory to unpack %s", work->from);
    do {
        TRY(read_block(work, error));
        ZSTD_inBuffer in = {work->in, (size_t)work->in_size, 0};
        bool full = false;
        while (in.pos < in.size || full) {
            ZSTD_outBuffer out = {work->out, UNPACK_BLOCK, 0};
            left = ZSTD_decompressStream(stream, &out, &in);
            if (ZSTD_isError(left)) {
                status = damaged(work, ZSTD_getErrorName(left), error);
                goto out;
            }
            TRY(write_block(work, (int64_t)out.pos, error));
            full = out.pos == out.size && left != 0;
        }
    } while (!work->at_end);
    if (left != 0)
        status = cut_off(work, error);
out:
    ZSTD_freeDStream(stream);
    return status;
}

Status unpack_file(const char *from, const char *to, int64_t *bytes, Error *error)
{
    Status status = STATUS_OK;
    Unpacking work = {.from = from, .to = to, .from_fd = -1, .to_fd = -1};
    work.in = mem_new(UNPACK_BLOCK, 1);
    work.out = mem_new(UNPACK_BLOCK, 1);
    TRY(fault_point("ingest.unpack.open", error));
    work.from_fd = open(from, O_RDONLY | O_CLOEXEC);
    if (work.from_fd < 0)
        FAIL(error, STATUS_INPUT, "cannot open %s: %s", from, strerror(errno));
    work.to_fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (work.to_fd < 0)
        FAIL(error, STATUS_IO, "cannot create %s to unpack %s: %s", to, from, strerror(errno));
    if (name_ends(from, ".gz"))
        TRY(unpack_gz(&work, error));
    else if (name_ends(from, ".xz"))
        TRY(unpack_xz(&work, error));
    else
        TRY(unpack_zst(&work, error));
    *bytes = work.written;
out:
    if (work.from_fd >= 0)
        (void)close(work.from_fd);
    if (work.to_fd >= 0 && close(work.to_fd) != 0 && status == STATUS_OK)
        status = error_set(error, STATUS_IO, __FILE__, __LINE__, "cannot write %s: %s", to,
                           strerror(errno));
    if (work.to_fd >= 0 && status != STATUS_OK)
        (void)unlink(to);
    mem_free(&work.in);
    mem_free(&work.out);
    return status;
}
