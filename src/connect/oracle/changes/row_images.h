// Rows as they were at an SCN: values that LogMiner does not show, by ROWID. Facts: reference
// oracle-cdc, 7.4 and 11.3.
//
// Used by one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connect/oracle/session_pool.h"
#include "connect/oracle/settings.h"
#include "core/row_batch.h"
#include "schema/table_def.h"

namespace wherry::oracle {

class RowImages {
 public:
  explicit RowImages(const EndpointOptions& options);

  /// One row, with a cell for each of `columns` (indexes of `table`), or none when there was no
  /// such row. `row_id` is no placeholder. kData "oracle.row_gone": the database no longer knows
  /// what it was then.
  Result<std::shared_ptr<RowBatch>> read(OpContext& context, const schema::TableDef& table,
                                         const std::vector<std::size_t>& columns,
                                         std::string_view row_id, std::uint64_t scn);

 private:
  const FetchOptions fetch_;
  SessionPool pool_;
};

}  // namespace wherry::oracle
