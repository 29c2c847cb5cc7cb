// A running query: rows from responses into batches, the next response asked for in good time.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connect/oracle/caller.h"
#include "connect/oracle/client.h"
#include "connect/oracle/row_decoder.h"
#include "connect/oracle/wire/datetime.h"

namespace wherry::oracle {

class QueryImpl : public Query {
 public:
  QueryImpl(std::shared_ptr<Caller> caller, const FetchOptions& options,
            std::optional<wire::ZoneField> database_zone);
  ~QueryImpl() override;

  /// Sends the execute call and reads up to the first row. Call once.
  Result<void> execute(const OpContext& context, std::string_view sql, std::span<const Bind> binds);

  [[nodiscard]] std::span<const ColumnDescription> columns() const override { return columns_; }
  Result<FetchState> fetch(OpContext& context, std::span<const CellKind> wanted,
                           RowBatch& out) override;
  [[nodiscard]] std::uint64_t row_count() const override { return row_count_; }

 private:
  enum class Progress : std::uint8_t { kFull, kResponseEnd };

  Result<void> read_description(const OpContext& context);
  Result<void> define(const OpContext& context);
  Result<void> prepare(std::span<const CellKind> wanted);
  Result<void> request_rows(const OpContext& context);
  /// Rows of the running response into `out`, up to its budget unless `whole_response`.
  Result<Progress> read_rows(const OpContext& context, RowBatch& out, bool whole_response);
  /// Decodes what is in the window. True: stop, the batch is full.
  Result<bool> decode_window(RowBatch& out, bool whole_response);
  Result<void> take_message(const OpContext& context, wire::Message message, RowBatch& out);
  Result<FetchState> fetch_rows(const OpContext& context, RowBatch& out);
  Result<FetchState> fetch_with_lobs(const OpContext& context, RowBatch& out);
  Result<void> move_staged_row(const OpContext& context, RowBatch& out);
  Result<void> resolve_lob(const OpContext& context, std::size_t column, Cell& cell, RowBatch& out);
  void end_response();
  [[nodiscard]] bool has_lobs() const;
  [[nodiscard]] std::uint32_t choose_array_rows() const;

  std::shared_ptr<Caller> caller_;
  FetchOptions options_;
  std::optional<wire::ZoneField> database_zone_;
  std::vector<ColumnDescription> columns_;
  std::optional<RowDecoder> decoder_;
  std::optional<wire::Message> pending_message_;  ///< taken from the stream by execute()
  std::uint32_t cursor_id_ = 0;
  std::uint32_t array_rows_ = 0;
  std::uint64_t call_number_ = 0;  ///< of the call whose response we read
  bool exhausted_ = false;
  std::uint64_t row_count_ = 0;

  // LOBs by locator: one response is read whole, then its LOBs row by row.
  RowBatch staged_;
  std::size_t staged_next_ = 0;
  LargeValue large_;
  BatchSpill spill_;
};

/// Bind metadata and values of one or more rows, for execute requests.
struct BindSet {
  std::vector<wire::ValueFormat> formats;
  std::vector<std::vector<wire::BindValue>> rows;
  std::vector<std::uint8_t> is_long;

  /// `is_plsql`: long values need no special place there. Values point into `rows`.
  static BindSet of(std::span<const std::span<const Bind>> rows, bool is_plsql,
                    const wire::Dialect& dialect);
};

}  // namespace wherry::oracle
