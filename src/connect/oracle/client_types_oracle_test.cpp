// Column types that only some releases or few tables have, from the client through orasim and back:
// bound where the client binds them, fetched in every LOB mode, kept over a crash of the server.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "connect/oracle/client.h"
#include "connect/oracle/value_text.h"
#include "core/spill_file.h"
#include "tests/support/orasim.h"

namespace wherry::oracle {
namespace {

using test::Orasim;

std::unique_ptr<Session> connect_to(const Orasim& server) {
  ConnectOptions options;
  options.connect_string = server.easy_connect();
  options.user = std::string(Orasim::kUser);
  options.password = Secret(std::string(Orasim::kPassword));
  OpContext context;
  auto session = Session::connect(context, options);
  EXPECT_TRUE(session.ok()) << session.error().to_paragraph();
  return session.ok() ? std::move(*session) : nullptr;
}

std::string temporary_directory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "wherry-types-XXXXXX").string();
  EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
  return pattern;
}

class Types : public ::testing::Test {
 protected:
  static Orasim& server() {
    static Orasim shared({"--emulate", "23ai"});
    return shared;
  }

  void SetUp() override {
    session_ = connect_to(server());
    ASSERT_NE(session_, nullptr);
  }

  void run(std::string_view sql, std::span<const Bind> binds = {}) {
    const auto done = session_->execute(context_, sql, binds);
    ASSERT_TRUE(done.ok()) << done.error().to_paragraph() << " in " << sql;
  }

  std::string error_of(std::string_view sql) {
    if (sql.starts_with("select")) {
      const auto read = session_->rows(context_, sql);
      return read.ok() ? "no error" : read.error().native_code;
    }
    const auto done = session_->execute(context_, sql);
    return done.ok() ? "no error" : done.error().native_code;
  }

  /// The rows, values by " | ".
  std::vector<std::string> rows(std::string_view sql) {
    const auto read = session_->rows(context_, sql);
    EXPECT_TRUE(read.ok()) << read.error().to_paragraph() << " in " << sql;
    std::vector<std::string> out;
    if (!read.ok()) return out;
    for (const TextRow& row : *read) {
      std::string line;
      for (const auto& value : row) line += (line.empty() ? "" : " | ") + value.value_or("NULL");
      out.push_back(line);
    }
    return out;
  }

  std::string value(std::string_view sql) {
    const auto all = rows(sql);
    return all.size() == 1 ? all[0] : "not one row";
  }

  OpContext context_;
  std::unique_ptr<Session> session_;
};

nlohmann::json parsed(const std::string& text) {
  return nlohmann::json::parse(text, nullptr, false);
}

TEST_F(Types, JsonIsBoundStoredAndFetchedWhole) {
  run("create table docs (id number primary key, j json, v varchar2(200) check (v is json))");
  const std::string small = R"({"b":[1,2.5,-0.001,null,true],"a":{"x":"y \u00e9","empty":""}})";
  auto bind = Bind::json(small);
  ASSERT_TRUE(bind.ok());
  const Bind binds[] = {*bind};
  run("insert into docs (id, j) values (1, :1)", binds);
  run("insert into docs (id, j) values (2, '[]')");
  run("insert into docs (id, j) values (3, null)");
  run("insert into docs (id, j) values (4, json('{\"n\": "
      "12345678901234567890123456789012345678}'))");
  EXPECT_EQ(parsed(value("select j from docs where id = 1")), parsed(small));
  EXPECT_EQ(value("select j from docs where id = 2"), "[]");
  EXPECT_EQ(value("select j from docs where id = 3"), "NULL");
  EXPECT_EQ(value("select j from docs where id = 4"),
            "{\"n\":12345678901234567890123456789012345678}");
  EXPECT_EQ(value("select count(*) from docs where j is not null"), "3");
  EXPECT_EQ(parsed(value("select json_serialize(j returning clob) from docs where id = 1")),
            parsed(small));
  EXPECT_EQ(value("select json_value(j, '$.a.x') from docs where id = 1"), "y \xC3\xA9");
  EXPECT_EQ(value("select json_value(j, '$.b[1]' returning number) from docs where id = 1"), "2.5");
  EXPECT_EQ(value("select json_query(j, '$.b') from docs where id = 1"),
            "[1,2.5,-0.001,null,true]");
  EXPECT_EQ(value("select json_value(j, '$.nothing') from docs where id = 1"), "NULL");
  EXPECT_EQ(value("select d.j.a.x from docs d where id = 1"), "\"y \xC3\xA9\"");
  EXPECT_EQ(value("select data_type from user_tab_columns where column_name = 'J'"), "JSON");
  EXPECT_EQ(error_of("insert into docs (id, j) values (5, '{\"a\":')"), "ORA-40441");
  EXPECT_EQ(error_of("select count(*) from docs where j = j"), "ORA-40796");
  run("insert into docs (id, v) values (6, '{a:1}')");
  EXPECT_EQ(error_of("insert into docs (id, v) values (7, 'no')"), "ORA-02290");
  const Bind returning[] = {Bind::out(OracleType::kVarchar, 4000)};
  const auto done = session_->execute(
      context_, "update docs set j = '{\"k\":1}' where id = 2 returning json_serialize(j) into :1",
      returning);
  ASSERT_TRUE(done.ok()) << done.error().to_paragraph();
  ASSERT_EQ(done->returned.size(), 1U);
  EXPECT_EQ(done->returned[0].at(0), "{\"k\":1}");
}

TEST_F(Types, JsonOfEverySizeKeepsItsContent) {
  run("create table sizes (id number primary key, j json)");
  std::vector<nlohmann::json> documents;
  nlohmann::json many = nlohmann::json::object();
  for (int i = 0; i < 300; ++i) many["field " + std::to_string(i)] = i;  // two-byte field ids
  nlohmann::json records = nlohmann::json::array();
  for (int i = 0; i < 9000; ++i)
    records.push_back({{"id", i}, {"name", "row " + std::to_string(i)}});
  documents.push_back(many);
  documents.push_back(records);  // offsets of 32 bits, shared field names
  documents.push_back({{std::string(300, 'n'), 1}, {"short", 2}});  // a long field name
  documents.push_back(std::string(70'000, 's'));
  documents.push_back({std::string(31, 'a'), std::string(32, 'b'), std::string(255, 'c'),
                       std::string(256, 'd'), std::string(65'536, 'e')});
  documents.push_back(nullptr);
  documents.push_back(true);
  documents.push_back(17);
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const std::string text = documents[i].dump();
    const auto bind = Bind::json(text);
    ASSERT_TRUE(bind.ok());
    const Bind binds[] = {Bind::number(static_cast<std::int64_t>(2 * i)), *bind,
                          Bind::number(static_cast<std::int64_t>(2 * i + 1)), Bind::text(text)};
    run("insert into sizes values (:1, :2)", std::span(binds).first(2));
    run("insert into sizes values (:1, :2)", std::span(binds).last(2));
  }
  const auto found = rows("select j from sizes order by id");
  ASSERT_EQ(found.size(), documents.size() * 2);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_TRUE(parsed(found[i]) == documents[i / 2]) << i << ": " << found[i].substr(0, 200);
  }
}

TEST_F(Types, BooleanIsAValueAndACondition) {
  run("create table flags (id number, b boolean, c boolean default true not null)");
  const Bind binds[] = {Bind::boolean(true), Bind::boolean(false),
                        Bind::null(OracleType::kBoolean)};
  run("insert into flags (id, b) values (1, :1)", std::span(binds).first(1));
  run("insert into flags (id, b) values (2, :1)", std::span(binds).subspan(1, 1));
  run("insert into flags (id, b) values (3, :1)", std::span(binds).last(1));
  run("insert into flags values (4, true, false)");
  run("insert into flags values (5, 'no', 1)");
  const std::vector<std::string> wanted = {"1 | true | true", "2 | false | true", "3 | NULL | true",
                                           "4 | true | false", "5 | false | true"};
  EXPECT_EQ(rows("select id, b, c from flags order by id"), wanted);
  EXPECT_EQ(value("select count(*) from flags where b"), "2");
  EXPECT_EQ(value("select count(*) from flags where not b and c"), "2");
  EXPECT_EQ(value("select count(*) from flags where b is not true"), "3");
  EXPECT_EQ(value("select count(*) from flags where b = false"), "2");
  EXPECT_EQ(value("select count(*) from flags where b is null"), "1");
  EXPECT_EQ(value("select to_char(b) from flags where id = 1"), "TRUE");
  const Bind out[] = {Bind::out(OracleType::kBoolean)};
  const auto done = session_->execute(
      context_, "update flags set b = not b where id = 1 returning b into :1", out);
  ASSERT_TRUE(done.ok()) << done.error().to_paragraph();
  EXPECT_EQ(done->returned.at(0).at(0), "false");
}

TEST_F(Types, VectorsOfEveryFormat) {
  run("create table vectors (id number, any_one vector, f32 vector(3, float32), "
      "f64 vector(2, float64), i8 vector(*, int8), bits vector(16, binary), "
      "sparse vector(6, float32, sparse))");
  const float floats[] = {1.5F, -0.1F, 0};
  const double doubles[] = {0.1, -1e300};
  const std::int8_t small[] = {-128, 0, 127};
  const Bind binds[] = {Bind::vector(floats), Bind::vector(floats), Bind::vector(doubles),
                        Bind::vector(small)};
  run("insert into vectors values (1, :1, :2, :3, :4, '[255, 1]', '[6, [1, 4], [0.5, 2]]')", binds);
  run("insert into vectors values (2, to_vector('[1, 2]', 2, float64), '[1,2,3]', '[1,2]', '[1]', "
      "null, null)");
  const std::vector<std::string> wanted = {
      "[1.5, -0.1, 0] | [1.5, -0.1, 0] | [0.1, -1e+300] | [-128, 0, 127] | [255, 1] | "
      "[6, [1, 4], [0.5, 2]]",
      "[1, 2] | [1, 2, 3] | [1, 2] | [1] | NULL | NULL"};
  EXPECT_EQ(rows("select any_one, f32, f64, i8, bits, sparse from vectors order by id"), wanted);
  EXPECT_EQ(value("select from_vector(f32) from vectors where id = 2"),
            "[1.0E+000,2.0E+000,3.0E+000]");
  EXPECT_EQ(value("select vector_serialize(sparse returning clob) from vectors where id = 1"),
            "[6,[1,4],[5.0E-001,2.0E+000]]");
  EXPECT_EQ(value("select vector_dimension_count(bits) from vectors where id = 1"), "16");
  EXPECT_EQ(value("select vector_dimension_format(any_one) from vectors where id = 2"), "FLOAT64");
  EXPECT_EQ(error_of("insert into vectors (f32) values ('[1, 2]')"), "ORA-51803");
  EXPECT_EQ(error_of("insert into vectors (i8) values ('[128]')"), "ORA-51806");
  EXPECT_EQ(error_of("insert into vectors (f32) values ('[1, x]')"), "ORA-51805");
  EXPECT_EQ(error_of("create table v (v vector(17, binary))"), "ORA-51813");
}

TEST_F(Types, XmlComesAsTextAndFromAClob) {
  run("create table pages (id number, x xmltype)");
  const std::string small = "<a b=\"1\">n\xC3\xA9 &amp; <!-- c --></a>";
  const std::string large = "<r>" + std::string(300'000, 'x') + "</r>";
  const Bind binds[] = {Bind::text(small), Bind::text(large)};
  run("insert into pages values (1, xmltype(:1))", std::span(binds).first(1));
  run("insert into pages values (2, xmltype.createxml(:1))", std::span(binds).last(1));
  run("insert into pages values (3, null)");
  run("insert into pages values (4, '<x/>')");
  EXPECT_EQ(value("select x from pages where id = 1"), small);
  EXPECT_TRUE(value("select x from pages where id = 2") == large);
  EXPECT_EQ(value("select x from pages where id = 3"), "NULL");
  EXPECT_EQ(value("select xmlserialize(content x as clob) from pages where id = 4"), "<x/>");
  EXPECT_EQ(value("select p.x.getStringVal() from pages p where id = 1"), small);
  EXPECT_TRUE(value("select p.x.getClobVal() from pages p where id = 2") == large);
  EXPECT_EQ(value("select xmltype('<y/>').getClobVal() from dual"), "<y/>");
  EXPECT_EQ(error_of("insert into pages values (5, xmltype('<a><b></a>'))"), "ORA-31011");
  EXPECT_EQ(value("select data_type from user_tab_columns where table_name = 'PAGES' and "
                  "column_name = 'X'"),
            "XMLTYPE");
}

TEST_F(Types, LongAndLongRawOfAnyLength) {
  run("create table longs (id number, t long)");
  run("create table long_raws (id number, r long raw)");
  std::string text;
  while (text.size() < 3'000'000) text += "n\xC3\xA9 \xF0\x9F\x8E\x89 ";
  const std::string bytes(2'500'001, '\xFE');
  const Bind binds[] = {Bind::text(text), Bind::bytes(bytes)};
  run("insert into longs values (1, :1)", std::span(binds).first(1));
  run("insert into longs values (2, 'short')");
  run("insert into longs values (3, null)");
  run("insert into long_raws values (1, :1)", std::span(binds).last(1));
  EXPECT_TRUE(value("select t from longs where id = 1") == text);
  EXPECT_EQ(rows("select id, t from longs where id > 1 order by id"),
            (std::vector<std::string>{"2 | short", "3 | NULL"}));
  EXPECT_EQ(value("select r from long_raws").size(), bytes.size() * 2);
  EXPECT_EQ(error_of("create table two (a long, b long raw)"), "ORA-01754");
  EXPECT_EQ(error_of("select 1 from longs where t = 'x'"), "ORA-00997");
  EXPECT_EQ(error_of("select id from longs order by t"), "ORA-00997");
  EXPECT_EQ(error_of("create table copy as select * from longs"), "ORA-00997");
  EXPECT_EQ(error_of("insert into longs select * from longs"), "ORA-00997");
  EXPECT_EQ(value("select count(*) from longs where t is null"), "1");
  run("create table lobs_of (id number, c clob)");
  run("insert into lobs_of select id, to_lob(t) from longs");
  EXPECT_TRUE(value("select c from lobs_of where id = 1") == text);
}

TEST_F(Types, RowAddressesPhysicalAndLogical) {
  run("create table addresses (id number, r rowid, u urowid)");
  run("insert into addresses values (1, null, null)");
  run("update addresses set r = rowid, u = rowid");
  run("insert into addresses values (2, null, '*BAEACkcCwQL+AAAA')");
  const std::string physical = value("select rowid from addresses where id = 1");
  EXPECT_EQ(value("select r, u from addresses where id = 1"), physical + " | " + physical);
  EXPECT_EQ(value("select u from addresses where id = 2"), "*BAEACkcCwQL+AAAA");
  const Bind binds[] = {Bind::rowid(physical)};
  run("insert into addresses values (3, null, :1)", binds);
  EXPECT_EQ(value("select count(*) from addresses where u = '" + physical + "'"), "2");
}

TEST_F(Types, MomentsWithRegions) {
  run("create table moments (id number, z timestamp(3) with time zone, "
      "l timestamp(6) with local time zone)");
  run("alter session set time_zone = 'Europe/Berlin'");
  run("insert into moments values (1, timestamp '2024-07-01 12:00:00.5 Europe/Berlin', "
      "timestamp '2024-07-01 12:00:00')");
  run("insert into moments values (2, from_tz(timestamp '2024-01-01 00:30:00', "
      "'America/New_York'), timestamp '2024-01-01 12:00:00')");
  constexpr std::int64_t kMicros = 1719828000'000000;  // 2024-07-01 10:00:00 UTC
  const Bind binds[] = {Bind::timestamp_tz(kMicros, 0, "Asia/Kathmandu"),
                        Bind::timestamp_tz(kMicros, 0, -210)};
  run("insert into moments (id, z) values (3, :1)", std::span(binds).first(1));
  run("insert into moments (id, z) values (4, :1)", std::span(binds).last(1));
  EXPECT_EQ(rows("select z, l from moments order by id"),
            (std::vector<std::string>{"2024-07-01 12:00:00.5 +02:00 | 2024-07-01 10:00:00 +00:00",
                                      "2024-01-01 00:30:00 -05:00 | 2024-01-01 11:00:00 +00:00",
                                      "2024-07-01 15:45:00 +05:45 | NULL",
                                      "2024-07-01 06:30:00 -03:30 | NULL"}));
  EXPECT_EQ(value("select to_char(z, 'YYYY-MM-DD HH24:MI TZR TZD TZH:TZM') from moments "
                  "where id = 1"),
            "2024-07-01 12:00 Europe/Berlin CEST +02:00");
  EXPECT_EQ(value("select to_char(z at time zone 'Asia/Tokyo', 'HH24:MI TZR') from moments "
                  "where id = 2"),
            "14:30 Asia/Tokyo");
  EXPECT_EQ(value("select extract(timezone_region from z) from moments where id = 3"),
            "Asia/Kathmandu");
  EXPECT_EQ(value("select sessiontimezone from dual"), "Europe/Berlin");
  // Adding a month of hours crosses the change to summer time by the instant.
  EXPECT_EQ(value("select to_char(timestamp '2024-03-30 12:00:00 Europe/Berlin' + interval '24' "
                  "hour, 'DD HH24:MI TZH') from dual"),
            "31 13:00 +02");
  EXPECT_EQ(error_of("select timestamp '2024-03-31 02:30:00 Europe/Berlin' from dual"),
            "ORA-01878");
  EXPECT_EQ(error_of("select from_tz(timestamp '2024-01-01 00:00:00', 'No/Where') from dual"),
            "ORA-01882");
}

TEST_F(Types, IntervalsOfBothKinds) {
  run("create table spans (y interval year(9) to month, d interval day(9) to second(9))");
  const Bind binds[] = {Bind::interval_ym(-14), Bind::interval_ds(-90061, -500000000)};
  run("insert into spans values (:1, :2)", binds);
  EXPECT_EQ(value("select * from spans"), "-1-02 | -1 01:01:01.5");
  EXPECT_EQ(value("select to_char(y), to_char(d) from spans"), "-01-02 | -01 01:01:01.500000");
  EXPECT_EQ(value("select extract(month from y), extract(second from d) from spans"), "-2 | -1.5");
}

TEST_F(Types, StringsAndRawsOf32Kilobytes) {
  run("create table wide (v varchar2(32767), r raw(32767), n nvarchar2(16383))");
  const std::string text(32'767, 'w'), bytes(32'767, '\x7F');
  std::string national;
  for (int i = 0; i < 10'000; ++i) national += "\xD0\xAF";
  const Bind binds[] = {Bind::text(text), Bind::bytes(bytes), Bind::national_text(national)};
  run("insert into wide values (:1, :2, :3)", binds);
  const std::string found = value("select v from wide");
  EXPECT_TRUE(found == text);
  EXPECT_EQ(value("select r from wide").size(), bytes.size() * 2);
  EXPECT_TRUE(value("select n from wide") == national);
  EXPECT_EQ(value("select length(v) from wide"), "32767");
  EXPECT_EQ(error_of("create table wider (v varchar2(32768))"), "ORA-00910");
  EXPECT_EQ(error_of("insert into wide (v) values (rpad('x', 4000, 'x') || 'y')"), "ORA-01489");
  const Bind tail[] = {Bind::text("y")};
  run("update wide set v = substr(v, 1, 32766) || :1", tail);
  EXPECT_EQ(value("select substr(v, -2) from wide"), "wy");
}

TEST_F(Types, NationalText) {
  run("create table nationals (c nchar(5), v nvarchar2(20), l nclob)");
  const std::string text = "\xD0\xAF \xF0\x9F\x8E\x89";
  const Bind binds[] = {Bind::national_text(text), Bind::national_text(text),
                        Bind::national_text(text)};
  run("insert into nationals values (:1, :2, :3)", binds);
  EXPECT_EQ(value("select * from nationals"), text + "  | " + text + " | " + text);
}

TEST_F(Types, ObjectsAndCollectionsAreSkippedWhole) {
  run("create type point as object (x number, y number, label varchar2(20))");
  run("create type names as varray(10) of varchar2(30)");
  run("create type numbers as table of number");
  run("create type place as object (name varchar2(300), at point, aliases names)");
  run("create table places (id number, p place, n names, m numbers, tail varchar2(10)) "
      "nested table m store as places_m");
  run("insert into places values (1, place('" + std::string(260, 'h') +
      "', point(1.5, -2, null), names('a', null)), names(), numbers(1, 2, 3), 'one')");
  run("insert into places values (2, null, null, null, 'two')");
  run("insert into places values (3, place(null, null, null), names('x'), numbers(), 'three')");
  FetchOptions options;
  options.unreadable = UnreadableColumns::kSkip;
  auto query =
      session_->query(context_, "select p, n, m, id, tail from places order by id", {}, options);
  ASSERT_TRUE(query.ok()) << query.error().to_paragraph();
  const std::vector<std::string> left_out = {"P (HR.PLACE)", "N (HR.NAMES)", "M (HR.NUMBERS)"};
  EXPECT_EQ((*query)->unreadable_columns(), left_out);
  const CellKind kinds[] = {CellKind::kText, CellKind::kText, CellKind::kText, CellKind::kDecimal,
                            CellKind::kText};
  RowBatch batch;
  std::vector<std::string> found;
  FetchState state = FetchState::kMore;
  while (state == FetchState::kMore) {
    const auto fetched = (*query)->fetch(context_, kinds, batch);
    ASSERT_TRUE(fetched.ok()) << fetched.error().to_paragraph();
    state = *fetched;
    for (std::size_t r = 0; r < batch.row_count(); ++r) {
      EXPECT_TRUE(batch.at(r, 0).is_null());
      found.push_back(*value_text(batch.at(r, 3)) + " " + *value_text(batch.at(r, 4)));
    }
  }
  EXPECT_EQ(found, (std::vector<std::string>{"1 one", "2 two", "3 three"}));
  EXPECT_EQ(value("select t.p.at.x, t.p.at.label from places t where id = 1"), "1.5 | NULL");
  EXPECT_EQ(rows("select attr_name, attr_type_name from user_type_attrs where type_name = 'PLACE' "
                 "order by attr_no"),
            (std::vector<std::string>{"NAME | VARCHAR2", "AT | POINT", "ALIASES | NAMES"}));
  EXPECT_EQ(value("select typecode, attributes from user_types where type_name = 'POINT'"),
            "OBJECT | 3");
  EXPECT_EQ(error_of("drop type point"), "ORA-02303");
  EXPECT_EQ(error_of("insert into places (id, n) values (4, numbers(1))"), "ORA-00932");
  EXPECT_EQ(error_of("create table nothing (x no_such_type)"), "ORA-00902");
}

TEST_F(Types, ExternalFilesAreReadFromTheirDirectory) {
  const std::string directory = temporary_directory();
  const std::string content(200'000, '\x42');
  std::ofstream(directory + "/photo.raw", std::ios::binary) << content;
  run("create or replace directory files as '" + directory + "'");
  run("create table photos (id number, f bfile)");
  run("insert into photos values (1, bfilename('FILES', 'photo.raw'))");
  run("insert into photos values (2, null)");
  run("insert into photos values (3, bfilename('FILES', 'missing.raw'))");
  run("insert into photos values (4, bfilename('NOWHERE', 'x'))");
  EXPECT_EQ(rows("select id, f from photos order by id"),
            (std::vector<std::string>{"1 | FILES/photo.raw", "2 | NULL", "3 | FILES/missing.raw",
                                      "4 | NOWHERE/x"}));
  const auto content_of = [&](int id) -> Result<std::string> {
    WHERRY_ASSIGN(const auto query, session_->query(context_, "select f from photos where id = " +
                                                                  std::to_string(id)));
    const CellKind kinds[] = {CellKind::kBytes};
    RowBatch batch;
    WHERRY_TRY(query->fetch(context_, kinds, batch));
    return std::string(batch.at(0, 0).bytes());
  };
  const auto found = content_of(1);
  ASSERT_TRUE(found.ok()) << found.error().to_paragraph();
  EXPECT_TRUE(*found == content);
  const auto missing = content_of(3);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().native_code, "ORA-22288");
  const auto nowhere = content_of(4);
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.error().native_code, "ORA-22285");
  EXPECT_EQ(value("select directory_path from all_directories where directory_name = 'FILES'"),
            directory);
  std::filesystem::remove_all(directory);
}

/// Every LOB mode gives the same.
TEST_F(Types, AllLobModesReadAllTypes) {
  run("create table modes (id number, j json, v vector, x xmltype, c clob, b boolean)");
  const std::string large(40'000, 'c');
  const Bind binds[] = {Bind::text(large)};
  run("insert into modes values (1, '{\"a\":1}', '[1]', '<x/>', :1, true)", binds);
  run("insert into modes values (2, null, null, null, null, null)");
  for (const LobMode mode : {LobMode::kInline, LobMode::kPrefetch, LobMode::kLocator}) {
    FetchOptions options;
    options.lob_mode = mode;
    options.lob_prefetch = 1000;
    auto query =
        session_->query(context_, "select j, v, x, c, b from modes order by id", {}, options);
    ASSERT_TRUE(query.ok());
    const CellKind kinds[] = {CellKind::kText, CellKind::kText, CellKind::kText, CellKind::kText,
                              CellKind::kBool};
    RowBatch batch;
    std::vector<std::string> found;
    FetchState state = FetchState::kMore;
    while (state == FetchState::kMore) {
      const auto fetched = (*query)->fetch(context_, kinds, batch);
      ASSERT_TRUE(fetched.ok()) << fetched.error().to_paragraph();
      state = *fetched;
      for (std::size_t r = 0; r < batch.row_count(); ++r) {
        for (std::size_t c = 0; c < 5; ++c) {
          found.push_back(value_text(batch.at(r, c)).value_or("NULL"));
        }
      }
    }
    EXPECT_EQ(found, (std::vector<std::string>{"{\"a\":1}", "[1]", "<x/>", large, "true", "NULL",
                                               "NULL", "NULL", "NULL", "NULL"}));
  }
}

TEST(TypesInLocalTime, ZonedMomentsComeOutTheSame) {
  const Orasim server({"--local-zones"});
  const auto session = connect_to(server);
  ASSERT_NE(session, nullptr);
  OpContext context;
  const std::pair<const char*, const char*> moments[] = {
      {"2024-07-01 12:00:00.5 Europe/Berlin", "2024-07-01 12:00:00.5 +02:00"},
      {"2024-10-27 02:30:00 Europe/Berlin CEST", "2024-10-27 02:30:00 +02:00"},
      {"2024-10-27 02:30:00 Europe/Berlin CET", "2024-10-27 02:30:00 +01:00"},
      {"2024-01-01 00:00:00 America/St_Johns", "2024-01-01 00:00:00 -03:30"},
      {"2024-01-01 00:00:00 +05:45", "2024-01-01 00:00:00 +05:45"},
      {"2024-01-01 00:00:00 -03:30", "2024-01-01 00:00:00 -03:30"}};
  for (const auto& [literal, text] : moments) {
    const auto read =
        session->rows(context, "select timestamp '" + std::string(literal) + "' from dual");
    ASSERT_TRUE(read.ok()) << read.error().to_paragraph();
    EXPECT_EQ(read->at(0).at(0), text);
  }
}

TEST(TypesOfReleases, WhatAReleaseDoesNotHaveIsNoType) {
  struct Case {
    const char* release;
    bool has_json, has_boolean;
  };
  for (const Case& c : {Case{"12.2", false, false}, Case{"19", false, false},
                        Case{"21c", true, false}, Case{"23ai", true, true}}) {
    const Orasim server({"--emulate", c.release});
    const auto session = connect_to(server);
    ASSERT_NE(session, nullptr);
    OpContext context;
    const auto outcome = [&](const char* sql) {
      const auto done = session->execute(context, sql);
      return done.ok() ? std::string("done") : done.error().native_code;
    };
    const std::string json = c.has_json ? "done" : "ORA-00902";
    const std::string boolean = c.has_boolean ? "done" : "ORA-00902";
    EXPECT_EQ(outcome("create table j (j json)"), json) << c.release;
    EXPECT_EQ(outcome("create table b (b boolean)"), boolean) << c.release;
    EXPECT_EQ(outcome("create table v (v vector)"), boolean) << c.release;
    EXPECT_EQ(outcome("create table x (x xmltype, l long, u urowid)"), "done") << c.release;
  }
}

TEST(TypesAfterACrash, EveryTypeIsStillThere) {
  const std::string data = temporary_directory();
  Orasim server({"--emulate", "23ai", "--data", data});
  const std::vector<std::string> statements = {
      "create type point as object (x number, y number)", "create directory files as '/somewhere'",
      "create table kept (j json, b boolean, v vector(2, float64), x xmltype, l long, u urowid, "
      "z timestamp with time zone, f bfile, o point, y interval year to month)",
      "insert into kept values ('{\"a\":[1]}', true, '[0.5,2]', '<x/>', 'long', "
      "'*BAEACkcCwQL+AAAA', timestamp '2024-07-01 12:00:00 Europe/Berlin', "
      "bfilename('FILES', 'f'), point(3, 4), interval '1-2' year to month)"};
  const char* const query =
      "select j, b, v, x, l, u, to_char(z, 'HH24 TZR'), f, k.o.y, y from kept k";
  const TextRow wanted = {
      "{\"a\":[1]}",      "true",    "[0.5, 2]", "<x/>", "long", "*BAEACkcCwQL+AAAA",
      "12 Europe/Berlin", "FILES/f", "4",        "+1-02"};
  OpContext context;
  {
    const auto session = connect_to(server);
    ASSERT_NE(session, nullptr);
    for (const std::string& statement : statements) {
      const auto done = session->execute(context, statement);
      ASSERT_TRUE(done.ok()) << done.error().to_paragraph() << statement;
    }
    ASSERT_TRUE(session->commit(context).ok());
    const auto read = session->rows(context, query);
    ASSERT_TRUE(read.ok()) << read.error().to_paragraph();
    EXPECT_EQ(read->at(0), wanted);
  }
  server.kill();
  server.restart();
  const auto session = connect_to(server);
  ASSERT_NE(session, nullptr);
  const auto read = session->rows(context, query);
  ASSERT_TRUE(read.ok()) << read.error().to_paragraph();
  ASSERT_EQ(read->size(), 1U);
  EXPECT_EQ(read->at(0), wanted);
  std::filesystem::remove_all(data);
}

}  // namespace
}  // namespace wherry::oracle
