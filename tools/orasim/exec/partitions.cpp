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
    std::vector<Eval> items;
    Parser parser(part.high_value);
    BindEnvironment inner = environment;
    inner.sql = part.high_value;
    const Scope empty;
    while (!parser.at_end()) {
      if (parser.accept("MAXVALUE") || parser.accept("DEFAULT")) {
        items.emplace_back();
      } else {
        items.push_back(Binder(inner, empty).condition(*parser.expression()));
      }
      if (!parser.accept_symbol(",")) break;
    }
    items_.push_back(std::move(items));
  }
}

void Partitions::evaluate(ExecContext& context) const {
  Frame f;
  f.context = &context;
  for (const std::vector<Eval>& items : items_) {
    Bound& bound = bounds_.emplace_back();
    for (const Eval& item : items) {
      bound.push_back(item ? std::optional<Value>(item(f)) : std::nullopt);
    }
  }
}

int Partitions::find(const std::string& name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  return found == names_.end() ? -1 : static_cast<int>(found - names_.begin());
}

bool Partitions::is_below(const Row& key, const Bound& bound, const ExecContext& context) {
  for (std::size_t i = 0; i < key.size() && i < bound.size(); ++i) {
    if (!bound[i]) return true;
    if (key[i].is_null()) return false;  // NULL lies above everything but MAXVALUE
    const auto order = compare(key[i], *bound[i], context.convert());
    if (order != 0) return order < 0;
  }
  return false;
}

bool Partitions::is_listed(const Value& key, const Bound& bound, const ExecContext& context) {
  return std::any_of(bound.begin(), bound.end(), [&](const std::optional<Value>& item) {
    if (!item) return false;
    if (item->is_null() || key.is_null()) return item->is_null() && key.is_null();
    return compare(key, *item, context.convert()) == 0;
  });
}

int Partitions::default_partition() const {
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (items_[i].size() == 1 && !items_[i][0]) return static_cast<int>(i);
  }
  return -1;
}

int Partitions::of_row(const Row& row, std::size_t begin, ExecContext& context) const {
  std::call_once(evaluated_, [&] { evaluate(context); });
  Row key;
  for (const std::size_t column : key_columns_) key.push_back(row[begin + column]);
  if (kind_ == "HASH") {
    if (names_.empty()) return 0;
    return static_cast<int>(std::hash<std::string>{}(row_key(key)) % names_.size());
  }
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    if (kind_ == "RANGE" ? is_below(key, bounds_[i], context)
                         : is_listed(key[0], bounds_[i], context)) {
      return static_cast<int>(i);
    }
  }
  if (kind_ == "LIST") return default_partition();
  return is_interval_ ? static_cast<int>(bounds_.size()) : -1;  // a partition that is yet to come
}

}  // namespace orasim
