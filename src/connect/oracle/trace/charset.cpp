#include "connect/oracle/trace/charset.h"

#include <iconv.h>

#include <array>
#include <cstddef>

#include "connect/oracle/wire/charset.h"

namespace wherry::oracle::trace {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

class Converter {
 public:
  explicit Converter(const char* from) : handle_(iconv_open("UTF-8", from)) {}
  ~Converter() {
    if (is_open()) iconv_close(handle_);
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  [[nodiscard]] bool is_open() const { return handle_ != reinterpret_cast<iconv_t>(-1); }

  std::string convert(std::string_view bytes) {
    std::string result;
    std::array<char, 1024> buffer;
    std::string input(bytes);
    char* in = input.data();
    std::size_t left = input.size();
    while (left > 0) {
      char* out = buffer.data();
      std::size_t room = buffer.size();
      const std::size_t before = left;
      const bool failed = iconv(handle_, &in, &left, &out, &room) == static_cast<std::size_t>(-1);
      const auto written = static_cast<std::size_t>(out - buffer.data());
      result.append(buffer.data(), written);
      if (!failed || (written > 0 || left < before)) continue;
      result.append(kReplacement);
      ++in;
      --left;
    }
    return result;
  }

 private:
  iconv_t handle_;
};

}  // namespace

bool is_utf8(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    const std::size_t tail = lead < 0x80   ? 0
                             : lead < 0xC2 ? 9
                             : lead < 0xE0 ? 1
                             : lead < 0xF0 ? 2
                             : lead < 0xF5 ? 3
                                           : 9;
    if (tail > 3 || bytes.size() - i <= tail) return false;
    for (std::size_t k = 1; k <= tail; ++k) {
      if ((static_cast<unsigned char>(bytes[i + k]) & 0xC0) != 0x80) return false;
    }
    i += tail + 1;
  }
  return true;
}

std::string to_utf8(std::string_view bytes, std::uint16_t charset_id) {
  const char* name = wire::iconv_name(charset_id);
  if (name == nullptr) {
    if (is_utf8(bytes)) return std::string(bytes);
    name = "ISO-8859-1";
  }
  Converter converter(name);
  return converter.is_open() ? converter.convert(bytes) : std::string(bytes);
}

}  // namespace wherry::oracle::trace
