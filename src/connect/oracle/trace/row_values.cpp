#include "connect/oracle/trace/row_values.h"

#include "connect/oracle/trace/charset.h"
#include "connect/oracle/trace/documents.h"
#include "connect/oracle/trace/lob_values.h"
#include "connect/oracle/trace/scalar_text.h"
#include "connect/oracle/wire/column_decoder.h"
#include "connect/oracle/wire/object_value.h"
#include "connect/oracle/wire/rowid.h"

namespace wherry::oracle::trace {
namespace {

constexpr std::uint8_t kNullLength = 0xFF;
constexpr std::uint8_t kEscape = 0xFD;
constexpr std::uint8_t kNationalForm = 2;

Json text_or_null(Reader& in, const Session& session, std::uint8_t type, std::uint8_t form) {
  const auto bytes = in.clr();
  if (!bytes) return nullptr;
  return session.printer->print(type, charset_of(session, form), *bytes);
}

Json rowid_or_null(Reader& in) {
  const auto rowid = wire::read_rowid_column(in);
  return rowid ? Json(wire::rowid_text(*rowid)) : Json(nullptr);
}

Json read_urowid(Reader& in, const Session& session) {
  if (in.ub4() == 0) return nullptr;
  return text_or_null(in, session, static_cast<std::uint8_t>(OracleType::kUrowid), 0);
}

Json read_cursor(Reader& in, Session& session) {
  const std::uint8_t length = in.u8();
  if (length == 0 || length == kNullLength) return nullptr;
  wire::Description description = wire::decode_describe_body(in, session.dialect);
  const std::uint32_t id = in.ub2();
  if (!in.ok()) return nullptr;
  Cursor& cursor = session.cursors[id];
  cursor = {};
  cursor.columns = std::move(description.columns);
  return "cursor " + std::to_string(id);
}

Json read_object(Reader& in, const Session& session, bool is_xml) {
  const auto image = wire::read_object_image(in);
  if (!image) return nullptr;
  if (!is_xml) return hex_text(*image);
  return xml_text(*image, session.dialect.database_charset);
}

/// LONG and LONG RAW, and LOBs defined so, carry an indicator and a return code behind the value.
Json read_long(Reader& in, const Session& session, std::uint8_t type, std::uint8_t form) {
  Json value = text_or_null(in, session, type, form);
  if (session.dialect.field_version < 3) return value;
  in.sb4();
  in.ub4();
  return value;
}

Json read_by_type(Reader& in, Session& session, const ColumnDescription& column, OracleType type,
                  const Variable* define) {
  const auto number = static_cast<std::uint8_t>(type);
  const std::uint8_t form =
      define != nullptr ? define->form : static_cast<std::uint8_t>(column.form);
  switch (type) {
    case OracleType::kLong:
    case OracleType::kLongRaw:
      return read_long(in, session, number, form);
    case OracleType::kRowid:
      return rowid_or_null(in);
    case OracleType::kUrowid:
      return read_urowid(in, session);
    case OracleType::kCursor:
      return read_cursor(in, session);
    case OracleType::kObject:
      return read_object(in, session, is_xml_type(column));
    case OracleType::kClob:
    case OracleType::kBlob:
    case OracleType::kBfile:
    case OracleType::kJson:
    case OracleType::kVector:
      return read_lob_value(in, session, type, static_cast<std::uint8_t>(column.form));
    default:
      return text_or_null(in, session, number, static_cast<std::uint8_t>(column.form));
  }
}

/// Quasi locator, then the image.
Json read_document_bind(Reader& in, bool is_json) {
  if (in.ub4() == 0) return nullptr;
  in.skip_clr();
  const auto image = in.clr();
  if (!image) return nullptr;
  return is_json ? oson_text(*image) : vector_text(*image);
}

Json read_cursor_bind(Reader& in) {
  const std::uint8_t length = in.u8();
  if (length == 0 || length == kNullLength) return nullptr;
  return in.u8() == 0 ? Json("new cursor") : Json("cursor " + std::to_string(in.ub4()));
}

Json read_locator_bind(Reader& in) {
  const auto locator = in.dlc();
  if (!locator) return nullptr;
  return "locator " + hex_text(*locator);
}

Json read_boolean_bind(Reader& in, const Session& session, std::uint8_t type) {
  if (in.peek() != kEscape) return text_or_null(in, session, type, 0);
  in.skip(2);
  return nullptr;
}

/// As its text, or, of JDBC thin, in the form of a row, whose length byte is 14 whatever follows.
Json read_rowid_bind(Reader& in) {
  constexpr std::uint8_t kRowForm = 14;
  if (in.ok() && in.remaining() > 0 && in.peek() == kRowForm) return rowid_or_null(in);
  const auto bytes = in.clr();
  if (!bytes) return nullptr;
  return is_utf8(*bytes) && bytes->size() >= wire::kRowidChars ? *bytes : hex_text(*bytes);
}

Json read_one_bind(Reader& in, const Session& session, const Variable& bind) {
  switch (image_type(bind.type)) {
    case OracleType::kCursor:
      return read_cursor_bind(in);
    case OracleType::kClob:
    case OracleType::kBlob:
    case OracleType::kBfile:
      return read_locator_bind(in);
    case OracleType::kJson:
      return read_document_bind(in, true);
    case OracleType::kVector:
      return read_document_bind(in, false);
    case OracleType::kObject:
      return read_object(in, session, false);
    case OracleType::kBoolean:
      return read_boolean_bind(in, session, bind.type);
    case OracleType::kRowid:
      return read_rowid_bind(in);
    default:
      return text_or_null(in, session, bind.type, bind.form);
  }
}

ColumnDescription as_column(const Variable& bind) {
  ColumnDescription column;
  column.type = image_type(bind.type);
  column.form = static_cast<CharsetForm>(bind.form);
  column.max_bytes = 1;
  return column;
}

}  // namespace

std::uint16_t charset_of(const Session& session, std::uint8_t form) {
  if (form != kNationalForm) return session.client_charset;
  return session.dialect.national_charset;
}

Json read_column_value(Reader& in, Session& session, const ColumnDescription& column,
                       const Variable* define) {
  const OracleType type = define != nullptr ? image_type(define->type) : column.type;
  if (wire::is_absent(type, column.max_bytes)) return nullptr;
  // 9i and older: every value has its indicator behind it, and a null is nothing else.
  const bool has_indicator = session.dialect.field_version < 3;
  if (has_indicator && in.peek() == 0) {
    in.skip(1);
    in.sb2();
    return nullptr;
  }
  Json value = read_by_type(in, session, column, type, define);
  if (has_indicator) in.sb2();
  return value;
}

Json read_bind_value(Reader& in, const Session& session, const Variable& bind) {
  if (!bind.is_array()) return read_one_bind(in, session, bind);
  Json values = Json::array();
  const std::uint32_t count = in.ub4();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    values.push_back(read_one_bind(in, session, bind));
  }
  return values;
}

Json read_out_value(Reader& in, Session& session, const Variable& bind) {
  const ColumnDescription column = as_column(bind);
  // A LONG out bind is a plain value: indicator and return code belong to query rows.
  if (column.type == OracleType::kLong || column.type == OracleType::kLongRaw) {
    return text_or_null(in, session, bind.type, bind.form);
  }
  return read_by_type(in, session, column, column.type, nullptr);
}

std::vector<Json> read_row(Reader& in, Session& session, const Cursor& cursor,
                           const std::string& bit_vector) {
  std::vector<Json> row;
  row.reserve(cursor.columns.size());
  if (!bit_vector.empty() && bit_vector.size() < (cursor.columns.size() + 7) / 8) {
    in.fail("a bit vector is shorter than the row");
  }
  for (std::size_t i = 0; i < cursor.columns.size() && in.ok(); ++i) {
    if (wire::has_bit(bit_vector, i)) {
      const Variable* define = i < cursor.defines.size() ? &cursor.defines[i] : nullptr;
      row.push_back(read_column_value(in, session, cursor.columns[i], define));
    } else {
      row.push_back(i < cursor.last_row.size() ? cursor.last_row[i] : Json(nullptr));
    }
  }
  return row;
}

}  // namespace wherry::oracle::trace
