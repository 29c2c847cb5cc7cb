#include "store/key_index.h"

#include <algorithm>
#include <utility>

namespace orasim {
namespace {

constexpr std::size_t kLeafSize = 128;

int compare(std::string_view a, std::uint64_t row_a, std::string_view b, std::uint64_t row_b) {
  if (const int by_key = a.compare(b); by_key != 0) return by_key;
  return row_a < row_b ? -1 : (row_a > row_b ? 1 : 0);
}

}  // namespace

void append_key_part(Type type, const Field& field, std::string& key) {
  if (field.is_null()) {
    key.push_back('\xFF');
    return;
  }
  std::string_view payload(field.data, field.size);
  if (type == Type::kChar) {
    const auto last = payload.find_last_not_of(' ');
    payload = payload.substr(0, last == std::string_view::npos ? 0 : last + 1);
  } else if (type == Type::kTimestampTz || type == Type::kTimestampLtz) {
    payload = payload.substr(0, 11);  // the instant; the zone it was given in does not count
  }
  key.push_back('\x01');
  for (std::size_t at = 0;;) {
    const auto zero = payload.find('\0', at);
    key.append(payload.substr(at, zero - at));
    if (zero == std::string_view::npos) break;
    key.append("\x00\xFF", 2);
    at = zero + 1;
  }
  key.append("\x00\x01", 2);
}

OrderedIndex::Place OrderedIndex::lower_bound(std::string_view key, std::uint64_t row) const {
  // The last leaf whose first entry is not behind the wanted one.
  const auto behind =
      std::partition_point(leaves_.begin(), leaves_.end(), [&](const std::unique_ptr<Leaf>& leaf) {
        return compare(leaf->front().key, leaf->front().row, key, row) <= 0;
      });
  if (behind == leaves_.begin()) return {};
  const auto leaf = static_cast<std::size_t>(behind - leaves_.begin()) - 1;
  const Leaf& entries = *leaves_[leaf];
  const auto at = std::partition_point(entries.begin(), entries.end(), [&](const Entry& e) {
    return compare(e.key, e.row, key, row) < 0;
  });
  return {leaf, static_cast<std::size_t>(at - entries.begin())};
}

void OrderedIndex::split(std::size_t leaf) {
  Leaf& full = *leaves_[leaf];
  // Rising keys fill the last leaf: leave it full and go on in a new one.
  const bool rising = leaf + 1 == leaves_.size();
  const auto keep = static_cast<std::ptrdiff_t>(rising ? kLeafSize - 1 : kLeafSize / 2);
  auto half = std::make_unique<Leaf>();
  half->reserve(kLeafSize);
  half->assign(std::make_move_iterator(full.begin() + keep), std::make_move_iterator(full.end()));
  full.resize(static_cast<std::size_t>(keep));
  leaves_.insert(leaves_.begin() + static_cast<std::ptrdiff_t>(leaf) + 1, std::move(half));
}

void OrderedIndex::add(std::string_view key, std::uint64_t row) {
  if (leaves_.empty()) {
    leaves_.push_back(std::make_unique<Leaf>());
    leaves_.back()->reserve(kLeafSize);
  }
  const Place place = leaves_.front()->empty() ? Place{} : lower_bound(key, row);
  Leaf& leaf = *leaves_[place.leaf];
  if (place.at < leaf.size() && leaf[place.at].row == row && leaf[place.at].key == key) return;
  leaf.insert(leaf.begin() + static_cast<std::ptrdiff_t>(place.at), Entry{std::string(key), row});
  ++size_;
  if (leaf.size() >= kLeafSize) split(place.leaf);
}

void OrderedIndex::remove(std::string_view key, std::uint64_t row) {
  if (size_ == 0) return;
  const Place place = lower_bound(key, row);
  Leaf& leaf = *leaves_[place.leaf];
  if (place.at >= leaf.size() || leaf[place.at].row != row || leaf[place.at].key != key) return;
  leaf.erase(leaf.begin() + static_cast<std::ptrdiff_t>(place.at));
  --size_;
  if (leaf.empty()) leaves_.erase(leaves_.begin() + static_cast<std::ptrdiff_t>(place.leaf));
}

void OrderedIndex::visit_prefix(std::string_view prefix,
                                const std::function<bool(std::uint64_t row)>& visit) const {
  if (size_ == 0) return;
  Place place = lower_bound(prefix, 0);
  for (; place.leaf < leaves_.size(); ++place.leaf, place.at = 0) {
    const Leaf& leaf = *leaves_[place.leaf];
    for (; place.at < leaf.size(); ++place.at) {
      const Entry& entry = leaf[place.at];
      if (!entry.key.starts_with(prefix) || !visit(entry.row)) return;
    }
  }
}

KeyExtractor::KeyExtractor(std::vector<Part> parts) : parts_(std::move(parts)) {
  std::size_t slots = 0;
  for (const Part& part : parts_) slots = std::max<std::size_t>(slots, part.slot + 1U);
  fields_.resize(slots);
}

bool KeyExtractor::key_of(std::string_view image, std::string& key) {
  key.clear();
  const std::size_t present = split_image(image, fields_);
  bool any = false;
  last_has_null_ = false;
  for (const Part& part : parts_) {
    Field field = fields_[part.slot];
    if (part.slot >= present && part.has_when_absent) {
      field = Field{part.when_absent.data(), part.when_absent.size()};
    }
    any = any || !field.is_null();
    last_has_null_ = last_has_null_ || field.is_null();
    append_key_part(part.type, field, key);
  }
  return any;
}

}  // namespace orasim
