#include "connect/oracle/connect_string.h"

#include <gtest/gtest.h>

#include "connect/oracle/certificate_name.h"

namespace wherry::oracle {
namespace {

ConnectTarget parsed(std::string_view text) {
  auto target = parse_connect_string(text);
  EXPECT_TRUE(target.ok()) << text << ": " << target.error().to_paragraph();
  return target.ok() ? *target : ConnectTarget();
}

/// "host:port host:port | host:port", lists apart by bars.
std::string addresses_of(const Description& description) {
  std::string text;
  for (const AddressList& list : description.lists) {
    if (!text.empty()) text += "| ";
    for (const Address& address : list.addresses) {
      text += address.host + ":" + std::to_string(address.port) + " ";
    }
  }
  return text;
}

std::string order_of(const ConnectTarget& target) {
  std::string text;
  for (const Attempt& attempt : order_attempts(target, [](std::size_t n) { return n - 1; })) {
    if (attempt.delay.count() != 0) text += "(" + std::to_string(attempt.delay.count()) + ")";
    text += attempt.address.host + " ";
  }
  return text;
}

std::string error_of(std::string_view text) {
  const auto target = parse_connect_string(text);
  return target.ok() ? "ok" : target.error().code;
}

TEST(EasyConnect, ReadsHostPortAndService) {
  const ConnectTarget target = parsed("db.example.org:1522/sales");
  ASSERT_EQ(target.descriptions.size(), 1U);
  const Description& description = target.descriptions[0];
  EXPECT_EQ(addresses_of(description), "db.example.org:1522 ");
  EXPECT_EQ(description.connect_data.value_of("SERVICE_NAME"), "sales");
  EXPECT_EQ(description.lists[0].addresses[0].protocol, Protocol::kTcp);
  EXPECT_EQ(addresses_of(parsed("//h/s").descriptions[0]), "h:1521 ");
  EXPECT_EQ(addresses_of(parsed("[::1]:1600/s").descriptions[0]), "::1:1600 ");
}

TEST(EasyConnect, ReadsServerTypeAndInstance) {
  const Description description = parsed("tcps://h:2484/s:pooled/inst1").descriptions[0];
  EXPECT_EQ(description.connect_data.value_of("SERVER"), "pooled");
  EXPECT_EQ(description.connect_data.value_of("INSTANCE_NAME"), "inst1");
  EXPECT_EQ(description.lists[0].addresses[0].protocol, Protocol::kTcps);
}

TEST(EasyConnect, APortAppliesToTheHostsBeforeIt) {
  EXPECT_EQ(addresses_of(parsed("a,b:1,c:2,d/s").descriptions[0]), "a:1 b:1 c:2 d:1521 ");
  EXPECT_EQ(addresses_of(parsed("a:1;b,c:2/s").descriptions[0]), "a:1 | b:2 c:2 ");
}

TEST(EasyConnect, ReadsParameters) {
  const Description description =
      parsed(
          "tcps://h/s?retry_count=3&retry_delay=2&sdu=100&wallet_location=\"/a b/c\""
          "&ssl_server_dn_match=off&ssl_server_cert_dn=\"CN=x,O=y\"&nonsense=1"
          "&transport_connect_timeout=500ms&expire_time=2")
          .descriptions[0];
  EXPECT_EQ(description.retry_count, 3U);
  EXPECT_EQ(description.retry_delay, std::chrono::seconds(2));
  EXPECT_EQ(description.sdu_bytes, 512U) << "clamped";
  EXPECT_EQ(description.security.wallet_location, "/a b/c");
  EXPECT_FALSE(description.security.dn_match);
  EXPECT_EQ(description.security.certificate_dn, "CN=x,O=y");
  EXPECT_EQ(description.transport_connect_timeout, std::chrono::milliseconds(500));
  EXPECT_EQ(description.expire_time, std::chrono::minutes(2));
}

TEST(EasyConnect, AProxyGoesWithEveryAddress) {
  const Description description =
      parsed("tcps://a,b:1/s?https_proxy=gate&https_proxy_port=8080").descriptions[0];
  ASSERT_EQ(description.lists[0].addresses.size(), 2U);
  for (const Address& address : description.lists[0].addresses) {
    EXPECT_EQ(address.proxy_host, "gate");
    EXPECT_EQ(address.proxy_port, 8080);
  }
  EXPECT_EQ(error_of("a/s?https_proxy=gate"), "oracle.connect_string") << "only with tcps";
}

TEST(EasyConnect, ReadsNativeEncryption) {
  const wire::NetworkSecurity none =
      parsed("h/s").descriptions[0].security.over(wire::NetworkSecurity());
  EXPECT_EQ(none.encryption, wire::SecurityLevel::kAccepted);
  EXPECT_EQ(none.ciphers.size(), 3U);
  const wire::NetworkSecurity some =
      parsed(
          "h/s?encryption_client=REQUIRED&encryption_types_client=(aes128, AES256)"
          "&crypto_checksum_client=rejected&crypto_checksum_types_client=SHA512")
          .descriptions[0]
          .security.over(wire::NetworkSecurity());
  EXPECT_EQ(some.encryption, wire::SecurityLevel::kRequired);
  EXPECT_EQ(some.ciphers, (std::vector{wire::Cipher::kAes128, wire::Cipher::kAes256}));
  EXPECT_EQ(some.integrity, wire::SecurityLevel::kRejected);
  EXPECT_EQ(some.checksums, (std::vector{wire::Checksum::kSha512}));
  for (const char* parameter :
       {"encryption_client=maybe", "encryption_types_client=RC4_256",
        "crypto_checksum_types_client=MD5", "crypto_checksum_types_client=,"}) {
    EXPECT_EQ(error_of("h/s?" + std::string(parameter)), "oracle.connect_string") << parameter;
  }
}

TEST(EasyConnect, SaysWhatIsWrong) {
  EXPECT_EQ(error_of("sales"), "oracle.connect_string");
  EXPECT_EQ(error_of("host:1521"), "oracle.connect_string");
  for (const char* text : {"", "/s", "h:x/s", "ftp://h/s", "h/s:fast", "h:70000/s", "a b/s",
                           "[::1/s", "h/s?retry_count", "h/s?retry_count=x", "h/s?a=\"b"}) {
    EXPECT_EQ(error_of(text), "oracle.connect_string") << text;
  }
}

TEST(Descriptor, ReadsNestedListsInAnyCase) {
  const ConnectTarget target = parsed(R"(
      (description_list = (failover=on)(load_balance=off)
        (DESCRIPTION=
          (ADDRESS_LIST=(LOAD_BALANCE=ON)
            (address=(protocol=TCP)(host=a)(port=1)) (ADDRESS=(PROTOCOL=tcp)(HOST=b)))
          (CONNECT_DATA=(SID=orcl)(UNKNOWN=kept)))
        (DESCRIPTION=(RETRY_COUNT=1)(RETRY_DELAY=250ms)
          (ADDRESS=(PROTOCOL=tcps)(HOST=c)(PORT=3))
          (SECURITY=(SSL_SERVER_CERT_DN="CN=c,O=x"))
          (CONNECT_DATA=(SERVICE_NAME=s)))) )");
  ASSERT_EQ(target.descriptions.size(), 2U);
  EXPECT_EQ(addresses_of(target.descriptions[0]), "a:1 b:1521 ");
  EXPECT_TRUE(target.descriptions[0].lists[0].order.load_balance);
  EXPECT_EQ(target.descriptions[0].connect_data.value_of("UNKNOWN"), "kept");
  EXPECT_EQ(target.descriptions[1].security.certificate_dn, "CN=c,O=x");
  // Load balancing shuffles a and b (the picker keeps them); the second one has two passes.
  EXPECT_EQ(order_of(target), "a b c (250)c ");
}

TEST(Descriptor, SeveralInARowAreAList) {
  const ConnectTarget target = parsed(
      "(DESCRIPTION=(ADDRESS=(HOST=a))(CONNECT_DATA=(SID=x)))\n"
      " (DESCRIPTION=(ADDRESS=(HOST=b))(CONNECT_DATA=(SID=x)))");
  EXPECT_EQ(order_of(target), "a b ");
  EXPECT_EQ(error_of("(DESCRIPTION=(ADDRESS=(HOST=a)))(SECURITY=(X=1))"), "oracle.connect_string");
}

TEST(Attempts, ARetryCountWithoutReasonIsBounded) {
  const Description description = parsed("h/s?retry_count=4000000000").descriptions[0];
  EXPECT_LE(description.retry_count, 10'000U);
}

TEST(Descriptor, SaysWhatIsWrong) {
  for (const char* text :
       {"(", "()", "(DESCRIPTION)", "(DESCRIPTION=", "(DESCRIPTION=(ADDRESS=(HOST=a)(PORT=x)))",
        "(DESCRIPTION=(CONNECT_DATA=(SID=x)))", "(FOO=(BAR=1))", "(DESCRIPTION_LIST=(FAILOVER=on))",
        "(DESCRIPTION=(ADDRESS=(PORT=1)))", "(DESCRIPTION=(ADDRESS=(HOST=a))) trailing",
        "(DESCRIPTION=(RETRY_DELAY=2weeks)(ADDRESS=(HOST=a)))"}) {
    EXPECT_EQ(error_of(text), "oracle.connect_string") << text;
  }
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "(A=";
  EXPECT_EQ(error_of(deep), "oracle.connect_string");
}

TEST(Attempts, FollowTheTableOfSwitches) {
  const auto with = [](const char* switches) {
    return order_of(parsed("(DESCRIPTION=(ADDRESS_LIST=" + std::string(switches) +
                           "(ADDRESS=(HOST=a))(ADDRESS=(HOST=b))(ADDRESS=(HOST=c)))"
                           "(CONNECT_DATA=(SERVICE_NAME=s)))"));
  };
  EXPECT_EQ(with(""), "a b c ");
  EXPECT_EQ(with("(FAILOVER=off)"), "a ");
  EXPECT_EQ(with("(SOURCE_ROUTE=on)(LOAD_BALANCE=on)"), "a ");
  EXPECT_EQ(with("(FAILOVER=off)(LOAD_BALANCE=on)"), "a ");
}

TEST(ConnectData, IsCanonicalAndSafe) {
  const ConnectTarget target = parsed("h:1521/s");
  const ClientId id{"my (prog)", "vm=1", "us er", "AAAA=="};
  EXPECT_EQ(
      connect_data_text(target.descriptions[0], target.descriptions[0].lists[0].addresses[0], id),
      "(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=h)(PORT=1521))"
      "(CONNECT_DATA=(SERVICE_NAME=s)(CID=(PROGRAM=my??prog?)(HOST=vm?1)(USER=us?er))"
      "(CONNECTION_ID=AAAA==)))");
}

TEST(ConnectData, NamesTheServiceForTlsWhenAsked) {
  EXPECT_EQ(sni_name(parsed("tcps://h/sales").descriptions[0]), "");
  EXPECT_EQ(sni_name(parsed("tcps://h/sales?use_sni=on").descriptions[0]), "S5.sales.V3.319");
  EXPECT_EQ(sni_name(parsed("tcps://h/sales:dedicated/i1?use_sni=on").descriptions[0]),
            "S5.sales.I2.i1.T1.d.V3.319");
  EXPECT_EQ(sni_name(parsed("tcps://h/sa$es?use_sni=on").descriptions[0]), "");
}

TEST(Redirect, TakesBareAndNestedAddresses) {
  for (const char* text : {"(ADDRESS=(PROTOCOL=tcp)(HOST=x)(PORT=9))",
                           "(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=x)(PORT=9)))",
                           "(DESCRIPTION=(ADDRESS_LIST=(ADDRESS=(HOST=x)(PORT=9))))"}) {
    const auto address = parse_redirect_address(text, Protocol::kTcps);
    ASSERT_TRUE(address.ok()) << text;
    EXPECT_EQ(address->host, "x");
    EXPECT_EQ(address->port, 9);
    EXPECT_EQ(address->protocol, Protocol::kTcps) << "security never comes from a redirect";
  }
  EXPECT_FALSE(parse_redirect_address("(FOO=1)", Protocol::kTcp).ok());
}

TEST(CertificateName, MatchesSubjectsAsSets) {
  net::PeerCertificate peer;
  peer.subject = {{"C", "DE"}, {"O", "Acme, Inc"}, {"CN", "db1"}};
  EXPECT_TRUE(has_subject(peer, "CN=db1,O=Acme\\, Inc,C=DE"));
  EXPECT_TRUE(has_subject(peer, "c=DE, cn=db1, o=Acme\\, Inc"));
  EXPECT_FALSE(has_subject(peer, "CN=db1"));
  EXPECT_FALSE(has_subject(peer, "CN=db2,O=Acme\\, Inc,C=DE"));
}

TEST(CertificateName, MatchesHostsByOraclesRules) {
  const auto matches = [](const std::string& pattern, const std::string& host) {
    net::PeerCertificate peer;
    peer.dns_names = {pattern};
    const std::string hosts[] = {host};
    return has_host_name(peer, hosts);
  };
  EXPECT_TRUE(matches("DB.example.org", "db.EXAMPLE.org"));
  EXPECT_TRUE(matches("*.example.org", "db.example.org"));
  EXPECT_TRUE(matches("d*.example.org", "db.example.org"));
  EXPECT_TRUE(matches("*b.example.org", "db.example.org"));
  EXPECT_TRUE(matches("d*b.example.org", "dxxb.example.org"));
  EXPECT_FALSE(matches("*.example.org", "a.b.example.org"));
  EXPECT_FALSE(matches("*", "db"));
  EXPECT_FALSE(matches("*.org", "db.example.org"));
  EXPECT_FALSE(matches("dd*dd.example.org", "ddd.example.org"));
  net::PeerCertificate by_name;
  by_name.subject = {{"CN", "db.example.org"}};
  const std::string hosts[] = {"10.0.0.1", "db.example.org"};
  EXPECT_TRUE(has_host_name(by_name, hosts)) << "after a redirect either host may be named";
}

}  // namespace
}  // namespace wherry::oracle
