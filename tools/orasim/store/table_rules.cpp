#include "store/table_rules.h"

namespace orasim {
namespace {

bool is_open(const Version& v) {
  return v.tx->commit_scn.load(std::memory_order_acquire) == 0 && v.tx->owner != nullptr;
}

bool has_key(const Version* v, KeyIndex& index, std::string_view key, std::string& scratch) {
  return v != nullptr && v->kind() == VersionKind::kRow && index.key_of(v->image(), scratch) &&
         scratch.starts_with(key);
}

/// Newest data version that is committed.
const Version* committed_base(const Version* v) {
  while (v != nullptr && (v->kind() == VersionKind::kLock || is_open(*v))) v = v->previous;
  return v;
}

}  // namespace

TransactionImpl* lock_holder(const RowSlot& slot, const TxRecord* own) {
  const Version* v = slot.head.load(std::memory_order_relaxed);
  if (v == nullptr || v->tx == own || !is_open(*v)) return nullptr;
  return v->tx->owner;
}

KeySearch find_key(const Segment& segment, KeyIndex& index, std::string_view key,
                   const TxRecord* own, std::optional<std::uint64_t> except,
                   std::vector<std::uint64_t>* rows) {
  KeySearch result;
  std::string scratch;
  index.entries.visit_prefix(key, [&](std::uint64_t ordinal) {
    if (except == ordinal) return true;
    const Version* newest = newest_data(segment.slot(ordinal));
    if (newest == nullptr) return true;
    if (newest->tx != own && is_open(*newest)) {
      if (has_key(newest, index, key, scratch) ||
          has_key(committed_base(newest), index, key, scratch)) {
        result.blocker = newest->tx->owner;
      }
      return true;
    }
    if (!has_key(newest, index, key, scratch)) return true;
    result.found = true;
    if (rows != nullptr) rows->push_back(ordinal);
    return rows != nullptr;
  });
  return result;
}

void ChildRule::prepare() {
  if (index != nullptr) return;
  const Segment::Match match = child->index_for(child_columns);
  if (match.index == nullptr) {
    throw OraError(600, "internal error code, arguments: [foreign key index], [" + name + "]");
  }
  std::vector<KeyExtractor::Part> parts;
  for (const std::size_t i : match.order) parts.push_back(parent_key.parts()[i]);
  key.emplace(std::move(parts));
  index = match.index;
}

}  // namespace orasim
