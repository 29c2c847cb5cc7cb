#include "connect/oracle/trace/documents.h"

#include <fmt/format.h>

#include "connect/oracle/trace/charset.h"
#include "connect/oracle/trace/scalar_text.h"
#include "connect/oracle/wire/reader.h"
#include "connect/oracle/wire/types.h"

namespace wherry::oracle::trace {
namespace {

using wire::Reader;

constexpr std::uint8_t kLongLength = 254;

constexpr std::uint32_t kXmlSkip4 = 0x100000;
constexpr std::uint32_t kXmlIsText = 0x04;
constexpr std::uint32_t kXmlIsLob = 0x01;
constexpr std::uint8_t kImageNoPrefix = 0x04;

std::uint32_t image_length(Reader& in) {
  const std::uint8_t first = in.u8();
  return first == kLongLength ? in.u32() : first;
}

std::string xml_body(Reader& in, std::uint16_t charset) {
  const std::uint8_t flags = in.u8();
  in.skip(1);
  image_length(in);
  if ((flags & kImageNoPrefix) == 0) in.skip(image_length(in));
  in.skip(1);
  const std::uint32_t xml_flags = in.u32();
  if ((xml_flags & kXmlSkip4) != 0) in.skip(4);
  const std::string_view rest = wire::text_of(in.rest());
  if ((xml_flags & kXmlIsText) != 0) return to_utf8(rest, charset);
  if ((xml_flags & kXmlIsLob) != 0) return "locator " + hex_text(rest);
  in.fail("the XML image has an unknown form");
  return {};
}

constexpr std::uint16_t kVectorHasNorm = 0x0002;
constexpr std::uint16_t kVectorNormReserved = 0x0010;
constexpr std::uint16_t kVectorSparse = 0x0020;
enum VectorFormat : std::uint8_t { kFloat32 = 2, kFloat64 = 3, kInt8 = 4, kBinary = 5 };

std::string vector_element(Reader& in, ScalarPrinter& printer, std::uint8_t format) {
  switch (format) {
    case kFloat32:
      return printer.print(OracleType::kBinaryFloat, wire::text_of(in.raw(4)));
    case kFloat64:
      return printer.print(OracleType::kBinaryDouble, wire::text_of(in.raw(8)));
    case kInt8:
      return std::to_string(in.s8());
    case kBinary:
      return std::to_string(in.u8());
    default:
      in.fail("the vector has an unknown format");
      return {};
  }
}

std::string vector_elements(Reader& in, std::uint8_t format, std::uint32_t count) {
  ScalarPrinter printer;
  std::string text = "[";
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    if (i != 0) text += ", ";
    text += vector_element(in, printer, format);
  }
  return text + "]";
}

std::string sparse_vector(Reader& in, std::uint8_t format, std::uint32_t dimensions) {
  const std::uint16_t count = in.u16();
  std::string indices = "[";
  for (std::uint16_t i = 0; i < count && in.ok(); ++i) {
    if (i != 0) indices += ", ";
    indices += std::to_string(in.u32());
  }
  return fmt::format("[{}, {}], {}]", dimensions, indices, vector_elements(in, format, count));
}

std::string vector_body(Reader& in) {
  if (in.u8() != 0xDB) in.fail("the vector has no magic byte");
  in.skip(1);
  const std::uint16_t flags = in.u16();
  const std::uint8_t format = in.u8();
  const std::uint32_t dimensions = in.u32();
  if ((flags & (kVectorHasNorm | kVectorNormReserved)) != 0) in.skip(8);
  if ((flags & kVectorSparse) != 0) return sparse_vector(in, format, dimensions);
  return vector_elements(in, format, format == kBinary ? dimensions / 8 : dimensions);
}

}  // namespace

std::string xml_text(std::string_view image, std::uint16_t charset) {
  Reader in(wire::bytes_of(image));
  std::string text = xml_body(in, charset);
  return in.ok() ? text : "invalid " + hex_text(image);
}

std::string vector_text(std::string_view image) {
  Reader in(wire::bytes_of(image));
  std::string text = vector_body(in);
  return in.ok() ? text : "invalid " + hex_text(image);
}

}  // namespace wherry::oracle::trace
