#include "exec/row_source.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "engine/calendar.h"
#include "exec/binder.h"

namespace orasim {

using ast::ExprKind;

namespace {

constexpr std::int64_t kUnixEpochSeconds = std::int64_t{2440588} * 86400;

/// Adds the ROWID behind the columns.
class ScanStream final : public RowStream {
 public:
  explicit ScanStream(std::unique_ptr<RowScan> scan) : scan_(std::move(scan)) {}
  bool next(Row& row) override {
    // The scan wants to reuse the row without our extra slot.
    if (!row.empty()) row.pop_back();
    RowId id;
    if (!scan_->next(id, row)) return false;
    row.push_back(Value{Type::kRowid, false, id});
    return true;
  }

 private:
  std::unique_ptr<RowScan> scan_;
};

class OneRow final : public RowStream {
 public:
  explicit OneRow(std::optional<Row> row) : row_(std::move(row)) {}
  bool next(Row& row) override {
    if (!row_) return false;
    row = *std::move(row_);
    row_.reset();
    return true;
  }

 private:
  std::optional<Row> row_;
};

class Rows final : public RowStream {
 public:
  explicit Rows(std::vector<Row> rows) : rows_(std::move(rows)) {}
  bool next(Row& row) override {
    if (at_ == rows_.size()) return false;
    row = std::move(rows_[at_++]);
    return true;
  }

 private:
  std::vector<Row> rows_;
  std::size_t at_ = 0;
};

void conjuncts(const ast::Expr* e, std::vector<const ast::Expr*>& out) {
  if (e == nullptr) return;
  if (e->kind == ExprKind::kAnd) {
    conjuncts(e->args[0].get(), out);
    conjuncts(e->args[1].get(), out);
    return;
  }
  out.push_back(e);
}

/// An equality of a column of the table with something that needs no row of it.
struct KeyPart {
  std::string column;
  DataType type;
  Eval value;
};

std::optional<KeyPart> key_part(const ast::Expr& e, const BindEnvironment& environment,
                                const Scope& scope, int table) {
  if (e.kind != ExprKind::kCompare || e.op != "=" || !e.quantifier.empty()) return std::nullopt;
  if (e.args[0]->kind == ExprKind::kRow) return std::nullopt;
  for (int side = 0; side < 2; ++side) {
    const ast::Expr& column = *e.args[static_cast<std::size_t>(side)];
    const ast::Expr& value = *e.args[static_cast<std::size_t>(1 - side)];
    if (column.kind != ExprKind::kName || value.kind == ExprKind::kSubquery) continue;
    Binder left(environment, scope);
    Binder right(environment, scope);
    const BoundExpr c = left.expression(column);
    const BoundExpr v = right.expression(value);
    if (c.slot < 0 || !right.used_tables.empty() || right.uses_rownum) continue;
    if (scope.columns[static_cast<std::size_t>(c.slot)].table != table) continue;
    return KeyPart{scope.columns[static_cast<std::size_t>(c.slot)].name, c.type, v.eval};
  }
  return std::nullopt;
}

class TableSource final : public RowSource {
 public:
  TableSource(std::shared_ptr<const TableDef> table, TableRows rows, Eval as_of, bool is_time)
      : table_(std::move(table)),
        rows_(std::move(rows)),
        as_of_(std::move(as_of)),
        is_time_(is_time) {}
  std::unique_ptr<RowStream> open(ExecContext& context, const Frame* outer) const override {
    return rows_.open(context, outer, scn(context, outer));
  }

 private:
  Scn scn(ExecContext& context, const Frame* outer) const {
    if (!as_of_) return context.scn;
    Frame f;
    f.outer = outer;
    f.context = &context;
    const Value v = as_of_(f);
    if (v.is_null()) raise(8181);
    Scn wanted = 0;
    if (is_time_) {
      DateTime t = to_datetime(v, Type::kTimestampTz, context.convert()).date_time();
      const auto found = context.store->scn_at(total_seconds(t) - kUnixEpochSeconds);
      if (!found) raise(8180);
      wanted = *found;
    } else {
      const auto n = to_number(v, context.convert()).number().to_int();
      if (!n || *n < 0 || static_cast<Scn>(*n) > context.store->current_scn()) raise(8181);
      wanted = static_cast<Scn>(*n);
    }
    if (wanted < context.store->oldest_readable_scn())
      raise_text(1555, "snapshot too old: rollback segment number  with name \"\" too small");
    return wanted;
  }

  std::shared_ptr<const TableDef> table_;
  TableRows rows_;
  Eval as_of_;
  bool is_time_;
};

class DictionarySource final : public RowSource {
 public:
  explicit DictionarySource(const DictionaryView* view) : view_(view) {}
  std::unique_ptr<RowStream> open(ExecContext& context, const Frame*) const override {
    std::vector<Row> rows;
    view_->produce(context.dictionary(), [&rows](const Row& row) {
      rows.push_back(row);
      return true;
    });
    return std::make_unique<Rows>(std::move(rows));
  }

 private:
  const DictionaryView* view_;
};

class QuerySource final : public RowSource {
 public:
  explicit QuerySource(std::shared_ptr<BoundQuery> query) : query_(std::move(query)) {}
  std::unique_ptr<RowStream> open(ExecContext& context, const Frame* outer) const override {
    return query_->open(context, outer);
  }

 private:
  std::shared_ptr<BoundQuery> query_;
};

class DualSource final : public RowSource {
 public:
  std::unique_ptr<RowStream> open(ExecContext&, const Frame*) const override {
    return std::make_unique<OneRow>(Row{make_text("X")});
  }
};

}  // namespace

TableRows::TableRows(std::shared_ptr<const TableDef> table, const ast::Expr* where,
                     const BindEnvironment& environment, const Scope& scope, int table_index)
    : table_(std::move(table)) {
  std::vector<const ast::Expr*> all;
  conjuncts(where, all);
  std::vector<KeyPart> parts;
  for (const ast::Expr* e : all) {
    auto part = key_part(*e, environment, scope, table_index);
    if (!part) continue;
    if (part->column == "ROWID") rowid_ = part->value;
    // Blank padding makes an index on CHAR miss what a comparison would find.
    else if (part->type.type != Type::kChar)
      parts.push_back(*std::move(part));
  }
  const auto add_lookup = [&](const std::vector<std::string>& columns) {
    Lookup lookup;
    for (const std::string& column : columns) {
      const auto found = std::find_if(parts.begin(), parts.end(),
                                      [&](const KeyPart& p) { return p.column == column; });
      if (found == parts.end()) return;
      lookup.columns.push_back(column);
      lookup.values.push_back(found->value);
      lookup.types.push_back(found->type);
    }
    if (!lookup.columns.empty()) lookups_.push_back(std::move(lookup));
  };
  for (const ConstraintDef& c : table_->constraints) {
    if (c.kind == ConstraintKind::kPrimaryKey || c.kind == ConstraintKind::kUnique)
      add_lookup(c.columns);
  }
  for (const IndexDef& index : table_->indexes) add_lookup(index.columns);
}

std::unique_ptr<RowStream> TableRows::open(ExecContext& context, const Frame* outer,
                                           Scn scn) const {
  // The values stand outside the table's own row: a frame with no row in its place.
  Frame f;
  f.outer = outer;
  f.context = &context;
  const ConvertContext& c = context.convert();
  if (rowid_) {
    const Value v = (*rowid_)(f);
    if (v.is_null()) return std::make_unique<OneRow>(std::nullopt);
    const auto id = std::get<RowId>(convert(v, Type::kRowid, c).data);
    Row row;
    if (!context.store->fetch(*table_, id, scn, context.transaction, row)) {
      return std::make_unique<OneRow>(std::nullopt);
    }
    row.push_back(Value{Type::kRowid, false, id});
    return std::make_unique<OneRow>(std::move(row));
  }
  for (const Lookup& lookup : lookups_) {
    Row key;
    bool comparable = true;
    for (std::size_t i = 0; i < lookup.values.size(); ++i) {
      Value v = lookup.values[i](f);
      if (v.is_null()) return std::make_unique<OneRow>(std::nullopt);
      // Comparing a text column with a number converts the column: no lookup then.
      if (is_text(lookup.types[i].type) != is_text(v.type))
        comparable = comparable && !is_text(lookup.types[i].type);
      if (!comparable) break;
      v = convert(v, lookup.types[i].type, c);
      v.national = lookup.types[i].national;
      key.push_back(std::move(v));
    }
    if (!comparable) continue;
    auto scan = context.store->lookup(*table_, lookup.columns, key, scn, context.transaction,
                                      context.cancel);
    if (scan) return std::make_unique<ScanStream>(std::move(scan));
  }
  return std::make_unique<ScanStream>(
      context.store->scan(*table_, scn, context.transaction, context.cancel));
}

std::unique_ptr<RowSource> table_source(std::shared_ptr<const TableDef> table,
                                        const ast::Expr* where, const BindEnvironment& environment,
                                        const Scope& scope, int table_index, Eval as_of_scn,
                                        bool as_of_is_time) {
  TableRows rows(table, where, environment, scope, table_index);
  return std::make_unique<TableSource>(std::move(table), std::move(rows), std::move(as_of_scn),
                                       as_of_is_time);
}
std::unique_ptr<RowSource> dictionary_source(const DictionaryView* view) {
  return std::make_unique<DictionarySource>(view);
}
std::unique_ptr<RowSource> query_source(std::shared_ptr<BoundQuery> query) {
  return std::make_unique<QuerySource>(std::move(query));
}
std::unique_ptr<RowSource> dual_source() {
  return std::make_unique<DualSource>();
}

Scope table_scope(const TableDef& table, const std::string& alias, const Scope* outer) {
  Scope scope;
  scope.outer = outer;
  for (const ColumnDef& column : table.columns) {
    ScopeColumn c;
    c.qualifier = alias.empty() ? table.name : alias;
    c.schema = alias.empty() ? table.owner : std::string();
    c.name = column.name;
    c.type = column.type;
    c.nullable = column.nullable;
    c.is_hidden = column.is_hidden;
    scope.columns.push_back(std::move(c));
  }
  ScopeColumn rowid;
  rowid.qualifier = alias.empty() ? table.name : alias;
  rowid.schema = alias.empty() ? table.owner : std::string();
  rowid.name = "ROWID";
  rowid.type = simple_type(Type::kRowid);
  rowid.nullable = false;
  rowid.is_hidden = true;
  scope.columns.push_back(std::move(rowid));
  return scope;
}

namespace {
std::string binary_key(double d) {
  std::array<char, 40> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%.17g", d);
  return buffer.data();
}
}  // namespace

std::string value_key(const Value& v) {
  if (v.is_null()) return "N";
  std::string out;
  if (const auto* n = std::get_if<Number>(&v.data)) {
    out.assign(reinterpret_cast<const char*>(n->bytes().data()), n->bytes().size());
  } else if (const auto* text = std::get_if<std::string>(&v.data)) {
    out = *text;
    if (v.type == Type::kChar) out.erase(out.find_last_not_of(' ') + 1);
  } else if (const auto* t = std::get_if<DateTime>(&v.data)) {
    out = std::to_string(total_seconds(*t)) + "." + std::to_string(t->nanosecond);
  } else if (const auto* ym = std::get_if<IntervalYm>(&v.data)) {
    out = std::to_string(ym->months);
  } else if (const auto* ds = std::get_if<IntervalDs>(&v.data)) {
    out = std::to_string(ds->seconds) + "." + std::to_string(ds->nanoseconds);
  } else if (const auto* d = std::get_if<double>(&v.data)) {
    out = binary_key(*d);
  } else if (const auto* f = std::get_if<float>(&v.data)) {
    out = binary_key(static_cast<double>(*f));
  } else if (const auto* b = std::get_if<bool>(&v.data)) {
    out = *b ? "1" : "0";
  } else if (const auto* id = std::get_if<RowId>(&v.data)) {
    out = to_text(*id);
  } else {
    out = v.lob()->data;
  }
  return "V" + std::to_string(out.size()) + ":" + out;
}

std::string row_key(const Row& row) {
  std::string out;
  for (const Value& v : row) out += value_key(v);
  return out;
}

}  // namespace orasim
