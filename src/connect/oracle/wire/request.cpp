#include "connect/oracle/wire/request.h"

#include "connect/oracle/wire/messages.h"

namespace wherry::oracle::wire {
namespace {

constexpr std::uint32_t kAl8i4Count = 13;
constexpr std::uint32_t kWantImplicitResults = 0x8000;
constexpr std::uint32_t kWantRowCounts = 0x4000;
constexpr std::uint32_t kFreeLobArray = 0x80111;
constexpr std::uint32_t kSessionDuration = 10;
constexpr std::uint64_t kOpenReadOnly = 11;
constexpr std::uint32_t kRowidBindBytes = 5267;
constexpr std::uint8_t kWithIndicators = 0x01, kArray = 0x40;

/// ROWIDs are bound as their text.
bool is_rowid(OracleType type) {
  return type == OracleType::kRowid || type == OracleType::kUrowid;
}

}  // namespace

std::uint8_t RequestBuilder::next_sequence() {
  sequence_ = sequence_ == 255 ? std::uint8_t{1} : static_cast<std::uint8_t>(sequence_ + 1);
  return sequence_;
}

void RequestBuilder::header(std::uint8_t message, Function function) {
  out_.u8(message);
  out_.u8(static_cast<std::uint8_t>(function));
  out_.u8(next_sequence());
  if (dialect_.has_token()) out_.ub8(0);
}

void RequestBuilder::close_cursors(std::span<const std::uint32_t> ids) {
  if (ids.empty()) return;
  header(static_cast<std::uint8_t>(Message::kPiggyback), Function::kCloseCursors);
  out_.u8(1);
  out_.ub4(static_cast<std::uint32_t>(ids.size()));
  for (const std::uint32_t id : ids) out_.ub4(id);
}

void RequestBuilder::free_lobs(std::span<const std::string> locators) {
  if (locators.empty()) return;
  std::size_t total = 0;
  for (const std::string& locator : locators) total += locator.size();
  header(static_cast<std::uint8_t>(Message::kPiggyback), Function::kLobOperation);
  out_.u8(1);
  out_.ub4(static_cast<std::uint32_t>(total));
  out_.zeros(7);  // destination, short offsets, pointers
  out_.ub4(kFreeLobArray);
  out_.zeros(5 + 6);  // SCN, offsets, amount pointer; array fields
  for (const std::string& locator : locators) out_.raw(locator);
}

void RequestBuilder::simple(Function function) {
  header(static_cast<std::uint8_t>(Message::kFunction), function);
}

void RequestBuilder::fetch(std::uint32_t cursor_id, std::uint32_t rows) {
  header(static_cast<std::uint8_t>(Message::kFunction), Function::kFetch);
  out_.ub4(cursor_id);
  out_.ub4(rows);
}

void RequestBuilder::lob(const LobRequest& request) {
  const bool creates = request.operation == LobOperation::kCreateTemporary;
  const bool asks = creates || request.operation == LobOperation::kFileExists;
  std::optional<std::uint64_t> amount = request.amount;
  if (request.operation == LobOperation::kFileOpen) amount = kOpenReadOnly;
  header(static_cast<std::uint8_t>(Message::kFunction), Function::kLobOperation);
  out_.u8(1);
  out_.ub4(static_cast<std::uint32_t>(request.locator.size()));
  out_.u8(0);
  out_.ub4(creates ? kSessionDuration : 0);
  out_.ub4(0);
  out_.ub4(0);
  out_.u8(creates ? 1 : 0);
  out_.u8(0);
  out_.u8(asks ? 1 : 0);
  out_.ub4(static_cast<std::uint32_t>(request.operation));
  out_.zeros(2);  // SCN
  out_.ub8(creates ? static_cast<std::uint64_t>(request.form) : request.offset);
  out_.ub8(creates ? static_cast<std::uint64_t>(request.type) : 0);
  out_.u8(amount ? 1 : 0);
  out_.zeros(6);
  out_.raw(request.locator);
  if (creates) {
    out_.ub4(request.form == CharsetForm::kNational ? kCharsetAl16Utf16 : kCharsetAl32Utf8);
  }
  if (request.operation == LobOperation::kWrite) {
    out_.u8(static_cast<std::uint8_t>(Message::kLobData));
    out_.clr(request.data);
  }
  if (amount) out_.ub8(*amount);
}

void RequestBuilder::execute_fixed_part(const ExecuteRequest& request) {
  const auto pointer_and_count = [this](std::size_t count) {
    out_.u8(count != 0 ? 1 : 0);
    out_.ub4(static_cast<std::uint32_t>(count));
  };
  out_.ub4(request.options);
  out_.ub4(request.cursor_id);
  pointer_and_count(request.sql.size());
  out_.u8(1);
  out_.ub4(kAl8i4Count);
  out_.zeros(2);
  out_.ub4(0);
  out_.ub4(request.prefetch_rows);
  out_.ub4(kMaxLongBytes);
  pointer_and_count(request.binds.size());
  out_.zeros(5);
  pointer_and_count(request.defines.size());
  out_.ub4(0);
  out_.u8(0);
  out_.u8(1);
  out_.zeros(5);  // blv, dnam, registration id
  if (request.want_row_counts && dialect_.has_array_results()) {
    out_.u8(1);
    out_.ub4(request.iterations);
    out_.u8(1);
  } else if (dialect_.has_array_results()) {
    out_.zeros(3);
  }
  if (dialect_.field_version >= 8) out_.zeros(5);
  if (dialect_.field_version >= 9) out_.zeros(2);
}

void RequestBuilder::execute(const ExecuteRequest& request) {
  header(static_cast<std::uint8_t>(Message::kFunction), Function::kExecute);
  execute_fixed_part(request);
  if (!request.sql.empty()) {
    if (dialect_.text_is_clr) {
      out_.clr(request.sql);
    } else {
      out_.raw(request.sql);
    }
  }
  std::uint32_t flags = (request.options & kExecuteOption) != 0 ? kWantImplicitResults : 0;
  if (request.want_row_counts) flags |= kWantRowCounts;
  if (!dialect_.has_array_results()) flags = 0;
  std::uint32_t al8i4[kAl8i4Count] = {};
  al8i4[0] = (request.options & kParse) != 0 ? 1 : 0;
  al8i4[1] = request.iterations;
  al8i4[7] = request.is_query ? 1 : 0;
  al8i4[9] = flags;
  for (const std::uint32_t value : al8i4) out_.ub4(value);
  for (const ValueFormat& format : request.defines) value_format(format);
  for (const ValueFormat& format : request.binds) value_format(format);
  for (const std::vector<BindValue>& row : request.rows) bind_row(request, row);
}

void RequestBuilder::value_format(const ValueFormat& format) {
  const bool rowid = is_rowid(format.type);
  out_.u8(static_cast<std::uint8_t>(rowid ? OracleType::kVarchar : format.type));
  out_.u8(format.max_elements ? kWithIndicators | kArray : kWithIndicators);
  out_.zeros(2);
  out_.ub4(rowid ? kRowidBindBytes : format.max_bytes);
  out_.ub4(format.max_elements.value_or(0));
  out_.ub8(format.continuation_flags);
  out_.ub4(0);
  out_.ub2(0);
  const CharsetForm form = rowid ? CharsetForm::kDatabase : format.form;
  out_.ub2(form != CharsetForm::kNone ? kCharsetAl32Utf8 : std::uint16_t{0});
  out_.u8(static_cast<std::uint8_t>(form));
  out_.ub4(format.prefetch_length);
  if (dialect_.field_version >= 8) out_.ub4(0);
}

void RequestBuilder::bind_row(const ExecuteRequest& request, const std::vector<BindValue>& row) {
  if (row.empty()) return;
  out_.u8(static_cast<std::uint8_t>(Message::kRowData));
  const auto is_long = [&](std::size_t i) {
    return i < request.is_long_bind.size() && request.is_long_bind[i] != 0;
  };
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (!is_long(i)) bind_value(row[i]);
  }
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (is_long(i)) bind_value(row[i]);
  }
}

void RequestBuilder::bind_array(const BindValue& array) {
  out_.ub4(static_cast<std::uint32_t>(array.elements.size()));
  for (const std::optional<std::string>& element : array.elements) {
    BindValue value;
    value.type = array.type;
    value.is_null = !element.has_value();
    if (element) value.bytes = *element;
    bind_value(value);
  }
}

void RequestBuilder::bind_value(const BindValue& value) {
  if (value.is_array) return bind_array(value);
  if (value.is_null) {
    if (value.type == OracleType::kBoolean) out_.u8(0xFD);
    // A cursor to be opened is one byte of 0.
    out_.u8(value.type == OracleType::kBoolean || value.type == OracleType::kCursor ? 1 : 0);
    if (value.type == OracleType::kCursor) out_.u8(0);
    return;
  }
  switch (value.type) {
    case OracleType::kClob:
    case OracleType::kBlob:
    case OracleType::kBfile:
      return out_.dlc(value.bytes);
    case OracleType::kJson:
    case OracleType::kVector:
      return document(bytes_of(value.bytes));
    default:
      out_.clr(value.bytes);
  }
}

/// A made-up locator that says how long the image is, then the image (6.17).
void RequestBuilder::document(ByteView image) {
  constexpr std::uint8_t kValueBased = 0x61, kInitialised = 0x08;
  Writer locator;
  locator.u16(kNewLocatorBytes - 2);
  locator.u16(4);
  locator.u8(kValueBased);
  locator.u8(kInitialised);
  locator.u16(0);
  locator.u16(1);
  locator.u64(image.size());
  locator.zeros(kNewLocatorBytes - locator.size());
  out_.dlc(locator.bytes());
  out_.clr(image);
}

}  // namespace wherry::oracle::wire
