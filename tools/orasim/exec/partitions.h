// Which partition a row belongs to, from the bounds that CREATE TABLE gave.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "exec/executor.h"

namespace orasim {

class Partitions {
 public:
  Partitions(const TableDef& table, const BindEnvironment& environment);
  /// Index of a partition by its name, or -1.
  [[nodiscard]] int find(const std::string& name) const;
  /// Index of the partition of the row whose columns begin at slot `begin`; -1: there is none.
  [[nodiscard]] int of_row(const Row& row, std::size_t begin, ExecContext& context) const;

 private:
  /// The items of a VALUES clause; nullopt is MAXVALUE or DEFAULT.
  using Bound = std::vector<std::optional<Value>>;
  /// They are constants, and most rows are compared with many of them.
  void evaluate(ExecContext& context) const;
  static bool is_below(const Row& key, const Bound& bound, const ExecContext& context);
  static bool is_listed(const Value& key, const Bound& bound, const ExecContext& context);
  [[nodiscard]] int default_partition() const;

  std::string kind_;
  bool is_interval_;
  std::vector<std::string> names_;
  std::vector<std::size_t> key_columns_;
  std::vector<std::vector<Eval>> items_;  // an empty eval is MAXVALUE or DEFAULT
  mutable std::once_flag evaluated_;
  mutable std::vector<Bound> bounds_;  // what the items are
};

}  // namespace orasim
