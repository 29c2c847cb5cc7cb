#include "connect/oracle/trace/lob_values.h"

#include "connect/oracle/trace/charset.h"
#include "connect/oracle/trace/documents.h"
#include "connect/oracle/trace/row_values.h"
#include "connect/oracle/trace/scalar_text.h"
#include "connect/oracle/wire/locator.h"
#include "connect/oracle/wire/utf16.h"

namespace wherry::oracle::trace {
namespace {

std::uint16_t charset_of_locator(const Session& session, const wire::Locator& locator) {
  if (locator.is_utf16()) {
    return locator.is_little_endian() ? kUtf16LittleEndian : wire::kCharsetAl16Utf16;
  }
  return locator.is_national() ? session.dialect.national_charset : session.client_charset;
}

struct LobValue {
  bool has_data = false;
  std::uint64_t size = 0;  ///< characters or bytes
  std::string data;
  std::string locator;
};

/// Locator of the announced length at the reader's place.
bool read_locator(Reader& in, std::uint32_t length, LobValue& lob) {
  const auto locator = in.clr();
  if (!in.ok() || !locator || locator->size() != length) return false;
  lob.locator = *locator;
  return true;
}

/// Size and chunk size; then, depending on the client, the character set and the data.
bool read_with_size(Reader& in, std::uint32_t length, bool has_data, bool has_charset,
                    LobValue& lob) {
  lob = {};
  lob.size = in.ub8();
  in.ub4();
  if (has_charset) {
    const std::uint8_t flag = in.u8();
    if (flag > 1) return false;
    if (flag == 1) in.ub2();
    in.u8();
  }
  if (has_data) {
    lob.data = in.clr_text();
    lob.has_data = true;
  }
  return read_locator(in, length, lob);
}

/// Tries the layouts from the most to the least telling one.
bool read_any_layout(Reader& in, std::uint32_t length, LobValue& lob) {
  const Reader start = in;
  if (read_locator(in, length, lob)) return true;
  constexpr bool kLayouts[][2] = {{false, false}, {true, false}, {true, true}};
  bool ran_out = in.state() == wire::ParseState::kNeedMore;
  for (const auto& layout : kLayouts) {
    in = start;
    if (read_with_size(in, length, layout[0], layout[1], lob)) return true;
    ran_out = ran_out || in.state() == wire::ParseState::kNeedMore;
  }
  in = start;
  if (ran_out) {
    in.skip(in.remaining() + 1);
  } else {
    in.fail("a LOB value has no known layout");
  }
  return false;
}

}  // namespace

Json read_lob_value(Reader& in, const Session& session, OracleType type, std::uint8_t form) {
  const std::uint32_t length = in.ub4();
  if (!in.ok() || length == 0) return nullptr;
  LobValue lob;
  if (!read_any_layout(in, length, lob)) return nullptr;
  if (type == OracleType::kJson && lob.has_data) return oson_text(lob.data);
  if (type == OracleType::kVector && lob.has_data) return vector_text(lob.data);
  if (type == OracleType::kClob && lob.has_data) {
    const std::uint16_t charset = form == 2
                                      ? wire::kCharsetAl16Utf16
                                      : charset_of_locator(session, wire::Locator(lob.locator));
    const std::string text = to_utf8(lob.data, charset);
    if (wire::utf16_units(text) >= lob.size) return text;
  }
  if (type == OracleType::kBlob && lob.has_data && lob.data.size() >= lob.size) {
    return hex_text(lob.data);
  }
  return "locator " + hex_text(lob.locator);
}

std::string lob_data_text(const Session& session, std::string_view locator, std::string_view data) {
  const wire::Locator read(locator);
  return read.is_character() ? to_utf8(data, charset_of_locator(session, read)) : hex_text(data);
}

}  // namespace wherry::oracle::trace
