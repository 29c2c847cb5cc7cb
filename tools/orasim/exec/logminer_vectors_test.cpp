// Statements whose SQL_REDO is known, executed and mined: the text must be the same, letter by
// letter. The evidence lies outside the repository: $WHERRY_SHARED/vectors, else ../shared/vectors.
//
// A vector that no server is known to have printed ("composed-from-grammar", other tools' own test
// data) need not come out the same; it is counted.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "exec/logminer_test_support.h"

namespace orasim {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

fs::path vector_file() {
  if (const char* told = std::getenv("WHERRY_SHARED")) {
    return fs::path(told) / "vectors/logminer-sql-redo.jsonl";
  }
  std::error_code ignored;
  for (const fs::path& start : {fs::path(__FILE__).parent_path(), fs::current_path(ignored)}) {
    for (fs::path at = start; !at.empty(); at = at.parent_path()) {
      const fs::path file = at / "../shared/vectors/logminer-sql-redo.jsonl";
      if (fs::exists(at / "CMakeLists.txt", ignored) && fs::exists(file, ignored)) return file;
      if (at == at.root_path()) break;
    }
  }
  return {};
}

/// A machine that must have the evidence may not skip silently.
bool is_evidence_required() {
  const char* told = std::getenv("WHERRY_REQUIRE_SHARED");
  return told != nullptr && std::string_view(told) == "1";
}

std::string in_quotes(const std::string& s) {
  std::string out = "'";
  for (const char c : s) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

std::string name_of(const std::string& name) {
  return "\"" + name + "\"";
}

/// A value of a vector as SQL; empty: none can be given.
std::string sql_value(const Json& v) {
  if (v.is_null()) return "NULL";
  if (v.is_string()) return in_quotes(v.get<std::string>());
  if (v.contains("num")) return v["num"].get<std::string>();
  if (!v.contains("fn")) return {};
  const std::string fn = v["fn"];
  if (fn == "UNISTR") return in_quotes(v["text"]);
  std::string args;
  if (v.contains("args")) {
    for (const Json& a : v["args"]) args += (args.empty() ? "" : ", ") + in_quotes(a);
  }
  return fn + "(" + args + ")";
}

/// A converted value of a vector as SQL.
std::string typed_value(const Json& v, const std::string& type) {
  if (v.is_null()) return "NULL";
  const std::string text = v.get<std::string>();
  const char* iso = "YYYY-MM-DD\"T\"HH24:MI:SS";
  if (type == "DATE") return "to_date(" + in_quotes(text) + ", " + in_quotes(iso) + ")";
  if (type.starts_with("TIMESTAMP")) {
    const bool is_zoned = type.find("WITH TIME ZONE") != std::string::npos;
    const std::string model = std::string(iso) + "XFF" + (is_zoned ? "TZH:TZM" : "");
    return std::string(is_zoned ? "to_timestamp_tz(" : "to_timestamp(") + in_quotes(text) + ", " +
           in_quotes(model) + ")";
  }
  int a = 0, b = 0, c = 0;
  float seconds = 0;
  if (std::sscanf(text.c_str(), "P%dY%dM", &a, &b) == 2) {
    return "to_yminterval('" + std::to_string(a) + "-" + std::to_string(b) + "')";
  }
  if (std::sscanf(text.c_str(), "P%dDT%dH%dM%fS", &a, &b, &c, &seconds) == 4) {
    return "to_dsinterval('" + std::to_string(a) + " " + std::to_string(b) + ":" +
           std::to_string(c) + ":" + std::to_string(seconds) + "')";
  }
  return type.starts_with("RAW") ? "hextoraw(" + in_quotes(text) + ")" : in_quotes(text);
}

class LogMinerVectors : public MiningTest {
 protected:
  void prepare(const Json& vector) {
    // What was captured is of 23ai, and so are the LOB rows whose shape was seen.
    const std::string basis = vector["basis"];
    const bool is_new = vector["id"].get<std::string>().starts_with("free23") ||
                        basis == "rebuilt-from-observed-shape";
    open({}, is_new ? "23.26.0.0.0" : "19.22.0.0.0");
    run("alter database add supplemental log data");
    if (vector.contains("options") && vector["options"].value("nls", "") == "iso") {
      use_iso_formats();
    }
    const Json& table = vector["table"];
    owner_ = table["owner"];
    name_ = name_of(owner_) + "." + name_of(table["name"]);
    if (owner_ != "APP") {
      run("create user " + name_of(owner_) + " identified by x quota unlimited on users");
    }
    std::string columns;
    for (const Json& c : table["columns"]) {
      columns +=
          (columns.empty() ? "" : ", ") + name_of(c["name"]) + " " + c["type"].get<std::string>();
    }
    key_ = table["columns"][0]["name"];
    run("create table " + name_ + " (" + columns + ", primary key (" + name_of(key_) + "))");
    log_columns(vector);
  }

  /// As much as the text shows: all columns, or the key and what changes.
  void log_columns(const Json& vector) {
    const Json& expect = vector["expect"];
    bool all = false;
    if (expect.contains("old") && expect.contains("new")) {
      for (const auto& [column, value] : expect["old"].items()) {
        all = all || (column != key_ && !expect["new"].contains(column));
      }
    }
    if (expect.contains("key")) all = expect["key"].size() > 1;
    run("alter table " + name_ + " add supplemental log data (" + (all ? "all" : "primary key") +
        ") columns");
  }

  /// The row as it was before.
  void insert_row(const Json& values) {
    std::string columns, given;
    for (const auto& [column, value] : values.items()) {
      columns += (columns.empty() ? "" : ",") + name_of(column);
      given += (given.empty() ? "" : ",") + sql_value(value);
    }
    run("insert into " + name_ + " (" + columns + ") values (" + given + ")");
    session().commit();
  }

  /// Inserts are executed as they are; of the others the WHERE is for the key alone, as a text need
  /// not compare equal to what it was printed from.
  void run_change(const Json& vector) {
    std::string sql = vector["sql_redo"];
    if (sql.ends_with(';')) sql.pop_back();
    const Json& expect = vector["expect"];
    const std::string kind = expect["kind"];
    if (kind != "insert") {
      insert_row(expect["old"]);
      const std::string where =
          " where " + name_of(key_) + " = " + sql_value(expect["old"].value(key_, Json()));
      std::string set;
      for (const auto& [column, value] : expect["new"].items()) {
        set += (set.empty() ? " set " : ", ") + name_of(column) + " = " + sql_value(value);
      }
      sql = (kind == "update" ? "update " + name_ + set : "delete from " + name_) + where;
    }
    from_ = current_scn() + 1;
    run(sql);
    session().commit();
  }

  /// Redo that is of an older definition than the dictionary has; of INSERT.
  void insert_and_alter(const Json& vector) {
    std::string columns, values;
    for (const Json& c : vector["table"]["columns"]) {
      const Json& typed = vector["expect"]["typed"]["new"];
      if (!typed.contains(c["name"])) continue;
      columns += (columns.empty() ? "" : ", ") + name_of(c["name"]);
      values += (values.empty() ? "" : ", ") + typed_value(typed[c["name"]], c["type"]);
    }
    from_ = current_scn() + 1;
    run("insert into " + name_ + " (" + columns + ") values (" + values + ")");
    session().commit();
    run("alter table " + name_ + " add (added_later number)");
  }

  void write_lob(const Json& expect) {
    Json row = expect["key"];
    const std::string column = expect["column"];
    const bool is_blob = expect.value("lob_type", "") == "BLOB";
    row[column] = {{"fn", is_blob ? "EMPTY_BLOB" : "EMPTY_CLOB"}};
    insert_row(row);
    const auto change = [&](const std::function<std::string(const std::string&)>& make) {
      const auto rows = query("select " + name_of(column) + " from " + name_ + " for update");
      session().change_lob(rows.at(0).at(0).lob(), [&](const Lob& now) {
        return std::make_shared<const LobData>(LobData{make(now->data)});
      });
      session().commit();
    };
    if (expect["kind"] == "lob_trim") {
      const auto length = expect["length"].get<std::size_t>();
      change([&](const std::string&) { return std::string(length + 5, 'x'); });
      from_ = current_scn() + 1;
      return change([&](const std::string& now) { return now.substr(0, length); });
    }
    const auto offset = expect["offset"].get<std::size_t>();
    if (offset > 1) change([&](const std::string&) { return std::string(offset - 1, 'x'); });
    from_ = current_scn() + 1;
    change([&](const std::string& now) { return now + data_of(expect); });
  }

  static std::string data_of(const Json& expect) {
    if (!expect.contains("data_hex")) return expect["data"];
    const std::string hex = expect["data_hex"];
    std::string out;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    return out;
  }

  /// The texts of rows with the vector's operation.
  std::vector<std::string> texts(const Json& vector) {
    const std::string text = vector["sql_redo"];
    std::string options = "dbms_logmnr.no_rowid_in_stmt";
    if (!text.ends_with(';')) options += " + dbms_logmnr.no_sql_delimiter";
    std::vector<std::string> out;
    for (const Mined& m : mine(options, from_)) {
      const bool is_other_row = !vector.contains("operation_code") ||
                                m.code == vector["operation_code"].get<std::int64_t>();
      if (!is_other_row) continue;
      out.push_back(m.sql_redo);
      pieces_ = m.pieces;
    }
    return out;
  }

  std::string owner_, name_, key_;
  std::int64_t from_ = 0, pieces_ = 1;
};

bool is_typed(const Json& vector) {
  if (!vector.contains("table") || vector["table"].is_null()) return false;
  for (const Json& c : vector["table"]["columns"]) {
    if (!c.contains("type")) return false;
  }
  return true;
}

bool is_printed_by_a_server(const std::string& basis) {
  return basis == "captured" || basis == "rebuilt-from-parsed-output" ||
         basis == "rebuilt-from-observed-shape";
}

/// XML and unsupported rows: the statement is not in the vector.
const char* insert_for(const std::string& kind) {
  if (kind == "xml_begin" || kind == "xml_write") return "xmltype('<a><b>1</b></a>')";
  return kind == "unsupported" ? "true" : nullptr;
}

TEST_F(LogMinerVectors, ExecutedAndMinedGiveTheSameText) {
  const fs::path file = vector_file();
  if (file.empty() || !fs::exists(file)) {
    ASSERT_FALSE(is_evidence_required()) << "set WHERRY_SHARED to the shared directory";
    GTEST_SKIP() << "*** NOT TESTED against known SQL_REDO: set WHERRY_SHARED ***";
  }
  std::ifstream in(file);
  int same = 0, other = 0;
  for (std::string line; std::getline(in, line);) {
    const Json vector = Json::parse(line);
    const Json& expect = vector["expect"];
    const std::string kind = expect["kind"];
    const bool is_undo = vector.contains("row") && vector["row"].value("ROLLBACK", 0) == 1;
    const bool is_positional = expect.contains("positional");
    if (!is_typed(vector) || kind == "error" || is_undo) continue;
    if (is_positional && kind != "insert") continue;
    SCOPED_TRACE(vector["id"].get<std::string>());
    const std::string wanted = vector["sql_redo"];
    std::vector<std::string> got;
    try {
      prepare(vector);
      if (const char* value = insert_for(kind)) {
        from_ = current_scn() + 1;
        run("insert into " + name_ + " values (1, " + value + ")");
        session().commit();
      } else if (is_positional) {
        insert_and_alter(vector);
      } else if (kind == "lob_write" || kind == "lob_trim") {
        write_lob(expect);
      } else {
        run_change(vector);
      }
      got = texts(vector);
    } catch (const OraError& error) {
      got = {error.what()};
    }
    const bool found = std::find(got.begin(), got.end(), wanted) != got.end();
    ++(found ? same : other);
    if (found && vector.contains("csf")) {
      EXPECT_EQ(static_cast<std::size_t>(pieces_), vector["csf"].size());
    }
    if (is_printed_by_a_server(vector["basis"])) {
      EXPECT_TRUE(found) << "wanted " << wanted.substr(0, 600) << "\ngot    "
                         << (got.empty() ? "nothing" : got.front().substr(0, 600));
    } else if (!found) {
      std::cout << vector["id"] << ": " << wanted << "\n    printed as "
                << (got.empty() ? "nothing" : got.front()) << "\n";
    }
  }
  std::cout << same << " vectors come out the same, " << other << " otherwise\n";
  EXPECT_GT(same, 0);
}

}  // namespace
}  // namespace orasim
