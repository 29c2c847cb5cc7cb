#include "connect/oracle/trace/old_status.h"

namespace wherry::oracle::trace {
namespace {

constexpr unsigned kShortFormBelow = 3;

/// 9i has one to four more fields before an error's text, depending on the call; all captured ones
/// are 0 or 1, which no error text begins with.
void skip_to_text(Reader& in) {
  while (in.ok() && in.remaining() > 0 && in.peek() <= 1) in.skip(1);
}

}  // namespace

wire::CallResult decode_old_call_result(Reader& in, const wire::Dialect& dialect) {
  wire::CallResult result;
  if (dialect.has_call_status) result.call_status = in.ub4();
  if (dialect.has_call_sequence) result.sequence = in.ub2();
  result.row_count = in.ub4();
  result.code = in.ub2();
  in.ub2();
  in.ub2();
  result.cursor_id = in.ub2();
  result.error_position = in.sb2();
  result.sql_type = in.u8();
  in.skip(1);
  in.ub2();  // flags
  in.ub2();  // cursor options
  in.skip(1);
  result.warning_flags = in.u8();
  result.rowid.object = in.ub4();
  result.rowid.file = in.ub2();
  in.skip(1);
  result.rowid.block = in.ub4();
  result.rowid.slot = in.ub2();
  in.ub4();
  in.skip(2);
  in.ub2();
  if (dialect.field_version >= kShortFormBelow) {
    in.ub4();
    for (int i = 0; i < 4; ++i) in.skip_dlc();
  } else if (result.code != 0) {
    skip_to_text(in);
  } else {
    in.ub4();
  }
  if (in.ok() && result.code != 0) {
    result.text = in.clr_text();
    while (!result.text.empty() && result.text.back() == '\n') result.text.pop_back();
  }
  return result;
}

}  // namespace wherry::oracle::trace
