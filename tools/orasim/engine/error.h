// The one error of the simulator's engine: an ORA- number and its text, thrown as an exception
// inside the engine and turned into a status message by the server.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace orasim {

class OraError : public std::exception {
 public:
  /// `text` is what follows "ORA-nnnnn: "; `position` is the 0-based byte offset in the SQL text.
  OraError(int code, std::string text, std::int32_t position = 0)
      : code_(code), position_(position) {
    std::string digits = std::to_string(code);
    full_ = "ORA-" + std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits + ": " +
            std::move(text);
  }
  [[nodiscard]] int code() const { return code_; }
  [[nodiscard]] std::int32_t position() const { return position_; }
  void set_position(std::int32_t p) { position_ = p; }
  /// "ORA-00942: table or view does not exist"
  [[nodiscard]] const char* what() const noexcept override { return full_.c_str(); }

 private:
  int code_;
  std::int32_t position_;
  std::string full_;
};

}  // namespace orasim
