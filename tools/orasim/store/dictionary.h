// Dictionary and V$ views as row producers over the catalog and the store; the SQL layer uses them
// as tables of SYS that every user may read under their bare name.
//
// ALL_, USER_ and DBA_ forms share one producer: USER_ has no OWNER column and shows the session
// user's objects; ALL_ shows what the user has a right on. Who may name a view at all is said by
// may_read_view().
// Threads: producers read immutable catalogs and the thread-safe store.
// Facts: Oracle Database Reference, "Static Data Dictionary Views" and "Dynamic Performance Views".
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/store.h"

namespace orasim {

struct SessionInfo {
  std::uint32_t session_id = 0, serial_number = 0;
  std::string user, program, machine, os_user, terminal, process, module, action, schema;
  std::string client_identifier, client_info;
  std::string status = "INACTIVE";  ///< ACTIVE, INACTIVE
  std::int64_t logon_unix_seconds = 0;
};

/// All that a producer may look at. The vectors belong to the caller and may be empty.
struct DictionaryContext {
  const Catalog& catalog;
  const Store& store;
  std::string user;  ///< session user, for USER_ views
  std::uint32_t session_id = 0;
  std::string service_name = "SIM";
  std::string version = "19.22.0.0.0";     ///< what V$VERSION and V$INSTANCE say
  std::string emulate = "19";              ///< 12.2 | 19 | 23
  std::vector<SessionInfo> sessions = {};  ///< V$SESSION
  /// NLS settings of the session that differ from the defaults: name, value.
  std::vector<std::pair<std::string, std::string>> nls_session = {};
  bool extended_strings = true;  ///< MAX_STRING_SIZE
  std::uint32_t container = 0;   ///< CON_ID of the session; see engine/containers.h
};

/// Takes one row; values in the order of DictionaryView::columns. False: stop producing.
using RowSink = std::function<bool(const Row&)>;

struct DictionaryView {
  std::string name;  ///< ALL_TABLES, V$DATABASE, …
  std::vector<ColumnDef> columns;
  std::function<void(const DictionaryContext&, const RowSink&)> produce;
};

/// `name` in upper case without SYS.; V_$X finds V$X, TABS and such finds the view behind the
/// public synonym. nullptr: no such view. The pointer stays valid for the life of the process.
const DictionaryView* find_dictionary_view(std::string_view name);
/// Views of one's own rights and objects are everybody's; DBA_ and V$ ones need the dictionary's
/// privileges or a grant on the view itself, which V$ views have under their name V_$.
bool may_read_view(const DictionaryView& view, const Access& access);
/// Every view, by name.
const std::vector<const DictionaryView*>& dictionary_views();

}  // namespace orasim
