// The append-only log of a data directory: DIR/orasim.log.
//
// Format 5: the 8 bytes "ORASIML5", then frames: u32 length (never 0), u32 CRC-32 (IEEE, reflected)
// of the payload, payload; integers little-endian. A payload is one record: a kind byte
// (RecordKind) and its body, see recovery.cpp. A frame that is cut short or whose CRC is wrong ends
// the log: open() cuts the file there, as it can only be the tail of a write that a crash stopped.
// One process at a time: the file is locked while it is open.
// Threads: none of its own; CommitLog serialises.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace orasim {

enum class RecordKind : std::uint8_t {
  kOpened = 1,    ///< i64 µs; changes without a commit before it are void
  kChanges = 2,   ///< row changes of one transaction
  kCommit = 3,    ///< its commit
  kCatalog = 4,   ///< what DDL changed
  kExtent = 5,    ///< blocks given to a segment
  kSequence = 6,  ///< numbers below this are used up
  kScnFloor = 7,  ///< SCNs below this may have been handed out
  kRedo = 8,      ///< records of the redo log, or an event in its life
};

std::uint32_t crc32(std::string_view bytes);
/// Length, CRC and payload, ready to append. Throws OraError above 4 GB.
std::string frame(std::string_view payload);

class LogFile {
 public:
  /// Creates the directory and the file when they are not there, calls `replay` for each payload
  /// and cuts a torn tail. Throws std::runtime_error naming the file.
  static std::unique_ptr<LogFile> open(const std::string& data_dir,
                                       const std::function<void(std::string_view)>& replay);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  /// Writes whole frames. On failure the file is cut back and OraError(345) is thrown.
  void append(std::string_view frames);
  /// Undoes appends after `size`; false when even that fails.
  bool cut(std::uint64_t size);
  /// fdatasync; false when it failed (what is durable is then unknown).
  [[nodiscard]] bool sync();
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  LogFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  void load(const std::function<void(std::string_view)>& replay);
  void start_new(const std::string& data_dir);
  int fd_;
  std::string path_;
  std::uint64_t size_ = 0;
};

}  // namespace orasim
