// The redo log as views: V$LOG, V$LOGFILE, V$ARCHIVED_LOG, V$LOG_HISTORY, V$THREAD,
// V$ARCHIVE_DEST_STATUS, V$DATABASE_INCARNATION; LOG_GROUPS and LOG_GROUP_COLUMNS.
#include <algorithm>
#include <ctime>
#include <map>

#include "store/dictionary_builder.h"
#include "store/redo_log.h"
#include "store/redo_names.h"

namespace orasim::dictionary {
namespace {

using Context = DictionaryContext;

/// NEXT_CHANGE# of a log that has no end yet, as releases from 12.2 on show it.
const Value& open_end() {
  static const Value value = make_number(*Number::parse("18446744073709551615"));
  return value;
}

Value scn_value(Scn scn) {
  return number(static_cast<std::int64_t>(scn));
}

struct File {
  RedoLogInfo info;
  std::uint32_t newest = 0, group = 0;
  [[nodiscard]] const char* status() const {
    if (info.sequence == 0) return "UNUSED";
    return info.sequence == newest && !info.is_archived ? "CURRENT" : "INACTIVE";
  }
};
using Visit = std::function<bool(const File&)>;

void visit_files(const Context& c, bool online, const Visit& visit) {
  std::map<std::uint32_t, std::uint32_t> newest;
  const std::vector<RedoLogInfo> files = c.store.redo().files();
  for (const RedoLogInfo& info : files) newest[info.thread] = info.sequence;
  for (const RedoLogInfo& info : files) {
    const File file{info, newest[info.thread], RedoLog::group_of(info.thread, info.sequence)};
    const bool wanted = online ? info.sequence + RedoLog::kGroups > file.newest : info.is_archived;
    if (wanted && !visit(file)) return;
  }
}

/// Groups by number; those never used too.
void visit_groups(const Context& c, const Visit& visit) {
  std::map<std::uint32_t, File> groups;
  for (const RedoThreadInfo& thread : c.store.redo().threads()) {
    for (std::uint32_t i = 1; i <= RedoLog::kGroups; ++i) {
      File file;
      file.info.thread = thread.number;
      file.group = RedoLog::group_of(thread.number, i);
      groups[file.group] = file;
    }
  }
  visit_files(c, true, [&](const File& f) {
    groups[f.group] = f;
    return true;
  });
  for (const auto& [number, file] : groups) {
    if (!visit(file)) return;
  }
}

void visit_archived(const Context& c, const Visit& visit) {
  visit_files(c, false, visit);
}

Column<File> next_change(const char* name) {
  return {name, Kind::kNumber, [](const File& f, const Context&) {
            if (f.info.sequence == 0) return number(0);
            return f.info.next_scn == 0 ? open_end() : scn_value(f.info.next_scn);
          }};
}
Column<File> next_time(const char* name) {
  return {name, Kind::kDate, [](const File& f, const Context&) { return date(f.info.next_unix); }};
}
Column<File> first_time() {
  return {"FIRST_TIME", Kind::kDate,
          [](const File& f, const Context&) { return date(f.info.first_unix); }};
}
Column<File> first_change(const char* name) {
  return number_of<File>(name, [](const File& f) { return f.info.first_scn; });
}
Column<File> sequence() {
  return number_of<File>("SEQUENCE#", [](const File& f) { return f.info.sequence; });
}
Column<File> thread() {
  return number_of<File>("THREAD#", [](const File& f) { return f.info.thread; });
}
Column<File> resetlogs_change() {
  return {"RESETLOGS_CHANGE#", Kind::kNumber, [](const File&, const Context& c) {
            return scn_value(c.store.identity().resetlogs_scn);
          }};
}
Column<File> resetlogs_time() {
  return {"RESETLOGS_TIME", Kind::kDate,
          [](const File&, const Context& c) { return date(c.store.identity().created_unix); }};
}

void add_online(Registry& r) {
  r.add<File>(
      "V$LOG", visit_groups,
      {number_of<File>("GROUP#", [](const File& f) { return f.group; }),
       thread(),
       sequence(),
       {"BYTES", Kind::kNumber,
        [](const File&, const Context& c) {
          return number(static_cast<std::int64_t>(c.store.redo().file_bytes()));
        }},
       fixed_number<File>("BLOCKSIZE", RedoLog::kBlockBytes),
       fixed_number<File>("MEMBERS", 1),
       text_of<File>("ARCHIVED", [](const File& f) { return f.info.is_archived ? "YES" : "NO"; }),
       text_of<File>("STATUS", [](const File& f) { return f.status(); }),
       first_change("FIRST_CHANGE#"),
       first_time(),
       next_change("NEXT_CHANGE#"),
       next_time("NEXT_TIME"),
       fixed_number<File>("CON_ID", 0)});
  r.add<File>(
      "V$LOGFILE", visit_groups,
      {number_of<File>("GROUP#", [](const File& f) { return f.group; }),
       empty<File>("STATUS", Kind::kText), fixed<File>("TYPE", "ONLINE"),
       text_of<File>("MEMBER", [](const File& f) { return redo_names::online_member(f.group); }),
       fixed<File>("IS_RECOVERY_DEST_FILE", "NO"), fixed_number<File>("CON_ID", 0)});
}

void add_archived(Registry& r) {
  r.add<File>(
      "V$ARCHIVED_LOG", visit_archived,
      {number_of<File>("RECID", [](const File& f) { return f.info.sequence; }),
       {"STAMP", Kind::kNumber,
        [](const File& f, const Context&) { return number(f.info.next_unix); }},
       {"NAME", Kind::kText,
        [](const File& f, const Context& c) {
          if (f.info.is_deleted) return null();
          return text(redo_names::archived(f.info.thread, f.info.sequence, c.store.identity()));
        }},
       fixed_number<File>("DEST_ID", 1),
       thread(),
       sequence(),
       resetlogs_change(),
       resetlogs_time(),
       first_change("FIRST_CHANGE#"),
       first_time(),
       next_change("NEXT_CHANGE#"),
       next_time("NEXT_TIME"),
       number_of<File>("BLOCKS", [](const File& f) { return f.info.bytes / RedoLog::kBlockBytes; }),
       fixed_number<File>("BLOCK_SIZE", RedoLog::kBlockBytes),
       fixed<File>("CREATOR", "ARCH"),
       fixed<File>("REGISTRAR", "ARCH"),
       fixed<File>("STANDBY_DEST", "NO"),
       fixed<File>("ARCHIVED", "YES"),
       fixed<File>("APPLIED", "NO"),
       text_of<File>("DELETED", [](const File& f) { return f.info.is_deleted ? "YES" : "NO"; }),
       text_of<File>("STATUS", [](const File& f) { return f.info.is_deleted ? "D" : "A"; }),
       next_time("COMPLETION_TIME"),
       fixed<File>("DICTIONARY_BEGIN", "NO"),
       fixed<File>("DICTIONARY_END", "NO"),
       fixed_number<File>("CON_ID", 0)});
  r.add<File>("V$LOG_HISTORY", visit_archived,
              {number_of<File>("RECID", [](const File& f) { return f.info.sequence; }), thread(),
               sequence(), first_change("FIRST_CHANGE#"), first_time(), next_change("NEXT_CHANGE#"),
               resetlogs_change(), resetlogs_time(), fixed_number<File>("CON_ID", 0)});
}

struct Once {};
void visit_once(const Context&, const std::function<bool(const Once&)>& visit) {
  visit(Once{});
}

std::string instance_name(const Context& c) {
  return c.service_name.substr(0, std::min<std::size_t>(8, c.service_name.find('.')));
}

template <class Get>
Column<Once> once_number(const char* name, Get get) {
  return {name, Kind::kNumber, [get](const Once&, const Context& c) {
            return number(static_cast<std::int64_t>(get(c)));
          }};
}

void visit_threads(const Context& c, const std::function<bool(const RedoThreadInfo&)>& visit) {
  for (const RedoThreadInfo& thread : c.store.redo().threads()) {
    if (!visit(thread)) return;
  }
}

/// An instance writes what it has every few seconds at least; until then its thread seems to end at
/// its last record. A database with one thread has no others to wait for.
Scn last_redo_scn(const RedoThreadInfo& thread, const Context& c) {
  constexpr std::int64_t kPulseSecs = 3;
  if (!thread.is_enabled) return thread.disable_scn;
  const Scn now = c.store.current_scn();
  if (c.store.redo().threads().size() == 1) return now;
  const std::int64_t second = std::time(nullptr);
  const Scn pulse = c.store.scn_at(second - second % kPulseSecs).value_or(0);
  return std::max(thread.last_scn, pulse);
}

template <class Get>
Column<RedoThreadInfo> thread_number(const char* name, Get get) {
  return {name, Kind::kNumber, [get](const RedoThreadInfo& thread, const Context& c) {
            return number(static_cast<std::int64_t>(get(thread, c)));
          }};
}

void add_thread(Registry& r) {
  using T = RedoThreadInfo;
  std::vector<Column<T>> columns = {
      number_of<T>("THREAD#", [](const T& t) { return t.number; }),
      text_of<T>("STATUS", [](const T& t) { return t.is_enabled ? "OPEN" : "CLOSED"; }),
      text_of<T>("ENABLED", [](const T& t) { return t.is_enabled ? "PUBLIC" : "DISABLED"; }),
      fixed_number<T>("GROUPS", RedoLog::kGroups),
      {"INSTANCE", Kind::kText,
       [](const T& t, const Context& c) {
         return text(instance_name(c) + (t.number == 1 ? "" : std::to_string(t.number)));
       }},
      {"OPEN_TIME", Kind::kDate,
       [](const T&, const Context& c) { return date(c.store.identity().created_unix); }},
      number_of<T>("CURRENT_GROUP#",
                   [](const T& t) { return RedoLog::group_of(t.number, t.end.sequence); }),
      number_of<T>("SEQUENCE#", [](const T& t) { return t.end.sequence; }),
      thread_number("CHECKPOINT_CHANGE#", last_redo_scn),
      number_of<T>("ENABLE_CHANGE#", [](const T& t) { return t.enable_scn; }),
      {"ENABLE_TIME", Kind::kDate,
       [](const T& t, const Context& c) {
         return date(c.store.time_of(t.enable_scn).value_or(c.store.identity().created_unix));
       }},
      number_of<T>("DISABLE_CHANGE#", [](const T& t) { return t.disable_scn; }),
      {"DISABLE_TIME", Kind::kDate,
       [](const T& t, const Context& c) {
         return t.disable_scn == 0 ? null() : date(c.store.time_of(t.disable_scn).value_or(0));
       }},
      number_of<T>("LAST_REDO_SEQUENCE#", [](const T& t) { return t.end.sequence; }),
      number_of<T>("LAST_REDO_BLOCK", [](const T& t) { return t.end.block; }),
      thread_number("LAST_REDO_CHANGE#", last_redo_scn),
      {"LAST_REDO_TIME", Kind::kDate,
       [](const T& t, const Context& c) {
         return date(c.store.time_of(last_redo_scn(t, c)).value_or(0));
       }},
      fixed_number<T>("CON_ID", 0)};
  r.add<T>("V$THREAD", visit_threads, columns);
  columns.insert(columns.begin(), fixed_number<T>("INST_ID", 1));
  r.add<T>("GV$THREAD", visit_threads, columns);
  r.add<Once>("V$ARCHIVE_DEST_STATUS", visit_once,
              {fixed_number<Once>("DEST_ID", 1), fixed<Once>("DEST_NAME", "LOG_ARCHIVE_DEST_1"),
               fixed<Once>("STATUS", "VALID"), fixed<Once>("TYPE", "LOCAL"),
               fixed<Once>("DATABASE_MODE", "OPEN"), fixed<Once>("ERROR", ""),
               fixed_number<Once>("CON_ID", 0)});
  r.add<Once>(
      "V$DATABASE_INCARNATION", visit_once,
      {fixed_number<Once>("INCARNATION#", 1),
       once_number("RESETLOGS_CHANGE#",
                   [](const Context& c) { return c.store.identity().resetlogs_scn; }),
       {"RESETLOGS_TIME", Kind::kDate,
        [](const Once&, const Context& c) { return date(c.store.identity().created_unix); }},
       fixed_number<Once>("PRIOR_RESETLOGS_CHANGE#", 0),
       empty<Once>("PRIOR_RESETLOGS_TIME", Kind::kDate),
       fixed<Once>("STATUS", "CURRENT"),
       once_number("RESETLOGS_ID", [](const Context& c) { return c.store.identity().database_id; }),
       fixed_number<Once>("PRIOR_INCARNATION#", 0),
       fixed_number<Once>("CON_ID", 0)});
}

struct Group {
  const TableDef* table = nullptr;
  const LogGroupDef* group = nullptr;
  std::size_t position = 0;
};

void visit_log_groups(const Context& c, const std::function<bool(const Group&)>& visit) {
  for (const auto& [name, table] : c.catalog.tables) {
    for (const LogGroupDef& group : table->log_groups) {
      if (!visit({table.get(), &group, 0})) return;
    }
  }
}

void visit_log_columns(const Context& c, const std::function<bool(const Group&)>& visit) {
  visit_log_groups(c, [&](const Group& g) {
    for (std::size_t i = 0; i < g.group->columns.size(); ++i) {
      if (!visit({g.table, g.group, i})) return false;
    }
    return true;
  });
}

const char* group_type(const Group& g) {
  switch (g.group->kind) {
    case LogGroupKind::kAll:
      return "ALL COLUMN LOGGING";
    case LogGroupKind::kPrimaryKey:
      return "PRIMARY KEY LOGGING";
    case LogGroupKind::kUnique:
      return "UNIQUE KEY LOGGING";
    case LogGroupKind::kForeignKey:
      return "FOREIGN KEY LOGGING";
    case LogGroupKind::kUser:
      break;
  }
  return "USER LOG GROUP";
}

void add_log_groups(Registry& r) {
  const auto owner = [](const Group& g) { return g.table->owner; };
  const auto about = [](const Group& g) { return ObjectName{g.table->owner, g.table->name}; };
  const auto name = text_of<Group>("LOG_GROUP_NAME", [](const Group& g) { return g.group->name; });
  const auto table = text_of<Group>("TABLE_NAME", [](const Group& g) { return g.table->name; });
  r.add_family<Group>(
      "LOG_GROUPS", visit_log_groups,
      {text_of<Group>("OWNER", owner), name, table, text_of<Group>("LOG_GROUP_TYPE", group_type),
       text_of<Group>("ALWAYS",
                      [](const Group& g) { return g.group->always ? "ALWAYS" : "CONDITIONAL"; }),
       text_of<Group>("GENERATED",
                      [](const Group& g) {
                        return g.group->generated_name ? "GENERATED NAME" : "USER NAME";
                      })},
      owner, {}, about);
  r.add_family<Group>(
      "LOG_GROUP_COLUMNS", visit_log_columns,
      {text_of<Group>("OWNER", owner), name, table,
       text_of<Group>("COLUMN_NAME", [](const Group& g) { return g.group->columns[g.position]; }),
       number_of<Group>("POSITION", [](const Group& g) { return g.position + 1; }),
       fixed<Group>("LOGGING_PROPERTY", "LOG")},
      owner, {}, about);
}

}  // namespace

void add_redo_views(Registry& r) {
  add_online(r);
  add_archived(r);
  add_thread(r);
  add_log_groups(r);
}

}  // namespace orasim::dictionary
