#include "exec/logminer_calls.h"

#include <cstdio>
#include <cstdlib>
#include <map>

#include "engine/calendar.h"
#include "engine/containers.h"
#include "exec/errors.h"
#include "exec/types.h"

namespace orasim::logminer {
namespace {

constexpr std::int64_t kUnixEpoch = std::int64_t{2440588} * 86400;

std::optional<std::int64_t> integer_of(const Value& v, const ConvertContext& c) {
  if (v.is_null()) return std::nullopt;
  const auto n = to_number(v, c).number().to_int();
  if (!n) raise(6502);
  return n;
}

std::optional<std::int64_t> unix_of(const Value& v, const ConvertContext& c) {
  if (v.is_null()) return std::nullopt;
  return total_seconds(to_datetime(v, Type::kDate, c).date_time()) - kUnixEpoch;
}

/// From 19.10 on.
bool can_be_mined_within(const std::string& version) {
  constexpr int kRelease = 19, kUpdate = 10;
  int release = 0, update = 0;
  std::sscanf(version.c_str(), "%d.%d", &release, &update);
  return release > kRelease || (release == kRelease && update >= kUpdate);
}

std::string name_of(const Value& v, const ConvertContext& c) {
  return v.is_null() ? std::string() : std::string(text_of(to_varchar(v, c)));
}

}  // namespace

const std::vector<std::string_view>* parameters_of(std::string_view procedure) {
  static const std::map<std::string_view, std::vector<std::string_view>> procedures = {
      {"ADD_LOGFILE", {"LOGFILENAME", "OPTIONS"}},
      {"REMOVE_LOGFILE", {"LOGFILENAME"}},
      {"START_LOGMNR", {"STARTSCN", "ENDSCN", "STARTTIME", "ENDTIME", "DICTFILENAME", "OPTIONS"}},
      {"END_LOGMNR", {}},
  };
  const auto found = procedures.find(procedure);
  return found == procedures.end() ? nullptr : &found->second;
}

void call_procedure(LogMinerSession& session, Store& store, std::string_view procedure,
                    const std::vector<Value>& a, const ConvertContext& c,
                    const CallerDatabase& database) {
  const bool is_within = database.container == containers::kPluggable;
  const bool takes_logs = procedure == "ADD_LOGFILE" || procedure == "REMOVE_LOGFILE";
  if (is_within && (takes_logs || !can_be_mined_within(database.version))) {
    raise_text(65040, "operation not allowed from within a pluggable database");
  }
  if (procedure == "ADD_LOGFILE") {
    const auto option = integer_of(a[1], c).value_or(kAddFile);
    return session.add_logfile(store, name_of(a[0], c), static_cast<std::uint32_t>(option));
  }
  if (procedure == "REMOVE_LOGFILE") return session.remove_logfile(name_of(a[0], c));
  if (procedure == "END_LOGMNR") return session.end();
  StartRequest request;
  request.start_scn = integer_of(a[0], c);
  request.end_scn = integer_of(a[1], c);
  request.start_unix = unix_of(a[2], c);
  request.end_unix = unix_of(a[3], c);
  request.options = static_cast<std::uint32_t>(integer_of(a[5], c).value_or(0));
  request.picks_logs = is_within;
  session.start(store, request, std::atoi(database.version.c_str()));
}

}  // namespace orasim::logminer
