#include "engine/segment.h"

#include <thread>

#include "core/batch_pool.h"
#include "core/bounded_queue.h"
#include "engine/guarded.h"

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

Result<void> read_all(OpContext& context, connect::SnapshotSource& source,
                      const connect::Chunk& chunk, TableProgress& table, Pipe& pipe) {
  WHERRY_ASSIGN(auto reader, source.open(context, table.plan, chunk, connect::RowOrder::kAny));
  for (;;) {
    BatchHandle batch;
    {
      Stopwatch waiting(table.wait_output_ns);
      batch = pipe.pool.acquire(context.stop);
    }
    if (!batch) return cancelled_error();
    WHERRY_ASSIGN(const connect::ReadState state, reader->read(context, *batch));
    if (!batch->empty() && !pipe.queue.push(std::move(batch), context.stop)) {
      return cancelled_error();
    }
    if (state == connect::ReadState::kEnd) return {};
  }
}

/// Counts what it wrote into `rows`.
Result<void> write_all(OpContext& context, connect::LoadSession& session, TableProgress& table,
                       Pipe& pipe, std::uint64_t& rows) {
  for (;;) {
    std::optional<BatchHandle> batch;
    {
      Stopwatch waiting(table.wait_input_ns);
      batch = pipe.queue.pop(context.stop);
    }
    if (!batch && context.stop.stop_requested()) return cancelled_error();
    if (!batch) return {};
    WHERRY_TRY(session.write(context, **batch));
    rows += (*batch)->row_count();
    table.rows += (*batch)->row_count();
    table.bytes += (*batch)->used_bytes();
  }
}

}  // namespace

Result<void> load_segment(OpContext& context, connect::SnapshotSource& source,
                          connect::TargetLoader& target, const connect::Chunk& chunk,
                          const LoadOptions& options, TableProgress& table,
                          const std::function<Result<void>()>& before_commit) {
  WHERRY_ASSIGN(auto session, target.begin(context, table.plan, chunk));
  Pipe pipe(options);
  // The reader stops when the task stops and when the writer gives up.
  std::stop_source stop_reader;
  std::stop_callback forward(context.stop, [&] { stop_reader.request_stop(); });
  OpContext reader_context{stop_reader.get_token(), context.deadline,
                           context.log.as(Component::kSourceUnload)};
  std::thread reader([&] {
    auto result = guarded([&] { return read_all(reader_context, source, chunk, table, pipe); });
    if (!result.ok()) pipe.failure = std::move(result).error();
    pipe.queue.close();
  });
  OpContext writer_context{context.stop, context.deadline, context.log.as(Component::kTargetLoad)};
  std::uint64_t rows = 0;
  auto written = guarded([&] { return write_all(writer_context, *session, table, pipe, rows); });
  if (!written.ok()) stop_reader.request_stop();
  reader.join();
  // When the writer failed, the reader's "stopped" is only the echo of it.
  if (!written.ok()) return std::move(written).error();
  if (pipe.failure) return *std::move(pipe.failure);
  WHERRY_TRY(before_commit());
  WHERRY_ASSIGN(const connect::LoadReport report, session->finish(writer_context));
  WHERRY_ASSERT(report.rows == rows, "the target counted other rows than were sent");
  return {};
}

}  // namespace wherry::engine
