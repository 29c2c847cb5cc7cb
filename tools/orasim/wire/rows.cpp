#include "wire/rows.h"

#include <algorithm>

#include "engine/charset.h"
#include "engine/error.h"
#include "engine/images.h"
#include "engine/json.h"
#include "engine/object_image.h"
#include "engine/vector.h"
#include "wire/setup.h"
#include "wire/text.h"

namespace orasim::wire {

namespace {

constexpr std::uint8_t kLong = 8;
constexpr std::uint8_t kLongRaw = 24;
constexpr std::uint8_t kBlob = 113;

constexpr std::uint16_t kUtf16Charset = 2000;
constexpr std::uint16_t kUtf8Charset = 873;
constexpr std::uint8_t kLongVarchar = 94;
constexpr std::uint8_t kLongVarraw = 95;

bool is_long(std::uint8_t type) {
  return type == kLong || type == kLongRaw || type == kLongVarchar || type == kLongVarraw;
}

Codec codec_of(std::uint8_t type, std::uint8_t charset_form) {
  if (type == kLong || type == 1 || type == 96) {
    return charset_form == 2 ? Codec::kNationalText : Codec::kText;
  }
  TypeSpec spec;
  spec.type = type;
  spec.charset_form = charset_form;
  return bind_codec(spec);
}

}  // namespace

RowColumn row_column(const ColumnShape& described, const TypeSpec* define) {
  RowColumn column;
  column.national = described.charset_form == 2;
  const std::uint8_t type =
      define != nullptr && is_lob(described.type) ? define->type : described.type;
  const std::uint8_t form =
      define != nullptr && is_lob(described.type) ? define->charset_form : described.charset_form;
  column.is_blob = type == kBlob;
  column.codec = codec_of(type, form);
  column.has_trailer = is_long(type);
  column.type_oid = described.type_oid;
  if (column.codec == Codec::kLocator && define != nullptr && define->wants_lob_sizes()) {
    column.codec = Codec::kLocatorAndSize;
    column.prefetch = define->prefetch;
  }
  const bool is_text = column.codec == Codec::kText && !column.has_trailer;
  if (is_text && define != nullptr) column.room = define->buffer_bytes;
  if (described.max_bytes == 0 && !column.has_trailer) column.codec = Codec::kNothing;
  return column;
}

RowEncoder::RowEncoder(std::vector<RowColumn> columns, bool compress, const Dialect& dialect)
    : columns_(std::move(columns)), compress_(compress) {
  current_.use_small_chunks(dialect.small_chunks);
  previous_.use_small_chunks(dialect.small_chunks);
  ends_.resize(columns_.size());
  previous_ends_.resize(columns_.size());
  repeated_.resize(columns_.size());
}

namespace {

/// The text as a CLR of UTF-16, encoded in its place when it is one chunk.
void put_utf16(Writer& out, std::string_view utf8, std::size_t units) {
  const std::size_t bytes = units * 2;
  if (!out.begin_one_chunk(bytes)) {
    out.clr(utf8_to_utf16be(utf8, units));
    return;
  }
  utf8_to_utf16be(utf8, units, out.room(bytes));
  out.commit(bytes);
  if (bytes > kShortClr) out.end_chunks();
}

/// `units_in_all`: UTF-16 units of all the data.
void put_prefetched(Writer& out, const RowColumn& column, std::string_view data,
                    std::size_t units_in_all) {
  if (column.is_blob) {
    out.clr(data.substr(0, column.prefetch));
    return;
  }
  // The charset of what follows is told: clients take it for their own, or UTF-16 if national,
  // else.
  const bool is_utf16 = column.national || database_charset().is_variable_width();
  out.u8(1);
  out.ub(is_utf16 ? kUtf16Charset : kUtf8Charset);
  out.u8(column.national ? 2 : 1);
  if (units_in_all <= column.prefetch) {
    if (is_utf16) {
      put_utf16(out, data, units_in_all);
    } else {
      out.clr(data);
    }
    return;
  }
  std::string units;
  Utf16Cursor(data).read(column.prefetch, &units);
  out.clr(is_utf16 ? units : utf16be_to_utf8(units));
}

// What a client defined too small a buffer for is an error of the fetch.
void check_room(const RowColumn& column, const Value& value) {
  const auto* const text = std::get_if<std::string>(&value.data);
  if (column.room == 0 || text == nullptr || text->size() <= column.room) return;
  throw OraError(1406, "fetched column value was truncated");
}

}  // namespace

namespace {

/// What a LOB column shows of a value of another type: JSON and VECTOR as text, for clients that
/// have no such types or asked for it.
Value as_shown(const Value& value, bool as_blob) {
  if (value.type == Type::kBfile || value.type == Type::kClob || value.type == Type::kBlob) {
    return value;
  }
  const Type type = as_blob ? Type::kBlob : Type::kClob;
  if (value.type == Type::kJson) return make_lob(json_text(decode_oson(value.lob()->data)), type);
  if (value.type == Type::kVector) {
    return make_lob(vector_text(decode_vector(value.lob()->data)), type);
  }
  if (value.type == Type::kXml) return make_lob(value.lob()->data, type);
  throw OraError(932, "inconsistent datatypes: expected LOB");
}

constexpr std::size_t kQuasiLocatorBytes = 40;

// Stands where a locator would: there is nothing to read by it.
void put_quasi_locator(Writer& out, std::size_t data_bytes) {
  out.u8(kQuasiLocatorBytes);
  out.u16(kQuasiLocatorBytes - 2);
  out.u16(4);
  out.u8(0x61);
  out.u8(0x08);
  out.u16(0);
  out.u16(1);
  out.u64(data_bytes);
  out.zeros(kQuasiLocatorBytes - 18);
}

// An XMLTYPE image. Short documents stand in it, longer ones are a CLOB whose locator does.
std::string xml_image(const std::string& text, LobRegistrar& lobs) {
  constexpr std::size_t kShortText = 2000;
  constexpr std::uint32_t kHasLob = 0x01, kHasText = 0x04, kSkipsFour = 0x100000;
  const bool is_short = text.size() <= kShortText;
  std::string body;
  append_be(body, 1, 1);
  append_be(body, is_short ? kHasText : kHasLob | kSkipsFour, 4);
  if (is_short) {
    body += text;
  } else {
    append_be(body, 0, 4);
    const Value clob = make_lob(text);
    body += as_text(lobs.locator_for(clob));
  }
  constexpr std::size_t kHeadBytes = 7;
  std::string image;
  append_be(image, 0x84, 1);  // of 8.1, without a prefix segment
  append_be(image, 1, 1);
  append_be(image, 254, 1);
  append_be(image, kHeadBytes + body.size(), 4);
  return image + body;
}

}  // namespace

void encode_document(Writer& out, const Value& value) {
  if (value.is_null()) {
    out.ub(0);
    return;
  }
  const auto* image = std::get_if<Lob>(&value.data);
  if (image == nullptr) throw OraError(932, "inconsistent datatypes: expected JSON");
  out.ub(kQuasiLocatorBytes);
  out.ub((*image)->data.size());
  out.ub(kLobChunkBytes);
  out.clr((*image)->data);
  put_quasi_locator(out, (*image)->data.size());
}

// The flags of a value take two bytes: go-ora steps over so many.
void encode_object(Writer& out, std::string_view type_oid, const Value& value, LobRegistrar& lobs) {
  constexpr std::uint32_t kTopLevel = 1;
  out.dlc(type_oid);
  out.ub(0);  // no object id: it is no object of an object table
  out.ub(0);
  out.ub(0);
  if (value.is_null()) {
    out.ub(0);
    out.ub(kTopLevel);
    return;
  }
  const std::string image = value.type == Type::kXml ? xml_image(value.lob()->data, lobs)
                                                     : std::string(object_image(value));
  out.ub(image.size());
  out.ub(kTopLevel);
  out.clr(image);
}

void encode_lob(Writer& out, const RowColumn& column, const Value& value, LobRegistrar& lobs) {
  if (value.is_null()) {
    out.ub(0);
    return;
  }
  const Value shown = as_shown(value, column.is_blob);
  const ByteView locator = lobs.locator_for(shown);
  out.ub(locator.size());
  if (column.codec == Codec::kLocatorAndSize && shown.type != Type::kBfile) {
    const std::string& data = shown.lob()->data;
    const std::size_t size = column.is_blob ? data.size() : utf16_units(data);
    out.ub(size);
    out.ub(kLobChunkBytes);
    if (column.prefetch > 0) put_prefetched(out, column, data, size);
  }
  out.clr(locator);
}

void RowEncoder::encode_column(Writer& out, const RowColumn& column, const Value& value,
                               LobRegistrar& lobs) {
  if (column.codec == Codec::kLocator || column.codec == Codec::kLocatorAndSize) {
    encode_lob(out, column, value, lobs);
    return;
  }
  if (column.codec == Codec::kCursor) return lobs.put_cursor(out, value);
  if (column.codec == Codec::kDocument) return encode_document(out, value);
  if (column.codec == Codec::kObject) return encode_object(out, column.type_oid, value, lobs);
  encode_value(out, column.codec, value);
  if (column.has_trailer) {
    out.sb(value.is_null() ? -1 : 0);
    out.ub(value.is_null() ? 1405 : 0);
  }
}

void RowEncoder::encode_columns(Writer& out, const Row& row, LobRegistrar& lobs, bool record_ends) {
  if (row.size() != columns_.size()) {
    throw OraError(600, "internal error code, arguments: [row width differs from describe]");
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) check_room(columns_[i], row[i]);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    encode_column(out, columns_[i], row[i], lobs);
    if (record_ends) ends_[i] = out.size();
  }
}

// Marks the columns equal to the row before; returns how many bytes leaving them out would save.
std::size_t RowEncoder::find_repeats() {
  std::size_t saved = 0;
  std::size_t from = 0, previous_from = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::size_t size = ends_[i] - from;
    const bool unique = columns_[i].codec == Codec::kLocator ||
                        columns_[i].codec == Codec::kLocatorAndSize ||
                        columns_[i].codec == Codec::kObject || columns_[i].codec == Codec::kCursor;
    repeated_[i] = !unique && size == previous_ends_[i] - previous_from &&
                   std::memcmp(current_.data() + from, previous_.data() + previous_from, size) == 0;
    if (repeated_[i]) saved += size;
    from = ends_[i];
    previous_from = previous_ends_[i];
  }
  return saved;
}

void RowEncoder::write_vector(Writer& out, std::size_t repeated) {
  out.u8(static_cast<std::uint8_t>(Message::kBitVector));
  out.ub(columns_.size() - repeated);
  for (std::size_t base = 0; base < columns_.size(); base += 8) {
    std::uint8_t bits = 0;
    for (std::size_t i = base; i < std::min(base + 8, columns_.size()); ++i) {
      if (!repeated_[i]) bits |= static_cast<std::uint8_t>(1u << (i - base));
    }
    out.u8(bits);
  }
}

void RowEncoder::write_kept(Writer& out, std::size_t repeated) {
  out.u8(static_cast<std::uint8_t>(Message::kRowData));
  if (repeated == 0) {
    out.raw(current_.view());
    return;
  }
  std::size_t from = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!repeated_[i]) out.raw(current_.data() + from, ends_[i] - from);
    from = ends_[i];
  }
}

void RowEncoder::encode(Writer& out, const Row& row, LobRegistrar& lobs) {
  if (!compress_) {
    out.u8(static_cast<std::uint8_t>(Message::kRowData));
    encode_columns(out, row, lobs, false);
    return;
  }
  current_.clear();
  encode_columns(current_, row, lobs, true);
  const std::size_t saved = has_previous_ ? find_repeats() : 0;
  const std::size_t cost = 3 + (columns_.size() + 7) / 8;
  // go-ora keeps a vector in force until the next one, so once sent, each row needs its own.
  const bool worth_it = saved > cost;
  if (!worth_it && !vector_in_force_) std::fill(repeated_.begin(), repeated_.end(), false);
  const auto repeated =
      static_cast<std::size_t>(std::count(repeated_.begin(), repeated_.end(), true));
  if (worth_it || vector_in_force_) {
    write_vector(out, repeated);
    vector_in_force_ = true;
  }
  write_kept(out, repeated);
  std::swap(current_, previous_);
  std::swap(ends_, previous_ends_);
  has_previous_ = true;
}

}  // namespace orasim::wire
