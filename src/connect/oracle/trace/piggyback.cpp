#include "connect/oracle/trace/piggyback.h"

#include <array>

#include "connect/oracle/trace/charset.h"
#include "connect/oracle/trace/message_text.h"
#include "connect/oracle/trace/scalar_text.h"

namespace wherry::oracle::trace {
namespace {

constexpr std::uint32_t kMaxCursors = 65536;
constexpr std::uint8_t kDbopVersion = 7;

void cursor_list(Reader& in, Json& out) {
  in.skip(1);
  const std::uint32_t count = in.ub4();
  if (count > kMaxCursors) in.fail("more cursors than a session can have");
  Json ids = Json::array();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) ids.push_back(in.ub4());
  out["cursors"] = std::move(ids);
}

/// Text whose length came before it: with a length of its own, or as plain bytes.
std::string text_argument(Reader& in, const Session& session, std::uint32_t bytes) {
  if (session.dialect.text_is_clr) return to_json_text(in.clr_text());
  return to_json_text(wire::text_of(in.raw(bytes)));
}

void set_schema(Reader& in, const Session& session, Json& out) {
  in.skip(1);
  const std::uint32_t bytes = in.ub4();
  out["schema"] = bytes == 0 ? std::string() : text_argument(in, session, bytes);
}

/// Locators to be freed, back to back.
void free_lobs(Reader& in, Json& out) {
  in.skip(1);
  const std::uint32_t locator_bytes = in.ub4();
  in.skip(1);
  for (int i = 0; i < 3; ++i) in.ub4();
  in.skip(3);
  in.ub4();
  in.skip(1);
  in.ub4();
  in.ub8();
  in.ub8();
  in.skip(7);
  out["operation"] = "free temporary";
  out["locators"] = hex_text(wire::text_of(in.raw(locator_bytes)));
}

struct Attribute {
  const char* name;
  std::uint32_t bytes = 0;
};

void end_to_end(Reader& in, const Session& session, Json& out) {
  in.skip(2);
  out["flags"] = in.ub4();
  std::array attributes = {Attribute{"client_identifier"},
                           Attribute{"module"},
                           Attribute{"action"},
                           Attribute{"ecid"},
                           Attribute{nullptr},
                           Attribute{"client_info"},
                           Attribute{"sql_monitor"},
                           Attribute{"sql_flags"},
                           Attribute{"dbop"}};
  // The last one came with 12.1.
  const bool has_dbop = session.dialect.field_version >= kDbopVersion;
  for (Attribute& attribute : attributes) {
    if (!has_dbop && &attribute == &attributes.back()) break;
    const bool has_pointer = in.u8() != 0;
    const std::uint32_t bytes = in.ub4();
    if (has_pointer && attribute.name != nullptr) attribute.bytes = bytes;
  }
  for (const Attribute& attribute : attributes) {
    if (attribute.bytes == 0 || !in.ok()) continue;
    out[attribute.name] = text_argument(in, session, attribute.bytes);
  }
}

void application_context(Reader& in, const Session& session, Json& out) {
  in.skip(1);
  const std::uint32_t namespace_bytes = in.ub4();
  in.skip(1);
  const std::uint32_t count = in.ub4();
  if (count > kMaxCursors) in.fail("more context entries than can be");
  in.ub2();
  in.skip(1);
  out["namespace"] = text_argument(in, session, namespace_bytes);
  Json pairs = Json::object();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const std::string key = to_json_text(in.dlc_text());
    pairs[key] = to_json_text(in.dlc_text());
    in.ub4();
  }
  out["pairs"] = std::move(pairs);
}

/// JDBC thin sends it before it logs off: four numbers as text.
void feature_usage(Reader& in, const Session& session, Json& out) {
  in.skip(1);
  const std::uint32_t bytes = in.ub4();
  in.skip(1);
  out["text"] = bytes == 0 ? std::string() : text_argument(in, session, bytes);
}

void pipeline_begin(Reader& in, Json& out) {
  out["error_set_id"] = in.ub2();
  out["error_set_mode"] = in.u8();
  out["mode"] = in.u8();
}

}  // namespace

void decode_piggyback(Reader& in, const Session& session, std::uint8_t function, Json& out) {
  switch (function) {
    case 105:
    case 120:
      return cursor_list(in, out);
    case 152:
      return set_schema(in, session, out);
    case 176:
      out["flags"] = in.ub8();
      return;
    case 96:
      return free_lobs(in, out);
    case 135:
      return end_to_end(in, session, out);
    case 154:
      return application_context(in, session, out);
    case 191:
      return feature_usage(in, session, out);
    case 199:
      return pipeline_begin(in, out);
    default:
      in.fail("a piggyback of this kind is not known and has no length");
  }
}

}  // namespace wherry::oracle::trace
