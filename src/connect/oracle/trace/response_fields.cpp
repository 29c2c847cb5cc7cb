#include "connect/oracle/trace/response_fields.h"

#include "connect/oracle/trace/charset.h"
#include "connect/oracle/trace/message_text.h"
#include "connect/oracle/trace/names.h"
#include "connect/oracle/trace/scalar_text.h"
#include "connect/oracle/wire/rowid.h"

namespace wherry::oracle::trace {
namespace {

std::string text_of_server(const std::string& bytes, const Session& session) {
  return to_utf8(bytes, session.client_charset);
}

bool has_precision(OracleType type) {
  return type == OracleType::kNumber;
}

bool has_scale(OracleType type) {
  return type == OracleType::kNumber || type == OracleType::kTimestamp ||
         type == OracleType::kTimestampTz || type == OracleType::kTimestampLtz ||
         type == OracleType::kIntervalDs;
}

Json keyword_pairs(const std::vector<wire::KeywordPair>& pairs) {
  Json list = Json::array();
  for (const wire::KeywordPair& pair : pairs) {
    Json item{{"keyword", pair.keyword}};
    if (!pair.text.empty()) item["text"] = to_json_text(pair.text);
    if (!pair.binary.empty()) item["binary"] = hex_text(pair.binary);
    list.push_back(std::move(item));
  }
  return list;
}

}  // namespace

Json columns_json(const std::vector<ColumnDescription>& columns) {
  Json list = Json::array();
  for (const ColumnDescription& column : columns) {
    Json item{{"name", to_json_text(column.name)},
              {"type", type_name(static_cast<std::uint8_t>(column.type),
                                 static_cast<std::uint8_t>(column.form))}};
    if (has_precision(column.type)) item["precision"] = column.precision;
    if (has_scale(column.type)) item["scale"] = column.scale;
    item["max_bytes"] = column.max_bytes;
    item["nullable"] = column.nullable;
    if (!column.type_name.empty()) {
      item["type_name"] = to_json_text(column.type_schema + "." + column.type_name);
    }
    list.push_back(std::move(item));
  }
  return list;
}

Json call_result_json(const wire::CallResult& result, const Session& session) {
  Json fields{{"message", result.code == 0 ? "end of call" : "error"}};
  if (result.code != 0) {
    fields["error"] = Json{{"code", result.code}, {"text", text_of_server(result.text, session)}};
    if (result.error_position > 0) fields["error"]["position"] = result.error_position;
  }
  if (result.cursor_id != 0) fields["cursor"] = result.cursor_id;
  fields["row_count"] = result.row_count;
  constexpr std::uint32_t kNoObject = 0xFFFFFFFF;
  if (result.rowid.is_set() && result.rowid.object != kNoObject)
    fields["rowid"] = wire::rowid_text(result.rowid);
  fields["call_status"] = result.call_status;
  if ((result.warning_flags & wire::kWarnCompiledWithErrors) != 0) {
    fields["compiled_with_errors"] = true;
  }
  for (const wire::ArrayRowError& error : result.array_errors) {
    fields["batch_errors"].push_back(Json{
        {"row", error.row}, {"code", error.code}, {"text", text_of_server(error.text, session)}});
  }
  return fields;
}

Json status_json(const wire::CallStatus& status) {
  return Json{{"message", "status"},
              {"call_status", status.call_status},
              {"in_transaction", (status.call_status & wire::kCallInTransaction) != 0}};
}

Json warning_json(const wire::Warning& warning) {
  return Json{{"message", "warning"},
              {"error", {{"code", warning.code}, {"text", to_json_text(warning.text)}}}};
}

Json server_piggyback_json(const wire::ServerPiggyback& piggyback) {
  Json fields{{"message", "server piggyback"}, {"code", piggyback.code}};
  if (!piggyback.pairs.empty()) fields["keywords"] = keyword_pairs(piggyback.pairs);
  return fields;
}

Json return_parameters_json(const wire::ReturnParameters& parameters) {
  Json fields{{"message", "return parameters"}};
  if (parameters.values.size() >= 2) {
    fields["scn"] = std::uint64_t{parameters.values[1]} << 32 | parameters.values[0];
  }
  if (!parameters.pairs.empty()) fields["keywords"] = keyword_pairs(parameters.pairs);
  if (!parameters.row_counts.empty()) fields["row_counts"] = parameters.row_counts;
  return fields;
}

Json protocol_json(const wire::ProtocolReply& reply) {
  return Json{
      {"message", "protocol"},
      {"banner", to_json_text(reply.banner)},
      {"charset", reply.charset},
      {"national_charset", reply.national_charset},
      {"field_version", wire::capability(reply.compile_capabilities, wire::kCapFieldVersion)}};
}

}  // namespace wherry::oracle::trace
