#include "connect/oracle/trace/packet_file.h"

#include <algorithm>
#include <utility>

namespace wherry::oracle::trace {
namespace {

constexpr std::uint32_t kMicroseconds = 0xA1B2C3D4;
constexpr std::uint32_t kNanoseconds = 0xA1B23C4D;
constexpr std::uint32_t kModified = 0xA1B2CD34;
constexpr std::uint32_t kSection = 0x0A0D0D0A;  ///< the same in both byte orders
constexpr std::uint32_t kByteOrder = 0x1A2B3C4D;
constexpr std::uint32_t kInterfaceBlock = 1;
constexpr std::uint32_t kOldPacketBlock = 2;
constexpr std::uint32_t kSimplePacketBlock = 3;
constexpr std::uint32_t kEnhancedPacketBlock = 6;
constexpr std::uint32_t kMinBlockBytes = 12;
/// No writer has that many; a file that has is hostile.
constexpr std::size_t kMaxInterfaces = 65536;

std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t count, bool is_little) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t from = at + (is_little ? count - 1 - i : i);
    value = value << 8 | static_cast<unsigned char>(bytes[from]);
  }
  return value;
}

/// Byte order by which the first four bytes are one of the marks of pcap.
std::optional<bool> pcap_order(std::string_view head) {
  for (const bool is_little : {false, true}) {
    const std::uint32_t magic = number(head, 0, 4, is_little);
    if (magic == kMicroseconds || magic == kNanoseconds || magic == kModified) return is_little;
  }
  return std::nullopt;
}

}  // namespace

bool is_packet_file(std::string_view head) {
  if (head.size() < 4) return false;
  return pcap_order(head) || number(head, 0, 4, false) == kSection;
}

std::optional<Frame> PacketFile::next(std::uint32_t max_frame_bytes) {
  if (!is_open_ && !open()) is_done_ = true;
  while (!is_done_) {
    auto frame = has_blocks_ ? next_block(max_frame_bytes) : next_record(max_frame_bytes);
    if (frame) return frame;
  }
  return std::nullopt;
}

bool PacketFile::open() {
  is_open_ = true;
  const std::string_view magic = magic_;
  if (magic.size() < 4) return false;
  if (number(magic, 0, 4, false) == kSection) {
    has_blocks_ = true;
    return begin_section();
  }
  const auto order = pcap_order(magic);
  if (!order) return false;
  is_little_endian_ = *order;
  if (u32(magic, 0) == kModified) record_header_bytes_ = 24;
  const std::string header = read(20);
  if (header.size() < 20) {
    stop("the file ends within its header");
    return false;
  }
  // The upper half says whether frames end in a check sum, which IP lengths cut off anyway.
  link_type_ = u32(header, 16) & 0xFFFF;
  return true;
}

std::optional<Frame> PacketFile::next_record(std::uint32_t max_frame_bytes) {
  const std::string header = read(record_header_bytes_);
  if (header.empty()) {
    is_done_ = true;
    return std::nullopt;
  }
  if (header.size() < record_header_bytes_) {
    stop("the file ends within the header of a frame");
    return std::nullopt;
  }
  const std::uint32_t captured = u32(header, 8);
  if (captured > max_frame_bytes) {
    stop("a frame of " + std::to_string(captured) + " bytes is a sign of damage");
    return std::nullopt;
  }
  return read_frame(link_type_, captured, u32(header, 12));
}

std::optional<Frame> PacketFile::read_frame(std::uint32_t link_type, std::uint32_t captured,
                                            std::uint32_t original) {
  Frame frame;
  frame.number = ++frame_count_;
  frame.link_type = link_type;
  frame.is_little_endian = is_little_endian_;
  frame.bytes = read(captured);
  if (frame.bytes.size() < captured) stop("the file ends within a frame");
  frame.lost_bytes = original > frame.bytes.size() ? original - frame.bytes.size() : 0;
  return frame;
}

/// Behind the four bytes of a section header's type.
bool PacketFile::begin_section() {
  const std::string head = read(8);
  if (head.size() < 8) {
    stop("the file ends within the header of a section");
    return false;
  }
  if (number(head, 4, 4, false) == kByteOrder) {
    is_little_endian_ = false;
  } else if (number(head, 4, 4, true) == kByteOrder) {
    is_little_endian_ = true;
  } else {
    stop("a section does not tell its byte order");
    return false;
  }
  interfaces_.clear();
  const std::uint32_t block_bytes = u32(head, 0);
  if (block_bytes < 28 || block_bytes % 4 != 0 || !skip(block_bytes - 12)) {
    stop("a section header is damaged or cut short");
    return false;
  }
  return true;
}

std::optional<Frame> PacketFile::next_block(std::uint32_t max_frame_bytes) {
  const std::string type_bytes = read(4);
  if (type_bytes.empty()) {
    is_done_ = true;
    return std::nullopt;
  }
  if (type_bytes.size() == 4 && number(type_bytes, 0, 4, false) == kSection) {
    begin_section();
    return std::nullopt;
  }
  const std::string length_bytes = read(4);
  if (length_bytes.size() < 4) {
    stop("the file ends within the header of a block");
    return std::nullopt;
  }
  const std::uint32_t type = u32(type_bytes, 0);
  const std::uint32_t block_bytes = u32(length_bytes, 0);
  if (block_bytes < kMinBlockBytes || block_bytes % 4 != 0) {
    stop("a block of " + std::to_string(block_bytes) + " bytes is a sign of damage");
    return std::nullopt;
  }
  const std::uint32_t body_bytes = block_bytes - kMinBlockBytes;
  if (type == kInterfaceBlock) {
    add_interface(body_bytes);
  } else if (type == kOldPacketBlock || type == kSimplePacketBlock ||
             type == kEnhancedPacketBlock) {
    return packet_block(type, body_bytes, max_frame_bytes);
  } else if (!skip(std::uint64_t{body_bytes} + 4)) {
    stop("the file ends within a block");
  }
  return std::nullopt;
}

void PacketFile::add_interface(std::uint32_t body_bytes) {
  if (body_bytes < 8 || interfaces_.size() >= kMaxInterfaces) {
    return stop("the description of an interface is damaged");
  }
  const std::string body = read(8);
  if (body.size() < 8 || !skip(std::uint64_t{body_bytes} - 8 + 4)) {
    return stop("the file ends within the description of an interface");
  }
  interfaces_.push_back({u16(body, 0), u32(body, 4)});
}

std::optional<Frame> PacketFile::packet_block(std::uint32_t type, std::uint32_t body_bytes,
                                              std::uint32_t max_frame_bytes) {
  const bool is_simple = type == kSimplePacketBlock;
  const std::uint32_t head_bytes = is_simple ? 4 : 20;
  const std::string head = read(std::min(head_bytes, body_bytes));
  if (head.size() < head_bytes) {
    stop(body_bytes < head_bytes ? "a packet block is too short" : "the file ends within a frame");
    return std::nullopt;
  }
  const std::uint32_t interface = is_simple                 ? 0
                                  : type == kOldPacketBlock ? u16(head, 0)
                                                            : u32(head, 0);
  const std::uint32_t original = u32(head, head_bytes - 4);
  const std::uint32_t room = body_bytes - head_bytes;
  std::uint32_t captured = is_simple ? std::min(original, room) : u32(head, 12);
  const bool is_known = interface < interfaces_.size();
  const std::uint32_t snapshot = is_known ? interfaces_[interface].snapshot_bytes : 0;
  if (is_simple && snapshot != 0) captured = std::min(captured, snapshot);
  if (captured > room || captured > max_frame_bytes) {
    stop("a frame of " + std::to_string(captured) + " bytes is a sign of damage");
    return std::nullopt;
  }
  // A frame of an interface that was never described has no known link layer: it is counted.
  auto frame =
      read_frame(is_known ? interfaces_[interface].link_type : kNoLinkType, captured, original);
  if (!is_done_ && !skip(std::uint64_t{room} - captured + 4)) stop("the file ends within a block");
  return frame;
}

std::string PacketFile::read(std::size_t count) {
  std::string bytes(count, '\0');
  in_.read(bytes.data(), static_cast<std::streamsize>(count));
  bytes.resize(static_cast<std::size_t>(in_.gcount()));
  return bytes;
}

/// False when the file ends first.
bool PacketFile::skip(std::uint64_t count) {
  in_.ignore(static_cast<std::streamsize>(count));
  return static_cast<std::uint64_t>(in_.gcount()) == count;
}

std::uint32_t PacketFile::u32(std::string_view bytes, std::size_t at) const {
  return number(bytes, at, 4, is_little_endian_);
}

std::uint16_t PacketFile::u16(std::string_view bytes, std::size_t at) const {
  return static_cast<std::uint16_t>(number(bytes, at, 2, is_little_endian_));
}

void PacketFile::stop(std::string problem) {
  is_done_ = true;
  if (problem_.empty()) problem_ = std::move(problem);
}

}  // namespace wherry::oracle::trace
