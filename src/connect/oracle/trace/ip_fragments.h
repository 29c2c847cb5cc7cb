// Puts IP packets together that were sent in fragments. What waits is bounded: beyond the limits
// the packet that began first is given up. Fragments that contradict each other begin a packet
// anew, as the numbers that tell packets apart are used again. Facts: RFC 791, 8200 (4.5).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "connect/oracle/wire/reader.h"

namespace wherry::oracle::trace {

struct IpFragment {
  std::array<std::uint8_t, 32> addresses{};  ///< source, destination
  std::uint32_t id = 0;
  std::uint8_t protocol = 0;  ///< IPv6: what stands behind the fragment header
  bool is_ipv6 = false;
  std::uint32_t offset = 0;  ///< in bytes
  bool is_last = false;
  wire::ByteView bytes;
  std::uint64_t lost_bytes = 0;  ///< behind `bytes`, not captured
};

class IpFragments {
 public:
  struct Limits {
    std::size_t max_packets = 1024;
    std::size_t max_bytes = std::size_t{4} << 20;
  };
  IpFragments() : IpFragments(Limits()) {}
  explicit IpFragments(Limits limits) : limits_(limits) {}

  /// The content of a packet, up to the first byte that was not captured.
  struct Packet {
    std::string bytes;
    std::uint64_t lost_bytes = 0;
    std::uint8_t protocol = 0;
  };
  /// The packet that this fragment completes.
  std::optional<Packet> add(const IpFragment& fragment);
  /// Fragments of packets that were given up.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  /// No more fragments come: gives up what waits.
  void finish();

 private:
  struct Key {
    std::array<std::uint8_t, 32> addresses{};
    std::uint32_t id = 0;
    std::uint8_t protocol = 0;
    bool is_ipv6 = false;
    auto operator<=>(const Key&) const = default;
  };
  struct Piece {
    std::string bytes;
    std::uint64_t lost_bytes = 0;
  };
  struct Waiting {
    std::uint64_t begun = 0;
    std::map<std::uint32_t, Piece> pieces;
    std::optional<std::uint64_t> size;  ///< known from the last fragment
    std::uint8_t protocol = 0;
  };
  using Table = std::map<Key, Waiting>;

  static bool contradicts(const Waiting& waiting, const IpFragment& fragment);
  static bool is_complete(const Waiting& waiting);
  static Packet joined(const Waiting& waiting);
  void drop(Table::iterator entry, bool is_lost);
  void keep_limits();

  Limits limits_;
  Table table_;
  std::size_t bytes_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace wherry::oracle::trace
