// Reads the packet captures of tcpdump and Wireshark: pcap (micro- and nanoseconds, and the
// "modified" form of old Linux patches) and pcapng, each in either byte order. Reads forward only
// and holds one frame at a time. A file that is damaged or cut short gives its whole frames and
// then says what was lost.
// Facts: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connect/oracle/wire/reader.h"

namespace wherry::oracle::trace {

/// Of a frame whose interface the file does not describe.
inline constexpr std::uint32_t kNoLinkType = 0xFFFFFFFF;

struct Frame {
  std::uint64_t number = 0;  ///< from 1, as capture viewers count
  std::uint32_t link_type = 0;
  bool is_little_endian = false;  ///< of the machine that wrote it: DLT_NULL depends on that
  std::string bytes;              ///< as captured, link layer first
  std::uint64_t lost_bytes = 0;   ///< sent behind `bytes` and not captured (snapshot length)
};

/// True when the first bytes of a file are those of a packet capture.
bool is_packet_file(std::string_view head);

class PacketFile {
 public:
  /// `in` stands behind `head`, the file's first four bytes, and must outlive the reader.
  PacketFile(std::istream& in, std::string head) : in_(in), magic_(std::move(head)) {}

  /// The next frame; nullopt at the end. Frames of `max_frame_bytes` and more are a sign of damage.
  std::optional<Frame> next(std::uint32_t max_frame_bytes);
  /// Why the file could not be read further or what of it was skipped; empty when nothing was.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  /// The number of the last frame.
  [[nodiscard]] std::uint64_t frame_count() const { return frame_count_; }

 private:
  struct Interface {
    std::uint32_t link_type = 0;
    std::uint32_t snapshot_bytes = 0;
  };

  bool open();
  std::optional<Frame> next_record(std::uint32_t max_frame_bytes);
  std::optional<Frame> next_block(std::uint32_t max_frame_bytes);
  bool begin_section();
  void add_interface(std::uint32_t body_bytes);
  std::optional<Frame> packet_block(std::uint32_t type, std::uint32_t body_bytes,
                                    std::uint32_t max_frame_bytes);
  std::optional<Frame> read_frame(std::uint32_t link_type, std::uint32_t captured,
                                  std::uint32_t original);

  std::string read(std::size_t count);
  bool skip(std::uint64_t count);
  [[nodiscard]] std::uint32_t u32(std::string_view bytes, std::size_t at) const;
  [[nodiscard]] std::uint16_t u16(std::string_view bytes, std::size_t at) const;
  /// Ends the reading; the first problem is kept.
  void stop(std::string problem);

  std::istream& in_;
  std::string magic_;
  bool is_open_ = false;
  bool is_done_ = false;
  bool is_little_endian_ = false;
  bool has_blocks_ = false;  ///< pcapng
  std::size_t record_header_bytes_ = 16;
  std::uint32_t link_type_ = 0;
  std::vector<Interface> interfaces_;
  std::uint64_t frame_count_ = 0;
  std::string problem_;
};

}  // namespace wherry::oracle::trace
