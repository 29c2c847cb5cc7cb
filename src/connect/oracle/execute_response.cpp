// What comes back from DML, DDL and PL/SQL. Facts: reference oracle-wire-ttc, 5.4.
#include "connect/oracle/session.h"
#include "connect/oracle/value_text.h"
#include "connect/oracle/wire/column_decoder.h"
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

}  // namespace

ExecuteResponse::ExecuteResponse(Caller& caller, StatementKind kind, std::span<const Bind> binds,
                                 bool with_row_counts)
    : caller_(caller), kind_(kind), binds_(binds), with_row_counts_(with_row_counts) {
  result_.out.resize(binds.size());
}

Result<ExecResult> ExecuteResponse::read(const OpContext& context) {
  while (true) {
    WHERRY_ASSIGN(const auto message, caller_.next(context));
    if (!message) break;
    switch (*message) {
      case Message::kIoVector: {
        WHERRY_ASSIGN(auto directions,
                      caller_.take(context, [](Reader& in) { return decode_io_vector(in); }));
        if (directions) directions_ = *std::move(directions);
        break;
      }
      case Message::kRowHeader:
        WHERRY_TRY(caller_.take(context, [](Reader& in) { return decode_row_header(in); }));
        break;
      case Message::kRowData:
        WHERRY_TRY(take_values(context));
        break;
      case Message::kParameters: {
        WHERRY_ASSIGN(auto parameters, caller_.take(context, [this](Reader& in) {
          return decode_return_parameters(in, caller_.dialect(), with_row_counts_);
        }));
        if (parameters) result_.row_counts = std::move(parameters->row_counts);
        break;
      }
      case Message::kImplicitResults: {
        WHERRY_ASSIGN(const auto results, caller_.take(context, [this](Reader& in) {
          return decode_implicit_results(in, caller_.dialect());
        }));
        if (results) {
          for (const wire::ImplicitResult& one : *results)
            caller_.close_cursor_later(one.cursor_id);
        }
        break;
      }
      case Message::kFlushOutBinds:
        WHERRY_TRY(caller_.answer_flush(context));
        break;
      default:
        caller_.set_broken();
        return protocol_error("message " + std::to_string(static_cast<int>(*message)) +
                              " came as the answer to a statement");
    }
  }
  if (value_error_) return *std::move(value_error_);
  const wire::CallResult& call = caller_.result();
  caller_.close_cursor_later(call.cursor_id);
  result_.row_count = call.row_count;
  if (call.rowid.is_set()) result_.last_rowid = wire::rowid_text(call.rowid);
  result_.compiled_with_errors = (call.warning_flags & wire::kWarnCompiledWithErrors) != 0;
  result_.transaction_open = caller_.transaction_open();
  for (const wire::ArrayRowError& error : call.array_errors) {
    result_.batch_errors.push_back({error.row, error.code, error.text});
  }
  return std::move(result_);
}

Result<void> ExecuteResponse::take_values(const OpContext& context) {
  if (kind_ == StatementKind::kPlsql) {
    WHERRY_ASSIGN(auto values,
                  caller_.take(context, [this](Reader& in) { return decode_out_row(in); }));
    if (values) result_.out = *std::move(values);
    return {};
  }
  WHERRY_ASSIGN(auto returned,
                caller_.take(context, [this](Reader& in) { return decode_returned(in); }));
  if (!returned) return {};
  result_.returned.resize(binds_.size());
  for (std::size_t i = 0; i < returned->size(); ++i) {
    for (auto& value : (*returned)[i]) result_.returned[i].push_back(std::move(value));
  }
  return {};
}

ExecuteResponse::TextValues ExecuteResponse::decode_out_row(Reader& in) {
  TextValues values(binds_.size());
  for (std::size_t i = 0; i < binds_.size() && in.ok(); ++i) {
    const bool comes =
        i < directions_.size() ? directions_[i] != BindDirection::kIn : binds_[i].is_out();
    if (comes) values[i] = decode_value(in, binds_[i]);
  }
  return values;
}

std::vector<ExecuteResponse::TextValues> ExecuteResponse::decode_returned(Reader& in) {
  std::vector<TextValues> returned(binds_.size());
  for (std::size_t i = 0; i < binds_.size() && in.ok(); ++i) {
    if (!binds_[i].is_out()) continue;
    const std::uint32_t rows = in.ub4();
    for (std::uint32_t r = 0; r < rows && in.ok(); ++r) {
      returned[i].push_back(decode_value(in, binds_[i]));
    }
  }
  return returned;
}

/// A value and its actual length. A value that cannot be decoded is remembered; the response is
/// read on, so that the session stays in step.
std::optional<std::string> ExecuteResponse::decode_value(Reader& in, const Bind& bind) {
  const ColumnDescription column = column_of(bind);
  const auto kind = natural_kind(column);
  const wire::DecodeValue decode =
      kind ? wire::find_decoder(column, *kind, caller_.dialect(), wire::LobForm::kBareLocator)
           : nullptr;
  if (decode == nullptr || wire::is_lob(column.type)) {
    in.fail("an OUT value of this type cannot be read");
    return std::nullopt;
  }
  Arena arena;
  wire::RegionTable regions;
  wire::DecodeContext context;
  context.arena = &arena;
  context.regions = &regions;
  context.chunks = in.chunk_length();
  wire::ByteCursor cursor{in.rest().data(), in.rest().data() + in.rest().size()};
  Cell cell{};
  const wire::ValueStatus status = decode(cursor, context, cell);
  std::optional<std::string> text;
  if (status == wire::ValueStatus::kNeedMore || status == wire::ValueStatus::kMalformed) {
    if (status == wire::ValueStatus::kMalformed) in.fail("an OUT value has a malformed length");
    in.skip(in.remaining() + 1);
    return std::nullopt;
  }
  if (status == wire::ValueStatus::kOk) {
    in.skip(in.remaining() - cursor.remaining());
    text = value_text(cell);
  } else {
    value_error_ = make_error(ErrorKind::kData, "oracle.value",
                              "An OUT value " + std::string(describe(status)),
                              "Correct the value at the source");
    in.skip_clr();
  }
  const std::int32_t actual = in.sb4();
  if (actual == kNullBoolean && bind.type() == OracleType::kBoolean) return std::nullopt;
  return text;
}

}  // namespace wherry::oracle
