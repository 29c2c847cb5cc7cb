// Values: every type as the fetch path decodes it, and the images inside them. Any bytes give a
// value or a status, and what decodes encodes to the same again.
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "connect/oracle/row_decoder.h"
#include "connect/oracle/trace/documents.h"
#include "connect/oracle/wire/charset.h"
#include "connect/oracle/wire/column_decoder.h"
#include "connect/oracle/wire/datetime.h"
#include "connect/oracle/wire/locator.h"
#include "connect/oracle/wire/number.h"
#include "connect/oracle/wire/object_value.h"
#include "connect/oracle/wire/oson.h"
#include "connect/oracle/wire/rowid.h"
#include "connect/oracle/wire/utf16.h"
#include "connect/oracle/wire/vector_image.h"
#include "connect/oracle/wire/zone_rules.h"
#include "input.h"

namespace oracle = wherry::oracle;
namespace wire = wherry::oracle::wire;
using oracle::OracleType;
using wherry::CellKind;
using wherry::fuzz::Input;
using wherry::fuzz::require;
using wire::ValueStatus;

namespace {

void fuzz_number(Input& input) {
  wherry::Arena arena;
  const wire::ByteView image = input.rest();
  std::int64_t integer = 0;
  const bool is_integer = wire::decode_integer(image, integer) == ValueStatus::kOk;
  const wherry::DecimalView* value = nullptr;
  if (wire::decode_number(image, arena, value) != ValueStatus::kOk) return require(!is_integer);
  require(value != nullptr);
  if (is_integer) require(wherry::to_int64(*value) == integer);
  if (value->sign != wherry::DecimalSign::kPositive &&
      value->sign != wherry::DecimalSign::kNegative) {
    return;
  }
  const auto again = wire::encode_number(wherry::to_text(*value));
  if (!again) return;  // an image of more digits than NUMBER has
  const wherry::DecimalView* decoded = nullptr;
  require(wire::decode_number(wire::bytes_of(*again), arena, decoded) == ValueStatus::kOk);
  require(wherry::compare(*value, *decoded) == 0);
}

void fuzz_moment(Input& input) {
  const wire::ByteView image = input.rest();
  if (image.size() >= 2) (void)wire::decode_zone(image[0], image[1]);
  wire::Instant instant;
  if (wire::decode_datetime(image, instant) != ValueStatus::kOk) return;
  const std::string again = wire::encode_timestamp(instant.micros, instant.nanos);
  wire::Instant decoded;
  require(wire::decode_datetime(wire::bytes_of(again), decoded) == ValueStatus::kOk);
  require(decoded.micros == instant.micros && decoded.nanos == instant.nanos);
}

void fuzz_interval(Input& input) {
  std::int64_t months = 0;
  (void)wire::decode_interval_ym(input.rest(), months);
  std::int64_t seconds = 0;
  std::int32_t nanoseconds = 0;
  if (wire::decode_interval_ds(input.rest(), seconds, nanoseconds) != ValueStatus::kOk) return;
  require(nanoseconds > -1'000'000'000 && nanoseconds < 1'000'000'000);
}

/// National text: in pieces as in one.
void fuzz_utf16(Input& input) {
  const wire::ByteView image = input.rest();
  std::vector<char> room(wire::max_utf8_bytes(image.size()) + 1);
  std::size_t written = 0;
  const auto whole = wire::utf16_to_utf8(image, room.data(), written);
  wire::Utf16Stream stream;
  std::string joined;
  bool is_good = true;
  for (const std::uint8_t& byte : image) {
    is_good = is_good && stream.feed({&byte, 1}, joined) == ValueStatus::kOk;
  }
  is_good = is_good && stream.finish() == ValueStatus::kOk;
  require(is_good == (whole == ValueStatus::kOk));
  if (!is_good) return;
  require(joined == std::string(room.data(), written));
  require(wire::utf16_units(joined) * 2 == image.size());
}

/// Text of any character set.
void fuzz_charset(Input& input) {
  static constexpr std::uint16_t kIds[] = {1, 31, 46, 178, 829, 832, 846, 852, 854, 871, 873, 2000};
  const std::uint16_t id = kIds[input.byte() % std::size(kIds)];
  std::string text;
  (void)wire::to_utf8(input.text(), id, text);
}

void fuzz_rowid(Input& input) {
  std::string text;
  (void)wire::urowid_text(input.rest(), text);
  wire::Reader in(input.rest());
  if (const auto rowid = wire::read_rowid_column(in)) {
    require(wire::rowid_text(*rowid).size() == wire::kRowidChars);
  }
}

void fuzz_oson(Input& input) {
  std::string text;
  if (wire::oson_to_json(input.rest(), text) != ValueStatus::kOk) return;
  require(nlohmann::json::accept(text));
  require(oracle::trace::oson_text(input.text()) == text);
}

/// A JSON text becomes an image of the same document.
void fuzz_json(Input& input) {
  std::string problem;
  const auto image = wire::json_to_oson(input.text(), problem);
  if (!image) return;
  std::string text;
  const ValueStatus status = wire::oson_to_json(wire::bytes_of(*image), text);
  require(status == ValueStatus::kOk || status == ValueStatus::kTooLarge);
  if (status == ValueStatus::kOk) require(nlohmann::json::accept(text));
}

void fuzz_vector(Input& input) {
  std::string text;
  (void)wire::vector_to_text(input.rest(), text);
}

/// Object values, and XML inside them.
void fuzz_object(Input& input) {
  wire::Reader in(input.rest());
  if (const auto image = wire::read_object_image(in)) {
    (void)wire::parse_xml_image(wire::bytes_of(*image));
  }
  (void)wire::parse_xml_image(input.rest());
  (void)oracle::trace::xml_text(input.text(), wire::kCharsetAl32Utf8);
}

void fuzz_locator(Input& input) {
  const wire::Locator locator(input.rest());
  (void)locator.is_temporary();
  const auto file = locator.file();
  if (file) require(file->directory.size() + file->name.size() + 20 <= input.rest().size());
}

void fuzz_zone_file(Input& input) {
  const auto when = static_cast<std::int64_t>(input.byte()) << 24;
  const auto rules = wire::ZoneRules::parse(input.rest());
  if (!rules) return;
  for (const std::int64_t second : {when, -when, std::int64_t{1} << 40}) {
    (void)rules->offset_at(second);
    (void)rules->offset_at_local(second, false);
  }
}

constexpr std::array kTypes = {
    OracleType::kVarchar,      OracleType::kNumber,      OracleType::kLong,
    OracleType::kRowid,        OracleType::kDate,        OracleType::kRaw,
    OracleType::kLongRaw,      OracleType::kChar,        OracleType::kBinaryFloat,
    OracleType::kBinaryDouble, OracleType::kClob,        OracleType::kBlob,
    OracleType::kTimestamp,    OracleType::kTimestampTz, OracleType::kIntervalYm,
    OracleType::kIntervalDs,   OracleType::kUrowid,      OracleType::kTimestampLtz,
    OracleType::kBoolean,      OracleType::kJson,        OracleType::kVector,
    OracleType::kBfile,        OracleType::kObject,      OracleType::kCursor,
    OracleType::kRef};
constexpr std::array kKinds = {CellKind::kBool,       CellKind::kInt64,     CellKind::kFloat32,
                               CellKind::kFloat64,    CellKind::kDecimal,   CellKind::kText,
                               CellKind::kBytes,      CellKind::kTimestamp, CellKind::kTimestampTz,
                               CellKind::kIntervalYm, CellKind::kIntervalDs};

oracle::ColumnDescription column_of(Input& input) {
  oracle::ColumnDescription column;
  column.type = kTypes[input.byte() % kTypes.size()];
  const std::uint8_t flags = input.byte();
  column.form = (flags & 1) != 0 ? oracle::CharsetForm::kNational : oracle::CharsetForm::kDatabase;
  column.max_bytes = (flags & 2) != 0 ? 0 : 4000;
  if (column.type == OracleType::kObject) {
    column.type_schema = "SYS";
    column.type_name = (flags & 4) != 0 ? "XMLTYPE" : "ANYDATA";
  }
  return column;
}

/// One column as every kind of cell it can come as.
void fuzz_column(Input& input) {
  const oracle::ColumnDescription column = column_of(input);
  const CellKind kind = kKinds[input.byte() % kKinds.size()];
  const std::uint8_t flags = input.byte();
  wire::Dialect dialect;
  dialect.chunks = (flags & 2) != 0 ? wire::ChunkLength::kUb1 : wire::ChunkLength::kUb4;
  if ((flags & 4) != 0) dialect.national_charset = wire::kCharsetUtf8;
  const auto decode = wire::find_decoder(column, kind, dialect,
                                         (flags & 8) != 0    ? wire::LobForm::kSizedLocator
                                         : (flags & 16) != 0 ? wire::LobForm::kPrefetched
                                                             : wire::LobForm::kBareLocator);
  if (decode == nullptr || wire::is_absent(column)) return;
  wherry::Arena arena;
  wire::RegionTable regions;
  wire::DecodeContext context;
  context.arena = &arena;
  context.regions = &regions;
  context.chunks = dialect.chunks;
  const auto bytes = input.rest();
  wire::ByteCursor in{bytes.data(), bytes.data() + bytes.size()};
  while (in.remaining() != 0) {
    const std::uint8_t* before = in.at;
    wherry::Cell cell{};
    if (decode(in, context, cell) != ValueStatus::kOk) return require(in.at == before);
    require(in.at > before && in.at <= in.end);
  }
}

/// Rows of a few columns come to the same cut anywhere and in one piece.
void fuzz_row(Input& input) {
  std::vector<oracle::ColumnDescription> columns;
  std::vector<CellKind> kinds;
  for (int count = 1 + input.byte() % 4; count > 0; --count) {
    columns.push_back(column_of(input));
    kinds.push_back(natural_kind(columns.back()).value_or(CellKind::kText));
  }
  oracle::RowDecoder::Options options;
  const std::uint8_t flags = input.byte();
  options.lobs_inline = (flags & 1) != 0;
  options.skip_unreadable = true;
  options.lob_form = static_cast<wire::LobForm>((flags >> 1) % 3);
  const std::size_t piece = 1 + (flags >> 4);
  const auto bytes = input.rest();
  const auto rows_in_pieces = [&](std::size_t step) {
    auto decoder = oracle::RowDecoder::make(columns, kinds, {}, options);
    if (!decoder.ok()) return std::size_t{0};
    wherry::RowBatch batch;
    batch.reset(columns.size());
    std::size_t at = 0, end = std::min(step, bytes.size()), rows = 0;
    while (true) {
      std::size_t consumed = 0;
      const auto result = decoder->decode(bytes.subspan(at, end - at), consumed, batch);
      at += consumed;
      if (result == oracle::RowStep::kError) return rows;
      if (result == oracle::RowStep::kRow && (++rows == 100 || consumed == 0)) return rows;
      if (result == oracle::RowStep::kRow) continue;
      if (end == bytes.size()) return rows;
      end = std::min(end + step, bytes.size());
    }
  };
  require(rows_in_pieces(piece) == rows_in_pieces(bytes.size() + 1));
}

constexpr wherry::fuzz::Part kParts[] = {
    fuzz_number, fuzz_moment, fuzz_interval, fuzz_utf16,   fuzz_charset,   fuzz_rowid,  fuzz_oson,
    fuzz_json,   fuzz_vector, fuzz_object,   fuzz_locator, fuzz_zone_file, fuzz_column, fuzz_row};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return wherry::fuzz::run_part(kParts, data, size);
}
