// Aggregate functions: what a call is, and how its result grows row by row.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "exec/executor.h"

namespace orasim {

struct SortKey {
  Eval eval;
  bool descending = false, nulls_first = false;
};
/// Below, at or above zero, as ORDER BY puts values of these keys.
int compare_keys(const std::vector<SortKey>& keys, const Row& a, const Row& b,
                 const ConvertContext& c);
Row key_values(const std::vector<SortKey>& keys, const Frame& f);

/// An aggregate call found while binding the select list, HAVING or ORDER BY.
struct Aggregate {
  std::string name;
  bool distinct = false, star = false;
  Eval argument, second;
  DataType argument_type;
  std::vector<SortKey> order;  ///< WITHIN GROUP, KEEP
  std::string keep;            ///< FIRST or LAST of KEEP (DENSE_RANK …)
  int position = 0;            ///< in the statement, for errors
};
DataType result_type(const Aggregate& call);
bool is_aggregate_name(const std::string& name);

/// Takes rows one after another; result() may be asked at any time, also in between.
class Accumulator {
 public:
  virtual ~Accumulator() = default;
  virtual void add(const Frame& f) = 0;
  [[nodiscard]] virtual Value result(const ConvertContext& c) const = 0;
};
/// `call` must outlive the accumulator.
std::unique_ptr<Accumulator> make_accumulator(const Aggregate& call);

}  // namespace orasim
