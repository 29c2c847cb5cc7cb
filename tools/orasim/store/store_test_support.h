// What the store's tests share: short ways to make tables and rows and to read them back.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "store/ddl.h"
#include "store/store_impl.h"

namespace orasim::test {

inline ddl::ColumnSpec number_column(const std::string& name) {
  ddl::ColumnSpec spec;
  spec.column.name = name;
  spec.column.type.type = Type::kNumber;
  return spec;
}

inline ddl::ColumnSpec text_column(const std::string& name, std::uint32_t size = 4000) {
  ddl::ColumnSpec spec;
  spec.column.name = name;
  spec.column.type.type = Type::kVarchar2;
  spec.column.type.size_bytes = spec.column.type.size_chars = size;
  return spec;
}

inline ConstraintDef key(ConstraintKind kind, const std::string& name,
                         std::vector<std::string> columns) {
  ConstraintDef c;
  c.kind = kind;
  c.name = name;
  c.columns = std::move(columns);
  return c;
}

inline ConstraintDef not_null(const std::string& column) {
  ConstraintDef c = key(ConstraintKind::kCheck, "", {column});
  c.is_not_null = true;
  return c;
}

inline ConstraintDef foreign_key(const std::string& name, std::vector<std::string> columns,
                                 const std::string& table, const std::string& rule = "NO ACTION") {
  ConstraintDef c = key(ConstraintKind::kForeignKey, name, std::move(columns));
  c.ref_table = table;
  c.delete_rule = rule;
  return c;
}

/// T (ID NUMBER, NAME VARCHAR2), primary key on ID unless told otherwise.
inline ddl::CreateTable simple_table(const std::string& name, bool with_key = true) {
  ddl::CreateTable t;
  t.owner = "HR";
  t.name = name;
  t.columns = {number_column("ID"), text_column("NAME")};
  if (with_key) t.constraints = {key(ConstraintKind::kPrimaryKey, name + "_PK", {"ID"})};
  return t;
}

inline std::shared_ptr<const TableDef> create(Store& store, const ddl::CreateTable& spec) {
  store.change_catalog([&](Catalog& c) { ddl::create_table(c, spec); });
  return store.catalog()->find_table(spec.owner, spec.name);
}

inline std::shared_ptr<const TableDef> table(const Store& store, const std::string& name) {
  return store.catalog()->find_table("HR", name);
}

inline Row row(std::int64_t id, const std::string& name) {
  return {make_int(id), make_text(name)};
}

inline std::string text_of(const Value& v) {
  if (v.is_null()) return "-";
  if (const auto* n = std::get_if<Number>(&v.data)) return n->to_string();
  if (const auto* lob = std::get_if<Lob>(&v.data)) return (*lob)->data;
  return v.text();
}

inline std::vector<std::string> drain(RowScan& scan) {
  std::vector<std::string> rows;
  RowId id;
  Row r;
  while (scan.next(id, r)) {
    std::string line;
    for (const Value& v : r) line += (line.empty() ? "" : "|") + text_of(v);
    rows.push_back(line);
  }
  return rows;
}

/// All rows as "1|one", in ROWID order.
inline std::vector<std::string> rows_of(Store& store, const std::string& name,
                                        std::optional<Scn> scn = {}, const Transaction* own = {}) {
  const auto def = table(store, name);
  return drain(*store.scan(*def, scn.value_or(store.current_scn()), own, nullptr));
}

inline RowId find_row(Store& store, const std::string& name, std::int64_t id,
                      const Transaction* own = nullptr) {
  const auto def = table(store, name);
  const auto scan = store.scan(*def, store.current_scn(), own, nullptr);
  RowId at;
  Row r;
  while (scan->next(at, r)) {
    if (!r[0].is_null() && r[0].number() == Number::from_int(id)) return at;
  }
  return {};
}

/// Inserts and commits.
inline void put(Store& store, const std::string& name, const std::vector<Row>& rows) {
  const auto tx = store.begin(1, nullptr);
  for (const Row& r : rows) tx->insert(*table(store, name), r);
  tx->end_statement();
  tx->commit();
}

/// Text of the OraError that `run` throws, or "no error".
template <class Run>
std::string error_of(Run run) {
  try {
    run();
  } catch (const OraError& e) {
    return e.what();
  }
  return "no error";
}

/// A directory that goes away with the test.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "orasim-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace orasim::test
