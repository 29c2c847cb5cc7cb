// For tests: an Oracle server that does exactly what a test tells it, packet by packet. It listens
// on a loopback port; each connection runs the script on the server's thread. A script that meets
// something it did not expect throws, and finish() rethrows it in the test.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "connect/oracle/wire/auth.h"
#include "connect/oracle/wire/handshake.h"
#include "connect/oracle/wire/messages.h"
#include "connect/oracle/wire/native_services.h"
#include "connect/oracle/wire/packet_guard.h"
#include "connect/oracle/wire/tns.h"
#include "connect/oracle/wire/writer.h"

namespace wherry::oracle::scripted {

using wire::Bytes;
using wire::ByteView;
using wire::MarkerKind;
using wire::Message;
using wire::PacketType;
using wire::Reader;
using wire::Writer;

struct Packet {
  wire::PacketHeader header;
  Bytes body;
};

struct ServerKind {
  std::uint16_t tns_version = 318;
  std::uint8_t field_version = 12;
  std::uint32_t accept_flags2 = 0;
  std::uint8_t native_flags = 0x45;
  bool fast_auth = false;
  std::uint32_t sdu_bytes = 8192;
  /// Of the account; 11g by itself for servers of 11.2.
  wire::Verifier verifier = wire::Verifier::k12c;
  /// What native services switch on, with native_flags kNegotiates.
  wire::Cipher cipher = wire::Cipher::kNone;
  wire::Checksum checksum = wire::Checksum::kNone;
  std::uint32_t native_error = 0;  ///< reported by the encryption service

  static constexpr std::uint8_t kNegotiates = 0x41;
  static ServerKind encrypted(wire::Cipher cipher, wire::Checksum checksum) {
    ServerKind kind;
    kind.native_flags = kNegotiates;
    kind.cipher = cipher;
    kind.checksum = checksum;
    return kind;
  }

  [[nodiscard]] bool marks_ends() const { return field_version >= 24; }
  [[nodiscard]] bool is_11g() const { return field_version < 7; }
  static ServerKind v11() {
    ServerKind kind;
    kind.tns_version = 314;
    kind.field_version = 6;
    kind.verifier = wire::Verifier::k11g;
    return kind;
  }
  static ServerKind v23() {
    ServerKind kind;
    kind.tns_version = 319;
    kind.field_version = 24;
    kind.accept_flags2 = wire::kAcceptEndOfResponse | wire::kAcceptFastAuth;
    kind.fast_auth = true;
    return kind;
  }
};

inline constexpr const char* kPassword = "tiger";

/// One connection, from the server's side.
class Peer {
 public:
  Peer(int fd, std::size_t cut) : fd_(fd), cut_(cut) {}
  ~Peer() { close_socket(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void close_socket() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  /// From here on DATA packets carry at most so many bytes; 0: as many as there are.
  void set_cut(std::size_t cut) { cut_ = cut; }

  Packet read_packet() {
    Packet packet;
    const Bytes head = read_bytes(wire::kHeaderBytes);
    Reader in(head);
    packet.header = decode_header(in, large_, wire::kMaxPacketBytes);
    if (!in.ok()) throw std::runtime_error("client sent a bad header");
    packet.body = read_bytes(packet.header.length - wire::kHeaderBytes);
    return packet;
  }
  Packet expect(PacketType type) {
    Packet packet = read_packet();
    if (packet.header.type != type) {
      throw std::runtime_error("client sent packet type " +
                               std::to_string(static_cast<int>(packet.header.type)) + ", not " +
                               std::to_string(static_cast<int>(type)));
    }
    return packet;
  }
  MarkerKind expect_marker() {
    const Packet packet = expect(PacketType::kMarker);
    Reader body(packet.body);
    return decode_marker(body);
  }
  /// A request; it spans packets as long as they are full.
  Bytes read_request() {
    Bytes message;
    while (true) {
      const Packet packet = expect(PacketType::kData);
      Bytes payload(packet.body.begin() + 2, packet.body.end());
      const std::size_t full = guard_ ? wire::PacketGuard::kMaxOverhead : 0;
      if (guard_ && !guard_->unprotect(payload)) throw std::runtime_error("a checksum is wrong");
      message.insert(message.end(), payload.begin(), payload.end());
      if (payload.size() + wire::kDataHeaderBytes + full < kind_.sdu_bytes) return message;
    }
  }
  /// The client's reset; from here on checksums start afresh.
  void expect_reset() {
    if (expect_marker() != MarkerKind::kReset) throw std::runtime_error("no reset came");
    if (!guard_) return;
    guard_->restart_sending();
    guard_->restart_receiving();
  }
  /// The text of a CONNECT, also when it overflows.
  std::string read_connect() {
    const Packet packet = expect(PacketType::kConnect);
    last_connect_flags_ = packet.header.flags;
    Reader body(packet.body);
    const wire::DecodedConnect connect = decode_connect(body, packet.header);
    if (connect.overflow_bytes == 0) return connect.request.connect_data;
    const Packet data = expect(PacketType::kData);
    return std::string(data.body.begin() + 2, data.body.end());
  }
  [[nodiscard]] std::uint8_t last_connect_flags() const { return last_connect_flags_; }

  void send_raw(ByteView bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) throw std::runtime_error("the client has gone");
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
  }
  void send_packet(PacketType type, ByteView body, std::uint8_t flags = 0) {
    Writer out;
    encode_header(out, {static_cast<std::uint32_t>(body.size() + wire::kHeaderBytes), type, flags},
                  large_);
    out.raw(body);
    send_raw(out.bytes());
  }
  void send_marker(MarkerKind kind) { send_raw(encode_marker(kind, large_)); }
  void send_notification(std::uint32_t code) {
    Writer body;
    body.u16(wire::kControlNotification);
    body.u32(22);
    body.u32(code);
    body.u32(0);
    send_packet(PacketType::kControl, body.bytes());
  }
  void send_data_text(std::string_view text) {
    Writer body;
    body.u16(0);
    body.raw(text);
    send_packet(PacketType::kData, body.bytes());
  }
  /// A part of a response: no end mark.
  void send_part(ByteView payload) { send_payload(payload, false); }
  /// A whole response, or its last part.
  void send_response(Bytes payload) {
    const bool marked = in_calls_ && kind_.marks_ends();
    if (marked) payload.push_back(29);
    send_payload(payload, marked);
  }

  void accept(const ServerKind& kind) {
    kind_ = kind;
    Writer body;
    body.u16(kind.tns_version);
    body.u16(0);
    body.u16(static_cast<std::uint16_t>(kind.sdu_bytes));
    body.u16(0xFFFF);
    body.u16(0x0100);
    body.u16(0);
    body.u16(45);
    body.u8(kind.native_flags);
    body.u8(kind.native_flags);
    body.zeros(8);
    if (kind.tns_version >= 315) {
      body.u32(kind.sdu_bytes);
      body.u32(0x200000);
      body.u8(0);
      body.u32(kind.accept_flags2);
    }
    send_packet(PacketType::kAccept, body.bytes());
    large_ = kind.tns_version >= 315;
  }

  /// Everything up to the client's second log-in message, which is read.
  void log_in_halfway(const ServerKind& kind) {
    read_connect();
    accept(kind);
    set_up(kind);
    in_calls_ = true;
    read_request();
  }

  /// Everything up to and including a successful log-in. `before_status` is sent before the last
  /// status; `spoil` changes AUTH_SVR_RESPONSE.
  void log_in(const ServerKind& kind, const Bytes& before_status = {}, bool spoil = false) {
    read_connect();
    accept(kind);
    if (kind.native_flags == ServerKind::kNegotiates) native_services(kind);
    set_up(kind);
    in_calls_ = true;
    const Bytes phase_two = read_request();
    Writer out;
    write_session_pairs(out, phase_two, spoil);
    out.raw(before_status);
    out.raw(success());
    send_response(out.take());
  }

  /// Answers the client's offer, and agrees on a key when something is switched on.
  void native_services(const ServerKind& kind) {
    native_offer_ = read_request();
    const bool is_on = kind.cipher != wire::Cipher::kNone || kind.checksum != wire::Checksum::kNone;
    wire::KeyExchange exchange;  // 2^521 - 1 is prime
    exchange.prime_bits = exchange.generator_bits = 521;
    exchange.prime = Bytes(66, 0xFF);
    exchange.prime[0] = 0x01;
    exchange.generator = {3};
    exchange.iv = Bytes(20, 0x77);
    const Bytes secret(66, 0x55);
    exchange.server_public = Bytes(66, 0);
    exchange.server_public[0] = 1;  // only to get at the own public key
    exchange.server_public = agree_on_key(exchange, secret)->public_key;
    send_response(native_answer(kind, is_on ? &exchange : nullptr));
    if (!is_on) return;
    const Bytes reply = read_request();
    exchange.server_public.assign(reply.end() - 66, reply.end());
    const auto agreed = agree_on_key(exchange, secret);
    if (!agreed) throw std::runtime_error("the client's key is unusable");
    guard_ = std::make_unique<wire::PacketGuard>(kind.cipher, kind.checksum, agreed->shared,
                                                 exchange.iv, wire::PacketGuard::Side::kServer);
  }
  /// The client's whole native services request.
  [[nodiscard]] const Bytes& native_offer() const { return native_offer_; }

  /// Message 4 in this server's layout.
  Bytes status(std::uint32_t code, std::string_view text, std::uint32_t cursor = 0,
               std::uint64_t rows = 0, int position = 0) const {
    Writer out;
    out.u8(4);
    out.zeros(2);
    out.ub4(kind_.is_11g() ? static_cast<std::uint32_t>(rows) : 0);
    out.ub2(static_cast<std::uint16_t>(code));
    out.zeros(2);
    out.ub2(static_cast<std::uint16_t>(cursor));
    out.ub2(static_cast<std::uint16_t>(position));
    out.zeros(6 + 5 + 6 + 3);
    if (!kind_.is_11g()) {
      out.ub4(code);
      out.ub8(rows);
    }
    if (kind_.field_version >= 14) out.zeros(2);
    if (code != 0) out.clr(text);
    return out.take();
  }
  Bytes success(std::uint32_t cursor = 0, std::uint64_t rows = 0) const {
    return status(0, "", cursor, rows);
  }
  Bytes end_of_rows(std::uint32_t cursor, std::uint64_t rows) const {
    return status(1403, "ORA-01403: no data found\n", cursor, rows);
  }

  /// Columns as cursors and implicit results carry them.
  Bytes describe_body(const std::vector<ColumnDescription>& columns) const {
    const Bytes message = describe(columns);
    return {message.begin() + 2, message.end()};
  }
  /// Message 16.
  Bytes describe(const std::vector<ColumnDescription>& columns) const {
    Writer out;
    out.u8(16);
    out.u8(0);
    out.ub4(100);
    out.ub4(static_cast<std::uint32_t>(columns.size()));
    if (!columns.empty()) out.u8(0);
    for (const ColumnDescription& column : columns) write_column(out, column);
    out.zeros(6);
    return out.take();
  }

 private:
  Bytes read_bytes(std::size_t count) {
    Bytes bytes(count);
    std::size_t got = 0;
    while (got < count) {
      const ssize_t n = ::recv(fd_, bytes.data() + got, count - got, 0);
      if (n <= 0) throw std::runtime_error("the client closed the connection");
      got += static_cast<std::size_t>(n);
    }
    return bytes;
  }

  void send_payload(ByteView payload, bool marks_end) {
    do {
      const std::size_t room =
          kind_.sdu_bytes - wire::kDataHeaderBytes - (guard_ ? wire::PacketGuard::kMaxOverhead : 0);
      std::size_t size = std::min<std::size_t>(payload.size(), room);
      if (cut_ != 0) size = std::min(size, cut_);
      Writer body;
      body.u16(marks_end && size == payload.size() ? wire::kDataEndOfResponse : std::uint16_t{0});
      Bytes part(payload.begin(), payload.begin() + static_cast<long>(size));
      if (guard_) guard_->protect(part);
      body.raw(part);
      send_packet(PacketType::kData, body.bytes());
      payload = payload.subspan(size);
    } while (!payload.empty());
  }

  static Bytes native_answer(const ServerKind& kind, const wire::KeyExchange* exchange) {
    Writer services;
    const auto service = [&](std::uint16_t id, std::uint16_t parts, std::uint32_t error) {
      services.u16(id);
      services.u16(parts);
      services.u32(error);
      services.u16(4);
      services.u16(5);
      services.u32(0x17000000);
    };
    const auto part = [&](std::uint16_t type, const Bytes& bytes) {
      services.u16(static_cast<std::uint16_t>(bytes.size()));
      services.u16(type);
      services.raw(bytes);
    };
    service(4, 2, 0);
    part(6, {0, 0x1F});
    service(1, 2, 0);
    part(6, {0xFB, 0xFF});
    service(2, 2, kind.native_error);
    part(2, {static_cast<std::uint8_t>(kind.cipher)});
    service(3, exchange != nullptr ? 8 : 2, 0);
    part(2, {static_cast<std::uint8_t>(kind.checksum)});
    if (exchange != nullptr) {
      part(3, {0x02, 0x09});
      part(3, {0x02, 0x09});
      part(1, exchange->generator);
      part(1, exchange->prime);
      part(1, exchange->server_public);
      part(1, exchange->iv);
    }
    Writer out;
    out.u32(wire::kNativeMagic);
    out.u16(static_cast<std::uint16_t>(13 + services.size()));
    out.u32(0x17000000);
    out.u16(4);
    out.u8(0);
    out.raw(services.bytes());
    return out.take();
  }

  void write_column(Writer& out, const ColumnDescription& column) const {
    out.u8(static_cast<std::uint8_t>(column.type));
    out.u8(0);
    out.u8(static_cast<std::uint8_t>(column.precision));
    out.u8(static_cast<std::uint8_t>(column.scale));
    out.ub4(column.max_bytes);
    out.zeros(5);  // elements, flags, OID, version, charset
    out.u8(static_cast<std::uint8_t>(column.form));
    out.ub4(column.max_characters);
    if (kind_.field_version >= 8) out.u8(0);
    out.u8(1);
    out.u8(0);
    out.dlc(column.name);
    out.dlc(column.type_schema);
    out.dlc(column.type_name);
    out.zeros(2);  // position, flags
    if (kind_.field_version >= 17) out.zeros(2);
    if (kind_.field_version >= 20) out.u8(0);
    if (kind_.field_version >= 24) out.zeros(3);
  }

  void set_up(const ServerKind& kind) {
    if (kind.fast_auth) {
      read_request();
      in_calls_ = true;
      Writer out;
      write_protocol(out);
      write_types(out);
      write_challenge(out);
      send_response(out.take());
      return;
    }
    read_request();
    Writer protocol;
    write_protocol(protocol);
    send_response(protocol.take());
    read_request();
    Writer types;
    write_types(types);
    send_response(types.take());
    in_calls_ = true;
    read_request();
    Writer challenge;
    write_challenge(challenge);
    send_response(challenge.take());
  }

  void write_protocol(Writer& out) const {
    Bytes compile(48, 0);
    compile[4] = kind_.is_11g() ? 0xCA : 0xEA;
    compile[7] = kind_.field_version;
    compile[15] = 0x29;
    compile[16] = 0x91;
    compile[37] = kind_.is_11g() ? 0x98 : 0xB8;
    Bytes runtime(11, 0);
    runtime[0] = 2;
    runtime[1] = 1;
    runtime[6] = kind_.is_11g() ? 0 : 4;
    out.u8(1);
    out.u8(6);
    out.u8(0);
    out.raw(std::string_view("test server\0", 12));
    out.u16_le(wire::kCharsetAl32Utf8);
    out.u8(1);
    out.u16(0);
    out.u16(11);
    out.zeros(9);
    out.u16(wire::kCharsetAl16Utf16);
    out.clr(compile);
    out.clr(runtime);
  }
  static void write_types(Writer& out) {
    out.u8(2);
    out.raw(ByteView(wire::kUtcImage));
    out.u16(1);
    out.u16(1);
    out.u16(1);
    out.u16(0);
    out.u16(0);
  }

  wire::Challenge challenge() const {
    wire::Challenge challenge;
    challenge.verifier = kind_.verifier;
    challenge.salt = Bytes(kind_.verifier == wire::Verifier::k12c ? 16 : 10, 0x11);
    challenge.mixing_salt = Bytes(16, 0x22);
    challenge.verifier_rounds = 2;
    challenge.mixing_rounds = 3;
    challenge.encrypted_key =
        wire::aes_cbc_encrypt(password_key(challenge, kPassword), server_half());
    return challenge;
  }
  [[nodiscard]] Bytes server_half() const { return Bytes(kind_.is_11g() ? 48 : 32, 0x33); }

  static void write_pair(Writer& out, std::string_view key, std::string_view value,
                         std::uint32_t flags = 0) {
    out.dlc(key);
    out.dlc(value);
    out.ub4(flags);
  }
  void write_challenge(Writer& out) const {
    const wire::Challenge c = challenge();
    out.u8(8);
    out.ub2(5);
    write_pair(out, "AUTH_SESSKEY", wire::to_hex_upper(c.encrypted_key));
    write_pair(out, "AUTH_VFR_DATA", wire::to_hex_upper(c.salt),
               static_cast<std::uint32_t>(c.verifier));
    write_pair(out, "AUTH_PBKDF2_CSK_SALT", wire::to_hex_upper(c.mixing_salt));
    write_pair(out, "AUTH_PBKDF2_VGEN_COUNT", "2");
    write_pair(out, "AUTH_PBKDF2_SDER_COUNT", "3");
    out.raw(success());
  }

  std::vector<wire::KeyValue> pairs_of(const Bytes& request) const {
    Reader in(request);
    in.skip(3);
    if (kind_.field_version >= 18) in.ub8();
    in.skip(1);
    in.ub4();
    in.ub4();
    in.skip(1);
    const std::uint32_t count = in.ub4();
    in.skip(2);
    in.skip_clr();
    std::vector<wire::KeyValue> pairs;
    for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
      wire::KeyValue pair;
      pair.key = in.dlc_text();
      pair.value = in.dlc_text();
      pair.flags = in.ub4();
      pairs.push_back(pair);
    }
    if (!in.ok()) throw std::runtime_error("the log-in request is malformed");
    return pairs;
  }

  void write_session_pairs(Writer& out, const Bytes& request, bool spoil) const {
    const std::vector<wire::KeyValue> pairs = pairs_of(request);
    const wire::Challenge c = challenge();
    const Bytes key = password_key(c, kPassword);
    const Bytes client_half =
        wire::aes_cbc_decrypt(key, *wire::from_hex(find_key(pairs, "AUTH_SESSKEY")->value));
    const Bytes combined = combine_halves(c, server_half(), client_half);
    Bytes plain(16, 0x44);
    for (const char letter : std::string_view("SERVER_TO_CLIENT")) {
      plain.push_back(static_cast<std::uint8_t>(letter));
    }
    plain.insert(plain.end(), 16, 16);
    if (spoil) plain[20] ^= 1;
    out.u8(8);
    out.ub2(4);
    write_pair(out, "AUTH_SVR_RESPONSE",
               wire::to_hex_upper(wire::aes_cbc_encrypt(combined, plain)));
    write_pair(out, "AUTH_SESSION_ID", "77");
    write_pair(out, "AUTH_SERIAL_NUM", "5");
    write_pair(out, "AUTH_VERSION_NO", "318963712");
  }

  int fd_;
  std::size_t cut_;
  bool large_ = false;
  bool in_calls_ = false;
  std::uint8_t last_connect_flags_ = 0;
  ServerKind kind_;
  std::unique_ptr<wire::PacketGuard> guard_;
  Bytes native_offer_;
};

class Server {
 public:
  using Script = std::function<void(Peer&)>;

  /// Each connection in turn gets the next script.
  explicit Server(std::vector<Script> scripts, std::size_t cut = 0)
      : scripts_(std::move(scripts)), cut_(cut) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(listener_, 8) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("the test server cannot listen");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  explicit Server(Script script, std::size_t cut = 0)
      : Server(std::vector<Script>{std::move(script)}, cut) {}
  ~Server() { stop(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string connect_string() const {
    return "127.0.0.1:" + std::to_string(port_) + "/test";
  }
  /// Waits for the scripts; throws what one of them threw.
  void finish() {
    stop();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void run() {
    try {
      for (const Script& script : scripts_) {
        pollfd polled{listener_, POLLIN, 0};
        constexpr int kPatienceMs = 20'000;
        if (poll(&polled, 1, kPatienceMs) <= 0) throw std::runtime_error("no client came");
        const int fd = ::accept(listener_, nullptr, nullptr);
        if (fd < 0) return;
        Peer peer(fd, cut_);
        script(peer);
      }
    } catch (...) {
      failure_ = std::current_exception();
    }
  }
  void stop() {
    if (thread_.joinable()) thread_.join();
    if (listener_ >= 0) ::close(listener_);
    listener_ = -1;
  }

  std::vector<Script> scripts_;
  std::size_t cut_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::exception_ptr failure_;
  std::thread thread_;
};

inline ColumnDescription column(std::string name, OracleType type, std::uint32_t max_bytes) {
  ColumnDescription column;
  column.name = std::move(name);
  column.type = type;
  column.max_bytes = max_bytes;
  const bool is_text = type == OracleType::kVarchar || type == OracleType::kChar ||
                       type == OracleType::kClob || type == OracleType::kLong;
  column.form = is_text ? CharsetForm::kDatabase : CharsetForm::kNone;
  return column;
}

inline Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// Message 6 without a bit vector.
inline Bytes row_header() {
  return {6, 0, 1, 1, 0, 0, 0, 0, 0};
}

/// Message 7 with values that are CLRs; nullopt is NULL.
inline Bytes row(std::initializer_list<std::optional<std::string>> values) {
  Writer out;
  out.u8(7);
  for (const auto& value : values) out.clr(value.value_or(std::string()));
  return out.take();
}

}  // namespace wherry::oracle::scripted
