#include "connect/oracle/execute_response.h"

#include "connect/oracle/lob.h"
#include "connect/oracle/value_text.h"
#include "connect/oracle/wire/rowid.h"

namespace wherry::oracle {

using wire::BindDirection;
using wire::Message;
using wire::Reader;

namespace {

constexpr std::int32_t kNullBoolean = -1;

ColumnDescription column_of(const Bind& bind) {
  ColumnDescription column;
  column.name = "OUT";
  // ROWIDs are bound, and come back, as text.
  const bool is_rowid = bind.type() == OracleType::kRowid || bind.type() == OracleType::kUrowid;
  column.type = is_rowid ? OracleType::kVarchar : bind.type();
  column.form = is_rowid ? CharsetForm::kDatabase : bind.form();
  column.max_bytes = bind.max_bytes();
  return column;
}

bool is_handle(OracleType type) {
  return wire::is_lob(type) || type == OracleType::kBfile;
}

/// A value that was there whole and means nothing.
void skip_out_value(Reader& in, OracleType type) {
  const bool is_document = type == OracleType::kJson || type == OracleType::kVector;
  if (is_document) {
    in.ub4();
    in.ub8();
    in.ub4();
    in.skip_clr();
  }
  in.skip_clr();
}

CellKind kind_of(const ColumnDescription& column) {
  return column.type == OracleType::kBfile ? CellKind::kBytes
                                           : natural_kind(column).value_or(CellKind::kText);
}

}  // namespace

ExecuteResponse::ExecuteResponse(const SessionParts& parts, StatementKind kind,
                                 std::span<const Bind> binds, bool with_row_counts,
                                 CachedStatement& statement)
    : parts_(parts),
      caller_(*parts.caller),
      kind_(kind),
      binds_(binds),
      with_row_counts_(with_row_counts),
      statement_(statement) {
  result_.out.resize(binds.size());
  result_.lobs.resize(binds.size());
  result_.cursors.resize(binds.size());
  result_.arrays.resize(binds.size());
}

Result<ExecResult> ExecuteResponse::read(const OpContext& context) {
  while (true) {
    WHERRY_ASSIGN(const auto message, caller_.next(context));
    if (!message) break;
    WHERRY_TRY(take_message(context, *message));
  }
  finish();
  if (value_error_) return *std::move(value_error_);
  return std::move(result_);
}

Result<void> ExecuteResponse::take_message(const OpContext& context, Message message) {
  switch (message) {
    case Message::kIoVector: {
      WHERRY_ASSIGN(auto directions,
                    caller_.take(context, [](Reader& in) { return decode_io_vector(in); }));
      if (directions) statement_.directions = *std::move(directions);
      return {};
    }
    case Message::kRowHeader:
      WHERRY_TRY(caller_.take(context, [](Reader& in) { return decode_row_header(in); }));
      return {};
    case Message::kRowData:
      return take_values(context);
    case Message::kParameters: {
      WHERRY_ASSIGN(auto parameters, caller_.take(context, [this](Reader& in) {
        return decode_return_parameters(in, caller_.dialect(), with_row_counts_);
      }));
      if (parameters) result_.row_counts = std::move(parameters->row_counts);
      return {};
    }
    case Message::kImplicitResults:
      return take_implicit_results(context);
    case Message::kFlushOutBinds:
      return caller_.answer_flush(context);
    default:
      caller_.set_broken();
      return protocol_error("message " + std::to_string(static_cast<int>(message)) +
                            " came as the answer to a statement");
  }
}

void ExecuteResponse::finish() {
  const wire::CallResult& call = caller_.result();
  if (call.cursor_id != 0) statement_.cursor_id = call.cursor_id;
  result_.row_count = call.row_count;
  if (call.rowid.is_set()) result_.last_rowid = wire::rowid_text(call.rowid);
  result_.compiled_with_errors = (call.warning_flags & wire::kWarnCompiledWithErrors) != 0;
  result_.transaction_open = caller_.transaction_open();
  for (const wire::ArrayRowError& error : call.array_errors) {
    result_.batch_errors.push_back({error.row, error.code, error.text});
  }
}

std::unique_ptr<Query> ExecuteResponse::open_cursor(wire::ImplicitResult cursor) {
  auto query = std::make_unique<QueryImpl>(parts_, FetchOptions());
  query->adopt(std::move(cursor), QueryImpl::CursorOwner::kStatement);
  return query;
}

Result<void> ExecuteResponse::take_implicit_results(const OpContext& context) {
  WHERRY_ASSIGN(auto results, caller_.take(context, [this](Reader& in) {
    return decode_implicit_results(in, caller_.dialect());
  }));
  if (!results) return {};
  for (wire::ImplicitResult& one : *results) {
    result_.implicit_results.push_back(open_cursor(std::move(one)));
  }
  return {};
}

Result<void> ExecuteResponse::take_values(const OpContext& context) {
  WHERRY_ASSIGN(auto values, caller_.take(context, [this](Reader& in) {
    value_error_.reset();  // a message that was cut off is decoded again
    return decode_row(in);
  }));
  if (!values) return {};
  for (std::size_t i = 0; i < values->size(); ++i) {
    for (OutValue& value : (*values)[i]) keep(i, std::move(value));
  }
  if (kind_ == StatementKind::kPlsql) result_.out_rows.push_back(result_.out);
  return {};
}

/// OUT values, one a bind; or those of RETURNING, as many as the row of the array touched.
std::vector<ExecuteResponse::OutValues> ExecuteResponse::decode_row(Reader& in) {
  const std::vector<BindDirection>& directions = statement_.directions;
  const bool is_plsql = kind_ == StatementKind::kPlsql;
  std::vector<OutValues> values(binds_.size());
  for (std::size_t i = 0; i < binds_.size() && in.ok(); ++i) {
    const bool comes = is_plsql && i < directions.size() ? directions[i] != BindDirection::kIn
                                                         : binds_[i].is_out();
    if (!comes) continue;
    const bool is_single = is_plsql && !binds_[i].is_array();
    const std::uint32_t count = is_single ? 1 : in.ub4();
    for (std::uint32_t row = 0; row < count && in.ok(); ++row) {
      values[i].push_back(decode_value(in, binds_[i]));
    }
  }
  return values;
}

void ExecuteResponse::keep(std::size_t bind, OutValue value) {
  if (is_handle(binds_[bind].type())) {
    std::unique_ptr<Lob> lob;
    if (!value.locator.empty()) {
      lob = std::make_unique<LobImpl>(parts_.caller, binds_[bind].type(), binds_[bind].form(),
                                      std::move(value.locator));
    }
    result_.lobs[bind].push_back(std::move(lob));
  } else if (value.cursor) {
    result_.cursors[bind] = open_cursor(*std::move(value.cursor));
  } else if (binds_[bind].is_array()) {
    result_.arrays[bind].push_back(std::move(value.text));
  } else if (kind_ == StatementKind::kPlsql) {
    result_.out[bind] = std::move(value.text);
  } else {
    result_.returned.resize(binds_.size());
    result_.returned[bind].push_back(std::move(value.text));
  }
}

/// A value and its actual length. A value that cannot be decoded is remembered; the response is
/// read on, so that the session stays in step.
ExecuteResponse::OutValue ExecuteResponse::decode_value(Reader& in, const Bind& bind) {
  OutValue value = bind.type() == OracleType::kCursor ? decode_cursor(in) : decode_scalar(in, bind);
  const std::int32_t actual = in.sb4();
  if (actual == kNullBoolean && bind.type() == OracleType::kBoolean) value.text.reset();
  if (in.ok() && actual > 0 && !value_error_) {
    value_error_ =
        make_error(ErrorKind::kData, "oracle.value_cut",
                   "An OUT value was cut off: it has " + std::to_string(actual) +
                       " bytes, and its bind has room for " + std::to_string(bind.max_bytes()),
                   "Give Bind::out() the greatest length the value can have");
  }
  return value;
}

ExecuteResponse::OutValue ExecuteResponse::decode_cursor(Reader& in) {
  constexpr std::uint8_t kNull = 0xFF;
  OutValue value;
  const std::uint8_t length = in.u8();
  if (length == 0 || length == kNull) return value;
  value.cursor.emplace();
  value.cursor->description = decode_describe_body(in, caller_.dialect());
  value.cursor->cursor_id = in.ub2();
  // A cursor that the block did not open has no columns.
  if (value.cursor->cursor_id == 0) value.cursor.reset();
  return value;
}

ExecuteResponse::OutValue ExecuteResponse::decode_scalar(Reader& in, const Bind& bind) {
  const ColumnDescription column = column_of(bind);
  const auto form =
      wire::is_lob(column.type) ? wire::LobForm::kSizedLocator : wire::LobForm::kBareLocator;
  const wire::DecodeValue decode =
      wire::find_decoder(column, kind_of(column), caller_.dialect(), form);
  OutValue value;
  if (decode == nullptr) {
    in.fail("an OUT value of this type cannot be read");
    return value;
  }
  Arena arena;
  wire::RegionTable regions;
  wire::DecodeContext context;
  context.arena = &arena;
  context.regions = &regions;
  context.chunks = in.chunk_length();
  context.database_zone = parts_.database_zone.value_or(wire::ZoneField());
  wire::ByteCursor cursor{in.rest().data(), in.rest().data() + in.rest().size()};
  Cell cell{};
  const wire::ValueStatus status = decode(cursor, context, cell);
  if (status == wire::ValueStatus::kNeedMore || status == wire::ValueStatus::kMalformed) {
    if (status == wire::ValueStatus::kMalformed) in.fail("an OUT value has a malformed length");
    in.skip(in.remaining() + 1);
  } else if (status != wire::ValueStatus::kOk) {
    value_error_ = make_error(ErrorKind::kData, "oracle.value",
                              "An OUT value " + std::string(describe(status)),
                              "Correct the value at the source");
    skip_out_value(in, column.type);
  } else {
    in.skip(in.remaining() - cursor.remaining());
    if (is_handle(column.type)) {
      if (cell.state == CellState::kSet) {
        value.locator = wire::text_of(wire::lob_of(cell).locator());
      }
    } else {
      value.text = value_text(cell);
    }
  }
  return value;
}

}  // namespace wherry::oracle
