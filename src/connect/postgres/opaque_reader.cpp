#include "connect/postgres/opaque_reader.h"

#include "connect/postgres/wire/copy_buffer.h"

namespace wherry::postgres {
namespace {

class OpaqueReader : public connect::ChunkReader {
 public:
  OpaqueReader(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Connection> connection,
               schema::TablePlanPtr plan)
      : pool_(std::move(pool)),
        connection_(std::move(connection)),
        plan_(std::move(plan)),
        is_header_due_(!plan_->is_native_text) {}

  Result<connect::ReadState> read(OpContext& context, RowBatch& out) override {
    out.reset(0);
    while (!out.is_full()) {
      auto received = connection_->receive_copy(context);
      if (!received) return std::move(received).error().with("table", to_text(plan_->source));
      if (!*received) {
        pool_->give_back_reader(context, std::move(connection_));
        return connect::ReadState::kEnd;
      }
      // A message is a row; the first one has the header in front of it.
      std::string_view row = **received;
      if (is_header_due_) WHERRY_TRY(take_header(row));
      const bool is_trailer = !plan_->is_native_text && row == wire::kCopyTrailer;
      if (!is_trailer && !row.empty()) out.append_opaque_row(row);
    }
    return connect::ReadState::kMore;
  }

 private:
  Result<void> take_header(std::string_view& row) {
    // No version so far has an extension or flags, which the target would have to be told.
    if (!row.starts_with(wire::kCopyHeader)) {
      return make_error(ErrorKind::kInternal, "postgres.malformed_copy",
                        "the server's COPY data begins with an unknown header",
                        "Please report it with the server's version")
          .with("table", to_text(plan_->source));
    }
    row.remove_prefix(wire::kCopyHeader.size());
    is_header_due_ = false;
    return {};
  }

  const std::shared_ptr<ConnectionPool> pool_;
  std::unique_ptr<Connection> connection_;  ///< nullptr after the end
  const schema::TablePlanPtr plan_;
  bool is_header_due_;
};

}  // namespace

std::unique_ptr<connect::ChunkReader> make_opaque_reader(std::shared_ptr<ConnectionPool> pool,
                                                         std::unique_ptr<Connection> connection,
                                                         schema::TablePlanPtr plan) {
  return std::make_unique<OpaqueReader>(std::move(pool), std::move(connection), std::move(plan));
}

}  // namespace wherry::postgres
