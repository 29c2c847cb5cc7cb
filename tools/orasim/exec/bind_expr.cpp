// Names, binds, calls and the simpler expressions.
#include <algorithm>

#include "engine/calendar.h"
#include "engine/format_model.h"
#include "engine/json.h"
#include "engine/object_image.h"
#include "engine/time_zone.h"
#include "exec/binder.h"
#include "exec/object_types.h"

namespace orasim {

using ast::ExprKind;

void ExecContext::check_cancel() const {
  if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) raise(1013);
}

BoundExpr bind_expression(const ast::Expr& expr, const BindEnvironment& environment,
                          const Scope& scope) {
  return Binder(environment, scope).expression(expr);
}

BoundExpr Binder::expression(const ast::Expr& e) {
  const bool sees_keys = groups != nullptr && !in_aggregate_ && e.kind != ExprKind::kLiteral &&
                         e.kind != ExprKind::kBind &&
                         (groups->outer_aggregates == nullptr || in_outer_aggregate_);
  if (sees_keys) {
    if (const int key = group_key(e); key >= 0) return key_column(static_cast<std::size_t>(key));
  }
  return of_kind(e);
}

/// A GROUP BY expression in a row of its group.
BoundExpr Binder::key_column(std::size_t key) const {
  BoundExpr out;
  out.type = groups->key_exprs[key].type;
  out.nullable = groups->key_exprs[key].nullable;
  const std::size_t slot = groups->first_slot + key;
  out.eval = [slot](const Frame& f) { return (*f.row)[slot]; };
  return out;
}

BoundExpr Binder::literal(const ast::Expr& e) {
  BoundExpr out;
  out.is_constant = true;
  out.type = simple_type(e.value.type);
  out.nullable = e.value.is_null();
  if (is_text(e.value.type)) {
    const auto n = e.value.is_null() ? 0 : static_cast<std::int64_t>(char_count(e.value.text()));
    out.type = text_type(e.value.is_null() ? Type::kVarchar2 : e.value.type,
                         std::max<std::int64_t>(n, 1), false, e.value.national);
    if (!e.value.is_null())
      out.type.size_bytes =
          static_cast<std::uint32_t>(e.value.text().size()) * (e.value.national ? 2 : 1);
  }
  out.eval = [v = e.value](const Frame&) { return v; };
  return out;
}

BoundExpr Binder::of_kind(const ast::Expr& e) {
  switch (e.kind) {
    case ExprKind::kLiteral:
      return literal(e);
    case ExprKind::kName:
      return name(e);
    case ExprKind::kBind:
      return bind(e);
    case ExprKind::kUnary:
      return unary(e);
    case ExprKind::kBinary:
      return binary(e);
    case ExprKind::kCall:
      return call(e);
    case ExprKind::kCase:
      return case_of(e);
    case ExprKind::kCast:
      return cast(e);
    case ExprKind::kExtract:
      return extract(e);
    case ExprKind::kSubquery:
      return scalar_subquery(e);
    case ExprKind::kAtTimeZone:
      return at_time_zone(e);
    case ExprKind::kIntervalOf:
      return interval_of(e);
    case ExprKind::kStar:
    case ExprKind::kDefault:
      raise(936, e.begin);
    case ExprKind::kRow:
      raise(920, e.begin);
    case ExprKind::kCompare:
      return compare(e);
    case ExprKind::kBetween:
      return between(e);
    case ExprKind::kLike:
      return like(e);
    case ExprKind::kIn:
      return in(e);
    case ExprKind::kExists:
      return exists(e);
    case ExprKind::kIsNull:
    case ExprKind::kIsNan:
    case ExprKind::kIsInfinite:
    case ExprKind::kIsJson:
    case ExprKind::kIsTrue:
      return is_test(e);
    case ExprKind::kAnd:
    case ExprKind::kOr:
    case ExprKind::kNot:
      return logic(e);
  }
  raise(936, e.begin);
}

// ---- names
// ---------------------------------------------------------------------------------------

namespace {

bool qualifier_fits(const ScopeColumn& c, const ast::Name& name) {
  if (name.size() == 1) return true;
  if (name[name.size() - 2].text != c.qualifier) return false;
  return name.size() == 2 || name[name.size() - 3].text == c.schema;
}

std::string quoted_name(const ast::Name& name) {
  std::string out;
  for (const ast::Ident& part : name) out += (out.empty() ? "\"" : ".\"") + part.text + "\"";
  return out;
}

}  // namespace

int find_column(const Scope& scope, const ast::Expr& e) {
  int found = -1;
  for (std::size_t i = 0; i < scope.columns.size(); ++i) {
    const ScopeColumn& c = scope.columns[i];
    if (c.name != e.name.back().text || !qualifier_fits(c, e.name)) continue;
    // ROWID of several tables is ambiguous too.
    if (found >= 0) raise(918, e.begin);
    found = static_cast<int>(i);
  }
  return found;
}

std::optional<BoundExpr> Binder::column(const ast::Expr& e) {
  int depth = 0;
  const Scope* scope = &scope_;
  int found = -1;
  for (; scope != nullptr; scope = scope->outer, ++depth) {
    found = find_column(*scope, e);
    if (found >= 0) break;
  }
  if (scope == nullptr) return std::nullopt;
  const ScopeColumn& c = scope->columns[static_cast<std::size_t>(found)];
  BoundExpr out;
  out.type = c.type;
  out.nullable = c.nullable;
  const auto slot = static_cast<std::size_t>(found);
  if (depth == 0) {
    if (groups != nullptr && !in_aggregate_) raise(groups->has_group_by ? 979 : 937, e.begin);
    used_tables.insert(c.table);
    if (c.joined_with >= 0 && e.name.size() == 1) {
      // The column of USING is whichever side has it.
      used_tables.insert(scope->columns[static_cast<std::size_t>(c.joined_with)].table);
      out.eval = [slot, other = static_cast<std::size_t>(c.joined_with)](const Frame& f) {
        const Value& v = (*f.row)[slot];
        return v.is_null() ? (*f.row)[other] : v;
      };
      return out;
    }
    out.slot = found;
    out.eval = [slot](const Frame& f) { return (*f.row)[slot]; };
    return out;
  }
  for (const Scope* passed = &scope_; passed != scope; passed = passed->outer)
    passed->reaches_outer = true;
  out.eval = [slot, depth](const Frame& f) {
    const Frame* frame = &f;
    for (int i = 0; i < depth; ++i) frame = frame->outer;
    return (*frame->row)[slot];
  };
  return out;
}

BoundExpr Binder::sequence_value(const ast::Expr& e) {
  const bool next = e.name.back().text == "NEXTVAL";
  const std::string owner = e.name.size() > 2 ? e.name[0].text : env_.current_schema;
  const SequenceKey key{owner, e.name[e.name.size() - 2].text};
  if (env_.catalog->sequences.count(key) == 0) raise(2289, e.begin);
  require(*env_.access, ObjectKind::kSequence, key.first, key.second, "SELECT", e.begin);
  BoundExpr out;
  out.type = plain_number();
  out.nullable = false;
  out.eval = [key, next](const Frame& f) {
    ExecContext& c = *f.context;
    if (!next) {
      const auto found = c.current_values->find(key);
      if (found == c.current_values->end()) {
        raise_text(8002, "sequence " + key.second + ".CURRVAL is not yet defined in this session");
      }
      return make_number(found->second);
    }
    const auto taken = c.row_sequence_values.find(key);
    if (taken != c.row_sequence_values.end()) return make_number(taken->second);
    const Number n = c.store->next_sequence_value(key.first, key.second);
    c.row_sequence_values[key] = n;
    (*c.current_values)[key] = n;
    return make_number(n);
  };
  return out;
}

BoundExpr Binder::pseudo_column(const ast::Expr& e, const std::string& word) {
  BoundExpr out;
  out.type = plain_number();
  if (word == "ORA_ROWSCN") return row_scn(e);
  if (word == "ROWNUM") {
    uses_rownum = true;
    out.eval = [](const Frame& f) { return make_int(f.rownum); };
  } else if (word == "LEVEL") {
    if (!scope_.has_tree) raise(1788, e.begin);
    out.eval = [](const Frame& f) { return make_int(f.level); };
  } else if (word == "CONNECT_BY_ISLEAF" || word == "CONNECT_BY_ISCYCLE") {
    if (!scope_.has_tree) raise(1788, e.begin);
    out.eval = [leaf = word == "CONNECT_BY_ISLEAF"](const Frame& f) {
      const bool hit = f.tree != nullptr && (leaf ? f.tree->is_leaf : f.tree->is_cycle);
      return make_int(hit ? 1 : 0);
    };
  } else {
    raise_invalid_identifier(quoted_name(e.name), e.begin);
  }
  return out;
}

namespace {

/// The frame of a row of the same query that stands elsewhere in the tree.
Frame at_row(const Frame& f, const Row* row) {
  Frame other = f;
  other.row = row;
  return other;
}

}  // namespace

/// PRIOR x and CONNECT_BY_ROOT x.
BoundExpr Binder::tree_value(const ast::Expr& e) {
  if (!scope_.has_tree) raise(1788, e.begin);
  BoundExpr inner = expression(*e.args[0]);
  inner.slot = -1;
  inner.eval = [eval = inner.eval, root = e.op == "CONNECT_BY_ROOT"](const Frame& f) {
    if (root) return eval(f.tree == nullptr ? f : at_row(f, f.tree->path.front()));
    return f.prior == nullptr ? make_null(Type::kVarchar2) : eval(at_row(f, f.prior));
  };
  return inner;
}

/// SYS_CONNECT_BY_PATH (x, separator).
BoundExpr Binder::tree_path(const ast::Expr& e) {
  if (!scope_.has_tree) raise(1788, e.begin);
  if (e.args.size() != 2) raise(e.args.size() < 2 ? 938 : 939, e.begin);
  const Eval item = condition(*e.args[0]);
  const Eval separator = condition(*e.args[1]);
  BoundExpr out;
  out.type = text_type(Type::kVarchar2, 4000, false, false);
  out.eval = [item, separator](const Frame& f) {
    const ConvertContext& c = f.context->convert();
    std::string path;
    const auto append = [&](const Row* row) {
      const Frame at = at_row(f, row);
      for (const Value& v : {to_varchar(separator(at), c), to_varchar(item(at), c)}) {
        if (!v.is_null()) path += text_of(v);
      }
    };
    if (f.tree == nullptr) append(f.row);
    if (f.tree != nullptr) std::for_each(f.tree->path.begin(), f.tree->path.end(), append);
    if (path.size() > 4000) raise(1489);
    return make_text(std::move(path));
  };
  return out;
}

/// LNNVL (condition): true unless the condition is.
BoundExpr Binder::lnnvl(const ast::Expr& e) {
  if (e.args.size() != 1) raise(909, e.begin);
  return bound_condition(
      [inner = condition(*e.args[0])](const Frame& f) { return boolean(!is_true(inner(f))); });
}

/// ORA_ROWSCN [of a table]: the commit of the row's version, found again by its ROWID.
BoundExpr Binder::row_scn(const ast::Expr& e) {
  for (std::size_t i = 0; i < scope_.columns.size(); ++i) {
    const ScopeColumn& c = scope_.columns[i];
    if (c.rowid_of == nullptr || !qualifier_fits(c, e.name)) continue;
    used_tables.insert(c.table);
    BoundExpr out;
    out.type = plain_number();
    out.eval = [slot = i, table = c.rowid_of](const Frame& f) {
      const Value& id = (*f.row)[slot];
      const ExecContext& context = *f.context;
      if (id.is_null()) return make_null(Type::kNumber);
      const Scn scn = context.store->row_scn(*table, std::get<RowId>(id.data), context.scn);
      return scn == 0 ? make_null(Type::kNumber) : make_int(static_cast<std::int64_t>(scn));
    };
    return out;
  }
  raise_invalid_identifier(quoted_name(e.name), e.begin);
}

/// A PL/SQL variable, or the column of a loop's row, which is kept as "ROW.COLUMN".
std::optional<BoundExpr> Binder::variable(const ast::Expr& e) {
  if (env_.variables == nullptr || e.name.size() > 2) return std::nullopt;
  const std::string& first = e.name.front().text;
  const auto found =
      env_.variables->find(e.name.size() == 1 ? first : first + "." + e.name[1].text);
  if (found == env_.variables->end()) return std::nullopt;
  BoundExpr out;
  out.type = simple_type(found->second.type);
  if (is_text(out.type.type)) out.type = text_type(Type::kVarchar2, 4000, false, false);
  out.is_constant = true;
  // Read when it runs: the block may have assigned it since.
  out.eval = [v = &found->second](const Frame&) { return *v; };
  return out;
}

BoundExpr Binder::name(const ast::Expr& e) {
  if (auto found = column(e)) return *std::move(found);
  if (e.name.size() > 1) {
    if (auto found = part_of_column(e)) return *std::move(found);
  }
  if (auto found = e.name.size() > 1 ? index_table(e) : std::nullopt) return *std::move(found);
  if (auto found = variable(e)) return *std::move(found);
  const std::string& word = e.name.back().text;
  const bool is_truth = word == "TRUE" || word == "FALSE";
  if (is_truth && e.name.size() == 1 && !e.name[0].quoted &&
      env_.release.major >= kBooleanRelease) {
    return bound_condition([value = word == "TRUE"](const Frame&) { return boolean(value); });
  }
  if (e.name.size() > 1 && (word == "NEXTVAL" || word == "CURRVAL")) return sequence_value(e);
  std::string full;
  for (const ast::Ident& part : e.name) full += (full.empty() ? "" : ".") + part.text;
  if (full.compare(0, 4, "SYS.") == 0) full.erase(0, 4);
  if (const ScalarFunction* f = find_function(full);
      f != nullptr && f->min_args == 0 && !e.name.back().quoted) {
    need_package(e, full);
    BoundExpr out;
    out.type = f->type({});
    out.eval = [f](const Frame& frame) { return f->call({}, frame.context->functions); };
    return out;
  }
  if (e.name.size() == 1 || word == "ORA_ROWSCN") return pseudo_column(e, word);
  raise_invalid_identifier(quoted_name(e.name), e.begin);
}

BoundExpr Binder::bind(const ast::Expr& e) {
  BoundExpr out;
  out.is_constant = true;
  const auto index = static_cast<std::size_t>(e.bind);
  out.type = text_type(Type::kVarchar2, 4000, false, false);
  if (env_.bind_samples != nullptr && index < env_.bind_samples->size()) {
    const Value& sample = (*env_.bind_samples)[index];
    if (!is_text(sample.type)) out.type = simple_type(sample.type);
    const bool is_wide = is_text(sample.type) && !sample.is_null() && sample.text().size() > 4000;
    if (is_wide) out.type = text_type(Type::kVarchar2, 32767, false, sample.national);
  }
  out.eval = [index](const Frame& f) {
    if (f.context->binds == nullptr || index >= f.context->binds->size()) raise(1008);
    return (*f.context->binds)[index];
  };
  return out;
}

// ---- operators
// -----------------------------------------------------------------------------------

BoundExpr Binder::unary(const ast::Expr& e) {
  if (e.op == "PRIOR" || e.op == "CONNECT_BY_ROOT") return tree_value(e);
  BoundExpr inner = expression(*e.args[0]);
  inner.slot = -1;
  if (e.op == "+") return inner;
  if (inner.type.type != Type::kBinaryFloat && inner.type.type != Type::kBinaryDouble &&
      inner.type.type != Type::kIntervalDs && inner.type.type != Type::kIntervalYm) {
    inner.type = plain_number();
  }
  inner.eval = [eval = inner.eval](const Frame& f) {
    Value v = eval(f);
    if (v.is_null()) return v;
    if (auto* d = std::get_if<double>(&v.data)) {
      *d = -*d;
    } else if (auto* s = std::get_if<float>(&v.data)) {
      *s = -*s;
    } else if (auto* ds = std::get_if<IntervalDs>(&v.data)) {
      ds->seconds = -ds->seconds;
      ds->nanoseconds = -ds->nanoseconds;
    } else if (auto* ym = std::get_if<IntervalYm>(&v.data)) {
      ym->months = -ym->months;
    } else {
      return make_number(to_number(v, f.context->convert()).number().negated());
    }
    return v;
  };
  return inner;
}

namespace {
constexpr std::uint32_t kStandardText = 4000;  // MAX_STRING_SIZE = STANDARD
}

BoundExpr Binder::concat(BoundExpr a, BoundExpr b) {
  BoundExpr out;
  const auto width = [](const DataType& t) { return is_text(t.type) ? t.size_bytes : 40U; };
  const bool national = a.type.national || b.type.national;
  // Extended strings, or PL/SQL.
  const bool is_wide =
      env_.variables != nullptr || std::max(width(a.type), width(b.type)) > kStandardText;
  const std::uint32_t limit = is_wide ? 32767 : kStandardText;
  if (a.type.type == Type::kClob || b.type.type == Type::kClob) {
    out.type = simple_type(Type::kClob);
  } else {
    out.type =
        text_type(Type::kVarchar2, std::min<std::uint32_t>(width(a.type) + width(b.type), limit),
                  false, false);
    out.type.national = national;
  }
  out.is_constant = a.is_constant && b.is_constant;
  out.eval = [x = std::move(a.eval), y = std::move(b.eval), limit](const Frame& f) {
    const Value left = x(f);
    const Value right = y(f);
    const ConvertContext& c = f.context->convert();
    if (left.is_null() || right.is_null()) {
      const Value& one = left.is_null() ? right : left;
      // What is concatenated is no CHAR any more: it compares without padding.
      return is_lob(one.type) ? one : orasim::convert(to_varchar(one, c), Type::kVarchar2, c);
    }
    const Value l = left.type == Type::kClob ? left : to_varchar(left, c);
    const Value r = right.type == Type::kClob ? right : to_varchar(right, c);
    std::string text(text_of(l));
    text += text_of(r);
    if (left.type == Type::kClob || right.type == Type::kClob) {
      return Value{Type::kClob, false, Lob(std::make_shared<LobData>(LobData{std::move(text)}))};
    }
    if (text.size() > limit) raise(1489);
    return make_text(std::move(text), Type::kVarchar2, left.national || right.national);
  };
  return out;
}

BoundExpr Binder::binary(const ast::Expr& e) {
  BoundExpr a = expression(*e.args[0]);
  BoundExpr b = expression(*e.args[1]);
  if (e.op == "||") return concat(std::move(a), std::move(b));
  BoundExpr out;
  const char op = e.op[0];
  out.type = arithmetic_type(op, a.type, b.type);
  out.is_constant = a.is_constant && b.is_constant;
  out.nullable = a.nullable || b.nullable;
  out.eval = [op, x = std::move(a.eval), y = std::move(b.eval)](const Frame& f) {
    return arithmetic(op, x(f), y(f), f.context->convert());
  };
  return out;
}

// ---- calls
// ---------------------------------------------------------------------------------------

/// Most packages are everybody's; this one needs a grant, and without it has no name.
void Binder::need_package(const ast::Expr& e, const std::string& full) const {
  if (!full.starts_with("DBMS_FLASHBACK.")) return;
  const Access& access = *env_.access;
  if (access.roles().contains("EXECUTE_CATALOG_ROLE") ||
      access.may(ObjectKind::kCode, "SYS", "DBMS_FLASHBACK", "EXECUTE")) {
    return;
  }
  raise_invalid_identifier(quoted_name(e.name), e.begin);
}

namespace {

/// The release a function came with; 0: long ago.
int release_of(const std::string& name) {
  if (name == "JSON" || name == "JSON_SCALAR" || name == "JSON_QUERY JSON") return 21;
  if (name.starts_with("JSON_SERIALIZE")) return 19;
  return name == "TO_BOOLEAN" || name.find("VECTOR") != std::string::npos ? 23 : 0;
}

/// The first `n` parts of a name.
ast::Expr shorter_name(const ast::Expr& e, std::size_t n) {
  ast::Expr out;
  out.kind = ExprKind::kName;
  out.begin = e.begin;
  out.end = e.end;
  out.name.assign(e.name.begin(), e.name.begin() + static_cast<std::ptrdiff_t>(n));
  return out;
}

}  // namespace

BoundExpr Binder::call(const ast::Expr& e) {
  if (auto found = index_table(e)) return *std::move(found);
  std::string full;
  for (const ast::Ident& part : e.name) full += (full.empty() ? "" : ".") + part.text;
  if (full.compare(0, 4, "SYS.") == 0) full.erase(0, 4);
  if (e.window) return analytic(e, full);
  if (is_aggregate_name(full)) return aggregate(e, full);
  if (full == "GROUPING" || full == "GROUPING_ID") return grouping(e);
  if (full == "SYS_CONNECT_BY_PATH") return tree_path(e);
  if (full == "LNNVL") return lnnvl(e);
  if (full == "TRANSLATE" && !e.op.empty()) return expression(*e.args.at(0));  // USING …_CS
  if (full == "TRIM" && e.op == "LEADING") full = "LTRIM";
  if (full == "TRIM" && e.op == "TRAILING") full = "RTRIM";
  const ScalarFunction* f = find_function(full);
  if (f == nullptr || env_.release.major < release_of(full)) {
    if (auto method = method_of_column(e)) return *std::move(method);
    if (const auto type = find_object_type(*env_.catalog, env_.current_schema, e.name)) {
      return constructor(e, type);
    }
    raise_invalid_identifier(quoted_name(e.name), e.begin);
  }
  need_package(e, full);
  std::vector<Eval> args;
  std::vector<DataType> types;
  bool constant = true;
  for (const ast::ExprPtr& arg : e.args) {
    BoundExpr bound = expression(*arg);
    if (is_long(bound.type.type) && full != "TO_LOB") {
      raise_inconsistent("CHAR", type_word(bound.type.type), arg->begin);
    }
    constant = constant && bound.is_constant;
    args.push_back(std::move(bound.eval));
    types.push_back(bound.type);
  }
  const int count = static_cast<int>(args.size());
  if (f->min_args == f->max_args && count != f->min_args) raise(909, e.begin);
  if (count < f->min_args) raise(938, e.begin);
  if (f->max_args >= 0 && count > f->max_args) raise(939, e.begin);
  BoundExpr out;
  out.type = f->type(types);
  out.is_constant = constant && count > 0;
  out.eval = [f, args = std::move(args)](const Frame& frame) {
    Args values;
    values.reserve(args.size());
    for (const Eval& arg : args) values.push_back(arg(frame));
    return f->call(values, frame.context->functions);
  };
  return out;
}

/// column.method(): of XMLTYPE.
std::optional<BoundExpr> Binder::method_of_column(const ast::Expr& e) {
  if (e.name.size() < 2) return std::nullopt;
  const ScalarFunction* f = find_function("XMLTYPE " + e.name.back().text);
  if (f == nullptr) return std::nullopt;
  auto object = column(shorter_name(e, e.name.size() - 1));
  if (!object) return std::nullopt;
  BoundExpr out;
  out.type = f->type({object->type});
  out.eval = [f, eval = std::move(object->eval)](const Frame& frame) {
    return f->call({eval(frame)}, frame.context->functions);
  };
  return out;
}

/// alias.column.attribute of an object, and alias.column.member of JSON.
std::optional<BoundExpr> Binder::part_of_column(const ast::Expr& e) {
  for (std::size_t n = e.name.size() - 1; n > 0; --n) {
    auto whole = column(shorter_name(e, n));
    if (!whole) continue;
    if (whole->type.type == Type::kJson) return json_member(*std::move(whole), e, n);
    for (; n < e.name.size(); ++n) {
      if (whole->type.type != Type::kObject) return std::nullopt;
      whole = attribute(*std::move(whole), e.name[n].text);
      if (!whole) return std::nullopt;
    }
    return whole;
  }
  return std::nullopt;
}

std::optional<BoundExpr> Binder::attribute(BoundExpr object, const std::string& name) {
  const std::shared_ptr<const ObjectType> type = object.type.object;
  if (!type || type->kind != ObjectType::Kind::kObject) return std::nullopt;
  for (std::size_t i = 0; i < type->attributes.size(); ++i) {
    if (type->attributes[i].name != name) continue;
    BoundExpr out;
    out.type = type->attributes[i].type;
    out.eval = [type, i, eval = std::move(object.eval)](const Frame& f) {
      const Value v = eval(f);
      const DataType& t = type->attributes[i].type;
      return v.is_null() ? Value{t.type, t.national, {}} : object_parts(*type, v)[i];
    };
    return out;
  }
  return std::nullopt;
}

BoundExpr Binder::json_member(BoundExpr document, const ast::Expr& e, std::size_t from) {
  std::vector<std::string> names;
  for (std::size_t i = from; i < e.name.size(); ++i) {
    // The names of members keep their letters, which the lexer has made upper case.
    const ast::Ident& part = e.name[i];
    names.push_back(part.quoted ? part.text
                                : std::string(env_.sql.substr(static_cast<std::size_t>(part.pos),
                                                              part.text.size())));
  }
  BoundExpr out;
  out.type = simple_type(Type::kJson);
  out.eval = [names, eval = std::move(document.eval)](const Frame& f) {
    const Value v = eval(f);
    if (v.is_null()) return make_null(Type::kJson);
    const Json whole = decode_oson(v.lob()->data);
    const Json* at = &whole;
    for (const std::string& name : names) {
      if (at != nullptr) at = at->shape == Json::Shape::kObject ? at->member(name) : nullptr;
    }
    return at == nullptr ? make_null(Type::kJson) : make_lob(encode_oson(*at), Type::kJson);
  };
  return out;
}

/// type_name (attribute, …) or (element, …).
BoundExpr Binder::constructor(const ast::Expr& e, std::shared_ptr<const ObjectType> type) {
  const bool collection = type->kind != ObjectType::Kind::kObject;
  if (!collection && e.args.size() != type->attributes.size()) raise(2315, e.begin);
  const bool too_many = type->kind == ObjectType::Kind::kVarray && e.args.size() > type->limit;
  if (too_many) raise_text(22909, "exceeded maximum VARRAY limit", e.begin);
  std::vector<Eval> args;
  for (const ast::ExprPtr& arg : e.args) args.push_back(condition(*arg));
  BoundExpr out;
  out.type = simple_type(Type::kObject);
  out.type.object = type;
  out.nullable = false;
  out.eval = [type, collection, args = std::move(args)](const Frame& f) {
    Row parts;
    for (std::size_t i = 0; i < args.size(); ++i) {
      const DataType& wanted = type->attributes[collection ? 0 : i].type;
      parts.push_back(
          convert_to(args[i](f), wanted, "\"" + type->name + "\"", f.context->convert()));
    }
    return make_object(*type, parts);
  };
  return out;
}

BoundExpr Binder::case_of(const ast::Expr& e) {
  std::size_t i = 0;
  Eval operand;
  if (e.has_operand) operand = expression(*e.args[i++]).eval;
  std::vector<std::pair<Eval, Eval>> branches;
  Eval otherwise;
  BoundExpr out;
  bool first = true;
  const auto merge = [&](const BoundExpr& branch, const ast::Expr& source) {
    const bool null_literal = source.kind == ExprKind::kLiteral && source.value.is_null();
    if (first && !null_literal) {
      out.type = branch.type;
      first = false;
    } else if (!null_literal) {
      out.type = common_type(out.type, branch.type);
    }
  };
  const std::size_t end = e.args.size() - (e.has_else ? 1 : 0);
  for (; i < end; i += 2) {
    Eval when = expression(*e.args[i]).eval;
    BoundExpr then = expression(*e.args[i + 1]);
    merge(then, *e.args[i + 1]);
    branches.emplace_back(std::move(when), std::move(then.eval));
  }
  if (e.has_else) {
    BoundExpr last = expression(*e.args.back());
    merge(last, *e.args.back());
    otherwise = std::move(last.eval);
  }
  if (first) out.type = text_type(Type::kVarchar2, 1, false, false);
  const Type type = out.type.type;
  out.eval = [operand = std::move(operand), branches = std::move(branches),
              otherwise = std::move(otherwise), type](const Frame& f) {
    const ConvertContext& c = f.context->convert();
    const auto typed = [&](Value v) {
      if (v.type == type || (is_text(v.type) && is_text(type))) return v;
      return orasim::convert(v, type, c);
    };
    const Value subject = operand ? operand(f) : Value{};
    for (const auto& [when, then] : branches) {
      const Value w = when(f);
      const bool hit =
          operand ? !subject.is_null() && !w.is_null() && orasim::compare(subject, w, c) == 0
                  : is_true(w);
      if (hit) return typed(then(f));
    }
    return otherwise ? typed(otherwise(f)) : make_null(type);
  };
  return out;
}

BoundExpr Binder::cast(const ast::Expr& e) {
  BoundExpr inner = expression(*e.args[0]);
  BoundExpr out;
  out.type = e.type;
  resolve_type(out.type, *env_.catalog, env_.current_schema, env_.release, e.begin);
  if (is_text(e.type.type) && out.type.size_bytes == 0)
    out.type = text_type(e.type.type, 1, false, e.type.national);
  out.eval = [eval = std::move(inner.eval), type = out.type](const Frame& f) {
    return convert_to(eval(f), type, {}, f.context->convert());
  };
  return out;
}

BoundExpr Binder::extract(const ast::Expr& e) {
  BoundExpr inner = expression(*e.args[0]);
  BoundExpr out;
  out.type = e.op == "TIMEZONE_REGION" || e.op == "TIMEZONE_ABBR"
                 ? text_type(Type::kVarchar2, 64, false, false)
                 : plain_number();
  out.eval = [field = e.op, eval = std::move(inner.eval)](const Frame& f) {
    const Value v = eval(f);
    if (v.is_null()) return make_null(Type::kNumber);
    if (const auto* ym = std::get_if<IntervalYm>(&v.data)) {
      if (field == "YEAR") return make_int(ym->months / 12);
      if (field == "MONTH") return make_int(ym->months % 12);
      raise(30076);
    }
    if (const auto* ds = std::get_if<IntervalDs>(&v.data)) {
      if (field == "DAY") return make_int(ds->seconds / 86400);
      if (field == "HOUR") return make_int(ds->seconds / 3600 % 24);
      if (field == "MINUTE") return make_int(ds->seconds / 60 % 60);
      if (field != "SECOND") raise(30076);
      const Number whole = Number::from_int(ds->seconds % 60);
      const auto fraction =
          Number::divide(Number::from_int(ds->nanoseconds), Number::from_int(1000000000));
      return make_number(Number::add(whole, fraction.value_or(Number())).value_or(whole));
    }
    // EXTRACT of a zoned time works on UTC fields, except for the zone itself.
    const Value t = is_datetime(v.type) ? v : to_datetime(v, Type::kDate, f.context->convert());
    DateTime d = t.date_time();
    resolve_zone(d);
    if (field == "YEAR") return make_int(d.year);
    if (field == "MONTH") return make_int(d.month);
    if (field == "DAY") return make_int(d.day);
    if (field == "TIMEZONE_HOUR") return make_int(d.offset_minutes / 60);
    if (field == "TIMEZONE_MINUTE") return make_int(d.offset_minutes % 60);
    if (field == "TIMEZONE_REGION" || field == "TIMEZONE_ABBR") {
      if (t.type != Type::kTimestampTz) raise(30076);
      if (d.region_id == 0) return make_text("UNKNOWN");
      return make_text(field == "TIMEZONE_ABBR" ? daylight_text(d) : zone_text(d));
    }
    if (t.type == Type::kDate) raise(30076);
    if (field == "HOUR") return make_int(d.hour);
    if (field == "MINUTE") return make_int(d.minute);
    if (field == "SECOND") {
      const auto fraction =
          Number::divide(Number::from_int(d.nanosecond), Number::from_int(1000000000));
      return make_number(
          Number::add(Number::from_int(d.second), fraction.value_or(Number())).value_or(Number()));
    }
    raise(30076);
  };
  return out;
}

BoundExpr Binder::at_time_zone(const ast::Expr& e) {
  BoundExpr inner = expression(*e.args[0]);
  Eval zone = e.args.size() > 1 ? expression(*e.args[1]).eval : Eval();
  BoundExpr out;
  out.type =
      timestamp_type_of(Type::kTimestampTz, inner.type.type == Type::kDate ? 0 : inner.type.scale);
  out.eval = [eval = std::move(inner.eval), zone = std::move(zone)](const Frame& f) {
    const ConvertContext& c = f.context->convert();
    Value v = to_datetime(eval(f), Type::kTimestampTz, c);
    if (v.is_null()) return v;
    std::optional<Zone> wanted = c.nls->session_zone;
    if (zone) {
      const Value name = to_varchar(zone(f), c);
      if (name.is_null()) return make_null(Type::kTimestampTz);
      wanted = parse_zone(text_of(name));
    }
    if (!wanted) raise(1882);
    wanted->put_into(std::get<DateTime>(v.data));
    return v;
  };
  return out;
}

BoundExpr Binder::interval_of(const ast::Expr& e) {
  BoundExpr inner = expression(*e.args[0]);
  BoundExpr out;
  out.type = e.type;
  const bool months = e.type.type == Type::kIntervalYm;
  out.eval = [eval = std::move(inner.eval), months](const Frame& f) {
    const Value v = eval(f);
    if (v.is_null()) return make_null(months ? Type::kIntervalYm : Type::kIntervalDs);
    if (v.type == Type::kIntervalDs || v.type == Type::kIntervalYm) return v;
    // The difference of two dates: days.
    return find_function(months ? "NUMTOYMINTERVAL" : "NUMTODSINTERVAL")
        ->call({v, make_text(months ? "MONTH" : "DAY")}, f.context->functions);
  };
  return out;
}

}  // namespace orasim
