/* See product_list.h. */
#include "recommend/product_list.h"

#include <string.h>

/* The next id of *rest, which moves on; false: there are no more. */
static bool take_id(Bytes *rest, Bytes *id)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* of UTF-8, as some editors put it first */
    while (rest->size > 0) {
        const char *end = memchr(rest->data, '\n', (size_t)rest->size);
        int64_t size = end != NULL ? end - rest->data : rest->size;
        Bytes line = {rest->data, size};
        size += end != NULL;
        rest->data += size;
        rest->size -= size;
        if (bytes_start_with(line, bytes_of(mark)))
            line = (Bytes){line.data + strlen(mark), line.size - (int64_t)strlen(mark)};
        if (line.size > 0 && line.data[line.size - 1] == '\r')
            line.size--;
        *id = bytes_trim(line);
        if (id->size > 0 && id->data[0] != '#')
            return true;
    }
    return false;
}

ProductListCounts product_list_mark(Bytes text, const Shop *shop, bool *is_listed)
{
    ProductListCounts counts = {0};
    Bytes id;
    while (take_id(&text, &id)) {
        int32_t code = names_find(&shop->product, id);
        counts.ids++;
        if (code >= 0)
            is_listed[shop->product.place[code]] = true;
        else if (counts.unknown++ == 0)
            counts.first_unknown = id;
    }
    return counts;
}

bool product_list_is_empty(Bytes text)
{
    Bytes id;
    return !take_id(&text, &id);
}
