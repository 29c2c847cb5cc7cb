#include "connect/postgres/slot.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "connect/postgres/replication.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

constexpr std::size_t kMostSlotName = 63;
constexpr std::string_view kSlotPrefix = "wherry_";
constexpr std::string_view kReadingSlot = "cannot read the state of the replication slot";
constexpr std::chrono::milliseconds kGlance{50};
constexpr std::chrono::seconds kPatience{10};

std::uint32_t fnv1a(std::string_view text) {
  std::uint32_t hash = 2166136261;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  return hash;
}

/// A pause that a stop ends.
Result<void> pause(OpContext& context, std::chrono::milliseconds length) {
  std::mutex mutex;
  std::condition_variable_any wakes;
  std::unique_lock lock(mutex);
  wakes.wait_for(lock, context.stop, length, [] { return false; });
  if (context.stop.stop_requested()) return cancelled_error();
  return {};
}

Error slot_in_use(const std::string& slot, std::int32_t pid, std::string_view who) {
  return make_error(
      ErrorKind::kTransient, "postgres.slot_in_use",
      fmt::format("the replication slot {} is in use by server process {}{}", slot, pid, who),
      fmt::format("It is tried again. If that is no running task of yours: "
                  "select pg_terminate_backend({})",
                  pid));
}

}  // namespace

Result<LogPosition> identify_system(OpContext& context, Connection& session) {
  WHERRY_ASSIGN(const Rows rows,
                session.command(context, "cannot identify the source", "IDENTIFY_SYSTEM"));
  LogPosition out;
  out.system = rows.text(0, 0);
  out.timeline = static_cast<std::uint32_t>(rows.integer(0, 1));
  out.lsn = parse_lsn(rows.text(0, 2)).value_or(0);
  return out;
}

std::string slot_name_for(std::string_view task_name) {
  std::string name(kSlotPrefix);
  for (const char c : task_name) {
    const bool is_kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    const bool is_upper = c >= 'A' && c <= 'Z';
    name += is_kept ? c : is_upper ? static_cast<char>(c - 'A' + 'a') : '_';
  }
  if (name.substr(kSlotPrefix.size()) == task_name && name.size() <= kMostSlotName) return name;
  const std::string hash = fmt::format("_{:08x}", fnv1a(task_name));
  return name.substr(0, kMostSlotName - hash.size()) + hash;
}

Result<std::optional<SlotState>> find_slot(OpContext& context, Connection& connection,
                                           const std::string& slot) {
  const int version = connection.server_version();
  const std::string sql = fmt::format(
      "select plugin, slot_type = 'logical', database, active_pid, restart_lsn, "
      "confirmed_flush_lsn, {}, {}, {} from pg_catalog.pg_replication_slots where slot_name = {}",
      version >= 130000 ? "wal_status, safe_wal_size" : "null, null",
      version >= 140000 ? "two_phase" : "false", version >= 170000 ? "invalidation_reason" : "null",
      schema::quote_literal(slot));
  WHERRY_ASSIGN(const Rows rows, connection.command(context, kReadingSlot, sql));
  if (rows.count() == 0) return std::optional<SlotState>{};
  SlotState out;
  out.plugin = rows.text(0, 0);
  out.is_logical = rows.boolean(0, 1);
  out.database = rows.text(0, 2);
  out.active_pid = static_cast<std::int32_t>(rows.integer(0, 3));
  out.restart_lsn = parse_lsn(rows.text(0, 4)).value_or(0);
  out.confirmed_lsn = parse_lsn(rows.text(0, 5)).value_or(0);
  out.wal_status = rows.text(0, 6);
  if (!rows.is_null(0, 7)) {
    const std::int64_t safe = rows.integer(0, 7);
    out.safe_bytes = safe < 0 ? 0 : static_cast<std::uint64_t>(safe);
  }
  out.is_two_phase = rows.boolean(0, 8);
  out.lost_reason = rows.text(0, 9);
  return std::optional(std::move(out));
}

std::string_view advice_on_loss(std::string_view lost_reason) {
  if (lost_reason == "idle_timeout") {
    return "Raise idle_replication_slot_timeout above the time that a task may be stopped";
  }
  if (lost_reason == "wal_level_insufficient") return "Set wal_level back to logical";
  if (lost_reason == "rows_removed") return "Have no vacuum remove rows that the slot needs";
  return "Raise max_slot_wal_keep_size";
}

Result<void> await_free_slot(OpContext& context, Connection& connection, const std::string& slot) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    WHERRY_ASSIGN(const std::optional<SlotState> state, find_slot(context, connection, slot));
    if (!state || state->active_pid == 0) return {};
    // Our streams answer every few seconds.
    WHERRY_ASSIGN(
        const Rows rows,
        connection.command(
            context, kReadingSlot,
            fmt::format("select coalesce(' of user ' || usename, '') || coalesce(' from ' || "
                        "client_addr::text, '') || coalesce(', ' || application_name, ''), "
                        "coalesce(reply_time < clock_timestamp() - interval '30 seconds', false) "
                        "and pg_catalog.pg_terminate_backend(pid) "
                        "from pg_catalog.pg_stat_replication where pid = {}",
                        state->active_pid)));
    if (std::chrono::steady_clock::now() >= give_up) {
      return slot_in_use(slot, state->active_pid, rows.count() == 0 ? "" : rows.text(0, 0));
    }
    WHERRY_TRY(pause(context, kGlance));
  }
}

Result<void> drop_slot(OpContext& context, Connection& connection, const std::string& slot) {
  WHERRY_ASSIGN(const std::optional<SlotState> state, find_slot(context, connection, slot));
  if (!state) return {};
  WHERRY_TRY(await_free_slot(context, connection, slot));
  const std::array parameters = {slot};
  WHERRY_TRY(connection.query(context, "cannot drop the replication slot",
                              "select pg_catalog.pg_drop_replication_slot(slot_name) "
                              "from pg_catalog.pg_replication_slots where slot_name = $1",
                              parameters));
  return {};
}

}  // namespace wherry::postgres
