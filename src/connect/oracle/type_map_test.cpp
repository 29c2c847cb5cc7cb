#include "connect/oracle/type_map.h"

#include <gtest/gtest.h>

namespace wherry::oracle {
namespace {

using schema::TypeKind;

NativeType native(std::string name, std::optional<int> precision = {},
                  std::optional<int> scale = {}) {
  NativeType type;
  type.name = std::move(name);
  type.precision = precision;
  type.scale = scale;
  return type;
}

std::string logical_of(const NativeType& type) {
  return schema::describe(to_logical(type));
}

TEST(OracleTypeMap, NumbersKeepEveryDigit) {
  EXPECT_EQ(to_logical(native("NUMBER")), to_logical(native("FLOAT", 126)));
  EXPECT_EQ(to_logical(native("NUMBER")).kind, TypeKind::kDecimal);
  EXPECT_EQ(to_logical(native("NUMBER")).precision, 0);
  EXPECT_EQ(to_logical(native("NUMBER", {}, 0)).precision, 38);
  EXPECT_EQ(to_logical(native("NUMBER", 4, 0)).kind, TypeKind::kInt16);
  EXPECT_EQ(to_logical(native("NUMBER", 5, 0)).kind, TypeKind::kInt32);
  EXPECT_EQ(to_logical(native("NUMBER", 9, 0)).kind, TypeKind::kInt32);
  EXPECT_EQ(to_logical(native("NUMBER", 10, 0)).precision, 10);
  EXPECT_EQ(to_logical(native("NUMBER", 2, 5)).scale, 5);
  EXPECT_EQ(to_logical(native("NUMBER", 5, -2)).scale, -2);
}

TEST(OracleTypeMap, TextLengthsAreCharacters) {
  NativeType type = native("VARCHAR2");
  type.length_bytes = 1020;
  type.length_chars = 255;
  EXPECT_EQ(to_logical(type).length_chars, 1020U);
  type.char_semantics = true;
  EXPECT_EQ(to_logical(type).length_chars, 255U);
  EXPECT_EQ(to_text(type), "VARCHAR2(255 CHAR)");
  type.name = "NCHAR";
  EXPECT_TRUE(to_logical(type).blank_padded);
  EXPECT_TRUE(to_logical(type).national);
}

TEST(OracleTypeMap, AViewsNullHasNoLengthAndBecomesTextWithoutALimit) {
  EXPECT_EQ(to_logical(native("VARCHAR2")).length_chars, 0U);
  EXPECT_EQ(logical_of(native("UNDEFINED")), "unsupported");
}

TEST(OracleTypeMap, TimestampsKeepTheirFraction) {
  EXPECT_EQ(to_logical(native("DATE")).fraction_digits, 0);
  EXPECT_EQ(to_logical(native("TIMESTAMP(9)", {}, 9)).fraction_digits, 9);
  EXPECT_EQ(to_logical(native("TIMESTAMP(6) WITH TIME ZONE", {}, 6)).kind, TypeKind::kTimestampTz);
  EXPECT_EQ(to_logical(native("TIMESTAMP(3) WITH LOCAL TIME ZONE", {}, 3)).kind,
            TypeKind::kTimestampLtz);
  EXPECT_EQ(to_logical(native("INTERVAL DAY(2) TO SECOND(6)", 2, 6)).kind, TypeKind::kIntervalDs);
  EXPECT_EQ(to_logical(native("INTERVAL YEAR(2) TO MONTH", 2, 0)).kind, TypeKind::kIntervalYm);
}

TEST(OracleTypeMap, ObjectTypesAreUnsupportedWhateverTheirName) {
  NativeType type = native("XMLTYPE");
  type.owner = "PUBLIC";
  EXPECT_EQ(to_logical(type).kind, TypeKind::kXml);
  type.owner = "SCOTT";
  EXPECT_EQ(to_logical(type).kind, TypeKind::kUnsupported);
  EXPECT_EQ(to_logical(native("BFILE")).kind, TypeKind::kUnsupported);
  EXPECT_EQ(to_text(type), "SCOTT.XMLTYPE");
}

TEST(OracleTypeMap, PrintsTypesAsTheyAreDeclared) {
  EXPECT_EQ(to_text(native("NUMBER", 10, 2)), "NUMBER(10,2)");
  EXPECT_EQ(to_text(native("NUMBER", 10, 0)), "NUMBER(10)");
  EXPECT_EQ(to_text(native("NUMBER", {}, 0)), "NUMBER(*,0)");
  EXPECT_EQ(to_text(native("NUMBER")), "NUMBER");
  EXPECT_FALSE(logical_of(native("NUMBER", 10, 2)).empty());
}

}  // namespace
}  // namespace wherry::oracle
