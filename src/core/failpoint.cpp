#include "core/failpoint.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>

namespace wherry {
namespace {

struct ArmedPoint {
  std::string name;
  std::atomic<long> passes_left{0};
  ArmedPoint() {
    const char* setting = std::getenv("WHERRY_FAILPOINT");
    if (setting == nullptr) return;
    name = setting;
    const std::size_t colon = name.find(':');
    passes_left = colon == std::string::npos ? 1 : std::atol(name.c_str() + colon + 1);
    if (colon != std::string::npos) name.resize(colon);
  }
};

}  // namespace

void failpoint(std::string_view name) {
  static ArmedPoint armed;
  if (armed.name.empty() || armed.name != name) return;
  if (armed.passes_left.fetch_sub(1) == 1) std::raise(SIGKILL);
}

}  // namespace wherry
