// Documents that clients send to the simulator: OSON and VECTOR images, and the texts of JSON,
// VECTOR and XML. They are refused with an error of Oracle's, or print and read back equal.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/error.h"
#include "engine/json.h"
#include "engine/json_path.h"
#include "engine/vector.h"
#include "engine/xml.h"

using namespace orasim;  // NOLINT(google-build-using-namespace)

namespace {

template <class Run>
void try_out(Run run) {
  try {
    run();
  } catch (const OraError&) {
  }
}

void round_trip(const Json& document) {
  const std::string text = json_text(document);
  if (json_text(decode_oson(encode_oson(document))).size() != text.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  try_out([&] { round_trip(decode_oson(input)); });
  try_out([&] { round_trip(parse_json(input)); });
  try_out([&] { parse_json(input, JsonSyntax::kStrict); });
  try_out([&] { json_at(Json(), input); });
  try_out([&] { vector_text(decode_vector(input)); });
  try_out([&] {
    const Vector vector = parse_vector(input);
    if (vector_text(decode_vector(encode_vector(vector))) != vector_text(vector)) std::abort();
  });
  try_out([&] { check_xml(input); });
  return 0;
}
