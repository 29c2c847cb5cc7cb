#include <algorithm>

#include "connect/api/changes.h"
#include "connect/api/connector.h"
#include "connect/api/preflight.h"

namespace wherry::connect {

void Registry::add(std::unique_ptr<Connector> connector) {
  connectors_.push_back(std::move(connector));
}

Result<Connector*> Registry::find(std::string_view scheme) const {
  std::string known;
  for (const auto& connector : connectors_) {
    const std::vector<std::string>& schemes = connector->info().schemes;
    if (std::find(schemes.begin(), schemes.end(), scheme) != schemes.end()) return connector.get();
    for (const std::string& name : schemes) known += (known.empty() ? "" : ", ") + name;
  }
  return make_error(ErrorKind::kConfig, "connect.unknown_scheme",
                    "no connector knows URLs of the scheme '" + std::string(scheme) + "'",
                    "Use one of: " + known);
}

std::vector<const Connector*> Registry::all() const {
  std::vector<const Connector*> out;
  for (const auto& connector : connectors_) out.push_back(connector.get());
  return out;
}

Result<std::unique_ptr<ChangeSource>> Connector::open_change_source(OpContext&, const Settings&) {
  return make_error(ErrorKind::kUnsupported, "connect.no_changes",
                    "changes cannot be read from this engine", "Use --migration-type full-load");
}

Result<std::unique_ptr<TargetApply>> Connector::open_apply(OpContext&, const Settings&,
                                                           const ApplySettings&) {
  return make_error(ErrorKind::kUnsupported, "connect.no_apply",
                    "changes cannot be applied to this engine", "Use --migration-type full-load");
}

Result<std::unique_ptr<Preflight>> Connector::open_preflight(OpContext&, const Settings&) {
  return make_error(ErrorKind::kUnsupported, "connect.no_preflight",
                    "there are no assessments of this engine", "Use `wherry plan`");
}

}  // namespace wherry::connect
