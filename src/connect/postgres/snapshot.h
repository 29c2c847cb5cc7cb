// PostgreSQL as a source of rows, for validation and for migrations from PostgreSQL: an exported
// snapshot, read by COPY in binary form.
#pragma once

#include <memory>
#include <string_view>

#include "connect/api/connector.h"
#include "connect/postgres/session_lot.h"

namespace wherry::postgres {

inline constexpr std::string_view kSnapshotPrefix = "snapshot:";

/// The snapshot named by `at` ("snapshot:…"), or one taken now. A named one can be read as long as
/// the session that exported it lives; kPositionLost afterwards.
///
/// A reader reads plan.source and each column's source_name. plan.columns[i].type may be the type
/// of another database's column: the decoder is chosen from it and from the column's real type
/// here.
Result<std::unique_ptr<connect::SnapshotSource>> open_snapshot(OpContext& context,
                                                               ConnectionSettings settings,
                                                               const Position& at,
                                                               std::shared_ptr<SessionLot> lot);

}  // namespace wherry::postgres
