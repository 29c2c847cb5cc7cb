#include "connect/oracle/changes/change_stream.h"

#include <algorithm>
#include <filesystem>

#include "connect/oracle/catalog.h"
#include "connect/oracle/changes/redo_ddl.h"
#include "connect/oracle/changes/redo_files.h"
#include "connect/oracle/changes/redo_miner.h"
#include "connect/oracle/changes/redo_tables.h"
#include "connect/oracle/changes/rest.h"
#include "connect/oracle/changes/row_images.h"
#include "connect/oracle/changes/source_watch.h"
#include "connect/oracle/logminer/redo_assembler.h"
#include "connect/oracle/logminer/redo_position.h"
#include "connect/oracle/session_pool.h"

namespace wherry::oracle {
namespace {

using connect::ChangeBatch;
using connect::ChangeKind;
using connect::CommitInfo;
using connect::StreamState;
using Clock = std::chrono::steady_clock;

constexpr int kCommitsBetweenFloors = 256;
std::chrono::system_clock::time_point time_of(std::int64_t micros) {
  return std::chrono::system_clock::time_point(std::chrono::microseconds(micros));
}

/// The calls of a step take as long as they take; a stop ends them all the same.
OpContext unhurried(const OpContext& context) {
  OpContext out = context;
  out.deadline = Clock::time_point::max();
  return out;
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
    miner_ = RedoMiner();
    WHERRY_ASSIGN(position_, read_position(from));
    WHERRY_TRY(watch_.connect(context, options_.connect));
    WHERRY_ASSIGN(auto session, open_session(context, options_.connect));
    catalog_ = make_catalog(std::move(session), options_.number_scale);
    WHERRY_ASSIGN(StoredValueContext stored, watch_.stored_values(context));
    stored.regions = &regions_;
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
    ddl_.reset();
    assembler_.reset();  // what it has in the files goes first
    files_.emplace(std::filesystem::path(options_.fetch.spill_directory) /
                   (request_.task_name + ".redo"));
    assembler_.emplace(*files_, request_.memory_bytes);
    for (const auto& [number, thread] : position_.threads) {
      assembler_->begin_at(number, thread.floor);
    }
    order_ = told_scn_ = position_.commit_scn;
    return miner_.start(context, options_.connect, position_);
  }

  Result<StreamState> read(OpContext& context, ChangeBatch& out) override {
    if (!miner_.is_started()) {
      return make_error(ErrorKind::kTransient, "oracle.not_started", "the stream is not connected",
                        "It is started again");
    }
    OpContext patient = unhurried(context);
    for (;;) {
      WHERRY_TRY(tell(patient, out));
      if (out.is_full()) return miner_.reaches_end() ? StreamState::kMore : StreamState::kBacklog;
      if (miner_.is_mining()) {
        WHERRY_TRY(mine(patient));
        if (miner_.is_mining()) continue;
        add_heartbeat(out);
        if (miner_.reaches_end()) return StreamState::kIdle;
        continue;
      }
      const auto now = Clock::now();
      if (now < miner_.next_look()) {
        if (!out.empty() || now >= context.deadline) return StreamState::kIdle;
        rest(context, std::min(miner_.next_look(), context.deadline));
        if (context.stop.stop_requested()) return cancelled_error();
        continue;
      }
      if (!out.empty()) return StreamState::kMore;
      WHERRY_TRY(include_tables(patient));
      WHERRY_ASSIGN(const bool is_mining,
                    miner_.begin_step(patient, position_.floor_scn,
                                      {tables_->owners(), tables_->need_users()}));
      if (!is_mining) add_heartbeat(out);
    }
  }

  Result<void> confirm(OpContext&, const Position&) override { return {}; }

  Result<connect::SourceHead> head(OpContext& context) override {
    const auto open = assembler_ ? assembler_->open() : std::vector<RedoAssembler::Open>();
    WHERRY_ASSIGN(connect::SourceHead out, watch_.head(context, position_, open));
    out.kept_bytes = miner_.kept_bytes();
    return out;
  }

 private:
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

  /// Some rows, until a transaction has ended or the step has.
  Result<void> mine(OpContext& context) {
    while (current_ == nullptr && !ddl_) {
      MinedRow row;
      WHERRY_ASSIGN(const RedoMiner::Next next, miner_.next(context, row));
      if (next == RedoMiner::Next::kEnd) assembler_->end_step();
      if (next == RedoMiner::Next::kBroken) assembler_->break_step();
      if (next != RedoMiner::Next::kRow) return {};
      WHERRY_ASSIGN(auto transaction, assembler_->take(row));
      if (transaction) take(std::move(*transaction));
      if (const MinedRow* const ddl = assembler_->ddl()) take_ddl(*ddl);
    }
    return {};
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
    ddl_ = Ddl{kind,
               std::move(table.owner),
               std::move(table.name),
               row.scn,
               row.thread,
               row.address,
               row.time_micros,
               row.transaction,
               std::string(row.sql_redo)};
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
      add_begin(current_->key, current_->commit_micros, current_->user, out);
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
    std::string sql;
  };

  Result<void> tell_ddl(OpContext& context, ChangeBatch& out) {
    RedoTable* const known = tables_->find(ddl_->owner, ddl_->table);
    RedoTable none;
    RedoTable& table = known != nullptr ? *known : none;
    order_ = std::max(order_, ddl_->scn);
    add_begin(ddl_->key, ddl_->micros, {}, out);
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
    return tables_->redescribe(context, now, table, ddl_->sql,
                               {ddl_->scn, ddl_->thread, ddl_->address}, out);
  }

  /// The SCN first.
  Result<RedoTables::Dictionary> dictionary(OpContext& context) {
    WHERRY_ASSIGN(const std::uint64_t scn, watch_.current_scn(context));
    return RedoTables::Dictionary{*catalog_, scn};
  }

  static void truncate(const RedoTable& table, ChangeBatch& out) {
    if (table.shape == nullptr) return;
    out.keep(table.shape);
    out.add(ChangeKind::kTruncate).shape = table.shape.get();
  }

  void add_begin(const TransactionKey& key, std::int64_t micros, const std::string& user,
                 ChangeBatch& out) const {
    CommitInfo info;
    info.order = order_;
    info.time = time_of(micros);
    info.transaction_id = to_text(key);
    info.user = user;
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
    std::uint64_t floor = miner_.settled_scn();
    const auto open = assembler_->open();
    auto floors = assembler_->floors();
    for (const auto& [number, start] : miner_.starts()) {
      const RedoAddress begin{start.sequence, 0, 0};
      RedoAddress& of = floors[number];
      const bool is_open = std::any_of(
          open.begin(), open.end(),
          [&, thread = number](const RedoAssembler::Open& each) { return each.thread == thread; });
      if (!is_open && of < begin) {
        of = begin;  // the logs before are done with
      } else {
        // The log that a floor lies in must be among those that have SCNs from here on.
        floor = std::min(floor, miner_.last_scn(number).value_or(floor));
      }
      if (!of.is_known()) continue;
      // A begin holds nothing back before its transaction has changes, which lie behind the floor.
      RedoAddress& kept = position_.threads[number].floor;
      of = kept = std::max(kept, of);
      // A step begins at the lowest SCN of all logs that it reads.
      floor = std::min(floor, miner_.first_scn(number, of.sequence).value_or(floor));
    }
    if (!open.empty()) floor = std::min(floor, open.front().first_scn);
    position_.floor_scn = std::max(position_.floor_scn, floor);
    position_.open.clear();
  }

  void add_heartbeat(ChangeBatch& out) {
    if (miner_.settled_scn() <= told_scn_) return;
    told_scn_ = miner_.settled_scn();
    order_ = std::max(order_, told_scn_);
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
  RedoMiner miner_;
  SourceWatch watch_;
  std::unique_ptr<connect::Catalog> catalog_;
  std::optional<RedoTables> tables_;

  std::optional<RedoFiles> files_;
  std::optional<RedoAssembler> assembler_;

  // What is delivered.
  RedoPosition position_;                                  ///< of the last commit or heartbeat
  std::map<std::uint32_t, RedoPosition::Thread> skipped_;  ///< where the stream was started
  std::uint64_t order_ = 0;                                ///< of the last commit or heartbeat
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
