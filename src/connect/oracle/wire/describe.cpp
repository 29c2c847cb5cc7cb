// Message 16: what the columns of a query are.
#include "connect/oracle/wire/messages.h"

namespace wherry::oracle::wire {
namespace {

constexpr std::uint32_t kUdsIsJson = 0x100;
constexpr std::uint32_t kUdsIsOson = 0x800;

bool has_wide_scale(OracleType type) {
  switch (type) {
    case OracleType::kNumber:
    case OracleType::kTimestamp:
    case OracleType::kTimestampTz:
    case OracleType::kTimestampLtz:
    case OracleType::kIntervalDs:
      return true;
    default:
      return false;
  }
}

void skip_annotations(Reader& in) {
  if (in.ub4() == 0) return;
  in.skip(1);
  const std::uint32_t count = in.ub4();
  in.skip(1);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    in.skip_dlc();
    in.skip_dlc();
    in.ub4();
  }
  in.ub4();
}

ColumnDescription read_column(Reader& in, const Dialect& dialect) {
  const std::uint8_t version = dialect.field_version;
  ColumnDescription column = decode_column_head(in, dialect);
  if (version >= 6) {
    const std::uint32_t uds_flags = in.ub4();
    column.is_json = (uds_flags & kUdsIsJson) != 0;
    column.is_oson = (uds_flags & kUdsIsOson) != 0;
  }
  if (version >= 17) {
    in.skip_dlc();
    in.skip_dlc();
  }
  if (version >= 20) skip_annotations(in);
  if (version >= 24) {
    in.ub4();
    in.skip(2);
  }
  return column;
}

}  // namespace

ColumnDescription decode_column_head(Reader& in, const Dialect& dialect) {
  ColumnDescription column;
  column.type = static_cast<OracleType>(in.u8());
  in.skip(1);
  column.precision = in.s8();
  column.scale = dialect.wide_scale && has_wide_scale(column.type) ? in.sb2() : in.s8();
  column.max_bytes = in.ub4();
  in.ub4();
  column.continuation_flags = in.ub8();
  in.skip_dlc();
  in.ub2();
  column.charset = in.ub2();
  column.form = static_cast<CharsetForm>(in.u8());
  column.max_characters = in.ub4();
  if (dialect.field_version >= 8) in.ub4();
  column.nullable = in.u8() != 0;
  in.skip(1);
  column.name = in.dlc_text();
  column.type_schema = in.dlc_text();
  column.type_name = in.dlc_text();
  if (dialect.field_version >= 3) in.ub2();
  return column;
}

Description decode_describe(Reader& in, const Dialect& dialect) {
  in.skip_clr();
  return decode_describe_body(in, dialect);
}

Description decode_describe_body(Reader& in, const Dialect& dialect) {
  Description description;
  description.max_row_bytes = in.ub4();
  const std::uint32_t count = in.ub4();
  if (count != 0) in.skip(1);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    description.columns.push_back(read_column(in, dialect));
  }
  in.skip_dlc();
  const int trailing = dialect.field_version >= 4 ? 4 : dialect.field_version == 3 ? 2 : 0;
  for (int i = 0; i < trailing; ++i) in.ub4();
  if (dialect.field_version >= 5) in.skip_dlc();
  return description;
}

}  // namespace wherry::oracle::wire
