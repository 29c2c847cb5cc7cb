// Captured sessions in text form, whatever their text is. The input is taken as it is, or, when it
// begins with a zero byte, as packets (direction, two bytes of length, bytes) that are put into the
// text form first, so that the fuzzer need not learn to write hex.
#include <sstream>
#include <string>

#include "connect/oracle/trace/decode_capture.h"
#include "input.h"

namespace {

std::string as_capture(wherry::fuzz::Input& input) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  while (!input.empty()) {
    text += (input.byte() & 1) != 0 ? "# direction=server flow=0\n" : "# direction=client flow=0\n";
    const std::size_t high = input.byte();
    for (const std::uint8_t byte : input.take((high & 3) << 8 | input.byte())) {
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    }
    text += "\n\n";
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  if (size != 0 && data[0] == 0) {
    wherry::fuzz::Input input(data + 1, size - 1);
    text = as_capture(input);
  }
  std::istringstream in(text);
  std::ostringstream out;
  (void)wherry::oracle::decode_capture(in, out, "fuzz");
  return 0;
}
