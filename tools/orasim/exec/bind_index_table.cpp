// Index-by tables of PL/SQL in expressions: v(i), v.COUNT, v.EXISTS(i), ….
#include "exec/binder.h"
#include "exec/convert.h"

namespace orasim {
namespace {

using Elements = std::map<std::int64_t, Value>;

Value index_value(Elements::const_iterator at, const Elements& elements) {
  return at == elements.end() ? make_null(Type::kNumber) : make_int(at->first);
}

Value count_of(const Elements& elements) {
  return make_int(static_cast<std::int64_t>(elements.size()));
}
Value first_of(const Elements& elements) {
  return index_value(elements.begin(), elements);
}
Value last_of(const Elements& elements) {
  return elements.empty() ? make_null(Type::kNumber) : make_int(elements.rbegin()->first);
}

Value element_of(const Elements& elements, std::int64_t index) {
  const auto found = elements.find(index);
  if (found == elements.end()) raise(1403);
  return found->second;
}
Value exists_in(const Elements& elements, std::int64_t index) {
  return boolean(elements.contains(index));
}
Value next_of(const Elements& elements, std::int64_t index) {
  return index_value(elements.upper_bound(index), elements);
}
Value prior_of(const Elements& elements, std::int64_t index) {
  const auto from = elements.lower_bound(index);
  return from == elements.begin() ? make_null(Type::kNumber) : make_int(std::prev(from)->first);
}

using OfTable = Value (*)(const Elements&);
using OfIndex = Value (*)(const Elements&, std::int64_t);

OfTable table_method(const std::string& name) {
  if (name == "COUNT") return count_of;
  if (name == "FIRST") return first_of;
  return name == "LAST" ? last_of : nullptr;
}

OfIndex index_method(const std::string& name) {
  if (name.empty()) return element_of;
  if (name == "EXISTS") return exists_in;
  if (name == "NEXT") return next_of;
  return name == "PRIOR" ? prior_of : nullptr;
}

const Elements& elements_of(const Value& table) {
  static const Elements kNone;
  const auto* found = std::get_if<IndexTableRef>(&table.data);
  return found == nullptr ? kNone : (*found)->elements;
}

DataType element_type(const Value& table) {
  const auto* found = std::get_if<IndexTableRef>(&table.data);
  const DataType type = found == nullptr ? simple_type(Type::kVarchar2) : (*found)->element;
  return is_text(type.type) ? text_type(Type::kVarchar2, 4000, false, false) : type;
}

DataType result_type(const std::string& method, const Value& table) {
  if (method.empty()) return element_type(table);
  return method == "EXISTS" ? simple_type(Type::kBoolean) : plain_number();
}

}  // namespace

std::int64_t table_index(const Value& index, const ConvertContext& c) {
  if (index.is_null()) {
    raise_text(6502, "PL/SQL: numeric or value error: NULL index table key value");
  }
  const auto whole = to_number(index, c).number().rounded(0).to_int();
  if (!whole) raise(1426);
  return *whole;
}

std::optional<BoundExpr> Binder::index_table(const ast::Expr& e) {
  if (env_.variables == nullptr || e.name.size() > 2) return std::nullopt;
  const auto found = env_.variables->find(e.name.front().text);
  if (found == env_.variables->end() || found->second.type != Type::kIndexTable) {
    return std::nullopt;
  }
  // Read when it runs: the block may have assigned it since.
  const Value* const table = &found->second;
  const std::string method = e.name.size() == 2 ? e.name[1].text : std::string();
  BoundExpr out;
  out.type = result_type(method, *table);
  if (const OfTable of_table = table_method(method); of_table != nullptr && e.args.empty()) {
    out.eval = [table, of_table](const Frame&) { return of_table(elements_of(*table)); };
    return out;
  }
  const OfIndex of_index = index_method(method);
  if (of_index == nullptr || e.args.size() != 1) return std::nullopt;
  out.eval = [table, of_index, index = expression(*e.args[0]).eval](const Frame& f) {
    return of_index(elements_of(*table), table_index(index(f), f.context->convert()));
  };
  return out;
}

}  // namespace orasim
