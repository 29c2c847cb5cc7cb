// Names of message types, functions, types and codes, as the JSON output prints them.
// Facts: reference oracle-wire 1.2, oracle-wire-ttc 4.3, oracle-wire-types 6.1 and 6.13.
#pragma once

#include <cstdint>
#include <string>

namespace wherry::oracle::trace {

std::string packet_name(std::uint8_t type);
/// "execute"; "function 77" for a number that is not known.
std::string function_name(std::uint8_t function);
bool is_known_function(std::uint8_t function);
/// "VARCHAR2"; form 2 gives the national types; "type 57" for a number that is not known.
std::string type_name(std::uint8_t type, std::uint8_t form);
std::string lob_operation_name(std::uint32_t operation);

}  // namespace wherry::oracle::trace
