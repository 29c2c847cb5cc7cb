// Rows of FROM after WHERE, with ROWNUM and, under CONNECT BY, their place in the tree.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "exec/query_plan.h"

namespace orasim {

/// The rows that CONNECT BY reaches, parents before children.
class TreeWalk {
 public:
  TreeWalk(const HierarchyPlan& plan, std::vector<KeptRow> rows, ExecContext& context,
           const Frame* outer);
  /// The row lives until the walk ends; its place until the next call.
  bool next(Frame& f);

 private:
  struct Node {
    std::size_t row = 0;
    std::vector<std::size_t> ancestors;
  };
  bool next_level(Frame& f);
  void index_children();
  std::vector<std::size_t> candidates(const Frame& parent) const;
  std::vector<std::size_t> children(const Node& node, bool& is_cycle) const;
  void order_siblings(std::vector<std::size_t>& rows) const;
  Frame frame(std::size_t row, std::int64_t level, const Row* prior) const;

  const HierarchyPlan& plan_;
  std::vector<KeptRow> rows_;
  ExecContext& context_;
  const Frame* outer_;
  std::unordered_map<std::string, std::vector<std::size_t>> by_key_;
  std::vector<Node> stack_;
  TreePlace place_;
  std::int64_t level_ = 0;  ///< of the walk over one row
};

class FilteredRows {
 public:
  FilteredRows(const BlockPlan& plan, ExecContext& context, const Frame* outer);
  /// The row lives in the given frame until the next call.
  bool next(Frame& f);

 private:
  bool passes(const Frame& f);
  bool next_candidate(Frame& f);

  const BlockPlan& plan_;
  ExecContext& context_;
  const Frame* outer_;
  std::unique_ptr<RowStream> rows_;
  std::unique_ptr<TreeWalk> tree_;
  Row row_;
  std::int64_t count_ = 0;
  bool ended_ = false;
};

}  // namespace orasim
