#include "connect/oracle/wire/charset.h"

#include <iconv.h>

#include <array>
#include <cstddef>

#include "connect/oracle/wire/dialect.h"
#include "connect/oracle/wire/utf16.h"

namespace wherry::oracle::wire {
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

}  // namespace

const char* iconv_name(std::uint16_t charset_id) {
  for (const Charset& charset : kCharsets) {
    if (charset.id == charset_id) return charset.name;
  }
  return nullptr;
}

bool to_utf8(std::string_view bytes, std::uint16_t charset_id, std::string& out) {
  out.clear();
  if (charset_id == kCharsetAl32Utf8 || charset_id == kCharsetUtf8) {
    std::size_t size = 0;
    out.resize(bytes.size());
    const ValueStatus status = cesu8_to_utf8(bytes_of(bytes), out.data(), size);
    out.resize(size);
    return status == ValueStatus::kOk;
  }
  const char* const name = iconv_name(charset_id);
  if (name == nullptr) return false;
  const iconv_t handle = iconv_open("UTF-8", name);
  if (handle == reinterpret_cast<iconv_t>(-1)) return false;
  std::string input(bytes);
  // No character takes more than three times its bytes as UTF-8.
  out.resize(input.size() * 3);
  char* from = input.data();
  char* to = out.data();
  std::size_t left = input.size(), room = out.size();
  const bool done = iconv(handle, &from, &left, &to, &room) != static_cast<std::size_t>(-1);
  iconv_close(handle);
  out.resize(out.size() - room);
  return done && left == 0;
}

}  // namespace wherry::oracle::wire
