// Catalogs as bytes for the log: the difference between two versions, and its replay.
#pragma once

#include "store/byte_io.h"
#include "store/store.h"

namespace orasim {

/// What changed from `before` to `after`: counters, removed names, new and changed objects.
void encode_catalog_change(const Catalog& before, const Catalog& after, ByteWriter& out);
/// Throws CorruptBytes.
void apply_catalog_change(ByteReader& in, Catalog& catalog);

}  // namespace orasim
