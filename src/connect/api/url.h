// Source and target URLs: scheme://user[:password]@host[:port]/name[?key=value&…]. The password is
// moved out at once, so that what remains may be logged.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/secret.h"

namespace wherry::connect {

struct Url {
  std::string scheme, user, host, path;  ///< percent-decoded; path without the leading slash
  int port = 0;                          ///< 0: not given
  bool has_password = false;             ///< it came in the URL: the user is warned
  Secret password;
  std::map<std::string, std::string> parameters;
  std::string text;  ///< the URL as given, without the password
};

/// kConfig "url.malformed" names the place.
Result<Url> parse_url(std::string_view text);

}  // namespace wherry::connect
