// NUMBER images: any bytes decode to a value or a status, and a value survives text and back.
#include <string_view>

#include "connect/oracle/wire/number.h"
#include "input.h"

using wherry::fuzz::require;
namespace wire = wherry::oracle::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wherry::Arena arena;
  const wire::ByteView image(data, size);
  std::int64_t integer = 0;
  const bool is_integer = wire::decode_integer(image, integer) == wire::ValueStatus::kOk;
  const wherry::DecimalView* value = nullptr;
  if (wire::decode_number(image, arena, value) != wire::ValueStatus::kOk) {
    require(!is_integer);
    return 0;
  }
  require(value != nullptr);
  if (is_integer) require(wherry::to_int64(*value) == integer);
  const std::string text = wherry::to_text(*value);
  if (value->sign != wherry::DecimalSign::kPositive &&
      value->sign != wherry::DecimalSign::kNegative) {
    return 0;
  }
  const auto again = wire::encode_number(text);
  if (!again) return 0;  // an image of more digits than NUMBER has
  const wherry::DecimalView* decoded = nullptr;
  require(wire::decode_number(wire::bytes_of(*again), arena, decoded) == wire::ValueStatus::kOk);
  require(wherry::compare(*value, *decoded) == 0);
  return 0;
}
