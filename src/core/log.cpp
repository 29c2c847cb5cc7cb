#include "core/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <mutex>

namespace wherry {

class LogSink {
 public:
  LogSink(std::shared_ptr<spdlog::logger> logger, Severity level, LogFormat format)
      : logger_(std::move(logger)), format_(format) {
    for (auto& each : levels_) each = level;
  }
  [[nodiscard]] bool wants(Component component, Severity severity) const {
    return severity <= levels_[static_cast<std::size_t>(component)];
  }
  void set_level(Component component, Severity level) {
    levels_[static_cast<std::size_t>(component)] = level;
  }
  [[nodiscard]] LogFormat format() const { return format_; }
  void write(Severity severity, const std::string& line) {
    static constexpr std::array<spdlog::level::level_enum, 5> kLevels = {
        spdlog::level::err, spdlog::level::warn, spdlog::level::info, spdlog::level::debug,
        spdlog::level::trace};
    logger_->log(kLevels[static_cast<std::size_t>(severity)], line);
  }

 private:
  std::shared_ptr<spdlog::logger> logger_;
  std::array<std::atomic<Severity>, static_cast<std::size_t>(Component::kCommon) + 1> levels_;
  LogFormat format_;
};

namespace {

/// Hands formatted lines to a function.
class PrintSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit PrintSink(std::function<void(const std::string&)> print) : print_(std::move(print)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    print_(fmt::to_string(line));
  }
  void flush_() override {}

 private:
  std::function<void(const std::string&)> print_;
};

constexpr std::array<std::string_view, 5> kSeverityNames = {"error", "warn", "info", "debug",
                                                            "trace"};

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

/// What came from outside could forge a log line by a line break, or speak to the terminal.
void append_on_one_line(std::string& out, std::string_view text) {
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
}

std::string text_line(Component component, Severity severity, std::string_view message,
                      const LogField* fields, std::size_t field_count) {
  std::string line = fmt::format("[{:<16}]{}:  ", name_of(component), letter_of(severity));
  append_on_one_line(line, message);
  for (std::size_t i = 0; i < field_count; ++i) {
    line += i == 0 ? "  (" : ", ";
    line += fields[i].key;
    line += ": ";
    append_on_one_line(line, fields[i].value);
  }
  if (field_count != 0) line += ')';
  return line;
}

std::string json_line(Component component, Severity severity, std::string_view message,
                      const LogField* fields, std::size_t field_count) {
  std::string line = "\"component\":";
  append_json_text(line, name_of(component));
  line += ",\"severity\":";
  append_json_text(line, kSeverityNames[static_cast<std::size_t>(severity)]);
  line += ",\"message\":";
  append_json_text(line, message);
  for (std::size_t i = 0; i < field_count; ++i) {
    line += ',';
    append_json_text(line, fields[i].key);
    line += ':';
    append_json_text(line, fields[i].value);
  }
  return line + "}";
}

}  // namespace

std::string_view name_of(Component component) {
  static constexpr std::array<std::string_view, 11> kNames = {
      "TASK_MANAGER",   "METADATA_MANAGER", "TABLES_MANAGER", "SOURCE_UNLOAD",
      "SOURCE_CAPTURE", "TARGET_LOAD",      "TARGET_APPLY",   "SORTER",
      "PERFORMANCE",    "VALIDATOR",        "COMMON"};
  return kNames[static_cast<std::size_t>(component)];
}

char letter_of(Severity severity) {
  return "EWIDT"[static_cast<std::size_t>(severity)];
}

std::optional<Severity> parse_severity(std::string_view text) {
  if (text == "warning") return Severity::kWarning;
  for (std::size_t i = 0; i < kSeverityNames.size(); ++i) {
    if (kSeverityNames[i] == text) return static_cast<Severity>(i);
  }
  return std::nullopt;
}

Result<Logger> Logger::open(const Options& options) {
  std::shared_ptr<spdlog::sinks::sink> sink;
  try {
    if (!options.file.empty()) {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
    } else if (options.print) {
      sink = std::make_shared<PrintSink>(options.print);
    } else {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    }
  } catch (const spdlog::spdlog_ex& failure) {
    Error error = make_error(ErrorKind::kConfig, "log.cannot_open", "cannot open the log file",
                             "Name a writable file with --log-file");
    error.native_text = failure.what();
    return std::move(error).with("file", options.file);
  }
  auto logger = std::make_shared<spdlog::logger>("wherry", std::move(sink));
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::info);
  logger->set_pattern(options.format == LogFormat::kJson ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z",%v)"
                                                         : "%Y-%m-%dT%H:%M:%S %v");
  Logger result;
  result.sink_ = std::make_shared<LogSink>(std::move(logger), options.level, options.format);
  return result;
}

Logger Logger::as(Component component) const {
  Logger other = *this;
  other.component_ = component;
  return other;
}

void Logger::set_level(Component component, Severity level) const {
  if (sink_) sink_->set_level(component, level);
}

void Logger::write(Severity severity, std::string_view message,
                   std::initializer_list<LogField> fields) const {
  if (!sink_ || !sink_->wants(component_, severity)) return;
  auto* const line = sink_->format() == LogFormat::kJson ? &json_line : &text_line;
  sink_->write(severity, line(component_, severity, message, fields.begin(), fields.size()));
}

void Logger::error(std::string_view message, std::initializer_list<LogField> fields) const {
  write(Severity::kError, message, fields);
}
void Logger::warn(std::string_view message, std::initializer_list<LogField> fields) const {
  write(Severity::kWarning, message, fields);
}
void Logger::info(std::string_view message, std::initializer_list<LogField> fields) const {
  write(Severity::kInfo, message, fields);
}
void Logger::debug(std::string_view message, std::initializer_list<LogField> fields) const {
  write(Severity::kDebug, message, fields);
}

void Logger::error(const Error& error) const {
  write(Severity::kError, error.to_log_text(), {{"kind", std::string(name_of(error.kind))}});
}

}  // namespace wherry
