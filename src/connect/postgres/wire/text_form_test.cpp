// Text forms that a server does not send; those that it sends are compared in changes_pg_test.cpp.
#include "connect/postgres/wire/text_form.h"

#include <gtest/gtest.h>

namespace wherry::postgres::wire {
namespace {

TEST(TextForm, RefusesWhatIsNoValue) {
  std::string out;
  for (const char* text : {" ", " 1 day", "1", "1 week", "01:02", "1 day 01:02:03 x"}) {
    EXPECT_FALSE(binary_form(NativeKind::kInterval, text, out)) << text;
  }
  for (const char* text : {"", "2024", "2024-13-01 00:00:00", "2024-01-01", "2024-01-01 00:00:00.",
                           "2024-01-01 00:00:00.1234567", "0000-01-01 00:00:00"}) {
    EXPECT_FALSE(binary_form(NativeKind::kTimestamp, text, out)) << text;
  }
  EXPECT_FALSE(binary_form(NativeKind::kTimestampTz, "2024-01-01 00:00:00", out));
  EXPECT_FALSE(binary_form(NativeKind::kTimestampTz, "2024-01-01 00:00:00+01", out));
  EXPECT_FALSE(binary_form(NativeKind::kBool, "true", out));
  EXPECT_FALSE(binary_form(NativeKind::kInt4, "1.5", out));
  EXPECT_FALSE(binary_form(NativeKind::kBytea, "\\x0", out));
  EXPECT_FALSE(binary_form(NativeKind::kBytea, "00", out));
  EXPECT_FALSE(binary_form(NativeKind::kUuid, "a0eebc99", out));
  EXPECT_FALSE(binary_form(NativeKind::kNumeric, "1e", out));
}

TEST(TextForm, ReadsEveryPartOfAnInterval) {
  std::string out;
  ASSERT_TRUE(binary_form(NativeKind::kInterval, "-1 years +2 mons 3 days -00:00:01", out));
  EXPECT_EQ(out, std::string("\xFF\xFF\xFF\xFF\xFF\xF0\xBD\xC0\0\0\0\3\xFF\xFF\xFF\xF6", 16));
}

}  // namespace
}  // namespace wherry::postgres::wire
