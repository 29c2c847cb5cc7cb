// One connection of a capture: cuts TNS packets out of blocks, joins DATA packets to messages, and
// keeps both directions' state in step.
// Facts: reference oracle-wire 1.1 to 1.14.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "connect/oracle/trace/capture_text.h"
#include "connect/oracle/trace/session.h"

namespace wherry::oracle::trace {

/// Receives each message with the number of the packet in which it starts.
using MessageSink = std::function<void(std::uint64_t number, Direction direction, Json fields)>;

class Flow {
 public:
  explicit Flow(MessageSink sink) : sink_(std::move(sink)) {}

  void add(const Block& block);
  /// No more blocks: gives out what still waits for an end.
  void finish();

 private:
  struct Packet;

  void add_packets(const Block& block);
  void add_payload(const Block& block);
  std::optional<Packet> next_packet(ByteView bytes) const;
  void handle(const Block& block, const Packet& packet);
  void handle_unknown(const Block& block, const Packet& packet);
  void connect(const Block& block, const Packet& packet);
  void accept(const Block& block, const Packet& packet);
  void refuse(const Block& block, const Packet& packet);
  void redirect(const Block& block, const Packet& packet);
  void marker(const Block& block, const Packet& packet);
  void control(const Block& block, const Packet& packet);
  void data(const Block& block, const Packet& packet);
  /// DATA that is no TTC: connect data, native services, protected bytes. True if it was that.
  bool handle_special_data(const Block& block, ByteView payload);
  void end_services();
  bool handle_protected(const Block& block, ByteView payload);

  /// Decodes what was gathered of one side; `reason` says why an unfinished message will never end.
  void end_turn(std::string_view reason);
  void emit_rest(const Decoded& decoded, std::string_view reason);
  [[nodiscard]] std::uint64_t number_at(std::size_t offset) const;
  void emit(const Block& block, Json fields) {
    sink_(block.number, block.direction, std::move(fields));
  }

  MessageSink sink_;
  Session session_;
  bool has_large_header_ = false;
  std::size_t expected_connect_data_ = 0;
  /// A REFUSE or REDIRECT whose text comes in the next DATA packet.
  std::string awaited_text_of_;
  Block services_;  ///< native services negotiation that is not whole yet
  std::string encryption_, integrity_;
  bool is_protected_ = false;

  Direction turn_ = Direction::kUnknown;
  std::string turn_bytes_;
  std::vector<std::pair<std::size_t, std::uint64_t>> turn_packets_;  ///< offset, packet number
};

}  // namespace wherry::oracle::trace
