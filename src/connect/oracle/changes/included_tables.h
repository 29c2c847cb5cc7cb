// Tables that were taken into a stream after it was opened: told by the source, asked for by the
// stream before each step. Thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "schema/table_plan.h"

namespace wherry::oracle {

class IncludedTables {
 public:
  void add(const std::string& task_name, const schema::TablePlanPtr& plan) {
    std::lock_guard lock(mutex_);
    tables_[task_name].push_back(plan);
  }
  /// Those that were added behind the first `known`.
  [[nodiscard]] std::vector<schema::TablePlanPtr> behind(const std::string& task_name,
                                                         std::size_t known) const {
    std::lock_guard lock(mutex_);
    const auto found = tables_.find(task_name);
    if (found == tables_.end() || found->second.size() <= known) return {};
    return {found->second.begin() + static_cast<std::ptrdiff_t>(known), found->second.end()};
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<schema::TablePlanPtr>> tables_;
};

}  // namespace wherry::oracle
