// The tables of a log: what its relation messages say becomes shapes, its fields become cells.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "connect/api/changes.h"
#include "connect/postgres/catalog_table.h"
#include "connect/postgres/connection.h"
#include "connect/postgres/log_types.h"
#include "connect/postgres/wire/decoder.h"
#include "connect/postgres/wire/pgoutput.h"

namespace wherry::postgres {

/// One table as the log has it now.
struct LogTable {
  std::uint32_t oid = 0;
  schema::TableRef source;  ///< the request's name for it
  bool is_wanted = false;   ///< a table of the request
  bool is_audit = false;    ///< where event triggers tell of DDL
  bool is_portable = true;  ///< see LogType
  connect::RowShapePtr shape;
  /// Of a request that is not native: one for each column of the shape.
  std::vector<wire::ColumnDecoder> decoders;
  std::vector<NativeKind> kinds;
  std::vector<char> is_passed_on;   ///< values are the server's own, in the form they came in
  std::string signature;            ///< what the shape was made from
  bool is_news = false;             ///< for the stream: the shape is to be told
  std::uint64_t kept_in_batch = 0;  ///< for the stream: which batch keeps the shape
};

enum class RowForm : std::uint8_t {
  kAfter,
  kBefore,
  kKey,  ///< fields that do not belong to the key mean nothing
};

class LogTables {
 public:
  /// `published`: tables of the request by OID, for those that have another name by now.
  /// `takes_all`: tables that are published later are of the task too.
  LogTables(connect::StreamRequest request, std::string ddl_schema,
            std::map<std::uint32_t, schema::TableRef> published, bool takes_all);

  /// `xid`: of a transaction that has not ended, whose definitions are its own; 0: none.
  /// Takes a relation message; looks types up through `catalog` when they are new. Whether the
  /// table's shape is the first one, or another than the last.
  Result<bool> learn(OpContext& context, Connection& catalog, const wire::Message& relation,
                     std::uint32_t xid = 0);
  /// The same, of a definition that is known to be that of this place in the log.
  Result<bool> learn(OpContext& context, Connection& catalog, std::uint32_t oid,
                     const CatalogTable& table, std::uint32_t xid = 0);
  /// nullptr: no relation message has told of it.
  [[nodiscard]] LogTable* find(std::uint32_t oid, std::uint32_t xid = 0);
  /// Whether the table of that number is one whose changes come, so that what is told of it counts.
  [[nodiscard]] bool is_published(std::uint32_t oid, std::uint32_t xid = 0) {
    return published_.contains(oid) || find(oid, xid) != nullptr;
  }
  /// A table that may be published later, under the name that it has now.
  void note_new(std::uint32_t oid, const schema::TableRef& source) { published_[oid] = source; }
  /// What was told of shapes may not have come to the target.
  void tell_again(std::uint32_t xid = 0);
  /// The transaction has ended: its definitions are everybody's, or nobody's.
  void forget_open() {
    open_.clear();
    last_ = nullptr;
  }
  void end_transaction(std::uint32_t xid, bool has_committed);
  /// A shape of a table that is in the catalogue now, under its name there; nullptr: it is not, or
  /// is a partition; with `shows_leaves` partitions count, and what has some does not.
  Result<connect::RowShapePtr> describe(OpContext& context, Connection& catalog, std::uint32_t oid,
                                        bool shows_leaves);
  /// The last shape of a table; one without columns when the log had none.
  [[nodiscard]] connect::RowShapePtr last_shape(std::uint32_t oid, const schema::TableRef& table);
  /// Whether the request's tables, as the catalogue has them now, can come in binary form.
  Result<bool> can_be_binary(OpContext& context, Connection& catalog);

  /// What form values come in that are passed on as they are: that of NULL, too.
  void expect_form(bool is_binary) {
    passed_kind_ = is_binary ? CellKind::kBytes : CellKind::kText;
  }
  /// Fields to cells in `out`. The column that holds no value of its type, or nothing: all is well.
  /// `message` is what the fields lie in, `copy` the same bytes where they stay.
  std::optional<std::size_t> fill(const LogTable& table, const std::vector<wire::Field>& fields,
                                  RowForm form, std::string_view message, const std::byte* copy,
                                  Arena& arena, Cell* out);

 private:
  /// `exact`: nullptr where only the catalogue of now can tell what the log does not.
  Result<bool> learn(OpContext& context, Connection& catalog, const wire::Message& relation,
                     std::uint32_t xid, const CatalogTable* exact);
  Result<connect::RowShapePtr> make_shape(OpContext& context, Connection& catalog,
                                          const wire::Message& relation, const CatalogTable* exact,
                                          LogTable& table);
  [[nodiscard]] schema::TablePlanPtr plan_of(const schema::TableRef& source) const;

  const connect::StreamRequest request_;
  const std::string ddl_schema_;
  std::map<std::uint32_t, schema::TableRef> published_;
  const bool takes_all_;
  LogTypes types_;
  using TableMap = std::unordered_map<std::uint32_t, LogTable>;
  TableMap tables_;
  std::map<std::uint32_t, TableMap> open_;  ///< by transaction
  LogTable* last_ = nullptr;                ///< rows of one table follow each other
  std::uint32_t last_xid_ = 0;
  CellKind passed_kind_ = CellKind::kText;
  std::string binary_;  ///< a field, when it has come as text
};

}  // namespace wherry::postgres
