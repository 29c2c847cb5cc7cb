// A container database as this one plays it: the root, the seed, the pluggable database that has
// the data, and a neighbour whose redo looks the same. Facts: Oracle Database Administrator's
// Guide, "Overview of Managing a Multitenant Environment".
#pragma once

#include <cctype>
#include <cstdint>
#include <string>
#include <string_view>

namespace orasim::containers {

/// CON_ID; none: the database has no containers.
inline constexpr std::uint32_t kNone = 0, kRoot = 1, kSeed = 2, kPluggable = 3, kNeighbour = 4;

inline constexpr const char* kRootName = "CDB$ROOT";
inline constexpr const char* kSeedName = "PDB$SEED";
inline constexpr const char* kNeighbourName = "NEIGHBOUR";

/// The pluggable database is called like its service.
inline std::string pluggable_name(std::string_view service) {
  std::string out(service.substr(0, service.find('.')));
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

inline std::string name_of(std::uint32_t container, std::string_view service) {
  switch (container) {
    case kRoot:
      return kRootName;
    case kSeed:
      return kSeedName;
    case kNeighbour:
      return kNeighbourName;
    default:
      return pluggable_name(service);
  }
}

/// Users of the root are in all containers, and called so.
inline bool is_common(std::string_view user) {
  return user.starts_with("C##") || user == "SYS" || user == "SYSTEM";
}

}  // namespace orasim::containers
