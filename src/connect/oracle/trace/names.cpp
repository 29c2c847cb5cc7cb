#include "connect/oracle/trace/names.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "connect/oracle/trace/scalar_text.h"
#include "connect/oracle/wire/types.h"

namespace wherry::oracle::trace {
namespace {

struct Named {
  std::uint32_t number;
  std::string_view name;
};

constexpr std::array kPackets = {
    Named{1, "connect"},         Named{2, "accept"},  Named{3, "ack"},        Named{4, "refuse"},
    Named{5, "redirect"},        Named{6, "data"},    Named{7, "keep alive"}, Named{9, "abort"},
    Named{11, "resend"},         Named{12, "marker"}, Named{13, "attention"}, Named{14, "control"},
    Named{15, "data descriptor"}};

constexpr std::array kFunctions = {Named{2, "open cursor"},
                                   Named{3, "parse"},
                                   Named{4, "reexecute"},
                                   Named{5, "fetch"},
                                   Named{8, "close cursor"},
                                   Named{9, "logoff"},
                                   Named{14, "commit"},
                                   Named{15, "rollback"},
                                   Named{20, "cancel"},
                                   Named{43, "describe object"},
                                   Named{59, "version"},
                                   Named{71, "execute (version 7)"},
                                   Named{78, "reexecute and fetch"},
                                   Named{81, "logon (version 7)"},
                                   Named{82, "password challenge (version 7)"},
                                   Named{92, "define array"},
                                   Named{94, "execute"},
                                   Named{96, "lob operation"},
                                   Named{98, "describe"},
                                   Named{103, "transaction switch"},
                                   Named{104, "transaction change state"},
                                   Named{105, "close cursors"},
                                   Named{107, "session switch"},
                                   Named{115, "auth phase two"},
                                   Named{118, "auth phase one"},
                                   Named{119, "describe any"},
                                   Named{120, "cancel cursors"},
                                   Named{121, "enqueue"},
                                   Named{122, "dequeue"},
                                   Named{125, "subscribe"},
                                   Named{128, "direct path prepare"},
                                   Named{129, "direct path stream"},
                                   Named{130, "direct path operation"},
                                   Named{135, "set end-to-end attributes"},
                                   Named{145, "array enqueue or dequeue"},
                                   Named{147, "ping"},
                                   Named{152, "set schema"},
                                   Named{154, "application context"},
                                   Named{162, "session get"},
                                   Named{163, "session release"},
                                   Named{176, "session state"},
                                   Named{191, "client features"},
                                   Named{187, "notify"},
                                   Named{199, "pipeline begin"},
                                   Named{200, "pipeline end"},
                                   Named{204, "alter session"},
                                   Named{205, "security context"}};

constexpr std::array kLobOperations = {Named{0x0001, "get length"},
                                       Named{0x0002, "read"},
                                       Named{0x0004, "copy"},
                                       Named{0x0008, "append"},
                                       Named{0x0010, "compare"},
                                       Named{0x0020, "trim"},
                                       Named{0x0040, "write"},
                                       Named{0x0100, "file open"},
                                       Named{0x0110, "create temporary"},
                                       Named{0x0111, "free temporary"},
                                       Named{0x0200, "file close"},
                                       Named{0x0400, "file is open"},
                                       Named{0x0800, "file exists"},
                                       Named{0x2000, "write append"},
                                       Named{0x4000, "get chunk size"},
                                       Named{0x8000, "open"},
                                       Named{0x10000, "close"},
                                       Named{0x11000, "is open"},
                                       Named{0x80111, "free temporary array"}};

template <std::size_t N>
std::string look_up(const std::array<Named, N>& table, std::uint32_t number,
                    std::string_view prefix) {
  for (const Named& entry : table) {
    if (entry.number == number) return std::string(entry.name);
  }
  return std::string(prefix) + " " + std::to_string(number);
}

}  // namespace

std::string packet_name(std::uint8_t type) {
  return look_up(kPackets, type, "packet");
}
std::string function_name(std::uint8_t function) {
  return look_up(kFunctions, function, "function");
}
bool is_known_function(std::uint8_t function) {
  return std::any_of(kFunctions.begin(), kFunctions.end(),
                     [&](const Named& entry) { return entry.number == function; });
}
std::string lob_operation_name(std::uint32_t operation) {
  return look_up(kLobOperations, operation, "operation");
}

std::string type_name(std::uint8_t type, std::uint8_t form) {
  const OracleType known = image_type(type);
  if (form == static_cast<std::uint8_t>(CharsetForm::kNational)) {
    if (known == OracleType::kVarchar) return "NVARCHAR2";
    if (known == OracleType::kChar) return "NCHAR";
    if (known == OracleType::kClob) return "NCLOB";
  }
  return name_of(known);
}

}  // namespace wherry::oracle::trace
