#include "connect/oracle/logminer/redo_logs.h"

#include <algorithm>
#include <array>

namespace wherry::oracle {

std::uint64_t next_scn_of(std::uint64_t next_change, bool is_current) {
  constexpr std::array<std::uint64_t, 3> kNoEnds = {281474976710655U, 9295429630892703743U,
                                                    UINT64_MAX};
  const bool is_mark = std::find(kNoEnds.begin(), kNoEnds.end(), next_change) != kNoEnds.end();
  return is_current || is_mark ? kNoEndScn : next_change;
}

}  // namespace wherry::oracle
