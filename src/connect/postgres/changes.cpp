#include "connect/postgres/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <thread>

#include "connect/postgres/backlog.h"
#include "connect/postgres/catalog_session.h"
#include "connect/postgres/log_changes.h"
#include "connect/postgres/log_position.h"
#include "connect/postgres/pulse.h"
#include "connect/postgres/reading_pace.h"
#include "connect/postgres/replication.h"
#include "connect/postgres/slot.h"
#include "connect/support/transaction_buffer.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using connect::ChangeBatch;
using connect::StreamState;
using std::chrono::milliseconds;
using StreamClock = std::chrono::steady_clock;

constexpr milliseconds kMostSilence{10'000};
/// An idle stream asks this often how far the source is.
constexpr milliseconds kAskInterval{1'000};
constexpr milliseconds kLeastBetweenAsks{100};
/// After a backlog the slot is moved to what is on the target, so that a walsender does not decode
/// the backlog once more; but not when the target gets no further for so long.
constexpr milliseconds kMostStandstill{2'000};
constexpr milliseconds kStandstillLook{10};
/// The parts of a backlog, beside the shortest one that is read with SQL.
constexpr std::uint64_t kLeastPartDivisor = 4, kMostPartFactor = 8;
constexpr std::string_view kStarting = "cannot start reading the source's log";
constexpr const char* kReload = "Load the tables again (--start reload-target)";
constexpr std::string_view kThenReload = ", then load the tables again (--start reload-target)";

/// Words of a server that no longer has the log: ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE from an
/// invalidated slot, a segment's file that is gone.
Error with_lost_log(Error error) {
  constexpr std::string_view kUndefinedObject = "42704";  // before version 18
  if (error.native_code == kUndefinedObject) return publication_was_missing();
  if (error.native_code == "55000" || error.native_code == "58P01") {
    error.kind = ErrorKind::kPositionLost;
    error.code = "postgres.log_lost";
    error.hint = std::string(advice_on_loss("")).append(kThenReload);
  }
  return error;
}

/// The deadline of a read is for waiting, not for what has to be looked up on the way.
OpContext unhurried(const OpContext& context) {
  OpContext out = context;
  out.deadline = StreamClock::time_point::max();
  return out;
}

int protocol_version(int server_version) {
  if (server_version >= 160000) return 4;
  if (server_version >= 150000) return 3;
  return server_version >= 140000 ? 2 : 1;
}

class PostgresChangeStream : public connect::ChangeStream {
 public:
  PostgresChangeStream(ConnectionSettings settings, connect::StreamRequest request,
                       StreamNames names)
      : settings_(std::move(settings)),
        names_(std::move(names)),
        memory_bytes_(request.memory_bytes),
        changes_(settings_, std::move(request), names_, catalog_, progress_) {}

  Result<void> start(OpContext& context, const Position& from) override {
    pulse_.reset();
    backlog_.reset();
    link_.reset();
    next_link_.reset();
    WHERRY_ASSIGN(const LogPosition position, read_position(from));
    WHERRY_ASSIGN(auto link, ReplicationLink::open(context, settings_));
    WHERRY_ASSIGN(base_, identify_system(context, link->session()));
    WHERRY_TRY(check_position(context, link->session(), position));
    WHERRY_TRY(check_slot(context, link->session(), position));
    base_.lsn = position.lsn;
    changes_.begin(base_);
    WHERRY_ASSIGN(is_binary_, changes_.choose_binary(context));
    progress_.received = position.lsn;
    progress_.flushed = 0;  // what comes before may be in memory only
    next_link_ = std::move(link);
    return go_on(context);
  }

  Result<StreamState> read(OpContext& context, ChangeBatch& out) override {
    if (link_ == nullptr && next_link_ == nullptr) {
      return make_error(ErrorKind::kTransient, "postgres.not_started",
                        "the stream is not connected", "It is started again");
    }
    OpContext patient = unhurried(context);
    WHERRY_TRY(changes_.go_on(patient, out));
    if (out.is_full()) return StreamState::kMore;
    while (link_ == nullptr) {
      WHERRY_ASSIGN(const std::optional<StreamState> state,
                    backlog_ != nullptr ? read_backlog(context, out) : await_target(context, out));
      if (state) return *state;
    }
    for (;;) {
      WHERRY_TRY(take_all(patient, out));
      if (out.is_full()) return StreamState::kMore;
      pace_.rest();
      WHERRY_ASSIGN(const std::size_t size, fill(context, StreamClock::now()));
      if (!pace_.note(size)) continue;
      changes_.add_heartbeat(out);
      if (!out.empty()) return StreamState::kIdle;
      const auto now = StreamClock::now();
      if (now >= context.deadline) return StreamState::kIdle;
      WHERRY_TRY(ask(now));
      WHERRY_ASSIGN(const std::size_t waited,
                    fill(context, std::min(context.deadline, now + kAskInterval)));
      pace_.note(waited);
    }
  }

  Result<void> confirm(OpContext&, const Position& durable) override {
    WHERRY_ASSIGN(const LogPosition position, read_position(durable));
    if (position.lsn <= progress_.flushed) return {};
    progress_.flushed = position.lsn;
    if (backlog_ != nullptr) backlog_->release(position.lsn);
    if (link_ == nullptr || StreamClock::now() - last_status_ < kLeastBetweenAsks) return {};
    return send_status(false);
  }

  Result<connect::SourceHead> head(OpContext& context) override {
    WHERRY_ASSIGN(Connection * catalog, catalog_.open(context));
    WHERRY_ASSIGN(
        const Rows rows,
        catalog->query(context, "cannot read where the source's log ends",
                       "select pg_catalog.pg_current_wal_flush_lsn(), (extract(epoch from "
                       "pg_catalog.clock_timestamp()) * 1000000)::bigint"));
    WHERRY_ASSIGN(const auto slot, find_slot(context, *catalog, names_.slot));
    if (!slot) return slot_missing();
    if (slot->wal_status == "lost") return slot_lost(*slot);
    LogPosition end = base_;
    end.lsn = parse_lsn(rows.text(0, 0)).value_or(0);
    connect::SourceHead out;
    out.order = order_before(end.lsn);
    out.position = to_position(end);
    out.time = std::chrono::system_clock::time_point(std::chrono::microseconds(rows.integer(0, 1)));
    out.kept_bytes = end.lsn > slot->restart_lsn ? end.lsn - slot->restart_lsn : 0;
    out.bytes_until_lost = slot->safe_bytes;
    return out;
  }

 private:
  Result<void> check_position(OpContext& context, Connection& session,
                              const LogPosition& position) {
    const LogPosition& server = base_;
    if (server.system != position.system) {
      return make_error(ErrorKind::kPositionLost, "postgres.other_system",
                        fmt::format("the position is of another PostgreSQL system ({}, not {})",
                                    position.system, server.system),
                        kReload);
    }
    if (server.timeline != position.timeline) {
      WHERRY_TRY(check_timeline(context, session, position, server.timeline));
    }
    if (position.lsn > server.lsn) {
      return make_error(
          ErrorKind::kPositionLost, "postgres.position_ahead",
          fmt::format("the position {} lies beyond the end of the source's log ({}): the source "
                      "was restored to an earlier state",
                      lsn_text(position.lsn), lsn_text(server.lsn)),
          kReload);
    }
    return {};
  }

  /// After a promotion the log goes on from where the old timeline ended, and what came after that
  /// there was never taken over.
  Result<void> check_timeline(OpContext& context, Connection& session, const LogPosition& position,
                              std::uint32_t timeline) {
    WHERRY_ASSIGN(const Rows rows,
                  session.command(context, "cannot read the history of the source's timeline",
                                  fmt::format("TIMELINE_HISTORY {}", timeline)));
    const auto end = end_of_timeline(rows.text(0, 1), position.timeline);
    if (end && position.lsn <= *end) return {};
    return make_error(
        ErrorKind::kPositionLost, "postgres.other_timeline",
        fmt::format("the position {} of timeline {} is not in the log of timeline {}{}",
                    lsn_text(position.lsn), position.timeline, timeline,
                    end ? ", which left the other one at " + lsn_text(*end) : ""),
        kReload);
  }

  Error slot_missing() const {
    return make_error(ErrorKind::kPositionLost, "postgres.slot_missing",
                      "the source has no replication slot " + names_.slot +
                          " any more, so changes since then are lost",
                      kReload);
  }
  Error slot_lost(const SlotState& slot) const {
    const std::string reason =
        slot.lost_reason.empty() ? "" : " (invalidation_reason: " + slot.lost_reason + ")";
    return make_error(ErrorKind::kPositionLost, "postgres.log_lost",
                      "the source has thrown away what replication slot " + names_.slot +
                          " still needed" + reason,
                      std::string(advice_on_loss(slot.lost_reason)).append(kThenReload));
  }

  Result<void> check_slot(OpContext& context, Connection& session, const LogPosition& position) {
    WHERRY_TRY(await_free_slot(context, session, names_.slot));
    WHERRY_ASSIGN(const auto slot, find_slot(context, session, names_.slot));
    if (!slot) return slot_missing();
    if (!slot->is_logical || slot->plugin != "pgoutput") {
      return make_error(ErrorKind::kConfig, "postgres.slot_unusable",
                        "the replication slot " + names_.slot + " is not of plug-in pgoutput",
                        "Name another one with SlotName");
    }
    if (slot->wal_status == "lost") return slot_lost(*slot);
    if (slot->is_two_phase) {
      return make_error(ErrorKind::kConfig, "postgres.slot_unusable",
                        "the replication slot " + names_.slot +
                            " is one for two-phase commit, whose prepared transactions may never "
                            "be committed",
                        "Make one without two_phase and name it with SlotName");
    }
    if (slot->confirmed_lsn > position.lsn) {
      return make_error(
          ErrorKind::kPositionLost, "postgres.position_passed",
          fmt::format("replication slot {} begins at {} only, after the position "
                      "{}",
                      names_.slot, lsn_text(slot->confirmed_lsn), lsn_text(position.lsn)),
          kReload);
    }
    WHERRY_ASSIGN(const Rows rows,
                  session.command(context, kStarting,
                                  "select from pg_catalog.pg_publication where pubname = " +
                                      schema::quote_literal(names_.publication)));
    if (rows.count() != 0) return {};
    return make_error(ErrorKind::kPositionLost, "postgres.publication_missing",
                      "the source has no publication " + names_.publication + " any more", kReload);
  }

  /// Half of what a walsender waits for an answer, and no more than kMostSilence.
  static Result<milliseconds> sender_patience(OpContext& context, Connection& catalog) {
    WHERRY_ASSIGN(const Rows rows,
                  catalog.query(context, kStarting,
                                "select setting::bigint / 3 from pg_catalog.pg_settings "
                                "where name = 'wal_sender_timeout'"));
    const milliseconds third(rows.integer(0, 0));
    if (third.count() <= 0) return kMostSilence;
    return std::clamp(third, milliseconds(50), kMostSilence);
  }

  /// Begins to read at the last position: with SQL when that is far behind, else through the link.
  Result<void> go_on(OpContext& context) {
    WHERRY_ASSIGN(Connection * catalog, catalog_.open(context));
    const wire::Lsn at = changes_.next_lsn();
    const std::uint64_t limit = settings_.changes.catch_up_bytes;
    if (limit != 0) {
      WHERRY_ASSIGN(
          const Rows rows,
          catalog->query(context, kStarting, "select pg_catalog.pg_current_wal_flush_lsn()"));
      const wire::Lsn end = parse_lsn(rows.text(0, 0)).value_or(0);
      if (end > at && end - at > limit) {
        WHERRY_TRY(advance_slot(context, *catalog));
        delivered_before_ = changes_.delivered_lsn();
        WHERRY_ASSIGN(backlog_,
                      Backlog::begin(context, settings_, names_.slot,
                                     {at, end, limit / kLeastPartDivisor, limit * kMostPartFactor},
                                     plugin_options(catalog->server_version(), ", ")));
        return {};
      }
    }
    WHERRY_ASSIGN(const milliseconds silence, sender_patience(context, *catalog));
    std::string options = plugin_options(catalog->server_version(), " ");
    if (catalog->server_version() >= 140000) {
      options += ", streaming 'on'";
      WHERRY_ASSIGN(auto open, connect::TransactionBuffer::open(
                                   {std::filesystem::path(settings_.spill_directory) /
                                        (names_.slot + "-" + base_.system + ".open"),
                                    memory_bytes_}));
      changes_.keep_open(std::move(open));
    }
    auto started = next_link_->start(
        context, fmt::format("START_REPLICATION SLOT {} LOGICAL {} ({})",
                             *schema::quote_identifier(names_.slot), lsn_text(at), options));
    if (!started) return with_lost_log(std::move(started).error());
    link_ = std::move(next_link_);
    pulse_ =
        std::make_unique<Pulse>(settings_, names_.slot, *link_, progress_, silence, context.log);
    return {};
  }

  /// What the engine has confirmed is not decoded once more.
  Result<void> advance_slot(OpContext& context, Connection& catalog) {
    const std::array parameters = {names_.slot, lsn_text(progress_.flushed)};
    WHERRY_TRY(catalog.query(context, kStarting,
                             "select pg_catalog.pg_replication_slot_advance(slot_name, $2::pg_lsn) "
                             "from pg_catalog.pg_replication_slots "
                             "where slot_name = $1 and confirmed_flush_lsn < $2::pg_lsn",
                             parameters));
    return {};
  }

  /// nullopt: the backlog has been read, and reading goes on otherwise.
  Result<std::optional<StreamState>> read_backlog(OpContext& context, ChangeBatch& out) {
    OpContext patient = unhurried(context);
    using State = CatchUp::State;
    while (!out.is_full()) {
      // What is there is taken; only an empty batch waits.
      auto state =
          backlog_->next(context, out.empty() ? context.deadline : StreamClock::time_point());
      if (!state) return with_lost_log(std::move(state).error());
      if (*state == State::kNothing) return std::optional(StreamState::kIdle);
      if (*state == State::kEnd) {
        end_backlog();
        return std::optional<StreamState>();
      }
      WHERRY_TRY(changes_.take(patient, backlog_->message(), 0, out));
    }
    return std::optional(StreamState::kBacklog);
  }

  void end_backlog() {
    changes_.pass(backlog_->until(), server_time_now());
    backlog_.reset();
    awaited_lsn_ = changes_.delivered_lsn() > delivered_before_ ? changes_.delivered_lsn() : 0;
    last_flushed_ = progress_.flushed;
    last_flush_ = StreamClock::now();
  }

  /// Before a walsender begins: until the target has what the backlog held. nullopt: reading goes
  /// on.
  Result<std::optional<StreamState>> await_target(OpContext& context, ChangeBatch& out) {
    changes_.add_heartbeat(out);
    if (!out.empty()) return std::optional(StreamState::kMore);
    const auto now = StreamClock::now();
    if (progress_.flushed > last_flushed_) {
      last_flushed_ = progress_.flushed;
      last_flush_ = now;
    }
    if (last_flushed_ < awaited_lsn_ && now - last_flush_ < kMostStandstill) {
      // confirm() comes between two reads.
      std::this_thread::sleep_until(std::min(context.deadline, now + kStandstillLook));
      return std::optional(StreamState::kMore);
    }
    OpContext patient = unhurried(context);
    WHERRY_ASSIGN(Connection * catalog, catalog_.open(patient));
    WHERRY_TRY(advance_slot(patient, *catalog));
    WHERRY_TRY(go_on(patient));
    return std::optional<StreamState>();
  }

  /// pgoutput's options, as START_REPLICATION and SQL's functions take them.
  [[nodiscard]] std::string plugin_options(int server_version, std::string_view between) const {
    const bool is_sql = between != " ";
    const auto option = [&](const char* name, const std::string& value) {
      return (is_sql ? schema::quote_literal(name) : name) + std::string(between) +
             schema::quote_literal(value);
    };
    std::string out = option("proto_version", std::to_string(protocol_version(server_version))) +
                      ", " +
                      option("publication_names", *schema::quote_identifier(names_.publication));
    if (is_binary_) out += ", " + option("binary", "true");
    return out;
  }

  Result<std::size_t> fill(OpContext& context, StreamClock::time_point until) {
    auto size = link_->fill(context, until);
    if (!size) return with_lost_log(std::move(size).error());
    return size;
  }

  Result<void> send_status(bool wants_reply) {
    last_status_ = StreamClock::now();
    return link_->send_status(progress_.received, progress_.flushed, wants_reply);
  }

  /// An idle walsender speaks seldom by itself.
  Result<void> ask(StreamClock::time_point now) {
    if (now - last_ask_ < kLeastBetweenAsks) return {};
    last_ask_ = now;
    return send_status(true);
  }

  Result<void> take_all(OpContext& context, ChangeBatch& out) {
    while (!out.is_full()) {
      auto data = link_->next();
      if (!data) return with_lost_log(std::move(data).error());
      if (!*data) return {};
      if (!wire::decode_wal_message(**data, wal_)) return malformed_log("a message's frame");
      if (wal_.type == 'k') {
        WHERRY_TRY(take_keepalive());
      } else {
        WHERRY_TRY(changes_.take(context, wal_.data, wal_.start, out));
      }
    }
    return {};
  }

  Result<void> take_keepalive() {
    changes_.pass(wal_.end, wal_.sent);
    return wal_.wants_reply ? send_status(false) : Result<void>();
  }

  const ConnectionSettings settings_;
  const StreamNames names_;
  const std::uint64_t memory_bytes_;
  CatalogSession catalog_{settings_};
  StreamProgress progress_;
  LogChanges changes_;
  LogPosition base_;  ///< of the server; where the stream began
  bool is_binary_ = false;

  wire::WalMessage wal_;
  ReadingPace pace_;
  StreamClock::time_point last_status_, last_ask_;
  std::unique_ptr<Backlog> backlog_;            ///< while it is there, the link waits
  wire::Lsn delivered_before_ = 0;              ///< the backlog
  wire::Lsn awaited_lsn_ = 0;                   ///< the last of what the backlog has given
  wire::Lsn last_flushed_ = 0;                  ///< how far the target was
  StreamClock::time_point last_flush_;          ///< and since when
  std::unique_ptr<ReplicationLink> next_link_;  ///< not started
  std::unique_ptr<ReplicationLink> link_;
  std::unique_ptr<Pulse> pulse_;  ///< last: uses the link and the progress
};

}  // namespace

std::unique_ptr<connect::ChangeStream> make_change_stream(ConnectionSettings settings,
                                                          connect::StreamRequest request,
                                                          StreamNames names) {
  return std::make_unique<PostgresChangeStream>(std::move(settings), std::move(request),
                                                std::move(names));
}

}  // namespace wherry::postgres
