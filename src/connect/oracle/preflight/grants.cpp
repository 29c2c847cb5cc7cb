#include "connect/oracle/preflight/grants.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace wherry::oracle {
namespace {

/// What mining asks, besides the dictionary of tables that the user may read.
constexpr std::array<std::string_view, 9> kMinedViews = {
    "v_$database",        "v_$thread",      "v_$log",          "v_$logfile",  "v_$archived_log",
    "v_$logmnr_contents", "v_$logmnr_logs", "gv_$transaction", "gv_$session",
};
constexpr int kFirstWithLogmining = 12;  // the privilege LOGMINING, and containers

/// "SCOTT" of scott, and of "SCOTT".
std::string quoted_user(std::string name) {
  if (name.size() > 1 && name.front() == '"' && name.back() == '"') return name;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return "\"" + name + "\"";
}

class OracleScript {
 public:
  explicit OracleScript(std::string user) : user_(std::move(user)) {}
  void grant(std::string_view what) { add(fmt::format("grant {} to {}", what, user_)); }
  void grant(std::string_view what, std::string_view on) {
    add(fmt::format("grant {} on {} to {}", what, on, user_));
  }
  void add(std::string statement) { statements_.push_back(std::move(statement)); }
  void explain(std::string_view text) { add(fmt::format("-- {}", text)); }
  std::vector<std::string> take() { return std::move(statements_); }

 private:
  const std::string user_;
  std::vector<std::string> statements_;
};

void grant_mining(OracleScript& script, int major_version) {
  script.explain("Changes are read from the redo with LogMiner");
  if (major_version >= kFirstWithLogmining) {
    script.grant("logmining");
    script.grant("select", "sys.v_$containers");
  }
  script.grant("select any transaction");
  script.grant("execute", "sys.dbms_logmnr");
  for (const std::string_view view : kMinedViews) {
    script.grant("select", fmt::format("sys.{}", view));
  }
}

}  // namespace

std::vector<std::string> source_grants(const connect::PreflightRequest& request,
                                       const std::string& grantee, const EndpointOptions& options,
                                       int major_version) {
  const std::string user = quoted_user(grantee);
  OracleScript script(user);
  script.grant("create session");
  const bool adds_logging = request.has_changes && options.adds_supplemental_logging;
  for (const schema::TablePlanPtr& plan : request.tables) {
    script.grant(adds_logging ? "select, flashback, alter" : "select, flashback",
                 fmt::format("\"{}\".\"{}\"", plan->source.schema, plan->source.name));
  }
  script.explain(
      "Not needed, but large tables are then cut by their extents, with their true sizes:");
  script.explain(fmt::format("grant select on sys.dba_extents to {};", user));
  script.explain(fmt::format("grant select on sys.dba_segments to {};", user));
  if (!request.has_changes) {
    script.explain("All tables are read as of one SCN");
    script.grant("execute", "sys.dbms_flashback");
  } else {
    grant_mining(script, major_version);
  }
  if (adds_logging) {
    script.explain("For AddSupplementalLogging");
    script.grant("alter database");
  }
  return script.take();
}

}  // namespace wherry::oracle
