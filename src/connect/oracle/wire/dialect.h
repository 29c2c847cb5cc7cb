// What client and server agreed on when the session was set up. Every decoder of later messages
// takes it, so the same code reads our own sessions and captures of other clients.
// Facts: reference oracle-wire-session, 3.3 to 3.5.
#pragma once

#include <cstdint>

#include "connect/oracle/wire/reader.h"

namespace wherry::oracle::wire {

/// Newest TTC field version Wherry speaks (Oracle 23.4).
inline constexpr std::uint8_t kMaxFieldVersion = 24;
/// Oldest: Oracle 11.2.
inline constexpr std::uint8_t kMinFieldVersion = 6;

inline constexpr std::uint16_t kCharsetAl32Utf8 = 873;
inline constexpr std::uint16_t kCharsetAl16Utf16 = 2000;
inline constexpr std::uint16_t kCharsetUtf8 = 871;

struct Dialect {
  std::uint16_t tns_version = 318;
  /// min(client's, server's compile capability 7).
  std::uint8_t field_version = kMaxFieldVersion;
  ChunkLength chunks = ChunkLength::kUb4;
  /// Server's compile capability 15 bit 0x01, 16 bit 0x01: fields of the status message.
  bool has_call_status = true;
  bool has_call_sequence = true;
  /// Statement type and checksum in the status message of field version 14 and above. Servers leave
  /// them out for some clients (seen: 23.26 with go-ora); nothing that is negotiated says so.
  bool has_checksum = true;
  /// Responses end with message 29 and data flag 0x2000.
  bool end_of_response = false;
  /// Client's encoding flag 0x02: user name and SQL text travel as CLR, else raw.
  bool text_is_clr = true;
  /// Type 27 was negotiated with representation 1: scales travel as sb2.
  bool wide_scale = false;
  /// Server's runtime capability 6 bit 0x04: strings of up to 32767 bytes.
  bool long_strings = true;
  std::uint16_t database_charset = kCharsetAl32Utf8;
  std::uint16_t national_charset = kCharsetAl16Utf16;

  /// Row counts of arrays, lists of failed rows, implicit results: 12.1 and newer.
  [[nodiscard]] bool has_array_results() const { return field_version >= 7; }
  [[nodiscard]] bool has_token() const { return field_version >= 18; }
};

}  // namespace wherry::oracle::wire
