#include "connect/oracle/wire/capabilities.h"

#include <algorithm>

namespace wherry::oracle::wire {
namespace {

/// Consecutive types that share a conversion; `converted` 0: each to itself.
struct TypeRange {
  std::uint16_t first, last, converted, representation;
};

// The types current clients announce, in their order (oracle-wire-session, 3.3).
constexpr TypeRange kTypeRanges[] = {
    {1, 1, 0, 1},       {2, 2, 2, 10},      {8, 8, 0, 1},       {12, 12, 12, 10},
    {23, 26, 0, 1},     {27, 27, 27, 10},   {28, 33, 0, 1},     {10, 11, 0, 1},
    {40, 41, 0, 1},     {117, 117, 0, 1},   {120, 120, 0, 1},   {290, 294, 0, 1},
    {298, 313, 0, 1},   {315, 323, 0, 1},   {327, 329, 0, 1},   {331, 331, 0, 1},
    {333, 346, 0, 1},   {348, 349, 0, 1},   {354, 355, 0, 1},   {359, 359, 0, 1},
    {363, 363, 0, 1},   {380, 391, 0, 1},   {393, 401, 0, 1},   {404, 407, 0, 1},
    {413, 427, 0, 1},   {429, 433, 0, 1},   {449, 450, 0, 1},   {454, 463, 0, 1},
    {466, 486, 0, 1},   {490, 496, 0, 1},   {498, 502, 0, 1},   {509, 510, 0, 1},
    {513, 514, 0, 1},   {516, 543, 0, 1},   {560, 560, 0, 1},   {565, 565, 0, 1},
    {572, 576, 0, 1},   {578, 578, 0, 1},   {563, 564, 0, 1},   {579, 585, 0, 1},
    {3, 3, 2, 10},      {4, 4, 2, 10},      {5, 5, 1, 1},       {6, 6, 2, 10},
    {7, 7, 2, 10},      {9, 9, 1, 1},       {15, 15, 1, 1},     {39, 39, 0, 1},
    {68, 68, 2, 10},    {91, 91, 2, 10},    {94, 94, 1, 1},     {95, 95, 23, 1},
    {96, 96, 0, 1},     {97, 97, 96, 1},    {100, 102, 0, 1},   {104, 104, 11, 1},
    {106, 106, 0, 1},   {108, 108, 109, 1}, {109, 109, 0, 1},   {110, 110, 111, 1},
    {111, 115, 0, 1},   {116, 116, 102, 1}, {119, 119, 0, 1},   {198, 198, 0, 1},
    {146, 146, 0, 1},   {152, 152, 2, 10},  {153, 153, 2, 10},  {154, 154, 2, 10},
    {155, 155, 1, 1},   {156, 156, 12, 10}, {172, 172, 2, 10},  {178, 183, 0, 1},
    {184, 184, 12, 10}, {185, 190, 0, 1},   {195, 195, 112, 1}, {196, 196, 113, 1},
    {197, 197, 114, 1}, {208, 208, 0, 1},   {231, 231, 0, 1},   {232, 232, 231, 1},
    {233, 233, 0, 1},   {241, 241, 109, 1}, {252, 252, 0, 1},   {590, 592, 0, 1},
    {613, 616, 0, 1},   {611, 612, 0, 1},   {593, 605, 0, 1},   {622, 632, 0, 1},
    {637, 638, 0, 1},   {636, 636, 0, 1},   {639, 639, 0, 1},   {663, 663, 0, 1},
    {640, 640, 0, 1},   {652, 652, 0, 1},   {646, 647, 0, 1},   {127, 127, 0, 1},
    {660, 661, 0, 1},   {665, 665, 0, 1},   {669, 670, 0, 1},
};

}  // namespace

std::vector<TypeEntry> modern_types() {
  std::vector<TypeEntry> entries;
  for (const TypeRange& range : kTypeRanges) {
    for (unsigned type = range.first; type <= range.last; ++type) {
      const auto number = static_cast<std::uint16_t>(type);
      entries.push_back(
          {number, range.converted != 0 ? range.converted : number, range.representation});
    }
  }
  return entries;
}

std::vector<TypeEntry> types_of_11g() {
  constexpr std::uint16_t kFirstNewType = 590;  // the list is in order of age, not of number
  std::vector<TypeEntry> entries = modern_types();
  const auto end = std::find_if(entries.begin(), entries.end(),
                                [](const TypeEntry& entry) { return entry.type == kFirstNewType; });
  entries.erase(end, entries.end());
  return entries;
}

// The array of an official thin client, byte for byte: what servers leave out of their messages
// when a bit is missing is not written down anywhere (seen: 23.26 leaves two fields out of the
// status message for a client that says that it speaks field version 24, but lacks some of these
// bits).
Bytes client_compile_capabilities(std::uint8_t field_version, bool end_of_response) {
  Bytes caps(53, 0);
  caps[0] = 0x06;  // SQL version
  caps[4] = 0xEA;  // log-on types: O5LOGON, PBKDF2 key mixing, long identifiers and passwords
  caps[5] = 0x18;  // implicit pools, OAuth message on error
  caps[kCapFieldVersion] = field_version;
  caps[8] = 0x01;  // the server converts defines
  caps[9] = 0x01;
  caps[15] = 0x29;  // end-of-call status, indicators, fast bit vectors
  caps[16] = 0x90;
  caps[17] = 0x03;
  caps[18] = 0x07;
  caps[19] = 0x03;
  caps[21] = 0x01;
  caps[23] = 0xCF;  // LOBs: 64-bit sizes, character set in the locator, prefetch
  caps[26] = 0x04;
  caps[27] = 0x01;  // 16-bit type codes
  caps[31] = 0x10;
  caps[34] = 0x0C;
  caps[35] = 0x20;  // session state
  caps[37] = 0xB8;  // implicit results, 32-bit chunk lengths
  caps[39] = 0x08;
  caps[40] = static_cast<std::uint8_t>(0x44 | (end_of_response ? 0x20 : 0));  // notifications
  caps[42] = 0x05;
  caps[44] = 0x3E;  // tokens, pipelining; VECTOR columns as such: without it they come as text
  caps[52] = 0x03;  // binary and sparse vectors
  return caps;
}

Bytes client_runtime_capabilities() {
  return {2, kRuntimeTimeZone, 0, 0, 0, 0, 0x05};
}

}  // namespace wherry::oracle::wire
