#include "connect/postgres/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <thread>

#include "connect/postgres/backlog.h"
#include "connect/postgres/connection.h"
#include "connect/postgres/ddl_audit.h"
#include "connect/postgres/log_position.h"
#include "connect/postgres/log_tables.h"
#include "connect/postgres/pulse.h"
#include "connect/postgres/replication.h"
#include "connect/postgres/slot.h"
#include "connect/support/transaction_buffer.h"
#include "schema/postgres_ddl.h"

namespace wherry::postgres {
namespace {

using connect::Change;
using connect::ChangeBatch;
using connect::ChangeKind;
using connect::CommitInfo;
using connect::StreamState;
using std::chrono::milliseconds;
using wire::MessageType;
using StreamClock = std::chrono::steady_clock;

constexpr milliseconds kMostSilence{10'000};
/// An idle stream asks this often how far the source is.
constexpr milliseconds kAskInterval{1'000};
/// How often is looked for transactions that have been in memory for long.
constexpr milliseconds kSpillInterval{1'000};
constexpr milliseconds kLeastBetweenAsks{100};
/// After a backlog the slot is moved to what is on the target, so that a walsender does not decode
/// the backlog once more; but not when the target gets no further for so long.
constexpr milliseconds kMostStandstill{2'000};
constexpr milliseconds kStandstillLook{10};
/// Between looks whether a commit is seen by others.
constexpr milliseconds kCommitLook{1};
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

Error malformed_log(std::string_view what) {
  return make_error(ErrorKind::kInternal, "postgres.malformed_log",
                    "the source's log is not understood: " + std::string(what),
                    "Please report it with the server's version");
}

int protocol_version(int server_version) {
  if (server_version >= 160000) return 4;
  if (server_version >= 150000) return 3;
  return server_version >= 140000 ? 2 : 1;
}

/// A walsender sends every change by itself, and a reader that takes each as it comes costs both a
/// switch of context for it. While the log comes in fast the reader rests, asleep and not waiting
/// for the socket, so that the socket fills; a stream that has caught up is read at once.
class ReadingPace {
 public:
  /// Before a read: a pause, when the last ones brought much.
  void rest() const {
    if (is_fast_) std::this_thread::sleep_for(kPause);
  }
  /// What a read has brought. False: more is likely to come at once.
  bool note(std::size_t bytes) {
    bytes_ += bytes;
    empty_reads_ = bytes == 0 ? empty_reads_ + 1 : 0;
    if (empty_reads_ >= kMostEmptyReads) is_fast_ = false;
    const auto now = StreamClock::now();
    const auto elapsed = now - since_;
    if (elapsed >= kWindow) {
      const auto millis = std::chrono::duration_cast<milliseconds>(elapsed).count();
      is_fast_ = bytes_ >= kFastBytesPerMs * static_cast<std::uint64_t>(millis);
      bytes_ = 0;
      since_ = now;
    }
    return bytes == 0 && !is_fast_;
  }

 private:
  static constexpr std::chrono::microseconds kPause{500};
  static constexpr milliseconds kWindow{10};
  static constexpr int kMostEmptyReads = 4;
  static constexpr std::uint64_t kFastBytesPerMs = 4 * 1024;
  bool is_fast_ = false;
  int empty_reads_ = 0;
  std::uint64_t bytes_ = 0;
  StreamClock::time_point since_ = StreamClock::now();
};

class PostgresChangeStream : public connect::ChangeStream {
 public:
  PostgresChangeStream(ConnectionSettings settings, connect::StreamRequest request,
                       StreamNames names)
      : settings_(std::move(settings)),
        names_(std::move(names)),
        is_native_(request.is_native),
        memory_bytes_(request.memory_bytes),
        memory_keep_(request.memory_keep),
        tables_(std::move(request), settings_.changes.ddl_schema, names_.tables, names_.is_own) {}

  Result<void> start(OpContext& context, const Position& from) override {
    pulse_.reset();
    backlog_.reset();
    link_.reset();
    next_link_.reset();
    playback_.reset();
    open_.reset();
    tables_.forget_open();
    tables_.tell_again();
    stored_.reset();
    decoder_ = {};
    has_begin_ = has_sent_begin_ = is_skipped_ = false;
    WHERRY_ASSIGN(const LogPosition position, read_position(from));
    WHERRY_ASSIGN(auto link, ReplicationLink::open(context, settings_));
    WHERRY_ASSIGN(base_, identify_system(context, link->session()));
    WHERRY_TRY(check_position(context, link->session(), position));
    WHERRY_TRY(check_slot(context, link->session(), position));
    WHERRY_ASSIGN(Connection * catalog, open_catalog(context));
    WHERRY_ASSIGN(is_binary_, choose_binary(context, *catalog));
    tables_.expect_form(is_binary_);
    progress_.received = position.lsn;
    progress_.flushed = 0;  // what comes before may be in memory only
    delivered_lsn_ = idle_lsn_ = skip_before_ = position.lsn;
    told_idle_lsn_ = position.lsn;
    next_link_ = std::move(link);
    return go_on(context);
  }

  Result<StreamState> read(OpContext& context, ChangeBatch& out) override {
    if (link_ == nullptr && next_link_ == nullptr) {
      return make_error(ErrorKind::kTransient, "postgres.not_started",
                        "the stream is not connected", "It is started again");
    }
    ++batch_number_;
    OpContext patient = unhurried(context);
    WHERRY_TRY(store());
    WHERRY_TRY(spill_old());
    WHERRY_TRY(play(patient, out));
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
      add_heartbeat(out);
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
    if (link_ == nullptr || StreamClock::now() - last_status_ < kLeastBetweenAsks) return {};
    return send_status(false);
  }

  Result<connect::SourceHead> head(OpContext& context) override {
    WHERRY_ASSIGN(Connection * catalog, open_catalog(context));
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
  /// Transactions that have been open for long make room for others.
  Result<void> spill_old() {
    const auto now = StreamClock::now();
    if (open_ == nullptr || now < next_spill_) return {};
    next_spill_ = now + kSpillInterval;
    return open_->spill_older(now - memory_keep_);
  }

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

  Result<bool> choose_binary(OpContext& context, Connection& catalog) {
    if (needs_text_ || catalog.server_version() < 140000) return false;
    return tables_.can_be_binary(context, catalog);
  }

  /// Begins to read at the last position: with SQL when that is far behind, else through the link.
  Result<void> go_on(OpContext& context) {
    WHERRY_ASSIGN(Connection * catalog, open_catalog(context));
    const wire::Lsn at = std::max(skip_before_, idle_lsn_);
    const std::uint64_t limit = settings_.changes.catch_up_bytes;
    if (limit != 0) {
      WHERRY_ASSIGN(
          const Rows rows,
          catalog->query(context, kStarting, "select pg_catalog.pg_current_wal_flush_lsn()"));
      const wire::Lsn end = parse_lsn(rows.text(0, 0)).value_or(0);
      if (end > at && end - at > limit) {
        WHERRY_TRY(advance_slot(context, *catalog));
        delivered_before_ = delivered_lsn_;
        WHERRY_ASSIGN(backlog_, Backlog::begin(context, settings_, names_.slot, {at, end, limit},
                                               plugin_options(catalog->server_version(), ", ")));
        return {};
      }
    }
    WHERRY_ASSIGN(const milliseconds silence, sender_patience(context, *catalog));
    std::string options = plugin_options(catalog->server_version(), " ");
    if (catalog->server_version() >= 140000) {
      options += ", streaming 'on'";
      WHERRY_ASSIGN(open_, connect::TransactionBuffer::open(
                               {std::filesystem::path(settings_.spill_directory) /
                                    (names_.slot + "-" + base_.system + ".open"),
                                memory_bytes_}));
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
      wal_.data = backlog_->message();
      WHERRY_TRY(take_message(patient, out));
    }
    return std::optional(StreamState::kMore);
  }

  void end_backlog() {
    if (!has_begin_) idle_lsn_ = std::max(idle_lsn_, backlog_->until());
    idle_time_ = server_time_now();
    backlog_.reset();
    awaited_lsn_ = delivered_lsn_ > delivered_before_ ? delivered_lsn_ : 0;
    last_flushed_ = progress_.flushed;
    last_flush_ = StreamClock::now();
  }

  /// Before a walsender begins: until the target has what the backlog held. nullopt: reading goes
  /// on.
  Result<std::optional<StreamState>> await_target(OpContext& context, ChangeBatch& out) {
    add_heartbeat(out);
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
    WHERRY_ASSIGN(Connection * catalog, open_catalog(patient));
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

  Result<Connection*> open_catalog(OpContext& context) {
    if (catalog_ == nullptr || !catalog_->is_reusable() || !catalog_->is_quiet()) {
      catalog_.reset();
      WHERRY_ASSIGN(catalog_, Connection::open(context, settings_));
    }
    return catalog_.get();
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
        WHERRY_TRY(take_message(context, out));
      }
    }
    return {};
  }

  Result<void> take_keepalive() {
    if (!has_begin_ && wal_.end > idle_lsn_) {
      idle_lsn_ = wal_.end;
      idle_time_ = wal_.sent;
      progress_.received = std::max(progress_.received.load(), wal_.end);
    }
    return wal_.wants_reply ? send_status(false) : Result<void>();
  }

  Result<void> take_message(OpContext& context, ChangeBatch& out) {
    if (!decoder_.decode(wal_.data, message_)) {
      return malformed_log(fmt::format("a message '{}' of {} bytes",
                                       wal_.data.empty() ? ' ' : wal_.data[0], wal_.data.size()));
    }
    if (decoder_.is_in_stream()) return take_open(context);
    switch (message_.type) {
      case MessageType::kStreamStop:
        return {};
      case MessageType::kStreamCommit:
        return take_stream_commit(context, out);
      case MessageType::kStreamAbort:
        take_stream_abort();
        return {};
      case MessageType::kBegin:
        has_begin_ = true;
        has_sent_begin_ = false;
        begin_ = {message_.lsn, message_.time, message_.xid};
        // SQL's functions begin at what the slot has confirmed, and may end within a record.
        is_skipped_ = message_.lsn < skip_before_;
        return {};
      case MessageType::kCommit:
        take_commit(out);
        return {};
      case MessageType::kRelation:
        return take_relation(context);
      case MessageType::kInsert:
      case MessageType::kUpdate:
      case MessageType::kDelete:
        return is_skipped_ ? Result<void>() : take_row(context, out);
      case MessageType::kTruncate:
        return is_skipped_ ? Result<void>() : take_truncate(out);
      case MessageType::kOrigin:
      case MessageType::kType:
      case MessageType::kMessage:
        return {};
      default:
        return malformed_log(
            fmt::format("a message '{}' that was not asked for", static_cast<char>(message_.type)));
    }
  }

  /// A message of a transaction that has not ended; its changes wait in open_.
  Result<void> take_open(OpContext& context) {
    switch (message_.type) {
      case MessageType::kStreamStart:
        open_xid_ = message_.xid;
        return {};
      case MessageType::kRelation:
        return take_relation(context);
      case MessageType::kInsert:
      case MessageType::kUpdate:
      case MessageType::kDelete:
        WHERRY_TRY(take_row(context, stored_));
        break;
      case MessageType::kTruncate:
        WHERRY_TRY(take_truncate(stored_));
        break;
      default:
        return {};
    }
    stored_part_ = message_.xid;
    stored_count_ = 0;
    return store();
  }

  /// What stored_ has goes into open_; once more after a disk was full.
  Result<void> store() {
    while (stored_count_ < stored_.changes().size()) {
      WHERRY_TRY(open_->add(open_xid_, stored_part_, stored_, stored_.changes()[stored_count_]));
      ++stored_count_;
    }
    if (!stored_.empty()) stored_.reset();
    stored_count_ = 0;
    return {};
  }

  void take_stream_abort() {
    if (message_.xid != message_.subxid) {
      tables_.tell_again(message_.xid);
      return open_->rollback_part(message_.xid, message_.subxid);
    }
    open_->rollback(message_.xid);
    tables_.end_transaction(message_.xid, false);
  }

  Result<void> take_stream_commit(OpContext& context, ChangeBatch& out) {
    tables_.end_transaction(message_.xid, true);
    begin_ = {message_.lsn, message_.time, message_.xid};
    has_sent_begin_ = false;
    playback_ = open_->commit(message_.xid);
    if (playback_ != nullptr && message_.lsn < skip_before_) playback_.reset();
    if (playback_ == nullptr) {
      take_commit(out);
      return {};
    }
    has_begin_ = true;
    open_transaction(out);
    return play(context, out);
  }

  /// Of a transaction that has committed; its commit is the last message that came.
  Result<void> play(OpContext& context, ChangeBatch& out) {
    while (playback_ != nullptr && !out.is_full()) {
      const std::size_t before = out.changes().size();
      WHERRY_ASSIGN(const bool has_more, playback_->next(out));
      for (std::size_t i = before; i < out.changes().size(); ++i) {
        if (out.changes()[i].ddl != connect::DdlKind::kNewTable) continue;
        WHERRY_TRY(describe_new_table(context, i, out));
      }
      if (has_more) continue;
      playback_.reset();
      take_commit(out);
    }
    return {};
  }

  /// A transaction without a change for us is not told of.
  void open_transaction(ChangeBatch& out) {
    if (has_sent_begin_ || decoder_.is_in_stream()) return;
    has_sent_begin_ = true;
    CommitInfo info;
    info.order = begin_.lsn;
    info.time = to_time_point(begin_.time);
    info.transaction_id = std::to_string(begin_.xid);
    out.add(ChangeKind::kBegin, std::move(info));
  }

  void take_commit(ChangeBatch& out) {
    has_begin_ = false;
    skip_before_ = std::max(skip_before_, message_.end_lsn);
    progress_.received = std::max(progress_.received.load(), message_.end_lsn);
    if (!has_sent_begin_) {
      idle_lsn_ = std::max(idle_lsn_, message_.end_lsn);
      idle_time_ = message_.time;
      return;
    }
    delivered_lsn_ = message_.end_lsn;
    CommitInfo info;
    info.order = message_.lsn;
    info.position = position_at(message_.end_lsn);
    info.time = to_time_point(message_.time);
    info.transaction_id = std::to_string(begin_.xid);
    out.add(ChangeKind::kCommit, std::move(info));
  }

  void add_heartbeat(ChangeBatch& out) {
    // Where the last commit ends is news too: its order is higher than that of the commit, and
    // whoever waits for the end of a quiet log hears nothing else.
    if (has_begin_ || idle_lsn_ < delivered_lsn_ || idle_lsn_ <= told_idle_lsn_) return;
    delivered_lsn_ = told_idle_lsn_ = idle_lsn_;
    CommitInfo info;
    info.order = order_before(idle_lsn_);
    info.position = position_at(idle_lsn_);
    info.time = to_time_point(idle_time_);
    out.add(ChangeKind::kHeartbeat, std::move(info));
  }

  [[nodiscard]] Position position_at(wire::Lsn lsn) const {
    LogPosition out = base_;
    out.lsn = lsn;
    return to_position(out);
  }

  /// The transaction whose changes come now, when it has not ended.
  [[nodiscard]] std::uint32_t open_xid() const { return decoder_.is_in_stream() ? open_xid_ : 0; }

  const connect::RowShape* keep_shape(LogTable& table, ChangeBatch& out) const {
    if (decoder_.is_in_stream()) return table.shape.get();  // open_ learns it at once
    if (table.kept_in_batch != batch_number_) {
      table.kept_in_batch = batch_number_;
      out.keep(table.shape);
    }
    return table.shape.get();
  }

  Result<void> take_relation(OpContext& context) {
    WHERRY_ASSIGN(Connection * catalog, open_catalog(context));
    WHERRY_ASSIGN(const bool is_news, tables_.learn(context, *catalog, message_, open_xid()));
    LogTable& table = *tables_.find(message_.relation, open_xid());
    return note_shape(table, is_news);
  }

  /// It has been learned.
  Result<void> note_shape(LogTable& table, bool is_news) {
    table.kept_in_batch = 0;
    if (table.is_wanted && is_binary_ && !table.is_portable) {
      needs_text_ = true;
      return make_error(ErrorKind::kTransient, "postgres.text_needed",
                        "a column was made whose type has no binary form for others",
                        "The stream is started again, in text form")
          .with("table", to_text(table.shape->definition.table));
    }
    table.is_news = table.is_news || is_news;
    return {};
  }

  /// Before a change of a table: begins the transaction, tells of a shape that is new.
  void prepare_for(LogTable& table, ChangeBatch& out) {
    open_transaction(out);
    if (!table.is_news) return;
    table.is_news = false;
    Change& change = out.add(ChangeKind::kShape);
    change.shape = keep_shape(table, out);
  }

  Result<void> take_row(OpContext& context, ChangeBatch& out) {
    LogTable* table = tables_.find(message_.relation, open_xid());
    if (table == nullptr) return malformed_log("a row of a table that it has not told of");
    if (table->is_audit && message_.type == MessageType::kInsert) {
      return take_ddl(context, *table, out);
    }
    if (!table->is_wanted) return {};
    prepare_for(*table, out);
    const std::byte* copy =
        is_native_ ? out.arena().copy(wal_.data.data(), wal_.data.size()) : nullptr;
    const Cell* before = nullptr;
    const Cell* after = nullptr;
    if (message_.type != MessageType::kInsert && message_.old_kind != 0) {
      const RowForm form = message_.old_kind == 'K' ? RowForm::kKey : RowForm::kBefore;
      WHERRY_ASSIGN(before, make_cells(*table, message_.before, form, copy, out));
    }
    if (message_.type != MessageType::kDelete) {
      WHERRY_ASSIGN(after, make_cells(*table, message_.after, RowForm::kAfter, copy, out));
    }
    Change& change = out.add(message_.type == MessageType::kInsert   ? ChangeKind::kInsert
                             : message_.type == MessageType::kUpdate ? ChangeKind::kUpdate
                                                                     : ChangeKind::kDelete);
    change.shape = keep_shape(*table, out);
    change.before = before;
    change.after = after;
    return {};
  }

  Result<const Cell*> make_cells(const LogTable& table, const std::vector<wire::Field>& fields,
                                 RowForm form, const std::byte* copy, ChangeBatch& out) {
    Cell* cells = out.allocate_cells(table.shape->definition.columns.size());
    const auto bad = tables_.fill(table, fields, form, wal_.data, copy, out.arena(), cells);
    if (!bad) return static_cast<const Cell*>(cells);
    const schema::ColumnDef& column = table.shape->definition.columns.at(*bad);
    return make_error(ErrorKind::kData, "postgres.unreadable_value",
                      "a value of the log is no " + column.native_type + " that is known here",
                      "Please report the column's type and the server's version")
        .with("table", to_text(table.shape->definition.table))
        .with("column", column.name)
        .with("position", lsn_text(wal_.start));
  }

  Result<void> take_truncate(ChangeBatch& out) {
    for (const std::uint32_t relation : message_.relations) {
      LogTable* table = tables_.find(relation, open_xid());
      if (table == nullptr) return malformed_log("a truncated table that it has not told of");
      if (!table->is_wanted) continue;
      prepare_for(*table, out);
      Change& change = out.add(ChangeKind::kTruncate);
      change.shape = keep_shape(*table, out);
      change.cascades = (message_.flags & wire::kTruncateCascades) != 0;
      change.restarts_identity = (message_.flags & wire::kTruncateRestartsIdentity) != 0;
    }
    return {};
  }

  /// A row of awsdms_ddl_audit.
  Result<void> take_ddl(OpContext& context, const LogTable& audit, ChangeBatch& out) {
    const auto record = read_ddl_record(*audit.shape, message_.after);
    if (!record) return malformed_log("a row of DDL");
    open_transaction(out);
    WHERRY_ASSIGN(Connection * catalog, open_catalog(context));
    connect::DdlKind kind = connect::DdlKind::kOther;
    connect::RowShapePtr shape;
    if (record->tag == "DROP TABLE") {
      kind = connect::DdlKind::kDropTable;
      shape = tables_.last_shape(record->oid, record->table);
    } else if (record->tag.starts_with("CREATE TABLE") || record->tag == "SELECT INTO") {
      kind = connect::DdlKind::kNewTable;
      shape = tables_.last_shape(record->oid, record->table);
    } else if (record->definition && tables_.is_published(record->oid, open_xid())) {
      WHERRY_ASSIGN(const bool is_told, take_definition(context, *catalog, *record, out));
      if (is_told) return {};
    }
    if (const LogTable* table = tables_.find(record->oid, open_xid()); table != nullptr && !shape) {
      shape = table->shape;
    }
    Change& change = out.add(ChangeKind::kDdl);
    change.ddl = kind;
    const std::byte* copy = out.arena().copy(record->statement.data(), record->statement.size());
    change.text = {reinterpret_cast<const char*>(copy), record->statement.size()};
    change.shape = shape.get();
    if (shape != nullptr) out.keep(std::move(shape));
    // Of a transaction that runs nobody else sees it yet: play() describes it.
    if (kind != connect::DdlKind::kNewTable || decoder_.is_in_stream()) return {};
    return describe_new_table(context, out.changes().size() - 1, out);
  }

  /// As it is in the catalogue now; one that is gone, or is a partition, is none for the task.
  Result<void> describe_new_table(OpContext& context, std::size_t index, ChangeBatch& out) {
    WHERRY_ASSIGN(Connection * catalog, open_catalog(context));
    WHERRY_TRY(await_visible(context, *catalog));
    Change& change = out.change(index);
    const auto oid = static_cast<std::uint32_t>(change.shape->table_id);
    WHERRY_ASSIGN(connect::RowShapePtr shape,
                  tables_.describe(context, *catalog, oid, settings_.changes.shows_leaves));
    change.shape = shape.get();
    if (shape == nullptr) {
      change.ddl = connect::DdlKind::kOther;
      return {};
    }
    tables_.note_new(oid, shape->source);
    out.keep(std::move(shape));
    return {};
  }

  /// A commit is in the log a moment before other sessions see it (PostgreSQL, CommitTransaction():
  /// the record, then the end in the array of processes, then the locks), and the catalogue must
  /// have what is asked for.
  Result<void> await_visible(OpContext& context, Connection& catalog) {
    if (begin_.xid == visible_xid_) return {};
    const std::array parameters = {std::to_string(begin_.xid)};
    for (;;) {
      WHERRY_ASSIGN(const Rows rows,
                    catalog.query(context, kStarting,
                                  "select from pg_catalog.pg_locks where "
                                  "locktype = 'transactionid' and transactionid = $1::xid",
                                  parameters));
      if (rows.count() == 0) break;
      if (context.stop.stop_requested()) return cancelled_error();
      std::this_thread::sleep_for(kCommitLook);
    }
    visible_xid_ = begin_.xid;
    return {};
  }

  /// What a table of ours has become, before any row of it comes. False: nothing that is news.
  Result<bool> take_definition(OpContext& context, Connection& catalog, const DdlRecord& record,
                               ChangeBatch& out) {
    CatalogTable table = *record.definition;
    if (!decoder_.is_in_stream()) WHERRY_TRY(await_visible(context, catalog));
    WHERRY_ASSIGN(const CatalogTable now, read_catalog_table(context, catalog, record.oid));
    table.keys = keys_as_then(now, table);
    WHERRY_ASSIGN(const bool is_news,
                  tables_.learn(context, catalog, record.oid, table, open_xid()));
    LogTable& known = *tables_.find(record.oid, open_xid());
    WHERRY_TRY(note_shape(known, is_news));
    if (!known.is_news) return false;
    prepare_for(known, out);
    return true;
  }

  struct Begin {
    wire::Lsn lsn = 0;
    wire::ServerTime time = 0;
    std::uint32_t xid = 0;
  };

  const ConnectionSettings settings_;
  const StreamNames names_;
  const bool is_native_;
  const std::uint64_t memory_bytes_;
  const milliseconds memory_keep_;
  LogTables tables_;
  std::unique_ptr<Connection> catalog_;
  LogPosition base_;  ///< system and timeline of all positions
  bool is_binary_ = false;
  bool needs_text_ = false;

  wire::PgoutputDecoder decoder_;
  wire::WalMessage wal_;
  wire::Message message_;
  Begin begin_;
  bool has_begin_ = false;         ///< within a transaction of the log
  bool has_sent_begin_ = false;    ///< and it had a change for us
  bool is_skipped_ = false;        ///< or it is known already
  std::uint32_t visible_xid_ = 0;  ///< its end is seen by other sessions
  wire::Lsn skip_before_ = 0;      ///< commits that begin before it have been delivered
  wire::Lsn delivered_lsn_ = 0;    ///< the last position in any batch
  wire::Lsn idle_lsn_ = 0;         ///< everything before it has come
  wire::Lsn told_idle_lsn_ = 0;    ///< a heartbeat has said so
  wire::ServerTime idle_time_ = 0;
  std::uint64_t batch_number_ = 0;

  // Transactions that have not ended.
  std::unique_ptr<connect::TransactionBuffer> open_;
  std::unique_ptr<connect::TransactionPlayback> playback_;
  std::uint32_t open_xid_ = 0;
  ChangeBatch stored_;  ///< on its way into open_
  std::uint32_t stored_part_ = 0;
  std::size_t stored_count_ = 0;  ///< of its changes that are there

  ReadingPace pace_;
  StreamProgress progress_;
  StreamClock::time_point last_status_, last_ask_, next_spill_;
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
