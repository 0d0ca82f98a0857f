/* HDF5's error stack cut down to its innermost line; closing; types. */
#include "store/hdf5_help.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void hdf5_be_quiet(void)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

typedef struct Innermost {
    char text[512];
} Innermost;

/* Walking downward ends with the innermost record: each one overwrites the last. */
static herr_t note_record(unsigned n, const H5E_error2_t *record, void *to)
{
    (void)n;
    Innermost *innermost = to;
    if (record->desc && record->desc[0])
        snprintf(innermost->text, sizeof innermost->text, "%s", record->desc);
    return 0;
}

/* Of a failed system call HDF5 tells the time and addresses too: here what the system said. */
static const char *reason_of(Innermost *innermost)
{
    static const char before[] = "error message = '";
    char *said = strstr(innermost->text, before);
    if (said == NULL)
        return innermost->text;
    said += strlen(before);
    said[strcspn(said, "'")] = '\0';
    return said;
}

Status hdf5_error(Error *error, const char *action, const char *file)
{
    Innermost innermost = {.text = "HDF5 gave no reason"};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, note_record, &innermost);
    H5Eclear2(H5E_DEFAULT);
    return error_set(error, STATUS_IO, __FILE__, __LINE__, "cannot %s %s: %s", action, file,
                     reason_of(&innermost));
}

void hdf5_close(hid_t handle)
{
    switch (handle < 0 ? H5I_BADID : H5Iget_type(handle)) {
    case H5I_FILE:
        H5Fclose(handle);
        break;
    case H5I_GROUP:
        H5Gclose(handle);
        break;
    case H5I_DATASET:
        H5Dclose(handle);
        break;
    case H5I_DATASPACE:
        H5Sclose(handle);
        break;
    case H5I_DATATYPE:
        H5Tclose(handle);
        break;
    case H5I_ATTR:
        H5Aclose(handle);
        break;
    case H5I_GENPROP_LST:
        H5Pclose(handle);
        break;
    default:
        break;
    }
}

/* The number of a descriptor in /proc/self/fd, or -1. */
static int descriptor_of(const char *name)
{
    char *end;
    long number = strtol(name, &end, 10);
    return end != name && *end == '\0' ? (int)number : -1;
}

int hdf5_divert(const char *path)
{
    struct stat wanted, found;
    int memory = memfd_create("segment", MFD_CLOEXEC);
    DIR *open_ones = opendir("/proc/self/fd");
    if (memory >= 0 && open_ones != NULL && stat(path, &wanted) == 0) {
        for (const struct dirent *next = readdir(open_ones); next; next = readdir(open_ones)) {
            int fd = descriptor_of(next->d_name);
            if (fd >= 0 && fstat(fd, &found) == 0 && found.st_dev == wanted.st_dev &&
                found.st_ino == wanted.st_ino)
                (void)dup3(memory, fd, O_CLOEXEC);
        }
    }
    if (open_ones != NULL)
        (void)closedir(open_ones);
    return memory;
}

hid_t hdf5_type_of(ColumnType type)
{
    switch (type) {
    case COLUMN_I8:
        return H5T_STD_I8LE;
    case COLUMN_I16:
        return H5T_STD_I16LE;
    case COLUMN_I32:
        return H5T_STD_I32LE;
    case COLUMN_I64:
        return H5T_STD_I64LE;
    case COLUMN_F64:
        return H5T_IEEE_F64LE;
    case COLUMN_TEXT:
        break;
    }
    return H5T_STD_U8LE;
}
