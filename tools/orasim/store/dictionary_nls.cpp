// NLS settings of session, instance and database; an American database.
#include <algorithm>

#include "engine/charset.h"
#include "store/dictionary_builder.h"

namespace orasim::dictionary {
namespace {

using Context = DictionaryContext;
using Setting = std::pair<std::string, std::string>;

const std::vector<Setting>& defaults() {
  static const std::vector<Setting> list = {
      {"NLS_LANGUAGE", "AMERICAN"},
      {"NLS_TERRITORY", "AMERICA"},
      {"NLS_CURRENCY", "$"},
      {"NLS_ISO_CURRENCY", "AMERICA"},
      {"NLS_NUMERIC_CHARACTERS", ".,"},
      {"NLS_CALENDAR", "GREGORIAN"},
      {"NLS_DATE_FORMAT", "DD-MON-RR"},
      {"NLS_DATE_LANGUAGE", "AMERICAN"},
      {"NLS_SORT", "BINARY"},
      {"NLS_TIME_FORMAT", "HH.MI.SSXFF AM"},
      {"NLS_TIMESTAMP_FORMAT", "DD-MON-RR HH.MI.SSXFF AM"},
      {"NLS_TIME_TZ_FORMAT", "HH.MI.SSXFF AM TZR"},
      {"NLS_TIMESTAMP_TZ_FORMAT", "DD-MON-RR HH.MI.SSXFF AM TZR"},
      {"NLS_DUAL_CURRENCY", "$"},
      {"NLS_COMP", "BINARY"},
      {"NLS_LENGTH_SEMANTICS", "BYTE"},
      {"NLS_NCHAR_CONV_EXCP", "FALSE"}};
  return list;
}

std::vector<Setting> session_settings(const Context& c) {
  std::vector<Setting> list = defaults();
  for (const Setting& own : c.nls_session) {
    for (Setting& s : list) {
      if (s.first == own.first) s.second = own.second;
    }
  }
  return list;
}

std::string full_version(const Context& c) {
  // The part of the version that NLS_RDBMS_VERSION shows never moves with release updates.
  return c.version.substr(0, c.version.find('.')) + ".0.0.0.0";
}

std::vector<Setting> database_settings(const Context& c) {
  std::vector<Setting> list = {{"NLS_RDBMS_VERSION", full_version(c)},
                               {"NLS_NCHAR_CONV_EXCP", "FALSE"},
                               {"NLS_NCHAR_CHARACTERSET", "AL16UTF16"},
                               {"NLS_CHARACTERSET", std::string(database_charset().name)}};
  for (const Setting& s : defaults()) {
    if (s.first != "NLS_NCHAR_CONV_EXCP") list.push_back(s);
  }
  return list;
}

using Make = std::vector<Setting> (*)(const Context&);

Items<Setting> items(Make make) {
  return [make](const Context& c, const std::function<bool(const Setting&)>& visit) {
    for (const Setting& s : make(c)) {
      if (!visit(s)) return;
    }
  };
}

std::vector<Column<Setting>> columns() {
  return {text_of<Setting>("PARAMETER", [](const Setting& s) { return s.first; }),
          text_of<Setting>("VALUE", [](const Setting& s) { return s.second; })};
}

}  // namespace

void add_nls_views(Registry& r) {
  r.add<Setting>("NLS_SESSION_PARAMETERS", items(session_settings), columns());
  r.add<Setting>("NLS_DATABASE_PARAMETERS", items(database_settings), columns());
  r.add<Setting>("NLS_INSTANCE_PARAMETERS", items([](const Context&) { return defaults(); }),
                 columns());
  r.add<Setting>("DATABASE_PROPERTIES", items([](const Context& c) {
                   std::vector<Setting> list = database_settings(c);
                   list.insert(list.begin(), {{"DEFAULT_TEMP_TABLESPACE", "TEMP"},
                                              {"DEFAULT_PERMANENT_TABLESPACE", "USERS"},
                                              {"DBTIMEZONE", "+00:00"}});
                   return list;
                 }),
                 {text_of<Setting>("PROPERTY_NAME", [](const Setting& s) { return s.first; }),
                  text_of<Setting>("PROPERTY_VALUE", [](const Setting& s) { return s.second; }),
                  empty<Setting>("DESCRIPTION", Kind::kText)});
  auto dynamic = columns();
  dynamic.push_back(fixed_number<Setting>("CON_ID", 0));
  r.add<Setting>(
      "V$NLS_PARAMETERS", items([](const Context& c) {
        std::vector<Setting> list = session_settings(c);
        list.insert(list.begin() + 9, {{"NLS_CHARACTERSET", std::string(database_charset().name)}});
        list.push_back({"NLS_NCHAR_CHARACTERSET", "AL16UTF16"});
        return list;
      }),
      dynamic);
}

}  // namespace orasim::dictionary
