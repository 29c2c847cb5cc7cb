#include "connect/postgres/chunk_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using connect::Chunk;
using schema::ParallelLoad;
using schema::ParallelLoadType;

constexpr char kChunkSeparator = '\x1f';  // unit separator: in no name that anybody has given

/// Ranges of row addresses are read without touching the rest since version 14.
constexpr int kRangesSince = 140000;

// The table and its partitions of all levels. A parent's policies do not hold for a partition that
// is read by itself.
constexpr const char* kPartitionTree = R"(
with recursive tree (oid, level) as (
  select c.oid, 0
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p')
  union all
  select i.inhrelid, t.level + 1
    from tree t
    join pg_catalog.pg_class p on p.oid = t.oid and p.relkind = 'p'
    join pg_catalog.pg_inherits i on i.inhparent = t.oid)
select t.level, c.relname, pg_catalog.format('%I.%I', n.nspname, c.relname), c.relkind,
       case when c.relkind = 'r' then pg_catalog.pg_relation_size(c.oid) /
         pg_catalog.current_setting('block_size')::bigint else 0 end,
       case when c.relkind = 'r' then pg_catalog.pg_table_size(c.oid) else 0 end,
       pg_catalog.has_table_privilege(c.oid, 'SELECT') and not c.relrowsecurity
  from tree t
  join pg_catalog.pg_class c on c.oid = t.oid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 order by 1, 3)";

/// A table or partition of the tree.
struct TreeNode {
  std::int64_t level = 0;
  std::string name;
  char kind = 'r';
  bool is_readable = false;  ///< by itself
  Leaf leaf;
};

std::vector<Chunk> numbered(std::vector<Chunk> chunks) {
  for (std::size_t i = 0; i < chunks.size(); ++i) chunks[i].index = static_cast<std::uint32_t>(i);
  return chunks;
}

std::string row_of(const std::vector<std::string>& items) {
  return fmt::format("({})", fmt::join(items, ", "));
}

/// A chunk of `leaf`: its `part`th of `count` parts. The last one is open: rows of this snapshot
/// are nowhere else.
Chunk part_of(const Leaf& leaf, std::int64_t part, std::int64_t count) {
  ChunkText text;
  text.table = leaf.table;
  if (count > 1) {
    text.condition = fmt::format("ctid >= '({},0)'", leaf.blocks * part / count);
    if (part + 1 < count) {
      text.condition += fmt::format(" and ctid < '({},0)'", leaf.blocks * (part + 1) / count);
    }
  }
  Chunk chunk;
  chunk.predicate = text.encode();
  chunk.estimated_bytes = static_cast<std::uint64_t>(leaf.size_bytes / count);
  return chunk;
}

class ChunkPlanner {
 public:
  ChunkPlanner(const schema::TableDef& table, const connect::ChunkHints& hints,
               std::vector<TreeNode> tree, bool has_ranges)
      : table_(table), hints_(hints), tree_(std::move(tree)), has_ranges_(has_ranges) {}

  Result<std::vector<Chunk>> plan() const {
    if (hints_.rule) return by_rule(hints_.rule->type);
    if (tree_.empty()) return whole();
    std::vector<Chunk> chunks = cut_leaves(leaves(), hints_, has_ranges_);
    for (Chunk& chunk : chunks) chunk.estimated_rows = table_.estimated_rows / chunks.size();
    return chunks;
  }

 private:
  [[nodiscard]] Result<std::vector<Chunk>> by_rule(ParallelLoadType type) const {
    if (type == ParallelLoadType::kPartitionsList) return listed();
    if (hints_.in_one) return whole();
    switch (type) {
      case ParallelLoadType::kRanges:
        return cut_ranges(*hints_.rule, may_be_null());
      case ParallelLoadType::kPartitionsAuto:
        return one_each([](const TreeNode& node) { return node.level == 1; });
      case ParallelLoadType::kSubpartitionsAuto:
        return one_each([](const TreeNode& node) { return node.level > 0 && node.kind != 'p'; });
      default:
        return whole();
    }
  }

  [[nodiscard]] std::vector<Chunk> whole() const {
    Chunk chunk;
    chunk.estimated_rows = table_.estimated_rows;
    chunk.estimated_bytes = table_.estimated_bytes;
    if (!tree_.empty()) chunk.estimated_bytes = static_cast<std::uint64_t>(size_of_tree());
    return {chunk};
  }

  [[nodiscard]] std::int64_t size_of_tree() const {
    return std::accumulate(
        tree_.begin(), tree_.end(), std::int64_t{0},
        [](std::int64_t sum, const TreeNode& node) { return sum + node.leaf.size_bytes; });
  }

  /// The table itself where it has no partitions, or some that cannot be read by themselves.
  [[nodiscard]] std::vector<Leaf> leaves() const {
    std::vector<Leaf> out;
    for (const TreeNode& node : tree_) {
      if (node.kind != 'p') out.push_back(node.leaf);
    }
    const bool is_one_table = tree_.size() == 1 && tree_[0].kind == 'r';
    if (is_one_table) out[0].table.clear();
    if (is_one_table || (!out.empty() && are_readable())) return out;
    return {Leaf{{}, 0, size_of_tree()}};
  }

  [[nodiscard]] bool are_readable() const {
    return std::all_of(tree_.begin(), tree_.end(),
                       [](const TreeNode& node) { return node.is_readable; });
  }

  template <class Predicate>
  [[nodiscard]] std::vector<Chunk> one_each(Predicate is_wanted) const {
    std::vector<Chunk> out;
    for (const TreeNode& node : tree_) {
      if (is_wanted(node)) out.push_back(part_of(node.leaf, 0, 1));
    }
    if (out.empty() || !are_readable()) return whole();
    return numbered(std::move(out));
  }

  Result<std::vector<Chunk>> listed() const {
    std::vector<std::string> names = hints_.rule->partitions;
    names.insert(names.end(), hints_.rule->subpartitions.begin(), hints_.rule->subpartitions.end());
    std::vector<Chunk> out;
    std::string any;
    for (const std::string& name : names) {
      const auto node = std::find_if(tree_.begin(), tree_.end(), [&](const TreeNode& candidate) {
        return candidate.level > 0 && candidate.name == name;
      });
      if (node == tree_.end()) return no_such_partition(name);
      out.push_back(part_of(node->leaf, 0, 1));
      any += fmt::format("{}tableoid in (select relid from pg_catalog.pg_partition_tree({}))",
                         any.empty() ? "" : " or ", schema::quote_literal(node->leaf.table));
    }
    if (hints_.in_one) {
      out.assign(1, Chunk{});
      out[0].predicate = ChunkText{{}, any}.encode();
    }
    return numbered(std::move(out));
  }

  [[nodiscard]] Error no_such_partition(const std::string& name) const {
    return make_error(ErrorKind::kSchema, "postgres.unknown_partition",
                      "the table has no partition of a name in its parallel-load rule",
                      "Correct the rule in the table mappings; names are compared exactly, without "
                      "their schema")
        .with("table", to_text(table_.table))
        .with("partition", name);
  }

  [[nodiscard]] bool may_be_null() const {
    return std::any_of(hints_.rule->columns.begin(), hints_.rule->columns.end(),
                       [&](const std::string& name) {
                         const int at = table_.find_column(name);
                         return at < 0 || table_.columns[static_cast<std::size_t>(at)].nullable;
                       });
  }

  const schema::TableDef& table_;
  const connect::ChunkHints& hints_;
  const std::vector<TreeNode> tree_;
  const bool has_ranges_;
};

TreeNode read_tree_node(const Rows& rows, int row) {
  TreeNode node;
  node.level = rows.integer(row, 0);
  node.name = rows.text(row, 1);
  node.leaf.table = rows.text(row, 2);
  node.kind = rows.text(row, 3).front();
  node.leaf.blocks = rows.integer(row, 4);
  node.leaf.size_bytes = rows.integer(row, 5);
  node.is_readable = rows.boolean(row, 6);
  return node;
}

}  // namespace

std::string ChunkText::encode() const {
  return table.empty() ? condition : table + kChunkSeparator + condition;
}

ChunkText ChunkText::decode(const std::string& text) {
  const std::size_t end = text.find(kChunkSeparator);
  if (end == std::string::npos) return {{}, text};
  return {text.substr(0, end), text.substr(end + 1)};
}

std::vector<Chunk> cut_leaves(const std::vector<Leaf>& leaves, const connect::ChunkHints& hints,
                              bool has_ranges) {
  std::int64_t total = 0;
  for (const Leaf& leaf : leaves) total += leaf.size_bytes;
  const std::int64_t wanted = connect::chunk_count(hints, static_cast<std::uint64_t>(total));
  if (wanted == 1) return {part_of(Leaf{{}, 0, total}, 0, 1)};
  const std::int64_t size = std::max<std::int64_t>(total / wanted, 1);
  std::vector<Chunk> out;
  for (const Leaf& leaf : leaves) {
    const std::int64_t most = has_ranges ? leaf.blocks : 1;
    const std::int64_t count =
        std::max<std::int64_t>(std::min((leaf.size_bytes + size / 2) / size, most), 1);
    for (std::int64_t i = 0; i < count; ++i) out.push_back(part_of(leaf, i, count));
  }
  return numbered(std::move(out));
}

Result<std::vector<Chunk>> cut_ranges(const ParallelLoad& rule, bool may_be_null) {
  std::vector<std::string> names;
  for (const std::string& column : rule.columns) {
    WHERRY_ASSIGN(std::string name, schema::quote_identifier(column));
    names.push_back(std::move(name));
  }
  const std::string row = row_of(names);
  std::vector<std::string> bounds;
  for (const std::vector<std::string>& boundary : rule.boundaries) {
    std::vector<std::string> values;
    for (const std::string& value : boundary) values.push_back(schema::quote_literal(value));
    bounds.push_back(row_of(values));
  }
  std::vector<std::string> conditions;
  for (std::size_t i = 0; i <= bounds.size(); ++i) {
    std::string condition = i == 0 ? "" : fmt::format("{} >= {}", row, bounds[i - 1]);
    if (i < bounds.size()) {
      condition += fmt::format("{}{} < {}", i == 0 ? "" : " and ", row, bounds[i]);
    }
    conditions.push_back(std::move(condition));
  }
  if (may_be_null) {
    std::string none;
    for (const std::string& bound : bounds) {
      none += fmt::format("{}({} < {}) is null", none.empty() ? "" : " or ", row, bound);
    }
    conditions.push_back(std::move(none));
  }
  std::vector<Chunk> out;
  for (const std::string& condition : conditions) {
    out.emplace_back().predicate = ChunkText{{}, condition}.encode();
  }
  return numbered(std::move(out));
}

Result<std::vector<Chunk>> plan_chunks(OpContext& context, Connection& session,
                                       const schema::TableDef& table,
                                       const connect::ChunkHints& hints) {
  const std::array parameters = {table.table.schema, table.table.name};
  WHERRY_ASSIGN(const Rows rows,
                session.query(context, "cannot read a table's size", kPartitionTree, parameters));
  std::vector<TreeNode> tree;  // empty: a view or a foreign table
  for (int r = 0; r < rows.count(); ++r) tree.push_back(read_tree_node(rows, r));
  return ChunkPlanner(table, hints, std::move(tree), session.server_version() >= kRangesSince)
      .plan();
}

}  // namespace wherry::postgres
