#include "connect/oracle/wire/locator.h"

namespace wherry::oracle::wire {

std::optional<Locator::File> Locator::file() const {
  constexpr std::size_t kNames = 16;
  Reader in(bytes_);
  in.skip(kNames);
  File file;
  file.directory = text_of(in.raw(in.u16()));
  file.name = text_of(in.raw(in.u16()));
  return in.ok() ? std::optional(file) : std::nullopt;
}

}  // namespace wherry::oracle::wire
