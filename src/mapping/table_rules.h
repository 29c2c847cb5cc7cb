// What the transformation rules make of one table: names, columns, types, keys. A view of a RuleSet
// with those rules only that concern the table, so that its columns ask few of them.
//
// One action an object (AWS DMS User Guide, "Transformation rules and actions"): of the rules for
// one column that rename it, remove it or change its type the lowest id counts, and the others are
// passed over; masking, before images and added columns stand beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "mapping/rules.h"
#include "schema/table_def.h"

namespace wherry::mapping {

/// What becomes of a column of the source.
struct ColumnOutcome {
  bool is_moved = true;
  std::string target_name;
  std::optional<schema::DmsType> type;  ///< it is changed to that
  schema::Masking masking;
  const BeforeImage* before_image = nullptr;  ///< nullptr: no column for what it had before
  std::vector<std::int64_t> applied;          ///< ids of the rules that count, ascending
  std::vector<std::int64_t> passed_over;      ///< that would have, but for one with a lower id
};

/// Names of the target's table.
struct TableOutcome {
  schema::TableRef target;
  std::vector<std::int64_t> applied;
  std::vector<std::int64_t> passed_over;
};

class TableRules {
 public:
  /// REQUIRES: `rules` outlives the object.
  TableRules(const RuleSet& rules, schema::TableRef source);

  /// kConfig "mapping.expression" when an expression makes no name.
  [[nodiscard]] Result<TableOutcome> table() const;
  /// Likewise.
  [[nodiscard]] Result<ColumnOutcome> column(const schema::ColumnDef& column) const;
  /// What the target calls the tablespace `source` of the table or of its key; empty: no rule
  /// concerns it, and the target's own choice holds. `ids`: gets that of the rule. kConfig
  /// likewise.
  [[nodiscard]] Result<std::string> tablespace(TransformTarget of, const std::string& source,
                                               std::vector<std::int64_t>& ids) const;
  /// The key that a rule gives the table; nullptr: that of the source.
  [[nodiscard]] const TransformationRule* key() const { return key_; }
  /// The rules that add columns, by id, of several with one name the lowest.
  [[nodiscard]] const std::vector<const TransformationRule*>& added() const { return added_; }
  [[nodiscard]] const schema::TableRef& source() const { return source_; }

 private:
  const RuleSet& rules_;
  const schema::TableRef source_;
  // All by id.
  std::vector<const TransformationRule*> of_schema_, of_table_, of_columns_, added_,
      of_tablespaces_;
  const TransformationRule* key_ = nullptr;
  bool has_includes_ = false;
};

}  // namespace wherry::mapping
