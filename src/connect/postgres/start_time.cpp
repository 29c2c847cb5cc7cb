#include "connect/postgres/start_time.h"

#include <fmt/format.h>

#include <array>

#include "connect/postgres/replication.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

constexpr std::string_view kFinding = "cannot find the time in the source's log";

/// Commits as pgoutput tells them: PostgreSQL 15, "Logical Replication Message Formats". Its times
/// are microseconds since 2000.
std::string commits_query(const PublishedSlot& from) {
  return fmt::format(
      "with c as (select "
      "('x' || encode(substr(data, 3, 8), 'hex'))::bit(64)::bigint as lsn, "
      "timestamptz '2000-01-01 00:00:00+00' + "
      "('x' || encode(substr(data, 19, 8), 'hex'))::bit(64)::bigint * interval '1 microsecond' as "
      "t "
      "from pg_catalog.pg_logical_slot_peek_binary_changes({}, null, null, 'proto_version', '1', "
      "'publication_names', {}) where get_byte(data, 0) = 67) "
      "select coalesce(min(lsn) filter (where t >= $1::timestamptz), 0), "
      "coalesce(bool_or(t < $1::timestamptz), false), "
      "pg_catalog.to_char(min(t), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') from c",
      schema::quote_literal(from.slot),
      schema::quote_literal(*schema::quote_identifier(from.publication)));
}

Error bad_time(std::string message, std::string remedy) {
  return make_error(ErrorKind::kConfig, "postgres.bad_position", std::move(message),
                    std::move(remedy));
}

}  // namespace

Result<wire::Lsn> find_start_time(OpContext& context, Connection& connection,
                                  const PublishedSlot& from, const std::string& time) {
  const std::array parameters = {time};
  auto now = connection.query(context, kFinding,
                              "select pg_catalog.pg_current_wal_flush_lsn(), "
                              "$1::timestamptz > pg_catalog.clock_timestamp()",
                              parameters);
  if (!now) {
    constexpr std::string_view kDataExceptions = "22";
    if (!now.error().native_code.starts_with(kDataExceptions)) return std::move(now).error();
    return bad_time("'" + time + "' is no place in PostgreSQL's log and no time",
                    "Use an LSN such as 16/B374D848, or a time such as 2026-11-30T02:00:00Z");
  }
  if (now->boolean(0, 1)) {
    return bad_time("the time '" + time + "' has not come yet", "Use a time of the past");
  }
  WHERRY_ASSIGN(const Rows found,
                connection.query(context, kFinding, commits_query(from), parameters));
  if (!found.boolean(0, 1)) {
    const std::string first = found.is_null(0, 2)
                                  ? "and it has no commit yet"
                                  : "whose first commit is of " + std::string(found.text(0, 2));
    return bad_time(
        "the time '" + time + "' is not in the log of replication slot " + from.slot + ", " + first,
        "Use a slot that was made before that time; or name the LSN to start at, if "
        "nothing was committed between that time and the slot");
  }
  const auto lsn = static_cast<wire::Lsn>(found.integer(0, 0));
  return lsn != 0 ? lsn : parse_lsn(now->text(0, 0)).value_or(0);
}

}  // namespace wherry::postgres
