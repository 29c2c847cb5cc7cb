// Redo of DDL: a transaction of its own with one record that holds the text.
#pragma once

#include <vector>

#include "store/redo_record.h"

namespace orasim {

/// The begin, the statement and the commit; the table is the one that the change is about.
std::vector<RedoRecord> ddl_redo(const DdlText&, const Catalog& before, const Catalog& after,
                                 std::uint64_t transaction_number, std::uint32_t thread);
/// Once the SCN is known.
void stamp(std::vector<RedoRecord>&, Scn scn, std::int64_t micros);

}  // namespace orasim
