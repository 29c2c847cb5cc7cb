#include "exec/row_source.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <unordered_map>

#include "engine/calendar.h"
#include "exec/binder.h"
#include "exec/parser.h"

namespace orasim {

using ast::ExprKind;

/// The rows of a view, and indexes over them that are made when they are wanted.
struct DictionaryRows {
  using Index = std::unordered_map<std::string, std::vector<std::size_t>>;
  std::vector<Row> rows;

  const Index& index_of(const std::vector<std::size_t>& slots) const {
    auto [it, is_new] = indexes.try_emplace(slots);
    for (std::size_t i = 0; is_new && i < rows.size(); ++i) {
      std::string key;
      for (const std::size_t slot : slots) key += value_key(rows[i][slot]);
      it->second[key].push_back(i);
    }
    return it->second;
  }

 private:
  mutable std::map<std::vector<std::size_t>, Index> indexes;
};

/// The rows of a table, with their ROWID slot, by the values of some of its columns.
struct TableHash {
  std::uint64_t execution_id = 0;
  int opened = 0;
  bool is_filled = false;
  std::unordered_map<std::string, std::vector<Row>> rows;

  void fill(ExecContext& context, const TableDef& table, const std::vector<std::string>& columns,
            Scn scn, const Transaction* own) {
    std::vector<std::size_t> slots;
    for (const std::string& column : columns)
      slots.push_back(static_cast<std::size_t>(table.find_column(column)));
    auto scan = context.store->scan(table, scn, own, context.cancel);
    RowId id;
    Row row;
    while (scan->next(id, row)) {
      std::string key;
      for (const std::size_t slot : slots) key += value_key(row[slot]);
      std::vector<Row>& same = rows[key];
      same.push_back(row);
      same.back().push_back(Value{Type::kRowid, false, id});
    }
    is_filled = true;
  }
};

namespace {

class KeptStream final : public RowStream {
 public:
  KeptStream(std::shared_ptr<const TableHash> owner, const std::vector<Row>& rows)
      : owner_(std::move(owner)), rows_(rows) {}
  bool next(Row& row) override {
    if (at_ == rows_.size()) return false;
    row = rows_[at_++];
    return true;
  }

 private:
  std::shared_ptr<const TableHash> owner_;
  const std::vector<Row>& rows_;
  std::size_t at_ = 0;
};

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

std::vector<KeyPart> key_parts(const ast::Expr* where, const BindEnvironment& environment,
                               const Scope& scope, int table) {
  std::vector<const ast::Expr*> all;
  conjuncts(where, all);
  std::vector<KeyPart> parts;
  for (const ast::Expr* e : all) {
    if (auto part = key_part(*e, environment, scope, table)) parts.push_back(*std::move(part));
  }
  return parts;
}

/// A bound that WHERE sets to ROWID by something that needs no row of the table.
struct RowIdBound {
  bool is_lower = false;
  Eval value;
};

/// `op` between ROWID and the value; empty for others.
std::optional<RowIdBound> rowid_bound(const ast::Expr& column, std::string_view op,
                                      const ast::Expr& value, const BindEnvironment& environment,
                                      const Scope& scope, int table) {
  if (column.kind != ExprKind::kName || column.outer) return std::nullopt;
  if (value.kind == ExprKind::kSubquery) return std::nullopt;
  if (op != "<" && op != "<=" && op != ">" && op != ">=") return std::nullopt;
  Binder left(environment, scope);
  Binder right(environment, scope);
  const BoundExpr c = left.expression(column);
  const BoundExpr v = right.expression(value);
  if (c.slot < 0 || !right.used_tables.empty() || right.uses_rownum) return std::nullopt;
  const ScopeColumn& found = scope.columns[static_cast<std::size_t>(c.slot)];
  if (found.table != table || found.rowid_of == nullptr) return std::nullopt;
  return RowIdBound{op[0] == '>', v.eval};
}

std::vector<RowIdBound> rowid_bounds(const ast::Expr* where, const BindEnvironment& environment,
                                     const Scope& scope, int table) {
  std::vector<const ast::Expr*> all;
  conjuncts(where, all);
  std::vector<RowIdBound> bounds;
  const auto add = [&](const ast::Expr& column, std::string_view op, const ast::Expr& value) {
    auto bound = rowid_bound(column, op, value, environment, scope, table);
    if (bound) bounds.push_back(*std::move(bound));
  };
  for (const ast::Expr* e : all) {
    if (e->kind == ExprKind::kCompare && e->quantifier.empty()) {
      const std::string& op = e->op;
      const std::string turned = op[0] == '<' ? ">" + op.substr(1) : "<" + op.substr(1);
      add(*e->args[0], op, *e->args[1]);
      add(*e->args[1], op[0] == '<' || op[0] == '>' ? turned : op, *e->args[0]);
    } else if (e->kind == ExprKind::kBetween && !e->negated) {
      add(*e->args[0], ">=", *e->args[1]);
      add(*e->args[0], "<=", *e->args[2]);
    }
  }
  return bounds;
}

/// Computes the virtual columns of rows with a ROWID slot.
class WithVirtuals final : public RowStream {
 public:
  WithVirtuals(std::unique_ptr<RowStream> rows,
               const std::vector<std::pair<std::size_t, Eval>>& virtuals, ExecContext& context)
      : rows_(std::move(rows)), virtuals_(virtuals), context_(context) {}
  bool next(Row& row) override {
    if (!rows_->next(row)) return false;
    Frame f;
    f.row = &row;
    f.context = &context_;
    for (const auto& [slot, eval] : virtuals_) row[slot] = eval(f);
    return true;
  }

 private:
  std::unique_ptr<RowStream> rows_;
  const std::vector<std::pair<std::size_t, Eval>>& virtuals_;
  ExecContext& context_;
};

class TableSource final : public RowSource {
 public:
  TableSource(std::shared_ptr<const TableDef> table, TableRows rows, Eval as_of, bool is_time)
      : table_(std::move(table)),
        rows_(std::move(rows)),
        as_of_(std::move(as_of)),
        is_time_(is_time) {}
  std::unique_ptr<RowStream> open(ExecContext& context, const Frame* outer) const override {
    // A flashback query sees committed rows only.
    return rows_.open(context, outer, scn(context, outer), as_of_ ? nullptr : context.transaction);
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

class DictionaryStream final : public RowStream {
 public:
  DictionaryStream(std::shared_ptr<const DictionaryRows> rows,
                   const std::vector<std::size_t>* chosen)
      : rows_(std::move(rows)), chosen_(chosen) {}
  bool next(Row& row) override {
    if (at_ == (chosen_ != nullptr ? chosen_->size() : rows_->rows.size())) return false;
    row = rows_->rows[chosen_ != nullptr ? (*chosen_)[at_] : at_];
    ++at_;
    return true;
  }

 private:
  std::shared_ptr<const DictionaryRows> rows_;
  const std::vector<std::size_t>* chosen_;  ///< of the rows; null: all
  std::size_t at_ = 0;
};

class DictionarySource final : public RowSource {
 public:
  DictionarySource(const DictionaryView* view, std::vector<KeyPart> parts) : view_(view) {
    for (KeyPart& part : parts) {
      if (part.type.type != Type::kVarchar2 && part.type.type != Type::kNumber) continue;
      const auto column = std::find_if(view->columns.begin(), view->columns.end(),
                                       [&](const ColumnDef& c) { return c.name == part.column; });
      if (column == view->columns.end()) continue;
      slots_.push_back(static_cast<std::size_t>(column - view->columns.begin()));
      types_.push_back(part.type.type);
      values_.push_back(std::move(part.value));
    }
  }

  std::unique_ptr<RowStream> open(ExecContext& context, const Frame* outer) const override {
    std::shared_ptr<const DictionaryRows> rows = kept_rows(context);
    std::string key;
    if (slots_.empty() || !make_key(context, outer, key))
      return std::make_unique<DictionaryStream>(std::move(rows), nullptr);
    static const std::vector<std::size_t> kNone;
    const auto& index = rows->index_of(slots_);
    const auto found = index.find(key);
    return std::make_unique<DictionaryStream>(std::move(rows),
                                              found == index.end() ? &kNone : &found->second);
  }

 private:
  std::shared_ptr<const DictionaryRows> kept_rows(ExecContext& context) const {
    auto& kept = context.dictionary_rows[view_];
    if (!kept) {
      auto rows = std::make_shared<DictionaryRows>();
      view_->produce(context.dictionary(), [&rows](const Row& row) {
        rows->rows.push_back(row);
        return true;
      });
      kept = std::move(rows);
    }
    return kept;
  }

  /// False when a value is of another kind than its column, so that hashing says nothing.
  bool make_key(ExecContext& context, const Frame* outer, std::string& key) const {
    Frame f;
    f.outer = outer;
    f.context = &context;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      Value v = values_[i](f);
      const bool alike = types_[i] == Type::kNumber ? v.type == Type::kNumber : is_text(v.type);
      if (v.is_null() || !alike) return false;
      v.type = types_[i];
      key += value_key(v);
    }
    return true;
  }

  const DictionaryView* view_;
  std::vector<std::size_t> slots_;
  std::vector<Type> types_;
  std::vector<Eval> values_;
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
  std::vector<KeyPart> parts;
  for (KeyPart& part : key_parts(where, environment, scope, table_index)) {
    if (part.column == "ROWID") rowid_ = part.value;
    // Blank padding makes an index on CHAR miss what a comparison would find.
    else if (part.type.type != Type::kChar)
      parts.push_back(std::move(part));
  }
  for (RowIdBound& bound : rowid_bounds(where, environment, scope, table_index)) {
    (bound.is_lower ? rowids_from_ : rowids_to_).push_back(std::move(bound.value));
  }
  virtuals_ = virtual_columns(*table_, environment);
  for (const KeyPart& part : parts) {
    const int column = table_->find_column(part.column);
    if (column < 0 || table_->columns[static_cast<std::size_t>(column)].is_virtual) continue;
    if (is_lob(part.type.type) || part.type.type == Type::kLong) continue;
    equalities_.columns.push_back(part.column);
    equalities_.values.push_back(part.value);
    equalities_.types.push_back(part.type);
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

std::unique_ptr<RowStream> TableRows::open(ExecContext& context, const Frame* outer, Scn scn,
                                           const Transaction* own) const {
  auto rows = stored(context, outer, {scn, own});
  if (virtuals_.empty()) return rows;
  return std::make_unique<WithVirtuals>(std::move(rows), virtuals_, context);
}

/// The values that the columns of a lookup are to have; false when an index over the columns says
/// nothing about them. A NULL among them equals nothing.
bool TableRows::key_of(const Lookup& lookup, const Frame& f, Row& key) const {
  for (std::size_t i = 0; i < lookup.values.size(); ++i) {
    Value v = lookup.values[i](f);
    // Comparing a text column with a number converts the column: no lookup then.
    const bool converts_column = is_text(lookup.types[i].type) && !is_text(v.type);
    if (converts_column && !v.is_null()) return false;
    v = convert(v, lookup.types[i].type, f.context->convert());
    v.national = lookup.types[i].national;
    key.push_back(std::move(v));
  }
  return true;
}

std::unique_ptr<RowStream> TableRows::stored(ExecContext& context, const Frame* outer,
                                             Source from) const {
  const auto [scn, own] = from;
  // The values stand outside the table's own row: a frame with no row in its place.
  Frame f;
  f.outer = outer;
  f.context = &context;
  if (rowid_) {
    const Value v = (*rowid_)(f);
    if (v.is_null()) return std::make_unique<OneRow>(std::nullopt);
    const auto id = std::get<RowId>(convert(v, Type::kRowid, context.convert()).data);
    Row row;
    if (!context.store->fetch(*table_, id, scn, own, row))
      return std::make_unique<OneRow>(std::nullopt);
    row.push_back(Value{Type::kRowid, false, id});
    return std::make_unique<OneRow>(std::move(row));
  }
  for (const Lookup& lookup : lookups_) {
    Row key;
    if (!key_of(lookup, f, key)) continue;
    if (std::any_of(key.begin(), key.end(), [](const Value& v) { return v.is_null(); }))
      return std::make_unique<OneRow>(std::nullopt);
    auto scan = context.store->lookup(*table_, lookup.columns, key, scn, own, context.cancel);
    if (scan) return std::make_unique<ScanStream>(std::move(scan));
  }
  if (auto rows = hashed(context, f, from)) return rows;
  RowIdRange range;
  if (!rowid_range(f, range)) return std::make_unique<OneRow>(std::nullopt);
  return std::make_unique<ScanStream>(
      context.store->scan(*table_, scn, own, context.cancel, range));
}

/// The part of the table that WHERE leaves by ROWID; what lies on a bound is judged by WHERE
/// itself. False when a bound is NULL.
bool TableRows::rowid_range(const Frame& f, RowIdRange& range) const {
  const auto id_of_bound = [&](const Eval& bound) -> std::optional<RowId> {
    const Value v = bound(f);
    if (v.is_null()) return std::nullopt;
    return std::get<RowId>(convert(v, Type::kRowid, f.context->convert()).data);
  };
  for (const Eval& bound : rowids_from_) {
    const auto id = id_of_bound(bound);
    if (!id) return false;
    if (!range.first || *range.first < *id) range.first = id;
  }
  for (const Eval& bound : rowids_to_) {
    const auto id = id_of_bound(bound);
    if (!id) return false;
    if (!range.last || *id < *range.last) range.last = id;
  }
  return true;
}

/// Null until the table has been opened a few times in one execution: then its rows are kept,
/// hashed by the columns that WHERE sets equal to something outside it.
std::unique_ptr<RowStream> TableRows::hashed(ExecContext& context, const Frame& f,
                                             Source from) const {
  constexpr int kScansBefore = 4;
  Row key;
  if (equalities_.columns.empty() || !key_of(equalities_, f, key)) return nullptr;
  auto& hash = context.table_hashes[this];
  if (!hash || hash->execution_id != context.execution_id) {
    hash = std::make_shared<TableHash>();
    hash->execution_id = context.execution_id;
  }
  if (++hash->opened <= kScansBefore) return nullptr;
  if (!hash->is_filled) hash->fill(context, *table_, equalities_.columns, from.first, from.second);
  static const std::vector<Row> kNone;
  const auto found = hash->rows.find(row_key(key));
  return std::make_unique<KeptStream>(hash, found == hash->rows.end() ? kNone : found->second);
}

std::unique_ptr<RowSource> table_source(std::shared_ptr<const TableDef> table,
                                        const ast::Expr* where, const BindEnvironment& environment,
                                        const Scope& scope, int table_index, Eval as_of_scn,
                                        bool as_of_is_time) {
  TableRows rows(table, where, environment, scope, table_index);
  return std::make_unique<TableSource>(std::move(table), std::move(rows), std::move(as_of_scn),
                                       as_of_is_time);
}
std::unique_ptr<RowSource> dictionary_source(const DictionaryView* view, const ast::Expr* where,
                                             const BindEnvironment& environment, const Scope& scope,
                                             int table_index) {
  return std::make_unique<DictionarySource>(view,
                                            key_parts(where, environment, scope, table_index));
}
std::unique_ptr<RowSource> query_source(std::shared_ptr<BoundQuery> query) {
  return std::make_unique<QuerySource>(std::move(query));
}
std::unique_ptr<RowSource> dual_source() {
  return std::make_unique<DualSource>();
}

std::vector<std::pair<std::size_t, Eval>> virtual_columns(const TableDef& table,
                                                          const BindEnvironment& environment) {
  std::vector<std::pair<std::size_t, Eval>> out;
  BindEnvironment inner = environment;
  inner.current_schema = table.owner;
  inner.variables = nullptr;
  std::optional<Scope> scope;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const ColumnDef& column = table.columns[i];
    if (!column.is_virtual) continue;
    if (!scope) scope = table_scope(table, {});
    Parser parser(column.virtual_sql);
    const ast::ExprPtr e = parser.expression();
    inner.sql = column.virtual_sql;
    Eval eval = Binder(inner, *scope).condition(*e);
    out.emplace_back(i, [eval = std::move(eval), type = column.type](const Frame& f) {
      return convert_to(eval(f), type, {}, f.context->convert());
    });
  }
  return out;
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
  rowid.rowid_of = &table;
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
