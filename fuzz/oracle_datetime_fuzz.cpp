// Dates, timestamps, intervals, zones, row addresses and national text: any bytes give a value or
// a status; a date that is one encodes to an image of the same moment.
#include <string>
#include <vector>

#include "connect/oracle/wire/datetime.h"
#include "connect/oracle/wire/rowid.h"
#include "connect/oracle/wire/utf16.h"
#include "input.h"

using wherry::fuzz::require;
namespace wire = wherry::oracle::wire;

namespace {

void fuzz_moment(wire::ByteView image) {
  wire::Instant instant;
  if (wire::decode_datetime(image, instant) != wire::ValueStatus::kOk) return;
  const std::string again = wire::encode_timestamp(instant.micros, instant.nanos);
  wire::Instant decoded;
  require(wire::decode_datetime(wire::bytes_of(again), decoded) == wire::ValueStatus::kOk);
  require(decoded.micros == instant.micros && decoded.nanos == instant.nanos);
}

void fuzz_intervals(wire::ByteView image) {
  std::int64_t months = 0;
  (void)wire::decode_interval_ym(image, months);
  std::int64_t seconds = 0;
  std::int32_t nanoseconds = 0;
  if (wire::decode_interval_ds(image, seconds, nanoseconds) != wire::ValueStatus::kOk) return;
  require(nanoseconds > -1'000'000'000 && nanoseconds < 1'000'000'000);
}

void fuzz_text(wire::ByteView image) {
  std::vector<char> room(wire::max_utf8_bytes(image.size()) + 1);
  std::size_t written = 0;
  const auto whole = wire::utf16_to_utf8(image, room.data(), written);
  wire::Utf16Stream stream;
  std::string joined;
  bool is_good = true;
  for (const std::uint8_t& byte : image) {
    is_good = is_good && stream.feed({&byte, 1}, joined) == wire::ValueStatus::kOk;
  }
  is_good = is_good && stream.finish() == wire::ValueStatus::kOk;
  require(is_good == (whole == wire::ValueStatus::kOk));
  if (is_good) require(joined == std::string(room.data(), written));
  std::string rowid;
  (void)wire::urowid_text(image, rowid);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const wire::ByteView image(data, size);
  fuzz_moment(image);
  fuzz_intervals(image);
  fuzz_text(image);
  if (size >= 2) (void)wire::decode_zone(data[0], data[1]);
  return 0;
}
