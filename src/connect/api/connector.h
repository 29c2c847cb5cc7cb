// The roles a database can play, none above four methods. A connector implements those it can and
// says so in ConnectorInfo; the engine asks for abilities, never for names.
//
// Threads: a Connector, SnapshotSource and TargetLoader are thread-safe; every other object is used
// by one thread at a time. Destructors never block on the network. Every call obeys
// OpContext::stop within a second and then returns a kCancelled error.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/op_context.h"
#include "core/position.h"
#include "core/result.h"
#include "core/row_batch.h"
#include "core/secret.h"
#include "schema/parallel_load.h"
#include "schema/table_def.h"
#include "schema/table_plan.h"

namespace wherry::connect {

class ChangeSource;  // connect/api/changes.h
class TargetApply;
struct ApplySettings;
class Preflight;  // connect/api/preflight.h

using schema::TableDef;
using schema::TablePlan;
using schema::TablePlanPtr;
using schema::TableRef;

/// How to reach one database. `url` never holds the password (it is cut out into `password`).
struct Settings {
  std::string url;   ///< oracle://user@host:1521/service, postgresql://…
  std::string user;  ///< from the URL or the endpoint document
  Secret password;
  std::map<std::string, std::string> options;  ///< engine settings: DMS names or URL parameters
  std::string spill_directory;                 ///< where values too large for memory may wait
  /// Of a target: where Wherry's own tables live (ControlTablesSettings.ControlSchema); empty: the
  /// engine's default.
  std::string control_schema;
};

enum class ReadState : std::uint8_t {
  kMore,  ///< the batch holds rows; call again
  kEnd,   ///< the batch holds the last rows, or none; do not call again
};

/// Order in which rows are wanted.
enum class RowOrder : std::uint8_t {
  kAny,
  /// Ascending by plan.key, text compared by code point (byte order of UTF-8), NULLs last.
  kByKey,
};

/// One part of a table that one query reads.
struct Chunk {
  std::uint32_t index = 0;  ///< its place in what plan() returned
  std::string predicate =
      {};  ///< opaque to all but the connector that made it; empty: the whole table
  std::uint64_t estimated_rows = 0;
  std::uint64_t estimated_bytes = 0;
};

/// How a table is cut. What a connector cannot do is left undone: one chunk is always right.
struct ChunkHints {
  std::uint32_t max_chunks = 1;                     ///< 1: the whole table
  std::uint64_t chunk_bytes = 64ULL * 1024 * 1024;  ///< about so much of the source a chunk
  /// A table that has this many times `least_bytes` is cut into so many chunks at least.
  std::uint32_t wanted_chunks = 1;
  std::uint64_t least_bytes = 8ULL * 1024 * 1024;  ///< a smaller chunk is not worth its query
  std::optional<schema::ParallelLoad> rule =
      std::nullopt;  ///< the user's own cut, which goes before
  /// One chunk of all rows that the rule has, to be read in one order.
  bool in_one = false;
  std::uint64_t whole_bytes = 0;  ///< a table up to this size is not cut, but by a rule
};

/// How many chunks a table of `bytes` makes; at least one.
constexpr std::uint32_t chunk_count(const ChunkHints& hints, std::uint64_t bytes) {
  if (bytes <= hints.whole_bytes) return 1;
  const std::uint64_t by_size = bytes / hints.chunk_bytes;
  const std::uint64_t by_wish =
      std::min<std::uint64_t>(hints.wanted_chunks, bytes / hints.least_bytes);
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(std::max(by_size, by_wish), 1, std::max(hints.max_chunks, 1U)));
}

/// Who evaluates a condition of a filter when rows are read; kSchema: nobody can, with the reason.
using FilterJudge = std::function<Result<schema::FilterSide>(const schema::ColumnFilter&,
                                                             const schema::FilterCondition&)>;

struct TableFilter {
  std::vector<std::string> schemas;  ///< exact names; empty: every schema that is not the system's
  bool views = false;                ///< views too
  bool tablespaces = false;          ///< say where tables and the indexes of their keys lie
};

/// What logging in and looking around found.
struct ProbeReport {
  std::string server_version;  ///< "Oracle Database 19.22.0.0.0", "PostgreSQL 15.18"
  std::vector<std::string> warnings;
};

class Catalog {
 public:
  virtual ~Catalog() = default;
  /// Tables with columns, keys and estimates, read set-wise: a fixed number of queries, whatever
  /// the number of tables. System schemas and recycle-bin objects are left out.
  virtual Result<std::vector<TableDef>> describe_tables(OpContext&, const TableFilter&) = 0;
  /// Which conditions the source's query evaluates exactly as schema::RowFilterTest does. The judge
  /// needs the catalog no longer. Without one of its own a source evaluates none.
  virtual Result<FilterJudge> filter_judge(OpContext&) {
    return FilterJudge([](const schema::ColumnFilter&, const schema::FilterCondition&) {
      return Result<schema::FilterSide>(schema::FilterSide::kEngine);
    });
  }
  /// Runs DDL on a target. REQUIRES: the connector has kTarget.
  virtual Result<void> execute_ddl(OpContext&, std::string_view statement) = 0;
};

class ChunkReader {
 public:
  virtual ~ChunkReader() = default;
  /// Resets `out` to the plan's columns and fills it up to its budget. Cells have the kinds
  /// cell_kind_of(plan.columns[i].type). Values above the in-line limit come spilled.
  virtual Result<ReadState> read(OpContext&, RowBatch& out) = 0;
};

/// ONE consistent view of the database, shared by all its readers.
class SnapshotSource {
 public:
  virtual ~SnapshotSource() = default;
  [[nodiscard]] virtual const Position& position() const = 0;
  /// Chunks that cover the table exactly once; at least one, also for an empty table.
  virtual Result<std::vector<Chunk>> plan(OpContext&, const TableDef&, const ChunkHints&) = 0;
  /// Opens its own connection. Rows are those of schema::source_filter(). kPositionLost when the
  /// view can no longer be read.
  virtual Result<std::unique_ptr<ChunkReader>> open(OpContext&, TablePlanPtr, const Chunk&,
                                                    RowOrder) = 0;
};

struct LoadReport {
  std::uint64_t rows = 0;          ///< on the target now
  std::uint64_t bytes = 0;         ///< bytes sent to the target
  std::uint64_t refused_rows = 0;  ///< left out, told to the RowRefusalSink
};

/// A row that the target cannot take, and why.
struct RowRefusal {
  bool is_truncation = false;  ///< the value would have to be cut (DMS: DataTruncationErrorPolicy)
  std::string key;             ///< "id=42"; empty without a key
  Error error;                 ///< kData, with table, column and key
};

/// Decides on rows that cannot be loaded. Used by one session at a time.
class RowRefusalSink {
 public:
  virtual ~RowRefusalSink() = default;
  /// Ok: the row is left out and the load goes on. An error ends the session with that error.
  virtual Result<void> on_row_refused(const RowRefusal& refusal) = 0;
};

/// What a load session is for: some chunks of one table, durable together or not at all.
struct Segment {
  std::string load_id;         ///< of the load in the target's ledger; empty: nothing is recorded
  std::uint64_t attempt = 1;   ///< counts how often the table was begun from its beginning
  std::uint32_t worker = 0;    ///< below kMaxWorkers; has one session at a time
  bool is_whole_table = true;  ///< nothing else loads the table meanwhile, before or after
};
inline constexpr std::uint32_t kMaxWorkers = 64;

/// A chunk whose rows are durable on the target, as its ledger has it.
struct DoneChunk {
  TableRef table;  ///< at the source
  std::uint64_t attempt = 1;
  std::uint32_t chunk = 0;
  std::uint64_t rows = 0;   ///< read
  std::uint64_t bytes = 0;  ///< as the source was read
  // Of all chunks that became durable together; with the first of them.
  std::uint64_t refused_rows = 0;      ///< of `rows`: left out
  std::uint64_t truncated_values = 0;  ///< LOBs that were cut at their limit
};

/// One segment of one table, atomic: nothing is visible before finish(), and an unfinished session
/// is rolled back by its destructor.
class LoadSession {
 public:
  virtual ~LoadSession() = default;
  virtual Result<void> write(OpContext&, const RowBatch&) = 0;
  /// Commits the rows together with `chunks` in the ledger; durable when it returns. After
  /// kTransient nobody knows whether it is: done_chunks() does. A chunk that the ledger has already
  /// is kInternal "load.chunk_twice", and nothing is committed.
  virtual Result<LoadReport> finish(OpContext&, std::span<const DoneChunk> chunks = {}) = 0;

  /// From now on a row that cannot be taken goes to `sink`, which outlives the session, instead of
  /// failing it. Careful: also a row that only the server finds wrong, at the price of speed.
  /// REQUIRES: nothing was written yet.
  virtual Result<void> tolerate(OpContext&, RowRefusalSink&, bool /*is_careful*/) { return {}; }
  /// After a failed write() or finish(): the server refused some row, and a new session that is
  /// careful would find out which.
  [[nodiscard]] virtual bool may_isolate() const { return false; }
};

enum class ExistingTable : std::uint8_t {
  kDrop,      ///< DROP_AND_CREATE
  kTruncate,  ///< TRUNCATE_BEFORE_LOAD
  kKeep,      ///< DO_NOTHING
};

struct PrepareReport {
  bool is_empty = true;  ///< the table was made, emptied, or had no row
};

/// The control tables a task keeps on the target; names and columns are AWS DMS's.
struct ControlTables {
  std::string schema;     ///< empty: the engine's default
  std::string task_name;  ///< TASK_NAME
  std::string server_name;
  bool has_status = false;            ///< awsdms_status
  bool has_suspended_tables = false;  ///< awsdms_suspended_tables
  bool has_history = false;           ///< awsdms_history
};

/// One slot of awsdms_history.
struct HistorySlot {
  std::uint32_t minutes = 0;  ///< the length of all slots
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  bool is_change_processing = false;  ///< else FULL LOAD
  /// CHANGE PROCESSING: how far the target is behind at the end of the slot.
  std::uint64_t latency_secs = 0;
};

/// What awsdms_status says of ongoing replication. What is empty or unknown is NULL there.
struct StatusFigures {
  using Time = std::optional<std::chrono::system_clock::time_point>;
  std::uint64_t pending_changes = 0;  ///< committed at the source, cached, not applied
  std::uint64_t disk_swap_bytes = 0;
  std::uint64_t memory_bytes = 0;
  std::string current_position;  ///< being read
  Time current_time;
  std::string tail_position;  ///< where the oldest transaction that is open began
  Time tail_time;
  Time applied_time;  ///< commit time of the last transaction applied
};

/// Writes to the control tables that a task wanted; to others a call does nothing.
class ControlWriter {
 public:
  virtual ~ControlWriter() = default;
  /// "FULL LOAD", "CHANGE PROCESSING", "NOT RUNNING".
  virtual Result<void> set_status(OpContext&, std::string_view status,
                                  const StatusFigures& figures) = 0;
  Result<void> set_status(OpContext& context, std::string_view status) {
    return set_status(context, status, StatusFigures{});
  }
  /// `reason`: a few words.
  virtual Result<void> suspend(OpContext&, const TableRef& target, std::string_view reason) = 0;
  virtual Result<void> end_suspension(OpContext&, const TableRef& target) = 0;
  virtual Result<void> add_history(OpContext&, const HistorySlot&) = 0;
};

/// Which objects of the target the scripts are about.
struct ScriptOptions {
  std::vector<std::string> schemas;  ///< exact names; empty: every schema that is not the system's
  bool foreign_keys = true;
  bool triggers = true;
  bool indexes = true;  ///< secondary ones; takes the foreign keys along that need them
};
/// What takes them out of the way, and what brings them back exactly.
struct TargetScripts {
  std::string disable, enable;
};

/// What a plan finds on the target.
struct TargetMatch {
  TablePlanPtr plan;    ///< with names and types of the table that exists; else as it was given
  bool exists = false;  ///< the table is there and will be loaded as it is
  std::optional<Error> refused;  ///< why the table that exists cannot take the rows
};

/// Says which values a target would refuse. Used by one thread at a time.
class ValueCheck {
 public:
  virtual ~ValueCheck() = default;
  /// Why the value of that column of the plan is refused; empty: it is not.
  virtual std::string check(std::size_t column, const Cell& cell) = 0;
};

class TargetLoader {
 public:
  virtual ~TargetLoader() = default;
  /// Looks, and changes nothing: which tables of `plans` exist and can be loaded, in the order of
  /// `plans`. Set-wise: a fixed number of queries. A table that will be made anew keeps its plan.
  virtual Result<std::vector<TargetMatch>> match(OpContext&, const std::vector<TablePlanPtr>& plans,
                                                 ExistingTable) {
    std::vector<TargetMatch> out;
    for (const TablePlanPtr& plan : plans) out.push_back({plan, false, std::nullopt});
    return out;
  }
  /// The native column type a source type becomes on a table that Wherry creates; also the reason
  /// when it cannot (kUnsupported).
  virtual Result<std::string> column_type(const schema::ColumnDef&) = 0;
  /// Why column_type() is that one, in a few words that live for ever.
  [[nodiscard]] virtual std::string_view type_reason(const schema::ColumnDef&) const { return {}; }
  /// What a rule makes of a column whose type it changes.
  struct ConvertedType {
    std::string name;  ///< native
    schema::Likeness likeness = schema::Likeness::kExact;
  };
  /// Values of the column's type in a column of type `wanted`, on a table that Wherry creates.
  /// kUnsupported when they have no form in it.
  virtual Result<ConvertedType> convert(const schema::ColumnDef&,
                                        const schema::LogicalType& /*wanted*/) {
    return make_error(ErrorKind::kUnsupported, "connect.no_type_change",
                      "this target does not change types", "Leave the rule out");
  }
  /// Judges values by the types of the plan alone, without a server; nullptr: nobody can.
  virtual std::unique_ptr<ValueCheck> value_check(const TablePlan&) { return nullptr; }
  /// Longest name of a schema, table, column or key.
  [[nodiscard]] virtual std::size_t max_name_bytes() const = 0;
  /// Longest text or byte value of a column; 0: there is no such limit.
  [[nodiscard]] virtual std::uint64_t max_value_bytes() const { return 0; }
  /// Looks, and changes nothing: kPermission names every privilege that loading `plans` would
  /// miss, with the statements that grant them.
  virtual Result<void> check_privileges(OpContext&, const std::vector<TablePlanPtr>& plans,
                                        ExistingTable) = 0;
  /// Checks and creates the control tables; kPermission names the missing GRANT. Sessions begun
  /// afterwards record rows that are left out in awsdms_apply_exceptions. nullptr: the target keeps
  /// no such tables.
  virtual Result<std::unique_ptr<ControlWriter>> open_control(OpContext&, const ControlTables&) {
    return std::unique_ptr<ControlWriter>();
  }
  /// Removes the task's rows from the control tables that are there, whichever the settings ask
  /// for; of awsdms_apply_exceptions, which has no server, those of its name.
  virtual Result<void> forget_control(OpContext&, const ControlTables&) { return {}; }
  /// SQL for people, from the target's catalogue; changes nothing.
  virtual Result<TargetScripts> write_scripts(OpContext&, const ScriptOptions&) {
    return make_error(ErrorKind::kUnsupported, "connect.no_scripts",
                      "there are no scripts for this target", "Nothing needs to be disabled");
  }
  /// Makes the target table ready: creates schema and table, without its key unless
  /// plan.key_comes_first, drops or truncates what exists. Nothing else is touched when it fails.
  virtual Result<PrepareReport> prepare(OpContext&, const TablePlan&, ExistingTable) = 0;
  /// What the ledger (table wherry_load_progress of the control schema; made when missing) has of a
  /// load. Waits first until no transaction of an earlier session can still commit: of that
  /// worker's, or of all workers' when there is none: so a load begins. kPermission when there is
  /// no ledger and the user may not make one.
  virtual Result<std::vector<DoneChunk>> done_chunks(OpContext&, const std::string& load_id,
                                                     std::optional<std::uint32_t> worker) = 0;
  /// Removes what the ledger has of a load that is over, and the ledger with the last of them.
  virtual Result<void> forget(OpContext&, const std::string& load_id) = 0;
  virtual Result<std::unique_ptr<LoadSession>> begin(OpContext&, TablePlanPtr, const Segment&) = 0;
  /// Adds the primary key (or the unique key that identifies rows) when it is missing and the table
  /// is the task's own, and gathers statistics.
  virtual Result<void> complete(OpContext&, const TablePlan&, bool is_own = true) = 0;
};

enum Role : std::uint32_t {
  kSource = 1,  ///< Catalog and SnapshotSource
  kTarget = 2,  ///< Catalog, TargetLoader, and SnapshotSource for validation
  kChangeSource = 4,
  kChangeTarget = 8,
};
using RoleSet = std::uint32_t;

struct ConnectorInfo {
  std::string name;                  ///< "oracle": DMS EngineName
  std::vector<std::string> schemes;  ///< URL schemes: "oracle", "postgresql", "postgres"
  RoleSet roles = 0;
  // Of a source:
  /// LOBs can come apart from their rows, in pieces: InlineLobMaxSize, LobChunkSize.
  bool reads_lobs_apart = false;
  /// A stream may have to wait for open transactions first: TransactionConsistencyTimeout.
  bool awaits_transactions = false;
};

class Connector {
 public:
  virtual ~Connector() = default;
  [[nodiscard]] virtual const ConnectorInfo& info() const = 0;
  /// Logs in, reads the version, names each missing privilege.
  virtual Result<ProbeReport> probe(OpContext&, const Settings&, Role) = 0;
  virtual Result<std::unique_ptr<Catalog>> open_catalog(OpContext&, const Settings&) = 0;
  /// The view at `at`, or at a point chosen now when `at` is empty.
  virtual Result<std::unique_ptr<SnapshotSource>> open_snapshot(OpContext&, const Settings&,
                                                                const Position& at) = 0;
  /// kUnsupported from a connector without kTarget.
  virtual Result<std::unique_ptr<TargetLoader>> open_loader(OpContext&, const Settings&) = 0;
  /// kUnsupported from a connector without kChangeSource.
  virtual Result<std::unique_ptr<ChangeSource>> open_change_source(OpContext&, const Settings&);
  /// kUnsupported from a connector without kChangeTarget.
  virtual Result<std::unique_ptr<TargetApply>> open_apply(OpContext&, const Settings&,
                                                          const ApplySettings&);
  /// kUnsupported from a connector that assesses nothing.
  virtual Result<std::unique_ptr<Preflight>> open_preflight(OpContext&, const Settings&);
};

/// Connectors by URL scheme; filled in apps/, read only afterwards.
class Registry {
 public:
  void add(std::unique_ptr<Connector> connector);
  /// kConfig "connect.unknown_scheme" names the scheme and lists those that are known.
  Result<Connector*> find(std::string_view scheme) const;
  [[nodiscard]] std::vector<const Connector*> all() const;

 private:
  std::vector<std::unique_ptr<Connector>> connectors_;
};

}  // namespace wherry::connect
