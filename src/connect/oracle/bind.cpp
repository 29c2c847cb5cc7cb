// Values to their wire form.
#include "connect/oracle/client.h"

#include <algorithm>

#include "connect/oracle/wire/datetime.h"
#include "connect/oracle/wire/number.h"
#include "connect/oracle/wire/oson.h"
#include "connect/oracle/wire/request.h"
#include "connect/oracle/wire/sortable.h"
#include "connect/oracle/wire/utf16.h"
#include "connect/oracle/wire/vector_image.h"
#include "connect/oracle/wire/zone_rules.h"

namespace wherry::oracle {
namespace {

/// Sizes are rounded up so that they stay the same from one execution to the next.
std::uint32_t rounded_size(std::size_t bytes) {
  for (const std::uint32_t step : {32U, 128U, 512U, 2000U, 4000U, 32767U}) {
    if (bytes <= step) return step;
  }
  return static_cast<std::uint32_t>(bytes);
}

std::uint32_t default_size(OracleType type) {
  switch (type) {
    case OracleType::kNumber:
    case OracleType::kBinaryInteger:
      return 22;
    case OracleType::kDate:
      return 7;
    case OracleType::kTimestamp:
    case OracleType::kTimestampLtz:
    case OracleType::kIntervalDs:
      return 11;
    case OracleType::kTimestampTz:
      return 13;
    case OracleType::kIntervalYm:
      return 5;
    case OracleType::kBinaryFloat:
    case OracleType::kBoolean:
      return 4;
    case OracleType::kBinaryDouble:
      return 8;
    case OracleType::kClob:
    case OracleType::kBlob:
    case OracleType::kBfile:
      return 112;
    case OracleType::kCursor:
      return 4;
    case OracleType::kJson:
      return wire::kMaxJsonBytes;
    case OracleType::kVector:
      return wire::kMaxVectorBytes;
    case OracleType::kVarchar:
    case OracleType::kChar:
    case OracleType::kRaw:
      return 4000;
    default:
      return 32767;
  }
}

CharsetForm default_form(OracleType type) {
  switch (type) {
    case OracleType::kVarchar:
    case OracleType::kChar:
    case OracleType::kLong:
    case OracleType::kClob:
      return CharsetForm::kDatabase;
    default:
      return CharsetForm::kNone;
  }
}

template <class Float>
std::string sortable(Float value) {
  std::string image;
  wire::append_sortable(value, image);
  return image;
}

template <class Element>
std::string vector_bytes(std::span<const Element> elements) {
  return wire::vector_image(elements);
}

std::optional<std::string> unless_empty(std::string text) {
  if (text.empty()) return std::nullopt;
  return text;
}

}  // namespace

Bind::Bind(OracleType type, CharsetForm form, std::optional<std::string> wire,
           std::uint32_t max_bytes)
    : type_(type), form_(form), max_bytes_(max_bytes), wire_(std::move(wire)) {}

Bind Bind::text(std::string_view utf8) {
  return {OracleType::kVarchar, CharsetForm::kDatabase, unless_empty(std::string(utf8)),
          rounded_size(utf8.size())};
}

Bind Bind::national_text(std::string_view utf8) {
  std::string utf16 = wire::utf8_to_utf16(utf8);
  const std::uint32_t size = rounded_size(utf16.size());
  return {OracleType::kVarchar, CharsetForm::kNational, unless_empty(std::move(utf16)), size};
}

Bind Bind::bytes(std::string_view raw) {
  return {OracleType::kRaw, CharsetForm::kNone, unless_empty(std::string(raw)),
          rounded_size(raw.size())};
}

Bind Bind::number(std::int64_t value) {
  return number(std::to_string(value));
}

Bind Bind::number(std::string_view decimal_text) {
  auto image = wire::encode_number(decimal_text);
  WHERRY_ASSERT(image.has_value(), "a bind is not the text of a NUMBER");
  return {OracleType::kNumber, CharsetForm::kNone, std::move(image),
          default_size(OracleType::kNumber)};
}

bool Bind::is_number_text(std::string_view text) {
  return wire::encode_number(text).has_value();
}

Bind Bind::binary_float(float value) {
  return {OracleType::kBinaryFloat, CharsetForm::kNone, sortable(value),
          default_size(OracleType::kBinaryFloat)};
}

Bind Bind::binary_double(double value) {
  return {OracleType::kBinaryDouble, CharsetForm::kNone, sortable(value),
          default_size(OracleType::kBinaryDouble)};
}

Bind Bind::boolean(bool value) {
  return {OracleType::kBoolean, CharsetForm::kNone,
          value ? std::string(2, '\x01') : std::string(1, '\0'),
          default_size(OracleType::kBoolean)};
}

Bind Bind::date(std::int64_t micros) {
  return {OracleType::kDate, CharsetForm::kNone, wire::encode_date(micros),
          default_size(OracleType::kDate)};
}

Bind Bind::timestamp(std::int64_t micros, unsigned nanos) {
  return {OracleType::kTimestamp, CharsetForm::kNone, wire::encode_timestamp(micros, nanos),
          default_size(OracleType::kTimestamp)};
}

Bind Bind::timestamp_tz(std::int64_t micros, unsigned nanos, int offset_minutes) {
  return {OracleType::kTimestampTz, CharsetForm::kNone,
          wire::encode_timestamp_tz(micros, nanos, offset_minutes),
          default_size(OracleType::kTimestampTz)};
}

bool Bind::is_region(std::string_view region) {
  return wire::region_id(region).has_value();
}

Bind Bind::timestamp_tz(std::int64_t micros, unsigned nanos, std::string_view region) {
  const std::optional<std::uint16_t> id = wire::region_id(region);
  WHERRY_ASSERT(id.has_value(), "a time zone region has no Oracle number");
  return {OracleType::kTimestampTz, CharsetForm::kNone,
          wire::encode_timestamp_region(micros, nanos, *id),
          default_size(OracleType::kTimestampTz)};
}

Bind Bind::interval_ym(std::int64_t months) {
  return {OracleType::kIntervalYm, CharsetForm::kNone, wire::encode_interval_ym(months),
          default_size(OracleType::kIntervalYm)};
}

Bind Bind::interval_ds(std::int64_t seconds, std::int32_t nanoseconds) {
  return {OracleType::kIntervalDs, CharsetForm::kNone,
          wire::encode_interval_ds(seconds, nanoseconds), default_size(OracleType::kIntervalDs)};
}

Bind Bind::rowid(std::string_view text) {
  return {OracleType::kRowid, CharsetForm::kDatabase, unless_empty(std::string(text)), 5267};
}

Result<Bind> Bind::json(std::string_view text) {
  std::string problem;
  auto image = wire::json_to_oson(text, problem);
  if (!image) {
    return make_error(ErrorKind::kData, "oracle.json",
                      "A bind for a JSON column is not JSON: " + problem, "Correct the text");
  }
  return Bind(OracleType::kJson, CharsetForm::kNone, std::move(image), wire::kMaxJsonBytes);
}

Bind Bind::vector(std::span<const float> elements) {
  return {OracleType::kVector, CharsetForm::kNone, vector_bytes(elements), wire::kMaxVectorBytes};
}

Bind Bind::vector(std::span<const double> elements) {
  return {OracleType::kVector, CharsetForm::kNone, vector_bytes(elements), wire::kMaxVectorBytes};
}

Bind Bind::vector(std::span<const std::int8_t> elements) {
  return {OracleType::kVector, CharsetForm::kNone, vector_bytes(elements), wire::kMaxVectorBytes};
}

Bind Bind::lob(const Lob& value) {
  return {value.type(), value.form(), std::string(value.locator()), default_size(value.type())};
}

Bind Bind::null(OracleType type) {
  return {type, default_form(type), std::nullopt, default_size(type)};
}

Bind Bind::out(OracleType type, std::uint32_t max_bytes) {
  Bind bind(type, default_form(type), std::nullopt,
            max_bytes != 0 ? max_bytes : default_size(type));
  bind.is_in_ = false;
  bind.is_out_ = true;
  return bind;
}

Bind Bind::out_national(OracleType type, std::uint32_t max_bytes) {
  Bind bind = out(type, max_bytes);
  bind.form_ = CharsetForm::kNational;
  return bind;
}

Bind Bind::array(OracleType type, std::span<const Bind> elements, std::uint32_t max_elements) {
  Bind array(type, default_form(type), std::nullopt, elements.empty() ? default_size(type) : 0);
  if (!elements.empty()) array.form_ = elements.front().form();
  for (const Bind& element : elements) {
    WHERRY_ASSERT(element.type() == type && element.form() == array.form_ && !element.is_array(),
                  "the elements of an array are single values of its type");
    array.max_bytes_ = std::max(array.max_bytes_, element.max_bytes());
    array.elements_.push_back(element.wire());
  }
  array.max_elements_ =
      std::max({static_cast<std::uint32_t>(elements.size()), max_elements, std::uint32_t{1}});
  return array;
}

Bind Bind::out_array(OracleType type, std::uint32_t max_elements, std::uint32_t max_bytes) {
  Bind array = out(type, max_bytes);
  array.max_elements_ = std::max(max_elements, std::uint32_t{1});
  return array;
}

Bind& Bind::in_out(std::uint32_t max_bytes) {
  is_out_ = true;
  if (max_bytes > max_bytes_) max_bytes_ = max_bytes;
  return *this;
}

}  // namespace wherry::oracle
