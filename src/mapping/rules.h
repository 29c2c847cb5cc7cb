// The DMS table-mapping document: which tables a task moves and what they are called at the target.
// Pure: no I/O. Immutable after parse(), so any number of threads may ask.
//
// Carried out: selection rules of tables and views, all transformations, and table-settings rules.
// Those for targets that Wherry does not have (object-mapping, post-processing) and validation
// rules are read, and passed over with a warning. Source: AWS DMS User Guide, "Using table mapping
// to specify task settings".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "mapping/json_places.h"
#include "mapping/pattern.h"
#include "schema/dms_type.h"
#include "schema/lob_setting.h"
#include "schema/masking.h"
#include "schema/parallel_load.h"
#include "schema/row_filter.h"
#include "schema/table_def.h"

namespace wherry::mapping {

enum class SelectionAction : std::uint8_t { kInclude, kExclude, kExplicit };
/// object-locator.table-type of a selection rule: what its names are names of.
enum class TableType : std::uint8_t { kTable, kView, kAll };
enum class TransformTarget : std::uint8_t {
  kSchema,
  kTable,
  kColumn,
  kTableTablespace,
  kIndexTablespace,  ///< of the table's key
};
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
  kAddColumn,
  kChangeDataType,
  kAddBeforeImageColumns,
  kMaskDigits,
  kRandomizeDigits,
  kMaskByHash,
};
constexpr bool gives_name(TransformAction action) {
  return action < TransformAction::kRemoveColumn;
}

constexpr bool masks(TransformAction action) {
  return action >= TransformAction::kMaskDigits;
}

struct Locator {
  Pattern schema, table, column;
  std::string data_type = {};  ///< of the source's columns; empty: any
  Pattern tablespace = {};     ///< at the source, of rules for tablespaces
};

struct SelectionRule {
  std::int64_t id = 0;
  SelectionAction action = SelectionAction::kInclude;
  Locator locator;
  std::int64_t load_order = 0;  ///< 0: not given; higher starts earlier
  schema::RowFilter filter;     ///< of kInclude; without the columns' types
  TableType table_type = TableType::kTable;
};

/// "primary-key-def": the key that a table has on the target.
struct KeyRule {
  std::string name;                  ///< empty: after the table
  bool is_primary = true;            ///< origin primary-key; false: unique-index
  std::vector<std::string> columns;  ///< by their names on the target, in order
};

/// "before-image-def": columns with what others had before an update.
struct BeforeImage {
  enum class Columns : std::uint8_t { kKey, kAllButLobs, kAll };
  std::string prefix, suffix;  ///< one of both is not empty
  Columns columns = Columns::kKey;
};

struct TransformationRule {
  std::int64_t id = 0;
  TransformTarget target = TransformTarget::kTable;
  TransformAction action = TransformAction::kRename;
  Locator locator;
  std::string value, old_value;
  KeyRule key;                    ///< of kDefinePrimaryKey
  std::string expression = {};    ///< makes the name, or the values of kAddColumn
  schema::DmsType type = {};      ///< of kAddColumn and kChangeDataType
  BeforeImage before_image = {};  ///< of kAddBeforeImageColumns
};

/// Settings of one table, named exactly.
struct TableSettingsRule {
  std::int64_t id = 0;
  Locator locator;
  std::optional<schema::ParallelLoad> parallel_load;
  std::optional<schema::LobSetting> lobs;
};

/// "object-mapping": how a stream target's messages are made. Kept as it is written.
struct ObjectMappingRule {
  std::int64_t id = 0;
  std::string action;
  Locator locator;
  std::string target_table;
  std::string parameters_json;  ///< "mapping-parameters"; empty: none
};

/// One thing wrong with a document.
struct Problem {
  std::string rule_id;  ///< as written; empty when the rule has none
  std::string path;     ///< "/rules/2/rule-action"
  std::string message;
  TextPlace place;
};

class TableRules;

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

  /// The load-order of a selected table or view; nullopt when it is not selected.
  [[nodiscard]] std::optional<std::int64_t> select(
      const schema::TableRef& table, schema::TableKind kind = schema::TableKind::kTable) const;
  /// The ids of the rules that select it, ascending.
  [[nodiscard]] std::vector<std::int64_t> selecting(
      const schema::TableRef& table, schema::TableKind kind = schema::TableKind::kTable) const;
  /// Whether the source's views are to be looked at: rules take some, or name what may be one.
  [[nodiscard]] bool needs_views() const;
  /// The lowest id of a rule that has the very name of a view and takes tables only.
  [[nodiscard]] std::optional<std::int64_t> naming_view(const schema::TableRef& view) const;
  /// Whether rules concern tablespaces: the source is then asked where its tables lie.
  [[nodiscard]] bool needs_tablespaces() const;
  /// The transformations that concern a table (mapping/table_rules.h); refers to this object.
  [[nodiscard]] TableRules of(const schema::TableRef& source) const;
  /// Schemas whose tables are needed, when all selecting rules name them without wildcards; else
  /// empty, which stands for all.
  [[nodiscard]] std::vector<std::string> named_schemas() const;
  /// The rows of a selected table that are moved, without the columns' types; empty: all. Of
  /// several rules that filter it the lowest id wins.
  [[nodiscard]] schema::RowFilter row_filter(
      const schema::TableRef& table, schema::TableKind kind = schema::TableKind::kTable) const;
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
  [[nodiscard]] const std::vector<ObjectMappingRule>& object_mappings() const {
    return object_mappings_;
  }
  [[nodiscard]] const std::string& target_schema() const { return target_schema_; }

 private:
  friend class RuleParser;
  std::vector<SelectionRule> selections_;
  std::vector<TransformationRule> transformations_;  ///< by id
  std::vector<TableSettingsRule> table_settings_;
  std::vector<ObjectMappingRule> object_mappings_;
  std::string target_schema_;
  std::vector<std::string> warnings_;
};

}  // namespace wherry::mapping
