// Offsets of a named time zone at any instant, from the system's time zone files (TZif, RFC 8536).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connect/oracle/wire/reader.h"

namespace wherry::oracle::wire {

class ZoneRules {
 public:
  /// nullopt when the bytes are not a TZif file of version 2 or above.
  static std::optional<ZoneRules> parse(ByteView tzif);
  /// Seconds east of Greenwich at `utc_seconds` (Unix time).
  [[nodiscard]] std::int32_t offset_at(std::int64_t utc_seconds) const;
  /// The same for a wall clock reading; where it occurs twice, `daylight` picks the larger offset.
  [[nodiscard]] std::int32_t offset_at_local(std::int64_t local_seconds, bool daylight) const;

 private:
  /// The rule behind the last transition: "CET-1CEST,M3.5.0,M10.5.0/3".
  struct Change {
    int month = 0, week = 0, weekday = 0;
    std::int32_t second_of_day = 7200;
  };
  struct Footer {
    std::int32_t standard = 0;
    std::int32_t daylight = 0;
    bool has_daylight = false;
    Change start, end;
  };
  static std::optional<Footer> parse_footer(std::string_view text);
  [[nodiscard]] std::int32_t footer_offset(std::int64_t utc_seconds) const;

  std::vector<std::int64_t> transitions_;
  std::vector<std::int32_t> offsets_;  ///< one more than transitions_: the first is before them all
  Footer footer_;
};

/// IANA name of an Oracle region id, "" when the id is not known.
std::string_view region_name(std::uint16_t region_id);
/// The other way round, letters of either case.
std::optional<std::uint16_t> region_id(std::string_view name);

/// Rules by region id, read from the file system when first asked for. Not thread-safe.
class RegionTable {
 public:
  explicit RegionTable(std::string directory = "/usr/share/zoneinfo")
      : directory_(std::move(directory)) {}
  /// nullptr for an unknown id or a missing file: the caller falls back to +00:00.
  const ZoneRules* find(std::uint16_t region_id);

 private:
  struct Entry {
    std::uint16_t region_id;
    std::optional<ZoneRules> rules;
  };
  std::string directory_;
  std::vector<Entry> entries_;
};

}  // namespace wherry::oracle::wire
