// What PostgreSQL says, as errors with a kind, a stable code and a remedy. Classified by SQLSTATE
// (PostgreSQL 15, appendix A), never by message text.
#pragma once

#include <string>
#include <string_view>

#include "core/error.h"

struct pg_conn;
struct pg_result;

namespace wherry::postgres {

struct ErrorClass {
  ErrorKind kind = ErrorKind::kInternal;
  std::string_view code;     ///< "postgres.disk_full"
  std::string_view message;  ///< what went wrong, for people
  std::string_view hint;
};
/// The class of a SQLSTATE: its own entry, else that of its first two characters, else
/// postgres.server_error.
ErrorClass classify(std::string_view sqlstate);

/// An Error from a failed result; `action` says what was being done ("cannot create the table").
Error error_of_result(const pg_result* result, std::string_view action);
/// An Error from a connection that broke or was never made. With `while_connecting` the text is
/// searched for the SQLSTATE that verbose messages carry, because libpq offers no field for it; a
/// server that answered and was gone then is postgres.connection_lost as at any time.
Error error_of_connection(const pg_conn* connection, std::string_view action,
                          bool while_connecting);
/// What an ErrorResponse says, when its bytes were read without libpq.
struct ServerWords {
  std::string_view sqlstate, message, hint, detail, context;
};
Error error_of_words(const ServerWords& words, std::string_view action);
/// The deadline of a call has passed: kTransient "postgres.timeout".
Error deadline_error();
/// SQLSTATE in a verbose message ("FATAL:  28P01: …"), or empty.
std::string_view find_sqlstate(std::string_view verbose_message);

}  // namespace wherry::postgres
