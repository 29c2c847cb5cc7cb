#include "connect/postgres/errors.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace wherry::postgres {
namespace {

struct Entry {
  std::string_view sqlstate;  ///< five characters, or two for a whole class
  ErrorClass error;
};

constexpr std::array kEntries = {
    Entry{"28P01",
          {ErrorKind::kAuth, "postgres.wrong_password", "the user name or password is wrong",
           "Check the user and WHERRY_TARGET_PASSWORD (or WHERRY_SOURCE_PASSWORD)"}},
    Entry{"28",
          {ErrorKind::kAuth, "postgres.login_refused", "the server refused the login",
           "Check the user name and the line of pg_hba.conf that applies to this host"}},
    Entry{"3D000",
          {ErrorKind::kConfig, "postgres.unknown_database", "the database does not exist",
           "Check the name at the end of the URL, or create the database"}},
    Entry{"42501",
          {ErrorKind::kPermission, "postgres.privilege_missing", "a privilege is missing",
           "Grant it to Wherry's user (see the connector's README for the list)"}},
    Entry{"53100",
          {ErrorKind::kResource, "postgres.disk_full", "the server's disk is full",
           "Free space on the database server, then start the task again"}},
    Entry{"53200",
          {ErrorKind::kResource, "postgres.out_of_memory", "the server is out of memory",
           "Lower MaxFullLoadSubTasks or give the server more memory"}},
    Entry{
        "53300",
        {ErrorKind::kResource, "postgres.too_many_connections", "the server has no free connection",
         "Raise max_connections on the server or lower MaxFullLoadSubTasks"}},
    Entry{"53",
          {ErrorKind::kResource, "postgres.no_resources", "the server is short of resources",
           "Look at the server's log, then start the task again"}},
    Entry{"57014",
          {ErrorKind::kTransient, "postgres.statement_cancelled", "the statement was cancelled",
           "Somebody or a timeout on the server cancelled it; start the task again"}},
    Entry{"57",
          {ErrorKind::kTransient, "postgres.server_stopped", "the server ended the connection",
           "It is retried; check that the server is running"}},
    Entry{"08",
          {ErrorKind::kTransient, "postgres.connection_lost", "the connection was lost",
           "It is retried; check the network and the server's log"}},
    Entry{"40",
          {ErrorKind::kTransient, "postgres.transaction_conflict",
           "the transaction lost against another one", "It is retried"}},
    Entry{"55P03",
          {ErrorKind::kSchema, "postgres.lock_timeout",
           "another session holds a lock and did not let go in time",
           "End that session, or raise the endpoint's option lock_timeout (seconds)"}},
    Entry{"55006",
          {ErrorKind::kTransient, "postgres.in_use", "the object is in use by another session",
           "End the session that uses it"}},
    Entry{"55",
          {ErrorKind::kConfig, "postgres.not_ready", "the server is not in the state for this",
           "Read the server's words"}},
    Entry{"58",
          {ErrorKind::kResource, "postgres.server_io", "the server could not read or write a file",
           "Look at the server's log and its disks"}},
    Entry{
        "23505",
        {ErrorKind::kData, "postgres.duplicate_key", "two rows have the same key",
         "Empty the table first (TRUNCATE_BEFORE_LOAD or DROP_AND_CREATE), or drop the constraint "
         "when the source allows duplicates"}},
    Entry{
        "23502",
        {ErrorKind::kData, "postgres.null_not_allowed", "NULL arrives in a column that forbids it",
         "Drop NOT NULL on the target column, or fill it with a default"}},
    Entry{"23503",
          {ErrorKind::kData, "postgres.foreign_key_violated",
           "a row refers to a row that is not there",
           "Drop or disable the foreign keys of the target during the load"}},
    Entry{"23514",
          {ErrorKind::kData, "postgres.check_violated", "a check constraint of the target fails",
           "Drop the constraint on the target, or correct the source row"}},
    Entry{"23",
          {ErrorKind::kData, "postgres.constraint_violated", "a constraint of the target fails",
           "Drop the constraint on the target, or correct the source row"}},
    Entry{"22001",
          {ErrorKind::kData, "postgres.value_too_long", "a text is longer than its column",
           "Widen the column on the target"}},
    Entry{"22003",
          {ErrorKind::kData, "postgres.value_out_of_range",
           "a number is out of the range of its column", "Widen the column on the target"}},
    Entry{"22021",
          {ErrorKind::kData, "postgres.bad_text", "a text is not valid in the server's encoding",
           "Use a target database with encoding UTF8"}},
    Entry{"22P05",
          {ErrorKind::kData, "postgres.untranslatable_text",
           "a character has no equivalent in the database's encoding",
           "Use a target database with encoding UTF8"}},
    Entry{"22",
          {ErrorKind::kData, "postgres.bad_value", "the server does not accept a value",
           "Compare the column's type on the target with the source column"}},
    Entry{"P0001",
          {ErrorKind::kData, "postgres.trigger_refused", "a trigger of the target refuses the row",
           "Disable the trigger during the load (`wherry scripts` writes the statements)"}},
    Entry{"54000",
          {ErrorKind::kData, "postgres.limit_exceeded", "a row exceeds a limit of PostgreSQL",
           "An index row holds about 2700 bytes: leave very long columns out of keys"}},
    Entry{"54",
          {ErrorKind::kSchema, "postgres.limit_exceeded", "a limit of PostgreSQL is exceeded",
           "Split the table, or leave columns out with the table mappings"}},
    Entry{"2BP01",
          {ErrorKind::kSchema, "postgres.dependent_objects",
           "other objects depend on the table, so it is not dropped",
           "Drop the objects named by the server, or use TRUNCATE_BEFORE_LOAD"}},
    Entry{"3F000",
          {ErrorKind::kSchema, "postgres.unknown_schema", "the schema does not exist",
           "Create it, or grant CREATE on the database so that Wherry can"}},
    Entry{"42P01",
          {ErrorKind::kSchema, "postgres.unknown_table", "the table does not exist",
           "Create it, or use DROP_AND_CREATE"}},
    Entry{"42P07",
          {ErrorKind::kSchema, "postgres.name_taken", "the name is already taken on the target",
           "Drop what bears the name, or rename with a transformation rule"}},
    Entry{"42710",
          {ErrorKind::kSchema, "postgres.name_taken", "the name is already taken on the target",
           "Drop what bears the name, or rename with a transformation rule"}},
    Entry{"42704",
          {ErrorKind::kSchema, "postgres.unknown_object", "an object does not exist",
           "Create it, or leave it out"}},
    Entry{"42703",
          {ErrorKind::kSchema, "postgres.unknown_column", "a column does not exist",
           "Compare the table on the target with the source table"}},
    Entry{"25006",
          {ErrorKind::kConfig, "postgres.read_only", "the database is read only",
           "Name the primary server, not a standby, and check default_transaction_read_only"}},
    Entry{"0A000",
          {ErrorKind::kUnsupported, "postgres.not_supported", "the server does not support this",
           "Read the server's words"}},
    Entry{"XX",
          {ErrorKind::kResource, "postgres.server_fault", "the server found a fault of its own",
           "Look at the server's log; its data may be damaged"}},
};

constexpr ErrorClass kUnknown = {ErrorKind::kInternal, "postgres.server_error",
                                 "the server refused a statement",
                                 "Please report it with the server's words"};

const Entry* find_entry(std::string_view key) {
  for (const Entry& entry : kEntries) {
    if (entry.sqlstate == key) return &entry;
  }
  return nullptr;
}

std::string_view field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? std::string_view{} : std::string_view(text);
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  std::string out;
  for (const char c : text) {
    if (c != '\n') {
      out += c;
    } else if (!out.empty() && out.back() != '.') {
      out += ';';
      out += ' ';
    } else {
      out += ' ';
    }
  }
  return out;
}

/// Verbose messages end with lines for developers of the server.
std::string without_location(std::string_view text) {
  const std::size_t location = text.find("\nLOCATION:");
  return trimmed(text.substr(0, location));
}

Error make_classified(const ErrorClass& error, std::string_view action) {
  return make_error(error.kind, error.code, std::string(action) + ": " + std::string(error.message),
                    std::string(error.hint));
}

bool is_sqlstate_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

/// Somebody answered and then was gone: no wrong address. libpq has no code for it, and its own
/// words are English, because no program of ours sets a locale.
bool is_cut(std::string_view message) {
  constexpr std::string_view kWords[] = {"closed the connection unexpectedly",
                                         "Connection reset by peer", "EOF detected", "Broken pipe"};
  return std::any_of(std::begin(kWords), std::end(kWords), [&](std::string_view words) {
    return message.find(words) != std::string_view::npos;
  });
}

}  // namespace

ErrorClass classify(std::string_view sqlstate) {
  if (const Entry* exact = find_entry(sqlstate)) return exact->error;
  if (const Entry* whole_class = find_entry(sqlstate.substr(0, 2))) return whole_class->error;
  return kUnknown;
}

std::string_view find_sqlstate(std::string_view message) {
  // The severity before it is translated, the five characters and both colons are not.
  for (std::size_t i = 0; i + 10 <= message.size(); ++i) {
    if (message.substr(i, 3) != ":  ") continue;
    const std::string_view state = message.substr(i + 3, 5);
    bool matches = message.substr(i + 8, 2) == ": ";
    for (const char c : state) matches = matches && is_sqlstate_char(c);
    if (matches) return state;
  }
  return {};
}

Error error_of_result(const PGresult* result, std::string_view action) {
  const std::string_view sqlstate = field(result, PG_DIAG_SQLSTATE);
  if (sqlstate.empty()) {
    // libpq made this result itself: the connection broke.
    Error error = make_classified(classify("08006"), action);
    error.native_text = trimmed(PQresultErrorMessage(result));
    return error;
  }
  Error error = make_classified(classify(sqlstate), action);
  error.native_code = std::string(sqlstate);
  error.native_text = trimmed(field(result, PG_DIAG_MESSAGE_PRIMARY));
  const std::string_view hint = field(result, PG_DIAG_MESSAGE_HINT);
  if (!hint.empty()) error.native_text += "; " + trimmed(hint);
  // Both quote values: "Key (id)=(7) already exists", "Failing row contains (…)".
  for (const int code : {PG_DIAG_MESSAGE_DETAIL, PG_DIAG_CONTEXT}) {
    const std::string_view more = field(result, code);
    if (more.empty()) continue;
    error.native_detail += (error.native_detail.empty() ? "" : "; ") + trimmed(more);
  }
  for (const auto& [key, code] : {std::pair{"column", PG_DIAG_COLUMN_NAME},
                                  std::pair{"constraint", PG_DIAG_CONSTRAINT_NAME}}) {
    if (!field(result, code).empty()) error.with(key, field(result, code));
  }
  return error;
}

Error error_of_words(const ServerWords& words, std::string_view action) {
  Error error = make_classified(classify(words.sqlstate), action);
  error.native_code = words.sqlstate;
  error.native_text = trimmed(words.message);
  if (!words.hint.empty()) error.native_text += "; " + trimmed(words.hint);
  for (const std::string_view more : {words.detail, words.context}) {
    if (more.empty()) continue;
    error.native_detail += (error.native_detail.empty() ? "" : "; ") + trimmed(more);
  }
  return error;
}

Error deadline_error() {
  return make_error(ErrorKind::kTransient, "postgres.timeout", "the server did not answer in time",
                    "Check the load of the server");
}

Error error_of_connection(const PGconn* connection, std::string_view action,
                          bool while_connecting) {
  const std::string_view text = PQerrorMessage(connection);
  const std::string_view sqlstate = while_connecting ? find_sqlstate(text) : std::string_view{};
  if (!sqlstate.empty()) {
    Error error = make_classified(classify(sqlstate), action);
    error.native_code = std::string(sqlstate);
    error.native_text = without_location(text);
    return error;
  }
  if (while_connecting && PQconnectionNeedsPassword(connection) == 1) {
    return make_error(ErrorKind::kAuth, "postgres.password_missing",
                      std::string(action) + ": the server asks for a password",
                      "Set WHERRY_TARGET_PASSWORD (or WHERRY_SOURCE_PASSWORD), or use "
                      "--target-password-file");
  }
  Error error =
      while_connecting && !is_cut(text)
          ? make_error(ErrorKind::kTransient, "postgres.unreachable",
                       std::string(action) + ": the server cannot be reached",
                       "Check host and port of the URL, the firewall and that the server listens")
          : make_classified(classify("08006"), action);
  error.native_text = without_location(text);
  return error;
}

}  // namespace wherry::postgres
