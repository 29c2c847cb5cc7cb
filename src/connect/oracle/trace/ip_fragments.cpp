#include "connect/oracle/trace/ip_fragments.h"

#include <algorithm>
#include <utility>

namespace wherry::oracle::trace {
namespace {

constexpr std::uint64_t kMaxPacketBytes = 65535;
/// What a fragment takes beside its bytes, roughly.
constexpr std::size_t kPieceBytes = 128;

std::uint64_t end_of(std::uint32_t offset, std::size_t bytes, std::uint64_t lost_bytes) {
  return offset + bytes + lost_bytes;
}

}  // namespace

std::optional<IpFragments::Packet> IpFragments::add(const IpFragment& fragment) {
  const std::uint64_t end = end_of(fragment.offset, fragment.bytes.size(), fragment.lost_bytes);
  if (end > kMaxPacketBytes) {
    ++dropped_;
    return std::nullopt;
  }
  // Of IPv6 only the first fragment tells what is in the packet for certain.
  const Key key{fragment.addresses, fragment.id,
                fragment.is_ipv6 ? std::uint8_t{0} : fragment.protocol, fragment.is_ipv6};
  auto entry = table_.find(key);
  if (entry != table_.end() && contradicts(entry->second, fragment)) {
    drop(entry, true);
    entry = table_.end();
  }
  if (entry == table_.end()) {
    entry = table_.emplace(key, Waiting()).first;
    entry->second.begun = begun_++;
  }
  Waiting& waiting = entry->second;
  if (fragment.is_last) waiting.size = end;
  if (fragment.offset == 0) waiting.protocol = fragment.protocol;
  Piece piece{std::string(wire::text_of(fragment.bytes)), fragment.lost_bytes};
  const std::size_t size = piece.bytes.size() + kPieceBytes;
  if (waiting.pieces.emplace(fragment.offset, std::move(piece)).second) bytes_ += size;
  if (!is_complete(waiting)) {
    keep_limits();
    return std::nullopt;
  }
  Packet packet = joined(waiting);
  drop(entry, false);
  return packet;
}

/// The same part with other bytes, or a part behind the end.
bool IpFragments::contradicts(const Waiting& waiting, const IpFragment& fragment) {
  const std::uint64_t end = end_of(fragment.offset, fragment.bytes.size(), fragment.lost_bytes);
  if (waiting.size && (end > *waiting.size || (fragment.is_last && end != *waiting.size))) {
    return true;
  }
  const auto same = waiting.pieces.find(fragment.offset);
  return same != waiting.pieces.end() && same->second.bytes != wire::text_of(fragment.bytes);
}

bool IpFragments::is_complete(const Waiting& waiting) {
  if (!waiting.size) return false;
  std::uint64_t known = 0;
  for (const auto& [offset, piece] : waiting.pieces) {
    if (offset > known) return false;
    known = std::max(known, end_of(offset, piece.bytes.size(), piece.lost_bytes));
  }
  return known >= *waiting.size;
}

IpFragments::Packet IpFragments::joined(const Waiting& waiting) {
  Packet packet;
  packet.protocol = waiting.protocol;
  for (const auto& [offset, piece] : waiting.pieces) {
    if (offset > packet.bytes.size()) break;  // behind bytes that were not captured
    const std::size_t known = packet.bytes.size() - offset;
    if (known < piece.bytes.size()) packet.bytes += piece.bytes.substr(known);
  }
  packet.lost_bytes = *waiting.size - std::min<std::uint64_t>(*waiting.size, packet.bytes.size());
  return packet;
}

void IpFragments::drop(Table::iterator entry, bool is_lost) {
  for (const auto& [offset, piece] : entry->second.pieces) {
    bytes_ -= piece.bytes.size() + kPieceBytes;
  }
  if (is_lost) dropped_ += entry->second.pieces.size();
  table_.erase(entry);
}

void IpFragments::keep_limits() {
  while (table_.size() > limits_.max_packets || bytes_ > limits_.max_bytes) {
    drop(std::min_element(
             table_.begin(), table_.end(),
             [](const auto& a, const auto& b) { return a.second.begun < b.second.begun; }),
         true);
  }
}

void IpFragments::finish() {
  while (!table_.empty()) drop(table_.begin(), true);
}

}  // namespace wherry::oracle::trace
