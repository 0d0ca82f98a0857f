/* Fuzz: any file is an ini file or is refused in one clear line, without a fault; what is
 * understood comes through config_pack as it was. */
#include "base/config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const Option options[] = {
    {"config", 'c', NULL, NULL, OPTION_TEXT, "FILE", NULL, 0, 0, "an ini file"},
    {"store", 0, "store", "path", OPTION_TEXT, "DIR", NULL, 0, 0, "a text"},
    {"horizon", 0, "forecast", "horizon", OPTION_INT, "N", "28", 1, 1000, "a number"},
    {"share", 0, "forecast", "share", OPTION_REAL, "N", "0.5", 0, 1, "a real"},
    {"keep", 0, "forecast", "keep", OPTION_SWITCH, NULL, NULL, 0, 0, "a switch"},
    {"input", 0, "store", "input", OPTION_LIST, "PATH", NULL, 0, 0, "a list"},
};
static const char *const free_sections[] = {"orders.columns", "aggregate.*", NULL};
enum { N_OPTIONS = sizeof options / sizeof *options };

static void stop_unless(bool is_well, const char *problem)
{
    if (is_well)
        return;
    (void)fprintf(stderr, "ini_fuzz: %s\n", problem);
    abort();
}

static void check_config(const Config *config)
{
    const char *const none[] = {NULL};
    Error error = {0};
    Config *copy = NULL;
    Buffer packed = {0}, again = {0};
    int64_t horizon = config_int(config, "horizon");
    double share = config_real(config, "share");
    stop_unless(horizon >= 1 && horizon <= 1000, "a number out of range");
    stop_unless(share >= 0 && share <= 1, "a real out of range");
    config_pack(config, &packed);
    stop_unless(config_unpack(buffer_view(&packed), &copy, &error) == STATUS_OK,
                "cannot be unpacked");
    config_pack(copy, &again);
    stop_unless(bytes_equal(buffer_view(&packed), buffer_view(&again)), "changed by packing");
    stop_unless(config_hash(config, none) == config_hash(copy, none), "another hash");
    config_free(&copy);
    buffer_free(&packed);
    buffer_free(&again);
}

static void check_message(const Error *error)
{
    stop_unless(error->status == STATUS_USAGE, "an error of another kind");
    stop_unless(error->message[0] != '\0', "an error without a message");
    stop_unless(!strpbrk(error->message, "\n\r"), "a message of several lines");
    stop_unless(bytes_are_utf8(bytes_of(error->message)), "a character is cut in a message");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    static char path[64];
    char program[] = "vesper", flag[] = "--config";
    char *arguments[] = {program, flag, path, NULL};
    Error error = {0};
    Config *config = NULL;
    if (file < 0) {
        file = memfd_create("ini", MFD_CLOEXEC);
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    stop_unless(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size,
                "cannot write the file");
    if (config_parse(3, arguments, options, N_OPTIONS, NULL, free_sections, &config, &error) ==
        STATUS_OK)
        check_config(config);
    else
        check_message(&error);
    config_free(&config);
    return 0;
}
