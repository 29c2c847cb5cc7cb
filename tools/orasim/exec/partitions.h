// Which partition a row belongs to, from the bounds that CREATE TABLE gave.
#pragma once

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
  /// One item of VALUES; an empty eval is MAXVALUE or DEFAULT.
  struct Bound {
    std::vector<Eval> values;
  };
  [[nodiscard]] bool is_below(const Row& key, const Bound& bound, const Frame& f) const;
  [[nodiscard]] bool is_listed(const Value& key, const Bound& bound, const Frame& f) const;
  [[nodiscard]] int default_partition() const;

  std::string kind_;
  bool is_interval_;
  std::vector<std::string> names_;
  std::vector<std::size_t> key_columns_;
  std::vector<Bound> bounds_;
};

}  // namespace orasim
