// One connection of a capture: cuts TNS packets out of blocks, joins DATA packets to messages, and
// keeps both directions' state in step.
// Facts: reference oracle-wire 1.1 to 1.14.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "connect/oracle/trace/capture_text.h"
#include "connect/oracle/trace/inflate.h"
#include "connect/oracle/trace/session.h"

namespace wherry::oracle::trace {

/// Receives each message with the number of the packet in which it starts, and with that packet's
/// place among those of all flows.
using MessageSink = std::function<void(std::uint64_t number, std::uint64_t place,
                                       Direction direction, Json fields)>;

class Flow {
 public:
  /// What one side sends before the other answers is decoded in pieces of `max_turn_bytes`; a
  /// single message that is larger stays undecoded.
  Flow(MessageSink sink, std::size_t max_turn_bytes)
      : sink_(std::move(sink)), max_turn_bytes_(max_turn_bytes) {}

  void add(const Block& block);
  /// Bytes of `direction` are missing here; `fields` say so.
  void lose(std::uint64_t number, std::uint64_t place, Direction direction, Json fields);
  /// No more blocks: gives out what still waits for an end.
  void finish();

  /// Packets before and behind CONNECT and ACCEPT have headers of one known form.
  [[nodiscard]] bool knows_header_form() const { return has_seen_connect_; }
  [[nodiscard]] bool has_large_header() const { return has_large_header_; }
  /// What was found out so far.
  [[nodiscard]] const Session& session() const { return session_; }
  [[nodiscard]] std::size_t gathered_bytes() const {
    return turn_bytes_.size() + services_.bytes.size();
  }
  /// The place of the earliest packet whose message was not given out yet.
  [[nodiscard]] std::uint64_t first_open_place() const;

 private:
  struct Packet;
  struct Start {
    std::size_t offset = 0;
    std::uint64_t number = 0;
    std::uint64_t place = 0;
  };

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
  void compressed_data(const Block& block, ByteView payload);
  /// DATA that is no TTC: connect data, native services, protected bytes. True if it was that.
  bool handle_special_data(const Block& block, ByteView payload);
  void end_services();
  bool handle_protected(const Block& block, ByteView payload);

  /// Decodes what was gathered of one side; `reason` says why an unfinished message will never end.
  void end_turn(std::string_view reason);
  void gather(const Block& block, ByteView payload);
  /// Gives out what is whole of a turn that is larger than is kept.
  void decode_beginning();
  void give_out(const Decoded& decoded);
  void emit_rest(const Decoded& decoded, std::string_view reason);
  [[nodiscard]] Start start_at(std::size_t offset) const;
  void emit(const Block& block, Json fields) {
    sink_(block.number, block.place, block.direction, std::move(fields));
  }

  MessageSink sink_;
  std::size_t max_turn_bytes_;
  Session session_;
  bool has_seen_connect_ = false;  ///< or ACCEPT
  bool has_large_header_ = false;
  std::size_t expected_connect_data_ = 0;
  /// A REFUSE or REDIRECT whose text comes in the next DATA packet.
  std::string awaited_text_of_;
  Block services_;  ///< native services negotiation that is not whole yet
  std::string encryption_, integrity_;
  bool is_protected_ = false;
  std::array<Inflater, 3> inflaters_;  ///< by direction

  Direction turn_ = Direction::kUnknown;
  std::string turn_bytes_;
  std::vector<Start> turn_packets_;
  std::uint64_t turn_dropped_bytes_ = 0;  ///< of a message that is too large, before turn_bytes_
};

}  // namespace wherry::oracle::trace
