#include "connect/oracle/wire/vector_image.h"

#include <fmt/format.h>

#include <iterator>

#include "connect/oracle/wire/sortable.h"
#include "connect/oracle/wire/writer.h"

namespace wherry::oracle::wire {
namespace {

constexpr std::uint8_t kVectorMagic = 0xDB;
constexpr std::uint16_t kHasNorm = 0x0002;
constexpr std::uint16_t kNormReserved = 0x0010;
constexpr std::uint16_t kIsSparse = 0x0020;

enum class VectorFormat : std::uint8_t { kFloat32 = 2, kFloat64 = 3, kInt8 = 4, kBinary = 5 };

template <class Float>
void put_float(Reader& in, std::string& out) {
  Float value{};
  if (from_sortable(in.raw(sizeof(Float)), value)) {
    fmt::format_to(std::back_inserter(out), "{}", value);
  }
}

void put_element(Reader& in, VectorFormat format, std::string& out) {
  switch (format) {
    case VectorFormat::kFloat32:
      return put_float<float>(in, out);
    case VectorFormat::kFloat64:
      return put_float<double>(in, out);
    case VectorFormat::kInt8:
      out += std::to_string(in.s8());
      return;
    case VectorFormat::kBinary:
      out += std::to_string(in.u8());
      return;
  }
  in.fail("a vector has an unknown format");
}

void put_elements(Reader& in, VectorFormat format, std::uint32_t count, std::string& out) {
  out += '[';
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    if (i != 0) out += ", ";
    put_element(in, format, out);
  }
  out += ']';
}

void put_sparse(Reader& in, VectorFormat format, std::uint32_t dimensions, std::string& out) {
  const std::uint16_t count = in.u16();
  out += '[' + std::to_string(dimensions) + ", [";
  for (std::uint16_t i = 0; i < count && in.ok(); ++i) {
    if (i != 0) out += ", ";
    // The image counts from 0, Oracle's text from 1.
    out += std::to_string(std::uint64_t{in.u32()} + 1);
  }
  out += "], ";
  put_elements(in, format, count, out);
  out += ']';
}

std::string image_head(VectorFormat format, std::size_t dimensions) {
  Writer out;
  out.u8(kVectorMagic);
  out.u8(0);
  out.u16(kHasNorm | kNormReserved);
  out.u8(static_cast<std::uint8_t>(format));
  out.u32(static_cast<std::uint32_t>(dimensions));
  out.zeros(8);  // the server computes the norm
  return std::string(text_of(out.bytes()));
}

template <class Float>
std::string float_image(VectorFormat format, std::span<const Float> elements) {
  std::string image = image_head(format, elements.size());
  for (const Float element : elements) append_sortable(element, image);
  return image;
}

}  // namespace

ValueStatus vector_to_text(ByteView image, std::string& out) {
  Reader in(image);
  if (in.u8() != kVectorMagic) return ValueStatus::kMalformed;
  in.skip(1);
  const std::uint16_t flags = in.u16();
  const auto format = static_cast<VectorFormat>(in.u8());
  const std::uint32_t dimensions = in.u32();
  if ((flags & (kHasNorm | kNormReserved)) != 0) in.skip(8);
  if ((flags & kIsSparse) != 0) {
    put_sparse(in, format, dimensions, out);
  } else {
    put_elements(in, format, format == VectorFormat::kBinary ? dimensions / 8 : dimensions, out);
  }
  return in.ok() ? ValueStatus::kOk : ValueStatus::kMalformed;
}

std::string vector_image(std::span<const float> elements) {
  return float_image(VectorFormat::kFloat32, elements);
}

std::string vector_image(std::span<const double> elements) {
  return float_image(VectorFormat::kFloat64, elements);
}

std::string vector_image(std::span<const std::int8_t> elements) {
  std::string image = image_head(VectorFormat::kInt8, elements.size());
  for (const std::int8_t element : elements) image.push_back(static_cast<char>(element));
  return image;
}

}  // namespace wherry::oracle::wire
