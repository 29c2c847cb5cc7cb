#include "connect/oracle/errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "connect/oracle/wire/tns.h"

namespace wherry::oracle {
namespace {

struct Known {
  std::uint32_t code;
  ErrorKind kind;
  const char* word;
  const char* message;
  const char* hint;
};

constexpr const char* kTryLater = "Wait until the server is ready, then try again";
constexpr const char* kReconnect = "Check that the database is up; the operation can be repeated";
constexpr const char* kServiceHint =
    "Check the service name (lsnrctl services shows those the listener knows) and that the "
    "database is open";

// Ascending by number.
constexpr Known kKnown[] = {
    {1, ErrorKind::kData, "oracle.unique", "A row with the same key exists already",
     "Look at the rows with that key"},
    {18, ErrorKind::kResource, "oracle.too_many_sessions", "The server has no session left",
     "Use fewer parallel readers, or raise the SESSIONS parameter"},
    {20, ErrorKind::kResource, "oracle.too_many_sessions", "The server has no process left",
     "Use fewer parallel readers, or raise the PROCESSES parameter"},
    {54, ErrorKind::kTransient, "oracle.locked_row", "A row or table is locked by another session",
     "Try again when the other transaction has ended"},
    {60, ErrorKind::kTransient, "oracle.deadlock", "The server resolved a deadlock",
     "The transaction can be repeated"},
    {604, ErrorKind::kTransient, "oracle.recursive_sql",
     "The server failed in an internal statement",
     "Read the server's text; its alert log may say more"},
    {904, ErrorKind::kSchema, "oracle.unknown_column", "A column does not exist",
     "Check the table's columns; it may have been changed"},
    {932, ErrorKind::kSchema, "oracle.type_changed", "A column has another type than expected",
     "Describe the table again; it may have been changed"},
    {942, ErrorKind::kSchema, "oracle.unknown_table",
     "The table or view does not exist, or the user may not see it",
     "Check the name, and grant SELECT on it to the migration user"},
    {1005, ErrorKind::kAuth, "oracle.no_password", "No password was given",
     "Set WHERRY_SOURCE_PASSWORD or use --source-password-file"},
    {1007, ErrorKind::kSchema, "oracle.columns_changed", "The columns of a query changed",
     "Describe the table again; it was changed"},
    {1012, ErrorKind::kTransient, "oracle.not_logged_on", "The session has ended", kReconnect},
    {1013, ErrorKind::kCancelled, "oracle.cancelled", "The call was broken off", ""},
    {1017, ErrorKind::kAuth, "oracle.wrong_password", "User name or password is wrong",
     "Check the user, and the password in WHERRY_SOURCE_PASSWORD or --source-password-file"},
    {1031, ErrorKind::kPermission, "oracle.missing_privilege", "A privilege is missing",
     "Grant the migration user the privilege that the statement needs"},
    {1033, ErrorKind::kTransient, "oracle.not_open", "The database is starting or stopping",
     kTryLater},
    {1034, ErrorKind::kTransient, "oracle.not_open", "The database is not running",
     "Start the database instance"},
    {1035, ErrorKind::kPermission, "oracle.restricted", "The database is in restricted mode",
     "Wait, or grant RESTRICTED SESSION to the migration user"},
    {1041, ErrorKind::kTransient, "oracle.connection_lost", "The connection was lost", kReconnect},
    {1045, ErrorKind::kPermission, "oracle.no_create_session",
     "The user may not log in: CREATE SESSION is missing",
     "Run: GRANT CREATE SESSION TO the migration user"},
    {1089, ErrorKind::kTransient, "oracle.not_open", "The database is shutting down", kTryLater},
    {1090, ErrorKind::kTransient, "oracle.not_open", "The database is shutting down", kTryLater},
    {1092, ErrorKind::kTransient, "oracle.connection_lost", "The instance stopped", kReconnect},
    {1403, ErrorKind::kData, "oracle.no_data", "No row was found", ""},
    {1422, ErrorKind::kData, "oracle.too_many_rows", "More than one row was found", ""},
    {1466, ErrorKind::kPositionLost, "oracle.definition_changed",
     "The table was changed after the moment it is to be read at",
     "It can only be read at a later moment: load again with --start reload-target"},
    {1555, ErrorKind::kPositionLost, "oracle.snapshot_too_old",
     "The server can no longer show the data as of the load's moment",
     "Raise UNDO_RETENTION or the undo tablespace, or load in smaller parts, then load again with "
     "--start reload-target"},
    {2391, ErrorKind::kResource, "oracle.too_many_sessions",
     "The user has as many sessions as its profile allows",
     "Use fewer parallel readers, or raise SESSIONS_PER_USER in the user's profile"},
    {2396, ErrorKind::kTransient, "oracle.idle", "The session was idle for too long",
     "Raise IDLE_TIME in the user's profile"},
    {3113, ErrorKind::kTransient, "oracle.connection_lost", "The connection was lost", kReconnect},
    {3114, ErrorKind::kTransient, "oracle.connection_lost", "The connection was lost", kReconnect},
    {3135, ErrorKind::kTransient, "oracle.connection_lost", "The connection was lost", kReconnect},
    {4031, ErrorKind::kResource, "oracle.server_memory", "The server has no shared memory left",
     "Ask the database administrator about SHARED_POOL_SIZE"},
    {4063, ErrorKind::kSchema, "oracle.view_has_errors", "The view has errors",
     "Mend it (ALTER VIEW … COMPILE, ALL_ERRORS), or exclude it from the task"},
    {8180, ErrorKind::kPositionLost, "oracle.snapshot_too_old",
     "The server cannot show the data as of the load's moment",
     "Reload the table: it can only be read at a later moment"},
    {8181, ErrorKind::kPositionLost, "oracle.unknown_scn",
     "The SCN is not one that the server can read at", "Start again at a current SCN"},
    {12154, ErrorKind::kConfig, "oracle.unknown_alias", "The connect name is not known",
     "Give host:port/service, or a full description"},
    {12505, ErrorKind::kConfig, "oracle.unknown_service", "The listener does not know the SID",
     kServiceHint},
    {12514, ErrorKind::kConfig, "oracle.unknown_service", "The listener does not know the service",
     kServiceHint},
    {12516, ErrorKind::kTransient, "oracle.no_handler", "The listener has no free handler",
     kTryLater},
    {12519, ErrorKind::kTransient, "oracle.no_handler", "The listener has no free handler",
     kTryLater},
    {12520, ErrorKind::kTransient, "oracle.no_handler", "The listener has no free handler",
     kTryLater},
    {12526, ErrorKind::kPermission, "oracle.restricted", "The instance is in restricted mode",
     kTryLater},
    {12527, ErrorKind::kPermission, "oracle.restricted", "The instance is in restricted mode",
     kTryLater},
    {12528, ErrorKind::kTransient, "oracle.not_open", "The instance takes no connections",
     kTryLater},
    {12537, ErrorKind::kTransient, "oracle.connection_lost", "The server closed the connection",
     kReconnect},
    {12547, ErrorKind::kTransient, "oracle.connection_lost", "The server closed the connection",
     kReconnect},
    {12564, ErrorKind::kTransient, "oracle.refused", "The listener refused the connection",
     "Look into the listener's log"},
    {12570, ErrorKind::kTransient, "oracle.connection_lost", "The connection was lost", kReconnect},
    {12572, ErrorKind::kTransient, "oracle.connection_lost", "The session was shut down",
     kReconnect},
    {12650, ErrorKind::kConfig, "oracle.native_encryption",
     "Client and server have no algorithm of native network encryption or integrity in common",
     "Allow more of them with encryption_types_client and crypto_checksum_types_client, or with "
     "SQLNET.ENCRYPTION_TYPES_SERVER and SQLNET.CRYPTO_CHECKSUM_TYPES_SERVER on the server; or use "
     "a TLS port (tcps)"},
    {12660, ErrorKind::kConfig, "oracle.native_encryption",
     "Native network encryption or integrity is required on one side and off on the other",
     "Set encryption_client and crypto_checksum_client to accepted, or SQLNET.ENCRYPTION_SERVER "
     "and SQLNET.CRYPTO_CHECKSUM_SERVER on the server; or use a TLS port (tcps)"},
    {22922, ErrorKind::kPositionLost, "oracle.lob_gone",
     "A LOB value is no longer there: its row was changed and the old version is gone",
     "Raise the LOB's RETENTION, then reload the table"},
    {22924, ErrorKind::kPositionLost, "oracle.snapshot_too_old",
     "The server can no longer show a LOB as of the load's moment",
     "Raise the LOB's RETENTION or PCTVERSION, then reload the table"},
    {28000, ErrorKind::kAuth, "oracle.account_locked", "The account is locked",
     "Run: ALTER USER … ACCOUNT UNLOCK"},
    {28001, ErrorKind::kAuth, "oracle.password_expired", "The password has expired",
     "Set a new one at log-in with new_password_file, or on the server: ALTER USER … IDENTIFIED BY "
     "…"},
    {28003, ErrorKind::kAuth, "oracle.new_password_refused",
     "The server does not take the new password",
     "Choose another one; the profile's password verify function says what it wants"},
    {28009, ErrorKind::kAuth, "oracle.sys_needs_role", "SYS must connect AS SYSDBA or AS SYSOPER",
     "Use another user for the migration"},
    {28040, ErrorKind::kAuth, "oracle.no_common_verifier",
     "Server and client have no common password protocol",
     "Check SQLNET.ALLOWED_LOGON_VERSION_SERVER, and set the user's password again"},
    {28150, ErrorKind::kPermission, "oracle.proxy_not_allowed",
     "The proxy user may not connect as the other user",
     "Run: ALTER USER the other user GRANT CONNECT THROUGH the proxy user"},
    {38802, ErrorKind::kConfig, "oracle.unknown_edition", "The edition does not exist",
     "Check the setting edition"},
};

constexpr std::uint32_t kFatal[] = {22,    28,    31,    45,    378,   600,   602,   603,
                                    609,   1012,  1033,  1034,  1041,  1043,  1089,  1090,
                                    1092,  2396,  3113,  3114,  3122,  3135,  12153, 12537,
                                    12547, 12570, 12571, 12572, 12583, 27146, 28511, 56600};

const Known* find_known(std::uint32_t code) {
  const Known* found = std::lower_bound(
      std::begin(kKnown), std::end(kKnown), code,
      [](const Known& known, std::uint32_t number) { return known.code < number; });
  return found != std::end(kKnown) && found->code == code ? found : nullptr;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return std::string(text);
}

}  // namespace

std::string ora_code(std::uint32_t code) {
  return fmt::format("ORA-{:05}", code);
}

Error server_error(std::uint32_t code, std::string_view text, int position) {
  const Known* known = find_known(code);
  Error error =
      known != nullptr
          ? make_error(known->kind, known->word, known->message, known->hint)
          : make_error(is_fatal(code) ? ErrorKind::kTransient : ErrorKind::kUnsupported,
                       is_fatal(code) ? "oracle.connection_lost" : "oracle.server",
                       "The Oracle server reported " + ora_code(code),
                       is_fatal(code) ? kReconnect
                                      : "Look the number up in Oracle's error messages manual");
  error.native_code = ora_code(code);
  error.native_text = trimmed(text);
  if (position > 0) error.with("position", std::to_string(position));
  return error;
}

Error refuse_error(std::string_view text) {
  const std::uint32_t code = wire::refuse_code(text);
  return server_error(code, text);
}

Error notification_error(std::uint32_t code, std::string_view text) {
  Error error = server_error(code, text);
  if (find_known(code) == nullptr) {
    error.kind = ErrorKind::kTransient;
    error.code = "oracle.connection_lost";
    error.message = "The server ended the session with " + ora_code(code);
    error.hint = kReconnect;
  }
  return error;
}

Error protocol_error(std::string_view what) {
  return make_error(ErrorKind::kTransient, "oracle.protocol",
                    "The server's bytes do not follow Oracle's protocol: " + std::string(what),
                    "Check that host and port belong to an Oracle listener; if they do, please "
                    "report this with the server's version");
}

Error server_closed_error() {
  return server_error(12537, "TNS:connection closed");
}

bool is_fatal(std::uint32_t code) {
  return std::binary_search(std::begin(kFatal), std::end(kFatal), code);
}

}  // namespace wherry::oracle
