// Random steps over every kind of type, in binary and in text form, executed by the applier on one
// table and row by row in SQL on another; both must be the same after each transaction.
#include <random>
#include <set>

#include "connect/postgres/apply_test_support.h"

namespace wherry::postgres::test {
namespace {

struct Sample {
  std::string type;
  std::vector<std::string> literals;
};

const std::vector<Sample>& samples() {
  static const std::vector<Sample> kSamples = {
      {"boolean", {"t", "f"}},
      {"smallint", {"-32768", "7"}},
      {"integer", {"2147483647", "0"}},
      {"bigint", {"-9223372036854775808", "5"}},
      {"real", {"1.5", "NaN", "-0"}},
      {"double precision", {"0.1", "-Infinity"}},
      {"numeric", {"1.00", "1.0", "123456789012345678901234567890.5", "NaN"}},
      {"numeric(10,2)", {"1.25", "-99999999.99"}},
      {"text", {"", "a,b \"quoted\" 'text' \\ {x}", "žluťoučký 🐎"}},
      {"character varying(20)", {"varchar", ""}},
      {"character(5)", {"ab", "abcde"}},
      {"\"char\"", {"x"}},
      {"name", {"some_name"}},
      {"bytea", {"\\x00ff10", "\\x"}},
      {"uuid", {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}},
      {"date", {"2024-02-29", "infinity", "0044-03-15 BC"}},
      {"time(3) without time zone", {"23:59:59.999"}},
      {"time with time zone", {"12:00:00.5+05:30"}},
      {"timestamp(0) without time zone", {"2024-02-29 12:00:00"}},
      {"timestamp with time zone", {"2024-02-29 12:00:00.123456+00", "-infinity"}},
      {"interval", {"1 mon", "30 days", "-00:00:01.5"}},
      {"json", {"{\"a\": [1,  2]}", "null"}},
      {"jsonb", {"{\"b\": 1, \"a\": null}", "[]"}},
      {"xml", {"<a>1</a>", "text"}},
      {"integer[]", {"{1,NULL,3}", "{{1,2},{3,4}}", "{}"}},
      {"text[]", {"{\"a,b\",\"NULL\",NULL}"}},
      {"point", {"(1.5,-2)"}},
      {"polygon", {"((0,0),(1,1),(1,0))"}},
      {"inet", {"192.168.0.1/24", "::1"}},
      {"macaddr", {"08:00:2b:01:02:03"}},
      {"int4range", {"[1,10)", "empty", "(,5)"}},
      {"tsvector", {"'fat':2 'rat':3"}},
      {"bit(3)", {"101"}},
      {"bit varying(5)", {"1", "10101"}},
      {"money", {"12.34"}},
      {"pg_lsn", {"16/B374D848"}},
      {"app.mood", {"sad", "it's ok"}},
      {"app.positive", {"1", "77"}},
      {"app.tags", {"{a,b}"}},
      {"app.pair", {"(1,\"x y\")", "(,)"}},
      {"app.mood[]", {"{sad,NULL}"}},
      {"app.pair[]", {"{\"(1,x)\"}"}},
      {"hstore_like.label", {"Same", "same"}},
  };
  return kSamples;
}

class RandomApplyTest : public ApplyTest {
 protected:
  void SetUp() override {
    ApplyTest::SetUp();
    run("create schema hstore_like");
    run("create type app.mood as enum ('sad', 'it''s ok')");
    run("create domain app.positive as integer check (value > 0)");
    run("create domain app.tags as text[]");
    run("create type app.pair as (a integer, b text)");
    run("create domain hstore_like.label as character varying(10)");
    std::string columns = "id integer";
    for (std::size_t i = 0; i < samples().size(); ++i) {
      columns += ", c" + std::to_string(i) + ' ' + samples()[i].type;
    }
    run("create table app.t (gone integer, " + columns +
        ", twice integer generated always as (id * 2) stored, extra text default 'e')");
    run("alter table app.t drop column gone");
    run("create table app.m (like app.t including all)");
    for (const Sample& sample : samples()) {
      auto& forms = binary_.emplace_back();
      const std::string send = value(
          "with recursive b as (select oid, typtype, typbasetype, typsend from pg_type where "
          "oid = '" +
          quoted(sample.type) +
          "'::regtype union all select t.oid, t.typtype, "
          "t.typbasetype, t.typsend from pg_type t join b on t.oid = b.typbasetype and "
          "b.typtype = 'd') select typsend::text from b where typtype <> 'd'");
      for (const std::string& literal : sample.literals) {
        forms.push_back(unhex(value("select encode(" + send + "('" + quoted(literal) +
                                    "'::" + sample.type + "), 'hex')")));
      }
    }
  }
  static std::string quoted(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
    return out;
  }
  static std::string unhex(const std::string& hex) {
    std::string out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    return out;
  }

  std::shared_ptr<schema::TablePlan> plan() {
    std::vector<std::pair<std::string, schema::LogicalType>> columns = {
        {"id", logical(schema::TypeKind::kNative)}};
    for (std::size_t i = 0; i < samples().size(); ++i) {
      columns.emplace_back("c" + std::to_string(i), logical(schema::TypeKind::kNative));
    }
    auto made = std::make_shared<schema::TablePlan>();
    made->source = made->target = {"app", "t"};
    for (const auto& [name, type] : columns) {
      schema::ColumnPlan column;
      column.source_name = column.target_name = name;
      column.type = type;
      column.is_native = true;
      column.target_type = value(
          "select format_type(atttypid, atttypmod) from pg_attribute where "
          "attrelid = 'app.t'::regclass and attname = '" +
          name + "'");
      made->columns.push_back(column);
    }
    made->is_native = true;
    return made;
  }

  int below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
  bool one_in(int n) { return below(n) == 0; }

  /// A row as literals; empty optional: NULL; "-" in `set`: unchanged.
  struct Row {
    int id = 0;
    std::vector<int> picks;  // by sample: a literal, -1 NULL, -2 unchanged
  };
  Row random_row(int id, bool may_keep) {
    Row row{id, {}};
    const int style = below(3);  // few kinds of rows, or many
    for (std::size_t i = 0; i < samples().size(); ++i) {
      const bool keeps = may_keep && (style == 0 ? one_in(2) : style == 1 && i % 2 == 0);
      const int count = static_cast<int>(samples()[i].literals.size());
      row.picks.push_back(keeps ? -2 : one_in(6) ? -1 : below(count));
    }
    return row;
  }
  std::string literal(std::size_t sample, int pick) {
    if (pick == -1) return "NULL";
    return "'" + quoted(samples()[sample].literals[static_cast<std::size_t>(pick)]) +
           "'::" + samples()[sample].type;
  }
  const Cell* cells(StepMaker& make, const ApplyTable& table, const Row& row) {
    Cell* made = make.cells(table);
    const bool id_is_text = texts_[0];
    const std::string id = std::to_string(row.id);
    std::string raw(4, '\0');
    for (int i = 0; i < 4; ++i)
      raw[static_cast<std::size_t>(i)] = static_cast<char>(row.id >> (24 - 8 * i));
    set_text(made[0], id_is_text ? id : raw, make.arena(),
             id_is_text ? CellKind::kText : CellKind::kBytes);
    for (std::size_t i = 0; i < row.picks.size(); ++i) {
      const bool is_text = texts_[i + 1];
      const CellKind kind = is_text ? CellKind::kText : CellKind::kBytes;
      if (row.picks[i] == -1) {
        set_null(made[i + 1], kind);
      } else if (row.picks[i] >= 0) {
        const auto pick = static_cast<std::size_t>(row.picks[i]);
        set_text(made[i + 1], is_text ? samples()[i].literals[pick] : binary_[i][pick],
                 make.arena(), kind);
      }
    }
    return made;
  }
  /// Rows that a statement on the model has changed.
  int on_model(const std::string& sql) {
    return std::stoi(value("with c as (" + sql + " returning 1) select count(*) from c"));
  }
  std::string assignments(const Row& row) {
    std::string out;
    for (std::size_t i = 0; i < row.picks.size(); ++i) {
      if (row.picks[i] == -2) continue;
      out +=
          (out.empty() ? "" : ", ") + ("c" + std::to_string(i)) + " = " + literal(i, row.picks[i]);
    }
    return out;
  }
  void insert_model(const Row& row) {
    std::string names = "id";
    std::string values = std::to_string(row.id);
    for (std::size_t i = 0; i < row.picks.size(); ++i) {
      names += ", c" + std::to_string(i);
      values += ", " + literal(i, row.picks[i]);
    }
    EXPECT_EQ(on_model("insert into app.m (" + names + ") values (" + values + ")"), 1);
  }
  std::string difference() {
    return value(
        "select count(*) from ((select t::text from app.t t except all select m::text "
        "from app.m m) union all (select m::text from app.m m except all select t::text "
        "from app.t t)) d");
  }

  std::mt19937 random_{20260601};
  std::vector<std::vector<std::string>> binary_;
  std::vector<bool> texts_;
};

TEST_F(RandomApplyTest, KeyedTablesAreLikeTheModelAfterEachTransaction) {
  run("alter table app.t add primary key (id)");
  run("alter table app.m add primary key (id)");
  const auto planned = plan();
  planned->key = {0};
  const auto one = lane();
  for (int round = 0; round < 15; ++round) {
    // The text form must be the values' own: a column has one form in all rows of a step.
    texts_.assign(samples().size() + 1, false);
    for (std::size_t i = 0; i < texts_.size(); ++i) texts_[i] = one_in(3);
    const ApplyTable table = describe(planned);
    ASSERT_FALSE(table.refused) << table.refused->to_paragraph();
    StepMaker make;
    std::vector<ApplyStep> steps;
    std::vector<std::vector<std::size_t>> missing;
    for (int s = 0; s < 4; ++s) {
      std::set<int> ids;
      for (int i = 0; i < 8; ++i) ids.insert(1 + below(30));
      std::vector<ApplyRow> rows;
      auto& gone = missing.emplace_back();
      const int kind = below(5);
      std::vector<int> order(ids.begin(), ids.end());
      std::shuffle(order.begin(), order.end(), random_);
      for (std::size_t i = 0; i < order.size(); ++i) {
        const int id = order[i];
        const std::string where = " where id = " + std::to_string(id);
        Row row = random_row(id, kind == 1 || kind == 3);
        Row key{id, std::vector<int>(samples().size(), -2)};
        if (kind == 0) {
          if (value("select count(*) from app.m" + where) != "0") continue;
          insert_model(row);
          rows.push_back({nullptr, cells(make, table, row)});
        } else if (kind == 1) {
          const std::string set = assignments(row);
          const bool is_there =
              (set.empty() ? std::stoi(value("select count(*) from app.m" + where))
                           : on_model("update app.m set " + set + where)) == 1;
          if (!is_there) gone.push_back(rows.size());
          rows.push_back({one_in(2) ? cells(make, table, key) : nullptr, cells(make, table, row)});
        } else if (kind == 2) {
          if (on_model("delete from app.m" + where) == 0) gone.push_back(rows.size());
          rows.push_back({cells(make, table, key), nullptr});
        } else if (kind == 3) {  // each takes the id of the next
          row.id = order[(i + 1) % order.size()];
          const std::string set = assignments(row);
          if (on_model("update app.m set id = " + std::to_string(-row.id) +
                       (set.empty() ? "" : ", " + set) + where) == 0) {
            gone.push_back(rows.size());
          }
          rows.push_back({cells(make, table, key), cells(make, table, row)});
        } else {
          on_model("delete from app.m" + where);
          insert_model(row);
          rows.push_back({nullptr, cells(make, table, row)});
        }
      }
      if (kind == 3) run("update app.m set id = -id where id < 0");
      constexpr StepKind kKinds[] = {StepKind::kInsert, StepKind::kUpdate, StepKind::kDelete,
                                     StepKind::kRekey, StepKind::kReplace};
      steps.push_back(make.step(kKinds[kind], table, rows));
    }
    const auto reports = change(*one, steps);
    ASSERT_TRUE(reports.ok()) << reports.error().to_paragraph() << " in round " << round;
    for (std::size_t s = 0; s < steps.size(); ++s) {
      EXPECT_EQ((*reports)[s].missing, missing[s]) << "round " << round << " step " << s;
    }
    ASSERT_EQ(difference(), "0") << "round " << round;
  }
  EXPECT_NE(value("select count(*) from app.t"), "0");
}

TEST_F(RandomApplyTest, TablesWithoutAKeyAreLikeTheModelAfterEachTransaction) {
  const auto planned = plan();
  const auto one = lane();
  std::vector<Row> rows_there;
  for (int round = 0; round < 10; ++round) {
    texts_.assign(samples().size() + 1, false);
    for (std::size_t i = 0; i < texts_.size(); ++i) texts_[i] = one_in(3);
    const ApplyTable table = describe(planned);
    ASSERT_FALSE(table.refused) << table.refused->to_paragraph();
    StepMaker make;
    std::vector<ApplyRow> inserts;
    for (int i = 0; i < 4; ++i) {
      // The same row again, more often than not.
      Row row =
          !rows_there.empty() && one_in(2)
              ? rows_there[static_cast<std::size_t>(below(static_cast<int>(rows_there.size())))]
              : random_row(1 + below(5), false);
      insert_model(row);
      rows_there.push_back(row);
      inserts.push_back({nullptr, cells(make, table, row)});
    }
    std::vector<ApplyRow> deletes;
    std::vector<ApplyRow> updates;
    for (int i = 0; i < 3; ++i) {
      const auto at = static_cast<std::size_t>(below(static_cast<int>(rows_there.size())));
      const Row row = rows_there[at];
      rows_there.erase(rows_there.begin() + static_cast<std::ptrdiff_t>(at));
      std::string where = "id = " + std::to_string(row.id);
      for (std::size_t c = 0; c < row.picks.size(); ++c) {
        where += " and row(c" + std::to_string(c) + ")::text = row(" + literal(c, row.picks[c]) +
                 ")::text";
      }
      const std::string one_row = "ctid = (select ctid from app.m where " + where + " limit 1)";
      if (i == 0) {
        ASSERT_EQ(on_model("delete from app.m where " + one_row), 1);
        deletes.push_back({cells(make, table, row), nullptr});
        continue;
      }
      Row next = random_row(row.id, true);
      const Cell* after = cells(make, table, next);
      const std::string set = assignments(next);
      if (!set.empty()) {
        ASSERT_EQ(on_model("update app.m set " + set + " where " + one_row), 1);
      }
      for (std::size_t c = 0; c < next.picks.size(); ++c) {
        if (next.picks[c] == -2) next.picks[c] = row.picks[c];
      }
      updates.push_back({cells(make, table, row), after});
      rows_there.push_back(next);
    }
    // A row that an update leaves must not be what another looks for.
    const auto reports = change(*one, {make.step(StepKind::kInsert, table, inserts),
                                       make.step(StepKind::kDelete, table, deletes),
                                       make.step(StepKind::kUpdate, table, {updates[0]}),
                                       make.step(StepKind::kUpdate, table, {updates[1]})});
    ASSERT_TRUE(reports.ok()) << reports.error().to_paragraph() << " in round " << round;
    for (const auto& report : *reports) EXPECT_TRUE(report.missing.empty()) << "round " << round;
    ASSERT_EQ(difference(), "0") << "round " << round;
  }
}

}  // namespace
}  // namespace wherry::postgres::test
