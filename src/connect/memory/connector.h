// The in-process connector: source and target with every role of connect/api, the reference for the
// others and what the engine's tests run on. URL: memory://NAME, NAME being a database made with
// create().
//
// Options (Settings::options; others are refused):
//   inline_limit_bytes  text and bytes above it are spilled; default 65536
//   batch_rows          most rows a batch gets, whatever its budget; default: no limit
//   order               "wrong": reads by key come in descending order, as of a server whose
//                       collation is not the promised one
//   filters             "engine": the source evaluates none of a plan's filters
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "connect/api/connector.h"
#include "connect/memory/database.h"

namespace wherry::memory {

class MemoryConnector final : public connect::Connector {
 public:
  /// A new empty database; it lives as long as the connector. REQUIRES: the name is new.
  Database& create(const std::string& name);
  /// Settings that lead to it.
  static connect::Settings settings(const std::string& name);

  [[nodiscard]] const connect::ConnectorInfo& info() const override;
  Result<connect::ProbeReport> probe(OpContext& context, const connect::Settings& settings,
                                     connect::Role role) override;
  Result<std::unique_ptr<connect::Catalog>> open_catalog(
      OpContext& context, const connect::Settings& settings) override;
  Result<std::unique_ptr<connect::SnapshotSource>> open_snapshot(OpContext& context,
                                                                 const connect::Settings& settings,
                                                                 const Position& at) override;
  Result<std::unique_ptr<connect::TargetLoader>> open_loader(
      OpContext& context, const connect::Settings& settings) override;
  Result<std::unique_ptr<connect::ChangeSource>> open_change_source(
      OpContext& context, const connect::Settings& settings) override;
  Result<std::unique_ptr<connect::TargetApply>> open_apply(OpContext& context,
                                                           const connect::Settings& settings,
                                                           const connect::ApplySettings&) override;

 private:
  Result<Database*> find(const connect::Settings& settings);

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Database>> databases_;
};

}  // namespace wherry::memory
