#include "connect/oracle/trace/documents.h"

#include "connect/oracle/trace/charset.h"
#include "connect/oracle/trace/scalar_text.h"
#include "connect/oracle/wire/object_value.h"
#include "connect/oracle/wire/oson.h"
#include "connect/oracle/wire/vector_image.h"

namespace wherry::oracle::trace {
namespace {

using wire::ValueStatus;

std::string printed(ValueStatus (*print)(wire::ByteView, std::string&), std::string_view image) {
  std::string text;
  const bool is_good = print(wire::bytes_of(image), text) == ValueStatus::kOk;
  return is_good ? text : "invalid " + hex_text(image);
}

}  // namespace

std::string oson_text(std::string_view image) {
  return printed(wire::oson_to_json, image);
}

std::string vector_text(std::string_view image) {
  return printed(wire::vector_to_text, image);
}

std::string xml_text(std::string_view image, std::uint16_t charset) {
  const auto content = wire::parse_xml_image(wire::bytes_of(image));
  if (!content) return "invalid " + hex_text(image);
  const std::string_view bytes = wire::text_of(content->bytes);
  return content->is_locator ? "locator " + hex_text(bytes) : to_utf8(bytes, charset);
}

}  // namespace wherry::oracle::trace
