#include "engine/segment.h"

#include <thread>

#include "core/batch_pool.h"
#include "core/bounded_queue.h"
#include "core/failpoint.h"
#include "engine/character_pass.h"
#include "engine/guarded.h"
#include "engine/lob_limit.h"
#include "engine/made_rows.h"
#include "engine/row_errors.h"
#include "engine/row_sieve.h"

namespace wherry::engine {
namespace {

using Clock = std::chrono::steady_clock;

/// Adds the time of its own life to a counter.
class Stopwatch {
 public:
  explicit Stopwatch(std::atomic<std::int64_t>& total) : total_(total), start_(Clock::now()) {}
  ~Stopwatch() { total_ += (Clock::now() - start_).count(); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  std::atomic<std::int64_t>& total_;
  Clock::time_point start_;
};

/// What reader and writer share. The reader's end is told by closing the queue; `failure` is its
/// error and is read only after the reader thread was joined.
struct Pipe {
  explicit Pipe(const LoadOptions& options)
      : pool(options.batches_per_segment, options.batch_bytes, options.batch_rows),
        queue(options.batches_per_segment) {}
  BatchPool pool;
  BoundedQueue<BatchHandle> queue;
  std::optional<Error> failure;
};

/// The reading half; `chunks` and the counts are its own until the thread has ended.
class SegmentReader {
 public:
  SegmentReader(const SegmentJob& job, TableProgress& table, Pipe& pipe, SegmentOutcome& outcome)
      : job_(job),
        plan_(schema::read_plan(job.plan)),
        sieve_(RowSieve::make(*plan_, RowSieve::Unreadable::kRefused)),
        table_(table),
        pipe_(pipe),
        outcome_(outcome) {}

  /// `chunk` is in the outcome already.
  Result<void> read_all(OpContext& context, const connect::Chunk* chunk) {
    if (plan_ != job_.plan) {
      WHERRY_ASSIGN(maker_, RowMaker::make(*job_.plan, *plan_));
    }
    for (std::uint64_t bytes = 0;;) {
      WHERRY_TRY(read(context, *chunk));
      bytes += outcome_.chunks.back().bytes;
      chunk = job_.take(bytes);
      if (chunk == nullptr) return {};
      outcome_.chunks.push_back({job_.plan->source, job_.segment.attempt, chunk->index, 0, 0});
    }
  }

 private:
  Result<void> read(OpContext& context, const connect::Chunk& chunk) {
    WHERRY_ASSIGN(auto reader, job_.source.open(context, plan_, chunk, connect::RowOrder::kAny));
    for (;;) {
      BatchHandle batch;
      {
        Stopwatch waiting(table_.wait_output_ns);
        batch = pipe_.pool.acquire(context.stop);
      }
      if (!batch) return cancelled_error();
      WHERRY_ASSIGN(const connect::ReadState state, reader->read(context, *batch));
      const std::size_t read_bytes = batch->used_bytes();
      if (sieve_) table_.filtered_rows += sieve_->filter(*batch);
      WHERRY_ASSIGN(const std::uint64_t cut, limit_lobs(*batch, *plan_, table_, context.log));
      outcome_.truncated_values += cut;
      replace_characters(*batch, *plan_);
      connect::DoneChunk& done = outcome_.chunks.back();
      done.rows += batch->row_count();
      done.bytes += batch->used_bytes();
      if (maker_) maker_->make_rows(*batch);
      const std::size_t moved_bytes = std::max(read_bytes, batch->used_bytes());
      if (!job_.throttle.pass(moved_bytes, context.stop)) return cancelled_error();
      if (!batch->empty() && !pipe_.queue.push(std::move(batch), context.stop)) {
        return cancelled_error();
      }
      if (state == connect::ReadState::kEnd) return {};
    }
  }

  const SegmentJob& job_;
  const schema::TablePlanPtr plan_;        ///< of the rows that are read
  const std::unique_ptr<RowSieve> sieve_;  ///< nullptr: all rows are taken
  std::unique_ptr<RowMaker> maker_;        ///< nullptr: the target's rows are those
  TableProgress& table_;
  Pipe& pipe_;
  SegmentOutcome& outcome_;
};

Result<void> write_all(OpContext& context, connect::LoadSession& session, TableProgress& table,
                       Pipe& pipe, SegmentOutcome& outcome) {
  for (;;) {
    std::optional<BatchHandle> batch;
    {
      Stopwatch waiting(table.wait_input_ns);
      batch = pipe.queue.pop(context.stop);
    }
    if (!batch && context.stop.stop_requested()) return cancelled_error();
    if (!batch) return {};
    failpoint("load.write");
    WHERRY_TRY(session.write(context, **batch));
    outcome.rows += (*batch)->row_count();
    outcome.bytes += (*batch)->used_bytes();
    table.rows += (*batch)->row_count();
    table.bytes += (*batch)->used_bytes();
  }
}

Result<void> write_segment(OpContext& context, const SegmentJob& job, const LoadOptions& options,
                           TableProgress& table, SegmentOutcome& outcome,
                           const connect::Chunk* first) {
  WHERRY_ASSIGN(auto session, job.target.begin(context, job.plan, job.segment));
  SegmentRowErrors row_errors(options.errors, table, context.log.as(Component::kTargetLoad));
  WHERRY_TRY(session->tolerate(context, row_errors, job.is_careful));
  Pipe pipe(options);
  // The reader stops when the task stops and when the writer gives up.
  std::stop_source stop_reader;
  std::stop_callback forward(context.stop, [&] { stop_reader.request_stop(); });
  OpContext reader_context{stop_reader.get_token(), context.deadline,
                           context.log.as(Component::kSourceUnload)};
  SegmentReader reader(job, table, pipe, outcome);
  std::thread reading([&] {
    auto result = guarded([&] { return reader.read_all(reader_context, first); });
    if (!result.ok()) pipe.failure = std::move(result).error();
    pipe.queue.close();
  });
  OpContext writer_context{context.stop, context.deadline, context.log.as(Component::kTargetLoad)};
  auto written = guarded([&] { return write_all(writer_context, *session, table, pipe, outcome); });
  if (!written.ok()) stop_reader.request_stop();
  reading.join();
  // When the writer failed, the reader's "stopped" is only the echo of it.
  if (!written.ok()) {
    outcome.may_isolate = session->may_isolate();
    return written;
  }
  if (pipe.failure) return with_side(*std::move(pipe.failure), "source");
  WHERRY_TRY(job.before_commit());
  failpoint("load.before_commit");
  outcome.may_be_durable = true;
  outcome.refused_rows = row_errors.count();
  outcome.chunks.front().refused_rows = outcome.refused_rows;
  outcome.chunks.front().truncated_values = outcome.truncated_values;
  auto report = session->finish(writer_context, outcome.chunks);
  if (!report.ok()) {
    outcome.may_isolate = session->may_isolate();
    return std::move(report).error();
  }
  WHERRY_ASSERT(report->rows + report->refused_rows == outcome.rows,
                "the target counted other rows than were sent");
  row_errors.keep();
  table.rows -= outcome.refused_rows;
  failpoint("load.after_commit");
  return {};
}

}  // namespace

Error with_side(Error error, std::string_view side) {
  if (error.kind == ErrorKind::kTransient) error.with("side", side);
  return error;
}

std::string side_of(const Error& error) {
  for (const ErrorField& field : error.fields) {
    if (field.key == "side") return field.value;
  }
  return "target";
}

Result<void> load_segment(OpContext& context, const SegmentJob& given, const LoadOptions& options,
                          TableProgress& table, SegmentOutcome& outcome) {
  SegmentJob job = given;
  if (job.is_careful && job.plan->is_native) {
    // Rows that are sought one by one must be told apart and shown.
    auto plan = std::make_shared<schema::TablePlan>(*job.plan);
    plan->is_native_text = true;
    job.plan = std::move(plan);
  }
  const connect::Chunk* first = job.take(0);
  if (first == nullptr) return {};  // others were faster
  outcome.chunks.push_back({job.plan->source, job.segment.attempt, first->index, 0, 0});
  auto result = write_segment(context, job, options, table, outcome, first);
  if (!result.ok()) return with_side(std::move(result).error(), "target");
  return result;
}

}  // namespace wherry::engine
