#include "connect/api/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connect/api/connector.h"

namespace wherry::connect {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Url, HasAllItsParts) {
  const auto url = parse_url("oracle://scott@db.example:1521/ORCLPDB1?ssl=on&a=b%20c");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->scheme, "oracle");
  EXPECT_EQ(url->user, "scott");
  EXPECT_EQ(url->host, "db.example");
  EXPECT_EQ(url->port, 1521);
  EXPECT_EQ(url->path, "ORCLPDB1");
  EXPECT_EQ(url->parameters.at("ssl"), "on");
  EXPECT_EQ(url->parameters.at("a"), "b c");
  EXPECT_FALSE(url->has_password);
  EXPECT_EQ(url->text, "oracle://scott@db.example:1521/ORCLPDB1?ssl=on&a=b%20c");
}

TEST(Url, TakesThePasswordOut) {
  const auto url = parse_url("postgresql://me:p%40ss%2Fw@h/db?sslmode=require&application_name=x");
  ASSERT_TRUE(url.ok());
  EXPECT_TRUE(url->has_password);
  EXPECT_EQ(url->password.reveal(), "p@ss/w");
  EXPECT_EQ(url->text, "postgresql://me@h/db?sslmode=require&application_name=x");
}

TEST(Url, TakesAPasswordParameterOut) {
  const auto url = parse_url("postgresql:///db?password=s3cret&host=%2Frun%2Fpg");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->password.reveal(), "s3cret");
  EXPECT_EQ(url->text, "postgresql:///db?host=%2Frun%2Fpg");
  EXPECT_EQ(url->host, "");
  EXPECT_EQ(url->path, "db");
}

TEST(Url, AllowsAnAtSignInThePassword) {
  const auto url = parse_url("oracle://u:a@b@host/x");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->password.reveal(), "a@b");
  EXPECT_EQ(url->host, "host");
  EXPECT_THAT(url->text, Not(HasSubstr("a@b")));
}

TEST(Url, KnowsIpv6HostListsAndSockets) {
  auto url = parse_url("PostgreSQL://[::1]:5433/db");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->scheme, "postgresql");
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->port, 5433);
  EXPECT_EQ(parse_url("postgresql://a:1,b:2/db")->host, "a:1,b:2");
  EXPECT_EQ(parse_url("postgresql://%2Fvar%2Frun/db")->host, "/var/run");
}

TEST(Url, SaysWhatIsMalformedWithoutThePassword) {
  for (const char* text :
       {"", "oracle", "oracle:/x", "://x", "oracle://h:port/x", "oracle://h:0/x",
        "oracle://h:70000/x", "oracle://u:secret%zz@h/x", "oracle://::1/x", "oracle://[::1/x",
        "oracle://h/x?a", "oracle://h/x?a=1&a=2", "oracle://h/x#f", "oracle://h/%00",
        "oracle://u:12/secret@h/x", "o\n://h/x"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_EQ(url.error().code, "url.malformed");
    EXPECT_EQ(url.error().kind, ErrorKind::kConfig);
    EXPECT_THAT(url.error().to_paragraph(), Not(HasSubstr("secret")));
  }
}

class FakeConnector : public Connector {
 public:
  explicit FakeConnector(ConnectorInfo info) : info_(std::move(info)) {}
  const ConnectorInfo& info() const override { return info_; }
  Result<ProbeReport> probe(OpContext&, const Settings&, Role) override { return ProbeReport{}; }
  Result<std::unique_ptr<Catalog>> open_catalog(OpContext&, const Settings&) override {
    return std::unique_ptr<Catalog>();
  }
  Result<std::unique_ptr<SnapshotSource>> open_snapshot(OpContext&, const Settings&,
                                                        const Position&) override {
    return std::unique_ptr<SnapshotSource>();
  }
  Result<std::unique_ptr<TargetLoader>> open_loader(OpContext&, const Settings&) override {
    return std::unique_ptr<TargetLoader>();
  }

 private:
  ConnectorInfo info_;
};

TEST(Registry, FindsConnectorsByScheme) {
  Registry registry;
  registry.add(std::make_unique<FakeConnector>(ConnectorInfo{"oracle", {"oracle"}, kSource}));
  registry.add(
      std::make_unique<FakeConnector>(ConnectorInfo{"pg", {"postgresql", "postgres"}, kTarget}));
  ASSERT_TRUE(registry.find("postgres").ok());
  EXPECT_EQ((*registry.find("postgres"))->info().name, "pg");
  const auto missing = registry.find("mongodb");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, "connect.unknown_scheme");
  EXPECT_THAT(missing.error().to_paragraph(), HasSubstr("mongodb"));
  EXPECT_THAT(missing.error().to_paragraph(), HasSubstr("oracle, postgresql, postgres"));
  EXPECT_EQ(registry.all().size(), 2U);
}

}  // namespace
}  // namespace wherry::connect
