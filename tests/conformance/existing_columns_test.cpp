// Every source type into every type that a column of an existing table may have: each pair is
// either refused before anything is touched, as docs/type-deviations.md says, or its rows are
// loaded. Of those, each row is either equal afterwards or was refused by itself; nothing is lost
// in silence.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <sstream>

#include "connect/memory/connector.h"
#include "connect/postgres/connection.h"
#include "connect/postgres/connector.h"
#include "connect/postgres/settings.h"
#include "core/civil_time.h"
#include "engine/full_load.h"
#include "engine/planner.h"
#include "engine/validate.h"
#include "tests/support/pg_cluster.h"

namespace wherry::conformance {
namespace {

using memory::Value;
using schema::LogicalType;
using schema::TypeKind;

struct Target {
  const char* name;
  const char* type;
};

constexpr Target kTargets[] = {{"int2", "smallint"},
                               {"int4", "integer"},
                               {"int8", "bigint"},
                               {"num", "numeric"},
                               {"num52", "numeric(5,2)"},
                               {"num100", "numeric(10,0)"},
                               {"cents", "app.cents"},
                               {"f4", "real"},
                               {"f8", "double precision"},
                               {"bool", "boolean"},
                               {"text", "text"},
                               {"vc4", "varchar(4)"},
                               {"vc200", "varchar(200)"},
                               {"c4", "char(4)"},
                               {"c40", "char(40)"},
                               {"word", "app.word"},
                               {"date", "date"},
                               {"time", "time"},
                               {"ts", "timestamp"},
                               {"ts0", "timestamp(0)"},
                               {"tstz", "timestamptz"},
                               {"span", "interval"},
                               {"span0", "interval(0)"},
                               {"months", "interval year to month"},
                               {"seconds", "interval day to second"},
                               {"hours", "interval hour"},
                               {"uuid", "uuid"},
                               {"bytea", "bytea"},
                               {"json", "json"},
                               {"jsonb", "jsonb"},
                               {"xml", "xml"},
                               {"mood", "app.mood"},
                               {"inet", "inet"},
                               {"range", "int4range"}};

constexpr const char* kNumbers = "int2 int4 int8 num num52 num100 cents f4 f8 ";
constexpr const char* kTexts = "text vc4 vc200 c4 c40 word ";

struct Source {
  std::string name;
  LogicalType type;
  std::string takes;  ///< names of the targets that are not refused
  std::vector<Value> values;
};

LogicalType type_of(TypeKind kind, int fraction_digits = 0) {
  LogicalType type;
  type.kind = kind;
  type.fraction_digits = static_cast<std::uint8_t>(fraction_digits);
  return type;
}

std::vector<Value> integers(std::initializer_list<std::int64_t> values) {
  std::vector<Value> out;
  for (const std::int64_t value : values) out.push_back(Value::integer(value));
  return out;
}

std::vector<Value> texts(std::initializer_list<std::string> values) {
  std::vector<Value> out;
  for (const std::string& value : values) out.push_back(Value::text(value));
  return out;
}

std::vector<Value> reals() {
  std::vector<Value> out;
  using Limits = std::numeric_limits<double>;
  for (const double value : {0.0, -0.0, 1.0, 0.5, -1.25, 42.0, 32768.0, 3e9, 1e30,
                             Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()}) {
    out.push_back(Value::real(value));
  }
  return out;
}

std::vector<Value> moments(int nanos, bool is_zoned) {
  std::vector<Value> out;
  for (const CivilTime& t :
       {CivilTime{2024, 2, 29, 0, 0, 0, 0}, CivilTime{2024, 2, 29, 12, 13, 14, 0},
        CivilTime{1999, 12, 31, 23, 59, 59, 500'000}, CivilTime{2001, 1, 1, 0, 0, 0, 123'456},
        CivilTime{-4711, 1, 1, 0, 0, 0, 0}, CivilTime{9999, 12, 31, 23, 59, 59, 999'999}}) {
    const std::int64_t micros = micros_from_civil(t);
    const auto below = static_cast<std::uint16_t>(t.microsecond == 123'456 ? nanos : 0);
    out.push_back(is_zoned ? Value::timestamp_tz(micros, t.hour == 12 ? 150 : 0, below)
                           : Value::timestamp(micros, below));
  }
  return out;
}

std::vector<Source> all_sources() {
  const std::string numbers_and_texts = std::string(kNumbers) + kTexts;
  const std::string integer_targets = numbers_and_texts + "bool";
  LogicalType text = type_of(TypeKind::kText);
  text.length_chars = 200;
  LogicalType padded = type_of(TypeKind::kText);
  padded.length_chars = 36;
  padded.blank_padded = true;
  LogicalType bytes = type_of(TypeKind::kBytes);
  bytes.length_bytes = 16;
  std::vector<Value> decimals;
  for (const char* value : {"0", "1", "-1", "42", "99.95", "0.1", "-32769", "2147483648",
                            "123456.789", "1e-20", "1e-60", "1e100", "1e-400",
                            "9223372036854775808", "9999999999999999999999999999999999999999"}) {
    decimals.push_back(Value::decimal(value));
  }
  std::vector<Value> spans;
  for (const auto& [seconds, nanos] :
       {std::pair{0L, 0}, std::pair{43'994L, 0}, std::pair{86'400L, 0},
        std::pair{-3'661L, -500'000'000}, std::pair{5L, 123'456'000}}) {
    spans.push_back(Value::interval_ds(seconds, nanos));
  }
  return {
      {"boolean", type_of(TypeKind::kBoolean), integer_targets, integers({0, 1})},
      {"int16", type_of(TypeKind::kInt16), integer_targets, integers({0, 1, -1, 999, 32767})},
      {"int32", type_of(TypeKind::kInt32), integer_targets,
       integers({0, 1, -42, 32768, 16'777'217, 2'147'483'647})},
      {"int64", type_of(TypeKind::kInt64), integer_targets,
       integers({0, 1, -42, 2'147'483'648, 9'007'199'254'740'993,
                 std::numeric_limits<std::int64_t>::max(),
                 std::numeric_limits<std::int64_t>::min()})},
      {"decimal", type_of(TypeKind::kDecimal), integer_targets, decimals},
      {"float32", type_of(TypeKind::kFloat32), numbers_and_texts, reals()},
      {"float64", type_of(TypeKind::kFloat64), numbers_and_texts, reals()},
      {"text", text,
       integer_targets +
           " date time ts ts0 tstz span span0 months seconds hours uuid json jsonb xml mood",
       texts({"",
              "Y",
              "no",
              "42",
              "042",
              " 7.250 ",
              "-1",
              "1e3",
              "NaN",
              "abc  ",
              "refused",
              "üñï",
              std::string("a\0b", 3),
              "\xFF",
              "2024-02-29",
              "2024-02-30",
              "2024-02-29T12:13:14",
              "2024-02-29 12:13:14.5",
              "2024-02-29 12:13:14.123456789",
              "2024-02-29 12:13:14+02:30",
              "0044-03-15 00:00:00 BC",
              "12:13:14",
              "12:13:14.5",
              "24:00:00",
              "+01-02",
              "+00-00",
              "-03 04:05:06.5",
              "+03 00:00:00",
              "6BA7B810-9DAD-11D1-80B4-00C04FD430C8",
              "6ba7b8109dad11d180b400c04fd430c8",
              "{\"b\": 1.50, \"a\": [1e2, \"x\\u00e9\"], \"b\": 2}",
              "[1, 2,3]",
              "<a>é</a>",
              "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>é</a>",
              "<a>"})},
      {"padded", padded,
       integer_targets + " date time ts ts0 tstz span span0 months seconds hours "
                         "uuid json jsonb xml mood",
       texts({"Y", "42", "abc", "12:13:14", "+01-02", "+03 04:05:06.5", "2024-02-29",
              "6ba7b810-9dad-11d1-80b4-00c04fd430c8"})},
      {"bytes", bytes, std::string(kTexts) + "bytea uuid",
       texts({"", "\x7F", std::string("\0\xFF", 2), "0123456789abcdef"})},
      {"clob", type_of(TypeKind::kClob), std::string(kTexts) + "json jsonb xml",
       texts({"", "12", "{\"a\": \"" + std::string(30'000, 'x') + "\"}",
              "<a>" + std::string(90'000, 'y') + "</a>",
              "<?xml version=\"1.0\" encoding=\"UTF-16\"?><b>" + std::string(90'000, 'z') + "</b>",
              std::string(90'000, 'n') + "\xC3", "[" + std::string(90'000, ' ') + "1]"})},
      {"blob", type_of(TypeKind::kBlob), "bytea",
       texts({"", std::string(1, '\0'), std::string(90'000, '\xFE')})},
      {"timestamp", type_of(TypeKind::kTimestamp, 6), std::string(kTexts) + "date ts ts0 tstz",
       moments(0, false)},
      {"timestamp9", type_of(TypeKind::kTimestamp, 9), std::string(kTexts) + "date ts ts0 tstz",
       moments(789, false)},
      {"timestamptz", type_of(TypeKind::kTimestampTz, 6), std::string(kTexts) + "tstz",
       moments(0, true)},
      {"timestampltz", type_of(TypeKind::kTimestampLtz, 6), std::string(kTexts) + "tstz",
       moments(0, true)},
      {"interval_ym", type_of(TypeKind::kIntervalYm), std::string(kTexts) + "span span0 months",
       integers({0, 14, -14, 11'999'999'999})},
      {"interval_ds", type_of(TypeKind::kIntervalDs, 6),
       std::string(kTexts) + "span span0 seconds time", spans},
      {"row_address", type_of(TypeKind::kRowAddress), kTexts,
       texts({"AAAR3sAAEAAAACXAAA", "*BAEA"})},
      {"xml", type_of(TypeKind::kXml), std::string(kTexts) + "xml", texts({"<a/>", "<b>1</b>"})},
      {"json", type_of(TypeKind::kJson), std::string(kTexts) + "json jsonb",
       texts({"1", "{\"a\":1.0}"})}};
}

struct NoJournal final : engine::LoadJournal {
  Result<void> on_start(const engine::TableTask&) override { return {}; }
  Result<void> on_prepared(const engine::TableTask&) override { return {}; }
  Result<void> on_commit(const engine::TableTask&) override { return {}; }
  Result<void> on_loaded(const engine::TableTask&, const engine::RowCounts&) override { return {}; }
  Result<void> on_complete(const engine::TableTask&, const engine::RowCounts&) override {
    return {};
  }
};

struct Differences final : engine::DifferenceSink {
  void on_difference(const engine::Difference& d) override { of_table[d.table.name].push_back(d); }
  std::map<std::string, std::vector<engine::Difference>> of_table;
};

class ExistingColumns : public ::testing::Test {
 protected:
  ExistingColumns() : source_(memory_.create("source")) {
    settings_.url = test::PgCluster::shared().url(test::PgCluster::shared().make_database());
    settings_.password = Secret(test::PgCluster::shared().password());
  }

  void run_sql(const std::string& sql) {
    const auto read = postgres::read_settings(settings_);
    auto connection = postgres::Connection::open(context_, *read);
    ASSERT_TRUE(connection.ok()) << connection.error().to_paragraph();
    const auto done = (*connection)->execute(context_, "test", sql);
    ASSERT_TRUE(done.ok()) << done.error().to_paragraph();
  }

  void make_tables(const std::vector<Source>& sources) {
    std::ostringstream sql;
    sql << "create schema app; create domain app.cents as numeric(12,2); create domain app.word as "
           "varchar(40) check (value <> 'refused'); create type app.mood as enum ('Y', 'no', "
           "'42');";
    for (const Source& source : sources) {
      for (const Target& target : kTargets) {
        sql << "create table app." << source.name << "_" << target.name
            << " (id integer primary key, v " << target.type << ");";
        source_.put(definition_of(source, target), rows_of(source));
      }
    }
    run_sql(sql.str());
  }

  static schema::TableDef definition_of(const Source& source, const Target& target) {
    schema::TableDef def;
    def.table = {"app", source.name + "_" + target.name};
    schema::ColumnDef id;
    id.name = "id";
    id.type.kind = TypeKind::kInt32;
    id.nullable = false;
    schema::ColumnDef v;
    v.name = "v";
    v.type = source.type;
    v.native_type = source.name;
    def.columns = {id, v};
    def.keys = {{"pk", {"id"}, true}};
    return def;
  }

  static std::vector<memory::Row> rows_of(const Source& source) {
    std::vector<memory::Row> rows = {{Value::integer(0), Value::null()}};
    for (const Value& value : source.values) {
      rows.push_back({Value::integer(static_cast<std::int64_t>(rows.size())), value});
    }
    return rows;
  }

  OpContext context_;
  memory::MemoryConnector memory_;
  memory::Database& source_;
  connect::Settings settings_;
  std::unique_ptr<connect::Connector> postgres_ = postgres::make_connector();
};

std::string words_of(const std::vector<engine::Difference>& differences) {
  std::string out;
  for (const auto& d : differences) {
    out += std::string(name_of(d.kind)) + " " + d.key + " " + d.source_value + " / " +
           d.target_value + "; ";
  }
  return out;
}

TEST_F(ExistingColumns, EachPairOfTypesIsRefusedOrComesBackEqual) {
  const std::vector<Source> sources = all_sources();
  make_tables(sources);
  const auto memory_settings = memory::MemoryConnector::settings("source");
  const auto catalog = memory_.open_catalog(context_, memory_settings);
  const auto tables = (*catalog)->describe_tables(context_, {});
  const auto loader = postgres_->open_loader(context_, settings_);
  ASSERT_TRUE(loader.ok()) << loader.error().to_paragraph();
  auto plan = engine::make_plan(*tables, mapping::RuleSet::everything(), **loader);
  ASSERT_TRUE(plan.ok()) << plan.error().to_paragraph();
  std::vector<schema::TablePlanPtr> plans;
  for (const auto& task : plan->tables) plans.push_back(task.plan);
  const auto matches = (*loader)->match(context_, plans, connect::ExistingTable::kKeep);
  ASSERT_TRUE(matches.ok()) << matches.error().to_paragraph();

  std::map<std::string, const connect::TargetMatch*> by_name;
  for (const auto& match : *matches) by_name[match.plan->source.name] = &match;
  for (const Source& source : sources) {
    std::istringstream words(source.takes);
    const std::set<std::string> takes{std::istream_iterator<std::string>(words), {}};
    for (const Target& target : kTargets) {
      const std::string name = source.name + "_" + target.name;
      const auto& refused = by_name.at(name)->refused;
      ASSERT_EQ(!refused.has_value(), takes.contains(target.name))
          << name << (refused ? ": " + refused->to_paragraph() : "");
      if (!refused) continue;
      EXPECT_EQ(refused->code, "postgres.no_conversion") << name;
      for (const char* part : {"column v", "source type", "column type"}) {
        EXPECT_NE(refused->to_paragraph().find(part), std::string::npos) << name;
      }
    }
  }

  std::vector<engine::TableTask> tasks;
  engine::LoadProgress progress;
  engine::ValidationProgress validation;
  for (std::size_t i = 0; i < matches->size(); ++i) {
    if ((*matches)[i].refused) continue;
    tasks.push_back(plan->tables[i]);
    tasks.back().plan = (*matches)[i].plan;
    progress.add(tasks.back().plan);
    validation.add(tasks.back().plan);
  }
  const auto snapshot = memory_.open_snapshot(context_, memory_settings, {});
  engine::SourceViews views([&](OpContext& context, const Position& at) {
    return memory_.open_snapshot(context, memory_settings, at);
  });
  views.set_first((*snapshot)->position());
  engine::LoadOptions options;
  options.existing = connect::ExistingTable::kKeep;
  options.max_subtasks = 4;
  NoJournal journal;
  const auto loaded =
      engine::run_full_load(context_, views, **loader, tasks, options, progress, journal);
  ASSERT_TRUE(loaded.ok()) << loaded.error().to_paragraph();
  const auto target = postgres_->open_snapshot(context_, settings_, {});
  ASSERT_TRUE(target.ok()) << target.error().to_paragraph();
  Differences differences;
  const auto compared =
      engine::run_validation(context_, **snapshot, **target, {}, validation, differences);
  ASSERT_TRUE(compared.ok()) << compared.error().to_paragraph();

  const std::set<std::string> narrow = {"vc4", "c4", "hours"};
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const auto& table = progress.tables()[i];
    const auto& comparison = validation.tables()[i];
    const std::string& name = table.plan->source.name;
    ASSERT_FALSE(table.error.has_value()) << name << ": " << table.error->to_paragraph();
    ASSERT_FALSE(comparison.error.has_value()) << name << ": " << comparison.error->to_paragraph();
    const auto& found = differences.of_table[name];
    EXPECT_EQ(found.size(), table.refused_rows) << name << ": " << words_of(found);
    for (const auto& d : found) {
      EXPECT_EQ(d.kind, engine::DifferenceKind::kMissingTarget) << name << ": " << words_of({d});
    }
    const std::string last = name.substr(name.rfind('_') + 1);
    if (narrow.contains(last)) continue;
    EXPECT_GT(table.rows, 1U) << name << " took no value";
  }
}

}  // namespace
}  // namespace wherry::conformance
