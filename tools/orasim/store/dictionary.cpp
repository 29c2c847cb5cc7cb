#include "store/dictionary.h"

#include "engine/calendar.h"
#include "store/dictionary_builder.h"

namespace orasim {
namespace dictionary {
namespace {

constexpr std::int64_t kUnixEpochJulianDay = 2440588;
constexpr std::int64_t kSecondsPerDay = 86400;

}  // namespace

Value text(std::string_view s) {
  return make_text(std::string(s));
}
Value long_text(std::string_view s) {
  return make_text(std::string(s), Type::kLong);
}
Value number(std::int64_t n) {
  return make_int(n);
}
Value number_or_null(bool present, std::int64_t n) {
  return present ? make_int(n) : make_null(Type::kNumber);
}
Value yes_no(bool b) {
  return text(b ? "YES" : "NO");
}
Value y_n(bool b) {
  return text(b ? "Y" : "N");
}
Value null() {
  return make_null(Type::kVarchar2);
}

Value date(std::int64_t unix_seconds) {
  if (unix_seconds == 0) return make_null(Type::kDate);
  const std::int64_t days = unix_seconds / kSecondsPerDay;
  const std::int64_t rest = unix_seconds % kSecondsPerDay;
  DateTime t = from_julian_day(kUnixEpochJulianDay + days);
  t.hour = static_cast<std::uint8_t>(rest / 3600);
  t.minute = static_cast<std::uint8_t>(rest / 60 % 60);
  t.second = static_cast<std::uint8_t>(rest % 60);
  return Value{Type::kDate, false, t};
}

ColumnDef Registry::define(const char* name, Kind kind) {
  ColumnDef column;
  column.name = name;
  DataType& t = column.type;
  switch (kind) {
    case Kind::kText:
      t.size_bytes = t.size_chars = 4000;
      break;
    case Kind::kLong:
      t.type = Type::kLong;
      break;
    case Kind::kClob:
      t.type = Type::kClob;
      t.size_bytes = 4000;
      break;
    case Kind::kNumber:
      t.type = Type::kNumber;
      t.size_bytes = 22;
      break;
    case Kind::kDate:
      t.type = Type::kDate;
      t.size_bytes = 7;
      break;
    case Kind::kRaw:
      t.type = Type::kRaw;
      t.size_bytes = 8;
      break;
  }
  return column;
}

Registry& Registry::instance() {
  static Registry registry;
  return registry;
}

Registry::Registry() {
  add_table_views(*this);
  add_column_views(*this);
  add_constraint_views(*this);
  add_index_views(*this);
  add_code_views(*this);
  add_object_views(*this);
  add_storage_views(*this);
  add_user_views(*this);
  add_privilege_views(*this);
  add_nls_views(*this);
  add_instance_views(*this);
  add_session_views(*this);
  add_user_type_views(*this);
  add_redo_views(*this);
  add_empty_views(*this);
  for (const auto& [name, of] : {std::pair{"TABS", "USER_TABLES"},
                                 {"COLS", "USER_TAB_COLUMNS"},
                                 {"OBJ", "USER_OBJECTS"},
                                 {"IND", "USER_INDEXES"},
                                 {"SEQ", "USER_SEQUENCES"},
                                 {"SYN", "USER_SYNONYMS"},
                                 {"CAT", "USER_CATALOG"},
                                 {"DICT", "DICTIONARY"}}) {
    alias(name, of);
  }
}

const DictionaryView* Registry::find(std::string_view name) const {
  std::string wanted(name);
  if (wanted.starts_with("V_$")) wanted.erase(1, 1);
  if (wanted.starts_with("GV_$")) wanted.erase(2, 1);
  if (const auto at = aliases_.find(wanted); at != aliases_.end()) wanted = at->second;
  const auto at = views_.find(wanted);
  return at == views_.end() ? nullptr : &at->second;
}

}  // namespace dictionary

const DictionaryView* find_dictionary_view(std::string_view name) {
  return dictionary::Registry::instance().find(name);
}

bool may_read_view(const DictionaryView& view, const Access& access) {
  // V$ views that PUBLIC may read in every database.
  static const std::set<std::string_view> kPublic = {
      "V$VERSION",        "V$OPTION",        "V$NLS_PARAMETERS",       "V$NLS_VALID_VALUES",
      "V$TIMEZONE_NAMES", "V$TIMEZONE_FILE", "V$SESSION_CONNECT_INFO", "V$SESSION_LONGOPS"};
  const std::string_view name = view.name;
  const bool is_dynamic = name.starts_with("V$") || name.starts_with("GV$");
  const bool is_guarded = is_dynamic ? !kPublic.contains(name) : name.starts_with("DBA_");
  if (!is_guarded || access.reads_dictionary()) return true;
  std::string stored(name);
  if (is_dynamic) stored.insert(stored.find('$'), "_");
  return access.may(ObjectKind::kView, "SYS", stored, "READ");
}

const std::vector<const DictionaryView*>& dictionary_views() {
  return dictionary::Registry::instance().list();
}

}  // namespace orasim
