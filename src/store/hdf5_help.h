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

/* The type of a column in a file; of a text's bytes, uint8. */
hid_t hdf5_type_of(ColumnType type);

#endif
