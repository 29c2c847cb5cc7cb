// The tables of a stream, and what changes of the redo mean for them: values of SQL_REDO become
// cells of the table's shape. What the log does not show is read from the table, as of the commit.
//
// Used by one thread at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "connect/api/changes.h"
#include "connect/api/connector.h"
#include "connect/oracle/changes/definition_history.h"
#include "connect/oracle/changes/row_images.h"
#include "connect/oracle/logminer/redo_cell.h"
#include "connect/oracle/logminer/redo_change.h"
#include "connect/oracle/logminer/redo_column.h"
#include "connect/oracle/logminer/stored_value.h"

namespace wherry::oracle {

/// A table as the redo has it from here on.
struct RedoTable {
  schema::TablePlanPtr plan;
  connect::RowShapePtr shape;
  /// The shape is that of rows which were committed at or after it, up to the next statement of
  /// DDL.
  std::uint64_t known_since = 0;
  struct Column {
    std::optional<RedoColumn> redo;  ///< nothing: a type that is not known
    CellKind kind = CellKind::kText;
    bool is_carried = true;    ///< false: of a type that nobody moves
    bool is_trimmed = false;   ///< its padding is left out
    bool is_identity = false;  ///< of the shape
  };
  std::vector<Column> columns;  ///< as the shape's
  /// Those that rows have, in their order: n of "COL n".
  std::vector<std::size_t> stored_columns;
  std::shared_ptr<const schema::RowFilterTest> filter;  ///< of the plan, on the shape's rows
};

class RedoTables {
 public:
  /// `images` outlives it. `stored`: how rows of an older definition are stored; its arena is not
  /// used. `history`, too, outlives it.
  RedoTables(const connect::StreamRequest& request, RowImages& images, StoredValueContext stored,
             DefinitionHistory& history);

  /// The dictionary, and an SCN of before it is read.
  struct Dictionary {
    connect::Catalog& catalog;
    std::uint64_t scn = 0;
  };
  /// What the tables were at the place that `is_delivered` tells, as the history has it; else what
  /// the dictionary says of them now. Those that are gone have no shape.
  Result<void> describe(OpContext& context, const Dictionary& dictionary,
                        const std::function<bool(const DefinitionVersion::Place&)>& is_delivered);
  /// One that was taken in later, with what the dictionary says of it.
  Result<void> include(OpContext& context, const Dictionary& dictionary,
                       const schema::TablePlanPtr& plan);
  [[nodiscard]] std::vector<std::string> owners() const;
  /// An expression of some table asks who made its changes.
  [[nodiscard]] bool need_users() const;
  /// nullptr: it is none of the stream's.
  RedoTable* find(std::string_view owner, std::string_view name);

  /// A change of a transaction, with those that follow it there.
  struct Place {
    std::shared_ptr<const std::vector<RedoChange>> changes;
    std::size_t index = 0;
    std::uint64_t commit_scn = 0;
    [[nodiscard]] const RedoChange& change() const { return (*changes)[index]; }
  };
  /// Adds one change, whose values are copied. Nothing when the table is none of the stream's.
  Result<void> add(OpContext& context, const Place& place, connect::ChangeBatch& out);
  /// kDdl kRowsUnknown. Later changes are told all the same: the table may have been loaded again.
  static void give_up(const RedoTable& table, std::string_view reason, connect::ChangeBatch& out);
  /// kDdl kNewTable, when the table is there and none of the stream's.
  Result<void> tell_new(OpContext& context, connect::Catalog& catalog,
                        const schema::TableRef& table, connect::ChangeBatch& out);
  /// The definition after a statement of DDL: kShape, also when the dictionary had it already, as
  /// the target may be where the table was another; kDropTable when the table is gone. What the
  /// text of the statement does to columns that were known goes before the dictionary, which may
  /// have had others since. `since`: the statement.
  Result<void> redescribe(OpContext& context, const Dictionary& dictionary, RedoTable& table,
                          std::string_view sql, const DefinitionVersion::Place& since,
                          connect::ChangeBatch& out);

 private:
  struct Row;
  Result<std::optional<std::string>> add_hidden(OpContext& context, const RedoTable& table,
                                                const Place& place, connect::ChangeBatch& out);
  static void set_shape(RedoTable& table, schema::TableDef definition, std::uint64_t known_since);
  static std::optional<std::size_t> column_of(const RedoTable& table, const std::string& name,
                                              std::size_t hint);
  std::optional<std::string> fill(const RedoTable& table, const RedoImage& image,
                                  std::uint64_t commit_scn, Row& row) const;
  bool comes_in(const RedoTable& table, const RedoChange& change, const Cell* before,
                const Cell* after);
  static void add_unchanged(const RedoTable& table, Row& row);
  Result<std::optional<std::string>> complete(OpContext& context, const RedoTable& table,
                                              const Place& place, Row& before, Row& after,
                                              connect::ChangeBatch& out);

  RowImages& images_;
  const StoredValueContext stored_;
  DefinitionHistory& history_;
  std::map<schema::TableRef, RedoTable> tables_;
  std::vector<const Cell*> judged_;  ///< of the row in work
};

}  // namespace wherry::oracle
