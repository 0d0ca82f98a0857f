/* Small helpers around HDF5: its failures as our errors, handles, types. */
#ifndef VESPER_STORE_HDF5_HELP_H
#define VESPER_STORE_HDF5_HELP_H

#include "table/table.h"

#include <hdf5.h>

/* Stop HDF5 from printing its error stack. */
void hdf5_be_quiet(void);

/* "cannot ACTION FILE: " and the innermost message of HDF5's error stack. Returns STATUS_IO. */
Status hdf5_error(Error *error, const char *action, const char *file);

/* Handles that were never opened are negative; closing those is a no-op. */
void hdf5_close(hid_t handle);

/* HDF5 writes when it closes a file, and crashes when the program ends if it cannot. So from now on
 * what this process writes to `path` by descriptors that it has open goes to memory, which is
 * returned as a descriptor; -1: to where it went before. */
int hdf5_divert(const char *path);

/* The type of a column in a file; of a text's bytes, uint8. */
hid_t hdf5_type_of(ColumnType type);

#endif
