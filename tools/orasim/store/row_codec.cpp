#include "store/row_codec.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "store/byte_io.h"
#include "store/row_fields.h"

namespace orasim {
namespace {

using row_fields::kLobBytes;
using row_fields::kLobPointer;
using row_fields::kLong;
using row_fields::kMaxShort;
using row_fields::lob_at;
using row_fields::next_field;
using row_fields::put_field;

constexpr int kYearBias = 10000;

template <class T>
void put_be(std::string& out, T value) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
}

template <class T>
T get_be(const char* p) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value << 8 | static_cast<std::uint8_t>(p[i]));
  }
  return value;
}

void put_date(std::string& out, const DateTime& t) {
  put_be<std::uint16_t>(out, static_cast<std::uint16_t>(t.year + kYearBias));
  for (std::uint8_t part : {t.month, t.day, t.hour, t.minute, t.second}) {
    out.push_back(static_cast<char>(part));
  }
}

DateTime get_date(const char* p) {
  DateTime t;
  t.year = static_cast<std::int16_t>(get_be<std::uint16_t>(p) - kYearBias);
  t.month = static_cast<std::uint8_t>(p[2]);
  t.day = static_cast<std::uint8_t>(p[3]);
  t.hour = static_cast<std::uint8_t>(p[4]);
  t.minute = static_cast<std::uint8_t>(p[5]);
  t.second = static_cast<std::uint8_t>(p[6]);
  return t;
}

/// IEEE bits to an unsigned number of the same order, and back.
template <class Bits>
Bits sortable(Bits bits) {
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}
template <class Bits>
Bits unsortable(Bits bits) {
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  return (bits & kSign) != 0 ? bits & ~kSign : ~bits;
}

void put_lob(std::string& out, const Lob& lob, LobKeeper& keeper) {
  keeper.push_back(lob);
  const Lob* address = &keeper.back();
  out.push_back(static_cast<char>(kLobPointer));
  out.append(reinterpret_cast<const char*>(&address), sizeof address);
}

template <class T, class... Args>
void assign(Value& v, Args&&... args) {
  v.data.emplace<T>(std::forward<Args>(args)...);
}

/// Guards fixed-width payloads; an image whose fields do not fit its columns is a broken log.
void need(const Field& f, std::size_t size) {
  if (f.size < size) throw OraError(600, "internal error code, arguments: [row image]");
}

void decode_interval_ds(const Field& f, Value& v) {
  need(f, 12);
  IntervalDs i;
  i.seconds = static_cast<std::int64_t>(get_be<std::uint64_t>(f.data) ^ (std::uint64_t{1} << 63));
  i.nanoseconds = static_cast<std::int32_t>(get_be<std::uint32_t>(f.data + 8) ^ 0x80000000U);
  assign<IntervalDs>(v, i);
}

void decode_timestamp(const Field& f, Value& v) {
  need(f, 11);
  DateTime t = get_date(f.data);
  t.nanosecond = get_be<std::uint32_t>(f.data + 7);
  if (f.size >= 15) {
    t.offset_minutes = static_cast<std::int16_t>(get_be<std::uint16_t>(f.data + 11));
    t.region_id = get_be<std::uint16_t>(f.data + 13);
  }
  assign<DateTime>(v, t);
}

constexpr std::size_t kPhysicalBytes = 12;

// A logical UROWID is kept as its text, which must not be as long as a physical one.
void decode_rowid(const Field& f, Value& v) {
  if (f.size != kPhysicalBytes && v.type == Type::kUrowid) {
    std::string_view logical(f.data, f.size);
    if (logical.ends_with('\0')) logical.remove_suffix(1);
    return assign<std::string>(v, logical);
  }
  need(f, 12);
  assign<RowId>(v, RowId{get_be<std::uint32_t>(f.data), get_be<std::uint16_t>(f.data + 4),
                         get_be<std::uint32_t>(f.data + 6), get_be<std::uint16_t>(f.data + 10)});
}

void decode_number(const Field& f, Value& v) {
  const auto number = Number::from_bytes({reinterpret_cast<const std::uint8_t*>(f.data), f.size});
  if (!number) throw OraError(600, "internal error code, arguments: [kdrnum]");
  v.data = *number;
}

void decode_text(const Field& f, Value& v) {
  if (auto* text = std::get_if<std::string>(&v.data)) {
    text->assign(f.data, f.size);
  } else {
    assign<std::string>(v, f.data, f.size);
  }
}

void decode_field(const Field& f, Value& v) {
  switch (v.type) {
    case Type::kNumber:
      return decode_number(f, v);
    case Type::kDate:
      need(f, 7);
      return assign<DateTime>(v, get_date(f.data));
    case Type::kTimestamp:
    case Type::kTimestampTz:
    case Type::kTimestampLtz:
      return decode_timestamp(f, v);
    case Type::kIntervalYm:
      need(f, 8);
      return assign<IntervalYm>(v, IntervalYm{static_cast<std::int64_t>(
                                       get_be<std::uint64_t>(f.data) ^ (std::uint64_t{1} << 63))});
    case Type::kIntervalDs:
      return decode_interval_ds(f, v);
    case Type::kBinaryFloat:
      need(f, 4);
      return assign<float>(v, std::bit_cast<float>(unsortable(get_be<std::uint32_t>(f.data))));
    case Type::kBinaryDouble:
      need(f, 8);
      return assign<double>(v, std::bit_cast<double>(unsortable(get_be<std::uint64_t>(f.data))));
    case Type::kBoolean:
      return assign<bool>(v, f.data[0] != 0);
    case Type::kRowid:
    case Type::kUrowid:
      return decode_rowid(f, v);
    case Type::kClob:
    case Type::kBlob:
    case Type::kXml:
    case Type::kObject:
    case Type::kJson:
    case Type::kVector:
      return assign<Lob>(v, lob_at(f.data));
    default:
      return decode_text(f, v);
  }
}

bool encode_date_time(Type type, const DateTime& t, std::string& out) {
  put_date(out, t);
  if (type == Type::kDate) return true;
  put_be<std::uint32_t>(out, t.nanosecond);
  if (type == Type::kTimestamp) return true;
  put_be<std::uint16_t>(out, static_cast<std::uint16_t>(t.offset_minutes));
  put_be<std::uint16_t>(out, t.region_id);
  return true;
}

bool is_text(Type type) {
  return type == Type::kVarchar2 || type == Type::kChar || type == Type::kLong ||
         type == Type::kRaw || type == Type::kLongRaw || type == Type::kBfile;
}

}  // namespace

RowLayout::RowLayout(const TableDef& table) {
  for (const ColumnDef& c : table.columns) {
    Column column{c.type.type, c.type.national, !c.is_virtual, c.stored_slot, c.value_when_absent};
    column.when_absent.type = c.type.type;
    column.when_absent.national = c.type.national;
    if (column.stored) {
      if (column_of_slot.size() <= c.stored_slot) column_of_slot.resize(c.stored_slot + 1U, -1);
      column_of_slot[c.stored_slot] = static_cast<int>(columns.size());
    }
    columns.push_back(std::move(column));
  }
}

bool encode_payload(Type type, const Value& v, std::string& out) {
  if (const auto* text = std::get_if<std::string>(&v.data)) {
    if (type == Type::kUrowid) {
      out.append(*text);
      if (text->size() == kPhysicalBytes) out.push_back('\0');
      return true;
    }
    if (is_text(type)) out.append(*text);
    return is_text(type);
  }
  if (const auto* number = std::get_if<Number>(&v.data)) {
    const auto bytes = number->bytes();
    out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return type == Type::kNumber;
  }
  if (const auto* time = std::get_if<DateTime>(&v.data)) {
    return (type == Type::kDate || type == Type::kTimestamp || type == Type::kTimestampTz ||
            type == Type::kTimestampLtz) &&
           encode_date_time(type, *time, out);
  }
  if (const auto* ym = std::get_if<IntervalYm>(&v.data)) {
    put_be<std::uint64_t>(out, static_cast<std::uint64_t>(ym->months) ^ (std::uint64_t{1} << 63));
    return type == Type::kIntervalYm;
  }
  if (const auto* ds = std::get_if<IntervalDs>(&v.data)) {
    put_be<std::uint64_t>(out, static_cast<std::uint64_t>(ds->seconds) ^ (std::uint64_t{1} << 63));
    put_be<std::uint32_t>(out, static_cast<std::uint32_t>(ds->nanoseconds) ^ 0x80000000U);
    return type == Type::kIntervalDs;
  }
  if (const auto* f = std::get_if<float>(&v.data)) {
    put_be<std::uint32_t>(out, sortable(std::bit_cast<std::uint32_t>(*f)));
    return type == Type::kBinaryFloat;
  }
  if (const auto* d = std::get_if<double>(&v.data)) {
    put_be<std::uint64_t>(out, sortable(std::bit_cast<std::uint64_t>(*d)));
    return type == Type::kBinaryDouble;
  }
  if (const auto* b = std::get_if<bool>(&v.data)) {
    out.push_back(*b ? 1 : 0);
    return type == Type::kBoolean;
  }
  if (const auto* id = std::get_if<RowId>(&v.data)) {
    put_be<std::uint32_t>(out, id->object);
    put_be<std::uint16_t>(out, id->file);
    put_be<std::uint32_t>(out, id->block);
    put_be<std::uint16_t>(out, id->slot);
    return type == Type::kRowid || type == Type::kUrowid;
  }
  return false;
}

void encode_row(const RowLayout& layout, const Row& row, LobKeeper& keeper, std::string& image) {
  image.clear();
  if (row.size() != layout.columns.size()) {
    throw OraError(
        600, "internal error code, arguments: [row width], [" + std::to_string(row.size()) + "]");
  }
  std::size_t end = 0;  // behind the last field that is not NULL
  std::string payload;
  for (const int index : layout.column_of_slot) {
    const Value* v = index < 0 ? nullptr : &row[static_cast<std::size_t>(index)];
    if (v == nullptr || v->is_null()) {
      image.push_back(0);
      continue;
    }
    const Type type = layout.columns[static_cast<std::size_t>(index)].type;
    if (const auto* lob = std::get_if<Lob>(&v->data); lob != nullptr && is_lob_payload(type)) {
      put_lob(image, *lob, keeper);
    } else {
      payload.clear();
      if (!encode_payload(type, *v, payload)) {
        throw OraError(600, "internal error code, arguments: [value type], [" +
                                std::to_string(static_cast<int>(type)) + "]");
      }
      put_field(image, payload);
    }
    end = image.size();
  }
  // A trailing NULL must stay when rows without the field read as something else.
  const bool keep_nulls = std::any_of(layout.columns.begin(), layout.columns.end(),
                                      [](const auto& c) { return !c.when_absent.is_null(); });
  if (!keep_nulls) image.resize(end);
}

void decode_row(const RowLayout& layout, std::string_view image, Row& row) {
  row.resize(layout.columns.size());
  const char* p = image.data();
  const char* end = p + image.size();
  std::size_t slot = 0;
  for (; p < end; ++slot) {
    bool lob = false;
    const Field field = next_field(p, lob);
    const int index = slot < layout.column_of_slot.size() ? layout.column_of_slot[slot] : -1;
    if (index < 0) continue;
    const RowLayout::Column& column = layout.columns[static_cast<std::size_t>(index)];
    Value& v = row[static_cast<std::size_t>(index)];
    v.type = column.type;
    v.national = column.national;
    if (field.is_null()) {
      v.data = std::monostate{};
    } else {
      decode_field(field, v);
    }
  }
  for (std::size_t i = 0; i < layout.columns.size(); ++i) {
    const RowLayout::Column& column = layout.columns[i];
    if (!column.stored || column.slot >= slot) row[i] = column.when_absent;
  }
}

std::size_t split_image(std::string_view image, std::vector<Field>& fields) {
  const char* p = image.data();
  const char* end = p + image.size();
  std::size_t slot = 0;
  for (; p < end && slot < fields.size(); ++slot) {
    bool lob = false;
    fields[slot] = next_field(p, lob);
  }
  for (std::size_t rest = slot; rest < fields.size(); ++rest) fields[rest] = Field{};
  return slot;
}

void export_image(std::string_view image, std::string& out) {
  const char* p = image.data();
  const char* end = p + image.size();
  while (p < end) {
    const char* start = p;
    bool is_lob = false;
    const Field field = next_field(p, is_lob);
    if (!is_lob) {
      out.append(start, static_cast<std::size_t>(p - start));
      continue;
    }
    row_fields::put_lob_bytes(out, lob_at(field.data)->data);
  }
}

void import_image(std::string_view portable, LobKeeper& keeper, std::string& image) {
  image.clear();
  ByteReader in(portable);
  while (!in.at_end()) {
    const std::uint8_t head = in.u8();
    if (head == kLobBytes) {
      put_lob(image, std::make_shared<const LobData>(LobData{std::string(in.take(in.u32()))}),
              keeper);
    } else if (head == kLong) {
      put_field(image, in.take(in.u32()));
    } else if (head <= kMaxShort) {
      image.push_back(static_cast<char>(head));
      image.append(in.take(head));
    } else {
      throw CorruptBytes("a row image holds an unknown field");
    }
  }
}

}  // namespace orasim
