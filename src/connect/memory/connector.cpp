#include "connect/memory/connector.h"

#include <charconv>
#include <set>

#include "connect/api/url.h"
#include "connect/memory/roles.h"

namespace wherry::memory {
namespace {

class MemoryCatalog final : public connect::Catalog {
 public:
  MemoryCatalog(Database& database, bool evaluates_filters)
      : database_(database), evaluates_filters_(evaluates_filters) {}

  Result<std::vector<schema::TableDef>> describe_tables(
      OpContext& context, const connect::TableFilter& filter) override {
    WHERRY_TRY(database_.faults().pass(context, Point::kCatalog));
    const std::set<std::string> schemas(filter.schemas.begin(), filter.schemas.end());
    std::vector<schema::TableDef> out;
    for (const auto& [name, table] : *database_.as_of(database_.version())) {
      if (!schemas.empty() && !schemas.contains(name.schema)) continue;
      if (!filter.views && schema::is_view(table->definition.kind)) continue;
      out.push_back(table->definition);
      out.back().estimated_rows = table->rows.size();
    }
    return out;
  }

  Result<connect::FilterJudge> filter_judge(OpContext& context) override {
    if (!evaluates_filters_) return Catalog::filter_judge(context);
    return connect::FilterJudge([](const schema::ColumnFilter&, const schema::FilterCondition&) {
      return Result<schema::FilterSide>(schema::FilterSide::kSource);
    });
  }

  Result<void> execute_ddl(OpContext&, std::string_view) override {
    return make_error(ErrorKind::kUnsupported, "memory.no_ddl", "the in-memory database has no SQL",
                      "Change its tables through its own interface");
  }

 private:
  Database& database_;
  const bool evaluates_filters_;
};

Error bad_option(const std::string& name, const std::string& why) {
  return make_error(ErrorKind::kConfig, "memory.option", "the option " + name + " " + why,
                    "Known options: inline_limit_bytes, batch_rows, order, filters");
}

Result<std::size_t> number_option(const std::string& name, const std::string& text) {
  std::size_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || end != text.data() + text.size() || number == 0) {
    return bad_option(name, "must be a positive number");
  }
  return number;
}

Result<ReadOptions> read_options(const connect::Settings& settings) {
  ReadOptions options;
  options.spill_directory = settings.spill_directory;
  for (const auto& [name, value] : settings.options) {
    if (name == "inline_limit_bytes") {
      WHERRY_ASSIGN(options.inline_limit_bytes, number_option(name, value));
    } else if (name == "batch_rows") {
      WHERRY_ASSIGN(options.batch_rows, number_option(name, value));
    } else if (name == "order" && value == "wrong") {
      options.is_order_wrong = true;
    } else if (name == "filters" && value == "engine") {
      options.evaluates_filters = false;
    } else {
      return bad_option(name, "is not known");
    }
  }
  return options;
}

}  // namespace

Database& MemoryConnector::create(const std::string& name) {
  std::lock_guard lock(mutex_);
  auto [at, is_new] = databases_.emplace(name, std::make_unique<Database>());
  WHERRY_ASSERT(is_new, "the database exists");
  return *at->second;
}

connect::Settings MemoryConnector::settings(const std::string& name) {
  connect::Settings settings;
  settings.url = "memory://" + name;
  return settings;
}

Result<Database*> MemoryConnector::find(const connect::Settings& settings) {
  WHERRY_ASSIGN(const connect::Url url, connect::parse_url(settings.url));
  std::lock_guard lock(mutex_);
  const auto found = databases_.find(url.host);
  if (found == databases_.end()) {
    return make_error(ErrorKind::kConfig, "memory.unknown_database",
                      "there is no in-memory database " + url.host, "Create it first");
  }
  if (!found->second->accepts(settings.password)) {
    return make_error(ErrorKind::kAuth, "memory.wrong_password", "the password is wrong",
                      "Give the database's password");
  }
  return found->second.get();
}

const connect::ConnectorInfo& MemoryConnector::info() const {
  static const connect::ConnectorInfo kInfo{
      "memory",
      {"memory"},
      connect::kSource | connect::kTarget | connect::kChangeSource | connect::kChangeTarget};
  return kInfo;
}

Result<connect::ProbeReport> MemoryConnector::probe(OpContext& context,
                                                    const connect::Settings& settings,
                                                    connect::Role) {
  WHERRY_ASSIGN(Database * database, find(settings));
  WHERRY_TRY(read_options(settings));
  WHERRY_TRY(database->faults().pass(context, Point::kProbe));
  return connect::ProbeReport{"in-memory database", {}};
}

Result<std::unique_ptr<connect::Catalog>> MemoryConnector::open_catalog(
    OpContext&, const connect::Settings& settings) {
  WHERRY_ASSIGN(Database * database, find(settings));
  WHERRY_ASSIGN(const ReadOptions options, read_options(settings));
  return std::unique_ptr<connect::Catalog>(
      std::make_unique<MemoryCatalog>(*database, options.evaluates_filters));
}

Result<std::unique_ptr<connect::SnapshotSource>> MemoryConnector::open_snapshot(
    OpContext& context, const connect::Settings& settings, const Position& at) {
  WHERRY_ASSIGN(Database * database, find(settings));
  WHERRY_ASSIGN(ReadOptions options, read_options(settings));
  WHERRY_TRY(database->faults().pass(context, Point::kOpenSnapshot));
  return make_snapshot(*database, std::move(options), at);
}

Result<std::unique_ptr<connect::TargetLoader>> MemoryConnector::open_loader(
    OpContext& context, const connect::Settings& settings) {
  WHERRY_ASSIGN(Database * database, find(settings));
  WHERRY_TRY(database->faults().pass(context, Point::kOpenLoader));
  return make_loader(*database);
}

Result<std::unique_ptr<connect::ChangeSource>> MemoryConnector::open_change_source(
    OpContext&, const connect::Settings& settings) {
  WHERRY_ASSIGN(Database * database, find(settings));
  WHERRY_ASSIGN(ReadOptions options, read_options(settings));
  return make_change_source(*database, std::move(options));
}

Result<std::unique_ptr<connect::TargetApply>> MemoryConnector::open_apply(
    OpContext& context, const connect::Settings& settings, const connect::ApplySettings&) {
  WHERRY_ASSIGN(Database * database, find(settings));
  WHERRY_TRY(database->faults().pass(context, Point::kOpenLoader));
  return make_apply(*database);
}

}  // namespace wherry::memory
