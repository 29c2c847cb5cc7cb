#include "connect/oracle/chunk_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "connect/oracle/wire/rowid.h"

namespace wherry::oracle {
namespace {

constexpr char kSeparator = '\x1f';  // unit separator: in no name that anybody has given

std::string literal(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

/// The row lies below the boundary: the leading columns decide first.
std::string below(const schema::ParallelLoad& rule, const std::vector<std::string>& boundary) {
  std::string out;
  std::string equal;
  for (std::size_t i = 0; i < rule.columns.size() && i < boundary.size(); ++i) {
    const std::string column = "\"" + rule.columns[i] + "\"";
    if (!out.empty()) out += " or ";
    out += fmt::format("({}{} < {})", equal, column, literal(boundary[i]));
    equal += fmt::format("{} = {} and ", column, literal(boundary[i]));
  }
  return "(" + out + ")";
}

/// A NULL leaves it open whether the row lies below the boundary: it comes where the columns before
/// it equal those of the boundary.
std::vector<std::string> undecided(const schema::ParallelLoad& rule,
                                   const std::vector<std::string>& boundary) {
  std::vector<std::string> out;
  std::string equal;
  for (std::size_t i = 0; i < rule.columns.size() && i < boundary.size(); ++i) {
    const std::string column = "\"" + rule.columns[i] + "\"";
    out.push_back(fmt::format("({}{} is null)", equal, column));
    equal += fmt::format("{} = {} and ", column, literal(boundary[i]));
  }
  return out;
}

std::string in_no_range(const schema::ParallelLoad& rule) {
  std::vector<std::string> terms;
  for (const auto& boundary : rule.boundaries) {
    for (std::string& term : undecided(rule, boundary)) {
      if (std::find(terms.begin(), terms.end(), term) == terms.end()) {
        terms.push_back(std::move(term));
      }
    }
  }
  return fmt::format("({})", fmt::join(terms, " or "));
}

class LeafCutter {
 public:
  LeafCutter(std::uint64_t chunk_bytes, std::vector<connect::Chunk>& out)
      : chunk_bytes_(chunk_bytes), out_(out) {}

  void cut(const Leaf& leaf) {
    const std::vector<std::string> borders = borders_of(leaf);
    const std::uint64_t bytes = leaf.bytes() / (borders.size() + 1);
    for (std::size_t i = 0; i <= borders.size(); ++i) {
      ChunkText text;
      text.partition = leaf.partition;
      if (i > 0) text.from = borders[i - 1];
      if (i < borders.size()) text.to = borders[i];
      add(text, bytes);
    }
  }

 private:
  /// Where a new chunk begins: after about every chunk_bytes, also inside an extent.
  [[nodiscard]] std::vector<std::string> borders_of(const Leaf& leaf) const {
    std::vector<std::string> borders;
    const std::uint64_t total = leaf.bytes();
    const std::uint64_t count = std::max<std::uint64_t>(1, total / chunk_bytes_);
    if (!leaf.data_object || count == 1) return borders;
    std::uint64_t before = 0;
    std::uint64_t next = 1;
    for (const Extent& extent : leaf.extents) {
      for (; next < count; ++next) {
        const std::uint64_t at = total / count * next;
        if (at >= before + extent.bytes) break;
        const std::uint64_t block_bytes = std::max<std::uint64_t>(1, extent.bytes / extent.blocks);
        const std::uint64_t block = extent.block + (at - before) / block_bytes;
        borders.push_back(rowid_of_block(*leaf.data_object, extent.file, block));
      }
      before += extent.bytes;
    }
    return borders;
  }

  void add(const ChunkText& text, std::uint64_t bytes) {
    connect::Chunk chunk;
    chunk.index = static_cast<std::uint32_t>(out_.size());
    chunk.predicate = text.encode();
    chunk.estimated_bytes = bytes;
    out_.push_back(std::move(chunk));
  }

  const std::uint64_t chunk_bytes_;
  std::vector<connect::Chunk>& out_;
};

}  // namespace

std::string ChunkText::encode() const {
  if (partition.empty() && from.empty() && to.empty() && condition.empty()) return {};
  return partition + kSeparator + from + kSeparator + to + kSeparator + condition;
}

Result<ChunkText> ChunkText::decode(const std::string& text) {
  ChunkText out;
  if (text.empty()) return out;
  std::size_t at = 0;
  for (std::string* part : {&out.partition, &out.from, &out.to}) {
    const std::size_t end = text.find(kSeparator, at);
    if (end == std::string::npos) {
      return make_error(ErrorKind::kConfig, "oracle.bad_chunk",
                        "a part of a table is none of an Oracle database's",
                        "Start the task again with --start reload-target");
    }
    *part = text.substr(at, end - at);
    at = end + 1;
  }
  out.condition = text.substr(at);
  return out;
}

std::uint64_t Leaf::bytes() const {
  std::uint64_t total = 0;
  for (const Extent& extent : extents) total += extent.bytes;
  return total;
}

std::string rowid_of_block(std::uint32_t data_object, std::uint32_t file, std::uint64_t block) {
  const std::uint64_t address = (static_cast<std::uint64_t>(file & 1023U) << 22U) + block;
  wire::RowidParts parts;
  parts.object = data_object;
  parts.file = static_cast<std::uint16_t>((address >> 22U) & 1023U);
  parts.block = static_cast<std::uint32_t>(address & 0x3F'FFFFU);
  parts.slot = 0;
  return wire::rowid_text(parts);
}

std::optional<BlockAddress> block_of_rowid(std::string_view rowid) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::size_t kObject = 6, kFile = 3, kBlock = 6;
  if (rowid.size() < kObject + kFile + kBlock) return std::nullopt;
  std::size_t at = 0;
  bool is_valid = true;
  const auto number = [&](std::size_t length) {
    std::uint64_t value = 0;
    for (const std::size_t end = at + length; at < end; ++at) {
      const std::size_t digit = kDigits.find(rowid[at]);
      is_valid = is_valid && digit != std::string_view::npos;
      value = value * 64 + digit % 64;
    }
    return value;
  };
  BlockAddress out;
  out.data_object = static_cast<std::uint32_t>(number(kObject));
  out.file = static_cast<std::uint32_t>(number(kFile));
  out.block = number(kBlock);
  return is_valid ? std::optional(out) : std::nullopt;
}

BlockSampling::BlockSampling(const connect::ChunkHints& hints, std::uint64_t known_bytes)
    : hints_(hints) {
  // Of a table of unknown size a little is looked at first: it may be very large.
  constexpr double kFirstPercent = 0.01;
  percent_ = kFirstPercent;
  if (known_bytes != 0) aim_at(static_cast<double>(known_bytes) / kAssumedBlockBytes);
}

double BlockSampling::wanted(double blocks) const {
  const auto bytes = static_cast<std::uint64_t>(blocks * kAssumedBlockBytes);
  return static_cast<double>(connect::chunk_count(hints_, bytes) * kBlocksPerChunk);
}

void BlockSampling::aim_at(double blocks) {
  constexpr double kLeast = 0.000001, kMost = 50;  // Oracle's limits are 0.000001 and 100
  percent_ = std::clamp(100 * wanted(blocks) / std::max(blocks, 1.0), kLeast, kMost);
}

bool BlockSampling::is_enough(std::uint64_t found) {
  constexpr int kMostRounds = 4;
  constexpr double kMore = 50;
  const double blocks = static_cast<double>(found) * 100 / percent_;
  const double before = percent_;
  if (++rounds_ == kMostRounds || static_cast<double>(found) * 2 >= wanted(blocks)) return true;
  aim_at(found == 0 ? wanted(0) * 100 / (percent_ * kMore) : blocks);
  if (percent_ > before) return false;
  percent_ = before;
  return true;
}

std::uint64_t BlockSampling::bytes_per_block() const {
  return static_cast<std::uint64_t>(kAssumedBlockBytes * 100 / percent_);
}

std::string partition_clause(const char* kind, const std::string& name) {
  return fmt::format("{} (\"{}\")", kind, name);
}

std::vector<connect::Chunk> cut_leaves(const std::vector<Leaf>& leaves,
                                       const connect::ChunkHints& hints,
                                       std::uint64_t estimated_rows) {
  std::uint64_t total = 0;
  for (const Leaf& leaf : leaves) total += leaf.bytes();
  const std::uint64_t chunk_bytes =
      std::max<std::uint64_t>(1, total / connect::chunk_count(hints, total));
  std::vector<connect::Chunk> chunks;
  LeafCutter cutter(chunk_bytes, chunks);
  for (const Leaf& leaf : leaves) cutter.cut(leaf);
  for (connect::Chunk& chunk : chunks) {
    const double part =
        total == 0 ? 0.0 : static_cast<double>(chunk.estimated_bytes) / static_cast<double>(total);
    chunk.estimated_rows = static_cast<std::uint64_t>(part * static_cast<double>(estimated_rows));
  }
  return chunks;
}

std::vector<connect::Chunk> cut_ranges(const schema::ParallelLoad& rule, bool may_be_null) {
  std::vector<std::string> conditions;
  for (std::size_t i = 0; i <= rule.boundaries.size(); ++i) {
    std::string& condition = conditions.emplace_back();
    if (i > 0) condition = "not " + below(rule, rule.boundaries[i - 1]);
    if (i < rule.boundaries.size()) {
      condition += (i > 0 ? " and " : "") + below(rule, rule.boundaries[i]);
    }
  }
  if (may_be_null) conditions.push_back(in_no_range(rule));
  std::vector<connect::Chunk> chunks;
  for (std::string& condition : conditions) {
    ChunkText text;
    text.condition = std::move(condition);
    connect::Chunk chunk;
    chunk.index = static_cast<std::uint32_t>(chunks.size());
    chunk.predicate = text.encode();
    chunks.push_back(std::move(chunk));
  }
  return chunks;
}

}  // namespace wherry::oracle
