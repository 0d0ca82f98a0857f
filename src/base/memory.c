/* Memory: aligned, counted blocks. Before every block stands a header of one cache line with its
 * size. Blocks from MAP_BYTES_MIN on are mapped, so that the kernel can move their pages instead of
 * copying bytes when they grow; the test allocator never maps, so that sanitizers see every block.
 *
 * A few freed maps are kept for the next large block: fresh pages cost more than most of what is
 * done with them (0.6 s a GB were measured). What is kept never raises the peak: together with the
 * live bytes it stays below the most that was live since the last mark. */
#include "base/memory.h"

#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ALIGNMENT = 64, PAGE = 4096, MAP_BYTES_MIN = 1 << 20, SPARES_MAX = 32 };
static const size_t block_bytes_most = (size_t)1 << 40;

typedef struct Header {
    size_t size;     /* bytes asked for */
    size_t capacity; /* bytes there are */
    bool is_mapped;
    bool is_zeroed; /* fresh from the kernel */
} Header;

_Static_assert(sizeof(Header) <= ALIGNMENT, "the header must fit before an aligned block");

static _Atomic int64_t live_blocks;
static _Atomic int64_t live_bytes;
static _Atomic int64_t peak_bytes; /* since the last mark */

static pthread_once_t limit_once = PTHREAD_ONCE_INIT;
static int64_t limit_bytes = INT64_MAX;

static void read_limit(void)
{
    const char *text = getenv("VESPER_MEMORY_LIMIT");
    if (!text)
        return;
    char *end;
    long long value = strtoll(text, &end, 10);
    if (end != text && *end == '\0' && value > 0)
        limit_bytes = value;
}

static size_t round_up(size_t value, size_t step)
{
    return (value + step - 1) / step * step;
}

static Header *header_of(void *block)
{
    return (Header *)(void *)((char *)block - ALIGNMENT);
}

static void *block_of(Header *header)
{
    return (char *)header + ALIGNMENT;
}

static void count_bytes(int64_t change)
{
    int64_t now = atomic_fetch_add(&live_bytes, change) + change;
    int64_t peak = atomic_load(&peak_bytes);
    while (now > peak && !atomic_compare_exchange_weak(&peak_bytes, &peak, now))
        ;
}

static bool wants_map(size_t size)
{
#ifdef VESPER_TEST_ALLOCATOR
    (void)size;
    return false;
#else
    return size >= MAP_BYTES_MIN;
#endif
}

/* ---- spare maps ---- */

static pthread_mutex_t spares_lock = PTHREAD_MUTEX_INITIALIZER;
static Header *spares[SPARES_MAX];
static int n_spares;
static size_t spare_bytes;

static void unmap(Header *header)
{
    munmap(header, header->capacity + ALIGNMENT);
}

/* One of those that are kept; whoever calls has the lock. */
static Header *take_spare(int i)
{
    Header *header = spares[i];
    spares[i] = spares[--n_spares];
    spare_bytes -= header->capacity;
    return header;
}

/* The smallest spare of at least `size` bytes and less than twice that; NULL if there is none.
 * Without one, spares go until `size` more live bytes do not raise the peak for their sake. */
static Header *find_spare(size_t size)
{
    pthread_mutex_lock(&spares_lock);
    int best = -1;
    for (int i = 0; i < n_spares; i++) {
        size_t capacity = spares[i]->capacity;
        if (capacity >= size && capacity / 2 <= size &&
            (best < 0 || capacity < spares[best]->capacity))
            best = i;
    }
    Header *found = best < 0 ? NULL : take_spare(best);
    int64_t room = atomic_load(&peak_bytes) - atomic_load(&live_bytes) - (int64_t)size;
    while (!found && n_spares > 0 && (int64_t)spare_bytes > room)
        unmap(take_spare(0));
    pthread_mutex_unlock(&spares_lock);
    return found;
}

/* Keep the map for later if that does not raise the peak; `header` is counted as freed already. */
static bool keep_spare(Header *header)
{
    pthread_mutex_lock(&spares_lock);
    int64_t room = atomic_load(&peak_bytes) - atomic_load(&live_bytes);
    bool fits = n_spares < SPARES_MAX && (int64_t)(spare_bytes + header->capacity) <= room;
    if (fits) {
        spares[n_spares++] = header;
        spare_bytes += header->capacity;
    }
    pthread_mutex_unlock(&spares_lock);
    return fits;
}

static void drop_spares(void)
{
    pthread_mutex_lock(&spares_lock);
    while (n_spares > 0)
        unmap(take_spare(0));
    pthread_mutex_unlock(&spares_lock);
}

/* ---- blocks ---- */

static Header *map_block(size_t size)
{
    Header *header = find_spare(size);
    if (header) {
        header->size = size;
        header->is_zeroed = false;
        return header;
    }
    size_t total = round_up(size + ALIGNMENT, PAGE);
    /* All pages at once: one by one, as they are first written, costs half as much again. */
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
    header = mmap(NULL, total, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (header == MAP_FAILED)
        return NULL;
    *header = (Header){size, total - ALIGNMENT, .is_mapped = true, .is_zeroed = true};
    return header;
}

static Header *allocate(size_t size)
{
    Header *header;
    if (wants_map(size)) {
        header = map_block(size);
    } else {
        size_t total = round_up(size + ALIGNMENT, ALIGNMENT);
        header = aligned_alloc(ALIGNMENT, total);
        if (header)
            *header = (Header){size, total - ALIGNMENT, .is_mapped = false, .is_zeroed = false};
    }
    if (!header)
        return NULL;
#ifdef VESPER_TEST_ALLOCATOR
    memset(block_of(header), 0xff, size);
#endif
    atomic_fetch_add(&live_blocks, 1);
    count_bytes((int64_t)size);
    return header;
}

static void release(Header *header)
{
    atomic_fetch_sub(&live_blocks, 1);
    count_bytes(-(int64_t)header->size);
    if (!header->is_mapped)
        free(header);
    else if (!keep_spare(header))
        unmap(header);
}

static Header *move_block(Header *old, size_t size)
{
    Header *header = allocate(size);
    if (!header)
        return NULL;
    memcpy(block_of(header), block_of(old), size < old->size ? size : old->size);
    release(old);
    return header;
}

/* NULL if there is no memory; `old` then stays as it was. */
static Header *resize(Header *old, size_t size)
{
    if (!old)
        return allocate(size);
#ifndef VESPER_TEST_ALLOCATOR
    if (size <= old->capacity && size >= old->capacity / 2) {
        count_bytes((int64_t)size - (int64_t)old->size);
        old->size = size;
        return old;
    }
    if (old->is_mapped && wants_map(size)) {
        size_t total = round_up(size + ALIGNMENT, PAGE);
        Header *moved = mremap(old, old->capacity + ALIGNMENT, total, MREMAP_MAYMOVE);
        if (moved == MAP_FAILED)
            return NULL;
        old = moved;
        old->capacity = total - ALIGNMENT;
        count_bytes((int64_t)size - (int64_t)old->size);
        old->size = size;
        return old;
    }
#endif
    return move_block(old, size);
}

/* False if the product is past what any rank can want. */
static bool block_size(int64_t count, size_t size, size_t *bytes)
{
    vesper_assert(count >= 0);
    return !__builtin_mul_overflow((size_t)count, size, bytes) && *bytes <= block_bytes_most;
}

static _Noreturn void no_memory(int64_t count, size_t size)
{
    fprintf(stderr, "vesper: out of memory for %" PRId64 " elements of %zu bytes\n", count, size);
    abort();
}

void *mem_new(int64_t count, size_t size)
{
    size_t bytes;
    Header *header = block_size(count, size, &bytes) ? allocate(bytes) : NULL;
    if (!header)
        no_memory(count, size);
    if (!header->is_zeroed)
        memset(block_of(header), 0, bytes);
    return block_of(header);
}

/* `array` is a T ** of any T: its pointer is read and written as bytes. */
static Header *load_header(const void *array)
{
    void *block;
    memcpy(&block, array, sizeof block);
    return block ? header_of(block) : NULL;
}

static void store_block(void *array, Header *header)
{
    void *block = block_of(header);
    memcpy(array, &block, sizeof block);
}

Status mem_resize(void *array, int64_t count, size_t size, const char *what, Error *error)
{
    pthread_once(&limit_once, read_limit);
    Header *old = load_header(array);
    size_t bytes;
    if (!block_size(count, size, &bytes))
        return error_set(error, STATUS_MEMORY, __FILE__, __LINE__,
                         "out of memory: %s would need %" PRId64 " elements of %zu bytes", what,
                         count, size);
    int64_t before = old ? (int64_t)old->size : 0;
    int64_t growth = (int64_t)bytes - before;
    if (growth > 0 && growth > limit_bytes - atomic_load(&live_bytes))
        return error_set(error, STATUS_MEMORY, __FILE__, __LINE__,
                         "out of memory: %s needs %zu bytes, %" PRId64 " are in use of the %" PRId64
                         " that VESPER_MEMORY_LIMIT allows",
                         what, bytes, atomic_load(&live_bytes), limit_bytes);
    Header *header = resize(old, bytes);
    if (!header)
        return error_set(error, STATUS_MEMORY, __FILE__, __LINE__,
                         "out of memory: %s needs %zu bytes, %" PRId64
                         " are in use; run on more ranks or nodes",
                         what, bytes, atomic_load(&live_bytes));
    store_block(array, header);
    return STATUS_OK;
}

void mem_grow(void *array, int64_t count, size_t size)
{
    size_t bytes;
    Header *header = block_size(count, size, &bytes) ? resize(load_header(array), bytes) : NULL;
    if (!header)
        no_memory(count, size);
    store_block(array, header);
}

void mem_free(void *array)
{
    Header *header = load_header(array);
    if (!header)
        return;
    release(header);
    void *none = NULL;
    memcpy(array, &none, sizeof none);
}

char *mem_copy_string(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = mem_new((int64_t)size, 1);
    memcpy(copy, text, size);
    return copy;
}

int64_t mem_live_blocks(void)
{
    return atomic_load(&live_blocks);
}

int64_t mem_live_bytes(void)
{
    return atomic_load(&live_bytes);
}

static int64_t peak_bytes_before_mark;

int64_t mem_peak_bytes(void)
{
    int64_t peak = atomic_load(&peak_bytes);
    return peak > peak_bytes_before_mark ? peak : peak_bytes_before_mark;
}

/* The kernel's count, which mem_mark_peak sets back. */
static int64_t peak_resident(void)
{
    /* VmHWM belongs to this program alone; ru_maxrss also remembers what exec'd it. */
    int64_t kib = -1;
    FILE *file = fopen("/proc/self/status", "re");
    if (file) {
        char line[256];
        while (kib < 0 && fgets(line, sizeof line, file)) {
            if (strncmp(line, "VmHWM:", 6) == 0)
                kib = strtoll(line + 6, NULL, 10);
        }
        fclose(file);
    }
    struct rusage usage;
    if (kib < 0 && getrusage(RUSAGE_SELF, &usage) == 0)
        kib = usage.ru_maxrss;
    return kib < 0 ? 0 : kib * 1024;
}

/* The most that was ever told: a mark resets the kernel's peak, and its counts of pages come late
 * by some, so that a peak told now may be below one told before. */
static int64_t resident_most;

int64_t mem_peak_resident_bytes(void)
{
    int64_t peak = peak_resident();
    resident_most = peak > resident_most ? peak : resident_most;
    return resident_most;
}

void mem_mark_peak(void)
{
    peak_bytes_before_mark = mem_peak_bytes();
    atomic_store(&peak_bytes, atomic_load(&live_bytes));
    drop_spares();
    (void)malloc_trim(0);
    (void)mem_peak_resident_bytes(); /* which keeps it */
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t written = write(fd, "5", 1); /* "reset the peak resident set size": proc(5) */
    (void)written;
    (void)close(fd);
}

int64_t mem_peak_since_mark(void)
{
    return peak_resident();
}
