#include "base/free_memory.h"

#include <inttypes.h>
#include <stdio.h>

static int64_t available(const char *path)
{
    char line[256];
    int64_t kib = -1;
    FILE *file = fopen(path, "re");
    while (file && kib < 0 && fgets(line, sizeof line, file)) {
        if (sscanf(line, "MemAvailable: %" SCNd64 " kB", &kib) != 1)
            kib = -1;
    }
    if (file)
        fclose(file);
    return kib < 0 || kib > INT64_MAX >> 10 ? INT64_MAX : kib << 10;
}

/* The number in a file; -1 if there is none. */
static int64_t number_in(const char *path)
{
    int64_t number = -1;
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    if (fscanf(file, "%" SCNd64, &number) != 1)
        number = -1;
    fclose(file);
    return number;
}

int64_t free_memory_of(const char *meminfo, const char *limit, const char *used)
{
    int64_t bytes = available(meminfo), most = number_in(limit), now = number_in(used);
    if (most < 0 || now < 0)
        return bytes;
    int64_t left = most > now ? most - now : 0;
    return left < bytes ? left : bytes;
}

int64_t free_memory(void)
{
    return free_memory_of("/proc/meminfo", "/sys/fs/cgroup/memory.max",
                          "/sys/fs/cgroup/memory.current");
}
