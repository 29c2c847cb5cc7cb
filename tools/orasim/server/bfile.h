// External files behind BFILE locators: read-only, in the directories that CREATE DIRECTORY named.
// A locator names its file, so nothing is kept but which files a session has open.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "engine/value.h"
#include "wire/bytes.h"

namespace orasim::server {

class BfileTable {
 public:
  /// `path_of`: the directory behind an alias; OraError 22285 or 22286 when there is none for us.
  explicit BfileTable(std::function<std::string(const std::string& alias)> path_of)
      : path_of_(std::move(path_of)) {}

  static bool is_bfile(std::string_view locator);
  static std::string locator_for(const Value& bfile);
  static Value value_of(std::string_view locator);

  void open(std::string_view locator);
  void close(std::string_view locator);
  [[nodiscard]] bool is_open(std::string_view locator) const;
  [[nodiscard]] bool exists(std::string_view locator) const;
  [[nodiscard]] std::uint64_t length(std::string_view locator) const;
  /// Bytes from the offset on, fewer at the end. ORA-22289 when the file is not open.
  [[nodiscard]] std::string read(std::string_view locator, std::uint64_t offset,
                                 std::uint64_t amount) const;

 private:
  [[nodiscard]] std::string path(std::string_view locator, const char* operation) const;

  std::function<std::string(const std::string&)> path_of_;
  std::set<std::string, std::less<>> open_;  ///< the names, as in the locator
};

}  // namespace orasim::server
