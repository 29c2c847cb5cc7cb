#include "engine/vector.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "engine/error.h"
#include "engine/images.h"

namespace orasim {
namespace {

constexpr std::uint8_t kVectorMagic = 0xDB;
constexpr std::uint8_t kBase = 0, kWithBinary = 1, kWithSparse = 2;
constexpr std::uint16_t kNorm = 0x0002, kNormReserved = 0x0010, kSparseFlag = 0x0020;
constexpr std::uint32_t kMaxDimensions = 65535;

[[noreturn]] void bad_vector(const std::string& why) {
  throw OraError(51805, "Vector is not properly formatted (" + why + ").");
}

/// Elements an image or a text of a dense vector has.
std::size_t element_count(const Vector& v) {
  return v.format == VectorFormat::kBinary ? v.dimensions / 8 : v.dimensions;
}

class VectorText {
 public:
  explicit VectorText(std::string_view text) : text_(text) {}

  bool accept(char c) {
    const std::size_t n = text_.find_first_not_of(" \t\r\n");
    text_.remove_prefix(n == std::string_view::npos ? text_.size() : n);
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) bad_vector(std::string("'") + c + "' is missing");
  }
  bool starts_list() {
    if (!accept('[')) return false;
    text_ = std::string_view(text_.data() - 1, text_.size() + 1);
    return true;
  }
  [[nodiscard]] bool at_end() { return !accept('\0') && text_.empty(); }

  double number() {
    accept('+');
    double value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc() || !std::isfinite(value)) {
      bad_vector("dimension value is either not a number or infinity");
    }
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return value + 0.0;  // images have no negative zero
  }
  std::vector<double> list() {
    std::vector<double> out;
    expect('[');
    if (accept(']')) return out;
    do {
      accept('\0');  // blanks
      out.push_back(number());
    } while (accept(','));
    expect(']');
    return out;
  }

 private:
  std::string_view text_;
};

std::string vector_element(double value, VectorFormat format) {
  if (format == VectorFormat::kInt8 || format == VectorFormat::kBinary) {
    return std::to_string(static_cast<int>(value));
  }
  // As BINARY_FLOAT and BINARY_DOUBLE print: the shortest digits, three digits of exponent.
  std::array<char, 64> buffer;
  char* const begin = buffer.data();
  char* const end =
      format == VectorFormat::kFloat32
          ? std::to_chars(begin, begin + buffer.size(), static_cast<float>(value),
                          std::chars_format::scientific)
                .ptr
          : std::to_chars(begin, begin + buffer.size(), value, std::chars_format::scientific).ptr;
  std::string text(begin, end);
  const std::size_t e = text.find('e');
  std::string mantissa = text.substr(0, e), exponent = text.substr(e + 2);
  if (mantissa.find('.') == std::string::npos) mantissa += ".0";
  exponent.insert(0, 3 - std::min<std::size_t>(exponent.size(), 3), '0');
  return mantissa + "E" + text[e + 1] + exponent;
}

double norm_of(const Vector& v) {
  double sum = 0;
  for (const double x : v.values) sum += x * x;
  return std::sqrt(sum);
}

void append_value(std::string& out, double value, VectorFormat format) {
  switch (format) {
    case VectorFormat::kFloat32:
      return append_float(out, static_cast<float>(value));
    case VectorFormat::kFloat64:
      return append_double(out, value);
    case VectorFormat::kInt8:
    case VectorFormat::kBinary:
      out.push_back(static_cast<char>(static_cast<int>(value)));
  }
}

double read_value(ImageReader& in, VectorFormat format) {
  switch (format) {
    case VectorFormat::kFloat32:
      return float_of(in.take(4)) + 0.0F;
    case VectorFormat::kFloat64:
      return double_of(in.take(8)) + 0.0;
    case VectorFormat::kInt8:
      return static_cast<std::int8_t>(in.u8());
    case VectorFormat::kBinary:
      return in.u8();
  }
  throw ImageReader::Short{};
}

Vector read_image(std::string_view image) {
  ImageReader in(image);
  Vector v;
  if (in.u8() != kVectorMagic || in.u8() > kWithSparse) throw ImageReader::Short{};
  const std::uint16_t flags = in.u16();
  const std::uint8_t format = in.u8();
  if (format < 2 || format > 5) throw ImageReader::Short{};
  v.format = static_cast<VectorFormat>(format);
  v.dimensions = in.u32();
  if ((flags & (kNorm | kNormReserved)) != 0) in.take(8);
  v.is_sparse = (flags & kSparseFlag) != 0;
  if (v.is_sparse) {
    const std::size_t count = in.u16();
    for (std::size_t i = 0; i < count; ++i) v.indices.push_back(in.u32());
  }
  const std::size_t count = v.is_sparse ? v.indices.size() : element_count(v);
  if (count > in.left()) throw ImageReader::Short{};
  for (std::size_t i = 0; i < count; ++i) v.values.push_back(read_value(in, v.format));
  for (const std::uint32_t index : v.indices) {
    if (index >= v.dimensions) throw ImageReader::Short{};
  }
  return v;
}

void check_dimensions(std::size_t count) {
  if (count == 0) bad_vector("a vector has one dimension at least");
  if (count > kMaxDimensions) bad_vector("a vector has at most 65535 dimensions");
}

Vector parse_sparse(VectorText& in) {
  Vector v;
  v.is_sparse = true;
  const double dimensions = in.number();
  if (dimensions < 1 || dimensions > kMaxDimensions) bad_vector("dimension count is out of range");
  v.dimensions = static_cast<std::uint32_t>(dimensions);
  in.expect(',');
  for (const double index : in.list()) {
    if (index < 1 || index > dimensions) bad_vector("sparse index is out of range");
    v.indices.push_back(static_cast<std::uint32_t>(index) - 1);
  }
  in.expect(',');
  v.values = in.list();
  in.expect(']');
  const bool ascends = std::adjacent_find(v.indices.begin(), v.indices.end(),
                                          std::greater_equal<>()) == v.indices.end();
  if (v.values.size() != v.indices.size() || !ascends) {
    bad_vector("sparse indices and values do not match");
  }
  return v;
}

/// "[5, [", with the reader behind the first bracket.
bool is_sparse_text(std::string_view text) {
  const std::size_t first = text.find('[');
  return first != std::string_view::npos && text.find('[', first + 1) != std::string_view::npos;
}

}  // namespace

Vector parse_vector(std::string_view text, VectorFormat format) {
  VectorText in(text);
  Vector v;
  if (is_sparse_text(text)) {
    in.expect('[');
    in.accept('\0');
    v = parse_sparse(in);
  } else {
    v.values = in.list();
    check_dimensions(v.values.size());
    v.dimensions = static_cast<std::uint32_t>(v.values.size());
  }
  if (!in.at_end()) bad_vector("text follows the vector");
  v.format = VectorFormat::kFloat64;
  if (format == VectorFormat::kBinary) {
    if (v.is_sparse) bad_vector("BINARY vectors are dense");
    v.dimensions *= 8;
  }
  return vector_as(std::move(v), format);
}

std::string vector_text(const Vector& v) {
  const auto list = [](const auto& items, auto print) {
    std::string out = "[";
    for (std::size_t i = 0; i < items.size(); ++i) out += (i > 0 ? "," : "") + print(items[i]);
    return out + "]";
  };
  const std::string values =
      list(v.values, [&](double value) { return vector_element(value, v.format); });
  if (!v.is_sparse) return values;
  return "[" + std::to_string(v.dimensions) + "," +
         list(v.indices, [](std::uint32_t index) { return std::to_string(index + 1); }) + "," +
         values + "]";
}

Vector vector_as(Vector v, VectorFormat format) {
  if (v.format == format) return v;
  // A text does not say what its numbers are: kFloat64 stands for that.
  const bool binary = format == VectorFormat::kBinary;
  if (v.format == VectorFormat::kBinary || (binary && v.values.size() * 8 != v.dimensions)) {
    throw OraError(51814,
                   "Vector of BINARY format cannot have any operation performed with "
                   "vector of any other type.");
  }
  const double low = format == VectorFormat::kInt8 ? -128 : binary ? 0 : -HUGE_VAL;
  const double high = format == VectorFormat::kInt8 ? 127 : binary ? 255 : HUGE_VAL;
  for (double& value : v.values) {
    if (format == VectorFormat::kInt8 || binary) value = std::round(value);
    if (format == VectorFormat::kFloat32) value = static_cast<float>(value);
    if (value < low || value > high || !std::isfinite(value)) {
      throw OraError(51806,
                     "Vector column is not properly formatted (dimension value is outside "
                     "the allowed precision range).");
    }
  }
  v.format = format;
  return v;
}

Vector dense_form(Vector v) {
  if (!v.is_sparse) return v;
  std::vector<double> values(v.dimensions);
  for (std::size_t i = 0; i < v.indices.size(); ++i) values[v.indices[i]] = v.values[i];
  v.is_sparse = false;
  v.indices.clear();
  v.values = std::move(values);
  return v;
}

Vector sparse_form(Vector v) {
  if (v.is_sparse) return v;
  Vector out;
  out.format = v.format;
  out.dimensions = v.dimensions;
  out.is_sparse = true;
  for (std::size_t i = 0; i < v.values.size(); ++i) {
    if (v.values[i] == 0) continue;
    out.indices.push_back(static_cast<std::uint32_t>(i));
    out.values.push_back(v.values[i]);
  }
  return out;
}

std::string encode_vector(const Vector& v) {
  const bool binary = v.format == VectorFormat::kBinary;
  std::string out;
  append_be(out, kVectorMagic, 1);
  append_be(out, v.is_sparse ? kWithSparse : binary ? kWithBinary : kBase, 1);
  append_be(out, kNormReserved | (binary ? 0U : kNorm) | (v.is_sparse ? kSparseFlag : 0U), 2);
  append_be(out, static_cast<std::uint8_t>(v.format), 1);
  append_be(out, v.dimensions, 4);
  append_double(out, binary ? 0 : norm_of(v));
  if (v.is_sparse) {
    append_be(out, v.indices.size(), 2);
    for (const std::uint32_t index : v.indices) append_be(out, index, 4);
  }
  for (const double value : v.values) append_value(out, value, v.format);
  return out;
}

Vector decode_vector(std::string_view image) {
  try {
    return read_image(image);
  } catch (const ImageReader::Short&) {
    throw OraError(51808, "Vector image is not valid");
  }
}

}  // namespace orasim
