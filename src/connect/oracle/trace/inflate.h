// The packets of one direction whose payload Oracle Net compressed: deflate data that goes on from
// packet to packet, the first of them with zlib's header. Facts: reference oracle-wire 1.14, RFC
// 1950, 1951.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "connect/oracle/wire/reader.h"

struct z_stream_s;

namespace wherry::oracle::trace {

class Inflater {
 public:
  Inflater();
  ~Inflater();
  Inflater(Inflater&&) noexcept;
  Inflater& operator=(Inflater&&) noexcept;

  /// The payload of the next compressed packet as it was before; nullopt when it does not inflate,
  /// or to more than `max_bytes`. Works again from a packet that needs nothing of those before it.
  std::optional<std::string> inflate(wire::ByteView payload, std::size_t max_bytes);
  /// Packets are missing here.
  void forget();

 private:
  bool open(wire::ByteView payload);
  std::optional<std::string> go_on(wire::ByteView payload, std::size_t max_bytes);

  struct Close {
    void operator()(z_stream_s* stream) const;
  };
  std::unique_ptr<z_stream_s, Close> stream_;
};

}  // namespace wherry::oracle::trace
