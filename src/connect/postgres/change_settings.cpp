#include "connect/postgres/change_settings.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace wherry::postgres {
namespace {

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

Error bad_value(std::string_view key, const std::string& value, std::string hint) {
  return make_error(ErrorKind::kConfig, "postgres.bad_option",
                    "the option " + std::string(key) + " has no value '" + value + "'",
                    std::move(hint));
}

Result<void> read_truth(std::string_view key, const std::string& value, bool& out) {
  const std::string word = lowered(value);
  out = word == "true" || word == "1" || word == "y" || word == "yes";
  if (out || word == "false" || word == "0" || word == "n" || word == "no") return {};
  return bad_value(key, value, "Use true or false");
}

Result<std::int64_t> read_number(std::string_view key, const std::string& value, std::int64_t least,
                                 std::int64_t most) {
  std::int64_t number = 0;
  const auto [end, status] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (status != std::errc{} || end != value.data() + value.size() || number < least ||
      number > most) {
    return bad_value(
        key, value,
        "Use a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return number;
}

}  // namespace

const std::vector<std::string>& change_option_names() {
  static const std::vector<std::string> names = {
      "SlotName",           "PublicationName",  "PluginName",      "CaptureDdls",
      "DdlArtifactsSchema", "HeartbeatEnable",  "HeartbeatSchema", "HeartbeatFrequency",
      "CatchUpMegabytes",   "PartitionedTables"};
  return names;
}

Result<bool> apply_change_option(ChangeSettings& out, std::string_view key,
                                 const std::string& value) {
  constexpr std::int64_t kMostMinutes = 7 * 24 * 60;
  constexpr std::int64_t kMostMegabytes = 1 << 20;
  const std::string name = lowered(key);
  if (name == "slotname") {
    out.slot_name = value;
  } else if (name == "publicationname") {
    out.publication_name = value;
  } else if (name == "pluginname") {
    const std::string plugin = lowered(value);
    if (plugin != "pgoutput" && plugin != "no-preference") {
      return bad_value(key, value, "Wherry reads with pgoutput, which every server has");
    }
  } else if (name == "captureddls") {
    WHERRY_TRY(read_truth(key, value, out.captures_ddl));
  } else if (name == "ddlartifactsschema") {
    out.ddl_schema = value;
  } else if (name == "heartbeatenable") {
    WHERRY_TRY(read_truth(key, value, out.has_heartbeat));
  } else if (name == "heartbeatschema") {
    out.heartbeat_schema = value;
  } else if (name == "heartbeatfrequency") {
    WHERRY_ASSIGN(const std::int64_t minutes, read_number(key, value, 1, kMostMinutes));
    out.heartbeat_interval = std::chrono::minutes(minutes);
  } else if (name == "catchupmegabytes") {
    WHERRY_ASSIGN(const std::int64_t megabytes, read_number(key, value, 0, kMostMegabytes));
    out.catch_up_bytes = static_cast<std::uint64_t>(megabytes) << 20;
  } else if (name == "partitionedtables") {
    const std::string kind = lowered(value);
    if (kind != "root" && kind != "leaf") return bad_value(key, value, "Use root or leaf");
    out.shows_leaves = kind == "leaf";
  } else {
    return false;
  }
  return true;
}

}  // namespace wherry::postgres
