#include "connect/postgres/log_changes.h"

#include <fmt/format.h>

#include <algorithm>

#include "connect/postgres/replication.h"

namespace wherry::postgres {

using connect::ChangeKind;
using connect::CommitInfo;
using wire::MessageType;

namespace {

/// How often is looked for transactions that have been in memory for long.
constexpr std::chrono::milliseconds kSpillInterval{1'000};

}  // namespace

LogChanges::LogChanges(const ConnectionSettings& settings, connect::StreamRequest request,
                       const StreamNames& names, CatalogSession& catalog, StreamProgress& progress)
    : settings_(settings),
      catalog_(catalog),
      progress_(progress),
      is_native_(request.is_native),
      memory_keep_(request.memory_keep),
      tables_(std::move(request), settings.changes.ddl_schema, names.tables, names.is_own) {}

void LogChanges::begin(const LogPosition& from) {
  playback_.reset();
  open_.reset();
  tables_.forget_open();
  tables_.tell_again();
  stored_.reset();
  stored_count_ = 0;
  decoder_ = {};
  has_begin_ = has_sent_begin_ = is_skipped_ = false;
  base_ = from;
  delivered_lsn_ = idle_lsn_ = skip_before_ = from.lsn;
  told_idle_lsn_ = from.lsn;
}

Result<bool> LogChanges::choose_binary(OpContext& context) {
  WHERRY_ASSIGN(Connection * catalog, catalog_.open(context));
  is_binary_ = !needs_text_ && catalog->server_version() >= 140000;
  if (is_binary_) {
    WHERRY_ASSIGN(is_binary_, tables_.can_be_binary(context, *catalog));
  }
  tables_.expect_form(is_binary_);
  return is_binary_;
}

Result<void> LogChanges::go_on(OpContext& context, ChangeBatch& out) {
  ++batch_number_;
  WHERRY_TRY(store());
  WHERRY_TRY(spill_old());
  return play(context, out);
}

Result<void> LogChanges::take(OpContext& context, std::string_view message, wire::Lsn at,
                              ChangeBatch& out) {
  data_ = message;
  at_ = at;
  return take_message(context, out);
}

void LogChanges::pass(wire::Lsn lsn, wire::ServerTime time) {
  if (has_begin_ || lsn <= idle_lsn_) return;
  idle_lsn_ = lsn;
  idle_time_ = time;
  progress_.received = std::max(progress_.received.load(), lsn);
}

/// Transactions that have been open for long make room for others.
Result<void> LogChanges::spill_old() {
  const auto now = std::chrono::steady_clock::now();
  if (open_ == nullptr || now < next_spill_) return {};
  next_spill_ = now + kSpillInterval;
  return open_->spill_older(now - memory_keep_);
}

Result<void> LogChanges::take_message(OpContext& context, ChangeBatch& out) {
  if (!decoder_.decode(data_, message_)) {
    return malformed_log(
        fmt::format("a message '{}' of {} bytes", data_.empty() ? ' ' : data_[0], data_.size()));
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
Result<void> LogChanges::take_open(OpContext& context) {
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
Result<void> LogChanges::store() {
  while (stored_count_ < stored_.changes().size()) {
    WHERRY_TRY(open_->add(open_xid_, stored_part_, stored_, stored_.changes()[stored_count_]));
    ++stored_count_;
  }
  if (!stored_.empty()) stored_.reset();
  stored_count_ = 0;
  return {};
}

void LogChanges::take_stream_abort() {
  if (message_.xid != message_.subxid) {
    tables_.tell_again(message_.xid);
    return open_->rollback_part(message_.xid, message_.subxid);
  }
  open_->rollback(message_.xid);
  tables_.end_transaction(message_.xid, false);
}

Result<void> LogChanges::take_stream_commit(OpContext& context, ChangeBatch& out) {
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
Result<void> LogChanges::play(OpContext& context, ChangeBatch& out) {
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
void LogChanges::open_transaction(ChangeBatch& out) {
  if (has_sent_begin_ || decoder_.is_in_stream()) return;
  has_sent_begin_ = true;
  CommitInfo info;
  info.order = begin_.lsn;
  info.time = to_time_point(begin_.time);
  info.transaction_id = std::to_string(begin_.xid);
  out.add(ChangeKind::kBegin, std::move(info));
}

void LogChanges::take_commit(ChangeBatch& out) {
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

void LogChanges::add_heartbeat(ChangeBatch& out) {
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

Position LogChanges::position_at(wire::Lsn lsn) const {
  LogPosition out = base_;
  out.lsn = lsn;
  return to_position(out);
}

/// The transaction whose changes come now, when it has not ended.
std::uint32_t LogChanges::open_xid() const {
  return decoder_.is_in_stream() ? open_xid_ : 0;
}

const connect::RowShape* LogChanges::keep_shape(LogTable& table, ChangeBatch& out) const {
  if (decoder_.is_in_stream()) return table.shape.get();  // open_ learns it at once
  if (table.kept_in_batch != batch_number_) {
    table.kept_in_batch = batch_number_;
    out.keep(table.shape);
  }
  return table.shape.get();
}

Result<void> LogChanges::take_relation(OpContext& context) {
  WHERRY_ASSIGN(Connection * catalog, catalog_.open(context));
  WHERRY_ASSIGN(const bool is_news, tables_.learn(context, *catalog, message_, open_xid()));
  LogTable& table = *tables_.find(message_.relation, open_xid());
  return note_shape(table, is_news);
}

/// It has been learned.
Result<void> LogChanges::note_shape(LogTable& table, bool is_news) {
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
void LogChanges::prepare_for(LogTable& table, ChangeBatch& out) {
  open_transaction(out);
  if (!table.is_news) return;
  table.is_news = false;
  Change& change = out.add(ChangeKind::kShape);
  change.shape = keep_shape(table, out);
}

Result<void> LogChanges::take_row(OpContext& context, ChangeBatch& out) {
  LogTable* table = tables_.find(message_.relation, open_xid());
  if (table == nullptr) return malformed_log("a row of a table that it has not told of");
  if (table->is_audit && message_.type == MessageType::kInsert) {
    return take_ddl(context, *table, out);
  }
  if (!table->is_wanted) return {};
  prepare_for(*table, out);
  const std::byte* copy = is_native_ ? out.arena().copy(data_.data(), data_.size()) : nullptr;
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

Result<const Cell*> LogChanges::make_cells(const LogTable& table,
                                           const std::vector<wire::Field>& fields, RowForm form,
                                           const std::byte* copy, ChangeBatch& out) {
  Cell* cells = out.allocate_cells(table.shape->definition.columns.size());
  const auto bad = tables_.fill(table, fields, form, data_, copy, out.arena(), cells);
  if (!bad) return static_cast<const Cell*>(cells);
  const schema::ColumnDef& column = table.shape->definition.columns.at(*bad);
  return make_error(ErrorKind::kData, "postgres.unreadable_value",
                    "a value of the log is no " + column.native_type + " that is known here",
                    "Please report the column's type and the server's version")
      .with("table", to_text(table.shape->definition.table))
      .with("column", column.name)
      .with("position", lsn_text(at_));
}

Result<void> LogChanges::take_truncate(ChangeBatch& out) {
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

}  // namespace wherry::postgres
