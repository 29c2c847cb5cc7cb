#include "changes/change_codec.h"

#include <cstring>

#include "changes/byte_io.h"
#include "changes/shape_codec.h"
#include "core/decimal.h"

namespace wherry::changes {
namespace {

using connect::Change;
using connect::ChangeBatch;
using connect::ChangeKind;
using connect::CommitInfo;
using connect::RowShape;

// The first byte of a record: the kind below, two flags above.
constexpr std::uint8_t kKindMask = 0x0f;
constexpr std::uint8_t kFirstFlag = 0x10;   // has `before`, a commit or a shape; cascades
constexpr std::uint8_t kSecondFlag = 0x20;  // has `after`, a user in the commit; restarts identity
constexpr std::uint8_t kShapeRecord = 0x0f;
constexpr std::uint8_t kLastChangeKind = static_cast<std::uint8_t>(ChangeKind::kHeartbeat);
// The first byte of a cell: the kind below, the state above.
constexpr unsigned kStateShift = 4;

void put_decimal(ByteWriter& out, const DecimalView& decimal) {
  out.byte(static_cast<std::uint8_t>(decimal.sign));
  out.signed_number(decimal.weight);
  out.number(decimal.scale);
  out.number(decimal.digit_count);
  for (unsigned i = 0; i < decimal.digit_count; ++i) out.number(decimal.digits()[i]);
}

const std::byte* get_decimal(ByteReader& in, Arena& arena) {
  DecimalView head;
  const std::uint8_t sign = in.byte();
  if (sign > static_cast<std::uint8_t>(DecimalSign::kMinusInfinity)) in.fail();
  head.sign = static_cast<DecimalSign>(sign);
  const std::int64_t weight = in.signed_number();
  if (weight < INT16_MIN || weight > INT16_MAX) in.fail();
  head.weight = static_cast<std::int16_t>(weight);
  head.scale = static_cast<std::uint16_t>(in.number(UINT16_MAX));
  const std::size_t count = in.count();
  if (count > UINT16_MAX) in.fail();
  if (in.has_failed()) return nullptr;
  head.digit_count = static_cast<std::uint16_t>(count);
  std::byte* place = arena.allocate(sizeof head + count * sizeof(std::uint16_t));
  std::memcpy(place, &head, sizeof head);
  auto* digits = reinterpret_cast<DecimalView*>(place)->digits();
  for (std::size_t i = 0; i < count; ++i) digits[i] = static_cast<std::uint16_t>(in.number(9999));
  return place;
}

void put_value(ByteWriter& out, const Cell& cell) {
  switch (cell.kind) {
    case CellKind::kBool:
    case CellKind::kInt64:
    case CellKind::kIntervalYm:
      return out.signed_number(cell.payload.i64);
    case CellKind::kFloat32:
      return out.raw(cell.payload.f32);
    case CellKind::kFloat64:
      return out.raw(cell.payload.f64);
    case CellKind::kDecimal:
      return put_decimal(out, decimal_of(cell));
    case CellKind::kText:
    case CellKind::kBytes:
      return out.text(cell.bytes());
    case CellKind::kTimestamp:
    case CellKind::kTimestampTz:
    case CellKind::kIntervalDs:
      out.signed_number(cell.payload.i64);
      out.number(cell.nanos);
      out.signed_number(cell.extra);
  }
}

bool is_large(const Cell& cell) {
  return cell.state == CellState::kSpilled &&
         reinterpret_cast<const SpilledValue*>(cell.payload.ptr)->size_bytes != 0;
}

void put_cell(ByteWriter& out, const Cell& cell) {
  if (cell.state == CellState::kSpilled && !is_large(cell)) {
    Cell empty = cell;
    empty.state = CellState::kSet;
    empty.size_bytes = 0;
    return put_cell(out, empty);
  }
  out.byte(static_cast<std::uint8_t>(static_cast<unsigned>(cell.kind) |
                                     static_cast<unsigned>(cell.state) << kStateShift));
  switch (cell.state) {
    case CellState::kNull:
    case CellState::kUnchanged:
      return;
    case CellState::kSet:
      return put_value(out, cell);
    case CellState::kSpilled:
      return out.number(reinterpret_cast<const SpilledValue*>(cell.payload.ptr)->size_bytes);
    case CellState::kUnreadable:
      return out.text(cell.bytes());
  }
}

void get_text(ByteReader& in, Arena& arena, Cell& cell) {
  const std::string_view text = in.text();
  cell.payload.ptr = arena.copy(text.data(), text.size());
  cell.size_bytes = static_cast<std::uint32_t>(text.size());
  if (text.size() > UINT32_MAX) in.fail();
}

void get_value(ByteReader& in, Arena& arena, Cell& cell) {
  switch (cell.kind) {
    case CellKind::kBool:
    case CellKind::kInt64:
    case CellKind::kIntervalYm:
      cell.payload.i64 = in.signed_number();
      return;
    case CellKind::kFloat32:
      cell.payload.f32 = in.raw<float>();
      return;
    case CellKind::kFloat64:
      cell.payload.f64 = in.raw<double>();
      return;
    case CellKind::kDecimal:
      cell.payload.ptr = get_decimal(in, arena);
      return;
    case CellKind::kText:
    case CellKind::kBytes:
      return get_text(in, arena, cell);
    case CellKind::kTimestamp:
    case CellKind::kTimestampTz:
    case CellKind::kIntervalDs: {
      cell.payload.i64 = in.signed_number();
      cell.nanos = static_cast<std::uint16_t>(in.number(UINT16_MAX));
      const std::int64_t extra = in.signed_number();
      if (extra < INT32_MIN || extra > INT32_MAX) in.fail();
      cell.extra = static_cast<std::int32_t>(extra);
    }
  }
}

void get_large(ByteReader& in, LargeValues& values, ChangeBatch& out, Cell& cell) {
  const std::uint64_t size = in.number();
  const bool can_be_large = cell.kind == CellKind::kText || cell.kind == CellKind::kBytes;
  const std::uint64_t held = values.file ? values.file->size_bytes() : 0;
  if (!can_be_large || !values.file || values.next_offset_bytes > held ||
      size > held - values.next_offset_bytes) {
    return in.fail();
  }
  const SpilledValue value{values.file.get(), values.next_offset_bytes, size};
  values.next_offset_bytes += size;
  cell.payload.ptr = out.arena().copy(&value, sizeof value);
  out.keep(values.file);
}

void get_cell(ByteReader& in, LargeValues& values, ChangeBatch& out, Cell& cell) {
  std::memset(&cell, 0, sizeof cell);
  const std::uint8_t head = in.byte();
  const unsigned kind = head & kKindMask;
  const unsigned state = head >> kStateShift;
  if (kind > static_cast<unsigned>(CellKind::kIntervalDs) ||
      state > static_cast<unsigned>(CellState::kUnchanged)) {
    return in.fail();
  }
  cell.kind = static_cast<CellKind>(kind);
  cell.state = static_cast<CellState>(state);
  if (cell.state == CellState::kSet) return get_value(in, out.arena(), cell);
  if (cell.state == CellState::kSpilled) return get_large(in, values, out, cell);
  if (cell.state == CellState::kUnreadable) get_text(in, out.arena(), cell);
}

const Cell* get_cells(ByteReader& in, std::size_t count, LargeValues& values, ChangeBatch& out) {
  if (count > in.rest().size()) in.fail();
  if (in.has_failed()) return nullptr;
  Cell* cells = out.allocate_cells(count);
  for (std::size_t i = 0; i < count; ++i) get_cell(in, values, out, cells[i]);
  return cells;
}

void put_commit(ByteWriter& out, const CommitInfo& commit) {
  out.number(commit.order);
  out.text(commit.position.text);
  out.signed_number(
      std::chrono::duration_cast<std::chrono::nanoseconds>(commit.time.time_since_epoch()).count());
  out.text(commit.transaction_id);
  if (!commit.user.empty()) out.text(commit.user);
}

CommitInfo get_commit(ByteReader& in, bool has_user) {
  CommitInfo commit;
  commit.order = in.number();
  commit.position.text = in.text();
  commit.time = std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::nanoseconds(in.signed_number())));
  commit.transaction_id = in.text();
  if (has_user) commit.user = in.text();
  if (has_user && commit.user.empty()) in.fail();
  return commit;
}

bool is_marker(ChangeKind kind) {
  return kind == ChangeKind::kBegin || kind == ChangeKind::kCommit ||
         kind == ChangeKind::kHeartbeat;
}

/// Each kind of row has the side that makes it one.
bool is_complete(ChangeKind kind, bool has_before, bool has_after) {
  if (kind == ChangeKind::kInsert || kind == ChangeKind::kUpdate) return has_after;
  return kind != ChangeKind::kDelete || has_before;
}

void add_large(const Cell* cells, std::size_t count, std::vector<SpilledValue>& out) {
  if (cells == nullptr) return;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_large(cells[i])) continue;
    out.push_back(*reinterpret_cast<const SpilledValue*>(cells[i].payload.ptr));
  }
}

}  // namespace

Error damaged_error() {
  return make_error(ErrorKind::kData, "change_file.damaged",
                    "a file of changes that wait to be applied is damaged",
                    "Look for faults of the disk; then start the task again with --start "
                    "reload-target");
}

std::vector<SpilledValue> large_values(const Change& change) {
  std::vector<SpilledValue> out;
  if (change.shape == nullptr) return out;
  const std::size_t count = change.shape->definition.columns.size();
  add_large(change.before, count, out);
  add_large(change.after, count, out);
  return out;
}

void ChangeEncoder::add(const ChangeBatch* batch, const Change& change, std::string& bytes) {
  ByteWriter out(bytes);
  if (change.shape != nullptr && known_[change.shape->id] != change.shape) {
    known_[change.shape->id] = change.shape;
    out.byte(kShapeRecord);
    out.text(encode_shape(*change.shape));
  }
  encode_record(batch, change, bytes);
}

void encode_record(const ChangeBatch* batch, const Change& change, std::string& bytes) {
  ByteWriter out(bytes);
  const bool is_row = change.before != nullptr || change.after != nullptr;
  const bool has_commit = is_marker(change.kind) && change.has_commit();
  const bool first = change.before != nullptr || has_commit || change.cascades ||
                     (change.kind == ChangeKind::kDdl && change.shape != nullptr);
  const bool second = change.after != nullptr || change.restarts_identity ||
                      (has_commit && !batch->commit(change).user.empty());
  out.byte(static_cast<std::uint8_t>(static_cast<unsigned>(change.kind) |
                                     (first ? kFirstFlag : 0U) | (second ? kSecondFlag : 0U)));
  if (has_commit) return put_commit(out, batch->commit(change));
  if (change.shape != nullptr) out.number(change.shape->id);
  if (change.kind == ChangeKind::kDdl) {
    out.byte(static_cast<std::uint8_t>(change.ddl));
    return out.text(change.text);
  }
  if (!is_row) return;
  const std::size_t count = change.shape->definition.columns.size();
  for (const Cell* cells : {change.before, change.after}) {
    for (std::size_t i = 0; cells != nullptr && i < count; ++i) put_cell(out, cells[i]);
  }
}

bool ChangeDecoder::learn(std::string_view bytes) {
  ByteReader head(bytes);
  const auto id = static_cast<std::uint32_t>(head.number(UINT32_MAX));
  Known& known = shapes_[id];
  if (known.shape && known.bytes == bytes) return true;  // the pointer stays the same
  known.shape = decode_shape(bytes);
  known.bytes = bytes;
  if (!known.shape) shapes_.erase(id);
  return shapes_.contains(id);
}

Result<void> ChangeDecoder::next(std::string_view& bytes, LargeValues& values, ChangeBatch& out) {
  ByteReader in(bytes);
  std::uint8_t head = in.byte();
  while (!in.has_failed() && head == kShapeRecord) {
    if (!learn(in.text())) return damaged_error();
    head = in.byte();
  }
  if (in.has_failed() || (head & kKindMask) > kLastChangeKind) return damaged_error();
  Change change;
  change.kind = static_cast<ChangeKind>(head & kKindMask);
  const bool first = (head & kFirstFlag) != 0;
  const bool second = (head & kSecondFlag) != 0;
  if (is_marker(change.kind)) {
    if (first) {
      CommitInfo commit = get_commit(in, second);
      if (in.has_failed()) return damaged_error();
      out.add(change.kind, std::move(commit));
    } else {
      if (change.kind != ChangeKind::kBegin) return damaged_error();
      out.add(change.kind);
    }
    bytes = in.rest();
    return {};
  }
  if (change.kind != ChangeKind::kDdl || first) {
    const auto found = shapes_.find(static_cast<std::uint32_t>(in.number(UINT32_MAX)));
    if (in.has_failed() || found == shapes_.end()) return damaged_error();
    change.shape = found->second.shape.get();
    out.keep(found->second.shape);
  }
  if (change.kind == ChangeKind::kDdl) {
    const std::uint8_t ddl = in.byte();
    if (ddl > static_cast<std::uint8_t>(connect::DdlKind::kRowsUnknown)) return damaged_error();
    change.ddl = static_cast<connect::DdlKind>(ddl);
    const std::string_view text = in.text();
    const std::byte* copy = out.arena().copy(text.data(), text.size());
    change.text = {reinterpret_cast<const char*>(copy), text.size()};
  } else if (change.kind == ChangeKind::kTruncate) {
    change.cascades = first;
    change.restarts_identity = second;
  } else {
    if (!is_complete(change.kind, first, second)) return damaged_error();
    const std::size_t count = change.shape->definition.columns.size();
    if (first) change.before = get_cells(in, count, values, out);
    if (second) change.after = get_cells(in, count, values, out);
  }
  if (in.has_failed()) return damaged_error();
  out.add(change.kind) = change;
  bytes = in.rest();
  return {};
}

}  // namespace wherry::changes
