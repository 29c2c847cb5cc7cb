// A running query: rows from responses into batches, the next response asked for in good time.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connect/oracle/caller.h"
#include "connect/oracle/client.h"
#include "connect/oracle/lob_reader.h"
#include "connect/oracle/row_decoder.h"
#include "connect/oracle/statement_cache.h"
#include "connect/oracle/wire/datetime.h"

namespace wherry::oracle {

/// What the queries and LOBs of a session share with it; they may outlive it.
struct SessionParts {
  std::shared_ptr<Caller> caller;
  std::shared_ptr<StatementCache> cache;
  std::optional<wire::ZoneField> database_zone;
};

class QueryImpl : public Query {
 public:
  QueryImpl(SessionParts parts, const FetchOptions& options);
  ~QueryImpl() override;

  /// Sends the execute call and reads up to the first row. Call once.
  Result<void> execute(const OpContext& context, std::string_view sql, std::span<const Bind> binds);
  /// Whose cursor this is.
  enum class CursorOwner : std::uint8_t {
    kStatement,  ///< ours, to be closed
    kQuery,      ///< of a row of another query, closed with it
  };
  /// Takes over a cursor that a statement gave, instead of execute().
  void adopt(wire::ImplicitResult cursor, CursorOwner owner);

  [[nodiscard]] std::span<const ColumnDescription> columns() const override { return columns_; }
  Result<FetchState> fetch(OpContext& context, std::span<const CellKind> wanted,
                           RowBatch& out) override;
  [[nodiscard]] std::uint64_t row_count() const override { return row_count_; }
  Result<std::unique_ptr<Query>> nested(const Cell& cell) override;
  [[nodiscard]] std::vector<std::string> unreadable_columns() const override;

 private:
  enum class Progress : std::uint8_t { kFull, kResponseEnd };
  enum class Origin : std::uint8_t { kParsed, kCached, kAdopted };

  Result<void> execute_once(const OpContext& context, std::string_view sql);
  Result<void> parse_again(const OpContext& context);
  Result<void> read_description(const OpContext& context);
  void take_description(std::vector<ColumnDescription> columns);
  Result<void> define(const OpContext& context);
  Result<void> prepare(std::span<const CellKind> wanted);
  Result<void> request_rows(const OpContext& context);
  /// Rows of the running response into `out`, up to its budget unless `whole_response`.
  Result<Progress> read_rows(const OpContext& context, RowBatch& out, bool whole_response);
  /// Decodes what is in the window. True: stop, the batch is full.
  Result<bool> decode_window(RowBatch& out, bool whole_response);
  Result<void> take_message(const OpContext& context, wire::Message message, RowBatch& out);
  Result<void> take_changed_description(const OpContext& context, const RowBatch& out);
  Result<FetchState> fetch_once(const OpContext& context, RowBatch& out);
  Result<FetchState> fetch_rows(const OpContext& context, RowBatch& out);
  Result<FetchState> fetch_staged(const OpContext& context, RowBatch& out);
  Result<bool> read_direct(const OpContext& context, RowBatch& out);
  [[nodiscard]] bool is_whole_row(const Cell* row) const;
  void settle_lobs(Cell* row) const;
  [[nodiscard]] bool staged_needs_no_call() const;
  [[nodiscard]] LobEncoding encoding_of_column(std::size_t column, const wire::LobValue& lob) const;
  Result<void> move_staged_row(const OpContext& context, RowBatch& out);
  Result<void> resolve_lob(const OpContext& context, std::size_t column, Cell& cell, RowBatch& out);
  void end_response();
  void give_cursor_back(bool is_good);
  [[nodiscard]] bool needs_defines() const;
  /// Responses are read whole, so that other calls can be made between two rows.
  [[nodiscard]] bool is_staged() const;
  /// Nobody needs the session between two fetches: cursors that a statement gave are read side by
  /// side, LOBs by their handles.
  [[nodiscard]] bool may_read_ahead() const;
  [[nodiscard]] std::uint32_t choose_array_rows() const;

  SessionParts parts_;
  std::shared_ptr<Caller> caller_;
  FetchOptions options_;
  Origin origin_ = Origin::kParsed;
  CursorOwner owner_ = CursorOwner::kStatement;
  std::string sql_;
  std::vector<Bind> binds_;  ///< kept for a second parse
  std::vector<ColumnDescription> columns_;
  std::vector<CellKind> wanted_;
  std::optional<RowDecoder> decoder_;
  std::optional<wire::Message> pending_message_;  ///< taken from the stream by execute()
  std::uint32_t cursor_id_ = 0;
  std::uint32_t array_rows_ = 0;
  std::uint64_t call_number_ = 0;  ///< of the call whose response we read
  bool exhausted_ = false;
  bool defined_ = false;  ///< an adopted cursor's columns
  std::uint64_t row_count_ = 0;

  // LOBs by locator and nested cursors: one response is read whole, then handled row by row.
  RowBatch staged_;
  std::size_t staged_next_ = 0;
  bool direct_ = false;         ///< rows are being read past `staged_`
  bool needs_staging_ = false;  ///< the row read last may not be
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
