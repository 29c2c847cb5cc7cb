#include "exec/session_state.h"

#include <chrono>
#include <cstdlib>

#include "engine/calendar.h"
#include "engine/containers.h"
#include "engine/format_model.h"
#include "exec/database.h"
#include "exec/errors.h"
#include "exec/parser.h"

namespace orasim {
namespace {

constexpr std::int64_t kClockEpochSeconds = std::int64_t{2440588} * 86400;

Release release_of(const DatabaseOptions& options) {
  Release release;
  release.major = std::atoi(options.version.c_str());
  constexpr int kFirstExtended = 12;
  release.extended_strings = options.extended_strings && release.major >= kFirstExtended;
  return release;
}

DateTime utc_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(since - seconds);
  return from_total_seconds(kClockEpochSeconds + seconds.count(),
                            static_cast<std::uint32_t>(nanos.count()), DateTime{});
}

/// NLS settings as the dictionary shows them.
std::vector<std::pair<std::string, std::string>> nls_settings(const Nls& nls) {
  return {{"NLS_LANGUAGE", nls.language},
          {"NLS_TERRITORY", nls.territory},
          {"NLS_CURRENCY", nls.currency},
          {"NLS_ISO_CURRENCY", nls.iso_currency},
          {"NLS_NUMERIC_CHARACTERS", nls.numeric_characters},
          {"NLS_DATE_FORMAT", nls.date_format},
          {"NLS_TIMESTAMP_FORMAT", nls.timestamp_format},
          {"NLS_TIMESTAMP_TZ_FORMAT", nls.timestamp_tz_format},
          {"NLS_SORT", nls.sort},
          {"NLS_COMP", nls.comp}};
}

struct NlsName {
  std::string_view name;
  std::string Nls::*field;
};
constexpr NlsName kNlsNames[] = {
    {"NLS_DATE_FORMAT", &Nls::date_format},
    {"NLS_TIMESTAMP_FORMAT", &Nls::timestamp_format},
    {"NLS_TIMESTAMP_TZ_FORMAT", &Nls::timestamp_tz_format},
    {"NLS_NUMERIC_CHARACTERS", &Nls::numeric_characters},
    {"NLS_LANGUAGE", &Nls::language},
    {"NLS_TERRITORY", &Nls::territory},
    {"NLS_CURRENCY", &Nls::currency},
    {"NLS_ISO_CURRENCY", &Nls::iso_currency},
    {"NLS_SORT", &Nls::sort},
    {"NLS_COMP", &Nls::comp},
};

void enter_container(const std::string& name, SessionState& state) {
  const DatabaseOptions& options = state.database->options();
  if (state.container == containers::kNone) {
    raise_text(65090, "operation only allowed in a container database");
  }
  const bool is_root = name == containers::kRootName;
  if (!is_root && name != containers::pluggable_name(options.service_name)) {
    raise_text(65011, "Pluggable database " + name + " does not exist.");
  }
  if (!containers::is_common(state.identity.user)) raise(1031);
  state.container = is_root ? containers::kRoot : containers::kPluggable;
}

void set_parameter(const std::string& name, const std::string& value, bool quoted,
                   SessionState& state) {
  for (const NlsName& known : kNlsNames) {
    if (known.name != name) continue;
    if (name == "NLS_NUMERIC_CHARACTERS" && value.size() != 2) raise(12705);
    state.nls.*known.field = value;
    return;
  }
  if (name == "TIME_ZONE") {
    const auto zone = value == "LOCAL" || value == "DBTIMEZONE" ? Zone{} : parse_zone(value);
    if (!zone) raise(1882);
    state.nls.session_zone = *zone;
  } else if (name == "CONTAINER") {
    enter_container(value, state);
  } else if (name == "CURRENT_SCHEMA") {
    const auto catalog = state.store->catalog();
    if (catalog->users.count(value) == 0 && value != "SYS" && value != "SYSTEM") raise(1435);
    state.current_schema = value;
  } else if (name == "ISOLATION_LEVEL") {
    if (value != "SERIALIZABLE") return;
    state.fixed_scn = state.store->current_scn();
    state.is_serializable = true;
  }
  // Other parameters (tracing, optimizer, PL/SQL flags) have no effect on what is answered.
  static_cast<void>(quoted);
}

}  // namespace

void SessionState::begin() {
  transaction = store->begin(identity.session_id, &cancelled, identity.user);
  savepoints.clear();
  locked_lobs.clear();
  touched_temporary.clear();
  is_serializable = checks_deferred = false;
  fixed_scn.reset();
  is_read_only = false;
}

/// Rows of others are not committed, so all that can be seen are the session's own.
void SessionState::clear_temporary() {
  for (const auto& [owner, name] : touched_temporary) {
    const auto table = store->catalog()->find_table(owner, name);
    if (!table) continue;
    auto scan = store->scan(*table, store->current_scn(), transaction.get(), nullptr);
    RowId id;
    Row row;
    while (scan->next(id, row)) transaction->remove(*table, id, store->current_scn());
  }
}

void SessionState::end_statement() {
  transaction->end_statement();
  if (checks_deferred) transaction->check_deferred();
}

void SessionState::commit() {
  clear_temporary();
  try {
    if (transaction->is_open()) {
      transaction->commit();
    } else {
      transaction->rollback();  // ends what a rollback to a savepoint has left of it
    }
  } catch (const OraError&) {
    if (!transaction->is_open()) begin();
    throw;
  }
  begin();
}

void SessionState::rollback() {
  transaction->rollback();
  begin();
}

std::shared_ptr<const Catalog> SessionState::catalog() const {
  auto whole = store->catalog();
  if (container != containers::kRoot) return whole;
  if (root_catalog == nullptr || root_catalog->version != whole->version) {
    auto root = std::make_shared<Catalog>(*whole);
    root->tables.clear();
    root->sequences.clear();
    root->code.clear();
    root_catalog = std::move(root);
  }
  return root_catalog;
}

BindEnvironment SessionState::environment(std::string_view sql) const {
  BindEnvironment env;
  env.catalog = catalog();
  env.store = store;
  env.current_schema = current_schema;
  env.user = identity.user;
  env.sql = sql;
  if (access_catalog != env.catalog) {
    access = access_of(env.catalog, identity.user);
    access_catalog = env.catalog;
  }
  env.access = access;
  env.needs_from = !database->options().emulate.starts_with("23");
  env.release = release_of(database->options());
  return env;
}

std::unique_ptr<ExecContext> SessionState::context(const Row* binds, std::optional<Scn> scn) {
  auto c = std::make_unique<ExecContext>();
  c->store = store;
  c->transaction = transaction.get();
  c->scn = scn ? *scn : fixed_scn ? *fixed_scn : store->current_scn();
  c->is_serializable = is_serializable;
  c->touched_temporary = &touched_temporary;
  c->locked_lobs = &locked_lobs;
  c->logminer = &logminer;
  c->binds = binds;
  c->cancel = &cancelled;
  c->current_values = &current_values;
  c->execution_id = ++executions;
  FunctionContext& f = c->functions;
  f.now_utc = utc_now();
  f.nls = &nls;
  f.convert = {&nls, f.now_utc};
  f.identity = &identity;
  f.database = &database->options();
  f.current_schema = current_schema;
  f.container = container;
  f.end_to_end = end_to_end;
  f.current_scn = store->current_scn();
  f.scn_at = [s = store](std::int64_t unix_seconds) {
    const auto found = s->scn_at(unix_seconds);
    if (!found) raise(8180);
    return *found;
  };
  f.time_of_scn = [s = store](std::uint64_t point) {
    const auto found = s->time_of(point);
    if (!found) raise(8181);
    return *found;
  };
  c->dictionary = [this, catalog = catalog()] {
    DictionaryContext d{*catalog,
                        *store,
                        identity.user,
                        identity.session_id,
                        database->options().service_name,
                        database->options().version,
                        database->options().emulate,
                        database->sessions(),
                        nls_settings(nls),
                        release_of(database->options()).extended_strings,
                        container};
    return d;
  };
  return c;
}

void alter_session(std::string_view sql, SessionState& state) {
  Parser p(sql);
  p.expect("ALTER");
  p.expect("SESSION");
  if (!p.accept("SET")) return;  // ENABLE PARALLEL DML, CLOSE DATABASE LINK …
  if (p.accept("EVENTS")) return;
  while (!p.at_end()) {
    const std::string name = p.identifier(2248).text;
    p.expect_symbol("=", 927);
    const Token value = p.peek();
    std::string text = value.text;
    p.take();
    while (p.accept_symbol(".") || p.accept_symbol("-")) text += p.take().text;
    set_parameter(name, text, value.kind == TokenKind::kString, state);
  }
}

}  // namespace orasim
