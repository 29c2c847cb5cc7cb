#include "connect/oracle/trace/charset.h"

#include <iconv.h>

#include <array>
#include <cstddef>

namespace wherry::oracle::trace {
namespace {

struct Charset {
  std::uint16_t id;
  const char* name;  ///< as iconv knows it
};

constexpr std::array kCharsets = {Charset{1, "US-ASCII"},
                                  Charset{2, "ISO-8859-1"},
                                  Charset{31, "ISO-8859-1"},
                                  Charset{32, "ISO-8859-2"},
                                  Charset{33, "ISO-8859-3"},
                                  Charset{34, "ISO-8859-4"},
                                  Charset{35, "ISO-8859-5"},
                                  Charset{36, "ISO-8859-6"},
                                  Charset{37, "ISO-8859-7"},
                                  Charset{38, "ISO-8859-8"},
                                  Charset{39, "ISO-8859-9"},
                                  Charset{40, "ISO-8859-10"},
                                  Charset{41, "TIS-620"},
                                  Charset{46, "ISO-8859-15"},
                                  Charset{47, "ISO-8859-13"},
                                  Charset{48, "ISO-8859-14"},
                                  Charset{170, "CP1250"},
                                  Charset{171, "CP1251"},
                                  Charset{173, "CP1258"},
                                  Charset{174, "CP1253"},
                                  Charset{175, "CP1255"},
                                  Charset{176, "CP1256"},
                                  Charset{177, "CP1254"},
                                  Charset{178, "CP1252"},
                                  Charset{179, "CP1257"},
                                  Charset{196, "KOI8-R"},
                                  Charset{830, "EUC-JP"},
                                  Charset{832, "SHIFT_JIS"},
                                  Charset{834, "CP932"},
                                  Charset{837, "EUC-JP"},
                                  Charset{838, "CP932"},
                                  Charset{840, "EUC-KR"},
                                  Charset{846, "CP949"},
                                  Charset{850, "GB2312"},
                                  Charset{852, "GBK"},
                                  Charset{854, "GB18030"},
                                  Charset{865, "BIG5"},
                                  Charset{867, "CP950"},
                                  Charset{868, "BIG5-HKSCS"},
                                  Charset{2000, "UTF-16BE"},
                                  Charset{kUtf16LittleEndian, "UTF-16LE"}};

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

const char* iconv_name(std::uint16_t id) {
  for (const Charset& charset : kCharsets) {
    if (charset.id == id) return charset.name;
  }
  return nullptr;
}

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
  const char* name = iconv_name(charset_id);
  if (name == nullptr) {
    if (is_utf8(bytes)) return std::string(bytes);
    name = "ISO-8859-1";
  }
  Converter converter(name);
  return converter.is_open() ? converter.convert(bytes) : std::string(bytes);
}

}  // namespace wherry::oracle::trace
