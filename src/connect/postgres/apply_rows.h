// Rows of a step on their way into statements: sorted by what they have values for, and encoded as
// arrays or as rows of a COPY.
#pragma once

#include <string_view>
#include <vector>

#include "connect/postgres/apply_statements.h"
#include "connect/postgres/row_encoder.h"

namespace wherry::postgres {

/// Rows of a step that one kind of statement takes; numbers are places in the step.
struct RowGroup {
  RowForm form;
  std::vector<std::size_t> rows;
  std::uint64_t bytes = 0;   ///< of their values, about
  bool has_spilled = false;  ///< some value is too large to be in memory
};

/// Sorts the rows of a step, few groups at most; for a kDelete of kReplace the rows are known by
/// what they are afterwards.
std::vector<RowGroup> group_rows(const NativeApplyTable& table, connect::StepKind kind,
                                 std::span<const connect::ApplyRow> rows);

/// The cell that a field takes from a row; nullptr for kIsSet and kNumber.
const Cell* cell_of(const ApplyField& field, const connect::ApplyRow& row);
bool is_set(const Cell* cell);

/// A value that cannot be sent.
struct FieldProblem {
  RowProblem problem;  ///< column: of the plan
  std::size_t row = 0;
};

/// Encodes for one statement; reused.
class ArrayEncoder {
 public:
  ArrayEncoder(const NativeApplyTable& table, std::vector<ApplyField> fields);

  /// Makes one array a field of the rows `numbers` of `rows`, and the count of rows besides.
  std::optional<FieldProblem> encode(std::span<const connect::ApplyRow> rows,
                                     std::span<const std::size_t> numbers);
  /// Valid until the next encode().
  [[nodiscard]] std::vector<std::string_view> parameters(bool with_count) const;

 private:
  wire::EncodeStatus put(std::size_t field, const Cell& cell);
  void put_header(std::size_t field, std::size_t count);

  const NativeApplyTable& table_;
  std::vector<ApplyField> fields_;
  std::vector<wire::ColumnEncoder> encoders_;
  wire::CopyBuffer buffer_;
  std::vector<std::size_t> starts_;
};

/// An encoder for the rows of a COPY that has the fields, a kNumber first when there is a stage.
RowEncoder copy_encoder(const NativeApplyTable& table, const std::vector<ApplyField>& fields,
                        bool with_number);
/// The cells of one such row. `out` has the fields' count, and one more with a number.
void fill_copy_row(const std::vector<ApplyField>& fields, const connect::ApplyRow& row,
                   std::optional<std::size_t> number, std::vector<Cell>& out);

}  // namespace wherry::postgres
