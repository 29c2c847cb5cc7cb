// Time zones: offsets and the regions that Oracle numbers, whose rules are read from the system's
// time zone files (TZif, RFC 8536).
//
// A zoned DateTime is in UTC. With a region, offset_minutes is what the region has at that moment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/value.h"

namespace orasim {

struct Zone {
  std::int16_t offset_minutes = 0;  ///< without a region
  std::uint16_t region_id = 0;

  /// Gives a UTC time this zone.
  void put_into(DateTime& utc) const;
  /// Gives a wall clock reading this zone; ORA-01878 when the clock skips it.
  void put_into_wall(DateTime& wall) const;
};

/// "+02:00", "-3:30", "Europe/Berlin" in letters of either case. nullopt: neither.
std::optional<Zone> parse_zone(std::string_view text);
/// As TZR shows it: the region's name, else the offset.
std::string zone_text(const Zone& zone);
std::string zone_text(const DateTime& value);
/// As TZD shows it: "CEST"; empty without a region.
std::string daylight_text(const DateTime& utc);

/// Whether the region has its summer time at this moment.
bool is_daylight(const DateTime& utc);

/// Sets offset_minutes by region and moment. An unknown region counts as UTC.
void resolve_zone(DateTime& utc);
/// The same for a wall clock reading. The later one of two equal readings is standard time, which
/// is taken unless `daylight`.
void resolve_wall_zone(DateTime& wall, bool daylight = false);

/// nullopt: no region of that name.
std::optional<std::uint16_t> region_id(std::string_view name);
std::string_view region_name(std::uint16_t id);  ///< empty: unknown

}  // namespace orasim
