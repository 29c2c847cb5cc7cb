// What the messages of pgoutput say, as records of a stream: shapes are told when they are news,
// changes of transactions that have not ended wait (connect/support/transaction_buffer.h), rows of
// awsdms_ddl_audit become DDL. Used by one thread at a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "connect/api/changes.h"
#include "connect/postgres/catalog_session.h"
#include "connect/postgres/changes.h"
#include "connect/postgres/ddl_audit.h"
#include "connect/postgres/log_position.h"
#include "connect/postgres/log_tables.h"
#include "connect/postgres/pulse.h"
#include "connect/support/transaction_buffer.h"

namespace wherry::postgres {

class LogChanges {
 public:
  /// `settings`, `catalog` and `progress` outlive it; it counts up progress.received.
  LogChanges(const ConnectionSettings& settings, connect::StreamRequest request,
             const StreamNames& names, CatalogSession& catalog, StreamProgress& progress);

  /// Forgets everything that was begun; messages of what comes behind `from` are next.
  void begin(const LogPosition& from);
  /// Whether the tables' values can come in binary form; take() expects the form that was chosen.
  Result<bool> choose_binary(OpContext& context);
  /// Before messages of transactions that have not ended can come.
  void keep_open(std::unique_ptr<connect::TransactionBuffer> open) { open_ = std::move(open); }

  /// Takes up what an earlier call could not end, because its batch or a disk was full.
  Result<void> go_on(OpContext& context, connect::ChangeBatch& out);
  /// One message, which lies at `at` of the log.
  Result<void> take(OpContext& context, std::string_view message, wire::Lsn at,
                    connect::ChangeBatch& out);
  /// Everything before `lsn` has come, as far as no transaction is being told.
  void pass(wire::Lsn lsn, wire::ServerTime time);
  /// Says so, when the last commit or heartbeat did not.
  void add_heartbeat(connect::ChangeBatch& out);

  /// Where reading goes on.
  [[nodiscard]] wire::Lsn next_lsn() const { return std::max(skip_before_, idle_lsn_); }
  /// The last position in any batch.
  [[nodiscard]] wire::Lsn delivered_lsn() const { return delivered_lsn_; }

 private:
  using Change = connect::Change;
  using ChangeBatch = connect::ChangeBatch;

  Result<void> spill_old();
  Result<void> take_message(OpContext& context, ChangeBatch& out);
  Result<void> take_open(OpContext& context);
  Result<void> store();
  void take_stream_abort();
  Result<void> take_stream_commit(OpContext& context, ChangeBatch& out);
  Result<void> play(OpContext& context, ChangeBatch& out);
  void open_transaction(ChangeBatch& out);
  void take_commit(ChangeBatch& out);
  [[nodiscard]] Position position_at(wire::Lsn lsn) const;

  // Tables and rows.
  [[nodiscard]] std::uint32_t open_xid() const;
  const connect::RowShape* keep_shape(LogTable& table, ChangeBatch& out) const;
  Result<void> take_relation(OpContext& context);
  Result<void> note_shape(LogTable& table, bool is_news);
  void prepare_for(LogTable& table, ChangeBatch& out);
  Result<void> take_row(OpContext& context, ChangeBatch& out);
  Result<const Cell*> make_cells(const LogTable& table, const std::vector<wire::Field>& fields,
                                 RowForm form, const std::byte* copy, ChangeBatch& out);
  Result<void> take_truncate(ChangeBatch& out);

  // DDL (log_ddl.cpp).
  Result<void> take_ddl(OpContext& context, const LogTable& audit, ChangeBatch& out);
  Result<void> describe_new_table(OpContext& context, std::size_t index, ChangeBatch& out);
  Result<void> await_visible(OpContext& context, Connection& catalog);
  Result<bool> take_definition(OpContext& context, Connection& catalog, const DdlRecord& record,
                               ChangeBatch& out);

  struct Begin {
    wire::Lsn lsn = 0;
    wire::ServerTime time = 0;
    std::uint32_t xid = 0;
  };

  const ConnectionSettings& settings_;
  CatalogSession& catalog_;
  StreamProgress& progress_;
  const bool is_native_;
  const std::chrono::milliseconds memory_keep_;
  LogTables tables_;
  LogPosition base_;  ///< system and timeline of all positions
  bool is_binary_ = false;
  bool needs_text_ = false;

  wire::PgoutputDecoder decoder_;
  std::string_view data_;  ///< the message
  wire::Lsn at_ = 0;       ///< and where it lies
  wire::Message message_;
  Begin begin_;
  bool has_begin_ = false;         ///< within a transaction of the log
  bool has_sent_begin_ = false;    ///< and it had a change for us
  bool is_skipped_ = false;        ///< or it is known already
  std::uint32_t visible_xid_ = 0;  ///< its end is seen by other sessions
  wire::Lsn skip_before_ = 0;      ///< commits that begin before it have been delivered
  wire::Lsn delivered_lsn_ = 0;
  wire::Lsn idle_lsn_ = 0;       ///< everything before it has come
  wire::Lsn told_idle_lsn_ = 0;  ///< a heartbeat has said so
  wire::ServerTime idle_time_ = 0;
  std::uint64_t batch_number_ = 0;

  // Transactions that have not ended.
  std::unique_ptr<connect::TransactionBuffer> open_;
  std::unique_ptr<connect::TransactionPlayback> playback_;
  std::uint32_t open_xid_ = 0;
  ChangeBatch stored_;  ///< on its way into open_
  std::uint32_t stored_part_ = 0;
  std::size_t stored_count_ = 0;  ///< of its changes that are there
  std::chrono::steady_clock::time_point next_spill_;
};

}  // namespace wherry::postgres
