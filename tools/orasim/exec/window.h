// Analytic calls: f (…) OVER (PARTITION BY … ORDER BY … frame).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "exec/aggregate.h"

namespace orasim {

/// A row that is kept until the block is complete, with what its frame knew beside it.
struct KeptRow {
  Row row;
  std::int64_t rownum = 0, level = 0;
  const Row* prior = nullptr;
  std::shared_ptr<const TreePlace> tree;
};
Frame frame_of(const KeptRow& kept, const Frame* outer, ExecContext& context);

struct Analytic {
  Aggregate call;
  std::vector<Eval> arguments;
  std::vector<Eval> partition;
  std::vector<SortKey> order;
  bool ignore_nulls = false;
  bool has_frame = false;
  bool rows = false;  ///< ROWS, else RANGE
  ast::FrameBound from = ast::FrameBound::kUnboundedPreceding;
  ast::FrameBound to = ast::FrameBound::kCurrentRow;
  Eval from_offset, to_offset;
};
bool is_analytic_name(const std::string& name);
DataType result_type(const Analytic& call);

/// Writes the results into slots `base`, `base` + 1, … of every row.
void compute_analytics(const std::vector<Analytic>& calls, std::size_t base,
                       std::vector<KeptRow>& rows, const Frame* outer, ExecContext& context);

}  // namespace orasim
