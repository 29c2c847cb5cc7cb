#include "redo_json.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "connect/oracle/logminer/redo_cell.h"
#include "connect/oracle/logminer/redo_parser.h"
#include "connect/oracle/logminer/redo_protocol.h"
#include "connect/oracle/logminer/stored_value.h"
#include "connect/oracle/value_text.h"
#include "connect/oracle/wire/charset.h"

namespace wherry::app {
namespace {

using namespace oracle;  // NOLINT(google-build-using-namespace): its values are what is printed
using RedoJson = nlohmann::json;
using nlohmann::ordered_json;

std::string capitals(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

ordered_json call_json(const RedoValue& value) {
  ordered_json out;
  out["fn"] = capitals(value.function);
  if (value.argument_count > 0) {
    out["args"] = ordered_json::array({std::string(value.text)});
    if (value.argument_count > 1) out["args"].push_back(std::string(value.format));
  }
  return out;
}

ordered_json fields_json(const std::vector<RedoField>& fields) {
  ordered_json out = ordered_json::object();
  for (const RedoField& field : fields)
    out[std::string(field.column)] = redo_value_json(field.value);
  return out;
}

ordered_json table_json(std::string_view owner, std::string_view name) {
  return {{"owner", std::string(owner)}, {"name", std::string(name)}};
}

/// Seconds and their fraction without trailing zeros: "2.5", "0" becomes nothing.
std::string duration_of_seconds(std::int64_t seconds, std::int64_t nanos) {
  if (seconds == 0 && nanos == 0) return "";
  std::string out = std::to_string(seconds);
  if (nanos != 0) {
    out += fmt::format(".{:09}", nanos);
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out + "S";
}

std::string month_duration(std::int64_t months) {
  const std::int64_t size = months < 0 ? -months : months;
  std::string out;
  if (size >= 12) out += std::to_string(size / 12) + "Y";
  if (size % 12 != 0) out += std::to_string(size % 12) + "M";
  return (months < 0 ? "-P" : "P") + (out.empty() ? "0M" : out);
}

std::string second_duration(std::int64_t seconds, std::int32_t nanos) {
  const bool is_negative = seconds < 0 || nanos < 0;
  const std::int64_t size = is_negative ? -seconds : seconds;
  constexpr std::int64_t kDay = 86'400, kHour = 3'600, kMinute = 60;
  std::string days, clock;
  if (size >= kDay) days = std::to_string(size / kDay) + "D";
  if (size % kDay >= kHour) clock += std::to_string(size % kDay / kHour) + "H";
  if (size % kHour >= kMinute) clock += std::to_string(size % kHour / kMinute) + "M";
  clock += duration_of_seconds(size % kMinute, is_negative ? -std::int64_t{nanos} : nanos);
  if (days.empty() && clock.empty()) clock = "0S";
  return (is_negative ? "-P" : "P") + days + (clock.empty() ? "" : "T" + clock);
}

/// Of a timestamp's text "2026-08-09 12:13:14.5", with " BC" or " +02:30" behind it.
std::string iso_time(std::string text, bool is_local_zone) {
  constexpr std::string_view kBefore = " BC";
  const std::size_t before = text.find(kBefore);
  if (before != std::string::npos) {
    text.erase(before, kBefore.size());
    text.insert(text.begin(), '-');
  }
  const std::size_t blank = text.find(' ');
  if (blank != std::string::npos) text[blank] = 'T';
  const std::size_t zone = text.find(' ');
  if (zone != std::string::npos) text.erase(zone, is_local_zone ? std::string::npos : 1);
  return is_local_zone ? text + "Z" : text;
}

ordered_json cell_json(const Cell& cell, OracleType type) {
  if (cell.is_null()) return nullptr;
  if (cell.kind == CellKind::kIntervalYm) return month_duration(cell.payload.i64);
  if (cell.kind == CellKind::kIntervalDs) return second_duration(cell.payload.i64, cell.extra);
  std::string text = *value_text(cell);
  if (cell.kind == CellKind::kFloat32 || cell.kind == CellKind::kFloat64) {
    const bool is_whole = text.find_first_not_of("-0123456789") == std::string::npos;
    return is_whole ? text + ".0" : text;
  }
  const bool is_time = cell.kind == CellKind::kTimestamp || cell.kind == CellKind::kTimestampTz;
  return is_time ? iso_time(std::move(text), type == OracleType::kTimestampLtz) : text;
}

/// Minutes of "+02:00".
int offset_of(const std::string& zone) {
  if (zone.size() != 6 || zone[3] != ':') return 0;
  const int minutes = std::stoi(zone.substr(1, 2)) * 60 + std::stoi(zone.substr(4, 2));
  return zone[0] == '-' ? -minutes : minutes;
}

/// The table's definition: of each column its place, and its type when it is known.
struct Definition {
  struct Column {
    std::string name;
    std::optional<RedoColumn> type;
  };
  std::vector<Column> stored;  ///< without virtual columns, in the order of the definition
  std::map<std::string, std::size_t, std::less<>> by_name;

  explicit Definition(const RedoJson& line) {
    const auto table = line.find("table");
    if (table == line.end() || table->is_null() || !table->contains("columns")) return;
    for (const RedoJson& column : table->at("columns")) {
      const RedoJson generated = column.value("generated", RedoJson(false));
      if (!generated.is_null() && generated != false) continue;
      Column& added = stored.emplace_back();
      added.name = column.at("name").get<std::string>();
      const auto type = column.find("type");
      if (type != column.end() && type->is_string()) {
        added.type = redo_column_of(type->get<std::string>());
      }
      by_name.emplace(added.name, stored.size() - 1);
    }
  }

  [[nodiscard]] const Column* find(std::string_view name, bool is_positional) const {
    if (is_positional) {
      const auto place = positional_column(name);
      return place && *place <= stored.size() ? &stored[*place - 1] : nullptr;
    }
    const auto found = by_name.find(name);
    return found == by_name.end() ? nullptr : &stored[found->second];
  }
};

class RedoLine {
 public:
  explicit RedoLine(const RedoJson& line)
      : definition_(line),
        options_(line.contains("options") && line["options"].is_object() ? line["options"]
                                                                         : RedoJson::object()),
        row_(line.contains("row") && line["row"].is_object() ? line["row"] : RedoJson::object()),
        parser_(options_.value("relaxed_quotes", false) ? RedoParser::Quotes::kRelaxed
                                                        : RedoParser::Quotes::kStrict) {
    text_ = text_of(line);
    const RedoJson& code = line.contains("operation_code")
                               ? line["operation_code"]
                               : row_.value("OPERATION_CODE", RedoJson());
    if (code.is_number_integer()) code_ = code.get<int>();
    const RedoJson info = row_.value("INFO", RedoJson());
    if (info.is_string()) info_ = info.get<std::string>();
    stored_.arena = plain_.arena = &arena_;
    stored_.regions = &regions_;
    plain_.session_offset_minutes = offset_of(options_.value("session_time_zone", "+00:00"));
    read_charset("db_charset", stored_.database_charset);
    read_charset("national_charset", stored_.national_charset);
  }

  ordered_json parsed() {
    const RedoRowClass row = classify_redo(code_, text_, info_);
    switch (row.kind) {
      case RedoRowKind::kStatement:
        return statement();
      case RedoRowKind::kUnsupported:
        return {{"kind", "unsupported"}};
      case RedoRowKind::kSkip:
        return {{"kind", "skip"}, {"reason", row.reason}};
      case RedoRowKind::kError:
        return {{"kind", "error"}, {"reason", row.reason}};
      default:
        return piece(row.kind);
    }
  }

 private:
  static std::string text_of(const RedoJson& line) {
    if (line.contains("sql_redo")) {
      return line["sql_redo"].is_null() ? "" : line["sql_redo"].get<std::string>();
    }
    std::string text;
    for (const RedoJson& part : line.at("csf")) text += part.get<std::string>();
    return text;
  }

  void read_charset(const char* option, std::uint16_t& out) const {
    const auto named = options_.find(option);
    if (named == options_.end()) return;
    if (const auto id = charset_id(named->get<std::string>())) out = *id;
  }

  static ordered_json error(const RedoProblem& problem) {
    return {{"kind", "error"}, {"reason", std::string(problem.what)}, {"position", problem.at + 1}};
  }

  ordered_json statement() {
    RedoStatement parsed;
    if (!parser_.parse(text_, parsed)) return error(parser_.problem());
    constexpr const char* kKinds[] = {"insert", "update", "delete"};
    ordered_json out;
    out["kind"] = kKinds[static_cast<int>(parsed.kind)];
    out["table"] = table_json(parsed.owner, parsed.table);
    out["new"] = fields_json(parsed.after);
    out["old"] = fields_json(parsed.before);
    if (!parsed.row_id.empty()) out["row_id"] = std::string(parsed.row_id);
    const bool is_positional = has_places(parsed.after) && has_places(parsed.before) &&
                               !(parsed.after.empty() && parsed.before.empty());
    if (is_positional) out["positional"] = true;
    add_typed(parsed, is_positional, out);
    return out;
  }

  [[nodiscard]] bool has_places(const std::vector<RedoField>& fields) const {
    return std::all_of(fields.begin(), fields.end(), [&](const RedoField& field) {
      return positional_column(field.column) && definition_.by_name.count(field.column) == 0;
    });
  }

  void add_typed(const RedoStatement& parsed, bool is_positional, ordered_json& out) {
    ordered_json typed;
    if (parsed.kind != RedoKind::kDelete) {
      auto fields = typed_json(parsed.after, is_positional);
      if (!fields) return;
      typed["new"] = std::move(*fields);
    }
    if (parsed.kind != RedoKind::kInsert) {
      auto fields = typed_json(parsed.before, is_positional);
      if (!fields) return;
      typed["old"] = std::move(*fields);
    }
    out["typed"] = std::move(typed);
  }

  /// nullopt: not all types are known, or a value is none of its type.
  std::optional<ordered_json> typed_json(const std::vector<RedoField>& fields, bool is_positional) {
    ordered_json out = ordered_json::object();
    for (const RedoField& field : fields) {
      const Definition::Column* const column = definition_.find(field.column, is_positional);
      if (column == nullptr || !column->type) return std::nullopt;
      Cell cell;
      const RedoValueStatus status = is_positional
                                         ? stored_cell(field.value, *column->type, stored_, cell)
                                         : redo_cell(field.value, *column->type, plain_, cell);
      if (status == RedoValueStatus::kGiven) {
        out[column->name] = cell_json(cell, column->type->type);
      } else if (status == RedoValueStatus::kNotGiven) {
        out[column->name] = {{"unavailable", true}};
      } else {
        return std::nullopt;
      }
    }
    return out;
  }

  ordered_json piece(RedoRowKind kind) {
    RedoPiece parsed;
    if (!protocol_.parse(kind, text_, info_, parsed)) return error(protocol_.problem());
    ordered_json out;
    out["kind"] = name_of_piece(kind);
    if (!parsed.table.empty()) out["table"] = table_json(parsed.owner, parsed.table);
    if (!parsed.column.empty()) out["column"] = std::string(parsed.column);
    constexpr const char* kLobs[] = {"", "CLOB", "NCLOB", "BLOB"};
    if (parsed.lob_type != LobType::kNone) {
      out["lob_type"] = kLobs[static_cast<int>(parsed.lob_type)];
    }
    if (kind == RedoRowKind::kXmlBegin) out["form"] = parsed.is_text_form ? "text" : "binary";
    if (!parsed.table.empty()) out["key"] = fields_json(parsed.key);
    if (!parsed.row_id.empty()) out["row_id"] = std::string(parsed.row_id);
    if (parsed.data && !add_data(kind, *parsed.data, out)) {
      return error({"the data is no text of the database's character set", 0});
    }
    if (parsed.amount) out["amount"] = *parsed.amount;
    if (parsed.offset) out["offset"] = *parsed.offset;
    if (parsed.length) out["length"] = *parsed.length;
    return out;
  }

  bool add_data(RedoRowKind kind, const RedoValue& data, ordered_json& out) {
    if (data.form == RedoForm::kNull) {
      out["data"] = nullptr;
      return true;
    }
    if (!is_call(data, "HEXTORAW")) {
      out["data"] = std::string(data.text);
      return true;
    }
    Cell bytes;
    constexpr RedoColumn kRaw{OracleType::kRaw, CharsetForm::kNone, false};
    if (redo_cell(data, kRaw, plain_, bytes) != RedoValueStatus::kGiven) return false;
    if (kind != RedoRowKind::kXmlWrite) {
      out["data_hex"] = *value_text(bytes);
      return true;
    }
    std::string text;
    if (!wire::to_utf8(bytes.bytes(), stored_.database_charset, text)) return false;
    out["data"] = text;
    return true;
  }

  static const char* name_of_piece(RedoRowKind kind) {
    switch (kind) {
      case RedoRowKind::kSelectLobLocator:
        return "select_lob_locator";
      case RedoRowKind::kLobWrite:
        return "lob_write";
      case RedoRowKind::kLobTrim:
        return "lob_trim";
      case RedoRowKind::kLobErase:
        return "lob_erase";
      case RedoRowKind::kXmlBegin:
        return "xml_begin";
      case RedoRowKind::kXmlWrite:
        return "xml_write";
      case RedoRowKind::kXmlEnd:
        return "xml_end";
      case RedoRowKind::kExtendedStringBegin:
        return "ext_string_begin";
      case RedoRowKind::kExtendedStringWrite:
        return "ext_string_write";
      default:
        return "ext_string_end";
    }
  }

  const Definition definition_;
  const RedoJson options_, row_;
  std::string text_, info_;
  std::optional<int> code_;
  RedoParser parser_;
  RedoProtocolParser protocol_;
  Arena arena_;
  wire::RegionTable regions_;
  StoredValueContext stored_;
  RedoValueContext plain_;
};

}  // namespace

ordered_json redo_value_json(const RedoValue& value) {
  ordered_json out;
  switch (value.form) {
    case RedoForm::kNull:
      return nullptr;
    case RedoForm::kText:
      if (value.hint.empty()) return std::string(value.text);
      out = {{"text", std::string(value.text)}};
      break;
    case RedoForm::kNumber:
      out = {{"num", std::string(value.text)}};
      break;
    case RedoForm::kNational:
      out = {{"fn", "UNISTR"}, {"text", std::string(value.text)}};
      break;
    case RedoForm::kCall:
      out = call_json(value);
      break;
    case RedoForm::kUnsupported:
      out = {{"unsupported", true}};
      break;
    case RedoForm::kBind:
      out = {{"bind", std::string(value.text)}};
      break;
  }
  if (!value.hint.empty()) out["hint"] = std::string(value.hint);
  return out;
}

ordered_json parsed_redo(const RedoJson& line) {
  return RedoLine(line).parsed();
}

}  // namespace wherry::app
