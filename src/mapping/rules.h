// The DMS table-mapping document: which tables a task moves and what they are called at the target.
// Pure: no I/O. Immutable after parse(), so any number of threads may ask.
//
// Supported now: selection rules (include, exclude, explicit, load-order, filters), the
// name-changing transformations of schema, table and column, columns removed and included, keys
// defined, and table-settings rules. Every other rule or action is refused with its rule-id,
// because carrying it out silently wrong is worse than not at all. Source: AWS DMS User Guide,
// "Using table mapping to specify task settings".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "mapping/json_places.h"
#include "schema/lob_setting.h"
#include "schema/parallel_load.h"
#include "schema/row_filter.h"
#include "schema/table_def.h"

namespace wherry::mapping {

enum class SelectionAction : std::uint8_t { kInclude, kExclude, kExplicit };
enum class TransformTarget : std::uint8_t { kSchema, kTable, kColumn };
enum class TransformAction : std::uint8_t {
  kRename,
  kLowercase,
  kUppercase,
  kAddPrefix,
  kAddSuffix,
  kRemovePrefix,
  kRemoveSuffix,
  kReplacePrefix,
  kReplaceSuffix,
  // What follows gives no name.
  kRemoveColumn,
  kIncludeColumn,  ///< of a table with such a rule only these columns are moved
  kDefinePrimaryKey,
};
constexpr bool gives_name(TransformAction action) {
  return action < TransformAction::kRemoveColumn;
}

struct Locator {
  std::string schema, table, column;
};

struct SelectionRule {
  std::int64_t id = 0;
  SelectionAction action = SelectionAction::kInclude;
  Locator locator;
  std::int64_t load_order = 0;  ///< 0: not given; higher starts earlier
  schema::RowFilter filter;     ///< of kInclude; without the columns' types
};

/// "primary-key-def": the key that a table has on the target.
struct KeyRule {
  std::string name;                  ///< empty: after the table
  bool is_primary = true;            ///< origin primary-key; false: unique-index
  std::vector<std::string> columns;  ///< by their names on the target, in order
};

struct TransformationRule {
  std::int64_t id = 0;
  TransformTarget target = TransformTarget::kTable;
  TransformAction action = TransformAction::kRename;
  Locator locator;
  std::string value, old_value;
  KeyRule key;  ///< of kDefinePrimaryKey
};

/// Settings of one table, named exactly.
struct TableSettingsRule {
  std::int64_t id = 0;
  Locator locator;
  std::optional<schema::ParallelLoad> parallel_load;
  std::optional<schema::LobSetting> lobs;
};

/// One thing wrong with a document.
struct Problem {
  std::string rule_id;  ///< as written; empty when the rule has none
  std::string path;     ///< "/rules/2/rule-action"
  std::string message;
  TextPlace place;
};

class RuleSet {
 public:
  /// Selects every table of every schema that is not the system's; changes no name.
  static RuleSet everything();
  /// kConfig "mapping.syntax" names line and column; kConfig "mapping.rules" lists every problem,
  /// in DMS's words ("Error in mapping rules. Rule with ruleId = N failed validation. …").
  static Result<RuleSet> parse(std::string_view json);
  /// Like parse(), but hands out what is wrong one by one; empty: fine. Syntax errors come too.
  static std::vector<Problem> check(std::string_view json);

  /// TargetMetadata.TargetSchema of the task's settings: where tables go that no rule of a schema
  /// concerns; empty: to the schema of their source.
  void set_target_schema(std::string name) { target_schema_ = std::move(name); }

  /// The load-order of a selected table; nullopt when it is not selected.
  [[nodiscard]] std::optional<std::int64_t> select(const schema::TableRef& table) const;
  /// Names of the target's objects. Of several matching rules for one object the lowest id wins.
  [[nodiscard]] schema::TableRef target_table(const schema::TableRef& source) const;
  [[nodiscard]] std::string target_column(const schema::TableRef& source,
                                          std::string_view column) const;
  /// Schemas whose tables are needed, when all selecting rules name them without wildcards; else
  /// empty, which stands for all.
  [[nodiscard]] std::vector<std::string> named_schemas() const;
  /// Whether a column is moved.
  [[nodiscard]] bool has_column(const schema::TableRef& source, std::string_view column) const;
  /// The key that a rule gives the table; nullptr: that of the source.
  [[nodiscard]] const KeyRule* key_rule(const schema::TableRef& source) const;
  /// The rows of a selected table that are moved, without the columns' types; empty: all. Of
  /// several rules that filter it the lowest id wins.
  [[nodiscard]] schema::RowFilter row_filter(const schema::TableRef& table) const;
  /// What rules say that is passed over, as in DMS.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  /// What goes before the task's LOB settings; nullopt: nothing was said.
  [[nodiscard]] std::optional<schema::LobSetting> lob_setting(const schema::TableRef& table) const;
  /// How the user wants the table cut; nullopt: nothing was said.
  [[nodiscard]] std::optional<schema::ParallelLoad> parallel_load(
      const schema::TableRef& table) const;
  [[nodiscard]] const std::vector<SelectionRule>& selections() const { return selections_; }
  [[nodiscard]] const std::vector<TransformationRule>& transformations() const {
    return transformations_;
  }
  [[nodiscard]] const std::vector<TableSettingsRule>& table_settings() const {
    return table_settings_;
  }

 private:
  friend class RuleParser;
  std::vector<SelectionRule> selections_;
  std::vector<TransformationRule> transformations_;  ///< by id
  std::vector<TableSettingsRule> table_settings_;
  std::string target_schema_;
  std::vector<std::string> warnings_;
};

}  // namespace wherry::mapping
