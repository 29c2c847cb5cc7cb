// Logging: constant message plus fields, lower case, no full stop. Never row values, passwords or
// connection strings. Components and severities are those DMS users know (SOURCE_UNLOAD,
// TARGET_LOAD, TASK_MANAGER, …; reference: AWS DMS, "Logging task settings").
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/result.h"

namespace wherry {

enum class Severity : std::uint8_t { kError, kWarning, kInfo, kDebug, kTrace };
enum class LogFormat : std::uint8_t { kText, kJson };

/// DMS log components that exist in this program.
enum class Component : std::uint8_t {
  kTaskManager,
  kMetadataManager,
  kTablesManager,
  kSourceUnload,
  kSourceCapture,
  kTargetLoad,
  kTargetApply,
  kSorter,
  kPerformance,
  kValidator,
  kCommon,
};
/// "TASK_MANAGER", "SOURCE_UNLOAD", …
std::string_view name_of(Component component);
/// DMS letter of a severity in log lines: E, W, I, D, T.
char letter_of(Severity severity);
std::optional<Severity> parse_severity(std::string_view text);

struct LogField {
  std::string_view key;
  std::string value;
};

class LogSink;  // the spdlog side, hidden

/// Cheap to copy; thread-safe. A default-made Logger drops everything.
class Logger {
 public:
  Logger() = default;
  struct Options {
    Severity level = Severity::kInfo;
    std::string file;  ///< empty: `print`
    LogFormat format = LogFormat::kText;
    /// Takes whole lines, from one thread at a time; none: stderr.
    std::function<void(const std::string&)> print;
  };
  static Result<Logger> open(const Options& options);
  [[nodiscard]] Logger as(Component component) const;
  /// How much that part writes from now on, through every copy of this logger.
  void set_level(Component component, Severity level) const;

  void error(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void warn(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  /// An Error as one log line with its code, native code and fields.
  void error(const Error& error) const;

 private:
  void write(Severity severity, std::string_view message,
             std::initializer_list<LogField> fields) const;
  std::shared_ptr<LogSink> sink_;
  Component component_ = Component::kCommon;
};

}  // namespace wherry
