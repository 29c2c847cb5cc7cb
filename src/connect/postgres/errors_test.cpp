#include "connect/postgres/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connect/postgres/native_type.h"
#include "connect/postgres/settings.h"

namespace wherry::postgres {
namespace {

using ::testing::HasSubstr;

TEST(Errors, AreClassifiedBySqlstate) {
  EXPECT_EQ(classify("28P01").code, "postgres.wrong_password");
  EXPECT_EQ(classify("28000").kind, ErrorKind::kAuth);
  EXPECT_EQ(classify("3D000").kind, ErrorKind::kConfig);
  EXPECT_EQ(classify("42501").kind, ErrorKind::kPermission);
  EXPECT_EQ(classify("53100").code, "postgres.disk_full");
  EXPECT_EQ(classify("57P01").kind, ErrorKind::kTransient);
  EXPECT_EQ(classify("08006").kind, ErrorKind::kTransient);
  EXPECT_EQ(classify("40P01").kind, ErrorKind::kTransient);
  EXPECT_EQ(classify("23505").kind, ErrorKind::kData);
  EXPECT_EQ(classify("22P05").kind, ErrorKind::kData);
  EXPECT_EQ(classify("22P02").code, "postgres.bad_value");
  EXPECT_EQ(classify("ZZ999").kind, ErrorKind::kInternal);
  EXPECT_EQ(classify("").kind, ErrorKind::kInternal);
}

TEST(Errors, EachClassHasARemedy) {
  for (const char* state : {"28P01", "3D000", "42501", "53100", "57P01", "40001", "23505", "22003",
                            "22021", "54000", "2BP01", "25006", "0A000", "XX000", "ZZ999"}) {
    EXPECT_FALSE(classify(state).hint.empty()) << state;
  }
}

// libpq 15 with PQERRORS_VERBOSE; the severity is translated, the SQLSTATE is not.
TEST(Errors, FindTheSqlstateOfALogin) {
  EXPECT_EQ(find_sqlstate("connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28P01: "
                          "password authentication failed for user \"x\"\nLOCATION:  auth_failed, "
                          "auth.c:326\n"),
            "28P01");
  EXPECT_EQ(find_sqlstate("FEHLER:  3D000: Datenbank existiert nicht"), "3D000");
  EXPECT_EQ(find_sqlstate("could not connect to server: Connection refused"), "");
  EXPECT_EQ(find_sqlstate("FATAL:  28p01: no"), "");
  EXPECT_EQ(find_sqlstate("FATAL:  28P01"), "");
}

connect::Settings settings(std::string url) {
  connect::Settings out;
  out.url = std::move(url);
  return out;
}

std::string value_of(const ConnectionSettings& settings, std::string_view key) {
  for (const auto& [name, value] : settings.parameters) {
    if (name == key) return value;
  }
  return "(none)";
}

TEST(Settings, ComeFromTheUrl) {
  const auto read = read_settings(
      settings("postgresql://me:secret@db:5433/shop?sslmode=require&toast_compression=pglz&"
               "key_memory_mb=64"));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(value_of(*read, "host"), "db");
  EXPECT_EQ(value_of(*read, "port"), "5433");
  EXPECT_EQ(value_of(*read, "user"), "me");
  EXPECT_EQ(value_of(*read, "dbname"), "shop");
  EXPECT_EQ(value_of(*read, "sslmode"), "require");
  EXPECT_EQ(value_of(*read, "password"), "(none)");
  EXPECT_EQ(read->password.reveal(), "secret");
  EXPECT_EQ(read->toast_compression, "pglz");
  EXPECT_EQ(read->key_memory_mb, 64);
}

TEST(Settings, KnowHostLists) {
  const auto read = read_settings(settings("postgresql://a:1,b,c:3/db"));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(value_of(*read, "host"), "a,b,c");
  EXPECT_EQ(value_of(*read, "port"), "1,,3");
}

TEST(Settings, RefuseUnknownOptionsWithTheNearestName) {
  const auto read = read_settings(settings("postgresql://h/db?ssl_mode=require"));
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(read.error().to_paragraph(), HasSubstr("sslmode"));
  EXPECT_FALSE(read_settings(settings("postgresql://h/db?connect_timeout=soon")).ok());
  EXPECT_FALSE(read_settings(settings("postgresql://h/db?toast_compression=zip")).ok());
  EXPECT_FALSE(read_settings(settings("postgresql://h/db?key_memory_mb=-1")).ok());
  EXPECT_FALSE(read_settings(settings("postgresql://h/db?key_memory_mb=1GB")).ok());
  EXPECT_FALSE(read_settings(settings("postgresql://h/db?analyze=no")).ok());
}

TEST(NativeTypes, ReadModifiers) {
  const NativeType numeric = native_type_of({1700, "numeric", 'b', ((10 << 16) | 2) + 4, ""});
  EXPECT_EQ(numeric.precision, 10);
  EXPECT_EQ(numeric.scale, 2);
  const NativeType negative = native_type_of({1700, "numeric", 'b', ((3 << 16) | 2046) + 4, ""});
  EXPECT_EQ(negative.scale, -2);
  EXPECT_EQ(native_type_of({1700, "numeric", 'b', -1, ""}).precision, 0);
  EXPECT_EQ(native_type_of({1043, "varchar", 'b', 24, ""}).max_chars, 20U);
  EXPECT_EQ(native_type_of({1114, "timestamp", 'b', 3, ""}).fraction_digits, 3);
  EXPECT_EQ(native_type_of({99999, "mood", 'e', -1, ""}).kind, NativeKind::kEnum);
  EXPECT_EQ(native_type_of({869, "inet", 'b', -1, ""}).kind, NativeKind::kOther);
}

}  // namespace
}  // namespace wherry::postgres
