// Supplemental logging and the redo log: ALTER DATABASE, ALTER TABLE and ALTER SYSTEM.
//
// Parameters that no server has, for tests (ALTER SYSTEM SET "_orasim_…" = value):
//   _orasim_log_bytes             size at which a redo log file is left
//   _orasim_<habit>               TRUE, FALSE: see store/habits.h
//   _orasim_delete_archived_log   sequence: deleted as RMAN does, DELETED = YES
//   _orasim_lose_archived_log     sequence: removed from the disk, which no view shows; both take
//                                 'thread:sequence' too
//   _orasim_reset_logs            TRUE: as OPEN RESETLOGS of a restored database leaves it
#include <charconv>

#include "exec/ddl_parser.h"
#include "store/redo_log.h"

namespace orasim {

/// (PRIMARY KEY) COLUMNS and its like; nullopt: minimal.
std::optional<LogGroupKind> DdlParser::logged_columns() {
  if (!p_.accept_symbol("(")) return std::nullopt;
  LogGroupKind kind = LogGroupKind::kAll;
  if (p_.accept_words({"PRIMARY", "KEY"})) {
    kind = LogGroupKind::kPrimaryKey;
  } else if (p_.accept("UNIQUE")) {
    p_.accept("INDEX");
    kind = LogGroupKind::kUnique;
  } else if (p_.accept_words({"FOREIGN", "KEY"})) {
    kind = LogGroupKind::kForeignKey;
  } else {
    p_.expect("ALL");
  }
  p_.expect_symbol(")", 907);
  p_.expect("COLUMNS");
  return kind;
}

void DdlParser::log_group(LogGroupDef& group) {
  group.name = p_.identifier().text;
  p_.expect_symbol("(", 906);
  do {
    group.columns.push_back(p_.identifier().text);
    p_.accept_words({"NO", "LOG"});
  } while (p_.accept_symbol(","));
  p_.expect_symbol(")", 907);
  group.always = p_.accept("ALWAYS");
}

/// Behind ADD or DROP SUPPLEMENTAL LOG of a table.
void DdlParser::supplemental(const ObjectName& table, bool adds) {
  do {
    p_.accept("SUPPLEMENTAL");
    p_.expect("LOG");
    LogGroupDef group;
    if (p_.accept("GROUP")) {
      if (adds) {
        log_group(group);
      } else {
        group.name = p_.identifier().text;
      }
    } else {
      p_.expect("DATA");
      const auto kind = logged_columns();
      if (!kind) p_.fail(906);
      group.kind = *kind;
      group.always = *kind == LogGroupKind::kAll || *kind == LogGroupKind::kPrimaryKey;
    }
    edit([&](Catalog& c) {
      if (adds) {
        ddl::add_log_group(c, table.owner, table.name, group);
      } else {
        ddl::drop_log_group(c, table.owner, table.name, group.kind, group.name);
      }
    });
  } while (p_.accept_symbol(","));
  p_.expect_end();
}

void DdlParser::database_supplemental(bool adds) {
  const auto level = logged_columns();
  p_.expect_end();
  edit([&](Catalog& c) {
    SupplementalLogging& s = c.supplemental;
    if (!level) {
      s.minimal = adds;
      return;
    }
    switch (*level) {
      case LogGroupKind::kPrimaryKey:
        s.primary_key = adds;
        break;
      case LogGroupKind::kUnique:
        s.unique = adds;
        break;
      case LogGroupKind::kForeignKey:
        s.foreign_key = adds;
        break;
      default:
        s.all = adds;
    }
  });
}

/// False: the statement is not about the redo log.
bool DdlParser::alter_log() {
  for (const bool adds : {true, false}) {
    if (!p_.accept_words({"DATABASE", adds ? "ADD" : "DROP", "SUPPLEMENTAL", "LOG", "DATA"}))
      continue;
    database_supplemental(adds);
    return true;
  }
  for (const bool is_on : {true, false}) {
    const bool is_this = is_on ? p_.accept_words({"DATABASE", "FORCE", "LOGGING"})
                               : p_.accept_words({"DATABASE", "NO", "FORCE", "LOGGING"});
    if (!is_this) continue;
    p_.expect_end();
    edit([&](Catalog& c) { c.supplemental.force_logging = is_on; });
    return true;
  }
  if (p_.accept_words({"SYSTEM", "SWITCH", "LOGFILE"})) {
    p_.expect_end();
    env_.store->switch_log(env_.text.session_id);
    return true;
  }
  const bool switches_all = p_.accept_words({"SYSTEM", "SWITCH", "ALL", "LOGFILE"}) ||
                            p_.accept_words({"SYSTEM", "ARCHIVE", "LOG", "CURRENT"});
  if (switches_all) {
    p_.expect_end();
    env_.store->switch_all_logs();
    return true;
  }
  if (alter_thread()) return true;
  return p_.is_word("SYSTEM") && p_.is_word("SET", 1) && alter_system_setting();
}

/// Another instance begins or ends.
bool DdlParser::alter_thread() {
  const bool enables = p_.accept_words({"DATABASE", "ENABLE", "PUBLIC", "THREAD"}) ||
                       p_.accept_words({"DATABASE", "ENABLE", "THREAD"});
  if (!enables && !p_.accept_words({"DATABASE", "DISABLE", "THREAD"})) return false;
  const std::string number = p_.take().text;
  p_.expect_end();
  const auto parsed = Number::parse(number);
  const auto thread = static_cast<std::uint32_t>(parsed ? parsed->to_int().value_or(0) : 0);
  const bool is_done =
      enables ? env_.store->redo().enable_thread(thread) : env_.store->disable_thread(thread);
  if (is_done) return true;
  raise_text(enables ? 1612 : 1614, "instance (thread " + number + ") is " +
                                        (enables ? "already enabled" : "busy - cannot disable"));
}

bool DdlParser::alter_system_setting() {
  constexpr int kValueAt = 3;
  const std::string name = p_.peek(2).text;
  constexpr std::string_view kPrefix = "_orasim_";
  if (!name.starts_with(kPrefix)) return false;
  for (int i = 0; i < kValueAt; ++i) p_.take();
  p_.expect_symbol("=", 927);
  const std::string value = p_.take().text;
  p_.expect_end();
  RedoLog& redo = env_.store->redo();
  const auto number = [&] {
    const auto parsed = Number::parse(value);
    const auto integer = parsed ? parsed->to_int() : std::nullopt;
    if (!integer || *integer < 0) raise(2017);
    return static_cast<std::uint64_t>(*integer);
  };
  // "sequence" of thread 1, or "'thread:sequence'".
  const auto remove = [&](bool known) {
    std::uint32_t thread = 1, sequence = 0;
    const std::size_t colon = value.find(':');
    const std::size_t at = colon == std::string::npos ? 0 : colon + 1;
    const char* const end = value.data() + value.size();
    if (at != 0) std::from_chars(value.data(), value.data() + colon, thread);
    std::from_chars(value.data() + at, end, sequence);
    if (redo.delete_archived(thread, sequence, known)) return;
    raise_text(2017, "no archived log of sequence " + value);
  };
  if (Habits::Flag* const habit = env_.store->habits().find(name.substr(kPrefix.size()))) {
    *habit = value == "TRUE";
  } else if (name == "_orasim_log_bytes") {
    redo.set_file_bytes(number());
  } else if (name == "_orasim_delete_archived_log") {
    remove(true);
  } else if (name == "_orasim_lose_archived_log") {
    remove(false);
  } else if (name == "_orasim_reset_logs") {
    redo.reset_logs();
  } else {
    raise_text(2065, "illegal option for ALTER SYSTEM");
  }
  return true;
}

}  // namespace orasim
