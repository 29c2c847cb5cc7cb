#include "connect/support/probe.h"

#include <set>

namespace wherry::connect {
namespace {

/// The names that rows are looked up in.
struct Names {
  std::set<TableRef> tables;
  std::set<std::string> schemas;
};

Names names_of(Role role, const PreflightRequest& request) {
  Names out;
  for (const TablePlanPtr& plan : request.tables) {
    const TableRef& table = role == kSource ? plan->source : plan->target;
    out.tables.insert(table);
    out.schemas.insert(table.schema);
  }
  return out;
}

bool counts(const ProbeRow& row, ProbeScope scope, const Names& names) {
  switch (scope) {
    case ProbeScope::kServer:
      return true;
    case ProbeScope::kTables:
      return names.tables.contains({row.schema, row.table});
    case ProbeScope::kSchemas:
      return names.schemas.contains(row.schema);
  }
  return true;
}

std::string object_of(const ProbeRow& row) {
  std::string out = row.schema;
  if (!row.table.empty()) out += (out.empty() ? "" : ".") + row.table;
  if (!row.column.empty()) out += "." + row.column;
  return out;
}

std::string_view why_skipped(const Probe& probe, const PreflightRequest& request,
                             int server_version) {
  if (server_version < probe.least_version) return "the server is too old to have it";
  if (probe.applies != nullptr && !probe.applies(request)) return "it does not concern this task";
  return {};
}

Result<Assessment> run_probe(const Probe& probe, const Names& names, const AskProbe& ask) {
  auto rows = ask(probe.sql);
  if (!rows.ok()) {
    const ErrorKind kind = rows.error().kind;
    if (kind == ErrorKind::kTransient || kind == ErrorKind::kCancelled) return rows.error();
    return not_assessed(probe.name, probe.text, rows.error());
  }
  std::vector<AssessmentFinding> findings;
  for (ProbeRow& row : *rows) {
    if (!counts(row, probe.scope, names)) continue;
    findings.push_back({object_of(row), std::move(row.text), std::move(row.remedy)});
  }
  return assessment_of(probe.name, probe.text, probe.verdict, std::move(findings));
}

}  // namespace

Result<Assessments> run_probes(std::span<const Probe> probes, Role role,
                               const PreflightRequest& request, int server_version,
                               const AskProbe& ask) {
  const Names names = names_of(role, request);
  Assessments out;
  for (const Probe& probe : probes) {
    const std::string_view reason = why_skipped(probe, request, server_version);
    if (!reason.empty()) {
      out.push_back(skipped(probe.name, reason));
      continue;
    }
    WHERRY_ASSIGN(Assessment done, run_probe(probe, names, ask));
    out.push_back(std::move(done));
  }
  return out;
}

Assessment assessment_of(std::string_view name, std::string_view text, Verdict verdict,
                         std::vector<AssessmentFinding> findings) {
  return {std::string(name), findings.empty() ? Verdict::kPassed : verdict, std::string(text),
          std::move(findings)};
}

Assessment not_assessed(std::string_view name, std::string_view text, const Error& error) {
  std::string words = error.message;
  if (!error.native_text.empty()) words += ": " + error.native_code + " " + error.native_text;
  return {std::string(name), Verdict::kError, std::string(text), {{{}, words, error.hint}}};
}

Assessment skipped(std::string_view name, std::string_view reason) {
  return {std::string(name), Verdict::kSkipped, std::string(reason), {}};
}

Assessments skipped(std::span<const NeedlessAssessment> needless) {
  Assessments out;
  for (const NeedlessAssessment& each : needless) out.push_back(skipped(each.name, each.reason));
  return out;
}

}  // namespace wherry::connect
