// The buffer of DBMS_OUTPUT, one a session.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orasim {

class DbmsOutput {
 public:
  /// nullopt: as much as there is. Sizes outside of 2000 to 1000000 bytes become the next of these.
  void enable(std::optional<std::int64_t> buffer_bytes);
  void disable();
  /// Unless enabled these do nothing. ORA-20000 for a line or a buffer that is too long.
  void put(std::string_view text);
  void new_line();
  /// The oldest line; nullopt: there is none. What is not read before the next text is lost.
  std::optional<std::string> get_line();
  std::vector<std::string> get_lines(std::int64_t at_most);

 private:
  void drop_read();

  bool is_enabled_ = false;
  bool was_read_ = false;
  std::optional<std::uint64_t> limit_;
  std::uint64_t bytes_ = 0;
  std::string line_;  ///< not ended yet
  std::deque<std::string> lines_;
};

}  // namespace orasim
