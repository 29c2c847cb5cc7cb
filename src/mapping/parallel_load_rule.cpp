#include "mapping/parallel_load_rule.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace wherry::mapping {
namespace {

using nlohmann::json;
using schema::ParallelLoad;
using schema::ParallelLoadType;

constexpr std::size_t kMostRangeColumns = 10;

constexpr std::array<std::pair<std::string_view, ParallelLoadType>, 5> kLoadTypes = {
    {{"none", ParallelLoadType::kNone},
     {"partitions-auto", ParallelLoadType::kPartitionsAuto},
     {"subpartitions-auto", ParallelLoadType::kSubpartitionsAuto},
     {"partitions-list", ParallelLoadType::kPartitionsList},
     {"ranges", ParallelLoadType::kRanges}}};

class ParallelLoadReader {
 public:
  ParallelLoadReader(const json& object, std::string path, const ReportProblem& report)
      : object_(object), path_(std::move(path)), report_(report) {}

  std::optional<ParallelLoad> read() {
    if (!object_.is_object()) {
      report_(path_, "parallel-load must be an object");
      return std::nullopt;
    }
    check_keys();
    read_type();
    load_.partitions = texts("partitions");
    load_.subpartitions = texts("subpartitions");
    load_.columns = texts("columns");
    for (const auto& [key, names] : {std::pair{"/partitions", &load_.partitions},
                                     std::pair{"/subpartitions", &load_.subpartitions},
                                     std::pair{"/columns", &load_.columns}}) {
      check_names(path_ + key, *names);
    }
    if (load_.type == ParallelLoadType::kPartitionsList && load_.partitions.empty() &&
        load_.subpartitions.empty()) {
      report_(path_ + "/partitions", "partitions-list needs partitions or subpartitions");
    }
    if (load_.type == ParallelLoadType::kRanges) read_ranges();
    return std::move(load_);
  }

 private:
  void check_keys() const {
    for (const auto& [key, value] : object_.items()) {
      const bool is_of_others = key == "number-of-partitions" || key == "batch-size" ||
                                key == "collection-count-from-metadata" ||
                                key == "max-records-skip-per-page";
      const bool is_known = key == "type" || key == "partitions" || key == "subpartitions" ||
                            key == "columns" || key == "boundaries";
      if (is_of_others) {
        report_(path_ + "/" + key, fmt::format("{} is of MongoDB sources only", key));
      } else if (!is_known) {
        report_(path_ + "/" + key, fmt::format("unknown key '{}'", key));
      }
    }
  }

  void read_type() {
    const auto found = object_.find("type");
    if (found == object_.end() || !found->is_string()) {
      report_(path_ + "/type", "type is missing");
      return;
    }
    const auto& name = found->get_ref<const std::string&>();
    for (const auto& [known, type] : kLoadTypes) {
      if (known != name) continue;
      load_.type = type;
      return;
    }
    report_(path_ + "/type", fmt::format("type '{}' does not exist; known: none, partitions-auto, "
                                         "subpartitions-auto, partitions-list, ranges",
                                         name));
  }

  [[nodiscard]] std::vector<std::string> texts(const char* key) const {
    const auto found = object_.find(key);
    if (found == object_.end() || found->is_null()) return {};
    return texts_of(*found, path_ + "/" + key);
  }

  [[nodiscard]] std::vector<std::string> texts_of(const json& list, const std::string& path) const {
    std::vector<std::string> out;
    if (!list.is_array()) {
      report_(path, "must be an array of texts");
      return out;
    }
    for (const json& item : list) {
      if (item.is_string()) {
        out.push_back(item.get<std::string>());
      } else if (item.is_number()) {
        out.push_back(item.dump());
      } else {
        report_(path, "must be an array of texts");
      }
    }
    return out;
  }

  void check_names(const std::string& path, const std::vector<std::string>& names) const {
    for (const std::string& name : names) {
      if (name.empty() || name.find('"') != std::string::npos) {
        report_(path, "a name is empty or has a quotation mark");
      }
    }
  }

  void read_ranges() {
    if (load_.columns.empty() || load_.columns.size() > kMostRangeColumns) {
      report_(path_ + "/columns", fmt::format("ranges need 1 to {} columns", kMostRangeColumns));
    }
    const auto found = object_.find("boundaries");
    const std::string path = path_ + "/boundaries";
    if (found == object_.end() || !found->is_array() || found->empty()) {
      report_(path, "ranges need at least one boundary");
      return;
    }
    for (const json& boundary : *found) {
      load_.boundaries.push_back(texts_of(boundary, path));
      if (load_.boundaries.back().size() == load_.columns.size()) continue;
      report_(path, "every boundary needs as many values as there are columns");
      return;
    }
  }

  const json& object_;
  const std::string path_;
  const ReportProblem& report_;
  ParallelLoad load_;
};

}  // namespace

std::optional<ParallelLoad> read_parallel_load(const json& json, const std::string& path,
                                               const ReportProblem& report) {
  return ParallelLoadReader(json, path, report).read();
}

}  // namespace wherry::mapping
