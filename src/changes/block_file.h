// A file of checksummed, compressed blocks, each written whole or not at all. docs/design/
// change-file.md. Used by one thread at a time; a reader may read a file that is still written, up
// to a size that the writer told it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace wherry::changes {

enum class BlockKind : std::uint8_t {
  kAbout = 1,    ///< what the file is; the first block, if any
  kRecords = 2,  ///< records of changes
  kValue = 3,    ///< a piece of a large value of the next kRecords
};

/// Squeezes bytes; shared by the writers of one thread, because its tables are large.
class Compressor {
 public:
  Compressor();
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  /// Empty when that would not make them fewer.
  std::string_view compress(std::string_view raw);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class BlockWriter {
 public:
  /// kResource "spill.disk_full" or "spill.io".
  static Result<BlockWriter> create(const std::filesystem::path& path, Compressor& compressor);
  /// Goes on with a file of which only the first `size_bytes` count.
  static Result<BlockWriter> reopen(const std::filesystem::path& path, std::uint64_t size_bytes,
                                    Compressor& compressor);
  BlockWriter(BlockWriter&& other) noexcept;
  BlockWriter& operator=(BlockWriter&&) = delete;
  ~BlockWriter();

  /// `is_border`: a reader may stop after the block. After kResource "spill.disk_full" the file is
  /// as it was before, and the call may be made again.
  Result<void> write(BlockKind kind, bool is_border, std::string_view raw);
  /// Takes back everything after the first `size_bytes`.
  Result<void> cut(std::uint64_t size_bytes);
  /// What was written survives a crash of the machine.
  Result<void> sync();
  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  BlockWriter(int fd, std::filesystem::path path, Compressor& compressor, std::uint64_t size_bytes);
  Result<void> put(std::string_view bytes);

  int fd_;
  std::filesystem::path path_;
  Compressor* compressor_;
  std::uint64_t size_bytes_;
};

struct Block {
  BlockKind kind = BlockKind::kRecords;
  bool is_border = false;
  std::string_view raw;  ///< until the next call
};

enum class BlockState : std::uint8_t {
  kBlock,
  kEnd,  ///< nothing follows
  kCut,  ///< what follows is no whole block: the file was cut off or damaged
};

class BlockReader {
 public:
  /// kData "change_file.unknown_format" when it is another file, or of another version.
  static Result<BlockReader> open(const std::filesystem::path& path);
  BlockReader(BlockReader&& other) noexcept;
  BlockReader& operator=(BlockReader&&) = delete;
  ~BlockReader();

  /// The next block of the first `limit_bytes`; they may be more than the file has.
  Result<BlockState> next(std::uint64_t limit_bytes, Block& out);
  /// After kCut: a whole block follows where the one that is wrong seems to end, so the file was
  /// damaged and not cut off.
  Result<bool> has_block_behind();
  /// Where the next block begins.
  [[nodiscard]] std::uint64_t offset_bytes() const { return offset_bytes_; }

 private:
  struct State;
  BlockReader(int fd, std::filesystem::path path);

  int fd_;
  std::filesystem::path path_;
  std::uint64_t offset_bytes_;
  std::unique_ptr<State> state_;
};

/// What cannot be done with a file, and why.
Error file_error(const std::filesystem::path& path, int number, std::string_view action);

/// What a fresh file is.
inline constexpr std::string_view kFileHead{"WHRYCHG\x02", 8};
/// Of version 1, which is read too: its commits have no users.
inline constexpr std::string_view kFileHead1{"WHRYCHG\x01", 8};
inline constexpr std::size_t kBlockHeadBytes = 16;
/// Of a block before it is squeezed: an in-line value of a gigabyte fits.
inline constexpr std::uint32_t kMostBlockBytes = 0x60000000;

}  // namespace wherry::changes
