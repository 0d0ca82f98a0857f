/* Settings of a target: NAME=VALUE behind ?, with & between. */
#include "publish/target_settings.h"

#include <string.h>

static Status refuse(const char *scheme, Bytes name, const char *const *names, int n, Error *error)
{
    Buffer possible = {0};
    for (int i = 0; i < n; i++)
        buffer_printf(&possible, "%s%s=", i > 0 ? ", " : "", names[i]);
    Status status = error_set(error, STATUS_USAGE, __FILE__, __LINE__,
                              "publish target %s has a setting '%.*s' behind its ? that is not "
                              "understood; possible is %s",
                              scheme, (int)(name.size < 40 ? name.size : 40), name.data,
                              buffer_string(&possible));
    buffer_free(&possible);
    return status;
}

static int find_name(Bytes name, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (bytes_equal(name, bytes_of(names[i])))
            return i;
    return -1;
}

Status target_settings_read(const char *scheme, const char *place, const char *const *names, int n,
                            Bytes *bare, Bytes *values, Error *error)
{
    size_t length = strcspn(place, "?");
    *bare = (Bytes){place, (int64_t)length};
    const char *rest = place + length;
    while (*rest == '?' || *rest == '&') {
        rest++;
        size_t size = strcspn(rest, "&"), name_size = strcspn(rest, "=&");
        int at = find_name((Bytes){rest, (int64_t)name_size}, names, n);
        if (at < 0 || name_size + 1 >= size)
            return refuse(scheme, (Bytes){rest, (int64_t)name_size}, names, n, error);
        values[at] = (Bytes){rest + name_size + 1, (int64_t)(size - name_size - 1)};
        rest += size;
    }
    return STATUS_OK;
}
