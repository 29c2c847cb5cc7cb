// Messages the server answers calls with: describe, row header, status, parameters, I/O vector.
// Encoders only; each appends one message (or its documented part) to the writer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/session.h"
#include "wire/bytes.h"
#include "wire/dialect.h"

namespace orasim::wire {

inline constexpr std::uint32_t kLobChunkBytes = 8060;

/// One column as the client is told about it.
struct ColumnShape {
  std::string name;
  std::uint8_t type = 1;
  std::int8_t precision = 0;
  std::int16_t scale = 0;
  std::uint32_t max_bytes = 0;  ///< 0: always null, no bytes in rows
  std::uint32_t max_chars = 0;
  std::uint16_t charset = 0;
  std::uint8_t charset_form = 0;
  bool nullable = true;
  // Objects and XMLTYPE.
  std::string type_oid, type_schema, type_name;
  std::uint16_t type_version = 0;
  std::uint32_t uds_flags = 0;  ///< 0x100: a text or LOB column with an IS JSON check
  // VECTOR.
  std::uint32_t vector_dimensions = 0;  ///< 0: any
  std::uint8_t vector_format = 0, vector_flags = 0;
};
/// The types whose scale is an sb2, in binds too, for clients with type 27 in universal form.
bool has_wide_scale(std::uint8_t type);
/// BOOLEAN is described as NUMBER to clients whose field version has no such type.
ColumnShape describe_column(const ColumnInfo&, const Dialect&);
void encode_describe(Writer&, const Dialect&, const std::vector<ColumnShape>& columns);

/// The same as a part of other messages: cursors in rows and out binds, implicit results.
void encode_describe_body(Writer&, const Dialect&, const std::vector<ColumnShape>& columns);
/// A cursor as a value. Without columns and with id 0: one that was never opened.
void encode_cursor(Writer&, const Dialect&, const std::vector<ColumnShape>& columns,
                   std::uint32_t cursor_id);

void encode_row_header(Writer&, std::uint32_t rows_requested);

/// Execute's parameter message: SCN, cursor id and, when asked for, the counts a bind row.
void encode_return_parameters(Writer&, std::uint64_t scn, std::uint32_t cursor_id,
                              const std::vector<std::uint64_t>* row_counts);

enum class BindDirection : std::uint8_t { kOut = 16, kIn = 32, kInOut = 48 };
void encode_io_vector(Writer&, const std::vector<BindDirection>& directions);

struct CallStatus {
  bool transaction_open = false;
  int ora_code = 0;
  std::string text;  ///< "ORA-00942: …" without a newline; sent only with a code
  std::int32_t error_position = 0;
  std::uint32_t cursor_id = 0;
  std::uint8_t sql_type = 0;
  std::uint64_t row_count = 0;
  bool compilation_warning = false;
  RowId last_row_id;
  std::uint32_t iterations = 0;
  /// Sequence number of the function answered; JDBC takes another for a piggyback's error.
  std::uint8_t call_number = 0;
  std::vector<BatchError> batch_errors;
};
void encode_status(Writer&, const Dialect&, const CallStatus&);
/// Message 9: the answer to commit, rollback, ping, logoff.
void encode_call_end(Writer&, bool transaction_open);
/// Message 15, before the status.
void encode_warning(Writer&, int ora_code, std::string_view text);

}  // namespace orasim::wire
