// SQL_REDO: statements, the rows of LOBs and documents, and values. The texts are made up here from
// the grammar; tests/integration/test_parse_redo.py has those of real servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "connect/oracle/logminer/bytes_at_once.h"
#include "connect/oracle/logminer/redo_cell.h"
#include "connect/oracle/logminer/redo_parser.h"
#include "connect/oracle/logminer/redo_protocol.h"
#include "connect/oracle/logminer/stored_value.h"
#include "connect/oracle/value_text.h"

namespace wherry::oracle {
namespace {

std::string text_of(const RedoValue& value) {
  switch (value.form) {
    case RedoForm::kNull:
      return "null";
    case RedoForm::kUnsupported:
      return "?";
    case RedoForm::kCall:
      return std::string(value.function) + "(" + std::string(value.text) +
             (value.argument_count > 1 ? "|" + std::string(value.format) : "") + ")";
    case RedoForm::kNational:
      return "n'" + std::string(value.text) + "'";
    case RedoForm::kText:
      return "'" + std::string(value.text) + "'";
    default:
      return std::string(value.text);
  }
}

std::string text_of(const std::vector<RedoField>& fields) {
  std::string out;
  for (const RedoField& field : fields) {
    out += (out.empty() ? "" : " ") + std::string(field.column) + "=" + text_of(field.value);
  }
  return out;
}

/// "insert S.T: A='1' / B=null rowid=…", or what is wrong and where.
std::string parsed(std::string_view sql, RedoParser::Quotes quotes = RedoParser::Quotes::kStrict) {
  RedoParser parser(quotes);
  RedoStatement statement;
  if (!parser.parse(sql, statement)) {
    return std::string(parser.problem().what) + " at " + std::to_string(parser.problem().at);
  }
  constexpr const char* kKinds[] = {"insert ", "update ", "delete "};
  std::string out = kKinds[static_cast<int>(statement.kind)];
  out += std::string(statement.owner) + "." + std::string(statement.table) + ":";
  if (!statement.after.empty()) out += " " + text_of(statement.after);
  if (!statement.before.empty()) out += " / " + text_of(statement.before);
  if (!statement.row_id.empty()) out += " rowid=" + std::string(statement.row_id);
  return out;
}

TEST(RedoParser, ReadsStatements) {
  EXPECT_EQ(parsed(R"(insert into "S"."T"("A","b c","D") values ('1',NULL,'x y');)"),
            "insert S.T: A='1' b c=null D='x y'");
  EXPECT_EQ(parsed(R"(update "S"."T" set "A" = '2', "B" = NULL where "A" = '1' and "B" IS NULL)"),
            "update S.T: A='2' B=null / A='1' B=null");
  EXPECT_EQ(parsed(R"(delete from "S"."T" where "A" = NULL and ROWID = 'AAAWEkAAGAAAAKnAAA';)"),
            "delete S.T: / A=null rowid=AAAWEkAAGAAAAKnAAA");
  EXPECT_EQ(parsed(R"(delete from "S"."T" where ROWID = 'AAAWEkAAGAAAAKnAAA')"),
            "delete S.T: rowid=AAAWEkAAGAAAAKnAAA");
  EXPECT_EQ(parsed(R"(update "S"."T" set "A" = 'x')"), "update S.T: A='x'");
  EXPECT_EQ(parsed("update \"S\".\"T\" a\n set a.\"A\" = 'x'  where a.\"K\" = '1' ; \n"),
            "update S.T: A='x' / K='1'");
  EXPECT_EQ(parsed(R"(INSERT INTO "T" ( "A" , "B" ) VALUES ( '1' , -1.5E+3 ))"),
            "insert .T: A='1' B=-1.5E+3");
}

TEST(RedoParser, TakesWhatLooksLikeTheStatementForData) {
  EXPECT_EQ(parsed(R"(update "S"."a.b, ""set""" set "A" = 'x')"), "SET is missing at 18");
  EXPECT_EQ(parsed(R"(update "S"."T" set "A" = 'a and "B" = ''1'' where ' where "A" = ');')"),
            "update S.T: A='a and \"B\" = '1' where ' / A=');'");
  EXPECT_EQ(parsed(R"(insert into "S"."T"("values (","A,B") values ('''','''a''''b'''))"),
            "insert S.T: values (=''' A,B=''a''b''");
}

TEST(RedoParser, ReadsTheSameHoweverManyBlanksThereAre) {
  for (const std::string& sql : {
           std::string(R"(update "S"."T" set "A" = 'x',"B" = '' where "A" = 'y' and "K" = '1')"),
           std::string(R"(insert into "S"."T"("A","B") values ('x','it''s'))"),
           std::string(R"(delete from "S"."T" where "A" = 'y' || 'z' and "K" = '1' or "L" = '2')"),
       }) {
    std::string wide;
    bool is_within = false;
    for (const char c : sql) {
      is_within ^= c == '\'' || c == '"';
      wide += !is_within && (c == ' ' || c == '=' || c == ',') ? std::string{'\n', c, '\t', ' '}
                                                               : std::string{c};
    }
    EXPECT_EQ(parsed(wide), parsed(sql)) << sql;
  }
}

TEST(EightBytes, FindWhatStringsFind) {
  const std::string text = "a'bc''def\"'ghijk\xc3\xa7lmnop&()'";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::string_view part = std::string_view(text).substr(0, size);
    for (const char wanted : {'\'', '"', '&', '\xa7', 'p', '!'}) {
      for (std::size_t at = 0; at <= size + 1; ++at) {
        EXPECT_EQ(find_byte(part, wanted, at), part.find(wanted, at)) << part << at << wanted;
      }
    }
  }
}

TEST(RedoParser, ReadsCalls) {
  EXPECT_EQ(parsed(R"(insert into "S"."T"("D","B","C","U") values (TO_DATE('2024-02-29 12:00:00', )"
                   R"('YYYY-MM-DD HH24:MI:SS'),HEXTORAW('00ff'),EMPTY_CLOB(),Unsupported Type))"),
            "insert S.T: D=TO_DATE(2024-02-29 12:00:00|YYYY-MM-DD HH24:MI:SS) B=HEXTORAW(00ff) "
            "C=EMPTY_CLOB() U=?");
  EXPECT_EQ(parsed(R"(update "S"."T" set "J" = /* JSON */ HEXTORAW('ff4a') || HEXTORAW('5a'), )"
                   R"("X" = XMLType(:1))"),
            "update S.T: J=HEXTORAW(ff4a5a) X=:1");
}

TEST(RedoParser, DecodesUnistr) {
  const auto value = [](const std::string& sql) {
    return parsed("update \"S\".\"T\" set \"A\" = " + sql);
  };
  EXPECT_EQ(value(R"(UNISTR('\017Cuk'))"), "update S.T: A=n'żuk'");
  EXPECT_EQ(value(R"(UNISTR('a\\b''c') || UNISTR('\d83D') ||UNISTR('\DE00|| )'))"),
            "update S.T: A=n'a\\b'c😀|| )'");
  EXPECT_EQ(value(R"('plain ' || UNISTR('\00e9'))"), "update S.T: A=n'plain é'");
  EXPECT_EQ(value(R"(UNISTR('\d83d'))"), "UNISTR has half a surrogate pair at 40");
  EXPECT_EQ(value(R"(Unsupported Type || 'x')"), "what is joined is no text at 44");
  EXPECT_EQ(value(R"('x' || HEXTORAW('00'))"), "what is joined is no text at 46");
  EXPECT_EQ(value(R"(UNISTR('\12g4'))"), "UNISTR has a wrong escape at 40");
}

TEST(RedoParser, SaysWhereATextBreaksOff) {
  const std::string sql =
      R"(insert into "S"."T"("A","B","C") values ('it''s',UNISTR('\00e9'),TO_DATE('a', 'b')))";
  for (std::size_t size = 0; size < sql.size(); ++size) {
    EXPECT_THAT(parsed(sql.substr(0, size)), ::testing::HasSubstr(" at ")) << size;
  }
  EXPECT_EQ(parsed(R"(insert into "S"."T"("A","B") values ('1'))"),
            "there are fewer values than columns at 40");
  EXPECT_EQ(parsed(R"(insert into "S"."T"("A") values ('1','2'))"),
            "there are more values than columns at 36");
  EXPECT_EQ(parsed(R"(delete from "S"."T" where "A" = '1' x)"),
            "there is more behind the statement at 35");
}

TEST(RedoParser, RecoversApostrophesThatWereNotDoubled) {
  const std::string sql = R"(update "S"."T" set "A" = 'it's a 'b', "c' where "K" = '1')";
  EXPECT_THAT(parsed(sql), ::testing::HasSubstr(" at "));
  EXPECT_EQ(parsed(sql, RedoParser::Quotes::kRelaxed), "update S.T: A='it's a 'b', \"c' / K='1'");
  EXPECT_EQ(
      parsed(R"(insert into "S"."T"("A","B") values (''x'','y'))", RedoParser::Quotes::kRelaxed),
      "insert S.T: A=''x'' B='y'");
  // What is right is not recovered.
  EXPECT_EQ(parsed(R"(insert into "S"."T"("A") values ('a'',''b'))", RedoParser::Quotes::kRelaxed),
            "insert S.T: A='a','b'");
}

std::string piece_of(std::optional<int> code, std::string_view text, std::string_view info = "") {
  const RedoRowClass row = classify_redo(code, text, info);
  if (row.kind == RedoRowKind::kSkip) return "skip: " + std::string(row.reason);
  if (row.kind == RedoRowKind::kUnsupported) return "unsupported";
  if (row.kind == RedoRowKind::kError) return "error: " + std::string(row.reason);
  RedoProtocolParser parser;
  RedoPiece piece;
  if (!parser.parse(row.kind, text, info, piece)) return std::string(parser.problem().what);
  std::string out =
      std::string(piece.table) + "." + std::string(piece.column) + " " + text_of(piece.key);
  if (piece.data) out += " data " + text_of(*piece.data);
  if (piece.amount) out += " amount " + std::to_string(*piece.amount);
  if (piece.offset) out += " offset " + std::to_string(*piece.offset);
  if (piece.length) out += " length " + std::to_string(*piece.length);
  return out;
}

constexpr const char* kDeclare =
    "DECLARE \n loc_c CLOB; \n buf_c VARCHAR2(6156); \n loc_nc NCLOB; \n e_len NUMBER; \nBEGIN\n";

TEST(RedoProtocol, ReadsRowsOfLobs) {
  const std::string select = std::string(kDeclare) +
                             " select \"BODY\" into loc_nc from \"S\".\"DOC\" where \"ID\" = '1' "
                             "and \"T\" IS NULL for update;\n";
  EXPECT_EQ(piece_of(9, select), "DOC.BODY ID='1' T=null");
  EXPECT_EQ(piece_of(10, select + "\n buf_nc := UNISTR('\\00e9; END;'); \n"
                                  "  dbms_lob.write(loc_nc, 7, 4001, buf_nc);\nEND;"),
            "DOC.BODY ID='1' T=null data n'é; END;' amount 7 offset 4001");
  EXPECT_EQ(piece_of(11, select + "  dbms_lob.trim(loc_nc, 5);\nEND;"),
            "DOC.BODY ID='1' T=null length 5");
  EXPECT_EQ(piece_of(29, select + " e_len := 3; \n dbms_lob.erase(loc_nc, e_len, 2);\nEND;"),
            "DOC.BODY ID='1' T=null amount 3 offset 2");
  EXPECT_EQ(piece_of(10, " buf_b := HEXTORAW('00ff');\n  dbms_lob.write(loc_b, 2, 1, buf_b);"),
            ".  data HEXTORAW(00ff) amount 2 offset 1");
  EXPECT_EQ(piece_of(10, " dbms_lob.write(loc_b, 2, 1, buf_b);"), "the data is missing");
  EXPECT_EQ(piece_of(9, ""), "skip: the row has no text");
}

TEST(RedoProtocol, ReadsDocumentsAndLongStrings) {
  EXPECT_EQ(piece_of(68, R"(XML DOC BEGIN:  select "X" from "S"."D" where "ID" = '1')"),
            "D.X ID='1'");
  EXPECT_EQ(piece_of(68, R"(update "S"."D" a set a."X" = XMLType(:1)  where a."K" IS NULL;)"),
            "D.X K=null");
  EXPECT_EQ(piece_of(70, "XML_REDO := '<a b=''1''/>'\n amount: 10"),
            ".  data '<a b='1'/>' amount 10");
  EXPECT_EQ(piece_of(70, "XML_REDO := HEXTORAW('3c61):2"), ".  data HEXTORAW(3c61) amount 2");
  EXPECT_EQ(piece_of(70, "XML_REDO := NULL"), ".  data null");
  EXPECT_EQ(piece_of(70, "<a>it's</a>", "XML sql_redo needs assembly"), ".  data '<a>it's</a>'");
  EXPECT_EQ(piece_of(91,
                     "DECLARE\n TempLob CLOB;\n Stmt CLOB;\nBEGIN\n "
                     "DBMS_LOB.CreateTemporary(TempLob, FALSE);\n Stmt := 'update \"S\".\"T\" "
                     "a set a.\"V\" = :V where a.\"K\" = ''it''''s'';';"),
            "T.V K='it's'");
  EXPECT_EQ(
      piece_of(92, " buf_c := 'a''b';\n DBMS_LOB.WriteAppend(TempLob, LENGTH(buf_c), buf_c);"),
      ".  data 'a'b'");
  EXPECT_EQ(
      piece_of(92, " buf_c := 'it's';\n DBMS_LOB.WriteAppend(TempLob, LENGTH(buf_c), buf_c);"),
      ".  data 'it's'");
}

TEST(RedoProtocol, KnowsRowsByTheirTextAlone) {
  EXPECT_EQ(piece_of({}, "Unsupported"), "unsupported");
  EXPECT_EQ(piece_of(1, "Dictionary Version Mismatch"), "unsupported");
  EXPECT_EQ(piece_of({}, "/* No SQL_REDO for temporary tables */"), "skip: temporary table");
  EXPECT_EQ(piece_of({}, "set transaction read write;"), "skip: transaction control");
  EXPECT_EQ(piece_of({}, "XML_REDO := NULL"), ".  data null");
  EXPECT_EQ(piece_of(34, ""), "error: a gap in the redo");
  EXPECT_EQ(piece_of(99, ""), "error: an operation that is not known");
  EXPECT_EQ(classify_redo({}, R"(update "S"."T" set "A" = '1')", "").kind, RedoRowKind::kStatement);
}

/// The value of SQL_REDO for a column of the type, as text; what is wrong with it in <>.
std::string cell(const std::string& sql, std::string_view type, int session_offset_minutes = 0) {
  RedoParser parser;
  RedoStatement statement;
  const std::string text = "update \"S\".\"T\" set \"A\" = " + sql;
  if (!parser.parse(text, statement)) return "<no statement>";
  Arena arena;
  Cell out;
  const RedoValueStatus status = redo_cell(statement.after[0].value, *redo_column_of(type),
                                           {&arena, session_offset_minutes}, out);
  if (status != RedoValueStatus::kGiven) return "<" + std::string(describe(status)) + ">";
  return value_text(out).value_or("NULL");
}

TEST(RedoCell, HasValuesOfEveryType) {
  EXPECT_EQ(cell("'-.5'", "NUMBER(10,2)"), "-0.5");
  EXPECT_EQ(cell("'1.5E+020'", "NUMBER"), "150000000000000000000");
  EXPECT_EQ(cell("'3.1400001E+000'", "BINARY_FLOAT"), "3.14");
  EXPECT_EQ(cell("'-Inf'", "BINARY_DOUBLE"), "-Infinity");
  EXPECT_EQ(cell("TO_DATE('2024-02-29 23:59:58', 'YYYY-MM-DD HH24:MI:SS')", "DATE"),
            "2024-02-29 23:59:58");
  EXPECT_EQ(cell("TO_DATE('-0044-03-15 00:00:00', 'SYYYY-MM-DD HH24:MI:SS')", "DATE"),
            "0044-03-15 00:00:00 BC");
  EXPECT_EQ(cell("TO_TIMESTAMP('2024-02-29 00:00:00.')", "TIMESTAMP(0)"), "2024-02-29 00:00:00");
  EXPECT_EQ(cell("TO_TIMESTAMP_TZ('2026-03-29 01:30:00.500000000 -05:30')",
                 "TIMESTAMP(6) WITH TIME ZONE"),
            "2026-03-29 01:30:00.5 -05:30");
  EXPECT_EQ(cell("TO_TIMESTAMP_TZ('2026-03-29 01:30:00.5')", "TIMESTAMP WITH LOCAL TIME ZONE", 90),
            "2026-03-29 00:00:00.5 +00:00");
  EXPECT_EQ(cell("TO_YMINTERVAL('-0012-03')", "INTERVAL YEAR(4) TO MONTH"), "-12-03");
  EXPECT_EQ(cell("TO_DSINTERVAL('+00005 04:03:02.5')", "INTERVAL DAY(5) TO SECOND"),
            "+5 04:03:02.5");
  EXPECT_EQ(cell("HEXTORAW('00fF')", "RAW(16)"), "00ff");
  EXPECT_EQ(cell("EMPTY_BLOB()", "BLOB"), "");
  EXPECT_EQ(cell("EMPTY_CLOB()", "NCLOB"), "");
  EXPECT_EQ(cell("UNISTR('\\00e9')", "NVARCHAR2(10)"), "é");
  EXPECT_EQ(cell("NULL", "DATE"), "NULL");
}

TEST(RedoCell, RefusesWhatIsNoValue) {
  EXPECT_EQ(cell("Unsupported Type", "UROWID"), "<LogMiner does not show the value>");
  EXPECT_EQ(cell("TO_DATE('15-JUN-25', 'DD-MON-RR')", "DATE"),
            "<the value is not in the formats that were set for the session>");
  EXPECT_EQ(cell("TO_TIMESTAMP('15-JUN-25 10.30.00 AM')", "TIMESTAMP"),
            "<the value is not in the formats that were set for the session>");
  EXPECT_EQ(cell("'x'", "NUMBER"), "<the text is no value of the column's type>");
  EXPECT_EQ(cell("HEXTORAW('0')", "RAW(1)"), "<the text is no value of the column's type>");
  EXPECT_FALSE(redo_column_of("SDO_GEOMETRY"));
}

std::string stored(std::string_view hex, std::string_view type, std::uint16_t charset = 873) {
  RedoValue value;
  value.form = RedoForm::kCall;
  value.function = "HEXTORAW";
  value.text = hex;
  Arena arena;
  wire::RegionTable regions;
  StoredValueContext context;
  context.arena = &arena;
  context.regions = &regions;
  context.database_charset = charset;
  Cell out;
  const RedoValueStatus status = stored_cell(value, *redo_column_of(type), context, out);
  if (status != RedoValueStatus::kGiven) return "<" + std::string(describe(status)) + ">";
  return value_text(out).value_or("NULL");
}

TEST(StoredValue, IsReadInItsBytes) {
  EXPECT_EQ(stored("c302182e44", "NUMBER"), "12345.67");
  EXPECT_EQ(stored("7a", "VARCHAR2(10)"), "z");
  EXPECT_EQ(stored("a4", "VARCHAR2(10)", *charset_id("WE8ISO8859P15")), "€");
  EXPECT_EQ(stored("017c", "NVARCHAR2(10)"), "ż");
  EXPECT_EQ(stored("787c021d183c3b", "DATE"), "2024-02-29 23:59:58");
  EXPECT_EQ(stored("0001869f0180000a0003", "ROWID"), "AAAYafAAGAAAAAKAAD");
  EXPECT_EQ(stored("00ff", "RAW(10)"), "00ff");
  EXPECT_EQ(stored("00", "CLOB"), "<LogMiner does not show the value>");
  EXPECT_EQ(stored("78", "DATE"), "<the text is no value of the column's type>");
  EXPECT_EQ(positional_column("COL 12"), 12U);
  EXPECT_FALSE(positional_column("COL 0"));
  EXPECT_FALSE(positional_column("COL x"));
}

}  // namespace
}  // namespace wherry::oracle
