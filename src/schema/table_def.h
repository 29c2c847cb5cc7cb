// A table as a catalogue describes it: native names, logical and native types, keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/logical_type.h"

namespace wherry::schema {

/// Name of a table, exactly as the catalogue stores it.
struct TableRef {
  std::string schema;
  std::string name;
  friend auto operator<=>(const TableRef&, const TableRef&) = default;
};
/// "HR.EMPLOYEES", for people.
std::string to_text(const TableRef& table);

struct ColumnDef {
  std::string name;
  LogicalType type;
  std::string native_type;  ///< as the catalogue prints it: "NUMBER(10,2)", "character varying"
  bool nullable = true;
  bool is_generated = false;  ///< virtual or stored generated: never written
  bool is_identity = false;
  /// The source's own number of the column, which stays when it is renamed; 0: unknown.
  std::uint32_t number = 0;
  /// What the source's settings want of a decimal without limits: digits after the point (0…38), -1
  /// floating point, -2 text. DMS: NumberDatatypeScale. nullopt: every value is kept.
  std::optional<int> number_scale;
};

/// A primary key or unique constraint: columns in key order.
struct KeyDef {
  std::string name;
  std::vector<std::string> columns;
  bool is_primary = false;
  std::string tablespace = {};  ///< of its index; empty: the default, or nobody has asked
};

/// What a catalogue holds under a table's name. What has rows of its own and a log of their changes
/// is a table, Oracle's materialized views too.
enum class TableKind : std::uint8_t {
  kTable,
  kForeignTable,      ///< rows of another server
  kView,              ///< rows of a query
  kMaterializedView,  ///< PostgreSQL's: rows of a query as of its last refresh
};
/// Taken by the rules' table-type view, loaded in one piece, and without a log of changes.
constexpr bool is_view(TableKind kind) {
  return kind >= TableKind::kView;
}

struct TableDef {
  TableRef table;
  TableKind kind = TableKind::kTable;
  std::vector<ColumnDef> columns;    ///< in catalogue order, hidden columns left out
  std::vector<KeyDef> keys;          ///< enabled unique keys, the primary key first
  std::uint64_t estimated_rows = 0;  ///< 0: unknown
  std::uint64_t estimated_bytes = 0;
  std::string tablespace = {};  ///< empty: the default, or nobody has asked
  /// The setting of its endpoint, "Name=value", without which it is not to be read; empty: none.
  std::string missing_setting;

  /// Index into columns, or -1.
  [[nodiscard]] int find_column(std::string_view name) const;
  [[nodiscard]] const KeyDef* primary_key() const;
  /// The primary key, else the first unique key whose columns are all NOT NULL, else nullptr.
  [[nodiscard]] const KeyDef* row_identity() const;
};

}  // namespace wherry::schema
