#include "exec/partitions.h"

#include <algorithm>
#include <functional>

#include "exec/binder.h"
#include "exec/parser.h"

namespace orasim {

Partitions::Partitions(const TableDef& table, const BindEnvironment& environment)
    : kind_(table.partition_by), is_interval_(table.interval_partitioned) {
  for (const std::string& column : table.partition_columns)
    key_columns_.push_back(static_cast<std::size_t>(std::max(0, table.find_column(column))));
  for (const PartitionDef& part : table.partitions) {
    names_.push_back(part.name);
    Bound bound;
    Parser parser(part.high_value);
    BindEnvironment inner = environment;
    inner.sql = part.high_value;
    const Scope empty;
    while (!parser.at_end()) {
      if (parser.accept("MAXVALUE") || parser.accept("DEFAULT")) {
        bound.values.emplace_back();
      } else {
        bound.values.push_back(Binder(inner, empty).condition(*parser.expression()));
      }
      if (!parser.accept_symbol(",")) break;
    }
    bounds_.push_back(std::move(bound));
  }
}

int Partitions::find(const std::string& name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  return found == names_.end() ? -1 : static_cast<int>(found - names_.begin());
}

bool Partitions::is_below(const Row& key, const Bound& bound, const Frame& f) const {
  for (std::size_t i = 0; i < key.size() && i < bound.values.size(); ++i) {
    if (!bound.values[i]) return true;
    if (key[i].is_null()) return false;  // NULL lies above everything but MAXVALUE
    const auto order = compare(key[i], bound.values[i](f), f.context->convert());
    if (order != 0) return order < 0;
  }
  return false;
}

bool Partitions::is_listed(const Value& key, const Bound& bound, const Frame& f) const {
  return std::any_of(bound.values.begin(), bound.values.end(), [&](const Eval& eval) {
    if (!eval) return false;
    const Value v = eval(f);
    if (v.is_null() || key.is_null()) return v.is_null() && key.is_null();
    return compare(key, v, f.context->convert()) == 0;
  });
}

int Partitions::default_partition() const {
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    if (bounds_[i].values.size() == 1 && !bounds_[i].values[0]) return static_cast<int>(i);
  }
  return -1;
}

int Partitions::of_row(const Row& row, std::size_t begin, ExecContext& context) const {
  Frame f;
  f.context = &context;
  Row key;
  for (const std::size_t column : key_columns_) key.push_back(row[begin + column]);
  if (kind_ == "HASH") {
    if (names_.empty()) return 0;
    return static_cast<int>(std::hash<std::string>{}(row_key(key)) % names_.size());
  }
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    if (kind_ == "RANGE" ? is_below(key, bounds_[i], f) : is_listed(key[0], bounds_[i], f))
      return static_cast<int>(i);
  }
  if (kind_ == "LIST") return default_partition();
  return is_interval_ ? static_cast<int>(bounds_.size()) : -1;  // a partition that is yet to come
}

}  // namespace orasim
