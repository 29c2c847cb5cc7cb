#include "exec/convert.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

#include "engine/calendar.h"
#include "engine/charset.h"
#include "engine/format_model.h"
#include "engine/json.h"
#include "engine/object_image.h"
#include "engine/time_zone.h"
#include "engine/vector.h"
#include "engine/xml.h"
#include "exec/errors.h"

namespace orasim {
namespace {

constexpr char kHexDigits[] = "0123456789ABCDEF";
constexpr std::uint32_t kNanosPerSecond = 1'000'000'000;

Value null_of(Type type, const Value& like) {
  return Value{type, like.national, {}};
}

DateTime shift_to_session(DateTime utc, const ConvertContext& c) {
  c.nls->session_zone.put_into(utc);
  return to_local(utc);
}

/// Wall-clock fields of any datetime value.
DateTime wall_clock(const Value& v, const ConvertContext& c) {
  if (v.type == Type::kTimestampTz) return to_local(v.date_time());
  if (v.type == Type::kTimestampLtz) return shift_to_session(v.date_time(), c);
  return v.date_time();
}

DateTime without_zone(DateTime t) {
  t.offset_minutes = 0;
  t.region_id = 0;
  return t;
}

std::string binary_text(double value, int digits) {
  if (std::isnan(value)) return "Nan";
  if (std::isinf(value)) return value < 0 ? "-Inf" : "Inf";
  std::array<char, 64> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%.*E", digits - 1, value);
  std::string text = buffer.data();
  const std::size_t e = text.find('E');
  std::string mantissa = text.substr(0, e);
  if (mantissa.find('.') != std::string::npos) {
    mantissa.erase(mantissa.find_last_not_of('0') + 1);
    if (mantissa.back() == '.') mantissa += '0';
  }
  std::string exponent = text.substr(e + 2);
  if (exponent.size() < 3) exponent.insert(0, 3 - exponent.size(), '0');
  return mantissa + "E" + text[e + 1] + exponent;
}

/// The shortest mantissa that reads back equal, as Oracle prints BINARY_FLOAT and BINARY_DOUBLE.
std::string shortest_binary_text(double value, bool is_float) {
  for (int digits = 2; digits < (is_float ? 9 : 17); ++digits) {
    const std::string text = binary_text(value, digits);
    const double back = std::strtod(text.c_str(), nullptr);
    const bool same =
        is_float ? static_cast<float>(back) == static_cast<float>(value) : back == value;
    if (same) return text;
  }
  return binary_text(value, is_float ? 9 : 17);
}

std::string hex_text(std::string_view raw) {
  std::string out;
  out.reserve(raw.size() * 2);
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 15];
  }
  return out;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string from_hex(std::string_view text) {
  std::string out;
  std::size_t i = 0;
  if (text.size() % 2 == 1) {
    // An odd number of digits means a leading zero.
    const int low = hex_value(text[i++]);
    if (low < 0) raise(1465);
    out += static_cast<char>(low);
  }
  for (; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) raise(1465);
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

std::string interval_to_text(const IntervalDs& interval) {
  const int digits = interval.nanoseconds % 1000 == 0 ? 6 : 9;
  return interval_text(interval, 2, digits);
}

std::string varchar_text(const Value& v, const ConvertContext& c) {
  const Nls& nls = *c.nls;
  switch (v.type) {
    case Type::kNumber: {
      std::string text = v.number().to_string();
      if (nls.numeric_characters[0] != '.')
        std::replace(text.begin(), text.end(), '.', nls.numeric_characters[0]);
      return text;
    }
    case Type::kDate:
      return format_date(v.date_time(), nls.date_format, nls);
    case Type::kTimestamp:
    case Type::kTimestampLtz:
      return format_date(wall_clock(v, c), nls.timestamp_format, nls);
    case Type::kTimestampTz:
      return format_date(wall_clock(v, c), nls.timestamp_tz_format, nls);
    case Type::kIntervalYm:
      return interval_text(std::get<IntervalYm>(v.data), 2);
    case Type::kIntervalDs:
      return interval_to_text(std::get<IntervalDs>(v.data));
    case Type::kBinaryFloat:
      return shortest_binary_text(std::get<float>(v.data), true);
    case Type::kBinaryDouble:
      return shortest_binary_text(std::get<double>(v.data), false);
    case Type::kRaw:
    case Type::kLongRaw:
      return hex_text(v.text());
    case Type::kRowid:
    case Type::kUrowid:
      if (const auto* logical = std::get_if<std::string>(&v.data)) return *logical;
      return to_text(std::get<RowId>(v.data));
    case Type::kBoolean:
      return std::get<bool>(v.data) ? "TRUE" : "FALSE";
    case Type::kJson:
      return json_text(decode_oson(v.lob()->data));
    case Type::kVector:
      return vector_text(decode_vector(v.lob()->data));
    case Type::kBlob:
    case Type::kBfile:
    case Type::kObject:
      raise_inconsistent("CHAR", type_word(v.type));
    default:
      return std::string(text_of(v));
  }
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

Number number_from_text(std::string_view text, const Nls& nls) {
  std::string plain(trimmed(text));
  if (nls.numeric_characters[0] != '.') {
    std::replace(plain.begin(), plain.end(), nls.numeric_characters[0], '.');
  }
  const auto number = Number::parse(plain);
  if (!number) raise(1722);
  return *number;
}

double as_double(const Value& v, const ConvertContext& c) {
  if (v.type == Type::kBinaryDouble) return std::get<double>(v.data);
  if (v.type == Type::kBinaryFloat) return static_cast<double>(std::get<float>(v.data));
  if (v.type == Type::kNumber) return v.number().to_double();
  const std::string text(trimmed(text_of(v)));
  if (text == "Nan" || text == "NaN" || text == "NAN")
    return std::numeric_limits<double>::quiet_NaN();
  if (text == "Inf" || text == "INF") return std::numeric_limits<double>::infinity();
  if (text == "-Inf" || text == "-INF") return -std::numeric_limits<double>::infinity();
  return number_from_text(text, *c.nls).to_double();
}

/// A wall-clock datetime brought to the wanted type.
Value datetime_as(Type wanted, DateTime wall) {
  switch (wanted) {
    case Type::kDate:
      wall.nanosecond = 0;
      return Value{wanted, false, without_zone(wall)};
    case Type::kTimestamp:
      return Value{wanted, false, without_zone(wall)};
    case Type::kTimestampTz:
      return Value{wanted, false, to_utc(wall)};
    default:
      return Value{Type::kTimestampLtz, false, without_zone(to_utc(wall))};
  }
}

void round_fraction(Value& v, int digits) {
  auto* t = std::get_if<DateTime>(&v.data);
  std::uint32_t unit = 1;
  for (int i = digits; i < 9; ++i) unit *= 10;
  const std::uint32_t rounded = (t->nanosecond + unit / 2) / unit * unit;
  if (rounded >= kNanosPerSecond) {
    *t = from_total_seconds(total_seconds(*t) + 1, 0, *t);
  } else {
    t->nanosecond = rounded;
  }
}

[[noreturn]] void too_large(const std::string& column, std::size_t actual, std::size_t maximum) {
  raise_text(12899, "value too large for column " + column + " (actual: " + std::to_string(actual) +
                        ", maximum: " + std::to_string(maximum) + ")");
}

/// UTF-16 code units, the length national types are declared in.
std::size_t utf16_units(std::string_view text) {
  std::size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) units += byte >= 0xF0 ? 2 : 1;
  }
  return units;
}

Value fit_text(Value v, const DataType& wanted, const std::string& column) {
  std::string text(text_of(v));
  if (v.national && !wanted.national) text = as_stored(std::move(text));
  const bool in_characters = wanted.char_semantics || wanted.national;
  const std::size_t actual = wanted.national ? utf16_units(text)
                             : in_characters ? char_count(text)
                                             : stored_bytes(text);
  const std::size_t maximum = in_characters ? wanted.size_chars : wanted.size_bytes;
  if (maximum != 0 && actual > maximum) {
    if (!column.empty()) too_large(column, actual, maximum);
    text.resize(in_characters ? char_offset(text, maximum) : beginning_of(text, maximum).size());
  } else if (wanted.type == Type::kChar && actual < maximum) {
    text.append(maximum - actual, ' ');
  }
  return make_text(std::move(text), wanted.type, wanted.national);
}

Number power_of_ten(int exponent) {
  return Number::parse("1E" + std::to_string(exponent)).value_or(Number());
}

Number magnitude(const Number& n) {
  return n.is_negative() ? n.negated() : n;
}

Value fit_number(Value v, const DataType& wanted) {
  Number n = v.number();
  if (wanted.is_float) {
    // FLOAT(p): p binary digits are ceil(p × log10 2) decimal ones.
    const int digits = static_cast<int>(std::ceil(wanted.precision * 0.30103));
    const int before = n.integer_digits();
    return make_number(digits >= 38 ? n : n.rounded(digits - before));
  }
  if (!wanted.has_precision && !wanted.has_scale) return v;
  n = n.rounded(wanted.scale);
  const int precision = wanted.has_precision ? wanted.precision : 38;
  if (magnitude(n) >= power_of_ten(precision - wanted.scale)) raise(1438);
  return make_number(n);
}

Value fit_interval(Value v, const DataType& wanted) {
  if (auto* ds = std::get_if<IntervalDs>(&v.data)) {
    std::int32_t unit = 1;
    for (int i = wanted.scale; i < 9; ++i) unit *= 10;
    ds->nanoseconds = ds->nanoseconds / unit * unit;
    const std::int64_t days = std::abs(ds->seconds) / 86400;
    if (Number::from_int(days) >= power_of_ten(std::max<int>(wanted.precision, 0))) raise(1873);
  } else {
    const std::int64_t years = std::abs(std::get<IntervalYm>(v.data).months) / 12;
    if (Number::from_int(years) >= power_of_ten(std::max<int>(wanted.precision, 0))) raise(1873);
  }
  return v;
}

std::strong_ordering order_of(int c) {
  return c < 0   ? std::strong_ordering::less
         : c > 0 ? std::strong_ordering::greater
                 : std::strong_ordering::equal;
}

std::strong_ordering compare_doubles(double a, double b) {
  const bool nan_a = std::isnan(a);
  const bool nan_b = std::isnan(b);
  if (nan_a || nan_b) return order_of(static_cast<int>(nan_a) - static_cast<int>(nan_b));
  return order_of(a < b ? -1 : a > b ? 1 : 0);
}

std::strong_ordering compare_padded(std::string_view a, std::string_view b) {
  const std::size_t common = std::min(a.size(), b.size());
  if (const int c = a.substr(0, common).compare(b.substr(0, common)); c != 0) return order_of(c);
  const bool a_longer = a.size() > b.size();
  for (const char c : (a_longer ? a : b).substr(common)) {
    if (c == ' ') continue;
    const bool above = static_cast<unsigned char>(c) > ' ';
    return order_of(above == a_longer ? 1 : -1);
  }
  return std::strong_ordering::equal;
}

std::strong_ordering compare_datetimes(const Value& a, const Value& b, const ConvertContext& c) {
  const auto zoned = [](const Value& v) {
    return v.type == Type::kTimestampTz || v.type == Type::kTimestampLtz;
  };
  const Type common = zoned(a) || zoned(b) ? Type::kTimestampTz : Type::kTimestamp;
  const Value x = to_datetime(a, common, c);
  const Value y = to_datetime(b, common, c);
  const auto seconds = total_seconds(x.date_time()) <=> total_seconds(y.date_time());
  return seconds != 0 ? seconds : x.date_time().nanosecond <=> y.date_time().nanosecond;
}

}  // namespace

std::string_view text_of(const Value& v) {
  if (const auto* lob = std::get_if<Lob>(&v.data)) return (*lob)->data;
  return v.text();
}

Value to_varchar(const Value& v, const ConvertContext& c) {
  if (v.is_null()) return null_of(Type::kVarchar2, v);
  if (is_text(v.type)) return v;
  return make_text(varchar_text(v, c), Type::kVarchar2, v.national);
}

Value to_number(const Value& v, const ConvertContext& c) {
  if (v.is_null()) return make_null(Type::kNumber);
  if (v.type == Type::kNumber) return v;
  if (v.type == Type::kBinaryFloat || v.type == Type::kBinaryDouble) {
    const double d = as_double(v, c);
    if (!std::isfinite(d)) raise(1426);
    return make_number(Number::from_double(d));
  }
  if (v.type == Type::kBoolean) return make_int(std::get<bool>(v.data) ? 1 : 0);
  if (!is_text(v.type) && v.type != Type::kClob) raise_inconsistent("NUMBER", type_word(v.type));
  return make_number(number_from_text(text_of(v), *c.nls));
}

Value to_binary(const Value& v, Type wanted, const ConvertContext& c) {
  if (v.is_null()) return make_null(wanted);
  if (!is_numeric(v.type) && !is_text(v.type) && v.type != Type::kClob) {
    raise_inconsistent(type_word(wanted), type_word(v.type));
  }
  const double d = as_double(v, c);
  // The server keeps no negative zero.
  if (wanted == Type::kBinaryDouble) return Value{wanted, false, d == 0 ? 0.0 : d};
  const auto f = static_cast<float>(d);
  return Value{wanted, false, f == 0 ? 0.0F : f};
}

Value to_datetime(const Value& v, Type wanted, const ConvertContext& c) {
  if (v.is_null()) return make_null(wanted);
  if (v.type == wanted) return v;
  if (is_datetime(v.type)) {
    DateTime wall = wall_clock(v, c);
    if (v.type != Type::kTimestampTz) {
      c.nls->session_zone.put_into_wall(wall);
    }
    return datetime_as(wanted, wall);
  }
  if (!is_text(v.type) && v.type != Type::kClob) {
    raise_inconsistent(type_word(wanted), type_word(v.type));
  }
  const Nls& nls = *c.nls;
  const std::string& model = wanted == Type::kDate          ? nls.date_format
                             : wanted == Type::kTimestampTz ? nls.timestamp_tz_format
                                                            : nls.timestamp_format;
  return datetime_as(wanted, parse_date(text_of(v), model, shift_to_session(c.now_utc, c), nls));
}

Value to_raw(const Value& v, const ConvertContext&) {
  if (v.is_null()) return make_null(Type::kRaw);
  if (v.type == Type::kRaw || v.type == Type::kLongRaw) return v;
  if (v.type == Type::kBlob) return make_text(std::string(text_of(v)), Type::kRaw);
  if (!is_text(v.type) && v.type != Type::kClob) raise_inconsistent("BINARY", type_word(v.type));
  return make_text(from_hex(text_of(v)), Type::kRaw);
}

Value to_lob(const Value& v, Type wanted, const ConvertContext& c) {
  if (v.is_null()) return null_of(wanted, v);
  if (v.type == wanted) return v;
  auto lob = std::make_shared<LobData>();
  if (wanted == Type::kBlob) {
    lob->data = std::string(to_raw(v, c).text());
  } else {
    if (v.type == Type::kBlob) raise_inconsistent("CLOB", "BLOB");
    lob->data = std::string(text_of(to_varchar(v, c)));
  }
  return Value{wanted, v.national, Lob(std::move(lob))};
}

namespace {

Value to_json(const Value& v) {
  if (is_text(v.type) || v.type == Type::kClob) {
    return make_lob(encode_oson(parse_json(text_of(v))), Type::kJson);
  }
  if (v.type != Type::kBlob && v.type != Type::kRaw) raise_inconsistent("JSON", type_word(v.type));
  const std::string_view bytes = text_of(v);
  const Json document = is_oson(bytes) ? decode_oson(bytes) : parse_json(bytes);
  return make_lob(encode_oson(document), Type::kJson);
}

Value to_xml(const Value& v) {
  if (!is_text(v.type) && v.type != Type::kClob && v.type != Type::kBlob) {
    raise_inconsistent("SYS.XMLTYPE", type_word(v.type));
  }
  const std::string_view text = text_of(v);
  check_xml(text);
  return make_lob(std::string(text), Type::kXml);
}

Value to_vector(const Value& v) {
  if (!is_text(v.type) && v.type != Type::kClob) raise_inconsistent("VECTOR", type_word(v.type));
  return make_lob(encode_vector(parse_vector(text_of(v))), Type::kVector);
}

/// What a column declared VECTOR (n, format) makes of a vector.
Value fit_vector(const Value& v, const DataType& wanted) {
  Vector vector = decode_vector(v.lob()->data);
  if (wanted.size_chars != 0 && vector.dimensions != wanted.size_chars) {
    raise_text(51803,
               "Vector dimension count must match the dimension count specified in the "
               "column definition (expected " +
                   std::to_string(wanted.size_chars) + " dimensions, specified " +
                   std::to_string(vector.dimensions) + " dimensions).");
  }
  const auto format = static_cast<VectorFormat>(wanted.precision);
  if (wanted.precision != 0) vector = vector_as(vector, format);
  return make_lob(encode_vector(wanted.is_sparse ? sparse_form(vector) : dense_form(vector)),
                  Type::kVector);
}

const std::string& oid_of(const DataType& t) {
  static const std::string kNone;
  return t.object == nullptr ? kNone : t.object->oid;
}

/// An object goes only where its own type is declared; its payload begins with the type's id.
Value fit_object(Value v, const DataType& wanted) {
  if (!wanted.object || !v.lob()->data.starts_with(oid_of(wanted))) {
    raise_inconsistent(
        wanted.object ? wanted.object->owner + "." + wanted.object->name : std::string("UDT"),
        "UDT");
  }
  object_parts(*wanted.object, v);  // the image may be a client's
  return v;
}

/// A row of an index-organized table by its key: an asterisk and base-64 digits.
bool is_logical_rowid(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return text.size() > 2 && text[0] == '*' &&
         text.find_first_not_of(kDigits, 1) == std::string_view::npos;
}

Value to_rowid(const Value& v, Type wanted) {
  if (v.type == Type::kRowid || v.type == Type::kUrowid) {
    const bool is_logical = std::holds_alternative<std::string>(v.data);
    if (is_logical && wanted == Type::kRowid) raise(1410);
    return Value{wanted, false, v.data};
  }
  if (!is_text(v.type)) raise_inconsistent(type_word(wanted), type_word(v.type));
  if (wanted == Type::kUrowid && is_logical_rowid(v.text())) return Value{wanted, false, v.text()};
  RowId id;
  if (!from_text(v.text(), id)) raise(1410);
  return Value{wanted, false, id};
}

/// As Oracle 23 reads words and numbers.
Value to_boolean(const Value& v, const ConvertContext& c) {
  if (is_numeric(v.type)) return Value{Type::kBoolean, false, !to_number(v, c).number().is_zero()};
  std::string text(trimmed(text_of(to_varchar(v, c))));
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char ch) { return static_cast<char>(std::toupper(ch)); });
  for (const std::string_view word : {"TRUE", "T", "YES", "Y", "1", "ON"}) {
    if (text == word) return Value{Type::kBoolean, false, true};
  }
  for (const std::string_view word : {"FALSE", "F", "NO", "N", "0", "OFF"}) {
    if (text == word) return Value{Type::kBoolean, false, false};
  }
  raise_inconsistent("BOOLEAN", type_word(v.type));
}

}  // namespace

Value convert(const Value& v, Type wanted, const ConvertContext& c) {
  if (v.type == wanted) return v;
  if (v.is_null()) return null_of(wanted, v);
  switch (wanted) {
    case Type::kVarchar2:
    case Type::kChar:
    case Type::kLong: {
      Value text = to_varchar(v, c);
      text.type = wanted;
      return text;
    }
    case Type::kNumber:
      return to_number(v, c);
    case Type::kBinaryFloat:
    case Type::kBinaryDouble:
      return to_binary(v, wanted, c);
    case Type::kDate:
    case Type::kTimestamp:
    case Type::kTimestampTz:
    case Type::kTimestampLtz:
      return to_datetime(v, wanted, c);
    case Type::kRaw:
    case Type::kLongRaw: {
      Value raw = to_raw(v, c);
      raw.type = wanted;
      return raw;
    }
    case Type::kClob:
    case Type::kBlob:
      return to_lob(v, wanted, c);
    case Type::kIntervalYm:
      if (!is_text(v.type)) break;
      return Value{wanted, false, parse_interval_ym(v.text())};
    case Type::kIntervalDs:
      if (!is_text(v.type)) break;
      return Value{wanted, false, parse_interval_ds(v.text())};
    case Type::kRowid:
    case Type::kUrowid:
      return to_rowid(v, wanted);
    case Type::kBoolean:
      return to_boolean(v, c);
    case Type::kJson:
      return to_json(v);
    case Type::kXml:
      return to_xml(v);
    case Type::kVector:
      return to_vector(v);
    case Type::kCursor:
    case Type::kBfile:
    case Type::kObject:
    case Type::kIndexTable:
      break;
  }
  raise_inconsistent(type_word(wanted), type_word(v.type));
}

Value convert_to(const Value& v, const DataType& wanted, const std::string& column,
                 const ConvertContext& c) {
  // A text takes the format of the column at once: nothing is lost on the way.
  if (wanted.type == Type::kVector && wanted.precision != 0 && !v.is_null() &&
      (is_text(v.type) || v.type == Type::kClob)) {
    const Vector vector = parse_vector(text_of(v), static_cast<VectorFormat>(wanted.precision));
    return fit_vector(make_lob(encode_vector(vector), Type::kVector), wanted);
  }
  Value out = convert(v, wanted.type, c);
  out.national = wanted.national;
  if (out.is_null()) return out;
  switch (wanted.type) {
    case Type::kVarchar2:
    case Type::kChar:
      return fit_text(std::move(out), wanted, column);
    case Type::kRaw:
      if (wanted.size_bytes != 0 && out.text().size() > wanted.size_bytes) {
        if (!column.empty()) too_large(column, out.text().size(), wanted.size_bytes);
        out = make_text(out.text().substr(0, wanted.size_bytes), Type::kRaw);
      }
      return out;
    case Type::kNumber:
      return fit_number(std::move(out), wanted);
    case Type::kTimestamp:
    case Type::kTimestampTz:
    case Type::kTimestampLtz:
      round_fraction(out, wanted.scale);
      return out;
    case Type::kIntervalYm:
    case Type::kIntervalDs:
      return fit_interval(std::move(out), wanted);
    case Type::kVector:
      return fit_vector(out, wanted);
    case Type::kObject:
      return fit_object(std::move(out), wanted);
    default:
      return out;
  }
}

namespace {

bool is_binary(Type t) {
  return t == Type::kBinaryFloat || t == Type::kBinaryDouble;
}
bool is_interval(Type t) {
  return t == Type::kIntervalYm || t == Type::kIntervalDs;
}
bool is_row_address(Type t) {
  return t == Type::kRowid || t == Type::kUrowid;
}

std::strong_ordering compare_numbers(const Value& a, const Value& b, const ConvertContext& c) {
  if (a.type == Type::kNumber && b.type == Type::kNumber) return a.number() <=> b.number();
  if (!is_binary(a.type) && !is_binary(b.type))
    return to_number(a, c).number() <=> to_number(b, c).number();
  const auto has_number = [](Type t) { return is_numeric(t) || is_text(t); };
  if (!has_number(a.type) || !has_number(b.type))
    raise_inconsistent(type_word(a.type), type_word(b.type));
  return compare_doubles(as_double(a, c), as_double(b, c));
}

/// Types that have no order.
void refuse_comparison(Type t) {
  switch (t) {
    case Type::kJson:
      raise_text(40796, "invalid comparison operation involving JSON type value");
    case Type::kVector:
      raise_text(22848, "cannot use VECTOR type as comparison key");
    case Type::kXml:
    case Type::kBfile:
    case Type::kObject:
      raise_inconsistent("-", t == Type::kBfile ? "FILE" : type_word(t));
    default:
      return;
  }
}

/// Both converted to `common`, whose values are of C++ type T.
template <class T>
std::strong_ordering compare_as(Type common, const Value& a, const Value& b,
                                const ConvertContext& c) {
  return std::get<T>(convert(a, common, c).data) <=> std::get<T>(convert(b, common, c).data);
}

}  // namespace

std::strong_ordering compare(const Value& a, const Value& b, const ConvertContext& c) {
  const auto either = [&](auto is_kind) { return is_kind(a.type) || is_kind(b.type); };
  for (const Type t : {a.type, b.type}) refuse_comparison(t);
  if (either(is_numeric)) return compare_numbers(a, b, c);
  if (either(is_datetime)) return compare_datetimes(a, b, c);
  if (either(is_interval)) {
    const Type common = is_interval(a.type) ? a.type : b.type;
    return common == Type::kIntervalYm ? compare_as<IntervalYm>(common, a, b, c)
                                       : compare_as<IntervalDs>(common, a, b, c);
  }
  const auto is_logical = [](const Value& v) {
    return v.type == Type::kUrowid && std::holds_alternative<std::string>(v.data);
  };
  if (is_logical(a) || is_logical(b)) {
    const Value x = to_varchar(a, c);
    const Value y = to_varchar(b, c);
    return order_of(text_of(x).compare(text_of(y)));
  }
  if (either(is_row_address)) return compare_as<RowId>(Type::kRowid, a, b, c);
  if (a.type == Type::kBoolean || b.type == Type::kBoolean)
    return compare_as<bool>(Type::kBoolean, a, b, c);
  if (a.type == Type::kRaw || b.type == Type::kRaw)
    return order_of(to_raw(a, c).text().compare(to_raw(b, c).text()));
  if (a.type == Type::kChar && b.type == Type::kChar) return compare_padded(text_of(a), text_of(b));
  return order_of(compare_stored(text_of(a), text_of(b)));
}

}  // namespace orasim
