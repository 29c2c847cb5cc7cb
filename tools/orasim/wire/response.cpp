#include "wire/response.h"

#include <algorithm>

#include "engine/charset.h"
#include "engine/object_image.h"
#include "wire/setup.h"

namespace orasim::wire {

namespace {

constexpr std::uint16_t kNationalCharset = 2000;
constexpr std::uint32_t kCharacterCollation = 0x3FFE;

bool is_character(std::uint8_t type) {
  return type == 1 || type == 8 || type == 96 || type == 112;
}

std::uint32_t fixed_length(Type type) {
  switch (type) {
    case Type::kNumber:
      return 22;
    case Type::kDate:
      return 7;
    case Type::kTimestamp:
    case Type::kTimestampLtz:
    case Type::kIntervalDs:
      return 11;
    case Type::kTimestampTz:
      return 13;
    case Type::kIntervalYm:
      return 5;
    case Type::kBinaryFloat:
      return 4;
    case Type::kBinaryDouble:
      return 8;
    case Type::kRowid:
      return 18;
    case Type::kJson:
    case Type::kVector:
      return 8200;
    case Type::kBfile:
      return 530;
    case Type::kXml:
      return 2000;
    case Type::kObject:
      return 1;
    case Type::kUrowid:
    case Type::kClob:
    case Type::kBlob:
      return 4000;
    case Type::kBoolean:
    case Type::kCursor:
      return 1;
    default:
      return 0;
  }
}

void describe_number(const DataType& type, ColumnShape& out) {
  if (type.is_float) {
    out.precision = static_cast<std::int8_t>(type.has_precision ? type.precision : 126);
    out.scale = -127;
  } else if (!type.has_precision && !type.has_scale) {
    out.scale = -127;
  } else {
    // NUMBER(*,s) has no precision in the dictionary and 38 in a describe.
    out.precision = static_cast<std::int8_t>(type.has_precision ? type.precision : 38);
    out.scale = type.scale;
  }
}

}  // namespace

bool has_wide_scale(std::uint8_t type) {
  return type == 2 || type == 180 || type == 181 || type == 183 || type == 231;
}

namespace {

constexpr std::uint8_t kClobType = 112, kObjectType = 109;

// Clients without such a type get the text.
void describe_as_clob(ColumnShape& out) {
  out.type = kClobType;
  out.max_bytes = 4000;
  out.charset = database_charset().id;
  out.charset_form = 1;
}

void describe_vector(const DataType& type, ColumnShape& out) {
  constexpr std::uint8_t kAnyDimensions = 0x01, kSparse = 0x02;
  out.vector_dimensions = type.size_chars;
  out.vector_format = static_cast<std::uint8_t>(type.precision);
  if (type.size_chars == 0) out.vector_flags |= kAnyDimensions;
  if (type.is_sparse) out.vector_flags |= kSparse;
}

void describe_object(const DataType& type, ColumnShape& out) {
  const auto take = [&out](const ObjectType& t) {
    out.type_oid = t.oid;
    out.type_schema = t.owner;
    out.type_name = t.name;
    out.type_version = t.version;
  };
  out.type = kObjectType;
  if (type.type == Type::kXml) {
    take(xml_object_type());
  } else if (type.object) {
    take(*type.object);
  }
}

}  // namespace

ColumnShape describe_column(const ColumnInfo& column, const Dialect& dialect) {
  const DataType& type = column.type;
  ColumnShape out;
  out.name = column.name;
  out.nullable = column.nullable;
  out.type = static_cast<std::uint8_t>(type.type);
  out.max_bytes = fixed_length(type.type);
  if (is_character(out.type)) {
    out.charset = type.national ? kNationalCharset : database_charset().id;
    out.charset_form = type.national ? 2 : 1;
  }
  switch (type.type) {
    case Type::kVarchar2:
    case Type::kChar:
      out.max_bytes = type.size_bytes;
      out.max_chars = type.size_chars != 0 ? type.size_chars : type.size_bytes;
      break;
    case Type::kRaw:
      out.max_bytes = type.size_bytes;
      break;
    case Type::kNumber:
      describe_number(type, out);
      break;
    case Type::kTimestamp:
    case Type::kTimestampTz:
    case Type::kTimestampLtz:
    case Type::kIntervalYm:
    case Type::kIntervalDs:
      out.precision = static_cast<std::int8_t>(type.precision);
      out.scale = type.scale;
      break;
    case Type::kJson:
      if (!dialect.takes_json) describe_as_clob(out);
      break;
    case Type::kVector:
      if (!dialect.takes_vector) {
        describe_as_clob(out);
      } else {
        describe_vector(type, out);
      }
      break;
    case Type::kXml:
    case Type::kObject:
      describe_object(type, out);
      break;
    case Type::kBoolean:
      if (dialect.field_version >= 17) break;
      out.type = 2;
      out.precision = 1;
      out.max_bytes = 22;
      break;
    default:
      break;
  }
  return out;
}

namespace {

void encode_column(Writer& out, const Dialect& dialect, const ColumnShape& column,
                   std::size_t position) {
  const std::uint8_t version = dialect.field_version;
  out.u8(column.type);
  out.u8(is_character(column.type) ? 0x80 : 0);
  out.u8(static_cast<std::uint8_t>(column.precision));
  if (dialect.scale_is_sb2 && has_wide_scale(column.type)) {
    out.sb(column.scale);
  } else {
    out.u8(static_cast<std::uint8_t>(column.scale));
  }
  out.ub(column.max_bytes);
  out.ub(0);
  out.ub(0);
  out.dlc(column.type_oid);
  out.ub(column.type_version);
  out.ub(column.charset);
  out.u8(column.charset_form);
  out.ub(column.max_chars);
  if (version >= 8) out.ub(is_character(column.type) ? kCharacterCollation : 0);
  out.u8(column.nullable ? 1 : 0);
  out.u8(static_cast<std::uint8_t>(std::min<std::size_t>(column.name.size(), 255)));
  out.dlc(column.name);
  out.dlc(column.type_schema);
  out.dlc(column.type_name);
  out.ub(position);
  if (version >= 6) out.ub(column.uds_flags);
  if (version >= 17) out.zeros(2);  // no domain
  if (version >= 20) out.ub(0);     // no annotations
  if (version >= 24) {
    out.ub(column.vector_dimensions);
    out.u8(column.vector_format);
    out.u8(column.vector_flags);
  }
}

}  // namespace

void encode_describe(Writer& out, const Dialect& dialect, const std::vector<ColumnShape>& columns) {
  // A date image: any will do, clients skip it.
  static constexpr std::uint8_t kDate[] = {0x78, 0x7E, 1, 1, 1, 1, 1};
  out.u8(static_cast<std::uint8_t>(Message::kDescribe));
  out.clr(kDate, sizeof kDate);
  encode_describe_body(out, dialect, columns);
}

void encode_describe_body(Writer& out, const Dialect& dialect,
                          const std::vector<ColumnShape>& columns) {
  static constexpr std::uint8_t kDate[] = {0x78, 0x7E, 1, 1, 1, 1, 1};
  std::uint64_t row_bytes = 0;
  for (const ColumnShape& column : columns) row_bytes += column.max_bytes;
  out.ub(std::min<std::uint64_t>(row_bytes, 0xFFFFFFFF));
  out.ub(columns.size());
  if (!columns.empty()) out.u8(0x59);
  for (std::size_t i = 0; i < columns.size(); ++i) encode_column(out, dialect, columns[i], i);
  out.dlc(as_text(ByteView(kDate)));
  out.ub(0);
  out.ub(0x1FE8);
  out.ub(2);
  out.ub(2);
  out.ub(0);  // no query key
}

void encode_cursor(Writer& out, const Dialect& dialect, const std::vector<ColumnShape>& columns,
                   std::uint32_t cursor_id) {
  out.u8(columns.empty() ? 0 : 1);
  encode_describe_body(out, dialect, columns);
  out.ub(cursor_id);
}

void encode_row_header(Writer& out, std::uint32_t rows_requested) {
  out.u8(static_cast<std::uint8_t>(Message::kRowHeader));
  out.u8(0x22);
  out.ub(1);
  out.ub(0);
  out.ub(rows_requested);
  out.ub(0);
  out.ub(0);
  out.ub(0);
}

void encode_return_parameters(Writer& out, std::uint64_t scn, std::uint32_t cursor_id,
                              const std::vector<std::uint64_t>* row_counts) {
  out.u8(static_cast<std::uint8_t>(Message::kParameter));
  out.ub(6);
  out.ub(scn & 0xFFFFFFFF);
  out.ub(scn >> 32);
  out.ub(cursor_id);
  out.zeros(3);
  out.zeros(3);
  if (row_counts == nullptr) return;
  out.ub(row_counts->size());
  for (const std::uint64_t count : *row_counts) out.ub(count);
}

void encode_io_vector(Writer& out, const std::vector<BindDirection>& directions) {
  out.u8(static_cast<std::uint8_t>(Message::kIoVector));
  out.u8(0);
  out.ub(directions.size() % 256);
  out.ub(directions.size() / 256);
  out.ub(1);
  out.zeros(3);
  for (const BindDirection direction : directions) out.u8(static_cast<std::uint8_t>(direction));
}

namespace {

void encode_row_id(Writer& out, const RowId& row_id) {
  out.ub(row_id.object);
  out.ub(row_id.file);
  out.u8(0);
  out.ub(row_id.block);
  out.ub(row_id.slot);
}

// Servers set the lowest bit whenever a call has ended; seerdb does not look for a status without.
std::uint32_t call_status(bool transaction_open) {
  return transaction_open ? 3 : 1;
}

// A count and the numbers as one byte string (seen from seerdb, which reads its length); a long one
// in chunks of one number each (seen from python-oracledb, which skips a length before every one).
template <typename Number>
void encode_numbers(Writer& out, const std::vector<BatchError>& errors, const Number& number_of) {
  out.ub(errors.size());
  if (errors.empty()) return;
  Writer numbers;
  for (const BatchError& error : errors) numbers.ub(number_of(error));
  if (numbers.size() <= kShortClr) return out.clr(numbers.view());
  out.begin_chunks();
  for (const BatchError& error : errors) {
    numbers.clear();
    numbers.ub(number_of(error));
    out.chunks(numbers.view());
  }
  out.end_chunks();
}

void encode_batch_errors(Writer& out, const std::vector<BatchError>& errors) {
  encode_numbers(out, errors,
                 [](const BatchError& e) { return static_cast<std::uint16_t>(e.code); });
  encode_numbers(out, errors, [](const BatchError& e) { return e.row_index; });
  out.ub(errors.size());
  if (!errors.empty()) out.u8(1);
  for (const BatchError& error : errors) {
    const std::string text = error.text + "\n";
    out.ub(text.size());
    out.clr(text);
    out.zeros(2);
  }
}

}  // namespace

void encode_status(Writer& out, const Dialect& dialect, const CallStatus& status) {
  const auto code = static_cast<std::uint32_t>(status.ora_code);
  out.u8(static_cast<std::uint8_t>(Message::kStatus));
  out.ub(call_status(status.transaction_open));
  out.ub(0);
  out.ub(status.row_count & 0xFFFFFFFF);
  out.ub(code & 0xFFFF);
  out.zeros(2);
  out.ub(status.cursor_id & 0xFFFF);
  out.sb(std::clamp(status.error_position, 0, 32767));
  out.u8(status.sql_type);
  out.zeros(4);
  out.u8(status.compilation_warning ? 0x20 : 0);
  encode_row_id(out, status.last_row_id);
  out.ub(0);
  out.u8(0);
  out.u8(status.call_number);
  out.ub(0);
  out.ub(status.iterations);
  out.ub(0);
  if (dialect.status_is_long()) {
    encode_batch_errors(out, status.batch_errors);
    out.ub(code);
    out.ub(status.row_count);
  } else {
    out.zeros(3);
  }
  if (dialect.status_has_sql_type()) {
    out.ub(status.sql_type);
    out.ub(0);
  }
  if (code != 0) out.clr(status.text + "\n");
}

void encode_call_end(Writer& out, bool transaction_open) {
  out.u8(static_cast<std::uint8_t>(Message::kCallEnd));
  out.ub(call_status(transaction_open));
  out.ub(0);
}

void encode_warning(Writer& out, int ora_code, std::string_view text) {
  out.u8(static_cast<std::uint8_t>(Message::kWarning));
  out.ub(static_cast<std::uint32_t>(ora_code));
  out.ub(text.size());
  out.ub(0);
  if (!text.empty()) out.clr(text);
}

}  // namespace orasim::wire
