// What connection set-up settled about the message layouts of one session.
#pragma once

#include <cstddef>
#include <cstdint>

namespace orasim::wire {

struct Dialect {
  std::uint8_t field_version = 12;   ///< TTC field version: the lower one of both sides
  std::uint8_t client_version = 24;  ///< the field version that the client announces as its own
  bool text_is_clr = true;           ///< encoding flag 0x02: user name and SQL carry own lengths
  bool scale_is_sb2 = false;         ///< type 27 in universal form: scales travel as sb2
  bool small_chunks = false;         ///< before 12.1: long CLRs in chunks with one length byte
  bool end_of_response = false;      ///< message 29 and data flag 0x2000 close each response
  bool takes_json = true;            ///< JSON goes as OSON (21c clients); else its text as a CLOB
  bool takes_vector = true;  ///< VECTOR goes as its image (23ai clients); else its text as a CLOB
  /// TIMESTAMP WITH TIME ZONE goes in its own clock, with the flags that say so.
  bool local_zones = false;
  std::uint32_t max_string_bytes = 32767;  ///< longer bind buffers go to the end of a bind row

  [[nodiscard]] bool has_token() const { return field_version >= 18; }
  /// 12.1 and later: batch error arrays, 32-bit error number, 64-bit row count.
  [[nodiscard]] bool status_is_long() const { return field_version >= 7; }
  /// Fields of 20c. python-oracledb 1.2.1, which sends raw texts, announces 16 and does not read
  /// them; later clients do, JDBC with its raw texts among them.
  [[nodiscard]] bool status_has_sql_type() const {
    return field_version >= 14 && (client_version >= 17 || text_is_clr);
  }
};

}  // namespace orasim::wire
