// The statements that a step becomes. Rows come in columns: an array a parameter, or a temporary
// table that COPY has filled; rows of one statement have values for the same columns.
#pragma once

#include <string>
#include <vector>

#include "connect/postgres/apply_table.h"

namespace wherry::postgres {

/// What rows have in common, by the columns of the plan: '-' no value, 'b' a value in binary form,
/// 't' in text form.
struct RowForm {
  std::string before;  ///< of a table without identity; else of the columns of the identity
  std::string after;
  std::string is_flagged;  ///< 'f': some rows have a value for the column, others not
  friend bool operator==(const RowForm&, const RowForm&) = default;
};

enum class FieldSource : std::uint8_t {
  kBefore,    ///< of the row before
  kAfter,     ///< of the row after
  kIdentity,  ///< before, where that is known, else after
  kIsSet,     ///< whether the row has a value after: of flagged columns
  kNumber,    ///< of the row, from 1: only in a temporary table, an array numbers itself
};
/// One value of each row that a statement is given.
struct ApplyField {
  FieldSource source = FieldSource::kAfter;
  std::size_t column = 0;
  bool is_text = false;
};

/// What an update or a delete of one statement tells: the numbers of the rows it has found.
struct ApplyStatement {
  std::vector<ApplyField> fields;
  std::string sql;
  bool tells_rows = false;
  /// The planner may do as it likes: nothing says that rows are found one by one.
  bool is_free = false;
};

/// Where the rows come from: arrays, or the temporary table of that quoted name.
using StageName = std::string;

std::vector<ApplyField> fields_of(const NativeApplyTable& table, connect::StepKind kind,
                                  const RowForm& form);
/// kInsert, kUpdate, kDelete. kReplace is a kDelete of what its rows are afterwards and a kInsert.
/// An empty stage: arrays.
ApplyStatement statement_of(const NativeApplyTable& table, connect::StepKind kind,
                            const RowForm& form, const StageName& stage = {});
/// kRekey as one UPDATE, which sets the identity too.
ApplyStatement key_update_of(const NativeApplyTable& table, const RowForm& form);
/// kRekey: the three statements. The rows go into temporary table `shelf` and from there back.
std::string make_shelf(const NativeApplyTable& table, const std::string& shelf);
ApplyStatement take_out(const NativeApplyTable& table, const RowForm& form,
                        const std::string& shelf, const StageName& stage = {});
std::string put_back(const NativeApplyTable& table, const std::string& shelf);
/// Fails unless the statement, which tells_rows, finds as many as the last parameter says.
std::string guarded(const ApplyStatement& statement);

/// `create temporary table` for the fields, and the COPY into it.
std::string make_stage(const NativeApplyTable& table, const std::vector<ApplyField>& fields,
                       const StageName& stage);
/// COPY of the columns of an insert straight into the table.
std::string copy_into(const NativeApplyTable& table, const RowForm& form);

/// TRUNCATE of tables at once.
std::string truncate_of(const std::vector<const NativeApplyTable*>& tables, bool cascades,
                        bool restarts_identity);

}  // namespace wherry::postgres
