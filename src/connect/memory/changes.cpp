// Changes out of the in-memory database's log. What a stream tells of a row before its change is
// what PostgreSQL's log would: its key when that changes, all of it when there is no key.
#include <algorithm>
#include <map>

#include "connect/memory/roles.h"

namespace wherry::memory {
namespace {

using connect::Change;
using connect::ChangeBatch;
using connect::ChangeKind;
using connect::StreamState;

bool has_same_columns(const schema::TableDef& a, const schema::TableDef& b) {
  return std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                    [](const schema::ColumnDef& x, const schema::ColumnDef& y) {
                      return x.name == y.name && x.type == y.type;
                    });
}

class MemoryStream final : public connect::ChangeStream {
 public:
  MemoryStream(Database& database, ReadOptions options, const connect::StreamRequest& request)
      : database_(database), options_(std::move(options)), slot_(request.task_name) {
    for (const auto& plan : request.tables) tables_[plan->source];
  }

  Result<void> start(OpContext& context, const Position& from) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kStartStream));
    WHERRY_ASSIGN(at_, version_of(from));
    commit_.reset();
    told_ = at_;
    auto known = database_.logged_after(at_);
    if (!known.ok()) return std::move(known).error();
    return {};
  }

  Result<StreamState> read(OpContext& context, ChangeBatch& out) override {
    std::shared_ptr<SpillFile> spill;
    for (;;) {
      WHERRY_TRY(database_.faults().pass(context, Point::kReadChanges, {}, at_));
      if (!commit_) {
        WHERRY_ASSIGN(commit_, database_.logged_after(at_));
        next_ = 0;
        has_begun_ = false;
      }
      if (!commit_) {
        if (!out.empty()) return StreamState::kIdle;
        if (told_ != at_) return heartbeat(out);
        database_.wait_for_version(context, at_);
        if (context.stop.stop_requested()) return cancelled_error();
        if (database_.version() == at_) return StreamState::kIdle;
        continue;
      }
      WHERRY_TRY(tell(out, spill));
      if (out.is_full()) return StreamState::kBacklog;
    }
  }

  Result<void> confirm(OpContext& context, const Position& durable) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kConfirm));
    WHERRY_ASSIGN(const std::uint64_t version, version_of(durable));
    database_.confirm(slot_, version);
    return {};
  }

  Result<connect::SourceHead> head(OpContext& context) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kReadChanges, {}, at_));
    const std::uint64_t version = database_.version();
    connect::SourceHead head;
    head.order = version;
    head.position = position_of(version);
    head.time = std::chrono::system_clock::now();
    return head;
  }

 private:
  struct Told {
    TablePtr as;
    connect::RowShapePtr shape;
  };

  StreamState heartbeat(ChangeBatch& out) {
    out.add(ChangeKind::kHeartbeat, info(at_, std::chrono::system_clock::now()));
    told_ = at_;
    return StreamState::kIdle;
  }

  static connect::CommitInfo begin_info(const LoggedCommit& commit) {
    connect::CommitInfo begin = info(commit.version, commit.time);
    begin.position = {};
    return begin;
  }

  static connect::CommitInfo info(std::uint64_t version,
                                  std::chrono::system_clock::time_point time) {
    connect::CommitInfo commit;
    commit.order = version;
    commit.position = position_of(version);
    commit.time = time;
    commit.transaction_id = std::to_string(version);
    return commit;
  }

  /// Some changes of the commit that is at hand.
  Result<void> tell(ChangeBatch& out, std::shared_ptr<SpillFile>& spill) {
    for (; next_ < commit_->changes.size(); ++next_) {
      if (out.is_full()) return {};
      const LoggedChange& change = commit_->changes[next_];
      const auto found = tables_.find(change.table);
      if (found == tables_.end()) continue;
      if (!has_begun_) out.add(ChangeKind::kBegin, begin_info(*commit_));
      has_begun_ = true;
      learn(found->second, change, out);
      WHERRY_TRY(tell_row(*found->second.shape, change, out, spill));
    }
    if (has_begun_) {
      out.add(ChangeKind::kCommit, info(commit_->version, commit_->time));
      told_ = commit_->version;
    }
    at_ = commit_->version;
    commit_.reset();
    return {};
  }

  void learn(Told& told, const LoggedChange& change, ChangeBatch& out) {
    if (told.as == change.as) return out.keep(told.shape);
    const schema::TableDef& definition = change.as->definition;
    const bool is_first = !told.shape;
    const bool is_same = !is_first && has_same_columns(told.shape->definition, definition);
    told.as = change.as;
    if (is_same) return out.keep(told.shape);
    auto shape = std::make_shared<connect::RowShape>();
    shape->id = connect::new_shape_id();
    shape->source = change.table;
    shape->definition = definition;
    if (const schema::KeyDef* key = definition.row_identity()) {
      for (const std::string& column : key->columns) {
        shape->identity.push_back(static_cast<std::size_t>(definition.find_column(column)));
      }
    } else {
      shape->has_whole_before = true;
    }
    told.shape = shape;
    out.keep(shape);
    if (!is_first) out.add(ChangeKind::kShape).shape = shape.get();
  }

  Result<void> tell_row(const connect::RowShape& shape, const LoggedChange& change,
                        ChangeBatch& out, std::shared_ptr<SpillFile>& spill) {
    const Cell* before = nullptr;
    const Cell* after = nullptr;
    const bool has_new_key =
        change.kind == ChangeKind::kUpdate &&
        std::any_of(shape.identity.begin(), shape.identity.end(),
                    [&](std::size_t i) { return change.before[i] != change.after[i]; });
    if (!change.before.empty() &&
        (change.kind == ChangeKind::kDelete || has_new_key || shape.has_whole_before)) {
      WHERRY_ASSIGN(before, cells(shape, change.before, !shape.has_whole_before, out, spill));
    }
    if (!change.after.empty()) {
      WHERRY_ASSIGN(after, cells(shape, change.after, false, out, spill));
    }
    Change& told = out.add(change.kind);
    told.shape = &shape;
    told.before = before;
    told.after = after;
    return {};
  }

  Result<const Cell*> cells(const connect::RowShape& shape, const Row& row, bool is_key_only,
                            ChangeBatch& out, std::shared_ptr<SpillFile>& spill) {
    Cell* made = out.allocate_cells(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      const CellKind kind = schema::cell_kind_of(shape.definition.columns[i].type);
      const bool can_spill = kind == CellKind::kText || kind == CellKind::kBytes;
      const bool is_key =
          std::find(shape.identity.begin(), shape.identity.end(), i) != shape.identity.end();
      if (is_key_only && !is_key) {
        made[i] = to_cell(Value::null(), kind, out.arena());
        made[i].state = CellState::kUnchanged;
      } else if (can_spill && row[i].bytes.size() > options_.inline_limit_bytes) {
        WHERRY_ASSIGN(made[i], spilled_cell(row[i], kind, options_, out, spill));
      } else {
        made[i] = to_cell(row[i], kind, out.arena());
      }
    }
    return static_cast<const Cell*>(made);
  }

  Database& database_;
  const ReadOptions options_;
  const std::string slot_;
  std::map<schema::TableRef, Told> tables_;
  std::uint64_t at_ = 0;    ///< the version that is told whole
  std::uint64_t told_ = 0;  ///< the last one that a commit or a heartbeat has told
  LoggedCommitPtr commit_;  ///< being told
  std::size_t next_ = 0;
  bool has_begun_ = false;
};

/// Rows as they were when it was made.
class MemoryValues final : public connect::ValueReader {
 public:
  MemoryValues(TablePtr table, connect::CommitOrder order, const connect::ValuesRequest& request)
      : table_(std::move(table)), order_(order) {
    auto shape = std::make_shared<connect::RowShape>();
    shape->id = connect::new_shape_id();
    shape->source = request.source;
    shape->definition = table_->definition;
    shape_ = std::move(shape);
    for (const auto& column : request.key) choose(column, keys_);
    for (const auto& column : request.columns) choose(column, columns_);
  }
  [[nodiscard]] std::size_t key_columns() const { return keys_.size(); }
  [[nodiscard]] connect::CommitOrder order() const override { return order_; }

  Result<void> read(OpContext&, ChangeBatch& out) override {
    for (; next_ < table_->rows.size() && !out.is_full(); ++next_) {
      const Row& row = table_->rows[next_];
      const bool is_null = std::all_of(columns_.begin(), columns_.end(),
                                       [&](std::size_t i) { return row[i].is_null; });
      if (is_null) continue;
      Cell* cells = out.allocate_cells(row.size());
      for (std::size_t i = 0; i < row.size(); ++i) {
        const CellKind kind = schema::cell_kind_of(table_->definition.columns[i].type);
        cells[i] = to_cell(row[i], kind, out.arena());
        if (!is_among(keys_, i) && !is_among(columns_, i)) cells[i].state = CellState::kUnchanged;
      }
      out.keep(shape_);
      Change& change = out.add(ChangeKind::kUpdate);
      change.shape = shape_.get();
      change.after = cells;
    }
    return {};
  }

 private:
  static bool is_among(const std::vector<std::size_t>& list, std::size_t item) {
    return std::find(list.begin(), list.end(), item) != list.end();
  }
  void choose(const connect::ValuesRequest::Column& column, std::vector<std::size_t>& out) {
    const int place = table_->definition.find_column(column.name);
    if (place >= 0) out.push_back(static_cast<std::size_t>(place));
  }

  const TablePtr table_;
  const connect::CommitOrder order_;
  connect::RowShapePtr shape_;
  std::vector<std::size_t> keys_, columns_;
  std::size_t next_ = 0;
};

class MemoryChangeSource final : public connect::ChangeSource {
 public:
  MemoryChangeSource(Database& database, ReadOptions options)
      : database_(database), options_(std::move(options)) {}

  Result<connect::StreamAdvice> examine(OpContext& context,
                                        const connect::StreamRequest& request) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kPrepareStream));
    connect::StreamAdvice advice;
    advice.tables.resize(request.tables.size());
    return advice;
  }

  Result<connect::StreamStart> prepare(OpContext& context,
                                       const connect::StreamRequest& request) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kPrepareStream));
    const std::uint64_t version = database_.keep_log(request.task_name);
    return connect::StreamStart{position_of(version), version, position_of(version), nullptr};
  }

  Result<connect::StreamStart> anchor(OpContext& context, const connect::StreamRequest&) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kPrepareStream));
    const std::uint64_t version = database_.version();
    return connect::StreamStart{position_of(version), version, position_of(version), nullptr};
  }

  Result<std::unique_ptr<connect::ChangeStream>> open(
      OpContext&, const connect::StreamRequest& request) override {
    return std::unique_ptr<connect::ChangeStream>(
        std::make_unique<MemoryStream>(database_, options_, request));
  }

  Result<std::unique_ptr<connect::ValueReader>> read_values(
      OpContext& context, const connect::ValuesRequest& request) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kReadChanges));
    const TablePtr table = database_.find(request.source);
    auto reader = std::make_unique<MemoryValues>(
        table != nullptr ? table : std::make_shared<const Table>(), database_.version(), request);
    if (table != nullptr && reader->key_columns() != request.key.size()) {
      return make_error(ErrorKind::kSchema, "memory.key_changed",
                        "the table has another key by now", "Load the table again")
          .with("table", schema::to_text(request.source));
    }
    return std::unique_ptr<connect::ValueReader>(std::move(reader));
  }

  Result<Position> parse_position(OpContext&, std::string_view text) override {
    Position position{std::string(text)};
    WHERRY_TRY(order_of(position));
    return position;
  }

  Result<connect::CommitOrder> order_of(const Position& position) override {
    return version_of(position);
  }

  Result<void> forget(OpContext& context, const std::string& task_name) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kPrepareStream));
    database_.drop_slot(task_name);
    return {};
  }

 private:
  Database& database_;
  const ReadOptions options_;
};

}  // namespace

std::unique_ptr<connect::ChangeSource> make_change_source(Database& database, ReadOptions options) {
  return std::make_unique<MemoryChangeSource>(database, std::move(options));
}

}  // namespace wherry::memory
