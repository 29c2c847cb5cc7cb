// Native <-> logical. Type OIDs are fixed since PostgreSQL 7 (src/include/catalog/pg_type.dat);
// modifiers: numeric ((p << 16) | s) + 4 with an 11-bit signed scale since 15, character types n +
// 4, times the number of digits.
#include "connect/postgres/native_type.h"

namespace wherry::postgres {
namespace {

constexpr std::int32_t kHeader = 4;

NativeKind kind_of_oid(std::uint32_t oid) {
  switch (oid) {
    case 16:
      return NativeKind::kBool;
    case 17:
      return NativeKind::kBytea;
    case 20:
      return NativeKind::kInt8;
    case 21:
      return NativeKind::kInt2;
    case 23:
      return NativeKind::kInt4;
    case 700:
      return NativeKind::kFloat4;
    case 701:
      return NativeKind::kFloat8;
    case 1042:
      return NativeKind::kBpchar;
    case 1082:
      return NativeKind::kDate;
    case 1083:
      return NativeKind::kTime;
    case 1114:
      return NativeKind::kTimestamp;
    case 1184:
      return NativeKind::kTimestampTz;
    case 1186:
      return NativeKind::kInterval;
    case 1700:
      return NativeKind::kNumeric;
    case 2950:
      return NativeKind::kUuid;
    case 3802:
      return NativeKind::kJsonb;
    case 114:
      return NativeKind::kJson;
    case 142:
      return NativeKind::kXml;
    case 25:
    case 1043:  // text, varchar
      return NativeKind::kText;
    default:
      return NativeKind::kOther;
  }
}

// src/include/utils/timestamp.h, datetime.h: INTERVAL_MASK of MONTH 1, YEAR 2, DAY 3, HOUR 10,
// MINUTE 11, SECOND 12; all bits for an interval without restriction.
constexpr std::int32_t kMonthFields = 1 << 1 | 1 << 2;
constexpr std::int32_t kSecondFields = 1 << 3 | 1 << 10 | 1 << 11 | 1 << 12;

bool keeps_fields(std::int32_t modifier, std::int32_t fields) {
  const std::int32_t kept = modifier >> 16 & 0x7FFF;
  return (kept & fields) == fields;
}

void apply_modifier(NativeType& type, std::int32_t modifier) {
  switch (type.kind) {
    case NativeKind::kNumeric:
      if (modifier >= kHeader) {
        type.precision = ((modifier - kHeader) >> 16) & 0xFFFF;
        type.scale = (((modifier - kHeader) & 0x7FF) ^ 1024) - 1024;
      }
      break;
    case NativeKind::kText:
    case NativeKind::kBpchar:
      if (modifier > kHeader) type.max_chars = static_cast<std::uint32_t>(modifier - kHeader);
      break;
    case NativeKind::kTimestamp:
    case NativeKind::kTimestampTz:
    case NativeKind::kTime:
      if (modifier >= 0) type.fraction_digits = modifier;
      break;
    case NativeKind::kInterval:
      if (modifier < 0) break;
      // The low half is the precision, 0xFFFF for none; the high half says which fields are kept.
      if ((modifier & 0xFFFF) != 0xFFFF) type.fraction_digits = modifier & 0xFFFF;
      type.holds_months = keeps_fields(modifier, kMonthFields);
      type.holds_seconds = keeps_fields(modifier, kSecondFields);
      break;
    default:
      break;
  }
}

schema::LogicalType of(schema::TypeKind kind) {
  schema::LogicalType type;
  type.kind = kind;
  return type;
}

}  // namespace

NativeType native_type_of(const TypeRow& row) {
  NativeType type;
  type.kind = kind_of_oid(row.oid);
  type.name = row.display_name;
  // Both take and give their label or text in the binary form too.
  if (row.type_class == 'e') type.kind = NativeKind::kEnum;
  if (row.type_name == "citext") type.kind = NativeKind::kText;
  apply_modifier(type, row.modifier);
  return type;
}

NativeType native_type_of(const schema::LogicalType& type, std::string name) {
  using schema::TypeKind;
  constexpr int kMicroseconds = 6;
  NativeType out;
  out.name = std::move(name);
  switch (type.kind) {
    case TypeKind::kBoolean:
      out.kind = NativeKind::kBool;
      break;
    case TypeKind::kInt16:
      out.kind = NativeKind::kInt2;
      break;
    case TypeKind::kInt32:
      out.kind = NativeKind::kInt4;
      break;
    case TypeKind::kInt64:
      out.kind = NativeKind::kInt8;
      break;
    case TypeKind::kDecimal:
      out.kind = NativeKind::kNumeric;
      out.precision = type.precision;
      out.scale = type.scale;
      break;
    case TypeKind::kFloat32:
      out.kind = NativeKind::kFloat4;
      break;
    case TypeKind::kFloat64:
      out.kind = NativeKind::kFloat8;
      break;
    case TypeKind::kBytes:
    case TypeKind::kBlob:
      out.kind = NativeKind::kBytea;
      break;
    case TypeKind::kDate:
      out.kind = NativeKind::kDate;
      break;
    case TypeKind::kTimeOfDay:
      out.kind = NativeKind::kTime;
      break;
    case TypeKind::kTimestamp:
      out.fraction_digits = type.fraction_digits;
      out.kind = type.fraction_digits > kMicroseconds ? NativeKind::kText : NativeKind::kTimestamp;
      break;
    default:
      out.kind = NativeKind::kText;
      out.max_chars = type.length_chars;
      break;
  }
  return out;
}

schema::LogicalType logical_type_of(const NativeType& type, std::string_view type_name) {
  using schema::LogicalType;
  using schema::TypeKind;
  const auto with_fraction = [&](TypeKind kind) {
    LogicalType result = of(kind);
    result.fraction_digits = static_cast<std::uint8_t>(type.fraction_digits);
    return result;
  };
  switch (type.kind) {
    case NativeKind::kBool:
      return of(TypeKind::kBoolean);
    case NativeKind::kInt2:
      return of(TypeKind::kInt16);
    case NativeKind::kInt4:
      return of(TypeKind::kInt32);
    case NativeKind::kInt8:
      return of(TypeKind::kInt64);
    case NativeKind::kFloat4:
      return of(TypeKind::kFloat32);
    case NativeKind::kFloat8:
      return of(TypeKind::kFloat64);
    case NativeKind::kNumeric: {
      LogicalType result = of(TypeKind::kDecimal);
      result.precision = static_cast<std::int16_t>(type.precision);
      result.scale = static_cast<std::int16_t>(type.scale);
      return result;
    }
    case NativeKind::kText:
    case NativeKind::kBpchar: {
      if (type.max_chars == 0 && type_name != "bpchar") return of(TypeKind::kClob);
      LogicalType result = of(TypeKind::kText);
      result.length_chars = type.max_chars;
      result.blank_padded = type.kind == NativeKind::kBpchar;
      return result;
    }
    case NativeKind::kJson:
    case NativeKind::kJsonb:
      return of(TypeKind::kJson);
    case NativeKind::kXml:
      return of(TypeKind::kXml);
    case NativeKind::kBytea:
      return of(TypeKind::kBlob);
    case NativeKind::kTimestamp:
      return with_fraction(TypeKind::kTimestamp);
    case NativeKind::kTimestampTz:
      return with_fraction(TypeKind::kTimestampLtz);
    case NativeKind::kDate:
      return of(TypeKind::kTimestamp);
    case NativeKind::kUuid: {
      LogicalType result = of(TypeKind::kText);
      result.length_chars = 36;
      return result;
    }
    case NativeKind::kEnum:
    case NativeKind::kTime:
    case NativeKind::kInterval:  // months and days beside seconds: no logical type has all three
    case NativeKind::kOther:
      return of(TypeKind::kNative);
  }
  return of(TypeKind::kUnsupported);
}

}  // namespace wherry::postgres
