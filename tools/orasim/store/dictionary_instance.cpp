// V$DATABASE, V$INSTANCE, V$VERSION, PRODUCT_COMPONENT_VERSION, V$PARAMETER.
#include <algorithm>

#include "engine/containers.h"
#include "store/compatible.h"
#include "store/dictionary_builder.h"

namespace orasim::dictionary {
namespace {

using Context = DictionaryContext;
struct One {};

void visit_one(const Context&, const std::function<bool(const One&)>& visit) {
  visit(One{});
}

template <class Get>
Column<One> text_from(const char* name, Get get) {
  return {name, Kind::kText, [get](const One&, const Context& c) { return text(get(c)); }};
}
template <class Get>
Column<One> number_from(const char* name, Get get) {
  return {name, Kind::kNumber, [get](const One&, const Context& c) {
            return number(static_cast<std::int64_t>(get(c)));
          }};
}
template <class Get>
Column<One> date_from(const char* name, Get get) {
  return {name, Kind::kDate, [get](const One&, const Context& c) { return date(get(c)); }};
}

std::string database_name(const Context& c) {
  return c.service_name.substr(0, std::min<std::size_t>(8, c.service_name.find('.')));
}
Scn start_scn(const Context& c) {
  return c.store.identity().resetlogs_scn;
}
std::int64_t start_time(const Context& c) {
  return c.store.identity().created_unix;
}

std::string short_version(const Context& c) {
  return c.version.substr(0, c.version.find('.')) + ".0.0.0.0";
}
std::string product(const Context& c) {
  if (c.emulate.starts_with("23")) return "Oracle Database 23ai Free";
  const std::string major = c.version.substr(0, c.version.find('.'));
  return "Oracle Database " + major + "c Enterprise Edition";
}
std::string banner(const Context& c) {
  const bool free = c.emulate.starts_with("23");
  return product(c) + " Release " + short_version(c) +
         (free ? " - Develop, Learn, and Run for Free" : " - Production");
}

const char* minimal_logging(const Context& c) {
  const SupplementalLogging& s = c.catalog.supplemental;
  if (s.minimal) return "YES";
  return s.is_on() ? "IMPLICIT" : "NO";
}

Column<One> supplemental(const char* name, bool SupplementalLogging::*level) {
  return {name, Kind::kText, [level](const One&, const Context& c) {
            return text(c.catalog.supplemental.*level ? "YES" : "NO");
          }};
}

void add_database(Registry& r) {
  r.add<One>(
      "V$DATABASE", visit_one,
      {number_from("DBID", [](const Context& c) { return c.store.identity().database_id; }),
       text_from("NAME", database_name),
       date_from("CREATED", start_time),
       number_from("RESETLOGS_CHANGE#", start_scn),
       date_from("RESETLOGS_TIME", start_time),
       fixed_number<One>("PRIOR_RESETLOGS_CHANGE#", 1),
       date_from("PRIOR_RESETLOGS_TIME", start_time),
       fixed<One>("LOG_MODE", "ARCHIVELOG"),
       number_from("CHECKPOINT_CHANGE#", [](const Context& c) { return c.store.current_scn(); }),
       number_from("ARCHIVE_CHANGE#", start_scn),
       fixed<One>("CONTROLFILE_TYPE", "CURRENT"),
       date_from("CONTROLFILE_CREATED", start_time),
       fixed<One>("OPEN_RESETLOGS", "NOT ALLOWED"),
       date_from("VERSION_TIME", start_time),
       fixed<One>("OPEN_MODE", "READ WRITE"),
       fixed<One>("PROTECTION_MODE", "MAXIMUM PERFORMANCE"),
       fixed<One>("DATABASE_ROLE", "PRIMARY"),
       fixed<One>("GUARD_STATUS", "NONE"),
       text_from("SUPPLEMENTAL_LOG_DATA_MIN", minimal_logging),
       supplemental("SUPPLEMENTAL_LOG_DATA_PK", &SupplementalLogging::primary_key),
       supplemental("SUPPLEMENTAL_LOG_DATA_UI", &SupplementalLogging::unique),
       supplemental("FORCE_LOGGING", &SupplementalLogging::force_logging),
       fixed_number<One>("PLATFORM_ID", 13),
       fixed<One>("PLATFORM_NAME", "Linux x86 64-bit"),
       number_from("CURRENT_SCN", [](const Context& c) { return c.store.current_scn(); }),
       fixed<One>("FLASHBACK_ON", "NO"),
       supplemental("SUPPLEMENTAL_LOG_DATA_FK", &SupplementalLogging::foreign_key),
       supplemental("SUPPLEMENTAL_LOG_DATA_ALL", &SupplementalLogging::all),
       text_from("DB_UNIQUE_NAME", database_name),
       fixed<One>("SUPPLEMENTAL_LOG_DATA_PL", "NO"),
       {"CDB", Kind::kText,
        [](const One&, const Context& c) {
          return text(c.container == containers::kNone ? "NO" : "YES");
        }},
       fixed_number<One>("CON_ID", 0),
       number_from("CON_DBID", [](const Context& c) { return c.store.identity().database_id; })});
}

void add_instance(Registry& r) {
  std::vector<Column<One>> instance = {
      fixed_number<One>("INSTANCE_NUMBER", 1),
      text_from("INSTANCE_NAME", database_name),
      fixed<One>("HOST_NAME", "localhost"),
      text_from("VERSION", short_version),
      text_from("VERSION_LEGACY", short_version),
      text_from("VERSION_FULL", [](const Context& c) { return c.version; }),
      date_from("STARTUP_TIME", start_time),
      fixed<One>("STATUS", "OPEN"),
      fixed<One>("PARALLEL", "NO"),
      fixed_number<One>("THREAD#", 1),
      fixed<One>("ARCHIVER", "STARTED"),
      fixed<One>("LOGINS", "ALLOWED"),
      fixed<One>("SHUTDOWN_PENDING", "NO"),
      fixed<One>("DATABASE_STATUS", "ACTIVE"),
      fixed<One>("INSTANCE_ROLE", "PRIMARY_INSTANCE"),
      fixed<One>("ACTIVE_STATE", "NORMAL"),
      fixed<One>("BLOCKED", "NO"),
      fixed_number<One>("CON_ID", 0),
      fixed<One>("INSTANCE_MODE", "REGULAR"),
      text_from("EDITION",
                [](const Context& c) { return c.emulate.starts_with("23") ? "FREE" : "EE"; })};
  r.add<One>("V$INSTANCE", visit_one, instance);
  instance.insert(instance.begin(), fixed_number<One>("INST_ID", 1));
  r.add<One>("GV$INSTANCE", visit_one, instance);
  r.add<One>("GLOBAL_NAME", visit_one, {text_from("GLOBAL_NAME", database_name)});
  r.add<One>("V$VERSION", visit_one,
             {text_from("BANNER", banner),
              text_from("BANNER_FULL",
                        [](const Context& c) { return banner(c) + "\nVersion " + c.version; }),
              text_from("BANNER_LEGACY", banner), fixed_number<One>("CON_ID", 0)});
  r.add<One>("PRODUCT_COMPONENT_VERSION", visit_one,
             {text_from("PRODUCT", [](const Context& c) { return product(c) + " "; }),
              text_from("VERSION", short_version),
              text_from("VERSION_FULL", [](const Context& c) { return c.version; }),
              fixed<One>("STATUS", "Production")});
}

struct Container {
  std::uint32_t id = 0;
};

/// The root sees all of them, and every other container itself; without containers the whole is
/// container 0.
void visit_containers(const Context& c, const std::function<bool(const Container&)>& visit) {
  if (c.container != containers::kRoot) {
    visit({c.container});
    return;
  }
  for (std::uint32_t id = containers::kRoot; id <= containers::kNeighbour; ++id) {
    if (!visit({id})) return;
  }
}

void visit_pluggable(const Context& c, const std::function<bool(const Container&)>& visit) {
  visit_containers(c, [&](const Container& one) { return one.id < 2 || visit(one); });
}

void add_containers(Registry& r) {
  const std::vector<Column<Container>> columns = {
      number_of<Container>("CON_ID", [](const Container& one) { return one.id; }),
      {"DBID", Kind::kNumber,
       [](const Container& one, const Context& c) {
         return number(c.store.identity().database_id + one.id);
       }},
      {"NAME", Kind::kText,
       [](const Container& one, const Context& c) {
         return text(one.id == containers::kNone ? database_name(c)
                                                 : containers::name_of(one.id, c.service_name));
       }},
      fixed<Container>("OPEN_MODE", "READ WRITE"),
      fixed<Container>("RESTRICTED", "NO"),
      {"OPEN_TIME", Kind::kDate,
       [](const Container&, const Context& c) { return date(start_time(c)); }}};
  r.add<Container>("V$CONTAINERS", visit_containers, columns);
  r.add<Container>("V$PDBS", visit_pluggable, columns);
}

struct Parameter {
  std::int64_t number = 0, type = 2;  ///< type 2 text, 3 integer
  std::string name, value;
};

void visit_parameters(const Context& c, const std::function<bool(const Parameter&)>& visit) {
  const std::vector<Parameter> list = {
      {1, 3, "processes", "300"},
      {2, 3, "sessions", "472"},
      {3, 2, "compatible", compatible_release(c.version)},
      {4, 2, "db_name", database_name(c)},
      {5, 2, "db_unique_name", database_name(c)},
      {6, 3, "db_block_size", "8192"},
      {7, 2, "max_string_size", c.extended_strings ? "EXTENDED" : "STANDARD"},
      {8, 3, "undo_retention", "900"},
      {9, 2, "undo_management", "AUTO"},
      {10, 2, "undo_tablespace", "UNDOTBS1"},
      {11, 3, "open_cursors", "300"},
      {12, 2, "nls_length_semantics", "BYTE"},
      {13, 2, "service_names", c.service_name},
      {14, 2, "instance_name", database_name(c)},
      {15, 1, "enable_goldengate_replication", "FALSE"}};
  for (const Parameter& p : list) {
    if (!visit(p)) return;
  }
}

}  // namespace

void add_instance_views(Registry& r) {
  add_database(r);
  add_instance(r);
  add_containers(r);
  const std::vector<Column<Parameter>> columns = {
      number_of<Parameter>("NUM", [](const Parameter& p) { return p.number; }),
      text_of<Parameter>("NAME", [](const Parameter& p) { return p.name; }),
      number_of<Parameter>("TYPE", [](const Parameter& p) { return p.type; }),
      text_of<Parameter>("VALUE", [](const Parameter& p) { return p.value; }),
      text_of<Parameter>("DISPLAY_VALUE", [](const Parameter& p) { return p.value; }),
      fixed<Parameter>("ISDEFAULT", "TRUE"),
      fixed<Parameter>("ISMODIFIED", "FALSE"),
      empty<Parameter>("DESCRIPTION", Kind::kText),
      fixed_number<Parameter>("CON_ID", 0)};
  r.add<Parameter>("V$PARAMETER", visit_parameters, columns);
  r.add<Parameter>("V$SYSTEM_PARAMETER", visit_parameters, columns);
}

}  // namespace orasim::dictionary
