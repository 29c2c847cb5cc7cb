#include "connect/postgres/apply_lane.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <list>
#include <map>
#include <optional>
#include <set>

#include "connect/postgres/apply_rows.h"
#include "connect/postgres/describe.h"
#include "connect/postgres/pipeline.h"
#include "connect/postgres/row_text.h"

namespace wherry::postgres {
namespace {

using connect::ApplyException;
using connect::ApplyRow;
using connect::ApplyStep;
using connect::Checkpoint;
using connect::StepKind;
using connect::StepReport;

constexpr std::string_view kApplying = "cannot apply changes";
constexpr std::string_view kCommitting = "cannot commit changes";
/// Rows that arrays carry at once; more go through COPY, which is the faster way from here on.
constexpr std::size_t kMostArrayRows = 10'000;
constexpr std::uint64_t kMostArrayBytes = 4 * 1024 * 1024;
/// Above this the rows of one step go through COPY, which streams them.
constexpr std::uint64_t kMostStepBytes = 32 * 1024 * 1024;
/// So many inserted rows are worth the round trips that COPY costs: the server does without arrays
/// and a plan.
constexpr std::size_t kLeastCopiedInserts = 500;
constexpr std::size_t kCopyBytes = 64 * 1024;
constexpr const char* kExceptionsStatement = "wherry_exceptions";

/// Lanes plan for rows found one by one through an index. Where there is none, or where many rows
/// meet, the planner is free.
constexpr const char* kFreePlanner =
    "select pg_catalog.set_config(name, 'on', true) from unnest(array['enable_hashjoin', "
    "'enable_mergejoin', 'enable_seqscan']) name";
constexpr const char* kBoundPlanner =
    "select pg_catalog.set_config(name, 'off', true) from unnest(array['enable_hashjoin', "
    "'enable_mergejoin', 'enable_seqscan']) name";

/// A statement that the session keeps prepared.
struct Prepared {
  Prepared(const NativeApplyTable& of, ApplyStatement made, std::string text)
      : statement(std::move(made)), sql(std::move(text)), encoder(of, statement.fields) {}
  ApplyStatement statement;
  std::string sql;
  std::string name;
  std::string key;
  ArrayEncoder encoder;
  bool is_prepared = false;
  std::shared_ptr<const void> table;  ///< kept alive
};

/// Prepared statements, the ones used last. Names are never used twice.
class StatementCache {
 public:
  explicit StatementCache(std::size_t most) : most_(std::max<std::size_t>(most, 1)) {}

  Prepared* find(const std::string& key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    list_.splice(list_.begin(), list_, found->second);
    return &list_.front();
  }
  Prepared& add(const std::string& key, Prepared prepared) {
    prepared.key = key;
    prepared.name = "wherry_" + std::to_string(next_++);
    list_.push_front(std::move(prepared));
    by_key_[key] = list_.begin();
    return list_.front();
  }
  /// What is too many, but for those that are in use; their names are for DEALLOCATE.
  std::vector<std::string> evict() {
    std::vector<std::string> names;
    while (list_.size() > most_) {
      if (list_.back().is_prepared) names.push_back(list_.back().name);
      by_key_.erase(list_.back().key);
      list_.pop_back();
    }
    return names;
  }
  /// A statement whose preparation was not reached.
  void unprepare(const std::set<std::string>& names) {
    for (Prepared& prepared : list_) {
      if (names.contains(prepared.name)) prepared.is_prepared = false;
    }
  }

 private:
  const std::size_t most_;
  std::list<Prepared> list_;
  std::map<std::string, std::list<Prepared>::iterator> by_key_;
  std::uint64_t next_ = 0;
};

/// What a statement of the pipeline was for.
struct Sent {
  static constexpr std::size_t kNoStep = ~std::size_t{0};
  std::size_t step = kNoStep;
  /// Rows of the step that the statement was given, when it tells which it has found.
  std::vector<std::size_t> numbers;
  bool tells_rows = false;
  bool counts_rows = false;
  std::string prepares;  ///< the statement's name
  bool marks = false;    ///< is the savepoint
};

class PostgresLane final : public connect::TargetApplier {
 public:
  PostgresLane(std::unique_ptr<Connection> connection, LaneSettings settings)
      : connection_(std::move(connection)),
        settings_(std::move(settings)),
        statements_(settings_.statement_cache) {}

  Result<void> begin(OpContext&) override {
    WHERRY_ASSERT(!is_begun_, "one transaction at a time");
    is_begun_ = true;
    has_mark_ = false;
    pending_ = {{"begin", false}};
    return {};
  }

  Result<void> mark(OpContext&) override {
    // Nothing has happened since the one that still waits.
    if (!pending_.empty() && pending_.back().second) return {};
    if (has_mark_) pending_.emplace_back("release savepoint wherry_mark", false);
    pending_.emplace_back("savepoint wherry_mark", true);
    return {};
  }

  Result<void> take_back(OpContext& context) override {
    // Nothing has come after a mark that still waits.
    if (!pending_.empty() && pending_.back().second) return {};
    WHERRY_ASSERT(has_mark_, "mark() goes before take_back()");
    described_.clear();
    return connection_->execute(context, "cannot take changes back",
                                "rollback to savepoint wherry_mark");
  }

  Result<std::vector<StepReport>> execute(OpContext& context,
                                          std::span<const ApplyStep> steps) override {
    WHERRY_ASSERT(is_begun_, "begin() goes before execute()");
    auto done = run(context, steps, /*is_guarded=*/false);
    if (done.ok()) done = drain(context, kApplying);
    if (!done) return fail(context, std::move(done).error(), steps);
    return finish_reports(steps);
  }

  /// In a savepoint of its own, which is taken back: what was deferred stays so.
  Result<void> check(OpContext& context) override {
    WHERRY_ASSERT(is_begun_, "begin() goes before check()");
    WHERRY_TRY(send(context, "savepoint wherry_check"));
    WHERRY_TRY(send(context, "set constraints all immediate"));
    auto checked = drain(context, kCommitting);
    if (!checked) {
      checked = explained(std::move(checked).error(), {});
      const ErrorKind kind = checked.error().kind;
      if (kind == ErrorKind::kTransient || kind == ErrorKind::kCancelled) {
        has_mark_ = false;
        return fail(context, std::move(checked).error(), {});
      }
    }
    WHERRY_TRY(
        connection_->execute(context, "cannot take a check back",
                             "rollback to savepoint wherry_check; release savepoint wherry_check"));
    return checked;
  }

  Result<void> commit(OpContext& context, const Checkpoint& checkpoint,
                      std::span<const ApplyException> exceptions) override {
    WHERRY_ASSERT(is_begun_, "begin() goes before commit()");
    auto done = send_commit(context, checkpoint, exceptions);
    if (done.ok()) done = drain(context, kCommitting);
    if (!done) {
      has_mark_ = false;
      return fail(context, std::move(done).error(), {});
    }
    end(true);
    return {};
  }

  Result<void> rollback(OpContext& context) override {
    const bool is_there = is_begun_ && (pending_.empty() || pending_.front().first != "begin");
    end();
    if (!is_there) return {};
    return connection_->execute(context, "cannot roll back", "rollback");
  }

  Result<connect::ApplyOutcome> apply(OpContext& context, std::span<const ApplyStep> steps,
                                      const Checkpoint& checkpoint) override {
    if (!is_small(steps)) return TargetApplier::apply(context, steps, checkpoint);
    WHERRY_TRY(begin(context));
    auto done = run(context, steps, /*is_guarded=*/true);
    if (done.ok()) done = send_commit(context, checkpoint, {});
    if (done.ok()) done = drain(context, kApplying);
    if (done.ok()) {
      end(true);
      WHERRY_ASSIGN(std::vector<StepReport> reports, finish_reports(steps));
      return connect::ApplyOutcome{true, std::move(reports)};
    }
    const Error error = std::move(done).error();
    const bool may_be_missing = error.native_code == kDivisionByZero;
    if (!may_be_missing) return fail(context, error, steps);
    // A guard, or a trigger's own: the slow way tells, and also which rows.
    WHERRY_TRY(connection_->execute(context, "cannot roll back", "rollback"));
    end();
    return TargetApplier::apply(context, steps, checkpoint);
  }

 private:
  static constexpr std::string_view kDivisionByZero = "22012";

  // --- sending ---

  Result<Pipeline*> pipeline(OpContext& context) {
    if (pipeline_) return &*pipeline_;
    if (context.stop.stop_requested()) return cancelled_error();
    pipeline_.emplace(*connection_);
    sent_.clear();
    std::vector<std::pair<std::string, bool>> pending;
    pending.swap(pending_);
    for (const auto& [sql, marks] : pending) {
      Sent sent;
      sent.marks = marks;
      sent_.push_back(sent);
      WHERRY_TRY(pipeline_->run(context, sql));
    }
    return &*pipeline_;
  }

  Result<void> send(OpContext& context, const std::string& sql, Sent sent = {}) {
    WHERRY_ASSIGN(Pipeline * pipe, pipeline(context));
    sent_.push_back(std::move(sent));
    return pipe->run(context, sql);
  }

  Result<void> prepare(OpContext& context, const std::string& name, const std::string& sql) {
    WHERRY_ASSIGN(Pipeline * pipe, pipeline(context));
    Sent sent;
    sent.prepares = name;
    sent_.push_back(std::move(sent));
    return pipe->prepare(context, name, sql);
  }

  Result<void> send(OpContext& context, Prepared& prepared, bool with_count, Sent sent) {
    if (!prepared.is_prepared) {
      WHERRY_TRY(prepare(context, prepared.name, prepared.sql));
      prepared.is_prepared = true;
    }
    WHERRY_ASSIGN(Pipeline * pipe, pipeline(context));
    sent_.push_back(std::move(sent));
    return pipe->execute(context, prepared.name, prepared.encoder.parameters(with_count));
  }

  /// Waits for all answers.
  Result<void> drain(OpContext& context, std::string_view action) {
    if (!pipeline_) return {};
    auto done = pipeline_->finish(
        context, action, [&](std::size_t at, const auto& answer) { take(sent_[at], answer); });
    const std::optional<std::size_t> failed = pipeline_->failed();
    pipeline_.reset();
    std::set<std::string> unprepared;
    for (std::size_t at = 0; at < sent_.size(); ++at) {
      const bool is_done = done.ok() || (failed && at < *failed);
      if (sent_[at].marks && is_done) has_mark_ = true;
      if (!sent_[at].prepares.empty() && !is_done) unprepared.insert(sent_[at].prepares);
    }
    statements_.unprepare(unprepared);
    for (const std::string& name : unprepared) fixed_.erase(name);
    if (done.ok()) return {};
    Error error = std::move(done).error();
    if (failed && sent_[*failed].step != Sent::kNoStep) {
      error.with("step", std::to_string(sent_[*failed].step));
    }
    return error;
  }

  void take(const Sent& sent, const Pipeline::Answer& answer) {
    if (sent.step == Sent::kNoStep) return;
    StepReport& report = reports_[sent.step];
    if (!sent.tells_rows) {
      if (sent.counts_rows) report.affected_rows += answer.affected_rows();
      return;
    }
    report.affected_rows += static_cast<std::uint64_t>(answer.count());
    std::vector<bool> found(sent.numbers.size(), false);
    for (int r = 0; r < answer.count(); ++r) {
      const std::int64_t number = answer.big_integer(r);
      if (number >= 1 && static_cast<std::size_t>(number) <= found.size()) {
        found[static_cast<std::size_t>(number) - 1] = true;
      }
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (!found[i]) report.missing.push_back(sent.numbers[i]);
    }
  }

  Result<std::vector<StepReport>> finish_reports(std::span<const ApplyStep>) {
    for (StepReport& report : reports_) std::sort(report.missing.begin(), report.missing.end());
    return std::move(reports_);
  }

  // --- steps ---

  static bool is_large(const NativeApplyTable& table, StepKind kind, const RowGroup& group) {
    if (group.has_spilled || group.rows.size() > kMostArrayRows || group.bytes > kMostStepBytes) {
      return true;
    }
    return kind == StepKind::kInsert && group.rows.size() >= kLeastCopiedInserts &&
           !has_text(fields_of(table, kind, group.form));
  }

  /// Whether all of it goes in arrays, by statements that can be guarded.
  static bool is_small(std::span<const ApplyStep> steps) {
    std::uint64_t bytes = 0;
    for (const ApplyStep& step : steps) {
      const bool is_plain = step.kind == StepKind::kInsert || step.kind == StepKind::kUpdate ||
                            step.kind == StepKind::kDelete;
      if (!is_plain) return false;
      if (step.table->native == nullptr) return false;
      const NativeApplyTable& table = native_of(*step.table);
      // Statements of tables without identity have a WITH of their own.
      if (step.kind != StepKind::kInsert && table.identity.empty()) return false;
      for (const RowGroup& group : group_rows(table, step.kind, step.rows)) {
        bytes += group.bytes;
        if (bytes > kMostArrayBytes || is_large(table, step.kind, group)) return false;
        if (step.kind == StepKind::kUpdate && sets_always_identity(table, {group})) return false;
      }
    }
    return true;
  }

  Result<void> run(OpContext& context, std::span<const ApplyStep> steps, bool is_guarded) {
    reports_.assign(steps.size(), {});
    for (const std::string& name : statements_.evict()) {
      WHERRY_TRY(send(context, "deallocate " + name));
    }
    is_guarded_ = is_guarded;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      step_ = i;
      if (steps[i].kind == StepKind::kTruncate) {
        WHERRY_TRY(truncate(context, steps, i));
        continue;
      }
      auto done = run_step(context, steps[i]);
      if (!done) return std::move(done).error().with("step", std::to_string(i));
    }
    return {};
  }

  /// Tables that follow each other are truncated at once: foreign keys may bind them together.
  Result<void> truncate(OpContext& context, std::span<const ApplyStep> steps, std::size_t& i) {
    const ApplyStep& first = steps[i];
    WHERRY_ASSIGN(const NativeTablePtr first_table, native(context, *first.table));
    std::vector<NativeTablePtr> kept = {first_table};
    while (i + 1 < steps.size() && steps[i + 1].kind == StepKind::kTruncate &&
           steps[i + 1].cascades == first.cascades &&
           steps[i + 1].restarts_identity == first.restarts_identity) {
      WHERRY_ASSIGN(NativeTablePtr table, native(context, *steps[++i].table));
      kept.push_back(std::move(table));
    }
    std::vector<const NativeApplyTable*> tables;
    for (const NativeTablePtr& each : kept) tables.push_back(each.get());
    return send(context, truncate_of(tables, first.cascades, first.restarts_identity), of_step());
  }

  /// What the target's description has, or this transaction finds out of a table that has just been
  /// made or changed.
  Result<NativeTablePtr> native(OpContext& context, const connect::ApplyTable& table) {
    if (table.native) return std::static_pointer_cast<const NativeApplyTable>(table.native);
    if (const auto found = described_.find(table.plan); found != described_.end()) {
      return found->second;
    }
    if (!pending_.empty()) WHERRY_TRY(pipeline(context));
    WHERRY_TRY(drain(context, kApplying));
    WHERRY_ASSIGN(const auto made,
                  describe_apply_tables(context, *connection_, {table.plan}, settings_.as_replica,
                                        settings_.refuses_null_characters));
    if (made[0].refused) return *made[0].refused;
    return described_[table.plan] = with_identity(made[0], table.identity);
  }

  Result<void> run_step(OpContext& context, const ApplyStep& step) {
    if (step.kind == StepKind::kDdl) return send(context, step.statement, of_step());
    if (step.rows.empty()) return {};
    WHERRY_ASSIGN(const NativeTablePtr table, native(context, *step.table));
    const bool changes_role = settings_.as_replica && !table->as_replica;
    if (changes_role) WHERRY_TRY(send(context, "set local session_replication_role = 'origin'"));
    WHERRY_TRY(run_rows(context, step, *table));
    if (changes_role) WHERRY_TRY(send(context, "set local session_replication_role = 'replica'"));
    return {};
  }

  Result<void> run_rows(OpContext& context, const ApplyStep& step, const NativeApplyTable& table) {
    StepKind kind = step.kind;
    if (kind == StepKind::kReplace) {
      if (!table.identity.empty()) {
        auto groups = group_rows(table, StepKind::kDelete, step.rows);
        // Nobody asks which of them were there.
        is_silent_ = true;
        auto removed = run_groups(context, step, table, StepKind::kDelete, groups);
        is_silent_ = false;
        WHERRY_TRY(std::move(removed));
      }
      kind = StepKind::kInsert;
    }
    auto groups = group_rows(table, kind, step.rows);
    if (kind == StepKind::kUpdate && sets_always_identity(table, groups)) {
      kind = StepKind::kRekey;
      groups = group_rows(table, kind, step.rows);
    }
    return run_groups(context, step, table, kind, groups);
  }

  /// An UPDATE may not set a column GENERATED ALWAYS AS IDENTITY; an INSERT may.
  static bool sets_always_identity(const NativeApplyTable& table,
                                   const std::vector<RowGroup>& groups) {
    if (table.identity.empty() || table.is_watched) return false;
    return std::any_of(groups.begin(), groups.end(), [&](const RowGroup& group) {
      for (std::size_t i = 0; i < table.columns.size(); ++i) {
        if (group.form.after[i] != '-' && table.columns[i].is_always_identity) return true;
      }
      return false;
    });
  }

  Result<void> run_groups(OpContext& context, const ApplyStep& step, const NativeApplyTable& table,
                          StepKind kind, const std::vector<RowGroup>& groups) {
    if (kind == StepKind::kRekey && !table.is_watched) return rekey(context, step, table, groups);
    for (const RowGroup& group : groups) {
      if (kind != StepKind::kRekey && is_large(table, kind, group)) {
        WHERRY_TRY(run_large(context, step, table, kind, group));
        continue;
      }
      WHERRY_ASSIGN(Prepared * prepared, statement(table, kind, group.form, {}));
      WHERRY_TRY(send_arrays(context, step, *prepared, group,
                             kind == StepKind::kRekey ? 1 : kMostArrayRows));
    }
    return {};
  }

  /// Rows go in pieces, so that neither we nor the server hold many of them.
  Result<void> send_arrays(OpContext& context, const ApplyStep& step, Prepared& prepared,
                           const RowGroup& group, std::size_t most_rows) {
    const bool is_free = prepared.statement.is_free && !is_guarded_;
    if (is_free) WHERRY_TRY(send(context, kFreePlanner));
    const std::size_t mean = static_cast<std::size_t>(group.bytes / group.rows.size()) + 1;
    const std::size_t piece =
        std::clamp<std::size_t>(static_cast<std::size_t>(kMostArrayBytes) / mean, 1, most_rows);
    for (std::size_t from = 0; from < group.rows.size(); from += piece) {
      const auto numbers =
          std::span(group.rows).subspan(from, std::min(piece, group.rows.size() - from));
      const auto problem = prepared.encoder.encode(step.rows, numbers);
      if (problem) return value_error(step, *problem);
      Sent sent = of_step();
      sent.counts_rows = !is_silent_;
      if (prepared.statement.tells_rows && !is_silent_) {
        if (is_guarded_) {
          reports_[step_].affected_rows += numbers.size();
          sent.counts_rows = false;
        } else {
          sent.tells_rows = true;
          sent.numbers.assign(numbers.begin(), numbers.end());
        }
      }
      const bool with_count = is_guarded_ && prepared.statement.tells_rows;
      WHERRY_TRY(send(context, prepared, with_count, std::move(sent)));
    }
    if (is_free) WHERRY_TRY(send(context, kBoundPlanner));
    return {};
  }

  [[nodiscard]] Sent of_step() const {
    Sent sent;
    sent.step = step_;
    return sent;
  }

  /// A shelf: the statement takes rows out into it.
  Result<Prepared*> statement(const NativeApplyTable& table, StepKind kind, const RowForm& form,
                              const std::string& shelf) {
    const std::string key =
        fmt::format("{}/{}/{}/{}/{}/{}", static_cast<const void*>(&table), static_cast<int>(kind),
                    is_guarded_ ? 'g' : '-', form.before, form.after, form.is_flagged);
    if (Prepared* found = statements_.find(key)) return found;
    ApplyStatement made;
    if (!shelf.empty()) {
      made = take_out(table, form, shelf);
    } else if (kind == StepKind::kRekey) {
      made = key_update_of(table, form);
    } else {
      made = statement_of(table, kind, form);
    }
    std::string sql = is_guarded_ && made.tells_rows ? guarded(made) : made.sql;
    Prepared& added = statements_.add(key, Prepared(table, std::move(made), std::move(sql)));
    added.table = table.shared_from_this();
    return &added;
  }

  // --- large steps ---

  /// COPY is no part of a pipeline.
  Result<void> copy(OpContext& context, const std::string& sql, const ApplyStep& step,
                    const std::vector<ApplyField>& fields, const std::vector<std::size_t>& numbers,
                    bool with_number, const NativeApplyTable& table) {
    // What waits (BEGIN, say) goes first.
    if (!pending_.empty()) WHERRY_TRY(pipeline(context));
    WHERRY_TRY(drain(context, kApplying));
    WHERRY_TRY(connection_->begin_copy_in(context, sql));
    RowEncoder encoder = copy_encoder(table, fields, with_number);
    const RowEncoder::Send flush = [&]() -> Result<void> {
      WHERRY_TRY(connection_->send_copy(context, encoder.buffer().view()));
      encoder.buffer().clear();
      return {};
    };
    encoder.buffer().append(wire::kCopyHeader);
    std::vector<Cell> cells(fields.size() + (with_number ? 1 : 0));
    std::size_t number = 0;
    for (const std::size_t r : numbers) {
      ++number;
      fill_copy_row(fields, step.rows[r], with_number ? std::optional(number) : std::nullopt,
                    cells);
      WHERRY_ASSIGN(const auto problem, encoder.put(cells.data(), flush));
      if (problem) {
        const std::size_t field = problem->column - (with_number ? 1 : 0);
        Error error = value_error(step, {{problem->status, fields[field].column}, r});
        WHERRY_TRY(give_up_copy(context));
        return error;
      }
      if (encoder.buffer().size() >= kCopyBytes) WHERRY_TRY(flush());
    }
    encoder.buffer().append(wire::kCopyTrailer);
    WHERRY_TRY(flush());
    WHERRY_ASSIGN(const std::uint64_t copied, connection_->end_copy_in(context));
    if (!with_number) reports_[step_].affected_rows += copied;
    return {};
  }

  /// Ends a COPY whose data is not complete; the server refuses it, and the transaction fails.
  Result<void> give_up_copy(OpContext& context) {
    WHERRY_TRY(connection_->send_copy(context, wire::kCopyTrailer));
    (void)connection_->end_copy_in(context);
    return {};
  }

  static bool has_text(const std::vector<ApplyField>& fields) {
    return std::any_of(fields.begin(), fields.end(), [](const auto& f) { return f.is_text; });
  }

  Result<std::string> fill_stage(OpContext& context, const ApplyStep& step,
                                 const NativeApplyTable& table,
                                 const std::vector<ApplyField>& fields, const RowGroup& group) {
    const std::string stage = fmt::format("pg_temp.wherry_stage_{}", next_stage_++);
    WHERRY_TRY(send(context, make_stage(table, fields, stage), of_step()));
    WHERRY_TRY(copy(context, "copy " + stage + " from stdin (format binary)", step, fields,
                    group.rows, true, table));
    return stage;
  }

  Result<void> run_large(OpContext& context, const ApplyStep& step, const NativeApplyTable& table,
                         StepKind kind, const RowGroup& group) {
    const auto fields = fields_of(table, kind, group.form);
    if (kind == StepKind::kInsert && !has_text(fields)) {
      return copy(context, copy_into(table, group.form), step, fields, group.rows, false, table);
    }
    WHERRY_ASSIGN(const std::string stage, fill_stage(context, step, table, fields, group));
    const ApplyStatement merge = statement_of(table, kind, group.form, stage);
    WHERRY_TRY(send_merge(context, merge, group));
    return send(context, "drop table " + stage);
  }

  Result<void> send_merge(OpContext& context, const ApplyStatement& merge, const RowGroup& group) {
    if (merge.is_free) WHERRY_TRY(send(context, kFreePlanner));
    Sent sent = of_step();
    sent.tells_rows = merge.tells_rows && !is_silent_;
    sent.counts_rows = !is_silent_;
    if (sent.tells_rows) sent.numbers = group.rows;
    WHERRY_TRY(send(context, merge.sql, std::move(sent)));
    if (merge.is_free) WHERRY_TRY(send(context, kBoundPlanner));
    return {};
  }

  // --- rows whose unique keys change ---

  Result<void> rekey(OpContext& context, const ApplyStep& step, const NativeApplyTable& table,
                     const std::vector<RowGroup>& groups) {
    const std::string shelf = fmt::format("pg_temp.wherry_shelf_{}", table.row_oid);
    WHERRY_TRY(send(context, make_shelf(table, shelf), of_step()));
    for (const RowGroup& group : groups) {
      if (!is_large(table, StepKind::kRekey, group)) {
        WHERRY_ASSIGN(Prepared * prepared, statement(table, StepKind::kRekey, group.form, shelf));
        WHERRY_TRY(send_arrays(context, step, *prepared, group, kMostArrayRows));
        continue;
      }
      const auto fields = fields_of(table, StepKind::kRekey, group.form);
      WHERRY_ASSIGN(const std::string stage, fill_stage(context, step, table, fields, group));
      WHERRY_TRY(send_merge(context, take_out(table, group.form, shelf, stage), group));
      WHERRY_TRY(send(context, "drop table " + stage));
    }
    return send(context, put_back(table, shelf), of_step());
  }

  // --- the end ---

  Result<void> send_commit(OpContext& context, const Checkpoint& checkpoint,
                           std::span<const ApplyException> exceptions) {
    if (!pending_.empty() && pending_.back().second) pending_.pop_back();  // nobody goes back to it
    WHERRY_TRY(send_exceptions(context, exceptions));
    WHERRY_ASSIGN(const auto statements, settings_.checkpoints.statements(settings_.lane));
    for (const auto& [name, sql] : statements) WHERRY_TRY(prepare_fixed(context, name, sql));
    WHERRY_ASSIGN(Pipeline * pipe, pipeline(context));
    sent_.resize(sent_.size() + statements.size());
    WHERRY_TRY(settings_.checkpoints.write(context, *pipe, settings_.task_name, settings_.lane,
                                           checkpoint));
    return send(context, "commit");
  }

  Result<void> prepare_fixed(OpContext& context, const std::string& name, const std::string& sql) {
    if (!fixed_.insert(name).second) return {};
    return prepare(context, name, sql);
  }

  Result<void> send_exceptions(OpContext& context, std::span<const ApplyException> exceptions) {
    if (exceptions.empty()) return {};
    std::array<std::vector<std::string>, 4> columns;
    for (const ApplyException& exception : exceptions) {
      columns[0].push_back(exception.target.schema);
      columns[1].push_back(exception.target.name);
      columns[2].push_back(printable(exception.statement));
      columns[3].push_back(printable(exception.error));
    }
    std::vector<std::string> arrays = {settings_.task_name};
    for (const auto& column : columns) arrays.push_back(array_literal(column));
    const std::vector<std::string_view> values(arrays.begin(), arrays.end());
    WHERRY_TRY(
        prepare_fixed(context, kExceptionsStatement,
                      "insert into " + settings_.exceptions_table +
                          " select $1::text, s, t, pg_catalog.timezone('UTC', "
                          "pg_catalog.clock_timestamp()), q, e "
                          "from unnest($2::text::text[], $3::text::text[], $4::text::text[], "
                          "$5::text::text[]) x(s, t, q, e)"));
    WHERRY_ASSIGN(Pipeline * pipe, pipeline(context));
    sent_.emplace_back();
    return pipe->execute(context, kExceptionsStatement, values);
  }

  void end(bool is_committed = false) {
    is_begun_ = has_mark_ = false;
    pending_.clear();
    // What a transaction that is rolled back has made, the next one makes anew.
    if (!is_committed) described_.clear();
  }

  /// Brings the session back to the mark, or out of the transaction.
  Error fail(OpContext& context, Error error, std::span<const ApplyStep> steps) {
    if (pipeline_) {
      // What could not be sent leaves the rest of the pipeline to be read.
      auto drained = drain(context, kApplying);
      if (!drained && error.kind != ErrorKind::kCancelled &&
          drained.error().kind == ErrorKind::kTransient) {
        error = std::move(drained).error();
      }
    }
    error = explained(std::move(error), steps);
    if (error.kind == ErrorKind::kCancelled) {
      end();
      return error;
    }
    // Nothing has been sent since a mark that still waits: the transaction is as the mark has it.
    const bool is_at_mark = !pending_.empty() && pending_.back().second &&
                            PQtransactionStatus(connection_->handle()) != PQTRANS_INERROR;
    if (error.kind != ErrorKind::kTransient && is_at_mark) {
      described_.clear();
      return error;
    }
    if (error.kind != ErrorKind::kTransient && has_mark_) {
      pending_.clear();
      described_.clear();
      if (connection_->execute(context, "cannot roll back", "rollback to savepoint wherry_mark")) {
        return error;
      }
    }
    (void)connection_->execute(context, "cannot roll back", "rollback");
    end();
    return error;
  }

  static Error explained(Error error, std::span<const ApplyStep> steps) {
    for (const ErrorField& field : error.fields) {
      if (field.key != "step") continue;
      const auto step = static_cast<std::size_t>(std::stoul(field.value));
      if (step < steps.size() && steps[step].table != nullptr) {
        error.with("table", to_text(steps[step].table->plan->target));
      }
      break;
    }
    if (error.native_code.starts_with("40") || error.code == "postgres.lock_timeout") {
      error.kind = ErrorKind::kTransient;
      error.code = connect::kTryAgain;
    } else if (error.native_code == "23505") {
      error.code = connect::kDuplicateKey;
      error.hint =
          "ErrorBehavior.ApplyErrorInsertPolicy says what becomes of such rows; compare the tables "
          "with `wherry validate`";
    } else if (error.native_code == "23503") {
      error.hint =
          "Foreign keys are not checked where the user may set session_replication_role: grant "
          "set on parameter session_replication_role, or drop the key on the target";
    }
    return error;
  }

  static Error value_error(const ApplyStep& step, const FieldProblem& found) {
    const schema::TablePlan& plan = *step.table->plan;
    const schema::ColumnPlan& column = plan.columns[found.problem.column];
    const ApplyRow& row = step.rows[found.row];
    const Cell* const after = row.after != nullptr ? row.after : row.before;
    const bool is_after = after[found.problem.column].state == CellState::kUnreadable;
    const Cell* const wrong = is_after || row.before == nullptr ? after : row.before;
    std::string message = message_of(found.problem.status, column, wrong[found.problem.column]);
    Error error = make_error(ErrorKind::kData, code_of(found.problem.status), std::move(message),
                             std::string(hint_of(found.problem.status)));
    error.with("column", column.target_name).with("row", std::to_string(found.row));
    if (!column.target_type.empty()) error.with("column type", column.target_type);
    const Cell* cells = row.before != nullptr ? row.before : row.after;
    if (!plan.key.empty()) error.with_row_data("key", text_of_key(plan, cells));
    return error;
  }

  std::unique_ptr<Connection> connection_;
  const LaneSettings settings_;
  StatementCache statements_;
  /// Tables without a description of their own, as this transaction has them.
  std::map<schema::TablePlanPtr, NativeTablePtr> described_;
  std::set<std::string> fixed_;  ///< names of other statements that are prepared
  std::optional<Pipeline> pipeline_;
  std::vector<Sent> sent_;
  std::vector<StepReport> reports_;
  /// Statements that wait to go with the next ones; true: the savepoint.
  std::vector<std::pair<std::string, bool>> pending_;
  std::size_t step_ = 0;
  std::uint64_t next_stage_ = 0;
  bool is_begun_ = false;
  bool has_mark_ = false;
  bool is_guarded_ = false;
  bool is_silent_ = false;
};

}  // namespace

Result<std::unique_ptr<connect::TargetApplier>> make_lane(OpContext& context,
                                                          std::unique_ptr<Connection> connection,
                                                          LaneSettings settings) {
  // A stale session must not live long after its client; see CheckpointTable.
  std::string sql =
      "set jit = off; set plan_cache_mode = force_generic_plan; set enable_hashjoin = off; "
      "set enable_mergejoin = off; set enable_seqscan = off; set tcp_keepalives_idle = 10; "
      "set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3";
  if (connection->server_version() >= 140000)
    sql += "; set client_connection_check_interval = 1000";
  if (settings.as_replica) sql += "; set session_replication_role = replica";
  WHERRY_TRY(connection->execute(context, "cannot open a lane", sql));
  return std::unique_ptr<connect::TargetApplier>(
      std::make_unique<PostgresLane>(std::move(connection), std::move(settings)));
}

}  // namespace wherry::postgres
