// Values as LogMiner prints them.
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>

#include "engine/calendar.h"
#include "engine/format_model.h"
#include "engine/images.h"
#include "exec/logminer_text.h"
#include "exec/types.h"

namespace orasim::logminer {
namespace {

constexpr int kDefaultLeading = 2;

/// The model with FF as wide as the value needs: FF without digits prints as many as the column
/// has, and nothing (the X before it neither) when there is no fraction.
std::string fitted_model(std::string_view model, bool has_fraction, int digits) {
  std::string out;
  bool quoted_part = false;
  for (std::size_t i = 0; i < model.size(); ++i) {
    if (model[i] == '"') quoted_part = !quoted_part;
    const bool is_fraction =
        !quoted_part && i + 1 < model.size() && std::toupper(model[i]) == 'F' &&
        std::toupper(model[i + 1]) == 'F' &&
        (i + 2 == model.size() || std::isdigit(static_cast<unsigned char>(model[i + 2])) == 0);
    if (!is_fraction) {
      out += model[i];
      continue;
    }
    ++i;
    if (has_fraction && digits > 0) {
      out += "FF" + std::to_string(digits);
    } else if (!out.empty() && std::toupper(out.back()) == 'X') {
      out.pop_back();
    }
  }
  return out;
}

std::string call(const char* function, const std::string& text) {
  return std::string(function) + "(" + quoted(text) + ")";
}

std::string moment(const DateTime& t, const DataType& type, const std::string& model,
                   const Nls& nls) {
  const int digits = type.type == Type::kDate ? 0 : type.scale;
  return format_date(t, fitted_model(model, t.nanosecond != 0, digits), nls);
}

std::string date_literal(const DateTime& t, const DataType& type, const TextOptions& options) {
  const Nls& nls = *options.nls;
  const bool plain = options.plain_literals;
  if (type.type == Type::kDate) {
    const std::string text = moment(t, type, nls.date_format, nls);
    if (plain) return quoted(text);
    return "TO_DATE(" + quoted(text) + ", " + quoted(nls.date_format) + ")";
  }
  if (type.type == Type::kTimestamp) {
    const std::string text = moment(t, type, nls.timestamp_format, nls);
    return plain ? quoted(text) : call("TO_TIMESTAMP", text);
  }
  if (type.type == Type::kTimestampLtz) {
    DateTime local = t;
    nls.session_zone.put_into(local);
    const std::string text = moment(to_local(local), type, nls.timestamp_format, nls);
    return plain ? quoted(text) : call("TO_TIMESTAMP_TZ", text);
  }
  const std::string text = moment(to_local(t), type, nls.timestamp_tz_format, nls);
  return plain ? quoted(text) : call("TO_TIMESTAMP_TZ", text);
}

/// 3.1400001E+000: one digit before the point, at least one behind it.
template <class Float>
std::string binary_text(Float value, int digits) {
  if (value == 0) return "0";
  if (std::isnan(value)) return "Nan";
  if (std::isinf(value)) return value > 0 ? "Inf" : "-Inf";
  std::array<char, 48> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*E", digits - 1, static_cast<double>(value));
  const std::string text = buffer.data();
  const std::size_t e = text.find('E');
  std::string mantissa = text.substr(0, e);
  mantissa.erase(mantissa.find_last_not_of('0') + 1);
  if (mantissa.back() == '.') mantissa += '0';
  std::string exponent = text.substr(e + 2);
  while (exponent.size() < 3) exponent.insert(exponent.begin(), '0');
  return mantissa + "E" + text[e + 1] + exponent;
}

std::string with_decimal_sign(std::string text, const Nls& nls) {
  for (char& c : text) {
    if (c == '.') c = nls.numeric_characters[0];
  }
  return text;
}

std::string text_literal(const std::string& text, bool national) {
  return national ? national_literal(text) : quoted(text);
}

bool is_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

/// UTF-16 code units of well-formed UTF-8.
std::u16string utf16(std::string_view utf8) {
  std::u16string out;
  for (std::size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    std::uint32_t point = size == 1 ? lead : lead & (0x7FU >> size);
    for (std::size_t k = 1; k < size && i + k < utf8.size(); ++k) {
      point = point << 6 | (static_cast<unsigned char>(utf8[i + k]) & 0x3FU);
    }
    i += size;
    if (point < 0x10000) {
      out.push_back(static_cast<char16_t>(point));
    } else {
      point -= 0x10000;
      out.push_back(static_cast<char16_t>(0xD800 + (point >> 10)));
      out.push_back(static_cast<char16_t>(0xDC00 + (point & 0x3FF)));
    }
  }
  return out;
}

std::string utf16_bytes(std::string_view utf8) {
  std::string out;
  for (const char16_t unit : utf16(utf8)) append_be(out, unit, 2);
  return out;
}

int leading(const DataType& type) {
  return type.precision > 0 ? type.precision : kDefaultLeading;
}

std::string stored_bytes_of(const Value& v, const DataType& type) {
  std::string out;
  if (const auto* n = std::get_if<Number>(&v.data)) {
    const auto bytes = n->bytes();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  if (const auto* t = std::get_if<DateTime>(&v.data)) {
    DateTime moment = *t;
    const bool is_local = type.type == Type::kTimestampLtz;
    // A TIMESTAMP without a fraction is kept in the 7 bytes of a DATE.
    const bool is_short = moment.nanosecond == 0 && type.type != Type::kTimestampTz;
    append_moment(out, is_short ? Type::kDate : is_local ? Type::kTimestamp : type.type, moment);
    return out;
  }
  if (const auto* ym = std::get_if<IntervalYm>(&v.data)) return append_interval(out, *ym), out;
  if (const auto* ds = std::get_if<IntervalDs>(&v.data)) return append_interval(out, *ds), out;
  if (const auto* f = std::get_if<float>(&v.data)) return append_float(out, *f), out;
  if (const auto* d = std::get_if<double>(&v.data)) return append_double(out, *d), out;
  if (const auto* b = std::get_if<bool>(&v.data)) return std::string(1, *b ? '\1' : '\0');
  if (const auto* id = std::get_if<RowId>(&v.data)) {
    append_be(out, id->object, 4);
    append_be(out, std::uint64_t{id->file} << 22 | id->block, 4);
    append_be(out, id->slot, 2);
    return out;
  }
  if (const auto* lob = std::get_if<Lob>(&v.data)) return (*lob)->data;
  const std::string& text = v.text();
  return type.national ? utf16_bytes(text) : text;
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

std::string raw_literal(std::string_view bytes, bool upper) {
  const std::string_view digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string out = "HEXTORAW('";
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out + "')";
}

std::string national_literal(std::string_view utf8) {
  if (is_ascii(utf8)) return quoted(utf8);
  std::string out = "UNISTR('";
  for (const char16_t unit : utf16(utf8)) {
    if (unit == u'\'' || unit == u'\\') out += static_cast<char>(unit);
    if (unit < 0x80) {
      out += static_cast<char>(unit);
      continue;
    }
    std::array<char, 8> escape{};
    std::snprintf(escape.data(), escape.size(), "\\%04X", static_cast<unsigned>(unit));
    out += escape.data();
  }
  return out + "')";
}

std::string literal(const Value& v, const DataType& type, const TextOptions& options) {
  if (v.is_null()) return "NULL";
  const Nls& nls = *options.nls;
  switch (type.type) {
    case Type::kNumber:
      return quoted(with_decimal_sign(v.number().to_string(), nls));
    case Type::kBinaryFloat:
      return quoted(with_decimal_sign(binary_text(std::get<float>(v.data), 9), nls));
    case Type::kBinaryDouble:
      return quoted(with_decimal_sign(binary_text(std::get<double>(v.data), 17), nls));
    case Type::kDate:
    case Type::kTimestamp:
    case Type::kTimestampTz:
    case Type::kTimestampLtz:
      return date_literal(v.date_time(), type, options);
    case Type::kIntervalYm: {
      const std::string text = interval_text(std::get<IntervalYm>(v.data), leading(type));
      return options.plain_literals ? quoted(text) : call("TO_YMINTERVAL", text);
    }
    case Type::kIntervalDs: {
      const int digits = type.scale;
      const std::string text = interval_text(std::get<IntervalDs>(v.data), leading(type), digits);
      return options.plain_literals ? quoted(text) : call("TO_DSINTERVAL", text);
    }
    case Type::kRaw:
    case Type::kLongRaw:
      return raw_literal(v.text());
    case Type::kBlob:
      return v.lob()->data.empty() ? "EMPTY_BLOB()" : raw_literal(v.lob()->data);
    case Type::kClob:
      return v.lob()->data.empty() ? "EMPTY_CLOB()" : text_literal(v.lob()->data, type.national);
    case Type::kRowid:
      return quoted(to_text(std::get<RowId>(v.data)));
    case Type::kVarchar2:
    case Type::kChar:
    case Type::kLong:
      return text_literal(v.text(), type.national);
    default:
      return "Unsupported Type";
  }
}

std::string stored_literal(const Value& v, const DataType& type) {
  return v.is_null() ? "NULL" : raw_literal(stored_bytes_of(v, type));
}

}  // namespace orasim::logminer
