#include "connect/oracle/wire/object_value.h"

namespace wherry::oracle::wire {
namespace {

constexpr std::uint8_t kLongLength = 254;
constexpr std::uint8_t kImageHasNoPrefix = 0x04;
constexpr std::uint32_t kXmlSkipFour = 0x100000;
constexpr std::uint32_t kXmlIsText = 0x04;
constexpr std::uint32_t kXmlIsLob = 0x01;
/// Columns of 11g that store XML as a CLOB or by its schema: what follows is neither.
constexpr std::uint32_t kXmlIsLegacy = 0x01000000;

std::uint32_t image_length(Reader& in) {
  const std::uint8_t first = in.u8();
  return first == kLongLength ? in.u32() : first;
}

}  // namespace

bool read_object_head(Reader& in) {
  in.skip_dlc();  // type
  in.skip_dlc();  // object id
  in.skip_dlc();  // snapshot
  in.ub2();
  const std::uint32_t image_bytes = in.ub4();
  in.ub4();  // flags: two bytes, read as wide as they could be
  return in.ok() && image_bytes != 0;
}

std::optional<std::string> read_object_image(Reader& in) {
  return read_object_head(in) ? in.clr() : std::nullopt;
}

std::optional<XmlContent> parse_xml_image(ByteView image) {
  Reader in(image);
  const std::uint8_t flags = in.u8();
  in.skip(1);
  image_length(in);
  if ((flags & kImageHasNoPrefix) == 0) in.skip(image_length(in));
  in.skip(1);
  const std::uint32_t xml_flags = in.u32();
  if ((xml_flags & kXmlSkipFour) != 0) in.skip(4);
  if (!in.ok()) return std::nullopt;
  XmlContent content;
  content.bytes = in.rest();
  if ((xml_flags & kXmlIsText) != 0) return content;
  content.is_locator = true;
  if ((xml_flags & kXmlIsLob) != 0 && (xml_flags & kXmlIsLegacy) == 0) return content;
  return std::nullopt;
}

}  // namespace wherry::oracle::wire
