#include "server/lob_table.h"

#include <algorithm>

#include "engine/error.h"

namespace orasim::server {

Value LobEntry::value() const {
  return Value{is_blob_ ? Type::kBlob : Type::kClob, national_, data_};
}

void LobEntry::replace(Lob content) {
  data_ = std::move(content);
  own_.reset();
  units_ = UINT64_MAX;
  mark_ = {};
}

// Copy on write: a value handed to the engine must not change under it.
std::string& LobEntry::mutable_data() {
  constexpr long kOnlyThisEntry = 2;  // own_ and data_
  if (!own_ || own_.use_count() > kOnlyThisEntry) {
    own_ = std::make_shared<LobData>(*data_);
    data_ = own_;
  }
  units_ = UINT64_MAX;
  mark_ = {};
  return own_->data;
}

std::uint64_t LobEntry::length() {
  if (is_blob_) return data_->data.size();
  if (units_ == UINT64_MAX) units_ = wire::utf16_units(data_->data);
  return units_;
}

LobEntry::Piece LobEntry::read(std::uint64_t offset, std::uint64_t amount) {
  Piece piece;
  const std::string& data = data_->data;
  if (is_blob_) {
    if (offset < data.size()) piece.bytes = data.substr(offset, amount);
    piece.amount = piece.bytes.size();
    return piece;
  }
  wire::Utf16Cursor cursor(data);
  if (offset >= mark_.units) cursor.resume(mark_);
  cursor.read(offset - cursor.mark().units, nullptr);
  piece.amount = cursor.read(amount, &piece.bytes);
  mark_ = cursor.mark();
  if (!is_utf16()) piece.bytes = wire::utf16be_to_utf8(piece.bytes);
  return piece;
}

void LobEntry::write(std::uint64_t offset, std::string_view content) {
  constexpr std::uint64_t kLimit = 1u << 31;
  if (offset > kLimit || content.size() > kLimit) throw OraError(22288, "LOB write is too large");
  if (is_blob_) {
    std::string& data = mutable_data();
    if (data.size() < offset + content.size()) data.resize(offset + content.size());
    data.replace(offset, content.size(), content);
    return;
  }
  std::string converted;
  if (!is_utf16()) {
    converted = wire::utf8_to_utf16be(as_stored(std::string(content)));
    content = converted;
  }
  const std::uint64_t old_length = length();
  if (offset >= old_length) {
    std::string& data = mutable_data();
    data.append(offset - old_length, ' ').append(wire::utf16be_to_utf8(content));
    units_ = offset + content.size() / 2;
    return;
  }
  std::string units = wire::utf8_to_utf16be(data_->data);
  units.resize(std::max(units.size(), offset * 2 + content.size()));
  units.replace(offset * 2, content.size(), content);
  mutable_data() = wire::utf16be_to_utf8(units);
}

void LobEntry::trim(std::uint64_t new_length) {
  if (new_length > length()) {
    throw OraError(22926, "specified trim length is greater than current LOB value's length");
  }
  if (is_blob_) {
    mutable_data().resize(new_length);
    return;
  }
  std::string units;
  wire::Utf16Cursor(data_->data).read(new_length, &units);
  mutable_data() = wire::utf16be_to_utf8(units);
}

namespace {

constexpr std::uint8_t kTemporary = 0x01;
constexpr std::size_t kIdOffset = 10;

std::uint64_t id_of(std::string_view locator) {
  wire::Reader in(wire::as_bytes(locator).subspan(kIdOffset));
  return in.u64();
}

[[noreturn]] void unknown_locator() {
  throw OraError(22922, "nonexistent LOB value");
}

}  // namespace

wire::ByteView LobTable::make_locator(std::uint64_t id, const LobEntry& entry, bool temporary) {
  locator_.clear();
  locator_.u16(kLocatorBytes - 2);
  locator_.u16(1);
  locator_.u8(entry.is_blob() ? 0x01 : 0x02);
  locator_.u8(0x08);  // initialised
  locator_.u8(!entry.is_blob() && entry.is_utf16() ? 0x80 : 0);
  locator_.u8(temporary ? kTemporary : 0);
  locator_.u16(0);
  locator_.u64(id);
  locator_.zeros(kLocatorBytes - locator_.size());
  return locator_.view();
}

wire::ByteView LobTable::locator_for(const Value& lob) {
  persistent_.emplace_back(lob.type == Type::kBlob, lob.national, lob.lob());
  if (persistent_.size() > kKept) {
    persistent_.pop_front();
    ++first_persistent_;
  }
  return make_locator(first_persistent_ + persistent_.size() - 1, persistent_.back(), false);
}

wire::ByteView LobTable::create_temporary(bool is_blob, bool national) {
  const std::uint64_t id = next_temporary_++;
  const auto entry =
      temporary_.emplace(id, LobEntry(is_blob, national, std::make_shared<const LobData>())).first;
  return make_locator(id, entry->second, true);
}

// A client may have padded it, see Calls::reply_lob().
bool LobTable::is_temporary(std::string_view locator) {
  return locator.size() >= kLocatorBytes && (locator[7] & kTemporary) != 0;
}

LobEntry& LobTable::find(std::string_view locator) {
  if (locator.size() < kLocatorBytes) unknown_locator();
  const std::uint64_t id = id_of(locator);
  if (is_temporary(locator)) {
    const auto found = temporary_.find(id);
    if (found == temporary_.end()) unknown_locator();
    return found->second;
  }
  if (id < first_persistent_ || id - first_persistent_ >= persistent_.size()) unknown_locator();
  return persistent_[id - first_persistent_];
}

void LobTable::free_temporary(std::string_view locator) {
  if (is_temporary(locator)) temporary_.erase(id_of(locator));
}

}  // namespace orasim::server
