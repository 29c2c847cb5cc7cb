#include "connect/oracle/chunk_planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "connect/oracle/chunk_plan.h"
#include "connect/oracle/errors.h"

namespace wherry::oracle {
namespace {

using schema::ParallelLoadType;

constexpr const char* kStorageSql =
    "select partitioned, iot_type, cluster_name from all_tables "
    "where owner = :1 and table_name = :2";
constexpr const char* kPartitionsSql =
    "select partition_name, composite from all_tab_partitions "
    "where table_owner = :1 and table_name = :2 order by partition_position";
constexpr const char* kUnlistedSql =
    "select partition_name, num_rows from all_tab_partitions "
    "where table_owner = :1 and table_name = :2 order by partition_position";
constexpr const char* kSubpartitionsSql =
    "select partition_name, subpartition_name from all_tab_subpartitions "
    "where table_owner = :1 and table_name = :2 order by partition_name, subpartition_position";
// The segment of a subpartition bears its name in PARTITION_NAME.
constexpr const char* kExtentsSql =
    "select partition_name, relative_fno, block_id, blocks, bytes from dba_extents "
    "where owner = :1 and segment_name = :2 and segment_type like 'TABLE%' "
    "order by partition_name, relative_fno, block_id";
constexpr const char* kObjectsSql =
    "select subobject_name, data_object_id from all_objects "
    "where owner = :1 and object_name = :2 and object_type like 'TABLE%' "
    "and data_object_id is not null";

struct Storage {
  bool is_partitioned = false;
  bool has_rowid_ranges = true;
};

std::uint64_t number_in(const TextRow& row, std::size_t i) {
  std::uint64_t value = 0;
  if (!row[i]) return 0;
  std::from_chars(row[i]->data(), row[i]->data() + row[i]->size(), value);
  return value;
}

class Planner {
 public:
  Planner(OpContext& context, Session& session, const schema::TableDef& table,
          const connect::ChunkHints& hints)
      : context_(context), session_(session), table_(table), hints_(hints) {}

  Result<std::vector<connect::Chunk>> plan() {
    if (hints_.rule) return by_rule(*hints_.rule);
    if (hints_.max_chunks <= 1 || schema::is_view(table_.kind)) return whole();
    // What the catalogue tells of the size is enough to leave small tables alone.
    const bool may_be_large =
        table_.estimated_bytes == 0 || connect::chunk_count(hints_, table_.estimated_bytes) > 1;
    if (!may_be_large) return whole();
    WHERRY_ASSIGN(const Storage storage, read_storage());
    if (storage.is_partitioned) return by_leaves(true);
    return storage.has_rowid_ranges ? by_leaves(false) : whole();
  }

 private:
  Result<std::vector<connect::Chunk>> whole() const {
    connect::Chunk chunk;
    chunk.estimated_rows = table_.estimated_rows;
    chunk.estimated_bytes = table_.estimated_bytes;
    return std::vector<connect::Chunk>{chunk};
  }

  Result<std::vector<connect::Chunk>> by_rule(const schema::ParallelLoad& rule) {
    switch (rule.type) {
      case ParallelLoadType::kNone:
        return whole();
      case ParallelLoadType::kRanges:
        return hints_.in_one ? whole() : cut_ranges(rule, may_be_null(rule));
      case ParallelLoadType::kPartitionsList:
        return listed(rule);
      case ParallelLoadType::kPartitionsAuto:
      case ParallelLoadType::kSubpartitionsAuto:
        break;
    }
    WHERRY_ASSIGN(const auto leaves, partitions(rule.type == ParallelLoadType::kSubpartitionsAuto));
    return leaves.empty() ? whole() : cut_leaves(leaves, uncut(), table_.estimated_rows);
  }

  [[nodiscard]] bool may_be_null(const schema::ParallelLoad& rule) const {
    return std::any_of(rule.columns.begin(), rule.columns.end(), [&](const std::string& name) {
      const int column = table_.find_column(name);
      return column < 0 || table_.columns[static_cast<std::size_t>(column)].nullable;
    });
  }

  Result<std::vector<connect::Chunk>> listed(const schema::ParallelLoad& rule) {
    std::vector<Leaf> leaves;
    std::string all;
    for (const auto& [kind, list] : {std::pair{"partition", &rule.partitions},
                                     std::pair{"subpartition", &rule.subpartitions}}) {
      for (const std::string& name : *list) {
        leaves.push_back({partition_clause(kind, name), {}, {}});
        all += (all.empty() ? std::string() : std::string(1, kNextPartition)) +
               leaves.back().partition;
      }
    }
    if (hints_.in_one) return cut_leaves(std::vector<Leaf>{Leaf{all, {}, {}}}, uncut(), 0);
    WHERRY_TRY(tell_what_is_left_out(rule));
    return cut_leaves(leaves, uncut(), 0);
  }

  /// The rule's author knows, or has forgotten a partition that was added later.
  Result<void> tell_what_is_left_out(const schema::ParallelLoad& rule) {
    WHERRY_ASSIGN(const auto parts, session_.rows(context_, kUnlistedSql, names()));
    std::map<std::string, std::vector<std::string>> subpartitions;
    WHERRY_ASSIGN(const auto subs, session_.rows(context_, kSubpartitionsSql, names()));
    for (const TextRow& row : subs) {
      subpartitions[row[0].value_or("")].push_back(row[1].value_or(""));
    }
    const auto is_in = [](const std::vector<std::string>& list, const std::string& name) {
      return std::find(list.begin(), list.end(), name) != list.end();
    };
    std::string left_out;
    std::uint64_t count = 0;
    std::uint64_t rows = 0;
    for (const TextRow& row : parts) {
      const std::string name = row[0].value_or("");
      if (is_in(rule.partitions, name)) continue;
      const auto& own = subpartitions[name];
      const auto unlisted = std::count_if(own.begin(), own.end(), [&](const std::string& sub) {
        return !is_in(rule.subpartitions, sub);
      });
      if (!own.empty() && unlisted == 0) continue;
      ++count;
      rows += number_in(row, 1);
      left_out += (left_out.empty() ? "" : ", ") + name;
    }
    if (count == 0) return {};
    context_.log.as(Component::kSourceUnload)
        .warn(
            "partitions-list leaves rows out: they are in partitions that it does not name, or of "
            "which it names some subpartitions only",
            {{"table", schema::to_text(table_.table)},
             {"partitions", left_out},
             {"count", std::to_string(count)},
             {"rows by statistics", std::to_string(rows)}});
    return {};
  }

  static connect::ChunkHints uncut() {
    connect::ChunkHints hints;
    hints.max_chunks = 1;
    return hints;
  }

  Result<Storage> read_storage() {
    WHERRY_ASSIGN(const auto rows, session_.rows(context_, kStorageSql, names()));
    Storage storage;
    if (rows.empty()) return storage;
    storage.is_partitioned = rows[0][0] == "YES";
    storage.has_rowid_ranges = !rows[0][1] && !rows[0][2];
    return storage;
  }

  /// Partitions, or what they consist of where they have subpartitions and `goes_deep`.
  Result<std::vector<Leaf>> partitions(bool goes_deep) {
    WHERRY_ASSIGN(const auto rows, session_.rows(context_, kPartitionsSql, names()));
    std::vector<Leaf> leaves;
    bool is_composite = false;
    for (const TextRow& row : rows) {
      is_composite = is_composite || row[1] == "YES";
      leaves.push_back({partition_clause("partition", row[0].value_or("")), {}, {}});
      leaf_names_.push_back(row[0].value_or(""));
    }
    if (!goes_deep || !is_composite) return leaves;
    WHERRY_ASSIGN(const auto parts, session_.rows(context_, kSubpartitionsSql, names()));
    leaves.clear();
    leaf_names_.clear();
    for (const TextRow& row : parts) {
      leaves.push_back({partition_clause("subpartition", row[1].value_or("")), {}, {}});
      leaf_names_.push_back(row[1].value_or(""));
    }
    return leaves;
  }

  Result<std::vector<connect::Chunk>> by_leaves(bool is_partitioned) {
    std::vector<Leaf> leaves;
    if (is_partitioned) {
      WHERRY_ASSIGN(leaves, partitions(true));
      if (leaves.empty() || leaves.size() > hints_.max_chunks) return whole();
    } else {
      leaves.emplace_back();
      leaf_names_.emplace_back();
    }
    WHERRY_ASSIGN(bool is_shown, add_extents(leaves));
    if (!is_shown) {
      WHERRY_ASSIGN(is_shown, add_sampled_blocks(leaves));
    }
    if (!is_shown && !is_partitioned) return whole();
    auto chunks = cut_leaves(leaves, hints_, table_.estimated_rows);
    if (chunks.size() == 1 && !is_partitioned) chunks[0].predicate.clear();
    return chunks;
  }

  /// False when the account may not see them.
  Result<bool> add_extents(std::vector<Leaf>& leaves) {
    auto extents = session_.rows(context_, kExtentsSql, names());
    if (!extents.ok()) {
      const std::string& code = extents.error().native_code;
      if (code == ora_code(942) || code == ora_code(1031)) return false;
      return std::move(extents).error();
    }
    WHERRY_TRY(set_objects(leaves));
    const auto by_name = leaves_by_name();
    for (const TextRow& row : *extents) {
      const auto leaf = by_name.find(row[0].value_or(""));
      if (leaf == by_name.end() || number_in(row, 3) == 0) continue;
      leaves[leaf->second].extents.push_back({static_cast<std::uint32_t>(number_in(row, 1)),
                                              number_in(row, 2), number_in(row, 3),
                                              number_in(row, 4)});
    }
    return true;
  }

  [[nodiscard]] std::map<std::string, std::size_t> leaves_by_name() const {
    std::map<std::string, std::size_t> by_name;
    for (std::size_t i = 0; i < leaf_names_.size(); ++i) by_name[leaf_names_[i]] = i;
    return by_name;
  }

  Result<void> set_objects(std::vector<Leaf>& leaves) {
    WHERRY_ASSIGN(const auto objects, session_.rows(context_, kObjectsSql, names()));
    const auto by_name = leaves_by_name();
    for (const TextRow& row : objects) {
      const auto leaf = by_name.find(row[0].value_or(""));
      if (leaf == by_name.end()) continue;
      leaves[leaf->second].data_object = static_cast<std::uint32_t>(number_in(row, 1));
    }
    return {};
  }

  /// Where extents are not shown, some blocks are asked for their address: SAMPLE BLOCK reads so
  /// many percent of the table and needs no right but SELECT. The ranges between them leave nothing
  /// out, whatever was found.
  Result<bool> add_sampled_blocks(std::vector<Leaf>& leaves) {
    WHERRY_TRY(set_objects(leaves));
    std::map<std::uint32_t, Leaf*> by_object;
    for (Leaf& leaf : leaves) {
      if (leaf.data_object) by_object[*leaf.data_object] = &leaf;
    }
    BlockSampling sampling(hints_, table_.estimated_bytes);
    std::vector<BlockAddress> blocks;
    do {
      auto found = sampled_blocks(sampling.percent());
      if (!found.ok()) {
        const ErrorKind kind = found.error().kind;
        if (kind == ErrorKind::kTransient || kind == ErrorKind::kCancelled) {
          return std::move(found).error();
        }
        tell_uncut(found.error());
        return false;
      }
      blocks = *std::move(found);
    } while (!sampling.is_enough(blocks.size()));
    std::sort(blocks.begin(), blocks.end());
    for (const BlockAddress& block : blocks) {
      // The dictionary does not tell the number of every table's object.
      if (leaves.size() == 1 && !leaves[0].data_object) {
        leaves[0].data_object = block.data_object;
        by_object[block.data_object] = leaves.data();
      }
      const auto leaf = by_object.find(block.data_object);
      if (leaf == by_object.end()) continue;
      leaf->second->extents.push_back({block.file, block.block, 1, sampling.bytes_per_block()});
    }
    return true;
  }

  Result<std::vector<BlockAddress>> sampled_blocks(double percent) {
    // The name comes from the dictionary, where none has a quotation mark.
    const std::string sql = fmt::format(
        R"(select distinct substr(rowidtochar(rowid), 1, 15) from "{}"."{}" sample block ({:.6f}))",
        table_.table.schema, table_.table.name, percent);
    WHERRY_ASSIGN(const auto rows, session_.rows(context_, sql));
    std::vector<BlockAddress> out;
    for (const TextRow& row : rows) {
      if (const auto block = block_of_rowid(row[0].value_or(""))) out.push_back(*block);
    }
    return out;
  }

  void tell_uncut(const Error& cause) const {
    context_.log.as(Component::kSourceUnload)
        .warn("the table cannot be cut by row addresses and is read in one piece",
              {{"table", schema::to_text(table_.table)},
               {"cause", cause.to_log_text()},
               {"remedy",
                "grant select on sys.dba_extents to the source user, or add a "
                "parallel-load rule"}});
  }

  [[nodiscard]] std::vector<Bind> names() const {
    return {Bind::text(table_.table.schema), Bind::text(table_.table.name)};
  }

  OpContext& context_;
  Session& session_;
  const schema::TableDef& table_;
  const connect::ChunkHints& hints_;
  std::vector<std::string> leaf_names_;
};

}  // namespace

Result<std::vector<connect::Chunk>> plan_chunks(OpContext& context, Session& session,
                                                const schema::TableDef& table,
                                                const connect::ChunkHints& hints) {
  return Planner(context, session, table, hints).plan();
}

}  // namespace wherry::oracle
