#include "exec/logminer_view.h"

#include <array>
#include <cstdio>
#include <deque>

#include "engine/calendar.h"
#include "engine/charset.h"
#include "engine/containers.h"
#include "exec/errors.h"
#include "exec/logminer_rows.h"

namespace orasim::logminer {
namespace {

/// Bytes of a piece of SQL_REDO; what is longer goes on in the next row.
constexpr std::size_t kPieceBytes = 4000;
constexpr std::int64_t kEpochSeconds = std::int64_t{2440588} * 86400;
constexpr int kLobBlockRelease = 21;

/// One row of the view: a piece of one ContentsRow of one record.
struct Piece {
  const MinedRecord* mined = nullptr;
  const ContentsRow* row = nullptr;
  std::string redo, undo;
  bool goes_on = false;
  bool shows_partial_xid = false;
  std::uint32_t container = 0;  ///< whose redo it is
  std::uint32_t miner = 0;      ///< where it is mined
  std::string container_name;

  [[nodiscard]] const RedoRecord& record() const { return *mined->record; }
  [[nodiscard]] Xid xid() const {
    Xid xid = xid_of(record().transaction);
    if (shows_partial_xid) xid.sequence = 0xFFFFFFFFU;
    return xid;
  }
};

Value text_value(const std::string& s) {
  return make_text(s);
}
Value scn_or_null(Scn scn) {
  return scn == 0 ? make_null(Type::kNumber) : make_int(static_cast<std::int64_t>(scn));
}
Value date_value(std::int64_t unix_seconds) {
  if (unix_seconds == 0) return make_null(Type::kDate);
  return Value{Type::kDate, false, from_total_seconds(kEpochSeconds + unix_seconds, 0, DateTime{})};
}

std::string rs_id(const RedoAddress& a) {
  std::array<char, 40> buffer{};
  std::snprintf(buffer.data(), buffer.size(), " 0x%06x.%08x.%04x ", a.sequence, a.block, a.offset);
  return buffer.data();
}

Value xid_value(const Xid& xid) {
  std::string bytes;
  const auto put = [&](std::uint32_t value, int size) {
    for (int i = 0; i < size; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  };
  put(xid.usn, 2);
  put(xid.slot, 2);
  put(xid.sequence, 4);
  return make_text(bytes, Type::kRaw);
}

enum class Shape : std::uint8_t { kText, kNumber, kDate, kRaw };
struct ContentsColumn {
  const char* name;
  Shape shape;
  std::uint32_t bytes;
  Value (*get)(const Piece&);
};

bool has_place(const Piece& p) {
  return p.record().is_row();
}

const std::vector<ContentsColumn>& contents_columns() {
  using P = const Piece&;
  constexpr auto kN = Shape::kNumber;
  constexpr auto kT = Shape::kText;
  constexpr auto kD = Shape::kDate;
  static constexpr auto zero = [](P) { return make_int(0); };
  static constexpr auto none = [](P) { return make_null(Type::kVarchar2); };
  static constexpr auto no_number = [](P) { return make_null(Type::kNumber); };
  static const std::vector<ContentsColumn> columns = {
      {"SCN", kN, 22, [](P p) { return scn_or_null(p.record().scn); }},
      {"START_SCN", kN, 22, [](P p) { return scn_or_null(p.mined->start_scn); }},
      {"COMMIT_SCN", kN, 22, [](P p) { return scn_or_null(p.mined->commit_scn); }},
      {"TIMESTAMP", kD, 7, [](P p) { return date_value(p.record().unix_seconds); }},
      {"START_TIMESTAMP", kD, 7, [](P p) { return date_value(p.mined->start_unix); }},
      {"COMMIT_TIMESTAMP", kD, 7, [](P p) { return date_value(p.mined->commit_unix); }},
      {"XIDUSN", kN, 22, [](P p) { return make_int(p.xid().usn); }},
      {"XIDSLT", kN, 22, [](P p) { return make_int(p.xid().slot); }},
      {"XIDSQN", kN, 22, [](P p) { return make_int(p.xid().sequence); }},
      {"XID", Shape::kRaw, 8, [](P p) { return xid_value(p.xid()); }},
      {"PXIDUSN", kN, 22, [](P p) { return make_int(p.xid().usn); }},
      {"PXIDSLT", kN, 22, [](P p) { return make_int(p.xid().slot); }},
      {"PXIDSQN", kN, 22, [](P p) { return make_int(p.xid().sequence); }},
      {"PXID", Shape::kRaw, 8, [](P p) { return xid_value(p.xid()); }},
      {"TX_NAME", kT, 256, none},
      {"OPERATION", kT, 32, [](P p) { return text_value(p.row->operation); }},
      {"OPERATION_CODE", kN, 22, [](P p) { return make_int(p.row->code); }},
      {"ROLLBACK", kN, 22, [](P p) { return make_int(p.record().is_undo ? 1 : 0); }},
      {"SEG_OWNER", kT, 386, [](P p) { return text_value(p.row->owner); }},
      {"SEG_NAME", kT, 256, [](P p) { return text_value(p.row->table); }},
      {"TABLE_NAME", kT, 386, [](P p) { return text_value(p.row->table); }},
      {"SEG_TYPE", kN, 22, [](P p) { return make_int(p.row->table.empty() ? 0 : 2); }},
      {"SEG_TYPE_NAME", kT, 32,
       [](P p) { return text_value(p.row->table.empty() ? "" : "TABLE"); }},
      {"TABLE_SPACE", kT, 92, [](P p) { return text_value(has_place(p) ? "USERS" : ""); }},
      {"ROW_ID", kT, 18, [](P p) { return text_value(p.row->row_id); }},
      {"USERNAME", kT, 384,
       [](P p) { return text_value(p.record().user.empty() ? "UNKNOWN" : p.record().user); }},
      {"OS_USERNAME", kT, 4000, none},
      {"MACHINE_NAME", kT, 4000, none},
      {"AUDIT_SESSIONID", kN, 22, zero},
      {"SESSION#", kN, 22, [](P p) { return make_int(p.record().session_id); }},
      {"SERIAL#", kN, 22, zero},
      {"SESSION_INFO", kT, 4000,
       [](P p) {
         const std::string& user = p.record().user;
         return text_value(user.empty() ? "UNKNOWN" : "login_username=" + user);
       }},
      {"CLIENT_ID", kT, 64, none},
      {"THREAD#", kN, 22, [](P p) { return make_int(p.record().thread); }},
      {"SEQUENCE#", kN, 22, [](P p) { return make_int(p.row->sequence); }},
      {"RBASQN", kN, 22, [](P p) { return make_int(p.record().address.sequence); }},
      {"RBABLK", kN, 22, [](P p) { return make_int(p.record().address.block); }},
      {"RBABYTE", kN, 22, [](P p) { return make_int(p.record().address.offset); }},
      {"UBAFIL", kN, 22, zero},
      {"UBABLK", kN, 22, zero},
      {"UBAREC", kN, 22, zero},
      {"UBASQN", kN, 22, zero},
      {"ABS_FILE#", kN, 22, [](P p) { return make_int(p.record().row_id.file); }},
      {"REL_FILE#", kN, 22, [](P p) { return make_int(p.record().row_id.file); }},
      {"DATA_BLK#", kN, 22, [](P p) { return make_int(p.record().row_id.block); }},
      {"DATA_OBJ#", kN, 22,
       [](P p) {
         const auto& table = p.record().table;
         return make_int(table == nullptr ? 0 : table->object_id);
       }},
      {"DATA_OBJV#", kN, 22,
       [](P p) {
         const auto& table = p.record().table;
         return make_int(table == nullptr ? 0 : static_cast<std::int64_t>(table->layout_version));
       }},
      {"DATA_OBJD#", kN, 22, [](P p) { return make_int(p.record().row_id.object); }},
      {"SQL_REDO", kT, 4000, [](P p) { return text_value(p.redo); }},
      {"SQL_UNDO", kT, 4000, [](P p) { return text_value(p.undo); }},
      {"RS_ID", kT, 32, [](P p) { return text_value(rs_id(p.record().address)); }},
      {"SSN", kN, 22, zero},
      {"CSF", kN, 22, [](P p) { return make_int(p.goes_on ? 1 : 0); }},
      {"INFO", kT, 64, [](P p) { return text_value(p.row->info); }},
      {"STATUS", kN, 22, [](P p) { return make_int(p.row->status); }},
      {"REDO_VALUE", kN, 22, no_number},
      {"UNDO_VALUE", kN, 22, no_number},
      {"SAFE_RESUME_SCN", kN, 22, zero},
      {"CSCN", kN, 22, [](P p) { return scn_or_null(p.mined->commit_scn); }},
      {"OBJECT_ID", Shape::kRaw, 16, [](P) { return make_null(Type::kRaw); }},
      {"EDITION_NAME", kT, 256, none},
      {"CLIENT_INFO", kT, 64, none},
      {"SRC_CON_NAME", kT, 384, [](P p) { return text_value(p.container_name); }},
      {"SRC_CON_ID", kN, 22, [](P p) { return make_int(p.container); }},
      {"SRC_CON_UID", kN, 22, zero},
      {"SRC_CON_DBID", kN, 22, zero},
      {"SRC_CON_GUID", Shape::kRaw, 16, [](P) { return make_null(Type::kRaw); }},
      {"CON_ID", kN, 22, [](P p) { return make_int(p.miner); }},
  };
  return columns;
}

ColumnDef column_def(const char* name, Shape shape, std::uint32_t bytes) {
  ColumnDef c;
  c.name = name;
  c.type.type = shape == Shape::kText     ? Type::kVarchar2
                : shape == Shape::kNumber ? Type::kNumber
                : shape == Shape::kDate   ? Type::kDate
                                          : Type::kRaw;
  c.type.size_bytes = c.type.size_chars = bytes;
  return c;
}

/// What a session has that cares.
const Nls& iso_formats() {
  static const Nls nls = [] {
    Nls out;
    out.date_format = "YYYY-MM-DD HH24:MI:SS";
    out.timestamp_format = "YYYY-MM-DD HH24:MI:SS.FF9";
    out.timestamp_tz_format = "YYYY-MM-DD HH24:MI:SS.FF9 TZH:TZM";
    return out;
  }();
  return nls;
}

TextOptions text_options(const Mining& mining, const Nls& nls, const Habits& habits) {
  TextOptions text;
  text.nls = habits.session_formats ? &nls : &iso_formats();
  text.habits = &habits;
  text.delimiter = !mining.has(kNoSqlDelimiter);
  text.rowid = !mining.has(kNoRowidInStmt);
  text.plain_literals = mining.has(kStringLiteralsInStmt);
  text.pretty = mining.has(kPrintPrettySql);
  return text;
}

int major_release(const ExecContext& context) {
  return std::atoi(context.functions.database->version.c_str());
}

/// At the root, a neighbour's redo looks the same, under the same XIDs: those are given out by each
/// pluggable database.
class ContentsStream final : public RowStream {
 public:
  explicit ContentsStream(ExecContext& context)
      : context_(context),
        mining_(context.logminer->mining()),
        records_(*context.store, mining_),
        maker_(context.store->catalog(),
               text_options(*mining_, *context.functions.nls, context.store->habits()),
               mining_->has(kDictFromOnlineCatalog), major_release(context) >= kLobBlockRelease) {}

  bool next(Row& row) override {
    while (pieces_.empty()) {
      context_.check_cancel();
      if (!records_.next(mined_)) return false;
      rows_ = maker_.rows_of(*mined_.record);
      const std::uint32_t miner = context_.functions.container;
      if (miner == containers::kRoot) {
        for (const ContentsRow& r : rows_) cut(r, containers::kNeighbour);
      }
      const bool has_containers = miner != containers::kNone;
      for (const ContentsRow& r : rows_) {
        cut(r, has_containers ? containers::kPluggable : containers::kNone);
      }
    }
    const Piece piece = std::move(pieces_.front());
    pieces_.pop_front();
    const auto& columns = contents_columns();
    row.resize(columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) row[i] = columns[i].get(piece);
    return true;
  }

 private:
  void cut(const ContentsRow& r, std::uint32_t container) {
    std::string_view redo = r.sql_redo, undo = r.sql_undo;
    const bool cuts_anywhere = context_.store->habits().cut_anywhere;
    const auto take = [&](std::string_view& rest) {
      std::string piece(rest.size() <= kPieceBytes ? rest : beginning_of(rest, kPieceBytes));
      const std::size_t end = piece.find_last_of(" ,");
      const bool is_cut = piece.size() < rest.size();
      if (is_cut && !cuts_anywhere && end != std::string::npos) piece.resize(end + 1);
      rest.remove_prefix(piece.size());
      return piece;
    };
    do {
      Piece piece;
      piece.mined = &mined_;
      piece.row = &r;
      piece.redo = take(redo);
      piece.undo = take(undo);
      piece.goes_on = !redo.empty() || !undo.empty();
      piece.shows_partial_xid = mined_.record->has_partial_xid;
      piece.container = container;
      piece.miner = context_.functions.container;
      if (container != containers::kNone) {
        piece.container_name =
            containers::name_of(container, context_.functions.database->service_name);
      }
      pieces_.push_back(std::move(piece));
    } while (!redo.empty() || !undo.empty());
  }

  ExecContext& context_;
  std::shared_ptr<const Mining> mining_;
  MinedRecords records_;
  RowMaker maker_;
  MinedRecord mined_;
  std::vector<ContentsRow> rows_;
  std::deque<Piece> pieces_;
};

class ListStream final : public RowStream {
 public:
  explicit ListStream(std::deque<Row> rows) : rows_(std::move(rows)) {}
  bool next(Row& row) override {
    if (rows_.empty()) return false;
    row = std::move(rows_.front());
    rows_.pop_front();
    return true;
  }

 private:
  std::deque<Row> rows_;
};

std::unique_ptr<RowStream> log_rows(const ExecContext& context) {
  std::deque<Row> rows;
  for (const AddedLog& log : context.logminer->logs()) {
    const RedoLogInfo info = context.store->redo().info(*log.file);
    rows.push_back({make_int(log.sequence), make_text(log.name), date_value(info.first_unix),
                    date_value(info.next_unix), make_int(log.thread), make_int(log.sequence),
                    scn_or_null(info.first_scn), scn_or_null(info.next_scn),
                    make_text(log.is_online ? "ONLINE" : "ARCHIVED"),
                    make_int(static_cast<std::int64_t>(info.bytes)), make_int(0),
                    make_null(Type::kVarchar2)});
  }
  return std::make_unique<ListStream>(std::move(rows));
}

std::unique_ptr<RowStream> parameter_rows(const ExecContext& context) {
  const auto mining = context.logminer->mining();
  std::deque<Row> rows;
  rows.push_back({make_null(Type::kDate), make_null(Type::kDate), scn_or_null(mining->from),
                  scn_or_null(mining->to > INT64_MAX ? 0 : mining->to), make_null(Type::kVarchar2),
                  make_int(mining->options), make_int(0)});
  return std::make_unique<ListStream>(std::move(rows));
}

const std::vector<SessionView>& session_views() {
  static const std::vector<SessionView> views = [] {
    SessionView contents{"V$LOGMNR_CONTENTS", {}};
    for (const ContentsColumn& c : contents_columns()) {
      contents.columns.push_back(column_def(c.name, c.shape, c.bytes));
    }
    const auto number = [](const char* name) { return column_def(name, Shape::kNumber, 22); };
    const auto date = [](const char* name) { return column_def(name, Shape::kDate, 7); };
    const auto text = [](const char* name) { return column_def(name, Shape::kText, 513); };
    SessionView logs{
        "V$LOGMNR_LOGS",
        {number("LOG_ID"), text("FILENAME"), date("LOW_TIME"), date("HIGH_TIME"),
         number("THREAD_ID"), number("THREAD_SQN"), number("LOW_SCN"), number("NEXT_SCN"),
         text("TYPE"), number("FILESIZE"), number("STATUS"), text("INFO")}};
    SessionView parameters{"V$LOGMNR_PARAMETERS",
                           {date("START_DATE"), date("END_DATE"), number("START_SCN"),
                            number("END_SCN"), text("INFO"), number("OPTIONS"), number("STATUS")}};
    return std::vector<SessionView>{contents, logs, parameters};
  }();
  return views;
}

class SessionViewSource final : public RowSource {
 public:
  explicit SessionViewSource(const SessionView* view) : view_(view) {}
  std::unique_ptr<RowStream> open(ExecContext& context, const Frame*) const override {
    const std::string_view name = view_->name;
    if (name == "V$LOGMNR_LOGS") return log_rows(context);
    if (name == "V$LOGMNR_PARAMETERS") return parameter_rows(context);
    return std::make_unique<ContentsStream>(context);
  }

 private:
  const SessionView* view_;
};

}  // namespace

const SessionView* find_session_view(std::string_view name) {
  std::string wanted(name);
  if (wanted.starts_with("V_$")) wanted.erase(1, 1);
  for (const SessionView& view : session_views()) {
    if (wanted == view.name) return &view;
  }
  return nullptr;
}

std::unique_ptr<RowSource> session_view_source(const SessionView* view) {
  return std::make_unique<SessionViewSource>(view);
}

}  // namespace orasim::logminer
