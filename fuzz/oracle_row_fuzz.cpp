// Row values as the fetch path decodes them: every type into every kind of cell it can come as.
#include <array>

#include "connect/oracle/wire/column_decoder.h"
#include "input.h"

namespace oracle = wherry::oracle;
namespace wire = wherry::oracle::wire;
using oracle::OracleType;
using wherry::CellKind;
using wherry::fuzz::require;

namespace {

constexpr std::array kTypes = {
    OracleType::kVarchar,      OracleType::kNumber,      OracleType::kLong,
    OracleType::kRowid,        OracleType::kDate,        OracleType::kRaw,
    OracleType::kLongRaw,      OracleType::kChar,        OracleType::kBinaryFloat,
    OracleType::kBinaryDouble, OracleType::kClob,        OracleType::kBlob,
    OracleType::kTimestamp,    OracleType::kTimestampTz, OracleType::kIntervalYm,
    OracleType::kIntervalDs,   OracleType::kUrowid,      OracleType::kTimestampLtz,
    OracleType::kBoolean,      OracleType::kJson,        OracleType::kVector,
    OracleType::kBfile,        OracleType::kObject};
constexpr std::array kKinds = {CellKind::kBool,       CellKind::kInt64,     CellKind::kFloat32,
                               CellKind::kFloat64,    CellKind::kDecimal,   CellKind::kText,
                               CellKind::kBytes,      CellKind::kTimestamp, CellKind::kTimestampTz,
                               CellKind::kIntervalYm, CellKind::kIntervalDs};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wherry::fuzz::Input input(data, size);
  oracle::ColumnDescription column;
  column.type = kTypes[input.byte() % kTypes.size()];
  const CellKind kind = kKinds[input.byte() % kKinds.size()];
  const std::uint8_t flags = input.byte();
  column.form = (flags & 1) != 0 ? oracle::CharsetForm::kNational : oracle::CharsetForm::kDatabase;
  column.max_bytes = 4000;
  if (column.type == OracleType::kObject) {
    column.type_schema = "SYS";
    column.type_name = "XMLTYPE";
  }
  wire::Dialect dialect;
  dialect.chunks = (flags & 2) != 0 ? wire::ChunkLength::kUb1 : wire::ChunkLength::kUb4;
  if ((flags & 4) != 0) dialect.national_charset = wire::kCharsetUtf8;
  const auto decode = wire::find_decoder(column, kind, dialect,
                                         (flags & 8) != 0    ? wire::LobForm::kSizedLocator
                                         : (flags & 16) != 0 ? wire::LobForm::kPrefetched
                                                             : wire::LobForm::kBareLocator);
  if (decode == nullptr) return 0;
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
    if (decode(in, context, cell) != wire::ValueStatus::kOk) {
      require(in.at == before);
      return 0;
    }
    require(in.at > before && in.at <= in.end);
  }
  return 0;
}
