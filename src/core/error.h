// The error every layer speaks. `kind` decides what happens next, `code` is a stable dotted word to
// search for, `message` says what failed and where, `hint` tells the operator what to do about it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wherry {

enum class ErrorKind : std::uint8_t {
  kTransient,     ///< network, dead lock, server restart: retry with backoff
  kConfig,        ///< flags, files, mappings: the request was wrong
  kAuth,          ///< wrong password, locked or expired account
  kPermission,    ///< a privilege is missing
  kSchema,        ///< a table or column is not as expected
  kData,          ///< a value cannot be carried
  kUnsupported,   ///< the server or the data asks for something Wherry does not do
  kResource,      ///< disk, memory, connection limits
  kPositionLost,  ///< snapshot too old, log purged: needs a reload
  kCancelled,     ///< stop was asked for
  kInternal,      ///< a bug in Wherry
};
/// Lower-case name, e.g. "position_lost".
std::string_view name_of(ErrorKind kind);

/// One "key: value" of context: table, column, key, position, statement.
struct ErrorField {
  std::string key;
  std::string value;
  bool is_row_data = false;  ///< shown to the operator, never logged
};

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string code;     ///< "oracle.snapshot_too_old"
  std::string message;  ///< one sentence without a full stop; no password, no row data
  std::string hint;     ///< the operator's next action
  std::string
      native_code;  ///< the server's own code: "ORA-01555", SQLSTATE "42501", "ECONNREFUSED"
  std::string native_text;  ///< the server's own words
  std::string
      native_detail;  ///< what else it said; may quote values of rows, so it is never logged
  std::vector<ErrorField> fields;

  /// Adds context on the way up; an outer key does not replace an inner one.
  Error& with(std::string_view key, std::string_view value) &;
  Error&& with(std::string_view key, std::string_view value) &&;
  /// Like with(), for what comes out of a row: the value of a key, say.
  Error& with_row_data(std::string_view key, std::string_view value) &;
  /// The readable paragraph that goes to stderr: what, where, what the server said, what to do.
  [[nodiscard]] std::string to_paragraph() const;
  /// The same on one line and without anything that may come out of a row: for logs.
  [[nodiscard]] std::string to_log_text() const;
};

Error make_error(ErrorKind kind, std::string_view code, std::string message, std::string hint = {});

}  // namespace wherry
