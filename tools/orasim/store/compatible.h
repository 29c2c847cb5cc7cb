// The parameter COMPATIBLE of a new database.
#pragma once

#include <string>
#include <string_view>

namespace orasim {

/// "12.2.0" of 12.2.0.1.0; from 18c on only the first number counts: "19.0.0" of 19.22.0.0.0.
inline std::string compatible_release(std::string_view version) {
  constexpr std::size_t kTwoDigits = 2;
  const std::size_t first = version.find('.');
  const std::string major(version.substr(0, first));
  const bool counts_second = major.size() < kTwoDigits || major < "18";
  const std::size_t second = version.find('.', first + 1);
  return std::string(version.substr(0, counts_second ? second : first)) +
         (counts_second ? ".0" : ".0.0");
}

}  // namespace orasim
