// Source and target URLs, Easy Connect strings and connect descriptors: any text parses or is
// refused, and what may be logged of a parsed one shows no password.
#include <string>

#include "connect/api/url.h"
#include "connect/oracle/connect_string.h"
#include "connect/oracle/settings.h"
#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  wherry::connect::Settings by_descriptor;
  by_descriptor.url = "oracle://user@host/service";
  by_descriptor.options["connect_string"] = text;
  (void)wherry::oracle::endpoint_options(by_descriptor);
  (void)wherry::oracle::parse_connect_string(text);
  wherry::connect::Settings by_url;
  by_url.url = text;
  (void)wherry::oracle::endpoint_options(by_url);
  const auto url = wherry::connect::parse_url(text);
  if (!url) return 0;
  // What may be logged parses again, without a password.
  const auto again = wherry::connect::parse_url(url->text);
  if (url->has_password && again) wherry::fuzz::require(!again->has_password);
  return 0;
}
