#include "publish/target_place.h"

#include <string.h>

enum { PORT_MAX = 65535 };

bool target_place_copy(Bytes from, char *to, size_t size)
{
    if (from.size >= (int64_t)size)
        return false;
    if (from.size > 0)
        memcpy(to, from.data, (size_t)from.size);
    to[from.size] = '\0';
    return true;
}

bool target_place_read_number(Bytes text, int64_t max, int64_t *number)
{
    *number = 0;
    for (int64_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || *number > max)
            return false;
        *number = *number * 10 + (text.data[i] - '0');
    }
    return text.size > 0 && *number <= max;
}

/* Cut `text` at its first `mark`: what is behind it goes to *rest, which is empty without one. */
static Bytes cut(Bytes text, char mark, Bytes *rest)
{
    const char *at = text.size > 0 ? memchr(text.data, mark, (size_t)text.size) : NULL;
    *rest = (Bytes){NULL, 0};
    if (at == NULL)
        return text;
    Bytes before = {text.data, at - text.data};
    *rest = (Bytes){at + 1, text.size - before.size - 1};
    return before;
}

/* Behind the first = stand values of settings, which may have any characters. */
bool target_place_has_password(const char *place)
{
    Bytes behind;
    Bytes before = cut((Bytes){place, (int64_t)strcspn(place, "=")}, '@', &behind);
    return behind.data != NULL && memchr(before.data, ':', (size_t)before.size) != NULL;
}

/* HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT. */
static bool read_address(Bytes address, TargetServer *server)
{
    Bytes host, port, behind;
    int64_t number = 0;
    if (address.size > 0 && address.data[0] == '[') {
        host = cut((Bytes){address.data + 1, address.size - 1}, ']', &behind);
        if (behind.data == NULL || (behind.size > 0 && behind.data[0] != ':'))
            return false;
        (void)cut(behind, ':', &port);
    } else {
        host = cut(address, ':', &port);
    }
    if (port.data != NULL && (!target_place_read_number(port, PORT_MAX, &number) || number == 0))
        return false;
    server->port = (int)number;
    return host.size > 0 && target_place_copy(host, server->host, sizeof server->host) &&
           strcspn(server->host, "%/?#@ \t\r\n") == strlen(server->host);
}

bool target_place_read_server(Bytes place, TargetServer *server)
{
    Bytes behind;
    *server = (TargetServer){0};
    if (!bytes_start_with(place, bytes_of("//")))
        return false;
    Bytes address = cut((Bytes){place.data + 2, place.size - 2}, '/', &server->path);
    Bytes user = cut(address, '@', &behind);
    if (behind.data != NULL) {
        if (user.size == 0 || !target_place_copy(user, server->user, sizeof server->user))
            return false;
        address = behind;
    }
    return read_address(address, server);
}
