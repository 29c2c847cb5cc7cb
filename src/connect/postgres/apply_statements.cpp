#include "connect/postgres/apply_statements.h"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::postgres {
namespace {

using connect::StepKind;

void add_item(std::string& list, const std::string& item, const char* separator = ", ") {
  if (!list.empty()) list += separator;
  list += item;
}

bool is_in_identity(const NativeApplyTable& table, std::size_t column) {
  return std::find(table.identity.begin(), table.identity.end(), column) != table.identity.end();
}

/// Writes the SQL about one table and one list of fields.
class Writer {
 public:
  Writer(const NativeApplyTable& table, const RowForm& form, std::vector<ApplyField> fields,
         const StageName& stage)
      : table_(table), form_(form), fields_(std::move(fields)), stage_(stage) {}

  [[nodiscard]] const std::vector<ApplyField>& fields() const { return fields_; }

  /// The rows as `u`, their numbers as u.n.
  [[nodiscard]] std::string source() const {
    if (!stage_.empty()) return stage_ + " u";
    std::string arrays;
    std::string names;
    for (std::size_t k = 0; k < fields_.size(); ++k) {
      add_item(arrays, fmt::format("${}::{}[]", k + 1, parameter_type(fields_[k])));
      if (!is_carried(fields_[k])) {
        add_item(names, fmt::format("f{}", k));
        continue;
      }
      // A row of the table comes apart into its columns.
      for (std::size_t place = 0; place < table_.row_types.size(); ++place) {
        add_item(names, fmt::format("f{}_{}", k, place));
      }
    }
    return fmt::format("unnest({}) with ordinality u({}, n)", arrays, names);
  }

  /// Field k of the rows under that alias, in its column's type.
  [[nodiscard]] std::string value(std::size_t k, const char* alias = "u") const {
    const ApplyField& field = fields_[k];
    if (field.is_text) return fmt::format("{}.f{}::{}", alias, k, column(field).sql_type);
    if (stage_.empty() && is_carried(field)) {
      return fmt::format("{}.f{}_{}", alias, k, column(field).place);
    }
    return fmt::format("{}.f{}", alias, k);
  }

  [[nodiscard]] std::size_t find(FieldSource source, std::size_t column) const {
    for (std::size_t k = 0; k < fields_.size(); ++k) {
      if (fields_[k].source == source && fields_[k].column == column) return k;
    }
    WHERRY_ASSERT(false, "the statement has the field");
    return 0;
  }

  /// The row that is there afterwards, where the column may keep what it has.
  [[nodiscard]] std::string new_value(std::size_t column, const char* alias = "u") const {
    const std::string& name = table_.columns[column].name;
    if (form_.after[column] == '-') return "t." + name;
    const std::string given = value(find(FieldSource::kAfter, column), alias);
    if (form_.is_flagged[column] != 'f') return given;
    return fmt::format("case when {}.f{} then {} else t.{} end", alias,
                       find(FieldSource::kIsSet, column), given, name);
  }

  [[nodiscard]] std::string identity_matches() const {
    std::string out;
    for (const std::size_t i : table_.identity) {
      const ApplyColumn& c = table_.columns[i];
      const std::string given = value(find(FieldSource::kIdentity, i));
      std::string equal = fmt::format("t.{} {} {}", c.name, c.equals, given);
      if (!c.is_not_null) {
        equal = fmt::format("({} or t.{} is null and {} is null)", equal, c.name, given);
      }
      add_item(out, equal, " and ");
    }
    return out;
  }

  [[nodiscard]] std::string assignments(const char* alias, bool with_identity) const {
    std::string out;
    for (std::size_t i = 0; i < table_.columns.size(); ++i) {
      if (form_.after[i] == '-' || (!with_identity && is_in_identity(table_, i))) continue;
      add_item(out, table_.columns[i].name + " = " + new_value(i, alias));
    }
    return out;
  }

  /// For tables without identity: x the rows with their numbers among equals, m the rows of the
  /// table that are meant. Equal is what has the same text, which also types have that cannot be
  /// compared; columns that can be make the candidates few.
  [[nodiscard]] std::string match_whole_rows() const {
    std::string theirs;
    std::string ours;
    std::string candidates;
    for (std::size_t k = 0; k < fields_.size(); ++k) {
      if (fields_[k].source != FieldSource::kBefore) continue;
      const ApplyColumn& c = column(fields_[k]);
      add_item(theirs, fmt::format("{}::{}", value(k), c.full_type));
      add_item(ours, "t." + c.name);
      if (!c.is_not_null || !c.is_comparable) continue;
      add_item(candidates, fmt::format("t.{} {} {}", c.name, c.equals, value(k, "d")), " and ");
    }
    std::string same = fmt::format("row({})::text = d.k", ours);
    // As a join condition of its own it would be computed for every row of the table.
    if (!candidates.empty()) same = fmt::format("{} and ({}) is true", candidates, same);
    return fmt::format(
        "with x as materialized (select y.*, pg_catalog.row_number() over (partition by y.k order "
        "by y.n) as r from (select u.*, row({})::text as k from {}) y), m as materialized (select "
        "t.tableoid as o, t.ctid as c, d.k, pg_catalog.row_number() over (partition by d.k order "
        "by t.tableoid, t.ctid) as r from {} t join (select distinct on (k) * from x) d on {}) ",
        theirs, source(), table_.name, same);
  }

 private:
  [[nodiscard]] const ApplyColumn& column(const ApplyField& field) const {
    return table_.columns[field.column];
  }
  [[nodiscard]] bool is_carried(const ApplyField& field) const {
    return field.source != FieldSource::kIsSet && !field.is_text && column(field).has_no_array;
  }
  [[nodiscard]] std::string parameter_type(const ApplyField& field) const {
    if (field.source == FieldSource::kIsSet) return "boolean";
    if (field.is_text) return "text";
    return column(field).has_no_array ? table_.name : column(field).sql_type;
  }

  const NativeApplyTable& table_;
  const RowForm& form_;
  std::vector<ApplyField> fields_;
  const StageName& stage_;
};

constexpr const char* kMeant =
    " m join x on x.k = m.k and x.r = m.r where t.ctid = m.c and t.tableoid = m.o returning x.n";

std::string insert_of(const NativeApplyTable& table, const Writer& writer) {
  std::string names;
  std::string values;
  for (std::size_t k = 0; k < writer.fields().size(); ++k) {
    add_item(names, table.columns[writer.fields()[k].column].name);
    add_item(values, writer.value(k));
  }
  return fmt::format("insert into {} ({}) overriding system value select {} from {}", table.name,
                     names, values, writer.source());
}

std::string update_of(const NativeApplyTable& table, const Writer& writer, bool with_identity) {
  const std::string set = writer.assignments(table.identity.empty() ? "x" : "u", with_identity);
  if (table.identity.empty()) {
    if (set.empty()) {
      return writer.match_whole_rows() + "select x.n from m join x on x.k = m.k and x.r = m.r";
    }
    return fmt::format("{}update {} t set {} from{}", writer.match_whole_rows(), table.name, set,
                       kMeant);
  }
  if (set.empty()) {
    return fmt::format("select u.n from {} where exists (select from {} t where {})",
                       writer.source(), table.name, writer.identity_matches());
  }
  return fmt::format("update {} t set {} from {} where {} returning u.n", table.name, set,
                     writer.source(), writer.identity_matches());
}

std::string delete_of(const NativeApplyTable& table, const Writer& writer) {
  if (table.identity.empty()) {
    return fmt::format("{}delete from {} t using{}", writer.match_whole_rows(), table.name, kMeant);
  }
  return fmt::format("delete from {} t using {} where {} returning u.n", table.name,
                     writer.source(), writer.identity_matches());
}

}  // namespace

std::vector<ApplyField> fields_of(const NativeApplyTable& table, StepKind kind,
                                  const RowForm& form) {
  std::vector<ApplyField> out;
  const bool is_whole_row = table.identity.empty();
  if (kind != StepKind::kInsert) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      if (form.before[i] == '-') continue;
      out.push_back(
          {is_whole_row ? FieldSource::kBefore : FieldSource::kIdentity, i, form.before[i] == 't'});
    }
  }
  if (kind == StepKind::kDelete) return out;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (form.after[i] == '-') continue;
    if (kind == StepKind::kUpdate && !is_whole_row && is_in_identity(table, i)) continue;
    out.push_back({FieldSource::kAfter, i, form.after[i] == 't'});
    if (form.is_flagged[i] == 'f') out.push_back({FieldSource::kIsSet, i, false});
  }
  return out;
}

ApplyStatement statement_of(const NativeApplyTable& table, StepKind kind, const RowForm& form,
                            const StageName& stage) {
  ApplyStatement out;
  out.fields = fields_of(table, kind, form);
  const Writer writer(table, form, out.fields, stage);
  out.tells_rows = kind != StepKind::kInsert;
  out.is_free = out.tells_rows && (!table.has_identity_index || !stage.empty());
  if (kind == StepKind::kInsert) {
    out.sql = insert_of(table, writer);
  } else if (kind == StepKind::kUpdate) {
    out.sql = update_of(table, writer, false);
  } else {
    out.sql = delete_of(table, writer);
  }
  return out;
}

ApplyStatement key_update_of(const NativeApplyTable& table, const RowForm& form) {
  ApplyStatement out;
  out.fields = fields_of(table, StepKind::kRekey, form);
  out.tells_rows = true;
  out.is_free = !table.has_identity_index;
  out.sql = update_of(table, Writer(table, form, out.fields, {}), true);
  return out;
}

std::string make_shelf(const NativeApplyTable& table, const std::string& shelf) {
  std::string names;
  for (const ApplyColumn& column : table.columns) add_item(names, column.name);
  for (const std::string& name : table.rest) add_item(names, name);
  return fmt::format(
      "create temporary table if not exists {} on commit delete rows as select {} from {} with no "
      "data",
      shelf, names, table.name);
}

ApplyStatement take_out(const NativeApplyTable& table, const RowForm& form,
                        const std::string& shelf, const StageName& stage) {
  ApplyStatement out;
  out.fields = fields_of(table, StepKind::kRekey, form);
  out.tells_rows = true;
  out.is_free = !table.has_identity_index || !stage.empty();
  const Writer writer(table, form, out.fields, stage);
  std::string values;
  std::string names;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    add_item(values, fmt::format("{} as w{}", writer.new_value(i), i));
    add_item(names, fmt::format("w{}", i));
  }
  for (std::size_t i = 0; i < table.rest.size(); ++i) {
    const std::size_t place = table.columns.size() + i;
    add_item(values, fmt::format("t.{} as w{}", table.rest[i], place));
    add_item(names, fmt::format("w{}", place));
  }
  // Which rows were found must be told by the statement itself, so the shelf is filled beside it.
  out.sql = fmt::format(
      "with d as (delete from {} t using {} where {} returning u.n as w, {}), p as (insert into {} "
      "select {} from d) select w from d",
      table.name, writer.source(), writer.identity_matches(), values, shelf, names);
  return out;
}

std::string put_back(const NativeApplyTable& table, const std::string& shelf) {
  std::string names;
  for (const ApplyColumn& column : table.columns) add_item(names, column.name);
  for (const std::string& name : table.rest) add_item(names, name);
  return fmt::format(
      "with d as (delete from {} returning *) insert into {} ({}) overriding system value "
      "select {} from d",
      shelf, table.name, names, names);
}

std::string guarded(const ApplyStatement& statement) {
  const std::size_t count = statement.fields.size() + 1;
  if (statement.sql.starts_with("with ")) {
    // A statement that has a WITH of its own becomes the last part of it.
    return {};
  }
  return fmt::format(
      "with w as ({}) select 1 / case when count(*) = ${}::int8 then 1 else 0 end::int8 from w",
      statement.sql, count);
}

std::string make_stage(const NativeApplyTable& table, const std::vector<ApplyField>& fields,
                       const StageName& stage) {
  std::string columns = "n bigint";
  for (std::size_t k = 0; k < fields.size(); ++k) {
    const ApplyField& field = fields[k];
    const std::string type = field.source == FieldSource::kIsSet ? "boolean"
                             : field.is_text                     ? "text"
                                             : table.columns[field.column].sql_type;
    columns += fmt::format(", f{} {}", k, type);
  }
  return fmt::format("create temporary table {} ({}) on commit drop", stage, columns);
}

std::string copy_into(const NativeApplyTable& table, const RowForm& form) {
  std::string names;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (form.after[i] != '-') add_item(names, table.columns[i].name);
  }
  return fmt::format("copy {} ({}) from stdin (format binary)", table.name, names);
}

std::string truncate_of(const std::vector<const NativeApplyTable*>& tables, bool cascades,
                        bool restarts_identity) {
  std::string names;
  for (const NativeApplyTable* table : tables) add_item(names, table->name);
  return "truncate table " + names + (restarts_identity ? " restart identity" : "") +
         (cascades ? " cascade" : "");
}

}  // namespace wherry::postgres
