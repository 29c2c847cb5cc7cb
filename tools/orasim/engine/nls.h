// What ALTER SESSION SET NLS_… changes, with the defaults of an American session.
#pragma once

#include <string>

#include "engine/time_zone.h"

namespace orasim {

struct Nls {
  std::string date_format = "DD-MON-RR";
  std::string timestamp_format = "DD-MON-RR HH.MI.SSXFF AM";
  std::string timestamp_tz_format = "DD-MON-RR HH.MI.SSXFF AM TZR";
  std::string numeric_characters = ".,";  ///< decimal character, group separator
  std::string language = "AMERICAN";
  std::string territory = "AMERICA";
  std::string currency = "$";
  std::string iso_currency = "AMERICA";
  std::string sort = "BINARY";
  std::string comp = "BINARY";
  Zone session_zone;  ///< SESSIONTIMEZONE
};

}  // namespace orasim
