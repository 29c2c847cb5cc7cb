// The views of the source that a load or a validation reads from: one for nearly all tables, and
// one more for tables whose first view was lost. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "connect/api/connector.h"

namespace wherry::engine {

using SourceView = std::shared_ptr<connect::SnapshotSource>;

class SourceViews {
 public:
  /// Opens the view at a position, or at a point chosen now when the position is empty.
  using Open =
      std::function<Result<std::unique_ptr<connect::SnapshotSource>>(OpContext&, const Position&)>;
  explicit SourceViews(Open open) : open_(std::move(open)) {}

  /// The view at `position`, or the load's own (set_first) when it is empty.
  Result<SourceView> at(OpContext& context, const Position& position);
  /// A view newer than `lost`, which can no longer be read. Tables that lose one view share the
  /// next.
  Result<SourceView> newer_than(OpContext& context, const Position& lost);
  /// The load's position; opened when first needed.
  void set_first(const Position& position);
  void set_first(std::unique_ptr<connect::SnapshotSource> view);

 private:
  Result<SourceView> open(OpContext& context, const Position& position);

  const Open open_;
  std::mutex mutex_;
  Position first_;
  std::map<std::string, SourceView> views_;
  std::map<std::string, std::string> successors_;  ///< of lost positions
};

}  // namespace wherry::engine
