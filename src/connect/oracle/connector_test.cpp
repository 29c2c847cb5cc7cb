#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "connect/oracle/connect_string.h"
#include "connect/oracle/settings.h"
#include "connect/oracle/snapshot.h"

namespace wherry::oracle {
namespace {

connect::Settings settings_for(std::string url, std::map<std::string, std::string> options = {}) {
  connect::Settings settings;
  settings.url = std::move(url);
  settings.user = "HR";
  settings.options = std::move(options);
  return settings;
}

std::string code_of(const Result<EndpointOptions>& result) {
  return result.ok() ? "ok" : result.error().code;
}

TEST(OracleSettings, BuildsAnEasyConnectString) {
  const auto options = endpoint_options(settings_for("oracle://HR@db.example:1600/SALES"));
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->connect.connect_string, "tcp://db.example:1600/SALES");
  const auto secure = endpoint_options(settings_for(
      "oracle://HR@db.example/SALES", {{"protocol", "tcps"}, {"wallet_location", "/w"}}));
  ASSERT_TRUE(secure.ok());
  EXPECT_EQ(secure->connect.connect_string, "tcps://db.example:1521/SALES?wallet_location=/w");
}

TEST(OracleSettings, CarriesEveryNetworkParameter) {
  const std::string subject = "CN=db, O=A&B";
  const auto options =
      endpoint_options(settings_for("oracle://HR@db/SALES", {{"encryption_client", "required"},
                                                             {"encryption_types_client", "AES256"},
                                                             {"https_proxy", "gate"},
                                                             {"protocol", "tcps"},
                                                             {"ssl_server_cert_dn", subject}}));
  ASSERT_TRUE(options.ok()) << options.error().to_paragraph();
  const auto target = parse_connect_string(options->connect.connect_string);
  ASSERT_TRUE(target.ok()) << target.error().to_paragraph();
  const Description& description = target->descriptions[0];
  EXPECT_EQ(description.security.certificate_dn, subject);
  EXPECT_EQ(description.security.encryption, wire::SecurityLevel::kRequired);
  EXPECT_EQ(description.lists[0].addresses[0].proxy_host, "gate");
}

TEST(OracleSettings, AConnectStringStandsAlone) {
  const std::string url = "oracle://HR@db/SALES";
  const auto named = endpoint_options(
      settings_for(url, {{"connect_string", "sales"}, {"tns_admin", "/n"}, {"edition", "E1"}}));
  ASSERT_TRUE(named.ok());
  EXPECT_EQ(named->connect.connect_string, "sales");
  EXPECT_EQ(named->connect.tns_admin, "/n");
  EXPECT_EQ(named->connect.edition, "E1");
  EXPECT_EQ(code_of(endpoint_options(settings_for(
                url, {{"connect_string", "sales"}, {"encryption_client", "required"}}))),
            "oracle.setting")
      << "what is required must not be lost";
}

TEST(OracleSettings, ReadsPasswordsFromFiles) {
  const std::string path = ::testing::TempDir() + "wherry-new-password";
  std::ofstream(path) << "New-2\nsecond line\n";
  const std::string url = "oracle://HR@db/SALES";
  const auto options = endpoint_options(
      settings_for(url, {{"new_password_file", path}, {"wallet_password_file", path}}));
  ASSERT_TRUE(options.ok()) << options.error().to_paragraph();
  EXPECT_EQ(options->connect.new_password.reveal(), "New-2");
  EXPECT_TRUE(options->connect.new_password_on_expiry);
  EXPECT_EQ(options->connect.wallet_password.reveal(), "New-2");
  std::ofstream(path).close();
  EXPECT_EQ(code_of(endpoint_options(settings_for(url, {{"new_password_file", path}}))),
            "oracle.secret_file");
  std::filesystem::remove(path);
}

TEST(OracleSettings, RefusesWhatItDoesNotKnow) {
  const std::string url = "oracle://HR@db/SALES";
  EXPECT_EQ(code_of(endpoint_options(settings_for(url, {{"walet", "x"}}))),
            "oracle.unknown_setting");
  EXPECT_EQ(code_of(endpoint_options(settings_for(url, {{"array_rows", "many"}}))),
            "oracle.setting");
  EXPECT_EQ(code_of(endpoint_options(settings_for(url, {{"protocol", "udp"}}))), "oracle.setting");
  EXPECT_EQ(code_of(endpoint_options(settings_for(url, {{"role", "king"}}))), "oracle.setting");
  EXPECT_EQ(code_of(endpoint_options(settings_for(url, {{"AddSupplementalLogging", "Y"}}))), "ok");
  EXPECT_EQ(code_of(endpoint_options(settings_for("oracle://HR@db"))), "oracle.url");
}

schema::TablePlan plan_of_two() {
  schema::TablePlan plan;
  plan.source = {"HR", "Odd name"};
  plan.columns.resize(2);
  plan.columns[0].source_name = "ID";
  plan.columns[0].type.kind = schema::TypeKind::kText;
  plan.columns[0].trim_blanks = true;
  plan.columns[1].source_name = "DOC";
  plan.columns[1].type.kind = schema::TypeKind::kXml;
  plan.key = {0};
  return plan;
}

TEST(OracleSnapshot, ReadsAsOfOnePointInTheOrderOfTheKey) {
  const schema::TablePlan plan = plan_of_two();
  EXPECT_EQ(select_text(plan, {}, connect::RowOrder::kAny, "42"),
            "select \"ID\", XMLSERIALIZE(CONTENT \"DOC\" AS CLOB) from \"HR\".\"Odd name\" "
            "as of scn 42");
  EXPECT_EQ(
      select_text(plan, {"partition (\"P1\")", "AAA", "BBB", {}}, connect::RowOrder::kByKey, "42"),
      "select \"ID\", XMLSERIALIZE(CONTENT \"DOC\" AS CLOB) from \"HR\".\"Odd name\" "
      "partition (\"P1\") as of scn 42 where rowid >= chartorowid(:1) "
      "and rowid < chartorowid(:2) order by rtrim(\"ID\")");
  EXPECT_TRUE(select_text(plan, {{}, {}, "BBB", "(\"A\" < '5')"}, connect::RowOrder::kAny, "42")
                  .ends_with("as of scn 42 where (\"A\" < '5') and rowid < chartorowid(:1)"));
}

TEST(OracleSnapshot, RefusesAPositionOfAnotherKind) {
  OpContext context;
  for (const char* text : {"lsn:0/1", "scn:", "scn:1;drop", "42"}) {
    const auto snapshot = make_snapshot(context, {}, Position{text});
    ASSERT_FALSE(snapshot.ok()) << text;
    EXPECT_EQ(snapshot.error().code, "oracle.position");
  }
  const auto snapshot = make_snapshot(context, {}, Position{"scn:42"});
  ASSERT_TRUE(snapshot.ok());
  EXPECT_EQ((*snapshot)->position().text, "scn:42");
}

}  // namespace
}  // namespace wherry::oracle
