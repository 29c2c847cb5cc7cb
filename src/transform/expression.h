// Expressions of transformation rules: SQLite's language, evaluated by SQLite, with the values of a
// row as $NAME and what DMS says about the operation and the object as $AR_H_… and $AR_M_… (AWS DMS
// User Guide, "Using transformation rule expressions to define column content").
//
// What becomes what: integers and decimals that fit are INTEGER, other numbers REAL (SQLite has no
// decimals: about 15 digits), dates and times are TEXT "2024-05-01 10:11:12" with the fraction and
// the offset of their type, truths 1 and 0, bytes BLOB, all else TEXT.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.h"
#include "core/cell.h"
#include "core/result.h"
#include "schema/logical_type.h"
#include "transform/functions.h"

namespace wherry::transform {

/// What an expression asks for.
struct ExpressionNeeds {
  std::vector<std::string> columns;  ///< of the source, each once
  bool flags_deletes = false;        ///< operation_indicator(): deleted rows stay on the target
  /// The columns alone say what comes out: no headers, no clock, no chance.
  bool is_repeatable = true;
  bool is_of_column = false;  ///< asks for the column's own name or type
  bool asks_user = false;     ///< $AR_H_USER
};
/// kConfig "mapping.expression": it is no expression of SQLite, or asks for a variable that does
/// not exist.
Result<ExpressionNeeds> needs_of(std::string_view expression);

/// What an expression is about.
struct ExpressionSubject {
  std::string schema, table;      ///< of the source
  std::string column, data_type;  ///< empty for an added column
};
/// The name that an expression of a rename rule gives. It can ask for the subject only; NULL and
/// the empty text are no names: kConfig "mapping.expression".
Result<std::string> evaluate_name(std::string_view expression, const ExpressionSubject& subject);

/// What is known of the change that a row is of; of a full load the times only.
struct RowHeader {
  Operation operation = Operation::kInsert;
  std::string stream_position;
  std::int64_t time_us = 0;         ///< since 1970, UTC
  std::int64_t commit_time_us = 0;  ///< likewise
  std::string user;
  std::string change_sequence;
};

/// Computes the values of one table's added columns. Used by one thread at a time.
class Expressions {
 public:
  struct Item {
    std::string expression;
    schema::LogicalType type;  ///< of the result
  };
  /// A column that rows have.
  struct Column {
    std::string name;
    schema::LogicalType type;
  };
  /// kConfig "mapping.expression" when one asks for a column that is not there.
  static Result<std::unique_ptr<Expressions>> make(const ExpressionSubject& subject,
                                                   const std::vector<Item>& items,
                                                   const std::vector<Column>& columns);
  ~Expressions();

  /// Indexes into the columns of make() that some expression asks for, ascending.
  [[nodiscard]] const std::vector<std::size_t>& used() const;
  /// Values of the expressions for one row, into `out`, one a item; texts live in `arena`.
  /// `cell_of`, by used(): nullptr, or a cell without a value that is not NULL: unknown. What
  /// cannot be computed or is none of the type becomes kUnreadable and says why.
  void evaluate(std::span<const Cell* const> cells, const RowHeader& header, Cell* out,
                Arena& arena);

 private:
  struct Parts;
  explicit Expressions(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace wherry::transform
