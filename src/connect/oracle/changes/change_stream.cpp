#include "connect/oracle/changes/change_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "connect/oracle/catalog.h"
#include "connect/oracle/changes/log_retention.h"
#include "connect/oracle/changes/open_transactions.h"
#include "connect/oracle/changes/redo_ddl.h"
#include "connect/oracle/changes/redo_files.h"
#include "connect/oracle/changes/redo_tables.h"
#include "connect/oracle/changes/rest.h"
#include "connect/oracle/changes/row_images.h"
#include "connect/oracle/logminer/mining_session.h"
#include "connect/oracle/logminer/redo_assembler.h"
#include "connect/oracle/logminer/redo_position.h"
#include "connect/oracle/logminer/step_border.h"
#include "connect/oracle/session_pool.h"

namespace wherry::oracle {
namespace {

using connect::ChangeBatch;
using connect::ChangeKind;
using connect::CommitInfo;
using connect::StreamState;
using Clock = std::chrono::steady_clock;

/// Between two looks at a log that has nothing new.
constexpr std::chrono::milliseconds kPause{100};
/// At most, after a step; as long as the step took, which the server has read the whole log for.
constexpr std::chrono::milliseconds kMostPause{1'000};
/// The views may tell late that there is redo: so long nothing is mined where they tell of none,
/// and longer where a step takes long.
constexpr std::chrono::milliseconds kMostSkipping{1'000};
constexpr int kSkippedSteps = 10;
/// The archiver tells of a log a little after it was left.
constexpr std::chrono::seconds kArchiverPatience{60};
constexpr int kMostLogTroubles = 10;
constexpr std::chrono::milliseconds kLogTroublePause{1'000};
constexpr int kCommitsBetweenFloors = 256;
/// At logs that go, and at whose transactions are open.
constexpr std::chrono::seconds kBetweenSourceLooks{5};

constexpr const char* kReload = "Load the tables again (--start reload-target)";

std::chrono::system_clock::time_point time_of(std::int64_t micros) {
  return std::chrono::system_clock::time_point(std::chrono::microseconds(micros));
}

/// The calls of a step take as long as they take; a stop ends them all the same.
OpContext unhurried(const OpContext& context) {
  OpContext out = context;
  out.deadline = Clock::time_point::max();
  return out;
}

/// How much redo there is, as far as the views say.
std::vector<std::uint64_t> mark_of(const RedoView& view) {
  std::vector<std::uint64_t> out;
  for (const RedoThread& thread : view.threads) {
    out.insert(out.end(), {thread.number, thread.sequence, thread.last_redo_block,
                           thread.last_redo_scn, thread.is_open ? 1U : 0U});
  }
  return out;
}

/// "-05:30"; 0 for another text.
std::int32_t offset_minutes(const std::string& text) {
  constexpr std::size_t kLength = 6;
  int hours = 0, minutes = 0;
  if (text.size() != kLength) return 0;
  std::from_chars(text.data() + 1, text.data() + 3, hours);
  std::from_chars(text.data() + 4, text.data() + kLength, minutes);
  return text[0] == '-' ? -(hours * 60 + minutes) : hours * 60 + minutes;
}

Error unreadable_log(Error error) {
  error.kind = ErrorKind::kPositionLost;
  error.code = "oracle.log_unreadable";
  error.hint =
      "Bring the log back (RMAN: restore archivelog), or have RMAN look what is there (crosscheck "
      "archivelog all), or load the tables again (--start reload-target)";
  return error;
}

class OracleChangeStream final : public connect::ChangeStream {
 public:
  OracleChangeStream(EndpointOptions options, connect::StreamRequest request,
                     std::shared_ptr<IncludedTables> included)
      : options_(std::move(options)),
        images_(options_),
        request_(std::move(request)),
        history_(request_.state_directory.empty()
                     ? std::filesystem::path()
                     : request_.state_directory / (request_.task_name + ".definitions")),
        included_(std::move(included)) {}

  Result<void> start(OpContext& context, const Position& from) override {
    WHERRY_ASSIGN(position_, read_position(from));
    WHERRY_ASSIGN(miner_, MiningSession::open(context, options_.connect));
    WHERRY_ASSIGN(looker_, open_session(context, options_.connect));
    WHERRY_ASSIGN(auto session, open_session(context, options_.connect));
    catalog_ = make_catalog(std::move(session), options_.number_scale);
    WHERRY_ASSIGN(const RedoView view, miner_->view(context, position_.floor_scn));
    WHERRY_TRY(check_incarnation(view));
    WHERRY_ASSIGN(const StoredValueContext stored, stored_values(context));
    skipped_ = position_.threads;
    WHERRY_TRY(history_.load(position_.database_id, position_.load_scn));
    tables_.emplace(request_, images_, stored, history_);
    WHERRY_ASSIGN(const RedoTables::Dictionary now, dictionary(context));
    WHERRY_TRY(tables_->describe(context, now, [&](const DefinitionVersion::Place& place) {
      return is_delivered(place.scn, place.thread, place.address);
    }));
    known_included_ = 0;
    current_ = nullptr;
    piece_ = nullptr;
    assembler_.reset();  // what it has in the files goes first
    files_.emplace(std::filesystem::path(options_.fetch.spill_directory) /
                   (request_.task_name + ".redo"));
    assembler_.emplace(*files_, request_.memory_bytes);
    start_ = {{}, position_.floor_scn};
    for (const auto& [number, thread] : position_.threads) {
      assembler_->begin_at(number, thread.floor);
      start_.threads[number] = {thread.floor.sequence, 0};
    }
    last_scns_.clear();
    for (const auto& thread : position_.threads) last_scns_[thread.first] = position_.floor_scn;
    order_ = told_scn_ = position_.commit_scn;
    settled_scn_ = last_end_scn_ = earlier_end_scn_ = 0;
    border_ = {};
    is_mining_ = false;
    log_troubles_ = 0;
    missing_since_.reset();
    mark_.clear();
    return {};
  }

  Result<StreamState> read(OpContext& context, ChangeBatch& out) override {
    if (miner_ == nullptr) {
      return make_error(ErrorKind::kTransient, "oracle.not_started", "the stream is not connected",
                        "It is started again");
    }
    OpContext patient = unhurried(context);
    for (;;) {
      WHERRY_TRY(tell(patient, out));
      if (out.is_full()) return plan_.reaches_end ? StreamState::kMore : StreamState::kBacklog;
      if (is_mining_) {
        WHERRY_TRY(mine(patient));
        if (is_mining_) continue;
        add_heartbeat(out);
        if (plan_.reaches_end) return StreamState::kIdle;
        continue;
      }
      const auto now = Clock::now();
      if (now < next_look_) {
        if (!out.empty() || now >= context.deadline) return StreamState::kIdle;
        rest(context, std::min(next_look_, context.deadline));
        if (context.stop.stop_requested()) return cancelled_error();
        continue;
      }
      if (!out.empty()) return StreamState::kMore;
      WHERRY_TRY(begin_step(patient));
      if (!is_mining_) add_heartbeat(out);
    }
  }

  Result<void> confirm(OpContext&, const Position&) override { return {}; }

  Result<connect::SourceHead> head(OpContext& context) override {
    WHERRY_ASSIGN(
        const auto rows,
        looker_->rows(context,
                      "select to_char(current_scn), to_char(round((cast(sys_extract_utc("
                      "systimestamp) as date) - date '1970-01-01') * 86400)) from v$database"));
    const auto number = [&](std::size_t column) {
      std::uint64_t out = 0;
      const std::string text = rows.at(0).at(column).value_or("");
      std::from_chars(text.data(), text.data() + text.size(), out);
      return out;
    };
    connect::SourceHead out;
    out.order = number(0);
    RedoPosition end = position_;
    end.commit_scn = out.order;
    out.position = to_position(end);
    out.time = std::chrono::system_clock::time_point(std::chrono::seconds(number(1)));
    out.kept_bytes = kept_bytes_;
    WHERRY_TRY(look_at_source(context));
    out.bytes_until_lost = bytes_until_lost_;
    out.open = open_transactions();
    return out;
  }

 private:
  /// What changes slowly, or costs the source more than a moment.
  Result<void> look_at_source(OpContext& context) {
    const auto now = Clock::now();
    if (now >= next_source_look_) {
      next_source_look_ = now + kBetweenSourceLooks;
      WHERRY_ASSIGN(bytes_until_lost_, bytes_until_lost(context, *looker_, position_));
    }
    std::map<TransactionKey, std::string> sessions;
    bool is_known = true;
    for (const RedoAssembler::Open& each : assembler_->open()) {
      const auto known = sessions_.find(each.key);
      is_known = is_known && known != sessions_.end();
      sessions[each.key] = known == sessions_.end() ? "" : known->second;
    }
    sessions_ = std::move(sessions);
    if (is_known) return {};
    const auto open = list_open_transactions(context, *looker_);
    if (!open) return {};  // a right that is not needed for more than this was taken away
    for (const OpenTransaction& each : *open) {
      const auto place = sessions_.find(each.key);
      if (place != sessions_.end()) place->second = each.session;
    }
    return {};
  }

  [[nodiscard]] std::vector<connect::OpenTransaction> open_transactions() const {
    constexpr std::size_t kMost = 10;
    std::vector<connect::OpenTransaction> out;
    for (const RedoAssembler::Open& each : assembler_->open()) {
      if (out.size() == kMost) break;
      const auto session = sessions_.find(each.key);
      out.push_back({to_text(each.key), session == sessions_.end() ? "" : session->second,
                     time_of(each.begun_micros), each.change_count});
    }
    return out;
  }

  Result<StoredValueContext> stored_values(OpContext& context) {
    StoredValueContext out;
    out.regions = &regions_;
    out.database_charset = looker_->server().database_charset;
    out.national_charset = looker_->server().national_charset;
    // A pluggable database may have another character set than the root that was logged in to.
    WHERRY_ASSIGN(const auto charsets,
                  looker_->rows(context,
                                "select parameter, value from nls_database_parameters where "
                                "parameter in ('NLS_CHARACTERSET', 'NLS_NCHAR_CHARACTERSET')"));
    for (const TextRow& row : charsets) {
      const auto id = charset_id(row.at(1).value_or(""));
      if (id) (row[0] == "NLS_CHARACTERSET" ? out.database_charset : out.national_charset) = *id;
    }
    WHERRY_ASSIGN(const auto rows, looker_->rows(context, "select dbtimezone from dual"));
    const std::string zone = rows.at(0).at(0).value_or("");
    if (const auto region = wire::region_id(zone)) {
      out.database_zone.kind = wire::ZoneField::Kind::kRegion;
      out.database_zone.region_id = *region;
    } else {
      out.database_zone.offset_minutes = offset_minutes(zone);
    }
    return out;
  }

  Result<void> check_incarnation(const RedoView& view) {
    if (view.database_id != position_.database_id) {
      return make_error(ErrorKind::kPositionLost, "oracle.other_database",
                        fmt::format("the position is of another database (DBID {}, not {})",
                                    position_.database_id, view.database_id),
                        kReload);
    }
    if (view.resetlogs_scn != position_.resetlogs_scn) {
      return make_error(ErrorKind::kPositionLost, "oracle.other_incarnation",
                        fmt::format("the database was opened with RESETLOGS at SCN {} since the "
                                    "task was last here",
                                    view.resetlogs_scn),
                        kReload);
    }
    return {};
  }

  // Steps.

  Result<void> begin_step(OpContext& context) {
    WHERRY_ASSIGN(const RedoView view, miner_->view(context, position_.floor_scn));
    WHERRY_TRY(check_incarnation(view));
    next_look_ = Clock::now() + kPause;
    auto mark = mark_of(view);
    if (plan_.reaches_end && mark == mark_ && Clock::now() < mine_by_) {
      settle(written_scn(view), true);
      return {};
    }
    plan_ = plan_mining(view, start_, sizer_.budget_bytes());
    if (plan_.logs.empty()) return await_log(view);
    missing_since_.reset();
    mark_ = std::move(mark);
    note_logs(view);
    step_begun_ = Clock::now();
    is_mining_ = true;
    border_.begin_step(plan_.next);
    WHERRY_TRY(include_tables(context));
    const auto begun = miner_->begin(context, plan_, tables_->owners());
    return begun.ok() ? Result<void>() : take_trouble(context, begun.error());
  }

  /// What commits at them after they were taken in is not in the steps before.
  Result<void> include_tables(OpContext& context) {
    for (const schema::TablePlanPtr& plan :
         included_->behind(request_.task_name, known_included_)) {
      WHERRY_ASSIGN(const RedoTables::Dictionary now, dictionary(context));
      WHERRY_TRY(tables_->include(context, now, plan));
      ++known_included_;
    }
    return {};
  }

  /// Nothing can be read: there is nothing new, or a log is missing.
  Result<void> await_log(const RedoView& view) {
    if (!plan_.missing) {
      settle(written_scn(view), true);
      return {};
    }
    const auto now = Clock::now();
    if (!missing_since_) missing_since_ = now;
    const bool is_over = plan_.missing->is_deleted || now - *missing_since_ > kArchiverPatience;
    return is_over ? Result<void>(missing_log_error(*plan_.missing)) : Result<void>();
  }

  /// Some rows, until a transaction has ended or the step has.
  Result<void> mine(OpContext& context) {
    while (current_ == nullptr && !ddl_) {
      MinedRow row;
      const auto has_row = miner_->next(context, row);
      if (!has_row) return take_trouble(context, has_row.error());
      if (!*has_row) {
        end_step();
        return {};
      }
      if (border_.defers(row)) continue;
      std::uint64_t& last_scn = last_scns_[row.thread];
      last_scn = std::max(last_scn, row.scn);
      WHERRY_ASSIGN(auto transaction, assembler_->take(row));
      if (transaction) take(std::move(*transaction));
      if (const MinedRow* const ddl = assembler_->ddl()) take_ddl(*ddl);
    }
    return {};
  }

  void end_step() {
    is_mining_ = false;
    log_troubles_ = 0;
    assembler_->end_step();
    for (const auto& next : border_.end_step()) {
      start_.threads.insert_or_assign(next.first, next.second);
    }
    if (border_.has_deferred()) mark_.clear();
    const auto now = Clock::now();
    const auto took = now - step_begun_;
    sizer_.note(plan_.size_bytes, took);
    next_look_ = now;
    if (plan_.reaches_end) {
      next_look_ += std::clamp<Clock::duration>(took, kPause, kMostPause);
      mine_by_ = now + std::max<Clock::duration>(kMostSkipping, kSkippedSteps * took);
    }
    settle(plan_.end_scn, plan_.reaches_end);
  }

  /// What has come counts, and the logs are looked for again.
  Result<void> take_trouble(OpContext& context, const Error& error) {
    if (error.code != "oracle.log_changed") return error;
    is_mining_ = false;
    border_.break_step();
    assembler_->break_step();
    mark_.clear();
    if (++log_troubles_ >= kMostLogTroubles) return unreadable_log(error);
    context.log.info("a log was changed while it was read", {{"cause", error.to_log_text()}});
    next_look_ = log_troubles_ > 1 ? Clock::now() + kLogTroublePause : Clock::now();
    return {};
  }

  /// A step has ended. Where it ended at the end of the log, a commit of just before may not have
  /// been written yet, and what the step after it has seen last comes with the one after that.
  void settle(std::uint64_t end_scn, bool is_at_end_of_log) {
    settled_scn_ = std::max(settled_scn_, is_at_end_of_log ? earlier_end_scn_ : end_scn);
    earlier_end_scn_ = last_end_scn_;
    last_end_scn_ = std::max(last_end_scn_, end_scn);
  }

  void note_logs(const RedoView& view) {
    std::uint64_t out = 0;
    first_scns_.clear();
    for (const RedoLog& log : view.logs) {
      first_scns_[{log.thread, log.sequence}] = log.first_scn;
      if (log.next_scn > position_.floor_scn && !log.is_deleted && !log.is_online) {
        out += log.size_bytes;
      }
    }
    kept_bytes_ = out;
  }

  // Transactions.

  /// In the load, or delivered before.
  [[nodiscard]] bool is_delivered(std::uint64_t scn, std::uint32_t thread,
                                  const RedoAddress& address) const {
    if (scn <= position_.load_scn) return true;
    const auto found = skipped_.find(thread);
    return found != skipped_.end() && address <= found->second.commit;
  }

  void take(RedoTransaction&& transaction) {
    if (is_delivered(transaction.commit_scn, transaction.thread, transaction.commit_address)) {
      return;
    }
    const bool is_wanted = std::any_of(transaction.changes.begin(), transaction.changes.end(),
                                       [&](const RedoChange& each) {
                                         return tables_->find(each.owner, each.table) != nullptr;
                                       }) ||
                           std::any_of(transaction.problems.begin(), transaction.problems.end(),
                                       [&](const RedoTableProblem& each) {
                                         return tables_->find(each.owner, each.table) != nullptr;
                                       });
    if (!is_wanted && transaction.spilled.empty()) return;
    current_ = std::make_shared<RedoTransaction>(std::move(transaction));
    next_spilled_ = 0;
    piece_ = nullptr;
    has_begun_ = false;
  }

  void take_ddl(const MinedRow& row) {
    if (is_delivered(row.scn, row.thread, row.address) || row.info.starts_with("INTERNAL")) return;
    const RedoDdl kind = classify_ddl(row.sql_redo);
    DdlTable table{std::string(row.owner), std::string(row.table)};
    if (kind == RedoDdl::kRename) {
      const auto named = table_of_ddl(row.sql_redo);
      if (!named) return;
      table.name = named->name;
      if (!named->owner.empty()) table.owner = named->owner;
    }
    const bool is_known = tables_->find(table.owner, table.name) != nullptr;
    if (kind == RedoDdl::kNone || (!is_known && kind != RedoDdl::kCreate)) return;
    ddl_ = Ddl{kind,        std::move(table.owner), std::move(table.name), row.scn, row.thread,
               row.address, row.time_micros,        row.transaction};
  }

  /// Until the batch is full.
  Result<void> tell(OpContext& context, ChangeBatch& out) {
    if (current_ != nullptr) WHERRY_TRY(tell_transaction(context, out));
    if (current_ == nullptr && ddl_) WHERRY_TRY(tell_ddl(context, out));
    return {};
  }

  Result<void> tell_transaction(OpContext& context, ChangeBatch& out) {
    if (!has_begun_) {
      order_ = std::max(order_, current_->commit_scn);
      add_begin(current_->key, current_->commit_micros, out);
      has_begun_ = true;
    }
    for (;;) {
      for (; piece_ != nullptr && next_change_ < piece_->size(); ++next_change_) {
        if (out.is_full()) return {};
        WHERRY_TRY(tables_->add(context, {piece_, next_change_, current_->commit_scn}, out));
      }
      WHERRY_ASSIGN(const bool has_more, next_piece());
      if (!has_more) break;
    }
    for (const RedoTableProblem& problem : current_->problems) {
      if (RedoTable* table = tables_->find(problem.owner, problem.table)) {
        RedoTables::give_up(*table, problem.reason, out);
      }
    }
    add_commit({current_->key, current_->thread, current_->commit_address, current_->commit_micros},
               out);
    current_ = nullptr;
    piece_ = nullptr;
    return {};
  }

  /// The next changes of current_, those on disk first; false: that was all.
  Result<bool> next_piece() {
    if (next_spilled_ > current_->spilled.size()) return false;
    next_change_ = 0;
    if (next_spilled_ == current_->spilled.size()) {
      piece_ = std::make_shared<const std::vector<RedoChange>>(std::move(current_->changes));
    } else {
      WHERRY_ASSIGN(auto changes, load(current_->spilled[next_spilled_]));
      piece_ = std::make_shared<const std::vector<RedoChange>>(std::move(changes));
      current_->spilled[next_spilled_].chunk = nullptr;
    }
    ++next_spilled_;
    return true;
  }

  struct Ddl {
    RedoDdl kind = RedoDdl::kNone;
    std::string owner, table;
    std::uint64_t scn = 0;
    std::uint32_t thread = 0;
    RedoAddress address;
    std::int64_t micros = 0;
    TransactionKey key;
  };

  Result<void> tell_ddl(OpContext& context, ChangeBatch& out) {
    RedoTable* const known = tables_->find(ddl_->owner, ddl_->table);
    RedoTable none;
    RedoTable& table = known != nullptr ? *known : none;
    order_ = std::max(order_, ddl_->scn);
    add_begin(ddl_->key, ddl_->micros, out);
    switch (ddl_->kind) {
      case RedoDdl::kNone:
        break;
      case RedoDdl::kTruncate:
        truncate(table, out);
        break;
      case RedoDdl::kDefinition:
        WHERRY_TRY(redescribe(context, table, out));
        break;
      case RedoDdl::kDrop:
        WHERRY_TRY(redescribe(context, table, out));
        if (table.shape != nullptr) truncate(table, out);  // it was made again since
        break;
      case RedoDdl::kCreate:
        WHERRY_TRY(tables_->tell_new(context, *catalog_, {ddl_->owner, ddl_->table}, out));
        break;
      case RedoDdl::kRename:
        RedoTables::give_up(table, "the source's table was renamed, which is not followed", out);
        break;
      case RedoDdl::kPartition:
        RedoTables::give_up(table, "a partition's rows came or went by a statement of DDL", out);
        break;
      case RedoDdl::kFlashback:
        RedoTables::give_up(table, "the source's table was set back to an earlier time", out);
        break;
    }
    add_commit({ddl_->key, ddl_->thread, ddl_->address, ddl_->micros}, out);
    ddl_.reset();
    return {};
  }

  Result<void> redescribe(OpContext& context, RedoTable& table, ChangeBatch& out) {
    WHERRY_ASSIGN(const RedoTables::Dictionary now, dictionary(context));
    return tables_->redescribe(context, now, table, {ddl_->scn, ddl_->thread, ddl_->address}, out);
  }

  /// The SCN first.
  Result<RedoTables::Dictionary> dictionary(OpContext& context) {
    WHERRY_ASSIGN(const auto rows,
                  looker_->rows(context, "select to_char(current_scn) from v$database"));
    std::uint64_t scn = 0;
    const std::string text = rows.at(0).at(0).value_or("");
    std::from_chars(text.data(), text.data() + text.size(), scn);
    return RedoTables::Dictionary{*catalog_, scn};
  }

  static void truncate(const RedoTable& table, ChangeBatch& out) {
    if (table.shape == nullptr) return;
    out.keep(table.shape);
    out.add(ChangeKind::kTruncate).shape = table.shape.get();
  }

  void add_begin(const TransactionKey& key, std::int64_t micros, ChangeBatch& out) const {
    CommitInfo info;
    info.order = order_;
    info.time = time_of(micros);
    info.transaction_id = to_text(key);
    out.add(ChangeKind::kBegin, std::move(info));
  }

  struct Commit {
    TransactionKey key;
    std::uint32_t thread = 0;
    RedoAddress address;
    std::int64_t micros = 0;
  };
  void add_commit(const Commit& commit, ChangeBatch& out) {
    if (--commits_until_floors_ <= 0) move_floors();
    RedoPosition::Thread& thread = position_.threads[commit.thread];
    if (!thread.floor.is_known()) thread.floor = assembler_->floors()[commit.thread];
    thread.commit = std::max(thread.commit, commit.address);
    position_.commit_scn = order_;
    CommitInfo info;
    info.order = order_;
    info.position = to_position(position_);
    info.time = time_of(commit.micros);
    info.transaction_id = to_text(commit.key);
    out.add(ChangeKind::kCommit, std::move(info));
  }

  /// What must be read again after a restart becomes less as transactions end.
  void move_floors() {
    commits_until_floors_ = kCommitsBetweenFloors;
    std::uint64_t floor = settled_scn_;
    const auto open = assembler_->open();
    auto floors = assembler_->floors();
    for (const auto& [number, start] : start_.threads) {
      const RedoAddress begin{start.sequence, 0, 0};
      RedoAddress& of = floors[number];
      const bool is_open = std::any_of(
          open.begin(), open.end(),
          [&, thread = number](const RedoAssembler::Open& each) { return each.thread == thread; });
      if (!is_open && of < begin) {
        of = begin;  // the logs before are done with
      } else if (const auto last = last_scns_.find(number); last != last_scns_.end()) {
        // The log that a floor lies in must be among those that have SCNs from here on.
        floor = std::min(floor, last->second);
      }
      if (!of.is_known()) continue;
      position_.threads[number].floor = of;
      const auto log = first_scns_.find({number, of.sequence});
      if (log != first_scns_.end()) floor = std::min(floor, log->second);
    }
    if (!open.empty()) floor = std::min(floor, open.front().first_scn);
    position_.floor_scn = std::max(position_.floor_scn, floor);
    position_.open.clear();
  }

  void add_heartbeat(ChangeBatch& out) {
    if (settled_scn_ <= told_scn_) return;
    told_scn_ = settled_scn_;
    order_ = std::max(order_, settled_scn_);
    move_floors();
    position_.commit_scn = order_;
    CommitInfo info;
    info.order = order_;
    info.position = to_position(position_);
    info.time = std::chrono::system_clock::now();
    out.add(ChangeKind::kHeartbeat, std::move(info));
  }

  const EndpointOptions options_;
  RowImages images_;
  wire::RegionTable regions_;
  const connect::StreamRequest request_;
  DefinitionHistory history_;
  const std::shared_ptr<IncludedTables> included_;
  std::size_t known_included_ = 0;
  std::unique_ptr<MiningSession> miner_;
  std::unique_ptr<Session> looker_;  ///< for what is asked while the miner fetches
  std::unique_ptr<connect::Catalog> catalog_;
  std::optional<RedoTables> tables_;

  // The log.
  MiningStart start_;
  MiningPlan plan_;  ///< of the step in work, or of the last one
  StepSizer sizer_;
  bool is_mining_ = false;
  int log_troubles_ = 0;  ///< since a step came to its end
  Clock::time_point step_begun_, next_look_, mine_by_;
  std::optional<Clock::time_point> missing_since_;
  std::vector<std::uint64_t> mark_;  ///< of the views, at the last step
  StepBorder border_;
  std::map<std::uint32_t, std::uint64_t> last_scns_;  ///< by thread, the highest that was read
  /// Of logs, by thread and sequence: a step begins at the lowest of those that it reads.
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> first_scns_;
  Clock::time_point next_source_look_;
  std::optional<std::uint64_t> bytes_until_lost_;
  std::map<TransactionKey, std::string> sessions_;  ///< of those that are open
  std::uint64_t kept_bytes_ = 0;                    ///< of archived logs that a restart needs
  std::optional<RedoFiles> files_;
  std::optional<RedoAssembler> assembler_;

  // What is delivered.
  RedoPosition position_;                                  ///< of the last commit or heartbeat
  std::map<std::uint32_t, RedoPosition::Thread> skipped_;  ///< where the stream was started
  std::uint64_t order_ = 0;                                ///< of the last commit or heartbeat
  std::uint64_t settled_scn_ = 0;                          ///< all commits at or below it have come
  std::uint64_t earlier_end_scn_ = 0;                      ///< of the step before the last
  std::uint64_t last_end_scn_ = 0;                         ///< of the last step
  std::uint64_t told_scn_ = 0;                             ///< a heartbeat has told it
  int commits_until_floors_ = 0;
  std::shared_ptr<RedoTransaction> current_;  ///< in work
  std::size_t next_spilled_ = 0;              ///< of its pieces; the last is what was in memory
  std::shared_ptr<const std::vector<RedoChange>> piece_;
  std::size_t next_change_ = 0;  ///< of piece_
  bool has_begun_ = false;
  std::optional<Ddl> ddl_;  ///< behind current_
};

}  // namespace

std::unique_ptr<connect::ChangeStream> make_change_stream(
    EndpointOptions options, connect::StreamRequest request,
    std::shared_ptr<IncludedTables> included) {
  return std::make_unique<OracleChangeStream>(std::move(options), std::move(request),
                                              std::move(included));
}

}  // namespace wherry::oracle
