// INSERT, UPDATE, DELETE and MERGE. Bound anew for each statement; executed once a bind row.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "exec/executor.h"

namespace orasim {

struct DmlResult {
  std::uint64_t row_count = 0;
  std::vector<std::vector<Value>> returning;  ///< [return bind] -> one value a row
  RowId last_row_id;
};

/// A DML statement ready to run in one transaction. Changes of a failed run are the caller's to
/// roll back (Transaction::rollback_to).
class BoundDml {
 public:
  virtual ~BoundDml() = default;
  virtual DmlResult run(ExecContext& context) = 0;
};

std::unique_ptr<BoundDml> bind_insert(const ast::Insert& insert,
                                      const BindEnvironment& environment);
std::unique_ptr<BoundDml> bind_update(const ast::Update& update,
                                      const BindEnvironment& environment);
std::unique_ptr<BoundDml> bind_delete(const ast::Delete& remove,
                                      const BindEnvironment& environment);
std::unique_ptr<BoundDml> bind_merge(const ast::Merge& merge, const BindEnvironment& environment);

/// Throws ORA-02293 when a row fails `check`; for ALTER TABLE ADD CHECK.
void check_all_rows(const TableDef& table, const ConstraintDef& check,
                    const BindEnvironment& environment, ExecContext& context);

}  // namespace orasim
