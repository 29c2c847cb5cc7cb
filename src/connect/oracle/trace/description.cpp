#include "connect/oracle/trace/description.h"

#include <algorithm>

#include "connect/oracle/trace/charset.h"

namespace wherry::oracle::trace {
namespace {

using wire::Message;

constexpr int kMaxTailBytes = 24;
/// From here on columns have fields that depend on more than the version.
constexpr std::uint8_t kFirstOpenVersion = 17;
constexpr std::uint32_t kMaxColumns = 4096;

wire::Description read_with_tail(Reader& in, const wire::Dialect& dialect, int tail_bytes) {
  wire::Description description;
  in.skip_clr();
  description.max_row_bytes = in.ub4();
  const std::uint32_t count = in.ub4();
  if (count > kMaxColumns) in.fail("more columns than a query can have");
  if (count != 0) in.skip(1);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    description.columns.push_back(wire::decode_column_head(in, dialect));
    in.skip(static_cast<std::size_t>(tail_bytes));
  }
  in.skip_dlc();
  for (int i = 0; i < 4; ++i) in.ub4();
  in.skip_dlc();
  return description;
}

bool is_known_type(OracleType type) {
  return name_of(type).rfind("type ", 0) != 0;
}

/// What can follow a description in a response.
bool is_plausible_next(std::uint8_t type) {
  constexpr Message kNext[] = {Message::kRowHeader,       Message::kParameters, Message::kError,
                               Message::kServerPiggyback, Message::kWarning,    Message::kIoVector,
                               Message::kEndOfResponse,   Message::kStatus};
  return std::any_of(std::begin(kNext), std::end(kNext),
                     [&](Message next) { return static_cast<std::uint8_t>(next) == type; });
}

bool is_plausible(Reader& in, const wire::Description& description) {
  if (!in.ok()) return false;
  for (const ColumnDescription& column : description.columns) {
    if (!is_known_type(column.type) || !is_utf8(column.name)) return false;
  }
  return in.remaining() == 0 || is_plausible_next(in.peek());
}

}  // namespace

wire::Description read_description(Reader& in, Session& session) {
  const Reader begin = in;
  wire::Description description =
      session.column_tail_bytes < 0
          ? wire::decode_describe(in, session.dialect)
          : read_with_tail(in, session.dialect, session.column_tail_bytes);
  // While the version itself is a guess, a free tail would make any guess fit.
  const bool is_settled =
      session.is_negotiated && session.dialect.field_version >= kFirstOpenVersion;
  if (!is_settled || is_plausible(in, description)) return description;
  const Reader first = in;
  for (int tail = 0; tail <= kMaxTailBytes; ++tail) {
    in = begin;
    wire::Description other = read_with_tail(in, session.dialect, tail);
    if (!is_plausible(in, other) || other.columns.empty()) continue;
    session.column_tail_bytes = tail;
    return other;
  }
  in = first;
  return description;
}

}  // namespace wherry::oracle::trace
